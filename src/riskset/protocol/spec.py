"""The base of everything that a user's file can say."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Base of everything that a study file can say: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")
