"""The cache of daily costs: what it answers is what the rows answer, byte for byte; other engines read its files; and the declaration that
every file carries is all that another engine needs to make the same rows."""

import json
import shutil

import pytest

from products import PRODUCTS
from shown import PERIOD

duckdb = pytest.importorskip("duckdb")
pyarrow = pytest.importorskip("pyarrow.parquet")

each_product = pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
CUBE = ["tenant", "environment", "plan", "feature", "provider", "model", "service_tier", "route"]

# What is asked of every product: some of it the cache serves, some it does not.
QUERIES = [
    ["--every", "day", "--by", "plan,feature,provider,model", "--measures", "requests,tokens,cost,coverage,shadow"],
    ["--every", "week", "--by", "tenant", "--measures", "requests,users,tenants,tokens,cost,cost_per_user"],
    ["--measures", "requests,users,tenants,cost,quantity,retries,errors"],
    ["--every", "month", "--by", "plan", "--format", "csv"],
    ["--by", "feature", "--where", "provider=anthropic", "--format", "json"],
    ["--every", "day", "--by", "model", "--measures", "quantity,errors,retries,tenants,cost", "--sort", "cost:asc", "--top", "5"],
    ["--every", "day", "--where", "plan=", "--by", "route", "--measures", "requests,tenants", "--format", "csv"],
    ["--from", "2026-10-03", "--to", "2026-10-09", "--measures", "users,cost", "--format", "json"],
    ["--by", "model", "--measures", "latency,first_token,requests", "--format", "csv"],
    ["--every", "hour", "--from", "2026-10-24", "--to", "2026-10-25", "--by", "feature", "--format", "csv"],
]


@pytest.fixture(scope="module")
def priced_homes(vesper, homes, tmp_path_factory):
    """A home of every product whose closed weeks a run has priced. Whoever changes one copies it."""
    folder, made = tmp_path_factory.mktemp("cubes"), {}

    def priced_home(product):
        if product.name not in made:
            place = folder / product.name
            shutil.copytree(homes.home(product), place)
            vesper("run", place, data=product.sample.parent, job=product.job, flags=["--until", "price"])
            made[product.name] = place
        return made[product.name]

    return priced_home


def given(product):
    return {"data": product.sample.parent, "job": product.job}


def printed(vesper, home, product, query, *more, **changed):
    return vesper("costs", home, **{**given(product), **changed}, flags=[*query, *more, "--quiet"]).stdout


def cached(home, product, folder="costs"):
    return sorted((home / "cache" / product.name / folder).glob("2*.parquet"))


def assert_same_bytes_printed(vesper, home, product, **changed):
    for query in QUERIES:
        shown = printed(vesper, home, product, query, **changed)
        assert shown == printed(vesper, home, product, query, "--no-cache", **changed), query
        assert shown, query


@each_product
def test_the_cache_prints_what_the_rows_print(vesper, priced_homes, product):
    home = priced_homes(product)
    assert len(cached(home, product)) == 49
    assert_same_bytes_printed(vesper, home, product)


