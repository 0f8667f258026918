"""Each check finds its problem in a good small study with one thing changed, and nothing where nothing is wrong."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import polars as pl
import pytest

from quality.builders import STUDY, add, asked, good, put, row, study, through
from riskset import quality
from riskset.endpoints import add_endpoints
from riskset.tables import PROVENANCE, fit

Tables = dict[str, pl.DataFrame]


def test_a_good_study_is_asked_nothing() -> None:
    found = through(study(), good())
    assert asked(found) == []
    assert found["patients"]["included"].to_list() == [True, True]


def test_empty_tables_are_asked_nothing() -> None:
    assert asked(through(study(), {name: frame.clear() for name, frame in good().items()})) == []


def after(given: Tables, text: str = STUDY) -> list[tuple[object, ...]]:
    return asked(through(study(text=text), given))


# ------------------------------------------------------------------------------------------------ V04: the cut-off


def test_v04_looks_at_every_date_of_every_table() -> None:
    given = good()
    for table, frame in given.items():
        for column in (c for c in frame.columns if frame.schema[c] == pl.Date):
            value = pl.lit(date(2023, 1, 1))
            late = {**given, table: frame.with_columns(value.alias(column))} if frame.height else given
            found = quality.run_checks("tables", study(), late)["queries"].filter(pl.col("check") == "V04")
            assert set(found.select("table", "field").rows()) == {(table, column)}, (table, column)
            assert found.height == frame.height


def test_v04_the_day_of_the_cut_off_is_allowed() -> None:
    assert after(put(good(), "contacts", "date", date(2022, 12, 31), "bea")) == []


def test_v04_a_centre_may_have_its_own_cut_off() -> None:
    given = add(good(), "contacts", centre="b", patient="cora", date=date(2022, 6, 1), status="alive")
    assert ("V04", "cora", "contacts", "date") in asked(dict(quality.run_checks("tables", study(), given)))


def late_stop(*columns: str) -> Tables:
    """Give a late stop of two drugs in one row, and a late contact there; the columns say which cells hold them."""
    given = good()
    for name in ("ribociclib", "letrozole"):
        given = add(given, "drugs", patient="bea", name=name, start=date(2020, 2, 1), stop=date(2032, 1, 1))
    given = add(given, "contacts", patient="bea", date=date(2032, 1, 1), status="alive")
    cells = [(0, "contacts", "date", columns[0]), *((0, "drugs", "stop", column) for column in columns[1:])]
    fields = pl.DataFrame(cells, schema=PROVENANCE["fields"].types, orient="row")
    return {**given, "fields": fields}


@pytest.mark.parametrize(
    ("columns", "policy", "asked_fields"),
    [
        (("last", "last"), "", 1),  # one cell, three canonical rows
        (("last", "stop"), "", 2),
        (("last", "last", "stop2"), "", 2),  # which column held it is not known
        (("last", "last"), "V04: set_missing", 2),  # each field loses its value
    ],
)
def test_v04_asks_about_a_cell_once(columns: tuple[str, ...], policy: str, asked_fields: int) -> None:
    done = quality.run_checks("tables", study(policy), late_stop(*columns))
    queries = done["queries"].filter(pl.col("check") == "V04")
    assert queries.height == asked_fields
    assert queries.select("table", "field").unique().height == asked_fields
    kept = done["drugs"].filter(pl.col("stop") == date(2032, 1, 1)).height
    assert kept == (0 if policy else 2)


def test_v04_without_a_cut_off_asks_nothing() -> None:
    text = STUDY.replace(", data_cutoff: 2022-12-31", "").replace(", data_cutoff: 2021-12-31", "")
    assert after(put(good(), "contacts", "date", date(2031, 1, 1), "bea"), text) == []


# ------------------------------------------------------------------------------------------------------ V05: order

DAY = timedelta(days=1)


def _message(given: Tables, patient: str = "ada") -> str | None:
    queries = through(study(), given)["queries"].filter(pl.col("check") == "V05", pl.col("patient") == patient)
    return queries["message"][0] if queries.height else None


@pytest.mark.parametrize(
    ("change", "later", "earlier"),
    [
        (("patients", "diagnosis", date(1950, 1, 1)), "diagnosis", "birth"),
        (("patients", "diagnosis", date(1960, 5, 1)), "diagnosis", "birth"),  # on the day of birth
        (("patients", "metastatic", date(2014, 3, 1)), "metastatic disease", "diagnosis"),
        (("patients", "metastatic", date(2020, 1, 16)), "index date", "metastatic disease"),
        (("contacts", "date", date(2021, 1, 1)), "death", "progression"),
    ],
)
def test_v05_names_what_lies_before_what(change: tuple[str, str, date], later: str, earlier: str) -> None:
    table, field, value = change
    where = {"status": "dead"} if table == "contacts" else {}
    found = _message(put(good(), table, field, value, "ada", **where))
    assert found == f"The date of {later} lies before that of {earlier}; correct one of them."


def test_v05_of_several_violations_the_first_is_named() -> None:
    given = put(good(), "patients", "diagnosis", date(1950, 1, 1), "ada")
    given = put(given, "patients", "metastatic", date(1940, 1, 1), "ada")
    given = put(given, "contacts", "date", date(1930, 1, 1), "ada", status="dead")
    message = "The date of diagnosis lies before that of birth; correct one of them."
    assert _message(given) == message
    # Each patient is asked about once.
    assert [row for row in after(given) if row[0] == "V05"] == [("V05", "ada", "patients", "diagnosis")]


@pytest.mark.parametrize(
    ("change", "where", "cell"),
    [
        (("patients", "metastatic", date(2014, 3, 1)), {}, ("patients", "metastatic", 0, 1, "2014-03-01")),
        (("patients", "metastatic", date(2020, 1, 16)), {}, ("drugs", "start", 0, 2, "2020-01-15")),
        (("contacts", "date", date(2021, 1, 1)), {"status": "dead"}, ("contacts", "date", 0, 2, "2021-01-01")),
    ],
)
def test_v05_leads_to_the_cell_of_the_later_date(
    change: tuple[str, str, date], where: dict[str, Any], cell: tuple[object, ...]
) -> None:
    queries = through(study(), put(good(), *change, "ada", **where))["queries"].filter(pl.col("check") == "V05")
    assert queries.select("table", "field", "source", "row", "value").rows() == [cell]


def test_v05_compares_over_a_gap() -> None:
    given = put(good(), "patients", "diagnosis", None, "ada")
    given = put(given, "patients", "metastatic", date(1950, 1, 1), "ada")
    assert _message(given) == "The date of metastatic disease lies before that of birth; correct one of them."


def test_v05_the_same_day_is_in_order() -> None:
    given = put(good(), "patients", "metastatic", date(2020, 1, 15), "ada")
    given = put(given, "patients", "diagnosis", date(2020, 1, 15), "ada")
    assert _message(put(given, "contacts", "date", date(2021, 1, 15), "ada", status="dead")) is None


def test_v05_progression_on_an_earlier_line_is_no_violation() -> None:
    assert _message(add(good(), "assessments", patient="ada", date=date(2019, 12, 20), response="PD")) is None


# -------------------------------------------------------------------------------------- V06, V07: contact and death


@pytest.mark.parametrize(
    ("table", "field", "where"),
    [
        ("assessments", "date", {"response": "PD"}),
        ("drugs", "start", {"name": "palbociclib"}),
        ("drugs", "stop", {"name": "palbociclib"}),
    ],
)
def test_v06_nothing_happens_after_the_last_contact(table: str, field: str, where: dict[str, Any]) -> None:
    last = date(2022, 2, 1)
    assert ("V06", "ada", table, field) not in after(put(good(), table, field, last, "ada", **where))
    assert ("V06", "ada", table, field) in after(put(good(), table, field, last + DAY, "ada", **where))


def test_v06_a_patient_without_contacts_is_not_asked_about() -> None:
    given = good()
    given["contacts"] = given["contacts"].filter(pl.col("patient") != "bea")
    assert after(given) == []


def test_v07_dead_without_a_date() -> None:
    assert ("V07", "ada", "contacts", "date") in after(put(good(), "contacts", "date", None, "ada", status="dead"))


def test_v07_two_dates_of_death() -> None:
    given = add(good(), "contacts", patient="ada", date=date(2022, 2, 2), status="dead")
    messages = through(study(), given)["queries"]["message"].to_list()
    assert messages == ["There are two different dates of death; say which one is right."] * 2


def test_v07_the_same_date_twice_is_one() -> None:
    assert after(add(good(), "contacts", patient="ada", date=date(2022, 2, 1), status="dead")) == []


def test_v07_a_death_without_a_date_beside_one_with_is_no_second_date() -> None:
    given = add(good(), "contacts", patient="ada", date=None, status="dead")
    messages = through(study(), given)["queries"]["message"].to_list()
    assert messages == ["Dead, but without a date of death; add it."]


def test_v07_alive_after_death() -> None:
    assert after(add(good(), "contacts", patient="ada", date=date(2022, 3, 1), status="alive")) == [
        ("V07", "ada", "contacts", "date")
    ]


# -------------------------------------------------------------------------------------------------- V15, V16, V51


def test_v15_a_positive_patient_whom_the_criteria_let_in() -> None:
    given = through(study(), good())
    patients = given["patients"].with_columns(her2=pl.Series(["positive", "low"]))
    found = quality.run_checks("cohort", study(), {**given, "patients": patients})
    assert asked(dict(found)) == [("V15", "ada", "patients", None)]
    left_out = patients.with_columns(included=pl.lit(False))
    assert asked(dict(quality.run_checks("cohort", study(), {**given, "patients": left_out}))) == []


@pytest.mark.parametrize(
    ("ish", "wanted"), [(None, True), ("equivocal", True), ("negative", False), ("positive", False)]
)
def test_v16_ihc_2_needs_in_situ_hybridisation(ish: str | None, wanted: bool) -> None:
    found = after(put(good(), "samples", "ish", ish, "bea"))
    assert (("V16", "bea", "samples", "ihc") in found) == wanted


def test_v16_ihc_1_needs_none() -> None:
    assert not any(row[0] == "V16" for row in after(put(good(), "samples", "ihc", "1+", "bea")))


def test_v51_an_earlier_cdk46_inhibitor_in_any_setting() -> None:
    given = add(
        good(),
        "drugs",
        patient="bea",
        name="abemaciclib",
        start=date(2019, 12, 20),
        stop=date(2020, 1, 5),
        intent="adjuvant",
    )
    queries = through(study(), given)["queries"].filter(pl.col("check") == "V51")
    places = queries.select("patient", "table", "field", "source", "row", "value").rows()
    assert places == [("bea", "drugs", "name", 0, 99, "abemaciclib")]


def test_v51_leads_to_the_supplied_history_where_no_drug_record_tells() -> None:
    given = add(good(), "supplied", patient="bea", name="prior_cdk46", value="yes")
    queries = through(study(), given)["queries"].filter(pl.col("check") == "V51")
    assert queries.select("table", "field", "row", "value").rows() == [("supplied", "prior_cdk46", 99, "yes")]


# ------------------------------------------------------------------------------------------------- V31, V32, V33


def organs(**present: bool | None) -> Tables:
    """Give ada's organs: those named as they are said to be, all others not listed at all."""
    given = good()
    rows = given["organs"].filter(pl.col("patient") != "ada")
    given["organs"] = rows
    for organ, state in present.items():
        given = add(given, "organs", patient="ada", organ=organ, present=state)
    return given


