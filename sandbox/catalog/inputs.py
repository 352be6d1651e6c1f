"""What a notebook may read: the choice of replicas, and the forms in which it travels on.

A notebook declares tables and columns. `select` finds the replicas that hold them and belong
together; the answer is mounted (`binds`), told to the kernel (`lab_catalog`) and written into the
run's record (`to_record`), from which `restore` finds the same replicas again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.catalog import wanted as wish
from sandbox.catalog.building import build
from sandbox.catalog.published import check_published
from sandbox.catalog.replicas import Recipe, Replica, not_built, preference, replicas
from sandbox.catalog.wanted import Wanted
from sandbox.errors import CatalogError
from sandbox.language import _, nearest
from sandbox.retold import retold
from sandbox.settings import Settings
from synthetic import statistics

PUBLISHED = "published"  # the schema of the packaged statistics, always there

Reads = Mapping[str, Sequence[str]]  # table, as dataset.table -> columns (none: all)


@dataclass(frozen=True, kw_only=True, eq=False)
class Inputs:
    """Replicas that belong together, and the tables and columns of them that are declared."""

    replicas: tuple[Replica, ...]
    columns: Mapping[str, tuple[str, ...]]  # qualified table -> declared columns
    published: Mapping[str, tuple[str, ...]]  # published table -> declared columns

    @property
    def tables(self) -> tuple[str, ...]:
        """The declared tables of replicas, as `dataset.table`."""
        return tuple(self.columns)

    def binds(self, root: Path) -> tuple[tuple[Path, Path], ...]:
        """Pair each declared table's folder with its place below `root`."""
        return tuple(
            (replica.folder / name, root / replica.dataset / name)
            for replica, name in self._declared()
        )

    def lab_catalog(self, root: Path | None, *, figures: bool = False) -> dict[str, Any]:
        """Describe the declared tables and columns to a notebook, without naming the draw.

        Paths lie below `root`, or are the host's own when `root` is None. Version, recipe, row
        counts and the figures of fidelity are left out: they differ from draw to draw. Where a
        person looks and nothing is repeated, `figures` brings those of fidelity.
        """
        return {
            "datasets": [
                {
                    "dataset": replica.dataset,
                    "as_of": replica.manifest["as_of"],
                    "title": replica.manifest["title"],
                    "description": replica.manifest["description"],
                    "tables": [
                        _told(
                            replica,
                            name,
                            self.columns[f"{replica.dataset}.{name}"],
                            root,
                            figures,
                        )
                        for owner, name in self._declared()
                        if owner is replica
                    ],
                }
                for replica in self.replicas
            ]
        }

    def to_record(self) -> list[dict[str, Any]]:
        """Write down which replicas these are, and what of them is declared."""
        return [
            {
                "dataset": replica.dataset,
                "version": replica.version,
                "recipe": dict(replica.manifest["recipe"]),
                "manifest_sha256": replica.manifest_sha256,
                "as_of": replica.manifest["as_of"],
                "tables": [
                    {
                        "name": name,
                        "rows": replica.table(name)["rows"],
                        "content_hash": replica.table(name)["content_hash"],
                        "columns": list(self.columns[f"{replica.dataset}.{name}"]),
                    }
                    for owner, name in self._declared()
                    if owner is replica
                ],
            }
            for replica in self.replicas
        ]

    def check_files(self) -> None:
        """Read the declared tables' files: what a record names is what its readers get."""
        for replica, name in self._declared():
            _check_files(replica, name)

    def _declared(self) -> Iterator[tuple[Replica, str]]:
        owners = {replica.dataset: replica for replica in self.replicas}
        for qualified in self.columns:
            dataset, name = qualified.split(".")
            yield owners[dataset], name


