"""Shards computed by a Dask cluster, through its `concurrent.futures` executor.

The scheduler moves the shards of a worker that dies to others, as often as its setting
`distributed.scheduler.allowed-failures` says. Each thread of a worker makes the world once.
"""

from __future__ import annotations

import hashlib
import logging
import pickle
import re
import socket
import tempfile
import threading
import time
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import CancelledError, Future
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from synthetic import __version__
from synthetic.errors import BuildError, SyntheticError
from synthetic.generation import poolfit
from synthetic.generation.workers import Make, written
from synthetic.generation.world import Shard, World
from synthetic.tables.parquet import Written
from synthetic.tables.staging import WorkerKilledError
from synthetic.tables.stores import Staging

_CONNECT_S = 10
_WITHOUT_WORKERS_S = 30  # that a build waits for another worker
_LOOK_S = 5
_ADDRESS = re.compile(r"(tcp|tls)://\[?([^/\s]+?)\]?:([0-9]{1,5})", re.ASCII)
_LOGS = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")
_LATER = "the finished shards wait for the next build"
_GONE = f"the Dask scheduler is gone; {_LATER}"
_here = threading.local()  # a world keeps what is at work, so each thread has its own


@contextmanager
def makers_of_cluster(world: World, address: str) -> Iterator[Make]:
    """What has shards computed and written by the workers of the scheduler at this address."""
    dask = _dask()
    with _without_logs(), closing(_connected(dask, address)) as client:
        _check_workers(client, address)
        executor = client.get_executor(pure=False)
        # The result of a task, not scattered: if its workers die the scheduler has it made again.
        sent = client.submit(_Sent, _packed(world), code(), pure=False)
        try:
            yield lambda shards, staging: partial(
                _await, client, executor.submit(_written_on_worker, sent, shards, staging)
            )
        finally:
            with suppress(OSError, dask.client.ClosedClientError):  # the scheduler may be gone
                executor.shutdown(wait=False)  # drops what is not begun


@contextmanager
def _without_logs() -> Iterator[None]:
    """Faults reach us as exceptions; Dask would log them as well, with tracebacks."""
    logs = [logging.getLogger(name) for name in _LOGS]
    before = [log.level for log in logs]
    try:
        for log in logs:
            log.setLevel(logging.CRITICAL + 1)
        yield
    finally:
        for log, level in zip(logs, before, strict=True):
            log.setLevel(level)


def _dask() -> Any:
    """The library, which an extra brings."""
    try:
        import distributed
    except ImportError:
        raise BuildError(
            "--dask needs the extra 'cluster'; install it: "
            "pip install 'vietnam-data-sandbox[cluster]'"
        ) from None
    return distributed


def _connected(dask: Any, address: str) -> Any:
    """A client of the scheduler."""
    if not _ADDRESS.fullmatch(address):
        raise BuildError(f"{address!r} is no address of a scheduler, such as tcp://10.0.0.5:8786")
    try:
        _listen(address)
        with warnings.catch_warnings():
            # Of versions that differ; `_check_workers` tells of those that matter.
            warnings.simplefilter("ignore", dask.versions.VersionMismatchWarning)
            return dask.Client(address, timeout=_CONNECT_S, set_as_default=False)
    except (OSError, OverflowError, ValueError) as error:
        raise BuildError(
            f"no Dask scheduler answers at {address}; start one with 'dask scheduler' (this is "
            f"version {dask.__version__}), or correct the address"
        ) from error


def _listen(address: str) -> None:
    """Raise OSError if nobody is there, or another kind of server: a scheduler speaks first."""
    found = _ADDRESS.fullmatch(address)
    assert found is not None
    scheme, host, port = found.groups()
    with socket.create_connection((host, int(port)), timeout=_CONNECT_S) as door:
        if scheme == "tcp" and not door.recv(1):
            raise ConnectionError("it says nothing")


def _check_workers(client: Any, address: str) -> None:
    """Raise BuildError if there are no workers, or one that would make other rows or files."""
    deadline = time.monotonic() + _CONNECT_S
    while not client.nthreads():
        if time.monotonic() > deadline:
            raise BuildError(
                f"the scheduler at {address} has no workers; start one or more with "
                f"'dask worker {address}'"
            )
        time.sleep(0.1)
    for worker, found in client.run(code, on_error="return").items():
        if found != code():
            told = f"has {found}" if isinstance(found, str) else f"lacks ours ({found})"
            raise BuildError(
                f"Dask worker {worker} {told}; here is {code()}: install the same versions there "
                "and start it again"
            )


@cache
def code() -> str:
    """What this process computes shards with: versions, and a hash of our own files."""
    hashed, root = hashlib.sha256(), Path(__file__).parent.parent
    for path in sorted(p for p in root.rglob("*") if "__pycache__" not in p.parts and p.is_file()):
        hashed.update(f"{path.relative_to(root).as_posix()}\n".encode() + path.read_bytes())
    return f"synthetic {__version__} ({hashed.hexdigest()[:12]}), pyarrow {pa.__version__}"


@dataclass(frozen=True)
class _Sent:
    """What a worker makes the world of."""

    packed: bytes
    code: str


def _packed(world: World) -> bytes:
    fits = {
        f"{poolfit.key(pool, poolfit.inputs(pool, world.margins[dataset]))}.npz"
        for dataset, spec in world.specs.items()
        for pool in spec.pools.values()
    }
    own = {n: p.read_bytes() for n in sorted(fits) if (p := world.model_folder / n).is_file()}
    return pickle.dumps((world.specs, world.recipe, world.margins, world.fitted, own))


def _unpacked(sent: _Sent) -> World:
    """The world that was sent, made once in each thread."""
    if getattr(_here, "sent", None) != sent:
        specs, recipe, margins, fitted, fits = pickle.loads(sent.packed)
        with tempfile.TemporaryDirectory() as folder:
            for name, told in fits.items():
                (Path(folder) / name).write_bytes(told)
            _here.world = World(specs, recipe, Path(folder), margins, fitted)
            _here.sent = sent
    world: World = _here.world
    return world


def _written_on_worker(sent: _Sent, shards: Sequence[Shard], staging: Staging) -> list[Written]:
    from distributed import get_worker

    try:
        if sent.code != code():
            raise BuildError(f"here is {code()}, where the build began {sent.code}")
        return written(_unpacked(sent), shards, staging)
    except SyntheticError as error:
        raise type(error)(f"on Dask worker {get_worker().address}: {error}") from error


def _await(client: Any, future: Future[list[Written]]) -> list[Written]:
    from distributed import KilledWorker

    seen = time.monotonic()  # workers
    while True:
        try:
            return future.result(timeout=_LOOK_S)
        except TimeoutError:
            if client.status == "closed":
                raise WorkerKilledError(_GONE) from None
            if _has_workers(client):
                seen = time.monotonic()
            if time.monotonic() - seen > _WITHOUT_WORKERS_S:
                if client.status != "running":
                    raise WorkerKilledError(_GONE) from None
                raise WorkerKilledError(
                    f"the cluster has had no worker for {_WITHOUT_WORKERS_S} s; {_LATER}"
                ) from None
        except KilledWorker as error:
            raise WorkerKilledError(
                "each Dask worker that computed a part was killed, probably because memory ran "
                f"out; give workers more memory or fewer threads; {_LATER}"
            ) from error
        except CancelledError as error:
            raise WorkerKilledError(_GONE) from error


def _has_workers(client: Any) -> bool:
    from distributed.client import ClosedClientError

    try:
        return client.status == "running" and bool(client.nthreads())
    except (OSError, ClosedClientError):  # lost since the status was asked
        return False
