"""What usage cost, worked out once more by DuckDB from the lake and the price books alone: SQL, exact integers, no code of Vesper.

    priced(open_lake(home), price_book("kalei"))   # the table `priced`: one row for each call, its cost in units of 1e-12

What rows do not say of themselves a product's own SQL finds: a table `found` of (n, tenant, user, plan), by default Kalei's.
"""

import json
import re
from datetime import date, timedelta
from decimal import Decimal
from fractions import Fraction
from math import lcm

from conftest import ROOT, open_lake

ZONE = "Europe/Berlin"
METERS = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"]
TOKENS = [meter + "_tokens" for meter in METERS]

# MARK: - Price books

STRING = r'("(?:\\.|[^"\\])*")'


def json5(text):
    """Enough of JSON5 for a price book or a job: comments, bare keys and trailing commas."""
    text = re.sub(STRING + r"|//[^\n]*", lambda match: match[1] or "", text)
    return json.loads(re.sub(STRING + r"|(\w+)(?=\s*:)|,(?=\s*[}\]])", lambda m: m[1] or (f'"{m[2]}"' if m[2] else ""), text))


def price_book(name="kalei", folder=ROOT / "Jobs"):
    """The price books that a job names, as one: `prices` and `aliases`. What names no currency is in dollars, as all five reports are."""
    files = json5((folder / f"{name}.json5").read_text(encoding="utf-8"))["prices"]
    return joined(json5((folder / file).read_text(encoding="utf-8")) for file in files)


def joined(books):
    whole = {"prices": [], "aliases": {}}
    for book in books:
        own = {} if book["currency"] == "USD" else {"currency": book["currency"]}
        whole["prices"] += [{**own, **entry} for entry in book["prices"]]
        whole["aliases"] |= book.get("aliases", {})
    return whole


def known(book, day):
    """A book as it was on a day."""
    return {**book, "prices": [entry for entry in book["prices"] if entry["known_from"] <= day]}


KEYS = {
    "provider", "model", "metric", "service", "tier", "above_input_tokens", "rates", "rate", "bands", "per", "increment", "unit",
    "currency", "mocked", "approximate", "labels", "valid_from", "valid_to", "known_from", "source",
}

# A unit's kind, and how many of the kind's smallest unit it is. Whatever stands for itself converts into nothing else.
UNITS = {
    "millisecond": ("time", 1), "second": ("time", 1000), "minute": ("time", 60_000), "hour": ("time", 3_600_000),
    "byte": ("data", 1), "KB": ("data", 10**3), "MB": ("data", 10**6), "GB": ("data", 10**9), "TB": ("data", 10**12),
    "KiB": ("data", 2**10), "MiB": ("data", 2**20), "GiB": ("data", 2**30), "TiB": ("data", 2**40),
    "GB-month": ("stored", 10**9), "GiB-month": ("stored", 2**30), "TB-month": ("stored", 10**12),
    **{name: (name, 1) for name in [
        "token", "month", "year", "once", "seat-month", "host-month", "replica-month", "character", "image", "clip", "page", "request",
        "search", "query", "session", "message", "code", "user"]},
}
WORDS = {word: unit for unit in UNITS for word in (
    unit, unit + "s", unit + "es" if unit.endswith("ch") else unit, unit[:-1] + "ies" if unit.endswith("y") else unit)}


def amount(text):
    """'15 seconds' → (15000, 'time'): how many of the smallest unit of which kind."""
    count, _, word = text.rpartition(" ")
    kind, factor = UNITS[WORDS[word]]
    scale = {"K": 1000, "M": 1_000_000}.get(count[-1:], 1)
    return (int(count.rstrip("KM")) if count else 1) * scale * factor, kind


def listed(value):
    return value if isinstance(value, list) else [value]


def ends(rate):
    """The low and the high end of a rate as exact numbers."""
    return [Fraction(Decimal(end)) for end in (rate if isinstance(rate, list) else [rate, rate])]


