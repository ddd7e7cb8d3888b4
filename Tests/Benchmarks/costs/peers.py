"""Groups Vesper's own lake parts by day, plan, feature, provider and model with distinct users, with another engine.

    peers.py duckdb|polars|chdb PARTS
"""
import sys

engine, parts = sys.argv[1], sys.argv[2]
files = f"{parts}/*/*.parquet"
keys = ["plan", "feature", "provider", "model"]
sums = ["input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens"]

if engine == "duckdb":
    import duckdb

    query = f"""SELECT strftime(ts, '%Y-%m-%d') AS d, {', '.join(keys)}, count(*), count(DISTINCT "user"),
        {', '.join(f'sum({name})' for name in sums)} FROM read_parquet('{files}', hive_partitioning = false) GROUP BY ALL"""
    duckdb.execute("SET TimeZone = 'UTC'")
    print(len(duckdb.execute(query).fetchall()))
elif engine == "polars":
    import polars as pl

    rows = pl.scan_parquet(files, hive_partitioning=False)
    grouped = rows.group_by([pl.col("ts").dt.date().alias("d"), *keys]).agg(
        pl.len().alias("n"), pl.col("user").n_unique().alias("users"), *[pl.col(name).sum() for name in sums])
    print(grouped.collect(engine="streaming").height)
elif engine == "chdb":
    import chdb

    query = f"""SELECT toDate(ts) AS d, {', '.join(keys)}, count(), uniqExact(user), {', '.join(f'sum({name})' for name in sums)}
        FROM file('{files}', 'Parquet') GROUP BY d, {', '.join(keys)}"""
    print(len(str(chdb.query(query, "CSV")).splitlines()))
else:
    sys.exit("duckdb, polars or chdb?")
