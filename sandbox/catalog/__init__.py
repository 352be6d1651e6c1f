"""Which data there are: replicas built on this machine, and the packaged statistics."""

from sandbox.catalog.described import describe, listing
from sandbox.catalog.inputs import PUBLISHED, Inputs, restore, select
from sandbox.catalog.published import published
from sandbox.catalog.replicas import Recipe, Replica, newest, not_built, replicas

__all__ = [
    "PUBLISHED",
    "Inputs",
    "Recipe",
    "Replica",
    "describe",
    "listing",
    "newest",
    "not_built",
    "published",
    "replicas",
    "restore",
    "select",
]
