"""A log that grows, is read in the middle of a line, or is written again: every row counts once, and none is lost."""

import os

import pytest

from conftest import assert_same_content, ledger, lines, open_lake, rows
from oracle import assert_costs_of_duckdb

pytest.importorskip("duckdb")


@pytest.fixture
def growing(vesper, jobs, data, tmp_path):
    """A job that reads plain files too, one day of usage as the growing one, and a home for each history."""
    job = jobs / "kalei.json5"
    text = job.read_text(encoding="utf-8")
    job.write_text(text.replace('"api_usage/*.jsonl.gz"', '"api_usage/*.jsonl*"'), encoding="utf-8")
    folder = data / "kalei" / "api_usage"
    day = lines(folder / "api_usage-2026-11-10.jsonl.gz")
    (folder / "api_usage-2026-11-10.jsonl.gz").unlink()

    def grow(contents):
        """Ingests after each content, and once over the last alone; returns the home of both histories."""
        path = folder / "api_usage-2026-11-10.jsonl"
        for content in contents:
            # In place, as a log grows: the file stays the same one.
            with open(path, "wb") as file:
                file.write(content)
            os.utime(path)
            vesper("ingest", tmp_path / "grown", job=job, data=data)
        vesper("ingest", tmp_path / "once", job=job, data=data)
        return tmp_path / "grown", tmp_path / "once"

    return grow, day, {"job": job, "data": data}


def joined(content):
    return b"".join(line + b"\n" for line in content)


def test_a_grown_file_is_read_on(vesper, growing):
    grow, day, given = growing
    grown, once = grow([joined(day[:50]), joined(day[:51]), joined(day)])
    assert_same_content(grown, once)
    (file,) = [row for row in ledger(grown, "files") if row["path"] == "api_usage/api_usage-2026-11-10.jsonl"]
    assert file["lines"] == len(day)
    assert assert_costs_of_duckdb(vesper, grown, **given) == assert_costs_of_duckdb(vesper, once, **given)


def test_a_file_that_was_read_in_the_middle_of_a_line_loses_nothing(growing):
    grow, day, _ = growing
    half = joined(day[:50]) + day[50][: len(day[50]) // 2]
    grown, once = grow([half, joined(day[:50]) + day[50], joined(day)])
    assert rows(grown) == rows(once)


def test_equal_rows_without_ids_are_told_apart_in_a_grown_file(growing):
    """A row without an id is named by its values and its ordinal: the third of three equal rows is no duplicate of the first."""
    grow, day, _ = growing
    plain = [b"{" + line.partition(b",")[2] for line in day[:30]]
    grown, once = grow([joined(plain + plain[:5]), joined(plain + plain[:5] + plain[3:9])])
    assert rows(grown) == rows(once)
    query = "SELECT count(DISTINCT id) FROM usage WHERE source_file = 'api_usage/api_usage-2026-11-10.jsonl'"
    assert open_lake(grown).execute(query).fetchone() == (41,)


def test_a_file_that_was_rewritten_is_read_as_a_whole(growing):
    """Not grown but changed: rows that were read before stay, what is new comes to them, and what is the same counts once."""
    grow, day, _ = growing
    grown, once = grow([joined(day[:80]), joined(list(reversed(day)))])
    assert rows(grown, but=["source_record"]) == rows(once, but=["source_record"])
