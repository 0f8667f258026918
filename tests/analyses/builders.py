"""Small analysis sets for tests: patients and outcomes as a clinician would list them, through the study's own code."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from textwrap import dedent, indent
from typing import Any

import polars as pl

from riskset import analyses, biomarkers, covariates, endpoints, quality
from riskset.cohort import AnalysisSet, analysis_set
from riskset.protocol import Protocol, Vocabulary, load
from riskset.results import ResultRow, Results
from riskset.tables import CANONICAL, DERIVED, PROVENANCE, empty, fit

STUDY = """\
riskset: 1
study: {id: tiny, title: A tiny study}
centres: {north: {mapping: north.yaml}, south: {mapping: south.yaml}, west: {mapping: west.yaml}}
covariates:
  her2: {rule: column, column: her2, levels: [zero, low]}
  setting: {rule: column, column: setting, levels: [recurrent, de_novo]}
  ecog: {rule: column, column: ecog, levels: [fit, limited, frail]}
  line_group: {rule: column, column: line_group, levels: [first, later]}
  visceral: {rule: column, column: visceral, type: boolean}
  age: {rule: column, column: age, type: number, unit: years}
endpoints:
  pfs: {kind: pfs, scheme: ema, also: [fda_a]}
  os: {kind: os}
  orr: {kind: response, success: [CR, PR], sd_min: 0}
populations:
  first_line: line_group = 'first'
  later_lines: line_group = 'later'
comparison: {by: her2, reference: zero}
analyses:
"""

VOCABULARY = Vocabulary(
    analyses=analyses.SPECS,
    biomarkers=biomarkers.SPECS,
    covariates=covariates.SPECS,
    endpoints=endpoints.SPECS,
    checks=quality.CHECKS,
    reserved=frozenset(analyses.BUILT_IN),
)

TYPES: dict[str, pl.DataType] = {
    "her2": pl.Enum(["zero", "low"]),
    "setting": pl.Enum(["recurrent", "de_novo"]),
    "ecog": pl.Enum(["fit", "limited", "frail"]),
    "line_group": pl.Enum(["first", "later"]),
    "visceral": pl.Boolean(),
    "age": pl.Float64(),
}


def protocol(declared: str = "{}", study: str = STUDY) -> Protocol:
    """Load the study with some analyses declared, as YAML."""
    return load(study + indent(dedent(declared), "  "), VOCABULARY)


_FIXED: dict[str, pl.DataType] = {
    "centre": pl.String(),
    "patient": pl.String(),
    "included": pl.Boolean(),
    "best_response": pl.String(),
    "measurable": pl.Boolean(),
}


def frame(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Turn patients, one mapping each, into columns; what a patient lacks is missing."""
    names = dict.fromkeys(name for row in rows for name in row)
    return {name: [row.get(name) for row in rows] for name in names}


def members(
    columns: Mapping[str, Sequence[Any]], study: Protocol, types: Mapping[str, pl.DataType] = TYPES
) -> AnalysisSet:
    """Build the analysis set of some patients.

    Columns are covariates, `centre` and `patient` (filled in where absent), `included` (default everyone), and for
    each outcome `<prefix>_days`, `<prefix>_event`, `<prefix>_reason` with the prefixes of `OUTCOMES`, and
    `best_response`, `measurable`.
    """
    n = len(next(iter(columns.values()), ()))
    given = {"centre": ["north"] * n, "patient": [f"p{k:03d}" for k in range(1, n + 1)], "included": [True] * n}
    given |= {name: list(values) for name, values in columns.items()}
    absent = {name: [None] * n for name in types if name not in given}
    everyone = pl.DataFrame(given | absent, schema_overrides=types | _FIXED)
    keys = everyone.select("centre", "patient")
    patients = everyone.select("centre", "patient", "included", *types).with_columns(
        lost_at=pl.lit(None, pl.String), lost_as=pl.lit(None, pl.String)
    )
    tables = {name: empty(schema) for name, schema in {**CANONICAL, **DERIVED, **PROVENANCE}.items()}
    tables |= {"patients": patients, "outcomes": _outcomes(keys, everyone), "responses": _responses(keys, everyone)}
    return analysis_set(study, tables)


# Prefix of the columns -> endpoint and scheme.
OUTCOMES = {"pfs": ("pfs", "ema"), "fda": ("pfs", "fda_a"), "os": ("os", "standard")}


def _outcomes(keys: pl.DataFrame, everyone: pl.DataFrame) -> pl.DataFrame:
    parts = [empty(DERIVED["outcomes"])]
    for prefix, (endpoint, scheme) in OUTCOMES.items():
        if f"{prefix}_days" not in everyone.columns:
            continue
        reason = everyone[f"{prefix}_reason"] if f"{prefix}_reason" in everyone.columns else pl.lit(None, pl.String)
        part = keys.with_columns(
            endpoint=pl.lit(endpoint),
            scheme=pl.lit(scheme),
            days=everyone[f"{prefix}_days"],
            event=everyone[f"{prefix}_event"],
            reason=reason,
        )
        parts.append(fit(part, DERIVED["outcomes"]))
    return pl.concat(parts)


def _responses(keys: pl.DataFrame, everyone: pl.DataFrame) -> pl.DataFrame:
    if "best_response" not in everyone.columns:
        return empty(DERIVED["responses"])
    best = everyone["best_response"].cast(pl.String)
    measurable = everyone["measurable"] if "measurable" in everyone.columns else pl.lit(None, pl.Boolean)
    rows = keys.with_columns(
        endpoint=pl.lit("orr"),
        best_response=best,
        responder=best.is_in(["CR", "PR"]),
        measurable=measurable,
        evaluable=best != "NE",
    )
    return fit(rows, DERIVED["responses"])


def run(
    declared: str,
    columns: Mapping[str, Sequence[Any]],
    study: str = STUDY,
    types: Mapping[str, pl.DataType] = TYPES,
) -> Results:
    """Run the declared analyses on some patients; the built-in ones are left out."""
    loaded = protocol(declared, study)
    chosen = members(columns, loaded, types)
    rows: list[ResultRow] = []
    for name, spec in loaded.analyses.items():
        rows.extend(analyses.run_one(name, spec, chosen))
    return Results(rows)
