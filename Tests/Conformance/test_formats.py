"""What JSON lines, whole JSON and CSV files become, against Python's own readers of JSON and CSV."""

import csv
import gzip
import io
import json
import random
import subprocess
import time

import pytest

from conftest import SECONDS, open_lake, peak_memory, wait_for

pytest.importorskip("duckdb")

JOB = """{ job: "kalei", timezone: "UTC", currency: "USD", starts: "2026-11-02", quarantine_at_most: "100%",
  columns: { c0: "text", c1: "text", c2: "text" }, sources: [SOURCES], report: [{ section: "provenance" }] }"""
STAMP = 'map: { ts: { constant: "2026-11-09T10:00:00Z" } }'


@pytest.fixture
def ingest(vesper, tmp_path):
    """Reads files by sources of these rules; returns what of each file is stored, by record, and what is refused."""

    def run(sources, contents, home="home", flags=(), **given):
        (tmp_path / "job.json5").write_text(JOB.replace("SOURCES", ", ".join(f'{{ log: "usage", {rule} }}' for rule in sources)), encoding="utf-8")
        (tmp_path / "data").mkdir(exist_ok=True)
        for name, content in contents.items():
            (tmp_path / "data" / name).write_bytes(content)
        vesper("ingest", tmp_path / home, job=tmp_path / "job.json5", data=tmp_path / "data", flags=flags, **given)
        return stored(tmp_path / home), refused(tmp_path / home)

    return run


def stored(home):
    if not (home / "lake").exists():
        return {}
    columns = "source_file, source_record, id, x_c0, x_c1, x_c2"
    found = {}
    for file, record, *values in open_lake(home).execute(f"SELECT {columns} FROM usage ORDER BY 1, 2").fetchall():
        found.setdefault(file, {})[record] = tuple(values)
    return found


def refused(home):
    found = {}
    for path in sorted((home / "quarantine").rglob("*.gz")) if (home / "quarantine").exists() else []:
        for line in gzip.decompress(path.read_bytes()).splitlines():
            row = json.loads(line)
            found.setdefault(row["file"], {})[row["record"]] = row["reason"]
    return found


# MARK: - CSV

TEXTS = ["", "a", "plain text", "comma, and", 'say "hi"', '"', '""', "two\nlines", "two\r\nlines", "\n", "tab\there", " spaces ", "é日本😀",
         "x" * 700, "semi;colon", "{a,b}", "NULL", "null", "\\N", "'", "=1+1", "a\\"]
DAMAGES = [lambda row: row + ",", lambda row: row.partition(",")[0], lambda row: row + '"x', lambda row: row + ',x "y"',
           lambda row: row + ',"x"y', lambda row: row + ',"open', lambda row: row + ',a\rb', lambda row: row + "\0"]


def csv_file(random, name, delimiter, damaged):
    """A file whose every field is quoted or not by chance; what each of its records must become, and the text."""
    columns = ["id", "c0", "c1", "c2", "other"]
    random.shuffle(columns)
    end = random.choice(["\n", "\r\n"])
    # A quote that is left open may end where a later field begins; what may stand there is kept simple then.
    texts = [text for text in TEXTS if not damaged or text[:1] not in ("", ",", ";", "\n", "\r", '"')]

    def field(text):
        special = any(mark in text for mark in f'{delimiter}"\r\n')
        return '"' + text.replace('"', '""') + '"' if special or random.random() < 0.3 else text

    lines, rows, bad = [delimiter.join(map(field, columns))], {}, set()
    for number in range(1, random.randint(1, 12)):
        values = {column: random.choice(texts) for column in columns} | {"id": f"{name}-{number}"}
        fields = {column: field(value) for column, value in values.items()}
        line = delimiter.join(fields[column] for column in columns)
        if damaged and random.random() < 0.4 and "\n" not in line:
            lines.append(random.choice(DAMAGES)(line))
            bad.add(number)
        else:
            lines.append(line)
            rows[number] = tuple(values[c] if fields[c] else None for c in ("id", "c0", "c1", "c2"))
        if random.random() < 0.1:
            lines.append("")
    text = random.choice(["", "\ufeff"]) + end.join(lines) + random.choice(["", end])
    return text, rows, bad


