"""One column of texts becomes one typed column. Each distinct text is read once and joined back to its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any, TypeAlias

import polars as pl

from riskset.errors import DataRefusedError
from riskset.ingest.dates import YEAR_PIVOT, Order, OrderEvidence, order_evidence, read_date
from riskset.ingest.numbers import Separator, column_separator, read_number
from riskset.ingest.problems import EMPTY, MISSING, Problem
from riskset.ingest.sheet import Kind
from riskset.ingest.text import BLANK_WORDS
from riskset.protocol.codes import FIELD_TYPES, fold_text

_WHOLE_LIMIT = 2**31 - 1
_TRUTH = {"true": True, "false": False, "1": True, "0": False}
_PLAIN_NUMBER = r"^[+-]?\d+(?:\.\d+)?$"

Read: TypeAlias = "Callable[[str, int], tuple[Any, str | None]]"


@dataclass(frozen=True, slots=True)
class Cells:
    """One column as it was read: texts (null where empty), `Kind` codes, labels of values, day 0 of serial dates."""

    texts: pl.Series
    kinds: pl.Series
    labels: Mapping[str, str] = field(default_factory=dict)
    origin: date | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What the texts of one column are to become.

    Attributes
    ----------
    kind
        `text`, `number`, `integer`, `date` or `boolean`.
    codes
        Folded text -> value; codes win over words for missing. A text or Boolean that they lack is a question to the
        centre; a number or date that they lack is read as one.
    allowed
        The codes that a text column may hold; empty where any text may stand.
    missing
        Folded texts that mean missing.
    exact
        Keep the text as it was written, to the blank.
    factor
        What a number is multiplied by to come to the canonical unit.
    use_month
        A date without its day becomes the 15th; else it is set missing.
    place
        File, sheet and column, for a refusal.
    """

    kind: str
    codes: Mapping[str, Any] | None = None
    allowed: tuple[str, ...] = ()
    missing: frozenset[str] = BLANK_WORDS
    exact: bool = False
    factor: Decimal = Decimal(1)
    order: Order | None = None
    pivot: int = YEAR_PIVOT
    use_month: bool = True
    decimal: Separator | None = None
    place: str = "The column"

    @property
    def dtype(self) -> pl.DataType:
        """Polars type of the values."""
        return FIELD_TYPES[self.kind]


@dataclass(frozen=True, slots=True)
class Converted:
    """Typed values and, for each cell, its state: null where all is well, else a key of `PROBLEMS`, EMPTY or MISSING.

    `column_problem` is the trouble of the column as a whole.
    """

    values: pl.Series
    states: pl.Series
    column_problem: Problem | None = None


def convert(cells: Cells, target: Target) -> Converted:
    """Read a column.

    Raises
    ------
    DataRefusedError
        Dates that can be read day first or month first, and no order is declared.
    """
    frame = pl.DataFrame({"text": cells.texts, "kind": cells.kinds})
    quick = _plain_numbers(frame, target)
    rest = frame if quick is None else frame.with_columns(text=pl.when(quick.is_null()).then(pl.col("text")))
    distinct = rest.drop_nulls("text").unique(maintain_order=True)
    read, column_problem = _reader(distinct, cells, target)
    texts, kinds = distinct["text"].to_list(), distinct["kind"].to_list()
    readings = [_with_codes(text, kind, cells, target, read) for text, kind in zip(texts, kinds, strict=True)]
    known = distinct.with_columns(
        pl.Series("value", [value for value, _ in readings], dtype=target.dtype),
        pl.Series("state", [state for _, state in readings], dtype=pl.String),
        pl.lit(True).alias("known"),
    )
    joined = rest.join(known, on=["text", "kind"], how="left", maintain_order="left")
    values, states = joined["value"], joined.select(
        pl.when(pl.col("kind") == int(Kind.UNSTORED))
        .then(pl.lit("formula_unstored"))
        .when(pl.col("known").is_null())
        .then(pl.lit(EMPTY))
        .otherwise(pl.col("state"))
        .alias("state")
    )["state"]  # fmt: skip
    if quick is not None:
        both = pl.DataFrame({"quick": quick, "value": values, "state": states})
        values = both.select(pl.coalesce("quick", "value").alias("value"))["value"]
        states = both.select(pl.when(pl.col("quick").is_null()).then(pl.col("state")).alias("state"))["state"]
    return Converted(values, states, column_problem)


