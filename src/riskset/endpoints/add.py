"""The step: every declared endpoint, derived or supplied, into `outcomes`, `candidates` and `responses`."""

from __future__ import annotations

import polars as pl

from riskset.endpoints import response, supplied
from riskset.endpoints.executor import Derived, derive
from riskset.endpoints.facts import Facts
from riskset.endpoints.response import responses
from riskset.endpoints.spec import Response, TimeSpec
from riskset.endpoints.supplied import supplied_outcomes
from riskset.errors import ConditionError, UsageError, did_you_mean
from riskset.protocol import Protocol
from riskset.tables import DERIVED, KEY, PROVENANCE, Tables, empty, fit

SUPPLIED = "supplied"

# Ids of the questions that this room puts on the query list.
CHECKS: dict[str, str] = {**supplied.CHECKS, **response.CHECKS}

_WANTED = {
    "new_therapies": lambda facts: facts.new_therapy.height > 0,
    "stop_reasons": lambda facts: facts.treatment_stop["stop_reason"].drop_nulls().len() > 0,
}


def add_endpoints(protocol: Protocol, tables: Tables) -> dict[str, pl.DataFrame]:
    """Derive all endpoints: adds `outcomes`, `candidates`, `responses`, and questions to `queries`.

    A patient has an outcome under the primary scheme if there is an index date (or another declared start) or a
    supplied duration. `prefer` decides where both dated facts and a supplied duration exist; otherwise the one that
    exists is used, and a supplied one has the reason `supplied`. Other schemes rest on dated facts alone.

    Raises
    ------
    UsageError, ConditionError, DataRefusedError
        A definition reads a column that does not exist; a supplied duration has no unit.
    """
    facts = Facts(tables)
    cutoffs = _cutoffs(protocol)
    frames: dict[str, list[pl.DataFrame]] = {"outcomes": [], "candidates": [], "responses": [], "queries": []}
    for name, spec in protocol.endpoints.items():
        try:
            added = (
                _response(name, spec, facts, cutoffs)
                if isinstance(spec, Response)
                else _time_to_event(name, spec, facts, cutoffs)
            )
        except ConditionError as error:
            raise ConditionError(f"endpoints.{name}: {error}") from error
        except UsageError as error:
            raise UsageError(f"endpoints.{name}: {error}") from error
        for table, rows in added.items():
            frames[table].append(rows)
    asked = tables["queries"] if "queries" in tables else empty(PROVENANCE["queries"])
    # two response endpoints read the same cells: each question is asked once
    queries = pl.concat([asked, *_once(frames["queries"])])
    made = {name: pl.concat([empty(DERIVED[name]), *frames[name]]) for name in ("outcomes", "candidates", "responses")}
    made = {name: frame.sort(KEY, maintain_order=True) for name, frame in made.items()}
    return {**tables, **made, "queries": queries}


def available_schemes(protocol: Protocol, tables: Tables, endpoint: str) -> list[str]:
    """Give the schemes of an endpoint that the data allow, the primary one first.

    The primary scheme is always there. Another one needs dated assessments of patients with an index date, and what it
    treats differently has to be recorded at all: therapies after the index treatment, reasons why that ended.

    Raises
    ------
    UsageError
        The study has no such endpoint, or it has no times.
    """
    spec = protocol.endpoints.get(endpoint)
    if not isinstance(spec, TimeSpec):
        hint = did_you_mean(endpoint, [n for n, s in protocol.endpoints.items() if isinstance(s, TimeSpec)])
        raise UsageError(f"The study has no time-to-event endpoint '{endpoint}'{hint}; name one of `endpoints`.")
    return _available(spec, Facts(tables))


def _available(spec: TimeSpec, facts: Facts) -> list[str]:
    dated = facts.assessments["days"].drop_nulls().len() > 0
    return [
        scheme
        for scheme in spec.schemes
        if scheme == spec.primary_scheme or (dated and all(_WANTED[need](facts) for need in spec.needs.get(scheme, ())))
    ]


def _cutoffs(protocol: Protocol) -> pl.DataFrame:
    """Give each centre's data cut-off: its own, else the study's."""
    rows = [(name, centre.data_cutoff or protocol.study.data_cutoff) for name, centre in protocol.centres.items()]
    return pl.DataFrame(rows, schema={"centre": pl.String, "cutoff": pl.Date}, orient="row")


def _response(name: str, spec: Response, facts: Facts, cutoffs: pl.DataFrame) -> dict[str, pl.DataFrame]:
    rows, queries = responses(spec, facts, cutoffs)
    return {
        "responses": fit(rows.with_columns(pl.lit(name).alias("endpoint")), DERIVED["responses"]),
        "queries": queries,
    }


