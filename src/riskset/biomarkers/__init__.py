"""Tumour biomarkers: from the text of a pathology report to a class per sample, and from samples to the patient.

Rules are tables of data (`her2_rules.py`, `her2_text.py`, `receptor_rules.py`), each row with its id; `reading.py` and
`specimen.py` execute them. A study names the biomarkers that it needs; each has its spec model in `SPECS`.
"""

from __future__ import annotations

from riskset.biomarkers.biomarkers import SPECS, add_biomarkers, columns
from riskset.biomarkers.queries import CHECKS
from riskset.biomarkers.specs import Her2Spec, HormoneReceptorsSpec

__all__ = ["CHECKS", "SPECS", "Her2Spec", "HormoneReceptorsSpec", "add_biomarkers", "columns"]
