"""What can be opened from here: templates by domain, and guided notebooks."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.language import _, either
from sandbox.runs import notebook as notebooks
from sandbox.settings import notebooks_folder, templates_folder

log = logging.getLogger(__name__)

TEMPLATE, NOTEBOOK = "template", "notebook"
FOLDERS = {TEMPLATE: templates_folder, NOTEBOOK: notebooks_folder}
LARGEST_MINUTES = 24 * 60


@dataclass(frozen=True, kw_only=True, eq=False)
class Item:
    """One notebook that ships with this program."""

    kind: str
    name: str
    path: Path
    told: Mapping[str, Any]  # what it says of itself
    datasets: tuple[str, ...]

    @property
    def title(self) -> str:
        """Its title in the spoken language."""
        return either(self.told.get("title")) or self.name

    @property
    def purpose(self) -> str:
        """One line on what it is for."""
        return either(self.told.get("purpose"))

    @property
    def minutes(self) -> int | None:
        """How long it takes a reader."""
        minutes = self.told.get("minutes")
        return minutes if type(minutes) is int and 0 < minutes <= LARGEST_MINUTES else None

    @property
    def domain(self) -> str:
        """The field that it belongs to."""
        domain = self.told.get("domain")
        return domain if isinstance(domain, str) and domain else "other"

    def to_answer(self) -> dict[str, Any]:
        """Give it as the interface does."""
        answer: dict[str, Any] = {"name": self.name, "title": self.title, "purpose": self.purpose}
        answer |= {"minutes": self.minutes}
        return answer | ({"datasets": list(self.datasets)} if self.kind == TEMPLATE else {})


def items(kind: str) -> list[Item]:
    """List what there is of a kind, in the order of the files' names."""
    found = []
    for path in sorted(FOLDERS[kind]().glob("*.ipynb")):
        try:
            found.append(_read(kind, path, path.stat().st_mtime_ns))
        except (SandboxError, OSError) as error:
            log.warning("%s is left out: %s", path, error)
    return found


def find(kind: str, name: str) -> Item | None:
    """Find one by its name."""
    if kind not in FOLDERS:
        return None
    return next((item for item in items(kind) if item.name == name), None)


def domains() -> list[tuple[str, str, list[Item]]]:
    """Give templates by domain, with each domain's title."""
    known = {
        "market": _("Market"),
        "people": _("People and society"),
        "health": _("Health"),
        "education": _("Education"),
        "enterprise": _("Enterprises"),
        "finance": _("Finance"),
        "land": _("Land and places"),
        "work": _("Work and income"),
        "other": _("Other"),
    }
    groups: dict[str, list[Item]] = {}
    for item in items(TEMPLATE):
        groups.setdefault(item.domain, []).append(item)
    order = [*known, *sorted(set(groups) - set(known))]
    return [
        (domain, known.get(domain, domain.replace("_", " ").capitalize()), groups[domain])
        for domain in order
        if domain in groups
    ]


@lru_cache(maxsize=256)
def _read(kind: str, path: Path, changed_at: int) -> Item:
    notebook = notebooks.read(path)
    reads = notebook.reads or {}
    datasets = dict.fromkeys(table.partition(".")[0] for table in reads)
    datasets.pop("published", None)
    return Item(
        kind=kind,
        name=path.stem,
        path=path,
        told=notebook.described,
        datasets=tuple(datasets),
    )
