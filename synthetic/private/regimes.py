"""How a mixture is fitted, by how far the counts stand out of their noise.

The signal is the square of a mean cell's count over its noise's standard deviation, in the geometric
mean of the measured pairs: it comes from the noisy tables alone and costs nothing. Little signal asks for
few iterations (they fit noise), much for many.
"""

from __future__ import annotations

import numpy as np

from synthetic.private.mixture import Settings
from synthetic.private.plan import Mode
from synthetic.private.targets import Targets

_CLASSES = {Mode.FAST: 100, Mode.DEFAULT: 140, Mode.BEST: 200}
_CLASSES_MUCH = {Mode.FAST: 100, Mode.DEFAULT: 100, Mode.BEST: 200}  # the time goes to iterations
_CLASSES_DRAFT = 100
_ITERATIONS = 85  # at a signal of one
_GROWTH = 0.29  # of the iterations, as a power of the signal
_MOST, _LEAST = 800, 80
_PULL, _SMOOTH = 300.0, 100.0
_MUCH = 100.0  # signal; fewer fits of more iterations then
_GATE, _GATE_MUCH = 6.0, 8.0


def signal(targets: Targets) -> float:
    """The signal of the measured pairs."""
    sizes = np.diff(targets.starts)
    cells = np.outer(np.repeat(sizes, sizes), np.repeat(sizes, sizes))
    there = targets.weights > 0
    if not there.any():
        return 1.0
    each = np.log((targets.total / cells[there]) ** 2 * targets.weights[there])
    return float(np.exp(np.average(each, weights=1 / cells[there])))


def gate(targets: Targets) -> float:
    """How far beyond its noise, in standard deviations, a pair must be held badly to be repaired."""
    return _GATE if signal(targets) < _MUCH else _GATE_MUCH


def settings(targets: Targets, mode: Mode, *, is_draft: bool = False) -> Settings:
    """How to fit these tables; a draft only has to show which pairs matter."""
    strength = signal(targets)
    iterations = int(np.clip(_ITERATIONS * strength**_GROWTH, _LEAST, _MOST))
    # Two short fits averaged are better than a long one, and as quick.
    iterations = iterations * 7 // 10 if mode is Mode.FAST else iterations
    n_fits = {Mode.FAST: 2, Mode.DEFAULT: 10 if strength < _MUCH else 6, Mode.BEST: 10}[mode]
    n_classes = (_CLASSES if strength < _MUCH else _CLASSES_MUCH)[mode]
    return Settings(
        n_classes=_CLASSES_DRAFT if is_draft else n_classes,
        n_fits=1 if is_draft else n_fits,
        iterations=_LEAST if is_draft else iterations,
        pull=_PULL,
        smooth=_SMOOTH,
    )
