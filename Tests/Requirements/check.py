#!/usr/bin/env python3
"""Checks coverage.csv: its form, its ids and whether the tests it names really ran.

    check.py [--results DIR] [--tally] [--requirements FILE]

--requirements FILE  compares ids, their order and the wording with the requirement list
--results DIR        looks every evidence name up in the JUnit files (*.xml) of DIR
--tally              prints how many ids of each product have which status

Exit code 0: no complaint. 1: complaints, one sentence each on stderr as `coverage.csv:LINE: …`. 2: bad usage.
What could not be checked is said in a line that begins with "skipped:".

Evidence is a list of test case names with ";" between them, each from the suite inwards:

    PriceBookTests/cachedReadsAreAClassOfTheirOwn      Swift Testing: type, "/", function without parentheses
    PriceBookTests/a cached read has its own price     a raw name, as it stands between the backticks
    PriceBookTests/Tiers/batchIsHalf                   a suite within a suite
    EconomicsTests/PriceBookTests/batchIsHalf          with the target in front, should two targets have that suite
    EconomicsTests/batchIsHalf                         a free function: target, "/", function
    test_lake.py::test_duckdb_reads_every_row          pytest: file, "::", function; folders may stand in front
    test_lake.py::TestTypes::test_decimals             pytest: a class between them

`swift test --xunit-output F.xml` writes Swift Testing cases to F-swift-testing.xml. It records the type and the function, never the
display name of @Suite("…") or @Test("…"), so cite the code's own names. A parameterised test is one case there and one per
argument in pytest; a name stands for all of them, and all must have passed. A raw name that holds ";" cannot be cited.
The file shows a known issue and a test cancelled half-way as passed: cite neither. It is not touched by a failed build:
give each run an empty DIR.
"""

import argparse
import csv
import difflib
import io
import re
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path
from xml.sax.saxutils import quoteattr

COVERAGE = Path(__file__).resolve().parent / "coverage.csv"
HEADER = ["id", "product", "text", "status", "evidence", "note"]
PRODUCTS = {"K": "kalei", "N": "neni", "T": "talentprompt", "A": "aspendos", "V": "voyager", "X": "cross"}
STATUSES = ["met", "partial", "todo", "data", "out"]
LONGEST_TEXT = 100


class Complaints:
    """What is wrong, by the line of coverage.csv it belongs to."""

    def __init__(self):
        self.found = []

    def add(self, line, sentence):
        self.found.append((line, f"coverage.csv:{line}: {sentence}"))

    def lines(self):
        return [text for _, text in sorted(self.found, key=lambda complaint: complaint[0])]


class Row:
    def __init__(self, line, fields):
        self.line = line
        self.id, self.product, self.text, self.status, evidence, self.note = fields
        self.evidence = [name.strip() for name in evidence.split(";")] if evidence else []

    def place(self):
        """Where the id belongs in the file: products in the order of PRODUCTS, then by number."""
        return list(PRODUCTS).index(self.id[0]), int(self.id[2:])


# coverage.csv by itself


def read_rows(path, complaints):
    try:
        raw = path.read_bytes()
        content = raw.decode("utf-8")
    except OSError as error:
        complaints.add(1, f"cannot be read: {error.strerror}.")
        return []
    except UnicodeDecodeError as error:
        complaints.add(raw.count(b"\n", 0, error.start) + 1, "is not UTF-8 here.")
        return []
    for number, line in enumerate(content.split("\n"), 1):
        if "\r" in line or line.startswith("\ufeff"):
            complaints.add(number, "has a carriage return or a byte order mark; lines end with LF alone.")
    if not content.endswith("\n"):
        complaints.add(content.count("\n") + 1, "does not end with a line feed.")

    reader = csv.reader(io.StringIO(content, newline=""), strict=True)
    rows, line = [], 1
    try:
        for fields in reader:
            if line == 1 and fields != HEADER:
                complaints.add(1, f'the header is not "{",".join(HEADER)}".')
            elif line > 1 and len(fields) != len(HEADER):
                complaints.add(line, f"has {len(fields)} fields instead of {len(HEADER)}.")
            elif line > 1:
                row = Row(line, fields)
                if reader.line_num > line:
                    complaints.add(line, f"{row.id} has a field with a line break.")
                rows.append(row)
            line = reader.line_num + 1
    except csv.Error as error:
        complaints.add(reader.line_num, f"is not CSV here: {error}.")
    if not rows:
        complaints.add(1, "has no rows.")
    return rows


def check_ids(rows, complaints):
    """Returns the rows whose ids are well formed."""
    good, first_line, last = [], {}, None
    for row in rows:
        if not re.fullmatch(r"[KNTAVX]-[0-9]{2,3}", row.id):
            complaints.add(row.line, f'"{row.id}" is not an id such as K-07.')
            continue
        good.append(row)
        if row.product != PRODUCTS[row.id[0]]:
            complaints.add(row.line, f'the product of {row.id} is {PRODUCTS[row.id[0]]}, not "{row.product}".')
        if row.id in first_line:
            complaints.add(row.line, f"{row.id} stands on line {first_line[row.id]} already.")
            continue
        first_line[row.id] = row.line
        if last is not None and row.place() < last.place():
            complaints.add(row.line, f"{row.id} stands after {last.id}; ids go K, N, T, A, V, X and then by number.")
        last = row
    return good


