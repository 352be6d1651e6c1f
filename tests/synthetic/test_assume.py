"""Assumptions by code: what they give, what they refuse, and that values go astray as told."""

from __future__ import annotations

import math
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic.build import Order, build, make_recipe
from synthetic.errors import BuildError, SpecError
from synthetic.evaluation.sql import connect
from synthetic.evaluation.verify import verify_folder
from synthetic.generation.settings import present
from synthetic.generation.structures import Recipe
from synthetic.generation.world import World
from synthetic.spec.check import check_specs
from synthetic.spec.load import parse
from synthetic.spec.models import key_of
from tests.synthetic.specs import SMALL

ASSUMED = (
    SMALL
    + """
[tables.shops.columns.big]
title = { vi = "Lớn", en = "Big" }
type = "boolean"
derive = "room > 20"

[tables.shops.columns.open]
title = { vi = "Còn mở", en = "Open" }
type = "boolean"
given = ["size"]
assume.shares = { micro = { true = 3, false = 1 }, small = { true = 1 } }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.stars]
title = { vi = "Sao", en = "Stars" }
type = "integer"
unit = "stars"
given = ["size", "big"]
assume.quantiles = { "micro|true" = [4, 4], "*|true" = [5, 5], "*" = [1, 2, 3] }
because = { vi = "giả định", en = "assumed" }
missing = { share = { "1" = "0.5", "*" = 0.25 }, given = ["shelf"], because = { vi = "m", en = "m" } }

[tables.shops.columns.shelf]
title = { vi = "Kệ", en = "Shelf" }
type = "integer"
assume.shares = { "1" = 1, "2" = 1 }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.closed_on]
title = { vi = "Đóng cửa", en = "Closed on" }
type = "date"
only_if = "not open"
given = ["size"]
because = { vi = "giả định", en = "assumed" }
[tables.shops.columns.closed_on.assume.day]
from = "if(open, as_of() + 9, date(2023, 1, 1))"
to = "as_of()"
months = { micro = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 3], small = [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1] }
years = { "2023" = 1, "2024" = 3 }
tet = { before = [0, 0] }
holidays = { "01-01" = 0 }

[tables.shops.columns.kind]
title = { vi = "Loại", en = "Kind" }
type = "text"
given = ["size"]
assume.words = { micro = ["a", "b"], "*" = ["b", "c"] }
because = { vi = "giả định", en = "assumed" }

[tables.shops.columns.note]
title = { vi = "Lời", en = "Note" }
type = "text"
given = ["size", "big"]
because = { vi = "giả định", en = "assumed" }
[tables.shops.columns.note.assume.grammar]
text = { "small|*" = ["{word}, {kind}."], "*" = ["{kind}: {word}", "{word} {word}!"] }
vocabularies.word = { "*|true" = ["to"], "*|false" = ["nhỏ", "bé"] }
"""
)


