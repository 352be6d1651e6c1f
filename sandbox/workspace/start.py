"""The start page: what is here on one screen. It needs no script; its buttons are forms."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment

from sandbox import catalog, look
from sandbox.errors import SandboxError
from sandbox.kernels import available
from sandbox.retold import retold
from sandbox.runs import listed
from sandbox.settings import Settings
from sandbox.workspace import shelf
from sandbox.workspace.order import Order
from synthetic.errors import SyntheticError
from synthetic.tables.files import storage_error

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
    replicas, replicas_problem = _read(catalog.states, order.settings)
    found, runs_problem = _read(listed, order.settings)
    isolation = available()
    return {
        "first": {
            "welcome": guided[0] if guided else None,
            "template": domains[0][2][0] if domains else None,
            "data": order.address("/data"),
        },
        "guided": guided,
        "domains": domains,
        "replicas": replicas,
        "replicas_problem": replicas_problem,
        "isolation": None if isolation else isolation.message,
        "runs": [run | {"url": order.address(f"/runs/{run['id']}")} for run in found[:MOST_RUNS]],
        "runs_problem": runs_problem,
        "all_runs": order.address("/runs"),
        "n_runs": len(found),
    }


def _read(
    what: Callable[[Settings], list[dict[str, Any]]], settings: Settings
) -> tuple[list[dict[str, Any]], str | None]:
    """Give what is found and no problem, or nothing and the problem.

    The start page is the way to everything else, so it must come up whatever the disk says.
    """
    try:
        return what(settings), None
    except OSError as error:
        problem: Exception = storage_error("read", Path(error.filename or settings.home), error)
    except (SandboxError, SyntheticError) as error:
        problem = error
    log.warning("the start page lacks something: %s", problem)
    return [], retold(str(problem))


@cache
def _environment() -> Environment:
    return look.environment(TEMPLATES, static=STATIC)
