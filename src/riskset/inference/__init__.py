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
from riskset.inference.evalue import EValue, e_value
from riskset.inference.kappa import cohens_kappa
from riskset.inference.multiplicity import benjamini_hochberg, false_positive_chance, holm
from riskset.inference.pooling import Pooled, leave_one_out, pool_fixed, pool_random
from riskset.inference.power import (
    DetectableHazardRatio,
    events_for_equivalence,
    events_for_noninferiority,
    events_for_superiority,
    implied_events,
    minimal_detectable_hr,
)
from riskset.inference.proportions import (
    clopper_pearson,
    newcombe_difference,
    odds_ratio,
    odds_ratio_haldane,
    wilson,
)
from riskset.inference.recalculate import (
    Interaction,
    MedianHazardRatio,
    PercentageCheck,
    RecalculatedP,
    hr_from_medians,
    implied_events_range,
    interaction_from_estimates,
    interval_consistent,
    p_from_interval,
    percentage_reachable,
    smaller_denominators,
    standard_error_from_interval,
    two_proportion_p_values,
)
from riskset.inference.values import HypothesisTest, Interval

__all__ = [
    "DetectableHazardRatio",
    "EValue",
    "HypothesisTest",
    "Interaction",
    "Interval",
    "MedianHazardRatio",
    "PercentageCheck",
    "Pooled",
    "RecalculatedP",
    "StandardizedDifference",
    "barnard",
    "benjamini_hochberg",
    "boschloo",
    "chi_square",
    "clopper_pearson",
    "cohens_kappa",
    "compare_proportions",
    "e_value",
    "events_for_equivalence",
    "events_for_noninferiority",
    "events_for_superiority",
    "expected_counts",
    "false_positive_chance",
    "fisher_exact",
    "fisher_mid_p",
    "holm",
    "hr_from_medians",
    "implied_events",
    "implied_events_range",
    "interaction_from_estimates",
    "interval_consistent",
    "kruskal_wallis",
    "leave_one_out",
    "mean_difference",
    "minimal_detectable_hr",
    "newcombe_difference",
    "odds_ratio",
    "odds_ratio_haldane",
    "p_from_interval",
    "percentage_reachable",
    "pool_fixed",
    "pool_random",
    "quantiles",
    "skewness",
    "smaller_denominators",
    "smd_binary",
    "smd_categorical",
    "smd_continuous",
    "standard_error_from_interval",
    "two_proportion_p_values",
    "welch_t",
    "wilcoxon_rank_sum",
    "wilson",
]
