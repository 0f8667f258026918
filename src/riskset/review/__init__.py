"""The statistical reviewer: rules that read result rows, ours or a paper's, and say what a careful referee would."""

from __future__ import annotations

from riskset.review.finding import Finding, Rule
from riskset.review.reviewer import RULES, review

__all__ = ["RULES", "Finding", "Rule", "review"]
