"""A package's manifest: every file with its size and hash, and whose key signed that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.exports.archive import is_safe
from sandbox.journal.keys import Signer, Verifier
from sandbox.language import _
from synthetic.tables.files import json_bytes

NAME = "manifest.json"
SIGNATURE = "manifest.json.sig"  # 64 bytes: Ed25519 over the bytes of manifest.json
KEY = "signer.pem"
OWN = (NAME, SIGNATURE, KEY)
WHAT = "package of a sandbox run"
FORMAT = 1


@dataclass(frozen=True)
class Problem:
    """What is wrong with a package, and in which of its files."""

    file: str | None
    message: str


def signed(
    run: str, files: Mapping[str, bytes], originals: Mapping[str, bytes], signer: Signer
) -> dict[str, bytes]:
    """Give the files with their manifest, its signature and the public key.

    `originals` are the files that were changed on the way into the package, as they were.
    """
    told = {
        "what": WHAT,
        "format": FORMAT,
        "run": run,
        "signer": signer.verifier.fingerprint,
        "files": [_entry(name, files[name], originals.get(name)) for name in sorted(files)],
    }
    data = json_bytes(told)
    own = {NAME: data, SIGNATURE: signer.sign(data), KEY: signer.verifier.pem}
    return {**files, **own}


def _entry(name: str, data: bytes, original: bytes | None) -> dict[str, Any]:
    entry = {"path": name, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
    if original is not None:
        entry["sha256_before_folders_were_taken_out"] = hashlib.sha256(original).hexdigest()
    return entry


def signer_of(files: Mapping[str, bytes]) -> Verifier | None:
    """Give the key that the package says signed it, if it is one."""
    return Verifier.read(files.get(KEY, b""))


def problems(files: Mapping[str, bytes]) -> Iterator[Problem]:
    """Compare a package's files with its manifest, and that with its signature."""
    missing = [name for name in OWN if name not in files]
    if missing:
        yield from (Problem(name, _("it is missing")) for name in missing)
        return
    verifier = signer_of(files)
    if verifier is None:
        yield Problem(KEY, _("it is not a public key of Ed25519"))
    elif not verifier.holds(files[SIGNATURE], files[NAME]):
        yield Problem(SIGNATURE, _("it does not fit: manifest, signature or key was changed"))
    told = read(files[NAME])
    if told is None:
        yield Problem(NAME, _("it is not a package's manifest"))
        return
    if verifier is not None and told["signer"] != verifier.fingerprint:
        yield Problem(KEY, _("it is not the key that the manifest names"))
    yield from _files(told, files)


def read(data: bytes) -> dict[str, Any] | None:
    """Read a manifest; None if it is none."""
    try:
        told = json.loads(data)
        named = [entry["path"] for entry in told["files"]]
        is_right = (
            (told["what"], told["format"]) == (WHAT, FORMAT)
            and all(isinstance(told[key], str) for key in ("run", "signer"))
            and all(isinstance(name, str) and is_safe(name) for name in named)
            and len({*named, *OWN}) == len(named) + len(OWN)
        )
    except (ValueError, TypeError, KeyError, RecursionError):
        return None
    return told if is_right else None


def _files(told: Mapping[str, Any], files: Mapping[str, bytes]) -> Iterator[Problem]:
    listed = {entry["path"]: entry for entry in told["files"]}
    for name in sorted(listed.keys() - files.keys()):
        yield Problem(name, _("it is missing"))
    for name in sorted(files.keys() - listed.keys() - set(OWN)):
        yield Problem(name, _("it was added: the manifest does not name it"))
    for name in sorted(listed.keys() & files.keys()):
        if hashlib.sha256(files[name]).hexdigest() != listed[name].get("sha256"):
            yield Problem(name, _("it was changed: its hash is not the one in the manifest"))
