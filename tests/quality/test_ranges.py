"""Numbers that lie outside their range: percentages of receptors and Ki-67, the ECOG performance status."""

from __future__ import annotations

import polars as pl
import pytest

from quality.builders import STUDY, asked, good, put, study, through
from riskset import quality

Tables = dict[str, pl.DataFrame]
CLASSIFIED = STUDY.replace("biomarkers:\n", "biomarkers:\n  hormone_receptors: {cut: 1}\n")


def of(check: str, given: Tables, text: str = STUDY) -> list[tuple[object, ...]]:
    """Give centre, patient, table and field of the check's queries."""
    queries = through(study(text=text), given)["queries"].filter(pl.col("check") == check)
    return asked({"queries": queries}, "centre", "patient", "table", "field")


# --------------------------------------------------------------------------------------- V11: receptors, fractions


@pytest.mark.parametrize(
    ("text", "wanted"),
    [("900", True), ("-1", True), ("%101", True), ("100", False), ("0", False), ("99,5 %", False), (">90", False)],
)
@pytest.mark.parametrize("field", ["er", "pr"])
def test_v11_a_bare_percentage_lies_from_0_to_100(field: str, text: str, wanted: bool) -> None:
    expected = [("a", "ada", "samples", field)] if wanted else []
    assert of("V11", put(good(), "samples", field, text, "ada")) == expected


def test_v11_another_scale_is_no_percentage() -> None:
    given = put(good(), "samples", "er", "270", "ada")
    assert of("V11", put(given, "samples", "er_scale", "h_score", "ada")) == []


def test_v11_where_receptors_are_classified_the_classification_asks() -> None:
    found = through(study(text=CLASSIFIED), put(good(), "samples", "er", "900", "ada"))
    assert [row[0] for row in asked(found)] == ["receptor_er_impossible"]


def centre_of(field: str, *values: object) -> Tables:
    """Give a centre `b` whose specimens have these values of a field."""
    given = good()
    schema = given["samples"].schema
    rows = [{"centre": "b", "patient": f"p{n}", "source": 0, "row": n, field: v} for n, v in enumerate(values)]
    new = pl.DataFrame([{name: row.get(name) for name in schema} for row in rows], schema=schema)
    return {**given, "samples": pl.concat([given["samples"], new])}


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ((0.9, 0.5, 0.0), True),
        ((1.0, 1.0, 0.0, None), True),
        ((0.9, 0.5, 20.0), False),
        ((0.9, 0.5, -0.1), False),
        ((0.0, 0.0, 0.0), False),  # all negative
        ((0.9, 0.5), False),  # too few to tell
        ((0.9, 0.5, None), False),
    ],
)
@pytest.mark.parametrize("text", [STUDY, CLASSIFIED])
@pytest.mark.parametrize("field", ["er", "pr", "ki67"])
def test_v11_a_centre_whose_values_are_all_at_most_1(
    field: str, text: str, values: tuple[float | None, ...], wanted: bool
) -> None:
    told = values if field == "ki67" else [None if v is None else str(v) for v in values]
    found = [row for row in of("V11", centre_of(field, *told), text) if row[1] is None]
    assert found == ([("b", None, "samples", field)] if wanted else [])


def test_v11_a_question_about_a_centre_excludes_nobody() -> None:
    given = centre_of("ki67", 0.9, 0.5, 0.4)
    found = through(study("V11: exclude"), given)
    assert found["queries"].filter(pl.col("check") == "V11")["action"].to_list() == ["reported"]
    assert found["patients"]["included"].to_list() == [True, True]


# ---------------------------------------------------------------------------------------- V13: Ki-67; V35: ECOG


@pytest.mark.parametrize(
    ("value", "wanted"), [(500.0, True), (100.1, True), (-1.0, True), (100.0, False), (0.0, False), (None, False)]
)
def test_v13_ki67_lies_from_0_to_100(value: float | None, wanted: bool) -> None:
    expected = [("a", "ada", "samples", "ki67")] if wanted else []
    assert of("V13", put(good(), "samples", "ki67", value, "ada")) == expected


def test_v13_can_set_the_value_missing() -> None:
    given = put(good(), "samples", "ki67", 500.0, "ada")
    found = dict(quality.run_checks("tables", study("V13: set_missing"), given))
    assert found["samples"]["ki67"].to_list() == [None, None]
    assert asked(found, "check", "action", "value") == [("V13", "set_missing", "500.0")]


@pytest.mark.parametrize(
    "column",
    [
        pl.Series("ecog", [7, 4], dtype=pl.Int32),
        pl.Series("ecog", [-1.0, 0.0]),
        pl.Series("ecog", ["90", "not known"]),
    ],
)
def test_v35_ecog_in_a_column_of_patients(column: pl.Series) -> None:
    given = good()
    given["patients"] = given["patients"].with_columns(column)
    assert of("V35", given) == [("a", "ada", "patients", "ecog")]


@pytest.mark.parametrize(("value", "wanted"), [("5", True), ("-1", True), ("0", False), ("4", False)])
def test_v35_ecog_as_a_supplied_value(value: str, wanted: bool) -> None:
    given = good()
    new = {"centre": "a", "patient": "bea", "name": "ecog", "value": value, "number": float(value), "unit": None}
    rows = pl.DataFrame([{**new, "source": 0, "row": 99}], schema=given["supplied"].schema)
    given["supplied"] = pl.concat([given["supplied"], rows])
    assert of("V35", given) == ([("a", "bea", "supplied", "ecog")] if wanted else [])
