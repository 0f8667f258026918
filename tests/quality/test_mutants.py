"""Corrupt one cell of a good study: it is flagged, or nothing changes, or it is of a kind that no rule can see.

The kinds that no rule sees are listed here, so that what the checks cannot do is as plain as what they can.
"""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from quality.builders import add, asked, good, put, study, through

Tables = dict[str, pl.DataFrame]
Mutant = tuple[str, str, Any, str, dict[str, Any]]

# What is corrupted -> the checks that may answer.
FLAGGED: dict[str, tuple[Mutant, set[str]]] = {
    "birth in the future": (("patients", "birth", date(2031, 1, 1), "ada", {}), {"V04"}),
    "birth after diagnosis": (("patients", "birth", date(2016, 1, 1), "ada", {}), {"V05"}),
    "century of birth": (("patients", "birth", date(2055, 2, 11), "bea", {}), {"V04"}),
    "diagnosis after the metastases": (("patients", "diagnosis", date(2019, 12, 31), "ada", {}), {"V05"}),
    "year of the diagnosis": (("patients", "diagnosis", date(2051, 3, 1), "ada", {}), {"V04"}),
    "metastases after the first dose": (("patients", "metastatic", date(2020, 3, 15), "ada", {}), {"V05"}),
    "first dose after death": (("drugs", "start", date(2022, 3, 1), "ada", {"name": "palbociclib"}), {"V05", "V06"}),
    "first dose too early": (
        ("drugs", "start", date(2019, 1, 15), "ada", {"name": "palbociclib"}),
        {"V05"},
    ),
    "last dose in the future": (("drugs", "stop", date(2032, 1, 20), "ada", {"name": "palbociclib"}), {"V04"}),
    "last dose after death": (("drugs", "stop", date(2022, 3, 1), "ada", {"name": "palbociclib"}), {"V06"}),
    "scan after the last contact": (("assessments", "date", date(2021, 10, 1), "bea", {"response": "SD"}), {"V06"}),
    "progression moved by a year": (("assessments", "date", date(2022, 1, 15), "ada", {"response": "PD"}), {"V47"}),
    "death too early": (
        ("contacts", "date", date(2020, 12, 1), "ada", {"status": "dead"}),
        {"V05", "V07"},
    ),
    "death without a date": (("contacts", "date", None, "ada", {"status": "dead"}), {"V07"}),
    "last contact before the scans": (("contacts", "date", date(2020, 9, 1), "bea", {}), {"V06"}),
    "alive after death": (("contacts", "date", date(2022, 6, 1), "ada", {"status": "alive"}), {"V07"}),
    "hybridisation lost": (("samples", "ish", None, "bea", {}), {"V16"}),
    "immunohistochemistry as a date": (("samples", "ihc", "01.02.2020", "ada", {}), {"V14"}),
    "immunohistochemistry unreadable": (("samples", "ihc", "see letter", "ada", {}), {"V14"}),
    "bone only turned round": (("supplied", "value", "true", "bea", {"name": "bone_only"}), {"V31"}),
    "visceral turned round": (("supplied", "value", "true", "ada", {"name": "visceral"}), {"V32"}),
    "visceral denied": (("supplied", "value", "false", "bea", {"name": "visceral"}), {"V32"}),
    "one organ more": (("supplied", "number", 3.0, "bea", {"name": "n_organs"}), {"V33"}),
    "organ lost": (("organs", "present", False, "bea", {"organ": "liver"}), {"V31", "V32", "V33"}),
    "duration ten times as long": (("supplied", "number", 120.0, "ada", {"name": "pfs"}), {"V47"}),
    "months called days": (("supplied", "unit", "days", "ada", {"name": "pfs"}), {"V47"}),
    "days called months": (("supplied", "unit", "months", "bea", {"name": "pfs"}), {"V47"}),
    "adjuvant drug was the index drug": (("drugs", "name", "ribociclib", "ada", {"name": "letrozole"}), {"V51"}),
}

UNSEEN: dict[str, Mutant] = {
    "a plausible birth": ("patients", "birth", date(1961, 5, 1), "ada", {}),
    "day and month swapped, in order": ("patients", "diagnosis", date(2015, 1, 3), "ada", {}),
    "the other score": ("samples", "ihc", "0", "ada", {}),
    "the other sex": ("patients", "sex", "male", "ada", {}),
    "a plausible last contact": ("contacts", "date", date(2021, 12, 1), "bea", {}),
    "another line": ("drugs", "line", 2, "ada", {"name": "palbociclib"}),
    "another reason for stopping": ("drugs", "stop_reason", "toxicity", "ada", {"name": "palbociclib"}),
}


def checks_of(given: Tables) -> set[str]:
    return {str(row[0]) for row in asked(through(study(), given), "check")}


def mutate(mutant: Mutant) -> Tables:
    table, field, value, patient, where = mutant
    return put(good(), table, field, value, patient, **where)


@pytest.mark.parametrize("name", FLAGGED)
def test_flagged(name: str) -> None:
    mutant, wanted = FLAGGED[name]
    # The check that sees the cell itself has to answer; others may join in.
    assert wanted <= checks_of(mutate(mutant))


@pytest.mark.parametrize("name", UNSEEN)
def test_of_a_kind_that_no_rule_can_see(name: str) -> None:
    assert checks_of(mutate(UNSEEN[name])) == set()


@pytest.mark.parametrize("day", [0, 1, 40, 366, 3650])
def test_moving_all_dates_by_the_same_days_raises_nothing_but_the_cut_off(day: int) -> None:
    moved = {
        name: frame.with_columns(pl.col(pl.Date) + timedelta(days=day)) if frame.height else frame
        for name, frame in good().items()
    }
    assert checks_of(moved) <= {"V04"}


def test_a_patient_who_is_only_in_one_table_breaks_nothing() -> None:
    given = add(good(), "contacts", patient="stranger", date=date(2021, 1, 1), status="alive")
    given = add(given, "organs", patient="stranger", organ="liver", present=True)
    given = add(given, "supplied", patient="stranger", name="visceral", value="false")
    assert checks_of(given) <= {"V32"}
