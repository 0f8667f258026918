"""coxstream (MIT): Cox models alone, Efron ties, one pass over time-sorted rows a step, a Cython kernel.

From the registry it comes as source and is compiled for this machine's processor (`-O3 -ffast-math -march=native`).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from _data import TIMES, load
from coxstream import CoxStream

VERSION = version("coxstream")


def cox(size: str, kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, size)
        time, event = people[TIMES[kind]].astype(np.float64), people["event"].astype(np.int32)

        def run() -> tuple[dict[str, Any], int]:
            fit = CoxStream().fit(time, event, people["x"])
            return {"coefficient": fit.coef_.tolist(), "standard_error": fit.standard_errors_.tolist()}, 1

        return run

    return prepare


ROUTES = {f"{size}_{kind}": {"CoxStream.fit": cox(size, kind)} for size in ("cox_20", "cox_5") for kind in TIMES}
