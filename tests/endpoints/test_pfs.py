"""Progression-free survival: what ends the time under each scheme. Index date of every patient: 1 January 2020."""

from __future__ import annotations

import polars as pl
import pytest

from riskset.endpoints import add_endpoints, available_schemes
from riskset.errors import DataRefusedError, StudyFileError
from riskset.tables import PROVENANCE, fit
from small_tables import by_patient, study, tables

PFS = "endpoints:\n  pfs: {kind: pfs, also: [fda_a, fda_c_claims, new_therapy_event], max_gap_days: 210}\n"
INDEX = "patient | index_date:date | index_drug:text | physician_line:integer\n"


def patients(*names: str) -> str:
    return INDEX + "".join(f"{name} | 2020-01-01 | palbociclib | 1\n" for name in names)


def outcomes(given, text=PFS, scheme="ema", endpoint="pfs"):
    made = add_endpoints(study(text), given)
    rows = made["outcomes"]
    return by_patient(rows.filter(rows["scheme"] == scheme, rows["endpoint"] == endpoint), "days", "event", "reason")


def test_progression_death_and_last_assessment():
    given = tables(
        patients=patients("progressed", "died", "well", "unseen"),
        assessments="""
            patient    | date       | response
            progressed | 2020-04-01 | SD
            progressed | 2020-07-01 | PD
            progressed | 2020-08-01 | PD
            died       | 2020-03-01 | SD
            well       | 2020-03-01 | SD
            well       | 2020-06-01 |
            well       | 2020-07-01 | NE
        """,
        contacts="""
            patient    | date       | status
            progressed | 2020-12-01 | dead
            died       | 2020-05-01 | dead
            well       | 2020-12-01 | alive
        """,
    )
    assert outcomes(given) == {
        "progressed": (182, 1, "progression"),
        "died": (121, 1, "death"),
        "well": (152, 0, "last_assessment"),  # the scan of July could not be evaluated
        "unseen": (0, 0, "no_assessment"),
    }


def test_facts_on_or_before_the_index_date_are_listed_but_do_not_count():
    given = tables(
        patients=patients("p"),
        assessments="""
            patient | date       | response
            p       | 2019-12-01 | PD
            p       | 2020-01-01 | PD
            p       | 2020-02-01 | SD
        """,
    )
    assert outcomes(given) == {"p": (31, 0, "last_assessment")}
    events = add_endpoints(study(PFS), given)["candidates"]
    events = events.filter((events["scheme"] == "ema") & (events["role"] == "event"))
    assert events.select("days", "kept", "why").rows() == [
        (-31, False, "before the start"),
        (0, False, "on the day of the start"),
    ]


def test_death_on_the_index_date_is_an_event_at_day_0():
    given = tables(patients=patients("p"), contacts="patient | date | status\np | 2020-01-01 | dead\n")
    assert outcomes(given) == {"p": (0, 1, "death")}


def test_death_without_a_date_leaves_the_endpoint_unknown_unless_progression_came_first():
    given = tables(
        patients=patients("p", "q"),
        assessments="patient | date | response\np | 2020-03-01 | SD\nq | 2020-03-01 | PD\n",
        contacts="patient | date | status\np | | dead\nq | | dead\n",
    )
    assert outcomes(given) == {"p": (None, None, "event_without_date"), "q": (60, 1, "progression")}


UNREADABLE = """
    patient | date       | response
    scan    | 2020-06-01 | SD
    scan    |            | PD
    later   | 2020-06-01 | SD
    later   |            | PD
    later   | 2020-09-01 | PD
    stated  | 2020-06-01 | SD
    stated  |            | PD
"""


