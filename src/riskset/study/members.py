"""Who stands behind a result row.

A row that counts (`n`, `events`, `missing`, `at_risk`, ...) leads to the patients that it counted, as many as its
value. Any other row leads to the patients that it was computed from, as many as its `n`. Both follow from the row's key
and the analysis that the study file declares; nothing is computed anew.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import polars as pl

from riskset.analyses.ascertainment import period_of
from riskset.results import ResultRow
from riskset.study.output import OutputFolder
from riskset.tables import KEY

COUNTS = frozenset({"n", "events", "censored", "missing", "at_risk", "entered", "fails", "unknown", "kept"})
_UNKNOWN = "unknown"
_DENOMINATORS = ("measurable", "evaluable")


@dataclass(frozen=True, slots=True)
class Members:
    """The patients behind a row.

    Attributes
    ----------
    people : `centre, patient`, sorted.
    words : the conditions that chose them.
    columns : the columns of `patients` that the row depends on.
    counted : the row counts these patients; otherwise it was computed from them.
    note : what there is to say where patients are not what the row is about.
    asked : the queries that the row counts, whose cells are what it is about.
    """

    people: pl.DataFrame
    words: tuple[str, ...]
    columns: frozenset[str] = frozenset()
    counted: bool = True
    note: str | None = None
    asked: pl.DataFrame | None = None


@dataclass(frozen=True, slots=True)
class _Chosen:
    """Patients being narrowed down, with the conditions so far and the columns that they name."""

    frame: pl.DataFrame
    words: tuple[str, ...]
    columns: frozenset[str] = frozenset()

    def where(self, condition: pl.Expr, words: str, *columns: str) -> _Chosen:
        return _Chosen(self.frame.filter(condition), (*self.words, words), self.columns.union(columns))

    def at(self, column: str, *levels: str) -> _Chosen:
        wanted = pl.col(column).cast(pl.String).is_in(list(levels))
        return self.where(wanted, f"{column} = {' or '.join(levels)}", column)

    def known(self, *columns: str) -> _Chosen:
        wanted = [c for c in dict.fromkeys(columns) if c not in KEY]
        if not wanted:
            return self
        known = pl.all_horizontal([pl.col(c).is_not_null() for c in wanted])
        return self.where(known, f"{', '.join(wanted)} known", *wanted)


class Evidence:
    """What membership is told from: the patients, their outcomes and the study's declarations."""

    def __init__(self, out: OutputFolder) -> None:
        self.out = out
        self.patients = out.table("patients").sort(KEY)
        self.outcomes = out.table("outcomes")
        self.responses = out.table("responses")

    def spec(self, analysis: str) -> Any:
        """Give the declared analysis; None for those that every study has."""
        return self.out.protocol.analyses.get(analysis)

    def by(self, spec: Any) -> str | None:
        """Give the column whose groups an analysis compares."""
        comparison = self.out.protocol.comparison
        return getattr(spec, "by", None) or (None if comparison is None else comparison.by)

    def joined(self, row: ResultRow, endpoint: str | None) -> pl.DataFrame:
        """Give all patients with the outcome or response that the row's endpoint and scheme name."""
        outcome = self.outcomes.filter(pl.col("endpoint") == (endpoint or ""), pl.col("scheme") == (row.scheme or ""))
        response = self.responses.filter(pl.col("endpoint") == (endpoint or ""))
        with_outcome = outcome.select(*KEY, "days", "event", "reason", "entry")
        with_response = response.select(*KEY, "best_response", "responder", "measurable", "evaluable")
        patients = self.patients.drop([c for c in with_response.columns if c not in KEY], strict=False)
        frame = patients if response.height else self.patients
        for part in (with_outcome, with_response):
            if part.height:
                frame = frame.join(part, on=KEY, how="left", maintain_order="left")
        return frame


def members(row: ResultRow, evidence: Evidence) -> Members:
    """Give the patients behind a result row."""
    special = _BUILT_IN.get(row.analysis)
    if special is not None:
        return special(row, evidence)
    spec = evidence.spec(row.analysis)
    kind = getattr(spec, "kind", None)
    if kind == "ascertainment":
        return _ascertainment(row, spec, evidence)
    if kind == "response":
        return _response(row, spec, evidence)
    return _general(row, spec, evidence)


def _finished(chosen: _Chosen, row: ResultRow, note: str | None = None) -> Members:
    people = chosen.frame.select(KEY).sort(KEY)
    return Members(people, chosen.words, chosen.columns, row.statistic in COUNTS, note)


def _base(row: ResultRow, frame: pl.DataFrame) -> _Chosen:
    """Give those screened or included, in the row's population."""
    if row.population == "screened":
        return _Chosen(frame, ("screened",))
    chosen = _Chosen(frame, ("screened",)).where(pl.col("included"), "included")
    named = f"population_{row.population}"
    if row.population is not None and named in frame.columns:
        chosen = chosen.where(pl.col(named), f"population {row.population}")
    return chosen


# ── analyses of times and covariates ──────────────────────────────────────────


