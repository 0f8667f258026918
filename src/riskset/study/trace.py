"""From a result row back to the patients and cells behind it, read from the output folder alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from riskset.errors import UsageError
from riskset.results import ResultRow
from riskset.study.members import Evidence, Members, members
from riskset.study.output import OutputFolder
from riskset.tables import CANONICAL, KEY


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of a hospital's sheet, with what it was read for; `text` is null where it is empty.

    `decided` tells a cell of the record that decided the outcome, the biomarker or the index date: `yes`, or `one of`
    where several cells of that sheet row feed the same field, so that only one of them did.
    """

    file: str
    sheet: str | None
    row: int
    column: str
    field: str
    text: str | None
    decided: Literal["", "yes", "one of"] = ""


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
    """A row of a sheet and the canonical table that was read from it; `fields` names those wanted, empty means all."""

    source: int
    row: int
    table: str
    fields: tuple[str, ...] = ()


_Key = tuple[str, str]

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
    places = _asked_places(found.asked) if found.asked is not None else _places(row, endpoint, found, records, evidence)
    places = {key: mine for key, mine in places.items() if key in records}
    cells = _cells(out, {place for mine in places.values() for place in mine})
    ended = _ended_by(row, endpoint, evidence)
    facts = (*_FACTS, *sorted(found.columns.difference(_FACTS)), "lost_at")
    traced = []
    for centre, patient in found.people.iter_rows():
        record = records.get((centre, patient), {})
        told = {fact: str(record[fact]) for fact in dict.fromkeys(facts) if record.get(fact) is not None}
        mine = places.get((centre, patient), [])
        decided = _deciding(record, endpoint, found, ended.get((centre, patient), ()), evidence)
        own = _marked({place: cells.get(place, ()) for place in mine}, decided)
        traced.append(TracedPatient(centre, patient, told, _merged(own)))
    return Trace(row, ", ".join(found.words), tuple(traced), found.counted, found.note)


# Fields of a record that decide by it: the biomarker's text, the date and kind of what ended the time, the first dose.
_OF_MARK = {
    "her2": frozenset({"date", "ihc", "ihc_percent", "ish", "ish_ratio", "ish_copies"}),
    "hr": frozenset({"date", "er", "er_scale", "pr", "pr_scale"}),
}
_OF_RECORD = {
    "assessments": frozenset({"date", "response", "target_sum", "non_target", "new_lesion"}),
    "contacts": frozenset({"date", "status"}),
    "drugs": frozenset({"name", "start", "stop", "stop_reason"}),
}


def _deciding(
    record: Mapping[str, Any], endpoint: str | None, found: Members, ended: Iterable[str], evidence: Evidence
) -> dict[tuple[int, int, str], frozenset[str]]:
    """Give the records that decided a patient's part in the row, by source, row and table, with their fields."""
    decided: dict[tuple[int, int, str], frozenset[str]] = {}

    def add(places: Iterable[_Place], fields: Mapping[str, frozenset[str]]) -> None:
        for place in places:
            at = (place.source, place.row, place.table)
            own = frozenset(place.fields) - {"patient"} or fields.get(place.table, frozenset())
            decided[at] = decided.get(at, frozenset()) | own

    for mark in sorted({c.split("_", 1)[0] for c in found.columns}.intersection(_MARKS)):
        add(_of_marks(record, [mark]), {"samples": _OF_MARK[mark]})
    index = evidence.out.protocol.index
    if endpoint is not None or {"index_date", "index_drug"} & found.columns:
        date = "start" if index is None else index.date
        add(_of_index(record, evidence), dict.fromkeys(CANONICAL, frozenset({date, "name"})))
    if endpoint is not None:
        add(_of_outcome(record, endpoint, ended, evidence), _OF_RECORD)
    return decided


