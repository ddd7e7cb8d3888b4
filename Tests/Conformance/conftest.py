"""What the tests of a whole run share: the binary, homes it has filled, and how to compare them.

    VESPER_BIN=.build/release/vesper pytest Tests/Conformance
"""

import gzip
import hashlib
import json
import os
import shutil
import sqlite3
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SAMPLE = ROOT / "SampleData" / "kalei"
LATE = SAMPLE / "late" / "api_usage-2026-11-05-late.jsonl.gz"
NOW = "2026-11-17T12:00:00Z"
PUBLIC_KEY = "the public key of the conformance tests"
SECONDS = 180
# Whether there is time for the large cases: Tests/run.sh --all says so.
ALL = os.environ.get("VESPER_ALL") == "1"
# What a run leaves for people and other programs: the same inputs give the same bytes here.
STORES = ("lake", "requests", "answers", "reports", "quarantine")
LOGS = ("invoices", "meters", "sessions", "snapshots", "texts", "usage")


class Vesper:
    """The binary, with the flags and the environment that make its outputs reproducible."""

    def __init__(self, binary):
        self.binary = str(Path(binary).resolve())

    def command(self, verb, home, data=SAMPLE.parent, job=ROOT / "Jobs" / "kalei.json5", flags=()):
        operands = [] if job is None else [str(job)]
        return [self.binary, verb, *operands, "--home", str(home), "--data", str(data), "--now", NOW, *map(str, flags)]

    def environment(self, **changed):
        return {**os.environ, "VESPER_PSEUDONYM_KEY": PUBLIC_KEY, "NO_COLOR": "1", **changed}

    def start(self, verb, home, **given):
        """Starts a command without waiting for it; whoever starts it ends it."""
        quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
        return subprocess.Popen(self.command(verb, home, **given), env=self.environment(), **quiet)

    def __call__(self, verb, home, code=0, environment=None, **given):
        """Runs a command to its end; another exit code than the expected one fails with what the command said."""
        done = subprocess.run(
            self.command(verb, home, **given), env=self.environment(**environment or {}), stdin=subprocess.DEVNULL,
            capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode == code, f"exit code {done.returncode} instead of {code}: {done.stdout[-2000:]}{done.stderr}"
        return done

    def json(self, verb, home, flags=(), **given):
        return json.loads(self(verb, home, flags=(*flags, "--format", "json"), **given).stdout)


def peak_memory(process):
    """The most memory that a process has had so far, in kilobytes; what the system says of a child that has ended counts its parent's too."""
    try:
        status = Path(f"/proc/{process.pid}/status").read_text(encoding="ascii")
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in status.splitlines() if line.startswith("VmHWM:")), 0)


def wait_for(process, condition):
    """Whether a condition came true while a process was running; looked at as often as the machine can."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        if condition():
            return True
    return False


@pytest.fixture(scope="session")
def vesper():
    binary = os.environ.get("VESPER_BIN")
    if not binary:
        pytest.skip("VESPER_BIN names no binary")
    return Vesper(binary)


@pytest.fixture(scope="session")
def home(vesper, tmp_path_factory):
    """A home after one undisturbed run over the sample data. Nobody writes to it."""
    place = tmp_path_factory.mktemp("kalei") / "home"
    vesper("run", place)
    return place


@pytest.fixture(scope="session")
def truth():
    return json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="session")
def lake(home):
    return open_lake(home)


@pytest.fixture(scope="session")
def homes(vesper, tmp_path_factory):
    """Of every product: `homes.home(product)` and `homes.lake(product)` (see stories)."""
    pytest.importorskip("duckdb")
    from stories import Homes  # it imports this module

    return Homes(vesper, tmp_path_factory.mktemp("products"))


@pytest.fixture
def data(tmp_path):
    """A data folder of one's own: `data / "kalei"` holds a copy of the sample."""
    shutil.copytree(SAMPLE, tmp_path / "data" / "kalei")
    return tmp_path / "data"


@pytest.fixture
def jobs(tmp_path):
    """A copy of Jobs/ to change."""
    shutil.copytree(ROOT / "Jobs", tmp_path / "Jobs")
    return tmp_path / "Jobs"


@pytest.fixture
def disk(tmp_path):
    """A small disk of its own; `disk(kilobytes)` makes it so large, again and again."""
    place = tmp_path / "disk"
    place.mkdir()

    def sized(kilobytes):
        how = "remount," if os.path.ismount(place) else ""
        command = ["mount", "-t", "tmpfs", "-o", f"{how}size={kilobytes}k", "tmpfs", str(place)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode != 0:
            pytest.skip(f"no small disk can be mounted here: {done.stderr.strip()}")
        return place

    yield sized
    if os.path.ismount(place):
        subprocess.run(["umount", str(place)], check=True, timeout=SECONDS)


def open_lake(home, job="kalei"):
    """DuckDB with a view of every log of a home; `day` is the text of the folder's name."""
    duckdb = pytest.importorskip("duckdb")
    connection = duckdb.connect()
    connection.execute("SET TimeZone = 'UTC'")
    for folder in sorted((home / "lake" / job).iterdir()):
        parts = f"read_parquet('{folder}/*/*.parquet', hive_partitioning = true, hive_types = {{'day': VARCHAR}})"
        connection.execute(f"CREATE VIEW {folder.name} AS SELECT * FROM {parts}")
    return connection


def records(lake, query, *values):
    """The rows of a query as dictionaries."""
    found = lake.execute(query, list(values))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row)) for row in found.fetchall()]


