"""JupyterLab's file browser: what it lists, opens, saves, moves and removes, through `Tree`."""

from __future__ import annotations

import base64
import binascii
import hashlib
import mimetypes
import os
import stat
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

import nbformat
from jupyter_server.services.contents.filecheckpoints import GenericFileCheckpoints
from jupyter_server.services.contents.manager import ContentsManager
from tornado.web import HTTPError
from traitlets import default

from sandbox.workspace.downloads import DownloadHandler
from sandbox.workspace.faults import told
from sandbox.workspace.tree import Tree, parts

if TYPE_CHECKING:
    from sandbox.workspace.server import Server

LARGEST_BYTES = 100 * 1024 * 1024  # that is shown in JupyterLab; anything can be downloaded
Model = dict[str, Any]


class Contents(ContentsManager):
    """The user's work folder as JupyterLab sees it."""

    files_handler_class = DownloadHandler
    checkpoints_class = GenericFileCheckpoints

    @property
    def tree(self) -> Tree:
        """The work folder."""
        return cast("Server", self.parent).tree

    @default("checkpoints_kwargs")
    def _checkpoints_out_of_sight(self) -> dict[str, Any]:
        folder = str(cast("Server", self.parent).order.places.checkpoints)
        return {"parent": self, "log": self.log, "root_dir": folder}

    def is_hidden(self, path: str) -> bool:
        """Whether a part of the path is hidden, or none that could be shown."""
        try:
            parts(path)
        except OSError:
            return True
        return False

    def dir_exists(self, path: str) -> bool:
        """Whether a folder lies there."""
        return self.tree.is_folder(path)

    def file_exists(self, path: str) -> bool:
        """Whether a file lies there."""
        return self.tree.is_file(path)

    def get(
        self,
        path: str,
        content: bool = True,
        type: str | None = None,
        format: str | None = None,
        require_hash: bool = False,
    ) -> Model:
        """Give a file or a folder, with its content if asked for."""
        path = path.strip("/")
        with told(path):
            facts = self.tree.facts(path)
            if stat.S_ISDIR(facts.st_mode):
                if type not in (None, "directory"):
                    raise HTTPError(400, f"{path} is a directory, not a {type}", reason="bad type")
                return self._folder(path, facts, content=content)
            if type == "directory":
                raise HTTPError(400, f"{path} is not a directory", reason="bad type")
            is_notebook = type == "notebook" or (type is None and path.endswith(".ipynb"))
            model = _model(path, facts, type="notebook" if is_notebook else "file")
            if not (content or require_hash):
                return model
            data = self.tree.read(path, most=LARGEST_BYTES)
        if require_hash:
            model |= {"hash": hashlib.sha256(data).hexdigest(), "hash_algorithm": "sha256"}
        if content and is_notebook:
            self._show_notebook(model, data)
        elif content:
            _show_file(model, data, format)
        return model

    def save(self, model: Model, path: str = "") -> Model:
        """Save what JupyterLab sends; large files come in pieces."""
        path = path.strip("/")
        kind = model.get("type")
        if kind not in ("directory", "notebook", "file"):
            raise HTTPError(400, f"Unhandled contents type: {kind}")
        if "content" not in model and kind != "directory":
            raise HTTPError(400, "No file content provided")
        message = None
        with told(path):
            if kind == "directory":
                self.tree.make_folder(path)
            elif kind == "notebook":
                message = self._save_notebook(model, path)
            elif model.get("chunk") in (None, 1):
                self.tree.write(path, _bytes(model))
            else:
                self.tree.append(path, _bytes(model))
        saved = self.get(path, content=False)
        if message:
            saved["message"] = message
        self.emit({"action": "save", "path": path})  # type: ignore[no-untyped-call]
        return saved

    def delete_file(self, path: str) -> None:
        """Remove a file, or a folder with what is in it."""
        with told(path):
            self.tree.remove(path.strip("/"))

    def rename_file(self, old_path: str, new_path: str) -> None:
        """Move a file or a folder to a free place."""
        with told(new_path):
            self.tree.rename(old_path.strip("/"), new_path.strip("/"))

    def info_string(self) -> str:
        """Say what is served, for the log."""
        return f"Serving the work folder {self.tree.root}"

    def _folder(self, path: str, facts: os.stat_result, *, content: bool) -> Model:
        model = _model(path, facts, type="directory") | {"size": None}
        if content:
            inner = [self._listed(f"{path}/{name}".strip("/")) for name in self.tree.names(path)]
            model |= {"content": [one for one in inner if one], "format": "json"}
        return model

    def _listed(self, path: str) -> Model | None:
        if not self.should_list(path.rpartition("/")[2]):  # type: ignore[no-untyped-call] # caches of Python
            return None
        try:
            return self.get(path, content=False)
        except HTTPError:
            return None  # gone meanwhile, or exchanged for a link

    def _show_notebook(self, model: Model, data: bytes) -> None:
        path = model["path"]
        problem: dict[str, Any] = {}
        try:
            notebook = nbformat.reads(  # type: ignore[no-untyped-call]
                data.decode("utf-8"), as_version=4, capture_validation_error=problem
            )
        except Exception as error:
            # Whatever a file holds, the library's answer to it may be of any kind.
            raise HTTPError(400, f"Unreadable Notebook: {path} {error!r}") from error
        self.mark_trusted_cells(notebook, path)  # type: ignore[no-untyped-call]
        model |= {"content": notebook, "format": "json"}
        self.validate_notebook_model(  # type: ignore[no-untyped-call]
            model, validation_error=problem
        )

    def _save_notebook(self, model: Model, path: str) -> str | None:
        problem: dict[str, Any] = {}
        try:
            notebook = nbformat.from_dict(model["content"])  # type: ignore[no-untyped-call]
            self.check_and_sign(notebook, path)  # type: ignore[no-untyped-call]
            text = nbformat.writes(  # type: ignore[no-untyped-call]
                notebook, nbformat.NO_CONVERT, capture_validation_error=problem
            )
            data = text.encode("utf-8")
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise HTTPError(400, f"Not a notebook: {path} {error!r}") from error
        self.tree.write(path, data + b"\n")
        self.validate_notebook_model(  # type: ignore[no-untyped-call]
            model, validation_error=problem
        )
        return model.get("message")


