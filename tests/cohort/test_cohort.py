"""Eligibility, attrition, and the analysis set."""

from __future__ import annotations

import polars as pl
import pytest

from riskset.cohort import analysis_set, select
from riskset.covariates import add_covariates
from riskset.endpoints import add_endpoints
from riskset.errors import ConditionError, UsageError
from riskset.tables import DERIVED, PROVENANCE, fit
from small_tables import by_patient, study, tables

CRITERIA = """
eligibility:
  - {id: adult, where: age >= 18}
  - {id: metastatic, where: metastatic IS NOT NULL}
  - {id: line_1, where: lot = 1}
"""
PATIENTS = """
    centre | patient | age:integer | metastatic | lot:integer
    a      | kept    | 50          | 2020-01-01 | 1
    a      | child   | 17          |            | 1
    a      | no_age  |             | 2020-01-01 | 1
    a      | no_line | 50          | 2020-01-01 |
    b      | local   | 50          |            | 2
    b      | later   | 50          | 2020-01-01 | 2
"""


def test_each_patient_is_lost_at_the_first_criterion_that_does_not_keep_them():
    made = select(study(CRITERIA), tables(patients=PATIENTS))
    assert by_patient(made["patients"], "included", "lost_at", "lost_as") == {
        "kept": (True, None, None),
        "child": (False, "adult", "fails"),
        "no_age": (False, "adult", "unknown"),
        "no_line": (False, "line_1", "unknown"),
        "local": (False, "metastatic", "fails"),
        "later": (False, "line_1", "fails"),
    }


def test_attrition_by_centre_keeps_fails_and_unknown_apart():
    made = select(study(CRITERIA), tables(patients=PATIENTS))
    assert made["attrition"].schema == DERIVED["attrition"].types
    assert made["attrition"].rows() == [
        # centre, position, criterion, entered, fails, unknown, kept
        ("a", 1, "adult", 4, 1, 1, 2),
        ("a", 2, "metastatic", 2, 0, 0, 2),
        ("a", 3, "line_1", 2, 0, 1, 1),
        ("b", 1, "adult", 2, 0, 0, 2),
        ("b", 2, "metastatic", 2, 1, 0, 1),
        ("b", 3, "line_1", 1, 1, 0, 0),
    ]


def test_patients_excluded_by_a_quality_policy_are_lost_first():
    given = tables(patients=PATIENTS)
    query = {"centre": "a", "patient": "kept", "check": "V05", "severity": "error", "message": "m"}
    asked = pl.DataFrame([query | {"action": "excluded"}, query | {"action": "reported", "patient": "child"}])
    given["queries"] = fit(asked, PROVENANCE["queries"])
    made = select(study(CRITERIA), given)
    assert by_patient(made["patients"], "lost_at", "lost_as")["kept"] == ("data_quality", "fails")
    assert made["attrition"].filter(pl.col("criterion") == "data_quality").rows() == [
        ("a", 1, "data_quality", 4, 1, 0, 3),
        ("b", 1, "data_quality", 2, 0, 0, 2),
    ]
    assert made["attrition"]["criterion"].to_list()[1] == "adult"


def test_selecting_twice_changes_nothing():
    once = select(study(CRITERIA), tables(patients=PATIENTS))
    twice = select(study(CRITERIA), once)
    assert twice["patients"].equals(once["patients"])
    assert twice["attrition"].equals(once["attrition"])


def test_without_criteria_everyone_is_included():
    made = select(study(""), tables(patients=PATIENTS))
    assert made["patients"]["included"].all()
    assert made["attrition"].is_empty()


@pytest.mark.parametrize(
    ("criterion", "message"),
    [
        ("{id: adult, where: agee >= 18}", "eligibility, criterion 'adult'.*did you mean 'age'"),
        ("{id: adult, where: metastatic >= 18}", "eligibility, criterion 'adult'"),
        ("{id: data_quality, where: age >= 18}", "'data_quality' is taken"),
    ],
)
def test_criteria_that_cannot_be_applied_are_refused(criterion, message):
    with pytest.raises((ConditionError, UsageError), match=message):
        select(study(f"eligibility: [{criterion}]"), tables(patients=PATIENTS))


STUDY = """
biomarkers: {marker: {}}
covariates:
  group: {rule: column, column: her2_group, levels: [zero, low, ultralow]}
  ki67: {rule: supplied, name: ki67, type: number, unit: "%"}
  elder: {rule: classes, levels: {younger: age < 65, elder: age >= 65}}
endpoints:
  pfs: {kind: pfs, also: [new_therapy_event]}
  orr: {kind: response}
eligibility: [{id: adult, where: age >= 18}]
populations: {elders: elder = 'elder'}
comparison: {by: marker, reference: zero}
"""
GIVEN = {
    "patients": """
        centre | patient | index_date:date | age:integer | her2_group:text | marker:text
        b      | p1      | 2020-01-01      | 70          | zero            | low
        b      | p2      | 2020-01-01      | 40          | low             | low
        a      | p3      | 2020-01-01      | 66          | low             |
        a      | p4      | 2020-01-01      |             |                 | low
        a      | p5      | 2020-01-01      | 80          | zero            | low
        a      | p6      |                 | 67          | zero            | low
        a      | child   | 2020-01-01      | 15          | zero            | positive
    """,
    "assessments": """
        centre | patient | date       | response
        b      | p1      | 2020-02-01 | PD
        b      | p2      | 2020-02-01 | SD
        a      | p3      | 2020-02-01 | PD
        a      | p5      | 2020-02-01 | PD
        a      | child   | 2020-02-01 | PD
    """,
    "supplied": "centre | patient | name | number\na | p3 | ki67 | 20\n",
}


