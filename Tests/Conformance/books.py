"""Price books as the oracles read them: exact numbers, and what each name, unit and band stands for. No code of Vesper."""

import json
import re
from decimal import Decimal
from fractions import Fraction

from conftest import ROOT

METERS = ["input", "cache_read", "cache_write_5m", "cache_write_1h", "output", "reasoning"]

STRING = r'("(?:\\.|[^"\\])*")'


def json5(text):
    """Enough of JSON5 for a price book or a job: comments, bare keys and trailing commas."""
    text = re.sub(STRING + r"|//[^\n]*", lambda match: match[1] or "", text)
    return json.loads(re.sub(STRING + r"|(\w+)(?=\s*:)|,(?=\s*[}\]])", lambda m: m[1] or (f'"{m[2]}"' if m[2] else ""), text))


def price_book(name="kalei", folder=ROOT / "Jobs"):
    """The price books that a job names, as one: `prices` and `aliases`. What names no currency is in dollars, as all five reports are."""
    files = json5((folder / f"{name}.json5").read_text(encoding="utf-8"))["prices"]
    return joined(json5((folder / file).read_text(encoding="utf-8")) for file in files)


def joined(books):
    whole = {"prices": [], "aliases": {}}
    for book in books:
        own = {} if book["currency"] == "USD" else {"currency": book["currency"]}
        whole["prices"] += [{**own, **entry} for entry in book["prices"]]
        whole["aliases"] |= book.get("aliases", {})
    return whole


def known(book, day):
    """A book as it was on a day."""
    return {**book, "prices": [entry for entry in book["prices"] if entry["known_from"] <= day]}


KEYS = {
    "provider", "model", "metric", "service", "tier", "above_input_tokens", "rates", "rate", "bands", "per", "increment", "unit",
    "currency", "mocked", "approximate", "labels", "valid_from", "valid_to", "known_from", "source",
}

# A unit's kind, and how many of the kind's smallest unit it is. Whatever stands for itself converts into nothing else.
UNITS = {
    "millisecond": ("time", 1), "second": ("time", 1000), "minute": ("time", 60_000), "hour": ("time", 3_600_000),
    "byte": ("data", 1), "KB": ("data", 10**3), "MB": ("data", 10**6), "GB": ("data", 10**9), "TB": ("data", 10**12),
    "KiB": ("data", 2**10), "MiB": ("data", 2**20), "GiB": ("data", 2**30), "TiB": ("data", 2**40),
    "GB-month": ("stored", 10**9), "GiB-month": ("stored", 2**30), "TB-month": ("stored", 10**12),
    **{name: (name, 1) for name in [
        "token", "month", "year", "once", "seat-month", "host-month", "replica-month", "character", "image", "clip", "page", "request",
        "search", "query", "session", "message", "code", "user"]},
}
WORDS = {word: unit for unit in UNITS for word in (
    unit, unit + "s", unit + "es" if unit.endswith("ch") else unit, unit[:-1] + "ies" if unit.endswith("y") else unit)}


def amount(text):
    """'15 seconds' → (15000, 'time'): how many of the smallest unit of which kind."""
    count, _, word = text.rpartition(" ")
    kind, factor = UNITS[WORDS[word]]
    scale = {"K": 1000, "M": 1_000_000}.get(count[-1:], 1)
    return (int(count.rstrip("KM")) if count else 1) * scale * factor, kind


def listed(value):
    return value if isinstance(value, list) else [value]


def ends(rate):
    """The low and the high end of a rate as exact numbers."""
    return [Fraction(Decimal(end)) for end in (rate if isinstance(rate, list) else [rate, rate])]


def statements(book):
    """One row for each provider, name and meter of a book's models, and beside it what it says of money."""
    for entry in book["prices"]:
        assert entry.keys() <= KEYS, entry.keys() - KEYS
        assert len(entry.keys() & {"model", "metric", "service"}) == 1 == len(entry.keys() & {"rates", "rate", "bands"})
        if "model" not in entry:
            continue
        per, kind = amount(entry.get("per", "1M tokens"))
        step = amount(entry["increment"])[0] if "increment" in entry else 0
        rates = entry.get("rates") or {"quantity": entry.get("rate")}
        for counted, rate in rates.items():
            begins, bands = Fraction(0), []
            for band in entry.get("bands") or [{"rate": rate}]:
                low, high = ends(band["rate"])
                end = Fraction(Decimal(band["up_to"])) * UNITS[WORDS[entry["per"].split(" ")[-1]]][1] if "up_to" in band else None
                bands.append((begins, end, low / per, high / per))
                begins = end
            for provider in listed(entry["provider"]):
                for name in listed(entry["model"]):
                    yield {
                        "provider": provider, "tier": entry.get("tier", "standard"), "counted": counted, "kind": kind, "step": step,
                        "tiered": len(bands) > 1, "above": entry.get("above_input_tokens", -1), **fitting(name, dated=True), "mocked": entry.get("mocked", False),
                        "valid_from": entry["valid_from"], "valid_to": entry.get("valid_to", "9999-12-31"),
                        "known_from": entry["known_from"],
                    }, entry.get("currency", "USD"), bands


def fitting(name, dated=False):
    """Which names fit a name of a book, and how well: a longer name before a shorter one, a whole name before the beginning of one."""
    stem = name.removesuffix("*")
    end = ".*" if name.endswith("*") else "([-@][0-9]{8})?" if dated else ""
    return {"pattern": f"(?s){re.escape(stem)}{end}", "length": 2 * len(stem) + (stem == name)}
