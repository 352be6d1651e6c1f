"""How far the columns that a run used are measured, in words."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sandbox.runs.report.quantities import percent
from sandbox.runs.report.reading import number, objects, sequence, text, whole
from sandbox.runs.report.words import FIDELITY, NOTHING, Words, said

MOST = 500  # columns shown
MEASURED = {"calibrated", "measured", "derived"}


@dataclass(frozen=True, kw_only=True)
class UsedColumn:
    """One column that could be read, or was."""

    table: str
    name: str
    status: str
    word: Words
    distance: Words
    of: tuple[str, ...]  # what it was derived from
    is_key: bool  # joins rows; nothing rests on what it says
    is_measured: bool


@dataclass(frozen=True, kw_only=True)
class Remark:
    """What a reader of one result should know."""

    kind: str
    result: Words
    cell: int | None
    badge: Words


@dataclass(frozen=True, kw_only=True)
class Used:
    """What a run could read, and what it reports as read."""

    verdict: str
    is_reported: bool  # else only what it could read is known
    columns: tuple[UsedColumn, ...]  # those that the verdict is about
    n_could_read: int
    remarks: tuple[Remark, ...]

    @property
    def carrying(self) -> tuple[UsedColumn, ...]:
        """The columns that do more than join rows."""
        return tuple(one for one in self.columns if not one.is_key) or self.columns

    @property
    def n_assumed(self) -> int:
        """How many of these rest on an assumption."""
        return sum(not one.is_measured for one in self.carrying)


def used(told: dict[str, Any], verdict: str) -> Used:
    """Read what the supervisor wrote of the columns."""
    could_read = objects(told.get("could_read"))
    is_reported = isinstance(told.get("read"), list)
    shown = objects(told.get("read")) if is_reported else could_read
    return Used(
        verdict=verdict,
        is_reported=is_reported,
        columns=tuple(_column(one) for one in shown[:MOST]),
        n_could_read=len(could_read),
        remarks=tuple(_remark(one) for one in objects(told.get("warnings"))),
    )


def _column(given: dict[str, Any]) -> UsedColumn:
    status, distance = text(given.get("status")), number(given.get("figure"))
    status = status if status in FIDELITY else "unknown"
    return UsedColumn(
        table=text(given.get("table")),
        name=text(given.get("column")),
        status=status,
        word=FIDELITY[status],
        distance=NOTHING if distance is None else percent(distance),
        of=tuple(text(one) for one in sequence(given.get("of"))),
        is_key=given.get("is_key") is True,
        is_measured=status in MEASURED and given.get("on_assumed") is not True,
    )


def _remark(given: dict[str, Any]) -> Remark:
    kind, n = text(given.get("kind")), whole(given.get("n"))
    badge = {
        "few rows": Words(f"chỉ {n} quan sát", f"{n} rows only"),
        "only assumed columns": Words("chỉ dựa vào cột giả định", "rests on assumed columns only"),
    }.get(kind, Words(kind))
    return Remark(
        kind=kind, result=said(given.get("result")), cell=whole(given.get("cell")), badge=badge
    )
