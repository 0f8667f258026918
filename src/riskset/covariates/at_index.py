"""Covariates that the index date itself gives: age, year, drug."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from riskset.covariates.spec import CovariateSpec, Facts, Prefer, Values, values_of


class AgeAtIndex(CovariateSpec):
    """Completed years from birth to the index date; the supplied `age` (its completed years) where a date lacks.

    Someone born on 29 February completes a year on 1 March of a year without that day.
    """

    rule: Literal["age_at_index"] = "age_at_index"
    prefer: Prefer = "derived"
    supplied_name: ClassVar[str | None] = "age"

    @property
    def measured_in(self) -> str | None:
        """Unit of the age."""
        return "years"

    def dtype(self) -> pl.DataType:
        """Whole years."""
        return pl.Int32()

    def derive(self, facts: Facts) -> Values | None:
        """Count completed years."""
        if "index_date" not in facts.patients.columns:
            return None
        birth, index = pl.col("birth"), pl.col("index_date")
        # month * 100 + day orders the days of a year
        before_birthday = _day_of_year(index) < _day_of_year(birth)
        years = index.dt.year() - birth.dt.year() - before_birthday.cast(pl.Int32)
        return values_of(facts.patients, years, "birth")

    def supplied(self, facts: Facts) -> Values | None:
        """Take the completed years of the supplied age."""
        ages = facts.supplied("age", self.dtype())
        years = pl.col("value").cast(pl.Float64, strict=False).floor().cast(pl.String)
        return replace(ages, frame=ages.frame.with_columns(pl.coalesce(years, "value").alias("value")))


def _day_of_year(day: pl.Expr) -> pl.Expr:
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day().cast(pl.Int32)


class IndexYear(CovariateSpec):
    """Calendar year of the index date."""

    rule: Literal["index_year"] = "index_year"

    def dtype(self) -> pl.DataType:
        """A year."""
        return pl.Int32()

    def derive(self, facts: Facts) -> Values | None:
        """Take the year."""
        return values_of(facts.index, pl.col("index_date").dt.year(), "index_date")


class IndexDrug(CovariateSpec):
    """International name of the drug that set the index date."""

    rule: Literal["index_drug"] = "index_drug"
    levels: Annotated[tuple[str, ...], Field(min_length=1)]

    def dtype(self) -> pl.DataType:
        """One of the levels."""
        return pl.Enum(list(self.levels))

    def derive(self, facts: Facts) -> Values | None:
        """Take the name from the timeline."""
        if "index_drug" not in facts.patients.columns:
            return None
        return values_of(facts.patients, pl.col("index_drug"), "index_drug")
