"""Overhead of a run, and thirty runs at once, beside plain papermill and plain nbclient.

    uv run python -m tests.benchmarks.runs [--times 5] [--rest 4] [--burst 30] [--workers 2]
        [--at-once] 2>/dev/null

Overhead is everything but the cells' own time: from the submission to the final state for a run
(isolated, recorded, with its report), from call to return for the others (none of that). Nothing
else should run; where something does, ratios tell more than seconds.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from statistics import median

import nbformat

from sandbox import runs
from sandbox.runs import workers
from sandbox.runs.folder import RunFolder, read
from sandbox.settings import Settings
from tests.sandbox import notebooks

ASK_OVERHEAD_S, ASK_BURST_S = 0.5, 40
WORKS = {
    "trivial": ("x = 1", "print(x)", "x + 1"),
    "usual": (
        "import matplotlib.pyplot as plt\nimport pandas as pd",
        "frame = pd.DataFrame({'x': range(1000)}); frame.describe()",
        "plt.plot(frame.x); plt.show()",
    ),
}


def sandboxed(settings: Settings, path: Path) -> float:
    """Overhead of one run that a worker executes, in seconds."""
    folder = RunFolder.find(settings, runs.submit(settings, path))
    while not folder.status().is_final:
        time.sleep(0.02)
    history = read(folder.state_file)["history"]
    assert history[-1]["to"] == "succeeded", history[-1]
    record = folder.record()
    assert record is not None
    return _between(history[0]["at"], history[-1]["at"]) - sum(
        one["seconds"] for one in record["cells"]
    )


def papermilled(path: Path) -> float:
    """Overhead of plain papermill in this process, in seconds."""
    import papermill

    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        done = papermill.execute_notebook(
            str(path), f"{folder}/out.ipynb", kernel_name="python3", progress_bar=False, cwd=folder
        )
        took = time.monotonic() - began
    return took - sum(cell.metadata.papermill["duration"] or 0 for cell in done.cells)


def nbcliented(path: Path) -> float:
    """Overhead of plain nbclient in this process, in seconds."""
    from nbclient import NotebookClient

    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        NotebookClient(
            notebook, kernel_name="python3", resources={"metadata": {"path": folder}}
        ).execute()
        took = time.monotonic() - began
    return took - sum(
        _between(
            cell.metadata.execution["iopub.execute_input"],
            cell.metadata.execution["shell.execute_reply"],
        )
        for cell in notebook.cells
        if "execution" in cell.metadata
    )


def burst_of_runs(settings: Settings, path: Path, n: int) -> tuple[float, int]:
    """Seconds until so many runs have ended that were submitted at once, and how many failed."""
    began = time.monotonic()
    folders = [
        RunFolder.find(settings, runs.submit(settings, path, team=f"team {one % 5}"))
        for one in range(n)
    ]
    while not all(folder.status().is_final for folder in folders):
        time.sleep(0.1)
    took = time.monotonic() - began
    return took, sum(folder.status() != "succeeded" for folder in folders)


def burst_of_calls(call: Callable[[Path], float], path: Path, n: int, n_workers: int) -> float:
    """Seconds for so many calls through a few processes."""
    with ProcessPoolExecutor(n_workers) as pool:
        list(pool.map(call, [path] * n_workers))  # what is imported is imported
        began = time.monotonic()
        list(pool.map(call, [path] * n))
        return time.monotonic() - began


def at_once(path: Path, n: int) -> tuple[float, int]:
    """Seconds for so many commands of plain papermill at once, and how many failed."""
    with tempfile.TemporaryDirectory() as folder:
        began = time.monotonic()
        processes = [
            subprocess.Popen(
                [sys.executable, "-m", "papermill", "-k", "python3", path, f"{folder}/{one}.ipynb"],
                cwd=folder,
                stderr=subprocess.DEVNULL,
            )
            for one in range(n)
        ]
        failed = sum(process.wait() != 0 for process in processes)
        return time.monotonic() - began, failed


@contextmanager
def working(home: Path, n_slots: int) -> Iterator[Settings]:
    """A home with a worker that is ready."""
    settings = Settings(home=home)
    process = subprocess.Popen(
        [sys.executable, "-m", "sandbox.cli", "worker", "start", "--workers", str(n_slots)],
        env={**os.environ, "SANDBOX_HOME": str(home)},
        stderr=subprocess.DEVNULL,
    )
    try:
        while not any(len(one.slots) == n_slots for one in workers.living(settings)):
            time.sleep(0.1)
        yield settings
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait()


def main() -> None:
    """Print the figures that were asked for."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="runs-") as place:
        base = Path(place)
        paths = {
            name: notebooks.write(base / f"{name}.ipynb", *cells)  # type: ignore[no-untyped-call]
            for name, cells in WORKS.items()
        }
        print(f"{'overhead, s (median)':<24}{'run':>8}{'ask':>6}{'papermill':>12}{'nbclient':>10}")
        with working(base / "home", options.workers) as settings:
            for name, path in paths.items():
                sandboxed(settings, path)  # the first tells the worker what is likely
                rested = partial(_rested, partial(sandboxed, settings), options.rest)
                ways = (rested, papermilled, nbcliented)
                run, mill, client = (
                    median(way(path) for _ in range(options.times)) for way in ways
                )
                print(f"{name:<24}{run:>8.2f}{ASK_OVERHEAD_S:>6}{mill:>12.2f}{client:>10.2f}")
            if options.burst:
                _print_burst(settings, paths["trivial"], options)


def _print_burst(settings: Settings, path: Path, options: argparse.Namespace) -> None:
    n, n_workers = options.burst, options.workers
    took, failed = burst_of_runs(settings, path, n)
    print(
        f"{n} trivial at once, {n_workers} workers: {took:.1f} s (ask {ASK_BURST_S}), {failed} failed"
    )
    for name, call in (("papermill", papermilled), ("nbclient", nbcliented)):
        seconds = burst_of_calls(call, path, n, n_workers)
        print(f"{n} through {n_workers} processes of plain {name}: {seconds:.1f} s")
    if options.at_once:
        took, failed = at_once(path, n)
        print(f"{n} commands of plain papermill at once: {took:.1f} s, {failed} failed")


def _rested(way: Callable[[Path], float], rest_s: float, path: Path) -> float:
    time.sleep(rest_s)  # while the worker starts a kernel ahead
    return way(path)


def _between(start: str, end: str) -> float:
    moments = (datetime.fromisoformat(one.replace("Z", "+00:00")) for one in (start, end))
    first, last = moments
    return (last - first).total_seconds()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--times", type=int, default=5, help="runs of each kind (default 5)")
    parser.add_argument("--rest", type=float, default=4, help="seconds before each run (default 4)")
    parser.add_argument("--burst", type=int, default=30, help="runs at once (default 30; 0: none)")
    parser.add_argument("--workers", type=int, default=2, help="at the same time (default 2)")
    parser.add_argument(
        "--at-once", action="store_true", help="also plain papermill with a process each"
    )
    return parser.parse_args()


if __name__ == "__main__":
    main()
