"""Kernels that are started ahead, each for one execution that is expected and none before it.

A kernel's mounts are made when it starts, so it is started in an execution folder of its own that
has no run yet; whoever takes the kernel takes the folder as well. It is taken once and never given
back. What was not taken ends with the pool, at the latest with the process.
"""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import threading
import time
from collections.abc import Callable, Coroutine, Hashable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from sandbox.kernels.doorway import owner, sweep
from sandbox.kernels.folders import remove
from sandbox.kernels.policy import Policy
from sandbox.kernels.starting import Kernel
from synthetic.tables.files import make_folder

log = logging.getLogger(__name__)

T = TypeVar("T")
Furnish = Callable[[Path], Policy]  # fills an empty execution folder; gives its kernel's policy
STOP_S = 30
PAUSE_S = 10  # after a kernel that could not be started ahead, until the next one is tried


@dataclass(frozen=True, kw_only=True, eq=False)
class Warm:
    """A kernel that waits, and the execution folder that is mounted in it."""

    kernel: Kernel
    folder: Path


@dataclass(frozen=True, kw_only=True, eq=False)
class Expected:
    """A kernel that is being started, or waits, for an execution with this key."""

    key: Hashable
    starting: Future[Warm]


class Pool:
    """Kernels of one process that wait, and the event loop that all its kernels live in."""

    def __init__(self, base: Path) -> None:
        """Keep folders of waiting kernels below `base`; those of processes that ended are removed."""
        make_folder(base)
        base.chmod(0o700)
        sweep(base)
        self.folder = base / f"{owner(os.getpid())}-{secrets.token_hex(4)}"
        self._expected: list[Expected] = []
        self._paused_until = 0.0
        self._loop = asyncio.new_event_loop()
        # A sandbox ends with the thread that started it, so this one lasts as long as the process.
        self._thread = threading.Thread(target=self._loop.run_forever, name="kernels", daemon=True)
        self._thread.start()

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """Carry out work with kernels where they live, and wait for its end."""
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def expect(
        self, key: Hashable, furnish: Furnish, ahead: Sequence[str] = (), *, beside: int = 1
    ) -> None:
        """Start a kernel for an execution to come, unless one waits; others make room for it.

        Parameters
        ----------
        ahead
            Modules that the kernel imports before it waits.
        beside
            How many kernels may wait, with this one.
        """
        self._drop([one for one in self._expected if one.starting.done() and not _is_there(one)])
        if time.monotonic() < self._paused_until or key in self.keys:
            return
        self._drop(self._expected[: max(0, len(self._expected) + 1 - beside)])
        starting = asyncio.run_coroutine_threadsafe(self._start(furnish, ahead), self._loop)
        self._expected.append(Expected(key=key, starting=starting))

    def take(self, key: Hashable) -> Warm | None:
        """Give a kernel with this key, for good; None if there is none or its start failed."""
        for one in [one for one in self._expected if one.key == key]:
            self._expected.remove(one)
            with suppress(Exception):  # it was told where it happened
                warm = one.starting.result()
                if warm.kernel.is_alive:
                    return warm
                self.run(self._end(warm))
        return None

    @property
    def keys(self) -> tuple[Hashable, ...]:
        """For which executions kernels wait."""
        return tuple(one.key for one in self._expected)

    def clear(self) -> None:
        """End the kernels that wait."""
        self._drop(list(self._expected))

    def close(self) -> None:
        """End the kernels that wait, and the loop."""
        self.clear()
        self.run(_others_to_end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(STOP_S)
        self._loop.close()
        remove(self.folder)

    def _drop(self, ones: Sequence[Expected]) -> None:
        for one in ones:
            self._expected.remove(one)
            asyncio.run_coroutine_threadsafe(self._give_up(one), self._loop)

    async def _give_up(self, one: Expected) -> None:
        with suppress(Exception):  # a start that failed has left nothing
            await self._end(await asyncio.wrap_future(one.starting))

    async def _end(self, warm: Warm) -> None:
        await warm.kernel.close()
        await asyncio.to_thread(remove, warm.folder)

    async def _start(self, furnish: Furnish, ahead: Sequence[str]) -> Warm:
        folder = self.folder / secrets.token_hex(4)
        kernel: Kernel | None = None
        try:
            await asyncio.to_thread(make_folder, folder)
            kernel = Kernel(await asyncio.to_thread(furnish, folder), ahead=ahead)
            await kernel.launch()
            await kernel.connect()
        except BaseException as error:
            log.warning("a kernel could not be started ahead: %s", error)
            self._paused_until = time.monotonic() + PAUSE_S
            if kernel is not None:
                await kernel.close()
            await asyncio.to_thread(remove, folder)
            raise
        return Warm(kernel=kernel, folder=folder)


def _is_there(one: Expected) -> bool:
    """Whether a kernel that has started still waits."""
    return one.starting.exception() is None and one.starting.result().kernel.is_alive


async def _others_to_end() -> None:
    """Wait until everything else that goes on in this loop has ended."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    await asyncio.gather(*others, return_exceptions=True)
