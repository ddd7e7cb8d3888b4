"""What usage cost, worked out once more by DuckDB from the lake and the price book alone: SQL, exact integers, no code of Vesper.

    priced(open_lake(home), book)   # the table `priced`: one row for each call, its cost in units of 1e-12

What rows do not say of themselves a product's own SQL finds: a table `found` of (n, tenant, user, plan), by default Kalei's.
"""

import json
import re
from decimal import Decimal

from conftest import ROOT, open_lake

ZONE = "Europe/Berlin"
METERS = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"]
TOKENS = [meter + "_tokens" for meter in METERS]

STRING = r'("(?:\\.|[^"\\])*")'


def json5(text):
    """Enough of JSON5 for a price book: comments, bare keys and trailing commas."""
    text = re.sub(STRING + r"|//[^\n]*", lambda match: match[1] or "", text)
    return json.loads(re.sub(STRING + r"|(\w+)(?=\s*:)|,(?=\s*[}\]])", lambda m: m[1] or (f'"{m[2]}"' if m[2] else ""), text))


def price_book(path=ROOT / "Jobs" / "Prices" / "kalei.json5"):
    return json5(path.read_text(encoding="utf-8"))["prices"]


KEYS = {"provider", "model", "tier", "above_input_tokens", "rates", "per", "valid_from", "valid_to", "known_from", "source"}
PER = {"1M tokens": 1_000_000, "1K tokens": 1000}


def rates(book):
    """One row for each rate and model name: units of 1e-12 for one token, as a fraction of them for a million tokens."""
    for entry in book:
        assert entry.keys() <= KEYS
        names = [entry["model"]] if isinstance(entry["model"], str) else entry["model"]
        for meter, rate in entry["rates"].items():
            assert meter in METERS and meter != "reasoning", "the oracle prices reasoning as output only"
            low, high = [rate, rate] if isinstance(rate, str) else rate
            million = 1_000_000 // PER[entry.get("per", "1M tokens")]
            fractions = [part for end in (low, high) for part in (Decimal(end) * million).as_integer_ratio()]
            for name in names:
                stem = re.escape(name[:-1]) + ".*" if name.endswith("*") else re.escape(name) + "([-@][0-9]{8})?"
                dates = [entry["valid_from"], entry.get("valid_to", "9999-12-31"), entry["known_from"]]
                above = entry.get("above_input_tokens", -1)
                yield [entry["provider"], stem, len(name), entry.get("tier", "standard"), above, meter, *fractions, *dates]


EVENTS = """
CREATE MACRO half_even(p, d) AS p // d + CASE WHEN 2 * (p % d) > d OR (2 * (p % d) = d AND (p // d) % 2 = 1) THEN 1 ELSE 0 END;

CREATE TABLE events AS
SELECT row_number() OVER () AS n, ts, strftime(ts, '%Y-%m-%d') AS day_utc,
    strftime(ts AT TIME ZONE '{zone}', '%Y-%m-%d') AS day, strftime(ts AT TIME ZONE '{zone}', '%G-W%V') AS week,
    strftime(ts AT TIME ZONE '{zone}', '%Y-%m') AS month,
    tenant AS own_tenant, "user" AS own_user, plan AS own_plan, session, environment, feature, provider, model, service_tier, route,
    source, source_file, id, {tokens}
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

PRICED = """
-- All meters of a call take the rates of the highest threshold that its whole input, cache included, is larger than.
CREATE TABLE fitting AS
SELECT n, rates.* FROM rates JOIN (
    SELECT *, coalesce(input_tokens, 0) + coalesce(cache_read_tokens, 0) + coalesce(cache_write_5m_tokens, 0)
        + coalesce(cache_write_1h_tokens, 0) AS whole FROM events) AS events
ON rates.provider = events.provider AND regexp_full_match(model, pattern) AND tier = coalesce(service_tier, 'standard')
    AND day_utc BETWEEN valid_from AND valid_to AND above < whole
QUALIFY above = max(above) OVER (PARTITION BY n);

-- One call × one meter is the atom: rounded once.
CREATE TABLE atoms AS
SELECT n, counts.meter, tokens, low_d IS NULL AS unpriced,
    half_even(tokens * 1000000 * low_n, low_d) AS low, half_even(tokens * 1000000 * high_n, high_d) AS high
FROM (UNPIVOT (SELECT n, {meters} FROM events) ON {names} INTO NAME meter VALUE tokens) AS counts
LEFT JOIN fitting USING (n, meter)
WHERE tokens > 0
QUALIFY row_number() OVER (PARTITION BY n, counts.meter ORDER BY length DESC, known_from DESC, valid_from DESC) = 1;

CREATE TABLE priced AS
SELECT events.*, tenant, "user", plan, coalesce(low, 0) AS low, coalesce(high, 0) AS high, coalesce(lost, 0) AS unpriced_tokens,
    lost IS NOT NULL OR ({nothing}) AS unpriced
FROM events JOIN found USING (n) LEFT JOIN (
    SELECT n, sum(low) AS low, sum(high) AS high, sum(tokens) FILTER (unpriced) AS lost FROM atoms GROUP BY n) USING (n);
"""


def priced(lake, book, zone=ZONE, found=KALEI):
    """Makes the table `priced` in a lake."""
    lake.execute("DROP MACRO IF EXISTS half_even")
    for table in ("rates", "events", "agreements", "found", "fitting", "atoms", "priced"):
        lake.execute(f"DROP TABLE IF EXISTS {table}")
    lake.execute("""CREATE TABLE rates (provider TEXT, pattern TEXT, length INT, tier TEXT, above BIGINT, meter TEXT,
        low_n HUGEINT, low_d HUGEINT, high_n HUGEINT, high_d HUGEINT, valid_from TEXT, valid_to TEXT, known_from TEXT)""")
    lake.executemany("INSERT INTO rates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(rates(book)))
    meters = ", ".join(f"{meter}_tokens AS {meter}" for meter in METERS if meter != "reasoning")
    names = ", ".join(meter for meter in METERS if meter != "reasoning")
    nothing = " AND ".join(f"{meter}_tokens IS NULL" for meter in METERS if meter != "reasoning")
    lake.execute(EVENTS.format(zone=zone, tokens=", ".join(TOKENS)) + found)
    lake.execute(PRICED.format(meters=meters, names=names, nothing=nothing))
    return lake


def money(units):
    """Units of 1e-12 as an exact decimal."""
    return Decimal(int(units or 0)).scaleb(-12)


def costs(lake, by, where="TRUE"):
    """Rows of (keys…): requests, users, tokens, low, high, unpriced requests and tokens, by any columns of `priced`."""
    keys = ", ".join(by) or "''"
    sums = ", ".join(f"coalesce(sum({name}), 0)" for name in TOKENS)
    query = f"""SELECT {keys}, count(*), count(DISTINCT "user"), {sums}, sum(low), sum(high), count(*) FILTER (unpriced),
        coalesce(sum(unpriced_tokens), 0) FROM priced WHERE {where} GROUP BY {keys}"""
    found = {}
    for row in lake.execute(query).fetchall():
        key, rest = (row[: len(by)], row[len(by):]) if by else ((), row[1:])
        requests, users, *tokens = (int(value) for value in rest[: 2 + len(TOKENS)])
        low, high, unpriced, lost = rest[2 + len(TOKENS):]
        found[key] = {
            "requests": requests, "users": users, **dict(zip(TOKENS, tokens)), "low": money(low), "high": money(high),
            "unpriced": int(unpriced), "unpriced_tokens": int(lost),
        }
    return found


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
