"""Each rule fires on rows that break it, and on no others; a review changes no row."""

from __future__ import annotations

from typing import Any

import pytest

from riskset import covariates, endpoints
from riskset.claims import Verdict
from riskset.protocol import Protocol, Vocabulary, load
from riskset.results import ResultRow, Results
from riskset.review import RULES, Finding, review

STUDY = """\
riskset: 1
study: {id: tiny, title: A tiny study}
centres: {a: {mapping: a.yaml}}
covariates: {her2: {rule: column, column: her2, levels: [zero, low]}}
endpoints: {pfs: {kind: pfs}, os: {kind: os}, orr: {kind: response, success: [CR, PR], sd_min: 0}}
comparison: {by: her2, reference: zero}
"""


def protocol(more: str = "", text: str = STUDY) -> Protocol:
    return load(text + more, Vocabulary(covariates=covariates.SPECS, endpoints=endpoints.SPECS))


def row(analysis: str, statistic: str, value: float | None, **key: Any) -> ResultRow:
    status = "ok" if value is not None else "not_estimable"
    return ResultRow(analysis=analysis, statistic=statistic, value=value, **{"status": status, **key})


def found(*rows: ResultRow, verdicts: list[Verdict] | None = None, more: str = "") -> list[Finding]:
    return review(Results(rows), protocol(more), verdicts or [])


def told(*rows: ResultRow, **given: Any) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity) for finding in found(*rows, **given)]


# ------------------------------------------------------------------ L01: a difference in significance is no difference


def inside(level: str, p: float | None) -> ResultRow:
    key = {"method": "logrank", "group": "her2", "group_level": level, "variable": "setting"}
    return row("contrasts", "p_value", p, **key)


def interaction(p: float | None) -> ResultRow:
    return row("contrasts", "p_interaction", p, method="unadjusted", variable="her2:setting")


@pytest.mark.parametrize(
    ("zero", "low", "p", "expected"),
    [
        (0.40, 0.01, 0.20, [("L01", "warning")]),
        (0.01, 0.40, 0.05, [("L01", "warning")]),
        (0.40, 0.01, 0.049, []),  # the interaction bears it out
        (0.01, 0.02, 0.80, []),
        (0.50, 0.05, 0.80, []),  # .05 itself is not below
        (0.40, 0.01, None, [("L01", "warning")]),
        (None, 0.01, 0.80, []),  # nothing to hold it against
    ],
)
def test_l01(zero: float | None, low: float | None, p: float | None, expected: list[tuple[str, str]]) -> None:
    assert told(inside("zero", zero), inside("low", low), interaction(p)) == expected


def test_l01_without_any_interaction_is_an_error() -> None:
    (finding,) = found(inside("zero", 0.4), inside("low", 0.01))
    assert (finding.rule, finding.severity) == ("L01", "error")
    assert finding.about == (
        "contrasts/p_value[setting, in her2=zero]",
        "contrasts/p_value[setting, in her2=low]",
    )


def test_l01_names_the_interaction_that_answers_it() -> None:
    (finding,) = found(inside("zero", 0.4), inside("low", 0.01), interaction(0.3))
    assert finding.about[-1] == "contrasts/p_interaction[her2:setting]"
    assert "Altman" in finding.reference


# ----------------------------------------------------------------------------------------- L03: many tests, no primary


def comparisons(n: int, plan: str = "planned", **key: Any) -> list[ResultRow]:
    given = {"method": "logrank", "variable": "her2", "plan": plan, **key}
    return [row(f"a{k}", "p_value", 0.5, endpoint="pfs", **given) for k in range(n)]


def test_l03() -> None:
    assert told(*comparisons(5)) == [("L03", "warning")]
    assert told(*comparisons(4)) == []
    assert told(*comparisons(5, plan="primary")) == []
    assert told(*comparisons(5, method="fisher_exact")) == [("L03", "warning")]


def test_l03_a_logrank_test_and_the_hazard_ratio_beside_it_are_one() -> None:
    beside = [
        row(f"a{k}", "p_value", 0.5, endpoint="pfs", method="cox", variable="her2", level="low", of="hazard_ratio")
        for k in range(4)
    ]
    assert told(*comparisons(4), *beside) == []
    (finding,) = found(*comparisons(5), *beside)
    assert len(finding.about) == 9


def test_l03_counts_neither_table_1_nor_proportional_hazards_nor_other_variables() -> None:
    assert told(*comparisons(9, method="cox_zph")) == []
    assert told(*comparisons(9, variable="age")) == []
    assert told(*[row(f"a{k}", "p_value", 0.5, method="logrank", variable="her2") for k in range(9)]) == []


# ------------------------------------------------------------------------------------------- L04, L17: model sizes


