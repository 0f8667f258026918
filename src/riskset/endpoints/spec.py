"""The kinds of endpoint that a study file can declare, and the named censoring schemes of PFS.

The schemes are entries of `SCHEMES`; a new endpoint is one more spec that gives a `Definition`.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Annotated, ClassVar, Literal, TypeAlias

from pydantic import BeforeValidator, Field, field_validator

from riskset.endpoints.definition import Definition, Source, Stop
from riskset.protocol import Condition, Id, Spec

STANDARD = "standard"

# Reasons of the end of the index treatment that are no progression.
_OTHER_STOPS = "stop_reason IN ('toxicity', 'choice', 'completed', 'other')"


def _available(name: object) -> object:
    if name == "interval_censored":
        raise ValueError("the scheme interval_censored is not available yet; leave it out, or take ema or fda_a")
    return name


SchemeName: TypeAlias = Annotated[
    Literal["ema", "fda_a", "fda_c_claims", "new_therapy_event"], BeforeValidator(_available)
]
Need: TypeAlias = Literal["new_therapies", "stop_reasons"]


@dataclass(frozen=True, slots=True)
class Scheme:
    """What one censoring scheme does with what happens before progression or death.

    `new_therapy`, `other_stop` (the index treatment ended for another reason than progression) and `clinical` (it
    ended for progression) say what then; `missed_visits` whether an event after missed visits is passed over; `needs`
    what the data have to hold for the scheme to differ from others.
    """

    new_therapy: Literal["ignore", "event", "censor_before"]
    other_stop: Literal["ignore", "censor_before"]
    clinical: Literal["ignore", "event", "censor_before"]
    missed_visits: bool
    needs: tuple[Need, ...]


# EMA: every event counts, whatever happened before. FDA guidance on endpoints, appendix 3, tables A and C.
SCHEMES: dict[str, Scheme] = {
    "ema": Scheme("ignore", "ignore", "ignore", False, ()),
    "fda_a": Scheme("censor_before", "censor_before", "censor_before", True, ("new_therapies",)),
    "fda_c_claims": Scheme("censor_before", "censor_before", "event", True, ("new_therapies", "stop_reasons")),
    "new_therapy_event": Scheme("event", "ignore", "ignore", False, ("new_therapies",)),
}


@cache
def _progression() -> Source:
    return Source(table="assessments", where=Condition("timepoint = 'PD'"), reason="progression")


@cache
def _death() -> Source:
    dead = Condition("status = 'dead'")
    return Source(table="contacts", where=dead, reason="death", on_start=True, undated="unknown")


@cache
def _last_assessment() -> Source:
    """Give the adequate assessments: any but those that could not be evaluated."""
    adequate = Condition("coalesce(timepoint, 'unstated') <> 'NE'")
    return Source(table="assessments", where=adequate, reason="last_assessment")


@cache
def _last_contact() -> Source:
    return Source(table="contacts", reason="last_contact")


_CUTOFF = Stop(at="data_cutoff", then="censor_before")


def _standard(events: tuple[Source, ...], censors: tuple[Source, ...], at_start: str) -> dict[str, Definition]:
    """Give the definition of an endpoint that knows one scheme and stops at the data cut-off alone."""
    return {STANDARD: Definition(events=events, censors=censors, stops=(_CUTOFF,), at_start=at_start)}


class TimeSpec(Spec):
    """Base of the time-to-event endpoints."""

    # Names of the supplied duration and its event, where a centre derived them itself.
    supplied_as: ClassVar[tuple[str, str] | None] = None

    @property
    def primary_scheme(self) -> str:
        """The scheme that the endpoint's numbers stand on."""
        return STANDARD

    @property
    def schemes(self) -> tuple[str, ...]:
        """All schemes asked for, the primary one first."""
        return (self.primary_scheme,)

    @property
    def needs(self) -> dict[str, tuple[Need, ...]]:
        """What the data have to hold for a scheme other than the primary one; nothing where it is not named."""
        return {}

    @property
    def definitions(self) -> dict[str, Definition]:
        """The definition under each scheme."""
        raise NotImplementedError


