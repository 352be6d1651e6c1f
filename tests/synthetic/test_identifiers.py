"""No synthetic identifier can be a real one, and none is given twice."""

from __future__ import annotations

import csv
import re
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from synthetic import statistics
from synthetic.errors import BuildError, StorageError
from synthetic.generation import identifiers, models
from synthetic.generation.draws import stream
from synthetic.generation.identifiers import (
    KINDS,
    MOBILE_PREFIXES,
    Rows,
    household_rank,
    is_synthetic,
    kind,
)
from synthetic.generation.permutation import unpermute
from synthetic.generation.values import Values
from synthetic.spec.kinds import PARTS
from synthetic.tables.manifest import find
from synthetic.tables.reading import rows

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
    return kind("personal_number").make(DRAWS, rows).strings().to_pylist()


def real_check_digit(nine):
    """The rule of the tax code as published.identifier_formats states it."""
    weights = (31, 29, 23, 19, 17, 13, 7, 5, 3)
    return 10 - sum(w * int(d) for w, d in zip(weights, nine, strict=True)) % 11


def made(name, key, **parts):
    """Identifiers of rows with these keys; a part is one value for all, or one a row."""
    rows = np.array(key, dtype=np.int64)
    held = {}
    for part, value in parts.items():
        values = [value] * len(rows) if isinstance(value, str | int) else list(value)
        domain = tuple(dict.fromkeys(values)) if values and isinstance(values[0], str) else None
        at = np.array(values if domain is None else [domain.index(v) for v in values])
        held[part] = Values(at.astype(np.int64), domain)
    ranks = rows if kind(name).ranked else None
    return kind(name).make(DRAWS, Rows(rows, ranks, held)).strings().to_pylist()


def luhn(digits):
    """Whether a number is right by ISO/IEC 7812-1, written the plain way."""
    total = 0
    for i, digit in enumerate(reversed(digits)):
        n = int(digit) * (2 if i % 2 else 1)
        total += n - 9 if n > 9 else n
    return total % 10 == 0


# Every kind with a serial: how many it holds, its other parts, and its shape.
SERIAL = {
    "account_number": (10**14, {"bank": "000123"}, r"000123[0-9]{14}"),
    "card_number": (10**12, {}, r"000[0-9]{13}"),
    "health_card": (10**10, {"area": "48", "level": 4}, r"ZZ448[0-9]{10}"),
    "land_certificate": (16 * 10**8, {}, r"[FJWZ]{2}[0-9]{8}"),
    "vehicle_plate": (6 * 40_000_000, {"owner": "household"}, r"0[1-6][A-Z]{2}-[0-9]{3}\.[0-9]{2}"),
    "new_tax_code": (9_999_999, {"area": "48"}, r"48[0-9]{8}"),
    "deceased_number": (
        10**6,
        {"area": "48", "sex": "female", "year": 1950},
        r"548150[0-9]{6}",
    ),
}


@pytest.mark.parametrize("name", list(SERIAL))
@given(data=st.data())
def test_every_key_has_a_marked_identifier_of_its_own(name, data):
    held, parts, shape = SERIAL[name]
    keys = data.draw(st.lists(st.integers(0, held - 1), min_size=1, max_size=40, unique=True))
    texts = made(name, keys, **parts)
    assert len(set(texts)) == len(keys)
    for text in texts:
        assert re.fullmatch(shape, text), text
        assert is_synthetic(name, text)


@pytest.mark.parametrize("name", list(SERIAL))
def test_the_last_key_has_one_and_the_next_is_refused(name):
    held, parts, _ = SERIAL[name]
    (text,) = made(name, [held - 1], **parts)
    assert is_synthetic(name, text)
    with pytest.raises(BuildError, match="run out"):
        made(name, [held], **parts)


@pytest.mark.parametrize("name", list(SERIAL))
def test_identifiers_of_another_draw_differ(name):
    _, parts, _ = SERIAL[name]
    first = made(name, range(50), **parts)
    rows = Rows(np.arange(50), np.arange(50) if kind(name).ranked else None, {})
    held = {
        part: Values(np.zeros(50, dtype=np.int64), (value,))
        if isinstance(value, str)
        else Values(np.full(50, value))
        for part, value in parts.items()
    }
    other = (
        kind(name).make(stream(2, "identifiers"), replace(rows, parts=held)).strings().to_pylist()
    )
    assert len(set(first) & set(other)) < 5


@pytest.mark.parametrize("name", list(KINDS))
def test_every_kind_states_its_structure_mark_source_and_residual_risk(name):
    """One table tells it, beside the code that makes and recognises them."""
    told = {
        row.split("|")[1].strip(): [cell.strip() for cell in row.split("|")[2:-1]]
        for row in str(identifiers.__doc__).splitlines()
        if row.startswith("| ") and not row.startswith(("| kind", "| ---"))
    }
    structure, mark, validators, risk = told[name]
    assert structure
    assert mark
    assert validators
    assert risk
    assert "Sources: published.identifier_formats" in str(identifiers.__doc__)


