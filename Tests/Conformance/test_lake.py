"""The lake, the ledger and the quarantine hold what truth.json says, as DuckDB, pyarrow and sqlite3 read them."""

import hashlib
import json
from collections import Counter
from datetime import date, timedelta
from decimal import Decimal

import pytest

from conftest import SAMPLE, assert_same_bytes, files, ledger, lines, records

pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

LOGS = ["invoices", "meters", "sessions", "snapshots", "texts", "usage"]
OUTCOMES = ["accepted", "duplicate", "out_of_range", "quarantined", "filtered"]
TIME = {"invoices": "period_start", "meters": "period_start", "snapshots": "updated_at"}
# What truth.json calls a row's kind.
KIND = {"sessions": "kind", "snapshots": "kind", "texts": "part", "meters": "metric"}

TYPES = {"t": pa.string(), "i": pa.int64(), "b": pa.bool_(), "@": pa.timestamp("us", tz="UTC"), "d": pa.decimal128(38, 12)}
COLUMNS = {
    "usage": """id ts:@ tenant user session plan feature provider model region environment input_tokens:i cache_read_tokens:i
        cache_write_5m_tokens:i cache_write_1h_tokens:i output_tokens:i reasoning_tokens:i quantity:d unit service_tier route status
        outcome attempt:i latency_ms:i first_token_ms:i fingerprint prefix prefix_tokens:i document group reported_cost:d currency""",
    "sessions": "id ts:@ tenant user session plan kind label score:d style outcome crisis:b public:b words:i",
    "texts": "id part ts:@ tenant user session role text",
    "meters": "id subject_kind subject metric value:d period_start:@ period_end:@ gauge:b",
    "invoices": "id vendor service category part environment amount:d currency period_start:@ period_end:@",
    "snapshots": "kind id updated_at:@ parent tenant plan status attributes",
}
ORIGIN = "source source_file source_record:i"


def figures(lake, log, names, day=None):
    """Rows and exact sums; `amount_USD` is the sum over the rows of that currency. What no row has is left out."""
    found = {}
    for name in names:
        column, _, currency = name.partition("_") if name.startswith("amount_") else (name, "", "")
        value = "count(*)" if name == "rows" else f"sum({column})"
        filters = [text for text in (day and f"day = '{day}'", currency and f"currency = '{currency}'") if text]
        where = " WHERE " + " AND ".join(filters) if filters else ""
        result = lake.execute(f"SELECT {value} FROM {log}{where}").fetchone()[0]
        if result is not None:
            found[name] = Decimal(result)
    return found


def exact(expected):
    return {name: Decimal(value) for name, value in expected.items()}


@pytest.mark.parametrize("log", LOGS)
def test_every_utc_day_has_the_rows_and_sums_of_the_truth(lake, truth, log):
    expected = truth[log]["days"]
    names = sorted({name for day in expected.values() for name in day})
    days = [row[0] for row in lake.execute(f"SELECT DISTINCT day FROM {log} ORDER BY 1").fetchall()]
    assert {day: figures(lake, log, names, day) for day in days} == {day: exact(found) for day, found in expected.items()}


@pytest.mark.parametrize("log", LOGS)
def test_the_whole_lake_has_the_rows_and_sums_of_the_truth(lake, truth, log):
    expected = truth[log]
    assert figures(lake, log, ["rows", *expected["sums"]]) == {"rows": expected["accepted"], **exact(expected["sums"])}


def tally(rows):
    """Counts of the ledger as truth.json has them."""
    found = Counter()
    for row in rows:
        found[row["outcome"]] += row["count"]
    return {**{name: found[name] for name in OUTCOMES}, "records": sum(found.values())}


@pytest.mark.parametrize("log", LOGS)
def test_the_ledger_counts_every_record_of_every_file(home, truth, log):
    counts = [row for row in ledger(home, "counts") if row["log"] == log]
    assert tally(counts) == {name: truth[log][name] for name in [*OUTCOMES, "records"]}
    found = {file: tally(row for row in counts if row["file"] == file) for file in {row["file"] for row in counts}}
    assert found == truth[log]["by_file"]
    reasons = Counter()
    for row in counts:
        if row["outcome"] == "quarantined":
            reasons[row["reason"]] += row["count"]
    assert reasons == truth[log]["reasons"]


@pytest.mark.parametrize("log", KIND)
def test_the_ledger_counts_every_record_of_every_kind(home, lake, truth, log):
    kinds = dict(lake.execute(f"SELECT DISTINCT source, {KIND[log]} FROM {log}").fetchall())
    counts = [row for row in ledger(home, "counts") if row["log"] == log]
    found = {kind: tally(row for row in counts if kinds[row["source"]] == kind) for kind in kinds.values()}
    assert found == truth[log]["by_kind"]


def test_the_counts_add_up_to_the_lines_of_the_files(home):
    for row in ledger(home, "files"):
        counted = sum(c["count"] for c in ledger(home, "counts") if (c["source"], c["file"]) == (row["source"], row["path"]))
        assert counted == row["lines"] == len(lines(SAMPLE / row["path"])), row["path"]


