"""riskset's own engine on the tasks, with the command line of the others (see `_run.py`), and what only it does.

The first time of each process includes loading Numba and its cached kernels, where the engine finds that worthwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from _data import READ_AT, TIMES, load, spread
from _simulate import cohort, kinds_of_patient, registry_chunks, two_arms

import riskset
import riskset.survival as engine

VERSION = riskset.__version__
Prepare = Callable[[Path], Callable[[], tuple[dict[str, Any], int]]]


def cox(size: str, kind: str) -> Prepare:
    """Fit to rows."""

    def prepare(folder: Path) -> Any:
        people = load(folder, size)

        def run() -> tuple[dict[str, Any], int]:
            fit = engine.fit_cox(engine.Surv(people[TIMES[kind]], people["event"]), people["x"])
            numbers = {"coefficient": fit.coefficient.tolist(), "standard_error": fit.standard_error.tolist()}
            return numbers, 1

        return run

    return prepare


def kaplan_meier(kind: str, source: str) -> Prepare:
    """Give the curve with its intervals, from rows (`Surv`) or from counts (`EventTable`)."""

    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")

        def run() -> tuple[dict[str, Any], int]:
            if source == "Surv":
                outcome = engine.Surv(people[TIMES[kind]], people["event"])
            else:
                outcome = engine.EventTable.from_arrays(people[TIMES[kind]], people["event"])
            return {"survival": engine.kaplan_meier(outcome).at(READ_AT).survival.tolist()}, 1

        return run

    return prepare


def logrank(kind: str, source: str) -> Prepare:
    """Compare two groups, from rows or from counts."""

    def prepare(folder: Path) -> Any:
        people = load(folder, "arms")

        def run() -> tuple[dict[str, Any], int]:
            rows, group = (people[TIMES[kind]], people["event"]), people["group"]
            if source == "Surv":
                test = engine.logrank_test(engine.Surv(*rows), group)
            else:
                table = engine.EventTable.from_arrays(*rows, pattern=group)
                test = engine.logrank_test(table, table.patterns)
            return {"chi_square": [test.chi_square]}, 1

        return run

    return prepare


def bootstrap(folder: Path) -> Any:
    """Fit to 20,000 resamples of the small study."""
    people = load(folder, "small")

    def run() -> tuple[dict[str, Any], int]:
        outcome = engine.Surv(people["day"], people["event"])
        drawn = engine.bootstrap_cox(outcome, people["x"], replicates=20_000, seed=1)
        return {"spread": spread(drawn.coefficient)}, 20_000

    return run


def permutation(folder: Path) -> Any:
    """Deal the groups of the small study 10,000 times."""
    people = load(folder, "small")

    def run() -> tuple[dict[str, Any], int]:
        outcome = engine.Surv(people["day"], people["event"])
        test = engine.logrank_permutation(outcome, people["group"], replicates=10_000, seed=1)
        return {"p_value": [float(test.p_value)]}, 10_000

    return run


def read_registry(folder: Path) -> Any:
    """Read the chunks of the registry and do nothing with them: the floor under `count_registry`."""

    def run() -> tuple[dict[str, Any], int]:
        return {"people": [float(sum(chunk["event"].len() for chunk in registry_chunks(folder)))]}, 1

    return run


def count_registry(folder: Path) -> Any:
    """Read the chunks, count them, and fit the Cox model to the counts."""

    def run() -> tuple[dict[str, Any], int]:
        chunks = (
            (chunk["day"].to_numpy(), chunk["event"].to_numpy(), chunk["kind"].to_numpy())
            for chunk in registry_chunks(folder)
        )
        table = engine.EventTable.from_chunks(chunks)
        fit = engine.fit_cox(table, kinds_of_patient())
        return {"people": [float(table.n)], "coefficient": fit.coefficient.tolist()}, 1

    return run


def growth(folder: Path, prepare: Callable[[int], Callable[[int], Any]]) -> Any:
    """Time one estimator on ten times as many people at each step; the biggest is a hundredth in the quick mode."""
    largest = load(folder, "arms")["day"].shape[0]
    rows = [largest // 10**k for k in (3, 2, 1, 0)]
    work = prepare(largest)

    def run() -> tuple[dict[str, Any], int]:
        work(rows[-2])
        best = [min(timed(work, n) for _ in range(repeats)) for n, repeats in zip(rows, (20, 10, 3, 2), strict=True)]
        return {"rows": rows, "seconds": best}, 1

    return run


def timed(work: Callable[[int], Any], n: int) -> float:
    """Give the wall seconds of one piece of work."""
    start = time.perf_counter()
    work(n)
    return time.perf_counter() - start


def growing_cox(kind: str) -> Callable[[int], Callable[[int], Any]]:
    """Fit 5 covariates to the first n people."""

    def prepare(largest: int) -> Callable[[int], Any]:
        people = cohort(largest, 5, 900)
        return lambda n: engine.fit_cox(engine.Surv(people[TIMES[kind]][:n], people["event"][:n]), people["x"][:n])

    return prepare


def growing_curve(kind: str) -> Callable[[int], Callable[[int], Any]]:
    """Give the curve of the first n people."""

    def prepare(largest: int) -> Callable[[int], Any]:
        people = two_arms(largest, 901)
        return lambda n: engine.kaplan_meier(engine.Surv(people[TIMES[kind]][:n], people["event"][:n]))

    return prepare


def growing_test(kind: str) -> Callable[[int], Callable[[int], Any]]:
    """Compare the groups of the first n people."""

    def prepare(largest: int) -> Callable[[int], Any]:
        people = two_arms(largest, 902)
        return lambda n: engine.logrank_test(
            engine.Surv(people[TIMES[kind]][:n], people["event"][:n]), people["group"][:n]
        )

    return prepare


GROWING = {"fit_cox": growing_cox, "kaplan_meier": growing_curve, "logrank_test": growing_test}


def growth_routes(kinds: Iterable[str]) -> dict[str, Prepare]:
    """Name each estimator's growth by the kind of its times."""
    return {
        f"{name}, {kind}": lambda folder, make=make, kind=kind: growth(folder, make(kind))
        for name, make in GROWING.items()
        for kind in kinds
    }


ROUTES: dict[str, dict[str, Prepare]] = {
    **{f"{size}_{kind}": {"fit_cox": cox(size, kind)} for size in ("cox_20", "cox_5") for kind in TIMES},
    "km_days": {"kaplan_meier of Surv": kaplan_meier("days", "Surv"), "of EventTable": kaplan_meier("days", "table")},
    "km_continuous": {"kaplan_meier of Surv": kaplan_meier("continuous", "Surv")},
    "logrank_days": {"logrank_test of Surv": logrank("days", "Surv"), "of EventTable": logrank("days", "table")},
    "logrank_continuous": {"logrank_test of Surv": logrank("continuous", "Surv")},
    "bootstrap": {"bootstrap_cox": bootstrap},
    "permutation": {"logrank_permutation": permutation},
    "registry": {"reading the chunks alone": read_registry, "reading, counting, fit_cox": count_registry},
    "growth": growth_routes(TIMES),
}
