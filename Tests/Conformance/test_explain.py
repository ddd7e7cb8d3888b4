"""`vesper explain` redone: the arithmetic from what it printed, counts and costs by DuckDB from the lake, records in the files themselves."""

import re
from decimal import Decimal
from fractions import Fraction

import pytest

from oracle import money
from products import aspendos, kalei, neni, talentprompt, voyager
from shown import PERIOD, amount
from told import raw_records

pytest.importorskip("duckdb")

N = 5
# A product, what is selected, and the same for SQL.
CASES = [
    (kalei.PRODUCT, "day=2026-11-09,model=claude-haiku-4-5-20251001", "day = '2026-11-09' AND model = 'claude-haiku-4-5-20251001'"),
    (kalei.PRODUCT, "week=2026-W46,plan=prism_plus", "week = '2026-W46' AND plan = 'prism_plus'"),
    (kalei.PRODUCT, "month=2026-10,feature=spectrum_weekly,service_tier=batch",
     "month = '2026-10' AND feature = 'spectrum_weekly' AND service_tier = 'batch'"),
    (kalei.PRODUCT, "hour=2026-10-27T14:00+01:00", "hour = '2026-10-27T14:00+01:00'"),
    (kalei.PRODUCT, "provider=", "provider IS NULL"),
    (neni.PRODUCT, "month=2026-10,tenant=cmji5d4f495nhcies44nrv8rn", "month = '2026-10' AND tenant = 'cmji5d4f495nhcies44nrv8rn'"),
    (neni.PRODUCT, "day=2026-11-12", "day = '2026-11-12'"),
    (neni.PRODUCT, "week=2026-W45,plan=growth", "week = '2026-W45' AND plan = 'growth'"),
    (talentprompt.PRODUCT, "environment=staging", "environment = 'staging'"),
    (talentprompt.PRODUCT, "week=2026-W45,model=o4-mini", "week = '2026-W45' AND model = 'o4-mini'"),
    (talentprompt.PRODUCT, "provider=openai,model=text-embedding-ada-002", "model = 'text-embedding-ada-002'"),
    (aspendos.PRODUCT, "week=2026-W45", "week = '2026-W45'"),
    (aspendos.PRODUCT, "feature=voice_stt", "feature = 'voice_stt'"), (aspendos.PRODUCT, "source=media_jobs", "source = 'media_jobs'"),
    (aspendos.PRODUCT, "plan=ULTRA,provider=openrouter", "plan = 'ULTRA' AND provider = 'openrouter'"),
    (voyager.PRODUCT, "model=claude-haiku-5-5,plan=free", "model = 'claude-haiku-5-5' AND plan = 'free'"),
    (voyager.PRODUCT, "tenant=", "tenant IS NULL"), (voyager.PRODUCT, "day=2026-11-12", "day = '2026-11-12'"),
]
over = pytest.mark.parametrize("product,selection,where", CASES, ids=[f"{product.name}-{selection}" for product, selection, _ in CASES])
WITHIN = "day BETWEEN '2026-09-28' AND '2026-11-15'"
TIMES = ("hour", "day", "week", "month")


@pytest.fixture(scope="module")
def told(vesper, homes):
    """What is told of a selection; once for all tests that ask."""
    known = {}

    def tell(product, selection):
        if (product.name, selection) not in known:
            flags = [selection, "--records", N, *([] if selection.startswith(TIMES) else PERIOD)]
            known[product.name, selection] = vesper.json(
                "explain", homes.home(product), flags=flags, job=product.job, data=product.sample.parent)
        return known[product.name, selection]

    return tell


