"""What a product pays beside the calls of models, worked out once more with fractions: metered services and fixed costs, by local day.

    Expenses("neni", lake).lines(days)   # (part, day, provider, name, tenant) → Amount

A reading of a gauge holds for its own period, else to the end of its day, and never beyond the next one; where nothing holds it is carried
forward, for seven days at most and not beyond the newest day of the log. Of a month's amount T a day bears ⌊T(i+1)/n⌋ − ⌊Ti/n⌋.
"""

import calendar
from collections import defaultdict
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from math import ceil
from zoneinfo import ZoneInfo

from conftest import ROOT
from oracle import UNITS, WORDS, amount, carried, ends, json5, listed, price_book

ATOM = 10**12
DAY = timedelta(1)
CARRIED = 7


@dataclass
class Amount:
    """In units of 1e-12: what is to pay, and what would be if it were charged."""

    low: int = 0
    high: int = 0
    shadow_low: int = 0
    shadow_high: int = 0
    complete: bool = True

    def add(self, low, high, mocked=False):
        if mocked:
            self.shadow_low, self.shadow_high = self.shadow_low + low, self.shadow_high + high
        else:
            self.low, self.high = self.low + low, self.high + high


class Price:
    """One entry of a book under one name."""

    def __init__(self, entry, provider, name):
        self.provider, self.name, self.currency, self.mocked = provider, name, entry.get("currency", "USD"), entry.get("mocked", False)
        self.since, self.until, self.known = entry["valid_from"], entry.get("valid_to", "9999"), entry["known_from"]
        self.word = WORDS[entry["per"].rpartition(" ")[2]]
        self.per = Fraction(amount(entry["per"])[0], UNITS[self.word][1])
        self.kind = UNITS[self.word][0]
        self.step = Fraction(amount(entry["increment"])[0], UNITS[self.word][1]) if "increment" in entry else None
        self.own = WORDS[entry["unit"]] if "unit" in entry else None
        self.bands, begins = [], Fraction(0)
        for band in entry.get("bands") or [{"rate": entry["rate"]}]:
            end = Fraction(Decimal(band["up_to"])) if "up_to" in band else None
            self.bands.append((begins, end, *(rate / self.per for rate in ends(band["rate"]))))
            begins = end

    def holds(self, day):
        return self.since <= day.isoformat() <= self.until

    def worth(self, gauge):
        """How many of the price's unit one of a metric's values is; None where it is not for such values."""
        if self.kind == "stored":
            own = UNITS[self.own] if self.own else ("data", UNITS[self.word][1])
            return Fraction(own[1], UNITS[self.word][1]) if gauge and own[0] == "data" else None
        if self.word.endswith("-month"):
            return Fraction(1) if gauge else None
        own = UNITS[self.own or self.word]
        return Fraction(own[1], UNITS[self.word][1]) if not gauge and own[0] == self.kind else None

    def parts(self, quantity, before=Fraction(0)):
        """What a quantity costs in each volume tier that it reaches into: (tier, low, high)."""
        for tier, (begins, end, low, high) in enumerate(self.bands):
            part = min(before + quantity, before + quantity if end is None else end) - max(before, begins)
            if part > 0 or len(self.bands) == 1:
                yield tier, part * low, part * high


def standing(book, subject):
    """A book's prices of metrics or services by name, the best first: of two statements from one day on the one known last."""
    last = {}
    for entry in book["prices"]:
        for provider in listed(entry["provider"]):
            for name in listed(entry.get(subject, [])):
                price = Price(entry, provider, name)
                key = (provider, name, price.kind, price.since)
                if entry.get("tier", "standard") == "standard" and (key not in last or last[key].known < price.known):
                    last[key] = price
    found = defaultdict(list)
    for price in sorted(last.values(), key=lambda price: (price.known, price.since), reverse=True):
        found[price.name].append(price)
    return found


@dataclass
class Piece:
    """What a reading says of one day; `held` of a gauge is its share of the day."""

    day: date
    reading: int
    metric: str
    kind: str
    subject: str
    value: Decimal
    held: Fraction
    carried: bool


