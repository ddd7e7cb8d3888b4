"""The ways in which costs of models go wrong elsewhere, each as a small job of its own with a cost worked out by hand.

    VESPER_BIN=… VESPER_TRAPS_TABLE=traps.md pytest Tests/Conformance/test_price_traps.py
"""

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import SECONDS

BOOK = {"provider": "anthropic", "model": "claude-sonnet-4-5", "valid_from": "2026-01-01", "known_from": "2026-01-01", "source": "this test"}
SONNET = {"input": "3", "cache_read": "0.30", "cache_write_5m": "3.75", "cache_write_1h": "6", "output": "15"}
# The rates of a request with more than 200,000 tokens of input.
LONG = {"input": "6", "cache_read": "0.60", "cache_write_5m": "7.50", "output": "22.50"}
SPEECH = {"provider": "google", "model": "speech-to-text"}


@dataclass(frozen=True)
class Trap:
    name: str
    # What the totals of `vesper costs` say: "0.1", "0.1–0.2", "at least 0.1, 0.5 priced", each perhaps "0 (shadow 0.3)".
    expected: str
    by_hand: str
    prices: tuple
    rows: tuple
    aliases: dict = field(default_factory=dict)
    source: dict = field(default_factory=dict)
    job: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    flags: tuple = ()
    # What the program does instead, for now.
    # A price map in LiteLLM's form, of which `vesper prices import` makes the book.
    imported: dict = field(default_factory=dict)


def price(rates=None, **entry):
    return {**BOOK, **({} if rates is None else {"rates": rates}), **entry}


def call(*, at="2026-11-09T10:00:00Z", **row):
    """A line of the usage log. Tokens go by their meter: input=1000 is input_tokens."""
    meters = ("input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning")
    named = {name + "_tokens" if name in meters else name: value for name, value in row.items()}
    whole = {"ts": at, "provider": BOOK["provider"], "model": BOOK["model"], "user": "u", **named}
    return {name: value for name, value in whole.items() if value is not None}


def speech(quantity, unit="second", **row):
    return call(**{**SPEECH, "quantity": quantity, "unit": unit, **row})


def trap(name, expected, by_hand, prices, *rows, **more):
    return Trap(name, expected, by_hand, tuple(prices), rows, **more)


def flat(rate, per, **entry):
    return price(**{**SPEECH, "rate": rate, "per": per, **entry})


STEPS = [flat("0.024", "15 seconds", increment="15 seconds")]
TIERS = [price(provider="algolia", model="search", per="search", bands=[{"up_to": "1000", "rate": "0"}, {"rate": "0.02"}])]


def searches(count, **row):
    return call(**{"provider": "algolia", "model": "search", "quantity": count, "unit": "search", **row})


LONGER = [price(SONNET), price(LONG, above_input_tokens=200_000)]
CHANGED = [price({"input": "3"}, valid_to="2026-11-09"), price({"input": "2"}, valid_from="2026-11-10")]
LEARNED = [price({"input": "3"}), price({"input": "5"}, known_from="2026-11-01")]
HALF = "0.0000005"  # half a unit of 1e-12 for a token
NOTHING = "at least 0, 0 priced"

