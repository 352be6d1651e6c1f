"""Specs from TOML files: read, parsed, and every fault told with file, key, value and remedy."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, TypeVar, get_args, get_origin

from pydantic import BaseModel, ValidationError

from synthetic.errors import SpecError, nearest
from synthetic.spec.models import Spec

M = TypeVar("M", bound=BaseModel)

MAX_BYTES = 1_000_000  # a spec is written by hand; a larger file is something else
MAX_KEYS = 16  # keys joined by dots; the parser's time grows with the square of their number
_BRANCH = re.compile(r"\[key\]$|(?:function-[a-z]+|dict|tuple|constrained-[a-z]+)\[")
_MANY_KEYS = re.compile(
    rf"""(?<![\w-])(?:(?:[\w-]+|"[^"\n]*"|'[^'\n]*')[ \t]*\.[ \t]*){{{MAX_KEYS},}}"""
)


def packaged_folder() -> Path:
    """The folder of the specs that travel with the package."""
    return Path(__file__).parent.parent / "specs"


def packaged() -> dict[str, Path]:
    """The packaged datasets and their spec files."""
    return {path.stem: path for path in sorted(packaged_folder().glob("*.toml"))}


def load(path: str | Path) -> Spec:
    """Read one spec file, or raise `SpecError` that names what is wrong and where."""
    path = Path(path)
    try:
        text = text_of(path)
    except FileNotFoundError:
        raise SpecError(
            f"{path}: no such spec file; packaged datasets: {', '.join(packaged())}"
        ) from None
    return parse(text, path.name)


def text_of(path: Path) -> str:
    """Read the text of a file that a person wrote, or raise `SpecError`, unless it is not there."""
    try:
        size = path.stat().st_size
        if size > MAX_BYTES:
            raise SpecError(
                f"{path}: {size} bytes, larger than {MAX_BYTES} bytes; a spec is written by hand: "
                "split it into datasets that use each other, or shorten its lists"
            )
        return path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error


def parse(text: str, file: str) -> Spec:
    """Parse the text of a dataset's spec; `file` names it in messages."""
    return parse_as(Spec, text, file)


def parse_as(model: type[M], text: str, file: str) -> M:
    """Parse TOML into this model, with every fault told by file, key, value and remedy."""
    deep = _MANY_KEYS.search(text)
    if deep is not None:
        line = text.count("\n", 0, deep.start()) + 1
        raise SpecError(f"{file}: line {line}: more than {MAX_KEYS} keys joined by dots")
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SpecError(f"{file}: not valid TOML: {what}") from None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise SpecError(_explain(error, file, model)) from None
    except RecursionError:
        raise SpecError(f"{file}: nested too deeply") from None


def known(folders: Iterable[Path] = ()) -> dict[str, Path]:
    """The packaged datasets and those of these folders, with their spec files.

    A file `<dataset>.toml` of a folder may not bear a packaged dataset's name, nor that of another
    folder's file: nobody could tell which of the two a replica came from.
    """
    files = dict(packaged())
    for folder in folders:
        if not folder.is_dir():
            raise SpecError(f"{folder}: not a folder of specs")
        for path in sorted(folder.glob("*.toml")):
            there = files.setdefault(path.stem, path)
            if there.resolve() != path.resolve():
                whose = "a packaged dataset" if path.stem in packaged() else str(there)
                raise SpecError(
                    f"{path}: dataset = {path.stem!r} has the name of {whose}; give the file and "
                    "its dataset another name"
                )
    return files


def load_all(datasets: Iterable[str], folders: Iterable[Path] = ()) -> dict[str, Spec]:
    """Read these datasets and all that they use, used ones first.

    They are packaged ones, or spec files `<dataset>.toml` of one of `folders`.
    """
    files = known(folders)
    found: dict[str, Spec] = {}
    for dataset in datasets:
        _collect(dataset, files, found, ())
    return found


def _collect(
    dataset: str, files: Mapping[str, Path], found: dict[str, Spec], above: tuple[str, ...]
) -> None:
    where = f"{files[above[-1]].name}: uses: " if above else ""
    if dataset in above:
        circle = " -> ".join((*above[above.index(dataset) :], dataset))
        raise SpecError(f"{where}datasets use each other in a circle: {circle}")
    if dataset in found:
        return
    if dataset not in files:
        remedy = "" if not above else "; put its spec into a folder and name it by --specs"
        raise SpecError(f"{where}unknown dataset {dataset!r}; {nearest(dataset, files)}{remedy}")
    spec = load(files[dataset])
    if spec.dataset != dataset:
        raise SpecError(
            f"{files[dataset].name}: dataset = {spec.dataset!r} does not match the file's name; "
            f"name the file {spec.dataset}.toml"
        )
    for other in spec.uses:
        _collect(other, files, found, (*above, dataset))
    found[dataset] = spec


def digest(spec: Spec) -> str:
    """Return a hash of what a spec says, whatever its layout."""
    canonical = json.dumps(
        spec.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False, sort_keys=True
    )
    return hashlib.sha256(canonical.encode()).hexdigest()


def _explain(error: ValidationError, file: str, model: type[BaseModel]) -> str:
    faults = [dict(fault) for fault in error.errors(include_url=False)]
    telling = [fault for fault in faults if not _is_other_form(fault, faults)]
    return "\n".join([_explain_one(fault, file, model) for fault in telling][:20])


def _is_other_form(fault: dict[str, Any], faults: list[dict[str, Any]]) -> bool:
    """Whether a fault only says that a value is not in a form that it need not have.

    A share may be a number or a table of numbers: of a wrong number it is no news that it is no
    table.
    """
    here = _keys(fault)
    return fault["type"].endswith("_type") and any(
        not other["type"].endswith("_type") and _keys(other)[: len(here)] == here
        for other in faults
    )


def _keys(fault: dict[str, Any]) -> list[str]:
    """Where a fault stands: pydantic adds names of union branches and "[key]" to the keys."""
    return [str(part) for part in fault["loc"] if not _BRANCH.match(str(part))]


def _explain_one(fault: dict[str, Any], file: str, model: type[BaseModel]) -> str:
    keys = _keys(fault)
    where = ".".join(keys) or "the file"
    kind, message = fault["type"], fault["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        known = _fields(model, fault["loc"][:-1])
        return f"{file}: {where}: unknown key; {nearest(keys[-1], known)}"
    if kind == "missing":
        return f"{file}: {where}: missing; add it"
    value = repr(fault.get("input"))
    shown = value if len(value) <= 80 else value[:77] + "..."
    return f"{file}: {where} = {shown}: {message}"


def _fields(model: type[BaseModel], path: Iterable[Any]) -> set[str]:
    """The keys that the model at this path of another knows."""
    here: Any = model
    for part in path:
        if _is_model(here):
            field = here.model_fields.get(str(part))
            here = None if field is None else _not_none(field.annotation)
        else:  # a dictionary or a tuple of models: its key or index
            here = (get_args(here) or (None,))[0 if get_origin(here) is tuple else -1]
    return set(here.model_fields) if _is_model(here) else set()


def _is_model(thing: Any) -> bool:
    return isinstance(thing, type) and issubclass(thing, BaseModel)


def _not_none(annotation: Any) -> Any:
    """Look through `X | None`."""
    if get_origin(annotation) is not UnionType:
        return annotation
    return next(a for a in get_args(annotation) if a is not type(None))
