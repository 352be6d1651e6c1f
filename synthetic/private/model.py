"""A fitted model as one file: a zip of JSON and NumPy arrays, readable without this package."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic.errors import PrivateError, SpecError
from synthetic.private.aliases import ONE, Whole
from synthetic.private.schema import Schema, compiled
from synthetic.private.spec import PrivateSpec
from synthetic.tables.files import json_bytes, storage_error, write_atomically

FORMAT = 1
_EPOCH = (1980, 1, 1, 0, 0, 0)  # the same model gives the same bytes
# What reading bytes that are no model can come to: a bad archive, JSON, spec or array.
_DAMAGE = (
    *(zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, MemoryError),
    *(ValueError, TypeError, AttributeError, LookupError, ArithmeticError, SpecError),
)
_ARRAYS = {
    "class_weights": f"whole-number shares of the classes; they add to {ONE}",
    "shares": "one row a class, one column a level (columns after each other); each column's "
    f"block of a row adds to {ONE}",
    "move_N_stay": "rows are the parent's levels, columns the child's; the share that stays, "
    f"of {ONE}",
    "move_N_to": f"where those that move go; each row adds to {ONE}",
    "noisy_N": "the noisy counts of release N, its tables after each other, row by row; of pairs by "
    "groups of levels, where the facts name groups",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class WholeMove:
    """A repair in whole numbers."""

    parent: int
    child: int
    stay: Whole
    to: Whole


@dataclass(frozen=True, kw_only=True, eq=False)
class Model:
    """What may be released: noisy tables, and the mixture that was fitted to them."""

    spec: PrivateSpec
    facts: dict[str, Any]  # budget, releases, versions, settings
    class_weights: Whole  # of shape (classes,)
    shares: Whole  # of shape (classes, levels of all columns)
    moves: tuple[WholeMove, ...]
    noisy: tuple[npt.NDArray[np.int64], ...] = field(default=())

    @cached_property
    def schema(self) -> Schema:
        """The columns."""
        return compiled(self.spec, "model")

    @property
    def is_releasable(self) -> bool:
        """Whether its noise came from a secure source."""
        return bool(self.facts["releasable"])

    def block(self, column: int) -> Whole:
        """A column's shares, of shape (classes, levels)."""
        starts = self.schema.starts
        return self.shares[:, starts[column] : starts[column + 1]]

    @cached_property
    def digest(self) -> str:
        """A hash of what is drawn from."""
        total = hashlib.sha256(json.dumps(self._told(), sort_keys=True).encode())
        for array in self._arrays().values():
            total.update(np.ascontiguousarray(array).tobytes())
        return total.hexdigest()

    def _told(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "spec": self.spec.model_dump(mode="json", exclude_defaults=True),
            "facts": self.facts,
            "moves": [{"parent": move.parent, "child": move.child} for move in self.moves],
            "arrays": _ARRAYS,
        }

    def _arrays(self) -> dict[str, npt.NDArray[np.generic]]:
        found: dict[str, npt.NDArray[np.generic]] = {
            "class_weights": self.class_weights,
            "shares": self.shares,
        }
        for i, move in enumerate(self.moves):
            found |= {f"move_{i}_stay": move.stay, f"move_{i}_to": move.to}
        return found | {f"noisy_{i}": counts for i, counts in enumerate(self.noisy)}

    def save(self, path: Path) -> None:
        """Write the model, whole or not at all."""
        held = io.BytesIO()
        with zipfile.ZipFile(held, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
            archive.writestr(zipfile.ZipInfo("model.json", _EPOCH), json_bytes(self._told()))
            for name, array in self._arrays().items():
                data = io.BytesIO()
                np.lib.format.write_array(data, np.ascontiguousarray(array), allow_pickle=False)
                entry = zipfile.ZipInfo(f"{name}.npy", _EPOCH)
                archive.writestr(entry, data.getvalue(), zipfile.ZIP_DEFLATED, 1)
        write_atomically(path, held.getvalue())


def load(path: Path) -> Model:
    """Read a model, or say why it is none."""
    try:
        with zipfile.ZipFile(path) as archive:
            told = json.loads(archive.read("model.json"))
            if told["format"] != FORMAT:
                raise PrivateError(
                    f"{path}: a model of format {told['format']}; this version reads {FORMAT}"
                )
            model = Model(
                spec=PrivateSpec.model_validate(told["spec"]),
                facts=told["facts"],
                class_weights=_array(archive, "class_weights"),
                shares=_array(archive, "shares"),
                moves=tuple(_move(archive, i, move) for i, move in enumerate(told["moves"])),
                noisy=tuple(
                    _array(archive, f"noisy_{i}") for i in range(len(told["facts"]["releases"]))
                ),
            )
            _check(model)
            return model
    except OSError as error:
        raise storage_error("read", path, error) from error
    except _DAMAGE as error:
        raise PrivateError(f"{path}: not a fitted model, or a damaged one; fit it again") from error


def _array(archive: zipfile.ZipFile, name: str) -> npt.NDArray[Any]:
    data = io.BytesIO(archive.read(f"{name}.npy"))
    return np.lib.format.read_array(data, allow_pickle=False)


def _move(archive: zipfile.ZipFile, number: int, told: dict[str, int]) -> WholeMove:
    stay, to = (_array(archive, f"move_{number}_{name}") for name in ("stay", "to"))
    return WholeMove(parent=told["parent"], child=told["child"], stay=stay, to=to)


def _check(model: Model) -> None:
    """Shares that do not add up would draw what no one fitted."""
    n_classes, n_levels = model.shares.shape
    sizes = [attribute.size for attribute in model.schema.attributes]
    whole = [model.class_weights[None, :], *map(model.block, range(len(sizes)))]
    shapes = [(n_classes,) == model.class_weights.shape, n_levels == sum(sizes)]
    for move in model.moves:
        shape = (sizes[move.parent], sizes[move.child])
        shapes += [min(move.parent, move.child) >= 0, move.parent != move.child]
        shapes += [move.stay.shape == move.to.shape == shape, int(move.stay.max()) <= ONE]
        whole.append(move.to)
    if (
        not all(shapes)
        or any(shares.dtype != np.uint32 for shares in [*whole, *(m.stay for m in model.moves)])
        or any((shares.sum(axis=1, dtype=np.int64) != ONE).any() for shares in whole)
        or not isinstance(model.facts["releasable"], bool)
    ):
        raise ValueError("not what a model holds")
