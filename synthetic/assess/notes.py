"""What a reader must know of the tables before any figure: told without a value of a record."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

import numpy as np
import numpy.typing as npt

from synthetic.assess.tables import Table, Tables


class What(StrEnum):
    """What is to be known."""

    OWN_BINS = "bins from the records"
    LEFT_OUT = "columns that name rows"
    UNSEEN = "categories that no record has"
    ALL_MISSING = "columns without any value"
    ONE_LEVEL = "columns with one level"
    SHARED_ROWS = "holdout shares rows with train"
    SHARED_UNITS = "holdout shares units with train"
    NO_HOLDOUT = "no holdout"


@dataclass(frozen=True, kw_only=True)
class Note:
    """One thing to know."""

    what: What
    columns: tuple[str, ...] = ()
    share: float | None = (
        None  # of synthetic rows that are unseen, or of holdout rows that are shared
    )


def notes(tables: Tables) -> tuple[Note, ...]:
    """All that is to be known of these tables."""
    return tuple(_notes(tables))


def _notes(tables: Tables) -> Iterator[Note]:
    if not tables.has_spec:
        yield Note(what=What.OWN_BINS)
    if tables.left_out:
        yield Note(what=What.LEFT_OUT, columns=tables.left_out)
    names = tables.train.names
    for name, share in zip(names, tables.unseen, strict=True):
        if share > 0:
            yield Note(what=What.UNSEEN, columns=(name,), share=share)
    there = [np.unique(codes) for codes in tables.train.codes.T]
    last = [n - 1 for n in tables.train.levels]
    empty = [len(t) == 1 and t[0] == end for t, end in zip(there, last, strict=True)]
    single = [len(t) == 1 and t[0] != end for t, end in zip(there, last, strict=True)]
    for what, flags in ((What.ALL_MISSING, empty), (What.ONE_LEVEL, single)):
        if any(flags):
            columns = tuple(name for name, flag in zip(names, flags, strict=True) if flag)
            yield Note(what=what, columns=columns)
    if tables.holdout is None:
        yield Note(what=What.NO_HOLDOUT)
    else:
        yield from _shared(tables.train, tables.holdout)


def _shared(train: Table, holdout: Table) -> Iterator[Note]:
    if train.units is not None and holdout.units is not None:
        shared = float(np.mean(np.isin(holdout.units, train.units)))
        if shared:
            yield Note(what=What.SHARED_UNITS, share=shared)
    shared, usual = shared_rows(train, holdout)
    # Three standard errors: rows of few columns are alike without being one record.
    if shared > usual + 3 * np.sqrt(usual * (1 - usual) / len(holdout)) + 0.01:
        yield Note(what=What.SHARED_ROWS, share=shared)


def shared_rows(train: Table, holdout: Table) -> tuple[float, float]:
    """The share of holdout rows that train has too, and of train rows that have a twin there."""
    keys = _keys(np.concatenate([train.values, holdout.values]))
    n_train = np.bincount(keys[: len(train)], minlength=int(keys.max()) + 1)
    shared = float(np.mean(n_train[keys[len(train) :]] > 0))
    return shared, float(np.mean(n_train[keys[: len(train)]] > 1))


def _keys(values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """A number for each row, the same for the same row; 0 and -0 are one, so are all NaN."""
    clean = np.ascontiguousarray(np.where(np.isnan(values), np.inf, values) + 0.0)
    rows = clean.view(np.dtype((np.void, clean.dtype.itemsize * clean.shape[1]))).ravel()
    return np.unique(rows, return_inverse=True)[1].ravel()
