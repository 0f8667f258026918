"""The programs that are compared: which are there, and how a task is given to one of them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
PEERS_HOME = HERE.parent / "out" / "peers"
INSTALL_PEERS = "python3 tools/dev.py bench --peers"
INSTALL_R = "R with the packages survival and jsonlite (Debian and Ubuntu: apt install r-cran-survival r-cran-jsonlite)"

# Work that takes longer than this many seconds is broken off, three times as late where a target names its program.
PATIENCE = 10.0
# Until the data are read.
START = 120.0

TITLES = {
    "engine": "riskset",
    "r": "R survival",
    "coxstream": "coxstream",
    "survival": "survival (Rust)",
    "lifelines": "lifelines",
    "scikit_survival": "scikit-survival",
    "statsmodels": "statsmodels",
    "greenwood": "greenwood",
}


@dataclass(frozen=True)
class Program:
    """A program that is there: how it is started, its version, and its routes to each task."""

    name: str
    command: tuple[str, ...]
    version: str
    routes: dict[str, list[str]]

    @property
    def title(self) -> str:
        """Give the name that a reader knows it by."""
        return TITLES[self.name]


@dataclass(frozen=True)
class Measured:
    """What one route of one program took; `failure` says why there is no time."""

    program: str
    task: str
    route: str
    seconds: list[float] = field(default_factory=list)
    processor: list[float] = field(default_factory=list)
    units: int = 1
    peak_bytes: int | None = None
    process_bytes: int | None = None
    result: dict[str, Any] = field(default_factory=dict)
    failure: str = ""

    @property
    def best(self) -> float:
        """Give the wall seconds for one unit of the work at its fastest."""
        return min(self.seconds) / self.units

    @property
    def first(self) -> float:
        """Give the wall seconds of the first time in a new process, for one unit."""
        return self.seconds[0] / self.units


def peers_python() -> str:
    """Give the Python that has the peers: that of `out/peers`, else the one that runs this."""
    python = PEERS_HOME / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    return str(python) if python.is_file() else sys.executable


def find(names: list[str] | None = None) -> tuple[list[Program], dict[str, str]]:
    """Give the programs that answer, and for each other one why it does not and how to install it."""
    there, absent = [], {}
    for name in names or list(TITLES):
        command, remedy = _command(name)
        if command is None:
            absent[name] = f"not installed: {remedy}"
            continue
        done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace")
        if done.returncode:
            absent[name] = f"does not start ({_last_line(done.stderr)}): {remedy}"
            continue
        about = json.loads(done.stdout.strip().splitlines()[-1])
        there.append(Program(name, command, about["version"], about["routes"]))
    return there, absent


def run(program: Program, task: str, route: str, data: Path, patience: float, seconds: float) -> Measured:
    """Measure one route in a process of its own, broken off `patience` seconds after the data are read."""
    command = (*program.command, task, route, str(data), str(seconds))
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, encoding="utf-8", errors="replace"
    )
    assert process.stdout is not None
    alarm = threading.Timer(START, process.kill)
    alarm.start()
    ready = process.stdout.readline().strip() == "ready"
    alarm.cancel()
    try:
        said, complaints = process.communicate(timeout=patience)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return Measured(program.name, task, route, failure=f"more than {patience:.0f} s")
    if process.returncode or not ready:
        return Measured(program.name, task, route, failure=f"failed: {_last_line(complaints)}")
    numbers = json.loads(said.strip().splitlines()[-1])
    return Measured(**{name: numbers[name] for name in Measured.__dataclass_fields__ if name in numbers})


def _command(name: str) -> tuple[tuple[str, ...] | None, str]:
    if name == "r":
        rscript = shutil.which("Rscript")
        return (None if rscript is None else (rscript, str(HERE / "peers" / "r.R"))), INSTALL_R
    python = sys.executable if name == "engine" else peers_python()
    return (python, str(HERE / "_run.py"), name), INSTALL_PEERS


def _last_line(text: str) -> str:
    return (text.strip().splitlines() or ["it said nothing"])[-1]
