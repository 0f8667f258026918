"""Best response of each patient, whether it is a success, and the denominators that it may be counted in."""

from __future__ import annotations

import polars as pl

from riskset.endpoints.facts import Facts
from riskset.endpoints.recist import ORDER, best_response
from riskset.endpoints.spec import Response
from riskset.tables import KEY, PROVENANCE, Tables, empty, fit

UNKNOWN_RESPONSE = "unknown_response"
CHECKS = {UNKNOWN_RESPONSE: "A stated best response is none of the words of RECIST; it is not used."}


def responses(spec: Response, facts: Facts, cutoffs: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give best responses and questions about stated ones that cannot be read.

    Dated responses count from the day after the index date to the first progression, the start of a new therapy or
    the data cut-off, these days included.

    In a centre that sends assessments, a patient with none after the index date and no stated response was never
    assessed: NE, which counts as failure. Where scans say nothing about response, or a stated response cannot be read,
    the best response is unknown.

    Returns
    -------
    responses, queries
        `centre, patient, best_response, responder, measurable, evaluable, source, row`, one row a patient with an index
        date or a stated best response.
    """
    dated = _dated(facts, cutoffs)
    derived = best_response(dated, spec.sd_min, spec.confirm_days)
    stated, queries = _stated(facts.tables)
    telling = dated.filter(pl.col("timepoint") != "PD").select(KEY).unique()
    if spec.prefer == "supplied":
        chosen = _first_of(stated, derived)
    else:
        chosen = _first_of(derived.join(telling, on=KEY, how="semi"), stated, derived)
    everyone = facts.index.filter(pl.col("index_date").is_not_null()).select(KEY)
    everyone = pl.concat([everyone, stated.select(KEY)]).unique()
    never = _never_assessed(facts).join(chosen, on=KEY, how="anti").with_columns(never=pl.lit(True))
    rows = everyone.join(chosen, on=KEY, how="left").join(never, on=KEY, how="left")
    not_evaluable = pl.when(pl.col("never")).then(pl.lit("NE"))
    rows = rows.with_columns(best_response=pl.coalesce("best_response", not_evaluable))
    rows = rows.join(_measurable(spec, facts), on=KEY, how="left")
    best = pl.col("best_response")
    rows = rows.with_columns(
        pl.when(best.is_not_null()).then(best.is_in(spec.success)).alias("responder"),
        (best != "NE").alias("evaluable"),
    )
    return rows.drop("never").sort(KEY), queries


def _first_of(*frames: pl.DataFrame) -> pl.DataFrame:
    """Give each patient the row of the first frame that has one."""
    return pl.concat(frames).unique(KEY, keep="first", maintain_order=True)


def _never_assessed(facts: Facts) -> pl.DataFrame:
    """Give the keys of patients without an assessment after the index date and without a stated best response.

    Only in centres that send assessments: elsewhere their absence tells nothing. A text that cannot be read is stated.
    """
    sent = facts.assessments.select("centre").unique()
    seen = facts.assessments.filter((pl.col("days") > 0).fill_null(True)).select(KEY)
    stated = facts.tables["supplied"].filter(pl.col("name") == "best_response", pl.col("value").is_not_null())
    started = facts.index.filter(pl.col("index_date").is_not_null()).join(sent, on="centre", how="semi")
    return started.select(KEY).join(pl.concat([seen, stated.select(KEY)]), on=KEY, how="anti")


def _dated(facts: Facts, cutoffs: pl.DataFrame) -> pl.DataFrame:
    """Give the dated responses that count."""
    known = facts.assessments.filter(pl.col("days") > 0, pl.col("timepoint").is_in(ORDER))
    progression = known.filter(pl.col("timepoint") == "PD").group_by(KEY).agg(pl.col("date").min().alias("until_pd"))
    therapy = facts.new_therapy.group_by(KEY).agg(pl.col("start").min().alias("until_therapy"))
    known = known.join(progression, on=KEY, how="left").join(therapy, on=KEY, how="left")
    known = known.join(cutoffs, on="centre", how="left")
    until = pl.min_horizontal("until_pd", "until_therapy", "cutoff")
    counted = known.filter((pl.col("date") <= until).fill_null(True))
    return counted.select(*KEY, "days", "timepoint", "source", "row")


def _stated(tables: Tables) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give the stated best responses: assessments without a date, then the supplied `best_response`; best one first."""
    undated = tables["assessments"].filter(pl.col("date").is_null(), pl.col("response").is_not_null())
    supplied = tables["supplied"].filter(pl.col("name") == "best_response", pl.col("value").is_not_null())
    word = pl.col("value").str.strip_chars().str.to_uppercase()
    rows = pl.concat(
        [
            undated.select(*KEY, best_response="response", source="source", row="row", place=pl.lit(0)),
            supplied.select(*KEY, word.alias("best_response"), "source", "row", place=pl.lit(1)),
        ]
    )
    known = rows.filter(pl.col("best_response").is_in(ORDER))
    rank = pl.col("best_response").replace_strict(list(ORDER), list(range(len(ORDER))), return_dtype=pl.Int32)
    known = known.sort(*KEY, "place", rank, "source", "row").unique(KEY, keep="first", maintain_order=True)
    misread = supplied.filter(~word.is_in(ORDER))
    return known.select(*KEY, "best_response", "source", "row"), _asked(misread)


def _measurable(spec: Response, facts: Facts) -> pl.DataFrame:
    """Give `measurable`: the covariate, else the supplied value, else true where target lesions were measured."""
    patients = facts.tables["patients"]
    own = pl.lit(None, pl.Boolean)
    if patients.schema.get(spec.measurable) == pl.Boolean:
        own = pl.col(spec.measurable)
    supplied = facts.tables["supplied"].filter(pl.col("name") == spec.measurable)
    text = pl.coalesce("value", pl.col("number").cast(pl.String)).str.to_lowercase()
    truth = {"true": True, "yes": True, "1": True, "1.0": True, "false": False, "no": False, "0": False, "0.0": False}
    said = supplied.select(*KEY, said=text.replace_strict(truth, default=None, return_dtype=pl.Boolean))
    said = said.group_by(KEY).agg(pl.col("said").drop_nulls().unique()).filter(pl.col("said").list.len() == 1)
    said = said.with_columns(pl.col("said").list.first())
    measured = facts.assessments.filter(pl.col("baseline_sum") > 0).select(*KEY, measured=pl.lit(True)).unique()
    frame = patients.select(*KEY, own.alias("own")).join(said, on=KEY, how="left").join(measured, on=KEY, how="left")
    return frame.select(*KEY, pl.coalesce("own", "said", "measured").alias("measurable"))


def _asked(rows: pl.DataFrame) -> pl.DataFrame:
    if rows.is_empty():
        return empty(PROVENANCE["queries"])
    asked = rows.select(
        *KEY,
        pl.lit(UNKNOWN_RESPONSE).alias("check"),
        pl.lit("warning").alias("severity"),
        pl.lit("set_missing").alias("action"),
        pl.lit("supplied").alias("table"),
        pl.lit("best_response").alias("field"),
        "source",
        "row",
        pl.lit(f"The best response is none of {', '.join(ORDER)}; correct it or add its code to the mapping.").alias(
            "message"
        ),
        "value",
    )
    return fit(asked.sort(*KEY, "source", "row"), PROVENANCE["queries"])
