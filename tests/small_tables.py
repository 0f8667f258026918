"""Tiny studies for tests: tables written as text that a clinician can read, and study files of a few lines."""

from __future__ import annotations

from datetime import date
from textwrap import dedent

import polars as pl

from riskset import covariates, endpoints
from riskset.protocol import Protocol, Spec, Vocabulary, load
from riskset.tables import CANONICAL, PROVENANCE, empty, fit

_HEAD = """\
riskset: 1
study: {id: tiny, title: A tiny study}
centres: {a: {mapping: a.yaml}, b: {mapping: b.yaml}}
"""

_TYPES = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int32(),
    "boolean": pl.Boolean(),
    "date": pl.Date(),
}


def study(text: str) -> Protocol:
    """Load a study file; the head is added where the text has none."""
    biomarkers = {"marker": Spec}  # a stand-in: these rooms know no biomarker by name
    vocabulary = Vocabulary(biomarkers=biomarkers, covariates=covariates.SPECS, endpoints=endpoints.SPECS)
    text = dedent(text)
    return load(text if text.lstrip().startswith("riskset:") else _HEAD + text, vocabulary)


def table(name: str, text: str) -> pl.DataFrame:
    """Read `patient | organ | present` and rows below it; an empty cell is missing.

    Columns outside the schema say their type (`ecog:integer`). Centre is `a`, source 0 and rows count from 1 unless
    the text has these columns.
    """
    header, *lines = [line for line in text.splitlines() if line.strip()]
    names = [cell.strip() for cell in header.split("|")]
    schema = CANONICAL[name]
    further = dict(column.split(":") for column in names if ":" in column)
    types = {**schema.types, **{column: _TYPES[kind] for column, kind in further.items()}}
    columns = [column.split(":")[0] for column in names]
    rows = []
    for number, line in enumerate(lines, 1):
        cells = [cell.strip() for cell in line.split("|")]
        assert len(cells) == len(columns), line
        row = {"centre": "a", "source": 0, "row": number}
        row |= {column: _read(cell, types[column]) for column, cell in zip(columns, cells, strict=True)}
        rows.append(row)
    frame = pl.DataFrame(
        rows, schema={c: t for c, t in types.items() if c in columns or c in ("centre", "source", "row")}
    )
    return fit(frame, schema)


def tables(**texts: str) -> dict[str, pl.DataFrame]:
    """Give all canonical tables, those not named empty, and an empty query list."""
    frames = {name: empty(schema) for name, schema in CANONICAL.items()}
    frames["queries"] = empty(PROVENANCE["queries"])
    return frames | {name: table(name, text) for name, text in texts.items()}


def _read(cell: str, dtype: pl.DataType) -> object:
    if not cell:
        return None
    if dtype == pl.Date:
        return date.fromisoformat(cell)
    if dtype == pl.Boolean:
        return {"true": True, "false": False}[cell]
    if dtype.is_numeric():
        return int(cell) if dtype.is_integer() else float(cell)
    return cell


def by_patient(frame: pl.DataFrame, *columns: str) -> dict[str, object]:
    """Give patient -> value (or values, where several columns are named)."""
    return {
        row["patient"]: row[columns[0]] if len(columns) == 1 else tuple(row[c] for c in columns)
        for row in frame.to_dicts()
    }
