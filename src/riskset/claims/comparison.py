"""Holding published numbers against result rows: a claim agrees if our unrounded value rounds to what was printed."""

from __future__ import annotations

import operator
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal

from riskset.claims.file import EXPECTATION, Claim, ClaimsFile, Unit
from riskset.results import DAYS_PER_MONTH, KEY_FIELDS, ResultRow, Results

_COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

# A stored value in the unit of the row -> the unit in which the claim was printed.
_FACTOR: dict[Unit, tuple[str | None, float]] = {
    "months": ("days", 1 / DAYS_PER_MONTH),
    "days": ("days", 1.0),
    "percent": ("1", 100.0),
    "patients": ("patients", 1.0),
    "none": (None, 1.0),
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """One claim beside the row that answers it.

    Attributes
    ----------
    published : what was printed, or the expectation.
    unit : unit of the printed value.
    ours : our row; None where there is none.
    value : our unrounded value in the claim's unit.
    decimals : decimals that were printed.
    agrees : whether ours rounds to the printed value (half up or half even), or meets the expectation.
    why : one sentence where it does not.
    """

    id: str
    says: str
    published: str
    unit: Unit
    ours: ResultRow | None
    value: float | None
    decimals: int | None
    agrees: bool
    why: str


def rounds_to(value: float, printed: str) -> bool:
    """Tell whether an unrounded value gives the printed number, by rounding half up or half even.

    Examples
    --------
    >>> rounds_to(15.96, "16.0"), rounds_to(15.94, "16.0")
    (True, False)
    """
    target = Decimal(printed)
    step = Decimal(1).scaleb(int(target.as_tuple().exponent)) if "." in printed else Decimal(1)
    # repr gives the shortest decimal of the float: 0.125 is a half, 0.1249999 is none.
    exact = Decimal(repr(float(value)))
    return target in {exact.quantize(step, rounding=ROUND_HALF_UP), exact.quantize(step, rounding=ROUND_HALF_EVEN)}


def compare(claims: ClaimsFile, results: Results) -> list[Verdict]:
    """Give a verdict for each claim, in the file's order."""
    return [_verdict(claim, results) for claim in claims.published]


def _row(claim: Claim, results: Results) -> tuple[ResultRow | None, str]:
    """Find the row of a claim: parts that it does not name are null, except the scheme, which may be any one."""
    key = {name: claim.row.get(name) for name in KEY_FIELDS if name in claim.row or name != "scheme"}
    found = results.select(**key)
    if not found:
        return None, "This study has no such result row."
    if len(found) > 1:
        return None, f"{len(found)} result rows fit; name more of the key."
    return found[0], ""


def _verdict(claim: Claim, results: Results) -> Verdict:
    row, why = _row(claim, results)
    value: float | None = None
    if row is not None:
        value, why = _in_unit(claim, row)
    agrees = False
    if value is not None:
        if claim.value is not None:
            agrees = rounds_to(value, claim.value)
            why = "" if agrees else "Our value does not round to the printed one."
        else:
            agrees = _meets(value, str(claim.expect))
            why = "" if agrees else "Our value does not meet the statement."
    return Verdict(
        id=claim.id,
        says=claim.says,
        published=claim.value if claim.value is not None else str(claim.expect),
        unit=claim.unit,
        ours=row,
        value=value,
        decimals=claim.decimals if claim.value is not None else None,
        agrees=agrees,
        why=why,
    )


def _in_unit(claim: Claim, row: ResultRow) -> tuple[float | None, str]:
    unit, factor = _FACTOR[claim.unit]
    if row.value is None:
        return None, f"Our row has no value ({row.status})."
    if unit is not None and row.unit != unit:
        return None, f"Our row is in '{row.unit}', which cannot be printed in {claim.unit}."
    return row.value * factor, ""


def _meets(value: float, expect: str) -> bool:
    found = EXPECTATION.fullmatch(expect)
    assert found is not None, "checked when the claims file was loaded"
    return bool(_COMPARE[found.group(1)](value, float(found.group(2))))
