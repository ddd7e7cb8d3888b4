"""Exports that overlap: weekly dumps with a day in common, one set of rows in two formats, and a file that was edited and exported again.

Whichever arrives first, nothing grows and the same rows stay.
"""

import csv
import gzip
import io
import json
import random
import re
import shutil
from collections import Counter, defaultdict

import pytest

from conftest import counted, files, ledger, open_lake
from products import aspendos, kalei, neni, talentprompt, voyager
from told import tally

pytest.importorskip("duckdb")

PRODUCTS = [module.PRODUCT for module in (kalei, neni, talentprompt, aspendos, voyager)]
ORDERS = ["as they came", "backwards", "mixed"]


def ordered(arrivals, order):
    arrivals = list(arrivals)
    if order == "mixed":
        random.Random(7).shuffle(arrivals)
    return arrivals[::-1] if order == "backwards" else arrivals


def all_rows(home, job):
    """Every row of every log with all of its values."""
    lake = open_lake(home, job)
    logs = sorted(folder.name for folder in (home / "lake" / job).iterdir())
    return {log: lake.execute(f"SELECT CAST(t AS VARCHAR) FROM {log} AS t ORDER BY 1").fetchall() for log in logs}


def refused(home):
    """What is kept of refused records, by the file that they stood in."""
    return {name: sorted(gzip.decompress(path.read_bytes()).splitlines()) for name, path in files(home, "quarantine").items()}


# MARK: - Weekly dumps

@pytest.fixture(scope="module")
def once(vesper, tmp_path_factory):
    """Homes that have read all files of a product at once."""
    homes = {}

    def home(product):
        if product.name not in homes:
            homes[product.name] = tmp_path_factory.mktemp(product.name) / "home"
            vesper("ingest", homes[product.name], data=product.sample.parent, job=product.job)
        return homes[product.name]

    return home


