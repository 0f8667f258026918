"""The score test of proportional hazards, by term and global, as R's cox.zph since survival 3.0.

The model is extended by a product of each column with a centred function g of time; its score test at the fitted
coefficients needs the gradient and the information of the extended model, which are sums over the same terms as the
likelihood, times g and g squared.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from riskset.errors import EngineError, did_you_mean
from riskset.survival._special import chi_square_p
from riskset.survival._summary import summary
from riskset.survival._types import BoolArray, FloatArray, IntArray
from riskset.survival.cox_likelihood import CoxDesign, CoxState, information
from riskset.survival.kaplan_meier import kaplan_meier
from riskset.survival.surv import Surv

Transform = Literal["km", "identity", "rank", "log"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ProportionalHazardsTest:
    """Test of proportional hazards for each of T terms, and for all together.

    `terms` are their names; `chi_square`, `df`, `p_value` arrays of shape (T,). A term without any estimated column is
    left out. `transform` names the function of time.
    """

    terms: tuple[str, ...]
    chi_square: FloatArray
    df: IntArray
    p_value: FloatArray
    global_chi_square: float
    global_df: int
    global_p_value: float
    transform: Transform

    def __repr__(self) -> str:
        columns = (a.tolist() for a in (self.chi_square, self.df, self.p_value))
        overall = ("all together", self.global_chi_square, self.global_df, self.global_p_value)
        return summary(
            f"test of proportional hazards, time on the scale '{self.transform}'",
            ("term", "chi-square", "df", "P"),
            [*zip(self.terms, *columns, strict=True), overall],
        )


def proportional_hazards_test(
    surv: Surv,
    design: CoxDesign,
    state: CoxState,
    names: tuple[str, ...],
    kept: BoolArray,
    transform: Transform,
    terms: Mapping[str, Sequence[str]] | None,
) -> ProportionalHazardsTest:
    """Carry out the test that `CoxFit.proportional_hazards_test` documents; `kept` marks the estimated columns."""
    groups = _columns_of_terms(names, kept, terms)
    p = int(kept.sum())
    g = _event_function(surv, design, transform)
    g = g - g.mean()
    extended = _extended_information(design, state, g)
    gradient = _extended_gradient(design, state, g)
    own = np.arange(p)
    statistics = [_score(extended, gradient, np.concatenate((own, p + columns)), p) for columns in groups.values()]
    df = np.array([columns.shape[0] for columns in groups.values()], dtype=np.int64)
    whole = _score(extended, gradient, np.arange(2 * p), p) if p else float("nan")
    return ProportionalHazardsTest(
        terms=tuple(groups),
        chi_square=np.array(statistics, dtype=np.float64),
        df=df,
        p_value=np.array([chi_square_p(s, int(d)) for s, d in zip(statistics, df, strict=True)], dtype=np.float64),
        global_chi_square=whole,
        global_df=p,
        global_p_value=chi_square_p(whole, p),
        transform=transform,
    )


def _columns_of_terms(
    names: tuple[str, ...], kept: BoolArray, terms: Mapping[str, Sequence[str]] | None
) -> dict[str, IntArray]:
    """Give each term's places among the estimated columns, terms in the order of their first column."""
    owner = {name: name for name in names}
    seen: set[str] = set()
    for term, columns in (terms or {}).items():
        for column in columns:
            if column not in owner:
                raise EngineError(f"term '{term}' names the unknown column '{column}'{did_you_mean(column, names)}")
            if column in seen:
                raise EngineError(f"column '{column}' belongs to two terms; name it in one")
            seen.add(column)
            owner[column] = term
    places: dict[str, list[int]] = {}
    estimated = [name for name, keep in zip(names, kept, strict=True) if keep]
    for place, name in enumerate(estimated):
        places.setdefault(owner[name], []).append(place)
    return {term: np.array(columns, dtype=np.int64) for term, columns in places.items()}


def _event_function(surv: Surv, design: CoxDesign, transform: Transform) -> FloatArray:
    """Give the function of time at each event, in the order of the design's terms: shape (m,)."""
    time = design.grid.time[design.term]
    if transform == "identity":
        return time
    if transform == "log":
        if (time == 0).any():
            raise EngineError("the log transform has no value at an event at time 0; use the km transform")
        return np.asarray(np.log(time))
    if transform == "rank":
        return _average_rank(surv.time, time)
    if transform == "km":
        # R pools all rows here, whatever their strata and weights.
        curve = kaplan_meier(Surv(surv.time, surv.event, entry=surv.entry))
        before = np.concatenate(([1.0], curve.survival))
        return np.asarray(1.0 - before[np.searchsorted(curve.time, time, side="left")])
    raise EngineError(f"transform '{transform}' is unknown; choose one of {', '.join(get_args(Transform))}")


def _average_rank(among: FloatArray, values: FloatArray) -> FloatArray:
    ordered = np.sort(among)
    below = np.searchsorted(ordered, values, side="left")
    return np.asarray((below + 1 + np.searchsorted(ordered, values, side="right")) / 2.0)


def _extended_information(design: CoxDesign, state: CoxState, g: FloatArray) -> FloatArray:
    cross = information(design, state.hazard, state.mean, state.jump, g)
    square = information(design, state.hazard, state.mean, state.jump, g**2)
    return np.block([[state.information, cross], [cross, square]])


def _extended_gradient(design: CoxDesign, state: CoxState, g: FloatArray) -> FloatArray:
    """Give the gradient for the products with g; for the columns themselves it is 0 at the estimate."""
    observed = (design.weight[design.events] * g) @ design.x[design.events]
    expected = (design.term_weight * g) @ state.mean
    return np.concatenate((np.zeros(design.x.shape[1]), observed - expected))


def _score(matrix: FloatArray, gradient: FloatArray, places: IntArray, p: int) -> float:
    part, u = matrix[np.ix_(places, places)], gradient[places]
    size = np.sqrt(np.maximum(np.diag(part), 0.0))
    # One event, or all at one time, leaves nothing for time to explain.
    if not np.isfinite(part).all() or (size[p:] == 0).any() or (size[:p] == 0).any():
        return float("nan")
    standard = part / np.outer(size, size)
    if np.linalg.matrix_rank(standard, hermitian=True) < places.shape[0]:
        return float("nan")
    return float((u / size) @ np.linalg.solve(standard, u / size))
