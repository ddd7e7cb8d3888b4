"""Every kind of bad price book and bad exchange rate once: there is an exit code and a sentence that names file and line.

    VESPER_BIN=… VESPER_BAD_PRICES_TABLE=bad-prices.md pytest Tests/Conformance/test_bad_prices.py
"""

import json
import os
import re
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from conftest import SECONDS
from test_bad_input import assert_readable

JOB = {
    "job": "demo", "timezone": "UTC", "currency": "USD", "starts": "2026-11-09",
    "sources": [{"log": "usage", "name": "calls", "files": "calls.jsonl"}], "prices": ["book.json5"], "exchange_rates": ["rates.json5"],
    "report": [{"section": "data-quality"}],
}
# ⌖ stands where a sentence has to point, and is no part of the file.
BOOK = """{
  currency: "USD",
  aliases: { "team*": "sonnet" },
  prices: [
    {
      provider: "anthropic", model: "sonnet",
      rates: { input: "3", output: "15" },
      valid_from: "2026-01-01", known_from: "2026-01-01", source: "a page",
    },
    {
      provider: "google", model: "speech",
      rate: "0.024", per: "15 seconds", increment: "15 seconds",
      valid_from: "2026-01-01", known_from: "2026-01-01", source: "a page",
    },
    {
      provider: "algolia", model: "search",
      bands: [{ up_to: "1000", rate: "0" }, { up_to: "5000", rate: "0.03" }, { rate: "0.02" }],
      per: "search",
      valid_from: "2026-01-01", known_from: "2026-01-01", source: "a page",
    },
  ],
}
"""
RATES = """{
  rates: [
    { base: "EUR", quote: "USD", rate: "1.10", day: "2026-11-08", source: "a bank" },
    { base: "EUR", quote: "USD", rate: "1.20", day: "2026-11-09", source: "a bank" },
  ],
}
"""
ROWS = [
    {"model": "sonnet", "provider": "anthropic", "input_tokens": 1000, "output_tokens": 1000},
    {"model": "speech", "provider": "google", "quantity": 20, "unit": "second"},
    {"model": "search", "provider": "algolia", "quantity": 2000, "unit": "search"},
]
INPUT = 'input: "3"'
SPEECH = 'rate: "0.024", per: "15 seconds", increment: "15 seconds",'
BANDS = 'bands: [{ up_to: "1000", rate: "0" }, { up_to: "5000", rate: "0.03" }, { rate: "0.02" }],'
FROM = 'valid_from: "2026-01-01", known_from: "2026-01-01", source: "a page",'
MODEL = 'provider: "anthropic", model: "sonnet",'
SPOKEN = 'provider: "google", model: "speech",'


@dataclass
class Case:
    name: str
    code: int
    # A pattern for what is said; "{at}" is the place of the mark.
    says: str
    # Changes to the book, and to the file of rates: (what, by what).
    book: tuple = ()
    rates: tuple = ()
    # More rows of the log, more keys of the job, and what else is in the folder.
    rows: tuple = ()
    job: dict = field(default_factory=dict)
    files: dict = field(default_factory=dict)
    # Who is asked, where it is not the costs.
    ask: tuple = ("costs", "job.json5")


def book(name, says, *changes, code=64, **more):
    return Case(name, code, says, book=changes, **more)


def rates(name, says, *changes, code=64, **more):
    return Case(name, code, says, rates=changes, **more)


LIST = ("prices", "list", "job.json5")


def explain(what):
    return ("explain", "job.json5", what)


def another(text):
    """One more entry at the end of the book."""
    return ('    },\n  ],\n', '    },\n    %s\n  ],\n' % text)


def entry(keys, tail=FROM):
    return another("{ %s %s }," % (keys, tail))


