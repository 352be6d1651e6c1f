"""The replicas of a submission, drawn again: the same tables and columns, other rows.

Draws lie in a folder of their own, which no list of replicas looks into.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace

from sandbox.catalog.inputs import Inputs
from sandbox.catalog.replicas import Replica
from synthetic.tables import manifest as manifests
from synthetic.tables.files import json_bytes
from synthetic.tables.manifest import Manifest

ALIKE = ("title", "description", "as_of")  # told to a notebook; a copy's title says which copy


def originals(submitted: Inputs) -> list[Manifest]:
    """Give the replicas of a submission with the declared tables alone; of a dirty copy, the clean.

    Raises StorageError if the clean replica of a copy is gone.
    """
    return [_original(submitted, replica) for replica in submitted.replicas]


def redrawn(submitted: Inputs, drawn: Sequence[Manifest]) -> Inputs:
    """Give what a notebook declared, of these draws instead of the submitted replicas."""
    found = {one.dataset: one for one in drawn}
    instead = tuple(_like(one, found[one.dataset]) for one in submitted.replicas)
    return replace(submitted, replicas=instead)


def _original(submitted: Inputs, replica: Replica) -> Manifest:
    dirt = replica.manifest.get("dirt")
    found = manifests.read(replica.folder.parent / dirt["of"] if dirt else replica.folder)
    qualified = {f"{replica.dataset}.{one['name']}": one for one in found.tables}
    tables = [one for name, one in qualified.items() if name in submitted.tables]
    return Manifest(found.folder, {**found.data, "tables": tables, "depends": {}})


def _like(submitted: Replica, drawn: Manifest) -> Replica:
    """Give a draw that tells a notebook what the submitted replica tells it."""
    data = {**drawn.data, **{key: submitted.manifest[key] for key in ALIKE}}
    return replace(
        submitted,
        folder=drawn.folder,
        manifest=data,
        manifest_sha256=hashlib.sha256(json_bytes(data)).hexdigest(),
    )
