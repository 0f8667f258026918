"""Checks of numbers that can only lie in a certain range."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.tables import Tables

# Fewer values than this tell nothing about how a whole centre writes them.
FEWEST = 3


class Fraction(Check):
    """ER or PR outside 0 to 100 per cent, or ER, PR or Ki-67 of a whole centre at most 1: fractions for per cent.

    Where hormone receptors are classified, the classification asks about single values that are impossible.
    """

    id = "V11"
    meaning = "ER or PR outside 0 to 100 %, or ER, PR or Ki-67 of a whole centre at most 1, as if a fraction"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the percentages of each receptor, value by value and over a centre."""
        samples = tables["samples"].with_columns(
            _percent(tables["samples"], receptor).alias(f"_{receptor}") for receptor in ("er", "pr")
        )
        text = "The percentage lies outside 0 to 100; correct it."
        outside = [
            located(samples.filter(_outside(f"_{receptor}", 0, 100)), "samples", receptor, text)
            for receptor in ("er", "pr")
        ]
        fractions = [_fractions(samples, field, of) for field, of in (("er", "_er"), ("pr", "_pr"), ("ki67", "ki67"))]
        return pl.concat([nothing(), *outside, *fractions])


class Ki67(Check):
    """A Ki-67 labelling index outside 0 to 100 per cent."""

    id = "V13"
    meaning = "Ki-67 outside 0 to 100 %"
    stage = "tables"
    severity = "warning"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the specimens."""
        wrong = tables["samples"].filter(_outside("ki67", 0, 100))
        return located(wrong, "samples", "ki67", "Ki-67 lies outside 0 to 100 per cent; correct it.")


class PerformanceStatus(Check):
    """An ECOG performance status outside 0 to 4, in a further column `ecog` of patients or as a supplied value."""

    id = "V35"
    meaning = "ECOG performance status outside 0 to 4"
    stage = "tables"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at both places; a text that is no number is passed over."""
        text = "The ECOG performance status lies outside 0 to 4; correct it, or convert it if it is a Karnofsky index."
        found = [nothing()]
        patients = tables["patients"]
        if "ecog" in patients.columns:
            numbers = patients.with_columns(
                pl.col("ecog").cast(pl.String).cast(pl.Float64, strict=False).alias("_ecog")
            )
            found.append(located(numbers.filter(_outside("_ecog", 0, 4)), "patients", "ecog", text))
        supplied = tables["supplied"].filter((pl.col("name") == "ecog") & _outside("number", 0, 4))
        found.append(located(supplied, "supplied", "ecog", text).with_columns(value=supplied["value"]))
        return pl.concat(found)


def _outside(column: str, low: float, high: float) -> pl.Expr:
    return (pl.col(column) < low) | (pl.col(column) > high)


def _percent(samples: pl.DataFrame, receptor: str) -> pl.Expr:
    """Give the percentage as the classification read it, else the text where it is a bare number of per cent."""
    if f"{receptor}_percent" in samples.columns:
        return pl.col(f"{receptor}_percent")
    number = pl.col(receptor).str.replace_all(r"[%\s]", "").str.replace(",", ".", literal=True)
    in_percent = pl.col(f"{receptor}_scale").fill_null("percent") == "percent"
    return pl.when(in_percent).then(number.cast(pl.Float64, strict=False))


def _fractions(samples: pl.DataFrame, field: str, of: str) -> pl.DataFrame:
    """Give one question a centre all of whose values lie from 0 to 1, and not all at 0."""
    value = pl.col(of)
    by_centre = samples.group_by("centre").agg(
        value.count().alias("n"), value.min().alias("least"), value.max().alias("most")
    )
    suspected = by_centre.filter(
        pl.col("n") >= FEWEST, pl.col("least") >= 0, pl.col("most") > 0, pl.col("most") <= 1
    ).sort("centre")
    return pl.concat(
        [
            nothing(),
            suspected.select(
                "centre",
                pl.lit("samples").alias("table"),
                pl.lit(field).alias("field"),
                pl.lit("All values of this centre are at most 1; if they are fractions, send them in per cent.").alias(
                    "message"
                ),
            ),
        ],
        how="diagonal",
    )
