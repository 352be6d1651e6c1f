"""Whom the attacks are made on: records of the training part, and as many of the holdout."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from synthetic.assess.tables import Tables


@dataclass(frozen=True, kw_only=True, eq=False)
class Targets:
    """Rows by their number; a record of the holdout is a non-member or a reference, never both."""

    train: np.ndarray
    holdout: np.ndarray  # empty without a holdout
    n_others: int  # so many of `holdout` stand for people who were in no training
    reference: np.ndarray  # rows of the holdout that show what the population is like
    synthetic: np.ndarray


def targets(tables: Tables, n: int, rng: np.random.Generator) -> Targets:
    """Draw up to n rows of each table; half of a small holdout is kept for reference."""
    size = len(tables.holdout) if tables.holdout is not None else 0
    held = rng.permutation(size)
    n_others = min(n, size - size // 2)
    return Targets(
        train=rng.permutation(len(tables.train))[:n],
        holdout=held[:n],
        n_others=n_others,
        reference=held[n_others:],
        synthetic=rng.permutation(len(tables.synthetic))[:n],
    )
