"""From the tree of a condition to a Polars expression: what each allowed node means, and which types it takes.

The table `NODES` is the condition language: a node that is not in it does not exist. Three-valued logic is Polars' own
(`&`, `|`, `~` follow Kleene; a comparison with null is null). Numbers are computed as Float64, so that nothing
overflows; what is no number (0 / 0) becomes null.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum
from functools import reduce
from operator import and_, eq, ge, gt, le, lt, ne, or_
from typing import Any, NamedTuple, TypeAlias

import polars as pl
from sqlglot import exp

from riskset.errors import ConditionError, did_you_mean

Types: TypeAlias = Mapping[str, pl.DataType]


class Kind(Enum):
    """What a value is; the five types that conditions tell apart."""

    NUMBER = "a number"
    TEXT = "text"
    DATE = "a date"
    TRUTH = "true or false"
    NULL = "null"


@dataclass(frozen=True, slots=True)
class Operand:
    """A typed part of a condition.

    `says` is how a message names it. `literal` is the text of a text literal, which may yet become a date. `levels`
    are the declared levels of a factor: a text that is none of them cannot be meant.
    """

    kind: Kind
    expr: pl.Expr
    says: str
    literal: str | None = None
    levels: frozenset[str] | None = None


class Compiler:
    """Compiles the nodes of one condition against known columns."""

    def __init__(self, types: Types) -> None:
        self.types = types

    def operand(self, node: Any) -> Operand:
        """Compile one node by the table of the language."""
        return NODES[type(node)].compile(self, node)

    def operands(self, nodes: Iterable[Any]) -> list[Operand]:
        """Compile several nodes."""
        return [self.operand(node) for node in nodes]

    def truth(self, node: Any) -> pl.Expr:
        """Compile a node that has to be true or false."""
        part = self.operand(node)
        if part.kind is Kind.NULL:
            return pl.lit(None, dtype=pl.Boolean)
        if part.kind is not Kind.TRUTH:
            raise ConditionError(f"{part.says} is {part.kind.value}, not true or false; compare it with something.")
        return part.expr

    def require(self, node: Any, kind: Kind, what: str) -> Operand:
        """Compile a node that has to be of one kind (or null)."""
        part = self.operand(node)
        if part.kind not in (kind, Kind.NULL):
            raise ConditionError(f"{what} needs {kind.value}, but {part.says} is {part.kind.value}.")
        return part


# --- columns and literals ---------------------------------------------------------------------------------------


def _column(compiler: Compiler, node: exp.Column) -> Operand:
    name = node.name
    dtype = compiler.types.get(name)
    if dtype is None:
        raise ConditionError(_unknown_column(name, node.this.quoted, compiler.types))
    column, says = pl.col(name), f"column '{name}'"
    # Frames may be typed by class (`pl.Int32`) as well as by instance (`pl.Int32()`).
    dtype = dtype() if isinstance(dtype, type) else dtype
    if dtype.is_numeric():
        number = column.cast(pl.Float64)
        return Operand(Kind.NUMBER, number.fill_nan(None) if dtype.is_float() else number, says)
    if dtype in (pl.Date, pl.Datetime):
        return Operand(Kind.DATE, column.cast(pl.Date), says)
    if dtype == pl.Boolean:
        return Operand(Kind.TRUTH, column, says)
    if isinstance(dtype, pl.Enum):
        return Operand(Kind.TEXT, column.cast(pl.String), says, levels=frozenset(dtype.categories.to_list()))
    if dtype in (pl.String, pl.Categorical):
        return Operand(Kind.TEXT, column.cast(pl.String), says)
    if dtype == pl.Null:
        return Operand(Kind.NULL, column, says)
    raise ConditionError(f"Column '{name}' has the type {dtype}, which a condition cannot use.")


def _unknown_column(name: str, quoted: bool, types: Types) -> str:
    hint = did_you_mean(name, types)
    if quoted and not hint:
        hint = f" (text stands in single quotes: '{name}')"
    return f"There is no column '{name}' here{hint}."


def _literal(_: Compiler, node: exp.Literal) -> Operand:
    if node.is_string:
        return Operand(Kind.TEXT, pl.lit(node.this, dtype=pl.String), f"'{node.this}'", literal=node.this)
    try:
        number = float(node.this)
    except ValueError:
        number = math.inf
    if not math.isfinite(number):
        raise ConditionError(f"{node.this} is no number that can be computed with; write it with digits and a point.")
    return Operand(Kind.NUMBER, pl.lit(number, dtype=pl.Float64), node.this)


def _boolean(_: Compiler, node: exp.Boolean) -> Operand:
    return Operand(Kind.TRUTH, pl.lit(bool(node.this), dtype=pl.Boolean), str(bool(node.this)).upper())


def _null(*_: Any) -> Operand:
    return Operand(Kind.NULL, pl.lit(None), "NULL")


def _date_literal(compiler: Compiler, node: exp.Cast) -> Operand:
    return _as_date(_literal(compiler, node.this))


def _as_date(part: Operand) -> Operand:
    text = part.literal or ""
    try:
        if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
            raise ValueError
        day = date.fromisoformat(text)
    except ValueError:
        raise ConditionError(f"'{text}' is no date of the calendar; write it as YYYY-MM-DD.") from None
    return Operand(Kind.DATE, pl.lit(day, dtype=pl.Date), part.says)


def _paren(compiler: Compiler, node: exp.Paren) -> Operand:
    return compiler.operand(node.this)


# --- bringing operands to one type ------------------------------------------------------------------------------


def _unify(parts: Sequence[Operand]) -> tuple[Kind, list[Operand]]:
    """Bring operands to one kind: text literals beside a date become dates; anything else that differs is refused."""
    if any(p.kind is Kind.DATE for p in parts):
        parts = [_as_date(p) if p.literal is not None else p for p in parts]
    known = [p for p in parts if p.kind is not Kind.NULL]
    for part in known[1:]:
        if part.kind is not known[0].kind:
            raise ConditionError(_mismatch(known[0], part))
    return (known[0].kind if known else Kind.NULL), list(parts)


def _mismatch(a: Operand, b: Operand) -> str:
    clash = f"{a.says} is {a.kind.value} and {b.says} is {b.kind.value}, so they cannot stand beside each other"
    literal = next((p.literal for p in (a, b) if p.literal is not None), None)
    kinds = {a.kind, b.kind}
    if kinds == {Kind.NUMBER, Kind.TEXT}:
        if literal is not None and re.fullmatch(r"-?\d+(\.\d+)?", literal):
            return f"{clash}; write {literal} without quotes."
        number = next(p for p in (a, b) if p.kind is Kind.NUMBER)
        if number.says[0].isdigit():
            return f"{clash}; text stands in single quotes: '{number.says}'."
    if Kind.TRUTH in kinds:
        return f"{clash}; write the yes/no value alone, or NOT before it."
    return f"{clash}; compare values of one type."


def _check_levels(parts: Sequence[Operand]) -> None:
    """Refuse a text literal that is no level of the factor that it is compared with."""
    for factor in (p for p in parts if p.levels is not None):
        assert factor.levels is not None
        for part in parts:
            if part.literal is not None and part.literal not in factor.levels:
                hint = did_you_mean(part.literal, sorted(factor.levels))
                levels = ", ".join(sorted(factor.levels)) or "none"
                raise ConditionError(f"{factor.says} has no level '{part.literal}'{hint}; its levels are: {levels}.")


def _common(parts: Sequence[Operand], says: str) -> tuple[Kind, list[pl.Expr], Operand]:
    """Unify the alternatives of COALESCE or CASE; the last value is the result's description, without expression."""
    kind, parts = _unify(parts)
    described = Operand(kind, pl.lit(None), says, levels=_common_levels(parts))
    return kind, [p.expr for p in parts], described