def select(
    settings: Settings,
    reads: Reads | None,
    *,
    recipe: Recipe | Mapping[str, Any] | None = None,
) -> Inputs:
    """Choose replicas of one recipe that hold the declared tables.

    Of the recipes that have them all, those of the whole country come before those of one area,
    then the newest comes first. `recipe` narrows the choice: a recipe, or any part of one, as in
    `{"scale": "0.01", "seed": 2}`; an area of None asks for the whole country.

    Without a declaration every dataset is taken that is built with the first recipe; nothing
    built is then no fault. Replicas belong together when they share a recipe and none of them
    depends on a version other than the one that is taken.
    """
    wanted = wish.read(recipe)
    built = [r for r in replicas(settings) if wish.fits(r.recipe, wanted)]
    if reads is None:
        if wanted and not built:
            raise _no_such(("population",), wanted)
        chosen = _most(built)
        everything = {f"{r.dataset}.{name}": () for r in chosen for name in r.tables}
        return _inputs(chosen, everything, {})
    tables, published = _split(reads)
    datasets = sorted({table.split(".")[0] for table in tables})
    _check_built(datasets, built, wanted)
    return _inputs(_choose(datasets, built, wanted), tables, published)


def restore(settings: Settings, record: Sequence[Mapping[str, Any]]) -> Inputs:
    """Find again the very replicas that a record names, or say which is gone or changed."""
    built = {(r.dataset, r.version): r for r in replicas(settings)}
    chosen: list[Replica] = []
    reads: dict[str, Sequence[str]] = {}
    for entry in record:
        replica = built.get((entry["dataset"], entry["version"]))
        if replica is None:
            raise CatalogError(
                _("replica {dataset}/{version} is gone; build it again with: {command}").format(
                    dataset=entry["dataset"],
                    version=entry["version"],
                    command=build(entry["dataset"], options=Recipe.read(entry["recipe"]).options()),
                )
            )
        if replica.manifest_sha256 != entry["manifest_sha256"]:
            raise CatalogError(
                _(
                    "replica {dataset}/{version} is not the one that was submitted: its manifest "
                    "has changed; remove {folder} and build it again with: {command}"
                ).format(**_again(replica))
            )
        chosen.append(replica)
        for table in entry["tables"]:
            reads[f"{replica.dataset}.{table['name']}"] = tuple(table["columns"])
    return _inputs(tuple(chosen), reads, {})


def _check_files(replica: Replica, table: str) -> None:
    """Compare a table's files with its replica's manifest."""
    for file in replica.table(table)["files"]:
        path = replica.folder / file["path"]
        try:
            with path.open("rb") as content:
                is_same = hashlib.file_digest(content, "sha256").hexdigest() == file["sha256"]
        except OSError as error:
            raise CatalogError(
                _("cannot read {path!r}: {remedy}").format(
                    path=str(path), remedy=retold(str(error.strerror))
                )
            ) from error
        if not is_same:
            raise CatalogError(
                _(
                    "replica {dataset}/{version} is damaged: {file} is not as its manifest says; "
                    "remove {folder} and build it again with: {command}"
                ).format(file=file["path"], **_again(replica))
            )


def _again(replica: Replica) -> dict[str, object]:
    """Name a replica and the command that builds it again, for a message."""
    return {
        "dataset": replica.dataset,
        "version": replica.version,
        "folder": replica.folder,
        "command": build(replica.dataset, options=replica.recipe.options()),
    }


def _split(reads: Reads) -> tuple[dict[str, Sequence[str]], dict[str, tuple[str, ...]]]:
    """Part the tables of replicas from the published ones, which are always at hand."""
    tables: dict[str, Sequence[str]] = {}
    published: dict[str, tuple[str, ...]] = {}
    for qualified, columns in reads.items():
        dataset, dot, name = qualified.partition(".")
        if not (dataset and dot and name) or "." in name:
            raise CatalogError(
                _("{name!r} is not a table; write dataset.table, as in {example!r}").format(
                    name=qualified, example="population.persons"
                )
            )
        if dataset == PUBLISHED:
            check_published(name)
            published[name] = _known_columns(qualified, columns, statistics.header(name))
        else:
            tables[qualified] = columns
    return tables, published


def _inputs(
    chosen: tuple[Replica, ...],
    reads: Reads,
    published: Mapping[str, tuple[str, ...]],
) -> Inputs:
    owners = {replica.dataset: replica for replica in chosen}
    columns = {}
    for qualified, declared in reads.items():
        dataset, name = qualified.split(".")
        columns[qualified] = _known_columns(qualified, declared, owners[dataset].columns(name))
    return Inputs(replicas=chosen, columns=columns, published=published)


