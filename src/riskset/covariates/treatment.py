"""Covariates from the drug records: line of therapy, endocrine partner, earlier therapy."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

import polars as pl
from pydantic import Field

from riskset.covariates.spec import CovariateSpec, Facts, Prefer, Values, values_of
from riskset.tables import KEY

ENDOCRINE = ("aromatase_inhibitor", "serd", "serm")


class Line(CovariateSpec):
    """Line of therapy of the index drug as the physician counts it.

    The line of the drug record that set the index date comes first, then the supplied `line`. Lines computed from drug
    records are not available yet, so `prefer` has one word.
    """

    rule: Literal["line"] = "line"
    prefer: Literal["supplied"] = "supplied"

    def dtype(self) -> pl.DataType:
        """A whole number from 1."""
        return pl.Int32()

    def derive(self, facts: Facts) -> Values | None:
        """Take the line of the index record, else the supplied one."""
        supplied = facts.supplied("line", self.dtype())
        if "physician_line" not in facts.patients.columns:
            return supplied
        known = facts.patients.filter(pl.col("physician_line").is_not_null())
        own = values_of(known, pl.col("physician_line").cast(pl.String), "line").frame
        rest = supplied.frame.join(known, on=KEY, how="anti")
        return Values(pl.concat([own, rest]), "supplied", "line")


class EndocrinePartner(CovariateSpec):
    """The endocrine drug given with the index drug.

    An aromatase inhibitor, a selective oestrogen receptor degrader or modulator that starts within `window_days`
    before or after the index date; of several the nearest to it, then the earlier one. Where none does, one that was
    started before and is still given at the index date: its stop is on or after it, or it has no stop and its intent
    is metastatic. The level is the drug's name where that is a level (`fulvestrant`), otherwise its class
    (`aromatase_inhibitor`). The supplied `partner` stands in where drug records say nothing.
    """

    rule: Literal["endocrine_partner"] = "endocrine_partner"
    window_days: Annotated[int, Field(ge=0)] = 60
    levels: Annotated[tuple[str, ...], Field(min_length=1)] = ("aromatase_inhibitor", "fulvestrant", "tamoxifen")
    prefer: Prefer = "derived"
    supplied_name: ClassVar[str | None] = "partner"

    def dtype(self) -> pl.DataType:
        """One of the levels."""
        return pl.Enum(list(self.levels))

    def derive(self, facts: Facts) -> Values | None:
        """Choose the drug record."""
        drugs = facts.tables["drugs"]
        if "drug_class" not in drugs.columns:
            return None
        endocrine = drugs.filter(pl.col("drug_class").is_in(ENDOCRINE)).join(facts.index, on=KEY, how="inner")
        away = (pl.col("start") - pl.col("index_date")).dt.total_days()
        starts = away.abs() <= self.window_days
        stated = pl.col("stop") >= pl.col("index_date")
        ongoing = pl.col("stop").is_null() & (pl.col("intent") == "metastatic")
        given = (away < 0) & (stated | ongoing)
        chosen = (
            endocrine.with_columns(away.abs().alias("away"), starts.alias("starts"))
            .filter(starts | given)
            .sort(*KEY, pl.col("starts").not_(), "away", "start", "source", "row", "inn")
            .unique(KEY, keep="first", maintain_order=True)
        )
        named = pl.when(pl.col("inn").is_in(self.levels)).then("inn").otherwise("drug_class")
        return values_of(chosen, named, "name", "drugs")


class PriorTherapy(CovariateSpec):
    """True if a drug of one of the classes (and intents, if named) started before the index date.

    Absence of a record is unknown, unless the study says `absence: "no"`: the drug lists are complete.
    """

    rule: Literal["prior_therapy"] = "prior_therapy"
    classes: Annotated[tuple[str, ...], Field(min_length=1)]
    intents: tuple[Literal["neoadjuvant", "adjuvant", "metastatic"], ...] = ()
    absence: Literal["unknown", "no"] = "unknown"

    def dtype(self) -> pl.DataType:
        """True, false, or null where unknown."""
        return pl.Boolean()

    def derive(self, facts: Facts) -> Values | None:
        """Look for a drug record."""
        drugs = facts.tables["drugs"]
        if "drug_class" not in drugs.columns:
            return None
        earlier = drugs.join(facts.index, on=KEY, how="inner").filter(
            pl.col("drug_class").is_in(self.classes), pl.col("start") < pl.col("index_date")
        )
        if self.intents:
            earlier = earlier.filter(pl.col("intent").is_in(self.intents))
        had = earlier.sort(*KEY, "start", "source", "row").unique(KEY, keep="first", maintain_order=True)
        absent = facts.index.join(had, on=KEY, how="anti").filter(pl.col("index_date").is_not_null())
        yes = values_of(had, pl.lit(True), "name", "drugs")
        no = values_of(absent, pl.lit(False), "name", "drugs")
        return Values(pl.concat([yes.frame, no.frame]), "drugs", "name") if self.absence == "no" else yes
