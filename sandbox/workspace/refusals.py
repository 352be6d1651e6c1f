"""Kernels that cannot start or restart, with the reason; Jupyter's own answer only says so."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from typing import cast

from jupyter_client.kernelspec import NoSuchKernel
from jupyter_server.auth.decorator import authorized
from jupyter_server.services.kernels import handlers
from jupyter_server.services.kernels.handlers import KernelActionHandler, MainKernelHandler
from tornado import web

from sandbox.errors import SandboxError
from sandbox.language import _
from sandbox.workspace.specs import OURS
from synthetic.errors import SyntheticError


class Start(MainKernelHandler):
    """Start a kernel that belongs to no document."""

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Start it, or say why it cannot be started."""
        with reasons():
            await cast(Awaitable[None], super().post())


class Action(KernelActionHandler):
    """Restart or interrupt a kernel."""

    @web.authenticated
    @authorized
    async def post(self, kernel_id: str, action: str) -> None:
        """Do it, or say why it cannot be done."""
        with reasons():
            await cast(Awaitable[None], super().post(kernel_id, action))


@contextmanager
def reasons() -> Iterator[None]:
    """Answer with the reason for which a kernel does not start."""
    try:
        yield
    except NoSuchKernel as error:
        words = _("there is no kernel {name!r} here; there is one: {ours!r}")
        raise web.HTTPError(404, words.format(name=error.name, ours=OURS)) from error
    except (SandboxError, SyntheticError) as error:
        raise web.HTTPError(500, str(error)) from error
    except web.HTTPError as error:
        if isinstance(error.__cause__, SandboxError | SyntheticError):
            raise web.HTTPError(500, str(error.__cause__)) from error
        raise


# Jupyter takes the first handler that fits, and loads these before its own.
OWN: dict[type, type] = {MainKernelHandler: Start, KernelActionHandler: Action}
default_handlers = [
    (address, OWN[handler]) for address, handler in handlers.default_handlers if handler in OWN
]
