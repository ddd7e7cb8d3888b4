"""`vesper costs` and the reports' costs.csv.gz against the same costs worked out by DuckDB from the lake and the price book."""

import csv
import gzip
import io
import json
from decimal import Decimal

import pytest

from conftest import ALL, open_lake
from dice import thrown
from expenses import Expenses
from oracle import TOKENS, carried, costs, known, price_book, priced
from products import PRODUCTS, aspendos, kalei
from shown import PERIOD, amount, assert_costs, assert_details, expected, keys, printed

pytest.importorskip("duckdb")

DIMENSIONS = ["plan", "feature", "provider", "model"]
CUBE = ["tenant", "environment", "plan", "feature", "provider", "model", "service_tier", "route"]


@pytest.fixture(scope="module")
def calls(home):
    return priced(open_lake(home), price_book())


@pytest.mark.parametrize("every", ["all", "day", "week", "month"])
@pytest.mark.parametrize("by", [[], *([name] for name in DIMENSIONS), DIMENSIONS, ["feature", "service_tier", "route"]], ids=",".join)
def test_costs_are_those_of_duckdb_to_the_last_digit(vesper, home, calls, every, by):
    assert_costs(vesper, home, calls, every, by)


def test_costs_of_rows_without_a_period_are_those_of_the_whole_lake(vesper, home, calls):
    assert printed(vesper.json("costs", home)["totals"]) == expected(costs(calls, [])[()])


@pytest.mark.parametrize("name,value", [("plan", "prism"), ("feature", "spectrum_weekly"), ("model", "")])
def test_a_filter_keeps_only_its_rows(vesper, home, calls, name, value):
    assert assert_costs(vesper, home, calls, "week", [], [(name, value)])["rows"]


def test_the_costs_are_those_of_the_truth(calls, truth):
    story = truth["stories"]["costs"]
    for name, column in [
        ("by_day_local", "day"), ("by_day_utc", "day_utc"), ("by_week_local", "week"), ("by_month_local", "month"),
        ("by_plan", "plan"), ("by_feature", "feature"), ("by_model", "model"),
    ]:
        found = {key[0] or "": row["low"] for key, row in costs(calls, [column]).items()}
        assert found == {key: Decimal(value) for key, value in story[name].items()}, name
    whole = costs(calls, [])[()]
    assert (whole["low"], whole["unpriced"]) == (Decimal(story["total_cost"]), story["unpriced_requests"])


def test_the_command_says_the_totals_of_the_truth(vesper, home, truth):
    story = truth["stories"]["costs"]
    shown = vesper.json("costs", home, flags=PERIOD)
    assert shown["totals"]["cost"] == {"at_least": story["total_cost"]}
    assert any(note.startswith(f"{story['unpriced_requests']} requests") for note in shown["notes"])


def test_a_report_holds_the_costs_of_its_week(home, calls):
    reports = sorted(path.parent for path in (home / "reports" / "kalei").glob("*/costs.csv.gz"))
    assert [report.name for report in reports] == sorted(key[0] for key in costs(calls, ["week"]))
    for report in reports:
        table = list(csv.DictReader(io.StringIO(gzip.decompress((report / "costs.csv.gz").read_bytes()).decode())))
        found = {}
        for row in table:
            assert row["currency"] == "USD"
            counts = {name: int(row[name]) for name in ["requests", *TOKENS, "unpriced_tokens"]}
            key = tuple(row[name] or None for name in ["day", *CUBE])
            assert key not in found
            found[key] = {
                **counts, "unpriced": int(row["unpriced_requests"]), "low": Decimal(row["cost_low"]), "high": Decimal(row["cost_high"])}
        wanted = costs(calls, ["day", *CUBE], f"week = '{report.name}'")
        for row in wanted.values():
            # Distinct users do not add, so the file has none.
            for name in ("users", "shadow_low", "shadow_high"):
                del row[name]
        assert found == wanted, report.name


