"""The small language of derivations and rules: parsed to a checked tree, never run as Python.

An expression speaks of columns (`age`), of columns behind a key (`tax_code.province_code`, in rules
only), of whole numbers, text in double quotes, and these operations, loosest first:
`or`, `and`, `not`, comparisons, `in (…)`, `is missing` and `is not missing`, `+ -`, `* // %`, a
minus sign, and functions. Types are integer, text, date, timestamp and boolean; a tree is checked
against the types of its columns before anything is computed. There are no loops and no attributes,
and length and depth are bounded, so that a hostile spec can cost no more than its own parsing.

A decimal column is a whole number of its last place: with places = 2, 1250 stands for 12.50, in
an expression that speaks of it as in one that gives it. A timestamp is a local time to the second.

A value may be missing. `and` and `or` then know what they can (false and unknown is false), `if`
is missing where its condition is, and else as its chosen branch, `min` and `max` pass missing
values over, `coalesce` gives the first value that is there, and `is missing` is always known.
Every other operation is missing where one of its arguments is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from synthetic.errors import SpecError, nearest

MAX_LENGTH = 2_000  # characters
MAX_DEPTH = 40  # nested operations
MAX_TOKENS = 300  # bounds the depth of a chain such as 1 + 1 + 1, which nests to the left
MAX_BANDS = 1_000
MAX_PAD = 18  # digits of a whole number
_MAX_INTEGER = 2**53


class Type(StrEnum):
    """The type of a value in an expression."""

    INTEGER = "integer"
    TEXT = "text"
    DATE = "date"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"


I, T, D, B = Type.INTEGER, Type.TEXT, Type.DATE, Type.BOOLEAN  # noqa: E741 - short in the tables below
S = Type.TIMESTAMP


@dataclass(frozen=True)
class Literal:
    """A whole number or a text."""

    value: int | str
    at: int


@dataclass(frozen=True)
class Name:
    """A column, or `key.column`: a column of the row that a key leads to."""

    path: tuple[str, ...]
    at: int


@dataclass(frozen=True)
class Call:
    """An operator or a function, with its arguments."""

    op: str
    args: tuple[Node, ...]
    at: int


Node = Literal | Name | Call

# Every operation with the types that it takes and gives. `*` at the end repeats the last type.
SIGNATURES: dict[str, list[tuple[tuple[Type, ...], Type, bool]]] = {
    "or": [((B, B), B, False)],
    "and": [((B, B), B, False)],
    "not": [((B,), B, False)],
    **{op: [((t, t), B, False) for t in Type] for op in ("==", "!=")},
    **{op: [((t, t), B, False) for t in (I, D, S)] for op in ("<", "<=", ">", ">=")},
    "in": [((t, t), B, True) for t in (I, T)],
    "is missing": [((t,), B, False) for t in Type],
    "+": [((I, I), I, False), ((D, I), D, False), ((S, I), S, False)],  # days, seconds
    "-": [
        ((I, I), I, False),
        ((D, I), D, False),
        ((D, D), I, False),
        ((S, I), S, False),
        ((S, S), I, False),
    ],
    "*": [((I, I), I, False)],
    "//": [((I, I), I, False)],
    "%": [((I, I), I, False)],
    "div": [((I, I), I, False)],  # as //, by a column; missing where that is zero
    "neg": [((I,), I, False)],
    "abs": [((I,), I, False)],
    "year": [((D,), I, False)],
    "month": [((D,), I, False)],
    "day": [((D,), I, False)],
    "weekday": [((D,), I, False)],  # 1 Monday to 7 Sunday
    "hour": [((S,), I, False)],
    "minute": [((S,), I, False)],
    "second": [((S,), I, False)],
    "date_of": [((S,), D, False)],
    "date": [((I, I, I), D, False)],
    "timestamp": [((D, I), S, False)],  # seconds since midnight
    "add_days": [((D, I), D, False), ((S, I), S, False)],
    "add_months": [((D, I), D, False)],  # the month's last day where it has no such day
    "years_between": [((D, D), I, False)],
    "months_between": [((D, D), I, False)],  # completed months
    "days_between": [((D, D), I, False)],
    "min": [((t, t), t, True) for t in (I, D, S)],
    "max": [((t, t), t, True) for t in (I, D, S)],
    "if": [((B, t, t), t, False) for t in Type],
    "coalesce": [((t, t), t, True) for t in Type],
    "concat": [((T, T), T, True)],
    "text_of": [((I,), T, False)],
    "pad": [((I, I), T, False)],  # zeros before a number, to this width
    "band": [((I, I, I), T, False)],
    "as_of": [((), D, False)],
}
FUNCTIONS = {op for op in SIGNATURES if op.isidentifier()} - {"or", "and", "not", "in", "neg"}

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>\d+(?![\w.]))
      | (?P<text>"(?:[^"\\\n]|\\["\\])*")
      | (?P<word>[^\W\d]\w*)
      | (?P<op>==|!=|<=|>=|//|[<>+\-*%(),.])
    )""",
    re.VERBOSE,
)
_BINARY = {
    "or": 1,
    "and": 2,
    **dict.fromkeys(("==", "!=", "<", "<=", ">", ">=", "in", "is"), 4),
    **dict.fromkeys(("+", "-"), 5),
    **dict.fromkeys(("*", "//", "%"), 6),
}


