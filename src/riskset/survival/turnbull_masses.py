"""Where the nonparametric maximum likelihood of interval-censored data puts its mass, and how much.

Mass can only lie on the *innermost* intervals: a left end followed, in the order of all ends, directly by a right end.
At one time t the order of ends is: the left end of an exact [t, t], then right ends (.., t], then left ends (t, ..].
Each row covers a contiguous range first..last of the m innermost intervals, so that a row's probability is a difference
of cumulated masses and the likelihood needs no n x m table:

    l(p) = sum_i w_i log P_i,    P_i = F[last_i + 1] - F[first_i],    F = cumulated p.

With D_j = sum of w_i / P_i over the rows that cover j and W = sum of w_i, p is the maximum if and only if D_j <= W for
all j (then D_j = W wherever p_j > 0). As sum p_j D_j = W always, the gap max D_j / W - 1 bounds what is missing of the
likelihood: l(maximum) - l(p) <= W gap. What is reported as gap also holds 1 - D_j / W where p_j > 0.

The masses are unique: the likelihood is strictly concave in the P_i, and as each innermost interval j is the last of
some row, the P_i determine F[j + 1] from the F before it, one after the other.

Three steps alternate until that holds. EM, on the hazard scale: rows that end in the last interval are right-censored
data, only the others are imputed, so that exact and right-censored data are solved in one step. ICM: weighted isotonic
regression of F with the diagonal of the curvature; it moves mass between intervals and empties them for good. Newton on
the intervals that still hold mass: in terms of F the curvature is the Laplacian of a graph that has the ends of the
intervals as nodes and the rows as edges.

References: Turnbull BW. J R Stat Soc B 1976; 38: 290-295. Groeneboom P, Wellner JA. Information bounds and
nonparametric maximum likelihood estimation. Birkhäuser 1992. Wellner JA, Zhan Y. J Am Stat Assoc 1997; 92: 945-959.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from riskset.survival._special import solve_tridiagonal
from riskset.survival._types import BoolArray, FloatArray, IntArray

# The gap is relative to the total weight.
GAP_TOLERANCE = 1e-10
_GAP_OF_ROUNDING = 1e-14
_MAX_ROUNDS = 2000
# Newton first tries after this many rounds of EM and ICM, which are cheap and empty most intervals.
_FIRST_NEWTON = 4
_MAX_NEWTON = 60
# Expected gains of a Newton step, relative to the total weight: lost in the likelihood's rounding; not worth a step.
_BELOW_ROUNDING = 1e-12
_POLISHED = 1e-24
_MAX_HALVINGS = 40
# Up to this many intervals with mass a dense factorisation is quickest; beyond, conjugate gradients need no matrix.
_DENSE = 100
_MAX_GRADIENTS = 500


@dataclass(frozen=True, slots=True, eq=False)
class Coverage:
    """Rows as ranges of innermost intervals: rows with the same range are one, with their weights added up.

    `left`, `right`, `closed` (m,): the innermost intervals, `closed` where the left end belongs to it (an exact time).
    `first`, `last`, `weight` (r,): first and last interval that each distinct range covers, both included.
    """

    left: FloatArray
    right: FloatArray
    closed: BoolArray
    first: IntArray
    last: IntArray
    weight: FloatArray

    @property
    def size(self) -> int:
        """Number of innermost intervals."""
        return int(self.left.shape[0])

    def restricted(self, kept: IntArray) -> Coverage:
        """Give the same rows over the intervals `kept` alone; each row must cover at least one of them."""
        first = np.searchsorted(kept, self.first, side="left")
        last = np.searchsorted(kept, self.last, side="right") - 1
        return Coverage(
            self.left[kept], self.right[kept], self.closed[kept], *_distinct(first, last, self.weight, kept.shape[0])
        )


def coverage(left: FloatArray, right: FloatArray, weight: FloatArray) -> Coverage:
    """Find the innermost intervals and the range of them that each row (left, right], or [t, t], covers."""
    n = left.shape[0]
    exact = left == right
    time = np.concatenate((left, right))
    kind = np.concatenate((np.where(exact, 0, 2), np.ones(n, dtype=np.int64)))
    order = np.lexsort((kind, time))
    time, kind = time[order], kind[order]
    place = np.empty(2 * n, dtype=np.int64)
    place[order] = np.arange(2 * n)
    starts = np.flatnonzero((kind[:-1] != 1) & (kind[1:] == 1))
    first = np.searchsorted(starts, place[:n], side="left")
    last = np.searchsorted(starts + 1, place[n:], side="right") - 1
    ranges = _distinct(first, last, weight, starts.shape[0])
    return Coverage(time[starts], time[starts + 1], kind[starts] == 0, *ranges)


def _tally(places: IntArray, values: FloatArray, size: int) -> FloatArray:
    """Add up `values` by their places 0 .. size - 1."""
    return np.asarray(np.bincount(places, values, size), dtype=np.float64)


def _distinct(first: IntArray, last: IntArray, weight: FloatArray, size: int) -> tuple[IntArray, IntArray, FloatArray]:
    codes, group = np.unique(first * size + last, return_inverse=True)
    return codes // size, codes % size, _tally(group.reshape(-1), weight, codes.shape[0])


@dataclass(frozen=True, slots=True, eq=False)
class Masses:
    """Masses (m,) of the innermost intervals, 0 exactly where there is none, and how the search for them ended."""

    mass: FloatArray
    log_likelihood: float
    gap: float
    rounds: int
    converged: bool


def maximise(rows: Coverage) -> Masses:
    """Find the masses of maximum likelihood, to a gap of `GAP_TOLERANCE`."""
    mass, rounds = np.full(rows.size, 1.0 / rows.size), 0
    wait, next_newton = 1, _FIRST_NEWTON
    for rounds in range(1, _MAX_ROUNDS + 1):
        mass = _em_step(rows, mass)
        if _gap(rows, mass) > GAP_TOLERANCE:
            mass = _icm_step(rows, mass)
            if rounds >= next_newton:
                mass = _newton(rows, mass)
                wait = min(2 * wait, 32)
                next_newton = rounds + wait
        if _gap(rows, mass) <= GAP_TOLERANCE:
            break
    # A small mass is known less exactly than the likelihood: Newton settles it.
    gap = _gap(rows, mass)
    if gap > _GAP_OF_ROUNDING:
        polished = _newton(rows, mass)
        polished_gap = _gap(rows, polished)
        if polished_gap < gap:
            mass, gap = polished, polished_gap
    return Masses(mass, _log_likelihood(rows, mass), gap, rounds, gap <= GAP_TOLERANCE)


def row_probability(rows: Coverage, mass: FloatArray) -> FloatArray:
    """Give the probability of each range: the difference of sums from the nearer side, which rounds less."""
    below = np.concatenate(([0.0], np.cumsum(mass)))
    above = np.concatenate((np.cumsum(mass[::-1])[::-1], [0.0]))
    start, end = rows.first, rows.last + 1
    between = np.where(below[end] <= above[start], below[end] - below[start], above[start] - above[end])
    return np.where(end == start + 1, mass[start], between)


def _log_likelihood(rows: Coverage, mass: FloatArray) -> float:
    probability = row_probability(rows, mass)
    if not (probability > 0).all():
        return -np.inf
    return float(rows.weight @ np.log(probability))


def _gap(rows: Coverage, mass: FloatArray) -> float:
    """Give by how much the conditions of the maximum are missed: D_j <= W, and D_j = W where there is mass."""
    cover = _cover_sums(rows, rows.weight / row_probability(rows, mass)) / rows.weight.sum()
    return max(float(cover.max()) - 1.0, 1.0 - float(cover[mass > 0].min()), 0.0)


def _cover_sums(rows: Coverage, values: FloatArray) -> FloatArray:
    """Sum `values` (r,) over the ranges that cover each interval: (m,)."""
    size = rows.size + 1
    return np.cumsum(_tally(rows.first, values, size) - _tally(rows.last + 1, values, size))[:-1]


def _em_step(rows: Coverage, mass: FloatArray) -> FloatArray:
    """Impute the rows that end before the last interval; then take the product-limit estimate of what is complete."""
    final = rows.size - 1
    to_the_end = rows.last == final
    share = np.where(to_the_end, 0.0, rows.weight / row_probability(rows, mass))
    events = np.maximum(mass * _cover_sums(rows, share), 0.0)
    beyond = _tally(rows.first, np.where(to_the_end, rows.weight, 0.0), rows.size)
    at_risk = np.cumsum((events + beyond)[::-1])[::-1] - beyond
    hazard = np.divide(events, at_risk, out=np.zeros(rows.size), where=at_risk > 0)[:-1]
    before = np.concatenate(([1.0], np.cumprod(1.0 - np.minimum(hazard, 1.0))))
    return np.concatenate((before[:-1] * hazard, before[-1:]))


def _slopes(rows: Coverage, probability: FloatArray) -> FloatArray:
    """Give the derivative of the log-likelihood by F[1], ..., F[m - 1]: shape (m - 1,)."""
    share = rows.weight / probability
    return (_tally(rows.last + 1, share, rows.size + 1) - _tally(rows.first, share, rows.size + 1))[1:-1]


def _icm_step(rows: Coverage, mass: FloatArray) -> FloatArray:
    """Move F towards the isotonic regression of its Newton step with the diagonal curvature, as far as it pays."""
    if rows.size == 1:
        return mass
    probability = row_probability(rows, mass)
    slope = _slopes(rows, probability)
    square = rows.weight / probability**2
    size = rows.size + 1
    curvature = (_tally(rows.last + 1, square, size) + _tally(rows.first, square, size))[1:-1]
    cumulated = np.cumsum(mass)[:-1]
    target = np.clip(isotonic(cumulated + slope / curvature, curvature), 0.0, 1.0)
    aim = np.maximum(np.diff(np.concatenate(([0.0], target, [1.0]))), 0.0)
    return _line_search(rows, mass, aim - mass, float(slope @ (target - cumulated)), 1.0)


def _line_search(rows: Coverage, mass: FloatArray, move: FloatArray, gain: float, start: float) -> FloatArray:
    """Halve the step along `move` until the likelihood gains its due; stay where no step does."""
    if not gain > 0:
        return mass
    here = _log_likelihood(rows, mass)
    step = start
    for _ in range(_MAX_HALVINGS):
        new = np.maximum(mass + step * move, 0.0)
        if step == start:
            # What the full step empties is emptied exactly.
            new[new < 1e-15] = 0.0
        if _log_likelihood(rows, new) >= here + 1e-4 * step * gain:
            return np.asarray(new / new.sum())
        step /= 2.0
    return mass


def isotonic(values: FloatArray, weight: FloatArray) -> FloatArray:
    """Give the non-decreasing sequence nearest to `values` in weighted squares: pool adjacent violators, all at once.

    Each pass pools every falling run into its mean; the order of pooling does not matter to the result.
    """
    start = np.arange(values.shape[0])
    level, heavy = values, weight
    while True:
        falls = level[1:] < level[:-1]
        if not falls.any():
            return np.asarray(np.repeat(level, np.diff(np.append(start, values.shape[0]))), dtype=np.float64)
        head = np.flatnonzero(np.concatenate(([True], ~falls)))
        total = np.add.reduceat(heavy, head)
        level = np.add.reduceat(heavy * level, head) / total
        heavy, start = total, start[head]


def _newton(rows: Coverage, mass: FloatArray) -> FloatArray:
    """Climb by Newton steps over the intervals that hold mass, emptying those that a step drives to 0."""
    kept = np.flatnonzero(mass > 0)
    inner = rows.restricted(kept)
    held = mass[kept]
    for _ in range(_MAX_NEWTON):
        if inner.size == 1:
            break
        probability = row_probability(inner, held)
        slope = _slopes(inner, probability)
        shift = _solve_laplacian(inner, inner.weight / probability**2, slope)
        gain = float(slope @ shift)
        move = np.diff(np.concatenate(([0.0], shift, [0.0])))
        falling = move < 0
        reach = np.divide(-held, move, out=np.full(held.shape, np.inf), where=falling)
        step = min(1.0, float(reach.min()))
        if step == 1.0 and gain <= _BELOW_ROUNDING * inner.weight.sum():
            # The likelihood is too coarse to judge so small a step, which Newton's method takes safely.
            held = held + move
        else:
            new = _line_search(inner, held, move, gain, step)
            if new is held:
                break
            held = new
        if gain <= _POLISHED * inner.weight.sum():
            break
        alive = held > 0
        if not alive.all():
            kept, inner, held = kept[alive], inner.restricted(np.flatnonzero(alive)), held[alive]
    full = np.zeros(mass.shape)
    full[kept] = held
    return full


def _solve_laplacian(rows: Coverage, square: FloatArray, slope: FloatArray) -> FloatArray:
    """Solve L shift = slope, L the curvature in F: ends of the intervals as nodes, 0 and 1 held fast, rows as edges."""
    size = rows.size + 1
    start, end = rows.first, rows.last + 1
    diagonal = (_tally(start, square, size) + _tally(end, square, size))[1:-1]
    if rows.size <= _DENSE:
        matrix = np.zeros((size, size))
        np.add.at(matrix, (start, end), -square)
        inner = (matrix + matrix.T)[1:-1, 1:-1]
        inner[np.diag_indices_from(inner)] = diagonal
        return np.asarray(np.linalg.solve(inner, slope))
    near = end == start + 1
    beside = -_tally(start, np.where(near, square, 0.0), size)[1:-2]
    return _conjugate_gradients(start, end, square, diagonal, beside, slope)


def _conjugate_gradients(
    start: IntArray, end: IntArray, square: FloatArray, diagonal: FloatArray, beside: FloatArray, slope: FloatArray
) -> FloatArray:
    """Solve by conjugate gradients, the rows of a single interval (a tridiagonal matrix) solved directly in each."""
    size = diagonal.shape[0] + 2
    answer, rest = np.zeros(size - 2), slope.copy()
    near = solve_tridiagonal(diagonal, beside, rest)
    course, size_of_rest = near, float(rest @ near)
    goal = 1e-24 * size_of_rest
    for _ in range(_MAX_GRADIENTS):
        if size_of_rest <= goal:
            break
        padded = np.concatenate(([0.0], course, [0.0]))
        pull = square * (padded[end] - padded[start])
        image = (_tally(end, pull, size) - _tally(start, pull, size))[1:-1]
        length = size_of_rest / float(course @ image)
        answer = answer + length * course
        rest = rest - length * image
        near = solve_tridiagonal(diagonal, beside, rest)
        fresh = float(rest @ near)
        course, size_of_rest = near + fresh / size_of_rest * course, fresh
    return answer
