"""Read by a wrong mapping, or read by mistake, and put right: the home ends as one that was right from the start."""

import os
import random
import shutil
import signal
import subprocess
import time

import pytest

from conftest import (
    ROOT, SECONDS, assert_converged, assert_same_bytes, assert_same_content, assert_same_ledger, counted, digests, files, ledger, open_lake,
    records, rows)
from oracle import assert_costs_of_duckdb

pytest.importorskip("duckdb")

KILLS = int(os.environ.get("VESPER_KILLS", "30")) // 3
RIGHT = str(ROOT / "Jobs" / "kalei.json5")
SEED = int(os.environ.get("VESPER_KILLS_SEED", "1"))

# In the job of Kalei, and what stands there by mistake. Refused are the calls that went another route, and all turns.
REFUSED = [
    ('user: "user_id", session: "session_id",\n', 'user: "user_id", session: "session_id", cache_write_1h_tokens: "route",\n'),
    ('map: { ts: "created_at", user: "user_id", outcome: "chosen" }', 'map: { ts: "created_at", user: "user_id", words: "input_text" }'),
]
# Rows come about, but not as they should: other values, one id for all that somebody did, and nothing of what was written.
WRONG = [
    ('user: "user_id", session: "session_id",\n', 'user: "session_id", plan: "feature", output_tokens: "input_tokens",\n'),
    ('ts: "started_at", user: "user_id", session: "id", words: "word_count"', 'ts: "started_at", words: "word_count", id: "user_id"'),
    ('name: "turn_inputs", where: { input_text: { present: true } }', 'name: "turn_inputs", where: { input_text: { present: false } }'),
]


@pytest.fixture(scope="module")
def expected(vesper, tmp_path_factory):
    """A home that has read the sample by the right job."""
    place = tmp_path_factory.mktemp("right") / "home"
    vesper("ingest", place)
    return place


def broken(jobs, changes):
    job = jobs / "kalei.json5"
    text = job.read_text(encoding="utf-8")
    for right, wrong in changes:
        assert text.count(right) == 1, right
        text = text.replace(right, wrong)
    job.write_text(text, encoding="utf-8")
    return job


def assert_same_files(home, expected):
    """Not only equal content: here every file of rows and refusals was made anew, from the same files by the same job."""
    assert_same_bytes(home, expected, "lake", "quarantine")
    for store in ("lake", "quarantine"):
        subprocess.run(["diff", "-r", home / store, expected / store], check=True)
    assert_same_ledger(home, expected)
    assert not (home / "staging").exists()


def test_refused_records_are_read_again(vesper, jobs, expected, tmp_path):
    job = broken(jobs, REFUSED)
    vesper("ingest", tmp_path / "home", job=job, code=2)
    refused = sum(row["count"] for row in ledger(tmp_path / "home", "counts") if row["outcome"] == "quarantined")
    assert refused > 1000
    told = vesper.json("ingest", tmp_path / "home", flags=["--retry-quarantined"])
    before, after = ([row for row in told["rows"] if row["when"] == when] for when in ("before", "after"))
    assert sum(row["quarantined"] for row in before) == refused
    assert [row["records"] for row in before] == [row["records"] for row in after]
    assert all(sum(row[n] for n in ("accepted", "duplicate", "out_of_range", "quarantined", "filtered")) == row["records"]
               for row in told["rows"])
    assert_same_bytes(tmp_path / "home", expected, "lake", "quarantine")
    # Files that had no refused record, nor lost against one that had, are left as they were read.
    vesper("ingest", tmp_path / "home", flags=["--remap"])
    assert_same_files(tmp_path / "home", expected)


def test_refused_records_whose_files_are_gone_are_read_again_from_the_quarantine(vesper, jobs, data, expected, tmp_path):
    job = broken(jobs, REFUSED[1:])
    vesper("ingest", tmp_path / "home", job=job, data=data, code=2)
    shutil.rmtree(data / "kalei" / "turns")
    vesper("ingest", tmp_path / "home", data=data, flags=["--retry-quarantined"])
    assert rows(tmp_path / "home") == rows(expected)
    assert_same_bytes(tmp_path / "home", expected, "quarantine")
    assert counted(tmp_path / "home", "counts", "count") == counted(expected, "counts", "count")


def test_rows_of_another_mapping_are_replaced(vesper, jobs, expected, tmp_path):
    home = tmp_path / "home"
    vesper("run", home, job=broken(jobs, WRONG), flags=["--until", "price"], code=2)
    said = vesper("ingest", home).stderr
    assert said.count("read under another mapping than the job has now") == 1
    assert "another mapping" in vesper("ingest", home).stderr, "it is said until somebody decides"
    listed = vesper.json("source", home, job=None, flags=["list", RIGHT])["rows"]
    assert {row["source"] for row in listed if row["state"] == "other mapping"} == {"api_usage", "mirror_sessions", "turn_inputs"}
    vesper("ingest", home, flags=["--remap"])
    assert vesper("ingest", home).stderr == ""
    assert_same_bytes(home, expected, "lake", "quarantine")
    for table in ("counts", "stored_days", "files", "displaced", "parts"):
        assert ledger(home, table) == ledger(expected, table)
    vesper("run", home, flags=["--until", "price"])
    assert_costs_of_duckdb(vesper, home)
    for row in vesper.json("source", home, job=None, flags=["list", RIGHT])["rows"]:
        assert row["state"] == "read"


