#!/usr/bin/env python3
"""Holds `vesper costs` against DuckDB, ClickHouse (chdb) and Polars over the same lake parts and prices. Whole processes, in turn.

    costs.py                     # all of: lake unpriced threshold many year
    costs.py lake                # 4 M priced events by day, plan, feature, provider and model with distinct users: at least 4 times as fast
    costs.py unpriced            # what pricing adds: at most a quarter over the same grouping without prices
    costs.py threshold           # the same with a price that depends on each call's size
    costs.py many                # the same with 200,000 distinct users
    costs.py year                # 200 M events of a year from the cache, against the peers from the files: at least 20 times as fast

Before anything is timed every engine's rows are compared with Vesper's, to the last digit. The faster of DuckDB and ClickHouse counts, each
with the faster of two queries: one that prices every call, and one that groups first, which is right only while prices are flat.
Homes are made once and kept under .build/bench; the year takes 13 GB and a quarter of an hour. Exit code 1 where a limit is not kept.
"""
import argparse, csv, io, os, pathlib, shutil, statistics, subprocess, sys
from decimal import Decimal
from compare import timed

ROOT = pathlib.Path(__file__).resolve().parents[2]
HERE = ROOT / "Tests" / "Benchmarks" / "costs"
WORK = pathlib.Path(os.environ.get("BENCH_HOME", ROOT / ".build" / "bench"))
VESPER = os.environ.get("VESPER_BIN", str(ROOT / ".build" / "release" / "vesper"))
PYTHON = os.environ.get("PYTHON", str(ROOT / ".build" / "venv" / "bin" / "python"))
KEYS = ["plan", "feature", "provider", "model"]
QUERY = ["--every", "day", "--by", ",".join(KEYS), "--format", "csv"]
SHOWN = ["requests", "users", "input_tokens", "cache_read_tokens", "cache_write_5m_tokens", "output_tokens", "cost"]
NOW = ["--now", "2030-01-01T00:00:00Z"]
LIMIT = 3600
table, kept = [], True


def run(*words):
    return subprocess.run([str(word) for word in words], check=True, capture_output=True, text=True, timeout=LIMIT).stdout


def job(name):
    return HERE.parent / "ingest" / "bench.json5" if name == "unpriced" else HERE / f"{name}.json5"


def ours(name, home, *more):
    return [VESPER, "costs", str(job(name)), "--home", str(home), *QUERY, *more, *NOW]


def theirs(engine, home, prices=None, grouped=False):
    words = [PYTHON, str(HERE / "peers.py"), engine, str(home / "lake" / "bench" / "usage")]
    return words + ([str(HERE / f"{prices}.csv")] if prices else []) + (["grouped"] if grouped else [])


def filled(name, events, users=None):
    """A home with so many events of seven weeks, made once."""
    home, mark = WORK / name, WORK / f"{name}.done"
    if not mark.exists():
        shutil.rmtree(home, ignore_errors=True)
        exports = WORK / f"exports-{name}"
        if not exports.exists():
            run(VESPER, "synth", "--product", "kalei", "--events", events, *(["--users", users] if users else []), "--seed", 1, exports)
        run(VESPER, "ingest", job("priced"), "--data", exports, "--home", home, *NOW)
        mark.write_text("")
    return home


def year():
    """A home with 52 weeks of 3,846,154 events each, whose days a run has priced; made once."""
    home, mark = WORK / "year", WORK / "year.done"
    if not mark.exists():
        if shutil.disk_usage(WORK).free < 25e9:
            sys.exit("The year needs some 25 GB. Free some, or leave it out.")
        shutil.rmtree(home, ignore_errors=True)
        for week in range(1, 53):
            block = WORK / "block"
            shutil.rmtree(block, ignore_errors=True)
            flags = ["--events", 3_846_154, "--seed", 100 + week, "--from-week", f"2025-W{week:02}", "--weeks", 1, "--users", 20_000]
            run(VESPER, "synth", "--product", "kalei", *flags, block)
            for path in sorted((block / "api_usage").iterdir()):
                path.rename(path.with_name(f"w{week:02}-{path.name}"))
            run(VESPER, "ingest", job("priced"), "--data", block, "--home", home, *NOW)
            shutil.rmtree(block)
        mark.write_text("")
    nothing = WORK / "nothing"
    nothing.mkdir(exist_ok=True)
    run(VESPER, "run", job("priced"), "--data", nothing, "--home", home, "--from", "2024-12-30", "--to", "2025-12-28", "--until", "price", *NOW)
    return home


def rows(words):
    """The rows of a command, as exact numbers by their key; a group without any price has no cost to compare."""
    text = run(*words)
    if words[0] == VESPER:
        return {
            (row["day"], *(row[key] for key in KEYS)): (*(int(row[name]) for name in SHOWN[:-1]), Decimal(row["cost"].removeprefix(">=")))
            for row in csv.DictReader(io.StringIO(text))}
    found = {}
    for row in csv.reader(io.StringIO(text)):
        cost = Decimal(row[11]).scaleb(-12) if len(row) > 11 else Decimal(0)
        found[tuple(row[:5])] = (*map(int, row[5:11]), cost)
    return found


