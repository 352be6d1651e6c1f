"""From a column's source in the spec to the function that computes it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from synthetic.errors import BuildError, SpecError
from synthetic.generation.alias import Alias, alias
from synthetic.generation.calendar import Season, calendar
from synthetic.generation.dates import days, from_civil
from synthetic.generation.draws import Stream, below, stream, words
from synthetic.generation.frames import Column, Frame, Source
from synthetic.generation.identifiers import Rows, kind
from synthetic.generation.keyed import combinations
from synthetic.generation.texts import concat
from synthetic.generation.values import Domain, Ints, Values, places
from synthetic.spec.expressions import Node, parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import ANY, SLOT, ColumnSpec, Day, Grammar, Hour, Tet, by_code
from synthetic.spec.scope import codes_of
from synthetic.tables import arrow
from synthetic.tables.arrow import DIGITS, Flags

_GROUP_SHIFT = 8  # members and lines of a group: numbers below 8
_FIRST_DAY, _LAST_DAY = days(dt.date(1850, 1, 1)), days(dt.date(2149, 12, 31))


@dataclass(frozen=True, eq=False)
class Setting:
    """What the compilation of a column may look at."""

    path: tuple[str, str, str]  # dataset, table, column
    spec: ColumnSpec
    seed: int
    draws: Stream
    margins: Mapping[str, Margin]
    link: Callable[[str, ColumnSpec], Source]  # makes the source of a `link`

    @property
    def given(self) -> tuple[str, ...]:
        """The columns that its tables by code are given."""
        return tuple(self.spec.given.values())

    def apart(self, *names: str) -> Stream:
        """A stream of the column's own beside its main one."""
        return stream(self.seed, *self.path, *names)

    def wanted(self, frame: Frame) -> Flags:
        """The rows that have a value at all: elsewhere nothing can be wrong."""
        if self.spec.only_if is None:
            return np.ones(frame.n, dtype=np.bool_)
        return frame.holds(parse(self.spec.only_if))


def compile_column(
    path: tuple[str, str, str],
    spec: ColumnSpec,
    seed: int,
    margins: Mapping[str, Margin],
    link: Callable[[str, ColumnSpec], Source],
) -> Column:
    """Return the function that computes a column of a frame."""
    setting = Setting(path, spec, seed, stream(seed, *path), margins, link)
    source = next(SOURCES[name](setting) for name in SOURCES if getattr(spec, name) is not None)
    condition = None if spec.only_if is None else parse(spec.only_if)
    examine, lacks = _examiner(spec), _lacking(setting)

    def compute(frame: Frame) -> Values:
        values = source(frame)
        if condition is not None:
            values = values.without(~frame.holds(condition))
        if lacks is not None:
            values = values.without(lacks(frame))
        examine(values)
        return values

    takes = spec.take if condition is None and lacks is None else None
    return Column(_located(".".join(path), compute), tuple(sorted(spec.needs())), takes)


def _lacking(setting: Setting) -> Callable[[Frame], Flags] | None:
    """Which rows have no value by chance."""
    missing = setting.spec.missing
    if missing is None:
        return None
    shares, given, draws = by_code(missing.share), missing.given, setting.apart("missing")
    limit = np.array([int(Fraction(share) * 2**32) for share in shares.values()], dtype=np.uint64)

    def lacks(frame: Frame) -> Flags:
        entry = _entries(setting, frame, given, tuple(shares), "missing.share")
        drawn: Flags = (
            words(draws, frame.key) >> np.uint64(32) < limit[0 if entry is None else entry]
        )
        return drawn

    return lacks


def _entries(
    setting: Setting, frame: Frame, given: tuple[str, ...], keys: tuple[str, ...], what: str
) -> Ints | None:
    """The entry of a table by code that belongs to each row; None for a table without codes."""
    if not given or keys == ("",):
        return None
    held = combinations(frame, given)
    entry = held.entries(keys)
    if len(entry) and entry.min() < 0:
        lost = (entry < 0) & setting.wanted(frame)
        if lost.any():
            codes = held.codes(int(held.index[int(np.argmax(lost))]))
            raise BuildError(
                f"{what} gives nothing for {', '.join(given)} = {'|'.join(codes)!r}; add it, or "
                f"{ANY!r} for all others"
            )
        entry = np.maximum(entry, 0)
    return entry


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
    if spec.type in _SPANS:
        return partial(_check_span, *_SPANS[spec.type])
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


