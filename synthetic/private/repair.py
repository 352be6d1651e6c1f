"""Moves that mend the pairs which a mixture holds badly: those that nearly determine each other.

For such a pair the noisy table, cut well above its noise and raked to the model's own one-way
shares, says what each level of the parent should have. Rows in over-full cells move to under-full
cells of the same parent; all others stay. What is moved is a function of the model alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from synthetic.private.groups import Groups
from synthetic.private.mixture import Mixture
from synthetic.private.plan import Clique
from synthetic.private.targets import Targets

Doubles = npt.NDArray[np.float64]
Flags = npt.NDArray[np.bool_]
_CUT = 2.5  # standard deviations of the noise
_ROUNDS = 50  # of raking


@dataclass(frozen=True, kw_only=True, eq=False)
class Move:
    """Which rows of a column move, given another: arrays of shape (parent's levels, levels)."""

    parent: int
    child: int
    stay: Doubles  # the share of a cell's rows that stay
    to: Doubles  # where the others go: for each parent's level, shares that add to one

    def expanded(self, groups: Groups, inside: Doubles) -> Move:
        """The same over levels: each has its share of its group."""
        parents, children = groups.of[self.parent], groups.of[self.child]
        start = sum(len(of) for of in groups.of[: self.child])
        own = inside[start : start + len(children)]
        return Move(
            parent=self.parent,
            child=self.child,
            stay=self.stay[parents][:, children],
            to=self.to[parents][:, children] * own,
        )


def moves(
    mixture: Mixture, targets: Targets, empty: Mapping[Clique, Flags], gate: float
) -> list[Move]:
    """Moves for the pairs that a rule leaves cells of empty, and those beyond the noise by `gate`.

    `gate` is in standard deviations of chi-square. A column moves once at most, and no column that
    others moved by is moved later.
    """
    certain = {pair for pair, cells in empty.items() if _is_joint(cells)}
    misfits = {pair: misfit(mixture, targets, pair) for pair in _pairs(targets)}
    ranked = sorted(misfits, key=lambda pair: (pair not in certain, -misfits[pair]))
    found: list[Move] = []
    for pair in ranked:
        if pair not in certain and misfits[pair] <= gate:
            continue
        parent, child = sorted(pair, key=lambda i: mixture.block(i).shape[0])
        used = {move.child for move in found}
        parents = {move.parent for move in found}
        if parent in used or child in used or child in parents:
            continue
        goal = _goal(mixture, targets, pair, empty.get(pair), misfits[pair] > gate)
        if (parent, child) != pair:
            goal = goal.T
        found.append(_move(mixture.pair(parent, child), goal, parent, child))
    return found


def _is_joint(cells: Flags) -> bool:
    """Whether cells are empty that no level of one column alone leaves empty."""
    alone = cells.all(axis=1, keepdims=True) | cells.all(axis=0, keepdims=True)
    return bool((cells & ~alone).any())


def _pairs(targets: Targets) -> list[Clique]:
    n = len(targets.starts) - 1
    return [(a, b) for a in range(n) for b in range(a + 1, n) if targets.pair(a, b)[1].any()]


def misfit(mixture: Mixture, targets: Targets, pair: Clique) -> float:
    """How far a pair's chi-square lies above what noise alone gives, in standard deviations."""
    table, weights = targets.pair(*pair)
    gaps = table - targets.total * mixture.pair(*pair)
    n = table.size
    return float(((gaps * gaps * weights).sum() - n) / np.sqrt(2 * n))


def _goal(
    mixture: Mixture, targets: Targets, pair: Clique, empty: Flags | None, is_misfit: bool
) -> Doubles:
    """The pair's shares as they should be, with the model's own one-way shares."""
    model = mixture.pair(*pair)
    goal = model.copy()
    if is_misfit:
        table, weights = targets.pair(*pair)
        goal = np.where(table * np.sqrt(weights) > _CUT, table, 0).astype(np.float64)
    if empty is not None:
        goal[empty] = 0
    for axis in (0, 1):  # a level without a cell that stands out keeps what the model says
        lost = goal.sum(axis=axis) <= 0
        index = (slice(None), lost) if axis == 0 else (lost, slice(None))
        goal[index] = np.where(empty[index], 0, model[index]) if empty is not None else model[index]
    return _raked(goal, model.sum(axis=1), model.sum(axis=0))


def _raked(table: Doubles, rows: Doubles, columns: Doubles) -> Doubles:
    for _ in range(_ROUNDS):
        table = table * _ratio(rows, table.sum(axis=1))[:, None]
        table = table * _ratio(columns, table.sum(axis=0))
    return table


def _ratio(wanted: Doubles, there: Doubles) -> Doubles:
    return np.divide(wanted, there, out=np.zeros_like(wanted), where=there > 0)


def _move(model: Doubles, goal: Doubles, parent: int, child: int) -> Move:
    """The fewest moves that turn each row of one table into the same row of the other."""
    have, want = (t * _ratio(np.ones(len(t)), t.sum(axis=1))[:, None] for t in (model, goal))
    want = np.where(want.sum(axis=1, keepdims=True) > 0, want, have)
    stay = np.minimum(1.0, _ratio(want.ravel(), have.ravel()).reshape(have.shape))
    lacking = np.maximum(want - have, 0)
    nothing = lacking.sum(axis=1) <= 0
    lacking[nothing] = want[nothing]  # nobody moves there, but shares must add to one
    to = lacking * _ratio(np.ones(len(lacking)), lacking.sum(axis=1))[:, None]
    return Move(parent=parent, child=child, stay=stay, to=to)