def _time_to_event(name: str, spec: TimeSpec, facts: Facts, cutoffs: pl.DataFrame) -> dict[str, pl.DataFrame]:
    outcomes, candidates, queries = [], [], empty(PROVENANCE["queries"])
    given = empty(DERIVED["outcomes"]).select(*KEY, "days", "event", "source", "row")
    if spec.supplied_as is not None:
        given, queries = supplied_outcomes(facts.tables, spec.supplied_as)
    definitions = spec.definitions
    for scheme in _available(spec, facts):
        derived = derive(definitions[scheme], facts, cutoffs)
        if scheme == spec.primary_scheme:
            prefer_supplied = getattr(spec, "prefer", "derived") == "supplied"
            chosen = _joined(derived, given, prefer_supplied=prefer_supplied)
        else:
            chosen = _without(derived, given.join(_dated(derived), on=KEY, how="anti"))
        labels = [pl.lit(name).alias("endpoint"), pl.lit(scheme).alias("scheme")]
        outcomes.append(fit(chosen.outcomes.with_columns(labels), DERIVED["outcomes"]))
        candidates.append(fit(chosen.candidates.with_columns(labels), DERIVED["candidates"]))
    return {"outcomes": pl.concat(outcomes), "candidates": pl.concat(candidates), "queries": queries}


def _dated(derived: Derived) -> pl.DataFrame:
    """Give the patients of whom some dated fact is known besides the start."""
    known = pl.col("role").is_in(["event", "censor"]) & pl.col("date").is_not_null() & (pl.col("table") != "patients")
    return derived.candidates.filter(known).select(KEY).unique()


def _without(derived: Derived, patients: pl.DataFrame) -> Derived:
    keys = patients.select(KEY)
    return Derived(
        derived.outcomes.join(keys, on=KEY, how="anti", maintain_order="left"),
        derived.candidates.join(keys, on=KEY, how="anti", maintain_order="left"),
    )


def _joined(derived: Derived, given: pl.DataFrame, *, prefer_supplied: bool) -> Derived:
    """Bring derived and supplied outcomes together: one row a patient, and one kept candidate."""
    told = derived.outcomes.filter(pl.col("event").is_not_null()).join(_dated(derived), on=KEY, how="semi")
    if prefer_supplied:
        used = pl.concat(
            [
                given.filter(pl.col("event").is_not_null()).select(KEY),
                given.filter(pl.col("event").is_null()).join(told, on=KEY, how="anti").select(KEY),
            ]
        )
    else:
        used = given.join(told, on=KEY, how="anti").select(KEY)
    from_supplied = given.join(used, on=KEY, how="semi").with_columns(pl.lit(SUPPLIED).alias("reason"))
    outcomes = pl.concat(
        [derived.outcomes.join(used, on=KEY, how="anti"), _like(from_supplied, derived.outcomes)]
    ).sort(KEY)
    passed_over = derived.candidates.join(used, on=KEY, how="semi").with_columns(
        pl.lit(False).alias("kept"),
        pl.when(pl.col("kept")).then(pl.lit("the supplied duration is used")).otherwise("why").alias("why"),
    )
    others = derived.candidates.join(used, on=KEY, how="anti")
    candidates = pl.concat([others, passed_over, _like(_supplied_candidates(given, used), derived.candidates)])
    return Derived(outcomes, candidates.sort(*KEY, "role", "date", "reason", nulls_last=True, maintain_order=True))


def _supplied_candidates(given: pl.DataFrame, used: pl.DataFrame) -> pl.DataFrame:
    marked = given.join(used.with_columns(used=pl.lit(True)), on=KEY, how="left").with_columns(
        (pl.col("used").fill_null(False) & pl.col("event").is_not_null()).alias("kept")
    )
    why = (
        pl.when("kept")
        .then(pl.lit("supplied duration"))
        .when("used")
        .then(pl.lit("whether it ended in an event is not known"))
        .otherwise(pl.lit("dated facts are used"))
    )
    return marked.select(
        *KEY,
        pl.when(pl.col("event") == 1).then(pl.lit("event")).otherwise(pl.lit("censor")).alias("role"),
        pl.lit(SUPPLIED).alias("reason"),
        "days",
        "kept",
        why.alias("why"),
        pl.lit("supplied").alias("table"),
        "source",
        "row",
    )


def _like(frame: pl.DataFrame, model: pl.DataFrame) -> pl.DataFrame:
    """Give the frame the columns and types of the model; absent ones are null."""
    return frame.select(
        (pl.col(name) if name in frame.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in model.schema.items()
    )


def _once(queries: list[pl.DataFrame]) -> list[pl.DataFrame]:
    return [pl.concat(queries).unique(maintain_order=True)] if queries else []
