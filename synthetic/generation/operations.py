"""What the expression language does with values: a checked tree computed over all rows at once."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache, lru_cache, partial
from typing import TypeVar

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from synthetic.errors import BuildError
from synthetic.generation import texts
from synthetic.generation.dates import civil, day_of, days, from_civil, month_of, year_of
from synthetic.generation.rows import Held, Rows, is_few
from synthetic.generation.selection import either
from synthetic.generation.tabulated import Compute, Tabulated, is_worth
from synthetic.generation.values import Ints, Values, constant, repeated, union
from synthetic.spec.expressions import Call, Literal, Name, Node, names
from synthetic.tables import arrow

Flags = npt.NDArray[np.bool_]


_MANY = 20_000
_FEW = 0.75  # of the rows: with more, it is computed for all of them
_LONG = 2  # operations of a branch that is worth computing for few rows alone
R = TypeVar("R", bound=Rows)
_compiled: dict[tuple[int, dt.date], tuple[Node, Compute]] = {}


def evaluate(tree: Node, rows: Rows, as_of: dt.date) -> Values:
    """Compute a checked tree over rows."""
    key = (id(tree), as_of)
    if key not in _compiled:
        if len(_compiled) >= _MANY:
            _compiled.clear()
        # The tree stays with what was made of it, so that no other can come to lie in its place.
        _compiled[key] = tree, _compile(tree, as_of)[0]
    return _compiled[key][1](rows)


def _compile(tree: Node, as_of: dt.date) -> tuple[Compute, bool]:
    """The function that computes a tree, and whether it gives the same in every row."""
    if isinstance(tree, Literal):
        return _same_for_all(tree.value), True
    if isinstance(tree, Name):
        path = ".".join(tree.path)
        return lambda rows: rows.column(path), False
    if tree.op == "as_of":
        return _same_for_all(days(as_of)), True
    made = [_compile(arg, as_of) for arg in tree.args]
    compute = _branching(tree, made) if tree.op == "if" else _straight(tree, made)
    if all(same for _, same in made):
        return _folded(compute), True
    columns = _columns(tree)
    if is_worth(len(columns), _operations(tree)):
        return Tabulated(compute, columns), False
    return compute, False


def _columns(tree: Node) -> tuple[str, ...]:
    return tuple(dict.fromkeys(".".join(path) for path in names(tree)))


def _straight(tree: Call, made: list[tuple[Compute, bool]]) -> Compute:
    apply, parts = _applied(tree), [part for part, _ in made]
    return lambda rows: apply([part(rows) for part in parts])


def _branching(tree: Call, made: list[tuple[Compute, bool]]) -> Compute:
    """`if`: a branch whose columns nobody else may need is computed where it is taken.

    So is one of some operations that few rows take.
    """
    (condition, _), *branches = made
    needed = [_columns(arg) for arg in tree.args[1:]]
    is_long = [_operations(arg) >= _LONG for arg in tree.args[1:]]

    def compute(rows: Rows) -> Values:
        truths = condition(rows)
        yes = truth(truths)
        n = int(np.count_nonzero(yes))
        alone = [
            rows.waits(columns) or (long and is_few(taken, rows.n))
            for columns, long, taken in zip(needed, is_long, (n, rows.n - n), strict=True)
        ]
        if not any(alone):
            return _choose(truths, *(branch(rows) for branch, _ in branches))
        if n in (0, rows.n):  # the other branch is not asked
            found = branches[int(n == 0)][0](rows)
            return found if truths.missing is None else found.without(truths.missing)
        return _choose(
            truths,
            *(
                where(there, branch, rows) if apart else branch(rows)
                for there, (branch, _), apart in zip((yes, ~yes), branches, alone, strict=True)
            ),
        )

    return compute


def where(there: Flags, compute: Callable[[R], Values], rows: R) -> Values:
    """The values of some rows, in their places; what stands elsewhere means nothing."""
    at = np.flatnonzero(there)
    if not len(at) or len(at) > _FEW * rows.n:
        return compute(rows)
    return compute(rows.part(at)).placed(at, rows.n)


def strict(tree: Node) -> tuple[str, ...]:
    """The columns that a tree needs in every row: not those of one branch of an `if` alone."""
    if not isinstance(tree, Call) or tree.op != "if":
        return _columns(tree) if not isinstance(tree, Call) else _united(map(strict, tree.args))
    condition, yes, no = (strict(arg) for arg in tree.args)
    return _united((condition, [name for name in yes if name in no]))


def _united(found: Iterable[Iterable[str]]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(name for some in found for name in some))


def _operations(tree: Node) -> int:
    return 1 + sum(map(_operations, tree.args)) if isinstance(tree, Call) else 0


def _same_for_all(value: int | str) -> Compute:
    one = constant(value)
    assert one.data is not None
    data = one.data
    return lambda rows: Values(repeated(data, rows.n), one.domain)


def _folded(compute: Compute) -> Compute:
    """The same of a tree without columns, computed for one row that stands for all."""
    one = cache(partial(compute, Held(_no_column, 1)))

    def folded(rows: Rows) -> Values:
        found = one() if rows.n else Values()
        if found.data is None or found.missing is not None:
            return compute(rows)
        return Values(repeated(found.data, rows.n), found.domain)

    return folded


def _no_column(name: str) -> Values:
    raise KeyError(name)


def _applied(tree: Call) -> Callable[[list[Values]], Values]:
    """The operation of a tree, over the values of its arguments."""
    if tree.op in _KNOWING:  # it looks at missing values itself
        knowing = _KNOWING[tree.op]
        return lambda args: knowing(*args)
    operation = _OPERATIONS.get(tree.op) or partial(_WRITTEN[tree.op], tree)
    harmless = tree.op in _HARMLESS

    def apply(args: list[Values]) -> Values:
        gaps = [arg.missing for arg in args if arg.missing is not None]
        if not gaps:
            return operation(*args)
        missing = np.logical_or.reduce(gaps)
        if harmless:
            return operation(*args).without(missing)
        # What stands where there is no value may be no date, or too large a number.
        there = np.flatnonzero(~missing)
        return operation(*(arg.take(there) for arg in args)).spread(~missing)

    return apply


def _numbers_of(tree: Call) -> list[int]:
    """The arguments that are written out after the first."""
    return [int(arg.value) for arg in tree.args[1:] if isinstance(arg, Literal)]


def _same(a: Values, b: Values) -> Flags:
    if a.domain is not None and b.domain is not None:
        if len(b.domain) == 1:  # a literal
            try:
                wanted = a.domain.index(b.domain[0])
            except ValueError:
                return np.zeros(len(a), dtype=np.bool_)
            return np.asarray(a.ints == wanted)
        both = union(a.domain, b.domain)
        return np.asarray(a.recoded(both).ints == b.recoded(both).ints)
    numbers = a.data is not None and b.data is not None and a.domain is None and b.domain is None
    if numbers and a.width == b.width:
        return np.asarray(a.ints == b.ints)
    return arrow.to_numpy(pc.equal(a.strings(), b.strings())).astype(np.bool_)


def _in(first: Values, *others: Values) -> Values:
    domains = tuple(other.domain for other in others if other.domain is not None)
    written = len(domains) == len(others) and all(len(domain) == 1 for domain in domains)
    if first.domain is not None and written:
        return Values(_among(first.domain, domains).take(first.ints))
    return Values(np.logical_or.reduce([_same(first, other) for other in others]))


@lru_cache(maxsize=256)
def _among(domain: tuple[str, ...], wanted: tuple[tuple[str, ...], ...]) -> Flags:
    """Which texts of a domain are among these."""
    held = {text for one in wanted for text in one}
    return np.array([text in held for text in domain] or [False], dtype=np.bool_)


def truth(values: Values) -> Flags:
    """A condition as flags."""
    data = values.data
    if data is not None and data.dtype == np.bool_:
        return data.view(np.bool_)
    return values.ints != 0


def _choose(condition: Values, yes: Values, no: Values) -> Values:
    chosen = truth(condition)
    missing: Flags | None = None
    if yes.missing is not None or no.missing is not None:
        missing = np.where(chosen, _gaps(yes), _gaps(no))
    if condition.missing is not None:
        missing = condition.missing if missing is None else condition.missing | missing
    if yes.domain is not None and no.domain is not None:
        if len(no.domain) > len(yes.domain):  # the first of a union keeps its positions
            both = union(no.domain, yes.domain)
        else:
            both = union(yes.domain, no.domain)
        data = either(chosen, yes.recoded(both).ints, no.recoded(both).ints)
        return Values(data, both, missing=missing)
    if yes.text is not None or no.text is not None or yes.width != no.width:
        text = pc.if_else(arrow.flags(chosen), yes.strings(), no.strings())
        return Values(text=text, missing=missing)
    assert yes.data is not None
    assert no.data is not None
    return Values(either(chosen, yes.data, no.data), missing=missing, width=yes.width)


def _gaps(values: Values) -> Flags:
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
    x, y = truth(a), truth(b)
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
    if not zero.any():
        return Values(np.floor_divide(a.ints, b.ints))
    return Values(np.floor_divide(a.ints, np.where(zero, 1, b.ints))).without(zero)


_LARGEST = 2**62  # beyond it a whole number of 64 bits may already have gone round


def _arithmetic(
    operation: Callable[..., npt.NDArray[np.generic]], sign: str
) -> Callable[..., Values]:
    """An operation on whole numbers that refuses a result too large to be held."""

    def compute(a: Values, b: Values) -> Values:
        if len(a) and _may_overflow(operation, a, b):
            magnitude = np.abs(operation(a.ints.astype(np.float64), b.ints.astype(np.float64)))
            if magnitude.max() > _LARGEST:
                raise BuildError(f"a result of {sign!r} is larger than 2**62; mend the expression")
        return Values(operation(a.ints, b.ints))

    return compute


def _may_overflow(operation: Callable[..., npt.NDArray[np.generic]], a: Values, b: Values) -> bool:
    high, low = (max(abs(least), abs(greatest)) for least, greatest in (a.span, b.span))
    return (high * low if operation is np.multiply else high + low) > _LARGEST


def _date(year: Ints, month: Ints, day: Ints) -> Ints:
    if month.size and (month.min() < 1 or month.max() > 12):
        raise BuildError("date() of a month outside 1 to 12; mend the expression")
    first = from_civil(year, month, np.ones_like(day))
    if day.size and (day.min() < 1 or (month_of(first + np.minimum(day, 31) - 1) != month).any()):
        raise BuildError("date() of a day that its month does not have; mend the expression")
    if day.size and day.max() > 31:
        raise BuildError("date() of a day after the 31st; mend the expression")
    return first + day - 1


def _mod(a: Ints, b: Ints) -> Ints:
    if b.strides == (0,) and len(b) and b[0]:  # one divisor: NumPy divides by it, but takes no rest
        return a - a // b * b
    return a % b


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
_WRITTEN: Mapping[str, Callable[..., Values]] = {
    "band": lambda tree, values, *_: texts.band(values, *_numbers_of(tree)),
    "pad": lambda tree, values, *_: texts.pad(values, *_numbers_of(tree)),
}
# Operations that no number can make fail.
_HARMLESS = frozenset(("not", "<", "<=", ">", ">=", "weekday", "hour", "minute", "second"))
_OPERATIONS: Mapping[str, Callable[..., Values]] = {
    "not": lambda a: Values(~truth(a)),
    "==": lambda a, b: Values(_same(a, b)),
    "!=": lambda a, b: Values(~_same(a, b)),
    "<": _ints(np.less),
    "<=": _ints(np.less_equal),
    ">": _ints(np.greater),
    ">=": _ints(np.greater_equal),
    "in": _in,
    "+": _arithmetic(np.add, "+"),
    "-": _arithmetic(np.subtract, "-"),
    "*": _arithmetic(np.multiply, "*"),
    "//": _ints(np.floor_divide),
    "%": _ints(_mod),
    "div": _div,
    "neg": _ints(np.negative),
    "abs": _ints(np.abs),
    "year": _ints(year_of),
    "month": _ints(month_of),
    "day": _ints(day_of),
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
    "concat": texts.concat,
    "text_of": texts.text_of,
}
