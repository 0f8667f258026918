"""The log-rank test for a trend over ordered groups."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from riskset.errors import EngineError
from riskset.survival._kinds import need_surv
from riskset.survival._special import two_sided_p
from riskset.survival._summary import chi_square_line, summary
from riskset.survival._types import FloatArray
from riskset.survival.event_table import EventTable
from riskset.survival.logrank import compare, family_label, tested_counts
from riskset.survival.logrank_weights import WEIGHTS
from riskset.survival.surv import Surv, numbers


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class TrendTest:
    """Outcome of a test for trend over G groups.

    Attributes
    ----------
    chi_square, df, p_value
        `z` squared on one degree of freedom, two-sided; NaN, 0, NaN where nothing can be tested.
    z : positive where the hazard rises with the score
    groups, scores : the groups' labels in sorted order, and their scores, an array of shape (G,)
    statistic, variance : sum of score times (observed - expected) events, and its variance
    label : what was computed
    warnings : sentences on what could not be compared
    """

    chi_square: float
    df: int
    p_value: float
    z: float
    groups: tuple[Any, ...]
    scores: FloatArray
    statistic: float
    variance: float
    label: str
    warnings: tuple[str, ...]

    def __repr__(self) -> str:
        return summary(
            self.label,
            ("group", "score"),
            list(zip(self.groups, self.scores.tolist(), strict=True)),
            notes=[chi_square_line(self.chi_square, self.df, self.p_value)],
            warnings=self.warnings,
        )


def trend_test(
    surv: Surv | EventTable,
    group: ArrayLike,
    *,
    scores: Mapping[Any, float] | ArrayLike | None = None,
    strata: ArrayLike | None = None,
) -> TrendTest:
    """Test whether the hazard rises or falls over ordered groups (Tarone's log-rank test for trend).

    It is the score test of a Cox model with the score as its one covariate and ties treated exactly; with two groups
    it is the log-rank test.

    Parameters
    ----------
    surv : the times, as rows or as a table of their counts
        Delayed entry is honoured, weights only as counts of identical rows (whole numbers).
    group : array of labels (text or numbers)
        One a row; with a table one a pattern: `table.patterns` where they are the groups.
    scores : mapping of label to number, or array of shape (G,) in the sorted order of the labels, optional
        1, 2, ..., G in the sorted order of the labels when None. Text sorts by its letters ("high" before "low"), so
        give a mapping where that is not the order meant. Only the ratios of the scores' differences matter.
    strata : array of labels, optional
        One a row, with a table one for each of its strata; comparisons are made within them and added up.

    Raises
    ------
    EngineError
        As `logrank_test`; scores of another number than the groups, a group without a finite score.

    References
    ----------
    Tarone RE. Biometrika 1975; 62: 679-682.

    Examples
    --------
    >>> from riskset.survival import Surv, trend_test
    >>> surv = Surv([9, 8, 7, 5, 6, 3, 2, 4], [0, 1, 1, 1, 1, 1, 1, 1])
    >>> stage = ["I", "I", "I", "II", "II", "III", "III", "III"]
    >>> test = trend_test(surv, stage, scores={"I": 1, "II": 2, "III": 3})
    >>> test.label, round(test.z, 3), round(test.p_value, 4)
    ('log-rank test for trend', 3.098, 0.0019)
    """
    need_surv(surv, table=True)
    counts = tested_counts(surv, group, strata)
    values = _scores(scores, counts.groups)
    test = compare(counts, WEIGHTS["log-rank"], "")
    kept = test.expected > 0
    # Measured from the smallest score, so that a large common offset does not swallow the differences.
    c = np.where(kept, values - values.min(), 0.0)
    statistic, variance = float(c @ (test.observed - test.expected)), float(c @ test.variance @ c)
    told = test.warnings
    z = float("nan")
    if np.unique(c[kept]).size < 2:
        told = told or ("the groups compared share one score, so there is no trend to test",)
    elif test.df == 0 or variance <= 0:
        told = told or ("the groups never meet in a set at risk with an event to compare, so there is no test",)
    else:
        z = statistic / float(np.sqrt(variance))
    return TrendTest(
        chi_square=z * z,
        df=0 if np.isnan(z) else 1,
        p_value=float(two_sided_p(z)),
        z=z,
        groups=counts.groups,
        scores=values,
        statistic=statistic,
        variance=variance,
        label=family_label("log-rank test for trend", strata),
        warnings=told,
    )


def _scores(scores: Mapping[Any, float] | ArrayLike | None, groups: tuple[Any, ...]) -> FloatArray:
    """Give one finite score a group, in the sorted order of the labels."""
    if scores is None:
        return np.arange(1.0, len(groups) + 1.0)
    if isinstance(scores, Mapping):
        missing = [name for name in groups if name not in scores]
        if missing:
            raise EngineError(f"scores has no number for group '{missing[0]}'; give one for each group")
        scores = [scores[name] for name in groups]
    values = numbers(scores, "scores")
    if values.shape != (len(groups),):
        raise EngineError(f"scores has {values.shape[0]} numbers for {len(groups)} groups; give one for each group")
    return values
