"""The data a run could read: each replica's recipe, tables, columns and their fidelity.

The run's own inputs name dataset, version and hashes; the manifest adds titles and fidelity. A
manifest that vanished or changed since is told, and its contents are then not used.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox.runs.report.quantities import day, percent, quantity
from sandbox.runs.report.reading import load, mapping, number, objects, sequence, sha256, text
from sandbox.runs.report.words import FIDELITY, MARGINS, NOTHING, Words, said

NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]{0,200}")

VANISHED = Words(
    "Không còn bản kê của bản sao này, nên không nói được độ trung thực của các cột.",
    "The manifest of this replica is gone, so the fidelity of its columns cannot be told.",
)
CHANGED = Words(
    "Bản kê đã khác với lúc chạy, nên không dùng để nói về độ trung thực.",
    "The manifest differs from the one at the time of the run, so it is not used.",
)
COUNTRY = Words("cả nước", "whole country")


@dataclass(frozen=True, kw_only=True)
class Fidelity:
    """How far a column follows what is published, in words."""

    status: str
    against: Words = NOTHING
    distance: Words = NOTHING
    sampling: Words = NOTHING
    because: Words = NOTHING

    @property
    def word(self) -> Words:
        """The word on the badge."""
        return FIDELITY[self.status]


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column, or a pair of columns that a published table gives together."""

    name: str
    title: Words
    fidelity: Fidelity


@dataclass(frozen=True, kw_only=True)
class Table:
    """One table that was mounted."""

    name: str
    title: Words
    n_rows: Words
    content_hash: str
    columns: tuple[Column, ...]
    pairs: tuple[Column, ...]
    all_columns: bool  # the notebook named none, so it could read them all


@dataclass(frozen=True, kw_only=True)
class Source:
    """A publication behind the replicas."""

    table: str
    name: Words
    title: str  # of the document or series
    publisher: str
    year: str
    terms: str


@dataclass(frozen=True, kw_only=True)
class Dataset:
    """One replica that the run could read."""

    name: str
    title: Words
    version: str
    scale: Words
    area: Words
    seed: str
    margins: Words
    as_of: Words
    licence: str
    manifest_sha256: str
    problem: Words
    assumptions: tuple[Words, ...]  # of the rows themselves, beside those of single columns
    tables: tuple[Table, ...]
    sources: tuple[Source, ...]

    @property
    def is_partial(self) -> bool:
        """Whether it holds less than the whole country."""
        return self.area != COUNTRY


def datasets(inputs: object, replicas: Path) -> tuple[Dataset, ...]:
    """Describe each of a run's inputs with the manifest below `replicas`."""
    return tuple(_dataset(given, replicas) for given in objects(inputs))


def _dataset(given: dict[str, Any], replicas: Path) -> Dataset:
    name, version = text(given.get("dataset")), text(given.get("version"))
    recorded = text(given.get("manifest_sha256"))
    manifest, problem = _manifest(replicas, name, version, recorded)
    recipe = mapping(given.get("recipe")) or mapping(manifest.get("recipe"))
    margins = text(recipe.get("margins"))
    described = {text(table.get("name")): table for table in objects(manifest.get("tables"))}
    sources = tuple(_source(source) for source in objects(manifest.get("sources")))
    titles = {source.table: source.name or Words(source.title) for source in sources}
    return Dataset(
        name=name,
        title=said(manifest.get("title")),
        version=version,
        scale=_scale(text(recipe.get("scale"))),
        area=_area(recipe.get("area")),
        seed=text(recipe.get("seed")),
        margins=MARGINS.get(margins, Words(margins)),
        as_of=day(given.get("as_of") or manifest.get("as_of") or ""),
        licence=text(manifest.get("licence")),
        manifest_sha256=recorded,
        problem=problem,
        assumptions=tuple(said(reason) for reason in objects(manifest.get("assumptions"))),
        tables=tuple(
            _table(table, name, described, objects(manifest.get("pairs")), titles)
            for table in objects(given.get("tables"))
        ),
        sources=sources,
    )


