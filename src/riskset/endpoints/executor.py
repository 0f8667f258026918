"""The one executor of time-to-event definitions: candidates, stops, the fact that ended the time.

Facts before the start never count. The earliest event not after a stop ends the time; without one the last censor fact
not after the stop does; without that the time is censored where it starts. Facts of the same day: events in the order
of the definition, then by sheet and row. An event whose date a centre wrote but nobody can read leaves the endpoint
unknown where no dated event ends the time: the last censor fact may lie after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from riskset.endpoints.definition import Definition, Source, Stop
from riskset.endpoints.facts import Facts
from riskset.errors import ConditionError, UsageError, did_you_mean
from riskset.tables import KEY

AFTER_CUTOFF = "starts_after_cutoff"
UNDATED = "event_without_date"
UNREADABLE = "its date cannot be read"

_CANDIDATE: dict[str, pl.DataType] = {
    "centre": pl.String(),
    "patient": pl.String(),
    "role": pl.String(),
    "reason": pl.String(),
    "cause": pl.String(),
    "date": pl.Date(),
    "table": pl.String(),
    "source": pl.Int32(),
    "row": pl.Int32(),
    "order": pl.Int32(),
    "on_start": pl.Boolean(),
    "undated": pl.String(),
    "unreadable": pl.Boolean(),
    "then": pl.String(),
}
_PLACE = ["order", "source", "row"]


@dataclass(frozen=True, slots=True)
class Derived:
    """`outcomes` (one row a patient with a start) and `candidates`, without the columns endpoint and scheme."""

    outcomes: pl.DataFrame
    candidates: pl.DataFrame


def derive(definition: Definition, facts: Facts, cutoffs: pl.DataFrame) -> Derived:
    """Derive days and events under one definition.

    Parameters
    ----------
    definition
        The endpoint under one scheme.
    facts
        The dated facts.
    cutoffs
        `centre, cutoff`: the data cut-off of each centre, null where there is none.

    Returns
    -------
    Derived
        Days are whole days from the start and never negative. `event` and `days` are null where a patient starts after
        the data cut-off, or where an event that would have ended the time has no date.

    Raises
    ------
    UsageError, ConditionError
        A source names a column that its table lacks.
    """
    base = _base(definition, facts, cutoffs)
    candidates = _candidates(definition, facts, base)
    limits = _limits(candidates, base)
    event = _first_event(candidates, limits)
    missed = _missed_visits(definition, candidates, event, base)
    if missed is not None:
        candidates = pl.concat([candidates.drop("fact"), missed], how="diagonal").with_row_index("fact")
        limits = _limits(candidates, base)
        event = _first_event(candidates, limits)
    censor = _last_censor(candidates, limits, event)
    outcomes = _outcomes(definition, candidates, limits, event, censor)
    return Derived(
        outcomes.select(*KEY, "entry", "days", "event", "cause", "reason", "date", "source", "row"),
        _explained(candidates, outcomes),
    )


def _base(definition: Definition, facts: Facts, cutoffs: pl.DataFrame) -> pl.DataFrame:
    """Give the patients with a start: keys, `begin`, and `cutoff` in days where the definition stops at it."""
    patients = facts.tables["patients"]
    start = definition.start
    if start == "index_date":
        begin = facts.index.select(*KEY, pl.col("index_date").alias("begin"))
    else:
        _require_date(patients, "patients", start)
        begin = patients.select(*KEY, pl.col(start).alias("begin"))
    stops = any(stop.at == "data_cutoff" and stop.then == "censor_before" for stop in definition.stops)
    cutoff = (pl.col("cutoff") - pl.col("begin")).dt.total_days().cast(pl.Int32)
    joined = begin.filter(pl.col("begin").is_not_null()).join(cutoffs, on="centre", how="left")
    return joined.select(*KEY, "begin", (cutoff if stops else pl.lit(None, pl.Int32)).alias("cutoff")).sort(KEY)


# --- candidates -------------------------------------------------------------------------------------------------


def _candidates(definition: Definition, facts: Facts, base: pl.DataFrame) -> pl.DataFrame:
    """Give every fact of the patients, numbered by `fact`, with `days` from the start."""
    frames = [_collect(facts, source, "event", n) for n, source in enumerate(definition.events)]
    for n, stop in enumerate(definition.stops, len(definition.events)):
        if stop.at in ("new_therapy", "treatment_stop"):
            frames.append(_stop_facts(facts, stop, n))
        elif stop.at == "data_cutoff":
            frames.append(_cutoff_facts(base, stop, n))
    frames += [_collect(facts, source, "censor", n) for n, source in enumerate(definition.censors)]
    together = pl.concat(frames).join(base, on=KEY, how="inner")
    days = (pl.col("date") - pl.col("begin")).dt.total_days().cast(pl.Int32)
    ordered = together.with_columns(days.alias("days")).sort(
        *KEY, "role", "date", *_PLACE, nulls_last=True, maintain_order=True
    )
    return ordered.with_row_index("fact")


def _collect(facts: Facts, source: Source, role: str, order: int, then: str | None = None) -> pl.DataFrame:
    frame = facts.table(source.table)
    _require_date(frame, source.table, source.date)
    if source.where is not None:
        try:
            frame = frame.filter(source.where.expression(dict(frame.schema)))
        except ConditionError as error:
            raise ConditionError(f"source '{source.reason}' over {source.table}: {error}") from error
    words = {
        "role": role,
        "reason": source.reason,
        "cause": (source.cause or source.reason) if role == "event" else None,
        "table": {"new_therapy": "drugs", "treatment_stop": "drugs"}.get(source.table, source.table),
        "order": order,
        "on_start": source.on_start,
        "undated": source.undated,
        "then": then,
    }
    unreadable = facts.unreadable(source.table, source.date).with_columns(unreadable=pl.lit(True))
    chosen = frame.select(*KEY, pl.col(source.date).alias("date"), "source", "row").join(
        unreadable, on=[*KEY, "source", "row"], how="left", maintain_order="left"
    )
    chosen = chosen.with_columns(pl.col("unreadable").fill_null(False) & pl.col("date").is_null())
    return _typed(chosen.with_columns(pl.lit(value).alias(name) for name, value in words.items()))


def _stop_facts(facts: Facts, stop: Stop, order: int) -> pl.DataFrame:
    """A stop that is an event becomes a source of events."""
    if stop.at == "new_therapy":
        source = Source(table="new_therapy", where=stop.where, date="start", reason=stop.word)
    else:
        source = Source(table="treatment_stop", where=stop.where, reason=stop.word)
    if stop.then == "event":
        return _collect(facts, source, "event", order)
    return _collect(facts, source, "stop", order, stop.then)


def _cutoff_facts(base: pl.DataFrame, stop: Stop, order: int) -> pl.DataFrame:
    known = base.filter(pl.col("cutoff").is_not_null())
    words = {"role": "stop", "reason": stop.word, "order": order, "then": stop.then}
    date = pl.col("begin") + pl.duration(days=pl.col("cutoff"))
    return _typed(known.select(*KEY, date.alias("date"), *(pl.lit(v).alias(k) for k, v in words.items())))


def _typed(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in _CANDIDATE.items()
    )


def _require_date(frame: pl.DataFrame, table: str, column: str) -> None:
    if column not in frame.columns:
        raise UsageError(f"{table} have no column '{column}'{did_you_mean(column, frame.columns)}; name a date of it.")
    if frame.schema[column] != pl.Date:
        raise UsageError(f"column '{column}' of {table} holds no dates; name one that does.")


# --- stops, events, censorings ----------------------------------------------------------------------------------


def _limits(candidates: pl.DataFrame, base: pl.DataFrame) -> pl.DataFrame:
    """Give each patient's earliest stop: `limit` in days and `stopped_by`, null where nothing stops."""
    stops = candidates.filter(pl.col("then") == "censor_before", pl.col("days").is_not_null())
    first = stops.sort(*KEY, "days", *_PLACE).unique(KEY, keep="first", maintain_order=True)
    first = first.select(*KEY, pl.col("days").alias("limit"), pl.col("reason").alias("stopped_by"))
    return base.join(first, on=KEY, how="left")