def order(folder, text, scale="0.05", **more):
    """Write a spec and order its replica."""
    (folder / "shops.toml").write_text(text, "utf-8")
    return Order(
        datasets=("shops",),
        recipe=make_recipe(scale, None, 1, "exact"),
        out=folder / "out",
        specs=(folder,),
        workers=1,
        **more,
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    folder = tmp_path_factory.mktemp("assumed")
    (manifest,) = build(order(folder, ASSUMED))
    return manifest, folder


@pytest.fixture
def con(built):
    with connect({"shops": built[0]}) as connection:
        yield connection


def test_it_verifies_and_tells_of_what_is_missing(built):
    manifest, folder = built
    assert [c for c in verify_folder(manifest.folder, [folder]) if not c.ok] == []
    columns = {column["name"]: column for column in manifest.tables[0]["columns"]}
    assert columns["stars"]["missing"]["share"] == {"1": "0.5", "*": "0.25"}
    assert "missing" not in columns["shelf"]


def test_any_sharding_gives_the_same_content(built, tmp_path):
    (other,) = build(order(tmp_path, ASSUMED, shard_groups=333))
    assert other.tables[0]["content_hash"] == built[0].tables[0]["content_hash"]


def near(found, n, share):
    """Within four and a half standard deviations of a binomial."""
    return abs(found - n * share) <= 4.5 * math.sqrt(n * share * (1 - share))


def test_shares_follow_the_code(con):
    found = dict(con.execute("SELECT size, avg(open::INT) FROM shops.shops GROUP BY 1").fetchall())
    assert found["small"] == 1
    n, opened = con.execute(
        "SELECT count(*), sum(open::INT) FROM shops.shops WHERE size = 'micro'"
    ).fetchone()
    assert near(opened, n, 0.75)


def test_the_most_specific_key_counts(con):
    rows = con.execute("SELECT DISTINCT size, big, stars FROM shops.shops ORDER BY ALL").fetchall()
    held = {(size, big): set() for size, big, _ in rows}
    for size, big, stars in rows:
        held[size, big].add(stars)
    assert held["micro", True] == {4, None}
    assert held["small", True] == {5, None}
    assert held["micro", False] == {1, 2, 3, None}


def test_values_go_missing_by_code(con):
    for shelf, n, gone in con.execute(
        "SELECT shelf, count(*), count(*) - count(stars) FROM shops.shops GROUP BY 1"
    ).fetchall():
        assert near(gone, n, {1: 0.5, 2: 0.25}[shelf])


def test_days_keep_to_months_years_and_holidays(con):
    days = [
        day
        for (day,) in con.execute(
            "SELECT closed_on FROM shops.shops WHERE closed_on IS NOT NULL"
        ).fetchall()
    ]
    assert {day.month for day in days} == {1, 12}
    assert not any((day.month, day.day) == (1, 1) for day in days)
    assert not any((day.year, day.month, day.day) in ((2023, 1, 20), (2023, 1, 21)) for day in days)
    years = Counter(day.year for day in days)
    # Days of January without the first and, in 2023, the eve of Tết and the day before it.
    weight = {2023: 28 + 3 * 31, 2024: 3 * (30 + 3 * 31)}
    assert near(years[2024], len(days), weight[2024] / sum(weight.values()))


def test_texts_come_from_their_vocabularies(con):
    rows = con.execute("SELECT size, big, kind, note FROM shops.shops").fetchall()
    for size, big, kind, note in rows:
        words = ["to"] if big else ["nhỏ", "bé"]
        if size == "small":
            assert note in [f"{word}, {kind}." for word in words]
            assert kind in "bc"
        else:
            wanted = [f"{kind}: {word}" for word in words] + [f"{word} {word}!" for word in words]
            assert note in wanted
    assert 3 * 2 + 3 * 2 <= len({note for *_, note in rows}) <= 3 * 2 + 3 * 2 + 3


@given(
    st.lists(st.sampled_from("ab*"), min_size=2, max_size=2),
    st.sets(st.sampled_from(["a|a", "a|b", "a|*", "b|*", "*|a", "*|b", "*|*", "*"])),
)
def test_a_key_is_found_as_a_slow_search_would(codes, keys):
    codes = [code.replace("*", "c") for code in codes]
    fitting = [
        key
        for key in keys - {"*"}
        if all(part in (code, "*") for part, code in zip(key.split("|"), codes, strict=True))
    ]
    slow = min(fitting, key=lambda key: [part == "*" for part in key.split("|")], default=None)
    assert key_of(codes, keys) == (slow or ("*" if "*" in keys else None))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (', "*" = [1, 2, 3] }', " }", "nothing for 'micro|false'; add it"),
        ('"micro|true" = [4, 4]', '"tiny|true" = [4, 4]', "'tiny' is no code of 'size'"),
        ('"micro|true" = [4, 4]', '"micro" = [4, 4]', "must join the codes of size, big by |"),
        ('given = ["size"]\nassume.shares', "assume.shares", "a table by code .* needs 'given'"),
        ("small = { true = 1 }", "small = 1", "shares.small = 1: .* valid dictionary"),
        ("{ true = 1 }", "{ yes = 1 }", "assume.shares names what is no boolean: .'yes'."),
        ('{ "1" = 1, "2" = 1 }', "{ one = 1 }", "assume.shares names what is no integer: .'one'."),
        ('"1" = "0.5"', '"1" = "1.5"', "a share is a decimal from 0 to 1"),
        ('given = ["shelf"], ', "", "a share by code, and no other, needs columns in 'given'"),
        ('"*" = 0.25', '"2" = 0.25', "missing.share must give every code of 'shelf'"),
        ("{word} {word}!", "{word} {nobody}!", "unknown column 'nobody'"),
        ("{word} {word}!", "{word} {room}!", "slot {room} is integer; text is needed"),
        ("{word} {word}!", "{word} {Word}!", "a slot is a name in braces"),
        ("vocabularies.word = ", 'vocabularies.odd = ["x"]\nvocabularies.word = ', "slot {odd}"),
        ('["a", "b"]', '["a", "a"]', "words repeats 'a'"),
        ('"01-01" = 0', '"02-30" = 0', "'02-30' is no day of a year"),
        ("micro = [1, 0,", "micro = [0,", "12 weights are needed, not all zero; found 11"),
        ('to = "as_of()"', 'to = "room"', "'room' gives integer; date is needed"),
    ],
)
def test_a_wrong_assumption_is_told(old, new, message):
    assert old in ASSUMED
    with pytest.raises(SpecError, match=message):
        check_specs({"shops": parse(ASSUMED.replace(old, new, 1), "shops.toml")})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("if(open, as_of() + 9, date(2023, 1, 1))", "as_of() + 9", "'from' lies after 'to'"),
        ("date(2023, 1, 1))", "date(1999, 1, 1))", "known from 2000-01-01 to 2035-12-31 only"),
        ('"2023" = 1, "2024" = 3', '"2020" = 1', "no day has a weight"),
    ],
)
def test_an_interval_that_cannot_be_is_told(old, new, message, tmp_path):
    assert old in ASSUMED
    with pytest.raises(BuildError, match=rf"shops\.closed_on: day from .*{message}"):
        build(order(tmp_path, ASSUMED.replace(old, new, 1), "0.01"))


