"""Execute a notebook under a policy and print what was seen; run as another user by tests."""

from __future__ import annotations

import json
import sys
from pathlib import Path, PurePosixPath

from sandbox.kernels import Limits, Mount, Policy
from sandbox.kernels.environment import environment
from sandbox.runs.conduct import Execution
from sandbox.runs.executed import prepared, written
from sandbox.runs.notebook import read


def perform(told):
    """Execute; give reason, cells, usage and the executed notebook."""
    work = Path(told["work"])
    work.mkdir(exist_ok=True)
    mount = Mount(
        source=Path(told["data"]), target=PurePosixPath("/sandbox/data/population/persons")
    )
    policy = Policy(
        work=work,
        limits=Limits(**told["limits"]),
        data=(mount,),
        environment=environment(catalog=""),
    )
    execution = Execution(policy=policy, log_file=work.parent / "log.txt")
    execution.perform(prepared(read(Path(told["notebook"])), []))
    return {
        "reason": execution.reason.to_record(),
        "cells": [one.to_record() for one in execution.cells],
        "usage": execution.usage.to_record(),
        "notebook": json.loads(written(execution.notebook)),
    }


if __name__ == "__main__":
    print(json.dumps(perform(json.loads(sys.argv[1]))))  # noqa: T201 - its answer
