"""The exposure's hazard ratio under each censoring scheme that the data allow: what rests on the rules of censoring."""

from __future__ import annotations

from typing import Literal

from riskset.analyses.declared import DeclaredExposure
from riskset.analyses.models import model_of, write_no_ratio, write_ratio
from riskset.analyses.shared import (
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
    """One endpoint under its censoring schemes."""

    kind: Literal["schemes"] = "schemes"
    endpoint: str
    exposure: Id
    adjust: list[Id] = []
    strata: Id | None = None


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give, for each scheme, the sizes, medians, log-rank P and hazard ratio (and the adjusted one where declared)."""
    writer = RowWriter(analysis=name, endpoint=spec.endpoint, plan=spec.plan)
    for named in spec.populations:
        for scheme in analysis_set.schemes(spec.endpoint):
            _scheme(writer.within(scheme=scheme, population=population_of(named)), spec, analysis_set)
    return writer.rows


def _scheme(w: RowWriter, spec: Spec, analysis_set: AnalysisSet) -> None:
    level = analysis_set.protocol.study.conf_level
    key = {"population": w.common["population"], "scheme": w.common["scheme"]}
    rows = complete_rows(analysis_set, [spec.exposure], spec.endpoint, **key)
    count_rows(w, rows.frame)
    levels = levels_in_use(analysis_set, spec.exposure)
    for one in levels:
        mine = at_level(rows.frame, spec.exposure, one)
        own = w.within(group=spec.exposure, group_level=one)
        count_rows(own, mine)
        write_median(own, mine, level)
    write_logrank(w, rows, spec.exposure)
    _ratios(w.within(method="cox"), spec, [], None, analysis_set)
    if spec.adjust or spec.strata:
        _ratios(w.within(method="cox_adjusted"), spec, spec.adjust, spec.strata, analysis_set)


def _ratios(w: RowWriter, spec: Spec, adjust: list[str], strata: str | None, analysis_set: AnalysisSet) -> None:
    columns = [spec.exposure, *adjust, *([strata] if strata else [])]
    key = {"population": w.common["population"], "scheme": w.common["scheme"]}
    rows = complete_rows(analysis_set, columns, spec.endpoint, **key)
    levels = levels_in_use(analysis_set, spec.exposure)
    model = model_of(analysis_set, rows, [spec.exposure, *adjust], strata)
    own = {} if model is None else {c.level: k for k, c in enumerate(model.columns) if c.variable == spec.exposure}
    for one in levels[1:]:
        named = {"variable": spec.exposure, "level": one, "reference": levels[0]}
        if model is None or one not in own:
            write_no_ratio(w, "A group has no patient.", **named)
        else:
            write_ratio(w, model.fit, own[one], analysis_set.protocol.study.conf_level, **named)
