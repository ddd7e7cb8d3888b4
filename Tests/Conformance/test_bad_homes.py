"""A home in trouble: held by another run, on a full disk, stopped by hand, or no home at all. There is a sentence, and it recovers."""

import os
import re
import shutil
import signal
import sqlite3
import subprocess
import time

import pytest

from conftest import SECONDS, Watch, assert_converged, assert_same_bytes, digests, wait_for


def sentence(done):
    """What the command said, which must be for people: no trace, no stray number, and something to do next."""
    said = done.stderr.strip()
    assert said and "Fatal" not in said and "Swift" not in said and said.endswith("."), said
    return said


def started(vesper, home):
    """A run that has taken its home's lock and is held there."""
    process = vesper.start("run", home)
    assert wait_for(process, (home / "ledger.sqlite").exists), "the run did not begin"
    process.send_signal(signal.SIGSTOP)
    return process


def ended(process):
    try:
        _, said = process.communicate(timeout=SECONDS)
        return process.returncode, said
    finally:
        process.kill()


def test_a_second_run_is_turned_away_and_the_first_is_undisturbed(vesper, home, tmp_path):
    first = started(vesper, tmp_path / "home")
    try:
        for verb, flags in [("run", []), ("ingest", []), ("report", ["--week", "2026-W46"])]:
            said = sentence(vesper(verb, tmp_path / "home", code=5, flags=flags))
            assert "Another run holds this home" in said and str(tmp_path / "home") in said
    finally:
        first.send_signal(signal.SIGCONT)
    assert ended(first) == (0, "")
    assert_converged(tmp_path / "home", home)


@pytest.fixture
def halves(vesper, data, tmp_path):
    """A home with every other day of usage, and the whole data: the next ingest changes nearly every day of the lake."""
    folder = data / "kalei" / "api_usage"
    held = sorted(folder.iterdir())[::2]
    for path in held:
        path.rename(path.with_suffix(".later"))
    vesper("ingest", tmp_path / "half", data=data)
    for path in held:
        path.with_suffix(".later").rename(path)
    return tmp_path / "half"


def test_a_reader_beside_a_run_sees_the_lake_before_or_after_it(vesper, halves, data):
    before = vesper.json("costs", halves, data=data)
    process = vesper.start("ingest", halves, data=data)
    seen = []
    while process.poll() is None:
        seen.append(vesper.json("costs", halves, data=data))
    assert ended(process) == (0, "")
    after = vesper.json("costs", halves, data=data)
    assert before != after
    changes = [shown for index, shown in enumerate(seen) if index == 0 or shown != seen[index - 1]]
    assert changes in ([before], [after], [before, after])


def test_a_reader_sees_the_whole_lake_while_its_days_are_exchanged(vesper, halves, data, tmp_path):
    """A run is held between the commit that makes new days valid and the last exchange of their folders."""
    whole = tmp_path / "whole"
    vesper("ingest", whole, data=data)
    for attempt in range(20):
        place = tmp_path / f"home-{attempt}"
        shutil.copytree(halves, place)
        process = vesper.start("ingest", place, data=data)
        exchanging = Watch(place, "SELECT 1 FROM swaps")
        begun = wait_for(process, exchanging)
        process.send_signal(signal.SIGSTOP)
        try:
            held = begun and exchanging()
            exchanging.close()
            if held:
                assert vesper.json("costs", place, data=data) == vesper.json("costs", whole, data=data)
        finally:
            process.send_signal(signal.SIGCONT)
        assert ended(process) == (0, "")
        if held:
            return
    pytest.fail("no run could be held between its commit and its exchanges")


