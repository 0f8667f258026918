"""Dates as hospitals write them: real date cells, texts in any of three orders, serial numbers, partial dates.

Conventions, stated once.

- A text that begins with a four-digit year is year, month, day, whatever order is declared.
- Two-digit years: up to `YEAR_PIVOT` is 20xx, above it 19xx; for a birth the pivot is `BIRTH_PIVOT`.
- A number in a cell of a spreadsheet is that program's serial day (1900 or 1904 system) from 10,000 to 80,000.
- A cell from 1900 to 2100 is a year, also where a date format shows it as a day of 1905: somebody typed the year alone.
- `00.00.0000`, `01.01.1900` and `31.12.9999` are programs' words for an empty field.
- A year outside 1900 to 2100 is unreadable: that holds the Hijri and Buddhist calendars off.
- A partial date is never taken for a full one: with a month known it is the 15th, with the year alone it is nothing.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from riskset.ingest.sheet import Kind
from riskset.ingest.text import fold_letters, tidy

Order = Literal["dmy", "mdy", "ymd"]
Problem = Literal["unreadable", "no_day", "year_only"]

YEAR_PIVOT = 30
BIRTH_PIVOT = 10
IMPUTED_DAY = 15
_YEARS = range(1900, 2101)
# Serial days of 1927 to 2119 (1900 system); smaller numbers are years, ages or codes.
_SERIAL_DAYS = range(10_000, 80_001)
_EMPTY = {(0, 0, 0), (1900, 1, 1), (9999, 12, 31), (1899, 12, 30), (1904, 1, 1)}

_TIME = r"(?:[T ]+\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d+)?)?Z?)?"
_THREE_PARTS = re.compile(r"(\d{1,4})\s?([./\-])\s?(\d{1,2})\s?\2\s?(\d{1,4})\.?" + _TIME)
_COMPACT = re.compile(r"((?:19|20)\d{2})(\d{2})(\d{2})" + _TIME)
_YEAR_MONTH = re.compile(r"(\d{4})\s?[./\-]\s?(\d{1,2})")
_MONTH_YEAR = re.compile(r"(\d{1,2})\s?[./\-]\s?(\d{4})")
_YEAR = re.compile(r"\d{4}")
_DAY_NAME_YEAR = re.compile(r"(\d{1,2})(?:st|nd|rd|th)?[\s./\-]*([a-z]+)[\s.,/\-]*(\d{4}|\d{2})")
_NAME_DAY_YEAR = re.compile(r"([a-z]+)[\s./\-]*(\d{1,2})(?:st|nd|rd|th)?[\s.,]+(\d{4})")
_NAME_YEAR = re.compile(r"([a-z]+)[\s.,/\-]*(\d{4})")

_MONTH_NAMES = (
    ("january", "januar", "janner", "jan", "ocak", "oca"),
    ("february", "februar", "feber", "feb", "subat", "sub"),
    ("march", "mar", "marz", "mrz", "mart"),
    ("april", "apr", "nisan", "nis"),
    ("may", "mai", "mayis"),
    ("june", "juni", "jun", "haziran", "haz"),
    ("july", "juli", "jul", "temmuz", "tem"),
    ("august", "aug", "agustos", "agu"),
    ("september", "sept", "sep", "eylul", "eyl"),
    ("october", "oktober", "oct", "okt", "ekim", "eki"),
    ("november", "nov", "kasim", "kas"),
    ("december", "dezember", "dec", "dez", "aralik", "ara"),
)
_MONTHS = {name: number for number, names in enumerate(_MONTH_NAMES, start=1) for name in names}


@dataclass(frozen=True, slots=True)
class DateReading:
    """A date, or none; `problem` says what was wrong. Neither date nor problem: the cell stands for empty."""

    value: date | None
    problem: Problem | None = None


@dataclass(frozen=True, slots=True)
class OrderEvidence:
    """What a column's texts show about their order: distinct texts that only one order can read, and the rest."""

    day_first: frozenset[str]
    month_first: frozenset[str]
    open: frozenset[str]

    @property
    def contradictory(self) -> bool:
        """Some texts can only be day first, others only month first."""
        return bool(self.day_first and self.month_first)

    @property
    def order(self) -> Order | None:
        """The only order that the texts allow, or None where they leave it open or contradict each other."""
        if self.contradictory:
            return None
        if self.day_first:
            return "dmy"
        return "mdy" if self.month_first else None


def order_evidence(texts: Iterable[str], declared: Order | None = None) -> OrderEvidence:
    """Sort the distinct numeric texts whose year comes last by the orders that can read them.

    Texts with a two-digit year show nothing where no order is declared (the year may come first), and are read year
    first where `ymd` is.
    """
    day_first, month_first, open_ = set(), set(), set()
    for text in texts:
        match = _THREE_PARTS.fullmatch(tidy(text))
        if match is None or len(match[1]) > 2:
            continue
        first, second, short = int(match[1]), int(match[3]), len(match[4]) <= 2
        if short and declared == "ymd":
            continue
        if short and declared is None:
            if first or second:
                open_.add(text)
        elif first > 12 and second <= 12:
            day_first.add(text)
        elif second > 12 and first <= 12:
            month_first.add(text)
        elif first <= 12 and second <= 12 and first != second:
            open_.add(text)
    return OrderEvidence(frozenset(day_first), frozenset(month_first), frozenset(open_))