def _counts_as_event() -> pl.Expr:
    in_time = (pl.col("days") > 0) | ((pl.col("days") == 0) & pl.col("on_start"))
    return (pl.col("role") == "event") & in_time & (pl.col("days") <= pl.col("limit")).fill_null(True)


def _first_event(candidates: pl.DataFrame, limits: pl.DataFrame) -> pl.DataFrame:
    events = candidates.join(limits.select(*KEY, "limit"), on=KEY, how="left").filter(_counts_as_event())
    return events.sort(*KEY, "days", *_PLACE).unique(KEY, keep="first", maintain_order=True)


def _missed_visits(
    definition: Definition, candidates: pl.DataFrame, event: pl.DataFrame, base: pl.DataFrame
) -> pl.DataFrame | None:
    """Give the stops of patients whose first event comes more than the gap after the last assessment before it."""
    stop = next((s for s in definition.stops if s.at == "missed_visits" and s.then == "censor_before"), None)
    if stop is None:
        return None
    first = event.select(*KEY, pl.col("days").alias("event_days"))
    seen = (
        candidates.filter(pl.col("role") == "censor", pl.col("days") >= 0)
        .join(first, on=KEY, how="inner")
        .filter(pl.col("days") < pl.col("event_days"))
        .group_by(KEY)
        .agg(pl.col("days").max().alias("seen"))
    )
    gaps = first.join(seen, on=KEY, how="left").with_columns(pl.col("seen").fill_null(0))
    missed = gaps.filter(pl.col("event_days") - pl.col("seen") > stop.max_gap_days).join(base, on=KEY, how="inner")
    words = {"role": "stop", "reason": stop.word, "order": definition.stops.index(stop), "then": stop.then}
    rows = missed.select(
        *KEY,
        (pl.col("begin") + pl.duration(days=pl.col("seen"))).alias("date"),
        *(pl.lit(v).alias(k) for k, v in words.items()),
    )
    typed = _typed(rows).join(missed.select(*KEY, "begin", "cutoff", pl.col("seen").alias("days")), on=KEY, how="left")
    return typed.sort(KEY)


