"""`vesper costs --compare` against the same views and the same parts of each difference, worked out by DuckDB from the lake."""

from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction

import pytest

from expenses import Expenses
from products import aspendos, kalei, neni, talentprompt, voyager
from shown import PERIOD, amount
from test_products import TRUTH

pytest.importorskip("duckdb")

PARTS = [
    "fixed", "without_tenant", "without_usage", "without_charges", "price_range", "unpriced", "rounding", "price_gap", "not_explained"]
BUCKET = {"all": "'2026-09-28_2026-11-15'", "day": "day", "week": "week", "month": "month"}
WITHIN = "day BETWEEN '2026-09-28' AND '2026-11-15'"
DAYS = [date(2026, 9, 28) + timedelta(number) for number in range(49)]
MONTHS = [date(2026, 10, 1) + timedelta(number) for number in range(61)]

# Rows of a source of charges and what was computed, cell by cell; `says_…` whether any row of the source says it. The number of an hour
# or, where the source writes within one hour of each day only, of a day is its slot. Metered and fixed costs are there for the providers
# that the source names.
CELLS = """
CREATE OR REPLACE TEMP TABLE charged AS SELECT * EXCLUDE (day), strftime(ts AT TIME ZONE '{zone}', '%Y-%m-%d') AS day,
    strftime(ts AT TIME ZONE '{zone}', '%G-W%V') AS week, strftime(ts AT TIME ZONE '{zone}', '%Y-%m') AS month
FROM charges WHERE source = '{source}';
DELETE FROM charged WHERE NOT ({within});
CREATE OR REPLACE TEMP TABLE says AS
SELECT count(provider) > 0 AS says_provider, count(model) > 0 AS says_model, count(tenant) > 0 AS says_tenant, {says} FROM charged;
CREATE OR REPLACE TEMP TABLE others AS
SELECT {bucket} AS bucket, provider AS p, CASE WHEN says_model THEN NULL ELSE 'all' END AS m, day, kind, low, high, unknown, {other_keys}
FROM (SELECT *, NULL AS model, NULL AS "user" FROM expenses), says
WHERE says_provider AND provider IN (SELECT provider FROM charged);

CREATE OR REPLACE TEMP TABLE mine AS
SELECT {bucket} AS bucket, CASE WHEN says_provider THEN provider ELSE 'all' END AS p, CASE WHEN says_model THEN model ELSE 'all' END AS m,
    CASE WHEN says_provider AND provider IN (SELECT p FROM others WHERE kind = 'fixed') AND ((says_tenant AND tenant IS NULL)
            OR provider NOT IN (SELECT p FROM others WHERE kind = 'metered' UNION SELECT provider FROM priced WHERE {within}
                AND provider IS NOT NULL)) THEN 'fixed'
        WHEN says_tenant AND tenant IS NULL AND (SELECT count(*) > 0 AND count(tenant) = count(*) FROM priced WHERE {within})
        THEN 'without_tenant' END AS own_part,
    day, epoch_us(ts) // 3600000000 AS hour, CAST(amount * 1000000000000 AS HUGEINT) AS units, {keys}
FROM charged, says;

CREATE OR REPLACE TEMP TABLE theirs AS
SELECT {bucket} AS bucket, CASE WHEN says_provider THEN provider ELSE 'all' END AS p, CASE WHEN says_model THEN model ELSE 'all' END AS m,
    epoch_us(ts) // 3600000000 AS hour, CAST(low AS HUGEINT) AS low, CAST(high AS HUGEINT) AS high, unpriced, {keys}
FROM priced, says WHERE {within};

CREATE OR REPLACE TEMP TABLE slots AS
SELECT p, max(hours) = 1 AS are_days FROM (SELECT p, hour // 24 AS day, count(DISTINCT hour) AS hours FROM mine GROUP BY ALL) GROUP BY p;
CREATE OR REPLACE TEMP TABLE heard AS
SELECT DISTINCT mine.p, CASE WHEN are_days THEN hour // 24 ELSE hour END AS slot
FROM mine JOIN slots ON mine.p IS NOT DISTINCT FROM slots.p;
CREATE OR REPLACE TEMP TABLE used AS
SELECT DISTINCT theirs.p, CASE WHEN coalesce(are_days, true) THEN hour // 24 ELSE hour END AS slot
FROM theirs LEFT JOIN slots ON theirs.p IS NOT DISTINCT FROM slots.p;

CREATE OR REPLACE TEMP TABLE cells AS
WITH one AS (
    SELECT bucket, mine.p, m, {names}, 1 AS rows, 0 AS calls, 0 AS readings, units AS reported, 0 AS low, 0 AS high, false AS unpriced,
        CASE WHEN own_part IS NOT NULL THEN own_part
            WHEN NOT EXISTS (FROM used WHERE used.p IS NOT DISTINCT FROM mine.p AND used.slot = CASE WHEN are_days THEN hour // 24 ELSE hour END)
                AND NOT EXISTS (FROM others WHERE others.p = mine.p AND kind = 'metered' AND others.day = mine.day)
            THEN 'without_usage' ELSE 'compared' END AS part
    FROM mine JOIN slots ON mine.p IS NOT DISTINCT FROM slots.p
    UNION ALL
    SELECT bucket, theirs.p, m, {names}, 0, 1, 0, 0, low, high, unpriced,
        CASE WHEN EXISTS (FROM heard WHERE heard.p IS NOT DISTINCT FROM theirs.p AND heard.slot = CASE WHEN are_days THEN hour // 24 ELSE hour END)
            THEN 'compared' ELSE 'without_charges' END
    FROM theirs LEFT JOIN slots ON theirs.p IS NOT DISTINCT FROM slots.p
    WHERE bucket IN (SELECT bucket FROM mine)
    UNION ALL
    SELECT bucket, p, m, {names}, 0, 0, 1, 0, low, high, unknown, CASE WHEN kind = 'fixed' THEN 'standing'
        WHEN EXISTS (FROM mine WHERE mine.p = others.p AND mine.day = others.day) THEN 'compared' ELSE 'without_charges' END
    FROM others WHERE bucket IN (SELECT bucket FROM mine))
SELECT bucket, {names}, p, m, sum(rows) AS rows, sum(calls) AS calls, sum(reported) AS reported, sum(low) AS computed, sum(high) AS computed_high,
    bool_or(unpriced) AS unpriced,
    coalesce(sum(reported) FILTER (part = 'fixed'), 0) - coalesce(sum(low) FILTER (part = 'standing'), 0) AS base,
    coalesce(sum(high - low) FILTER (part = 'standing'), 0) AS base_width,
    coalesce(sum(reported) FILTER (part = 'without_tenant'), 0) AS without_tenant,
    coalesce(sum(reported) FILTER (part = 'without_usage'), 0) AS without_usage,
    -coalesce(sum(low) FILTER (part = 'without_charges'), 0) AS without_charges,
    sum(reported - low) FILTER (part = 'compared') AS d,
    sum(high - low) FILTER (part = 'compared') AS width,
    coalesce(bool_or(unpriced) FILTER (part = 'compared'), false) AS lacks,
    coalesce(sum(rows) FILTER (part = 'compared'), 0) AS n,
    coalesce(sum(calls + readings) FILTER (part = 'compared'), 0) AS k
FROM one GROUP BY ALL;
"""