_SPANS = {
    "date": (_FIRST_DAY, _LAST_DAY, "a date lies outside 1850 to 2149"),
    "timestamp": (
        _FIRST_DAY * 86_400,
        _LAST_DAY * 86_400 + 86_399,
        "a time lies outside 1850 to 2149",
    ),
    "decimal": (1 - 10**DIGITS, 10**DIGITS - 1, f"a decimal has more than {DIGITS} digits"),
}


def _check_span(low: int, high: int, what: str, values: Values) -> None:
    if len(values) and (values.ints.min() < low or values.ints.max() > high):
        inside = (values.ints >= low) & (values.ints <= high)
        if (~inside & _present(values)).any():
            raise BuildError(f"{what}; mend the expression")


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
    domain = Domain(ordered.categories[own])
    for axis in given:
        contexts = [(*c, category) for c in contexts for category in ordered.categories[axis]]

    @cache  # made when a row is first drawn
    def table() -> Alias:
        numbers, _ = ordered.whole
        return alias([[numbers.get((*c, d), 0) for d in domain] for c in contexts])

    def compute(frame: Frame) -> Values:
        context: Ints | None = None
        for axis, column in given.items():
            categories = ordered.categories[axis]
            index = _positions(frame.column(column), categories, margin.name, axis)
            context = index if context is None else context * len(categories) + index
        word = words(setting.draws, _keys(setting, frame))
        return Values(table().draw(word, context), domain)

    return compute


def _positions(values: Values, categories: tuple[str, ...], margin: str, axis: str) -> Ints:
    """Turn a column's codes to the positions that a margin gives them."""
    values = values.coded()
    index = places(values, categories)
    if len(index) and index.min() < 0:
        assert values.domain is not None
        code = values.domain[int(values.ints[int(np.argmin(index))])]
        raise SpecError(f"margin {margin!r} has no {axis} {code!r}")
    return index


def _assume(setting: Setting) -> Source:
    assume = setting.spec.assume
    assert assume is not None
    if assume.shares is not None:
        return _shares(setting, assume.weights())
    if assume.words is not None:
        return _words(setting, by_code(assume.words), setting.draws, "words")
    if assume.grammar is not None:
        return _grammar(setting, assume.grammar)
    if assume.date_in_year is not None:
        return _date_in_year(setting, parse(assume.date_in_year))
    if assume.day is not None:
        return _day(setting, assume.day)
    if assume.hour is not None:
        return _hour(setting, assume.hour)
    return _quantiles(setting, assume.knots())


def _shares(setting: Setting, weights: Mapping[str, Mapping[str, int]]) -> Source:
    domain = Domain(dict.fromkeys(code for row in weights.values() for code in row))
    rows = [[row.get(code, 0) for code in domain] for row in weights.values()]
    table = cache(partial(alias, rows))  # made when a row is first drawn
    held = setting.spec.type
    meaning: npt.NDArray[np.generic] | None = None
    if held == "boolean":
        meaning = np.array([code == "true" for code in domain], dtype=np.bool_)
    elif held not in ("code", "text"):
        meaning = np.array([int(code) for code in domain], dtype=np.int64)

    def compute(frame: Frame) -> Values:
        entry = _entries(setting, frame, setting.given, tuple(weights), "shares")
        drawn = table().draw(words(setting.draws, _keys(setting, frame)), entry)
        return Values(drawn, domain) if meaning is None else Values(meaning[drawn])

    return compute


