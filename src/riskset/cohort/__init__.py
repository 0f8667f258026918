"""Who is in the study: ordered criteria, the attrition they cause, and the analysis set that is left."""

from __future__ import annotations

from riskset.cohort.analysis_set import AnalysisSet, analysis_set
from riskset.cohort.eligibility import DATA_QUALITY, select

__all__ = ["DATA_QUALITY", "AnalysisSet", "analysis_set", "select"]
