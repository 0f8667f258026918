"""The parameters in force, each with the row that holds it, and conditions in words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from riskset.report.labels import Labels, lower_first
from riskset.report.reader import Reader
from riskset.report.tablemodel import Inline, Part, inline

# Columns of the canonical tables that a condition may name and whose ids read badly.
_COLUMNS = {
    "inn": "drug",
    "intent": "treatment intent",
    "drug_class": "drug class",
    "class": "drug class",
    "index_date": "index date",
    "er_percent": "oestrogen receptor",
    "pr_percent": "progesterone receptor",
}
_QUOTED = r"'([^']*)'"
# A condition is put into words step by step; what is left of SQL then means that it cannot be.
_STEPS: tuple[tuple[str, str], ...] = (
    (rf"(?i)coalesce\((\w+), {_QUOTED}\) = '\2'", r"\1 \2 (or not recorded)"),
    (rf"(?i)(\w+) BETWEEN {_QUOTED} AND {_QUOTED}", r"\1 from \2 to \3"),
    (r"(?i)(\w+) BETWEEN ([\d.]+) AND ([\d.]+)", r"\1 from \2 to \3"),
    (r"(?i)(\w+) IS NOT NULL", r"\1 known"),
    (r"(?i)(\w+) IS NULL", r"\1 unknown"),
    (rf"(\w+) = {_QUOTED}", r"\1 \2"),
    (r" >= ", " ≥ "),
    (r" <= ", " ≤ "),
    (r"\bAND\b", "and"),
    (r"\bOR\b", "or"),
    (r"\bNOT\b", "not"),
)
_LEFT_OVER = re.compile(r"(?i)'|\b(in|case|when|coalesce|like|cast|null)\b|[\w]\(|<>|!=")


class Parameters:
    """The parameters in force, as text, each with the row that holds it."""

    def __init__(self, reader: Reader) -> None:
        rows = reader.rows("definitions", "definition")
        self._rows = {row.variable: row for row in rows if row.variable is not None}

    def part(self, path: str, otherwise: str = "not stated") -> Part:
        """Give a parameter's value, traced to its row."""
        row = self._rows.get(path)
        return Part(otherwise) if row is None else Part(row.text or otherwise, row.row)

    def said(self, path: str, words: str) -> Part:
        """Give words that stand for a parameter's value, traced to its row."""
        row = self._rows.get(path)
        return Part(words, None if row is None else row.row)

    def get(self, path: str) -> str | None:
        """Give a parameter's text or None."""
        row = self._rows.get(path)
        return None if row is None else row.text

    def listed(self, path: str) -> list[str]:
        """Give the items of a parameter that is a list."""
        text = self.get(path)
        return [item.strip() for item in text.split(",")] if text else []

    def under(self, path: str) -> Iterator[tuple[str, Part]]:
        """Give the parameters below a path with the rest of their paths."""
        for name, row in self._rows.items():
            if name.startswith(path + "."):
                yield name.removeprefix(path + "."), Part(row.text or "", row.row)


def joined(words: list[str], last: str = "and") -> str:
    """Join words as a sentence does: `a, b and c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} {last} {words[-1]}" if words else ""


def _alternatives(found: re.Match[str]) -> str:
    values = [value.strip().strip("'") for value in found.group(2).split(",")]
    return f"{found.group(1)} {joined(values, 'or')}"


def in_words(labels: Labels, condition: str) -> str | None:
    """Put a simple condition into words, or give None where it is not that simple.

    A comparison of a column with a number stays a comparison; `IN`, `BETWEEN`, `coalesce(x, 'v') = 'v'` and the logical
    operators become words.
    """
    text = " ".join(condition.split())
    text = re.sub(r"(?i)(\w+) IN \(([^()]*)\)", _alternatives, text)
    for pattern, words in _STEPS:
        text = re.sub(pattern, words, text)
    if _LEFT_OVER.search(text):
        return None
    return re.sub(r"[A-Za-z]\w*_\w+|\b(?:inn|intent|class)\b|^\w+", lambda m: _named(labels, m.group(0)), text)


def _named(labels: Labels, name: str) -> str:
    return _COLUMNS.get(name) or re.sub(r" \([^()]*\)$", "", lower_first(labels.of(name)))


def generic(pairs: list[tuple[str, Part]]) -> Inline:
    """Print parameters of something unknown to this module: `name value`, commas between."""
    pieces: list[str | Part] = []
    for name, part in pairs:
        pieces += [", " if pieces else "", f"{name.replace('_', ' ').replace('.', ' ')} ", part]
    return inline(*pieces)
