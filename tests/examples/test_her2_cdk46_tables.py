"""What the six mappings make of the raw files, held against the answer key by a plain reading of the tables."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path
from types import SimpleNamespace

import polars as pl
import pytest

from riskset.ingest import read_study
from riskset.protocol import load_mapping

EXAMPLE = Path(__file__).resolve().parent.parent.parent / "src" / "riskset" / "examples" / "her2_cdk46"
CENTRES = ("ankara", "izmir", "bursa", "leeds", "cork", "graz")
INDEX_NAMES = ("palbo", "ibrance", "ribo", "kisqali")
DATA_CUTOFF = date(2023, 3, 31)
VISCERAL = {"liver", "lung", "pleura", "cns"}

Rows = dict[tuple[str, str], list[dict]]


@pytest.fixture(scope="module")
def tables():
    mappings = {
        centre: load_mapping((EXAMPLE / "mappings" / f"{centre}.yaml").read_text(encoding="utf-8"))
        for centre in CENTRES
    }
    # Only the centres and the checks' policies of a study are read at this step.
    study = SimpleNamespace(centres=dict.fromkeys(CENTRES), quality={})
    return read_study(study, mappings, EXAMPLE)


@pytest.fixture(scope="module")
def eligible() -> dict[tuple[str, str], dict[str, str]]:
    with (EXAMPLE / "truth.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    return {(row["centre"], row["patient"]): row for row in rows if row["eligible"] == "1"}


def by_patient(frame: pl.DataFrame) -> Rows:
    rows: Rows = {}
    for row in frame.iter_rows(named=True):
        rows.setdefault((row["centre"], row["patient"]), []).append(row)
    return rows


@pytest.fixture(scope="module")
def index(tables) -> dict[tuple[str, str], dict]:
    """First dated palbociclib or ribociclib that was not adjuvant."""
    found: dict[tuple[str, str], dict] = {}
    for row in tables["drugs"].iter_rows(named=True):
        key = (row["centre"], row["patient"])
        named = row["name"].replace("İ", "i").lower().startswith(INDEX_NAMES)
        if not named or row["start"] is None or row["intent"] == "adjuvant":
            continue
        if key not in found or row["start"] < found[key]["start"]:
            found[key] = row
    return found


def test_all_294_are_read_and_each_needed_column_is_mapped(tables):
    assert tables["patients"].height == 294
    assert tables["sources"]["unmapped"].drop_nulls().to_list() == []


def test_index_date_line_age_and_setting(tables, eligible, index):
    patients = by_patient(tables["patients"])
    for key, expected in eligible.items():
        patient, drug = patients[key][0], index[key]
        start, birth = drug["start"], patient["birth"]
        age = start.year - birth.year - ((start.month, start.day) < (birth.month, birth.day))
        free_of_disease = (patient["metastatic"] - patient["diagnosis"]).days
        found = (start.isoformat(), drug["line"], age, "de_novo" if free_of_disease <= 90 else "recurrent")
        assert found == (
            expected["index_date"], int(expected["line"]), int(expected["age"]), expected["setting"]
        )  # fmt: skip
        assert birth < patient["diagnosis"] <= patient["metastatic"] <= start


def test_progression_death_and_censoring_days(tables, eligible, index):
    assessments, contacts = by_patient(tables["assessments"]), by_patient(tables["contacts"])
    for key, expected in eligible.items():
        start = index[key]["start"]
        deaths = [row["date"] for row in contacts[key] if row["status"] == "dead"]
        last = max(row["date"] for row in contacts[key])
        events = [row["date"] for row in assessments.get(key, []) if row["response"] == "PD"] + deaths
        scans = [row["date"] for row in assessments.get(key, []) if row["response"] != "PD"]
        end = min(events) if events else max(scans)
        found = ((end - start).days, int(bool(events)), (last - start).days, len(deaths))
        assert found == tuple(int(expected[name]) for name in ("pfs_days", "pfs_event", "os_days", "os_event"))
        assert all(day <= end for day in scans)
        assert last <= DATA_CUTOFF


def test_organs(tables, eligible):
    organs = by_patient(tables["organs"])
    for key, expected in eligible.items():
        present = {row["organ"] for row in organs[key] if row["present"]}
        assert all(row["present"] is not None for row in organs[key])
        found = (len(present), bool(present & VISCERAL), present == {"bone"})
        assert found == (int(expected["n_organs"]), expected["visceral"] == "1", expected["bone_only"] == "1")


def test_best_response_is_stated_or_the_best_of_the_assessments(tables, eligible):
    stated = {
        (row["centre"], row["patient"]): row["value"]
        for row in tables["supplied"].filter(pl.col("name") == "best_response").iter_rows(named=True)
    }
    assessments = by_patient(tables["assessments"])
    assert {key[0] for key in eligible if key not in stated} == {"leeds"}
    for key, expected in eligible.items():
        seen = {row["response"] for row in assessments.get(key, [])}
        best = stated.get(key) or next(word for word in ("CR", "PR", "SD", "PD") if word in seen)
        assert best == expected["bor"]


def test_her2_was_known_before_the_index_drug(tables, eligible, index):
    samples = by_patient(tables["samples"])
    zero = {"0", "skor 0", "negatif (0)", "(0)", "score 0", "negativ (0)"}
    for key, expected in eligible.items():
        before = [row for row in samples[key] if row["date"] <= index[key]["start"]]
        last = max(before, key=lambda row: row["date"])
        assert (last["ihc"].lower() in zero) == (expected["her2_group"] == "zero")
        assert last["er"] is not None


def test_slips_of_the_pen_are_asked_about(tables):
    queries = tables["queries"]
    found = {(row["centre"], row["check"], row["field"]) for row in queries.iter_rows(named=True)}
    assert {("ankara", "V03", "surgery"), ("izmir", "unmapped_code", "histology")} <= found
    assert queries.filter(pl.col("centre") == "izmir", pl.col("check") == "V01").height == 1
    notes = tables["patients"]["note"].drop_nulls().to_list()
    assert any(note.startswith("=") for note in notes)
