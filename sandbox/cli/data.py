"""`sandbox data`: the replicas and published tables of this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from sandbox import catalog
from sandbox.catalog.words import QUALITY, TYPES, UNITS, said
from sandbox.lab import wording
from sandbox.language import _, either, language
from sandbox.look.kinds import kind
from sandbox.settings import Settings


@click.group("data")
def data() -> None:
    """Show the replicas and published tables of this machine."""


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(as_json: bool) -> None:
    """List every dataset with its replicas, and the published tables.

    (*) marks the replica that a run takes by default: one of the whole country before one of a
    single province, then the newest. `sandbox data show` describes that same one.
    """
    _print(catalog.listing(Settings.from_environ(os.environ)), as_json, _listing)


@data.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show NAME: a dataset, a table as in population.persons, or published.TABLE.

    A table is shown with its rows and, for each column, type, unit, sensitivity and fidelity: the
    share of rows (in percent) that lie elsewhere than in the published table.
    """
    facts = catalog.describe(Settings.from_environ(os.environ), name)
    text = {"dataset": _dataset, "table": _table, "published": _published}
    _print(facts, as_json, text[facts["kind"]])


def _print(
    facts: Mapping[str, Any], as_json: bool, text: Callable[[Mapping[str, Any]], Iterator[str]]
) -> None:
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for line in text(facts):
        click.echo(line.rstrip())


def _listing(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _("Replicas (in {home})").format(home=facts["home"])
    for dataset in facts["datasets"]:
        yield ""
        yield f"  {dataset['dataset']}: {either(dataset['title'])}"
        for version in dataset["versions"]:
            mark = "(*)" if version["default"] else "   "
            yield f"    {mark} {version['version']}, {_drawn(version)}"
        yield from _grid(
            [
                [f"{dataset['dataset']}.{table['name']}", _rows(table), either(table["title"])]
                for table in dataset["tables"]
            ]
        )
    if facts["datasets"]:
        yield ""
        yield "  " + _("(*) the one that a run reads by default; choose another one with:")
        yield "      sandbox run submit NOTEBOOK --scale F --area CODE --seed N"
    else:
        command = "synthetic build population enterprise --scale 0.01"
        yield "  " + _("none yet; build them with: {command}").format(command=command)
    yield ""
    yield _("Published tables")
    yield from _grid(
        [[table["name"], _rows(table), either(table["title"])] for table in facts["published"]]
    )


def _dataset(facts: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(facts)
    yield from _origin(facts)
    yield ""
    yield _("Tables")
    yield from _grid(
        [
            [f"{facts['name']}.{table['name']}", _rows(table), either(table["description"])]
            for table in facts["tables"]
        ]
    )
    yield from _sources(facts)


def _table(facts: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(facts)
    yield from _origin(facts)
    yield _("Rows: {rows}. Key: {key}").format(
        rows=_number(facts["rows"]), key=", ".join(facts["key"])
    )
    yield ""
    titles = [
        *(_("Column"), _("Type"), _("Unit"), _("Sensitivity"), _("Content"), _("Fidelity")),
    ]
    yield from _grid([titles, *(_column(column) for column in facts["columns"])])
    if facts["pairs"]:
        yield ""
        yield _("Columns taken together")
        yield from _grid(
            [[" × ".join(pair["columns"]), _fidelity(pair["fidelity"])] for pair in facts["pairs"]]
        )
    yield from _sources(facts)


def _published(facts: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(facts)
    yield _("Rows: {rows}").format(rows=_number(facts["rows"]))
    yield ""
    yield from _grid(
        [
            [_("Column"), _("Type"), _("Unit"), _("Description")],
            *(
                [c["name"], either(said(c["type"], TYPES)), _unit(c), either(c["description"])]
                for c in facts["columns"]
            ),
        ]
    )
    source = facts["source"]
    yield ""
    origin = "; ".join(filter(None, (source["title"], source["publisher"])))
    yield _("Source: {source}").format(source=origin)
    yield _("Year: {year}. Quality: {quality}").format(
        year=source["year"], quality=either(said(source["quality"], QUALITY))
    )
    if source["note"]:
        yield _("Note: {note}").format(note=source["note"])
    yield _("Terms of reuse: {terms}").format(terms=source["terms"])


def _head(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"{facts['name']}: {either(facts['title'])}"
    yield either(facts["description"])


def _origin(facts: Mapping[str, Any]) -> Iterator[str]:
    yield _("Version: {version}. Figures up to {date}").format(
        version=facts["version"], date=_written(facts["as_of"])
    )
    yield _("Licence: {licence}").format(licence=facts["licence"])
    yield either(facts["privacy"])


def _column(column: Mapping[str, Any]) -> list[str]:
    return [
        column["name"],
        either(said(column["type"], TYPES)),
        _unit(column),
        kind(column["sensitivity"], "sensitivity"),
        either(column["title"]),
        _fidelity(column["fidelity"]),
    ]


def _fidelity(fidelity: Mapping[str, Any]) -> str:
    """Write a fidelity as its badge, its figure and its reason."""
    words = kind(fidelity["status"], "fidelity")
    if fidelity["against"] is not None:
        words += " " + _("following {table}").format(table=fidelity["against"])
    if fidelity["distance"] is not None:
        words += ", " + _("off by {share}").format(share=_percent(fidelity["distance"]))
    if fidelity["sampling"] is not None:
        words += " " + _("(sampling alone: {share})").format(share=_percent(fidelity["sampling"]))
    if fidelity["because"] is not None:
        words += f": {either(fidelity['because'])}"
    return words


def _percent(share: float) -> str:
    return f"{_number(round(share * 100, 4))}%"


def _number(value: int | float) -> str:
    return wording.number(value, language=language())


def _written(value: object) -> str:
    return wording.written(value, language=language())


def _unit(column: Mapping[str, Any]) -> str:
    """Write a column's unit: a published one has it in both languages, others in words of ours."""
    unit = column["unit"] or ""
    if language() == "vi" and column.get("unit_vi"):
        return str(column["unit_vi"])
    return either(said(unit, UNITS))


def _sources(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["sources"]:
        yield ""
        yield _("Sources")
    for source in facts["sources"]:
        told = "; ".join(filter(None, (source["title"], source["publisher"], source["year"])))
        yield f"  published.{source['table']}: {told}"


def _drawn(version: Mapping[str, Any]) -> str:
    """Write what a replica holds and up to when."""
    area = version["recipe"]["area"]
    held = _("whole country") if area is None else _("only province {area}").format(area=area)
    return _("{held}, figures up to {date}").format(held=held, date=_written(version["as_of"]))


def _rows(table: Mapping[str, Any]) -> str:
    """Write how many rows a table has."""
    return _("{rows} rows").format(rows=_number(table["rows"]))


def _grid(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align all cells but the last of each line, which may be long."""
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)][:-1]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        yield "    " + "  ".join([*cells, line[-1]])
