"""Best response: stated, dated or measured; success, and who can be evaluated."""

from __future__ import annotations

import pytest

from riskset.endpoints import add_endpoints
from small_tables import by_patient, study, tables

INDEX = "patient | index_date:date\n"


def best(sequence: str, options: str = "") -> object:
    """Run one patient whose dated responses are written as `30 PR, 60 PD` (days from the index date)."""
    lines = ["patient | date | response"]
    for item in filter(None, (part.strip() for part in sequence.split(","))):
        day, word = item.split()
        lines.append(f"p | 2020-{1 + int(day) // 30:02d}-{1 + int(day) % 30:02d} | {word}")
    given = tables(patients=INDEX + "p | 2020-01-01\n", assessments="\n".join(lines))
    made = add_endpoints(study(f"endpoints: {{orr: {{kind: response{options}}}}}"), given)
    return made["responses"]["best_response"].item()


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("60 SD, 90 PR, 120 PD", "PR"),
        ("60 SD, 90 PD, 120 CR", "SD"),  # after progression nothing counts
        ("30 SD, 90 PD", "PD"),  # SD before day 42 is not yet stable disease
        ("30 SD", "NE"),
        ("60 NON_CR_NON_PD", "NON_CR_NON_PD"),
        ("60 NE, 90 SD", "SD"),
        ("60 NE", "NE"),
        ("", None),
    ],
)
def test_best_of_dated_responses(sequence, expected):
    assert best(sequence) == expected


@pytest.mark.parametrize(
    ("sequence", "expected"),
    [
        ("60 CR, 90 CR", "CR"),
        ("60 CR, 90 PR", "SD"),
        ("60 PR, 90 CR", "PR"),
        ("60 PR, 90 SD, 120 PR", "PR"),
        ("60 PR", "SD"),
        ("30 PR", "NE"),
        ("30 PR, 60 PD", "PD"),
        ("60 PR, 80 PR", "SD"),  # 20 days are no confirmation
        ("60 PR, 80 CR, 100 PR", "PR"),
    ],
)
def test_confirmed_best_response(sequence, expected):
    assert best(sequence, ", confirm: 28") == expected


@pytest.mark.parametrize(("sd_min", "expected"), [(0, "SD"), (42, "SD"), (56, "NE")])
def test_minimum_duration_of_stable_disease(sd_min, expected):
    assert best("50 SD", f", sd_min: {sd_min}") == expected


def test_measurements_speak_where_no_response_is_stated():
    given = tables(
        patients=INDEX + "p | 2020-01-01\nq | 2020-01-01\nr | 2020-01-01\ns | 2020-01-01\nt | 2020-01-01\n",
        assessments="""
            patient | date       | target_sum | non_target   | new_lesion | response
            p       | 2019-12-20 | 30         |              |            |
            p       | 2020-03-01 | 21         | NON_CR_NON_PD|            |
            p       | 2020-05-01 | 25.9       |              |            |
            p       | 2020-07-01 | 26         |              |            |
            q       | 2019-12-20 | 20         |              |            |
            q       | 2020-03-01 | 10         |              |            |
            q       | 2020-05-01 | 14         |              |            |
            q       | 2020-07-01 | 14         |              | true       |
            r       | 2020-03-01 |            | CR           |            |
            s       | 2019-12-20 | 20         |              |            |
            s       | 2020-03-01 |            | NON_CR_NON_PD|            |
            s       | 2020-05-01 | 0          | CR           |            | SD
            t       | 2019-12-20 | 20         |              |            |
            t       | 2020-03-01 | 0          | CR           |            |
        """,
    )
    made = add_endpoints(study("endpoints: {orr: {kind: response}, pfs: {kind: pfs}}"), given)
    assert by_patient(made["responses"], "best_response", "row") == {
        "p": ("PR", 2),  # 30 % below the baseline
        "q": ("PR", 6),
        "r": ("CR", 9),  # no target lesions
        "s": ("SD", 12),  # not measured in March; in May the stated response stands
        "t": ("CR", 14),
    }
    # p: 26.0 mm is 5.0 mm and 24 % above the nadir of 21.0 mm, 25.9 mm is not; q: a new lesion
    assert by_patient(made["outcomes"], "days", "event") == {
        "p": (182, 1),
        "q": (182, 1),
        "r": (60, 0),
        "s": (121, 0),
        "t": (60, 0),
    }


