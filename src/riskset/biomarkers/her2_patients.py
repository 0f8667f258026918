"""HER2 of every patient: the sample that speaks at time zero, its level in the study's scheme, and the reason."""

from __future__ import annotations

import polars as pl

from riskset.biomarkers.her2_rules import CLASS_ORDER, IHC_ZERO, MOST_ZERO_NOS, SCHEMES, SCORES
from riskset.biomarkers.queries import questions
from riskset.biomarkers.specimen import NO_SAMPLE, choose, place
from riskset.biomarkers.specs import Her2Spec
from riskset.biomarkers.supplied import SUPPLIED, supplied_values
from riskset.errors import DataRefusedError
from riskset.tables import KEY

POSITIVE = "positive"
POSITIVE_BEFORE = "positive sample before index"
POSITIVE_UNDATED = "positive sample without a date"

_CLASS_REASONS = {
    "INDETERMINATE": "indeterminate",
    "NEG_UNSPEC": "negative without a score",
    "UNKNOWN": "result cannot be read",
    "ZERO": "IHC 0 without a statement of staining",
    "LOW": "score not unambiguous",
}
# A supplied level says which class the hospital meant.
_SUPPLIED_CLASSES = {
    "zero": "ZERO",
    "null": "ZERO",
    "ultralow": "ZERO",
    "ihc_0": "ZERO",
    "low": "LOW",
    "ihc_1": "LOW",
    "ihc_2": "LOW",
    POSITIVE: "POSITIVE",
}


def patient_columns(spec: Her2Spec) -> dict[str, pl.DataType]:
    """Give the columns that HER2 adds to `patients`; `her2` has the scheme's levels in order, then `positive`."""
    return {
        "her2": pl.Enum([*spec.levels, POSITIVE]),
        "her2_class": pl.String(),
        "her2_reason": pl.String(),
        "her2_source": pl.Int32(),
        "her2_row": pl.Int32(),
        "her2_tissue": pl.String(),
        "her2_sample_date": pl.Date(),
        "her2_score": pl.String(),
        "her2_ish": pl.String(),
        "her2_rule": pl.String(),
    }


