"""Where the workspace keeps what is its own: below the home, closed to other users."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import ServerError
from sandbox.language import _
from sandbox.settings import Settings
from synthetic.errors import StorageError
from synthetic.tables.files import make_folder, storage_error


@dataclass(frozen=True)
class Places:
    """The folders of one workspace, apart from the work folder that its user sees."""

    base: Path

    @classmethod
    def prepare(cls, settings: Settings) -> Places:
        """Make the folders, for this user alone."""
        places = cls(settings.home / "workspace")
        folders = (places.base, places.config, places.data, places.runtime, places.application)
        kept = (places.user_settings, places.layouts, places.checkpoints, places.kernels)
        for folder in (*folders, *kept):
            make_folder(folder)
            try:
                folder.chmod(0o700)
            except OSError as error:
                raise storage_error("close to others", folder, error) from error
        places.kernel_log.unlink(missing_ok=True)
        return places

    @property
    def config(self) -> Path:
        """Stays empty: the only folder in which Jupyter looks for configuration."""
        return self.base / "config"

    @property
    def data(self) -> Path:
        """Which notebooks are trusted, and the key that says so."""
        return self.base / "data"

    @property
    def runtime(self) -> Path:
        """The secret of the cookies and what else lives as long as a server."""
        return self.base / "runtime"

    @property
    def application(self) -> Path:
        """JupyterLab's default settings, written at each start."""
        return self.base / "application"

    @property
    def user_settings(self) -> Path:
        """What the user changed in JupyterLab's settings."""
        return self.base / "settings"

    @property
    def layouts(self) -> Path:
        """Which tabs were open."""
        return self.base / "layouts"

    @property
    def checkpoints(self) -> Path:
        """Earlier versions of files, out of the user's sight."""
        return self.base / "checkpoints"

    @property
    def kernels(self) -> Path:
        """The data as kernels get them, while they run."""
        return self.base / "kernels"

    @property
    def kernel_log(self) -> Path:
        """What kernels of this session said outside their cells."""
        return self.base / "kernels.log"

    @property
    def team_file(self) -> Path:
        """The team that was named last."""
        return self.base / "team.txt"

    def team(self) -> str:
        """Give the team that was named last, or nothing."""
        with suppress(OSError, UnicodeDecodeError):
            return self.team_file.read_text(encoding="utf-8").strip()
        return ""

    def remember_team(self, team: str) -> None:
        """Keep the team for the next form; a fault of the disk loses no more than that."""
        with suppress(OSError, StorageError, UnicodeEncodeError):
            self.team_file.write_text(team, encoding="utf-8")


def work_folder(given: str) -> Path:
    """Give the folder that the user works in, as it is on the disk."""
    root = Path(given)
    if "\0" in given or not root.is_absolute():
        raise ServerError(
            _("the work folder must be an absolute path, not {given!r}").format(given=given)
        )
    make_folder(root)
    if not os.access(root, os.R_OK | os.W_OK | os.X_OK):
        raise ServerError(
            _("the work folder {root!r} is not writable; choose a folder that is yours").format(
                root=str(root)
            )
        )
    return root.resolve()