TRAPS = [
    # --- Cached tokens
    trap("cached tokens are within the input", "0.00342", "600 × 3 + 400 × 0.30 + 100 × 15", [price(SONNET)],
         call(input=1000, cache_read=400, output=100), source={"input_includes_cache": True}),
    trap("cached tokens are beside the input", "0.00462", "1000 × 3 + 400 × 0.30 + 100 × 15", [price(SONNET)],
         call(input=1000, cache_read=400, output=100)),
    trap("reads and writes are within the input", "0.00234", "500 × 3 + 300 × 0.30 + 200 × 3.75", [price(SONNET)],
         call(input=1000, cache_read=300, cache_write_5m=200), source={"input_includes_cache": True}),
    trap("all of the input was cached, and is paid for once", "0.0003", "0 × 3 + 1000 × 0.30", [price(SONNET)],
         call(input=1000, cache_read=1000), source={"input_includes_cache": True}),
    trap("a cache read at a twentieth of the input", "0.002", "10000 × 0.20, and not a tenth of 4",
         [price({"input": "4", "cache_read": "0.20"}, model="claude-opus-5-5")], call(model="claude-opus-5-5", cache_read=10_000)),
    trap("writes for five minutes and for an hour", "0.00975", "1000 × 3.75 + 1000 × 6", [price(SONNET)],
         call(cache_write_5m=1000, cache_write_1h=1000)),
    trap("no rate for writes of an hour", "at least 0.00375, 0 priced", "1000 × 3.75 + 1000 × unknown",
         [price({"cache_write_5m": "3.75"})], call(cache_write_5m=1000, cache_write_1h=1000)),
    trap("no rate for cache reads", "at least 0.003, 0 priced", "1000 × 3 + 1000 × unknown, and not 2000 × 3",
         [price({"input": "3", "output": "15"})], call(input=1000, cache_read=1000)),
    trap("a rate of zero is a rate", "0.0007", "1000 × 0.28 + 1000 × 0 + 1000 × 0.42",
         [price({"input": "0.28", "cache_write_5m": "0", "output": "0.42"})], call(input=1000, cache_write_5m=1000, output=1000)),
    # --- Reasoning
    trap("reasoning without a price of its own is output", "0.015", "1000 × 15, of which 600 thought", [price(SONNET)],
         call(output=1000, reasoning=600)),
    trap("reasoning at a price of its own", "0.018", "400 × 15 + 600 × 20", [price({**SONNET, "reasoning": "20"})],
         call(output=1000, reasoning=600)),
    trap("reasoning beside the output", "0.015", "(400 + 600) × 15", [price(SONNET)], call(output=400, reasoning=600),
         source={"output_excludes_reasoning": True}),
    trap("reasoning alone says nothing of the output", NOTHING, "output not exported", [price(SONNET)], call(reasoning=600)),
    # --- Long context
    trap("exactly at the threshold", "0.48", "150000 × 3 + 50000 × 0.30 + 1000 × 15", LONGER,
         call(input=150_000, cache_read=50_000, output=1000)),
    trap("one above the threshold: every meter", "0.952506", "150001 × 6 + 50000 × 0.60 + 1000 × 22.50", LONGER,
         call(input=150_001, cache_read=50_000, output=1000)),
    trap("cache writes count for the threshold", "1.500006", "1 × 6 + 200000 × 7.50", LONGER, call(input=1, cache_write_5m=200_000)),
    trap("cached tokens within the input count once for the threshold", "0.465", "150000 × 3 + 50000 × 0.30", LONGER,
         call(input=200_000, cache_read=50_000), source={"input_includes_cache": True}),
    trap("output does not count for the threshold", "3.03", "10000 × 3 + 200000 × 15", LONGER, call(input=10_000, output=200_000)),
    trap("a call at a time, and not their sum", "0.9", "2 × 150000 × 3", LONGER, call(input=150_000), call(input=150_000, user="v")),
    trap("the highest of several thresholds", "2.7", "300000 × 9",
         [price({"input": "3"}), price({"input": "6"}, above_input_tokens=128_000), price({"input": "9"}, above_input_tokens=256_000)],
         call(input=300_000)),
    trap("a long context lacks a rate that a short one has", "at least 1.2, 0 priced", "200000 × 6 + 50000 × unknown",
         [price(SONNET), price({"input": "6"}, above_input_tokens=200_000)], call(input=200_000, cache_read=50_000)),
    # --- Service tiers
    trap("a batch does not discount cache reads", "0.00575", "1000 × 0.625 + 1000 × 0.125 + 1000 × 5",
         [price({"input": "1.25", "cache_read": "0.125", "output": "10"}, model="gemini-2.5-pro"),
          price({"input": "0.625", "cache_read": "0.125", "output": "5"}, model="gemini-2.5-pro", tier="batch")],
         call(model="gemini-2.5-pro", service_tier="batch", input=1000, cache_read=1000, output=1000)),
    trap("no price for batches", NOTHING, "unknown, and not half of 3", [price(SONNET)], call(service_tier="batch", input=1000)),
    trap("a tier of another kind", NOTHING, "unknown, and not 3", [price(SONNET)], call(service_tier="flex", input=1000)),
    trap("no tier is the standard one", "0.006", "2 × 1000 × 3", [price(SONNET), price({"input": "1"}, tier="batch")],
         call(input=1000), call(input=1000, service_tier="standard")),
    # --- Quantities
    trap("a tenth of a second in steps of 15", "0.024", "1 × 0.024", STEPS, speech(0.1)),
    trap("15 seconds in steps of 15", "0.024", "1 × 0.024", STEPS, speech(15)),
    trap("15.001 seconds in steps of 15", "0.048", "2 × 0.024", STEPS, speech(15.001)),
    trap("37.5 seconds in steps of 15", "0.072", "3 × 0.024", STEPS, speech(37.5)),
    trap("milliseconds in steps of 15 seconds", "0.072", "37500 ms are 3 × 0.024", STEPS, speech(37500, "millisecond")),
    trap("minutes in steps of 15 seconds", "0.072", "0.625 min are 3 × 0.024", STEPS, speech(0.625, "minutes")),
    trap("each call has its own steps", "0.048", "2 × 0.024, and not 15 s once", STEPS, speech(7.5), speech(7.5, user="v")),
    trap("a price per minute in steps of 15 seconds", "0.072", "45 s of 0.096 for 60 s", [flat("0.096", "minute", increment="15 seconds")],
         speech(37.5)),
    trap("a price per minute without steps", "0.0091", "91 s of 0.006 for 60 s", [flat("0.006", "minute")], speech(91)),
    trap("no seconds cost nothing", "0", "0 steps", STEPS, speech(0)),
    trap("characters by the thousand", "0.01851", "1234 × 0.015 / 1000", [flat("0.015", "1K characters")], speech(1234, "character")),
    trap("characters by the million", "0.01851", "1234 × 15 / 1000000", [flat("15", "1M characters")], speech(1234, "characters")),
    trap("pictures by the piece", "0.12", "3 × 0.04", [flat("0.04", "image")], speech(3, "image")),
    trap("kilobytes are not kibibytes", "0.002", "1000000 bytes are 1 MB, and less than 1 MiB", [flat("0.002", "MB")], speech(1_000_000, "byte")),
    trap("a GiB by the GB", "0.001073741824", "1073741824 / 1000000000 × 0.001", [flat("0.001", "GB")], speech(1, "GiB")),
    trap("a unit that no price is in", NOTHING, "characters at a price per minute", [flat("0.006", "minute")], speech(60, "character")),
    trap("a unit that nobody knows", NOTHING, "furlongs", [flat("0.006", "minute")], speech(60, "furlong")),
    trap("no unit", NOTHING, "60 of what?", [flat("0.006", "minute")], speech(60, None)),
    trap("tokens and a quantity of one call", "0.013", "1000 × 3 / 1M + 1 × 0.01", [price({"input": "3"}), price(rate="0.01", per="search")],
         call(input=1000, quantity=1, unit="search")),
    trap("the quantity of a call has no price", "at least 0.003, 0 priced", "1000 × 3 / 1M + 1 × unknown", [price({"input": "3"})],
         call(input=1000, quantity=1, unit="search")),
    # --- Ranges, mocked services, labels
    trap("a price is a range", "0.00015–0.002", "1000 × 0.05 + 1000 × 0.10 to 1000 × 0.50 + 1000 × 1.50",
         [price({"input": ["0.05", "0.50"], "output": ["0.10", "1.50"]})], call(input=1000, output=1000)),
    trap("a range, and something unknown", "at least 0.00005, 0 priced", "1000 × 0.05 + 1000 × unknown", [price({"input": ["0.05", "0.50"]})],
         call(input=1000, output=1000)),
    trap("a range of a quantity", "0.3–0.6", "3 × 0.10 to 3 × 0.20", [flat(["0.10", "0.20"], "image")], speech(3, "image")),
    trap("a mocked service costs nothing yet", "0 (shadow 0.25)", "250 × 0 (250 × 0.001)", [flat("0.001", "image", mocked=True)],
         speech(250, "image")),
    trap("a mocked service beside one that is charged", "0.003 (shadow 0.25)", "1000 × 3 / 1M (250 × 0.001)",
         [price({"input": "3"}), flat("0.001", "image", mocked=True)], call(input=1000), speech(250, "image")),
    trap("approximate prices and labels are prices", "0.003", "1000 × 3",
         [price({"input": "3"}, approximate=True, labels={"quality": "high"})], call(input=1000)),
    # --- What nobody knows
    trap("an unknown model", NOTHING, "unknown, and not 0", [price(SONNET)], call(model="claude-sonnet-5", input=1000)),
    trap("an unknown provider", NOTHING, "another's price is not taken", [price(SONNET)], call(provider="openrouter", input=1000)),
    trap("one of two is unknown", "at least 0.003, 0.5 priced", "1000 × 3 + unknown", [price(SONNET)], call(input=1000),
         call(model="m", input=1000)),
    trap("nothing was exported", NOTHING, "no tokens, no quantity", [price(SONNET)], call()),
    trap("no tokens are none", "0", "0 × 3 + 0 × 15", [price(SONNET)], call(input=0, output=0)),
    trap("no tokens of an unknown model are none", "0", "0 × unknown", [price(SONNET)], call(model="m", input=0, output=0)),
    trap("no provider, and only one has the model", "0.003", "1000 × 3", [price(SONNET)], call(provider=None, input=1000)),
    trap("no provider, and two have the model", NOTHING, "3 or 4?", [price({"input": "3"}), price({"input": "4"}, provider="bedrock")],
         call(provider=None, input=1000)),
    trap("no model", NOTHING, "unknown", [price(SONNET)], call(model=None, input=1000)),
    trap("what the log says of its own cost is no price", "0.003", "1000 × 3, and not 9.99", [price(SONNET)],
         call(input=1000, reported_cost="9.99", currency="USD")),
    # --- Names
    trap("a release day after a hyphen", "0.003", "1000 × 3", [price(SONNET)], call(model="claude-sonnet-4-5-20250929", input=1000)),
    trap("a release day after an @", "0.003", "1000 × 3", [price(SONNET)], call(model="claude-sonnet-4-5@20250929", input=1000)),
    trap("something else after the name", NOTHING, "another model", [price(SONNET)], call(model="claude-sonnet-4-5-preview", input=1000),
         call(model="claude-sonnet-4-5-2025092", input=1000), call(model="claude-sonnet-4-50", input=1000)),
    trap("the longest name", "0.00015", "1000 × 0.15, and not 2.50", [price({"input": "2.50"}, model="gpt-4o*"), price({"input": "0.15"}, model="gpt-4o-mini")],
         call(model="gpt-4o-mini-20240718", input=1000)),
    trap("a name before the beginning of names", "0.0025", "1000 × 2.50, and not 9", [price({"input": "9"}, model="gpt-4o*"), price({"input": "2.50"}, model="gpt-4o")],
         call(model="gpt-4o", input=1000)),
    trap("one price for several names", "0.006", "2 × 1000 × 3", [price({"input": "3"}, model=["claude-sonnet-4-5", "claude-sonnet-4.5"])],
         call(input=1000), call(model="claude-sonnet-4.5", input=1000)),
    trap("an alias", "0.003", "1000 × 3", [price(SONNET)], call(model="us.anthropic.claude-sonnet-4-5-20250929-v1:0", input=1000),
         aliases={"us.anthropic.claude-sonnet-4-5*": "claude-sonnet-4-5"}),
    trap("the longest alias", "0.004", "1000 × 4", [price({"input": "3"}), price({"input": "4"}, model="claude-opus-5-5")],
         call(model="team-best", input=1000), aliases={"team*": "claude-sonnet-4-5", "team-best": "claude-opus-5-5"}),
    trap("an alias does not fit a longer name", NOTHING, "best-of-all is not best", [price(SONNET)], call(model="best-of-all", input=1000),
         aliases={"best": "claude-sonnet-4-5"}),
    # --- Times
    trap("the last moment before a price changes", "0.003", "1000 × 3", CHANGED, call(at="2026-11-09T23:59:59.999999Z", input=1000)),
    trap("the first moment after a price changed", "0.002", "1000 × 2", CHANGED, call(at="2026-11-10T00:00:00Z", input=1000)),
    trap("prices change at midnight UTC, and not at the job's", "0.003", "00:30 in Berlin is 23:30 UTC: 1000 × 3", CHANGED,
         call(at="2026-11-10T00:30:00+01:00", input=1000), job={"timezone": "Europe/Berlin"}),
    trap("before the first price", NOTHING, "unknown", [price(SONNET, valid_from="2026-11-10")], call(input=1000)),
    trap("after the last price", NOTHING, "unknown", [price(SONNET, valid_to="2026-11-08")], call(input=1000)),
    trap("of two that are known the one known last", "0.005", "1000 × 5", LEARNED, call(input=1000)),
    trap("as of a day before the second was known", "0.003", "1000 × 3", LEARNED, call(input=1000), flags=("--known-as-of", "2026-10-31")),
    trap("as of the day on which the second was known", "0.005", "1000 × 5", LEARNED, call(input=1000), flags=("--known-as-of", "2026-11-01")),
    trap("as of a day before anything was known", NOTHING, "unknown", LEARNED, call(input=1000), flags=("--known-as-of", "2025-12-31")),
    trap("learned later: the price has ended", NOTHING, "unknown, and not what was known before",
         [price({"input": "3"}), price({"input": "3"}, valid_to="2026-10-31", known_from="2026-11-01")], call(input=1000)),
    trap("learned later: it was another price all along", "0.005", "1000 × 5",
         [price({"input": "3"}), price({"input": "2"}, valid_from="2026-10-01", known_from="2026-10-01"),
          price({"input": "5"}, valid_from="2026-05-01", known_from="2026-11-01")], call(input=1000)),
    # --- Digits
    trap("half a unit goes to the even zero", "0", "1 × 0.5e-12", [price({"input": HALF})], call(input=1)),
    trap("one and a half go up to the even two", "0.000000000002", "3 × 0.5e-12", [price({"input": HALF})], call(input=3)),
    trap("two and a half go down to the even two", "0.000000000002", "5 × 0.5e-12", [price({"input": HALF})], call(input=5)),
    trap("more than half goes up", "0.000000000001", "1 × 0.51e-12", [price({"input": "0.00000051"})], call(input=1)),
    trap("each call is rounded by itself", "0.000000000004", "2 × 1.5e-12 → 2 × 2e-12, and not 3e-12", [price({"input": HALF})],
         call(input=3), call(input=3, user="v")),
    trap("each meter is rounded by itself", "0", "0.5e-12 → 0 and 0.5e-12 → 0, and not 1e-12", [price({"input": HALF, "output": HALF})],
         call(input=1, output=1)),
    trap("more tokens than a double can count", "9007199254.740993", "(2^53 + 1) × 1", [price({"input": "1"})], call(input=2**53 + 1)),
    trap("as many tokens as a number holds", "27670116110564.327421", "(2^63 - 1) × 3", [price({"input": "3"})], call(input=2**63 - 1)),
    trap("a rate of ten decimals", "0.0000000001", "1 × 0.0000000001 per token", [price({"input": "0.0000000001"}, per="token")], call(input=1)),
    trap("per thousand and per million are the same", "0.006", "1000 × 3 / 1M + 1000 × 0.003 / 1K",
         [price({"input": "3"}), price({"input": "0.003"}, model="m", per="1K tokens")], call(input=1000), call(model="m", input=1000)),
    # --- Volume tiers
    trap("a call that crosses into the next tier", "4", "600 × 0, then 400 × 0 + 200 × 0.02", TIERS, searches(600, at="2026-11-09T10:00:00Z"),
         searches(600, at="2026-11-09T11:00:00Z")),
    trap("exactly as much as is free", "0", "1000 × 0", TIERS, searches(1000)),
    trap("one more than is free", "0.02", "1000 × 0 + 1 × 0.02", TIERS, searches(1001)),
    trap("tiers begin anew in a month of the job's zone", "0", "900 in October, 900 in November in Berlin", TIERS,
         searches(900, at="2026-10-31T22:30:00Z"), searches(900, at="2026-10-31T23:30:00Z"), job={"timezone": "Europe/Berlin"}),
    trap("the same in UTC is one month", "16", "1000 × 0 + 800 × 0.02", TIERS,
         searches(900, at="2026-10-31T22:30:00Z"), searches(900, at="2026-10-31T23:30:00Z")),
    trap("the order is that of time, and not of the file", "4", "first v: 600 × 0; then u: 400 × 0 + 200 × 0.02", TIERS,
         searches(600, at="2026-11-09T11:00:00Z", user="u"), searches(600, at="2026-11-09T10:00:00Z", user="v"), flags=("--where", "user=u")),
    trap("who came first pays nothing", "0", "600 × 0", TIERS,
         searches(600, at="2026-11-09T11:00:00Z", user="u"), searches(600, at="2026-11-09T10:00:00Z", user="v"), flags=("--where", "user=v")),
    trap("days before the period fill tiers too", "16", "200 × 0 + 800 × 0.02 on the 10th: 900 came before", TIERS,
         searches(900, at="2026-11-02T10:00:00Z"), searches(900, at="2026-11-10T10:00:00Z"), flags=("--from", "2026-11-10", "--to", "2026-11-10")),
    trap("each model has its own tiers", "0", "900 × 0 + 900 × 0", [{**TIERS[0], "model": ["search", "browse"]}],
         searches(900), searches(900, model="browse")),
    trap("tiers per thousand are counted one by one", "2", "1000 × 1 / 1000 + 2000 × 0.5 / 1000",
         [{**TIERS[0], "per": "1K searches", "bands": [{"up_to": "1000", "rate": "1"}, {"rate": "0.5"}]}], searches(3000)),
    trap("a call in two tiers is rounded once", "0.000000000001", "0.5e-12 + 0.5e-12, and not 0 + 0",
         [{**TIERS[0], "bands": [{"up_to": "1", "rate": "0.0000000000005"}, {"rate": "0.0000000000005"}]}], searches(2)),
]


