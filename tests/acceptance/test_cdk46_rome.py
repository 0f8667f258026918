"""138 real patients (not in this repository), against the figures that R gives for them and that their paper prints."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from riskset.results import DAYS_PER_MONTH, Results
from riskset.study import State, Study

HERE = Path(__file__).parent / "cdk46_rome"
# Computed by R's survival from the workbook itself; `reference.R` says how.
R = json.loads((HERE / "reference.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def state(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> State:
    folder = tmp_path_factory.mktemp("rome")
    for name in ("study.yaml", "mapping.yaml"):
        shutil.copy(HERE / name, folder / name)
    return Study.load(folder / "study.yaml", data=shared_data / "cdk46-rome").run()


@pytest.fixture(scope="module")
def results(state: State) -> Results:
    assert state.results is not None
    return state.results


def estimate(results: Results, **key: object) -> tuple[float, float, float]:
    row = results.one(analysis="pfs_her2", population=None, of=None, **key)
    low, high = results.interval(row)
    assert low is not None
    assert high is not None
    return tuple(r.value for r in (row, low, high))  # type: ignore[return-value]


def test_everybody_is_in_it(results: Results) -> None:
    assert results.one(analysis="pfs_her2", statistic="n", method=None, group=None).value == R["n"] == 138
    assert results.one(analysis="pfs_her2", statistic="events", method=None, group=None).value == R["events"] == 78


@pytest.mark.parametrize("group", [None, "zero", "low"])
def test_medians_agree_with_r_to_a_tenth_of_a_month(results: Results, group: str | None) -> None:
    ours = estimate(results, statistic="median", method="kaplan_meier", group=group and "her2", group_level=group)
    expected = R["median"][group or "all"]
    assert [days / DAYS_PER_MONTH for days in ours] == pytest.approx(expected, abs=0.05)


def test_the_hazard_ratio_agrees_with_r(results: Results) -> None:
    ours = estimate(results, statistic="hazard_ratio", method="cox", variable="her2", level="low", reference="zero")
    assert ours == pytest.approx(R["hazard_ratio"], abs=5e-4)
    p = results.one(analysis="pfs_her2", statistic="p_value", method="cox", of="hazard_ratio")
    assert p.value == pytest.approx(R["hazard_ratio_p"], abs=5e-4)


def test_follow_up_stands_on_pfs_and_says_so(results: Results) -> None:
    row = results.one(analysis="follow_up", statistic="follow_up_median", group=None)
    assert row.endpoint == "pfs"
    assert row.value is not None
    assert row.value / DAYS_PER_MONTH == pytest.approx(R["follow_up"], abs=0.05)


@pytest.mark.parametrize("group", ["low", "zero"])
def test_setting_inside_each_class(results: Results, group: str) -> None:
    row = results.one(analysis="pfs_contrasts", statistic="p_value", method="logrank", group_level=group)
    assert row.value == pytest.approx(R["setting_logrank_p"][group], abs=5e-4)


def test_the_interaction_does_not_bear_the_difference_out(results: Results) -> None:
    row = results.one(analysis="pfs_contrasts", statistic="p_interaction", variable="her2:setting")
    assert row.value == pytest.approx(R["interaction_p"], abs=5e-4)


def test_the_contradicting_bone_only_row_is_asked_about(state: State) -> None:
    asked = state.tables["queries"].filter(pl.col("check") == "V31")
    assert asked.height == 1
    cells = state.tables["sheets"].join(asked.select("source", "row"), on=["source", "row"], how="semi")
    found = dict(zip(cells["column"], cells["text"], strict=True))
    assert found["Bone_Only"] == "1"
    assert "1" in {found["M_Brain"], found["M_Liver"], found["M_Peritoneal"]}


def test_visceral_is_false_nowhere_because_no_lung_is_recorded(state: State) -> None:
    assert not (state.tables["patients"]["visceral"] == False).any()  # noqa: E712
    assert state.tables["patients"]["visceral"].any()
