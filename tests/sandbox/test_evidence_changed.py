"""What a notebook changed: cell by cell beside its template, and beside the author's last version."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.evidence import aligned
from sandbox.evidence.aligned import Cell, Pair, difference, pairs
from sandbox.evidence.changed import changed
from sandbox.runs import notebook as notebooks
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings, templates_folder

TEMPLATE = "market_sizing"
SOURCES = st.lists(
    st.sampled_from(["a = 1\nb = 2", "a = 1\nb = 3", "print(a)", "", "x", "# Tên\ny"]), max_size=6
)


@pytest.fixture
def settings(tmp_path):
    return Settings(home=tmp_path / "home")


def content():
    return json.loads((templates_folder() / f"{TEMPLATE}.ipynb").read_text("utf-8"))


def submitted(settings, notebook, *, run="20261122-120000-aaaaaa", author="Ánh", name=TEMPLATE):
    """Freeze a notebook as a run has it."""
    folder = RunFolder(settings.runs / run)
    folder.notebook.parent.mkdir(parents=True)
    data = json.dumps(notebook).encode()
    folder.notebook.write_bytes(data)
    folder.state_file.write_text("{}")
    template = notebooks.match(notebooks.parse(name, data))
    facts = {"notebook_name": name, "author": author, "template": template}
    folder.submission_file.write_text(json.dumps(facts))
    return folder


def kinds(told, against="template"):
    """Give what became of the cells that are not as they were."""
    return [
        (one["kind"], one["before"], one["after"])
        for one in told["cells"]
        if one["against"] == against and one["kind"] != "unchanged"
    ]


def test_a_template_as_it_ships_is_unchanged(settings):
    notebook = content()
    for place, cell in enumerate(notebook["cells"]):
        cell["id"] = f"another-{place}"
        cell["metadata"]["collapsed"] = True
    told = changed(settings, submitted(settings, notebook))
    assert told["verdict"] == "unchanged"
    assert told["template"] == {"name": TEMPLATE, "same": True, "declared": []}
    assert told["previous"] is None
    assert kinds(told) == []
    assert len(told["cells"]) == len(notebook["cells"])


def test_cells_are_found_added_removed_and_changed(settings):
    notebook = content()
    cells = notebook["cells"]
    new = {"cell_type": "markdown", "metadata": {}, "source": "Một ô hoàn toàn mới."}
    cells[5]["source"] = "".join(cells[5]["source"]) + "\nprint(rows)"
    del cells[9]
    cells.insert(3, new)
    told = changed(settings, submitted(settings, notebook))
    assert told["verdict"] == "changed"
    assert kinds(told) == [("added", None, 3), ("changed", 5, 6), ("removed", 9, None)]
    (edited,) = [one for one in told["cells"] if one["kind"] == "changed"]
    assert "+print(rows)" in edited["diff"]
    assert not any(line.startswith("-") and "print(rows)" in line for line in edited["diff"])


def test_a_copy_with_a_number_still_comes_from_its_template(settings):
    notebook = content()
    notebook["cells"][5]["source"] = "print(1)"
    told = changed(settings, submitted(settings, notebook, name=f"{TEMPLATE}-2"))
    assert told["template"]["name"] == TEMPLATE
    assert told["verdict"] == "changed"


def test_other_declarations_are_a_change_of_their_own(settings):
    notebook = content()
    notebook["metadata"]["sandbox"]["reads"] = {"population.persons": []}
    told = changed(settings, submitted(settings, notebook))
    assert told["verdict"] == "changed"
    assert told["template"]["declared"] == ["reads"]
    assert kinds(told) == []


def test_a_notebook_of_ones_own_has_no_template(settings):
    notebook = content()
    notebook["cells"] = notebook["cells"][:4]
    told = changed(settings, submitted(settings, notebook, name="của tôi"))
    assert told["verdict"] == "no template"
    assert told["cells"] == []


def test_the_authors_last_version_is_the_newest_before(settings):
    notebook, other = content(), content()
    other["cells"][5]["source"] = "print(1)"
    for run, author, each in (
        ("20261120-080000-aaaaaa", "Ánh", notebook),
        ("20261121-080000-bbbbbb", "Ánh", other),
        ("20261121-090000-cccccc", "Bình", notebook),
        ("20261123-080000-dddddd", "Ánh", notebook),
    ):
        submitted(settings, each, run=run, author=author)
    (settings.runs / "20261121-100000-eeeeee").mkdir()
    (settings.runs / "20261121-100000-eeeeee" / "run.json").write_text("{")
    told = changed(settings, submitted(settings, notebook))
    assert told["previous"] == {"run": "20261121-080000-bbbbbb", "same": False, "declared": []}
    assert kinds(told, "previous") != []
    assert told["verdict"] == "unchanged"  # the verdict is about the template


def test_the_same_template_under_another_name_is_the_same_lineage(settings):
    notebook = content()
    submitted(settings, notebook, run="20261120-080000-aaaaaa", name="khác")
    submitted(settings, notebook, run="20261119-080000-bbbbbb", name=TEMPLATE)
    told = changed(settings, submitted(settings, notebook))
    assert told["previous"]["run"] == "20261120-080000-aaaaaa"


@given(SOURCES, SOURCES)
def test_every_cell_is_paired_once_and_in_order(one, other):
    before, after = ([Cell("code", source) for source in each] for each in (one, other))
    found = list(pairs(before, after))
    for side, cells in ((0, before), (1, after)):
        places = [place for pair in found if (place := (pair.before, pair.after)[side]) is not None]
        assert places == list(range(len(cells)))
    if before == after:
        assert all(pair.before == pair.after for pair in found)


def test_cells_that_would_take_minutes_count_as_removed_and_added():
    before, after = ([Cell("code", f"{name}{n}" * 500) for n in range(9)] for name in ("aa", "aab"))
    began = time.process_time()
    found = list(pairs([*before, Cell("code", "x")], [*after, Cell("code", "x")]))
    assert time.process_time() - began < 5
    assert sum(pair.before is None for pair in found) == 9
    assert (found[-1].before, found[-1].after) == (9, 9)
    assert list(pairs([Cell("code", "a" * 9000)], [Cell("code", "a" * 8000)])) == [Pair(0, 0)]


def test_a_difference_is_cut_at_its_limits():
    lines = [f"x{n}" for n in range(aligned.MOST_LINES * 2)]
    told, cut = difference(Cell("code", ""), Cell("code", "\n".join(lines)))
    assert cut
    assert len(told) == aligned.MOST_LINES
    told, cut = difference(Cell("code", "a"), Cell("code", "b" * (aligned.LONGEST_LINE + 5)))
    assert cut
    assert max(map(len, told)) == aligned.LONGEST_LINE
    assert difference(Cell("code", "a"), Cell("code", "b" * (aligned.LONGEST + 1))) == ([], True)
    assert difference(Cell("code", "a"), Cell("code", "b")) == (["@@ -1 +1 @@", "-a", "+b"], False)


def test_a_cell_whose_tags_changed_is_changed():
    before, after = [Cell("code", "x")], [Cell("code", "x", ("parameters",))]
    assert [(pair.before, pair.after) for pair in pairs(before, after)] == [(0, 0)]
