"""The expression language: what it accepts, what it refuses, and that two evaluations agree."""

from __future__ import annotations

import datetime as dt
from contextlib import suppress

import duckdb
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from synthetic.errors import BuildError, SpecError
from synthetic.evaluation.sql import render
from synthetic.generation.dates import days
from synthetic.generation.operations import evaluate
from synthetic.generation.rows import Held
from synthetic.generation.values import Values
from synthetic.spec.expressions import Type, check, parse
from synthetic.tables.forms import quote

COLUMNS = {
    "age": Type.INTEGER,
    "n": Type.INTEGER,
    "sex": Type.TEXT,
    "born": Type.DATE,
    "died": Type.DATE,
    "seen": Type.TIMESTAMP,
}
AS_OF = dt.date(2024, 12, 31)


@pytest.mark.parametrize(
    ("source", "gives"),
    [
        ("age + 2 * n", Type.INTEGER),
        ("-age // 5 % 3", Type.INTEGER),
        ('sex == "male" and not age >= 18 or n in (1, 2)', Type.BOOLEAN),
        ('if(age > 3, "a", sex)', Type.TEXT),
        ("years_between(born, as_of())", Type.INTEGER),
        ("born + 30", Type.DATE),
        ("born - born", Type.INTEGER),
        ("date(year(born), 1, 1)", Type.DATE),
        ("band(age, 5, 80)", Type.TEXT),
        ('concat(sex, " ", "x")', Type.TEXT),
        ("timestamp(born, 3600) - seen", Type.INTEGER),
        ("seen + 60", Type.TIMESTAMP),
        ("add_months(date_of(seen), age)", Type.DATE),
        ("not born is not missing and age is missing", Type.BOOLEAN),
        ("max(born, died, coalesce(born, as_of()))", Type.DATE),
        ("concat(pad(age, 6), text_of(n))", Type.TEXT),
    ],
)
def test_an_expression_has_a_type(source, gives):
    check(source, COLUMNS, gives)


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("", "expected a value, found 'the end'"),
        ("age +", "expected a value, found 'the end'"),
        ("(age", "expected '\\)'"),
        ("age @ 3", "'@' is not part of the language, at character 5"),
        ("1.5", "not part of the language"),
        ('"open', "not part of the language"),
        ("agee + 1", "unknown column 'agee'.*did you mean 'age'"),
        ("yeer(born)", "unknown function 'yeer'; did you mean 'year'"),
        ('age + "1"', r"'\+' does not take \(integer, text\)"),
        ("age < n < 3", "do not chain"),
        ("age", "gives integer; boolean is needed"),
        ("age == age // 0", "'//' by zero"),
        ("age == age // n", "needs written values"),
        ("99999999999999999999 == 1", "larger than"),
        ('pad(age, n) == "1"', "'pad' needs written values"),
        ('pad(age, 19) == "1"', "'pad' to a width of 19; from 1 to 18"),
        ("age is 3", "expected 'missing'"),
        ("seen == born", "does not take .timestamp, date."),
        ('band(age, 7, 20) == "0-6"', "begins at a multiple of the width"),
        ('band(age, 1, 5000) == "0-0"', "at most 1000 bands"),
        ("__import__('os')", "not part of the language"),
        ('__import__("os")', "unknown function '__import__'"),
        ("age.__class__ == 1", "unknown column 'age.__class__'"),
        ("age if 1 else 2", "unexpected 'if'"),
        ("lambda: 1", "not part of the language"),
        ("[1][0] == 1", "not part of the language"),
        ("(" * 100 + "1" + ")" * 100, "nested deeper than"),
        ("(" * 200 + "1" + ")" * 200, "words; at most"),
        ("not " * 200 + "true", "nested deeper than"),
        ("1" + "+1" * 500 + " == 1", "words; at most"),
        ("x" * 3000, "characters; at most"),
    ],
)
def test_a_hostile_or_wrong_expression_is_refused(source, message):
    with pytest.raises(SpecError, match=message):
        check(source, COLUMNS, Type.BOOLEAN)


@given(st.text(max_size=200))
def test_any_text_parses_or_is_refused_in_words(source):
    with suppress(SpecError):  # in words; anything else fails the test
        assert parse(source) is not None


