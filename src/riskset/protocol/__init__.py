"""The study file and the mapping file as frozen values; conditions; the vocabulary that the rooms fill.

Nothing here knows an analysis, a check, a rule or a biomarker by name.
"""

from __future__ import annotations

from riskset.protocol.analysis_spec import AnalysisSpec
from riskset.protocol.codes import fold_text
from riskset.protocol.conditions import Condition
from riskset.protocol.document import Locations, read_text
from riskset.protocol.editing import edit
from riskset.protocol.loading import load, load_mapping, load_model
from riskset.protocol.mapping import Block, FieldSpec, MappingDefaults, MappingFile
from riskset.protocol.model import (
    AmendmentSpec,
    CentreSpec,
    ComparisonSpec,
    CriterionSpec,
    Id,
    IndexSpec,
    Plan,
    Policy,
    Protocol,
    ReportSpec,
    StudyInfo,
)
from riskset.protocol.references import check_conditions, patient_conditions
from riskset.protocol.spec import Spec
from riskset.protocol.vocabulary import Vocabulary, json_schema, mapping_json_schema

__all__ = [
    "AmendmentSpec",
    "AnalysisSpec",
    "Block",
    "CentreSpec",
    "ComparisonSpec",
    "Condition",
    "CriterionSpec",
    "FieldSpec",
    "Id",
    "IndexSpec",
    "Locations",
    "MappingDefaults",
    "MappingFile",
    "Plan",
    "Policy",
    "Protocol",
    "ReportSpec",
    "Spec",
    "StudyInfo",
    "Vocabulary",
    "check_conditions",
    "edit",
    "fold_text",
    "json_schema",
    "load",
    "load_mapping",
    "load_model",
    "mapping_json_schema",
    "patient_conditions",
    "read_text",
]
