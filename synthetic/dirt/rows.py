"""Which rows of a table get a defect, and which: a pure function of each row's key and content.

A row's word comes from its key, so neither the order of rows nor the division into files matters. A
chosen row gets one defect: kinds in a drawn order, then columns, until one can be had. What a
duplicate's new key may be needs a look at all keys of its table, which `NewKeys` holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from synthetic.dirt.answers import Answer, columns, told
from synthetic.dirt.defects import DUPLICATE, KINDS, SMALL, Chance, Column, change, takes
from synthetic.generation.draws import stream, words
from synthetic.generation.identifiers import kind as identifier_kind
from synthetic.tables import arrow
from synthetic.tables.content import row_words
from synthetic.tables.manifest import Manifest
from synthetic.tables.reading import rows

Words = npt.NDArray[np.uint64]
_KEY = 0x6B6579  # parts the draw of a new key from the row's others


@dataclass(frozen=True, kw_only=True, eq=False)
class NewKeys:
    """How a table's duplicates are numbered: integers by a span, identifiers by other digits."""

    name: str
    identifier: str | None
    span: int = 0  # of the integers that are given, and so more than any two differ by
    taken: Words  # what no new identifier may mean: others have it, or several would


@dataclass(frozen=True, kw_only=True, eq=False)
class Plan:
    """What spoils the rows of one table."""

    table: str
    key: tuple[str, ...]
    shown: Sequence[Mapping[str, Any]]  # all columns, as the manifest tells of them
    columns: Mapping[str, Column]
    kinds: Mapping[str, tuple[str, ...]]  # kind -> the columns that can have it
    threshold: int  # of 2**32
    draws: tuple[Any, Any]  # the streams of which rows, and of all else about a row
    new_keys: NewKeys | None  # None: keys lead to other tables, and no row is duplicated


def make_plan(manifest: Manifest, table: str, threshold: int, seed: int) -> Plan:
    """Say what can go wrong in a table, and look at its keys."""
    entry = next(t for t in manifest.tables if t["name"] == table)
    held = columns(manifest, table)
    names = {k: tuple(n for n, c in held.items() if takes(c, k)) for k in KINDS}
    named = stream(seed, "dirt", manifest.dataset, table)
    plan = Plan(
        table=table,
        key=tuple(entry["key"]),
        shown=entry["columns"],
        columns=held,
        kinds={kind: found for kind, found in names.items() if found},
        threshold=threshold,
        draws=(named, stream(seed, "dirt", manifest.dataset, table, "how")),
        new_keys=None,
    )
    new_keys = _new_keys(plan, entry, manifest.files(table))
    if new_keys is None:
        return plan
    kinds = {kind: names[kind] for kind in KINDS if kind in plan.kinds or kind == DUPLICATE}
    return Plan(**{**vars(plan), "kinds": kinds, "new_keys": new_keys})


def kinds_without(plan: Plan) -> list[str]:
    """The kinds that no row of the table can have."""
    return [kind for kind in KINDS if kind not in plan.kinds]


def _new_keys(plan: Plan, entry: Mapping[str, Any], files: Sequence[Path]) -> NewKeys | None:
    """How new keys are made, or None where a key is no number of the table's own."""
    if len(plan.key) != 1:
        return None
    (name,) = plan.key
    column = next(c for c in entry["columns"] if c["name"] == name)
    if column["references"] is not None:
        return None
    none = np.zeros(0, dtype=np.uint64)
    if column["type"] == "integer":
        lowest, highest = _range(files, name)
        span = highest - lowest + 1
        limit = 2 ** (pq.read_schema(files[0]).field(name).type.bit_width - 1) if files else 0
        if highest + span >= limit:
            span = -span
        if not -limit <= lowest + span < limit:
            return None
        return NewKeys(name=name, identifier=None, span=span, taken=none)
    if column["type"] != "text" or column["identifier"] is None:
        return None
    loose = NewKeys(name=name, identifier=column["identifier"], taken=none)
    return NewKeys(name=name, identifier=loose.identifier, taken=_taken(plan, loose, files))


