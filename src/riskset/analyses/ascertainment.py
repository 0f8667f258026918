"""How the biomarker was ascertained: specimen, year, immunohistochemistry by in situ hybridisation, centre.

Over everyone screened, because who has a class at all decides who is compared.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from riskset.analyses.declared import DeclaredWhole
from riskset.cohort import AnalysisSet
from riskset.inference import cohens_kappa
from riskset.protocol import Id
from riskset.results import ResultRow, RowWriter

UNKNOWN = "unknown"
# Specimens are counted by periods of so many years, the last ending with the latest specimen; what is older than the
# last periods is one level of its own.
PERIOD_YEARS, PERIODS = 3, 4

# Biomarker -> how its columns are called, and the classes of a specimen that two readings can agree on.
_COLUMNS: dict[str, str] = {"hormone_receptors": "hr"}
_CLASSES: dict[str, tuple[str, ...]] = {
    "her2": ("ZERO", "LOW", "POSITIVE"),
    "hormone_receptors": ("negative", "positive"),
}


class Spec(DeclaredWhole):
    """The ascertainment of one biomarker."""

    kind: Literal["ascertainment"] = "ascertainment"
    biomarker: Id


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give counts of the class by specimen, year, score, hybridisation and centre, of screened and included."""
    mark = spec.biomarker
    writer = RowWriter(analysis=name, plan=spec.plan)
    screened = _words(analysis_set.screened, mark)
    classes = _in_order(screened["class"], list(getattr(analysis_set.protocol.biomarkers.get(mark), "levels", ())))
    for population, frame in (("screened", screened), (None, screened.filter(pl.col("included")))):
        w = writer.within(population=population)
        w.add("n", frame.height)
        _distribution(w, frame, mark, classes)
        for part in _parts(analysis_set.screened, mark):
            for level in _levels(screened[part], part, analysis_set):
                mine = frame.filter(pl.col(part) == level)
                _distribution(w.within(group=_group(mark, part), group_level=level), mine, mark, classes)
        if "score" in _parts(analysis_set.screened, mark):
            _score_by_ish(w, frame, screened, mark)
    _agreement(writer, analysis_set.samples, mark)
    return writer.rows


def _group(mark: str, part: str) -> str:
    return part if part == "centre" else f"{mark}_{part}"


def _parts(frame: pl.DataFrame, mark: str) -> list[str]:
    """Give the properties by which the class is distributed: those of which this biomarker has a column."""
    prefix = _COLUMNS.get(mark, mark)
    needs = {"tissue": f"{prefix}_tissue", "year": f"{prefix}_sample_date", "score": f"{prefix}_score"}
    parts = ("tissue", "year", "score", "centre", "reason")
    return [part for part in parts if needs.get(part, "centre") in frame.columns]


def _words(frame: pl.DataFrame, mark: str) -> pl.DataFrame:
    """Give one text column a property; what is unknown is a word of its own, so that it is counted."""

    def word(column: str) -> pl.Expr:
        if column not in frame.columns:
            return pl.lit(UNKNOWN)
        return pl.col(column).cast(pl.String).fill_null(UNKNOWN)

    prefix = _COLUMNS.get(mark, mark)
    year = f"{prefix}_sample_date"
    return frame.select(
        "included",
        word("centre").alias("centre"),
        word(prefix).alias("class"),
        word(f"{prefix}_tissue").alias("tissue"),
        word(f"{prefix}_score").alias("score"),
        word(f"{prefix}_ish").alias("ish"),
        word(f"{prefix}_reason").alias("reason"),
        (period_of(frame[year].dt.year()) if year in frame.columns else pl.lit(UNKNOWN)).alias("year"),
    )


def period_of(years: pl.Series) -> pl.Series:
    """Give the period of each specimen's year among all screened: `2020-2022`, `before 2011`, `unknown`."""
    known = years.drop_nulls()
    if known.is_empty():
        return pl.Series([UNKNOWN] * len(years), dtype=pl.String)
    last = max(known.to_list())
    oldest = last - PERIOD_YEARS * PERIODS + 1

    def named(year: int | None) -> str:
        if year is None:
            return UNKNOWN
        if year < oldest:
            return f"before {oldest}"
        end = last - (last - year) // PERIOD_YEARS * PERIOD_YEARS
        return f"{end - PERIOD_YEARS + 1}-{end}"

    return pl.Series([named(year) for year in years.to_list()], dtype=pl.String)


def _levels(values: pl.Series, part: str, analysis_set: AnalysisSet) -> list[str]:
    if part == "centre":
        return _in_order(values, list(analysis_set.protocol.centres))
    if part == "year":
        return _in_order(values, [v for v in values.unique().to_list() if v.startswith("before")])
    return _in_order(values, [])


def _in_order(values: pl.Series, first: list[str]) -> list[str]:
    """Give the values in the order of `first`, then the others by name, unknown last."""
    places = {value: position for position, value in enumerate(first)}
    return sorted(values.unique().to_list(), key=lambda v: (v == UNKNOWN, places.get(v, len(first)), v))


def _distribution(w: RowWriter, frame: pl.DataFrame, mark: str, classes: list[str]) -> None:
    for one in classes:
        count = int((frame["class"] == one).sum())
        own = w.within(variable=mark, level=one, n=frame.height)
        own.add("n", count)
        _share(own, count, frame.height)


def _share(w: RowWriter, count: int, n: int) -> None:
    w.add("proportion", count / n if n else None, warning=None if n else "No patient is in the denominator.")


def _score_by_ish(w: RowWriter, frame: pl.DataFrame, screened: pl.DataFrame, mark: str) -> None:
    for score in _in_order(screened["score"], []):
        for ish in _in_order(screened["ish"], []):
            mine = frame.filter((pl.col("score") == score) & (pl.col("ish") == ish))
            w.add("n", mine.height, group=f"{mark}_score", group_level=score, variable=f"{mark}_ish", level=ish)


def _agreement(w: RowWriter, samples: pl.DataFrame, mark: str) -> None:
    """Write Cohen's kappa between the first and the last dated specimen of patients who have several classed ones."""
    column, levels = f"{_COLUMNS.get(mark, mark)}_class", _CLASSES.get(mark, ())
    if column not in samples.columns:
        return
    known = samples.filter(pl.col(column).is_in(levels) & pl.col("date").is_not_null())
    pairs = (
        known.sort("centre", "patient", "date", "source", "row")
        .group_by("centre", "patient", maintain_order=True)
        .agg(pl.col(column).first().alias("first"), pl.col(column).last().alias("last"), pl.len().alias("samples"))
        .filter(pl.col("samples") > 1)
    )
    if not pairs.height:
        return
    table = [[pairs.filter((pl.col("first") == a) & (pl.col("last") == b)).height for b in levels] for a in levels]
    found = cohens_kappa(table)
    w.estimate(
        "kappa",
        found.value,
        found.low,
        found.high,
        variable=mark,
        n=pairs.height,
        population="screened",
        warning=found.warning,
    )
    agreed = sum(table[k][k] for k in range(len(levels)))
    same = w.within(
        population="screened", method="first_against_last", variable=mark, level="same_class", n=pairs.height
    )
    same.add("n", agreed)
    same.add("proportion", agreed / pairs.height)
