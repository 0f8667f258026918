"""The bootstrap of a Cox model: patients drawn again and again with replacement, a fit to each draw."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._special import interval_multiplier, normal_cdf, normal_quantile
from riskset.survival._summary import summary
from riskset.survival._types import AnyArray, BoolArray, FloatArray, IntArray
from riskset.survival.cox import fit_cox
from riskset.survival.cox_fit import CoxFit, CoxRows, Ties
from riskset.survival.cox_large import large_cox
from riskset.survival.cox_places import fixed
from riskset.survival.cox_row_sums import SortedRows
from riskset.survival.estimate import Estimate
from riskset.survival.kernels import load, on_all_cores, use_kernels
from riskset.survival.surv import Surv

# Replicates that one call of the kernel fits.
_REPLICATES_IN_PART = 64

_GAMMA = np.uint64(0x9E3779B97F4A7C15)
_FIRST = np.uint64(0xBF58476D1CE4E5B9)
_SECOND = np.uint64(0x94D049BB133111EB)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class CoxBootstrap:
    """Coefficients of a Cox model in R resamples of its rows, p columns.

    Attributes
    ----------
    fit : the model fitted to all rows
    coefficient : array of shape (R, p)
        Log hazard ratio in each resample; NaN where it could not be estimated.
    aliased, infinite : bool arrays of shape (R, p)
        Where a column was constant or a combination of others in the resample; where it separated the events.
    converged : bool array of shape (R,), false where a resample had no event or its fit did not settle
    level : level of the intervals unless another is asked for
    warnings : sentences, each naming its column where there is one
    """

    fit: CoxFit
    coefficient: FloatArray
    aliased: BoolArray
    infinite: BoolArray
    converged: BoolArray
    level: float
    warnings: tuple[str, ...]
    _units: _Units = field(repr=False)

    def __repr__(self) -> str:
        level = f"{100 * self.level:g}%"
        ends = self.percentile_interval()
        rows = [
            (name, end.value, bias, error, end.low, end.high, used)
            for name, end, bias, error, used in zip(
                self.fit.names, ends, self.bias, self.standard_error, self.n_estimated, strict=True
            )
        ]
        return summary(
            f"Cox model, bootstrap of {self.coefficient.shape[0]} resamples: log hazard ratios, percentile intervals",
            ("column", "estimate", "bias", "error", f"{level} low", f"{level} high", "resamples used"),
            rows,
            warnings=self.warnings,
        )

    @property
    def n_estimated(self) -> IntArray:
        """Number of resamples that gave an estimate, of each column: shape (p,)."""
        return np.asarray((~np.isnan(self.coefficient)).sum(axis=0), dtype=np.int64)

    @property
    def standard_error(self) -> FloatArray:
        """Standard deviation over the resamples that gave an estimate, NaN where fewer than two did: shape (p,)."""
        return np.array([np.std(c, ddof=1) if c.size > 1 else np.nan for c in self._estimated()])

    @property
    def bias(self) -> FloatArray:
        """Mean over the resamples that gave an estimate, less the estimate from all rows: shape (p,)."""
        means = np.array([c.mean() if c.size else np.nan for c in self._estimated()])
        return np.asarray(means - self.fit.coefficient)

    def percentile_interval(self, level: float | None = None) -> tuple[Estimate, ...]:
        """Give each column's log hazard ratio with the quantiles of its resamples as interval (type 6 quantiles)."""
        tail = (1.0 - self._level(level)) / 2.0
        return self._estimates([_quantiles(c, tail, 1.0 - tail) for c in self._estimated()])

    def normal_interval(self, level: float | None = None) -> tuple[Estimate, ...]:
        """Give each column's log hazard ratio with estimate - bias -+ z standard errors as interval."""
        reach = interval_multiplier(self._level(level)) * self.standard_error
        middle = self.fit.coefficient - self.bias
        return self._estimates(list(zip(middle - reach, middle + reach, strict=True)))

    def bca_interval(self, level: float | None = None) -> tuple[Estimate, ...]:
        """Give each column's log hazard ratio with its bias-corrected and accelerated interval (Efron 1987).

        The acceleration comes from the dfbeta residuals of what was drawn (rows or clusters). NaN where all resamples
        lie on one side of the estimate.
        """
        tail = normal_quantile((1.0 - self._level(level)) / 2.0)
        influence = self._units.add_up(self.fit.residuals("dfbeta"))
        ends = []
        for j, values in enumerate(self._estimated()):
            below = float(np.mean(values < self.fit.coefficient[j])) if values.size else float("nan")
            if not 0.0 < below < 1.0:
                ends.append((float("nan"), float("nan")))
                continue
            size = float((influence[:, j] ** 2).sum()) ** 1.5
            acceleration = float((influence[:, j] ** 3).sum()) / (6.0 * size)
            centre = normal_quantile(below)
            low, high = (centre + (centre + z) / (1.0 - acceleration * (centre + z)) for z in (tail, -tail))
            ends.append(_quantiles(values, normal_cdf(low), normal_cdf(high)))
        return self._estimates(ends)

    def _estimated(self) -> list[FloatArray]:
        return [column[~np.isnan(column)] for column in self.coefficient.T]

    def _level(self, level: float | None) -> float:
        return self.level if level is None else _checked_level(level)

    def _estimates(self, ends: Sequence[tuple[float, float]]) -> tuple[Estimate, ...]:
        rows = zip(self.fit.coefficient, ends, self.standard_error, strict=True)
        return tuple(
            Estimate(float(value), float(low), float(high), float(error)) for value, (low, high), error in rows
        )


