"""Every kind of bad input once: there is an exit code and a sentence, nothing is half done, and what was read adds up.

    VESPER_BIN=… VESPER_BAD_INPUT_TABLE=bad-input.md pytest Tests/Conformance/test_bad_input.py
"""

import gzip
import hashlib
import json
import os
import re
import shutil
import sqlite3
import subprocess
import tempfile
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Callable, Optional

import pytest

from conftest import NOW, files, ledger, peak_memory

SECONDS = 60
ROW = b'{"id":"%d","ts":"2026-11-09T10:00:00Z","user":"u","model":"m","input_tokens":5,"output_tokens":7}\n'
JOB = """{
  job: "demo", timezone: "UTC", currency: "USD", starts: "2026-11-09", quarantine_at_most: "100%",
  sources: [
    { log: "usage", name: "calls", files: "calls*" },
  ],
  report: [{ section: "data-quality" }],
}
"""


def row(number=1, **fields):
    """A line of the usage log; a field that is None is left out."""
    values = {"id": str(number), "ts": "2026-11-09T10:00:00Z", "user": "u", "input_tokens": 5, "output_tokens": 7, **fields}
    return json.dumps({key: value for key, value in values.items() if value is not None}).encode() + b"\n"


def raw(field, value):
    """A line in which one field stands as it is written here."""
    return b'{"id":"1","ts":"2026-11-09T10:00:00Z","%s":%s}\n' % (field.encode(), value.encode())


@dataclass
class Place:
    """A folder of its own, with a job, a data folder and a home that is not there yet."""

    folder: Path
    home: Path = field(init=False)
    data: Path = field(init=False)
    job: Path = field(init=False)

    def __post_init__(self):
        self.home, self.data, self.job = self.folder / "home", self.folder / "data", self.folder / "job.json5"


@dataclass
class Done:
    code: int
    output: str
    talk: str
    kilobytes: int


@dataclass
class Case:
    name: str
    code: int
    # What is said on the error stream, or printed where nothing has to be said; a pattern.
    says: str
    # Name → bytes, below the data folder.
    files: dict = field(default_factory=dict)
    # Changes to the job's text: (what, by what).
    job: tuple = ()
    # How the records end, where they are read.
    counts: Optional[dict] = None
    prepare: Optional[Callable[[Place], None]] = None
    command: tuple = ("ingest", "job.json5", "--data", "data")
    # The user that runs it, where root may do too much.
    as_nobody: bool = False
    most_kilobytes: Optional[int] = None
    check: Optional[Callable[[Place, Done], None]] = None


def quarantined(**reasons):
    return {"accepted": 0, **{f"quarantined {reason}": count for reason, count in reasons.items()}}


def accepted(count, **others):
    return {"accepted": count, **{name.replace("__", " "): value for name, value in others.items()}}


def source(text):
    return (('{ log: "usage", name: "calls", files: "calls*" }', text),)


def mapped(text):
    return source('{ log: "usage", name: "calls", files: "calls*", %s }' % text)


def spaces(place):
    """More than a gigabyte of spaces on one line, as one megabyte of gzip."""
    press = zlib.compressobj(9, zlib.DEFLATED, 31)
    with open(place.data / "calls.jsonl.gz", "wb") as file:
        block = b" " * (1 << 20)
        for _ in range(1100):
            file.write(press.compress(block))
        file.write(press.compress(b"\n" + ROW % 1) + press.flush())


def reasons(place):
    """Reason and detail of everything in quarantine."""
    return [
        f'{refusal["reason"]}: {refusal["detail"]}'
        for path in sorted((place.home / "quarantine").rglob("*.gz"))
        for refusal in map(json.loads, gzip.decompress(path.read_bytes()).splitlines())
    ]


def refused_for(pattern):
    def check(place, done):
        found = reasons(place)
        assert found and re.search(pattern, found[0]), found

    return check


def read_again(change, counts):
    """Reads once, changes the files, reads again, and expects these counts over both."""

    def check(place, done):
        change(place)
        again = call(place, Case.command)
        assert again.code == 0, again.talk
        assert counted(place) == counts

    return check


def write(place, name, content):
    path = place.data / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


