"""The provisioner as Jupyter finds and uses it, and the engine as papermill does."""

from __future__ import annotations

import asyncio
import importlib.metadata
import json

import pytest
from jupyter_client.kernelspec import KernelSpec, KernelSpecManager
from jupyter_client.manager import AsyncKernelManager

from sandbox.errors import IsolationError
from sandbox.kernels.provisioner import NAME, SandboxProvisioner, kernel_spec_argv
from sandbox.runs.imports import quick
from tests.processes import PATIENCE_S
from tests.sandbox import notebooks


class Specs(KernelSpecManager):
    """Knows one kernel, as a kernel.json would describe it."""

    argv = kernel_spec_argv()
    work = ""

    def get_kernel_spec(self, kernel_name):
        return KernelSpec(
            argv=self.argv,
            display_name="Sandbox",
            language="python",
            interrupt_mode="message",
            metadata={
                "kernel_provisioner": {"provisioner_name": NAME, "config": {"work": self.work}}
            },
        )


def specs(work, argv=None):
    """Make the manager of kernel specs for one test."""
    made = Specs()
    made.work = str(work)
    made.argv = argv or kernel_spec_argv()
    return made


async def text(client, code, begun=None):
    """Run code and give what it printed; `begun` is set at the first word."""
    told = []

    def note(message):
        if message["msg_type"] == "stream":
            told.append(message["content"]["text"])
            if begun is not None:
                begun.set()

    await client.execute_interactive(code, timeout=PATIENCE_S, output_hook=note)
    return "".join(told)


def test_both_entry_points_are_installed():
    groups = {
        "jupyter_client.kernel_provisioners": (NAME, SandboxProvisioner),
        "papermill.engine": ("sandbox", None),
    }
    for group, (name, expected) in groups.items():
        (found,) = importlib.metadata.entry_points(group=group, name=name)
        assert found.load() is not None
        assert expected is None or found.load() is expected


def test_a_kernel_starts_is_interrupted_restarts_and_ends(bubblewrap, tmp_path):
    async def use():
        manager = AsyncKernelManager(kernel_name=NAME, kernel_spec_manager=specs(tmp_path))
        await manager.start_kernel()
        folder = manager.provisioner.doorway.folder
        client = manager.client()
        client.start_channels()
        await client.wait_for_ready(timeout=PATIENCE_S)
        assert await text(client, "import socket; print(socket.gethostname())") == "sandbox\n"
        begun = asyncio.Event()
        code = "import time\nprint('begun', flush=True)\ntime.sleep(600)"
        waiting = asyncio.create_task(text(client, code, begun))
        await asyncio.wait_for(begun.wait(), PATIENCE_S)
        await manager.interrupt_kernel()
        await asyncio.wait_for(waiting, PATIENCE_S)
        first = manager.provisioner.pid
        await manager.restart_kernel(now=True)
        await client.wait_for_ready(timeout=PATIENCE_S)
        assert manager.provisioner.pid != first
        assert await text(client, "print(1 + 1)") == "2\n"
        assert manager.provisioner.doorway.folder == folder
        client.stop_channels()
        await manager.shutdown_kernel()
        assert not manager.has_kernel
        assert not folder.exists()

    asyncio.run(use())


def test_a_kernel_that_cannot_start_says_so_and_leaves_nothing(bubblewrap, tmp_path):
    async def use():
        manager = AsyncKernelManager(
            kernel_name=NAME, kernel_spec_manager=specs(tmp_path, ["python", "-c", "exit(3)"])
        )
        with pytest.raises(IsolationError, match=r"ended before it was ready \(exit code 3\)"):
            await manager.start_kernel()
        folder = manager.provisioner.doorway.folder
        await manager.cleanup_resources()
        assert not folder.exists()

    asyncio.run(use())


def test_papermill_runs_a_notebook_through_the_engine(bubblewrap, tmp_path):
    with quick():
        import papermill

    source = notebooks.write(
        tmp_path / "in.ipynb", "import os; print(n, os.getcwd())", parameters="n: int = 1"
    )
    out = tmp_path / "out.ipynb"
    papermill.execute_notebook(
        str(source), str(out), {"n": 5}, engine_name="sandbox", progress_bar=False
    )
    executed = json.loads(out.read_text())
    assert notebooks.text_of(executed, 2) == "5 /sandbox/work\n"


@pytest.mark.parametrize(
    ("source", "options"),
    [
        pytest.param("1 / 0", {}, marks=pytest.mark.slow),
        pytest.param("import os; os._exit(0)", {}, marks=pytest.mark.slow),
        ("exit()", {}),
        ("import time; time.sleep(60)", {"execution_timeout": 4}),
    ],
)
def test_papermill_is_told_of_every_bad_end(bubblewrap, tmp_path, source, options):
    with quick():
        import papermill

    path = notebooks.write(tmp_path / "in.ipynb", "1", source, "print('never')")
    out = tmp_path / "out.ipynb"
    with pytest.raises(papermill.PapermillExecutionError):
        papermill.execute_notebook(
            str(path), str(out), engine_name="sandbox", progress_bar=False, **options
        )
    cells = [one for one in json.loads(out.read_text())["cells"] if one["cell_type"] == "code"]
    assert [one["metadata"]["papermill"]["status"] for one in cells] == [
        "completed",
        "failed",
        "pending",
    ]