def check_row(row, complaints):
    def complain(sentence):
        complaints.add(row.line, sentence)

    for field in (row.id, row.product, row.text, row.status, row.note):
        if field != field.strip():
            complain(f'{row.id} has space around "{field.strip()}".')
    if not row.text.strip():
        complain(f"{row.id} has no text.")
    if len(row.text) > LONGEST_TEXT:
        complain(f"the text of {row.id} has {len(row.text)} characters; at most {LONGEST_TEXT} keep it short.")
    if row.status not in STATUSES:
        complain(f'the status "{row.status}" of {row.id} is none of {", ".join(STATUSES)}{did_you_mean(row.status, STATUSES)}')
        return
    if row.status in ("met", "partial") and not row.evidence:
        complain(f"{row.id} is {row.status} but names no test case; add one to evidence or set it back to todo.")
    if row.status in ("todo", "out") and row.evidence:
        complain(f"{row.id} is {row.status} yet names evidence; make it partial or met, or take the evidence away.")
    if row.status == "out" and not row.note.strip():
        complain(f"{row.id} is out without a reason; write in note what its product's owner would accept.")
    if row.status == "data" and not row.note.strip():
        complain(f"{row.id} is data without a place; write in note which book or table holds it.")
    for name in row.evidence:
        if not is_case_name(name):
            complain(f'the evidence "{name}" of {row.id} is not a case name such as Suite/function or test_file.py::test_name.')
    for name in sorted({name for name in row.evidence if row.evidence.count(name) > 1}):
        complain(f'{row.id} names "{name}" twice.')


def is_case_name(name):
    return "/" in name or "::" in name


def did_you_mean(word, choices):
    close = difflib.get_close_matches(word, choices, n=1, cutoff=0.5)
    return f'; did you mean "{close[0]}"?' if close else "."


# against the requirement list


def plain(text):
    return " ".join(re.findall(r"\w+", text.casefold()))


def read_requirements(path):
    """The statements by id, in the file's order: each statement and, below it, what it means for the pipeline."""
    statements, current = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        start = re.match(r"- \*\*([A-Z]-[0-9]+)\*\*(?: \([^)]*\))? (.*)", line)
        if start:
            current = statements.setdefault(start.group(1), [])
            current.append(start.group(2))
        elif current is not None and line.startswith("  "):
            current.append(line.strip(" →"))
        else:
            current = None
    return statements


def check_requirements(rows, statements, complaints):
    line_of = {row.id: row.line for row in rows}
    previous = 1
    for id in statements:
        if id in line_of:
            previous = line_of[id]
        else:
            complaints.add(previous + 1, f"{id} of the requirement list is missing; it belongs here.")
    copied = {plain(sentence): id for id, sentences in statements.items() for sentence in sentences}
    for row in rows:
        if row.id not in statements:
            complaints.add(row.line, f"{row.id} is not in the requirement list.")
        text = plain(row.text)
        own = " | ".join(plain(sentence) for sentence in statements.get(row.id, []))
        if text in copied or (len(text) >= 30 and text in own):
            complaints.add(row.line, f"the text of {row.id} is copied from {copied.get(text, row.id)}; say it in our own words.")


# against what ran


class Case:
    """One <testcase>: its name from the target or folder inwards, how evidence spells it, and how it ended."""

    def __init__(self, element, file):
        where, name = element.get("classname") or "", element.get("name") or ""
        self.file = file
        outcomes = {child.tag for child in element}
        self.outcome = "failed" if outcomes & {"failure", "error"} else "skipped" if "skipped" in outcomes else "passed"
        if name.endswith(")"):  # Swift Testing: `a raw name`(), function(label:)
            parts = [part.strip("`") for part in re.findall(r"`[^`]*`|[^.`]+", where)]
            function = name[1 : name.rindex("`")] if name.startswith("`") else name[: name.index("(")]
            self.path = parts + [function]
            self.spellings = {"/".join(self.path[start:]): "/".join(self.path[start:]) for start in range(len(self.path) - 1)}
        else:  # pytest, unittest: test_function[argument]
            parts = where.split(".") if where else []
            self.path = parts + [name.split("[")[0]]
            module = next((at for at, part in enumerate(parts) if re.search(r"^test_|_test$", part)), len(parts) - 1)
            self.spellings = {}
            for start in range(module + 1):
                spelled = "/".join(self.path[start : module + 1]) + ".py::" + "::".join(self.path[module + 1 :])
                self.spellings["/".join(self.path[start:])] = spelled

    def full(self):
        return next(iter(self.spellings.values()), self.path[-1])


