"""What one `up` starts: two servers and a worker, with ports, tokens and logs. Nothing starts here."""

from __future__ import annotations

import os
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from sandbox.language import VARIABLE, _, language
from sandbox.serving.ports import HOST
from sandbox.settings import Settings
from sandbox.up import leftovers, lock, ports
from sandbox.up.server import Server
from sandbox.up.showcase import Task

LOG_BYTES = 10_000_000  # a longer log begins anew


@dataclass(kw_only=True, eq=False)
class Doors:
    """The servers, what is being built beside them, and what to do at the end."""

    workspace: Server
    pages: Server
    worker: Server  # it serves nobody; it executes what is submitted
    mark: str  # of every process that is started here
    environment: Mapping[str, str]
    asked: threading.Event  # set when somebody asks for the end
    task: Task | None = None  # the showcase, then the other datasets

    @property
    def servers(self) -> tuple[Server, Server, Server]:
        """All of them; the quickest to be ready first."""
        return self.worker, self.pages, self.workspace

    def facts(self) -> dict[str, str]:
        """Give both addresses."""
        return {"workspace": self.workspace.url, "pages": self.pages.url}

    @classmethod
    def choose(
        cls,
        settings: Settings,
        root: Path,
        *,
        workspace_port: int | None,
        pages_port: int | None,
        asked: threading.Event,
    ) -> Doors:
        """Choose tokens, and the ports that nobody asked for."""
        workspace_port = ports.choose(workspace_port, ports.WORKSPACE, option="--port")
        pages_port = ports.choose(
            pages_port, ports.PAGES, option="--pages-port", taken={workspace_port}
        )
        mark, pages_token = secrets.token_hex(8), secrets.token_urlsafe(24)
        environment = {
            **os.environ,
            "SANDBOX_HOME": str(settings.home),
            VARIABLE: language(),
            leftovers.MARK: mark,
        }
        logs = lock.folder(settings)
        workspace = Server(
            title=_("the workspace"),
            module="sandbox.workspace",
            order={
                "port": workspace_port,
                "token": secrets.token_urlsafe(24),
                "root": str(root),
                "pages": {"url": f"http://{HOST}:{pages_port}", "token": pages_token},
            },
            log_file=_log(logs / "workspace.log"),
            environment=environment,
        )
        pages = Server(
            title=_("the report pages"),
            module="sandbox.pages",
            order={
                "port": pages_port,
                "token": pages_token,
                "key": secrets.token_hex(32),
                "workspace": f"http://{HOST}:{workspace_port}",
            },
            log_file=_log(logs / "pages.log"),
            environment=environment,
        )
        worker = Server(
            title=_("the worker"),
            module="sandbox.worker",
            order={},
            log_file=_log(logs / "worker.log"),
            environment=environment,
        )
        return cls(
            workspace=workspace,
            pages=pages,
            worker=worker,
            mark=mark,
            environment=environment,
            asked=asked,
        )


def _log(path: Path) -> Path:
    """Give a log to append to; one that has grown long begins anew."""
    if path.is_file() and path.stat().st_size > LOG_BYTES:
        path.unlink()
    return path
