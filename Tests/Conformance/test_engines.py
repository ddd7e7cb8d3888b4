"""Engines of other people's read every part of a lake and agree with one another, with `vesper costs`, and with the exports.

    VESPER_ALL=1 pytest Tests/Conformance/test_engines.py -s     # five engines over a million rows; else two over 50,000
"""

import csv
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from conftest import ALL, LOGS, ROOT, ledger
from engines import KEYS, SUMS
from exports import Exports

pytest.importorskip("pyarrow")  # names the types of the columns, for all engines

MODULES = {"duckdb": "duckdb", "pyarrow": "pyarrow", "polars": "polars", "clickhouse": "chdb", "spark": "pyspark"}
HEAVY = ("polars", "clickhouse", "spark")
EVENTS = 1_000_000 if ALL else 50_000
BENCH = ROOT / "Tests" / "Benchmarks" / "ingest" / "bench.json5"


def read(engine, folder):
    if engine in HEAVY and not ALL:
        pytest.skip(f"{engine} reads the lake in Tests/run.sh --all")
    if importlib.util.find_spec(MODULES[engine]) is None:
        pytest.skip(f"{MODULES[engine]} is not installed; Tests/run.sh --all brings it")
    if engine == "spark" and shutil.which("java") is None:
        pytest.skip("there is no Java, which Spark needs")
    command = [sys.executable, "-B", str(Path(__file__).with_name("engines.py")), engine, str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900)
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout)


class Homes:
    """One home for each kind of data, with what DuckDB has found in each log: the others are held against it."""

    def __init__(self, vesper, folder, sample):
        self.vesper, self.folder, self.found = vesper, folder, {}
        self.homes = {"sample": (sample, "kalei", None)}

    def home(self, kind):
        """Where the home is, the name of its job, and its job file."""
        if kind not in self.homes:
            place = self.folder / kind
            if kind == "events":
                self.vesper("synth", place / "unused", job=None, flags=["--product", "kalei", "--events", EVENTS, place / "data"])
                job, name = BENCH, "bench"
            else:
                job, name = Exports(EVENTS // 5, files=9, seed=30).write(place / "data"), "kalei"
            self.vesper("ingest", place / "home", data=place / "data", job=job)
            self.homes[kind] = (place / "home", name, job)
        return self.homes[kind]

    def read(self, engine, kind, log):
        if (engine, kind, log) not in self.found:
            place, name, _ = self.home(kind)
            self.found[engine, kind, log] = read(engine, place / "lake" / name / log)
        return self.found[engine, kind, log]


@pytest.fixture(scope="module")
def homes(vesper, home, tmp_path_factory):
    return Homes(vesper, tmp_path_factory.mktemp("engines"), home)


CASES = [("events", "usage"), ("exports", "usage"), ("exports", "sessions"), *(("sample", log) for log in LOGS)]


def cases(engine):
    """Spark takes its time to begin, so it looks at the large logs only."""
    return CASES[:2] if engine == "spark" else CASES


@pytest.mark.parametrize("kind,log", CASES)
def test_duckdb_reads_every_part_that_the_ledger_lists(homes, kind, log):
    found = homes.read("duckdb", kind, log)
    place, name, _ = homes.home(kind)
    parts = [row for row in ledger(place, "parts") if (row["job"], row["log"]) == (name, log)]
    listed = sorted([f"day={row['day']}/{row['file']}", str(row["rows"])] for row in parts)
    assert found["files"] == listed
    print(f"\n{kind} {log}: {len(listed)} parts, {sum(int(rows) for _, rows in listed):,} rows")


@pytest.mark.parametrize("engine,kind,log", [(engine, *case) for engine in MODULES if engine != "duckdb" for case in cases(engine)])
def test_every_engine_finds_what_duckdb_finds(homes, engine, kind, log):
    found, expected = homes.read(engine, kind, log), homes.read("duckdb", kind, log)
    for part in ("files", "columns", "groups"):
        assert found[part] == expected[part], part


@pytest.mark.parametrize("kind", ["events", "exports"])
def test_costs_prints_the_figures_of_the_engines(homes, vesper, kind):
    place, _, job = homes.home(kind)
    # A job in the zone of the lake's days, so that the days are the same ones.
    utc = place.with_name("utc.json5")
    utc.write_text(job.read_text(encoding="utf-8").replace("Europe/Berlin", "UTC"), encoding="utf-8")
    flags = ["--every", "day", "--by", ",".join(KEYS), "--format", "csv", "--from", "2026-09-01", "--to", "2026-12-31"]
    shown = list(csv.DictReader(vesper("costs", place, job=utc, flags=flags).stdout.splitlines()))
    names = ["day", *KEYS, "requests", "users", *SUMS]
    cells = sorted([row[name] for name in names] for row in shown if row["day"])
    assert cells == homes.read("duckdb", kind, "usage")["groups"]
    assert sum(int(row["requests"]) for row in shown if row["day"]) > EVENTS // 10


def test_the_lake_has_the_sums_that_the_maker_of_the_events_counted(homes):
    place, _, _ = homes.home("events")
    truth = json.loads((place.with_name("data") / "truth.json").read_text(encoding="utf-8"))["usage"]
    found = homes.read("duckdb", "events", "usage")
    assert sum(int(rows) for _, rows in found["files"]) == truth["accepted"] == EVENTS
    assert {name: int(found["columns"][name]["sum"]) for name in truth["sums"]} == truth["sums"]
