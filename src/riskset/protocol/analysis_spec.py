"""What every declared analysis can say; the rooms of the analyses add the rest."""

from __future__ import annotations

from pydantic import Field

from riskset.protocol.model import Id, Plan
from riskset.protocol.spec import Spec


class AnalysisSpec(Spec):
    """Base of the specs of analyses.

    A subclass gives its `kind` as a literal with itself as default: `kind: Literal["survival"] = "survival"`.
    `by` null means the study's `comparison.by`; the population "all" is the whole analysis set.
    """

    plan: Plan = "planned"
    by: Id | None = None
    populations: list[Id] = Field(default_factory=lambda: ["all"], min_length=1)
    label: str = ""
