"""Small replicas of the datasets of a submission: built once, and shared by all trials of a home."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fcntl import LOCK_EX, LOCK_NB, flock

from sandbox import catalog
from sandbox.catalog import Inputs
from sandbox.errors import CatalogError
from sandbox.settings import Settings
from synthetic.errors import SyntheticError
from synthetic.tables.files import make_folder, storage_error

log = logging.getLogger(__name__)

# Shares of the country, the smallest first: about 10,000 persons, built in a second. Where a table
# then has no row, a link leads nowhere, or a notebook asks for more rows: ten times as many.
SCALES = ("0.0001", "0.001")
WORTH = 5  # times as many rows as the small replica has; below, a run is its own trial
# Rows that are read. At a million (a hundredth of the country) the templates' runs took 5.7 to
# 7.8 s and their trials 5.2 to 5.7 s, most of it the start of a kernel and imports.
LARGE = 10_000_000


def is_worth(inputs: Inputs | None) -> bool:
    """Whether a run would take so much longer than a trial that the trial saves time."""
    return inputs is not None and n_rows(inputs) >= LARGE


def n_rows(inputs: Inputs) -> int:
    """Count the rows of the declared tables."""
    return sum(
        int(replica.table(name)["rows"])
        for replica in inputs.replicas
        for name in replica.tables
        if f"{replica.dataset}.{name}" in inputs.tables
    )


def small(settings: Settings, inputs: Inputs) -> Iterator[Inputs]:
    """Give the same tables of small replicas, the smallest first, each built when it is asked for."""
    for scale in SCALES:
        try:
            found = _built(replace(settings, home=settings.trials), inputs, scale)
        except (CatalogError, SyntheticError) as problem:
            log.info("no replica at scale %s for a trial: %s", scale, problem)
            continue
        if n_rows(found) * WORTH > n_rows(inputs):
            return
        if _has_rows(found):
            yield found


def _built(home: Settings, inputs: Inputs, scale: str) -> Inputs:
    from synthetic.build import Order, build, make_recipe

    recipe = inputs.replicas[0].recipe
    asked = {"scale": scale, "area": recipe.area, "seed": recipe.seed, "margins": "exact"}
    try:
        return catalog.select(home, inputs.columns, recipe=asked)
    except CatalogError:
        datasets = tuple(replica.dataset for replica in inputs.replicas)
        made = make_recipe(scale, recipe.area, recipe.seed, "exact")
        build(Order(datasets=datasets, recipe=made, out=home.replicas), log.info)
        return catalog.select(home, inputs.columns, recipe=asked)


@contextmanager
def turn(settings: Settings, *, waits: bool) -> Iterator[bool]:
    """Hold the one place for a trial; False if another one has it and this one does not wait."""
    path = make_folder(settings.trials) / "lock"
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise storage_error("lock", path, error) from error
    try:
        try:
            flock(handle, LOCK_EX if waits else LOCK_EX | LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(handle)


def _has_rows(inputs: Inputs) -> bool:
    return all(
        replica.table(name)["rows"]
        for replica in inputs.replicas
        for name in replica.tables
        if f"{replica.dataset}.{name}" in inputs.tables
    )
