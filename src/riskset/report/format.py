"""Numbers as a report prints them: the one place where riskset rounds.

Rounding is half up on the decimal value that a float prints as, so that 2.675 gives 2.68 as it would by hand.
Fractions become per cent, days become months; a printed P value never stands on the wrong side of .05.
"""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from riskset.results import DAYS_PER_MONTH

NOT_REACHED = "NR"
NOT_AVAILABLE = "n/a"
ABSENT = "–"
MINUS = "\N{MINUS SIGN}"
NO_BREAK = "\N{NO-BREAK SPACE}"
_MONTH = Decimal(str(DAYS_PER_MONTH))
_SIGNIFICANCE = Decimal("0.05")
# A hazard ratio this large or small says no more than "cannot be estimated from so few".
_RATIO_MOST, _RATIO_LEAST = Decimal(1000), Decimal("0.001")


def _exact(value: float) -> Decimal:
    return Decimal(repr(float(value)))


def _rounded(value: Decimal, digits: int) -> Decimal:
    return value.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_UP)


def _signed(number: Decimal) -> str:
    text = f"{abs(number):,f}"
    return f"{MINUS}{text}" if number < 0 else text


def fixed(value: float, digits: int) -> str:
    """Print a number with so many decimals, half rounded up (away from zero), a true minus sign, no grouping.

    Examples
    --------
    >>> fixed(2.675, 2), fixed(-0.04, 1)
    ('2.68', '0.0')
    """
    return _signed(_rounded(_exact(value), digits)).replace(",", "")


def count(value: float) -> str:
    """Print a count.

    Examples
    --------
    >>> count(12345.0)
    '12,345'
    """
    return _signed(_rounded(_exact(value), 0))


def months(days: float, digits: int = 1) -> str:
    """Print a duration in days as months.

    Examples
    --------
    >>> months(456.5625)
    '15.0'
    """
    return _signed(_rounded(_exact(days) / _MONTH, digits))


def whole_months(days: float) -> str:
    """Print a time of a grid in months: whole where it is whole.

    Examples
    --------
    >>> whole_months(182.625), whole_months(45.65625)
    ('6', '1.5')
    """
    return f"{_rounded(_exact(days) / _MONTH, 1).normalize():f}"


def percent(fraction: float, digits: int = 1) -> str:
    """Print a fraction as per cent, without the sign.

    Examples
    --------
    >>> percent(0.7143), percent(1.0)
    ('71.4', '100.0')
    """
    return _signed(_rounded(_exact(fraction) * 100, digits))


def _on_its_side(value: Decimal, digits: int, boundary: Decimal, most: int) -> Decimal:
    """Round, with more digits as long as rounding would move the number to or past a boundary that it is not at."""
    for places in range(digits, most):
        found = _rounded(value, places)
        if value == boundary or (found - boundary) * (value - boundary) > 0:
            return found
    return _rounded(value, most)


def ratio(value: float, digits: int = 2, *, end: bool = False) -> str:
    """Print a ratio with two decimals; an end of an interval with more where two would move it onto 1.

    Examples
    --------
    >>> ratio(1.078), ratio(0.998), ratio(0.998, end=True), ratio(1e9)
    ('1.08', '1.00', '0.998', '>1,000')
    """
    exact = _exact(value)
    if exact > _RATIO_MOST:
        return ">1,000"
    if exact < _RATIO_LEAST:
        return "<0.001"
    return _signed(_on_its_side(exact, digits, Decimal(1), digits + 3) if end else _rounded(exact, digits))


def p_value(value: float) -> str:
    """Print a P value: two decimals from .01, three below, `<.001`, `>.99`; never rounded across .05.

    Examples
    --------
    >>> p_value(0.4), p_value(0.0496), p_value(0.0042), p_value(0.0004), p_value(0.05)
    ('.40', '.0496', '.004', '<.001', '.05')
    """
    exact = _exact(value)
    if exact < Decimal("0.001"):
        return "<.001"
    if exact >= Decimal("0.995"):
        return ">.99"
    digits = 2 if exact >= Decimal("0.01") else 3
    found = _rounded(exact, digits)
    # .0496 would print as .05 and .0503 too: as many digits as tell the side.
    while exact != _SIGNIFICANCE and found == _SIGNIFICANCE and digits < 12:
        digits += 1
        found = _rounded(exact, digits)
    return f"{found:f}".removeprefix("0")


def p_phrase(printed: str) -> str:
    """Give what stands after the letter P: `= .40`, `< .001`; the space does not break.

    Examples
    --------
    >>> p_phrase(".40"), p_phrase("<.001")
    ('=\\xa0.40', '<\\xa0.001')
    """
    return f"{printed[0]}{NO_BREAK}{printed[1:]}" if printed[0] in "<>" else f"={NO_BREAK}{printed}"


def dash(low: str, high: str) -> str:
    """Give what joins two printed ends: an en dash, or ` to ` where a minus sign would make the dash unclear.

    Examples
    --------
    >>> dash("12.4", "34.3"), dash(MINUS + "0.1", "NR")
    ('–', ' to ')
    """
    return " to " if MINUS in low + high else "–"