CASES = [
    # --- The file
    Case("no such book", 64, r'job\.json5:1:\d+: error: There is no price book "none\.json5" beside the job file', job={"prices": ["none.json5"]}),
    Case("a folder for a book", 64, r'job\.json5:1:\d+: error: There is no price book "a" beside the job file', job={"prices": ["a"]}, files={"a/b": b""}),
    Case("an empty book", 64, r"{at}:1: error: nothing is written here", files={"book.json5": b""}),
    Case("an empty object", 64, r'{at}:1: error: "currency" \(currency code\) and "prices" \(list of prices\) are missing in price book\. Add them\.', files={"book.json5": b"{}"}),
    Case("a list for a book", 64, r"{at}:1: error: price book must be an object in \{ \}, not a list\.", files={"book.json5": b"[]"}),
    book("a book cut in the middle", r"book\.json5:12:\d+: error: ", (BOOK[BOOK.index('increment: "15'):], "incr")),
    book("a comma that is missing", r"{at}:\d+: error: expected ", ('model: "sonnet",\n', 'model: "sonnet"\n⌖')),
    Case("a book in binary", 64, r"{at}:1: error: expected UTF-8, but the bytes here are not", files={"book.json5": bytes(range(128, 256))}),
    Case("a book in UTF-16", 64, r"{at}:1: error: ", files={"book.json5": BOOK.encode("utf-16")}),
    Case("a book of CSV", 64, r"{at}:\d+: error: ", files={"book.json5": b"provider,model,input\nanthropic,sonnet,3\n"}),
    Case("a book of many megabytes", 64, r"book\.json5:1:8388609: error: this object is never closed", files={"book.json5": b" " * (8 << 20) + b"{"}),
    book("a book nested without end", r"book\.json5:1:\d+: error: ", (BOOK, "[" * 100_000)),
    Case("a book that is named twice", 64, r'job\.json5:1:\d+: error: .*"book\.json5" twice', job={"prices": ["book.json5", "book.json5"]}),
    # --- Keys
    book("an unknown key", r'{at}:\d+: error: unknown key "rats" in price\. Did you mean "rates?"\?', ("rates: {", "⌖rats: {")),
    book("an unknown key of the book", r'{at}:\d+: error: unknown key "curency" in price book\. Did you mean "currency"\?', ("currency:", "⌖curency:")),
    book("an unknown key of a band", r'{at}:\d+: error: unknown key "from" in band\.', ('{ up_to: "1000", rate: "0" }', '{ ⌖from: "0", up_to: "1000", rate: "0" }')),
    book("no source", r'{at}:\d+: error: "source" .*is missing in', ('    {\n      provider: "anthropic"', '    ⌖{\n      provider: "anthropic"'), (', source: "a page",\n    },\n    {\n      provider: "google"', ',\n    },\n    {\n      provider: "google"')),
    book("an empty source", r'{at}:\d+: error: .*source.*', (FROM + '\n    },\n    {\n      provider: "google"', FROM.replace("a page", "⌖") + '\n    },\n    {\n      provider: "google"')),
    book("no known_from", r'{at}:\d+: error: "known_from" .*is missing in', entry('⌖provider: "x", model: "m", rates: { input: "1" },', 'valid_from: "2026-01-01", source: "s"')),
    book("no valid_from", r'{at}:\d+: error: "valid_from" .*is missing in', entry('⌖provider: "x", model: "m", rates: { input: "1" },', 'known_from: "2026-01-01", source: "s"')),
    book("no provider", r'{at}:\d+: error: "provider" .*is missing in', entry('⌖model: "m", rates: { input: "1" },')),
    book("no currency", r'{at}:\d+: error: "currency" .*is missing in', ('{\n  currency: "USD",', "⌖{")),
    book("no prices", r'{at}:\d+: error: "prices" .*is missing in', (BOOK, '⌖{ currency: "USD" }')),
    book("a key twice", r'{at}:\d+: error: .*twice', (INPUT, 'input: "3", ⌖input: "4"')),
    book("a model and a service", r"{at}:\d+: error: A price is that of a model, a metric or a service\. Give exactly one of them\.", entry('⌖provider: "x", model: "m", service: "s", rates: { input: "1" },')),
    book("neither model nor service", r"{at}:\d+: error: A price is that of a model, a metric or a service\.", entry('⌖provider: "x", rates: { input: "1" },')),
    book("an empty list of models", r"{at}:\d+: error: ", entry('provider: "x", ⌖model: [], rates: { input: "1" },')),
    book("a model without a name", r"{at}:\d+: error: ", entry('provider: "x", ⌖model: "", rates: { input: "1" },')),
    book("a provider that is a number", r"{at}:\d+: error: ", entry('⌖provider: 5, model: "m", rates: { input: "1" },')),
    book("mocked: \"yes\"", r"{at}:\d+: error: .*mocked", (SPEECH, SPEECH + ' ⌖mocked: "yes",')),
    # --- Rates
    book("a rate and rates", r"{at}:\d+: error: A price has rates for tokens, or one rate, or bands\. Give exactly one of them\.", entry('⌖provider: "x", model: "m", rates: { input: "1" }, rate: "1", per: "image",')),
    book("neither rate nor rates", r"{at}:\d+: error: A price has rates for tokens, or one rate, or bands\.", entry('⌖provider: "x", model: "m",')),
    book("no rate among the rates", r"{at}:\d+: error: A price without any rate says nothing\. Add one\.", entry('provider: "x", model: "m", ⌖rates: {},')),
    book("an unknown meter", r'{at}:\d+: error: unknown meter "inptu"\. Did you mean "input"\? Meters are input, ', (INPUT, '⌖inptu: "3"')),
    book("a negative rate", r"{at}:\d+: error: A rate is not negative", (INPUT, '⌖input: "-3"')),
    book("a negative rate of a quantity", r"{at}:\d+: error: A rate is not negative", (SPEECH, SPEECH.replace('rate: "0.024"', '⌖rate: "-0.024"'))),
    book("a negative rate of a band", r"{at}:\d+: error: A rate is not negative", ('rate: "0.03"', '⌖rate: "-0.03"')),
    book("a range upside down", r"{at}:\d+: error: .*the low end of a range comes first", (INPUT, '⌖input: ["3", "2"]')),
    book("a range with three ends", r"{at}:\d+: error: A range has two ends", (INPUT, '⌖input: ["1", "2", "3"]')),
    book("a range with one end", r"{at}:\d+: error: A range has two ends", (INPUT, '⌖input: ["1"]')),
    book("a rate in words", r"{at}:\d+: error: .*the rate of input.*", (INPUT, '⌖input: "three"')),
    book("a rate with its currency", r"{at}:\d+: error: .*the rate of input.*", (INPUT, '⌖input: "$3"')),
    book("a decimal comma", r"{at}:\d+: error: .*the rate of input.*", (INPUT, '⌖input: "3,00"')),
    book("a rate that is no number", r"{at}:\d+: error: .*the rate of input.*", (INPUT, '⌖input: "NaN"')),
    book("a rate of too many digits", r"{at}:\d+: error: .*the rate of input.*", (INPUT, '⌖input: "%s"' % ("9" * 50))),
    book("a rate of null", r"{at}:\d+: error: .*the rate of input.*", (INPUT, "⌖input: null")),
    book("a rate a thousand times that of its neighbour", r"{at}:\d+: warning: The input rate of sonnet, 3000 per 1M tokens, is 1,000 times the one that it follows, 3 per 1M tokens at .*book\.json5:7:\d+\. Check the unit of both\.", entry('provider: "anthropic", model: "sonnet", rates: { ⌖input: "3000", output: "15" },', FROM.replace("2026-01-01", "2026-11-01")), code=0, ask=LIST),
    book("a rate a millionth of its neighbour's", r"{at}:\d+: warning: The input rate of sonnet, 0\.000003 per 1M tokens, is 1,000,000 times less than the one that it follows", entry('provider: "anthropic", model: "sonnet", rates: { ⌖input: "0.000003", output: "15" },', FROM.replace("2026-01-01", "2026-11-01")), code=0, ask=LIST),
    book("a rate for a million tokens as that for one", r"{at}:\d+: warning: The input rate of opus, 0\.000005 per 1M tokens, is 600,000 times less than that of sonnet", entry('provider: "anthropic", model: "opus", rates: { ⌖input: "0.000005", output: "0.000025" },'), code=0, ask=LIST),
    book("a rate so high that a cost does not fit", r"{at}:\d+: error: A cost is too large for this price: 1000 tokens at 9{30}\.", (INPUT, '⌖input: "%s"' % ("9" * 30)), code=1),
    # --- Units
    book("an unknown unit", r'{at}:\d+: error: unknown unit "15 secnds"\. Did you mean "second"\?', (SPEECH, SPEECH.replace('per: "15 seconds"', '⌖per: "15 secnds"'))),
    book("an unknown unit of steps", r'{at}:\d+: error: unknown unit "quarters"', (SPEECH, SPEECH.replace('increment: "15 seconds"', '⌖increment: "quarters"'))),
    book("an unknown unit of a metric", r'{at}:\d+: error: unknown unit "bites"\.', entry('provider: "x", metric: "m", ⌖unit: "bites", rate: "1", per: "GB-month",')),
    book("a unit of a metric that does not convert", r"{at}:\d+: error: Values in bytes do not fit a price per minute: they are of another kind\.", entry('provider: "x", metric: "m", ⌖unit: "byte", rate: "1", per: "minute",')),
    book("a count without a unit", r'{at}:\d+: error: unknown unit "15"', (SPEECH, SPEECH.replace('per: "15 seconds"', '⌖per: "15"'))),
    book("a rate without its unit", r"{at}:\d+: error: One rate is for a quantity, not for tokens\. Say what it is per", entry('⌖provider: "x", model: "m", rate: "1",')),
    book("none of a unit", r'{at}:\d+: error: unknown unit "0 seconds"', (SPEECH, SPEECH.replace('per: "15 seconds"', '⌖per: "0 seconds"'))),
    book("half of a unit", r'{at}:\d+: error: unknown unit "1\.5 minutes"', (SPEECH, SPEECH.replace('per: "15 seconds"', '⌖per: "1.5 minutes"'))),
    book("steps of another kind", r"{at}:\d+: error: Steps of 100 characters do not fit a price per 15 seconds", (SPEECH, SPEECH.replace('increment: "15 seconds"', '⌖increment: "100 characters"'))),
    book("steps of tokens", r"{at}:\d+: error: Tokens are counted one by one", ("rates: {", '⌖increment: "1K tokens", rates: {')),
    book("rates for tokens per minute", r'{at}:\d+: error: Rates by meter are for tokens, not for minute', ("rates: {", '⌖per: "minute", rates: {')),
    book("a threshold of a quantity", r"{at}:\d+: error: A threshold of tokens goes with rates for tokens", (SPEECH, SPEECH + " ⌖above_input_tokens: 5,")),
    book("a negative threshold", r"{at}:\d+: error: .*above_input_tokens", ("rates: {", "⌖above_input_tokens: -5, rates: {")),
    book("half a threshold", r"{at}:\d+: error: .*above_input_tokens", ("rates: {", "⌖above_input_tokens: 1.5, rates: {")),
    # --- Bands
    book("a band that begins again", r"{at}:\d+: error: The band ends at 1000, but it begins at 1000\. Put the bands in order\.", ('{ up_to: "5000", rate: "0.03" }', '{ ⌖up_to: "1000", rate: "0.03" }')),
    book("bands in no order", r"{at}:\d+: error: The band ends at 500, but it begins at 1000", ('{ up_to: "5000", rate: "0.03" }', '{ ⌖up_to: "500", rate: "0.03" }')),
    book("a band that ends where nothing is", r"{at}:\d+: error: The band ends at 0, but it begins at 0", ('{ up_to: "1000", rate: "0" }', '{ ⌖up_to: "0", rate: "0" }')),
    book("a band of less than nothing", r"{at}:\d+: error: The band ends at -1000, but it begins at 0", ('{ up_to: "1000", rate: "0" }', '{ ⌖up_to: "-1000", rate: "0" }')),
    book("no open end", r"{at}:\d+: error: The last band has no end", ('{ rate: "0.02" }', '{ ⌖up_to: "9000", rate: "0.02" }')),
    book("a hole between bands", r"{at}:\d+: error: This band has no end, so nothing can follow it", ('{ up_to: "5000", rate: "0.03" }', '⌖{ rate: "0.03" }')),
    book("one band", r"{at}:\d+: error: Bands are at least two", (BANDS, '⌖bands: [{ rate: "0.02" }],')),
    book("no band", r"{at}:\d+: error: Bands are at least two", (BANDS, "⌖bands: [],")),
    book("a band without a rate", r'{at}:\d+: error: "rate" .*is missing in', ('{ up_to: "5000", rate: "0.03" }', '⌖{ up_to: "5000" }')),
    # --- Times
    book("a price that ends before it begins", r"{at}:\d+: error: The price ends on 2025-12-31, before it begins on 2026-01-01\.", (SPEECH, SPEECH + ' ⌖valid_to: "2025-12-31",')),
    book("a day that there is not", r"{at}:\d+: error: .*2026-02-30", entry('provider: "x", model: "m", rates: { input: "1" },', '⌖valid_from: "2026-02-30", known_from: "2026-01-01", source: "s"')),
    book("a day in another order", r"{at}:\d+: error: .*01\.02\.2026", entry('provider: "x", model: "m", rates: { input: "1" },', 'valid_from: "2026-01-01", ⌖known_from: "01.02.2026", source: "s"')),
    book("two prices for one day", r"{at}:\d+: error: This price of input for sonnet overlaps the one at .*book\.json5:7:\d+\. End the earlier one with valid_to, or give the later one its own known_from\.", entry('provider: "anthropic", model: "sonnet", rates: { ⌖input: "4" },', FROM.replace('from: "2026-01-01", k', 'from: "2026-06-01", k'))),
    book("the same price twice", r"{at}:\d+: error: This price of input for sonnet overlaps the one at .*book\.json5:7:\d+\.", entry('provider: "anthropic", model: "sonnet", rates: { ⌖input: "3" },')),
    book("two prices that meet on one day", r"{at}:\d+: error: This price of quantity for speech overlaps the one at .*book\.json5:12:\d+\.", (SPEECH, SPEECH + ' valid_to: "2026-06-01",'), entry(SPOKEN + ' ⌖rate: "0.01", per: "minute",', FROM.replace('from: "2026-01-01", k', 'from: "2026-06-01", k'))),
    book("one name in two entries", r"{at}:\d+: error: This price of input for sonnet overlaps", entry('provider: "anthropic", model: ["opus", "sonnet"], rates: { ⌖input: "3" },')),
    book("a price that nobody knows yet", r"{at}:\d+: warning: .*2062-01-01", entry('provider: "x", model: "m", rates: { input: "1" },', 'valid_from: "2026-01-01", ⌖known_from: "2062-01-01", source: "s"'), code=0, ask=LIST),
    # --- Aliases
    book("an alias for nothing", r'{at}:\d+: error: "team\*" stands for opus, which has no price in this book', ('{ "team*": "sonnet" }', '{ ⌖"team*": "opus" }')),
    book("aliases in a circle", r'{at}:\d+: error: "a" stands for b, which ', ('{ "team*": "sonnet" }', '{ ⌖a: "b", b: "a" }')),
    book("an alias for itself", r'{at}:\d+: error: "a" stands for a, which ', ('{ "team*": "sonnet" }', '{ ⌖a: "a" }')),
    book("an alias of an alias", r'{at}:\d+: error: "a" stands for b, which ', ('{ "team*": "sonnet" }', '{ ⌖a: "b", b: "sonnet" }')),
    book("aliases that are a list", r"{at}:\d+: error: .*aliases", ('aliases: { "team*": "sonnet" }', '⌖aliases: ["team*"]')),
    # --- What the book does not have
    book("an unknown model", r"anthropic sonet -, input of 7 tokens in 1 request: the book has no price of the model\.", code=0, rows=({"model": "sonet", "provider": "anthropic", "input_tokens": 7},), ask=explain("model=sonet")),
    book("an unknown provider", r"antropic sonnet -, input of 7 tokens in 1 request: the book has the model of anthropic only\.", code=0, rows=({"model": "sonnet", "provider": "antropic", "input_tokens": 7},), ask=explain("provider=antropic")),
    book("an unknown tier", r"anthropic sonnet bach, input of 7 tokens in 1 request: the book has no price of the tier bach, only of standard\.", code=0, rows=({"model": "sonnet", "provider": "anthropic", "service_tier": "bach", "input_tokens": 7},), ask=explain("service_tier=bach")),
    book("a meter without a rate", r"cache_read of 7 tokens in 1 request: the book has no rate of cache_read for the model\.", code=0, rows=({"model": "sonnet", "provider": "anthropic", "cache_read_tokens": 7},), ask=explain("model=sonnet")),
    book("a day without a price", r"no price holds on the day; the book's hold from 2026-01-01 to 2026-10-31\.", (SPEECH, SPEECH + ' valid_to: "2026-10-31",'), code=0, ask=explain("model=speech")),
    book("something unknown among the costs", r"1 request has no known price for 7 tokens", code=0, rows=({"model": "sonet", "provider": "anthropic", "input_tokens": 7},)),
    book("an unknown unit of a row", r'quantity of 7 in 1 request: no price is in "furlong", which is no unit that books know\.', code=0, rows=({"model": "speech", "provider": "google", "quantity": 7, "unit": "furlong"},), ask=explain("model=speech")),
    book("a unit without a price", r"quantity of 7 in 1 request: the book has no price for a quantity in image, only per second\.", code=0, rows=({"model": "speech", "provider": "google", "quantity": 7, "unit": "image"},), ask=explain("model=speech")),
    # --- Currencies
    book("a currency in small letters", r'{at}:\d+: error: A currency is three capital letters \(ISO 4217\), such as USD, not "usd"\.', ('currency: "USD"', '⌖currency: "usd"')),
    book("a currency without any rate", r"{at}:\d+: error: The price is in EUR, but the job reports in USD\. Two currencies meet only through a dated rate: give one in exchange_rates\.", (SPEECH, '⌖rate: "0.024", currency: "EUR", per: "15 seconds",')),
    book("a currency sign", r"{at}:\d+: error: A currency is three capital letters", (SPEECH, SPEECH + ' ⌖currency: "€",')),
]

