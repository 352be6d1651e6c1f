"""The papermill engine `sandbox`: every cell in an isolated kernel, every state a true one.

papermill imports this module while it is being imported itself, to register the engine. So
nothing of papermill is imported at the top, and the engine is an engine by its methods.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.runs.conduct import Execution


class SandboxEngine:
    """What papermill asks of an engine."""

    @classmethod
    def execute_notebook(
        cls,
        nb: Any,
        kernel_name: str,
        output_path: str | None = None,
        *,
        execution: Execution | None = None,
        execution_timeout: int | None = None,
        **_: Any,
    ) -> Any:
        """Execute a notebook as the execution says; on its own, isolated and without any data."""
        if execution is not None:
            execution.perform(nb)
            return nb
        from sandbox.kernels import Policy
        from sandbox.kernels.environment import environment
        from sandbox.runs.conduct import Execution
        from sandbox.runs.executed import written
        from synthetic.tables.files import write_atomically

        with tempfile.TemporaryDirectory(prefix="sandbox-work-") as work:
            policy = Policy(work=Path(work), environment=environment(catalog=""))
            Execution(policy=policy, cell_timeout_s=execution_timeout).perform(nb)
        if output_path is not None:
            write_atomically(Path(output_path), written(nb))
        return nb

    @classmethod
    def nb_kernel_name(cls, nb: Any, name: str | None = None) -> str:
        """Name our kernel, whatever the notebook asks for."""
        return "python3"

    @classmethod
    def nb_language(cls, nb: Any, language: str | None = None) -> str:
        """Only Python is run."""
        return "python"
