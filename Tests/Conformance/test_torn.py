"""Files of a home that were cut, changed, exchanged or lost: `vesper verify` names them and what to do, and doing that mends the home.

Nothing that is torn makes a command crash, and nothing counts twice because of it.
"""

import gzip
import random
import shutil
import sqlite3
import subprocess

import pytest

from conftest import ALL, SECONDS, assert_converged, assert_same_bytes, counted, digests, files, open_lake
from exports import Exports
from test_bad_homes import sentence

FLIPS = 200 if ALL else 12


class Home:
    """A home that was filled from exports, its sound original, and how to ask about it."""

    def __init__(self, vesper, original, place, data, job):
        self.vesper, self.original, self.place = vesper, original, place
        self.given = {"data": data, "job": job}
        shutil.copytree(original, place)

    def findings(self):
        """What verify finds: path → (what, step)."""
        done = self.vesper("verify", self.place, code=1, job=None, flags=["--format", "csv"])
        assert "Fatal" not in done.stderr
        return {row.split(",", 1)[0]: row for row in done.stdout.splitlines()[1:]}

    def restore(self, name):
        (self.place / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self.original / name, self.place / name)

    def assert_sound(self):
        self.vesper("verify", self.place, job=None)
        self.vesper("ingest", self.place, **self.given)
        assert_converged(self.place, self.original)


@pytest.fixture(scope="module")
def exports():
    return Exports(8000, files=6, seed=50)


@pytest.fixture(scope="module")
def filled(vesper, exports, tmp_path_factory):
    folder = tmp_path_factory.mktemp("torn")
    job = exports.write(folder)
    vesper("ingest", folder / "home", data=folder, job=job)
    return folder / "home", folder, job


@pytest.fixture
def torn(vesper, filled, tmp_path):
    original, data, job = filled
    return Home(vesper, original, tmp_path / "home", data, job)


# MARK: - Damages: each takes a file and another one of its kind

def cut(path, _):
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def emptied(path, _):
    path.write_bytes(b"")


def flipped(path, _, at=0.5):
    content = bytearray(path.read_bytes())
    content[int(len(content) * at)] ^= 0x10
    path.write_bytes(content)


def removed(path, _):
    path.unlink()


def replaced(path, other):
    path.write_bytes(other.read_bytes())


DAMAGES = pytest.mark.parametrize("damage", [cut, emptied, flipped, removed, replaced], ids=lambda damage: damage.__name__)


def chosen(home, store, suffix):
    """Two files of a store, the larger ones: the smallest hold nearly nothing."""
    found = sorted((name for name in files(home, store) if name.endswith(suffix)), key=lambda name: -(home / name).stat().st_size)
    return found[0], found[1]


# MARK: - Parts

@DAMAGES
def test_a_torn_part_is_named_and_restoring_it_mends_the_home(torn, damage):
    name, other = chosen(torn.place, "lake", ".parquet")
    damage(torn.place / name, torn.place / other)
    (found,) = torn.findings().items()
    assert found[0] == name and "Restore the file from a backup" in found[1], found
    torn.restore(name)
    torn.assert_sound()


@DAMAGES
def test_commands_end_with_a_figure_or_a_sentence_over_a_torn_part(torn, damage, filled, tmp_path):
    name, other = chosen(torn.place, "lake/kalei/usage", ".parquet")
    damage(torn.place / name, torn.place / other)
    assert_no_crash(torn.vesper, torn.place, "costs", **torn.given)
    if damage in (cut, emptied, removed):
        said = sentence(torn.vesper("costs", torn.place, code=1, **torn.given))
        assert name in said and ("backup" in said or "verify" in said), said


