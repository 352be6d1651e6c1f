"""The command that builds datasets, for messages and remedies."""

from __future__ import annotations

import shlex

OWN_SPECS = "--specs DIR"  # DIR stands for the folder of specs that only its owner knows


def build(*datasets: str, options: str) -> str:
    """Write the command that builds datasets, those of somebody's own specs too."""
    # Specs are read with pydantic, which a notebook's import need not wait for.
    from synthetic.spec.load import packaged

    own = "" if set(datasets) <= set(packaged()) else f" {OWN_SPECS}"
    # Quoted: a folder or a manifest may bear any name, and this is pasted into a shell.
    return f"synthetic build {' '.join(map(shlex.quote, datasets))} {options}{own}"
