"""Reference numbers from R, and the comparison of ours with them."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskset.survival import Surv

REFERENCE = Path(__file__).resolve().parent.parent / "reference" / "survival"

# The design's promise: coefficients and S to 1e-9, P values to 1e-8 relative.
VALUE = 1e-9
P_VALUE = 1e-8
# A number this much smaller than the largest beside it is compared as if it had this size.
NEAR_ZERO = 1e-3


@cache
def reference(name: str) -> dict[str, Any]:
    """Read what the R script `name` wrote: one entry a case."""
    return json.loads((REFERENCE / f"{name}.json").read_text(encoding="utf-8"))["value"]


def floats(values: ArrayLike | None) -> NDArray[np.float64]:
    """Turn JSON numbers into an array, null into NaN."""
    return np.array(values, dtype=object).astype(np.float64)


def assert_close(ours: ArrayLike, theirs: ArrayLike, tolerance: float, what: str = "") -> None:
    """Compare shape, then the places of NaN, then values: relatively, and beside the largest where one is near 0."""
    a, b = floats(ours), floats(theirs)
    assert a.shape == b.shape, f"{what}: shape {a.shape}, reference {b.shape}"
    assert np.array_equal(np.isnan(a), np.isnan(b)), f"{what}: NaN at {np.isnan(a)}, reference {np.isnan(b)}"
    known = ~np.isnan(a)
    if not known.any():
        return
    size = np.maximum(np.abs(b[known]), NEAR_ZERO * np.abs(b[known]).max())
    excess = np.abs(a[known] - b[known]) / np.where(size > 0, size, 1.0)
    assert (excess <= tolerance).all(), f"{what}: off by {excess.max():.3g}, allowed {tolerance:.3g}"


def assert_close_p(ours: ArrayLike, theirs: ArrayLike, tolerance: float = P_VALUE, what: str = "") -> None:
    """Compare P values by their ratio, however small they are; below 1e-300 only their smallness counts."""
    a, b = floats(ours), floats(theirs)
    assert a.shape == b.shape, f"{what}: shape {a.shape}, reference {b.shape}"
    assert np.array_equal(np.isnan(a), np.isnan(b)), f"{what}: NaN at {np.isnan(a)}, reference {np.isnan(b)}"
    compared = b > 1e-300
    assert (a[b <= 1e-300] <= 1e-300).all(), what
    excess = np.abs(a[compared] / b[compared] - 1.0)
    assert (excess <= tolerance).all(), f"{what}: P off by {excess.max():.3g} relative, allowed {tolerance:.3g}"


def surv_of(case: dict[str, Any], *, weighted: bool = True) -> Surv:
    """Build the outcome of a case, with its delayed entry and weights where it has them."""
    weight = case.get("weight") if weighted else None
    return Surv(case["time"], case["event"], entry=case.get("entry"), weight=weight)
