"""Data quality: small checks that run after a stage, each with a policy, all feeding one query list a centre."""

from __future__ import annotations

from riskset.quality.check import Check, Stage
from riskset.quality.runner import ALL, CHECKS, run_checks

__all__ = ["ALL", "CHECKS", "Check", "Stage", "run_checks"]
