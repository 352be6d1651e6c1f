"""Templates in a kernel of their own: what they claim, on replicas as built and on changed ones."""

from __future__ import annotations

import copy
import json
import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path

import nbformat
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sandbox.lab.claims import CONCLUSION, RESULT
from sandbox.settings import templates_folder
from synthetic.build import Order, build, make_recipe
from synthetic.tables import content
from synthetic.tables.manifest import sha256
from tests.sandbox.executing import execute

_SECONDS = "import time\n\nprint(time.process_time())"


class Executed:
    """An executed template, and what it claimed, by its Vietnamese or its English words."""

    def __init__(self, notebook):
        self.cells = {cell.id: cell for cell in notebook.cells}
        data = [
            output.data
            for cell in notebook.cells
            if cell.cell_type == "code"
            for output in cell.outputs
            if "data" in output
        ]
        results = [d[RESULT] for d in data if RESULT in d]
        conclusions = [d[CONCLUSION] for d in data if CONCLUSION in d]
        self.results, self.results_en = (
            {r["name"][language]: r for r in results} for language in ("vi", "en")
        )
        self.conclusions, self.conclusions_en = (
            {c["statement"][language]: c["holds"] for c in conclusions} for language in ("vi", "en")
        )

    def value(self, start):
        """The value of the result whose Vietnamese name begins so."""
        (found,) = [r["value"] for name, r in self.results.items() if name.startswith(start)]
        return found

    def holds(self, start):
        """Whether the conclusion whose Vietnamese sentence begins so holds."""
        (found,) = [h for sentence, h in self.conclusions.items() if sentence.startswith(start)]
        return found

    def table(self, cell):
        """Read a printed table: the index is dropped, cells stand two spaces apart."""
        text = self.cells[cell].outputs[-1].data["text/plain"]
        return [re.split(r" {2,}", line.strip())[1:] for line in text.splitlines()[1:]]

    def cpu_seconds(self):
        """The kernel's own seconds of processor: a machine that others load changes nothing."""
        return float(self.cells["seconds"].outputs[0].text)


@dataclass(frozen=True)
class Bench:
    """A template and what it is executed on."""

    notebook: nbformat.NotebookNode
    environ: dict[str, str]

    def on(self, home):
        """The same template on other replicas."""
        return replace(self, environ=self.environ | {"SANDBOX_HOME": str(home)})

    def run(self, folder, **given):
        """Execute with these values written after the parameters, as papermill does."""
        notebook = copy.deepcopy(self.notebook)
        place = [cell.id for cell in notebook.cells].index("parameters") + 1
        lines = "\n".join(f"{name} = {value!r}" for name, value in given.items())
        notebook.cells.insert(place, nbformat.v4.new_code_cell(lines, id="injected"))
        notebook.cells.append(nbformat.v4.new_code_cell(_SECONDS, id="seconds"))
        return Executed(execute(notebook, Path(folder), **self.environ))

    def check_told(self, folder, wrong, *upto):
        """Each wrong value ends one of the cells, by default the first, in its message."""
        cells = {cell.id: cell.source for cell in self.notebook.cells}
        trial = nbformat.v4.new_notebook()
        for given in wrong.values():
            lines = [cells["parameters"], *(f"{name} = {value!r}" for name, value in given.items())]
            source = "\n".join([*lines, cells["setup"], *(cells[cell] for cell in upto)])
            tags = {"tags": ["raises-exception"]}
            trial.cells.append(nbformat.v4.new_code_cell(source, metadata=tags))
        executed = execute(trial, Path(folder), **self.environ)
        for cell, message in zip(executed.cells, wrong, strict=True):
            error = cell.outputs[-1]
            assert error.ename == "ValueError"
            assert message in error.evalue


def bench(name, factory, **environ):
    """A template; modules that it compiles are kept between kernels, as in any installation."""
    notebook = nbformat.read(templates_folder() / f"{name}.ipynb", as_version=4)
    compiled = {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(factory.mktemp("compiled")),
    }
    return Bench(notebook, compiled | environ)


def home_with(dataset, scale, factory, area=None):
    """A home whose replicas are a dataset's and those that it uses."""
    home = factory.mktemp("home")
    recipe = make_recipe(scale, area, 1, "exact")
    build(Order(datasets=(dataset,), recipe=recipe, out=home / "replicas"))
    return home


def files_of(home, dataset, table):
    """The pattern of a table's Parquet files, for a query without any of our own code."""
    return f"{home}/replicas/{dataset}/*/{table}/*.parquet"


def changed(home, to, dataset, table, change):
    """A copy of a home in which one table's rows are changed and the manifest agrees."""
    shutil.copytree(home, to, copy_function=os.link)
    (folder,) = (to / "replicas" / dataset).glob("s*")
    manifest = json.loads((folder / "manifest.json").read_text("utf-8"))
    entry = next(one for one in manifest["tables"] if one["name"] == table)
    rows = change(pq.read_table([folder / file["path"] for file in entry["files"]]))
    for file in entry["files"]:
        (folder / file["path"]).unlink()  # a link: the other home keeps its own
    path = folder / entry["files"][0]["path"]
    pq.write_table(rows, path)
    told = {"rows": rows.num_rows, "bytes": path.stat().st_size, "sha256": sha256(path)}
    entry["files"] = [entry["files"][0] | told]
    entry |= {"rows": rows.num_rows, "content_hash": content.of_table(rows).hexdigest()}
    (folder / "manifest.json").unlink()
    (folder / "manifest.json").write_text(json.dumps(manifest), "utf-8")
    return to


def shuffled(*columns, seed=1):
    """A change that deals these columns' values out anew, together, so that they hang on nothing."""

    def change(rows: pa.Table) -> pa.Table:
        order = np.random.default_rng(seed).permutation(rows.num_rows)
        for column in columns:
            at = rows.column_names.index(column)
            rows = rows.set_column(at, rows.schema.field(at), rows[column].take(pa.array(order)))
        return rows

    return change
