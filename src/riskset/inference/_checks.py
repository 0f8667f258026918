"""What every function of the room refuses: levels outside (0, 1), counts that are none, arrays with holes."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskset.errors import EngineError


def check_level(level: float) -> float:
    """Give the confidence level back, or refuse one outside (0, 1)."""
    if not 0.0 < level < 1.0:
        raise EngineError(f"The confidence level must lie between 0 and 1 (0.95 for 95%), not {level}.")
    return float(level)


def check_share(name: str, share: float) -> float:
    """Give a probability strictly between 0 and 1 back, or refuse it."""
    if not 0.0 < share < 1.0:
        raise EngineError(f"{name} must lie strictly between 0 and 1, not {share}.")
    return float(share)


def check_positive(name: str, value: float) -> float:
    """Give a finite number above 0 back, or refuse it."""
    if not (math.isfinite(value) and value > 0.0):
        raise EngineError(f"{name} must be a finite number above 0, not {value}.")
    return float(value)


def check_events(events: float, n: float, group: str = "") -> tuple[int, int]:
    """Give whole `(events, n)` back, or refuse what cannot be events out of n."""
    where = f" of {group}" if group else ""
    if not (float(events).is_integer() and float(n).is_integer()):
        raise EngineError(f"The counts{where} must be whole numbers: {events} events of {n}.")
    if n < 0 or events < 0 or events > n:
        raise EngineError(f"The events{where} must lie between 0 and n: {events} events of {n}.")
    return int(events), int(n)


def finite_vector(name: str, values: ArrayLike) -> NDArray[np.float64]:
    """Give a one-dimensional float array, or refuse another shape, NaN and infinity.

    Missing values are the caller's to count and leave out: silently dropped here, they would be lost to the
    denominators that the tables print.
    """
    array = np.asarray(values, dtype=np.float64)
    if array.ndim != 1:
        raise EngineError(f"{name} must be one-dimensional, not of shape {array.shape}.")
    if not np.all(np.isfinite(array)):
        raise EngineError(f"{name} holds missing or infinite values; leave them out before the call.")
    return array


def count_table(table: ArrayLike, *, shape: tuple[int, int] | None = None) -> NDArray[np.int64]:
    """Give a two-way table of whole counts, or refuse it; `shape` demands exactly that shape."""
    array = np.asarray(table, dtype=np.float64)
    if array.ndim != 2 or min(array.shape) < 1:
        raise EngineError(f"A contingency table must have rows and columns, not shape {array.shape}.")
    if shape is not None and array.shape != shape:
        raise EngineError(f"This test needs a {shape[0]} x {shape[1]} table, not one of shape {array.shape}.")
    if not np.all(np.isfinite(array)) or np.any(array < 0) or np.any(array != np.floor(array)):
        raise EngineError("A contingency table must hold whole counts of 0 or more.")
    return array.astype(np.int64)
