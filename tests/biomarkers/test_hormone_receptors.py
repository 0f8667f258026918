"""Hormone receptors: every row of the rule table, both cuts, all scales, and the patient's status."""

from __future__ import annotations

import unicodedata
from datetime import date

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.biomarkers import add_biomarkers
from riskset.biomarkers.receptor_reading import progesterone, read_receptor
from riskset.biomarkers.receptor_rules import scales
from small_tables import by_patient

from .builders import checks, mapping, study, with_index

CUT_1, CUT_10 = scales(1.0, 1.0), scales(10.0, 10.0)

# text, class at a cut of 1 %, class at a cut of 10 %, exact per cent, low
PERCENT = [
    ("0", "NEG", "NEG", 0.0, False),
    ("0.5", "NEG", "NEG", 0.5, False),
    ("1", "LOW_POS", "NEG", 1.0, True),
    ("5", "LOW_POS", "NEG", 5.0, True),
    ("9,9", "LOW_POS", "NEG", 9.9, True),
    ("10", "LOW_POS", "LOW_POS", 10.0, True),
    ("10,5", "POS", "POS", 10.5, False),
    ("11", "POS", "POS", 11.0, False),
    ("100", "POS", "POS", 100.0, False),
    # the sign before, after, apart
    ("%90", "POS", "POS", 90.0, False),
    ("90 %", "POS", "POS", 90.0, False),
    ("% 90", "POS", "POS", 90.0, False),
    ("90,5%", "POS", "POS", 90.5, False),
    ("~20", "POS", "POS", 20.0, False),
    # a fraction is taken as it stands: whether it is one is asked of the whole column elsewhere
    ("0.9", "NEG", "NEG", 0.9, False),
    # bounds and intervals have a class where both ends have it
    ("<1", "NEG", "NEG", None, False),
    ("<%1", "NEG", "NEG", None, False),
    ("%<1", "NEG", "NEG", None, False),
    ("<10", "UNRESOLVED", "NEG", None, None),
    ("<=1", "UNRESOLVED", "NEG", None, None),
    (">=1", "POS_NOS", "UNRESOLVED", None, None),
    (">10", "POS", "POS", None, False),
    (">60", "POS", "POS", None, False),
    ("≥10", "POS_NOS", "POS_NOS", None, None),
    ("30-60", "POS", "POS", None, False),
    ("%30-60", "POS", "POS", None, False),
    ("30 bis 60 %", "POS", "POS", None, False),
    ("1-10", "LOW_POS", "UNRESOLVED", None, True),
    ("5-20", "POS_NOS", "UNRESOLVED", None, None),
    ("0-1", "UNRESOLVED", "NEG", None, None),
    # words, alone and with a number
    ("+", "POS_NOS", "POS_NOS", None, None),
    ("+++", "POS_NOS", "POS_NOS", None, None),
    ("3+", "POS_NOS", "POS_NOS", None, None),
    ("pozitif", "POS_NOS", "POS_NOS", None, None),
    ("ER pozitif", "POS_NOS", "POS_NOS", None, None),
    ("neg", "NEG", "NEG", None, False),
    ("-", "NEG", "NEG", None, False),
    ("pozitif değil", "NEG", "NEG", None, False),
    ("pozitif (%80)", "POS", "POS", 80.0, False),
    ("3+ (80%)", "POS", "POS", 80.0, False),
    ("negatif (<%1)", "NEG", "NEG", None, False),
    ("negatif (%5)", "LOW_POS", "NEG", 5.0, True),
    # no result
    ("bilinmiyor", "MISSING", "MISSING", None, None),
    ("UNk/ND", "MISSING", "MISSING", None, None),
    ("yapılmadı", "MISSING", "MISSING", None, None),
    ("-9", "MISSING", "MISSING", None, None),
    ("999", "MISSING", "MISSING", None, None),
    ("", "MISSING", "MISSING", None, None),
    (None, "MISSING", "MISSING", None, None),
    # off the scale, damaged, contradictory, unknown
    ("101", "INVALID", "INVALID", None, None),
    ("60-30", "INVALID", "INVALID", None, None),
    ("-5", "INVALID", "INVALID", None, None),
    ("01.10.2024", "INVALID", "INVALID", None, None),
    ("#NAME?", "INVALID", "INVALID", None, None),
    ("pozitif (0)", "UNKNOWN", "UNKNOWN", None, None),
    ("negatif (80)", "UNKNOWN", "UNKNOWN", None, None),
    ("see report", "UNKNOWN", "UNKNOWN", None, None),
    ("80 90", "UNKNOWN", "UNKNOWN", None, None),
]

