"""The states of datasets, against replicas that are really whole, damaged, missing or on their way."""

from __future__ import annotations

import json
import shlex
import shutil
import subprocess

import pytest

from sandbox import catalog
from sandbox.catalog.packaged import packaged
from sandbox.errors import CatalogError
from sandbox.language import speaking
from sandbox.settings import Settings
from synthetic.cli import main as synthetic
from synthetic.tables import staging
from tests.sandbox.tiny import replica

PAIR = {"table": "persons", "columns": ["sex"], "fidelity": {"status": "certain"}}
VERSION = "s0.01-all-seed1-exact-0123456789ab"


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def states(home, dataset="population"):
    with speaking("en"):
        found = catalog.states(Settings(home=home))
    return [entry for entry in found if entry["dataset"] == dataset]


def the_state(home, dataset="population"):
    (entry,) = states(home, dataset)
    return entry


def test_nothing_built_is_missing_and_says_how_to_build(home):
    found = catalog.states(Settings(home=home))
    assert found[0]["dataset"] == "population"  # what others rest on comes first
    assert {entry["dataset"] for entry in found} == set(packaged())
    for entry in found:
        assert (entry["state"], entry["version"]) == ("missing", None)
        assert entry["remedy"] == f"synthetic build {entry['dataset']} --scale 0.01"
        assert entry["title"] == packaged()[entry["dataset"]]["title"]


def test_what_the_builder_built_is_ready(replicas):
    found = catalog.states(Settings(home=replicas))
    ready = {entry["dataset"]: entry["remedy"] for entry in found if entry["state"] == "ready"}
    assert ready["population"] == ready["enterprise"] == ""


def test_the_version_that_a_run_takes_comes_first(home):
    replica(home, "population", version="old", time_s=1)
    replica(home, "population", version="one-province", area="48", time_s=9)
    replica(home, "population", version="new", time_s=2)
    assert [entry["version"] for entry in states(home)] == ["new", "old", "one-province"]
    assert catalog.preferred(Settings(home=home), "population").version == "new"


def cut(folder):
    path = folder / "persons" / "part-00000.parquet"
    path.write_bytes(path.read_bytes()[:-1])


def change(**changes):
    def damage(folder):
        path = folder / "manifest.json"
        manifest = json.loads(path.read_bytes()) | changes
        path.write_text(json.dumps(manifest), encoding="utf-8")

    return damage


def instead(name):
    """Put a folder where a file was."""

    def damage(folder):
        (folder / name).unlink()
        (folder / name).mkdir()

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda f: (f / "manifest.json").unlink(), "manifest.json is missing"),
        (instead("manifest.json"), "manifest.json cannot be read"),
        (lambda f: (f / "manifest.json").write_bytes(b'{"format"'), "not as it was written"),
        (lambda f: (f / "manifest.json").write_bytes(b"[" * 100_000), "not as it was written"),
        (lambda f: (f / "manifest.json").write_bytes(b"\xff\xfe"), "not as it was written"),
        (change(format=99), "format 99"),
        (change(tables=[{"name": "persons"}]), "KeyError"),
        (change(title="Dân cư"), "TypeError"),
        (change(version="another"), "it names population/another"),
        (
            change(pairs=[PAIR]),
            "fidelity 'certain' is none of calibrated, measured, derived, assumed",
        ),
        (cut, "persons/part-00000.parquet has"),
        (instead("persons/part-00000.parquet"), "is not a file"),
        (lambda f: shutil.rmtree(f / "persons"), "persons/part-00000.parquet is missing"),
    ],
)
def test_damage_is_told_with_what_mends_it(home, damage, message):
    folder = replica(home, "population", version=VERSION)
    damage(folder)
    entry = the_state(home)
    assert (entry["state"], entry["version"]) == ("damaged", VERSION)
    assert message in entry["message"]
    assert entry["remedy"] == (
        f"rm -r -- {folder} && synthetic build population --scale 0.01 --seed 1 --margins exact"
    )


def test_the_remedy_of_a_damaged_replica_mends_it(replicas, tmp_path, monkeypatch):
    home = tmp_path / "một nhà"  # a blank in the path must not split the command
    shutil.copytree(replicas, home)
    (folder,) = (home / "replicas" / "population").iterdir()
    (folder / "manifest.json").unlink()
    entry = the_state(home)
    remove, build = entry["remedy"].split(" && ")
    subprocess.run(remove, shell=True, check=True)
    monkeypatch.setenv("SANDBOX_HOME", str(home))
    synthetic(shlex.split(build)[1:], standalone_mode=False)
    assert the_state(home)["state"] == "ready"
    assert the_state(home)["version"] == folder.name


def test_a_folder_of_any_name_makes_no_other_command(home):
    folder = replica(home, "population", version="x; touch owned")
    (folder / "manifest.json").unlink()
    words = shlex.split(the_state(home)["remedy"])
    assert words[:5] == ["rm", "-r", "--", str(folder), "&&"]
    assert words[5:] == ["synthetic", "build", "population", "--scale", "0.01"]


def test_a_manifest_of_anybody_makes_no_other_command(home):
    folder = replica(home, "population", version=VERSION, scale="1; touch owned")
    cut(folder)
    assert "1; touch owned" in shlex.split(the_state(home)["remedy"])


def test_keys_to_a_version_that_is_gone_are_told(home):
    replica(home, "enterprise", version="e1", depends={"population": "p1"})
    entry = the_state(home, "enterprise")
    assert entry["state"] == "ready"
    assert "lead to a version of population that is not here" in entry["message"]
    assert entry["remedy"] == "synthetic build population --scale 0.01 --seed 1 --margins exact"
    replica(home, "population", version="p1")
    assert the_state(home, "enterprise")["remedy"] == ""


def test_a_live_build_is_shown_and_a_dead_one_is_not(home):
    place = home / "replicas"
    with staging.staging(place, f"population-{VERSION}"):
        (place / ".staging" / f"enterprise-{VERSION}-0a1b2c3d").mkdir()  # nobody holds it
        (place / ".staging" / "odd").mkdir()
        entry = the_state(home)
        assert (entry["state"], entry["version"], entry["remedy"]) == ("building", VERSION, "")
        assert the_state(home, "enterprise")["state"] == "missing"
    assert the_state(home)["state"] == "missing"


def test_a_dataset_of_ones_own_is_listed_too(home):
    folder = replica(home, "population", version="v")
    folder.parent.rename(home / "replicas" / "fishery")
    entry = the_state(home, "fishery")
    assert (entry["state"], entry["title"]) == ("damaged", {"vi": "fishery", "en": "fishery"})
    assert entry["remedy"].endswith("synthetic build fishery --scale 0.01 --specs DIR")


def test_what_rests_on_a_dataset_of_ones_own_names_its_folder_of_specs(home):
    replica(home, "enterprise", version="e1", depends={"population": "p1", "fishery": "f1"})
    remedy = the_state(home, "enterprise")["remedy"]
    assert remedy == (
        "synthetic build population fishery --scale 0.01 --seed 1 --margins exact --specs DIR"
    )


def test_a_home_that_cannot_be_listed_does_not_look_empty(home):
    home.mkdir()
    (home / "replicas").write_text("a file")
    with pytest.raises(CatalogError, match="cannot list the replicas in"):
        catalog.states(Settings(home=home))
