"""Subgroup hazard ratios of the exposure, each with its test of interaction, unadjusted and adjusted.


The interaction is the likelihood-ratio test of one model with the product term against the one without (Altman and
Bland 2003); a P value inside one subgroup alone says nothing of a difference between subgroups.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import model_validator

from riskset.analyses.declared import DeclaredExposure
from riskset.analyses.models import (
    interaction,
    model_of,
    subset,
    write_interaction,
    write_no_ratio,
    write_ratio,
)
from riskset.analyses.shared import Rows, at_level, complete_rows, levels_in_use, population_of
from riskset.cohort import AnalysisSet
from riskset.protocol import Id
from riskset.results import ResultRow, RowWriter


class Spec(DeclaredExposure):
    """The exposure's hazard ratio in the levels of each subgroup variable."""

    kind: Literal["subgroups"] = "subgroups"
    endpoint: str
    exposure: Id
    subgroups: list[Id]
    adjust: list[Id] = []
    strata: Id | None = None

    @model_validator(mode="after")
    def _other_variables(self) -> Spec:
        if self.exposure in self.subgroups:
            raise ValueError(f"'{self.exposure}' cannot be its own subgroup; leave it out of `subgroups`")
        return self


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give n, events and hazard ratio in every subgroup, and an interaction P value for each subgroup variable."""
    writer = RowWriter(
        analysis=name, endpoint=spec.endpoint, scheme=analysis_set.primary_scheme(spec.endpoint), plan=spec.plan
    )
    models: list[tuple[str, list[str], str | None]] = [("unadjusted", [], None)]
    if spec.adjust or spec.strata:
        models.append(("adjusted", list(spec.adjust), spec.strata))
    for named in spec.populations:
        for method, adjust, strata in models:
            w = writer.within(method=method, population=population_of(named))
            _one_model(w, spec, adjust, strata, analysis_set)
    return writer.rows


def _one_model(w: RowWriter, spec: Spec, adjust: list[str], strata: str | None, analysis_set: AnalysisSet) -> None:
    conf_level = analysis_set.protocol.study.conf_level
    population = w.common["population"]
    extra = [*adjust, *([strata] if strata else [])]
    whole = complete_rows(analysis_set, [spec.exposure, *extra], spec.endpoint, population=population)
    _ratio(w, whole, spec.exposure, adjust, strata, analysis_set)
    for variable in spec.subgroups:
        rows = complete_rows(analysis_set, [spec.exposure, variable, *extra], spec.endpoint, population=population)
        for level in levels_in_use(analysis_set, variable):
            inner = w.within(group=variable, group_level=level)
            others = [a for a in adjust if a != variable]
            _ratio(inner, subset(rows, variable, level), spec.exposure, others, strata, analysis_set)
        found = interaction(analysis_set, rows, spec.exposure, variable, adjust, strata)
        write_interaction(w, found, spec.exposure, variable, conf_level)


def _ratio(
    w: RowWriter, rows: Rows, exposure: str, adjust: Sequence[str], strata: str | None, analysis_set: AnalysisSet
) -> None:
    """Write the exposure's hazard ratio among some rows, with the sizes of its groups."""
    w.add("n", rows.n)
    w.add("events", rows.events)
    levels = levels_in_use(analysis_set, exposure)
    for level in levels:
        mine = at_level(rows.frame, exposure, level)
        w.add("n", mine.height, variable=exposure, level=level)
        w.add("events", int((mine["event"] > 0).sum()), variable=exposure, level=level)
    model = model_of(analysis_set, rows, [exposure, *adjust], strata)
    own = {} if model is None else {c.level: k for k, c in enumerate(model.columns) if c.variable == exposure}
    if not levels:
        write_no_ratio(w, "Nobody has a value of it.", variable=exposure)
    for level in levels[1:]:
        key = {"variable": exposure, "level": level, "reference": levels[0]}
        if model is None or level not in own:
            write_no_ratio(w, "A group has no patient in this subgroup.", **key)
        else:
            write_ratio(w, model.fit, own[level], analysis_set.protocol.study.conf_level, **key)
