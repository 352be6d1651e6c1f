"""From a column's source in the spec to the function that computes it."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from fractions import Fraction
from functools import cache, partial

import numpy as np
import numpy.typing as npt

from synthetic.errors import BuildError, SpecError
from synthetic.generation.dates import days
from synthetic.generation.draws import stream
from synthetic.generation.frames import Column, Frame, Source
from synthetic.generation.grammars import chosen, written
from synthetic.generation.identifiers import Rows, kind
from synthetic.generation.operations import strict, where
from synthetic.generation.settings import Setting, entries_of, present
from synthetic.generation.sources import follows, quantiles, shares
from synthetic.generation.times import date_in_year, day_between, hour_of
from synthetic.generation.values import Values
from synthetic.spec.expressions import parse
from synthetic.spec.margins import Margin
from synthetic.spec.models import ColumnSpec, by_code
from synthetic.spec.scope import codes_of
from synthetic.tables.arrow import DIGITS, Flags

_FIRST_DAY, _LAST_DAY = days(dt.date(1850, 1, 1)), days(dt.date(2149, 12, 31))


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
        if condition is None or spec.link is not None:  # a link looks at its condition itself
            values = source(frame)
        else:
            there = frame.holds(condition)
            values = where(there, source, frame).without(~there)
        if lacks is not None:
            values = values.without(lacks(frame))
        examine(values)
        return values

    takes = spec.take if condition is None and lacks is None else None
    return Column(_located(".".join(path), compute), _needs(spec), takes)


def _needs(spec: ColumnSpec) -> tuple[str, ...]:
    """The columns that a column needs in every row of its own."""
    if spec.only_if is not None and spec.link is None:
        return strict(parse(spec.only_if))
    return tuple(sorted(spec.needs())) if spec.derive is None else strict(parse(spec.derive))


def _lacking(setting: Setting) -> Callable[[Frame], Flags] | None:
    """Which rows have no value by chance."""
    missing = setting.spec.missing
    if missing is None:
        return None
    shares, given, draws = by_code(missing.share), missing.given, setting.apart("missing")
    limit = np.array([int(Fraction(share) * 2**32) for share in shares.values()], dtype=np.uint64)

    def lacks(frame: Frame) -> Flags:
        entry = entries_of(setting, frame, given, tuple(shares), "missing.share")
        drawn: Flags = frame.words(draws) >> np.uint64(32) < limit[0 if entry is None else entry]
        return drawn

    return lacks


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
        odd = strange(coded.domain)[coded.ints] & present(coded)
        if odd.any():
            text = coded.domain[int(coded.ints[int(np.argmax(odd))])]
            raise BuildError(f"{text!r} is no code of this column; codes: {list(codes)[:20]}")

    return examine


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
        if (~inside & present(values)).any():
            raise BuildError(f"{what}; mend the expression")


def _take(setting: Setting) -> Source:
    path = str(setting.spec.take)
    return lambda frame: frame.field(path)


def _derive(setting: Setting) -> Source:
    tree = parse(str(setting.spec.derive))
    return lambda frame: frame.evaluate(tree)


def _assume(setting: Setting) -> Source:
    assume = setting.spec.assume
    assert assume is not None
    if assume.shares is not None:
        return shares(setting, assume.weights())
    if assume.words is not None:
        return chosen(setting, by_code(assume.words), setting.draws, "words")
    if assume.grammar is not None:
        return written(setting, assume.grammar)
    if assume.date_in_year is not None:
        return date_in_year(setting, parse(assume.date_in_year))
    if assume.day is not None:
        return day_between(setting, assume.day)
    if assume.hour is not None:
        return hour_of(setting, assume.hour)
    return quantiles(setting, assume.knots())


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
    """What comes from another table, or from a model, is known to the world alone."""
    return setting.link(setting.path[2], setting.spec)


SOURCES: Mapping[str, Callable[[Setting], Source]] = {
    "take": _take,
    "follows": follows,
    "derive": _derive,
    "assume": _assume,
    "identifier": _identifier,
    "link": _link,
    "model": _link,
}
