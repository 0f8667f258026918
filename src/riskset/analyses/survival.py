"""Kaplan-Meier comparison: medians, survival at times, numbers at risk, restricted means, log-rank, hazard ratio.

For each population, overall and by group; the contrasts hold every level against the reference. Cox models here have
the group alone (the adjusted ones are the kind `cox`), ties after Efron; intervals of survival are log-log.
"""

from __future__ import annotations

import math
from typing import Annotated, Literal

import polars as pl
from pydantic import Field

from riskset.analyses.declared import Declared
from riskset.analyses.models import model_of, write_no_ratio, write_proportional_hazards, write_ratio
from riskset.analyses.shared import (
    NOBODY,
    Rows,
    at_level,
    complete_rows,
    count_rows,
    group_of,
    levels_in_use,
    month_grid,
    population_of,
    surv,
    write_logrank,
)
from riskset.cohort import AnalysisSet
from riskset.results import DAYS_PER_MONTH, ResultRow, RowWriter, Status
from riskset.survival import Difference, KaplanMeier, kaplan_meier, rmst_difference, survival_difference

NO_ERROR = "No standard error can be estimated at this time: no event before it, or nobody left after it."


class Spec(Declared):
    """A Kaplan-Meier comparison of one endpoint."""

    kind: Literal["survival"] = "survival"
    endpoint: str
    times_months: list[Annotated[float, Field(gt=0)]] = [6, 12, 24]
    rmst_months: Annotated[float, Field(gt=0)] | None = 24
    conf_type: Literal["log-log", "log", "plain"] = "log-log"


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give the rows of one Kaplan-Meier comparison; days and fractions, unrounded."""
    by = group_of(spec, analysis_set)
    writer = RowWriter(
        analysis=name, endpoint=spec.endpoint, scheme=analysis_set.primary_scheme(spec.endpoint), plan=spec.plan
    )
    for named in spec.populations:
        population = population_of(named)
        rows = complete_rows(analysis_set, [by] if by else [], spec.endpoint, population=population)
        whole = complete_rows(analysis_set, [], spec.endpoint, population=population)
        w = writer.within(population=population)
        w.add("missing", whole.dropped, of=spec.endpoint)
        grid = month_grid(float(whole.frame["days"].max() or 0)) if whole.n else [0.0]  # type: ignore[arg-type]
        _describe(w, whole.frame, spec, grid, analysis_set.protocol.study.conf_level)
        if by is not None:
            _by_group(w, rows, by, spec, grid, analysis_set)
    return writer.rows


def _curve(frame: pl.DataFrame, spec: Spec, level: float) -> KaplanMeier | None:
    return kaplan_meier(surv(frame), conf_type=spec.conf_type, conf_level=level) if frame.height else None


def _describe(w: RowWriter, frame: pl.DataFrame, spec: Spec, grid: list[float], level: float) -> None:
    count_rows(w, frame)
    curve = _curve(frame, spec, level)
    if curve is None:
        w.within(method="kaplan_meier", warning=NOBODY).estimate("median", None, None, None, unit="days")
        return
    sized = w.within(n=curve.n, events=curve.n_events)
    median = curve.median()
    sized.estimate(
        "median", median.value, median.low, median.high, missing="not_reached", method="kaplan_meier", unit="days"
    )
    _at_times(sized.within(method="kaplan_meier"), curve, spec)
    _restricted_mean(sized, curve, spec)
    at = curve.at(grid)
    for time, number in zip(grid, at.at_risk, strict=True):
        w.add("at_risk", number, method="risk_table", time=time)
    _steps(w.within(method="curve"), curve)


def _at_times(w: RowWriter, curve: KaplanMeier, spec: Spec) -> None:
    times = [months * DAYS_PER_MONTH for months in spec.times_months]
    if not times:
        return
    at = curve.at(times)
    for k, time in enumerate(times):
        missing: Status = "beyond_follow_up" if at.beyond[k] else "not_estimable"
        w.estimate("survival", at.survival[k], at.low[k], at.high[k], missing=missing, time=time)


def _restricted_mean(w: RowWriter, curve: KaplanMeier, spec: Spec) -> None:
    if spec.rmst_months is None:
        return
    tau = spec.rmst_months * DAYS_PER_MONTH
    at = w.within(method="rmst", time=tau)
    mean = curve.rmst(tau)
    if math.isnan(mean.value):
        why = "The follow-up of this group ends before the restriction time."
        at.estimate("rmst", None, None, None, missing="beyond_follow_up", warning=why)
        return
    if not mean.standard_error > 0:
        at.within(warning=NO_ERROR).estimate("rmst", mean.value, None, None)
        return
    at.estimate("rmst", mean.value, mean.low, mean.high)


def _steps(w: RowWriter, curve: KaplanMeier) -> None:
    """Write the curve: where it starts, the estimate with its interval at each event, those censored at each time.

    It starts with 1 at time 0, unless an event falls on that day.
    """
    if curve.time[0] > 0:
        w.add("survival", 1.0, time=0.0)
    for k, time in enumerate(curve.time):
        if curve.events[k] > 0 or k == len(curve.time) - 1:
            w.estimate("survival", curve.survival[k], curve.low[k], curve.high[k], time=float(time))
        if curve.censored[k] > 0:
            # The mark of a censoring stands on the curve: its height is the estimate then.
            w.add("censored", curve.censored[k], time=float(time))


def _by_group(w: RowWriter, rows: Rows, by: str, spec: Spec, grid: list[float], analysis_set: AnalysisSet) -> None:
    level = analysis_set.protocol.study.conf_level
    levels = levels_in_use(analysis_set, by)
    for one in levels:
        _describe(w.within(group=by, group_level=one), at_level(rows.frame, by, one), spec, grid, level)
    write_logrank(w, rows, by)
    for one in levels[1:]:
        pair = w.within(variable=by, level=one, reference=levels[0])
        _contrast(pair, at_level(rows.frame, by, one), at_level(rows.frame, by, levels[0]), spec, level)
    _hazard_ratios(w, rows, by, levels, analysis_set)


def _contrast(w: RowWriter, one: pl.DataFrame, other: pl.DataFrame, spec: Spec, level: float) -> None:
    first, second = _curve(one, spec, level), _curve(other, spec, level)
    for months in spec.times_months:
        time = months * DAYS_PER_MONTH
        found = None if first is None or second is None else survival_difference(first, second, time)
        at = w.within(method="kaplan_meier", time=time)
        _difference(at, "survival_difference", found, "One group's follow-up ends before this time.")
    if spec.rmst_months is not None:
        tau = spec.rmst_months * DAYS_PER_MONTH
        found = None if first is None or second is None else rmst_difference(first, second, tau)
        at = w.within(method="rmst", time=tau)
        _difference(at, "rmst_difference", found, "One group's follow-up ends before the restriction time.")


def _difference(w: RowWriter, statistic: str, found: Difference | None, why: str) -> None:
    """Write a difference of two curves with interval and P value; `why` is said where a curve does not reach it."""
    if found is None:
        w.estimate(statistic, None, None, None, warning=NOBODY)
        return
    e = found.estimate
    if math.isnan(e.value):
        w.estimate(statistic, None, None, None, missing="beyond_follow_up", warning=why)
        return
    if not e.standard_error > 0:
        # Two flat curves differ by 0 without any error: an interval of no width and a P value would claim too much.
        w = w.within(warning=NO_ERROR)
        w.estimate(statistic, e.value, None, None)
        w.add("p_value", None, of=statistic)
        return
    w.estimate(statistic, e.value, e.low, e.high)
    w.add("p_value", found.p_value, of=statistic)


def _hazard_ratios(w: RowWriter, rows: Rows, by: str, levels: list[str], analysis_set: AnalysisSet) -> None:
    model = model_of(analysis_set, rows, [by])
    fitted = {} if model is None else {column.level: k for k, column in enumerate(model.columns)}
    for one in levels[1:]:
        key = {"method": "cox", "variable": by, "level": one, "reference": levels[0]}
        if model is None or one not in fitted:
            write_no_ratio(w, "A group has no patient.", **key)
        else:
            write_ratio(w, model.fit, fitted[one], analysis_set.protocol.study.conf_level, **key)
    if model is not None:
        write_proportional_hazards(w.within(method="cox_zph"), model)
