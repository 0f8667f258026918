"""Checks of who a row is about."""

from __future__ import annotations

from typing import ClassVar

from riskset.protocol import Policy
from riskset.quality.check import Check


class PatientTwice(Check):
    """A row without a patient id, or one id on several rows of `patients` in a centre; the reader raises it.

    Which row is right cannot be told, so a patient who stands twice is left out unless the study file says otherwise.
    """

    id = "V01"
    meaning = "patient id missing, or twice within a centre"
    stage = "tables"
    policy: ClassVar[Policy] = "exclude"
    raised_by_step = True
