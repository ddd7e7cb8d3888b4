"""Usage exports with everything that goes wrong in them, and what an ingest must make of each record, worked out from the rules alone.

    exports = Exports(rows=20_000, files=8, seed=1)
    exports.write(folder)             # folder / "kalei" / api_usage/… and streamed/…; folder / "job.json5"
    exports.expected()                # Expected(stays, counts): promise 2 in twenty lines, no code of Vesper

Rows carry every type of column, texts beyond ASCII, nulls, and no id now and then. Some come twice, in the same file or in another; some
ids come again with other values, in a source that keeps the least and in one that keeps the last; some lines are broken or out of range.
"""

import gzip
import json
import random
from collections import Counter, defaultdict
from dataclasses import dataclass, replace

JOB = """
{
  job: "kalei", timezone: "Europe/Berlin", currency: "USD", starts: "2026-10-26", accept_from: "2026-01-01", quarantine_at_most: "50%",
  columns: { share: "decimal", fresh: "bool", seen: "timestamp" },
  sources: [
    { log: "usage", files: "api_usage/*.jsonl*", name: "api_usage" },
    { log: "usage", files: "streamed/*.jsonl*", name: "streamed", keep: "last" },
    { log: "sessions", files: "api_usage/*.jsonl*", name: "calls", kind: "call", where: { session: { present: true } } },
  ],
  report: [{ section: "provenance" }],
}
"""
DAYS = 14
MICROS = 86_400_000_000
START = 20_752 * MICROS  # 2026-10-26
TEXTS = ["", "plain", "Grüße", "日本語", "🦊", 'quote " and \\ back', "tab\tand\nline", "e\u0301", "\u0000nul", "x" * 300]
MODELS = [("anthropic", "claude-haiku-4-5"), ("anthropic", "claude-sonnet-4-5"), ("groq", "qwen3-32b"), ("mistral", "small-3")]


@dataclass(frozen=True)
class Record:
    """A line of an export, and what the rules look at."""
    line: str
    # accepted, out_of_range or the reason for which it is refused
    fate: str
    # The values, however they are spelled
    content: str = ""
    id: str = ""
    micros: int = 0
    tokens: int = 0


@dataclass
class Expected:
    # log → (source, file, record) of the rows that are in the lake
    stays: dict
    # (log, source, file, outcome, reason) → records
    counts: Counter


def stamp(micros):
    days, rest = divmod(micros - START, MICROS)
    second, micro = divmod(rest, 1_000_000)
    day = f"2026-10-{26 + days}" if days < 6 else f"2026-11-{days - 5:02}"
    return f"{day}T{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{micro:06}Z"


