"""What is frozen into the package: the margins of every packaged spec and the fits of its pools."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from synthetic.generation import models, poolfit
from synthetic.spec import frozen
from synthetic.spec.load import load_all, packaged
from synthetic.spec.margins import Margin, computed
from synthetic.spec.models import PoolSpec
from synthetic.tables.files import write_atomically


def files() -> Iterator[tuple[Path, Callable[[], bytes]]]:
    """Every packaged model file, and what makes its bytes."""
    for spec in load_all(packaged()).values():
        margins = computed(spec)
        path = frozen.path(spec)
        if margins and path is not None:
            yield path, partial(frozen.written, margins)
        for pool in spec.pools.values():
            inputs = poolfit.inputs(pool, margins)
            name = f"{poolfit.key(pool, inputs)}.npz"
            yield models.packaged_folder() / name, partial(_fitted, pool, inputs)


def _fitted(pool: PoolSpec, inputs: Mapping[str, Margin]) -> bytes:
    return models.written(poolfit.fit(pool, inputs))


def freeze(tell: Callable[[str], object], *, dry_run: bool) -> None:
    """Remake the packaged model files and remove those that no packaged spec asks for."""
    wanted = dict(files())
    for path in sorted(set(models.packaged_folder().iterdir()) - set(wanted)):
        tell(f"remove {path.name}")
        if not dry_run:
            path.unlink()
    for path, make in wanted.items():
        tell(f"write {path.name}")
        if not dry_run:
            write_atomically(path, make())
