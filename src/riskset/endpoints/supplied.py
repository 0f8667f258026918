"""Durations that a centre worked out itself: `pfs` in months with `pfs_event`, and the same for other endpoints."""

from __future__ import annotations

import polars as pl

from riskset.errors import DataRefusedError
from riskset.tables import KEY, PROVENANCE, Tables, empty, fit

DAYS_PER = {"days": 1.0, "weeks": 7.0, "months": 30.4375, "years": 365.25}

CONFLICTING = "conflicting_values"
UNREADABLE = "unreadable_duration"
CHECKS: dict[str, str] = {
    CONFLICTING: "A patient has different supplied values of one endpoint; none of them is used.",
    UNREADABLE: "A supplied duration or event is no number, negative, or no yes/no value; it is not used.",
}
_TRUTH = {"1": 1, "1.0": 1, "true": 1, "yes": 1, "0": 0, "0.0": 0, "false": 0, "no": 0}


def supplied_outcomes(tables: Tables, names: tuple[str, str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the supplied durations as whole days, and questions about those that cannot be used.

    Parameters
    ----------
    tables
        With `supplied`.
    names
        Names of the duration and of its event. The unit is the mapping's; a month has 30.4375 days. Days are rounded to
        the nearest whole day, halves to the even one as R does.

    Returns
    -------
    outcomes, queries
        `centre, patient, days, event, source, row`, one row a patient with a duration; `event` is null where none was
        supplied.

    Raises
    ------
    DataRefusedError
        A duration has no unit, or one that is not known.
    """
    duration, event = names
    times, asked_times = _one_each(tables, duration)
    events, asked_events = _one_each(tables, event)
    _require_units(times, duration)
    factor = pl.col("unit").replace_strict(DAYS_PER, default=None, return_dtype=pl.Float64)
    days = (pl.col("number") * factor).round(0, mode="half_to_even")
    times = times.with_columns(pl.when(days >= 0).then(days).cast(pl.Int32, strict=False).alias("days"))
    text = pl.coalesce("value", pl.col("number").cast(pl.String)).str.strip_chars().str.to_lowercase()
    events = events.with_columns(text.replace_strict(_TRUTH, default=None, return_dtype=pl.Int32).alias("event"))
    queries = [
        asked_times,
        asked_events,
        _asked(UNREADABLE, times.filter(pl.col("days").is_null()), "The duration is no number from 0 on"),
        _asked(UNREADABLE, events.filter(pl.col("event").is_null()), "The event is neither yes nor no"),
    ]
    known = times.filter(pl.col("days").is_not_null()).select(*KEY, "days", "source", "row")
    outcomes = known.join(events.select(*KEY, "event"), on=KEY, how="left", maintain_order="left")
    return outcomes.select(*KEY, "days", "event", "source", "row").sort(KEY), pl.concat(queries)


def _one_each(tables: Tables, name: str) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give one row a patient of the values of a name; patients with different ones are left out and asked about."""
    rows = tables["supplied"].filter(
        pl.col("name") == name, pl.any_horizontal(pl.col("value").is_not_null(), pl.col("number").is_not_null())
    )
    rows = rows.sort(*KEY, "source", "row")
    different = (
        rows.group_by(KEY).agg(pl.struct("value", "number", "unit").n_unique().alias("n")).filter(pl.col("n") > 1)
    )
    clashes = rows.join(different, on=KEY, how="semi", maintain_order="left")
    one = rows.join(different, on=KEY, how="anti", maintain_order="left")
    return one.unique(KEY, keep="first", maintain_order=True), _asked(
        CONFLICTING, clashes, "The patient has different values"
    )


def _require_units(times: pl.DataFrame, name: str) -> None:
    wrong = times.filter(pl.col("unit").is_in(list(DAYS_PER)).fill_null(False).not_())
    if wrong.height:
        centre = wrong["centre"][0]
        raise DataRefusedError(
            f"Centre '{centre}' supplies '{name}' without a unit of time that is known; "
            f"add `unit: months` (or {', '.join(u for u in DAYS_PER if u != 'months')}) to that field of its mapping."
        )


def _asked(check: str, rows: pl.DataFrame, message: str) -> pl.DataFrame:
    if rows.is_empty():
        return empty(PROVENANCE["queries"])
    asked = rows.select(
        *KEY,
        pl.lit(check).alias("check"),
        pl.lit("warning").alias("severity"),
        pl.lit("set_missing").alias("action"),
        pl.lit("supplied").alias("table"),
        pl.col("name").alias("field"),
        "source",
        "row",
        pl.lit(f"{message}; correct it.").alias("message"),
        pl.coalesce("value", pl.col("number").cast(pl.String)).alias("value"),
    )
    return fit(asked, PROVENANCE["queries"])
