"""Maximally selected log-rank statistics against R's maxstat, by hand, and their laws."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from riskset.errors import EngineError
from riskset.survival import Surv, logrank_test, maximally_selected_test

from .helpers import VALUE, assert_close, assert_close_p, reference
from .test_survival_laws import Sample, samples

INPUTS = sorted(reference("maximally_selected")["inputs"])


@pytest.mark.parametrize("name", INPUTS)
@pytest.mark.parametrize("which", [0, 1])
def test_against_maxstat(name: str, which: int) -> None:
    case = reference("maximally_selected")["inputs"][name]
    theirs = case["ranges"][which]
    ours = maximally_selected_test(
        Surv(case["time"], case["event"]),
        case["x"],
        min_proportion=theirs["min"],
        max_proportion=theirs["max"],
        replicates=0,
    )
    assert_close(ours.cutpoints, theirs["cutpoints"], 0.0, "cutpoints")
    assert_close(np.abs(ours.statistics), theirs["absolute"], VALUE, "statistics")
    assert_close([ours.statistic, ours.cutpoint], [theirs["statistic"], theirs["cutpoint"]], VALUE, "best")
    # A bound may lie above 1, where we cut it.
    assert_close_p(ours.p_lau92, min(1.0, theirs["lau92"]), what="Lau92")
    assert_close_p(ours.p_lau94, min(1.0, theirs["lau94"]), what="Lau94")
    assert math.isnan(ours.p_permutation)
    if theirs["gauss"] is not None:
        # That is a simulation, with the error that it states of itself.
        assert abs(ours.gaussian_p() - theirs["gauss"]) < 2 * theirs["gauss_error"] + 1e-8


def test_by_hand() -> None:
    # Scores: event less the sum of 1 / (later + 1), that is 1/4, 1/3 and 1/1 at the events 1, 2, 4.
    surv = Surv([1, 2, 3, 4], [1, 1, 0, 1])
    a = np.array([1 - 1 / 4, 1 - 1 / 4 - 1 / 3, -1 / 4 - 1 / 3, 1 - 1 / 4 - 1 / 3 - 1])
    found = maximally_selected_test(surv, [10, 20, 30, 40], min_proportion=0.25, max_proportion=0.75, replicates=0)
    assert found.cutpoints.tolist() == [10, 20, 30]
    assert found.n_low.tolist() == [1, 2, 3]
    spread = (a**2).sum()  # untied scores add up to 0
    expected = [a[:m].sum() / math.sqrt(m * (4 - m) / (4 * 3) * spread) for m in (1, 2, 3)]
    assert found.statistics == pytest.approx(expected)
    assert found.statistic == pytest.approx(max(expected))
    # All 24 assignments: the share whose maximum is as large.
    sizes = np.array([1, 2, 3])
    error = np.sqrt(sizes * (4 - sizes) / 12 * spread)
    every = [np.abs(np.cumsum(a[list(p)])[:3] / error).max() for p in itertools.permutations(range(4))]
    share = np.mean(np.array(every) >= found.statistic - 1e-9)
    many = maximally_selected_test(surv, [10, 20, 30, 40], min_proportion=0.25, max_proportion=0.75, replicates=40_000)
    assert many.p_permutation == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / 40_000))


def test_one_cutpoint_needs_no_payment() -> None:
    rng = np.random.default_rng(3)
    surv, marker = Surv(rng.exponential(size=60), np.ones(60)), np.repeat([0, 1], 30)
    found = maximally_selected_test(surv, marker, replicates=0)
    normal = math.erfc(found.statistic / math.sqrt(2))
    assert found.cutpoints.tolist() == [0]
    assert found.p_lau94 == pytest.approx(normal, rel=1e-9)
    assert found.gaussian_p() == pytest.approx(normal, rel=1e-9)
    # Without ties the sum of scores is observed less expected, so the usual test differs in its variance alone.
    test = logrank_test(surv, marker)
    assert found.statistic**2 == pytest.approx(test.chi_square, rel=0.1)


def test_all_ways_to_pay_agree_where_they_should() -> None:
    rng = np.random.default_rng(11)
    marker = rng.normal(size=150)
    surv = Surv(rng.exponential(20 * np.exp(-1.1 * (marker > 0.3))), rng.random(150) < 0.8)
    found = maximally_selected_test(surv, marker, replicates=20_000)
    gauss = found.gaussian_p()
    assert gauss < found.p_lau94 < 2 * gauss
    assert found.p_lau94 < found.p_lau92
    assert found.p_permutation == pytest.approx(gauss, rel=0.5)


def test_the_quadrature_meets_a_known_probability() -> None:
    """Two cutpoints of equal distance to the middle: P(|Z1| <= b, |Z2| <= b) by a fine double sum."""
    surv = Surv(np.arange(1, 101), np.ones(100))
    marker = np.repeat([1.0, 2.0, 3.0], [40, 20, 40])
    found = maximally_selected_test(surv, marker, replicates=0)
    b, r = found.statistic, math.sqrt(40 * 40 / (60 * 60))
    grid = (np.arange(4000) + 0.5) / 4000 * 2 * b - b
    inner = [
        math.erf((b - r * z) / math.sqrt(2 * (1 - r * r))) + math.erf((b + r * z) / math.sqrt(2 * (1 - r * r)))
        for z in grid
    ]
    inside = float(np.exp(-(grid**2) / 2) @ np.array(inner)) / 2 / math.sqrt(2 * math.pi) * 2 * b / 4000
    assert found.gaussian_p() == pytest.approx(1 - inside, abs=1e-6)


def test_the_permutation_is_seeded_and_free_of_the_size_of_its_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    rng = np.random.default_rng(7)
    surv, marker = Surv(rng.exponential(size=40), rng.random(40) < 0.7), rng.normal(size=40)
    asked: dict[str, Any] = {"replicates": 700}
    first = maximally_selected_test(surv, marker, **asked)
    assert maximally_selected_test(surv, marker, **asked).p_permutation == first.p_permutation
    monkeypatch.setattr("riskset.survival.maximally_selected._BLOCK", 90)
    assert maximally_selected_test(surv, marker, **asked).p_permutation == first.p_permutation
    others = {maximally_selected_test(surv, marker, seed=s, **asked).p_permutation for s in range(2, 6)}
    assert others != {first.p_permutation}


def test_the_permutation_keeps_its_level() -> None:
    """Under no effect P <= 0.2 in about a fifth of the data sets."""
    rng = np.random.default_rng(23)
    small = 0
    for _ in range(400):
        surv = Surv(rng.exponential(size=30), rng.random(30) < 0.7)
        small += maximally_selected_test(surv, rng.normal(size=30), replicates=99).p_permutation <= 0.2
    assert abs(small / 400 - 0.2) < 4 * math.sqrt(0.16 / 400)


@given(samples(counted=True))
def test_laws_of_the_search(sample: Sample) -> None:
    surv = sample.surv
    marker = sample.x[:, 1]
    asked: dict[str, Any] = {"replicates": 50, "min_proportion": 0.2, "max_proportion": 0.8}
    found = maximally_selected_test(surv, marker, **asked)
    assume(not found.warnings)
    assert found.statistic == np.abs(found.statistics).max()
    assert found.cutpoint in found.cutpoints
    assert ((found.n_low >= math.floor(0.2 * found.n)) & (found.n_low <= math.floor(0.8 * found.n))).all()
    for p in (found.p_lau92, found.p_lau94, found.p_permutation, found.gaussian_p()):
        assert 0 <= p <= 1
    order = np.random.default_rng(sample.seed).permutation(len(surv))
    mixed = maximally_selected_test(surv.subset(order), marker[order], **asked)
    assert_close(mixed.statistics, found.statistics, 1e-9, "order")
    stretched = maximally_selected_test(surv, np.exp(marker) + 1e7, **asked)
    assert_close(stretched.statistics, found.statistics, 0.0, "another scale of the marker")
    assert stretched.p_permutation == found.p_permutation
    assert surv.weight is not None
    rows = np.repeat(np.arange(len(surv)), surv.weight.astype(int))
    copies = maximally_selected_test(Surv(surv.time[rows], surv.event[rows]), marker[rows], **asked)
    assert_close(copies.statistics, found.statistics, 1e-12, "weight as rows")
    slower = maximally_selected_test(Surv(surv.time * 30.4375, surv.event, weight=surv.weight), marker, **asked)
    assert_close(slower.statistics, found.statistics, 1e-12, "unit of time")


@given(st.integers(8, 40), st.integers(0, 1000))
def test_a_marker_read_backwards_finds_the_same_groups(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    surv, marker = Surv(rng.exponential(size=n), np.ones(n)), rng.normal(size=n)
    there = maximally_selected_test(surv, marker, min_proportion=0.25, max_proportion=0.75, replicates=0)
    back = maximally_selected_test(surv, -marker, min_proportion=0.25, max_proportion=0.75, replicates=0)
    shared = np.isin(n - back.n_low, there.n_low)
    low = {int(m): s for m, s in zip(there.n_low, there.statistics, strict=True)}
    for m, s in zip(back.n_low[shared], back.statistics[shared], strict=True):
        assert s == pytest.approx(-low[n - int(m)], rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    ("surv", "marker"),
    [
        (Surv([3], [1]), [1]),
        (Surv([3, 4, 5, 6], [0, 0, 0, 0]), [1, 2, 3, 4]),
        (Surv([3, 3, 3, 3], [1, 1, 1, 1]), [1, 2, 3, 4]),
        (Surv([1, 2, 3, 4], [1, 1, 1, 1]), [7, 7, 7, 7]),
    ],
)
def test_nothing_to_test(surv: Surv, marker: Any) -> None:
    found = maximally_selected_test(surv, marker)
    missing = (found.statistic, found.cutpoint, found.p_lau92, found.p_lau94, found.p_permutation, found.gaussian_p())
    assert np.isnan(missing).all()
    assert np.isnan(found.statistics).all()
    assert "nothing was tested" in found.warnings[0]


GOOD, MARKER = Surv([1, 2, 3], [1, 0, 1]), [1, 2, 3]


@pytest.mark.parametrize(
    ("surv", "marker", "options", "says"),
    [
        (Surv([], []), [], {}, "there is no row"),
        (GOOD, [1, 2], {}, "marker has 2 rows"),
        (GOOD, [1, np.nan, 2], {}, "marker holds a missing"),
        (GOOD, ["a", "b", "c"], {}, "not a number"),
        (Surv([1, 2], [1, 0], entry=[0, 1]), [1, 2], {}, "no delayed entry"),
        (Surv([1, 2], [1, 0], weight=[0.5, 1]), [1, 2], {}, "whole counts"),
        (GOOD, MARKER, {"min_proportion": 0}, "0 < min_proportion"),
        (GOOD, MARKER, {"max_proportion": 1}, "0 < min_proportion"),
        (GOOD, MARKER, {"min_proportion": 0.9, "max_proportion": 0.1}, "0 < min_proportion"),
        (GOOD, MARKER, {"replicates": -1}, "replicates"),
        (GOOD, MARKER, {"replicates": 0.5}, "replicates"),
        (GOOD, MARKER, {"seed": -1}, "seed"),
    ],
)
def test_refused(surv: Surv, marker: Any, options: Any, says: str) -> None:
    with pytest.raises(EngineError, match=says):
        maximally_selected_test(surv, marker, **options)
