"""Counts are exact, from any form of the records, and no message tells what is in them."""

from __future__ import annotations

import datetime as dt
import tempfile
import textwrap
from itertools import combinations

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pytest

from synthetic.errors import PrivateError, SpecError
from synthetic.private import reading, spec
from synthetic.private.counting import count
from synthetic.private.reading import Records, blocks
from synthetic.private.spec import Unit

from .private_tables import SPEC, records, schema_of, write


def level(attribute, value):
    """The obvious way to a level; None where the row is left out."""
    if value is None:
        return attribute.n_there if attribute.may_miss else None
    if attribute.type == "category" and value not in attribute.values:
        if attribute.outside is None:
            return attribute.n_there if attribute.may_miss else None
        value = attribute.outside
    if attribute.type == "boolean":
        return int(value)
    if attribute.values:
        return attribute.values.index(value)
    if isinstance(value, dt.date):
        value = (value - dt.date(1970, 1, 1)).days
    number = round(float(value) * 10**attribute.places)
    number = min(max(number, attribute.edges[0]), attribute.edges[-1] - 1)
    return sum(number >= edge for edge in attribute.edges) - 1


def slowly(table, schema):
    sizes = [a.size for a in schema.attributes]
    one = [np.zeros(size, dtype=int) for size in sizes]
    two = {
        (a, b): np.zeros((sizes[a], sizes[b]), int) for a, b in combinations(range(len(sizes)), 2)
    }
    for row in table.to_pylist():
        levels = [level(a, row[a.name]) for a in schema.attributes]
        if None in levels:
            continue
        for i, found in enumerate(levels):
            one[i][found] += 1
        for a, b in two:
            two[a, b][levels[a], levels[b]] += 1
    return one, two


def as_csv(table, path):
    pa.csv.write_csv(table, path)
    return str(path)


SOURCES = {
    "parquet": lambda table, folder: str(write(table, folder / "r.parquet")),
    "folder": lambda table, folder: str(write(table, folder / "r.parquet").parent),
    "csv": lambda table, folder: as_csv(table, folder / "r.csv"),
    "query": lambda table, folder: f"SELECT * FROM '{write(table, folder / 'r.parquet')}';",
}


@pytest.mark.parametrize("kind", sorted(SOURCES))
def test_counts_are_those_of_the_obvious_way(tmp_path, kind, monkeypatch):
    monkeypatch.setattr(reading, "BLOCK_ROWS", 64)
    table, schema = records(), schema_of()
    found = count(blocks(Records(SOURCES[kind](table, tmp_path)), schema, None), schema)
    one, two = slowly(table, schema)
    for ours, theirs in zip(found.one_way, one, strict=True):
        np.testing.assert_array_equal(ours, theirs)
    for pair, theirs in two.items():
        np.testing.assert_array_equal(found.two_way[pair], theirs)


def test_a_row_without_a_value_is_left_out_where_none_may_be_missing(tmp_path):
    schema = schema_of()
    table = records(6).set_column(5, "married", pa.array([True, None, False, None, True, True]))
    path = write(table, tmp_path / "r.parquet")
    found = count(blocks(Records(str(path)), schema, None), schema)
    assert {int(counts.sum()) for counts in found.one_way} == {4}


def test_of_a_unit_so_many_rows_are_kept_whatever_other_units_do(tmp_path):
    schema, table = schema_of(), records(300)
    bound = Unit(column="unit", rows=2)

    def counted(of):
        path = write(of, tmp_path / "r.parquet")
        return count(blocks(Records(str(path)), schema, bound), schema)

    units = table.column("unit").to_pylist()
    whole = counted(table)
    kept = sum(min(units.count(unit), 2) for unit in set(units))
    assert whole.one_way[0].sum() == kept
    busiest = max(set(units), key=units.count)
    without = counted(table.filter(pa.array([unit != busiest for unit in units])))
    for pair, counts in whole.two_way.items():
        change = counts - without.two_way[pair]
        assert change.min() >= 0
        assert change.sum() == 2


@pytest.mark.parametrize("n", [0, 1])
def test_no_rows_and_one_row_are_counted(tmp_path, n):
    schema = schema_of()
    path = write(records(400).slice(11, n), tmp_path / "r.parquet")
    found = count(blocks(Records(str(path)), schema, None), schema)
    assert all(counts.sum() == n for counts in (*found.one_way, *found.two_way.values()))


SECRET = "Nguyen-Thi-4711"


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("r.csv", f'age,sex\n"{SECRET},1\n"{SECRET}"x,2,3,4\n', None),
        ("r.parquet", f"PAR1{SECRET}PAR1", "cannot be read (InvalidInputException)"),
        ("r.xlsx", SECRET, "neither .parquet, .csv nor .tsv"),
        ("r.csv", f"age,sex\n{SECRET},{SECRET}\n", "no column 'job'"),
    ],
    ids=["torn", "no-parquet", "other", "columns"],
)
def test_a_fault_of_the_records_is_told_without_them(tmp_path, name, content, told):
    path = tmp_path / name
    path.write_text(content, "utf-8")
    schema = schema_of()
    with pytest.raises(PrivateError) as error:
        count(blocks(Records(str(path)), schema, None), schema)
    assert SECRET not in str(error.value)
    assert told is None or told in str(error.value)
    assert error.value.__suppress_context__ or error.value.__cause__ is None


