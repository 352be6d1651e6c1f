"""What the pages say of whole datasets: their state, versions, tables and reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox import catalog
from sandbox.catalog import Replica
from sandbox.settings import Settings

State = Mapping[str, Any]  # as `catalog.states` gives it


@dataclass(frozen=True, kw_only=True)
class Version:
    """One replica of a dataset, or one that is being built or damaged."""

    state: State
    recipe: Mapping[str, Any] | None
    n_rows: int | None
    built_at: datetime | None
    is_default: bool


@dataclass(frozen=True, kw_only=True, eq=False)
class Dataset:
    """One dataset, with the replica that a run takes by default if there is one."""

    name: str
    states: Sequence[State]  # the default one first
    replica: Replica | None
    versions: Sequence[Version]

    @property
    def state(self) -> State:
        """The state of the version that is shown, else of the first that there is."""
        shown = self.replica.version if self.replica else None
        return next((s for s in self.states if s["version"] == shown), self.states[0])

    @property
    def facts(self) -> Mapping[str, Any]:
        """What the replica's manifest says, else the packaged spec."""
        if self.replica is not None:
            return self.replica.manifest
        spec = catalog.packaged().get(self.name)
        return spec or {"title": self.state["title"], "description": None, "tables": []}

    @property
    def n_rows(self) -> int | None:
        """Rows of all tables."""
        return None if self.replica is None else _n_rows(self.replica)


def datasets(settings: Settings) -> dict[str, Dataset]:
    """Give every dataset that is packaged or built, by name."""
    found: dict[str, list[State]] = {}
    for state in catalog.states(settings):
        found.setdefault(state["dataset"], []).append(state)
    shown = catalog.shown(settings)
    return {name: _dataset(name, states, shown) for name, states in found.items()}


def _dataset(name: str, states: Sequence[State], shown: Sequence[Replica]) -> Dataset:
    own = {replica.version: replica for replica in shown if replica.dataset == name}
    default = next(iter(own.values()), None)
    return Dataset(
        name=name,
        states=states,
        replica=default,
        versions=[
            _version(state, own.get(state["version"]), default)
            for state in states
            if state["version"] is not None
        ],
    )


def _version(state: State, replica: Replica | None, default: Replica | None) -> Version:
    if replica is None:
        return Version(state=state, recipe=None, n_rows=None, built_at=None, is_default=False)
    return Version(
        state=state,
        recipe=replica.manifest["recipe"],
        n_rows=_n_rows(replica),
        built_at=datetime.fromtimestamp(replica.published_at / 1e9, UTC),
        is_default=replica is default,
    )


def _n_rows(replica: Replica) -> int:
    return sum(table["rows"] for table in replica.manifest["tables"])
