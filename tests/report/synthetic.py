"""A complete invented study as result rows: every kind of analysis, a few of every status. No number means anything."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from riskset.claims import Verdict
from riskset.protocol import Protocol
from riskset.results import DAYS_PER_MONTH, ResultRow, Results, RowWriter
from riskset.review import Finding

GROUPS = ("zero", "low")
CENTRES = {"ankara": "Centre A", "leeds": "Centre B", "graz": "Centre C"}
CRITERIA = ("hr_positive", "her2_class", "metastatic", "adult")
SUBGROUPS = {"setting": ("recurrent", "de_novo"), "visceral": ("false", "true"), "line_group": ("first", "later")}
ADJUST = {"visceral": ("true", "false"), "line_group": ("later", "first"), "setting": ("de_novo", "recurrent")}


def _months(number: float) -> float:
    return number * DAYS_PER_MONTH


def make_protocol(**changes: Any) -> Protocol:
    labels = {
        "her2": "HER2",
        "her2.zero": "HER2-zero",
        "her2.low": "HER2-low",
        "setting": "Metastatic setting",
        "setting.de_novo": "De novo",
        "setting.recurrent": "Recurrent",
        "line_group": "Line of therapy",
        "line_group.first": "First line",
        "line_group.later": "Second line or later",
        "first_line": "First line",
        "later_lines": "Second line or later",
    }
    analyses = {
        "pfs_her2": {"kind": "survival", "plan": "primary", "endpoint": "pfs", "by": None},
        "os_her2": {"kind": "survival", "endpoint": "os"},
        "pfs_cox": {"kind": "cox", "plan": "primary", "endpoint": "pfs", "exposure": "her2", "strata": "centre",
                    "adjust": list(ADJUST)},
        "baseline": {"kind": "baseline", "variables": ["age", "setting", "visceral", "ecog"]},
        "her2_ascertainment": {"kind": "ascertainment", "biomarker": "her2"},
        "reasons": {"kind": "reasons", "endpoints": ["pfs"]},
        "follow_up": {"kind": "follow_up", "endpoint": "os"},
        "response": {"kind": "response", "endpoints": ["orr", "dcr"]},
        "pfs_subgroups": {"kind": "subgroups", "endpoint": "pfs", "exposure": "her2", "plan": "exploratory"},
        "pfs_contrasts": {"kind": "contrasts", "endpoint": "pfs", "within": "her2", "plan": "exploratory"},
        "pfs_schemes": {"kind": "schemes", "endpoint": "pfs", "exposure": "her2"},
        "unheard_of": {"kind": "unheard_of"},
    }  # fmt: skip
    given: dict[str, Any] = {
        "riskset": 1,
        "study": {
            "id": "invented",
            "title": "HER2-low against HER2-zero under CDK4/6 inhibitors",
            "question": "Is HER2-low status associated with progression-free survival?",
            "simulated": True,
            "data_cutoff": "2023-03-31",
        },
        "centres": {c: {"label": label, "mapping": f"mappings/{c}.yaml"} for c, label in CENTRES.items()},
        "covariates": {"age": SimpleNamespace(rule="age_at_index", unit="years")},
        "endpoints": {"pfs": SimpleNamespace(kind="pfs"), "os": SimpleNamespace(kind="os")},
        "eligibility": [{"id": c, "where": f"{c} = TRUE"} for c in CRITERIA],
        "comparison": {"by": "her2", "reference": "zero"},
        "analyses": {
            name: SimpleNamespace(**{"plan": "planned", "label": "", "by": None, "populations": ["all"], **spec})
            for name, spec in analyses.items()
        },
        "report": {"labels": labels, "authors": ["A. Author"], "note": ""},
    }
    return Protocol(**{**given, **changes})


def _group_parts(w: RowWriter) -> list[tuple[RowWriter, int, float]]:
    """Everybody and each group, with a size and a median in months."""
    return [
        (w, 212, 15.0),
        (w.within(group="her2", group_level="zero"), 100, 13.9),
        (w.within(group="her2", group_level="low"), 112, 16.0),
    ]


def _curve(w: RowWriter, n: int, median: float, longest: float) -> None:
    w.add("survival", 1.0, time=0.0)
    s, at_risk = 1.0, n
    for k in range(1, n):
        day = float(round(longest * k / n))
        if k % 3 == 0:
            w.add("censored", 1, time=day)
        else:
            s *= 1 - 1 / at_risk * (15.0 / median)
            w.estimate("survival", s, max(s - 0.12, 0.0), min(s + 0.1, 1.0), time=day)
        at_risk -= 1


def _survival(name: str, endpoint: str, populations: tuple[str | None, ...], reached: bool) -> list[ResultRow]:
    writer = RowWriter(
        analysis=name, endpoint=endpoint, scheme="ema", plan="primary" if endpoint == "pfs" else "planned"
    )
    for population in populations:
        w = writer.within(population=population)
        w.add("missing", 0, of=endpoint)
        for part, n, median in _group_parts(w):
            part.add("n", n)
            part.add("events", n * 2 // 3)
            part.add("censored", n - n * 2 // 3)
            km = part.within(method="kaplan_meier", n=n, events=n * 2 // 3)
            found = (_months(median), _months(median - 3.12), _months(median + 4.444))
            km.estimate("median", *(found if reached else (None, None, None)), missing="not_reached", unit="days")
            for k, at in enumerate((6, 12, 24)):
                level = 0.78 - 0.2 * k
                km.estimate("survival", level, level - 0.1, level + 0.09, time=_months(at))
            part.estimate("rmst", _months(14.2), _months(12.9), _months(15.5), method="rmst", time=_months(24))
            for k in range(9):
                part.add("at_risk", max(n - 14 * k, 0), method="risk_table", time=_months(6 * k))
            _curve(part.within(method="curve"), n, median, _months(50))
        _survival_contrasts(w)
    return writer.rows


def _survival_contrasts(w: RowWriter) -> None:
    logrank = w.within(method="logrank", variable="her2", n=212, events=141)
    logrank.add("chi_square", 0.7)
    logrank.add("df", 1)
    logrank.add("p_value", 0.4021)
    pair = w.within(variable="her2", level="low", reference="zero")
    for at in (6, 12, 24):
        pair.estimate("survival_difference", 0.042, -0.09, 0.17, method="kaplan_meier", time=_months(at))
        pair.add("p_value", 0.55, of="survival_difference", method="kaplan_meier", time=_months(at))
    pair.estimate("rmst_difference", None, None, None, missing="beyond_follow_up", method="rmst", time=_months(24),
                  warning="One group's follow-up ends before the restriction time.")  # fmt: skip
    _ratio(pair.within(method="cox"), 0.8712, 0.63, 1.2049, 0.4)
    w.add("p_value", 0.31, method="cox_zph", variable="her2", of="proportional_hazards")


def _ratio(w: RowWriter, value: float | None, low: float | None, high: float | None, p: float | None) -> None:
    w = w.within(n=212, events=141)
    w.estimate("hazard_ratio", value, low, high)
    w.add("p_value", p, of="hazard_ratio")
    w.add("coefficient", -0.13)
    w.add("standard_error", 0.17, of="coefficient")


def _cox() -> list[ResultRow]:
    writer = RowWriter(analysis="pfs_cox", endpoint="pfs", scheme="ema", plan="primary")
    for method in ("cox_multivariable_stratified", "cox_multivariable"):
        w = writer.within(method=method)
        _ratio(w.within(variable="her2", level="low", reference="zero"), 0.83, 0.591, 1.163, 0.279)
        for position, (variable, (level, reference)) in enumerate(ADJUST.items()):
            key = {"variable": variable, "level": level, "reference": reference}
            _ratio(w.within(**key), 1.61 + position / 10, 1.1, 2.4, 0.0496 - position / 100)
        for word, number in (("n", 205), ("events", 137), ("missing", 7)):
            w.add(word, number)
        w.add("log_likelihood", -612.3)
        w.add("log_likelihood", -620.1, of="null_model")
        ph = writer.within(method=f"{method}_ph", of="proportional_hazards")
        for variable in ("her2", *ADJUST, None):
            ph.add("p_value", 0.21, variable=variable)
    single = writer.within(method="cox_univariable")
    _ratio(single.within(variable="her2", level="low", reference="zero"), 0.87, 0.63, 1.2, 0.4)
    _ratio(single.within(variable="age"), 1.004, 0.99, 1.02, 0.61)
    for level in ("1", "2"):
        _ratio(single.within(variable="ecog", level=level, reference="0"), 1.2, 0.8, 1.9, 0.3)
    single.within(variable="ecog", of="hazard_ratio").add("p_value", 0.44)
    broken = single.within(
        variable="bone_only", level="true", reference="false", warning="Column 'bone_only' separates."
    )
    _ratio(broken, None, None, None, None)
    return writer.rows


def _baseline() -> list[ResultRow]:
    w = RowWriter(analysis="baseline")
    for part, n, _ in _group_parts(w):
        part.add("n", n)
        number = part.within(variable="age", n=n - 2, unit="years")
        part.add("missing", 2, variable="age")
        for word, value in (("mean", 57.36), ("sd", 11.8), ("median", 58.0), ("quartile_low", 49.0),
                            ("quartile_high", 66.0), ("minimum", 27.0), ("maximum", 86.0)):  # fmt: skip
            number.add(word, value)
        for variable, levels in {
            "setting": ("recurrent", "de_novo"),
            "visceral": ("false", "true"),
            "ecog": ("0", "1"),
        }.items():
            known = n - (5 if variable == "ecog" else 0)
            part.add("missing", n - known, variable=variable)
            for level, share in zip(levels, (0.6, 0.4), strict=True):
                key = {"variable": variable, "level": level, "n": known}
                part.add("n", round(known * share), **key)
                part.add("proportion", round(known * share) / known, **key)
    for variable, value in (("age", -0.125), ("setting", 0.02), ("visceral", 0.3), ("ecog", 0.0)):
        w.add("smd", value, variable=variable, group="her2")
    return w.rows


def _patients() -> list[ResultRow]:
    w = RowWriter(analysis="attrition")
    for centre in (None, *CENTRES):
        part = w if centre is None else w.within(group="centre", group_level=centre)
        entered = 240 if centre is None else 80
        part.add("n", entered, population="screened")
        for criterion in CRITERIA:
            part.add("entered", entered, variable=criterion)
            part.add("fails", 5, variable=criterion)
            part.add("unknown", 2, variable=criterion)
            part.add("kept", entered - 7, variable=criterion)
            entered -= 7
        part.add("n", 212 if centre is None else 70, population="included")
    quality = RowWriter(analysis="data_quality", group="centre")
    for centre in CENTRES:
        q = quality.within(group_level=centre)
        q.add("n", 80)
        q.add("rows", 80, variable="source", level=f"raw/{centre}.xlsx [Patients]")
        q.add("queries", 4)
        q.add("queries", 3, variable="V16", level="W/report")
        q.add("queries", 1, variable="V31", level="E/report")
        q.word("definition", "not read", variable="unmapped_column", level=f"raw/{centre}.xlsx: Telefon")
    ascertained = RowWriter(analysis="her2_ascertainment")
    for population in ("screened", None):
        a = ascertained.within(population=population)
        a.add("n", 240)
        classes = (("low", 112), ("zero", 100), ("unknown", 28))
        for level, number in classes:
            a.add("n", number, variable="her2", level=level, n=240)
            a.add("proportion", number / 240, variable="her2", level=level, n=240)
        for part, levels in (("her2_tissue", ("primary", "metastasis")), ("centre", tuple(CENTRES))):
            for group in levels:
                for level, number in classes:
                    key = {"group": part, "group_level": group, "variable": "her2", "level": level, "n": 120}
                    a.add("n", number // 2, **key)
                    a.add("proportion", number / 240, **key)
        for score in ("0", "1+", "2+"):
            for ish in ("negative", "unknown"):
                a.add("n", 20, group="her2_score", group_level=score, variable="her2_ish", level=ish)
    ascertained.estimate("kappa", 0.41, 0.2, 0.62, variable="her2", population="screened", n=31)
    ends = RowWriter(analysis="reasons", endpoint="pfs", scheme="ema")
    for part, n, _ in _group_parts(ends):
        part.add("n", n)
        for method, reason, number in (
            ("event", "progression", 60),
            ("event", "death", 6),
            ("censored", "data_cutoff", 30),
        ):
            part.add("n", number, method=method, variable="reason", level=reason, n=n)
    return w.rows + quality.rows + ascertained.rows + ends.rows


def _follow_up() -> list[ResultRow]:
    w = RowWriter(analysis="follow_up", method="reverse_kaplan_meier", endpoint="os", scheme="os")
    for part, n, _ in _group_parts(w):
        p = part.within(n=n, events=n // 4)
        p.estimate("follow_up_median", _months(24.7), _months(23.0), None, missing="not_reached")
        p.add("quartile_low", _months(15.3), of="follow_up_median", unit="days")
        p.add("quartile_high", None, status="not_reached", of="follow_up_median", unit="days")
    w.add("p_value", 0.62, method="logrank_reversed", variable="her2", of="follow_up_median", n=212)
    return w.rows


def _response() -> list[ResultRow]:
    writer = RowWriter(analysis="response")
    for endpoint in ("orr", "dcr"):
        for population in (None, "measurable", "evaluable"):
            w = writer.within(endpoint=endpoint, population=population)
            w.add("missing", 0)
            for part, n, _ in _group_parts(w):
                part.add("n", n)
                part.add("events", round(n * 0.67))
                for method in ("wilson", "clopper_pearson"):
                    part.estimate("rate", 0.67, 0.6, 0.73, method=method, n=n, events=round(n * 0.67))
            pair = w.within(variable="her2", level="low", reference="zero", n=212, events=142)
            pair.estimate("rate_difference", 0.0943, -0.032, 0.218, method="newcombe")
            pair.estimate("odds_ratio", 1.532, 0.86, 2.72, method="woolf")
            pair.add("p_value", 0.1454, method="chi_square", of="rate_difference")
    for part, n, _ in _group_parts(writer):
        for level, share in (("CR", 0.1), ("PR", 0.57), ("SD", 0.2), ("PD", 0.1), ("NE", 0.03)):
            key = {"variable": "best_response", "level": level, "n": n}
            part.add("n", round(n * share), **key)
            part.add("proportion", share, **key)
        part.add("missing", 0, variable="best_response", n=n)
    return writer.rows


def _subgroups() -> list[ResultRow]:
    writer = RowWriter(analysis="pfs_subgroups", endpoint="pfs", scheme="ema", plan="exploratory")
    for method in ("unadjusted", "adjusted"):
        w = writer.within(method=method)
        _subgroup(w, 0.87, 0.63, 1.2)
        for variable, levels in SUBGROUPS.items():
            for k, level in enumerate(levels):
                _subgroup(w.within(group=variable, group_level=level), 0.7 + 0.5 * k, 0.12 + 0.5 * k, 1.1 + 9 * k)
            test = w.within(variable=f"her2:{variable}", n=212, events=141)
            test.add("p_interaction", 0.164)
            pair = (f"low:{levels[1]}", f"zero:{levels[0]}")
            test.estimate("hazard_ratio_ratio", 1.62, 0.83, 3.17, level=pair[0], reference=pair[1])
    return writer.rows


def _subgroup(w: RowWriter, value: float, low: float, high: float) -> None:
    w.add("n", 106)
    w.add("events", 70)
    for level in GROUPS:
        w.add("n", 53, variable="her2", level=level)
        w.add("events", 35, variable="her2", level=level)
    _ratio(w.within(variable="her2", level="low", reference="zero"), value, low, high, 0.4)


def _contrasts() -> list[ResultRow]:
    w = RowWriter(analysis="pfs_contrasts", endpoint="pfs", scheme="ema", plan="exploratory")
    for group in GROUPS:
        inner = w.within(group="her2", group_level=group)
        for level, median in (("recurrent", 17.9), ("de_novo", 13.4)):
            own = inner.within(variable="setting", level=level)
            own.add("n", 56)
            own.add("events", 37)
            own.within(method="kaplan_meier", unit="days", n=56, events=37).estimate(
                "median", _months(median), _months(10.0), None, missing="not_reached"
            )
        inner.within(method="logrank", variable="setting").add("p_value", 0.0402)
        _ratio(
            inner.within(method="cox", variable="setting", level="de_novo", reference="recurrent"), 1.6, 1.02, 2.5, 0.04
        )
    test = w.within(method="unadjusted", variable="her2:setting", n=212, events=141)
    test.add("p_interaction", 0.16)
    test.estimate("hazard_ratio_ratio", 1.62, 0.83, 3.17, level="low:de_novo", reference="zero:recurrent")
    return w.rows


def _schemes() -> list[ResultRow]:
    writer = RowWriter(analysis="pfs_schemes", endpoint="pfs")
    for scheme in ("ema", "fda_a", "new_therapy_event"):
        w = writer.within(scheme=scheme)
        for part, n, median in _group_parts(w):
            part.add("n", n)
            part.add("events", n // 2)
            if part is not w:
                part.estimate(
                    "median", _months(median), _months(12.0), _months(20.0), method="kaplan_meier", unit="days"
                )
        w.add("p_value", 0.4, method="logrank", variable="her2")
        _ratio(w.within(method="cox", variable="her2", level="low", reference="zero"), 0.87, 0.63, 1.2, 0.4)
        _ratio(w.within(method="cox_adjusted", variable="her2", level="low", reference="zero"), 0.83, 0.6, 1.1, 0.3)
    return writer.rows


def _definitions() -> list[ResultRow]:
    w = RowWriter(analysis="definitions")
    for path, text in (
        ("study.plus_one", "false"), ("study.conf_level", "0.95"), ("study.data_cutoff", "2023-03-31"),
        ("index.table", "drugs"), ("index.where", "inn IN ('palbociclib', 'ribociclib')"), ("index.pick", "first"),
        ("biomarkers.her2.rules", "asco_cap_2018"), ("biomarkers.her2.scheme", "zero_low"),
        ("biomarkers.her2.specimen", "latest_before_index"), ("biomarkers.her2.grace_days", "0"),
        ("biomarkers.hormone_receptors.cut", "1"),
        ("endpoints.pfs.kind", "pfs"), ("endpoints.pfs.scheme", "ema"), ("endpoints.orr.sd_min", "0"),
        ("endpoints.orr.success", "CR, PR"), ("covariates.setting.de_novo_days", "90"),
        ("covariates.n_organs.merge_pleura", "false"),
    ):  # fmt: skip
        w.word("definition", text, variable=path)
    return w.rows


def make_rows() -> list[ResultRow]:
    unknown = RowWriter(analysis="unheard_of", method="new")
    unknown.estimate(
        "cumulative_incidence", 0.123, 0.08, 0.18, time=_months(12), group="her2", group_level="low", n=112
    )
    return [
        *_survival("pfs_her2", "pfs", (None, "first_line"), True),
        *_survival("os_her2", "os", (None,), False),
        *_cox(),
        *_baseline(),
        *_patients(),
        *_follow_up(),
        *_response(),
        *_subgroups(),
        *_contrasts(),
        *_schemes(),
        *unknown.rows,
        *_definitions(),
    ]


def make_results() -> Results:
    return Results(make_rows())


def make_findings(results: Results) -> list[Finding]:
    about = results.one(analysis="pfs_cox", statistic="hazard_ratio", method="cox_multivariable", variable="her2").row
    message, answer = "Eight tests; about 34% chance of a false positive.", "The primary analysis is pfs_her2."
    key = {"about": (about, "analyses.pfs_cox"), "answer": answer}
    return [
        Finding("L03", "warning", message, "Name one primary analysis.", **key),
        Finding("L42", "warning", "Covariate hazard ratios stand beside the exposure.", "Do not call them effects."),
    ]


def make_verdicts(results: Results) -> list[Verdict]:
    median = results.one(analysis="pfs_her2", statistic="median", population=None, group_level="low")
    p = results.one(analysis="pfs_her2", statistic="p_value", population=None, method="logrank")
    return [
        Verdict("pfs_low", "Median PFS, HER2-low", "16.0", "months", median, 16.0, 1, True, ""),
        Verdict("pfs_p", "HER2-low against HER2-zero, P = .40", "0.40", "none", p, 0.4021, 2, True, ""),
        Verdict("pfs_other", "P of the model below .05", "value < 0.05", "none", p, 0.4021, None, False,
                "Our value does not meet the statement."),
        Verdict("pfs_zero", "Median PFS, HER2-zero", "14.0", "months", None, None, 1, False,
                "This study has no such result row."),
    ]  # fmt: skip


MANIFEST = {
    "status": "complete",
    "riskset": "0.1.0",
    "python": "3.11",
    "packages": {"numpy": "2.0", "polars": "1.0"},
    "seed": 1,
    "inputs": {"study": {"study.yaml": "ab" * 32}, "data": {"raw/ankara.xlsx": "cd" * 32}},
}