def _model(path: str, facts: os.stat_result, *, type: str) -> Model:
    return {
        "name": path.rpartition("/")[2],
        "path": path,
        "type": type,
        "last_modified": datetime.fromtimestamp(facts.st_mtime, UTC),
        "created": datetime.fromtimestamp(facts.st_ctime, UTC),
        "size": facts.st_size,
        "writable": bool(facts.st_mode & stat.S_IWUSR) or os.geteuid() == 0,
        "mimetype": mimetypes.guess_type(path)[0] if type == "file" else None,
        "content": None,
        "format": None,
        "hash": None,
        "hash_algorithm": None,
    }


def _show_file(model: Model, data: bytes, format: str | None) -> None:
    try:
        if format == "base64":
            raise UnicodeError
        shown, told_format, usual = data.decode("utf-8"), "text", "text/plain"
    except UnicodeError as error:
        if format == "text":
            message = f"{model['path']} is not UTF-8 encoded"
            raise HTTPError(400, message, reason="bad format") from error
        shown, told_format = base64.encodebytes(data).decode("ascii"), "base64"
        usual = "application/octet-stream"
    model |= {"content": shown, "format": told_format, "mimetype": model["mimetype"] or usual}


def _bytes(model: Model) -> bytes:
    content, format = model["content"], model.get("format")
    if format not in ("text", "base64") or not isinstance(content, str):
        raise HTTPError(400, "Must specify format of file contents as 'text' or 'base64'")
    try:
        return content.encode() if format == "text" else base64.b64decode(content)
    except (UnicodeError, binascii.Error) as error:
        raise HTTPError(400, f"Encoding error: {error}") from error
