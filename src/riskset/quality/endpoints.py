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
        message = "A CDK4/6 inhibitor was given before the index drug; confirm the drug history."
        patients = tables["patients"].filter(pl.col("prior_cdk46"))
        index = patients.select(*KEY, "index_date", "index_source", "index_row")
        record = _earliest(tables["drugs"].join(index, on=KEY, how="inner").filter(_earlier_cdk()), "start")
        told = tables["supplied"].filter((pl.col("name") == "prior_cdk46") & _said_yes())
        told = _earliest(told.join(index, on=KEY, how="semi").join(record, on=KEY, how="anti"))
        rest = patients.join(pl.concat([record.select(KEY), told.select(KEY)]), on=KEY, how="anti")
        return pl.concat(
            [
                located(record, "drugs", "name", message),
                located(told, "supplied", "prior_cdk46", message).with_columns(value=told["value"]),
                located(rest, "patients", None, message),
            ]
        )


def _earlier_cdk() -> pl.Expr:
    """Say of a drug record joined to the index columns whether a CDK4/6 inhibitor was given in it before the index."""
    index = pl.col("index_date")
    own = (
        pl.col("source").eq_missing(pl.col("index_source"))
        & pl.col("row").eq_missing(pl.col("index_row"))
        & pl.col("start").eq_missing(index)
    )
    ended_by = pl.col("start").is_null() & (pl.col("stop") <= index)
    return (pl.col("drug_class") == "cdk46") & ~own & ((pl.col("start") < index) | ended_by).fill_null(False)


def _said_yes() -> pl.Expr:
    return pl.col("value").str.strip_chars().str.to_lowercase().is_in(["true", "1", "1.0", "yes"])


def _earliest(rows: pl.DataFrame, *by: str) -> pl.DataFrame:
    """Give each patient's first row, by the columns named and then by its place."""
    return rows.sort(*KEY, *by, "source", "row", nulls_last=True).unique(KEY, keep="first", maintain_order=True)
