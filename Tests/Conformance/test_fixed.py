"""`vesper costs --parts` against the same costs worked out by DuckDB, in whole numbers of 1e-12, from the lake, the books and the jobs."""

import json
from decimal import Decimal
from fractions import Fraction

import pytest

from books import json5, listed, price_book
from conftest import ROOT, SAMPLE, open_lake
from oracle import money
from shown import PERIOD, amount, keys

pytest.importorskip("duckdb")

HALF_EVEN = """
CREATE OR REPLACE MACRO half_even(p, d) AS
    p // d + CASE WHEN 2 * (p % d) > d OR (2 * (p % d) = d AND (p // d) % 2 = 1) THEN 1 ELSE 0 END;
"""
NENI = ROOT / "Jobs" / "neni.json5"
CARRIED_DAYS = 7


def units(rate):
    """A rate, or the ends of one, as whole numbers of 1e-12."""
    ends = [rate, rate] if isinstance(rate, str) else rate
    scaled = [Decimal(end).scaleb(12) for end in ends]
    assert all(end == end.to_integral_value() for end in scaled)
    return [int(end) for end in scaled]


def parts(vesper, home, *flags, **given):
    return vesper.json("costs", home, flags=[*PERIOD, *flags], **given)


def sums(shown, names):
    """Rows by the values of some columns; a group may be shown once only."""
    found = {}
    for row in shown["rows"]:
        low, high, complete = amount(row["cost"])
        assert complete, row
        shadow = amount(row["shadow"])[:2]
        key = keys(row, names)
        assert key not in found
        found[key] = (low, high, *shadow)
    return found


# ---- Metered: Neni


@pytest.fixture(scope="module")
def neni(vesper, tmp_path_factory):
    place = tmp_path_factory.mktemp("neni") / "home"
    vesper("ingest", place, job=NENI)
    return place


# A gauge is taken at midnight for its day; a day without one is that of the last, for a week at most and within the log's own days. A
# counter belongs to the day on which it begins. One reading × one price is the atom.
METERED = """
CREATE OR REPLACE TABLE readings AS
SELECT subject AS tenant, metric, CAST(value AS HUGEINT) AS value, gauge, CAST(period_start AS DATE) AS day FROM meters;

CREATE OR REPLACE TABLE held AS
SELECT tenant, metric, value, day, false AS carried FROM readings
UNION ALL
SELECT tenant, metric, value, day + CAST(n AS INTEGER), true
FROM (SELECT *, lead(day) OVER (PARTITION BY tenant, metric ORDER BY day) AS next FROM readings WHERE gauge)
JOIN range(1, {carried} + 1) AS days (n)
    ON day + CAST(n AS INTEGER) < coalesce(next, (SELECT max(day) + 1 FROM readings));

CREATE OR REPLACE TABLE atoms AS
SELECT tenant, metric, carried, held.day, strftime(held.day, '%Y-%m') AS month, mocked,
    half_even(value * low, one * CASE WHEN monthly THEN day_count ELSE 1 END) AS low,
    half_even(value * high, one * CASE WHEN monthly THEN day_count ELSE 1 END) AS high
FROM (SELECT *, CAST(day(last_day(day)) AS HUGEINT) AS day_count FROM held) AS held JOIN metered_prices USING (metric)
WHERE held.day BETWEEN '{first}' AND '{last}';
"""
# What the book's units are, in those of the metrics.
ONE = {"GB-month": (10**9, True), "GB": (10**9, False)}