def test_one_record_does_not_change_how_others_are_read(tmp_path):
    # A delimiter that is guessed could be turned by one record that is full of another sign.
    schema = schema_of(
        'source = "s"\n[limit]\nepsilon = 1\ndelta = 1e-6\n'
        '[columns.a]\ntype = "category"\nvalues = ["x", "y"]\nmissing = true\n'
        '[columns.b]\ntype = "integer"\nlow = 0\nhigh = 9\nmissing = true\n'
    )
    path, found = tmp_path / "r.csv", []
    for last in ("", f'"{";" * 90}|\t{";" * 90}",7\n'):
        path.write_text("a,b\n" + "x,1\ny,2\n" * 3 + last, "utf-8")
        found.append(count(blocks(Records(str(path)), schema, None), schema).two_way[0, 1])
    assert (found[1] - found[0]).sum() == 1
    assert (found[1] - found[0])[2, 7] == 1


@pytest.mark.parametrize("header", ["", "a,a", "a,\xff"], ids=["none", "twice", "bytes"])
def test_a_header_that_names_no_columns_is_told(tmp_path, header):
    path = tmp_path / "r.csv"
    path.write_bytes(header.encode("latin-1") + b"\n1,2\n")
    with pytest.raises(PrivateError, match="its first line"):
        list(blocks(Records(str(path)), schema_of(), None))


def test_a_fault_within_a_query_is_told_without_what_it_met(tmp_path):
    schema, path = schema_of(), write(records(), tmp_path / "r.parquet")
    columns = ", ".join(name for name in schema.names if name != "age")
    query = f"SELECT CAST('{SECRET}' || sex AS INTEGER) AS age, {columns} FROM '{path}'"
    with pytest.raises(PrivateError, match="the query cannot be read") as error:
        count(blocks(Records(query), schema, None), schema)
    assert SECRET not in str(error.value)
    assert error.value.__suppress_context__


def test_reading_leaves_no_temporary_file(tmp_path, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "tmp"))
    (tmp_path / "tmp").mkdir()
    monkeypatch.chdir(tmp_path)
    schema, path = schema_of(), write(records(), tmp_path / "r.parquet")
    count(blocks(Records(str(path)), schema, Unit(column="unit", rows=1)), schema)
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["r.parquet", "tmp"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("low = 0\nhigh = 99\n", "", "columns.age = .*low and high are needed"),
        ("high = 99\n", "high = 9999\n", None),
        ("high = 99\nbins = 10\n", "high = 99999\n", "say how many bins of equal width"),
        ("high = 99\n", "high = -1\n", "low must not be above high"),
        ("bins = 10\n", "bins = 200\n", "only 100 values from low to high"),
        ("edges = [1, 10, 100]", "edges = [10, 1]", "edges must rise"),
        ("places = 1\n", "", "places says how many digits"),
        ("places = 1\nlow = 0", "places = 1\nlow = 0.05", "more than 1 places"),
        ('"male"]', '"male", "male"]', "values repeats a text"),
        ('outside = "other"', 'outside = "none"', "outside must be one of values"),
        ("low = 1920-01-01", "low = 1920", "are dates such as"),
        ('type = "boolean"', 'type = "boolean"\nbins = 3', "are for"),
        ("holds = ", 'hold = ""\nholds = ', "unknown key; did you mean 'holds'"),
        ("age < 10", "agee < 10", "rules.0: unknown column 'agee'"),
        ("age < 10 and", "as_of() > born and", "rules.0: as_of"),
        ("epsilon = 3", "epsilon = -3", "limit.epsilon = -3"),
        ('source = "survey"', 'source = "A b"', "source = 'A b'"),
    ],
)
def test_a_fault_of_a_spec_names_its_place_and_remedy(old, new, message):
    assert old in SPEC
    if message is None:
        assert schema_of(SPEC.replace(old, new)).attributes[0].size == 10
        return
    with pytest.raises(SpecError, match=message):
        schema_of(SPEC.replace(old, new))


def test_too_many_levels_are_refused():
    text = SPEC.replace("bins = 10", "bins = 4000").replace("high = 99\n", "high = 9999\n")
    with pytest.raises(SpecError, match="levels in sum; at most 6000"):
        schema_of(text + '\n[columns.other]\ntype = "integer"\nlow = 0\nhigh = 3000\n')


def test_the_spec_shown_to_custodians_is_right():
    shown = (spec.__doc__ or "").partition("A short one:")[2]
    schema = schema_of(textwrap.dedent(shown))
    assert [a.size for a in schema.attributes] == [37, 3, 2]
    assert len(schema.trees) == 1
