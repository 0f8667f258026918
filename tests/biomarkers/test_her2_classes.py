"""HER2 of one sample: the ISH groups and the class table, cell by cell, and what is asked back."""

from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from riskset.biomarkers import add_biomarkers
from riskset.biomarkers.her2_rules import CLASS_ROW, CLASSES, ISH_COLUMN, ISH_GROUPS, SCORES
from riskset.tables import PROVENANCE

from .builders import checks, classify, mapping, study, with_index


def sample(ihc: str = "", ish: str = "", ratio: str = "", copies: str = "", percent: str = "", bone: str = "") -> str:
    header = "patient | ihc | ish | ish_ratio | ish_copies | ihc_percent | decalcification"
    return f"{header}\np1 | {ihc} | {ish} | {ratio} | {copies} | {percent} | {bone}"


def result(done) -> tuple[str, str, str, str]:
    return done["samples"].select("her2_score", "her2_ish", "her2_class", "her2_rule").row(0)


# rows: how the score is written; columns: ISH negative, positive, unresolved, not done or missing
CLASS_TABLE = [
    ("0, no staining", "zero_null", "ZERO", "POSITIVE H06", "ZERO her2_ish_unresolved", "ZERO"),
    ("0 (5%)", "zero_ultralow", "ZERO", "POSITIVE H06", "ZERO her2_ish_unresolved", "ZERO"),
    ("0", "zero_nos", "ZERO", "POSITIVE H06", "ZERO her2_ish_unresolved", "ZERO"),
    ("1+", "one_plus", "LOW", "POSITIVE H06", "LOW her2_ish_unresolved", "LOW"),
    ("2+", "two_plus", "LOW", "POSITIVE", "INDETERMINATE", "INDETERMINATE"),
    ("3+", "three_plus", "POSITIVE H07", "POSITIVE", "POSITIVE", "POSITIVE"),
    ("0-1+", "zero_or_one", "NEG_UNSPEC", "POSITIVE H06", "NEG_UNSPEC", "NEG_UNSPEC"),
    ("1-2+", "one_or_two", "LOW", "POSITIVE", "INDETERMINATE", "INDETERMINATE"),
    ("2-3+", "two_or_three", "INDETERMINATE", "POSITIVE", "INDETERMINATE", "INDETERMINATE"),
    ("negatif", "neg_nos", "NEG_UNSPEC", "POSITIVE her2_words_disagree", "NEG_UNSPEC", "NEG_UNSPEC"),
    (
        "pozitif",
        "pos_nos",
        "INDETERMINATE her2_words_conflict",
        "POSITIVE",
        "INDETERMINATE",
        "POSITIVE her2_positive_without_score",
    ),
    ("", "missing", "NEG_UNSPEC", "POSITIVE", "UNKNOWN", "UNKNOWN"),
    ("2-Jan", "missing", "NEG_UNSPEC V14", "POSITIVE V14", "UNKNOWN V14", "UNKNOWN V14"),
    ("see report", "missing", "NEG_UNSPEC V14", "POSITIVE V14", "UNKNOWN V14", "UNKNOWN V14"),
]
COLUMNS = [("neg", "negatif"), ("pos", "amplifiye"), ("unresolved", "equivocal"), ("none", "yapılmadı"), ("none", "")]
CELLS = [
    pytest.param(ihc, ish, f"2d.{row}.{column}", expected.split(), id=f"{ihc or 'empty'}-{ish or 'empty'}")
    for ihc, row, *classes in CLASS_TABLE
    for (column, ish), expected in zip(COLUMNS, [*classes, classes[-1]], strict=True)
]


@pytest.mark.parametrize(("ihc", "ish", "rule", "expected"), CELLS)
def test_class_table(ihc, ish, rule, expected):
    done = classify(sample(ihc, ish))
    _, _, her2_class, her2_rule = result(done)
    assert [her2_class, *checks(done)] == expected
    assert her2_rule.removesuffix("+era_2013") == rule