OTHER_SCALES = [
    *(("allred", str(score), "NEG") for score in (0, 2)),
    *(("allred", str(score), "POS") for score in range(3, 9)),
    ("allred", "1", "INVALID"),
    ("allred", "9", "INVALID"),
    ("allred", "6.5", "INVALID"),
    ("allred", "7/8", "POS"),
    ("allred", "pozitif", "POS_NOS"),
    ("h_score", "0", "NEG"),
    ("h_score", "1", "POS"),
    ("h_score", "300", "POS"),
    ("h_score", "301", "INVALID"),
    ("h_score", "H-score 180", "POS"),
    ("irs", "0", "NEG"),
    ("irs", "1", "UNRESOLVED"),
    *(("irs", str(score), "POS") for score in (2, 3, 4, 6, 8, 9, 12)),
    *(("irs", str(score), "INVALID") for score in (5, 7, 10, 11, 13)),
    ("irs", "9/12", "POS"),
]


@pytest.mark.parametrize(("text", "at_1", "at_10", "percent", "low"), PERCENT)
def test_percent(text, at_1, at_10, percent, low):
    reading = read_receptor(text, None, CUT_1)
    assert (reading.receptor_class, reading.percent, reading.low) == (at_1, percent, low)
    assert read_receptor(text, "percent", CUT_10).receptor_class == at_10


@pytest.mark.parametrize(("scale", "text", "expected"), OTHER_SCALES)
def test_other_scales(scale, text, expected):
    reading = read_receptor(text, scale, CUT_1)
    assert (reading.receptor_class, reading.percent) == (expected, None)


@pytest.mark.parametrize(
    ("text", "scale", "expected"),
    [
        ("Allred 7", None, "POS"),
        ("Allred: 2", None, "NEG"),
        ("7/8", None, "POS"),
        ("H-score 180", None, "POS"),
        ("IRS 6", None, "POS"),
        ("9/12", None, "POS"),
        ("IRS 6", "allred", "UNKNOWN"),
        ("7/8", "irs", "UNKNOWN"),
    ],
)
def test_a_scale_named_in_the_text_holds_unless_the_mapping_says_another(text, scale, expected):
    assert read_receptor(text, scale, CUT_1).receptor_class == expected


@pytest.mark.parametrize(("cut", "expected"), [(1, "POS"), (10, "NEG"), (50, "NEG")])
def test_the_cut_of_the_h_score(cut, expected):
    assert read_receptor("9", "h_score", scales(1.0, float(cut))).receptor_class == expected


@pytest.mark.parametrize(
    ("text", "expected"), [("5", "POS"), ("5-20", "POS"), ("pozitif", "POS_NOS"), ("0", "NEG"), ("80", "POS")]
)
def test_progesterone_receptor_has_no_low_class(text, expected):
    assert progesterone(read_receptor(text, None, CUT_1)).receptor_class == expected


@given(
    st.sampled_from([row for row in PERCENT if row[0]]),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    st.text(" \t\u00a0", max_size=3),
)
def test_case_blanks_and_unicode_forms_change_no_class(row, case, form, blank):
    written = blank + unicodedata.normalize(form, case(row[0])) + blank
    assert read_receptor(written, None, CUT_1).receptor_class == row[1]


@given(st.floats(0, 100), st.floats(0, 100))
def test_more_stained_cells_never_give_a_lower_class(a, b):
    order = ["NEG", "LOW_POS", "POS"]
    low, high = sorted([f"{min(a, b):.3f}", f"{max(a, b):.3f}"], key=float)
    for used in (CUT_1, CUT_10):
        classes = [order.index(read_receptor(text, None, used).receptor_class) for text in (low, high)]
        assert classes == sorted(classes)


@given(st.text(max_size=25))
def test_any_text_is_read_without_an_error(text):
    assert read_receptor(text, None, CUT_1).receptor_class


def classify(samples: str, spec: str = "hormone_receptors: {}", **further):
    made = with_index({"p1": "2020-06-30"}, samples=samples, **further)
    return add_biomarkers(study(spec), {"a": mapping()}, made)


