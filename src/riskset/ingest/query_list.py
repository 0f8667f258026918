"""Writes a centre's query list as a workbook that its data manager fills in and sends back. It holds patient data."""

from __future__ import annotations

import io
import re
import textwrap
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

# Heading, width in characters.
COLUMNS: tuple[tuple[str, int], ...] = (
    ("No.", 5),
    ("Patient", 13),
    ("File", 15),
    ("Sheet", 12),
    ("Row", 6),
    ("Column", 15),
    ("Found", 18),
    ("Question", 44),
    ("Severity", 9),
    ("Check", 14),
    ("Reply", 22),
)
# From this many on, the same sentence about one column and without a found text is one row for all its patients.
GROUPED_FROM = 10
GROUPED_COLUMNS: tuple[tuple[str, int], ...] = (("No.", 5), ("Patient", 20), ("Row", 8))
_LINE_POINTS, _MARGIN_INCHES = 15.0, 0.4
_FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r")
_FIXED_TIME = datetime(1980, 1, 1)
_SEVERITIES = ("error", "warning", "info")
_CELL_LIMIT = 32_000
_HEIGHT_LIMIT = 409.0  # points; a spreadsheet's own limit
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
    path: Path,
    queries: pl.DataFrame,
    sources: pl.DataFrame,
    fields: pl.DataFrame,
    *,
    centre: str,
    sheets: pl.DataFrame | None = None,
) -> None:
    """Write one centre's queries, errors first, then by patient, file and row.

    A sentence that many patients share is one row, and the sheet `Patients` lists whom it is about. The same queries
    give the same bytes. A text that a spreadsheet program would run as a formula is written as text.

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
    sheets
        The table `sheets`; it tells which of a field's columns holds the found text.
    """
    library = _openpyxl()
    book = library.Workbook()
    sheet = book.active
    sheet.title = "Queries"
    rows, grouped = _grouped(query_rows(queries, sources, fields, sheets))
    _fill(library, sheet, rows, COLUMNS)
    _fill_reply(library, sheet)
    if grouped:
        _fill(library, book.create_sheet("Patients"), grouped, GROUPED_COLUMNS)
    book.properties.title = f"Queries to {centre}"
    book.properties.creator = "riskset"
    book.properties.created = book.properties.modified = _FIXED_TIME
    path.write_bytes(_bytes(library, book))


def query_rows(
    queries: pl.DataFrame, sources: pl.DataFrame, fields: pl.DataFrame, sheets: pl.DataFrame | None = None
) -> list[tuple[Any, ...]]:
    """Give the rows of the list, each once, in the order of `COLUMNS`, without heading."""
    rank = {severity: number for number, severity in enumerate(_SEVERITIES)}
    ordered = queries.with_columns(
        rank=pl.col("severity").replace_strict(rank, default=len(rank), return_dtype=pl.Int8)
    ).sort("rank", "patient", "source", "row", "check", "field", "message", "value", nulls_last=True)
    places = ordered.join(sources.select("source", "file", "sheet"), on="source", how="left", maintain_order="left")
    columns: dict[tuple[int, str, str], list[str]] = {}
    for source, table, field, column in fields.select("source", "table", "field", "column").iter_rows():
        columns.setdefault((source, table, field), []).append(column)
    cells = _cells(queries, sheets)
    rows: dict[tuple[Any, ...], None] = {}
    for row in places.iter_rows(named=True):
        names = columns.get((row["source"], row["table"], row["field"]), [])
        column = _column(names, row["message"], cells.get((row["source"], row["row"], row["value"]), ()))
        shown = (
            row["patient"], row["file"], row["sheet"], row["row"], column, row["value"], row["message"],
            row["severity"], row["check"], None,
        )  # fmt: skip
        rows[shown] = None
    return [(number, *row) for number, row in enumerate(rows, start=1)]


