"""The exact (discrete) partial likelihood: given that d of those at risk have the event, which d.

A tied set of d events contributes sum(x beta) - log e_d, where e_d adds up exp(sum of x beta) over all subsets of d of
those at risk. With one event that is the term of Breslow and Efron, so `CoxDesign` takes those; the tied sets go
through the recursion of Gail, Lubin & Rubinstein, e_d(rows and i) = e_d(rows) + r_i e_(d-1)(rows). It is carried here
as log e_d, and as the mean and the covariance of the sum of x over a subset drawn with these odds, so that nothing
overflows and nothing cancels: with q = r_i e_(d-1) / e_d and delta = x_i + mean_(d-1) - mean_d,

    mean_d       -> mean_d + q delta
    covariance_d -> (1 - q) covariance_d + q covariance_(d-1) + q (1 - q) delta delta'.

Gradient and information are sums of these means and covariances. Without delayed entry the risk sets of a stratum are
nested, so one pass over its rows from the last to the first serves all its tied sets; with delayed entry each tied set
has a pass of its own. Passes run side by side, one row of each at a time.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from riskset.survival import kernels
from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.cox_likelihood import CoxDesign, evaluate
from riskset.survival.cox_newton import CoxEvaluation

# What NumPy's calls for one more row cost, counted in elementary steps.
_CALLS = 5_000


@dataclass(frozen=True, slots=True, eq=False)
class _Passes:
    """C passes over rows, longest first, and what is read from them.

    `row` holds the passes' first rows, then their second rows, and so on; those of step j start at `start[j]` and
    belong to the first passes. After step `read_step` (sorted) the sums of `read_size` rows of pass `read_pass` are
    read, one for each tied set.
    """

    row: IntArray
    start: IntArray
    read_step: IntArray
    read_pass: IntArray
    read_size: IntArray


@dataclass(frozen=True, slots=True, eq=False)
class ExactLikelihood:
    """The exact partial likelihood of the rows of `design` (without weights), untied sets by the design itself."""

    design: CoxDesign
    passes: _Passes

    @property
    def centre(self) -> FloatArray:
        """What each column has been moved by, (p,)."""
        return self.design.centre

    @property
    def scale(self) -> FloatArray:
        """What each column has been divided by, (p,)."""
        return self.design.scale

    def evaluate(self, beta: FloatArray) -> CoxEvaluation:
        """Evaluate log partial likelihood, gradient and information at `beta` (scaled columns)."""
        design = self.design
        untied = evaluate(design, beta)
        predictor = design.x @ beta if design.offset is None else design.x @ beta + design.offset
        passes = self.passes
        size = passes.read_size.max(initial=0) * (design.x.shape[1] + 3) ** 2
        steps = passes.row.shape[0] * size + _CALLS * passes.start.shape[0]
        add_up = kernels.load("cox_exact").subset_sums if kernels.use_kernels(float(steps)) else subset_sums
        log_sum, mean, covariance = add_up(
            passes.row,
            passes.start,
            passes.read_step,
            passes.read_pass,
            passes.read_size,
            np.ascontiguousarray(design.x),
            predictor - untied.shift,
        )
        return CoxEvaluation(
            beta=beta,
            log_likelihood=untied.log_likelihood - log_sum,
            gradient=untied.gradient - mean,
            information=untied.information + covariance,
        )

    def keep(self, columns: BoolArray) -> ExactLikelihood:
        """Give the likelihood of the columns that the mask `columns` (p,) keeps."""
        return ExactLikelihood(self.design.keep(columns), self.passes)


def exact_likelihood(design: CoxDesign) -> ExactLikelihood:
    """Take the tied sets out of `design`, whose rows have no weights, and prepare their recursion."""
    count = np.diff(np.append(design.event_start, design.events.shape[0]))
    term_weight = np.where(count[design.term] == 1, design.term_weight, 0.0)
    untied = replace(design, term_weight=term_weight, fraction=np.zeros_like(design.fraction))
    return ExactLikelihood(untied, _passes(design, count))


def _passes(design: CoxDesign, count: IntArray) -> _Passes:
    tied = np.flatnonzero(count > 1)
    if design.late.size:
        members = [np.flatnonzero((design.first <= k) & (design.last > k)) for k in tied]
        reads = [(np.array([rows.size - 1]), count[[k]]) for rows, k in zip(members, tied, strict=True)]
    else:
        members, reads = _nested(design, tied, count)
    order = np.argsort([-rows.size for rows in members], kind="stable")
    members, reads = [members[c] for c in order], [reads[c] for c in order]
    size = np.array([rows.size for rows in members], dtype=np.int64)
    step = np.concatenate([np.arange(n) for n in size]) if size.size else np.zeros(0, dtype=np.int64)
    by_step = np.argsort(step, kind="stable")
    row = np.concatenate(members)[by_step] if size.size else np.zeros(0, dtype=np.int64)
    read_pass = np.repeat(np.arange(size.shape[0]), [at.size for at, _ in reads]).astype(np.int64)
    read_step = np.concatenate([at for at, _ in reads]) if reads else np.zeros(0, dtype=np.int64)
    read_size = np.concatenate([d for _, d in reads]) if reads else np.zeros(0, dtype=np.int64)
    by_read = np.argsort(read_step, kind="stable")
    return _Passes(
        row=row,
        start=np.searchsorted(step[by_step], np.arange(size.max(initial=0) + 1)),
        read_step=read_step[by_read],
        read_pass=read_pass[by_read],
        read_size=read_size[by_read],
    )


def _nested(
    design: CoxDesign, tied: IntArray, count: IntArray
) -> tuple[list[IntArray], list[tuple[IntArray, IntArray]]]:
    """Give a pass for each stratum that has a tied set: its rows from the last to leave, and where a set is whole."""
    grid = design.grid
    end = np.append(grid.segment[1:], len(grid))
    owner = np.searchsorted(grid.segment, tied, side="right") - 1
    members, reads = [], []
    for stratum in np.unique(owner):
        own = tied[owner == stratum][::-1]
        # The design's rows are sorted by `last`; those that leave before the first tied set are in none.
        begin, stop = np.searchsorted(design.last, [own[-1], end[stratum]], side="right")
        rows = np.arange(stop - 1, begin - 1, -1)
        members.append(rows)
        at_risk = stop - np.searchsorted(design.last, own, side="right")
        reads.append((at_risk - 1, count[own]))
    return members, reads


def subset_sums(
    row: IntArray,
    start: IntArray,
    read_step: IntArray,
    read_pass: IntArray,
    read_size: IntArray,
    x: FloatArray,
    log_risk: FloatArray,
) -> tuple[float, FloatArray, FloatArray]:
    """Add up log e_d, the mean and the covariance of the subsets' sums of x over all tied sets: plain NumPy."""
    p = x.shape[1]
    value, gradient, information = 0.0, np.zeros(p), np.zeros((p, p))
    if read_step.size == 0:
        return value, gradient, information
    number, most = int(start[1]), int(read_size.max())
    log_sum = np.full((number, most + 1), -np.inf)
    log_sum[:, 0] = 0.0
    mean = np.zeros((number, most + 1, p))
    spread = np.zeros((number, most + 1, p, p))
    read_start = np.searchsorted(read_step, np.arange(start.shape[0]))
    for j in range(start.shape[0] - 1):
        _add_row(log_sum, mean, spread, j, x, log_risk, row[start[j] : start[j + 1]])
        if read_start[j] < read_start[j + 1]:
            here = slice(read_start[j], read_start[j + 1])
            at, size = read_pass[here], read_size[here]
            value += float(log_sum[at, size].sum())
            gradient += mean[at, size].sum(axis=0)
            information += spread[at, size].sum(axis=0)
    return value, gradient, information


def _add_row(
    log_sum: FloatArray,
    mean: FloatArray,
    spread: FloatArray,
    j: int,
    x: FloatArray,
    log_risk: FloatArray,
    rows: IntArray,
) -> None:
    """Let the passes that are not done take in their j-th rows, for subsets of all sizes that j + 1 rows can have."""
    active, top = rows.shape[0], min(j + 1, log_sum.shape[1] - 1)
    larger, smaller = (slice(active), slice(1, top + 1)), (slice(active), slice(0, top))
    taken = log_risk[rows, None] + log_sum[smaller]
    new = np.logaddexp(log_sum[larger], taken)
    q = np.exp(taken - new)[:, :, None]
    delta = x[rows, None, :] + mean[smaller] - mean[larger]
    outer = (q * (1.0 - q) * delta)[..., :, None] * delta[..., None, :]
    spread[larger] = spread[larger] + q[..., None] * (spread[smaller] - spread[larger]) + outer
    mean[larger] += q * delta
    log_sum[larger] = new