@pytest.mark.parametrize(
    ("er", "pr", "hr", "rule"),
    [
        ("90", "80", "positive", "2f.er_pos.pr_pos"),
        ("90", "", "positive", "2f.er_pos.pr_missing"),
        ("0", "5", "positive", "2f.er_neg.pr_pos"),
        ("", "pozitif", "positive", "2f.er_missing.pr_pos_nos"),
        ("0", "0", "negative", "2f.er_neg.pr_neg"),
        ("0", "", None, "2f.er_neg.pr_missing"),
        ("<10", "0", None, "2f.er_unresolved.pr_neg"),
        ("see report", "0", None, "2f.er_unknown.pr_neg"),
        ("5", "0", "positive", "2f.er_low_pos.pr_neg"),
    ],
)
def test_positive_if_either_is_and_negative_only_if_both_are(er, pr, hr, rule):
    done = classify(f"patient | date | er | pr\np1 | 2020-01-01 | {er} | {pr}")
    assert done["samples"].select("hr_class", "hr_rule").row(0) == (hr, rule)
    assert by_patient(done["patients"], "hr")["p1"] == hr


def test_the_cut_can_be_ten():
    samples = "patient | date | er | pr\np1 | 2020-01-01 | 5 | 0"
    assert by_patient(classify(samples, "hormone_receptors: {cut: 10}")["patients"], "hr")["p1"] == "negative"


@pytest.mark.parametrize(
    ("er", "pr", "raised"),
    [
        ("0", "50", ["receptor_er_negative_pr_positive"]),
        ("see report", "see report", ["receptor_er", "receptor_pr"]),
        ("120", "-5", ["receptor_er_impossible", "receptor_pr_impossible"]),
        ("<10", "90", ["receptor_er_unresolved"]),
        ("90", "", []),
    ],
)
def test_what_is_asked_back(er, pr, raised):
    assert checks(classify(f"patient | date | er | pr\np1 | 2020-01-01 | {er} | {pr}")) == raised


def test_the_patient_has_the_percentages_of_the_chosen_sample():
    done = classify("""
        patient | date       | tissue     | er | pr
        p1      | 2015-01-01 | primary    | 90 | 80
        p1      | 2020-05-01 | metastasis | 8  | 0
        p1      | 2020-07-01 | metastasis | 0  | 0
    """)
    names = ["hr", "er_percent", "pr_percent", "er_low", "hr_row", "hr_tissue", "hr_sample_date"]
    assert by_patient(done["patients"], *names)["p1"] == (
        "positive",
        8.0,
        0.0,
        True,
        2,
        "metastasis",
        date(2020, 5, 1),
    )


@pytest.mark.parametrize(
    ("samples", "expected"),
    [
        ("p1 | 2020-05-01 | 0 | |", (None, "neither receptor positive, and not both negative")),
        ("p1 | 2020-05-01 | | |", (None, "no sample")),
        ("p1 | 2020-07-01 | 90 | |", (None, "no sample before index")),
        ("p1 | | 90 | |", ("positive", "only sample, without a date")),
    ],
)
def test_reasons(samples, expected):
    done = classify(f"patient | date | er | pr | ihc\n{samples}")
    assert by_patient(done["patients"], "hr", "hr_reason")["p1"] == expected


@pytest.mark.parametrize(
    ("er", "supplied", "expected", "raised"),
    [
        ("", "positive", ("positive", "supplied"), []),
        ("0", "positive", (None, "neither receptor positive, and not both negative"), []),
        ("90", "negative", ("positive", "latest sample before index"), ["hr_supplied"]),
        ("", "maybe", (None, "no sample"), ["hr_supplied_unknown"]),
    ],
)
def test_supplied_status(er, supplied, expected, raised):
    samples = f"patient | date | er\np1 | 2020-01-01 | {er}"
    done = classify(samples, supplied=f"patient | name | value\np1 | hr | {supplied}")
    assert by_patient(done["patients"], "hr", "hr_reason")["p1"] == expected
    assert checks(done) == raised


def test_both_biomarkers_read_the_same_samples_apart():
    samples = "patient | date | ihc | er | pr\np1 | 2018-01-01 | 1+ | 90 |\np1 | 2020-01-01 | | 0 | 0"
    done = classify(samples, "hormone_receptors: {}\nher2: {}")
    assert by_patient(done["patients"], "her2", "her2_row", "hr", "hr_row")["p1"] == ("low", 1, "negative", 2)
    assert done["samples"].filter(pl.col("row") == 2)["her2_class"].to_list() == ["UNKNOWN"]
