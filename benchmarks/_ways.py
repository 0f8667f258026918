"""How a program's functions become its routes: the loops and the laying out of data that all peers share."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from _data import TIMES, Arrays, load, spread
from numpy.typing import DTypeLike, NDArray

Prepare = Callable[[Path], Callable[[], tuple[dict[str, Any], int]]]


def as_they_are(*arrays: Any) -> tuple[Any, ...]:
    """Hand the arrays on."""
    return arrays


@dataclass(frozen=True)
class Way:
    """One way of a program to do one kind of work.

    `layout` turns `time, event` and, where there are any, `x` or `group` into the arguments of `work` as the program
    likes them best: it is not timed. `work` gives the numbers that are compared: coefficients, survival at
    `_data.READ_AT`, or a chi-square. `replicates` is how often it is done in a bootstrap or a permutation test.
    """

    work: Callable[..., Any]
    layout: Callable[..., tuple[Any, ...]] = as_they_are
    replicates: int = 0


Ways = Mapping[str, Way]


def routes(
    event_type: DTypeLike,
    cox: Ways,
    *,
    curve: Ways | None = None,
    test: Ways | None = None,
    bootstrap: Ways | None = None,
    permutation: Ways | None = None,
) -> dict[str, dict[str, Prepare]]:
    """Give a program's routes to every task that it has a way for; its events have the type `event_type`."""
    made: dict[str, dict[str, Prepare]] = {}
    for kind in TIMES:
        for size in ("cox_20", "cox_5"):
            made[f"{size}_{kind}"] = {n: once(way, size, kind, event_type, ("x",)) for n, way in cox.items()}
        made[f"km_{kind}"] = {n: once(way, "arms", kind, event_type) for n, way in (curve or {}).items()}
        made[f"logrank_{kind}"] = {
            n: once(way, "arms", kind, event_type, ("group",)) for n, way in (test or {}).items()
        }
    made["bootstrap"] = {f"{n} in a loop": resampling(way, event_type) for n, way in (bootstrap or {}).items()}
    made["permutation"] = {f"{n} in a loop": permuting(way, event_type) for n, way in (permutation or {}).items()}
    return made


def once(way: Way, people: str, kind: str, event_type: DTypeLike, more: tuple[str, ...] = ()) -> Prepare:
    """Do the work one time."""
    words = {"x": "coefficient", "group": "chi_square"}

    def prepare(folder: Path) -> Any:
        arrays = load(folder, people)
        ready = way.layout(*outcome(arrays, kind, event_type), *(arrays[name] for name in more))

        def run() -> tuple[dict[str, Any], int]:
            numbers = np.ravel(way.work(*ready)).astype(np.float64).tolist()
            return {words[more[0]] if more else "survival": numbers}, 1

        return run

    return prepare


def resampling(way: Way, event_type: DTypeLike) -> Prepare:
    """Fit to samples with replacement, one after the other; drawing them is not timed."""

    def prepare(folder: Path) -> Any:
        people = load(folder, "small")
        n = people["day"].shape[0]
        rows = np.random.default_rng(7).integers(0, n, (way.replicates, n))
        samples = [{name: values[picked] for name, values in people.items()} for picked in rows]
        ready = [way.layout(*outcome(sample, "days", event_type), sample["x"]) for sample in samples]

        def run() -> tuple[dict[str, Any], int]:
            coefficients = np.array([np.ravel(way.work(*sample)) for sample in ready])
            return {"spread": spread(coefficients)}, len(ready)

        return run

    return prepare


def permuting(way: Way, event_type: DTypeLike) -> Prepare:
    """Test with the groups dealt anew, one time after the other; dealing is not timed."""

    def prepare(folder: Path) -> Any:
        people = load(folder, "small")
        rng = np.random.default_rng(8)
        groups = [people["group"], *(rng.permutation(people["group"]) for _ in range(way.replicates))]
        ready = [way.layout(*outcome(people, "days", event_type), group) for group in groups]

        def run() -> tuple[dict[str, Any], int]:
            statistic = np.array([float(way.work(*arguments)) for arguments in ready])
            beyond = np.sum(statistic >= statistic[0] * (1 - 1e-9))
            return {"p_value": [float(beyond) / len(ready)]}, way.replicates

        return run

    return prepare


def outcome(people: Arrays, kind: str, event_type: DTypeLike) -> tuple[NDArray[np.float64], NDArray[Any]]:
    """Give the times as floating-point numbers and the events in the type that the program takes."""
    return people[TIMES[kind]].astype(np.float64), people["event"].astype(event_type)
