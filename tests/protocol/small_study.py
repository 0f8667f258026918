"""A small vocabulary and a small study that the tests of this room share."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from riskset.protocol import AnalysisSpec, Condition, Id, Spec, Vocabulary


class Survival(AnalysisSpec):
    kind: Literal["survival"] = "survival"
    endpoint: Id
    times_months: list[Annotated[float, Field(gt=0)]] = []
    conf_type: Literal["log-log", "log", "plain"] = "log-log"


class Cox(AnalysisSpec):
    kind: Literal["cox"] = "cox"
    endpoint: Id
    exposure: Id
    adjust: list[Id] = []
    strata: Id | list[Id] | None = None


class AgeAtIndex(Spec):
    rule: Literal["age_at_index"] = "age_at_index"


class Classes(Spec):
    rule: Literal["classes"] = "classes"
    levels: dict[str, Condition]
    where: Condition | None = None


class Column(Spec):
    rule: Literal["column"] = "column"
    column: Id
    levels: list[str] | None = None


class SampleValue(Spec):
    rule: Literal["sample_value"] = "sample_value"
    where: Condition | None = None


class Progression(Spec):
    kind: Literal["pfs"] = "pfs"
    scheme: Literal["ema", "fda_a"] = "ema"


class Her2(Spec):
    scheme: Literal["zero_low", "ultralow"] = "zero_low"
    grace_days: Annotated[int, Field(ge=0)] = 0


VOCABULARY = Vocabulary(
    analyses={"survival": Survival, "cox": Cox},
    biomarkers={"her2": Her2},
    covariates={"age_at_index": AgeAtIndex, "classes": Classes, "column": Column, "sample_value": SampleValue},
    endpoints={"pfs": Progression},
    checks={"V04": "dates that no calendar has", "V05": "dates in the future"},
    reserved=frozenset({"attrition"}),
)

STUDY = """\
# A study on one clean CSV: fifteen lines.
riskset: 1
study: {id: small, title: HER2-low against HER2-zero}
centres:
  rome:
    mapping:
      blocks:
        - {table: supplied, file: rome.csv, fields: {patient: {column: ID}, pfs: {column: PFS, unit: months}}}
biomarkers: {her2: {}}
covariates:
  age: {rule: age_at_index}          # at the index date
  group: {rule: classes, levels: {young: age < 50, old: age >= 50}}
endpoints: {pfs: {kind: pfs}}
eligibility: [{id: adult, where: age >= 18}]
populations: {younger: "group = 'young'"}
comparison: {by: her2, reference: zero}
analyses:
  pfs_her2: {kind: survival, plan: primary, endpoint: pfs, populations: [all, younger]}
"""
