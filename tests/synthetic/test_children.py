"""Children of every kind of table: keys, counts, order, areas, and the same rows in any sharding."""

from __future__ import annotations

import duckdb
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthetic.build import make_recipe, shard_table
from synthetic.errors import BuildError, SpecError
from synthetic.generation.world import World
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all, parse
from synthetic.tables.content import Content, of_table

from .specs import LINKED, SMALL

TABLES = ["schools", "classes", "pupils", "accounts", "payments", "arrivals", "guides"]
SCALE = "0.0002"


@pytest.fixture(scope="module")
def specs():
    return load_all(["population"]) | {"linked": parse(LINKED, "linked.toml")}


@pytest.fixture(scope="module")
def world(specs, tmp_path_factory):
    return World(specs, make_recipe(SCALE, None, 1, "exact"), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def whole(world):
    return {name: shard_table(world, *one_shard(world, name)) for name in TABLES}


def one_shard(world, name):
    made = world.tables[f"linked.{name}"].cells
    (shard, *_) = world.shards(f"linked.{name}")
    return [type(shard)(shard.table, 0, 0, made.n)]


def ask(tables, query):
    with duckdb.connect() as connection:
        for name, table in tables.items():
            connection.register(name, table)
        return connection.sql(query).fetchall()


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(TABLES), st.integers(50, 4000), st.randoms())
def test_any_sharding_in_any_order_gives_the_same_rows(world, whole, name, groups, chance):
    shards = world.shards(f"linked.{name}", groups)
    chance.shuffle(shards)
    total = sum((of_table(shard_table(world, shard)) for shard in shards), Content())
    assert total == of_table(whole[name])


@pytest.mark.parametrize("area", ["48", "79", "11"])
def test_an_area_holds_exactly_the_countrys_rows_of_it(specs, whole, area, tmp_path):
    part = World(specs, make_recipe(SCALE, area, 1, "exact"), tmp_path)
    for name in TABLES:
        ours = Content()
        for shard in part.shards(f"linked.{name}", 1000):
            ours += of_table(shard_table(part, shard))
        country = whole[name]
        if "province_code" in country.column_names:
            with duckdb.connect() as connection:
                connection.register("t", country)
                query = f"FROM t WHERE province_code = '{area}'"
                there = connection.sql(query).to_arrow_table().cast(country.schema)
        else:
            there = country  # the country's own rows are in every replica
        assert ours.rows == there.num_rows > 0, name
        assert ours == of_table(there), name


@settings(max_examples=12, deadline=None)
@given(st.sampled_from(["classes", "pupils", "accounts", "payments"]), st.randoms())
def test_a_row_by_its_key_is_the_row_of_its_shard(world, name, chance):
    table = world.tables[f"linked.{name}"]
    frame = table.frame(0, table.cells.n)
    rows = sorted(chance.sample(range(frame.n), min(frame.n, 40)))
    chance.shuffle(rows)
    single = table.at(frame.key[rows])
    for column in world.specs["linked"].tables[name].columns:
        a, b = frame.column(column).take(rows_array(rows)), single.column(column)
        assert texts(a) == texts(b), column


def rows_array(rows):
    return np.array(rows, dtype=np.int64)


def texts(values):
    found = values.ints.tolist() if values.text is None else values.strings().to_pylist()
    if values.domain is not None:
        found = [values.domain[i] for i in found]
    gone = [False] * len(found) if values.missing is None else values.missing.tolist()
    return [None if absent else value for value, absent in zip(found, gone, strict=True)]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("schools", "school_id"),
        ("classes", "class_id"),
        ("payments", "payment_id"),
        ("accounts", "owner_id, position"),
        ("guides", "guide_id"),
    ],
)
def test_no_key_is_repeated(whole, name, key):
    assert ask(whole, f"SELECT {key} FROM {name} GROUP BY {key} HAVING count(*) > 1") == []


def test_every_parent_has_the_children_that_were_counted(whole, world):
    wrong = ask(
        whole,
        """
        SELECT owner_id FROM accounts GROUP BY 1
        HAVING count(*) <> max("count") OR max(position) <> count(*) - 1 OR count(*) NOT IN (3, 4)
        """,
    )
    assert wrong == []
    wrong = ask(
        whole,
        """
        SELECT a.owner_id FROM accounts a LEFT JOIN payments p
          ON p.owner_id = a.owner_id AND p.account = a.position
        GROUP BY a.owner_id, a.position
        HAVING count(p.payment_id) <> least(max(a.weight) * 2, 12)
        """,
    )
    assert wrong == []
    ((n,),) = ask(whole, "SELECT count(*) FROM classes")
    assert n == 3 * whole["schools"].num_rows
    (persons,) = world.shards("population.persons", 10**9)
    adults = ask(
        {"p": shard_table(world, persons), "a": whole["accounts"]},
        "SELECT (SELECT count(*) FROM p WHERE age >= 15), (SELECT count(DISTINCT owner_id) FROM a)",
    )
    assert adults[0][0] == adults[0][1] > 10_000


def test_children_stand_in_the_order_of_their_parents(whole):
    ids = whole["payments"]["payment_id"].to_pylist()
    assert ids == sorted(ids)


