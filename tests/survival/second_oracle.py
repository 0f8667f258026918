"""What the package `survival` of PyPI (Rust, MIT) says of the cases: a program, run by test_against_second_oracle.py.

It runs in a process of its own, because among the tests the name `survival` is their folder's. It reads cases.json on
standard input and prints, for each case, what the tests compare. It knows nothing of riskset.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np

from survival.core import CovariateMatrix, SurvivalData, Weights, concordancefit
from survival.regression import (
    SurvregControl,
    SurvregData,
    SurvregDistribution,
    cox_zph,
    coxph_fit,
    survreg_fit,
)
from survival.surv_analysis import quantile_survfit, survdiff, survfitkm
from survival.validation import rmst_comparison

CONTROL = {"eps": 1e-14, "iter_max": 50}
CONF_TYPES = ("log-log", "log", "plain", "logit", "arcsin")
TRANSFORMS = ("km", "identity", "rank", "log")
PROBABILITIES = (0.1, 0.25, 0.5, 0.75)
RHOS = (0.0, 0.5, 1.0)
DISTRIBUTIONS = ("weibull", "exponential", "lognormal", "loglogistic")


def column(case: dict[str, Any], name: str) -> Any:
    """Give a column as numbers, None where the case has none."""
    return None if case.get(name) is None else np.array(case[name], dtype=float)


def codes(labels: list[Any] | None) -> Any:
    """Give labels as 0, 1, 2, ... in sorted order."""
    return None if labels is None else np.unique(np.array(labels), return_inverse=True)[1].astype(np.int32)


def fractional(case: dict[str, Any]) -> bool:
    """Say whether the weights are more than counts of rows, so that R's variances are robust ones."""
    weight = column(case, "weight")
    return weight is not None and bool((weight != np.floor(weight)).any())


def outcome(case: dict[str, Any]) -> tuple[Any, Any]:
    """Give the times, and the events of any cause."""
    return column(case, "time"), (column(case, "event") > 0).astype(float)


def cox(case: dict[str, Any], model: dict[str, Any]) -> dict[str, Any]:
    """Fit one Cox model."""
    fit = coxph_fit(
        *outcome(case),
        np.array(case["x"], dtype=float),
        entry=column(case, "entry"),
        weights=column(case, "weight"),
        strata=codes(case["strata"]) if model["stratified"] else None,
        cluster=codes(case["cluster"]) if model["clustered"] else None,
        robust=model["robust"] or None,
        method=model["ties"],
        **CONTROL,
    )
    found = {
        "coefficient": fit.coefficients,
        "covariance": fit.var,
        "naive_covariance": fit.naive_var,
        "log_likelihood": fit.loglik,
        "score_test": fit.score,
        "wald_test": fit.wald_test,
        "concordance": fit.concordance.concordance,
    }
    if model["ties"] != "exact":
        hazard = fit.basehaz(False)
        found["baseline"] = {"time": hazard.time, "hazard": hazard.hazard, "stratum": hazard.strata}
        found["ph"] = {name: proportional(fit, name) for name in TRANSFORMS}
        found["residuals"] = {
            "martingale": fit.martingale_residuals(),
            "deviance": fit.deviance_residuals(),
            "score": fit.score_residuals(),
            "dfbeta": fit.dfbeta(),
            "schoenfeld": fit.schoenfeld_residuals().residuals,
            "scaled_schoenfeld": fit.scaled_schoenfeld_residuals().residuals,
        }
    return found


def proportional(fit: Any, transform: str) -> list[list[float]]:
    """Give chi-square, degrees of freedom and P of each column, then of all."""
    test = cox_zph(fit, transform)
    lines = [*test.table, *([] if test.global_test is None else [test.global_test])]
    return [[line.chisq, line.df, line.p] for line in lines]


