"""Drug records that cannot be true, or that contradict what is said of progression and of the index date."""

from __future__ import annotations

from datetime import date, timedelta

import polars as pl
import pytest

from quality.builders import add, asked, good, put, study, through
from riskset import quality

Tables = dict[str, pl.DataFrame]
INDEX = date(2020, 1, 15)  # ada's first dose; she stopped on 20 January 2021 and progressed on 15 January 2021
STOP = date(2021, 1, 20)
DAY = timedelta(days=1)


def of(check: str, given: Tables) -> list[tuple[object, ...]]:
    """Give patient, table, field and row of the check's queries."""
    queries = through(study(), given)["queries"].filter(pl.col("check") == check)
    return asked({"queries": queries}, "patient", "table", "field", "row")


def palbociclib(field: str, value: object, given: Tables | None = None) -> Tables:
    """Give the tables with one field of ada's index drug changed."""
    return put(given or good(), "drugs", field, value, "ada", name="palbociclib")


def progression(value: date | None) -> Tables:
    """Give the tables with ada's progression on another day."""
    return put(good(), "assessments", "date", value, "ada", response="PD")


# ------------------------------------------------------------------------------------------------- V24, V26: records


def test_v24_a_stop_before_the_start() -> None:
    assert of("V24", palbociclib("stop", INDEX - DAY)) == [("ada", "drugs", "stop", 2)]
    assert of("V24", palbociclib("stop", INDEX)) == []
    assert of("V24", palbociclib("stop", None)) == []


def test_v24_can_set_the_stop_missing() -> None:
    found = dict(quality.run_checks("tables", study("V24: set_missing"), palbociclib("stop", INDEX - DAY)))
    assert found["drugs"].filter(pl.col("name") == "palbociclib")["stop"].to_list() == [None, None]


@pytest.mark.parametrize(
    ("line", "wanted"), [(-1, True), (0, True), (1, False), (9, False), (10, True), (12, True), (None, False)]
)
def test_v26_a_line_of_therapy_is_plausible(line: int | None, wanted: bool) -> None:
    assert of("V26", palbociclib("line", line)) == ([("ada", "drugs", "line", 2)] if wanted else [])


@pytest.mark.parametrize(("following", "wanted"), [(1, False), (2, False), (3, True), (12, True)])
def test_v26_no_line_is_left_out_between_two(following: int, wanted: bool) -> None:
    given = add(good(), "drugs", patient="ada", name="capecitabine", start=date(2021, 2, 1), line=following)
    assert of("V26", given) == ([("ada", "drugs", "line", 99)] if wanted else [])


def test_v26_lines_of_one_patient_say_nothing_about_another() -> None:
    assert of("V26", put(good(), "drugs", "line", 4, "bea")) == []  # lines before the first record are not missed


# ----------------------------------------------------------------------------------- V52: progression before time zero


def test_v52_all_stated_progressions_lie_before_the_index_date() -> None:
    assert of("V52", progression(INDEX - DAY)) == [("ada", "assessments", "date", 2)]
    assert of("V52", progression(INDEX)) == []


def test_v52_one_on_or_after_the_index_date_is_enough() -> None:
    assert of("V52", add(good(), "assessments", patient="ada", date=INDEX - DAY, response="PD")) == []


def test_v52_asks_once_about_the_last_of_several() -> None:
    given = add(progression(INDEX - DAY), "assessments", patient="ada", date=INDEX - 90 * DAY, response="PD")
    assert of("V52", given) == [("ada", "assessments", "date", 2)]


def test_v52_without_an_index_date_nothing_is_before_it() -> None:
    assert of("V52", palbociclib("start", None, progression(INDEX - DAY))) == []


# ----------------------------------------------------------------------------- V53: stop for progression without one

QUESTION = [("ada", "drugs", "stop_reason", 2)]


def test_v53_a_stop_for_progression_of_which_nothing_is_recorded() -> None:
    given = good()
    emptied = put(given, "assessments", "response", None, "ada", response="PD")
    assert of("V53", emptied) == QUESTION
    assert of("V53", palbociclib("stop_reason", "toxicity", emptied)) == []
    assert of("V53", given) == []


@pytest.mark.parametrize("day", [INDEX, STOP - 100 * DAY, STOP + 300 * DAY])
def test_v53_a_progression_from_the_index_date_on_explains_it(day: date) -> None:
    assert of("V53", progression(day)) == []


@pytest.mark.parametrize(("before", "wanted"), [(60, False), (61, True)])
def test_v53_a_progression_shortly_before_the_stop_explains_it(before: int, wanted: bool) -> None:
    """Of a drug stopped a month after its start, a progression may be dated just before the index date."""
    stop = INDEX + 30 * DAY
    given = palbociclib("stop", stop, progression(stop - before * DAY))
    assert of("V53", given) == (QUESTION if wanted else [])


def test_v53_a_progression_that_was_measured_explains_it() -> None:
    given = put(good(), "assessments", "new_lesion", True, "ada", response="PD")
    assert of("V53", put(given, "assessments", "response", None, "ada", response="PD")) == []


def test_v53_a_centre_without_dated_assessments_records_no_progression() -> None:
    given = good()
    undated = given["assessments"].with_columns(date=pl.lit(None, pl.Date))
    assert of("V53", {**given, "assessments": undated}) == []


def test_v53_another_drug_stopped_for_progression_is_not_meant() -> None:
    given = palbociclib("stop_reason", "ongoing", put(good(), "assessments", "response", None, "ada", response="PD"))
    assert of("V53", put(given, "drugs", "stop_reason", "progression", "ada", name="letrozole")) == []


# --------------------------------------------------------------------------------- V54: next therapy before time zero


def therapy(given: Tables | None = None, **cells: object) -> Tables:
    """Give the tables with a therapy of ada's that starts 50 days before her index date, unless said otherwise."""
    values = {"patient": "ada", "name": "capecitabine", "start": INDEX - 50 * DAY, "intent": "metastatic"} | cells
    return add(given or good(), "drugs", **values)


FOUND = [("ada", "drugs", "start", 99)]


@pytest.mark.parametrize(
    ("cells", "wanted"),
    [
        ({}, True),
        ({"start": INDEX}, False),
        ({"line": 2}, True),
        ({"line": 2, "intent": None}, True),
        ({"line": 2, "stop": INDEX - DAY}, True),  # a later line cannot come first
        ({"line": 1}, False),
        ({"intent": None}, False),
        ({"intent": "adjuvant"}, False),
        ({"stop": INDEX}, False),  # an earlier therapy that had ended
        ({"stop": INDEX + DAY}, True),
        ({"name": "denosumab"}, False),  # accompanies a therapy
        ({"name": "goserelin", "line": 2}, False),
        ({"name": "palbociclib"}, False),  # the index drug itself
        ({"name": "fulvestrant"}, False),  # it may be the partner
    ],
)
def test_v54_a_therapy_before_the_index_date_is_marked_as_earlier(cells: dict[str, object], wanted: bool) -> None:
    assert of("V54", therapy(**cells)) == (FOUND if wanted else [])


def test_v54_an_endocrine_drug_is_no_partner_where_another_one_is() -> None:
    partner = add(good(), "drugs", patient="ada", name="letrozole", start=INDEX, intent="metastatic", line=1, row=98)
    assert of("V54", therapy(partner, name="fulvestrant")) == FOUND
    assert of("V54", partner) == []
