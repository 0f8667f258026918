"""A claim agrees if our unrounded value rounds to what was printed, and with no other digit."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.claims import compare, load, rounds_to
from riskset.errors import StudyFileError
from riskset.results import DAYS_PER_MONTH, Results, RowWriter


def claims(*lines: str) -> str:
    return "claims: 1\nsource: {title: A paper}\npublished:\n" + "".join(f"  - {line}\n" for line in lines)


def results() -> Results:
    writer = RowWriter(analysis="pfs")
    writer.add("median", 16.0 * DAYS_PER_MONTH, method="kaplan_meier", unit="days", scheme="ema")
    writer.add("p_value", 0.0351, method="logrank", variable="her2")
    writer.add("rate", 62 / 100, method="wilson")
    writer.add("hazard_ratio", None, method="cox", variable="her2")
    return Results(writer.rows)


MEDIAN = "row: {analysis: pfs, statistic: median, method: kaplan_meier}"


def verdict(line: str):
    return compare(load(claims(line)), results())[0]


def test_a_median_in_months_agrees_at_its_printed_decimals():
    assert verdict(f'{{id: a, says: x, value: "16.0", unit: months, {MEDIAN}}}').agrees


@pytest.mark.parametrize("moved", ["15.9", "16.1", "17", "160.0"])
def test_moving_a_digit_turns_the_verdict_to_no(moved):
    assert not verdict(f'{{id: a, says: x, value: "{moved}", unit: months, {MEDIAN}}}').agrees


def test_a_percentage_and_a_statement():
    assert verdict(
        '{id: a, says: x, value: "62", unit: percent, row: {analysis: pfs, statistic: rate, method: wilson}}'
    ).agrees
    row = "row: {analysis: pfs, statistic: p_value, method: logrank, variable: her2}"
    assert verdict(f"{{id: a, says: x, expect: value < 0.05, {row}}}").agrees
    assert not verdict(f"{{id: a, says: x, expect: value >= 0.05, {row}}}").agrees
    assert verdict(f'{{id: a, says: x, value: "0.04", {row}}}').agrees


def test_an_absent_or_empty_row_never_agrees_and_says_why():
    absent = verdict('{id: a, says: x, value: "1", row: {analysis: pfs, statistic: median, method: other}}')
    empty = verdict(
        '{id: a, says: x, value: "1", row: {analysis: pfs, statistic: hazard_ratio, method: cox, variable: her2}}'
    )
    assert (absent.agrees, absent.why) == (False, "This study has no such result row.")
    assert (empty.agrees, empty.why) == (False, "Our row has no value (not_estimable).")


def test_a_unit_that_does_not_fit_never_agrees():
    assert not verdict(
        '{id: a, says: x, value: "0.04", unit: months, '
        "row: {analysis: pfs, statistic: p_value, method: logrank, variable: her2}}"
    ).agrees


@pytest.mark.parametrize(
    ("line", "part"),
    [
        ("{id: a, says: x, row: {analysis: pfs, statistic: n}}", "either 'value' or 'expect'"),
        ('{id: a, says: x, value: "1 month", row: {analysis: pfs, statistic: n}}', "number in quotes"),
        ('{id: a, says: x, value: "1", row: {analysis: pfs, statistik: n}}', "no part of a result row's key"),
        ("{id: a, says: x, expect: value is small, row: {analysis: pfs, statistic: n}}", "must read like"),
    ],
)
def test_a_claims_file_that_says_nothing_testable_is_refused(line, part):
    with pytest.raises(StudyFileError, match=part):
        load(claims(line))


@given(st.integers(0, 99_999), st.integers(0, 3), st.floats(-0.49, 0.49))
def test_whatever_lies_within_half_a_unit_agrees_and_the_neighbours_do_not(whole, decimals, off):
    step = 10.0**-decimals
    printed = f"{whole * step:.{decimals}f}"
    value = float(printed) + off * step
    assert rounds_to(value, printed)
    assert not rounds_to(value, f"{(whole + 2) * step:.{decimals}f}")


def test_a_list_where_the_format_version_belongs_is_told_without_its_values():
    with pytest.raises(StudyFileError) as told:
        load("claims:\n  - {id: median, value: '16.0'}\n", file="claims.yaml")
    messages = {problem.path: problem.message for problem in told.value.problems}
    assert messages["claims"] == "'claims' has to be 1, not a list."
    assert "16.0" not in str(told.value)
