"""The guided notebooks: run as submissions, top to bottom; what they show is the data's own."""

from __future__ import annotations

import json
import re
import shutil

import pyarrow.parquet as pq
import pytest

from sandbox import runs
from sandbox.lab.claims import CONCLUSION, RESULT
from sandbox.lab.wording import number
from sandbox.runs.folder import RunFolder
from sandbox.runs.notebook import read
from sandbox.settings import Settings, notebooks_folder
from synthetic import statistics

PATHS = sorted(notebooks_folder().glob("*.ipynb"))
NAMES = {row["province_code"]: row["full_name"] for row in statistics.rows("admin_provinces_34")}
VIETNAMESE = re.compile("[ăâđêôơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ]")
ENGLISH = re.compile(r"(?<!\*)\*(?!\*)[^*]*\b(?:the|and|of|a|here|with|to|which|do)\b[^*]*\*", re.I)
MOST_S = 30  # of a notebook at its defaults; counted on the processor, whatever else is at work
each_guide = pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)


class Executed:
    """A guided notebook that was run, cell by cell."""

    def __init__(self, settings, path, parameters):
        self.id = runs.submit(settings, path, parameters)
        outcome = runs.execute(settings, self.id)
        assert outcome.succeeded, outcome.reason.message
        self.cpu_s = runs.show(settings, self.id)["usage"]["cpu_s"]
        folder = RunFolder.find(settings, self.id)
        cells = json.loads(folder.executed.read_text(encoding="utf-8"))["cells"]
        self.outputs = {cell["id"]: cell.get("outputs", []) for cell in cells}

    def data(self, kind):
        found = (one.get("data", {}) for outputs in self.outputs.values() for one in outputs)
        return [data[kind] for data in found if kind in data]

    def table(self, cell):
        """Read the rows of a table that a cell shows, from its text."""
        (output,) = self.outputs[cell]
        text = "".join(output["data"]["text/plain"])
        return [re.split(r" {2,}", line.strip()) for line in text.splitlines()[1:-1]]


@pytest.fixture(scope="module")
def home(replicas, tmp_path_factory):
    """A home with both small replicas, where runs may be kept."""
    folder = tmp_path_factory.mktemp("guided")
    shutil.copytree(replicas / "replicas", folder / "replicas")
    return Settings(home=folder)


@pytest.fixture(scope="module")
def execute(bubblewrap, home):
    """Run a guided notebook once for all tests, by its name."""
    done = {}

    def once(path, **parameters):
        key = (path, tuple(parameters.items()))
        if key not in done:
            done[key] = Executed(home, path, parameters)
        return done[key]

    return once


@pytest.fixture(scope="module")
def persons(replicas):
    """The persons of the small replica, read without any of our own code."""
    (folder,) = (replicas / "replicas" / "population").iterdir()
    return pq.read_table(folder / "persons").to_pandas()


def guide(start):
    return next(path for path in PATHS if path.stem.startswith(start))


def vietnamese(value, places):
    return number(float(value), places=places)


def test_there_are_three():
    assert [path.stem for path in PATHS] == [
        "01_welcome",
        "02_find_and_trust_data",
        "03_from_sql_to_report",
    ]


@each_guide
def test_it_describes_itself_in_two_languages(path):
    described = read(path).described
    for key in ("title", "question", "purpose", "limits"):
        assert described[key]["vi"].strip()
        assert described[key]["en"].strip()
        assert described[key]["vi"] != described[key]["en"]
    assert described["domain"] == "guide"
    assert 0 < described["minutes"] <= 15


@each_guide
def test_it_is_short_and_says_at_its_end_what_the_reader_can_do(path):
    cells = read(path).cells
    texts = ["".join(cell["source"]) for cell in cells]
    assert len(cells) <= 20
    assert all(len(text.splitlines()) <= 26 for text in texts)
    assert texts[0].startswith(f"# {read(path).described['title']['vi']}\n")
    assert texts[-1].startswith("## Bây giờ bạn có thể\n*What you can do now*")


@each_guide
def test_every_text_is_in_both_languages(path):
    for cell in read(path).cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            assert VIETNAMESE.search(text), text
            assert ENGLISH.search(text), text


