"""Numbers as hospitals write them: decimal commas, thousands, per cent signs, bounds and ranges.

Conventions, stated once. A number cell is what it is. In a text the declared decimal separator rules; without one, the
column's own texts are asked, and a text that could be read both ways (`1,234`) stays unread. `20-30` is its midpoint,
`<1` half of its bound, `>90` the bound itself, `~20` the number: each of them with a note, so that it reaches the
query list.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Literal

from riskset.ingest.sheet import Kind
from riskset.ingest.text import tidy

Separator = Literal[",", "."]
Note = Literal["unreadable", "range", "bound", "approximate"]

_DIGITS = re.compile(r"[+-]?\d+(?:[.,]\d+)*")
_WRAPPED = re.compile(r"(?P<sign>[<>]=?|[~≈≤≥]|ca\.?\s)?\s*(?P<rest>.+)")
_RANGE = re.compile(r"(\d[\d.,]*)\s*[-–—]\s*(\d[\d.,]*)")
_SPACED_THOUSANDS = re.compile(r"(?<=\d)[ '’](?=\d{3}(?!\d))")
_NOT_FINITE = re.compile(r"[+-]?(nan|inf|infinity)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class NumberReading:
    """An exact decimal number, or none; `note` says what was unusual or wrong."""

    value: Decimal | None
    note: Note | None = None


def column_separator(texts: Iterable[str]) -> Separator | None:
    """Infer a column's decimal separator from its unambiguous texts; None where they disagree or none tells."""
    seen: set[Separator] = set()
    for text in texts:
        for digits in _DIGITS.findall(_SPACED_THOUSANDS.sub("", tidy(text))):
            separator = _separator_of(digits.lstrip("+-"))
            if separator is not None:
                seen.add(separator)
    return seen.pop() if len(seen) == 1 else None


def read_number(text: str, kind: int = Kind.TEXT, *, decimal: Separator | None = None) -> NumberReading:
    """Read one cell as a number; `decimal` is the declared or inferred decimal separator of texts."""
    text = tidy(text)
    if kind in (Kind.DATE, Kind.ERROR, Kind.BOOLEAN):
        return NumberReading(None, "unreadable")
    if kind == Kind.NUMBER:
        return _exact(text)
    text = tidy(text.replace("%", " ").replace("−", "-"))
    match = _WRAPPED.fullmatch(text)
    if match is None:
        return NumberReading(None, "unreadable")
    sign, rest = match["sign"], match["rest"]
    if sign is None and (ends := _RANGE.fullmatch(rest)):
        return _midpoint(ends[1], ends[2], decimal)
    value = _plain(rest, decimal)
    if value is None:
        return NumberReading(None, "unreadable")
    if sign is None:
        return NumberReading(value)
    if sign == "<":
        return NumberReading(value / 2, "bound")
    return NumberReading(value, "bound" if sign in (">", ">=", "<=", "≤", "≥") else "approximate")


def _exact(text: str) -> NumberReading:
    try:
        value = Decimal(text)
    except InvalidOperation:
        return NumberReading(None, "unreadable")
    return NumberReading(value) if value.is_finite() else NumberReading(None)


def _midpoint(low: str, high: str, decimal: Separator | None) -> NumberReading:
    first, second = _plain(low, decimal), _plain(high, decimal)
    if first is None or second is None or first >= second:
        return NumberReading(None, "unreadable")
    return NumberReading((first + second) / 2, "range")


def _plain(text: str, decimal: Separator | None) -> Decimal | None:
    """Read digits with separators; None where they do not make one number."""
    digits = _SPACED_THOUSANDS.sub("", text)
    if _NOT_FINITE.fullmatch(digits) or not _DIGITS.fullmatch(digits):
        return None
    sign, body = (digits[0], digits[1:]) if digits[0] in "+-" else ("", digits)
    if "," in body or "." in body:
        decimal = decimal or _separator_of(body)
        if decimal is None:
            return None
        thousands = "." if decimal == "," else ","
        whole, _, fraction = body.partition(decimal)
        if thousands in fraction or decimal in fraction:
            return None
        if thousands in whole and not re.fullmatch(rf"\d{{1,3}}(?:{re.escape(thousands)}\d{{3}})+", whole):
            return None
        body = whole.replace(thousands, "") + ("." + fraction if fraction else "")
    return Decimal(sign + body)


def _separator_of(body: str) -> Separator | None:
    """Tell which character is the decimal separator of one number, or None where it could be either or neither."""
    commas, dots = body.count(","), body.count(".")
    if commas and dots:
        last: Separator = "," if body.rfind(",") > body.rfind(".") else "."
        return last
    if commas + dots == 0:
        return None
    used: Separator = "," if commas else "."
    other: Separator = "." if commas else ","
    if commas + dots > 1:
        return other
    whole, fraction = body.split(used)
    if len(fraction) == 3 and 1 <= len(whole) <= 3 and whole != "0":
        return None
    return used
