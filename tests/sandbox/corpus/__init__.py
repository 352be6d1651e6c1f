"""Small notebooks with what is to be said of each: one TOML file per theme, one table per notebook.

A notebook's text is parted into cells by lines that begin with `# %%`. After it stands what becomes
of the cell: its verdict when it is executed a second time elsewhere (`identical`, `equal: CAUSE`,
`differs: CAUSE`) or, in a run that does not come to its end, its state. What is not said of a
notebook is what is true of most: it succeeds, gives the same again, claims nothing, reads nothing.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass, field, replace
from pathlib import Path

from sandbox.evidence import Asked
from sandbox.kernels import Limits
from tests.sandbox import notebooks
from tests.sandbox.conftest import TIGHT

MARK = re.compile(r"^# %%(.*)\n", re.M)
ROOMY = replace(TIGHT, wall_s=240, cpu_s=120)  # a busy machine ends no run that is right


@dataclass(frozen=True, kw_only=True)
class Labelled:
    """One notebook and its labels."""

    name: str
    what: str  # it does, in words
    notebook: str
    # How it is submitted.
    file: str = ""
    parameters: str | None = None
    given: dict = field(default_factory=dict)
    reads: dict = field(default_factory=dict)
    limits: dict = field(default_factory=dict)
    patch: list = field(default_factory=list)  # of its JSON: {at = path, to = value}
    draws: int = 0
    # What is to be said of it.
    refused: str = ""  # with these words, before it is a run
    ends: str = "completed"
    says: str = ""  # a part of the reason's message
    results: dict = field(default_factory=dict)  # name to value, "*" for any
    conclusions: dict = field(default_factory=dict)  # statement to what is said of it
    reproduced: str = ""  # where the repeat itself ends otherwise
    null: str = "not run"
    redrawn: str = "not run"
    fidelity: str = "no data"
    changed: str = "no template"
    warnings: list = field(default_factory=list)
    left: list | None = None  # files in the work folder; None: not looked at

    @property
    def cells(self):
        """Pair each cell's code with what becomes of it."""
        parts = MARK.split(self.notebook)[1:]
        return [
            (code.strip("\n"), said.strip())
            for said, code in zip(parts[::2], parts[1::2], strict=True)
        ]

    @property
    def asked(self):
        """The evidence that it is to have; each notebook is executed a second time."""
        return Asked(reproduced=True, null=self.null != "not run", draws=self.draws)

    @property
    def most(self):
        """The limits that it runs under."""
        return Limits(**{**ROOMY.to_record(), **self.limits})

    def knowing(self, **known):
        """Give it with what nobody can know who writes it, such as the rows of a replica."""
        given = {name: value.format(**known) for name, value in self.given.items()}
        told = {name.format(**known): said for name, said in self.conclusions.items()}
        return replace(self, given=given, conclusions=told)

    def write(self, folder):
        """Write the notebook; give its path."""
        codes = [code for code, _ in self.cells]
        content = notebooks.content(*codes, parameters=self.parameters, reads=self.reads)
        for one in self.patch:
            *way, last = one["at"]
            place = content
            for step in way:
                place = place[step]
            place[last] = one["to"]
        path = folder / f"{self.file or self.name}.ipynb"
        path.write_text(json.dumps(content), encoding="utf-8")
        return path


def labelled():
    """Read all notebooks of all themes."""
    return [
        Labelled(name=name, **told)
        for path in sorted(Path(__file__).parent.glob("*.toml"))
        for name, told in tomllib.loads(path.read_text(encoding="utf-8")).items()
    ]