def asked_about(given, *rows, table="assessments", field="date", action="set_missing"):
    """Give the tables with a question of the reader about a date in these rows."""
    asked = given[table].filter(given[table]["row"].is_in(rows))
    queries = asked.select(
        "centre", "patient", "source", "row", check=pl.lit("V03"), severity=pl.lit("error"), action=pl.lit(action),
        table=pl.lit(table), field=pl.lit(field), message=pl.lit("The date cannot be read."),
    )  # fmt: skip
    return given | {"queries": fit(queries, PROVENANCE["queries"])}


def test_a_progression_whose_date_cannot_be_read_leaves_the_endpoint_unknown_unless_a_dated_event_tells():
    given = tables(patients=patients("scan", "later", "stated"), assessments=UNREADABLE)
    given = asked_about(given, 2, 4)
    assert outcomes(given) == {
        "scan": (None, None, "event_without_date"),
        "later": (244, 1, "progression"),
        "stated": (152, 0, "last_assessment"),  # a best response that never had a date
    }
    made = add_endpoints(study(PFS), given)["candidates"]
    undated = made.filter(pl.col("scheme") == "ema", pl.col("role") == "event", pl.col("date").is_null())
    assert undated.select("patient", "row", "kept", "why").rows() == [
        ("later", 4, False, "its date cannot be read"),
        ("scan", 2, False, "its date cannot be read"),
        ("stated", 7, False, "it has no date"),
    ]


def test_only_a_date_that_was_set_missing_and_was_a_progression_s_counts_as_unreadable():
    given = tables(patients=patients("scan"), assessments="patient | date | response\nscan | | SD\nscan | | PD\n")
    known = (0, 0, "no_assessment")
    assert outcomes(asked_about(given, 1)) == {"scan": known}
    assert outcomes(asked_about(given, 2, action="reported")) == {"scan": known}
    assert outcomes(asked_about(given, 2, field="target_sum")) == {"scan": known}
    assert outcomes(asked_about(given, 2)) == {"scan": (None, None, "event_without_date")}


def test_a_supplied_duration_stands_in_where_the_date_of_progression_cannot_be_read():
    supplied = "patient | name | value | number | unit\nscan | pfs | 200 | 200 | days\nscan | pfs_event | 1 | 1 |\n"
    given = tables(patients=patients("scan"), assessments=UNREADABLE, supplied=supplied)
    assert outcomes(asked_about(given, 2)) == {"scan": (200, 1, "supplied")}


DRUGS = """
    patient | name        | inn:text    | drug_class:text     | start      | stop       | stop_reason | line
    p       | Ibrance     | palbociclib | cdk46               | 2020-01-01 | 2020-04-10 | {reason}    | 1
    p       | Femara      | letrozole   | aromatase_inhibitor | 2020-01-01 |            |             | 1
    p       | Zoladex     | goserelin   | gnrh                | 2020-04-20 |            |             | 2
    p       | Xgeva       | denosumab   | supportive          | 2020-04-20 |            |             | 2
    p       | Femara      | letrozole   | aromatase_inhibitor | 2020-04-25 |            |             | 2
    p       | Xeloda      | capecitabine| chemotherapy        | 2020-05-01 |            |             | 2
"""
ASSESSMENTS = """
    patient | date       | response
    p       | 2020-03-31 | SD
    p       | 2020-04-20 | SD
    p       | 2020-06-01 | PD
"""


def scheme_table(reason: str) -> dict[str, object]:
    given = tables(patients=patients("p"), drugs=DRUGS.format(reason=reason), assessments=ASSESSMENTS)
    return {
        scheme: outcomes(given, scheme=scheme)["p"] for scheme in ("ema", "fda_a", "fda_c_claims", "new_therapy_event")
    }


def test_new_therapy_before_progression_under_each_scheme():
    """Treatment stopped on 10 April (day 100) for progression, capecitabine on 1 May (day 121), PD on 1 June.

    FDA table A censors at the last assessment before a stop for progression that no assessment documents: 31 March.
    """
    assert scheme_table("progression") == {
        "ema": (152, 1, "progression"),
        "fda_a": (90, 0, "clinical_progression"),
        "fda_c_claims": (100, 1, "clinical_progression"),
        "new_therapy_event": (121, 1, "new_therapy"),
    }


