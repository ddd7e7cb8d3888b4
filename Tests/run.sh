#!/usr/bin/env bash
# Runs every test: lint, build, Swift tests, other people's tools over what Vesper writes, and the requirements' evidence.
set -uo pipefail

readonly help='Runs every test of Vesper; the last line is "N passed, N failed".

Usage:
  Tests/run.sh [--all]

  --all   Adds the heavy engines (Polars, ClickHouse; Spark where there is Java) and the large cases to Conformance, and the benchmarks.

Installs what is missing (with apt-get, as root or by sudo) and keeps a Python environment in .build/venv.
Results are left in .build/test-results as JUnit files. Exit code 0 only if nothing failed.
'

# One line for each tool that reads what Vesper writes. A new version is tried here first.
readonly pins=(pytest==9.2.0 duckdb==2.0.0 pyarrow==26.0.1)
readonly heavy_pins=(polars==2.1.0 chdb==4.4.0 pyspark==4.3.0)

all=no
for argument in "$@"; do
    case $argument in
        --all) all=yes ;;
        -h | --help) printf '%s' "$help" && exit 0 ;;
        *) printf 'There is no option %s. Run "Tests/run.sh --help" to see them.\n' "$argument" >&2 && exit 64 ;;
    esac
done

cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1
readonly results=$PWD/.build/test-results
readonly venv=$PWD/.build/venv
# A scratch folder of its own: the flags below would make every other build start anew, and the other way round.
readonly scratch=.build/tests

passed=0 failed=0 skipped=0 table=''

# Runs a step, prints how long it took, and counts it as failed if it fails without having counted anything itself.
step() {
    local name=$1 before=$failed code=0 started=$SECONDS
    shift
    printf '\n== %s\n' "$name"
    "$@" || code=$?
    if [[ $code -ne 0 && $failed -eq $before ]]; then
        failed=$((failed + 1))
        printf '%s failed (exit code %s).\n' "$name" "$code" >&2
    fi
    table+=$(printf '%-14s %4s s  %s' "$name" $((SECONDS - started)) "$([[ $code -eq 0 ]] && echo "done" || echo FAILED)")$'\n'
    return "$code"
}

# Adds the cases of the JUnit files named to the sums.
count() {
    local words
    words=$(python3 - "$@" <<'PYTHON'
import sys
from pathlib import Path

sys.dont_write_bytecode = True
sys.path.insert(0, "Tests/Requirements")
import check

cases = []
for name in sys.argv[1:]:
    if Path(name).is_file():
        root = check.parse_junit(Path(name).read_text(encoding="utf-8"))
        cases += [check.Case(element, name) for element in root.iter("testcase")]
print(*(sum(case.outcome == outcome for case in cases) for outcome in ("passed", "failed", "skipped")))
PYTHON
    ) || return 1
    local counts
    read -ra counts <<<"$words"
    printf '%s passed, %s failed, %s skipped.\n' "${counts[@]}"
    passed=$((passed + counts[0])) failed=$((failed + counts[1])) skipped=$((skipped + counts[2]))
    [[ $((counts[0] + counts[1])) -gt 0 ]]
}

# --- The steps

prepare_machine() {
    local wanted=()
    # Debian keeps what venv needs in a package of its own.
    python3 -c 'import ensurepip, venv' 2>/dev/null || wanted+=(python3-venv)
    Jobs/sunday-night.sh --prepare "${wanted[@]}"
}

prepare_python() {
    local packages=("${pins[@]}")
    [[ $all == no ]] || packages+=("${heavy_pins[@]}")
    # What is there already is not looked up anew.
    if [[ -x $venv/bin/python && $(cat "$venv/pins" 2>/dev/null) == *"${packages[*]}"* ]]; then return 0; fi
    python3 -m venv --clear "$venv" || return 1
    if ! "$venv/bin/pip" install --quiet --disable-pip-version-check "${packages[@]}"; then
        echo "pip could not install ${packages[*]}. Is the network there? Conformance needs them." >&2
        return 1
    fi
    echo "${packages[*]}" >"$venv/pins"
}

lint() { swift format lint --strict --recursive --configuration .swift-format Package.swift Sources Tests; }

build() {
    swift build --build-tests --scratch-path "$scratch" -Xswiftc -warnings-as-errors --explicit-target-dependency-import-check error
}

# Fast enough to be killed in the middle of things, and what a user has.
build_release() { swift build -c release --product vesper; }

swift_tests() {
    local code=0
    # What began and what passed is in the log; here stands what did not.
    VESPER_PARQUET_OUT=$results/parquet VESPER_PYTHON=$venv/bin/python \
        swift test --skip-build --scratch-path "$scratch" --xunit-output "$results/swift.xml" 2>&1 \
        | tee "$results/swift.log" | grep -Ev '^(◇|✔|↳)' || code=$?
    # XCTest's own file stands beside it, and is empty: there is no XCTest case.
    count "$results/swift-swift-testing.xml" || code=1
    return "$code"
}

# A week's report for the tests that look at pages and envelopes.
sample_report() {
    VESPER_PSEUDONYM_KEY=the-public-key-of-the-sample .build/release/vesper run Jobs/kalei.json5 \
        --data=SampleData --home="$results/home" --now=2026-11-17T12:00:00Z --quiet >/dev/null
}

conformance() {
    local code=0 report=$results/home/reports/kalei/2026-W46 parts=$results/parquet
    # Swift tests write the parts; where those did not run, the readers of parts say so.
    [[ -d $parts ]] || parts=''
    [[ $all == no ]] || export VESPER_ALL=1
    VESPER_BIN=$PWD/.build/release/vesper VESPER_PARQUET_SAMPLES=$parts VESPER_PAGE=$report/index.html \
        VESPER_REPORT_JSON=$report/report.json.gz \
        "$venv/bin/python" -B -m pytest -p no:cacheprovider -q -rs Tests/Conformance --junitxml "$results/conformance.xml" || code=$?
    count "$results/conformance.xml" || code=1
    return "$code"
}

# The one case of this step is the check as a whole.
requirements() {
    python3 -B Tests/Requirements/check.py --results "$results" --requirements ../shared/reference/products-requirements.md --tally \
        || return 1
    passed=$((passed + 1))
}

benchmarks() {
    VESPER_BIN=$PWD/.build/release/vesper PYTHON=$venv/bin/python Tests/Benchmarks/run.sh
}

# --- All of them

rm -rf "$results"
mkdir -p "$results"
step machine prepare_machine
has_python=no
step python prepare_python && has_python=yes
step lint lint
step build build && step swift swift_tests
if step release build_release && [[ $has_python == yes ]]; then
    step sample sample_report
    step conformance conformance
    [[ $all == no ]] || step benchmarks benchmarks
fi
step requirements requirements

printf '\n%s%s skipped; each says why where it stands above.\n' "$table" "$skipped"
printf '%s passed, %s failed\n' "$passed" "$failed"
[[ $failed -eq 0 ]]
