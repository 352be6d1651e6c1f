"""A run that reads replicas: mounted read-only, by name of the table, without the draw."""

from __future__ import annotations

import json
import shutil

import pytest

from sandbox import runs
from sandbox.errors import CatalogError
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from tests.sandbox import notebooks
from tests.sandbox.tiny import replica

READS = {"population.persons": ["age", "sex"]}


@pytest.fixture
def home(replicas, tmp_path):
    """A home of its own with both replicas."""
    shutil.copytree(replicas / "replicas", tmp_path / "home" / "replicas")
    return Settings(home=tmp_path / "home")


def test_a_notebook_reads_what_it_declares_and_nothing_else(bubblewrap, home, write):
    path = write(
        "from sandbox import lab\n"
        "print(lab.connect().sql('select count(*) from population.persons').fetchall())",
        "import os; print(os.listdir('/sandbox/data'), os.listdir('/sandbox/data/population'))",
        "print('seed' in open('/proc/self/mountinfo').read() + open('/sandbox/catalog.json').read())",
        reads=READS,
    )
    run_id = runs.submit(home, path)
    assert runs.execute(home, run_id).succeeded
    folder = RunFolder.find(home, run_id)
    executed = json.loads(folder.executed.read_text())
    (inputs,) = runs.show(home, run_id)["inputs"]
    (table,) = inputs["tables"]
    assert table["columns"] == ["age", "sex"]
    assert notebooks.text_of(executed, 0) == f"[({table['rows']},)]\n"
    assert notebooks.text_of(executed, 1) == "['population'] ['persons']\n"
    assert notebooks.text_of(executed, 2) == "False\n"
    assert not folder.staged.exists()


def test_lab_shows_only_the_declared_columns(bubblewrap, home, write):
    path = write(
        "from sandbox import lab\nprint(lab.table('population.persons').columns)",
        "lab.connect().sql('select commune_code from population.persons')",
        reads=READS,
    )
    run_id = runs.submit(home, path)
    outcome = runs.execute(home, run_id)
    folder = RunFolder.find(home, run_id)
    assert "['sex', 'age']" in notebooks.text_of(json.loads(folder.executed.read_text()), 0)
    assert outcome.reason.kind == "cell error"
    assert 'BinderException: Binder Error: Referenced column "commune_code"' in (
        outcome.reason.message
    )
    assert "declare it in metadata.sandbox.reads" in outcome.reason.message


@pytest.mark.parametrize(
    "code",
    [
        "from sandbox import lab\nlab.connect()",
        "from sandbox import lab\nlab.table('population.persons'), lab.table('published.x')",
    ],
)
def test_a_notebook_that_will_read_what_is_not_built_is_refused(settings, write, code):
    path = write(code)
    content = json.loads(path.read_text())
    del content["metadata"]["sandbox"]["reads"]
    path.write_text(json.dumps(content))
    with pytest.raises(CatalogError, match="synthetic build population"):
        runs.submit(settings, path)
    assert not settings.home.exists()


@pytest.mark.parametrize(
    "code", ["print('population.persons')", "from sandbox import lab\nlab.table('published.x')"]
)
def test_a_notebook_that_needs_no_replica_is_taken(bubblewrap, settings, write, code):
    path = write(code)
    content = json.loads(path.read_text())
    del content["metadata"]["sandbox"]["reads"]
    path.write_text(json.dumps(content))
    assert runs.submit(settings, path)


def test_a_run_of_one_province_says_so(bubblewrap, settings, write):
    for area, time_s in ((None, 1), ("48", 2)):
        replica(settings.home, "population", version=f"v-{area}", area=area, time_s=time_s)
    path = write("1", reads={"population.persons": ["age"]})
    assert runs.show(settings, runs.submit(settings, path))["notes"] == []
    run_id = runs.submit(settings, path, recipe={"area": "48"})
    told = ["reads population v-48: only province 48"]
    assert runs.show(settings, run_id)["notes"] == told


def test_a_replica_that_is_gone_is_told(bubblewrap, home, write):
    run_id = runs.submit(home, write("1", reads=READS))
    shutil.rmtree(home.replicas / "population")
    outcome = runs.execute(home, run_id)
    assert outcome.reason.kind == "could not start"
    assert "synthetic build population" in outcome.reason.message


@pytest.mark.parametrize("damage", ["changed", "removed"])
def test_a_replica_whose_files_changed_since_is_not_read(bubblewrap, home, write, damage):
    run_id = runs.submit(home, write("1", reads=READS))
    file = next(home.replicas.glob("population/*/persons/part-*.parquet"))
    file.chmod(0o644)
    if damage == "changed":
        content = bytearray(file.read_bytes())
        content[len(content) // 2] ^= 1
        file.write_bytes(content)
    else:
        file.unlink()
    outcome = runs.execute(home, run_id)
    assert outcome.reason.kind == "could not start"
    assert "persons/part-" in outcome.reason.message


def test_a_dataset_that_is_not_built_is_told_before_anything_is_written(settings, write):
    with pytest.raises(CatalogError, match="synthetic build"):
        runs.submit(settings, write("1", reads=READS))
    assert not settings.home.exists()
