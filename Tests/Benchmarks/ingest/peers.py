"""Loads the benchmark's exports into Parquet partitioned by day, with one of the engines people use for it.

    peers.py duckdb|polars|chdb EXPORTS OUT

Every engine gets the columns' types, so that none has to guess, and does less than Vesper: no validation, no dedupe, no digests.
"""
import pathlib, shutil, sys

engine, exports, out = sys.argv[1], sys.argv[2], sys.argv[3]
shutil.rmtree(out, ignore_errors=True)
files = f"{exports}/api_usage/*.jsonl.gz"
texts = "id user_id session_id feature model provider service_tier route prompt_version status plan".split()
numbers = "input_tokens cache_read_input_tokens cache_creation_input_tokens output_tokens latency_ms".split()

if engine == "duckdb":
    import duckdb

    columns = {"ts": "TIMESTAMPTZ"} | {name: "VARCHAR" for name in texts} | {name: "BIGINT" for name in numbers}
    duckdb.execute("SET TimeZone = 'UTC'")
    duckdb.execute(
        f"COPY (SELECT *, CAST(ts AS DATE) AS day FROM read_json('{files}', format = 'newline_delimited', columns = {columns}))"
        f" TO '{out}' (FORMAT parquet, PARTITION_BY (day), COMPRESSION uncompressed)")
elif engine == "polars":
    import polars as pl

    schema = {"ts": pl.String} | {name: pl.String for name in texts} | {name: pl.Int64 for name in numbers}
    rows = pl.scan_ndjson(files, schema=schema).with_columns(
        pl.col("ts").str.to_datetime("%Y-%m-%d %H:%M:%S%.f%#z", time_zone="UTC"))
    rows = rows.with_columns(pl.col("ts").dt.date().cast(pl.String).alias("day"))
    pathlib.Path(out).mkdir(parents=True)
    rows.collect(engine="streaming").write_parquet(out, partition_by="day", compression="uncompressed")
elif engine == "chdb":
    from chdb import session

    shape = ", ".join(["ts String"] + [f"{name} Nullable(String)" for name in texts] + [f"{name} Nullable(Int64)" for name in numbers])
    pathlib.Path(out).mkdir(parents=True)
    session.Session().query(
        f"INSERT INTO FUNCTION file('{out}/day={{_partition_id}}.parquet', 'Parquet') PARTITION BY toString(toDate(time))"
        f" SELECT parseDateTime64BestEffort(ts, 6, 'UTC') AS time, * EXCEPT ts FROM file('{files}', 'JSONEachRow', '{shape}')"
        " SETTINGS output_format_parquet_compression_method = 'none', max_partitions_per_insert_block = 0, engine_file_truncate_on_insert = 1")
else:
    sys.exit("duckdb, polars or chdb?")
