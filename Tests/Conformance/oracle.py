"""What usage cost, worked out once more by DuckDB from the lake and the price book alone: SQL, exact integers, no code of Vesper.

    priced(open_lake(home), book)   # the table `priced`: one row for each call, its cost in units of 1e-12
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


def rates(book):
    """One row for each rate and model name. A rate is per million tokens: units of 1e-12 for one token, as a fraction."""
    for entry in book:
        assert entry.keys() <= {"provider", "model", "tier", "rates", "valid_from", "valid_to", "known_from", "source"}
        names = [entry["model"]] if isinstance(entry["model"], str) else entry["model"]
        for meter, rate in entry["rates"].items():
            assert meter in METERS and meter != "reasoning", "the oracle prices reasoning as output only"
            low, high = [rate, rate] if isinstance(rate, str) else rate
            fractions = [part for end in (low, high) for part in Decimal(end).as_integer_ratio()]
            for name in names:
                stem = re.escape(name[:-1]) + ".*" if name.endswith("*") else re.escape(name) + "([-@][0-9]{8})?"
                dates = [entry["valid_from"], entry.get("valid_to", "9999-12-31"), entry["known_from"]]
                yield [entry["provider"], stem, len(name), entry.get("tier", "standard"), meter, *fractions, *dates]


SQL = """
CREATE MACRO half_even(p, d) AS p // d + CASE WHEN 2 * (p % d) > d OR (2 * (p % d) = d AND (p // d) % 2 = 1) THEN 1 ELSE 0 END;

CREATE TABLE events AS
SELECT row_number() OVER () AS n, ts, strftime(ts, '%Y-%m-%d') AS day_utc,
    strftime(ts AT TIME ZONE '{zone}', '%Y-%m-%d') AS day, strftime(ts AT TIME ZONE '{zone}', '%G-W%V') AS week,
    strftime(ts AT TIME ZONE '{zone}', '%Y-%m') AS month,
    tenant, environment, "user", feature, provider, model, service_tier, route, plan AS own_plan, id, {tokens}
FROM usage;

-- The newest version of every agreement; at a call's time the one that began last counts.
CREATE TABLE agreements AS
SELECT id, parent, plan, CAST(attributes ->> 'started_at' AS TIMESTAMPTZ) AS starts,
    coalesce(CAST(attributes ->> 'ends_at' AS TIMESTAMPTZ), 'infinity') AS ends
FROM snapshots WHERE kind = 'subscription'
QUALIFY row_number() OVER (PARTITION BY id ORDER BY updated_at DESC) = 1;

CREATE TABLE plans AS
SELECT n, coalesce(own_plan, agreements.plan, 'free') AS plan
FROM events LEFT JOIN agreements ON parent = "user" AND starts <= ts AND ts < ends
QUALIFY row_number() OVER (PARTITION BY n ORDER BY starts DESC, agreements.id DESC) = 1;

-- One call × one meter is the atom: rounded once.
CREATE TABLE atoms AS
SELECT n, counts.meter, tokens, low_d IS NULL AS unpriced,
    half_even(tokens * 1000000 * low_n, low_d) AS low, half_even(tokens * 1000000 * high_n, high_d) AS high
FROM (UNPIVOT (SELECT n, {meters} FROM events) ON {names} INTO NAME meter VALUE tokens) AS counts JOIN events USING (n)
LEFT JOIN rates ON rates.provider = events.provider AND regexp_full_match(model, pattern) AND tier = coalesce(service_tier, 'standard')
    AND rates.meter = counts.meter AND day_utc BETWEEN valid_from AND valid_to
WHERE tokens > 0
QUALIFY row_number() OVER (PARTITION BY n, counts.meter ORDER BY length DESC, known_from DESC, valid_from DESC) = 1;

CREATE TABLE priced AS
SELECT events.*, plan, coalesce(low, 0) AS low, coalesce(high, 0) AS high, coalesce(lost, 0) AS unpriced_tokens,
    lost IS NOT NULL OR ({nothing}) AS unpriced
FROM events JOIN plans USING (n) LEFT JOIN (
    SELECT n, sum(low) AS low, sum(high) AS high, sum(tokens) FILTER (unpriced) AS lost FROM atoms GROUP BY n) USING (n);
"""


def priced(lake, book):
    """Makes the table `priced` in a lake."""
    lake.execute("DROP MACRO IF EXISTS half_even")
    for table in ("rates", "events", "agreements", "plans", "atoms", "priced"):
        lake.execute(f"DROP TABLE IF EXISTS {table}")
    lake.execute("""CREATE TABLE rates (provider TEXT, pattern TEXT, length INT, tier TEXT, meter TEXT,
        low_n HUGEINT, low_d HUGEINT, high_n HUGEINT, high_d HUGEINT, valid_from TEXT, valid_to TEXT, known_from TEXT)""")
    lake.executemany("INSERT INTO rates VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", list(rates(book)))
    meters = ", ".join(f"{meter}_tokens AS {meter}" for meter in METERS if meter != "reasoning")
    names = ", ".join(meter for meter in METERS if meter != "reasoning")
    nothing = " AND ".join(f"{meter}_tokens IS NULL" for meter in METERS if meter != "reasoning")
    lake.execute(SQL.format(zone=ZONE, tokens=", ".join(TOKENS), meters=meters, names=names, nothing=nothing))
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
