"""Starting a study: a commented study file and a mapping to fill in, which load as they are."""

from __future__ import annotations

import json
from pathlib import Path

from riskset.errors import DataRefusedError, UsageError
from riskset.ingest import ReadOptions
from riskset.ingest.readers import read
from riskset.ingest.sheet import Sheet, SheetRequest

_STUDY = """\
# A study file. Every key is explained by `riskset schema`; unknown keys are refused with line and column.
riskset: 1
study: {id: my_study, title: Title of the study}
centres:
  centre_a: {label: Centre A, mapping: centre_a.yaml}
covariates:
  marker: {rule: supplied, name: marker, levels: [negative, positive]}
endpoints:
  pfs: {kind: pfs, prefer: supplied}
comparison: {by: marker, reference: negative}
analyses:
  table1: {kind: baseline, variables: [marker]}
  pfs_marker: {kind: survival, plan: primary, endpoint: pfs}
"""

_MAPPING = """\
# Which column of which sheet feeds which field: the hospital's contract. What it does not name is never guessed.
mapping: 1
blocks:
  - file: {file}{sheet}
    table: patients
    fields:
      patient: {{column: {patient}}}
  - file: {file}{sheet}
    table: supplied
    fields:
      patient: {{column: {patient}}}
      pfs: {{column: {pfs}, unit: months}}{pfs_missing}
      pfs_event: {{column: {event}}}{event_missing}
      marker: {{column: {marker}, codes: {{"0": negative, "1": positive}}}}{marker_missing}
"""

# Headings that stand for a field without doubt; any other column is the user's to name.
_HEADINGS = {
    "patient": ("patient", "patient_id", "patient id", "id"),
    "pfs": ("pfs",),
    "event": ("pd", "pfs_event"),
    "marker": ("marker",),
}
_PLACEHOLDERS = {"patient": "patient", "pfs": "PFS", "event": "PD", "marker": "marker"}


def start_study(
    folder: Path, source: Path | None = None, *, sheet: str | None = None, header_row: int = 1
) -> tuple[Path, Path]:
    """Write `study.yaml` and `centre_a.yaml` into a folder; with a data file, its columns stand in the mapping.

    Parameters
    ----------
    folder : made if it does not exist.
    source : a data file, whose path in the mapping is relative to `folder` if it lies there; else its own folder has to
        be given to `riskset run` as `--data`.
    sheet, header_row : which sheet of a workbook, and which of its rows (from 1) holds the column names.

    Raises
    ------
    UsageError
        The folder already holds one of the two, or cannot be written.
    DataRefusedError
        The data file does not exist or cannot be read.
    """
    paths = folder / "study.yaml", folder / "centre_a.yaml"
    for path in paths:
        if path.exists():
            raise UsageError(f"'{path}' exists already; name a new folder.")
    mapping = _mapping("data.csv", None) if source is None else _from_file(folder, source, sheet, header_row)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in zip(paths, (_STUDY, mapping), strict=True):
            path.write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise UsageError(f"'{folder}' cannot be written ({error.strerror}); name another folder.") from error
    return paths


def _from_file(folder: Path, source: Path, sheet: str | None, header_row: int) -> str:
    if not source.is_file():
        raise DataRefusedError(f"There is no data file at '{source}'; check --from.")
    options = ReadOptions(source.name, (SheetRequest(sheet, header_row),))
    found = next(iter(read(source, options)))
    inside = source.resolve().is_relative_to(folder.resolve())
    name = source.resolve().relative_to(folder.resolve()).as_posix() if inside else source.name
    return _mapping(name, found, header_row)


def _quoted(text: str) -> str:
    """Write a text as a double-quoted YAML scalar, whatever it holds."""
    return json.dumps(text, ensure_ascii=False)


def _mapping(file: str, sheet: Sheet | None, header_row: int = 1) -> str:
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
    text = _MAPPING.format(**words)
    if columns:
        text += "# Columns of the file:\n" + "".join(f"#   {_quoted(column)}\n" for column in columns)
    return text
