"""DuckDB, pyarrow, Polars and ClickHouse (the last two where they are installed) read the parts that Vesper writes, and find what
expected.json says.

    VESPER_PARQUET_OUT=/tmp/parts swift test --filter ParquetSamplesTests
    VESPER_PARQUET_SAMPLES=/tmp/parts pytest Tests/Conformance/test_parquet.py
"""

import json
import os
from datetime import datetime, timezone
from decimal import Decimal, localcontext
from pathlib import Path

import pytest

FOLDER = os.environ.get("VESPER_PARQUET_SAMPLES")
if not FOLDER:
    pytest.skip("VESPER_PARQUET_SAMPLES names no folder of parts", allow_module_level=True)

duckdb = pytest.importorskip("duckdb")
pa = pytest.importorskip("pyarrow")
pq = pytest.importorskip("pyarrow.parquet")

PARTS = json.loads(Path(FOLDER, "expected.json").read_text(encoding="utf-8"))["parts"]
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)

ARROW = {
    "text": pa.string(),
    "int64": pa.int64(),
    "bool": pa.bool_(),
    "timestamp": pa.timestamp("us", tz="UTC"),
    "decimal": pa.decimal128(38, 12),
}
# Physical type, LogicalType, ConvertedType.
STORED = {
    "text": ("BYTE_ARRAY", "STRING", "UTF8"),
    "int64": ("INT64", "NONE", "NONE"),
    "bool": ("BOOLEAN", "NONE", "NONE"),
    "timestamp": ("INT64", "TIMESTAMP", "TIMESTAMP_MICROS"),
    "decimal": ("FIXED_LEN_BYTE_ARRAY", "DECIMAL", "DECIMAL"),
}
DUCKDB = {
    "text": "VARCHAR",
    "int64": "BIGINT",
    "bool": "BOOLEAN",
    "timestamp": "TIMESTAMP WITH TIME ZONE",
    "decimal": "DECIMAL(38,12)",
}


def textual(value, kind):
    """A value as expected.json writes it: microseconds for a time, all twelve places for a decimal."""
    if value is None:
        return None
    if kind == "bool":
        return "true" if value else "false"
    if kind == "decimal":
        return format(value, ".12f")
    if kind == "timestamp" and isinstance(value, datetime):
        delta = value - EPOCH
        return str((delta.days * 86_400 + delta.seconds) * 1_000_000 + delta.microseconds)
    return str(value)


@pytest.fixture(autouse=True)
def exact_decimals():
    with localcontext() as context:
        context.prec = 60
        yield


@pytest.fixture(params=PARTS, ids=lambda part: part["file"])
def part(request):
    return request.param | {"path": str(Path(FOLDER, request.param["file"]))}


@pytest.fixture
def sql():
    with duckdb.connect() as connection:
        yield lambda query, *values: connection.execute(query, list(values)).fetchall()


def test_every_expected_part_is_there():
    assert sorted(part["file"] for part in PARTS) == sorted(path.name for path in Path(FOLDER).glob("*.parquet"))


def test_pyarrow_reads_the_schema(part):
    file = pq.ParquetFile(part["path"])
    assert [(field.name, field.type, field.nullable) for field in file.schema_arrow] == [
        (column["name"], ARROW[column["type"]], True) for column in part["columns"]
    ]
    for index, column in enumerate(part["columns"]):
        leaf = file.schema.column(index)
        assert (leaf.physical_type, leaf.logical_type.type, leaf.converted_type) == STORED[column["type"]]
        assert (leaf.max_definition_level, leaf.max_repetition_level) == (1, 0)


def test_pyarrow_reads_the_values(part):
    table = pq.read_table(part["path"])
    table.validate(full=True)
    assert table.num_rows == part["rows"]
    for column in part["columns"]:
        values = table[column["name"]]
        if column["type"] == "timestamp":
            values = values.cast(pa.int64())
        assert [textual(value, column["type"]) for value in values.to_pylist()] == column["values"], column["name"]


def test_the_samples_have_every_encoding_that_vesper_writes():
    """What is read above is read in each of them: a sample that lost its encoding would prove nothing."""
    found = set()
    for part in PARTS:
        metadata = pq.ParquetFile(Path(FOLDER, part["file"])).metadata
        for group in range(metadata.num_row_groups):
            for index, column in enumerate(part["columns"]):
                chunk = metadata.row_group(group).column(index)
                found |= {(column["type"], encoding) for encoding in chunk.encodings if encoding != "RLE"}
    numbers = {"PLAIN", "RLE_DICTIONARY", "DELTA_BINARY_PACKED"}
    assert found == (
        {("text", encoding) for encoding in ("PLAIN", "RLE_DICTIONARY", "DELTA_LENGTH_BYTE_ARRAY")}
        | {(kind, encoding) for kind in ("int64", "timestamp") for encoding in numbers}
        | {("decimal", "PLAIN"), ("decimal", "RLE_DICTIONARY"), ("bool", "PLAIN")}
    )


def test_polars_reads_the_values(part):
    polars = pytest.importorskip("polars")
    table = polars.read_parquet(part["path"])
    for column in part["columns"]:
        values = table[column["name"]]
        if column["type"] == "timestamp":
            values = values.cast(polars.Int64)
        if column["type"] == "bool":
            assert values.dtype == polars.Boolean
        assert [textual(value, column["type"]) for value in values.to_list()] == column["values"], column["name"]


