"""Killed before any of its system calls that write, a run converges. strace finds the calls and kills at one of them.

    VESPER_KILLS=3000 pytest Tests/Conformance/test_kill_calls.py     # every call there is
"""

import os
import random
import shutil
import signal
import subprocess
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from conftest import LATE, SECONDS, assert_converged

KILLS = int(os.environ.get("VESPER_KILLS", "30"))
SEED = int(os.environ.get("VESPER_KILLS_SEED", "1"))
# Every call that changes what is on the disk, or makes it last.
CALLS = "write pwrite64 fsync fdatasync rename renameat renameat2 unlink unlinkat mkdir rmdir link linkat ftruncate".split()
# What puts things in place: each of them is tried.
DECISIVE = {"rename", "renameat", "renameat2", "link", "linkat"}


def traced(vesper, home, flags, data):
    command = ["strace", "-f", "-qq", *flags, *vesper.command("run", home, data=data)]
    return subprocess.run(command, env=vesper.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=SECONDS)


def calls(vesper, home, data, folder):
    """The writing calls of a run in their order, each with its number among those of its name and thread."""
    try:
        done = traced(vesper, home, ["-o", str(folder / "calls"), "-e", "trace=" + ",".join(CALLS)], data)
    except FileNotFoundError:
        pytest.skip("there is no strace")
    if done.returncode != 0 and "ptrace" in done.stderr:
        pytest.skip(f"strace may not trace here: {done.stderr.strip()[:200]}")
    assert done.returncode == 0, done.stderr
    numbers = Counter()
    found = []
    for line in (folder / "calls").read_text(errors="replace").splitlines():
        thread, rest = line.split(None, 1)
        name = rest.partition("(")[0]
        if name in CALLS:
            numbers[thread, name] += 1
            found.append((name, numbers[thread, name]))
    return found


def chosen(found, kills):
    """The decisive calls as far as there is room, and the others at random; all, where there is room for all."""
    draw = random.Random(SEED)
    decisive = [call for call in found if call[0] in DECISIVE]
    others = [call for call in found if call[0] not in DECISIVE]
    first = draw.sample(decisive, min(len(decisive), max(1, kills // 2)))
    return first + draw.sample(others, min(len(others), kills - len(first)))


def assert_every_kill_converges(vesper, folder, begin, expected, found, data):
    def trial(call):
        name, number = call
        home = folder / f"killed-{name}-{number}"
        if begin:
            shutil.copytree(begin, home)
        inject = ["-e", f"trace={name}", "-e", f"inject={name}:signal=SIGKILL:when={number}"]
        done = traced(vesper, home, ["-o", os.devnull, *inject], data)
        # Threads share their work differently from run to run, so that the last calls of one may not come.
        assert done.returncode in (0, -signal.SIGKILL), f"{name} {number}: {done.returncode} {done.stderr}"
        vesper("run", home, data=data)
        try:
            assert_converged(home, expected)
        except AssertionError as error:
            raise AssertionError(f"killed before {name} number {number}: {error}") from error
        shutil.rmtree(home)
        return done.returncode != 0

    picked = chosen(found, KILLS)
    with ThreadPoolExecutor(max_workers=2) as pool:
        struck = sum(pool.map(trial, picked))
    print(f"\n{struck} kills before {len(picked)} of {len(found)} calls: {dict(Counter(name for name, _ in picked))}")
    assert struck > len(picked) * 3 // 4


def test_a_run_killed_before_a_call_that_writes_converges(vesper, data, tmp_path):
    vesper("run", tmp_path / "expected", data=data)
    found = calls(vesper, tmp_path / "traced", data, tmp_path)
    assert_converged(tmp_path / "traced", tmp_path / "expected")
    assert_every_kill_converges(vesper, tmp_path, None, tmp_path / "expected", found, data)


def test_a_run_over_late_data_killed_before_a_call_that_writes_converges(vesper, data, tmp_path):
    vesper("run", tmp_path / "begin", data=data)
    shutil.copyfile(LATE, data / "kalei" / "api_usage" / LATE.name)
    shutil.copytree(tmp_path / "begin", tmp_path / "expected")
    found = calls(vesper, tmp_path / "expected", data, tmp_path)
    assert_every_kill_converges(vesper, tmp_path, tmp_path / "begin", tmp_path / "expected", found, data)
