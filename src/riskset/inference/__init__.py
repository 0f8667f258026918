"""What is not survival: proportions, tests, balance, multiplicity, power, pooling, recalculation.

Arrays and plain numbers in, frozen values out; every estimate or test that the data do not allow is NaN with a
`warning`, and only numbers that cannot be what they claim to be raise `EngineError`.
"""

from __future__ import annotations

from riskset.inference.balance import StandardizedDifference, smd_binary, smd_categorical, smd_continuous
from riskset.inference.contingency import (
    barnard,
    boschloo,
    chi_square,
    compare_proportions,
    expected_counts,
    fisher_exact,
    fisher_mid_p,
)
from riskset.inference.continuous import (
    kruskal_wallis,
    mean_difference,
    quantiles,
    skewness,
    welch_t,
    wilcoxon_rank_sum,
)
from riskset.inference.multiplicity import benjamini_hochberg, false_positive_chance, holm
from riskset.inference.proportions import (
    clopper_pearson,
    newcombe_difference,
    odds_ratio,
    odds_ratio_haldane,
    wilson,
)
from riskset.inference.values import HypothesisTest, Interval

__all__ = [
    "HypothesisTest",
    "Interval",
    "StandardizedDifference",
    "barnard",
    "benjamini_hochberg",
    "boschloo",
    "chi_square",
    "clopper_pearson",
    "compare_proportions",
    "expected_counts",
    "false_positive_chance",
    "fisher_exact",
    "fisher_mid_p",
    "holm",
    "kruskal_wallis",
    "mean_difference",
    "newcombe_difference",
    "odds_ratio",
    "odds_ratio_haldane",
    "quantiles",
    "skewness",
    "smd_binary",
    "smd_categorical",
    "smd_continuous",
    "welch_t",
    "wilcoxon_rank_sum",
    "wilson",
]
