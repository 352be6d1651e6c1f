"""What the next execution will need, from what waits: the world of its kernel, and its imports."""

from __future__ import annotations

import logging
import re
from collections.abc import Hashable
from dataclasses import dataclass

from sandbox import catalog
from sandbox.kernels import Limits, available
from sandbox.kernels.pool import Furnish, Pool
from sandbox.kernels.surroundings import USUAL
from sandbox.runs import attachments
from sandbox.runs import notebook as notebooks
from sandbox.runs.folder import RunFolder
from sandbox.runs.world import World
from sandbox.settings import Settings
from sandbox.worker.queue import UNREADABLE

log = logging.getLogger(__name__)

LAB = ("duckdb", "sandbox.lab", "sandbox.lab.connection", "sandbox.lab.magic", "sandbox.lab.listed")
PLOTS = ("matplotlib.pyplot", "matplotlib_inline.backend_inline")
# What notebooks usually import, and with it what that takes along at its first use.
USUAL_IMPORTS = {
    "numpy": ("numpy",),
    "pandas": ("numpy", "pandas"),
    "duckdb": ("duckdb",),
    "matplotlib": ("numpy", *PLOTS),
    "sandbox": LAB,
    "sklearn": ("numpy", "sklearn.linear_model", "sklearn.ensemble", "sklearn.model_selection"),
    "scipy": ("numpy", "scipy.stats"),
}
# What a kernel imports that waits for a notebook that nobody has seen yet.
ALL = ("numpy", "pandas", *LAB, *PLOTS)
IMPORT = re.compile(r"^[ \t]*(?:import|from)[ \t]+([A-Za-z_]\w*)", re.M)
SQL = re.compile(r"^%%?sql\b", re.M)


@dataclass(frozen=True, kw_only=True, eq=False)
class Wanted:
    """The kernel that an execution will need."""

    key: Hashable
    furnish: Furnish
    ahead: tuple[str, ...]
    is_usual: bool  # another submission may need the same; none does if files travel with it

    def start(self, pool: Pool, ahead: tuple[str, ...] | None = None) -> None:
        """Have one started, unless one waits."""
        pool.expect(self.key, self.furnish, self.ahead if ahead is None else ahead)


def wanted(settings: Settings, run_id: str) -> Wanted | None:
    """Give the kernel that the first execution of a run will need; None if that cannot be told."""
    try:
        folder = RunFolder.find(settings, run_id)
        submission = folder.submission()
        inputs = catalog.restore(settings, submission["inputs"]) if submission["inputs"] else None
        found = notebooks.parse(submission["notebook_name"], folder.notebook.read_bytes())
        if not available():
            return None
        attached = attachments.mounts(folder.submission_file, submission)
        limits = Limits.from_record(submission["limits"])
        world = World.of(limits, USUAL, inputs, isolated=True, attached=attached)
        return Wanted(
            key=world.key, furnish=world.furnish, ahead=imports(found), is_usual=not attached
        )
    except UNREADABLE as error:
        log.debug("nothing is started ahead for run %s: %s", run_id, error)
        return None


def imports(found: notebooks.Notebook) -> tuple[str, ...]:
    """Name the usual modules that a notebook imports, in the order in which they are imported."""
    code = "\n".join(map(notebooks.text, filter(notebooks.is_code, found.cells)))
    named = set(IMPORT.findall(code)) | ({"sandbox"} if SQL.search(code) else set())
    modules = [module for name in USUAL_IMPORTS if name in named for module in USUAL_IMPORTS[name]]
    return tuple(dict.fromkeys(modules))
