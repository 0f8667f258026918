"""Reads the reference numbers that R wrote (`tests/reference/inference/*.R`) and compares with them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).resolve().parent.parent / "reference" / "inference"


def load(name: str) -> dict[str, Any]:
    return json.loads((FOLDER / f"{name}.json").read_text(encoding="utf-8"))


def assert_agree(ours, theirs, *, rtol: float = 1e-10, atol: float = 1e-13) -> None:
    """Shape first, then the places of NaN, then the values; null in JSON is NaN."""
    left, right = np.asarray(ours, dtype=float), np.asarray(theirs, dtype=float)
    assert left.shape == right.shape
    assert np.array_equal(np.isnan(left), np.isnan(right))
    np.testing.assert_allclose(left, right, rtol=rtol, atol=atol)
