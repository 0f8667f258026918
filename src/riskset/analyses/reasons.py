"""Why each patient's time ended: events and censorings by reason and group, for each endpoint and scheme."""

from __future__ import annotations

from typing import Literal

import polars as pl

from riskset.analyses.shared import at_level, complete_rows, count_rows, group_of, levels_in_use
from riskset.cohort import AnalysisSet
from riskset.protocol import AnalysisSpec
from riskset.results import ResultRow, RowWriter


class Spec(AnalysisSpec):
    """Reasons of events and censorings."""

    kind: Literal["reasons"] = "reasons"
    endpoints: list[str]


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give the number of patients whose time ended for each reason, under the primary scheme."""
    by = group_of(spec, analysis_set)
    writer = RowWriter(analysis=name, plan=spec.plan)
    for endpoint in spec.endpoints:
        w = writer.within(endpoint=endpoint, scheme=analysis_set.primary_scheme(endpoint))
        frame = complete_rows(analysis_set, [by] if by else [], endpoint).frame
        found = frame.select("event", "reason").unique().sort("event", "reason", descending=[True, False])
        _counts(w, complete_rows(analysis_set, [], endpoint).frame, found)
        if by is not None:
            for level in levels_in_use(analysis_set, by):
                _counts(w.within(group=by, group_level=level), at_level(frame, by, level), found)
    return writer.rows


def _counts(w: RowWriter, frame: pl.DataFrame, found: pl.DataFrame) -> None:
    count_rows(w, frame)
    for event, reason in found.iter_rows():
        number = frame.filter((pl.col("event") == event) & (pl.col("reason").eq_missing(pl.lit(reason)))).height
        method = "event" if event else "censored"
        w.add("n", number, method=method, variable="reason", level=reason or "unknown", n=frame.height)
