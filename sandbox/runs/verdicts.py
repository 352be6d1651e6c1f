"""Words for what the evidence of a run shows: of a cell, of a part, and of the whole."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from sandbox.language import N_, _


class Verdict(StrEnum):
    """What became of a part of the evidence."""

    # Of a comparison of cells: reproduced.
    IDENTICAL = "identical"
    EQUAL = "equal within tolerance"
    DIFFERS = "differs"
    # Of conclusions on other draws: redrawn, null.
    HOLDS = "holds"  # each is on every draw what it is on the submitted one
    FLIPS = "flips"
    DEPENDS = "depends"  # no conclusion that holds still does on the null draw
    DOES_NOT_DEPEND = "does not depend"
    NO_CONCLUSIONS = "no conclusions"
    # Of the columns that were read: fidelity.
    MEASURED = "measured"
    PARTLY_ASSUMED = "partly assumed"
    ASSUMED = "assumed"
    NO_DATA = "no data"
    # Beside the template: changed.
    UNCHANGED = "unchanged"
    CHANGED = "changed"
    NO_TEMPLATE = "no template"
    # Of every part.
    PENDING = "pending"
    FAILED = "failed"  # what would have shown it did not come to its end
    NOT_RUN = "not run"


COMPARED = (Verdict.IDENTICAL, Verdict.EQUAL, Verdict.DIFFERS)  # the worst is the last

TITLES: Mapping[str, Mapping[Verdict, str]] = {
    "reproduced": {
        Verdict.IDENTICAL: N_("reproduced: identical"),
        Verdict.EQUAL: N_("reproduced: equal within tolerance"),
        Verdict.DIFFERS: N_("not reproduced: the second execution differs"),
        Verdict.PENDING: N_("the second execution is under way"),
        Verdict.FAILED: N_("the second execution did not come to its end"),
        Verdict.NOT_RUN: N_("not executed a second time"),
    },
    "redrawn": {
        Verdict.HOLDS: N_(
            "redrawn: every conclusion is as here on {executed} of {draws} fresh draws"
        ),
        Verdict.FLIPS: N_(
            "redrawn: {n} of {of} conclusions flip on some of {executed} fresh draws"
        ),
        Verdict.NO_CONCLUSIONS: N_("redrawn {executed} times; there is no conclusion to hold"),
        Verdict.PENDING: N_("fresh draws: {executed} of {draws} done"),
        Verdict.FAILED: N_("no fresh draw came to its end"),
        Verdict.NOT_RUN: N_("not executed on fresh draws"),
    },
    "null": {
        Verdict.DEPENDS: N_("null draw: no conclusion holds where columns are unrelated"),
        Verdict.DOES_NOT_DEPEND: N_(
            "null draw: {n} of {of} conclusions do not depend on how columns relate"
        ),
        Verdict.NO_CONCLUSIONS: N_("null draw: no conclusion holds here, so there is none to test"),
        Verdict.PENDING: N_("the null draw is under way"),
        Verdict.FAILED: N_("the execution on the null draw did not come to its end"),
        Verdict.NOT_RUN: N_("not executed on the null draw"),
    },
    "fidelity": {
        Verdict.MEASURED: N_("data: every column that was used is held against published figures"),
        Verdict.PARTLY_ASSUMED: N_("data: some of the columns that were used are assumed"),
        Verdict.ASSUMED: N_("data: every column that was used is assumed"),
        Verdict.NO_DATA: N_("data: no column of a replica was used"),
        Verdict.PENDING: N_("the fidelity of what was used is not told yet"),
        Verdict.FAILED: N_("the fidelity of what was used cannot be told"),
        Verdict.NOT_RUN: N_("the fidelity of what was used was not looked at"),
    },
    "changed": {
        Verdict.UNCHANGED: N_("the template is unchanged"),
        Verdict.CHANGED: N_("the template was changed"),
        Verdict.NO_TEMPLATE: N_("no template"),
        Verdict.PENDING: N_("not compared with its template yet"),
        Verdict.FAILED: N_("cannot be compared with its template"),
        Verdict.NOT_RUN: N_("not compared with its template"),
    },
}


def worst(verdicts: list[Verdict]) -> Verdict:
    """Give the verdict of a whole from those of its parts; of nothing, it is identical."""
    return max(verdicts, key=COMPARED.index, default=Verdict.IDENTICAL)


def title(verdict: str, part: str = "reproduced") -> str:
    """Write what became of a part in the reader's language; figures are still to be filled in."""
    return _(TITLES[part][Verdict(verdict)])
