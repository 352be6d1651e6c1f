"""A column's values while they are made, and what the expression language does with them."""

from __future__ import annotations

import datetime as dt
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from itertools import product

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synthetic.errors import BuildError
from synthetic.spec.expressions import Call, Literal, Name, Node
from synthetic.tables import arrow

Ints = npt.NDArray[np.int64]
_EPOCH = dt.date(1970, 1, 1)


@dataclass(frozen=True, eq=False)
class Values:
    """One value a row. Exactly one of three forms.

    numbers: `data` holds whole numbers (of a decimal, its last places), days or seconds since
    1970-01-01, or booleans. Coded: `data` holds positions in `domain`. Text: `text` holds the
    strings themselves. Where `missing` is true there is no value, whatever stands there.
    """

    data: npt.NDArray[np.generic] | None = None
    domain: tuple[str, ...] | None = None
    text: pa.Array | None = None
    missing: npt.NDArray[np.bool_] | None = None

    def __len__(self) -> int:
        held = self.text if self.data is None else self.data
        return 0 if held is None else len(held)

    @property
    def ints(self) -> Ints:
        """The data as whole numbers (or days, or positions in the domain)."""
        assert self.data is not None
        return self.data.astype(np.int64, copy=False)

    def take(self, at: npt.NDArray[np.integer]) -> Values:
        """The values of these rows."""
        return Values(
            None if self.data is None else self.data[at],
            self.domain,
            None if self.text is None else self.text.take(arrow.numbers(at)),
            None if self.missing is None else self.missing[at],
        )

    def without(self, missing: npt.NDArray[np.bool_]) -> Values:
        """The same, with no value in these rows."""
        if self.missing is not None:
            missing = missing | self.missing
        return Values(self.data, self.domain, self.text, missing)

    def spread(self, there: npt.NDArray[np.bool_]) -> Values:
        """The same, laid out over more rows: one for each true one, and no value in the others."""
        at = np.maximum(np.cumsum(there) - 1, 0)
        if not len(self):
            plain = self.data is not None and self.domain is None
            domain = None if plain else self.domain or ("",)
            return Values(np.zeros(len(there), dtype=np.int64), domain, None, ~there)
        wide = self.take(at)
        return wide.without(~there)

    def filled(self) -> Values:
        """One value of this form, for rows that have none to take."""
        if self.text is not None:
            return Values(text=arrow.strings([""]))
        domain = self.domain if self.domain is None else (self.domain or ("",))
        return Values(np.zeros(1, dtype=np.int64), domain)

    def strings(self) -> pa.Array:
        """The values as an Arrow array of strings."""
        if self.text is not None:
            return self.text
        assert self.domain is not None
        return arrow.domain(self.domain).take(arrow.numbers(self.ints))

    def coded(self) -> Values:
        """Free text as positions in a domain; coded values as they are."""
        if self.text is None:
            return self
        encoded = pc.dictionary_encode(self.text)
        codes = arrow.to_numpy(pc.fill_null(encoded.indices, 0)).astype(np.int64)
        return Values(codes, tuple(encoded.dictionary.to_pylist()), missing=self.missing)

    def recoded(self, domain: tuple[str, ...]) -> Values:
        """The same texts as positions in another domain, which must hold them all."""
        assert self.domain is not None
        if domain == self.domain:
            return self
        return Values(_places(self.domain, domain)[self.ints], domain, missing=self.missing)


def days(date: dt.date) -> int:
    """Days since 1970-01-01."""
    return (date - _EPOCH).days


def _calendar() -> tuple[Ints, Ints, Ints]:
    dates = np.arange("1850", "2150", dtype="datetime64[D]")
    months = dates.astype("datetime64[M]")
    n = months.astype(np.int64)
    return n // 12 + 1970, n % 12 + 1, (dates - months).astype(np.int64) + 1


# Tables of three centuries: a look-up costs a tenth of NumPy's own calendar arithmetic.
_FIRST_YEAR, _LAST_YEAR = 1850, 2149
_YEAR, _MONTH, _DAY = _calendar()
_FIRST_DAY = days(dt.date(_FIRST_YEAR, 1, 1))
_MONTH_START = (
    np.arange("1850", "2150", dtype="datetime64[M]").astype("datetime64[D]").astype(np.int64)
)


