"""The small environment that a kernel starts with; nothing of the machine's own is passed on."""

from __future__ import annotations

import sys
from pathlib import Path

THREADS = "1"  # sums of floating-point numbers then have one order, and processes stay few
TMP = "/tmp"  # the sandbox's own, in memory, gone with it


def environment(*, catalog: str, tmp: str = TMP) -> tuple[tuple[str, str], ...]:
    """Give the variables of a kernel, with everything that is written below its own /tmp."""
    threads = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "RAYON")
    return (
        ("PATH", f"{Path(sys.executable).parent}:/usr/local/bin:/usr/bin:/bin"),
        *(("LANG", "C.UTF-8"), ("LC_ALL", "C.UTF-8"), ("TZ", "UTC")),
        *(("HOME", tmp), ("TMPDIR", tmp), ("USER", "sandbox"), ("LOGNAME", "sandbox")),
        *(("IPYTHONDIR", f"{tmp}/ipython"), ("MPLCONFIGDIR", f"{tmp}/matplotlib")),
        *((f"XDG_{kind}_HOME", f"{tmp}/{kind.lower()}") for kind in ("CACHE", "CONFIG", "DATA")),
        *((f"JUPYTER_{kind}_DIR", f"{tmp}/jupyter") for kind in ("CONFIG", "DATA", "RUNTIME")),
        *((f"{name}_NUM_THREADS", THREADS) for name in threads),
        *(("PYTHONHASHSEED", "0"), ("PYTHONDONTWRITEBYTECODE", "1"), ("PYTHONNOUSERSITE", "1")),
        # Else the debugger, which nobody attaches, complains on every start.
        ("PYDEVD_DISABLE_FILE_VALIDATION", "1"),
        ("SANDBOX_CATALOG", catalog),
    )
