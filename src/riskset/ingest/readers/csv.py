"""Delimited text. A row number is the record's number: a line end inside quotes does not count, a blank line does.

Encoding: the declared one; else a byte order mark's; else UTF-8; else cp1254 (Turkish), else cp1252 (Western), and the
reader notes that it had to assume one. Delimiter: the declared one; else the one that cuts the header into most columns
and the first records alike. Every cell is text.
"""

from __future__ import annotations

import codecs
import csv
import io
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from riskset.errors import DataRefusedError
from riskset.ingest.sheet import ReadOptions, Row, Sheet, assemble, column_names

EXTENSIONS = (".csv", ".tsv", ".txt")
_DELIMITERS = (";", "\t", ",", "|")
_SAMPLE_RECORDS = 20
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_ASSUMED = ("cp1254", "cp1252")
_BINARY = (b"PK\x03\x04", b"$FL2", b"$FL3", b"\xd0\xcf\x11\xe0", b"%PDF", b"\x89PNG", b"\x1f\x8b")


def recognises(head: bytes) -> bool:
    """Text: no other format's mark, and no zero byte unless a byte order mark says UTF-16."""
    if head.startswith(_BINARY):
        return False
    return b"\x00" not in head or head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))


def read(path: Path, options: ReadOptions) -> Iterator[Sheet]:
    """Yield the file once for each requested header row; see the module for encoding and delimiter."""
    text, note = _decode(path.read_bytes(), options)
    notes = (note,) if note else ()
    for request in options.sheets:
        if request.name is not None:
            raise DataRefusedError(f"{options.label} is a text file and has no sheets; remove `sheet` from its block.")
        delimiter = options.delimiter or _sniff(text, request.header_row, options.label)
        records = _records(text, delimiter, options.label)
        place = f"Row {request.header_row} of {options.label}"
        header = next((cells for number, cells, _ in records if number == request.header_row), ())
        yield assemble(
            None, column_names(header, place), _widths(records, len(header), options), options.label, notes=notes
        )


def _decode(data: bytes, options: ReadOptions) -> tuple[str, str | None]:
    label = options.label
    marked = next((name for mark, name in _MARKS if data.startswith(mark)), None)
    declared = options.encoding
    if declared is not None:
        if _codec(declared, label) in ("utf-8", "utf-16") and marked is not None:
            declared = marked
        return _strict(data, declared, label), None
    if marked is not None:
        return _strict(data, marked, label), None
    for encoding in ("utf-8", *_ASSUMED):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding == "utf-8":
            return text, None
        return text, f"The file states no encoding and was read as {encoding}; state `encoding` in the mapping."
    raise DataRefusedError(
        f"{label} is in none of the encodings UTF-8, {', '.join(_ASSUMED)}; state its `encoding` in the mapping."
    )


def _codec(encoding: str, label: str) -> str:
    """Give Python's name of an encoding, or refuse an unknown one."""
    try:
        return codecs.lookup(encoding).name
    except LookupError:
        raise DataRefusedError(
            f"{label}: no encoding is called '{encoding}'; use a name such as utf-8, cp1254 or cp1252."
        ) from None


def _strict(data: bytes, encoding: str, label: str) -> str:
    try:
        return data.decode(encoding)
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise DataRefusedError(
            f"{label}, line {line}, cannot be read as {encoding}; correct `encoding` in the mapping."
        ) from None


def _sniff(text: str, header_row: int, label: str) -> str:
    """Choose the delimiter by the header and the records below it; deterministic, ties go to the first of the list."""
    best, best_score = ",", (0.0, 0)
    for delimiter in _DELIMITERS:
        try:
            records = list(islice(_records(text, delimiter, label), header_row + _SAMPLE_RECORDS))
        except DataRefusedError:
            continue
        width = max((len(cells) for number, cells, _ in records if number == header_row), default=0)
        below = [cells for number, cells, _ in records if number > header_row and any(cells)]
        alike = sum(len(cells) == width for cells in below) / len(below) if below else 1.0
        if width > 1 and (alike, width) > best_score:
            best, best_score = delimiter, (alike, width)
    return best


def _records(text: str, delimiter: str, label: str) -> Iterator[Row]:
    """Yield (record number, cells, None); empty cells are None."""
    number = 0
    try:
        for number, record in enumerate(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True), 1):
            yield number, [cell if cell and not cell.isspace() else None for cell in record], None
    except csv.Error as error:
        raise DataRefusedError(
            f"{label}, record {number + 1}, cannot be read ({error}); check its quotes and `delimiter`."
        ) from None


def _widths(records: Iterator[Row], width: int, options: ReadOptions) -> Iterator[Row]:
    """Refuse a record with more cells than the header has: a delimiter inside a cell would shift its values."""
    for number, cells, kinds in records:
        if any(cell is not None for cell in cells[width:]):
            raise DataRefusedError(
                f"{options.label}, record {number}, has more cells than the header; put quotes around the cell that "
                "holds the delimiter, or correct `delimiter`."
            )
        yield number, cells[:width], kinds
