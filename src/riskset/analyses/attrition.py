"""The flow of patients: who met each criterion, who failed it, of whom it cannot be told; overall and by centre."""

from __future__ import annotations

import polars as pl

from riskset.cohort import AnalysisSet
from riskset.results import ResultRow, RowWriter


def run(name: str, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give the counts of each criterion in order; the n of everyone screened and of everyone included."""
    writer = RowWriter(analysis=name)
    _flow(writer, analysis_set.attrition, analysis_set.screened)
    for centre in analysis_set.protocol.centres:
        mine = analysis_set.attrition.filter(pl.col("centre").cast(pl.String) == centre)
        people = analysis_set.screened.filter(pl.col("centre").cast(pl.String) == centre)
        _flow(writer.within(group="centre", group_level=centre), mine, people)
    return writer.rows


def _flow(w: RowWriter, attrition: pl.DataFrame, screened: pl.DataFrame) -> None:
    w.add("n", screened.height, population="screened")
    counts = attrition.group_by("position", "criterion").agg(pl.col("entered", "fails", "unknown", "kept").sum())
    for row in counts.sort("position").iter_rows(named=True):
        for statistic in ("entered", "fails", "unknown", "kept"):
            w.add(statistic, row[statistic], variable=row["criterion"])
    w.add("n", int(screened["included"].sum()), population="included")
