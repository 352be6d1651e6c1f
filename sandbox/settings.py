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
MOST_DRAWS = 100  # of one submission
MOST_ATTACHMENTS = 100  # of one submission
LARGEST_MIB = 2048  # of attachments: they are read whole, and copied to each submission


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The home of one installation: replicas, runs, keys and the registry; and what it does."""

    home: Path
    evidence: bool = True  # whether a submission is to have evidence, unless it says more
    draws: int = 5  # fresh draws on which it is executed for that; 0 for none
    trial: bool = True  # whether a submission is first tried on a small replica, if it is large
    attachment_mib: int = 50  # of one file that travels with a submission
    attachments_mib: int = 200  # of all of them together
    attachments: int = 10  # files

    def __post_init__(self) -> None:
        if not self.home.is_absolute():
            raise SettingsError(
                _("home must be an absolute path, not {path!r}").format(path=str(self.home))
            )

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings:
        """Read SANDBOX_HOME, or take the platform's data folder; and what else is set."""
        given = environ.get("SANDBOX_HOME", "")
        if "\0" in given:
            raise SettingsError(_("SANDBOX_HOME holds a null character; give a folder's path"))
        home = (
            Path(given).expanduser()
            if given
            else platformdirs.user_data_path("sandbox", appauthor=False)
        )
        return cls(
            home=Path.cwd() / home,
            evidence=_switch(environ, "SANDBOX_EVIDENCE"),
            draws=_count(environ, "SANDBOX_DRAWS", usual=cls.draws, most=MOST_DRAWS),
            trial=_switch(environ, "SANDBOX_TRIAL"),
            attachment_mib=_size(environ, "SANDBOX_ATTACHMENT_MIB", usual=cls.attachment_mib),
            attachments_mib=_size(environ, "SANDBOX_ATTACHMENTS_MIB", usual=cls.attachments_mib),
            attachments=_count(
                environ, "SANDBOX_ATTACHMENTS", usual=cls.attachments, most=MOST_ATTACHMENTS
            ),
        )

    @property
    def replicas(self) -> Path:
        """Immutable replicas: `<dataset>/<version>/manifest.json`."""
        return self.home / "replicas"

    @property
    def draws_folder(self) -> Path:
        """Fresh draws and null draws, made for evidence; nobody's data, and made again if gone."""
        return self.home / "draws"

    @property
    def trials(self) -> Path:
        """Small replicas for trials, and the trials while they last; made again if gone."""
        return self.home / "trials"

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


def _count(environ: Mapping[str, str], name: str, *, usual: int, most: int) -> int:
    """Read a setting that is a whole number."""
    given = environ.get(name, "") or str(usual)
    if not (given.isascii() and given.isdigit() and int(given) <= most):
        raise SettingsError(
            _("{name} must be a whole number from 0 to {most}, not {value!r}").format(
                name=name, most=most, value=given
            )
        )
    return int(given)


def _size(environ: Mapping[str, str], name: str, *, usual: int) -> int:
    """Read a setting in MiB."""
    return _count(environ, name, usual=usual, most=LARGEST_MIB)


def templates_folder() -> Path:
    """Give the folder of the parametrised notebooks that people submit."""
    return _shipped("templates")


def notebooks_folder() -> Path:
    """Give the folder of the guided tours that people read."""
    return _shipped("notebooks")


def _shipped(name: str) -> Path:
    packaged = PACKAGE / f"_{name}"
    return packaged if packaged.is_dir() else PACKAGE.parent / name
