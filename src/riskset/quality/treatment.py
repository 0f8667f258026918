"""Checks of drug records: dates, lines, and what the end and the next therapy say about progression."""

from __future__ import annotations

from datetime import timedelta

import polars as pl

from riskset.protocol import Protocol
from riskset.quality.check import Check, located, nothing
from riskset.tables import KEY, Tables

# A line of therapy from this one on is more often a slip of the pen than the truth.
IMPLAUSIBLE_LINE = 10
# A progression so many days before the drug was stopped explains the stop.
EXPLAINS = timedelta(days=60)
# No therapy of their own: they accompany one.
ACCOMPANYING = ("supportive", "gnrh")
ENDOCRINE = ("aromatase_inhibitor", "serd", "serm")


class StopBeforeStart(Check):
    """A drug that was stopped before it was started."""

    id = "V24"
    meaning = "a drug was stopped before its start"
    stage = "tables"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at each record."""
        wrong = tables["drugs"].filter(pl.col("stop") < pl.col("start"))
        return located(wrong, "drugs", "stop", "The drug was stopped before its start; correct one of the dates.")


class LineOfTherapy(Check):
    """A line below 1 or implausibly high, or one that leaves out a line between those recorded.

    How many lines a study allows is for its eligibility criteria to say.
    """

    id = "V26"
    meaning = f"line of therapy below 1, from {IMPLAUSIBLE_LINE} on, or with a gap before it"
    stage = "tables"
    severity = "warning"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at the stated lines; lines before a patient's first recorded one are not missed."""
        drugs = tables["drugs"].filter(pl.col("line").is_not_null())
        odd = (pl.col("line") < 1) | (pl.col("line") >= IMPLAUSIBLE_LINE)
        impossible = located(drugs.filter(odd), "drugs", "line", "The line of therapy is implausible; correct it.")
        lines = drugs.filter(~odd).select(*KEY, "line").unique().sort(*KEY, "line")
        gaps = lines.filter(pl.col("line").diff().over(KEY) > 1)
        after_gap = drugs.join(gaps, on=[*KEY, "line"], how="semi", maintain_order="left")
        text = "The line before this one is not recorded; add its drugs, or correct the line."
        return pl.concat([impossible, located(after_gap, "drugs", "line", text)])


class ProgressionBeforeIndex(Check):
    """All stated progressions of a patient lie before the index date."""

    id = "V52"
    meaning = "progression stated only before the index date"
    stage = "derived"
    severity = "warning"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Ask about the last progression; it may be of an earlier line, or its date may be wrong."""
        stated = _stated_progressions(tables).join(_index(tables), on=KEY, how="inner")
        last = stated.sort(*KEY, "date", "source", "row").unique(KEY, keep="last", maintain_order=True)
        text = "Progression is stated only before the index date; confirm that it is of an earlier line, or correct it."
        return located(last.filter(pl.col("date") < pl.col("index_date")), "assessments", "date", text)


class StopWithoutProgression(Check):
    """The index drug was stopped for progression, and no progression is recorded that explains it."""

    id = "V53"
    meaning = "the index drug was stopped for progression, but no progression is recorded"
    stage = "derived"
    severity = "warning"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look for a progression, stated or measured, from the index date on or shortly before the stop.

        Centres without dated assessments are passed over: they record no progressions.
        """
        if "inn" not in tables["drugs"].columns:
            return nothing()
        stops = (
            tables["drugs"]
            .join(_index(tables), on=KEY, how="inner", maintain_order="left")
            .filter(
                pl.col("inn") == pl.col("index_drug"),
                pl.col("start") >= pl.col("index_date"),
                pl.col("stop_reason") == "progression",
            )
        )
        recorded = tables["assessments"].filter(pl.col("date").is_not_null()).select("centre").unique()
        stops = stops.join(recorded, on="centre", how="semi", maintain_order="left").with_row_index("_stop")
        progressions = _progressions(tables).rename({"date": "_date"})
        pairs = stops.select("_stop", *KEY, "index_date", "stop").join(progressions, on=KEY, how="inner")
        since = pl.col("_date") >= pl.col("index_date")
        shortly_before = pl.col("_date").is_between(pl.col("stop") - EXPLAINS, pl.col("stop"))
        explained = pairs.filter(since | shortly_before)
        unexplained = stops.join(explained, on="_stop", how="anti", maintain_order="left")
        text = "The drug was stopped for progression, but no progression is recorded; add its date, or correct this."
        return located(unexplained, "drugs", "stop_reason", text)


class LaterLineBeforeIndex(Check):
    """A therapy of a later line, or one for metastatic disease that nothing marks as earlier, before the index date."""

    id = "V54"
    meaning = "a next or unexplained therapy starts before the index date"
    stage = "derived"
    severity = "warning"

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Look at stated lines; without one, at anticancer drugs that had not ended by the index date.

        An endocrine drug without a line may be the partner of the index drug, unless another one is by its line.
        """
        drugs = tables["drugs"]
        if "inn" not in drugs.columns:
            return nothing()
        records = drugs.join(_index(tables), on=KEY, how="inner", maintain_order="left")
        endocrine = pl.col("drug_class").is_in(ENDOCRINE).fill_null(False)
        partners = records.filter(endocrine & (pl.col("line") == pl.col("physician_line"))).select(*KEY).unique()
        records = records.join(partners.with_columns(_partner=True), on=KEY, how="left", maintain_order="left")
        accompanying = pl.col("drug_class").is_in(ACCOMPANYING).fill_null(False)
        maybe_partner = endocrine & pl.col("_partner").is_null()
        unmarked = (
            pl.col("line").is_null()
            & (pl.col("intent") == "metastatic")
            & pl.col("inn").ne_missing(pl.col("index_drug"))
            & ~maybe_partner
            & (pl.col("stop") > pl.col("index_date")).fill_null(True)
        )
        later = pl.col("line") > pl.col("physician_line")
        before = pl.col("start") < pl.col("index_date")
        found = records.filter(before & ~accompanying & (later.fill_null(False) | unmarked.fill_null(False)))
        text = "The therapy starts before the index date; correct its start, or add the line or stop of an earlier one."
        return located(found, "drugs", "start", text)


def _index(tables: Tables) -> pl.DataFrame:
    """Give keys with what is known of time zero; patients without an index date are left out."""
    patients = tables["patients"]
    wanted = {"index_date": pl.Date, "index_drug": pl.String, "physician_line": pl.Int32}
    columns = [
        (pl.col(name) if name in patients.columns else pl.lit(None)).cast(dtype).alias(name)
        for name, dtype in wanted.items()
    ]
    return patients.select(*KEY, *columns).filter(pl.col("index_date").is_not_null())


def _stated_progressions(tables: Tables) -> pl.DataFrame:
    return tables["assessments"].filter(pl.col("response") == "PD", pl.col("date").is_not_null())


def _progressions(tables: Tables) -> pl.DataFrame:
    """Give `centre, patient, date` of progressions: stated ones, and those that endpoints took from measurements."""
    stated = _stated_progressions(tables).select(*KEY, "date")
    if "candidates" not in tables:
        return stated
    event = (pl.col("role") == "event") & (pl.col("reason") == "progression") & pl.col("date").is_not_null()
    return pl.concat([stated, tables["candidates"].filter(event).select(*KEY, "date")]).unique(maintain_order=True)
