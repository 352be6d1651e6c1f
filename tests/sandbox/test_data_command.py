"""`sandbox data`: what a person sees of the catalogue, in words and as JSON."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from sandbox.cli.data import data
from sandbox.errors import CatalogError
from sandbox.language import speaking
from tests.sandbox.tiny import replica


@pytest.fixture(autouse=True)
def vietnamese():
    """What these tests read, unless one says otherwise."""
    with speaking("vi"):
        yield


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    return tmp_path


@pytest.fixture
def built(home):
    replica(home, "population", version="v-old", time_s=1)
    replica(home, "population", version="v-new", time_s=2)
    replica(home, "population", version="v-48", area="48", time_s=3)
    replica(home, "enterprise", version="e1", depends={"population": "v-new"})
    return home


def ask(*arguments):
    outcome = CliRunner().invoke(data, arguments, catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.stdout


def test_the_list_shows_newest_replicas_and_published_tables(built):
    text = ask("list")
    assert "population: Bộ dữ liệu" in text
    assert "(*) v-new, cả nước, số liệu đến 31/12/2024" in text
    assert "        v-old, cả nước" in text
    assert "chỉ tỉnh, thành phố mã 48" in text
    assert "published.population_province_34" in text
    facts = json.loads(ask("list", "--json"))
    assert [(d["dataset"], d["version"], d["n_replicas"]) for d in facts["datasets"]] == [
        ("enterprise", "e1", 1),
        ("population", "v-new", 3),
    ]
    assert [v["default"] for v in facts["datasets"][1]["versions"]] == [True, False, False]
    assert json.loads(ask("show", "population", "--json"))["version"] == "v-new"
    assert len(facts["published"]) == 41


def test_everything_is_told_in_english_too(built):
    with speaking("en"):
        text = ask("list") + ask("show", "population") + ask("show", "population.persons")
        published = ask("show", "published.population_province_34")
        facts = json.loads(ask("list", "--json"))
    assert "population: Dataset" in text
    assert "(*) v-new, whole country, figures up to 2024-12-31" in text
    assert "only province 48" in text
    assert "Rows: 4. Key: person_id" in text
    assert "following population_province_34, off by 1.25% (sampling alone: 2%)" in text
    assert "assumed: nothing is published" in text
    assert "thousand persons" in published
    assert "Quality: official" in published
    said = text.replace("năm", "") + published  # the little replica's own unit, known to no table
    assert not set(said) & set("ăâđêôơưạảấầểễệỉịọốồổộớờợụủứừữựỳỹ")
    assert json.loads(ask("list", "--json")) == facts  # the same whatever is spoken


def test_an_empty_home_says_how_to_build(home):
    assert "synthetic build population enterprise" in ask("list")
    assert json.loads(ask("list", "--json"))["datasets"] == []


def test_a_table_shows_each_column_with_its_fidelity(built):
    text = ask("show", "population.persons")
    assert "Số dòng: 4. Khóa: person_id" in text
    (age,) = [line for line in text.splitlines() if line.split()[:1] == ["age"]]
    assert "số nguyên" in age
    assert "năm" in age
    badge = "Hiệu chỉnh theo population_province_34, lệch 1,25% (riêng lấy mẫu: 2%)"
    assert badge in age
    assert f"province_code × sex  {badge}" in text
    assert "Giả định: chưa có số công bố" in text
    assert "published.population_province_34: NSO tables; NSO; 2020-2024" in text
    facts = json.loads(ask("show", "population.persons", "--json"))
    assert facts["kind"] == "table"
    assert facts["rows"] == 4
    assert facts["columns"][3]["fidelity"]["distance"] == 0.0125
    assert [source["table"] for source in facts["sources"]] == ["population_province_34"]


def test_a_dataset_shows_its_tables(built):
    text = ask("show", "population")
    assert "population.persons" in text
    assert "Giấy phép: CC-BY-4.0" in text
    assert json.loads(ask("show", "population", "--json"))["tables"][0]["rows"] == 4


def test_a_published_table_shows_units_and_source(home):
    text = ask("show", "published.population_province_34")
    assert "nghìn người" in text
    assert "Nguồn: NSO tables E02.01 and E02.03-07" in text
    facts = json.loads(ask("show", "published.population_province_34", "--json"))
    assert facts["columns"][3]["unit"] == "thousand persons"
    assert facts["source"]["quality"] == "official"


@speaking("en")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("population.person", r"did you mean 'persons'\?"),
        ("populatoin", r"did you mean 'population'\?"),
        ("published.admin_commune", r"did you mean 'admin_communes'\?"),
        ("published", "name one, as in"),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(built, name, message):
    with pytest.raises(CatalogError, match=message):
        ask("show", name)


def test_every_table_of_built_replicas_can_be_shown(replicas, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(replicas))
    for dataset in json.loads(ask("list", "--json"))["datasets"]:
        for table in dataset["tables"]:
            name = f"{dataset['dataset']}.{table['name']}"
            facts = json.loads(ask("show", name, "--json"))
            text = ask("show", name)
            assert facts["rows"] == table["rows"]
            assert all(f"    {column['name']} " in text for column in facts["columns"])
