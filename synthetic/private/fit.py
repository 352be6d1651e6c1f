"""From records to a model: plan, count, pay, measure, estimate, repair.

Only `measure` touches the budget; what follows it sees noisy tables alone.
"""

from __future__ import annotations

import logging
import platform
import time
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from synthetic import __version__
from synthetic.private import mixture, noise, regimes
from synthetic.private.aliases import ONE, whole
from synthetic.private.counting import Tables, count
from synthetic.private.ledger import Receipt
from synthetic.private.mixture import Mixture
from synthetic.private.model import Model, WholeMove
from synthetic.private.noise import Measured, Noise, measure
from synthetic.private.order import Order
from synthetic.private.plan import Clique, Mode, Plan, Release
from synthetic.private.reading import blocks
from synthetic.private.repair import Move, moves
from synthetic.private.rules import empty_cells
from synthetic.private.schema import Schema
from synthetic.private.spec import PrivateSpec
from synthetic.private.targets import Targets, targets

log = logging.getLogger(__name__)
_STARTS_SEED = 1  # of the fits' starting points, which are no secret


def fit(order: Order, source: Noise) -> Model:
    """Fit a model to records, and pay for it."""
    plan, schema = order.plan, order.schema
    empty = empty_cells(schema)
    order.ledger.check(order.account, plan.releases)
    with _Timed("counted"):
        tables = count(blocks(order.records, schema, order.spec.unit), schema)
    receipt = order.ledger.spend(order.account, plan.releases)
    with threadpool_limits(1, user_api="blas"):
        measured = _measured(plan, tables, receipt, source, schema, empty, order.mode)
        del tables  # nothing below may see an exact count
        told = targets(schema, measured, empty)
        settings = regimes.settings(told, order.mode)
        with _Timed("estimated"):
            fitted = mixture.fit(told, settings, np.random.default_rng(_STARTS_SEED))
        repairs = moves(fitted, told, empty, regimes.gate(told))
    facts = _facts(order, plan, measured, receipt, source, told, settings)
    return _model(order.spec, fitted, repairs, measured, facts)


def _measured(
    plan: Plan,
    tables: Tables,
    receipt: Receipt,
    source: Noise,
    schema: Schema,
    empty: dict[Clique, Any],
    mode: Mode,
) -> list[Measured]:
    found: list[Measured] = []
    for release in plan.releases:
        with _Timed(f"measured {release.name}"):
            cliques = _cliques(release, plan, schema, found, empty, mode)
            exact = {c: tables.one_way[c[0]] if len(c) == 1 else tables.two_way[c] for c in cliques}
            found.append(measure(exact, release=release, receipt=receipt, noise=source))
    return found


def _cliques(
    release: Release,
    plan: Plan,
    schema: Schema,
    before: list[Measured],
    empty: dict[Clique, Any],
    mode: Mode,
) -> list[Clique]:
    """The tables of a release; those measured again are chosen by what was released before."""
    if release.name == "one-way":
        return [(i,) for i in range(len(schema.attributes))]
    if release.name == "pairs":
        return list(plan.pairs)
    told = targets(schema, before, empty)
    draft = mixture.fit(
        told, regimes.settings(told, mode, is_draft=True), np.random.default_rng(_STARTS_SEED)
    )
    strength = {pair: _interaction(draft, pair) for pair in plan.pairs}
    return sorted(plan.pairs, key=lambda pair: -strength[pair])[: release.n_tables]


def _interaction(model: Mixture, pair: Clique) -> float:
    """How far a pair is from independent, in total variation."""
    table = model.pair(*pair)
    return float(np.abs(table - np.outer(table.sum(axis=1), table.sum(axis=0))).sum() / 2)


def _model(
    spec: PrivateSpec,
    fitted: Mixture,
    repairs: list[Move],
    measured: list[Measured],
    facts: dict[str, Any],
) -> Model:
    n = len(fitted.starts) - 1
    return Model(
        spec=spec,
        facts=facts,
        class_weights=whole(fitted.weights[None, :])[0],
        shares=np.concatenate([whole(fitted.block(i).T) for i in range(n)], axis=1),
        moves=tuple(
            WholeMove(
                parent=move.parent,
                child=move.child,
                stay=np.rint(move.stay * ONE).astype(np.uint32),
                to=whole(move.to),
            )
            for move in repairs
        ),
        noisy=tuple(np.concatenate([t.ravel() for t in m.tables.values()]) for m in measured),
    )


def _facts(
    order: Order,
    plan: Plan,
    measured: list[Measured],
    receipt: Receipt,
    source: Noise,
    told: Targets,
    settings: mixture.Settings,
) -> dict[str, Any]:
    """What a reader of the model must know of how it was made."""
    return {
        "releasable": source.is_releasable,
        "source": order.spec.source,
        "paid_at": receipt.at,
        "epsilon": order.epsilon,
        "delta": order.delta,
        "rho": plan.rho,
        "neighbours": order.neighbours,
        "mode": order.mode.value,
        "rows": told.total,
        "settings": vars(settings),
        "releases": [
            {
                "name": one.release.name,
                "rho": one.release.rho,
                "share": plan.share(one.release),
                "sigma": one.release.sigma,
                "tables": [[order.schema.names[i] for i in clique] for clique in one.tables],
            }
            for one in measured
        ],
        "versions": {
            "synthetic": __version__,
            "numpy": np.__version__,
            "opendp": noise.version() if source.is_releasable else None,
            "python": platform.python_version(),
        },
    }


class _Timed:
    """Tell how long a step took."""

    def __init__(self, what: str) -> None:
        self.what, self.started = what, time.monotonic()

    def __enter__(self) -> None:
        self.started = time.monotonic()

    def __exit__(self, *_: object) -> None:
        log.info("%s in %.2f s", self.what, time.monotonic() - self.started)
