"""Tests of association in contingency tables.

A table holds whole counts; for the 2 x 2 tests rows are the groups and columns event / no event. Every test is
two-sided and says in `test` which one was computed.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from riskset.errors import EngineError
from riskset.inference._checks import count_table
from riskset.inference._normal import chi_square_p
from riskset.inference.values import NAN, HypothesisTest, no_test

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

# R counts a table as equally likely when its probability agrees to this relative tolerance; so do we.
_SAME_PROBABILITY = 1.0 + 1e-7
# Larger tables than 2 x 2 are enumerated up to this many candidate tables, and sampled beyond it.
_ENUMERATION_LIMIT = 2_000_000
_MONTE_CARLO_TABLES = 100_000
_MONTE_CARLO_SEED = 20_250_101
# The unconditional tests look at every (x1, x0); beyond this many the chi-square test serves as well.
_UNCONDITIONAL_LIMIT = 10_000_000
_TOO_FEW = "Fewer than two rows or columns hold a patient."
_DROPPED = "Rows or columns without a patient were left out."


def expected_counts(table: ArrayLike) -> FloatArray:
    """Counts expected under independence: row total x column total / total, same shape as `table`.

    A table without any patient gives NaN.
    """
    counts = count_table(table)
    total = counts.sum()
    if total == 0:
        return np.full(counts.shape, NAN)
    rows, columns = counts.sum(axis=1).astype(float), counts.sum(axis=0).astype(float)
    expected: FloatArray = np.outer(rows, columns) / total
    return expected


def chi_square(table: ArrayLike, *, yates: bool = False) -> HypothesisTest:
    """Pearson's chi-square test, sum (O - E)^2 / E on (r - 1)(c - 1) degrees of freedom.

    Rows and columns without a patient carry no information; they are left out, with a warning.

    Parameters
    ----------
    table : array_like of whole counts, shape (r, c)
        The contingency table.
    yates : bool
        Yates' continuity correction, for 2 x 2 tables only: |O - E| is lessened by min(1/2, |O - E|), as in R.

    Returns
    -------
    HypothesisTest
        `test` is `chi_square` or `chi_square_yates`.

    Raises
    ------
    EngineError
        If `yates` is asked for a table that is not 2 x 2.

    References
    ----------
    R: `chisq.test(table, correct = yates)`.
    """
    name = "chi_square_yates" if yates else "chi_square"
    whole = count_table(table)
    if yates and whole.shape != (2, 2):
        raise EngineError(f"Yates' correction is defined for 2 x 2 tables, not for shape {whole.shape}.")
    counts, warning = _without_empty(whole)
    if min(counts.shape) < 2:
        return no_test(name, _TOO_FEW)
    expected = expected_counts(counts)
    distance = np.abs(counts - expected)
    if yates:
        distance = distance - min(0.5, float(distance.min()))
    statistic = float((distance**2 / expected).sum())
    df = (counts.shape[0] - 1) * (counts.shape[1] - 1)
    return HypothesisTest(name, statistic, float(df), chi_square_p(statistic, df), warning)


def fisher_exact(table: ArrayLike) -> HypothesisTest:
    """Fisher's exact test, two-sided: the probability of all tables no more likely than the one observed.

    2 x 2 tables are exact for any counts. Larger ones are enumerated when at most 2,000,000 candidate tables
    exist; beyond that 100,000 tables with the observed margins are sampled (fixed seed), `test` then reads
    `fisher_exact_monte_carlo` and P = (1 + tables as extreme) / 100,001, as R's `simulate.p.value` does.

    Parameters
    ----------
    table : array_like of whole counts, shape (r, c)
        Rows and columns without a patient do not change P and are left out.

    Returns
    -------
    HypothesisTest
        `statistic` and `df` are NaN.

    References
    ----------
    Fisher RA. Statistical Methods for Research Workers, 1934. R: `fisher.test`.
    """
    counts, warning = _without_empty(count_table(table))
    if min(counts.shape) < 2:
        return no_test("fisher_exact", _TOO_FEW)
    if counts.shape == (2, 2):
        p_value = _fisher_two_by_two(counts)[0]
        return HypothesisTest("fisher_exact", NAN, NAN, p_value, warning)
    table = _canonical(counts)
    if _candidate_tables(table) <= _ENUMERATION_LIMIT:
        return HypothesisTest("fisher_exact", NAN, NAN, _fisher_by_enumeration(table), warning)
    sampled = f"{_MONTE_CARLO_TABLES} sampled tables, seed {_MONTE_CARLO_SEED}."
    warning = sampled if warning is None else f"{warning} {sampled}"
    return HypothesisTest("fisher_exact_monte_carlo", NAN, NAN, _fisher_by_sampling(table), warning)


def fisher_mid_p(table: ArrayLike) -> HypothesisTest:
    """Fisher's mid-P test of a 2 x 2 table: Fisher's two-sided P less half the observed table's probability.

    Less conservative than Fisher's exact test; its level may slightly exceed the nominal one.

    References
    ----------
    Lydersen S, Fagerland MW, Laake P. Stat Med 2009;28:1159-1175.
    """
    counts = count_table(table, shape=(2, 2))
    if _lacks_margin(counts):
        return no_test("fisher_mid_p", _TOO_FEW)
    p_value, observed = _fisher_two_by_two(counts)
    return HypothesisTest("fisher_mid_p", NAN, NAN, p_value - observed / 2.0)


def barnard(table: ArrayLike) -> HypothesisTest:
    """Barnard's unconditional exact test of a 2 x 2 table whose rows are two binomial samples of fixed size.

    Rows and columns are not interchangeable, unlike in the conditional tests: the transposed table (which
    `scipy.stats.barnard_exact` expects) is another experiment and gives another P. Tables are ordered by |z|
    with pooled variance, ties included; P is the largest probability, over the common proportion, of a table
    as extreme. `statistic` is z of row 1 minus row 2.

    References
    ----------
    Barnard GA. Biometrika 1947;34:123-138. Suissa S, Shuster JJ. J R Stat Soc A 1985;148:317-327.
    """
    counts = count_table(table, shape=(2, 2))
    if _lacks_margin(counts):
        return no_test("barnard", _TOO_FEW)
    n1, n0 = (int(n) for n in counts.sum(axis=1))
    if n1 * n0 > _UNCONDITIONAL_LIMIT:
        return no_test("barnard", "Too many patients for an unconditional test; use chi-square.")
    x1, x0 = np.arange(n1 + 1.0)[:, None], np.arange(n0 + 1.0)[None, :]
    pooled = (x1 + x0) / (n1 + n0)
    variance = pooled * (1.0 - pooled) * (1.0 / n1 + 1.0 / n0)
    difference = x1 / n1 - x0 / n0
    z = np.divide(difference, np.sqrt(variance), out=np.zeros_like(difference), where=variance > 0.0)
    observed = float(z[counts[0, 0], counts[1, 0]])
    # Mirror images have the same |z| in exact arithmetic; the tolerance keeps rounding from splitting them.
    extreme = np.abs(z) >= abs(observed) - 1e-10
    return HypothesisTest("barnard", observed, NAN, _largest_probability(extreme, n1, n0))


def boschloo(table: ArrayLike) -> HypothesisTest:
    """Boschloo's unconditional exact test of a 2 x 2 table: Fisher's one-sided P used as the statistic.

    Rows are two binomial samples of fixed size, as in `barnard`. Two-sided P is twice the smaller one-sided P,
    at most 1, and so never larger than twice Fisher's one-sided P. `statistic` is Fisher's one-sided P on the
    side chosen.

    References
    ----------
    Boschloo RD. Stat Neerl 1970;24:1.
    """
    counts = count_table(table, shape=(2, 2))
    if _lacks_margin(counts):
        return no_test("boschloo", _TOO_FEW)
    n1, n0 = (int(n) for n in counts.sum(axis=1))
    if n1 * n0 > _UNCONDITIONAL_LIMIT:
        return no_test("boschloo", "Too many patients for an unconditional test; use chi-square.")
    best, statistic = math.inf, NAN
    for one_sided in _one_sided_fisher(n1, n0):
        fisher = float(one_sided[counts[0, 0], counts[1, 0]])
        p_value = _largest_probability(one_sided <= fisher * _SAME_PROBABILITY, n1, n0)
        if p_value < best:
            best, statistic = p_value, fisher
    return HypothesisTest("boschloo", statistic, NAN, min(1.0, 2.0 * best))


def compare_proportions(table: ArrayLike) -> HypothesisTest:
    """Chi-square without Yates if every expected count is at least 5, else Fisher's exact test.

    The rule is Cochran's strict form. `test` tells which of the two was computed. Rows and columns without a
    patient are left out before the expected counts are looked at.

    References
    ----------
    Cochran WG. Biometrics 1954;10:417-451.
    """
    counts, _ = _without_empty(count_table(table))
    if min(counts.shape) < 2:
        return no_test("chi_square", _TOO_FEW)
    if float(expected_counts(counts).min()) >= 5.0:
        return chi_square(table)
    return fisher_exact(table)


def _without_empty(counts: IntArray) -> tuple[IntArray, str | None]:
    kept = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    return kept, (_DROPPED if kept.shape != counts.shape else None)


def _lacks_margin(counts: IntArray) -> bool:
    return bool(min(counts.sum(axis=0).min(), counts.sum(axis=1).min()) == 0)


def _log_factorials(n: int) -> FloatArray:
    table: FloatArray = np.array([math.lgamma(k + 1.0) for k in range(n + 1)])
    return table


def _fisher_two_by_two(counts: IntArray) -> tuple[float, float]:
    """Two-sided P and the probability of the observed table, given both margins."""
    row, other = (int(n) for n in counts.sum(axis=1))
    column = int(counts[:, 0].sum())
    low, high = max(0, column - other), min(row, column)
    # Ratios of neighbouring hypergeometric terms keep more digits than differences of log factorials.
    k = np.arange(low, high, dtype=np.float64)
    ratio = (row - k) * (column - k) / ((k + 1.0) * (other - column + k + 1.0))
    log_weight = np.concatenate([[0.0], np.cumsum(np.log(ratio))])
    weight = np.exp(log_weight - log_weight.max())
    probability = weight / weight.sum()
    observed = float(probability[int(counts[0, 0]) - low])
    p_value = float(probability[probability <= observed * _SAME_PROBABILITY].sum())
    return min(1.0, p_value), observed


def _candidate_tables(counts: IntArray) -> int:
    """Ways to fill every column but the last, the other margin not yet looked at: an upper bound on the work."""
    rows = counts.shape[0]
    return math.prod(math.comb(int(total) + rows - 1, rows - 1) for total in counts.sum(axis=0)[:-1])


def _canonical(counts: IntArray) -> IntArray:
    """Sort rows and columns by their totals and turn the table to the side that is easier to enumerate.

    P must not depend on how the table was written down, and the last and largest column is then determined
    by all others.
    """

    def turned(table: IntArray) -> tuple[int, tuple[int, ...], IntArray]:
        by_row = table[np.argsort(table.sum(axis=1), kind="stable")]
        ordered = by_row[:, np.argsort(by_row.sum(axis=0), kind="stable")]
        return _candidate_tables(ordered), tuple(ordered.sum(axis=0).tolist()), ordered

    return min(turned(counts), turned(counts.T), key=lambda found: found[:2])[2]


def _compositions(total: int, parts: int) -> IntArray:
    """All ways to share `total` over `parts` cells, one a row."""
    if parts == 1:
        return np.array([[total]], dtype=np.int64)
    blocks = []
    for first in range(total + 1):
        rest = _compositions(total - first, parts - 1)
        blocks.append(np.hstack([np.full((len(rest), 1), first, dtype=np.int64), rest]))
    return np.vstack(blocks)


def _fisher_by_enumeration(table: IntArray) -> float:
    """Walk through the columns; each step joins every partial table with every filling of the next column."""
    log_factorial = _log_factorials(int(table.sum()))
    room = table.sum(axis=1)[None, :]
    log_weight = np.zeros(1)
    for total in table.sum(axis=0)[:-1]:
        filling = _compositions(int(total), table.shape[0])
        cost = log_factorial[filling].sum(axis=1)
        left = room[:, None, :] - filling[None, :, :]
        possible = (left >= 0).all(axis=2)
        log_weight = (log_weight[:, None] - cost[None, :])[possible]
        room = left[possible]
    log_weight = log_weight - log_factorial[room].sum(axis=1)
    observed = -log_factorial[table].sum()
    weight = np.exp(log_weight - log_weight.max())
    extreme = log_weight <= observed + math.log(_SAME_PROBABILITY)
    return min(1.0, float(weight[extreme].sum() / weight.sum()))


def _fisher_by_sampling(table: IntArray) -> float:
    """Draw tables with the observed margins, cell after cell, each hypergeometric given the cells before it."""
    log_factorial = _log_factorials(int(table.sum()))
    rng = np.random.default_rng(_MONTE_CARLO_SEED)
    left = np.repeat(table.sum(axis=0)[None, :], _MONTE_CARLO_TABLES, axis=0)
    log_weight = np.zeros(_MONTE_CARLO_TABLES)
    for row_total in table.sum(axis=1)[:-1]:
        wanted = np.full(_MONTE_CARLO_TABLES, row_total)
        others = left.sum(axis=1)
        for column in range(table.shape[1] - 1):
            others = others - left[:, column]
            drawn = rng.hypergeometric(left[:, column], others, wanted)
            left[:, column] -= drawn
            wanted = wanted - drawn
            log_weight -= log_factorial[drawn]
        left[:, -1] -= wanted
        log_weight -= log_factorial[wanted]
    log_weight -= log_factorial[left].sum(axis=1)
    observed = -log_factorial[table].sum()
    extreme = int((log_weight <= observed + math.log(_SAME_PROBABILITY)).sum())
    return (1 + extreme) / (1 + _MONTE_CARLO_TABLES)


def _one_sided_fisher(n1: int, n0: int) -> tuple[FloatArray, FloatArray]:
    """Fisher's one-sided P of every table (x1, x0): P(X1 <= x1) and P(X1 >= x1) given x1 + x0."""
    log_factorial = _log_factorials(n1 + n0)
    less, greater = np.ones((n1 + 1, n0 + 1)), np.ones((n1 + 1, n0 + 1))
    for total in range(n1 + n0 + 1):
        x1 = np.arange(max(0, total - n0), min(n1, total) + 1)
        x0 = total - x1
        log_weight = -(log_factorial[x1] + log_factorial[n1 - x1] + log_factorial[x0] + log_factorial[n0 - x0])
        weight = np.exp(log_weight - log_weight.max())
        probability = weight / weight.sum()
        less[x1, x0] = np.minimum(1.0, np.cumsum(probability))
        greater[x1, x0] = np.minimum(1.0, np.cumsum(probability[::-1])[::-1])
    return less, greater


