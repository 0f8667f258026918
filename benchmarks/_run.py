"""Give one task to one program in a process of its own, and print what it took as JSON.

    python benchmarks/_run.py PROGRAM                              its version and its routes
    python benchmarks/_run.py PROGRAM TASK ROUTE DATA [SECONDS]    `ready` before the work, then one line of JSON

PROGRAM is a file of `peers/` or `engine`. It names its VERSION and its ROUTES: for each task the ways in which a user
would ask for it, each a function that is given the folder of the data and returns the function to be timed, which
returns the numbers and how many times the work was done (fits, permutations). Laying the data out as the program likes
it best is not timed. The work is repeated until SECONDS are over.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

HERE = Path(__file__).resolve().parent
AT_MOST = 7
# A first time that takes longer than this many seconds is not repeated; a shorter one is, so that a warm one is known.
ONCE = 4.0
STATUS = Path("/proc/self/status")
CLEAR = Path("/proc/self/clear_refs")

Result = dict[str, Any]


def load_program(name: str) -> ModuleType:
    """Import a program's file under a name of its own: `peers/lifelines.py` must not hide the package lifelines."""
    path = HERE / f"{name}.py" if (HERE / f"{name}.py").is_file() else HERE / "peers" / f"{name}.py"
    spec = importlib.util.spec_from_file_location(f"program_{name}", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def memory(field: str) -> int | None:
    """Give a number of bytes that Linux knows of this process: VmRSS now, VmHWM at its highest."""
    if not STATUS.is_file():
        return None
    lines = STATUS.read_text(encoding="utf-8").splitlines()
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{field}:")), None)


def forget_peak() -> None:
    """Let the highest memory be counted from here on."""
    if CLEAR.is_file():
        CLEAR.write_text("5", encoding="utf-8")


def known_cold_alone(seconds: list[float], limit: float) -> bool:
    """Say whether a short piece of work was done once: nothing is known of it warm. No limit, no second time."""
    return limit > 0 and len(seconds) == 1 and seconds[0] < ONCE


def measure(work: Callable[[], tuple[Result, int]], limit: float) -> Result:
    """Repeat `work`; give wall and processor seconds of each time, and the first time's peak memory."""
    before = memory("VmRSS")
    forget_peak()
    seconds: list[float] = []
    processor: list[float] = []
    peak = highest = None
    while not seconds or (len(seconds) < AT_MOST and (sum(seconds) < limit or known_cold_alone(seconds, limit))):
        wall, used = time.perf_counter(), time.process_time()
        result, units = work()
        seconds.append(time.perf_counter() - wall)
        processor.append(time.process_time() - used)
        if len(seconds) == 1 and before is not None:
            highest = memory("VmHWM") or 0
            peak = highest - before
    return {
        "seconds": seconds,
        "processor": processor,
        "units": units,
        "peak_bytes": peak,
        "process_bytes": highest,
        "result": result,
    }


def main(arguments: list[str]) -> int:
    """Tell the program's routes, or measure one of them."""
    name, *asked = arguments
    program = load_program(name)
    about = {"program": name, "version": program.VERSION, "python": platform.python_version()}
    if not asked:
        print(json.dumps({**about, "routes": {task: list(routes) for task, routes in program.ROUTES.items()}}))
        return 0
    task, route, folder, *rest = asked
    work = program.ROUTES[task][route](Path(folder))
    print("ready", flush=True)
    measured = measure(work, float(rest[0]) if rest else 3.0)
    print(json.dumps({**about, "task": task, "route": route, **measured}, allow_nan=False))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
