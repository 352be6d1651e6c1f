"""Draws on their shelf: built by one, shared by all, offered by no catalogue, removed when unused."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest

from sandbox import catalog
from sandbox.errors import CatalogError
from sandbox.evidence import drawing, shelf
from sandbox.settings import Settings
from synthetic.build import Order, build, make_recipe
from synthetic.dirt import make_dirt, spoil
from tests.processes import until

READS = {"enterprise.enterprises": ("tax_code", "province_code")}


def test_of_two_who_want_the_same_one_builds_and_the_other_waits(tmp_path):
    may_end, waits = threading.Event(), threading.Event()
    built = []

    def slow(folder: Path) -> str:
        (folder / "draw").touch()
        may_end.wait(60)
        built.append("slow")
        return "one"

    def quick(folder: Path) -> str:
        built.append((folder / "draw").exists())
        return "other"

    def one():
        with shelf.kept(tmp_path, "set", slow):
            waits.wait(60)  # both use it at once: only building is for one alone

    def other():
        with shelf.kept(tmp_path, "set", quick) as made:
            assert made == "other"
            waits.set()

    threads = [threading.Thread(target=one), threading.Thread(target=other)]
    threads[0].start()
    until((tmp_path / "set" / "draw").exists)
    threads[1].start()
    may_end.set()
    for thread in threads:
        thread.join(60)
    assert built == ["slow", True]


def test_sets_that_were_used_longest_ago_make_room(tmp_path):
    for age, name in enumerate(("new", "used", "old")):
        with shelf.kept(tmp_path, name, lambda folder: (folder / "data").write_bytes(b"x" * 100)):
            pass
        os.utime(tmp_path / name / "lock", (1000 - age, 1000 - age))
    shelf.clear(tmp_path, most_bytes=250)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["new", "used"]
    with shelf.kept(tmp_path, "used", lambda folder: None):
        os.utime(tmp_path / "used" / "lock", (1, 1))
        shelf.clear(tmp_path, most_bytes=0)
        assert sorted(path.name for path in tmp_path.iterdir()) == ["used"]


def test_a_set_that_was_removed_is_made_again(tmp_path):
    made = []
    for _ in range(2):
        with shelf.kept(tmp_path, "set", lambda folder: (folder / "data").write_bytes(b"x")) as n:
            made.append(n)
        shelf.clear(tmp_path, most_bytes=0)
    assert made == [1, 1]
    assert list(tmp_path.iterdir()) == []


def test_seeds_of_draws_are_the_same_for_all_runs_here_and_unknown_elsewhere(tmp_path):
    here, there = Settings(home=tmp_path / "here"), Settings(home=tmp_path / "there")
    draws = ["null", *(f"draw {n}" for n in range(1, 6))]
    seeds = [drawing.seed_of(here, one) for one in draws]
    assert seeds == [drawing.seed_of(here, one) for one in draws]
    assert len({*seeds, *(drawing.seed_of(there, one) for one in draws)}) == 12


def test_datasets_of_own_specs_are_not_drawn_again():
    drawing.check_packaged(["population"])
    with pytest.raises(CatalogError, match=r"^cafes come from somebody's own specs"):
        drawing.check_packaged(["population", "cafes"])


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A home with a small country, clean and with planted defects."""
    found = tmp_path_factory.mktemp("draws")
    recipe = make_recipe("0.0002", None, 1, "exact")
    built = build(Order(datasets=("enterprise",), recipe=recipe, out=found / "replicas"))
    for one in built:
        spoil(one, make_dirt("0.05"), progress=lambda text: None)
    return Settings(home=found)


@pytest.mark.slow
@pytest.mark.parametrize("dirt", [None, "0.05"])
@pytest.mark.parametrize("kind", ["fresh", "null"])
def test_a_draw_tells_a_notebook_what_the_submitted_replica_tells_it(home, kind, dirt):
    submitted = catalog.select(home, READS, recipe={"dirt": dirt})
    draw = drawing.null if kind == "null" else lambda *given: drawing.fresh(*given, n=1)
    with draw(home, submitted) as drawn:
        drawn.check_files()
        root = Path("/sandbox/data")
        assert drawn.lab_catalog(root) == submitted.lab_catalog(root)
        (one,), (other,) = drawn.replicas, submitted.replicas
        assert home.draws_folder in one.folder.parents
        hashes = [found.table("enterprises")["content_hash"] for found in (one, other)]
        assert hashes[0] != hashes[1]
        assert (one.recipe.dirt, one.recipe.scale) == (other.recipe.dirt, other.recipe.scale)
        if kind == "fresh":
            assert (one.recipe.margins, one.recipe.seed) == (
                "sampled",
                drawing.seed_of(home, "draw 1"),
            )
        assert {found.recipe.margins for found in catalog.replicas(home)} == {"exact"}
        assert not any("sampled" in str(entry["version"]) for entry in catalog.states(home))


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["fresh", "null"])
def test_a_draw_that_lost_a_file_is_made_again(home, kind):
    submitted = catalog.select(home, READS, recipe={"dirt": None})
    draw = drawing.null if kind == "null" else lambda *given: drawing.fresh(*given, n=3)
    for _ in range(2):
        with draw(home, submitted) as drawn:
            drawn.check_files()
            next(drawn.replicas[0].folder.rglob("*.parquet")).unlink()


@pytest.mark.slow
def test_a_draw_is_built_once(home):
    submitted = catalog.select(home, READS, recipe={"dirt": None})
    times = []
    for _ in range(2):
        with drawing.fresh(home, submitted, n=2) as drawn:
            folder = drawn.replicas[0].folder
            times.append([path.stat().st_mtime_ns for path in folder.rglob("*.parquet")])
    assert times[0] == times[1] != []
