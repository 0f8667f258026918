"""Why each patient's time ended: events and censorings by reason and group, for each endpoint and scheme."""

from __future__ import annotations

from typing import Literal

import polars as pl

from riskset.analyses.declared import Declared
from riskset.analyses.shared import at_level, complete_rows, count_rows, group_of, levels_in_use, population_of
from riskset.cohort import AnalysisSet
from riskset.protocol import Id
from riskset.results import ResultRow, RowWriter

UNKNOWN = "unknown"


class Spec(Declared):
    """Reasons of events and censorings."""

    kind: Literal["reasons"] = "reasons"
    endpoints: list[Id]


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give the number of patients whose time ended for each reason, under the primary scheme."""
    by = group_of(spec, analysis_set)
    writer = RowWriter(analysis=name, plan=spec.plan)
    for endpoint in spec.endpoints:
        for named in spec.populations:
            w = writer.within(
                endpoint=endpoint, scheme=analysis_set.primary_scheme(endpoint), population=population_of(named)
            )
            _reasons(w, endpoint, by, analysis_set)
    return writer.rows


def _reasons(w: RowWriter, endpoint: str, by: str | None, analysis_set: AnalysisSet) -> None:
    """Count everyone, then each group; every reason that anybody has is counted in all of them."""
    rows = complete_rows(analysis_set, [], endpoint, population=w.common["population"])
    frame = rows.frame.with_columns(pl.col("reason").fill_null(UNKNOWN))
    found = frame.select("event", "reason").unique().sort("event", "reason", descending=[True, False])
    _counts(w, frame, found)
    if by is None:
        return
    keyed = frame.join(analysis_set.frame([by]), on=["centre", "patient"], how="left", maintain_order="left")
    for level in levels_in_use(analysis_set, by):
        _counts(w.within(group=by, group_level=level), at_level(keyed, by, level), found)


def _counts(w: RowWriter, frame: pl.DataFrame, found: pl.DataFrame) -> None:
    count_rows(w, frame)
    for event, reason in found.iter_rows():
        number = frame.filter(pl.col("event") == event, pl.col("reason") == reason).height
        method = "event" if event else "censored"
        w.add("n", number, method=method, variable="reason", level=reason, n=frame.height)