number = st.deferred(
    lambda: (
        st.sampled_from(["age", "n", "0", "1", "7", "18"])
        | st.tuples(number, st.sampled_from(["+", "-"]), number).map(lambda t: f"({' '.join(t)})")
        | number.map(lambda t: f"({t} * 3)")
        | number.map(lambda t: f"-{t}")
        | st.tuples(number, st.sampled_from(["// 7", "% 7", "// 3", "% 5"])).map(
            lambda t: f"({' '.join(t)})"
        )
        | st.tuples(truth, number, number).map(lambda t: f"if({', '.join(t)})")
        | st.sampled_from(
            [
                "weekday(born)",
                "hour(seen)",
                "minute(seen) * 60 + second(seen)",
                "days_between(born, date_of(seen))",
                "(seen - timestamp(born, 7))",
                "(seen - (timestamp(died, age) - n))",
                "months_between(born, died)",
                "months_between(max(died, max(born, min(died, add_days(born, age)))), born)",
                "days_between(add_months(born, n), add_months(died, age))",
                "day(add_months(max(died, max(born, min(died, max(born, died)))), n))",
                "max(age, n, 3)",
                "min(age, coalesce(n, 4))",
                "coalesce(age, n, 5)",
                "div(age, n)",
                "div(n, coalesce(age, n, age * 2, n * 3, age * 4, n * 5, age * 6, n * 7, age * 8))",
                "abs(age)",
                "year(born)",
                "month(born)",
                "day(born)",
                "years_between(born, as_of())",
                "years_between(born, died)",
                "years_between(died, born)",
                "years_between(born, max(died, max(born, min(died, max(born, min(died, born))))))",
                "(died - born)",
                "(died - (born + age))",
                "(born + 40 - (died - (n + 1)))",
                "200000 * 200000",
            ]
        )
    )
)
truth = st.deferred(
    lambda: (
        st.tuples(number, st.sampled_from(["==", "!=", "<", "<=", ">", ">="]), number).map(
            lambda t: f"({' '.join(t)})"
        )
        | st.sampled_from(
            ['sex == "male"', 'sex != "x"', 'sex in ("male", "other")', "born < as_of()"]
        )
        | st.tuples(truth, st.sampled_from(["and", "or"]), truth).map(lambda t: f"({' '.join(t)})")
        | truth.map(lambda t: f"(not {t})")
        | number.map(lambda t: f"({t} is missing)")
        | number.map(lambda t: f'(text_of({t}) == "7")')
        | number.map(lambda t: f'(pad(abs({t}), 3) == "007")')
        | number.map(lambda t: f'(band(abs({t}), 5, 20) in ("0-4", "20+"))')
        | st.sampled_from(
            [
                "sex is not missing",
                'concat(sex, if(age > 3, "a", sex)) == "malea"',
                "coalesce(seen, timestamp(died, 0)) > timestamp(born, 50)",
                "min(born, died) == born",
            ]
        )
    )
)


a_date = st.dates(dt.date(1900, 1, 1), dt.date(2100, 12, 31))
LEAP = dt.date(2000, 2, 29)


a_time = st.datetimes(dt.datetime(1970, 1, 2), dt.datetime(2100, 1, 1)).map(  # noqa: DTZ001 - local
    lambda t: t.replace(microsecond=0)
)


def held(value, numbers):
    """One value, or none with anything in its place."""
    if value is None:
        return Values(np.array([99_999_999]), missing=np.array([True]))
    return Values(np.array([numbers(value)]))