def bootstrap_cox(
    surv: Surv,
    x: ArrayLike,
    *,
    replicates: int,
    seed: int,
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    ties: Ties = "efron",
    cluster: ArrayLike | None = None,
    level: float = 0.95,
) -> CoxBootstrap:
    """Fit a Cox model to resamples of its rows, drawn with replacement.

    As many rows are drawn as there are: from all rows; within each stratum where `strata` are given, so that strata
    keep their sizes; whole clusters from all clusters where `cluster` is given (a patient's start-stop rows stay
    together, and the strata's sizes vary then). A row drawn twice at an event time is two tied events.

    Parameters
    ----------
    surv : the times, with delayed entry and case weights where given; a row keeps its weight when it is drawn.
    x : array of shape (n, p) or (n,)
        Covariates; dummy columns for factors. Nothing missing.
    replicates : number of resamples, at least 1
    seed : whole number, not negative
        Resample r depends on the seed and r alone: not on the number of cores or of replicates.
    names, strata, ties, cluster : as in `fit_cox`
    level : level of the intervals

    Returns
    -------
    CoxBootstrap
        A column that is aliased or separates the events in a resample is NaN there, counted and told in `warnings`.

    Raises
    ------
    EngineError
        What `fit_cox` refuses; no event; `replicates`, `seed` or `level` out of range.

    References
    ----------
    Efron B, Tibshirani R. Stat Sci 1986; 1: 54-75. Efron B. J Am Stat Assoc 1987; 82: 171-185 (BCa). Steele GL, Lea D,
    Flood CH. OOPSLA 2014: 453-472 (the generator splitmix64).

    Examples
    --------
    >>> import numpy as np
    >>> from riskset.survival import Surv, bootstrap_cox
    >>> day = np.arange(1, 61)
    >>> age = 50 + day * 17 % 31
    >>> result = bootstrap_cox(Surv(day, day % 3 != 0), age, names=["age"], replicates=200, seed=1)
    >>> result.coefficient.shape, bool(result.converged.all())
    ((200, 1), True)
    >>> (interval,) = result.percentile_interval()
    >>> bool(interval.low < interval.value < interval.high)
    True
    """
    need_surv(surv)
    if isinstance(replicates, bool) or not isinstance(replicates, (int, np.integer)) or replicates < 1:
        raise EngineError("replicates must be a whole number of at least 1; 1000 or more serve for an interval")
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise EngineError("seed must be a whole number that is not negative, such as 1")
    level = _checked_level(level)
    fit = fit_cox(surv, x, names=names, strata=strata, ties=ties, cluster=cluster)
    if fit.n_events == 0:
        raise EngineError("there is no event, so there is nothing to learn from resamples; check the population")
    rows = fit.of_rows()
    units = _units(rows, strata is not None)
    key = np.random.SeedSequence(int(seed)).generate_state(1, np.uint64)[0]
    n, p = rows.x.shape
    coefficient = np.full((int(replicates), p), np.nan)
    settled = np.zeros(int(replicates), dtype=np.bool_)
    # About four evaluations a fit; see `likelihood_of`.
    if ties != "exact" and use_kernels(2.0 * n * (p + 4) ** 2 * replicates):
        _fit_by_kernel(fit, units, key, coefficient, settled)
    aliased, infinite = np.zeros((2, *coefficient.shape), dtype=np.bool_)
    aliased[:] = fit.aliased
    converged = settled.copy()
    for replicate in np.flatnonzero(~settled):
        again = _refit(rows, units.rows_of(_draw(key, int(replicate), units.bounds)))
        aliased[replicate], infinite[replicate], converged[replicate] = again.aliased, again.infinite, again.converged
        if again.converged:
            coefficient[replicate] = np.where(again.infinite, np.nan, again.coefficient)
    told = fit.warnings + _warnings(fit, aliased, infinite, converged)
    return CoxBootstrap(fit, coefficient, aliased, infinite, converged, level, told, units)