def other_prices():
    """The book with rates finer than the atom, ranges, and a price that changes within a week."""
    book = price_book()
    fine = {"input": "0.0000005", "cache_read": "0.1234567", "cache_write_5m": ["0.0000015", "1.2500005"], "output": "5.0000003"}
    tail = {"valid_from": "2026-02-01", "known_from": "2026-02-01", "source": "made up for this test"}
    for entry in book["prices"]:
        if "claude-haiku-4-5" in entry.get("model", []) and "tier" not in entry:
            entry.update(rates=fine, valid_to="2026-10-14")
    later = {"provider": "anthropic", "model": "claude-haiku-4-5", **tail, "valid_from": "2026-10-15"}
    book["prices"] += [
        {**later, "rates": {**fine, "output": ["4.9999995", "6"]}},
        # A longer name fits better, and what was learned later goes before what was known.
        {"provider": "anthropic", "model": ["claude-*"], **tail, "rates": {name: "99" for name in fine}},
        {"provider": "groq", "model": "qwen3-32b", **tail, "known_from": "2026-03-01", "rates": {"output": "0.0000001"}},
    ]
    return book


def write_book(jobs, book, name="kalei"):
    text = json.dumps({"currency": "USD", "prices": book["prices"], **({"aliases": book["aliases"]} if book["aliases"] else {})})
    (jobs / "Prices" / f"{name}.json5").write_text(text, encoding="utf-8")


@pytest.mark.parametrize("every,by", [("all", []), ("day", ["plan"]), ("week", ["provider", "model"])], ids=["all", "day", "week"])
def test_other_prices_round_every_atom_half_to_even(vesper, home, jobs, every, by):
    write_book(jobs, other_prices())
    shown = assert_costs(vesper, home, priced(open_lake(home), other_prices()), every, by, job=jobs / "kalei.json5")
    assert amount(shown["totals"]["cost"])[1] != amount(shown["totals"]["cost"])[0], "the prices hold a range"


def test_only_prices_known_on_a_day_are_used_when_that_is_asked_for(vesper, home, jobs):
    book, day = other_prices(), "2026-02-15"
    write_book(jobs, book)
    assert len(known(book, day)["prices"]) == len(book["prices"]) - 1
    shown = vesper.json("costs", home, job=jobs / "kalei.json5", flags=[*PERIOD, "--by", "model", "--known-as-of", day])
    wanted = costs(priced(open_lake(home), known(book, day)), ["model"])
    assert {keys(row, ["model"]): printed(row) for row in shown["rows"]} == {key: expected(row) for key, row in wanted.items()}


# MARK: - All five products

# By what the costs of every product are added up; all rows of both sides are compared.
GROUPINGS = [
    ("day", "model,plan,feature"), ("all", "provider,model,service_tier"), ("day", ""), ("week", "tenant,plan"), ("month", "model,plan"),
    ("day", "tenant"), ("week", "feature,route"), ("all", "user"), ("month", "environment,provider"), ("week", "status,outcome"),
    ("day", "provider,model,feature,plan,tenant,route,service_tier"), ("all", "source,source_file"),
]
each_product = pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)


@each_product
@pytest.mark.parametrize("every,by", GROUPINGS, ids=lambda text: text or "nothing")
def test_every_figure_of_every_product_is_that_of_duckdb(vesper, homes, product, every, by):
    given = {"data": product.sample.parent, "job": product.job}
    shown = assert_costs(vesper, homes.home(product), homes.lake(product), every, [name for name in by.split(",") if name], **given)
    assert shown["rows"]


def text_of(cell):
    """A cell of the JSON form as the CSV form has it."""
    if isinstance(cell, dict):
        return "" if "missing" in cell else f">={cell['at_least']}" if "at_least" in cell else f"{cell['low']}..{cell['high']}"
    return str(cell)


@each_product
def test_csv_says_what_json_says(vesper, homes, product):
    given = {"data": product.sample.parent, "job": product.job}
    flags = [*PERIOD, "--every", "day", "--by", "model,plan,feature"]
    shown = vesper.json("costs", homes.home(product), flags=flags, **given)
    read = list(csv.DictReader(io.StringIO(vesper("costs", homes.home(product), flags=[*flags, "--format", "csv"], **given).stdout)))
    assert read == [{name: text_of(cell) for name, cell in row.items()} for row in shown["rows"]]


