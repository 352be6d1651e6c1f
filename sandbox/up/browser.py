"""Open an address in the person's browser, if there is one that has a window."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping

from sandbox.up.leftovers import MARK

WINDOWS = ("DISPLAY", "WAYLAND_DISPLAY", "WSL_DISTRO_NAME")  # what tells of a screen on Linux
OPENER = "import sys, webbrowser; sys.exit(0 if webbrowser.open(sys.argv[1]) else 1)"
TIMEOUT_S = 15


def opened(url: str, environ: Mapping[str, str]) -> bool:
    """Open the address; False if nothing could.

    A text browser would take the terminal over, so without a screen nothing is tried. Another
    process does it, since browsers talk, and some keep their caller until they are closed.
    """
    if sys.platform.startswith("linux") and not any(map(environ.get, WINDOWS)):
        return False
    try:
        process = subprocess.Popen(
            [sys.executable, "-P", "-c", OPENER, url],
            env={name: value for name, value in environ.items() if name != MARK},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
            cwd=os.path.sep,
        )
        return process.wait(TIMEOUT_S) == 0
    except subprocess.TimeoutExpired:
        return True  # it is open, and its first process stays
    except OSError:
        return False
