"""Tables that say where values came from and what was wrong with them."""

from __future__ import annotations

import polars as pl

from riskset.tables.schema import Column, TableSchema

TEXT = pl.String()
WHOLE = pl.Int32()

SOURCES = TableSchema(
    "sources",
    "one row a sheet that was read",
    (
        Column("source", WHOLE, "number that canonical rows carry", nullable=False),
        Column("centre", TEXT, "centre id", nullable=False),
        Column("file", TEXT, "path inside the data folder", nullable=False),
        Column("sheet", TEXT, "sheet name; null where the format has none"),
        Column("sha256", TEXT, "hash of the file", nullable=False),
        Column("rows", WHOLE, "data rows of the sheet", nullable=False),
        Column("unmapped", TEXT, "column names that the mapping neither uses nor ignores, tab-separated"),
    ),
)

# A field reads one column of one sheet; with (source, row) of a canonical row this leads back to the cell.
FIELDS = TableSchema(
    "fields",
    "one row a field of a mapping: which column of which sheet feeds it",
    (
        Column("source", WHOLE, "`sources.source`", nullable=False),
        Column("table", TEXT, "canonical table", nullable=False),
        Column("field", TEXT, "canonical column; for `supplied` the value's name", nullable=False),
        Column("column", TEXT, "column of the sheet", nullable=False),
    ),
)

SHEETS = TableSchema(
    "sheets",
    "the cells as they were read: one row a cell",
    (
        Column("source", WHOLE, "`sources.source`", nullable=False),
        Column("row", WHOLE, "row of the sheet, counted from 1", nullable=False),
        Column("column", TEXT, "column of the sheet", nullable=False),
        Column("text", TEXT, "text of the cell; null where empty"),
    ),
)

# The query list: everything that a check, a reader or a rule found. `value` is patient data and reaches
# only the folder `private/`; `message` never holds it.
QUERIES = TableSchema(
    "queries",
    "one row a question to a centre",
    (
        Column("centre", TEXT, "centre id", nullable=False),
        Column("patient", TEXT, "patient id; null where the question is about a sheet or column"),
        Column("check", TEXT, "id of the check, such as V05", nullable=False),
        Column("severity", TEXT, "error | warning | info", nullable=False),
        Column("action", TEXT, "reported | set_missing | excluded | stopped", nullable=False),
        Column("table", TEXT, "canonical table"),
        Column("field", TEXT, "canonical column"),
        Column("source", WHOLE, "`sources.source`"),
        Column("row", WHOLE, "row of the sheet"),
        Column("message", TEXT, "one sentence for the data manager, without the value", nullable=False),
        Column("value", TEXT, "the text of the cell (private)"),
    ),
)

PROVENANCE: dict[str, TableSchema] = {t.name: t for t in (SOURCES, FIELDS, SHEETS, QUERIES)}
