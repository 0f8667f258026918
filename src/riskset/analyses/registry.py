"""Finding the kinds of analysis, and running those that a study declares."""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

from riskset.analyses import attrition, data_quality, definitions
from riskset.cohort import AnalysisSet
from riskset.progress import OnProgress, Progress
from riskset.protocol import AnalysisSpec, Protocol
from riskset.results import Plan, ResultRow

# Run for every study, under their own name, after what the study declares.
BUILT_IN = {"attrition": attrition, "data_quality": data_quality, "definitions": definitions}


def _kinds() -> dict[str, ModuleType]:
    found = {}
    for info in pkgutil.iter_modules([str(Path(__file__).parent)]):
        module = import_module(f"riskset.analyses.{info.name}")
        if hasattr(module, "Spec"):
            found[info.name] = module
    return dict(sorted(found.items()))


_KINDS = _kinds()

SPECS: dict[str, type[AnalysisSpec]] = {kind: module.Spec for kind, module in _KINDS.items()}


def run_one(name: str, spec: Any, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give the result rows of one declared analysis."""
    rows: list[ResultRow] = _KINDS[spec.kind].run(name, spec, analysis_set)
    return rows


def run_all(
    protocol: Protocol, analysis_set: AnalysisSet, plans: Mapping[str, Plan], on_progress: OnProgress
) -> list[ResultRow]:
    """Give the rows of every declared analysis, in the study file's order, then of the built-in ones."""
    rows: list[ResultRow] = []
    for done, (name, spec) in enumerate(protocol.analyses.items()):
        on_progress(Progress("analyses", f"Analysis {name}", done, len(protocol.analyses)))
        rows.extend(run_one(name, spec.model_copy(update={"plan": plans[name]}), analysis_set))
    for name, module in BUILT_IN.items():
        rows.extend(module.run(name, analysis_set))
    return rows
