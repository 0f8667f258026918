"""Checks of what a centre derived from organs against the organs themselves."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.tables import BONE, KEY, ORGANS, VISCERAL, Tables

NOT_DISTANT = ("contralateral_breast",)


def _organs(tables: Tables) -> pl.DataFrame:
    """Give for each patient the organs known to be present and known to be absent, as lists.

    As at the index date, which is what a supplied summary describes: what was found later is passed over. A code that
    is not in the list is an organ without a code of its own.
    """
    rows = tables["organs"].filter(pl.col("organ").is_not_null())
    if "index_date" in tables["patients"].columns:
        rows = rows.join(tables["patients"].select(*KEY, "index_date"), on=KEY, how="left")
        rows = rows.filter((pl.col("date") <= pl.col("index_date")).fill_null(True))
    code = pl.when(pl.col("organ").is_in(ORGANS)).then("organ").otherwise(pl.lit("other"))
    by_organ = rows.with_columns(code.alias("organ")).group_by(*KEY, "organ").agg(pl.col("present").max())
    return (
        by_organ.group_by(KEY)
        .agg(
            pl.col("organ").filter(pl.col("present")).sort().alias("present"),
            pl.col("organ").filter(~pl.col("present")).sort().alias("absent"),
        )
        .sort(KEY)
    )


def _supplied(tables: Tables, name: str) -> pl.DataFrame:
    mine = tables["supplied"].filter((pl.col("name") == name) & pl.col("value").is_not_null())
    return mine.join(_organs(tables), on=KEY, how="inner", maintain_order="left")


def _any_of(organs: tuple[str, ...], column: str) -> pl.Expr:
    return pl.col(column).list.set_intersection(list(organs)).list.len() > 0


def _all_of(organs: tuple[str, ...], column: str) -> pl.Expr:
    return pl.col(column).list.set_intersection(list(organs)).list.len() == len(organs)


def _truth() -> pl.Expr:
    return (
        pl.col("value")
        .str.to_lowercase()
        .replace_strict({"true": True, "1": True, "yes": True, "false": False, "0": False, "no": False}, default=None)
    )


class BoneOnly(Check):
    """`bone_only` supplied as true with another organ, or as false with bone alone."""

    id = "V31"
    meaning = "supplied bone-only disease contradicts the organs"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Hold the supplied value against the organs."""
        rows = _supplied(tables, "bone_only")
        if not rows.height:
            return nothing()
        others = pl.col("present").list.set_difference([*BONE, *NOT_DISTANT]).list.len() > 0
        bone = _any_of(BONE, "present")
        # Bone alone is known only where every other distant organ is known to be free.
        elsewhere = tuple(organ for organ in ORGANS if organ not in BONE)
        alone = bone & _all_of(elsewhere, "absent")
        no_bone = _all_of(BONE, "absent")
        wrong = rows.filter((_truth() & (others | no_bone)) | (~_truth() & alone))
        return located(
            wrong, "supplied", "bone_only", "Bone-only disease contradicts the listed organs; correct one."
        ).with_columns(value=wrong["value"])


class VisceralFlag(Check):
    """`visceral` supplied as false with a visceral organ, or as true with all of them known absent."""

    id = "V32"
    meaning = "supplied visceral disease contradicts the organs"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Hold the supplied value against the organs of the study's own definition."""
        rows = _supplied(tables, "visceral")
        if not rows.height:
            return nothing()
        declared = [getattr(c, "definition", None) for c in protocol.covariates.values() if c.rule == "visceral"]
        organs = VISCERAL[declared[0] if declared and declared[0] in VISCERAL else "default"]
        some = _any_of(organs, "present")
        none = _all_of(organs, "absent")
        wrong = rows.filter((_truth() & none) | (~_truth() & some))
        return located(
            wrong, "supplied", "visceral", "Visceral disease contradicts the listed organs; correct one."
        ).with_columns(value=wrong["value"])


class OrganNumber(Check):
    """`n_organs` supplied differently from the organs listed as present, counting lung and pleura as one or as two."""

    id = "V33"
    meaning = "supplied number of organs contradicts the organs"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Hold the supplied number against the count."""
        rows = _supplied(tables, "n_organs")
        if not rows.height:
            return nothing()
        count = pl.col("present").list.len().cast(pl.Float64)
        both = (pl.col("present").list.set_intersection(["lung", "pleura"]).list.len() == 2).cast(pl.Float64)
        bones = (pl.col("present").list.set_intersection(list(BONE)).list.len() == 2).cast(pl.Float64)
        fewest = count - both - bones
        # An organ that no row names is unknown too, and may be one of those counted.
        unknown = len(ORGANS) - count - pl.col("absent").list.len().cast(pl.Float64)
        wrong = rows.filter((pl.col("number") < fewest) | (pl.col("number") > count + unknown))
        return located(
            wrong, "supplied", "n_organs", "The number of organs contradicts the listed organs; correct one."
        ).with_columns(value=wrong["value"])
