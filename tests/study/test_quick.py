"""`riskset.quick`: the numbers are those of the engine, whatever the frame was."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

import riskset
from riskset.errors import DataRefusedError
from riskset.results import ResultRow
from riskset.survival import Surv, fit_cox, kaplan_meier, logrank_test

RNG = np.random.default_rng(20250627)
DAYS = RNG.integers(1, 1500, 120)
EVENT = (RNG.random(120) < 0.6).astype(int)
ARM = np.where(RNG.random(120) < 0.5, "new", "old")
FRAME = pl.DataFrame({"days": DAYS, "dead": EVENT, "arm": ARM})


def one(found: riskset.Quick, **key: object) -> ResultRow:  # type: ignore[name-defined]
    return found.results.one(analysis="quick", **key)


def test_the_numbers_are_those_of_the_engine() -> None:
    found = riskset.quick(FRAME, "days", "dead", "arm", reference="old")
    surv = Surv(DAYS.astype(float), EVENT)
    fit = fit_cox(surv, (ARM == "new").astype(float)[:, None])
    expected = fit.hazard_ratio(0.95)[0]
    row = one(found, statistic="hazard_ratio", variable="group", level="new", reference="old")
    low, high = found.results.interval(row)
    assert low is not None
    assert high is not None
    assert [row.value, low.value, high.value] == pytest.approx([expected.value, expected.low, expected.high], rel=1e-12)
    test = logrank_test(surv, ARM)
    assert one(found, statistic="p_value", method="logrank").value == pytest.approx(test.p_value, rel=1e-12)
    curve = kaplan_meier(surv).median()
    median = one(found, statistic="median", group=None)
    assert median.value == curve.value
    assert (median.n, median.events) == (120, int(EVENT.sum()))


def test_a_dict_and_a_frame_of_booleans_give_the_same() -> None:
    frame = riskset.quick(FRAME, "days", "dead", "arm")
    columns = {"days": DAYS.tolist(), "dead": [bool(e) for e in EVENT], "arm": ARM.tolist()}
    assert riskset.quick(columns, "days", "dead", "arm").results.to_json() == frame.results.to_json()


def test_without_groups_all_are_described() -> None:
    found = riskset.quick(FRAME, "days", "dead")
    assert one(found, statistic="n", method=None).value == 120
    assert found.results.select(statistic="hazard_ratio") == ()


def test_levels_follow_an_enum_and_the_reference() -> None:
    dose = pl.Series("dose", np.tile(["high", "low", "none"], 40), dtype=pl.Enum(["none", "low", "high"]))
    found = riskset.quick(FRAME.with_columns(dose), "days", "dead", "dose")
    pairs = [(r.level, r.reference) for r in found.results.select(statistic="hazard_ratio", of=None)]
    assert pairs == [("low", "none"), ("high", "none")]


def test_incomplete_rows_are_left_out_and_counted() -> None:
    gaps = FRAME.with_columns(
        pl.when(pl.int_range(pl.len()) == 3).then(None).otherwise(pl.col("days")).alias("days"),
        pl.when(pl.int_range(pl.len()) == 7).then(None).otherwise(pl.col("arm")).alias("arm"),
    )
    found = riskset.quick(gaps, "days", "dead", "arm")
    assert found.dropped == 2
    assert one(found, statistic="n", method=None, group=None).value == 118


def test_a_notebook_shows_tables_and_a_curve_without_script() -> None:
    found = riskset.quick(FRAME, "days", "dead", "arm")
    page = found._repr_html_()
    assert "<table" in page
    assert "<svg" in page
    assert "<script" not in page
    assert "curve" not in found.table()["method"].to_list()


def test_printing_it_shows_the_rows_in_months_and_days() -> None:
    frame = pl.DataFrame({"t": [100, 200, 300, 400, 500, 600, 700, None], "e": [1] * 7 + [0], "arm": [*"aaaabbb", "b"]})
    found = riskset.quick(frame, "t", "e", "arm")
    lines = repr(found).splitlines()
    assert lines[0].split("  ")[0] == "arm"
    assert "median, months (CI)" in lines[0]
    assert "median, days (CI)" in lines[0]
    # Of four deaths at 100 to 400 days the median lies between the second and the third: 250 days are 8.2 months.
    [a] = [line.split() for line in lines if line.startswith("a ")]
    assert a[:4] == ["a", "4", "4", "8.2"]
    assert "250" in a
    p = one(found, statistic="p_value", method="logrank").value
    assert p is not None
    [printed] = [line.split(": ")[1] for line in lines if line.startswith("Log-rank P")]
    assert float(printed) == pytest.approx(p, abs=0.005)
    assert any(line.startswith("Hazard ratio b against a: ") for line in lines)
    assert "1 incomplete rows left out" in lines[-1]


def test_printing_without_groups_shows_all_and_no_comparison() -> None:
    lines = repr(riskset.quick(FRAME, "days", "dead")).splitlines()
    assert [line.split()[:3] for line in lines[1:2]] == [["all", "120", str(int(EVENT.sum()))]]
    assert len(lines) == 3


def test_a_median_that_is_not_reached_prints_as_such() -> None:
    frame = {"t": [10, 20, 30, 40], "e": [1, 0, 0, 0]}
    assert "NR (" in repr(riskset.quick(frame, "t", "e"))


@pytest.mark.parametrize(
    ("frame", "by", "words"),
    [
        (FRAME.rename({"days": "day"}), "arm", "no column 'days'.*did you mean 'day'"),
        (FRAME.with_columns(pl.col("days") + 0.5), "arm", r"fractions of a day.*months x 30\.4375"),
        (FRAME.with_columns(-pl.col("days")), "arm", "below 0"),
        (FRAME.with_columns(pl.col("dead") + 1), "arm", "more than 0 and 1"),
        (FRAME.with_columns(pl.lit("x").alias("dead")), "arm", "'dead' holds no numbers"),
        (FRAME.with_columns(pl.lit(float("inf")).alias("days")), "arm", "whole days"),
        (FRAME.with_columns(pl.lit(None, pl.String).alias("arm")), "arm", "holds no group"),
        (FRAME.with_columns(pl.lit(None, pl.Int32).alias("days")), "arm", "No row of the frame"),
        (FRAME.clear(), None, "No row of the frame"),
        ("days.csv", "arm", "cannot be read as a table"),
    ],
)
def test_what_is_refused(frame: object, by: str | None, words: str) -> None:
    with pytest.raises(DataRefusedError, match=words):
        riskset.quick(frame, "days", "dead", by)


def test_an_unknown_reference_is_suggested() -> None:
    with pytest.raises(DataRefusedError, match="did you mean 'old'"):
        riskset.quick(FRAME, "days", "dead", "arm", reference="olt")
