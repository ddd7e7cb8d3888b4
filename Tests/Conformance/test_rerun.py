"""Running again: what is up to date is left alone, what comes twice counts once, what comes late makes a new revision."""

import gzip
import json
import random
import shutil
from decimal import Decimal

import pytest

from conftest import (
    LATE, SAMPLE, STORES, assert_same_bytes, assert_same_content, assert_same_ledger, digests, ledger, lines, open_lake, rows)
from oracle import assert_costs_of_duckdb

pytest.importorskip("duckdb")


def times(home):
    """When each file and folder of the stores was last written to, and which file it is."""
    return {
        str(path): (path.stat().st_mtime_ns, path.stat().st_ino)
        for store in (*STORES, "cache")
        for path in [home / store, *(home / store).rglob("*")]
    }


def write_gzip(path, content):
    path.write_bytes(gzip.compress(b"".join(line + b"\n" for line in content), mtime=0))


# MARK: - The same again

def test_a_second_run_writes_nothing(vesper, home, tmp_path):
    shutil.copytree(home, tmp_path / "home")
    before = times(tmp_path / "home")
    shown = vesper.json("run", tmp_path / "home")
    assert {row["state"] for row in shown["rows"]} == {"up to date"}
    assert times(tmp_path / "home") == before
    assert_same_bytes(tmp_path / "home", home)
    assert_same_ledger(tmp_path / "home", home)


def test_a_run_into_an_empty_home_gives_the_same_bytes_wherever_and_whenever(vesper, home, tmp_path):
    """Neither the machine's zone, nor its language, nor another folder shows in an output."""
    elsewhere = {"TZ": "Pacific/Kiritimati", "LC_ALL": "tr_TR.UTF-8", "LANG": "tr_TR.UTF-8", "HOME": str(tmp_path)}
    vesper("run", tmp_path / "home", environment=elsewhere)
    assert_same_bytes(tmp_path / "home", home)
    assert_same_ledger(tmp_path / "home", home)


def test_a_run_in_steps_gives_the_same_bytes_as_one_run(vesper, home, tmp_path):
    place = tmp_path / "home"
    vesper("ingest", place)
    for week in ("2026-W46", "2026-W41"):
        vesper("run", place, flags=["--week", week])
    for stage in ("price", "profile", "request", "submit", "collect"):
        vesper("run", place, flags=["--until", stage])
    vesper("run", place)
    assert_same_bytes(place, home)
    assert_same_ledger(place, home)


@pytest.mark.parametrize("store", ["cache", "reports", "reports/kalei/2026-W46", "reports/kalei/kalei-2026-W41.tar.gz"])
def test_what_can_be_rebuilt_is_rebuilt_the_same(vesper, home, tmp_path, store):
    place = tmp_path / "home"
    shutil.copytree(home, place)
    shutil.rmtree(place / store) if (place / store).is_dir() else (place / store).unlink()
    vesper("run", place)
    assert_same_bytes(place, home)
    assert_same_ledger(place, home)
    vesper("report", place, flags=["--week", "2026-W46"])
    assert_same_bytes(place, home)


# MARK: - The same files in another order

@pytest.mark.parametrize("seed", [1, 2])
def test_files_in_another_order_give_identical_files(vesper, home, tmp_path, seed):
    paths = [path for path in sorted(SAMPLE.rglob("*")) if path.is_file()]
    random.Random(seed).shuffle(paths)
    for path in paths:
        target = tmp_path / "data" / "kalei" / path.relative_to(SAMPLE)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, target)
    vesper("run", tmp_path / "home", data=tmp_path / "data")
    assert_same_bytes(tmp_path / "home", home)


