"""papermill's client and its book-keeping, mended where they take a bad end for a good one."""

from __future__ import annotations

import asyncio
from typing import Any

from nbclient.exceptions import DeadKernelError
from papermill.clientwrap import PapermillNotebookClient
from papermill.engines import NotebookExecutionManager

from sandbox.language import N_

POLL_S = 0.05


class ExitCalledError(Exception):
    """The notebook asked the kernel to end."""


class NotRunError(Exception):
    """The kernel answered for a cell without saying that it ran."""


class CellClient(PapermillNotebookClient):  # type: ignore[misc]
    """Runs cells; notices the kernel's end within a moment, and `exit()` at all."""

    def __init__(self, story: Story, **kwargs: Any) -> None:
        super().__init__(story, **kwargs)
        self.on_cell_executed = check_reply

    async def _async_poll_kernel_alive(self) -> None:
        while True:
            await asyncio.sleep(POLL_S)
            try:
                await self._async_check_alive()
            except DeadKernelError:
                assert self.task_poll_for_reply is not None
                self.task_poll_for_reply.cancel()
                return


class Story(NotebookExecutionManager):  # type: ignore[misc]
    """papermill's states and times of cells, kept in the notebook's metadata."""

    def __init__(self, notebook: Any) -> None:
        super().__init__(notebook, output_path=None, progress_bar=False)
        self.notebook_start()

    def close(self) -> None:
        """Write the end; what was never begun stays `pending`.

        papermill's own `notebook_complete` marks everything that did not run as completed.
        """
        ended = self.now()
        told = self.nb.metadata.papermill
        told["end_time"] = ended.isoformat()
        told["duration"] = (ended - self.start_time).total_seconds()
        for cell in self.nb.cells:
            if cell.metadata.papermill["status"] == self.RUNNING:
                cell.metadata.papermill["status"] = self.FAILED


def check_reply(*, execute_reply: dict[str, Any], **_: Any) -> None:
    """Notice `exit()`, which the kernel answers as a success before it goes, and cells left out.

    nbclient takes every answer but "error" for a success, so also "aborted".
    """
    status = execute_reply["content"].get("status")
    if status not in {"ok", "error"}:
        raise NotRunError(
            N_("the kernel did not run the cell (it answered {answer!r})").format(
                answer=str(status)[:40]
            )
        )
    payload = execute_reply["content"].get("payload") or []
    if any(isinstance(one, dict) and one.get("source") == "ask_exit" for one in payload):
        raise ExitCalledError
