"""The partial likelihood of Fine and Gray's model for a subdistribution hazard, and the rows' influence on it.

Someone with an event of another cause at T stays at risk at t > T with the weight G(t-) / G(T-), G being the
Kaplan-Meier curve of censoring. So a risk-set sum at t is the sum over those with time >= t, and G(t-) times a running
sum over those gone by another cause, divided by their G(T-): two cumulative sums and no matrix of pairs. The
information is that of Cox's model (see `cox_likelihood`) with the hazard that each row met, weights included. Ties are
Breslow's.

A row's influence on the score is eta + psi (Fine & Gray 1999): eta as in Cox's model, psi for G being estimated. With
m the covariate mean of a risk set and pi the number under observation, a censoring at u moves the score by q(u) / pi:
q(u) adds up, over those gone by another cause before u, w exp(x beta) (x - m) d Lambda at all later event times.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.event_grid import EventGrid, event_grid
from riskset.survival.regression_columns import standardise
from riskset.survival.risk_counts import RiskCounts, risk_counts
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False)
class _Cell:
    """The rows of one stratum and one censoring group that end in another cause, while they stay at risk.

    Attributes
    ----------
    group : the censoring group's code
    rows : array of shape (c,), their places among the sorted rows, in the order of leaving
    inverse : array of shape (c,), 1 / G(T-)
    begin, end : the stratum's event times, [begin, end) among the K pairs
    later : array of shape (end - begin,), G(t-) at those times
    place : array of shape (c,), the first of those times after the row's own; end - begin where there is none
    gone : array of shape (end - begin,), how many of the rows have left before each of those times
    """

    group: int
    rows: IntArray
    inverse: FloatArray
    begin: int
    end: int
    later: FloatArray
    place: IntArray
    gone: IntArray

    def add_up(self, values: FloatArray) -> FloatArray:
        """Sum `values` (n, c), weighted, over those of the cell who stay at risk at each of its times."""
        return _running(values[self.rows] * self.inverse[:, None])[self.gone] * self.later[:, None]

    def still_ahead(self, per_time: FloatArray) -> FloatArray:
        """Sum `per_time` (K, c) times G(t-) from each of the cell's times on: shape (end - begin + 1, c)."""
        mine = per_time[self.begin : self.end] * self.later[:, None]
        return _running(mine[::-1])[::-1]


@dataclass(frozen=True, slots=True, eq=False)
class FineGrayDesign:
    """The n rows sorted by where they leave, with centred and scaled columns.

    Attributes
    ----------
    grid : the K pairs of stratum and time of an event of the cause
    rows : array of shape (n,), the sorted rows' places among all
    time : array of shape (n,)
    censored : bool array of shape (n,)
    group : array of shape (n,), code of the censoring group
    x : array of shape (n, p), columns minus `centre` and divided by `scale`
    weight, first, last : arrays of shape (n,); see `EventGrid`
    events : array of shape (m,), the rows with an event of the cause
    event_weight : array of shape (K,), weighted events at each pair
    exits : array of shape (e,), the rows at risk at some pair, which a stratum has side by side
    exit_from : array of shape (K,), the place among `exits` of the first still at risk at each pair
    exit_end : place among `exits` where each stratum with an event ends
    cells : those who stay at risk after another cause
    censoring : counts of censorings of each censoring group
    """

    grid: EventGrid
    rows: IntArray
    time: FloatArray
    censored: BoolArray
    group: IntArray
    x: FloatArray
    centre: FloatArray
    scale: FloatArray
    weight: FloatArray
    first: IntArray
    last: IntArray
    events: IntArray
    event_weight: FloatArray
    exits: IntArray
    exit_from: IntArray
    exit_end: IntArray
    cells: tuple[_Cell, ...]
    censoring: tuple[RiskCounts, ...]

    def keep(self, columns: BoolArray) -> FineGrayDesign:
        """Give the design of the columns that the mask `columns` (p,) keeps."""
        if columns.all():
            return self
        return replace(self, x=self.x[:, columns], centre=self.centre[columns], scale=self.scale[columns])

    def risk_sums(self, values: FloatArray) -> FloatArray:
        """Sum `values` (n, c) over the weighted risk set of each pair: shape (K, c)."""
        leaving, sums = values[self.exits], np.empty((len(self.grid), values.shape[1]))
        start = 0
        for (begin, end), stop in zip(segments(self.grid), self.exit_end, strict=True):
            ahead = _running(leaving[start:stop][::-1])[::-1]
            sums[begin:end] = ahead[self.exit_from[begin:end] - start]
            start = stop
        for cell in self.cells:
            sums[cell.begin : cell.end] += cell.add_up(values)
        return sums

    def while_at_risk(self, per_time: FloatArray) -> FloatArray:
        """Sum `per_time` (K, c), weighted, over the pairs at which each row is at risk: shape (n, c)."""
        running = _running(per_time)
        total = running[self.last] - running[self.first]
        for cell in self.cells:
            total[cell.rows] += cell.still_ahead(per_time)[cell.place] * cell.inverse[:, None]
        return np.asarray(total)

    def evaluate(self, beta: FloatArray) -> FineGrayState:
        """Evaluate log partial likelihood, gradient and information at `beta` (scaled columns)."""
        predictor = self.x @ beta
        shift = float(predictor.max())
        hazard = self.weight * np.exp(predictor - shift)
        sums = self.risk_sums(np.concatenate((hazard[:, None], hazard[:, None] * self.x), axis=1))
        mean = sums[:, 1:] / sums[:, :1]
        jump = self.event_weight / sums[:, 0]
        weight = self.weight[self.events]
        log_likelihood = weight @ (predictor[self.events] - shift) - self.event_weight @ np.log(sums[:, 0])
        met = (hazard * self.while_at_risk(jump[:, None])[:, 0])[:, None] * self.x
        return FineGrayState(
            beta=beta,
            shift=shift,
            hazard=hazard,
            mean=mean,
            jump=jump,
            log_likelihood=float(log_likelihood),
            gradient=weight @ self.x[self.events] - self.event_weight @ mean,
            information=met.T @ self.x - (self.event_weight[:, None] * mean).T @ mean,
        )


