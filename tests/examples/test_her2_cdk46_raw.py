"""The bundled study's raw files: the same bytes at each run, invented throughout, true to the answer key."""

from __future__ import annotations

import csv
import filecmp
import re
import subprocess
import sys
from collections import Counter
from datetime import date
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
EXAMPLE = ROOT / "src" / "riskset" / "examples" / "her2_cdk46"
DATA_CUTOFF = date(2023, 3, 31)


def rows_of(path: Path, **options: str) -> list[dict[str, str]]:
    with path.open(encoding=options.get("encoding", "utf-8"), newline="") as file:
        return list(csv.DictReader(file, delimiter=options.get("delimiter", ",")))


@pytest.fixture(scope="module")
def truth() -> list[dict[str, str]]:
    return rows_of(EXAMPLE / "truth.csv")


@pytest.fixture(scope="module")
def simulated() -> dict[str, dict[str, str]]:
    return {row["pid"]: row for row in rows_of(EXAMPLE / "simulated_patients.csv")}


def test_script_writes_the_committed_files_byte_for_byte(tmp_path):
    script = ROOT / "tools" / "make_her2_cdk46.py"
    subprocess.run([sys.executable, script, "--out", tmp_path], check=True)
    names = sorted(path.name for path in (EXAMPLE / "raw").iterdir())
    assert sorted(path.name for path in (tmp_path / "raw").iterdir()) == names
    same, different, unread = filecmp.cmpfiles(EXAMPLE / "raw", tmp_path / "raw", names, shallow=False)
    assert (different, unread) == ([], [])
    assert len(same) == len(names) == 8
    assert (tmp_path / "truth.csv").read_bytes() == (EXAMPLE / "truth.csv").read_bytes()


def test_simulated_cohort_is_the_one_that_was_simulated(shared_data):
    copied = (EXAMPLE / "simulated_patients.csv").read_bytes()
    assert copied == (shared_data / "ozcan-2025-simulated" / "patients.csv").read_bytes()


def test_the_212_are_the_simulated_cohort_and_the_others_are_not(truth, simulated):
    eligible = [row for row in truth if row["eligible"] == "1"]
    assert Counter(row["her2_group"] for row in eligible) == {"zero": 100, "low": 112}
    assert sorted(row["simulated_id"] for row in eligible) == sorted(simulated)
    for row in eligible:
        original = simulated[row["simulated_id"]]
        assert {name: row[name] for name in ("her2_group", "pfs_days", "pfs_event", "os_days", "os_event", "bor")} == {
            name: original[name] for name in ("her2_group", "pfs_days", "pfs_event", "os_days", "os_event", "bor")
        }
    further = [row for row in truth if row["eligible"] == "0"]
    assert len(further) == 82
    assert all(row["lost_at"] and row["lost_as"] in ("fails", "unknown") and not row["simulated_id"] for row in further)


def test_every_criterion_loses_somebody_and_most_both_ways(truth):
    lost = {(row["lost_at"], row["lost_as"]) for row in truth if row["eligible"] == "0"}
    both = {"hr_positive", "her2_class", "lines_1_to_4", "first_cdk46", "adult"}
    assert lost >= {(criterion, how) for criterion in both for how in ("fails", "unknown")}
    assert lost >= {("treated", "fails"), ("metastatic", "fails"), ("started_2018_2022", "fails")}


def test_ids_are_unique_and_of_the_centre_s_kind(truth):
    kinds = {
        "ankara": r"ANK-\d{3}",
        "izmir": r"35\d{4}",
        "bursa": r"1\d{3}",
        "leeds": r"LTH\d{5}",
        "cork": r"CK\d{3}",
        "graz": r"G-\d{3}",
    }
    assert all(re.fullmatch(kinds[row["centre"]], row["patient"]) for row in truth)
    assert len({(row["centre"], row["patient"]) for row in truth}) == len(truth)


def test_cork_dates_give_the_simulated_days(truth):
    """Cork's files are plain enough to be read here without the program."""
    patients = {row["id"]: row for row in rows_of(EXAMPLE / "raw" / "cork_patients.csv")}
    scans: dict[str, list[tuple[date, str]]] = {}
    for row in rows_of(EXAMPLE / "raw" / "cork_scans.csv"):
        scans.setdefault(row["id"], []).append((date.fromisoformat(row["scan_date"]), row["pd"]))
    eligible = [row for row in truth if row["centre"] == "cork" and row["eligible"] == "1"]
    assert len(eligible) == 20
    for row in eligible:
        patient = patients[row["patient"]]
        index, last = date.fromisoformat(patient["cdk_start"]), date.fromisoformat(patient["last_date"])
        progressed = [day for day, pd in scans.get(row["patient"], []) if pd == "1"]
        if progressed or patient["dead"] == "1":
            end, event = min([*progressed, *([last] if patient["dead"] == "1" else [])]), "1"
        else:
            end, event = max(day for day, _ in scans[row["patient"]]), "0"
        found = (str((end - index).days), event, str((last - index).days), patient["dead"])
        assert found == (row["pfs_days"], row["pfs_event"], row["os_days"], row["os_event"])
        assert {"0": "zero", "+": "low", "++": "low"}[patient["her2_ihc"]] == row["her2_group"]
        assert patient["her2_ihc"] != "++" or patient["her2_ish"] == "0"
        assert len(patient["sites"].split(";")) == int(row["n_organs"])


def test_izmir_is_windows_1254_with_each_patient_once_but_one(truth):
    raw = EXAMPLE / "raw" / "izmir.csv"
    with pytest.raises(UnicodeDecodeError):
        raw.read_text(encoding="utf-8")
    rows = rows_of(raw, encoding="cp1254", delimiter=";")
    twice = [patient for patient, number in Counter(row["HASTA_KODU"] for row in rows).items() if number > 1]
    by_id = {row["patient"]: row for row in truth if row["centre"] == "izmir"}
    assert len(twice) == 1
    left_out = by_id[twice[0]]
    assert (left_out["eligible"], left_out["lost_at"], left_out["lost_as"]) == ("0", "data_quality", "fails")
    assert {row["HASTA_KODU"] for row in rows} == set(by_id)
    for row in rows:
        expected = by_id[row["HASTA_KODU"]]
        if expected["eligible"] == "1":
            start = date(*(int(part) for part in reversed(row["CDK_BAŞLAMA"].split("."))))
            assert start.isoformat() == expected["index_date"]
            assert start <= DATA_CUTOFF