EURO = (("rate: \"0.024\",", 'rate: "0.024", currency: "EUR",'),)
TODAY = '{ base: "EUR", quote: "USD", rate: "1.20", day: "2026-11-09", source: "a bank" },'


def mended(text):
    return (TODAY, text)


CASES += [
    # --- Exchange rates
    Case("no such file of rates", 64, r'job\.json5:1:\d+: error: There is no rate file "none\.json5" beside the job file', job={"exchange_rates": ["none.json5"]}),
    Case("an empty file of rates", 64, r"{at}:1: error: nothing is written here", job={"exchange_rates": ["rates.json5"]}, files={"rates.json5": b""}),
    Case("rates in binary", 64, r"{at}:1: error: expected UTF-8, but the bytes here are not", job={"exchange_rates": ["rates.json5"]}, files={"rates.json5": bytes(range(128, 256))}),
    rates("rates cut in the middle", r"rates\.json5:3:\d+: error: ", (RATES[RATES.index('rate: "1.10"'):], "ra")),
    rates("two rates for one day", r"{at}:\d+: error: 1 EUR = 1\.3 USD of 2026-11-09 contradicts 1 EUR = 1\.2 USD of 2026-11-09 at .*rates\.json5:4:\d+\.", mended(TODAY + "\n    ⌖" + TODAY.replace("1.20", "1.30"))),
    rates("a rate for a day within a stretch that has another", r"rates\.json5:3:\d+: error: 1 EUR = 1\.1 USD of 2026-11-08 contradicts 1 EUR = 1\.3 USD from 2026-11-01 on at {at}:\d+\.", mended(TODAY + "\n    ⌖" + '{ base: "EUR", quote: "USD", rate: "1.30", valid_from: "2026-11-01", source: "a bank" },')),
    rates("a rate that contradicts one the other way round", r"{at}:\d+: error: .*contradicts", mended(TODAY + "\n    ⌖" + '{ base: "USD", quote: "EUR", rate: "1.20", day: "2026-11-09", source: "a bank" },')),
    rates("a rate of nothing", r"{at}:\d+: error: A rate is greater than zero\.", mended(TODAY.replace('rate: "1.20"', '⌖rate: "0"'))),
    rates("a negative rate of exchange", r"{at}:\d+: error: A rate is greater than zero\.", mended(TODAY.replace('rate: "1.20"', '⌖rate: "-1.20"'))),
    rates("a rate of exchange in words", r"{at}:\d+: error: .*rate.*", mended(TODAY.replace('rate: "1.20"', '⌖rate: "about one"'))),
    rates("a rate of exchange a thousand times off", r"{at}:\d+: warning: 1 EUR = 1200 USD of 2026-11-09 is a thousand times or more off 1 EUR = 1\.1 USD of 2026-11-08", mended("⌖" + TODAY.replace("1.20", "1200")), code=0, ask=("costs", "job.json5", "--parts", "all")),
    rates("a currency for itself", r"{at}:\d+: error: A rate is between two currencies, and both are EUR\.", mended(TODAY.replace('quote: "USD"', '⌖quote: "EUR"'))),
    rates("an unknown currency of a rate", r'{at}:\d+: error: A currency is three capital letters \(ISO 4217\), such as USD, not "Euro"\.', mended(TODAY.replace('base: "EUR"', '⌖base: "Euro"'))),
    rates("a rate without its day", r"{at}:\d+: error: A rate has a day, or valid_from and perhaps valid_to", mended("⌖" + TODAY.replace('day: "2026-11-09", ', ""))),
    rates("a rate with a day and a stretch of days", r"{at}:\d+: error: A rate has a day, or valid_from and perhaps valid_to", mended("⌖" + TODAY.replace("source", 'valid_from: "2026-11-09", source'))),
    rates("a stretch that ends before it begins", r"{at}:\d+: error: The rate ends on 2026-11-08, before it begins on 2026-11-09\.", mended(TODAY.replace('day: "2026-11-09",', 'valid_from: "2026-11-09", ⌖valid_to: "2026-11-08",'))),
    rates("a rate without its source", r'{at}:\d+: error: "source" .*is missing in', mended("⌖" + TODAY.replace(', source: "a bank"', ""))),
    rates("an unknown key of a rate", r'{at}:\d+: error: unknown key "quot" in rate\. Did you mean "quote"\?', mended(TODAY.replace("quote:", "⌖quot:"))),
    Case("a hole between the rates", 0, r"google speech -, quantity of 20 in 1 request: its price is in EUR, and no rate to USD is known\.", book=EURO, rates=(('"2026-11-08"', '"2026-11-01"'), mended("")), ask=explain("model=speech")),
    Case("rates that come too late", 0, r"google speech -, quantity of 20 in 1 request: its price is in EUR, and no rate to USD is known\.", book=EURO, rates=(('"2026-11-08"', '"2026-11-10"'), mended("")), ask=explain("model=speech")),
]


