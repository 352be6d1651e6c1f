"""`lab.tables()` and `lab.describe()`: what can be read here, and how far to trust it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox import catalog
from sandbox.errors import CatalogError
from sandbox.lab import connection
from sandbox.lab.shown import Grid, Shown, code, heading, paragraph, together
from sandbox.lab.spoken import CATALOG, in_its_language, is_run
from sandbox.lab.views import identifier
from sandbox.lab.wording import cell, number
from sandbox.language import N_, _, either, language
from sandbox.settings import Settings
from synthetic import statistics

RIGHT = frozenset({2})  # the column of row counts
# As specs and published tables name them.
UNITS = (N_("year"), N_("years"), N_("persons"))
TYPES = (N_("text"), N_("integer"), N_("decimal"), N_("code"), N_("date"), N_("timestamp"))
BUILD = "synthetic build {dataset} --scale 0.01"


@in_its_language
def tables(environ: Mapping[str, str]) -> Shown:
    """List the datasets' tables, then the published ones."""
    shown = connection.shown(environ)
    return together([*_datasets(shown, environ), *_published(environ)])


@in_its_language
def columns(name: str, environ: Mapping[str, str]) -> Shown:
    """List the columns of one table: type, title and unit, fidelity."""
    shown = connection.shown(environ)
    connection.check_known(name, shown, environ)
    dataset, _dot, table = name.partition(".")
    if dataset == catalog.PUBLISHED:
        return _published_columns(table)
    for each in shown["datasets"]:
        for described in each["tables"]:
            if (each["dataset"], described["name"]) == (dataset, table):
                return _columns(name, described)
    raise CatalogError(_("there is no table {name}").format(name=name))


def _datasets(shown: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[Shown]:
    for dataset in shown["datasets"]:
        yield heading(f"{either(dataset['title'])} ({dataset['dataset']})")
        names = [f"{dataset['dataset']}.{table['name']}" for table in dataset["tables"]]
        titles = [either(table["title"]) for table in dataset["tables"]]
        day = cell(dt.date.fromisoformat(dataset["as_of"]), language=language())
        yield _grid(names, titles, environ, _("as of {day}; synthetic: nobody in it is real"), day)
    yield from _absent(environ, {dataset["dataset"] for dataset in shown["datasets"]})


def _absent(environ: Mapping[str, str], here: set[str]) -> Iterator[Shown]:
    """Tell of datasets that cannot be read, and what would mend it."""
    if is_run(environ):
        return
    if not environ.get(CATALOG):  # the home is in sight
        for state in catalog.states(Settings.from_environ(environ)):
            if state["dataset"] not in here and state["state"] != "ready":
                yield heading(f"{either(state['title'])} ({state['dataset']})")
                yield paragraph(state["message"])
                if state["remedy"]:
                    yield code(state["remedy"])
    elif not here:
        yield paragraph(
            _("No dataset is built yet. Build them in a terminal, then restart the kernel:")
        )
        yield code(BUILD.format(dataset="enterprise"))


def _published(environ: Mapping[str, str]) -> Iterator[Shown]:
    """List the packaged statistics, by what their names begin with."""
    yield heading(_("Published tables: real figures, each with its source"))
    names = sorted(statistics.names())
    titles = [either(_both(statistics.table(name).title)) for name in names]
    full = [f"{catalog.PUBLISHED}.{name}" for name in names]
    yield _grid(full, titles, environ, _("columns and source: lab.describe({name})"), repr(full[1]))


def _grid(
    names: Sequence[str],
    titles: Sequence[str],
    environ: Mapping[str, str],
    caption: str,
    value: str,
) -> Shown:
    rows = _rows(names, environ)
    return Grid(
        caption=caption.format(day=value, name=value),
        header=(_("table"), _("title"), _("rows")),
        rows=[(name, title, rows[name]) for name, title in zip(names, titles, strict=True)],
        right=RIGHT,
    ).shown()


def _rows(names: Sequence[str], environ: Mapping[str, str]) -> dict[str, str]:
    """Count rows; Parquet files know theirs, and the published ones are small."""
    counts = " UNION ALL ".join(
        f"SELECT '{name}', count(*) FROM {'.'.join(map(identifier, name.split('.')))}"
        for name in names
    )
    if not counts:
        return {}
    with connection.connect(environ).cursor() as cursor:
        counted = cursor.execute(counts).fetchall()
    return {name: number(count, language=language()) for name, count in counted}


def _columns(name: str, described: Mapping[str, Any]) -> Shown:
    words = {
        "calibrated": _("calibrated: follows published figures"),
        "derived": _("derived: computed from other columns"),
        "assumed": _("assumed: nothing published says so"),
    }
    grid = Grid(
        caption=_("{table}: {title}").format(table=name, title=either(described["title"])),
        header=(_("column"), _("type"), _("title"), _("fidelity")),
        rows=[
            (
                column["name"],
                _type(column["type"]),
                _with_unit(either(column["title"]), _unit(column["unit"])),
                words[column["fidelity"]["status"]],
            )
            for column in described["columns"]
        ],
    )
    return together([heading(name), paragraph(either(described["description"])), grid.shown()])


def _published_columns(name: str) -> Shown:
    table, source = statistics.table(name), statistics.source(name)
    grid = Grid(
        caption=_("source: {source}").format(
            source=", ".join(filter(None, (source.title, source.publisher, source.year)))
        ),
        header=(_("column"), _("type"), _("title")),
        rows=[
            (
                column.name,
                _type(column.type),
                _with_unit(
                    either(_both(column.description)),
                    either({"vi": column.unit_vi or "", "en": column.unit or ""}),
                ),
            )
            for column in table.columns
        ],
    )
    return together(
        [
            heading(f"{catalog.PUBLISHED}.{name}: {either(_both(table.title))}"),
            paragraph(either(_both(table.description))),
            grid.shown(),
        ]
    )


def _type(name: str) -> str:
    return _(name) if name in TYPES else name


def _unit(name: str | None) -> str | None:
    return _(name) if name and name in UNITS else name


def _with_unit(title: str, unit: str | None) -> str:
    return f"{title} ({unit})" if unit else title


def _both(text: statistics.Text) -> dict[str, str]:
    return {"vi": text.vi, "en": text.en}