def _effective_days() -> pl.Expr:
    """A censor fact after the data cut-off tells that nothing had happened at the cut-off."""
    return pl.min_horizontal("days", pl.coalesce("cutoff", "days"))


def _last_censor(candidates: pl.DataFrame, limits: pl.DataFrame, event: pl.DataFrame) -> pl.DataFrame:
    censors = (
        candidates.filter(pl.col("role") == "censor", pl.col("days") >= 0)
        .with_columns(_effective_days().alias("effective"))
        .join(limits.select(*KEY, "limit"), on=KEY, how="left")
        .filter((pl.col("effective") <= pl.col("limit")).fill_null(True), pl.col("effective") >= 0)
        .join(event, on=KEY, how="anti")
    )
    last = censors.sort(*KEY, "effective", "days", *_PLACE, descending=[False, False, True, True, False, False, False])
    return last.unique(KEY, keep="first", maintain_order=True)


# --- outcomes ---------------------------------------------------------------------------------------------------


def _outcomes(
    definition: Definition,
    candidates: pl.DataFrame,
    limits: pl.DataFrame,
    event: pl.DataFrame,
    censor: pl.DataFrame,
) -> pl.DataFrame:
    """Give one row a patient: the event, else the last censor fact, else the start. `fact` is what decided."""
    ended = event.select(*KEY, "fact", "days", "cause", "reason", "date", "source", "row", event=pl.lit(1, pl.Int32))
    cut = pl.col("days") > pl.col("cutoff")
    censored = censor.select(
        *KEY,
        "fact",
        pl.col("effective").alias("days"),
        pl.lit(None, pl.String).alias("cause"),
        pl.when(cut).then(pl.lit("data_cutoff")).otherwise("reason").alias("reason"),
        (pl.col("begin") + pl.duration(days=pl.col("effective"))).alias("date"),
        "source",
        "row",
        event=pl.lit(0, pl.Int32),
    )
    columns = ["fact", "days", "event", "cause", "reason", "date", "source", "row"]
    found = pl.concat([ended.select(*KEY, *columns), censored.select(*KEY, *columns)])
    beyond = (
        candidates.filter(pl.col("role") != "stop", pl.col("days") > pl.col("cutoff"))
        .select(*KEY, pl.lit(True).alias("facts_beyond"))
        .unique()
    )
    undated = (
        candidates.filter(
            pl.col("role") == "event",
            pl.col("date").is_null(),
            (pl.col("undated") == "unknown") | pl.col("unreadable"),
        )
        .select(*KEY, pl.lit(True).alias("undated_event"))
        .unique()
    )
    everyone = limits.join(found, on=KEY, how="left")
    for marks in (beyond, undated):
        everyone = everyone.join(marks, on=KEY, how="left")
    return _settled(everyone, definition.at_start).sort(KEY)


def _settled(everyone: pl.DataFrame, at_start: str) -> pl.DataFrame:
    """Fill in the start where nothing was found, name the stop that censored, and leave unknown what cannot be told."""
    stopped = pl.col("stopped_by")
    cut_off = (stopped == "data_cutoff") & pl.col("facts_beyond").is_null()
    by_stop = pl.when(stopped.is_not_null() & ~cut_off).then(stopped)
    found = pl.col("fact").is_not_null()
    censored = pl.col("event").fill_null(0) == 0
    own = pl.when(found).then("reason").otherwise(pl.lit(at_start))
    everyone = everyone.with_columns(
        pl.col("event").fill_null(0),
        pl.col("days").fill_null(0),
        pl.col("date").fill_null(pl.col("begin")),
        pl.when(censored).then(pl.coalesce(by_stop, own)).otherwise("reason").alias("reason"),
        pl.lit(None, pl.Int32).alias("entry"),
    )
    unknown = (
        pl.when(pl.col("cutoff") < 0)
        .then(pl.lit(AFTER_CUTOFF))
        .when(censored & pl.col("undated_event").is_not_null())
        .then(pl.lit(UNDATED))
    )
    everyone = everyone.with_columns(unknown.alias("unknown"))
    kept = pl.col("unknown").is_null()
    blank = [
        pl.when(kept).then(name).alias(name) for name in ("days", "event", "cause", "date", "source", "row", "fact")
    ]
    return everyone.with_columns(*blank, pl.coalesce("unknown", "reason").alias("reason"))


