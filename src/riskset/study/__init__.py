"""A study as one value: load it, run its steps in order, write the output folder.

This room alone knows the order of the steps; each step only reads the protocol and adds to what the one before gave.
"""

from __future__ import annotations

from riskset.study.folder import require_replaceable
from riskset.study.new import start_study
from riskset.study.nobody import nobody
from riskset.study.output import OutputFolder
from riskset.study.quick import Quick, quick
from riskset.study.steps import STEPS, State, Step
from riskset.study.study import Study, read_text
from riskset.study.trace import patient_story, trace
from riskset.study.vocabulary import schema_text, study_vocabulary

__all__ = [
    "STEPS",
    "OutputFolder",
    "Quick",
    "State",
    "Step",
    "Study",
    "nobody",
    "patient_story",
    "quick",
    "read_text",
    "require_replaceable",
    "schema_text",
    "start_study",
    "study_vocabulary",
    "trace",
]
