"""Faults of the work folder, told as answers that JupyterLab shows."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from tornado.web import HTTPError

from sandbox.language import _
from sandbox.workspace.tree import OutsideError

STATUS = {errno.EACCES: 403, errno.EPERM: 403, errno.ENOTDIR: 404, errno.EFBIG: 413}


@contextmanager
def told(path: str) -> Iterator[None]:
    """Turn a fault of the disk into an answer that JupyterLab shows."""
    try:
        yield
    except FileNotFoundError as error:
        raise HTTPError(404, _("there is no {path}").format(path=path)) from error
    except FileExistsError as error:
        raise HTTPError(409, _("{path} exists already").format(path=path)) from error
    except OSError as error:
        if isinstance(error, OutsideError) or error.errno == errno.ELOOP:
            words = _("{path} is a link, is hidden or lies outside the work folder")
            raise HTTPError(404, words.format(path=path)) from error
        status = STATUS.get(error.errno or 0, 400)
        raise HTTPError(status, f"{path}: {error.strerror or error}") from error
