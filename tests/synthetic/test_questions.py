"""Questions of specs: each is answered by its SQL, a wrong one is refused, and no row hangs on one."""

from __future__ import annotations

import json
import re

import pytest
from click.testing import CliRunner

from sandbox import catalog
from sandbox.lab.connection import locked
from sandbox.settings import Settings
from synthetic import statistics
from synthetic.build import Order, build, make_recipe
from synthetic.cli import main
from synthetic.spec.check_questions import check_questions
from synthetic.spec.load import digest, load, load_all, packaged, parse
from synthetic.tables.manifest import read

from .specs import SMALL

VIETNAMESE = re.compile("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹáàãéèíìóòõúùý]", re.I)
SPECS = {name: load(path) for name, path in packaged().items()}


def asked(sql, table="shops"):
    return f"""
[[tables.{table}.questions]]
vi = "Bao nhiêu cửa hàng?"
en = "How many shops?"
sql = '''{sql}'''
"""


COUNT = "SELECT size, count(*) AS shops FROM shops.shops GROUP BY ALL ORDER BY size"


@pytest.mark.parametrize("dataset", SPECS)
def test_every_table_has_three_questions_in_both_languages(dataset):
    for name, table in SPECS[dataset].tables.items():
        assert len(table.questions) >= 3, name
        for question in table.questions:
            assert question.vi.endswith("?")
            assert question.en.endswith("?")
            assert VIETNAMESE.search(question.vi)
            assert not VIETNAMESE.search(question.en.replace("Tết", ""))
            assert f"{dataset}.{name}" in question.sql


@pytest.mark.parametrize("dataset", SPECS)
def test_every_question_names_what_its_dataset_or_one_that_it_uses_has(dataset):
    check_questions(load_all([dataset]))


def test_linked_datasets_are_asked_together():
    linked = {
        name
        for name, spec in SPECS.items()
        for table in spec.tables.values()
        for question in table.questions
        if any(f"{other}." in question.sql for other in SPECS if other != name)
    }
    assert len(linked) >= 10


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    """Every packaged dataset, small, with the published tables beside."""
    home = tmp_path_factory.mktemp("country")
    recipe = make_recipe("0.001", None, 1, "exact")
    build(Order(datasets=tuple(SPECS), recipe=recipe, out=home / "replicas"))
    told = catalog.select(Settings(home=home), None).lab_catalog(None)
    with locked(told, statistics.names()) as connection:
        yield connection


@pytest.mark.slow
@pytest.mark.parametrize("dataset", SPECS)
def test_every_question_is_answered_with_rows_and_named_columns(country, dataset):
    for name, table in SPECS[dataset].tables.items():
        for question in table.questions:
            answer = country.execute(question.sql)
            columns = [column[0] for column in answer.description]
            rows = answer.fetchall()
            assert rows, f"{dataset}.{name}: {question.en}"
            assert all(re.fullmatch(r"[a-z][a-z0-9_]*", column) for column in columns)
            assert len(set(columns)) == len(columns)
            for column, values in zip(columns, zip(*rows, strict=True), strict=True):
                assert any(value is not None for value in values), f"{question.en}: {column}"


@pytest.mark.slow
@pytest.mark.parametrize("dataset", SPECS)
def test_an_answer_that_says_its_order_keeps_it(country, dataset):
    for table in SPECS[dataset].tables.values():
        for question in table.questions:
            rows = country.execute(question.sql).fetchall()
            assert len(rows) == 1 or "ORDER BY" in question.sql
            assert country.execute(question.sql).fetchall() == rows


# ---------------------------------------------------------------- what `check` refuses


def check(tmp_path, text):
    path = tmp_path / "shops.toml"
    path.write_text(text, encoding="utf-8")
    return CliRunner().invoke(main, ["check", str(path)])


