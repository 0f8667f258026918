"""The Cox partial likelihood of an event table: sums over cells (stratum, pattern, day) instead of rows.

All rows of a pattern have one hazard, so a risk set is a sum over patterns of numbers at risk, and the information
is a Gram matrix of the patterns' covariates. Formulas as in `cox_likelihood.py`; the cost of an evaluation is that of
the cells (and, for Efron's ties, of the events), not of the people.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from riskset.survival import kernels
from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.cox_newton import CoxEvaluation
from riskset.survival.event_grid import running_sums
from riskset.survival.event_table import EventTable
from riskset.survival.regression_columns import standardise

# Event times whose terms one call of the kernel adds up, and tied events that NumPy holds at once.
_TIMES_IN_PART = 1 << 9
_TERMS_AT_ONCE = 1 << 20
# Multiplications and divisions of one term, in about six evaluations.
_STEPS_A_TERM = 60


@dataclass(frozen=True, slots=True, eq=False)
class TableLikelihood:
    """The partial likelihood of the m cells of a table, with P patterns of p columns: see `cox_newton.Likelihood`.

    Days are numbered within the strata, T in all, K of them with an event.

    Attributes
    ----------
    x : array of shape (P, p), columns minus `centre` and divided by `scale`
    offset : array of shape (P,)
    pattern, day, start : arrays of shape (m,), (m,), (T,); cells sorted by day, which start at `start`
    net : array of shape (m,), those who leave less those who enter, weighted
    event_cell, event_start : cells with an event, and where those of each event time start
    event_weight : their weighted events
    event_day : array of shape (K,), the day of each event time
    segment : where each stratum's days start among the T
    count, total : arrays of shape (K,), events of each event time, unweighted and weighted
    efron : whether ties are split
    """

    x: FloatArray
    offset: FloatArray
    centre: FloatArray
    scale: FloatArray
    pattern: IntArray
    day: IntArray
    start: IntArray
    net: FloatArray
    event_cell: IntArray
    event_start: IntArray
    event_weight: FloatArray
    event_day: IntArray
    segment: IntArray
    count: IntArray
    total: FloatArray
    efron: bool

    def keep(self, columns: BoolArray) -> TableLikelihood:
        """Give the likelihood of the columns that the mask `columns` (p,) keeps."""
        return replace(self, x=self.x[:, columns], centre=self.centre[columns], scale=self.scale[columns])

    def evaluate(self, beta: FloatArray) -> CoxEvaluation:
        """Evaluate log partial likelihood, gradient and information at `beta` (scaled columns)."""
        predictor = self.x @ beta + self.offset
        shift = float(predictor.max())
        hazard = np.exp(predictor - shift)
        values = hazard[:, None] * np.column_stack((np.ones(hazard.shape[0]), self.x))
        change = np.add.reduceat(self.net[:, None] * values[self.pattern], self.start, axis=0)
        sums = running_sums(change, self.segment, backwards=True)[self.event_day]
        event_pattern = self.pattern[self.event_cell]
        tied = np.add.reduceat(self.event_weight[:, None] * values[event_pattern], self.event_start, axis=0)
        risk = np.ascontiguousarray(np.stack((sums[:, 0], tied[:, 0])))
        terms, log_sum = tie_terms(risk, self.count, self.total, efron=self.efron)
        s1, e1 = sums[:, 1:], tied[:, 1:]
        weight = self._pattern_weight(terms, event_pattern) * hazard
        a, b, c = terms[2:, :, None]
        mixed = s1.T @ (b * e1)
        information = self.x.T @ (weight[:, None] * self.x) - s1.T @ (a * s1) + mixed + mixed.T - e1.T @ (c * e1)
        events = np.bincount(event_pattern, self.event_weight, hazard.shape[0])
        return CoxEvaluation(
            beta=beta,
            log_likelihood=float(events @ (predictor - shift) - log_sum),
            gradient=np.asarray(events @ self.x - terms[0] @ s1 + terms[1] @ e1),
            information=np.asarray(information),
        )

    def _pattern_weight(self, terms: FloatArray, event_pattern: IntArray) -> FloatArray:
        """Add up the hazard until each cell's day over its rows, less what their own tied event takes back: (P,)."""
        size = self.x.shape[0]
        jump = np.zeros(self.start.shape[0])
        jump[self.event_day] = terms[0]
        hazard = running_sums(jump, self.segment)[self.day]
        k = np.repeat(np.arange(self.count.shape[0]), np.diff(np.append(self.event_start, self.event_cell.shape[0])))
        taken_back = np.bincount(event_pattern, self.event_weight * terms[1][k], size)
        return np.asarray(np.bincount(self.pattern, self.net * hazard, size) - taken_back)