def test_a_count_that_follows_a_margin_has_its_shares(whole, world):
    (persons,) = world.shards("population.persons", 10**9)
    ((n, four),) = ask(
        {"p": shard_table(world, persons), "a": whole["accounts"]},
        """SELECT count(*), count(*) FILTER (a."count" = 4) FROM a JOIN p ON person_id = owner_id
           WHERE a.position = 0 AND sex = 'female'""",
    )
    margin = world.margins["linked"]["counts"]
    share = float(margin.cells["female", "4"] / sum(margin.cells["female", c] for c in ("3", "4")))
    assert abs(four / n - share) < 4.5 * (share * (1 - share) / n) ** 0.5


def test_a_replica_knows_children_of_a_matching(tmp_path):
    """Contributions by month of employees: the parent's columns of both its sides."""
    spec = EMPLOYED
    specs = load_all(["enterprise"]) | {"work": parse(spec, "work.toml")}
    world = World(specs, make_recipe(SCALE, None, 1, "exact"), tmp_path)
    shards = world.shards("work.months", 700)
    assert len(shards) > 1
    total = sum((of_table(shard_table(world, shard)) for shard in shards), Content())
    (shard,) = world.shards("enterprise.employees", 10**9)
    employees = shard_table(world, shard)
    table = world.tables["work.months"]
    frame = table.frame(0, table.cells.n)
    assert total.rows == frame.n == 5 * employees.num_rows > 0
    single = table.at(frame.key[::-7])
    assert texts(single.column("person_id")) == texts(frame.column("person_id"))[::-7]
    assert texts(single.column("tax_code")) == texts(frame.column("tax_code"))[::-7]


EMPLOYED = """
spec = 1
dataset = "work"
title = { vi = "Việc", en = "Work" }
description = { vi = "Để thử", en = "For tests" }
as_of = 2024-12-31
licence = "CC-BY-4.0"
uses = ["population", "enterprise"]

[tables.months]
title = { vi = "Tháng", en = "Months" }
description = { vi = "Mỗi dòng một tháng", en = "One row per month" }
key = ["month_id"]
area = "province_code"
rows.children = { of = "enterprise.employees", count = 5, because = { vi = "thử", en = "test" } }

[tables.months.columns.month_id]
title = { vi = "Mã", en = "Number" }
type = "integer"
take = "number"

[tables.months.columns.person_id]
title = { vi = "Người", en = "Person" }
type = "text"
references = "enterprise.employees.person_id"
take = "parent.person_id"

[tables.months.columns.tax_code]
title = { vi = "Doanh nghiệp", en = "Enterprise" }
type = "text"
references = "enterprise.enterprises.tax_code"
take = "parent.tax_code"

[tables.months.columns.province_code]
title = { vi = "Tỉnh", en = "Province" }
type = "code"
codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name" }
take = "area"
"""


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("most = 4\n", "", "'most' bounds a count"),
        ("count = 3", "count = 3\nmost = 3", "'most' bounds a count"),
        ("count = 3", "count = 5000", "less than or equal to 4096"),
        ('count = "weight * 2"', 'count = "owner_id"', "'owner_id' gives text; integer is needed"),
        ('count = "weight * 2"', 'count = "wait * 2"', "unknown column 'wait'.*'weight'"),
        ('of = "linked.schools"', 'of = "linked.payments"', "'payments' must stand before"),
        ('of = "linked.schools"', 'of = "linked.school"', "unknown table 'school'.*'schools'"),
        ('where = "age >= 15"', 'where = "age"', "gives integer; boolean is needed"),
        ('follows = "counts"', 'follows = "kinds"', "axes area, kind"),
        ('take = "parent.age"', 'take = "parent.agee"', "unknown field 'parent.agee'"),
        ('take = "parent.age"', 'take = "line"', "unknown field 'line'"),
    ],
)
def test_a_faulty_spec_is_told(specs, old, new, message):
    assert old in LINKED
    with pytest.raises(SpecError, match=message):
        check_specs(specs | {"linked": parse(LINKED.replace(old, new, 1), "linked.toml")})


def test_keys_that_no_number_can_hold_are_refused(tmp_path):
    text, of = SMALL, "shops"
    for name in ("a", "b", "c", "d", "e"):
        text += CHAIN.format(name=name, of=of)
        of = name
    specs = {"shops": parse(text, "shops.toml")}
    with pytest.raises(BuildError, match=r"tables\.e\.rows.children: most = 4096 gives too many"):
        World(specs, make_recipe("0.01", None, 1, "exact"), tmp_path)


CHAIN = """
[tables.{name}]
title = {{ vi = "thử", en = "test" }}
description = {{ vi = "thử", en = "test" }}
key = ["id"]
area = "province_code"
rows.children = {{ of = "shops.{of}", count = 4096, because = {{ vi = "thử", en = "test" }} }}
[tables.{name}.columns.id]
title = {{ vi = "Mã", en = "Number" }}
type = "integer"
take = "number"
[tables.{name}.columns.province_code]
title = {{ vi = "Tỉnh", en = "Province" }}
type = "code"
codes_from = {{ table = "admin_provinces_34", code = "province_code", vi = "name" }}
take = "area"
"""