# MARK: - Running one

SAID = {}


@pytest.fixture(scope="module", autouse=True)
def table():
    """The table for people, where it is asked for: VESPER_BAD_PRICES_TABLE names its file."""
    yield
    path = os.environ.get("VESPER_BAD_PRICES_TABLE")
    if path:
        lines = ["| book or rates | exit code | what is said |", "|---|---|---|"]
        lines += [f"| {name} | {code} | {said.replace('|', chr(92) + '|')} |" for name, (code, said) in SAID.items()]
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


def changed(text, changes):
    for old, new in changes:
        assert old in text, f"the file does not hold {old}"
        text = text.replace(old, new, 1)
    return text


def pointed(name, text):
    """The text without its mark, and the mark's place."""
    before, mark, after = text.partition("⌖")
    return before + after, f"{name}:{before.count(chr(10)) + 1}" if mark else None


@pytest.fixture(scope="module")
def home(vesper, tmp_path_factory):
    """A home that holds the rows, read with a book that is right."""
    made = {}

    def of(rows):
        key = json.dumps(rows)
        if key not in made:
            folder = tmp_path_factory.mktemp("home")
            written(folder, Case("", 0, "", rows=rows))
            call(vesper, folder, ("ingest", "job.json5"), folder / "home")
            made[key] = folder / "home"
        return made[key]

    return of


