"""Evidence carried out: a notebook executed again, on fresh draws and on the null draw."""

from __future__ import annotations

import json
import re

import pytest

from sandbox import runs
from sandbox.cli import evident
from sandbox.evidence import Asked, complete
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings, templates_folder
from synthetic.build import Order, build, make_recipe
from synthetic.spec.load import packaged
from tests.sandbox import notebooks

DRAWS = 2
READS = {"population.persons": [], "enterprise.enterprises": []}
# However a replica is drawn, provinces differ in who lives there; on a null draw only by chance.
CLAIMS = """
from sandbox import lab
persons = lab.connect().sql("select * from population.persons").df()
share = (persons.age >= 60).groupby(persons.province_code).mean()
lab.result('số người', len(persons))
lab.result('có người', bool(len(persons)))
lab.conclude('các tỉnh già trẻ khác nhau', holds=share.max() - share.min() > 0.09)
lab.conclude('một cộng một là hai', holds=1 + 1 == 2)
lab.conclude('tổng số tuổi đúng như bản này', holds=int(persons.age.sum()) == {total})
"""
TOTAL = "print(int(lab.connect().sql('select sum(age) from population.persons').fetchall()[0][0]))"
LOOK = r"""
import glob, os, pathlib, platform
import duckdb, pyarrow.parquet as pq
from sandbox import lab
print(pathlib.Path('/sandbox/catalog.json').read_text())
print(sorted(os.environ.items()), platform.node(), os.getcwd())
for folder, below, files in os.walk('/sandbox'):
    for name in ('', *sorted(files)):
        path = os.path.join(folder, name)
        told = os.stat(path)
        of_data = f'time{told.st_mtime:.0f}links{told.st_nlink}' if name.endswith('.parquet') else ''
        print(path, oct(told.st_mode), told.st_uid, told.st_gid, of_data)
for name in ('mountinfo', 'mounts', 'cmdline', 'environ', 'cgroup', 'status'):
    print(pathlib.Path('/proc/self', name).read_text(errors='replace'))
print(os.listdir('/'), os.listdir('/tmp'), lab.tables())
for path in sorted(glob.glob('/sandbox/data/*/*/*.parquet')):
    metadata = pq.read_metadata(path)
    print(path, metadata.metadata, metadata.created_by, metadata.schema)
    for relation in ('parquet_kv_metadata', 'parquet_file_metadata', 'parquet_schema'):
        print(duckdb.sql(f"select * from {relation}('{path}')").fetchall())
"""
TELLING = r"seed|sampled|exact-|\bdraws?\b|draw-|null draw|-null|đối chứng|gieo|s0\.|home/draws"
# What differs from one execution to another by chance, or with the data alone.
BY_CHANCE = re.compile(
    r"/tmp/sandbox-[\w-]+|\b[0-9a-f]{8}\b|\b[0-9a-f]{32,}\b|kernel-[\w-]+|\b\d+\b|\(np\.int64.*\)|0x[0-9a-f]+"
)


def carried_out(settings, path, **asked):
    """Execute a notebook and its evidence; give everything known of it, and its folder."""
    run_id = runs.submit(settings, path, asked=Asked(**{"draws": DRAWS, **asked}))
    outcome = runs.execute(settings, run_id)
    assert outcome.succeeded, outcome
    complete(settings, run_id)
    return runs.show(settings, run_id), RunFolder.find(settings, run_id)


@pytest.fixture(scope="module")
def settings(replicas):
    return Settings(home=replicas)


@pytest.fixture(scope="module")
def drawn(bubblewrap, settings, tmp_path_factory):
    """A run with four conclusions, of which each behaves in a way of its own."""
    folder = tmp_path_factory.mktemp("drawn")
    asking = notebooks.write(folder / "total.ipynb", "from sandbox import lab", TOTAL, reads=READS)
    _, asked = carried_out(settings, asking, reproduced=False, null=False, draws=0)
    total = notebooks.text_of(json.loads(asked.first.executed.read_text()), 1).strip()
    path = notebooks.write(folder / "claims.ipynb", CLAIMS.format(total=total), reads=READS)
    return carried_out(settings, path)


@pytest.mark.slow
def test_a_conclusion_that_follows_from_a_relation_holds_on_draws_and_not_on_the_null(drawn):
    told = drawn[0]["evidence"]
    old, two, total = told["redrawn"]["conclusions"]
    assert (old["submitted"], old["holds"], old["of"]) == (True, DRAWS, DRAWS)
    assert told["null"]["conclusions"][0]["on_null"] is False
    # Hard-wired: the same everywhere, so also where nothing hangs together.
    assert (two["holds"], told["null"]["conclusions"][1]["on_null"]) == (DRAWS, True)
    # The ages of the null draw are those of the submitted one, only dealt to others.
    assert (total["submitted"], total["holds"]) == (True, 0)
    assert told["null"]["conclusions"][2]["on_null"] is True
    assert told["redrawn"]["verdict"] == "flips"
    assert told["null"]["verdict"] == "does not depend"
    people = next(one for one in told["null"]["together"] if one["table"] == "population.persons")
    assert {"province_code", "commune_code"} <= set(people["columns"])
    assert not {"age", "person_id", "household_id"} & set(people["columns"])


