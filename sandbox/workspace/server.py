"""The workspace's server: Jupyter's, with our settings only and without what nobody needs here."""

from __future__ import annotations

import logging
from typing import Any, cast

from jupyter_server.serverapp import ServerApp
from traitlets.config import Config

from sandbox.kernels import bytecode
from sandbox.serving.ports import HOST
from sandbox.workspace import lab
from sandbox.workspace.contents import Contents
from sandbox.workspace.kernels import Kernels, Sessions
from sandbox.workspace.order import Order
from sandbox.workspace.protection import policy
from sandbox.workspace.specs import OnlyOurs
from sandbox.workspace.tree import Tree

log = logging.getLogger(__name__)

# The exports that read nothing but the notebook; those through LaTeX could read any file.
EXPORTS_WITHOUT = ("Latex", "PDF", "WebPDF", "QtPDF", "QtPNG", "RST", "ASCIIDoc")


class Server(ServerApp):
    """One person's workspace."""

    name = "sandbox-workspace"
    # Without `shutdown` (the one who started us ends us), `config` and `view`.
    default_services = (  # type: ignore[assignment] # fewer than its parent
        *("api", "auth", "contents", "files", "kernels", "kernelspecs"),
        *("nbconvert", "security", "sessions", "events"),
    )
    order: Order
    tree: Tree
    warming: bytecode.Warming

    def load_config_file(  # type: ignore[override] # as its parent
        self, suppress_errors: bool = True
    ) -> None:
        """Read no configuration."""

    def migrate_config(self) -> None:
        """Take nothing over from older versions."""

    def end_kernels(self) -> None:
        """Kill every kernel at once, from any thread."""
        cast(Kernels, self.kernel_manager).end_all()

    def write_server_info_file(self) -> None:
        """Write the token nowhere."""

    def write_browser_open_files(self) -> None:
        """Write the token nowhere."""

    def init_signal(self) -> None:
        """Leave signals to the main module."""


def make(order: Order) -> Server:
    """Give the server, bound to its port and ready to answer once its loop runs."""
    server = Server.instance(config=_config(order), jpserver_extensions={"sandbox.workspace": True})
    server.order = order
    server.tree = Tree(order.root)
    server.warming = bytecode.Warming(order.places.base / "compiled", None)
    server.initialize(argv=[], find_extensions=False, starter_extension=lab.Lab.name)
    return server


def _config(order: Order) -> Config:
    return Config(
        {
            "Application": {"log_level": logging.INFO},
            "ServerApp": _server(order),
            "IdentityProvider": {"token": order.token},
            "PasswordIdentityProvider": {"token": order.token, "allow_password_change": False},
            # Output is counted by the watch; what is over is not dropped without a word.
            "ZMQChannelsWebsocketConnection": {"limit_rate": False},
            "KernelProvisionerFactory": {"default_provisioner_name": "sandbox-provisioner"},
            "Lab": lab.config(order),
            **{f"{name}Exporter": {"enabled": False} for name in EXPORTS_WITHOUT},
        }
    )


def _server(order: Order) -> dict[str, Any]:
    return {
        "ip": HOST,
        "port": order.port,
        "port_retries": 0,
        "extra_services": ["sandbox.workspace.refusals"],
        "local_hostnames": [HOST],  # the pages serve reports at `localhost`
        "allow_remote_access": False,
        "allow_root": True,  # kernels never run as root
        "allow_unauthenticated_access": False,
        "base_url": "/",
        "default_url": "/lab",
        "open_browser": False,
        "root_dir": str(order.root),
        "terminals_enabled": False,
        "quit_button": False,
        "contents_manager_class": Contents,
        "kernel_manager_class": Kernels,
        "kernel_spec_manager_class": OnlyOurs,
        "session_manager_class": Sessions,
        "tornado_settings": {
            "headers": {"Content-Security-Policy": policy(order.port, order.pages_port)}
        },
    }
