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
        # A value is set missing field by field, so then each field of a cell has its query.
        once = protocol.quality.get(self.id, self.policy) != "set_missing"
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
        return _each_cell_once(pl.concat([nothing(), *found]), tables, across_fields=once)


def _each_cell_once(found: pl.DataFrame, tables: Tables, *, across_fields: bool) -> pl.DataFrame:
    """Keep one problem a cell, which may feed several rows of a table and, `across_fields`, several fields."""
    rows = found.unique(["centre", "patient", "table", "field", "source", "row", "value"], maintain_order=True)
    if not across_fields or "fields" not in tables:
        return rows
    field = ["source", "table", "field"]
    # A repeated field reads several columns: which one held the date is not known, so its problems stay apart.
    single = tables["fields"].unique().filter(pl.len().over(field) == 1)
    placed = rows.join(single, on=field, how="left", maintain_order="left")
    cell = pl.coalesce("column", pl.format("{}.{}", "table", "field"))
    kept = placed.with_columns(_cell=cell).unique(
        ["centre", "patient", "source", "row", "_cell", "value"], keep="first", maintain_order=True
    )
    return kept.select(found.columns)


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
        known = [c for c in _ORDER if c in people.columns]
        message: pl.Expr = pl.lit(None, pl.String)
        wrong: pl.Expr = pl.lit(None, pl.String)
        # From the last pair to the first, so that the first violation in the order wins.
        for later, earlier in reversed([(b, a) for i, b in enumerate(known) for a in known[:i]]):
            broken = pl.col(later) < pl.col(earlier)
            if (earlier, later) == ("birth", "diagnosis"):
                broken = pl.col(later) <= pl.col(earlier)
            text = f"The date of {_ORDER[later]} lies before that of {_ORDER[earlier]}; correct one of them."
            message = pl.when(broken).then(pl.lit(text)).otherwise(message)
            wrong = pl.when(broken).then(pl.lit(later)).otherwise(wrong)
        broken_rows = people.with_columns(_message=message, _wrong=wrong).filter(pl.col("_message").is_not_null())
        return pl.concat([nothing(), *(_at_cell(broken_rows, name, protocol) for name in known)])


# The dates that have to follow each other, with their names.
_ORDER = {
    "birth": "birth",
    "diagnosis": "diagnosis",
    "metastatic": "metastatic disease",
    "index_date": "index date",
    "progression": "progression",
    "death": "death",
}


def _at_cell(broken_rows: pl.DataFrame, name: str, protocol: Protocol) -> pl.DataFrame:
    """Give the problems in which one of the dates lies before another, at the cell that holds it."""
    index = protocol.index
    table, field, source, row = {
        "index_date": (index.table if index else None, index.date if index else None, "index_source", "index_row"),
        "progression": ("assessments", "date", "progression_source", "progression_row"),
        "death": ("contacts", "date", "death_source", "death_row"),
    }.get(name, ("patients", name, "source", "row"))
    here = broken_rows.filter(pl.col("_wrong") == name)
    return here.select(
        *KEY,
        pl.lit(table, pl.String).alias("table"),
        pl.lit(field, pl.String).alias("field"),
        pl.col(source).cast(pl.Int32).alias("source"),
        pl.col(row).cast(pl.Int32).alias("row"),
        pl.col("_message").alias("message"),
        pl.col(name).cast(pl.String).alias("value"),
    )


def _first(frame: pl.DataFrame, name: str) -> pl.DataFrame:
    """Give each patient's first date under that name, and where it stands."""
    dated = frame.filter(pl.col("date").is_not_null()).sort(*KEY, "date", "source", "row")
    first = dated.unique(KEY, keep="first", maintain_order=True)
    place = (pl.col("source").alias(f"{name}_source"), pl.col("row").alias(f"{name}_row"))
    return first.select(*KEY, pl.col("date").alias(name), *place)


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