def _common_levels(parts: Sequence[Operand]) -> frozenset[str] | None:
    """Give the levels that a choice among factors and literals can have; None where it can be any text."""
    if not any(p.levels is not None for p in parts):
        return None
    levels: frozenset[str] = frozenset()
    for part in parts:
        if part.literal is not None:
            levels |= {part.literal}
        elif part.levels is not None:
            levels |= part.levels
        elif part.kind is not Kind.NULL:
            return None
    return levels


# --- logic and comparison ---------------------------------------------------------------------------------------

_Apply: TypeAlias = Callable[[Any, Any], Any]


def _chain(compiler: Compiler, node: exp.Binary) -> list[pl.Expr]:
    """Give the operands of `a AND b AND c` flat: long chains must not become deep."""
    flat: list[Any] = []
    left: Any = node
    while type(left) is type(node):
        flat.append(left.expression)
        left = left.this
    flat.append(left)
    return [compiler.truth(part) for part in reversed(flat)]


def _and(compiler: Compiler, node: exp.And) -> Operand:
    return Operand(Kind.TRUTH, reduce(and_, _chain(compiler, node)), "the AND")


def _or(compiler: Compiler, node: exp.Or) -> Operand:
    return Operand(Kind.TRUTH, reduce(or_, _chain(compiler, node)), "the OR")


