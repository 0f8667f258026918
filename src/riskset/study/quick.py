"""`quick`: a Kaplan-Meier comparison of one clean frame in a notebook, through the same analysis as a whole study."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from riskset import analyses, cohort, report
from riskset.errors import DataRefusedError, did_you_mean
from riskset.protocol import Protocol
from riskset.report import format as printed
from riskset.results import DAYS_PER_MONTH, ResultRow, Results
from riskset.study.vocabulary import study_vocabulary
from riskset.tables import CANONICAL, DERIVED, PROVENANCE, empty, fit

_CENTRE, _ENDPOINT, _GROUP, _NAME = "frame", "time", "group", "quick"


@dataclass(frozen=True, slots=True, repr=False)
class Quick:
    """Rows of a quick comparison; shows itself as tables and a curve in a notebook.

    Attributes
    ----------
    results : the rows, of the analysis `quick`.
    protocol : the study that says the same, for the report.
    dropped : rows of the frame left out because time, event or group is missing.
    """

    results: Results
    protocol: Protocol
    dropped: int

    def table(self) -> pl.DataFrame:
        """Give the result rows without the steps of the curve, as a frame."""
        return self.results.to_frame().filter(pl.col("method").fill_null("") != "curve")

    def __repr__(self) -> str:
        """Give a short table, printed from the rows: patients, events, medians, hazard ratios, log-rank P."""
        labels = self.protocol.report.labels
        groups = [r.group_level for r in self.results.select(analysis=_NAME, statistic="n", method=None)]
        heads = (labels.get(_GROUP, ""), "n", "events", "median, months (CI)", "median, days (CI)")
        lines = [heads, *(self._group_line(level) for level in groups)]
        widths = [max(len(line[k]) for line in lines) for k in range(len(heads))]
        text = ["  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        for row in self.results.select(analysis=_NAME, statistic="hazard_ratio", of=None):
            ratio = self._with_interval(row, printed.ratio, _ratio_end)
            text.append(f"Hazard ratio {row.level} against {row.reference}: {ratio}")
        for row in self.results.select(analysis=_NAME, statistic="p_value", method="logrank", of=None):
            text.append(f"Log-rank P: {row.status if row.value is None else printed.p_value(row.value)}")
        conf = f"CI: {printed.percent(self.protocol.study.conf_level, 0)}% confidence interval"
        left_out = f"; {self.dropped} incomplete rows left out" if self.dropped else ""
        text.append(f"{conf}; a month is {DAYS_PER_MONTH} days; NR: not reached{left_out}; unrounded in .results.")
        return "\n".join(line.rstrip() for line in text)

    def _group_line(self, level: str | None) -> tuple[str, ...]:
        key = {"analysis": _NAME, "group_level": level}
        n, events = (self.results.one(**key, statistic=s, method=None) for s in ("n", "events"))
        median = self.results.one(**key, statistic="median", of=None)
        counts = [r.status if r.value is None else printed.count(r.value) for r in (n, events)]
        both = [self._with_interval(median, how, how) for how in (printed.months, _days)]
        return (level or "all", *counts, *both)

    def _with_interval(self, row: ResultRow, how: Callable[[float], str], end: Callable[[float], str]) -> str:
        """Print a row with its interval; `how` rounds the value and `end` the ends."""
        low, high = self.results.interval(row)
        return f"{_printed(row, how)} ({_printed(low, end)} to {_printed(high, end)})"

    def _repr_html_(self) -> str:
        return report.fragment(self.protocol, self.results, _NAME)


def _days(days: float) -> str:
    """Print days: a median may lie between two."""
    return printed.fixed(days, 1).removesuffix(".0")


def _ratio_end(value: float) -> str:
    return printed.ratio(value, end=True)


def _printed(row: ResultRow | None, how: Callable[[float], str]) -> str:
    if row is not None and row.status == "not_reached":
        return printed.NOT_REACHED
    return printed.NOT_AVAILABLE if row is None or row.value is None else how(row.value)


def quick(frame: Any, time: str, event: str, by: str | None = None, *, reference: str | None = None) -> Quick:
    """Compare survival between the groups of a clean frame: medians, rates, log-rank, hazard ratio, curve.

    Parameters
    ----------
    frame : a Polars frame, or anything that `polars.DataFrame` takes (pandas, a dict of columns); one row a patient.
    time : column of whole days from time zero, 0 or more.
    event : column of 0 = censored, 1 = event (or booleans).
    by : column of groups; None describes all.
    reference : level that the others are held against; default the first in sorted order, or in the order of a Polars
        Enum.

    Returns
    -------
    Quick
        Rows with a missing time, event or group are left out and counted in `dropped`.

    Raises
    ------
    DataRefusedError
        A column is missing, a time is no whole number of days, an event is neither 0 nor 1, or no row is complete.
    """
    try:
        if isinstance(frame, str | bytes | Path):
            raise TypeError("a path or a text is no table")
        data = frame if isinstance(frame, pl.DataFrame) else pl.DataFrame(frame)
    except (TypeError, ValueError, pl.exceptions.PolarsError) as error:
        raise DataRefusedError(
            "The frame cannot be read as a table; give a data frame or a dict of columns."
        ) from error
    columns = {"days": _whole_days(_column(data, time)), "event": _events(_column(data, event))}
    levels: list[str] = []
    if by is not None:
        groups, levels = _groups(_column(data, by), reference)
        columns[_GROUP] = groups
    whole = pl.DataFrame(columns).with_row_index("row", offset=1)
    complete = whole.drop_nulls()
    if not complete.height:
        raise DataRefusedError("No row of the frame has time, event and group; check the columns.")
    protocol = _protocol(by, levels)
    analysis_set = _analysis_set(protocol, complete)
    spec = protocol.analyses[_NAME]
    return Quick(Results(analyses.run_one(_NAME, spec, analysis_set)), protocol, whole.height - complete.height)


def _column(frame: pl.DataFrame, name: str) -> pl.Series:
    if name not in frame.columns:
        raise DataRefusedError(f"The frame has no column '{name}'{did_you_mean(name, frame.columns)}.")
    return frame[name]


def _numbers(series: pl.Series) -> pl.Series:
    """Give the numbers of a column; NaN is missing."""
    if not (series.dtype.is_numeric() or series.dtype in (pl.Boolean, pl.Null)):
        raise DataRefusedError(f"Column '{series.name}' holds no numbers; convert it first.")
    return series.cast(pl.Float64).fill_nan(None)


def _whole_days(series: pl.Series) -> pl.Series:
    days = _numbers(series)
    known = days.drop_nulls()
    if not known.is_finite().all() or (known % 1 != 0).any():
        raise DataRefusedError(
            f"Column '{series.name}' holds fractions of a day, as where times are in months; give whole "
            f"days (months x {DAYS_PER_MONTH}, rounded)."
        )
    if (known < 0).any():
        raise DataRefusedError(f"Column '{series.name}' holds times below 0; time runs from 0 on.")
    return days.cast(pl.Int32)


def _events(series: pl.Series) -> pl.Series:
    event = _numbers(series)
    if not event.drop_nulls().is_in([0.0, 1.0]).all():
        raise DataRefusedError(
            f"Column '{series.name}' holds more than 0 and 1; code the event as 1 and censoring as 0."
        )
    return event.cast(pl.Int32)


def _groups(series: pl.Series, reference: str | None) -> tuple[pl.Series, list[str]]:
    """Give the groups as an Enum, and its levels with the reference first."""
    text = series.cast(pl.String)
    used = text.drop_nulls().unique().sort().to_list()
    if isinstance(series.dtype, pl.Enum):
        used = [level for level in series.dtype.categories.to_list() if level in used]
    if not used:
        raise DataRefusedError(f"Column '{series.name}' holds no group; check the column.")
    first = used[0] if reference is None else reference
    if first not in used:
        raise DataRefusedError(f"'{first}' is no level of '{series.name}'{did_you_mean(first, used)}.")
    levels = [first, *(level for level in used if level != first)]
    return text.cast(pl.Enum(levels)), levels


def _protocol(by: str | None, levels: list[str]) -> Protocol:
    """Give the study that a user would have written for this comparison."""
    said: dict[str, Any] = {
        "riskset": 1,
        "study": {"id": _NAME, "title": "Quick comparison"},
        "centres": {_CENTRE: {"label": "Frame", "mapping": "frame.yaml"}},
        "endpoints": {_ENDPOINT: {"kind": "pfs", "label": "Time", "prefer": "supplied"}},
        "analyses": {_NAME: {"kind": "survival", "plan": "exploratory", "endpoint": _ENDPOINT}},
        "report": {"labels": {_ENDPOINT: "Time to event"}},
    }
    if by is not None:
        said["covariates"] = {_GROUP: {"rule": "supplied", "name": _GROUP, "levels": levels}}
        said["comparison"] = {"by": _GROUP, "reference": levels[0]}
        said["report"]["labels"] |= {_GROUP: by, **{f"{_GROUP}.{level}": level for level in levels}}
    return study_vocabulary().model.model_validate(said)


def _analysis_set(protocol: Protocol, complete: pl.DataFrame) -> cohort.AnalysisSet:
    """Bring the frame to the tables of a study in which everybody is included."""
    keyed = complete.with_columns(
        pl.lit(_CENTRE).alias("centre"),
        pl.format("row-{}", pl.col("row")).alias("patient"),
        pl.lit(1).alias("source"),
    )
    patients = fit(keyed.drop("days", "event"), CANONICAL["patients"]).with_columns(
        pl.lit(True).alias("included"),
        pl.lit(None, pl.String).alias("lost_at"),
        pl.lit(None, pl.String).alias("lost_as"),
    )
    outcomes = keyed.select("centre", "patient", "days", "event").with_columns(
        pl.lit(_ENDPOINT).alias("endpoint"),
        pl.lit(protocol.endpoints[_ENDPOINT].primary_scheme).alias("scheme"),
        pl.lit("supplied").alias("reason"),
    )
    tables = {
        "patients": patients,
        "outcomes": fit(outcomes, DERIVED["outcomes"]),
        "samples": empty(CANONICAL["samples"]),
        "queries": empty(PROVENANCE["queries"]),
        "sources": empty(PROVENANCE["sources"]),
    }
    return cohort.analysis_set(protocol, tables)
