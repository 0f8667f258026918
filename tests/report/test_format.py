"""Rounding: half up on the decimal value, and never across .05 or 1."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from riskset.report import format as fmt
from riskset.report.reader import Reader, end, printed
from riskset.results import DAYS_PER_MONTH, ResultRow, Results, RowWriter


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.4, ".40"),
        (0.399, ".40"),
        (0.04, ".04"),
        (0.0449, ".04"),
        (0.046, ".046"),
        (0.0496, ".0496"),
        (0.04996, ".04996"),
        (0.05, ".05"),
        (0.0503, ".0503"),
        (0.054, ".054"),
        (0.055, ".06"),
        (0.01, ".01"),
        (0.00996, ".010"),
        (0.0042, ".004"),
        (0.001, ".001"),
        (0.00099, "<.001"),
        (0.0, "<.001"),
        (1.0, ">.99"),
        (0.994, ".99"),
    ],
)
def test_p_values_as_journals_print_them(value: float, text: str) -> None:
    assert fmt.p_value(value) == text


@given(st.floats(0, 1))
@example(0.05 - 1e-12)
@example(0.05 + 1e-12)
@example(0.0495)
def test_a_printed_p_value_stays_on_its_side_of_the_level(value: float) -> None:
    text = fmt.p_value(value)
    shown = Decimal("0" + text.lstrip("<>"))
    if text[0] in "<>":
        assert shown != Decimal("0.05")
    elif value != 0.05 and abs(value - 0.05) > 1e-12:
        assert (shown < Decimal("0.05")) == (value < 0.05)
        assert shown != Decimal("0.05")


@given(st.floats(0, 1))
def test_p_values_show_three_decimals_or_fewer_far_from_the_level(value: float) -> None:
    if abs(value - 0.05) > 0.006:
        assert len(fmt.p_value(value)) <= 5


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [(2.675, 2, "2.68"), (0.5, 0, "1"), (-0.05, 1, "−0.1"), (-0.04, 1, "0.0"), (2020.0, 1, "2020.0")],
)
def test_half_is_rounded_up_on_the_decimal_value(value: float, digits: int, text: str) -> None:
    assert fmt.fixed(value, digits) == text


@given(st.decimals(0, 1000, places=3), st.integers(0, 2))
def test_rounding_is_that_of_the_written_decimal(number: Decimal, digits: int) -> None:
    exact = Decimal(repr(float(number)))
    assert abs(Decimal(fmt.fixed(float(number), digits)) - exact) <= Decimal(1).scaleb(-digits) / 2


@pytest.mark.parametrize(
    ("value", "text", "as_end"),
    [
        (0.998, "1.00", "0.998"),
        (1.0, "1.00", "1.00"),
        (1.0049, "1.00", "1.005"),
        (1.0001, "1.00", "1.0001"),
        (0.63, "0.63", "0.63"),
    ],
)
def test_an_interval_that_leaves_out_one_is_not_printed_as_touching_it(value: float, text: str, as_end: str) -> None:
    assert fmt.ratio(value) == text
    assert fmt.ratio(value, end=True) == as_end


def test_days_become_months_and_fractions_per_cent_once() -> None:
    assert fmt.months(15 * DAYS_PER_MONTH) == "15.0"
    assert fmt.percent(80 / 112) == "71.4"
    assert fmt.percent(0.0005, 1) == "0.1"
    assert fmt.count(12345) == "12,345"


def _row(**fields: object) -> ResultRow:
    return ResultRow(analysis="a", **{"statistic": "median", "unit": "days", **fields})


def test_what_is_not_reached_or_not_estimable_says_so() -> None:
    assert printed(_row(status="not_reached")).text == "NR"
    not_estimable = printed(_row(statistic="hazard_ratio", status="not_estimable", warning="It separates."))
    assert (not_estimable.text, not_estimable.note) == ("n/a", "It separates.")
    assert end(None).text == "NR"
    assert printed(None).text == "–"


def test_an_estimate_is_printed_with_its_interval_and_every_number_knows_its_row() -> None:
    w = RowWriter(analysis="pfs", method="kaplan_meier")
    w.estimate("median", 20.9 * DAYS_PER_MONTH, 12.4 * DAYS_PER_MONTH, None, missing="not_reached", unit="days")
    w.within(method="kaplan_meier", time=30.4375).estimate("survival_difference", 0.042, -0.09, 0.17)
    results = Results(w.rows)
    reader = Reader(None, results)
    median = reader.estimate(reader.find("pfs", "median"))
    assert "".join(p.text for p in median) == "20.9 (12.4–NR)"
    assert all(p.row in results.by_name for p in median if any(c.isdigit() for c in p.text))
    assert "".join(p.text for p in reader.estimate(reader.find("pfs", "survival_difference"))) == "4.2 (−9.0 to 17.0)"