# --- why --------------------------------------------------------------------------------------------------------


def _explained(candidates: pl.DataFrame, outcomes: pl.DataFrame) -> pl.DataFrame:
    """Say of each candidate whether it ended the time, and why or why not."""
    ends = outcomes.select(
        *KEY,
        pl.col("fact").alias("decided"),
        pl.col("days").alias("end"),
        "event",
        "limit",
        "stopped_by",
        "unknown",
    )
    frame = candidates.join(ends, on=KEY, how="left", maintain_order="left")
    kept = (pl.col("fact") == pl.col("decided")).fill_null(False)
    why = (
        pl.when(pl.col("unreadable"))
        .then(pl.lit(UNREADABLE))
        .when(pl.col("date").is_null())
        .then(pl.lit("it has no date"))
        .when(pl.col("unknown") == UNDATED)
        .then(pl.lit("an event without a date leaves the endpoint unknown"))
        .when(pl.col("role") == "stop")
        .then(_why_stop())
        .when(kept & (pl.col("role") == "event"))
        .then(pl.lit("first event"))
        .when(kept)
        .then(_why_censored())
        .when(pl.col("role") == "event")
        .then(_why_no_event())
        .otherwise(_why_no_censor())
    )
    explained = frame.with_columns(kept.alias("kept"), why.alias("why"))
    columns = ["role", "reason", "date", "days", "kept", "why", "table", "source", "row"]
    started = _started(outcomes)
    rows = pl.concat([explained.select(*KEY, *columns), started.select(*KEY, *columns)])
    return rows.sort(*KEY, "role", "date", "reason", "source", "row", nulls_last=True, maintain_order=True)


def _why_stop() -> pl.Expr:
    binding = (pl.col("days") == pl.col("limit")) & (pl.col("reason") == pl.col("stopped_by"))
    return (
        pl.when(pl.col("then") == "ignore")
        .then(pl.lit("this scheme passes over it"))
        .when((pl.col("event") == 1) & (pl.col("end") <= pl.col("days")))
        .then(pl.lit("the event came first"))
        .when(binding)
        .then(pl.lit("no later fact counts"))
        .otherwise(pl.lit("another stop came first"))
    )


def _why_censored() -> pl.Expr:
    cut = pl.col("days") > pl.col("cutoff")
    return (
        pl.when(cut)
        .then(pl.lit("after the data cut-off; counted at it"))
        .otherwise(pl.lit("last fact without an event"))
    )


def _why_no_event() -> pl.Expr:
    return (
        pl.when(pl.col("days") < 0)
        .then(pl.lit("before the start"))
        .when((pl.col("days") == 0) & ~pl.col("on_start"))
        .then(pl.lit("on the day of the start"))
        .when(pl.col("days") > pl.col("limit"))
        .then(pl.concat_str(pl.lit("after the stop: "), "stopped_by"))
        .otherwise(pl.lit("a later event, or another of the same day"))
    )


def _why_no_censor() -> pl.Expr:
    return (
        pl.when(pl.col("days") < 0)
        .then(pl.lit("before the start"))
        .when(pl.col("event") == 1)
        .then(pl.lit("an event ended the time"))
        .when(_effective_days() > pl.col("limit"))
        .then(pl.concat_str(pl.lit("after the stop: "), "stopped_by"))
        .otherwise(pl.lit("not the last fact without an event"))
    )


def _started(outcomes: pl.DataFrame) -> pl.DataFrame:
    """Give a candidate to those who are censored at the start: the start itself."""
    bare = outcomes.filter(pl.col("fact").is_null(), pl.col("unknown").is_null())
    words: Sequence[pl.Expr] = (
        pl.lit("censor").alias("role"),
        pl.col("reason"),
        pl.lit(True).alias("kept"),
        pl.lit("no fact after the start and before a stop").alias("why"),
        pl.lit("patients").alias("table"),
        pl.lit(None, pl.Int32).alias("source"),
        pl.lit(None, pl.Int32).alias("row"),
    )
    return bare.select(*KEY, "date", "days", *words)
