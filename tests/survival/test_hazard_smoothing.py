"""The smoothed hazard against closed forms worked out in R, by hand, and its laws."""

from __future__ import annotations

import math
from typing import Any, get_args

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.survival import EventTable, Surv, nelson_aalen, smoothed_hazard
from riskset.survival.hazard_smoothing import Kernel

from .helpers import VALUE, assert_close, reference, surv_of
from .test_survival_laws import Sample, samples

CASES = sorted(reference("smoothed_hazard"))
KERNELS = get_args(Kernel)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("which", range(len(KERNELS)))
def test_smoothed_hazard_against_the_printed_formulas(name: str, which: int) -> None:
    theirs = reference("smoothed_hazard")[name][which]
    ours = smoothed_hazard(
        surv_of(reference("cases")[name]), theirs["bandwidth"], times=theirs["times"], kernel=theirs["kernel"]
    )
    expected = np.array(theirs["hazard"])
    assert_close(ours.hazard, np.maximum(expected, 0), VALUE, "hazard")
    assert_close(ours.standard_error, theirs["standard_error"], VALUE, "standard error")
    assert any("less than 0" in w for w in ours.warnings) == bool((expected < 0).any())


def test_by_hand() -> None:
    # At risk 8, 7, 5, 4, 2 at the events 1, 2, 4, 5, 7; at t = 4 with b = 3 the kernel weighs them
    # 3/4 (1 - u^2) with u = 1, 2/3, 0, -1/3, -1.
    surv = Surv([1, 2, 3, 4, 5, 6, 7, 8], [1, 1, 0, 1, 1, 0, 1, 0])
    ours = smoothed_hazard(surv, 3, times=[4])
    hazard = (5 / 12 / 7 + 3 / 4 / 5 + 2 / 3 / 4) / 3
    error = math.sqrt((5 / 12 / 7) ** 2 + (3 / 4 / 5) ** 2 + (2 / 3 / 4) ** 2) / 3
    assert ours.hazard[0] == pytest.approx(hazard, rel=1e-14)
    assert ours.standard_error[0] == pytest.approx(error, rel=1e-14)
    ratio = math.exp(1.959963984540054 * error / hazard)
    assert (ours.low[0], ours.high[0]) == (pytest.approx(hazard / ratio), pytest.approx(hazard * ratio))
    assert ours.at_risk.tolist() == [5]


def test_at_the_very_start_half_a_kernel_bears_all() -> None:
    # At t = 0 only u in [-1, 0] remains: of the uniform kernel 4 + 6u, here at u = -1/4 and -3/4.
    surv = Surv([1, 3, 8], [1, 1, 0])
    ours = smoothed_hazard(surv, 4, times=[0], kernel="uniform")
    assert ours.hazard[0] == pytest.approx(((4 - 6 / 4) / 3 + (4 - 18 / 4) / 2) / 4)


@pytest.mark.parametrize("kernel", KERNELS)
def test_a_constant_hazard_is_found_again(kernel: Kernel) -> None:
    """Steps of equal size at equal distances, as exponential quantiles give them, are a constant hazard to the ends."""
    n, rate = 4000, 0.25
    at = -np.log(1 - (np.arange(n) + 0.5) / n) / rate
    surv = Surv(np.minimum(at, 6.0), at < 6.0)
    ours = smoothed_hazard(surv, 1.5, kernel=kernel)
    assert np.abs(ours.hazard / rate - 1).max() < 0.01
    late = Surv(surv.time + 5, surv.event, entry=np.full(n, 5.0))
    moved = smoothed_hazard(late, 1.5, kernel=kernel)
    assert_close(moved.hazard, ours.hazard, 1e-6, "moved")
    assert_close(moved.time, ours.time + 5, 1e-9)


def test_a_straight_hazard_is_not_bent_at_the_ends() -> None:
    n = 20_000
    at = np.sqrt(-2 * np.log(1 - (np.arange(n) + 0.5) / n))  # hazard t
    ours = smoothed_hazard(Surv(np.minimum(at, 1.2), at < 1.2), 0.3)
    assert np.abs(ours.hazard - ours.time).max() < 0.005