@pytest.fixture
def analysed():
    protocol = study(STUDY)
    given = tables(**GIVEN)
    asked = pl.DataFrame(
        [
            {"centre": "a", "patient": "p3", "check": "V05", "severity": "error", "action": "reported", "message": "m"},
            {"centre": "a", "patient": "p4", "check": "V05", "severity": "error", "action": "reported", "message": "m"},
        ]
    )
    given["queries"] = fit(asked, PROVENANCE["queries"])
    made = select(protocol, add_endpoints(protocol, add_covariates(protocol, given)))
    return analysis_set(protocol, made)


def test_the_analysis_set_holds_the_included_in_the_order_of_the_study_file(analysed):
    assert analysed.patients.select("centre", "patient").rows() == [
        ("a", "p3"),
        ("a", "p5"),
        ("a", "p6"),
        ("b", "p1"),
        ("b", "p2"),
    ]
    assert analysed.patients.schema["centre"] == pl.Enum(["a", "b"])
    assert set(analysed.outcomes["patient"]) == {"p1", "p2", "p3", "p5"}  # p6 has no index date
    assert set(analysed.responses["patient"]) == {"p1", "p2", "p3", "p5"}
    assert analysed.screened.height == 7
    assert by_patient(analysed.screened, "lost_as")["p4"] == "unknown"


def test_queries_are_counts_alone(analysed):
    assert analysed.queries.rows() == [("a", "V05", "error", "reported", 2)]


def test_levels_and_units(analysed):
    assert analysed.levels("group") == ["zero", "low", "ultralow"]  # declared, also where nobody has it
    assert analysed.levels("marker") == ["low", "zero"]  # in use, and the reference of the comparison
    assert analysed.levels("included") == ["false", "true"]
    assert analysed.levels("centre") == ["a", "b"]
    assert (analysed.unit("ki67"), analysed.unit("group")) == ("%", None)
    with pytest.raises(UsageError, match="has no levels"):
        analysed.levels("age")
    with pytest.raises(UsageError, match="did you mean 'group'"):
        analysed.levels("grup")


def test_counts_and_populations(analysed):
    assert analysed.counts(["group"]).rows() == [("zero", 3), ("low", 2)]
    assert analysed.counts(["marker", "group"], "elders").rows() == [
        ("low", "zero", 3),
        (None, "low", 1),
    ]
    assert analysed.counts([]).rows() == [(5,)]
    assert analysed.counts([], "all").rows() == [(5,)]
    with pytest.raises(UsageError, match="did you mean 'elders'"):
        analysed.counts([], "elder")


def test_frame_keeps_rows_with_missing_values(analysed):
    frame = analysed.frame(["marker", "ki67"], population="elders", endpoint="pfs")
    assert frame.columns == ["centre", "patient", "marker", "ki67", "days", "event", "cause", "reason"]
    assert frame.select("patient", "marker", "ki67", "days", "event").rows() == [
        ("p3", None, 20.0, 31, 1),
        ("p5", "low", None, 31, 1),
        ("p6", "low", None, None, None),
        ("p1", "low", None, 31, 1),
    ]
    assert analysed.frame(["centre", "group"]).columns == ["centre", "patient", "group"]


def test_event_table_counts_days(analysed):
    table = analysed.event_table("pfs", ["group"])
    assert table.columns == ["group", "days", "events", "censored"]
    assert table.rows() == [("zero", 31, 2, 0), ("low", 31, 1, 1)]
    assert analysed.event_table("pfs").rows() == [(31, 3, 1)]


def test_schemes_of_an_endpoint(analysed):
    assert analysed.primary_scheme("pfs") == "ema"
    assert analysed.schemes("pfs") == ["ema"]  # no later therapy is recorded, so there is nothing to compare
    with pytest.raises(UsageError, match="has no times"):
        analysed.primary_scheme("orr")
    with pytest.raises(UsageError, match="did you mean 'pfs'"):
        analysed.primary_scheme("pf")


def test_a_population_over_a_column_that_is_not_there_is_refused():
    protocol = study("populations: {elders: elderr = 'elder'}")
    made = select(protocol, tables(**GIVEN))
    with pytest.raises(ConditionError, match="populations, 'elders'"):
        analysis_set(protocol, made)
