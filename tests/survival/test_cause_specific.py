"""Cause-specific Cox models are Cox models of one cause, and say of which."""

from __future__ import annotations

import numpy as np
import pytest

from riskset.errors import EngineError
from riskset.survival import Surv, fit_cause_specific, fit_cox

from .competing_cases import CASES
from .helpers import assert_close, surv_of


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("ties", ["efron", "breslow"])
def test_it_is_the_cox_model_with_the_other_causes_censored(name: str, ties: str) -> None:
    case = CASES[name]
    surv, event = surv_of(case), np.array(case["event"])
    for cause in (1, 2):
        fit = fit_cause_specific(
            surv, case["x"], cause=cause, names=case["names"], strata=case["strata"], cluster=case["cluster"], ties=ties
        )
        one = Surv(case["time"], event == cause, entry=case.get("entry"), weight=case.get("weight"))
        cox = fit_cox(one, case["x"], names=case["names"], strata=case["strata"], cluster=case["cluster"], ties=ties)
        assert_close(fit.coefficient, cox.coefficient, 0.0)
        assert_close(fit.model.covariance, cox.covariance, 0.0)
        assert fit.cause == cause
        assert cause not in fit.censored_causes
        assert fit.n_events == (event == cause).sum()
        assert fit.n_events + fit.n_competing == (event > 0).sum()
        assert fit.hazard_ratio()[0] == cox.hazard_ratio()[0]
        assert fit.names == tuple(case["names"])


def test_the_cause_must_be_named_and_must_occur() -> None:
    surv = Surv([1, 2, 3, 4], [1, 3, 0, 1])
    with pytest.raises(TypeError, match="cause"):
        fit_cause_specific(surv, [1, 2, 3, 4])  # type: ignore[call-arg]
    with pytest.raises(EngineError, match=r"no event of cause 2; the causes that occur are 1, 3"):
        fit_cause_specific(surv, [1, 2, 3, 4], cause=2)
    with pytest.raises(EngineError, match="no row"):
        fit_cause_specific(Surv([], []), np.empty((0, 1)), cause=1)


def test_warnings_of_the_model_are_passed_on() -> None:
    fit = fit_cause_specific(Surv([1, 2, 3, 4], [1, 2, 0, 1]), np.ones((4, 1)), cause=1, names=["arm"])
    assert "'arm'" in fit.warnings[0]
    assert fit.warnings == fit.model.warnings