def test_a_day_long_ago_is_drawn_by_weight(tmp_path):
    text = ASSUMED
    for old, new in (
        ('from = "if(open, as_of() + 9, date(2023, 1, 1))"', 'from = "date(1950, 1, 1)"'),
        ('to = "as_of()"', 'to = "date(1951, 12, 31)"'),
        ('years = { "2023" = 1, "2024" = 3 }', "weekdays = [0, 0, 0, 0, 0, 1, 3]"),
        ("tet = { before = [0, 0] }", ""),
    ):
        assert old in text
        text = text.replace(old, new, 1)
    (manifest,) = build(order(tmp_path, text))
    with connect({"shops": manifest}) as con:
        ((n, sundays, first, last),) = con.execute(
            """SELECT count(*), avg((isodow(closed_on) = 7)::INT), min(year(closed_on)),
            max(year(closed_on)) FROM shops.shops WHERE closed_on IS NOT NULL"""
        ).fetchall()
    assert (first, last) == (1950, 1951)
    # Months begin on different weekdays: their Sundays weigh 3 in 4 on the mean.
    assert n > 500
    assert abs(sundays - 3 / 4) < 0.05 + 5 * math.sqrt(3 / 16 / n)


def test_scattered_rows_are_those_of_a_shard(tmp_path):
    spec = parse(ASSUMED, "shops.toml")
    recipe: Recipe = make_recipe("0.01", None, 1, "exact")
    table = World({"shops": spec}, recipe, tmp_path).tables["shops.shops"]
    whole, part = table.frame(0, table.cells.n), table.frame(40, 90)
    for name in spec.tables["shops"].columns:
        if spec.tables["shops"].columns[name].type != "text":
            mine, all_ = part.column(name).coded(), whole.column(name).coded()
            there = present(mine)
            assert (there == present(all_)[40:90]).all()
            same = mine.ints[there] == all_.ints[40:90][there]
            assert same.all() or mine.domain is not None


def chained(n):
    """A spec whose last column hangs on so many others, the last standing first."""
    columns = [
        f"""
[tables.shops.columns.c{i}]
title = {{ vi = "x", en = "x" }}
type = "integer"
derive = "{f"c{i - 1} + 1" if i else "room" + " + 1" * 100}"
"""
        for i in reversed(range(n))
    ]
    return SMALL + "".join(columns)


@pytest.mark.slow
def test_a_long_chain_of_columns_builds_and_a_longer_one_is_told(tmp_path):
    (manifest,) = build(order(tmp_path, chained(98), "0.001"))
    with connect({"shops": manifest}) as con:
        (gap,) = con.execute("SELECT DISTINCT c97 - room FROM shops.shops").fetchall()
    assert gap == (197,)
    for n in (99, 3000):  # room and size stand before the first
        with pytest.raises(SpecError, match="a chain of more than 100 columns"):
            check_specs({"shops": parse(chained(n), "shops.toml")})