@each_guide
def test_the_notebooks_that_it_names_are_there(path):
    named = re.findall(r"`(\d\d_\w+)`", path.read_text(encoding="utf-8"))
    assert set(named) <= {each.stem for each in PATHS}


@each_guide
def test_it_runs_top_to_bottom_without_a_warning(path, execute):
    executed = execute(path)
    said = [one for outputs in executed.outputs.values() for one in outputs]
    assert [one["text"] for one in said if one.get("name") == "stderr"] == []
    assert executed.data("image/png")
    assert 0 < executed.cpu_s < MOST_S


def test_welcome_shows_the_datas_own_figures(execute, persons):
    executed = execute(guide("01"))
    assert executed.table("count") == [[number(len(persons)), "34"]]
    counts = persons["province_code"].map(NAMES).value_counts()
    expected = sorted(counts.items(), key=lambda one: (-one[1], one[0]))[:5]
    assert [(name, n) for name, n, _share in executed.table("largest")] == [
        (name, number(int(n))) for name, n in expected
    ]
    groups = [persons["age"] < 15, persons["age"].between(15, 64), persons["age"] >= 65]
    shown = {name: (share, ratio) for name, share, ratio in executed.table("check")}
    for name, chosen in zip(("dưới 15", "15–64", "từ 65"), groups, strict=True):
        sexes = persons[chosen]["sex"].value_counts()
        assert shown[name] == (
            vietnamese(100 * chosen.mean(), 1),
            vietnamese(sexes["female"] / sexes["male"], 2),
        )


def test_what_welcome_says_of_the_sexes_is_true(persons):
    """Among the young slightly more men; among the old, ever more women."""
    ratio = persons.groupby(persons["age"] // 5 * 5)["sex"].agg(
        lambda sex: (sex == "female").sum() / (sex == "male").sum()
    )
    assert (ratio.loc[:10] < 1).all()
    assert (ratio.loc[65:75] > 1.1).all()
    assert ratio.loc[75] > ratio.loc[65]


def test_what_the_second_says_of_gaps_and_birthdays_is_true(execute, persons):
    executed = execute(guide("02"))
    gaps = [row[-1] for row in executed.table("gaps-shown")]
    assert len(gaps) == 5
    # Whole persons at scale 0.001: half a row is 0.0005 % of the replica.
    assert all(abs(float(gap.replace(",", "."))) <= 0.002 for gap in gaps)
    months = persons["birth_date"].map(lambda day: day.month).value_counts(normalize=True)
    assert months.max() / months.min() < 1.2  # of about 8,400 births a month, and days of 28 to 31
    shown = "".join(executed.outputs["describe"][0]["data"]["text/plain"])
    declared = read(guide("02")).reads["population.persons"]
    assert [name for name in declared if f"\n{name}: " in shown] == list(declared)
    years = [row[0] for row in executed.table("urban")]
    assert years == ["2020", "2021", "2022", "2023", "2024"]


def test_the_third_declares_what_an_independent_count_gives(execute, persons):
    check_claims(execute(guide("03")), persons, 65)


@pytest.mark.slow
def test_the_third_follows_its_parameters(execute, persons):
    check_claims(execute(guide("03"), age_from=5, top=3), persons, 5)


def check_claims(executed, persons, age_from):
    older = persons[persons["age"] >= age_from]
    shares = 100 * older["province_code"].value_counts() / persons["province_code"].value_counts()
    code = min(shares.index, key=lambda each: (-shares[each], NAMES[each]))
    overall = 100 * len(older) / len(persons)
    women = (older["sex"] == "female").sum()
    place, share, country = executed.data(RESULT)
    assert place["value"] == NAMES[code]
    assert share["value"] == pytest.approx(shares[code], abs=0.051)
    assert place["n"] == share["n"] == (older["province_code"] == code).sum()
    assert country["value"] == pytest.approx(overall, abs=0.051)
    assert country["n"] == len(older)
    assert [claim["holds"] for claim in executed.data(CONCLUSION)] == [
        women >= 1.2 * (len(older) - women),
        shares[code] >= 1.2 * overall,
    ]


@pytest.mark.slow
def test_a_wrong_parameter_is_told(home, bubblewrap):
    run_id = runs.submit(home, guide("03"), {"age_from": 0})
    outcome = runs.execute(home, run_id)
    assert "age_from = 0: cần từ 1 đến 100" in outcome.reason.message
