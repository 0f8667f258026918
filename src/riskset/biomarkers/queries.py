"""Questions to the hospitals that classification raises: one row each, in the form of the query list."""

from __future__ import annotations

import polars as pl

from riskset.tables import PROVENANCE, fit

SCHEMA = PROVENANCE["queries"]

# check -> (severity, action, field, message). No message holds a value; the texts stand in the column `value`.
MESSAGES: dict[str, tuple[str, str, str, str]] = {
    "V14": ("error", "set_missing", "ihc", "The text cannot be read as a HER2 result; write the IHC score."),
    "V14_damaged": (
        "error",
        "set_missing",
        "ihc",
        "The cell holds a date, an error or a number that is no HER2 score, as Excel makes of text; restore the score.",
    ),
    "V14_ish": (
        "error",
        "set_missing",
        "ish",
        "The text cannot be read as an ISH result; write negative or positive, or ratio and copies.",
    ),
    "V14_numbers": ("error", "set_missing", "ish_ratio", "An ISH ratio or copy number is not above 0; correct it."),
    "her2_lone_plus": (
        "error",
        "reported",
        "ihc",
        "A lone plus is read as HER2-positive; if 1+ is meant, write 1+ or map 'plus_scale: ordinal'.",
    ),
    "her2_plus_scale": (
        "warning",
        "reported",
        "ihc",
        "The mapping declares 'plus_scale: ordinal', but no other cell of the column holds ++ or +++; write the score.",
    ),
    "her2_percent": (
        "warning",
        "reported",
        "ihc_percent",
        "IHC is 0 but more than 10 % of cells are stated as stained, which is 1+ or higher; check both.",
    ),
    "her2_split": ("info", "reported", "ihc", "The IHC cell held an ISH result too; it was split into both."),
    "her2_ish_conflict": (
        "error",
        "set_missing",
        "ish",
        "The ISH column and the ISH result in the IHC cell disagree; say which holds.",
    ),
    "her2_ish_failed": ("warning", "set_missing", "ish", "ISH failed or is pending; send the result of a repeat."),
    "H05": (
        "error",
        "reported",
        "ish",
        "The reported ISH result disagrees with ratio and copies, by which it was judged; check all three.",
    ),
    "H06": (
        "warning",
        "reported",
        "ish",
        "ISH is positive though IHC is 0 or 1+; confirm both, as the class is positive.",
    ),
    "H07": ("warning", "reported", "ish", "IHC is 3+ but ISH is not amplified; have both reviewed."),
    "her2_ish_unresolved": (
        "warning",
        "reported",
        "ish",
        "ISH is unresolved though IHC is 0 or 1+, which decided; send the final ISH result.",
    ),
    "her2_words_disagree": (
        "warning",
        "reported",
        "ish",
        "IHC is stated as negative without a score, ISH as positive, which decided; send the IHC score.",
    ),
    "her2_words_conflict": (
        "error",
        "set_missing",
        "ihc",
        "IHC is stated as positive without a score, ISH as negative; send the IHC score.",
    ),
    "her2_positive_without_score": (
        "warning",
        "reported",
        "ihc",
        "IHC is stated as positive without a score and without ISH; send the IHC score.",
    ),
    "her2_decalcified": (
        "warning",
        "reported",
        "decalcification",
        "IHC is 0 on a bone sample decalcified with acid or not said how, which may hide staining; use another sample.",
    ),
    "her2_undated": (
        "warning",
        "reported",
        "date",
        "The HER2 sample has no date, so it cannot be placed before treatment.",
    ),
    "her2_supplied": (
        "warning",
        "reported",
        "her2",
        "The supplied HER2 class differs from the class that the samples give; check both.",
    ),
    "her2_supplied_unknown": (
        "error",
        "set_missing",
        "her2",
        "The supplied HER2 class is none of the study's levels; add 'codes' to the mapping.",
    ),
    "receptor_er": ("error", "set_missing", "er", "The text cannot be read as an oestrogen receptor result."),
    "receptor_pr": ("error", "set_missing", "pr", "The text cannot be read as a progesterone receptor result."),
    "receptor_er_impossible": ("error", "set_missing", "er", "The value does not exist on the receptor's scale."),
    "receptor_pr_impossible": ("error", "set_missing", "pr", "The value does not exist on the receptor's scale."),
    "receptor_er_unresolved": (
        "warning",
        "set_missing",
        "er",
        "The oestrogen receptor result lies on both sides of the cut; send the exact value.",
    ),
    "receptor_pr_unresolved": (
        "warning",
        "set_missing",
        "pr",
        "The progesterone receptor result lies on both sides of the cut; send the exact value.",
    ),
    "receptor_er_negative_pr_positive": (
        "warning",
        "reported",
        "er",
        "Oestrogen receptor is negative but progesterone receptor positive, which is rare; confirm both.",
    ),
    "hr_undated": (
        "warning",
        "reported",
        "date",
        "The sample with hormone receptors has no date, so it cannot be placed before treatment.",
    ),
    "hr_supplied": (
        "warning",
        "reported",
        "hr",
        "The supplied hormone receptor status differs from the status that the samples give; check both.",
    ),
    "hr_supplied_unknown": (
        "error",
        "set_missing",
        "hr",
        "The supplied hormone receptor status is neither positive nor negative; add 'codes' to the mapping.",
    ),
}

# Ids that a study file may give a policy.
CHECKS: dict[str, str] = {
    "V14" if name.startswith("V14") else name: sentence for name, (_, _, _, sentence) in reversed(MESSAGES.items())
}


def questions(rows: pl.DataFrame, message: str, value: str | None, *, table: str = "samples") -> pl.DataFrame:
    """Give one query for each row (`centre`, `patient`, `source`, `row`), with the cell's text from column `value`."""
    severity, action, field, sentence = MESSAGES[message]
    cell = pl.col(value).cast(pl.String) if value else pl.lit(None, dtype=pl.String)
    frame = rows.select(
        "centre",
        "patient",
        "source",
        "row",
        value=cell,
        # Several sentences belong to one check of the published list.
        check=pl.lit("V14" if message.startswith("V14") else message),
        severity=pl.lit(severity),
        action=pl.lit(action),
        table=pl.lit(table),
        field=pl.lit(field),
        message=pl.lit(sentence),
    )
    return fit(frame, SCHEMA)
