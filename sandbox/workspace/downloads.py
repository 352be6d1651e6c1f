"""Files of the work folder as downloads: whatever they hold, it gets no rights in the browser."""

from __future__ import annotations

import mimetypes
import os
from typing import TYPE_CHECKING, cast

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import JupyterHandler
from tornado import web

from sandbox.workspace.faults import told
from sandbox.workspace.protection import DOWNLOAD

if TYPE_CHECKING:
    from sandbox.workspace.contents import Contents

PIECE_BYTES = 1024 * 1024


class DownloadHandler(JupyterHandler):
    """Answer /files/PATH, as a neutral type unless the browser can only show it."""

    auth_resource = "contents"

    @property
    def content_security_policy(self) -> str:
        """No scripts, no rights of the session's origin, nothing fetched."""
        return DOWNLOAD

    @web.authenticated
    @authorized
    async def get(self, path: str) -> None:
        """Send the file piece by piece."""
        self.check_xsrf_cookie()
        contents = cast("Contents", self.contents_manager)
        with told(path), contents.tree.opened(path.strip("/")) as handle:
            name = path.rpartition("/")[2]
            if name.endswith(".ipynb") or self.get_argument("download", None):
                self.set_attachment_header(name)
            self.set_header("Content-Type", _type(name))
            self.set_header("Content-Length", str(os.fstat(handle).st_size))
            left = os.fstat(handle).st_size  # it may grow while it is sent
            while left and (piece := os.read(handle, min(PIECE_BYTES, left))):
                left -= len(piece)
                self.write(piece)
                await self.flush()


def _type(name: str) -> str:
    if name.endswith(".ipynb"):
        return "application/x-ipynb+json"
    kind, encoding = mimetypes.guess_type(name)
    if encoding or not kind:
        return "application/octet-stream"
    return f"{kind}; charset=utf-8" if kind.startswith("text/") else kind
