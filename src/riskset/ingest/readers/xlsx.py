"""Excel workbooks, read cell by cell: a column may mix real dates, numbers and texts, and the difference matters.

Hidden rows are read. Merged cells are not filled down: only their first cell has the value. Formulas give the value
that the spreadsheet program stored; a formula that has none is a cell of kind `UNSTORED`, for it is not empty.
Dates follow the workbook's own system (1900 or 1904).
"""

from __future__ import annotations

import re
import warnings
import zipfile
from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import ParseError

from riskset.errors import DataRefusedError, did_you_mean
from riskset.ingest.sheet import (
    MAX_COLUMNS,
    Kind,
    ReadOptions,
    Row,
    Sheet,
    SheetRequest,
    assemble,
    column_names,
    number_text,
)

EXTENSIONS = (".xlsx", ".xlsm")
# An archive that unpacks to more than this, or three-hundredfold, is a zip bomb rather than a hospital's list.
MAX_UNPACKED_BYTES = 1024**3
MAX_RATIO = 300
_RATIO_COUNTS_FROM = 10 * 1024**2

# A formula cell without a stored value; `t="str"` with an empty value is a formula whose result is an empty text.
_UNSTORED = re.compile(
    rb'<c\b(?![^>]*\bt="str")[^>]*?\br="([A-Z]{1,4})(\d{1,9})"[^>]*>\s*<f\b(?:[^>]*/>|[^>]*>[^<]*</f>)\s*(?:<v\s*/>|<v></v>)?\s*</c>'
)
_1900, _1904 = date(1899, 12, 30), date(1904, 1, 1)


def _openpyxl() -> Any:
    """Load the heavy library when the first workbook is read."""
    import openpyxl

    return openpyxl


def recognises(head: bytes) -> bool:
    """A workbook is a zip archive."""
    return head.startswith(b"PK\x03\x04")


def read(path: Path, options: ReadOptions) -> Iterator[Sheet]:
    """Yield the requested sheets; see the module for what a cell becomes."""
    _refuse_bombs(path, options.label)
    with path.open("rb") as file, warnings.catch_warnings():
        warnings.simplefilter(
            "ignore"
        )  # styles and extensions that the library does not know do not concern the values
        book = _open(file, options.label)
        try:
            for request in options.sheets:
                yield _sheet(book, request, options)
        finally:
            book.close()


def _refuse_bombs(path: Path, label: str) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            parts = archive.infolist()
    except zipfile.BadZipFile:
        raise DataRefusedError(f"{label} is a damaged workbook; ask the centre to send it again.") from None
    unpacked = sum(part.file_size for part in parts)
    packed = max(1, sum(part.compress_size for part in parts))
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > _RATIO_COUNTS_FROM and unpacked > MAX_RATIO * packed):
        raise DataRefusedError(
            f"{label} unpacks to {unpacked // 1024**2} MiB, more than is read; save its values as CSV."
        )


def _open(file: Any, label: str) -> Any:
    library = _openpyxl()
    try:
        return library.load_workbook(file, read_only=True, data_only=True)
    except (
        library.utils.exceptions.InvalidFileException,
        zipfile.BadZipFile,
        KeyError,
        ValueError,
        ParseError,
        OSError,
    ):
        raise DataRefusedError(f"{label} is no Excel workbook; save it as .xlsx from a spreadsheet program.") from None


def _sheet(book: Any, request: SheetRequest, options: ReadOptions) -> Sheet:
    worksheet = _find(book, request, options.label)
    name = worksheet.title
    place = f"{options.label}, sheet '{name}'"
    unstored = _unstored_formulas(book, worksheet, place)
    worksheet.reset_dimensions()  # the stated size may be wrong; the rows themselves are not
    rows = _rows(worksheet, place, unstored)
    header = next((cells for number, cells, _ in rows if number == request.header_row), ())
    names = column_names(header, f"Row {request.header_row} of {place},")
    return assemble(name, names, rows, place, date_origin=_1904 if book.epoch.year == 1904 else _1900)


def _find(book: Any, request: SheetRequest, label: str) -> Any:
    sheets = {worksheet.title: worksheet for worksheet in book.worksheets}
    if request.name is None:
        if len(sheets) == 1:
            return next(iter(sheets.values()))
        listed = ", ".join(f"'{title}'" for title in sheets)
        raise DataRefusedError(f"{label} has {len(sheets)} sheets ({listed}); name one with `sheet` in the mapping.")
    if request.name in sheets:
        return sheets[request.name]
    hint = did_you_mean(request.name, sheets) or f"; it has {', '.join(repr(title) for title in sheets)}"
    raise DataRefusedError(f"{label} has no sheet '{request.name}'{hint}.")


def _unstored_formulas(book: Any, worksheet: Any, place: str) -> dict[int, list[int]]:
    """Find formulas without a stored value: row -> indices of columns."""
    try:
        with book._archive.open(worksheet._worksheet_path) as part:
            content = part.read()
    except (KeyError, zipfile.BadZipFile, OSError):
        raise DataRefusedError(f"{place} is damaged; ask the centre to send the workbook again.") from None
    found: dict[int, list[int]] = {}
    if b"<f" in content:
        for match in _UNSTORED.finditer(content):
            letters, row = match[1].decode(), int(match[2])
            index = sum((ord(letter) - ord("A") + 1) * 26**power for power, letter in enumerate(reversed(letters))) - 1
            if index < MAX_COLUMNS:
                found.setdefault(row, []).append(index)
    return found


def _rows(worksheet: Any, place: str, unstored: dict[int, list[int]]) -> Iterator[Row]:
    try:
        for number, row in enumerate(worksheet.iter_rows(), start=1):
            cells = [_cell(cell) for cell in row]
            for index in unstored.get(number, ()):
                cells += [(None, Kind.EMPTY)] * (index + 1 - len(cells))
                cells[index] = (None, Kind.UNSTORED)
            while cells and cells[-1] == (None, Kind.EMPTY):
                cells.pop()
            yield number, [text for text, _ in cells], [int(kind) for _, kind in cells]
    except (ParseError, ValueError, KeyError, IndexError, zipfile.BadZipFile, OSError) as error:
        if isinstance(error, DataRefusedError):
            raise
        raise DataRefusedError(f"{place} is damaged; ask the centre to send the workbook again.") from None


def _cell(cell: Any) -> tuple[str | None, Kind]:
    """Give text and kind of one cell; white space alone is empty."""
    value = cell.value
    if value is None:
        return None, Kind.EMPTY
    if isinstance(value, bool):
        return ("TRUE" if value else "FALSE"), Kind.BOOLEAN
    if isinstance(value, str):
        if not value or value.isspace():
            return None, Kind.EMPTY
        return value, Kind.ERROR if cell.data_type == "e" else Kind.TEXT
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" "), Kind.DATE
    if isinstance(value, date | time | timedelta):
        return str(value), Kind.DATE
    return number_text(value), Kind.NUMBER