def test_the_ledger_knows_the_rows_of_every_file_and_day(home, lake):
    found = {(row["log"], row["source"], row["file"], row["day"]): row["rows"] for row in ledger(home, "stored_days") if row["rows"]}
    query = " UNION ALL ".join(f"SELECT '{log}', source, source_file, day, count(*) FROM {log} GROUP BY ALL" for log in LOGS)
    assert found == {tuple(row[:4]): row[4] for row in lake.execute(query).fetchall()}


def test_ingest_prints_the_counts_of_the_truth(vesper, home, truth, tmp_path):
    shown = vesper.json("ingest", tmp_path / "home")
    names = ["records", *OUTCOMES]
    assert [row["log"] for row in shown["rows"]] == LOGS
    assert [{name: row[name] for name in names} for row in shown["rows"]] == [{name: truth[log][name] for name in names} for log in LOGS]
    assert_same_bytes(tmp_path / "home", home, "lake", "quarantine")


def test_the_quarantine_holds_every_refused_record_with_its_bytes(home, truth):
    refused = [json.loads(line) for path in files(home, "quarantine").values() for line in lines(path)]
    found = sorted((row["file"], row["record"], row["reason"]) for row in refused)
    stories = truth["stories"]
    broken = [(line["file"], line["record"], line["reason"]) for line in stories["broken_lines"]["lines"]]
    reused = [key for key in found if key[2] == "id_reused"]
    assert sorted(set(found) - set(reused)) == sorted(broken)
    assert Counter(reason for _, _, reason in found) == truth["usage"]["reasons"]
    for row in refused:
        raw = lines(SAMPLE / row["file"])[row["record"] - 1]
        assert row["raw"].encode() == raw and row["bytes"] == len(raw) and row["detail"]
        if row["reason"] == "id_reused":
            line = json.loads(raw)
            assert (line["id"], line["output_tokens"]) == (stories["id_reused"]["id"], stories["id_reused"]["output_tokens_refused"])


def parts(home):
    return [(name.split("/")[2], path) for name, path in files(home, "lake").items()]


def test_pyarrow_finds_the_columns_and_types_of_every_log(home):
    for log, path in parts(home):
        fields = [(*field.split(":"), "t")[:2] for field in (COLUMNS[log] + " " + ORIGIN).split()]
        assert [(field.name, field.type) for field in pq.read_schema(path)] == [(name, TYPES[code]) for name, code in fields], path


def test_pyarrow_finds_every_part_sorted_by_time_within_its_day(home):
    for log, path in parts(home):
        times = pq.ParquetFile(path).read([TIME.get(log, "ts")])[0]
        values = times.cast(pa.int64()).to_pylist()
        assert values == sorted(values), path
        days = {date(1970, 1, 1) + timedelta(days=value // 86_400_000_000) for value in values}
        assert {f"day={day}" for day in days} == {path.parent.name}, path


def test_every_part_is_named_by_its_digest_and_listed_in_the_ledger(home):
    found = []
    for log, path in parts(home):
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert path.name == f"part-{digest[:16]}.parquet"
        rows = pq.ParquetFile(path).metadata.num_rows
        found.append((log, path.parent.name[4:], path.name, rows, path.stat().st_size, digest))
    listed = [tuple(row[name] for name in ("log", "day", "file", "rows", "bytes", "digest")) for row in ledger(home, "parts")]
    assert sorted(found) == sorted(listed)


@pytest.mark.parametrize("log", LOGS)
def test_every_row_leads_back_to_its_record(lake, log):
    """source_file and source_record name the line of the export that has the row's own id, where the export has ids."""
    sources = {}
    for row in records(lake, f"SELECT source_file, source_record, id FROM {log}"):
        if row["source_file"] not in sources:
            sources[row["source_file"]] = lines(SAMPLE / row["source_file"])
        record = json.loads(sources[row["source_file"]][row["source_record"] - 1])
        assert record.get("id", row["id"]) == row["id"], row
        assert ("id" in record) != row["id"].startswith("row-"), row


def test_a_line_that_was_refused_or_is_out_of_range_is_no_row(lake, truth):
    stories = truth["stories"]
    lost = stories["broken_lines"]["lines"] + stories["out_of_range"]["lines"]
    for line in lost:
        query = "SELECT count(*) FROM usage WHERE source_file = ? AND source_record = ?"
        assert lake.execute(query, [line["file"], line["record"]]).fetchone() == (0,), line
    reused = stories["id_reused"]
    assert lake.execute("SELECT output_tokens FROM usage WHERE id = ?", [reused["id"]]).fetchall() == [(reused["output_tokens_that_stay"],)]


@pytest.mark.parametrize("story", ["duplicated_file", "overlapping_day"])
def test_a_file_that_comes_again_adds_only_what_is_new(lake, truth, story):
    names = truth["stories"][story]["files"]
    ids = [[json.loads(line)["id"] for line in lines(SAMPLE / name)] for name in names]
    assert len(set(ids[0]) & set(ids[1])) == truth["stories"][story]["duplicates"]
    found = lake.execute("SELECT id FROM usage WHERE source_file IN (?, ?)", names).fetchall()
    assert sorted(row[0] for row in found) == sorted(set(ids[0]) | set(ids[1]))
