"""The only place where counts meet noise, and nothing meets it that was not paid for.

The noise is OpenDP's: integer (discrete) Gaussian from the system's secure source, whose cost
OpenDP itself tells and we compare with what was paid.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from synthetic.errors import BudgetError, PrivateError
from synthetic.private.ledger import Receipt
from synthetic.private.plan import Clique, Release

Counts = npt.NDArray[np.int64]


class Noise(Protocol):
    """A source of noise."""

    is_releasable: bool

    def added(self, counts: Counts, release: Release) -> Counts:
        """These counts with Gaussian integers of the release's scale added."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Measured:
    """Noisy tables of one release."""

    release: Release
    tables: dict[Clique, Counts]  # signed: a small count may have become negative


def measure(
    exact: dict[Clique, Counts], *, release: Release, receipt: Receipt, noise: Noise
) -> Measured:
    """Release these tables, which the receipt must have paid for."""
    if len(exact) != release.n_tables:
        raise BudgetError(
            f"release {release.name!r} is of {release.n_tables} tables, not {len(exact)}"
        )
    receipt.take(release)
    flat = np.concatenate([counts.ravel() for counts in exact.values()])
    noisy = noise.added(flat, release)
    ends = np.cumsum([counts.size for counts in exact.values()])
    parts = np.split(noisy, ends[:-1])
    return Measured(
        release=release,
        tables={
            clique: part.reshape(counts.shape)
            for (clique, counts), part in zip(exact.items(), parts, strict=True)
        },
    )


class SecureNoise:
    """OpenDP's integer Gaussian."""

    is_releasable = True

    def __init__(self) -> None:
        self.dp = _opendp()

    def added(self, counts: Counts, release: Release) -> Counts:
        """One call of OpenDP for all counts; refused if it would cost more than was paid."""
        dp = self.dp
        space = dp.vector_domain(dp.atom_domain(T=dp.i64)), dp.l2_distance(T=dp.f64)
        mechanism = dp.m.make_gaussian(*space, scale=release.sigma)
        cost = mechanism.map(release.sensitivity)
        if cost > release.rho:
            raise BudgetError(
                f"release {release.name!r} costs rho {cost} and {release.rho} was paid"
            )
        return np.array(mechanism(counts), dtype=np.int64)


class InsecureNoise:
    """NumPy's Gaussian, rounded, from a seed: for tests. What it gives must never be released."""

    is_releasable = False

    def __init__(self, seed: int) -> None:
        self.generator = np.random.default_rng(seed)

    def added(self, counts: Counts, release: Release) -> Counts:
        """Counts with noise that anybody can draw again."""
        drawn = self.generator.normal(0, release.sigma, counts.shape)
        return counts + np.rint(drawn).astype(np.int64)


def _opendp() -> Any:
    try:
        dp = import_module("opendp.prelude")
    except ModuleNotFoundError as error:
        raise PrivateError(
            "OpenDP, which draws the noise, is not installed; add the extra: uv sync --extra "
            "private, or pip install 'vietnam-data-sandbox[private]'"
        ) from error
    dp.enable_features("contrib")
    return dp


def version() -> str:
    """The version of the library that draws the noise."""
    return str(import_module("importlib.metadata").version("opendp"))


def all_of(measured: Sequence[Measured]) -> dict[Clique, list[tuple[Counts, float]]]:
    """Every table with its noise's scale, as often as it was measured."""
    found: dict[Clique, list[tuple[Counts, float]]] = {}
    for one in measured:
        for clique, counts in one.tables.items():
            found.setdefault(clique, []).append((counts, one.release.sigma))
    return found
