"""The Cox partial likelihood of many rows by compiled kernels: the numbers of `cox_likelihood.py`, to rounding."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskset.survival._types import BoolArray, FloatArray
from riskset.survival.cox_fit import CoxRows
from riskset.survival.cox_newton import CoxEvaluation, Likelihood
from riskset.survival.cox_places import RiskPlaces, fixed, risk_places, row_parts
from riskset.survival.cox_row_sums import RowsByTime, RowSums, numbers_in_table, sort_rows
from riskset.survival.kernels import load, on_all_cores, use_kernels
from riskset.survival.regression_columns import CONSTANT

# Numbers in a table of event times and columns beyond which sorting the rows is faster than adding to the table.
_MOST_IN_TABLE = 1 << 19
# Event times whose terms one call of the kernel adds up.
_TIMES_IN_PART = 1 << 9


def likelihood_of(rows: CoxRows) -> Likelihood:
    """Choose how the partial likelihood of `rows` is summed: by NumPy, or by kernels where they pay for loading.

    The choice depends on the numbers of rows, columns and event times alone.
    """
    n, p = rows.x.shape
    # About six evaluations, each with p^2 / 2 products a row and as much work again as 4 columns make.
    if not use_kernels(3.0 * n * (p + 4) ** 2):
        return rows.design()
    return large_cox(rows)


@dataclass(frozen=True, slots=True, eq=False)
class LargeCox:
    """The partial likelihood of some of the p columns of many rows: see `cox_newton.Likelihood`.

    Attributes
    ----------
    rows : the rows' sums
    all_centre, all_scale : arrays of shape (p,)
    kept : bool array of shape (p,), the columns of the model
    total : array of shape (K,), sum of the events' weights at each event time
    event_sum : array of shape (p,), weighted sum of the events' scaled covariates
    event_offset : weighted sum of the events' offsets
    efron : whether ties are split
    """

    rows: RowSums
    all_centre: FloatArray
    all_scale: FloatArray
    kept: BoolArray
    total: FloatArray
    event_sum: FloatArray
    event_offset: float
    efron: bool

    @property
    def centre(self) -> FloatArray:
        """What each column of the model has been moved by."""
        return self.all_centre[self.kept]

    @property
    def scale(self) -> FloatArray:
        """What each column of the model has been divided by."""
        return self.all_scale[self.kept]

    def keep(self, columns: BoolArray) -> LargeCox:
        """Give the likelihood of the columns of the model that the mask `columns` keeps."""
        kept = self.kept.copy()
        kept[self.kept] = columns
        return replace(self, kept=kept)

    def evaluate(self, beta: FloatArray) -> CoxEvaluation:
        """Evaluate log partial likelihood, gradient and information at `beta` (scaled columns)."""
        slope = np.zeros(self.kept.shape[0])
        slope[self.kept] = beta
        risk, shift = self.rows.risks(slope)
        terms, log_sum = self._terms(self.rows.risk_sums(risk))
        gram = self.rows.gram(risk, terms)
        upper = np.triu(gram[:-1, :-1])
        full = upper + np.triu(upper, 1).T
        return CoxEvaluation(
            beta=beta,
            log_likelihood=float(self.event_sum @ slope + self.event_offset - shift * self.total.sum() - log_sum),
            gradient=(self.event_sum - gram[:-1, -1])[self.kept],
            information=full[np.ix_(self.kept, self.kept)],
        )

    def _terms(self, sums: FloatArray) -> tuple[FloatArray, float]:
        """Give the sums over each tied set's terms that `RowSums.gram` takes, and that of their log denominators."""
        kernel, begins, count = load("cox"), self.rows.places.begins, self.rows.places.count
        times = count.shape[0]
        kernel.run_back(sums[0], begins)
        terms = np.empty((5, times))
        parts = [(k, min(k + _TIMES_IN_PART, times)) for k in range(0, times, _TIMES_IN_PART)]
        logs = on_all_cores(lambda part: kernel.add_terms(sums, count, self.total, self.efron, *part, terms), parts)
        kernel.run_forward(terms[0], begins)
        return terms, sum(logs)


def large_cox(rows: CoxRows, *, in_order: bool = False) -> LargeCox:
    """Place, centre and scale once; needs at least one event.

    Rows are sorted and copied only where event times are many, or where `in_order` asks for it.
    """
    surv, x = rows.surv, fixed(np.ascontiguousarray(rows.x))
    p = x.shape[1]
    n_strata = rows.strata_labels.shape[0]
    places = risk_places(surv, rows.strata if n_strata > 1 else None, n_strata)
    nothing = fixed(np.zeros(0))
    weight = nothing if surv.weight is None else fixed(surv.weight)
    offset = nothing if rows.offset is None else fixed(rows.offset)
    centre, scale, factor, event_sum = _standards(x, weight, places)
    total = places.count.astype(np.float64)
    if surv.weight is not None:
        total[:] = 0.0
        load("cox").add_event_weights(weight, places.exit_at, places.event, total)
    efron = rows.ties == "efron"
    sums: RowSums
    if numbers_in_table(len(places), p) <= _MOST_IN_TABLE and not in_order:
        sums = RowsByTime(x, centre, factor, weight, offset, places)
    else:
        sums = sort_rows(x, centre, factor, weight, offset, places)
    return LargeCox(
        rows=sums,
        all_centre=centre,
        all_scale=scale,
        kept=np.ones(p, dtype=np.bool_),
        total=total,
        event_sum=event_sum * factor,
        event_offset=0.0 if rows.offset is None else float((surv.weight_or_one * rows.offset) @ surv.is_event),
        efron=efron,
    )


def _standards(
    x: FloatArray, weight: FloatArray, places: RiskPlaces
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Give each column's centre, scale and factor, as `cox_likelihood` has them, and its sum over the events (p,)."""
    kernel, parts, p = load("cox"), row_parts(x.shape[0]), x.shape[1]
    sums, spreads = np.empty((len(parts), p)), np.empty((len(parts), 2, p))
    weights = on_all_cores(
        lambda i: kernel.weighted_sums(x, weight, places.exit_at, *parts[i], sums[i]), range(len(parts))
    )
    centre = fixed(sums.sum(axis=0) / sum(weights))
    at = (places.exit_at, places.event)
    on_all_cores(lambda i: kernel.spreads_and_events(x, weight, *at, centre, *parts[i], spreads[i]), range(len(parts)))
    spread, event_sum = spreads.sum(axis=0)
    spread /= sum(weights)
    constant = spread <= 2.0 * CONSTANT * np.abs(centre)
    for j in np.flatnonzero(constant):
        column = x[places.exit_at >= 0, j]
        constant[j] = np.ptp(column) <= CONSTANT * np.abs(column).max()
    scale = np.where(constant | (spread == 0), 1.0, spread)
    return centre, scale, fixed(np.where(constant, 0.0, 1.0 / scale)), event_sum
