"""Checks of HER2 results."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.tables import Tables


class UnreadableHer2(Check):
    """A HER2 text that is no result, or one that a spreadsheet turned into a date; the classification raises it."""

    id = "V14"
    meaning = "HER2 text cannot be read, or was damaged by a spreadsheet"
    stage = "derived"
    raised_by_step = True


class PositiveInCohort(Check):
    """A HER2-positive patient among the included."""

    id = "V15"
    meaning = "a HER2-positive patient is in the cohort"
    stage = "cohort"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the classed specimens of the included."""
        if "her2" not in tables["patients"].columns:
            return nothing()
        positive = tables["patients"].filter(pl.col("included") & (pl.col("her2").cast(pl.String) == "positive"))
        return located(positive, "patients", None, "HER2-positive, yet included; check the eligibility criteria.")


class EquivocalWithoutIsh(Check):
    """IHC 2+ that no in situ hybridisation has settled: neither low nor positive until it is done."""

    id = "V16"
    meaning = "IHC 2+ without in situ hybridisation"
    stage = "derived"
    severity = "warning"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the scored specimens."""
        samples = tables["samples"]
        if "her2_score" not in samples.columns:
            return nothing()
        open_ones = samples.filter((pl.col("her2_score") == "2+") & (pl.col("her2_class") == "INDETERMINATE"))
        return located(
            open_ones, "samples", "ihc", "IHC 2+ without a clear result of in situ hybridisation; add it if done."
        )