def check(name, commands):
    expected = rows(commands["vesper"])
    assert expected, "there is nothing to compare"
    for other, words in commands.items():
        if other != "vesper":
            assert rows(words) == expected, f"{name}: {other} finds other figures than Vesper"
    print(f"{name}: {len(commands) - 1} commands find the same {len(expected)} rows", flush=True)


def in_turn(runs, commands, warm=True):
    found = {name: [] for name in commands}
    for number in range(runs + warm):  # the first round warms caches and is not counted
        for name, words in commands.items():
            one = timed(" ".join(words), LIMIT)
            if number >= warm:
                found[name].append(one)
    return found


def report(title, found, judged, limit, base="vesper", at_least=True):
    """Prints every command, and whether the best of those judged keeps the limit: the median over rounds of theirs / ours."""
    global kept
    own = [run[0] for run in found[base]]
    ratios = {name: statistics.median(run[0] / mine for run, mine in zip(runs, own)) for name, runs in found.items()}
    table.append([title, "median s", "min", "max", "cpu s", "peak MB", "ratio"])
    for name, runs in found.items():
        seconds = [run[0] for run in runs]
        table.append([f"  {name}", f"{statistics.median(seconds):.3f}", f"{min(seconds):.3f}", f"{max(seconds):.3f}",
                      f"{statistics.median(run[1] for run in runs):.2f}", f"{max(run[2] for run in runs):.0f}", f"{ratios[name]:.2f}"])
    worst = min(ratios[name] for name in judged) if at_least else max(ratios[name] for name in judged)
    good = worst >= limit if at_least else worst <= limit
    kept = kept and good
    table.append([f"  {'at least' if at_least else 'at most'} {limit}: {worst:.2f}, {'kept' if good else 'NOT KEPT'}"])


def against_peers(title, name, prices, home, runs, limit, more=()):
    flat = prices == "prices"
    commands = {"vesper": ours(name, home, *more)}
    for engine in ("duckdb", "chdb"):
        commands[engine] = theirs(engine, home, prices)
        if flat:
            commands[f"{engine}, grouped"] = theirs(engine, home, prices, grouped=True)
    commands["polars"] = theirs("polars", home, prices)
    check(title, commands)
    judged = [other for other in commands if other.startswith(("duckdb", "chdb"))]
    report(title, in_turn(runs, commands), judged, limit)


def lake(runs):
    against_peers("4 M events, priced", "priced", "prices", filled("four", 4_000_000), runs, 4, ["--no-cache"])


def unpriced(runs):
    home = filled("four", 4_000_000)
    commands = {"unpriced": ours("unpriced", home, "--no-cache"), "priced": ours("priced", home, "--no-cache")}
    report("What pricing adds", in_turn(4 * runs, commands), ["priced"], 1.25, base="unpriced", at_least=False)


def threshold(runs):
    against_peers("4 M events, a threshold price", "threshold-job", "threshold", filled("four", 4_000_000), runs, 4, ["--no-cache"])


def many(runs):
    against_peers("4 M events of 200,000 users", "priced", "prices", filled("many", 4_000_000, 200_000), runs, 4, ["--no-cache"])


def whole_year(runs):
    """Only the faster query of each engine, for a round takes minutes; the comparison of the rows warms the caches."""
    home = year()
    commands = {"vesper": ours("priced", home)}
    for engine in ("duckdb", "chdb"):
        commands[f"{engine}, grouped"] = theirs(engine, home, "prices", grouped=True)
    check("200 M events, from the cache", commands)
    report("200 M events, from the cache", in_turn(runs, commands, warm=False), [name for name in commands if name != "vesper"], 20)


def main():
    parts = {"lake": lake, "unpriced": unpriced, "threshold": threshold, "many": many, "year": whole_year}
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("parts", nargs="*", help=", ".join(parts) + "; all unless given")
    parser.add_argument("--runs", type=int, default=5)
    options = parser.parse_args()
    if unknown := set(options.parts) - parts.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}")
    WORK.mkdir(parents=True, exist_ok=True)
    for name, part in parts.items():
        if name in options.parts or not options.parts:
            part(options.runs)
    widths = [max(len(row[column]) for row in table if len(row) > column and len(row) > 1) for column in range(7)]
    for row in table:
        cells = [cell.ljust(widths[0]) if column == 0 else cell.rjust(widths[column]) for column, cell in enumerate(row)]
        print("  ".join(cells).rstrip())
    print(f"({options.runs} rounds, load {os.getloadavg()[0]:.1f})")
    sys.exit(0 if kept else 1)


main()