@settings(max_examples=150, deadline=None)
@given(
    truth,
    st.none() | st.integers(-100, 100),
    st.none() | st.integers(-50, 50),
    st.none() | st.sampled_from(["male", "female"]),
    st.none() | a_date,
    st.none() | a_date,
    st.none() | a_time,
)
@example("years_between(born, died) == 0", 0, 0, "male", LEAP, dt.date(2001, 2, 28), None)
@example("years_between(born, died) == -11", 0, 0, "male", LEAP, dt.date(1990, 2, 28), None)
@example("age // 7 == -1", -3, 0, "male", LEAP, LEAP, None)
@example("age % 7 == 4", -3, 0, "male", LEAP, LEAP, None)
@example("div(age, n) == -2", -3, 2, None, None, None, None)
@example("div(age, n) == -2", 3, -2, None, None, None, None)
@example("age > 3 or n > 3", None, 7, None, None, None, None)
@example("if(age > 3, 1, 2) == 2", None, 7, None, None, None, None)
@example("if(n > 3, n, age) == 7", None, 7, None, None, None, None)
@example("max(age, n) == 7", None, 7, None, None, None, None)
@example('band(age, 5, 20) == "20+"', None, 7, None, None, None, None)
def test_numpy_and_sql_agree(source, age, n, sex, born, died, seen):
    try:
        tree = check(source, COLUMNS, Type.BOOLEAN)
    except SpecError:  # too long or too deep
        return
    sexes = ("male", "female")
    columns = {
        "age": held(age, int),
        "n": held(n, int),
        "sex": Values(
            np.array([sexes.index(sex or "male")]), sexes, missing=np.array([sex is None])
        ),
        "born": held(born, days),
        "died": held(died, days),
        "seen": held(
            seen, lambda t: days(t.date()) * 86_400 + t.hour * 3600 + t.minute * 60 + t.second
        ),
    }
    found = evaluate(tree, Held(columns.__getitem__, 1), AS_OF)
    known = found.missing is None or not found.missing[0]
    ours = bool(found.ints[0]) if known else None
    query = render(tree, lambda path: quote(path[0]), AS_OF, COLUMNS)
    with duckdb.connect() as connection:
        (theirs,) = connection.execute(
            f"SELECT {query} FROM (SELECT ?::BIGINT AS age, ?::BIGINT AS n, ?::VARCHAR AS sex,"
            " ?::DATE AS born, ?::DATE AS died, ?::TIMESTAMP AS seen)",
            [age, n, sex, born, died, seen],
        ).fetchone()
    assert ours == theirs


@given(
    st.lists(st.tuples(st.none() | st.integers(-9, 9), st.none() | st.integers(-9, 9)), max_size=9)
)
def test_rows_do_not_meet(pairs):
    """Many rows, some without values, give what each gives alone."""
    tree = parse("if(div(a, b) > 0, text_of(a * b), coalesce(pad(abs(b), 2), text_of(a)))")

    def columns(rows):
        made = {}
        for i, name in enumerate("ab"):
            missing = np.array([row[i] is None for row in rows], dtype=np.bool_)
            data = np.array([row[i] or 0 for row in rows], dtype=np.int64)
            made[name] = Values(data, missing=missing)
        return made

    def texts(rows):
        found = evaluate(tree, Held(columns(rows).__getitem__, len(rows)), AS_OF)
        gone = found.missing if found.missing is not None else np.zeros(len(rows), dtype=np.bool_)
        return [None if m else t for t, m in zip(found.strings().to_pylist(), gone, strict=True)]

    assert texts(pairs) == [text for pair in pairs for text in texts([pair])]


@given(st.integers(0, 130), st.sampled_from([(5, 80), (10, 100), (1, 3)]))
def test_bands_agree_too(age, shape):
    tree = parse(f"band(age, {shape[0]}, {shape[1]})")
    ours = evaluate(tree, Held({"age": Values(np.array([age]))}.__getitem__, 1), AS_OF)
    with duckdb.connect() as connection:
        (theirs,) = connection.execute(
            f"SELECT {render(tree, lambda path: path[0], AS_OF)} FROM (SELECT {age} AS age)"
        ).fetchone()
    assert ours.strings().to_pylist() == [theirs]


def test_no_number_goes_round():
    large = Values(np.array([2**40, 1]))
    for source in ("x * x", "x * x * x", "-x * x", "x * 9007199254740992 - x"):
        with pytest.raises(BuildError, match=r"larger than 2\*\*62"):
            evaluate(parse(source), Held({"x": large}.__getitem__, 2), AS_OF)
    crossed = {"x": large, "y": Values(np.array([1, 2**40]))}
    assert evaluate(parse("x * y"), Held(crossed.__getitem__, 2), AS_OF).ints.tolist() == [
        2**40,
        2**40,
    ]
    band = parse("band(x, 5, 80)")
    with pytest.raises(BuildError, match="below zero"):
        evaluate(band, Held({"x": Values(np.array([-1]))}.__getitem__, 1), AS_OF)


def test_sql_does_not_grow_with_every_nesting():
    source = "age"
    for _ in range(12):
        source = f"years_between(as_of() + {source} // 3 % 5, as_of())"
    assert len(render(parse(source), lambda path: path[0], AS_OF)) < 10_000
