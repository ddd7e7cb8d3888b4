"""The lake's parts and rows of Kalei's sample, as DuckDB, pyarrow and sqlite3 read them. The counts of all products: test_products."""

import hashlib
import json
from datetime import date, timedelta

import pytest

from conftest import LOGS, SAMPLE, assert_same_bytes, files, ledger, lines, records
from told import OUTCOMES

pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

TIME = {"invoices": "period_start", "meters": "period_start", "snapshots": "updated_at"}
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


def test_ingest_prints_the_counts_of_the_truth(vesper, home, truth, tmp_path):
    shown = vesper.json("ingest", tmp_path / "home")
    names = ["records", *OUTCOMES]
    assert [row["log"] for row in shown["rows"]] == list(LOGS)
    assert [{name: row[name] for name in names} for row in shown["rows"]] == [{name: truth[log][name] for name in names} for log in LOGS]
    assert_same_bytes(tmp_path / "home", home, "lake", "quarantine")


def test_an_id_that_comes_again_with_other_values_is_refused(home, truth):
    story = truth["stories"]["id_reused"]
    refused = [json.loads(line) for path in files(home, "quarantine").values() for line in lines(path)]
    (reused,) = [json.loads(row["raw"]) for row in refused if row["reason"] == "id_reused"]
    assert (reused["id"], reused["output_tokens"]) == (story["id"], story["output_tokens_refused"])


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
