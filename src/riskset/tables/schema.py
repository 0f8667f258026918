"""What a table schema is, and the two things one does with it: make an empty table, fit a frame to it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TypeAlias

import polars as pl

from riskset.errors import DataRefusedError

Tables: TypeAlias = Mapping[str, pl.DataFrame]

KEY = ("centre", "patient")
ROW_KEY = ("source", "row")


@dataclass(frozen=True, slots=True)
class Column:
    """One column: its Polars type, its unit if it has one, whether it may be null, and what it means."""

    name: str
    dtype: pl.DataType
    meaning: str
    unit: str | None = None
    nullable: bool = True


@dataclass(frozen=True, slots=True)
class TableSchema:
    """The columns of one table; an `open` table may carry further columns that a mapping declares with a type."""

    name: str
    meaning: str
    columns: tuple[Column, ...]
    open: bool = False

    @property
    def types(self) -> dict[str, pl.DataType]:
        """Column name -> Polars type, in order."""
        return {c.name: c.dtype for c in self.columns}

    def column(self, name: str) -> Column | None:
        """Give the column of that name, or None."""
        return next((c for c in self.columns if c.name == name), None)


def empty(schema: TableSchema) -> pl.DataFrame:
    """Give the table without rows."""
    return pl.DataFrame(schema=schema.types)


def fit(frame: pl.DataFrame, schema: TableSchema) -> pl.DataFrame:
    """Bring a frame to a schema: add absent columns as null, cast, order the columns, turn NaN into null.

    Columns that the schema does not name are kept, last, where the table is open.

    Raises
    ------
    DataRefusedError
        A column that the schema does not know in a closed table, or a null where none is allowed.
    """
    further = [name for name in frame.columns if name not in schema.types]
    if further and not schema.open:
        raise DataRefusedError(f"Table '{schema.name}' has no column '{further[0]}'; rename it or drop it.")
    known = [
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in schema.types.items()
    ]
    fitted = frame.select(*known, *further)
    fitted = fitted.with_columns(pl.col(pl.Float64, pl.Float32).fill_nan(None))
    for column in schema.columns:
        if not column.nullable and fitted[column.name].null_count():
            raise DataRefusedError(f"Table '{schema.name}' has rows without '{column.name}'; every row needs one.")
    return fitted