def euros(*rates, zone="UTC", chains=None):
    """What a job with dated rates of exchange has besides: so much of the quote for one of the base."""
    stated = [{"base": base, "quote": quote, "rate": rate, "day": day, "source": "this test"} for base, quote, rate, day in rates]
    file = {"rates": stated, **({"chains": chains} if chains else {})}
    return {"job": {"timezone": zone, "exchange_rates": ["rates.json5"]}, "files": {"rates.json5": file}}


EURO = price({"input": "3"}, currency="EUR")
TRAPS += [
    # --- Currencies
    trap("a price in another currency", "0.0033", "1000 × 3 × 1.1", [EURO], call(input=1000), **euros(("EUR", "USD", "1.1", "2026-11-09"))),
    trap("each day has its own rate of exchange", "0.0069", "1000 × 3 × 1.1 + 1000 × 3 × 1.2", [EURO], call(input=1000),
         call(input=1000, at="2026-11-10T10:00:00Z"), **euros(("EUR", "USD", "1.1", "2026-11-09"), ("EUR", "USD", "1.2", "2026-11-10"))),
    trap("the day of a rate of exchange is that in UTC", "0.0033", "00:30 in Berlin is 23:30 UTC: 1000 × 3 × 1.1", [EURO],
         call(input=1000, at="2026-11-10T00:30:00+01:00"),
         **euros(("EUR", "USD", "1.1", "2026-11-09"), ("EUR", "USD", "1.2", "2026-11-10"), zone="Europe/Berlin")),
    trap("a rate of seven days ago", "0.0033", "1000 × 3 × 1.1", [EURO], call(input=1000), **euros(("EUR", "USD", "1.1", "2026-11-02"))),
    trap("a rate of eight days ago", NOTHING, "too old", [EURO], call(input=1000), **euros(("EUR", "USD", "1.1", "2026-11-01"))),
    trap("a rate of tomorrow", NOTHING, "not known today", [EURO], call(input=1000), **euros(("EUR", "USD", "1.1", "2026-11-10"))),
    trap("the newest of two older rates", "0.0036", "1000 × 3 × 1.2", [EURO], call(input=1000),
         **euros(("EUR", "USD", "1.1", "2026-11-07"), ("EUR", "USD", "1.2", "2026-11-08"), ("EUR", "USD", "9", "2026-11-10"))),
    trap("a rate that is stated the other way round", "0.00375", "1000 × 3 / 0.8", [EURO], call(input=1000),
         **euros(("USD", "EUR", "0.8", "2026-11-09"))),
    trap("what does not come out even is rounded once", "0.003333333333", "1000 × 3 / 0.9", [EURO], call(input=1000),
         **euros(("USD", "EUR", "0.9", "2026-11-09"))),
    trap("half a unit is rounded after it is exchanged", "0.000000000001", "1 × 0.5e-12 × 1.2 = 0.6e-12, and not 0 × 1.2",
         [price({"input": HALF}, currency="EUR")], call(input=1), **euros(("EUR", "USD", "1.2", "2026-11-09"))),
    trap("a third currency is no bridge", NOTHING, "EUR in TRY, and TRY in USD", [EURO], call(input=1000),
         **euros(("EUR", "TRY", "50", "2026-11-09"), ("USD", "TRY", "40", "2026-11-09"))),
    trap("a third currency that the job names as a bridge", "0.00375", "1000 × 3 × 50 / 40", [EURO], call(input=1000),
         **euros(("EUR", "TRY", "50", "2026-11-09"), ("USD", "TRY", "40", "2026-11-09"), chains=[["EUR", "TRY", "USD"]])),
    trap("a price without a rate of exchange gives way to none", NOTHING, "the name's own price is unknown, and not 9",
         [EURO, price({"input": "9"}, model="claude-*")], call(input=1000), **euros(("EUR", "USD", "1.1", "2026-11-10"))),
    trap("steps in another currency", "0.0792", "3 × 0.024 × 1.1", [{**STEPS[0], "currency": "EUR"}], speech(37.5),
         **euros(("EUR", "USD", "1.1", "2026-11-09"))),
    trap("two currencies in one call", "0.0183", "1000 × 3 × 1.1 / 1M + 1000 × 15 / 1M",
         [EURO, price({"output": "15"})], call(input=1000, output=1000), **euros(("EUR", "USD", "1.1", "2026-11-09"))),
]


