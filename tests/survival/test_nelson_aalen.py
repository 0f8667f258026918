"""The cumulative hazard against R's survfit, by hand, and its laws."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from riskset.errors import EngineError
from riskset.survival import EventTable, Surv, kaplan_meier, nelson_aalen

from .helpers import VALUE, assert_close, reference, surv_of
from .test_survival_laws import Sample, samples

CASES = sorted(reference("nelson_aalen"))


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("which", [0, 1])
def test_cumulative_hazard_against_r(name: str, which: int) -> None:
    theirs = reference("nelson_aalen")[name][which]
    surv = surv_of(reference("cases")[name])
    ours = nelson_aalen(surv, ties=theirs["ties"])
    assert ours.time.shape == (theirs["length"],)
    places = theirs["places"]
    for column in ("time", "at_risk", "events", "cumulative_hazard"):
        assert_close(getattr(ours, column)[places], theirs[column], VALUE, column)
    assert_close(ours.cumulative_hazard.sum(), theirs["sum_hazard"], VALUE, "sum")
    read = ours.at(theirs["times"])
    assert_close(read.cumulative_hazard, theirs["hazard_at"], VALUE, "at times")
    if theirs["standard_error"] is None:
        assert_close(read.standard_error, theirs["numeric_error_at"], 1e-6, "jackknife by differences")
        return
    assert_close(ours.standard_error[places], theirs["standard_error"], VALUE, "standard error")
    assert_close(ours.standard_error.sum(), theirs["sum_error"], VALUE, "sum of errors")
    assert_close(np.exp(-ours.high[places]), theirs["survival_low"], VALUE, "high")
    assert_close(np.exp(-ours.low[places]), theirs["survival_high"], VALUE, "low")
    plain = nelson_aalen(surv, ties=theirs["ties"], conf_type="plain")
    assert_close(np.exp(-plain.high[places]), theirs["plain_low"], VALUE, "plain high")
    assert_close(np.exp(-plain.low[places]), theirs["plain_high"], VALUE, "plain low")


def test_both_treatments_of_ties_by_hand() -> None:
    surv = Surv([1, 2, 2, 2, 4, 5], [1, 1, 1, 0, 0, 1])
    # At risk 6, 5, 2, 1; events 1, 2, 0, 1.
    plain = nelson_aalen(surv)
    assert plain.cumulative_hazard == pytest.approx([1 / 6, 1 / 6 + 2 / 5, 1 / 6 + 2 / 5, 1 / 6 + 2 / 5 + 1])
    assert plain.standard_error[1] == pytest.approx(math.sqrt(1 / 36 + 2 / 25))
    z = 1.959963984540054
    ratio = math.exp(z * plain.standard_error[0] / plain.cumulative_hazard[0])
    assert (plain.low[0], plain.high[0]) == (pytest.approx(1 / 6 / ratio), pytest.approx(ratio / 6))
    turn = nelson_aalen(surv, ties="fleming-harrington")
    assert turn.increment == pytest.approx([1 / 6, 1 / 5 + 1 / 4, 0, 1])
    assert turn.standard_error[1] == pytest.approx(math.sqrt(1 / 36 + 1 / 25 + 1 / 16))


@given(samples(delayed=True, counted=True))
def test_laws_of_the_cumulative_hazard(sample: Sample) -> None:
    surv = sample.surv
    hazard = nelson_aalen(surv)
    assert (hazard.increment >= 0).all()
    curve = kaplan_meier(surv)
    # exp(-x) >= 1 - x, so the product-limit curve never lies above exp(-H).
    assert (curve.survival <= np.exp(-hazard.cumulative_hazard) + 1e-12).all()
    known = hazard.cumulative_hazard > 0
    assert (hazard.low[known] < hazard.cumulative_hazard[known]).all()
    assert (hazard.cumulative_hazard[known] < hazard.high[known]).all()
    assert np.isnan(hazard.low[~known]).all()
    order = np.random.default_rng(sample.seed).permutation(len(surv))
    mixed = nelson_aalen(surv.subset(order))
    assert_close(mixed.cumulative_hazard, hazard.cumulative_hazard, 1e-12)
    assert_close(mixed.standard_error, hazard.standard_error, 1e-12)
    assert surv.weight is not None
    rows = np.repeat(np.arange(len(surv)), surv.weight.astype(int))
    copies = nelson_aalen(Surv(surv.time[rows], surv.event[rows], entry=surv.entry[rows]))  # type: ignore[index]
    assert_close(copies.cumulative_hazard, hazard.cumulative_hazard, 1e-9)
    assert_close(copies.standard_error, hazard.standard_error, 1e-9)


@given(samples(delayed=True))
def test_tied_events_in_turn_add_at_least_as_much(sample: Sample) -> None:
    together, turn = (nelson_aalen(sample.surv, ties=t) for t in ("nelson-aalen", "fleming-harrington"))
    assert (turn.increment >= together.increment - 1e-12).all()
    n = len(sample.surv)
    untied = Surv(np.random.default_rng(sample.seed).permutation(n) + 1, sample.surv.event)
    together, turn = (nelson_aalen(untied, ties=t) for t in ("nelson-aalen", "fleming-harrington"))
    assert_close(together.cumulative_hazard, turn.cumulative_hazard, 1e-12)


@given(samples(delayed=True))
def test_a_common_fraction_as_weight_changes_nothing(sample: Sample) -> None:
    surv = sample.surv
    for ties in ("nelson-aalen", "fleming-harrington"):
        a, b = (
            nelson_aalen(Surv(surv.time, surv.event, entry=surv.entry, weight=np.full(len(surv), w)), ties=ties)
            for w in (0.5, 2.5)
        )
        assert_close(a.cumulative_hazard, nelson_aalen(surv, ties=ties).cumulative_hazard, 1e-12)
        assert_close(a.standard_error, b.standard_error, 1e-8)


@given(samples(counted=True))
def test_the_total_of_the_hazards_met_is_the_number_of_events(sample: Sample) -> None:
    surv = sample.surv
    met = nelson_aalen(surv).at(surv.time).cumulative_hazard
    assert_close(surv.weight_or_one @ met, surv.weight_or_one @ surv.is_event, 1e-9)


@pytest.mark.parametrize(
    ("time", "event", "hazard"),
    [([3], [1], [1.0]), ([3], [0], [0.0]), ([2, 2, 2], [1, 1, 1], [1.0]), ([0, 1], [1, 0], [0.5, 0.5])],
)
def test_the_smallest_data(time: Any, event: Any, hazard: list[float]) -> None:
    ours = nelson_aalen(Surv(time, event))
    assert ours.cumulative_hazard.tolist() == hazard
    assert ours.at(99).beyond.tolist() == [True]
    assert np.isnan(ours.at(99).cumulative_hazard).all()
    if hazard == [0.0]:
        assert np.isnan(ours.low).all()
        assert nelson_aalen(Surv(time, event), conf_type="plain").high.tolist() == [0.0]


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"ties": "efron"}, "ties 'efron' is unknown"),
        ({"conf_type": "logit"}, "conf_type 'logit' is unknown"),
        ({"conf_level": 95}, "conf_level must lie between"),
    ],
)
def test_refused(options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        nelson_aalen(Surv([1], [1]), **options)
    with pytest.raises(EngineError, match="there is no row"):
        nelson_aalen(Surv([], []))
    with pytest.raises(EngineError, match="negative time"):
        nelson_aalen(Surv([1], [1])).at(-1)


@given(samples(delayed=True, counted=True))
def test_a_table_of_counts_gives_what_the_rows_give(sample: Sample) -> None:
    surv = sample.surv
    for rows in (surv, Surv(surv.time, surv.event, entry=surv.entry), Surv(surv.time, surv.event)):
        table = EventTable.from_arrays(
            rows.time, rows.event, entry=rows.entry, weight=rows.weight, pattern=sample.group, stratum=sample.group
        )
        for ties in ("nelson-aalen", "fleming-harrington")[: 1 if rows.weight is not None else 2]:
            a, b = nelson_aalen(rows, ties=ties), nelson_aalen(table, ties=ties)
            for column in ("time", "at_risk", "events", "censored", "cumulative_hazard", "standard_error", "low"):
                assert_close(getattr(b, column), getattr(a, column), 1e-10, column)
            assert (a.n, a.n_events, a.n_at_time_zero) == (b.n, b.n_events, b.n_at_time_zero)
            at = [0, 2, 4.5, 20]
            assert_close(b.at(at).at_risk, a.at(at).at_risk, 1e-10)


def test_a_table_without_the_rows_it_needs_is_refused() -> None:
    halves = EventTable.from_arrays([1, 2], [1, 0], weight=[0.5, 1])
    with pytest.raises(EngineError, match="fractional weights need the rows"):
        nelson_aalen(halves)
    counted = EventTable.from_arrays([1, 2], [1, 0], weight=[2, 1])
    with pytest.raises(EngineError, match="needs the rows"):
        nelson_aalen(counted, ties="fleming-harrington")
