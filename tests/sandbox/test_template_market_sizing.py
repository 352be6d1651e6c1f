"""The showcase: its ranking is the data's, its claims can fail, and wrong values are told."""

from __future__ import annotations

import copy
import datetime as dt
import json
import re
from pathlib import Path

import nbformat
import pyarrow.parquet as pq
import pytest

from sandbox import catalog
from sandbox.lab.claims import CONCLUSION, RESULT
from sandbox.settings import Settings, templates_folder
from synthetic import statistics
from synthetic.build import Order, build, make_recipe
from tests.sandbox.executing import execute

NAMES = {row["province_code"]: row["full_name"] for row in statistics.rows("admin_provinces_34")}
GROUPS = [
    {"age_from": 25, "age_to": 34, "sex": "female", "residence": "urban", "top": 10},
    {"age_from": 0, "age_to": 110, "sex": "all", "residence": "all", "top": 34},
    {"age_from": 60, "age_to": 60, "sex": "male", "residence": "rural", "top": 3},
]


class Executed:
    """An executed template, and what it claimed."""

    def __init__(self, notebook):
        self.cells = {cell.id: cell for cell in notebook.cells}
        data = [
            output.data
            for cell in notebook.cells
            if cell.cell_type == "code"
            for output in cell.outputs
            if "data" in output
        ]
        self.results = {d[RESULT]["name"]["vi"]: d[RESULT] for d in data if RESULT in d}
        self.conclusions = {
            d[CONCLUSION]["statement"]["vi"]: d[CONCLUSION]["holds"]
            for d in data
            if CONCLUSION in d
        }

    def table(self, cell):
        """Read a printed table: the index is dropped, cells stand two spaces apart."""
        text = self.cells[cell].outputs[-1].data["text/plain"]
        return [re.split(r" {2,}", line.strip())[1:] for line in text.splitlines()[1:]]

    def seconds(self):
        spans = [
            cell.metadata.execution
            for cell in self.cells.values()
            if "execution" in cell.metadata  # an empty cell is not executed
        ]
        return sum(
            (
                dt.datetime.fromisoformat(span["iopub.status.idle"])
                - dt.datetime.fromisoformat(span["iopub.status.busy"])
            ).total_seconds()
            for span in spans
        )


@pytest.fixture(scope="module")
def template():
    return nbformat.read(templates_folder() / "market_sizing.ipynb", as_version=4)


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    """Compiled modules are kept between kernels, as in any installation."""
    return {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled")),
    }


@pytest.fixture(scope="module")
def declared(template, replicas, tmp_path_factory):
    """A catalog file of the declared tables, whose files hold the declared columns and no more."""
    folder = tmp_path_factory.mktemp("declared")
    inputs = catalog.select(Settings(home=replicas), template.metadata["sandbox"]["reads"])
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


def run(template, folder, given=None, **environ):
    notebook = with_values(template, given or {})
    return Executed(execute(notebook, Path(folder), **environ))


def with_values(template, given):
    """Write the given values after the parameters, as papermill does."""
    notebook = copy.deepcopy(template)
    place = [cell.id for cell in notebook.cells].index("parameters") + 1
    lines = "\n".join(f"{name} = {value!r}" for name, value in given.items())
    notebook.cells.insert(place, nbformat.v4.new_code_cell(lines, id="injected"))
    return notebook


@pytest.fixture(scope="module")
def default(template, declared, environ, tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    return run(template, folder, SANDBOX_CATALOG=str(declared), **environ)


@pytest.fixture(scope="module")
def everybody(template, declared, environ, tmp_path_factory):
    folder = tmp_path_factory.mktemp("work")
    return run(template, folder, GROUPS[1], SANDBOX_CATALOG=str(declared), **environ)


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


def test_the_ranking_of_another_group_is_the_datas(template, declared, persons, environ, tmp_path):
    executed = run(template, tmp_path, GROUPS[2], SANDBOX_CATALOG=str(declared), **environ)
    check_ranking(executed, persons, GROUPS[2])


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
    titles = {cell.id: cell.source for cell in template.cells if cell.id.endswith("-title")}
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


def test_it_takes_less_than_five_seconds(template, default, declared, environ, tmp_path):
    again = run(template, tmp_path, SANDBOX_CATALOG=str(declared), **environ)
    assert again.seconds() < 5


def test_a_replica_of_one_province_has_no_second_place(template, environ, tmp_path):
    recipe = make_recipe("0.01", "48", 1, "exact")
    build(Order(datasets=("enterprise",), recipe=recipe, out=tmp_path / "replicas"))
    executed = run(template, tmp_path, SANDBOX_HOME=str(tmp_path), **environ)
    told = executed.cells["weight"].outputs[0].text
    assert "LƯU Ý: bản sao này chỉ có Thành phố Đà Nẵng." in told
    assert "NOTE: this replica holds one province only" in told
    assert "không phải xếp hạng của cả nước" in executed.cells["ranking"].outputs[0].text
    assert executed.conclusions == {}
    assert not any("nhất" in name and "Lệch" not in name for name in executed.results)
    assert next(iter(executed.results)).endswith("ở thành thị ở Thành phố Đà Nẵng")
    assert len(executed.table("communes")) == 10


def test_wrong_values_are_told_in_the_notebook(template, replicas, environ, tmp_path):
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
    cells = {cell.id: cell.source for cell in template.cells}
    trial = nbformat.v4.new_notebook()
    for given in wrong.values():
        lines = [cells["parameters"], *(f"{name} = {value!r}" for name, value in given.items())]
        source = "\n".join([*lines, cells["setup"], cells["weight"], cells["ranking"]])
        cell = nbformat.v4.new_code_cell(source, metadata={"tags": ["raises-exception"]})
        trial.cells.append(cell)
    executed = execute(trial, tmp_path, SANDBOX_HOME=str(replicas), **environ)
    for cell, message in zip(executed.cells, wrong, strict=True):
        error = cell.outputs[-1]
        assert error.ename == "ValueError"
        assert message in error.evalue