def _marked(
    cells: Mapping[_Place, Iterable[Cell]], decided: Mapping[tuple[int, int, str], frozenset[str]]
) -> Iterator[Cell]:
    """Give the cells, those of the deciding records' fields marked; an empty cell decides nothing."""
    for place, mine in cells.items():
        fields = decided.get((place.source, place.row, place.table), frozenset())
        told = [c for c in mine if c.text is not None and c.field.removeprefix(f"{place.table}.") in fields]
        feeding = Counter(c.field for c in told)
        for cell in mine:
            mark: Literal["", "yes", "one of"] = (
                "" if cell not in told else "yes" if feeding[cell.field] == 1 else "one of"
            )
            yield replace(cell, decided=mark)


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


def _asked_places(asked: pl.DataFrame) -> dict[_Key, list[_Place]]:
    """Give for each patient the cells that queries are about."""
    places: dict[_Key, list[_Place]] = {}
    told = asked.filter(pl.all_horizontal(pl.col("patient", "source", "row", "table").is_not_null()))
    columns = told.select(*KEY, "source", "row", "table", "field").unique().sort(pl.all())
    for centre, patient, source, number, table, field in columns.iter_rows():
        wanted = ("patient", field) if field is not None else ()
        places.setdefault((centre, patient), []).append(_Place(source, number, table, wanted))
    return places


def _places(
    row: ResultRow,
    endpoint: str | None,
    found: Members,
    records: Mapping[_Key, dict[str, Any]],
    evidence: Evidence,
) -> dict[_Key, list[_Place]]:
    """Give for each patient the sheet rows that what the row depends on was read from.

    The index record and the record that ended the time are known; so is the specimen behind a biomarker. A covariate
    may come from any table, so for a row that depends on one every record of the patient is given.
    """
    columns = found.columns
    marks = sorted({c.split("_", 1)[0] for c in columns}.intersection(_MARKS))
    known = {"centre", "index_date", "index_drug", *(c for c in columns if c.split("_", 1)[0] in marks)}
    index = endpoint is not None or bool({"index_date", "index_drug"} & columns)
    whole = not (index or marks) or bool(columns.difference(known))
    all_of = _all_places(evidence.out)
    if whole:
        return {key: all_of.get(key, []) for key in records}
    ended = _ended_by(row, endpoint, evidence)
    chosen: dict[_Key, list[_Place]] = {}
    for key, record in records.items():
        own = all_of.get(key, [])
        wanted = _of_marks(record, marks)
        if index:
            wanted += _of_index(record, evidence) + _of_outcome(record, endpoint, ended.get(key, ()), evidence)
        present = {(place.source, place.row, place.table) for place in own}
        mine = sorted({place for place in wanted if (place.source, place.row, place.table) in present})
        # Of whom no such record exists, the patient's own row is what can be shown.
        chosen[key] = mine or [place for place in own if place.table == "patients"]
    return chosen


# Biomarkers by the first word of their columns of `patients`; each keeps its specimen as `<word>_source`, `<word>_row`.
_MARKS = frozenset({"her2", "hr"})
_SUPPLIED = "supplied"


def _of_marks(record: Mapping[str, Any], marks: Iterable[str]) -> list[_Place]:
    places = []
    for mark in marks:
        source, number = record.get(f"{mark}_source"), record.get(f"{mark}_row")
        if source is None or number is None:
            continue
        if record.get(f"{mark}_reason") == _SUPPLIED:
            places.append(_Place(source, number, _SUPPLIED, ("patient", mark)))
        else:
            places.append(_Place(source, number, "samples"))
    return places


def _of_index(record: Mapping[str, Any], evidence: Evidence) -> list[_Place]:
    index = evidence.out.protocol.index
    source, number = record.get("index_source"), record.get("index_row")
    if source is None or number is None:
        return []
    return [_Place(source, number, "drugs" if index is None else index.table)]