def _plain_numbers(frame: pl.DataFrame, target: Target) -> pl.Series | None:
    """Read plain numbers all at once, so that a million distinct values stay fast; null where a text needs a look."""
    if target.kind != "number" or target.codes or target.factor != 1:
        return None
    text = pl.col("text").str.strip_chars()
    plain = (pl.col("kind") == int(Kind.NUMBER)) | ((pl.col("kind") == int(Kind.TEXT)) & (target.decimal == "."))
    plain = plain & text.str.contains(_PLAIN_NUMBER) & ~text.is_in(list(target.missing))
    return frame.select(pl.when(plain).then(text).cast(pl.Float64, strict=False).alias("quick"))["quick"]


def _with_codes(text: str, kind: int, cells: Cells, target: Target, read: Read) -> tuple[Any, str | None]:
    """Codes first (the code's text, then its label), then words for missing, then the column's own reader."""
    folded = fold_text(text)
    label = cells.labels.get(text)
    if target.codes is not None:
        for key in (folded, fold_text(label) if label is not None else None):
            if key is not None and key in target.codes:
                value = target.codes[key]
                return (None, MISSING) if value is None else (_typed(value, target.kind), None)
    if folded in target.missing:
        return None, MISSING
    return read(text, kind)


def _typed(value: Any, kind: str) -> Any:
    """Give a code's value the column's type; the mapping's model has checked that it fits."""
    if kind == "text":
        return ("true" if value else "false") if isinstance(value, bool) else str(value)
    if kind == "number":
        return float(value)
    if kind == "date":
        return date.fromisoformat(str(value))
    return value


def _reader(distinct: pl.DataFrame, cells: Cells, target: Target) -> tuple[Read, Problem | None]:
    """Choose how a text without a code is read, and say what is wrong with the column as a whole."""
    if target.kind == "date":
        return _date_reader(distinct, cells, target)
    if target.kind in ("number", "integer"):
        return _number_reader(distinct, target), None
    if target.kind == "boolean":
        return (_read_truth if target.codes is None else _unmapped), None
    return _text_reader(cells, target), None


def _own_texts(distinct: pl.DataFrame, target: Target) -> list[str]:
    """Give the distinct texts that no code and no word for missing takes."""
    texts = distinct.filter(pl.col("kind") == int(Kind.TEXT))["text"].to_list()
    taken = target.missing | set(target.codes or ())
    return [text for text in texts if fold_text(text) not in taken]


def _text_reader(cells: Cells, target: Target) -> Read:
    allowed = {fold_text(code): code for code in target.allowed}

    def read(text: str, _: int) -> tuple[Any, str | None]:
        if allowed:
            label = cells.labels.get(text)
            code = allowed.get(fold_text(text)) or (allowed.get(fold_text(label)) if label is not None else None)
            # With codes declared the mapping is the whole truth: a text outside it is asked about, not accepted.
            return (code, None) if code is not None and target.codes is None else (None, "unmapped_code")
        if target.codes is not None:
            return None, "unmapped_code"
        return (text if target.exact else text.strip()), None

    return read


def _read_truth(text: str, _: int) -> tuple[Any, str | None]:
    value = _TRUTH.get(fold_text(text))
    return value, None if value is not None else "unmapped_code"


def _unmapped(_: str, __: int) -> tuple[Any, str | None]:
    return None, "unmapped_code"


