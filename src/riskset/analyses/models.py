"""Cox models of declared variables: the design matrix by levels, fits as result rows, and the interaction test."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from riskset.analyses.shared import Rows, at_level, is_category, levels_in_use, surv
from riskset.cohort import AnalysisSet
from riskset.results import RowWriter
from riskset.survival import ChiSquareTest, CoxFit, Estimate, compare_nested, fit_cox

NO_TEST = "Events at too few times, or in too few groups, to see whether hazards are proportional."
NO_ROWS = "No patient has all covariates of this model."


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a design matrix: the variable, and for a category its level against the reference."""

    variable: str
    level: str | None
    reference: str | None
    values: NDArray[np.float64]

    @property
    def name(self) -> str:
        """Name as warnings print it."""
        return self.variable if self.level is None else f"{self.variable}={self.level}"


def columns_of(analysis_set: AnalysisSet, frame: pl.DataFrame, variable: str) -> list[Column]:
    """Give a variable's columns: itself for a number, one 0/1 column for each level but the reference.

    Levels that no row of the frame has are left out; the model could not tell them from nothing.
    """
    if not is_category(frame, variable):
        return [Column(variable, None, None, frame[variable].to_numpy().astype(np.float64))]
    text = frame[variable].cast(pl.String)
    present = set(text.unique().to_list())
    levels = levels_in_use(analysis_set, variable)
    return [
        Column(variable, level, levels[0], (text == level).to_numpy().astype(np.float64))
        for level in levels[1:]
        if level in present
    ]


@dataclass(frozen=True, slots=True)
class Model:
    """A fitted Cox model with the columns it stands on."""

    columns: tuple[Column, ...]
    fit: CoxFit
    rows: Rows

    def terms(self) -> dict[str, list[str]]:
        """Give each variable's column names, so that the levels of a category are tested together."""
        found: dict[str, list[str]] = {}
        for column in self.columns:
            found.setdefault(column.variable, []).append(column.name)
        return found


def fit_model(rows: Rows, columns: Sequence[Column], strata: str | None = None) -> Model:
    """Fit Efron's Cox model to complete rows; `strata` names a column of the frame."""
    matrix = np.column_stack([c.values for c in columns]) if columns else np.empty((rows.n, 0))
    groups = None if strata is None else rows.frame[strata].cast(pl.String).to_numpy()
    fit = fit_cox(surv(rows.frame), matrix, names=[c.name for c in columns], strata=groups)
    return Model(tuple(columns), fit, rows)


def model_of(
    analysis_set: AnalysisSet, rows: Rows, variables: Sequence[str], strata: str | None = None
) -> Model | None:
    """Fit the model of some variables; None where there is no row or no column to fit."""
    if rows.n == 0:
        return None
    columns = [c for v in dict.fromkeys(variables) for c in columns_of(analysis_set, rows.frame, v)]
    return fit_model(rows, columns, strata) if columns else None


def warning_of(fit: CoxFit, name: str | None = None) -> str | None:
    """Give the fit's warnings as one text: those that name a column of theirs, or all."""
    chosen = [w for w in fit.warnings if name is None or f"'{name}'" in w or "'" not in w]
    return " ".join(chosen) or None


def write_ratio(writer: RowWriter, fit: CoxFit, position: int, conf_level: float, **key: object) -> None:
    """Write one column's hazard ratio with interval, P value, coefficient and standard error.

    A coefficient that runs off to infinity or that cannot be told from others is a row with status and warning.
    """
    estimate: Estimate = fit.hazard_ratio(conf_level)[position]
    usable = not (fit.aliased[position] or fit.infinite[position])
    common = {**key, "warning": warning_of(fit, fit.names[position]), "n": fit.n, "events": fit.n_events}
    w = writer.within(**common)
    w.estimate("hazard_ratio", *((estimate.value, estimate.low, estimate.high) if usable else (None, None, None)))
    w.add("p_value", fit.p_value[position] if usable else None, of="hazard_ratio")
    w.add("coefficient", fit.coefficient[position] if usable else None)
    w.add("standard_error", fit.standard_error[position] if usable else None, of="coefficient")


def write_no_ratio(writer: RowWriter, why: str, **key: object) -> None:
    """Write the rows of a hazard ratio that cannot be estimated, with the reason."""
    w = writer.within(**key, warning=why)
    w.estimate("hazard_ratio", None, None, None)
    w.add("p_value", None, of="hazard_ratio")


def write_absent(writer: RowWriter, analysis_set: AnalysisSet, rows: Rows, variables: Sequence[str]) -> None:
    """Write the terms of which a model has no column: levels of which none of its patients is."""
    for variable in dict.fromkeys(variables):
        if not is_category(rows.frame, variable):
            if not rows.n:
                write_no_ratio(writer, NO_ROWS, variable=variable)
            continue
        levels = levels_in_use(analysis_set, variable)
        present = set(rows.frame[variable].cast(pl.String).to_list())
        for level in levels[1:]:
            if level not in present:
                why = "No patient of this model has this level." if rows.n else NO_ROWS
                write_no_ratio(writer, why, variable=variable, level=level, reference=levels[0])
        if not levels:
            write_no_ratio(writer, NO_ROWS, variable=variable)


