"""Reading short texts of pathology reports by tables of rules.

A text is folded (case, accents, widths and blanks removed), cut into tokens by a lexicon, and the tokens' symbols,
joined by blanks, are looked up in a table of rules; the first that fits decides. A word that the lexicon lacks gives
the symbol `?`, which no rule holds: such a text is UNKNOWN, never guessed.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

UNKNOWN = "UNKNOWN"
UNREAD = "?"

# Signs that typewriters, Excel and Word put for one another. NFKC leaves them apart.
_SIGNS = str.maketrans(
    {"_": " ", "−": "-", "–": "-", "—": "-", "‐": "-", "‑": "-", "﹣": "-", "≥": ">=", "≤": "<=", "’": "'"}
)


def fold(text: str) -> str:
    """Give the text in NFKC, lower case, without accents, blanks single; Turkish dotted and dotless i become i.

    >>> fold("  AMPLİFİYE   DEĞİL ") == fold("amplifiye değil") == "amplifiye degil"
    True
    """
    plain = unicodedata.normalize("NFKC", text).replace("İ", "i").replace("I", "i").replace("ı", "i")
    apart = unicodedata.normalize("NFKD", plain.casefold()).translate(_SIGNS)
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


@dataclass(frozen=True, slots=True)
class Token:
    """One entry of a lexicon: a pattern over folded text, and the symbol that it gives (empty = it says nothing)."""

    pattern: str
    symbol: str


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a rule table: its id, a pattern over the whole line of symbols, and the result."""

    id: str
    pattern: str
    result: str


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Tokens in order: the first whose pattern fits at a place is taken. Words end where letters end."""

    tokens: tuple[Token, ...]

    def symbols(self, folded: str) -> str:
        """Give the symbols of a folded text, joined by blanks; anything unknown is `?`."""
        found: list[str] = []
        at = 0
        while at < len(folded):
            symbol, at = self._token(folded, at)
            if symbol:
                found.append(symbol)
        return " ".join(found)

    def _token(self, folded: str, at: int) -> tuple[str, int]:
        """Give the symbol at a place and where the next token begins."""
        if folded[at] == " ":
            return "", at + 1
        for pattern, symbol in _compiled(self.tokens):
            match = pattern.match(folded, at)
            if match and match.end() > at:
                return symbol, match.end()
        # The whole of an unknown word is stepped over, so that no token is read out of its middle.
        unread = _WORD.match(folded, at)
        return UNREAD, unread.end() if unread else at + 1


_WORD = re.compile(r"[a-z]+|.", re.DOTALL)


@cache
def _compiled(tokens: tuple[Token, ...]) -> tuple[tuple[re.Pattern[str], str], ...]:
    return tuple((re.compile(token.pattern), token.symbol) for token in tokens)


def words(*alternatives: str) -> str:
    """Give a pattern for any of these words (each a pattern itself), ended where letters end."""
    return rf"(?:{'|'.join(alternatives)})(?![a-z])"


def first_match(rules: Sequence[Rule], symbols: str) -> Rule | None:
    """Give the first rule whose pattern fits the whole line of symbols, or null."""
    return next((rule for rule in rules if re.fullmatch(rule.pattern, symbols)), None)