def test_stop_for_toxicity_censors_at_the_last_assessment_before_it_under_fda():
    assert scheme_table("toxicity") == {
        "ema": (152, 1, "progression"),
        "fda_a": (90, 0, "treatment_stop"),
        "fda_c_claims": (90, 0, "treatment_stop"),
        "new_therapy_event": (121, 1, "new_therapy"),
    }


@pytest.mark.parametrize("reason", ["progression", "toxicity"])
def test_a_stop_before_the_drugs_start_is_no_stop(reason):
    """As if no stop were recorded: only the new therapy of 1 May is left to the schemes."""
    given = tables(
        patients=patients("p"),
        drugs=DRUGS.format(reason=reason).replace("2020-04-10", "2019-12-10"),
        assessments=ASSESSMENTS,
    )
    found = {scheme: outcomes(given, scheme=scheme).get("p") for scheme in ("ema", "fda_a", "fda_c_claims")}
    assert found == {"ema": (152, 1, "progression"), "fda_a": (110, 0, "new_therapy"), "fda_c_claims": None}


def test_progression_documented_by_the_day_of_the_stop_is_an_event_under_fda():
    given = tables(
        patients=patients("before", "same_day"),
        assessments="patient | date | response\nbefore | 2020-04-01 | PD\nsame_day | 2020-04-10 | PD\n",
        drugs="""
            patient  | inn:text     | drug_class:text | start      | stop       | stop_reason | line
            before   | palbociclib  | cdk46           | 2020-01-01 | 2020-04-10 | progression | 1
            same_day | palbociclib  | cdk46           | 2020-01-01 | 2020-04-10 | progression | 1
            before   | capecitabine | chemotherapy    | 2020-05-01 |            |             | 2
        """,
    )
    expected = {"before": (91, 1, "progression"), "same_day": (100, 1, "progression")}
    assert outcomes(given, scheme="fda_a") == expected


@pytest.mark.parametrize(
    ("line", "drug", "counts"),
    [
        ("", "capecitabine | chemotherapy", True),
        ("", "ribociclib | cdk46", False),  # a change within the class for toxicity
        ("1", "everolimus | pi3k_mtor", False),  # the physician counts it to the same line
        ("2", "ribociclib | cdk46", True),
        ("2", "|", True),  # an unknown drug, but a stated later line
        ("", "|", False),
    ],
)
def test_new_therapy_by_the_stated_line_else_by_the_end_of_the_index_treatment(line, drug, counts):
    given = tables(
        patients=patients("p"),
        drugs=f"""
            patient | inn:text    | drug_class:text | start      | stop       | stop_reason | line
            p       | palbociclib | cdk46           | 2020-01-01 | 2020-04-10 | toxicity    | 1
            p       | {drug}                        | 2020-04-20 |            |             | {line}
        """,
    )
    text = "endpoints: {ttnt: {kind: ttnt}}"
    expected = (110, 1, "new_therapy") if counts else (0, 0, "no_contact")
    assert outcomes(given, text, "standard", "ttnt") == {"p": expected}


def test_event_after_missed_visits_is_passed_over_by_fda_and_counted_by_ema():
    given = tables(
        patients=patients("gap", "regular", "never_seen"),
        assessments="""
            patient | date       | response
            gap     | 2020-04-01 | SD
            gap     | 2020-10-29 | PD
            regular | 2020-04-01 | SD
            regular | 2020-10-28 | PD
        """,
        contacts="patient | date | status\nnever_seen | 2020-12-01 | dead\n",
        drugs="""
            patient | inn:text    | drug_class:text | start      | stop | line
            regular | capecitabine| chemotherapy    | 2021-05-01 |      | 2
        """,
    )
    assert outcomes(given) == {
        "gap": (302, 1, "progression"),
        "regular": (301, 1, "progression"),
        "never_seen": (335, 1, "death"),
    }
    assert outcomes(given, scheme="fda_a") == {
        "gap": (91, 0, "missed_visits"),  # 211 days after the last assessment
        "regular": (301, 1, "progression"),  # 210 days
        "never_seen": (0, 0, "missed_visits"),
    }