def fortnights(product):
    """The files of a sample by the half of the month that their names are of: what some evenings' exports brought."""
    found = defaultdict(list)
    for path in sorted(product.sample.rglob("*.gz")):
        name = path.relative_to(product.sample)
        if name.parts[0] != "late":
            date = re.search(r"2026-(\d\d)(-\d\d)?", path.name)[0]
            found[date[:8] + str(int(date[8:] or 0) // 16)].append(name)
    return [names for _, names in sorted(found.items())]


@pytest.mark.parametrize("order", ORDERS)
@pytest.mark.parametrize("product", PRODUCTS, ids=lambda product: product.name)
def test_overlapping_dumps_give_the_same_rows_in_any_order_of_arrival(vesper, once, tmp_path, product, order):
    place, home = tmp_path / "data" / product.name, tmp_path / "home"
    for names in ordered(fortnights(product), order):
        for name in names:
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(product.sample / name, place / name)
        vesper("ingest", home, data=tmp_path / "data", job=product.job)
    assert all_rows(home, product.name) == all_rows(once(product), product.name)
    assert refused(home) == refused(once(product))
    assert counted(home, "counts", "count") == counted(once(product), "counts", "count")


# MARK: - The same rows in two formats

FORMATS = """
{
  job: "formats", timezone: "UTC", currency: "USD", starts: "2026-09-28",
  sources: [
    { log: "usage", files: "json/*.jsonl.gz", name: "calls", id_scope: "%s", map: MAP },
    { log: "usage", files: "csv/*.csv", name: "calls_csv", id_scope: "calls", map: MAP },
  ],
  report: [{ section: "provenance" }],
}
""".replace("MAP", """{
      tenant: "kindergartenId", user: "staffId", session: "chatTurnId", provider: { constant: "vercel-ai" },
      input_tokens: "promptTokens", output_tokens: "completionTokens" }""")
DAYS = [f"ai_gateway-2026-10-{day:02}.jsonl.gz" for day in (1, 2, 5)]


def as_csv(path):
    """The lines of a file as another tool would dump them: columns in another order, everything a text."""
    rows = [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]
    names = sorted({name for row in rows for name in row}, reverse=True)
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(names)
    writer.writerows([["" if row.get(name) is None else row[name] for name in names] for row in rows])
    return text.getvalue()


@pytest.mark.parametrize("scope", ["calls", "json alone"])
@pytest.mark.parametrize("order", ORDERS)
def test_rows_in_json_and_csv_count_once_where_the_sources_share_a_scope(vesper, tmp_path, order, scope):
    (tmp_path / "job.json5").write_text(FORMATS % scope, encoding="utf-8")
    sample, place = neni.PRODUCT.sample / "ai_gateway", tmp_path / "formats"
    # The CSV files hold the second and third day, and the JSON files the first and second.
    arrivals = [(f"json/{name}", (sample / name).read_bytes()) for name in DAYS[:2]]
    arrivals += [("csv/" + name.replace("jsonl.gz", "csv"), as_csv(sample / name).encode()) for name in DAYS[1:]]
    for name, content in ordered(arrivals, order):
        (place / name).parent.mkdir(parents=True, exist_ok=True)
        (place / name).write_bytes(content)
        vesper("ingest", tmp_path / "home", data=tmp_path, job=tmp_path / "job.json5")
    rows = [[json.loads(line) for line in gzip.decompress((sample / name).read_bytes()).splitlines()] for name in DAYS]
    lake, shared = open_lake(tmp_path / "home", "formats"), scope == "calls"
    found = lake.execute("""SELECT id, tenant, "user", session, input_tokens, output_tokens FROM usage""").fetchall()
    names = ["id", "kindergartenId", "staffId", "chatTurnId", "promptTokens", "completionTokens"]
    expected = [tuple(row[name] for name in names) for day in (rows if shared else [rows[0], rows[1], rows[1], rows[2]]) for row in day]
    assert Counter(found) == Counter(expected)
    # Of equal rows the one in the least file stays.
    of_both = lake.execute("SELECT DISTINCT source FROM usage WHERE day = '2026-10-02' ORDER BY 1").fetchall()
    assert of_both == ([("calls_csv",)] if shared else [("calls",), ("calls_csv",)])
    counts = tally(ledger(tmp_path / "home", "counts"))
    assert counts["duplicate"] == (len(rows[1]) if shared else 0) and counts["accepted"] == len(expected)


# MARK: - Edited and exported again

EDITED = """
{
  job: "edited", timezone: "UTC", currency: "USD", starts: "2026-09-28", quarantine_at_most: "100%%",
  sources: [{ log: "usage", files: "calls-*.jsonl", name: "calls", %s }],
  report: [{ section: "provenance" }],
}
"""


def edited():
    """Three exports of the same calls: the second and third have edited some, in tokens, time or neither."""
    draw = random.Random(3)
    rows = [
        {"id": f"call-{number}", "ts": f"2026-10-{1 + number % 9:02}T10:{number % 60:02}:00Z", "model": "m", "output_tokens": 100 + number}
        for number in range(200)
    ]
    exports = {"calls-1.jsonl": [dict(row) for row in rows]}
    for name in ("calls-2.jsonl", "calls-3.jsonl"):
        for row in rows:
            chance = draw.random()
            if chance < 0.2:
                row["output_tokens"] += draw.choice([-50, 7, 30])
            elif chance < 0.3:
                row["ts"] = f"2026-10-{draw.randrange(1, 29):02}T{row['ts'][11:]}"
            elif chance < 0.4:
                row["model"] = f"m-{draw.randrange(3)}"
        exports[name] = [dict(row) for row in draw.sample(rows, 170)]
    return exports


@pytest.mark.parametrize("keep", ["first", "last"])
@pytest.mark.parametrize("order", ORDERS)
def test_an_edited_export_gives_the_rows_that_the_rule_names_in_any_order(vesper, tmp_path, order, keep):
    (tmp_path / "job.json5").write_text(EDITED % f'keep: "{keep}"', encoding="utf-8")
    (tmp_path / "edited").mkdir()
    exports = edited()
    for name, rows in ordered(exports.items(), order):
        (tmp_path / "edited" / name).write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
        vesper("ingest", tmp_path / "home", data=tmp_path, job=tmp_path / "job.json5")
    candidates = defaultdict(list)
    for name, rows in exports.items():
        for number, row in enumerate(rows, 1):
            candidates[row["id"]].append((row["output_tokens"] if keep == "last" else 0, row["ts"], name, number, row))
    stays = {id: (max if keep == "last" else min)(rows, key=lambda row: row[:4]) for id, rows in candidates.items()}
    query = "SELECT id, strftime(ts, '%Y-%m-%dT%H:%M:%SZ'), model, output_tokens, source_file, source_record FROM usage"
    found = open_lake(tmp_path / "home", "edited").execute(query).fetchall()
    assert sorted(found) == sorted(
        (id, row["ts"], row["model"], row["output_tokens"], name, number) for id, (_, _, name, number, row) in stays.items())
    others = [row for id, rows in candidates.items() for row in rows if row is not stays[id]]
    edits = sum(row[4] != stays[row[4]["id"]][4] for row in others)
    assert edits > 50 and len(others) - edits > 50
    counts = tally(ledger(tmp_path / "home", "counts"))
    assert (counts["accepted"], counts["duplicate"] + counts["quarantined"]) == (len(stays), len(others))
    # How the others divide where two equal ones came before the one that stays: see test_order.
    assert (counts["quarantined"] == 0) == (keep == "last")
