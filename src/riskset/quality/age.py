"""Checks of age."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.tables import KEY, Tables

YOUNGEST, OLDEST = 18, 100
APART = 1


class PlausibleAge(Check):
    """An age at the index date under 18 or over 100 years, or a supplied age that the date of birth contradicts.

    Ages are completed years; they contradict each other from two years apart, which is a warning.
    """

    id = "V10"
    meaning = "age under 18 or over 100, or a supplied age that differs from the date of birth"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the age from the date of birth, and at the supplied one."""
        if "index_date" not in tables["patients"].columns:
            return nothing()
        people = tables["patients"].with_columns(_age=_completed_years(pl.col("birth"), pl.col("index_date")))
        ages = tables["supplied"].filter(pl.col("name") == "age", pl.col("number").is_not_null())
        ages = ages.join(people.select(*KEY, "_age"), on=KEY, how="left", maintain_order="left")
        supplied = pl.col("number").floor()
        impossible = "Under 18 or over 100 years old at the index date; correct the date of birth or the index date."
        given = "The age is under 18 or over 100 years; correct it."
        differs = "The age differs from that by the date of birth at the index date; correct one of them."
        young_or_old = located(people.filter(_outside(pl.col("_age"))), "patients", "birth", impossible)
        return pl.concat(
            [
                young_or_old.with_columns(severity=pl.lit("error")),
                _supplied(ages.filter(_outside(supplied)), given, "error"),
                _supplied(ages.filter((supplied - pl.col("_age")).abs() > APART), differs, "warning"),
            ]
        )


def _outside(age: pl.Expr) -> pl.Expr:
    return (age < YOUNGEST) | (age > OLDEST)


def _completed_years(birth: pl.Expr, day: pl.Expr) -> pl.Expr:
    """Count completed years; someone born on 29 February completes one on 1 March of a year without that day."""
    before_birthday = _day_of_year(day) < _day_of_year(birth)
    return day.dt.year() - birth.dt.year() - before_birthday.cast(pl.Int32)


def _day_of_year(day: pl.Expr) -> pl.Expr:
    """Order the days of a year: month * 100 + day."""
    return day.dt.month().cast(pl.Int32) * 100 + day.dt.day().cast(pl.Int32)


def _supplied(rows: pl.DataFrame, message: str, severity: str) -> pl.DataFrame:
    text = rows.select(pl.coalesce("value", pl.col("number").cast(pl.String))).to_series()
    return located(rows, "supplied", "age", message).with_columns(value=text, severity=pl.lit(severity))
