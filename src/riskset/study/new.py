"""Starting a study: a commented study file and a mapping to fill in, which load as they are."""

from __future__ import annotations

from pathlib import Path

from riskset.errors import UsageError
from riskset.ingest import ReadOptions
from riskset.ingest.readers import reader_for

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

_MAPPING_HEAD = """\
# Which column of which sheet feeds which field: the hospital's contract. What it does not name is never guessed.
mapping: 1
blocks:
  - file: %s
    table: patients
    fields:
      patient: {column: %s}
  - file: %s
    table: supplied
    fields:
      patient: {column: %s}
      pfs: {column: PFS, unit: months}
      pfs_event: {column: PD}
      marker: {column: marker, codes: {"0": negative, "1": positive}}
"""


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def start_study(folder: Path, source: Path | None = None) -> tuple[Path, Path]:
    """Write `study.yaml` and `centre_a.yaml` into a new folder; with a data file, its columns are listed as a comment.

    Raises
    ------
    UsageError
        The folder already holds one of the two.
    """
    name, columns = "data.csv", []
    if source is not None:
        name = source.name
        reader = reader_for(source, name)
        columns = [c for sheet in reader.read(source, ReadOptions(label=name)) for c in sheet.columns]
    patient = columns[0] if columns else "patient"
    mapping = _MAPPING_HEAD % (_quoted(name), _quoted(patient), _quoted(name), _quoted(patient))
    if columns:
        mapping += "# Columns found in the file:\n" + "".join(f"#   {column!r}\n" for column in columns)
    paths = folder / "study.yaml", folder / "centre_a.yaml"
    for path in paths:
        if path.exists():
            raise UsageError(f"'{path}' exists already; name a new folder.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in zip(paths, (_STUDY, mapping), strict=True):
        path.write_text(text, encoding="utf-8", newline="\n")
    return paths