def _words(
    setting: Setting, texts: Mapping[str, tuple[str, ...]], draws: Stream, what: str
) -> Source:
    """One of the texts of a row's code, each as often as another."""
    domain = Domain(dict.fromkeys(text for listed in texts.values() for text in listed))
    place = {text: i for i, text in enumerate(domain)}
    size = np.array([len(listed) for listed in texts.values()], dtype=np.int64)
    first = np.cumsum(size) - size
    held = np.array([place[text] for listed in texts.values() for text in listed], dtype=np.int64)

    def compute(frame: Frame) -> Values:
        entry = _entries(setting, frame, setting.given, tuple(texts), what)
        row = 0 if entry is None else entry
        word = words(draws, _keys(setting, frame))
        return Values(held[first[row] + below(word, size[row])], domain)

    return compute


def _grammar(setting: Setting, grammar: Grammar) -> Source:
    """Texts whose slots are filled: few enough texts are positions in a domain."""
    choose = _words(setting, by_code(grammar.text), setting.apart("text"), "grammar.text")
    filled = {
        slot: _words(setting, by_code(held), setting.apart("slot", slot), f"vocabularies.{slot}")
        for slot, held in grammar.vocabularies.items()
    }

    def compute(frame: Frame) -> Values:
        chosen = choose(frame)
        assert chosen.domain is not None
        done = {slot: fill(frame) for slot, fill in filled.items()}
        done |= {slot: frame.column(slot) for slot in grammar.slots() - set(filled)}
        if len(chosen.domain) == 1:
            return _composed(chosen.domain[0], done, frame.n)
        rows = [np.flatnonzero(chosen.ints == i) for i in range(len(chosen.domain))]
        texts = [
            _composed(text, {slot: values.take(at) for slot, values in done.items()}, len(at))
            for text, at in zip(chosen.domain, rows, strict=True)
        ]
        order = np.empty(frame.n, dtype=np.int64)
        order[np.concatenate(rows)] = np.arange(frame.n)
        joined = pa.concat_arrays([text.strings() for text in texts])
        return Values(text=joined.take(arrow.numbers(order)))

    return compute


def _composed(text: str, slots: Mapping[str, Values], n: int) -> Values:
    parts = [part for part in re.split(r"(\{\w+\})", text) if part]
    held = [
        slots[part[1:-1]] if SLOT.fullmatch(part) else Values(np.zeros(n, np.int64), (part,))
        for part in parts
    ]
    return concat(*held)


def _date_in_year(setting: Setting, tree: Node) -> Source:
    def compute(frame: Frame) -> Values:
        year = frame.evaluate(tree).ints
        first = from_civil(year, np.ones_like(year), np.ones_like(year))
        following = from_civil(year + 1, np.ones_like(year), np.ones_like(year))
        word = words(setting.draws, _keys(setting, frame))
        return Values(first + below(word, following - first))

    return compute


def _day(setting: Setting, asked: Day) -> Source:
    """A day of an interval, by the season of the row's code."""
    start, end = parse(asked.from_), parse(asked.to)
    weighted = asked.months or asked.weekdays or asked.years or asked.tet or asked.holidays
    tables = [by_code(table) for table in (asked.months or (), asked.weekdays or ())]
    kinds = [(month, weekday) for month in tables[0] for weekday in tables[1]]
    tet = asked.tet or Tet()
    seasons = [
        Season(
            tables[0][month], tables[1][weekday], asked.years, tet.before, tet.after, asked.holidays
        )
        for month, weekday in kinds
    ]
    drawn = cache(partial(calendar, seasons)) if weighted else None

    def kind(frame: Frame) -> Ints | None:
        found: Ints | None = None
        for table, what in zip(tables, ("day.months", "day.weekdays"), strict=True):
            entry = _entries(setting, frame, setting.given, tuple(table), what)
            entry = np.zeros(frame.n, dtype=np.int64) if entry is None else entry
            found = entry if found is None else found * len(table) + entry
        return None if len(kinds) == 1 else found

    def compute(frame: Frame) -> Values:
        a, b = frame.evaluate(start), frame.evaluate(end)
        known = _present(a) & _present(b)
        first, last = a.ints, b.ints
        _check_days(setting, frame, known & (first > last), (first, last), "'from' lies after 'to'")
        word = words(setting.draws, _keys(setting, frame))
        if drawn is None:
            day = first + below(word, np.maximum(last - first + 1, 1))
        else:
            days_of = drawn()
            begin, close = days_of.first, days_of.first + days_of.n_days - 1
            outside = known & ((first < begin) | (last > close))
            span = f"the weights are known from {_iso(begin)} to {_iso(close)} only"
            _check_days(setting, frame, outside, (first, last), span)
            inside = known & (first <= last) & ~outside
            first, last = np.where(inside, first, begin), np.where(inside, last, begin)
            day = days_of.draw(word, kind(frame), first, last)
            _check_days(setting, frame, inside & (day < 0), (first, last), "no day has a weight")
        return Values(day) if known.all() else Values(day).without(~known)

    return compute


