"""JupyterLab's pages and its own small interfaces: settings, layouts, translations, themes.

Built on what JupyterLab itself is built on, without its parts that install extensions, switch
plugins, build the application and ask the internet for news: those have no address here.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from jupyter_server._version import version_info
from jupyterlab_server import LabServerApp

from sandbox.language import language
from sandbox.workspace import api, front
from sandbox.workspace.order import Order
from synthetic.tables.files import write_json

if TYPE_CHECKING:
    from sandbox.workspace.server import Server

EXTENSIONS = Path(__file__).resolve().parent / "labextension"
LOCALES = {"vi": "vi_VN", "en": "en"}
# What would need an interface that is not here, or leads out of this machine.
WITHOUT = (
    "@jupyterlab/apputils-extension:announcements",
    "@jupyterlab/application-extension:pluginmanager",
    "@jupyterlab/extensionmanager-extension",
    "@jupyterlab/fileeditor-extension:language-server",
    "@jupyterlab/help-extension:jupyter-forum",
    "@jupyterlab/help-extension:resources",
    "@jupyterlab/hub-extension",
    "@jupyterlab/lsp-extension",
    "@jupyterlab/notebook-extension:language-server",
    "@jupyterlab/pluginmanager-extension",
    "@jupyterlab/running-extension:recently-closed",
    "@jupyterlab/terminal-extension",
)


class Lab(LabServerApp):
    """JupyterLab as this workspace serves it."""

    name = "lab"
    app_name = "JupyterLab"
    load_other_extensions = False

    def load_config_file(  # type: ignore[override] # as its parent
        self, suppress_errors: bool = True
    ) -> None:
        """Read no configuration."""

    def initialize_templates(self) -> None:
        """Say where JupyterLab's page lies."""
        super().initialize_templates()
        self.static_url_prefix = f"/static/{self.name}/"

    def _prepare_templates(self) -> None:
        super()._prepare_templates()
        environment: Any = self.jinja2_env  # type: ignore[has-type]
        environment.globals.update(custom_css=False)

    def initialize_handlers(self) -> None:
        """Tell the page what it needs to know; add the addresses that it asks."""
        server = cast("Server", self.serverapp)
        settings = server.web_app.settings
        settings.setdefault("page_config_data", {}).update(page_config(server.order))
        super().initialize_handlers()
        # Before JupyterLab's last resort, which answers anything below /lab with its page.
        self.handlers[-1:-1] = [
            (r"/lab/api/.*", api.Nothing),
            *front.HANDLERS,
            *api.HANDLERS,
        ]
        self.handlers.insert(0, (r"/lab/api/listings.*", api.Nothing))


def page_config(order: Order) -> dict[str, Any]:
    """Give what JupyterLab's page is told at its start."""
    told = {
        "language": language(),
        "pages": order.address("/"),
        "start": "/sandbox/start",
    }
    return {
        "allow_hidden_files": False,
        "buildAvailable": False,
        "buildCheck": False,
        "delete_to_trash": False,
        "devMode": False,
        "exposeAppInBrowser": False,
        "fullMathjaxUrl": "",
        "news": {"disabled": True},
        "notebookVersion": json.dumps(version_info),
        "quitButton": False,
        "terminalsAvailable": False,
        "token": "",  # the cookie is enough
        "sandbox": json.dumps(told),
    }


def defaults() -> dict[str, dict[str, Any]]:
    """Give the settings that differ from JupyterLab's own; a user may change them."""
    return {
        "@jupyterlab/translation-extension:plugin": {"locale": LOCALES[language()]},
        "@jupyterlab/apputils-extension:notification": {
            "fetchNews": "false",
            "checkForUpdates": False,
            "doNotDisturbMode": False,
        },
        "@jupyterlab/docmanager-extension:plugin": {"autosave": True, "autosaveInterval": 20},
        "@jupyterlab/notebook-extension:tracker": {
            "codeCellConfig": {"lineNumbers": True},
            "kernelShutdown": True,
        },
        "@jupyterlab/filebrowser-extension:browser": {"navigateToCurrentDirectory": True},
    }


def config(order: Order) -> dict[str, Any]:
    """Give the configuration of `Lab`, with every folder named."""
    shipped = Path(sys.prefix) / "share" / "jupyter" / "lab"
    write_json(order.places.application / "overrides.json", defaults())
    without = {"disabledExtensions": dict.fromkeys(WITHOUT, True)}
    write_json(order.places.application / "page_config.json", without)
    return {
        "app_url": "/lab",
        "app_settings_dir": str(order.places.application),
        "static_dir": str(shipped / "static"),
        "templates_dir": str(shipped / "static"),
        "schemas_dir": str(shipped / "schemas"),
        "themes_dir": str(shipped / "themes"),
        "labextensions_path": [str(EXTENSIONS)],
        "extra_labextensions_path": [],
        "user_settings_dir": str(order.places.user_settings),
        "workspaces_dir": str(order.places.layouts),
        "cache_files": True,
    }