@pytest.mark.parametrize("seed", range(4))
def test_csv_files_are_read_as_python_reads_them(ingest, seed):
    chance = random.Random(seed)
    contents, expected = {}, {}
    for index in range(120):
        delimiter, ending = chance.choice([(",", "csv"), ("\t", "tsv"), (";", "txt")])
        name = f"{index}.{ending}"
        text, rows, _ = csv_file(chance, index, delimiter, damaged=False)
        table = list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), delimiter=delimiter, strict=True))
        python = {number: tuple(row[c] for c in ("id", "c0", "c1", "c2")) for number, row in enumerate(table, 1)}
        # The csv module knows no nulls: there they are empty.
        assert python == {number: tuple(value or "" for value in row) for number, row in rows.items()}
        content = text.encode()
        contents[name], expected[name] = gzip.compress(content) if chance.random() < 0.3 else content, rows
    rows, bad = ingest([f'name: "t", files: "*.?sv", {STAMP}', f'files: "*.txt", format: "csv", delimiter: ";", {STAMP}'], contents)
    assert bad == {}
    assert {name: rows.get(name, {}) for name in expected} == expected


@pytest.mark.parametrize("seed", range(4))
def test_damaged_rows_are_refused_and_no_other(ingest, seed):
    chance = random.Random(seed)
    contents, expected, damage = {}, {}, {}
    for index in range(100):
        text, rows, bad = csv_file(chance, index, ",", damaged=True)
        contents[f"{index}.csv"], expected[f"{index}.csv"], damage[f"{index}.csv"] = text.encode(), rows, bad
    rows, bad = ingest([f'files: "*.csv", {STAMP}'], contents)
    assert {name: rows.get(name, {}) for name in expected} == expected
    assert {name: set(bad.get(name, {})) for name in damage} == damage
    assert {reason for file in bad.values() for reason in file.values()} == {"bad_csv"}


# MARK: - JSON

def json_file(random, name):
    """Records as one or several lists or values, laid out by chance; what each must become, and the text."""
    rows, pieces = {}, []
    number = 0
    while number < 12:
        group = []
        for _ in range(random.randint(0, 5)):
            number += 1
            record = {"id": f"{name}-{number}", "c0": random.choice(TEXTS), "c1": None, "x": [{"c2": "]}\"{["}, [1.5e3, True]]}
            if random.random() < 0.5:
                record["c2"] = random.choice(TEXTS)
            members = list(record.items())
            random.shuffle(members)
            group.append(dict(members))
            rows[number] = tuple(record.get(column) for column in ("id", "c0", "c1", "c2"))
        layout = {"indent": random.choice([None, 0, 2]), "ensure_ascii": random.random() < 0.5}
        pieces += [json.dumps(group, **layout)] if random.random() < 0.6 else [json.dumps(record, **layout) for record in group]
    return random.choice(["", " ", "\n", "\r\n\t"]).join(pieces), rows


@pytest.mark.parametrize("seed", range(3))
def test_json_files_are_read_as_python_reads_them(ingest, seed):
    chance = random.Random(seed)
    contents, expected = {}, {}
    for index in range(80):
        text, rows = json_file(chance, index)
        decoder, place, found = json.JSONDecoder(), 0, []
        while place < len(text):
            if text[place].isspace():
                place += 1
                continue
            value, place = decoder.raw_decode(text, place)
            found += value if isinstance(value, list) else [value]
        assert [record["id"] for record in found] == [row[0] for row in rows.values()]
        contents[f"{index}.json"], expected[f"{index}.json"] = text.encode(), rows
    rows, bad = ingest([f'files: "*.json", {STAMP}'], contents)
    assert bad == {}
    assert {name: rows.get(name, {}) for name in expected} == expected


# MARK: - The same rows in several forms

def forms(rows):
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, ["id", "ts", "output_tokens", "model", "c0"])
    writer.writeheader()
    writer.writerows(rows)
    return {
        "a.jsonl": "".join(json.dumps(row) + "\n" for row in rows).encode(),
        "b.json": json.dumps(rows, indent=2, ensure_ascii=False).encode(),
        "c.csv.gz": gzip.compress(table.getvalue().encode()),
    }