@pytest.mark.parametrize(
    ("sql", "message"),
    [
        ("SELECT rom AS r FROM shops.shops", "unknown column 'rom'; did you mean 'room'?"),
        ("SELECT s.siz AS r FROM shops.shops s", "unknown column 'siz'; did you mean 'size'?"),
        ("SELECT 1 AS n FROM shops.shop", "unknown table 'shops.shop'; did you mean 'shops.shops'"),
        ("SELECT 1 AS n FROM shops", "unknown table 'shops'; did you mean 'shops.shops'?"),
        ("SELECT 1 AS n FROM population.persons", "unknown table 'population.persons'; known: sh"),
        (
            "SELECT 1 AS n FROM published.admin_province_34",
            "did you mean 'published.admin_provinces_34'?; it must be of this dataset, of one in",
        ),
        ("SELECT name AS n FROM published.admin_provinces_34 GROUP BY room", "'room'"),
        ("SELEC size FROM shops.shops", 'syntax error at or near "SELEC"'),
        ("SELECT count(*) FROM shops.shops", "is called 'count_star()'; name it, as in count(*)"),
        ("SELECT size, size FROM shops.shops", "two columns of its answer are called 'size'"),
        ("SELECT 1 AS n", "it reads no table; name one as dataset.table"),
        ("SELECT 1 AS n FROM shops.shops; SELECT 2 AS n", "one SELECT is needed, and nothing be"),
        ("DROP TABLE shops.shops", "one SELECT is needed, and nothing beside"),
        ("SELECT * FROM read_csv('/etc/passwd')", "it reads no table"),
        (
            "SELECT size FROM shops.shops, read_csv('/etc/passwd')",
            "file system operations are disabled",
        ),
        ("SELECT sum(size) AS n FROM shops.shops", "No function matches"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused(tmp_path, sql, message):
    result = check(tmp_path, SMALL + asked(sql))
    assert result.exit_code == 2
    assert "shops.toml: tables.shops.questions.0 ('How many shops?'): sql: " in result.stderr
    assert message in result.stderr


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('en = "How many shops?"', "", "tables.shops.questions.0.en: missing; add it"),
        ("sql = ", "sqll = ", "questions.0.sqll: unknown key; did you mean 'sql'?"),
        ('vi = "Bao nhiêu cửa hàng?"', 'vi = " "', "questions.0.vi"),
        (COUNT, " ", "questions.0.sql"),
        (COUNT, "x" * 4001, "questions.0.sql"),
    ],
)
def test_a_question_that_lacks_a_part_is_refused(tmp_path, old, new, message):
    result = check(tmp_path, SMALL + asked(COUNT).replace(old, new))
    assert result.exit_code == 2
    assert message in result.stderr


@pytest.mark.parametrize(
    "sql",
    [
        COUNT,
        f"{COUNT};",
        f"-- một lời bàn\n{COUNT} -- hết",
        f"WITH s AS ({COUNT}) SELECT * FROM s",
        "FROM shops.shops SELECT room",
        "SELECT p.name, s.room FROM shops.shops s JOIN published.admin_provinces_34 p "
        "USING (province_code)",
    ],
)
def test_every_way_of_writing_a_select_is_taken(tmp_path, sql):
    result = check(tmp_path, SMALL + asked(sql))
    assert result.exit_code == 0, result.stderr


# ---------------------------------------------------------------- what hangs on a question


def test_a_question_changes_no_row_and_stands_in_the_manifest(tmp_path):
    found = {}
    for name, text in {"without": SMALL, "with": SMALL + asked(COUNT)}.items():
        specs = tmp_path / name
        specs.mkdir()
        (specs / "shops.toml").write_text(text, encoding="utf-8")
        recipe = make_recipe("0.001", None, 1, "exact")
        order = Order(datasets=("shops",), recipe=recipe, out=tmp_path / "o", specs=(specs,))
        (found[name],) = build(order)
    without, with_one = (found[name].tables[0] for name in ("without", "with"))
    assert with_one["content_hash"] == without["content_hash"]
    assert without["questions"] == []
    assert with_one["questions"] == [
        {"vi": "Bao nhiêu cửa hàng?", "en": "How many shops?", "sql": COUNT}
    ]
    # Wording is told by the manifest, which is never edited: as with a title, a new version.
    assert found["with"].version != found["without"].version


def test_specs_without_questions_keep_their_digest():
    assert digest(parse(SMALL, "shops.toml")) != digest(parse(SMALL + asked(COUNT), "shops.toml"))
    assert "questions" not in json.dumps(
        parse(SMALL, "shops.toml").model_dump(mode="json", exclude_defaults=True)
    )


def test_a_new_spec_has_three_questions_for_each_table_and_they_are_answered(tmp_path):
    runner = CliRunner()
    runner.invoke(main, ["new", "school_buses", "--out", str(tmp_path / "s")])
    options = ["--specs", str(tmp_path / "s"), "--scale", "0.0005", "--area", "48"]
    built = runner.invoke(main, ["build", "school_buses", *options, "--out", str(tmp_path / "o")])
    assert built.exit_code == 0, built.stderr
    (folder,) = (tmp_path / "o" / "school_buses").iterdir()
    for table in read(folder).tables:
        assert len(table["questions"]) == 3
    checked = runner.invoke(main, ["check", str(tmp_path / "s" / "school_buses.toml")])
    assert checked.exit_code == 0, checked.stderr
