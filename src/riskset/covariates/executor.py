"""The one executor of all covariate rules: find, bring to the declared type and levels, ask about what does not fit."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace

import polars as pl

from riskset.covariates.spec import CovariateSpec, Facts, Types, Values
from riskset.errors import ConditionError, Problem, RisksetError, UsageError
from riskset.protocol import Protocol
from riskset.tables import KEY, PROVENANCE, SCHEMAS, Tables, empty, fit

UNKNOWN_LEVEL = "unknown_level"
CONFLICTING_VALUES = "conflicting_values"

# Ids of the questions that this room puts on the query list.
CHECKS: dict[str, str] = {
    UNKNOWN_LEVEL: "A value does not fit the declared levels or type of a covariate; it was set missing.",
    CONFLICTING_VALUES: "A patient has different values of one covariate; it was set missing.",
}

_TRUTH = {"true": True, "yes": True, "1": True, "1.0": True, "false": False, "no": False, "0": False, "0.0": False}


def columns(protocol: Protocol) -> dict[str, pl.DataType]:
    """Give the columns that the covariates add to `patients`, with their types, before any data are read."""
    return {name: spec.dtype() for name, spec in protocol.covariates.items()}


def problems(protocol: Protocol, known: Types, supplied: Collection[str]) -> list[Problem]:
    """Find what the covariates read but neither the columns of `patients` nor the centres' mappings hold.

    Parameters
    ----------
    protocol
        The study. A covariate may read those declared before it.
    known
        All other columns of `patients`, with types.
    supplied
        The names that any centre's mapping supplies.
    """
    types = dict(known)
    found = []
    for name, spec in protocol.covariates.items():
        try:
            _check(protocol, name, spec, types)
            spec.check_supplied(supplied)
        except RisksetError as error:
            found.append(Problem(f"covariates.{name}", str(error)))
        types[name] = spec.dtype()
    return found


def add_covariates(protocol: Protocol, tables: Tables) -> dict[str, pl.DataFrame]:
    """Add one column a covariate to `patients`, in declared order, and questions to `queries`.

    Where a rule derives a value and a supplied one exists too, `prefer` decides; the other stands in where the
    preferred one is missing. A value that does not fit the type or the levels becomes null and a query.

    Raises
    ------
    UsageError, ConditionError
        A covariate reads a column, a supplied name or a specimen's field that does not exist, or one declared later.
    """
    facts = Facts(tables, tables["patients"])
    queries = []
    for name, spec in protocol.covariates.items():
        try:
            _check(protocol, name, spec, dict(facts.patients.schema))
            values, asked = _values(name, spec, facts)
        except ConditionError as error:
            raise ConditionError(f"covariates.{name}: {error}") from error
        except UsageError as error:
            raise UsageError(f"covariates.{name}: {error}") from error
        queries += asked
        kept = facts.patients.drop(name, strict=False)
        facts = replace(facts, patients=kept.join(values, on=KEY, how="left", maintain_order="left"))
    asked_before = tables["queries"] if "queries" in tables else empty(PROVENANCE["queries"])
    return {**tables, "patients": facts.patients, "queries": pl.concat([asked_before, *queries])}


def _check(protocol: Protocol, name: str, spec: CovariateSpec, types: Types) -> None:
    later = list(protocol.covariates)[list(protocol.covariates).index(name) + 1 :]
    for column in sorted(spec.reads().intersection(later)):
        raise UsageError(f"it reads the covariate '{column}', which is declared below it; move '{column}' above it.")
    if name in SCHEMAS["patients"].types or (name in types and name not in spec.reads()):
        raise UsageError(f"patients already have a column '{name}'; give the covariate another id.")
    spec.check(types)


def _values(name: str, spec: CovariateSpec, facts: Facts) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Give `centre, patient, <name>` and the questions."""
    found = {"derived": spec.derive(facts)}
    if spec.supplied_name is not None:
        found["supplied"] = spec.supplied(facts)
    prefer = getattr(spec, "prefer", "derived")
    order = sorted(found, key=lambda origin: origin != prefer)
    columns, queries = [], []
    values = facts.patients.select(KEY)
    for origin in order:
        one = found[origin]
        if one is None:
            continue
        frame, asked = _fitted(name, spec.dtype(), one)
        queries += list(asked)
        values = values.join(frame.rename({"value": origin}), on=KEY, how="left", maintain_order="left")
        columns.append(origin)
    value = pl.coalesce(columns) if columns else pl.lit(None)
    return values.select(*KEY, value.cast(spec.dtype()).alias(name)), queries


def _fitted(name: str, dtype: pl.DataType, values: Values) -> tuple[pl.DataFrame, Iterator[pl.DataFrame]]:
    """Bring values to their type; give one value a patient and questions about the others."""
    raw = values.frame.filter(pl.col("value").is_not_null()).with_columns(
        pl.col("value").cast(pl.String).alias("text"), convert(values.frame.schema["value"], dtype).alias("value")
    )
    misfits = raw.filter(pl.col("value").is_null())
    fitting = raw.filter(pl.col("value").is_not_null())
    several = fitting.group_by(KEY).agg(pl.col("value").n_unique().alias("different")).filter(pl.col("different") > 1)
    clashes = fitting.join(several, on=KEY, how="semi", maintain_order="left")
    one = fitting.join(several, on=KEY, how="anti").select(*KEY, "value").unique(KEY)
    asked = (
        _queries(UNKNOWN_LEVEL, misfits, values, f"The value does not fit what the study file declares for '{name}'"),
        _queries(CONFLICTING_VALUES, clashes, values, f"The patient has different values of '{name}'"),
    )
    return one, iter(asked)


def convert(have: pl.DataType, want: pl.DataType) -> pl.Expr:
    """Give the expression that brings the column `value` to a type; what does not fit becomes null."""
    value = pl.col("value")
    if isinstance(want, pl.Enum):
        # a number code such as 1.0 is the level "1"
        text = value.cast(pl.Int64).cast(pl.String) if have.is_float() else value.cast(pl.String)
        if have == pl.Boolean:
            text = pl.when(value).then(pl.lit("true")).otherwise(pl.lit("false"))
        return text.cast(want, strict=False)
    if want == pl.Boolean:
        if have == pl.Boolean:
            return value
        return value.cast(pl.String).str.to_lowercase().replace_strict(_TRUTH, default=None, return_dtype=pl.Boolean)
    if want == pl.Int32:
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number == number.floor()).then(number).cast(pl.Int32, strict=False)
    if want == pl.Float64:
        number = value.cast(pl.Float64, strict=False)
        return pl.when(number.is_finite()).then(number)
    if want == pl.Date and have == pl.String:
        return value.str.to_date("%Y-%m-%d", strict=False)
    return value.cast(want, strict=False)


def _queries(check: str, rows: pl.DataFrame, values: Values, message: str) -> pl.DataFrame:
    asked = rows.select(
        *KEY,
        pl.lit(check).alias("check"),
        pl.lit("warning").alias("severity"),
        pl.lit("set_missing").alias("action"),
        pl.lit(values.table).alias("table"),
        pl.lit(values.field).alias("field"),
        "source",
        "row",
        pl.lit(f"{message}; correct it or say what it means.").alias("message"),
        pl.col("text").alias("value"),
    )
    return fit(asked.sort(*KEY, "source", "row", nulls_last=True), PROVENANCE["queries"])