def test_nothing_after_the_data_cutoff_counts():
    head = "riskset: 1\nstudy: {id: t, title: T, data_cutoff: 2020-06-30}\ncentres: {a: {mapping: a.yaml}}\n"
    given = tables(
        patients=patients("late_pd", "followed_on", "before") + "too_late | 2020-07-01 | palbociclib | 1\n",
        assessments="""
            patient     | date       | response
            late_pd     | 2020-05-01 | SD
            late_pd     | 2020-08-01 | PD
            followed_on | 2020-08-01 | SD
            before      | 2020-05-01 | SD
            too_late    | 2020-09-01 | PD
        """,
    )
    assert outcomes(given, head + PFS) == {
        "late_pd": (181, 0, "data_cutoff"),
        "followed_on": (181, 0, "data_cutoff"),
        "before": (121, 0, "last_assessment"),
        "too_late": (None, None, "starts_after_cutoff"),
    }


def test_facts_on_the_day_of_a_stop_still_count():
    head = "riskset: 1\nstudy: {id: t, title: T, data_cutoff: 2020-06-30}\ncentres: {a: {mapping: a.yaml}}\n"
    given = tables(
        patients=patients("cutoff", "therapy"),
        assessments="patient | date | response\ncutoff | 2020-06-30 | PD\ntherapy | 2020-05-01 | PD\n",
        drugs="""
            patient | inn:text     | drug_class:text | start      | line
            therapy | capecitabine | chemotherapy    | 2020-05-01 | 2
        """,
    )
    expected = {"cutoff": (181, 1, "progression"), "therapy": (121, 1, "progression")}
    assert outcomes(given, head + PFS, "fda_a") == expected
    assert outcomes(given, head + PFS, "new_therapy_event") == expected  # of one day, progression comes first


def test_a_centre_may_have_a_cutoff_of_its_own():
    head = (
        "riskset: 1\nstudy: {id: t, title: T, data_cutoff: 2020-12-31}\n"
        "centres: {a: {mapping: a.yaml, data_cutoff: 2020-03-31}, b: {mapping: b.yaml}}\n"
    )
    given = tables(
        patients=INDEX.replace("patient", "centre | patient")
        + "a | p | 2020-01-01 | palbociclib | 1\nb | p | 2020-01-01 | palbociclib | 1\n",
        assessments="centre | patient | date | response\na | p | 2020-06-01 | PD\nb | p | 2020-06-01 | PD\n",
    )
    rows = add_endpoints(study(head + PFS), given)["outcomes"]
    rows = rows.filter(rows["scheme"] == "ema")
    assert rows.select("centre", "days", "event").rows() == [("a", 90, 0), ("b", 152, 1)]


def test_each_outcome_has_one_kept_candidate_that_says_where_it_stands():
    given = tables(patients=patients("p"), drugs=DRUGS.format(reason="choice"), assessments=ASSESSMENTS)
    made = add_endpoints(study(PFS), given)
    kept = made["candidates"].filter(made["candidates"]["kept"])
    assert kept.select("scheme", "days", "table", "row").rows() == [
        ("ema", 152, "assessments", 3),
        ("fda_a", 90, "assessments", 1),
        ("fda_c_claims", 90, "assessments", 1),
        ("new_therapy_event", 121, "drugs", 6),
    ]
    assert made["outcomes"].select("scheme", "days", "row").rows() == kept.select("scheme", "days", "row").rows()


