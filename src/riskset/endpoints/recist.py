"""Response at one assessment by RECIST 1.1, from the measurements, and the best response of a patient.

Eisenhauer et al., Eur J Cancer 2009;45:228-247. Sums are in mm. A stated response is taken as it is; measurements speak
only where none is stated.
"""

from __future__ import annotations

import polars as pl

from riskset.tables import KEY

# From best to worst; NE is worst because it says nothing.
ORDER = ("CR", "PR", "SD", "NON_CR_NON_PD", "PD", "NE")
_TOLERANCE = 1e-9  # so that 21.0 mm is 30 % below 30.0 mm in binary arithmetic too


def timepoints(assessments: pl.DataFrame, index: pl.DataFrame) -> pl.DataFrame:
    """Add `timepoint`, `days` (from the index date, null without a date) and `baseline_sum` to the assessments.

    The baseline is the last sum of target lesions dated on or before the index date; the nadir the smallest sum from
    the baseline to the assessment before. Only assessments after the index date get a response from measurements:
    progressive disease at a new lesion, unequivocal non-target progression, or a sum at least 20 % and 5 mm above the
    nadir; partial response at 30 % below the baseline; complete response at a sum of 0 with no non-target lesion left;
    without target lesions the non-target response; not evaluable where a sum was measured at baseline but not now.
    """
    frame = assessments.join(index.select(*KEY, "index_date"), on=KEY, how="left", maintain_order="left")
    frame = frame.with_columns((pl.col("date") - pl.col("index_date")).dt.total_days().cast(pl.Int32).alias("days"))
    baseline = (
        frame.filter(pl.col("days") <= 0, pl.col("target_sum").is_not_null())
        .sort(*KEY, "date", "source", "row")
        .group_by(KEY, maintain_order=True)
        .agg(pl.col("target_sum").last().alias("baseline_sum"), pl.col("date").last().alias("baseline_date"))
    )
    frame = frame.join(baseline, on=KEY, how="left", maintain_order="left")
    frame = frame.sort(*KEY, "date", "source", "row", nulls_last=True)
    since = pl.when(pl.col("date") >= pl.col("baseline_date")).then("target_sum")
    nadir = since.cum_min().forward_fill().shift(1).over(KEY)
    frame = frame.with_columns(nadir.alias("nadir"))
    frame = frame.with_columns(pl.coalesce("response", _measured()).alias("timepoint"))
    return frame.drop("index_date", "baseline_date", "nadir")


def _measured() -> pl.Expr:
    total, baseline, nadir = pl.col("target_sum"), pl.col("baseline_sum"), pl.col("nadir")
    others = pl.col("non_target")
    grown = (total >= 1.2 * nadir - _TOLERANCE) & (total - nadir >= 5 - _TOLERANCE)
    return (
        pl.when((pl.col("days") > 0).fill_null(False).not_())
        .then(pl.lit(None, pl.String))
        .when(pl.col("new_lesion") | (others == "PD") | grown)
        .then(pl.lit("PD"))
        .when(baseline.is_null())
        .then(others)
        .when(total.is_null())
        .then(pl.lit("NE"))
        .when((total == 0) & others.fill_null("CR").eq("CR"))
        .then(pl.lit("CR"))
        .when(total <= 0.7 * baseline + _TOLERANCE)
        .then(pl.lit("PR"))
        .otherwise(pl.lit("SD"))
    )


def best_response(dated: pl.DataFrame, sd_min: int, confirm_days: int | None) -> pl.DataFrame:
    """Give the best of the responses of each patient.

    Parameters
    ----------
    dated
        `centre, patient, days, timepoint, source, row`: the responses that count, none after the first progression.
    sd_min
        Days from which SD and NON_CR_NON_PD count; earlier ones are not evaluable.
    confirm_days
        A CR needs a CR, a PR needs a CR or PR at least so many days later; otherwise it counts as SD from `sd_min` on
        and as not evaluable before. None: no confirmation.

    Returns
    -------
    DataFrame
        `centre, patient, best_response, source, row` of the assessment that decided: the first with that response.
    """
    response, days = pl.col("timepoint"), pl.col("days")
    if confirm_days is not None:
        last_complete = days.filter(response == "CR").max().over(KEY)
        last_partial = days.filter(response.is_in(["CR", "PR"])).max().over(KEY)
        seen_again = pl.when(response == "CR").then(last_complete).otherwise(last_partial) - days >= confirm_days
        unconfirmed = response.is_in(["CR", "PR"]) & ~seen_again
        response = pl.when(unconfirmed).then(pl.lit("SD")).otherwise(response)
    counted = dated.with_columns(response.alias("counted"))
    early = pl.col("counted").is_in(["SD", "NON_CR_NON_PD"]) & (days < sd_min)
    counted = counted.with_columns(pl.when(early).then(pl.lit("NE")).otherwise("counted").alias("best_response"))
    rank = pl.col("best_response").replace_strict(list(ORDER), list(range(len(ORDER))), return_dtype=pl.Int32)
    best = counted.with_columns(rank.alias("rank")).sort(*KEY, "rank", "days", "source", "row")
    return best.unique(KEY, keep="first", maintain_order=True).select(*KEY, "best_response", "source", "row")
