"""The Cox partial likelihood, its gradient and its information: plain NumPy, no loop over times or rows.

With r = w exp(x beta), S0 and S1 the sums of r and r x over a risk set, a tied set of d events with weights adding up
to W gives d terms of weight W/d. Term l (l = 0 .. d-1) has the denominator S0 - f E0 and the mean
(S1 - f E1) / (S0 - f E0), where E0, E1 are the sums over the tied events and f = l/d under Efron, 0 under Breslow.
The information is X' diag(r (Lambda - Phi)) X - M' diag(W/d) M: Lambda adds up (W/d) / denominator over the terms at
which a row is at risk, Phi takes back the fraction f for a tied event, M holds the means. So one weighted Gram matrix
of the rows and one of the means; no p x p work for a row.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.event_grid import EventGrid, running_sums
from riskset.survival.regression_columns import standardise
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False)
class CoxDesign:
    """The a rows that are at risk at some event, sorted by where they leave, with centred and scaled columns.

    Attributes
    ----------
    rows : array of shape (a,), their places among all n rows
    x : array of shape (a, p), columns minus `centre` and divided by `scale`
    weight, first, last : arrays of shape (a,); see `EventGrid`
    events : array of shape (m,), the event rows among the a, in the order of the event times
    event_start : array of shape (K,), where the events of each event time start among the m
    term, fraction, term_weight : arrays of shape (m,), event time, f and W/d of each term
    exit_start, exit_at : where rows that leave together start, and the event time at which they were last at risk
    late, late_start, late_at : the same for delayed entry: rows, starts, last event time before entry
    offset : array of shape (a,) or None, a known part of the linear predictor
    """

    grid: EventGrid
    n: int
    rows: IntArray
    x: FloatArray
    centre: FloatArray
    scale: FloatArray
    weight: FloatArray
    first: IntArray
    last: IntArray
    events: IntArray
    event_start: IntArray
    term: IntArray
    fraction: FloatArray
    term_weight: FloatArray
    exit_start: IntArray
    exit_at: IntArray
    late: IntArray
    late_start: IntArray
    late_at: IntArray
    offset: FloatArray | None

    def evaluate(self, beta: FloatArray) -> CoxState:
        """Evaluate log partial likelihood, gradient and information at `beta` (scaled columns)."""
        return evaluate(self, beta)

    def keep(self, columns: BoolArray) -> CoxDesign:
        """Give the design of the columns that the mask `columns` (p,) keeps."""
        if columns.all():
            return self
        return replace(self, x=self.x[:, columns], centre=self.centre[columns], scale=self.scale[columns])

    @property
    def has_split_ties(self) -> bool:
        """Whether any term has a fraction above 0, that is Efron with tied events."""
        return bool(self.fraction.any())

    def risk_sums(self, values: FloatArray) -> FloatArray:
        """Sum `values` (a, c) over the risk set of each event time: shape (K, c)."""
        sums = np.zeros((len(self.grid), values.shape[1]))
        sums[self.exit_at] = np.add.reduceat(values, self.exit_start, axis=0)
        if self.late.size:
            sums[self.late_at] -= np.add.reduceat(values[self.late], self.late_start, axis=0)
        return running_sums(sums, self.grid.segment, backwards=True)

    def per_event_time(self, values: FloatArray) -> FloatArray:
        """Sum `values` (m, ...), one entry for each term or event, over each event time: shape (K, ...)."""
        return np.asarray(np.add.reduceat(values, self.event_start, axis=0))

    def while_at_risk(self, per_time: FloatArray) -> FloatArray:
        """Sum `per_time` (K, ...) over the event times at which each row is at risk: shape (a, ...)."""
        running = running_sums(per_time, self.grid.segment)
        total = running[self.last - 1]
        total[self.late] -= running[self.first[self.late] - 1]
        return np.asarray(total)


def cox_design(
    surv: Surv, x: FloatArray, grid: EventGrid, *, efron: bool, offset: FloatArray | None = None
) -> CoxDesign:
    """Sort, centre and scale once, so that each evaluation only multiplies and adds. Needs at least one event."""
    at_risk = np.flatnonzero(grid.last > grid.first)
    rows = at_risk[np.argsort(grid.last[at_risk], kind="stable")]
    weight, first, last = surv.weight_or_one[rows], grid.first[rows], grid.last[rows]
    scaled, centre, scale = standardise(x[rows], weight)
    events = np.flatnonzero(surv.is_event[rows])
    term = last[events] - 1
    event_start = np.searchsorted(term, np.arange(len(grid)))
    count = np.diff(np.append(event_start, events.shape[0]))
    total = np.add.reduceat(weight[events], event_start)
    nth = np.arange(events.shape[0]) - event_start[term]
    exit_start = _starts(last)
    begins = grid.segment[np.searchsorted(grid.segment, last - 1, side="right") - 1]
    late = np.flatnonzero(first > begins)
    late = late[np.argsort(first[late], kind="stable")]
    late_start = _starts(first[late])
    return CoxDesign(
        grid=grid,
        n=len(surv),
        rows=rows,
        x=scaled,
        centre=centre,
        scale=scale,
        weight=weight,
        first=first,
        last=last,
        events=events,
        event_start=event_start,
        term=term,
        fraction=nth / count[term] if efron else np.zeros(events.shape[0]),
        term_weight=(total / count)[term],
        exit_start=exit_start,
        exit_at=last[exit_start] - 1,
        late=late,
        late_start=late_start,
        late_at=first[late][late_start] - 1,
        offset=None if offset is None else offset[rows],
    )


def _starts(ordered: IntArray) -> IntArray:
    """Give where each run of equal numbers starts in a sorted array."""
    if ordered.size == 0:
        return np.zeros(0, dtype=np.int64)
    return np.concatenate(([0], np.flatnonzero(np.diff(ordered)) + 1)).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class CoxState:
    """The likelihood at one coefficient vector (scaled columns), and what residuals are made of.

    Attributes
    ----------
    beta : array of shape (p,)
    shift : largest linear predictor, taken off before `exp` so that nothing overflows
    hazard : array of shape (a,), exp(x beta - shift)
    mean : array of shape (m, p), covariate mean of each term
    jump : array of shape (m,), hazard increment of each term on the shifted scale
    log_likelihood, gradient (p,), information (p, p)
    """

    beta: FloatArray
    shift: float
    hazard: FloatArray
    mean: FloatArray
    jump: FloatArray
    log_likelihood: float
    gradient: FloatArray
    information: FloatArray


def evaluate(design: CoxDesign, beta: FloatArray) -> CoxState:
    """Evaluate log partial likelihood, gradient and information at `beta` (scaled columns)."""
    x, events = design.x, design.events
    predictor = x @ beta if design.offset is None else x @ beta + design.offset
    shift = float(predictor.max())
    hazard = np.exp(predictor - shift)
    sums = _term_sums(design, hazard)
    denominator = sums[:, 0]
    mean = sums[:, 1:] / denominator[:, None]
    jump = design.term_weight / denominator
    weight = design.weight[events]
    log_likelihood = weight @ (predictor[events] - shift) - design.term_weight @ np.log(denominator)
    gradient = weight @ x[events] - design.term_weight @ mean
    return CoxState(
        beta=beta,
        shift=shift,
        hazard=hazard,
        mean=mean,
        jump=jump,
        log_likelihood=float(log_likelihood),
        gradient=gradient,
        information=information(design, hazard, mean, jump, np.ones(1)),
    )


def _term_sums(design: CoxDesign, hazard: FloatArray) -> FloatArray:
    """Give, for each term, the denominator and the sums over x of its risk set: shape (m, 1 + p)."""
    risk = (design.weight * hazard)[:, None]
    values = np.concatenate((risk, risk * design.x), axis=1)
    sums = design.risk_sums(values)[design.term]
    if design.has_split_ties:
        tied = design.per_event_time(values[design.events])
        sums = sums - design.fraction[:, None] * tied[design.term]
    return sums


def information(
    design: CoxDesign, hazard: FloatArray, mean: FloatArray, jump: FloatArray, stress: FloatArray
) -> FloatArray:
    """Add up the covariate variances of the terms, each times its `stress` (shape (m,), or (1,) for all): (p, p)."""
    cumulative = at_risk_hazard(design, jump * stress)
    rows = (design.weight * hazard * cumulative)[:, None] * design.x
    means = (design.term_weight * stress)[:, None] * mean
    return np.asarray(rows.T @ design.x - means.T @ mean)


def at_risk_hazard(design: CoxDesign, jump: FloatArray) -> FloatArray:
    """Sum `jump` (m,) over the terms at which each row is at risk, less the fraction f at a row's own tied event."""
    cumulative = design.while_at_risk(design.per_event_time(jump))
    if design.has_split_ties:
        cumulative[design.events] -= design.per_event_time(design.fraction * jump)[design.term]
    return cumulative


def independent_columns(matrix: FloatArray, tolerance: float) -> BoolArray:
    """Tell which columns of an information matrix are not combinations of those before them (Cholesky pivots)."""
    rest = matrix.copy()
    p = rest.shape[0]
    kept = np.zeros(p, dtype=np.bool_)
    smallest = tolerance * np.diag(matrix).max(initial=0.0)
    for j in range(p):
        if rest[j, j] > smallest:
            kept[j] = True
            column = rest[j + 1 :, j].copy()
            rest[j + 1 :, j + 1 :] -= np.outer(column, column) / rest[j, j]
    return kept