class ProgressionFreeSurvival(TimeSpec):
    """From the index date to progression or death of any cause; censored at the last adequate assessment.

    `prefer` chooses where both dates and a supplied duration (`pfs`, `pfs_event`) exist; the other stands in where the
    preferred one is missing. `also` names further schemes; of a patient with a supplied duration alone only the primary
    scheme has an outcome.
    """

    kind: Literal["pfs"] = "pfs"
    label: str = ""
    prefer: Literal["derived", "supplied"] = "derived"
    scheme: SchemeName = "ema"
    also: tuple[SchemeName, ...] = ()
    max_gap_days: Annotated[int, Field(ge=1)] = 210
    supplied_as: ClassVar[tuple[str, str] | None] = ("pfs", "pfs_event")

    @property
    def primary_scheme(self) -> str:
        """The declared scheme."""
        return self.scheme

    @property
    def schemes(self) -> tuple[str, ...]:
        """The declared scheme, then `also`."""
        return tuple(dict.fromkeys((self.scheme, *self.also)))

    @property
    def needs(self) -> dict[str, tuple[Need, ...]]:
        """What the data have to hold for each scheme."""
        return {scheme: SCHEMES[scheme].needs for scheme in self.schemes}

    @property
    def definitions(self) -> dict[str, Definition]:
        """The definition under each scheme asked for."""
        return {scheme: self._definition(scheme) for scheme in self.schemes}

    def _definition(self, scheme: str) -> Definition:
        rules = SCHEMES[scheme]
        stops = [
            Stop(at="new_therapy", then=rules.new_therapy),
            Stop(at="treatment_stop", then=rules.other_stop, where=Condition(_OTHER_STOPS)),
            Stop(
                at="treatment_stop",
                then=rules.clinical,
                where=Condition("stop_reason = 'progression'"),
                reason="clinical_progression",
            ),
            _CUTOFF,
        ]
        if rules.missed_visits:
            stops.append(Stop(at="missed_visits", then="censor_before", max_gap_days=self.max_gap_days))
        return Definition(
            events=(_progression(), _death()),
            censors=(_last_assessment(),),
            stops=tuple(stops),
            at_start="no_assessment",
        )


class OverallSurvival(TimeSpec):
    """From the index date to death of any cause; censored at the last contact."""

    kind: Literal["os"] = "os"
    label: str = ""
    prefer: Literal["derived", "supplied"] = "derived"
    supplied_as: ClassVar[tuple[str, str] | None] = ("os", "os_event")

    @property
    def definitions(self) -> dict[str, Definition]:
        """The one definition."""
        return _standard(events=(_death(),), censors=(_last_contact(),), at_start="no_contact")


class TimeToProgression(TimeSpec):
    """From the index date to progression; death without it is censored at the last adequate assessment."""

    kind: Literal["ttp"] = "ttp"
    label: str = ""

    @property
    def definitions(self) -> dict[str, Definition]:
        """The one definition."""
        return _standard(events=(_progression(),), censors=(_last_assessment(),), at_start="no_assessment")


class TimeToNextTreatment(TimeSpec):
    """From the index date to the next systemic therapy or death; censored at the last contact."""

    kind: Literal["ttnt"] = "ttnt"
    label: str = ""

    @property
    def definitions(self) -> dict[str, Definition]:
        """The one definition."""
        therapy = Source(table="new_therapy", date="start", reason="new_therapy")
        return _standard(events=(therapy, _death()), censors=(_last_contact(),), at_start="no_contact")


class TimeToEvent(TimeSpec):
    """An endpoint of the study's own: its start, events, censors and stops.

    The data cut-off is a stop of every endpoint; declare `{at: data_cutoff, then: ignore}` to look beyond it.
    """

    kind: Literal["time_to_event"] = "time_to_event"
    label: str = ""
    start: Id = "index_date"
    events: Annotated[tuple[Source, ...], Field(min_length=1)]
    censors: Annotated[tuple[Source, ...], Field(min_length=1)]
    stops: tuple[Stop, ...] = ()

    @property
    def definitions(self) -> dict[str, Definition]:
        """What the study file says."""
        named = any(stop.at == "data_cutoff" for stop in self.stops)
        stops = self.stops if named else (*self.stops, _CUTOFF)
        return {STANDARD: Definition(start=self.start, events=self.events, censors=self.censors, stops=stops)}


RESPONSES = ("CR", "PR", "SD", "NON_CR_NON_PD", "PD", "NE")


class Response(Spec):
    """Best response, and whether it counts as a success.

    Attributes
    ----------
    success
        Best responses that count; every other one, NE too, counts as failure.
    sd_min
        Days from the index date from which a dated SD (or NON_CR_NON_PD) counts; a stated best response without a
        date counts as it is.
    confirm
        Days after which a CR or PR has to be seen again; `none` asks for no confirmation.
    prefer
        `derived`: the dated responses, and the stated best response where there are none (a dated progression alone
        says nothing about the best response before it); `supplied`: the other way round.
    measurable
        Covariate that says whether disease was measurable; without it the supplied `measurable`, or a sum of target
        lesions at baseline, tells.
    """

    kind: Literal["response"] = "response"
    label: str = ""
    success: Annotated[tuple[Literal["CR", "PR", "SD", "NON_CR_NON_PD"], ...], Field(min_length=1)] = ("CR", "PR")
    sd_min: Annotated[int, Field(ge=0)] = 42
    confirm: Literal["none"] | Annotated[int, Field(ge=1)] = "none"
    prefer: Literal["derived", "supplied"] = "derived"
    measurable: Id = "measurable"

    @field_validator("success")
    @classmethod
    def _once(cls, success: tuple[str, ...]) -> tuple[str, ...]:
        if len(set(success)) < len(success):
            raise ValueError("a response stands twice in `success`; name each once")
        return success

    @property
    def confirm_days(self) -> int | None:
        """Days to a confirmation, or None."""
        return None if self.confirm == "none" else self.confirm
