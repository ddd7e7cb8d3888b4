"""In whatever order files are listed, read or have arrived: the rows that the rules name stay, and all records are accounted for.

    VESPER_ALL=1 pytest Tests/Conformance/test_order.py -s     # 150,000 rows and more histories
"""

import os
import random
import shutil
import subprocess
import tempfile
from collections import Counter
from pathlib import Path

import pytest

from conftest import ALL, SECONDS, assert_same_bytes, counted, ledger, open_lake
from exports import Exports, Record

pytest.importorskip("duckdb")

ROWS = 150_000 if ALL else 20_000
HISTORIES = range(8 if ALL else 4)

# What a machine with another number of processors says of itself.
PROCESSORS = """
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdlib.h>
#include <unistd.h>
long sysconf(int name) {
    if (name == _SC_NPROCESSORS_ONLN) return atol(getenv("PROCESSORS"));
    return ((long (*)(int))dlsym(RTLD_NEXT, "sysconf"))(name);
}
"""


@pytest.fixture(scope="module")
def exports():
    return Exports(ROWS, files=9, seed=20)


@pytest.fixture(scope="module")
def expected(exports):
    return exports.expected()


@pytest.fixture(scope="module")
def once(vesper, exports, tmp_path_factory):
    """A home that has read all files at once."""
    place = tmp_path_factory.mktemp("once")
    vesper("ingest", place / "home", data=place, job=exports.write(place))
    return place / "home"


def assert_rows(home, expected):
    """The rows of the lake are those that the rules name, by source, file and record; the counts are theirs."""
    lake = open_lake(home)
    for log, stays in expected.stays.items():
        found = lake.execute(f"SELECT source, source_file, source_record FROM {log}").fetchall()
        assert Counter(found) == Counter(stays), log
    names = ("log", "source", "file", "outcome", "reason")
    found = {tuple(row[name] for name in names): row["count"] for row in counted(home, "counts", "count")}
    assert found == expected.counts


def assert_equal_rows(home, other):
    """Every row with all its values is in both homes, equally often."""
    lake = open_lake(home)
    for log in sorted(path.name for path in (other / "lake" / "kalei").iterdir()):
        parts = f"read_parquet('{other}/lake/kalei/{log}/*/*.parquet', hive_types = {{'day': VARCHAR}})"
        lake.execute(f"CREATE VIEW other_{log} AS SELECT * FROM {parts}")
        for one, two in [(log, f"other_{log}"), (f"other_{log}", log)]:
            assert lake.execute(f"SELECT * FROM {one} EXCEPT ALL SELECT * FROM {two} LIMIT 3").fetchall() == []


def test_the_rows_that_stay_are_those_that_the_rules_name(once, expected):
    assert_rows(once, expected)
    outcomes = Counter()
    for (log, _, _, outcome, reason), count in expected.counts.items():
        outcomes[outcome, reason] += count
    print(f"\n{sum(outcomes.values()):,} records: " + ", ".join(f"{n:,} {' '.join(o).strip()}" for o, n in outcomes.most_common()))
    # A generator that makes no such records would show nothing.
    refused = {("quarantined", reason) for reason in ("id_reused", "bad_json", "bad_value", "missing_ts")}
    assert outcomes.keys() == refused | {(name, "") for name in ("accepted", "duplicate", "out_of_range", "filtered")}


def test_values_of_every_type_are_those_of_the_exports(once, exports, tmp_path):
    """DuckDB reads the exports' JSON itself and finds the same values in every row of the lake."""
    exports.write(tmp_path)
    lake = open_lake(once)
    lake.execute(f"""CREATE TABLE lines AS SELECT 'api_usage/' || parse_filename(filename) AS file, row_number() OVER () AS n, line
        FROM read_csv('{tmp_path}/kalei/api_usage/*', columns = {{'line': 'VARCHAR'}}, delim = '\\x1f', quote = '', escape = '',
        header = false, auto_detect = false, filename = true, max_line_size = 10000000)""")
    lake.execute("""CREATE TABLE records AS SELECT file, row_number() OVER (PARTITION BY file ORDER BY n) AS record,
        CASE WHEN json_valid(line) THEN CAST(line AS JSON) END AS j FROM lines""")
    checks = {"ts": ("ts", "CAST(j ->> 'ts' AS TIMESTAMPTZ)"), "seen": ("x_seen", "CAST(j ->> 'seen' AS TIMESTAMPTZ)")}
    for name in ("user", "plan", "feature", "provider", "model", "session", "document"):
        checks[name] = (f'"{name}"', f"j ->> '{name}'")
    for name in ("output_tokens", "input_tokens", "cache_read_tokens", "latency_ms"):
        checks[name] = (name, f"CAST(j ->> '{name}' AS BIGINT)")
    checks["quantity"] = ("quantity", "CAST(j ->> 'quantity' AS DECIMAL(38,12))")
    checks["share"] = ("x_share", "CAST(j ->> 'share' AS DECIMAL(38,12))")
    checks["fresh"] = ("x_fresh", "CAST(j ->> 'fresh' AS BOOLEAN)")
    differs = ", ".join(f"count(*) FILTER ({own} IS DISTINCT FROM {theirs}) AS {name}" for name, (own, theirs) in checks.items())
    joined = "usage JOIN records ON file = source_file AND record = source_record"
    rows, *found = lake.execute(f"SELECT count(*), {differs} FROM {joined} WHERE source = 'api_usage'").fetchone()
    assert rows == lake.execute("SELECT count(*) FROM usage WHERE source = 'api_usage'").fetchone()[0] > ROWS // 2
    assert dict(zip(checks, found)) == dict.fromkeys(checks, 0)


