"""Residuals of a fitted Cox model, all from the same running sums as the likelihood."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np

from riskset.errors import EngineError, did_you_mean
from riskset.survival._types import FloatArray
from riskset.survival.cox_likelihood import CoxDesign, CoxState, at_risk_hazard
from riskset.survival.surv import Surv

ResidualKind = Literal["martingale", "deviance", "score", "dfbeta", "schoenfeld", "scaled_schoenfeld"]


def residuals(
    kind: ResidualKind,
    surv: Surv,
    design: CoxDesign,
    state: CoxState,
    naive_covariance: FloatArray,
    coefficient: FloatArray,
) -> FloatArray:
    """Give the residuals that `CoxFit.residuals` documents; aliased columns are the NaN ones of `coefficient`."""
    if kind not in get_args(ResidualKind):
        known = get_args(ResidualKind)
        raise EngineError(f"residual kind '{kind}' is unknown{did_you_mean(kind, known)}")
    kept = ~np.isnan(coefficient)
    if kind in ("martingale", "deviance"):
        martingale = np.zeros(design.n)
        martingale[design.rows] = martingale_residuals(design, state)
        return martingale if kind == "martingale" else _deviance(martingale, surv)
    covariance = naive_covariance[np.ix_(kept, kept)]
    if kind in ("score", "dfbeta"):
        rows = score_residuals(design, state)
        if kind == "dfbeta":
            rows = (design.weight[:, None] * rows) @ covariance
        full = np.zeros((design.n, kept.shape[0]))
        full[np.ix_(design.rows, kept)] = rows
        full[:, ~kept] = np.nan
        return full
    rows = schoenfeld_residuals(design, state)
    if kind == "scaled_schoenfeld":
        rows = rows @ covariance * rows.shape[0] + coefficient[kept]
    full = np.full((rows.shape[0], kept.shape[0]), np.nan)
    full[:, kept] = rows
    return full


def martingale_residuals(design: CoxDesign, state: CoxState) -> FloatArray:
    """Give events observed minus expected for each row of the design: shape (a,)."""
    martingale = -state.hazard * at_risk_hazard(design, state.jump)
    martingale[design.events] += 1.0
    return martingale


def _deviance(martingale: FloatArray, surv: Surv) -> FloatArray:
    """Give the deviance residuals sign(m) sqrt(-2 (m + d log(d - m)))."""
    expected = np.where(surv.is_event, 1.0 - martingale, 1.0)
    with np.errstate(divide="ignore"):
        inside = martingale + np.where(surv.is_event, np.log(expected), 0.0)
    return np.asarray(np.sign(martingale) * np.sqrt(np.maximum(-2.0 * inside, 0.0)))


def score_residuals(design: CoxDesign, state: CoxState) -> FloatArray:
    """Give each row's unweighted share of the gradient, in the columns' own units: shape (a, p).

    Its own event's covariates minus the mean there, minus the same difference added up over the terms at which the row
    was at risk with their hazard; at its own tied event only the fraction 1 - f of each term counts.
    """
    weighted = state.jump[:, None] * state.mean
    drift = design.while_at_risk(design.per_event_time(weighted))
    if design.has_split_ties:
        taken_back = design.per_event_time(design.fraction[:, None] * weighted)
        drift[design.events] -= taken_back[design.term]
    score = -state.hazard[:, None] * (design.x * at_risk_hazard(design, state.jump)[:, None] - drift)
    score[design.events] += design.x[design.events] - _mean_at_event(design, state)
    return np.asarray(score * design.scale)


def schoenfeld_residuals(design: CoxDesign, state: CoxState) -> FloatArray:
    """Give covariates minus their mean at each event, in the columns' own units: shape (m, p)."""
    return np.asarray((design.x[design.events] - _mean_at_event(design, state)) * design.scale)


def _mean_at_event(design: CoxDesign, state: CoxState) -> FloatArray:
    """Give the mean over the terms of each event's tied set: shape (m, p)."""
    count = np.diff(np.append(design.event_start, design.events.shape[0]))
    return (design.per_event_time(state.mean) / count[:, None])[design.term]
