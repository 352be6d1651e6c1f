"""How far the data that a run used are measured: what it could read, and what it says it read.

*Could read*: the columns that were declared, and so shown. *Reported as read*: those that the
connection's log in the work folder names; a notebook can write that file too. Each column has the
status and the figure of its replica's manifest.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.catalog.replicas import UNREADABLE, Replica
from sandbox.catalog.replicas import read as read_manifest
from sandbox.evidence.carried import columns_of
from sandbox.evidence.lineage import Lineage
from sandbox.evidence.reported import Read, reported
from sandbox.language import N_
from sandbox.runs.evidenced import told
from sandbox.runs.folder import RunFolder, read
from sandbox.runs.record import Reason
from sandbox.runs.states import Kind
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings

FEW = 30  # rows behind a result; of fewer, chance alone moves it far
FEW_ROWS, ONLY_ASSUMED = "few rows", "only assumed columns"  # kinds of warnings
GONE = N_("the manifest of {dataset}/{version} is gone, or is not the one of the run")

Columns = Mapping[str, Iterable[str]]  # table, as dataset.table -> columns


class GoneError(Exception):
    """A replica's manifest is not there any more, or another one."""


@dataclass(frozen=True, eq=False)
class Replicas:
    """The replicas that a run was given, and where their derived columns come from."""

    known: Mapping[str, Replica]
    lineage: Lineage

    def described(self, columns: Columns) -> list[dict[str, Any]]:
        """Give these columns with their fidelity; a column that there is not is left out."""
        return [
            one
            for table in sorted(columns)
            for name in columns[table]
            if (one := self._described(table, name)) is not None
        ]

    def _described(self, table: str, column: str) -> dict[str, Any] | None:
        found = self._column(table, column)
        if found is None:
            return None
        fidelity = found["fidelity"]
        is_derived = fidelity["status"] == "derived"
        dataset, _, name = table.partition(".")
        of = self.lineage.computed_from(dataset, name, column) if is_derived else []
        return {
            "table": table,
            "column": column,
            "status": fidelity["status"],
            "figure": fidelity["distance"],
            "against": fidelity["against"],
            "of": of,
            "is_key": self._is_key(table, found),
            "on_assumed": any(self._status(name) == "assumed" for name in of),
        }

    def _column(self, table: str, column: str) -> Mapping[str, Any] | None:
        dataset, _, name = table.partition(".")
        replica = self.known.get(dataset)
        tables = replica.tables if replica else {}
        columns = tables[name]["columns"] if name in tables else []
        return next((one for one in columns if one["name"] == column), None)

    def _is_key(self, table: str, column: Mapping[str, Any]) -> bool:
        """Whether a column only joins rows: a result does not rest on what it says."""
        dataset, _, name = table.partition(".")
        keys = self.known[dataset].table(name).get("key", ())
        return column["name"] in keys or column.get("references") is not None

    def _status(self, qualified: str) -> str | None:
        table, _, column = qualified.rpartition(".")
        found = self._column(table, column)
        return None if found is None else str(found["fidelity"]["status"])


def fidelity(settings: Settings, folder: RunFolder) -> dict[str, Any]:
    """Say which columns a run could read and reports as read, and how true each is."""
    record = folder.record() or {}
    try:
        replicas = _replicas(settings, record["inputs"])
    except GoneError as error:
        reason = Reason(kind=Kind.COULD_NOT_START, message=str(error))
        return told("fidelity", Verdict.FAILED, reason)
    could_read = replicas.described(_declared(record["inputs"]))
    cells = reported(folder.first.work)
    was_read = None if cells is None else replicas.described(_together(cells.values()))
    return told(
        "fidelity",
        verdict(could_read if was_read is None else was_read),
        could_read=could_read,
        read=was_read,
        warnings=list(_warnings(folder, record["results"], replicas, cells)),
    )


def verdict(columns: list[dict[str, Any]]) -> Verdict:
    """Judge what rests on some columns; those that only join rows carry nothing."""
    carrying = [one for one in columns if not one["is_key"]] or columns
    if not carrying:
        return Verdict.NO_DATA
    n_measured = sum(map(_is_measured, carrying))
    if n_measured == len(carrying):
        return Verdict.MEASURED
    return Verdict.PARTLY_ASSUMED if n_measured else Verdict.ASSUMED


def _is_measured(column: Mapping[str, Any]) -> bool:
    return column["status"] in {"calibrated", "measured", "derived"} and not column["on_assumed"]


def _replicas(settings: Settings, inputs: Iterable[Mapping[str, Any]]) -> Replicas:
    """Read the very manifests that the run was given."""
    known = {}
    for one in inputs:
        path = settings.replicas / one["dataset"] / one["version"] / "manifest.json"
        try:
            replica = read_manifest(path)
            if replica.manifest_sha256 != one["manifest_sha256"]:
                raise ValueError("another manifest")
        except UNREADABLE as error:
            message = GONE.format(dataset=one["dataset"], version=one["version"])
            raise GoneError(message) from error
        known[one["dataset"]] = replica
    return Replicas(known, Lineage.of(replica.manifest for replica in known.values()))


def _declared(inputs: Iterable[Mapping[str, Any]]) -> Columns:
    return {
        f"{one['dataset']}.{table['name']}": table["columns"]
        for one in inputs
        for table in one["tables"]
    }


def _together(reads: Iterable[Read]) -> Columns:
    found: dict[str, set[str]] = {}
    for read_ in reads:
        for table, columns in read_.items():
            found.setdefault(table, set()).update(columns)
    return {table: sorted(columns) for table, columns in found.items()}


def _warnings(
    folder: RunFolder,
    results: Iterable[Mapping[str, Any]],
    replicas: Replicas,
    cells: Mapping[int, Read] | None,
) -> Iterator[dict[str, Any]]:
    """Warn of results with few rows behind them, or carried by assumed columns alone."""
    notebook = read(folder.executed)
    for one in results:
        about = {"result": one["name"], "cell": one["cell"], "n": one["n"]}
        if one["n"] is not None and one["n"] < FEW:
            yield {"kind": FEW_ROWS, **about}
        if cells is not None:
            carrying = replicas.described(columns_of(notebook, cells, one["cell"]))
            if verdict(carrying) is Verdict.ASSUMED:
                named = [f"{each['table']}.{each['column']}" for each in carrying]
                yield {"kind": ONLY_ASSUMED, **about, "columns": named}
