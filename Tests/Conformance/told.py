"""What truth.json tells of a log, worked out from a lake and a ledger: rows, sums and counts. And the records of an export, one by one."""

import csv
import io
import json
import re
from collections import Counter
from decimal import Decimal

from conftest import lines

OUTCOMES = ["accepted", "duplicate", "out_of_range", "quarantined", "filtered"]


def figures(lake, log, names, day=None):
    """Rows and exact sums; `amount_USD` is the sum over the rows of that currency. What no row has is left out."""
    found = {}
    for name in names:
        column, _, currency = name.rpartition("_") if re.search("_[A-Z]{3}$", name) else (name, "", "")
        value = "count(*)" if name == "rows" else f"sum({column})"
        filters = [text for text in (day and f"day = '{day}'", currency and f"currency = '{currency}'") if text]
        where = " WHERE " + " AND ".join(filters) if filters else ""
        result = lake.execute(f"SELECT {value} FROM {log}{where}").fetchone()[0]
        if result is not None:
            found[name] = Decimal(result)
    return found


def exact(expected):
    return {name: Decimal(value) for name, value in expected.items()}


def tally(rows):
    """Counts of the ledger as truth.json has them. A text that was repaired is counted beside its record's end."""
    found = Counter()
    for row in rows:
        if row["outcome"] != "repaired":
            found[row["outcome"]] += row["count"]
    return {**{name: found[name] for name in OUTCOMES}, "records": sum(found.values())}


def reasons(counts):
    found = Counter()
    for row in counts:
        if row["outcome"] == "quarantined":
            found[row["reason"]] += row["count"]
    return found


def raw_records(path):
    """The records of an export as their bytes: lines, the rows of a CSV file below its header, or the elements of a JSON list."""
    name = path.name.removesuffix(".gz")
    if name.endswith(".jsonl"):
        return [] if lines(path) == [b""] else lines(path)
    text = b"\n".join(lines(path)).decode()
    if name.endswith(".json"):
        return [json.dumps(element).encode() for element in json.loads(text)]
    found, begins = [], 0
    whole = text.split("\n")
    reader = csv.reader(io.StringIO(text + "\n"))
    for _ in reader:
        found.append("\n".join(whole[begins:reader.line_num]).encode())
        begins = reader.line_num
    return found[1:]


def objects(path):
    """The records of an export of JSON lines or CSV by their fields, without care for broken ones."""
    text = b"\n".join(lines(path)).decode()
    if ".jsonl" in path.name:
        return [json.loads(line) for line in text.split("\n") if line]
    return list(csv.DictReader(io.StringIO(text)))
