"""`vesper costs --parts` of all five products: metered and fixed costs, worked out once more with fractions (see expenses)."""

from datetime import date, timedelta

import pytest

from expenses import Amount, Expenses
from oracle import costs, money
from products import PRODUCTS
from shown import PERIOD, amount

pytest.importorskip("duckdb")

FIRST, LAST = (date.fromisoformat(PERIOD[place]) for place in (1, 3))
DAYS = [FIRST + timedelta(number) for number in range((LAST - FIRST).days + 1)]
each_product = pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)


@pytest.fixture(scope="module")
def wanted(homes):
    """By product, every line of usage, metered and fixed costs."""
    made = {}

    def of(product):
        if product not in made:
            lake = homes.lake(product)
            lines = Expenses(product.name, lake).lines(DAYS)
            for (day, *key), row in costs(lake, ["day", "provider", "model", "tenant"], f"day BETWEEN '{FIRST}' AND '{LAST}'").items():
                lines["usage", day, *key] = Amount(*(int(row[name].scaleb(12)) for name in (
                    "low", "high", "shadow_low", "shadow_high")), row["unpriced"] == 0)
            made[product] = lines
        return made[product]

    return of


def summed(lines, *positions):
    """The lines by some of (part, day, provider, name, tenant)."""
    found = {}
    for key, line in lines.items():
        sum_of = found.setdefault(tuple(key[position] for position in positions), Amount())
        sum_of.add(line.low, line.high)
        sum_of.add(line.shadow_low, line.shadow_high, mocked=True)
        sum_of.complete = sum_of.complete and line.complete
    return found


def said(row):
    low, high, complete = amount(row["cost"])
    shadow = amount(row["shadow"])
    return low, high if complete else None, *shadow[:2], complete


def expected(line):
    return money(line.low), money(line.high) if line.complete else None, money(line.shadow_low), money(line.shadow_high), line.complete


@each_product
@pytest.mark.parametrize("every,by,positions", [
    ("day", "provider,name,tenant", (1, 0, 2, 3, 4)), ("day", "tenant", (1, 0, 4)), ("all", "name", (0, 3)), ("all", "", (0,)),
], ids=["day-name-tenant", "day-tenant", "name", "part"])
def test_every_part_of_the_cost_is_that_of_fractions(vesper, homes, wanted, product, every, by, positions):
    given = {"data": product.sample.parent, "job": product.job}
    flags = [*PERIOD, "--parts", "all", "--every", every, *(["--by", by] if by else [])]
    shown = vesper.json("costs", homes.home(product), flags=flags, **given)
    names = [*(["day"] if every == "day" else []), "part", *(name for name in by.split(",") if name)]
    found = {tuple(None if isinstance(row[name], dict) else row[name] for name in names): said(row) for row in shown["rows"]}
    assert len(found) == len(shown["rows"]), "a group is shown twice"
    lines = summed(wanted(product), *positions)
    assert found == {key: expected(line) for key, line in lines.items()}
    assert said(shown["totals"]) == expected(summed(lines)[()])


@each_product
def test_there_are_metered_and_fixed_costs_to_compare(wanted, product):
    found = summed(wanted(product), 0)
    assert found[("usage",)].low > 0 and found[("fixed",)].low > 0
    if product.name == "neni":
        assert found[("metered",)].low > 0 and found[("metered",)].shadow_low > 0
