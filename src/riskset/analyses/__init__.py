"""Analyses: one file a kind, each a spec and a function from the analysis set to result rows.

A kind is a module here that has `Spec` and `run(name, spec, analysis_set)`; it is found by being here. The built-in
ones (attrition, data quality, definitions) are run for every study and are not declared.
"""

from __future__ import annotations

from riskset.analyses.registry import BUILT_IN, SPECS, run_all, run_one

__all__ = ["BUILT_IN", "SPECS", "run_all", "run_one"]
