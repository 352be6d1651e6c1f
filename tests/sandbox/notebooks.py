"""Small notebooks for tests."""

from __future__ import annotations

import json


def cell(source, *, name, tags=(), kind="code"):
    """Make one cell."""
    made = {"cell_type": kind, "id": name, "metadata": {"tags": list(tags)}, "source": source}
    return made | ({"outputs": [], "execution_count": None} if kind == "code" else {})


def content(*sources, parameters=None, reads=None, **described):
    """Make a notebook of code cells; by default it declares that it reads nothing."""
    cells = [cell(source, name=f"c{place}") for place, source in enumerate(sources)]
    if parameters is not None:
        cells.insert(0, cell(parameters, name="parameters", tags=["parameters"]))
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    told = {"reads": {} if reads is None else reads, **described}
    return {
        "nbformat": 4,
        "nbformat_minor": 5,
        "metadata": {"kernelspec": kernel, "sandbox": told},
        "cells": cells,
    }


def write(path, *sources, **options):
    """Write a notebook."""
    path.write_text(json.dumps(content(*sources, **options)))
    return path


def text_of(executed, index):
    """Give what a cell of an executed notebook printed."""
    outputs = executed["cells"][index]["outputs"]
    return "".join("".join(one["text"]) for one in outputs if one["output_type"] == "stream")