def _needed(row: ResultRow, spec: Any, by: str | None) -> list[str]:
    """Give the columns whose missing values drop a patient from the row's computation."""
    kind, method = getattr(spec, "kind", None), row.method or ""
    adjust = [*getattr(spec, "adjust", ()), *([spec.strata] if getattr(spec, "strata", None) else [])]
    partner = row.group if row.group_level is not None else None
    if row.variable is not None and ":" in row.variable:
        partner = row.variable.split(":", 1)[1]
    if kind == "cox":
        if method == "cox_univariable":
            return [row.variable] if row.variable else []
        return [spec.exposure, *(adjust if "stratified" in method else spec.adjust)]
    if kind == "subgroups":
        return [spec.exposure, *([partner] if partner else []), *(adjust if method == "adjusted" else [])]
    if kind == "contrasts":
        own = row.variable if row.variable and ":" not in row.variable else partner
        return [spec.within, *([own] if own else []), *(adjust if method == "adjusted" else [])]
    if kind == "schemes":
        return [spec.exposure, *(adjust if method == "cox_adjusted" else [])]
    if kind == "baseline":
        grouped = [by] if row.group == by and by is not None else []
        return [*grouped, *([row.variable] if row.variable else [])]
    return [by] if by is not None and by in (row.group, row.variable) else []


def _general(row: ResultRow, spec: Any, evidence: Evidence) -> Members:
    base = _base(row, evidence.joined(row, row.endpoint))
    needed = [c for c in _needed(row, spec, evidence.by(spec)) if c in evidence.patients.columns]
    timed = "days" in base.frame.columns
    if row.statistic == "missing":
        return _missing(row, base, needed, timed=timed)
    base = base.known(*needed)
    if timed:
        base = base.where(pl.col("days").is_not_null() & pl.col("event").is_not_null(), f"{row.endpoint} known")
    if row.group is not None and row.group_level is not None and row.group in base.frame.columns:
        base = base.at(row.group, row.group_level)
    return _finished(_counted(_at_variable(base, row, spec), row), row)


def _missing(row: ResultRow, base: _Chosen, needed: list[str], *, timed: bool) -> Members:
    """Give those of the row's patients that lack a value or the outcome."""
    if row.group is not None and row.group_level is not None:
        base = base.at(row.group, row.group_level)
        needed = [c for c in needed if c != row.group]
    wanted = [c for c in needed if c not in KEY] + (["days", "event"] if timed else [])
    lacks = pl.any_horizontal([pl.col(c).is_null() for c in wanted]) if wanted else pl.lit(False)
    named = [c for c in wanted if c not in ("days", "event")]
    told = ", ".join([*named, *([str(row.endpoint)] if timed else [])])
    return _finished(base.where(lacks, f"{told} missing", *named), row)


def _at_variable(chosen: _Chosen, row: ResultRow, spec: Any) -> _Chosen:
    """Narrow to the level that a row describes, or to the two that it compares without a model of all."""
    if row.variable is None or row.level is None or row.statistic == "proportion":
        return chosen
    if row.variable not in chosen.frame.columns:
        return chosen
    if row.reference is None:
        if row.variable == "reason":
            return chosen.where(pl.col("reason").fill_null(_UNKNOWN) == row.level, f"reason = {row.level}")
        return chosen.at(row.variable, row.level)
    modelled = (row.method or "").startswith("cox") or getattr(spec, "kind", None) in ("cox", "subgroups", "schemes")
    return chosen if modelled else chosen.at(row.variable, row.level, row.reference)


def _counted(chosen: _Chosen, row: ResultRow) -> _Chosen:
    """Narrow to those that a count counted."""
    if row.statistic == "events" or row.method == "event":
        return chosen.where(pl.col("event") > 0, "with the event")
    if row.statistic == "censored" or row.method == "censored":
        chosen = chosen.where(pl.col("event") == 0, "censored")
        return chosen if row.time is None else chosen.where(pl.col("days") == row.time, f"on day {row.time:g}")
    if row.statistic == "at_risk":
        late = pl.col("entry").is_not_null() & (pl.col("entry") >= row.time)
        return chosen.where((pl.col("days") >= row.time) & ~late, f"at risk on day {row.time:g}")
    return chosen


# ── response and ascertainment ────────────────────────────────────────────────


def _response(row: ResultRow, spec: Any, evidence: Evidence) -> Members:
    """Give the patients behind a row of response proportions; its populations are denominators."""
    best = row.variable == "best_response"
    frame = evidence.joined(row, spec.endpoints[0] if best else row.endpoint)
    chosen = _Chosen(frame, ("screened",)).where(pl.col("included"), "included")
    denominator = row.population if row.population in _DENOMINATORS else None
    if row.statistic == "missing" and not best:
        column = denominator or "responder"
        return _finished(chosen.where(pl.col(column).is_null(), f"{column} unknown"), row)
    if denominator is not None:
        chosen = chosen.where(pl.col(denominator), str(denominator))
    if not best:
        chosen = chosen.where(pl.col("responder").is_not_null(), "response known")
    if row.group is not None and row.group_level is not None:
        chosen = chosen.at(row.group, row.group_level)
    if best and row.statistic == "missing":
        return _finished(chosen.where(pl.col("best_response").is_null(), "best response unknown"), row)
    if row.statistic == "events":
        chosen = chosen.where(pl.col("responder"), "success")
    return _finished(_at_variable(chosen, row, spec), row)


