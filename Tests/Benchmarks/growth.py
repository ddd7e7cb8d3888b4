#!/usr/bin/env python3
"""Does ingest stay as fast and as small as it was, however much is stored? Whole processes, medians, a table with ratios and their limits.

    growth.py                          # all three
    growth.py ids --stored 100         # 1 M new ids into a home of 100 M, and into an empty one: at most 2 times as long
    growth.py days                     # 10,000 rows on day 400, and on day 1: at most 1.5 times as long
    growth.py linear                   # 40 M rows and 4 M: ten times as long within 15 %, and at most 512 MB for either

Both sides of a ratio run in turn (A B, A B, …), so that a machine that grows slower is slower for both; it is the median of the rounds'.
A home is filled once and kept under .build/growth until --fresh; exports go as soon as they are read. 100 M rows take some 10 GB of disk.
Exit code 1 where a limit is not kept.
"""
import argparse, datetime, gzip, json, os, pathlib, shutil, statistics, subprocess, sys
from compare import timed

ROOT = pathlib.Path(__file__).resolve().parents[2]
JOB = ROOT / "Tests" / "Benchmarks" / "ingest" / "bench.json5"
WORK = ROOT / ".build" / "growth"
VESPER = os.environ.get("VESPER_BIN", str(ROOT / ".build" / "release" / "vesper"))
LIMIT = 7200
MILLION = 1_000_000
rows, kept = [], True


def week(number):
    """ISO weeks from 2020 on."""
    year, week, _ = (datetime.date(2019, 12, 30) + datetime.timedelta(weeks=number)).isocalendar()
    return f"{year}-W{week:02}"


def synth(folder, events, seed, first, weeks):
    shutil.rmtree(folder, ignore_errors=True)
    flags = ["--product", "kalei", "--events", events, "--seed", seed, "--from-week", week(first), "--weeks", weeks, "--users", 20_000]
    subprocess.run([VESPER, "synth", *map(str, flags), str(folder), "--quiet"], check=True, timeout=LIMIT)


def ingest(data, home):
    return [VESPER, "ingest", str(JOB), "--data", str(data), "--home", str(home), "--now", "2030-01-01T00:00:00Z", "--quiet"]


def stored(home):
    """How many rows the ledger of a home counts as accepted, and how many as anything else."""
    done = subprocess.run([*ingest(WORK / "nothing", home), "--format", "json"], check=True, capture_output=True, text=True, timeout=LIMIT)
    (usage,) = json.loads(done.stdout)["rows"]
    return usage["accepted"], usage["records"] - usage["accepted"]


def copied(home, to):
    """A shell line that makes a copy to write to: parts and runs are never written in place, so links do; the ledger is."""
    return f"rm -rf {to} && cp -al {home} {to} && rm -f {to}/lock {to}/ledger.sqlite* && cp {home}/ledger.sqlite* {to}/"


def in_turn(runs, **commands):
    """name → runs of (seconds, cpu seconds, peak MB), without a first round that warms caches."""
    found = {name: [] for name in commands}
    for number in range(runs + 1):
        for name, (prepare, command) in commands.items():
            run = timed(f"{prepare} ;; {' '.join(command)}", LIMIT)
            if number:
                found[name].append(run)
    return found


def report(what, found, base, grown, least, most, divisor=1, memory=None):
    """Adds the lines of one comparison, and says whether its limits are kept."""
    global kept
    ratio = statistics.median(b[0] / a[0] for a, b in zip(found[base], found[grown])) / divisor
    peak = max(run[2] for name in (base, grown) for run in found[name])
    good = least <= ratio <= most and (memory is None or peak <= memory)
    kept = kept and good
    for name in (base, grown):
        seconds = [run[0] for run in found[name]]
        rows.append([name, f"{statistics.median(seconds):.3f}", f"{min(seconds):.3f}", f"{max(seconds):.3f}",
                     f"{statistics.median(run[1] for run in found[name]):.3f}", f"{max(run[2] for run in found[name]):.0f}", "", ""])
    limit = f"{least:.2f} to {most:.2f}" if least else f"at most {most:.2f}"
    limit += f", {memory} MB" if memory else ""
    rows[-1][-2:] = [f"{ratio:.2f}", f"{limit}: {'kept' if good else 'NOT KEPT'}"]
    # On a machine with other work to do, processor time says more than the clock; the limit is on the clock all the same.
    processor = statistics.median(b[1] / a[1] for a, b in zip(found[base], found[grown])) / divisor
    print(f"{what}: ratio {ratio:.2f} ({limit}), of processor time {processor:.2f}, peak {peak:.0f} MB", flush=True)


def room(gigabytes):
    free = shutil.disk_usage(WORK).free / 1e9
    if free < gigabytes:
        sys.exit(f"Only {free:.0f} GB are free and some {gigabytes:.0f} are needed. Free some, or lower --stored.")


def filled(name, make):
    """A home that is made once; a mark beside it says that it was finished."""
    home, mark = WORK / name, WORK / f"{name}.done"
    if not mark.exists():
        shutil.rmtree(home, ignore_errors=True)
        make(home)
        mark.write_text("")
    return home


