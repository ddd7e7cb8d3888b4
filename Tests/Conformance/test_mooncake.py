"""A trace of real conversations that nobody here wrote: what an ingest makes of it is what Python, and jq where it is there, read in it.

Where the trace comes from: github.com/kvcache-ai/Mooncake, FAST25-release/traces/conversation_trace.jsonl, commit a2a4b18a.
"""

import gzip
import json
import shutil
import subprocess
from collections import Counter
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from conftest import ROOT, SECONDS, ledger, lines, open_lake

pytest.importorskip("duckdb")

TRACE = ROOT.parent / "shared" / "data" / "traces" / "mooncake-conversation.jsonl.gz"
JOB = Path(__file__).with_name("mooncake.json5")
BEGAN = datetime(2024, 6, 3, tzinfo=timezone.utc)
SUMS = ["count(*)", "sum(input_tokens)", "sum(output_tokens)"]


@pytest.fixture(scope="module")
def trace():
    if not TRACE.exists():
        pytest.skip(f"the trace is not here: {TRACE}")
    return [json.loads(line) for line in lines(TRACE)]


@pytest.fixture(scope="module")
def data(trace, tmp_path_factory):
    place = tmp_path_factory.mktemp("mooncake") / "data"
    (place / "mooncake").mkdir(parents=True)
    shutil.copy(TRACE, place / "mooncake")
    return place


@pytest.fixture(scope="module")
def lake(vesper, data):
    vesper("run", data.parent / "home", data=data, job=JOB, flags=["--until", "ingest"])
    return open_lake(data.parent / "home", "mooncake")


def row(lake, query):
    return lake.execute(f"SELECT {query} FROM usage").fetchone()


def test_the_whole_trace_is_in_the_lake(lake, trace):
    expected = (len(trace), sum(line["input_length"] for line in trace), sum(line["output_length"] for line in trace))
    assert row(lake, ", ".join(SUMS)) == expected and expected[0] > 10_000


def test_jq_adds_up_to_the_same(lake, trace):
    if shutil.which("jq") is None:
        pytest.skip("jq is not installed")
    program = "[length, (map(.input_length) | add), (map(.output_length) | add)]"
    found = subprocess.run(
        ["jq", "--slurp", "--compact-output", program], input=gzip.decompress(TRACE.read_bytes()), capture_output=True, timeout=SECONDS)
    assert list(row(lake, ", ".join(SUMS))) == json.loads(found.stdout)


def test_every_line_is_a_row_with_its_own_values(lake, trace):
    """Milliseconds count from the moment that the job names, and a number in a list is a text where a text is wanted."""
    assert row(lake, "count(DISTINCT id)") == (len(trace),)
    query = """SELECT strftime(ts, '%Y-%m-%dT%H:%M:%S.%f'), input_tokens, output_tokens, prefix, "group" FROM usage"""
    expected = Counter(
        ((BEGAN + timedelta(milliseconds=line["timestamp"])).strftime("%Y-%m-%dT%H:%M:%S.%f"), line["input_length"],
         line["output_length"], str(line["hash_ids"][0]), str(line["hash_ids"][1]))
        for line in trace)
    assert Counter(lake.execute(query).fetchall()) == expected


def test_minutes_and_shared_blocks_are_those_of_python(lake, trace):
    minutes = Counter(line["timestamp"] // 60_000 for line in trace)
    query = "SELECT date_diff('minute', TIMESTAMPTZ '2024-06-03 00:00:00+00', ts), count(*) FROM usage GROUP BY 1"
    assert dict(lake.execute(query).fetchall()) == minutes
    blocks = Counter(str(line["hash_ids"][1]) for line in trace)
    assert dict(lake.execute('SELECT "group", count(*) FROM usage GROUP BY 1').fetchall()) == blocks
    assert row(lake, 'count("user"), count(model), count(tenant)') == (0, 0, 0)


def test_the_trace_again_under_another_name_and_in_halves_adds_nothing(vesper, lake, data, trace, tmp_path):
    """No line has an id: the same values are the same row, and as often as one file holds them."""
    shutil.copytree(data, tmp_path / "data")
    content = gzip.decompress(TRACE.read_bytes()).splitlines(keepends=True)
    (tmp_path / "data" / "mooncake" / "again.jsonl").write_bytes(b"".join(content))
    (tmp_path / "data" / "mooncake" / "half.jsonl").write_bytes(b"".join(content[: len(content) // 2]))
    vesper("run", tmp_path / "home", data=tmp_path / "data", job=JOB, flags=["--until", "ingest"])
    query = 'SELECT CAST(t AS VARCHAR) FROM (SELECT * EXCLUDE (source_file, source_record) FROM usage) AS t ORDER BY 1'
    assert open_lake(tmp_path / "home", "mooncake").execute(query).fetchall() == lake.execute(query).fetchall()
    counts = {row["outcome"]: row["count"] for row in ledger(tmp_path / "home", "counts") if row["file"] == "half.jsonl"}
    assert counts == {"duplicate": len(content) // 2}
