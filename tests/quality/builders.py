"""A good small study, and the checks run on it."""

from __future__ import annotations

from textwrap import dedent

import polars as pl

from riskset import biomarkers, cohort, covariates, endpoints, quality, timeline
from riskset.protocol import Protocol, Vocabulary, load
from riskset.tables import ORGANS
from small_tables import tables

VOCABULARY = Vocabulary(
    biomarkers=biomarkers.SPECS, covariates=covariates.SPECS, endpoints=endpoints.SPECS, checks=quality.CHECKS
)

STUDY = """\
riskset: 1
study: {id: tiny, title: A tiny study, data_cutoff: 2022-12-31}
centres: {a: {mapping: a.yaml}, b: {mapping: b.yaml, data_cutoff: 2021-12-31}}
index: {table: drugs, where: "inn = 'palbociclib'", pick: first, date: start}
biomarkers:
  her2: {rules: asco_cap_2018, scheme: zero_low}
covariates:
  visceral: {rule: visceral}
  n_organs: {rule: n_organs}
  bone_only: {rule: bone_only}
endpoints:
  pfs: {kind: pfs}
eligibility:
  - {id: her2_class, where: "her2 IN ('zero', 'low')"}
"""


def study(quality_section: str = "", text: str = STUDY) -> Protocol:
    """Load the study, with policies as YAML (`V04: set_missing`)."""
    policies = f"quality: {{{quality_section}}}\n" if quality_section else ""
    return load(dedent(text) + policies, VOCABULARY)


def good() -> dict[str, pl.DataFrame]:
    """Give the canonical tables of two patients of whom no check has anything to ask."""
    absent = "".join(
        f"{p} | {organ} | false | 2020-01-01\n"
        for p, present in (("ada", {"bone"}), ("bea", {"liver", "bone"}))
        for organ in ORGANS
        if organ not in present
    )
    return tables(
        patients="""
            patient | birth      | sex    | diagnosis  | metastatic
            ada     | 1960-05-01 | female | 2015-03-01 | 2019-12-15
            bea     | 1955-02-11 | female | 2019-12-01 | 2020-01-10
        """,
        samples="""
            patient | date       | tissue     | ihc | ish      | er | pr
            ada     | 2019-12-20 | metastasis | 1+  |          | 90 | 10
            bea     | 2019-12-05 | primary    | 2+  | negative | 80 | 0
        """,
        drugs="""
            patient | name        | start      | stop       | stop_reason | intent     | line
            ada     | letrozole   | 2015-06-01 | 2019-06-01 | completed   | adjuvant   |
            ada     | palbociclib | 2020-01-15 | 2021-01-20 | progression | metastatic | 1
            bea     | palbociclib | 2020-02-01 |            | ongoing     | metastatic | 1
        """,
        assessments="""
            patient | date       | response
            ada     | 2020-07-15 | SD
            ada     | 2021-01-15 | PD
            bea     | 2020-08-01 | PR
            bea     | 2021-08-01 | SD
        """,
        organs="""
            patient | organ | present | date
            ada     | bone  | true    | 2019-12-15
            bea     | liver | true    | 2020-01-10
            bea     | bone  | true    | 2020-01-10
        """
        + absent,
        contacts="""
            patient | date       | status
            ada     | 2021-06-01 | alive
            ada     | 2022-02-01 | dead
            bea     | 2021-09-01 | alive
        """,
        supplied="""
            patient | name      | value | number | unit
            ada     | bone_only | true  |        |
            ada     | visceral  | false |        |
            ada     | n_organs  | 1     | 1      |
            ada     | pfs       | 12.0  | 12.0   | months
            ada     | pfs_event | 1     | 1      |
            bea     | bone_only | false |        |
            bea     | visceral  | true  |        |
            bea     | n_organs  | 2     | 2      |
            bea     | pfs       | 547   | 547    | days
        """,
    )


def through(protocol: Protocol, given: dict[str, pl.DataFrame]) -> dict[str, pl.DataFrame]:
    """Run all steps and the checks of their stages, as a study does."""
    found = dict(quality.run_checks("tables", protocol, given))
    found = timeline.add_timeline(protocol, {}, found)
    found = biomarkers.add_biomarkers(protocol, {}, found)
    found = covariates.add_covariates(protocol, found)
    found = endpoints.add_endpoints(protocol, found)
    found = dict(quality.run_checks("derived", protocol, found))
    found = cohort.select(protocol, found)
    return dict(quality.run_checks("cohort", protocol, found))


def asked(found: dict[str, pl.DataFrame], *columns: str) -> list[tuple[object, ...]]:
    """Give the queries, sorted, as tuples of some columns (default check, patient, table, field)."""
    shown = list(columns or ("check", "patient", "table", "field"))
    return found["queries"].select(shown).sort(shown, nulls_last=True).rows()


def row(frame: pl.DataFrame, patient: str, **where: object) -> pl.Expr:
    """Give the condition that picks rows of a patient."""
    condition = pl.col("patient") == patient
    for name, value in where.items():
        condition &= pl.col(name) == value
    assert frame.filter(condition).height, "the mutant changes nothing"
    return condition


def put(given: dict[str, pl.DataFrame], table: str, field: str, value: object, patient: str, **where: object) -> dict:
    """Give the tables with one field of the picked rows changed."""
    frame = given[table]
    chosen = row(frame, patient, **where)
    changed = pl.when(chosen).then(pl.lit(value, frame.schema[field])).otherwise(pl.col(field)).alias(field)
    return {**given, table: frame.with_columns(changed)}


def add(given: dict[str, pl.DataFrame], table: str, **cells: object) -> dict:
    """Give the tables with one more row of centre `a`, numbered 99."""
    frame = given[table]
    values = {"centre": "a", "source": 0, "row": 99} | cells
    new = pl.DataFrame([{name: values.get(name) for name in frame.columns}], schema=frame.schema)
    return {**given, table: pl.concat([frame, new])}
