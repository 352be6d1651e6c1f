"""Fitted models as sources of a dataset's tables: opened, held against the spec, asked for rows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from synthetic.errors import PrivateError, SpecError, nearest
from synthetic.generation.values import Values, places
from synthetic.private.keyed import Given, KeyedSampler
from synthetic.private.model import Model, load
from synthetic.private.schema import Attribute
from synthetic.spec.load import known
from synthetic.spec.models import ColumnSpec, ModelSpec, Spec, TableSpec
from synthetic.spec.scope import codes_of
from synthetic.tables.manifest import sha256

_PRICE = ("source", "epsilon", "delta", "rho", "neighbours", "paid_at", "mode", "releasable")
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Linked:
    """A model behind a table's columns."""

    model: Model
    digest: str  # SHA-256 of its file
    samplers: dict[tuple[int, tuple[str, str]], KeyedSampler]

    def __reduce__(self) -> tuple[type[Linked], tuple[Model, str, dict[str, Any]]]:
        return Linked, (self.model, self.digest, {})  # another process makes its own samplers

    def draw(
        self, seed: int, path: tuple[str, str], keys: Ints, given: Mapping[str, Values]
    ) -> Mapping[str, Values]:
        """The columns of the model that are not given."""
        schema = self.model.schema
        known = {schema.place(name): values for name, values in given.items()}
        if (seed, path) not in self.samplers:
            self.samplers[seed, path] = KeyedSampler(self.model, known, seed, path)
        levels = {i: Given(_levels(schema.attributes[i], v), v) for i, v in known.items()}
        return self.samplers[seed, path].rows(keys, levels)

    @property
    def facts(self) -> dict[str, Any]:
        """What a replica's manifest says of the model: the price that was paid, and for what."""
        unit = self.model.spec.unit
        return {
            "sha256": self.digest,
            **{key: self.model.facts[key] for key in _PRICE},
            "unit": None if unit is None else unit.model_dump(),
        }


def linked(specs: Mapping[str, Spec], folders: Iterable[Path] = ()) -> dict[str, Linked]:
    """Open the models that tables of these specs are drawn from; the keys are dataset.table.

    Raises
    ------
    SpecError
        If a file is not there or not the one that the spec states, if its noise protects nobody
        and the spec does not accept that, or if its columns are not those that the spec speaks of.
    """
    found: dict[str, Linked] = {}
    for dataset, spec in specs.items():
        for name, table in spec.tables.items():
            if table.model is None:
                continue
            with _located(f"{dataset}.toml: tables.{name}.model"):
                path = known(folders)[dataset].parent / table.model.file
                found[f"{dataset}.{name}"] = _opened(path, table.model, table)
    return found


@contextmanager
def _located(where: str) -> Iterator[None]:
    """Tell of a fault with its place in the spec."""
    try:
        yield
    except (SpecError, PrivateError) as error:
        raise SpecError(f"{where}: {error}") from error


def _opened(path: Path, asked: ModelSpec, table: TableSpec) -> Linked:
    if not path.is_file():
        raise SpecError(f"file = {asked.file!r}: no such file in {path.parent}; put it there")
    digest = sha256(path)
    if asked.sha256 not in (None, digest):
        raise SpecError(
            f"sha256 = {asked.sha256!r} is not the hash of {path}, which is {digest}; ask for the "
            "file that was meant, or state its hash"
        )
    model = load(path)
    if not set(_PRICE) <= set(model.facts):
        raise SpecError(f"{path} does not tell what was paid for it; fit it again")
    if not model.is_releasable and not asked.not_releasable:
        raise SpecError(
            f"{path} must not be released: its noise comes from --insecure-seed; fit it again "
            "without, or write not_releasable = true and release no replica of it"
        )
    _check(model, asked, table)
    return Linked(replace(model, noisy=()), digest, {})  # rows are not drawn from noisy tables


def _check(model: Model, asked: ModelSpec, table: TableSpec) -> None:
    names = model.schema.names
    for theirs, ours in asked.given.items():
        if theirs not in names:
            raise SpecError(f"given: the model has no column {theirs!r}; {nearest(theirs, names)}")
        _check_alike(_attribute(model, theirs), ours, table.columns[ours], is_given=True)
    for ours, column in table.columns.items():
        if column.model is None:
            continue
        if column.model not in names:
            raise SpecError(
                f"column {ours!r}: the model has no column {column.model!r}; "
                + nearest(column.model, names)
            )
        _check_alike(_attribute(model, column.model), ours, column, is_given=False)


def _attribute(model: Model, name: str) -> Attribute:
    return model.schema.attributes[model.schema.place(name)]


def _check_alike(theirs: Attribute, ours: str, column: ColumnSpec, *, is_given: bool) -> None:
    """A column of the model and one of the table must be of one type and share their codes."""
    kind = "category" if column.type in ("code", "text") else column.type
    places = column.places or 0
    its = "integer" if theirs.type == "decimal" and not theirs.places else theirs.type
    if (kind, places) != (its, theirs.places):
        raise SpecError(
            f"column {ours!r} is {_typed(column.type, places)} and the model's {theirs.name!r} "
            f"{_typed(theirs.type, theirs.places)}; give both one type"
        )
    codes = codes_of(column)
    if codes is None:
        return
    odd = [value for value in theirs.values if value not in codes]
    if odd and not is_given:
        raise SpecError(f"the model gives {odd[:3]}, no codes of column {ours!r}; add them")
    if is_given and set(codes).isdisjoint(theirs.values):
        raise SpecError(
            f"column {ours!r} has no code that the model's {theirs.name!r} knows; derive one that "
            f"holds {', '.join(theirs.values[:5])}"
        )


def _typed(kind: str, places: int) -> str:
    return f"{kind} of {places} places" if places else kind


def _levels(attribute: Attribute, values: Values) -> Ints:
    """The levels of given values; a value that the model does not know is refused."""
    if attribute.values and attribute.type != "boolean":
        values = values.coded()
        found = places(values, attribute.values)
    elif attribute.values:
        found = values.ints
    else:
        found = np.searchsorted(attribute.edges, values.ints, side="right") - 1
        found = np.where(found >= attribute.n_there, -1, found)
    missing = values.missing
    if missing is not None and missing.any():
        if not attribute.may_miss:
            raise SpecError(f"given {attribute.name!r} is missing in some row, never in the model")
        found = np.where(missing, attribute.n_there, found)
    if len(found) and found.min() < 0:
        raise SpecError(_unknown(attribute, values, int(np.argmin(found))))
    return found


def _unknown(attribute: Attribute, values: Values, row: int) -> str:
    if values.domain is not None:
        value: object = values.domain[int(values.ints[row])]
        among = f"its values are {', '.join(attribute.values[:20])}"
    else:
        value = int(values.ints[row])
        low, high = int(attribute.edges[0]), int(attribute.edges[-1]) - 1
        among = f"its bounds are {low} and {high}"
        if attribute.type == "date":
            among += ", in days since 1970-01-01"
    return (
        f"the model does not know {attribute.name} = {value!r}: {among}; derive a column that has "
        "only these, or leave such rows out by 'where'"
    )
