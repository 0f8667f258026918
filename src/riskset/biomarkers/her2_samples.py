"""HER2 of every sample: score, final ISH result, class and the id of the rule that gave it, and what is asked back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import polars as pl

from riskset.biomarkers.her2_reading import IhcReading, IshReading, read_ihc, read_ish
from riskset.biomarkers.her2_rules import (
    CLASS_ROW,
    CLASSES,
    COPIES_HIGH,
    COPIES_LOW,
    DECALCIFIED,
    HARSH_DECALCIFICATION,
    IHC_COLUMN,
    IHC_ZERO,
    ISH_COLUMN,
    ISH_GROUP_CHECKS,
    ISH_GROUPS,
    NO_IHC_COLUMN,
    RATIO_CUT,
)
from riskset.biomarkers.queries import questions
from riskset.biomarkers.reading import UNKNOWN
from riskset.protocol import MappingFile

# Hospitals began to write 0+ for ultralow about then.
ZERO_PLUS_SINCE = date(2024, 1, 1)

SAMPLE_COLUMNS: dict[str, pl.DataType] = {
    "her2_score": pl.String(),
    "her2_ish": pl.String(),
    "her2_class": pl.String(),
    "her2_rule": pl.String(),
}

_IHC = {"ihc_score": pl.String, "ihc_rule": pl.String, "ihc_ish": pl.String, "counts_plus": pl.Boolean}
_ISH = {"word": pl.String, "word_rule": pl.String, "text_ratio": pl.Float64, "text_copies": pl.Float64}
_SETTLED = ["NEG", "POS"]


def classify(samples: pl.DataFrame, mappings: Mapping[str, MappingFile]) -> tuple[pl.DataFrame, list[pl.DataFrame]]:
    """Give the samples with `SAMPLE_COLUMNS`, `her2_tested` and queries.

    Every distinct text is read once. `her2_tested` says whether anything about HER2 was reported: an unreadable text
    counts as tested, an empty cell or "not done" does not.
    """
    read = _with_readings(samples)
    scored = _scores(read, mappings)
    final = _final_ish(scored)
    classed = _classes(final)
    asked = [questions(classed.filter(condition), message, value) for message, value, condition in _questions()]
    added = ["her2_tested", *SAMPLE_COLUMNS]
    plain = samples.drop(list(SAMPLE_COLUMNS), strict=False)
    return pl.concat([plain, classed.select(added)], how="horizontal"), asked


def _with_readings(samples: pl.DataFrame) -> pl.DataFrame:
    """Add what the texts say, and the number of the row, by which nothing gets out of order."""
    numbered = samples.with_columns(_row=pl.int_range(pl.len()))
    ihc = _read_once(numbered["ihc"], read_ihc, _ihc_fields, "ihc", _IHC)
    read = numbered.join(ihc, on="ihc", how="left", nulls_equal=True)
    column = _read_once(read["ish"], read_ish, _ish_fields, "ish", _ISH)
    within = _read_once(read["ihc_ish"], read_ish, _ish_fields, "ihc_ish", {f"in_{k}": v for k, v in _ISH.items()})
    read = read.join(column, on="ish", how="left", nulls_equal=True)
    return read.join(within, on="ihc_ish", how="left", nulls_equal=True).sort("_row")


def _read_once(
    texts: pl.Series,
    reader: Callable[[str | None], Any],
    fields: Callable[[Any], tuple[object, ...]],
    name: str,
    schema: Mapping[str, Any],
) -> pl.DataFrame:
    distinct = texts.unique().sort().to_list()
    rows = [(text, *fields(reader(text))) for text in distinct]
    return pl.DataFrame(rows, schema={name: pl.String, **schema}, orient="row")


def _ihc_fields(reading: IhcReading) -> tuple[object, ...]:
    return reading.score, reading.rule, reading.ish, reading.counts_plus


def _ish_fields(reading: IshReading) -> tuple[object, ...]:
    return reading.word, reading.rule, reading.ratio, reading.copies


def _scores(read: pl.DataFrame, mappings: Mapping[str, MappingFile]) -> pl.DataFrame:
    """Settle what the text alone leaves open: a lone plus, 0+, and a share of stained cells beside IHC 0."""
    ordinal = [centre for centre, mapping in mappings.items() if mapping.her2.plus_scale == "ordinal"]
    ultralow = [centre for centre, mapping in mappings.items() if mapping.her2.zero_plus == "ultralow"]
    raw, percent = pl.col("ihc_score"), pl.col("ihc_percent")
    lone = raw == "AMBIG_PLUS"
    declared = pl.col("centre").is_in(ordinal)
    # The declaration is believed only where the same column shows a scale of pluses.
    counted = declared & pl.col("counts_plus").any().over("centre", "source")
    zero_plus = raw == "AMBIG_0PLUS"
    recent = (pl.col("date") >= ZERO_PLUS_SINCE).fill_null(False)
    zero = raw == "0_NOS"
    score = (
        pl.when(lone & counted)
        .then(pl.lit("1+"))
        .when(lone)
        .then(pl.lit("POS_NOS"))
        .when(zero_plus & pl.col("centre").is_in(ultralow) & recent)
        .then(pl.lit("0_ultralow"))
        .when(zero_plus)
        .then(pl.lit("0_NOS"))
        .when(zero & (percent == 0))
        .then(pl.lit("0_null"))
        .when(zero & (percent > 0) & (percent <= 10))
        .then(pl.lit("0_ultralow"))
        .otherwise(raw)
    )
    return read.with_columns(
        her2_score=score,
        lone_plus=lone & ~declared,
        undercut_scale=lone & declared & ~counted,
        percent_conflict=zero & (percent > 10).fill_null(False),
    )


def _final_ish(scored: pl.DataFrame) -> pl.DataFrame:
    """Find the final ISH result: by ratio and copies where they are stated, else by the word."""
    told = [*_SETTLED, "EQUIVOCAL", "FAILED", UNKNOWN]
    in_column = pl.col("word").is_in(told)
    conflict = (
        pl.col("word").is_in(_SETTLED) & pl.col("in_word").is_in(_SETTLED) & (pl.col("word") != pl.col("in_word"))
    )
    ratio = pl.coalesce(_positive("ish_ratio"), _positive("text_ratio"), _positive("in_text_ratio"))
    copies = pl.coalesce(_positive("ish_copies"), _positive("text_copies"), _positive("in_text_copies"))
    frame = scored.with_columns(
        ish_word=pl.when(conflict)
        .then(pl.lit("CONFLICT"))
        .when(in_column | pl.col("ihc_ish").is_null())
        .then(pl.col("word"))
        .otherwise(pl.col("in_word")),
        ish_conflict=conflict,
        ratio=ratio,
        copies=copies,
        not_positive=(pl.col("ish_ratio") <= 0).fill_null(False) | (pl.col("ish_copies") <= 0).fill_null(False),
        ihc_column=pl.col("her2_score").replace_strict(IHC_COLUMN, default=NO_IHC_COLUMN, return_dtype=pl.String),
    )
    frame = frame.with_columns(group=_group()).join(_group_table(), on=["group", "ihc_column"], how="left")
    by_word = {**{w: w for w in (*_SETTLED, "NOT_DONE", "MISSING", UNKNOWN)}, "FAILED": "MISSING"}
    word = pl.col("ish_word").replace_strict(
        {**by_word, "EQUIVOCAL": "UNRESOLVED", "CONFLICT": "UNRESOLVED"}, return_dtype=pl.String
    )
    # A ratio alone lies in several groups: without a word it is unresolved.
    partial = pl.col("group").is_null() & pl.col("ratio").is_not_null() & word.is_in(["MISSING", "NOT_DONE"])
    disagree = pl.col("ish_word").is_in(_SETTLED) & pl.col("by_numbers").is_in(_SETTLED)
    return frame.with_columns(
        her2_ish=pl.when(pl.col("by_numbers").is_not_null())
        .then("by_numbers")
        .when(partial)
        .then(pl.lit("UNRESOLVED"))
        .otherwise(word),
        disagreement=disagree & (pl.col("ish_word") != pl.col("by_numbers")),
        equivocal=pl.col("group").is_null() & (pl.col("ish_word") == "EQUIVOCAL"),
    ).sort("_row")


def _positive(name: str) -> pl.Expr:
    return pl.when(pl.col(name) > 0).then(pl.col(name))


def _group() -> pl.Expr:
    """Name the ISH group by ratio and copies a cell; null where copies are not stated."""
    ratio, copies = pl.col("ratio"), pl.col("copies")
    high, low = ratio >= RATIO_CUT, ratio < RATIO_CUT
    return (
        pl.when(high & (copies >= COPIES_LOW))
        .then(pl.lit("group1"))
        .when(high & (copies < COPIES_LOW))
        .then(pl.lit("group2"))
        .when(low & (copies >= COPIES_HIGH))
        .then(pl.lit("group3"))
        .when(low & (copies >= COPIES_LOW))
        .then(pl.lit("group4"))
        .when(low & (copies < COPIES_LOW))
        .then(pl.lit("group5"))
        .when(copies >= COPIES_HIGH)
        .then(pl.lit("single_high"))
        .when(copies >= COPIES_LOW)
        .then(pl.lit("single_middle"))
        .when(copies < COPIES_LOW)
        .then(pl.lit("single_low"))
    )


def _group_table() -> pl.DataFrame:
    rows = [
        (group, column, result, ISH_GROUP_CHECKS.get((group, column)))
        for group, columns in ISH_GROUPS.items()
        for column, result in columns.items()
    ]
    schema = {"group": pl.String, "ihc_column": pl.String, "by_numbers": pl.String, "group_check": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _classes(final: pl.DataFrame) -> pl.DataFrame:
    """Add the class by the table, and the rule's id such as `2d.two_plus.neg`."""
    frame = final.with_columns(
        class_row=pl.col("her2_score").replace_strict(CLASS_ROW, return_dtype=pl.String),
        class_column=pl.col("her2_ish").replace_strict(ISH_COLUMN, return_dtype=pl.String),
    )
    rows = [
        (row, column, cell.her2_class, cell.check) for row, cells in CLASSES.items() for column, cell in cells.items()
    ]
    schema = {"class_row": pl.String, "class_column": pl.String, "her2_class": pl.String, "class_check": pl.String}
    table = pl.DataFrame(rows, schema=schema, orient="row")
    frame = frame.drop("her2_class", "her2_rule", strict=False).join(
        table, on=["class_row", "class_column"], how="left"
    )
    zero = pl.col("her2_score").is_in(IHC_ZERO)
    harsh = pl.col("decalcification").is_in(HARSH_DECALCIFICATION).fill_null(False)
    nothing = (pl.col("her2_score") == "MISSING") & (pl.col("class_column") == "none")
    suffix = pl.when(zero & harsh).then(pl.lit(DECALCIFIED)).otherwise(pl.lit(""))
    era = pl.when(pl.col("equivocal")).then(pl.lit("+era_2013")).otherwise(pl.lit(""))
    rule = pl.concat_str(pl.lit("2d."), "class_row", pl.lit("."), "class_column", suffix, era)
    return frame.with_columns(her2_rule=rule, decalcified=zero & harsh, her2_tested=~nothing).sort("_row")


