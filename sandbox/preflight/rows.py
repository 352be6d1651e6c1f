"""Rows whose choice or order nothing settles, in SQL that DuckDB's own parser has taken apart."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from sandbox.language import N_, Later
from sandbox.preflight import chance
from sandbox.preflight.finding import Finding, warning

CODE = "no_order"
CHANCE = {"random", "uuid", "gen_random_uuid", "uuidv4", "uuidv7"}
ORDERED = {"first", "last", "string_agg", "group_concat", "listagg"}
NUMBERED = {"row_number", "lag", "lead", "first_value", "last_value", "nth_value", "ntile"}
FIGURES = {"count", "count_star", "sum", "avg", "mean", "median", "min", "max", "stddev", "corr"}
Node = Mapping[str, Any]
Where = Callable[[Node], tuple[int, int | None]]


def nodes(tree: Any) -> Iterator[tuple[Node, bool]]:
    """Give all nodes, each with whether what it selects from comes in order."""
    left = [(tree, False)]
    while left:
        one, is_ordered = left.pop()
        if isinstance(one, list):
            left += [(inner, is_ordered) for inner in one]
        elif isinstance(one, dict):
            if "modifiers" in one:
                is_ordered = _has_order(one) or _from_ordered(one)
            yield one, is_ordered
            left += [(inner, is_ordered) for inner in one.values()]


def judged(node: Node, where: Where, *, is_ordered: bool) -> Iterator[Finding]:
    """Judge one node."""
    for limit in _limits(node) if not is_ordered and not _is_one_row(node) else ():
        why = Later(N_("LIMIT without ORDER BY: which rows are kept may change from run to run"))
        remedy = Later(N_("add ORDER BY with columns that tell all rows apart, before LIMIT"))
        yield warning(CODE, why, remedy, *where(limit))
    sample = node.get("sample")
    if isinstance(sample, dict) and sample.get("seed") == -1:
        why = Later(N_("a sample without a seed takes other rows at each run"))
        remedy = Later(N_("give it a seed, as in USING SAMPLE reservoir(100 ROWS) REPEATABLE (7)"))
        yield warning(chance.CODE, why, remedy, *where(node.get("from_table") or node))
    yield from _function(node, where, is_ordered=is_ordered)


def _function(node: Node, where: Where, *, is_ordered: bool) -> Iterator[Finding]:
    name = str(node.get("function_name", "")).lower()
    if node.get("class") == "FUNCTION" and name in CHANCE:
        words = N_("the SQL function {name}() draws by chance: a second run gives other rows")
        remedy = Later(N_("use a rule that can be repeated, such as hash(id) % 100 < 10"))
        yield warning(chance.CODE, Later(words, {"name": name}), remedy, *where(node))
    if _needs_order(node, name) and not is_ordered:
        words = N_("the SQL function {name}() depends on the order of rows, and none is given")
        remedy = Later(N_("give the order, as in ORDER BY id within the brackets"))
        yield warning(CODE, Later(words, {"name": name}), remedy, *where(node))


def _needs_order(node: Node, name: str) -> bool:
    if node.get("class") == "WINDOW":
        return name in NUMBERED and not node.get("orders") and not node.get("arg_orders")
    is_ordered = bool((node.get("order_bys") or {}).get("orders"))
    return node.get("class") == "FUNCTION" and name in ORDERED and not is_ordered


def _limits(node: Node) -> Iterator[Node]:
    for one in node.get("modifiers") or ():
        if str(one.get("type", "")).startswith("LIMIT"):
            limit = one.get("limit") or {}
            if (limit.get("literal") or {}).get("text") != "0":
                yield limit


def _has_order(node: Node) -> bool:
    return any(one.get("type") == "ORDER_MODIFIER" for one in node.get("modifiers") or ())


def _from_ordered(node: Node) -> bool:
    """Whether a selection reads another one that is ordered; DuckDB keeps that order."""
    source = node.get("from_table") or {}
    inner = ((source.get("subquery") or {}).get("node")) or {}
    return _has_order(inner)


def _is_one_row(node: Node) -> bool:
    """Whether there is but one row to keep: figures over all rows, or no table at all."""
    if (node.get("from_table") or {}).get("type") == "EMPTY":
        return True
    chosen = [one.get("function_name") for one in node.get("select_list") or ()]
    return not node.get("group_expressions") and bool(set(chosen) & FIGURES)