def supplied(given: Tables, name: str, value: str) -> Tables:
    number = float(value) if value.replace(".", "").isdigit() else None
    given = put(given, "supplied", "value", value, "ada", name=name)
    return put(given, "supplied", "number", number, "ada", name=name)


def contradiction(check: str, given: Tables) -> bool:
    others = {"V31", "V32", "V33"} - {check}
    return any(row[0] == check and row[1] == "ada" for row in after(given) if row[0] not in others)


@pytest.mark.parametrize(
    ("value", "present", "wrong"),
    [
        ("true", {"bone": True}, False),  # of other organs nothing is known
        ("true", {"bone": True, "liver": True}, True),
        ("true", {"bone": True, "contralateral_breast": True}, False),  # not distant
        ("true", {"bone_marrow": True}, False),
        ("true", {"bone": False, "bone_marrow": False}, True),
        ("true", {"bone": False}, False),  # the marrow is unknown
        ("true", {"bone": True, "liver": None}, False),
        ("true", {"bone": True, "spleen": True}, True),  # an organ without a code
        ("false", {"bone": True}, False),
        ("false", {"bone": True, "liver": True}, False),
        ("unclear", {"bone": True, "liver": True}, False),
    ],
)
def test_v31_bone_only(value: str, present: dict[str, bool | None], wrong: bool) -> None:
    assert contradiction("V31", supplied(organs(**present), "bone_only", value)) == wrong


