"""What each kind of analysis gives for a handful of patients, worked out by hand."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

import polars as pl
import pytest

from analyses.builders import TYPES, frame, members, protocol, run
from riskset import analyses
from riskset.analyses import ascertainment, data_quality
from riskset.cohort import AnalysisSet, analysis_set
from riskset.progress import Progress
from riskset.results import DAYS_PER_MONTH, ResultRow, Results
from riskset.tables import CANONICAL, DERIVED, PROVENANCE, empty, fit


def patients(*rows: Sequence[Any], columns: str = "her2 pfs_days pfs_event") -> dict[str, list[Any]]:
    """List patients by the names of the columns."""
    return frame([dict(zip(columns.split(), row, strict=True)) for row in rows])


def values(results: Results, *shown: str, **key: Any) -> list[tuple[Any, ...]]:
    return [tuple(getattr(row, name) for name in shown) for row in results.select(**key)]


# ------------------------------------------------------------------------------------------------- Kaplan-Meier

FIVE = patients(
    ("zero", 100, 1),
    ("zero", 200, 0),
    ("zero", 300, 1),
    ("low", 150, 1),
    ("low", 400, 1),
    ("low", None, None),
    (None, 250, 1),
)


def test_survival_counts_everyone_with_an_outcome_and_groups_those_with_a_group() -> None:
    results = run("x: {kind: survival, endpoint: pfs, times_months: [6], rmst_months: null}", FIVE)
    sizes = {"analysis": "x", "method": None, "statistic": ("n", "events", "censored", "missing")}
    assert values(results, "group_level", "statistic", "value", **sizes) == [
        (None, "missing", 1),
        (None, "n", 6),
        (None, "events", 5),
        (None, "censored", 1),
        ("zero", "n", 3),
        ("zero", "events", 2),
        ("zero", "censored", 1),
        ("low", "n", 2),
        ("low", "events", 2),
        ("low", "censored", 0),
    ]


def test_medians_rates_and_numbers_at_risk_by_hand() -> None:
    results = run("x: {kind: survival, endpoint: pfs, times_months: [6], rmst_months: null}", FIVE)
    # zero: 2/3 after day 100, 0 at day 300. low: 1/2 from day 150 to day 400, so the median is the middle of these.
    medians = values(results, "group_level", "value", statistic="median")
    assert medians == [(None, 250.0), ("zero", 300.0), ("low", 275.0)]
    at_six_months = values(
        results, "group_level", "value", statistic="survival", method="kaplan_meier", time=6 * DAYS_PER_MONTH
    )
    assert at_six_months == [
        (None, pytest.approx(4 / 6)),
        ("zero", pytest.approx(2 / 3)),
        ("low", pytest.approx(1 / 2)),
    ]
    at_risk = values(results, "time", "value", statistic="at_risk", group_level="zero")
    # The longest time is 400 days, 13.1 months: a grid of 2 months.
    assert [t / DAYS_PER_MONTH for t, _ in at_risk] == pytest.approx([0, 2, 4, 6, 8, 10, 12])
    assert [n for _, n in at_risk] == [3, 3, 2, 2, 1, 0, 0]
    difference = results.one(statistic="survival_difference", variable="her2", level="low", reference="zero")
    assert difference.value == pytest.approx(1 / 2 - 2 / 3)


def test_the_curve_has_a_row_at_each_event_a_mark_at_each_censoring_and_the_end() -> None:
    results = run("x: {kind: survival, endpoint: pfs}", FIVE)
    curve = {"method": "curve", "group_level": "zero"}
    assert values(results, "time", "value", **curve, statistic="survival") == [
        (0.0, 1.0),
        (100.0, pytest.approx(2 / 3)),
        (300.0, 0.0),
    ]
    assert values(results, "time", "value", **curve, statistic="censored") == [(200.0, 1.0)]


def test_a_curve_that_ends_with_a_censoring_reaches_it() -> None:
    results = run("x: {kind: survival, endpoint: pfs}", patients(("zero", 100, 1), ("zero", 500, 0), ("low", 90, 1)))
    survival = values(results, "time", "value", method="curve", group_level="zero", statistic="survival")
    assert survival == [(0.0, 1.0), (100.0, 0.5), (500.0, 0.5)]


def test_a_population_of_which_membership_is_unknown_leaves_the_patient_out() -> None:
    people = frame(
        [
            {"her2": "zero", "line_group": "first", "pfs_days": 10, "pfs_event": 1},
            {"her2": "low", "line_group": "first", "pfs_days": 20, "pfs_event": 1},
            {"her2": "low", "line_group": "later", "pfs_days": 30, "pfs_event": 1},
            {"her2": "low", "line_group": None, "pfs_days": 40, "pfs_event": 1},
        ]
    )
    results = run("x: {kind: survival, endpoint: pfs, populations: [all, first_line, later_lines]}", people)
    n = {"statistic": "n", "method": None, "group": None}
    assert values(results, "population", "value", **n) == [(None, 4), ("first_line", 2), ("later_lines", 1)]


# ------------------------------------------------------------------------------------------------------- models

SIX = patients(
    ("zero", 10, 1, True, 50.0),
    ("zero", 30, 1, False, 61.0),
    ("zero", 50, 0, False, 44.0),
    ("low", 20, 1, True, 70.0),
    ("low", 40, 0, False, 39.0),
    ("low", 60, 1, None, None),
    columns="her2 pfs_days pfs_event visceral age",
)


def test_each_model_says_whom_it_used_and_whom_it_left_out() -> None:
    results = run("x: {kind: cox, endpoint: pfs, exposure: her2, adjust: [visceral], univariable: [her2, age]}", SIX)
    size = {"statistic": ("n", "events", "missing")}
    assert values(results, "statistic", "value", **size, method="cox_multivariable") == [
        ("n", 5),
        ("events", 3),
        ("missing", 1),
    ]
    univariable = values(results, "variable", "statistic", "value", **size, method="cox_univariable")
    assert univariable == [
        ("her2", "n", 6),
        ("her2", "events", 4),
        ("her2", "missing", 0),
        ("age", "n", 5),
        ("age", "events", 3),
        ("age", "missing", 1),
    ]


def test_terms_have_the_levels_that_they_contrast() -> None:
    results = run("x: {kind: cox, endpoint: pfs, exposure: her2, adjust: [visceral, age]}", SIX)
    terms = values(results, "variable", "level", "reference", method="cox_multivariable", statistic="hazard_ratio")
    assert terms == [("her2", "low", "zero"), ("visceral", "true", "false"), ("age", None, None)]


def test_a_model_without_strata_or_covariates_is_univariable_alone() -> None:
    results = run("x: {kind: cox, endpoint: pfs, exposure: her2}", SIX)
    assert {row.method for row in results} == {"cox_univariable"}


def test_subgroups_count_patients_by_exposure() -> None:
    results = run("x: {kind: subgroups, endpoint: pfs, exposure: her2, subgroups: [visceral]}", SIX)
    counts = values(results, "group_level", "level", "value", statistic="n", variable="her2")
    assert counts == [
        (None, "zero", 3),
        (None, "low", 3),
        ("false", "zero", 2),
        ("false", "low", 1),
        ("true", "zero", 1),
        ("true", "low", 1),
    ]
    # The patient of whom visceral disease is unknown is in no subgroup, and not in the interaction.
    assert results.one(statistic="p_interaction").n == 5


def test_contrasts_describe_each_level_inside_each_group() -> None:
    results = run("x: {kind: contrasts, endpoint: pfs, within: her2, contrasts: [visceral]}", SIX)
    medians = values(results, "group_level", "level", "value", "status", statistic="median")
    assert medians == [
        ("zero", "false", 30.0, "ok"),
        ("zero", "true", 10.0, "ok"),
        ("low", "false", None, "not_reached"),
        ("low", "true", 20.0, "ok"),
    ]


def test_schemes_give_a_block_for_each_scheme_that_has_outcomes() -> None:
    people = dict(SIX, fda_days=[10, 25, 50, 20, 40, 55], fda_event=[1, 0, 0, 1, 0, 1])
    results = run("x: {kind: schemes, endpoint: pfs, exposure: her2}", people)
    events = values(results, "scheme", "value", statistic="events", group=None)
    assert events == [("ema", 4), ("fda_a", 3)]
    assert {r.scheme for r in run("x: {kind: schemes, endpoint: pfs, exposure: her2}", SIX)} == {"ema"}


# ------------------------------------------------------------------------------------ follow-up, reasons, response


def test_follow_up_takes_events_as_censorings() -> None:
    people = patients(
        ("zero", 100, 0), ("zero", 200, 1), ("low", 300, 0), ("low", 400, 0), columns="her2 os_days os_event"
    )
    results = run("x: {kind: follow_up, endpoint: os}", people)
    median = results.one(statistic="follow_up_median", group=None)
    # 3/4 after day 100; the death at 200 leaves two; 3/8 after day 300.
    assert (median.value, median.endpoint, median.unit, median.n) == (300.0, "os", "days", 4)


def test_reasons_are_counted_apart_for_events_and_censorings() -> None:
    people = frame(
        [
            {"her2": "zero", "line_group": "first", "pfs_days": 10, "pfs_event": 1, "pfs_reason": "progression"},
            {"her2": "zero", "line_group": "later", "pfs_days": 20, "pfs_event": 0, "pfs_reason": "last_assessment"},
            {"her2": "low", "line_group": "first", "pfs_days": 30, "pfs_event": 1, "pfs_reason": "death"},
            {"her2": "low", "line_group": "first", "pfs_days": 40, "pfs_event": 0, "pfs_reason": None},
            {"her2": "low", "line_group": "first", "pfs_days": 50, "pfs_event": 0, "pfs_reason": "unknown"},
            {"her2": None, "line_group": "first", "pfs_days": 60, "pfs_event": 1, "pfs_reason": "death"},
        ]
    )
    results = run("x: {kind: reasons, endpoints: [pfs], populations: [all, first_line]}", people)
    key = {"variable": "reason", "statistic": "n"}
    assert values(results, "method", "level", "value", **key, group=None, population=None) == [
        ("event", "death", 2),
        ("event", "progression", 1),
        ("censored", "last_assessment", 1),
        ("censored", "unknown", 2),
    ]
    assert values(results, "level", "value", **key, group_level="low", population=None) == [
        ("death", 1),
        ("progression", 0),
        ("last_assessment", 0),
        ("unknown", 2),
    ]
    assert values(results, "level", "value", **key, group=None, population="first_line") == [
        ("death", 2),
        ("progression", 1),
        ("unknown", 2),
    ]


ANSWERS = patients(
    ("zero", "PR", True),
    ("zero", "NE", True),
    ("zero", "SD", False),
    ("zero", None, True),
    ("low", "CR", True),
    ("low", "PD", None),
    ("low", "PR", False),
    columns="her2 best_response measurable",
)


def test_response_has_three_denominators_and_says_who_is_in_none() -> None:
    results = run("x: {kind: response, endpoints: [orr]}", ANSWERS)
    size = {"group": None, "variable": None, "method": None}
    found = {
        population: tuple(
            results.one(**size, population=population, statistic=s).value for s in ("events", "n", "missing")
        )
        for population in (None, "measurable", "evaluable")
    }
    # All: the patient of whom nothing is known is missing. Measurable: she, and the one whose lesions are unknown.
    # Evaluable: NE leaves the denominator, but is not missing.
    assert found == {None: (3, 6, 1), "measurable": (2, 3, 2), "evaluable": (3, 5, 1)}


def test_not_evaluable_is_a_failure_among_all_and_shown() -> None:
    results = run("x: {kind: response, endpoints: [orr]}", ANSWERS)
    rate = results.one(statistic="rate", method="wilson", population=None, group_level="zero")
    assert (rate.value, rate.n, rate.events) == (pytest.approx(1 / 3), 3, 1)
    best = values(results, "level", "value", variable="best_response", statistic="n", group=None)
    assert best == [("CR", 1), ("PR", 2), ("SD", 1), ("PD", 1), ("NE", 1)]
    assert results.one(variable="best_response", statistic="missing", group=None).value == 1


def test_small_tables_are_tested_by_fisher() -> None:
    results = run("x: {kind: response, endpoints: [orr]}", ANSWERS)
    p = results.one(statistic="p_value", population=None)
    assert (p.method, p.value) == ("fisher_exact", pytest.approx(1.0))
    assert results.select(statistic="chi_square") == ()


# ------------------------------------------------------------------------------------------------------ Table 1


def test_proportions_are_of_those_with_a_value() -> None:
    people = frame(
        [
            {"her2": "zero", "visceral": True, "age": 40.0},
            {"her2": "zero", "visceral": None, "age": 50.0},
            {"her2": "low", "visceral": False, "age": 60.0},
            {"her2": "low", "visceral": True, "age": None},
        ]
    )
    results = run("x: {kind: baseline, variables: [visceral, age]}", people)
    yes = results.one(variable="visceral", level="true", statistic="proportion", group=None)
    assert (yes.value, yes.n) == (pytest.approx(2 / 3), 3)
    missing = values(results, "variable", "group_level", "value", "n", statistic="missing")
    assert missing == [
        ("visceral", None, 1, 4),
        ("visceral", "zero", 1, 2),
        ("visceral", "low", 0, 2),
        ("age", None, 1, 4),
        ("age", "zero", 0, 2),
        ("age", "low", 1, 2),
    ]
    age = {"variable": "age", "group": None}
    assert results.one(**age, statistic="mean").value == 50.0
    assert results.one(**age, statistic="median").unit == "years"
    one = results.one(variable="age", group_level="low", statistic="sd")
    assert (one.status, one.warning) == ("not_estimable", "One value has no standard deviation.")
    # P values are written only where they are asked for.
    assert results.select(statistic="p_value") == ()


def test_of_three_groups_the_largest_difference_is_given() -> None:
    people = frame(
        [
            {"ecog": level, "age": age}
            for level, ages in (("fit", (40, 50)), ("limited", (41, 51)), ("frail", (60, 70)))
            for age in map(float, ages)
        ]
    )
    results = run("x: {kind: baseline, variables: [age], by: ecog, p_values: true}", people)
    smd = results.one(statistic="smd")
    assert smd.value == pytest.approx(20 / 50**0.5)
    assert smd.warning == "The largest absolute difference of any two groups."
    assert results.one(statistic="p_value").method == "kruskal_wallis"


def test_a_date_is_no_number_of_table_1() -> None:
    study = """\