def written(folder, case):
    (folder / "data").mkdir()
    rows = [{"id": str(n), "ts": "2026-11-09T10:00:00Z", "user": "u", **row} for n, row in enumerate([*ROWS, *case.rows])]
    (folder / "data" / "calls.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    places, job = [], {**JOB, **case.job}
    if not case.rates and "exchange_rates" not in case.job:
        del job["exchange_rates"]
    for name, text in [("book.json5", changed(BOOK, case.book)), ("rates.json5", changed(RATES, case.rates)), ("job.json5", json.dumps(job))]:
        text, place = pointed(name, text)
        (folder / name).write_text(text, encoding="utf-8")
        places += [place] if place else []
    for name, content in case.files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(content)
        places.append(f"{name}:1")
    return places


def call(vesper, folder, words, home):
    command = [vesper.binary, *words, "--data", "data", "--home", str(home), "--now", "2026-11-17T12:00:00Z"]
    done = subprocess.run(command, cwd=folder, env=vesper.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)
    assert_readable(done.stderr)
    return done.returncode, done.stderr + done.stdout


def stamps(home):
    return {path: path.stat().st_mtime_ns for path in home.rglob("*") if path.is_file() and not path.name.startswith("ledger.sqlite-")}


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_bad_price_gets_a_sentence(vesper, home, tmp_path, case):
    filled = home(case.rows)
    places = written(tmp_path, case)
    before = stamps(filled)
    code, said = call(vesper, tmp_path, case.ask, filled)
    line = next((line for line in said.splitlines() if "error:" in line or "warning:" in line or "no known price" in line), "nothing")
    SAID[case.name] = (code, re.sub(r" (Units|Its keys) are .*", "", line))
    assert code == case.code, said
    pattern = case.says.replace("{at}", re.escape(places[0]) if places else "")
    assert re.search(pattern, said), f"{pattern}\n{said[:2000]}"
    assert stamps(filled) == before, "a book that is refused changes nothing"
