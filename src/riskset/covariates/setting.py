"""De novo or recurrent metastatic disease."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field, field_validator

from riskset.covariates.spec import CovariateSpec, Facts, Prefer, Values, values_of
from riskset.tables import KEY

DE_NOVO = "de_novo"
RECURRENT = "recurrent"


class Setting(CovariateSpec):
    """De novo: metastatic within `de_novo_days` of the diagnosis, and no (neo)adjuvant systemic therapy completed.

    Otherwise `recurrent`; unknown where a date lacks, unless a completed therapy settles it. A (neo)adjuvant therapy
    counts as completed when a drug record with that intent, other than a supportive one, stopped on or before the
    metastatic date. A patient without such a record counts as without: few therapies are completed within 90 days.
    Metastases found before the primary cancer are de novo. The supplied `setting` stands in where dates lack.
    """

    rule: Literal["setting"] = "setting"
    de_novo_days: Annotated[int, Field(ge=0)] = 90
    levels: tuple[str, ...] = (RECURRENT, DE_NOVO)
    prefer: Prefer = "derived"
    supplied_name: ClassVar[str | None] = "setting"

    @field_validator("levels")
    @classmethod
    def _both_levels(cls, levels: tuple[str, ...]) -> tuple[str, ...]:
        if sorted(levels) != sorted((RECURRENT, DE_NOVO)):
            raise ValueError(f"levels of a setting are {RECURRENT} and {DE_NOVO}, in the order that tables shall have")
        return levels

    def dtype(self) -> pl.DataType:
        """One of the two levels."""
        return pl.Enum(list(self.levels))

    def derive(self, facts: Facts) -> Values | None:
        """Compare the dates and look for completed therapies."""
        patients = facts.patients.join(_completed_adjuvant(facts), on=KEY, how="left", maintain_order="left")
        days = (pl.col("metastatic") - pl.col("diagnosis")).dt.total_days()
        completed = pl.col("_completed").fill_null(False)
        setting = (
            pl.when(completed | (days > self.de_novo_days))
            .then(pl.lit(RECURRENT))
            .when(days <= self.de_novo_days)
            .then(pl.lit(DE_NOVO))
        )
        return values_of(patients, setting, "metastatic")


def _completed_adjuvant(facts: Facts) -> pl.DataFrame:
    """Give the patients with a (neo)adjuvant systemic therapy that ended on or before the metastatic date."""
    drugs = facts.tables["drugs"].join(facts.patients.select(*KEY, "metastatic"), on=KEY, how="inner")
    if "drug_class" in drugs.columns:
        drugs = drugs.filter(pl.col("drug_class").ne_missing("supportive"))
    completed = drugs.filter(
        pl.col("intent").is_in(["neoadjuvant", "adjuvant"]), pl.col("stop") <= pl.col("metastatic")
    )
    return completed.select(*KEY, pl.lit(True).alias("_completed")).unique()
