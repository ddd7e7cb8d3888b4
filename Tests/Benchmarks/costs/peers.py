"""Groups Vesper's own lake parts by day, plan, feature, provider and model with distinct users, and with prices, with another engine.

    peers.py duckdb|polars|chdb PARTS [PRICES.csv [grouped]]      rows as CSV; cost in whole units of 1e-12

Without prices only the grouping is done; with `grouped` the groups are priced and not the calls, which is faster and right as long as no
price depends on a call's size. The queries stand beside this file: duckdb*.sql, clickhouse*.sql, and Polars' below.
"""
import pathlib, sys

engine, parts = sys.argv[1], sys.argv[2]
prices = sys.argv[3] if len(sys.argv) > 3 else None
files = f"{parts}/*/*.parquet"
keys = ["plan", "feature", "provider", "model"]
sums = ["input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens"]
whole = sums[:3]
kind = "-unpriced" if prices is None else "-grouped" if "grouped" in sys.argv else ""
here = pathlib.Path(__file__).parent


def query(name):
    return (here / name).read_text(encoding="utf-8").replace("{parts}", files).replace("{prices}", prices or "")


def print_rows(rows):
    for row in rows:
        print(*("" if value is None else value for value in row), sep=",")


if engine == "duckdb":
    import duckdb

    duckdb.execute("SET TimeZone = 'UTC'")
    print_rows(duckdb.execute(query(f"duckdb{kind}.sql")).fetchall())
elif engine == "chdb":
    import chdb

    print(str(chdb.query(query(f"clickhouse{kind}.sql"), "CSV")).replace('"', ""), end="")
elif engine == "polars":
    import polars as pl

    rows = pl.scan_parquet(files, hive_partitioning=False).with_columns(
        pl.col("ts").dt.date().alias("day"), pl.col("service_tier").fill_null("standard"),
        pl.sum_horizontal(whole, ignore_nulls=True).alias("whole")).select(
        "day", *keys, "service_tier", "user", "whole", *sums)
    by = ["day", *keys]
    measures = [pl.len().alias("requests"), pl.col("user").drop_nulls().n_unique().alias("users"), *[pl.col(name).sum() for name in sums]]
    if prices:
        table = pl.scan_csv(prices, try_parse_dates=True).rename({name.removesuffix("_tokens"): f"{name}_rate" for name in sums})
        # Polars' join on equal columns keeps rows without a match; days and thresholds are compared behind it, where a call has one
        # candidate for each price of its model. So the calls without any price are those whose model has none.
        joined = rows.join(
            table, left_on=["provider", "model", "service_tier"], right_on=["provider", "model", "tier"], how="left")
        fits = (pl.col("day").is_between(pl.col("valid_from"), pl.col("valid_to"))
                & (pl.col("whole") > pl.col("above")) & (pl.col("whole") <= pl.col("up_to")))
        rows = joined.filter(fits | pl.col("valid_from").is_null())
        cost = pl.sum_horizontal([pl.col(name) * pl.col(f"{name}_rate") for name in sums], ignore_nulls=True)
        measures += [cost.sum().alias("cost"), pl.col("valid_from").is_null().sum().alias("unpriced")]
    print_rows(rows.group_by(by).agg(measures).sort(by, nulls_last=False).collect(engine="streaming").iter_rows())
else:
    sys.exit("duckdb, polars or chdb?")
