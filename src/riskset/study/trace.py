"""From a result row back to the patients and cells behind it, read from the output folder alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from riskset.errors import UsageError
from riskset.results import ResultRow
from riskset.study.members import Evidence, Members, members
from riskset.study.output import OutputFolder
from riskset.tables import CANONICAL, KEY


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a hospital's sheet, with what it was read for; `text` is null where it is empty."""

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
    """A result row, who is behind it and why.

    Attributes
    ----------
    population : the conditions that chose the patients, in words.
    counted : the row counts these patients, as many as its value; otherwise it was computed from them.
    note : what the row is about where it is not about patients.
    """

    row: ResultRow
    population: str
    patients: tuple[TracedPatient, ...]
    counted: bool = True
    note: str | None = None


@dataclass(frozen=True, slots=True, order=True)
class _Place:
    """A row of a sheet, and the canonical table that was read from it."""

    source: int
    row: int
    table: str


# What a candidate's table is in the sheets: the executor's own tables are drug records.
_DRUG_FACTS = frozenset({"new_therapy", "treatment_stop"})
_FACTS = ("index_date", "days", "event", "reason", "date", "best_response", "responder")


def trace(folder: str | Path, name: str, *, limit: int | None = None) -> Trace:
    """Walk from a result row to its patients and the cells that they came from.

    Parameters
    ----------
    folder : the output folder.
    name : the row's readable name, as `results.json` has it.
    limit : cells are read for so many patients only; None reads them for all.

    Raises
    ------
    UsageError
        No such row, or the folder lacks its private part.
    """
    out = OutputFolder(folder)
    row = out.row(name)
    evidence = Evidence(out)
    found = members(row, evidence)
    endpoint = row.endpoint or _endpoint_of(row, evidence)
    shown = found.people if limit is None else found.people.head(limit)
    records = {(r["centre"], r["patient"]): r for r in _records(row, endpoint, shown, evidence)}
    places = _places(row, endpoint, found, records, evidence)
    cells = _cells(out, {place for mine in places.values() for place in mine})
    facts = (*_FACTS, *sorted(found.columns.difference(_FACTS)), "lost_at")
    traced = []
    for centre, patient in found.people.iter_rows():
        record = records.get((centre, patient), {})
        told = {fact: str(record[fact]) for fact in dict.fromkeys(facts) if record.get(fact) is not None}
        mine = places.get((centre, patient), [])
        traced.append(TracedPatient(centre, patient, told, tuple(c for place in mine for c in cells.get(place, ()))))
    return Trace(row, ", ".join(found.words), tuple(traced), found.counted, found.note)


def _endpoint_of(row: ResultRow, evidence: Evidence) -> str | None:
    """Give the endpoint of a row that leaves it out: best responses stand on the first one of their analysis."""
    return evidence.spec(row.analysis).endpoints[0] if row.variable == "best_response" else None


def _records(row: ResultRow, endpoint: str | None, people: pl.DataFrame, evidence: Evidence) -> list[dict[str, Any]]:
    """Give each patient's columns, with the outcome or response that the row stands on."""
    frame = people.join(evidence.patients, on=KEY, how="left", maintain_order="left")
    outcome = evidence.outcomes.filter(pl.col("endpoint") == (endpoint or ""), pl.col("scheme") == (row.scheme or ""))
    response = evidence.responses.filter(pl.col("endpoint") == (endpoint or ""))
    for table in (outcome, response):
        if table.height:
            named = table.rename({"source": "outcome_source", "row": "outcome_row"}).drop("endpoint")
            frame = frame.drop([c for c in named.columns if c not in KEY], strict=False)
            frame = frame.join(named, on=KEY, how="left", maintain_order="left")
    return frame.to_dicts()


def _places(
    row: ResultRow,
    endpoint: str | None,
    found: Members,
    records: Mapping[tuple[str, str], dict[str, Any]],
    evidence: Evidence,
) -> dict[tuple[str, str], list[_Place]]:
    """Give for each patient the sheet rows that what the row depends on was read from.

    The index record and the record that ended the time are known; so is the specimen behind a biomarker. A covariate
    may come from any table, so for a row that depends on one every record of the patient is given.
    """
    protocol, columns = evidence.out.protocol, found.columns
    marks = sorted({c.split("_", 1)[0] for c in columns}.intersection({"her2", "hr"}))
    known = {"centre", "index_date", "index_drug", *(c for c in columns if c.split("_", 1)[0] in marks)}
    whole = (not endpoint and not marks) or bool(columns.difference(known))
    records_of = _all_places(evidence.out)
    ended = _ended_by(row, endpoint, evidence)
    index_table = "drugs" if protocol.index is None else protocol.index.table
    chosen: dict[tuple[str, str], list[_Place]] = {}
    for key, record in records.items():
        own = records_of.get(key, [])
        if whole:
            chosen[key] = own
            continue
        wanted = {(record.get("index_source"), record.get("index_row"), index_table)}
        outcome = (record.get("outcome_source"), record.get("outcome_row"))
        wanted |= {(*outcome, table) for table in ended.get(key, ("assessments", "supplied"))}
        for mark in marks:
            place = (record.get(f"{mark}_source"), record.get(f"{mark}_row"))
            wanted |= {(*place, table) for table in ("samples", "supplied")}
        chosen[key] = [place for place in own if (place.source, place.row, place.table) in wanted]
    return chosen