@pytest.mark.parametrize("seed", [3, 4, 5])
def test_two_ingests_give_the_rows_of_one(vesper, home, data, tmp_path, seed):
    """Half of the files first, then all: duplicates and reused ids fall to the same rows, whichever arrived first."""
    paths = sorted(path for path in (data / "kalei").rglob("*.gz"))
    held = random.Random(seed).sample(paths, len(paths) // 2)
    for path in held:
        path.rename(path.with_suffix(".later"))
    vesper("ingest", tmp_path / "home", data=data)
    assert rows(tmp_path / "home") != rows(home)
    for path in held:
        path.with_suffix(".later").rename(path)
    vesper("ingest", tmp_path / "home", data=data)
    assert_same_content(tmp_path / "home", home)
    assert_same_bytes(tmp_path / "home", home, "lake")  # not promised, but so where no file grew


def test_one_file_at_a_time_backwards_gives_the_rows_of_one_ingest(vesper, home, data, tmp_path):
    """The worst history for rows that come twice: each displaces the one that was stored before."""
    folder = data / "kalei" / "api_usage"
    chosen = [path for path in sorted(folder.iterdir()) if "2026-10-1" in path.name or "2026-10-2" in path.name]
    for path in folder.iterdir():
        if path not in chosen:
            path.unlink()
    vesper("ingest", tmp_path / "whole", data=data)
    for path in chosen:
        path.rename(path.with_suffix(".later"))
    for path in reversed(chosen):
        path.with_suffix(".later").rename(path)
        vesper("ingest", tmp_path / "home", data=data)
    assert_same_content(tmp_path / "home", tmp_path / "whole")


# MARK: - What comes twice

def test_a_file_under_another_name_adds_no_rows(vesper, home, data, tmp_path):
    for log in ("api_usage", "turns", "affirmations", "mirror_sessions", "meters", "invoices"):
        path = sorted((data / "kalei" / log).iterdir())[-1]
        shutil.copyfile(path, path.with_name(path.name.replace(".jsonl", "-twice.jsonl")))
    shutil.copytree(home, tmp_path / "home")
    vesper("run", tmp_path / "home", data=data)
    assert rows(tmp_path / "home", but=["source_file"]) == rows(home, but=["source_file"])
    assert assert_costs_of_duckdb(vesper, tmp_path / "home", data=data) == assert_costs_of_duckdb(vesper, home)
    assert digests(tmp_path / "home", "requests", "answers") == digests(home, "requests", "answers")


def test_overlapping_dumps_add_nothing(vesper, home, data, tmp_path):
    """A dump of three days at once, in another order, and one of a day that is half another."""
    folder = data / "kalei" / "api_usage"
    days = [lines(folder / f"api_usage-2026-10-{day:02}.jsonl.gz") for day in (1, 2, 3)]
    again = [line for day in days for line in day]
    random.Random(6).shuffle(again)
    write_gzip(folder / "api_usage-2026-10-03-three-days.jsonl.gz", again)
    write_gzip(folder / "api_usage-2026-10-02-halves.jsonl.gz", days[0][len(days[0]) // 2:] + days[1][: len(days[1]) // 2])
    shutil.copytree(home, tmp_path / "home")
    vesper("run", tmp_path / "home", data=data)
    assert rows(tmp_path / "home", but=["source_file", "source_record"]) == rows(home, but=["source_file", "source_record"])
    assert assert_costs_of_duckdb(vesper, tmp_path / "home", data=data) == assert_costs_of_duckdb(vesper, home)


# MARK: - What comes late

def test_a_late_file_makes_a_new_revision_of_its_week_only(vesper, home, data, truth, tmp_path):
    place = tmp_path / "home"
    shutil.copytree(home, place)
    story = truth["stories"]["late_file"]
    shutil.copyfile(LATE, data / "kalei" / "api_usage" / LATE.name)
    shown = vesper.json("run", place, data=data)
    assert {row["period"] for row in shown["rows"] if row["state"] != "up to date"} == {"all", story["week"]}

    week = f"reports/kalei/{story['week']}"
    own = (week + "/", f"reports/kalei/kalei-{story['week']}.tar.gz")
    others = [{name: digest for name, digest in digests(one, "reports").items() if not name.startswith(own)} for one in (place, home)]
    assert others[0] == others[1] != {}
    assert list(place.glob("reports/kalei/*/revisions")) == [place / week / "revisions"]
    old = {path.name: path.read_bytes() for path in (place / week / "revisions" / "1").iterdir()}
    assert old == {path.name: path.read_bytes() for path in (home / week).iterdir() if path.is_file()}
    manifest = json.loads((place / week / "manifest.json").read_text())
    assert (manifest["revision"], json.loads(old["manifest.json"])["revision"]) == (2, 1)
    assert digests(place, "requests", "answers") == digests(home, "requests", "answers")
    assert ledger(place, "asked") == ledger(home, "asked")

    late = open_lake(place).execute("SELECT day, count(*) FROM usage WHERE source_file = ? GROUP BY 1", [f"api_usage/{LATE.name}"])
    assert late.fetchall() == [(day, found["rows"]) for day, found in truth["late"]["usage"]["days"].items()]
    assert assert_costs_of_duckdb(vesper, place, data=data) == Decimal(truth["stories"]["costs"]["with_late_file"])
    before = times(place)
    vesper("run", place, data=data)
    assert times(place) == before
