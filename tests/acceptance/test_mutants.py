"""One cell of a good file is corrupted: the run asks about it, or nothing changes, or no rule could have seen it.

Each mutant changes one cell of one hospital's raw file, of a patient who belongs in the study, and the steps up to the
cohort are run again on that hospital. What analyses will read is compared value by value, which is stricter than
comparing their results. `UNSEEN` is the list of kinds that change results and that no rule can see.
"""

from __future__ import annotations

import csv
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from importlib import resources
from pathlib import Path
from random import Random
from typing import Any

import openpyxl
import polars as pl
import pytest

from riskset.errors import DataRefusedError
from riskset.study import Study
from riskset.tables import Tables

pytestmark = pytest.mark.slow

EXAMPLE = Path(str(resources.files("riskset") / "examples" / "her2_cdk46"))
KEY = ["centre", "patient"]

# Kind of mutant that changes results without a question although a rule could see it -> the rule that is wanted.
WANTED: dict[str, str] = {}

# Kind of mutant -> why no rule can tell it from the truth. Each must change results without a question, else it goes.
UNSEEN: dict[str, str] = {
    "plausible age": "a date of birth some years off is a date of birth like any other",
    "plausible swapped date": "day and month exchanged give a date that fits between those before and after it",
    "plausible HER2 score": "0 and 1+ are both scores that pathologists report",
    "plausible best response": "the centre's own judgement is the only source",
    "plausible organ": "no supplied summary contradicts the organ where the hospital sends none",
}


@dataclass(frozen=True, slots=True)
class Sheet:
    """Where a hospital's cells stand: a CSV, or a sheet of a workbook, and the column that names the patient."""

    centre: str
    file: str
    patient: str
    sheet: str | None = None
    encoding: str = "utf-8"
    delimiter: str = ","


IZMIR = Sheet("izmir", "raw/izmir.csv", "HASTA_KODU", encoding="cp1254", delimiter=";")
CORK = Sheet("cork", "raw/cork_patients.csv", "id")
CORK_SCANS = Sheet("cork", "raw/cork_scans.csv", "id")
LEEDS_SPECIMENS = Sheet("leeds", "raw/leeds.xlsx", "Study ID", sheet="Specimens")
LEEDS_DRUGS = Sheet("leeds", "raw/leeds.xlsx", "Study ID", sheet="Drugs")
LEEDS_SCANS = Sheet("leeds", "raw/leeds.xlsx", "Study ID", sheet="Assessments")
LEEDS_SITES = Sheet("leeds", "raw/leeds.xlsx", "Study ID", sheet="Sites")
LEEDS_CONTACTS = Sheet("leeds", "raw/leeds.xlsx", "Study ID", sheet="Contacts")
GRAZ = Sheet("graz", "raw/graz.xlsx", "Pat.-Nr.", sheet="Patientinnen")

Row = dict[str, Any]
# Gives the new cell from its row, or None where the row is not fit for this mutant.
Corrupt = Callable[[Row], Any]


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way to corrupt one column; `kind` names it in UNSEEN and in the test's id."""

    kind: str
    sheet: Sheet
    column: str
    corrupt: Corrupt


def when(condition: Callable[[Row], bool], new: Any) -> Corrupt:
    """Corrupt only rows that fulfil the condition."""
    return lambda row: (new(row) if callable(new) else new) if condition(row) else None


def filled(column: str) -> Callable[[Row], bool]:
    """Say whether a row has a value in the column."""
    return lambda row: row[column] not in (None, "", "-", "bilinmiyor", "k.A.")


def reread(column: str, change: Callable[[str], str]) -> Corrupt:
    """Write a filled text otherwise."""
    return when(filled(column), lambda row: change(str(row[column])))


def day(value: Any) -> date | None:
    """Read a cell as a date, as both hospitals write it."""
    if isinstance(value, datetime):
        return value.date()
    if found := re.fullmatch(r"(\d\d)\.(\d\d)\.(\d{4})", str(value)):
        return date(int(found[3]), int(found[2]), int(found[1]))
    return date.fromisoformat(value) if value and str(value)[:4].isdigit() else None