class _Parser:
    """Precedence climbing over a list of tokens."""

    def __init__(self, source: str) -> None:
        if len(source) > MAX_LENGTH:
            raise SpecError(
                f"expression of {len(source)} characters; at most {MAX_LENGTH}: split it in columns"
            )
        self.source = source
        self.tokens = list(self._tokens())
        if len(self.tokens) > MAX_TOKENS:
            raise SpecError(
                f"expression of {len(self.tokens)} words; at most {MAX_TOKENS}: split it in columns"
            )
        self.next = 0

    def _tokens(self) -> Iterator[tuple[str, str, int]]:
        at, end = 0, len(self.source.rstrip())
        while at < end:
            match = _TOKEN.match(self.source, at)
            if match is None or match.lastgroup is None:
                start = at + len(self.source[at:]) - len(self.source[at:].lstrip())
                raise self.fault(f"{self.source[start]!r} is not part of the language", start)
            yield match.lastgroup, match[match.lastgroup], match.start(match.lastgroup)
            at = match.end()
        yield "end", "", end

    def fault(self, what: str, at: int) -> SpecError:
        return SpecError(f"{what}, at character {at + 1} of {self.source!r}")

    def peek(self) -> str:
        kind, text, _ = self.tokens[self.next]
        return "" if kind in ("text", "end") else text

    def take(self, expected: str | None = None) -> tuple[str, str, int]:
        kind, text, at = self.tokens[self.next]
        if expected is not None and (kind == "text" or text != expected):
            raise self.fault(f"expected {expected!r}, found {text or 'the end'!r}", at)
        self.next += kind != "end"
        return kind, text, at

    def expression(self, level: int, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise self.fault(f"nested deeper than {MAX_DEPTH}", self.tokens[self.next][2])
        left = self.prefix(depth)
        while (op := self.peek()) in _BINARY and _BINARY[op] >= level:
            _, _, at = self.take()
            if op == "in":
                left = Call("in", (left, *self.arguments(depth)), at)
            elif op == "is":
                left = self.missing(left, at)
            else:
                left = Call(op, (left, self.expression(_BINARY[op] + 1, depth + 1)), at)
            if _BINARY[op] == 4 and _BINARY.get(self.peek()) == 4:
                raise self.fault(
                    "comparisons do not chain; join two with 'and'", self.tokens[self.next][2]
                )
        return left

    def prefix(self, depth: int) -> Node:
        kind, text, at = self.take()
        if kind == "number":
            if int(text) > _MAX_INTEGER:
                raise self.fault(f"{text} is larger than {_MAX_INTEGER}", at)
            return Literal(int(text), at)
        if kind == "text":
            return Literal(text[1:-1].replace('\\"', '"').replace("\\\\", "\\"), at)
        if text == "not":
            return Call("not", (self.expression(3, depth + 1),), at)
        if text == "-":
            return Call("neg", (self.expression(7, depth + 1),), at)
        if text == "(":
            inside = self.expression(1, depth + 1)
            self.take(")")
            return inside
        if kind == "word" and text not in _BINARY:
            return self.word(text, at, depth)
        raise self.fault(f"expected a value, found {text or 'the end'!r}", at)

    def missing(self, left: Node, at: int) -> Node:
        negated = self.peek() == "not"
        if negated:
            self.take()
        self.take("missing")
        found = Call("is missing", (left,), at)
        return Call("not", (found,), at) if negated else found

    def word(self, text: str, at: int, depth: int) -> Node:
        if self.peek() == "(":
            if text not in FUNCTIONS:
                raise self.fault(f"unknown function {text!r}; {nearest(text, FUNCTIONS)}", at)
            return Call(text, self.arguments(depth), at)
        if self.peek() == ".":
            self.take()
            kind, column, column_at = self.take()
            if kind != "word":
                raise self.fault("expected a column after '.'", column_at)
            return Name((text, column), at)
        return Name((text,), at)

    def arguments(self, depth: int) -> tuple[Node, ...]:
        self.take("(")
        found: list[Node] = []
        while self.peek() != ")":
            if found:
                self.take(",")
            found.append(self.expression(1, depth + 1))
        self.take(")")
        return tuple(found)


@lru_cache(maxsize=8192)  # a tree is never changed, and asked for again by every part of a build
def parse(source: str) -> Node:
    """Parse an expression, or raise `SpecError` with the character where it fails."""
    parser = _Parser(source)
    tree = parser.expression(1, 0)
    kind, text, at = parser.take()
    if kind != "end":
        raise parser.fault(f"unexpected {text!r}", at)
    return tree


def names(tree: Node) -> Iterator[tuple[str, ...]]:
    """Yield the columns that a tree speaks of."""
    if isinstance(tree, Name):
        yield tree.path
    elif isinstance(tree, Call):
        for arg in tree.args:
            yield from names(arg)


TypeOf = Callable[[tuple[str, ...]], Type]


def type_of(tree: Node, column_type: TypeOf, source: str) -> Type:
    """Return the type of a tree, or raise `SpecError` where an operation does not fit."""
    if isinstance(tree, Literal):
        return Type.INTEGER if isinstance(tree.value, int) else Type.TEXT
    if isinstance(tree, Name):
        return column_type(tree.path)
    given = tuple(type_of(arg, column_type, source) for arg in tree.args)
    for takes, gives, repeats in SIGNATURES[tree.op]:
        wanted = takes
        if repeats and len(given) > len(takes):
            wanted = takes + (takes[-1],) * (len(given) - len(takes))
        if given == wanted:
            _check_literals(tree, source)
            return gives
    raise SpecError(
        f"{tree.op!r} does not take ({', '.join(t.value for t in given)}), at character "
        f"{tree.at + 1} of {source!r}; it takes "
        + " or ".join(
            "(" + ", ".join(t.value for t in takes) + (", …)" if repeats else ")")
            for takes, _, repeats in SIGNATURES[tree.op]
        )
    )


def _check_literals(tree: Call, source: str) -> None:
    """Some arguments must be written out, so that nothing depends on a row by surprise."""
    for arg in tree.args[1:] if tree.op in ("in", "band", "pad", "//", "%") else ():
        if not isinstance(arg, Literal):
            raise SpecError(f"{tree.op!r} needs written values after its first, in {source!r}")
        if tree.op in ("band", "//", "%") and arg.value == 0:
            raise SpecError(f"{tree.op!r} by zero, in {source!r}")
    if tree.op == "band":
        _check_band(tree, source)
    if tree.op == "pad":
        (width,) = (arg.value for arg in tree.args[1:] if isinstance(arg, Literal))
        if not 1 <= int(width) <= MAX_PAD:
            raise SpecError(f"'pad' to a width of {width}; from 1 to {MAX_PAD}, in {source!r}")


def _check_band(tree: Call, source: str) -> None:
    width, top = (int(arg.value) for arg in tree.args[1:] if isinstance(arg, Literal))
    if top % width or top // width > MAX_BANDS:
        raise SpecError(
            f"'band' needs a last band ({top}) that begins at a multiple of the width ({width}), "
            f"and at most {MAX_BANDS} bands below it, in {source!r}"
        )


def check(source: str, columns: Mapping[str, Type], wanted: Type) -> Node:
    """Parse an expression over these columns and check that it gives the wanted type."""

    def column_type(path: tuple[str, ...]) -> Type:
        name = ".".join(path)
        if name not in columns:
            raise SpecError(f"unknown column {name!r} in {source!r}; {nearest(name, columns)}")
        return columns[name]

    tree = parse(source)
    found = type_of(tree, column_type, source)
    if found is not wanted:
        raise SpecError(f"{source!r} gives {found.value}; {wanted.value} is needed")
    return tree