def assert_no_crash(vesper, home, verb, **given):
    command = vesper.command(verb, home, **given)
    done = subprocess.run(command, env=vesper.environment(), capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode in (0, 1), (done.returncode, done.stderr[-2000:])
    if done.returncode == 1:
        sentence(done)
    return done


def test_no_changed_byte_of_a_part_makes_a_reader_crash(torn):
    """Bytes anywhere in a part: pages, dictionaries, footer. The reader may not notice; it may not trap either, nor run for ever."""
    draw, noticed = random.Random(60), 0
    names = [name for name in files(torn.place, "lake") if "/usage/" in name]
    for _ in range(FLIPS):
        name = draw.choice(names)
        # Half of them where everything else is found from: in the footer.
        at = draw.random() if draw.random() < 0.5 else draw.uniform(0.75, 1)
        flipped(torn.place / name, None, min(at, 0.999999))
        noticed += assert_no_crash(torn.vesper, torn.place, "costs", **torn.given).returncode
        torn.restore(name)
    print(f"\n{noticed} of {FLIPS} changed bytes were noticed by costs, the rest read as other values")


def test_a_part_whose_bytes_have_changed_gets_no_new_digest(torn, exports, tmp_path):
    """An ingest that takes a row out of a torn part would write the rest anew, and from then on it would look sound."""
    name, _ = chosen(torn.place, "lake/kalei/usage", ".parquet")
    part = open_lake(torn.place).execute(f"SELECT id, epoch_us(ts), source FROM '{torn.place / name}' WHERE source = 'api_usage' LIMIT 1")
    id, micros, _ = part.fetchone()
    data = tmp_path / "data"
    job = exports.write(data)
    (data / "kalei" / "api_usage" / "a-first.jsonl").write_text(exports.record(micros - 1, id, 1).line + "\n")
    told = []
    for share in range(1, 40):  # anywhere in its pages
        flipped(torn.place / name, None, share / 50)
        before = digests(torn.place)
        done = assert_no_crash(torn.vesper, torn.place, "ingest", data=data, job=job)
        assert done.returncode == 1 and name in sentence(done) and digests(torn.place) == before, (share, done.stderr)
        told.append(done.stderr)
        torn.restore(name)
    torn.vesper("ingest", torn.place, data=data, job=job)
    torn.vesper("verify", torn.place, job=None)


def test_a_file_that_nobody_knows_is_named_and_moving_it_away_mends_the_home(torn):
    name, _ = chosen(torn.place, "lake", ".parquet")
    stray = name.replace(".parquet", "-copy.parquet")
    shutil.copyfile(torn.place / name, torn.place / stray)
    (found,) = torn.findings().items()
    assert found[0] == stray and "Move it out of the lake" in found[1]
    (torn.place / stray).unlink()
    torn.assert_sound()


# MARK: - The quarantine

@DAMAGES
def test_a_torn_quarantine_is_named_and_restoring_it_mends_the_home(torn, damage):
    name, other = chosen(torn.place, "quarantine", ".jsonl.gz")
    damage(torn.place / name, torn.place / other)
    (found,) = torn.findings().items()
    assert found[0] == name and "Restore the file from a backup" in found[1], found
    torn.restore(name)
    torn.assert_sound()


@pytest.mark.parametrize("damage", [cut, emptied, flipped], ids=lambda damage: damage.__name__)
def test_a_torn_quarantine_is_not_written_over(torn, exports, tmp_path, damage):
    """A row that displaces a stored one changes the quarantine of another file, which is read again: what it had refused must not get lost."""
    name = next(name for name in files(torn.place, "quarantine") if "calls-01" in name and "/api_usage/" in name)
    lake = open_lake(torn.place)
    query = "SELECT id, epoch_us(ts) FROM usage WHERE source_file = 'api_usage/calls-01.jsonl.gz' AND id LIKE '0%' LIMIT 1"
    id, micros = lake.execute(query).fetchone()
    data = tmp_path / "data"
    job = exports.write(data)
    (data / "kalei" / "api_usage" / "a-first.jsonl").write_text(exports.record(micros - 1, id, 1).line + "\n")
    undamaged = tmp_path / "undamaged"
    shutil.copytree(torn.place, undamaged)
    torn.vesper("ingest", undamaged, data=data, job=job)
    damage(torn.place / name, None)
    torn.vesper("ingest", torn.place, data=data, job=job)
    assert_same_bytes(torn.place, undamaged, "quarantine")
    assert len(gzip.decompress((torn.place / name).read_bytes())) > len(gzip.decompress((torn.original / name).read_bytes()))


# MARK: - The index

def copies(exports, folder):
    """The files of a source that keeps the least once more, under names that come after their own: nothing may change."""
    job = exports.write(folder)
    for path in sorted((folder / "kalei" / "api_usage").iterdir()):
        shutil.copyfile(path, path.with_name("z-" + path.name))
    return {"data": folder, "job": job}


def usage_run(home):
    """The one run of the usage log's index."""
    (run,) = (home / "index" / "kalei" / "usage").glob("run-*")
    return run


INDEX = {
    "removed": lambda place: shutil.rmtree(place / "index"),
    "a cut list": lambda place: cut(place / "index/kalei/usage/current", None),
    "an empty list": lambda place: emptied(place / "index/kalei/usage/current", None),
    "a cut run": lambda place: cut(usage_run(place), None),
    "an empty run": lambda place: emptied(usage_run(place), None),
    "a lost run": lambda place: removed(usage_run(place), None),
    "another log's": lambda place: replaced(place / "index/kalei/usage/current", place / "index/kalei/sessions/current"),
}


@pytest.mark.parametrize("damage", INDEX)
def test_an_index_that_is_torn_is_made_anew_and_nothing_counts_twice(torn, exports, tmp_path, damage):
    INDEX[damage](torn.place)
    before = rows_of(torn.place)
    torn.vesper("ingest", torn.place, **copies(exports, tmp_path / "twice"))
    assert rows_of(torn.place) == before
    assert_same_bytes(torn.place, torn.original, "lake")


def changed_run(place):
    """Every twentieth byte or so of a run is another one: hashes and days that nobody has written."""
    path = usage_run(place)
    content, draw = bytearray(path.read_bytes()), random.Random(70)
    for at in range(16, len(content)):
        if draw.random() < 0.05:
            content[at] ^= 1 << draw.randrange(8)
    path.write_bytes(content)


def test_an_index_whose_bytes_have_changed_is_not_believed(torn, exports, tmp_path):
    changed_run(torn.place)
    before = rows_of(torn.place)
    torn.vesper("ingest", torn.place, **copies(exports, tmp_path / "twice"))
    assert rows_of(torn.place) == before


def test_an_index_whose_bytes_have_changed_is_named_and_deleting_it_mends_the_home(torn, exports, tmp_path):
    changed_run(torn.place)
    (found,) = torn.findings().items()
    assert found[0].startswith("index/kalei/usage") and "Delete" in found[1]
    shutil.rmtree(torn.place / "index")
    torn.vesper("ingest", torn.place, **copies(exports, tmp_path / "twice"))
    assert_same_bytes(torn.place, torn.original, "lake")


def rows_of(home):
    lake = open_lake(home)
    return {log: lake.execute(f"SELECT count(*), count(DISTINCT (source, id)) FROM {log}").fetchone() for log in ("usage", "sessions")}


# MARK: - The ledger

def of_one_page(path):
    path.write_bytes(path.read_bytes()[:4096])


def torn_in_the_middle(path):
    content = bytearray(path.read_bytes())
    for page in range(2, len(content) // 4096):
        content[page * 4096 + 3:page * 4096 + 60] = b"\xff" * 57
    path.write_bytes(content)


LEDGER = {
    "cut": lambda path: cut(path, None), "of a hundred bytes": lambda path: path.write_bytes(path.read_bytes()[:100]),
    "of one page": of_one_page, "torn in the middle": torn_in_the_middle,
    "empty": lambda path: emptied(path, None), "lost": lambda path: removed(path, None),
}


@pytest.mark.parametrize("damage", LEDGER)
def test_a_torn_ledger_is_refused_and_restoring_it_mends_the_home(torn, damage):
    """Also an empty or a lost one, beside a lake: to begin anew there would ask and pay again for what was answered already."""
    path = torn.place / "ledger.sqlite"
    LEDGER[damage](path)
    before = digests(torn.place)
    done = torn.vesper("verify", torn.place, code=1, job=None)
    said = done.stdout + done.stderr
    assert "ledger" in said and "backup" in said and "Fatal" not in said, said
    for verb in ("ingest", "run", "costs"):
        said = sentence(torn.vesper(verb, torn.place, code=1, **torn.given))
        assert "ledger" in said and "backup" in said, (verb, said)
    assert digests(torn.place) == before
    for left in torn.place.glob("ledger.sqlite*"):
        left.unlink()
    torn.restore("ledger.sqlite")
    torn.assert_sound()


def test_a_backup_that_sqlite_made_of_the_ledger_is_a_ledger(torn):
    with sqlite3.connect(torn.place / "ledger.sqlite") as connection:
        connection.execute(f"VACUUM INTO '{torn.place}/backup.sqlite'")
    connection.close()
    for left in torn.place.glob("ledger.sqlite*"):
        left.unlink()
    (torn.place / "backup.sqlite").rename(torn.place / "ledger.sqlite")
    torn.assert_sound()


def test_a_ledger_and_a_lake_of_different_backups_are_told_apart_and_those_of_one_backup_catch_up(vesper, exports, tmp_path):
    """The ledger is from before the last ingest: days hold parts of which it has never heard, and lack others."""
    data, older, newer = tmp_path / "data", tmp_path / "older", tmp_path / "newer"
    job = exports.write(data, names=sorted(exports.files)[::2])
    vesper("ingest", older, data=data, job=job)
    shutil.copytree(older, newer)
    exports.write(data)
    vesper("ingest", newer, data=data, job=job)
    expected = digests(newer, "lake", "quarantine")
    counts = counted(newer, "counts", "count")
    for left in newer.glob("ledger.sqlite*"):
        left.unlink()
    shutil.copyfile(older / "ledger.sqlite", newer / "ledger.sqlite")

    found = vesper("verify", newer, code=1, job=None).stdout
    assert "the ledger does not know it" in found and "it is missing" in found
    said = sentence(vesper("ingest", newer, code=1, data=data, job=job))
    assert "vesper verify" in said, said
    for store in ("lake", "quarantine"):
        shutil.rmtree(newer / store)
        shutil.copytree(older / store, newer / store)
    vesper("verify", newer, job=None)
    vesper("ingest", newer, data=data, job=job)
    assert digests(newer, "lake", "quarantine") == expected
    assert counted(newer, "counts", "count") == counts