def ids(options):
    """The index: new ids are looked for among all that are stored."""
    room(0.14 * options.stored + 4)

    def make(home):
        for block in range(0, options.stored, 10):
            events = min(10, options.stored - block) * MILLION
            data = WORK / "block"
            synth(data, events, 1000 + block, block, 10)
            for path in sorted((data / "api_usage").iterdir()):
                path.rename(path.with_name(f"block-{block:04}-{path.name}"))
            seconds, _, peak = timed(" ".join(ingest(data, home)), LIMIT)
            shutil.rmtree(data)
            print(f"  {block * MILLION + events:,} rows are stored; the last {events:,} took {seconds:.1f} s and {peak:.0f} MB", flush=True)

    home = filled(f"stored-{options.stored}", make)
    # All ids differ, or the ledger would count duplicates.
    assert stored(home) == (options.stored * MILLION, 0), stored(home)
    synth(WORK / "new", MILLION, 7, options.stored + 10, 7)
    empty, full = WORK / "empty", WORK / "full"
    base, grown = "1 M ids into none", f"1 M ids into {options.stored} M"
    found = in_turn(options.runs, **{
        base: (f"rm -rf {empty}", ingest(WORK / "new", empty)), grown: (copied(home, full), ingest(WORK / "new", full))})
    assert stored(full) == ((options.stored + 1) * MILLION, 0)
    report("New ids", found, base, grown, 0, 2)
    for folder in (empty, full, WORK / "new"):
        shutil.rmtree(folder)


def days(options):
    """The everyday case: one more file, of one more day."""
    count, each = options.days, 10_000
    exports, data = WORK / "days", WORK / "data"
    weeks = -(-(count + 1) // 7)
    synth(exports, weeks * 7 * each, 8, 0, weeks)
    # The parts are of rising time. One file is open at a time: what this process holds would count as its children's memory.
    names, file = [], None
    for path in sorted((exports / "api_usage").iterdir()):
        with gzip.open(path, "rb") as lines:
            for line in lines:
                at = line.index(b'"ts":"') + 6
                name = f"day-{line[at:at + 10].decode()}.jsonl.gz"
                if name not in names[-1:]:
                    if file:
                        file.close()
                    names.append(name)
                    file = gzip.open(WORK / name, "wb", compresslevel=1)
                file.write(line)
    file.close()
    assert names == sorted(names)
    shutil.rmtree(exports)
    folder = data / "api_usage"
    shutil.rmtree(data, ignore_errors=True)
    folder.mkdir(parents=True)
    home, first = WORK / "daily", WORK / "first"
    shutil.rmtree(home, ignore_errors=True)
    took = []
    for number, name in enumerate(names[:count - 1]):
        (WORK / name).rename(folder / name)
        took.append(timed(" ".join(ingest(data, home)), LIMIT)[0])
        if number % 100 == 99:
            print(f"  day {number + 1}: {statistics.median(took[-20:]):.3f} s, the median of the last 20", flush=True)
    (WORK / names[count - 1]).rename(folder / names[count - 1])
    one = WORK / "one"
    shutil.rmtree(one, ignore_errors=True)
    (one / "api_usage").mkdir(parents=True)
    os.link(folder / names[0], one / "api_usage" / names[0])
    base, grown = "10,000 rows, day 1", f"10,000 rows, day {count}"
    # Such runs are short, so there are more of them.
    found = in_turn(4 * options.runs, **{
        base: (f"rm -rf {first}", ingest(one, first)), grown: (copied(home, WORK / "later"), ingest(data, WORK / "later"))})
    assert stored(WORK / "later")[0] > 0.98 * count * each
    report("Another day", found, base, grown, 0, 1.5)
    for path in [*WORK.glob("day-*"), data, one, home, first, WORK / "later"]:
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def linear(options):
    """One run over ten times as much takes ten times as long, in no more memory."""
    room(8)
    sizes = {"4 M rows": 4 * MILLION, "40 M rows": 40 * MILLION}
    for name, events in sizes.items():
        if not (WORK / f"exports-{events}").exists():
            synth(WORK / "making", events, 9, 0, 7)
            (WORK / "making").rename(WORK / f"exports-{events}")
    found = in_turn(max(1, options.runs // 2), **{
        name: (f"rm -rf {WORK}/one", ingest(WORK / f"exports-{events}", WORK / "one")) for name, events in sizes.items()})
    report("Ten times as much", found, *sizes, 0.85, 1.15, divisor=10, memory=512)
    shutil.rmtree(WORK / "one")
    if not options.keep:
        for events in sizes.values():
            shutil.rmtree(WORK / f"exports-{events}")


def main():
    parts = {"days": days, "linear": linear, "ids": ids}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help="ids, days, linear; all unless given")
    parser.add_argument("--stored", type=int, default=100, help="millions of rows that are there before")
    parser.add_argument("--days", type=int, default=400)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--keep", action="store_true", help="leave the exports of linear for the next time")
    parser.add_argument("--fresh", action="store_true", help="make everything anew")
    options = parser.parse_args()
    if unknown := set(options.parts) - parts.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    if options.fresh:
        shutil.rmtree(WORK, ignore_errors=True)
    (WORK / "nothing").mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        if name in options.parts or not options.parts:
            part(options)
    names = ["", "median s", "min", "max", "cpu s", "peak MB", "ratio", "limit"]
    widths = [max(len(row[index]) for row in [names, *rows]) for index in range(len(names))]
    for row in [names, *rows]:
        cells = [cell.ljust(width) if index in (0, 7) else cell.rjust(width) for index, (cell, width) in enumerate(zip(row, widths))]
        print("  ".join(cells).rstrip())
    print(f"({options.runs} runs and more, load {os.getloadavg()[0]:.1f})")
    sys.exit(0 if kept else 1)


main()
