"""Overall survival, time to progression, and endpoints that a study declares itself."""

from __future__ import annotations

import pytest

from riskset.endpoints import add_endpoints
from riskset.errors import StudyFileError, UsageError
from small_tables import by_patient, study, tables

GIVEN = {
    "patients": """
        patient | index_date:date
        p       | 2020-01-01
        q       | 2020-01-01
        r       | 2020-01-01
        s       |
    """,
    "assessments": """
        patient | date       | response
        p       | 2020-03-01 | PD
        q       | 2020-03-01 | SD
    """,
    "contacts": """
        patient | date       | status
        p       | 2020-06-01 | alive
        p       | 2020-09-01 | alive
        q       | 2020-06-01 | dead
        s       | 2020-06-01 | dead
    """,
}


def run(text: str, **given: str):
    made = add_endpoints(study(text), tables(**(GIVEN | given)))
    return by_patient(made["outcomes"], "days", "event", "reason")


def test_overall_survival_counts_deaths_and_ends_at_the_last_contact():
    assert run("endpoints: {os: {kind: os}}") == {
        "p": (244, 0, "last_contact"),
        "q": (152, 1, "death"),
        "r": (0, 0, "no_contact"),
    }


def test_time_to_progression_censors_a_death_at_the_last_assessment():
    assert run("endpoints: {ttp: {kind: ttp}}") == {
        "p": (60, 1, "progression"),
        "q": (60, 0, "last_assessment"),
        "r": (0, 0, "no_assessment"),
    }


CUSTOM = """
endpoints:
  liver:
    kind: time_to_event
    start: index_date
    events: [{table: organs, where: "organ = 'liver' AND present", reason: liver_metastasis}]
    censors: [{table: contacts, reason: last_contact}]
"""


def test_an_endpoint_of_the_study_is_one_entry():
    organs = "patient | organ | present | date\np | liver | true | 2020-02-01\nq | bone | true | 2020-02-01\n"
    assert run(CUSTOM, organs=organs) == {
        "p": (31, 1, "liver_metastasis"),
        "q": (152, 0, "last_contact"),
        "r": (0, 0, "no_follow_up"),
    }


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ("date: dat, reason: x", "endpoints.liver: contacts have no column 'dat'.*did you mean 'date'"),
        ("date: status, reason: x", "holds no dates"),
        ("where: stat = 'alive', reason: x", "There is no column 'stat'.*did you mean 'status'"),
    ],
)
def test_a_source_that_names_what_is_not_there_is_refused(wrong, message):
    with pytest.raises(UsageError, match=message):
        run(CUSTOM.replace("reason: last_contact", wrong))


@pytest.mark.parametrize(
    "stop", ["{at: missed_visits, then: censor_before}", "{at: data_cutoff, then: event}", "{at: holiday, then: event}"]
)
def test_stops_that_make_no_sense_are_refused(stop):
    with pytest.raises(StudyFileError):
        study(CUSTOM + f"    stops: [{stop}]\n")
