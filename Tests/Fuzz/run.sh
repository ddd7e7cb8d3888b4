#!/usr/bin/env bash
# Fuzzes the JSON scanner against Vesper's other JSON reader, with the address sanitizer: Tests/Fuzz/run.sh [RUNS], 10 million by default.
# What it has found interesting stays in .build/fuzz/corpus and is where the next run begins.
set -euo pipefail
cd "$(dirname "$0")/../.."
runs=${1:-10000000}
work=.build/fuzz
mkdir -p "$work/corpus"
flags=(-O -swift-version 6 -sanitize=address -parse-as-library -I Sources/CZlib)
mapfile -t common < <(find Sources/Common -name '*.swift' | sort)
swiftc "${flags[@]}" -module-name Common -emit-module -emit-module-path "$work/Common.swiftmodule" \
    -emit-library -static -o "$work/libCommon.a" "${common[@]}"
swiftc "${flags[@]}" -sanitize=fuzzer -module-name Fuzz -I "$work" -L "$work" -lCommon -lz -o "$work/fuzz" \
    Sources/Ingest/Formats/FieldTree.swift Sources/Ingest/Formats/JSONScanner.swift Tests/Fuzz/fuzzScanner.swift
suite=../shared/data/json-test-suite/test_parsing
[ ! -d "$suite" ] || cp -n "$suite"/*.json "$work/corpus/"
printf '{"id":"a","ts":"2026-11-09T06:12:33Z","a":{"b":[1,2.5e-3,true,null]},"usage":{"input_tokens":12}}' > "$work/corpus/seed"
exec "$work/fuzz" -runs="$runs" -max_len=4096 -timeout=10 -print_final_stats=1 -artifact_prefix="$work/" "$work/corpus"
