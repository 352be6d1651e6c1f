"""Specs from TOML files: read, parsed, and every fault told with file, key, value and remedy."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

from pydantic import BaseModel, ValidationError

from synthetic.errors import SpecError, nearest
from synthetic.spec.models import Spec

MAX_BYTES = 1_000_000  # a spec is written by hand; a larger file is something else


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
        if path.stat().st_size > MAX_BYTES:
            raise SpecError(f"{path}: larger than {MAX_BYTES} bytes; a spec is written by hand")
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise SpecError(
            f"{path}: no such spec file; packaged datasets: {', '.join(packaged())}"
        ) from None
    except UnicodeDecodeError as error:
        raise SpecError(f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8") from error
    except OSError as error:
        raise SpecError(f"{path}: cannot be read: {error.strerror}") from error
    return parse(text, path.name)


def parse(text: str, file: str) -> Spec:
    """Parse the text of a spec; `file` names it in messages."""
    try:
        data = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError, ValueError) as error:
        what = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        raise SpecError(f"{file}: not valid TOML: {what}") from None
    try:
        return Spec.model_validate(data)
    except ValidationError as error:
        raise SpecError(_explain(error, file)) from None
    except RecursionError:
        raise SpecError(f"{file}: nested too deeply") from None


def load_all(datasets: Iterable[str], folders: Iterable[Path] = ()) -> dict[str, Spec]:
    """Read these datasets and all that they use, used ones first.

    A spec file `<dataset>.toml` in one of `folders` goes before a packaged one of that name.
    """
    files = dict(packaged())
    for folder in folders:
        if not folder.is_dir():
            raise SpecError(f"{folder}: not a folder of specs")
        files.update({path.stem: path for path in sorted(folder.glob("*.toml"))})
    found: dict[str, Spec] = {}
    for dataset in datasets:
        _collect(dataset, files, found, ())
    return found


def _collect(
    dataset: str, files: Mapping[str, Path], found: dict[str, Spec], above: tuple[str, ...]
) -> None:
    if dataset in above:
        raise SpecError(f"datasets use each other in a circle: {' -> '.join((*above, dataset))}")
    if dataset in found:
        return
    if dataset not in files:
        raise SpecError(f"unknown dataset {dataset!r}; {nearest(dataset, files)}")
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


def _explain(error: ValidationError, file: str) -> str:
    lines = [_explain_one(dict(fault), file) for fault in error.errors(include_url=False)]
    return "\n".join(lines[:20])


def _explain_one(fault: dict[str, Any], file: str) -> str:
    # pydantic puts names of union branches and "[key]" in the path; a reader needs only the keys.
    keys = [str(part) for part in fault["loc"] if part != "[key]"]
    where = ".".join(keys) or "the file"
    kind, message = fault["type"], fault["msg"].removeprefix("Value error, ")
    if kind == "extra_forbidden":
        return f"{file}: {where}: unknown key; {nearest(keys[-1], _fields(fault['loc'][:-1]))}"
    if kind == "missing":
        return f"{file}: {where}: missing; add it"
    value = repr(fault.get("input"))
    shown = value if len(value) <= 80 else value[:77] + "..."
    return f"{file}: {where} = {shown}: {message}"


def _fields(path: Iterable[Any]) -> set[str]:
    """The keys that the model at this path of a spec knows."""
    here: Any = Spec
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
