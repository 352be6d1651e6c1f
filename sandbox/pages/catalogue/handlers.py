"""The catalogue's addresses and what each answers."""

from __future__ import annotations

from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox import catalog
from sandbox.catalog import PUBLISHED
from sandbox.catalog.words import QUALITY, SOURCES, said
from sandbox.pages.catalogue import sample, snippets, tables, truth
from sandbox.pages.catalogue.datasets import Dataset, datasets
from sandbox.pages.catalogue.links import address
from sandbox.pages.catalogue.links import how_true as how_true_of
from sandbox.pages.catalogue.themes import themes
from sandbox.pages.catalogue.unknown import unknown
from sandbox.pages.rendering import page
from synthetic import statistics

MOST_HITS = 50
LONGEST = 200  # characters of a query that are said again


def routes() -> list[Route]:
    """Give the catalogue's routes; the fixed addresses go before those of datasets."""
    return [
        Route("/data", overview),
        Route("/data/search", search),
        Route("/data/published", published),
        Route("/data/published/{table}", published_table),
        Route("/data/{dataset}", dataset),
        Route("/data/{dataset}/how-true", how_true),  # no table has a hyphen in its name
        Route("/data/{dataset}/{table}", table),
    ]


def overview(request: Request) -> Response:
    """Show every dataset with its state, and the published tables by theme."""
    return page(
        request,
        "catalogue.html.j2",
        datasets=list(datasets(request.app.state.settings).values()),
        themes=themes(catalog.published()),
        n_rows=_n_rows(),
        address=address,
    )


def dataset(request: Request) -> Response:
    """Show one dataset."""
    known = datasets(request.app.state.settings)
    found = known.get(request.path_params["dataset"])
    if found is None:
        return unknown(request, request.path_params["dataset"], known)
    return _dataset(request, found)


def how_true(request: Request) -> Response:
    """Show how near a dataset's replica is to every published table behind it."""
    known = datasets(request.app.state.settings)
    found = known.get(request.path_params["dataset"])
    if found is None:
        return unknown(request, request.path_params["dataset"], known)
    replica, version = found.replica, request.query_params.get("version")
    if version is not None:
        built = catalog.shown(request.app.state.settings)
        own = (r for r in built if (r.dataset, r.version) == (found.name, version))
        replica = next(own, None)
    if replica is None:
        return _dataset(request, found, status=404)
    return truth.of(replica)


def table(request: Request) -> Response:
    """Show one table, or its dataset if that cannot be read."""
    known = datasets(request.app.state.settings)
    found = known.get(request.path_params["dataset"])
    if found is None:
        return unknown(request, request.path_params["dataset"], known)
    name, replica = request.path_params["table"], found.replica
    if replica is None:
        return _dataset(request, found, status=404)
    if name not in replica.tables:
        return unknown(request, name, replica.tables, within=found.name)
    qualified = f"{found.name}.{name}"
    described = replica.table(name)
    return page(
        request,
        "catalogue_table.html.j2",
        name=qualified,
        dataset=found,
        table=described,
        columns=tables.columns(replica, name),
        how_true=how_true_of if truth.is_shown(replica) else None,
        pairs=tables.pairs(replica, name),
        sources=tables.sources(replica, name),
        rows=sample.of_replica(replica, name),
        questions=described.get("questions", ()),
        frame=snippets.frame(qualified),
        grouped=snippets.grouped(qualified, snippets.to_count_by(described["columns"])),
        address=address,
    )


def published(request: Request) -> Response:
    """Show all published tables."""
    return page(
        request,
        "catalogue_published.html.j2",
        themes=themes(catalog.published()),
        sources={name: statistics.source(name) for name in statistics.names()},
        quality=QUALITY,
        said=partial(said, of=SOURCES),
        n_rows=_n_rows(),
        address=address,
    )


def published_table(request: Request) -> Response:
    """Show one published table with its source."""
    name = request.path_params["table"]
    if name not in statistics.names():
        return unknown(request, name, statistics.names(), within=PUBLISHED)
    described = statistics.table(name)
    built = datasets(request.app.state.settings).values()
    replicas = {each.name: each.replica for each in built if each.replica is not None}
    return page(
        request,
        "catalogue_published_table.html.j2",
        name=f"{PUBLISHED}.{name}",
        table=described,
        columns=tables.published_columns(described),
        n_rows=len(statistics.rows(name)),
        rows=sample.of_published(name),
        source=statistics.source(name),
        quality=said(statistics.source(name).quality, QUALITY),
        said=partial(said, of=SOURCES),
        sha256=statistics.sha256(name),
        followers=tables.followers(replicas, name),
        frame=snippets.frame(f"{PUBLISHED}.{name}"),
        address=address,
    )


def search(request: Request) -> Response:
    """Show what was found for a query."""
    query = request.query_params.get("q", "").strip()
    found = catalog.search(request.app.state.settings, query, limit=MOST_HITS)
    return page(
        request,
        "catalogue_search.html.j2",
        query=query if len(query) <= LONGEST else f"{query[:LONGEST]}…",
        found=found,
        address=address,
    )


def _dataset(request: Request, found: Dataset, status: int = 200) -> Response:
    replica = found.replica
    return page(
        request,
        "catalogue_dataset.html.j2",
        status=status,
        dataset=found,
        facts=found.facts,
        truth=how_true_of(found.name) if replica is not None and truth.is_shown(replica) else "",
        sources=[] if replica is None else tables.sources(replica),
        assumed=[]
        if replica is None
        else [
            (f"{found.name}.{name}.{column.name}", column)
            for name in replica.tables
            for column in tables.columns(replica, name)
            if column.fidelity.status == "assumed"
        ],
        address=address,
    )


def _n_rows() -> dict[str, int]:
    return {name: len(statistics.rows(name)) for name in statistics.names()}
