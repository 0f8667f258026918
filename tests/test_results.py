"""The result row: what identifies it, what it may hold, and that it survives being written."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import ReportRefusedError, RisksetError
from riskset.results import KEY_FIELDS, STATISTICS, ResultRow, Results, RowWriter, short_name


def row(statistic: str = "median", **key: object) -> ResultRow:
    return ResultRow(analysis="pfs_her2", statistic=statistic, **key)  # type: ignore[arg-type]


def test_a_name_is_the_readable_form_of_the_key() -> None:
    contrast = row("hazard_ratio", variable="her2", level="low", reference="zero", population="first_line")
    assert short_name(contrast) == "pfs_her2/hazard_ratio[her2=low:zero|first_line]"
    end = row("conf_low", of="survival", group="her2", group_level="low", time=182.625)
    assert short_name(end) == "pfs_her2/conf_low(survival)[in her2=low, day 182.625]"


def test_method_and_scheme_enter_a_name_only_where_two_rows_would_share_it() -> None:
    rows = Results([row("p_value", method="logrank"), row("p_value", method="cox"), row("n", method="cox")])
    assert list(rows.by_name) == ["pfs_her2/p_value{logrank}", "pfs_her2/p_value{cox}", "pfs_her2/n"]


def test_the_same_key_twice_is_refused() -> None:
    with pytest.raises(RisksetError, match="written twice"):
        Results([row(value=1.0), row(value=2.0)])


def test_a_word_that_nobody_declared_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(RisksetError, match=r"did you mean 'hazard_ratio'\?"):
        row("hazard_ration")


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_no_row_holds_a_number_that_is_none(value: float) -> None:
    with pytest.raises(RisksetError, match="no finite number"):
        row(value=value)


@pytest.mark.parametrize("value", [None, math.nan, math.inf])
def test_a_writer_turns_what_is_no_number_into_a_status(value: float | None) -> None:
    writer = RowWriter(analysis="a")
    writer.add("median", value)
    writer.estimate("hazard_ratio", 1.5, 0.5, value, missing="not_reached")
    assert [(r.statistic, r.of, r.value, r.status) for r in writer.rows] == [
        ("median", None, None, "not_estimable"),
        ("hazard_ratio", None, 1.5, "ok"),
        ("conf_low", "hazard_ratio", 0.5, "ok"),
        ("conf_high", "hazard_ratio", None, "not_reached"),
    ]


def test_a_writer_within_another_adds_to_the_same_rows() -> None:
    writer = RowWriter(analysis="a", endpoint="pfs")
    writer.within(group="her2", group_level="low").add("n", 3)
    assert [(r.endpoint, r.group_level, r.value, r.unit) for r in writer.rows] == [("pfs", "low", 3.0, "patients")]


def test_find_gives_one_row_or_none_and_refuses_to_choose() -> None:
    rows = Results([row("p_value", method="logrank", value=0.4), row("p_value", method="cox", value=0.5)])
    found = rows.find(method="cox")
    assert found is not None
    assert found.value == 0.5
    assert rows.find(method="none") is None
    with pytest.raises(ReportRefusedError, match="2 result rows fit"):
        rows.find(statistic="p_value")
    with pytest.raises(ReportRefusedError, match="No result row fits"):
        rows.one(statistic="median")


def test_the_interval_of_a_row_is_found_by_its_key() -> None:
    writer = RowWriter(analysis="a", group="her2", group_level="low")
    writer.estimate("median", 10.0, 8.0, None, missing="not_reached", unit="days")
    rows = Results(writer.rows)
    low, high = rows.interval(rows.one(statistic="median"))
    assert low is not None
    assert high is not None
    assert (low.value, high.status) == (8.0, "not_reached")


names = st.none() | st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=8)
numbers = st.none() | st.floats(allow_nan=False, allow_infinity=False)


@given(
    st.lists(
        st.builds(
            ResultRow,
            analysis=st.sampled_from(["a", "b"]),
            statistic=st.sampled_from(sorted(STATISTICS)),
            group=names,
            level=names,
            time=st.none() | st.floats(0, 1e6),
            value=numbers,
            text=names,
            n=st.none() | st.integers(0, 10**9),
        ),
        unique_by=lambda r: r.key,
        max_size=8,
    )
)
def test_rows_survive_being_written_and_equal_rows_give_equal_bytes(rows: list[ResultRow]) -> None:
    first = Results(rows)
    again = Results.from_json(first.to_json())
    assert list(again) == list(first)
    assert again.to_json() == first.to_json()
    frame = first.to_frame()
    assert frame.height == len(rows)
    assert set(KEY_FIELDS) < set(frame.columns)
