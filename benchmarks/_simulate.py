"""Draw the simulated people that every program is measured on: the same numbers at each making.

Times are whole days, as studies record them (`day`), or what they were before they were rounded up (`exact`). About
half of the people have the event; the others are censored when they leave or after ten years. Nobody is real.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import polars as pl
from _data import Arrays
from numpy.typing import NDArray

SEED = 20261101
LAST_DAY = 3650
# What a program gets to do is a hundredth in the quick mode, which proves that all of it runs and measures nothing.
QUICK = 100
REGISTRY_FILES = 100
# The registry's people are known by four characteristics alone: 3 x 2 x 2 x 4 = 48 kinds of patient.
LEVELS = (3, 2, 2, 4)


def kinds_of_patient() -> NDArray[np.float64]:
    """Give the dummy columns of the kinds of patient, in the order of their codes: shape (48, 7)."""
    level = np.array(list(np.ndindex(LEVELS)))
    columns = [level[:, j] == k for j, size in enumerate(LEVELS) for k in range(1, size)]
    return np.column_stack(columns).astype(np.float64)


def make(folder: Path, quick: bool) -> None:
    """Write every set of arrays into `folder`, unless they are there from an earlier run of this same file."""
    part = QUICK if quick else 1
    stamp = {"seed": SEED, "part": part, "version": 1}
    done = folder / "made.json"
    if done.is_file() and json.loads(done.read_text(encoding="utf-8")) == stamp:
        return
    folder.mkdir(parents=True, exist_ok=True)
    sets: dict[str, Callable[[], Arrays]] = {
        "cox_20": lambda: cohort(1_000_000 // part, 20, 1),
        "cox_5": lambda: cohort(1_000_000 // part, 5, 2),
        "arms": lambda: two_arms(10_000_000 // part, 3),
        "small": lambda: small_study(4),
    }
    for name, draw in sets.items():
        for array, values in draw().items():
            np.save(folder / f"{name}.{array}.npy", values)
    for number in range(REGISTRY_FILES):
        registry(1_000_000 // part, 5 + number).write_parquet(folder / f"registry{number:02}.parquet")
    done.write_text(json.dumps(stamp), encoding="utf-8", newline="\n")


def registry_chunks(folder: Path) -> Iterator[pl.DataFrame]:
    """Read the registry piece by piece, each file when it is asked for."""
    for path in sorted(folder.glob("registry*.parquet")):
        yield pl.read_parquet(path)


def times(rng: np.random.Generator, risk: NDArray[np.float64]) -> Arrays:
    """Draw the days until death or censoring of people whose log hazard ratio is `risk` (shape (n,))."""
    death = rng.exponential(1700.0, risk.shape[0]) * np.exp(-risk)
    leaves = np.minimum(rng.exponential(1700.0, risk.shape[0]), float(LAST_DAY))
    exact = np.minimum(death, leaves)
    return {"day": np.ceil(exact).astype(np.int64), "exact": exact, "event": death <= leaves}


def cohort(n: int, columns: int, seed: int) -> Arrays:
    """Draw n people with `columns` covariates: a fifth of them are yes or no, the others standard normal."""
    rng = np.random.default_rng((SEED, seed))
    x = rng.standard_normal((n, columns))
    flags = columns // 5
    x[:, columns - flags :] = rng.random((n, flags)) < 0.4
    effect = 0.3 * (-1.0) ** np.arange(columns) / np.sqrt(np.arange(columns) + 1.0)
    return {"x": x, **times(rng, x @ effect)}


def two_arms(n: int, seed: int) -> Arrays:
    """Draw n people of two groups whose hazards differ by one in a hundred."""
    rng = np.random.default_rng((SEED, seed))
    group = (rng.random(n) < 0.5).astype(np.int64)
    return {"group": group, **times(rng, -0.01 * group)}


def small_study(seed: int) -> Arrays:
    """Draw a study of 212 patients with 6 covariates and two groups: the size of those that riskset is made for."""
    rng = np.random.default_rng((SEED, seed))
    x = rng.standard_normal((212, 6))
    x[:, 3:] = rng.random((212, 3)) < 0.45
    effect = np.array([0.3, -0.2, 0.1, 0.4, -0.3, 0.2])
    return {"x": x, "group": x[:, 5].astype(np.int64), **times(rng, x @ effect)}


def registry(n: int, seed: int) -> pl.DataFrame:
    """Draw n people of a registry: the day, whether it is that of death, and the code of the kind of patient."""
    rng = np.random.default_rng((SEED, seed))
    kind = rng.integers(0, np.prod(LEVELS), n)
    risk = kinds_of_patient() @ np.array([0.2, 0.4, -0.3, 0.1, 0.15, -0.1, 0.25])
    drawn = times(rng, risk[kind])
    columns = {"day": drawn["day"].astype(np.int16), "event": drawn["event"], "kind": kind.astype(np.uint8)}
    return pl.DataFrame(columns)
