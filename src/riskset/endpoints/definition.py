"""What an endpoint is: where its time starts, which dated facts end it, and what stops the counting of facts."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from riskset.protocol import Condition, Id, Spec

# The canonical tables, and two that the program derives from drug records: therapies that began after the index
# treatment, and the end of the index treatment (see `facts`).
FactTable: TypeAlias = Literal[
    "patients", "samples", "drugs", "assessments", "organs", "contacts", "new_therapy", "treatment_stop"
]


class Source(Spec):
    """Rows of one table that are facts of one kind.

    Attributes
    ----------
    table, where, date
        The rows, and the column that dates them. `assessments` has besides its own columns `timepoint`: the stated
        response, or where none is stated the RECIST 1.1 response of its measurements.
    reason, cause
        Words of the outcome that the fact gives; `cause` is the `reason` unless named.
    on_start
        Whether a fact on the start day itself counts as an event.
    undated
        What a fact without a date means: nothing, or that the endpoint of this patient is unknown.
    """

    table: FactTable
    where: Condition | None = None
    date: Id = "date"
    reason: Id
    cause: Id | None = None
    on_start: bool = False
    undated: Literal["ignore", "unknown"] = "ignore"


class Stop(Spec):
    """Something that changes which facts count.

    `at: missed_visits` is a gap of more than `max_gap_days` between the last assessment (the start, if there is none)
    and the event; the others are dated. `then: ignore` only lists it, `event` makes it an event, `censor_before` lets
    no later fact count: a fact on the day of the stop still does.
    """

    at: Literal["new_therapy", "treatment_stop", "missed_visits", "data_cutoff"]
    then: Literal["ignore", "event", "censor_before"]
    where: Condition | None = None
    reason: Id | None = None
    max_gap_days: Annotated[int, Field(ge=1)] | None = None

    @model_validator(mode="after")
    def _fits(self) -> Stop:
        if self.then == "event" and self.at in ("missed_visits", "data_cutoff"):
            raise ValueError(f"{self.at} cannot be an event; write `then: ignore` or `then: censor_before`")
        if self.at == "missed_visits" and self.max_gap_days is None:
            raise ValueError("missed_visits needs `max_gap_days`")
        if self.at in ("missed_visits", "data_cutoff") and (self.where is not None or self.reason is not None):
            raise ValueError(f"{self.at} takes neither `where` nor `reason`")
        return self

    @property
    def word(self) -> str:
        """The reason that an outcome gets from this stop."""
        return self.reason or self.at


class Definition(Spec):
    """A time-to-event endpoint under one censoring scheme.

    `start` is a date column of patients. `at_start` is the reason of a time that is censored where it starts because
    no fact tells more.
    """

    start: Id = "index_date"
    events: Annotated[tuple[Source, ...], Field(min_length=1)]
    censors: Annotated[tuple[Source, ...], Field(min_length=1)]
    stops: tuple[Stop, ...] = ()
    at_start: Id = "no_follow_up"