riskset: 1
study: {id: tiny, title: A tiny study}
centres: {north: {mapping: north.yaml}}
covariates: {relapse: {rule: column, column: relapse, type: date}}
analyses:
"""
    with pytest.raises(Exception, match="'relapse' is a date"):
        run(
            "x: {kind: baseline, variables: [relapse]}",
            {"relapse": [date(2020, 1, 1)]},
            study,
            {"relapse": pl.Date()},
        )


# ------------------------------------------------------------------- ascertainment and what runs for every study

MARKED = """\
riskset: 1
study: {id: tiny, title: A tiny study, conf_level: 0.9}
centres: {north: {mapping: north.yaml, data_cutoff: 2023-03-31}, south: {mapping: south.yaml}}
biomarkers:
  her2: {rules: asco_cap_2018, scheme: zero_low}
  hormone_receptors: {cut: 1}
eligibility:
  - {id: her2_class, where: "her2 IN ('zero', 'low')"}
comparison: {by: her2, reference: zero}
analyses:
"""


def _marked() -> AnalysisSet:
    """Five people screened, of whom one has no class and one is HER2-positive; three are in the study."""
    people = pl.DataFrame(
        {
            "centre": ["north", "north", "north", "south", "south"],
            "patient": ["a", "b", "c", "d", "e"],
            "her2": ["zero", "low", "positive", None, "low"],
            "her2_tissue": ["primary", "metastasis", "primary", None, "primary"],
            "her2_sample_date": [date(2019, 5, 1), date(2020, 5, 1), None, None, date(2020, 2, 1)],
            "her2_score": ["0_NOS", "1+", "3+", None, "2+"],
            "her2_ish": [None, None, None, None, "NEG"],
            "her2_reason": ["chosen", "chosen", "chosen", "no_sample", "chosen"],
            "hr": ["positive", "positive", "negative", None, "positive"],
            "hr_reason": ["chosen", "chosen", "chosen", "no_sample", "chosen"],
            "included": [True, True, False, False, True],
            "lost_at": [None, None, "her2_class", "her2_class", None],
            "lost_as": [None, None, "fails", "unknown", None],
        },
        schema_overrides={"her2": pl.Enum(["zero", "low", "positive"]), "hr": pl.Enum(["negative", "positive"])},
    )
    samples = pl.DataFrame(
        {
            "centre": ["north", "north", "north", "south", "south", "south"],
            "patient": ["a", "a", "b", "e", "e", "e"],
            "date": [date(2018, 1, 1), date(2019, 5, 1), date(2020, 5, 1), *[date(2019, k, 1) for k in (1, 2, 3)]],
            "her2_class": ["LOW", "ZERO", "LOW", "LOW", "INDETERMINATE", "LOW"],
            "hr_class": ["positive"] * 6,
            "source": [1] * 6,
            "row": [2, 3, 4, 5, 6, 7],
        }
    )
    attrition = pl.DataFrame(
        [("north", 1, "her2_class", 3, 1, 0, 2), ("south", 1, "her2_class", 2, 0, 1, 1)],
        schema=DERIVED["attrition"].types,
        orient="row",
    )
    sources = pl.DataFrame(
        [
            (1, "north", "north.xlsx", "A", "x", 3, "colour\tshoe size"),
            (2, "north", "north.xlsx", "A", "x", 3, None),
            (3, "south", "south.csv", None, "y", 2, None),
        ],
        schema=PROVENANCE["sources"].types,
        orient="row",
    )
    queries = pl.DataFrame(
        {
            "centre": ["north", "north", "south"],
            "patient": ["a", "b", "d"],
            "check": ["V05", "V05", "V16"],
            "severity": ["error", "error", "warning"],
            "action": ["reported", "reported", "reported"],
            "message": ["m", "m", "m"],
        }
    )
    tables = {name: empty(schema) for name, schema in {**CANONICAL, **DERIVED, **PROVENANCE}.items()}
    tables |= {"patients": people, "samples": samples, "attrition": attrition, "sources": sources}
    tables["queries"] = fit(queries, PROVENANCE["queries"])
    return analysis_set(protocol("x: {kind: ascertainment, biomarker: her2}", MARKED), tables)


@pytest.fixture(scope="module")
def marked() -> AnalysisSet:
    return _marked()


def ascertained(chosen: AnalysisSet, biomarker: str) -> Results:
    spec = analyses.SPECS["ascertainment"].model_validate({"kind": "ascertainment", "biomarker": biomarker})
    return Results(analyses.run_one("x", spec, chosen))


def test_ascertainment_counts_the_screened_and_the_included(marked: AnalysisSet) -> None:
    results = ascertained(marked, "her2")
    classes = {"variable": "her2", "group": None, "statistic": "n", "method": None}
    assert values(results, "level", "value", **classes, population="screened") == [
        ("zero", 1),
        ("low", 2),
        ("positive", 1),
        ("unknown", 1),
    ]
    assert values(results, "level", "value", **classes, population=None) == [
        ("zero", 1),
        ("low", 2),
        ("positive", 0),
        ("unknown", 0),
    ]
    by_year = values(
        results, "group_level", "value", statistic="n", group="her2_year", level="low", population="screened"
    )
    assert by_year == [("2018-2020", 2), ("unknown", 0)]
    crossed = results.one(population="screened", group_level="2+", variable="her2_ish", level="NEG")
    assert crossed.value == 1
    assert (
        results.one(population="screened", group="centre", group_level="south", level="unknown", statistic="n").value
        == 1
    )


def test_years_of_specimens_are_merged_to_periods_that_end_with_the_latest() -> None:
    years = pl.Series([2022, 2020, 2019, 2011, 2010, 2004, None], dtype=pl.Int32)
    assert ascertainment.period_of(years).to_list() == [
        "2020-2022", "2020-2022", "2017-2019", "2011-2013", "before 2011", "before 2011", "unknown",
    ]  # fmt: skip


def test_queries_say_in_words_what_was_asked() -> None:
    assert data_quality.meaning_of("V16") == "IHC 2+ without in situ hybridisation"
    assert data_quality.meaning_of("her2_lone_plus") == "A lone plus is read as HER2-positive"
    assert data_quality.meaning_of("unheard_of") is None


def test_agreement_is_between_the_first_and_the_last_classed_specimen(marked: AnalysisSet) -> None:
    results = ascertained(marked, "her2")
    same = results.one(method="first_against_last", statistic="n")
    assert (same.value, same.n) == (1, 2)
    assert results.one(statistic="kappa").n == 2


def test_hormone_receptors_are_read_from_their_own_columns(marked: AnalysisSet) -> None:
    results = ascertained(marked, "hormone_receptors")
    key = {"variable": "hormone_receptors", "group": None, "statistic": "n", "population": "screened", "method": None}
    assert values(results, "level", "value", **key) == [("positive", 3), ("negative", 1), ("unknown", 1)]
    # Of parts of which nothing is recorded there are no rows.
    assert {r.group for r in results} == {None, "centre", "hormone_receptors_reason"}


def test_attrition_gives_the_flow_of_all_and_of_each_centre(marked: AnalysisSet) -> None:
    results = Results(analyses.BUILT_IN["attrition"].run("attrition", marked))
    flow = {"variable": "her2_class", "statistic": ("entered", "fails", "unknown", "kept")}
    assert values(results, "value", **flow, group=None) == [(5,), (1,), (1,), (3,)]
    assert values(results, "value", **flow, group_level="south") == [(2,), (0,), (1,), (1,)]
    ends = values(results, "group_level", "population", "value", statistic="n")
    assert ends == [
        (None, "screened", 5),
        (None, "included", 3),
        ("north", "screened", 3),
        ("north", "included", 2),
        ("south", "screened", 2),
        ("south", "included", 1),
    ]


def test_data_quality_counts_rows_and_queries_and_names_what_was_not_read(marked: AnalysisSet) -> None:
    results = Results(analyses.BUILT_IN["data_quality"].run("data_quality", marked))
    rows = values(results, "group_level", "level", "value", statistic="rows")
    # One sheet read from two headers is two sources.
    assert rows == [("north", "north.xlsx [A]", 3), ("north", "north.xlsx [A] (2)", 3), ("south", "south.csv", 2)]
    assert values(results, "level", variable="unmapped_column") == [
        ("north.xlsx [A]: colour",),
        ("north.xlsx [A]: shoe size",),
    ]
    asked = values(results, "group_level", "variable", "level", "value", statistic="queries")
    assert asked == [
        ("north", None, None, 2),
        ("north", "V05", "error/reported", 2),
        ("south", None, None, 1),
        ("south", "V16", "warning/reported", 1),
    ]


def test_definitions_hold_every_parameter_with_its_default(marked: AnalysisSet) -> None:
    results = Results(analyses.BUILT_IN["definitions"].run("definitions", marked))
    said = {row.variable: row.text for row in results}
    assert said["study.conf_level"] == "0.9"
    assert said["study.plus_one"] == "false"
    assert said["biomarkers.her2.scheme"] == "zero_low"
    assert said["biomarkers.hormone_receptors.cut"] == "1"
    assert said["eligibility.her2_class.where"] == "her2 IN ('zero', 'low')"
    assert said["comparison.reference"] == "zero"
    assert said["analyses.x.biomarker"] == "her2"
    assert said["centres.north.data_cutoff"] == "2023-03-31"
    assert all(text for text in said.values())


# --------------------------------------------------------------------------------------------------- the registry


def test_every_kind_is_registered_under_its_own_name() -> None:
    assert list(analyses.SPECS) == sorted(analyses.SPECS)
    for kind, spec in analyses.SPECS.items():
        assert spec.model_fields["kind"].default == kind


def test_analyses_run_in_the_order_of_the_file_and_then_what_is_built_in() -> None:
    study = protocol("b: {kind: survival, endpoint: pfs}\na: {kind: follow_up, endpoint: pfs}")
    seen: list[Progress] = []
    plans = {"a": "exploratory", "b": "primary"}
    rows: list[ResultRow] = analyses.run_all(study, members(FIVE, study, TYPES), plans, seen.append)  # type: ignore[arg-type]
    assert list(dict.fromkeys(r.analysis for r in rows)) == ["b", "a", "attrition", "data_quality", "definitions"]
    assert {r.plan for r in rows if r.analysis == "a"} == {"exploratory"}
    assert {r.plan for r in rows if r.analysis == "b"} == {"primary"}
    assert [(p.done, p.total) for p in seen] == [(0, 2), (1, 2)]
    Results(rows)