def assign(
    samples: pl.DataFrame, patients: pl.DataFrame, supplied: pl.DataFrame, spec: Her2Spec, *, has_index: bool
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Give the patients with HER2 columns, and queries.

    Parameters
    ----------
    samples
        Classified samples (`her2_samples.classify`).
    patients
        With `index_date`.
    supplied
        The canonical table; its `her2` is used where no sample was tested, or first where the study prefers it.
    spec
        The study's HER2.
    has_index
        False in a study without index dates.

    Raises
    ------
    DataRefusedError
        The scheme divides IHC 0, but more than 20 % of IHC 0 do not say whether cells were stained.
    """
    _refuse_unknown_zero(samples, spec)
    tested = (
        samples.with_columns(sample=pl.int_range(pl.len()))
        .filter("her2_tested")
        .with_columns(score_rank=_rank("her2_score", SCORES), class_rank=_rank("her2_class", CLASS_ORDER))
    )
    placed = place(tested, patients, spec, has_index=has_index)
    chosen = choose(placed, patients, spec, has_index=has_index)
    if spec.exclude_ever_positive:
        chosen = _ever_positive(chosen, placed)
    derived = _levels(chosen, tested, spec)
    values, unknown = supplied_values(supplied, "her2", [*spec.levels, POSITIVE])
    merged = _merge(derived, values, spec)
    differ = merged.filter(pl.col("stated").is_not_null(), pl.col("derived") != pl.col("stated"))
    asked = [
        questions(placed.filter(pl.col("date").is_null()) if has_index else placed.clear(), "her2_undated", None),
        questions(_cells(differ), "her2_supplied", "value", table="supplied"),
        questions(unknown, "her2_supplied_unknown", "value", table="supplied"),
    ]
    columns = patient_columns(spec)
    added = merged.select(*KEY, *(pl.col(name).cast(dtype) for name, dtype in columns.items()))
    plain = patients.drop(list(columns), strict=False)
    return plain.join(added, on=KEY, how="left").sort(KEY), asked


def _cells(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(*KEY, source="stated_source", row="stated_row", value="stated")


def _rank(column: str, order: tuple[str, ...]) -> pl.Expr:
    ranks = {name: rank for rank, name in enumerate(order)}
    return pl.col(column).replace_strict(ranks, return_dtype=pl.Int32)


def _refuse_unknown_zero(samples: pl.DataFrame, spec: Her2Spec) -> None:
    if spec.scheme != "null_ultralow_low":
        return
    zero = samples.filter(pl.col("her2_score").is_in(IHC_ZERO))
    unknown = zero.filter(pl.col("her2_score") == "0_NOS").height
    if zero.height and unknown / zero.height > MOST_ZERO_NOS:
        raise DataRefusedError(
            f"biomarkers.her2.scheme is null_ultralow_low, but {unknown} of {zero.height} samples with IHC 0 do not "
            f"say whether cells were stained (at most {MOST_ZERO_NOS:.0%} may); use zero_low, or map 'ihc_percent'."
        )


def _ever_positive(chosen: pl.DataFrame, placed: pl.DataFrame) -> pl.DataFrame:
    """Let a positive sample before the index speak whatever the policy chose; an undated one leaves it unknown."""
    positive = placed.filter(pl.col("her2_class") == "POSITIVE")
    order = ["who", "date", "score_rank", "source", "row", "sample"]
    before = (
        positive.filter(pl.col("place") == "before")
        .sort(order, descending=[False, True, True, False, False, False])
        .unique("who", keep="first", maintain_order=True)
        .select("who", positive="sample")
    )
    undated = positive.filter(pl.col("place") == "unplaced").select("who", undated=pl.lit(True)).unique()
    classes = placed.select("sample", policy_class="her2_class")
    joined = (
        chosen.join(classes, on="sample", how="left")
        .join(before, on="who", how="left")
        .join(undated, on="who", how="left")
    )
    settled = pl.col("policy_class").eq_missing(pl.lit("POSITIVE"))
    overruled = ~settled & pl.col("positive").is_not_null()
    doubtful = ~settled & ~overruled & pl.col("undated").is_not_null()
    return joined.select(
        *KEY,
        "who",
        sample=pl.when(overruled).then("positive").when(~doubtful).then("sample"),
        reason=pl.when(overruled)
        .then(pl.lit(POSITIVE_BEFORE))
        .when(doubtful)
        .then(pl.lit(POSITIVE_UNDATED))
        .otherwise("reason"),
    ).sort("who")


def _levels(chosen: pl.DataFrame, tested: pl.DataFrame, spec: Her2Spec) -> pl.DataFrame:
    """Join the chosen sample and name its level in the scheme; a null level has its own reason."""
    rows = [(*key, level) for key, level in SCHEMES[spec.scheme].items()]
    rows += [("POSITIVE", score, POSITIVE) for score in SCORES]
    schema = {"her2_class": pl.String, "her2_score": pl.String, "derived": pl.String}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    fields = ["her2_class", "her2_score", "her2_ish", "her2_rule", "source", "row", "tissue", "date"]
    joined = chosen.join(tested.select("sample", *fields), on="sample", how="left")
    joined = joined.join(table, on=["her2_class", "her2_score"], how="left")
    why = pl.col("her2_class").replace_strict(_CLASS_REASONS, default=None, return_dtype=pl.String)
    unclassed = pl.col("derived").is_null() & pl.col("sample").is_not_null()
    return joined.with_columns(
        reason=pl.when(unclassed).then(why).otherwise("reason"), her2_class=pl.col("her2_class").fill_null("UNKNOWN")
    )


def _merge(derived: pl.DataFrame, values: pl.DataFrame, spec: Her2Spec) -> pl.DataFrame:
    """Put the supplied level where it counts: no sample was tested, or the study prefers what hospitals supplied."""
    joined = derived.join(values, on=KEY, how="left")
    untested = (pl.col("reason") == NO_SAMPLE) if spec.prefer == "derived" else pl.lit(True)
    use = pl.col("stated").is_not_null() & untested
    stated_class = pl.col("stated").replace_strict(_SUPPLIED_CLASSES, default=None, return_dtype=pl.String)

    def instead(supplied: pl.Expr, own: str) -> pl.Expr:
        return pl.when(use).then(supplied).otherwise(pl.col(own))

    none = pl.lit(None)
    return joined.with_columns(
        her2=instead(pl.col("stated"), "derived"),
        her2_class=instead(stated_class, "her2_class"),
        her2_reason=instead(pl.lit(SUPPLIED), "reason"),
        her2_source=instead(pl.col("stated_source"), "source"),
        her2_row=instead(pl.col("stated_row"), "row"),
        her2_tissue=instead(none, "tissue"),
        her2_sample_date=instead(none, "date"),
        her2_score=instead(none, "her2_score"),
        her2_ish=instead(none, "her2_ish"),
        her2_rule=instead(pl.lit(SUPPLIED), "her2_rule"),
    )