@pytest.mark.slow
def test_a_result_has_its_values_and_its_spread(drawn):
    people, there = drawn[0]["evidence"]["redrawn"]["results"]
    assert len(people["values"]) == DRAWS
    assert people["low"] <= people["mean"] <= people["high"]
    # Of two draws: no more can be said of where the submitted value lies.
    assert people["interval"][0] < people["low"] < people["high"] < people["interval"][1]
    assert there["equal"] == DRAWS


@pytest.mark.slow
def test_every_execution_is_on_record_with_what_it_read_and_leaves_no_files(drawn):
    facts, folder = drawn
    names = ["draw-1", "draw-2", "null", "repeat"]
    assert sorted(place.name for place in folder.further()) == names
    for name in ("draw-1", "draw-2", "null"):
        record = folder.execution(name).record()
        assert record["status"] == "succeeded"
        assert not folder.execution(name).work.exists()
        (recipe,) = {json.dumps(one["recipe"]) for one in record["inputs"]}
        assert (json.loads(recipe).get("null") is True) == (name == "null")
        assert (json.loads(recipe)["seed"] == 1) == (name == "null")
    assert facts["inputs"][0]["recipe"]["seed"] == 1
    assert facts["results"][0]["value"] != facts["evidence"]["redrawn"]["results"][0]["values"][0]


@pytest.mark.slow
def test_the_terminal_tells_each_part_in_a_line_and_what_flips(drawn):
    told = drawn[0]["evidence"]
    lines = evident.verdicts(told)
    assert "redrawn: 1 of 3 conclusions flip on some of 2 fresh draws" in lines
    assert "null draw: 2 of 3 conclusions do not depend on how columns relate" in lines
    marks = list(evident.marks(told))
    assert "holds on 0 of 2 fresh draws: tổng số tuổi đúng như bản này" in marks
    assert "does not depend on how columns relate: một cộng một là hai" in marks
    assert marks[-1].endswith("and nothing of Viet Nam.")


@pytest.mark.slow
def test_nothing_inside_names_the_draw(bubblewrap, settings, tmp_path):
    path = notebooks.write(tmp_path / "look.ipynb", LOOK, reads=READS)
    _, folder = carried_out(settings, path, draws=1)
    seen = {
        name: notebooks.text_of(json.loads(folder.execution(name).executed.read_text()), 0)
        for name in ("first", "draw-1", "null")
    }
    for name, text in seen.items():
        assert "parquet-cpp-arrow" in text
        assert "mountinfo" not in text  # it was read, not refused
        assert folder.execution(name).path.resolve().name in text
        assert re.findall(TELLING, text) == [], name
    alike = {BY_CHANCE.sub("#", text) for text in seen.values()}
    assert len(alike) == 1, [sorted(set(text.split())) for text in alike]


@pytest.fixture(scope="module")
def country(tmp_path_factory):
    """A home with all packaged datasets, small."""
    home = tmp_path_factory.mktemp("country")
    recipe = make_recipe("0.001", None, 1, "exact")
    build(Order(datasets=tuple(packaged()), recipe=recipe, out=home / "replicas"))
    return Settings(home=home)


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(path.stem for path in templates_folder().glob("*.ipynb")))
def test_a_template_gives_the_same_again_and_has_its_draws_and_its_null(bubblewrap, country, name):
    facts, _ = carried_out(country, name, draws=1)
    told = facts["evidence"]
    cells = told["reproduced"]["cells"]
    assert [cell for cell in cells if cell["verdict"] == "differs"] == []
    assert told["reproduced"]["verdict"] in {"identical", "equal within tolerance"}
    assert told["redrawn"]["verdict"] in {"holds", "flips"}
    assert told["null"]["verdict"] in {"depends", "does not depend", "no conclusions"}
    n = len(facts["conclusions"])
    assert len(told["redrawn"]["conclusions"]) == len(told["null"]["conclusions"]) == n > 0
    assert all(one["draws"] != [None] for one in told["redrawn"]["conclusions"])
    assert all(one["on_null"] is not None for one in told["null"]["conclusions"])
    assert all(one["values"] != [None] for one in told["redrawn"]["results"])
