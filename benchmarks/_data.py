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


def spread(coefficients: NDArray[np.float64]) -> list[float]:
    """Give the interquartile range of each coefficient over the replicates (rows): what two bootstraps agree on."""
    low, high = np.quantile(coefficients, [0.25, 0.75], axis=0)
    return [float(value) for value in high - low]