def _cells(queries: pl.DataFrame, sheets: pl.DataFrame | None) -> dict[tuple[int, int, str], list[str]]:
    """Give the columns of a sheet's row that hold a found text: (source, row, text) -> columns."""
    if sheets is None:
        return {}
    key = ["source", "row", "value"]
    wanted = queries.select(key).drop_nulls().unique()
    held = sheets.select("source", "row", "column", pl.col("text").str.strip_chars().alias("value"))
    wanted = wanted.with_columns(found="value", value=pl.col("value").str.strip_chars())
    found: dict[tuple[int, int, str], list[str]] = {}
    joined = wanted.join(held, on=key, how="inner").sort("source", "row", "found", "column")
    for source, row, text, column in joined.select("source", "row", "found", "column").iter_rows():
        found.setdefault((source, row, text), []).append(column)
    return found


def _column(names: list[str], message: str, holding: Sequence[str]) -> str | None:
    """Choose the column: a field may have several, and the message or the found text says which one is meant."""
    named = [name for name in names if f"'{name}'" in message] or [name for name in names if name in holding]
    return ", ".join(named or names) or None


def _grouped(rows: list[tuple[Any, ...]]) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Make one row of a sentence that many patients share; give the rows, and (number, patient, row) of the grouped."""
    groups: dict[tuple[Any, ...], list[tuple[Any, ...]]] = {}
    for _, patient, file, sheet, row, column, value, message, *rest in rows:
        shared = column is not None and value is None and patient is not None
        alone = () if shared else (patient, row, value)
        groups.setdefault((file, sheet, column, message, *rest, *alone), []).append(
            (patient, file, sheet, row, column, value, message, *rest)
        )
    listed: list[tuple[Any, ...]] = []
    members: list[tuple[Any, ...]] = []
    for group in groups.values():
        patients = {entry[0] for entry in group}
        if len(patients) < GROUPED_FROM:
            listed += group
            continue
        _, file, sheet, _, *rest = group[0]
        listed.append((f"({len(patients)} patients)", file, sheet, None, *rest))
        members += [(listed[-1], entry[0], entry[3]) for entry in group]
    order = {severity: number for number, severity in enumerate(_SEVERITIES)}
    severity = [name for name, _ in COLUMNS].index("Severity") - 1
    listed.sort(key=lambda entry: order.get(entry[severity], len(order)))
    numbered = {entry: number for number, entry in enumerate(listed, start=1)}
    return [(number, *entry) for entry, number in numbered.items()], [
        (numbered[entry], patient, row) for entry, patient, row in members
    ]


def _fill(library: Any, sheet: Any, rows: list[tuple[Any, ...]], columns: Sequence[tuple[str, int]]) -> None:
    """Write heading and rows, with heights that hold the wrapped texts, and set the sheet up for landscape paper."""
    styles = library.styles
    wrapped = styles.Alignment(horizontal="left", vertical="top", wrap_text=True)
    for index, (name, width) in enumerate(columns, start=1):
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
        lines = max(_lines(value, width) for value, (_, width) in zip(row, columns, strict=True))
        sheet.row_dimensions[number].height = min(lines * _LINE_POINTS, _HEIGHT_LIMIT)
    sheet.freeze_panes = "A2"
    sheet.auto_filter.ref = sheet.dimensions
    sheet.page_setup.orientation, sheet.page_setup.paperSize = "landscape", sheet.PAPERSIZE_A4
    sheet.page_setup.fitToWidth, sheet.page_setup.fitToHeight = 1, 0
    sheet.page_margins = library.worksheet.page.PageMargins(*[_MARGIN_INCHES] * 4, header=0.2, footer=0.2)
    sheet.oddFooter.right.text = "&A, page &P of &N"
    sheet.sheet_properties.pageSetUpPr = library.worksheet.properties.PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "1:1"


def _fill_reply(library: Any, sheet: Any) -> None:
    reply = library.styles.PatternFill("solid", fgColor=_REPLY_FILL)
    for number in range(2, sheet.max_row + 1):
        sheet.cell(number, len(COLUMNS)).fill = reply


def _lines(value: Any, width: int) -> int:
    """Give the lines that a text takes when its words are wrapped; two characters are kept for wide letters."""
    lines = str(value if value is not None else "")[:_CELL_LIMIT].splitlines() or [""]
    return sum(max(1, len(textwrap.wrap(line, max(width - 2, 3)))) for line in lines)


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
