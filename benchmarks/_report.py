"""The tables of a benchmark and the page BENCHMARKS.md: from the kept numbers of a run, nothing is measured here."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from math import log10
from pathlib import Path
from typing import Any

from _programs import PATIENCE, TITLES, Measured
from _tasks import MEMORY_TARGET, REGISTRY_BYTES, REGISTRY_TIMES, STEEPEST, TARGETS, TASKS, Target, Task

MB = 1e6
# Two numbers that agree to this part are not told apart in a table.
ROUNDING = 1e-12
# A load average above this comes from somebody else's work.
IDLE = 0.5


def tables(record: dict[str, Any]) -> str:
    """Render every table as Markdown, which also reads well in a terminal."""
    measured = [Measured(**one) for one in record["measured"]]
    parts = [
        "## Targets\n\n" + targets(measured),
        *(f"## {task.title}\n\n{programs_table(task, measured)}" for task in TASKS if about(measured, task.name)),
        "## Cox on 1e8 people with categorical covariates, read in chunks\n\n" + registry(measured),
        "## Growth with the number of people\n\n" + growth(measured),
        "## Programs and machine\n\n" + surroundings(record),
    ]
    return "\n\n".join([*warnings(record), *parts])


def warnings(record: dict[str, Any]) -> list[str]:
    """Say what makes the times worth less than they look."""
    load = record["machine"].get("load average before", "")
    busy = load.replace(".", "").isdigit() and float(load) > IDLE
    return [
        *(["**Quick mode: a hundredth of the work, so no time here means anything.**"] if record["quick"] else []),
        *([f"**The machine was not idle: its load average was {load} before the first task.**"] if busy else []),
    ]


def about(measured: Iterable[Measured], task: str, program: str | None = None) -> list[Measured]:
    """Give what was measured on a task, of one program where named; failures included."""
    return [one for one in measured if one.task == task and program in (None, one.program)]


def fastest(measured: Iterable[Measured]) -> Measured | None:
    """Give the fastest of those that came to an end, None where none did."""
    done = [one for one in measured if not one.failure]
    return min(done, key=lambda one: one.best) if done else None


# ------------------------------------------------------------------------------------------------ targets


def targets(measured: list[Measured]) -> str:
    """Put what is to be reached beside what was reached."""
    rows = [time_target(target, measured) for target in TARGETS]
    rows += [memory_target(measured), *registry_targets(measured), growth_target(measured)]
    return table(("task", "to reach", "riskset", "compared with", "ratio", "reached"), rows)


def time_target(target: Target, measured: list[Measured]) -> tuple[str, ...]:
    """Compare our time with the one that a target names, or with the fastest of the others."""
    title = next(task.title for task in TASKS if task.name == target.task)
    ours = fastest(about(measured, target.task, "engine"))
    named = about(measured, target.task, target.program)
    others = [one for one in named if one.program != "engine" and target.route in (None, one.route)]
    other = fastest(others)
    if ours is None or other is None:
        missing = "riskset" if ours is None else TITLES.get(target.program or "", "another program")
        return title, target.text, time(ours), time(other), "", f"not measured: {missing}"
    ratio = ours.best / other.best
    beside = f"{time(other)} ({TITLES[other.program]}, {other.route})"
    return title, target.text, time(ours), beside, f"{ratio:.3f}", verdict(ratio, target.factor)


def verdict(reached: float, wanted: float) -> str:
    """Say whether a number is small enough, and where not, by what factor it is too large."""
    return "yes" if reached <= wanted else f"no: {reached / wanted:.2f} times too much"


def memory_target(measured: list[Measured]) -> tuple[str, ...]:
    """Compare the memory of the large Cox model with its covariates."""
    ours = fastest(about(measured, MEMORY_TARGET.task, "engine"))
    title = "Peak memory beyond the data, Cox 1e6 x 20"
    if ours is None or ours.peak_bytes is None:
        return title, "2 copies of X", "", "", "", "not measured"
    copies = ours.peak_bytes / MEMORY_TARGET.bytes
    text = f"{ours.peak_bytes / MB:.0f} MB, Numba itself included"
    return title, "2 copies of X", text, f"X: {MEMORY_TARGET.bytes / MB:.0f} MB", f"{copies:.2f}", verdict(copies, 2.0)


def registry_targets(measured: list[Measured]) -> list[tuple[str, ...]]:
    """Compare the Cox model on chunks with a gigabyte, and with reading the chunks alone."""
    title = "Cox on 1e8 people, categorical covariates, from_chunks"
    found = {one.route.split()[-1]: one for one in about(measured, "registry") if not one.failure}
    reading, fitted = found.get("alone"), found.get("fit_cox")
    if reading is None or fitted is None:
        return [(title, "below 1 GB; at the cost of reading the chunks", "", "", "", "not measured")]
    size = fitted.process_bytes or 0
    ratio = fitted.best / reading.best
    return [
        (
            title,
            "below 1 GB",
            f"{size / MB:.0f} MB, the whole process",
            "",
            f"{size / REGISTRY_BYTES:.2f}",
            verdict(size, REGISTRY_BYTES),
        ),
        (
            title,
            f"reading, counting and fitting at most {REGISTRY_TIMES:g} times reading",
            time(fitted),
            f"{time(reading)} (reading the chunks alone)",
            f"{ratio:.3f}",
            verdict(ratio, REGISTRY_TIMES),
        ),
    ]


def growth_target(measured: list[Measured]) -> tuple[str, ...]:
    """Tell the steepest growth between the two largest sizes of any estimator."""
    title = "Time grows linearly to 1e7 people"
    steps = {one.route: exponents(one.result)[-1] for one in about(measured, "growth") if not one.failure}
    if not steps:
        return title, "exponent about 1", "", "", "", "not measured"
    worst = max(steps, key=lambda name: steps[name])
    return (
        title,
        f"exponent below {STEEPEST:g}",
        f"{steps[worst]:.2f} ({worst})",
        "",
        "",
        verdict(steps[worst], STEEPEST),
    )


# ------------------------------------------------------------------------------------------------ one task


def programs_table(task: Task, measured: list[Measured]) -> str:
    """List every program's way to do a task, the fastest first."""
    rows = about(measured, task.name)
    ours, reference = fastest(about(rows, task.name, "engine")), right_numbers(rows)
    done = sorted((one for one in rows if not one.failure), key=lambda one: one.best)
    lines = [(*numbers(one, ours, task.unit), agreement(task, one, reference)) for one in done]
    lines += [(TITLES[one.program], one.route, one.failure, "", "", "", "", "") for one in rows if one.failure]
    unit = "seconds" if task.unit == "run" else f"seconds a {task.unit}"
    heads = ("program", "way", f"wall {unit}", "first time", "processor", "peak MB", "times riskset's", "numbers")
    return table(heads, lines)


