"""Covariates that are looked up, not derived: a column of patients, a supplied value, a field of the chosen sample."""

from __future__ import annotations

from collections.abc import Collection
from typing import Literal

import polars as pl
from pydantic import model_validator

from riskset.covariates.spec import DTYPES, CovariateSpec, Facts, Types, Values, ValueType, values_of
from riskset.errors import UsageError, did_you_mean
from riskset.protocol import Id
from riskset.tables import KEY


class LookupSpec(CovariateSpec):
    """Base of the look-ups: either `levels` (a factor in that order) or a `type`, and a unit for numbers."""

    type: ValueType = "text"
    levels: tuple[str, ...] = ()
    unit: str | None = None

    @model_validator(mode="after")
    def _levels_or_type(self) -> LookupSpec:
        if self.levels and self.type != "text":
            raise ValueError("levels make a factor of text; leave out either `levels` or `type`")
        if len(set(self.levels)) < len(self.levels):
            raise ValueError("a level stands twice in `levels`; name each once")
        if self.unit and self.type not in ("number", "integer"):
            raise ValueError("only a number has a unit; add `type: number` or leave out `unit`")
        return self

    @property
    def measured_in(self) -> str | None:
        """Declared unit."""
        return self.unit

    def dtype(self) -> pl.DataType:
        """An Enum of the levels, or the declared type."""
        return pl.Enum(list(self.levels)) if self.levels else DTYPES[self.type]


class ColumnValue(LookupSpec):
    """A further column of `patients` that the mappings declare."""

    rule: Literal["column"] = "column"
    column: Id

    def reads(self) -> frozenset[str]:
        """The column."""
        return frozenset({self.column})

    def check(self, types: Types) -> None:
        """The column has to exist."""
        _require_column(self.column, types)

    def derive(self, facts: Facts) -> Values | None:
        """Take the column."""
        return values_of(facts.patients, pl.col(self.column), self.column)


class Recorded(CovariateSpec):
    """True where a column of `patients` holds a value, false where its cell is empty.

    Unknown where the cell held something that could not be used: a query on it tells.
    """

    rule: Literal["recorded"] = "recorded"
    column: Id

    def reads(self) -> frozenset[str]:
        """The column."""
        return frozenset({self.column})

    def check(self, types: Types) -> None:
        """The column has to exist."""
        _require_column(self.column, types)

    def dtype(self) -> pl.DataType:
        """True, false, or null where unknown."""
        return pl.Boolean()

    def derive(self, facts: Facts) -> Values | None:
        """Look at the cell and at the questions about it."""
        asked = pl.lit(None, pl.Boolean)
        patients = facts.patients
        if "queries" in facts.tables:
            about = facts.tables["queries"].filter(
                pl.col("table") == "patients", pl.col("field") == self.column, pl.col("action") == "set_missing"
            )
            # One row stands for the patient, though another block may have the column: the patient is the key.
            marks = about.select(*KEY, pl.lit(True).alias("_asked")).drop_nulls().unique()
            patients = patients.join(marks, on=KEY, how="left", maintain_order="left")
            asked = pl.col("_asked")
        recorded = pl.when(pl.col(self.column).is_not_null()).then(True).when(asked.is_null()).then(False)
        return values_of(patients, recorded, self.column)


def _require_column(column: str, types: Types) -> None:
    if column not in types:
        hint = did_you_mean(column, types)
        raise UsageError(f"patients have no column '{column}'{hint}; add it to a mapping's fields.")


class SuppliedValue(LookupSpec):
    """A value that the centres derived themselves, by its name in the table `supplied`."""

    rule: Literal["supplied"] = "supplied"
    name: str

    def check_supplied(self, names: Collection[str]) -> None:
        """Some mapping has to supply the name; the other centres' patients have no value."""
        if self.name not in names:
            hint = did_you_mean(self.name, names)
            raise UsageError(f"no mapping supplies '{self.name}'{hint}; add it to the table `supplied` of a mapping.")

    def derive(self, facts: Facts) -> Values | None:
        """Take the values of that name; it has to be one that some mapping supplies.

        Raises
        ------
        UsageError
            No mapping supplies the name.
        """
        self.check_supplied(facts.supplied_names())
        return facts.supplied(self.name, self.dtype())


class SampleValue(LookupSpec):
    """A field of the specimen by which a biomarker classified the patient.

    Where one row of a sheet holds several specimens and they differ in the field, tissue and date decide; if they do
    not, the value is unknown.
    """

    rule: Literal["sample_value"] = "sample_value"
    field: Id
    biomarker: Literal["her2", "hr"] = "her2"

    def check(self, types: Types) -> None:
        """The biomarker has to be classified."""
        if f"{self.biomarker}_row" not in types:
            raise UsageError(f"no specimen is chosen by '{self.biomarker}'; declare that biomarker in `biomarkers`.")

    def derive(self, facts: Facts) -> Values | None:
        """Join the chosen specimen.

        Raises
        ------
        UsageError
            Specimens have no such field.
        """
        samples = facts.tables["samples"]
        if self.field not in samples.columns:
            hint = did_you_mean(self.field, samples.columns)
            raise UsageError(f"samples have no column '{self.field}'{hint}; name one of theirs.")
        chosen = facts.patients.select(
            *KEY,
            pl.col(f"{self.biomarker}_source").cast(pl.Int32).alias("source"),
            pl.col(f"{self.biomarker}_row").cast(pl.Int32).alias("row"),
            *self._marks(facts.patients),
        )
        found = chosen.join(samples, on=[*KEY, "source", "row"], how="inner", suffix="_sample")
        for mark, field in (("mark_tissue", "tissue"), ("mark_date", "date")):
            if mark in found.columns:
                found = found.filter(pl.col(mark).eq_missing(pl.col(field)))
        return values_of(found, pl.col(self.field), self.field, "samples")

    def _marks(self, patients: pl.DataFrame) -> list[pl.Expr]:
        """Give what else is known of the chosen specimen: tissue and date."""
        names = {f"{self.biomarker}_tissue": "mark_tissue", f"{self.biomarker}_sample_date": "mark_date"}
        return [pl.col(name).alias(mark) for name, mark in names.items() if name in patients.columns]