def statements(book):
    """One row for each provider, name and meter of a book's models, and beside it what it says of money."""
    for entry in book["prices"]:
        assert entry.keys() <= KEYS, entry.keys() - KEYS
        assert len(entry.keys() & {"model", "metric", "service"}) == 1 == len(entry.keys() & {"rates", "rate", "bands"})
        if "model" not in entry:
            continue
        per, kind = amount(entry.get("per", "1M tokens"))
        step = amount(entry["increment"])[0] if "increment" in entry else 0
        rates = entry.get("rates") or {"quantity": entry.get("rate")}
        for counted, rate in rates.items():
            begins, bands = Fraction(0), []
            for band in entry.get("bands") or [{"rate": rate}]:
                low, high = ends(band["rate"])
                end = Fraction(Decimal(band["up_to"])) * UNITS[WORDS[entry["per"].split(" ")[-1]]][1] if "up_to" in band else None
                bands.append((begins, end, low / per, high / per))
                begins = end
            for provider in listed(entry["provider"]):
                for name in listed(entry["model"]):
                    yield {
                        "provider": provider, "tier": entry.get("tier", "standard"), "counted": counted, "kind": kind, "step": step,
                        "tiered": len(bands) > 1, "above": entry.get("above_input_tokens", -1), **fitting(name, dated=True), "mocked": entry.get("mocked", False),
                        "valid_from": entry["valid_from"], "valid_to": entry.get("valid_to", "9999-12-31"),
                        "known_from": entry["known_from"],
                    }, entry.get("currency", "USD"), bands


def fitting(name, dated=False):
    """Which names fit a name of a book, and how well: a longer name before a shorter one, a whole name before the beginning of one."""
    stem = name.removesuffix("*")
    end = ".*" if name.endswith("*") else "([-@][0-9]{8})?" if dated else ""
    return {"pattern": f"(?s){re.escape(stem)}{end}", "length": 2 * len(stem) + (stem == name)}


# MARK: - SQL

EVENTS = """
CREATE MACRO half_even(p, d) AS p // d + CASE WHEN 2 * (p % d) > d OR (2 * (p % d) = d AND (p // d) % 2 = 1) THEN 1 ELSE 0 END;

CREATE TABLE events AS
SELECT row_number() OVER () AS n, * EXCLUDE (tenant, "user", plan, day), strftime(ts, '%Y-%m-%d') AS day_utc,
    strftime(ts AT TIME ZONE '{zone}', '%Y-%m-%d') AS day, strftime(ts AT TIME ZONE '{zone}', '%G-W%V') AS week,
    strftime(ts AT TIME ZONE '{zone}', '%Y-%m') AS month, date_diff('minute', ts AT TIME ZONE 'UTC', ts AT TIME ZONE '{zone}') AS ahead,
    strftime(ts AT TIME ZONE '{zone}', '%Y-%m-%dT%H:00') || printf('%s%02d:%02d', if(ahead < 0, '-', '+'), abs(ahead) // 60, abs(ahead) % 60)
        AS hour, tenant AS own_tenant, "user" AS own_user, plan AS own_plan,
    -- A decimal prints all of its places: without the point it is a whole number of 1e-12.
    CAST(replace(CAST(CAST(quantity AS DECIMAL(38, 12)) AS VARCHAR), '.', '') AS HUGEINT) AS units
FROM usage;
"""

# The newest version of every agreement; at a call's time the one that began last counts.
KALEI = """
CREATE TABLE agreements AS
SELECT id, parent, plan, CAST(attributes ->> 'started_at' AS TIMESTAMPTZ) AS starts,
    coalesce(CAST(attributes ->> 'ends_at' AS TIMESTAMPTZ), 'infinity') AS ends
FROM snapshots WHERE kind = 'subscription'
QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC) = 1;

CREATE TABLE found AS
SELECT n, own_tenant AS tenant, own_user AS "user", coalesce(own_plan, agreements.plan, 'free') AS plan
FROM events LEFT JOIN agreements ON parent = own_user AND starts <= ts AND ts < ends
QUALIFY row_number() OVER (PARTITION BY n ORDER BY starts DESC, agreements.id DESC) = 1;
"""

