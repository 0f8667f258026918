"""What several analyses need: complete rows with a count of those dropped, groups, times, the grid of a risk table."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from riskset.cohort import AnalysisSet
from riskset.protocol import AnalysisSpec
from riskset.results import DAYS_PER_MONTH, RowWriter
from riskset.survival import Surv, kaplan_meier, logrank_test

NOBODY = "No patient is in this group."


@dataclass(frozen=True, slots=True)
class Rows:
    """Complete rows of a population, and how many were dropped because a value or the outcome is missing."""

    frame: pl.DataFrame
    dropped: int

    @property
    def n(self) -> int:
        """Number of complete rows."""
        return self.frame.height

    @property
    def events(self) -> int:
        """Number of events among them."""
        return int((self.frame["event"] > 0).sum())


def population_of(name: str) -> str | None:
    """Give the population as a row's key has it: `all` is the whole analysis set, null in the key."""
    return None if name == "all" else name


def complete_rows(
    analysis_set: AnalysisSet,
    columns: Sequence[str],
    endpoint: str,
    *,
    population: str | None = None,
    scheme: str | None = None,
) -> Rows:
    """Give the rows that have every column and the outcome, sorted, with the number of those that do not."""
    frame = analysis_set.frame(list(dict.fromkeys(columns)), population=population, endpoint=endpoint, scheme=scheme)
    complete = frame.drop_nulls([*dict.fromkeys(columns), "days", "event"])
    return Rows(complete, frame.height - complete.height)


def surv(frame: pl.DataFrame) -> Surv:
    """Give the time-to-event value of a frame with `days` and `event` (and `entry` where observation began late)."""
    days, event = frame["days"].to_numpy().astype(np.float64), frame["event"].to_numpy()
    if "entry" in frame.columns and frame["entry"].null_count() < frame.height:
        return Surv(days, event, entry=frame["entry"].fill_null(-1).to_numpy().astype(np.float64))
    return Surv(days, event)


def group_of(spec: AnalysisSpec, analysis_set: AnalysisSet) -> str | None:
    """Give the column whose groups an analysis compares: its own `by`, else the study's comparison."""
    if spec.by is not None:
        return spec.by
    comparison = analysis_set.protocol.comparison
    return None if comparison is None else comparison.by


def levels_in_use(analysis_set: AnalysisSet, column: str) -> list[str]:
    """Give a column's levels, the one that others are held against first; a declared level without patients stays.

    That is the study's reference for its comparison, else the first in declared order. A column without declared
    levels of which nobody has a value has none.
    """
    levels = analysis_set.levels(column)
    comparison = analysis_set.protocol.comparison
    first = [comparison.reference] if comparison is not None and comparison.by == column else levels[:1]
    return [*first, *(level for level in levels if level not in first)]


def is_category(frame: pl.DataFrame, column: str) -> bool:
    """Tell whether a column holds levels rather than numbers."""
    return isinstance(frame.schema[column], pl.Enum | pl.Boolean | pl.String | pl.Categorical)


def at_level(frame: pl.DataFrame, column: str, level: str) -> pl.DataFrame:
    """Give the rows of one level."""
    return frame.filter(pl.col(column).cast(pl.String) == level)


def month_grid(longest: float) -> list[float]:
    """Give the days at which a risk table counts: every 1, 2, 3, 6, 12 or 24 months, at most nine steps."""
    months = longest / DAYS_PER_MONTH
    step = next((s for s in (1, 2, 3, 6, 12, 24) if months / s <= 9), 60)
    return [k * step * DAYS_PER_MONTH for k in range(math.floor(months / step) + 1)]


def count_rows(writer: RowWriter, rows: pl.DataFrame) -> None:
    """Write the patients, events and censorings of some rows."""
    events = int((rows["event"] > 0).sum()) if rows.height else 0
    writer.add("n", rows.height)
    writer.add("events", events)
    writer.add("censored", rows.height - events)


def write_median(writer: RowWriter, frame: pl.DataFrame, conf_level: float) -> None:
    """Write the Kaplan-Meier median of some rows with its log-log interval, in days."""
    w = writer.within(method="kaplan_meier", unit="days")
    if not frame.height:
        w.estimate("median", None, None, None, warning=NOBODY)
        return
    curve = kaplan_meier(surv(frame), conf_level=conf_level)
    median = curve.median()
    sized = w.within(n=curve.n, events=curve.n_events)
    sized.estimate("median", median.value, median.low, median.high, missing="not_reached")


def write_logrank(writer: RowWriter, rows: Rows, by: str) -> None:
    """Write the log-rank test of the groups of a column; where it cannot be computed, the row says why."""
    named = writer.within(method="logrank", variable=by, n=rows.n, events=rows.events)
    groups = rows.frame[by].cast(pl.String)
    if groups.n_unique() < 2:
        named.add("p_value", None, warning="Fewer than two groups have patients.")
        return
    test = logrank_test(surv(rows.frame), groups.to_numpy())
    if math.isnan(test.p_value):
        named.add("p_value", None, warning="No event happened while two groups were at risk.")
        return
    named.add("chi_square", test.chi_square)
    named.add("df", test.df)
    named.add("p_value", test.p_value)
