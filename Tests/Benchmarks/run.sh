#!/usr/bin/env bash
# Holds Vesper against DuckDB, Polars and ClickHouse (chdb): loading 4 M events, and pricing and grouping the lake.
# Usage: Tests/Benchmarks/run.sh [ingest|costs ...]      EVENTS and RUNS may be set; both parts by default.
set -euo pipefail
cd "$(dirname "$0")/../.."
events=${EVENTS:-4000000}
runs=${RUNS:-5}
work=.build/bench
python=${PYTHON:-.build/venv/bin/python}
vesper=${VESPER_BIN:-.build/release/vesper}
now=2026-11-17T12:00:00Z

[ -x "$vesper" ] || swift build -c release --product vesper
"$python" -c 'import duckdb, polars, chdb' 2>/dev/null || "$python" -m pip install --quiet duckdb polars chdb
mkdir -p "$work"
exports=$work/exports-$events
[ -d "$exports" ] || "$vesper" synth --product kalei --events "$events" --seed 1 "$exports"
cp Tests/Benchmarks/ingest/bench.json5 "$work/bench.json5"

ours="$vesper ingest $work/bench.json5 --data $exports --home $work/home --now $now --quiet"
if [ $# -eq 0 ] || [[ " $* " == *" ingest "* ]]; then
    echo "Loading $events events into Parquet by day:"
    "$python" Tests/Benchmarks/compare.py --runs "$runs" --json "$work/ingest.json" \
        "vesper=rm -rf $work/home ;; $ours" \
        "duckdb=$python Tests/Benchmarks/ingest/peers.py duckdb $exports $work/duckdb" \
        "polars=$python Tests/Benchmarks/ingest/peers.py polars $exports $work/polars" \
        "chdb=$python Tests/Benchmarks/ingest/peers.py chdb $exports $work/chdb"
fi
if [ $# -eq 0 ] || [[ " $* " == *" costs "* ]]; then
    # The year from the cache takes a quarter of an hour to make: Tests/Benchmarks/costs.py year.
    PYTHON=$python VESPER_BIN=$vesper "$python" Tests/Benchmarks/costs.py --runs "$runs" lake unpriced threshold many
fi
