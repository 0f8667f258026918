from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.ingest.numbers import column_separator, read_number
from riskset.ingest.sheet import Kind, number_text


@pytest.mark.parametrize(
    ("text", "decimal", "value"),
    [
        ("90", None, "90"), ("%90", None, "90"), ("90 %", None, "90"), ("% 12,5", ",", "12.5"), ("1,5", ",", "1.5"),
        ("1.5", ".", "1.5"), ("1.234,5", ",", "1234.5"), ("1,234.5", ".", "1234.5"), ("1.234", ",", "1234"),
        ("1,234", ".", "1234"), ("1.234.567", None, "1234567"), ("1.234,5", None, "1234.5"), ("0,125", None, "0.125"),
        ("1 234,5", ",", "1234.5"), ("-3", None, "-3"), ("−3,5", ",", "-3.5"), ("+7", None, "7"), (" 8 ", None, "8"),
    ],
)  # fmt: skip
def test_plain_numbers(text, decimal, value):
    reading = read_number(text, decimal=decimal)
    assert (reading.value, reading.note) == (Decimal(value), None)


@pytest.mark.parametrize(
    ("text", "value", "note"),
    [
        ("~20", "20", "approximate"), ("ca. 20", "20", "approximate"), ("<1", "0.5", "bound"), ("< %1", "0.5", "bound"),
        (">90", "90", "bound"), ("≥ 90", "90", "bound"), ("20-30", "25", "range"), ("20 – 30 %", "25", "range"),
        ("%20-%30", "25", "range"),
    ],
)  # fmt: skip
def test_bounds_and_ranges_come_with_a_note(text, value, note):
    reading = read_number(text)
    assert (reading.value, reading.note) == (Decimal(value), note)


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("1,234", None), ("1.234", None), ("1.5", ","), ("1,5", "."), ("12,34,5", ","), ("1.2.3", "."), ("nan", None),
        ("inf", None), ("1e5", None), ("30-20", None), ("yirmi", None), ("5 mm", None), ("", None), ("1,,5", ","),
        ("<", None), ("١٢x", None), ("12.", "."),
    ],
)  # fmt: skip
def test_what_cannot_be_told_is_not_guessed(text, decimal):
    reading = read_number(text, decimal=decimal)
    assert (reading.value, reading.note) == (None, "unreadable")


def test_kinds_of_cells_count():
    assert read_number("1.234", Kind.NUMBER, decimal=",").value == Decimal("1.234")
    for kind, text in [(Kind.DATE, "2020-05-03"), (Kind.ERROR, "#N/A"), (Kind.BOOLEAN, "TRUE")]:
        assert read_number(text, kind).note == "unreadable"


@pytest.mark.parametrize(
    ("texts", "separator"),
    [(["1,5", "1,234"], ","), (["1.234,5"], ","), (["1.5", "2"], "."), (["1,5", "1.5"], None), (["1,234"], None)],
)
def test_a_column_tells_its_separator(texts, separator):
    assert column_separator(texts) == separator


@given(st.decimals(-(10**9), 10**9, places=3), st.sampled_from([",", "."]), st.booleans())
def test_a_written_number_reads_back(value, decimal, grouped):
    text = f"{value:,.3f}" if grouped else f"{value:.3f}"
    if decimal == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    assert read_number(text, decimal=decimal).value == value


@given(st.floats(allow_nan=False, allow_infinity=False, width=32).map(lambda x: float(f"{x:.15g}")))
def test_number_cells_keep_their_value_as_text(value):
    text = number_text(value)
    assert float(text) == value
    assert read_number(text, Kind.NUMBER).value == Decimal(text)


@given(st.text(max_size=20), st.sampled_from(list(Kind)), st.sampled_from([None, ",", "."]))
def test_no_text_breaks_the_reader(text, kind, decimal):
    value = read_number(text, kind, decimal=decimal).value
    assert value is None or value.is_finite()
