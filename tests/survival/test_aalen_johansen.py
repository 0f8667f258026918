"""Cumulative incidences against R, by hand, and what must hold on any data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from numpy.typing import NDArray

from riskset.errors import EngineError
from riskset.survival import Surv, aalen_johansen, kaplan_meier

from .competing_cases import CASES, Sample, samples, second_oracle, written_out
from .helpers import VALUE, assert_close, reference, surv_of

Array = NDArray[np.float64]
THEIRS: dict[str, Any] = reference("aalen_johansen")["cases"]


def assert_columns(ours: Array, theirs: dict[str, Any], places: Array, what: str) -> None:
    assert_close(ours[places], theirs["at"], VALUE, what)
    assert_close(np.nansum(ours, axis=0), theirs["sums"], VALUE, f"sum of {what}")


@pytest.mark.parametrize("name", THEIRS)
def test_incidences_are_those_of_survfit(name: str) -> None:
    r, surv = THEIRS[name], surv_of(CASES[name])
    fit = aalen_johansen(surv)
    places = np.array(r["places"])
    assert list(fit.causes) == r["causes"]
    assert fit.time.size == r["length"]
    assert_close(fit.time[places], r["time"], VALUE, "time")
    assert_close(fit.at_risk[places], r["at_risk"], VALUE, "at risk")
    assert_columns(fit.incidence, r["incidence"], places, "incidence")
    assert_columns(fit.standard_error, r["standard_error"], places, "standard error")
    assert_close(fit.event_free[places], r["event_free"], VALUE, "event-free")
    assert_close(fit.event_free_standard_error[places], r["event_free_error"], VALUE, "event-free error")
    for kind in r["types"]:
        curve = aalen_johansen(surv, conf_type=kind["conf_type"])
        for end in ("low", "high"):
            assert_columns(getattr(curve, end), kind[end], places, f"{kind['conf_type']} {end}")


@pytest.mark.parametrize("name", [name for name in THEIRS if "aalen_variance" in THEIRS[name]])
def test_aalens_variance_is_that_of_cuminc(name: str) -> None:
    r = THEIRS[name]
    fit = aalen_johansen(surv_of(CASES[name]))
    assert_columns(fit.aalen_standard_error**2, r["aalen_variance"], np.array(r["places"]), "Aalen's variance")


@pytest.mark.parametrize("name", [name for name in THEIRS if "cluster_error" in THEIRS[name]])
def test_clusters_add_up_the_influences_of_survfit(name: str) -> None:
    r, case = THEIRS[name], CASES[name]
    fit = aalen_johansen(surv_of(case), cluster=case["cluster"])
    assert_columns(fit.standard_error, r["cluster_error"], np.array(r["places"]), "clustered error")
    assert np.isnan(fit.aalen_standard_error).all()


def test_five_patients_by_hand() -> None:
    """At risk 5, 4, 3, 2, 1; causes 1, 2, -, 1, 2: F1 = 1/5, then + 3/5 * 1/2; F2 = 4/5 * 1/4, then the rest."""
    fit = aalen_johansen(Surv([1, 2, 3, 4, 5], [1, 2, 0, 1, 2]))
    assert_close(fit.curve(1).incidence, [0.2, 0.2, 0.2, 0.5, 0.5], 1e-14)
    assert_close(fit.curve(2).incidence, [0.0, 0.2, 0.2, 0.2, 0.5], 1e-14)
    assert_close(fit.event_free, [0.8, 0.6, 0.6, 0.3, 0.0], 1e-14)
    # Before any censoring both estimators see a binomial proportion; Aalen's counts 1 / n^2 for an event.
    assert_close(fit.curve(1).standard_error[0], np.sqrt(0.2 * 0.8 / 5), 1e-14)
    assert_close(fit.curve(1).aalen_standard_error[0], 0.2, 1e-14)


def test_a_curve_is_read_between_its_times_and_not_beyond_them() -> None:
    fit = aalen_johansen(Surv([1, 2, 3, 4, 5], [1, 2, 0, 1, 2]))
    read = fit.at([0.0, 1.0, 3.9, 5.0, 5.1])
    assert_close(read.incidence[:4], [[0, 0], [0.2, 0], [0.2, 0.2], [0.5, 0.5]], 1e-14)
    assert read.beyond.tolist() == [False, False, False, False, True]
    assert np.isnan(read.incidence[4]).all()
    assert read.at_risk.tolist() == [5, 5, 2, 1, 0]
    assert_close(read.event_free[:4], [1.0, 0.8, 0.6, 0.0], 1e-14)


def influences(surv: Surv, cause: int, step: float = 1e-5) -> Array:
    """Give the derivative of the incidence by each row's weight, by differences: shape (n, m)."""
    weight = surv.weight_or_one
    grid = np.unique(surv.time)

    def moved(i: int, by: float) -> Array:
        changed = weight.copy()
        changed[i] += by
        fit = aalen_johansen(Surv(surv.time, surv.event, entry=surv.entry, weight=changed))
        return fit.at(grid).incidence[:, fit.causes.index(cause)]

    return np.array([(moved(i, step) - moved(i, -step)) / (2 * step) for i in range(len(surv))])


