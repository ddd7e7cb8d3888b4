"""A home on a full disk, one that may not be written to, and several commands at once: a sentence, an exit code, and nothing half done."""

import os
import random
import shutil
import stat
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from conftest import ALL, SECONDS, assert_converged, digests
from exports import Exports
from test_bad_homes import ended, sentence

root = pytest.mark.skipif(os.geteuid() != 0, reason="small disks, other owners and read-only mounts take root")
NOBODY = 65534
ROWS = 100_000 if ALL else 20_000
SHARES = [share / 40 for share in range(1, 40)] if ALL else [0.05, 0.3, 0.55, 0.75, 0.95]


@pytest.fixture(scope="module")
def exports():
    return Exports(ROWS, files=9, seed=80)


@pytest.fixture(scope="module")
def filled(vesper, exports, tmp_path_factory):
    """A home with half of the files, one with all of them after that, and what to read for either."""
    folder = tmp_path_factory.mktemp("crowded")
    job = exports.write(folder / "half", names=list(exports.files)[::2])
    vesper("ingest", folder / "begin", data=folder / "half", job=job)
    given = {"data": folder / "data", "job": exports.write(folder / "data")}
    shutil.copytree(folder / "begin", folder / "expected")
    vesper("ingest", folder / "expected", **given)
    return folder / "begin", folder / "expected", given


