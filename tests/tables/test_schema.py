"""Canonical tables: fitting a frame to its schema."""

from __future__ import annotations

import math
from datetime import date

import polars as pl
import pytest

from riskset.errors import DataRefusedError
from riskset.tables import BONE, CANONICAL, KEY, ORGANS, SCHEMAS, VISCERAL, empty, fit

PLACE = {"centre": ["a"], "patient": ["1"], "source": [1], "row": [2]}


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_an_empty_table_fits_its_own_schema(name: str) -> None:
    table = empty(SCHEMAS[name])
    assert fit(table, SCHEMAS[name]).schema == table.schema


@pytest.mark.parametrize("name", sorted(CANONICAL))
def test_every_canonical_row_says_who_and_where(name: str) -> None:
    for column in (*KEY, "source", "row"):
        found = CANONICAL[name].column(column)
        assert found is not None
        assert not found.nullable


def test_absent_columns_become_null_and_order_and_types_are_the_schemas() -> None:
    fitted = fit(pl.DataFrame({"row": [2], "source": [1], "patient": ["1"], "centre": ["a"]}), SCHEMAS["contacts"])
    assert fitted.columns == list(SCHEMAS["contacts"].types)
    assert fitted.schema["date"] == pl.Date
    assert fitted["date"].to_list() == [None]


def test_nan_becomes_null() -> None:
    fitted = fit(pl.DataFrame({**PLACE, "ki67": [math.nan]}), SCHEMAS["samples"])
    assert fitted["ki67"].to_list() == [None]


def test_an_open_table_keeps_further_columns_last_and_a_closed_one_refuses_them() -> None:
    fitted = fit(pl.DataFrame({"ecog": [1], **PLACE, "birth": [date(1960, 1, 1)]}), SCHEMAS["patients"])
    assert fitted.columns[-1] == "ecog"
    with pytest.raises(DataRefusedError, match="has no column 'ecog'"):
        fit(pl.DataFrame({"ecog": [1], **PLACE}), SCHEMAS["contacts"])


def test_a_row_without_its_key_is_refused() -> None:
    with pytest.raises(DataRefusedError, match="rows without 'patient'"):
        fit(pl.DataFrame({**PLACE, "patient": [None]}, schema_overrides={"patient": pl.String}), SCHEMAS["contacts"])


def test_organ_lists_name_known_organs_and_bone_is_never_visceral() -> None:
    for organs in VISCERAL.values():
        assert set(organs) <= set(ORGANS)
        assert not set(organs) & {*BONE, "skin", "distant_node"}
