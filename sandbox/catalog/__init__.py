"""Which data there are: replicas built on this machine, and the packaged statistics."""

from sandbox.catalog.described import describe, listing
from sandbox.catalog.inputs import PUBLISHED, Inputs, restore, select
from sandbox.catalog.packaged import packaged
from sandbox.catalog.published import published
from sandbox.catalog.redrawn import originals, redrawn
from sandbox.catalog.replicas import Recipe, Replica, not_built, preferred, replicas
from sandbox.catalog.search import Found, Hit, search
from sandbox.catalog.shown import code_list, shown
from sandbox.catalog.states import states

__all__ = [
    "PUBLISHED",
    "Found",
    "Hit",
    "Inputs",
    "Recipe",
    "Replica",
    "code_list",
    "describe",
    "listing",
    "not_built",
    "originals",
    "packaged",
    "preferred",
    "published",
    "redrawn",
    "replicas",
    "restore",
    "search",
    "select",
    "shown",
    "states",
]
