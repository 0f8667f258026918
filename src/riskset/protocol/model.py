"""The study file as frozen values: what every step reads and none changes.

Only the frame of the file stands here. What an analysis, a biomarker, a covariate, an endpoint or a check may say is
a `Spec` of its own room, which registers it in the `Vocabulary`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, StringConstraints, Tag, field_validator

from riskset.protocol.conditions import Condition
from riskset.protocol.mapping import MappingFile
from riskset.protocol.spec import FileSpec, Spec

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Policy = Literal["report", "set_missing", "exclude", "stop"]
Plan = Literal["primary", "planned", "exploratory"]


class StudyInfo(Spec):
    """What the study is called and the parameters that hold for all of it."""

    id: Id
    title: str
    question: str = ""
    simulated: bool = False
    data_cutoff: date | None = None
    plus_one: bool = False
    seed: int = 1
    conf_level: Annotated[float, Field(gt=0.5, lt=1)] = 0.95

    @field_validator("plus_one")
    @classmethod
    def _no_added_day(cls, plus_one: bool) -> bool:
        # Nothing adds the day yet, so a report that printed `true` would describe numbers that nobody computed.
        if plus_one:
            raise ValueError(
                "Months are days / 30.4375 without an added day; plus_one: true is not available in this version, so "
                "write false or leave it out."
            )
        return plus_one


def _mapping_form(value: Any) -> str:
    return "inline" if isinstance(value, dict | MappingFile) else "path"


class CentreSpec(Spec):
    """One centre: its label, and its mapping: a path relative to the study file, or the mapping itself."""

    label: str = ""
    mapping: Annotated[
        Annotated[str, Field(min_length=1), Tag("path")] | Annotated[MappingFile, Tag("inline")],
        Discriminator(_mapping_form),
    ]
    data_cutoff: date | None = None


class IndexSpec(Spec):
    """Time zero: which row of which table, chosen how, and its date column."""

    table: str = "drugs"
    where: Condition | None = None
    pick: Literal["first", "last"] = "first"
    date: str = "start"


class CriterionSpec(Spec):
    """One eligibility condition over the patient's columns: TRUE keeps, FALSE fails, NULL is unknown."""

    id: Id
    where: Condition
    label: str = ""


class ComparisonSpec(Spec):
    """The two or more groups that are compared, and the one that the others are held against."""

    by: Id
    reference: str


class ReportSpec(Spec):
    """Words of the report: labels by id (`her2`, `her2.low`), authors, a note above the results."""

    labels: dict[str, str] = Field(default_factory=dict)
    authors: list[str] = Field(default_factory=list)
    note: str = ""


class AmendmentSpec(Spec):
    """A change made after the first run on real data: when, why, and which analyses it adds."""

    date: date
    reason: str
    analyses: list[Id] = Field(default_factory=list)


class Protocol(FileSpec):
    """A whole study file. The dictionaries hold specs of the rooms that registered them, in the file's order."""

    riskset: Literal[1]
    study: StudyInfo
    centres: dict[Id, CentreSpec] = Field(min_length=1)
    index: IndexSpec | None = None
    biomarkers: dict[Id, Any] = Field(default_factory=dict)
    covariates: dict[Id, Any] = Field(default_factory=dict)
    endpoints: dict[Id, Any] = Field(default_factory=dict)
    eligibility: list[CriterionSpec] = Field(default_factory=list)
    populations: dict[Id, Condition] = Field(default_factory=dict)
    comparison: ComparisonSpec | None = None
    analyses: dict[Id, Any] = Field(default_factory=dict)
    quality: dict[str, Policy] = Field(default_factory=dict)
    review: dict[str, str] = Field(default_factory=dict)
    amendments: list[AmendmentSpec] = Field(default_factory=list)
    claims: str | None = None
    report: ReportSpec = ReportSpec()
