"""The tables that endpoint sources read: the canonical ones, responses per assessment, and what drug records tell."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import polars as pl

from riskset.endpoints.recist import timepoints
from riskset.tables import KEY, Tables

# No anticancer therapy in the sense of a new line: they accompany one.
ACCOMPANYING = ("supportive", "gnrh")
_EARLY = ("neoadjuvant", "adjuvant")
# The canonical table and column in which the dates of the derived tables are written.
_WRITTEN_IN = {"new_therapy": ("drugs", "start"), "treatment_stop": ("drugs", "stop")}


@dataclass(frozen=True)
class Facts:
    """The dated facts of a study."""

    tables: Tables

    @cached_property
    def index(self) -> pl.DataFrame:
        """Keys with `index_date`, `index_drug`, `index_line`; null where unknown."""
        patients = self.tables["patients"]
        wanted = {"index_date": pl.Date, "index_drug": pl.String, "physician_line": pl.Int32}
        frame = patients.select(
            *KEY,
            *(
                (pl.col(name) if name in patients.columns else pl.lit(None)).cast(dtype).alias(name)
                for name, dtype in wanted.items()
            ),
        )
        return frame.rename({"physician_line": "index_line"})

    def table(self, name: str) -> pl.DataFrame:
        """Give a fact table by name."""
        derived = {"assessments": "assessments", "new_therapy": "new_therapy", "treatment_stop": "treatment_stop"}
        return getattr(self, derived[name]) if name in derived else self.tables[name]

    def unreadable(self, table: str, date: str) -> pl.DataFrame:
        """Give the rows whose date a centre wrote but nobody could read or use: keys, `source`, `row`.

        A query tells them from rows that never had a date. It names a row of a sheet, not one of several rows of a
        table that the sheet's row gave; those that have a date are none of them.
        """
        place = [*KEY, "source", "row"]
        canonical, field = _WRITTEN_IN.get(table, (table, date))
        if "queries" not in self.tables:
            return self.tables[canonical].select(place).clear()
        asked = self.tables["queries"].filter(
            pl.col("action") == "set_missing", pl.col("table") == canonical, pl.col("field") == field
        )
        return asked.select(place).unique(maintain_order=True)

    @cached_property
    def assessments(self) -> pl.DataFrame:
        """Assessments with `timepoint`: the stated response, otherwise the one that the measurements give."""
        return timepoints(self.tables["assessments"], self.index)

    @cached_property
    def _drugs(self) -> pl.DataFrame:
        """Drug records of patients with an index date, with `inn` and `drug_class` even where no drug is known.

        A stop before the start of its record is no stop: when the drug was stopped is unknown.
        """
        drugs = self.tables["drugs"]
        absent = [pl.lit(None, pl.String).alias(name) for name in ("inn", "drug_class") if name not in drugs.columns]
        drugs = drugs.with_columns(absent).join(self.index, on=KEY, how="inner")
        possible = (pl.col("stop") >= pl.col("start")).fill_null(True)
        drugs = drugs.with_columns(pl.when(possible).then("stop").alias("stop"))
        return drugs.filter(pl.col("index_date").is_not_null())

    @cached_property
    def treatment_stop(self) -> pl.DataFrame:
        """The end of the index treatment: one row a patient whose last record of the index drug has a stop.

        Records of the same drug from the index date on belong to it, unless they state another line. Columns of the
        record, with `date` as its stop.
        """
        same_line = (pl.col("line") == pl.col("index_line")).fill_null(True)
        own = self._drugs.filter(
            pl.col("inn") == pl.col("index_drug"), pl.col("start") >= pl.col("index_date"), same_line
        )
        last = own.sort(*KEY, "start", "stop", "source", "row", nulls_last=True).unique(
            KEY, keep="last", maintain_order=True
        )
        return last.filter(pl.col("stop").is_not_null()).with_columns(pl.col("stop").alias("date"))

    @cached_property
    def new_therapy(self) -> pl.DataFrame:
        """Systemic anticancer therapies that are not part of the index regimen, one row a drug record.

        A record counts when it starts after the index date, is neither supportive nor GnRH nor (neo)adjuvant, and does
        not continue a record of the same drug that is still running (stopped on or after its start, or without a stop).
        Its line has to be later than the index line; where either line is unknown, it has to be a known anticancer drug
        that starts after the end of the index treatment, and, unless that ended for progression, of another class than
        the index drug (a change for toxicity within the class is the same line).
        """
        drugs = self._drugs.with_row_index("record")
        stops = self.treatment_stop.select(
            *KEY,
            pl.col("date").alias("treatment_stop"),
            pl.col("stop_reason").alias("treatment_reason"),
            pl.col("drug_class").alias("index_class"),
        )
        candidates = drugs.join(stops, on=KEY, how="left").filter(
            pl.col("start") > pl.col("index_date"),
            pl.col("drug_class").is_in(ACCOMPANYING).fill_null(False).not_(),
            pl.col("intent").is_in(_EARLY).fill_null(False).not_(),
        )
        later_line = pl.col("line") > pl.col("index_line")
        switch = pl.col("drug_class").eq_missing(pl.col("index_class")) & pl.col("treatment_reason").ne_missing(
            "progression"
        )
        after_stop = (pl.col("start") > pl.col("treatment_stop")) & pl.col("drug_class").is_not_null() & ~switch
        found = candidates.filter(pl.coalesce(later_line, after_stop))
        found = found.join(self._continuing(found, drugs), on="record", how="anti")
        return found.drop("record").sort(*KEY, "start", "source", "row")

    @staticmethod
    def _continuing(found: pl.DataFrame, drugs: pl.DataFrame) -> pl.DataFrame:
        """Give the records that continue an earlier record of the same drug."""
        earlier = drugs.select(
            *KEY,
            "inn",
            pl.col("start").alias("earlier"),
            pl.col("stop").alias("until"),
            pl.col("intent").is_in(_EARLY).fill_null(False).alias("early"),
        )
        pairs = found.select(*KEY, "inn", "record", "start").join(earlier, on=[*KEY, "inn"], how="inner")
        running = (pl.col("until") >= pl.col("start")).fill_null(~pl.col("early"))
        return pairs.filter(pl.col("earlier") < pl.col("start"), running).select("record").unique()
