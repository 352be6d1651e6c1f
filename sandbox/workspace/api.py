"""The addresses below /sandbox/api: copies, submissions. Jupyter's token guards them all."""

from __future__ import annotations

import asyncio
import functools
import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from tornado import web

from sandbox.errors import SandboxError
from sandbox.language import _
from sandbox.preflight import PreflightError
from sandbox.retold import retold
from sandbox.workspace import copies, shelf, submissions, texts
from synthetic.errors import SyntheticError

if TYPE_CHECKING:
    from sandbox.workspace.server import Server

ONCE = "X-Sandbox-Once"
REMEMBERED = 100  # submissions whose answer is given again when it is asked for twice
_answered: OrderedDict[str, dict[str, Any]] = OrderedDict()
_sending = asyncio.Lock()

Method = Callable[..., Awaitable[None]]


def told(method: Method) -> Method:
    """Answer a person's mistakes with their own words; the rest is a defect."""

    @functools.wraps(method)
    async def answer(self: Handler, *given: str) -> None:
        try:
            await method(self, *given)
        except PreflightError as error:
            findings = [submissions.finding(one) for one in error.findings]
            self.say({"message": str(error), "findings": findings}, 422)
        except (SandboxError, SyntheticError) as error:
            parameter = getattr(error, "parameter", None)
            self.say({"message": retold(str(error)), "parameter": parameter}, 422)

    return answer


class Handler(APIHandler):
    """One address of the interface."""

    auth_resource = "contents"

    @property
    def server(self) -> Server:
        """The workspace that this belongs to."""
        return cast("Server", self.serverapp)

    def told_text(self, body: Any, name: str) -> str:
        """Give a text of the request, or nothing."""
        value = body.get(name) if isinstance(body, dict) else None
        return value if isinstance(value, str) else ""

    def say(self, answer: Any, status: int = 200) -> None:
        """Answer with JSON."""
        self.set_status(status)
        self.set_header("Cache-Control", "no-store")
        self.finish(json.dumps(answer, ensure_ascii=False))


class Templates(Handler):
    """What can be opened."""

    @web.authenticated
    @authorized
    @told
    async def get(self) -> None:
        """Give templates by domain, and guided notebooks."""
        self.say(await asyncio.to_thread(_shelf))


def _shelf() -> dict[str, Any]:
    return {
        "domains": [
            {"domain": domain, "title": title, "templates": [one.to_answer() for one in items]}
            for domain, title, items in shelf.domains()
        ],
        "notebooks": [one.to_answer() for one in shelf.items(shelf.NOTEBOOK)],
    }


class Texts(Handler):
    """The extension's texts."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Give them in the spoken language."""
        self.say(texts.texts())


class Copies(Handler):
    """Copies of templates and guided notebooks."""

    @web.authenticated
    @authorized
    @told
    async def post(self) -> None:
        """Make one."""
        body = self.get_json_body()
        kind, name = self.told_text(body, "kind"), self.told_text(body, "name")
        path = await asyncio.to_thread(copies.copy, self.server.tree, kind, name)
        self.say({"path": path}, 201)


class Parameters(Handler):
    """What the form of a notebook shows."""

    @web.authenticated
    @authorized
    @told
    async def get(self) -> None:
        """Give the declared parameters of a notebook."""
        path = self.get_query_argument("path", "")
        server = self.server
        self.say(await asyncio.to_thread(submissions.form, server.order, server.tree, path))


class Runs(Handler):
    """Submissions."""

    @web.authenticated
    @authorized
    @told
    async def post(self) -> None:
        """Submit a notebook and start its run; the same call repeated is one submission."""
        body = self.get_json_body()
        values = body.get("parameters") if isinstance(body, dict) else None
        if not isinstance(values, dict):
            raise web.HTTPError(400, _("the request names no parameters; reload the page"))
        path, team, why = (self.told_text(body, name) for name in ("path", "team", "why"))
        once, server = self.request.headers.get(ONCE, ""), self.server
        async with _sending:
            answer = _answered.get(once) if once else None
            if answer is None:
                answer = await asyncio.to_thread(
                    submissions.submit, server.order, server.tree, path, values, team, why
                )
                if once:
                    _answered[once] = answer
                if len(_answered) > REMEMBERED:
                    _answered.popitem(last=False)
        self.say(answer, 201)


class Run(Handler):
    """One run's progress."""

    @web.authenticated
    @authorized
    @told
    async def get(self, run_id: str) -> None:
        """Say where it stands."""
        self.say(await asyncio.to_thread(submissions.progress, self.server.order, run_id))


class Cancel(Handler):
    """The end of one run."""

    @web.authenticated
    @authorized
    @told
    async def post(self, run_id: str) -> None:
        """End it."""
        self.say(await asyncio.to_thread(submissions.cancel, self.server.order, run_id))


class Nothing(Handler):
    """An address that JupyterLab has elsewhere and this workspace has not."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer that there is nothing."""
        raise web.HTTPError(404)


HANDLERS: list[tuple[Any, ...]] = [
    (r"/sandbox/api/templates", Templates),
    (r"/sandbox/api/texts", Texts),
    (r"/sandbox/api/copies", Copies),
    (r"/sandbox/api/parameters", Parameters),
    (r"/sandbox/api/runs", Runs),
    (r"/sandbox/api/runs/([0-9a-f-]{1,40})", Run),
    (r"/sandbox/api/runs/([0-9a-f-]{1,40})/cancel", Cancel),
]
