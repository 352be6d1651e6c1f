"""The few sentences at the top: what happened, when, where, how far it can be trusted."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.runs.report.facts import Facts
from sandbox.runs.report.words import (
    NOT_REPEATED,
    NOTHING,
    RAN_ONCE,
    RAN_TWICE,
    REDREW,
    SYNTHETIC_SHORT,
    Words,
)


@dataclass(frozen=True)
class Sentence:
    """One sentence; `changes` if it differs between two runs of the same notebook."""

    words: Words
    changes: bool = False
    warns: bool = False


UNISOLATED = Words(
    "Không cách ly: sổ tay chạy với quyền của người dùng trên máy đó.",
    "Not isolated: the notebook ran with its user's rights on that machine.",
)
ISOLATION_UNKNOWN = Words("Không rõ có cách ly hay không.", "Whether it was isolated is not known.")
NO_RECORD = Words(
    "Không có biên bản của bộ giám sát, hoặc không đọc được: báo cáo chỉ dựa trên bài nộp.",
    "The supervisor's record is missing or unreadable: this report rests on the submission alone.",
)


def headline(facts: Facts) -> Words:
    """Say in one sentence how the run ended, and truly why."""
    failure, cell = facts.failure, facts.failing_cell
    if facts.status == "failed" and failure and failure.number == cell and failure.name:
        return Words(
            f"Sổ tay dừng lại ở ô {cell} vì lỗi {failure.name}.",
            f"The notebook stopped at cell {cell}: {failure.name}.",
        )
    if facts.reason and cell is not None and not facts.succeeded:
        return Words(
            f"{facts.reason.vi} Ô đang chạy: {cell}.", f"{facts.reason.en} At cell {cell}."
        )
    return facts.reason


def sentences(facts: Facts) -> list[Sentence]:
    """Say when, where, how isolated, how often: one sentence each, only what is known."""
    said = [] if facts.has_record else [Sentence(NO_RECORD, warns=True)]
    if facts.started:
        said.append(Sentence(_when(facts), changes=True))
    if facts.has_record and (facts.succeeded or _began(facts)):
        said.append(Sentence(_isolation(facts), warns=not facts.isolation.isolated))
    unfinished = sum(cell.state in {"failed", "interrupted"} for cell in facts.cells)
    if facts.succeeded and unfinished:
        contradiction = Words(
            f"Lưu ý: biên bản ghi {unfinished} ô bị lỗi hoặc bị ngắt.",
            f"Note: the record has {unfinished} cells that failed or were interrupted.",
        )
        said.append(Sentence(contradiction, warns=True))
    if facts.succeeded and not facts.evidence.is_asked:
        said.append(Sentence(NOT_REPEATED))
    said.append(Sentence(SYNTHETIC_SHORT))
    return said


def unsaid(facts: Facts) -> Words:
    """Say what the evidence of a run that succeeded leaves open."""
    if not facts.succeeded:
        return NOTHING
    if facts.evidence.redrawn.executed:
        return REDREW
    return RAN_TWICE if facts.evidence.reproduced.is_compared else RAN_ONCE


def _began(facts: Facts) -> bool:
    return any(cell.state not in {"", "not run"} for cell in facts.cells)


def _when(facts: Facts) -> Words:
    lasted = facts.duration
    vi = f", trong {lasted.vi}" if lasted else ""
    en = f", for {lasted.en or lasted.vi}" if lasted else ""
    return Words(
        f"Chạy lúc {facts.started.vi}{vi}, trên {facts.runner.vi}.",
        f"Run at {facts.started.en or facts.started.vi}{en}, on {facts.runner.en}.",
    )


def _isolation(facts: Facts) -> Words:
    isolation = facts.isolation
    if not isolation.known:
        return ISOLATION_UNKNOWN
    if not isolation.isolated:
        return UNISOLATED
    return Words(
        f"Chạy cách ly bằng {isolation.mechanism}.", f"Isolated with {isolation.mechanism}."
    )


def template(facts: Facts) -> Words:
    """Say how the notebook stands to the template it came from."""
    name = facts.template
    if not name:
        return NOTHING
    if facts.template_unchanged:
        return Words(f"{name}, giữ nguyên", f"{name}, unchanged")
    if facts.template_unchanged is False:
        return Words(f"{name}, đã sửa", f"{name}, changed")
    return Words(name)
