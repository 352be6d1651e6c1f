"""The numbers behind a margin as their publisher printed them, before a spec adapts them."""

from __future__ import annotations

from synthetic.spec.margins import Margin, read
from synthetic.spec.models import Spec


def as_published(spec: Spec, name: str) -> tuple[Margin, tuple[str, ...]] | None:
    """The margin as its table prints it, and the margins that the spec adapts it to.

    None where it is followed as printed, or where it is put together from several tables.
    """
    wanted = spec.margins[name]
    if wanted.rake is not None:
        start = wanted.rake.start
        if start is None:
            return None
        before = as_published(spec, start)
        printed = _printed(spec, start) if before is None else before[0]
        return (printed, tuple(wanted.rake.to)) if printed is not None else None
    if wanted.rescale is None:
        return None
    printed = _printed(spec, name)
    return None if printed is None else (printed, (wanted.rescale.to,))


def _printed(spec: Spec, name: str) -> Margin | None:
    wanted = spec.margins[name]
    if wanted.rake is not None or wanted.times is not None or wanted.complete is not None:
        return None
    margin = read(name, wanted)
    return margin.over(*(axis for axis in margin.axes if axis not in wanted.sum_over))
