"""Studies that break down: every analysis gives rows with a status and a reason, no crash, no infinite number."""

from __future__ import annotations

import math
from typing import Any

import pytest

from analyses.builders import frame, run
from analyses.test_against_r import DECLARED
from riskset.errors import StudyFileError, UsageError
from riskset.results import Results

Patients = list[dict[str, Any]]


def cohort(**changes: Any) -> Patients:
    """Give 24 patients in which everything can be estimated; `changes` overwrite a column of all of them."""
    people: Patients = []
    for k in range(24):
        person = {
            "centre": ("north", "south")[k % 2],
            "her2": ("zero", "low")[(k // 2) % 2],
            "setting": ("recurrent", "de_novo")[(k // 4) % 2],
            "ecog": ("fit", "limited", "frail")[k % 3],
            "line_group": ("first", "later")[k % 5 == 0],
            "visceral": k % 7 < 3,
            "age": 40.0 + (k * 7) % 31,
            "pfs_days": 100 + (k * 37) % 900,
            "pfs_event": int(k % 3 != 0),
            "pfs_reason": "progression" if k % 3 else "last_assessment",
            "fda_days": 90 + (k * 37) % 900,
            "fda_event": int(k % 4 != 0),
            "os_days": 1000 + k * 10,
            "os_event": int(k % 5 == 0),
            "best_response": ("CR", "PR", "SD", "PD", "NE")[k % 5],
            "measurable": k % 3 != 1,
        }
        people.append(person | changes)
    return people


def of_her2(people: Patients, level: str) -> Patients:
    return [p for p in people if p["her2"] == level]


def change(people: Patients, change_of: Any, where: Any = lambda p: True) -> Patients:
    return [{**p, **change_of(p)} if where(p) else p for p in people]


GOOD = cohort()

STUDIES: dict[str, Patients] = {
    "nobody": [],
    "nobody included": cohort(included=False),
    "one patient": GOOD[:1],
    "two patients": [of_her2(GOOD, "zero")[0], of_her2(GOOD, "low")[0]],
    "one group": of_her2(GOOD, "zero"),
    "only the other group": of_her2(GOOD, "low"),
    "one patient in a group": [*of_her2(GOOD, "zero"), of_her2(GOOD, "low")[0]],
    "no event": cohort(pfs_event=0, fda_event=0, os_event=0),
    "an event of everyone": cohort(pfs_event=1, fda_event=1, os_event=1),
    "no event in a group": change(GOOD, lambda p: {"pfs_event": 0, "fda_event": 0}, lambda p: p["her2"] == "low"),
    "one event": [{**p, "pfs_event": int(k == 5), "fda_event": int(k == 5)} for k, p in enumerate(GOOD)],
    "all at one time": cohort(pfs_days=100, fda_days=100, os_days=100),
    "all on day 0": cohort(pfs_days=0, fda_days=0, os_days=0),
    "some on day 0": [{**p, "pfs_days": 0, "os_days": 0} if k < 4 else p for k, p in enumerate(GOOD)],
    "no outcome": cohort(pfs_days=None, pfs_event=None, os_days=None, os_event=None),
    "missing covariate": cohort(visceral=None),
    "missing number": cohort(age=None),
    "missing group": cohort(her2=None),
    "constant covariates": cohort(visceral=True, ecog="fit", age=50.0),
    "constant setting": cohort(setting="de_novo"),
    "separation": change(GOOD, lambda p: {"pfs_event": int(p["visceral"]), "pfs_days": 500 - 400 * p["visceral"]}),
    "separation of a level": change(GOOD, lambda p: {"pfs_event": 0}, lambda p: p["ecog"] == "frail"),
    "collinear": change(GOOD, lambda p: {"visceral": p["setting"] == "de_novo", "line_group": "later"}),
    "empty population": cohort(line_group="later"),
    "nobody responds": cohort(best_response="PD"),
    "everyone responds": cohort(best_response="CR"),
    "no response known": cohort(best_response=None, measurable=None),
    "one centre": cohort(centre="west"),
}

COLUMNS = list(cohort()[0])


def results_of(people: Patients) -> Results:
    columns = frame(people) if people else {name: [] for name in COLUMNS}
    return run(DECLARED, columns)


@pytest.mark.parametrize("name", STUDIES)
def test_every_analysis_says_something_and_no_row_without_a_number_is_called_ok(name: str) -> None:
    results = results_of(STUDIES[name])
    for row in results:
        assert (row.value is not None) == (row.status == "ok"), row.row
        assert row.value is None or math.isfinite(row.value)
        # The ends of an interval share the reason of what they belong to.
        if row.status == "not_estimable" and row.statistic not in ("conf_low", "conf_high"):
            assert row.warning, row.row
    # Per analysis: rows at all, and the estimate that it is there for.
    wanted = {
        "pfs_her2": ("median", "hazard_ratio"),
        "os_her2": ("median", "hazard_ratio"),
        "pfs_cox": ("hazard_ratio", "n", "missing"),
        "pfs_subgroups": ("hazard_ratio", "p_interaction"),
        "pfs_contrasts": ("median", "hazard_ratio", "p_interaction"),
        "pfs_schemes": ("median", "hazard_ratio"),
        "follow_up": ("follow_up_median",),
        "reasons": ("n",),
        "response": ("rate", "rate_difference", "odds_ratio", "p_value"),
        "baseline": ("n", "missing", "smd"),
    }
    for analysis, statistics in wanted.items():
        if analysis == "pfs_schemes" and not people_have_outcomes(name):
            continue
        for statistic in statistics:
            assert results.select(analysis=analysis, statistic=statistic), (analysis, statistic)


def people_have_outcomes(name: str) -> bool:
    """Tell whether there is a row of outcomes at all; a study without one has no scheme."""
    return name not in ("nobody", "nobody included")


COX = {"analysis": "pfs_cox", "method": "cox_multivariable", "statistic": "hazard_ratio"}


def test_a_covariate_that_separates_has_no_hazard_ratio_and_says_so() -> None:
    results = results_of(STUDIES["separation"])
    row = results.one(**COX, variable="visceral")
    assert row.status == "not_estimable"
    assert "'visceral=true' separates the events" in row.warning
    # A level of another variable keeps its estimate.
    assert results.one(**COX, variable="line_group").status == "ok"


def test_a_constant_covariate_keeps_its_line_and_its_reason() -> None:
    results = results_of(STUDIES["constant covariates"])
    visceral = results.one(**COX, variable="visceral")
    assert "'visceral=true' is constant" in visceral.warning
    limited = results.one(**COX, variable="ecog", level="limited")
    assert (limited.status, limited.warning) == ("not_estimable", "No patient of this model has this level.")
    age = results.one(analysis="pfs_cox", method="cox_univariable", statistic="hazard_ratio", variable="age")
    assert "'age' is constant" in age.warning
    assert results.one(**COX, variable="her2").status == "ok"


def test_a_covariate_that_nobody_has_empties_the_model_and_is_counted() -> None:
    results = results_of(STUDIES["missing covariate"])
    row = results.one(**COX, variable="visceral")
    assert (row.status, row.warning) == ("not_estimable", "No patient has all covariates of this model.")
    size = {"analysis": "pfs_cox", "method": "cox_multivariable", "variable": None}
    assert results.one(**size, statistic="n").value == 0
    assert results.one(**size, statistic="missing").value == 24
    # The exposure's own model loses nobody.
    alone = {"analysis": "pfs_cox", "method": "cox_univariable", "variable": "her2"}
    assert results.one(**alone, statistic="missing").value == 0
    assert results.one(**alone, statistic="hazard_ratio").status == "ok"


def test_without_an_event_no_test_calls_the_groups_equal() -> None:
    results = results_of(STUDIES["no event"])
    tests = [r for r in results if r.statistic in ("p_value", "p_interaction") and r.analysis.startswith("pfs")]
    assert tests
    # Differences of two curves that are both flat at 1 have no P value either.
    assert {r.status for r in tests} == {"not_estimable"}
    median = results.one(analysis="pfs_her2", statistic="median", group=None, population=None)
    assert (median.status, median.n, median.events) == ("not_reached", 24, 0)


def test_no_joint_test_stands_on_an_infinite_coefficient() -> None:
    results = results_of(STUDIES["separation of a level"])
    joint = {"analysis": "pfs_cox", "method": "cox_multivariable", "variable": "ecog", "level": None}
    p = results.one(**joint, statistic="p_value", of="hazard_ratio")
    assert p.status == "not_estimable"
    assert "'ecog=frail' separates the events" in p.warning


def test_a_group_without_patients_keeps_its_lines() -> None:
    results = results_of(STUDIES["one group"])
    low = {"analysis": "pfs_her2", "population": None, "group": "her2", "group_level": "low"}
    assert results.one(**low, statistic="n").value == 0
    assert results.one(**low, statistic="median").warning == "No patient is in this group."
    contrast = {"analysis": "pfs_her2", "population": None, "variable": "her2", "level": "low", "reference": "zero"}
    for statistic in ("survival_difference", "rmst_difference", "hazard_ratio"):
        found = results.select(**contrast, statistic=statistic)
        assert found
        assert {r.status for r in found} == {"not_estimable"}


def test_times_beyond_follow_up_are_said_to_be() -> None:
    results = results_of([{**p, "pfs_days": 100 + 5 * k, "pfs_event": k % 2} for k, p in enumerate(cohort()[:23])])
    survival = results.select(
        analysis="pfs_her2", population=None, group=None, statistic="survival", method="kaplan_meier"
    )
    assert [r.status for r in survival] == ["ok", "beyond_follow_up", "beyond_follow_up", "beyond_follow_up"]
    rmst = results.one(analysis="pfs_her2", population=None, group=None, statistic="rmst")
    assert rmst.status == "beyond_follow_up"


def test_a_restricted_mean_needs_no_follow_up_after_the_last_event() -> None:
    people = [{**p, "pfs_days": 100 + 5 * k, "pfs_event": 1} for k, p in enumerate(cohort())]
    rmst = results_of(people).one(analysis="pfs_her2", population=None, group=None, statistic="rmst")
    # Everybody has had the event: the mean is that of the times themselves.
    assert rmst.value == pytest.approx(sum(p["pfs_days"] for p in people) / 24)


def test_an_event_on_day_0_is_the_first_point_of_the_curve() -> None:
    results = results_of(STUDIES["some on day 0"])
    start = results.one(
        analysis="pfs_her2", population=None, group=None, method="curve", statistic="survival", time=0.0
    )
    assert start.value == pytest.approx(1 - 2 / 24)


def test_an_entry_that_stands_twice_is_refused() -> None:
    for declared in (
        "x: {kind: baseline, variables: [age, ecog, age]}",
        "x: {kind: survival, endpoint: pfs, times_months: [6, 6]}",
        "x: {kind: survival, endpoint: pfs, populations: [all, all]}",
        "x: {kind: subgroups, endpoint: pfs, exposure: her2, subgroups: [ecog, ecog]}",
        "x: {kind: response, endpoints: [orr, orr]}",
    ):
        with pytest.raises(StudyFileError, match="stands twice"):
            run(declared, frame(cohort()))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("x: {kind: subgroups, endpoint: pfs, exposure: her2, subgroups: [her2]}", "its own subgroup"),
        ("x: {kind: contrasts, endpoint: pfs, within: her2, contrasts: [her2]}", "inside its own levels"),
        ("x: {kind: cox, endpoint: pfs, exposure: her2, by: ecog}", "leave `by` out"),
        ("x: {kind: schemes, endpoint: pfs, exposure: her2, by: ecog}", "leave `by` out"),
        ("x: {kind: response, endpoints: [orr], populations: [first_line]}", "leave `populations` out"),
        ("x: {kind: survival, endpoint: pfs, times_months: [0]}", "greater than 0"),
        ("x: {kind: survival, endpoint: pfs, times_months: [-6]}", "greater than 0"),
        ("x: {kind: survival, endpoint: pfs, rmst_months: 0}", "greater than 0"),
    ],
)
def test_what_an_analysis_would_pass_over_is_refused(declared: str, said: str) -> None:
    with pytest.raises(StudyFileError, match=said):
        run(declared, frame(cohort()))


@pytest.mark.parametrize(
    ("declared", "said"),
    [
        ("x: {kind: survival, endpoint: pfs, by: age}", "no levels"),
        ("x: {kind: survival, endpoint: orr}", "has no times"),
        ("x: {kind: subgroups, endpoint: pfs, exposure: her2, subgroups: [age]}", "no levels"),
    ],
)
def test_a_column_that_cannot_serve_is_named(declared: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        run(declared, frame(cohort()))
