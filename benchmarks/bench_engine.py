"""The survival engine beside the programs that a user could take instead: same data, one run, ratios as a table.

    python3 tools/dev.py bench --peers     install the Python programs into out/peers, once
    python3 tools/dev.py bench --write     measure, and write BENCHMARKS.md

A program that is not there is named with how to get it. `--quick` gives every program a hundredth of the work: it shows
that all of it runs and measures nothing. `--only NAME` leaves the other programs out; `--again` renders the last run.
"""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path

import _report
from _machine import machine
from _programs import PATIENCE, TITLES, Measured, Program, find, run
from _simulate import make
from _tasks import TARGETS, TASKS

ROOT = Path(__file__).resolve().parent.parent
DATA = ROOT / "out" / "bench"
OURS = ("registry", "growth")


def patience(program: str, task: str) -> float:
    """Wait longer for what a target is measured against."""
    named = any(target.task == task and target.program == program for target in TARGETS)
    return 3 * PATIENCE if named or program == "engine" else PATIENCE


def measure_all(programs: list[Program], data: Path, seconds: float) -> list[Measured]:
    """Give every task to every program in turn, so that those that are compared run near each other in time."""
    done: list[Measured] = []
    tasks = [task.name for task in TASKS] + list(OURS)
    for task in tasks:
        for program in programs:
            for route in program.routes.get(task, []):
                measured = give(program, task, route, data, seconds, done)
                done.append(measured)
                told = measured.failure or f"{measured.best:.4g} s"
                print(f"  {task:<20} {program.title:<16} {route:<32} {told}", file=sys.stderr, flush=True)
    return done


def give(program: Program, task: str, route: str, data: Path, seconds: float, done: list[Measured]) -> Measured:
    """Measure a route, unless it was already too slow for day times: continuous times take longer."""
    sister = task.replace("_continuous", "_days")
    for earlier in done:
        same = (earlier.program, earlier.task, earlier.route) == (program.name, sister, route)
        if same and earlier.failure.startswith("more than"):
            return Measured(program.name, task, route, failure=f"not tried: {earlier.failure} for day times")
    if task == "growth":
        return run(program, task, route, data, 10 * PATIENCE, 0.0)
    return run(program, task, route, data, patience(program.name, task), seconds)


def parse(arguments: list[str]) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="a hundredth of the work")
    parser.add_argument("--write", action="store_true", help="write BENCHMARKS.md")
    parser.add_argument("--again", action="store_true", help="take the numbers of the last run")
    parser.add_argument("--only", action="append", choices=list(TITLES), help="measure this program alone; repeatable")
    parser.add_argument("--data", type=Path, help="the folder of the data and of the numbers (out/bench)")
    return parser.parse_args(arguments)


def main(arguments: list[str]) -> int:
    """Measure, print the tables, and write them where asked."""
    given = parse(arguments)
    data = (given.data or DATA) / ("quick" if given.quick else "full")
    kept = data / "measured.json"
    if given.again:
        record = json.loads(kept.read_text(encoding="utf-8"))
    else:
        make(data, given.quick)
        programs, absent = find(given.only)
        measured = measure_all(programs, data, 0.2 if given.quick else 3.0)
        record = {
            "machine": machine(),
            "quick": given.quick,
            "programs": {program.name: program.version for program in programs},
            "absent": absent,
            "measured": [asdict(one) for one in measured],
        }
        kept.write_text(json.dumps(record, indent=1), encoding="utf-8", newline="\n")
    text = _report.tables(record)
    print(text)
    if given.write:
        (ROOT / "BENCHMARKS.md").write_text(_report.page(text), encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
