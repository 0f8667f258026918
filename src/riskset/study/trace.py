"""From a result row back to the patients and cells behind it, read from the output folder alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import polars as pl

from riskset.errors import UsageError, did_you_mean
from riskset.results import ResultRow, Results


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a hospital's sheet, with what it was read for."""

    file: str
    sheet: str | None
    row: int
    column: str
    field: str
    text: str | None


@dataclass(frozen=True, slots=True)
class TracedPatient:
    """One patient behind a row: what they add to it, and the cells that say so."""

    centre: str
    patient: str
    facts: dict[str, str]
    cells: tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Trace:
    """A result row, who is in it and why."""

    row: ResultRow
    population: str
    patients: tuple[TracedPatient, ...]


class OutputFolder:
    """Reads what `Study.write` wrote."""

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / "manifest.json").is_file():
            raise UsageError(f"'{folder}' is no output folder of riskset; give the folder that `riskset run` wrote.")

    def results(self) -> Results:
        """Give the result rows."""
        return Results.from_json((self.folder / "results.json").read_text(encoding="utf-8"))

    def table(self, name: str) -> pl.DataFrame:
        """Give a table of `private/`."""
        path = self.folder / "private" / f"{name}.parquet"
        if not path.is_file():
            raise UsageError(f"'{path.name}' is missing in the folder's private part; trace needs it.")
        return pl.read_parquet(path)


def _row_named(results: Results, name: str) -> ResultRow:
    row = results.by_name.get(name)
    if row is None:
        raise UsageError(f"There is no result row '{name}'{did_you_mean(name, results.by_name)}.")
    return row


def _members(row: ResultRow, patients: pl.DataFrame) -> tuple[pl.DataFrame, str]:
    """Give the patients that a row describes, and the condition in words."""
    if row.population == "screened":
        chosen, words = patients, ["all screened"]
    else:
        chosen, words = patients.filter(pl.col("included")), ["included"]
    if row.population is not None and f"population_{row.population}" in patients.columns:
        chosen = chosen.filter(pl.col(f"population_{row.population}"))
        words.append(row.population)
    for column, level in ((row.group, row.group_level), (row.variable, row.level)):
        if column is None or level is None or column not in patients.columns:
            continue
        levels = {level, row.reference} if column == row.variable and row.reference is not None else {level}
        chosen = chosen.filter(pl.col(column).cast(pl.String).is_in(sorted(levels)))
        words.append(f"{column} = {' or '.join(sorted(levels))}")
    return chosen, ", ".join(words)


def _cells(folder: OutputFolder, places: list[tuple[int, int]]) -> dict[tuple[int, int], tuple[Cell, ...]]:
    """Give for each (source, row) the cells that a mapping reads there."""
    if not places:
        return {}
    wanted = (
        pl.DataFrame(places, schema={"source": pl.Int32, "row": pl.Int32}, orient="row").unique().sort("source", "row")
    )
    fields = (
        folder.table("fields")
        .group_by("source", "column")
        .agg((pl.col("table") + "." + pl.col("field")).unique().sort().str.join(", ").alias("field"))
    )
    found = (
        folder.table("sheets")
        .join(wanted, on=["source", "row"], how="inner")
        .join(fields, on=["source", "column"], how="inner")
        .join(folder.table("sources").select("source", "file", "sheet"), on="source", how="left")
        .sort("source", "row", "field", "column")
    )
    cells: dict[tuple[int, int], list[Cell]] = {}
    for r in found.iter_rows(named=True):
        cell = Cell(r["file"], r["sheet"], r["row"], r["column"], r["field"], r["text"])
        cells.setdefault((r["source"], r["row"]), []).append(cell)
    return {place: tuple(found) for place, found in cells.items()}


def _places(record: dict[str, object]) -> list[tuple[int, int]]:
    """Give the (source, row) pairs that a patient's record names: `x_source` with `x_row`, and the outcome's own."""
    pairs = []
    for name in record:
        if name == "source" or name.endswith("_source"):
            source, row = record[name], record.get(name.replace("source", "row"))
            if isinstance(source, int) and isinstance(row, int):
                pairs.append((source, row))
    return sorted(set(pairs))


_FACTS = ("index_date", "her2", "hr", "lost_at", "days", "event", "reason", "date", "best_response", "responder")


def trace(folder: str | Path, name: str) -> Trace:
    """Walk from a result row to its patients and the cells that they came from.

    Parameters
    ----------
    folder : the output folder.
    name : the row's readable name, as `results.json` has it.
    """
    out = OutputFolder(folder)
    row = _row_named(out.results(), name)
    patients, words = _members(row, out.table("patients"))
    patients = patients.rename({"source": "patient_source", "row": "patient_row"}, strict=False)
    responses = out.table("responses").filter(pl.col("endpoint") == (row.endpoint or ""))
    outcomes = out.table("outcomes").filter(pl.col("endpoint") == (row.endpoint or ""))
    if row.scheme is not None:
        outcomes = outcomes.filter(pl.col("scheme") == row.scheme)
    for table in (outcomes, responses):
        if table.height:
            patients = patients.join(table, on=["centre", "patient"], how="left", suffix="_outcome")
    patients = patients.sort("centre", "patient")
    records = patients.to_dicts()
    cells = _cells(out, [place for record in records for place in _places(record)])
    traced = tuple(
        TracedPatient(
            r["centre"],
            r["patient"],
            {fact: str(r[fact]) for fact in _FACTS if r.get(fact) is not None},
            tuple(cell for place in _places(r) for cell in cells.get(place, ())),
        )
        for r in records
    )
    return Trace(row, words, traced)


@dataclass(frozen=True, slots=True)
class PatientStory:
    """All that a study knows of one patient."""

    centre: str
    patient: str
    derived: dict[str, str]
    candidates: tuple[dict[str, object], ...]
    queries: tuple[dict[str, object], ...]
    cells: tuple[Cell, ...]


def patient_story(folder: str | Path, patient: str, centre: str | None = None) -> PatientStory:
    """Give one patient's derived values, candidate dates, queries and cells from an output folder.

    Raises
    ------
    UsageError
        Nobody, or people of several centres, have that id.
    """
    out = OutputFolder(folder)
    found = out.table("patients").filter(pl.col("patient") == patient)
    if centre is not None:
        found = found.filter(pl.col("centre") == centre)
    if found.height != 1:
        many = (
            f"{found.height} centres have a patient of that id; add --centre."
            if found.height
            else "no patient has that id."
        )
        raise UsageError(f"The patient cannot be shown: {many}")
    record = found.row(0, named=True)

    def rows(name: str) -> tuple[dict[str, object], ...]:
        mine = out.table(name).filter((pl.col("centre") == record["centre"]) & (pl.col("patient") == patient))
        return tuple(mine.to_dicts())

    candidates, queries = rows("candidates"), rows("cleaning_log")
    outcomes, responses = rows("outcomes"), rows("responses")
    places = [p for r in (record, *candidates, *outcomes, *responses) for p in _places(dict(r))]
    cells = _cells(out, places)
    return PatientStory(
        record["centre"],
        patient,
        {k: str(v) for k, v in record.items() if v is not None and k not in ("centre", "patient")},
        candidates,
        queries,
        tuple(cell for place in sorted(cells) for cell in cells[place]),
    )
