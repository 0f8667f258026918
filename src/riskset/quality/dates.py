"""Checks of dates: readable, not in the future, in a possible order."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.tables import CANONICAL, KEY, Tables


class UnreadableDate(Check):
    """A date that is none, or two date orders in one column; the reader raises it and leaves the cell null."""

    id = "V03"
    meaning = "impossible or unreadable date, or two date orders in a column"
    stage = "tables"
    raised_by_step = True


class AfterCutoff(Check):
    """A date after the data cut-off."""

    id = "V04"
    meaning = "a date after the data cut-off"
    stage = "tables"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at every date column of every table."""
        cutoffs = {centre: spec.data_cutoff or protocol.study.data_cutoff for centre, spec in protocol.centres.items()}
        if not any(cutoffs.values()):
            return nothing()
        limit = pl.col("centre").replace_strict(cutoffs, default=None, return_dtype=pl.Date)
        found = [
            located(
                tables[name].filter(pl.col(column.name) > limit),
                name,
                column.name,
                "The date lies after the data cut-off; correct it or say why.",
            )
            for name, schema in CANONICAL.items()
            for column in schema.columns
            if column.dtype == pl.Date and name in tables
        ]
        return pl.concat([nothing(), *found])


class Order(Check):
    """Birth, diagnosis, metastatic disease, index date and death out of order; the first violation is named."""

    id = "V05"
    meaning = "dates out of order: birth, diagnosis, metastatic disease, index date, progression, death"
    stage = "derived"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Hold each date against the latest known one before it in the order."""
        death = _first(tables["contacts"].filter(pl.col("status") == "dead"), "death")
        progression = _first_after_index(tables)
        people = tables["patients"].join(death, on=KEY, how="left").join(progression, on=KEY, how="left")
        columns = ["birth", "diagnosis", "metastatic", "index_date", "progression", "death"]
        names = dict(
            zip(
                columns, ("birth", "diagnosis", "metastatic disease", "index date", "progression", "death"), strict=True
            )
        )
        known = [c for c in columns if c in people.columns]
        message: pl.Expr = pl.lit(None, pl.String)
        # From the last pair to the first, so that the first violation in the order wins.
        for later, earlier in reversed([(b, a) for i, b in enumerate(known) for a in known[:i]]):
            broken = pl.col(later) < pl.col(earlier)
            if (earlier, later) == ("birth", "diagnosis"):
                broken = pl.col(later) <= pl.col(earlier)
            text = f"The date of {names[later]} lies before that of {names[earlier]}; correct one of them."
            message = pl.when(broken).then(pl.lit(text)).otherwise(message)
        broken_rows = people.with_columns(_message=message).filter(pl.col("_message").is_not_null())
        return located(broken_rows, "patients", None, "").with_columns(message=broken_rows["_message"])


def _first(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    return frame.group_by(KEY).agg(pl.col("date").min().alias(name)).sort(KEY)


def _first_after_index(tables: Tables) -> pl.DataFrame:
    """Give each patient's first stated progression on or after the index date; earlier ones belong to earlier lines."""
    index = tables["patients"].select(*KEY, "index_date")
    found = tables["assessments"].filter(pl.col("response") == "PD").join(index, on=KEY, how="inner")
    return _first(found.filter(pl.col("date") >= pl.col("index_date")), "progression")


class LastContact(Check):
    """A scan, drug start or progression after the last contact."""

    id = "V06"
    meaning = "last contact before a scan, a drug or death"
    stage = "tables"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Hold the last contact against the last assessment and drug start or stop."""
        last = tables["contacts"].group_by(KEY).agg(pl.col("date").max().alias("_last")).drop_nulls()
        found = []
        for table, field in (("assessments", "date"), ("drugs", "start"), ("drugs", "stop")):
            later = tables[table].join(last, on=KEY, how="inner").filter(pl.col(field) > pl.col("_last"))
            found.append(
                located(later, table, field, "The date lies after the last contact or death; correct one of them.")
            )
        return pl.concat([nothing(), *found])


class Deaths(Check):
    """Dead without a date, two dates of death, or alive after death."""

    id = "V07"
    meaning = "dead without a date, two dates of death, or alive after death"
    stage = "tables"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the contacts."""
        contacts = tables["contacts"]
        dead = contacts.filter(pl.col("status") == "dead")
        undated = located(
            dead.filter(pl.col("date").is_null()), "contacts", "date", "Dead, but without a date of death; add it."
        )
        dated = dead.filter(pl.col("date").is_not_null())
        several = dated.filter(pl.col("date").n_unique().over(KEY) > 1)
        twice = located(several, "contacts", "date", "There are two different dates of death; say which one is right.")
        death = dead.group_by(KEY).agg(pl.col("date").min().alias("_death")).drop_nulls()
        alive = contacts.filter(pl.col("status") == "alive").join(death, on=KEY, how="inner")
        after = located(
            alive.filter(pl.col("date") > pl.col("_death")),
            "contacts",
            "date",
            "Alive at a date after the date of death; correct one of them.",
        )
        return pl.concat([undated, twice, after])
