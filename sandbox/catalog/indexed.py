"""What the search looks through: datasets, tables, columns, labels and published tables.

Everything is folded once, when the index is made, so that a search is a walk over plain texts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from sandbox.catalog.folding import fold
from sandbox.catalog.inputs import PUBLISHED
from sandbox.catalog.packaged import packaged
from sandbox.catalog.published import published
from sandbox.catalog.replicas import Replica
from sandbox.catalog.shown import code_list
from synthetic import statistics

# Where a word is found; earlier is better. A path tells where a thing belongs and finds nothing by
# itself: "age" is not every column of the table population_age_sex.
NAME, TITLE, DESCRIPTION, LABEL, PATH = range(5)

# Columns of published tables whose values name things that people look for.
_NAMING = ("name", "name_vi", "category")


@dataclass(frozen=True, kw_only=True)
class Text:
    """One text of an entry, and the same text folded between blanks."""

    where: int  # NAME, TITLE, DESCRIPTION, LABEL or PATH
    text: str
    folded: str
    language: str = ""  # of a title or a description


@dataclass(frozen=True, kw_only=True, eq=False)
class Entry:
    """One thing that can be found."""

    kind: str  # "dataset", "table", "column", "label" or "published"
    name: str  # qualified, as in population.persons.age; of a label its own text
    title: Mapping[str, str]
    texts: tuple[Text, ...]
    places: Mapping[str, tuple[str, ...]] = field(default_factory=dict)  # column -> codes
    is_built: bool = True


def entries(built: Iterable[Replica]) -> tuple[Entry, ...]:
    """Fold everything that these replicas, and the packaged statistics, say of themselves."""
    replicas = list(built)
    here = {replica.dataset for replica in replicas}
    return (
        *(
            _entry("dataset", name, spec["title"], spec["description"], is_built=False)
            for name, spec in packaged().items()
            if name not in here
        ),
        *(entry for replica in replicas for entry in _replica(replica)),
        *_published(),
        *_labels(replicas),
    )


def _replica(replica: Replica) -> Iterator[Entry]:
    manifest, dataset = replica.manifest, replica.dataset
    yield _entry("dataset", dataset, manifest["title"], manifest["description"])
    for table in manifest["tables"]:
        name = f"{dataset}.{table['name']}"
        yield _entry("table", name, table["title"], table["description"])
        for column in table["columns"]:
            yield _entry(
                "column", f"{name}.{column['name']}", column["title"], column["description"]
            )


@cache
def _published() -> tuple[Entry, ...]:
    found = []
    for table in published():
        name = f"{PUBLISHED}.{table.name}"
        found.append(_entry("published", name, vars(table.title), vars(table.description)))
        for column in table.columns:
            found.append(_entry("column", f"{name}.{column.name}", vars(column.description)))
    return tuple(found)


def _entry(
    kind: str,
    name: str,
    title: Mapping[str, str],
    description: Mapping[str, str] | None = None,
    *,
    is_built: bool = True,
) -> Entry:
    path, _dot, own = name.rpartition(".")
    texts = (
        _text(NAME, own),
        *(_text(TITLE, text, language) for language, text in title.items()),
        *(_text(DESCRIPTION, text, language) for language, text in (description or {}).items()),
        *((_text(PATH, name),) if path else ()),
    )
    return Entry(kind=kind, name=name, title=title, texts=texts, is_built=is_built)


def _text(where: int, text: str, language: str = "") -> Text:
    return Text(where=where, text=text, folded=f" {fold(text)} ", language=language)


def _labels(replicas: Iterable[Replica]) -> Iterator[Entry]:
    """One entry for each label, with the columns in which it occurs and its codes there."""
    found: dict[str, dict[str, dict[str, None]]] = {}  # label -> column -> codes, in order
    english: dict[str, str] = {}
    for column, code, title in (*_coded(replicas), *_named()):
        vi = title["vi"]
        found.setdefault(vi, {}).setdefault(column, {})[code] = None
        if english.get(vi, vi) == vi:  # not yet told apart
            english[vi] = title["en"]
    for label, places in found.items():
        codes = {column: tuple(filter(None, codes)) for column, codes in places.items()}
        each = dict.fromkeys(code for known in codes.values() for code in known)
        titles = {"vi": label, "en": english[label]}
        yield Entry(
            kind="label",
            name=label,
            title=titles,
            texts=(
                *(_text(LABEL, title, language) for language, title in titles.items()),
                *(_text(LABEL, code) for code in each if code != label),
            ),
            places=codes,
        )


def _coded(replicas: Iterable[Replica]) -> Iterator[tuple[str, str, Mapping[str, str]]]:
    """Every code of every column of the replicas, with its label."""
    for replica in replicas:
        for table in replica.manifest["tables"]:
            for column in table["columns"]:
                name = f"{replica.dataset}.{table['name']}.{column['name']}"
                for code, title in code_list(column).items():
                    yield name, code, title


@cache
def _named() -> tuple[tuple[str, str, Mapping[str, str]], ...]:
    """Every name that the rows of a published table give: provinces, communes, categories."""
    return tuple(_names())


def _names() -> Iterator[tuple[str, str, Mapping[str, str]]]:
    for table in published():
        header = statistics.header(table.name)
        for column in header:
            if column.endswith(_NAMING):
                english = f"{column.removesuffix('_vi')}_en"
                english = english if english in header else column
                pairs = ((row[column], row[english]) for row in statistics.rows(table.name))
                for vi, en in dict.fromkeys(pairs):
                    if vi:
                        yield f"{PUBLISHED}.{table.name}.{column}", "", {"vi": vi, "en": en or vi}
