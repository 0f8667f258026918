"""Laws that hold for the rows of any study."""

from __future__ import annotations

import json
import random
from dataclasses import replace
from typing import Any

import polars as pl
import pytest

from analyses.builders import STUDY, TYPES, run
from analyses.test_against_r import DECLARED, FILE
from riskset.results import KEY_FIELDS, ResultRow, Results

Columns = dict[str, list[Any]]


@pytest.fixture(scope="module")
def patients() -> Columns:
    columns: Columns = json.loads(FILE.read_text(encoding="utf-8"))["patients"]
    return columns


@pytest.fixture(scope="module")
def rows(patients: Columns) -> Results:
    return run(DECLARED, patients)


def by_key(results: Results) -> dict[tuple[Any, ...], ResultRow]:
    return {row.key: row for row in results}


def assert_same(ours: Results, theirs: Results, *, exact: bool = False) -> None:
    """The same keys; values equal, or as near as a sum in another order."""
    left, right = by_key(ours), by_key(theirs)
    assert left.keys() == right.keys()
    for key, row in left.items():
        other = right[key]
        assert (row.status, row.n, row.events) == (other.status, other.n, other.events), row.row
        if row.value is not None:
            expected = other.value if exact else pytest.approx(other.value, rel=1e-9, abs=1e-12)
            assert row.value == expected, row.row


def test_the_order_of_the_patients_changes_nothing(patients: Columns, rows: Results) -> None:
    order = list(range(len(patients["patient"])))
    random.Random(7).shuffle(order)
    shuffled = {name: [values[k] for k in order] for name, values in patients.items()}
    assert_same(run(DECLARED, shuffled), rows, exact=True)


def test_the_same_patients_give_the_same_bytes(patients: Columns, rows: Results) -> None:
    assert run(DECLARED, patients).to_json() == rows.to_json()


def test_the_names_of_the_groups_change_names_alone(patients: Columns, rows: Results) -> None:
    """Labels that sort the other way round: nothing may depend on the order of the alphabet."""
    called = {"zero": "untouched", "low": "marked", None: None}
    study = STUDY.replace("[zero, low]", "[untouched, marked]").replace("reference: zero", "reference: untouched")
    types = {**TYPES, "her2": pl.Enum(["untouched", "marked"])}
    renamed = run(DECLARED, {**patients, "her2": [called[h] for h in patients["her2"]]}, study, types)

    def word(text: str | None) -> str | None:
        return None if text is None else text.replace("untouched", "zero").replace("marked", "low")

    back = Results(
        replace(r, group_level=word(r.group_level), level=word(r.level), reference=word(r.reference)) for r in renamed
    )
    assert_same(back, rows, exact=True)


def test_swapping_the_reference_turns_the_contrasts_round(patients: Columns, rows: Results) -> None:
    swapped = run(DECLARED, patients, STUDY.replace("reference: zero", "reference: low"))
    pair = {"variable": "her2", "level": "low", "reference": "zero"}
    turned = {"variable": "her2", "level": "zero", "reference": "low"}
    compared = 0
    for row in rows.select(**pair, statistic=("hazard_ratio", "odds_ratio", "survival_difference", "rmst_difference")):
        key = {f: getattr(row, f) for f in KEY_FIELDS} | turned
        other = swapped.one(**key)
        if row.value is None:
            assert other.status == row.status
            continue
        low, high = rows.interval(row)
        low_turned, high_turned = swapped.interval(other)
        ratio = row.statistic.endswith("ratio")
        ends = [(row, other), (low, high_turned), (high, low_turned)]
        for a, b in ends:
            assert a is not None
            assert b is not None
            assert b.value == pytest.approx(1 / a.value if ratio else -a.value, rel=1e-9)
        compared += 1
    assert compared > 20
    for row in rows.select(variable="her2", statistic="p_value", method=("logrank", "cox_zph", "logrank_reversed")):
        assert swapped.one(**{f: getattr(row, f) for f in KEY_FIELDS}).value == pytest.approx(row.value, rel=1e-9)


