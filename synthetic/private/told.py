"""What a custodian is told: the plan before the records are opened, the ledger afterwards."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from synthetic.private.accounting import epsilon_of
from synthetic.private.order import Order


def facts(order: Order, out: Path | None, only_plan: bool) -> dict[str, Any]:
    """The plan and the ledger as one JSON object."""
    plan, limit = order.plan, order.spec.limit
    return {
        "model": None if only_plan else str(out),
        "source": order.spec.source,
        "epsilon": plan.epsilon,
        "delta": plan.delta,
        "rho": plan.rho,
        "neighbours": order.neighbours,
        "releases": [
            {
                "name": release.name,
                "share": plan.share(release),
                "rho": release.rho,
                "sigma": release.sigma,
                "tables": release.n_tables,
                "cells": release.n_cells,
            }
            for release in plan.releases
        ],
        "published": [
            {"name": one.name, "table": one.table, "source": one.source, "rho": 0}
            for one in order.published
        ],
        "ledger": {
            "file": str(order.ledger.path),
            "limit": {"epsilon": limit.epsilon, "delta": limit.delta},
            "spent": {"epsilon": _spent(order), "delta": limit.delta},
        },
    }


def told(order: Order, out: Path | None, only_plan: bool) -> Iterator[str]:
    """The same in lines."""
    plan, limit = order.plan, order.spec.limit
    yield f"epsilon {plan.epsilon:g}, delta {plan.delta:g}: rho {plan.rho:.6g}"
    yield f"protects: {order.neighbours}"
    yield f"{'release':<14}{'share':>7}{'tables':>8}{'cells':>10}{'sigma, rows':>13}"
    for release in plan.releases:
        yield (
            f"{release.name:<14}{plan.share(release):>7.1%}{release.n_tables:>8,}"
            f"{release.n_cells:>10,}{release.sigma:>13.1f}"
        )
    for one in order.published:
        yield f"{one.name:<14}{'free':>7}  published: {one.table} ({one.source})"
    left_out = len(order.schema.attributes) * (len(order.schema.attributes) - 1) // 2
    left_out -= len(plan.pairs)
    if left_out:
        yield f"{left_out} pairs have too many cells, or weight 0, and are not measured"
    yield (
        f"{'spent' if only_plan else 'spent now'} on {order.spec.source}: epsilon "
        f"{_spent(order):.4g} of {limit.epsilon:g} at delta {limit.delta:g} ({order.ledger.path})"
    )
    if not only_plan:
        yield str(out)


def _spent(order: Order) -> float:
    return epsilon_of(order.ledger.spent(order.spec.source), order.spec.limit.delta)