def test_v31_bone_alone_is_known_only_where_all_else_is_known_to_be_free() -> None:
    assert contradiction("V31", supplied(good(), "bone_only", "false"))


@pytest.mark.parametrize(
    ("value", "present", "wrong"),
    [
        ("true", {"liver": True}, False),
        ("true", {"bone": True}, False),  # the viscera are unknown
        ("false", {"bone": True}, False),
        ("false", {"liver": True}, True),
        ("false", {"cns": True}, True),
        ("false", {"liver": None}, False),
        ("0", {"lung": True}, True),
        ("yes", {"lung": True}, False),
    ],
)
def test_v32_visceral(value: str, present: dict[str, bool | None], wrong: bool) -> None:
    assert contradiction("V32", supplied(organs(**present), "visceral", value)) == wrong


def test_v32_all_viscera_known_to_be_free_contradict_visceral() -> None:
    assert contradiction("V32", supplied(good(), "visceral", "true"))


def test_v32_follows_the_study_s_own_definition() -> None:
    given = supplied(organs(cns=True), "visceral", "false")
    strict = STUDY.replace("{rule: visceral}", "{rule: visceral, definition: strict}")
    assert ("V32", "ada", "supplied", "visceral") not in after(given, strict)


@pytest.mark.parametrize(
    ("value", "present", "wrong"),
    [
        ("1", {"bone": True}, False),
        ("3", {"bone": True}, False),  # of thirteen organs nothing is known
        ("0", {"bone": True}, True),
        ("2", {"lung": True, "pleura": True}, False),
        ("1", {"lung": True, "pleura": True}, False),  # counted as one
        ("1", {"lung": True, "liver": True}, True),
        ("1", {"bone": True, "bone_marrow": True}, False),
    ],
)
def test_v33_number_of_organs(value: str, present: dict[str, bool | None], wrong: bool) -> None:
    assert contradiction("V33", supplied(organs(**present), "n_organs", value)) == wrong