HOLDING = """
CREATE TABLE classes AS SELECT row_number() OVER () AS class, *
FROM (SELECT DISTINCT provider, model, coalesce(service_tier, 'standard') AS tier FROM events);

-- A model by the book's own name for it.
CREATE TABLE named AS SELECT class, provider, tier, coalesce(target, model) AS model
FROM classes LEFT JOIN aliases ON regexp_full_match(model, pattern)
QUALIFY row_number() OVER (PARTITION BY class ORDER BY length DESC) = 1;

-- Of two statements about the same thing from the same day on, the one known last is all that counts, also after its own end.
CREATE TABLE candidates AS SELECT class, rates.*
FROM named JOIN (FROM rates QUALIFY row_number() OVER
    (PARTITION BY provider, pattern, tier, counted, kind, above, valid_from ORDER BY known_from DESC) = 1) AS rates
ON rates.tier = named.tier AND rates.provider = coalesce(named.provider, rates.provider) AND regexp_full_match(model, pattern)
-- A call that does not name its provider must be of a model that only one provider has.
QUALIFY min(rates.provider) OVER (PARTITION BY class) = max(rates.provider) OVER (PARTITION BY class);

-- What counts for each class of calls on each day.
CREATE TABLE holding AS SELECT class, day_utc, candidates.* EXCLUDE (class)
FROM (SELECT DISTINCT class, day_utc FROM events JOIN classes ON classes.provider IS NOT DISTINCT FROM events.provider
    AND classes.model IS NOT DISTINCT FROM events.model AND tier = coalesce(service_tier, 'standard')) JOIN candidates USING (class)
WHERE day_utc BETWEEN valid_from AND valid_to
QUALIFY row_number() OVER (PARTITION BY class, day_utc, counted, kind, above ORDER BY length DESC, known_from DESC, valid_from DESC) = 1;
"""

PRICED = """
CREATE TABLE called AS
SELECT events.*, class, coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0)
    + coalesce(cache_write_1h_tokens, 0) AS whole
FROM events JOIN classes ON classes.provider IS NOT DISTINCT FROM events.provider
    AND classes.model IS NOT DISTINCT FROM events.model AND tier = coalesce(service_tier, 'standard');

-- All meters of a call take the rates of the highest threshold that its whole input, cache included, is larger than.
CREATE TABLE levels AS SELECT n, max(above) AS above, bool_or(counted = 'reasoning' AND above = highest) AS thinks
FROM (SELECT n, above, counted, max(above) OVER (PARTITION BY n) AS highest
    FROM called JOIN holding USING (class, day_utc) WHERE counted <> 'quantity' AND above < whole) GROUP BY n;

-- Reasoning tokens are a part of the output: they come off it where they have a price of their own, and are nothing beside it where not.
CREATE TABLE counts AS
SELECT n, class, day_utc, above, counts.* FROM (SELECT *, coalesce(thinks AND reasoning_tokens IS NOT NULL, FALSE) AS apart
    FROM called LEFT JOIN levels USING (n)) CROSS JOIN LATERAL (VALUES
    ('input', input_tokens), ('cache_read', cache_read_tokens), ('cache_write_5m', cache_write_5m_tokens),
    ('cache_write_1h', cache_write_1h_tokens),
    ('output', CASE WHEN apart THEN greatest(0, coalesce(output_tokens, 0) - reasoning_tokens) ELSE output_tokens END),
    ('reasoning', CASE WHEN apart THEN reasoning_tokens END)) AS counts (counted, tokens)
WHERE tokens IS NOT NULL;

-- What is charged: tokens, or so much of a quantity's smallest unit × 1e12, in whole steps. All that one name of a book prices fills the
-- volume tiers of its calendar month together; what is charged at a flat rate fills none.
CREATE TABLE charged AS
SELECT n, class, day_utc, counts.counted, tokens, r, mocked, CAST(tokens AS HUGEINT) AS charged, CAST(0 AS HUGEINT) AS before
FROM counts LEFT JOIN holding USING (class, day_utc, counted, above) WHERE tokens > 0;
INSERT INTO charged
SELECT n, class, day_utc, 'quantity', 0, r, mocked, stepped,
    coalesce(sum(stepped) FILTER (tiered) OVER (PARTITION BY priced_by, kind, month ORDER BY ts, source_file, source_record
        ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
FROM (SELECT called.*, r, mocked, tiered, holding.kind, (holding.provider, pattern, tier) AS priced_by, CASE WHEN step = 0 THEN units * factor
        ELSE (units * factor + step * 1000000000000 - 1) // (step * 1000000000000) * step * 1000000000000 END AS stepped
    FROM called LEFT JOIN words ON word = unit
    LEFT JOIN holding ON (holding.class, holding.day_utc, holding.counted, holding.kind)
        = (called.class, called.day_utc, 'quantity', words.kind)
    WHERE units > 0);

-- One call × one meter is the atom: all of its volume tiers together, rounded once.
CREATE TABLE atoms AS
SELECT n, counted, any_value(tokens) AS tokens, coalesce(any_value(mocked), FALSE) AS mocked, bool_or(d IS NULL) AS unpriced,
    half_even(sum(part * low_n), any_value(d)) AS low, half_even(sum(part * high_n), any_value(d)) AS high
FROM (SELECT charged.*, d, low_n, high_n,
        greatest(0, least(before + charged, coalesce(ends, before + charged)) - greatest(before, begins)) AS part
    FROM charged LEFT JOIN bands ON bands.r = charged.r AND coalesce(bands.day, day_utc) = day_utc)
GROUP BY n, counted;

CREATE TABLE priced AS
SELECT called.* EXCLUDE (whole, class, units), tenant, "user", plan, coalesce(low, 0) AS low, coalesce(high, 0) AS high,
    coalesce(shadow_low, 0) AS shadow_low, coalesce(shadow_high, 0) AS shadow_high, coalesce(lost, 0) AS unpriced_tokens,
    -- What was not exported is unknown, and not nothing.
    lost IS NOT NULL OR (units IS NULL AND n NOT IN (SELECT n FROM counts)) AS unpriced
FROM called JOIN found USING (n) LEFT JOIN (
    SELECT n, sum(low) FILTER (NOT mocked) AS low, sum(high) FILTER (NOT mocked) AS high, sum(low) FILTER (mocked) AS shadow_low,
        sum(high) FILTER (mocked) AS shadow_high, sum(tokens) FILTER (unpriced) AS lost FROM atoms GROUP BY n) USING (n);
"""