def model(events: float, terms: int, n: float = 100, missing: float = 0) -> list[ResultRow]:
    key = {"method": "cox_multivariable", "endpoint": "pfs"}
    rows = [row("cox", "n", n, **key), row("cox", "events", events, **key), row("cox", "missing", missing, **key)]
    return rows + [row("cox", "coefficient", 0.1, variable=f"x{k}", **key) for k in range(terms)]


@pytest.mark.parametrize(
    ("events", "expected"), [(50, []), (49, [("L04", "info")]), (25, [("L04", "info")]), (24, [("L04", "error")])]
)
def test_l04(events: float, expected: list[tuple[str, str]]) -> None:
    assert told(*model(events, 5)) == expected


def test_l04_a_model_that_could_not_be_fitted_has_no_coefficients() -> None:
    assert told(*model(0, 0, n=0)) == []


@pytest.mark.parametrize(("n", "missing", "fires"), [(90, 10, False), (89, 11, True), (100, 0, False), (0, 12, True)])
def test_l17(n: float, missing: float, fires: bool) -> None:
    expected = [("L17", "warning")] if fires else []
    assert told(*model(200, 5, n=n, missing=missing)) == expected


# -------------------------------------------------------------------------------------------- L13, L14, L57: curves


def median_and_follow_up(median: float | None, follow: float | None, plan: str = "primary") -> list[ResultRow]:
    key = {"group": "her2", "group_level": "low"}
    return [
        row("pfs", "median", median, method="kaplan_meier", plan=plan, unit="days", **key),
        row("fu", "follow_up_median", follow, endpoint="os", unit="days", **key),
    ]


def test_l13() -> None:
    assert told(*median_and_follow_up(500, 400)) == [("L13", "warning")]
    assert told(*median_and_follow_up(400, 500)) == []
    assert told(*median_and_follow_up(None, 400)) == []
    assert told(*median_and_follow_up(500, 400, plan="planned")) == []


def test_l13_holds_a_group_against_itself() -> None:
    short = row("fu", "follow_up_median", 100, endpoint="os", group="her2", group_level="zero")
    assert told(*median_and_follow_up(400, 500), short) == []


def hazards(p: float | None, variable: str | None, method: str = "cox_zph") -> ResultRow:
    return row("pfs", "p_value", p, method=method, variable=variable, of="proportional_hazards")


def test_l14() -> None:
    assert told(hazards(0.04, "her2")) == [("L14", "warning")]
    assert told(hazards(0.04, None)) == [("L14", "warning")]
    assert told(hazards(0.05, "her2"), hazards(0.06, None)) == []
    assert told(hazards(0.001, "age")) == []  # another covariate's
    assert told(hazards(None, "her2")) == []


def test_l14_says_it_once_for_a_model() -> None:
    (finding,) = found(hazards(0.04, "her2"), hazards(0.04, None))
    assert len(finding.about) == 2
    assert told(hazards(0.04, "her2"), hazards(0.04, None, "cox_multivariable_ph")) == [("L14", "warning")] * 2


def test_l57() -> None:
    assert told(row("fu", "p_value", 0.04, method="logrank_reversed", variable="her2")) == [("L57", "warning")]
    assert told(row("fu", "p_value", 0.05, method="logrank_reversed", variable="her2")) == []
    assert told(row("fu", "p_value", None, method="logrank_reversed", variable="her2")) == []


# ---------------------------------------------------------------------------------------- L22: published percentages


def verdict(published: str, n: int | None, statistic: str = "rate", unit: Any = "percent", **more: Any) -> Verdict:
    ours = row("response", statistic, 0.5, endpoint="orr", n=n)
    decimals = len(published.partition(".")[2])
    given = {"ours": ours, "value": 50.0, "decimals": decimals, "agrees": False, "why": "", **more}
    return Verdict(id="orr_low", says="ORR", published=published, unit=unit, **given)


@pytest.mark.parametrize(
    ("published", "n", "fires"),
    [
        ("50.0", 112, False),
        ("71.4", 112, False),  # 80 of 112
        ("71.5", 112, True),
        ("62", 100, False),
        ("62.3", 100, True),
        ("120", 100, True),
        ("-5", 100, True),
    ],
)
def test_l22(published: str, n: int, fires: bool) -> None:
    assert told(verdicts=[verdict(published, n)]) == ([("L22", "warning")] if fires else [])


def test_l22_looks_at_shares_of_patients_alone() -> None:
    for statistic in ("survival", "survival_difference", "rate_difference"):
        assert told(verdicts=[verdict("62.3", 100, statistic)]) == []
    assert told(verdicts=[verdict("62.3", 100, unit="none")]) == []
    assert told(verdicts=[verdict("62.3", None)]) == []
    assert told(verdicts=[verdict("62.3", 100, ours=None)]) == []
    assert told(verdicts=[verdict("value > 62.3", 100, decimals=None)]) == []