@dataclass(frozen=True, slots=True, eq=False)
class _Units:
    """What is drawn: unit u has the rows `members[first[u]:first[u + 1]]`; it is drawn among those of its `bounds`."""

    bounds: IntArray
    first: IntArray
    members: IntArray

    def rows_of(self, units: IntArray) -> IntArray:
        """Give the rows of `units`, in their order."""
        return np.concatenate([self.members[self.first[u] : self.first[u + 1]] for u in units.tolist()])

    def add_up(self, values: FloatArray) -> FloatArray:
        """Add the rows' `values` (n, c) up over each unit: (units, c)."""
        return np.asarray(np.add.reduceat(values[self.members], self.first[:-1], axis=0))


def _units(rows: CoxRows, stratified: bool) -> _Units:
    codes = rows.cluster if rows.cluster is not None else rows.strata if stratified else None
    n = len(rows.surv)
    if codes is None:
        return _Units(np.array([0, n], dtype=np.int64), np.arange(n + 1), np.arange(n))
    members = np.argsort(codes, kind="stable")
    starts = np.searchsorted(codes[members], np.arange(int(codes.max()) + 2)).astype(np.int64)
    if rows.cluster is None:
        return _Units(starts, np.arange(n + 1), members)
    return _Units(np.array([0, starts.shape[0] - 1], dtype=np.int64), starts, members)


def _draw(key: np.uint64, replicate: int, bounds: IntArray) -> IntArray:
    """Give the units of a resample: the NumPy twin of the kernel's `draw_copies`, before it counts."""
    sizes = np.diff(bounds)
    count = np.arange(1, int(sizes.sum()) + 1, dtype=np.uint64)
    with np.errstate(over="ignore"):
        start = _mixed(np.array([key + np.uint64(replicate + 1) * _GAMMA]))
        bits = _mixed(start + count * _GAMMA) >> np.uint64(11)
    size = np.repeat(sizes, sizes)
    inside = np.minimum((bits.astype(np.float64) * 2.0**-53 * size).astype(np.int64), size - 1)
    return np.asarray(np.repeat(bounds[:-1], sizes) + inside)


def _mixed(value: AnyArray) -> AnyArray:
    """Give the outputs of splitmix64 for the states `value`."""
    value = (value ^ (value >> np.uint64(30))) * _FIRST
    value = (value ^ (value >> np.uint64(27))) * _SECOND
    return np.asarray(value ^ (value >> np.uint64(31)))


def _refit(rows: CoxRows, drawn: IntArray) -> CoxFit:
    return fit_cox(rows.surv.subset(drawn), rows.x[drawn], strata=rows.strata[drawn], ties=rows.ties, robust=False)


