"""The addresses of the start page: the page, its buttons, its stylesheet. They take the token too."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from sandbox import look
from sandbox.errors import SandboxError
from sandbox.retold import retold
from sandbox.workspace import copies, start
from sandbox.workspace.protection import PLAIN
from synthetic.errors import SyntheticError

if TYPE_CHECKING:
    from sandbox.workspace.server import Server


class Page(JupyterHandler):
    """A page without scripts."""

    auth_resource = "contents"

    @property
    def content_security_policy(self) -> str:
        """No scripts, nothing from outside."""
        return PLAIN

    @property
    def server(self) -> Server:
        """The workspace that this belongs to."""
        return cast("Server", self.serverapp)


class Start(Page):
    """The start page."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Show what is here."""
        token = self.xsrf_token.decode()
        self.set_header("Cache-Control", "no-store")
        self.finish(await asyncio.to_thread(start.page, self.server.order, token))


class Open(Page):
    """The start page's buttons."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Copy a notebook and show it in JupyterLab."""
        kind, name = self.get_body_argument("kind", ""), self.get_body_argument("name", "")
        try:
            path = await asyncio.to_thread(copies.copy, self.server.tree, kind, name)
        except (SandboxError, SyntheticError) as error:
            self.set_status(422)
            self.finish(start.fault(retold(str(error))))
            return
        self.redirect(f"{self.base_url}lab/tree/{quote(path)}", status=303)


class Static(web.StaticFileHandler, JupyterHandler):
    """The stylesheet."""

    auth_resource = "contents"

    @property
    def content_security_policy(self) -> str:
        """No scripts, nothing from outside."""
        return PLAIN

    @web.authenticated
    @authorized
    async def get(  # type: ignore[override] # the decorators say less of it
        self, path: str, include_body: bool = True
    ) -> None:
        """Send a file of the look."""
        await super().get(path, include_body=include_body)

    @web.authenticated
    @authorized
    async def head(self, path: str) -> None:  # type: ignore[override] # as above
        """Tell of a file of the look."""
        await super().head(path)


HANDLERS: list[tuple[Any, ...]] = [
    (r"/sandbox/start", Start),
    (r"/sandbox/open", Open),
    (r"/sandbox/static/(.+)", Static, {"path": str(look.STATIC)}),
]
