"""A spec that is wrong is refused with file, table, key, value and remedy."""

from __future__ import annotations

import pytest

from synthetic.errors import SpecError
from synthetic.spec.check import check_specs
from synthetic.spec.load import MAX_BYTES, load, load_all, packaged, parse

from .specs import SMALL, renamed


def checked(text):
    spec = parse(text, "shops.toml")
    check_specs({spec.dataset: spec})


def test_the_small_spec_is_right():
    checked(SMALL)


@pytest.mark.parametrize("dataset", list(packaged()))
def test_every_packaged_spec_is_right(dataset):
    check_specs(load_all([dataset]))


SHOPS = "tables.shops"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("spec = 1", "spec = 2", "shops.toml: spec = 2"),
        ("spec = 1", "spec = ", "not valid TOML.*line 2"),
        ('licence = "CC-BY-4.0"', 'licnce = "x"', "licnce: unknown key; did you mean 'licence'"),
        (
            'unit = "m2"',
            'unti = "m2"',
            f"{SHOPS}.columns.room.unti: unknown key; did you mean 'unit'",
        ),
        ('type = "integer"', 'type = "int"', f"{SHOPS}.columns.shop_id.type = 'int'"),
        (
            'take = "number"',
            'take = "nummer"',
            f"{SHOPS}.columns.shop_id: unknown field 'nummer'; did",
        ),
        ('take = "number"', 'take = "area"', "field 'area' is text"),
        ('take = "number"', "", "give exactly one of take"),
        ('key = ["shop_id"]', 'key = ["shop"]', "unknown column 'shop'; did you mean 'shop_id'"),
        ('follows = "sizes"', 'follows = "size"', "unknown margin 'size'; did you mean 'sizes'"),
        ('follows = "sizes"', 'follows = "places"', "'given' must name all of them but"),
        ("codes.small", "codes.smal", "categories that are no codes: \\['small'\\]"),
        ("small = [20, 100]", "tiny = [20, 100]", "quantiles must give every code of 'size'"),
        ("small = [20, 100]", "small = [100, 20]", "must rise"),
        ('because = { vi = "giả định", en = "assumed" }', "", "an assumption needs 'because'"),
        (
            '"room >= 1"',
            '"rom >= 1"',
            f"{SHOPS}.rules.0: unknown column 'rom'.*did you mean 'room'",
        ),
        ('"room >= 1"', '"room + 1"', "gives integer; boolean is needed"),
        ('table = "admin_communes"', 'table = "admin_comunes"', "did you mean 'admin_communes'"),
        (
            'value = "population_thousand"',
            'value = "persons"',
            "margins.per_area: .* has no column 'persons'",
        ),
        ('{ year = "2024" }', '{ year = "1066" }', "no row of population_province_34 fits where"),
        (
            'keep = { size = ["micro", "small"] }',
            'keep = { size = ["nano"] }',
            "gives no size = \\['nano'\\]",
        ),
        ('per = "per_area"', 'per = "sizes"', "margin 'sizes' must have the axes \\['area'\\]"),
        ('unit = "m2"', 'references = "shops.shops.nobody"', "unknown column 'nobody'"),
        ('unit = "m2"', 'only_if = "size"', "gives text; boolean is needed"),
        ("rows.units", "rows.unit", "rows.unit: unknown key; did you mean 'units'"),
    ],
)
def test_a_fault_is_told_where_it_stands(old, new, message):
    assert old in SMALL
    with pytest.raises(SpecError, match=message):
        checked(SMALL.replace(old, new, 1))


def test_all_faults_are_told_at_once():
    text = SMALL.replace('"room >= 1"', '"rom >= 1"').replace('follows = "sizes"', 'follows = "x"')
    with pytest.raises(SpecError) as caught:
        checked(text)
    assert len(str(caught.value).splitlines()) == 2


def test_columns_that_need_each_other_are_refused():
    circle = SMALL.replace('take = "number"', 'derive = "room"').replace(
        "assume = { quantiles = { micro = [1, 10, 30], small = [20, 100] } }", 'derive = "shop_id"'
    )
    with pytest.raises(SpecError, match="in a circle: shop_id -> room -> shop_id"):
        checked(circle)


def test_margins_that_need_each_other_are_refused():
    text = SMALL.replace(
        'value = "population_thousand"',
        'value = "population_thousand"\nrescale = { to = "per_area", over = ["area"] }',
    )
    with pytest.raises(SpecError, match=r"margins\.per_area: margins need each other in a circle"):
        checked(text)


def test_datasets_that_use_each_other_are_refused(tmp_path):
    for name, other in (("left", "right"), ("right", "left")):
        text = SMALL.replace('dataset = "shops"', f'dataset = "{name}"\nuses = ["{other}"]')
        (tmp_path / f"{name}.toml").write_text(text, "utf-8")
    with pytest.raises(SpecError, match="in a circle: left -> right -> left"):
        load_all(["left"], [tmp_path])


def test_a_file_must_bear_its_datasets_name(tmp_path):
    (tmp_path / "other.toml").write_text(SMALL, "utf-8")
    with pytest.raises(SpecError, match=r"name the file shops\.toml"):
        load_all(["other"], [tmp_path])


def test_an_unknown_dataset_names_the_nearest():
    with pytest.raises(SpecError, match="did you mean 'population'"):
        load_all(["populaton"])


def test_files_that_are_no_specs_are_refused(tmp_path):
    huge = tmp_path / "huge.toml"
    huge.write_bytes(b"#" * (MAX_BYTES + 1))
    with pytest.raises(SpecError, match="larger than"):
        load(huge)
    deep = tmp_path / "deep.toml"
    deep.write_text("x = " + "[" * 20_000, "utf-8")
    with pytest.raises(SpecError, match="not valid TOML"):
        load(deep)
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SpecError, match="not UTF-8 at byte 0"):
        load(binary)
    with pytest.raises(SpecError, match="no such spec file"):
        load(tmp_path / "none.toml")
    with pytest.raises(SpecError, match="cannot be read"):
        load(tmp_path)


def test_renamed_specs_are_right(tmp_path):
    datasets = renamed(tmp_path)
    check_specs(load_all(datasets.values(), [tmp_path]))
