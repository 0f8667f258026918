"""From any result row to its patients and their cells: the numbers agree, and the cells are the hospitals' own."""

from __future__ import annotations

import csv
import json
import shutil
from collections.abc import Callable, Iterator
from datetime import date, datetime
from pathlib import Path

import openpyxl
import polars as pl
import pyreadstat
import pytest

from riskset.errors import UsageError
from riskset.results import ResultRow
from riskset.study import OutputFolder, Study, patient_story, trace
from riskset.study.members import COUNTS, Evidence, members
from riskset.study.trace import Cell, Trace
from small_studies import DEMO


def kinds_of_row(rows: list[ResultRow]) -> Iterator[ResultRow]:
    """Give of each kind of row the first, the last and one between: thousands of rows differ in their time alone."""
    groups: dict[tuple[object, ...], list[ResultRow]] = {}
    for r in rows:
        level = (r.level is None, r.reference is None, r.group_level is None)
        key = (r.analysis, r.method, r.endpoint, r.population, r.group, r.variable, r.statistic, r.of, *level)
        groups.setdefault(key, []).append(r)
    for found in groups.values():
        yield from {id(r): r for r in (found[0], found[len(found) // 2], found[-1])}.values()


def test_every_kind_of_row_leads_to_as_many_patients_as_it_says(demo_out: Path) -> None:
    evidence = Evidence(OutputFolder(demo_out))
    wrong, counted, computed = [], 0, 0
    for row in kinds_of_row(list(evidence.out.results)):
        found = members(row, evidence)
        if found.note is not None:
            continue
        expected = row.value if row.statistic in COUNTS else row.n
        if expected is None:
            continue
        counted, computed = counted + (row.statistic in COUNTS), computed + (row.statistic not in COUNTS)
        if found.people.height != expected:
            wrong.append((row.row, expected, found.people.height, found.words))
    assert wrong == []
    assert counted > 500
    assert computed > 500


def test_rows_that_no_patient_stands_behind_say_what_they_are_about(demo_out: Path) -> None:
    traced = trace(demo_out, "definitions/definition[study.id]")
    assert traced.patients == ()
    assert traced.note == "it states the parameter study.id"
    source = trace(demo_out, "data_quality/rows[source=raw/izmir.csv, in centre=izmir]")
    assert source.patients == ()
    assert source.note is not None
    assert "raw/izmir.csv" in source.note


# ── the cells ─────────────────────────────────────────────────────────────────


def shown(value: object) -> str | None:
    """Write a cell's value as a person reads it in the sheet."""
    if value is None or value == "" or value != value:
        return None
    if isinstance(value, datetime | date):
        return value.isoformat()[:10]
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:.15g}"
    return str(value)


def read_workbook(path: Path, sheet: str | None) -> dict[int, list[object]]:
    book = openpyxl.load_workbook(path, data_only=True)
    chosen = book[sheet] if sheet is not None else book.active
    return {k: list(values) for k, values in enumerate(chosen.iter_rows(values_only=True), 1)}


def read_csv(path: Path, encoding: str, delimiter: str) -> dict[int, list[object]]:
    with path.open(encoding=encoding, newline="") as file:
        return {k: list(values) for k, values in enumerate(csv.reader(file, delimiter=delimiter), 1)}


def read_sav(path: Path) -> dict[int, list[object]]:
    frame, _ = pyreadstat.read_sav(str(path), output_format="dict")
    names = list(frame)
    return {0: names, **{k: list(values) for k, values in enumerate(zip(*frame.values(), strict=True), 1)}}


FILES: dict[str, tuple[Callable[[str | None], dict[int, list[object]]], int]] = {
    "raw/ankara.xlsx": (lambda sheet: read_workbook(DEMO / "raw/ankara.xlsx", sheet), 4),
    "raw/izmir.csv": (lambda _: read_csv(DEMO / "raw/izmir.csv", "cp1254", ";"), 1),
    "raw/bursa.sav": (lambda _: read_sav(DEMO / "raw/bursa.sav"), 0),
    "raw/leeds.xlsx": (lambda sheet: read_workbook(DEMO / "raw/leeds.xlsx", sheet), 1),
    "raw/cork_patients.csv": (lambda _: read_csv(DEMO / "raw/cork_patients.csv", "utf-8-sig", ","), 1),
    "raw/cork_scans.csv": (lambda _: read_csv(DEMO / "raw/cork_scans.csv", "utf-8-sig", ","), 1),
    "raw/graz.xlsx": (lambda sheet: read_workbook(DEMO / "raw/graz.xlsx", sheet), 1),
}


class RawFiles:
    """The hospitals' files, read by nothing of ours."""

    def __init__(self) -> None:
        self.sheets: dict[tuple[str, str | None], dict[int, list[object]]] = {}

    def text(self, cell: Cell) -> str | None:
        read, header = FILES[cell.file]
        key = (cell.file, cell.sheet)
        if key not in self.sheets:
            self.sheets[key] = read(cell.sheet)
        rows = self.sheets[key]
        columns = [" ".join(str(name or "").split()) for name in rows[header]]
        values = rows[cell.row]
        place = columns.index(cell.column)
        return shown(values[place]) if place < len(values) else None


@pytest.fixture(scope="module")
def raw() -> RawFiles:
    return RawFiles()


ROWS = [
    "pfs_her2/median[in her2=low|first_line]",
    "pfs_her2/hazard_ratio[her2=low:zero]",
    "pfs_her2/p_value[her2]",
    "os_her2/events[in her2=zero]",
    "attrition/fails[her2_class]",
    "pfs_contrasts/median[setting=recurrent, in her2=zero]",
    "her2_ascertainment/kappa[her2|screened]",
]


@pytest.mark.parametrize("name", ROWS)
def test_the_cells_are_the_hospitals_own(demo_out: Path, raw: RawFiles, name: str) -> None:
    traced = trace(demo_out, name)
    cells = [cell for person in traced.patients for cell in person.cells]
    assert len({cell.file for cell in cells}) >= 3
    assert [(c, raw.text(c)) for c in cells if (raw.text(c) or None) != c.text] == []


def test_every_traced_patient_has_their_id_among_their_cells(demo_out: Path) -> None:
    for person in trace(demo_out, "pfs_her2/hazard_ratio[her2=low:zero]").patients:
        ids = {cell.text for cell in person.cells if ".patient" in cell.field}
        assert ids == {person.patient}


def test_a_median_shows_index_class_and_end_of_time(demo_out: Path) -> None:
    traced = trace(demo_out, "pfs_her2/median[in her2=low]")
    person = traced.patients[0]
    tables = {field.split(".")[0] for cell in person.cells for field in cell.field.split(", ")}
    assert {"drugs", "samples", "assessments"} <= tables
    assert person.facts["her2"] == "low"
    days = date.fromisoformat(person.facts["date"]) - date.fromisoformat(person.facts["index_date"])
    assert days.days == int(person.facts["days"])


def test_numbers_at_risk_and_marks_of_censoring(demo_out: Path) -> None:
    out = OutputFolder(demo_out)
    key = {"analysis": "pfs_her2", "population": None, "group": None}
    at_risk = out.results.select(**key, statistic="at_risk")[2]
    assert at_risk.time is not None
    at = trace(demo_out, at_risk.row)
    assert len(at.patients) == at_risk.value
    assert all(int(person.facts["days"]) >= at_risk.time for person in at.patients)
    mark = out.results.select(**key, statistic="censored", method="curve")[0]
    marked = trace(demo_out, mark.row)
    assert len(marked.patients) == mark.value
    assert {(person.facts["days"], person.facts["event"]) for person in marked.patients} == {(f"{mark.time:g}", "0")}


def test_queries_lead_to_the_cells_in_question(demo_out: Path) -> None:
    asked = pl.read_parquet(demo_out / "private" / "cleaning_log.parquet").filter(
        pl.col("centre") == "ankara", pl.col("row").is_not_null(), pl.col("value").is_not_null()
    )
    first = asked.row(0, named=True)
    traced = trace(demo_out, "data_quality/queries[in centre=ankara]")
    [person] = [p for p in traced.patients if p.patient == first["patient"]]
    assert (first["row"], first["value"]) in [(cell.row, cell.text) for cell in person.cells]


def test_supplied_values_lead_to_the_workbook_of_the_real_patients(shared_data: Path, tmp_path: Path) -> None:
    here = Path(__file__).parent.parent / "acceptance" / "cdk46_rome"
    before = sorted(here.iterdir())  # whoever ran the study in place has a lock there, which is not ours
    for name in ("study.yaml", "mapping.yaml"):
        shutil.copy(here / name, tmp_path / name)
    out = Study.load(tmp_path / "study.yaml", data=shared_data / "cdk46-rome").write(tmp_path / "out")
    assert (tmp_path / "study.lock").is_file()
    assert sorted(here.iterdir()) == before
    traced = trace(out, "pfs_her2/median[in her2=low]")
    assert len(traced.patients) == traced.row.n == 91
    sheet = read_workbook(shared_data / "cdk46-rome" / "validation_dataset.xlsx", None)
    for person in traced.patients:
        told = {cell.column: cell.text for cell in person.cells}
        number = int(person.patient.removeprefix("row-"))
        assert told == {name: shown(sheet[number][sheet[1].index(name)]) for name in ("HER2", "PFS", "PD")}


def decided(traced: Trace, centre: str, patient: str) -> dict[str, str]:
    [person] = [p for p in traced.patients if (p.centre, p.patient) == (centre, patient)]
    return {cell.column: cell.decided for cell in person.cells if cell.decided}


def test_the_cells_that_decided_are_marked(demo_out: Path) -> None:
    traced = trace(demo_out, "pfs_her2/median[in her2=low|first_line]")
    # One drug cell among several of the sheet's row gave the index date: which one its source and row do not tell.
    marks = decided(traced, "ankara", "ANK-069")
    assert marks["Progresyon tarihi"] == "yes"
    assert marks["CDK4/6 inhibitörü"] == "one of"
    for person in traced.patients:
        for cell in person.cells:
            told = set(cell.field.split(", "))
            assert not (cell.decided and cell.text is None)
            assert not (cell.decided and told <= {"drugs.patient", "samples.patient", "drugs.line", "samples.ki67"})
        record = [c for c in person.cells if c.decided and {"samples.ihc", "samples.ish"} & set(c.field.split(", "))]
        assert record, person.patient
    outcome = pl.read_parquet(demo_out / "private" / "outcomes.parquet").filter(endpoint="pfs", scheme="ema")
    ended = {(r["centre"], r["patient"]): r for r in outcome.to_dicts()}
    for person in traced.patients:
        at = {c.row for c in person.cells if c.decided and c.field.startswith(("assessments.date", "contacts.date"))}
        if ended[person.centre, person.patient]["reason"] in ("progression", "last_assessment", "death"):
            assert ended[person.centre, person.patient]["row"] in at


def test_a_query_marks_no_cell_as_deciding(demo_out: Path) -> None:
    traced = trace(demo_out, "data_quality/queries[in centre=ankara]")
    assert not any(cell.decided for person in traced.patients for cell in person.cells)


def test_a_row_that_does_not_exist_suggests_one(demo_out: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean 'pfs_her2/median\[in her2=low\]'"):
        trace(demo_out, "pfs_her2/median[in her2=lo]")


def test_a_folder_without_its_private_part_says_so(demo_out: Path, tmp_path: Path) -> None:
    for name in ("manifest.json", "results.json", "attrition.json"):
        (tmp_path / name).write_bytes((demo_out / name).read_bytes())
    with pytest.raises(UsageError, match="private"):
        trace(tmp_path, "pfs_her2/n")


def test_damaged_output_is_one_sentence(demo_out: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_bytes((demo_out / "manifest.json").read_bytes())
    for text in ("{", "[1]", '[{"analysis": "a"}]', '[{"analysis": "a", "statistic": "nonsense"}]'):
        (tmp_path / "results.json").write_text(text, encoding="utf-8")
        with pytest.raises(UsageError, match="run the study again"):
            trace(tmp_path, "a/b")


def test_the_output_of_a_refused_run_says_why(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(
        json.dumps({"status": "refused", "reason": "a.csv is empty; ask the centre to send it again."}),
        encoding="utf-8",
    )
    with pytest.raises(UsageError, match=r"was refused.*a\.csv is empty"):
        OutputFolder(tmp_path)


# ── one patient ───────────────────────────────────────────────────────────────


def test_a_patient_is_told_whole(demo_out: Path, raw: RawFiles) -> None:
    story = patient_story(demo_out, "ANK-011")
    assert story.centre == "ankara"
    assert story.derived["her2"] == "zero"
    assert {(o["endpoint"]) for o in story.outcomes} == {"pfs", "os", "orr", "dcr"}
    kept = [c for c in story.candidates if c["kept"] and (c["endpoint"], c["scheme"]) == ("pfs", "ema")]
    assert [c["reason"] for c in kept] == ["progression"]
    assert len(story.cells) > 20
    assert [c for c in story.cells if raw.text(c) != c.text] == []


def test_an_id_that_nobody_has(demo_out: Path) -> None:
    with pytest.raises(UsageError, match="nobody has that id"):
        patient_story(demo_out, "no such patient")
    with pytest.raises(UsageError, match="no centre 'ankar'"):
        patient_story(demo_out, "ANK-011", centre="ankar")


def test_an_id_of_two_centres_needs_the_centre(demo_out: Path, tmp_path: Path) -> None:
    private = tmp_path / "private"
    private.mkdir()
    for path in demo_out.glob("*.json"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    for path in (demo_out / "private").glob("*.*"):
        (private / path.name).write_bytes(path.read_bytes())
    everyone = pl.read_parquet(private / "patients.parquet")
    twin = everyone.filter(pl.col("patient") == "ANK-011").with_columns(pl.lit("graz").alias("centre"))
    pl.concat([everyone, twin]).write_parquet(private / "patients.parquet")
    with pytest.raises(UsageError, match=r"2 centres have a patient of that id; add --centre \(ankara, graz\)"):
        patient_story(tmp_path, "ANK-011")
    assert patient_story(tmp_path, "ANK-011", centre="ankara").centre == "ankara"