def numbers(one: Measured, ours: Measured | None, unit: str) -> tuple[str, ...]:
    """Render the times and the memory of one way to do a task."""
    peak = "" if one.peak_bytes is None or unit != "run" else f"{one.peak_bytes / MB:.0f}"
    beside = "" if ours is None else f"{one.best / ours.best:.2f}"
    processor = f"{min(one.processor) / one.units:.3g}"
    return TITLES[one.program], one.route, f"{one.best:.3g}", f"{one.first:.3g}", processor, peak, beside


def right_numbers(rows: Iterable[Measured]) -> Measured | None:
    """Choose what the others are compared with: R, else the second implementation of it, else ours."""
    done = [one for one in rows if not one.failure]
    for program in ("r", "survival", "engine"):
        for one in done:
            if one.program == program:
                return one
    return None


def agreement(task: Task, one: Measured, reference: Measured | None) -> str:
    """Say how far the numbers lie from the reference's, and mark those that lie too far."""
    if reference is None or one is reference:
        return "reference"
    apart, room = 0.0, 0.0
    for name, allowed in task.agree.items():
        mine, right = one.result[name], reference.result[name]
        if len(mine) != len(right):
            return "**other numbers**"
        largest = max(abs(value) for value in right)
        apart = max(apart, *(abs(a - b) / largest for a, b in zip(mine, right, strict=True)))
        room = max(room, allowed)
    if apart <= ROUNDING:
        return "agree"
    return f"agree to {apart:.0e}" if apart <= room else f"**off by {apart:.0e}**"


# ------------------------------------------------------------------------------------------------ ours alone


def registry(measured: list[Measured]) -> str:
    """Show the registry that is read in chunks."""
    rows = [
        (one.route, one.failure)
        if one.failure
        else (one.route, f"{one.best:.2f}", f"{one.first:.2f}", f"{(one.process_bytes or 0) / MB:.0f}")
        for one in about(measured, "registry")
    ]
    return table(("work", "wall seconds", "first time", "whole process MB"), [pad(row, 4) for row in rows])


def growth(measured: list[Measured]) -> str:
    """Show nanoseconds a person at each size, and the exponent of the last step."""
    rows = about(measured, "growth")
    sizes = next((one.result["rows"] for one in rows if not one.failure), [])
    lines: list[tuple[str, ...]] = []
    for one in rows:
        if one.failure:
            lines.append((one.route, one.failure))
            continue
        each = [f"{1e9 * s / n:.1f}" for s, n in zip(one.result["seconds"], sizes, strict=True)]
        lines.append((one.route, *each, *(f"{step:.2f}" for step in exponents(one.result)[-1:])))
    heads = ("ns a person", *(f"{size:,}" for size in sizes), "exponent of the last step")
    return table(heads, [pad(line, len(heads)) for line in lines])