def shifted(column: str, days: int, *, base: str | None = None, where: Callable[[Row], bool] | None = None) -> Corrupt:
    """Move a filled date, or put it so many days from another date of the row, in the manner of its own column."""

    def corrupt(row: Row) -> Any:
        old, start = day(row[column]), day(row[base or column])
        if old is None or start is None or (where is not None and not where(row)):
            return None
        return like(row[column], start + timedelta(days=days))

    return corrupt


def like(old: Any, new: date) -> Any:
    """Write a date as the old cell is written."""
    if isinstance(old, datetime):
        return datetime(new.year, new.month, new.day)
    return new.strftime("%d.%m.%Y") if "." in str(old) else new.isoformat()


def day_and_month_exchanged(column: str, after: str, before: str) -> Corrupt:
    """Exchange day and month where the date stays strictly between two others of its row."""

    def corrupt(row: Row) -> Any:
        old, low, high = day(row[column]), day(row[after]), day(row[before])
        if old is None or low is None or high is None or old.day > 12 or old.day == old.month:
            return None
        new = date(old.year, old.day, old.month)
        return like(row[column], new) if low + timedelta(days=30) < new < high - timedelta(days=30) else None

    return corrupt


def is_(column: str, *values: Any) -> Callable[[Row], bool]:
    """Say whether a row's column has one of the values."""
    return lambda row: row[column] in values


def no_second_specimen(row: Row) -> bool:
    """Say whether a patient of Izmir has the primary specimen alone."""
    return not row["METASTAZ_PATOLOJI_TARIHI"]


def treated_long_and_not_stopped_for_progression(row: Row) -> bool:
    """Say whether a patient of Izmir had scans before the drug was stopped: FDA-like censoring rests on the stop."""
    start, stop = day(row["CDK_BAŞLAMA"]), day(row["CDK_BİTİŞ"])
    early = start is None or stop is None or stop < start + timedelta(days=150)
    return not early and row["BİTİŞ_NEDENİ"] in ("Yan etki", "Hasta tercihi")


