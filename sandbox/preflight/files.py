"""Files that are on the author's machine and not in a run's: absolute paths, files of the folder."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import PurePath

from sandbox.lab.files import READERS
from sandbox.language import N_, Later
from sandbox.preflight.calls import HOLE, Call, Code
from sandbox.preflight.cells import SYSTEM
from sandbox.preflight.finding import Finding, error, warning
from sandbox.preflight.places import (
    LOOKS,
    MACHINE,
    SCRATCH,
    is_absolute,
    is_address,
    reads,
    writes,
)

ABSOLUTE = "absolute_path"
UNDECLARED = "undeclared_file"
SHELLS = {SYSTEM, "bash", "sh", "script", "run"}
MAKES = re.compile(
    r">|\.py\b|\b(?:cp|mv|ln|touch|tee|split|unzip|tar|gunzip|mkdir|dd|sed|python3?)\b"
)
NUMPY = re.compile(r"\.np[yz]$")  # endings that NumPy adds by itself
WILD = re.compile(r"[*?\[]")
SHOWN = 60  # characters of a path in a message
# Functions to which a text is words for a reader, not a place.
SPEAKS = {"print", "display", "repr", "len", "ValueError", "RuntimeError", "Exception"}
SPEAKS |= {f"IPython.display.{name}" for name in ("Markdown", "HTML", "display", "Latex")}
SPEAKS |= {f".{name}" for name in ("result", "conclude", "split", "join", "replace", "startswith")}
SPEAKS |= {f".{name}" for name in ("endswith", "strip", "info", "warning", "set_title", "format")}
ATTACH = Later(
    N_(
        "a CSV, Parquet or Excel file travels when it lies beside the notebook and is read through "
        'lab.attachment("name.csv"); a table of the sandbox is read through lab'
    )
)


@dataclass(frozen=True, kw_only=True)
class Written:
    """The files that a notebook writes itself."""

    names: frozenset[str]
    is_unsure: bool  # some name is known only to the run

    def holds(self, text: str) -> bool:
        """Whether a file is written, the folder that it lies in, or a file of this folder."""
        name = plain(NUMPY.sub("", WILD.split(text)[0]))
        is_wild = WILD.search(text) is not None
        return any(
            name == one
            or name.startswith(f"{one}/")
            or one.startswith(name if is_wild else f"{name}/")
            for one in self.names
        )


def written(code: Code, copied: Iterable[str] = ()) -> Written:
    """Collect what the cells write; `copied` is what their SQL does."""
    texts: list[str | None] = list(copied)
    for call in code.calls:
        if (target := writes(call)) is not None:
            texts.append(code.text(target))
    for cell in code.cells:
        for magic in cell.magics:
            if magic.name == "writefile":
                texts.append(magic.line.split()[-1] if magic.line else None)
            elif magic.name in SHELLS and MAKES.search(f"{magic.line}\n{magic.body or ''}"):
                texts.append(None)
    known = {plain(NUMPY.sub("", text)) for text in texts if text and HOLE not in text}
    return Written(names=frozenset(known), is_unsure=any(not t or HOLE in t for t in texts))


def plain(text: str) -> str:
    """Write a path without `./` in front and `/` behind."""
    return text.removeprefix("./").rstrip("/")


def check(code: Code, given: Written, beside: Collection[str]) -> Iterator[Finding]:
    """Find places that a run does not have; `beside` are the names in the notebook's folder."""
    for call in code.calls:
        target, source = writes(call), reads(call)
        if target is not None:
            yield from _written(call, code.text(target))
        if source is not None:
            yield from _read(call, code.text(source), given, beside)
        if target is None and source is None:
            yield from _given(call, code)


def judged(
    text: str, place: tuple[int, int | None], given: Written, beside: Collection[str]
) -> Iterator[Finding]:
    """Judge the relative path of a file that is read."""
    if HOLE in text or plain(text) in {"", "."} or given.holds(text):
        return
    values = {"path": shown(text)}
    if given.is_unsure:
        why = N_("no cell is seen to write the file {path}, and files of your folder do not travel")
        yield warning(UNDECLARED, Later(why, values), ATTACH, *place)
    elif plain(text).partition("/")[0] in beside:
        why = N_("the file {path} lies in your folder and does not travel with the notebook")
        yield error(UNDECLARED, Later(why, values), _instead(plain(text)), *place)
    else:
        why = N_("a run does not have the file {path}: only the notebook and the sandbox’s data")
        yield error(UNDECLARED, Later(why, values), ATTACH, *place)


def _instead(name: str) -> Later:
    """Say what to write, where the file is one that can travel."""
    if PurePath(name).suffix.lower() not in READERS or "/" in name:
        return ATTACH
    words = N_("write lab.attachment({name}) in place of {name}: the file then travels with it")
    return Later(words, {"name": f'"{name}"'})


def shown(text: str) -> str:
    """Write a path for a message."""
    text = text.replace(HOLE, "…")
    return repr(text if len(text) <= SHOWN else f"{text[:SHOWN]}…")


def _read(
    call: Call, text: str | None, given: Written, beside: Collection[str]
) -> Iterator[Finding]:
    if not text or is_address(text) or "\n" in text or given.holds(text):
        return
    if call.is_tried:
        return
    if is_absolute(text):
        yield from absolute(text, call.place, given)
    else:
        yield from judged(text, call.place, given, beside)


def absolute(text: str, place: tuple[int, int | None], given: Written) -> Iterator[Finding]:
    """Judge a place that is certainly read, unless the notebook wrote it."""
    values = {"path": shown(text)}
    if given.holds(text):
        return
    if MACHINE.match(text):
        why = N_(
            "the path {path} belongs to the machine: the result depends on where the notebook runs"
        )
        yield warning(ABSOLUTE, Later(why, values), ATTACH, *place)
    elif text.startswith("/sandbox/"):
        why = N_("the path {path} is where data lie today, which is no promise")
        remedy = Later(N_("read the table by its name through lab"))
        yield warning(ABSOLUTE, Later(why, values), remedy, *place)
    else:
        why = N_("the path {path} is a place on your own machine; a run does not have it")
        yield error(ABSOLUTE, Later(why, values), ATTACH, *place)


def _written(call: Call, text: str | None) -> Iterator[Finding]:
    if text and is_absolute(text) and not (SCRATCH.match(text) or text.startswith("/dev/")):
        why = N_("the path {path} cannot be written: a run has a folder of its own")
        remedy = N_("write the name alone, as in {name}")
        name = repr(text.replace("\\", "/").rstrip("/").rpartition("/")[2])
        told = Later(why, {"path": shown(text)}), Later(remedy, {"name": name})
        yield error(ABSOLUTE, *told, *call.place)


def _given(call: Call, code: Code) -> Iterator[Finding]:
    """Judge texts given to any other call, if they look like a place and like nothing else."""
    if call.name in SPEAKS or call.name.startswith("re."):
        return
    for given in (*call.node.args, *(one.value for one in call.node.keywords)):
        text = code.text(given) if isinstance(given, ast.Constant | ast.Name) else None
        if text and "\n" not in text and LOOKS.match(text):
            why = N_(
                "the text {path} looks like a place on your own machine; a run does not have it"
            )
            remedy = Later(
                N_("use the names of the notebook’s own folder, without / or ~ in front")
            )
            yield warning(ABSOLUTE, Later(why, {"path": shown(text)}), remedy, *call.place)
