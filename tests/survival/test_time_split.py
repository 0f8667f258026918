"""Rows cut along time against R's survSplit and tmerge, by hand, and their laws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.survival import (
    Surv,
    TimeDependent,
    TimeSplit,
    fit_cox,
    kaplan_meier,
    landmark,
    logrank_test,
    split_at,
    time_dependent,
)

from .helpers import VALUE, assert_close, reference, surv_of
from .test_survival_laws import Sample, same_fit, samples, well_fitted

CASES = sorted(reference("time_split")["splits"])


def columns_of(cut: TimeSplit | TimeDependent) -> dict[str, Any]:
    surv = cut.surv
    return {
        "row": cut.row,
        "start": surv.entry,
        "stop": surv.time,
        "event": surv.event,
        "weight": surv.weight_or_one,
    }


@pytest.mark.parametrize("name", CASES)
def test_cut_rows_against_survsplit(name: str) -> None:
    theirs, case = reference("time_split")["splits"][name], reference("cases")[name]
    whole = surv_of(case)
    kept = np.flatnonzero(whole.time > 0)
    split = split_at(whole.subset(kept), theirs["cuts"])
    columns = columns_of(split) | {"row": kept[split.row], "period": split.period}
    assert len(split.surv) == theirs["pieces"]["length"]
    count = np.arange(len(split.surv)) + 1
    for column, values in theirs["pieces"]["at"].items():
        assert_close(columns[column][theirs["pieces"]["places"]], values, 0.0, column)
        assert_close(columns[column] @ count, theirs["pieces"]["sums"][column], 1e-12, f"sum of {column}")
    x = np.array(case["x"])[kept, 0][split.row]
    by_period = np.column_stack([np.where(split.period == p, x, 0.0) for p in range(len(split.cuts) + 1)])
    fit = fit_cox(split.surv, by_period, ties="breslow", robust=False)
    assert_close(fit.coefficient, theirs["coefficient"], VALUE, "coefficient by period")
    assert_close(fit.standard_error, theirs["standard_error"], VALUE, "standard error by period")


def test_changes_against_tmerge() -> None:
    theirs = reference("time_split")["changes"]
    surv = Surv(theirs["time"], theirs["event"], entry=theirs["entry"], weight=theirs["weight"])
    cut = time_dependent(
        surv,
        theirs["initial"],
        changed=theirs["changed"],
        when=theirs["when"],
        value=theirs["value"],
        subject=theirs["id"],
    )
    columns = columns_of(cut) | {"value": cut.value}
    for column, values in theirs["pieces"].items():
        assert_close(columns[column], values, 0.0, column)
    fit = fit_cox(cut.surv, cut.value, cluster=cut.row)
    assert_close(fit.coefficient, [theirs["coefficient"]], VALUE, "coefficient")
    assert_close(fit.standard_error, [theirs["standard_error"]], VALUE, "standard error")


def test_the_stanford_hearts_against_tmerge() -> None:
    theirs = reference("time_split")["hearts"]
    whole = Surv(theirs["time"], theirs["event"])
    cut = time_dependent(whole, 0, changed=theirs["changed"], when=theirs["when"], value=np.ones(len(theirs["when"])))
    columns = columns_of(cut) | {"death": cut.surv.event, "transplant": cut.value}
    for column in ("row", "start", "stop", "death", "transplant"):
        assert_close(columns[column], theirs[column], 0.0, column)


@pytest.mark.parametrize("name", sorted(reference("time_split")["landmarks"]))
def test_landmark_against_r(name: str) -> None:
    theirs, surv = reference("time_split")["landmarks"][name], surv_of(reference("cases")[name])
    kept = landmark(surv, theirs["time"], restart=True)
    assert (len(kept.surv), int(kept.row.sum())) == (theirs["n"], theirs["sum_of_rows"])
    dropped = (kept.n_events_before, kept.n_censored_before, kept.n_entered_later)
    assert dropped == (theirs["n_events_before"], theirs["n_censored_before"], theirs["n_entered_later"])
    curve = kaplan_meier(kept.surv)
    assert curve.time.shape == (theirs["length"],)
    assert_close(curve.survival.sum(), theirs["sum_survival"], VALUE, "curve")


def test_cut_rows_by_hand() -> None:
    surv = Surv([5, 10, 25], [2, 0, 1], entry=[1, 0, 12], weight=[1.5, 2, 3])
    split = split_at(surv, [20, 5, 10, 5])
    assert split.cuts.tolist() == [5, 10, 20]
    assert split.row.tolist() == [0, 1, 1, 2, 2]
    assert split.period.tolist() == [0, 0, 1, 2, 3]
    assert split.surv.entry is not None
    assert split.surv.weight is not None
    assert split.surv.entry.tolist() == [1, 0, 5, 12, 20]
    assert split.surv.time.tolist() == [5, 5, 10, 20, 25]
    assert split.surv.event.tolist() == [2, 0, 0, 0, 1]
    assert split.surv.weight.tolist() == [1.5, 2, 2, 3, 3]


def test_nobody_is_immortal() -> None:
    """A response on day 30 counts from day 31 on: the death on day 30 itself is not one of a responder."""
    surv = Surv([30, 60, 40, 20], [1, 1, 0, 1], weight=[1, 2, 1, 1])
    parts = time_dependent(
        surv,
        ["none"] * 4,
        changed=[0, 1, 2, 3],
        when=[30, 30, -5, 50],
        value=["response", "response", "stable", "late"],
    )
    assert parts.row.tolist() == [0, 1, 1, 2, 3]
    assert parts.value.tolist() == ["none", "none", "response", "stable", "none"]
    assert parts.surv.entry is not None
    assert parts.surv.entry.tolist() == [0, 0, 30, 0, 0]
    assert parts.surv.time.tolist() == [30, 30, 60, 40, 20]
    assert parts.surv.event.tolist() == [1, 0, 1, 0, 1]
    assert parts.n_unused == 2


def test_a_second_covariate_is_cut_into_the_first() -> None:
    person = np.array(["a", "b"])
    first = time_dependent(Surv([50, 60], [1, 0]), 0, changed=["a"], when=[20], value=[1], subject=person)
    second = time_dependent(
        first.surv, ["low"] * 3, changed=["a", "a"], when=[10, 30], value=["mid", "high"], subject=person[first.row]
    )
    assert second.surv.entry is not None
    assert second.surv.entry.tolist() == [0, 10, 20, 30, 0]
    assert second.value.tolist() == ["low", "mid", "mid", "high", "low"]
    assert first.value[second.row].tolist() == [0, 0, 1, 1, 0]
    assert second.surv.event.tolist() == [0, 0, 0, 1, 0]


def test_times_equal_but_for_rounding_are_one_time() -> None:
    surv = Surv([365.25 * 2, 1000.0], [1, 0])
    split = split_at(surv, [365.25 * 2 + 1e-10])
    assert split.row.tolist() == [0, 1, 1]
    parts = time_dependent(surv, 0, changed=[0], when=[365.25 * 2 - 1e-10], value=[1])
    assert (parts.row.tolist(), parts.n_unused) == ([0, 1], 1)
    assert landmark(surv, 365.25 * 2 - 1e-10).n_events_before == 1


CUTS = st.lists(st.integers(1, 13).map(lambda c: c / 2 + 0.5), min_size=0, max_size=5)


@given(samples(delayed=True, counted=True), CUTS)
def test_cutting_changes_no_estimate(sample: Sample, cuts: list[float]) -> None:
    surv = sample.surv
    split = split_at(surv, cuts)
    assert split.surv.entry is not None
    assert (split.surv.is_event.sum(), len(np.unique(split.row))) == (surv.is_event.sum(), len(surv))
    assert (split.surv.time <= np.append(split.cuts, np.inf)[split.period]).all()
    assert (split.surv.entry >= np.append(0.0, split.cuts)[split.period]).all()
    whole, pieces = kaplan_meier(surv), kaplan_meier(split.surv)
    at = whole.time[whole.events > 0]
    for name in ("survival", "standard_error", "at_risk"):
        assert_close(getattr(pieces.at(at), name), getattr(whole.at(at), name), 1e-12, name)
    a, b = logrank_test(surv, sample.group), logrank_test(split.surv, sample.group[split.row])
    assert_close(b.variance, a.variance, 1e-12, "log-rank")
    fit = fit_cox(surv, sample.x)
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(split.surv, sample.x[split.row]))


@st.composite
def changes(draw: st.DrawFn) -> tuple[Sample, np.ndarray, np.ndarray, np.ndarray]:
    sample = draw(samples(delayed=True, counted=True))
    n = len(sample.surv)
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(-2, 14)), unique=True, max_size=12))
    who, when = (np.array([p[i] for p in pairs], dtype=np.int64) for i in (0, 1))
    return sample, who, when, np.arange(who.shape[0]) + 1.0


@given(changes())
def test_each_piece_holds_the_latest_change_before_it(drawn: Any) -> None:
    sample, who, when, value = drawn
    surv = sample.surv
    parts = time_dependent(surv, 0.0, changed=who, when=when, value=value)
    assert parts.surv.entry is not None
    assert surv.entry is not None
    for row, start, stop, found in zip(parts.row, parts.surv.entry, parts.surv.time, parts.value, strict=True):
        mine = who == row
        assert not (mine & (when > start) & (when < stop)).any()
        earlier = np.flatnonzero(mine & (when <= start))
        assert found == (value[earlier[np.argmax(when[earlier])]] if earlier.size else 0.0)
    assert_close(
        np.bincount(parts.row, parts.surv.time - parts.surv.entry), surv.time - surv.entry, 1e-12, "time at risk"
    )
    assert np.array_equal(np.bincount(parts.row, parts.surv.event), surv.event)
    order = np.random.default_rng(sample.seed).permutation(who.shape[0])
    again = time_dependent(surv, 0.0, changed=who[order], when=when[order], value=value[order])
    assert np.array_equal(again.value, parts.value)
    assert np.array_equal(again.surv.entry, parts.surv.entry)  # type: ignore[arg-type]
    fit = fit_cox(surv, sample.x)
    assume(well_fitted(fit))
    same_fit(fit, fit_cox(parts.surv, sample.x[parts.row]))


@given(samples(delayed=True, counted=True), st.integers(0, 10))
def test_both_clocks_of_a_landmark_agree(sample: Sample, time: int) -> None:
    surv = sample.surv
    try:
        kept = landmark(surv, time)
    except EngineError:
        assert surv.entry is not None
        assert not ((surv.entry <= time) & (surv.time > time)).any()
        return
    again = landmark(surv, time, restart=True)
    assert len(surv) == len(kept.surv) + kept.n_events_before + kept.n_censored_before + kept.n_entered_later
    assert np.array_equal(kept.row, again.row)
    assert np.array_equal(kept.surv.time, again.surv.time + time)
    assert_close(kaplan_meier(kept.surv).survival, kaplan_meier(again.surv).survival, 1e-12)
    group = sample.group[kept.row]
    a, b = logrank_test(kept.surv, group), logrank_test(again.surv, group)
    assert_close(a.variance, b.variance, 1e-12)
    # S(t | at risk at the landmark) is S(t) / S(landmark) where nobody enters later.
    early = Surv(surv.time, surv.event, weight=surv.weight)
    whole, cut = kaplan_meier(early), kaplan_meier(landmark(early, time).surv)
    assert_close(cut.survival, whole.at(cut.time).survival / whole.at(time).survival[0], 1e-9)


GOOD = Surv([5, 8], [1, 0])


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda: split_at(GOOD, [0]), "greater than 0"),
        (lambda: split_at(GOOD, [-1, 3]), "greater than 0"),
        (lambda: split_at(GOOD, [np.nan]), "cuts holds a missing"),
        (lambda: split_at(Surv([0, 5], [1, 1]), [3]), "1 rows end at time 0"),
        (lambda: landmark(GOOD, -1), "not negative"),
        (lambda: landmark(GOOD, np.inf), "not negative"),
        (lambda: landmark(GOOD, 8), "nobody is at risk"),
        (lambda: landmark(Surv([], []), 1), "nobody is at risk"),
        (lambda: time_dependent(GOOD, [0], changed=[], when=[], value=[]), "initial has shape"),
        (lambda: time_dependent(GOOD, 0, changed=[0], when=[1, 2], value=[1]), "value has shape"),
        (lambda: time_dependent(GOOD, 0, changed=[0], when=[1, 2], value=[1, 2]), "changed has shape"),
        (lambda: time_dependent(GOOD, 0, changed=[7], when=[1], value=[1]), "subject that has no row"),
        (lambda: time_dependent(GOOD, 0, changed=["0"], when=[1], value=[1]), "both be text or both be numbers"),
        (lambda: time_dependent(GOOD, 0, changed=[0, 0], when=[1, 1], value=[1, 2]), "two changes at one time"),
        (lambda: time_dependent(GOOD, 0, changed=[0], when=[np.nan], value=[1]), "when holds a missing"),
        (lambda: time_dependent(GOOD, 0, changed=[0], when=[1], value=[np.nan]), "value holds a missing"),
        (lambda: time_dependent(GOOD, 0, changed=[0], when=[1], value=["x"]), "both be numbers or both be text"),
        (lambda: time_dependent(GOOD, None, changed=[0], when=[1], value=[1]), "initial holds a missing label"),
        (lambda: time_dependent(GOOD, 0, changed=[None], when=[1], value=[1]), "changed holds a missing label"),
        (lambda: time_dependent(GOOD, 0, changed=[0], when=[1], value=[1], subject=["a"]), "subject has shape"),
        (lambda: time_dependent(Surv([0], [1]), 0, changed=[], when=[], value=[]), "end at time 0"),
    ],
)
def test_refused(call: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        call()


def test_nothing_to_cut() -> None:
    nobody = Surv([], [])
    assert len(split_at(nobody, [1]).surv) == 0
    assert len(time_dependent(nobody, 0, changed=[], when=[], value=[]).surv) == 0
    assert split_at(GOOD, []).row.tolist() == [0, 1]
    assert time_dependent(GOOD, 0, changed=[], when=[], value=[]).value.tolist() == [0, 0]


def test_a_missing_text_is_no_value() -> None:
    surv = Surv([5, 8], [1, 0])
    with pytest.raises(EngineError, match="initial holds a missing label"):
        time_dependent(surv, ["low", float("nan")], changed=[0], when=[2], value=["high"])  # type: ignore[list-item]
    with pytest.raises(EngineError, match="value holds a missing label"):
        time_dependent(surv, "low", changed=[0, 1], when=[2, 3], value=["high", None])  # type: ignore[list-item]
