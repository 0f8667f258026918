"""Tables that the steps after ingest add; per-patient columns (index date, classes, covariates) join `patients`."""

from __future__ import annotations

import polars as pl

from riskset.tables.schema import Column, TableSchema

TEXT = pl.String()
DATE = pl.Date()
WHOLE = pl.Int32()
TRUTH = pl.Boolean()

_KEY = (
    Column("centre", TEXT, "centre id", nullable=False),
    Column("patient", TEXT, "patient id", nullable=False),
)

CANDIDATES = TableSchema(
    "candidates",
    "every dated fact that could have ended an endpoint's time, kept or not, and why",
    (
        *_KEY,
        Column("endpoint", TEXT, "endpoint id", nullable=False),
        Column("scheme", TEXT, "censoring scheme", nullable=False),
        Column("role", TEXT, "event | censor | stop", nullable=False),
        Column("reason", TEXT, "progression, death, last_assessment, ...", nullable=False),
        Column("date", DATE, "date of the fact"),
        Column("days", WHOLE, "days from the index date", "days"),
        Column("kept", TRUTH, "this fact ended the time", nullable=False),
        Column("why", TEXT, "why it was kept or passed over", nullable=False),
        Column("table", TEXT, "canonical table that holds it"),
        Column("source", WHOLE, "`sources.source`"),
        Column("row", WHOLE, "row of the sheet"),
    ),
)

OUTCOMES = TableSchema(
    "outcomes",
    "one row a patient, endpoint and scheme",
    (
        *_KEY,
        Column("endpoint", TEXT, "endpoint id", nullable=False),
        Column("scheme", TEXT, "censoring scheme", nullable=False),
        Column("entry", WHOLE, "days at which the patient came under observation; null = from time zero", "days"),
        Column("days", WHOLE, "days from the index date to the event or censoring", "days"),
        Column("event", WHOLE, "0 = censored, 1 = event; null where the endpoint cannot be told"),
        Column("cause", TEXT, "what the event was"),
        Column("reason", TEXT, "why the time ended"),
        Column("date", DATE, "when it ended; null where only a duration was supplied"),
        Column("source", WHOLE, "`sources.source` of the fact that ended it"),
        Column("row", WHOLE, "row of the sheet"),
    ),
)

RESPONSES = TableSchema(
    "responses",
    "one row a patient and response endpoint",
    (
        *_KEY,
        Column("endpoint", TEXT, "endpoint id, such as orr", nullable=False),
        Column("best_response", TEXT, "CR | PR | SD | NON_CR_NON_PD | PD | NE; null where nothing is known"),
        Column("responder", TRUTH, "counts as success; NE counts as failure; null where nothing is known"),
        Column("measurable", TRUTH, "measurable disease at baseline; null where unknown"),
        Column("evaluable", TRUTH, "best response is other than NE"),
        Column("source", WHOLE, "`sources.source` of the assessment that decided"),
        Column("row", WHOLE, "row of the sheet"),
    ),
)

ATTRITION = TableSchema(
    "attrition",
    "one row a centre and criterion, in the order of the criteria",
    (
        Column("centre", TEXT, "centre id", nullable=False),
        Column("position", WHOLE, "order of the criterion, from 1", nullable=False),
        Column("criterion", TEXT, "criterion id", nullable=False),
        Column("entered", WHOLE, "patients who met all criteria before", "patients", nullable=False),
        Column("fails", WHOLE, "of these, known not to meet it", "patients", nullable=False),
        Column("unknown", WHOLE, "of these, cannot be told", "patients", nullable=False),
        Column("kept", WHOLE, "of these, known to meet it", "patients", nullable=False),
    ),
)

DERIVED: dict[str, TableSchema] = {t.name: t for t in (CANDIDATES, OUTCOMES, RESPONSES, ATTRITION)}
