"""What a study file may say about each biomarker."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from riskset.protocol import Spec

Specimen = Literal["latest_before_index", "metastasis_first", "primary_only", "highest"]
Scheme = Literal["zero_low", "null_ultralow_low", "0_1_2", "low_incl_ultralow"]

# A specimen's own date may lie a little after the first dose (the biopsy's report is awaited); a report's date further.
MOST_GRACE_DAYS = {"specimen": 14, "report": 30}

SCHEME_LEVELS: dict[str, tuple[str, ...]] = {
    "zero_low": ("zero", "low"),
    "null_ultralow_low": ("null", "ultralow", "low"),
    "0_1_2": ("ihc_0", "ihc_1", "ihc_2"),
    "low_incl_ultralow": ("zero", "low"),
}


class SpecimenSpec(Spec):
    """Which of a patient's samples speaks for the patient at time zero.

    `latest_before_index` takes the last sample dated up to the index date plus `grace_days`; of samples within 30 days
    of it, metastasis before primary, then the higher score. `metastasis_first` takes the latest metastasis before the
    index, else the primary; `primary_only` the first primary; `highest` the highest class before the index.
    """

    specimen: Specimen = "latest_before_index"
    grace_days: Annotated[int, Field(ge=0)] = 0
    sample_dates: Literal["specimen", "report"] = "specimen"
    prefer: Literal["derived", "supplied"] = "derived"

    @field_validator("specimen", mode="before")
    @classmethod
    def _no_future(cls, value: Any) -> Any:
        if value == "ever":
            raise PydanticCustomError(
                "future",
                "'ever' would let samples taken after the index date decide a baseline class;"
                " use latest_before_index, metastasis_first, primary_only or highest.",
            )
        return value

    @model_validator(mode="after")
    def _grace(self) -> SpecimenSpec:
        most = MOST_GRACE_DAYS[self.sample_dates]
        if self.grace_days > most:
            raise PydanticCustomError(
                "grace",
                "grace_days is at most {most} where sample dates are {kind} dates; later samples look into the future.",
                {"most": most, "kind": self.sample_dates},
            )
        return self


class Her2Spec(SpecimenSpec):
    """HER2 by ASCO/CAP 2018, and how its classes are grouped.

    `zero_low` compares IHC 0 with IHC 1+ or 2+/ISH-negative; `null_ultralow_low` divides IHC 0; `0_1_2` keeps the
    scores; `low_incl_ultralow` counts ultralow as low. A patient with a positive sample before the index is `positive`
    where `exclude_ever_positive` holds. What is indeterminate is excluded as unknown.
    """

    rules: Literal["asco_cap_2018"] = "asco_cap_2018"
    scheme: Scheme = "zero_low"
    exclude_ever_positive: bool = True
    indeterminate: Literal["exclude"] = "exclude"

    @field_validator("scheme", mode="before")
    @classmethod
    def _scheme_as_text(cls, value: Any) -> Any:
        return "0_1_2" if value == 12 else value  # YAML reads 0_1_2 without quotes as the number 12

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels that a study compares, in their order; a patient may besides be `positive`, or null (unknown)."""
        return SCHEME_LEVELS[self.scheme]


class HormoneReceptorsSpec(SpecimenSpec):
    """Hormone receptors by ASCO/CAP 2020: positive from `cut` per cent on, or from `h_score_cut` on that scale."""

    cut: Literal[1, 10] = 1
    h_score_cut: Literal[1, 10, 50] = 1

    @property
    def levels(self) -> tuple[str, ...]:
        """Levels of `hr`, in their order; null is unknown."""
        return ("positive", "negative")