@dataclass(frozen=True, slots=True, eq=False)
class FineGrayState:
    """The likelihood at one coefficient vector (scaled columns).

    Attributes
    ----------
    beta : array of shape (p,)
    shift : largest linear predictor, taken off before `exp` so that nothing overflows
    hazard : array of shape (n,), weight times exp(x beta - shift)
    mean : array of shape (K, p), covariate mean of each risk set
    jump : array of shape (K,), increments of the cumulative subdistribution hazard on the shifted scale
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


def fine_gray_design(surv: Surv, x: FloatArray, cause: int, strata: IntArray | None, group: IntArray) -> FineGrayDesign:
    """Sort, centre and scale once, and estimate censoring. Needs at least one event of the cause."""
    grid = event_grid(surv.as_event(surv.event == cause), strata)
    rows = np.argsort(grid.last, kind="stable")
    weight, first, last = surv.weight_or_one[rows], grid.first[rows], grid.last[rows]
    scaled, centre, scale = standardise(x[rows], weight)
    events = np.flatnonzero(surv.event[rows] == cause)
    exits = np.flatnonzero(last > first)
    pairs = np.arange(1, len(grid) + 1)
    ends = np.array([end for _, end in segments(grid)], dtype=np.int64)
    groups = range(int(group.max()) + 1)
    by_group = [surv.subset(group == g) for g in groups]
    censoring = tuple(risk_counts(part.as_event(~part.is_event)) for part in by_group)
    return FineGrayDesign(
        grid=grid,
        rows=rows,
        time=surv.time[rows],
        censored=~surv.is_event[rows],
        group=group[rows],
        x=scaled,
        centre=centre,
        scale=scale,
        weight=weight,
        first=first,
        last=last,
        events=events,
        event_weight=np.asarray(np.bincount(last[events] - 1, weight[events], len(grid)), dtype=np.float64),
        exits=exits,
        exit_from=np.searchsorted(last[exits], pairs, side="left").astype(np.int64),
        exit_end=np.searchsorted(last[exits], ends, side="right").astype(np.int64),
        cells=_cells(surv, cause, strata, group, grid, rows, censoring),
        censoring=censoring,
    )


def _cells(
    surv: Surv,
    cause: int,
    strata: IntArray | None,
    group: IntArray,
    grid: EventGrid,
    rows: IntArray,
    censoring: tuple[RiskCounts, ...],
) -> tuple[_Cell, ...]:
    other = np.flatnonzero(surv.is_event[rows] & (surv.event[rows] != cause))
    cells = []
    for begin, end in segments(grid):
        mine = other if strata is None else other[strata[rows[other]] == grid.stratum[begin]]
        for code in np.unique(group[rows[mine]]):
            member = mine[group[rows[mine]] == code]
            counts = censoring[code]
            place = grid.last[rows[member]] - begin
            cells.append(
                _Cell(
                    group=int(code),
                    rows=member,
                    inverse=1.0 / _uncensored_before(counts, surv.time[rows[member]]),
                    begin=begin,
                    end=end,
                    later=_uncensored_before(counts, grid.time[begin:end]),
                    place=place,
                    gone=np.searchsorted(place, np.arange(end - begin), side="right").astype(np.int64),
                )
            )
    return tuple(cells)


def _uncensored_before(counts: RiskCounts, times: FloatArray) -> FloatArray:
    """Give G(t-) at `times`; 0 after the group's last observation, where nothing is known of it (as R's cmprsk)."""
    after = np.cumprod(1.0 - counts.events / counts.at_risk)
    curve = np.concatenate(([1.0], after))[np.searchsorted(counts.time, times, side="left")]
    return np.where(times > counts.time[-1], 0.0, curve)


def segments(grid: EventGrid) -> list[tuple[int, int]]:
    """Give where each stratum's event times begin and end among the K pairs."""
    return list(zip(grid.segment.tolist(), [*grid.segment[1:].tolist(), len(grid)], strict=True))


