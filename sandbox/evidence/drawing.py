"""Executions on other draws: fresh ones and the null draw, of the replicas that were submitted.

The kernel of a draw meets what that of the first execution met: the same surroundings, paths, names,
times and numbers of files, and the same catalogue, which names neither seed nor version. The data are
other data, so figures, numbers of rows and sizes of files differ, and with them what a file system
tells of every file (its inode, its links). Whoever knows the submitted replica by heart can tell that
this is not it; nothing says what it is. Where kernels are not isolated only an unchanged template
runs, and it reads from the draws' own folders.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import CatalogError, SandboxError
from sandbox.evidence import noted, shelf
from sandbox.evidence.work import Work
from sandbox.journal import keys
from sandbox.language import _
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.settings import Settings
from synthetic.errors import SyntheticError

if TYPE_CHECKING:
    from sandbox.catalog import Inputs
    from synthetic.tables.manifest import Manifest

Draw = Callable[[Settings, "Inputs"], AbstractContextManager["Inputs"]]


def execute(work: Work, name: str, draw: Draw) -> Reason:
    """Execute a run's notebook on a draw of its replicas, and give the end."""
    from sandbox import catalog

    with ExitStack() as stack:
        try:
            with work.preparing():
                submitted = catalog.restore(work.settings, work.folder.submission()["inputs"])
                check_packaged([replica.dataset for replica in submitted.replicas])
                inputs = stack.enter_context(draw(work.settings, submitted))
        except (SandboxError, SyntheticError) as error:
            return Reason(kind=Kind.COULD_NOT_START, message=str(error))
        reason = work.execute(name, inputs=inputs)
    shutil.rmtree(work.folder.execution(name).work, ignore_errors=True)  # nobody reads its files
    return reason


def check_packaged(datasets: Sequence[str]) -> None:
    """Refuse datasets whose specs only their owner has."""
    from synthetic.spec.load import packaged

    if own := sorted(set(datasets) - set(packaged())):
        raise CatalogError(
            _(
                "{datasets} come from somebody's own specs, so they cannot be drawn again here"
            ).format(datasets=", ".join(own))
        )


@contextmanager
def fresh(settings: Settings, submitted: Inputs, *, n: int) -> Iterator[Inputs]:
    """Give the nth fresh draw of the submitted replicas, from 1; it is built unless it is there."""
    seed = seed_of(settings, f"draw {n}")

    def make(originals: list[Manifest], folder: Path) -> list[Manifest]:
        from synthetic.build import redraw

        return redraw(originals, seed=seed, out=folder)

    with _kept(settings, submitted, f"seed{seed}", make, dirt_seed=seed) as inputs:
        yield inputs


@contextmanager
def null(settings: Settings, submitted: Inputs) -> Iterator[Inputs]:
    """Give the null draw of the submitted replicas; it is made unless it is there."""
    recipe = submitted.replicas[0].recipe

    def make(originals: list[Manifest], folder: Path) -> list[Manifest]:
        return [_dealt(submitted, one, folder, seed) for one in originals]

    seed = seed_of(settings, "null")
    name = f"seed{recipe.seed}-{recipe.margins}-null{seed}-{_digest(submitted)}"
    with _kept(settings, submitted, name, make, dirt_seed=recipe.dirt_seed) as inputs:
        yield inputs


@contextmanager
def _kept(
    settings: Settings,
    submitted: Inputs,
    name: str,
    make: Callable[[list[Manifest], Path], list[Manifest]],
    *,
    dirt_seed: int | None,
) -> Iterator[Inputs]:
    """Give draws from the shelf, with defects if the submitted replicas have them."""
    from sandbox import catalog

    recipe = submitted.replicas[0].recipe
    name = f"s{recipe.scale}-{recipe.area or 'all'}-{name}"
    if recipe.dirt is not None:
        name += f"-dirt{recipe.dirt}-{_digest(submitted)}"

    def build(folder: Path) -> Inputs:
        def made() -> list[Manifest]:
            return _spoilt(make(catalog.originals(submitted), folder), recipe.dirt, dirt_seed)

        return catalog.redrawn(submitted, noted.once(folder, _digest(submitted), made))

    with shelf.kept(settings.draws_folder, name, build) as inputs:
        yield inputs


def _digest(submitted: Inputs) -> str:
    """Name what is drawn again: which columns of which replicas."""
    replicas = sorted(f"{one.dataset} {one.manifest_sha256}" for one in submitted.replicas)
    columns = {table: sorted(names) for table, names in sorted(submitted.columns.items())}
    return hashlib.sha256(json.dumps([replicas, columns]).encode()).hexdigest()[:12]


def kept_together(submitted: Sequence[Mapping[str, Any]]) -> Iterator[dict[str, Any]]:
    """Give the declared columns that the null draw leaves beside each other, keys left out.

    A conclusion that rests on these alone holds there as well.
    """
    from synthetic.null.apart import stays
    from synthetic.spec.load import load_all

    specs = load_all([one["dataset"] for one in submitted])
    for one in submitted:
        for table in one["tables"]:
            spec = specs[one["dataset"]]
            described = spec.tables[table["name"]]
            keys = {
                name
                for name, column in described.columns.items()
                if name in described.key or column.references or column.identifier
            }
            stay = [n for n in stays(spec, table["name"], table["columns"]) if n not in keys]
            if len(stay) > 1:
                yield {"table": f"{one['dataset']}.{table['name']}", "columns": stay}


def seed_of(settings: Settings, draw: str) -> int:
    """Give the seed of a draw: the same for all runs of an installation, and its own secret.

    It comes from the installation's key. A notebook whose author could build the draws beforehand
    could tell by their rows on which it is, and conclude what it likes there.
    """
    secret = keys.signer(settings.home).sign(f"the seed of {draw}".encode())
    return int.from_bytes(hashlib.blake2b(secret, digest_size=7).digest())


def _dealt(submitted: Inputs, original: Manifest, folder: Path, seed: int) -> Manifest:
    from synthetic.null.apart import deal_apart
    from synthetic.spec.load import load_all

    spec = load_all([original.dataset])[original.dataset]
    declared = {
        entry["name"]: submitted.columns[f"{original.dataset}.{entry['name']}"]
        for entry in original.tables
    }
    return deal_apart(original, spec, declared, folder, seed=seed)


def _spoilt(drawn: list[Manifest], dirt: str | None, seed: int | None) -> list[Manifest]:
    """Plant defects as the submitted replicas have them."""
    if dirt is None:
        return drawn
    from synthetic.dirt import make_dirt, spoil

    return [spoil(one, make_dirt(dirt, seed or 1), workers=1) for one in drawn]
