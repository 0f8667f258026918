"""Bases of the specs here: what their rows could not tell apart, or would pass over, is refused at loading."""

from __future__ import annotations

from typing import Any

from pydantic import field_validator

from riskset.protocol import AnalysisSpec


class Declared(AnalysisSpec):
    """An analysis in whose lists each entry stands once: rows of the same entry would have the same key."""

    @field_validator("*")
    @classmethod
    def _once(cls, value: Any) -> Any:
        if isinstance(value, list):
            for place, entry in enumerate(value):
                if entry in value[:place]:
                    raise ValueError(f"'{entry}' stands twice; name it once")
        return value


class DeclaredExposure(Declared):
    """An analysis that names what it compares in a field of its own, so that `by` would be passed over."""

    @field_validator("by")
    @classmethod
    def _no_groups(cls, value: str | None) -> str | None:
        if value is not None:
            raise ValueError("this kind of analysis takes no groups of its own; leave `by` out")
        return value


class DeclaredWhole(Declared):
    """An analysis whose rows use the population for something else: it describes the whole analysis set alone."""

    @field_validator("populations")
    @classmethod
    def _whole(cls, value: list[str]) -> list[str]:
        if value != ["all"]:
            raise ValueError("this kind of analysis describes the whole analysis set; leave `populations` out")
        return value
