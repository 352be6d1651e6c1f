"""Make the package of a run."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import PackageError
from sandbox.exports import archive, contents, manifest
from sandbox.journal import keys
from sandbox.language import _, ngettext
from sandbox.runs import evidenced, registry
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import title
from sandbox.settings import Settings
from synthetic.tables.files import write_atomically

AT_REST_S = 2.0  # from a line of the log to the file that it tells of are milliseconds
LOOK_S = 0.05


@dataclass(frozen=True, kw_only=True)
class Exported:
    """A package that was written."""

    path: Path
    run: str
    n_files: int
    size_bytes: int
    fingerprint: str
    notes: tuple[str, ...]  # what its reader should know


def export(settings: Settings, run_id: str, out: Path, *, force: bool = False) -> Exported:
    """Write everything of a run that has ended into one signed file, whole or not at all.

    The same run gives the same bytes, as long as this program stays what it is.

    Raises
    ------
    PackageError
        If the run has not ended, or the file is there and may not be replaced.
    """
    from sandbox.exports import crate  # rocrate takes a third of a second to import

    folder = RunFolder.find(settings, run_id)
    status = registry.look_after(folder)
    if not status.is_final:
        raise PackageError(
            _("run {run} is {status}; wait for its end, then export it").format(
                run=run_id, status=title(status)
            )
        )
    _check_place(out, force=force)
    found = _at_rest(settings, folder)
    files = {**found.files, crate.NAME: crate.described(found.files)}
    signer = keys.signer(settings.home)
    originals = {n: d for n, d in found.originals.items() if n not in found.naming_folders}
    data = archive.packed(manifest.signed(run_id, files, originals, signer))
    archive.check_size(out, len(data))
    write_atomically(out, data)
    return Exported(
        path=out,
        run=run_id,
        n_files=len(files) + len(manifest.OWN),
        size_bytes=len(data),
        fingerprint=signer.verifier.fingerprint,
        notes=tuple(_notes(found, folder)),
    )


def _at_rest(settings: Settings, folder: RunFolder) -> contents.Contents:
    """Read a run between two steps of its evidence: its files are then those that the log has."""
    deadline = time.monotonic() + AT_REST_S
    while (found := contents.gather(settings, folder)).unlike_the_log:
        if time.monotonic() > deadline:
            raise PackageError(
                _(
                    "the log of this machine has another {files} of run {run}: changed since, or "
                    "still being written; `sandbox log verify` says which"
                ).format(files=", ".join(found.unlike_the_log), run=folder.id)
            )
        time.sleep(LOOK_S)
    return found


def _check_place(out: Path, *, force: bool) -> None:
    if out.is_dir():
        raise PackageError(
            _("{path!r} is a folder; name the package's file, as in {example!r}").format(
                path=str(out), example=str(out / "run.zip")
            )
        )
    if out.exists() and not force:
        raise PackageError(
            _("{path!r} is there already; give another name, or --force to replace it").format(
                path=str(out)
            )
        )


def _notes(found: contents.Contents, folder: RunFolder) -> Iterator[str]:
    for name in found.naming_folders:
        yield _("{file} names folders of this machine; it goes as its author submitted it").format(
            file=name
        )
    n_attached = sum(name.startswith(contents.ATTACHED) for name in found.files)
    if n_attached:
        words = ngettext(
            "{n} attached file travels in the package",
            "{n} attached files travel in the package",
            n_attached,
        )
        yield words.format(n=n_attached)
    if evidenced.is_asked(folder):
        yield _("evidence is still to come; export again when it has arrived")
    if not folder.report.is_file():
        yield _("the run has no report")