MUTANTS: tuple[Mutant, ...] = (
    Mutant("impossible date", IZMIR, "PROGRESYON_TARİHİ", reread("PROGRESYON_TARİHİ", lambda _: "31.02.2021")),
    Mutant("impossible date", CORK_SCANS, "scan_date", when(is_("pd", "1"), "2021-02-31")),
    Mutant("impossible date", LEEDS_SCANS, "Scan date", when(is_("Outcome", "Progressive disease"), "31/02/2021")),
    Mutant("date after the cut-off", IZMIR, "SON_KONTROL", shifted("SON_KONTROL", 3650)),
    Mutant("date after the cut-off", CORK, "last_date", shifted("last_date", 3650)),
    Mutant("date after the cut-off", LEEDS_CONTACTS, "Contact date", shifted("Contact date", 3650)),
    Mutant("date after the cut-off", CORK_SCANS, "scan_date", when(is_("pd", "1"), "2032-05-05")),
    Mutant("death before the index date", IZMIR, "EXİTUS_TARİHİ", shifted("EXİTUS_TARİHİ", -50, base="CDK_BAŞLAMA")),
    Mutant(
        "death before the index date",
        CORK,
        "last_date",
        shifted("last_date", -50, base="cdk_start", where=is_("dead", "1")),
    ),
    Mutant(
        "progression before the index date",
        IZMIR,
        "PROGRESYON_TARİHİ",
        shifted("PROGRESYON_TARİHİ", -50, base="CDK_BAŞLAMA"),
    ),
    Mutant("progression before the index date", CORK_SCANS, "scan_date", when(is_("pd", "1"), "2017-03-03")),
    Mutant(
        "progression after death", IZMIR, "PROGRESYON_TARİHİ", shifted("PROGRESYON_TARİHİ", 30, base="EXİTUS_TARİHİ")
    ),
    Mutant("unmapped code", IZMIR, "BİTİŞ_NEDENİ", when(is_("BİTİŞ_NEDENİ", "Yan etki"), "Yan etkiler")),
    Mutant("unmapped code", IZMIR, "KARACİĞER", reread("KARACİĞER", lambda _: "Belki")),
    Mutant("unmapped code", CORK, "best_resp", when(is_("best_resp", "1", "2"), "7")),
    Mutant("unmapped code", LEEDS_SCANS, "Outcome", when(is_("Outcome", "Partial response"), "Partial")),
    Mutant("ER of 900", IZMIR, "PRİMER_ER", when(no_second_specimen, "900")),
    Mutant("ER of 900", CORK, "er_pct", when(filled("er_pct"), "900")),
    Mutant("Allred of 900", LEEDS_SPECIMENS, "ER Allred", when(filled("ER Allred"), 900)),
    Mutant("HER2 of 4", IZMIR, "PRİMER_HER2_IHK", when(no_second_specimen, "4")),
    Mutant("HER2 of 4", CORK, "her2_ihc", when(filled("her2_ihc"), "4")),
    Mutant("HER2 like a date", IZMIR, "PRİMER_HER2_IHK", when(no_second_specimen, "01.Şub")),
    Mutant("HER2 like a date", LEEDS_SPECIMENS, "HER2 IHC", when(filled("HER2 IHC"), datetime(2023, 2, 1))),
    Mutant("HER2 a lone plus", IZMIR, "PRİMER_HER2_IHK", when(no_second_specimen, "+")),
    Mutant("drug misspelt", IZMIR, "CDK_İLAÇ", reread("CDK_İLAÇ", lambda _: "palbosilkip")),
    Mutant("drug misspelt", LEEDS_DRUGS, "Drug", when(is_("Drug", "Kisqali", "Ibrance"), "Kisqalli")),
    Mutant("drug unknown", IZMIR, "CDK_İLAÇ", reread("CDK_İLAÇ", lambda _: "Zyxomab")),
    Mutant("drug unknown", CORK, "next_drug", when(filled("next_drug"), "Zyxomab")),
    Mutant("drug code unknown", CORK, "cdk", when(filled("cdk"), "9")),
    Mutant("patient id of another", IZMIR, "HASTA_KODU", when(lambda row: row["HASTA_KODU"] != "350210", "350210")),
    Mutant("patient id of another", CORK, "id", when(lambda row: row["id"] != "CK007", "CK007")),
    Mutant("patient id unknown", CORK_SCANS, "id", when(is_("pd", "1"), "CK999")),
    Mutant("patient id missing", IZMIR, "HASTA_KODU", when(filled("HASTA_KODU"), "")),
    Mutant("patient id missing", CORK_SCANS, "id", when(is_("pd", "1"), "")),
    Mutant("sex exchanged", IZMIR, "CİNSİYET", when(is_("CİNSİYET", "Kadın"), "Erkek")),
    Mutant("sex of no code", IZMIR, "CİNSİYET", when(is_("CİNSİYET", "Kadın"), "E")),
    Mutant("line as a text", IZMIR, "BASAMAK", reread("BASAMAK", lambda _: "ikinci")),
    Mutant("line as a text", CORK, "line", when(filled("line"), "second")),
    Mutant("line of 12", CORK, "line", when(filled("line"), "12")),
    Mutant("Ki-67 of 500", CORK, "ki67", when(filled("ki67"), "500")),
    Mutant("ECOG of 7", IZMIR, "ECOG_PS", when(filled("ECOG_PS"), "7")),
    Mutant("age of 150", CORK, "dob", shifted("dob", -36525)),
    Mutant("Excel serial for a date", IZMIR, "PROGRESYON_TARİHİ", reread("PROGRESYON_TARİHİ", lambda _: "44961")),
    Mutant("date without a day", IZMIR, "PROGRESYON_TARİHİ", reread("PROGRESYON_TARİHİ", lambda old: old[3:])),
    Mutant("index date before metastasis", IZMIR, "CDK_BAŞLAMA", shifted("CDK_BAŞLAMA", -40, base="METASTAZ_TARİHİ")),
    Mutant(
        "number of organs off by one", IZMIR, "METASTAZ_SAYISI", reread("METASTAZ_SAYISI", lambda n: str(int(n) + 1))
    ),
    Mutant(
        "next therapy before the index date",
        IZMIR,
        "SONRAKİ_BAŞLAMA",
        shifted("SONRAKİ_BAŞLAMA", -50, base="CDK_BAŞLAMA", where=is_("PROGRESYON_TARİHİ", "", "-")),
    ),
    Mutant("progression emptied", IZMIR, "PROGRESYON_TARİHİ", when(is_("BİTİŞ_NEDENİ", "Progresyon"), "")),
    Mutant("progression emptied", LEEDS_SCANS, "Outcome", when(is_("Outcome", "Progressive disease"), "")),
    Mutant(
        "stop for progression before its start",
        IZMIR,
        "CDK_BİTİŞ",
        shifted("CDK_BİTİŞ", -60, base="CDK_BAŞLAMA", where=is_("BİTİŞ_NEDENİ", "Progresyon")),
    ),
    Mutant(
        "stop of a drug before its start",
        IZMIR,
        "CDK_BİTİŞ",
        shifted("CDK_BİTİŞ", -60, base="CDK_BAŞLAMA", where=treated_long_and_not_stopped_for_progression),
    ),
    Mutant(
        "stop for progression before its start",
        LEEDS_DRUGS,
        "Stop",
        shifted("Stop", -60, base="Start", where=is_("Reason stopped", "Progression")),
    ),
    Mutant("organ unknown", CORK, "sites", when(filled("sites"), lambda row: f"{row['sites']}; spleen")),
    Mutant("organ unknown", LEEDS_SITES, "Site", when(is_("Site", "Liver"), "Hepatic")),
    Mutant("supplied months off by one", GRAZ, "PFS (Monate)", reread("PFS (Monate)", lambda old: moved_month(old))),
    Mutant("number with a strange point", IZMIR, "PRİMER_KI67", when(no_second_specimen, "19.5")),
    Mutant("decimal comma for point", CORK, "ki67", reread("ki67", lambda old: f"{old},0")),
    Mutant("spaces", IZMIR, "CDK_İLAÇ", reread("CDK_İLAÇ", lambda old: f"  {old} ")),
    Mutant("spaces", IZMIR, "HASTA_KODU", reread("HASTA_KODU", lambda old: f" {old} ")),
    Mutant("spaces", CORK, "sites", reread("sites", lambda old: f" {old.replace(';', ' ; ')} ")),
    Mutant("spaces", LEEDS_SPECIMENS, "HER2 IHC", reread("HER2 IHC", lambda old: f" {old}  ")),
    Mutant("spaces", IZMIR, "PROGRESYON_TARİHİ", reread("PROGRESYON_TARİHİ", lambda old: f" {old} ")),
    Mutant(
        "capitals", IZMIR, "CDK_İLAÇ", when(lambda row: row["CDK_İLAÇ"].islower(), lambda row: upper(row["CDK_İLAÇ"]))
    ),
    Mutant("capitals", IZMIR, "BİTİŞ_NEDENİ", reread("BİTİŞ_NEDENİ", lambda old: upper(old))),
    Mutant("capitals", LEEDS_SITES, "Site", reread("Site", str.upper)),
    Mutant("plausible age", IZMIR, "DOĞUM_TARİHİ", shifted("DOĞUM_TARİHİ", -1500)),
    Mutant(
        "plausible swapped date",
        IZMIR,
        "PROGRESYON_TARİHİ",
        day_and_month_exchanged("PROGRESYON_TARİHİ", "CDK_BAŞLAMA", "SON_KONTROL"),
    ),
    Mutant(
        "plausible HER2 score",
        CORK,
        "her2_ihc",
        when(lambda row: row["her2_ihc"] == "0" and row["her2_ish"] == "9", "+"),
    ),
    Mutant("plausible best response", CORK, "best_resp", when(is_("best_resp", "2"), "3")),
    Mutant("plausible organ", CORK, "sites", when(is_("sites", "bone"), "liver")),
)


