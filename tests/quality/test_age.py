"""V10: an age that cannot be, or that contradicts the date of birth. Ada's index date is 15 January 2020."""

from __future__ import annotations

from datetime import date

import polars as pl
import pytest

from quality.builders import add, good, put, study, through


def found(given: dict[str, pl.DataFrame]) -> pl.DataFrame:
    return through(study(), given)["queries"].filter(pl.col("check") == "V10")


@pytest.mark.parametrize(
    ("birth", "wrong"),
    [
        (date(2002, 1, 15), False),  # eighteen on the index date
        (date(2002, 1, 16), True),
        (date(1919, 1, 16), False),
        (date(1919, 1, 15), True),  # a hundred and one
        (None, False),
    ],
)
def test_age_at_the_index_date(birth: date | None, wrong: bool) -> None:
    queries = found(put(good(), "patients", "birth", birth, "ada"))
    cells = queries.select("patient", "severity", "table", "field", "row", "value").rows()
    assert cells == ([("ada", "error", "patients", "birth", 1, str(birth))] if wrong else [])


@pytest.mark.parametrize(
    ("age", "severities"),
    [
        # By her date of birth she is 59.
        ("59", []),
        ("60.9", []),
        ("58", []),
        ("57", ["warning"]),
        ("61", ["warning"]),
        ("17", ["error", "warning"]),
        ("101", ["error", "warning"]),
    ],
)
def test_the_supplied_age(age: str, severities: list[str]) -> None:
    given = add(good(), "supplied", patient="ada", name="age", value=age, number=float(age))
    queries = found(given)
    assert sorted(queries["severity"].to_list()) == severities
    assert set(queries.select("table", "field", "row", "value").rows()) <= {("supplied", "age", 99, age)}


def test_a_supplied_age_alone_is_held_against_the_limits() -> None:
    given = add(good(), "supplied", patient="ada", name="age", value="17", number=17.0)
    assert found(put(given, "patients", "birth", None, "ada"))["severity"].to_list() == ["error"]
