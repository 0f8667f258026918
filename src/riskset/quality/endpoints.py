"""Checks of endpoints and exposure to the index drug."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.results import DAYS_PER_MONTH
from riskset.tables import KEY, Tables

# Unit of a supplied duration -> its days, and how far it may lie from the dates: a day, or a printed tenth.
DAYS_PER: dict[str, float] = {"days": 1.0, "weeks": 7.0, "months": DAYS_PER_MONTH, "years": 365.25}
APART: dict[str, float] = {"days": 1.0, "weeks": 1.0, "months": 0.1 * DAYS_PER_MONTH, "years": 36.525}

# Where a study prefers the supplied duration, the dated fact that it replaces says so among the candidates.
REPLACED = "the supplied duration is used"
# Words of an outcome that an event without a usable date leaves unknown, and of the event among the candidates.
UNDATED = "event_without_date"
UNREADABLE = "its date cannot be read"


class SuppliedDuration(Check):
    """A supplied duration that differs from the one computed from dates by more than a day or a tenth of a month."""

    id = "V47"
    meaning = "supplied duration differs from the dates"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Hold the duration that a centre supplied against the endpoint's primary scheme."""
        found = [nothing()]
        for endpoint, spec in protocol.endpoints.items():
            scheme, names = getattr(spec, "primary_scheme", None), getattr(spec, "supplied_as", None)
            if scheme is None or names is None:
                continue
            supplied = tables["supplied"].filter((pl.col("name") == names[0]) & pl.col("number").is_not_null())
            dated = _dated(tables, endpoint, scheme)
            both = supplied.join(dated, on=KEY, how="inner", maintain_order="left")
            per, apart = (
                pl.col("unit").replace_strict(table, default=None, return_dtype=pl.Float64)
                for table in (DAYS_PER, APART)
            )
            # A tenth of a month may come out as 0.1000001: allow for the float.
            wrong = both.filter((pl.col("number") * per - pl.col("days")).abs() > apart + 1e-6)
            text = "The supplied duration differs from the one that the dates give; correct one of them."
            found.append(located(wrong, "supplied", names[0], text).with_columns(value=wrong["value"]))
        return pl.concat(found)


def _dated(tables: Tables, endpoint: str, scheme: str) -> pl.DataFrame:
    """Give `centre, patient, days` of those of whom dated facts tell the endpoint, used or replaced."""
    mine = (pl.col("endpoint") == endpoint) & (pl.col("scheme") == scheme) & pl.col("days").is_not_null()
    used = tables["outcomes"].filter(mine & pl.col("date").is_not_null())
    # The start alone is no dated fact about the end.
    replaced = tables["candidates"].filter(mine & (pl.col("why") == REPLACED) & (pl.col("table") != "patients"))
    return pl.concat([used.select(*KEY, "days"), replaced.select(*KEY, "days")]).unique(KEY, maintain_order=True)


class UndatedEvent(Check):
    """An event whose date cannot be read and without which a patient's endpoint cannot be told."""

    id = "event_without_date"
    meaning = "an endpoint cannot be told until the date of an event is mended"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look among the candidates of the endpoints that are unknown for want of a date."""
        of = [*KEY, "endpoint", "scheme"]
        unknown = tables["outcomes"].filter(pl.col("reason") == UNDATED, pl.col("event").is_null()).select(of)
        events = tables["candidates"].filter(pl.col("role") == "event", pl.col("why") == UNREADABLE)
        found = events.join(unknown, on=of, how="semi").group_by(*KEY, "table", "source", "row")
        cells = found.agg(pl.col("endpoint").unique().sort().str.join(", ").alias("endpoints"))
        message = pl.format("Until the date of this event is mended, it cannot be told: {}.", "endpoints")
        dates = pl.lit("date").alias("field")
        return cells.select(
            *KEY, "table", dates, "source", "row", message.alias("message"), pl.lit(None, pl.String).alias("value")
        )


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
