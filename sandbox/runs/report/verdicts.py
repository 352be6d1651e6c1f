"""The verdicts of a run's evidence in a few words each, for who has a minute."""

from __future__ import annotations

from dataclasses import dataclass

from sandbox.runs.report.changes import Changes
from sandbox.runs.report.redrawn import Null, Redrawn
from sandbox.runs.report.used import Used
from sandbox.runs.report.words import Words

KINDS = {
    "good": {"identical", "equal within tolerance", "holds", "depends", "measured", "unchanged"},
    "warns": {"flips", "does not depend", "partly assumed", "assumed"},
    "bad": {"differs", "failed"},
    "open": {"pending"},
}
MARKS = {"good": "✓", "warns": "!", "bad": "✗", "open": "…", "plain": "–"}


@dataclass(frozen=True, kw_only=True)
class Part:
    """One part of the evidence; its figures stand under its name."""

    name: str
    verdict: str
    words: Words
    has_remarks: bool = False

    @property
    def kind(self) -> str:
        """Whether it is good, bad, a warning, still open, or plain."""
        found = next((kind for kind, known in KINDS.items() if self.verdict in known), "plain")
        return "warns" if found == "good" and self.has_remarks else found

    @property
    def mark(self) -> str:
        """The sign beside it, so that colour is never alone in telling it."""
        return "≠" if self.verdict == "changed" else MARKS[self.kind]


REPRODUCED = {
    "identical": Words("Chạy hai lần cho kết quả giống hệt", "ran twice the same"),
    "equal within tolerance": Words(
        "Chạy hai lần cho kết quả như nhau, trong sai số", "ran twice the same, within tolerance"
    ),
    "differs": Words("Chạy lại cho kết quả khác", "a second run differs"),
    "pending": Words("Đang chạy lại để đối chiếu", "being run again"),
    "failed": Words("Chạy lại không đến đích", "the second run did not finish"),
    "not run": Words("Chưa chạy lại", "not run again"),
}
REDRAWN = {
    "failed": Words("Không lần gieo mới nào chạy xong", "no fresh draw came to its end"),
    "not run": Words("Chưa thử trên lần gieo khác", "not tried on fresh draws"),
}
NULL = {
    "depends": Words("Kết luận dựa vào liên hệ giữa các cột", "depends on how columns relate"),
    "no conclusions": Words(
        "Không có kết luận nào để thử khi xáo cột", "no conclusion to test on shuffled columns"
    ),
    "pending": Words("Đang thử khi xáo cột", "being tried on shuffled columns"),
    "failed": Words("Chưa thử được khi xáo cột", "the try on shuffled columns did not finish"),
    "not run": Words("Chưa thử khi xáo cột", "not tried on shuffled columns"),
}
FIDELITY = {
    "assumed": Words("Chỉ dựa vào cột giả định", "rests on assumed columns only"),
    "no data": Words("Không đọc cột nào của bản sao", "reads no column of a replica"),
    "pending": Words("Đang xem các cột đã đọc", "columns being looked up"),
    "failed": Words("Không rõ các cột đã đọc", "the columns read are not known"),
    "not run": Words("Chưa xem các cột đã đọc", "columns not looked up"),
}
CHANGED = {
    "unchanged": Words("Giữ nguyên mẫu", "template unchanged"),
    "no template": Words("Không theo mẫu nào", "not from a template"),
    "pending": Words("Đang so với mẫu", "being compared with its template"),
    "failed": Words("Không so được với mẫu", "could not be compared with its template"),
    "not run": Words("Chưa so với mẫu", "not compared with a template"),
}


def of_draws(redrawn: Redrawn) -> Words:
    """Say what the fresh draws show."""
    n, executed, asked = len(redrawn.conclusions), redrawn.executed, redrawn.asked
    if redrawn.verdict == "pending":
        return Words(
            f"Đang thử trên lần gieo mới ({redrawn.done}/{asked})",
            f"being tried on fresh draws ({redrawn.done} of {asked})",
        )
    if redrawn.verdict == "holds":
        vi = "đúng" if redrawn.all_hold else "không đổi"
        en = "unchanged" if not redrawn.all_hold else "hold" if n > 1 else "holds"
        return Words(
            f"Kết luận {vi} trên {executed}/{asked} lần gieo mới",
            f"{'conclusions' if n > 1 else 'conclusion'} {en} on {executed} of {asked} fresh draws",
        )
    if redrawn.verdict == "flips" and n == 1:
        return Words("Kết luận đổi khi gieo lại", "the conclusion flips on fresh draws")
    if redrawn.verdict == "flips":
        return Words(
            f"{redrawn.n_flips}/{n} kết luận đổi khi gieo lại",
            f"{redrawn.n_flips} of {n} conclusions {_do('flip', redrawn.n_flips)} on fresh draws",
        )
    if redrawn.verdict == "no conclusions":
        return Words(
            f"Đã gieo lại {executed} lần, không có kết luận để thử",
            f"redrawn {executed} times, no conclusion to test",
        )
    return REDRAWN[redrawn.verdict]


def of_null(null: Null) -> Words:
    """Say what the null draw shows."""
    if null.verdict != "does not depend":
        return NULL[null.verdict]
    if null.n_tested == 1:
        return Words(
            "Kết luận không phụ thuộc liên hệ giữa các cột",
            "the conclusion does not depend on how columns relate",
        )
    return Words(
        f"{null.n_still}/{null.n_tested} kết luận không phụ thuộc liên hệ giữa các cột",
        f"{null.n_still} of {null.n_tested} conclusions {_do('do', null.n_still)} not depend on "
        "how columns relate",
    )


def of_columns(used: Used) -> Words:
    """Say how far what was read is measured."""
    were = ("đã đọc", "read") if used.is_reported else ("được phép đọc", "it could read")
    n, n_assumed = len(used.carrying), used.n_assumed
    if used.verdict == "measured":
        return Words(
            f"Mọi cột {were[0]} đều được đo", f"columns {were[1]} are of measured fidelity"
        )
    if used.verdict == "partly assumed":
        return Words(
            f"{n_assumed}/{n} cột {were[0]} là giả định",
            f"{n_assumed} of {n} columns {were[1]} {'is' if n_assumed == 1 else 'are'} assumed",
        )
    return FIDELITY[used.verdict]


def of_changes(changes: Changes) -> Words:
    """Say how a notebook stands to its template."""
    template = changes.template
    if changes.verdict != "changed" or template is None:
        return CHANGED.get(changes.verdict, Words("Khác mẫu", "differs from its template"))
    if not template.n:
        return Words("Khác mẫu ở phần khai báo", "declarations differ from its template")
    return Words(
        f"Khác mẫu ở {template.n} ô",
        f"{template.n} {'cell differs' if template.n == 1 else 'cells differ'} from its template",
    )


def _do(verb: str, n: int) -> str:
    """Write an English verb as it follows a number."""
    return {"flip": "flips", "do": "does"}[verb] if n == 1 else verb
