"""What a notebook finds around it in one execution: its data, its limits, its surroundings.

An execution folder is furnished with it, and it has a key: a kernel that was started ahead fits
an execution whose world has the same one.
"""

from __future__ import annotations

import json
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from sandbox.kernels import Limits, Mount, Policy
from sandbox.kernels.environment import environment
from sandbox.kernels.policy import CATALOG, DATA
from sandbox.kernels.surroundings import Surroundings
from sandbox.lab.attached import FOLDER
from sandbox.runs import staging
from sandbox.runs.folder import ExecutionFolder
from synthetic.tables.files import make_folder, write_json

if TYPE_CHECKING:
    from sandbox.catalog import Inputs


@dataclass(frozen=True, kw_only=True, eq=False)
class World:
    """The world of one execution, without the folder that it is executed in."""

    limits: Limits
    surroundings: Surroundings
    data: tuple[Mount, ...]  # from where they lie; none where nothing is isolated
    catalog: dict[str, Any]  # as the kernel is told it
    isolated: bool

    @classmethod
    def of(
        cls,
        limits: Limits,
        surroundings: Surroundings,
        inputs: Inputs | None,
        *,
        isolated: bool,
        attached: tuple[Mount, ...] = (),
    ) -> World:
        """Give the world in which these inputs and attached files are read."""
        told: dict[str, Any] = {"datasets": []}
        data: tuple[Mount, ...] = ()
        if inputs is not None:
            told = inputs.lab_catalog(Path(DATA) if isolated else None)
            binds = inputs.binds(Path(DATA)) if isolated else ()
            data = tuple(Mount(source=one, target=PurePosixPath(to)) for one, to in binds)
        for mount in attached:
            told[FOLDER] = str(mount.target if isolated else mount.source)
            data += (mount,) if isolated else ()
        return cls(
            limits=limits, surroundings=surroundings, data=data, catalog=told, isolated=isolated
        )

    @property
    def key(self) -> Hashable:
        """The same for worlds that a notebook cannot tell from one another."""
        told = json.dumps(self.catalog, sort_keys=True)
        # A replica that was removed and built again has the same names and other files.
        files = tuple(mount.source.stat().st_ino for mount in self.data)
        return (self.limits, self.surroundings, self.data, files, told, self.isolated)

    def furnish(self, folder: Path) -> Policy:
        """Put everything into an execution folder; give the policy of a kernel in it."""
        place = ExecutionFolder(folder)
        make_folder(place.work)
        write_json(place.catalog_file, self.catalog)
        around = self.surroundings
        if not self.isolated:
            tmp = make_folder(place.work / ".tmp")
            return Policy(
                work=place.work,
                limits=self.limits,
                environment=environment(
                    catalog=str(place.catalog_file), tmp=str(tmp), surroundings=around
                ),
                isolated=False,
                host=around.host,
                folder=around.folder,
            )
        data = staging.stage(place.staged, self.data)
        return Policy(
            work=place.work,
            limits=self.limits,
            data=(*data, Mount(source=place.catalog_file, target=CATALOG)),
            environment=environment(catalog=str(CATALOG), surroundings=around),
            host=around.host,
            folder=around.folder,
        )
