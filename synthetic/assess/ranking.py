"""How well scores put one class before the others: areas under ROC curves, with weights."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def areas(scores: Floats, is_one: npt.NDArray[np.bool_], weights: Floats) -> Floats:
    """The area under the ROC curve, once for each row of `weights`; ties count half.

    Parameters
    ----------
    scores : ndarray of shape (n,)
        Higher for what looks like the class.
    is_one : ndarray of shape (n,)
        Whether it is of the class.
    weights : ndarray of shape (n_draws, n)
        How often each stands in a draw.

    Returns
    -------
    ndarray of shape (n_draws,)
        From 0 to 1, half for chance; NaN for a draw with one class alone.
    """
    order = np.argsort(scores, kind="stable")
    first = np.flatnonzero(np.diff(scores[order], prepend=-np.inf))  # of equal scores
    ones = np.add.reduceat(weights[:, order] * is_one[order], first, axis=1)
    others = np.add.reduceat(weights[:, order] * ~is_one[order], first, axis=1)
    below = np.cumsum(others, axis=1) - others / 2
    pairs = ones.sum(axis=1) * others.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return (ones * below).sum(axis=1) / pairs


def mean_areas(
    scores: Floats, answers: npt.NDArray[np.integer], classes: Sequence[int], weights: Floats
) -> Floats:
    """The mean area of each class against the rest; of two classes, of the one: they are equal.

    `scores` has a column for each class number, and the result a figure for each row of `weights`.
    """
    told = classes[1:] if len(classes) == 2 else classes
    found = [areas(scores[:, k], answers == k, weights) for k in told]
    return np.mean(found, axis=0)
