"""Words for what a run's further executions show: of a cell, and of the whole."""

from __future__ import annotations

from enum import StrEnum

from sandbox.language import N_, _


class Verdict(StrEnum):
    """What became of a piece of evidence; the first three come of a comparison."""

    IDENTICAL = "identical"
    EQUAL = "equal within tolerance"
    DIFFERS = "differs"
    PENDING = "pending"
    FAILED = "failed"  # the execution that would have shown it did not come to its end
    NOT_RUN = "not run"


COMPARED = (Verdict.IDENTICAL, Verdict.EQUAL, Verdict.DIFFERS)  # the worst is the last

TITLES = {
    Verdict.IDENTICAL: N_("reproduced: identical"),
    Verdict.EQUAL: N_("reproduced: equal within tolerance"),
    Verdict.DIFFERS: N_("not reproduced: the second execution differs"),
    Verdict.PENDING: N_("the second execution is under way"),
    Verdict.FAILED: N_("the second execution did not come to its end"),
    Verdict.NOT_RUN: N_("not executed a second time"),
}


def worst(verdicts: list[Verdict]) -> Verdict:
    """Give the verdict of a whole from those of its parts; of nothing, it is identical."""
    return max(verdicts, key=COMPARED.index, default=Verdict.IDENTICAL)


def title(verdict: str) -> str:
    """Write what became of the repeat in the reader's language."""
    return _(TITLES[Verdict(verdict)])
