"""The showcase: its ranking is the data's, its claims can fail, and wrong values are told."""

from __future__ import annotations

import json
from dataclasses import replace

import pyarrow.parquet as pq
import pytest

from sandbox import catalog
from sandbox.settings import Settings
from synthetic import statistics
from tests.sandbox.templates import bench, home_with

NAMES = {row["province_code"]: row["full_name"] for row in statistics.rows("admin_provinces_34")}
GROUPS = [
    {"age_from": 25, "age_to": 34, "sex": "female", "residence": "urban", "top": 10},
    {"age_from": 0, "age_to": 110, "sex": "all", "residence": "all", "top": 34},
    {"age_from": 60, "age_to": 60, "sex": "male", "residence": "rural", "top": 3},
]


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return bench("market_sizing", tmp_path_factory)


@pytest.fixture(scope="module")
def declared(template, replicas, tmp_path_factory):
    """A catalog file of the declared tables, whose files hold the declared columns and no more."""
    folder = tmp_path_factory.mktemp("declared")
    inputs = catalog.select(Settings(home=replicas), template.notebook.metadata["sandbox"]["reads"])
    shown = inputs.lab_catalog(None)
    for dataset in shown["datasets"]:
        for table in dataset["tables"]:
            columns = list(inputs.columns[f"{dataset['dataset']}.{table['name']}"])
            pruned = folder / f"{table['name']}.parquet"
            pq.write_table(pq.read_table(table["files"], columns=columns), pruned)
            table["files"] = [str(pruned)]
            table["columns"] = [c for c in table["columns"] if c["name"] in columns]
    path = folder / "catalog.json"
    path.write_text(json.dumps(shown), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def persons(replicas):
    """The persons of the small replica, read without any of our own code."""
    (folder,) = (replicas / "replicas" / "population").iterdir()
    return pq.read_table(folder / "persons").to_pandas()


@pytest.fixture(scope="module")
def on_declared(template, declared):
    """The template on the declared tables alone."""
    return replace(template, environ=template.environ | {"SANDBOX_CATALOG": str(declared)})


@pytest.fixture(scope="module")
def default(on_declared, tmp_path_factory):
    return on_declared.run(tmp_path_factory.mktemp("work"))


@pytest.fixture(scope="module")
def everybody(on_declared, tmp_path_factory):
    return on_declared.run(tmp_path_factory.mktemp("work"), **GROUPS[1])


def counted(persons, group):
    """Count a group by province, the plain way."""
    chosen = persons[persons["age"].between(group["age_from"], group["age_to"])]
    for column in ("sex", "residence"):
        if group[column] != "all":
            chosen = chosen[chosen[column] == group[column]]
    counts = chosen["province_code"].value_counts()
    counts = counts[counts > 0]
    order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [(NAMES[code], int(n)) for code, n in order]


def published(year="2024"):
    rows = statistics.rows("population_province_34")
    return sum(1000 * float(r["population_thousand"]) for r in rows if r["year"] == year)


def test_the_ranking_is_the_datas(default, persons):
    check_ranking(default, persons, GROUPS[0])


def test_the_ranking_of_everybody_is_the_datas(everybody, persons):
    check_ranking(everybody, persons, GROUPS[1])


def test_the_ranking_of_another_group_is_the_datas(on_declared, persons, tmp_path):
    check_ranking(on_declared.run(tmp_path, **GROUPS[2]), persons, GROUPS[2])


def check_ranking(executed, persons, group):
    expected = counted(persons, group)
    weight = published() / len(persons)
    plain = [(name, int(n.replace(".", ""))) for name, _, _, n in executed.table("ranking")]
    assert plain == expected[: group["top"]]
    people = [int(cells[1].replace(".", "")) for cells in executed.table("ranking")]
    assert people == [pytest.approx(n * weight, abs=1) for _, n in expected[: group["top"]]]
    leader, n_leader = expected[0]
    total = sum(n for _, n in expected)
    claims = list(executed.results.values())
    assert (claims[0]["value"], claims[0]["n"]) == (leader, n_leader)
    assert claims[1]["value"] == pytest.approx(n_leader * weight, abs=1)
    assert (claims[2]["value"], claims[2]["n"]) == (pytest.approx(total * weight, abs=1), total)
    assert claims[3]["value"] == pytest.approx(n_leader / expected[1][1], abs=0.006)
    residents = dict(counted(persons, GROUPS[1]))[leader]
    fit = (n_leader / total) / (residents / len(persons))
    assert claims[4]["value"] == pytest.approx(fit, abs=0.006)
    held = list(executed.conclusions.values())
    assert held == [n_leader >= 1.2 * expected[1][1], fit >= 1.2]


def test_everybody_adds_up_to_the_published_population(everybody):
    (total,) = [r for name, r in everybody.results.items() if name.startswith("Tổng số")]
    assert total["value"] == pytest.approx(published(), abs=1)
    assert total["unit"] == {"vi": "người", "en": "persons"}


def test_a_conclusion_can_fail(everybody):
    """Of all people, the leading province has exactly its share: the comparison is then false."""
    (fit,) = [holds for sentence, holds in everybody.conclusions.items() if "tỷ trọng" in sentence]
    assert fit is False


def test_the_replica_keeps_the_published_population(default):
    (gap,) = [r for name, r in default.results.items() if name.startswith("Lệch lớn nhất")]
    # Whole persons at scale 0.001: half a row of the smallest province's 165 women is 0.3 %.
    assert 0 <= gap["value"] < 0.5
    assert gap["unit"] == "%"


def test_assumed_figures_are_marked(template, default):
    titles = {
        cell.id: cell.source for cell in template.notebook.cells if cell.id.endswith("-title")
    }
    for section in ("enterprises-title", "communes-title"):
        assert titles[section].startswith("## Giả định")
        assert "> **Giả định.**" in titles[section]
        assert "Assumed" in titles[section]
    (crowding,) = [name for name in default.results if "doanh nghiệp" in name]
    assert crowding.startswith("Giả định")


def test_the_communes_are_those_of_the_leading_province(default, persons):
    leader = next(iter(default.results.values()))["value"]
    code = next(code for code, name in NAMES.items() if name == leader)
    names = {
        row["full_name"]
        for row in statistics.rows("admin_communes")
        if row["province_code"] == code
    }
    shown = default.table("communes")
    assert shown
    assert {cells[0] for cells in shown} <= names


def test_the_chart_is_a_picture_and_its_letters_are_all_there(default):
    (figure,) = default.cells["chart"].outputs  # a missing letter would warn on stderr
    assert figure.data["image/png"]


def test_it_takes_less_than_five_seconds_of_processor(default, on_declared, tmp_path):
    again = on_declared.run(tmp_path)  # the modules are compiled by now
    assert again.cpu_seconds() < 5


def test_a_replica_of_one_province_has_no_second_place(template, tmp_path_factory, tmp_path):
    home = home_with("enterprise", "0.01", tmp_path_factory, area="48")
    executed = template.on(home).run(tmp_path)
    told = executed.cells["weight"].outputs[0].text
    assert "LƯU Ý: bản sao này chỉ có Thành phố Đà Nẵng." in told
    assert "NOTE: this replica holds one province only" in told
    assert "không phải xếp hạng của cả nước" in executed.cells["ranking"].outputs[0].text
    assert executed.conclusions == {}
    assert not any("nhất" in name and "Lệch" not in name for name in executed.results)
    assert next(iter(executed.results)).endswith("ở thành thị ở Thành phố Đà Nẵng")
    assert len(executed.table("communes")) == 10


def test_wrong_values_are_told_in_the_notebook(template, replicas, tmp_path):
    wrong = {
        "age_from = 40, age_to = 30: cần 0 ≤ age_from ≤ age_to ≤ 110": {
            "age_from": 40,
            "age_to": 30,
        },
        "age_from = -1": {"age_from": -1},
        "age_to = 111": {"age_to": 111},
        "sex = 'nữ': chọn một trong / choose one of all, male, female": {"sex": "nữ"},
        "residence = 'city': chọn / choose one of all, urban, rural": {"residence": "city"},
        "top = 0: cần từ 1 đến 34": {"top": 0},
        "top = 35": {"top": 35},
        "bản sao không có người 110 tuổi ở nông thôn: nới khoảng tuổi": {
            "age_from": 110,
            "age_to": 110,
            "sex": "all",
            "residence": "rural",
        },
    }
    template.on(replicas).check_told(tmp_path, wrong, "weight", "ranking")