def _running(values: FloatArray) -> FloatArray:
    """Give the sums of the first 0, 1, ..., n rows of `values` (n, c): shape (n + 1, c)."""
    sums = np.empty((values.shape[0] + 1, values.shape[1]))
    sums[0] = 0.0
    np.cumsum(values, axis=0, out=sums[1:])
    return sums


def score_residuals(design: FineGrayDesign, state: FineGrayState) -> FloatArray:
    """Give each row's influence on the score, per unit of weight, in the order of the sorted rows: shape (n, p)."""
    per_time = np.concatenate((state.jump[:, None], state.jump[:, None] * state.mean), axis=1)
    met = design.while_at_risk(per_time)
    relative = (state.hazard / design.weight)[:, None]
    residual = -relative * (design.x * met[:, :1] - met[:, 1:])
    residual[design.events] += design.x[design.events] - state.mean[design.last[design.events] - 1]
    for code, counts in enumerate(design.censoring):
        if counts.events.any():
            _add_censoring(residual, design, state, per_time, code, counts)
    return residual


def _add_censoring(
    residual: FloatArray,
    design: FineGrayDesign,
    state: FineGrayState,
    per_time: FloatArray,
    code: int,
    counts: RiskCounts,
) -> None:
    """Add psi, the influence that a row of censoring group `code` has through the estimated curve of censoring.

    At a tie, q(u) counts those gone before u and the events from u on, as R's cmprsk.
    """
    pull = np.zeros((counts.time.shape[0], design.x.shape[1]))
    for cell in design.cells:
        if cell.group == code:
            pull += _pull(cell, design, state, per_time, counts.time)
    own = pull / counts.at_risk[:, None]
    shared = np.cumsum(own * (counts.events / counts.at_risk)[:, None], axis=0)
    mine = np.flatnonzero(design.group == code)
    place = np.searchsorted(counts.time, design.time[mine])
    residual[mine] += np.where(design.censored[mine, None], own[place], 0.0) - shared[place]


def _pull(
    cell: _Cell, design: FineGrayDesign, state: FineGrayState, per_time: FloatArray, times: FloatArray
) -> FloatArray:
    """Give the part of q(u) that the rows of one cell make up, at each u of `times`: shape (len(times), p)."""
    order = np.argsort(design.time[cell.rows], kind="stable")
    rows = cell.rows[order]
    gone = (state.hazard[rows] * cell.inverse[order])[:, None]
    values = np.concatenate((gone, gone * design.x[rows]), axis=1)
    by = _running(values)[np.searchsorted(design.time[rows], times, side="left")]
    ahead = cell.still_ahead(per_time)
    ahead = ahead[np.searchsorted(design.grid.time[cell.begin : cell.end], times, side="left")]
    return np.asarray(by[:, 1:] * ahead[:, :1] - by[:, :1] * ahead[:, 1:])