def upper(text: str) -> str:
    """Write a Turkish text in capitals."""
    return text.replace("i", "İ").upper()


def moved_month(old: str) -> str:
    """Give a number of months, one more, as Graz writes it."""
    return f"{float(old.replace(',', '.')) + 1:.2f}".replace(".", ",")


def name_of(mutant: Mutant) -> str:
    """Give the test's id."""
    return f"{mutant.kind}, {mutant.sheet.centre} {mutant.column}"


# What the centre's files are like does not matter to a result: these mutants may change nothing.
HARMLESS = ("spaces", "capitals", "decimal comma for point", "sex exchanged")


@dataclass(frozen=True, slots=True)
class Centre:
    """A centre as it is: the study on a copy of its files, its tables, and who belongs in the study."""

    study: Study
    folder: Path
    tables: Tables
    included: frozenset[str]


@pytest.fixture(scope="module")
def centres(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Centre]:
    """Give a centre as it is, read and run once."""
    known: dict[str, Centre] = {}

    def give(name: str) -> Centre:
        if name not in known:
            known[name] = as_it_is(tmp_path_factory.mktemp(name), name)
        return known[name]

    return give


def as_it_is(folder: Path, centre: str) -> Centre:
    """Copy and run the study with this centre alone: what other hospitals send has no bearing on these patients.

    Cork, the quickest to read, stands beside Leeds, which has no column for one of the covariates.
    """
    wanted = (centre, CORK.centre) if centre == LEEDS_DRUGS.centre else (centre,)
    shutil.copytree(EXAMPLE / "mappings", folder / "mappings")
    (folder / "raw").mkdir()
    for file in (EXAMPLE / "raw").iterdir():
        if file.name.startswith(wanted):
            shutil.copy(file, folder / "raw")
    lines = (EXAMPLE / "study.yaml").read_text(encoding="utf-8").splitlines(keepends=True)
    others = [x for x in lines if ": {label: Centre" in x and not x.startswith(tuple(f"  {name}:" for name in wanted))]
    alone = "".join(line for line in lines if line not in [*others, "claims: claims.yaml\n"])
    (folder / "study.yaml").write_text(alone, encoding="utf-8", newline="\n")
    study = Study.load(folder / "study.yaml")
    tables = study.run(until="quality_cohort").tables
    own = pl.col("included") & (pl.col("centre") == centre)
    return Centre(study, folder, tables, frozenset(tables["patients"].filter(own)["patient"]))