def _not(compiler: Compiler, node: exp.Not) -> Operand:
    return Operand(Kind.TRUTH, ~compiler.truth(node.this), "the NOT")


def _comparison(apply: _Apply, *, ordered: bool) -> _Compile:
    def compile_(compiler: Compiler, node: exp.Binary) -> Operand:
        return _compare(compiler.operands((node.this, node.expression)), apply, ordered=ordered)

    return compile_


def _compare(parts: Sequence[Operand], apply: _Apply, *, ordered: bool) -> Operand:
    kind, parts = _unify(parts)
    _check_levels(parts)
    left, right = parts
    if any(p.kind is Kind.NULL for p in parts):
        return Operand(Kind.TRUTH, pl.lit(None, dtype=pl.Boolean), "the comparison")
    if ordered and kind is Kind.TRUTH:
        raise ConditionError(f"{left.says} is true or false and has no order; use it alone, or with = or <>.")
    factor = next((p for p in parts if p.levels is not None), None)
    if ordered and factor is not None:
        raise ConditionError(f"{factor.says} holds levels, which have no order; name them with = or IN (...).")
    return Operand(Kind.TRUTH, apply(left.expr, right.expr), "the comparison")


def _between(compiler: Compiler, node: exp.Between) -> Operand:
    value, low, high = _unify(compiler.operands((node.this, node.args["low"], node.args["high"])))[1]
    above = _compare((value, low), ge, ordered=True)
    below = _compare((value, high), le, ordered=True)
    return Operand(Kind.TRUTH, above.expr & below.expr, "the BETWEEN")


def _in(compiler: Compiler, node: exp.In) -> Operand:
    if not node.expressions:
        raise ConditionError("IN needs at least one value in its brackets.")
    value = compiler.operand(node.this)
    equal = [_compare((value, item), eq, ordered=False).expr for item in compiler.operands(node.expressions)]
    return Operand(Kind.TRUTH, pl.any_horizontal(equal), "the IN")


def _is(compiler: Compiler, node: exp.Is) -> Operand:
    if not isinstance(node.expression, exp.Null):
        raise ConditionError("IS stands before NULL or NOT NULL only; write the yes/no value alone, or NOT before it.")
    return Operand(Kind.TRUTH, compiler.operand(node.this).expr.is_null(), "the IS NULL")


def _like(compiler: Compiler, node: exp.Like) -> Operand:
    value = compiler.require(node.this, Kind.TEXT, "LIKE")
    pattern = compiler.require(node.expression, Kind.TEXT, "LIKE")
    if Kind.NULL in (value.kind, pattern.kind):
        return Operand(Kind.TRUTH, pl.lit(None, dtype=pl.Boolean), "the LIKE")
    if pattern.literal is None:
        raise ConditionError("LIKE needs its pattern as text in single quotes, such as '%FISH%'.")
    wild = {"%": ".*", "_": "."}
    regex = "".join(wild.get(c) or re.escape(c) for c in pattern.literal)
    return Operand(Kind.TRUTH, value.expr.str.contains(f"(?s)^(?:{regex})$"), "the LIKE")


# --- arithmetic and functions -----------------------------------------------------------------------------------


def _number(expr: pl.Expr, says: str) -> Operand:
    return Operand(Kind.NUMBER, expr.cast(pl.Float64).fill_nan(None), says)


def _plus(compiler: Compiler, node: exp.Add) -> Operand:
    left, right = _two_numbers(compiler, node, "+")
    return _number(left + right, "the sum")


def _minus(compiler: Compiler, node: exp.Sub) -> Operand:
    parts = compiler.operands((node.this, node.expression))
    if any(p.kind is Kind.DATE for p in parts):
        _, parts = _unify(parts)
        days = parts[0].expr.cast(pl.Date).cast(pl.Float64) - parts[1].expr.cast(pl.Date).cast(pl.Float64)
        return _number(days, "the number of days")
    left, right = _two_numbers(compiler, node, "-")
    return _number(left - right, "the difference")


def _times(compiler: Compiler, node: exp.Mul) -> Operand:
    left, right = _two_numbers(compiler, node, "*")
    return _number(left * right, "the product")


def _divide(compiler: Compiler, node: exp.Div) -> Operand:
    left, right = _two_numbers(compiler, node, "/")
    return _number(pl.when(right != 0).then(left / right).otherwise(None), "the quotient")


