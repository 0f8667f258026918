"""The result row: one number with everything needed to say what it is.

An analysis computes rows; tables, figures, sentences, the review and claims only read them. Values are unrounded,
durations are in days and proportions are fractions; rounding and conversion happen once, in `report`.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import Any, Literal

import polars as pl

from riskset.errors import ReportRefusedError, RisksetError, did_you_mean

Status = Literal["ok", "not_reached", "not_estimable", "beyond_follow_up", "withheld", "suppressed"]
Plan = Literal["primary", "planned", "amended", "exploratory"]
Kind = Literal["count", "duration", "fraction", "ratio", "measure", "test", "p", "word"]


@dataclass(frozen=True, slots=True)
class Statistic:
    """What a statistic word means: its kind, the unit of its stored value, the digits a report prints by default."""

    kind: Kind
    unit: str | None
    digits: int
    meaning: str


# A month everywhere in riskset: the mean month of the Julian year. Rows hold days; months appear in words alone.
DAYS_PER_MONTH = 30.4375

# The one list of statistic words. A row with a word that is not here is refused.
STATISTICS: dict[str, Statistic] = {
    "n": Statistic("count", "patients", 0, "number of patients"),
    "events": Statistic("count", "events", 0, "number of events"),
    "censored": Statistic("count", "patients", 0, "number censored"),
    "missing": Statistic("count", "patients", 0, "number without a value"),
    "entered": Statistic("count", "patients", 0, "number who met every criterion before this one"),
    "fails": Statistic("count", "patients", 0, "number known not to meet a criterion"),
    "unknown": Statistic("count", "patients", 0, "number of whom it cannot be told"),
    "kept": Statistic("count", "patients", 0, "number known to meet a criterion"),
    "queries": Statistic("count", "queries", 0, "number of questions to a centre"),
    "rows": Statistic("count", "rows", 0, "number of rows read"),
    "mean": Statistic("measure", None, 1, "arithmetic mean"),
    "sd": Statistic("measure", None, 1, "standard deviation (n - 1)"),
    "median": Statistic("duration", None, 1, "median"),
    "quartile_low": Statistic("measure", None, 1, "first quartile"),
    "quartile_high": Statistic("measure", None, 1, "third quartile"),
    "minimum": Statistic("measure", None, 1, "smallest value"),
    "maximum": Statistic("measure", None, 1, "largest value"),
    "proportion": Statistic("fraction", "1", 1, "proportion of the n of the row"),
    "smd": Statistic("measure", None, 2, "standardised mean difference"),
    "follow_up_median": Statistic("duration", "days", 1, "median follow-up by reverse Kaplan-Meier"),
    "survival": Statistic("fraction", "1", 1, "Kaplan-Meier estimate at a time"),
    "at_risk": Statistic("count", "patients", 0, "number at risk just before a time"),
    "survival_difference": Statistic("fraction", "1", 1, "difference of two survival estimates at a time"),
    "hazard_ratio": Statistic("ratio", None, 2, "hazard ratio"),
    "hazard_ratio_ratio": Statistic("ratio", None, 2, "ratio of two hazard ratios (interaction)"),
    "coefficient": Statistic("measure", None, 4, "coefficient on the log scale"),
    "standard_error": Statistic("measure", None, 4, "standard error of the statistic named by `of`"),
    "log_likelihood": Statistic("measure", None, 3, "log partial likelihood"),
    "concordance": Statistic("measure", None, 3, "concordance"),
    "z": Statistic("test", None, 2, "normal deviate"),
    "chi_square": Statistic("test", None, 2, "chi-square"),
    "df": Statistic("test", None, 0, "degrees of freedom"),
    "p_value": Statistic("p", None, 3, "two-sided P value"),
    "p_interaction": Statistic("p", None, 3, "P value of an interaction"),
    "rate": Statistic("fraction", "1", 1, "proportion of patients with a response"),
    "rate_difference": Statistic("fraction", "1", 1, "difference of two response proportions"),
    "odds_ratio": Statistic("ratio", None, 2, "odds ratio"),
    "rmst": Statistic("duration", "days", 1, "restricted mean survival time"),
    "rmst_difference": Statistic("duration", "days", 1, "difference of two restricted mean survival times"),
    "cumulative_incidence": Statistic("fraction", "1", 1, "cumulative incidence at a time"),
    "kappa": Statistic("measure", None, 2, "Cohen's kappa"),
    "conf_low": Statistic("measure", None, 2, "lower end of the interval of the statistic named by `of`"),
    "conf_high": Statistic("measure", None, 2, "upper end of the interval of the statistic named by `of`"),
    "definition": Statistic("word", None, 0, "how something was defined or chosen; in `text`"),
}

KEY_FIELDS = (
    "analysis",
    "method",
    "endpoint",
    "scheme",
    "population",
    "group",
    "group_level",
    "variable",
    "level",
    "reference",
    "time",
    "statistic",
    "of",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultRow:
    """One number. The fields up to `of` are its key; null (None) where a part does not apply.

    Attributes
    ----------
    group, group_level : who is described (`her2` = `low`).
    variable, level, reference : what is measured or contrasted (`her2`: `low` against `zero`).
    time : days from the index date; None unless the number belongs to a time.
    of : for `conf_low`, `conf_high`, `standard_error`, `p_value`: the statistic that they belong to.
    value : unrounded, in `unit`; None where the status is not `ok`.
    text : a word instead of or beside a number.
    n, events : patients and events that the number was computed from.
    """

    analysis: str
    statistic: str
    method: str | None = None
    endpoint: str | None = None
    scheme: str | None = None
    population: str | None = None
    group: str | None = None
    group_level: str | None = None
    variable: str | None = None
    level: str | None = None
    reference: str | None = None
    time: float | None = None
    of: str | None = None
    value: float | None = None
    text: str | None = None
    unit: str | None = None
    n: int | None = None
    events: int | None = None
    status: Status = "ok"
    plan: Plan = "planned"
    warning: str | None = None
    row: str = ""

    def __post_init__(self) -> None:
        """Refuse words that nobody declared and numbers that are none."""
        if self.statistic not in STATISTICS:
            raise RisksetError(
                f"'{self.statistic}' is no statistic word{did_you_mean(self.statistic, STATISTICS)}; "
                "add it to STATISTICS in results.py."
            )
        if self.value is not None and not math.isfinite(self.value):
            raise RisksetError(f"Row {short_name(self)} holds no finite number; use no value and a status instead.")

    @property
    def key(self) -> tuple[Any, ...]:
        """The fields that identify the row."""
        return tuple(getattr(self, name) for name in KEY_FIELDS)


def _days(time: float) -> str:
    return f"{time:g}" if time == int(time) else f"{time:.4f}".rstrip("0")


def short_name(row: ResultRow) -> str:
    """Give the readable form of a key: `pfs_her2/hazard_ratio[her2=low:zero|first_line]`."""
    parts = []
    if row.variable is not None:
        level = "" if row.level is None else f"={row.level}"
        parts.append(f"{row.variable}{level}" + ("" if row.reference is None else f":{row.reference}"))
    if row.group is not None:
        parts.append(f"in {row.group}={row.group_level}" if row.group_level is not None else f"in {row.group}")
    if row.time is not None:
        parts.append(f"day {_days(row.time)}")
    inside = ", ".join(parts) + ("" if row.population is None else f"|{row.population}")
    of = "" if row.of is None else f"({row.of})"
    return f"{row.analysis}/{row.statistic}{of}" + (f"[{inside}]" if inside else "")


def _full_name(row: ResultRow) -> str:
    how = "/".join(p for p in (row.method, row.endpoint, row.scheme) if p is not None)
    return f"{short_name(row)}{{{how}}}" if how else short_name(row)


class Results:
    """All result rows of a study: unique keys, unique names, in the order in which the analyses gave them."""

    def __init__(self, rows: Iterable[ResultRow]) -> None:
        given = list(rows)
        counts: dict[str, int] = {}
        for row in given:
            counts[short_name(row)] = counts.get(short_name(row), 0) + 1
        # Two methods may give the same statistic in one analysis (a log-rank P and a Cox P): only then is the
        # method part of the name.
        self._rows = tuple(
            replace(row, row=short_name(row) if counts[short_name(row)] == 1 else _full_name(row)) for row in given
        )
        seen: set[tuple[Any, ...]] = set()
        for row in self._rows:
            if row.key in seen:
                raise RisksetError(f"Result row {row.row} was written twice; give one of them a key of its own.")
            seen.add(row.key)

    def __iter__(self) -> Iterator[ResultRow]:
        return iter(self._rows)

    def __len__(self) -> int:
        return len(self._rows)

    @cached_property
    def by_name(self) -> Mapping[str, ResultRow]:
        """Row name -> row."""
        return {row.row: row for row in self._rows}

    @cached_property
    def _by_analysis(self) -> Mapping[str, tuple[ResultRow, ...]]:
        grouped: dict[str, list[ResultRow]] = {}
        for row in self._rows:
            grouped.setdefault(row.analysis, []).append(row)
        return {name: tuple(rows) for name, rows in grouped.items()}

    def select(self, **key: Any) -> tuple[ResultRow, ...]:
        """Give the rows whose fields equal those named; `None` asks for null, a tuple for any of its values."""
        rows: Iterable[ResultRow] = self._by_analysis.get(key["analysis"], ()) if "analysis" in key else self._rows
        wanted = [(name, value if isinstance(value, tuple) else (value,)) for name, value in key.items()]
        return tuple(r for r in rows if all(getattr(r, name) in values for name, values in wanted))

    def find(self, **key: Any) -> ResultRow | None:
        """Give the only row that has these fields, or None where there is none.

        Raises
        ------
        ReportRefusedError
            More than one row fits: name more of its key.
        """
        rows = self.select(**key)
        if len(rows) > 1:
            raise ReportRefusedError(f"{len(rows)} result rows fit {key}; name more of the key.")
        return rows[0] if rows else None

    def one(self, **key: Any) -> ResultRow:
        """Give the only row that has these fields; refuse where there is none."""
        row = self.find(**key)
        if row is None:
            raise ReportRefusedError(f"No result row fits {key}; check the analysis that should give it.")
        return row

    def interval(self, row: ResultRow) -> tuple[ResultRow | None, ResultRow | None]:
        """Give the rows of the lower and upper end of the interval that belongs to a row."""
        key = {name: getattr(row, name) for name in KEY_FIELDS if name not in ("statistic", "of")}
        low = self.find(**key, statistic="conf_low", of=row.statistic)
        return low, self.find(**key, statistic="conf_high", of=row.statistic)

    def to_frame(self) -> pl.DataFrame:
        """Give the rows as a frame, one column a field, the readable name first."""
        names = ["row", *(f.name for f in fields(ResultRow) if f.name != "row")]
        return pl.DataFrame(
            {name: [getattr(r, name) for r in self._rows] for name in names}, schema={n: _TYPES[n] for n in names}
        )

    def to_json(self) -> str:
        """Give the rows as JSON, one row a line, null fields left out; equal rows give equal bytes."""
        # Not `asdict`: it copies every value deeply, which costs more than all the rest of writing a study.
        lines = (
            json.dumps(
                {name: value for name in _TYPES if (value := getattr(row, name)) is not None},
                sort_keys=True,
                ensure_ascii=False,
            )
            for row in self._rows
        )
        return "[\n" + ",\n".join(lines) + "\n]\n"

    @classmethod
    def from_json(cls, text: str) -> Results:
        """Read what `to_json` wrote."""
        return cls(ResultRow(**item) for item in json.loads(text))


_TYPES: dict[str, pl.DataType] = {
    f.name: pl.Float64() if f.name in ("time", "value") else pl.Int64() if f.name in ("n", "events") else pl.String()
    for f in fields(ResultRow)
}


class RowWriter:
    """Collects rows that share a part of their key, so that an analysis states it once.

    Examples
    --------
    >>> writer = RowWriter(analysis="pfs_her2", endpoint="pfs", plan="primary")
    >>> writer.add("events", 128)
    >>> writer.rows[0].value
    128.0
    """

    def __init__(self, **common: Any) -> None:
        self.common = common
        self.rows: list[ResultRow] = []

    def within(self, **more: Any) -> RowWriter:
        """Give a writer that adds to the same rows with more of the key stated."""
        inner = RowWriter(**{**self.common, **more})
        inner.rows = self.rows
        return inner

    def add(self, statistic: str, value: float | int | None, *, status: Status | None = None, **key: Any) -> None:
        """Add one row; no finite value becomes `not_estimable` unless a status is given."""
        number = None if value is None or not math.isfinite(value) else float(value)
        unit = key.pop("unit", self.common.get("unit")) or STATISTICS[statistic].unit
        given: Status = status or ("ok" if number is not None else "not_estimable")
        self.rows.append(
            ResultRow(**{**self.common, **key, "statistic": statistic, "value": number, "unit": unit, "status": given})
        )

    def estimate(
        self,
        statistic: str,
        value: float | None,
        low: float | None,
        high: float | None,
        *,
        missing: Status = "not_estimable",
        **key: Any,
    ) -> None:
        """Add a value and the two ends of its interval; what is absent or not finite gets the status `missing`."""
        unit = key.pop("unit", self.common.get("unit")) or STATISTICS[statistic].unit
        for word, number, of in (
            (statistic, value, None),
            ("conf_low", low, statistic),
            ("conf_high", high, statistic),
        ):
            absent = number is None or not math.isfinite(number)
            self.add(word, number, status=missing if absent else "ok", of=of, unit=unit, **key)

    def word(self, statistic: str, text: str, **key: Any) -> None:
        """Add a row that holds a text instead of a number."""
        self.rows.append(ResultRow(**{**self.common, **key, "statistic": statistic, "text": text}))