@each_product
def test_a_cache_with_gaps_and_damage_prints_the_same(vesper, priced_homes, product, tmp_path):
    home = tmp_path / "home"
    shutil.copytree(priced_homes(product), home)
    for number, path in enumerate([*cached(home, product), *cached(home, product, "users/all")]):
        if number % 4 == 0:
            path.unlink()
        elif number % 4 == 1:
            content = bytearray(path.read_bytes())
            content[len(content) // 6] ^= 8
            path.write_bytes(content)
    assert_same_bytes_printed(vesper, home, product)
    vesper("run", home, **given(product), flags=["--until", "price"])
    for folder in ("costs", "users/all"):
        assert [path.read_bytes() for path in cached(home, product, folder)] == [
            path.read_bytes() for path in cached(priced_homes(product), product, folder)]


def test_what_the_cache_serves_needs_no_rows(vesper, priced_homes, tmp_path):
    product = PRODUCTS[0]
    expected = printed(vesper, priced_homes(product), product, QUERIES[0], *PERIOD)
    home = tmp_path / "home"
    shutil.copytree(priced_homes(product), home)
    shutil.rmtree(home / "lake" / product.name / "usage")
    assert printed(vesper, home, product, QUERIES[0], *PERIOD) == expected
    vesper("costs", home, code=1, **given(product), flags=[*QUERIES[0], *PERIOD, "--no-cache"])


def test_a_changed_price_makes_anew_only_the_days_that_it_touches(vesper, priced_homes, jobs, tmp_path):
    product = PRODUCTS[0]
    home, job = tmp_path / "home", jobs / "kalei.json5"
    shutil.copytree(priced_homes(product), home)
    before = {path.name[:10]: path.name for path in cached(home, product)}
    text = job.read_text(encoding="utf-8")
    job.write_text(text.replace('prices: ["Prices/kalei.json5"', 'prices: ["Prices/more.json5", "Prices/kalei.json5"'), encoding="utf-8")
    assert job.read_text(encoding="utf-8") != text

    def priced_with(*prices):
        (jobs / "Prices" / "more.json5").write_text(json.dumps({"currency": "USD", "prices": list(prices)}), encoding="utf-8")
        assert_same_bytes_printed(vesper, home, product, job=job)
        vesper("run", home, data=product.sample.parent, job=job, flags=["--until", "price"])
        assert_same_bytes_printed(vesper, home, product, job=job)
        after = {path.name[:10]: path.name for path in cached(home, product)}
        return sorted(day for day in before if after[day] != before[day])

    tail = {"valid_from": "2026-10-15", "known_from": "2026-10-15", "source": "made up for this test"}
    assert priced_with({"provider": "nobody", "model": "claude-haiku-4-5", "rates": {"input": "7"}, **tail}) == []
    changed = priced_with({"provider": "anthropic", "model": "claude-haiku-4-5", "rates": {"input": "7", "output": "9"}, **tail})
    # Berlin's 15th begins two hours before UTC's; there is a call between.
    assert changed == sorted(day for day in before if day >= "2026-10-15")


# MARK: - The files, read by others

def declaration(path):
    return json.loads(pyarrow.read_metadata(path).metadata[b"vesper.cube"])


def sql(rule):
    """A measure of the declaration over rows that the price join has brought a cost to."""
    if "sum" in rule:
        return f"coalesce(sum({rule['sum']}), 0)"
    if "sum_unpriced" in rule:
        return f"coalesce(sum(unpriced_{rule['sum_unpriced']}), 0)"
    if "sum_atoms" in rule:
        # In whole units of 1e-12, and DuckDB's decimals hold as many digits.
        return f"sum({'shadow_' if rule['mocked'] else ''}{rule['sum_atoms']})"
    rows = rule["rows"]
    if rows == "all":
        return "count(*)"
    if rows == "unpriced":
        return "count(*) FILTER (unpriced)"
    if "above" in rows:
        return f"count(*) FILTER ({rows['column']} > {rows['above']})"
    words = ", ".join(f"'{word}'" for word in rows.get("not_in", []))
    assert rows["is"] == "present"
    return f"count({rows['column']})" + (f" FILTER (lower({rows['column']}) NOT IN ({words}))" if words else "")


@each_product
def test_the_declaration_run_by_duckdb_gives_the_rows_of_the_cache(homes, priced_homes, product):
    lake, home = homes.lake(product), priced_homes(product)
    (cube,) = {json.dumps(declaration(path)) for path in cached(home, product)}
    cube = json.loads(cube)
    assert cube["dimensions"] == CUBE and cube["log"] == "usage"
    assert cube["prices"]["atom"] == {"of": ["row", "meter"], "places": 12, "rounding": "half to even"}
    keys, measures = cube["dimensions"], cube["measures"]
    units = [unit for unit, in lake.execute("SELECT DISTINCT unit FROM priced WHERE quantity IS NOT NULL ORDER BY 1").fetchall()]
    declared = ", ".join([sql(rule) for rule in measures.values()] + [f"sum(quantity) FILTER (unit = '{unit}')" for unit in units])
    listed = ", ".join(keys)
    wanted = lake.execute(
        f"SELECT day, {listed}, {declared} FROM priced WHERE day BETWEEN '2026-09-28' AND '2026-11-15' GROUP BY ALL").fetchall()
    columns = ", ".join(
        [f"CAST({name} * 1000000000000 AS HUGEINT)" if name.startswith(("cost_", "shadow_")) else name for name in measures]
        + [f'"quantity_{unit}"' for unit in units])
    found = duckdb.execute(
        f"""SELECT left(parse_filename(filename), 10), {listed}, {columns}
        FROM read_parquet('{home}/cache/{product.name}/costs/*.parquet', union_by_name = true, filename = true)""").fetchall()
    assert len(found) == len(wanted) > 49

    def order(rows):
        return sorted(rows, key=lambda row: [str(value) for value in row])

    assert order(found) == order(wanted)


@each_product
def test_the_sets_of_users_are_those_of_the_rows(homes, priced_homes, product):
    lake, home = homes.lake(product), priced_homes(product)
    users = home / "cache" / product.name / "users"
    registry = [row[0] for row in duckdb.execute(f"SELECT user FROM read_parquet('{users}/registry.parquet', file_row_number = true) ORDER BY file_row_number").fetchall()]
    assert len(registry) == len(set(registry)) > 0
    sets = sorted(path.name for path in users.iterdir() if path.is_dir())
    assert "all" in sets
    for name in sets:
        dimensions = [] if name == "all" else name.split("+")
        listed = "".join(f', "{dimension}"' for dimension in dimensions)
        wanted = lake.execute(
            f"""SELECT DISTINCT day, "user"{listed} FROM priced WHERE "user" IS NOT NULL AND day BETWEEN '2026-09-28' AND '2026-11-15'""")
        blocks = duckdb.execute(
            f"""SELECT left(parse_filename(filename), 10), block, bits{listed}
            FROM read_parquet('{users / name}/*.parquet', filename = true)""").fetchall()
        found = [
            (day, registry[block * 64 + bit], *keys) for day, block, bits, *keys in blocks for bit in range(64) if bits >> bit & 1]
        assert len(found) == len(set(found))
        assert set(found) == set(wanted.fetchall()), name
