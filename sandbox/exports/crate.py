"""A package's description as a Process Run Crate, for readers who know nothing of this program.

Profile: https://w3id.org/ro/wfrun/process/0.5, over RO-Crate 1.1. Each execution is a CreateAction:
the notebook is its instrument, replicas and parameters are its objects, what it wrote its results.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from rocrate.rocrate import ContextEntity, ROCrate  # type: ignore[import-untyped]

from sandbox.exports import manifest, recipes
from sandbox.exports.contents import (
    EVIDENCE,
    EXECUTED,
    JOURNAL,
    NOTEBOOK,
    README,
    REPORT,
    SUBMISSION,
)
from sandbox.language import speaking
from sandbox.runs.record import DISTRIBUTION
from sandbox.runs.states import Status

NAME = "ro-crate-metadata.json"
CRATE = "1.1"
PROFILE = "0.5"
PROFILE_URI = f"https://w3id.org/ro/wfrun/process/{PROFILE}"
TERMS = "https://w3id.org/ro/terms/workflow-run/context"
LICENCE = {
    "name": "No licence stated",
    "description": "The author stated no licence for the notebook and its report; ask them. The "
    "data that were read are synthetic.",
}
TYPES = {
    ".html": "text/html",
    ".ipynb": "application/x-ipynb+json",
    ".json": "application/json",
    ".jsonl": "application/jsonl",
    ".lock": "application/toml",
    ".pem": "application/x-pem-file",
    ".sig": "application/octet-stream",
    ".txt": "text/plain",
}
TITLES = {
    REPORT: "The report, without scripts",
    NOTEBOOK: "The notebook as it was submitted",
    SUBMISSION: "Who submitted what, with which parameters and inputs",
    EXECUTED: "The notebook with the outputs of the first execution",
    EVIDENCE: "What further executions show",
    JOURNAL: "What the installation's log says of the run",
    README: "How to read and to check this package",
    recipes.NAME: "The recipes of the replicas that were read",
    manifest.NAME: "Every file with its hash",
    manifest.SIGNATURE: "The signature of the manifest (Ed25519)",
    manifest.KEY: "The public key of the installation that signed",
}
STATUS = {
    Status.SUCCEEDED: "http://schema.org/CompletedActionStatus",
    Status.FAILED: "http://schema.org/FailedActionStatus",
    Status.CANCELLED: "http://schema.org/FailedActionStatus",
    Status.LOST: "http://schema.org/FailedActionStatus",
}


def described(files: Mapping[str, bytes]) -> bytes:
    """Give `ro-crate-metadata.json` for the files of a package."""
    with speaking("en"):
        return _Crate(files).to_bytes()


class _Crate:
    def __init__(self, files: Mapping[str, bytes]) -> None:
        self._files = files
        self.submission: dict[str, Any] = json.loads(files[SUBMISSION])
        self.crate: Any = ROCrate(version=CRATE)
        self.files = {name: self._file(name, len(data)) for name, data in sorted(files.items())}
        for name in manifest.OWN:
            self._file(name, None)
        self.records = {
            name.split("/")[1]: json.loads(data)
            for name, data in sorted(files.items())
            if name.startswith("executions/") and name.endswith("/record.json")
        }
        self._describe()

    def to_bytes(self) -> bytes:
        told = self.crate.metadata.generate()
        return (json.dumps(told, ensure_ascii=False, indent=1, sort_keys=True) + "\n").encode()

    def _describe(self) -> None:
        author, sandbox = self._author(), self._sandbox()
        notebook = self.files[NOTEBOOK]
        notebook._jsonld["@type"] = ["File", "SoftwareSourceCode"]
        notebook["version"] = self.submission["notebook_sha256"]
        notebook["runtimePlatform"] = sandbox
        notebook["author"] = author
        objects = [self.files[recipes.NAME], *self._parameters()]
        actions = [
            self._action(name, record, author, objects) for name, record in self.records.items()
        ]
        self._root(author, actions)

    def _root(self, author: Any, actions: list[Any]) -> None:
        root = self.crate.root_dataset
        profile = self._add(
            PROFILE_URI, "CreativeWork", {"name": "Process Run Crate", "version": PROFILE}
        )
        self.crate.metadata.extra_contexts.append(TERMS)
        ended = [one["ended_at"] for one in self.records.values() if one["ended_at"]]
        root["conformsTo"] = profile
        root["name"] = f"Run {self.submission['id']}: {_title(self.submission)}"
        root["description"] = (
            "One run of a notebook over synthetic replicas of government data: what was submitted, "
            "each execution, and the evidence that they give."
        )
        root["datePublished"] = max(ended, default=self.submission["submitted_at"])
        root["license"] = self._add("#licence", "CreativeWork", LICENCE)
        root["author"] = author
        root["mentions"] = _plain(actions)

    def _action(self, name: str, record: Mapping[str, Any], author: Any, objects: list[Any]) -> Any:
        status = Status(record["status"])
        is_isolated = record["isolation"].get("mechanism") not in {None, "none"}
        told = {
            "name": f"Execution '{name}' of the notebook",
            "description": record["reason"]["message"]
            + (", in an isolated kernel" if is_isolated else ""),
            "startTime": record["started_at"],
            "endTime": record["ended_at"],
            "instrument": self.files[NOTEBOOK],
            "agent": author,
            "object": _plain(objects),
            "result": _plain(
                [
                    entity
                    for path, entity in self.files.items()
                    if path.startswith(f"executions/{name}/")
                    or (path == REPORT and name == "first")
                ]
            ),
            "actionStatus": STATUS[status],
        }
        if status is not Status.SUCCEEDED:
            told["error"] = record["reason"]["message"]
        return self._add(f"#execution-{name}", "CreateAction", told)

    def _parameters(self) -> list[Any]:
        return [
            self._add(
                f"#parameter-{one['name']}",
                "PropertyValue",
                {"name": one["name"], "value": json.dumps(one["value"], ensure_ascii=False)},
            )
            for one in self.submission["parameters"]
        ]

    def _author(self) -> Any:
        told: dict[str, Any] = {"name": self.submission["author"]}
        if self.submission["team"]:
            told["affiliation"] = self._add(
                "#team", "Organization", {"name": self.submission["team"]}
            )
        return self._add("#author", "Person", told)

    def _sandbox(self) -> Any:
        version = json.loads(self._files[recipes.NAME])["generator"]["version"]
        told = {"name": DISTRIBUTION, "softwareVersion": version or "unknown"}
        return self._add("#sandbox", "SoftwareApplication", told)

    def _file(self, name: str, size_bytes: int | None) -> Any:
        told = {
            "name": TITLES.get(name, name),
            "encodingFormat": TYPES.get(name[name.rfind(".") :], "application/octet-stream"),
        }
        if size_bytes is not None:
            told["contentSize"] = str(size_bytes)
        return self.crate.add_file(dest_path=name, properties=told)

    def _add(self, identifier: str, kind: str, told: Mapping[str, Any]) -> Any:
        return self.crate.add(
            ContextEntity(self.crate, identifier, properties={"@type": kind, **told})
        )


def _plain(values: list[Any]) -> Any:
    """Write one value without a list around it, as RO-Crate recommends."""
    return values[0] if len(values) == 1 else values


def _title(submission: Mapping[str, Any]) -> str:
    title = submission["title"] or {}
    return title.get("en") or title.get("vi") or submission["notebook_name"]
