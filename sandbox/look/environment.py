"""One Jinja environment for every page: escaping, strict names, strings of the spoken language."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, pass_context
from jinja2.runtime import Context

from sandbox import language
from sandbox.look import formats
from sandbox.look.kinds import KINDS, kind, sign
from sandbox.retold import retold

HERE = Path(__file__).resolve().parent
STATIC = HERE / "static"  # `sandbox.css` and `icon.svg`, to be served as they are

FILTERS: dict[str, Callable[..., str]] = {
    "number": formats.number,
    "percent": formats.percent,
    "moment": formats.moment,
    "when": formats.when,
    "day": formats.day,
    "seconds": formats.seconds,
    "size": formats.size,
    "spoken": formats.spoken,
    "either": formats.spoken,
    "retold": retold,
    "kind": kind,
    "sign": sign,
}


def environment(*folders: Path, static: str = "/static") -> Environment:
    """Give an environment that finds templates in these folders, then among the shared ones.

    `static` is the address under which the caller serves `STATIC`. Strings marked with `_` and
    `{% trans %}` are looked up at each rendering, in the language that is spoken then. They are
    Jinja's new style: values come as keywords, `_("cell %(n)s", n=3)`, and a percent sign in a
    call of `_` is written twice.
    """
    made = Environment(
        loader=FileSystemLoader([*folders, HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    made.install_gettext_callables(  # type: ignore[attr-defined] # comes with the extension
        language._, language.ngettext, newstyle=True
    )
    made.filters.update({name: _at_rendering(what) for name, what in FILTERS.items()})
    made.globals.update(static=static, language=language.language, kinds=KINDS)
    return made


def _at_rendering(work: Callable[..., str]) -> Callable[..., str]:
    """Keep Jinja from working a filter over a constant out once, in the language of that moment."""

    @pass_context
    def filtered(context: Context, *given: Any, **named: Any) -> str:
        return work(*given, **named)

    return filtered