def priced(lake, book, zone=ZONE, found=KALEI, exchange=None):
    """Makes the table `priced` in a lake. `exchange` gives for a currency and a day what one of it costs, exactly, or None."""
    before = {name for name, in lake.execute("SELECT table_name FROM duckdb_tables()").fetchall()}
    lake.execute("DROP MACRO IF EXISTS half_even")
    lake.execute("DROP TABLE IF EXISTS priced")
    lake.execute(EVENTS.format(zone=zone) + found)
    rates = list(statements(book))
    insert(lake, "rates", {
        "r": "INT", "provider": "TEXT", "tier": "TEXT", "counted": "TEXT", "kind": "TEXT", "step": "HUGEINT", "tiered": "BOOL", "above": "BIGINT",
        "pattern": "TEXT", "length": "INT", "mocked": "BOOL", "valid_from": "TEXT", "valid_to": "TEXT", "known_from": "TEXT",
    }, [{"r": r, **row} for r, (row, _, _) in enumerate(rates)])
    insert(lake, "aliases", {"pattern": "TEXT", "length": "INT", "target": "TEXT"}, [
        {**fitting(name), "target": target} for name, target in book["aliases"].items()])
    insert(lake, "words", {"word": "TEXT", "kind": "TEXT", "factor": "HUGEINT"}, [
        {"word": word, "kind": UNITS[unit][0], "factor": UNITS[unit][1]} for word, unit in WORDS.items()])
    lake.execute(HOLDING)
    insert(lake, "bands", {
        "r": "INT", "day": "TEXT", "begins": "HUGEINT", "ends": "HUGEINT", "low_n": "HUGEINT", "high_n": "HUGEINT", "d": "HUGEINT",
    }, list(money_of(lake, rates, exchange)))
    lake.execute(PRICED)
    # What was only on the way leaves its names to others.
    for name, in lake.execute("SELECT table_name FROM duckdb_tables()").fetchall():
        if name not in {"priced", *before}:
            lake.execute(f"DROP TABLE {name}")
    return lake


def insert(lake, table, columns, rows):
    lake.execute(f"CREATE TABLE {table} ({', '.join(f'{name} {kind}' for name, kind in columns.items())})")
    marks = ", ".join("?" for _ in columns)
    if rows:
        lake.executemany(f"INSERT INTO {table} VALUES ({marks})", [[row[name] for name in columns] for row in rows])


def money_of(lake, rates, exchange):
    """For every price that a call may take, on its day where that matters: the bands as whole numbers over one denominator."""
    for r, days in lake.execute("SELECT r, list(DISTINCT day_utc) FROM holding GROUP BY 1 ORDER BY 1").fetchall():
        row, currency, bands = rates[r]
        for day in [None] if currency == "USD" else sorted(days):
            worth = Fraction(1) if day is None else exchange and exchange(currency, day)
            if worth is None:
                continue
            # Tokens are counted one by one; quantities in 1e-12, as the cost is.
            unit = worth * (10**12 if row["counted"] != "quantity" else 1)
            d = lcm(*((rate * unit).denominator for band in bands for rate in band[2:]))
            for begins, end, low, high in bands:
                yield {
                    "r": r, "day": day, "begins": whole(begins * 10**12), "ends": None if end is None else whole(end * 10**12),
                    "low_n": whole(low * unit * d), "high_n": whole(high * unit * d), "d": d,
                }


