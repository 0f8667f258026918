"""Conditions: SQL scalar expressions such as `er_percent >= 1 OR pr_percent >= 1`, the only language of a study file.

A condition is true, false or null (unknown). sqlglot parses it; only the nodes of an allow-list exist; everything
else is refused by name: functions off the list, aggregates, windows, subqueries, casts, parameters, comments, several
statements. Typed against known columns it becomes a Polars expression; the same tree can be rendered for a database.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import polars as pl
from pydantic import GetCoreSchemaHandler, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import PydanticCustomError, core_schema
from sqlglot import Token, TokenType, exp, parse_one, tokenize
from sqlglot.errors import ParseError, SqlglotError

from riskset.errors import ConditionError
from riskset.protocol.condition_compiler import NODES, STRUCTURE, Compiler, Types

MAX_CHARACTERS = 4000
MAX_TOKENS = 1000
MAX_DEPTH = 40

_FUNCTIONS = ("abs", "coalesce", "lower", "trim", "upper")
_OPENING = {TokenType.L_PAREN, TokenType.CASE, TokenType.L_BRACKET}
_CLOSING = {TokenType.R_PAREN, TokenType.END, TokenType.R_BRACKET}
_PREFIX = {TokenType.NOT, TokenType.DASH, TokenType.PLUS, TokenType.TILDE}


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition; equal when its text is equal.

    Parameters
    ----------
    text
        The SQL expression.

    Raises
    ------
    ConditionError
        The text cannot be read or uses something that the condition language does not hold.
    """

    text: str
    _tree: Any = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_tree", _parse(self.text))

    def __str__(self) -> str:
        return self.text

    @property
    def columns(self) -> frozenset[str]:
        """Names of the columns that the condition reads."""
        return frozenset(c.name for c in self._tree.find_all(exp.Column))

    def check(self, types: Types) -> None:
        """Check names and types against the columns of a frame.

        Parameters
        ----------
        types
            Column name -> Polars type, as `dict(frame.schema)` gives it.

        Raises
        ------
        ConditionError
            An unknown column (with the nearest name), a level that a factor lacks, a text that is no date beside a
            date column, or values of types that cannot stand beside each other.
        """
        self.expression(types)

    def expression(self, types: Types) -> pl.Expr:
        """Give the Polars expression: Boolean, null where the condition is unknown, one value a row.

        Raises
        ------
        ConditionError
            As `check`.
        """
        try:
            truth = Compiler(types).truth(self._tree)
        except ConditionError as error:
            raise ConditionError(f"Condition {_shown(self.text)}: {error}") from None
        # Without a column, or where Polars folds one away, there would be one row whatever the frame's height.
        return truth & pl.repeat(True, pl.len(), dtype=pl.Boolean)

    def sql(self, dialect: str | None = None) -> str:
        """Render the condition: for a database (a sqlglot dialect name), or as SQL that reads back as a condition.

        Names are quoted. For a database, division is never whole and division by zero gives null.
        """
        tree = self._tree
        if dialect is not None:
            tree = tree.copy()
            for division in tree.find_all(exp.Div):
                division.set("safe", True)  # a division by zero gives null there too, as here
        return str(tree.sql(dialect=dialect, identify=True))

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> core_schema.CoreSchema:
        return core_schema.no_info_plain_validator_function(
            _validated, serialization=core_schema.plain_serializer_function_ser_schema(lambda c: c.text)
        )

    @classmethod
    def __get_pydantic_json_schema__(
        cls, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return {"type": "string", "minLength": 1, "description": "SQL condition, such as age >= 18 AND sex = 'female'"}


def _validated(value: Any) -> Condition:
    if isinstance(value, Condition):
        return value
    if not isinstance(value, str):
        raise PydanticCustomError("condition", "A condition is text; put it in quotes.")
    try:
        return Condition(value)
    except ConditionError as error:
        raise PydanticCustomError("condition", "{message}", {"message": str(error)}) from None


def _shown(text: str) -> str:
    return f'"{text}"' if len(text) <= 80 else f'"{text[:77]}..."'


def _parse(text: str) -> Any:
    if len(text) > MAX_CHARACTERS:
        raise ConditionError(f"A condition has at most {MAX_CHARACTERS} characters; split it over two criteria.")
    shown = _shown(text)
    try:
        tokens = tokenize(text)
        _check_tokens(tokens, shown)
        # `into` keeps a column such as `comment` or `set` from being read as the beginning of a statement.
        tree = parse_one(text, into=exp.Condition)
    except ParseError as error:
        raise ConditionError(f"Condition {shown} cannot be read{_place(error)}; write it as SQL.") from None
    except (SqlglotError, RecursionError):
        raise ConditionError(f"Condition {shown} cannot be read; look for a quote that is not closed.") from None
    for node in _walk(tree):
        _check_node(node, shown)
    return tree


def _place(error: ParseError) -> str:
    column = error.errors[0].get("col") if error.errors else None
    return f" near its character {column}" if column else ""


def _check_tokens(tokens: Sequence[Token], shown: str) -> None:
    """Refuse what must not reach the parser: nothing at all, comments, statements, text nested too deeply."""
    if not tokens:
        raise ConditionError("A condition is empty; write one such as age >= 18, or leave the key out.")
    if len(tokens) > MAX_TOKENS:
        raise ConditionError(f"Condition {shown} is too long; split it over two criteria.")
    depth = run = 0
    for i, token in enumerate(tokens):
        kind = token.token_type
        depth += (kind in _OPENING) - (kind in _CLOSING)
        run = run + 1 if kind in _PREFIX else 0
        if max(depth, run) > MAX_DEPTH:
            raise ConditionError(f"Condition {shown} is nested too deeply; split it over two criteria.")
        if token.comments:
            raise ConditionError(f"Condition {shown} holds a comment; write comments after a # of the file.")
        if kind is TokenType.SEMICOLON:
            raise ConditionError(f"Condition {shown} holds a semicolon; a condition is one expression.")
        if kind in (TokenType.SELECT, TokenType.WITH):
            raise ConditionError(f"Condition {shown} holds {token.text.upper()}, which a condition cannot; {_REMEDY}")
        called = i + 1 < len(tokens) and tokens[i + 1].token_type is TokenType.L_PAREN
        if kind is TokenType.VAR and called and token.text.lower() not in (*_FUNCTIONS, "cast"):
            raise ConditionError(f"Condition {shown} calls the function '{token.text}'; {_ALLOWED_FUNCTIONS}")


_REMEDY = "use comparisons, AND, OR, NOT, IN, BETWEEN, LIKE, IS NULL, CASE and + - * / over columns."
_ALLOWED_FUNCTIONS = f"the functions of a condition are {', '.join(_FUNCTIONS)}."


def _walk(tree: Any) -> Iterator[Any]:
    """Give the nodes, outermost first, without recursion."""
    waiting = [tree]
    while waiting:
        node = waiting.pop(0)
        yield node
        waiting.extend(node.iter_expressions())


def _check_node(node: Any, shown: str) -> None:
    kind = type(node)
    parts = NODES[kind].parts if kind in NODES else STRUCTURE.get(kind)
    if parts is None:
        raise ConditionError(f"Condition {shown} holds {_name(node)}, which a condition cannot; {_remedy(node)}")
    if kind is exp.Column and not isinstance(node.this, exp.Identifier):
        raise ConditionError(f"Condition {shown} holds {_name(node.this)}, which a condition cannot; {_REMEDY}")
    for part, value in node.args.items():
        if value and part not in parts:
            raise ConditionError(
                f"Condition {shown} holds {_form(node)}, which a condition cannot; {_part_remedy(node)}"
            )
    if kind is exp.Cast and not (_is_date(node.to) and isinstance(node.this, exp.Literal) and node.this.is_string):
        raise ConditionError(
            f"Condition {shown} holds a cast, which a condition cannot; give the column its type in the mapping."
        )


def _is_date(to: Any) -> bool:
    return bool(to.this == exp.DataType.Type.DATE)


def _form(node: Any) -> str:
    if isinstance(node, exp.Column):
        return f"the qualified name '{node.sql()}'"
    return f"'{node.key.upper()}' with more than its plain form"


def _part_remedy(node: Any) -> str:
    return "name columns without a table before them." if isinstance(node, exp.Column) else _REMEDY


def _remedy(node: Any) -> str:
    if isinstance(node, exp.Func) and not isinstance(node, exp.AggFunc):
        return _ALLOWED_FUNCTIONS
    return _REMEDY


def _name(node: Any) -> str:
    """Name a construct as a writer of SQL would."""
    if isinstance(node, exp.Query | exp.Exists | exp.Subquery):
        return "a subquery"
    if isinstance(node, exp.Window):
        return "a window function (OVER)"
    if isinstance(node, exp.Parameter | exp.Placeholder):
        return "a parameter"
    if isinstance(node, exp.AggFunc):
        return f"the aggregate '{node.sql_name()}'"
    if isinstance(node, exp.Anonymous):
        return f"the function '{node.name}'"
    if isinstance(node, exp.Func):
        return f"the function '{node.sql_name()}'"
    if isinstance(node, exp.Star):
        return "a '*'"
    return f"'{node.key.upper()}'"