def _of_outcome(
    record: Mapping[str, Any], endpoint: str | None, tables: Iterable[str], evidence: Evidence
) -> list[_Place]:
    """Give the record that ended the time, or that decided the best response; a supplied one by its names alone."""
    source, number = record.get("outcome_source"), record.get("outcome_row")
    if source is None or number is None:
        return []
    spec = evidence.out.protocol.endpoints.get(endpoint or "")
    names = getattr(spec, "supplied_as", None) or ("best_response",)
    supplied = _Place(source, number, _SUPPLIED, ("patient", *names))
    if "best_response" in record:
        return [_Place(source, number, "assessments"), supplied]
    return [supplied if table == _SUPPLIED else _Place(source, number, table) for table in tables] or [supplied]


def _ended_by(row: ResultRow, endpoint: str | None, evidence: Evidence) -> dict[_Key, tuple[str, ...]]:
    """Give for each patient the tables of the candidates that ended the time."""
    candidates = evidence.out.table("candidates").filter(
        pl.col("kept"), pl.col("endpoint") == (endpoint or ""), pl.col("scheme") == (row.scheme or "")
    )
    tables: dict[_Key, tuple[str, ...]] = {}
    for centre, patient, table in candidates.select(*KEY, "table").iter_rows():
        named = "drugs" if table in _DRUG_FACTS else table
        tables[centre, patient] = (*tables.get((centre, patient), ()), named)
    return tables


def _all_places(out: OutputFolder) -> dict[_Key, list[_Place]]:
    places: dict[_Key, list[_Place]] = {}
    records = out.table("records").select(*KEY, "source", "row", "table").sort(*KEY, "source", "row", "table")
    for centre, patient, source, number, table in records.iter_rows():
        places.setdefault((centre, patient), []).append(_Place(source, number, table))
    return places


def _cells(out: OutputFolder, places: Iterable[_Place]) -> dict[_Place, tuple[Cell, ...]]:
    """Give for each place the cells that a mapping reads there, in the order of the fields.

    An empty cell is told where its column alone feeds the field; of repeated columns only the filled ones are.
    """
    ordered = sorted(places)
    wanted = pl.DataFrame(
        [(k, p.source, p.row, p.table, list(p.fields)) for k, p in enumerate(ordered)],
        schema={
            "place": pl.Int32,
            "source": pl.Int32,
            "row": pl.Int32,
            "table": pl.String,
            "fields": pl.List(pl.String),
        },
        orient="row",
    )
    alone = pl.col("column").n_unique().over("source", "table", "field") == 1
    found = (
        wanted.join(out.table("fields").with_columns(alone.alias("alone")), on=["source", "table"], how="inner")
        .filter((pl.col("fields").list.len() == 0) | pl.col("fields").list.contains(pl.col("field")))
        .join(out.table("sheets"), on=["source", "row", "column"], how="left")
        .filter(pl.col("text").is_not_null() | pl.col("alone"))
        .join(out.table("sources").select("source", "file", "sheet"), on="source", how="left")
        .sort("place", "field", "column")
    )
    cells: dict[_Place, list[Cell]] = {}
    for r in found.iter_rows(named=True):
        cell = Cell(r["file"], r["sheet"], r["row"], r["column"], f"{r['table']}.{r['field']}", r["text"])
        cells.setdefault(ordered[r["place"]], []).append(cell)
    return {place: tuple(mine) for place, mine in cells.items()}


def _merged(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    """Give each cell once, with all fields that it feeds, marked if it decided by any of them."""
    found: dict[Cell, list[Cell]] = {}
    for cell in cells:
        found.setdefault(replace(cell, field="", decided=""), []).append(cell)
    merged = []
    for cell, parts in found.items():
        marks = {part.decided for part in parts}
        mark: Literal["", "yes", "one of"] = "yes" if "yes" in marks else "one of" if "one of" in marks else ""
        merged.append(replace(cell, field=", ".join(dict.fromkeys(part.field for part in parts)), decided=mark))
    return tuple(merged)


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
        _merged(cell for place in places for cell in cells.get(place, ())),
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
