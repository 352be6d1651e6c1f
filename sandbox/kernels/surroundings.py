"""What a notebook may notice around it and should not depend on: host, folder, clock, locale, seeds.

The first execution has the usual surroundings. Another execution gets other ones, so that what a
notebook takes from them shows. Nothing in them says which execution it is.
"""

from __future__ import annotations

import os
import secrets
import subprocess
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

from sandbox.kernels.policy import INSIDE, WORK

ZONE = "Pacific/Marquesas"  # 9 h 30 min behind UTC: other hours, minutes and often another day
ZONES = Path("/usr/share/zoneinfo")
UNNAMED_ZONE = "<-0930>9:30"  # the same, where the system has no names of zones
# Those with a decimal comma or other names of months before those that only sort differently.
LOCALES = ("vi_VN.utf8", "de_DE.utf8", "fr_FR.utf8", "en_US.utf8")
BARE_LOCALE = "C"  # every system has it
FEWEST_THREADS = 2


@dataclass(frozen=True, kw_only=True)
class Surroundings:
    """What one execution finds around it."""

    host: str = "sandbox"
    folder: PurePosixPath = WORK
    time_zone: str = "UTC"
    locale: str = "C.UTF-8"
    hash_seed: int = 0
    threads: int = 1  # sums of floating-point numbers then have one order, and processes stay few

    def to_record(self, *, isolated: bool) -> dict[str, Any]:
        """Give them for a record; without isolation host and folder are the machine's own."""
        told = asdict(self) | {"folder": str(self.folder)}
        return told if isolated else told | {"host": None, "folder": None}

    def names(self) -> Mapping[str, str]:
        """Give the environment variables that carry them."""
        libraries = ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB_MAXIMUM", "RAYON")
        return {
            **{"LANG": self.locale, "LC_ALL": self.locale, "TZ": self.time_zone},
            **{f"{name}_NUM_THREADS": str(self.threads) for name in libraries},
            "PYTHONHASHSEED": str(self.hash_seed),
        }


USUAL = Surroundings()


def others() -> Surroundings:
    """Give surroundings that differ from the usual ones in everything."""
    return Surroundings(
        host=f"host-{secrets.token_hex(3)}",
        folder=INSIDE / secrets.token_hex(4),
        time_zone=ZONE if (ZONES / ZONE).is_file() else UNNAMED_ZONE,
        locale=next((one for one in LOCALES if one in installed_locales()), BARE_LOCALE),
        hash_seed=1 + secrets.randbelow(2**32 - 2),
        threads=max(FEWEST_THREADS, os.cpu_count() or FEWEST_THREADS),
    )


@cache
def installed_locales() -> frozenset[str]:
    """Name the locales that this system has."""
    try:
        done = subprocess.run(["locale", "-a"], capture_output=True, text=True, check=False)
    except OSError:
        return frozenset()
    return frozenset(done.stdout.split())