# What is left of a difference after each part that was taken off it.
PARTED = """
WITH a AS (SELECT *, coalesce(d, 0) AS rest, n > 0 AND k > 0 AS has_both, greatest(0, least(base, base_width)) AS base_range FROM cells),
b AS (SELECT *, CASE WHEN has_both AND rest > 0 THEN least(rest, width) ELSE 0 END AS price_range FROM a),
c AS (SELECT *, CASE WHEN has_both AND rest - price_range > 0 AND lacks THEN rest - price_range ELSE 0 END AS unpriced_part FROM b),
d AS (SELECT *, rest - price_range - unpriced_part AS left_over, {half} * n AS bound FROM c),
e AS (SELECT *, CASE WHEN has_both THEN greatest(-bound, least(bound, left_over)) ELSE 0 END AS rounding FROM d)
SELECT bucket, {names}, sum(rows), sum(calls), sum(reported), sum(computed), sum(computed_high), bool_or(unpriced), sum(base - base_range),
    sum(without_tenant), sum(without_usage), sum(without_charges), sum(price_range + base_range), sum(unpriced_part), sum(rounding),
    sum(CASE WHEN has_both THEN left_over - rounding ELSE 0 END), sum(CASE WHEN has_both THEN 0 ELSE rest END)
FROM e GROUP BY ALL
"""