def _known_columns(table: str, declared: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    for column in declared:
        if column not in known:
            raise CatalogError(
                _("{table} has no column {column!r}; {hint}").format(
                    table=table, column=column, hint=nearest(column, known)
                )
            )
    return tuple(declared) or tuple(known)


def _check_built(datasets: Sequence[str], built: Sequence[Replica], wanted: Wanted) -> None:
    there = {replica.dataset for replica in built}
    missing = [dataset for dataset in datasets if dataset not in there]
    if missing and wanted:
        raise _no_such(missing, wanted, datasets)
    if missing:
        raise not_built(missing[0], there)


def _no_such(
    missing: Sequence[str], wanted: Wanted, datasets: Sequence[str] | None = None
) -> CatalogError:
    return CatalogError(
        _("{datasets} not built with {wanted}; build with: {command}").format(
            datasets=_(" and ").join(missing),
            wanted=wish.told(wanted),
            command=build(*(datasets or missing), options=wish.options(wanted)),
        )
    )


def _choose(
    datasets: Sequence[str], built: Sequence[Replica], wanted: Wanted
) -> tuple[Replica, ...]:
    """Take the first recipe for which all datasets are built and belong together."""
    found = [
        chosen
        for recipe in dict.fromkeys(replica.recipe for replica in built)
        if (chosen := _together(datasets, [r for r in built if r.recipe == recipe])) is not None
    ]
    if found:
        return min(
            found, key=lambda chosen: min(map(preference, chosen), default=(False, False, 0))
        )
    if not datasets:
        return ()
    options = wish.options(wanted) if wanted else min(built, key=preference).recipe.options()
    raise CatalogError(
        _(
            "{datasets} are built, but not together: no recipe has them all at versions that fit; "
            "build them in one go with: {command}"
        ).format(datasets=", ".join(datasets), command=build(*datasets, options=options))
    )


def _most(built: Sequence[Replica]) -> tuple[Replica, ...]:
    """Take as many datasets of the first recipe as belong together."""
    if not built:
        return ()
    first = min(built, key=preference).recipe
    same = [replica for replica in built if replica.recipe == first]
    datasets = sorted({replica.dataset for replica in same})
    for n_datasets in range(len(datasets), 0, -1):
        for some in combinations(datasets, n_datasets):
            chosen = _together(some, same)
            if chosen is not None:
                return chosen
    return ()


def _together(
    datasets: Sequence[str],
    built: Sequence[Replica],
    versions: Mapping[str, str] | None = None,
) -> tuple[Replica, ...] | None:
    """Choose one replica of each dataset so that no two name different versions of a third."""
    if not datasets:
        return ()
    fixed = versions or {}
    for replica in built:
        if replica.dataset != datasets[0]:
            continue
        named = {replica.dataset: replica.version, **replica.depends}
        if any(fixed.get(name, version) != version for name, version in named.items()):
            continue
        rest = _together(datasets[1:], built, {**fixed, **named})
        if rest is not None:
            return (replica, *rest)
    return None


def _told(
    replica: Replica, name: str, declared: Sequence[str], root: Path | None, figures: bool
) -> dict[str, Any]:
    """Describe one table to a notebook, with its declared columns only."""
    table = replica.table(name)
    base = replica.folder if root is None else root / replica.dataset
    return {
        "name": name,
        "title": table["title"],
        "description": table["description"],
        "files": [str(base / PurePosixPath(file["path"])) for file in table["files"]],
        "questions": list(table.get("questions", ())),
        "columns": [
            column if figures else _told_column(column)
            for column in table["columns"]
            if column["name"] in declared
        ],
    }


def _told_column(column: Mapping[str, Any]) -> dict[str, Any]:
    """Describe one column; of its fidelity only what the spec says, the same for every draw."""
    fidelity = {key: column["fidelity"][key] for key in ("status", "against", "because")}
    return {**column, "fidelity": fidelity}
