"""What a reader hands over: sheets of text cells, with the row numbers and the kind of each cell kept beside them."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from enum import IntEnum
from itertools import islice

import numpy as np
import polars as pl

from riskset.errors import DataRefusedError
from riskset.ingest.text import tidy

_CHUNK_ROWS = 20_000
# A header wider than this, or a longer sheet, is a mistake or an attack; spreadsheets end at 16,384 x 1,048,576.
MAX_COLUMNS = 16_384


class Kind(IntEnum):
    """What a cell is; one byte a cell. `UNSTORED`: a formula whose value the file does not hold, so without text."""

    EMPTY = 0
    TEXT = 1
    NUMBER = 2
    DATE = 3
    BOOLEAN = 4
    ERROR = 5
    UNSTORED = 6


@dataclass(frozen=True, slots=True)
class SheetRequest:
    """Which sheet to read (None: the only one) and which of its rows, counted from 1, holds the column names."""

    name: str | None = None
    header_row: int = 1


@dataclass(frozen=True, slots=True)
class ReadOptions:
    """What a reader is told: how to name the file in messages, which sheets, and how its text is written."""

    label: str
    sheets: tuple[SheetRequest, ...] = (SheetRequest(),)
    encoding: str | None = None
    delimiter: str | None = None


@dataclass(frozen=True, slots=True)
class Sheet:
    """One sheet: cells as text, null where empty.

    Attributes
    ----------
    name
        Name of the sheet; None where the format has no sheets.
    columns
        Column names, in order; a column without a heading is called `(column C)`.
    cells
        One String column a sheet column, one row a data row; rows without any cell are left out.
    row_numbers
        Int32, the row of the file, as a spreadsheet counts: the first row is 1, with its header.
    kinds
        Like `cells`, UInt8: the `Kind` of each cell.
    date_origin
        Day 0 of serial day numbers, where number cells can be dates.
    labels
        Column -> code -> label, where the format stores labels of values.
    notes
        What the reader had to assume; each becomes a query of severity info.
    """

    name: str | None
    columns: tuple[str, ...]
    cells: pl.DataFrame
    row_numbers: pl.Series
    kinds: pl.DataFrame
    date_origin: date | None = None
    labels: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def number_text(value: float | int) -> str:
    """Write a number cell as a spreadsheet shows it: 15 significant digits, whole numbers without a point.

    Examples
    --------
    >>> number_text(13.100000000000001), number_text(5.0), number_text(1e-07)
    ('13.1', '5', '0.0000001')
    """
    if isinstance(value, int):
        return str(value)
    text = f"{value:.15g}"
    if "e" in text and 1e-20 < abs(value) < 1e20:
        text = format(Decimal(text), "f")
    return "0" if text == "-0" else text


def column_letters(index: int) -> str:
    """Give the letters of a spreadsheet column, counted from 0: A, B, ..., Z, AA."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def heading(text: str) -> str:
    """Give a column name in the form in which mappings and sheets are compared: NFC, spaces and line ends tidied."""
    return unicodedata.normalize("NFC", tidy(text))


def column_names(cells: Sequence[str | None], place: str) -> list[str]:
    """Turn the header row into column names; `place` names file, sheet and row in a refusal.

    Raises
    ------
    DataRefusedError
        The row is empty, or two columns have the same name.
    """
    names = [heading(cell) if cell else "" for cell in cells]
    while names and not names[-1]:
        names.pop()
    if not names:
        raise DataRefusedError(f"{place} holds no column names; set `header_row` to the row that does.")
    if len(names) > MAX_COLUMNS:
        raise DataRefusedError(f"{place} holds {len(names)} columns; at most {MAX_COLUMNS} can be read.")
    first: dict[str, int] = {}
    for index, name in enumerate(names):
        if name and name in first:
            one, two = column_letters(first[name]), column_letters(index)
            raise DataRefusedError(f"{place} names two columns '{name}' ({one} and {two}); rename one of them.")
        first[name] = index
    return [name or f"(column {column_letters(index)})" for index, name in enumerate(names)]


Row = tuple[int, Sequence[str | None], Sequence[int] | None]


def assemble(
    name: str | None,
    names: Sequence[str],
    rows: Iterable[Row],
    place: str,
    *,
    date_origin: date | None = None,
    notes: tuple[str, ...] = (),
) -> Sheet:
    """Build a sheet from rows of (row number, texts, kinds); kinds None means that every cell is text.

    Rows shorter than the header are filled with empty cells. A cell right of the last heading opens an unnamed column.

    Raises
    ------
    DataRefusedError
        No row holds a cell.
    """
    columns = list(names)
    texts: list[pl.DataFrame] = []
    kinds: list[pl.DataFrame] = []
    numbers: list[int] = []
    iterator = iter(rows)
    while chunk := list(islice(_filled(iterator), _CHUNK_ROWS)):
        width = max(len(columns), *(len(row[1]) for row in chunk))
        columns += [f"(column {column_letters(index)})" for index in range(len(columns), width)]
        numbers += [row[0] for row in chunk]
        schema = [str(index) for index in range(width)]
        text_columns = _transposed([row[1] for row in chunk], width, None)
        frame = pl.DataFrame(dict(zip(schema, text_columns, strict=True)), schema=dict.fromkeys(schema, pl.String))
        texts.append(frame)
        kinds.append(_kinds(chunk, frame, schema))
    if not numbers:
        raise DataRefusedError(f"{place} has no row of data below the column names; check the file and `header_row`.")
    cells = pl.concat(texts, how="diagonal")
    codes = pl.concat(kinds, how="diagonal").fill_null(int(Kind.EMPTY))
    # An unnamed column without a cell is no column: spreadsheets are full of formatted emptiness.
    kept = [
        index
        for index, column in enumerate(columns)
        if not column.startswith("(column ") or cells.to_series(index).null_count() < cells.height
    ]
    final = [columns[index] for index in kept]
    renamed = {str(index): columns[index] for index in kept}
    return Sheet(
        name=name,
        columns=tuple(final),
        cells=cells.select(renamed.keys()).rename(renamed),
        row_numbers=pl.Series("row", numbers, dtype=pl.Int32),
        kinds=codes.select(renamed.keys()).rename(renamed),
        date_origin=date_origin,
        notes=notes,
    )


def _filled(rows: Iterator[Row]) -> Iterator[Row]:
    """Leave out rows without any cell; their numbers stay used up."""
    return (row for row in rows if any(text is not None for text in row[1]) or (row[2] and Kind.UNSTORED in row[2]))


def _transposed(rows: list[Sequence[str | None]], width: int, fill: str | None) -> list[list[str | None]]:
    padded = (row if len(row) == width else [*row, *([fill] * (width - len(row)))] for row in rows)
    return [list(column) for column in zip(*padded, strict=True)]


def _kinds(chunk: list[Row], texts: pl.DataFrame, schema: list[str]) -> pl.DataFrame:
    if chunk[0][2] is None:
        as_text = pl.all().is_not_null().cast(pl.UInt8) * int(Kind.TEXT)
        return texts.select(as_text.cast(pl.UInt8))
    codes = np.zeros((len(chunk), len(schema)), dtype=np.uint8)
    for index, (_, _, row_kinds) in enumerate(chunk):
        if row_kinds is not None:
            codes[index, : len(row_kinds)] = row_kinds
    return pl.DataFrame({name: codes[:, index] for index, name in enumerate(schema)})
