"""Groups and populations of a study that nobody belongs to: what was meant may be misspelt, mismapped or excluded."""

from __future__ import annotations

from collections.abc import Iterator

import polars as pl

from riskset.protocol import Protocol
from riskset.tables import Tables

# Column of `patients` that holds a biomarker's class, where it is not called as the biomarker is.
_COLUMNS = {"hormone_receptors": "hr"}


def nobody(protocol: Protocol, tables: Tables) -> list[str]:
    """Give one sentence for each declared level, and each population of an analysis, that no included patient has.

    Parameters
    ----------
    protocol : the study.
    tables : the tables after the cohort was chosen.
    """
    patients = tables["patients"].filter(pl.col("included"))
    if not patients.height:
        return ["No patient is included: see which criterion loses them, and whether its columns are mapped."]
    return [*_levels(protocol, patients), *_populations(protocol, patients)]


def _levels(protocol: Protocol, patients: pl.DataFrame) -> Iterator[str]:
    """Look at the groups of the comparison and at the declared levels of covariates.

    A biomarker that is not compared may well be one class alone, as where a criterion asks for it.
    """
    by = protocol.comparison.by if protocol.comparison is not None else None
    declared = {**({by: protocol.biomarkers[by]} if by in protocol.biomarkers else {}), **protocol.covariates}
    for name, spec in declared.items():
        column = _COLUMNS.get(name, name)
        found = set(patients[column].cast(pl.String).drop_nulls().unique().to_list())
        missing = [level for level in getattr(spec, "levels", None) or () if level not in found]
        if missing:
            levels = ", ".join(f"'{level}'" for level in missing)
            yield (
                f"Warning: no included patient has {name} {levels}; check the codes of the mapping, the conditions of "
                "its levels and the eligibility criteria."
            )


def _populations(protocol: Protocol, patients: pl.DataFrame) -> Iterator[str]:
    types = dict(patients.schema)
    for population, condition in protocol.populations.items():
        asked = [name for name, spec in protocol.analyses.items() if population in spec.populations]
        if (
            asked
            and not patients.select(condition.expression(types).cast(pl.Boolean).fill_null(False)).to_series().any()
        ):
            yield (
                f"Warning: population '{population}' of {', '.join(asked)} is empty; check its condition and whether "
                "its columns are mapped."
            )
