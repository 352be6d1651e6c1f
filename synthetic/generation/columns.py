"""From a column's source in the spec to the function that computes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError, SpecError
from synthetic.generation.alias import alias
from synthetic.generation.draws import Stream, Words, below, stream, words
from synthetic.generation.frames import Frame, Source
from synthetic.generation.identifiers import Rows, kind
from synthetic.generation.values import Ints, Values, days, from_civil
from synthetic.spec.expressions import Node, parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import Assume, ColumnSpec
from synthetic.spec.scope import codes_of

_GROUP_SHIFT = 8  # members and lines of a group: numbers below 8
_FIRST_DAY, _LAST_DAY = days(dt.date(1850, 1, 1)), days(dt.date(2149, 12, 31))


@dataclass(frozen=True, eq=False)
class Setting:
    """What the compilation of a column may look at."""

    name: str
    spec: ColumnSpec
    draws: Stream
    margins: Mapping[str, Margin]
    link: Callable[[str, ColumnSpec], Source]  # makes the source of a `link`


def compile_column(
    path: tuple[str, str, str],
    spec: ColumnSpec,
    seed: int,
    margins: Mapping[str, Margin],
    link: Callable[[str, ColumnSpec], Source],
) -> Source:
    """Return the function that computes a column of a frame."""
    setting = Setting(path[2], spec, stream(seed, *path), margins, link)
    source = next(SOURCES[name](setting) for name in SOURCES if getattr(spec, name) is not None)
    condition = None if spec.only_if is None else parse(spec.only_if)
    examine = _examiner(spec)

    def compute(frame: Frame) -> Values:
        values = source(frame)
        if condition is not None:
            values = values.without(~frame.holds(condition))
        examine(values)
        return values

    return _located(".".join(path), compute)


class ColumnError(BuildError):
    """A column cannot be computed; the message begins with dataset.table.column."""


def _located(where: str, source: Source) -> Source:
    """Tell of every fault in which column it was met first."""

    def compute(frame: Frame) -> Values:
        try:
            return source(frame)
        except ColumnError:
            raise
        except (BuildError, SpecError) as error:
            raise ColumnError(f"{where}: {str(error).removeprefix(f'{where}: ')}") from error

    return compute


def _examiner(spec: ColumnSpec) -> Callable[[Values], None]:
    """Return a look at a column's values before anyone uses them: codes and dates that can be."""
    if spec.type == "date":
        return _check_dates
    codes = codes_of(spec)
    if codes is None:
        return lambda values: None
    allowed = frozenset(codes)

    @cache
    def strange(domain: tuple[str, ...]) -> npt.NDArray[np.bool_]:
        return np.array([text not in allowed for text in domain], dtype=np.bool_)

    def examine(values: Values) -> None:
        coded = values.coded()
        assert coded.domain is not None
        if not strange(coded.domain).any():
            return
        odd = strange(coded.domain)[coded.ints] & _present(coded)
        if odd.any():
            text = coded.domain[int(coded.ints[int(np.argmax(odd))])]
            raise BuildError(f"{text!r} is no code of this column; codes: {list(codes)[:20]}")

    return examine


def _present(values: Values) -> npt.NDArray[np.bool_]:
    return np.ones(len(values), dtype=np.bool_) if values.missing is None else ~values.missing


def _check_dates(values: Values) -> None:
    if len(values) and (values.ints.min() < _FIRST_DAY or values.ints.max() > _LAST_DAY):
        inside = (values.ints >= _FIRST_DAY) & (values.ints <= _LAST_DAY)
        if (~inside & _present(values)).any():
            raise BuildError("a date lies outside 1850 to 2149; mend the expression")


def _keys(setting: Setting, frame: Frame) -> Ints:
    """What a draw hangs on: the row, or a field within the row's group."""
    if setting.spec.per is None:
        return frame.key
    return frame.field("number").ints * _GROUP_SHIFT + frame.field(setting.spec.per).ints


def _take(setting: Setting) -> Source:
    path = str(setting.spec.take)
    return lambda frame: frame.field(path)


def _derive(setting: Setting) -> Source:
    tree = parse(str(setting.spec.derive))
    return lambda frame: frame.evaluate(tree)


