"""Killed anywhere and run again, a home ends as if nothing had happened: the same bytes, the same ledger, nothing left over.

    VESPER_KILLS=300 VESPER_KILLS_SEED=7 pytest Tests/Conformance/test_kill.py -s
"""

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
from contextlib import contextmanager

import pytest

from conftest import LATE, SECONDS, assert_converged, assert_same_bytes

KILLS = int(os.environ.get("VESPER_KILLS", "30"))
SEED = int(os.environ.get("VESPER_KILLS_SEED", "1"))


def wait(process, seconds):
    """Whether the process ended by itself within this time."""
    try:
        process.wait(timeout=seconds)
        return True
    except subprocess.TimeoutExpired:
        return False


def kill_after(vesper, home, seconds, verb="run", **given):
    """Starts a run and kills it after a while; whether the kill struck."""
    process = vesper.start(verb, home, **given)
    try:
        if wait(process, seconds):
            assert process.returncode == 0, process.stderr.read()
            return False
        process.kill()
        return process.wait(timeout=SECONDS) == -signal.SIGKILL
    finally:
        process.stderr.close()


@contextmanager
def copied_ledger(home):
    """What a kill has left of a ledger, as a copy: looking must not finish what the kill left behind."""
    copy = home.with_name(home.name + "-ledger")
    copy.mkdir()
    for path in home.glob("ledger.sqlite*"):
        shutil.copy(path, copy)
    connection = sqlite3.connect(copy / "ledger.sqlite")
    try:
        yield connection
    finally:
        connection.close()
        shutil.rmtree(copy)


def place(home):
    """After which stage a run was killed."""
    try:
        with copied_ledger(home) as connection:
            newest = "SELECT stage FROM receipts WHERE run = (SELECT max(id) FROM runs) ORDER BY rowid DESC LIMIT 1"
            last = connection.execute(newest).fetchone()
            return f"after {last[0]}" if last else "before its first receipt"
    except sqlite3.OperationalError:
        return "before the ledger"


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