def files(home, *stores):
    """Every file of these stores, by its path in the home."""
    return {
        path.relative_to(home).as_posix(): path
        for store in stores or STORES
        for path in sorted((home / store).rglob("*"))
        if not path.is_dir()
    }


def digests(home, *stores):
    return {name: hashlib.sha256(path.read_bytes()).hexdigest() for name, path in files(home, *stores).items()}


def assert_same_bytes(home, expected, *stores):
    """The stores of two homes hold the same files with the same bytes; the message names the first that do not."""
    found, wanted = digests(home, *stores), digests(expected, *stores)
    assert wanted, "there is nothing to compare with"
    missing, extra = sorted(wanted.keys() - found.keys()), sorted(found.keys() - wanted.keys())
    assert (missing[:5], extra[:5]) == ([], []), f"{len(missing)} files are missing and {len(extra)} are too many"
    differing = sorted(name for name in wanted if found[name] != wanted[name])
    assert differing[:5] == [], f"{len(differing)} of {len(wanted)} files differ"


# What may differ between two homes that hold the same: which run did something, and when.
UNSTABLE = {"run", "at", "started_at"}


def ledger(home, table):
    """The rows of a table as sorted dictionaries, without what may differ between runs."""
    connection = sqlite3.connect(f"file:{home / 'ledger.sqlite'}?mode=ro", uri=True, timeout=SECONDS)
    try:
        connection.row_factory = sqlite3.Row
        rows = [{key: row[key] for key in row.keys() if key not in UNSTABLE} for row in connection.execute(f'SELECT * FROM "{table}"')]
    finally:
        connection.close()
    return sorted(rows, key=lambda row: json.dumps(row, sort_keys=True))


def ledger_tables(home):
    connection = sqlite3.connect(f"file:{home / 'ledger.sqlite'}?mode=ro", uri=True, timeout=SECONDS)
    try:
        names = [row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name")]
    finally:
        connection.close()
    return [name for name in names if name != "runs"]


class Watch:
    """Asks a ledger again and again whether a query has a row; no, while it is not there yet, or busy."""

    def __init__(self, home, query):
        self.place, self.query, self.connection = f"file:{home / 'ledger.sqlite'}?mode=ro", query, None

    def __call__(self):
        try:
            if self.connection is None:
                self.connection = sqlite3.connect(self.place, uri=True, timeout=0.01)
            return self.connection.execute(self.query).fetchone() is not None
        except sqlite3.OperationalError:
            self.close()
            return False

    def close(self):
        if self.connection is not None:
            self.connection.close()
            self.connection = None


def assert_same_ledger(home, expected):
    """The same tables with the same rows, but for run ids and times."""
    assert ledger_tables(home) == ledger_tables(expected)
    for table in ledger_tables(expected):
        assert ledger(home, table) == ledger(expected, table), f"the table {table} differs"


def assert_converged(home, expected):
    """A home that was disturbed ends as one that was not: bytes, ledger, and nothing left over."""
    assert_same_bytes(home, expected)
    assert_same_ledger(home, expected)
    assert not (home / "staging").exists()
    assert [path for path in home.rglob("*.partial")] == []


def rows(home, but=()):
    """All rows of all logs with their day, as DuckDB reads them."""
    lake = open_lake(home)
    columns = f"* EXCLUDE ({', '.join(but)})" if but else "*"
    query = f"SELECT CAST(t AS VARCHAR) FROM (SELECT {columns} FROM %s) AS t ORDER BY 1"
    return {log: lake.execute(query % log).fetchall() for log in LOGS if (home / "lake" / "kalei" / log).exists()}


def counted(home, table, value):
    """What the ledger counts; a count that came and went is no count."""
    return [row for row in ledger(home, table) if row[value] != 0]


def assert_same_content(home, expected):
    """Two homes with different histories hold equal rows, count them equally, and have refused the same."""
    assert rows(home) == rows(expected)
    assert_same_bytes(home, expected, "quarantine")
    assert counted(home, "counts", "count") == counted(expected, "counts", "count")
    assert counted(home, "stored_days", "rows") == counted(expected, "stored_days", "rows")


def lines(path):
    """The lines of a file, plain or gzip, as bytes without their ends."""
    content = path.read_bytes()
    if content[:2] == b"\x1f\x8b":
        content = gzip.decompress(content)
    return content.removesuffix(b"\n").split(b"\n")