def money(units):
    return Decimal(int(units or 0)).scaleb(-12)


def half_place(lake, log, source):
    """Half of the last decimal that a source writes, in units of 1e-12."""
    amounts = lake.execute(f"SELECT DISTINCT amount FROM {log} WHERE source = '{source}'").fetchall()
    places = max(max(0, -value.normalize().as_tuple().exponent) for (value,) in amounts)
    return 5 * 10 ** (11 - places)


def row_of(row, by):
    """What a row of an oracle says, as the command prints it."""
    count, calls, reported, low, high, unpriced, *parts = row[1 + len(by):]
    return {
        "rows": int(count), "requests": int(calls), "reported": money(reported), "low": money(low),
        "high": None if unpriced else money(high), **dict(zip(PARTS, map(money, parts)))}


def printed(row):
    low, high, _ = amount(row["computed"])
    return {
        "rows": row["rows"], "requests": row["requests"], "reported": Decimal(row["reported"]), "low": low, "high": high,
        **{part: Decimal(row[part]) for part in PARTS}}


def key(row, by):
    return (row["period"], *(row[name] if isinstance(row[name], str) else row[name]["missing"] for name in by))


def compare(vesper, homes, product, by, every="all"):
    flags = [*PERIOD, "--compare", "--every", every, "--by", ",".join(by)]
    return vesper.json("costs", homes.home(product), flags=flags, data=product.sample.parent, job=product.job)


# A model goes by its name in the book, which has no day of release; openrouter's has no price and goes by its own.
NAME = {"model": "CASE provider WHEN 'anthropic' THEN regexp_replace(model, '-[0-9]{8}$', '') ELSE model END"}


