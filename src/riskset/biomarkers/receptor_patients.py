"""Hormone receptors of every patient: the sample that speaks at time zero, and the status."""

from __future__ import annotations

import polars as pl

from riskset.biomarkers.queries import questions
from riskset.biomarkers.specimen import NO_SAMPLE, choose, place
from riskset.biomarkers.specs import HormoneReceptorsSpec
from riskset.biomarkers.supplied import SUPPLIED, supplied_values
from riskset.tables import KEY

UNSETTLED = "neither receptor positive, and not both negative"


def patient_columns(spec: HormoneReceptorsSpec) -> dict[str, pl.DataType]:
    """Give the columns that hormone receptors add to `patients`; percentages are of invasive cells stained."""
    return {
        "hr": pl.Enum(list(spec.levels)),
        "er_percent": pl.Float64(),
        "pr_percent": pl.Float64(),
        "er_low": pl.Boolean(),
        "hr_reason": pl.String(),
        "hr_source": pl.Int32(),
        "hr_row": pl.Int32(),
        "hr_tissue": pl.String(),
        "hr_sample_date": pl.Date(),
        "hr_rule": pl.String(),
    }


def assign(
    samples: pl.DataFrame,
    patients: pl.DataFrame,
    supplied: pl.DataFrame,
    spec: HormoneReceptorsSpec,
    *,
    has_index: bool,
) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Give the patients with hormone receptor columns, and queries; parameters as for HER2.

    A supplied `hr` is used where no sample was tested, or first where the study prefers it.
    """
    # Positive above unknown above negative; of equals the one with more stained cells.
    class_rank = pl.col("hr_class").replace_strict({"negative": 0, "positive": 2}, default=1, return_dtype=pl.Int32)
    tested = (
        samples.with_columns(sample=pl.int_range(pl.len()))
        .filter("hr_tested")
        .with_columns(class_rank=class_rank)
        .with_columns(score_rank=pl.col("class_rank") * 1000 + pl.col("er_percent").fill_null(0))
    )
    placed = place(tested, patients, spec, has_index=has_index)
    chosen = choose(placed, patients, spec, has_index=has_index)
    fields = ["hr_class", "er_percent", "pr_percent", "er_low", "hr_rule", "source", "row", "tissue", "date"]
    joined = chosen.join(tested.select("sample", *fields), on="sample", how="left")
    unsettled = pl.col("hr_class").is_null() & pl.col("sample").is_not_null()
    joined = joined.with_columns(reason=pl.when(unsettled).then(pl.lit(UNSETTLED)).otherwise("reason"))
    values, unknown = supplied_values(supplied, "hr", spec.levels)
    merged = _merge(joined, values, spec)
    differ = merged.filter(pl.col("stated").is_not_null(), pl.col("hr_class") != pl.col("stated"))
    cells = differ.select(*KEY, source="stated_source", row="stated_row", value="stated")
    asked = [
        questions(placed.filter(pl.col("date").is_null()) if has_index else placed.clear(), "hr_undated", None),
        questions(cells, "hr_supplied", "value", table="supplied"),
        questions(unknown, "hr_supplied_unknown", "value", table="supplied"),
    ]
    columns = patient_columns(spec)
    added = merged.select(*KEY, *(pl.col(name).cast(dtype) for name, dtype in columns.items()))
    plain = patients.drop(list(columns), strict=False)
    return plain.join(added, on=KEY, how="left").sort(KEY), asked


def _merge(derived: pl.DataFrame, values: pl.DataFrame, spec: HormoneReceptorsSpec) -> pl.DataFrame:
    joined = derived.join(values, on=KEY, how="left")
    untested = (pl.col("reason") == NO_SAMPLE) if spec.prefer == "derived" else pl.lit(True)
    use = pl.col("stated").is_not_null() & untested

    def instead(supplied: pl.Expr, own: str) -> pl.Expr:
        return pl.when(use).then(supplied).otherwise(pl.col(own))

    return joined.with_columns(
        hr=instead(pl.col("stated"), "hr_class"),
        hr_reason=instead(pl.lit(SUPPLIED), "reason"),
        hr_source=instead(pl.col("stated_source"), "source"),
        hr_row=instead(pl.col("stated_row"), "row"),
        hr_tissue=instead(pl.lit(None), "tissue"),
        hr_sample_date=instead(pl.lit(None), "date"),
        hr_rule=instead(pl.lit(SUPPLIED), "hr_rule"),
    )