def _two_numbers(compiler: Compiler, node: exp.Binary, sign: str) -> tuple[pl.Expr, pl.Expr]:
    parts = [compiler.operand(n) for n in (node.this, node.expression)]
    for part in parts:
        if part.kind is Kind.DATE:
            raise ConditionError(
                f"'{sign}' cannot be used on {part.says}, a date; subtract one date from the other to get days."
            )
        if part.kind not in (Kind.NUMBER, Kind.NULL):
            raise ConditionError(f"'{sign}' needs numbers, but {part.says} is {part.kind.value}.")
    left, right = (p.expr.cast(pl.Float64) for p in parts)
    return left, right


def _negative(compiler: Compiler, node: exp.Neg) -> Operand:
    part = compiler.require(node.this, Kind.NUMBER, "'-'")
    return _number(-part.expr.cast(pl.Float64), f"-{part.says}")


def _abs(compiler: Compiler, node: exp.Abs) -> Operand:
    return _number(compiler.require(node.this, Kind.NUMBER, "abs").expr.cast(pl.Float64).abs(), "abs(...)")


def _text_function(name: str, apply: Callable[[pl.Expr], pl.Expr]) -> _Compile:
    def compile_(compiler: Compiler, node: Any) -> Operand:
        part = compiler.require(node.this, Kind.TEXT, name)
        return Operand(Kind.TEXT, apply(part.expr.cast(pl.String)), f"{name}(...)")

    return compile_


def _coalesce(compiler: Compiler, node: exp.Coalesce) -> Operand:
    parts = compiler.operands([node.this, *node.expressions])
    _, exprs, described = _common(parts, f"coalesce of {parts[0].says}")
    return replace(described, expr=pl.coalesce(exprs))


def _case(compiler: Compiler, node: exp.Case) -> Operand:
    ifs = node.args["ifs"]
    if node.this is not None:
        base = compiler.operand(node.this)
        tests = [_compare((base, compiler.operand(i.this)), eq, ordered=False).expr for i in ifs]
    else:
        tests = [compiler.truth(i.this) for i in ifs]
    default = node.args.get("default") or exp.Null()
    parts = compiler.operands([*(i.args["true"] for i in ifs), default])
    _, values, described = _common(parts, "the CASE")
    chosen = values[-1]
    for test, value in zip(reversed(tests), reversed(values[:-1]), strict=True):
        chosen = pl.when(test).then(value).otherwise(chosen)
    return replace(described, expr=chosen)


# --- the language -----------------------------------------------------------------------------------------------

_Compile: TypeAlias = Callable[[Compiler, Any], Operand]


class Node(NamedTuple):
    """One construct of the language: how it is compiled, and the only parts that it may have."""

    compile: _Compile
    parts: tuple[str, ...] = ("this", "expression")


NODES: dict[type[Any], Node] = {
    exp.Column: Node(_column, ("this",)),
    exp.Literal: Node(_literal, ("this", "is_string")),
    exp.Boolean: Node(_boolean, ("this",)),
    exp.Null: Node(_null, ()),
    exp.Cast: Node(_date_literal, ("this", "to")),
    exp.Paren: Node(_paren, ("this",)),
    exp.And: Node(_and),
    exp.Or: Node(_or),
    exp.Not: Node(_not, ("this",)),
    exp.EQ: Node(_comparison(eq, ordered=False)),
    exp.NEQ: Node(_comparison(ne, ordered=False)),
    exp.LT: Node(_comparison(lt, ordered=True)),
    exp.LTE: Node(_comparison(le, ordered=True)),
    exp.GT: Node(_comparison(gt, ordered=True)),
    exp.GTE: Node(_comparison(ge, ordered=True)),
    exp.Between: Node(_between, ("this", "low", "high")),
    exp.In: Node(_in, ("this", "expressions")),
    exp.Is: Node(_is),
    exp.Like: Node(_like),
    exp.Add: Node(_plus),
    exp.Sub: Node(_minus),
    exp.Mul: Node(_times),
    exp.Div: Node(_divide, ("this", "expression", "typed", "safe")),
    exp.Neg: Node(_negative, ("this",)),
    exp.Abs: Node(_abs, ("this",)),
    exp.Lower: Node(_text_function("lower", lambda text: text.str.to_lowercase()), ("this",)),
    exp.Upper: Node(_text_function("upper", lambda text: text.str.to_uppercase()), ("this",)),
    exp.Trim: Node(_text_function("trim", lambda text: text.str.strip_chars(" ")), ("this",)),
    exp.Coalesce: Node(_coalesce, ("this", "expressions")),
    exp.Case: Node(_case, ("this", "ifs", "default")),
}

# Parts of allowed nodes that have no meaning of their own.
STRUCTURE: dict[type[Any], tuple[str, ...]] = {
    exp.Identifier: ("this", "quoted"),
    exp.If: ("this", "true"),
    exp.DataType: ("this",),
}