def _questions() -> list[tuple[str, str | None, pl.Expr]]:
    """Give what is asked back: message, column of the cell's text, and the rows concerned."""
    word, within = pl.col("word"), pl.col("in_word")
    checks = ("H06", "H07", "her2_ish_unresolved", "her2_words_disagree", "her2_words_conflict")
    raised = {c: (pl.col("class_check") == c).fill_null(False) for c in (*checks, "her2_positive_without_score")}
    raised["H07"] = raised["H07"] | (pl.col("group_check") == "H07").fill_null(False)
    # A lone plus has its own question, which is the same one.
    raised["her2_positive_without_score"] &= pl.col("ihc_score") != "AMBIG_PLUS"
    by_class = [(c, "ihc" if c.startswith("her2_words") else "ish", condition) for c, condition in raised.items()]
    return [
        ("V14", "ihc", pl.col("ihc_score") == UNKNOWN),
        ("V14_damaged", "ihc", pl.col("ihc_score") == "INVALID"),
        ("V14_ish", "ish", word == UNKNOWN),
        ("V14_ish", "ihc", pl.col("ihc_ish").is_not_null() & (within == UNKNOWN)),
        ("V14_numbers", None, pl.col("not_positive")),
        ("her2_lone_plus", "ihc", pl.col("lone_plus")),
        ("her2_plus_scale", "ihc", pl.col("undercut_scale")),
        ("her2_percent", "ihc", pl.col("percent_conflict")),
        ("her2_split", "ihc", pl.col("ihc_ish").is_not_null()),
        ("her2_ish_conflict", "ish", pl.col("ish_conflict")),
        ("her2_ish_failed", "ish", (word == "FAILED") | (pl.col("ihc_ish").is_not_null() & (within == "FAILED"))),
        ("H05", "ish", pl.col("disagreement")),
        ("her2_decalcified", "decalcification", pl.col("decalcified")),
        *by_class,
    ]