def read_results(folder, complaints):
    """Every case of every JUnit file in the folder."""
    files = sorted(folder.glob("*.xml"))
    if not files:
        complaints.add(1, f"{folder} holds no *.xml; run the tests with their JUnit output there first.")
    cases = []
    for file in files:
        try:
            root = parse_junit(file.read_text(encoding="utf-8"))
        except (ElementTree.ParseError, UnicodeDecodeError) as error:
            complaints.add(1, f"{file} cannot be read ({error}); a crashed run leaves half a file: run it again.")
            continue
        if root.tag not in ("testsuites", "testsuite"):
            complaints.add(1, f"{file} is not a JUnit file: its root is <{root.tag}>.")
            continue
        cases += [Case(element, file.name) for element in root.iter("testcase")]
    return cases


def parse_junit(text):
    try:
        return ElementTree.fromstring(text)
    except ElementTree.ParseError:
        return ElementTree.fromstring(with_names_quoted(text))


def with_names_quoted(text):
    """Swift 6.3 writes a raw name with quotes, < or & into its attribute as it stands; here it is quoted as XML wants it."""
    line = re.compile(r'^( *<testcase) classname="(.*?)" name="(.*?)"((?: time="[^"]*")? ?/?>)$', re.MULTILINE)
    return line.sub(lambda m: f"{m[1]} classname={quoteattr(m[2])} name={quoteattr(m[3])}{m[4]}", text)


def check_evidence(rows, cases, complaints):
    index, spelled = {}, set()
    for case in cases:
        for key, spelling in case.spellings.items():
            index.setdefault(key, []).append(case)
            spelled.add(spelling)
    spelled = sorted(spelled)
    for row in rows:
        for name in filter(is_case_name, row.evidence):
            found = index.get(name) or index.get(as_path(name, index), [])
            suites = sorted({case.full() for case in found})
            outcomes = {case.outcome: case.file for case in found}
            if not found:
                complaints.add(row.line, f'no test case "{name}" ran for {row.id}{did_you_mean(name, spelled)}')
            elif len(suites) > 1:
                complaints.add(row.line, f'"{name}" of {row.id} could be {" or ".join(suites)}; write it in full.')
            elif "failed" in outcomes:
                complaints.add(row.line, f'"{name}", evidence of {row.id}, failed ({outcomes["failed"]}).')
            elif "skipped" in outcomes:
                complaints.add(row.line, f'"{name}", evidence of {row.id}, was skipped ({outcomes["skipped"]}).')


def as_path(name, index):
    """`Conformance/test_lake.py::test_x` as the index holds it; leading folders go only where the results show none."""
    if "::" not in name:
        return None
    path = name.replace(".py::", "/").replace("::", "/")
    if path in index:
        return path
    parts = path.split("/")
    shorter = ["/".join(parts[start:]) for start in range(1, len(parts) - name.count("::"))]
    return next((path for path in shorter if any("/".join(case.path) == path for case in index.get(path, []))), None)


# what is printed


def tally(rows):
    header = ["product", *STATUSES, "total"]
    table = []
    for product in [*PRODUCTS.values(), "total"]:
        counts = [sum(1 for row in rows if product in (row.product, "total") and row.status == status) for status in STATUSES]
        table.append([product, *map(str, counts), str(sum(counts))])
    widths = [max(len(line[at]) for line in [header, *table]) for at in range(len(header))]
    for line in [header, *table]:
        print("  ".join([line[0].ljust(widths[0])] + [cell.rjust(width) for cell, width in zip(line[1:], widths[1:])]))


def main():
    parser = argparse.ArgumentParser(description="Checks coverage.csv: its form, its ids and whether the tests it names really ran.")
    parser.add_argument("--results", type=Path, metavar="DIR", help="a folder with the JUnit files of one run")
    parser.add_argument("--requirements", type=Path, metavar="FILE", help="the requirement list to compare ids and wording with")
    parser.add_argument("--tally", action="store_true", help="print how many ids of each product have which status")
    options = parser.parse_args()

    complaints = Complaints()
    every = read_rows(COVERAGE, complaints)
    rows = check_ids(every, complaints)
    for row in every:
        check_row(row, complaints)

    if options.requirements is None:
        print("skipped: no --requirements, so ids and wording were not compared with the requirement list.")
    elif not options.requirements.is_file():
        print(f"skipped: {options.requirements} is not here, so ids and wording were not compared with the requirement list.")
    else:
        check_requirements(rows, read_requirements(options.requirements), complaints)

    if options.results is None:
        print("skipped: no --results, so nobody looked whether the evidence ran.")
    elif not options.results.is_dir():
        complaints.add(1, f"{options.results} is not a folder of test results.")
    else:
        check_evidence(rows, read_results(options.results, complaints), complaints)

    if options.tally:
        tally(every)
    for line in complaints.lines():
        print(line, file=sys.stderr)
    print(f"{len(every)} rows, {len(complaints.found)} complaint{'' if len(complaints.found) == 1 else 's'}.")
    return 1 if complaints.found else 0


if __name__ == "__main__":
    sys.exit(main())
