"""Response proportions by group over several denominators, their difference, odds ratio and test.

The interval of a proportion is Wilson's (Clopper-Pearson beside it), of the difference Newcombe's hybrid score. A
patient who could not be evaluated (NE) counts as no success among `all` and `measurable`.
"""

from __future__ import annotations

from typing import Literal

import polars as pl

from riskset.analyses.declared import DeclaredWhole
from riskset.analyses.shared import NOBODY, at_level, group_of, levels_in_use
from riskset.cohort import AnalysisSet
from riskset.inference import clopper_pearson, compare_proportions, newcombe_difference, odds_ratio, wilson
from riskset.protocol import Id
from riskset.results import ResultRow, RowWriter
from riskset.tables import ASSESSMENT_RESPONSES


class Spec(DeclaredWhole):
    """Response proportions of one or more endpoints."""

    kind: Literal["response"] = "response"
    endpoints: list[Id]
    denominators: list[Literal["all", "measurable", "evaluable"]] = ["all", "measurable", "evaluable"]


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give, for each endpoint and denominator, the proportion overall and by group, and the contrasts of groups."""
    by = group_of(spec, analysis_set)
    writer = RowWriter(analysis=name, plan=spec.plan)
    for endpoint in spec.endpoints:
        frame = _responses(analysis_set, endpoint, by)
        for denominator in spec.denominators:
            part = frame if denominator == "all" else frame.filter(pl.col(denominator))
            w = writer.within(endpoint=endpoint, population=None if denominator == "all" else denominator)
            w.add("missing", part["responder"].null_count() + _left_out(frame, denominator))
            _proportions(w, part, by, analysis_set)
    _best_response(writer, _responses(analysis_set, spec.endpoints[0], by), by, analysis_set)
    return writer.rows


def _responses(analysis_set: AnalysisSet, endpoint: str, by: str | None) -> pl.DataFrame:
    """Give the included patients with what is known of their response; nobody is dropped here."""
    frame = analysis_set.frame([by] if by else [])
    own = analysis_set.responses.filter(pl.col("endpoint") == endpoint)
    own = own.select("centre", "patient", "best_response", "responder", "measurable", "evaluable")
    return frame.join(own, on=["centre", "patient"], how="left", maintain_order="left")


def _left_out(frame: pl.DataFrame, denominator: str) -> int:
    """Count those of whom it is unknown whether they belong to a denominator: in no part of it, so stated."""
    return 0 if denominator == "all" else frame[denominator].null_count()


def _proportions(w: RowWriter, frame: pl.DataFrame, by: str | None, analysis_set: AnalysisSet) -> None:
    level = analysis_set.protocol.study.conf_level
    known = frame.filter(pl.col("responder").is_not_null())
    _one(w, known, level)
    if by is None:
        return
    levels = levels_in_use(analysis_set, by)
    counts = {one: _one(w.within(group=by, group_level=one), at_level(known, by, one), level) for one in levels}
    for one in levels[1:]:
        (e1, n1), (e0, n0) = counts[one], counts[levels[0]]
        c = w.within(variable=by, level=one, reference=levels[0])
        difference, odds = newcombe_difference(e1, n1, e0, n0, level), odds_ratio(e1, n1, e0, n0, level)
        d = c.within(n=n1 + n0, events=e1 + e0)
        d.estimate(
            "rate_difference",
            difference.value,
            difference.low,
            difference.high,
            method="newcombe",
            warning=difference.warning,
        )
        d.estimate("odds_ratio", odds.value, odds.low, odds.high, method="woolf", warning=odds.warning)
        test = compare_proportions([[e1, n1 - e1], [e0, n0 - e0]])
        d.add("p_value", test.p_value, method=test.test, of="rate_difference", warning=test.warning)
        if test.statistic == test.statistic:
            d.add("chi_square", test.statistic, method=test.test, of="rate_difference")


def _one(w: RowWriter, frame: pl.DataFrame, level: float) -> tuple[int, int]:
    n, events = frame.height, int(frame["responder"].sum())
    w.add("n", n)
    w.add("events", events)
    sized = w.within(n=n, events=events)
    for method, interval in (("wilson", wilson), ("clopper_pearson", clopper_pearson)):
        found = interval(events, n, level)
        sized.estimate("rate", found.value, found.low, found.high, method=method, warning=found.warning)
    return events, n


def _best_response(writer: RowWriter, frame: pl.DataFrame, by: str | None, analysis_set: AnalysisSet) -> None:
    """Write how many patients had each best response; NE and unknown are shown, not hidden."""
    levels = [] if by is None else levels_in_use(analysis_set, by)
    parts = [(writer, frame)]
    parts += [(writer.within(group=by, group_level=one), at_level(frame, str(by), one)) for one in levels]
    shown = [code for code in ASSESSMENT_RESPONSES if code in set(frame["best_response"].drop_nulls().to_list())]
    for w, part in parts:
        own = w.within(variable="best_response", n=part.height)
        for code in shown:
            count = int((part["best_response"] == code).sum())
            own.add("n", count, level=code)
            share, why = (count / part.height, None) if part.height else (None, NOBODY)
            own.add("proportion", share, level=code, warning=why)
        own.add("missing", part["best_response"].null_count())