class Expenses:
    def __init__(self, name, lake):
        self.job = json5((ROOT / "Jobs" / f"{name}.json5").read_text(encoding="utf-8"))
        self.zone, self.book = ZoneInfo(self.job["timezone"]), price_book(name)
        self.exchange = carried(self.rates(lake))
        self.pieces = self.cut(lake)
        assert self.job.get("month", "calendar") == "calendar"

    def rates(self, lake):
        """Dollars for one of another currency by day, from the job's files and its meters."""
        stated = []
        for file in self.job.get("exchange_rates", []):
            for rate in json5((ROOT / "Jobs" / file).read_text(encoding="utf-8"))["rates"]:
                both = rate["rate"] if isinstance(rate["rate"], dict) else {"base": "1", "quote": rate["rate"]}
                first, last = rate.get("day") or rate["valid_from"], rate.get("day") or rate.get("valid_to", "2027-12-31")
                count = (date.fromisoformat(last) - date.fromisoformat(first)).days + 1
                for day in range(count):
                    stated.append((rate["base"], rate["quote"], (date.fromisoformat(first) + timedelta(day)).isoformat(),
                                   Fraction(both["quote"]) / Fraction(both["base"])))
        columns = self.job.get("exchange_rates_from")
        if columns:
            own = {"x_" + name if name in self.job.get("columns", {}) else name: name for name in (columns["base"], columns["quote"])}
            base, quote = own
            query = f"SELECT {base}, {quote}, strftime(period_start, '%Y-%m-%d'), value FROM meters WHERE metric = ?"
            stated += [(*row[:3], Fraction(row[3])) for row in lake.execute(query, [columns["metric"]]).fetchall()]
        found = {(base, day): worth for base, quote, day, worth in stated if quote == "USD"}
        return {**{(quote, day): 1 / worth for base, quote, day, worth in stated if base == "USD"}, **found}

    def worth(self, currency, day):
        return Fraction(1) if currency == "USD" else self.exchange(currency, day.isoformat())

    # MARK: - Metered

    def starts(self, day):
        """When a local day begins, in microseconds."""
        begin = datetime.combine(day, time(0), self.zone).astimezone(timezone.utc)
        return (begin - datetime(1970, 1, 1, tzinfo=timezone.utc)) // timedelta(microseconds=1)

    def day_of(self, moment):
        return (datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(microseconds=moment)).astimezone(self.zone).date()

    def cut(self, lake):
        query = """SELECT metric, coalesce(subject_kind, 'subject'), coalesce('1' || subject, '0'), id, value, coalesce(gauge, false),
            epoch_us(period_start), epoch_us(period_end) FROM meters"""
        rows = sorted(lake.execute(query).fetchall(), key=lambda row: (row[6], *(text.encode() for text in row[:4])))
        horizon = self.starts(date.fromisoformat(lake.execute("SELECT max(day) FROM meters").fetchone()[0]) + DAY)
        following, upcoming = {}, {}
        for index in reversed(range(len(rows))):
            following[index] = upcoming.get(rows[index][:3])
            if rows[index][5]:
                upcoming[rows[index][:3]] = rows[index][6]
        pieces = []
        for index, (metric, kind, subject, _, value, gauge, begins, ended) in enumerate(rows):
            whose = (index, metric, kind, subject[1:] if subject != "0" else None, value)
            day = self.day_of(begins)
            if not gauge:
                pieces.append(Piece(day, *whose, None, False))
                continue
            then = following[index]
            held = min(ended if ended and ended > begins else self.starts(day + DAY), then or 1 << 62)
            last = self.day_of(max(begins, held - 1))
            pieces += self.days(whose, begins, held, False)
            pieces += self.days(whose, held, min(self.starts(last + DAY * (1 + CARRIED)), then or horizon), True)
        return sorted(pieces, key=lambda piece: (piece.day, piece.reading))

    def days(self, whose, begins, ended, is_carried):
        day = self.day_of(begins)
        while (dawn := self.starts(day)) < ended:
            dusk = self.starts(day + DAY)
            share = Fraction(min(dusk, ended) - max(dawn, begins), dusk - dawn)
            if share > 0:
                yield Piece(day, *whose, share, is_carried)
            day += DAY

    def metered(self, lines, days):
        prices, used, sums = standing(self.book, "metric"), defaultdict(Fraction), {}
        unbilled = {*self.job.get("unbilled_metrics", []), self.job.get("exchange_rates_from", {}).get("metric")}
        for piece in self.pieces:
            # Tiers are those of whole months, also of one that the period cuts.
            if piece.metric in unbilled or not days[0].replace(day=1) <= piece.day < later(days[-1].replace(day=1), 1):
                continue
            tenant = piece.subject if piece.kind == "tenant" else None
            gauge = piece.held is not None
            price = next((price for price in prices[piece.metric] if price.holds(piece.day) and price.worth(gauge) is not None), None)
            if price is None:
                if piece.day in days:
                    lines["metered", piece.day.isoformat(), None, piece.metric, tenant].complete = False
                continue
            quantity = Fraction(piece.value) * price.worth(gauge)
            if gauge:
                quantity *= piece.held / calendar.monthrange(piece.day.year, piece.day.month)[1]
            elif price.step:
                quantity = ceil(quantity / price.step) * price.step
            month, worth = (piece.day.year, piece.day.month), self.worth(price.currency, piece.day)
            line = lines["metered", piece.day.isoformat(), price.provider, piece.metric, tenant] if piece.day in days else Amount()
            line.complete = line.complete and worth is not None
            for tier, low, high in price.parts(quantity, used[price.provider, price.name, price.kind, month]):
                # A reading's month is rounded once, and its days are the steps of the running sum.
                key = (piece.reading, id(price), month, tier, piece.carried)
                before = sums.get(key, (0, 0))
                after = sums[key] = (before[0] + low * (worth or 0), before[1] + high * (worth or 0))
                line.add(*(round(new * ATOM) - round(old * ATOM) for new, old in zip(after, before)), price.mocked)
            # What is charged at a flat rate fills no tiers.
            if len(price.bands) > 1:
                used[price.provider, price.name, price.kind, month] += quantity

    # MARK: - Fixed

    def fixed(self, lines, days):
        services = standing(self.book, "service")
        for cost in self.job.get("fixed_costs", []):
            since = date.fromisoformat(cost["from"])
            for day in days:
                price = None
                if "service" in cost:
                    price = next((p for p in services[cost["service"]] if p.provider == cost["provider"] and p.holds(day)), None)
                every = cost.get("per", "month")
                if price and price.word in ("year", "once"):
                    every = price.word
                until = date.fromisoformat(cost["to"]) if "to" in cost else later(since, cost["months"]) - DAY if "months" in cost else (
                    since if every == "once" else None)
                if day < since or (until and day > until):
                    continue
                rated = max(day.replace(day=1), since, date.fromisoformat(price.since) if price else since)
                own = list(price.parts(Fraction(cost.get("quantity", 1)))) if price else (
                    [(0, *ends(cost["amount"]))] if "amount" in cost else None)
                if price is None and own is not None:
                    own = [(0, *(end * Fraction(cost.get("quantity", 1)) for end in own[0][1:]))]
                worth = self.worth(price.currency if price else cost.get("currency", "USD"), rated)
                known = own is not None and worth is not None
                whole = [round(sum(part[end] for part in own) * worth * ATOM) for end in (1, 2)] if known else [0, 0]
                index, count = place(day, every, since, until)
                part = [total * (index + 1) // count - total * index // count for total in whole]
                for tenant, (low, high) in self.shared(cost.get("share"), day, part):
                    line = lines["fixed", day.isoformat(), cost.get("provider"), cost["name"], tenant]
                    line.complete = line.complete and known
                    line.add(low, high, bool(price and price.mocked))

    def shared(self, rule, day, part):
        """Whose part of a day's amount is how much: by a gauge's readings in byte order, or as often as they say."""
        if rule is None:
            return [(None, part)]
        assert rule["over"] == "tenant" and rule["by"] in ("metric", "unit") and "every" not in rule
        weights = defaultdict(Fraction)
        for piece in self.pieces:
            if (piece.day, piece.metric, piece.kind) == (day, rule["metric"], "tenant") and piece.subject is not None:
                weights[piece.subject] += Fraction(piece.value) * (1 if piece.held is None else piece.held)
        names = sorted((name for name, weight in weights.items() if weight > 0), key=str.encode)
        if rule["by"] == "unit":
            return [(name, [round(end * weights[name]) for end in part]) for name in names]
        if not names:
            return [(None, part)]
        found, before, total = [], Fraction(0), sum(weights[name] for name in names)
        for name in names:
            after = before + weights[name]
            found.append((name, [end * after // total - end * before // total for end in part]))
            before = after
        return found

    def lines(self, days):
        lines = defaultdict(Amount)
        self.metered(lines, days)
        self.fixed(lines, days)
        return dict(lines)


def later(day, months):
    """The same day some months later; the month's last where it has no such day."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, calendar.monthrange(year, month + 1)[1]))


def place(day, every, since, until):
    """Which day it is of how many that share the amount."""
    if every == "month":
        return day.day - 1, calendar.monthrange(day.year, day.month)[1]
    if every == "year":
        return day.timetuple().tm_yday - 1, 366 if calendar.isleap(day.year) else 365
    if every == "week":
        return day.isoweekday() - 1, 7
    return (day - since).days, ((until or since) - since).days + 1
