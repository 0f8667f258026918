"""Covariates of a regression: checked and named, centred and scaled, and the estimates put back in their places."""

from __future__ import annotations

from collections.abc import Sequence
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._types import AnyArray, BoolArray, FloatArray
from riskset.survival.cox_places import row_parts
from riskset.survival.kernels import on_all_cores

# A column whose values differ by less than this share of their size is constant.
CONSTANT = 1e-12
# As R's coxph.control: how large a last Newton step may be beside its coefficient before that is called infinite.
_INFINITE = float(np.finfo(np.float64).eps ** 0.5) ** 0.5 / 4.0
_SETTLED = 1e-9
# An x of so many numbers is referred to, not copied.
_LARGE = 1 << 20


def regression_columns(x: ArrayLike, n: int, names: Sequence[str] | None) -> tuple[FloatArray, tuple[str, ...]]:
    """Give the covariates as an array (n, p) with their names, by default "x1", "x2", ...

    A large array of floats in row order is given back itself, any other as a copy.

    Raises
    ------
    EngineError
        No rows, another number of rows, something that is no number, missing or infinite, names that do not fit.
    """
    if n == 0:
        raise EngineError("there is no row to fit a model to; check the population's condition")
    if np.ma.is_masked(x):
        raise EngineError("x holds masked entries; leave rows with missing covariates out before")
    try:
        given = real_numbers(x)
        copy = np.asarray if given.size >= _LARGE else np.array
        columns = copy(given, dtype=np.float64, order="C")
    except (TypeError, ValueError):
        raise EngineError("x holds something that is not a number; turn factors into dummy columns") from None
    if columns.ndim == 1:
        columns = columns[:, None]
    if columns.ndim != 2 or columns.shape[0] != n:
        raise EngineError(f"x has shape {columns.shape} and time has {n} rows; give one row of covariates a patient")
    labels = tuple(f"x{j + 1}" for j in range(columns.shape[1])) if names is None else tuple(names)
    if len(labels) != columns.shape[1] or len(set(labels)) != len(labels):
        raise EngineError(f"names must be {columns.shape[1]} different names, one for each column of x")
    bad = np.flatnonzero(~finite_columns(columns))
    if bad.size:
        raise EngineError(f"column '{labels[bad[0]]}' holds a missing or infinite number; leave such rows out before")
    return columns, labels


def real_numbers(x: ArrayLike) -> AnyArray:
    """Give `x` as an array, uncopied where it is one; text, dates and complex numbers are no covariates: TypeError."""
    array = np.asarray(x)
    if array.dtype.kind in "cmMSU":
        raise TypeError("not real numbers")
    # Digits as text and dates would become numbers in silence; None is a missing one.
    if array.dtype.kind == "O" and not all(value is None or isinstance(value, Real) for value in array.flat):
        raise TypeError("not real numbers")
    return array


def finite_columns(x: FloatArray) -> BoolArray:
    """Tell which columns of x (n, p) hold finite numbers only; where all do, without an array of the size of x."""

    def add(part: tuple[int, int]) -> float:
        with np.errstate(over="ignore", invalid="ignore"):
            return float(x[part[0] : part[1]].sum())

    # A missing or infinite number makes its sum so; a sum may also be infinite because its numbers are very large.
    if np.isfinite(on_all_cores(add, row_parts(x.shape[0]))).all():
        return np.ones(x.shape[1], dtype=np.bool_)
    return np.asarray(np.isfinite(x).all(axis=0))


def standardise(x: FloatArray, weight: FloatArray) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Centre each column (n, p) on its weighted mean and divide by its mean absolute deviation; also give both (p,).

    Constant columns become exactly 0.
    """
    centre = weight @ x / weight.sum()
    moved = x - centre
    moved[:, np.ptp(x, axis=0) <= CONSTANT * np.abs(x).max(axis=0)] = 0.0
    scale = weight @ np.abs(moved) / weight.sum()
    scale[scale == 0] = 1.0
    return moved / scale, centre, scale


def infinite_coefficients(beta: FloatArray, step: FloatArray, variance: FloatArray) -> BoolArray:
    """Tell which coefficients (p,) run to infinity, by their last Newton `step` (p,) and `variance` (p, p)."""
    size = np.abs(step)
    # Where the information has been emptied by a coefficient on its way to infinity, its inverse is only rounding.
    return np.asarray((size > _SETTLED) & (size > _INFINITE * np.abs(beta)) | ~(np.diag(variance) > 0))


def spread(values: FloatArray, kept: BoolArray) -> FloatArray:
    """Put the estimated columns' values in their places among all columns, NaN in the aliased ones."""
    full = np.full(kept.shape[0], np.nan)
    full[kept] = values
    return full


def spread_square(values: FloatArray, kept: BoolArray) -> FloatArray:
    """Do as `spread` with the rows and columns of a covariance matrix."""
    full = np.full((kept.shape[0], kept.shape[0]), np.nan)
    full[np.ix_(kept, kept)] = values
    return full


def standard_errors(covariance: FloatArray) -> FloatArray:
    """Give the roots of the variances (p,), NaN where rounding has made one negative."""
    variance = np.diag(covariance)
    return np.sqrt(np.where(variance >= 0, variance, np.nan))


def fit_warnings(names: tuple[str, ...], aliased: BoolArray, infinite: BoolArray, *, settled: bool) -> tuple[str, ...]:
    """Say in sentences which columns have no coefficient or an infinite one, and whether the likelihood settled."""
    told = [
        f"column '{names[j]}' is constant or a combination of the columns before it; it has no coefficient"
        for j in np.flatnonzero(aliased)
    ]
    told += [
        f"column '{names[j]}' separates the events; its coefficient may be infinite and its Wald test means nothing"
        for j in np.flatnonzero(infinite)
    ]
    if not settled:
        told.append("the likelihood did not settle within the iterations allowed; the coefficients are not final")
    return tuple(told)
