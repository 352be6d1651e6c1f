"""What a notebook changed beside its template and its last version, in words and in lines."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.runs.report.reading import mapping, objects, sequence, text, whole
from sandbox.runs.report.words import NOTHING, Words

MOST = 200  # cells shown
KINDS = {
    "added": Words("thêm", "added"),
    "removed": Words("bỏ", "removed"),
    "changed": Words("sửa", "changed"),
}
SIGNS = {"+": "added", "-": "removed"}
DECLARED = {
    "title": Words("tên", "title"),
    "question": Words("câu hỏi", "question"),
    "purpose": Words("mục đích", "purpose"),
    "limits": Words("giới hạn", "limits"),
    "reads": Words("dữ liệu khai báo đọc", "declared data"),
}


@dataclass(frozen=True, kw_only=True)
class Line:
    """One line of a difference."""

    kind: str  # added, removed, or neither
    text: str


@dataclass(frozen=True, kw_only=True)
class ChangedCell:
    """One cell that is not as it was."""

    kind: str
    word: Words
    number: int  # from 1, in this notebook, or of a removed one in the other
    lines: tuple[Line, ...]
    cut: bool


@dataclass(frozen=True, kw_only=True)
class Beside:
    """A notebook beside another one."""

    name: str
    same: bool
    declared: Words  # which of its declarations differ
    cells: tuple[ChangedCell, ...]
    counts: Words

    @property
    def n(self) -> int:
        """How many cells differ."""
        return len(self.cells)


@dataclass(frozen=True, kw_only=True)
class Changes:
    """What a notebook changed."""

    verdict: str
    template: Beside | None
    previous: Beside | None


def changes(told: dict[str, Any], verdict: str) -> Changes:
    """Read what the supervisor wrote of the changes."""
    cells = objects(told.get("cells"))
    return Changes(
        verdict=verdict,
        template=_beside(told, "template", "name", cells),
        previous=_beside(told, "previous", "run", cells),
    )


def _beside(
    told: dict[str, Any], against: str, name: str, cells: list[dict[str, Any]]
) -> Beside | None:
    given = mapping(told.get(against))
    if not given:
        return None
    differing = [
        _cell(one)
        for one in cells
        if text(one.get("against")) == against and text(one.get("kind")) in KINDS
    ]
    return Beside(
        name=text(given.get(name)),
        same=given.get("same") is True,
        declared=_declared(given),
        cells=tuple(differing[:MOST]),
        counts=_counts(differing),
    )


def _cell(given: dict[str, Any]) -> ChangedCell:
    kind = text(given.get("kind"))
    place = whole(given.get("before" if kind == "removed" else "after")) or 0
    return ChangedCell(
        kind=kind,
        word=KINDS[kind],
        number=place + 1,
        lines=tuple(_line(text(one)) for one in sequence(given.get("diff"))),
        cut=given.get("cut") is True,
    )


def _line(written: str) -> Line:
    return Line(kind=SIGNS.get(written[:1], ""), text=written)


def _counts(cells: list[ChangedCell]) -> Words:
    counted = [(word, sum(one.kind == kind for one in cells)) for kind, word in KINDS.items()]
    known = [(word, n) for word, n in counted if n]
    return Words(
        ", ".join(f"{word.vi} {n} ô" for word, n in known),
        ", ".join(f"{n} {'cell' if n == 1 else 'cells'} {word.en}" for word, n in known),
    )


def _declared(given: dict[str, Any]) -> Words:
    named = [DECLARED.get(key, Words(key)) for key in map(text, sequence(given.get("declared")))]
    if not named:
        return NOTHING
    return Words(", ".join(one.vi for one in named), ", ".join(one.en or one.vi for one in named))