def _manifest(
    replicas: Path, name: str, version: str, recorded: str
) -> tuple[dict[str, Any], Words]:
    if not (NAME.fullmatch(name) and NAME.fullmatch(version)):
        return {}, VANISHED
    path = replicas / name / version / "manifest.json"
    manifest = load(path)
    if manifest is None:
        return {}, VANISHED
    if recorded and sha256(path) != recorded:
        return {}, CHANGED
    return manifest, NOTHING


def _table(
    given: dict[str, Any],
    dataset: str,
    described: dict[str, dict[str, Any]],
    pairs: list[dict[str, Any]],
    titles: dict[str, Words],
) -> Table:
    name = text(given.get("name")).removeprefix(f"{dataset}.")
    known = described.get(name, {})
    columns = {text(column.get("name")): column for column in objects(known.get("columns"))}
    declared = [text(column) for column in sequence(given.get("columns"))]
    used = declared or list(columns)
    return Table(
        name=f"{dataset}.{name}",
        title=said(known.get("title")),
        n_rows=quantity(given.get("rows", known.get("rows"))),
        content_hash=text(given.get("content_hash") or known.get("content_hash")),
        columns=tuple(
            Column(
                name=column,
                title=said(columns.get(column, {}).get("title")),
                fidelity=_fidelity(columns.get(column, {}).get("fidelity"), titles),
            )
            for column in used
        ),
        pairs=tuple(_pair(pair, columns, titles) for pair in pairs if _is_used(pair, name, used)),
        all_columns=not declared,
    )


def _is_used(pair: dict[str, Any], table: str, used: list[str]) -> bool:
    together = [text(column) for column in sequence(pair.get("columns"))]
    return text(pair.get("table")) == table and bool(together) and set(together) <= set(used)


def _pair(
    pair: dict[str, Any], columns: dict[str, dict[str, Any]], titles: dict[str, Words]
) -> Column:
    names = [text(column) for column in sequence(pair.get("columns"))]
    parts = [said(columns.get(name, {}).get("title")) for name in names]
    joined = Words(
        " × ".join(part.vi for part in parts),
        " × ".join(part.en for part in parts) if all(part.en for part in parts) else "",
    )
    return Column(
        name=" × ".join(names),
        title=joined if all(parts) else NOTHING,
        fidelity=_fidelity(pair.get("fidelity"), titles),
    )


def _fidelity(given: object, titles: dict[str, Words]) -> Fidelity:
    known = mapping(given)
    status = text(known.get("status"))
    # One that was raked follows several tables.
    against = [
        titles.get(name) or Words(name) for name in text(known.get("against")).split(", ") if name
    ]
    distance, sampling = number(known.get("distance")), number(known.get("sampling"))
    return Fidelity(
        status=status if status in FIDELITY else "unknown",
        against=_joined(against),
        distance=percent(distance) if distance is not None else NOTHING,
        sampling=percent(sampling) if sampling is not None else NOTHING,
        because=said(known.get("because")),
    )


def _joined(titles: list[Words]) -> Words:
    if not titles:
        return NOTHING
    english = "; ".join(one.en or one.vi for one in titles) if any(one.en for one in titles) else ""
    return Words("; ".join(one.vi for one in titles), english)


def _source(given: dict[str, Any]) -> Source:
    return Source(
        table=text(given.get("table")),
        name=said(given.get("name")),
        title=text(given.get("title")),
        publisher=text(given.get("publisher")),
        year=text(given.get("year")),
        terms=text(given.get("terms")),
    )


def _scale(scale: str) -> Words:
    try:
        part = 1 / float(scale)
    except (ValueError, ZeroDivisionError):
        return Words(scale)
    if part == 1:
        return Words("1 (đủ cỡ)", "1 (full size)")
    share = quantity(round(part, 2))
    return Words(f"1/{share.vi} ({scale.replace('.', ',')})", f"1/{share.en or share.vi} ({scale})")


def _area(area: object) -> Words:
    return (
        COUNTRY if area in (None, "") else Words(f"tỉnh mã {text(area)}", f"province {text(area)}")
    )