class Exports:
    def __init__(self, rows, files, seed):
        self.random = random.Random(seed)
        names = [f"api_usage/calls-{number:02}.jsonl{'' if number % 4 == 3 else '.gz'}" for number in range(1, files)]
        self.files = {name: [] for name in [*names, "streamed/stream-1.jsonl.gz", "streamed/stream-2.jsonl"]}
        for _ in range(rows):
            self.add(self.random.choice(names) if self.random.random() < 0.9 else "streamed/stream-1.jsonl.gz")
        for lines in self.files.values():
            # A third of each file stays as it was made, with what belongs together side by side.
            tail = lines[len(lines) // 3:]
            self.random.shuffle(tail)
            lines[len(lines) // 3:] = tail

    # MARK: - Making

    def record(self, micros, id, tokens, **changed):
        draw = self.random
        provider, model = draw.choice(MODELS)
        row = {
            "id": id, "ts": stamp(micros), "user": f"user-{draw.randrange(500)}", "plan": draw.choice(["free", "plus", None]),
            "feature": draw.choice(["chat", "voice", "search"]), "provider": provider, "model": model, "output_tokens": tokens,
            "input_tokens": draw.randrange(4000), "cache_read_tokens": draw.choice([None, 0, 900]), "latency_ms": draw.randrange(90_000),
            "session": draw.choice([None, f"s-{draw.randrange(9000)}"]), "document": draw.choice(TEXTS),
            "quantity": draw.choice([None, "0.000000000001", "-12.5", f"{draw.randrange(10**9)}.{draw.randrange(10**6):06}"]),
            "share": draw.choice([None, "0.333333333333", draw.randrange(10**6)]), "fresh": draw.choice([None, True, False]),
            "seen": draw.choice([None, stamp(micros + 5)]),
        }
        row |= changed
        if row["id"] is None:
            del row["id"]
        return Record(json.dumps(row), "accepted", json.dumps(row, sort_keys=True), id or "", micros, tokens)

    def respelled(self, record):
        """The same values in another order and other bytes, as another tool would dump them."""
        row = list(json.loads(record.line).items())
        self.random.shuffle(row)
        return replace(record, line=json.dumps(dict(row), ensure_ascii=False, separators=(",", ":")))

    def moment(self):
        return START + self.random.randrange(DAYS * MICROS)

    def add(self, name):
        """A row in a file and, now and then, what goes wrong with it."""
        draw, chance = self.random, self.random.random()
        id = "%032x" % draw.getrandbits(128)
        micros, tokens = self.moment(), draw.randrange(3000)
        first = self.record(micros, None if chance > 0.98 else id, tokens)
        self.files[name].append(first)
        if chance > 0.985:
            # Without an id, the same twice in one file are two rows; the same in another file are these two again.
            self.files[name] += [first] * draw.randrange(3)
        if chance < 0.04 or chance > 0.99:
            self.files[self.other(name)] += [draw.choice([first, self.respelled(first)])] * draw.choice([1, 1, 2])
        elif chance < 0.06:
            # An id comes again with other values, on the same day or on another one; never a third time with the second's values, as
            # what came of those depends on the history (see test_order).
            for step in range(draw.choice([1, 1, 2])):
                later = draw.choice([micros, self.moment()])
                self.files[draw.choice([name, self.other(name)])].append(self.record(later, id, tokens + 1 + step))
        elif chance < 0.063:
            self.files[name].append(Record(first.line[: draw.randrange(2, len(first.line) - 1)], "bad_json"))
        elif chance < 0.065:
            self.files[name].append(Record(json.dumps({"id": id + "-timeless", "output_tokens": 1}), "missing_ts"))
        elif chance < 0.067:
            self.files[name].append(replace(self.record(micros, id + "-odd", tokens, output_tokens="many"), fate="bad_value"))
        elif chance < 0.068:
            self.files[name].append(replace(self.record(micros, id + "-old", tokens, ts="2019-05-05T00:00:00Z"), fate="out_of_range"))

    def other(self, name):
        folder = name.partition("/")[0]
        return self.random.choice([other for other in self.files if other.startswith(folder) and other != name])

    # MARK: - Writing

    def write(self, folder, names=None):
        """Writes the files, or these in this order; returns where the job file is."""
        folder.mkdir(parents=True, exist_ok=True)
        for name in self.files if names is None else names:
            path = folder / "kalei" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            content = "".join(record.line + "\n" for record in self.files[name]).encode()
            path.write_bytes(gzip.compress(content, 1, mtime=0) if name.endswith(".gz") else content)
        (folder / "job.json5").write_text(JOB, encoding="utf-8")
        return folder / "job.json5"

    # MARK: - What must come of it

    def expected(self, names=None):
        result = Expected({}, Counter())
        for log, source in [("usage", "api_usage"), ("usage", "streamed"), ("sessions", "calls")]:
            folder = "streamed/" if source == "streamed" else "api_usage/"
            groups = defaultdict(list)
            for name in sorted(name for name in names or self.files if name.startswith(folder)):
                ordinals = Counter()
                for number, record in enumerate(self.files[name], 1):
                    fate = record.fate
                    if log == "sessions" and fate != "bad_json":
                        fate = self.session_fate(record)
                    if fate != "accepted":
                        outcome = fate if fate in ("out_of_range", "filtered") else "quarantined"
                        result.counts[log, source, name, outcome, fate if outcome == "quarantined" else ""] += 1
                        continue
                    identity = record.id
                    if not identity:
                        ordinals[record.content] += 1
                        identity = (record.content, ordinals[record.content])
                    groups[identity].append((record, name, number))
            stays = result.stays.setdefault(log, set())
            for rows in groups.values():
                self.decide(rows, log, source, stays, result.counts)
        return result

    @staticmethod
    def session_fate(record):
        row = json.loads(record.line)
        if row.get("session") is None:
            return "filtered"
        # A session row has neither tokens nor a quantity to be refused for.
        return "accepted" if record.fate == "bad_value" else record.fate

    @staticmethod
    def decide(rows, log, source, stays, counts):
        """Same id and values: duplicate. Other values: the greatest by (tokens, …) stays, or the least by (ts, file, record)."""
        def order(row):
            record, name, number = row
            return (record.tokens if source == "streamed" else 0, record.micros, name, number)

        winner = (max if source == "streamed" else min)(rows, key=order)
        for row in rows:
            record, name, _ = row
            if row is winner:
                outcome, reason = "accepted", ""
                stays.add((source, *row[1:]))
            elif source == "streamed" or record.content == winner[0].content:
                outcome, reason = "duplicate", ""
            else:
                outcome, reason = "quarantined", "id_reused"
            counts[log, source, name, outcome, reason] += 1