@given(samples(delayed=True, fractional=True))
@settings(max_examples=40)
def test_the_jackknife_squares_the_derivatives_by_the_weights(sample: Sample) -> None:
    fit = aalen_johansen(sample.surv)
    own = sample.surv.weight_or_one[:, None] * influences(sample.surv, 1)
    known = ~np.isnan(fit.curve(1).standard_error)
    error = np.sqrt((own**2).sum(axis=0))
    assert np.allclose(fit.curve(1).standard_error[known], error[known], rtol=1e-5, atol=1e-6)
    together = np.array([own[sample.cluster == label].sum(axis=0) for label in np.unique(sample.cluster)])
    clustered = aalen_johansen(sample.surv, cluster=sample.cluster).curve(1).standard_error
    assert np.allclose(clustered[known], np.sqrt((together**2).sum(axis=0))[known], rtol=1e-5, atol=1e-6)


@given(samples(delayed=True, counted=True))
def test_incidences_and_the_event_free_curve_add_up_to_one(sample: Sample) -> None:
    fit = aalen_johansen(sample.surv)
    assert_close(fit.incidence.sum(axis=1) + fit.event_free, np.ones(fit.time.size), 1e-12)
    assert (np.diff(fit.incidence, axis=0) >= 0).all()
    assert ((fit.incidence >= 0) & (fit.incidence <= 1 + 1e-12)).all()
    for conf_type in ("log-log", "log", "plain"):
        curve = aalen_johansen(sample.surv, conf_type=conf_type)
        known = ~np.isnan(curve.low)
        assert (curve.low[known] <= curve.incidence[known] + 1e-12).all()
        assert (curve.high[known] >= curve.incidence[known] - 1e-12).all()
        assert ((curve.low[known] >= 0) & (curve.high[known] <= 1)).all()


@given(samples(delayed=True, counted=True))
def test_a_single_cause_is_one_minus_kaplan_meier(sample: Sample) -> None:
    one = sample.surv.as_event(sample.surv.is_event)
    curve, fit = kaplan_meier(one), aalen_johansen(one)
    assert_close(fit.incidence[:, 0], 1.0 - curve.survival, 1e-12)
    assert_close(fit.event_free, curve.survival, 0.0)


@given(samples(counted=True))
def test_errors_of_a_single_cause_are_greenwoods(sample: Sample) -> None:
    one = sample.surv.as_event(sample.surv.is_event)
    curve, fit = kaplan_meier(one, conf_type="plain"), aalen_johansen(one, conf_type="plain")
    # Both have none where everybody has had the event.
    assert np.allclose(fit.standard_error[:, 0], curve.standard_error, rtol=1e-7, atol=1e-9, equal_nan=True)
    assert np.allclose(fit.event_free_standard_error, curve.standard_error, rtol=1e-7, atol=1e-9, equal_nan=True)
    inside = (curve.survival > 0) & (curve.survival < 1)
    assert np.allclose(fit.low[inside, 0], 1.0 - curve.high[inside], rtol=1e-7, atol=1e-8)


@given(samples(delayed=True, counted=True))
def test_a_counted_weight_is_that_many_rows(sample: Sample) -> None:
    copies, _ = written_out(sample.surv)
    a, b = aalen_johansen(sample.surv), aalen_johansen(copies)
    for name in ("at_risk", "events", "censored", "incidence", "event_free"):
        assert_close(getattr(a, name), getattr(b, name), 1e-12, name)
    for name in ("standard_error", "aalen_standard_error", "low", "high"):
        assert np.allclose(getattr(a, name), getattr(b, name), rtol=1e-6, atol=1e-8, equal_nan=True), name


@given(samples(delayed=True, fractional=True))
def test_cutting_rows_in_two_changes_nothing_within_a_cluster(sample: Sample) -> None:
    surv, cut = sample.surv, 5.0
    assert surv.entry is not None
    assert surv.weight is not None
    both = np.flatnonzero((surv.entry < cut) & (surv.time > cut))
    rows = np.concatenate((np.arange(len(surv)), both))
    time, event, entry = surv.time[rows], surv.event[rows], surv.entry[rows]
    time[both], event[both], entry[len(surv) :] = cut, 0, cut
    pieces = aalen_johansen(Surv(time, event, entry=entry, weight=surv.weight[rows]), cluster=rows)
    whole = aalen_johansen(surv, cluster=np.arange(len(surv)))
    a, b = whole.at(whole.time), pieces.at(whole.time)
    assert_close(a.incidence, b.incidence, 1e-12)
    assert np.allclose(a.standard_error, b.standard_error, rtol=1e-6, atol=1e-8, equal_nan=True)
    alone = aalen_johansen(surv)
    assert np.allclose(alone.standard_error, whole.standard_error, rtol=1e-7, atol=1e-9, equal_nan=True)