def test_v33_more_than_all_that_can_be() -> None:
    assert contradiction("V33", supplied(good(), "n_organs", "2"))


def test_summaries_are_held_against_the_organs_at_the_index_date() -> None:
    later = add(organs(bone=True), "organs", patient="ada", organ="liver", present=True, date=date(2020, 6, 1))
    assert not any(row[1] == "ada" and row[0] in ("V31", "V32", "V33") for row in after(later))
    before = add(organs(bone=True), "organs", patient="ada", organ="liver", present=True, date=date(2020, 1, 10))
    assert {row[0] for row in after(before) if row[1] == "ada"} == {"V31", "V32", "V33"}


def test_a_row_without_an_organ_is_no_organ() -> None:
    assert not contradiction("V31", add(good(), "organs", patient="ada", organ=None, present=True))


# ------------------------------------------------------------------------------------------------ V47: durations


@pytest.mark.parametrize(
    ("value", "unit", "wrong"),
    [
        # 366 days from the dates: 12.0246 months.
        (12.0, "months", False),
        (12.1, "months", False),
        (11.9, "months", True),
        (12.2, "months", True),
        (366.0, "days", False),
        (367.0, "days", False),
        (365.0, "days", False),
        (368.0, "days", True),
        (364.0, "days", True),
        (52.3, "weeks", False),
        (53.0, "weeks", True),
        (1.0, "years", False),
        (1.2, "years", True),
    ],
)
@pytest.mark.parametrize("prefer", ["derived", "supplied"])
def test_v47_a_supplied_duration_is_held_against_the_dates(value: float, unit: str, wrong: bool, prefer: str) -> None:
    given = put(good(), "supplied", "number", value, "ada", name="pfs")
    given = put(given, "supplied", "unit", unit, "ada", name="pfs")
    found = after(given, STUDY.replace("{kind: pfs}", f"{{kind: pfs, prefer: {prefer}}}"))
    assert found == ([("V47", "ada", "supplied", "pfs")] if wrong else [])


@pytest.mark.parametrize("prefer", ["derived", "supplied"])
def test_v47_without_dates_there_is_nothing_to_compare(prefer: str) -> None:
    given = put(good(), "supplied", "number", 99.0, "ada", name="pfs")
    for table in ("assessments", "contacts"):
        given[table] = given[table].filter(pl.col("patient") != "ada")
    given["drugs"] = given["drugs"].filter((pl.col("patient") != "ada") | (pl.col("name") == "palbociclib"))
    found = after(given, STUDY.replace("{kind: pfs}", f"{{kind: pfs, prefer: {prefer}}}"))
    assert not any(row[0] == "V47" for row in found)


def test_v47_uses_the_words_of_the_endpoints() -> None:
    """The check reads why a candidate was passed over: the words must be those that the endpoints write."""
    protocol = study(text=STUDY.replace("{kind: pfs}", "{kind: pfs, prefer: supplied}"))
    found = through(protocol, good())
    assert "the supplied duration is used" in add_endpoints(protocol, found)["candidates"]["why"].to_list()


# --------------------------------------------------------------------------------- events whose date is unreadable


