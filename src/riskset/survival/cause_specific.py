"""Cox's model for the hazard of one cause, the other causes censoring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from numpy.typing import ArrayLike

from riskset.survival._kinds import need_surv
from riskset.survival._types import FloatArray
from riskset.survival.aalen_johansen import check_cause
from riskset.survival.cox import fit_cox
from riskset.survival.cox_fit import CoxFit, Ties
from riskset.survival.estimate import Estimate
from riskset.survival.surv import Surv


@dataclass(frozen=True, slots=True, eq=False)
class CauseSpecificFit:
    """A Cox model of one cause's hazard.

    Attributes
    ----------
    cause : the cause that counts as the event
    censored_causes : the other causes that occur, whose events end the observation like a censoring
    n, n_events, n_competing : rows, rows with an event of the cause, rows with an event of another (unweighted)
    names, coefficient, standard_error, hazard_ratio(level) : of the model
    model : the fitted model, with all that `CoxFit` has
    warnings : those of the model
    """

    cause: int
    censored_causes: tuple[int, ...]
    n: int
    n_events: int
    n_competing: int
    model: CoxFit
    warnings: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names, in order."""
        return self.model.names

    @property
    def coefficient(self) -> FloatArray:
        """Log cause-specific hazard ratio per unit of each column: shape (p,)."""
        return self.model.coefficient

    @property
    def standard_error(self) -> FloatArray:
        """Standard errors of the coefficients, robust where the model is: shape (p,)."""
        return self.model.standard_error

    def hazard_ratio(self, level: float = 0.95) -> tuple[Estimate, ...]:
        """Give each column's cause-specific hazard ratio with its Wald interval; see `CoxFit.hazard_ratio`."""
        return self.model.hazard_ratio(level)


def fit_cause_specific(
    surv: Surv,
    x: ArrayLike,
    *,
    cause: int,
    names: Sequence[str] | None = None,
    strata: ArrayLike | None = None,
    ties: Ties = "efron",
    cluster: ArrayLike | None = None,
    robust: bool | None = None,
) -> CauseSpecificFit:
    """Fit Cox's model to the hazard of `cause`, with an event of any other cause as a censoring.

    Hazard ratios compare the rates of the cause among those still free of any event. They say nothing about its
    cumulative incidence, which also depends on the other causes; for that use `fit_fine_gray`, or fit every cause.

    Parameters
    ----------
    surv : the times, with codes k = 1, 2, ... of cause as events; delayed entry, start-stop rows, weights as `fit_cox`
    x, names, strata, ties, cluster, robust : as `fit_cox`; shapes (n, p) or (n,), p names, (n,), -, (n,), -
    cause : the cause to model; there is no default, so that it is never taken for granted

    Returns
    -------
    CauseSpecificFit

    Raises
    ------
    EngineError
        A cause that does not occur, and whatever `fit_cox` refuses.

    References
    ----------
    Prentice RL et al. Biometrics 1978; 34: 541-554.

    Examples
    --------
    >>> from riskset.survival import Surv, fit_cause_specific
    >>> surv = Surv([3, 5, 6, 8, 9, 11, 12, 15, 16, 20], [1, 1, 2, 1, 0, 2, 1, 2, 0, 1])
    >>> fit = fit_cause_specific(surv, [1, 0, 1, 1, 0, 0, 1, 0, 1, 0], cause=1, names=["low"])
    >>> fit.cause, fit.censored_causes, fit.n_events, fit.n_competing
    (1, (2,), 5, 3)
    >>> fit.coefficient.round(4)
    array([1.2305])
    """
    need_surv(surv)
    # fit_cox says what is wrong with empty or unequal input; a cause is only asked for where there are rows.
    if len(surv):
        check_cause(surv, cause)
    model = fit_cox(
        surv.as_event(surv.event == cause),
        x,
        names=names,
        strata=strata,
        ties=ties,
        cluster=cluster,
        robust=robust,
    )
    competing = surv.is_event & (surv.event != cause)
    return CauseSpecificFit(
        cause=cause,
        censored_causes=tuple(sorted({int(code) for code in surv.event[competing]})),
        n=len(surv),
        n_events=model.n_events,
        n_competing=int(competing.sum()),
        model=model,
        warnings=model.warnings,
    )
