"""Can a rule be true in any row? What the columns may hold is narrowed by what the rule asks.

Only what is plain is found: a column compared with written values, joined by `and`, `or` and `not`.
A rule that passes may still be broken by rows, which `synthetic verify` tells; a rule that does not
pass is true in no row at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from synthetic.errors import SpecError
from synthetic.spec.expressions import Call, Literal, Name, Node
from synthetic.spec.models import ColumnSpec
from synthetic.spec.scope import codes_of

_TURNED = {"<": ">", ">": "<", "<=": ">=", ">=": "<=", "==": "==", "!=": "!="}
_DENIED = {"<": ">=", ">": "<=", "<=": ">", ">=": "<", "==": "!=", "!=": "=="}


@dataclass(frozen=True)
class _May:
    """What a column may hold: codes, or whole numbers from `low` to `high`; None: anything."""

    codes: frozenset[str] | None = None
    low: int | None = None
    high: int | None = None

    @property
    def is_nothing(self) -> bool:
        if self.codes is not None:
            return not self.codes
        return self.low is not None and self.high is not None and self.low > self.high


_State = Mapping[tuple[str, ...], _May]


def check_possible(tree: Node, source: str, columns: Mapping[tuple[str, ...], ColumnSpec]) -> None:
    """Refuse a rule that is true in no row; `columns` are those that it names, by path."""
    for path, value in _compared(tree):
        codes = codes_of(columns[path]) if path in columns else None
        if codes is not None and value not in codes:
            shown = ", ".join(codes[:10])
            raise SpecError(
                f"{value!r} is no code of {'.'.join(path)!r}, in {source!r}; its codes: {shown}"
            )
    state = {path: _held(column) for path, column in columns.items()}
    if _narrow(tree, state, True) is None:
        raise SpecError(
            f"{source!r} is true in no row; what it asks of a column cannot be together, or lies "
            "outside of what the column holds"
        )


def _held(column: ColumnSpec) -> _May:
    codes = codes_of(column)
    if codes is not None:
        return _May(codes=frozenset(codes))
    knots = {} if column.assume is None else column.assume.knots()
    if not knots:
        return _May()
    return _May(low=min(k[0] for k in knots.values()), high=max(k[-1] for k in knots.values()))


def _compared(tree: Node) -> list[tuple[tuple[str, ...], str]]:
    """Columns that are compared with written texts."""
    if not isinstance(tree, Call):
        return []
    found = [pair for arg in tree.args for pair in _compared(arg)]
    if tree.op in ("==", "!=", "in"):
        paths = [arg.path for arg in tree.args if isinstance(arg, Name)]
        texts = [a.value for a in tree.args if isinstance(a, Literal) and isinstance(a.value, str)]
        found += [(path, text) for path in paths for text in texts]
    return found


def _narrow(tree: Node, state: _State, wanted: bool) -> _State | None:
    """What the columns may hold where the tree is as wanted; None if it never is.

    A value that is missing makes a rule unknown, which breaks none: it is not asked about.
    """
    if not isinstance(tree, Call):
        return state
    if tree.op == "not":
        return _narrow(tree.args[0], state, not wanted)
    if tree.op in ("and", "or"):
        left, right = tree.args
        if (tree.op == "and") is wanted:  # both
            first = _narrow(left, state, wanted)
            return None if first is None else _narrow(right, first, wanted)
        either = [_narrow(side, state, wanted) for side in tree.args]
        found = [one for one in either if one is not None]
        if not found:
            return None
        return found[0] if len(found) == 1 else state
    if tree.op == "in" and isinstance(tree.args[0], Name):
        return _among(tree.args[0].path, tree.args[1:], state, wanted)
    if tree.op in _TURNED:
        return _compare(tree, state, wanted)
    return state


def _among(
    path: tuple[str, ...], listed: tuple[Node, ...], state: _State, wanted: bool
) -> _State | None:
    held = state.get(path, _May())
    values = [arg.value for arg in listed if isinstance(arg, Literal)]
    texts = frozenset(value for value in values if isinstance(value, str))
    numbers = [value for value in values if isinstance(value, int)]
    if held.codes is not None:
        kept = held.codes & texts if wanted else held.codes - texts
        return _with(state, path, replace(held, codes=kept))
    if not wanted or not numbers:
        return state
    narrowed = _between(held, min(numbers), max(numbers))
    return _with(state, path, narrowed)


def _compare(tree: Call, state: _State, wanted: bool) -> _State | None:
    op, (left, right) = tree.op, tree.args
    if isinstance(left, Literal) and isinstance(right, Name):
        op, left, right = _TURNED[op], right, left
    if not wanted:
        op = _DENIED[op]
    if isinstance(left, Literal) and isinstance(right, Literal):
        return state if _holds(op, left.value, right.value) else None
    if not (isinstance(left, Name) and isinstance(right, Literal)):
        return state
    held, value = state.get(left.path, _May()), right.value
    if isinstance(value, str):
        if op == "==" and held.codes is None:
            return _with(state, left.path, _May(codes=frozenset([value])))
        if held.codes is None:
            return state
        kept = held.codes & {value} if op == "==" else held.codes - {value}
        return _with(state, left.path, replace(held, codes=kept))
    bounds: dict[str, tuple[int | None, int | None]] = {
        "==": (value, value),
        "<": (None, value - 1),
        "<=": (None, value),
        ">": (value + 1, None),
        ">=": (value, None),
        "!=": (None, None),
    }
    if op == "!=" and held.low == held.high == value:
        return None
    return _with(state, left.path, _between(held, *bounds[op]))


def _holds(op: str, left: int | str, right: int | str) -> bool:
    if op in ("==", "!="):
        return (left == right) is (op == "==")
    if isinstance(left, str) or isinstance(right, str):
        return True
    return {"<": left < right, "<=": left <= right, ">": left > right, ">=": left >= right}[op]


def _between(held: _May, low: int | None, high: int | None) -> _May:
    lows = [bound for bound in (held.low, low) if bound is not None]
    highs = [bound for bound in (held.high, high) if bound is not None]
    return replace(held, low=max(lows, default=None), high=min(highs, default=None))


def _with(state: _State, path: tuple[str, ...], held: _May) -> _State | None:
    return None if held.is_nothing else {**state, path: held}
