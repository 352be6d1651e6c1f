"""Builds: same content for any sharding and any workers, areas, draws, and what stops half-way."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from fractions import Fraction

import duckdb
import psutil
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthetic.build import Order, build, make_recipe, shard_table, write_shard
from synthetic.errors import BuildError, StorageError
from synthetic.evaluation.sql import connect
from synthetic.evaluation.verify import verify
from synthetic.generation.world import World
from synthetic.spec.load import load_all
from synthetic.tables.content import Content, of_table
from synthetic.tables.manifest import find
from tests.needing import needed

from .specs import renamed

TABLES = [
    "population.households",
    "population.persons",
    "enterprise.enterprises",
    "enterprise.employees",
]


BUILD = [sys.executable, "-m", "synthetic.cli", "build", "population", "--scale", "0.05"]
SMALL_DISK = ["bwrap", "--bind", "/", "/", "--dev", "/dev", "--size", "4000000", "--tmpfs", "/tmp"]


def recipe(scale="0.0005", area=None, seed=1, margins="exact"):
    return make_recipe(scale, area, seed, margins)


@pytest.fixture(scope="module")
def specs():
    return load_all(["enterprise"])


@pytest.fixture(scope="module")
def world(specs, tmp_path_factory):
    return World(specs, recipe(), tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def whole(world):
    """The content of every table, made in one shard."""
    return {table: content_of(world, table, 10**9) for table in TABLES}


def content_of(world, table, groups, order=None):
    shards = world.shards(table, groups)
    total = Content()
    for i in range(len(shards)) if order is None else order(shards):
        total += of_table(shard_table(world, shards[i]))
    return total


@settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.sampled_from(TABLES), st.integers(700, 20_000), st.randoms())
def test_any_sharding_in_any_order_gives_the_same_content(world, whole, table, groups, chance):
    def order(shards):
        indices = list(range(len(shards)))
        chance.shuffle(indices)
        return indices

    assert content_of(world, table, groups, order) == whole[table]


def test_one_world_or_another_gives_the_same_content(specs, whole, tmp_path):
    again = World(specs, recipe(), tmp_path)
    assert {table: content_of(again, table, 5000) for table in TABLES} == whole


def test_two_processes_give_the_same_replica_as_one(tmp_path):
    orders = [
        Order(datasets=("enterprise",), recipe=recipe(), out=tmp_path / str(n), workers=n)
        for n in (1, 2)
    ]
    one, two = ([m.data for m in build(order)] for order in orders)
    assert one == two


@pytest.mark.parametrize("area", ["48", "79", "11"])
def test_an_area_holds_exactly_the_countrys_rows_of_it(specs, world, area, tmp_path):
    part = World(specs, recipe(area=area), tmp_path)
    for table in TABLES:
        ours = Content()
        for shard in part.shards(table, 4000):
            ours += of_table(shard_table(part, shard))
        country = shard_table(world, *world.shards(table, 10**9))
        with duckdb.connect() as connection:
            connection.register("country", country)
            there = connection.sql(f"FROM country WHERE province_code = '{area}'").to_arrow_table()
        assert ours.rows == there.num_rows > 0
        assert ours == of_table(there.cast(country.schema))


def test_rows_stand_in_the_order_of_area_household_and_position(world):
    table = shard_table(world, *world.shards("population.persons", 10**9))
    with duckdb.connect() as connection:
        connection.register("persons", table)
        ordered = connection.sql("FROM persons ORDER BY province_code, household_id, position")
        assert ordered.to_arrow_table()["person_id"].to_pylist() == table["person_id"].to_pylist()


def test_another_seed_gives_other_rows_and_the_same_quotas(tmp_path, specs, world):
    other = World(specs, recipe(seed=2), tmp_path)
    assert content_of(other, TABLES[1], 10**9) != content_of(world, TABLES[1], 10**9)


def counted(world, table, *columns):
    rows = shard_table(world, *world.shards(table, 10**9))
    with duckdb.connect() as connection:
        connection.register("t", rows)
        return connection.sql(
            f"SELECT {', '.join(columns)}, count(*) FROM t GROUP BY ALL"
        ).fetchall()


@pytest.mark.slow
def test_exact_margins_do_not_differ_between_draws_and_sampled_ones_do(specs, tmp_path):
    def women(seed, margins):
        drawn = World(specs, recipe("0.0002", seed=seed, margins=margins), tmp_path)
        return sorted(counted(drawn, "population.persons", "province_code", "sex"))

    assert women(1, "exact") == women(2, "exact")
    assert women(1, "sampled") != women(2, "sampled")


@pytest.mark.slow
def test_sampled_draws_spread_as_samples_do(specs, tmp_path):
    """Persons by province over draws: their variance against that of drawing persons singly."""
    draws = []
    for seed in range(12):
        drawn = World(specs, recipe("0.0002", None, seed, "sampled"), tmp_path)
        draws.append(dict(counted(drawn, "population.persons", "province_code")))
    ratios = []
    for province in draws[0]:
        counts = [draw.get(province, 0) for draw in draws]
        mean = sum(counts) / len(counts)
        variance = sum((c - mean) ** 2 for c in counts) / (len(counts) - 1)
        ratios.append(variance / mean)
    # Whole households are drawn, of 3.6 persons on average and 4.4 weighted by persons: the mean
    # ratio over 34 provinces is near 4.4, with a standard deviation of 4.4 x sqrt(2 / (11 x 34)).
    assert 2.5 < sum(ratios) / len(ratios) < 6.3


def test_a_replica_is_kept_as_it_is(tmp_path):
    order = Order(datasets=("population",), recipe=recipe("0.0001"), out=tmp_path)
    (first,) = build(order)
    before = {p: p.stat().st_mtime_ns for p in first.folder.rglob("*")}
    (second,) = build(order)
    assert second.folder == first.folder
    assert {p: p.stat().st_mtime_ns for p in second.folder.rglob("*")} == before


@pytest.mark.slow
def test_renamed_specs_build_and_verify(tmp_path):
    """The engine knows no dataset, table or column by name."""
    folder, out = tmp_path / "specs", tmp_path / "out"
    folder.mkdir()
    names = renamed(folder)
    done = build(Order(datasets=tuple(names.values()), recipe=recipe(), out=out, specs=(folder,)))
    assert not (out / ".models").exists(), "the packaged fit serves renamed specs too"
    for manifest in done:
        checks = verify(manifest, load_all([manifest.dataset], [folder]))
        assert [c for c in checks if not c.ok] == []
        assert len(checks) > 10


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scale": "0"}, "scale 0 must be above 0"),
        ({"scale": "2"}, "scale 2 must be above 0 and at most 1"),
        ({"scale": "-0.1"}, "must be above 0"),
        ({"scale": "nan"}, "not a number|must be above"),
        ({"scale": "inf"}, "not a number|must be above"),
        ({"scale": "much"}, "'much' is not a number"),
        ({"seed": -1}, "seed -1 must be from 0"),
        ({"margins": "loose"}, "'loose' must be 'exact' or 'sampled'"),
    ],
)
def test_an_absurd_recipe_is_refused(change, message):
    given_recipe = {"scale": "0.01", "area": None, "seed": 1, "margins": "exact"} | change
    with pytest.raises(BuildError, match=message):
        make_recipe(**given_recipe)


def test_an_unknown_area_is_refused(tmp_path):
    order = Order(datasets=("population",), recipe=recipe(area="99"), out=tmp_path)
    with pytest.raises(BuildError, match="unknown area '99'; areas are 01, 04"):
        build(order)
    assert not list(find(tmp_path))


def test_a_scale_that_leaves_nobody_is_refused(tmp_path):
    order = Order(datasets=("population",), recipe=recipe("0.000000001"), out=tmp_path)
    with pytest.raises(BuildError, match="leaves nobody; take a larger one"):
        build(order)


def test_a_tiny_country_still_builds(tmp_path):
    for scale in ("0.00001", "0.0000005"):
        order = Order(datasets=("population",), recipe=recipe(scale), out=tmp_path)
        (manifest,) = build(order)
        persons = next(t for t in manifest.tables if t["name"] == "persons")
        assert persons["rows"] == round(101_343_765 * Fraction(scale))


def test_a_folder_that_is_a_file_is_told(tmp_path):
    (tmp_path / "file").write_text("x")
    order = Order(datasets=("population",), recipe=recipe(), out=tmp_path / "file" / "out")
    with pytest.raises(StorageError, match="not a folder"):
        build(order)


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path):
    # It makes the small disk.
    needed(shutil.which("bwrap"), "apt-get install -y bubblewrap")
    out = tmp_path / "small"
    out.mkdir()
    inside = (
        f"{sys.executable} -m synthetic.cli build population --scale 0.01 --out {out}; "
        f"echo exit $?; find {out} -type f -name '*.parquet' -o -name manifest.json"
    )
    # Below pytest's folder, not over /tmp: a checkout may lie there.
    small_disk = ["--size", "4000000", "--tmpfs", str(out)]
    result = subprocess.run(
        ["bwrap", "--bind", "/", "/", "--dev", "/dev", *small_disk, "sh", "-c", inside],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "the disk is full; free some space" in result.stderr, result.stderr
    assert "Traceback" not in result.stderr
    assert result.stdout == "exit 3\n"


@pytest.mark.parametrize("workers", ["1", pytest.param("2", marks=pytest.mark.slow)])
def test_an_interrupted_build_publishes_nothing_and_leaves_no_process(tmp_path, workers):
    process = subprocess.Popen(
        [*BUILD, "--workers", workers, "--out", str(tmp_path)],
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".staging/*/persons/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    os.killpg(process.pid, signal.SIGINT)  # as Ctrl-C does: to the whole group
    _, told = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted: finished replicas are kept, nothing half-written remains" in told
    assert "Traceback" not in told
    assert not list(find(tmp_path))
    assert ended(process.pid)


def ended(group):
    """Whether no process of a group is left, after at most ten seconds."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def test_a_killed_build_leaves_only_staging_that_the_next_removes(tmp_path):
    process = subprocess.Popen(
        [*BUILD, "--workers", "1", "--out", str(tmp_path)],
        stderr=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while not list(tmp_path.glob(".staging/*/persons/*")) and time.monotonic() < deadline:
        time.sleep(0.02)
    process.kill()
    process.wait()
    assert not list(find(tmp_path))
    assert list(tmp_path.glob(".staging/*"))
    build(Order(datasets=("population",), recipe=recipe("0.0001"), out=tmp_path))
    assert not list(tmp_path.glob(".staging/*"))
    assert len(list(find(tmp_path))) == 1


def test_a_shard_is_the_same_file_each_time(world, tmp_path):
    shard = world.shards("population.persons", 3000)[1]
    first, second = (write_shard(world, shard, tmp_path / name) for name in ("a", "b"))
    assert first == second


def test_the_population_agrees_with_an_independent_count(replicas):
    """Not through our own code: plain SQL over the files against the published CSV."""
    found = {m.dataset: m for m in find(replicas / "replicas")}
    with connect(found) as connection:
        wrong = connection.execute(
            """
            WITH counted AS (
                SELECT province_code, count(*) AS n, count(*) FILTER (residence = 'urban') AS urban
                FROM population.persons GROUP BY 1
            )
            SELECT province_code, n, population_thousand, urban, urban_thousand
            FROM counted JOIN read_csv('synthetic/statistics/data/population_province_34.csv',
                                       types = {'province_code': 'VARCHAR'}) USING (province_code)
            WHERE year = 2024
              AND (abs(n - population_thousand) > 1.02 OR abs(urban - urban_thousand) > 1.02)
            """
        ).fetchall()
    assert wrong == []


def workers_of(process):
    """The worker processes of a build, once a shard is written."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = psutil.Process(process.pid).children(recursive=True)
        if len(found) >= 3:  # two workers and multiprocessing's tracker
            return found
        time.sleep(0.02)
    raise AssertionError("no workers were started")


@pytest.mark.slow
def test_workers_end_with_a_parent_that_was_killed(tmp_path):
    process = subprocess.Popen(
        [*BUILD, "--workers", "2", "--out", str(tmp_path)], stderr=subprocess.DEVNULL
    )
    below = workers_of(process)
    time.sleep(2)  # they watch their parent from their first second on
    process.kill()
    process.wait()
    _, alive = psutil.wait_procs(below, timeout=20)
    assert alive == []


def test_a_killed_worker_is_told_in_words(tmp_path):
    process = subprocess.Popen(
        [*BUILD, "--workers", "2", "--out", str(tmp_path)], stderr=subprocess.PIPE, text=True
    )
    below = workers_of(process)
    next(p for p in below if "spawn_main" in " ".join(p.cmdline())).kill()
    _, told = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "a worker process was killed, probably because memory ran out" in told
    assert "Traceback" not in told
    assert not list(find(tmp_path))


def test_workers_that_die_while_they_start_are_told_and_waited_for_by_nobody(tmp_path):
    # A program that is read from a pipe cannot be imported again by a process that it starts.
    code = f"""
from pathlib import Path
from synthetic.build import Order, build, make_recipe
recipe = make_recipe("0.0005", None, 1, "exact")
build(Order(datasets=("enterprise",), recipe=recipe, out=Path({str(tmp_path)!r}), workers=2))
"""
    done = subprocess.run([sys.executable], input=code, capture_output=True, text=True, timeout=120)
    assert "WorkerKilledError: a worker process was killed" in done.stderr
    assert not list(find(tmp_path))
