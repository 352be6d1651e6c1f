"""Which data there are: replicas built on this machine, and the packaged statistics."""

from sandbox.catalog.described import describe, listing
from sandbox.catalog.inputs import PUBLISHED, Inputs, restore, select
from sandbox.catalog.published import published
from sandbox.catalog.replicas import Recipe, Replica, not_built, preferred, replicas

__all__ = [
    "PUBLISHED",
    "Inputs",
    "Recipe",
    "Replica",
    "describe",
    "listing",
    "not_built",
    "preferred",
    "published",
    "replicas",
    "restore",
    "select",
]
