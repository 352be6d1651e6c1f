"""The page for a name that is not in the catalogue, with the nearest that is."""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches

from starlette.requests import Request
from starlette.responses import Response

from sandbox.catalog.folding import fold
from sandbox.pages.catalogue.links import address
from sandbox.pages.rendering import page

LONGEST = 100  # characters of a wrong name that are said again


def unknown(request: Request, name: str, known: Iterable[str], within: str = "") -> Response:
    """Say that nothing bears this name, and offer the nearest of those that are known.

    `within` is the dataset, or the schema of the published tables, that the names belong to.
    """
    whole = {each: f"{within}.{each}" if within else each for each in known}
    return page(
        request,
        "catalogue_unknown.html.j2",
        status=404,
        name=name if len(name) <= LONGEST else f"{name[:LONGEST]}…",
        near=[(whole[each], address(whole[each])) for each in nearest(name, whole)],
        within=within,
        back=address(within) if within else "/data",
    )


def nearest(name: str, known: Iterable[str]) -> list[str]:
    """Give up to three known names like this one, whatever its marks and capitals."""
    folded = {fold(each): each for each in known}
    return [folded[each] for each in get_close_matches(fold(name[:LONGEST]), folded, n=3)]
