"""`vesper costs` and the reports' costs.csv.gz against the same costs worked out by DuckDB from the lake and the price book."""

import csv
import gzip
import io
import json
from decimal import Decimal

import pytest

from conftest import open_lake
from oracle import TOKENS, costs, price_book, priced
from shown import PERIOD, amount, assert_costs, expected, keys, printed

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
    shown = vesper.json("costs", home, flags=[*PERIOD, "--every", "week", "--where", f"{name}={value}"])
    where = f"{name} = '{value}'" if value else f"{name} IS NULL"
    assert {keys(row, ["week"]): printed(row) for row in shown["rows"]} == {
        key: expected(row) for key, row in costs(calls, ["week"], where).items()}


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
            del row["users"]  # distinct users do not add, so the file has none
        assert found == wanted, report.name


def other_prices():
    """The book with rates finer than the atom, ranges, and a price that changes within a week."""
    book = price_book()
    fine = {"input": "0.0000005", "cache_read": "0.1234567", "cache_write_5m": ["0.0000015", "1.2500005"], "output": "5.0000003"}
    tail = {"valid_from": "2026-02-01", "known_from": "2026-02-01", "source": "made up for this test"}
    for entry in book:
        if "claude-haiku-4-5" in entry["model"] and "tier" not in entry:
            entry.update(rates=fine, valid_to="2026-10-14")
    later = {"provider": "anthropic", "model": "claude-haiku-4-5", **tail, "valid_from": "2026-10-15"}
    book.append({**later, "rates": {**fine, "output": ["4.9999995", "6"]}})
    # A longer name fits better, and what was learned later goes before what was known.
    book.append({"provider": "anthropic", "model": ["claude-*"], **tail, "rates": {name: "99" for name in fine}})
    book.append({"provider": "groq", "model": "qwen3-32b", **tail, "known_from": "2026-03-01", "rates": {"output": "0.0000001"}})
    return book


@pytest.mark.parametrize("every,by", [("all", []), ("day", ["plan"]), ("week", ["provider", "model"])], ids=["all", "day", "week"])
def test_other_prices_round_every_atom_half_to_even(vesper, home, jobs, every, by):
    (jobs / "Prices" / "kalei.json5").write_text(json.dumps({"currency": "USD", "prices": other_prices()}), encoding="utf-8")
    shown = assert_costs(vesper, home, priced(open_lake(home), other_prices()), every, by, job=jobs / "kalei.json5")
    assert amount(shown["totals"]["cost"])[1] != amount(shown["totals"]["cost"])[0], "the prices hold a range"


def test_only_prices_known_on_a_day_are_used_when_that_is_asked_for(vesper, home, jobs):
    book = other_prices()
    (jobs / "Prices" / "kalei.json5").write_text(json.dumps({"currency": "USD", "prices": book}), encoding="utf-8")
    known = [entry for entry in book if entry["known_from"] <= "2026-02-15"]
    assert len(known) == len(book) - 1
    shown = vesper.json(
        "costs", home, job=jobs / "kalei.json5", flags=[*PERIOD, "--by", "model", "--known-as-of", "2026-02-15"])
    wanted = costs(priced(open_lake(home), known), ["model"])
    assert {keys(row, ["model"]): printed(row) for row in shown["rows"]} == {key: expected(row) for key, row in wanted.items()}
