"""The content hash tells rows apart and sees through order, sharding and encoding."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.tables import arrow
from synthetic.tables.content import Content, of_files, of_table, row_words

rows = st.lists(
    st.fixed_dictionaries(
        {
            "text": st.none() | st.text(max_size=40),
            "number": st.none() | st.integers(-(2**62), 2**62),
            "date": st.none() | st.dates(dt.date(1900, 1, 1), dt.date(2100, 1, 1)),
            "flag": st.none() | st.booleans(),
        }
    ),
    min_size=1,
    max_size=30,
)
SCHEMA = pa.schema(
    [("text", pa.string()), ("number", pa.int64()), ("date", pa.date32()), ("flag", pa.bool_())]
)


@given(rows, st.randoms(), st.integers(1, 5))
def test_order_and_sharding_do_not_enter(found, chance, cuts):
    table = pa.Table.from_pylist(found, SCHEMA)
    order = list(range(len(found)))
    chance.shuffle(order)
    shuffled = table.take(order)
    size = -(-len(found) // cuts)
    parts = [of_table(shuffled.slice(at, size)) for at in range(0, len(found), size)]
    assert sum(parts, Content()) == of_table(table)


@settings(max_examples=30)
@given(rows)
def test_encoding_and_storage_do_not_enter(tmp_path_factory, found):
    table = pa.Table.from_pylist(found, SCHEMA)
    coded = table.set_column(0, "text", table["text"].dictionary_encode())
    path = tmp_path_factory.mktemp("content") / "t.parquet"
    pq.write_table(coded, path, row_group_size=7)
    assert of_table(coded) == of_table(table) == of_files([path])


@given(rows, st.data())
def test_any_other_value_gives_another_hash(found, data):
    at = data.draw(st.integers(0, len(found) - 1))
    column = data.draw(st.sampled_from(["text", "number"]))
    other = data.draw(st.text(max_size=40) if column == "text" else st.integers(-(2**62), 2**62))
    if found[at][column] == other:
        return
    changed = [dict(row) for row in found]
    changed[at][column] = other
    assert of_table(pa.Table.from_pylist(changed, SCHEMA)) != of_table(
        pa.Table.from_pylist(found, SCHEMA)
    )


def test_a_row_twice_is_not_a_row_gone():
    one = pa.table({"a": pa.array([1, 2])})
    twice = pa.table({"a": pa.array([1, 1])})
    assert of_table(one) != of_table(twice)


def test_values_do_not_wander_between_columns():
    assert of_table(pa.table({"a": ["x"], "b": ["y"]})) != of_table(
        pa.table({"a": ["y"], "b": ["x"]})
    )


def test_a_missing_text_is_not_an_empty_one():
    assert of_table(pa.table({"a": pa.array([None], pa.string())})) != of_table(
        pa.table({"a": pa.array([""])})
    )


@given(st.lists(st.text(max_size=60), min_size=1, max_size=200, unique=True))
def test_different_texts_have_different_hashes(texts):
    hashes = {of_table(pa.table({"a": [text]})).lanes for text in texts}
    assert len(hashes) == len(texts)


def test_the_hash_of_a_small_table_never_changes():
    table = pa.table({"tên": ["Nguyễn Thị Ánh", ""], "n": [1, -1]})
    assert of_table(table).hexdigest() == PINNED


@given(st.integers(-(2**63), 2**63 - 1), st.integers(-(2**63), 2**63 - 1))
def test_rows_that_differ_in_one_number_never_look_the_same(one, other):
    words = [row_words(pa.table({"n": [value], "text": ["x"]}))[0] for value in (one, other)]
    assert (words[0] == words[1]) == (one == other)


def test_a_column_without_a_code_is_refused():
    with pytest.raises(TypeError, match="no content code"):
        of_table(pa.table({"a": [1.5]}))


def test_buffers_agree_with_arrow():
    missing = np.array([False, True, False])
    assert arrow.numbers(np.array([1, 2, 3]), missing).to_pylist() == [1, None, 3]
    assert arrow.flags(np.array([True, True, False])).to_pylist() == [True, True, False]
    assert arrow.without(arrow.strings(["a", "bé", "c"]), missing).to_pylist() == ["a", None, "c"]
    assert arrow.coded(np.array([1, 0, 1]), arrow.strings(["x", "y"]), None).to_pylist() == [
        "y",
        "x",
        "y",
    ]
    sliced = pa.array([True, False, True, None])[1:]
    assert arrow.to_numpy(sliced)[:2].tolist() == [False, True]
    assert arrow.missing_of(sliced).tolist() == [False, False, True]


PINNED = "9a72077b174c521362b4d45a00d7fe2b0000000000000002"
