"""`quick`: a Kaplan-Meier comparison of one clean frame in a notebook, through the same analyses as a whole study."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import polars as pl

from riskset import analyses, cohort, report
from riskset.errors import DataRefusedError, did_you_mean
from riskset.protocol import Protocol, StudyInfo
from riskset.results import Results


@dataclass(frozen=True, slots=True)
class Quick:
    """Rows of a quick comparison; shows itself as tables and a curve in a notebook."""

    results: Results
    protocol: Protocol

    def table(self) -> pl.DataFrame:
        """Give the result rows without the curve, as a frame."""
        return self.results.to_frame().filter(pl.col("method").fill_null("") != "curve")

    def _repr_html_(self) -> str:
        return report.fragment(self.protocol, self.results, "quick")


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise DataRefusedError(f"The frame has no column '{name}'{did_you_mean(name, frame.columns)}.")
    return frame[name]


def _whole_days(series: pl.Series) -> pl.Series:
    days = series.cast(pl.Float64)
    if (days.drop_nulls() % 1 != 0).any():
        raise DataRefusedError(f"Column '{series.name}' holds fractions; give times in whole days.")
    return days.cast(pl.Int32)


def quick(frame: Any, time: str, event: str, by: str | None = None, *, reference: str | None = None) -> Quick:
    """Compare survival between the groups of a clean frame: medians, rates, log-rank, hazard ratio, curve.

    Parameters
    ----------
    frame : a Polars frame, or anything that `polars.DataFrame` takes (pandas, a dict of columns); one row a patient.
    time : column of whole days from time zero.
    event : column of 0 = censored, 1 = event (or booleans).
    by : column of groups; None describes all.
    reference : level that the others are held against; default the first in sorted order.

    Raises
    ------
    DataRefusedError
        A column is missing, or a time is no whole number of days.
    """
    data = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)
    days, status = _whole_days(_column(data, time)), _column(data, event).cast(pl.Int32)
    key = {"centre": ["frame"] * data.height, "patient": [f"row-{i + 1}" for i in range(data.height)]}
    patients = pl.DataFrame(key)
    levels: list[str] = []
    if by is not None:
        groups = _column(data, by).cast(pl.String)
        levels = sorted(groups.drop_nulls().unique().to_list(), key=lambda level: (level != reference, level))
        if reference is not None and reference not in levels:
            raise DataRefusedError(f"'{reference}' is no level of '{by}'{did_you_mean(reference, levels)}.")
        patients = patients.with_columns(groups.cast(pl.Enum(levels)).alias("group"))
    outcomes = patients.select("centre", "patient").with_columns(
        endpoint=pl.lit("time"), scheme=pl.lit("supplied"), days=days, event=status, reason=pl.lit("supplied")
    )
    protocol = Protocol.model_construct(
        riskset=1,
        study=StudyInfo(id="quick", title="Quick comparison"),
        centres={"frame": {"label": "", "mapping": ""}},
    )
    analysis_set = cohort.AnalysisSet.from_frames(protocol, patients, outcomes, primary_schemes={"time": "supplied"})
    spec = analyses.SPECS["survival"](kind="survival", endpoint="time", by="group" if by else None)
    return Quick(Results(analyses.run_one("quick", spec, analysis_set)), protocol)