STATED = {
    "patients": INDEX + "p | 2020-01-01\nq | 2020-01-01\nr | 2020-01-01\ns | 2020-01-01\nt | 2020-01-01\n",
    "assessments": """
        patient | date       | response
        p       | 2020-06-01 | PD
        q       | 2020-03-01 | SD
        r       |            | SD
        s       | 2020-06-01 | PD
    """,
    "supplied": """
        patient | name          | value
        p       | best_response | PR
        q       | best_response | PR
        r       | best_response | CR
        t       | best_response | ne
        q       | measurable    | true
        r       | measurable    | false
    """,
}


@pytest.mark.parametrize(
    ("prefer", "of_q"),
    [("derived", ("SD", False, True, True)), ("supplied", ("PR", True, True, True))],
)
def test_stated_best_response_and_dated_ones(prefer, of_q):
    """A dated progression alone does not replace the stated best response; NE is a failure and not evaluable."""
    text = f"endpoints: {{orr: {{kind: response, prefer: {prefer}}}}}"
    rows = add_endpoints(study(text), tables(**STATED))["responses"]
    assert by_patient(rows, "best_response", "responder", "evaluable", "measurable") == {
        "p": ("PR", True, True, None),
        "q": of_q,
        "r": ("SD", False, True, False),
        "s": ("PD", False, True, None),
        "t": ("NE", False, False, None),
    }


def test_a_patient_who_was_never_assessed_is_not_evaluable_where_the_centre_sends_assessments():
    given = tables(
        patients="""
            centre | patient  | index_date:date
            a      | assessed | 2020-01-01
            a      | baseline | 2020-01-01
            a      | nothing  | 2020-01-01
            a      | silent   | 2020-01-01
            a      | stated   | 2020-01-01
            a      | unread   | 2020-01-01
            a      | unstarted |
            b      | elsewhere | 2020-01-01
        """,
        assessments="""
            centre | patient  | date       | response
            a      | assessed | 2020-06-01 | PR
            a      | baseline | 2019-12-20 | SD
            a      | silent   | 2020-03-01 |
        """,
        supplied="""
            centre | patient | name          | value
            a      | stated  | best_response | CR
            a      | unread  | best_response | good
        """,
    )
    rows = add_endpoints(study("endpoints: {orr: {kind: response}}"), given)["responses"]
    assert by_patient(rows, "best_response", "responder", "evaluable") == {
        "assessed": ("PR", True, True),
        "baseline": ("NE", False, False),
        "nothing": ("NE", False, False),
        "silent": (None, None, None),  # seen, but what the scan said is not known
        "stated": ("CR", True, True),
        "unread": (None, None, None),  # asked about
        "elsewhere": (None, None, None),  # the centre sends no assessments
    }


def test_success_is_declared():
    text = "endpoints: {dcr: {kind: response, success: [CR, PR, SD, NON_CR_NON_PD], sd_min: 0}}"
    rows = add_endpoints(study(text), tables(**STATED))["responses"]
    assert by_patient(rows, "responder") == {"p": True, "q": True, "r": True, "s": False, "t": False}


def test_responses_under_a_new_therapy_do_not_count():
    given = tables(
        patients="""
            patient | index_date:date | index_drug:text | physician_line:integer
            p       | 2020-01-01      | palbociclib     | 1
        """,
        assessments="patient | date | response\np | 2020-03-01 | SD\np | 2020-06-01 | PR\n",
        drugs="patient | inn:text | drug_class:text | start | line\np | capecitabine | chemotherapy | 2020-05-01 | 2\n",
    )
    rows = add_endpoints(study("endpoints: {orr: {kind: response}}"), given)["responses"]
    assert by_patient(rows, "best_response") == {"p": "SD"}


def test_an_unknown_word_is_asked_about_once():
    given = tables(patients=INDEX, supplied="patient | name | value\np | best_response | good\n")
    made = add_endpoints(study("endpoints: {orr: {kind: response}, dcr: {kind: response}}"), given)
    assert made["responses"].is_empty()
    assert made["queries"].select("patient", "check", "value").rows() == [("p", "unknown_response", "good")]
