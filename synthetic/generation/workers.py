"""Processes that compute shards: each makes its own world and leaves with its parent."""

from __future__ import annotations

import multiprocessing
import multiprocessing.connection
import os
import pickle
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import cache, partial
from pathlib import Path

from synthetic.generation.shards import write_shards
from synthetic.generation.world import Shard, World
from synthetic.tables.parquet import Written
from synthetic.tables.staging import WorkerKilledError
from synthetic.tables.stores import Staging

Given = Callable[[], Sequence[Written]]  # waits for shards, in their order
Make = Callable[[Sequence[Shard], Staging], Given]  # asks for shards that belong together

_WORLD: World | None = None


@contextmanager
def makers(world: World, workers: int) -> Iterator[Make]:
    """What computes and writes shards: so many processes, or this one when it is asked for them."""
    if workers == 1:
        yield lambda shards, staging: cache(partial(written, world, shards, staging))
        return
    with tempfile.TemporaryDirectory() as folder:
        # Through a file: a process that dies before it has read a long message leaves its sender
        # waiting for ever.
        path = Path(folder) / "world"
        path.write_bytes(
            pickle.dumps(
                (world.specs, world.recipe, world.model_folder, world.margins, world.fitted)
            )
        )
        executor = ProcessPoolExecutor(
            workers,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start,
            initargs=(path,),
        )
        try:
            yield partial(_ask, executor)
        except BaseException:
            for process in list((executor._processes or {}).values()):
                process.terminate()  # a shard under way would keep Ctrl-C waiting
            raise
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


def _ask(executor: Executor, shards: Sequence[Shard], staging: Staging) -> Given:
    with _told_if_killed(), _without_interrupts():
        future = executor.submit(_written_in_worker, shards, staging)
    return partial(_await, future)


def _await(future: Future[list[Written]]) -> Sequence[Written]:
    with _told_if_killed():
        return future.result()


@contextmanager
def _told_if_killed() -> Iterator[None]:
    try:
        yield
    except BrokenProcessPool as error:
        raise WorkerKilledError(
            "a worker process was killed, probably because memory ran out; "
            "use --workers 1 or a smaller scale"
        ) from error


@contextmanager
def _without_interrupts() -> Iterator[None]:
    """Start processes that Ctrl-C does not reach while they are still importing."""
    if not hasattr(signal, "pthread_sigmask"):  # Windows
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def written(world: World, shards: Sequence[Shard], staging: Staging) -> list[Written]:
    """Write shards, and keep each as soon as it is finished."""
    found = {}
    with staging.writing() as folder:
        for shard, one in write_shards(world, shards, folder):
            staging.keep(folder, one, (shard.start, shard.end))
            found[shard] = one
    return [found[shard] for shard in shards]


def _written_in_worker(shards: Sequence[Shard], staging: Staging) -> list[Written]:
    assert _WORLD is not None
    return written(_WORLD, shards, staging)


def _start(path: Path) -> None:
    global _WORLD
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent tells and ends them
    _end_with_the_parent()
    _WORLD = World(*pickle.loads(path.read_bytes()))


def _end_with_the_parent() -> None:
    """Leave when the parent is gone: a worker holds its own queue open and would wait for ever."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        multiprocessing.connection.wait([parent.sentinel])
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