@over
def test_the_figure_is_that_of_costs_and_of_duckdb(vesper, homes, told, product, selection, where):
    found, lake = told(product, selection)["figure"], homes.lake(product)
    low, high, shadow, count, lost, tokens = lake.execute(
        f"""SELECT sum(low), sum(high), sum(shadow_low), count(*), count(*) FILTER (unpriced), sum(unpriced_tokens)
        FROM priced WHERE {WITHIN} AND {where}""").fetchone()
    assert (Decimal(found["low"]), Decimal(found["high"]), Decimal(found["shadow_low"])) == (money(low), money(high), money(shadow))
    assert (found["requests"], found["unpriced_requests"], found["unpriced_tokens"]) == (count, lost, tokens) and count > 0
    assert found["is_complete"] == (lost == 0)
    # The row of costs that the selection names; an hour is none of --from and --to.
    terms = [term.split("=", 1) for term in selection.split(",")]
    if any(name == "hour" for name, _ in terms):
        shown = vesper.json("costs", homes.home(product), job=product.job, flags=["--every", "hour", *PERIOD])
        (row,) = [row for row in shown["rows"] if row["hour"] == terms[0][1]]
    else:
        (first, last), = homes.lake(product).execute(f"SELECT min(day), max(day) FROM priced WHERE {WITHIN} AND {where}").fetchall()
        days = ["--from", first, "--to", last] if selection.startswith(TIMES) else PERIOD
        filters = [word for name, value in terms if name not in TIMES for word in ("--where", f"{name}={value}")]
        row = vesper.json("costs", homes.home(product), job=product.job, flags=[*days, *filters])["totals"]
    assert row["requests"] == found["requests"] and amount(row["cost"])[0] == Decimal(found["low"])


@over
def test_the_arithmetic_can_be_redone_from_what_is_printed(told, product, selection, where):
    shown = told(product, selection)
    for use in shown["prices"]:
        exchange = Fraction(int(use["exchange"]["numerator"]), int(use["exchange"]["denominator"]))
        for end in ("low", "high"):
            exact = Fraction(use["count"]) * Fraction(use["rate"][end]) / int(use["per_count"]) * exchange
            assert abs(Fraction(use["product"][end]) - exact) <= Fraction(1, 2 * 10**12)
            added = Fraction(use["sum"][end]) - exact
            assert abs(Fraction(use["rounding"][end]) - added) <= Fraction(1, 2 * 10**18)
            assert abs(added) <= Fraction(use["calls"], 2 * 10**12), "each atom was rounded once"
    for end in ("low", "high"):
        charged = sum(Decimal(use["sum"][end]) for use in shown["prices"] if not use["is_mocked"])
        assert charged == Decimal(shown["figure"][end])
        mocked = sum(Decimal(use["sum"][end]) for use in shown["prices"] if use["is_mocked"])
        assert mocked == Decimal(shown["figure"][f"shadow_{end}"])
    assert shown["prices"] or not Decimal(shown["figure"]["low"])


