"""Executes a notebook in a kernel of its own, as a person would: top to bottom, nothing isolated."""

from __future__ import annotations

import os
from pathlib import Path

import nbformat
from nbclient import NotebookClient


def execute(notebook: nbformat.NotebookNode, folder: Path, **environ: str) -> nbformat.NotebookNode:
    """Execute a notebook with `folder` as its working folder, and leave nothing open behind."""
    client = NotebookClient(
        notebook, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    )
    client.execute(env={**os.environ, "MPLBACKEND": "", **environ}, cleanup_kc=True)
    return client.nb
