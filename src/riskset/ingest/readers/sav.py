"""SPSS data files. A row number is the case number; texts are the raw codes, and the value labels come along.

Values that the file declares as user-missing (9, 99, a range) are empty cells. Date variables become date cells.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import date, datetime, time, timedelta
from pathlib import Path
from types import ModuleType
from typing import Any

from riskset.errors import DataRefusedError
from riskset.ingest.sheet import Kind, ReadOptions, Row, Sheet, assemble, column_names, number_text

EXTENSIONS = (".sav", ".zsav")
_MARKS = (b"$FL2", b"$FL3")


def _pyreadstat() -> ModuleType:
    """Load the heavy library when the first such file is read."""
    import pyreadstat

    return pyreadstat


def recognises(head: bytes) -> bool:
    """An SPSS system file begins with its mark."""
    return head.startswith(_MARKS)


def read(path: Path, options: ReadOptions) -> Iterator[Sheet]:
    """Yield the file's one table for each request; see the module for codes and missing values."""
    for request in options.sheets:
        if request.name is not None or request.header_row != 1:
            raise DataRefusedError(
                f"{options.label} is an SPSS file: it has no sheets and no header row; remove `sheet` and `header_row`."
            )
    values, meta = _load(path, options)
    names = column_names(list(meta.column_names), f"The list of variables of {options.label}")
    columns = [values[name] for name in meta.column_names]
    sheet = assemble(None, names, _rows(columns), options.label)
    labelled = {
        name: _labels(meta.variable_value_labels.get(raw)) for name, raw in zip(names, meta.column_names, strict=True)
    }
    sheet = replace(sheet, labels={name: labels for name, labels in labelled.items() if labels})
    for _ in options.sheets:
        yield sheet


def _load(path: Path, options: ReadOptions) -> tuple[Mapping[str, Any], Any]:
    library = _pyreadstat()
    try:
        values, meta = library.read_sav(str(path), output_format="dict", encoding=options.encoding)
        return values, meta
    except (library.ReadstatError, library.PyreadstatError, UnicodeDecodeError, ValueError, OverflowError) as error:
        raise DataRefusedError(
            f"{options.label} cannot be read as an SPSS file ({type(error).__name__}); "
            "save it anew, or state `encoding`."
        ) from None


def _rows(columns: list[Any]) -> Iterator[Row]:
    for number, values in enumerate(zip(*columns, strict=True), start=1):
        cells = [_cell(value) for value in values]
        yield number, [text for text, _ in cells], [int(kind) for _, kind in cells]


def _cell(value: Any) -> tuple[str | None, Kind]:
    """Give text and kind of one value; NaN is the library's word for missing."""
    if value is None or value != value:
        return None, Kind.EMPTY
    if isinstance(value, str):
        return (value.rstrip(), Kind.TEXT) if value and not value.isspace() else (None, Kind.EMPTY)
    if isinstance(value, datetime):
        return value.date().isoformat() if value.time() == time() else value.isoformat(" "), Kind.DATE
    if isinstance(value, date | time | timedelta):
        return str(value), Kind.DATE
    return number_text(float(value)), Kind.NUMBER


def _labels(labels: Mapping[Any, str] | None) -> dict[str, str]:
    if not labels:
        return {}
    return {code if isinstance(code, str) else number_text(float(code)): label for code, label in labels.items()}