def unreadable_progression() -> Tables:
    given = put(good(), "assessments", "date", None, "ada", response="PD")
    question = located_query(given, "assessments", "date", response="PD")
    # Ada's supplied duration and death would tell the endpoint.
    given["supplied"] = given["supplied"].filter(~pl.col("name").str.starts_with("pfs"))
    given["contacts"] = given["contacts"].filter(pl.col("status") != "dead")
    return {**given, "queries": question}


def located_query(given: Tables, table: str, field: str, patient: str = "ada", **where: object) -> pl.DataFrame:
    """Give a reader's question about a date of a row."""
    frame = given[table]
    asked_row = frame.filter(row(frame, patient, **where)).select("centre", "patient", "source", "row")
    words = {"check": "V03", "severity": "error", "action": "set_missing", "table": table, "field": field}
    words |= {"message": "The date cannot be read.", "value": "31.02.21"}
    return fit(asked_row.with_columns(pl.lit(word).alias(name) for name, word in words.items()), PROVENANCE["queries"])


def test_a_progression_whose_date_cannot_be_read_is_asked_about_where_the_endpoint_hangs_on_it() -> None:
    found = through(study(), unreadable_progression())
    outcome = found["outcomes"].filter(pl.col("patient") == "ada")
    assert outcome.select("event", "reason").rows() == [(None, "event_without_date")]
    assert ("event_without_date", "ada", "assessments", "date") in asked(found)
    messages = found["queries"].filter(pl.col("check") == "event_without_date")["message"].to_list()
    assert messages == ["Until the date of this event is mended, it cannot be told: pfs."]


def test_a_dated_event_that_tells_the_endpoint_spares_the_question() -> None:
    given = add(unreadable_progression(), "contacts", patient="ada", date=date(2021, 3, 1), status="dead")
    assert not any(row[0] == "event_without_date" for row in after(given))


def test_nothing_is_asked_where_an_event_never_had_a_date() -> None:
    given = unreadable_progression()
    assert not any(row[0] == "event_without_date" for row in after({**given, "queries": given["queries"].clear()}))


# ------------------------------------------------------------------------------------------- what all have in common


def test_every_check_says_what_it_is() -> None:
    assert list(quality.ALL) == sorted(quality.ALL)
    wanted = ["V01", "V03", "V04", "V05", "V06", "V07", "V14", "V15", "V16", "V31", "V32", "V33", "V47", "V51"]
    assert set(wanted) <= set(quality.ALL)
    for name, check in quality.ALL.items():
        assert check.id == name
        assert check.stage in ("tables", "derived", "cohort")
        assert check.meaning
        assert check.policy != "set_missing" or check.stage == "tables"
    assert quality.CHECKS["V05"].startswith("dates out of order")


def _everything_wrong() -> Tables:
    given = supplied(supplied(supplied(organs(liver=True), "bone_only", "true"), "visceral", "false"), "n_organs", "0")
    given = put(given, "supplied", "number", 77.7, "ada", name="pfs")
    given = put(given, "patients", "diagnosis", date(1951, 7, 23), "ada")
    given = put(given, "contacts", "date", date(2023, 8, 24), "ada", status="alive")
    given = put(given, "samples", "ish", None, "bea")
    given = put(given, "drugs", "stop", date(2022, 9, 25), "bea", name="palbociclib")
    return add(given, "drugs", patient="bea", name="ribociclib", start=date(2020, 1, 11))


def test_no_message_holds_a_value() -> None:
    queries = through(study(), _everything_wrong())["queries"]
    assert {"V04", "V05", "V06", "V07", "V16", "V31", "V32", "V33", "V47", "V51"} <= set(queries["check"].to_list())
    texts = ("1951", "2023", "2022", "77.7", "ada", "bea", "ribociclib", "liver")
    for message in queries["message"].to_list():
        assert not any(text in message for text in texts), message
        assert message.endswith(".")
        assert "  " not in message


def test_a_query_holds_the_text_of_the_cell_apart() -> None:
    queries = through(study(), _everything_wrong())["queries"]
    cell = queries.filter(pl.col("check") == "V04", pl.col("table") == "contacts")
    assert cell.select("source", "row", "value").rows() == [(0, 1, "2023-08-24")]
    assert queries.filter(pl.col("check") == "V47")["value"].to_list() == ["12.0"]


def test_queries_do_not_depend_on_the_order_of_the_rows() -> None:
    given = _everything_wrong()
    turned = {name: frame.reverse() for name, frame in given.items()}
    columns = list(through(study(), given)["queries"].columns)
    assert asked(through(study(), given), *columns) == asked(through(study(), turned), *columns)