def _ascertainment(row: ResultRow, spec: Any, evidence: Evidence) -> Members:
    """Give the patients behind a count of how the biomarker was ascertained: an unknown value is a word of its own."""
    mark = spec.biomarker
    if row.statistic in ("kappa", "conf_low", "conf_high") or row.level == "same_class":
        return _two_specimens(row, mark, evidence)
    frame = evidence.patients
    dated = f"{mark}_sample_date"
    years = frame[dated].dt.year() if dated in frame.columns else pl.Series([None] * frame.height, dtype=pl.Int32)
    parts = [mark, "centre", *(f"{mark}_{part}" for part in ("tissue", "score", "ish", "reason"))]
    words = [pl.col(c).cast(pl.String).fill_null(_UNKNOWN) for c in parts if c in frame.columns]
    chosen = _base(row, frame.with_columns(words).with_columns(period_of(years).alias(f"{mark}_year")))
    if row.group is not None and row.group_level is not None:
        chosen = chosen.at(row.group, row.group_level)
    done = _finished(_at_variable(chosen, row, spec), row)
    return replace(done, columns=done.columns.union({mark}))


def _two_specimens(row: ResultRow, mark: str, evidence: Evidence) -> Members:
    column = f"{mark}_class"
    samples = evidence.out.table("samples")
    known = samples.filter(pl.col(column).is_in(["ZERO", "LOW", "POSITIVE"]) & pl.col("date").is_not_null())
    pairs = (
        known.sort(*KEY, "date", "source", "row")
        .group_by(KEY, maintain_order=True)
        .agg(pl.len().alias("samples"), (pl.col(column).first() == pl.col(column).last()).alias("same"))
        .filter(pl.col("samples") > 1)
    )
    chosen = _Chosen(pairs, ("screened", "two or more dated specimens with a class"), frozenset({mark}))
    if row.level == "same_class" and row.statistic == "n":
        chosen = chosen.where(pl.col("same"), "first and last of one class")
    return _finished(chosen, row)


# ── analyses that every study has ─────────────────────────────────────────────


def _attrition(row: ResultRow, evidence: Evidence) -> Members:
    chosen = _Chosen(evidence.patients, ("screened",))
    if row.group_level is not None:
        chosen = chosen.at("centre", row.group_level)
    if row.variable is None:
        if row.population == "included":
            chosen = chosen.where(pl.col("included"), "included")
        return _finished(chosen, row)
    criteria = evidence.out.criteria
    later = criteria[criteria.index(row.variable) + 1 :]
    here, lost = pl.col("lost_at") == row.variable, pl.col("lost_at")
    passed = lost.is_null() | lost.is_in(later)
    condition, words = {
        "entered": (passed | here, f"met every criterion before {row.variable}"),
        "fails": (here & (pl.col("lost_as") == "fails"), f"known not to meet {row.variable}"),
        "unknown": (here & (pl.col("lost_as") == "unknown"), f"unknown whether they meet {row.variable}"),
        "kept": (passed, f"met {row.variable}"),
    }[row.statistic]
    read = next((c.where.columns for c in evidence.out.protocol.eligibility if c.id == row.variable), frozenset())
    return _finished(chosen.where(condition, words, *read), row)


def _data_quality(row: ResultRow, evidence: Evidence) -> Members:
    centre = pl.col("centre") == row.group_level
    if row.statistic == "n":
        return _finished(_Chosen(evidence.patients, ("screened",)).at("centre", str(row.group_level)), row)
    nobody = evidence.patients.select(KEY).clear()
    if row.statistic != "queries":
        return Members(nobody, (), note=f"it is about {row.level}, not about patients")
    asked = evidence.out.table("cleaning_log").filter(centre)
    words = [f"questions to {row.group_level}"]
    if row.variable is not None:
        severity, action = (row.level or "/").split("/", 1)
        asked = asked.filter(
            pl.col("check") == row.variable, pl.col("severity") == severity, pl.col("action") == action
        )
        words.append(f"check {row.variable}")
    people = asked.filter(pl.col("patient").is_not_null()).select(KEY).unique().sort(KEY)
    elsewhere = asked["patient"].null_count()
    note = f"{asked.height} questions about {people.height} patients, {elsewhere} about a sheet, column or unnamed row"
    return Members(people, tuple(words), counted=False, note=note, asked=asked)


def _definitions(row: ResultRow, evidence: Evidence) -> Members:
    return Members(evidence.patients.select(KEY).clear(), (), note=f"it states the parameter {row.variable}")


_BUILT_IN: dict[str, Callable[[ResultRow, Evidence], Members]] = {
    "attrition": _attrition,
    "data_quality": _data_quality,
    "definitions": _definitions,
}