@pytest.fixture(scope="module")
def duration(vesper, tmp_path_factory):
    begin = time.monotonic()
    vesper("run", tmp_path_factory.mktemp("timed") / "home")
    return time.monotonic() - begin


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
@pytest.mark.parametrize("share", [0.02, 0.2, 0.6, 0.9])
def test_a_run_that_is_stopped_by_hand_leaves_a_home_that_converges(vesper, home, duration, tmp_path, number, share):
    process = vesper.start("run", tmp_path / "home")
    try:
        process.wait(timeout=duration * share)
    except subprocess.TimeoutExpired:
        process.send_signal(number)
    code, _ = ended(process)
    assert code in (0, -number, 128 + number)
    vesper("run", tmp_path / "home")
    assert_converged(tmp_path / "home", home)


@pytest.mark.skipif(shutil.which("objdump") is None, reason="objdump is not installed")
def test_what_a_signal_starts_calls_nothing_that_may_wait_for_the_memory(vesper):
    # The signal may come while the memory's lock is held; then whatever allocates waits for ever.
    code = subprocess.run(
        ["objdump", "-d", "--no-show-raw-insn", vesper.binary], capture_output=True, text=True, timeout=SECONDS, check=True).stdout
    handler = re.search(r"<\$s6vesper13stopOnSignals\w*U_To>:\n(.*?)\n\n", code, re.S)
    assert handler, "the handler of signals stands in a function of its own"
    assert set(re.findall(r"call\w*\s.*<([^>@+]+)", handler[1])) == {"write", "_exit"}


@pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk takes root")
@pytest.mark.parametrize("kilobytes", [8, 64, 256, 512, 1024, 1536, 2048, 2560, 3072, 3584])
def test_a_full_disk_gives_a_sentence_and_the_run_goes_on_when_there_is_room(vesper, home, disk, kilobytes):
    place = disk(kilobytes) / "home"
    said = sentence(vesper("run", place, code=1))
    assert "disk is full" in said, said
    again = sentence(vesper("run", place, code=1))
    assert "disk is full" in again, again
    disk(65_536)
    vesper("run", place)
    assert_converged(place, home)


def test_a_home_that_is_a_file_is_refused(vesper, tmp_path):
    (tmp_path / "home").write_text("a diary")
    assert str(tmp_path / "home") in sentence(vesper("run", tmp_path / "home", code=1))
    assert (tmp_path / "home").read_text() == "a diary"


def test_a_ledger_that_is_no_database_is_refused_and_left_alone(vesper, tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "home" / "ledger.sqlite").write_bytes(b"not a database, but a long enough text to look at" * 100)
    said = sentence(vesper("run", tmp_path / "home", code=1))
    assert "ledger" in said and "backup" in said
    assert (tmp_path / "home" / "ledger.sqlite").read_bytes().startswith(b"not a database")


def test_a_home_of_a_newer_version_is_refused_and_left_alone(vesper, home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    with sqlite3.connect(tmp_path / "home" / "ledger.sqlite") as connection:
        connection.execute("INSERT INTO migrations VALUES ('lake', '9 something new')")
    connection.close()
    for verb in ("run", "costs"):
        assert "newer" in sentence(vesper(verb, tmp_path / "home", code=1))
    assert_same_bytes(tmp_path / "home", home)


def test_answers_that_were_changed_are_noticed(vesper, home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    name = sorted(digests(home, "answers"))[-1]
    path = tmp_path / "home" / name
    path.write_bytes(path.read_bytes().replace(b"end_turn", b"end_torn"))
    said = sentence(vesper("report", tmp_path / "home", code=1, flags=["--from", "2026-11-09", "--to", "2026-11-15"]))
    assert name in said and "backup" in said


def test_verify_finds_nothing_in_a_sound_home(vesper, home):
    vesper("verify", home, job=None)


@pytest.mark.parametrize("store", ["lake", "answers", "requests", "reports"])
@pytest.mark.parametrize("damage", ["changed", "missing"])
def test_verify_names_what_is_changed_or_missing(vesper, home, tmp_path, store, damage):
    shutil.copytree(home, tmp_path / "home")
    name = sorted(digests(home, store))[0]
    path = tmp_path / "home" / name
    if damage == "missing":
        path.unlink()
    else:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    assert name in vesper("verify", tmp_path / "home", code=1, job=None).stdout
