"""Checks of who a row is about."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Policy, Protocol
from riskset.quality.check import Check, located
from riskset.tables import KEY, ROW_KEY, Tables


class PatientTwice(Check):
    """One patient id on several rows of `patients` in a centre.

    Which row is right cannot be told, so the default is to leave the patient out. The first row is kept, so that
    every later table has one row a patient.
    """

    id = "V01"
    meaning = "patient id missing, or twice within a centre"
    stage = "tables"
    policy: Policy = "exclude"  # type: ignore[misc]

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Find ids with several rows."""
        twice = tables["patients"].filter(pl.struct(KEY).is_duplicated())
        return located(twice, "patients", "patient", "This patient id stands on several rows; say which one is right.")

    def mend(self, tables: Tables) -> Tables:
        """Keep the first row of each id."""
        first = tables["patients"].sort(*KEY, *ROW_KEY).unique(KEY, keep="first", maintain_order=True)
        return {**tables, "patients": first}
