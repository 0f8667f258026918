"""Starting a study: a commented study file and a mapping to fill in, which load as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Literal

from riskset.errors import DataRefusedError, UsageError
from riskset.ingest import ReadOptions
from riskset.ingest.readers import read
from riskset.ingest.sheet import Sheet, SheetRequest
from riskset.study.templates import TEMPLATES

# Headings that stand for a field without doubt; any other column is the user's to name.
_HEADINGS = {
    "patient": ("patient", "patient_id", "patient id", "id"),
    "pfs": ("pfs",),
    "event": ("pd", "pfs_event"),
    "marker": ("marker",),
}
_PLACEHOLDERS = {"patient": "patient", "pfs": "PFS", "event": "PD", "marker": "marker"}


Template = Literal["dates", "supplied"]

# How far down column names are looked for where the first row is a title.
_TITLE_ROWS = 10


def start_study(
    folder: Path,
    source: Path | None = None,
    *,
    sheet: str | None = None,
    header_row: int | None = None,
    template: Template | None = None,
) -> tuple[Path, Path]:
    """Write `study.yaml` and `centre_a.yaml` into a folder; with a data file, its columns stand in the mapping.

    Parameters
    ----------
    folder : made if it does not exist.
    source : a data file, whose path in the mapping is relative to `folder` if it lies there; else its own folder has to
        be given to `riskset run` as `--data`.
    sheet, header_row : which sheet of a workbook, and which of its rows (from 1) holds the column names; None takes the
        first, unless it looks like a title.
    template : `dates` derives endpoints from dated records, `supplied` takes durations that the centre computed;
        default `supplied` with a data file and `dates` without one.

    Raises
    ------
    UsageError
        The folder already holds one of the two, or cannot be written; or the first row looks like a title.
    DataRefusedError
        The data file does not exist or cannot be read.
    """
    paths = folder / "study.yaml", folder / "centre_a.yaml"
    for path in paths:
        if path.exists():
            raise UsageError(f"'{path}' exists already; name a new folder.")
    chosen: Template = template or ("dates" if source is None else "supplied")
    study, form = TEMPLATES[chosen]
    mapping = (
        _mapping(form, "data.csv", None, 1) if source is None else _from_file(form, folder, source, sheet, header_row)
    )
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, (study, mapping), strict=True):
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be written ({error.strerror}); name another folder.") from error
    return paths


def _from_file(form: str, folder: Path, source: Path, sheet: str | None, header_row: int | None) -> str:
    if not source.is_file():
        raise DataRefusedError(f"There is no data file at '{source}'; check --from.")
    found = _sheet(source, sheet, header_row)
    inside = source.resolve().is_relative_to(folder.resolve())
    name = source.resolve().relative_to(folder.resolve()).as_posix() if inside else source.name
    return _mapping(form, name, found, header_row or 1)


def _sheet(source: Path, sheet: str | None, header_row: int | None) -> Sheet:
    """Read the sheet; where nobody named the header row and the first looks like a title, suggest a later one."""

    def at(row: int) -> Sheet:
        return next(iter(read(source, ReadOptions(source.name, (SheetRequest(sheet, row),)))))

    if header_row is not None:
        return at(header_row)
    refused: DataRefusedError | None = None
    try:
        found = at(1)
        if not _like_title(found):
            return found
    except DataRefusedError as error:
        refused, found = error, None
    for row in range(2, _TITLE_ROWS + 1):
        try:
            below = at(row)
        except DataRefusedError:
            continue
        if not _like_title(below):
            raise UsageError(
                f"Row 1 of {source.name} looks like a title, and row {row} like the column names: add "
                f"--header-row {row} (or --header-row 1 if row 1 does hold them)."
            ) from refused
    if found is None:
        raise refused or DataRefusedError(f"{source.name} cannot be read; check --from.")
    return found


def _like_title(sheet: Sheet) -> bool:
    """Tell whether the header row names fewer than half of the columns that hold something, or one alone."""
    named = sum(not column.startswith("(column ") for column in sheet.columns)
    return len(sheet.columns) == 1 or 2 * named < len(sheet.columns)


def _quoted(text: str) -> str:
    """Write a text as a double-quoted YAML scalar, whatever it holds."""
    return json.dumps(text, ensure_ascii=False)


def _mapping(form: str, file: str, sheet: Sheet | None, header_row: int) -> str:
    columns = () if sheet is None else sheet.columns
    place = "" if sheet is None or sheet.name is None else f"\n    sheet: {_quoted(sheet.name)}"
    place += f"\n    header_row: {header_row}" if header_row != 1 else ""
    by_name = {column.casefold(): column for column in reversed(columns)}
    words = {"file": _quoted(file), "sheet": place}
    for field, headings in _HEADINGS.items():
        column = next((by_name[heading] for heading in headings if heading in by_name), None)
        if column is None and field == "patient" and columns:
            column = columns[0]
        words[field] = _quoted(column or _PLACEHOLDERS[field])
        words[f"{field}_missing"] = "  # name the column of your file" if column is None else ""
    text = re.sub(r"<(\w+)>", lambda found: words[found[1]], form)
    if columns:
        text += "# Columns of the file:\n" + "".join(f"#   {_quoted(column)}\n" for column in columns)
    return text
