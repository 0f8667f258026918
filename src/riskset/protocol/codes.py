"""What the canonical schema allows a mapping to write into a field: names, types, and the codes of coded columns."""

from __future__ import annotations

import re
import unicodedata
from datetime import date
from typing import Any

import polars as pl

from riskset.errors import did_you_mean
from riskset.tables import ASSESSMENT_RESPONSES, CANONICAL, ORGANS

# Columns of the canonical tables that hold one of few codes. `her2` and others of the table `supplied` are absent:
# their codes belong to the rules that read them.
CODED: dict[tuple[str, str], tuple[str, ...]] = {
    ("patients", "sex"): ("female", "male"),
    ("samples", "tissue"): ("primary", "metastasis"),
    ("samples", "er_scale"): ("percent", "allred", "h_score", "irs"),
    ("samples", "pr_scale"): ("percent", "allred", "h_score", "irs"),
    ("samples", "decalcification"): ("none", "edta", "acid", "unknown"),
    ("drugs", "stop_reason"): ("progression", "toxicity", "choice", "completed", "ongoing", "other"),
    ("drugs", "intent"): ("neoadjuvant", "adjuvant", "metastatic"),
    ("assessments", "non_target"): ("CR", "NON_CR_NON_PD", "PD", "NE"),
    ("assessments", "response"): ASSESSMENT_RESPONSES,
    ("organs", "organ"): ORGANS,
    ("contacts", "status"): ("alive", "dead"),
}

# Without this field the rows of a table say nothing.
NEEDED: dict[str, str] = {"drugs": "name", "organs": "organ"}

FIELD_TYPES: dict[str, pl.DataType] = {
    "text": pl.String(),
    "number": pl.Float64(),
    "integer": pl.Int32(),
    "date": pl.Date(),
    "boolean": pl.Boolean(),
}

_SET_BY_THE_PROGRAM = ("centre", "source", "row")


def fold_text(text: str) -> str:
    """Bring a text to the form in which codes are compared: no case, no outer or doubled blanks, one Turkish i.

    Examples
    --------
    >>> fold_text("  KISMİ  Yanıt ") == fold_text("kısmi yanit")
    True
    """
    plain = unicodedata.normalize("NFKC", text).replace("İ", "i").replace("ı", "i")
    return " ".join(plain.casefold().replace("\u0307", "").split())


def check_field(table: str, name: str, declared: str | None, *, typed: bool = False) -> str | None:
    """Say what is wrong with a field of that name in a canonical table, or None.

    `declared` is the `type` that the mapping gives. A field outside the schema needs one, unless it is `typed` by its
    value, as a constant is.
    """
    schema = CANONICAL[table]
    if name in _SET_BY_THE_PROGRAM:
        return f"'{name}' is set by the program; leave it out or give it another name."
    if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
        return f"'{name}' is no field name; use small letters, digits and _, beginning with a letter."
    if table == "supplied":
        return None
    column = schema.column(name)
    if column is None:
        known = [c for c in schema.types if c not in _SET_BY_THE_PROGRAM]
        hint = did_you_mean(name, known)
        if not schema.open:
            return f"The table '{table}' has no field '{name}'{hint}; its fields are {', '.join(known)}."
        if declared is None and not typed:
            return f"The table '{table}' has no field '{name}'{hint}; give it a 'type' to add it."
        return None
    if declared is not None and FIELD_TYPES[declared] != column.dtype:
        return f"The field '{name}' has its type already; leave out 'type'."
    return None


def check_value(table: str, name: str, value: Any, declared: str | None = None) -> str | None:
    """Say what is wrong with a code's value or a constant for that field, or None; null is always right."""
    if value is None or table == "supplied":
        return None
    known = CODED.get((table, name))
    if known is not None:
        if value in known:
            return None
        return f"'{name}' cannot be '{value}'{did_you_mean(str(value), known)}; it is one of {', '.join(known)}."
    column = CANONICAL[table].column(name)
    dtype = column.dtype if column else FIELD_TYPES[declared] if declared else None
    if dtype is None or dtype == pl.String():
        return None
    return None if _fits(value, dtype) else f"'{name}' cannot be '{value}'; it holds {_HOLDS[dtype]}."


_HOLDS: dict[pl.DataType, str] = {
    pl.Boolean(): "true or false",
    pl.Float64(): "a number",
    pl.Int32(): "a whole number",
    pl.Date(): "a date as YYYY-MM-DD",
}


def _fits(value: Any, dtype: pl.DataType) -> bool:
    if dtype == pl.Boolean():
        return isinstance(value, bool)
    if dtype == pl.Date():
        try:
            date.fromisoformat(str(value))
        except ValueError:
            return False
        return True
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and (dtype == pl.Float64() or float(value).is_integer())
