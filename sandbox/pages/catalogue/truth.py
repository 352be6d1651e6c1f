"""The page that shows how true a dataset's replica is, drawn by `synthetic fidelity`."""

from __future__ import annotations

from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from threading import Lock

from starlette.responses import HTMLResponse

from sandbox.catalog import Replica
from sandbox.errors import CatalogError
from sandbox.language import _, either, language
from sandbox.pages.catalogue.links import address
from sandbox.runs.report.characters import visible
from synthetic.fidelity.facts import measure
from synthetic.fidelity.page import Way, page, style
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all, packaged
from synthetic.tables.manifest import read

_KEPT = 32  # pages; each is a few hundred kilobytes and takes seconds to measure
_measuring = Lock()  # one at a time: the machine is there for notebooks


def of(replica: Replica) -> HTMLResponse:
    """Show a packaged dataset's replica beside the published tables behind it."""
    if not is_shown(replica):
        raise CatalogError(
            _(
                "{dataset} is not a packaged dataset; measure it with: synthetic fidelity {folder} "
                "--specs DIR"
            ).format(dataset=replica.dataset, folder=replica.folder)
        )
    with _measuring:
        html = _page(replica.folder, replica.manifest_sha256, language(), _way(replica))
    digest = b64encode(sha256(style().encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    return HTMLResponse(html, headers={"Content-Security-Policy": policy})


def is_shown(replica: Replica) -> bool:
    """Whether the page can be drawn: only of what packaged specs describe, as it was built."""
    return replica.dataset in packaged() and not replica.manifest.get("dirt")


def _way(replica: Replica) -> Way:
    return Way(address(replica.dataset), either(replica.manifest["title"]))


@lru_cache(maxsize=_KEPT)
def _page(folder: Path, manifest_sha256: str, spoken: str, back: Way) -> str:
    manifest = read(folder)
    specs = load_all([manifest.dataset])
    return visible(page([measure(manifest, specs, check_specs(specs))], spoken, back))