def community(name, expected, by_hand, keys, *rows):
    entry = {"litellm_provider": "vendor", "mode": "chat", **keys}
    named = [{**row, "provider": "vendor", "model": "m"} for row in rows]
    return trap(f"community map: {name}", expected, by_hand, (), *named, imported={"m": entry})


TRAPS += [
    # --- The community's price map, whose rates are for one token
    community("whisper's two keys are one charge", "0.006", "60 × 0.0001, and not twice",
              {"input_cost_per_second": 0.0001, "output_cost_per_second": 0.0001, "mode": "audio_transcription"}, speech(60)),
    community("two names of a cache read are one rate", "0.000028", "1000 × 0.000000028, and not twice",
              {"input_cost_per_token": 2.8e-07, "cache_read_input_token_cost": 2.8e-08, "input_cost_per_token_cache_hit": 2.8e-08},
              call(cache_read=1000)),
    community("writes for five minutes and for an hour", "0.00975", "1000 × 0.00000375 + 1000 × 0.000006",
              {"cache_creation_input_token_cost": 3.75e-06, "cache_creation_input_token_cost_above_1hr": 6e-06},
              call(cache_write_5m=1000, cache_write_1h=1000)),
    community("a threshold and a batch", "0.500005", "200002 × 0.0000025",
              {"input_cost_per_token": 3e-06, "input_cost_per_token_batches": 1.5e-06, "input_cost_per_token_above_200k_tokens": 5e-06,
               "input_cost_per_token_above_200k_tokens_batches": 2.5e-06}, call(input=200_002, service_tier="batch")),
    community("no rate for batches is not half of one", NOTHING, "unknown", {"input_cost_per_token": 3e-06},
              call(input=1000, service_tier="batch")),
    community("a rate of zero is a rate", "0.003", "1000 × 0.000003 + 1000 × 0",
              {"input_cost_per_token": 3e-06, "cache_read_input_token_cost": 0.0}, call(input=1000, cache_read=1000)),
    community("a rate is what is written", "0.00010001", "1000 × 1.0001e-07", {"input_cost_per_token": 1.0001e-07}, call(input=1000)),
    community("characters", "0.01851", "1234 × 0.000015", {"input_cost_per_character": 1.5e-05, "mode": "audio_speech"},
              speech(1234, "character")),
    community("reasoning at a rate of its own", "0.018", "400 × 0.000015 + 600 × 0.00002",
              {"output_cost_per_token": 1.5e-05, "output_cost_per_reasoning_token": 2e-05}, call(output=1000, reasoning=600)),
]


