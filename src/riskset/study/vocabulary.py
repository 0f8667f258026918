"""The words a study file may use: each room registers its specs, and here they come together."""

from __future__ import annotations

import json

import polars as pl

from riskset import analyses, biomarkers, covariates, endpoints, ingest, quality, timeline
from riskset.protocol import MappingFile, Protocol, Vocabulary, json_schema
from riskset.tables import SCHEMAS

# What `type:` of a further column in a mapping means as a column type.
FURTHER_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int32(),
    "date": pl.Date(),
    "boolean": pl.Boolean(),
}


def study_vocabulary() -> Vocabulary:
    """Give every kind of analysis, biomarker, covariate, endpoint and check that this version knows."""
    return Vocabulary(
        analyses=analyses.SPECS,
        biomarkers=biomarkers.SPECS,
        covariates=covariates.SPECS,
        endpoints=endpoints.SPECS,
        checks={
            **ingest.CHECKS,
            **timeline.CHECKS,
            **biomarkers.CHECKS,
            **covariates.CHECKS,
            **endpoints.CHECKS,
            **quality.CHECKS,
        },
        reserved=frozenset(analyses.BUILT_IN),
    )


def schema_text() -> str:
    """Give the JSON Schema of the study file."""
    return json.dumps(json_schema(study_vocabulary()), indent=2, ensure_ascii=False)


def index_columns(protocol: Protocol) -> dict[str, pl.DataType]:
    """Give the columns that the index condition may read, with types."""
    table = protocol.index.table if protocol.index is not None else "drugs"
    known = dict(SCHEMAS[table].types) if table in SCHEMAS else {}
    return {**known, **timeline.drug_columns()} if table == "drugs" else known


def supplied_names(mappings: dict[str, MappingFile]) -> list[str]:
    """Give the names of the values that any centre's mapping supplies."""
    names: set[str] = set()
    for mapping in mappings.values():
        for block in mapping.blocks:
            if block.table == "supplied":
                for fields, constants in block.rows():
                    names.update(fields, constants)
    return sorted(names - {"patient"})


def columns_before_covariates(protocol: Protocol, mappings: dict[str, MappingFile]) -> dict[str, pl.DataType]:
    """Give the columns that `patients` will have, covariates apart, with types, so that conditions can be typed."""
    columns: dict[str, pl.DataType] = dict(SCHEMAS["patients"].types)
    for mapping in mappings.values():
        for block in mapping.blocks:
            if block.table != "patients":
                continue
            for fields, _ in block.rows():
                for name, field in fields.items():
                    if name not in columns and field.type is not None:
                        columns[name] = FURTHER_TYPES[field.type]
    columns.update(timeline.columns(protocol))
    columns.update(biomarkers.columns(protocol))
    return columns
