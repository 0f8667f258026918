"""Cox models: the headline model stratified by centre, the same unstratified, and univariable ones beside them.

The covariates are declared, never chosen by their P values. Rows with a missing covariate are dropped and counted;
each model says how many patients and events it used. Ties after Efron.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Literal

from riskset.analyses.declared import DeclaredExposure
from riskset.analyses.models import model_of, write_absent, write_model, write_proportional_hazards, write_size
from riskset.analyses.shared import complete_rows, population_of
from riskset.cohort import AnalysisSet
from riskset.protocol import Id
from riskset.results import ResultRow, RowWriter


class Spec(DeclaredExposure):
    """Univariable and multivariable Cox models of one endpoint."""

    kind: Literal["cox"] = "cox"
    endpoint: str
    exposure: Id
    adjust: list[Id] = []
    strata: Id | None = None
    univariable: list[Id] = []


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give the rows of the declared models; coefficients on the log scale, hazard ratios with intervals."""
    writer = RowWriter(
        analysis=name, endpoint=spec.endpoint, scheme=analysis_set.primary_scheme(spec.endpoint), plan=spec.plan
    )
    headline = [spec.exposure, *spec.adjust]
    for named in spec.populations:
        w = writer.within(population=population_of(named))
        if spec.strata is not None:
            _model(w, "cox_multivariable_stratified", headline, spec, analysis_set, spec.strata)
        if spec.adjust:
            _model(w, "cox_multivariable", headline, spec, analysis_set, None)
        for variable in dict.fromkeys(spec.univariable or headline):
            _univariable(w, variable, spec, analysis_set)
    return writer.rows


def _model(
    w: RowWriter, method: str, variables: list[str], spec: Spec, analysis_set: AnalysisSet, strata: str | None
) -> None:
    named = w.within(method=method)
    columns = [*variables, *([strata] if strata else [])]
    rows = complete_rows(analysis_set, columns, spec.endpoint, population=w.common["population"])
    model = model_of(analysis_set, rows, variables, strata)
    write_absent(named, analysis_set, rows, variables)
    if model is None:
        write_size(named, rows)
        return
    write_model(named, model, analysis_set.protocol.study.conf_level)
    write_proportional_hazards(w.within(method=f"{method}_ph"), model)


def _univariable(w: RowWriter, variable: str, spec: Spec, analysis_set: AnalysisSet) -> None:
    """One model a variable: sized by its own complete rows, so the size stands in each row, not once for all."""
    rows = complete_rows(analysis_set, [variable], spec.endpoint, population=w.common["population"])
    named = w.within(method="cox_univariable")
    write_absent(named, analysis_set, rows, [variable])
    model = model_of(analysis_set, rows, [variable])
    if model is None:
        write_size(named.within(variable=variable), rows)
        return
    inner = RowWriter(**named.common)
    write_model(inner, model, analysis_set.protocol.study.conf_level)
    # The size and fit of this model belong to its variable.
    for row in inner.rows:
        w.rows.append(row if row.variable is not None else replace(row, variable=variable))