# MARK: - Running one

ACTUAL = {}


@pytest.fixture(scope="module", autouse=True)
def table():
    """The table for people, where it is asked for: VESPER_TRAPS_TABLE names its file."""
    yield
    path = os.environ.get("VESPER_TRAPS_TABLE")
    if path:
        lines = ["| case | by hand | expected | actual |", "|---|---|---|---|"]
        lines += [f"| {case.name} | {case.by_hand} | {case.expected} | {ACTUAL[case.name]} |" for case in TRAPS if case.name in ACTUAL]
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def written(folder, case):
    """The job's files in a folder of its own."""
    data = folder / "data" / "trap"
    data.mkdir(parents=True)
    (data / "calls.jsonl").write_text("".join(json.dumps({"id": str(n), **row}) + "\n" for n, row in enumerate(case.rows)))
    book = {"currency": "USD", "prices": case.prices, **({"aliases": case.aliases} if case.aliases else {})}
    job = {
        "job": "trap", "timezone": "UTC", "currency": "USD", "starts": "2026-09-28", "accept_from": "2025-01-01",
        "sources": [{"log": "usage", "name": "calls", "files": "calls.jsonl", **case.source}], "prices": ["book.json5"],
        "report": [{"section": "data-quality"}], **case.job,
    }
    for name, content in {"book.json5": book, "job.json5": job, **case.files}.items():
        (folder / name).write_text(json.dumps(content))
    return {"job": folder / "job.json5", "data": folder / "data"}


