"""Killed anywhere and run again, a home ends as if nothing had happened: the same bytes, the same ledger, nothing left over.

    VESPER_KILLS=300 VESPER_KILLS_SEED=7 pytest Tests/Conformance/test_kill.py -s
"""

import gzip
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import LATE, SECONDS, assert_converged, assert_same_bytes, digests, lines, wait_for, Watch

KILLS = int(os.environ.get("VESPER_KILLS", "30"))
SEED = int(os.environ.get("VESPER_KILLS_SEED", "1"))


def wait(process, seconds):
    """Whether the process ended by itself within this time."""
    try:
        process.wait(timeout=seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def kill_after(vesper, home, seconds, **given):
    """Starts a run and kills it after a while; whether the kill struck."""
    process = vesper.start("run", home, **given)
    try:
        if wait(process, seconds):
            assert process.returncode == 0, process.stderr.read()
            return False
        process.kill()
        return process.wait(timeout=SECONDS) == -signal.SIGKILL
    finally:
        process.stderr.close()


def place(home):
    """After which stage a run was killed, read from a copy: looking must not finish what the kill left behind."""
    copy = home.with_name(home.name + "-ledger")
    copy.mkdir()
    try:
        for path in home.glob("ledger.sqlite*"):
            shutil.copy(path, copy)
        with sqlite3.connect(copy / "ledger.sqlite") as connection:
            newest = "SELECT stage FROM receipts WHERE run = (SELECT max(id) FROM runs) ORDER BY rowid DESC LIMIT 1"
            last = connection.execute(newest).fetchone()
            return f"after {last[0]}" if last else "before its first receipt"
    except sqlite3.OperationalError:
        return "before the ledger"
    finally:
        shutil.rmtree(copy)


class Trials:
    """Kills runs that were begun from the same home at random moments until enough kills have struck."""

    def __init__(self, vesper, folder, begin, expected, duration, again, **given):
        self.vesper, self.folder, self.begin, self.expected, self.given = vesper, folder, begin, expected, given
        self.again = again
        self.duration = duration
        self.random = random.Random(SEED)
        self.lock = threading.Lock()
        self.number = 0
        self.struck = Counter()

    def moments(self):
        """One or two delays; every fourth is short, where a run opens its ledger and fixes its list of files."""
        with self.lock:
            self.number += 1
            scale = [self.duration, self.duration, self.duration, self.duration / 10][self.number % 4]
            return self.number, [self.random.uniform(0.001, scale) for _ in range(self.random.choice([1, 1, 2]))]

    def one(self):
        number, moments = self.moments()
        home = self.folder / f"trial-{number}"
        if self.begin:
            shutil.copytree(self.begin, home)
        told = f"trial {number} with seed {SEED}, killed after " + ", ".join(f"{moment:.4f} s" for moment in moments)
        for moment in moments:
            if kill_after(self.vesper, home, moment, **self.given):
                where = place(home)
                with self.lock:
                    self.struck[where] += 1
            else:
                with self.lock:  # the run was over before: later kills come sooner
                    self.duration *= 0.9
                break
        self.vesper("run", home, **self.given)
        try:
            assert_converged(home, self.expected)
        except AssertionError as error:
            raise AssertionError(f"{told}: {error}") from error
        self.vesper("ingest", home, data=self.again)
        assert_same_bytes(home, self.expected, "lake")  # what comes again is known, so the index is right too
        shutil.rmtree(home)

    def run(self, kills):
        with ThreadPoolExecutor(max_workers=2) as pool:
            while sum(self.struck.values()) < kills:
                missing = kills - sum(self.struck.values())
                for trial in [pool.submit(self.one) for _ in range(max(2, missing))]:
                    trial.result()
        print(f"\n{sum(self.struck.values())} kills in {self.number} homes:")
        for where, count in sorted(self.struck.items()):
            print(f"{count:5} {where}")


def timed_run(vesper, home, **given):
    begin = time.monotonic()
    vesper("run", home, **given)
    return time.monotonic() - begin


@pytest.fixture
def again(data):
    """The data with some of its files once more, under names that come after their own."""
    for log in ("api_usage", "turns", "affirmations", "meters"):
        for path in sorted((data / "kalei" / log).iterdir())[-3:]:
            shutil.copyfile(path, path.with_name(path.name.replace(".jsonl", "~again.jsonl")))
    return data


def test_killed_runs_converge(vesper, home, again, tmp_path):
    duration = timed_run(vesper, tmp_path / "undisturbed")
    assert_converged(tmp_path / "undisturbed", home)
    Trials(vesper, tmp_path, None, home, duration, again).run(KILLS - 2 * (KILLS // 3))


def test_killed_runs_over_rows_that_are_stored_converge(vesper, home, again, tmp_path):
    """All that follows ingest: prices, profiles, requests, answers and reports of seven weeks."""
    vesper("ingest", tmp_path / "begin")
    shutil.copytree(tmp_path / "begin", tmp_path / "timed")
    Trials(vesper, tmp_path, tmp_path / "begin", home, timed_run(vesper, tmp_path / "timed"), again).run(KILLS // 3)


def test_killed_runs_over_late_data_converge(vesper, again, tmp_path):
    """The second run has rows to merge into days that are there, and a report to move to its revisions."""
    vesper("run", tmp_path / "begin")
    late = tmp_path / "late"
    shutil.copytree(again, late)
    for path in late.rglob("*~again*"):
        path.unlink()
    for folder in (again, late):
        shutil.copyfile(LATE, folder / "kalei" / "api_usage" / LATE.name)
    shutil.copytree(tmp_path / "begin", tmp_path / "expected")
    duration = timed_run(vesper, tmp_path / "expected", data=late)
    Trials(vesper, tmp_path, tmp_path / "begin", tmp_path / "expected", duration, again, data=late).run(KILLS // 3)


def killed_when(vesper, folder, condition, begin=None, **given):
    """A home whose run was killed as soon as a condition was seen; as the moment may be short, up to twenty runs are begun for it."""
    for attempt in range(20):
        home = folder / f"attempt-{attempt}"
        if begin:
            shutil.copytree(begin, home)
        watch = condition(home)
        process = vesper.start("run", home, **given)
        try:
            seen = wait_for(process, watch)
            process.kill()
            if process.wait(timeout=SECONDS) == -signal.SIGKILL and seen:
                return home
        finally:
            process.stderr.close()
            if isinstance(watch, Watch):
                watch.close()
        assert process.returncode in (0, -signal.SIGKILL)
    return pytest.fail("no run could be killed at that moment")


def killed_while_it_reads(vesper, folder, data):
    """A home whose run was killed after it had fixed its list of files, and before any row was stored."""
    return killed_when(vesper, folder, lambda home: Watch(home, "SELECT 1 FROM pending_files"), data=data)


def test_a_run_that_is_killed_between_its_commit_and_the_exchange_of_its_days_is_rolled_forward(vesper, home, tmp_path):
    for attempt in range(20):
        place = killed_when(vesper, tmp_path / f"{attempt}", lambda home: Watch(home, "SELECT 1 FROM swaps"))
        between = Watch(place, "SELECT 1 FROM swaps")() and (place / "staging" / "lake").exists()
        vesper("run", place)
        assert_converged(place, home)
        if between:
            return
    pytest.fail("no kill struck between commit and exchange")


@pytest.mark.parametrize("state", ["prepared", "intended", "submitted", "collected"])
def test_a_run_that_is_killed_while_a_batch_is_on_its_way_asks_nobody_twice(vesper, home, tmp_path, state):
    vesper("ingest", tmp_path / "begin")
    place = killed_when(
        vesper, tmp_path, lambda home: Watch(home, f"SELECT 1 FROM batches WHERE state = '{state}'"), begin=tmp_path / "begin")
    vesper("run", place)
    assert_converged(place, home)


@pytest.mark.parametrize("name", [
    "requests/kalei/2026-W43/weekly-spectrum-1.jsonl.gz", "answers/kalei/2026-W43", "staging/reports/kalei/2026-W43",
    "reports/kalei/2026-W43/manifest.json", "reports/kalei/kalei-2026-W43.tar.gz.partial", "reports/kalei/kalei-2026-W43.tar.gz"])
def test_a_run_that_is_killed_as_a_file_appears_converges(vesper, home, tmp_path, name):
    vesper("ingest", tmp_path / "begin")
    place = killed_when(vesper, tmp_path, lambda home: (home / name).exists, begin=tmp_path / "begin")
    vesper("run", place)
    assert_converged(place, home)


def replaced(path, content):
    """Another file under the same name, as a dump that is made again."""
    path.with_suffix(".new").write_bytes(gzip.compress(b"".join(line + b"\n" for line in content), mtime=0))
    os.replace(path.with_suffix(".new"), path)


def overwritten(path, content):
    """The same file with another content."""
    path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in content), mtime=0))


@pytest.mark.parametrize("change", [replaced, overwritten], ids=["replaced", "overwritten"])
def test_a_dump_that_is_made_again_after_a_kill_is_read_as_it_is_now(vesper, data, tmp_path, change):
    path = data / "kalei" / "api_usage" / "api_usage-2026-11-09.jsonl.gz"
    place = killed_while_it_reads(vesper, tmp_path, data)
    change(path, list(reversed(lines(path))) + lines(LATE))
    vesper("run", place, data=data)
    vesper("run", tmp_path / "expected", data=data)
    assert_converged(place, tmp_path / "expected")


def test_a_dump_that_is_gone_after_a_kill_is_not_read(vesper, data, tmp_path):
    place = killed_while_it_reads(vesper, tmp_path, data)
    (data / "kalei" / "api_usage" / "api_usage-2026-11-09.jsonl.gz").unlink()
    vesper("run", place, data=data)
    vesper("run", tmp_path / "expected", data=data)
    assert_converged(place, tmp_path / "expected")


def test_what_arrived_after_a_kill_is_in_the_reports_of_the_next_run(vesper, data, tmp_path):
    """The list that a killed run had fixed is finished first; the rest follows in the same run."""
    place = killed_while_it_reads(vesper, tmp_path, data)
    shutil.copyfile(LATE, data / "kalei" / "api_usage" / LATE.name)
    vesper("run", place, data=data)
    vesper("run", tmp_path / "expected", data=data)
    assert_same_bytes(place, tmp_path / "expected")
    before = digests(place)
    vesper("run", place, data=data)
    assert digests(place) == before
