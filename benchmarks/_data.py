"""The arrays that every program is measured on, as `_simulate.py` has written them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = dict[str, NDArray[Any]]

# When the survival curves are read, in days.
READ_AT = (182.0, 365.0, 1095.0, 1825.0)
# The task's name ends in the kind of its times.
TIMES = {"days": "day", "continuous": "exact"}


def load(folder: Path, name: str) -> Arrays:
    """Read the arrays of the set `name` into memory."""
    return {path.name.split(".")[1]: np.load(path) for path in sorted(folder.glob(f"{name}.*.npy"))}


def resampled(people: Arrays, replicates: int) -> list[Arrays]:
    """Draw patients with replacement as often as told, sorted by nothing: what a bootstrap by hand fits to."""
    rng = np.random.default_rng(7)
    rows = rng.integers(0, people["day"].shape[0], (replicates, people["day"].shape[0]))
    return [{name: values[picked] for name, values in people.items()} for picked in rows]


def permuted(group: NDArray[Any], replicates: int) -> list[NDArray[Any]]:
    """Deal the groups anew as often as told."""
    rng = np.random.default_rng(8)
    return [rng.permutation(group) for _ in range(replicates)]


def spread(coefficients: NDArray[np.float64]) -> list[float]:
    """Give the interquartile range of each coefficient over the replicates (rows): what two bootstraps agree on."""
    low, high = np.quantile(coefficients, [0.25, 0.75], axis=0)
    return [float(value) for value in high - low]


def share_beyond(statistics: NDArray[np.float64], observed: float) -> float:
    """Give the permutation P value: the share of statistics at least as large as the observed one, itself counted."""
    return float((1 + np.sum(statistics >= observed * (1 - 1e-9))) / (1 + statistics.shape[0]))
