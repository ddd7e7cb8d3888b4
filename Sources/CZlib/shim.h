#ifndef VESPER_CZLIB_SHIM_H
#define VESPER_CZLIB_SHIM_H
#include <zlib.h>
#include <stdint.h>
#include <stdio.h>
#include <unistd.h>
#include <malloc.h>
#include <sys/syscall.h>

// deflateInit2 and inflateInit2 are macros, which Swift does not see.
static inline int vesper_deflate_init(z_stream *stream, int level) {
    return deflateInit2(stream, level, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY);
}

// Tells the allocator to keep what is freed instead of giving it back to the system, which Swift's view of glibc cannot.
static inline void vesper_keep_memory(void) {
    mallopt(M_MMAP_THRESHOLD, 1 << 30);
    mallopt(M_TRIM_THRESHOLD, 1 << 30);
    mallopt(M_TOP_PAD, 16 << 20);
}

// Asks the system to begin to write a file's bytes to the disk, without waiting for it. A hint: where it is unknown nothing happens.
static inline void vesper_begin_to_write(int descriptor) {
#if defined(SYS_sync_file_range) && defined(__LP64__)
    syscall(SYS_sync_file_range, descriptor, 0L, 0L, 2u /* SYNC_FILE_RANGE_WRITE */);
#endif
}

// Exchanges two paths in one step; -1 with errno where the file system cannot (EINVAL, ENOSYS).
static inline int vesper_exchange(const char *a, const char *b) {
#ifdef SYS_renameat2
    return (int)syscall(SYS_renameat2, -100 /* AT_FDCWD */, a, -100, b, 2u /* RENAME_EXCHANGE */);
#else
    return -1;
#endif
}

// The SHA-256 block function on the processor's own instructions (Intel SHA extensions), where it has them.
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
static inline int vesper_has_sha(void) {
    unsigned a, b, c, d;
    if (!__get_cpuid_count(7, 0, &a, &b, &c, &d)) return 0;
    if (!(b & (1u << 29))) return 0;
    if (!__get_cpuid(1, &a, &b, &c, &d)) return 0;
    return (c & (1u << 19)) && (c & (1u << 9));
}
__attribute__((target("sha,sse4.1,ssse3")))
static inline void vesper_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks, const uint32_t *k) {
    const __m128i mask = _mm_set_epi64x(0x0c0d0e0f08090a0bULL, 0x0405060700010203ULL);
    __m128i t = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&state[0]), 0xB1);
    __m128i s1 = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)&state[4]), 0x1B);
    __m128i s0 = _mm_alignr_epi8(t, s1, 8);
    s1 = _mm_blend_epi16(s1, t, 0xF0);
    while (blocks--) {
        const __m128i keep0 = s0, keep1 = s1;
        __m128i w[4];
        for (int i = 0; i < 4; i++)
            w[i] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(data + 16 * i)), mask);
