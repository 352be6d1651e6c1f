"""What goes into a package of a run, read from its folder and made fit to leave the machine."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sandbox import journal
from sandbox.errors import PackageError
from sandbox.exports import recipes
from sandbox.exports.masks import Masks
from sandbox.journal.line import canonical
from sandbox.language import _
from sandbox.runs import attachments
from sandbox.runs import record as records
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status
from sandbox.settings import Settings
from synthetic.tables.files import json_bytes, storage_error

REPORT = "report.html"
NOTEBOOK = "submission/notebook.ipynb"
SUBMISSION = "submission/submission.json"
RECORD = "executions/first/record.json"
EXECUTED = "executions/first/executed.ipynb"
EVIDENCE = "evidence.json"
ENVIRONMENT = "environment"
JOURNAL = "journal.jsonl"
README = "README.txt"
LOGGED = {  # by the names that the log has
    "notebook": NOTEBOOK,
    "submission": SUBMISSION,
    "record": RECORD,
    "executed": EXECUTED,
    "evidence": EVIDENCE,
}
AS_SUBMITTED = "submission/"  # these are the author's, and packed to the last byte as they are
ATTACHED = f"{AS_SUBMITTED}{attachments.FOLDER}/"
ABOUT = """\
Gói này giữ một lượt chạy trong sandbox dữ liệu Việt Nam: báo cáo (mở report.html), sổ tay đã nộp và
đã chạy, biên bản, bằng chứng, và công thức dựng lại dữ liệu tổng hợp. Kiểm tra gói, và chạy lại:

    sandbox run verify {run}.zip
    sandbox run verify {run}.zip --rerun

Không có sandbox, vẫn kiểm được chữ ký bằng OpenSSL, rồi so các mã băm SHA-256 trong manifest.json.

This package holds one run of the Viet Nam data sandbox: the report (open report.html), the notebook
as submitted and as executed, the records, the evidence, and the recipes of the synthetic data. The
commands above check it, and execute it again. Without a sandbox, OpenSSL checks the signature:

    openssl pkeyutl -verify -pubin -inkey signer.pem -rawin -in manifest.json \\
        -sigfile manifest.json.sig

and the files' SHA-256 hashes are in manifest.json.
"""


@dataclass(frozen=True, eq=False)
class Contents:
    """The files of a package, and those of them as they were before folders were taken out."""

    files: Mapping[str, bytes]
    originals: Mapping[str, bytes]
    unlike_the_log: list[str]  # those whose hashes are not the ones that the log has

    @property
    def naming_folders(self) -> list[str]:
        """Name the author's own files that name folders of this machine, and go as they are."""
        return [name for name in self.originals if name.startswith(AS_SUBMITTED)]


def gather(settings: Settings, folder: RunFolder) -> Contents:
    """Read a run that has ended."""
    masks = Masks(settings)
    files: dict[str, bytes] = {}
    originals: dict[str, bytes] = {}
    for name, path in _written(folder):
        data = _read(path)
        masked = masks(data)
        files[name] = data if name.startswith(AS_SUBMITTED) else masked
        if masked != data:
            originals[name] = data
    if RECORD not in files:
        raise PackageError(
            _("run {run} was never executed, so there is nothing to export").format(run=folder.id)
        )
    lines = journal.lines(settings.home, folder.id)
    before = {name: originals.get(name, data) for name, data in files.items()}
    return Contents(
        files=files | _made(folder, json.loads(before[RECORD]), lines),
        originals=originals,
        unlike_the_log=unlike(lines, {name: sha256(data) for name, data in before.items()}),
    )


def _written(folder: RunFolder) -> Iterator[tuple[str, Path]]:
    """Name the files of the run itself that go into a package."""
    for path in sorted((folder.path / "submission").rglob("*")):
        if path.is_file() and not path.is_symlink():
            yield path.relative_to(folder.path).as_posix(), path
    found = {REPORT: folder.report, EXECUTED: folder.executed, EVIDENCE: folder.evidence_file}
    yield from ((name, path) for name, path in found.items() if path.is_file())
    for one in (folder.first, *folder.further()):
        record = one.record()
        if record is not None and Status(record["status"]).is_final:
            yield f"executions/{one.name}/record.json", one.record_file


def unlike(lines: Iterable[Mapping[str, Any]], hashes: Mapping[str, str]) -> list[str]:
    """Name the files whose hashes are not the last ones that the log has of them."""
    logged: dict[str, str] = {}
    for line in lines:
        logged |= {LOGGED[name]: str(line[name]) for name in LOGGED if name in line}
    return [name for name, value in logged.items() if hashes.get(name) != value]


def _made(
    folder: RunFolder, record: Mapping[str, Any], lines: Iterable[Mapping[str, Any]]
) -> dict[str, bytes]:
    environment = record["environment"]
    told = recipes.recipes(folder.submission()["inputs"], environment["packages"])
    return {
        README: ABOUT.format(run=folder.id).encode(),
        recipes.NAME: json_bytes(told),
        JOURNAL: b"".join(canonical(line) + b"\n" for line in lines),
        **_locked(environment),
    }


def _locked(environment: Mapping[str, Any]) -> dict[str, bytes]:
    """Give the lock that the run had, if it is still the one here; else the packages it recorded."""
    name, data = records.lock()
    if sha256(data) == environment["lock_sha256"]:
        return {f"{ENVIRONMENT}/{name}": data}
    packages = sorted(environment["packages"].items())
    listed = "".join(f"{package}=={version}\n" for package, version in packages)
    return {f"{ENVIRONMENT}/packages.txt": listed.encode()}


def sha256(data: bytes) -> str:
    """Give the hash by which files are named."""
    return hashlib.sha256(data).hexdigest()


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise storage_error("read", path, error) from error