# MARK: - The same files, otherwise laid out and read

@pytest.fixture(scope="module")
def processors(tmp_path_factory):
    """The environment in which the binary sees another number of processors, and so reads with other threads."""
    folder = tmp_path_factory.mktemp("processors")
    (folder / "processors.c").write_text(PROCESSORS)
    try:
        command = ["cc", "-shared", "-fPIC", "-O1", "-o", str(folder / "processors.so"), str(folder / "processors.c"), "-ldl"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
    except FileNotFoundError:
        pytest.skip("there is no C compiler")
    assert done.returncode == 0, done.stderr
    return lambda number: {"LD_PRELOAD": str(folder / "processors.so"), "PROCESSORS": str(number)}


@pytest.mark.parametrize("number", [1, 2, 3, 16])
def test_another_number_of_threads_gives_identical_files(vesper, exports, once, processors, tmp_path, number):
    job = exports.write(tmp_path)
    vesper("ingest", tmp_path / "home", data=tmp_path, job=job, environment=processors(number))
    assert_same_bytes(tmp_path / "home", once, "lake", "quarantine")


@pytest.mark.parametrize("seed", [1, 2])
def test_files_in_another_order_of_creation_age_and_listing_give_identical_files(vesper, exports, once, tmp_path, seed):
    """On a disk in memory, a folder lists its files in the order of their creation or its reverse."""
    memory = Path("/dev/shm")
    base = Path(tempfile.mkdtemp(dir=memory if memory.is_dir() and os.access(memory, os.W_OK) else tmp_path))
    try:
        names = list(exports.files)
        random.Random(seed).shuffle(names)
        job = exports.write(base, names=names)
        for name in names:
            age = random.Random(f"{seed} {name}").randrange(10**9)
            os.utime(base / "kalei" / name, (age, age))
        vesper("ingest", base / "home", data=base, job=job)
        assert_same_bytes(base / "home", once, "lake", "quarantine")
        shown = subprocess.run(["diff", "-r", base / "home" / "lake", once / "lake"], capture_output=True, text=True, timeout=SECONDS)
        assert (shown.returncode, shown.stdout) == (0, "")
    finally:
        shutil.rmtree(base)


# MARK: - Histories

def arrive(vesper, exports, place, seed):
    """Ingests again and again: a few more files each time, in any order; a plain file may come in two pieces."""
    draw = random.Random(seed)
    names = list(exports.files)
    draw.shuffle(names)
    grown = {name for name in names if not name.endswith(".gz") and draw.random() < 0.7}
    steps = [(name, share) for name in names for share in ((0.4, 1) if name in grown else (1,))]
    # A piece may wait for long until its rest comes.
    steps.sort(key=lambda step: (names.index(step[0]) + (draw.randrange(5) if step[1] == 1 else 0)))
    for name in grown:
        assert steps.index((name, 0.4)) < steps.index((name, 1))
    job = exports.write(place, names=[])
    runs = 0
    while steps:
        for name, share in [steps.pop(0) for _ in range(min(len(steps), draw.choice([1, 1, 2, 3])))]:
            path = place / "kalei" / name
            records = exports.files[name]
            if share == 1 and name not in grown:
                exports.write(place, names=[name])
                continue
            part = records[: int(len(records) * share)]
            path.parent.mkdir(parents=True, exist_ok=True)
            with open(path, "wb") as file:  # in place, as a log grows
                file.write("".join(record.line + "\n" for record in part).encode())
        vesper("ingest", place / "home", data=place, job=job)
        runs += 1
    return place / "home", runs


@pytest.mark.parametrize("seed", HISTORIES)
def test_any_history_of_arrival_gives_equal_rows_counts_and_quarantine(vesper, exports, once, expected, tmp_path, seed):
    home, runs = arrive(vesper, exports, tmp_path, seed)
    print(f"\n{runs} runs")
    assert_rows(home, expected)
    assert_equal_rows(home, once)
    assert_same_bytes(home, once, "quarantine")
    assert counted(home, "stored_days", "rows") == counted(once, "stored_days", "rows")


def test_copies_of_a_row_that_is_displaced_later_are_counted_alike_in_every_history(vesper, tmp_path):
    """First two equal rows, then one with their id and other values that stands before both: both were accepted or duplicate until then."""
    exports = Exports(0, files=3, seed=1)
    record = exports.record(exports.moment(), "twice", 5)
    files = {
        "api_usage/a.jsonl": [record], "api_usage/b.jsonl": [record],
        "api_usage/c.jsonl": [exports.record(record.micros - 1, "twice", 6)],
    }
    found = {}
    one_by_one = [[file] for file in files]
    for name, arrivals in {"at once": [list(files)], "one by one": one_by_one, "backwards": one_by_one[::-1]}.items():
        place = tmp_path / name
        (place / "kalei" / "api_usage").mkdir(parents=True)
        job = exports.write(place, names=[])
        for arrival in arrivals:
            for file in arrival:
                (place / "kalei" / file).write_text("".join(record.line + "\n" for record in files[file]))
            vesper("ingest", place / "home", data=place, job=job)
        assert open_lake(place / "home").execute("SELECT source_file FROM usage").fetchall() == [("api_usage/c.jsonl",)]
        found[name] = counted(place / "home", "counts", "count")
    assert found["one by one"] == found["at once"]
    assert found["backwards"] == found["at once"]
