"""Time zero and earlier CDK4/6 inhibitors, on tables that a clinician can read."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskset.errors import ConditionError, DataRefusedError
from riskset.protocol import MappingFile, Protocol, Vocabulary, load
from riskset.tables import PROVENANCE
from riskset.timeline import add_timeline, columns, drug_columns
from small_tables import by_patient, tables

CDK = "inn IN ('palbociclib', 'ribociclib') AND coalesce(intent, 'metastatic') = 'metastatic'"
PATIENTS = "patient\np1\np2\np3"


def study(where: str | None = CDK, *, pick: str = "first", table: str = "drugs", start: str = "start") -> Protocol:
    head = "riskset: 1\nstudy: {id: tiny, title: Tiny}\ncentres: {a: {mapping: a.yaml}}\n"
    if where is None:
        return load(head, Vocabulary())
    return load(f'{head}index: {{table: {table}, where: "{where}", pick: {pick}, date: {start}}}\n', Vocabulary())


def mapping(**further: object) -> MappingFile:
    block = {"file": "a.csv", "table": "patients", "fields": {"patient": {"column": "id"}}}
    return MappingFile.model_validate({"mapping": 1, "blocks": [block], **further})


def run(drugs: str, protocol: Protocol | None = None, mappings=None, supplied: str = "patient | name | value"):
    given_tables = tables(patients=PATIENTS, drugs=drugs, supplied=supplied)
    return add_timeline(protocol or study(), mappings or {"a": mapping()}, given_tables)


def test_the_first_row_that_meets_the_condition_is_time_zero():
    done = run("""
        patient | name     | start      | line | intent
        p1      | letrozol | 2019-01-01 | 1    | metastatic
        p1      | Ibrance  | 2020-03-01 | 2    | metastatic
        p1      | Kisqali  | 2021-01-01 | 3    | metastatic
        p2      | Kisqali  | 2018-05-05 | 1    |
        p3      | letrozol | 2018-05-05 | 1    |
    """)
    found = by_patient(done["patients"], "index_date", "index_drug", "index_source", "index_row", "physician_line")
    assert found == {
        "p1": (date(2020, 3, 1), "palbociclib", 0, 2, 2),
        "p2": (date(2018, 5, 5), "ribociclib", 0, 4, 1),
        "p3": (None, None, None, None, None),
    }


def test_the_last_row_can_be_asked_for():
    drugs = """
        patient | name    | start      | line
        p1      | Ibrance | 2020-03-01 | 2
        p1      | Kisqali | 2021-01-01 | 3
        p1      | Kisqali |            | 4
    """
    done = run(drugs, study(pick="last"))
    assert by_patient(done["patients"], "index_date", "physician_line")["p1"] == (date(2021, 1, 1), 3)


@pytest.mark.parametrize(
    ("rows", "treated"),
    [
        ("p1 | Ibrance  | 2020-03-01 |", True),
        ("p1 | Ibrance  | 2020-03-01 |\np1 | Kisqali | |", True),
        ("p1 | Ibrance  |            |", None),  # given, nobody can read when
        ("p1 | Ibrance  |            | adjuvant", False),
        ("p1 | letrozol |            |", False),
        ("p1 | letrozol | 2020-03-01 |", False),
        ("p1 |          |            |", None),
        ("p1 | studydrug |           |", None),
        ("p1 | studydrug | 2020-03-01 |", False),
        ("p1 | Palbocicilb | 2020-03-01 |", None),  # nearly the name of an index drug
        ("p1 | CDK4/6 inhibitor | 2020-03-01 |", None),  # palbociclib, perhaps
        ("p1 | chemotherapy |        |", False),
    ],
)
def test_treated_is_unknown_where_an_index_row_may_be_hidden(rows: str, treated: bool | None):
    # p3 shows which class an index drug has
    drugs = f"patient | name | start | intent\n{rows}\np3 | Kisqali | 2020-01-01 |\n"
    found = by_patient(run(drugs)["patients"], "treated")
    assert found == {"p1": treated, "p2": False, "p3": True}


def test_without_an_index_nobody_can_say_who_is_treated():
    done = run("patient | name | start\np1 | Ibrance | 2020-01-01", study(None))
    assert by_patient(done["patients"], "treated") == {"p1": None, "p2": None, "p3": None}


def test_treated_where_time_zero_comes_from_another_table():
    texts = {"patients": "patient | metastatic | sex\np1 | 2020-01-01 | male\np2 | | male\np3 | | female\np4 | |"}
    done = add_timeline(study("sex = 'male'", table="patients", start="metastatic"), {}, tables(**texts))
    assert by_patient(done["patients"], "treated") == {"p1": True, "p2": None, "p3": False, "p4": None}


def test_a_class_can_be_the_condition():
    done = run("patient | name | start\np1 | Verzenios | 2020-01-01", study("drug_class = 'cdk46'"))
    assert by_patient(done["patients"], "index_drug")["p1"] == "abemaciclib"


def test_time_zero_can_come_from_another_table():
    given_tables = tables(patients="patient | metastatic\np1 | 2020-01-01\np2 |", drugs="patient | name")
    done = add_timeline(study("sex IS NULL", table="patients", start="metastatic"), {}, given_tables)
    found = by_patient(done["patients"], "index_date", "index_drug", "physician_line")
    assert found == {"p1": (date(2020, 1, 1), None, None), "p2": (None, None, None)}


def test_a_co_pack_gives_two_drugs_of_one_row():
    done = run("patient | name | start\np1 | Kisqali Femara 600 mg | 2020-01-01")
    drugs = done["drugs"].select("row", "name", "inn", "atc", "drug_class").rows()
    assert drugs == [
        (1, "Kisqali Femara 600 mg", "ribociclib", "L01EF02", "cdk46"),
        (1, "Kisqali Femara 600 mg", "letrozole", "L02BG04", "aromatase_inhibitor"),
    ]
    assert by_patient(done["patients"], "index_drug", "prior_cdk46")["p1"] == ("ribociclib", False)
    assert done["queries"].is_empty()


def test_an_unknown_name_is_null_and_asked_about_without_its_text():
    done = run("patient | name | start\np1 | Palbocicilb | 2020-01-01\np2 | studydrug | 2020-01-01")
    assert done["drugs"]["inn"].to_list() == [None, None]
    asked = done["queries"]
    assert asked.select("patient", "check", "severity", "action", "row", "value").rows() == [
        ("p1", "V20", "warning", "set_missing", 1, "Palbocicilb"),
        ("p2", "V20", "warning", "set_missing", 2, "studydrug"),
    ]
    near, far = asked["message"].to_list()
    assert "palbociclib" in near
    assert "no known drug is near" in far
    assert not any(text in message for text in ("Palbocicilb", "studydrug") for message in (near, far))


def test_a_missing_name_is_no_unknown_name():
    done = run("patient | name | start\np1 | | 2020-01-01")
    assert done["drugs"]["inn"].to_list() == [None]
    assert done["queries"].is_empty()


def test_a_mapping_s_names_hold_for_its_centre_alone():
    drugs = "centre | patient | name | start\na | p1 | Kod7 | 2020-01-01\nb | p2 | Kod7 | 2020-01-01"
    given_tables = tables(patients="centre | patient\na | p1\nb | p2", drugs=drugs)
    own = {"a": mapping(drugs={"Kod7": "palbociclib"}), "b": mapping()}
    done = add_timeline(study(), own, given_tables)
    assert done["drugs"]["inn"].to_list() == ["palbociclib", None]
    assert done["queries"]["centre"].to_list() == ["b"]


@pytest.mark.parametrize(
    ("rows", "prior"),
    [
        # the index drug alone, then a later one
        ("p1 | Kisqali | 2020-01-01 | | metastatic", False),
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | Ibrance | 2021-01-01 | |", False),
        # an earlier one, whatever the setting
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | Verzenios | 2018-01-01 | | adjuvant", True),
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | CDK4/6i | 2018-01-01 | | adjuvant", True),
        # without a start it could be earlier; an end before time zero proves it
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | Verzenios | | | adjuvant", None),
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | Verzenios | | 2019-01-01 | adjuvant", True),
        # another drug is none
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | letrozol | 2015-01-01 | |", False),
        # an unread name near a CDK4/6 inhibitor may be one
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | abemaciklip | 2018-01-01 | |", None),
        ("p1 | Kisqali | 2020-01-01 | | metastatic\np1 | abemaciklip | 2021-01-01 | |", False),
        # no time zero
        ("p1 | letrozol | 2015-01-01 | |", None),
    ],
)
def test_an_earlier_cdk46_inhibitor(rows, prior):
    done = run("patient | name | start | stop | intent\n" + rows)
    assert by_patient(done["patients"], "prior_cdk46")["p1"] is prior


@pytest.mark.parametrize(
    ("earlier", "told", "prior"),
    [
        ("", "true", True),
        ("", "false", False),
        ("\np1 | Verzenios | ", "false", False),
        ("\np1 | Verzenios | ", "1", True),
        ("\np1 | Verzenios | 2018-01-01", "false", True),
        ("", "perhaps", False),
    ],
)
def test_what_the_centre_says_settles_what_is_unknown(earlier, told, prior):
    drugs = "patient | name | start\np1 | Kisqali | 2020-01-01" + earlier
    done = run(drugs, supplied=f"patient | name | value\np1 | prior_cdk46 | {told}")
    assert by_patient(done["patients"], "prior_cdk46")["p1"] is prior


def test_a_study_without_an_index_has_nulls_and_the_supplied_drug():
    supplied = "patient | name | value\np1 | index_drug | IBRANCE 125 mg\np2 | prior_cdk46 | true"
    done = run("patient | name | start\np1 | Kisqali | 2020-01-01", study(None), supplied=supplied)
    found = by_patient(done["patients"], "index_date", "index_drug", "index_row", "prior_cdk46")
    assert found["p1"] == (None, "palbociclib", None, None)
    assert found["p2"] == (None, None, None, True)


def test_the_columns_are_those_announced():
    done = run("patient | name | start\np1 | Kisqali | 2020-01-01")
    for name, dtype in columns(study()).items():
        assert done["patients"].schema[name] == dtype
    for name, dtype in drug_columns().items():
        assert done["drugs"].schema[name] == dtype
    assert done["queries"].schema == PROVENANCE["queries"].types


@pytest.mark.parametrize(
    ("protocol", "error", "message"),
    [
        (study(table="drug"), DataRefusedError, r"'drug', which does not exist \(did you mean 'drugs'\?\)"),
        (study(start="begin"), DataRefusedError, "'begin', which is no date column of 'drugs'"),
        (study("inm = 'x'"), ConditionError, "did you mean 'inn'"),
    ],
)
def test_an_index_that_fits_no_table_is_refused(protocol, error, message):
    with pytest.raises(error, match=message):
        run("patient | name | start\np1 | Kisqali | 2020-01-01", protocol)


DRUG_ROWS = st.lists(
    st.tuples(
        st.sampled_from(["p1", "p2"]),
        st.sampled_from(["Ibrance", "Kisqali", "Verzenios", "letrozol", "palbocicilb"]),
        st.sampled_from([date(2019, 1, 1), date(2020, 1, 1), date(2021, 1, 1), None]),
    ),
    max_size=6,
)


@settings(max_examples=40)
@given(DRUG_ROWS, st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(rows, random):
    base = tables(patients=PATIENTS, drugs="patient | name | start")
    schema = base["drugs"].schema
    written = [
        {"centre": "a", "patient": p, "name": name, "start": start, "source": 0, "row": row}
        for row, (p, name, start) in enumerate(rows, 1)
    ]
    shuffled = list(written)
    random.shuffle(shuffled)
    done = [
        add_timeline(study(), {}, base | {"drugs": pl.DataFrame(order, schema=schema)}) for order in (written, shuffled)
    ]
    for name in ("patients", "drugs", "queries"):
        assert done[0][name].equals(done[1][name])
    index = by_patient(done[0]["patients"], "index_date")
    starts = {
        p: min((s for q, name, s in rows if q == p and name in ("Ibrance", "Kisqali") and s), default=None)
        for p in ("p1", "p2")
    }
    assert {p: index[p] for p in starts} == starts
