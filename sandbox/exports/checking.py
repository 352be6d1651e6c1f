"""Check a package: is every byte as it was when it was signed, and whose key signed it?

A signature says that nothing was changed since the owner of a key signed. It does not say that what
they signed is true: for that the package is executed again (`rerun`).
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sandbox.errors import PackageError, SigningError
from sandbox.exports import archive, contents, manifest, shape
from sandbox.exports.manifest import Problem
from sandbox.journal import keys
from sandbox.journal.keys import Verifier
from sandbox.journal.line import Line
from sandbox.language import _
from sandbox.runs.record import claims
from sandbox.runs.texts import fit
from sandbox.settings import Settings

LONGEST = 200  # characters that are told of a text in a package


class Trust(StrEnum):
    """How the key that signed is known."""

    OWN = "own"  # it is this installation's
    NAMED = "named"  # the person who checks named it
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True, eq=False)
class Verified:
    """A package after a check."""

    problems: tuple[Problem, ...]
    files: Mapping[str, bytes]
    signer: Verifier | None
    trust: Trust

    @property
    def is_whole(self) -> bool:
        """Whether nothing was changed since it was signed."""
        return not self.problems

    def read(self, name: str) -> dict[str, Any]:
        """Read one of its JSON files; only of a package that is whole."""
        told = json.loads(self.files[name])
        assert isinstance(told, dict)
        return told

    def summary(self) -> dict[str, Any]:
        """Say what a whole package is of: the run, how it ended, whose it is, what it shows."""
        told, record = self.read(contents.SUBMISSION), self.read(contents.RECORD)
        return {
            "run": told["id"],
            "status": record["status"],
            "author": fit(told["author"], longest=LONGEST),
            "team": fit(told["team"] or "", longest=LONGEST) or None,
            "submitted_at": fit(told["submitted_at"], longest=LONGEST),
            "runner": fit(record["runner"]["kind"], longest=LONGEST),
            "verdicts": shape.verdicts(self.files),
        }


def verify(settings: Settings, path: Path, *, key: str | None = None) -> Verified:
    """Check every hash, the signature and every byte between; `key` names who should have signed.

    Raises
    ------
    PackageError
        If the file cannot be read.
    SigningError
        If `key` is neither a fingerprint nor a file with a public key.
    """
    wanted = None if key is None else fingerprint(key)
    data = archive.read(path)
    try:
        files = archive.unpacked(data)
    except PackageError as error:
        found = (Problem(None, str(error)),)
        return Verified(problems=found, files={}, signer=None, trust=Trust.UNKNOWN)
    signer = manifest.signer_of(files)
    return Verified(
        problems=tuple(_problems(data, files, signer, wanted)),
        files=files,
        signer=signer,
        trust=_trust(settings, signer, wanted),
    )


def fingerprint(given: str) -> str:
    """Read a fingerprint, as it is shown or without its blanks, or that of a public key's file."""
    plain = "".join(given.split()).replace(":", "").lower()
    if len(plain) == 64 and not set(plain) - set("0123456789abcdef"):
        return plain
    try:
        pem = Path(given).read_bytes()
    except (OSError, ValueError):
        pem = b""
    verifier = Verifier.read(pem.replace(b"\r\n", b"\n").strip() + b"\n")
    if verifier is None:
        raise SigningError(
            _(
                "{given!r} is neither a fingerprint of 64 digits nor a file with a public key of "
                "Ed25519; ask the signer for what `sandbox log key` shows"
            ).format(given=given)
        )
    return verifier.fingerprint


def _problems(
    data: bytes, files: Mapping[str, bytes], signer: Verifier | None, wanted: str | None
) -> Iterator[Problem]:
    found = list(manifest.problems(files))
    yield from found
    if message := archive.difference(data, files):
        yield Problem(None, message)
    if signer is not None and wanted not in {None, signer.fingerprint}:
        yield Problem(
            manifest.KEY,
            _("another key signed it: {value}").format(value=keys.spaced(signer.fingerprint)),
        )
    if not found:
        yield from _contradictions(files, signer)


def _contradictions(files: Mapping[str, bytes], signer: Verifier | None) -> Iterator[Problem]:
    """Compare what the files of a signed package say of each other."""
    told = manifest.read(files[manifest.NAME])
    assert told is not None  # else there was a problem with it, and we are not asked
    if contents.NOTEBOOK not in files:
        yield Problem(contents.NOTEBOOK, _("it is missing"))
    elif name := shape.check(files):
        yield Problem(name, _("it is missing, or has not what such a file has"))
    else:
        yield from _of_run(told, files, signer)


def _of_run(
    told: Mapping[str, Any], files: Mapping[str, bytes], signer: Verifier | None
) -> Iterator[Problem]:
    before = {
        one["path"]: one.get("sha256_before_folders_were_taken_out", one["sha256"])
        for one in told["files"]
    }
    submission, record = (json.loads(files[n]) for n in (contents.SUBMISSION, contents.RECORD))
    for name, run in ((contents.SUBMISSION, submission["id"]), (contents.RECORD, record["run"])):
        if run != told["run"]:
            yield Problem(name, _("it is of another run"))
    if submission["notebook_sha256"] != before[contents.NOTEBOOK]:
        yield Problem(contents.NOTEBOOK, _("it is not the notebook that was submitted"))
    if not _claims_agree(files, record, before):
        yield Problem(contents.RECORD, _("its results are not those of the executed notebook"))
    yield from _journal(files.get(contents.JOURNAL, b""), told["run"], before, signer)


def _claims_agree(
    files: Mapping[str, bytes], record: Mapping[str, Any], before: Mapping[str, str]
) -> bool:
    """Whether a record claims what the executed notebook does, unless folders were taken out."""
    pair = (contents.RECORD, contents.EXECUTED)
    if any(before.get(name) != contents.sha256(files.get(name, b"")) for name in pair):
        return True
    try:
        results, conclusions = claims(json.loads(files[contents.EXECUTED]))
        return (results, conclusions) == (record["results"], record["conclusions"])
    except shape.WRONG:
        return False


def _journal(
    data: bytes, run: str, hashes: Mapping[str, str], signer: Verifier | None
) -> Iterator[Problem]:
    """Check each line of the installation's log, and the hashes that it has of the files."""
    lines: list[Mapping[str, Any]] = []
    for number, text in enumerate(data.splitlines(), start=1):
        line = Line.read(text)
        is_right = line and line.has_its_hash and line.facts["run"] == run
        if line and is_right and signer and line.is_signed_by(signer):
            lines.append(line.facts)
        else:
            words = _("line {n} is not as the installation wrote it").format(n=number)
            yield Problem(contents.JOURNAL, words)
    for name in contents.unlike(lines, hashes):
        yield Problem(name, _("it is not the one whose hash is in the installation's log"))


def _trust(settings: Settings, signer: Verifier | None, wanted: str | None) -> Trust:
    if signer is None:
        return Trust.UNKNOWN
    if signer.fingerprint == wanted:
        return Trust.NAMED
    own = keys.existing(settings.home)
    is_own = own is not None and own.verifier.fingerprint == signer.fingerprint
    return Trust.OWN if is_own else Trust.UNKNOWN
