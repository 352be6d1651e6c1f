"""A spec that is wrong is refused with file, table, key, value and remedy."""

from __future__ import annotations

import numpy as np
import pytest

from synthetic.build import make_recipe
from synthetic.errors import BuildError, SpecError
from synthetic.generation.world import World
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
        ("small = [20, 100]", "tiny = [20, 100]", "'tiny' is no code of 'size'"),
        (", small = [20, 100]", "", "must give every code of 'size': nothing for 'small'"),
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
        ('per = "per_area"', 'per = "sizes"', "margin 'sizes' has no axis 'area'"),
        ('unit = "m2"', 'references = "shops.shops.nobody"', "unknown column 'nobody'"),
        ('unit = "m2"', 'only_if = "size"', "gives text; boolean is needed"),
        ("rows.units", "rows.unit", "rows.unit: unknown key; did you mean 'units'"),
        (
            'where = { year = "2024" }\naxes',
            "axes",
            r"margins\.per_area: \d+ rows of population_province_34 meet 01; narrow 'where' or set",
        ),
        ("[20, 100]", "[20, 10000000000]", "room.assume.quantiles.* less than or equal"),
        ('dataset = "shops"', 'dataset = "main"', "shops.toml: dataset = 'main': a reserved name"),
        ('dataset = "shops"', 'dataset = "search"', "dataset = 'search': a reserved name"),
        (
            'value = "value"',
            'value = "value"\nmultiply = 1000000001',
            "sizes.multiply = 1000000001",
        ),
        ('unit = "m2"', 'per = "number"\nonly_if = "size"', "gives text; boolean is needed"),
        ('unit = "m2"', 'per = "rank"', "columns.room: unknown field for 'per' 'rank'"),
        ('take = "number"', 'take = "number"\nper = "number"', "only 'follows' and 'assume' take"),
        (
            'take = "number"',
            'take = "number"\ngiven = { size = "size" }',
            "an assumption by code take",
        ),
        (
            "{ micro = [1, 10, 30], small = [20, 100] }",
            "[1, 10]",
            "an assumption by code take 'given'",
        ),
        (
            'follows = "sizes"',
            'follows = "sizes"\nonly_if = "shop_id > 3"',
            "'size' may be missing",
        ),
        ('take = "number"', 'take = "number"\nonly_if = "room > 3"', "'shop_id' may be missing"),
        (
            'area = "province_code"\nrows',
            'area = "size"\nrows',
            f"{SHOPS}.area: column 'size' must",
        ),
        ('area = "province_code"\nrows', 'area = "shop"\nrows', "unknown column 'shop'"),
        (
            'table = "admin_provinces_34", code',
            'table = "admin_communes", code',
            "168 rows of admin_communes have province_code = '79'; a code list has one row",
        ),
        (
            'vi = "name" }',
            'vi = "name", where = { name = "Huế" } }',
            r"the published areas have no codes of this column: \['01', '04', '08'\]",
        ),
        ('vi = "name" }', 'vi = "name", where = { name = "?" } }', "no row of admin_provinces_34"),
        (
            'value = "population_admin_2025"',
            'value = "population_admin_2025"\nkeep = { area = ["48"] }',
            r"do not share their areas: margin 'places' lacks \['01', '04', '08'\]",
        ),
        (
            'axes = { area = "province_code", place = "commune_code" }',
            'axes = { place = "commune_code", area = "province_code" }',
            "in this order",
        ),
        ('unit = "m2"', 'references = "other.shops.shop_id"', "dataset 'other' is not in uses"),
        ('unit = "m2"', 'references = "shops.shops.size"', "not the key of its table; its key is"),
        ('unit = "m2"', 'references = "shops.shops"', "must be dataset.table.column"),
    ],
)
def test_a_fault_is_told_where_it_stands(old, new, message):
    assert old in SMALL
    with pytest.raises(SpecError, match=message):
        checked(SMALL.replace(old, new, 1))


BECAUSE = 'because = { vi = "a", en = "a" }'
CODES = 'codes.a = { vi = "a", en = "a" }'
NAMES = """
[margins.names]
table = "name_given_share"
where = { scope = "Sample of school and public lists (GitHub)", part = "given" }
axes = { sex = "sex", name = "name" }
value = "count"
"""
NOBODY = """
[margins.nobody]
table = "admin_communes"
where = { commune_code = "20333" }
axes = { place = "commune_code" }
value = "population_admin_2025"
"""
COMPARE = """
[[tables.shops.compare]]
margin = "sizes"
by = { size = "size" }
quota = true
"""
LATER = f"""
[tables.shops.columns.later]
title = {{ vi = "x", en = "x" }}
type = "text"
assume = {{ words = ["male", "female"] }}
only_if = "room > 10"
{BECAUSE}
"""


