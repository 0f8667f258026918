"""The engine: time-to-event statistics on plain arrays, in agreement with R's `survival` package.

Conventions, stated once. A row is at risk at t when `entry < t <= time`. Where an event and a censoring share a time,
the event comes first. Float times that differ by rounding alone are merged as R's `timefix` does. The median is the
first time with S <= 0.5, and the midpoint of the flat part where S equals 0.5 exactly. What is not reached or cannot be
estimated is NaN; what cannot be computed at all raises `riskset.errors.EngineError`.

Importing this package loads NumPy alone; scipy loads with the first P value or interval.
"""

from __future__ import annotations

from riskset.survival.aalen_johansen import AalenJohansen, IncidenceAt, IncidenceCurve, aalen_johansen
from riskset.survival.aft_fit import AftFit, AftQuantile, AftSurvival
from riskset.survival.bootstrap import CoxBootstrap, bootstrap_cox
from riskset.survival.cause_specific import CauseSpecificFit, fit_cause_specific
from riskset.survival.comparison import (
    Ratio,
    largest_tau,
    rmst_difference,
    rmst_ratio,
    rmtl,
    rmtl_ratio,
    survival_difference,
    survival_ratio,
)
from riskset.survival.cox import compare_nested, fit_cox
from riskset.survival.cox_concordance import Concordance, concordance, uno_concordance
from riskset.survival.cox_firth import FirthCoxFit, PenalisedLogLikelihood, fit_cox_firth
from riskset.survival.cox_fit import CoxFit, LogLikelihood
from riskset.survival.cox_frailty import FrailtyFit, fit_cox_frailty
from riskset.survival.cox_ph_test import ProportionalHazardsTest
from riskset.survival.cox_prediction import Baseline, PredictedCurves
from riskset.survival.cox_ridge import RidgePenalty
from riskset.survival.estimate import ChiSquareTest, Difference, Estimate
from riskset.survival.event_table import EventTable
from riskset.survival.exact_logrank import ExactLogRankTest, exact_logrank_test
from riskset.survival.fine_gray import FineGrayFit, PredictedIncidence, SubdistributionBaseline, fit_fine_gray
from riskset.survival.gray_test import GrayTest, gray_test
from riskset.survival.hazard_smoothing import SmoothedHazard, smoothed_hazard
from riskset.survival.interval_censored import IntervalSurv
from riskset.survival.kaplan_meier import KaplanMeier, SurvivalAt, follow_up, kaplan_meier
from riskset.survival.logrank import LogRankTest, logrank_test, weighted_logrank_test
from riskset.survival.max_combo import MaxComboTest, max_combo_test
from riskset.survival.maximally_selected import MaximallySelectedTest, maximally_selected_test
from riskset.survival.nelson_aalen import CumulativeHazardAt, NelsonAalen, nelson_aalen
from riskset.survival.pairwise import PairwiseTests, pairwise_logrank
from riskset.survival.parametric import fit_aft
from riskset.survival.permutation import PermutationTest, logrank_permutation
from riskset.survival.splines import default_knots, restricted_cubic_spline
from riskset.survival.surv import Surv
from riskset.survival.time_split import Landmark, TimeDependent, TimeSplit, landmark, split_at, time_dependent
from riskset.survival.trend_test import TrendTest, trend_test
from riskset.survival.turnbull import TimeSet, TurnbullAt, TurnbullCurve, turnbull

__all__ = [
    "AalenJohansen",
    "AftFit",
    "AftQuantile",
    "AftSurvival",
    "Baseline",
    "CauseSpecificFit",
    "ChiSquareTest",
    "Concordance",
    "CoxBootstrap",
    "CoxFit",
    "CumulativeHazardAt",
    "Difference",
    "Estimate",
    "EventTable",
    "ExactLogRankTest",
    "FineGrayFit",
    "FirthCoxFit",
    "FrailtyFit",
    "GrayTest",
    "IncidenceAt",
    "IncidenceCurve",
    "IntervalSurv",
    "KaplanMeier",
    "Landmark",
    "LogLikelihood",
    "LogRankTest",
    "MaxComboTest",
    "MaximallySelectedTest",
    "NelsonAalen",
    "PairwiseTests",
    "PenalisedLogLikelihood",
    "PermutationTest",
    "PredictedCurves",
    "PredictedIncidence",
    "ProportionalHazardsTest",
    "Ratio",
    "RidgePenalty",
    "SmoothedHazard",
    "SubdistributionBaseline",
    "Surv",
    "SurvivalAt",
    "TimeDependent",
    "TimeSet",
    "TimeSplit",
    "TrendTest",
    "TurnbullAt",
    "TurnbullCurve",
    "aalen_johansen",
    "bootstrap_cox",
    "compare_nested",
    "concordance",
    "default_knots",
    "exact_logrank_test",
    "fit_aft",
    "fit_cause_specific",
    "fit_cox",
    "fit_cox_firth",
    "fit_cox_frailty",
    "fit_fine_gray",
    "follow_up",
    "gray_test",
    "kaplan_meier",
    "landmark",
    "largest_tau",
    "logrank_permutation",
    "logrank_test",
    "max_combo_test",
    "maximally_selected_test",
    "nelson_aalen",
    "pairwise_logrank",
    "restricted_cubic_spline",
    "rmst_difference",
    "rmst_ratio",
    "rmtl",
    "rmtl_ratio",
    "smoothed_hazard",
    "split_at",
    "survival_difference",
    "survival_ratio",
    "time_dependent",
    "trend_test",
    "turnbull",
    "uno_concordance",
    "weighted_logrank_test",
]
