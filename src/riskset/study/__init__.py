"""A study as one value: load it, run its steps in order, write the output folder.

This room alone knows the order of the steps; each step only reads the protocol and adds to what the one before gave.
"""

from __future__ import annotations

from riskset.study.quick import Quick, quick
from riskset.study.steps import STEPS, State, Step
from riskset.study.study import Study
from riskset.study.vocabulary import study_vocabulary

__all__ = ["STEPS", "Quick", "State", "Step", "Study", "quick", "study_vocabulary"]
