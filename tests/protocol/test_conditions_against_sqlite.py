"""Laws: on random small conditions and rows, our three-valued result is that of a database."""

from __future__ import annotations

import sqlite3

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from riskset.protocol import Condition

TYPES: dict[str, pl.DataType] = {
    "a": pl.Int32(),
    "b": pl.Float64(),
    "s": pl.String(),
    "t": pl.String(),
    "p": pl.Boolean(),
    "q": pl.Boolean(),
}

_texts = st.sampled_from(["", "a", "b", "ab", "A", " a ", "a%", "_", "it's"])
_row = st.fixed_dictionaries(
    {
        "a": st.none() | st.integers(-3, 3),
        "b": st.none() | st.sampled_from([-1.5, 0.0, 0.5, 2.0]),
        "s": st.none() | _texts,
        "t": st.none() | _texts,
        "p": st.none() | st.booleans(),
        "q": st.none() | st.booleans(),
    }
)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


_number_leaf = st.sampled_from(["a", "b", "0", "1", "2.5", "-1", "NULL"])
_text_leaf = st.sampled_from(["s", "t"]) | _texts.map(_quoted)


def _numbers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    # Division of the REAL columns only: databases divide whole numbers without remainder, we never do.
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(lambda x: f"({x[0]} {x[1]} {x[2]})"),
        st.tuples(inner, inner).map(lambda x: f"(({x[0]}) * 1.0 / ({x[1]}))"),
        inner.map(lambda x: f"abs({x})"),
        inner.map(lambda x: f"(-({x}))"),
        st.tuples(inner, inner).map(lambda x: f"coalesce({x[0]}, {x[1]})"),
    )


def _strings(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(st.sampled_from(["lower", "upper", "trim"]), inner).map(lambda x: f"{x[0]}({x[1]})"),
        st.tuples(inner, inner).map(lambda x: f"coalesce({x[0]}, {x[1]})"),
    )


_number = st.recursive(_number_leaf, _numbers, max_leaves=4)
_string = st.recursive(_text_leaf, _strings, max_leaves=3)
_sign = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_atom = st.one_of(
    st.sampled_from(["p", "q", "TRUE", "FALSE", "NULL", "p = q", "p <> TRUE"]),
    st.tuples(_number, _sign, _number).map(" ".join),
    st.tuples(_string, _sign, _string).map(" ".join),
    st.tuples(_number, st.sampled_from(["", "NOT "]), st.lists(_number_leaf, min_size=1, max_size=3)).map(
        lambda x: f"{x[0]} {x[1]}IN ({', '.join(x[2])})"
    ),
    st.tuples(_number, st.sampled_from(["", "NOT "]), _number, _number).map(
        lambda x: f"{x[0]} {x[1]}BETWEEN {x[2]} AND {x[3]}"
    ),
    st.tuples(st.sampled_from(["s", "t"]), st.sampled_from(["'a%'", "'_'", "'%b'", "''", "'%'"])).map(
        lambda x: f"{x[0]} LIKE {x[1]}"
    ),
    st.tuples(_number | _string, st.sampled_from(["IS NULL", "IS NOT NULL"])).map(" ".join),
)


def _logic(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.tuples(inner, st.sampled_from([" AND ", " OR "]), inner).map(lambda x: f"({x[0]}{x[1]}{x[2]})"),
        inner.map(lambda x: f"NOT ({x})"),
        st.tuples(inner, inner, inner).map(lambda x: f"CASE WHEN {x[0]} THEN {x[1]} ELSE {x[2]} END"),
        st.tuples(inner, inner).map(lambda x: f"CASE WHEN {x[0]} THEN {x[1]} END"),
        st.tuples(inner, inner).map(lambda x: f"coalesce({x[0]}, {x[1]})"),
    )


_condition = st.recursive(_atom, _logic, max_leaves=5)


def _by_sqlite(text: str, rows: list[dict[str, object]]) -> list[bool | None]:
    with sqlite3.connect(":memory:") as database:
        database.execute("PRAGMA case_sensitive_like = ON")
        database.execute("CREATE TABLE r (i INTEGER, a REAL, b REAL, s TEXT, t TEXT, p INTEGER, q INTEGER)")
        database.executemany(
            "INSERT INTO r VALUES (:i, :a, :b, :s, :t, :p, :q)", [{"i": i, **row} for i, row in enumerate(rows)]
        )
        found = database.execute(f"SELECT {text} FROM r ORDER BY i").fetchall()
    return [None if value is None else bool(value) for (value,) in found]


@settings(max_examples=200)
@given(text=_condition, rows=st.lists(_row, min_size=1, max_size=4))
def test_three_valued_truth_is_that_of_sqlite(text: str, rows: list[dict[str, object]]) -> None:
    frame = pl.DataFrame(rows, schema=TYPES)
    ours = frame.select(truth=Condition(text).expression(TYPES))["truth"].to_list()
    assert ours == _by_sqlite(text, rows)


@settings(max_examples=50)
@given(text=_condition, rows=st.lists(_row, min_size=1, max_size=4))
def test_rendered_for_sqlite_it_says_the_same(text: str, rows: list[dict[str, object]]) -> None:
    frame = pl.DataFrame(rows, schema=TYPES)
    ours = frame.select(truth=Condition(text).expression(TYPES))["truth"].to_list()
    assert ours == _by_sqlite(Condition(text).sql("sqlite"), rows)


@settings(max_examples=50)
@given(text=_condition, rows=st.lists(_row, min_size=2, max_size=5), seed=st.integers(0, 100))
def test_the_order_of_rows_changes_nothing(text: str, rows: list[dict[str, object]], seed: int) -> None:
    frame = pl.DataFrame(rows, schema=TYPES).with_row_index("i")
    expression = Condition(text).expression(TYPES).alias("truth")
    straight = frame.with_columns(expression)
    shuffled = frame.sample(fraction=1.0, shuffle=True, seed=seed).with_columns(expression).sort("i")
    assert straight.equals(shuffled)
