"""One-way counts with the noise that they can spare taken out.

Counts are turned into waves (a cosine transform keeps the noise alike in all of them), and each
octave of waves is shrunk by what noise alone would amount to in it. Ordered columns are smooth in
their low octaves; the levels of others have no order, and all their waves are one octave.

References
----------
James and Stein (1961), Berkeley Symposium 4(1), 361-379; Cai (1999), Annals of Statistics 27(3),
898-924, shrinks blocks of waves so.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.fft import dct, idct

Doubles = npt.NDArray[np.float64]


def shrunk(counts: Doubles, variance: float, *, is_ordered: bool) -> Doubles:
    """Counts drawn towards their mean, octave by octave, as far as their noise reaches."""
    waves = dct(counts, norm="ortho")
    start = 1  # the first wave is the total
    while start < len(waves):
        end = 2 * start if is_ordered else len(waves)
        octave = waves[start:end]
        power = float(octave @ octave)
        noise = len(octave) * variance
        waves[start:end] *= max(0.0, 1 - noise / power) if power > 0 else 0.0
        start = end
    return idct(waves, norm="ortho")
