#!/usr/bin/env bash
# Runs every job: what the timer calls, and, with --sample, the way to see Vesper work on a fresh machine.
set -euo pipefail

# shellcheck disable=SC2016  # $VESPER_BIN stands there as its name
readonly help='Runs Vesper over every job, or shows it at work on the sample data.

Usage:
  Jobs/sunday-night.sh --sample [--fresh]               see it work
  Jobs/sunday-night.sh [JOB…] [-- VESPER-OPTION…]       what the timer calls
  Jobs/sunday-night.sh --collect [JOB…] [-- VESPER-OPTION…]
  Jobs/sunday-night.sh --prepare [PACKAGE…]

  --sample   Installs what is missing for building, builds, and runs every job that has sample data, with a fixed
             clock and a public key. Its home is .build/sample-home; a second call finds everything up to date.
  --fresh    Removes that home first.
  --collect  Runs only if a provider still has a bulk file, and so takes in its answers.
  --prepare  Only installs what is missing for building, and the Debian packages named.
  JOB        A job file, a folder of them, or a name found in Jobs/; all of Jobs/ unless given.

Without --sample nothing is built or installed: the program is $VESPER_BIN, .build/release/vesper, or vesper in PATH.
The home is vesper-data beside Jobs/ unless an option behind -- says --home=DIR. What is said goes to the error stream;
the exit code is that of vesper: 0 done, 1 failed, 2 done with too many refused rows, 3 stopped by the budget,
4 waiting for a provider, 5 another run holds the home, 64 the command line or a job file cannot be used.

Examples:
  Jobs/sunday-night.sh --sample
  Jobs/sunday-night.sh kalei -- --home=/var/lib/vesper --data=/srv/exports
  Jobs/sunday-night.sh --collect -- --home=/var/lib/vesper --data=/srv/exports
'

top=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
readonly top

say() { printf 'sunday-night: %s\n' "$*" >&2; }
fail() { say "$1" && exit "${2:-1}"; }

# --- What building needs

# Installs the packages given, or says which are missing and why it cannot.
install_packages() {
    local root=()
    command -v apt-get >/dev/null || fail "$* missing, and there is no apt-get here. Install what your system calls them."
    if [[ $EUID -ne 0 ]]; then
        command -v sudo >/dev/null || fail "$* missing, and only root can install. Run as root: apt-get install $*"
        root=(sudo)
        # Nobody is there to type a password.
        [[ -t 0 ]] || root+=(-n)
    fi
    say "installing $*"
    if ! "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@" >/dev/null 2>&1; then
        # A fresh machine has no package lists, and an old one has stale ones.
        { "${root[@]}" apt-get update -qq && "${root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -qq -y "$@"; } >&2 \
            || fail "apt-get could not install $*; its own words stand above. Is the network there?"
    fi
}

is_installed() { [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]; }

# Installs those of the packages that are missing.
prepare_packages() {
    local package missing=()
    if ! command -v dpkg-query >/dev/null; then
        say "this is not Debian or Ubuntu: make sure that the likes of $* are installed."
        return
    fi
    for package in "$@"; do is_installed "$package" || missing+=("$package"); done
    # What the linker starts a program with; g++ brings the headers and libraries that belong to it.
    compgen -G '/usr/lib/gcc/*/*/crtbeginS.o' >/dev/null || missing+=(g++)
    [[ ${#missing[@]} -eq 0 ]] || install_packages "${missing[@]}"
}

# The Debian package of a shared library that a toolchain may ask for.
package_of_library() {
    case $1 in
        libcurl.so.4) echo libcurl4 ;;
        libedit.so.2) echo libedit2 ;;
        libgcc_s.so.1) echo libgcc-s1 ;;
        libncurses.so.6) echo libncurses6 ;;
        libncursesw.so.6) echo libncursesw6 ;;
        libpython3.*.so.*) echo "${1%%.so*}" ;;
        libsqlite3.so.0) echo libsqlite3-0 ;;
        libstdc++.so.6) echo libstdc++6 ;;
        libtinfo.so.6) echo libtinfo6 ;;
        libuuid.so.1) echo libuuid1 ;;
        libxml2.so.2) echo libxml2 ;;
        libz.so.1) echo zlib1g ;;
        libz3.so.4) echo libz3-4 ;;
    esac
}

# The parts of the toolchain that are used here start; the libraries they miss are installed one after the other.
prepare_toolchain() {
    local part words library package version tried=' '
    command -v swift >/dev/null || fail "there is no swift in PATH. Install a Swift 6 toolchain: https://www.swift.org/install"
    for part in '' build test format; do
        # shellcheck disable=SC2086  # no word at all where the part is empty
        until words=$(swift $part --version 2>&1); do
            library=$(sed -n 's/.*error while loading shared libraries: \([^:]*\):.*/\1/p' <<<"$words" | head -n 1)
            package=$(package_of_library "$library")
            [[ -n $library ]] || fail "\"swift${part:+ $part} --version\" fails: ${words:0:300}"
            [[ -n $package ]] || fail "the Swift toolchain needs $library. Install the package that holds it."
            [[ $tried != *" $package "* ]] || fail "the Swift toolchain needs $library, and $package did not bring it."
            tried+="$package "
            install_packages "$package"
        done
        [[ -n $part ]] || version=$words
    done
    [[ $version =~ Swift\ version\ ([0-9]+) && ${BASH_REMATCH[1]} -ge 6 ]] \
        || fail "Swift 6 or later is needed, and this is ${version%%$'\n'*}. See https://www.swift.org/install"
}

