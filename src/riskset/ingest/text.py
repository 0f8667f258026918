"""Texts compared the way people mean them: case, accents of I, spaces and look-alike characters do not count."""

from __future__ import annotations

import unicodedata

from riskset.protocol.codes import fold_text

# Blank-like words that stand for an empty cell in any column. Words such as "yok" are not here: they often mean "no".
BLANK_WORDS = frozenset({"na", "n/a", "n.a.", ".", "-", "--", "?"})


def tidy(text: str) -> str:
    """Strip the ends and make each run of white space, also of line ends and hard spaces, one space."""
    return " ".join(text.split())


def fold_letters(text: str) -> str:
    """Fold, and drop accents too (`März` = `marz`, `Ağustos` = `agustos`); for month names."""
    decomposed = unicodedata.normalize("NFKD", fold_text(text))
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter))
