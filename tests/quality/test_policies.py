"""What a check's policy does: report, set one cell missing, exclude a patient, stop the run."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from quality.builders import STUDY, add, asked, good, put, study, through
from riskset import quality
from riskset.errors import StudyFileError, UsageError
from riskset.tables import CANONICAL, PROVENANCE, fit

LATE = date(2023, 2, 1)


def _late() -> dict[str, pl.DataFrame]:
    return put(good(), "contacts", "date", LATE, "bea")


def _changed(before: dict[str, pl.DataFrame], after: dict[str, pl.DataFrame]) -> set[tuple[str, str, int]]:
    """Give table, column and place of every cell that differs."""
    cells = set()
    for name in CANONICAL:
        assert before[name].shape == after[name].shape
        for column in before[name].columns:
            differs = before[name][column].ne_missing(after[name][column])
            cells |= {(name, column, place) for place, other in enumerate(differs) if other}
    return cells


def test_report_asks_and_changes_nothing() -> None:
    given = _late()
    found = dict(quality.run_checks("tables", study(), given))
    assert asked(found, "check", "action") == [("V04", "reported")]
    assert _changed(given, found) == set()


def test_set_missing_makes_just_that_cell_null() -> None:
    given = _late()
    found = dict(quality.run_checks("tables", study("V04: set_missing"), given))
    assert asked(found, "check", "action", "value") == [("V04", "set_missing", "2023-02-01")]
    assert _changed(given, found) == {("contacts", "date", 2)}
    assert found["contacts"]["date"][2] is None


def test_set_missing_spares_other_rows_that_came_from_the_same_sheet_row() -> None:
    """`drug1, start1, drug2, start2` in one row of a sheet are two rows of `drugs` with one place."""
    given = good()
    same = {"patient": "bea", "source": 0, "row": 50}
    given = add(given, "drugs", **same, name="letrozole", start=date(2020, 2, 1))
    given = add(given, "drugs", **same, name="fulvestrant", start=LATE)
    found = dict(quality.run_checks("tables", study("V04: set_missing"), given))
    drugs = found["drugs"].filter(pl.col("row") == 50)
    assert drugs.select("name", "start").rows() == [("letrozole", date(2020, 2, 1)), ("fulvestrant", None)]


def test_set_missing_reaches_the_same_row_of_no_other_centre() -> None:
    given = add(_late(), "contacts", centre="b", patient="bea", date=date(2020, 1, 1), status="alive", row=3)
    found = dict(quality.run_checks("tables", study("V04: set_missing"), given))
    assert found["contacts"].filter(pl.col("centre") == "b")["date"].to_list() == [date(2020, 1, 1)]


def test_a_value_set_missing_is_gone_for_later_checks_of_the_stage() -> None:
    given = put(good(), "assessments", "date", LATE, "bea", response="SD")
    assert [row[0] for row in asked(dict(quality.run_checks("tables", study(), given)))] == ["V04", "V06"]
    found = dict(quality.run_checks("tables", study("V04: set_missing"), given))
    assert [row[0] for row in asked(found)] == ["V04"]


def test_exclude_leaves_the_patient_out_as_data_quality() -> None:
    found = through(study("V04: exclude"), _late())
    patients = found["patients"].select("patient", "included", "lost_at", "lost_as").rows()
    assert patients == [("ada", True, None, None), ("bea", False, "data_quality", "fails")]


def test_exclude_of_a_derived_check_works_too() -> None:
    found = through(study("V05: exclude"), put(good(), "patients", "diagnosis", date(1950, 1, 1), "ada"))
    assert found["patients"]["lost_at"].to_list() == ["data_quality", None]


def test_stop_marks_the_query_for_the_run_to_end() -> None:
    found = dict(quality.run_checks("tables", study("V04: stop"), _late()))
    assert asked(found, "check", "action") == [("V04", "stopped")]


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("V05: set_missing", "runs after values were used; choose report, exclude or stop"),
        ("V15: set_missing", "runs after values were used"),
        ("V15: exclude", "looks at the finished cohort; choose report or stop"),
    ],
)
def test_a_policy_that_comes_too_late_is_refused(policy: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        through(study(policy), good())


def test_a_policy_for_a_check_that_is_none_is_refused() -> None:
    with pytest.raises(StudyFileError, match="V99"):
        study("V99: stop")


# ------------------------------------------------------------------------- queries that an earlier step has raised


def _with_query(check: str, action: str, patient: str | None = "bea") -> dict[str, pl.DataFrame]:
    query = pl.DataFrame(
        {
            "centre": ["a"],
            "patient": [patient],
            "check": [check],
            "severity": ["error"],
            "action": [action],
            "message": ["m"],
        },
        schema_overrides={"patient": pl.String},
    )
    return {**good(), "queries": fit(query, PROVENANCE["queries"])}


@pytest.mark.parametrize(
    ("check", "raised", "policy", "action"),
    [
        ("V01", "excluded", "", "excluded"),
        ("V01", "excluded", "V01: report", "reported"),
        ("V01", "reported", "V01: exclude", "excluded"),
        ("V01", "excluded", "V01: stop", "stopped"),
        ("V03", "set_missing", "", "set_missing"),
        ("V03", "set_missing", "V03: report", "set_missing"),  # the cell is null: nothing brings it back
        ("V03", "set_missing", "V03: set_missing", "set_missing"),
        ("V03", "set_missing", "V03: exclude", "excluded"),
        ("V03", "set_missing", "V03: stop", "stopped"),
    ],
)
def test_a_policy_holds_for_queries_of_the_reader(check: str, raised: str, policy: str, action: str) -> None:
    found = dict(quality.run_checks("tables", study(policy), _with_query(check, raised)))
    assert asked(found, "check", "action") == [(check, action)]


@pytest.mark.parametrize(
    ("check", "raised", "policy", "action"),
    [
        ("V03", "set_missing", "V03: exclude", "set_missing"),
        ("V01", "excluded", "", "reported"),  # the row without an id is not read
        ("V01", "excluded", "V01: exclude", "reported"),
        ("V01", "excluded", "V01: stop", "stopped"),
    ],
)
def test_a_question_about_a_sheet_excludes_nobody(check: str, raised: str, policy: str, action: str) -> None:
    found = through(study(policy), _with_query(check, raised, patient=None))
    assert asked(found, "check", "action") == [(check, action)]
    assert found["patients"]["included"].to_list() == [True, True]


def test_unreadable_her2_text_can_exclude() -> None:
    given = put(good(), "samples", "ihc", "banana", "ada")
    assert ("V14", "ada", "samples", "ihc") in asked(through(study(), given))
    found = through(study("V14: exclude", STUDY), given)
    assert found["patients"].filter(pl.col("patient") == "ada")["lost_at"].to_list() == ["data_quality"]


def test_the_tables_given_are_not_changed() -> None:
    given = _late()
    copies = {name: frame.clone() for name, frame in given.items()}
    quality.run_checks("tables", study("V04: set_missing"), given)
    for name, frame in given.items():
        assert frame.equals(copies[name])
