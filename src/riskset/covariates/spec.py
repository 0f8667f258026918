"""What a covariate rule is, and the facts that it may read."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import ClassVar, Literal, TypeAlias

import polars as pl

from riskset.protocol import Spec
from riskset.tables import KEY, Tables

Types: TypeAlias = Mapping[str, pl.DataType]
Prefer: TypeAlias = Literal["derived", "supplied"]
ValueType: TypeAlias = Literal["text", "number", "integer", "boolean", "date"]

DTYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int32(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}


@dataclass(frozen=True, slots=True)
class Values:
    """What a rule found: one row a patient for whom it found something, before types and levels are applied.

    `frame` has `centre, patient, value, source, row`; `table` and `field` say where the values come from. Where a
    patient has several different values, all of them are here: the executor leaves the covariate unknown.
    """

    frame: pl.DataFrame
    table: str
    field: str


@dataclass(frozen=True, slots=True)
class Facts:
    """The tables as a rule sees them; `patients` already has the covariates declared before it."""

    tables: Tables
    patients: pl.DataFrame

    @property
    def index(self) -> pl.DataFrame:
        """Give `centre, patient, index_date`; the date is null where there is none."""
        if "index_date" in self.patients.columns:
            return self.patients.select(*KEY, "index_date")
        return self.patients.select(*KEY, pl.lit(None, pl.Date).alias("index_date"))

    def supplied(self, name: str, dtype: pl.DataType) -> Values:
        """Give what the centres supplied under a name: the number for a numeric type, otherwise the text."""
        rows = self.tables["supplied"].filter(pl.col("name") == name)
        whole = pl.col("number") == pl.col("number").floor()
        as_code = pl.when(whole).then(pl.col("number").cast(pl.Int64, strict=False).cast(pl.String))
        number = pl.coalesce(as_code, pl.col("number").cast(pl.String))
        text = pl.coalesce(number, "value") if dtype.is_numeric() else pl.coalesce("value", number)
        return Values(rows.select(*KEY, text.alias("value"), "source", "row"), "supplied", name)

    def supplied_names(self) -> list[str]:
        """Give the names that any centre's mapping supplies, whether or not a value was found."""
        names = set(self.tables["supplied"]["name"].drop_nulls().to_list())
        if "fields" in self.tables:
            names |= set(self.tables["fields"].filter(pl.col("table") == "supplied")["field"].to_list())
        return sorted(names)


class CovariateSpec(Spec):
    """Base of the covariate rules: each says its type, what it needs, and how the value is found."""

    # Name of the supplied value that stands in where the rule finds nothing, or goes before it with `prefer`.
    supplied_name: ClassVar[str | None] = None

    @property
    def measured_in(self) -> str | None:
        """Unit of a number, or None."""
        return None

    def dtype(self) -> pl.DataType:
        """Give the Polars type of the covariate's column."""
        raise NotImplementedError

    def reads(self) -> frozenset[str]:
        """Give the columns of `patients` that the rule reads by a name of the study file."""
        return frozenset()

    def check(self, types: Types) -> None:
        """Raise a ConditionError or UsageError where the rule reads what the patients' columns do not hold."""

    def check_supplied(self, names: Collection[str]) -> None:
        """Raise a UsageError where the rule needs a supplied name that no mapping supplies."""

    def supplied(self, facts: Facts) -> Values | None:
        """Find what the centres supplied in place of the derived value, if the rule takes such a value."""
        return facts.supplied(self.supplied_name, self.dtype()) if self.supplied_name else None

    def derive(self, facts: Facts) -> Values | None:
        """Find the values; None where the rule has nothing of its own to derive from."""
        raise NotImplementedError


def values_of(frame: pl.DataFrame, value: pl.Expr, field: str, table: str = "patients") -> Values:
    """Make `Values` from a frame with the keys; `source` and `row` are kept where the frame has them."""
    place = [
        pl.col(name) if name in frame.columns else pl.lit(None, pl.Int32).alias(name) for name in ("source", "row")
    ]
    return Values(frame.select(*KEY, value.alias("value"), *place), table, field)
