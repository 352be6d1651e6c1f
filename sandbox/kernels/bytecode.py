"""Compile the usual modules once, so that no isolated kernel has to.

An isolated kernel sees its environment read-only and can never keep what it compiles: without this
every run would compile pandas and matplotlib again, some four seconds. The modules are imported
once in a process of our own, which leaves their bytecode beside them as Python always does.
"""

from __future__ import annotations

import hashlib
import logging
import os
import subprocess
import sys
from importlib.util import cache_from_source
from pathlib import Path
from sysconfig import get_path

import sandbox
from synthetic.tables.files import make_folder, write_atomically

log = logging.getLogger(__name__)

USUAL = (
    "ipykernel.ipkernel",
    "IPython",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "matplotlib_inline.backend_inline",
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "duckdb",
    "scipy.stats",
    "sklearn.linear_model",
    "sklearn.ensemble",
    "sklearn.model_selection",
    "sandbox.lab",
    "sandbox.lab.completion",
    "sandbox.lab.listed",
    "sandbox.lab.magic",
    "sandbox.lab.tour",
    "synthetic.statistics",
)
_LONGEST_S = 120


class Warming:
    """The compilation, under way in another process or long done."""

    def __init__(self, stamp: Path, process: subprocess.Popen[bytes] | None) -> None:
        self.stamp, self.process = stamp, process

    def wait(self) -> None:
        """Wait for the end; a failure costs time in later runs and nothing else."""
        if self.process is None:
            return
        try:
            failed = self.process.wait(_LONGEST_S)
        except subprocess.TimeoutExpired:
            self.process.kill()
            failed = self.process.wait()
        if failed:
            log.warning("could not compile the usual modules ahead; runs will start slower")
            return
        make_folder(self.stamp.parent)
        write_atomically(self.stamp, b"")

    def stop(self) -> None:
        """End it where it is; the next one begins anew."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()


def warm(home: Path) -> Warming:
    """Start compiling, unless it was done before.

    The stamp in the home is for packages in a folder where Python could keep nothing.
    """
    stamp = home / "compiled" / _packages()
    if stamp.exists() or _is_compiled():
        return Warming(stamp, None)
    environ = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    environ |= {"MPLBACKEND": "agg"}
    code = "import importlib\nfor m in " + repr(USUAL) + ": importlib.import_module(m)"
    return Warming(
        stamp,
        subprocess.Popen(
            [sys.executable, "-c", code],
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        ),
    )


def _is_compiled() -> bool:
    """Whether the bytecode of each of these modules lies beside it."""
    roots = (Path(get_path("purelib")), Path(get_path("platlib")), Path(sandbox.__path__[0]).parent)
    return all(any(_has_bytecode(root, module) for root in roots) for module in USUAL)


def _has_bytecode(root: Path, module: str) -> bool:
    path = root / module.replace(".", "/")
    sources = (path / "__init__.py", path.with_suffix(".py"))
    return any(Path(cache_from_source(str(source))).is_file() for source in sources)


def _packages() -> str:
    """A name for this interpreter and the versions of its packages."""
    found = sorted(path.name for path in Path(get_path("purelib")).glob("*.dist-info"))
    text = "\n".join((sys.version, sys.prefix, *found))
    return hashlib.sha256(text.encode()).hexdigest()[:16]