@contextmanager
def corrupted(mutant: Mutant, centre: Centre) -> Iterator[set[str]]:
    """Corrupt the cell of a patient chosen by a seed, the mutant's own name; mend it afterwards.

    Gives whom a question about the cell may name: the patient, and the one whom the new cell names instead.
    """
    path = centre.folder / mutant.sheet.file
    good = path.read_bytes()
    dice = Random(name_of(mutant))
    try:
        yield (_workbook if mutant.sheet.sheet else _csv)(mutant, path, centre.included, dice)
    finally:
        path.write_bytes(good)


def _chosen(mutant: Mutant, rows: list[Row], included: frozenset[str], dice: Random) -> tuple[int, Any]:
    fit = [
        (number, new)
        for number, row in enumerate(rows)
        if str(row[mutant.sheet.patient]) in included and (new := mutant.corrupt(row)) is not None
    ]
    assert fit, "no patient of the cohort has a cell that is fit for this mutant"
    return dice.choice(fit)


def _csv(mutant: Mutant, path: Path, included: frozenset[str], dice: Random) -> set[str]:
    with path.open(encoding=mutant.sheet.encoding, newline="") as file:
        rows = list(csv.DictReader(file, delimiter=mutant.sheet.delimiter))
    number, new = _chosen(mutant, rows, included, dice)
    patient = str(rows[number][mutant.sheet.patient])
    assert new != rows[number][mutant.column]
    rows[number][mutant.column] = new
    with path.open("w", encoding=mutant.sheet.encoding, newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), delimiter=mutant.sheet.delimiter, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    return {patient, rows[number][mutant.sheet.patient]}


