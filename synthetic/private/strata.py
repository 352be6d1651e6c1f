"""Levels for a block of rows, spread evenly: a Latin hypercube inside each class.

Each class gets its share of a block's rows, and each level its share of a class's rows, to within
one row; which rows get them is drawn for every column apart, by fresh words. So a row by itself has
the model's exact distribution, its columns are independent given its class, and a block strays less
from the model than rows drawn one by one.

References
----------
McKay, Beckman and Conover (1979), Technometrics 21(2), 239-245.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from synthetic.generation.draws import Words
from synthetic.private.aliases import ONE, Whole

MOST_ROWS = 1 << 16  # of a block: a row's number has 16 bits of a sorting key
_S16, _S33, _S48 = (np.uint64(n) for n in (16, 33, 48))
_HIGH = np.uint64(0xFFFFFFFF << 16)  # of a sorting key: where its 32 random bits are
_PLACES = np.arange(MOST_ROWS, dtype=np.uint64)
_SHIFT = np.int64(ONE.bit_length() - 1)
Ints = npt.NDArray[np.int64]


def ends(shares: Whole) -> Ints:
    """Where each category ends when the categories of a context lie after each other."""
    return np.cumsum(shares, axis=1, dtype=np.int64)


def spread(ends: Ints, sizes: Ints, offsets: Words) -> Ints:
    """So many categories for each context, context after context, each by its share.

    Parameters
    ----------
    ends : int64 array of shape (contexts, categories)
    sizes : int64 array of shape (contexts,)
        How many categories each context wants, at most 2**16 in sum.
    offsets : uint64 array of shape (contexts,)
        Random words: where the even steps through a context begin.
    """
    marks = ends * sizes[:, None]
    marks += (offsets >> _S33).view(np.int64)[:, None]
    marks >>= _SHIFT
    marks[:, 1:] -= marks[:, :-1].copy()
    n_contexts, n = ends.shape
    return np.repeat(np.tile(np.arange(n), n_contexts), marks.ravel())


def contexts(numbers: Ints) -> Words:
    """What sorting keys of rows in these contexts have beside their random bits."""
    return (numbers.view(np.uint64) << _S48) | _PLACES[: len(numbers)]


def shuffled(word: Words, context: Words | None, *, second: bool = False) -> Ints:
    """The rows in random order, context after context; a word has bits for two such orders."""
    key = word << _S16 if second else word >> _S16
    key &= _HIGH
    key |= _PLACES[: len(word)] if context is None else context
    key.sort()
    key &= np.uint64(MOST_ROWS - 1)
    return key.view(np.int64)