def whole(fraction):
    assert fraction.denominator == 1, fraction
    return fraction.numerator


def carried(rates):
    """Exchange rates by (currency, day): a day's own, else the newest earlier one's, at most seven days old."""

    def worth(currency, day):
        days = [(date.fromisoformat(day) - timedelta(back)).isoformat() for back in range(8)]
        return next((rates[currency, known] for known in days if (currency, known) in rates), None)

    return worth


# MARK: - Groups

def money(units):
    """Units of 1e-12 as an exact decimal."""
    return Decimal(int(units or 0)).scaleb(-12)


def costs(lake, by, where="TRUE"):
    """Rows of (keys…): requests, users, tokens, low, high, what mocked services would cost, unpriced requests and tokens."""
    keys = ", ".join(f'"{name}"' for name in by) or "''"
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in TOKENS)
    query = f"""SELECT {keys}, count(*), count(DISTINCT "user"), {sums}, count(*) FILTER (unpriced), coalesce(sum(unpriced_tokens), 0),
        sum(low), sum(high), sum(shadow_low), sum(shadow_high) FROM priced WHERE {where} GROUP BY {keys}"""
    names = ["requests", "users", *TOKENS, "unpriced", "unpriced_tokens"]
    found = {}
    for row in lake.execute(query).fetchall():
        key, rest = (row[: len(by)], row[len(by):]) if by else ((), row[1:])
        amounts = zip(["low", "high", "shadow_low", "shadow_high"], map(money, rest[len(names):]))
        found[key] = {**{name: int(value) for name, value in zip(names, rest)}, **dict(amounts)}
    return found


# What a status says of a call that went well.
WELL = ["ok", "success", "succeeded", "successful", "completed", "complete", "done", "200"]


def details(lake, by, where="TRUE"):
    """Rows of (keys…): what is counted beside tokens and money. A percentile is the value at the place ⌈p × n ÷ 100⌉ of the sorted ones."""
    keys = ", ".join(f'"{name}"' for name in by) or "''"
    units = [unit for unit, in lake.execute(f"SELECT DISTINCT unit FROM priced WHERE ({where}) AND quantity IS NOT NULL ORDER BY 1").fetchall()]
    took = [
        f"list_sort(list({column}))[CAST(({percent} * count({column}) + 99) // 100 AS BIGINT)] AS {name}_p{percent}"
        for name, column in [("latency", "latency_ms"), ("first_token", "first_token_ms")] for percent in (50, 95, 99)]
    sums = [f"""sum(quantity) FILTER (unit = '{unit}') AS "quantity_{unit}\"""" for unit in units]
    bad = ", ".join(f"'{word}'" for word in WELL)
    query = f"""SELECT {keys}, count(*) AS requests, count(DISTINCT tenant) AS tenants, count(*) FILTER (attempt > 1) AS retries,
        count(status) AS with_status, count(*) FILTER (lower(status) NOT IN ({bad})) AS errors, {", ".join([*sums, *took])},
        count(*) - count(latency_ms) AS latency_unknown, count(*) - count(first_token_ms) AS first_token_unknown
        FROM priced WHERE {where} GROUP BY {keys}"""
    found = lake.execute(query)
    names = [column[0] for column in found.description][max(1, len(by)):]
    return {row[: len(by)]: dict(zip(names, row[max(1, len(by)):])) for row in found.fetchall()}


def assert_costs_of_duckdb(vesper, home, **given):
    """The command's totals and every day and plan are still those that DuckDB works out from the rows."""
    lake = priced(open_lake(home), price_book())
    shown = vesper.json("costs", home, flags=["--every", "day", "--by", "plan"], **given)
    for row in shown["rows"] + [shown["totals"]]:
        where = "TRUE" if row["day"] is None else f"day = '{row['day']}' AND plan = '{row['plan']}'"
        found = costs(lake, [], where)[()]
        cost = row["cost"] if isinstance(row["cost"], str) else row["cost"]["at_least"]
        assert (Decimal(cost), row["requests"], row["users"]) == (found["low"], found["requests"], found["users"]), row
        assert [row[name] for name in TOKENS] == [found[name] for name in TOKENS]
    return costs(lake, [])[()]["low"]