ODD_NAME = "calls 'a' \"b\"\n$(touch x);\t\u202e.jsonl"
TWO = ROW % 1 + ROW % 2
CSV = b"id,ts,user,output_tokens\n1,2026-11-09T10:00:00Z,u,7\n2,2026-11-09T10:00:00Z,u,8\n"
HOSTILE = {
    "a script": "<script>alert(1)</script>", "a formula": "=HYPERLINK(\"http://example.com\")", "escape sequences": "\x1b]0;x\x07\x1b[2J",
    "marks that turn the direction": "\u202eabc\u2066", "a path": "../../../../etc/passwd", "a query": "'; DROP TABLE counts; --",
    "a NUL": "a\x00b", "half a pair": "a\ud800b",
}

CASES = [
    # --- Files that are not there, or are no files
    Case("no file at all", 0, r'No file below data fits "calls\*", so calls reads nothing\. Put the exports there', prepare=lambda p: None),
    Case("a named file that is missing", 0, r'No file below data fits "calls\.jsonl"', job=source('{ log: "usage", name: "calls", files: "calls.jsonl" }')),
    Case("a folder named like a file", 0, r"No file below data fits", prepare=lambda p: (p.data / "calls.jsonl").mkdir()),
    Case("a link to nothing", 0, r"data/calls\.jsonl: warning: This link leads to nothing", prepare=lambda p: (p.data / "calls.jsonl").symlink_to("gone")),
    Case("a link in a circle", 0, r"This link leads to nothing", prepare=lambda p: (p.data / "calls.jsonl").symlink_to("calls.jsonl")),
    Case("a pipe among the files", 0, r"data/calls\.jsonl: warning: This is no file but a pipe", prepare=lambda p: os.mkfifo(p.data / "calls.jsonl")),
    Case("a pipe named on the command line", 64, r"This is no file\. Name the files to read", prepare=lambda p: os.mkfifo(p.data / "calls.jsonl"), command=("ingest", "job.json5", "data/calls.jsonl", "--data", "data")),
    Case("a file that may not be read", 1, r"data/calls\.jsonl: error: could not open the export\. Permission was denied; check its owner and mode\.", {"calls.jsonl": TWO}, prepare=lambda p: (p.data / "calls.jsonl").chmod(0), as_nobody=True),
    Case("a folder that may not be read", 1, r"data: error: could not list the folder\. Permission was denied", {"calls.jsonl": TWO}, prepare=lambda p: p.data.chmod(0o311), as_nobody=True),
    Case("a file outside of the data folder", 64, r"The file is not below the data folder data\. Give its folder with --data\.", prepare=lambda p: (p.folder / "calls.jsonl").write_bytes(TWO), command=("ingest", "job.json5", "calls.jsonl", "--data", "data")),
    Case("a file that no source reads", 64, r'No source of the job reads this file\. They read "calls\*"\.', {"other.jsonl": TWO}, command=("ingest", "job.json5", "other.jsonl", "--data", "data")),
    Case("a file name with quotes, spaces, line ends and a mark", 0, r"accepted 2 · 1 file", {ODD_NAME: TWO}, counts=accepted(2)),
    Case("a file name that is not UTF-8", 0, r"This name is not written in UTF-8, so the file is not read\. Rename it\.", prepare=lambda p: (Path(os.fsdecode(os.fsencode(p.data) + b"/calls-\xff.jsonl"))).write_bytes(TWO)),
    Case("one file under two names", 0, r"accepted 2 · duplicate 2 · 2 files", {"calls-1.jsonl": TWO, "calls-2.jsonl": TWO}, counts=accepted(2, duplicate=2)),
    Case("a file and a link to it", 0, r"accepted 2 · duplicate 2 · 2 files", {"calls-1.jsonl": TWO}, prepare=lambda p: (p.data / "calls-2.jsonl").symlink_to("calls-1.jsonl"), counts=accepted(2, duplicate=2)),
    # --- Files with nothing, or nothing that can be read
    Case("an empty file", 0, r"accepted 0 · 1 file", {"calls.jsonl": b""}, counts={}),
    Case("an empty CSV file", 0, r"accepted 0 · 1 file", {"calls.csv": b""}, counts={}),
    Case("an empty gzip file", 0, r"accepted 0 · 1 file", {"calls.jsonl.gz": gzip.compress(b"")}, counts={}),
    Case("line ends alone", 0, r"accepted 0 · 1 file", {"calls.jsonl": b"\n\r\n\n"}, counts={}),
    Case("binary data", 2, r"quarantined 5\d \(5\d bad_json\)", {"calls.jsonl": b"\n".join(hashlib.sha256(b"%d" % n).digest().replace(b"\n", b"") for n in range(50))}, job=(('"100%"', '"1%"'),), counts=None),
    Case("zstd", 1, r"data/calls\.jsonl\.gz: error: This is a zstd file, which is not read\. Decompress it; plain files and gzip are read\.", {"calls.jsonl.gz": b"\x28\xb5\x2f\xfd" + b"x" * 20}),
    Case("zip", 1, r"This is a zip file, which is not read\. Unpack it", {"calls.jsonl": b"PK\x03\x04" + b"x" * 20}),
    Case("Parquet", 1, r"This is a Parquet file, which is not read\. Export it as JSON lines or CSV\.", {"calls.jsonl": b"PAR1\x15\x00" + b"x" * 20}),
    Case("UTF-16 with its mark", 1, r"data/calls\.jsonl: error: This is text in UTF-16, which is not read\. Export it as UTF-8\.", {"calls.jsonl": TWO.decode().encode("utf-16")}),
    Case("UTF-16 in gzip", 1, r"This is text in UTF-16", {"calls.jsonl.gz": gzip.compress(TWO.decode().encode("utf-16"))}),
    Case("UTF-16 without its mark, as CSV", 1, r"The header holds a NUL byte, which no text does", {"calls.csv": CSV.decode().encode("utf-16-le")}),
    # --- gzip
    Case("a truncated gzip file", 1, r"The gzip stream ends in the middle, at byte \d+\. The file is truncated: export or copy it again\.", {"calls.jsonl.gz": gzip.compress(TWO * 100)[:-20], "calls-2.jsonl": TWO}),
    Case("a damaged gzip file", 1, r"The gzip stream is damaged near byte \d+", {"calls.jsonl.gz": gzip.compress(TWO, mtime=0)[:12] + b"\xff\xff\xff" + gzip.compress(TWO, mtime=0)[15:]}),
    Case("a wrong checksum", 1, r"The gzip stream is damaged near byte \d+", {"calls.jsonl.gz": gzip.compress(TWO)[:-8] + b"\0" * 8}),
    Case("something behind the gzip data", 1, r"Something that is not gzip follows the gzip data, from byte \d+ on\. Cut it off there, or export the file again\.", {"calls.jsonl.gz": gzip.compress(TWO) + b"junk"}),
    Case("zeros behind the gzip data", 0, r"accepted 2 · 1 file", {"calls.jsonl.gz": gzip.compress(TWO) + b"\0" * 512}, counts=accepted(2)),
    Case("a plain file named .gz", 0, r"accepted 2 · 1 file", {"calls.jsonl.gz": TWO}, counts=accepted(2)),
    Case("a gzip file not named so", 0, r"accepted 2 · 1 file", {"calls.jsonl": gzip.compress(TWO)}, counts=accepted(2)),
    Case("gzip in gzip", 1, r"The gzip file holds another one, which is not read\. Decompress it once, or export it again\.", {"calls.jsonl.gz": gzip.compress(gzip.compress(TWO))}),
    Case("a gigabyte of spaces", 0, r"accepted 1 · quarantined 1 \(1 too_long\)", prepare=spaces, counts=accepted(1, quarantined__too_long=1), most_kilobytes=256 << 10),
    # --- Lines
    Case("no line end at the end", 0, r"accepted 2", {"calls.jsonl": TWO[:-1]}, counts=accepted(2)),
    Case("line ends of two characters", 0, r"accepted 2", {"calls.jsonl": TWO.replace(b"\n", b"\r\n")}, counts=accepted(2)),
    Case("line ends of an old kind", 0, r"quarantined 1 \(1 bad_json\)", {"calls.jsonl": TWO.replace(b"\n", b"\r")}, counts=quarantined(bad_json=1), check=refused_for("has something after its end")),
    Case("a byte order mark", 0, r"accepted 2", {"calls.jsonl": b"\xef\xbb\xbf" + TWO}, counts=accepted(2)),
    Case("Latin-1", 0, r"quarantined 1 \(1 bad_json\)", {"calls.jsonl": ROW % 1 + row(2, user="Käthe", x="ü").decode("unicode_escape").encode("latin-1")}, counts=accepted(1, quarantined__bad_json=1), check=refused_for("is not UTF-8")),
    Case("two encodings in one file", 0, r"accepted 2 · quarantined 1", {"calls.jsonl": '{"id":"1","ts":"2026-11-09","user":"ü"}\n'.encode() + '{"id":"2","ts":"2026-11-09","user":"ü"}\n'.encode("latin-1") + ROW % 3}, counts=accepted(2, quarantined__bad_json=1)),
    Case("a NUL byte", 0, r"quarantined 1 \(1 bad_json\)", {"calls.jsonl": b'{"id":"1\x00","ts":"2026-11-09"}\n' + ROW % 2}, counts=accepted(1, quarantined__bad_json=1)),
    Case("control characters", 0, r"quarantined 1 \(1 bad_json\)", {"calls.jsonl": b'{"id":"1\x01\x1b[2J","ts":"2026-11-09"}\n'}, counts=quarantined(bad_json=1), check=refused_for("bare control character")),
    Case("a record cut in the middle", 0, r"accepted 1 · quarantined 1", {"calls.jsonl": TWO[:-30]}, counts=accepted(1, quarantined__bad_json=1), check=refused_for("ends in the middle")),
    Case("all of it duplicates", 0, r"accepted 1 · duplicate 9", {"calls.jsonl": ROW % 1 * 10}, counts=accepted(1, duplicate=9)),
    Case("all of it broken", 2, r"(?s)accepted 0 · quarantined 20 \(20 bad_json\).*Why records were refused, and what they were, stands in home/quarantine/demo\.", {"calls.jsonl": b"{broken\n" * 20}, job=(('"100%"', '"1%"'),), counts=quarantined(bad_json=20)),
    # --- Values
    Case("deep nesting", 0, r"quarantined 1 \(1 bad_json\)", {"calls.jsonl": raw("user", "[" * 5000 + "]" * 5000)}, counts=quarantined(bad_json=1), check=refused_for("is nested too deeply")),
    Case("a huge number", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": raw("output_tokens", "9" * 400)}, counts=quarantined(bad_value=1), check=refused_for("output_tokens is a number, which is no whole number, or negative, or too large")),
    Case("a huge exponent", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": raw("output_tokens", "1e999999999")}, counts=quarantined(bad_value=1)),
    Case("negative tokens", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": raw("output_tokens", "-1")}, counts=quarantined(bad_value=1)),
    Case("half a token", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": raw("output_tokens", "1.5")}, counts=quarantined(bad_value=1)),
    Case("NaN", 0, r"quarantined 1 \(1 bad_json\)", {"calls.jsonl": raw("output_tokens", "NaN")}, counts=quarantined(bad_json=1)),
    Case("Infinity in a text", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": raw("reported_cost", '"Infinity"')}, counts=quarantined(bad_value=1)),
    Case("an amount that no binary number is", 0, r"accepted 1", {"calls.jsonl": raw("reported_cost", "0.1000000000000")}, counts=accepted(1)),
    Case("a key that stands twice", 0, r"accepted 1", {"calls.jsonl": b'{"id":"1","ts":"2026-11-09","user":"a","user":"b"}\n'}, counts=accepted(1)),
    Case("half a pair of surrogates", 0, r"quarantined 1 \(1 bad_json\)", {"calls.jsonl": raw("user", '"\\ud83d"')}, counts=quarantined(bad_json=1)),
    Case("no time", 0, r"quarantined 1 \(1 missing_ts\)", {"calls.jsonl": row(ts=None)}, counts=quarantined(missing_ts=1)),
    Case("a time without an offset", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": row(ts="2026-11-09 10:00:00")}, counts=quarantined(bad_value=1), check=refused_for("it lacks an offset; say with zone where it was written")),
    Case("a time that is a number", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": row(ts=1794204753)}, counts=quarantined(bad_value=1), check=refused_for('say in map how it counts, such as time: "epoch_s"')),
    Case("a day that there is not", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": row(ts="2026-02-30")}, counts=quarantined(bad_value=1)),
    Case("times before 1970 and far ahead", 0, r"accepted 1 · out of range 2", {"calls.jsonl": row(1, ts="1901-01-01T00:00:00Z") + row(2, ts="9999-12-31T23:59:59Z") + row(3)}, counts=accepted(1, out__of__range=2)),
    Case("milliseconds declared as seconds", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": row(ts=1794204753120)}, job=mapped('map: { ts: { from: "ts", time: "epoch_s" } }'), counts=quarantined(bad_value=1)),
    Case("an id that comes again with other values", 0, r"accepted 1 · quarantined 1 \(1 id_reused\)", {"calls.jsonl": row(1) + row(1, user="v", ts="2026-11-10T10:00:00Z")}, counts=accepted(1, quarantined__id_reused=1)),
    Case("ids that are numbers here and texts there", 0, r"accepted 1 · duplicate 1", {"calls-1.jsonl": raw("user", '"u"').replace(b'"1"', b"1"), "calls-2.jsonl": raw("user", '"u"')}, counts=accepted(1, duplicate=1)),
    Case("more cached tokens than there are", 0, r"quarantined 1 \(1 cache_exceeds_input\)", {"calls.jsonl": row(cache_read_tokens=900)}, job=mapped("input_includes_cache: true"), counts=quarantined(cache_exceeds_input=1), check=refused_for("drop that if cached tokens are counted apart")),
    *[
        Case(f"{name} as user, feature and id", 0, r"accepted 1 · 1 file|quarantined 1 \(1 bad_json\)", {"calls.jsonl": row(text, user=text, feature=text)}, counts=None)
        for name, text in HOSTILE.items()
    ],
    # --- JSON files and lists
    Case("a list that is not closed", 0, r"accepted 2 · quarantined 1 \(1 bad_json\)", {"calls.json": b"[" + b",".join(TWO.splitlines())}, counts=accepted(2, quarantined__bad_json=1), check=refused_for("the list is not closed before the file ends")),
    Case("a list without a comma", 0, r"accepted 1 · quarantined 1 \(1 bad_json\)", {"calls.json": b"[" + TWO + b"]"}, counts=accepted(1, quarantined__bad_json=1), check=refused_for("a comma is missing before the record")),
    Case("elements of what is no list", 0, r"quarantined 1 \(1 bad_value\)", {"calls.jsonl": b'{"data":{"id":"1"}}\n'}, job=mapped('each: "data[]"'), counts=quarantined(bad_value=1), check=refused_for("data is an object, which is no list")),
    # --- CSV
    Case("a header alone", 0, r"accepted 0 · 1 file", {"calls.csv": CSV.splitlines(True)[0]}, counts={}),
    Case("a header with none of the columns", 1, r"data/calls\.csv:1: error: The header has none of the columns that the job reads here\. It has a and b; the job reads attempt, .* and 21 more\. Map its columns in the job", {"calls.csv": b"a,b\n1,2\n"}),
    Case("a header with a column twice", 1, r'The header has the column "id" twice', {"calls.csv": b"id,ts,id\n1,2026-11-09,2\n"}),
    Case("no header", 1, r"The header has none of the columns that the job reads here\. It has 4 columns; the job reads", {"calls.csv": CSV.split(b"\n", 1)[1]}),
    Case("semicolons for commas", 1, r'It has 1 column; .*Its fields seem to be divided by ";": say delimiter: ";" in the source\.', {"calls.csv": CSV.replace(b",", b";")}),
    Case("rows of other lengths", 0, r"accepted 1 · quarantined 2 \(2 bad_csv\)", {"calls.csv": CSV.splitlines(True)[0] + b"1,2026-11-09\n2,2026-11-09,u,7,8\n3,2026-11-09,u,7\n"}, counts=accepted(1, quarantined__bad_csv=2), check=refused_for("the record has 2 fields; the header has 4")),
    Case("a quote that is never closed", 0, r"accepted 2 · quarantined 1 \(1 bad_csv\)", {"calls.csv": CSV + b'3,2026-11-09,"u,7\n'}, counts=accepted(2, quarantined__bad_csv=1), check=refused_for("has a quote that is never closed")),
    Case("JSON in a file named .csv", 1, r"The header has a quote in a field that does not begin with one", {"calls.csv": TWO}),
    Case("CSV in a file named .jsonl", 0, r"accepted 0 · quarantined 3 \(3 bad_json\)", {"calls.jsonl": CSV}, counts=quarantined(bad_json=3)),
    # --- Files that change
    Case("a file that has grown", 0, r"accepted 2 · 1 file", {"calls.jsonl": TWO}, check=read_again(lambda p: write(p, "calls.jsonl", TWO + ROW % 3), accepted(3))),
    Case("a file that has shrunk", 0, r"accepted 2 · 1 file", {"calls.jsonl": TWO}, check=read_again(lambda p: write(p, "calls.jsonl", ROW % 1), accepted(2, duplicate=1))),
    Case("a file that was replaced", 0, r"accepted 2 · 1 file", {"calls.jsonl": TWO}, check=read_again(lambda p: write(p, "calls.jsonl", ROW % 3), accepted(3))),
    Case("a file that is gone", 0, r"accepted 2 · 1 file", {"calls.jsonl": TWO}, check=read_again(lambda p: (p.data / "calls.jsonl").unlink(), accepted(2))),
    # --- The job
    Case("a job that is missing", 64, r'There is no job "none\.json5"\. Give a job file, a folder of them, or a name in Jobs/\.', command=("ingest", "none.json5")),
    Case("an empty job", 64, r"job\.json5:1:1: error: nothing is written here\. Expected a value, such as an object in \{ \}\.", prepare=lambda p: p.job.write_bytes(b"")),
    Case("a job in binary", 64, r"job\.json5:1:1: error: expected UTF-8, but the bytes here are not\. Save the file as UTF-8\.", prepare=lambda p: p.job.write_bytes(bytes(range(128, 256)))),
    Case("a job of many megabytes", 64, r"The job file has 8,388,608 bytes, and none has more than 4,194,304\. Give the job file itself\.", prepare=lambda p: p.job.write_bytes(b" " * (8 << 20))),
    Case("a job that is a list", 64, r"job must be an object in \{ \}, not a list\.", prepare=lambda p: p.job.write_bytes(b"[]")),
    Case("a job cut in the middle", 64, r"job\.json5:4:37: error: expected a colon after the key, but found the end of the file\.", prepare=lambda p: p.job.write_text(JOB[:150])),
    Case("a job nested without end", 64, r"job\.json5:1:\d+: error: ", prepare=lambda p: p.job.write_bytes(b"[" * 100_000)),
    Case("an unknown key", 64, r'job\.json5:2:16: error: unknown key "timezoen" in job\. Did you mean "timezone"\?', job=(("timezone", "timezoen"),)),
    Case("an unknown log", 64, r'"log" in source cannot be "usages"\. Did you mean "usage"\?', job=(('log: "usage"', 'log: "usages"'),)),
    Case("an unknown column", 64, r'unknown column "modle" of log usage\. Did you mean "model"\?', job=mapped('map: { modle: "m" }')),
    Case("an unknown format", 64, r'"format" in source cannot be "cvs"\. Did you mean "csv"\?', job=mapped('format: "cvs"')),
    Case("an unknown zone", 64, r'There is no time zone "Europe/Berlyn" in .*\. Did you mean "Europe/Berlin"\?', job=(('"UTC"', '"Europe/Berlyn"'),)),
    Case("a source in an unknown zone", 64, r'There is no time zone "MEZ/Berlin"', job=mapped('zone: "MEZ/Berlin"')),
    Case("no sources", 64, r'job\.json5:3:12: error: A job without sources reads nothing\. Add at least one', job=(('\n    { log: "usage", name: "calls", files: "calls*" },\n  ', ""),)),
    Case("a pattern outside of the data folder", 64, r'"files" in source must be a path below the data folder, without "\.\."\.', job=(("calls*", "../calls*"),)),
    Case("two entries that read one file in two ways", 64, r'The sources "calls" and "b" both read calls\.jsonl, one as jsonl and one as csv\. Give both the same format\.', {"calls.jsonl": TWO}, job=source('{ log: "usage", name: "calls", files: "calls*" }, { log: "sessions", name: "b", files: "calls*", format: "csv" }')),
    Case("a constant that is no value", 64, r'"many" is no whole number, which attempt takes\.', job=mapped('map: { attempt: { constant: "many" } }')),
    Case("a price book that is missing", 64, r'job\.json5:6:11: error: There is no price book "none\.json5" beside the job file\. Correct the path', job=(('report:', 'prices: ["none.json5"], report:'),)),
    # --- Data folder and home
    Case("a data folder that is missing", 64, r"nowhere: error: --data is no folder\. Give the folder that holds the exports\.", command=("ingest", "job.json5", "--data", "nowhere")),
    Case("a data folder that is a file", 64, r"job\.json5: error: --data is no folder\.", command=("ingest", "job.json5", "--data", "job.json5")),
    Case("the wrong data folder", 0, r'No file below other fits "calls\*", so calls reads nothing\.', {"calls.jsonl": TWO}, prepare=lambda p: (p.folder / "other").mkdir(), command=("ingest", "job.json5", "--data", "other")),
    Case("a home that is a file", 1, r"home: error: could not make the folder\. A file of this name stands in the way\.", {"calls.jsonl": TWO}, prepare=lambda p: p.home.write_text("a diary")),
    Case("a home that may not be written", 1, r"home/lock: error: The home cannot be written to: Permission denied\. Check its owner and mode\.", {"calls.jsonl": TWO}, prepare=lambda p: (p.home.mkdir(), p.home.chmod(0o555)), as_nobody=True),
    Case("a home that may not be made", 1, r"home: error: could not make the folder\. Permission was denied; check its owner and mode\.", {"calls.jsonl": TWO}, prepare=lambda p: p.folder.chmod(0o555), as_nobody=True),
    Case("a home without a name", 64, r"--home needs a value: --home=DIR\.", command=("ingest", "job.json5", "--home", "")),
]


# --- Running one


@pytest.fixture(scope="session")
def binary(tmp_path_factory):
    given = os.environ.get("VESPER_BIN")
    if not given:
        pytest.skip("VESPER_BIN names no binary")
    return Path(given).resolve()


def call(place, command, as_nobody=False):
    """Runs a command in its folder and measures the most memory that it took; one that hangs is ended and fails."""
    words = [*command] if "--home" in command else [*command, "--home", "home"]
    output, talk = tempfile.TemporaryFile(), tempfile.TemporaryFile()
    process = subprocess.Popen(
        [str(place.binary), *words, "--now", NOW], cwd=place.folder, stdin=subprocess.DEVNULL, stdout=output, stderr=talk,
        env={**os.environ, "NO_COLOR": "1"}, **({"user": 65534, "group": 65534} if as_nobody else {}))
    deadline, most = time.monotonic() + SECONDS, 0
    while process.poll() is None:
        most = max(most, peak_memory(process))
        if time.monotonic() > deadline:
            process.kill()
            process.wait()
            pytest.fail(f"{words} did not end within {SECONDS} seconds")
        time.sleep(0.005)

    def text(file):
        file.seek(0)
        return file.read().decode("utf-8", errors="backslashreplace")

    return Done(process.returncode, text(output), text(talk), most)


def counted(place):
    """How all records ended that were ever read, by the ledger."""
    found = {}
    for count in ledger(place.home, "counts"):
        name = count["outcome"].replace("_", " ") + (f' {count["reason"]}' if count["reason"] else "")
        found[name] = found.get(name, 0) + count["count"]
    return {name: count for name, count in found.items() if count != 0}


def assert_sound(place):
    """What the ledger counts is what stands in the lake and in quarantine, and every file is as the ledger says."""
    duckdb = pytest.importorskip("duckdb")
    counts = counted(place)
    parts = list((place.home / "lake").rglob("*.parquet"))
    query = f"SELECT count(*) FROM '{place.home}/lake/demo/*/*/*.parquet'"
    rows = duckdb.connect().execute(query).fetchone()[0] if parts else 0
    assert rows == counts.get("accepted", 0)
    assert len(reasons(place)) == sum(count for name, count in counts.items() if name.startswith("quarantined"))
    assert not (place.home / "staging").exists()
    verified = call(place, ("verify",))
    assert verified.code == 0, verified.output + verified.talk


def assert_readable(text):
    """For people: nothing acts on a terminal, no trace, and every line that says something is wrong is a sentence."""
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", text), text
    assert "Fatal" not in text and "Optional(" not in text and "NSError" not in text and "Swift" not in text
    for line in text.splitlines():
        if "error: " in line or "warning: " in line:
            assert line.rstrip().endswith("."), line


# What each case said, for the notes.
SAID = {}


@pytest.fixture(scope="module", autouse=True)
def table():
    yield
    path = os.environ.get("VESPER_BAD_INPUT_TABLE")
    if path:
        lines = ["| input | exit code | what is said |", "|---|---|---|"]
        lines += [f"| {name} | {code} | {said.replace('|', chr(92) + '|')} |" for name, (code, said) in SAID.items()]
        Path(path).write_text("\n".join(lines) + "\n", encoding="utf-8")


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_bad_input_gets_a_sentence(binary, case):
    if case.as_nobody and os.geteuid() != 0:
        pytest.skip("only root can stand for somebody who may not")
    folder = Path(tempfile.mkdtemp(prefix="vesper-bad-"))
    try:
        attempt(Place(folder), binary, case)
    finally:
        for path in [folder, folder / "data", folder / "home"]:
            if path.exists():
                path.chmod(0o755)
        shutil.rmtree(folder)


def attempt(place, binary, case):
    place.binary = binary
    place.data.mkdir()
    text = JOB
    for old, new in case.job:
        assert old in text, f"the job does not hold {old}"
        text = text.replace(old, new)
    place.job.write_text(text, encoding="utf-8")
    for name, content in case.files.items():
        write(place, name, content)
    if case.as_nobody:
        # Whoever it is reaches the program and the folder, and owns what is there.
        place.binary = shutil.copy(binary, place.folder / "vesper")
        for path in [place.folder, *place.folder.rglob("*")]:
            os.chown(path, 65534, 65534)
        place.folder.chmod(0o755)
    if case.prepare:
        case.prepare(place)
        if case.as_nobody and place.home.exists():
            os.chown(place.home, 65534, 65534)
    had_home = place.home.exists()

    done = call(place, case.command, case.as_nobody)
    said = done.talk + done.output
    assert done.code == case.code, f"exit code {done.code}: {said}"
    assert re.search(case.says, said), said
    assert_readable(done.talk)
    assert_readable(done.output)
    SAID[case.name] = (done.code, next((line for line in said.splitlines() if re.search(case.says, line)), said.splitlines()[0]).replace(str(place.folder), "…"))
    if case.most_kilobytes:
        assert done.kilobytes <= case.most_kilobytes, f"{done.kilobytes} KB"
        SAID[case.name] = (done.code, f"{SAID[case.name][1]} Memory at most: {done.kilobytes >> 10} MB.")

    if case.code == 64:
        assert place.home.exists() == had_home, "nothing is begun where the command or the job cannot be used"
    elif case.code == 1:
        assert files(place.home, "lake", "quarantine") == {} if place.home.is_dir() else True, "nothing is half done"
        if (place.home / "ledger.sqlite").exists():
            assert counted(place) == {}
    else:
        if case.counts is not None:
            assert counted(place) == {name: count for name, count in case.counts.items() if count}
        if case.check:
            case.check(place, done)
        assert_sound(place)
        before = {name: path.read_bytes() for name, path in files(place.home, "lake", "quarantine").items()}
        again = call(place, case.command)
        assert again.code == 0, again.talk
        assert {name: path.read_bytes() for name, path in files(place.home, "lake", "quarantine").items()} == before