def curve(case: dict[str, Any], conf_type: str, *, flipped: bool = False, reverse: bool = False) -> dict[str, Any]:
    """Estimate one curve, on request with events and censorings flipped; the error is that of S."""
    time, event = outcome(case)
    fit = survfitkm(
        time,
        1.0 - event if flipped else event,
        start=column(case, "entry"),
        weights=column(case, "weight"),
        conf_type=conf_type,
        reverse=reverse,
        robust=fractional(case) or None,
        id=np.arange(len(time)) if fractional(case) else None,  # each row by itself
    )
    read = quantile_survfit(fit, PROBABILITIES)
    return {
        "time": fit.time,
        "at_risk": fit.n_risk,
        "survival": fit.surv,
        "error": (np.array(fit.std_err) * (fit.surv if fit.logse else 1.0)).tolist(),
        "low": fit.lower,
        "high": fit.upper,
        "hazard": fit.cumhaz,
        "quantiles": [read.quantile[0], read.lower[0], read.upper[0]],
    }


def test(case: dict[str, Any], rho: float, stratified: bool) -> list[float]:
    """Compare the groups."""
    found = survdiff(
        *outcome(case),
        codes(case["group"]),
        start=column(case, "entry"),
        strata=codes(case["strata"]) if stratified else None,
        rho=rho,
    )
    return [found.chisq, found.df, found.pvalue]


def parametric(case: dict[str, Any], distribution: str) -> dict[str, Any]:
    """Fit an accelerated failure time model with an intercept."""
    x = np.array(case["x"], dtype=float)
    data = SurvregData(*outcome(case), np.column_stack([np.ones(len(x)), x]), weights=column(case, "weight"))
    control = SurvregControl(iter_max=200, rel_tolerance=1e-14)
    fit = survreg_fit(data, SurvregDistribution(distribution), control=control)
    return {
        # Behind the coefficients stand the logarithms of the scales.
        "coefficient": fit.coefficients[: 1 + x.shape[1]],
        "scale": fit.scale,
        "log_likelihood": fit.log_likelihood,
        "covariance": fit.variance_matrix,
    }


def pairs(case: dict[str, Any]) -> dict[str, Any]:
    """Estimate the concordance of the first column as a risk score."""
    time, event = outcome(case)
    score = [row[0] for row in case["x"]]
    weight = column(case, "weight")
    found = concordancefit(
        SurvivalData(time.tolist(), event.astype(int).tolist()),
        CovariateMatrix(score, len(score), 1),
        weights=None if weight is None else Weights(weight.tolist()),
        reverse=True,
    )
    return {"value": found.concordance, "variance": found.var}


def restricted_mean(case: dict[str, Any]) -> dict[str, Any]:
    """Compare the groups' restricted means up to half of the longest time."""
    time, event = outcome(case)
    tau = float(np.max(time)) / 2
    found = rmst_comparison(time, event, codes(case["group"]), tau)
    return {"tau": tau, "mean": [g.rmean for g in found.groups], "error": [g.se_rmean for g in found.groups]}


def models(case: dict[str, Any]) -> list[dict[str, Any]]:
    """List the Cox models to fit to a case; fractional weights are robust as R has them."""
    weight = column(case, "weight")
    return [
        {"ties": ties, "stratified": stratified, "clustered": clustered, "robust": clustered or fractional(case)}
        for ties in ("efron", "breslow", "exact")
        for stratified in ([False, True] if case["strata"] is not None else [False])
        for clustered in ([False, True] if case["cluster"] is not None else [False])
        if ties != "exact" or (weight is None and not clustered)
    ]


def answers(case: dict[str, Any]) -> dict[str, Any]:
    """Collect all of a case. Parametric models and pairs have no delayed entry here, tests and means no weights."""
    plain = case["entry"] is None
    unweighted = case["weight"] is None
    return {
        "cox": [{**model, **cox(case, model)} for model in models(case)],
        "curves": {kind: curve(case, kind) for kind in CONF_TYPES},
        "follow_up": curve(case, "log-log", flipped=True),
        "reverse": curve(case, "log-log", reverse=True)["survival"],
        "tests": [
            {"rho": rho, "stratified": stratified, "found": test(case, rho, stratified)}
            for rho in RHOS
            for stratified in ([False, True] if case["strata"] is not None else [False])
            if unweighted
        ],
        "parametric": {name: parametric(case, name) for name in DISTRIBUTIONS} if plain else {},
        "pairs": pairs(case) if plain else None,
        "restricted_mean": restricted_mean(case) if plain and unweighted else None,
    }


if __name__ == "__main__":
    given = json.load(sys.stdin)
    print(json.dumps({name: answers(case) for name, case in given.items()}))
