"""Oestrogen and progesterone receptor: words, scales and their classes. Data alone.

Source: ASCO/CAP 2020 guideline update for oestrogen and progesterone receptor testing (JCO 38:1346).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from riskset.biomarkers.reading import Lexicon, Rule, Token, words
from riskset.biomarkers.vocabulary import (
    DAMAGED_BY_EXCEL,
    MISSING_WORDS,
    NEGATIVE_WORDS,
    NOT_DONE_WORDS,
    NUMBER,
    POSITIVE_WORDS,
)

# Classes of one receptor. POS_NOS: positive, but whether low is not said.
NEGATIVE = "NEG"
LOW_POSITIVE = "LOW_POS"
POSITIVE = "POS"
POSITIVE_NOS = "POS_NOS"
UNRESOLVED = "UNRESOLVED"
INVALID = "INVALID"
POSITIVE_CLASSES = (LOW_POSITIVE, POSITIVE, POSITIVE_NOS)

# ER of 1 to 10 % is positive, but "low": few data on endocrine therapy.
LOW_FROM, LOW_TO = 1.0, 10.0


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale: the values that exist on it, and from which value on which class holds (ascending).

    `allowed` lists the values of a scale of whole numbers; null where any number from 0 to `maximum` exists.
    """

    bands: tuple[tuple[float, str], ...]
    maximum: float
    allowed: frozenset[float] | None = None


def scales(cut: float, h_score_cut: float) -> dict[str, Scale]:
    """Give the scales with the study's cuts: per cent of stained cells, Allred, H-score and immunoreactive score."""
    above_low = math.nextafter(LOW_TO, math.inf)
    return {
        "percent": Scale(((0.0, NEGATIVE), (cut, LOW_POSITIVE), (above_low, POSITIVE)), 100.0),
        # A sum of proportion (0-5) and intensity (0-3) that are both 0 or both not: 1 cannot occur.
        "allred": Scale(((0.0, NEGATIVE), (3.0, POSITIVE)), 8.0, frozenset({0.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0, 8.0})),
        "h_score": Scale(((0.0, NEGATIVE), (h_score_cut, POSITIVE)), 300.0),
        # A product of proportion (0-4) and intensity (0-3).
        "irs": Scale(
            ((0.0, NEGATIVE), (1.0, UNRESOLVED), (2.0, POSITIVE)),
            12.0,
            frozenset({0.0, 1.0, 2.0, 3.0, 4.0, 6.0, 8.0, 9.0, 12.0}),
        ),
    }


# What a scale is called in a text, and the highest value by which "7/8" or "9/12" names it.
SCALE_WORDS: tuple[tuple[str, str], ...] = (
    (r"\ballred\b(?: ?s[ck]oru?e?)?", "allred"),
    (r"\bh[ -]?s[ck]oru?e?\b|\bhistoscore\b", "h_score"),
    (r"\birs\b|\bremmele\b", "irs"),
)
OUT_OF = {8.0: "allred", 12.0: "irs", 300.0: "h_score"}

# How a number is written: name of the form, pattern. The per cent sign stands on either side, or is absent. The first
# form that is found is taken, forms with a sign before those without.
_LOW = rf"%? ?(?P<low>{NUMBER}) ?%?"
_HIGH = rf"%? ?(?P<high>{NUMBER}) ?%?"
_TO = r" ?(?:-|to|bis|ila|ile|a) ?"
_ALONE = r"(?<![\d.,])"
_END = r"(?![\d]|[.,]\d)"
NUMBER_FORMS: tuple[tuple[str, str], ...] = (
    ("out_of", rf"{_ALONE}(?P<low>{NUMBER}) ?/ ?(?P<high>8|12|300){_END}"),
    ("interval", rf"{_ALONE}{_LOW}{_TO}{_HIGH}{_END}"),
    ("at_most", rf"<= ?%? ?(?P<low>{NUMBER}) ?%?{_END}"),
    ("below", rf"(?:%? ?< ?|< ?%? ?)(?P<low>{NUMBER}) ?%?{_END}"),
    ("at_least", rf">= ?%? ?(?P<low>{NUMBER}) ?%?{_END}"),
    ("above", rf"(?:%? ?> ?|> ?%? ?)(?P<low>{NUMBER}) ?%?{_END}"),
    ("value", rf"~? ?(?:% ?(?P<low>{NUMBER})|(?P<before>{NUMBER}) ?%){_END}"),
    ("value", rf"~? ?{_ALONE}(?P<low>{NUMBER}){_END}(?! ?\+)"),
)

# The place of a number in the line of symbols.
NUMBER_SIGN = "@"

RECEPTOR_WHOLE_TEXT: tuple[Rule, ...] = (
    Rule("2f.empty", r"", "MISSING"),
    # 9 and 99 are percentages here, so only codes that are none count as missing.
    Rule("2f.missing_code", r"(?:-9|-99|999|-999)(?:[.,]0+)?|\.+|\?+|-{2,}", "MISSING"),
    Rule("2f.below_zero", rf"- ?{NUMBER} ?%?", INVALID),
    *(Rule("2f.damaged", pattern, INVALID) for pattern in DAMAGED_BY_EXCEL),
)

RECEPTOR_LEXICON = Lexicon(
    (
        Token(NUMBER_SIGN, "number"),
        Token(
            words(
                "er",
                "pr",
                "pgr",
                r"o?estrogen",
                "ostrojen",
                "ostrogen",
                "oestrogene",
                "estrogeno",
                "progesterone?",
                "progesteron[ae]?",
                "receptors?",
                "reseptoru?",
                "rezeptor",
                "recepteur",
                "receptor",
                "s[ck]oru?e?",
                "nukleer",
                "nuclear",
                "boyanma",
                "staining",
            ),
            "",
        ),
        Token(NOT_DONE_WORDS, "missing"),
        Token(MISSING_WORDS, "missing"),
        Token(
            words("weak", "zayif", "schwach", "faible", "moderate", "orta", "strong", "guclu", "kuvvetli"), "strength"
        ),
        Token(words("not", "non", "nicht", "degil", "keine?", "pas", "no"), "not"),
        Token(NEGATIVE_WORDS, "neg"),
        Token(POSITIVE_WORDS, "pos"),
        Token(r"\+ ?ve(?![a-z])", "pos"),
        Token(r"- ?ve(?![a-z])", "neg"),
        Token(r"[1-3] ?\+", "grade"),
        Token(r"\+(?: ?\+)*", "grade"),
        Token(r"-", "-"),
        Token(r"[()\[\]{}.,;:=_'\"/]", ""),
    )
)

_STRENGTH = r"(?: strength)?"
_POSITIVE = rf"(?:(?:strength )?pos{_STRENGTH}|grade|pos grade|grade pos)"
_NEGATIVE = r"(?:neg(?: -)?|-|pos not|not pos)"
RECEPTOR_RULES: tuple[Rule, ...] = (
    Rule("2f.missing", r"missing(?: missing)*", "MISSING"),
    Rule("2f.number", rf"number{_STRENGTH}|strength number", "NUMBER"),
    Rule("2f.number_positive", rf"{_POSITIVE} number{_STRENGTH}|number {_POSITIVE}", "NUMBER_POS"),
    Rule("2f.number_negative", rf"{_NEGATIVE} number|number {_NEGATIVE}", "NUMBER_NEG"),
    Rule("2f.word_negative", _NEGATIVE, NEGATIVE),
    Rule("2f.word_positive", _POSITIVE, POSITIVE_NOS),
)
