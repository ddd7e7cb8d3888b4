"""Ingest killed at random moments, and at each of its phases, of a large and faulty set: run again, it ends as if nothing had happened.

    VESPER_INGEST_KILLS=100 VESPER_KILLS_SEED=7 pytest Tests/Conformance/test_kill_ingest.py -s     # so many over each beginning
"""

import os
import random
import shutil
import signal
import sqlite3
import time
from array import array
from collections import Counter

import pytest

from conftest import ALL, SECONDS, Watch, assert_converged, files, ledger, wait_for
from exports import Exports
from test_kill import SEED, copied_ledger, kill_after

KILLS = int(os.environ.get("VESPER_INGEST_KILLS", "50" if ALL else "8"))
ROWS = 400_000 if ALL else 20_000

# In the order in which they come to pass.
PHASES = ["opening", "reading", "merging", "committing", "rolling forward"]


def phase(home, files):
    """What an ingest was at when it was killed, by what it has left behind; in the end the ledger knows so many files."""
    staging = home / "staging"
    try:
        with copied_ledger(home) as connection:
            if connection.execute("SELECT 1 FROM swaps").fetchone():
                return "rolling forward"
            if not connection.execute("SELECT 1 FROM pending_files").fetchone():
                return "done" if connection.execute("SELECT count(*) FROM files").fetchone() == (files,) else "opening"
    except sqlite3.OperationalError:
        return "opening"
    # Refused records are staged last, when all days have been put together.
    if (staging / "quarantine").exists():
        return "committing"
    return "merging" if (staging / "index").exists() else "reading"


def index(home):
    """The files of the dedupe index: hashes with days, in order; days of one hash may stand in any order, so they are sorted."""
    found = {}
    for name, path in files(home, "index").items():
        content = path.read_bytes()
        if path.name != "current":
            # The header: magic, 65 starts of which the last is the count, checksums (which the order of days decides).
            count, start = int.from_bytes(content[520:528], "little"), 1048
            days = start + 8 * count
            content = sorted(zip(array("Q", content[start:days]), array("i", content[days:]), strict=True))
        found[name] = content
    return found


def begins(home, wanted):
    """A condition that comes true as soon as an ingest is in a phase; nothing is copied for it, so it is fast."""
    if wanted == "rolling forward":
        return Watch(home, "SELECT 1 FROM swaps")
    marks = {
        "opening": lambda: (home / "lock").exists(), "reading": lambda: (home / "staging" / "work").exists(),
        "merging": lambda: any((home / "staging" / "work" / "kalei").glob("*-index")),
        "committing": lambda: (home / "staging" / "quarantine").exists(),
    }
    return marks[wanted]


def kill_in(vesper, home, wanted, delay, **given):
    """Starts an ingest and kills it a moment after a phase has begun; whether the kill struck."""
    process = vesper.start("ingest", home, **given)
    condition = begins(home, wanted)
    try:
        wait_for(process, condition)
        time.sleep(delay)
        process.kill()
        code = process.wait(timeout=SECONDS)
        assert code in (0, -signal.SIGKILL), process.stderr.read()
        return code != 0
    finally:
        process.stderr.close()
        if isinstance(condition, Watch):
            condition.close()


class Kills:
    def __init__(self, vesper, folder, begin, expected, duration, **given):
        self.vesper, self.folder, self.begin, self.expected, self.given = vesper, folder, begin, expected, given
        self.duration, self.random, self.trials, self.struck = duration, random.Random(SEED), 0, Counter()
        self.files = len(ledger(expected, "files"))

    def trial(self, wanted=None):
        """Kills an ingest at a random moment, of all its time or of a phase, now and then the next one too, and looks what came of it."""
        self.trials += 1
        home = self.folder / f"trial-{self.trials}"
        if self.begin:
            shutil.copytree(self.begin, home)
        told = []
        for again in range(self.random.choice([1, 1, 2])):
            if wanted and not again:
                moment = self.random.uniform(0, self.duration / 50)
                struck = kill_in(self.vesper, home, wanted, moment, **self.given)
            else:
                moment = self.random.uniform(0.001, self.duration)
                struck = kill_after(self.vesper, home, moment, verb="ingest", **self.given)
                # It was over before: later kills come sooner.
                self.duration *= 1 if struck else 0.95
            if struck:
                where = phase(home, self.files)
                told.append(f"{where}, {moment:.4f} s")
                self.struck[where] += 1
        self.vesper("ingest", home, **self.given)
        try:
            assert_converged(home, self.expected)
            assert index(home) == index(self.expected)
        except AssertionError as error:
            raise AssertionError(f"trial {self.trials} with seed {SEED}, killed at {told}: {error}") from error
        shutil.rmtree(home)

    def run(self, kills):
        while sum(self.struck.values()) < kills:
            self.trial()
        at_random = sum(self.struck.values())
        for wanted in PHASES:
            for _ in range(30):
                if self.struck[wanted]:
                    break
                self.trial(wanted)
        print(f"\n{at_random} kills at random and {sum(self.struck.values()) - at_random} aimed at a phase, in {self.trials} homes:")
        for name in [*PHASES, "done"]:
            print(f"{self.struck[name]:5} {name}")
        assert [name for name in PHASES if not self.struck[name]] == [], "no kill struck these phases, so nothing is known of them"


@pytest.fixture(scope="module")
def exports():
    return Exports(ROWS, files=9, seed=40)


@pytest.mark.parametrize("stored", [False, True], ids=["an empty home", "days that are stored"])
def test_an_ingest_that_is_killed_at_any_moment_converges(vesper, exports, tmp_path, stored):
    """Over stored days, half of the files come anew, and their rows displace others or lose against them."""
    begin = None
    if stored:
        begin = tmp_path / "begin"
        job = exports.write(tmp_path / "half", names=list(exports.files)[::2])
        vesper("ingest", begin, data=tmp_path / "half", job=job)
        shutil.copytree(begin, tmp_path / "expected")
    given = {"data": tmp_path / "data", "job": exports.write(tmp_path / "data")}
    started = time.monotonic()
    vesper("ingest", tmp_path / "expected", **given)
    Kills(vesper, tmp_path, begin, tmp_path / "expected", time.monotonic() - started, **given).run(KILLS)