@over
def test_the_counts_of_every_meter_are_those_of_the_lake(homes, told, product, selection, where):
    shown, columns = told(product, selection), [f"{name}_tokens" for name in ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output")]
    priced = {name: sum(int(use["count"]) for use in shown["prices"] if use["counted"] == name[:-7]) for name in columns}
    lost = {name: sum(use["tokens"] for use in shown["unpriced"] if use["what"] == name[:-7]) for name in columns}
    sums = homes.lake(product).execute(
        f"SELECT {', '.join(f'coalesce(sum({name}), 0)' for name in columns)} FROM priced WHERE {WITHIN} AND {where}").fetchone()
    # Every token is counted at a price or has none: none is lost, none counts twice.
    assert {name: priced[name] + lost[name] for name in columns} == dict(zip(columns, map(int, sums)))
    assert {name: shown["figure"]["tokens"][name[:-7]] for name in columns} == dict(zip(columns, map(int, sums)))


@over
def test_every_price_stands_where_it_says(told, product, selection, where):
    for use in told(product, selection)["prices"]:
        path, line, _ = use["place"].rsplit(":", 2)
        text = open(path, encoding="utf-8").read().split("\n")[int(line) - 1]
        numbers = {Decimal(number) for number in re.findall(r'"?(\d+(?:\.\d+)?)"?', text)}
        assert {Decimal(use["rate"]["low"]), Decimal(use["rate"]["high"])} <= numbers or use["band_from"], (use["place"], text)
        assert use["counted"] in text or use["counted"] == "quantity"
        assert use["valid_from"] <= "2026-11-15" and use["source"]


@over
def test_parts_and_files_hold_the_rows_that_count(homes, told, product, selection, where):
    shown, lake, home = told(product, selection), homes.lake(product), homes.home(product)
    files = lake.execute(f"SELECT source, source_file, count(*) FROM priced WHERE {WITHIN} AND {where} GROUP BY ALL").fetchall()
    assert sorted((file["source"], file["file"], file["rows"]) for file in shown["files"]) == sorted(files)
    assert all((product.sample / file["file"]).exists() for file in shown["files"])
    parts = f"read_parquet('{home}/lake/{product.name}/usage/*/*.parquet', filename = true)"
    wanted = lake.execute(
        f"""SELECT filename, count(*) FROM {parts} AS stored JOIN (FROM priced WHERE {WITHIN} AND {where}) AS meant
        ON (stored.source, stored.source_file, stored.source_record) = (meant.source, meant.source_file, meant.source_record)
        GROUP BY 1""").fetchall()
    assert {str(home / part["path"]): part["rows"] for part in shown["parts"]} == dict(wanted)
    for part in shown["parts"]:
        whole = lake.execute(f"SELECT count(*) FROM read_parquet('{home / part['path']}')").fetchone()[0]
        assert part["of"] == whole and part["day"] in part["path"]


@over
def test_the_first_records_are_in_the_files_and_their_atoms_are_those_of_their_prices(homes, told, product, selection, where):
    shown, lake = told(product, selection), homes.lake(product)
    rows = lake.execute(
        f"""SELECT source_file, source_record, source, id, epoch_us(ts), input_tokens, output_tokens, low FROM priced
        WHERE {WITHIN} AND {where} ORDER BY ts, source_file, source_record, source LIMIT {N}""").fetchall()
    assert [(r["file"], r["record"], r["source"]) for r in shown["records"]] == [row[:3] for row in rows]
    assert len(rows) == min(N, shown["figure"]["requests"])
    for record, (file, number, _, id, micros, given, answered, low) in zip(shown["records"], rows):
        raw = raw_records(product.sample / file)[number - 1].decode()
        assert id in raw or id.startswith("row-"), "the record is the row's own"
        seconds = lake.execute("SELECT strftime(make_timestamp(?), '%Y-%m-%dT%H:%M:%S')", [micros]).fetchone()[0]
        assert record["ts"].startswith(seconds)
        assert (record["tokens"]["input"], record["tokens"]["output"]) == (given, answered)
        assert answered is None or not answered or str(answered) in raw
        costs = [Decimal(atom["low"]) for atom in record["atoms"] if not shown["prices"][atom["price"]]["is_mocked"]]
        assert sum(costs) == money(low)
        for atom in record["atoms"]:
            use = shown["prices"][atom["price"]]
            assert use["above_input_tokens"] == record["above_input_tokens"] or use["counted"] == "quantity"
            # The unit of one call need not be that of their sum.
            if atom["unit"] == use["unit"] and use["band_from"] is None:
                exchange = Fraction(int(use["exchange"]["numerator"]), int(use["exchange"]["denominator"]))
                exact = Fraction(atom["count"]) * Fraction(use["rate"]["low"]) / int(use["per_count"]) * exchange
                assert abs(Fraction(atom["low"]) - exact) <= Fraction(1, 2 * 10**12)


def test_what_has_no_price_says_why(vesper, homes):
    shown = vesper.json("explain", homes.home(voyager.PRODUCT), flags=["model=claude-sonnet-5-preview"], job=voyager.PRODUCT.job)
    assert {use["reason"] for use in shown["unpriced"]} == {"the book has no price of the model"}
    assert shown["figure"]["low"] == "0" and not shown["figure"]["is_complete"]


def test_no_format_holds_a_private_text(vesper, homes):
    texts = [row[0] for row in homes.lake(kalei.PRODUCT).execute("SELECT text FROM texts WHERE length(text) > 20").fetchall()]
    assert texts
    for form in ("table", "json", "csv"):
        shown = vesper("explain", homes.home(kalei.PRODUCT), flags=["week=2026-W46", "--records", 2000, "--format", form]).stdout
        assert not [text for text in texts if text in shown]