def test_clickhouse_reads_the_values(part):
    chdb = pytest.importorskip("chdb")
    path = part["path"].replace("'", "\\'")
    for column in part["columns"]:
        name = "`" + column["name"] + "`"
        value = {"timestamp": f"toUnixTimestamp64Micro({name})", "decimal": f"toString({name})"}.get(column["type"], name)
        found = json.loads(str(chdb.query(f"SELECT {value} AS v FROM file('{path}', Parquet)", "JSONColumns")) or "{}")
        values = [textual(clickhouse(value, column["type"]), column["type"]) for value in found.get("v", [])]
        assert values == column["values"], column["name"]


def clickhouse(value, kind):
    return Decimal(value) if kind == "decimal" and value is not None else value


def test_pyarrow_reads_the_statistics(part):
    metadata = pq.ParquetFile(part["path"]).metadata
    assert [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)] == part["groups"]
    for group in range(metadata.num_row_groups):
        for index, column in enumerate(part["columns"]):
            expected = column["statistics"][group]
            found = metadata.row_group(group).column(index).statistics
            assert found.has_null_count and found.null_count == expected["nulls"]
            assert found.has_min_max == (expected["min"] is not None)
            if found.has_min_max:
                least, greatest = (micros(side, column["type"]) for side in (found.min_raw, found.max_raw))
                assert (least, greatest) == (expected["min"], expected["max"]), column["name"]


def micros(raw, kind):
    """A bound as it is stored, so that times beyond what Python holds compare too."""
    if kind == "decimal":
        return textual(Decimal(int.from_bytes(raw, "big", signed=True)).scaleb(-12), kind)
    return textual(raw.decode() if isinstance(raw, bytes) else raw, "text" if kind == "timestamp" else kind)


def test_pyarrow_reads_the_metadata(part):
    metadata = pq.ParquetFile(part["path"]).metadata
    found = {key.decode(): value.decode() for key, value in (metadata.metadata or {}).items()}
    assert found == part["metadata"]
    assert metadata.created_by.startswith("vesper")


def test_duckdb_reads_the_schema(part, sql):
    found = [(row[0], row[1]) for row in sql("DESCRIBE SELECT * FROM read_parquet(?)", part["path"])]
    assert found == [(column["name"], DUCKDB[column["type"]]) for column in part["columns"]]


def test_duckdb_reads_the_converted_types(part, sql):
    """Those for older readers, which pyarrow hides behind the logical ones."""
    query = "SELECT name, type, converted_type, repetition_type FROM parquet_schema(?) WHERE num_children IS NULL"
    stored = [(column["name"], *STORED[column["type"]]) for column in part["columns"]]
    assert [tuple(row) for row in sql(query, part["path"])] == [
        (name, physical, None if converted == "NONE" else converted, "OPTIONAL") for name, physical, _, converted in stored
    ]


def test_duckdb_reads_the_values(part, sql):
    for column in part["columns"]:
        name = '"' + column["name"] + '"'
        value = f"epoch_us({name})" if column["type"] == "timestamp" else name
        found = sql(f"SELECT {value} FROM read_parquet(?)", part["path"])
        assert [textual(row[0], column["type"]) for row in found] == column["values"], column["name"]


def test_duckdb_reads_the_statistics(part, sql):
    query = """SELECT column_id, row_group_id, row_group_num_rows, stats_null_count, stats_min_value, stats_max_value,
        min_is_exact, max_is_exact, compression FROM parquet_metadata(?)"""
    for index, group, rows, nulls, least, greatest, min_exact, max_exact, compression in sql(query, part["path"]):
        column = part["columns"][index]
        expected = column["statistics"][group]
        assert (rows, nulls, compression) == (part["groups"][group], expected["nulls"], "UNCOMPRESSED")
        if expected["min"] is None:
            assert least is None and greatest is None
            continue
        assert min_exact and max_exact
        if column["type"] != "timestamp":  # which is printed for reading, not for comparing
            assert (least, greatest) == (expected["min"], expected["max"]), column["name"]


def test_duckdb_finds_rows_by_their_values(part, sql):
    """A filter lets the engine skip row groups by their statistics: it must not skip a row that is there."""
    for column in part["columns"]:
        present = [value for value in column["values"] if value is not None]
        name = '"' + column["name"] + '"'
        wanted = f"CAST(? AS {DUCKDB[column['type']]})"
        if column["type"] == "timestamp":
            wanted = "make_timestamptz(CAST(? AS BIGINT))"
        for value in sorted(set(present))[:: max(1, len(set(present)) // 5)]:
            found = sql(f"SELECT count(*) FROM read_parquet(?) WHERE {name} = {wanted}", part["path"], value)
            assert found == [(present.count(value),)], (column["name"], value[:80])
        missing = sql(f"SELECT count(*) FROM read_parquet(?) WHERE {name} IS NULL", part["path"])
        assert missing == [(len(column["values"]) - len(present),)]


def test_duckdb_reads_the_metadata(part, sql):
    pairs = sql("SELECT key, value FROM parquet_kv_metadata(?)", part["path"])
    found = {bytes(key).decode(): bytes(value).decode() for key, value in pairs}
    assert found == part["metadata"]