def _largest_probability(region: NDArray[np.bool_], n1: int, n0: int) -> float:
    """Largest P(region) over the common proportion: a grid, then finer grids around its best points.

    The tables of a region enter only through their total x1 + x0, so P is a sum of n1 + n0 + 1 terms.
    """
    log_factorial = _log_factorials(n1 + n0)
    log_c1 = log_factorial[n1] - log_factorial[: n1 + 1] - log_factorial[n1::-1]
    log_c0 = log_factorial[n0] - log_factorial[: n0 + 1] - log_factorial[n0::-1]
    x1, x0 = np.nonzero(region)
    total, log_ways = x1 + x0, log_c1[x1] + log_c0[x0]
    # Ways are summed relative to C(n1 + n0, total), which keeps every factor representable.
    log_all = log_factorial[n1 + n0] - log_factorial - log_factorial[::-1]
    share = np.bincount(total, weights=np.exp(log_ways - log_all[total]), minlength=n1 + n0 + 1)
    totals = np.arange(n1 + n0 + 1)

    def probability(pi: FloatArray) -> FloatArray:
        log_binomial = log_all + np.outer(np.log(pi), totals) + np.outer(np.log1p(-pi), totals[::-1])
        value: FloatArray = np.exp(log_binomial) @ share
        return value

    grid = np.linspace(0.0, 1.0, 1025)[1:-1]
    on_grid = np.concatenate([probability(part) for part in np.array_split(grid, 16)])
    best = float(on_grid.max())
    step = float(grid[1] - grid[0])
    for k in np.argsort(on_grid, kind="stable")[-5:]:
        fine = np.linspace(max(grid[k] - step, 1e-9), min(grid[k] + step, 1.0 - 1e-9), 41)
        for _ in range(4):
            values = probability(fine)
            top = int(values.argmax())
            best = max(best, float(values[top]))
            fine = np.linspace(fine[max(top - 1, 0)], fine[min(top + 1, len(fine) - 1)], 41)
    return min(1.0, best)
