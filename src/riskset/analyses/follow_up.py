"""Follow-up by reverse Kaplan-Meier: how long patients would have been observed had nobody had the event.

Events and censorings change places (Schemper and Smith 1996). The endpoint that it stands on is part of every row:
follow-up on progression-free survival is shorter than on overall survival.
"""

from __future__ import annotations

import math
from typing import Literal

import polars as pl

from riskset.analyses.declared import Declared
from riskset.analyses.shared import NOBODY, at_level, complete_rows, group_of, levels_in_use, population_of
from riskset.cohort import AnalysisSet
from riskset.results import ResultRow, RowWriter, Status
from riskset.survival import Surv, follow_up, logrank_test


class Spec(Declared):
    """Median follow-up."""

    kind: Literal["follow_up"] = "follow_up"
    endpoint: str


def run(name: str, spec: Spec, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give median and quartiles of follow-up in days, overall and by group, and the test that groups differ."""
    by = group_of(spec, analysis_set)
    writer = RowWriter(
        analysis=name,
        method="reverse_kaplan_meier",
        endpoint=spec.endpoint,
        scheme=analysis_set.primary_scheme(spec.endpoint),
        plan=spec.plan,
    )
    level = analysis_set.protocol.study.conf_level
    for named in spec.populations:
        w = writer.within(population=population_of(named))
        rows = complete_rows(analysis_set, [], spec.endpoint, population=w.common["population"])
        _describe(w, rows.frame, level)
        if by is None:
            continue
        grouped = complete_rows(analysis_set, [by], spec.endpoint, population=w.common["population"])
        for one in levels_in_use(analysis_set, by):
            _describe(w.within(group=by, group_level=one), at_level(grouped.frame, by, one), level)
        _compare(w, grouped.frame, by)
    return writer.rows


def _values(frame: pl.DataFrame) -> Surv:
    return Surv(frame["days"].to_numpy().astype(float), frame["event"].to_numpy())


def _describe(w: RowWriter, frame: pl.DataFrame, level: float) -> None:
    if not frame.height:
        w.estimate("follow_up_median", None, None, None, warning=NOBODY)
        return
    curve = follow_up(_values(frame), conf_level=level)
    sized = w.within(n=frame.height, events=curve.n_events)
    for statistic, q in (("follow_up_median", 0.5), ("quartile_low", 0.25), ("quartile_high", 0.75)):
        found = curve.quantile(q)
        if statistic == "follow_up_median":
            sized.estimate(statistic, found.value, found.low, found.high, missing="not_reached")
            continue
        status: Status = "ok" if math.isfinite(found.value) else "not_reached"
        sized.add(statistic, found.value, status=status, of="follow_up_median", unit="days")


def _compare(w: RowWriter, frame: pl.DataFrame, by: str) -> None:
    groups = frame[by].cast(pl.String)
    tested = w.within(method="logrank_reversed", variable=by, of="follow_up_median", n=frame.height)
    if groups.n_unique() < 2:
        tested.add("p_value", None, warning="Fewer than two groups have patients.")
        return
    reversed_events = 1 - frame["event"].clip(0, 1).to_numpy()
    test = logrank_test(Surv(frame["days"].to_numpy().astype(float), reversed_events), groups.to_numpy())
    why = "Nobody was censored while two groups were at risk." if math.isnan(test.p_value) else None
    tested.add("p_value", test.p_value, warning=why)