@given(samples(delayed=True, counted=True), st.floats(0.5, 3.0))
def test_laws_of_the_smoothed_hazard(sample: Sample, bandwidth: float) -> None:
    surv = sample.surv
    assert surv.entry is not None
    assert surv.weight is not None
    b = min(bandwidth, float(surv.time.max() - surv.entry.min()))
    ours = smoothed_hazard(surv, b)
    known = ~np.isnan(ours.hazard)
    assert (ours.hazard[known] >= 0).all()
    assert np.array_equal(~known, (ours.at_risk <= 0) & (ours.time > ours.start))
    order = np.random.default_rng(sample.seed).permutation(len(surv))
    assert_close(smoothed_hazard(surv.subset(order), b).hazard, ours.hazard, 1e-9)
    rows = np.repeat(np.arange(len(surv)), surv.weight.astype(int))
    copies = smoothed_hazard(Surv(surv.time[rows], surv.event[rows], entry=surv.entry[rows]), b)
    assert_close(copies.hazard, ours.hazard, 1e-9)
    assert_close(copies.standard_error, ours.standard_error, 1e-9)
    table = EventTable.from_arrays(surv.time, surv.event, entry=surv.entry, weight=surv.weight, pattern=sample.group)
    counted = smoothed_hazard(table, b)
    assert (counted.start, counted.end) == (ours.start, ours.end)
    assert_close(counted.hazard, ours.hazard, 1e-9)
    assert_close(counted.standard_error, ours.standard_error, 1e-9)
    years = smoothed_hazard(Surv(surv.time * 7, surv.event, entry=surv.entry * 7, weight=surv.weight), b * 7)
    assert_close(years.hazard * 7, ours.hazard, 1e-7)


@given(samples())
def test_the_area_within_is_the_rise_of_the_cumulative_hazard(sample: Sample) -> None:
    """Where all steps lie a bandwidth inside, each is spread over an area of exactly its size."""
    surv = Surv(sample.surv.time, sample.surv.event)
    longer = Surv(np.append(surv.time + 2, 20), np.append(surv.event, 0), entry=np.append(np.zeros(len(surv)), 0))
    ours = smoothed_hazard(longer, 1.5, times=np.linspace(0, 20, 801), kernel="biweight")
    # Trapezes of width 1/40: steps from 3 to 14, each with its kernel within (0, 20) and away from both ends.
    area = float(np.sum((ours.hazard[1:] + ours.hazard[:-1]) / 2) * 20 / 800)
    rise = float(nelson_aalen(longer).cumulative_hazard[-1])
    assert area == pytest.approx(rise, rel=1e-4)


@given(samples(delayed=True))
def test_a_common_fraction_as_weight_changes_nothing(sample: Sample) -> None:
    surv = sample.surv
    assert surv.entry is not None
    b = float(surv.time.max() - surv.entry.min()) / 2
    a, c = (
        smoothed_hazard(Surv(surv.time, surv.event, entry=surv.entry, weight=np.full(len(surv), w)), b)
        for w in (0.5, 2.5)
    )
    assert_close(a.hazard, smoothed_hazard(surv, b).hazard, 1e-9)
    assert_close(a.standard_error, c.standard_error, 1e-7)


def test_what_cannot_be_estimated_is_missing_and_told() -> None:
    gap = Surv([2, 3, 8, 9], [1, 1, 1, 0], entry=[0, 0, 5, 5])
    ours = smoothed_hazard(gap, 2, times=[1, 4, 7, 12])
    assert np.isnan(ours.hazard).tolist() == [False, True, False, True]
    assert ["outside" in ours.warnings[0], "nobody is at risk" in ours.warnings[1]] == [True, True]
    alive = smoothed_hazard(Surv([1, 2, 3], [0, 0, 0]), 1)
    assert (alive.hazard == 0).all()
    assert np.isnan(alive.low).all()
    one = smoothed_hazard(Surv([3], [1]), 1, times=[0, 1.5, 3])
    assert np.isfinite(one.hazard).all()
    assert np.isfinite(smoothed_hazard(Surv([0, 2], [1, 0]), 1).hazard).all()


@pytest.mark.parametrize(
    ("surv", "bandwidth", "options", "says"),
    [
        (Surv([], []), 1, {}, "there is no row"),
        (Surv([0, 0], [1, 0]), 1, {}, "every row ends at time 0"),
        (Surv([4], [1]), 0, {}, "greater than 0"),
        (Surv([4], [1]), float("nan"), {}, "greater than 0"),
        (EventTable.from_arrays([4, 5], [1, 0], weight=[0.5, 1]), 1, {}, "need the rows"),
        (Surv([4], [1]), 5, {}, "longer than observation"),
        (Surv([4], [1]), 1, {"kernel": "gaussian"}, "kernel 'gaussian' is unknown"),
        (Surv([4], [1]), 1, {"conf_level": 1}, "conf_level"),
        (Surv([4], [1]), 1, {"times": [-1]}, "negative time"),
        (Surv([4], [1]), 1, {"times": [np.nan]}, "times holds a missing"),
    ],
)
def test_refused(surv: Surv | EventTable, bandwidth: float, options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        smoothed_hazard(surv, bandwidth, **options)