def _range(files: Iterable[Path], name: str) -> tuple[int, int]:
    found = [
        pc.min_max(table.column(name)).as_py()
        for table in (pq.read_table(path, columns=[name]) for path in files)
        if table.num_rows
    ]
    return min((f["min"] for f in found), default=0), max((f["max"] for f in found), default=0)


def _taken(plan: Plan, new_keys: NewKeys, files: Sequence[Path]) -> Words:
    """What new identifiers would mean that are not free: eight bytes for each chosen row."""
    asked = [np.zeros(0, dtype=np.uint64)]
    for table in _keys(files, plan):
        at, chances = _chosen(plan, table)
        texts = table.column(new_keys.name).take(arrow.numbers(at)).to_pylist()
        fresh = _other_digits(new_keys, texts, chances)
        asked.append(_meaning(new_keys, [text for text in fresh if text is not None]))
    wanted, times = np.unique(np.concatenate(asked), return_counts=True)
    taken = [wanted[times > 1]]
    for table in _keys(files, plan):
        taken.append(np.intersect1d(wanted, row_words(table)))
    return np.unique(np.concatenate(taken))


def _keys(files: Iterable[Path], plan: Plan) -> Iterator[pa.Table]:
    key = [column for column in plan.shown if column["name"] in plan.key]
    for path in files:
        yield rows(path, key).select(list(plan.key))


def _meaning(new_keys: NewKeys, texts: Sequence[str]) -> Words:
    return row_words(pa.table({new_keys.name: arrow.strings(texts)}))


def _other_digits(
    new_keys: NewKeys, texts: Sequence[str], chances: Sequence[int]
) -> list[str | None]:
    """Identifiers a digit or two from others, with the same mark; None where none is found."""
    drawn = [_another(text, Chance(word ^ _KEY)) for text, word in zip(texts, chances, strict=True)]
    found: list[str | None] = list(drawn)
    wrong = np.flatnonzero(~_marked(new_keys, drawn))
    # The mark may be a check digit: of the ten last digits one has it.
    ends = [
        f"{drawn[i][: _last(drawn[i])]}{end}{drawn[i][_last(drawn[i]) + 1 :]}"
        for i in wrong
        for end in range(10)
    ]
    marked = _marked(new_keys, ends).reshape(len(wrong), 10)
    for place, (i, fits) in enumerate(zip(wrong, marked, strict=True)):
        found[i] = ends[place * 10 + int(fits.argmax())] if fits.any() else None
    return found