def _follows(setting: Setting) -> Source:
    margin = setting.margins[str(setting.spec.follows)]
    own = next(axis for axis in margin.axes if axis not in setting.spec.given)
    given = {axis: setting.spec.given[axis] for axis in margin.axes if axis != own}
    ordered = margin.over(*given, own)
    contexts: list[tuple[str, ...]] = [()]
    domain = ordered.categories[own]
    for axis in given:
        contexts = [(*c, category) for c in contexts for category in ordered.categories[axis]]
    table = alias([[ordered.cells.get((*c, d), 0) for d in domain] for c in contexts])

    def compute(frame: Frame) -> Values:
        context: Ints | None = None
        for axis, column in given.items():
            categories = ordered.categories[axis]
            index = _positions(frame.column(column), categories, margin.name, axis)
            context = index if context is None else context * len(categories) + index
        word = words(setting.draws, _keys(setting, frame))
        return Values(table.draw(word, context), domain)

    return compute


def _positions(values: Values, categories: tuple[str, ...], margin: str, axis: str) -> Ints:
    """Turn a column's codes to the positions that a margin gives them."""
    values = values.coded()
    assert values.domain is not None
    place = {category: i for i, category in enumerate(categories)}
    table = np.array([place.get(code, -1) for code in values.domain], dtype=np.int64)
    index = table[values.ints]
    if len(index) and index.min() < 0:
        code = values.domain[int(values.ints[int(np.argmin(index))])]
        raise SpecError(f"margin {margin!r} has no {axis} {code!r}")
    return index


def _assume(setting: Setting) -> Source:
    assume = setting.spec.assume
    assert assume is not None
    if assume.shares is not None:
        table, domain = alias([list(assume.shares.values())]), tuple(assume.shares)
        return lambda frame: Values(table.draw(words(setting.draws, _keys(setting, frame))), domain)
    if assume.words is not None:
        texts = assume.words
        return lambda frame: Values(
            below(words(setting.draws, _keys(setting, frame)), len(texts)), texts
        )
    if assume.date_in_year is not None:
        return _date_in_year(setting, parse(assume.date_in_year))
    return _quantiles(setting, assume)


def _date_in_year(setting: Setting, tree: Node) -> Source:
    def compute(frame: Frame) -> Values:
        year = frame.evaluate(tree).ints
        first = from_civil(year, np.ones_like(year), np.ones_like(year))
        following = from_civil(year + 1, np.ones_like(year), np.ones_like(year))
        word = words(setting.draws, _keys(setting, frame))
        return Values(first + below(word, following - first))

    return compute


def _quantiles(setting: Setting, assume: Assume) -> Source:
    knots = assume.knots()
    given = next(iter(setting.spec.given.values()), None)

    def compute(frame: Frame) -> Values:
        word = words(setting.draws, _keys(setting, frame))
        out = np.zeros(frame.n, dtype=np.int64)
        if given is None:
            return Values(_between(word, knots[""]))
        codes = frame.column(given).coded()
        assert codes.domain is not None
        for i, code in enumerate(codes.domain):
            rows = np.flatnonzero(codes.ints == i)
            if rows.size and code not in knots:
                raise SpecError(f"{setting.name}: quantiles give nothing for {given} = {code!r}")
            if rows.size:
                out[rows] = _between(word[rows], knots[code])
        return Values(out)

    return compute


def _between(word: Words, knots: tuple[int, ...]) -> Ints:
    """Pick a stretch between knots, then a whole number from its lower end to below its upper.

    The last stretch holds its upper end too, and a stretch between equal knots that one number.
    """
    edges = np.array(knots, dtype=np.int64)
    stretch = below(word, len(edges) - 1)
    low, high = edges[stretch], edges[stretch + 1]
    # The low half of the word is independent of the high half that picked the stretch.
    n = high - low + (stretch == len(edges) - 2)
    return low + below(word << np.uint64(32), np.maximum(n, 1))


def _identifier(setting: Setting) -> Source:
    asked = setting.spec.identifier
    assert asked is not None
    made = kind(asked.kind)
    if set(asked.parts) != set(made.parts):
        raise SpecError(
            f"{setting.name}: identifier {asked.kind!r} needs the parts "
            f"{', '.join(made.parts) or 'none'}; found {', '.join(asked.parts) or 'none'}"
        )
    trees = {name: parse(text) for name, text in asked.parts.items()}

    def compute(frame: Frame) -> Values:
        rank = frame.field("rank").ints if made.ranked else None
        parts = {name: frame.evaluate(tree) for name, tree in trees.items()}
        return made.make(setting.draws, Rows(frame.key, rank, parts))

    return compute


def _link(setting: Setting) -> Source:
    return setting.link(setting.name, setting.spec)


SOURCES: Mapping[str, Callable[[Setting], Source]] = {
    "take": _take,
    "follows": _follows,
    "derive": _derive,
    "assume": _assume,
    "identifier": _identifier,
    "link": _link,
}
