"""HER2 by ASCO/CAP 2018, as tables: dual-probe ISH groups by IHC, and the class of a sample. Data alone.

Sources: ASCO/CAP 2018 focused update (JCO 36:2105; Arch Pathol Lab Med 142:1364), affirmed in 2023 (JCO 41:3867).
Ultralow is IHC 0 with faint, incomplete staining in more than 0 and at most 10 % of cells (DESTINY-Breast06).
"""

from __future__ import annotations

from dataclasses import dataclass

# IHC scores that a sample may have, from the lowest to the highest: the order decides ties ("the higher score").
SCORES = (
    "MISSING",
    "INVALID",
    "UNKNOWN",
    "NEG_NOS",
    "0_null",
    "0_NOS",
    "0_ultralow",
    "AMBIG_0_1",
    "1+",
    "AMBIG_1_2",
    "2+",
    "AMBIG_2_3",
    "POS_NOS",
    "3+",
)
IHC_ZERO = ("0_null", "0_NOS", "0_ultralow")

# Of several samples the highest class: what is indeterminate could be positive, so it stands above low; "negative"
# without a score is at most low.
CLASS_ORDER = ("ZERO", "NEG_UNSPEC", "LOW", "INDETERMINATE", "UNKNOWN", "POSITIVE")

# --- final ISH result by ratio R = HER2/CEP17, copies a cell C, and IHC -----------------------------------------------

RATIO_CUT = 2.0
COPIES_LOW = 4.0
COPIES_HIGH = 6.0

# Which column of the table below a score belongs to. NEG_NOS is 0 or 1+; a positive without a score is none.
IHC_COLUMN = {
    "0_null": "low",
    "0_NOS": "low",
    "0_ultralow": "low",
    "AMBIG_0_1": "low",
    "NEG_NOS": "low",
    "1+": "low",
    "AMBIG_1_2": "one_or_two",
    "2+": "two",
    "AMBIG_2_3": "two_or_three",
    "3+": "three",
}
NO_IHC_COLUMN = "missing"

# group -> IHC column -> result. R and C: group1 R>=2 C>=4; group2 R>=2 C<4; group3 R<2 C>=6; group4 R<2 4<=C<6; group5
# R<2 C<4. single_*: one probe, copies alone (>=6, 4 to 6, <4). Where two scores are possible and their results differ,
# UNRESOLVED. Group 2 to 4 at IHC 2+ hold after a blinded recount, which the report must have had.
ISH_GROUPS: dict[str, dict[str, str]] = {
    "group1": {
        "low": "POS", "one_or_two": "POS", "two": "POS", "two_or_three": "POS", "three": "POS", "missing": "POS",
    },
    "group2": {
        "low": "NEG", "one_or_two": "NEG", "two": "NEG", "two_or_three": "UNRESOLVED", "three": "POS",
        "missing": "UNRESOLVED",
    },
    "group3": {
        "low": "NEG", "one_or_two": "UNRESOLVED", "two": "POS", "two_or_three": "POS", "three": "POS",
        "missing": "UNRESOLVED",
    },
    "group4": {
        "low": "NEG", "one_or_two": "NEG", "two": "NEG", "two_or_three": "UNRESOLVED", "three": "POS",
        "missing": "UNRESOLVED",
    },
    # IHC 3+ in group 5 is discordant: treated as positive and sent for review (H07).
    "group5": {
        "low": "NEG", "one_or_two": "NEG", "two": "NEG", "two_or_three": "UNRESOLVED", "three": "POS",
        "missing": "NEG",
    },
    "single_high": {
        "low": "POS", "one_or_two": "POS", "two": "POS", "two_or_three": "POS", "three": "POS", "missing": "POS",
    },
    "single_middle": {
        "low": "NEG", "one_or_two": "UNRESOLVED", "two": "UNRESOLVED", "two_or_three": "UNRESOLVED", "three": "POS",
        "missing": "UNRESOLVED",
    },
    "single_low": {
        "low": "NEG", "one_or_two": "NEG", "two": "NEG", "two_or_three": "NEG", "three": "NEG", "missing": "NEG",
    },
}  # fmt: skip

# (group, IHC column) -> check that this cell raises.
ISH_GROUP_CHECKS = {("group5", "three"): "H07"}

# --- class of a sample by IHC score and final ISH result --------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ClassCell:
    """One cell of the class table: the class, and the check that it raises, if any."""

    her2_class: str
    check: str | None = None


# Final ISH result -> column. A text that cannot be read might hold a positive result, so it counts as unresolved.
ISH_COLUMN = {
    "NEG": "neg",
    "POS": "pos",
    "UNRESOLVED": "unresolved",
    "UNKNOWN": "unresolved",
    "NOT_DONE": "none",
    "MISSING": "none",
}

