"""The study file as frozen values: what every step reads and none changes.

Only the frame of the file stands here. What an analysis, a biomarker, a covariate, an endpoint or a check may say is
a `Spec` of its own room, which registers it in the `Vocabulary`.
"""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from riskset.protocol.conditions import Condition

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
Policy = Literal["report", "set_missing", "exclude", "stop"]
Plan = Literal["primary", "planned", "exploratory"]


class Spec(BaseModel):
    """Base of everything that a study file can say: frozen, and unknown keys are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")


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


class CentreSpec(Spec):
    """One centre: its label and the path of its mapping, relative to the study file."""

    label: str = ""
    mapping: str
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

    labels: dict[str, str] = {}
    authors: list[str] = []
    note: str = ""


class AmendmentSpec(Spec):
    """A change made after the first run on real data: when, why, and which analyses it adds."""

    date: date
    reason: str
    analyses: list[Id] = []


class Protocol(Spec):
    """A whole study file. The dictionaries hold specs of the rooms that registered them, in the file's order."""

    riskset: Literal[1]
    study: StudyInfo
    centres: dict[Id, CentreSpec] = Field(min_length=1)
    index: IndexSpec | None = None
    biomarkers: dict[Id, Any] = {}
    covariates: dict[Id, Any] = {}
    endpoints: dict[Id, Any] = {}
    eligibility: list[CriterionSpec] = []
    populations: dict[Id, Condition] = {}
    comparison: ComparisonSpec | None = None
    analyses: dict[Id, Any] = {}
    quality: dict[str, Policy] = {}
    review: dict[str, str] = {}
    amendments: list[AmendmentSpec] = []
    claims: str | None = None
    report: ReportSpec = ReportSpec()
