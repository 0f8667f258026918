"""The probability that the largest of several correlated standard normal variables reaches a level.

The variables are projections a_j x of a standard normal vector x of as many dimensions as their correlation has rank.
The event "j is the largest, and at least m" is a cone. With t along a_j and polar coordinates (length, direction u)
across it, j is the largest where length <= b(u) t; both t and the length are integrated in closed form, which leaves an
integral over directions. Every term is positive, so the relative error stays small however small the probability.

Up to rank 3 (the usual MaxCombo weights have it: one of them is the sum of two others) the directions are a circle and
the integrand has corners at known angles: Gauss-Legendre panels between them give nearly all digits. At rank 4 the
directions are a sphere, over which a Fibonacci lattice is spread.
"""

from __future__ import annotations

import numpy as np

from riskset.errors import EngineError
from riskset.survival._special import normal_tail, owens_t
from riskset.survival._types import FloatArray

# Directions of the correlation with less variance, and variables whose correlation lacks less to 1, are rounding.
NO_VARIANCE = 1e-13
SAME = 1e-14
NODES, WEIGHTS = np.polynomial.legendre.leggauss(10)
# Panels of an interval that shrink towards both ends, where a function may change fast beside a corner.
_SHRINK = 0.5 ** np.arange(25, 0, -1)
EDGES = np.concatenate(([0.0], _SHRINK, 1.0 - _SHRINK[-2::-1], [1.0]))
POINTS = 1 << 16
MOST_DIMENSIONS = 4
QUADRATURE_ERROR, LATTICE_ERROR = 1e-10, 1e-6


def maximum_reaches(correlation: FloatArray, level: float, *, two_sided: bool) -> tuple[float, float]:
    """Give P(max Z_j >= level), or P(max |Z_j| >= level) if two-sided, and the size of its numerical error.

    Parameters
    ----------
    correlation : array of shape (J, J), of standard normal Z; may be singular
    level : not negative if two-sided

    Raises
    ------
    EngineError
        The correlation has a rank above 4.

    Notes
    -----
    Up to rank 3 the relative error is below 1e-10 (two variables whose correlation is within 1e-12 of 1 count as one).
    At rank 4 it is estimated from half the lattice, about 1e-5.
    """
    axes = _axes(correlation)
    if two_sided:
        axes = np.concatenate((axes, -axes))
    axes = _distinct(axes)
    # The cones of an axis and of its mirror image are alike.
    measured = range(axes.shape[0] // 2 if two_sided else axes.shape[0])
    inside = np.zeros(2)
    for j in measured:
        inside += _cone(axes, j, level) * (2.0 if two_sided else 1.0)
    # Half a lattice tells the size of the error; agreement by chance does not make it smaller than usual.
    usual = QUADRATURE_ERROR if axes.shape[1] == 3 else LATTICE_ERROR
    error = max(4.0 * abs(float(inside[0] - inside[1])), usual * float(inside[0]))
    p = float(inside[0]) if level >= 0 else 1.0 - float(inside[0])
    return min(max(p, 0.0), 1.0), error


def _axes(correlation: FloatArray) -> FloatArray:
    """Give unit vectors (J, rank or 3) whose products are the correlations."""
    variance, direction = np.linalg.eigh(correlation)
    kept = variance > NO_VARIANCE
    if kept.sum() > MOST_DIMENSIONS:
        raise EngineError("more than four weights that are no sums of one another; give at most four of them")
    axes = direction[:, kept] * np.sqrt(variance[kept])
    axes = np.pad(axes, ((0, 0), (0, max(3 - axes.shape[1], 0))))
    return np.asarray(axes / np.linalg.norm(axes, axis=1, keepdims=True))


def _distinct(axes: FloatArray) -> FloatArray:
    """Leave out what repeats an earlier axis."""
    kept: list[int] = []
    for j in range(axes.shape[0]):
        if all(((axes[j] - axes[i]) ** 2).sum() / 2.0 > SAME for i in kept):
            kept.append(j)
    return axes[kept]


def _cone(axes: FloatArray, j: int, level: float) -> FloatArray:
    """Give P(axis j is the largest, and at or above `level`), for a negative level P(largest, and at or below it).

    Two values: the best, and one of half the points where its error is to be told.
    """
    axis, others = axes[j], np.delete(axes, j, axis=0)
    across = np.linalg.qr(axis[:, None], mode="complete")[0][:, 1:]
    # 1 - correlation from the distance: no digits are lost where it is near 0.
    lacking = ((others - axis) ** 2).sum(axis=1) / 2.0
    slope = (others @ across) / lacking[:, None]
    if axes.shape[1] == 3:
        angle, weight = _angles(slope)
        share = float((weight * _along(np.array([np.cos(angle), np.sin(angle)]), slope, level)).sum()) / (2.0 * np.pi)
        return np.array([share, share])
    return np.array([float(_along(_sphere(points), slope, level).mean()) for points in (POINTS, POINTS // 2)])


def _along(direction: FloatArray, slope: FloatArray, level: float) -> FloatArray:
    """Integrate the cone along its axis and outwards in each `direction` (2 or 3, D)."""
    steep = np.full(direction.shape[1], -np.inf)
    for row in slope:
        projected = row[0] * direction[0]
        for part, along in zip(row[1:], direction[1:], strict=True):
            projected += part * along
        np.maximum(steep, projected, out=steep)
    m = abs(level)
    reach = np.clip(1.0 / np.clip(steep if level >= 0 else -steep, 1e-150, 1e150), 1e-150, 1e150)
    if direction.shape[0] == 2:
        s = 1.0 / np.hypot(1.0, reach)
        near = normal_tail(np.array(m)) - s * normal_tail(m / s)
    else:
        near = 2.0 * owens_t(m, reach) - np.exp(-0.5 * m * m * (1.0 + reach**2)) / (np.pi * (reach + 1.0 / reach))
    # Below 0 the axis is the largest far out, not near by.
    return np.asarray(near if level >= 0 else normal_tail(np.array(m)) - near)


def _sphere(points: int) -> FloatArray:
    """Spread directions (3, points) evenly over the sphere (Fibonacci lattice)."""
    k = np.arange(points)
    height = 1.0 - (2.0 * k + 1.0) / points
    turn = 2.0 * np.pi * ((k * ((5.0**0.5 - 1.0) / 2.0)) % 1.0)
    radius = np.sqrt(1.0 - height * height)
    return np.array([radius * np.cos(turn), radius * np.sin(turn), height])


def _angles(slope: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Give nodes and weights over the circle, for corners where two slopes are equal or one is 0."""
    first, second = np.triu_indices(slope.shape[0], 1)
    normal = np.concatenate((slope, slope[first] - slope[second]))
    normal = normal[np.hypot(normal[:, 0], normal[:, 1]) > 0]
    corner = np.arctan2(normal[:, 1], normal[:, 0]) + np.pi / 2.0
    corner = np.unique(np.concatenate((corner, corner + np.pi)) % (2.0 * np.pi))
    corner = np.unique(np.concatenate(([0.0], corner, [2.0 * np.pi])))
    cut = (corner[:-1, None] + np.diff(corner)[:, None] * EDGES).reshape(-1)
    start, width = cut[:-1], np.diff(cut)
    kept = width > 0
    start, width = start[kept][:, None], width[kept][:, None]
    return (start + width * (NODES + 1.0) / 2.0).reshape(-1), (width / 2.0 * WEIGHTS).reshape(-1)