def test_l22_names_the_claim_and_the_row() -> None:
    (finding,) = found(verdicts=[verdict("71.5", 112)])
    assert finding.about[0] == "claims/orr_low"


# ------------------------------------------------------------------------------------- L34, L41: patients and deaths


def survival(events: float, n: float, endpoint: str = "os", analysis: str = "os_her2", **key: Any) -> list[ResultRow]:
    given = {"endpoint": endpoint, "scheme": "standard", **key}
    return [row(analysis, "n", n, **given), row(analysis, "events", events, **given)]


def test_l34() -> None:
    assert told(*survival(29, 100)) == [("L34", "warning")]
    assert told(*survival(30, 100)) == []
    assert told(*survival(29, 100, endpoint="pfs")) == []
    assert told(*survival(29, 100, group="her2", group_level="low")) == []
    assert told(*survival(0, 0)) == []


def test_l34_says_it_once_for_an_endpoint() -> None:
    (finding,) = found(*survival(29, 100), *survival(29, 100, analysis="reasons"))
    assert len(finding.about) == 4


def test_l34_does_not_stumble_over_several_schemes() -> None:
    assert told(*survival(29, 100), *survival(50, 100, scheme="other")) == [("L34", "warning")]


def flow(unknown: float, entered: float, **key: Any) -> list[ResultRow]:
    given = {"variable": "her2_class", **key}
    return [row("attrition", "entered", entered, **given), row("attrition", "unknown", unknown, **given)]


def test_l41() -> None:
    assert told(*flow(11, 100)) == [("L41", "warning")]
    assert told(*flow(10, 100)) == []
    assert told(*flow(0, 0)) == []
    # One centre may lack a test without the study being selected.
    assert told(*flow(1, 100), *flow(9, 10, group="centre", group_level="a")) == []


# ------------------------------------------------------------------------------------------- what all have in common

ANSWER = 'review: {L41: "The tissue of 50 was lost in a flood."}\n'

BROKEN = [
    *flow(50, 100),
    *survival(10, 100),
    *model(20, 5, n=50, missing=50),
    inside("zero", 0.4),
    inside("low", 0.01),
    hazards(0.001, "her2"),
]


def test_errors_come_first_then_the_order_of_the_rules() -> None:
    expected = [
        ("L01", "error"),
        ("L04", "error"),
        ("L14", "warning"),
        ("L17", "warning"),
        ("L34", "warning"),
        ("L41", "warning"),
    ]
    assert told(*BROKEN) == expected
    assert told(*reversed(BROKEN)) == expected


def test_an_answer_of_the_study_file_stands_beside_its_finding() -> None:
    answers = {f.rule: f.answer for f in found(*BROKEN, more=ANSWER)}
    assert answers["L41"] == "The tissue of 50 was lost in a flood."
    assert {answer for rule, answer in answers.items() if rule != "L41"} == {""}


def test_no_rule_alters_a_row() -> None:
    results = Results(BROKEN)
    before = results.to_json()
    review(results, protocol())
    assert results.to_json() == before


def test_every_finding_speaks_of_rows_that_there_are() -> None:
    results = Results(BROKEN)
    for finding in review(results, protocol()):
        assert finding.about
        assert set(finding.about) <= set(results.by_name)


def test_nothing_to_look_at_gives_nothing() -> None:
    assert found() == []
    bare = load(
        "riskset: 1\nstudy: {id: tiny, title: Tiny}\ncentres: {a: {mapping: a.yaml}}\n",
        Vocabulary(covariates=covariates.SPECS, endpoints=endpoints.SPECS),
    )
    assert review(Results(BROKEN[:4]), bare) != []
    assert review(Results([]), bare) == []


def test_every_rule_says_what_to_do() -> None:
    assert list(RULES) == sorted(RULES)
    assert set(RULES) >= {"L01", "L03", "L04", "L13", "L14", "L17", "L22", "L34", "L41", "L57"}
    for name, rule in RULES.items():
        assert rule.id == name
        assert rule.message.endswith(".")
        assert rule.remedy.endswith((".", "?"))
        assert rule.severity in ("error", "warning", "info")


def test_a_finding_becomes_plain_values() -> None:
    (finding,) = found(hazards(0.001, "her2"))
    assert finding.as_dict() == {
        "rule": "L14",
        "severity": "warning",
        "message": finding.message,
        "remedy": finding.remedy,
        "reference": finding.reference,
        "about": ["pfs/p_value(proportional_hazards)[her2]"],
        "answer": "",
    }
