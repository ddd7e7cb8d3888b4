"""What `vesper costs --format json` shows, as the oracle has it."""

from decimal import ROUND_HALF_EVEN, Decimal

from oracle import TOKENS, costs, details

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


def assert_costs(vesper, home, calls, every, by, where=(), **given):
    """Every row and the totals, by a grain and dimensions, of the calls with these (name, value); no value means that the call says none."""
    filters = [flag for name, value in where for flag in ("--where", f"{name}={value or ''}")]
    flags = [*PERIOD, "--every", every, *(["--by", ",".join(by)] if by else []), *filters]
    shown = vesper.json("costs", home, flags=flags, **given)
    names = ([] if every == "all" else [every]) + by
    found = {keys(row, names): printed(row) for row in shown["rows"]}
    assert len(found) == len(shown["rows"]), "a group is shown twice"
    period = cut_months(found) if every == "month" else found
    assert period == {key: expected(row) for key, row in asked(calls, names, where).items()}
    if period:
        assert printed(shown["totals"]) == expected(asked(calls, [], where)[()])
    return shown


DETAILS = ["requests", "tenants", "quantity", "retries", "errors", "latency", "first_token", "shadow"]


def assert_details(vesper, home, calls, every, by, **given):
    """Every row and the totals of what is counted beside tokens and money, and what is not charged yet."""
    flags = [*PERIOD, "--every", every, *(["--by", ",".join(by)] if by else []), "--measures", ",".join(DETAILS)]
    shown = vesper.json("costs", home, flags=flags, **given)
    names = ([] if every == "all" else [every]) + by
    wanted, cost = asked(calls, names, take=details), asked(calls, names)
    assert {keys(row, names) for row in shown["rows"]} == wanted.keys()
    pairs = [(row, wanted[keys(row, names)], cost[keys(row, names)]) for row in shown["rows"]]
    for row, counts, priced in [*pairs, (shown["totals"], asked(calls, [], take=details)[()], asked(calls, [])[()])]:
        checked, answered = counts.pop("with_status"), row.pop("error_share")
        share = rounded(Decimal(counts["errors"]) / checked, 4) if checked else None
        assert share == (None if isinstance(answered, dict) else Decimal(answered))
        assert amount(row.pop("shadow"))[:2] == (priced["shadow_low"], priced["shadow_high"])
        if "quantity" in row:
            assert isinstance(row.pop("quantity"), dict) and not any(name.startswith("quantity_") for name in counts)
        said = {name: None if isinstance(value, dict) else value for name, value in row.items() if name not in names}
        assert {name: Decimal(value) if name.startswith("quantity_") and value else value for name, value in said.items()} == counts


def asked(calls, names, where=(), take=costs):
    """The oracle's costs by the command's words: a column of the job's own has a longer name in the lake."""
    own = {row[0] for row in calls.execute("DESCRIBE priced").fetchall()}
    columns = {name: "x_" + name if "x_" + name in own else name for name in [*names, *(name for name, _ in where)]}
    tests = [f'"{columns[name]}" = \'{value}\'' if value else f'"{columns[name]}" IS NULL' for name, value in where]
    return take(calls, [columns[name] for name in names], " AND ".join(tests) or "TRUE")


def cut_months(found):
    """A month that the period cuts is shown by its days: 2026-09-28_2026-09-30 is the end of September."""
    return {(key[0][:7], *key[1:]): row for key, row in found.items()}
