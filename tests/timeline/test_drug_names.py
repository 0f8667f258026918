"""Drug names as hospitals write them, read against the dictionary."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.errors import StudyFileError
from riskset.timeline import DICTIONARY, DRUG_CLASSES
from riskset.timeline.dictionary import COMBINATIONS
from riskset.timeline.matching import edit_distance, key, names, read

KNOWN = names()
EVERY_NAME = [(name, drug) for drug in DICTIONARY for name in (drug.inn, *drug.names) if name]


def inns(text: str, known=KNOWN) -> list[str | None]:
    return [reading.drug.inn if reading.drug else None for _, reading in read(text, known)]


@pytest.mark.parametrize(
    ("written", "inn"),
    [
        ("palbociclib", "palbociclib"),
        ("Ibrance 125 mg", "palbociclib"),
        ("İBRANCE", "palbociclib"),
        ("PD-0332991", "palbociclib"),
        ("palbosiklib 100mg 1x1", "palbociclib"),
        ("palbo", "palbociclib"),
        ("KISQALI", "ribociclib"),
        ("kısqali 600 mg", "ribociclib"),
        ("ribociclib succinate 200 mg film tablet", "ribociclib"),
        ("LEE 011", "ribociclib"),
        ("Verzenios 150 mg", "abemaciclib"),
        ("LY2835219", "abemaciclib"),
        ("SHR6390", "dalpiciclib"),
        ("Femara 2,5 mg tb", "letrozole"),
        ("Anastrozol", "anastrozole"),
        ("eksemestan", "exemestane"),
        ("Faslodex", "fulvestrant"),
        ("TAMOKSİFEN", "tamoxifen"),
        ("Zoladex 3.6 mg depot", "goserelin"),
        ("leuprolid asetat", "leuprorelin"),
        ("Piqray", "alpelisib"),
        ("DS-8201", "trastuzumab deruxtecan"),
        ("nab-paclitaxel", "paclitaxel"),
        ("5-FU", "fluorouracil"),
        ("Zoledronsäure 4 mg", "zoledronic acid"),
    ],
)
def test_a_name_is_read_without_accent_dose_form_and_salt(written, inn):
    assert inns(written) == [inn]


@pytest.mark.parametrize(
    ("code", "inn"),
    [
        ("L01XE33", "palbociclib"),
        ("L01XE42", "ribociclib"),
        ("L01XE50", "abemaciclib"),
        ("L01EF01", "palbociclib"),
        ("L01EF02", "ribociclib"),
        ("L01EF03", "abemaciclib"),
        ("l02bg04", "letrozole"),
    ],
)
def test_atc_codes_of_today_and_before_2021_are_names_too(code, inn):
    assert inns(code) == [inn]


@pytest.mark.parametrize(
    ("written", "drugs"),
    [
        ("Kisqali Femara Co-Pack", ["ribociclib", "letrozole"]),
        ("KISQALI® FEMARA®", ["ribociclib", "letrozole"]),
        ("palbosiklib + fulvestrant", ["palbociclib", "fulvestrant"]),
        ("Letrozol 2,5 mg / Ibrance 125 mg", ["letrozole", "palbociclib"]),
        ("ribociclib ve letrozol", ["ribociclib", "letrozole"]),
        ("FEC", ["fluorouracil", "epirubicin", "cyclophosphamide"]),
        ("letrozole + studydrug", ["letrozole", None]),
    ],
)
def test_one_name_may_stand_for_several_drugs(written, drugs):
    assert inns(written) == drugs


@pytest.mark.parametrize(
    ("written", "drug_class"),
    [
        ("kemoterapi", "chemotherapy"),
        ("CDK4/6i", "cdk46"),
        ("CDK 4/6 inhibitörü", "cdk46"),
        ("endokrin tedavi", "endocrine"),
    ],
)
def test_a_word_for_a_class_is_understood_but_names_no_drug(written, drug_class):
    ((_, reading),) = read(written, KNOWN)
    assert reading.drug is not None
    assert (reading.drug.inn, reading.drug.drug_class) == (None, drug_class)


@pytest.mark.parametrize(
    ("written", "nearest"),
    [
        ("palbocicilb", "palbociclib"),
        ("ribocilib", "ribociclib"),
        ("Ibrence", "palbociclib"),
        ("letrazol", "letrozole"),
    ],
)
def test_a_near_name_is_never_accepted_but_names_the_nearest_drug(written, nearest):
    ((_, reading),) = read(written, KNOWN)
    assert reading.drug is None
    assert reading.nearest is not None
    assert reading.nearest.inn == nearest


@pytest.mark.parametrize("written", ["studydrug", "xyz", "ribx", "-", "?"])
def test_what_is_near_nothing_has_no_nearest_drug(written):
    assert [(r.drug, r.nearest) for _, r in read(written, KNOWN)] == [(None, None)]


def test_a_mapping_adds_its_own_names():
    known = names({"Hastane kodu 7": "palbociclib", "Paket": "letrozole + ribociclib", "XY-1": "newdrug"})
    assert inns("hastane kodu 7", known) == ["palbociclib"]
    assert inns("PAKET", known) == ["letrozole", "ribociclib"]
    assert inns("xy-1", known) == ["newdrug"]


def test_a_mapping_that_misspells_a_drug_is_refused_with_the_right_name():
    with pytest.raises(StudyFileError, match=r"drugs\.Kod: 'palbocicilb' is no known drug .*'palbociclib'"):
        names({"Kod": "palbocicilb"})


def test_the_dictionary_contradicts_itself_nowhere():
    spellings: dict[str, set[object]] = {}
    for drug in DICTIONARY:
        for name in (drug.inn, *drug.names, drug.atc, *drug.former_atc):
            if name:
                spellings.setdefault(key(name), set()).add(drug)
    for combination in COMBINATIONS:
        for name in combination.names:
            spellings.setdefault(key(name), set()).add(combination)
    assert {spelling for spelling, drugs in spellings.items() if len(drugs) > 1} == set()
    assert {drug.drug_class for drug in DICTIONARY} == set(DRUG_CLASSES)


@pytest.mark.parametrize(("name", "drug"), EVERY_NAME, ids=[name for name, _ in EVERY_NAME])
def test_every_name_of_the_dictionary_is_read_as_its_drug(name, drug):
    assert [reading.drug for _, reading in read(name, KNOWN)] == [drug]


@given(
    st.sampled_from(EVERY_NAME),
    st.sampled_from([str.upper, str.lower, str.title, str.swapcase]),
    st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"]),
    st.text(" \t\u00a0", max_size=3),
)
def test_case_blanks_and_unicode_forms_change_no_drug(entry, case, form, blank):
    name, drug = entry
    written = blank + unicodedata.normalize(form, case(name)) + blank
    assert [reading.drug for _, reading in read(written, KNOWN)] == [drug]


@given(st.text("abc", max_size=6), st.text("abc", max_size=6), st.integers(0, 3))
def test_edit_distance_is_symmetric_bounded_and_zero_for_equals(a, b, at_most):
    distance = edit_distance(a, b, at_most)
    assert distance == edit_distance(b, a, at_most)
    assert edit_distance(a, a, at_most) == 0
    assert distance is None or abs(len(a) - len(b)) <= distance <= min(at_most, max(len(a), len(b)))
    assert edit_distance(a, b, 6) is not None


@pytest.mark.parametrize(
    ("a", "b", "distance"), [("kitten", "sitting", 3), ("abc", "abc", 0), ("abc", "acb", 2), ("", "ab", 2)]
)
def test_edit_distance_of_known_pairs(a, b, distance):
    assert edit_distance(a, b, distance) == distance
    assert distance == 0 or edit_distance(a, b, distance - 1) is None