def test_the_class_table_is_complete_and_every_score_has_a_row():
    assert set(CLASS_ROW) == set(SCORES)
    assert set(CLASS_ROW.values()) == set(CLASSES)
    assert all(set(row) == set(ISH_COLUMN.values()) for row in CLASSES.values())


# group, ratio, copies, then the final ISH result at IHC 1+, 2+, 3+ and without IHC
GROUPS = [
    ("group1", "2.0", "4.0", "POS", "POS", "POS", "POS"),
    ("group2", "2.0", "3.9", "NEG", "NEG", "POS", "UNRESOLVED"),
    ("group3", "1.9", "6.0", "NEG", "POS", "POS", "UNRESOLVED"),
    ("group4", "1.9", "5.9", "NEG", "NEG", "POS", "UNRESOLVED"),
    ("group4", "1.9", "4.0", "NEG", "NEG", "POS", "UNRESOLVED"),
    ("group5", "1.9", "3.9", "NEG", "NEG", "POS", "NEG"),
    ("single_high", "", "6.0", "POS", "POS", "POS", "POS"),
    ("single_middle", "", "5.9", "NEG", "UNRESOLVED", "POS", "UNRESOLVED"),
    ("single_middle", "", "4.0", "NEG", "UNRESOLVED", "POS", "UNRESOLVED"),
    ("single_low", "", "3.9", "NEG", "NEG", "NEG", "NEG"),
]
GROUP_CELLS = [
    pytest.param(ratio, copies, ihc, expected, id=f"{group}-{copies}-{ihc or 'no IHC'}")
    for group, ratio, copies, *results in GROUPS
    for ihc, expected in zip(["1+", "2+", "3+", ""], results, strict=True)
]


@pytest.mark.parametrize(("ratio", "copies", "ihc", "expected"), GROUP_CELLS)
def test_ish_groups_by_ratio_copies_and_ihc(ratio, copies, ihc, expected):
    assert result(classify(sample(ihc, "", ratio, copies)))[1] == expected


@pytest.mark.parametrize("ihc", ["0", "0 (5%)", "0, no staining", "0-1+", "negatif"])
def test_ihc_0_and_words_for_it_use_the_column_of_1(ihc):
    assert result(classify(sample(ihc, "", "1.5", "6.5")))[1:3] in [("NEG", "ZERO"), ("NEG", "NEG_UNSPEC")]


@pytest.mark.parametrize(
    ("ihc", "ratio", "copies", "expected"),
    [
        ("1-2+", "2.5", "3.0", "NEG"),
        ("1-2+", "1.5", "6.5", "UNRESOLVED"),
        ("2-3+", "1.5", "6.5", "POS"),
        ("2-3+", "2.5", "3.0", "UNRESOLVED"),
        ("2-3+", "1.5", "5.0", "UNRESOLVED"),
        ("2-3+", "2.5", "5.0", "POS"),
    ],
)
def test_between_two_scores_the_group_holds_where_both_agree(ihc, ratio, copies, expected):
    assert result(classify(sample(ihc, "", ratio, copies)))[1] == expected


def test_the_group_table_is_complete():
    columns = {"low", "one_or_two", "two", "two_or_three", "three", "missing"}
    assert all(set(row) == columns for row in ISH_GROUPS.values())


def test_group_5_beside_3_plus_is_positive_and_sent_for_review():
    done = classify(sample("3+", "", "1.2", "2.5"))
    assert result(done)[1:3] == ("POS", "POSITIVE")
    assert checks(done) == ["H07"]


