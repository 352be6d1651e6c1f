"""From records to a model: plan, count, pay, measure, estimate, repair.

Only `measure` touches the budget; what follows it sees noisy tables alone.
"""

from __future__ import annotations

import logging
import platform
import time
from collections.abc import Mapping
from typing import Any

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from synthetic import __version__
from synthetic.private import mixture, noise, regimes
from synthetic.private.aliases import ONE, whole
from synthetic.private.counting import Counts, Tables, count
from synthetic.private.groups import FEWEST, SURE, Groups, alone, grouped
from synthetic.private.ledger import Receipt
from synthetic.private.mixture import Mixture
from synthetic.private.model import Model, WholeMove
from synthetic.private.noise import Measured, Noise, measure
from synthetic.private.order import Order
from synthetic.private.plan import Clique, Release
from synthetic.private.reading import blocks
from synthetic.private.repair import Move, moves
from synthetic.private.rules import Flags, empty_cells
from synthetic.private.spec import PrivateSpec
from synthetic.private.targets import Targets, targets
from synthetic.spec.expressions import names

log = logging.getLogger(__name__)
_STARTS_SEED = 1  # of the fits' starting points, which are no secret


def fit(order: Order, source: Noise) -> Model:
    """Fit a model to records, and pay for it."""
    plan, schema = order.plan, order.schema
    empty, free = empty_cells(schema), order.published  # a wrong one must cost nothing
    order.ledger.check(order.account, plan.releases)
    with _Timed("counted"):
        tables = count(blocks(order.records, schema, order.spec.unit), schema)
    receipt = order.ledger.spend(order.account, plan.releases)
    with threadpool_limits(1, user_api="blas"):
        measured, groups = _measured(order, tables, receipt, source, empty)
        del tables  # nothing below may see an exact count
        empty = {pair: groups.empty(cells, pair) for pair, cells in empty.items()}
        told = targets(schema, measured, empty, groups, free)
        settings = regimes.settings(told, order.mode)
        with _Timed("estimated"):
            fitted = mixture.fit(told, settings, np.random.default_rng(_STARTS_SEED))
        repairs = moves(fitted, told, empty, regimes.gate(told))
    facts = _facts(order, measured, receipt, source, told, settings)
    facts["groups"] = groups.told(schema)
    return _model(
        order.spec,
        fitted.expanded(groups, told.inside),
        [move.expanded(groups, told.inside) for move in repairs],
        measured,
        facts,
    )


def _measured(
    order: Order, tables: Tables, receipt: Receipt, source: Noise, empty: Mapping[Clique, Flags]
) -> tuple[list[Measured], Groups]:
    """Noisy tables of every release: each may be chosen by what was released before."""
    found: list[Measured] = []
    groups = alone(order.schema)
    for release in order.plan.releases:
        with _Timed(f"measured {release.name}"):
            cliques = _cliques(release, order, found, empty, groups)
            exact = {c: _exact(tables, c, groups) for c in cliques}
            found.append(measure(exact, release=release, receipt=receipt, noise=source))
        if release.name == "one-way":
            groups = _grouped(order, found[0])
    return found, groups


def _exact(tables: Tables, clique: Clique, groups: Groups) -> Counts:
    one = len(clique) == 1
    return tables.one_way[clique[0]] if one else groups.added(tables.two_way[clique], clique)


def _grouped(order: Order, one_way: Measured) -> Groups:
    """Columns of rules and of published pairs have no groups, which would cut through them."""
    one, *more = (release.sigma for release in order.plan.releases)
    fewest = max(SURE * one, FEWEST * more[0]) if more else 0.0
    schema = order.schema
    apart = {schema.place(path[0]) for tree in schema.trees for path in names(tree)}
    apart |= {i for table in order.published if len(table.clique) > 1 for i in table.clique}
    return grouped(schema, list(one_way.tables.values()), fewest, apart)


def _cliques(
    release: Release,
    order: Order,
    before: list[Measured],
    empty: Mapping[Clique, Flags],
    groups: Groups,
) -> list[Clique]:
    """The tables of a release; those measured again are chosen by what was released before."""
    plan = order.plan
    if release.name == "one-way":
        return [(i,) for i in range(len(order.schema.attributes))]
    if release.name in plan.weighted:
        return list(plan.weighted[release.name])
    empty = {pair: groups.empty(cells, pair) for pair, cells in empty.items()}
    told = targets(order.schema, before, empty, groups, order.published)
    settings = regimes.settings(told, order.mode, is_draft=True)
    draft = mixture.fit(told, settings, np.random.default_rng(_STARTS_SEED))
    strength = {p: _interaction(draft, p) * plan.weights.get(p, 1.0) for p in plan.pairs}
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
        "rho": order.plan.rho,
        "neighbours": order.neighbours,
        "mode": order.mode.value,
        "rows": told.total,
        "settings": vars(settings),
        "releases": [
            {
                "name": one.release.name,
                "rho": one.release.rho,
                "share": order.plan.share(one.release),
                "sigma": one.release.sigma,
                "tables": [[order.schema.names[i] for i in clique] for clique in one.tables],
            }
            for one in measured
        ],
        "published": [
            {"name": one.name, "table": one.table, "source": one.source} for one in order.published
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
