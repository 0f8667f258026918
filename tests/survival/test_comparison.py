"""Differences and ratios of two curves against the printed formulas in R, by hand, and their laws."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given

from riskset.errors import EngineError
from riskset.survival import (
    Difference,
    KaplanMeier,
    Ratio,
    Surv,
    kaplan_meier,
    largest_tau,
    rmst_difference,
    rmst_ratio,
    rmtl,
    rmtl_ratio,
    survival_difference,
    survival_ratio,
)

from .helpers import P_VALUE, VALUE, assert_close, assert_close_p, reference, surv_of
from .test_survival_laws import Sample, samples

CASES = sorted(reference("comparison"))


def curves_of(name: str) -> list[KaplanMeier]:
    case = reference("cases")[name]
    surv, group = surv_of(case), np.array(case["group"])
    return [kaplan_meier(surv.subset(group == g)) for g in reference("comparison")[name]["groups"]]


def check(ours: Difference | Ratio, theirs: list[float], what: str) -> None:
    e = ours.estimate
    assert_close([e.value, e.low, e.high, e.standard_error], theirs[:4], VALUE, what)
    assert_close(ours.z, theirs[4], VALUE, f"z of {what}")
    assert_close_p(ours.p_value, theirs[5], P_VALUE, f"P of {what}")


@pytest.mark.parametrize("name", CASES)
def test_comparisons_against_the_printed_formulas(name: str) -> None:
    theirs, curves = reference("comparison")[name], curves_of(name)
    a, b = curves[:2]
    assert largest_tau(a, b) == theirs["largest_tau"]
    assert largest_tau(*curves) == theirs["largest_tau_of_all"]
    check(survival_difference(a, b, theirs["time"]), theirs["survival_difference"], "survival difference")
    check(survival_ratio(a, b, theirs["time"]), theirs["survival_ratio"], "survival ratio")
    for horizon in theirs["restricted"]:
        tau = horizon["tau"]
        means = [a.rmst(tau), b.rmst(tau)]
        assert_close([v for m in means for v in (m.value, m.standard_error)], horizon["mean"], VALUE, "means")
        check(rmst_difference(a, b, tau), horizon["rmst_difference"], "difference of means")
        check(rmst_ratio(a, b, tau), horizon["rmst_ratio"], "ratio of means")
        check(rmtl_ratio(a, b, tau), horizon["rmtl_ratio"], "ratio of times lost")


def test_by_hand() -> None:
    # To 4: a loses nothing before 2, then S = 1/2: area 3, time lost 1; b: S = 3/4 from 1, 1/4 from 3: area 3.
    a = kaplan_meier(Surv([2, 5], [1, 0]))
    b = kaplan_meier(Surv([1, 3, 3, 4], [1, 1, 1, 0]))
    assert rmtl(a, 4).value == pytest.approx(1)
    # Area after the event at 2 is 1 of 2 at risk: variance 1 / (2 * 1). For b: 2^2/4 areas, see below.
    assert rmtl(a, 4).standard_error == pytest.approx(math.sqrt(1 / 2))
    after_one, after_three = 2 * 3 / 4 + 1 / 4, 1 / 4
    variance = after_one**2 / (4 * 3) + after_three**2 * 2 / (3 * 1)
    assert b.rmst(4).value == pytest.approx(1 + after_one)
    ratio = rmtl_ratio(a, b, 4)
    lost = 3 - after_one
    assert ratio.estimate.value == pytest.approx(1 / lost)
    assert ratio.estimate.standard_error == pytest.approx(math.sqrt(1 / 2 + variance / lost**2))


Test = Callable[[KaplanMeier, KaplanMeier, float], Difference | Ratio]


@pytest.mark.parametrize("compare", [survival_ratio, rmst_ratio, rmtl_ratio, survival_difference, rmst_difference])
@given(samples(delayed=True, counted=True))
def test_exchanged_groups_and_other_units(compare: Test, sample: Sample) -> None:
    surv, group = sample.surv, sample.group
    a, b = (kaplan_meier(surv.subset(group == g)) for g in (0, 1))
    tau = largest_tau(a, b)
    there, back = compare(a, b, tau), compare(b, a, tau)
    value = there.estimate.value
    assume(not math.isnan(value) and not math.isnan(there.z))
    difference = isinstance(there, Difference)
    assert back.estimate.value == pytest.approx(-value if difference else 1 / value, abs=1e-12)
    assert back.estimate.low == pytest.approx(-there.estimate.high if difference else 1 / there.estimate.high, rel=1e-9)
    assert back.p_value == pytest.approx(there.p_value)
    assert there.estimate.low <= value <= there.estimate.high
    assert surv.entry is not None
    weeks = Surv(surv.time / 7, surv.event, entry=surv.entry / 7, weight=surv.weight)
    c, d = (kaplan_meier(weeks.subset(group == g)) for g in (0, 1))
    again = compare(c, d, largest_tau(c, d))
    assert again.z == pytest.approx(there.z, rel=1e-6, abs=1e-9)


@given(samples())
def test_the_horizon_is_as_far_as_the_means_are_known(sample: Sample) -> None:
    curves = [kaplan_meier(sample.surv.subset(sample.group == g)) for g in (0, 1)]
    tau = largest_tau(*curves)
    assert not any(math.isnan(c.rmst(tau).value) for c in curves if tau > 0)
    further = [c.rmst(tau + 1).value for c in curves]
    assert any(math.isnan(v) for v in further) or all(c.survival[-1] == 0 for c in curves)
    assert largest_tau(curves[1], curves[0]) == tau


def test_the_horizon_follows_how_the_groups_end() -> None:
    dead_5, alive_9 = kaplan_meier(Surv([1, 5], [0, 1])), kaplan_meier(Surv([1, 9], [1, 0]))
    dead_12, alive_3 = kaplan_meier(Surv([12], [1])), kaplan_meier(Surv([3], [0]))
    assert largest_tau(dead_5, dead_12) == 12
    assert largest_tau(dead_5, alive_9) == 9
    assert largest_tau(dead_12, alive_9) == 9
    assert largest_tau(alive_3, alive_9) == 3
    assert largest_tau(dead_5, alive_3, alive_9) == 3
    tied = kaplan_meier(Surv([4, 4, 2], [1, 0, 1]))
    assert largest_tau(tied, alive_9) == 4
    with pytest.raises(EngineError, match="there is no curve"):
        largest_tau()


def test_what_cannot_be_compared_is_missing() -> None:
    short, long = kaplan_meier(Surv([1, 3], [1, 0])), kaplan_meier(Surv([2, 9], [1, 0]))
    alive, dead = kaplan_meier(Surv([5, 9], [0, 0])), kaplan_meier(Surv([1, 2], [1, 1]))
    missing: list[Difference | Ratio] = [
        survival_difference(short, long, 5),
        survival_ratio(short, long, 5),
        rmst_difference(short, long, 5),
        rmst_ratio(short, long, 5),
        rmtl_ratio(short, long, 5),
        survival_ratio(dead, alive, 2),
        rmtl_ratio(alive, long, 5),
    ]
    for found in missing:
        e = found.estimate
        assert np.isnan([e.value, e.low, e.high, e.standard_error, found.z, found.p_value]).all()
    # Nobody had an event: the ratio is 1 without any spread, and there is nothing to test.
    same = rmst_ratio(alive, alive, 5)
    assert (same.estimate.value, same.estimate.low, same.estimate.high) == (1, 1, 1)
    assert math.isnan(same.p_value)


@pytest.mark.parametrize("tau", [0, -1, float("nan"), float("inf")])
def test_a_horizon_must_be_positive(tau: Any) -> None:
    curve = kaplan_meier(Surv([1, 2], [1, 0]))
    for compare in (rmst_ratio, rmtl_ratio, rmst_difference):
        with pytest.raises(EngineError, match="horizon tau"):
            compare(curve, curve, tau)
    with pytest.raises(EngineError, match="horizon tau"):
        rmtl(curve, tau)
