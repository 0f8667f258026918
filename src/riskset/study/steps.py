"""The steps of a study, in their order: each takes the state that the one before left and adds to it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal

import polars as pl

from riskset import analyses, biomarkers, claims, cohort, covariates, endpoints, ingest, quality, review, timeline
from riskset.errors import DataRefusedError
from riskset.progress import OnProgress
from riskset.protocol import MappingFile, Protocol
from riskset.results import Plan, Results
from riskset.tables import Tables


@dataclass(frozen=True, slots=True)
class Inputs:
    """What does not change while a study runs: the protocol, the mappings, the claims and where the data lie."""

    protocol: Protocol
    mappings: Mapping[str, MappingFile]
    data: Path
    claims: claims.ClaimsFile | None
    plans: Mapping[str, Plan]


@dataclass(frozen=True, slots=True)
class State:
    """What the steps have given so far."""

    tables: Tables = field(default_factory=dict)
    analysis_set: cohort.AnalysisSet | None = None
    results: Results | None = None
    verdicts: tuple[claims.Verdict, ...] = ()
    findings: tuple[review.Finding, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step: its name, what it tells its user, and the function that does it."""

    name: str
    message: str
    run: Callable[[Inputs, State, OnProgress, Any], State]


def _tables(
    function: Callable[[Protocol, Mapping[str, MappingFile], Tables], Tables],
) -> Callable[[Inputs, State, OnProgress, Any], State]:
    def run(inputs: Inputs, state: State, _: OnProgress, __: Any) -> State:
        return replace(state, tables=function(inputs.protocol, inputs.mappings, state.tables))

    return run


def _ingest(inputs: Inputs, state: State, on_progress: OnProgress, cancel: Any) -> State:
    tables = ingest.read_study(inputs.protocol, inputs.mappings, inputs.data, on_progress=on_progress, cancel=cancel)
    return replace(state, tables=tables)


def _check(stage: Literal["tables", "derived", "cohort"]) -> Callable[[Inputs, State, OnProgress, Any], State]:
    def run(inputs: Inputs, state: State, _: OnProgress, __: Any) -> State:
        return replace(state, tables=quality.run_checks(stage, inputs.protocol, state.tables))

    return run


def refuse_stopped(tables: Tables) -> None:
    """Raise where a check's policy is to stop the run; the query list says what to mend."""
    stopped = tables["queries"].filter(pl.col("action") == "stopped")
    if stopped.height:
        checks = ", ".join(stopped["check"].unique().sort().to_list())
        raise DataRefusedError(
            f"Check {checks} found {stopped.height} problems and its policy is to stop; the cells stand in "
            "private/queries of the output folder."
        )


def _cohort(inputs: Inputs, state: State, _: OnProgress, __: Any) -> State:
    return replace(state, tables=cohort.select(inputs.protocol, state.tables))


def _analyses(inputs: Inputs, state: State, on_progress: OnProgress, _: Any) -> State:
    analysis_set = cohort.analysis_set(inputs.protocol, state.tables)
    rows = analyses.run_all(inputs.protocol, analysis_set, inputs.plans, on_progress)
    return replace(state, analysis_set=analysis_set, results=Results(rows))


def _claims(inputs: Inputs, state: State, _: OnProgress, __: Any) -> State:
    if inputs.claims is None or state.results is None:
        return state
    return replace(state, verdicts=tuple(claims.compare(inputs.claims, state.results)))


def _review(inputs: Inputs, state: State, _: OnProgress, __: Any) -> State:
    if state.results is None:
        return state
    return replace(state, findings=tuple(review.review(state.results, inputs.protocol, state.verdicts)))


STEPS: tuple[Step, ...] = (
    Step("ingest", "Reading the hospitals' files", _ingest),
    Step("quality_tables", "Checking the data as they came", _check("tables")),
    Step("timeline", "Naming drugs and finding the index date", _tables(timeline.add_timeline)),
    Step("biomarkers", "Classifying HER2 and hormone receptors", _tables(biomarkers.add_biomarkers)),
    Step("covariates", "Deriving covariates", _tables(lambda p, _, t: covariates.add_covariates(p, t))),
    Step("endpoints", "Deriving endpoints from dates", _tables(lambda p, _, t: endpoints.add_endpoints(p, t))),
    Step("quality_derived", "Checking what was derived", _check("derived")),
    Step("cohort", "Applying the eligibility criteria", _cohort),
    Step("quality_cohort", "Checking the cohort", _check("cohort")),
    Step("analyses", "Computing the analyses", _analyses),
    Step("claims", "Comparing with the published numbers", _claims),
    Step("review", "Reviewing the statistics", _review),
)