# IHC score -> name of the row, as rule ids print it.
CLASS_ROW = {
    "0_null": "zero_null",
    "0_ultralow": "zero_ultralow",
    "0_NOS": "zero_nos",
    "1+": "one_plus",
    "2+": "two_plus",
    "3+": "three_plus",
    "AMBIG_0_1": "zero_or_one",
    "AMBIG_1_2": "one_or_two",
    "AMBIG_2_3": "two_or_three",
    "NEG_NOS": "neg_nos",
    "POS_NOS": "pos_nos",
    "MISSING": "missing",
    "INVALID": "missing",
    "UNKNOWN": "missing",
}

_ZERO = {
    "neg": ClassCell("ZERO"),
    "pos": ClassCell("POSITIVE", "H06"),
    "unresolved": ClassCell("ZERO", "her2_ish_unresolved"),
    "none": ClassCell("ZERO"),
}
_INDETERMINATE = ClassCell("INDETERMINATE")

# A positive ISH beside IHC 0 or 1+ gets here only by word or group 1: groups 2 to 4 are negative there (ISH_GROUPS).
CLASSES: dict[str, dict[str, ClassCell]] = {
    "zero_null": _ZERO,
    "zero_ultralow": _ZERO,
    "zero_nos": _ZERO,
    "one_plus": {
        "neg": ClassCell("LOW"),
        "pos": ClassCell("POSITIVE", "H06"),
        "unresolved": ClassCell("LOW", "her2_ish_unresolved"),
        "none": ClassCell("LOW"),
    },
    "two_plus": {
        "neg": ClassCell("LOW"),
        "pos": ClassCell("POSITIVE"),
        "unresolved": _INDETERMINATE,
        "none": _INDETERMINATE,
    },
    "three_plus": {
        "neg": ClassCell("POSITIVE", "H07"),
        "pos": ClassCell("POSITIVE"),
        "unresolved": ClassCell("POSITIVE"),
        "none": ClassCell("POSITIVE"),
    },
    "zero_or_one": {
        "neg": ClassCell("NEG_UNSPEC"),
        "pos": ClassCell("POSITIVE", "H06"),
        "unresolved": ClassCell("NEG_UNSPEC"),
        "none": ClassCell("NEG_UNSPEC"),
    },
    "one_or_two": {
        "neg": ClassCell("LOW"),
        "pos": ClassCell("POSITIVE"),
        "unresolved": _INDETERMINATE,
        "none": _INDETERMINATE,
    },
    # 3+ is positive whatever ISH says, so a negative ISH does not settle "2+ or 3+".
    "two_or_three": {
        "neg": _INDETERMINATE,
        "pos": ClassCell("POSITIVE"),
        "unresolved": _INDETERMINATE,
        "none": _INDETERMINATE,
    },
    "neg_nos": {
        "neg": ClassCell("NEG_UNSPEC"),
        "pos": ClassCell("POSITIVE", "her2_words_disagree"),
        "unresolved": ClassCell("NEG_UNSPEC"),
        "none": ClassCell("NEG_UNSPEC"),
    },
    "pos_nos": {
        "neg": ClassCell("INDETERMINATE", "her2_words_conflict"),
        "pos": ClassCell("POSITIVE"),
        "unresolved": _INDETERMINATE,
        "none": ClassCell("POSITIVE", "her2_positive_without_score"),
    },
    "missing": {
        "neg": ClassCell("NEG_UNSPEC"),
        "pos": ClassCell("POSITIVE"),
        "unresolved": ClassCell("UNKNOWN"),
        "none": ClassCell("UNKNOWN"),
    },
}

# Acid destroys the epitope: IHC 0 of a decalcified bone sample is a weak zero. EDTA does not.
HARSH_DECALCIFICATION = ("acid", "unknown")
DECALCIFIED = "+decalcified"

# --- grouping of classes ----------------------------------------------------------------------------------------------

# scheme -> (class, score) -> level. A class and score that a scheme does not name are null there.
SCHEMES: dict[str, dict[tuple[str, str], str]] = {
    "zero_low": {
        **{("ZERO", score): "zero" for score in IHC_ZERO},
        **{("LOW", score): "low" for score in ("1+", "2+", "AMBIG_1_2")},
    },
    "null_ultralow_low": {
        ("ZERO", "0_null"): "null",
        ("ZERO", "0_ultralow"): "ultralow",
        **{("LOW", score): "low" for score in ("1+", "2+", "AMBIG_1_2")},
    },
    "0_1_2": {
        **{("ZERO", score): "ihc_0" for score in IHC_ZERO},
        ("LOW", "1+"): "ihc_1",
        ("LOW", "2+"): "ihc_2",
    },
    "low_incl_ultralow": {
        ("ZERO", "0_null"): "zero",
        ("ZERO", "0_ultralow"): "low",
        **{("LOW", score): "low" for score in ("1+", "2+", "AMBIG_1_2")},
    },
}

# Above this share of IHC 0 without a statement of staining, null and ultralow cannot be told apart.
MOST_ZERO_NOS = 0.20
