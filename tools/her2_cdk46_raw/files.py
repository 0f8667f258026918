"""Writing workbooks, CSV and SPSS files so that two runs give the same bytes."""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from pathlib import Path
from typing import Any

import openpyxl
import polars as pl
import pyreadstat
from openpyxl.styles import Font
from openpyxl.utils import get_column_letter

WRITTEN = datetime(2023, 4, 21, 9, 30)
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)

# Offset and text of the creation date and time in the header record of an SPSS system file.
_SAV_STAMP_AT = 92
_SAV_STAMP = b"21 Apr 2309:30:00"


class Damaged:
    """A date cell that a spreadsheet made out of a score such as 2-1, shown as day and month only."""

    def __init__(self, month: int, day: int, number_format: str) -> None:
        self.value = datetime(2023, month, day)
        self.number_format = number_format


Cell = str | int | float | date | Damaged | None
Table = Sequence[Sequence[Cell]]


def write_xlsx(path: Path, sheets: Mapping[str, Table], *, header_row: int = 1, date_format: str) -> None:
    """Write a workbook: text stays text (also where it begins with =), dates become date cells.

    The archive is stored, not compressed, with fixed times: compressed bytes depend on the machine's zlib.
    """
    book = openpyxl.Workbook()
    book.remove(book.active)
    book.properties.creator = book.properties.lastModifiedBy = ""
    book.properties.created = WRITTEN
    for title, rows in sheets.items():
        sheet = book.create_sheet(title)
        for r, row in enumerate(rows, 1):
            for c, content in enumerate(row, 1):
                if content is not None and content != "":
                    _set_cell(sheet.cell(r, c), content, date_format)
        for cell in sheet[header_row]:
            cell.font = Font(bold=True)
            sheet.column_dimensions[get_column_letter(cell.column)].width = 15
        sheet.freeze_panes = sheet.cell(header_row + 1, 2)
    packed = io.BytesIO()
    book.save(packed)
    path.write_bytes(_with_fixed_times(packed.getvalue()))


def _set_cell(cell: Any, content: Cell, date_format: str) -> None:
    if isinstance(content, Damaged):
        cell.value, cell.number_format = content.value, content.number_format
    elif isinstance(content, date):
        cell.value, cell.number_format = datetime(content.year, content.month, content.day), date_format
    else:
        cell.value = content
        if isinstance(content, str):
            cell.data_type = "s"


def _with_fixed_times(archive: bytes) -> bytes:
    """Write the archive again with fixed times, and with the day of saving replaced by a fixed one."""
    fixed = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(archive)) as old, zipfile.ZipFile(fixed, "w", zipfile.ZIP_STORED) as new:
        for name in old.namelist():
            content = old.read(name)
            if name == "docProps/core.xml":
                content = _fixed_core(content)
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.create_system = 0
            new.writestr(entry, content)
    return fixed.getvalue()


def _fixed_core(content: bytes) -> bytes:
    start = content.index(b">", content.index(b"<dcterms:modified")) + 1
    end = content.index(b"<", start)
    return content[:start] + WRITTEN.strftime("%Y-%m-%dT%H:%M:%SZ").encode() + content[end:]


def write_csv(path: Path, rows: Sequence[Sequence[str]], *, delimiter: str, encoding: str, line_end: str) -> None:
    """Write a CSV as a hospital's program would: its own delimiter, encoding and line ends."""
    text = io.StringIO()
    csv.writer(text, delimiter=delimiter, lineterminator=line_end).writerows(rows)
    path.write_bytes(text.getvalue().encode(encoding))


def write_sav(
    path: Path,
    columns: Mapping[str, tuple[str, str, Sequence[Any]]],
    labels: Mapping[str, Mapping[int, str]],
    missing: Mapping[str, Sequence[int]],
) -> None:
    """Write an SPSS file: name -> (label, kind number | date | text, values); then fix the time in its header."""
    types = {"number": pl.Float64(), "date": pl.Date(), "text": pl.String()}
    frame = pl.DataFrame({name: pl.Series(values, dtype=types[kind]) for name, (_, kind, values) in columns.items()})
    pyreadstat.write_sav(
        frame,
        path,
        file_label="CDK4/6 takip formu (benzetim verisi)",
        column_labels={name: label for name, (label, _, _) in columns.items()},
        variable_value_labels={name: {float(k): v for k, v in codes.items()} for name, codes in labels.items()},
        missing_ranges={name: [float(code) for code in codes] for name, codes in missing.items()},
        variable_format={name: _sav_format(kind) for name, (_, kind, _) in columns.items() if kind != "text"},
    )
    content = bytearray(path.read_bytes())
    content[_SAV_STAMP_AT : _SAV_STAMP_AT + len(_SAV_STAMP)] = _SAV_STAMP
    path.write_bytes(bytes(content))


def _sav_format(kind: str) -> str:
    return {"number": "F8.0", "date": "EDATE10"}[kind]