def from_civil(year: Ints, month: Ints, day: Ints) -> Ints:
    """Days since 1970-01-01 of dates from 1850 to 2149."""
    _check_span(year - _FIRST_YEAR, _LAST_YEAR - _FIRST_YEAR + 1)
    index = (year - _FIRST_YEAR) * 12 + month - 1
    _check_span(index, len(_MONTH_START))
    return _MONTH_START[index] + day - 1


def civil(day_number: Ints) -> tuple[Ints, Ints, Ints]:
    """Year, month and day of days since 1970-01-01, from 1850 to 2149."""
    index = day_number - _FIRST_DAY
    _check_span(index, len(_YEAR))
    return _YEAR[index], _MONTH[index], _DAY[index]


def _check_span(index: Ints, n: int) -> None:
    if index.size and (index.min() < 0 or index.max() >= n):
        raise BuildError(f"a date lies outside {_FIRST_YEAR} to {_LAST_YEAR}; mend the expression")


def evaluate(tree: Node, column: Callable[[str], Values], n: int, as_of: dt.date) -> Values:
    """Compute a checked tree over `n` rows; `column` gives the values of a column."""
    if isinstance(tree, Literal):
        if isinstance(tree.value, str):
            return Values(np.zeros(n, dtype=np.int64), (tree.value,))
        return Values(np.full(n, tree.value, dtype=np.int64))
    if isinstance(tree, Name):
        return column(".".join(tree.path))
    if tree.op == "as_of":
        return Values(np.full(n, days(as_of), dtype=np.int64))
    args = [evaluate(arg, column, n, as_of) for arg in tree.args]
    if tree.op in _KNOWING:  # it looks at missing values itself
        return _KNOWING[tree.op](*args)
    operation = _OPERATIONS.get(tree.op) or partial(_WRITTEN[tree.op], tree)
    gaps = [arg.missing for arg in args if arg.missing is not None]
    if not gaps:
        return operation(*args)
    missing = np.logical_or.reduce(gaps)
    if tree.op in _HARMLESS:
        return operation(*args).without(missing)
    # What stands where there is no value may be no date, or too large a number.
    there = np.flatnonzero(~missing)
    return operation(*(arg.take(there) for arg in args)).spread(~missing)


