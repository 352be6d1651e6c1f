"""No synthetic identifier can be a real one, and none is given twice."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic import statistics
from synthetic.errors import BuildError, StorageError
from synthetic.generation import models
from synthetic.generation.draws import stream
from synthetic.generation.identifiers import (
    KINDS,
    MOBILE_PREFIXES,
    Rows,
    household_rank,
    is_synthetic,
    kind,
)
from synthetic.generation.values import Values
from synthetic.spec.kinds import PARTS
from synthetic.tables.manifest import find

DRAWS = stream(1, "identifiers")
AREAS = ("01", "48", "79")


def personal(area, sex, year, rank):
    rows = Rows(
        np.arange(len(rank)),
        np.array(rank),
        {
            "area": Values(np.array(area), AREAS),
            "sex": Values(np.array(sex), ("male", "female")),
            "year": Values(np.array(year)),
        },
    )
    return kind("personal_number").make(DRAWS, rows).text.to_pylist()


def real_check_digit(nine):
    """The rule of the tax code as published.identifier_formats states it."""
    weights = (31, 29, 23, 19, 17, 13, 7, 5, 3)
    return 10 - sum(w * int(d) for w, d in zip(weights, nine, strict=True)) % 11


person = st.tuples(
    st.integers(0, 2), st.integers(0, 1), st.integers(1900, 2099), st.integers(0, 3_999_999)
)


@given(st.lists(person, min_size=1, max_size=30, unique=True))
def test_personal_numbers_are_marked_distinct_and_lead_back(persons):
    numbers = personal(*map(list, zip(*persons, strict=True)))
    assert len(set(numbers)) == len(persons)
    for number, (area, sex, year, rank) in zip(numbers, persons, strict=True):
        assert len(number) == 12
        assert is_synthetic("personal_number", number)
        assert number[1:3] == AREAS[area]
        assert number[4:6] == f"{year % 100:02d}"
        assert int(number[3]) == (year // 100 - 19) * 2 + sex
        assert household_rank(DRAWS, number) == rank


def test_an_area_with_too_many_households_is_refused():
    with pytest.raises(BuildError, match="run out"):
        personal([0], [0], [2000], [4_000_000])


def test_no_real_personal_number_is_called_synthetic():
    with (statistics.folder() / "codes_cccd_and_plates_63.csv").open(encoding="utf-8") as file:
        codes = [row["cccd_province_code"] for row in csv.DictReader(file)]
    assert len(codes) == 63
    for code in codes:
        assert not is_synthetic("personal_number", f"{code}099123456")


@given(st.lists(st.integers(0, 9_999_998), min_size=1, max_size=40, unique=True))
def test_tax_codes_have_a_check_digit_that_is_never_right(ranks):
    area = Values(np.zeros(len(ranks), dtype=np.int64), AREAS)
    codes = kind("tax_code").make(
        DRAWS, Rows(np.arange(len(ranks)), np.array(ranks), {"area": area})
    )
    texts = codes.text.to_pylist()
    assert len(set(texts)) == len(ranks)
    for text in texts:
        assert is_synthetic("tax_code", text)
        assert real_check_digit(text[:9]) != int(text[9])


@given(st.from_regex(r"\A[0-9]{9}\Z"))
def test_no_real_tax_code_is_called_synthetic(nine):
    right = real_check_digit(nine)
    if right < 10:
        assert not is_synthetic("tax_code", f"{nine}{right}")


def test_no_carrier_has_a_synthetic_prefix():
    given_out = {row["prefix"][1:] for row in statistics.rows("codes_mobile_prefixes")}
    assert not given_out & {str(prefix) for prefix in MOBILE_PREFIXES}
    for prefix in sorted(given_out):
        assert not is_synthetic("mobile_number", f"0{prefix}1234567")


@pytest.mark.parametrize("name", list(KINDS))
@given(text=st.text(max_size=20))
def test_other_text_is_not_called_synthetic(name, text):
    if name == "enterprise_name" and text.endswith("(mô phỏng)"):
        return
    assert not is_synthetic(name, text + "x")


def test_every_kind_has_the_parts_that_a_spec_is_checked_against():
    assert {name: kind.parts for name, kind in KINDS.items()} == PARTS


@pytest.mark.parametrize(
    ("areas", "sexes", "year", "message"),
    [
        (("01", "1"), ("male",), 2000, r"two digits; found \['1'\]"),
        (("٠١", "01"), ("male",), 2000, "two digits"),
        (("01",), ("male", "x"), 2000, r"male or female; found \['x'\]"),
        (("01",), ("female",), 2400, "years from 1900 to 2399; found 2400 to 2400"),
    ],
)
def test_a_personal_number_of_impossible_parts_is_refused(areas, sexes, year, message):
    parts = {
        "area": Values(np.arange(2) % len(areas), areas),
        "sex": Values(np.arange(2) % len(sexes), sexes),
        "year": Values(np.full(2, year)),
    }
    with pytest.raises(BuildError, match=message):
        kind("personal_number").make(DRAWS, Rows(np.arange(2), np.arange(2), parts))


def test_a_damaged_model_file_is_told(tmp_path):
    path = tmp_path / "fit.npz"
    models.save(path, {"weights": np.arange(1000)})
    whole = path.read_bytes()
    for damaged in (
        whole[: len(whole) // 2],
        b"PK\x03\x04" + b"x" * 50,
        b"",
        whole[:60] + b"\0" * 400 + whole[460:],
    ):
        path.write_bytes(damaged)
        with pytest.raises(StorageError, match=r"fit\.npz: damaged model file; delete it"):
            models.read(path)


def test_an_unknown_kind_names_the_nearest():
    with pytest.raises(BuildError, match="did you mean 'tax_code'"):
        kind("tax_kode")


def test_every_identifier_of_a_whole_replica_is_marked(replicas):
    looked_at = 0
    for manifest in find(replicas / "replicas"):
        for table in manifest.tables:
            for column in table["columns"]:
                if column["identifier"] is None:
                    continue
                for path in manifest.files(table["name"]):
                    values = pq.read_table(path, columns=[column["name"]])[column["name"]]
                    texts = values.drop_null().combine_chunks()
                    assert kind(column["identifier"]).is_marked(texts).all()
                    looked_at += len(texts)
    assert looked_at > 150_000


def test_every_identifier_column_of_the_specs_has_a_kind_or_leads_to_one(replicas):
    for manifest in find(replicas / "replicas"):
        for table in manifest.tables:
            for column in table["columns"]:
                if column["sensitivity"] == "identifier" and column["name"] != "full_name":
                    assert column["identifier"] or column["references"], column["name"]