def said(row):
    """What a row of `vesper costs` says of money, in the words of the traps."""
    cost, shadow = amount(row["cost"]), amount(row["shadow"])
    whole = f"at least {cost}, {row['priced']} priced" if "at_least" in row["cost"] else cost
    return whole if shadow == "0" else f"{whole} (shadow {shadow})"


def amount(cell):
    return cell if isinstance(cell, str) else "–".join(cell.values())


def costs(vesper, folder, case):
    given = written(folder, case)
    if case.imported:
        (folder / "map.json").write_text(json.dumps(case.imported))
        (folder / "book.json5").unlink()
        words = ["--provider", "vendor", "--source", "this test", "--known-from", "2026-01-01", "--into", "book.json5"]
        command = [vesper.binary, "prices", "import", "map.json", *words]
        subprocess.run(command, cwd=folder, env=vesper.environment(), stdin=subprocess.DEVNULL, capture_output=True, timeout=SECONDS, check=True)
    vesper("ingest", folder / "home", **given)
    flags = ["--measures", "cost,coverage,shadow", *case.flags]
    return said(vesper.json("costs", folder / "home", flags=flags, **given)["totals"])


@pytest.mark.parametrize("case", TRAPS, ids=lambda case: case.name)
def test_a_trap_costs_what_was_worked_out_by_hand(vesper, tmp_path, case):
    ACTUAL[case.name] = "nothing"
    ACTUAL[case.name] = costs(vesper, tmp_path, case)
    assert ACTUAL[case.name] == case.expected, case.by_hand


def test_what_comes_late_fills_the_volume_tiers_of_days_that_were_priced_before(vesper, tmp_path):
    """The 10th was priced, and is cached; then 900 searches of the 2nd come."""
    case = trap("", "", "", TIERS, searches(900, at="2026-11-10T10:00:00Z"), source={"files": "*.jsonl"})
    given, home = written(tmp_path, case), tmp_path / "home"

    def cost(*flags):
        vesper("run", home, flags=["--until", "price"], **given)
        of_the_day = ["--from", "2026-11-10", "--to", "2026-11-10", *flags]
        return vesper.json("costs", home, flags=of_the_day, **given)["totals"]["cost"]

    assert (cost(), cost("--no-cache")) == ("0", "0")
    late = {"id": "late", **searches(900, at="2026-11-02T10:00:00Z")}
    (tmp_path / "data" / "trap" / "late.jsonl").write_text(json.dumps(late) + "\n")
    assert (cost(), cost("--no-cache")) == ("16", "16")