#pragma clang loop unroll(full)
        for (int r = 0; r < 16; r++) {
            __m128i m = _mm_add_epi32(w[r & 3], _mm_loadu_si128((const __m128i *)(k + 4 * r)));
            s1 = _mm_sha256rnds2_epu32(s1, s0, m);
            s0 = _mm_sha256rnds2_epu32(s0, s1, _mm_shuffle_epi32(m, 0x0E));
            if (r < 12) {
                __m128i next = _mm_sha256msg1_epu32(w[r & 3], w[(r + 1) & 3]);
                next = _mm_add_epi32(next, _mm_alignr_epi8(w[(r + 3) & 3], w[(r + 2) & 3], 4));
                w[r & 3] = _mm_sha256msg2_epu32(next, w[(r + 3) & 3]);
            }
        }
        s0 = _mm_add_epi32(s0, keep0);
        s1 = _mm_add_epi32(s1, keep1);
        data += 64;
    }
    t = _mm_shuffle_epi32(s0, 0x1B);
    s1 = _mm_shuffle_epi32(s1, 0xB1);
    _mm_storeu_si128((__m128i *)&state[0], _mm_blend_epi16(t, s1, 0xF0));
    _mm_storeu_si128((__m128i *)&state[4], _mm_alignr_epi8(s1, t, 8));
}
// How many of 16 characters, from the first on, need no closer look in a JSON string: not below 0x20, not above 0x7f, no quote, no
// backslash. SSE2, which every x86-64 processor has; the comparison is signed, so that it sees both ends at once.
static inline int vesper_plain_text(const uint8_t *text) {
    const __m128i x = _mm_loadu_si128((const __m128i *)text);
    const __m128i marks = _mm_or_si128(
        _mm_cmplt_epi8(x, _mm_set1_epi8(0x20)),
        _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
    return __builtin_ctz((unsigned)_mm_movemask_epi8(marks) | 0x10000u);
}
static inline int vesper_has_clmul(void) {
    unsigned a, b, c, d;
    return __get_cpuid(1, &a, &b, &c, &d) && (c & (1u << 1)) && (c & (1u << 19));
}
// CRC-32 of gzip by carry-less multiplication: 64 bytes are folded at a time, then reduced (Intel, "Fast CRC Computation Using
// PCLMULQDQ", 2009; constants for the reflected polynomial 0xEDB88320). `length` is a multiple of 16 and at least 64.
__attribute__((target("pclmul,sse4.1")))
static inline uint32_t vesper_crc32_blocks(uint32_t crc, const uint8_t *data, size_t length) {
    const __m128i k12 = _mm_set_epi64x(0x01c6e41596LL, 0x0154442bd4LL);
    const __m128i k34 = _mm_set_epi64x(0x00ccaa009eLL, 0x01751997d0LL);
    const __m128i k5 = _mm_set_epi64x(0, 0x0163cd6124LL);
    const __m128i poly = _mm_set_epi64x(0x01f7011641LL, 0x01db710641LL);
    const __m128i mask = _mm_setr_epi32(-1, 0, -1, 0);
    __m128i x[4];
    for (int i = 0; i < 4; i++) x[i] = _mm_loadu_si128((const __m128i *)(data + 16 * i));
    x[0] = _mm_xor_si128(x[0], _mm_cvtsi32_si128((int)crc));
    data += 64;
    length -= 64;
    while (length >= 64) {
        for (int i = 0; i < 4; i++) {
            __m128i low = _mm_clmulepi64_si128(x[i], k12, 0x00), high = _mm_clmulepi64_si128(x[i], k12, 0x11);
            x[i] = _mm_xor_si128(_mm_xor_si128(low, high), _mm_loadu_si128((const __m128i *)(data + 16 * i)));
        }
        data += 64;
        length -= 64;
    }
    __m128i y = x[0];
    for (int i = 1; i < 4; i++) {
        __m128i low = _mm_clmulepi64_si128(y, k34, 0x00), high = _mm_clmulepi64_si128(y, k34, 0x11);
        y = _mm_xor_si128(_mm_xor_si128(low, high), x[i]);
    }
    while (length >= 16) {
        __m128i low = _mm_clmulepi64_si128(y, k34, 0x00), high = _mm_clmulepi64_si128(y, k34, 0x11);
        y = _mm_xor_si128(_mm_xor_si128(low, high), _mm_loadu_si128((const __m128i *)data));
        data += 16;
        length -= 16;
    }
    y = _mm_xor_si128(_mm_srli_si128(y, 8), _mm_clmulepi64_si128(y, k34, 0x10));
    y = _mm_xor_si128(_mm_srli_si128(y, 4), _mm_clmulepi64_si128(_mm_and_si128(y, mask), k5, 0x00));
    __m128i t = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(y, mask), poly, 0x10), mask);
    y = _mm_xor_si128(y, _mm_clmulepi64_si128(t, poly, 0x00));
    return (uint32_t)_mm_extract_epi32(y, 1);
}
#else
static inline int vesper_has_sha(void) { return 0; }
static inline int vesper_has_clmul(void) { return 0; }
static inline int vesper_plain_text(const uint8_t *text) {
    int count = 0;
    while (count < 16 && text[count] >= 0x20 && text[count] < 0x80 && text[count] != '"' && text[count] != '\\') count++;
    return count;
}
static inline uint32_t vesper_crc32_blocks(uint32_t crc, const uint8_t *data, size_t length) { return crc; }
static inline void vesper_sha256_blocks(uint32_t state[8], const uint8_t *data, size_t blocks, const uint32_t *k) {
    (void)state; (void)data; (void)blocks; (void)k;
}
#endif

static inline uint32_t vesper_crc32(uint32_t crc, const uint8_t *data, size_t length) {
    size_t whole = length & ~(size_t)15;
    if (whole >= 64 && vesper_has_clmul()) {
        crc = ~vesper_crc32_blocks(~crc, data, whole);
        data += whole;
        length -= whole;
    }
    return (uint32_t)crc32(crc, data, (uInt)length);
}
#endif