def table_likelihood(
    table: EventTable, x: FloatArray, strata: IntArray | None, offset: FloatArray | None, *, efron: bool
) -> TableLikelihood:
    """Sort the cells by stratum and day, centre and scale the patterns' columns; needs at least one event.

    Parameters
    ----------
    x : array of shape (P, p), the covariates of each of the table's patterns
    strata : array of shape (number of the table's strata,), codes; None pools them
    offset : array of shape (P,) or None
    """
    codes = np.zeros(table.time.shape[0], dtype=np.int64) if strata is None else strata[table.stratum]
    key = codes * (int(table.time.max()) + 1) + table.time
    order = np.argsort(key, kind="stable")
    _, start, day = np.unique(key[order], return_index=True, return_inverse=True)
    ending, pattern = table.ending[order], table.pattern[order]
    number = table.events.sum(axis=1)[order]
    event_cell = np.flatnonzero(number > 0)
    event_day, event_start = np.unique(day[event_cell], return_index=True)
    stratum = codes[order][start]
    first_day = np.concatenate(([0], np.flatnonzero(np.diff(stratum)) + 1))
    leaving = np.asarray(np.bincount(pattern, ending.sum(axis=1), x.shape[0]), dtype=np.float64)
    scaled, centre, scale = standardise(x, leaving)
    return TableLikelihood(
        x=scaled,
        offset=np.zeros(x.shape[0]) if offset is None else offset,
        centre=centre,
        scale=scale,
        pattern=pattern,
        day=day.reshape(-1),
        start=start,
        net=ending.sum(axis=1) - table.entering[order],
        event_cell=event_cell,
        event_start=event_start,
        event_weight=np.ascontiguousarray(ending[event_cell, 1]),
        event_day=event_day,
        segment=first_day,
        count=np.add.reduceat(number[event_cell], event_start).astype(np.int64),
        total=np.add.reduceat(ending[event_cell, 1], event_start),
        efron=efron,
    )


def tie_terms(sums: FloatArray, count: IntArray, total: FloatArray, *, efron: bool) -> tuple[FloatArray, float]:
    """Add up each tied set's terms: sums of W/d times 1/D, f/D, 1/D^2, f/D^2, f^2/D^2, and the sum of W/d log D.

    D = S0 - f E0, with S0 and E0 the rows of `sums` (2, K); f = 0, 1/d, ..., (d - 1)/d under Efron, 0 under Breslow.
    """
    times, terms = count.shape[0], np.empty((5, count.shape[0]))
    if kernels.use_kernels(_STEPS_A_TERM * float(count.sum() if efron else times)):
        add = kernels.load("cox").add_terms
        parts = [(k, min(k + _TIMES_IN_PART, times)) for k in range(0, times, _TIMES_IN_PART)]
    else:
        add = _add_terms
        parts = _few_terms_each(count)
    logs = kernels.on_all_cores(lambda part: add(sums, count, total, efron, *part, terms), parts)
    return terms, float(sum(logs))


def _few_terms_each(count: IntArray) -> list[tuple[int, int]]:
    block = np.cumsum(count) // _TERMS_AT_ONCE
    cuts = np.concatenate(([0], np.flatnonzero(np.diff(block)) + 1, [count.shape[0]]))
    return [(int(a), int(b)) for a, b in pairwise(cuts)]


def _add_terms(
    sums: FloatArray, count: IntArray, total: FloatArray, efron: bool, start: int, stop: int, out: FloatArray
) -> float:
    """Do in NumPy what `kernels.cox.add_terms` does."""
    d = count[start:stop]
    terms = np.repeat(np.arange(start, stop), d) if efron else np.arange(start, stop)
    first = np.concatenate(([0], np.cumsum(d)[:-1])) if efron else np.arange(stop - start)
    share = (total / count)[terms] if efron else total[terms]
    fraction = (np.arange(terms.shape[0]) - first[terms - start]) / count[terms] if efron else np.zeros(terms.shape[0])
    denominator = sums[0, terms] - fraction * sums[1, terms]
    inverse = 1.0 / denominator
    columns = (inverse, fraction * inverse, inverse**2, fraction * inverse**2, (fraction * inverse) ** 2)
    for row, column in enumerate(columns):
        out[row, start:stop] = np.add.reduceat(share * column, first)
    return float(share @ np.log(denominator))
