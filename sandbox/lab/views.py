"""The SQL that shows the data: one view per table, with comments in Vietnamese and English.

Views name their files one by one, the columns that the notebook declared, and the types of CSV
columns outright: nothing is guessed from what a file holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from synthetic import statistics
from synthetic.tables.forms import quote, selected

TYPES = {"text": "VARCHAR", "integer": "BIGINT", "decimal": "DOUBLE"}  # of published columns

FIDELITY = {  # status in a manifest -> what a reader sees
    "calibrated": "hiệu chỉnh theo số công bố / calibrated",
    "measured": "đo có nhiễu / measured with noise, under differential privacy",
    "derived": "suy ra / derived",
    "assumed": "giả định / assumed",
}


def replica_views(catalog: Mapping[str, Any]) -> Iterator[str]:
    """Write the statements that show every table of a catalog."""
    for dataset in catalog["datasets"]:
        schema = quote(dataset["dataset"])
        yield f"CREATE SCHEMA {schema}"
        for table in dataset["tables"]:
            view = f"{schema}.{quote(table['name'])}"
            files = ", ".join(literal(file) for file in table["files"])
            columns = selected(table["columns"])
            yield f"CREATE VIEW {view} AS SELECT {columns} FROM read_parquet([{files}])"
            yield _comment("VIEW", view, _told(table["title"]), _told(table["description"]))
            for column in table["columns"]:
                yield _comment(
                    "COLUMN",
                    f"{view}.{quote(column['name'])}",
                    _told(column["title"]) + (f" ({column['unit']})" if column["unit"] else ""),
                    FIDELITY[column["fidelity"]["status"]],
                )


def published_views(names: Iterable[str]) -> Iterator[str]:
    """Write the statements that show the packaged statistics in the schema `published`."""
    yield "CREATE SCHEMA published"
    for name in names:
        table = statistics.table(name)
        source = statistics.source(name)
        view = f"published.{quote(name)}"
        types = ", ".join(
            f"{literal(column.name)}: {literal(TYPES[column.type])}" for column in table.columns
        )
        yield (
            f"CREATE VIEW {view} AS SELECT * FROM read_csv({literal(str(statistics.path(name)))}, "
            "auto_detect = false, header = true, delim = ',', quote = '\"', escape = '\"', "
            f"nullstr = '', columns = {{{types}}})"
        )
        yield _comment(
            "VIEW",
            view,
            f"{table.title.vi} / {table.title.en}",
            f"Nguồn / source: {'; '.join(filter(None, (source.title, source.publisher)))}",
            f"{source.year}, {source.quality}",
        )
        for column in table.columns:
            unit_vi, unit = (f" ({u})" if u else "" for u in (column.unit_vi, column.unit))
            yield _comment(
                "COLUMN",
                f"{view}.{quote(column.name)}",
                f"{column.description.vi}{unit_vi} / {column.description.en}{unit}",
            )


def literal(text: str) -> str:
    """Quote a text for SQL."""
    return "'" + text.replace("'", "''") + "'"


def _comment(kind: str, name: str, *parts: str) -> str:
    return f"COMMENT ON {kind} {name} IS {literal('. '.join(part.rstrip('.') for part in parts))}"


def _told(text: Mapping[str, str]) -> str:
    return f"{text['vi'].rstrip('.')} / {text['en'].rstrip('.')}"
