"""Checks of endpoints and exposure to the index drug."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.results import DAYS_PER_MONTH
from riskset.tables import KEY, Tables

# Two durations of the same time agree within a day, or within a printed tenth of a month.
DAYS_APART, MONTHS_APART = 1.0, 0.1


class SuppliedDuration(Check):
    """A supplied duration that differs from the one computed from dates by more than a day or a tenth of a month."""

    id = "V47"
    meaning = "supplied duration differs from the dates"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Hold `supplied.<endpoint>` against the endpoint's primary scheme."""
        found = [nothing()]
        for endpoint, spec in protocol.endpoints.items():
            scheme = getattr(spec, "primary_scheme", None)
            if scheme is None:
                continue
            derived = tables["outcomes"].filter(
                (pl.col("endpoint") == endpoint)
                & (pl.col("scheme") == scheme)
                & pl.col("date").is_not_null()
                & pl.col("days").is_not_null()
            )
            supplied = tables["supplied"].filter((pl.col("name") == endpoint) & pl.col("number").is_not_null())
            both = supplied.join(derived.select(*KEY, "days"), on=KEY, how="inner", maintain_order="left")
            in_months = pl.col("unit") == "months"
            apart = (
                pl.when(in_months)
                .then((pl.col("number") - pl.col("days") / DAYS_PER_MONTH).abs() - MONTHS_APART)
                .when(pl.col("unit") == "days")
                .then((pl.col("number") - pl.col("days")).abs() - DAYS_APART)
            )
            # A tenth of a month may come out as 0.1000001: allow for the float.
            wrong = both.filter(apart > 1e-6)
            text = "The supplied duration differs from the one that the dates give; correct one of them."
            found.append(located(wrong, "supplied", endpoint, text).with_columns(value=wrong["value"]))
        return pl.concat(found)


class EarlierCdk(Check):
    """A CDK4/6 inhibitor before the index drug, in any setting: not a first exposure."""

    id = "V51"
    meaning = "a CDK4/6 inhibitor before the index drug"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the derived history."""
        if "prior_cdk46" not in tables["patients"].columns:
            return nothing()
        return located(
            tables["patients"].filter(pl.col("prior_cdk46")),
            "patients",
            None,
            "A CDK4/6 inhibitor was given before the index drug; confirm the drug history.",
        )
