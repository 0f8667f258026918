"""What kind of object an estimator was given: a wrong one is refused in a sentence, before anything reads it."""

from __future__ import annotations

from riskset.errors import EngineError
from riskset.survival.event_table import EventTable
from riskset.survival.interval_censored import IntervalSurv
from riskset.survival.surv import Surv


def need_surv(value: object, name: str = "surv", *, table: bool = False, intervals: bool = False) -> None:
    """Refuse what is not the rows of a `Surv`.

    Parameters
    ----------
    value : what the caller gave as `name`
    table, intervals : whether an `EventTable`, an `IntervalSurv` is as good

    Raises
    ------
    EngineError
        Another kind of object; the sentence names what was given and what to give.
    """
    if isinstance(value, Surv):
        return
    if isinstance(value, EventTable):
        if table:
            return
        remedy = "this function needs rows, give a Surv" + (" or an IntervalSurv" if intervals else "")
    elif isinstance(value, IntervalSurv):
        if intervals:
            return
        remedy = "this function needs times that are exact or right-censored, give a Surv"
    else:
        remedy = "build it with Surv(time, event)" + (" or IntervalSurv(left, right)" if intervals else "")
    raise EngineError(f"{name} is {_kind(value)}; {remedy}")


def need_kind(value: object, kind: type, name: str, remedy: str) -> None:
    """Refuse what is no `kind`; `remedy` tells how to get one, as "give a curve of kaplan_meier".

    Raises
    ------
    EngineError
        Another kind of object; the sentence names what was given, then the remedy.
    """
    if not isinstance(value, kind):
        raise EngineError(f"{name} is {_kind(value)}; {remedy}")


def _kind(value: object) -> str:
    """Name the kind of an object with its article, never what it holds."""
    if value is None:
        return "None"
    kind = type(value).__name__
    if kind == "ndarray":
        return "an array"
    return f"{'an' if kind[:1].lower() in 'aeiou' else 'a'} {kind}"