def _another(text: str, chance: Chance) -> str:
    """A text with another digit at one place of its second half; without digits, the same."""
    digits = [i for i, character in enumerate(text) if character.isdigit()]
    places = digits[len(digits) // 2 : -1]
    if not places:
        return text  # taken, and so nobody's new key
    at = chance.one(places)
    return f"{text[:at]}{(int(text[at]) + 1 + chance.below(9)) % 10}{text[at + 1 :]}"


def _last(text: str) -> int:
    return max(i for i, character in enumerate(text) if character.isdigit())


def _marked(new_keys: NewKeys, texts: Sequence[str]) -> npt.NDArray[np.bool_]:
    assert new_keys.identifier is not None
    return identifier_kind(new_keys.identifier).is_marked(arrow.strings(texts))


def _chosen(plan: Plan, keys: pa.Table) -> tuple[npt.NDArray[np.int64], list[int]]:
    """The rows that get a defect, and the word of each."""
    own = row_words(keys.select(list(plan.key)))
    which, how = plan.draws
    at = np.flatnonzero((words(which, own) >> np.uint64(32)) < np.uint64(plan.threshold))
    return at, [int(word) for word in words(how, own[at])]


def spoil_table(plan: Plan, table: pa.Table) -> tuple[pa.Table, list[Answer]]:
    """Some rows of a table with their defects, and what was done."""
    at, chances = _chosen(plan, table)
    looked_at = [*dict.fromkeys([*plan.key, *plan.columns])]
    few = table.select(looked_at).take(arrow.numbers(at)).to_pydict()
    fresh = _fresh(plan, few, chances)
    answers: list[Answer] = []
    changes: dict[str, dict[int, Any]] = {}  # column -> row -> value
    copied: list[int] = []
    for i, (row, word) in enumerate(zip(at, chances, strict=True)):
        values = {name: few[name][i] for name in looked_at}
        answer, changed = _spoil_row(plan, values, word, fresh[i])
        if answer is None:
            continue
        place = int(row)
        if answer.kind == DUPLICATE:
            place = table.num_rows + len(copied)
            copied.append(int(row))
        for name, value in changed.items():
            changes.setdefault(name, {})[place] = value
        answers.append(answer)
    more = table.take(arrow.numbers(np.array(copied, dtype=np.int64)))
    wide = pa.concat_tables([table, more]).combine_chunks() if copied else table
    for name, found in changes.items():
        place = wide.schema.get_field_index(name)
        wide = wide.set_column(place, name, _replaced(wide.column(name), found))
    return wide, answers


def _spoil_row(
    plan: Plan, values: Mapping[str, Any], word: int, fresh: Any
) -> tuple[Answer | None, dict[str, Any]]:
    """One defect of a row, and what the row or its copy then holds."""
    chance = Chance(word)
    key = "|".join(told(values[name]) or "" for name in plan.key)
    tell = partial(Answer, table=plan.table, key=key)
    for kind in chance.shuffled(plan.kinds):
        if kind == DUPLICATE:
            if fresh is None or plan.new_keys is None:
                continue
            new_key = told(fresh)
            column, dirty = _first(plan, SMALL, values, chance)
            changed = {plan.new_keys.name: fresh} | ({} if column is None else {column: dirty})
        else:
            column, dirty = _first(plan, (kind,), values, chance)
            if column is None:
                continue
            new_key, changed = None, {column: dirty}
        clean = None if column is None else values[column]
        answer = tell(
            new_key=new_key, column=column, kind=kind, clean=told(clean), dirty=told(dirty)
        )
        return answer, changed
    return None, {}


def _first(
    plan: Plan, kinds: Sequence[str], values: Mapping[str, Any], chance: Chance
) -> tuple[str | None, Any]:
    """The first column, in a drawn order, whose value can have one of these defects."""
    for kind in chance.shuffled(kinds):
        for name in chance.shuffled(plan.kinds.get(kind, ())):
            found, dirty = change(kind, plan.columns[name], values[name], chance)
            if found:
                return name, dirty
    return None, None


def _fresh(plan: Plan, few: Mapping[str, list[Any]], chances: Sequence[int]) -> list[Any]:
    """The key that each chosen row's copy would have; None where it cannot have one."""
    new_keys = plan.new_keys
    if new_keys is None:
        return [None] * len(chances)
    old = few[new_keys.name]
    if new_keys.identifier is None:
        return [int(number) + new_keys.span for number in old]
    fresh = _other_digits(new_keys, old, chances)
    free = ~np.isin(_meaning(new_keys, [text or "" for text in fresh]), new_keys.taken)
    return [text if is_free else None for text, is_free in zip(fresh, free, strict=True)]


def _replaced(column: pa.ChunkedArray, values: Mapping[int, Any]) -> pa.Array:
    """A column with other values in some rows, encoded as before."""
    held = column.combine_chunks()
    coded = pa.types.is_dictionary(held.type)
    if coded:
        held = held.dictionary_decode()
    there = np.zeros(len(held), dtype=np.bool_)
    there[list(values)] = True
    new = pa.array([values[row] for row in sorted(values)], held.type)
    held = pc.replace_with_mask(held, arrow.flags(there), new)
    return held.dictionary_encode() if coded else held
