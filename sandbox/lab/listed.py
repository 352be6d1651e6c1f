"""`lab.tables()`: what can be read here."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sandbox import catalog
from sandbox.lab import connection
from sandbox.lab.shown import Grid, Shown, code, heading, paragraph, together
from sandbox.lab.spoken import CATALOG, in_its_language, is_run
from sandbox.lab.wording import cell, number
from sandbox.language import _, either, language
from sandbox.settings import Settings
from synthetic import statistics
from synthetic.tables.forms import quote

RIGHT = frozenset({2})  # the column of row counts
BUILD = "synthetic build {dataset} --scale 0.01"


@in_its_language
def tables(environ: Mapping[str, str]) -> Shown:
    """List the datasets' tables, then the published ones."""
    shown = connection.shown(environ)
    return together([*_datasets(shown, environ), *published(environ)])


def dataset(told: Mapping[str, Any], environ: Mapping[str, str]) -> tuple[Shown, Shown]:
    """Name one dataset, and list its tables."""
    name = told["dataset"]
    names = [f"{name}.{table['name']}" for table in told["tables"]]
    titles = [either(table["title"]) for table in told["tables"]]
    day = cell(dt.date.fromisoformat(told["as_of"]), language=language())
    head = heading(f"{either(told['title'])} ({name})")
    caption = _("as of {day}; synthetic: nobody in it is real")
    return head, _grid(names, titles, environ, caption, day)


def _datasets(shown: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[Shown]:
    for each in shown["datasets"]:
        yield from dataset(each, environ)
    yield from _absent(environ, {each["dataset"] for each in shown["datasets"]})


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


def published(environ: Mapping[str, str]) -> Iterator[Shown]:
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
        f"SELECT '{name}', count(*) FROM {'.'.join(map(quote, name.split('.')))}" for name in names
    )
    if not counts:
        return {}
    with connection.connect(environ).cursor() as cursor:
        counted = cursor.execute(counts).fetchall()
    return {name: number(count, language=language()) for name, count in counted}


def with_unit(title: str, unit: str | None) -> str:
    """Write a title with its unit, if it has one."""
    return f"{title} ({unit})" if unit else title


def _both(text: statistics.Text) -> dict[str, str]:
    return {"vi": text.vi, "en": text.en}