def _number_reader(distinct: pl.DataFrame, target: Target) -> Read:
    decimal = target.decimal or column_separator(_own_texts(distinct, target))

    def read(text: str, kind: int) -> tuple[Any, str | None]:
        reading = read_number(text, kind, decimal=decimal)
        if reading.value is None:
            return None, f"number_{reading.note}" if reading.note else MISSING
        value = reading.value * target.factor
        state = f"number_{reading.note}" if reading.note else None
        if target.kind == "number":
            return float(value), state
        if value != value.to_integral_value() or abs(value) > _WHOLE_LIMIT:
            return None, "number_not_whole"
        return int(value), state

    return read


def _date_reader(distinct: pl.DataFrame, cells: Cells, target: Target) -> tuple[Read, Problem | None]:
    evidence = order_evidence(_own_texts(distinct, target), target.order)
    order = target.order or evidence.order
    if order is None and evidence.open and not evidence.contradictory:
        raise DataRefusedError(
            f"{target.place} holds dates that can be read day first or month first; state `dates: dmy` "
            "(or mdy, ymd) for the field or in the mapping's defaults."
        )
    against = _against(evidence, order)
    column_problem, set_missing = _two_orders(evidence, against, order if target.order else None, cells)

    def read(text: str, kind: int) -> tuple[Any, str | None]:
        if kind == Kind.TEXT and against:
            if text in against:
                return None, "date_against_order"
            if set_missing and text in evidence.open:
                return None, "date_order_open"
        reading = read_date(text, kind, order=order, origin=cells.origin, pivot=target.pivot)
        if reading.problem == "unreadable":
            return None, "date_unreadable"
        if reading.problem == "year_only":
            return None, "date_year_only"
        if reading.problem == "no_day":
            return (reading.value, "date_no_day") if target.use_month else (None, "date_no_day_unused")
        return reading.value, None if reading.value is not None else MISSING

    return read, column_problem


def _against(evidence: OrderEvidence, order: Order | None) -> frozenset[str]:
    """Give the texts that contradict the column's order; without an order, all that take part in the contradiction."""
    if order == "dmy":
        return evidence.month_first
    if order == "mdy":
        return evidence.day_first
    if order is None and evidence.contradictory:
        return evidence.day_first | evidence.month_first
    return frozenset()


def _two_orders(
    evidence: OrderEvidence, against: frozenset[str], declared: Order | None, cells: Cells
) -> tuple[Problem | None, bool]:
    """Say what a column of two orders means for the dates that fit both, and whether they are set missing.

    A declared order is the centre's word, and a few cells against it are those cells' mistakes. Where at least as many
    cells contradict it as only it can read, the declaration itself is in doubt.
    """
    if not against:
        return None, False
    texts = cells.texts.filter(cells.kinds == int(Kind.TEXT))
    both = int(texts.is_in(sorted(evidence.open)).sum())
    if declared is None:
        return _column_problem("no order is declared for the column, which holds two", both, "set missing"), True
    fitting = (evidence.day_first | evidence.month_first) - against
    contradicting = int(texts.is_in(sorted(against)).sum())
    if contradicting >= int(texts.is_in(sorted(fitting)).sum()):
        doubt = f"at least as many dates contradict the declared order ({declared}) as only it can read"
        return _column_problem(doubt, both, "set missing"), True
    if not both:
        return None, False
    clause = f"{contradicting} {'date contradicts' if contradicting == 1 else 'dates contradict'} the declared order"
    return _column_problem(f"{clause} ({declared})", both, "read by the declared order", action="reported"), False


def _column_problem(reason: str, both: int, done: str, action: str = "set_missing") -> Problem:
    were = "was" if both == 1 else "were"
    return Problem(
        "V03",
        "error" if action == "set_missing" else "warning",
        action,
        f"two date orders in a column: {reason}; {both} {'date' if both == 1 else 'dates'} that "
        f"{'fits' if both == 1 else 'fit'} both orders {were} {done}; please confirm the order",
    )
