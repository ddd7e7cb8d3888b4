"""Price books by dice: every rule of a book at once, over whatever calls a lake holds. The same seed throws the same book."""

import random
from datetime import date, timedelta
from decimal import Decimal

METERS = ["input", "cache_read", "cache_write_5m", "output", "reasoning"]
PER = {
    "second": ["second", "minute", "15 seconds", "1K milliseconds", "hour"], "character": ["character", "1K characters", "1M characters"],
    "image": ["image", "10 images"], "clip": ["clip"],
}


def thrown(seed, calls):
    """A book for calls of (provider, model, unit): it fits some of them, in several ways."""
    dice = random.Random(seed)
    prices = [one(dice, dice.choice(calls), number) for number in range(dice.randint(10, 40))]
    names = sorted({entry["model"] for entry in prices if not entry["model"].endswith("*")})
    models = sorted({model for _, model, _ in calls})
    aliases = {}
    for _ in range(dice.randint(0, 2) if names else 0):
        name = beginning(dice, dice.choice(models))
        if name not in names:
            aliases[name] = dice.choice(names)
    return {"prices": prices, "aliases": aliases}


def beginning(dice, model):
    return model[: dice.randint(1, len(model))] + "*"


def rate(dice):
    # From whole numbers to far below the atom.
    low = Decimal(dice.choice([0, dice.randint(1, 9), dice.randint(1, 10**6), 5])).scaleb(-dice.choice([0, 1, 3, 6, 7, 9]))
    if dice.random() < 0.8:
        return f"{low:f}"
    return [f"{low:f}", f"{low + Decimal(dice.randint(0, 9)).scaleb(-dice.choice([0, 6, 8])):f}"]


def one(dice, call, number):
    provider, model, unit = call
    names = [model, model, model.rpartition("-")[0] or model, beginning(dice, model), "*"]
    entry = {
        "provider": provider, "model": dice.choice(names), "source": "dice", "valid_from": day(dice, "2026-01-01", 10, 30),
        # Each is known from a day of its own, so that no two contradict each other.
        "known_from": (date(2026, 1, 1) + timedelta(number)).isoformat(),
    }
    if dice.random() < 0.3:
        entry["valid_to"] = day(dice, entry["valid_from"], 300, 1)
    if dice.random() < 0.2:
        entry["tier"] = "batch"
    if dice.random() < 0.15:
        entry["mocked"] = True
    if dice.random() < 0.2:
        entry["currency"] = "EUR"
    if unit is None or dice.random() < 0.2:
        entry["rates"] = {meter: rate(dice) for meter in dice.sample(METERS, dice.randint(1, len(METERS)))}
        entry["per"] = dice.choice(["1M tokens", "1K tokens", "7 tokens"])
        if dice.random() < 0.4:
            entry["above_input_tokens"] = dice.choice([0, 200, 500, 1000, 5000])
        return entry
    entry["per"] = dice.choice(PER[unit])
    if dice.random() < 0.5:
        entry["increment"] = f"{dice.choice([2, 5, 15])} {unit}s"
    if dice.random() < 0.5:
        return {**entry, "rate": rate(dice)}
    ends = sorted(dice.sample(range(1, dice.choice([50, 500, 20000])), dice.randint(1, 3)))
    return {**entry, "bands": [*({"up_to": str(end), "rate": rate(dice)} for end in ends), {"rate": rate(dice)}]}


def day(dice, first, most, step):
    return (date.fromisoformat(first) + timedelta(dice.randint(0, most) * step)).isoformat()
