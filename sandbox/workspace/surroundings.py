"""Keep Jupyter from reading anybody's settings but ours.

Jupyter looks for configuration in a dozen places: variables, folders of the user, of the Python
environment and of the system. Each of them could add a server extension or a program to start.
This must be done before Jupyter is imported, since some places are fixed on import.
"""

from __future__ import annotations

import os
import site
from collections.abc import MutableMapping

from sandbox.workspace.places import Places

# Their variables choose folders, remote kernels, tokens, pre-loaded code.
FOREIGN = ("JUPYTER", "JPY", "IPYTHON", "KERNEL_", "VOILA", "PYDEVD")


def close(places: Places, environ: MutableMapping[str, str] = os.environ) -> None:
    """Leave Jupyter one folder for each purpose, below the home, and nothing to find elsewhere."""
    for name in [name for name in environ if name.startswith(FOREIGN)]:
        del environ[name]
    environ["JUPYTER_CONFIG_DIR"] = str(places.config)
    environ["JUPYTER_DATA_DIR"] = str(places.data)
    environ["JUPYTER_RUNTIME_DIR"] = str(places.runtime)
    environ["JUPYTER_PLATFORM_DIRS"] = "0"
    environ["IPYTHONDIR"] = str(places.data / "ipython")
    site.ENABLE_USER_SITE = False  # else the user's own packages bring a folder of configuration
    from jupyter_core import paths

    # Changed in place, because other modules hold these very lists.
    paths.ENV_CONFIG_PATH[:] = paths.SYSTEM_CONFIG_PATH[:] = [str(places.config)]
    paths.SYSTEM_JUPYTER_PATH.clear()
