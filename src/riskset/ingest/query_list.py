"""Writes a centre's query list as a workbook that its data manager fills in and sends back. It holds patient data."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

# Heading, width in characters.
COLUMNS: tuple[tuple[str, int], ...] = (
    ("No.", 6),
    ("Patient", 14),
    ("File", 24),
    ("Sheet", 16),
    ("Row", 7),
    ("Column", 22),
    ("Found", 24),
    ("Question", 60),
    ("Severity", 10),
    ("Check", 16),
    ("Reply", 40),
)
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_FIXED_TIME = datetime(1980, 1, 1)
_SEVERITIES = ("error", "warning", "info")
_CELL_LIMIT = 32_000
# What XML cannot hold; a spreadsheet would refuse the whole workbook.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
_HEADER_FILL, _HEADER_TEXT, _REPLY_FILL = "FF1F3A5F", "FFFFFFFF", "FFFFF8E1"


def _openpyxl() -> Any:
    """Load the heavy library when the first list is written."""
    import openpyxl
    import openpyxl.styles
    import openpyxl.writer.excel

    return openpyxl


def write_query_list(
    path: Path, queries: pl.DataFrame, sources: pl.DataFrame, fields: pl.DataFrame, *, centre: str
) -> None:
    """Write one centre's queries, errors first, then by patient, file and row.

    The same queries give the same bytes. A text that a spreadsheet program would run as a formula is written as text.

    Parameters
    ----------
    path
        The workbook to write.
    queries
        Rows of the table `queries`, of this centre alone.
    sources, fields
        The tables of those names, which say where a query's cell is.
    centre
        The centre's label, for the title.
    """
    library = _openpyxl()
    book = library.Workbook()
    sheet = book.active
    sheet.title = "Queries"
    _fill(library, sheet, query_rows(queries, sources, fields))
    book.properties.title = f"Queries to {centre}"
    book.properties.creator = "riskset"
    book.properties.created = book.properties.modified = _FIXED_TIME
    path.write_bytes(_bytes(library, book))


def query_rows(queries: pl.DataFrame, sources: pl.DataFrame, fields: pl.DataFrame) -> list[tuple[Any, ...]]:
    """Give the rows of the list, in the order of `COLUMNS`, without heading."""
    rank = {severity: number for number, severity in enumerate(_SEVERITIES)}
    ordered = queries.with_columns(
        rank=pl.col("severity").replace_strict(rank, default=len(rank), return_dtype=pl.Int8)
    ).sort("rank", "patient", "source", "row", "check", "field", "message", "value", nulls_last=True)
    places = ordered.join(sources.select("source", "file", "sheet"), on="source", how="left", maintain_order="left")
    columns: dict[tuple[int, str, str], list[str]] = {}
    for source, table, field, column in fields.select("source", "table", "field", "column").iter_rows():
        columns.setdefault((source, table, field), []).append(column)
    rows = []
    for number, row in enumerate(places.iter_rows(named=True), start=1):
        column = _column(columns.get((row["source"], row["table"], row["field"]), []), row["message"])
        rows.append(
            (number, row["patient"], row["file"], row["sheet"], row["row"], column, row["value"], row["message"],
             row["severity"], row["check"], None)
        )  # fmt: skip
    return rows


def _column(names: list[str], message: str) -> str | None:
    """Choose the column: a repeated field has several, and the message says which one it means."""
    named = [name for name in names if f"'{name}'" in message]
    return ", ".join(named or names) or None


def _fill(library: Any, sheet: Any, rows: list[tuple[Any, ...]]) -> None:
    styles = library.styles
    wrapped = styles.Alignment(wrap_text=True, vertical="top")
    reply = styles.PatternFill("solid", fgColor=_REPLY_FILL)
    for index, (name, width) in enumerate(COLUMNS, start=1):
        cell = sheet.cell(1, index, name)
        cell.font = styles.Font(bold=True, color=_HEADER_TEXT)
        cell.fill = styles.PatternFill("solid", fgColor=_HEADER_FILL)
        cell.alignment = wrapped
        sheet.column_dimensions[cell.column_letter].width = width
    for number, row in enumerate(rows, start=2):
        for index, value in enumerate(row, start=1):
            cell = sheet.cell(number, index)
            _set(cell, value)
            cell.alignment = wrapped
        sheet.cell(number, len(COLUMNS)).fill = reply
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.sheet_properties.pageSetUpPr = library.worksheet.properties.PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _set(cell: Any, value: Any) -> None:
    """Write a value; a text stays a text, whatever it begins with."""
    if isinstance(value, str):
        text = _CONTROL.sub("\ufffd", value)[:_CELL_LIMIT]
        cell.value = text
        cell.data_type = "s"
        if text.startswith(_FORMULA_SIGNS):
            cell.quotePrefix = True
    else:
        cell.value = value


def _bytes(library: Any, book: Any) -> bytes:
    """Save without the clock: the library stamps the time of saving on the archive's parts."""
    stamped, fixed = io.BytesIO(), io.BytesIO()
    with zipfile.ZipFile(stamped, "w", zipfile.ZIP_DEFLATED) as archive:
        library.writer.excel.ExcelWriter(book, archive).save()
    with zipfile.ZipFile(stamped) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_DEFLATED) as new:
        for name in old.namelist():
            part = zipfile.ZipInfo(name, date_time=_FIXED_TIME.timetuple()[:6])
            part.compress_type, part.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            new.writestr(part, old.read(name))
    return fixed.getvalue()
