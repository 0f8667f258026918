"""The bundled study from raw files to the finished report: wall time of a new process, and its parts.

Each run is a process of its own that writes to a new folder, so nothing of riskset is warm. The parts are the run's
own step timings (`private/timings.json`: step -> seconds); what they leave is Python starting, importing
and drawing the console.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

from _measure import RISKSET, seconds, verdict

AIM = 8.0
RUNS = 3


def one_run(out: Path) -> tuple[float, dict[str, float]]:
    """Run the demo once; give its wall time and its step timings, in seconds."""
    taken = seconds(RISKSET, "demo", "--out", out)
    return taken, json.loads((out / "private" / "timings.json").read_text(encoding="utf-8"))


def main() -> None:
    """Run the demo a few times and print the first and the median run."""
    with tempfile.TemporaryDirectory() as folder:
        runs = [one_run(Path(folder) / f"run{number}") for number in range(RUNS)]
    first = runs[0][0]
    taken, steps = sorted(runs, key=lambda run: run[0])[RUNS // 2]
    print(f"riskset demo: first run {verdict(first, AIM)}, median of {RUNS} {verdict(taken, AIM)}")
    print("  parts of the median run:")
    for step, part in {**steps, "start, imports, console": taken - sum(steps.values())}.items():
        print(f"  {step:<28}{part:7.2f} s  {part / taken:4.0%}")


if __name__ == "__main__":
    main()