def test_a_dropped_file_is_as_if_it_had_never_been_read(vesper, data, expected, tmp_path):
    """The extra file has rows of a day that is dumped already, under a name that comes before it: what it has wins."""
    home = tmp_path / "home"
    folder = data / "kalei" / "api_usage"
    extra = "api_usage/api_usage-2026-11-10-again.jsonl.gz"
    shutil.copyfile(folder / "api_usage-2026-11-10.jsonl.gz", data / "kalei" / extra)
    vesper("ingest", home, data=data)
    vesper("ingest", tmp_path / "never", data=data, flags=["--quiet"])
    assert any(row["source_file"] == extra for row in sources(home))
    vesper("source", home, job=None, data=data, flags=["drop", RIGHT, extra])
    assert_same_content(home, expected)
    assert_same_bytes(home, expected, "lake")
    before = digests(home, "lake", "quarantine")
    vesper("ingest", home, data=data)
    assert digests(home, "lake", "quarantine") == before, "a dropped file is not read"
    vesper("source", home, job=None, data=data, flags=["readmit", RIGHT, extra])
    vesper("ingest", home, data=data)
    assert_same_content(home, tmp_path / "never")


def sources(home):
    return records(open_lake(home), "SELECT DISTINCT source_file FROM usage")


def test_what_cannot_be_read_again_stops_a_correction_before_anything_is_done(vesper, jobs, data, tmp_path):
    home = tmp_path / "home"
    vesper("ingest", home, job=broken(jobs, WRONG), data=data, code=2)
    gone = data / "kalei" / "api_usage" / "api_usage-2026-11-10.jsonl.gz"
    gone.unlink()
    before, tables = digests(home), [ledger(home, table) for table in ("counts", "files", "parts")]
    said = vesper("ingest", home, data=data, flags=["--remap"], code=1).stderr
    assert "api_usage/api_usage-2026-11-10.jsonl.gz is gone" in said and "Nothing was changed" in said
    assert digests(home) == before
    assert [ledger(home, table) for table in ("counts", "files", "parts")] == tables


@pytest.mark.parametrize("flags", [["--remap"], ["--retry-quarantined"]])
def test_a_dry_run_touches_nothing(vesper, jobs, tmp_path, flags):
    home = tmp_path / "home"
    vesper("ingest", home, job=broken(jobs, WRONG + REFUSED[1:]), code=2)

    def everything():
        return {name: path.read_bytes() for name, path in files(home, ".").items() if not name.endswith(("-wal", "-shm"))}

    before = everything()
    told = vesper.json("ingest", home, flags=[*flags, "--dry-run"])
    assert told["rows"] and {row["step"] for row in told["rows"]} == {"read again"}
    dropped = vesper.json(
        "source", home, job=None, flags=["drop", RIGHT, "api_usage/api_usage-2026-11-10.jsonl.gz", "--dry-run"])
    assert "dropped" in {row["step"] for row in dropped["rows"]}
    assert everything() == before


CORRECTIONS = {
    "retry": (REFUSED, ["ingest", {}], ["--retry-quarantined"]),
    "remap": (WRONG, ["ingest", {}], ["--remap"]),
    "drop": ([], ["source", {"job": None}], ["drop", RIGHT, "mirror_fragments/mirror_fragments-2026-11-02.jsonl.gz"]),
}


@pytest.mark.parametrize("name", CORRECTIONS)
def test_a_correction_that_is_killed_converges(vesper, jobs, tmp_path, name):
    changes, (verb, given), flags = CORRECTIONS[name]
    begin = tmp_path / "begin"
    vesper("ingest", begin, job=broken(jobs, changes), code=2 if changes else 0)
    shutil.copytree(begin, tmp_path / "expected")
    started = time.monotonic()
    vesper(verb, tmp_path / "expected", flags=flags, **given)
    duration = time.monotonic() - started
    assert digests(begin, "lake") != digests(tmp_path / "expected", "lake")
    chance, struck = random.Random(SEED), 0
    for trial in range(10 * KILLS):
        home = tmp_path / f"trial-{trial}"
        shutil.copytree(begin, home)
        process = vesper.start(verb, home, flags=flags, **given)
        time.sleep(chance.uniform(0.001, duration))
        process.kill()
        struck += process.wait(timeout=SECONDS) == -signal.SIGKILL
        process.stderr.close()
        vesper(verb, home, flags=flags, **given)
        assert_converged(home, tmp_path / "expected")
        shutil.rmtree(home)
        if struck == KILLS:
            return
    pytest.fail(f"only {struck} kills struck")