def _ended_by(row: ResultRow, endpoint: str | None, evidence: Evidence) -> dict[tuple[str, str], tuple[str, ...]]:
    """Give for each patient the tables of the candidates that ended the time."""
    candidates = evidence.out.table("candidates").filter(
        pl.col("kept"), pl.col("endpoint") == (endpoint or ""), pl.col("scheme") == (row.scheme or "")
    )
    tables: dict[tuple[str, str], tuple[str, ...]] = {}
    for centre, patient, table in candidates.select(*KEY, "table").iter_rows():
        named = "drugs" if table in _DRUG_FACTS else table
        tables[centre, patient] = (*tables.get((centre, patient), ()), named)
    return tables


def _all_places(out: OutputFolder) -> dict[tuple[str, str], list[_Place]]:
    places: dict[tuple[str, str], list[_Place]] = {}
    records = out.table("records").select(*KEY, "source", "row", "table").sort(*KEY, "source", "row", "table")
    for centre, patient, source, number, table in records.iter_rows():
        places.setdefault((centre, patient), []).append(_Place(source, number, table))
    return places


def _cells(out: OutputFolder, places: Iterable[_Place]) -> dict[_Place, tuple[Cell, ...]]:
    """Give for each place the cells that a mapping reads there, in the order of the fields.

    An empty cell is told where its column alone feeds the field; of repeated columns only the filled ones are.
    """
    wanted = pl.DataFrame(
        [(p.source, p.row, p.table) for p in sorted(places)],
        schema={"source": pl.Int32, "row": pl.Int32, "table": pl.String},
        orient="row",
    )
    alone = pl.col("column").n_unique().over("source", "table", "field") == 1
    found = (
        wanted.join(out.table("fields").with_columns(alone.alias("alone")), on=["source", "table"], how="inner")
        .join(out.table("sheets"), on=["source", "row", "column"], how="left")
        .filter(pl.col("text").is_not_null() | pl.col("alone"))
        .join(out.table("sources").select("source", "file", "sheet"), on="source", how="left")
        .group_by("source", "row", "table", "file", "sheet", "column", "text")
        .agg((pl.col("table") + "." + pl.col("field")).unique().sort().str.join(", ").alias("fields"))
        .sort("source", "row", "table", "fields", "column")
    )
    cells: dict[_Place, list[Cell]] = {}
    for r in found.iter_rows(named=True):
        cell = Cell(r["file"], r["sheet"], r["row"], r["column"], r["fields"], r["text"])
        cells.setdefault(_Place(r["source"], r["row"], r["table"]), []).append(cell)
    return {place: tuple(mine) for place, mine in cells.items()}


@dataclass(frozen=True, slots=True)
class PatientStory:
    """All that a study knows of one patient."""

    centre: str
    patient: str
    derived: dict[str, str]
    outcomes: tuple[dict[str, object], ...]
    candidates: tuple[dict[str, object], ...]
    queries: tuple[dict[str, object], ...]
    cells: tuple[Cell, ...]


def patient_story(folder: str | Path, patient: str, centre: str | None = None) -> PatientStory:
    """Give one patient's derived values, outcomes, candidate dates, queries and cells from an output folder.

    Raises
    ------
    UsageError
        Nobody, or people of several centres, have that id; or there is no such centre.
    """
    out = OutputFolder(folder)
    everyone = out.table("patients")
    if centre is not None and centre not in out.protocol.centres:
        raise UsageError(f"The study has no centre '{centre}'; its centres are {', '.join(out.protocol.centres)}.")
    found = everyone.filter(pl.col("patient") == patient)
    if centre is not None:
        found = found.filter(pl.col("centre") == centre)
    if found.height != 1:
        many = f"{found.height} centres have a patient of that id; add --centre ({', '.join(found['centre'])})."
        nobody = "nobody has that id; ids are written as the hospital's sheet has them."
        raise UsageError(f"The patient cannot be shown: {many if found.height else nobody}")
    record = found.row(0, named=True)
    key = (record["centre"], patient)

    def rows(name: str) -> tuple[dict[str, object], ...]:
        return tuple(out.table(name).filter(pl.col("centre") == key[0], pl.col("patient") == patient).to_dicts())

    places = _all_places(out).get(key, [])
    cells = _cells(out, places)
    hidden = {"centre", "patient", *(c for c in record if c in ("source", "row") or c.endswith(("_source", "_row")))}
    return PatientStory(
        key[0],
        patient,
        {k: str(v) for k, v in record.items() if v is not None and k not in hidden},
        rows("outcomes") + rows("responses"),
        rows("candidates"),
        rows("cleaning_log"),
        tuple(cell for place in places for cell in cells.get(place, ())),
    )


def records_table(tables: Mapping[str, pl.DataFrame]) -> pl.DataFrame:
    """Give which rows of which sheets each patient's canonical records were read from, each once."""
    parts = [
        tables[name]
        .select(*KEY, pl.lit(name).alias("table"), pl.col("source").cast(pl.Int32), pl.col("row").cast(pl.Int32))
        .drop_nulls()
        for name in CANONICAL
        if name in tables
    ]
    return pl.concat(parts).unique().sort(*KEY, "source", "row", "table")