@pytest.mark.parametrize("order", [("a.jsonl", "b.json", "c.csv.gz"), ("c.csv.gz", "b.json", "a.jsonl")])
def test_the_same_rows_in_every_form_count_once(ingest, vesper, tmp_path, order):
    rows = [
        {"id": f"e{index}", "ts": f"2026-11-{index % 9 + 1:02}T10:00:00Z", "output_tokens": index * 7, "model": "m,1",
         "c0": TEXTS[index % len(TEXTS)] or None}
        for index in range(400)
    ]
    contents = forms(rows)
    sources = ['name: "events", files: ["*.jsonl", "*.json"], id_scope: "calls"', 'name: "table", files: "*.csv.gz", id_scope: "calls"']
    lakes = []
    for count in range(1, 4):
        found, bad = ingest(sources, {name: contents[name] for name in order[:count]})
        assert bad == {}
        lakes.append(sorted(values for file in found.values() for values in file.values()))
    assert len(lakes[0]) == 400
    assert lakes[0] == lakes[1] == lakes[2]
    sums = open_lake(tmp_path / "home").execute("SELECT sum(output_tokens), count(DISTINCT model) FROM usage").fetchone()
    assert sums == (sum(row["output_tokens"] for row in rows), 1)


def test_files_that_are_named_and_what_is_piped(vesper, ingest, tmp_path):
    contents = forms([{"id": f"e{index}", "ts": "2026-11-09T10:00:00Z", "output_tokens": 1, "model": "m", "c0": "x"} for index in range(5)])
    sources = ['name: "lines", files: "a.jsonl"', 'name: "lists", files: "*.json"']
    found, _ = ingest(sources, contents, flags=[str(tmp_path / "data" / "b.json")])
    assert set(found) == {"b.json"}
    given = {"job": tmp_path / "job.json5", "data": tmp_path / "data"}
    refusal = vesper("ingest", tmp_path / "home", code=64, flags=[str(tmp_path / "data" / "c.csv.gz")], **given).stderr
    assert 'No source of the job reads this file. They read "a.jsonl" and "*.json".' in refusal

    def pipe(*flags):
        command = vesper.command("ingest", tmp_path / "home", flags=["-", *flags], **given)
        return subprocess.run(command, input=contents["a.jsonl"], env=vesper.environment(), capture_output=True, timeout=60)

    assert pipe().returncode == 64 and b"--source" in pipe().stderr
    for _ in range(2):
        assert pipe("--source", "lines").returncode == 0
        (name,) = set(stored(tmp_path / "home")) - {"b.json"}
        assert name.startswith("stdin-") and name.endswith(".jsonl")
        assert len(stored(tmp_path / "home")[name]) == 5
    assert not (tmp_path / "home" / "staging").exists()
    # The next whole run reads what was left: the same ids, of which those in the least file stay.
    found, _ = ingest(sources, {})
    assert set(found) == {"a.jsonl", "b.json"}


# MARK: - Hostile bytes

@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "log"])
def test_a_gzip_of_two_gigabytes_of_spaces_takes_little_memory(vesper, tmp_path, ending):
    member = gzip.compress(b" " * (64 << 20), compresslevel=9)
    (tmp_path / "data").mkdir()
    head = gzip.compress(b"id,ts\n") if ending == "csv" else b""
    (tmp_path / "data" / f"a.{ending}.gz").write_bytes(head + member * 32)
    (tmp_path / "job.json5").write_text(JOB.replace("SOURCES", f'{{ log: "usage", files: "a.*", {STAMP} }}'), encoding="utf-8")
    command = vesper.command("ingest", tmp_path / "home", job=tmp_path / "job.json5", data=tmp_path / "data")
    process = subprocess.Popen(command, env=vesper.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    most = []
    wait_for(process, lambda: most.append(peak_memory(process)) or time.sleep(0.005))
    _, said = process.communicate(timeout=SECONDS)
    assert process.returncode == 0, said
    assert 10 << 10 < max(most) < 300 << 10  # kilobytes
