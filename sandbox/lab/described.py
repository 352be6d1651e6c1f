"""`lab.describe()`: everything that is known of one dataset, one table or one column."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import duckdb

from sandbox import catalog
from sandbox.catalog.words import SENSITIVITY, TYPES, UNITS, said
from sandbox.errors import CatalogError
from sandbox.lab import connection, fidelity, listed, rows
from sandbox.lab.answers import is_number
from sandbox.lab.shown import Grid, Shown, code, heading, paragraph, strong, together
from sandbox.lab.spoken import in_its_language, is_run
from sandbox.lab.wording import number
from sandbox.language import _, either, language, meant, nearest
from synthetic import statistics
from synthetic.tables.forms import quote

N_ROWS = 10
MOST_CODES = 500  # a longer list stays in its published table


@in_its_language
def describe(name: str, environ: Mapping[str, str]) -> Shown:
    """Describe `dataset`, `dataset.table` or `dataset.table.column`."""
    shown = connection.shown(environ)
    dataset, _dot, rest = str(name).strip().partition(".")
    if not rest:
        return _dataset(dataset, shown, environ)
    table, _dot, column = rest.partition(".")
    qualified = f"{dataset}.{table}"
    connection.check_known(qualified, shown, environ)
    if dataset == catalog.PUBLISHED:
        return _published(table, column)
    described = next(
        each
        for owner in shown["datasets"]
        for each in owner["tables"]
        if (owner["dataset"], each["name"]) == (dataset, table)
    )
    if column:
        return _column(qualified, _found(column, described["columns"], qualified))
    return together(_table(qualified, described, environ))


def _dataset(name: str, shown: Mapping[str, Any], environ: Mapping[str, str]) -> Shown:
    """List the tables of a dataset, or say which was probably meant."""
    if name == catalog.PUBLISHED:
        return together(listed.published(environ))
    for dataset in shown["datasets"]:
        if dataset["dataset"] == name:
            told = paragraph(either(dataset.get("description")))
            head, tables = listed.dataset(dataset, environ)
            return together([head, told, tables, paragraph(_ways_on(dataset))])
    raise _no_dataset(name, shown, environ)


def _no_dataset(name: str, shown: Mapping[str, Any], environ: Mapping[str, str]) -> CatalogError:
    built = {dataset["dataset"] for dataset in shown["datasets"]}
    tables = {
        table["name"]: f"{dataset['dataset']}.{table['name']}"
        for dataset in shown["datasets"]
        for table in dataset["tables"]
    }
    if name in tables or is_run(environ):
        hint = meant(tables.get(name, ""), tables.values()) or nearest(name, built)
        return CatalogError(
            _("there is no dataset {dataset!r}; {hint}").format(dataset=name, hint=hint)
        )
    return catalog.not_built(name, built)


def _ways_on(dataset: Mapping[str, Any]) -> str:
    example = f"{dataset['dataset']}.{dataset['tables'][0]['name']}"
    return _("columns, rows and questions of one table: lab.describe({name})").format(
        name=repr(example)
    )


# ---------------------------------------------------------------- a table


def _table(name: str, described: Mapping[str, Any], environ: Mapping[str, str]) -> Iterator[Shown]:
    yield heading(f"{either(described['title'])} ({name})")
    yield paragraph(either(described["description"]))
    yield _columns(described["columns"])
    yield heading(_("Some rows"))
    yield _rows(name, environ)
    questions = described.get("questions") or ()
    if questions:
        yield heading(_("Questions to begin with: copy the lines below one into a cell"))
    for question in questions:
        yield strong(either({key: question[key] for key in ("vi", "en")}))
        yield code("%%sql", *question["sql"].splitlines())


def _columns(columns: Sequence[Mapping[str, Any]]) -> Shown:
    """Show the columns as a table, or one below the other where there is only text."""
    told = [
        (column["name"], _kind(column), _meaning(column), *_trust(column)) for column in columns
    ]
    grid = Grid(
        caption="",
        header=(
            _("Column"),
            _("Type, unit"),
            _("What it says"),
            _("Sensitivity"),
            _("Fidelity"),
        ),
        rows=told,
        longest=None,
        leads=frozenset({2, 4}),
    )
    return Shown("\n".join(map(_stacked, told)), grid.html())


def _kind(column: Mapping[str, Any]) -> str:
    unit = either(said(column["unit"] or "", UNITS))
    return ", ".join(filter(None, (either(said(column["type"], TYPES)), unit)))


def _meaning(column: Mapping[str, Any]) -> str:
    return "\n".join(filter(None, (either(column["title"]), either(column["description"]))))


def _trust(column: Mapping[str, Any]) -> tuple[str, str]:
    sensitivity = either(said(column["sensitivity"], SENSITIVITY))
    return sensitivity, "\n".join(fidelity.read(column["fidelity"]).lines())


def _stacked(column: Sequence[str]) -> str:
    name, kind, meaning, sensitivity, trust = column
    below = [*meaning.splitlines(), *trust.splitlines()]
    return "\n    ".join([f"{name}: {kind}; {sensitivity}", *below])


def _rows(name: str, environ: Mapping[str, str]) -> Shown:
    """Show the first rows as a query gives them."""
    place = ".".join(map(quote, name.split(".")))
    with connection.connect(environ).cursor() as cursor:
        try:
            read = cursor.execute(f"SELECT * FROM {place} LIMIT {N_ROWS}").fetchall()
            heads = [(head[0], str(head[1])) for head in cursor.description]
            total = cursor.execute(f"SELECT count(*) FROM {place}").fetchall()[0][0]
        except duckdb.Error:
            return paragraph(
                _("The rows cannot be read: a file of this table is missing or damaged.")
            )
    if not read:
        return paragraph(_("This table has no rows."))
    numbers = frozenset(i for i, (_name, kind) in enumerate(heads) if is_number(kind))
    caption = _("rows {first}–{last} of {total}").format(
        first=1, last=len(read), total=number(total, language=language())
    )
    return rows.grid([head for head, _kind in heads], read, numbers, caption).shown()


# ---------------------------------------------------------------- a column


def _found(name: str, columns: Sequence[Mapping[str, Any]], table: str) -> Mapping[str, Any]:
    known = {column["name"]: column for column in columns}
    if name not in known:
        raise CatalogError(
            _("{table} has no column {column!r}; {hint}").format(
                table=table, column=name, hint=nearest(name, known)
            )
        )
    return known[name]


def _column(table: str, column: Mapping[str, Any]) -> Shown:
    sensitivity, trust = _trust(column)
    lines = [either(column["description"]), f"{_kind(column)}; {sensitivity}", *trust.splitlines()]
    if column.get("references"):
        lines.append(f"{_('leads to')} {column['references']}")
    parts = [
        heading(f"{either(column['title'])} ({table}.{column['name']})"),
        paragraph(*filter(None, lines)),
    ]
    codes = catalog.code_list(column)
    if len(codes) > MOST_CODES:
        example = repr(f"{catalog.PUBLISHED}.{column['codes_table']['table']}")
        told = _("{n} codes; they stand in their published table: lab.table({name})")
        n = number(len(codes), language=language())
        parts.append(paragraph(told.format(n=n, name=example)))
    elif codes:
        named = [(code, either(title)) for code, title in codes.items()]
        header = (_("code"), _("title"))
        parts.append(Grid(caption="", header=header, rows=named).shown())
    return together(parts)


# ---------------------------------------------------------------- published tables


def _published(name: str, column: str) -> Shown:
    table, source = statistics.table(name), statistics.source(name)
    columns = [
        {
            "name": each.name,
            "kind": either(said(each.type, TYPES)),
            "title": either(vars(each.description)),
            "unit": either({"vi": each.unit_vi or "", "en": each.unit or ""}),
        }
        for each in table.columns
    ]
    if column:
        columns = [dict(_found(column, columns, f"{catalog.PUBLISHED}.{name}"))]
    grid = Grid(
        caption=_("source: {source}").format(
            source=", ".join(filter(None, (source.title, source.publisher, source.year)))
        ),
        header=(_("column"), _("type"), _("title")),
        rows=[
            (each["name"], each["kind"], listed.with_unit(each["title"], each["unit"]))
            for each in columns
        ],
    )
    return together(
        [
            heading(f"{catalog.PUBLISHED}.{name}: {either(vars(table.title))}"),
            paragraph(either(vars(table.description))),
            grid.shown(),
        ]
    )