SUPPLIED = """
    patient | name      | value | number | unit
    p       | pfs       |       | 8      | months
    p       | pfs_event | true  |        |
    q       | pfs       |       | 10.5   | months
    q       | pfs_event | 0     | 0      |
    r       | pfs       |       | 24     | months
"""


def test_supplied_months_become_whole_days():
    """8 months are 243.5 and 24 are 730.5 days: the even number, as in R; without pfs_event the event is unknown."""
    made = add_endpoints(study(PFS), tables(patients="patient\np\nq\nr\ns\n", supplied=SUPPLIED))
    assert by_patient(made["outcomes"], "scheme", "days", "event", "reason") == {
        "p": ("ema", 244, 1, "supplied"),
        "q": ("ema", 320, 0, "supplied"),
        "r": ("ema", 730, None, "supplied"),
    }
    assert available_schemes(study(PFS), tables(patients="patient\np\n", supplied=SUPPLIED), "pfs") == ["ema"]


@pytest.mark.parametrize(
    ("prefer", "expected"),
    [
        ("derived", {"p": (152, 1, "progression"), "q": (320, 0, "supplied"), "r": (60, 0, "last_assessment")}),
        ("supplied", {"p": (244, 1, "supplied"), "q": (320, 0, "supplied"), "r": (60, 0, "last_assessment")}),
    ],
)
def test_prefer_decides_where_dates_and_a_duration_exist(prefer, expected):
    given = tables(
        patients=patients("p", "q", "r"),
        assessments="patient | date | response\np | 2020-06-01 | PD\nr | 2020-03-01 | SD\n",
        supplied=SUPPLIED,
    )
    text = f"endpoints: {{pfs: {{kind: pfs, prefer: {prefer}}}}}"
    assert outcomes(given, text) == expected
    kept = add_endpoints(study(text), given)["candidates"]
    assert kept.filter(kept["kept"])["patient"].to_list() == ["p", "q", "r"]


def test_a_supplied_duration_needs_a_unit():
    given = tables(patients="patient\np\n", supplied="patient | name | number\np | pfs | 8\n")
    with pytest.raises(DataRefusedError, match=r"Centre 'a' supplies 'pfs' without a unit.*unit: months"):
        add_endpoints(study(PFS), given)


def test_different_or_impossible_supplied_values_are_asked_about_and_not_used():
    given = tables(
        patients="patient\np\nq\n",
        supplied="""
            patient | name      | value | number | unit
            p       | pfs       |       | 8      | months
            p       | pfs       |       | 9      | months
            q       | pfs       |       | -1     | months
            q       | pfs_event | maybe |        |
        """,
    )
    made = add_endpoints(study(PFS), given)
    assert made["outcomes"].is_empty()
    assert made["queries"].select("patient", "check", "value").rows() == [
        ("p", "conflicting_values", "8.0"),
        ("p", "conflicting_values", "9.0"),
        ("q", "unreadable_duration", "-1.0"),
        ("q", "unreadable_duration", "maybe"),
    ]


def test_available_schemes_need_later_therapies_and_stop_reasons():
    protocol = study(PFS)
    assessed = "patient | date | response\np | 2020-06-01 | PD\n"
    bare = tables(patients=patients("p"), assessments=assessed)
    assert available_schemes(protocol, bare, "pfs") == ["ema"]
    treated = tables(patients=patients("p"), assessments=assessed, drugs=DRUGS.format(reason=""))
    assert available_schemes(protocol, treated, "pfs") == ["ema", "fda_a", "new_therapy_event"]
    reasons = tables(patients=patients("p"), assessments=assessed, drugs=DRUGS.format(reason="toxicity"))
    assert available_schemes(protocol, reasons, "pfs") == ["ema", "fda_a", "fda_c_claims", "new_therapy_event"]


def test_interval_censoring_is_refused_with_a_sentence():
    with pytest.raises(StudyFileError, match="interval_censored is not available yet"):
        study("endpoints: {pfs: {kind: pfs, also: [interval_censored]}}")
