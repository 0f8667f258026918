"""What a condition says about rows, and everything that it may not say."""

from __future__ import annotations

import pickle
from datetime import date

import polars as pl
import pytest
from pydantic import BaseModel, ValidationError

from riskset.errors import ConditionError
from riskset.protocol import Condition

TYPES: dict[str, pl.DataType] = {
    "age": pl.Int32(),
    "er_percent": pl.Float64(),
    "hr": pl.String(),
    "index_date": pl.Date(),
    "metastatic": pl.Date(),
    "visceral": pl.Boolean(),
    "line_group": pl.Enum(["first", "later"]),
    "comment": pl.String(),
}
PATIENTS = pl.DataFrame(
    {
        "age": [17, 50, None],
        "er_percent": [0.0, 90.0, None],
        "hr": ["negative", "positive", None],
        "index_date": [date(2018, 1, 1), date(2023, 5, 1), None],
        "metastatic": [date(2017, 12, 2), date(2023, 5, 1), date(2020, 1, 1)],
        "visceral": [False, True, None],
        "line_group": ["first", "later", None],
        "comment": ["IHC 2+/FISH -", "50% (a.b)", None],
    },
    schema=TYPES,
)
YES, NO, UNKNOWN = True, False, None


def truth(text: str) -> list[bool | None]:
    return PATIENTS.select(truth=Condition(text).expression(TYPES))["truth"].to_list()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("age >= 18", [NO, YES, UNKNOWN]),
        ("NOT age >= 18", [YES, NO, UNKNOWN]),
        ("age IS NULL", [NO, NO, YES]),
        ("age IS NOT NULL", [YES, YES, NO]),
        ("age = NULL", [UNKNOWN] * 3),
        ("age BETWEEN 17 AND 20", [YES, NO, UNKNOWN]),
        ("age BETWEEN 18 AND NULL", [NO, UNKNOWN, UNKNOWN]),
        ("age IN (17, 18)", [YES, NO, UNKNOWN]),
        ("age IN (17, NULL)", [YES, UNKNOWN, UNKNOWN]),
        ("age NOT IN (17, NULL)", [NO, UNKNOWN, UNKNOWN]),
        ("age / 0 > 1", [UNKNOWN] * 3),
        ("age / 2 = 8.5", [YES, NO, UNKNOWN]),
        ("-age + 2 * 3 - 1 < 0", [YES, YES, UNKNOWN]),
        ("abs(-age) = 17", [YES, NO, UNKNOWN]),
        ("visceral", [NO, YES, UNKNOWN]),
        ("NOT visceral", [YES, NO, UNKNOWN]),
        ("visceral = TRUE", [NO, YES, UNKNOWN]),
        ("visceral OR age = 17", [YES, YES, UNKNOWN]),
        ("visceral AND age = 17", [NO, NO, UNKNOWN]),
        ("visceral OR metastatic > '2019-01-01'", [NO, YES, YES]),
        ("visceral AND metastatic < '2019-01-01'", [NO, NO, NO]),
        ("line_group = 'first'", [YES, NO, UNKNOWN]),
        ("coalesce(line_group, 'none') = 'none'", [NO, NO, YES]),
        ("hr <> 'positive'", [YES, NO, UNKNOWN]),
        ("hr > 'o'", [NO, YES, UNKNOWN]),
        ("upper(trim(hr)) = 'POSITIVE'", [NO, YES, UNKNOWN]),
        ("index_date BETWEEN '2018-01-01' AND '2022-12-31'", [YES, NO, UNKNOWN]),
        ("index_date >= DATE '2020-01-01'", [NO, YES, UNKNOWN]),
        ("index_date - metastatic = 30", [YES, NO, UNKNOWN]),
        ("index_date - '2017-12-31' = 1", [YES, NO, UNKNOWN]),
        ("coalesce(index_date, '2000-01-01') < '2001-01-01'", [NO, NO, YES]),
        ("CASE WHEN age < 18 THEN visceral ELSE TRUE END", [NO, YES, YES]),
        ("CASE line_group WHEN 'first' THEN 1 WHEN 'later' THEN 2 END = 2", [NO, YES, UNKNOWN]),
        ("comment LIKE '%FISH%'", [YES, NO, UNKNOWN]),
        ("comment LIKE '50% (a.b)'", [NO, YES, UNKNOWN]),
        ("comment LIKE '50% (a_b_'", [NO, YES, UNKNOWN]),
        ("comment LIKE 'FISH'", [NO, NO, UNKNOWN]),
        ("comment = '50% (a.b)'", [NO, YES, UNKNOWN]),
        ("TRUE", [YES] * 3),
        ("1 = 2", [NO] * 3),
        ("NULL", [UNKNOWN] * 3),
        ("CASE WHEN FALSE THEN visceral END", [UNKNOWN] * 3),
        (" AND ".join(["age < 60"] * 200), [YES, YES, UNKNOWN]),
    ],
)
def test_truth_of_three_patients(text: str, expected: list[bool | None]) -> None:
    assert truth(text) == expected


