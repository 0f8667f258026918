"""Kaplan-Meier, follow-up and differences of curves against R's survfit."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from riskset.survival import (
    Difference,
    Estimate,
    KaplanMeier,
    follow_up,
    kaplan_meier,
    rmst_difference,
    survival_difference,
)

from .helpers import P_VALUE, VALUE, assert_close, assert_close_p, reference, surv_of

CASES = sorted(reference("cases"))


def check_curve(ours: KaplanMeier, theirs: dict[str, Any]) -> None:
    assert ours.time.shape == (theirs["length"],)
    places = np.array(theirs["places"])
    for name, values in theirs["at"].items():
        array = getattr(ours, name)
        assert_close(array[places], values, VALUE, name)
        assert_close(np.nansum(array), theirs["sums"][name], VALUE, f"sum of {name}")


def check_readings(ours: KaplanMeier, theirs: dict[str, Any]) -> None:
    for q, value, low, high in zip((0.25, 0.5, 0.75), *theirs["quantile"].values(), strict=True):
        estimate = ours.quantile(q)
        assert_close([estimate.value, estimate.low, estimate.high], [value, low, high], VALUE, f"quantile {q}")
    median = ours.median()
    assert_close([median.value, median.low, median.high], theirs["median"], VALUE, "median")
    read = ours.at(theirs["times"])
    assert_close(read.survival, theirs["survival_at"], VALUE, "survival at times")
    assert_close(read.low, theirs["low_at"], VALUE, "low at times")
    assert_close(read.high, theirs["high_at"], VALUE, "high at times")
    assert_close(read.standard_error, theirs["error_at"], VALUE, "standard error at times")
    assert_close(read.at_risk, theirs["at_risk_at"], VALUE, "at risk at times")
    assert not read.beyond.any()


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("which", [0, 1, 2])
def test_curve_of_all_rows(name: str, which: int) -> None:
    theirs = reference("curves")[name]["types"][which]
    surv = surv_of(reference("cases")[name])
    ours = kaplan_meier(surv, conf_type=theirs["conf_type"])
    check_curve(ours, theirs)
    check_readings(ours, theirs)
    mean = ours.rmst(theirs["tau"])
    assert_close(mean.value, theirs["rmst"], VALUE, "restricted mean")
    if not surv.has_fractional_weights:  # R keeps Greenwood's form there, which fractional weights make wrong
        assert_close(mean.standard_error, theirs["rmst_error"], VALUE, "error of the restricted mean")


@pytest.mark.parametrize("name", CASES)
def test_curve_of_each_group(name: str) -> None:
    case = reference("cases")[name]
    surv, group = surv_of(case), np.array(case["group"])
    for theirs in reference("curves")[name]["groups"]:
        ours = kaplan_meier(surv.subset(group == theirs["group"]))
        check_curve(ours, theirs)
        check_readings(ours, theirs)


@pytest.mark.parametrize("name", CASES)
def test_median_follow_up(name: str) -> None:
    median = follow_up(surv_of(reference("cases")[name])).median()
    assert_close([median.value, median.low, median.high], reference("curves")[name]["follow_up"], VALUE)


@pytest.mark.parametrize("name", CASES)
def test_differences_of_two_groups(name: str) -> None:
    case, theirs = reference("cases")[name], reference("curves")[name]
    surv, group = surv_of(case), np.array(case["group"])
    first, second = (kaplan_meier(surv.subset(group == g["group"])) for g in theirs["groups"][:2])
    check_difference(survival_difference(first, second, theirs["groups"][0]["times"][0]), theirs["survival_difference"])
    if not surv.has_fractional_weights:
        # Follow-up of a group may end before R's common horizon; R then prolongs the curve and we do not.
        tau = theirs["groups"][0]["tau"]
        ours = rmst_difference(first, second, tau)
        if max(tau - first.time[-1], tau - second.time[-1]) <= 0:
            check_difference(ours, theirs["rmst_difference"])
        elif tau > first.time[-1] and first.survival[-1] > 0:
            assert np.isnan(ours.estimate.value)


def check_difference(ours: Difference, theirs: list[float]) -> None:
    e: Estimate = ours.estimate
    assert_close([e.value, e.low, e.high, e.standard_error, ours.z], theirs[:5], VALUE)
    assert_close_p(ours.p_value, theirs[5], P_VALUE)
