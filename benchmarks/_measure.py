"""How a benchmark runs a command: as its user would, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
import time
from pathlib import Path

RISKSET = Path(sysconfig.get_path("scripts")) / ("riskset.exe" if os.name == "nt" else "riskset")


def seconds(*command: str | Path) -> float:
    """Run a command to its end and give its wall time in seconds; a failing command ends the benchmark."""
    # Users keep Python's compiled files, so measuring without them would measure something else.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    done = subprocess.run(
        [str(part) for part in command],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
    )
    taken = time.perf_counter() - start
    if done.returncode:
        last = (done.stderr.strip().splitlines() or ["it said nothing"])[-1]
        sys.exit(f"{' '.join(map(str, command))} ended with {done.returncode}: {last}")
    return taken


def verdict(taken: float, aim: float) -> str:
    """Put a time beside its aim, both in seconds."""
    return f"{taken:.2f} s (aim: below {aim:g} s{'' if taken < aim else ', missed'})"