def with_column(body, more=""):
    return f'{SMALL}\n[tables.shops.columns.q]\ntitle = {{ vi = "x", en = "x" }}\n{body}\n{more}'


def identifying(kind, parts=""):
    return f'type = "text"\nidentifier = {{ kind = "{kind}", parts = {{ {parts} }} }}'


PERSON = 'area = "province_code", sex = "{sex}", year = "{year}"'


@pytest.mark.parametrize(
    ("body", "more", "message"),
    [
        (f'type = "code"\n{CODES}\nassume = {{ words = ["a"] }}\n{BECAUSE}', "", "assume.shares"),
        (
            f'type = "text"\nassume = {{ words = [] }}\n{BECAUSE}',
            "",
            "assume = .*words: at least 1",
        ),
        (f'type = "text"\nassume = {{ words = ["a", "a"] }}\n{BECAUSE}', "", "words repeats 'a'"),
        (
            f'type = "code"\n{CODES}\nderive = "if(room > 3, \\"a\\", \\"z\\")"',
            "",
            r"'derive' gives what are no codes of this column: \['z'\]",
        ),
        (f'type = "code"\n{CODES}\ntake = "area"', "", "the published areas have no codes"),
        (identifying("passport"), "", "unknown kind of identifier 'passport'"),
        (identifying("tax_kode"), "", "did you mean 'tax_code'"),
        (identifying("tax_code"), "", "needs the parts area; found none"),
        (identifying("tax_code", 'area = "room"'), "", "'room' gives integer; text is needed"),
        (identifying("tax_code", 'area = "size"'), "", r"codes of two digits; found \['micro'"),
        (
            identifying("tax_code", 'area = "later"'),
            LATER,
            "'later' may be missing .only_if.; an id",
        ),
        (identifying("enterprise_name", 'name = "as_of()"'), "", "gives date; text is needed"),
        (
            identifying("personal_number", PERSON.format(sex="size", year="2000")),
            "",
            "part 'sex' needs no codes but male, female; found",
        ),
        (
            identifying("personal_number", 'year = "size", sex = "size", area = "province_code"'),
            "",
            "gives text; integer is needed",
        ),
        (
            'type = "text"\nfollows = "names"\ngiven = { sex = "room" }',
            NAMES,
            "'room' is integer; a",
        ),
        (
            'type = "text"\nfollows = "names"\ngiven = { sex = "later" }',
            NAMES + LATER,
            "'later' may be missing",
        ),
        (
            f'type = "date"\nassume = {{ date_in_year = "s" }}\n{BECAUSE}',
            LATER.replace("later", "s")
            .replace('"text"', '"integer"')
            .replace('words = ["male", "female"]', "quantiles = [2000, 2020]"),
            "'s' may be missing",
        ),
        ('type = "text"\nfollows = "nobody"', NOBODY, "'nobody' adds up to zero; nothing can be"),
        ('type = "integer"\ntake = "rank"', COMPARE, "quota = true needs the axis 'area'"),
        ('type = "text"\nderive = "band(room, 7, 20)"', "", "begins at a multiple of the width"),
    ],
)
def test_a_column_that_cannot_be_is_told_where_it_stands(body, more, message):
    with pytest.raises(SpecError, match=message) as caught:
        checked(with_column(body, more))
    assert str(caught.value).startswith(
        ("shops.toml: tables.shops.columns.q", "shops.toml: tables.shops.compare")
    )


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ('type = "date"\nderive = "date(2000, 13, 1)"', "month outside 1 to 12"),
        ('type = "date"\nderive = "date(2001, 2, 29)"', "a day that its month does not have"),
        ('type = "date"\nderive = "date(2001, 1, 32)"', "a day"),
        ('type = "date"\nderive = "date(2001, 1, 0)"', "a day"),
        ('type = "date"\nderive = "date(9007199254740992, 1, 1)"', "outside 1850 to 2149"),
        ('type = "date"\nderive = "date(2000, 1, 1) + 3000000000"', "outside 1850 to 2149"),
        ('type = "integer"\nderive = "room * 9007199254740992 * 4096"', "larger than 2..62"),
        ('type = "integer"\nderive = "year(as_of()) * 9007199254740992"', "larger than 2..62"),
        ('type = "text"\nderive = "band(-room, 5, 20)"', "below zero"),
        (f'type = "code"\n{CODES}\nderive = "size"', "'(micro|small)' is no code of this column"),
        (
            f'type = "code"\n{CODES}\nderive = "concat(size, \\"a\\")"',
            "'(micro|small)a' is no code of this column",
        ),
        (identifying("tax_code", 'area = "concat(size, size)"'), "two digits; found .'micromicro'"),
        (
            identifying(
                "personal_number",
                PERSON.format(sex='if(room > 5, \\"male\\", \\"x\\")', year="2000"),
            ),
            "a sex that is male or female; found .'x'",
        ),
        (
            identifying(
                "personal_number",
                PERSON.format(sex='if(room > 5, \\"male\\", \\"female\\")', year="1800"),
            ),
            "years from 1900 to 2399; found 1800 to 1800",
        ),
    ],
)
def test_what_only_a_build_can_know_is_told_with_its_column(body, message, tmp_path):
    spec = parse(with_column(body), "shops.toml")
    world = World({"shops": spec}, make_recipe("0.001", None, 1, "exact"), tmp_path)
    with pytest.raises(BuildError, match=f"^shops\\.shops\\.q: .*{message}"):
        world.tables["shops.shops"].frame(0, 100).column("q")


