"""Margins: published numbers by category, read exactly as a spec asks.

A margin keeps fractions, so that nothing is lost between the publisher's decimals and the whole
numbers that a build deals out.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import replace
from fractions import Fraction

from synthetic import statistics
from synthetic.errors import SpecError, SyntheticError, nearest
from synthetic.spec import frozen
from synthetic.spec.margin import Cell, Margin
from synthetic.spec.models import MarginSpec, Spec, Weigh, key_of
from synthetic.spec.raking import rake

__all__ = ["Cell", "Margin", "computed", "resolve"]


def resolve(spec: Spec, file: str = "") -> dict[str, Margin]:
    """The margins of a spec: the frozen ones where these are packaged, else computed."""
    kept = frozen.path(spec)
    if kept is not None and kept.is_file():
        return frozen.read(kept)
    return computed(spec, file)


def computed(spec: Spec, file: str = "") -> dict[str, Margin]:
    """Read all margins of a spec, or raise `SpecError` naming file, margin and cell."""
    done: dict[str, Margin] = {}
    for name in spec.margins:
        _resolve(spec, name, done, (), file or f"{spec.dataset}.toml")
    return done


def _resolve(
    spec: Spec, name: str, done: dict[str, Margin], above: tuple[str, ...], file: str
) -> Margin:
    where = f"{file}: margins.{name}"
    if name in above:
        raise SpecError(f"{where}: margins need each other in a circle: {' -> '.join(above)}")
    if name not in spec.margins:
        raise SpecError(
            f"{file}: margins.{above[-1]}: unknown margin {name!r}; {nearest(name, spec.margins)}"
        )
    if name in done:
        return done[name]
    wanted = spec.margins[name]

    def other(which: str) -> Margin:
        return _resolve(spec, which, done, (*above, name), file)

    try:
        if wanted.rake is not None:
            start = None if wanted.rake.start is None else other(wanted.rake.start)
            targets = [other(which) for which in wanted.rake.to]
            done[name] = rake(name, wanted, targets, start, Fraction(wanted.rake.tolerance))
            return done[name]
        margin = read(name, wanted)
        if wanted.times is not None:
            margin = _times(margin, other(wanted.times))
        if wanted.weigh is not None:
            margin = _weigh(margin, wanted.weigh)
        if wanted.complete is not None:
            total = wanted.complete.total
            whole = Fraction(total) if isinstance(total, int) else other(total).total
            if wanted.complete.share_by is not None:
                margin = _complete(margin, whole, other(wanted.complete.share_by))
            else:
                margin = _with_rest(margin, whole, str(wanted.complete.rest))
        for axis in wanted.sum_over:
            margin.at(axis)
        if wanted.sum_over:
            margin = margin.over(*(axis for axis in margin.axes if axis not in wanted.sum_over))
        if wanted.rescale is not None:
            margin = _rescale(margin, other(wanted.rescale.to), wanted.rescale.over)
    except SyntheticError as error:
        if str(error).startswith(file):  # another margin's, told already
            raise
        raise SpecError(f"{where}: {error}") from None
    done[name] = margin
    return margin


def read(name: str, wanted: MarginSpec) -> Margin:
    header = statistics.header(wanted.table)
    used = [
        *wanted.where,
        *wanted.axes.values(),
        *(wanted.wide.columns.values() if wanted.wide else ()),
    ]
    for column in used + ([wanted.value] if wanted.value else []):
        if column not in header:
            raise SpecError(f"{wanted.table} has no column {column!r}; {nearest(column, header)}")
    maps = {axis: _mapping(*path) for axis, path in wanted.through.items()}
    axes = (*wanted.axes, *((wanted.wide.axis,) if wanted.wide else ()))
    for axis in (*wanted.rename, *wanted.keep, *wanted.through):
        if axis not in axes:
            raise SpecError(f"no axis {axis!r}; this margin has {', '.join(axes) or 'none'}")
    allowed = {k: {v} if isinstance(v, str) else set(v) for k, v in wanted.where.items()}
    cells: dict[Cell, Fraction] = {}
    n_rows: Counter[Cell] = Counter()
    for row in statistics.rows(wanted.table):
        if not all(row[column] in values for column, values in allowed.items()):
            continue
        key = tuple(
            _category(wanted, axis, row[column], maps) for axis, column in wanted.axes.items()
        )
        for cell, text in _entries(wanted, row, key):
            value = _number(text, wanted, cell) * wanted.multiply
            cells[cell] = cells.get(cell, Fraction(0)) + value
            n_rows[cell] += 1
    cells = _kept(wanted, axes, cells)
    _check_met_once(wanted, {cell: n_rows[cell] for cell in cells})
    if not cells:
        raise SpecError(f"no row of {wanted.table} fits where = {dict(wanted.where)}")
    return Margin(name, wanted.table, wanted.unit, axes, cells)


def _check_met_once(wanted: MarginSpec, n_rows: Mapping[Cell, int]) -> None:
    """Refuse sums that nobody asked for: five years in one cell would be five times the people."""
    for cell, n in n_rows.items():
        if n > 1 and not wanted.add_up:
            raise SpecError(
                f"{n} rows of {wanted.table} meet {' x '.join(cell) or 'the only cell'}; "
                "narrow 'where' or set add_up = true"
            )


def _entries(wanted: MarginSpec, row: Mapping[str, str], key: Cell) -> list[tuple[Cell, str]]:
    if wanted.wide is None:
        return [(key, row[str(wanted.value)])]
    return [((*key, category), row[column]) for category, column in wanted.wide.columns.items()]


def _category(
    wanted: MarginSpec, axis: str, published: str, maps: Mapping[str, Mapping[str, str]]
) -> str:
    category = wanted.rename.get(axis, {}).get(published, published)
    if axis in maps:
        if category not in maps[axis]:
            table, column, _ = wanted.through[axis]
            raise SpecError(f"{axis} = {category!r} is not in {table}.{column}")
        category = maps[axis][category]
    return category


def _mapping(table: str, key: str, value: str) -> dict[str, str]:
    header = statistics.header(table)
    for column in (key, value):
        if column not in header:
            raise SpecError(f"{table} has no column {column!r}; {nearest(column, header)}")
    return {row[key]: row[value] for row in statistics.rows(table)}


def _number(text: str, wanted: MarginSpec, cell: Cell) -> Fraction:
    try:
        value = Fraction(text)
    except ValueError:
        raise SpecError(f"{wanted.table}: {' x '.join(cell)} is {text!r}, not a number") from None
    if value < 0:
        raise SpecError(f"{wanted.table}: {' x '.join(cell)} is {text}, below zero")
    return value


def _kept(
    wanted: MarginSpec, axes: tuple[str, ...], cells: dict[Cell, Fraction]
) -> dict[Cell, Fraction]:
    for axis, kept in wanted.keep.items():
        at = axes.index(axis)
        missing = set(kept) - {cell[at] for cell in cells}
        if missing:
            raise SpecError(f"{wanted.table} gives no {axis} = {sorted(missing)}")
        order = {category: i for i, category in enumerate(kept)}
        chosen = [(cell, value) for cell, value in cells.items() if cell[at] in order]
        cells = dict(sorted(chosen, key=lambda entry: order[entry[0][at]]))
    return cells


def _times(margin: Margin, factor: Margin) -> Margin:
    factor = factor.over(*margin.axes)
    missing = set(margin.cells) - set(factor.cells)
    if missing:
        raise SpecError(f"margin {factor.name!r} lacks {sorted(missing)[:3]}")
    cells = {cell: value * factor.cells[cell] for cell, value in margin.cells.items()}
    return replace(margin, cells=cells)


def _weigh(margin: Margin, weigh: Weigh) -> Margin:
    at = [margin.at(axis) for axis in weigh.by]
    cells = {}
    for cell, value in margin.cells.items():
        codes = tuple(cell[i] for i in at)
        key = key_of(codes, weigh.weights)
        if key is None:
            raise SpecError(f"weigh gives nothing for {'|'.join(codes)!r}; add it, or '*'")
        cells[cell] = value * weigh.weights[key]
    return replace(margin, cells=cells, published=False)


def _left(margin: Margin, total: Fraction) -> Fraction:
    rest = total - margin.total
    if rest < 0:
        raise SpecError(
            f"the published cells add up to {float(margin.total):g}, more than the total "
            f"{float(total):g} by {float(-rest):g}"
        )
    return rest


def _with_rest(margin: Margin, total: Fraction, name: str) -> Margin:
    """Add what is left of the total as a category of its own: it follows from what is published."""
    if len(margin.axes) != 1 or (name,) in margin.cells:
        raise SpecError(f"complete.rest = {name!r} needs a margin with one axis that lacks it")
    return replace(margin, cells={**margin.cells, (name,): _left(margin, total)})


def _complete(margin: Margin, total: Fraction, share: Margin) -> Margin:
    """Keep the published cells; share what is left of the total among the cells of `share`."""
    at = [share.at(axis) for axis in margin.axes]
    rest = _left(margin, total)
    known = {cell: tuple(cell[i] for i in at) for cell in share.cells}
    if len(set(known.values())) != len(known) or not set(margin.cells) <= set(known.values()):
        raise SpecError(f"and margin {share.name!r} do not share their categories")
    divisor = sum((v for c, v in share.cells.items() if known[c] not in margin.cells), Fraction(0))
    cells = {
        cell: margin.cells.get(known[cell], rest * value / divisor if divisor else Fraction(0))
        for cell, value in share.cells.items()
    }
    return replace(margin, axes=share.axes, cells=cells, published=False)


def _rescale(margin: Margin, to: Margin, over: tuple[str, ...]) -> Margin:
    have, want = margin.over(*over), to.over(*over)
    at = [margin.axes.index(axis) for axis in over]
    if set(have.cells) != set(want.cells):
        odd = sorted(set(have.cells) ^ set(want.cells))[:3]
        raise SpecError(f"and margin {to.name!r} do not share all categories: {odd}")
    cells = {}
    for cell, value in margin.cells.items():
        key = tuple(cell[i] for i in at)
        if have.cells[key] == 0 and want.cells[key] != 0:
            raise SpecError(f"{key} is zero here and not in margin {to.name!r}")
        cells[cell] = value * want.cells[key] / have.cells[key] if have.cells[key] else value
    return replace(margin, cells=cells, published=margin.published and to.published)
