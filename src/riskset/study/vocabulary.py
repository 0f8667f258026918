"""The words a study file may use: each room registers its specs, and here they come together."""

from __future__ import annotations

import polars as pl

from riskset import analyses, biomarkers, covariates, endpoints, quality, timeline
from riskset.protocol import MappingFile, Protocol, Vocabulary
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
        checks=quality.CHECKS,
    )


def patient_columns(protocol: Protocol, mappings: dict[str, MappingFile]) -> dict[str, pl.DataType]:
    """Give the columns that `patients` will have before eligibility, with types, so that conditions can be typed."""
    columns: dict[str, pl.DataType] = dict(SCHEMAS["patients"].types)
    for mapping in mappings.values():
        for block in mapping.blocks:
            if block.table != "patients":
                continue
            for name, field in block.fields.items():
                if name not in columns and field.type is not None:
                    columns[name] = FURTHER_TYPES[field.type]
    columns.update(timeline.columns(protocol))
    columns.update(biomarkers.columns(protocol))
    columns.update(covariates.columns(protocol))
    return columns
