"""What a result shows at a prompt: a small table of numbers, its tests and its warnings, never a dump of arrays."""

from __future__ import annotations

import numpy as np
import pytest

from riskset.survival import (
    IntervalSurv,
    Surv,
    aalen_johansen,
    bootstrap_cox,
    exact_logrank_test,
    fit_aft,
    fit_cox,
    fit_cox_firth,
    fit_cox_frailty,
    fit_fine_gray,
    gray_test,
    kaplan_meier,
    logrank_permutation,
    logrank_test,
    max_combo_test,
    maximally_selected_test,
    nelson_aalen,
    pairwise_logrank,
    trend_test,
    turnbull,
)
from riskset.survival._summary import shown, summary

RNG = np.random.default_rng(1)
N = 60
TIME, EVENT = RNG.integers(1, 90, N), RNG.integers(0, 3, N)
X = np.column_stack((RNG.normal(size=N), RNG.integers(0, 2, N), np.ones(N)))
GROUP = RNG.integers(0, 3, N)
CAUSES, SURV = Surv(TIME, EVENT), Surv(TIME, EVENT == 1)

RESULTS = {
    "cox": fit_cox(SURV, X),
    "cox robust": fit_cox(SURV, X, robust=True),
    "cox without columns": fit_cox(SURV, np.empty((N, 0))),
    "cox without events": fit_cox(Surv(TIME, np.zeros(N)), X),
    "firth": fit_cox_firth(SURV, X),
    "frailty": fit_cox_frailty(SURV, X, GROUP),
    "fine-gray": fit_fine_gray(CAUSES, X),
    "aft": fit_aft(SURV, X),
    "exponential": fit_aft(SURV, X, distribution="exponential"),
    "logrank": logrank_test(SURV, GROUP),
    "logrank of one group": logrank_test(SURV, np.zeros(N)),
    "gray": gray_test(CAUSES, GROUP),
    "exact": exact_logrank_test(SURV.subset(np.arange(12)), GROUP[:12] > 0),
    "permutation": logrank_permutation(SURV, GROUP, replicates=9, seed=1),
    "trend": trend_test(SURV, GROUP),
    "max combo": max_combo_test(SURV, GROUP > 0),
    "maximally selected": maximally_selected_test(SURV, X[:, 0], replicates=9),
    "pairs": pairwise_logrank(SURV, GROUP),
    "proportional hazards": fit_cox(SURV, X).proportional_hazards_test(),
    "incidence": aalen_johansen(CAUSES),
    "hazard": nelson_aalen(SURV),
    "turnbull": turnbull(IntervalSurv([0, 2, 4, 3], [2, 4, 6, np.inf])),
}


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_shows_as_a_small_table(name: str) -> None:
    result = RESULTS[name]
    text = repr(result)
    assert "array(" not in text
    assert len(text.split("\n")) < 30
    assert max(map(len, text.split("\n"))) < 160
    for warning in getattr(result, "warnings", ()):
        assert f"warning: {warning}" in text


def test_a_cox_model_shows_ratios_intervals_and_p() -> None:
    fit = RESULTS["cox"]
    lines = repr(fit).split("\n")
    ratio = fit.hazard_ratio()[0]
    assert lines[0] == f"Cox model, efron ties: {N} rows, {int((EVENT == 1).sum())} events"
    assert lines[1].split("  ")[0] == "column"
    assert lines[2].split() == ["x1", *(f"{v:#.4g}" for v in (ratio.value, ratio.low, ratio.high, fit.p_value[0]))]
    assert lines[4].split() == ["x3", "NaN", "NaN", "NaN", "NaN"]
    assert lines[5].startswith("likelihood-ratio test: chi-square ")
    assert "robust Wald test: " in repr(RESULTS["cox robust"])


def test_a_test_shows_its_groups_and_p() -> None:
    # The first death is one of 4 at risk, 2 of them b, the second one of 3, again 2 of them b: expected 2/4 + 2/3.
    lines = repr(logrank_test(Surv([1, 2, 3, 4], [1, 1, 0, 0]), ["a", "b", "a", "b"])).split("\n")
    assert lines[0] == "log-rank test"
    assert lines[2].split() == ["a", "2", "1", "0.8333"]
    assert lines[3].split() == ["b", "2", "1", "1.167"]
    assert " on 1 df, P " in lines[4]


def test_a_long_table_is_cut_in_its_middle() -> None:
    lines = summary("title", ("k", "square"), [(k, k * k) for k in range(25)]).split("\n")
    assert lines[1:3] == ["k   square", "0        0"]
    assert lines[11:14] == ["9       81", "... 5 more", "15     225"]
    assert lines[-1] == "24     576"
    assert len(summary("title", ("k",), [(k,) for k in range(20)]).split("\n")) == 22


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.0, "0"),
        (12.0, "12"),
        (3, "3"),
        (0.5, "0.5000"),
        (1234.56, "1235"),
        (-123456.7, "-123457"),
        (1.23456e-7, "1.235e-07"),
        (float("nan"), "NaN"),
        (float("inf"), "inf"),
        (float("-inf"), "-inf"),
        ("007", "007"),
        (True, "True"),
        (None, "None"),
    ],
)
def test_numbers_have_four_digits(value: object, text: str) -> None:
    assert shown(value) == text


def test_a_curve_and_a_bootstrap_are_told_in_a_line_each() -> None:
    surv = Surv([5, 8, 12, 14, 20, 21, 25, 30], [1, 1, 0, 1, 1, 0, 1, 0])
    curve = repr(kaplan_meier(surv)).split("\n")
    assert curve[0] == "Kaplan-Meier curve: 8 distinct times"
    assert curve[2].split() == ["8", "5", "20", "5", "NaN"]
    resampled = bootstrap_cox(surv, [1, 1, 0, 0, 1, 0, 0, 1], replicates=20, seed=1, names=["liver"])
    lines = repr(resampled).split("\n")
    assert lines[0].startswith("Cox model, bootstrap of 20 resamples")
    assert lines[2].split()[0] == "liver"
    assert lines[2].split()[-1] == str(int(resampled.n_estimated[0]))