def test_a_patient_without_a_covariate_changes_only_what_the_covariate_is_not_in(
    patients: Columns, rows: Results
) -> None:
    """One more patient, of whom visceral disease is unknown: models with it only count one more missing."""
    more = {name: [*values, None] for name, values in patients.items()}
    own = {"patient": "p999", "centre": "south", "her2": "low", "setting": "recurrent", "ecog": "fit"}
    own |= {"line_group": "first", "visceral": None, "age": 60.0, "pfs_days": 333, "pfs_event": 1}
    own |= {"os_days": 700, "os_event": 0, "pfs_reason": "progression", "fda_days": 333, "fda_event": 1}
    for name, value in own.items():
        more[name][-1] = value
    grown = run(DECLARED, more)
    models = {"analysis": "pfs_cox", "method": ("cox_multivariable", "cox_multivariable_stratified")}
    models_before = by_key(Results(rows.select(**models)))
    changed = {
        key: (models_before[key].value, row.value)
        for key, row in by_key(Results(grown.select(**models))).items()
        if row.value != models_before[key].value
    }
    assert {key[KEY_FIELDS.index("statistic")] for key in changed} == {"missing"}
    assert {after - before for before, after in changed.values()} == {1.0}
    # In what does not need visceral disease the patient counts.
    n = {"analysis": "pfs_her2", "statistic": "n", "method": None, "population": None, "group": None}
    assert grown.one(**n).value == rows.one(**n).value + 1
    # Where the subgroup is visceral disease itself, the patient is in no subgroup.
    inside = {"analysis": "pfs_subgroups", "method": "unadjusted", "group": "visceral", "statistic": "hazard_ratio"}
    assert [r.value for r in grown.select(**inside)] == [r.value for r in rows.select(**inside)]


def test_one_centre_for_all_is_no_stratification(patients: Columns) -> None:
    together = run(DECLARED, {**patients, "centre": ["west"] * len(patients["patient"])})
    key = {"analysis": "pfs_cox", "statistic": ("hazard_ratio", "conf_low", "conf_high", "p_value")}
    stratified = together.select(**key, method="cox_multivariable_stratified")
    plain = together.select(**key, method="cox_multivariable")
    assert len(plain) > 10
    assert [r.value for r in stratified] == pytest.approx([r.value for r in plain], rel=1e-9)


def test_groups_add_up_to_the_whole(rows: Results) -> None:
    for analysis in ("pfs_schemes", "response"):
        for whole in rows.select(analysis=analysis, statistic=("n", "events"), method=None, group=None, variable=None):
            key = {f: getattr(whole, f) for f in ("statistic", "scheme", "population", "endpoint")}
            parts = rows.select(analysis=analysis, **key, method=None, group="her2", variable=None)
            assert len(parts) == 2
            # Patients without a group are in the whole of `response` alone, where nobody is dropped for it.
            assert sum(p.value or 0 for p in parts) <= (whole.value or 0)
            if analysis == "pfs_schemes":
                assert sum(p.value or 0 for p in parts) == whole.value


def test_intervals_hold_their_estimate_and_p_agrees_with_them(rows: Results) -> None:
    checked = 0
    for row in rows:
        if row.statistic not in ("hazard_ratio", "rate", "rate_difference", "odds_ratio", "rmst", "survival", "median"):
            continue
        low, high = rows.interval(row)
        if row.value is None or low is None or high is None or low.value is None or high.value is None:
            continue
        assert low.value <= row.value <= high.value, row.row
        checked += 1
        if row.statistic == "hazard_ratio":
            key = {f: getattr(row, f) for f in KEY_FIELDS if f not in ("statistic", "of")}
            p = rows.one(**key, statistic="p_value", of="hazard_ratio").value
            assert p is not None
            assert (p < 0.05) == (not low.value <= 1 <= high.value), row.row
    assert checked > 200


def test_curves_only_fall_and_end_where_the_numbers_at_risk_do(rows: Results) -> None:
    for group in (None, "zero", "low"):
        curve = rows.select(
            analysis="os_her2", method="curve", statistic="survival", group=group and "her2", group_level=group
        )
        heights = [r.value for r in curve]
        assert len(heights) > 10
        assert heights == sorted(heights, reverse=True)
        times = [r.time for r in curve]
        assert times == sorted(set(times))
