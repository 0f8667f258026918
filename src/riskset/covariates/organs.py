"""Covariates from the organs with metastases: visceral disease, number of organs, bone only.

Three-valued throughout: an organ of which no row says anything is unknown, not free of disease. Where rows disagree, a
metastasis counts. Rows dated after the index date (plus `grace_days`) do not describe the patient at time zero and are
passed over; undated rows count.
"""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from riskset.covariates.spec import CovariateSpec, Facts, Prefer, Values, values_of
from riskset.tables import BONE, KEY, ORGANS, VISCERAL

LUNG = ("lung", "pleura")


class OrganSpec(CovariateSpec):
    """Base of the rules over organs."""

    grace_days: Annotated[int, Field(ge=0)] = 0
    prefer: Prefer = "derived"


class Visceral(OrganSpec):
    """True if any organ of the definition has a metastasis, false only if all of them are known to have none."""

    rule: Literal["visceral"] = "visceral"
    definition: Literal["default", "strict", "trial"] = "default"
    supplied_name: ClassVar[str | None] = "visceral"

    def dtype(self) -> pl.DataType:
        """True, false, or null where unknown."""
        return pl.Boolean()

    def derive(self, facts: Facts) -> Values | None:
        """Look at the organs of the definition."""
        present = pl.any_horizontal(VISCERAL[self.definition])
        return values_of(presence(facts, self.grace_days), present, "organ", "organs")


class OrganCount(OrganSpec):
    """Number of organs with metastases; unknown as soon as one organ is unknown that could add to it.

    Bone and bone marrow count as one organ; lung and pleura as one with `merge_pleura`.
    """

    rule: Literal["n_organs"] = "n_organs"
    merge_pleura: bool = True
    supplied_name: ClassVar[str | None] = "n_organs"

    @property
    def measured_in(self) -> str | None:
        """Unit of the count."""
        return "organs"

    def dtype(self) -> pl.DataType:
        """A count."""
        return pl.Int32()

    def derive(self, facts: Facts) -> Values | None:
        """Merge what counts as one, then add up."""
        merged = [BONE, LUNG] if self.merge_pleura else [BONE]
        alone = [(organ,) for organ in ORGANS if not any(organ in group for group in merged)]
        groups = [pl.any_horizontal(group).cast(pl.Int32) for group in (*merged, *alone)]
        return values_of(
            presence(facts, self.grace_days), pl.sum_horizontal(groups, ignore_nulls=False), "organ", "organs"
        )


class BoneOnly(OrganSpec):
    """Metastases in bone (or marrow) and in no other organ; unknown unless each organ's part in it is known."""

    rule: Literal["bone_only"] = "bone_only"
    supplied_name: ClassVar[str | None] = "bone_only"

    def dtype(self) -> pl.DataType:
        """True, false, or null where unknown."""
        return pl.Boolean()

    def derive(self, facts: Facts) -> Values | None:
        """Bone, and nothing else."""
        others = [organ for organ in ORGANS if organ not in BONE]
        only = pl.any_horizontal(BONE) & ~pl.any_horizontal(others)
        return values_of(presence(facts, self.grace_days), only, "organ", "organs")


def presence(facts: Facts, grace_days: int) -> pl.DataFrame:
    """Give one row a patient and a Boolean column an organ code, null where unknown.

    A code that is not in the list is, by the meaning of `other`, an organ without a code of its own.
    """
    rows = facts.tables["organs"].join(facts.index, on=KEY, how="inner")
    at_index = (pl.col("date") <= pl.col("index_date") + pl.duration(days=grace_days)).fill_null(True)
    code = pl.when(pl.col("organ").is_in(ORGANS)).then("organ").otherwise(pl.lit("other"))
    rows = rows.filter(at_index, pl.col("organ").is_not_null()).with_columns(code.alias("organ"))
    # the greatest of true and false is true, and of nothing it is null
    wide = rows.group_by(KEY).agg(
        pl.col("present").filter(pl.col("organ") == organ).max().alias(organ) for organ in ORGANS
    )
    return facts.patients.select(KEY).join(wide, on=KEY, how="left", maintain_order="left")
