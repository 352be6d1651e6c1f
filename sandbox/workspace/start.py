"""The start page: what is here on one screen. It needs no script; its buttons are forms."""

from __future__ import annotations

import logging
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from sandbox import catalog, look
from sandbox.kernels import available
from sandbox.retold import retold
from sandbox.runs import listed
from sandbox.workspace import shelf
from sandbox.workspace.order import Order

log = logging.getLogger(__name__)

TEMPLATES = Path(__file__).resolve().parent / "templates"
STATIC = "/sandbox/static"
MOST_RUNS = 8


def page(order: Order, token: str) -> str:
    """Draw the start page; `token` guards its forms against forged requests."""
    return _environment().get_template("start.html.j2").render(facts(order), xsrf=token)


def fault(message: str) -> str:
    """Draw a page that says what went wrong, with the way back."""
    return _environment().get_template("fault.html.j2").render(message=message)


def facts(order: Order) -> dict[str, Any]:
    """Collect what the page shows."""
    guided, domains = shelf.items(shelf.NOTEBOOK), shelf.domains()
    replicas, problem = _replicas(order)
    isolation = available()
    found = _runs(order)
    return {
        "first": {
            "welcome": guided[0] if guided else None,
            "template": domains[0][2][0] if domains else None,
            "data": order.address("/data"),
        },
        "guided": guided,
        "domains": domains,
        "replicas": replicas,
        "replicas_problem": problem,
        "isolation": None if isolation else isolation.message,
        "runs": [run | {"url": order.address(f"/runs/{run['id']}")} for run in found[:MOST_RUNS]],
        "all_runs": order.address("/runs"),
        "n_runs": len(found),
    }


def _replicas(order: Order) -> tuple[list[dict[str, Any]], str | None]:
    try:
        return [dict(state) for state in catalog.states(order.settings)], None
    except Exception as error:
        # The start page is the way to everything else, so it must come up whatever the disk says.
        log.exception("the replicas' states cannot be read")
        return [], retold(str(error))


def _runs(order: Order) -> list[dict[str, Any]]:
    try:
        return listed(order.settings)
    except Exception:
        log.exception("the runs cannot be listed")
        return []


@cache
def _environment() -> Environment:
    return look.environment(TEMPLATES, static=STATIC)
