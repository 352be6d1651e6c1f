"""What a worker does once, so that none of its slots has to."""

from __future__ import annotations

import ctypes
import logging
import os
import signal
import threading
from importlib import import_module

from sandbox.kernels import available, bytecode
from sandbox.runs import record
from sandbox.runs.imports import quick
from sandbox.settings import Settings

log = logging.getLogger(__name__)

PR_SET_PDEATHSIG = 1  # linux/prctl.h
MODULES = (
    "nbformat",
    "sandbox.runs.conduct",
    "sandbox.runs.cells",
    "sandbox.runs.report",
    "sandbox.catalog",
    "sandbox.evidence.comparing",
    "sandbox.evidence.causes",
)


def preload(settings: Settings) -> None:
    """Import and find out what every slot needs; no thread is left, so that slots can be forked."""
    with quick():
        for module in MODULES:
            import_module(module)
    from jupyter_client.provisioning.factory import KernelProvisionerFactory

    KernelProvisionerFactory.instance()
    available()
    record.environment()
    bytecode.warm(settings.home).wait()
    if (n_threads := threading.active_count()) > 1:
        log.warning("%d threads are there where one was expected", n_threads)


def end_with(parent: int) -> None:
    """Have this process asked to end when its parent dies, whatever way."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != parent:  # it died before
        raise SystemExit(1)
