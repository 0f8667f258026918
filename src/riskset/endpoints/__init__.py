"""Endpoints: from dated facts to days and events, and to best responses. Definitions are data with one executor."""

from __future__ import annotations

from riskset.endpoints.add import CHECKS, add_endpoints, available_schemes
from riskset.endpoints.definition import Definition, Source, Stop
from riskset.endpoints.spec import (
    OverallSurvival,
    ProgressionFreeSurvival,
    Response,
    TimeSpec,
    TimeToEvent,
    TimeToNextTreatment,
    TimeToProgression,
)
from riskset.protocol import Spec

SPECS: dict[str, type[Spec]] = {
    "pfs": ProgressionFreeSurvival,
    "os": OverallSurvival,
    "ttp": TimeToProgression,
    "ttnt": TimeToNextTreatment,
    "time_to_event": TimeToEvent,
    "response": Response,
}

__all__ = ["CHECKS", "SPECS", "Definition", "Source", "Stop", "TimeSpec", "add_endpoints", "available_schemes"]
