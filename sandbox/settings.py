"""Where an installation keeps its things.

The environment is read once, into a frozen `Settings` that is passed down. The folders that ship
with the code (templates, notebooks) are found here too, beside the packages in a repository and
inside `sandbox` in a wheel.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import platformdirs

from sandbox.errors import SettingsError
from sandbox.language import _

PACKAGE = Path(__file__).resolve().parent


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The home of one installation: replicas, runs, keys and the registry; and what it does."""

    home: Path
    evidence: bool = True  # whether a submission is executed a second time, unless it says more

    def __post_init__(self) -> None:
        if not self.home.is_absolute():
            raise SettingsError(
                _("home must be an absolute path, not {path!r}").format(path=str(self.home))
            )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read SANDBOX_HOME, or take the platform's data folder; and SANDBOX_EVIDENCE."""
        given = environ.get("SANDBOX_HOME", "")
        if "\0" in given:
            raise SettingsError(_("SANDBOX_HOME holds a null character; give a folder's path"))
        home = (
            Path(given).expanduser()
            if given
            else platformdirs.user_data_path("sandbox", appauthor=False)
        )
        return cls(home=Path.cwd() / home, evidence=_switch(environ, "SANDBOX_EVIDENCE"))

    @property
    def replicas(self) -> Path:
        """Immutable replicas: `<dataset>/<version>/manifest.json`."""
        return self.home / "replicas"

    @property
    def runs(self) -> Path:
        """One folder per run."""
        return self.home / "runs"

    @property
    def keys(self) -> Path:
        """Keys that sign reports."""
        return self.home / "keys"

    @property
    def registry(self) -> Path:
        """An index of the runs that can be rebuilt from their folders."""
        return self.home / "registry.sqlite"


def _switch(environ: Mapping[str, str], name: str) -> bool:
    """Read a setting that is on unless it is switched off."""
    given = environ.get(name, "") or "on"
    if given not in {"on", "off"}:
        raise SettingsError(
            _("{name} must be on or off, not {value!r}").format(name=name, value=given)
        )
    return given == "on"


def templates_folder() -> Path:
    """Give the folder of the parametrised notebooks that people submit."""
    return _shipped("templates")


def notebooks_folder() -> Path:
    """Give the folder of the guided tours that people read."""
    return _shipped("notebooks")


def _shipped(name: str) -> Path:
    packaged = PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else PACKAGE.parent / name
