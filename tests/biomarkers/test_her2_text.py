"""HER2 texts: every row of the rule table for how hospitals write a score or an ISH result."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from riskset.biomarkers.her2_reading import read_ihc, read_ish
from riskset.biomarkers.reading import fold

IHC = [
    # score 0
    ("0", "0_NOS"),
    ("skor 0", "0_NOS"),
    ("score 0", "0_NOS"),
    ("(0)", "0_NOS"),
    ("negatif (0)", "0_NOS"),
    ("negativo (0)", "0_NOS"),
    ("0.0", "0_NOS"),
    ("HER2: 0", "0_NOS"),
    ("0 (<10%)", "0_NOS"),
    # no staining said, or a share of none
    ("0, no staining", "0_null"),
    ("boyanma yok", "0_null"),
    ("0 (%0)", "0_null"),
    ("HER2 0 null", "0_null"),
    ("keine Färbung", "0_null"),
    ("aucun marquage", "0_null"),
    ("sin tinción", "0_null"),
    # ultralow
    ("ultralow", "0_ultralow"),
    ("Ultra-Low", "0_ultralow"),
    ("0 (<10% faint)", "0_ultralow"),
    (">0<1+", "0_ultralow"),
    ("0 %5", "0_ultralow"),
    ("0 (5%)", "0_ultralow"),
    # 0+
    ("0+", "AMBIG_0PLUS"),
    ("0 (+)", "AMBIG_0PLUS"),
    # score 1+
    ("1", "1+"),
    ("+1", "1+"),
    ("1+", "1+"),
    ("1 pozitif", "1+"),
    ("HER2 1(+)", "1+"),
    ("cerbB2 +1", "1+"),
    ("skor 1", "1+"),
    ("negatif (1+)", "1+"),
    ("1+ (focal)", "1+"),
    ("1+ %20", "1+"),
    ("1,0", "1+"),
    # score 2+ and 3+
    ("2", "2+"),
    ("+2", "2+"),
    ("2+", "2+"),
    ("++", "2+"),
    ("(++)", "2+"),
    ("Score 2+ (equivocal)", "2+"),
    ("c-erbB-2: 2+", "2+"),
    ("3", "3+"),
    ("+3", "3+"),
    ("3+", "3+"),
    ("+++", "3+"),
    ("3 (+++)", "3+"),
    ("HER-2/neu: 3+", "3+"),
    ("pozitif (3+)", "3+"),
    # a lone plus
    ("+", "AMBIG_PLUS"),
    ("(+)", "AMBIG_PLUS"),
    ("HER2+", "AMBIG_PLUS"),
    # between two scores
    ("0-1", "AMBIG_0_1"),
    ("0/1+", "AMBIG_0_1"),
    ("0 to 1+", "AMBIG_0_1"),
    ("0-1+", "AMBIG_0_1"),
    ("0 bis 1+", "AMBIG_0_1"),
    ("negatif (0-1+)", "AMBIG_0_1"),
    ("1-2+", "AMBIG_1_2"),
    ("1+/2+", "AMBIG_1_2"),
    ("+/++", "AMBIG_1_2"),
    ("2-3+", "AMBIG_2_3"),
    ("2+ ila 3+", "AMBIG_2_3"),
    # words without a score
    ("neg", "NEG_NOS"),
    ("negatif", "NEG_NOS"),
    ("negativ", "NEG_NOS"),
    ("négatif", "NEG_NOS"),
    ("negatif/ve", "NEG_NOS"),
    ("-", "NEG_NOS"),
    ("(-)", "NEG_NOS"),
    ("pozitif değil", "NEG_NOS"),
    ("nicht positiv", "NEG_NOS"),
    ("pos", "POS_NOS"),
    ("pozitif", "POS_NOS"),
    ("pozitif (+)", "POS_NOS"),
    # damaged by Excel
    ("2-Jan", "INVALID"),
    ("2-Oca", "INVALID"),
    ("Jan-02", "INVALID"),
    ("01.02.2024", "INVALID"),
    ("2024-02-01 00:00:00", "INVALID"),
    ("#NAME?", "INVALID"),
    ("#AD?", "INVALID"),
    ("4", "INVALID"),
    ("12", "INVALID"),
    ("1.5", "INVALID"),
    ("45293", "INVALID"),
    # nothing known
    (None, "MISSING"),
    ("", "MISSING"),
    ("  ", "MISSING"),
    ("boş", "MISSING"),
    ("yok", "MISSING"),
    ("bilinmiyor", "MISSING"),
    ("k.A.", "MISSING"),
    ("inconnu", "MISSING"),
    ("desconocido", "MISSING"),
    ("NA", "MISSING"),
    (".", "MISSING"),
    ("-9", "MISSING"),
    ("9", "MISSING"),
    ("99", "MISSING"),
    ("999", "MISSING"),
    ("yapılmadı", "MISSING"),
    ("UNk/ND", "MISSING"),
    # what cannot be decided is never guessed
    ("1+ (3+ outside)", "UNKNOWN"),
    ("1++", "UNKNOWN"),
    ("HER 2+", "UNKNOWN"),
    ("HER2 low", "UNKNOWN"),
    ("HER2", "UNKNOWN"),
    ("+/-", "UNKNOWN"),
    ("negatif 3+", "UNKNOWN"),
    ("pozitif 0", "UNKNOWN"),
    ("negatif değil", "UNKNOWN"),
    ("0 %30", "UNKNOWN"),
    ("see report", "UNKNOWN"),
    ("possible", "UNKNOWN"),
    ("null", "UNKNOWN"),
]

ISH = [
    # negation before positive words
    ("neg", "NEG"),
    ("Negatif", "NEG"),
    ("non-amplified", "NEG"),
    ("nonamplified", "NEG"),
    ("unamplified", "NEG"),
    ("not amplified", "NEG"),
    ("amplifiye değil", "NEG"),
    ("AMPLİFİYE DEĞİL", "NEG"),
    ("amplifikasyon yok", "NEG"),
    ("amplifikasyon saptanmadı", "NEG"),
    ("nicht amplifiziert", "NEG"),
    ("keine Amplifikation", "NEG"),
    ("non amplifié", "NEG"),
    ("pas d'amplification", "NEG"),
    ("no amplificado", "NEG"),
    ("FISH -", "NEG"),
    ("-", "NEG"),
    ("DDISH amplifiye değil (negatif)", "NEG"),
    ("negatif (oran <2.0)", "NEG"),
    ("pos", "POS"),
    ("pozitif", "POS"),
    ("amplified", "POS"),
    ("amplifiye", "POS"),
    ("Amplifikasyon var", "POS"),
    ("amplifiziert", "POS"),
    ("amplifié", "POS"),
    ("amplificado", "POS"),
    ("ISH+", "POS"),
    ("equivocal", "EQUIVOCAL"),
    ("şüpheli", "EQUIVOCAL"),
    ("yapılmadı", "NOT_DONE"),
    ("nicht durchgeführt", "NOT_DONE"),
    ("nicht durchgefuehrt", "NOT_DONE"),
    ("non fait", "NOT_DONE"),
    ("no realizado", "NOT_DONE"),
    ("not_done", "NOT_DONE"),
    ("failed", "FAILED"),
    ("pending", "FAILED"),
    ("nicht auswertbar", "FAILED"),
    (None, "MISSING"),
    ("", "MISSING"),
    ("yok", "MISSING"),
    ("bilinmiyor", "MISSING"),
    ("k.A.", "MISSING"),
    ("-9", "MISSING"),
    # a word about amplification is no result
    ("amplifikasyon açısından FISH önerilir", "UNKNOWN"),
    ("amplification", "UNKNOWN"),
    ("FISH", "UNKNOWN"),
    ("not detected", "UNKNOWN"),
    ("0", "UNKNOWN"),
    ("1", "UNKNOWN"),
    ("2-Jan", "UNKNOWN"),
    ("#NAME?", "UNKNOWN"),
]

NUMBERS = [
    ("1.9 (CN 4.3)", 1.9, 4.3, "MISSING"),
    ("1,9 (CN 4,3)", 1.9, 4.3, "MISSING"),
    ("FISH: 1.9 (CN 4.3)", 1.9, 4.3, "MISSING"),
    ("ratio 2.3, copies 5.1", 2.3, 5.1, "MISSING"),
    ("ratio: 1.3 copies: 2.8 negatif", 1.3, 2.8, "NEG"),
    ("HER2/CEP17: 1,2; 3,1 copies/cell", 1.2, 3.1, "MISSING"),
    ("R=2.3 C=4.5", 2.3, 4.5, "MISSING"),
    ("amplified (ratio 5.6)", 5.6, None, "POS"),
    ("HER2 kopya sayısı 6,5", None, 6.5, "MISSING"),
    ("6.2 copies", None, 6.2, "MISSING"),
    ("2.1", 2.1, None, "MISSING"),
]

SPLIT = [
    ("IHC 2+/FISH -", "2+", "NEG"),
    ("2+ SISH neg", "2+", "NEG"),
    ("2+ (DDISH amplifiye degil)", "2+", "NEG"),
    ("2+ (DDISH amplifiye değil)", "2+", "NEG"),
    ("2+, nicht amplifiziert", "2+", "NEG"),
    ("2+ non-amplified", "2+", "NEG"),
    ("2+ FISH amplifiye", "2+", "POS"),
    ("FISH pozitif, IHC 2+", "2+", "POS"),
    ("HER2 negative (IHC 2+/ISH-)", "2+", "NEG"),
    ("IHK: 2+; DDISH yapılmadı", "2+", "NOT_DONE"),
    ("1+ / FISH negatif", "1+", "NEG"),
    ("3+ CISH pending", "3+", "FAILED"),
    ("2+ ISH önerilir", "2+", "UNKNOWN"),
    ("FISH neg", "MISSING", "NEG"),
]


@pytest.mark.parametrize(("text", "score"), IHC)
def test_score(text, score):
    assert read_ihc(text).score == score


@pytest.mark.parametrize(("text", "word"), ISH)
def test_ish_word(text, word):
    assert read_ish(text).word == word


@pytest.mark.parametrize(("text", "ratio", "copies", "word"), NUMBERS)
def test_ish_numbers(text, ratio, copies, word):
    reading = read_ish(text)
    assert (reading.ratio, reading.copies, reading.word) == (ratio, copies, word)


@pytest.mark.parametrize(("text", "score", "word"), SPLIT)
def test_both_in_one_cell(text, score, word):
    reading = read_ihc(text)
    assert (reading.score, read_ish(reading.ish).word) == (score, word)


def test_every_reading_names_its_rule():
    assert {read_ihc(text).rule.partition(".")[0] for text, _ in IHC} == {"2b"}
    assert {read_ish(text).rule.partition(".")[0] for text, _ in ISH} == {"2b"}


CASES = st.sampled_from([str.upper, str.lower, str.title, str.swapcase, lambda text: text])
FORMS = st.sampled_from(["NFC", "NFD", "NFKC", "NFKD"])
BLANKS = st.text(" \t\u00a0\u2009", max_size=3)


def rewritten(text: str, case, form: str, outer: str, inner: str) -> str:
    """Write the same text in another case and Unicode form, with more blanks around it and where it has one."""
    wide = text.replace(" ", " " + inner) if inner else text
    return outer + unicodedata.normalize(form, case(wide)) + outer


@given(st.sampled_from([row for row in IHC if row[0]] + [(t, s) for t, s, _ in SPLIT]), CASES, FORMS, BLANKS, BLANKS)
def test_case_blanks_and_unicode_forms_change_no_score(row, case, form, outer, inner):
    text, score = row
    assert read_ihc(rewritten(text, case, form, outer, inner)).score == score


@given(st.sampled_from([row for row in ISH if row[0]]), CASES, FORMS, BLANKS, BLANKS)
def test_case_blanks_and_unicode_forms_change_no_ish_word(row, case, form, outer, inner):
    text, word = row
    assert read_ish(rewritten(text, case, form, outer, inner)).word == word


@given(st.sampled_from(["0", "1+", "2+", "3+", "negatif"]), st.sampled_from(["０", "１＋", "２＋", "３＋"]))
def test_wide_digits_are_digits(plain, wide):
    assert read_ihc(wide) == read_ihc(unicodedata.normalize("NFKC", wide))
    assert read_ihc(plain).score != "UNKNOWN"


WORDS_WITHOUT_MEANING = st.text("bcdfghjklmqrtvwxyz", min_size=4, max_size=8)


@given(st.sampled_from(["0", "1+", "2+", "3+", "negatif", "pozitif", "+"]), WORDS_WITHOUT_MEANING)
def test_a_word_that_nobody_knows_makes_a_score_unknown(score, word):
    assert read_ihc(f"{score} {word}").score == "UNKNOWN"
    assert read_ish(f"negatif {word}").word == "UNKNOWN"


@given(st.text(max_size=30))
def test_any_text_is_read_without_an_error(text):
    assert fold(fold(text)) == fold(text)
    assert read_ihc(text).score
    assert read_ish(text).word
