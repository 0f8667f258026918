"""Hormone receptors of every sample: class of each receptor, of both together, and what is asked back."""

from __future__ import annotations

import polars as pl

from riskset.biomarkers.queries import questions
from riskset.biomarkers.reading import UNKNOWN
from riskset.biomarkers.receptor_reading import progesterone, read_receptor
from riskset.biomarkers.receptor_rules import INVALID, NEGATIVE, POSITIVE_CLASSES, UNRESOLVED, scales
from riskset.biomarkers.specs import HormoneReceptorsSpec

SAMPLE_COLUMNS: dict[str, pl.DataType] = {
    "er_class": pl.String(),
    "pr_class": pl.String(),
    "hr_class": pl.String(),
    "er_percent": pl.Float64(),
    "pr_percent": pl.Float64(),
    "er_low": pl.Boolean(),
    "hr_rule": pl.String(),
}


def classify(samples: pl.DataFrame, spec: HormoneReceptorsSpec) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Give the samples with `SAMPLE_COLUMNS`, `hr_tested` and queries; every distinct text is read once.

    `hr_class` is positive if either receptor is, negative only if both are, else null. `er_percent` and `pr_percent`
    are null unless one exact percentage is stated.
    """
    plain = samples.drop(list(SAMPLE_COLUMNS), strict=False)
    read = plain.with_columns(_row=pl.int_range(pl.len()))
    for receptor in ("er", "pr"):
        by = [receptor, f"{receptor}_scale"]
        read = read.join(_readings(read, receptor, spec), on=by, how="left", nulls_equal=True)
    er, pr = pl.col("er_class"), pl.col("pr_class")
    read = read.with_columns(
        hr_class=pl.when(er.is_in(POSITIVE_CLASSES) | pr.is_in(POSITIVE_CLASSES))
        .then(pl.lit("positive"))
        .when((er == NEGATIVE) & (pr == NEGATIVE))
        .then(pl.lit("negative")),
        hr_rule=pl.concat_str(pl.lit("2f.er_"), er.str.to_lowercase(), pl.lit(".pr_"), pr.str.to_lowercase()),
        hr_tested=(er != "MISSING") | (pr != "MISSING"),
    ).sort("_row")
    asked = [questions(read.filter(rows), message, value) for message, value, rows in _questions()]
    return read.select(*plain.columns, "hr_tested", *SAMPLE_COLUMNS), asked


def _readings(samples: pl.DataFrame, receptor: str, spec: HormoneReceptorsSpec) -> pl.DataFrame:
    used = scales(float(spec.cut), float(spec.h_score_cut))
    distinct = samples.select(receptor, f"{receptor}_scale").unique().sort(receptor, f"{receptor}_scale")
    rows = []
    for text, scale in distinct.iter_rows():
        reading = read_receptor(text, scale, used)
        reading = progesterone(reading) if receptor == "pr" else reading
        rows.append((text, scale, reading.receptor_class, reading.percent, reading.low))
    schema = {
        receptor: pl.String,
        f"{receptor}_scale": pl.String,
        f"{receptor}_class": pl.String,
        f"{receptor}_percent": pl.Float64,
        f"{receptor}_low": pl.Boolean,
    }
    return pl.DataFrame(rows, schema=schema, orient="row")


def _questions() -> list[tuple[str, str, pl.Expr]]:
    asked = []
    for receptor in ("er", "pr"):
        found = pl.col(f"{receptor}_class")
        asked += [
            (f"receptor_{receptor}", receptor, found == UNKNOWN),
            (f"receptor_{receptor}_impossible", receptor, found == INVALID),
            (f"receptor_{receptor}_unresolved", receptor, found == UNRESOLVED),
        ]
    odd = (pl.col("er_class") == NEGATIVE) & pl.col("pr_class").is_in(POSITIVE_CLASSES)
    return [*asked, ("receptor_er_negative_pr_positive", "er", odd)]
