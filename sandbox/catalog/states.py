"""What state each dataset is in on this machine: ready, building, damaged or missing.

A replica is ready when its manifest can be read and its files have the sizes that the manifest
gives. Their bytes are not read here (a country is gigabytes): `synthetic verify` and every
submission do that.
"""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import Any

from sandbox.catalog.building import build
from sandbox.catalog.packaged import packaged
from sandbox.catalog.replicas import UNREADABLE, Recipe, Replica, preference, read
from sandbox.catalog.shown import cannot_list, check_shown
from sandbox.language import _
from sandbox.retold import retold
from sandbox.settings import Settings
from synthetic.tables import staging

READY, BUILDING, DAMAGED, MISSING = "ready", "building", "damaged", "missing"
STAGING = ".staging"  # where `synthetic build` works: <dataset>-<version>-<own name>
USUAL = "--scale 0.01"  # a first build: one person in a hundred, ready within a minute
_VERSION = re.compile(
    r"s(?P<scale>[0-9.]+)-(?P<area>[a-z0-9]+)-seed(?P<seed>[0-9]+)-(?P<margins>exact|sampled)-"
)


def states(settings: Settings) -> list[dict[str, Any]]:
    """Tell the state of every packaged dataset and of every version that is here or on its way.

    Each entry has "dataset", "title", "version" (None where nothing is built), "state", "message"
    for people, and "remedy": a command, or nothing where there is nothing to mend. Datasets that
    others rest on come first; within one, the version that a run takes by default.
    """
    found = [*_built(settings.replicas), *_building(settings.replicas)]
    known, seen = packaged(), {entry["dataset"] for entry in found}
    found += [_missing(dataset) for dataset in known if dataset not in seen]
    for entry in found:
        name = entry["dataset"]
        title = known[name]["title"] if name in known else {"vi": name, "en": name}
        entry["title"] = entry["title"] or title
    return sorted(found, key=lambda entry: _place(entry["dataset"]))


def _place(dataset: str) -> tuple[int, str]:
    return (len(packaged().get(dataset, {"uses": ()})["uses"]), dataset)


def _built(root: Path) -> list[dict[str, Any]]:
    """Inspect every replica in place: the whole ones by preference, then the damaged ones."""
    folders = _folders(root)
    inspected = [(folder, *_inspect(folder)) for folder in folders]
    whole = sorted((r for _f, r, fault in inspected if r and not fault), key=preference)
    damaged = [one for one in inspected if one[1] is None or one[2]]
    return [*(_ready(replica, folders) for replica in whole), *(_damaged(*one) for one in damaged)]


def _folders(root: Path) -> list[Path]:
    """Every folder that should be a replica."""
    try:
        datasets = [path for path in sorted(root.iterdir()) if _is_shown(path)]
        return [v for path in datasets for v in sorted(path.iterdir()) if _is_shown(v)]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise cannot_list(root, error) from error


def _is_shown(path: Path) -> bool:
    return path.is_dir() and not path.name.startswith(".")


def _inspect(folder: Path) -> tuple[Replica | None, str]:
    """Read a replica and say what is wrong with it, if anything is."""
    try:
        replica = read(folder / "manifest.json")
        check_shown(replica.manifest)
    except FileNotFoundError:
        return None, _("its manifest.json is missing")
    except OSError as error:
        return None, _("its manifest.json cannot be read: {reason}").format(
            reason=retold(str(error.strerror))
        )
    except UNREADABLE as error:
        # A KeyError's text is the key alone; with its name it says what is missing.
        reason = f"{type(error).__name__}: {error}"[:200]
        return None, _("its manifest.json is not as it was written: {reason}").format(reason=reason)
    return replica, next(_faults(replica), "")


def _faults(replica: Replica) -> Iterator[str]:
    """Compare the files' names and sizes with the manifest."""
    for table in replica.tables.values():
        for file in table["files"]:
            path, name = replica.folder / file["path"], file["path"]
            try:
                facts = path.stat()
            except FileNotFoundError:
                yield _("its file {file} is missing").format(file=name)
                continue
            except OSError as error:
                reason = retold(str(error.strerror))
                yield _("its file {file} cannot be read: {reason}").format(file=name, reason=reason)
                continue
            if not S_ISREG(facts.st_mode) or not os.access(path, os.R_OK):
                yield _("its file {file} may not be read, or is not a file").format(file=name)
            elif facts.st_size != file["bytes"]:
                yield _("its file {file} has {size} bytes instead of {expected}").format(
                    file=name, size=facts.st_size, expected=file["bytes"]
                )


def _ready(replica: Replica, folders: Sequence[Path]) -> dict[str, Any]:
    """Describe a whole replica; if what its keys lead to is gone, say so."""
    here = {(folder.parent.name, folder.name) for folder in folders}
    gone = [name for name, version in replica.depends.items() if (name, version) not in here]
    message, remedy = _("Whole and ready to use."), ""
    if gone:
        message = _("Whole, but its keys lead to a version of {datasets} that is not here.").format(
            datasets=", ".join(gone)
        )
        remedy = build(*gone, options=replica.recipe.options())
    title = replica.manifest["title"]
    return _entry(replica.dataset, replica.version, READY, message, remedy, title)


def _damaged(folder: Path, replica: Replica | None, fault: str) -> dict[str, Any]:
    dataset = folder.parent.name
    options = replica.recipe.options() if replica else _options(folder.name)
    message = _("Damaged: {fault}. Delete its folder and build it again.").format(fault=fault)
    # `--`, quotes: a folder may bear any name, and this is pasted into a shell.
    remove = f"rm -r -- {shlex.quote(str(folder))}"
    remedy = f"{remove} && {build(dataset, options=options)}"
    title = replica.manifest["title"] if replica else None
    return _entry(dataset, folder.name, DAMAGED, message, remedy, title)


def _building(root: Path) -> Iterator[dict[str, Any]]:
    """Tell what builds are at work: the staging folders that a process holds."""
    staged: list[Path] = []
    with suppress(OSError):  # there is none, or it went between two looks
        staged = sorted((root / STAGING).iterdir())
    for folder in staged:
        name, _dash, _own = folder.name.rpartition("-")
        dataset, _dash, version = name.partition("-")
        if version and staging.is_held(folder):
            message = _("Being built now; reload in a moment.")
            yield _entry(dataset, version, BUILDING, message, "")


def _missing(dataset: str) -> dict[str, Any]:
    remedy = build(dataset, options=USUAL)
    return _entry(dataset, None, MISSING, _("Not built on this machine."), remedy)


def _entry(
    dataset: str,
    version: str | None,
    state: str,
    message: str,
    remedy: str,
    title: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "dataset": dataset,
        "title": title,
        "version": version,
        "state": state,
        "message": message,
        "remedy": remedy,
    }


def _options(version: str) -> str:
    """Read the options of a build out of a version's name, or take the usual ones."""
    named = _VERSION.match(version)
    if named is None:
        return USUAL
    area = None if named["area"] == "all" else named["area"]
    return Recipe.read({**named.groupdict(), "area": area}).options()
