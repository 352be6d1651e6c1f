"""Which replicas a notebook gets: the newest of one recipe that belong together."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from sandbox import catalog
from sandbox.errors import CatalogError
from sandbox.settings import Settings
from tests.sandbox.tiny import replica

PERSONS = {"population.persons": ["age"]}
BOTH = {"population.persons": [], "enterprise.enterprises": []}


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


@pytest.fixture
def settings(home):
    return Settings(home=home)


def test_an_empty_home_has_no_replicas(settings):
    assert catalog.replicas(settings) == ()


def test_the_newest_replica_comes_first(home, settings):
    replica(home, "population", version="old", time_s=1)
    replica(home, "population", version="new", time_s=2)
    assert [r.version for r in catalog.replicas(settings)] == ["new", "old"]
    assert catalog.preferred(settings, "population").version == "new"


def test_an_unfinished_build_is_passed_over(home, settings):
    replica(home, "population", version="v1")
    (home / "replicas" / "population" / "v2" / "persons").mkdir(parents=True)
    replica(home, "population", version=".v3-partial", time_s=9_000)
    assert [r.version for r in catalog.replicas(settings)] == ["v1"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda m: {**m, "format": 2}, "format 2"),
        (lambda m: {**m, "version": "other"}, "it names population/other"),
        (lambda m: {k: v for k, v in m.items() if k != "recipe"}, "recipe"),
        (lambda m: [m], "not a manifest"),
        (
            lambda m: {
                **m,
                "tables": [{**m["tables"][0], "files": [{"path": "../secret.parquet"}]}],
            },
            "lies outside",
        ),
    ],
)
def test_a_manifest_that_cannot_be_read_is_passed_over_with_a_warning(
    home, settings, caplog, change, reason
):
    replica(home, "population", version="good")
    path = replica(home, "population", version="bad") / "manifest.json"
    path.write_text(json.dumps(change(json.loads(path.read_text(encoding="utf-8")))))
    assert [r.version for r in catalog.replicas(settings)] == ["good"]
    assert str(path) in caplog.text
    assert reason in caplog.text


def test_declared_tables_come_from_the_newest_recipe(home, settings):
    replica(home, "population", version="small", scale="0.001", time_s=1)
    replica(home, "population", version="large", scale="0.01", time_s=2)
    assert catalog.select(settings, PERSONS).replicas[0].version == "large"


def test_a_recipe_can_be_asked_for(home, settings):
    replica(home, "population", version="small", scale="0.001", time_s=1)
    replica(home, "population", version="large", scale="0.01", time_s=2)
    wanted = catalog.Recipe(scale="0.001", area=None, seed=1, margins="exact")
    for recipe in (wanted, {"scale": "0.001", "area": None, "seed": 1, "margins": "exact"}):
        assert catalog.select(settings, PERSONS, recipe=recipe).replicas[0].version == "small"


def test_the_whole_country_comes_before_one_province(home, settings):
    replica(home, "population", version="all", time_s=1)
    replica(home, "population", version="danang", area="48", time_s=2)
    assert catalog.select(settings, PERSONS).replicas[0].version == "all"
    assert catalog.select(settings, None).replicas[0].version == "all"
    assert catalog.preferred(settings, "population").version == "all"


@pytest.mark.parametrize(
    ("part", "version"),
    [
        ({"area": "48"}, "danang"),
        ({"scale": "0.010", "seed": 1}, "all"),
        ({"seed": 2}, "second"),
        ({"area": None, "seed": 1}, "all"),
        ({}, "second"),
    ],
)
def test_a_part_of_a_recipe_can_be_asked_for(home, settings, part, version):
    replica(home, "population", version="all", time_s=1)
    replica(home, "population", version="second", seed=2, time_s=2)
    replica(home, "population", version="danang", area="48", time_s=3)
    for reads in (PERSONS, None):
        assert catalog.select(settings, reads, recipe=part).replicas[0].version == version


@pytest.mark.parametrize("reads", [PERSONS, None])
def test_a_part_that_is_not_built_is_told_with_the_command(home, settings, reads):
    replica(home, "population", version="p1")
    told = "not built with area 48; build with: synthetic build population --scale 0.01 --area 48"
    with pytest.raises(CatalogError, match=told):
        catalog.select(settings, reads, recipe={"area": "48"})


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ({"scale": "big"}, "as in 0.01"),
        ({"scale": "NaN"}, "as in 0.01"),
        ({"scale": 2}, "as in 0.01"),
        ({"sede": 1}, "did you mean 'seed'"),
    ],
)
def test_a_part_of_no_recipe_is_refused(settings, part, message):
    with pytest.raises(CatalogError, match=message):
        catalog.select(settings, PERSONS, recipe=part)


def test_the_newest_recipe_must_hold_every_declared_dataset(home, settings):
    replica(home, "population", version="p1", scale="0.001", time_s=1)
    replica(home, "enterprise", version="e1", scale="0.001", depends={"population": "p1"}, time_s=1)
    replica(home, "population", version="p2", scale="0.01", time_s=2)
    assert [r.version for r in catalog.select(settings, BOTH).replicas] == ["e1", "p1"]
    assert catalog.select(settings, PERSONS).replicas[0].version == "p2"


def test_linked_replicas_are_taken_at_the_versions_that_fit(home, settings):
    replica(home, "population", version="p1", time_s=1)
    replica(home, "enterprise", version="e1", depends={"population": "p1"}, time_s=2)
    replica(home, "population", version="p2", time_s=3)
    assert {r.version for r in catalog.select(settings, BOTH).replicas} == {"p1", "e1"}
    replica(home, "enterprise", version="e2", depends={"population": "p2"}, time_s=4)
    assert {r.version for r in catalog.select(settings, BOTH).replicas} == {"p2", "e2"}


def test_replicas_that_do_not_fit_are_told_with_the_command_that_mends_it(home, settings):
    replica(home, "population", version="p2")
    replica(home, "enterprise", version="e1", depends={"population": "p1"})
    command = r"synthetic build enterprise population --scale 0\.01 --seed 1 --margins exact"
    with pytest.raises(CatalogError, match=command):
        catalog.select(settings, BOTH)


def test_two_recipes_are_never_mixed(home, settings):
    replica(home, "population", version="p1", seed=1)
    replica(home, "enterprise", version="e1", seed=2)
    with pytest.raises(CatalogError, match="not together"):
        catalog.select(settings, BOTH)


def test_without_a_declaration_every_dataset_of_the_newest_recipe_is_taken(home, settings):
    replica(home, "population", version="p0", scale="0.1", time_s=1)
    replica(home, "population", version="p1", time_s=2)
    replica(home, "enterprise", version="e1", depends={"population": "p1"}, time_s=3)
    inputs = catalog.select(settings, None)
    assert set(inputs.tables) == {"population.persons", "enterprise.enterprises"}
    assert {r.version for r in inputs.replicas} == {"p1", "e1"}


def test_without_a_declaration_what_does_not_fit_is_left_out(home, settings):
    replica(home, "population", version="p2", time_s=2)
    replica(home, "enterprise", version="e1", depends={"population": "p1"}, time_s=1)
    assert len(catalog.select(settings, None).replicas) == 1


@pytest.mark.parametrize("reads", [None, {}])
def test_nothing_built_and_nothing_declared_is_no_fault(settings, reads):
    inputs = catalog.select(settings, reads)
    assert (inputs.replicas, inputs.tables) == ((), ())
    assert inputs.lab_catalog(None) == {"datasets": []}
    assert inputs.to_record() == []


@pytest.mark.parametrize(
    ("reads", "message"),
    [
        ({"population.person": []}, r"no table 'person'; did you mean 'persons'\?"),
        ({"population.persons": ["ages"]}, r"no column 'ages'; did you mean 'age'\?"),
        ({"populations.persons": []}, r"no dataset 'populations'; did you mean 'population'\?"),
        ({"persons": []}, "write dataset.table"),
        ({"a.b.c": []}, "write dataset.table"),
        ({"published.admin_province_34": []}, r"did you mean 'admin_provinces_34'\?"),
        ({"published.admin_provinces_34": ["nam"]}, r"no column 'nam'; did you mean 'name'\?"),
    ],
)
def test_a_wrong_declaration_is_told_with_the_nearest(home, settings, reads, message):
    replica(home, "population", version="p1")
    with pytest.raises(CatalogError, match=message):
        catalog.select(settings, reads)


def test_a_dataset_that_is_not_built_is_told_with_the_command(settings):
    with pytest.raises(CatalogError, match="synthetic build population --scale"):
        catalog.select(settings, PERSONS)
    with pytest.raises(CatalogError, match="synthetic build population --scale"):
        catalog.preferred(settings, "population")


def test_a_recipe_that_is_not_built_is_told_with_the_command(home, settings):
    replica(home, "population", version="p1")
    wanted = catalog.Recipe(scale="1", area="48", seed=7, margins="sampled")
    command = "synthetic build population --scale 1 --area 48 --seed 7 --margins sampled"
    with pytest.raises(CatalogError, match=command):
        catalog.select(settings, PERSONS, recipe=wanted)


def test_only_declared_tables_are_bound_and_told(home, settings):
    folder = replica(home, "population", version="p1")
    replica(home, "enterprise", version="e1", depends={"population": "p1"})
    inputs = catalog.select(settings, {**PERSONS, "published.admin_regions": []})
    root = Path("/data")
    assert inputs.binds(root) == ((folder / "persons", root / "population" / "persons"),)
    (dataset,) = inputs.lab_catalog(root)["datasets"]
    assert dataset["tables"][0]["files"] == ["/data/population/persons/part-00000.parquet"]
    (here,) = inputs.lab_catalog(None)["datasets"]
    assert here["tables"][0]["files"] == [str(folder / "persons" / "part-00000.parquet")]
    assert list(inputs.published) == ["admin_regions"]


def test_what_a_notebook_is_told_does_not_name_the_draw(home, settings):
    replica(home, "population", version="p-seed1", seed=1, time_s=1)
    first = catalog.select(settings, PERSONS).lab_catalog(Path("/data"))
    path = replica(home, "population", version="p-seed2", seed=2, time_s=2) / "manifest.json"
    manifest = json.loads(path.read_text(encoding="utf-8"))
    manifest["tables"][0]["rows"] = 5
    manifest["tables"][0]["columns"][3]["fidelity"]["distance"] = 0.5
    path.write_text(json.dumps(manifest), encoding="utf-8")
    assert catalog.select(settings, PERSONS).replicas[0].version == "p-seed2"
    assert catalog.select(settings, PERSONS).lab_catalog(Path("/data")) == first


def test_the_record_names_versions_hashes_and_columns(home, settings):
    replica(home, "population", version="p1")
    (entry,) = catalog.select(settings, PERSONS).to_record()
    assert (entry["dataset"], entry["version"], entry["as_of"]) == (
        "population",
        "p1",
        "2024-12-31",
    )
    assert entry["recipe"] == {"scale": "0.01", "area": None, "seed": 1, "margins": "exact"}
    assert entry["tables"] == [
        {"name": "persons", "rows": 4, "content_hash": "ab" * 32, "columns": ["age"]}
    ]
    (all_columns,) = catalog.select(settings, {"population.persons": []}).to_record()
    assert all_columns["tables"][0]["columns"] == ["person_id", "province_code", "sex", "age"]


def test_a_record_finds_its_replicas_again_when_newer_ones_are_built(home, settings):
    replica(home, "population", version="p1", time_s=1)
    record = catalog.select(settings, PERSONS).to_record()
    replica(home, "population", version="p2", time_s=2)
    assert catalog.restore(settings, json.loads(json.dumps(record))).to_record() == record


def test_a_record_whose_replica_is_gone_or_changed_is_refused(home, settings):
    path = replica(home, "population", version="p1") / "manifest.json"
    record = catalog.select(settings, PERSONS).to_record()
    path.write_text(path.read_text(encoding="utf-8") + " ", encoding="utf-8")
    with pytest.raises(CatalogError, match="its manifest has changed"):
        catalog.restore(settings, record)
    path.unlink()
    with pytest.raises(CatalogError, match=r"is gone; build it again with: synthetic build"):
        catalog.restore(settings, record)


def test_every_published_table_is_in_the_catalogue():
    assert len(catalog.published()) == 41
    (table,) = catalog.published("admin_regions")
    assert table.title.vi == "Sáu vùng kinh tế - xã hội"
    with pytest.raises(CatalogError, match="did you mean 'admin_regions'"):
        catalog.published("admin_region")


def test_a_replica_touched_later_is_the_newest(home, settings):
    old = replica(home, "population", version="p1", time_s=1) / "manifest.json"
    replica(home, "population", version="p2", time_s=2)
    os.utime(old, (3, 3))
    assert catalog.preferred(settings, "population").version == "p1"
