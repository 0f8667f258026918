"""The claims file: what a publication prints, number by number, each pointing at the row that should equal it."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import Any, Literal

from pydantic import Field, field_validator, model_validator

from riskset.protocol import Id, Spec, load_model
from riskset.results import KEY_FIELDS

Unit = Literal["months", "days", "percent", "patients", "none"]
_NUMBER = r"[-+]?\d+(?:\.\d+)?"
EXPECTATION = re.compile(rf"value (<|<=|>|>=) ({_NUMBER})")


class Source(Spec):
    """Where the claims were printed."""

    title: str
    doi: str = ""
    note: str = ""


class Claim(Spec):
    """One printed number (`value`, as text so that its decimals are kept) or a statement about one (`expect`)."""

    id: Id
    says: str
    row: dict[str, Any]
    value: str | None = None
    expect: str | None = None
    unit: Unit = "none"

    @field_validator("value")
    @classmethod
    def _is_number(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(_NUMBER, value):
            raise ValueError('must be a number in quotes, such as "16.0"')
        return value

    @field_validator("expect")
    @classmethod
    def _is_expectation(cls, expect: str | None) -> str | None:
        if expect is not None and not EXPECTATION.fullmatch(expect):
            raise ValueError("must read like 'value < 0.05', with <, <=, > or >=")
        return expect

    @field_validator("row")
    @classmethod
    def _is_key(cls, row: dict[str, Any]) -> dict[str, Any]:
        for name in row:
            if name not in KEY_FIELDS:
                raise ValueError(f"'{name}' is no part of a result row's key; parts are {', '.join(KEY_FIELDS)}")
        for name in ("analysis", "statistic"):
            if name not in row:
                raise ValueError(f"needs '{name}'")
        return row

    @model_validator(mode="after")
    def _one_of_both(self) -> Claim:
        if (self.value is None) == (self.expect is None):
            raise ValueError("needs either 'value' or 'expect'")
        return self

    @property
    def decimals(self) -> int:
        """Decimals that were printed."""
        return max(0, -int(Decimal(self.value or "0").as_tuple().exponent))


class ClaimsFile(Spec):
    """A claims file."""

    claims: Literal[1]
    source: Source
    published: list[Claim] = Field(min_length=1)

    @field_validator("published")
    @classmethod
    def _ids_once(cls, published: list[Claim]) -> list[Claim]:
        seen: set[str] = set()
        for claim in published:
            if claim.id in seen:
                raise ValueError(f"the id '{claim.id}' stands twice; give each claim its own")
            seen.add(claim.id)
        return published


def load(text: str, *, file: str | None = None) -> ClaimsFile:
    """Load a claims file.

    Raises
    ------
    StudyFileError
        With all problems, each with line and column.
    """
    loaded: ClaimsFile = load_model(text, ClaimsFile, file=file)
    return loaded
