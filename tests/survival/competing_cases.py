"""Data with competing causes: those of the R scripts, and small drawn ones."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib import metadata
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import assume
from hypothesis import strategies as st
from numpy.typing import NDArray

from riskset.survival import Surv

from .helpers import reference

Array = NDArray[Any]

CASES: dict[str, Any] = reference("competing_data")["cases"]


class Sample(NamedTuple):
    surv: Surv
    group: Array
    x: Array
    cluster: Array
    seed: int


@st.composite
def samples(draw: st.DrawFn, *, delayed: bool = False, counted: bool = False, fractional: bool = False) -> Sample:
    """Draw a small tied sample with events of two causes, two groups and one covariate beside."""
    n = draw(st.integers(8, 26))
    numbers = lambda low, high: np.array(draw(st.lists(st.integers(low, high), min_size=n, max_size=n)))  # noqa: E731
    time, event, group = numbers(1, 10), numbers(0, 2), numbers(0, 1)
    assume((event == 1).any() and (event == 2).any() and group.any() and not group.all())
    entry = np.minimum(numbers(0, 6), time - 1) if delayed else None
    weight = numbers(1, 3) if counted else numbers(1, 9) / 4.0 + 0.1 if fractional else None
    x = np.column_stack((group, numbers(-5, 5) / 2.0))
    surv = Surv(time, event, entry=entry, weight=weight)
    return Sample(surv, group, x, numbers(0, 5), draw(st.integers(0, 2**16)))


def written_out(surv: Surv) -> tuple[Surv, Array]:
    """Give the rows that whole-number weights stand for, and each one's place among the weighted rows."""
    assert surv.weight is not None
    rows = np.repeat(np.arange(len(surv)), surv.weight.astype(int))
    entry = None if surv.entry is None else surv.entry[rows]
    return Surv(surv.time[rows], surv.event[rows], entry=entry), rows


def second_oracle(code: str, data: Any) -> Any:
    """Run `code`, which makes `answer` of `data` with the package `survival` from PyPI, called `other`.

    It runs in a process of its own, because among these tests the name `survival` is this folder's.
    """
    try:
        metadata.distribution("survival")
    except metadata.PackageNotFoundError:
        pytest.skip("the package `survival` from PyPI is not installed")
    start = "import json, sys\nimport survival.r as other\ndata = json.load(sys.stdin)\n"
    end = "\nprint(json.dumps(answer))"
    ran = subprocess.run(
        [sys.executable, "-I", "-c", start + code + end],
        input=json.dumps(data),
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=True,
    )
    return json.loads(ran.stdout)
