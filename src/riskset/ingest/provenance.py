"""Where values came from: the numbered sheets, the columns that feed fields, the cells as they were read."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from riskset.errors import UsageError
from riskset.ingest.sheet import Sheet
from riskset.tables import PROVENANCE, Tables, empty, fit


@dataclass(frozen=True, slots=True)
class Source:
    """One sheet that was read, with its number, its file's hash and the columns that the mapping uses or ignores."""

    number: int
    centre: str
    file: str
    sha256: str
    sheet: Sheet
    used: tuple[str, ...] = ()
    ignored: frozenset[str] = frozenset()

    @property
    def unmapped(self) -> list[str]:
        """Columns that the mapping neither uses nor ignores, in the sheet's order."""
        return [name for name in self.sheet.columns if name not in self.used and name not in self.ignored]

    @property
    def place(self) -> str:
        """File and sheet for a message."""
        return self.file if self.sheet.name is None else f"{self.file}, sheet '{self.sheet.name}',"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a hospital's file, as it was read; `text` is null where it is empty."""

    centre: str
    file: str
    sheet: str | None
    row: int
    column: str
    text: str | None


def sources_table(sources: Iterable[Source]) -> pl.DataFrame:
    """Give the table `sources`."""
    rows = [
        {
            "source": source.number,
            "centre": source.centre,
            "file": source.file,
            "sheet": source.sheet.name,
            "sha256": source.sha256,
            "rows": source.sheet.cells.height,
            "unmapped": "\t".join(source.unmapped) or None,
        }
        for source in sources
    ]
    schema = PROVENANCE["sources"]
    return fit(pl.DataFrame(rows, schema=schema.types), schema).sort("source")


def sheets_table(sources: Iterable[Source]) -> pl.DataFrame:
    """Give the table `sheets`: the cells of the columns that the mapping uses, and no others; empty cells are left out.

    A column that the mapping ignores or does not name may hold a name or a telephone number: it is not kept.
    """
    schema = PROVENANCE["sheets"]
    parts = []
    for source in sources:
        used = [name for name in source.sheet.columns if name in source.used]
        cells = source.sheet.cells.select(used).with_columns(source.sheet.row_numbers.alias("\x00row"))
        long = cells.unpivot(index="\x00row", on=used, variable_name="column", value_name="text").drop_nulls("text")
        long = long.sort("\x00row", maintain_order=True).rename({"\x00row": "row"})
        parts.append(fit(long.with_columns(source=pl.lit(source.number)), schema))
    return pl.concat(parts) if parts else empty(schema)


def fields_table(rows: Iterable[tuple[int, str, str, str]]) -> pl.DataFrame:
    """Give the table `fields` from (source, table, field, column)."""
    schema = PROVENANCE["fields"]
    frame = pl.DataFrame(list(rows), schema=schema.types, orient="row")
    return fit(frame, schema).unique().sort("source", "table", "field", "column")


def cell(tables: Tables, source: int, row: int, column: str) -> Cell:
    """Give one cell as it was read.

    Raises
    ------
    UsageError
        No such source, or a column that the mapping does not use.
    """
    known = tables["sources"].filter(pl.col("source") == source)
    if known.is_empty():
        raise UsageError(f"There is no source {source}; the table `sources` lists them.")
    used = tables["fields"].filter((pl.col("source") == source) & (pl.col("column") == column))
    found = tables["sheets"].filter(
        (pl.col("source") == source) & (pl.col("row") == row) & (pl.col("column") == column)
    )
    if found.is_empty() and used.is_empty():
        raise UsageError(f"Source {source} keeps no column '{column}'; only columns that the mapping uses are kept.")
    origin = known.row(0, named=True)
    text = None if found.is_empty() else str(found["text"][0])
    return Cell(origin["centre"], origin["file"], origin["sheet"], row, column, text)


def cells_of(tables: Tables, table: str, source: int, row: int, field: str | None = None) -> list[Cell]:
    """Give the cells that feed a canonical row, or one field of it, in the order of the sheet's columns.

    A field that a mapping repeats has several columns: all of them are given.
    """
    fields = tables["fields"].filter((pl.col("source") == source) & (pl.col("table") == table))
    if field is not None:
        fields = fields.filter(pl.col("field") == field)
    columns = fields["column"].unique(maintain_order=True).to_list()
    return [cell(tables, source, row, column) for column in columns]
