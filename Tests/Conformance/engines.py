"""Reads every part of one log with an engine of other people's, and prints what it found as JSON.

    engines.py duckdb|pyarrow|polars|clickhouse|spark FOLDER

`columns` has for each column its nulls, and for numbers the exact sum, least and greatest, for times the same in microseconds (the sum of
their remainders by a prime, as the sum itself would not fit), for texts the distinct ones, the bytes of all together, the least and the
greatest, for flags how many are true. `files` has the rows of each part, `groups` counts, distinct users and sums by day, plan, feature,
provider and model where the log has them. All figures are exact and printed as text, so that one engine's can be held against another's.
Each engine runs in a process of its own: they bring their own allocators and threads.
"""

import json
import os
import sys
from decimal import Decimal
from pathlib import Path

PRIME = 1_000_003
KEYS = ["plan", "feature", "provider", "model"]
SUMS = ["input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "cache_write_1h_tokens", "output_tokens", "reasoning_tokens"]
TYPES = {"string": "text", "large_string": "text", "int64": "number", "bool": "flag", "timestamp[us, tz=UTC]": "time"}


def kinds(folder):
    """The columns of the parts with what they hold, read from the footer of the first; that all agree is another test's business."""
    import pyarrow.parquet as pq

    schema = pq.read_schema(sorted(Path(folder).glob("*/*.parquet"))[0])
    return {field.name: TYPES.get(str(field.type), "number") for field in schema}


def plain(value):
    """One spelling for each value: 12.500000000000 and 12.5 are the same number."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return value.decode()
    return format(Decimal(value).normalize() + 0, "f")


# --- Engines that speak SQL differ in a few words.

DIALECTS = {
    "duckdb": {"quote": '"', "micros": "epoch_us", "bytes": "strlen", "distinct": "count(DISTINCT {})", "integer": "CAST({} AS HUGEINT)",
               "true": "count_if({})", "day": "strftime(ts, '%Y-%m-%d')"},
    "clickhouse": {"quote": "`", "micros": "toUnixTimestamp64Micro", "bytes": "length", "distinct": "uniqExact({})",
                   "integer": "toInt128({})", "true": "countIf({})", "day": "toString(toDate(ts))"},
    "spark": {"quote": "`", "micros": "unix_micros", "bytes": "octet_length", "distinct": "count(DISTINCT {})",
              "integer": "CAST({} AS DECIMAL(38))", "true": "count_if({})", "day": "date_format(ts, 'yyyy-MM-dd')"},
}


def expressions(words, name, kind):
    """SQL for each figure of a column."""
    column = words["quote"] + name + words["quote"]
    yield "nulls", f"count(*) - count({column})"
    if kind == "text":
        yield "bytes", f"sum({words['bytes']}({column}))"
    elif kind == "flag":
        yield "true", words["true"].format(column)
        return
    elif kind == "time":
        column = f"{words['micros']}({column})"
        yield "sum", f"sum({column} % {PRIME})"
    else:
        # A sum of int64 is wider than int64; a decimal is one already.
        yield "sum", f"sum({words['integer'].format(column) if name.endswith(('_tokens', '_ms')) else column})"
    yield "least", f"min({column})"
    yield "greatest", f"max({column})"


def by_sql(engine, folder, ask, table, file):
    """`ask` runs a query and gives its rows; `table` stands in its FROM, and `file` is the path of a row's part."""
    words = DIALECTS[engine]
    columns = kinds(folder)
    asked = [(name, *pair) for name, kind in columns.items() for pair in expressions(words, name, kind)]
    (values,) = ask(f"SELECT {', '.join(sql for _, _, sql in asked)} FROM {table}")
    found = {name: {} for name in columns}
    for (name, figure, _), value in zip(asked, values):
        found[name][figure] = plain(value)
    # Asked one by one: Spark writes every row once more for each distinct column of a query.
    for name in (name for name, kind in columns.items() if kind == "text"):
        ((distinct,),) = ask(f"SELECT {words['distinct'].format(words['quote'] + name + words['quote'])} FROM {table}")
        found[name]["distinct"] = plain(distinct)
    files = ask(f"SELECT {file}, count(*) FROM {table} GROUP BY 1")
    groups = []
    if set(KEYS) <= columns.keys():
        sums = ", ".join(f"coalesce(sum({name}), 0)" for name in SUMS)
        users = words["distinct"].format(words["quote"] + "user" + words["quote"])
        groups = ask(f"SELECT {words['day']} AS d, {', '.join(KEYS)}, count(*), {users}, {sums} FROM {table} GROUP BY d, {', '.join(KEYS)}")
    return found, files, groups


def duckdb(folder):
    import duckdb

    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    table = f"read_parquet('{folder}/*/*.parquet', hive_partitioning = false, filename = true)"
    return by_sql("duckdb", folder, lambda query: connection.execute(query).fetchall(), table, "filename")


def clickhouse(folder):
    import chdb

    def ask(query):
        settings = "SETTINGS output_format_json_quote_64bit_integers = 1, output_format_json_quote_decimals = 1"
        return [json.loads(line) for line in str(chdb.query(f"{query} {settings}", "JSONCompactEachRow")).splitlines()]

    return by_sql("clickhouse", folder, ask, f"file('{folder}/*/*.parquet', 'Parquet')", "_path")


def spark(folder):
    from pyspark.sql import SparkSession

    settings = {
        "spark.sql.session.timeZone": "UTC", "spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "4", "spark.driver.memory": "2g",
        "spark.sql.sources.partitionColumnTypeInference.enabled": "false", "spark.driver.host": "127.0.0.1",
        "spark.ui.showConsoleProgress": "false",
    }
    builder = SparkSession.builder.master("local[2]")
    for name, value in settings.items():
        builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.sparkContext.setLogLevel("ERROR")
    session.read.parquet(str(folder)).createOrReplaceTempView("log")
    found = by_sql("spark", folder, lambda query: [tuple(row) for row in session.sql(query).collect()], "log", "input_file_name()")
    session.stop()
    return found


# --- Engines that are called.

def pyarrow(folder):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

    paths = sorted(Path(folder).glob("*/*.parquet"))
    tables = [pq.ParquetFile(path).read() for path in paths]
    files = [(str(path), table.num_rows) for path, table in zip(paths, tables)]
    table = pa.concat_tables(tables)
    found = {}
    for name, kind in kinds(folder).items():
        column = table[name]
        figures = found[name] = {"nulls": column.null_count}
        if kind == "text":
            figures |= {"distinct": pc.count_distinct(column, mode="only_valid"), "bytes": pc.sum(pc.binary_length(column))}
        elif kind == "flag":
            figures["true"] = pc.sum(column)
        elif kind == "time":
            column = column.cast(pa.int64())
            quotient = pc.multiply(pc.divide(column, PRIME), PRIME)
            figures["sum"] = pc.sum(pc.subtract(column, quotient))
        else:
            # Sums of int64 wrap around in silence, those of decimals do not.
            figures["sum"] = pc.sum(column.cast(pa.decimal128(38, 0)) if pa.types.is_integer(column.type) else column)
        if kind != "flag":
            figures |= dict(zip(("least", "greatest"), (pc.min_max(column)[end] for end in ("min", "max"))))
        found[name] = {figure: plain(value.as_py() if isinstance(value, pa.Scalar) else value) for figure, value in figures.items()}
    groups = []
    if {*KEYS} <= found.keys():
        table = table.append_column("d", pc.strftime(table["ts"], "%Y-%m-%d"))
        wanted = [([], "count_all"), ("user", "count_distinct", pc.CountOptions(mode="only_valid")), *((name, "sum") for name in SUMS)]
        grouped = table.group_by(["d", *KEYS]).aggregate(wanted)
        names = ["d", *KEYS, "count_all", "user_count_distinct", *(name + "_sum" for name in SUMS)]
        groups = list(zip(*(grouped[name].to_pylist() for name in names)))
    return found, files, groups


def polars(folder):
    import polars as pl

    log = pl.scan_parquet(f"{folder}/*/*.parquet", hive_partitioning=False, include_file_paths="file")
    asked = {}
    for name, kind in kinds(folder).items():
        column = pl.col(name)
        figures = {"nulls": column.null_count()}
        if kind == "text":
            figures |= {"distinct": column.drop_nulls().n_unique(), "bytes": column.str.len_bytes().cast(pl.Int64).sum()}
        elif kind == "flag":
            figures["true"] = column.cast(pl.Int64).sum()
        elif kind == "time":
            column = column.dt.epoch("us")
            figures["sum"] = (column % PRIME).sum()
        else:
            figures["sum"] = (column.cast(pl.Int128) if name.endswith(("_tokens", "_ms")) else column).sum()
        if kind != "flag":
            figures |= {"least": column.min(), "greatest": column.max()}
        asked |= {(name, figure): value.alias(f"{name} {figure}") for figure, value in figures.items()}
    (values,) = log.select(asked.values()).collect().rows()
    found = {}
    for (name, figure), value in zip(asked, values):
        found.setdefault(name, {})[figure] = plain(value)
    files = log.group_by("file").agg(pl.len()).collect().rows()
    groups = []
    if {*KEYS} <= found.keys():
        day = pl.col("ts").dt.strftime("%Y-%m-%d").alias("d")
        users = pl.col("user").drop_nulls().n_unique()
        groups = log.group_by([day, *KEYS]).agg(pl.len(), users, *(pl.col(name).sum() for name in SUMS)).collect().rows()
    return found, files, groups


ENGINES = {engine.__name__: engine for engine in (duckdb, pyarrow, polars, clickhouse, spark)}


def main(name, folder):
    columns, files, groups = ENGINES[name](folder)
    # A sum over no value is NULL to some and 0 to others: where all are null, only that is told.
    rows = sum(int(count) for _, count in files)
    columns = {name: {"nulls": str(rows)} if figures["nulls"] == str(rows) else figures for name, figures in columns.items()}
    files = sorted(("/".join(path.split("/")[-2:]), str(count)) for path, count in files)
    groups = sorted([[key or "" for key in row[:5]] + [str(int(value or 0)) for value in row[5:]] for row in groups])
    json.dump({"columns": columns, "files": files, "groups": groups}, sys.stdout)


if __name__ == "__main__":
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    main(*sys.argv[1:])
