"""greenwood (MIT): a younger survival package for Python; NumPy and any data frame."""

from __future__ import annotations

from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
from _data import READ_AT, TIMES, load, permuted, resampled, share_beyond, spread
from greenwood import CoxPH, KaplanMeier, Surv, logrank_test

VERSION = version("greenwood")


def cox(size: str, kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, size)
        time, event = people[TIMES[kind]].astype(np.float64), people["event"]

        def run() -> tuple[dict[str, Any], int]:
            fit = CoxPH().fit(Surv(time=time, event=event), people["x"])
            return {"coefficient": fit.coef_.tolist(), "standard_error": fit.std_error_.tolist()}, 1

        return run

    return prepare


def kaplan_meier(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"]

        def run() -> tuple[dict[str, Any], int]:
            curve = KaplanMeier().fit(Surv(time=time, event=event))
            return {"survival": np.ravel(curve.predict(READ_AT)).astype(float).tolist()}, 1

        return run

    return prepare


def logrank(kind: str) -> Callable[[Path], Any]:
    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")
        time, event = people[TIMES[kind]].astype(np.float64), people["event"]

        def run() -> tuple[dict[str, Any], int]:
            test = logrank_test(Surv(time=time, event=event), people["group"])
            return {"chi_square": [float(test.statistic)]}, 1

        return run

    return prepare


def bootstrap(folder: Path) -> Any:
    samples = resampled(load(folder, "small"), 300)

    def run() -> tuple[dict[str, Any], int]:
        fits = [CoxPH().fit(Surv(time=s["day"], event=s["event"]), s["x"]).coef_ for s in samples]
        return {"spread": spread(np.array(fits))}, len(fits)

    return run


def permutation(folder: Path) -> Any:
    people = load(folder, "small")
    groups = permuted(people["group"], 1000)

    def run() -> tuple[dict[str, Any], int]:
        surv = Surv(time=people["day"], event=people["event"])
        drawn = np.array([float(logrank_test(surv, group).statistic) for group in groups])
        return {"p_value": [share_beyond(drawn, float(logrank_test(surv, people["group"]).statistic))]}, len(groups)

    return run


ROUTES: dict[str, dict[str, Callable[[Path], Any]]] = {
    **{f"{size}_{kind}": {"CoxPH": cox(size, kind)} for size in ("cox_20", "cox_5") for kind in TIMES},
    **{f"km_{kind}": {"KaplanMeier": kaplan_meier(kind)} for kind in TIMES},
    **{f"logrank_{kind}": {"logrank_test": logrank(kind)} for kind in TIMES},
    "bootstrap": {"CoxPH in a loop": bootstrap},
    "permutation": {"logrank_test in a loop": permutation},
}
