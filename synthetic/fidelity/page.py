"""The page that shows how true replicas are: one HTML file without scripts."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from synthetic import statistics
from synthetic.evaluation.measured import Distance
from synthetic.fidelity.bars import MOST, bars, pyramid
from synthetic.fidelity.facts import Measured, facts
from synthetic.fidelity.labels import Language, axis_title, is_province, labels
from synthetic.fidelity.numbers import Number, percent, writer
from synthetic.fidelity.tiles import tile_map
from synthetic.fidelity.words import WORDS
from synthetic.spec.models import TableSpec
from synthetic.statistics.described import table as described

_FOLDER = Path(__file__).parent
_AGES = ("age", "age_band")
_SIDES = ("male", "female")


@dataclass(frozen=True)
class Way:
    """A way back, for a page that is shown among others."""

    address: str
    title: str


def style() -> str:
    """The page's style sheet, as it stands in the page."""
    return (_FOLDER / "page.css").read_text(encoding="utf-8")


def page(measured: Sequence[Measured], language: Language, back: Way | None = None) -> str:
    """The page of these replicas, in Vietnamese ("vi") or English ("en")."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    number = writer(language)
    environment.filters["share"] = lambda value: percent(value, number)
    environment.filters["number"] = number
    return environment.get_template("page.html.j2").render(
        language=language,
        say={key: pair[language] for key, pair in WORDS.items()},
        style=style(),
        back=back,
        replicas=[_replica(one, language, number) for one in measured],
    )


def _replica(measured: Measured, language: Language, number: Number) -> dict[str, Any]:
    told = facts(measured)
    rows = zip(told["published"], measured.distances, strict=True)
    drawn: set[tuple[str, ...]] = set()  # a picture that an earlier comparison showed is left out
    comparisons = [
        fact | _shown(measured.spec.tables[table], far, language, drawn, number)
        for fact, (table, far) in rows
    ]
    return told | {
        "title": measured.manifest.data["title"][language],
        "comparisons": comparisons,
        "columns": [_column(column, comparisons, language) for column in told["columns"]],
        "unmeasured": [_published(name, language) for name in told["unmeasured"]],
        "contradictions": [
            fact | {which: _published(fact[which], language) for which in ("kept", "bent")}
            for fact in told["contradictions"]
        ],
        "titles": {n: getattr(t.title, language) for n, t in measured.spec.tables.items()},
        "counts": {
            status: sum(c["status"] == status for c in told["columns"])
            for status in ("calibrated", "measured", "derived", "assumed")
        },
    }


def _column(
    column: dict[str, Any], comparisons: Sequence[dict[str, Any]], language: Language
) -> dict[str, Any]:
    """A column, what it was held against, and where that is shown."""
    measured = column["distance"] is not None
    return column | {
        "source": _published(column["against"], language) if measured else None,
        "shown": [
            {"number": number, "what": one["what"]}
            for number, one in enumerate(comparisons, 1)
            if one["table"] == column["table"] and column["column"] in one["columns"]
        ],
    }


def _verdict(far: Distance) -> str:
    """Which of the page's words says how near it is."""
    if far.exact:
        return "exact"
    if far.met:
        return "floors"
    if far.holds:
        return "holds"
    return "far" if far.comparison.contradicts is None else "contradicts"


def _shown(
    table: TableSpec,
    far: Distance,
    language: Language,
    drawn: set[tuple[str, ...]],
    number: Number,
) -> dict[str, Any]:
    titles = [axis_title(table, far, axis, language) for axis in far.margin.axes]
    cell, _ = far.largest
    named = [
        labels(table, far, axis, language).get(category, category)
        for axis, category in zip(far.margin.axes, cell, strict=True)
    ]
    return {
        "what": " × ".join(titles),
        "verdict": _verdict(far),
        "worst": " · ".join(named),
        "sources": [_published(name, language) for name in far.margin.table.split(", ")],
        "pictures": list(_pictures(table, far, language, drawn, number)),
    }


def _published(names: str, language: Language) -> dict[str, str]:
    """Title, publisher and year of a published table, or of several."""
    titles, publishers = [], []
    for name in names.split(", "):
        titles.append(getattr(described(name).title, language))
        source = statistics.source(name)
        publishers.append(f"{source.publisher}, {source.year}")
    return {"title": "; ".join(titles), "source": "; ".join(dict.fromkeys(publishers))}


def _pictures(
    table: TableSpec,
    far: Distance,
    language: Language,
    drawn: set[tuple[str, ...]],
    number: Number,
) -> Iterator[dict[str, str]]:
    """A map for provinces, a pyramid for ages by sex, bars for all else."""
    axes = far.margin.axes
    aged = next((axis for axis in axes if axis in _AGES), None)
    paired = (aged, "sex") if aged is not None and "sex" in axes else ()
    if aged is not None and paired:
        yield _pyramid(table, far, aged, language)
    for axis in axes:
        over = far.over(axis) if len(axes) > 1 else far
        key = (
            str(id(table)),
            *over.columns,
            *(f"{share:.4f}" for share in over.published.values()),
        )
        if axis in paired or len(over.published) < 2 or key in drawn:
            continue
        drawn.add(key)
        yield _picture(table, over, axis, language, number)


def _picture(
    table: TableSpec, over: Distance, axis: str, language: Language, number: Number
) -> dict[str, str]:
    published = {cell[0]: share for cell, share in over.published.items()}
    found = {cell[0]: share for cell, share in over.found.items()}
    title = axis_title(table, over, axis, language)
    names = labels(table, over, axis, language)
    if is_province(table, over, axis):
        drawn = tile_map(published, found, names, title, number)
        return {"kind": "map", "title": title, "svg": drawn, "more": ""}
    ordered = axis in (*_AGES, "month", "year") or len(published) <= 12
    more = 0 if ordered else max(len(published) - MOST, 0)
    drawn = bars(published, found, names, title, number, ordered=ordered)
    return {"kind": "bars", "title": title, "svg": drawn, "more": str(more or "")}


def _pyramid(table: TableSpec, far: Distance, aged: str, language: Language) -> dict[str, str]:
    at = [far.margin.at("sex"), far.margin.at(aged)]
    published: dict[tuple[str, str], float] = {}
    found: dict[tuple[str, str], float] = {}
    for cell, share in far.published.items():
        key = (cell[at[0]], cell[at[1]])
        published[key] = published.get(key, 0.0) + share
        found[key] = found.get(key, 0.0) + far.found[cell]
    names = labels(table, far, "sex", language)
    title = " × ".join(axis_title(table, far, axis, language) for axis in ("sex", aged))
    sides = [(code, names.get(code, code)) for code in _SIDES]
    return {
        "kind": "pyramid",
        "title": title,
        "svg": pyramid(published, found, sides, title),
        "more": "",
    }