@pytest.fixture(scope="module")
def metered(neni):
    lake = open_lake(neni, "neni")
    assert lake.execute("SELECT count(*) FROM meters WHERE CAST(value AS HUGEINT) <> value").fetchone() == (0,)
    lake.execute("CREATE TABLE metered_prices (metric TEXT, low HUGEINT, high HUGEINT, one HUGEINT, monthly BOOL, mocked BOOL)")
    book = [entry for entry in price_book("neni")["prices"] if "metric" in entry]
    for entry in book:
        one, monthly = ONE.get(entry["per"], (1, False))
        assert "valid_to" not in entry and entry["unit"] == ("byte" if one > 1 else entry["per"])
        lake.execute(
            "INSERT INTO metered_prices VALUES (?, ?, ?, ?, ?, ?)",
            [entry["metric"], *units(entry["rate"]), one, monthly, entry.get("mocked", False)])
    lake.execute(HALF_EVEN + METERED.format(carried=CARRIED_DAYS, first=PERIOD[1], last=PERIOD[3]))
    return lake


def expected(lake, by):
    """The oracle's sums; what is mocked costs nothing, and what it would cost stands apart."""
    rows = lake.execute(
        f"""SELECT {', '.join(by)}, sum(low) FILTER (NOT mocked), sum(high) FILTER (NOT mocked), sum(low) FILTER (mocked),
            sum(high) FILTER (mocked) FROM atoms GROUP BY ALL""").fetchall()
    return {tuple(row[: len(by)]): tuple(money(cell) for cell in row[len(by):]) for row in rows}


def month(text):
    """The sample's first and last month are cut, and then shown by their days."""
    return text[:7]


def test_neni_costs_of_meters_are_those_of_duckdb_by_month_tenant_and_metric(vesper, neni, metered):
    shown = parts(vesper, neni, "--parts", "metered", "--every", "month", "--by", "tenant,name", job=NENI)
    found = {(month(key[0]), *key[1:]): row for key, row in sums(shown, ["month", "tenant", "name"]).items()}
    wanted = expected(metered, ["month", "tenant", "metric"])
    assert found == wanted
    assert {key[2] for key in wanted} == {
        "STORAGE_BYTES", "EGRESS_BYTES", "AI_FACE_CALLS", "AI_STT_MINUTES", "EMAIL_SENT", "OTP_SENT"}
    assert len({key[1] for key in wanted}) == 7 and len({key[0] for key in wanted}) == 3
    # Something is mocked, and a range, and live.
    assert any(row[2] > 0 and row[0] == 0 for row in wanted.values()) and any(row[0] < row[1] for row in wanted.values())
    assert amount(shown["totals"]["cost"])[:2] == tuple(sum(row[end] for row in wanted.values()) for end in (0, 1))
    assert amount(shown["totals"]["shadow"])[0] == sum(row[2] for row in wanted.values())


def test_neni_days_add_up_to_months(vesper, neni, metered):
    shown = parts(vesper, neni, "--parts", "metered", "--every", "day", "--by", "tenant,name", job=NENI)
    assert sums(shown, ["day", "tenant", "name"]) == expected(metered, ["CAST(day AS TEXT)", "tenant", "metric"])


def test_neni_missing_midnight_is_carried_forward_and_said(vesper, neni, metered):
    story = json.loads((SAMPLE.parent / "neni" / "truth.json").read_text(encoding="utf-8"))["stories"]["missing_midnight"]
    day = story["day"]
    assert metered.execute("SELECT count(*), min(CAST(day AS TEXT)) FROM atoms WHERE carried").fetchone() == (7, day)
    shown = parts(vesper, neni, "--parts", "metered", job=NENI)
    assert "STORAGE_BYTES: reading of 2026-10-27 carried forward (7 lines, 2026-10-28)" in shown["notes"]


def test_neni_shadow_costs_are_those_of_the_truth(vesper, neni):
    story = json.loads((SAMPLE.parent / "neni" / "truth.json").read_text(encoding="utf-8"))["stories"]["mocked_services"]
    found = sums(parts(vesper, neni, "--parts", "metered", "--by", "tenant,name", job=NENI), ["tenant", "name"])
    for metric, name in [("AI_FACE_CALLS", "face_shadow_cost"), ("AI_STT_MINUTES", "speech_shadow_cost")]:
        shadow = {key[0]: row[2] for key, row in found.items() if key[1] == metric}
        wanted = {tenant: Decimal(cost) for tenant, cost in story[name].items()}
        assert {tenant: cost for tenant, cost in shadow.items() if cost} == {tenant: cost for tenant, cost in wanted.items() if cost}