def _fit_by_kernel(fit: CoxFit, units: _Units, key: np.uint64, coefficient: FloatArray, settled: BoolArray) -> None:
    """Fill in the replicates that come to rest quickly; the others stay as they are."""
    likelihood = large_cox(fit.of_rows(), in_order=True).keep(~fit.aliased)
    sums = likelihood.rows
    assert isinstance(sums, SortedRows)
    place = np.full(len(fit.of_rows().surv), -1, dtype=np.int64)
    place[sums.order] = np.arange(sums.order.shape[0])
    members = place[units.members]
    # Rows that are never at risk are drawn but count nowhere.
    first = np.concatenate(([0], np.cumsum(members >= 0)))[units.first]
    scaled = np.full((coefficient.shape[0], likelihood.scale.shape[0]), np.nan)
    kept = ~fit.aliased
    at, flags = sums.places, settled.view(np.uint8)
    # A column that separates in all rows may not in a resample, and would start far beyond its estimate there.
    begin = np.where(fit.infinite, 0.0, fit.coefficient)[kept] * likelihood.scale
    fixed_arguments = (
        *(fixed(array) for array in _signed_rows(sums, kept)),
        *(at.begins, likelihood.efron),
        *(begin, key, units.bounds, first, members[members >= 0]),
    )
    kernel = load("cox_bootstrap")
    bounds = [*range(0, scaled.shape[0], _REPLICATES_IN_PART), scaled.shape[0]]
    on_all_cores(
        lambda i: kernel.fit_replicates(*fixed_arguments, bounds[i], bounds[i + 1], scaled, flags),
        range(len(bounds) - 1),
    )
    coefficient[:, kept] = scaled / likelihood.scale


def _signed_rows(sums: SortedRows, kept: BoolArray) -> tuple[AnyArray, ...]:
    """Give the columns, weights, offsets, row numbers, last event times and events that the kernel asks for.

    A row that enters late counts with its weight where it leaves and is taken back as a censored row where it enters.
    """
    at, a = sums.places, sums.order.shape[0]
    late = np.flatnonzero(at.entry_at >= 0) if at.entry_at.size else np.empty(0, dtype=np.int64)
    ends = np.concatenate((at.exit_at.astype(np.int64), at.entry_at[late].astype(np.int64)))
    order = np.argsort(ends, kind="stable")
    origin = np.concatenate((np.arange(a), late))[order]
    weight = sums.weight[origin] if sums.weight.size else np.ones(origin.shape[0])
    offset = sums.offset[origin] if sums.offset.size else sums.offset
    event = np.where(order < a, at.event[origin], 0).astype(np.int64)
    columns = np.ascontiguousarray(sums.x[:, kept][origin].T)
    return columns, np.where(order < a, weight, -weight), offset, origin, ends[order], event


def _warnings(fit: CoxFit, aliased: BoolArray, infinite: BoolArray, converged: BoolArray) -> tuple[str, ...]:
    told, r = [], converged.shape[0]
    words: list[tuple[BoolArray, Callable[[int], str]]] = [
        (aliased & ~fit.aliased, lambda m: f"is constant or a combination of others in {m} of {r} resamples"),
        (infinite, lambda m: f"separates the events in {m} of {r} resamples"),
    ]
    for flags, say in words:
        told += [
            f"column '{fit.names[j]}' {say(int(flags[:, j].sum()))}; its intervals describe the others only"
            for j in np.flatnonzero(flags.any(axis=0))
        ]
    if not converged.all():
        told.append(f"{int((~converged).sum())} of {r} resamples have no event or did not settle; they count nowhere")
    return tuple(told)


def _quantiles(values: FloatArray, low: float, high: float) -> tuple[float, float]:
    if values.size == 0:
        return float("nan"), float("nan")
    ends = np.quantile(values, [low, high], method="weibull")
    return float(ends[0]), float(ends[1])


def _checked_level(level: float) -> float:
    if not 0.0 < level < 1.0:
        raise EngineError("level must lie between 0 and 1, both excluded; write 95 % as 0.95")
    return float(level)