@given(st.lists(st.integers(0, 10**12 - 1), min_size=1, max_size=40))
def test_no_card_number_passes_the_test_of_card_numbers(keys):
    for text in made("card_number", keys):
        assert not luhn(text)
        assert luhn(text[:-1] + str((int(text[-1]) + 5) % 10))


@given(st.from_regex(r"\A[0-9]{15}\Z"))
def test_no_real_card_number_is_called_synthetic(digits):
    """Neither one that passes Luhn's test, nor one of an issuer that exists."""
    right = next(digit for digit in "0123456789" if luhn(digits + digit))
    assert not is_synthetic("card_number", digits + right)
    for digit in "0123456789":
        if not digits.startswith("000"):
            assert not is_synthetic("card_number", digits + digit)


@given(st.from_regex(r"\A970[0-9]{3}[0-9]{0,13}\Z"))
def test_no_account_of_a_real_bank_is_called_synthetic(text):
    assert not is_synthetic("account_number", text)


@given(st.from_regex(r"\A[A-Y][A-Z][1-5][0-9]{12}\Z"))
def test_no_health_card_of_a_real_group_is_called_synthetic(text):
    assert not is_synthetic("health_card", text)


@given(st.from_regex(r"\A[A-EGHIK-VXY][A-Z][0-9]{8}\Z"))
def test_no_land_certificate_of_a_real_series_is_called_synthetic(text):
    assert not is_synthetic("land_certificate", text)


def test_no_plate_of_a_real_province_is_called_synthetic():
    codes = [row["plate_codes"] for row in statistics.rows("codes_cccd_and_plates_63")]
    given_out = {code for text in codes for code in re.findall(r"[0-9]{2}", text)}
    assert len(given_out) >= 63
    assert min(given_out) >= "11"
    for code in given_out:
        assert not is_synthetic("vehicle_plate", f"{code}AB-123.45")


@given(st.lists(st.integers(0, 10**7), min_size=2, max_size=40, unique=True))
def test_plates_of_households_and_of_enterprises_never_meet(keys):
    owners = ["household" if i % 2 else "enterprise" for i in range(len(keys))]
    texts = made("vehicle_plate", keys, owner=owners)
    assert len(set(texts)) == len(keys)
    for owner, text in zip(owners, texts, strict=True):
        assert (text[1] >= "7") is (owner == "enterprise")


def test_numbers_of_the_dead_and_the_living_never_meet():
    living = set(personal([1] * 500, [1] * 500, [1950] * 500, list(range(500))))
    dead = set(made("deceased_number", range(500), area="48", sex="female", year=1950))
    assert not living & dead
    assert not any(is_synthetic("personal_number", text) for text in dead)
    assert not any(is_synthetic("deceased_number", text) for text in living)


@given(st.lists(st.integers(0, 9_999_998), min_size=1, max_size=40, unique=True))
def test_new_tax_codes_are_never_right_and_meet_no_other(keys):
    new = made("new_tax_code", keys, area="48")
    old = made("tax_code", keys, area="48")
    assert not set(new) & set(old)
    for text in new:
        assert real_check_digit(text[:9]) % 10 != int(text[9])
        assert not is_synthetic("tax_code", text)
    assert not any(is_synthetic("new_tax_code", text) for text in old)


@given(st.lists(st.integers(0, 10**10 - 1), min_size=1, max_size=20))
def test_a_serial_leads_back_to_the_key_of_its_row(keys):
    """The serial is a bijection of the key: with the draw's key it is undone, and only with it."""
    texts = made("health_card", keys, area="48", level=4)
    serials = np.array([int(text[5:]) for text in texts])
    back = unpermute(DRAWS, np.zeros_like(serials), serials, 10**10)
    assert back.tolist() == keys


@pytest.mark.parametrize(
    ("name", "parts", "message"),
    [
        ("account_number", {"bank": "970436"}, r"six digits, 000…; found \['970436'\]"),
        ("health_card", {"area": "48", "level": 6}, "levels from 1 to 5; found 6 to 6"),
        ("health_card", {"area": "4", "level": 1}, r"two digits; found \['4'\]"),
        ("vehicle_plate", {"owner": "x"}, r"household or enterprise; found \['x'\]"),
        ("new_tax_code", {"area": "Hà Nội"}, "two digits"),
        ("deceased_number", {"area": "48", "sex": "nữ", "year": 1950}, "male or female"),
    ],
)
def test_an_identifier_of_impossible_parts_is_refused(name, parts, message):
    with pytest.raises(BuildError, match=message):
        made(name, [0], **parts)


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
    texts = codes.strings().to_pylist()
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
                    values = rows(path, [column])[column["name"]]
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
