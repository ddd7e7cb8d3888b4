#!/usr/bin/env python3
"""Times whole commands against one another, in turn, and prints medians, ratios and peak memory.

    compare.py --runs 5 --ours vesper 'vesper=CMD' 'duckdb=CMD' ...

Each round runs every command once (A B C, A B C, ...), so that a machine that grows slower is slower for all; the ratio is the
median over rounds of theirs / ours. A command is run by `sh -c` and may begin with `PREPARE ;; `: what stands before the two
semicolons is run first and not timed. Memory is the largest resident set of the command's processes, as the system accounts it.
"""
import argparse, json, os, statistics, subprocess, sys, time


def timed(command, limit):
    prepare, _, work = command.rpartition(";;")
    if prepare:
        subprocess.run(["sh", "-c", prepare], check=True, timeout=limit)
    start = time.monotonic()
    child = subprocess.Popen(["sh", "-c", "exec " + work.strip()], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    errors = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.monotonic() - start
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode != 0:
        sys.exit(f"{work.strip()} ended with {child.returncode}: {errors.decode(errors='replace')[-500:]}")
    return seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--timeout", type=int, default=600, help="seconds for one command")
    parser.add_argument("--ours", default="vesper")
    parser.add_argument("--json", help="also write every run to this file")
    parser.add_argument("commands", nargs="+", help="name=command")
    options = parser.parse_args()
    commands = dict(item.split("=", 1) for item in options.commands)
    results = {name: [] for name in commands}
    for round_number in range(options.runs + 1):  # the first round warms caches and is not counted
        for name, command in commands.items():
            run = timed(command, options.timeout)
            if round_number > 0:
                results[name].append(run)
    ours = [run[0] for run in results[options.ours]]
    print(f"{'':12} {'median s':>9} {'min':>7} {'max':>7} {'cpu s':>7} {'peak MB':>8} {'ratio':>6}   ({options.runs} runs, load {os.getloadavg()[0]:.1f})")
    for name, runs in results.items():
        seconds = [run[0] for run in runs]
        ratio = statistics.median(theirs / own for theirs, own in zip(seconds, ours))
        print(
            f"{name:12} {statistics.median(seconds):9.3f} {min(seconds):7.3f} {max(seconds):7.3f} "
            f"{statistics.median(run[1] for run in runs):7.2f} {max(run[2] for run in runs):8.0f} {ratio:6.2f}")
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file)


if __name__ == "__main__":
    main()