def test_a_margin_may_add_rows_up_if_it_says_so():
    several = SMALL.replace('where = { year = "2024" }\naxes', "add_up = true\naxes", 1)
    assert several != SMALL
    checked(several)


def test_a_margin_that_nothing_uses_is_told_but_no_fault(caplog):
    checked(SMALL + NOBODY)
    assert "shops.toml: margins.nobody: nothing uses it" in caplog.text


def test_a_unit_lies_where_its_linked_member_can():
    link = (
        'type = "text"\nreferences = "population.persons.{column}"\n'
        'link = {{ members = "population.persons", where = "age >= 18" }}\n'
    )
    text = with_column(link.format(column="person_id") + BECAUSE)
    text = text.replace('licence = "CC-BY-4.0"', 'licence = "CC-BY-4.0"\nuses = ["population"]')
    specs = load_all(["population"])
    check_specs({**specs, "shops": parse(text, "shops.toml")})
    for column, message in (("full_name", "is not the key"), ("name_words", "is hidden")):
        spec = parse(text.replace("persons.person_id", f"persons.{column}"), "shops.toml")
        with pytest.raises(SpecError, match=f"columns.q: references = .*{column}' {message}"):
            check_specs({**specs, "shops": spec})
    strange = text.replace(
        'axes = { area = "province_code"',
        'rename = { area = { 48 = "XX" } }\naxes = { area = "province_code"',
    )
    with pytest.raises(SpecError, match=r"population\.persons has no rows in the areas \['XX'\]"):
        check_specs({**specs, "shops": parse(strange, "shops.toml")})


def enterprise(old, new):
    text = packaged()["enterprise"].read_text("utf-8")
    assert old in text
    return {
        **load_all(["population"]),
        "enterprise": parse(text.replace(old, new), "enterprise.toml"),
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('capacity = "n_employees"', 'capacity = "size_class"', "is text; integer is needed"),
        ('capacity = "n_employees"', 'capacity = "n_staff"', "unknown column 'n_staff'"),
        (
            'take = "member.province_code"',
            'take = "unit.province_code"',
            'tables.employees.area: column .* take = "member.province_code"',
        ),
        (
            'take = "member.province_code"',
            'take = "member.commune_code"',
            "'member.commune_code' has no codes of this column",
        ),
    ],
)
def test_a_matching_that_cannot_be_is_refused(old, new, message):
    with pytest.raises(SpecError, match=message):
        check_specs(enterprise(old, new))


def test_quantiles_draw_every_stretch_alike_and_no_knot_twice(tmp_path):
    spec = parse(
        with_column(f'type = "integer"\nassume = {{ quantiles = [0, 1, 2, 3, 3] }}\n{BECAUSE}'), "x"
    )
    world = World({"shops": spec}, make_recipe("0.5", None, 1, "exact"), tmp_path)
    drawn = world.tables["shops.shops"].frame(0, 40_000).column("q").ints
    assert np.abs(np.bincount(drawn) / len(drawn) - 0.25).max() < 0.01


def test_all_faults_are_told_at_once():
    text = SMALL.replace('"room >= 1"', '"rom >= 1"').replace('follows = "sizes"', 'follows = "x"')
    with pytest.raises(SpecError) as caught:
        checked(text)
    assert len(str(caught.value).splitlines()) == 2


def test_columns_that_need_each_other_are_refused():
    circle = (
        SMALL.replace('take = "number"', 'derive = "room"')
        .replace('given = { size = "size" }', "")
        .replace(
            "assume = { quantiles = { micro = [1, 10, 30], small = [20, 100] } }",
            'derive = "shop_id"',
        )
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
