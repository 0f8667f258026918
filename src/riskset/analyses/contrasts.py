"""Contrasts of other variables inside each group, beside the interaction that a difference between groups needs.

"Significant in one group, not in the other" is no evidence of a difference: the interaction test is.
"""

from __future__ import annotations

from typing import Literal

from pydantic import model_validator

from riskset.analyses.declared import DeclaredExposure
from riskset.analyses.models import interaction, model_of, subset, write_interaction, write_no_ratio, write_ratio
from riskset.analyses.shared import (
    Rows,
    at_level,
    complete_rows,
    count_rows,
    levels_in_use,
    population_of,
    write_logrank,
    write_median,
)
from riskset.cohort import AnalysisSet
from riskset.protocol import Id
from riskset.results import ResultRow, RowWriter


class Spec(DeclaredExposure):
    """Medians, log-rank and hazard ratio of some variables inside each level of another."""

    kind: Literal["contrasts"] = "contrasts"
    endpoint: str
    within: Id
    contrasts: list[Id]
    adjust: list[Id] = []
    strata: Id | None = None

    @model_validator(mode="after")
    def _other_variables(self) -> Spec:
        if self.within in self.contrasts:
            raise ValueError(f"'{self.within}' cannot be contrasted inside its own levels; leave it out of `contrasts`")
        return self


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
        write_median(own, mine, conf_level)
    write_logrank(w, rows, variable)
    model = model_of(analysis_set, rows, [variable])
    fitted = {} if model is None else {c.level: k for k, c in enumerate(model.columns)}
    for level in levels[1:]:
        key = {"method": "cox", "variable": variable, "level": level, "reference": levels[0]}
        if model is None or level not in fitted:
            write_no_ratio(w, "A level has no patient in this group.", **key)
        else:
            write_ratio(w, model.fit, fitted[level], conf_level, **key)
