"""The small environment that a kernel starts with; nothing of the machine's own is passed on."""

from __future__ import annotations

import sys
from pathlib import Path

from sandbox.kernels.surroundings import USUAL, Surroundings

TMP = "/tmp"  # the sandbox's own, in memory, gone with it


def environment(
    *, catalog: str, tmp: str = TMP, surroundings: Surroundings = USUAL
) -> tuple[tuple[str, str], ...]:
    """Give the variables of a kernel, with everything that is written below its own /tmp."""
    return (
        ("PATH", f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"),
        *surroundings.names().items(),
        *(("HOME", tmp), ("TMPDIR", tmp), ("USER", "sandbox"), ("LOGNAME", "sandbox")),
        *(("IPYTHONDIR", f"{tmp}/ipython"), ("MPLCONFIGDIR", f"{tmp}/matplotlib")),
        *((f"XDG_{kind}_HOME", f"{tmp}/{kind.lower()}") for kind in ("CACHE", "CONFIG", "DATA")),
        *((f"JUPYTER_{kind}_DIR", f"{tmp}/jupyter") for kind in ("CONFIG", "DATA", "RUNTIME")),
        *(("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONNOUSERSITE", "1")),
        # Else the debugger, which nobody attaches, complains on every start.
        ("PYDEVD_DISABLE_FILE_VALIDATION", "1"),
        ("SANDBOX_CATALOG", catalog),
    )
