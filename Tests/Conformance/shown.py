"""What `vesper costs --format json` shows, as the oracle has it."""

from decimal import ROUND_HALF_EVEN, Decimal

from oracle import TOKENS, costs

# The whole of the samples: seven weeks.
PERIOD = ["--from", "2026-09-28", "--to", "2026-11-15"]


def rounded(value, places):
    return value.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN)


def printed(row):
    """What a row of the command says, as the oracle has it; what depends on the rest is checked here."""
    found = {name: row[name] for name in ["requests", "users", *TOKENS]}
    low, high, complete = amount(row["cost"])
    found.update(low=low, high=high, complete=complete)
    if row["users"]:
        each = [None if end is None else rounded(end / row["users"], 12) for end in (low, high)]
        assert amount(row["cost_per_user"]) == (*each, complete)
    return found, Decimal(row["priced"])


def amount(cell):
    if isinstance(cell, str):
        return Decimal(cell), Decimal(cell), True
    if "at_least" in cell:
        return Decimal(cell["at_least"]), None, False
    return Decimal(cell["low"]), Decimal(cell["high"]), True


def expected(row):
    """A row of the oracle as the command can say it: of an incomplete cost only the least is printed."""
    complete = row["unpriced"] == 0
    share = rounded(Decimal(row["requests"] - row["unpriced"]) / row["requests"], 4)
    kept = {name: row[name] for name in ["requests", "users", *TOKENS, "low"]}
    return {**kept, "high": row["high"] if complete else None, "complete": complete}, share


def keys(row, names):
    return tuple(None if isinstance(row[name], dict) and "missing" in row[name] else row[name] for name in names)


def assert_costs(vesper, home, calls, every, by, **given):
    flags = [*PERIOD, "--every", every, *(["--by", ",".join(by)] if by else [])]
    shown = vesper.json("costs", home, flags=flags, **given)
    names = ([] if every == "all" else [every]) + by
    found = {keys(row, names): printed(row) for row in shown["rows"]}
    assert len(found) == len(shown["rows"]), "a group is shown twice"
    period = cut_months(found) if every == "month" else found
    assert period == {key: expected(row) for key, row in costs(calls, names).items()}
    assert printed(shown["totals"]) == expected(costs(calls, [])[()])
    return shown


def cut_months(found):
    """A month that the period cuts is shown by its days: 2026-09-28_2026-09-30 is the end of September."""
    return {(key[0][:7], *key[1:]): row for key, row in found.items()}