def kilobytes(folder):
    """What files and folders take on a disk that gives whole pages."""
    return sum(4 * (-(-path.stat().st_size // 4096) if path.is_file() else 1) for path in folder.rglob("*"))


@root
@pytest.mark.parametrize("share", SHARES)
def test_an_ingest_on_a_full_disk_says_so_and_converges_when_there_is_room(vesper, filled, disk, share):
    """The disk has room for the stored days and for a share of what the ingest writes, staging included."""
    begin, expected, given = filled
    stored = kilobytes(begin)
    need = 2 * kilobytes(expected) + 1024
    place = disk(4 * need) / "home"
    shutil.copytree(begin, place)
    disk(int(stored + 64 + share * (need - stored)))
    before = vesper("costs", place, **given).stdout
    outcomes = []
    for _ in range(2):
        command = vesper.command("ingest", place, **given)
        done = subprocess.run(command, env=vesper.environment(), capture_output=True, text=True, timeout=SECONDS)
        assert done.returncode in (0, 1), (done.returncode, done.stderr[-2000:])
        if done.returncode == 1:
            assert "disk is full" in sentence(done), done.stderr
            # Before its commit nothing has happened; after it, readers see all of it, whatever is not in place yet.
            assert vesper("costs", place, **given).stdout in (before, vesper("costs", expected, **given).stdout)
        outcomes.append(done.returncode)
    if share < 0.3:
        assert outcomes == [1, 1], "the disk was not full, so nothing was shown"
    disk(8 * need)
    vesper("ingest", place, **given)
    assert_converged(place, expected)
    vesper("verify", place, job=None)


# MARK: - Homes that may not be written to

@pytest.fixture
def public(filled):
    """A copy of the home, and of what it reads, where every user may look: temporary folders are their owner's alone."""
    begin, _, given = filled
    base = Path(tempfile.mkdtemp(dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None))
    base.chmod(0o755)
    shutil.copytree(begin, base / "home")
    shutil.copytree(given["data"], base / "data")
    yield base, {"data": base / "data", "job": base / "data" / "job.json5"}
    shutil.rmtree(base)


def as_nobody(vesper, verb, home, given):
    command = vesper.command(verb, home, **given)
    if not os.access(vesper.binary, os.X_OK) or any(not parent.stat().st_mode & stat.S_IXOTH for parent in Path(vesper.binary).parents):
        pytest.skip("others may not run the binary where it lies")
    somebody = {"user": NOBODY, "group": NOBODY, "extra_groups": [], "cwd": "/"}
    return subprocess.run(command, env=vesper.environment(), **somebody, capture_output=True, text=True, timeout=SECONDS)


@root
@pytest.mark.parametrize("verb", ["ingest", "run"])
def test_a_home_of_somebody_else_is_not_written_to(vesper, public, verb):
    base, given = public
    before = digests(base / "home")
    done = as_nobody(vesper, verb, base / "home", given)
    assert done.returncode == 1
    said = sentence(done)
    assert str(base / "home") in said and "owner" in said, said
    assert digests(base / "home") == before


@root
def test_a_home_of_somebody_else_can_be_read_or_there_is_a_sentence(vesper, public):
    base, given = public
    expected = vesper("costs", base / "home", **given).stdout
    done = as_nobody(vesper, "costs", base / "home", given)
    assert done.returncode in (0, 1)
    if done.returncode == 0:
        assert done.stdout == expected
    else:
        assert str(base / "home") in sentence(done) and "copy the home" in done.stderr, done.stderr


@root
def test_a_home_within_a_folder_of_somebody_else_is_not_made(vesper, public):
    base, given = public
    done = as_nobody(vesper, "ingest", base / "mine", given)
    assert done.returncode == 1 and str(base / "mine") in sentence(done)
    assert not (base / "mine").exists()


@pytest.fixture
def frozen(public):
    """The home on a mount that is read only, for root too."""
    base, given = public
    place = base / "home"
    for command in (["mount", "--bind", place, place], ["mount", "-o", "remount,bind,ro", place]):
        done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS)
        if done.returncode != 0:
            subprocess.run(["umount", place], capture_output=True, timeout=SECONDS)
            pytest.skip(f"nothing can be mounted here: {done.stderr.strip()}")
    yield place, given
    subprocess.run(["umount", place], check=True, timeout=SECONDS)


@root
def test_a_home_that_is_read_only_gives_a_sentence_and_a_copy_of_it_answers(vesper, filled, frozen, tmp_path):
    place, given = frozen
    for verb in ("ingest", "run", "costs", "verify"):
        told = given if verb != "verify" else {"job": None}
        said = sentence(vesper(verb, place, code=1, **told))
        assert str(place) in said and ("owner" in said or "copy the home" in said), said
    shutil.copytree(place, tmp_path / "copy")
    assert vesper("costs", tmp_path / "copy", **given).stdout == vesper("costs", filled[0], **given).stdout


# MARK: - Several at once

@pytest.mark.parametrize("attempt", range(20 if ALL else 3))
def test_of_many_ingests_at_once_one_works_and_the_others_are_turned_away(vesper, filled, tmp_path, attempt):
    begin, expected, given = filled
    place = tmp_path / "home"
    shutil.copytree(begin, place)
    processes = [vesper.start("ingest", place, **given) for _ in range(6)]
    found = [ended(process) for process in processes]
    codes = Counter(code for code, _ in found)
    assert codes[0] >= 1 and codes.keys() <= {0, 5}, found
    for code, said in found:
        assert said == "" if code == 0 else "Another run holds this home" in said
    print(f"\n{codes[0]} worked, {codes[5]} were turned away", file=sys.stderr)
    vesper("ingest", place, **given)
    assert_converged(place, expected)


# MARK: - Readers beside runs

STEPS = 120 if ALL else 16


def assert_done(process):
    """A source whose files have not come yet is warned of, and nothing else is said."""
    code, said = ended(process)
    assert code == 0 and all("warning: No file below" in line for line in said.splitlines()), said


def test_readers_beside_ingests_that_rewrite_their_days_see_one_state_or_the_next(vesper, tmp_path):
    """Each ingest rewrites the same fortnight with a few rows more; every answer beside it is that of before or after it."""
    exports, data, place = Exports(STEPS * 150, files=STEPS, seed=90), tmp_path / "data", tmp_path / "home"
    names = list(exports.files)
    random.Random(90).shuffle(names)
    job = exports.write(data, names=[])
    given = {"data": data, "job": job, "flags": ["--every", "day", "--by", "plan,model", "--format", "csv"]}

    def step(home, name):
        exports.write(data, names=[name])
        return vesper.start("ingest", home, data=data, job=job)

    # First what each step comes to, in a home of its own, then the same once more with readers beside it.
    states = []
    for name in names:
        assert_done(step(tmp_path / "quiet", name))
        states.append(vesper("costs", tmp_path / "quiet", **given).stdout)
    assert len(set(states)) == len(states), "steps that change nothing show nothing"
    shutil.rmtree(data / "kalei")

    def read(process):
        shown = []
        while process.poll() is None:
            command = vesper.command("costs", place, **given)
            shown.append(subprocess.run(command, env=vesper.environment(), capture_output=True, text=True, timeout=SECONDS))
        return shown

    seen = Counter()
    with ThreadPoolExecutor(max_workers=2) as pool:
        for number, name in enumerate(names):
            process = step(place, name)
            readers = [pool.submit(read, process) for _ in range(2)]
            assert_done(process)
            for shown in (shown for reader in readers for shown in reader.result()):
                if number == 0 and shown.returncode == 1:
                    assert "holds no usage yet" in sentence(shown) and "older" not in shown.stderr, shown.stderr
                    continue
                assert shown.returncode == 0, shown.stderr
                known = {states[number]: "after", (states[number - 1] if number else ""): "before"}
                assert shown.stdout in known, "a mix of two states, or another one"
                seen[known[shown.stdout]] += 1
            assert vesper("costs", place, **given).stdout == states[number]
    print(f"\n{sum(seen.values())} answers beside {len(names)} ingests: {seen['before']} of before, {seen['after']} of after")
    assert seen["before"] and seen["after"], "no answer fell beside an exchange"