def test_neni_shares_by_children_add_up_to_the_price(vesper, neni, metered):
    shown = parts(vesper, neni, "--parts", "fixed", "--every", "day", "--by", "tenant,name", job=NENI)
    found = sums(shown, ["day", "tenant", "name"])
    # October's database is 25 to 599, hosting 20, to the last digit; and each day's shares follow its children.
    october = [(key, row) for key, row in found.items() if key[0].startswith("2026-10")]
    total = {name: tuple(sum(row[end] for key, row in october if key[2] == name) for end in (0, 1)) for name in ("database", "hosting")}
    assert total == {"database": (Decimal(25), Decimal(599)), "hosting": (Decimal(20), Decimal(20))}
    metered.execute(
        """CREATE OR REPLACE TABLE shares AS SELECT CAST(day AS TEXT) AS day, tenant, value,
            sum(value) OVER (PARTITION BY day ORDER BY tenant) AS after, sum(value) OVER (PARTITION BY day) AS whole,
            CAST(day(held.day) AS HUGEINT) AS number, CAST(day(last_day(held.day)) AS HUGEINT) AS day_count
        FROM held WHERE metric = 'CHILDREN_ACTIVE' AND value > 0""")
    rows = metered.execute(
        """WITH amounts AS (SELECT *, t * number // day_count - t * (number - 1) // day_count AS amount FROM shares,
            (VALUES (CAST(20000000000000 AS HUGEINT))) AS prices (t))
        SELECT day, tenant, amount * CAST(after AS HUGEINT) // CAST(whole AS HUGEINT)
            - amount * CAST(after - value AS HUGEINT) // CAST(whole AS HUGEINT) FROM amounts""").fetchall()
    wanted = {(day, tenant): money(share) for day, tenant, share in rows}
    assert {key[:2]: row[0] for key, row in found.items() if key[2] == "hosting"} == wanted


# ---- Fixed: Kalei