@each_product
@pytest.mark.parametrize("measure", ["cost", "requests", "users", "output_tokens"])
def test_sorting_and_the_first_rows_change_no_figure(vesper, homes, product, measure):
    given = {"data": product.sample.parent, "job": product.job}
    flags = [*PERIOD, "--every", "week", "--by", "model,feature"]
    shown = vesper.json("costs", homes.home(product), flags=flags, **given)
    top = vesper.json("costs", homes.home(product), flags=[*flags, "--sort", measure, "--top", "5"], **given)
    # Python sorts stably, as the command promises: equals stay in the order of time and names.
    value = (lambda row: amount(row["cost"])[0]) if measure == "cost" else (lambda row: row[measure])
    assert top["rows"] == sorted(shown["rows"], key=value, reverse=True)[:5]
    assert top["totals"] == shown["totals"]


@each_product
def test_the_cache_says_what_the_lake_says(vesper, homes, product):
    home, lake, given = homes.home(product), homes.lake(product), {"data": product.sample.parent, "job": product.job}
    assert [path for path in (home / "cache").rglob("*.parquet")], "there is no cache to compare with"
    for by in ["model,plan,feature", "tenant,route"]:
        flags = [*PERIOD, "--every", "day", "--by", by]
        cached = vesper("costs", home, flags=[*flags, "--format", "json"], **given).stdout
        assert cached == vesper("costs", home, flags=[*flags, "--format", "json", "--no-cache"], **given).stdout


# Texts of a call that are no dimension: each call has its own, or they say what a figure is in.
NO_DIMENSIONS = {"id", "session", "fingerprint", "unit", "currency"}


@each_product
def test_every_dimension_of_every_product_and_its_filters(vesper, homes, product):
    """Costs by each dimension alone, and of its commonest value and of the calls that say none, by week."""
    home, lake, given = homes.home(product), homes.lake(product), {"data": product.sample.parent, "job": product.job}
    texts = [row[0] for row in lake.execute("DESCRIBE usage").fetchall() if row[1] == "VARCHAR" and row[0] not in {"day", *NO_DIMENSIONS}]
    assert len(texts) > 15
    for column in texts:
        name = column.removeprefix("x_")
        assert_costs(vesper, home, lake, "all", [name], **given)
        common = lake.execute(f'SELECT "{column}" FROM priced WHERE "{column}" IS NOT NULL GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1')
        values = [None, *(row[0] for row in common.fetchall())]
        for value in values[: 1 if name == "source_file" else None]:
            assert_costs(vesper, home, lake, "week", ["model"], [(name, value)], **given)


@each_product
@pytest.mark.parametrize("every,by", [("all", ""), ("day", "model"), ("week", "feature,status"), ("hour", "provider")], ids=lambda text: text or "nothing")
def test_what_is_counted_beside_tokens_is_what_duckdb_counts(vesper, homes, product, every, by):
    given = {"data": product.sample.parent, "job": product.job}
    names = [name for name in by.split(",") if name]
    assert_details(vesper, homes.home(product), homes.lake(product), every, names, **given)


@pytest.mark.parametrize("seed", range(200 if ALL else 16))
def test_a_book_by_dice_gives_the_costs_of_duckdb(vesper, homes, jobs, seed):
    """Rules of all kinds at once: names, aliases, tiers, thresholds, steps, bands, ranges, currencies, mocked services, late knowledge."""
    product = [aspendos, kalei][seed % 2].PRODUCT
    home = homes.home(product)
    lake = open_lake(home, product.name)
    calls = lake.execute("SELECT DISTINCT provider, model, unit FROM usage WHERE model IS NOT NULL ORDER BY ALL").fetchall()
    book = thrown(seed, calls)
    # What the job's fixed costs refer to stays.
    book["prices"] += [entry for entry in price_book(product.name)["prices"] if "model" not in entry]
    write_book(jobs, book, product.name)
    lake = priced(lake, book, product.zone, product.found, carried(Expenses(product.name, lake).rates(lake)))
    given = {"data": product.sample.parent, "job": jobs / f"{product.name}.json5"}
    assert_costs(vesper, home, lake, "day", ["model"], **given)
    assert_details(vesper, home, lake, "all", ["model"], **given)
