"""Table 1: each covariate overall and by group, with its missing values and the standardised mean difference.

The standardised difference tells how far groups lie apart; P values depend on the sample size, say nothing of
confounding, and are written only where the study file asks for them.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import polars as pl
from numpy.typing import NDArray

from riskset.analyses.declared import Declared
from riskset.analyses.shared import at_level, group_of, is_category, levels_in_use, population_of
from riskset.cohort import AnalysisSet
from riskset.errors import UsageError
from riskset.inference import (
    HypothesisTest,
    compare_proportions,
    kruskal_wallis,
    quantiles,
    smd_binary,
    smd_categorical,
    smd_continuous,
    wilcoxon_rank_sum,
)
from riskset.protocol import Id
from riskset.results import ResultRow, RowWriter

NO_VALUE = "No patient has a value."


class Spec(Declared):
    """A table of patient characteristics."""

    kind: Literal["baseline"] = "baseline"
    variables: list[Id]
    p_values: bool = False


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give the rows of Table 1; proportions are of the patients with a value, which `n` of the row states."""
    by = group_of(spec, analysis_set)
    writer = RowWriter(analysis=name, plan=spec.plan)
    for named in spec.populations:
        w = writer.within(population=population_of(named))
        frame = analysis_set.frame([*spec.variables, *([by] if by else [])], population=w.common["population"])
        _refuse_dates(frame, spec.variables)
        groups = [] if by is None else levels_in_use(analysis_set, by)
        parts: list[tuple[RowWriter, pl.DataFrame]] = [(w, frame)]
        parts += [(w.within(group=by, group_level=g), at_level(frame, str(by), g)) for g in groups]
        for writer_of_part, part in parts:
            writer_of_part.add("n", part.height)
        for variable in spec.variables:
            for writer_of_part, part in parts:
                _describe(writer_of_part, part, variable, analysis_set)
            if len(groups) > 1:
                members = [part for _, part in parts[1:]]
                _differences(w.within(group=by), members, variable, spec, analysis_set)
    return writer.rows


def _refuse_dates(frame: pl.DataFrame, variables: Sequence[str]) -> None:
    for variable in variables:
        if frame.schema[variable].is_temporal():
            raise UsageError(f"'{variable}' is a date, which no table can average; describe a number or a class.")


def _describe(w: RowWriter, frame: pl.DataFrame, variable: str, analysis_set: AnalysisSet) -> None:
    known = frame[variable].drop_nulls()
    own = w.within(variable=variable, n=known.len())
    own.add("missing", frame.height - known.len(), n=frame.height)
    if is_category(frame, variable):
        text = known.cast(pl.String)
        for level in _levels(analysis_set, variable):
            count = int((text == level).sum())
            own.add("n", count, level=level)
            share, why = (count / known.len(), None) if known.len() else (None, NO_VALUE)
            own.add("proportion", share, level=level, warning=why)
        return
    values = known.to_numpy().astype(np.float64)
    unit = analysis_set.unit(variable) or "1"
    own = own.within(unit=unit)
    if not values.size:
        own.add("median", None, warning=NO_VALUE)
        return
    low, middle, high = quantiles(values, [0.25, 0.5, 0.75])
    own.add("mean", float(values.mean()))
    if values.size > 1:
        own.add("sd", float(values.std(ddof=1)))
    else:
        own.add("sd", None, warning="One value has no standard deviation.")
    own.add("median", float(middle))
    own.add("quartile_low", float(low))
    own.add("quartile_high", float(high))
    own.add("minimum", float(values.min()))
    own.add("maximum", float(values.max()))


def _levels(analysis_set: AnalysisSet, variable: str) -> list[str]:
    return analysis_set.levels(variable)


def _differences(
    w: RowWriter, groups: Sequence[pl.DataFrame], variable: str, spec: Spec, analysis_set: AnalysisSet
) -> None:
    """Write the standardised difference between two groups (of more, the largest of any pair), and P if asked for."""
    category = is_category(groups[0], variable)
    levels = _levels(analysis_set, variable) if category else []
    pairs = [(a, b) for k, b in enumerate(groups) for a in groups[k + 1 :]]
    found = [_smd(a[variable].drop_nulls(), b[variable].drop_nulls(), levels) for a, b in pairs]
    if len(found) == 1:
        value, warning = found[0]
    else:
        known = [abs(value) for value, _ in found if value is not None]
        value, warning = (max(known) if known else None), "The largest absolute difference of any two groups."
    w.add("smd", value, variable=variable, warning=warning)
    if spec.p_values:
        test = _test([g[variable].drop_nulls() for g in groups], levels)
        w.add("p_value", test.p_value, variable=variable, method=test.test, warning=test.warning)


def _counts(values: pl.Series, levels: list[str]) -> NDArray[np.int64]:
    text = values.cast(pl.String)
    return np.array([int((text == level).sum()) for level in levels], dtype=np.int64)


def _smd(one: pl.Series, other: pl.Series, levels: list[str]) -> tuple[float | None, str | None]:
    if not levels:
        found = smd_continuous(one.to_numpy().astype(np.float64), other.to_numpy().astype(np.float64))
    elif len(levels) == 2:
        e1, e0 = _counts(one, levels)[1], _counts(other, levels)[1]
        found = smd_binary(int(e1), one.len(), int(e0), other.len())
    else:
        found = smd_categorical(_counts(one, levels), _counts(other, levels))
    return found.value, found.warning


def _test(groups: list[pl.Series], levels: list[str]) -> HypothesisTest:
    """Compare proportions by chi-square or Fisher as expected counts allow, numbers by ranks."""
    if levels:
        return compare_proportions(np.array([_counts(g, levels) for g in groups]))
    values = [g.to_numpy().astype(np.float64) for g in groups]
    return wilcoxon_rank_sum(values[0], values[1]) if len(values) == 2 else kruskal_wallis(values)