def read_date(
    text: str, kind: int = Kind.TEXT, *, order: Order | None, origin: date | None = None, pivot: int = YEAR_PIVOT
) -> DateReading:
    """Read one cell as a date.

    Parameters
    ----------
    text
        The cell's text; for a date cell its ISO date.
    kind
        The cell's `Kind`.
    order
        Order of day, month and year in texts; None where no text of the column needs it.
    origin
        Day 0 of the spreadsheet's serial numbers; None where the format has none.
    pivot
        Largest two-digit year that means 20xx.
    """
    text = tidy(text)
    if kind == Kind.NUMBER:
        return _from_number(text, origin)
    if kind == Kind.ERROR:
        return DateReading(None, "unreadable")
    if kind == Kind.DATE and origin is not None and _is_typed_year(text, origin):
        return DateReading(None, "year_only")
    if kind == Kind.DATE and re.match(r"\d{1,2}:", text):
        # A time without a day: midnight is what a spreadsheet shows for serial day 0, an empty field.
        return DateReading(None, None if text == "00:00:00" else "unreadable")
    return _from_digits(text, order, pivot) or _from_names(text, pivot) or DateReading(None, "unreadable")


def _from_number(text: str, origin: date | None) -> DateReading:
    """A number cell: a year, a compact date, or a spreadsheet's serial day."""
    if re.fullmatch(r"\d{4}", text) and int(text) in _YEARS:
        return DateReading(None, "year_only")
    if match := _COMPACT.fullmatch(text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    try:
        serial = float(text)
    except ValueError:
        return DateReading(None, "unreadable")
    if serial in (0, 1):
        return DateReading(None)
    if origin is None or not math.isfinite(serial) or int(serial) not in _SERIAL_DAYS:
        return DateReading(None, "unreadable")
    found = origin + timedelta(days=int(serial))
    return DateReading(found) if found.year in _YEARS else DateReading(None, "unreadable")


def _is_typed_year(text: str, origin: date) -> bool:
    """Whether a date cell is a year that its format shows as a day: 1961 as 14 May 1905."""
    try:
        return (date.fromisoformat(text) - origin).days in _YEARS
    except ValueError:
        return False


def _from_digits(text: str, order: Order | None, pivot: int) -> DateReading | None:
    if match := _THREE_PARTS.fullmatch(text):
        first, second, third = match[1], match[3], match[4]
        if len(first) == 4:
            return _date(int(first), int(second), int(third)) if len(third) <= 2 else DateReading(None, "unreadable")
        if len(first) > 2 or len(third) == 3:
            return DateReading(None, "unreadable")
        if {int(first), int(second), int(third)} == {0}:
            return DateReading(None)
        if order is None and first == second and len(third) == 4:
            order = "dmy"  # 05.05.2020 is the same day either way
        if order == "ymd" and len(third) <= 2:
            return _date(_full_year(first, pivot), int(second), int(third))
        if order == "dmy":
            return _date(_full_year(third, pivot), int(second), int(first))
        if order == "mdy":
            return _date(_full_year(third, pivot), int(first), int(second))
        return DateReading(None, "unreadable")
    if match := _COMPACT.fullmatch(text):
        return _date(int(match[1]), int(match[2]), int(match[3]))
    if match := _YEAR_MONTH.fullmatch(text):
        return _date(int(match[1]), int(match[2]), 0)
    if match := _MONTH_YEAR.fullmatch(text):
        return _date(int(match[2]), int(match[1]), 0)
    if _YEAR.fullmatch(text):
        return _date(int(text), 0, 0)
    return None


def _from_names(text: str, pivot: int) -> DateReading | None:
    letters = fold_letters(text)
    if match := _DAY_NAME_YEAR.fullmatch(letters):
        day, name, year = int(match[1]), match[2], _full_year(match[3], pivot)
    elif match := _NAME_DAY_YEAR.fullmatch(letters):
        day, name, year = int(match[2]), match[1], int(match[3])
    elif match := _NAME_YEAR.fullmatch(letters):
        day, name, year = 0, match[1], int(match[2])
    else:
        return None
    return _date(year, _MONTHS[name], day) if name in _MONTHS else None


def _full_year(text: str, pivot: int) -> int:
    if len(text) > 2:
        return int(text)
    return int(text) + (2000 if int(text) <= pivot else 1900)


def _date(year: int, month: int, day: int) -> DateReading:
    """Build the date; a zero day or month makes it partial, an impossible one unreadable."""
    if (year, month, day) in _EMPTY:
        return DateReading(None)
    if year not in _YEARS or not 0 <= month <= 12 or (month == 0 and day != 0):
        return DateReading(None, "unreadable")
    if month == 0:
        return DateReading(None, "year_only")
    if day == 0:
        return DateReading(date(year, month, IMPUTED_DAY), "no_day")
    try:
        return DateReading(date(year, month, day))
    except ValueError:
        return DateReading(None, "unreadable")