def views_of_charges(product, lake, source, by, every):
    def named_keys(model):
        return ", ".join(f"CASE WHEN says_{name} THEN coalesce({model.get(name, name)}, 'none') ELSE 'all' END AS k_{name}" for name in by)

    names = ", ".join(f"k_{name}" for name in by)
    says = ", ".join(f"count({name}) > 0 AS says_{name}" for name in by if name not in ("provider", "model", "tenant")) or "0"
    rows = [[part, day, provider, tenant, line.low, line.high, not line.complete]
            for (part, day, provider, _, tenant), line in Expenses(product.name, lake).lines(DAYS).items()]
    lake.execute("CREATE OR REPLACE TEMP TABLE stated (kind TEXT, day TEXT, provider TEXT, tenant TEXT, low HUGEINT, high HUGEINT, unknown BOOL)")
    lake.executemany("INSERT INTO stated VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
    lake.execute("""CREATE OR REPLACE TEMP TABLE expenses AS SELECT *, strftime(CAST(day AS DATE), '%G-W%V') AS week,
        strftime(CAST(day AS DATE), '%Y-%m') AS month FROM stated""")
    lake.execute(CELLS.format(
        zone=product.zone, source=source, bucket=BUCKET[every], within=WITHIN, keys=named_keys(NAME), other_keys=named_keys({}),
        names=names, says=says))
    found = lake.execute(PARTED.format(half=half_place(lake, "charges", source), names=names)).fetchall()
    rows = {row[: 1 + len(by)]: row_of(row, by) for row in found}
    # What costs nothing and is not charged has nothing to be compared.
    return {k: row for k, row in rows.items() if row["rows"] or row["low"] or row["high"] != 0}


CHARGES = [
    (aspendos.PRODUCT, "cost_logs", ["provider"], "all"), (aspendos.PRODUCT, "cost_logs", ["provider", "model"], "all"),
    (aspendos.PRODUCT, "cost_logs", ["provider"], "week"), (aspendos.PRODUCT, "cost_logs", ["user"], "all"),
    (aspendos.PRODUCT, "cost_logs", ["provider"], "day"), (aspendos.PRODUCT, "cost_logs", ["tenant"], "month"),
    (aspendos.PRODUCT, "usage_logs", ["provider"], "all"), (aspendos.PRODUCT, "usage_logs", ["user"], "week"),
    (neni.PRODUCT, "ProviderCost", ["provider"], "all"), (neni.PRODUCT, "ProviderCost", ["provider"], "week"),
    (neni.PRODUCT, "ProviderCost", ["tenant"], "all"), (neni.PRODUCT, "ProviderCost", ["tenant", "provider"], "month"),
]


def named(value):
    return getattr(value, "name", ",".join(value) if isinstance(value, list) else value)


@pytest.mark.parametrize("product,source,by,every", CHARGES, ids=named)
def test_charges_and_the_parts_of_their_difference_are_those_of_duckdb(vesper, homes, product, source, by, every):
    shown = compare(vesper, homes, product, by, every)
    rows = [row for row in shown["rows"] if row["source"] == source]
    found = {}
    for row in rows:
        k = key(row, by)
        found[(k[0][:7], *k[1:]) if every == "month" else k] = printed(row)
        parts = printed(row)
        assert Decimal(row["difference"]) == parts["reported"] - parts["low"] == sum(parts[part] for part in PARTS)
    expected = views_of_charges(product, homes.lake(product), source, by, every)
    assert len(found) == len(rows) and found == expected
    # Each source by itself is all of its charges: nothing is lost, and nothing of another source is in it.
    whole = homes.lake(product).execute(f"SELECT sum(amount), count(*) FROM charges WHERE source = '{source}'").fetchone()
    assert (sum(row["reported"] for row in found.values()), sum(row["rows"] for row in found.values())) == whole


def test_the_hour_that_one_log_lacks_is_a_part_of_its_own_and_is_named(vesper, homes):
    truth = TRUTH["aspendos"]["stories"]
    shown = compare(vesper, homes, aspendos.PRODUCT, ["provider"])
    lost = homes.lake(aspendos.PRODUCT).execute(
        "SELECT sum(amount), count(*) FROM charges WHERE source = 'usage_logs' AND ts >= ? AND ts < ?",
        [truth["missing_hour"]["from"], truth["missing_hour"]["to"]]).fetchone()
    assert lost[1] == truth["missing_hour"]["charge_rows"]
    (whole,) = [row for row in shown["rows"] if row["source"] == "usage_logs"]
    assert Decimal(whole["without_usage"]) == lost[0]
    hour = truth["missing_hour"]["from"][:13]
    for source in ("cost_logs", "usage_logs"):
        assert f"The usage log is silent in 1 hour in which {source} has rows: {hour}Z." in shown["notes"]
        sums = [row for row in shown["rows"] if row["source"] == source]
        assert sum(Decimal(row["reported"]) for row in sums) == Decimal(truth["charges"][source])


# MARK: - Bills

BILLS = """
SELECT coalesce(lower(vendor), 'none') AS vendor, CAST(period_start AS VARCHAR), CAST(period_end AS VARCHAR), currency, count(*), count(*) FILTER (part IS DISTINCT FROM 'base'),
    sum(amount), coalesce(sum(amount) FILTER (part = 'base'), 0)
FROM invoices GROUP BY ALL
"""


@pytest.mark.parametrize("product", [kalei.PRODUCT, talentprompt.PRODUCT, voyager.PRODUCT], ids=named)
def test_bills_and_the_parts_of_their_difference_are_those_of_duckdb(vesper, homes, product):
    lake = homes.lake(product)
    (source,) = lake.execute("SELECT DISTINCT source FROM invoices").fetchone()
    shown = {
        (row["period"], row["provider"].lower(), row["currency"]): row
        for row in compare(vesper, homes, product, ["provider"])["rows"] if row["view"] == "invoices"}
    half, expenses = half_place(lake, "invoices", source), Expenses(product.name, lake)
    months = {}
    for (part, day, provider, *_), line in expenses.lines(MONTHS).items():
        if line.low or line.high or not line.complete:
            months.setdefault((day[:7], (provider or "none").lower()), []).append((part, line))
    seen = set()
    for vendor, start, end, currency, count, lines, whole, base in lake.execute(BILLS).fetchall():
        row = shown[start[:7], vendor, "USD"]
        seen.add((start[:7], vendor, "USD"))
        worth = expenses.worth(currency, date.fromisoformat(start[:10]))
        amounts = lake.execute(
            "SELECT amount, part IS NOT DISTINCT FROM 'base' FROM invoices WHERE lower(vendor) = ? AND CAST(period_start AS VARCHAR) = ?",
            [vendor, start]).fetchall()
        changed = [(money(round(Fraction(value) * worth * 10**12)), is_base) for value, is_base in amounts]
        whole, base = sum(value for value, _ in changed), sum(value for value, is_base in changed if is_base)
        assert (row["rows"], Decimal(row["reported"])) == (count, whole)
        calls, low, high, unpriced = lake.execute(
            "SELECT count(*), coalesce(sum(low), 0), coalesce(sum(high), 0), coalesce(bool_or(unpriced), false) FROM priced "
            "WHERE provider = ? AND ts >= ? AND ts < ?", [vendor, start, end]).fetchone()
        stated = months.get((start[:7], vendor), [])
        standing = [line for part, line in stated if part == "fixed"]
        fixed_low, fixed_high = sum(line.low for line in standing), sum(line.high for line in standing)
        assert all(part == "fixed" for part, _ in stated), "no vendor of these products is metered"
        if standing and calls == 0:
            base, lines = whole, 0
        parts = dict.fromkeys(PARTS, Decimal(0))
        rest = base - money(fixed_low)
        parts["price_range"] = max(Decimal(0), min(rest, money(fixed_high - fixed_low)))
        parts["fixed"] = rest - parts["price_range"]
        rest = whole - base - money(low)
        if calls == 0:
            parts["without_usage"] = rest
        elif lines == 0:
            parts["without_charges"] = rest
        else:
            within = max(Decimal(0), min(rest, money(high) - money(low)))
            parts["price_range"] += within
            rest -= within
            if unpriced and rest > 0:
                parts["unpriced"], rest = rest, Decimal(0)
            bound = money(round(Fraction(half) * worth)) * lines
            parts["rounding"] = max(-bound, min(bound, rest))
            parts["price_gap"] = rest - parts["rounding"]
        found = printed(row)
        assert {part: found[part] for part in PARTS} == parts, vendor
        assert (found["requests"], found["low"]) == (calls, money(low + fixed_low))
        assert Decimal(row["difference"]) == whole - found["low"] == sum(parts.values())
    # What has cost in a billed month and no bill says that; it is not 0.
    for place, row in shown.items():
        if place not in seen:
            assert row["reported"] == row["difference"] == {"missing": "no bill"} and row["rows"] == 0
            assert row["requests"] > 0 or place[:2] in months
    assert {place[:2] for place in shown} >= months.keys()


def test_the_bills_of_october_are_held_against_the_truths_own_computed_cost(vesper, homes):
    for product, figure, vendor in [
        (kalei.PRODUCT, TRUTH["kalei"]["stories"]["invoices"]["computed_by_month_utc"]["2026-10"], "anthropic"),
        (voyager.PRODUCT, TRUTH["voyager"]["stories"]["vendor_bills"]["computed_by_month"]["2026-10"], "anthropic"),
    ]:
        rows = compare(vesper, homes, product, ["provider"])["rows"]
        (row,) = [row for row in rows if (row["period"], row["provider"], row["view"]) == ("2026-10", vendor, "invoices")]
        assert row["computed"] == figure
        assert Decimal(row["rounding"]) == Decimal(row["difference"]) != 0


@pytest.mark.parametrize("product,log", [(kalei.PRODUCT, "charges"), (talentprompt.PRODUCT, "charges"), (voyager.PRODUCT, "charges"),
                                         (aspendos.PRODUCT, "invoices"), (neni.PRODUCT, "invoices")], ids=named)
def test_a_view_that_no_source_fills_is_not_exported_and_not_zero(vesper, homes, product, log):
    rows = [row for row in compare(vesper, homes, product, ["provider"])["rows"] if row["view"] == log]
    assert rows and all(row["reported"] == row["difference"] == {"missing": "not exported"} for row in rows)
    calls, low = homes.lake(product).execute(f"SELECT count(*), sum(low) FROM priced WHERE {WITHIN}").fetchone()
    # Bills would show what is paid by the month and by meters too.
    others = Expenses(product.name, homes.lake(product)).lines(DAYS).values() if log == "invoices" else []
    found = sum(row["requests"] for row in rows), sum(amount(row["computed"])[0] for row in rows)
    assert found == (calls, money(low + sum(line.low for line in others)))