def test_kalei_fixed_costs_are_those_of_duckdb_by_day(vesper, home):
    job = json5((ROOT / "Jobs" / "kalei.json5").read_text(encoding="utf-8"))
    services = {
        (provider, service): entry for entry in price_book("kalei")["prices"]
        for provider in listed(entry["provider"]) for service in listed(entry.get("service", []))}
    rate = json5((ROOT / "Jobs" / job["exchange_rates"][0]).read_text(encoding="utf-8"))["rates"][0]["rate"]
    assert rate == {"base": "8.45", "quote": "9.20"}
    lake = open_lake(home)
    lake.execute(HALF_EVEN + 'CREATE TABLE listed (name TEXT, low HUGEINT, high HUGEINT, every TEXT, "from" DATE, "to" DATE)')
    for cost in job["fixed_costs"]:
        entry = services[cost["provider"], cost["service"]]
        low, high = units(entry["rate"])
        if entry.get("currency") == "EUR":
            low, high = ((end * 920 // 845 if end * 920 % 845 == 0 else None) for end in (low, high))
        end = {None: "2099-12-31", 24: "2028-09-27"}[cost.get("months")]
        lake.execute("INSERT INTO listed VALUES (?, ?, ?, ?, ?, ?)", [cost["name"], low, high, entry["per"], cost["from"], end])
    lake.execute(
        f"""CREATE TABLE spread AS SELECT name, low, high, CAST(day AS DATE) AS day,
            CAST(CASE every WHEN 'year' THEN dayofyear(day) - 1 WHEN 'once' THEN CAST(day AS DATE) - "from" ELSE day(day) - 1 END AS HUGEINT) AS i,
            CAST(CASE every WHEN 'year' THEN dayofyear(make_date(year(day), 12, 31))
                WHEN 'once' THEN "to" - "from" + 1 ELSE day(last_day(day)) END AS HUGEINT) AS n
        FROM listed, generate_series(DATE '{PERIOD[1]}', DATE '{PERIOD[3]}', INTERVAL 1 DAY) AS days (day)""")
    wanted = {
        (day, name): (money(low), money(high), Decimal(0), Decimal(0)) for day, name, low, high in lake.execute(
            """SELECT CAST(day AS TEXT), name, low * (i + 1) // n - low * i // n, high * (i + 1) // n - high * i // n
            FROM spread""").fetchall()}
    shown = parts(vesper, home, "--parts", "fixed", "--every", "day", "--by", "name")
    assert sums(shown, ["day", "name"]) == wanted
    assert sum(row[0] for key, row in wanted.items() if key[1] == "server" and key[0].startswith("2026-10")) == Decimal("9.20")
    assert any("at 8.45 EUR = 9.2 USD" in note for note in shown["notes"])


# ---- The parts together


@pytest.mark.parametrize("by", [[], ["provider"], ["tenant", "name"]], ids=",".join)
def test_parts_add_up_and_usage_is_what_it_is_alone(vesper, neni, by):
    flags = ["--by", ",".join(by)] if by else []
    shown = parts(vesper, neni, "--parts", "all", "--every", "week", *flags, job=NENI)
    alone = parts(vesper, neni, job=NENI)
    usage = [row for row in shown["rows"] if row["part"] == "usage"]
    assert sum(amount(row["cost"])[0] for row in usage) == amount(alone["totals"]["cost"])[0]
    assert amount(shown["totals"]["cost"])[0] == sum(amount(row["cost"])[0] for row in shown["rows"])
    assert {row["part"] for row in shown["rows"]} == {"usage", "metered", "fixed"}


@pytest.mark.parametrize("name", ["part", "category", "provider", "name", "tenant"])
def test_a_filter_keeps_only_its_rows(vesper, neni, name):
    shown = parts(vesper, neni, "--parts", "all", "--by", "provider,name,category,tenant", job=NENI)
    whole = {}
    for row in shown["rows"]:
        value = keys(row, [name])[0]
        low, high = whole.get(value, (Decimal(0), Decimal(0)))
        whole[value] = (low + amount(row["cost"])[0], high + (amount(row["cost"])[1] or 0))
    assert len(whole) > 2
    for value, (low, high) in whole.items():
        kept = parts(vesper, neni, "--parts", "all", "--where", f"{name}={value or ''}", job=NENI)["totals"]["cost"]
        assert amount(kept)[0] == low and amount(kept)[1] in (high, None), value


def test_only_the_first_rows_are_shown_and_the_last_sums_all(vesper, neni):
    whole = parts(vesper, neni, "--parts", "all", "--by", "name", job=NENI)
    shown = parts(vesper, neni, "--parts", "all", "--by", "name", "--top", "3", job=NENI)
    assert (shown["rows"], shown["totals"]) == (whole["rows"][:3], whole["totals"])
    assert shown["notes"][0] == f"3 of {len(whole['rows'])} rows shown; the last row sums all of them."


@pytest.mark.parametrize(
    "flags,sentence",
    [
        (["--parts", "meterd"], "There is no part \"meterd\" of the cost. Did you mean \"metered\"?"),
        (["--parts", "all", "--by", "model"], "Parts of the cost have no dimension \"model\"."),
        (["--parts", "all", "--sort", "cost"], "--sort goes with usage alone."),
        (["--parts", "all", "--every", "hour"], "Metered and fixed costs are costs of days."),
        (["--parts", "all", "--by", "name,name"], "--by names name twice."),
    ])
def test_what_parts_cannot_do_is_a_usage_error(vesper, neni, flags, sentence):
    assert sentence in vesper("costs", neni, job=NENI, code=64, flags=flags).stderr


# ---- Rates of the lake: Aspendos


def test_aspendos_takes_the_rates_of_its_own_export(vesper, tmp_path, jobs):
    job = jobs / "aspendos.json5"
    text = job.read_text(encoding="utf-8").replace(
        "  fixed_costs: [\n",
        '  fixed_costs: [\n    { name: "lira", category: "test", amount: "3300", currency: "TRY", per: "day", from: "2026-09-28" },\n', 1)
    job.write_text(text, encoding="utf-8")
    home = tmp_path / "home"
    vesper("ingest", home, job=job)
    lake = open_lake(home, "aspendos")
    wanted = {
        row[0]: Decimal(row[1]).scaleb(-12) for row in lake.execute(
            HALF_EVEN + """SELECT strftime(period_start, '%Y-%m-%d'), half_even(CAST('33000000000000000000' AS HUGEINT),
                CAST(value * 10000 AS HUGEINT)) FROM meters WHERE metric = 'fx_rate' AND x_quote = 'TRY'
                AND period_start = date_trunc('month', period_start)""").fetchall()}
    shown = vesper.json("costs", home, job=job, flags=["--from", "2026-10-01", "--to", "2026-11-15", "--parts", "fixed", "--every", "day", "--by", "name"])
    found = sums(shown, ["day", "name"])
    # One rate a month: that of its first day.
    assert {found[day, "lira"][0] for day, name in found if name == "lira" and day < "2026-11"} == {wanted["2026-10-01"]}
    assert {found[day, "lira"][0] for day, name in found if name == "lira" and day >= "2026-11"} == {wanted["2026-11-01"]}


def test_rates_that_come_in_with_a_run_price_it_at_once(vesper, tmp_path, jobs):
    book = jobs / "Prices" / "aspendos.json5"
    text = book.read_text(encoding="utf-8")
    assert text.count('model: "whisper-1"') == 1
    book.write_text(text.replace('model: "whisper-1"', 'model: "whisper-1", currency: "TRY"'), encoding="utf-8")
    job, home = jobs / "aspendos.json5", tmp_path / "home"
    vesper("run", home, job=job, flags=["--until", "price"])
    again = vesper.json("run", home, job=job, flags=["--until", "price"])
    assert {row["state"] for row in again["rows"]} == {"up to date"}, "the first run has left nothing to do"
    shown = vesper.json("costs", home, job=job, flags=[*PERIOD, "--every", "day", "--where", "model=whisper-1"])
    assert shown["rows"] and all(amount(row["cost"])[2] for row in shown["rows"]), "every call has a price"
    lira = {
        row[0]: row[1] for row in open_lake(home, "aspendos").execute(
            "SELECT strftime(period_start, '%Y-%m-%d'), value FROM meters WHERE metric = 'fx_rate' AND x_quote = 'TRY'").fetchall()}
    used = open_lake(home, "aspendos").execute(
        "SELECT strftime(ts, '%Y-%m-%d'), quantity FROM usage WHERE model = 'whisper-1'").fetchall()
    wanted = {}
    for day, seconds in used:
        # Seconds at 0.02 lira a minute, so many lira for a dollar, that day or on the newest before: one atom, rounded once.
        exact = Fraction(seconds) * Fraction("0.02") / 60 / Fraction(lira[max(other for other in lira if other <= day)])
        wanted[day] = wanted.get(day, 0) + round(exact * 10**12)
    assert {row["day"]: amount(row["cost"])[0] for row in shown["rows"]} == {
        day: Decimal(units).scaleb(-12) for day, units in wanted.items()}


# ---- Bad input


def refused(vesper, tmp_path, job):
    return vesper("costs", tmp_path / "home", job=job, code=64, flags=["--parts", "all"]).stderr


@pytest.mark.parametrize(
    "old,new,sentence",
    [
        ('service: "VPS 1000 G12"', 'service: "VPS 100 G12"',
         'The price book has no service "VPS 100 G12" of netcup. Did you mean "VPS 1000 G12"?'),
        ('name: "domain", category: "infrastructure", provider: "registrar", service: "kalei.ai"',
         'name: "server", category: "infrastructure", provider: "netcup", service: "VPS 2000 G12"',
         "already, for some of the same days. End the earlier one"),
        ('exchange_rates: ["Prices/kalei-rates.json5"]', 'exchange_rates: ["Prices/rates.json5"]',
         'There is no rate file "Prices/rates.json5" beside the job file.'),
        ('service: "developer program", from: "2026-09-28"', 'service: "developer program", from: "2026-09-28", to: "2026-09-27"',
         "The cost ends on 2026-09-27, before it begins on 2026-09-28."),
        ('provider: "apple", service: "developer program"', 'provider: "apple", amount: "-99", per: "year"', "An amount is not negative"),
        ('provider: "apple", service: "developer program"', 'provider: "apple", amount: "99", currency: "Euro", per: "year"',
         'A currency is three capital letters (ISO 4217), such as USD, not "Euro".'),
        ('service: "developer program",', 'service: "developer program", share: { over: "user", by: "metric" },',
         "A share by metric needs its base: add metric"),
        ('service: "developer program",', 'service: "developer program", share: { over: "users", by: "equal" },',
         'There is no dimension "users" to share over. Did you mean "user"?'),
        ('unbilled_metrics: ["concurrent_connections_max", "registered_users"]', 'month: "31 days"', 'Its values are calendar and 30 days.'),
    ], ids=range(9))
def test_a_job_that_cannot_be_obeyed_is_refused_with_its_line(vesper, tmp_path, jobs, old, new, sentence):
    job = jobs / "kalei.json5"
    text = job.read_text(encoding="utf-8")
    assert text.count(old) == 1
    job.write_text(text.replace(old, new), encoding="utf-8")
    said = refused(vesper, tmp_path, job)
    line = text[: text.index(old)].count("\n") + 1
    assert f"kalei.json5:{line}:" in said and sentence in said, said


def test_a_currency_without_any_rate_is_refused_and_a_gap_leaves_the_amount_in_its_own(vesper, home, tmp_path, jobs):
    rates = jobs / "Prices" / "kalei-rates.json5"
    text = rates.read_text(encoding="utf-8")
    rates.write_text(text.replace('base: "EUR"', 'base: "CHF"'), encoding="utf-8")
    assert "The price is in EUR, but the job reports in USD." in refused(vesper, tmp_path, jobs / "kalei.json5")
    rates.write_text(text.replace('valid_from: "2026-02-01"', 'valid_from: "2026-02-01", valid_to: "2026-10-24"'), encoding="utf-8")
    shown = vesper.json(
        "costs", home, job=jobs / "kalei.json5",
        flags=["--from", "2026-10-31", "--to", "2026-11-01", "--every", "day", "--parts", "fixed", "--where", "name=server"])
    # October takes the rate of its first day; November's first is eight days behind the last one.
    assert [row["cost"] for row in shown["rows"]] == ["0.296774193549", {"at_least": "0"}]
    assert shown["rows"][1]["unconverted"] == "0.281666666666 EUR"
    assert any("There is no rate between EUR and USD for 2026-11-01, nor for the 7 days before" in note for note in shown["notes"])
    assert shown["totals"]["cost"] == {"at_least": "0.296774193549"}


def test_a_rate_a_thousand_times_off_is_warned_of(vesper, home, jobs):
    rates = jobs / "Prices" / "kalei-rates.json5"
    slip = '{ base: "CHF", quote: "USD", rate: "%s", day: "2026-10-0%d", source: "a test" },'
    slips = "\n".join(slip % pair for pair in [("1.25", 1), ("1251", 2), ("1.24", 3)])
    rates.write_text(rates.read_text(encoding="utf-8").replace("rates: [\n", "rates: [\n" + slips, 1), encoding="utf-8")
    said = vesper("costs", home, job=jobs / "kalei.json5", flags=[*PERIOD, "--parts", "fixed"]).stderr
    assert "warning: 1 CHF = 1251 USD of 2026-10-02 is a thousand times or more off 1 CHF = 1.25 USD of 2026-10-01" in said