def _band(tree: Call, values: Values, *_: Values) -> Values:
    width, top = (int(arg.value) for arg in tree.args[1:] if isinstance(arg, Literal))
    if len(values) and values.ints.min() < 0:
        raise BuildError("band() of a number below zero; use max(…, 0) first")
    labels = [f"{low}-{low + width - 1}" for low in range(0, top, width)] + [f"{top}+"]
    return Values(np.minimum(values.ints // width, top // width), tuple(labels))


@lru_cache(maxsize=64)
def _union(a: tuple[str, ...], b: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(a + b))


@lru_cache(maxsize=64)
def _places(domain: tuple[str, ...], other: tuple[str, ...]) -> Ints:
    """Where each text of a domain stands in another that holds them all."""
    place = {text: i for i, text in enumerate(other)}
    return np.array([place[text] for text in domain], dtype=np.int64)


def _same(a: Values, b: Values) -> npt.NDArray[np.bool_]:
    if a.domain is not None and b.domain is not None:
        if len(b.domain) == 1:  # a literal
            try:
                wanted = a.domain.index(b.domain[0])
            except ValueError:
                return np.zeros(len(a), dtype=np.bool_)
            return np.asarray(a.ints == wanted)
        union = _union(a.domain, b.domain)
        return np.asarray(a.recoded(union).ints == b.recoded(union).ints)
    if a.data is not None and b.data is not None and a.domain is None and b.domain is None:
        return np.asarray(a.ints == b.ints)
    return arrow.to_numpy(pc.equal(a.strings(), b.strings())).astype(np.bool_)


def _choose(condition: Values, yes: Values, no: Values) -> Values:
    chosen = condition.ints != 0
    missing: npt.NDArray[np.bool_] | None = None
    if yes.missing is not None or no.missing is not None:
        missing = np.where(chosen, _gaps(yes), _gaps(no))
    if condition.missing is not None:
        missing = condition.missing if missing is None else condition.missing | missing
    if yes.domain is not None and no.domain is not None:
        union = _union(yes.domain, no.domain)
        data = np.where(chosen, yes.recoded(union).ints, no.recoded(union).ints)
        return Values(data, union, missing=missing)
    if yes.text is not None or no.text is not None:
        text = pc.if_else(arrow.flags(chosen), yes.strings(), no.strings())
        return Values(text=text, missing=missing)
    assert yes.data is not None
    assert no.data is not None
    return Values(np.where(chosen, yes.data, no.data), missing=missing)


def _gaps(values: Values) -> npt.NDArray[np.bool_]:
    return np.zeros(len(values), dtype=np.bool_) if values.missing is None else values.missing


def _coalesce(first: Values, *others: Values) -> Values:
    found = first
    for other in others:
        if found.missing is None:
            break
        found = _choose(Values(~found.missing), replace(found, missing=None), other)
    return found


def _is_missing(values: Values) -> Values:
    return Values(_gaps(values))


def _both(a: Values, b: Values) -> Values:
    """`and`: false where either is known to be false, whatever the other."""
    return _known(a, b, decides=False)


def _either(a: Values, b: Values) -> Values:
    return _known(a, b, decides=True)


def _known(a: Values, b: Values, *, decides: bool) -> Values:
    x, y = a.ints != 0, b.ints != 0
    result = (x | y) if decides else (x & y)
    if a.missing is None and b.missing is None:
        return Values(result)
    decided = ((x == decides) & ~_gaps(a)) | ((y == decides) & ~_gaps(b))
    missing = (_gaps(a) | _gaps(b)) & ~decided
    return Values(np.where(decided, decides, result), missing=missing)


def _extreme(better: Callable[..., npt.NDArray[np.generic]]) -> Callable[..., Values]:
    """The least or greatest of the values that are there."""

    def compute(first: Values, *others: Values) -> Values:
        data, missing = first.ints, first.missing
        for other in others:
            both = better(data, other.ints)
            if missing is None and other.missing is None:
                data = both.astype(np.int64, copy=False)
                continue
            mine, theirs = _gaps(Values(data, missing=missing)), _gaps(other)
            data = np.where(mine, other.ints, np.where(theirs, data, both))
            missing = mine & theirs
        return Values(data, missing=missing)

    return compute


_MAX_JOINED = 65_536  # texts of a joined domain; larger ones are joined row by row


@lru_cache(maxsize=64)
def _joined(domains: tuple[tuple[str, ...], ...]) -> tuple[str, ...]:
    return tuple("".join(parts) for parts in product(*domains))


def concat(*parts: Values) -> Values:
    """Texts put together, row by row."""
    domains = tuple(p.domain for p in parts if p.domain is not None)
    if len(domains) == len(parts) and math.prod(map(len, domains)) <= _MAX_JOINED:
        joined = _joined(domains)
        if len(set(joined)) == len(joined):
            index = parts[0].ints
            for part, domain in zip(parts[1:], domains[1:], strict=True):
                index = index * len(domain) + part.ints
            return Values(index, joined)
    return Values(text=arrow.joined(*(part.strings() for part in parts)))


def _years_between(start: Values, end: Values) -> Values:
    (y1, m1, d1), (y2, m2, d2) = civil(start.ints), civil(end.ints)
    return Values(y2 - y1 - ((m2 * 32 + d2) < (m1 * 32 + d1)))


def _months_between(start: Values, end: Values) -> Values:
    (y1, m1, d1), (y2, m2, d2) = civil(start.ints), civil(end.ints)
    return Values((y2 - y1) * 12 + m2 - m1 - (d2 < d1))


def _add_months(date: Values, months: Values) -> Values:
    year, month, day = civil(date.ints)
    index = year * 12 + month - 1 + months.ints
    one = np.ones_like(index)
    first = from_civil(index // 12, index % 12 + 1, one)
    following = from_civil((index + 1) // 12, (index + 1) % 12 + 1, one)
    return Values(np.minimum(first + day, following) - 1)


def _div(a: Values, b: Values) -> Values:
    zero = b.ints == 0
    divided = Values(np.floor_divide(a.ints, np.where(zero, 1, b.ints)))
    return divided.without(zero) if zero.any() else divided


_MAX_WRITTEN = 4096  # numbers in a row whose texts are made once


def _text_of(values: Values, width: int = 1) -> Values:
    if not len(values):
        return Values(values.ints, ("",))
    low, high = int(values.ints.min()), int(values.ints.max())
    if high - low < min(_MAX_WRITTEN, 4 * len(values) + 64):
        written = tuple(f"{number:0{width}d}" for number in range(low, high + 1))
        return Values(values.ints - low, written)
    text = arrow.numbers(values.ints).cast(pa.string())
    return Values(text=pc.utf8_lpad(text, width, "0"))


def _pad(tree: Call, values: Values, *_: Values) -> Values:
    (width,) = (int(arg.value) for arg in tree.args[1:] if isinstance(arg, Literal))
    if len(values) and values.ints.min() < 0:
        raise BuildError("pad() of a number below zero; use max(…, 0) first")
    return _text_of(values, width)


_LARGEST = 2**62  # beyond it a whole number of 64 bits may already have gone round


def _arithmetic(
    operation: Callable[..., npt.NDArray[np.generic]], sign: str
) -> Callable[..., Values]:
    """An operation on whole numbers that refuses a result too large to be held."""

    def compute(a: Values, b: Values) -> Values:
        if len(a) and _may_overflow(operation, a.ints, b.ints):
            magnitude = np.abs(operation(a.ints.astype(np.float64), b.ints.astype(np.float64)))
            if magnitude.max() > _LARGEST:
                raise BuildError(f"a result of {sign!r} is larger than 2**62; mend the expression")
        return Values(operation(a.ints, b.ints))

    return compute


def _may_overflow(operation: Callable[..., npt.NDArray[np.generic]], a: Ints, b: Ints) -> bool:
    high, low = (max(abs(int(x.min())), abs(int(x.max()))) for x in (a, b))
    return (high * low if operation is np.multiply else high + low) > _LARGEST


def _date(year: Ints, month: Ints, day: Ints) -> Ints:
    if month.size and (month.min() < 1 or month.max() > 12):
        raise BuildError("date() of a month outside 1 to 12; mend the expression")
    first = from_civil(year, month, np.ones_like(day))
    if day.size and (day.min() < 1 or (civil(first + np.minimum(day, 31) - 1)[1] != month).any()):
        raise BuildError("date() of a day that its month does not have; mend the expression")
    if day.size and day.max() > 31:
        raise BuildError("date() of a day after the 31st; mend the expression")
    return first + day - 1


def _ints(operation: Callable[..., npt.NDArray[np.generic]]) -> Callable[..., Values]:
    return lambda *args: Values(operation(*(a.ints for a in args)))


_DAY_SECONDS = 86_400

# Operations that meet missing values in a way of their own.
_KNOWING: Mapping[str, Callable[..., Values]] = {
    "and": _both,
    "or": _either,
    "if": _choose,
    "min": _extreme(np.minimum),
    "max": _extreme(np.maximum),
    "coalesce": _coalesce,
    "is missing": _is_missing,
}
# Operations that look at the arguments that are written out.
_WRITTEN: Mapping[str, Callable[..., Values]] = {"band": _band, "pad": _pad}
# Operations that no number can make fail.
_HARMLESS = frozenset(("not", "<", "<=", ">", ">=", "weekday", "hour", "minute", "second"))
_OPERATIONS: Mapping[str, Callable[..., Values]] = {
    "not": _ints(lambda a: a == 0),
    "==": lambda a, b: Values(_same(a, b)),
    "!=": lambda a, b: Values(~_same(a, b)),
    "<": _ints(np.less),
    "<=": _ints(np.less_equal),
    ">": _ints(np.greater),
    ">=": _ints(np.greater_equal),
    "in": lambda a, *rest: Values(np.logical_or.reduce([_same(a, b) for b in rest])),
    "+": _arithmetic(np.add, "+"),
    "-": _arithmetic(np.subtract, "-"),
    "*": _arithmetic(np.multiply, "*"),
    "//": _ints(np.floor_divide),
    "%": _ints(np.mod),
    "div": _div,
    "neg": _ints(np.negative),
    "abs": _ints(np.abs),
    "year": _ints(lambda a: civil(a)[0]),
    "month": _ints(lambda a: civil(a)[1]),
    "day": _ints(lambda a: civil(a)[2]),
    "weekday": _ints(lambda a: (a + 3) % 7 + 1),  # 1970-01-01 was a Thursday
    "hour": _ints(lambda a: a % _DAY_SECONDS // 3600),
    "minute": _ints(lambda a: a % 3600 // 60),
    "second": _ints(lambda a: a % 60),
    "date_of": _ints(lambda a: a // _DAY_SECONDS),
    "date": _ints(_date),
    "timestamp": _ints(lambda day, seconds: day * _DAY_SECONDS + seconds),
    "add_days": _arithmetic(np.add, "add_days"),
    "add_months": _add_months,
    "years_between": _years_between,
    "months_between": _months_between,
    "days_between": _ints(lambda start, end: end - start),
    "concat": concat,
    "text_of": _text_of,
}