def _workbook(mutant: Mutant, path: Path, included: frozenset[str], dice: Random) -> set[str]:
    book = openpyxl.load_workbook(path)
    assert mutant.sheet.sheet is not None
    sheet = book[mutant.sheet.sheet]
    header, *cells = sheet.iter_rows(values_only=True)
    rows = [dict(zip(header, row, strict=True)) for row in cells]
    number, new = _chosen(mutant, rows, included, dice)
    cell = sheet.cell(number + 2, header.index(mutant.column) + 1)
    assert new != cell.value
    cell.value = new
    book.save(path)
    return {str(rows[number][mutant.sheet.patient])}


def read_by_analyses(tables: Tables) -> dict[str, pl.DataFrame]:
    """Give what analyses read: who is in, classes, covariates, outcomes, responses; not the facts they come from."""
    facts = ["birth", "sex", "diagnosis", "metastatic", "source", "row"]
    places = [c for c in tables["patients"].columns if c.endswith(("_source", "_row"))]
    return {
        "patients": tables["patients"].drop([*facts, *places]).sort(KEY),
        "outcomes": tables["outcomes"].drop("source", "row").sort(*KEY, "endpoint", "scheme"),
        "responses": tables["responses"].drop("source", "row").sort(*KEY, "endpoint"),
        "attrition": tables["attrition"],
    }


def changed(before: Tables, after: Tables) -> list[str]:
    """Name the tables in which anything that analyses read is no longer the same."""
    old, new = read_by_analyses(before), read_by_analyses(after)
    return [name for name in old if not old[name].equals(new[name])]


def asked(before: Tables, after: Tables, patients: set[str]) -> list[str]:
    """Give the checks of questions that the clean run did not ask: about the patients, or a row that names nobody."""
    what = ["patient", "check", "table", "field", "row", "message"]
    old, new = (tables["queries"].select(what) for tables in (before, after))
    new = new.join(old, on=what, how="anti", nulls_equal=True)
    mine = new.filter(pl.col("patient").is_in(sorted(patients)) | pl.col("patient").is_null())
    found: list[str] = mine["check"].unique().sort().to_list()
    return found


def answers(mutant: Mutant, centre: Centre) -> tuple[list[str], list[str]]:
    """Run on the mutated file; give the new questions (a refusal is one), and the tables that changed."""
    with corrupted(mutant, centre) as patients:
        try:
            tables = centre.study.run(until="quality_cohort").tables
        except DataRefusedError:
            return ["refused"], []
    return asked(centre.tables, tables, patients), changed(centre.tables, tables)


def _case(mutant: Mutant) -> Any:
    why = WANTED.get(mutant.kind)
    marks = [pytest.mark.xfail(strict=True, reason=why)] if why else []
    return pytest.param(mutant, id=name_of(mutant), marks=marks)


@pytest.mark.parametrize("mutant", [_case(m) for m in MUTANTS if m.kind not in UNSEEN])
def test_a_mutant_is_asked_about_or_changes_nothing(mutant: Mutant, centres: Callable[[str], Centre]) -> None:
    questions, tables = answers(mutant, centres(mutant.sheet.centre))
    assert questions or not tables, f"{mutant.kind}: {', '.join(tables)} changed and nobody was asked"
    if mutant.kind in HARMLESS:
        assert not tables, f"{mutant.kind}: {', '.join(tables)} changed"


@pytest.mark.parametrize("mutant", [pytest.param(m, id=name_of(m)) for m in MUTANTS if m.kind in UNSEEN])
def test_what_no_rule_can_see_is_listed_rightly(mutant: Mutant, centres: Callable[[str], Centre]) -> None:
    questions, tables = answers(mutant, centres(mutant.sheet.centre))
    assert (questions, bool(tables)) == ([], True), f"{mutant.kind} is seen: take it off the list UNSEEN"
    print(f"unseen: {mutant.kind}: {UNSEEN[mutant.kind]}")


def test_the_lists_name_kinds_that_are_tried() -> None:
    assert {*UNSEEN, *WANTED, *HARMLESS} <= {m.kind for m in MUTANTS}
    assert not set(UNSEEN) & set(WANTED)
