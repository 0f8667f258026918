"""From drug records to time zero: which drug each record names, the index date, and earlier CDK4/6 inhibitors.

`add_timeline` reads every drug name against the dictionary (`dictionary.py`), finds each patient's index row by the
study's condition and says whether a CDK4/6 inhibitor was given before it.
"""

from __future__ import annotations

from riskset.timeline.columns import columns, drug_columns
from riskset.timeline.dictionary import DICTIONARY, DRUG_CLASSES, Drug
from riskset.timeline.timeline import add_timeline

# Ids of questions that a study file may give a policy.
CHECKS: dict[str, str] = {"V20": "unknown drug name"}

__all__ = ["CHECKS", "DICTIONARY", "DRUG_CLASSES", "Drug", "add_timeline", "columns", "drug_columns"]