@given(samples(delayed=True, fractional=True))
def test_causes_may_be_coded_anyhow(sample: Sample) -> None:
    surv = sample.surv
    swapped = Surv(surv.time, np.array([0, 7, 3])[surv.event], entry=surv.entry, weight=surv.weight)
    a, b = aalen_johansen(surv), aalen_johansen(swapped)
    assert b.causes == (3, 7)
    assert_close(a.incidence[:, ::-1], b.incidence, 0.0)
    assert_close(a.standard_error[:, ::-1], b.standard_error, 0.0)


def test_without_any_event_the_event_free_curve_is_all_there_is() -> None:
    fit = aalen_johansen(Surv([1, 2, 3], [0, 0, 0]))
    assert fit.causes == ()
    assert fit.incidence.shape == (3, 0)
    assert fit.event_free.tolist() == [1, 1, 1]
    assert fit.at([2]).incidence.shape == (1, 0)
    with pytest.raises(EngineError, match="no event of cause 1, nor of any other"):
        fit.curve(1)


def test_a_cause_that_does_not_occur_is_refused_by_name() -> None:
    fit = aalen_johansen(Surv([1, 2, 3], [1, 3, 0]))
    with pytest.raises(EngineError, match=r"no event of cause 2; the causes that occur are 1, 3"):
        fit.curve(2)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ({"conf_type": "probit"}, "conf_type"),
        ({"conf_level": 1.0}, "conf_level"),
        ({"cluster": [1, 2]}, "cluster"),
        ({"cluster": ["a", None, "b"]}, "cluster"),
    ],
)
def test_impossible_arguments_are_refused(arguments: dict[str, Any], sentence: str) -> None:
    with pytest.raises(EngineError, match=sentence):
        aalen_johansen(Surv([1, 2, 3], [1, 2, 0]), **arguments)
    with pytest.raises(EngineError, match="no row"):
        aalen_johansen(Surv([], []))
    with pytest.raises(EngineError, match="negative time"):
        aalen_johansen(Surv([1, 2, 3], [1, 2, 0])).at([-1])


def test_an_early_empty_risk_set_leaves_the_errors_exact() -> None:
    """Two enter first and one of them has the event at once: the late rows' influences are differences of that size."""
    rng = np.random.default_rng(5)
    n = 400
    entry = np.concatenate(([0.0, 0.0], rng.uniform(2, 3, n)))
    time = np.concatenate(([1.0, 9.0], entry[2:] + rng.exponential(2.0, n)))
    event = np.concatenate(([2, 0], rng.integers(0, 3, n)))
    fit = aalen_johansen(Surv(time, event, entry=entry))
    grid = np.unique(time)
    at_risk = (entry[:, None] < grid) & (time[:, None] >= grid)
    own = time[:, None] == grid
    n_j, d = at_risk.sum(axis=0), (own & (event > 0)[:, None]).sum(axis=0)
    d1 = (own & (event == 1)[:, None]).sum(axis=0)
    survival, influence, squares = 1.0, np.zeros((time.size, 2)), []
    for j in range(grid.size):
        mine, other = own[:, j] & (event == 1), own[:, j] & (event > 0)
        step = influence[:, 0] * d1[j] / n_j[j] + survival * (mine - at_risk[:, j] * d1[j] / n_j[j]) / n_j[j]
        fall = survival * (at_risk[:, j] * d[j] / n_j[j] - other) / n_j[j]
        influence[:, 0] = influence[:, 0] * (1 - d[j] / n_j[j]) + fall
        influence[:, 1] += step
        survival *= 1 - d[j] / n_j[j]
        squares.append((influence[:, 1] ** 2).sum())
    assert_close(fit.curve(1).standard_error, np.sqrt(squares), 1e-9)


def test_a_second_library_agrees() -> None:
    rng = np.random.default_rng(1)
    draws = [(np.ceil(rng.exponential(12.0, 90)), rng.integers(0, 4, 90)) for _ in range(5)]
    theirs = second_oracle(
        """
answer = []
for one in data:
    fit = other.survfit("Surv(time, factor(state)) ~ 1", one, conf_type="plain")
    answer.append([[list(row) for row in fit.pstate], [list(row) for row in fit.std_err]])
""",
        [{"time": time.tolist(), "state": event.tolist()} for time, event in draws],
    )
    for (time, event), (states, errors) in zip(draws, theirs, strict=True):
        ours = aalen_johansen(Surv(time, event))
        assert_close(ours.incidence, np.array(states)[:, 1:], VALUE)
        assert_close(ours.standard_error, np.array(errors)[:, 1:], VALUE)