prepare() {
    prepare_packages libsqlite3-dev zlib1g-dev tzdata "$@"
    prepare_toolchain
}

# --- The sample

sample() {
    # A fixed clock, and a public key, so that everybody's sample has the same pseudonyms. A real key is secret.
    local key=the-public-key-of-the-sample home=.build/sample-home file name jobs=() code=0 newest
    local options=("--home=$home" --data=SampleData --now=2026-11-17T12:00:00Z)
    cd "$top"
    [[ $fresh == no ]] || rm -rf "$home"
    prepare
    say "building"
    swift build -c release --product vesper >&2
    for file in Jobs/*.json5; do
        name=$(basename "$file" .json5)
        [[ ! -d SampleData/$name ]] || jobs+=("$file")
    done
    say "running ${jobs[*]}"
    VESPER_PSEUDONYM_KEY=$key .build/release/vesper run "${jobs[@]}" "${options[@]}" || code=$?
    explain "$code"
    echo
    for file in "${jobs[@]}"; do
        name=$(basename "$file" .json5)
        newest=$(compgen -G "$home/reports/$name/[0-9][0-9][0-9][0-9]-W[0-9][0-9]/index.html" | sort | tail -n 1)
        echo "$name: ${newest:-no report was written}"
    done
    printf "\nTo look further:\nalias vesper='VESPER_PSEUDONYM_KEY=%s .build/release/vesper %s'\n" "$key" "${options[*]}"
    return "$code"
}

# --- The timer

# What an exit code of vesper asks for.
explain() {
    case $1 in
        0) say "done" ;;
        1) say "failed (1): the message says why. The next run goes on from here." ;;
        2) say "done, but too many rows were refused (2): look into quarantine/ of the home." ;;
        3) say "stopped by the budget (3)." ;;
        4) say "waiting for a provider (4): --collect takes its answers in." ;;
        5) say "another run holds the home (5): nothing was done." ;;
        64) say "the command line or a job file cannot be used (64): nothing was begun." ;;
        *) say "vesper ended with $1, which it never says by itself: it was killed, or could not start." ;;
    esac
}

find_program() {
    if [[ -n ${VESPER_BIN:-} ]]; then
        command -v "$VESPER_BIN" || fail "VESPER_BIN names $VESPER_BIN, which is no program."
    elif [[ -x $top/.build/release/vesper ]]; then
        echo "$top/.build/release/vesper"
    else
        command -v vesper || fail "there is no vesper here. Build it with: swift build -c release --product vesper"
    fi
}

# The home that the options name, or vesper-data beside Jobs/.
home_of() {
    while [[ $# -gt 0 ]]; do
        case $1 in
            --home=*) echo "${1#--home=}" && return ;;
            --home) echo "${2:-}" && return ;;
        esac
        shift
    done
    echo "$top/vesper-data"
}

# Whether a bulk file is with a provider, or about to be.
is_waiting() {
    [[ -f $home/ledger.sqlite ]] || return 1
    local states
    states=$("$vesper" batch list --format=csv --home="$home") || fail "the bulk files could not be listed."
    grep -Eq ',(submitted|intended),' <<<"$states"
}

run_jobs() {
    local vesper home job jobs=() code=0
    vesper=$(find_program)
    home=$(home_of "${options[@]}")
    for job in "${operands[@]}"; do
        # Names are found beside this script, wherever it is called from.
        if [[ ! -e $job && -f $top/Jobs/$job.json5 ]]; then job=$top/Jobs/$job.json5; fi
        jobs+=("$job")
    done
    [[ ${#jobs[@]} -gt 0 ]] || jobs=("$top/Jobs")
    [[ "${options[*]}" == *--home* ]] || options+=("--home=$home")
    if [[ $mode == collect ]] && ! is_waiting; then
        say "no provider has a bulk file: nothing to collect."
        return 0
    fi
    say "$(basename "$vesper") run ${jobs[*]}"
    "$vesper" run "${jobs[@]}" "${options[@]}" || code=$?
    explain "$code"
    return "$code"
}

# --- The command line

mode=run fresh=no operands=() options=()
while [[ $# -gt 0 ]]; do
    case $1 in
        -h | --help) printf '%s' "$help" && exit 0 ;;
        --sample | --collect | --prepare)
            [[ $mode == run ]] || fail "give only one of --sample, --collect and --prepare." 64
            mode=${1#--}
            ;;
        --fresh) fresh=yes ;;
        --)
            shift
            options=("$@")
            break
            ;;
        -*) fail "there is no option $1. Run \"Jobs/sunday-night.sh --help\" to see them; those of vesper follow \"--\"." 64 ;;
        *) operands+=("$1") ;;
    esac
    shift
done
[[ $fresh == no || $mode == sample ]] || fail "--fresh goes with --sample." 64
[[ $mode != sample || ${#operands[@]} -eq 0 && ${#options[@]} -eq 0 ]] || fail "--sample takes no jobs and no options of vesper." 64

case $mode in
    sample) sample ;;
    prepare) prepare "${operands[@]}" ;;
    *) run_jobs ;;
esac
