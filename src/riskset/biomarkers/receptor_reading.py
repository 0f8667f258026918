"""From the text of a receptor result to its class, by the tables of `receptor_rules`."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from riskset.biomarkers.reading import UNKNOWN, first_match, fold
from riskset.biomarkers.receptor_rules import (
    INVALID,
    LOW_FROM,
    LOW_POSITIVE,
    LOW_TO,
    NEGATIVE,
    NUMBER_FORMS,
    NUMBER_SIGN,
    OUT_OF,
    POSITIVE,
    POSITIVE_CLASSES,
    POSITIVE_NOS,
    RECEPTOR_LEXICON,
    RECEPTOR_RULES,
    RECEPTOR_WHOLE_TEXT,
    SCALE_WORDS,
    UNRESOLVED,
    Scale,
)

_FORMS = tuple((name, re.compile(pattern)) for name, pattern in NUMBER_FORMS)
_SCALES = tuple((re.compile(pattern), scale) for pattern, scale in SCALE_WORDS)


@dataclass(frozen=True, slots=True)
class ReceptorReading:
    """What a text says: class, id of the rule, per cent where one exact percentage is stated, and whether ER is low.

    `low` is whether the percentage lies from 1 to 10, whatever the cut; null where that is not said.
    """

    receptor_class: str
    rule: str
    percent: float | None = None
    low: bool | None = None


@dataclass(frozen=True, slots=True)
class _Range:
    """A stated number: its least and greatest possible value; equal where it is exact."""

    low: float
    high: float
    exact: bool
    scale: str | None = None


def read_receptor(text: str | None, scale: str | None, scales: dict[str, Scale]) -> ReceptorReading:
    """Read one receptor's text.

    Parameters
    ----------
    text
        The text as written.
    scale
        The mapping's scale (`percent`, `allred`, `h_score`, `irs`); null means per cent unless the text names one.
    scales
        From `receptor_rules.scales`.

    Returns
    -------
    ReceptorReading
        An interval ("30-60") or bound (">60") has the class that both its ends have; where they lie on two sides of
        the cut the class is UNRESOLVED. A text that no rule knows is UNKNOWN, a value off its scale INVALID.
    """
    folded = fold(text or "")
    whole = first_match(RECEPTOR_WHOLE_TEXT, folded)
    if whole is not None:
        return ReceptorReading(whole.result, whole.id)
    left, named = _named_scale(folded)
    left, number = _number(left)
    rule = first_match(RECEPTOR_RULES, RECEPTOR_LEXICON.symbols(left.strip()))
    if rule is None:
        return ReceptorReading(UNKNOWN, "2f.unknown")
    if not rule.result.startswith("NUMBER"):
        return ReceptorReading(rule.result, rule.id, low=False if rule.result == NEGATIVE else None)
    stated = {s for s in (scale, named, number.scale if number else None) if s}
    if number is None or len(stated) > 1:
        return ReceptorReading(UNKNOWN, "2f.unknown")
    used = stated.pop() if stated else "percent"
    return _judge(number, used, scales[used], rule.result, rule.id)


def _named_scale(folded: str) -> tuple[str, str | None]:
    for pattern, scale in _SCALES:
        left, count = pattern.subn(" ", folded, count=1)
        if count:
            return left, scale
    return folded, None


def _number(text: str) -> tuple[str, _Range | None]:
    """Put a sign in the place of the first number and give its range."""
    for form, pattern in _FORMS:
        match = pattern.search(text)
        if match is None:
            continue
        groups = match.groupdict()
        low = _float(groups.get("low") or groups.get("before") or "")
        high = _float(groups["high"]) if groups.get("high") else low
        return f"{text[: match.start()]} {NUMBER_SIGN} {text[match.end() :]}", _range(form, low, high)
    return text, None


def _float(written: str) -> float:
    return float(written.replace(",", "."))


def _range(form: str, low: float, high: float) -> _Range:
    ranges = {
        "interval": _Range(low, high, exact=False),
        "at_most": _Range(0.0, low, exact=False),
        "below": _Range(0.0, math.nextafter(low, -math.inf), exact=False),
        "at_least": _Range(low, math.inf, exact=False),
        "above": _Range(math.nextafter(low, math.inf), math.inf, exact=False),
        "value": _Range(low, low, exact=True),
        "out_of": _Range(low, low, exact=True, scale=OUT_OF.get(high)),
    }
    return ranges[form]


def _judge(number: _Range, used: str, scale: Scale, kind: str, rule: str) -> ReceptorReading:
    high = min(number.high, scale.maximum) if number.high == math.inf else number.high
    ends = {_class_at(number.low, scale, number.exact), _class_at(high, scale, number.exact)}
    rule_id = f"{rule}.{used}"
    if INVALID in ends or number.low > high:
        return ReceptorReading(INVALID, rule_id)
    receptor_class = _one_class(ends)
    if (kind == "NUMBER_POS" and high == 0) or (kind == "NUMBER_NEG" and number.low > LOW_TO):
        return ReceptorReading(UNKNOWN, "2f.contradiction")
    if used != "percent":
        return ReceptorReading(receptor_class, rule_id)
    inside = [LOW_FROM <= end <= LOW_TO for end in (number.low, high)]
    low = inside[0] if inside[0] == inside[1] and (number.low >= LOW_FROM or high < LOW_FROM) else None
    return ReceptorReading(receptor_class, rule_id, number.low if number.exact else None, low)


def _class_at(value: float, scale: Scale, exact: bool) -> str:
    if not 0 <= value <= scale.maximum:
        return INVALID
    if exact and scale.allowed is not None and value not in scale.allowed:
        return INVALID
    return next(name for start, name in reversed(scale.bands) if value >= start)


def _one_class(ends: set[str]) -> str:
    """Give the class of both ends; positive without saying whether low where only that differs."""
    if len(ends) == 1:
        return next(iter(ends))
    if ends <= set(POSITIVE_CLASSES):
        return POSITIVE_NOS
    return UNRESOLVED


def progesterone(reading: ReceptorReading) -> ReceptorReading:
    """Give the reading as of progesterone receptor, which has no low class."""
    if reading.receptor_class in (LOW_POSITIVE, POSITIVE_NOS) and reading.rule.startswith("2f.number"):
        return ReceptorReading(POSITIVE, reading.rule, reading.percent)
    return ReceptorReading(reading.receptor_class, reading.rule, reading.percent)