def exponents(result: dict[str, Any]) -> list[float]:
    """Give the slope of log time over log people between neighbouring sizes: 1 is linear."""
    points = list(zip(result["rows"], result["seconds"], strict=True))
    return [log10(t2 / t1) / log10(n2 / n1) for (n1, t1), (n2, t2) in itertools.pairwise(points)]


def surroundings(record: dict[str, Any]) -> str:
    """Name the programs, those that are missing, and the machine."""
    there = [(TITLES[name], version) for name, version in record["programs"].items()]
    missing = [(TITLES[name], why) for name, why in record["absent"].items()]
    return table(("program", "version"), there + missing) + "\n\n" + table(("machine", ""), record["machine"].items())


# ------------------------------------------------------------------------------------------------ words


def time(one: Measured | None) -> str:
    """Give a time in words, a small one of repeated work as work a second."""
    if one is None:
        return ""
    if one.units > 1:
        return f"{1 / one.best:,.0f} a second"
    return f"{one.best:.3g} s"


def pad(cells: Sequence[str], width: int) -> tuple[str, ...]:
    """Fill a short row with empty cells."""
    return (*cells, *[""] * (width - len(cells)))


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Lay a Markdown table out with straight columns."""
    lines = [tuple(heads), *(tuple(row) for row in rows)]
    widths = [max(len(line[j]) for line in lines) for j in range(len(heads))]
    laid = [
        "| " + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) + " |" for line in lines
    ]
    return "\n".join([laid[0], "|" + "|".join("-" * (width + 2) for width in widths) + "|", *laid[1:]])


PAGE = """# Benchmarks of the survival engine

`riskset.survival` beside the programs that a user could take instead: the same data, one run, one machine. This page is
written by `python3 tools/dev.py bench --write`; everything below the line is what that run measured.

## Run it yourself

| command | what it does |
|---|---|
| `python3 tools/dev.py bench --peers` | installs the Python programs into `out/peers`; coxstream needs a C compiler |
| `make bench` | measures all that is there and prints the tables; also the demo and `riskset --help` |
| `python3 tools/dev.py bench --write` | measures the engine and the other programs, and writes this page |
| `python3 tools/dev.py bench --quick` | shows in a minute that everything runs; its times mean nothing |

None of the other programs is needed. One that is absent is listed as absent, with the way to install it. R with its
package `survival` is found on the `PATH`. The simulated data take 0.7 GB under `out/bench`. The machine should be idle.

## How it is measured

- **People.** All are simulated with a fixed seed (`benchmarks/_simulate.py`): exponential times to death and to
  leaving, half of them with the event, ten years at most. *Day times* are whole days (3,650 of them), as studies record
  them; *continuous times* are the same before rounding up, nearly all different.
- **A program's ways.** A program may offer several ways to do the same; each that a user would think of is measured,
  and targets take the fastest. Each runs in a process of its own, on arrays in memory laid out as that program likes
  them best. Reading and converting the data is not timed; all that it does with them is, sorting and checking included.
- **Time.** Wall time, the best of the repeats within three seconds (two at least, where the first took less than 4 s).
  *First time* is the first call in a new process: for riskset it includes loading Numba and its cached kernels.
  *Processor* adds up all threads. No program is told how many threads to use.
- **Patience.** Work is broken off after {patience:.0f} s, or {long:.0f} s where a target names the program. What was
  too slow for day times is not tried on continuous times.
- **Peak MB** is the highest memory of the first time beyond what the process held before it, data included (Linux).
- **Numbers** are compared with R's where R came to an end, else with those of survival (Rust), else with riskset's:
  relative to the largest of the coefficients, of the survival at four times, or to the chi-square. A fast wrong answer
  is marked.

## What to know when reading it

- Most programs do not merge times that differ by rounding alone, as R and riskset do; on ten million continuous times
  this moves their numbers in the ninth digit, and saves them the work.
- Bootstraps and permutations draw different random numbers in each program, so they agree as far as chance lets them. A
  loop around another program's fit does not pay for the drawing (it is done before), riskset does. Programs that fit a
  few a second are given fewer replicates; times are for one replicate.
- riskset's permutation test divides by the variance over all permutations, which is the same for each; the loops
  compute the whole log-rank test each time. The P values agree up to chance.
- scikit-survival's Cox model gives no standard errors, coxstream's nothing beyond coefficients and their variance;
  R's coxph, lifelines' and riskset's results hold more, in riskset's case partly computed when asked for.

---

"""


def page(text: str) -> str:
    """Give BENCHMARKS.md: how it is measured, the tables, and what was remarked about a run by hand."""
    remarks = (Path(__file__).parent / "remarks.md").read_text(encoding="utf-8")
    return f"{PAGE.format(patience=PATIENCE, long=3 * PATIENCE)}{text}\n\n{remarks}"