def test_nan_is_unknown() -> None:
    frame = pl.DataFrame({"er_percent": [float("nan"), 1.0]})
    assert frame.select(x=Condition("er_percent >= 1").expression(TYPES))["x"].to_list() == [None, True]


def test_small_integers_do_not_overflow() -> None:
    frame = pl.DataFrame({"n": [200]}, schema={"n": pl.UInt8})
    assert frame.select(x=Condition("n * n - 50000 < 0").expression(frame.schema))["x"].to_list() == [True]


def test_quoted_names_reach_raw_columns() -> None:
    frame = pl.DataFrame({"HER2 IHK": ["skor 1", "x"]})
    condition = Condition("\"HER2 IHK\" = 'skor 1'")
    assert condition.columns == {"HER2 IHK"}
    assert frame.filter(condition.expression(frame.schema)).height == 1


@pytest.mark.parametrize("name", ["comment", "set", "date", "start", "row", "line", "class", "order", "name", "status"])
def test_a_column_may_be_called_like_a_word_of_sql(name: str) -> None:
    frame = pl.DataFrame({name: [1, 2]})
    assert frame.select(x=Condition(f"{name} = 2").expression(frame.schema))["x"].to_list() == [False, True]


REFUSED_WHEN_READ = [
    ("", "empty"),
    ("   ", "empty"),
    ("age >", "cannot be read"),
    ("age 18", "cannot be read"),
    ("age = 'x", "quote"),
    ("DROP TABLE patients", "cannot be read"),
    ("SELECT 1", "SELECT"),
    ("age > (SELECT 1)", "SELECT"),
    ("age IN (SELECT age FROM patients)", "SELECT"),
    ("EXISTS (SELECT 1)", "SELECT"),
    ("WITH x AS (SELECT 1) SELECT 1", "WITH"),
    ("age = 1; DROP TABLE x", "semicolon"),
    ("age = 1 -- all", "comment"),
    ("/* all */ age = 1", "comment"),
    ("count(age) > 1", "'count'"),
    ("max(age) > 1", "'max'"),
    ("sum(age) OVER () > 1", "'sum'"),
    ("age > 1 AND first_value(age) OVER (ORDER BY age) = 1", "'first_value'"),
    ("read_csv('/etc/passwd') = 'x'", "'read_csv'"),
    ("sqrt(age) > 1", "'sqrt'"),
    ("ifnull(age, 1) = 1", "'ifnull'"),
    ("left(hr, 1) = 'p'", "'LEFT'"),
    ("current_date > index_date", "'CURRENT_DATE'"),
    ("CAST(age AS TEXT) = '1'", "a cast"),
    ("hr::date = index_date", "a cast"),
    ("'1'::int = 1", "a cast"),
    ("age = ?", "a parameter"),
    ("age = :age", "a parameter"),
    ("age = @age", "a parameter"),
    ("patients.age = 1", "'patients.age'"),
    ("age % 2 = 1", "'MOD'"),
    ("hr || 'x' = 'y'", "'DPIPE'"),
    ("hr ILIKE 'p%'", "'ILIKE'"),
    ("hr LIKE 'p!%' ESCAPE '!'", "'ESCAPE'"),
    ("hr SIMILAR TO 'p'", "'SIMILARTO'"),
    ("age IS DISTINCT FROM 1", "'NULLSAFENEQ'"),
    ("(age, 1) = (1, 1)", "'TUPLE'"),
    ("age[0] = 1", "'BRACKET'"),
    ("INTERVAL '1' day > 1", "'INTERVAL'"),
    ("TRIM(BOTH 'x' FROM hr) = 'p'", "'TRIM'"),
    ("*", "'*'"),
    ("age AS x", "cannot be read"),
    ("(" * 60 + "visceral" + ")" * 60, "too deeply"),
    ("NOT " * 60 + "visceral", "too deeply"),
    ("- " * 60 + "age = 1", "too deeply"),
    ("CASE WHEN " * 60 + "visceral", "too deeply"),
    (" AND ".join(["visceral"] * 600), "characters"),
    ("+".join(["1"] * 600) + " = 1", "too long"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED_WHEN_READ)
def test_refused_when_read(text: str, says: str) -> None:
    with pytest.raises(ConditionError) as caught:
        Condition(text)
    message = str(caught.value)
    assert says in message
    assert "\n" not in message
    assert message.endswith(".")


REFUSED_WHEN_TYPED = [
    ("agge > 1", "did you mean 'age'"),
    ("age", "not true or false"),
    ("age AND visceral", "not true or false"),
    ("hr", "not true or false"),
    ("age = '17'", "write 17 without quotes"),
    ("age > 'old'", "so they cannot stand beside each other"),
    ("hr = 1", "single quotes"),
    ("age IN (1, 'x')", "so they cannot stand beside each other"),
    ("age BETWEEN 1 AND 'x'", "so they cannot stand beside each other"),
    ("coalesce(age, 'x') = 1", "so they cannot stand beside each other"),
    ("CASE WHEN visceral THEN 1 ELSE 'x' END = 1", "so they cannot stand beside each other"),
    ("visceral = 1", "NOT before it"),
    ("visceral > FALSE", "no order"),
    ("visceral IS TRUE", "IS stands before NULL"),
    ("line_group = 'frist'", "did you mean 'first'"),
    ("line_group IN ('first', 'third')", "no level 'third'"),
    ("coalesce(line_group, 'none') = 'nonne'", "did you mean 'none'"),
    ("CASE line_group WHEN 'frist' THEN TRUE END", "did you mean 'first'"),
    ("line_group > 'first'", "no order"),
    ("index_date > '2018-02-30'", "no date of the calendar"),
    ("index_date > '01.02.2018'", "YYYY-MM-DD"),
    ("index_date > '20180201'", "YYYY-MM-DD"),
    ("index_date > DATE '2018-02-30'", "no date of the calendar"),
    ("index_date > 2018", "so they cannot stand beside each other"),
    ("index_date > hr", "so they cannot stand beside each other"),
    ("index_date + 30 > metastatic", "subtract one date from the other"),
    ("index_date - 30 > metastatic", "so they cannot stand beside each other"),
    ("-index_date > 1", "needs a number"),
    ("hr + 1 = 2", "needs numbers"),
    ("lower(age) = 'x'", "needs text"),
    ("abs(hr) = 1", "needs a number"),
    ("age LIKE '1%'", "needs text"),
    ("hr LIKE comment", "pattern"),
    ("age = 1e999", "no number"),
    ('hr = "positive"', "text stands in single quotes"),
    ("age IN ()", "at least one"),
]


@pytest.mark.parametrize(("text", "says"), REFUSED_WHEN_TYPED)
def test_refused_when_typed(text: str, says: str) -> None:
    condition = Condition(text)
    with pytest.raises(ConditionError) as caught:
        condition.check(TYPES)
    assert says in str(caught.value)
    assert str(caught.value).endswith(".")


def test_a_column_of_another_type_is_refused() -> None:
    with pytest.raises(ConditionError, match="List"):
        Condition("organs = 'bone'").check({"organs": pl.List(pl.String())})


def test_rendered_for_a_database() -> None:
    condition = Condition("age / line >= 1 AND hr IN ('a', NULL)")
    assert condition.sql("postgres") == (
        'CAST("age" AS DOUBLE PRECISION) / NULLIF("line", 0) >= 1 AND "hr" IN (\'a\', NULL)'
    )


def test_rendered_text_means_the_same() -> None:
    for text in (
        "NOT (age = 17 OR visceral)",
        "comment LIKE '%F_SH%'",
        "age NOT IN (17)",
        "hr = 'it''s'",
        "age / 2 > 1",
        "index_date > DATE '2020-01-01'",
    ):
        assert truth(Condition(text).sql()) == truth(text)


def test_a_condition_is_a_value() -> None:
    condition = Condition("age >= 18")
    assert condition == Condition("age >= 18")
    assert len({condition, Condition("age >= 18")}) == 1
    assert pickle.loads(pickle.dumps(condition)) == condition
    assert str(condition) == "age >= 18"


class _Holder(BaseModel):
    where: Condition


def test_in_a_model_it_is_text() -> None:
    holder = _Holder.model_validate({"where": "age >= 18"})
    assert holder.where == Condition("age >= 18")
    assert holder.model_dump(mode="json") == {"where": "age >= 18"}
    assert _Holder.model_json_schema()["properties"]["where"]["type"] == "string"
    with pytest.raises(ValidationError, match="'count'"):
        _Holder.model_validate({"where": "count(age) > 1"})
    with pytest.raises(ValidationError, match="put it in quotes"):
        _Holder.model_validate({"where": True})
