"""Eligibility: ordered criteria, three-valued, and who was lost at which one."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from riskset.errors import ConditionError, UsageError
from riskset.protocol import Protocol
from riskset.tables import DERIVED, KEY, Tables, fit

# Patients whom a check's policy excluded are counted as lost at this criterion, ahead of those of the study file.
DATA_QUALITY = "data_quality"

_ADDED = ("included", "lost_at", "lost_as")


def select(protocol: Protocol, tables: Tables) -> dict[str, pl.DataFrame]:
    """Apply the criteria in order: `patients` gains `included`, `lost_at`, `lost_as`, and `attrition` is added.

    TRUE keeps a patient, FALSE loses the patient as `fails`, NULL as `unknown`. A later criterion is judged only on
    the patients whom all earlier ones kept, so that in each centre and over all centres
    `entered = fails + unknown + kept`, and the next `entered` is this `kept`. Where a check's policy excluded
    patients (`queries.action = 'excluded'`), `data_quality` is the first criterion and they fail it.

    Raises
    ------
    ConditionError
        A criterion names a column that `patients` lacks, or compares types that do not fit.
    UsageError
        A criterion id stands twice, or is `data_quality`.
    """
    patients = tables["patients"].drop(_ADDED, strict=False)
    verdicts = _data_quality(tables, patients) | _verdicts(protocol, patients)
    judged = _judge(patients, verdicts)
    return {**tables, "patients": judged, "attrition": _attrition(protocol, judged, list(verdicts))}


def _data_quality(tables: Tables, patients: pl.DataFrame) -> dict[str, pl.Series]:
    """Give the verdict of the policies: false for a patient with a query whose action is `excluded`."""
    if "queries" not in tables:
        return {}
    excluded = tables["queries"].filter(pl.col("action") == "excluded", pl.col("patient").is_not_null())
    if excluded.is_empty():
        return {}
    named = excluded.select(*KEY, pl.lit(False).alias("verdict")).unique()
    joined = patients.select(KEY).join(named, on=KEY, how="left", maintain_order="left")
    return {DATA_QUALITY: joined["verdict"].fill_null(True)}


def _verdicts(protocol: Protocol, patients: pl.DataFrame) -> dict[str, pl.Series]:
    types = dict(patients.schema)
    verdicts: dict[str, pl.Series] = {}
    for criterion in protocol.eligibility:
        if criterion.id in verdicts or criterion.id == DATA_QUALITY:
            raise UsageError(f"Criterion id '{criterion.id}' is taken; give the criterion an id of its own.")
        try:
            criterion.where.check(types)
        except ConditionError as error:
            raise ConditionError(f"eligibility, criterion '{criterion.id}': {error}") from error
        found = patients.select(criterion.where.expression(types).cast(pl.Boolean).alias("verdict"))
        verdicts[criterion.id] = found["verdict"]
    return verdicts


def _judge(patients: pl.DataFrame, verdicts: Mapping[str, pl.Series]) -> pl.DataFrame:
    """Mark each patient with the first criterion that did not keep the patient, and whether it failed or is unknown."""
    criteria = list(verdicts)
    lost_at = pl.coalesce([pl.lit(None, pl.String), *(pl.when(~_keeps(c)).then(pl.lit(c)) for c in criteria)])
    lost_as = pl.coalesce([pl.lit(None, pl.String), *(pl.when(~_keeps(c)).then(_loss(c)) for c in criteria)])
    columns = [series.alias(_column(c)) for c, series in verdicts.items()]
    judged = patients.with_columns(columns).with_columns(lost_at.alias("lost_at"), lost_as.alias("lost_as"))
    judged = judged.with_columns(pl.col("lost_at").is_null().alias("included"))
    return judged.select(*patients.columns, *_ADDED)


def _column(criterion: str) -> str:
    return f"criterion {criterion}"  # the blank keeps it apart from every column that an id can name


def _keeps(criterion: str) -> pl.Expr:
    return pl.col(_column(criterion)).fill_null(False)


def _loss(criterion: str) -> pl.Expr:
    return pl.when(pl.col(_column(criterion)).is_null()).then(pl.lit("unknown")).otherwise(pl.lit("fails"))


def _attrition(protocol: Protocol, judged: pl.DataFrame, criteria: list[str]) -> pl.DataFrame:
    """Count by centre and criterion; a centre without patients has rows of zeros."""
    place = {criterion: position for position, criterion in enumerate(criteria, 1)}
    position_of = pl.coalesce(
        [pl.lit(None, pl.Int32), *(pl.when(pl.col("lost_at") == c).then(n) for c, n in place.items())]
    )
    lost = judged.select("centre", "lost_as", position_of.alias("at"))
    rows = []
    for centre in protocol.centres:
        here = lost.filter(pl.col("centre") == centre)
        entered = here.height
        for criterion, position in place.items():
            reasons = here.filter(pl.col("at") == position)["lost_as"]
            fails, unknown = int((reasons == "fails").sum()), int((reasons == "unknown").sum())
            kept = entered - fails - unknown
            rows.append((centre, position, criterion, entered, fails, unknown, kept))
            entered = kept
    schema = DERIVED["attrition"]
    return fit(pl.DataFrame(rows, schema=schema.types, orient="row"), schema)