def _check_days(
    setting: Setting, frame: Frame, wrong: Flags, interval: tuple[Ints, Ints], why: str
) -> None:
    if wrong.any():
        wrong = wrong & setting.wanted(frame)
    if wrong.any():
        at = int(np.argmax(wrong))
        first, last = (_iso(int(date[at])) for date in interval)
        raise BuildError(f"day from {first} to {last}: {why}; mend 'from', 'to' or only_if")


def _iso(day: int) -> str:
    return (dt.date(1970, 1, 1) + dt.timedelta(days=day)).isoformat()


def _hour(setting: Setting, asked: Hour) -> Source:
    """A time of the day in another column: the hour by weight, the rest of it any."""
    hours = by_code(asked.hours)
    table, seconds = alias(list(hours.values())), setting.apart("seconds")

    def compute(frame: Frame) -> Values:
        day = frame.column(asked.at)
        entry = _entries(setting, frame, setting.given, tuple(hours), "hour.hours")
        keys = _keys(setting, frame)
        hour = table.draw(words(setting.draws, keys), entry)
        time = day.ints * 86_400 + hour * 3600 + below(words(seconds, keys), 3600)
        return Values(time, missing=day.missing)

    return compute


def _quantiles(setting: Setting, knots: Mapping[str, tuple[int, ...]]) -> Source:
    """Pick a stretch between knots, then a whole number from its lower end to below its upper.

    The last stretch holds its upper end too, and a stretch between equal knots that one number.
    """
    stretches = np.array([len(row) - 1 for row in knots.values()], dtype=np.int64)
    width = int(stretches.max()) + 1
    edges = np.zeros((len(knots), width), dtype=np.int64)
    for i, row in enumerate(knots.values()):
        edges[i, : len(row)] = row
    flat = edges.reshape(-1)

    def compute(frame: Frame) -> Values:
        entry = _entries(setting, frame, setting.given, tuple(knots), "quantiles")
        row = 0 if entry is None else entry
        word = words(setting.draws, _keys(setting, frame))
        n = stretches[row]
        stretch = below(word, n)
        at = row * width + stretch
        low = flat[at]
        # The low half of the word is independent of the high half that picked the stretch.
        size = flat[at + 1] - low + (stretch == n - 1)
        return Values(low + below(word << np.uint64(32), np.maximum(size, 1)))

    return compute


def _identifier(setting: Setting) -> Source:
    asked = setting.spec.identifier
    assert asked is not None
    made = kind(asked.kind)
    if set(asked.parts) != set(made.parts):
        raise SpecError(
            f"identifier {asked.kind!r} needs the parts "
            f"{', '.join(made.parts) or 'none'}; found {', '.join(asked.parts) or 'none'}"
        )
    trees = {name: parse(text) for name, text in asked.parts.items()}

    def compute(frame: Frame) -> Values:
        rank = frame.field("rank").ints if made.ranked else None
        parts = {name: frame.evaluate(tree) for name, tree in trees.items()}
        return made.make(setting.draws, Rows(frame.key, rank, parts))

    return compute


def _link(setting: Setting) -> Source:
    return setting.link(setting.path[2], setting.spec)


SOURCES: Mapping[str, Callable[[Setting], Source]] = {
    "take": _take,
    "follows": _follows,
    "derive": _derive,
    "assume": _assume,
    "identifier": _identifier,
    "link": _link,
}
