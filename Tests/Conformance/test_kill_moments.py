"""Killed at a moment that matters, and run again: between commit and exchange, with a batch on its way, while exports change."""

import gzip
import os
import shutil
import signal

import pytest

from conftest import LATE, SECONDS, Watch, assert_converged, assert_same_bytes, digests, lines, wait_for


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