@pytest.mark.parametrize(
    ("ihc", "ish", "ratio", "copies", "ish_result", "raised"),
    [
        # numbers are kept against the word, and the centre is asked
        ("2+", "amplifiye", "1.2", "2.5", "NEG", ["H05"]),
        ("2+", "negatif", "2.5", "5.0", "POS", ["H05"]),
        ("1+", "pozitif", "1.5", "6.5", "NEG", ["H05"]),
        ("2+", "negatif", "1.2", "2.5", "NEG", []),
        # "equivocal" ended in 2018: judged by the numbers, else unresolved
        ("2+", "equivocal", "1.2", "2.5", "NEG", []),
        ("2+", "equivocal", "", "", "UNRESOLVED", []),
        # a ratio alone lies in two groups or three; a word decides
        ("2+", "", "2.5", "", "UNRESOLVED", []),
        ("2+", "", "1.5", "", "UNRESOLVED", []),
        ("2+", "negatif", "1.5", "", "NEG", []),
        # numbers in the text
        ("2+", "1.9 (CN 4.3)", "", "", "NEG", []),
        ("2+", "ratio 1,5 CN 6,2", "", "", "POS", []),
        # columns before text
        ("2+", "ratio 1.2 CN 2.5", "2.5", "5.0", "POS", []),
        # no such number
        ("2+", "", "-9", "-9", "MISSING", ["V14"]),
        ("2+", "", "0", "0", "MISSING", ["V14"]),
        # failed is missing, and asked about; unreadable is unresolved
        ("2+", "failed", "", "", "MISSING", ["her2_ish_failed"]),
        ("1+", "önerilir", "", "", "UNKNOWN", ["V14", "her2_ish_unresolved"]),
        ("2+", "önerilir", "", "", "UNKNOWN", ["V14"]),
        # a result in the IHC cell counts where the ISH column is silent; two that differ are none
        ("2+/FISH -", "", "", "", "NEG", []),
        ("2+/FISH -", "yapılmadı", "", "", "NEG", []),
        ("2+/FISH -", "negatif", "", "", "NEG", []),
        ("2+/FISH -", "amplifiye", "", "", "UNRESOLVED", ["her2_ish_conflict"]),
        ("2+ (FISH 1.2 CN 2.5)", "", "", "", "NEG", []),
    ],
)
def test_final_ish(ihc, ish, ratio, copies, ish_result, raised):
    done = classify(sample(ihc, ish, ratio, copies))
    assert result(done)[1] == ish_result
    assert checks(done) == raised


def test_a_split_cell_is_noted():
    queries = classify(sample("IHC 2+/FISH -"))["queries"].filter(pl.col("check") == "her2_split")
    assert queries.select("severity", "action", "field", "value").rows() == [
        ("info", "reported", "ihc", "IHC 2+/FISH -")
    ]


@pytest.mark.parametrize(
    ("percent", "score", "raised"),
    [
        ("", "0_NOS", []),
        ("0", "0_null", []),
        ("0.5", "0_ultralow", []),
        ("10", "0_ultralow", []),
        ("11", "0_NOS", ["her2_percent"]),
    ],
)
def test_a_share_of_stained_cells_divides_ihc_0(percent, score, raised):
    done = classify(sample("0", percent=percent))
    assert result(done)[0] == score
    assert checks(done) == raised


def test_a_share_changes_no_other_score():
    assert result(classify(sample("1+", percent="0")))[0] == "1+"


@pytest.mark.parametrize(
    ("written", "declared", "score", "raised"),
    [
        ("+", {}, "POS_NOS", ["her2_lone_plus"]),
        ("+", {"plus_scale": "ordinal"}, "POS_NOS", ["her2_plus_scale"]),
    ],
)
def test_a_lone_plus_is_positive_and_asked_about(written, declared, score, raised):
    done = classify(sample(written), **declared)
    assert result(done)[0] == score
    assert result(done)[2] == "POSITIVE"
    assert checks(done) == raised


@pytest.mark.parametrize("other", ["++", "+++", "(++)", "++ FISH -"])
def test_a_lone_plus_is_1_plus_on_a_declared_scale_that_the_column_shows(other):
    samples = f"patient | ihc\np1 | +\np2 | {other}"
    made = with_index({"p1": "2020-01-01", "p2": "2020-01-01"}, samples=samples)
    done = add_biomarkers(study("her2: {}"), {"a": mapping(plus_scale="ordinal")}, made)
    assert done["samples"]["her2_score"][0] == "1+"
    undeclared = add_biomarkers(study("her2: {}"), {"a": mapping()}, made)
    assert undeclared["samples"]["her2_score"][0] == "POS_NOS"


