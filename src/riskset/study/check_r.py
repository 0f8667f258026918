"""`private/check.R`: every number of the study that R can refit, refitted by R's own functions from CSV files.

The script is the same for every study (`check.R` beside this module). What is special stands in the tables it reads:
patients with covariates and populations, outcomes, responses, the levels of each factor with its reference first, the
parameters of each analysis, and the result rows to hold against R. Patients are numbered; no id and no date is written.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from importlib.resources import files
from pathlib import Path
from typing import Any

import polars as pl

from riskset.analyses.shared import group_of, is_category, levels_in_use
from riskset.cohort import AnalysisSet
from riskset.protocol import Protocol
from riskset.results import KEY_FIELDS, STATISTICS, Results

SCRIPT = "check.R"
DATA = "check_data"
_KEY = ["centre", "patient"]
_POPULATION = "population_"
# The fields of a spec that name one column of `patients`, and those that name several.
_ONE_COLUMN = ("exposure", "within", "strata")
_SEVERAL_COLUMNS = ("adjust", "univariable", "subgroups", "contrasts", "variables")
_PARAMETERS = ("kind", "exposure", "within", "adjust", "strata", "univariable", "conf_type", "endpoints")


def write_check_r(folder: Path, protocol: Protocol, analysis_set: AnalysisSet, results: Results) -> None:
    """Write `check.R` and the folder `check_data` with its tables; equal studies give equal bytes.

    Parameters
    ----------
    folder : the run's `private` folder; it must exist. `check_data` holds one row a patient.
    protocol, analysis_set, results : of the study that has run
    """
    data = folder / DATA
    data.mkdir(exist_ok=True)
    columns = _columns(protocol, analysis_set)
    numbers = analysis_set.patients.select(_KEY).with_columns(
        pl.int_range(1, pl.len() + 1, dtype=pl.Int64).alias("number")
    )
    _write_patients(data, protocol, analysis_set, columns)
    _write_outcomes(data, analysis_set, numbers)
    _write_responses(data, analysis_set, numbers)
    _write_levels(data, analysis_set, columns)
    _write_analyses(data, protocol, analysis_set)
    _write_rows(data, results)
    script = files("riskset.study").joinpath(SCRIPT).read_text(encoding="utf-8")
    (folder / SCRIPT).write_text(script, encoding="utf-8", newline="\n")


def _columns(protocol: Protocol, analysis_set: AnalysisSet) -> list[str]:
    """Give the columns of `patients` that any analysis names, in the order of the table."""
    named: set[str] = set()
    for spec in protocol.analyses.values():
        named.update(str(getattr(spec, field, None)) for field in _ONE_COLUMN)
        for field in _SEVERAL_COLUMNS:
            named.update(getattr(spec, field, ()))
        named.add(str(group_of(spec, analysis_set)))
    schema = analysis_set.patients.schema
    return [c for c in analysis_set.patients.columns if c in named and not schema[c].is_temporal()]


def _write_patients(data: Path, protocol: Protocol, analysis_set: AnalysisSet, columns: Sequence[str]) -> None:
    populations = [_POPULATION + name for name in protocol.populations]
    frame = analysis_set.patients.select([*columns, *populations])
    rows = ([number, *row] for number, row in enumerate(frame.iter_rows(), 1))
    _write_table(data / "patients.csv", ["patient", *frame.columns], rows)


def _write_outcomes(data: Path, analysis_set: AnalysisSet, numbers: pl.DataFrame) -> None:
    names = ["number", "endpoint", "scheme", "days", "event"]
    frame = _numbered(analysis_set.outcomes, numbers).select(names).sort("endpoint", "scheme", "number")
    _write_table(data / "outcomes.csv", ["patient", *names[1:]], frame.iter_rows())


def _write_responses(data: Path, analysis_set: AnalysisSet, numbers: pl.DataFrame) -> None:
    names = ["number", "endpoint", "best_response", "responder", "measurable", "evaluable"]
    frame = _numbered(analysis_set.responses, numbers).select(names).sort("endpoint", "number")
    _write_table(data / "responses.csv", ["patient", *names[1:]], frame.iter_rows())


def _numbered(frame: pl.DataFrame, numbers: pl.DataFrame) -> pl.DataFrame:
    texts = [pl.col(name).cast(pl.String) for name in _KEY]
    return frame.with_columns(texts).join(numbers.with_columns(texts), on=_KEY, how="inner")


def _write_levels(data: Path, analysis_set: AnalysisSet, columns: Sequence[str]) -> None:
    """Write the levels of each factor, the reference first; a column that is not here is a number."""
    rows = [
        [column, level]
        for column in columns
        if is_category(analysis_set.patients, column)
        for level in levels_in_use(analysis_set, column)
    ]
    _write_table(data / "levels.csv", ["column", "level"], rows)


def _write_analyses(data: Path, protocol: Protocol, analysis_set: AnalysisSet) -> None:
    """Write the parameters of each analysis; several columns in one cell are parted by spaces (ids have none)."""
    rows = []
    for name, spec in protocol.analyses.items():
        values = [getattr(spec, field, None) for field in _PARAMETERS]
        cells = [" ".join(v) if isinstance(v, list | tuple) else v for v in values]
        rows.append([name, *cells, group_of(spec, analysis_set), protocol.study.conf_level])
    _write_table(data / "analyses.csv", ["analysis", *_PARAMETERS, "by", "conf_level"], rows)


def _write_rows(data: Path, results: Results) -> None:
    """Write the rows that hold a number or say that there is none; words are nothing that R could refit."""
    rows = [[row.row, *row.key, row.value, row.status] for row in results if STATISTICS[row.statistic].kind != "word"]
    _write_table(data / "rows.csv", ["row", *KEY_FIELDS, "value", "status"], rows)


def _cell(value: Any) -> str:
    """Give a cell: missing is empty, truth is `true` or `false`, a fraction has the 17 digits that give it back."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value:.17g}" if isinstance(value, float) else str(value)


def _write_table(path: Path, header: Sequence[str], rows: Iterable[Iterable[Any]]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header)
        writer.writerows([_cell(value) for value in row] for row in rows)
