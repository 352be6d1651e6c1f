"""What holds for every notebook that ships: committed clean, described, and running as it is."""

from __future__ import annotations

import ast
import json
import tokenize
from io import StringIO
from pathlib import Path

import nbformat
import pytest

from sandbox import catalog
from sandbox.settings import Settings, notebooks_folder, templates_folder
from synthetic.build import Order, build, make_recipe
from tests.sandbox.executing import execute

TEMPLATES = sorted(templates_folder().glob("*.ipynb"))
NOTEBOOKS = sorted(notebooks_folder().rglob("*.ipynb"))

each_notebook = pytest.mark.parametrize(
    "path", [*TEMPLATES, *NOTEBOOKS], ids=lambda path: f"{path.parent.name}/{path.stem}"
)
each_template = pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)


def read(path):
    return nbformat.read(path, as_version=nbformat.NO_CONVERT)


def code(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def parameters(notebook):
    return [cell for cell in code(notebook) if "parameters" in cell.metadata.get("tags", ())]


def test_there_are_templates():
    assert "market_sizing" in [path.stem for path in TEMPLATES]


@each_notebook
def test_it_is_a_valid_notebook_whose_cells_keep_their_names(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert (notebook.nbformat, notebook.nbformat_minor) == (4, 5)
    names = [cell.id for cell in notebook.cells]
    assert len(set(names)) == len(names)


@each_notebook
def test_it_carries_no_outputs_counts_or_times(path):
    notebook = read(path)
    for cell in code(notebook):
        assert cell.outputs == []
        assert cell.execution_count is None
        assert "execution" not in cell.metadata
    assert "version" not in notebook.metadata.get("language_info", {})
    assert "widgets" not in notebook.metadata


@each_notebook
def test_it_is_written_so_that_a_diff_stays_small(path):
    text = path.read_text(encoding="utf-8")
    assert text == json.dumps(json.loads(text), ensure_ascii=False, indent=1) + "\n"


@each_template
def test_a_template_describes_itself_in_two_languages(path):
    described = read(path).metadata["sandbox"]
    for key in ("title", "question", "purpose", "limits"):
        assert described[key]["vi"].strip()
        assert described[key]["en"].strip()
        assert described[key]["vi"] != described[key]["en"]
    assert described["domain"].strip()
    assert isinstance(described["minutes"], int)
    assert described["minutes"] > 0
    assert described["reads"]


@each_template
def test_a_template_has_one_cell_of_parameters_with_type_default_and_comment(path):
    (cell,) = parameters(read(path))
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(StringIO(cell.source).readline)
        if token.type == tokenize.COMMENT
    }
    lines = ast.parse(cell.source).body
    assert lines
    for line in lines:
        assert isinstance(line, ast.AnnAssign)
        assert isinstance(line.target, ast.Name)
        default = ast.literal_eval(line.value)
        assert type(default).__name__ == ast.unparse(line.annotation)
        assert comments[line.end_lineno]


@each_template
def test_a_template_starts_with_its_title_and_ends_with_what_comes_next(path):
    cells = read(path).cells
    assert cells[0].source.startswith("# ")
    assert read(path).metadata["sandbox"]["title"]["vi"] in cells[0].source
    assert cells[-1].cell_type == "markdown"


def datasets(path):
    """The datasets that a template reads, without the published tables."""
    found = {name.partition(".")[0] for name in read(path).metadata["sandbox"]["reads"]}
    return tuple(sorted(found - {catalog.PUBLISHED}))


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(
            path,
            id=path.stem,
            marks=() if set(datasets(path)) <= {"population", "enterprise"} else pytest.mark.slow,
        )
        for path in TEMPLATES
    ],
)
def test_a_template_runs_on_a_small_replica_without_a_warning(path, replicas, tmp_path):
    recipe = make_recipe("0.001", None, 1, "exact")
    build(Order(datasets=datasets(path), recipe=recipe, out=replicas / "replicas"))
    notebook = read(path)
    inputs = catalog.select(Settings(home=replicas), notebook.metadata["sandbox"]["reads"])
    assert inputs.tables
    executed = execute(notebook, tmp_path, SANDBOX_HOME=str(replicas))
    outputs = [output for cell in code(executed) for output in cell.outputs]
    assert [output.text for output in outputs if output.get("name") == "stderr"] == []
    assert any(
        "application/vnd.sandbox.result+json" in output.get("data", {}) for output in outputs
    )


@each_notebook
def test_nothing_is_left_beside_it(path):
    assert not list(Path(path).parent.glob("**/.ipynb_checkpoints"))