def write_size(writer: RowWriter, rows: Rows) -> None:
    """Write the patients and events that a model stands on, and how many it leaves out for a missing value."""
    writer.add("n", rows.n)
    writer.add("events", rows.events)
    writer.add("missing", rows.dropped)


def write_model(writer: RowWriter, model: Model, conf_level: float) -> None:
    """Write every term of a model, its size, fit and the joint test of variables with several columns."""
    fit = model.fit
    for position, column in enumerate(model.columns):
        key = {"variable": column.variable, "level": column.level, "reference": column.reference}
        write_ratio(writer, fit, position, conf_level, **key)
    for variable, names in model.terms().items():
        if len(names) > 1:
            _joint_test(writer.within(variable=variable, of="hazard_ratio"), fit, names)
    write_size(writer, model.rows)
    if fit.n_events:
        writer.add("log_likelihood", fit.log_likelihood.fitted, warning=warning_of(fit))
        writer.add("log_likelihood", fit.log_likelihood.null, of="null_model")


def _joint_test(writer: RowWriter, fit: CoxFit, names: Sequence[str]) -> None:
    """Write the Wald test of all columns of a variable; one that runs off to infinity makes it mean nothing."""
    joint: ChiSquareTest = fit.test_columns(names)
    usable = not any(fit.infinite[fit.names.index(name)] for name in names) and not math.isnan(joint.p_value)
    w = writer.within(n=fit.n, events=fit.n_events, warning=None if usable else warning_of(fit))
    w.add("chi_square", joint.chi_square if usable else None)
    w.add("df", joint.df)
    w.add("p_value", joint.p_value if usable else None)


def write_proportional_hazards(writer: RowWriter, model: Model) -> None:
    """Write the test of proportional hazards by variable and global (variable null)."""
    if not model.fit.n_events:
        return
    test = model.fit.proportional_hazards_test(terms=model.terms())
    w = writer.within(of="proportional_hazards", n=model.fit.n, events=model.fit.n_events)
    found = [*zip(test.terms, test.p_value, test.chi_square, strict=True)]
    for variable, p_value, chi_square in [*found, (None, test.global_p_value, test.global_chi_square)]:
        own = w.within(variable=variable, warning=NO_TEST if math.isnan(p_value) else None)
        own.add("p_value", p_value)
        own.add("chi_square", chi_square)


@dataclass(frozen=True, slots=True)
class Interaction:
    """The likelihood-ratio test of A*B against A+B, and the product terms of the larger model."""

    larger: Model
    test: ChiSquareTest
    products: tuple[tuple[Column, Column, int], ...]


def interaction(
    analysis_set: AnalysisSet,
    rows: Rows,
    first: str,
    second: str,
    adjust: Sequence[str] = (),
    strata: str | None = None,
) -> Interaction | None:
    """Fit one model with and one without the product of two variables (Altman and Bland 2003).

    Returns None where either has no level but its reference among the rows.
    """
    if rows.n == 0:
        return None
    a, b = columns_of(analysis_set, rows.frame, first), columns_of(analysis_set, rows.frame, second)
    if not a or not b:
        return None
    others = [v for v in dict.fromkeys(adjust) if v not in (first, second)]
    main = [*a, *b, *(c for v in others for c in columns_of(analysis_set, rows.frame, v))]
    pairs = list(itertools.product(a, b))
    products = [Column(f"{x.name}:{y.name}", None, None, x.values * y.values) for x, y in pairs]
    smaller = fit_model(rows, main, strata)
    larger = fit_model(rows, [*main, *products], strata)
    placed = tuple((x, y, len(main) + k) for k, (x, y) in enumerate(pairs))
    return Interaction(larger, compare_nested(smaller.fit, larger.fit), placed)


def write_interaction(writer: RowWriter, found: Interaction | None, first: str, second: str, conf_level: float) -> None:
    """Write the interaction's P value and the ratio of the hazard ratios of each product term."""
    w = writer.within(variable=f"{first}:{second}")
    if found is None:
        w.add("p_interaction", None, warning=f"'{first}' or '{second}' has fewer than two levels among these patients.")
        return
    fit = found.larger.fit
    warning = warning_of(fit)
    w = w.within(n=fit.n, events=fit.n_events, warning=warning)
    # Without an event both likelihoods are 0, which no test may call agreement; without df nothing was tested.
    if not fit.n_events or not found.test.df:
        w.add("p_interaction", None)
        return
    w.add("p_interaction", found.test.p_value)
    w.add("chi_square", found.test.chi_square, of="p_interaction")
    w.add("df", found.test.df, of="p_interaction")
    ratios = fit.hazard_ratio(conf_level)
    for x, y, position in found.products:
        # A number has no level: its product term is told apart by the other variable's level.
        key = {
            "level": ":".join(c.level or c.variable for c in (x, y)) if x.level or y.level else None,
            "reference": ":".join(c.reference or c.variable for c in (x, y)) if x.reference or y.reference else None,
        }
        usable = not (fit.aliased[position] or fit.infinite[position])
        r = ratios[position]
        values = (r.value, r.low, r.high) if usable else (None, None, None)
        w.within(**key).estimate("hazard_ratio_ratio", *values)


def subset(rows: Rows, column: str, level: str) -> Rows:
    """Give the complete rows of one level; nothing is dropped for being outside it."""
    return Rows(at_level(rows.frame, column, level), 0)
