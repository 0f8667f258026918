"""Contrasts of other variables inside each group, side by side with the interaction that a difference between groups needs.

"Significant in one group, not in the other" is no evidence of a difference: the interaction test is.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from riskset.analyses.models import interaction, model_of, subset, write_interaction, write_no_ratio, write_ratio
from riskset.analyses.shared import Rows, at_level, complete_rows, count_rows, levels_in_use, population_of, surv
from riskset.cohort import AnalysisSet
from riskset.protocol import AnalysisSpec, Id
from riskset.results import ResultRow, RowWriter
from riskset.survival import kaplan_meier, logrank_test


class Spec(AnalysisSpec):
    """Medians, log-rank and hazard ratio of some variables inside each level of another."""

    kind: Literal["contrasts"] = "contrasts"
    endpoint: str
    within: Id
    contrasts: list[Id]
    adjust: list[Id] = []
    strata: Id | None = None


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give each contrast inside each group, and its interaction with the group."""
    conf_level = analysis_set.protocol.study.conf_level
    writer = RowWriter(
        analysis=name, endpoint=spec.endpoint, scheme=analysis_set.primary_scheme(spec.endpoint), plan=spec.plan
    )
    for named in spec.populations:
        w = writer.within(population=population_of(named))
        for variable in spec.contrasts:
            rows = complete_rows(
                analysis_set, [spec.within, variable], spec.endpoint, population=w.common["population"]
            )
            for level in levels_in_use(analysis_set, spec.within):
                inner = w.within(group=spec.within, group_level=level)
                _contrast(inner, subset(rows, spec.within, level), variable, analysis_set)
            found = interaction(analysis_set, rows, spec.within, variable)
            write_interaction(w.within(method="unadjusted"), found, spec.within, variable, conf_level)
            if spec.adjust or spec.strata:
                _adjusted(w, spec, variable, analysis_set)
    return writer.rows


def _adjusted(w: RowWriter, spec: Spec, variable: str, analysis_set: AnalysisSet) -> None:
    columns = [spec.within, variable, *spec.adjust, *([spec.strata] if spec.strata else [])]
    rows = complete_rows(analysis_set, columns, spec.endpoint, population=w.common["population"])
    found = interaction(analysis_set, rows, spec.within, variable, spec.adjust, spec.strata)
    conf_level = analysis_set.protocol.study.conf_level
    write_interaction(w.within(method="adjusted"), found, spec.within, variable, conf_level)


def _contrast(w: RowWriter, rows: Rows, variable: str, analysis_set: AnalysisSet) -> None:
    conf_level = analysis_set.protocol.study.conf_level
    levels = levels_in_use(analysis_set, variable)
    for level in levels:
        mine = at_level(rows.frame, variable, level)
        own = w.within(variable=variable, level=level)
        count_rows(own, mine)
        _median(own, mine, conf_level)
    _logrank(w, rows, variable)
    cox = w.within(method="cox", variable=variable, reference=levels[0])
    model = model_of(analysis_set, rows, [variable])
    fitted = {} if model is None else {c.level: k for k, c in enumerate(model.columns)}
    for level in levels[1:]:
        if model is None or level not in fitted:
            write_no_ratio(cox, "A level has no patient in this group.", level=level)
        else:
            write_ratio(cox, model.fit, fitted[level], conf_level, level=level)


def _median(w: RowWriter, frame: pl.DataFrame, conf_level: float) -> None:
    key = {"method": "kaplan_meier", "unit": "days"}
    if not frame.height:
        w.estimate("median", None, None, None, warning="No patient is in this group.", **key)
        return
    curve = kaplan_meier(surv(frame), conf_level=conf_level)
    median = curve.median()
    sized = w.within(n=curve.n, events=curve.n_events)
    sized.estimate("median", median.value, median.low, median.high, missing="not_reached", **key)


def _logrank(w: RowWriter, rows: Rows, variable: str) -> None:
    named = w.within(method="logrank", variable=variable)
    groups = rows.frame[variable].cast(pl.String)
    if groups.n_unique() < 2:
        named.add("p_value", None, warning="Fewer than two levels have patients.")
        return
    test = logrank_test(surv(rows.frame), groups.to_numpy())
    sized = named.within(n=rows.n, events=rows.events)
    sized.add("chi_square", test.chi_square)
    sized.add("df", test.df)
    sized.add("p_value", test.p_value)
