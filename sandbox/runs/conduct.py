"""Execute a notebook cell by cell in a kernel under a policy, and see truly how it ends.

papermill's own client takes the death of a kernel for the end of a notebook and a call of
`exit()` for success; here every cell is seen to begin and to end, and the kernel must still be
there, and answer, after the last one.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from jupyter_client.asynchronous.client import AsyncKernelClient
from jupyter_client.manager import AsyncKernelManager

from sandbox.errors import IsolationError, NotReadyError
from sandbox.kernels import Policy
from sandbox.kernels.pool import Pool
from sandbox.kernels.starting import Kernel
from sandbox.language import N_
from sandbox.runs.imports import quick
from sandbox.runs.notebook import is_code
from sandbox.runs.record import Cell, Reason, Usage
from sandbox.runs.states import CellState, Kind
from sandbox.runs.texts import fit
from sandbox.runs.watch import SHORT, TOO_MUCH_CPU, Watch, is_short

if TYPE_CHECKING:
    from sandbox.runs.cells import CellClient

log = logging.getLogger(__name__)

ANSWER_S = 15  # for the kernel to answer once more after the last cell
OUTPUT_S = 120  # for a cell's output to be read after its reply: 500 pieces take a second
POLL_S = 0.02
COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")

OnCell = Callable[[int, int, str], None]  # position from 1, number of cells, state


@dataclass(kw_only=True, eq=False)
class Execution:
    """One execution of a notebook: how it is to be done, and what is seen of it."""

    policy: Policy
    log_file: Path | None = None
    on_cell: OnCell = lambda position, n_cells, state: None
    on_tick: Callable[[], None] = lambda: None
    meanwhile: Callable[[], None] = lambda: None  # done while a kernel that did its work ends
    kernels: Pool | None = None  # where kernels live that are started ahead
    kernel: Kernel | None = None  # one of them; else one is started
    cell_timeout_s: int | None = None
    notebook: Any = None
    cells: list[Cell] = field(default_factory=list)
    reason: Reason | None = None
    may_start_later: bool = False  # what kept the kernel from its start was not the notebook's
    watch: Watch = field(init=False)

    def __post_init__(self) -> None:
        self.watch = Watch(self.policy.limits, on_tick=lambda: self.on_tick())

    @property
    def usage(self) -> Usage:
        """The most that was seen in use."""
        return self.watch.usage

    def perform(self, notebook: Any) -> None:
        """Execute the notebook; afterwards `reason`, `cells` and the notebook tell the end."""
        self.notebook = notebook
        self.cells = [
            Cell(index=index, id=cell.get("id", f"cell-{index}"))
            for index, cell in enumerate(notebook.cells)
            if is_code(cell) and cell.source.strip()
        ]
        if is_short(self.policy.work):
            self.reason = Reason(kind=Kind.DISK_FULL, message=SHORT)
            self.close()
            return
        try:
            work = self._perform()
            self.reason = asyncio.run(work) if self.kernels is None else self.kernels.run(work)
        finally:
            self.watch.stop()

    def close(self) -> None:
        """End a kernel that was taken, where the notebook is not performed."""
        if self.kernel is not None and self.kernels is not None:
            self.kernels.run(self.kernel.close())

    async def _perform(self) -> Reason:
        # papermill takes as long to import as a kernel to start, so both go on at once.
        cells = asyncio.create_task(asyncio.to_thread(_cells))
        kernel = self.kernel or Kernel(self.policy, self.log_file)
        try:
            try:
                client = await self._started(kernel)
            except (IsolationError, RuntimeError, OSError) as error:
                self.may_start_later = isinstance(error, NotReadyError)
                return self._verdict() or Reason(kind=Kind.COULD_NOT_START, message=str(error))
            reason = await self._run_cells(await cells, kernel.manager, client)
            if reason.kind is not Kind.COMPLETED:
                return reason
            self.watch.look_now()
            await asyncio.gather(kernel.farewell(), asyncio.to_thread(self.meanwhile))
            # What it still did while it closed counts as well, and what no look has met yet.
            kernel.provisioner.end()
            self.watch.look_back()
            return self._verdict(reason.cell) or reason
        finally:
            await asyncio.wait([cells])
            await kernel.close()

    async def _started(self, kernel: Kernel) -> AsyncKernelClient:
        """Give the client of the kernel, under watch; one that waited is watched from now on."""
        if kernel.client is None:
            await kernel.launch()
            self._begin_watch(kernel)
            return await kernel.connect(self.watch.count_output)
        self._begin_watch(kernel)
        kernel.count_with(self.watch.count_output)
        return kernel.client

    def _begin_watch(self, kernel: Kernel) -> None:
        provisioner = kernel.provisioner
        assert provisioner.pid is not None
        assert provisioner.doorway is not None
        folders = (self.policy.work, provisioner.doorway.sockets)
        has_waited = kernel.client is not None
        self.watch.start(provisioner.pid, folders, provisioner.end, has_waited=has_waited)

    async def _run_cells(
        self, cells: ModuleType, manager: AsyncKernelManager, client: AsyncKernelClient
    ) -> Reason:
        story = cells.Story(self.notebook)
        runner = cells.CellClient(
            story,
            km=manager,
            timeout=self.cell_timeout_s,
            iopub_timeout=OUTPUT_S,
            force_raise_errors=True,  # a cell that may fail unseen is a wrong notebook
            skip_cells_with_tag="\0",  # nothing is left out unseen
            record_timing=False,
            store_widget_state=False,
        )
        runner.kc = client
        position = {cell.index: place for place, cell in enumerate(self.cells)}
        try:
            for index, cell in enumerate(self.notebook.cells):
                story.cell_start(cell, index)
                place = position.get(index)
                reason = None if place is None else await self._run_cell(runner, place)
                if reason is not None:
                    story.cell_exception(cell, cell_index=index)
                story.cell_complete(cell, cell_index=index)
                if reason is not None:
                    return reason
            return await self._last_answer(runner)
        finally:
            story.close()

    async def _run_cell(self, runner: CellClient, place: int) -> Reason | None:
        index = self.cells[place].index
        began = time.monotonic()
        self._note(place, CellState.RUNNING)
        reason = self._verdict(index)
        if reason is None:
            reason = await self._try_cell(runner, index)
        # A limit that the cell broke is the truer reason than what it led to.
        reason = self._verdict(index) or reason
        ended_itself = reason is not None and reason.kind in {Kind.CELL_ERROR, Kind.EXIT_CALLED}
        state = CellState.FAILED if ended_itself else CellState.INTERRUPTED
        self._note(
            place,
            CellState.SUCCEEDED if reason is None else state,
            seconds=time.monotonic() - began,
        )
        return reason

    async def _try_cell(self, runner: CellClient, index: int) -> Reason | None:
        from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

        from sandbox.runs.cells import ExitCalledError, NotRunError

        cell = self.notebook.cells[index]
        try:
            await runner.async_execute_cell(
                cell, index, execution_count=runner.code_cells_executed + 1
            )
        except CellExecutionError as error:
            is_exit = error.ename in {"SystemExit", "KernelExit"}
            said = COLOURS.sub("", f"{error.ename}: {error.evalue}").strip()
            said = fit(said, longest=500)
            return Reason(
                kind=Kind.EXIT_CALLED if is_exit else Kind.CELL_ERROR,
                message=N_("the notebook ended itself (SystemExit)") if is_exit else said,
                cell=index,
            )
        except ExitCalledError:
            return Reason(
                kind=Kind.EXIT_CALLED,
                message=N_("the notebook ended itself before its last cell was done (exit, quit)"),
                cell=index,
            )
        except NotRunError as error:
            return Reason(kind=Kind.CELL_ERROR, message=str(error), cell=index)
        except CellTimeoutError as error:
            if self.cell_timeout_s is not None and "iopub" not in str(error).lower():
                message = N_("the cell took longer than {n} s").format(n=self.cell_timeout_s)
                return Reason(kind=Kind.TIME, message=message, cell=index)
            message = N_("the cell's output did not arrive whole")
            return Reason(kind=Kind.OUTPUT_SIZE, message=message, cell=index)
        except DeadKernelError:
            return await self._death(runner, index)
        except Exception as error:
            # What a kernel sends is the notebook's to choose, so reading it can fail in any way.
            log.exception("the kernel's messages could not be read")
            return Reason(
                kind=Kind.KERNEL_DIED,
                message=N_("the kernel's messages could not be read ({problem})").format(
                    problem=type(error).__name__
                ),
                cell=index,
            )
        return None

    async def _death(self, runner: CellClient, index: int | None) -> Reason:
        code = await runner.km.provisioner.poll()
        limit_s = self.policy.limits.cpu_s
        if self.usage.cpu_s >= limit_s:
            message = TOO_MUCH_CPU.format(n=limit_s)
            return Reason(kind=Kind.CPU, message=message, cell=index)
        return Reason(
            kind=Kind.KERNEL_DIED,
            message=N_("the kernel's process ended by itself (exit code {code})").format(code=code),
            cell=index,
        )

    async def _last_answer(self, runner: CellClient) -> Reason:
        """The kernel must still be there after the last cell, or the end was not the end."""
        last = self.cells[-1].index if self.cells else None
        reply = runner.kc.kernel_info(reply=False)
        deadline = time.monotonic() + ANSWER_S
        while time.monotonic() < deadline:
            if reason := self._verdict(last):
                return reason
            if await runner.km.provisioner.poll() is not None:
                return self._verdict(last) or await self._death(runner, last)
            try:
                message = await runner.kc.shell_channel.get_msg(timeout=POLL_S)
                is_answer = message["parent_header"].get("msg_id") == reply
            except Exception as error:
                if type(error).__name__ == "Empty":
                    continue
                log.exception("the kernel's last answer could not be read")
                break
            if is_answer:
                return self._verdict(last) or Reason(
                    kind=Kind.COMPLETED, message=N_("every cell ran to its end")
                )
        return Reason(
            kind=Kind.KERNEL_DIED, message=N_("the kernel no longer answered after the last cell")
        )

    def _verdict(self, cell: int | None = None) -> Reason | None:
        if self.watch.verdict is None:
            return None
        kind, message = self.watch.verdict
        return Reason(kind=kind, message=message, cell=cell)

    def _note(self, place: int, state: CellState, seconds: float | None = None) -> None:
        took = None if seconds is None else round(seconds, 3)
        self.cells[place] = replace(self.cells[place], state=state, seconds=took)
        self.on_cell(place + 1, len(self.cells), str(state))


def _cells() -> ModuleType:
    with quick():
        from sandbox.runs import cells
    return cells