def test_the_scale_of_another_sheet_is_no_proof():
    samples = "patient | ihc | source | row\np1 | + | 0 | 1\np2 | ++ | 1 | 1"
    made = with_index({"p1": "2020-01-01", "p2": "2020-01-01"}, samples=samples)
    done = add_biomarkers(study("her2: {}"), {"a": mapping(plus_scale="ordinal")}, made)
    assert done["samples"]["her2_score"][0] == "POS_NOS"


@pytest.mark.parametrize(
    ("date", "declared", "score"),
    [
        ("2024-06-01", {}, "0_NOS"),
        ("2024-06-01", {"zero_plus": "zero"}, "0_NOS"),
        ("2024-06-01", {"zero_plus": "ultralow"}, "0_ultralow"),
        ("2023-12-31", {"zero_plus": "ultralow"}, "0_NOS"),
        ("", {"zero_plus": "ultralow"}, "0_NOS"),
    ],
)
def test_zero_plus_is_ultralow_only_where_declared_and_since_2024(date, declared, score):
    done = classify(f"patient | date | ihc\np1 | {date} | 0+", **declared)
    assert result(done)[0] == score
    assert result(done)[2] == "ZERO"


@pytest.mark.parametrize(
    ("ihc", "ish", "bone", "rule", "raised"),
    [
        ("0", "", "acid", "2d.zero_nos.none+decalcified", ["her2_decalcified"]),
        ("0", "", "unknown", "2d.zero_nos.none+decalcified", ["her2_decalcified"]),
        ("0", "", "edta", "2d.zero_nos.none", []),
        ("0", "", "none", "2d.zero_nos.none", []),
        ("1+", "", "acid", "2d.one_plus.none", []),
        ("2+", "failed", "acid", "2d.two_plus.none", ["her2_ish_failed"]),
        ("2+", "negatif", "acid", "2d.two_plus.neg", []),
    ],
)
def test_acid_can_hide_staining_of_a_bone_sample(ihc, ish, bone, rule, raised):
    done = classify(sample(ihc, ish, bone=bone))
    assert result(done)[3] == rule
    assert checks(done) == raised


def test_no_message_holds_the_text_and_queries_keep_their_schema():
    done = classify(sample("Qxyzzy", "Plughw"))
    assert sorted(done["queries"]["value"].drop_nulls().to_list()) == ["Plughw", "Qxyzzy"]
    assert not any(text in message for text in ("Qxyzzy", "Plughw") for message in done["queries"]["message"].to_list())
    assert done["queries"].schema == PROVENANCE["queries"].types


TEXTS = st.sampled_from(["0", "0 (5%)", "1+", "2+", "3+", "0-1+", "1-2+", "2-3+", "neg", "pos", "", "?!x", "2-Jan"])
ISH_TEXTS = st.sampled_from(["", "neg", "pos", "equivocal", "yapılmadı", "failed", "whatever"])
RATIOS = st.one_of(st.none(), st.floats(0.1, 12).map(lambda number: round(number, 1)))


@settings(max_examples=60)
@given(st.lists(st.tuples(TEXTS, ISH_TEXTS, RATIOS, RATIOS), min_size=1, max_size=30))
def test_two_plus_is_low_only_with_a_negative_ish_and_3_plus_always_positive(rows):
    text = "patient | ihc | ish | ish_ratio | ish_copies\n"
    text += "\n".join(f"p1 | {i} | {s} | {r or ''} | {c or ''}" for i, s, r, c in rows)
    found = classify(text)["samples"]
    two = found.filter(pl.col("her2_score") == "2+")
    assert two.filter((pl.col("her2_class") == "LOW") & (pl.col("her2_ish") != "NEG")).is_empty()
    assert two.filter((pl.col("her2_class") == "POSITIVE") & (pl.col("her2_ish") != "POS")).is_empty()
    assert (found.filter(pl.col("her2_score") == "3+")["her2_class"] == "POSITIVE").all()
    unread = found.filter(pl.col("her2_score").is_in(["UNKNOWN", "INVALID"]))
    assert not unread["her2_class"].is_in(["ZERO", "LOW"]).any()
    assert found.height == len(rows)
