"""Interactive kernels see the data files beside their notebook, read-only and up to date."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.settings import Settings
from sandbox.workspace.beside import Beside
from sandbox.workspace.tree import Tree
from tests.sandbox import foreign, notebooks
from tests.sandbox.working import working

LIST = "import os\nprint(sorted(os.listdir('/sandbox/attached')))"
UNTIL = "import os, time\nwhile {condition}:\n    time.sleep(0.1)\nprint('so')"


@pytest.fixture
def beside(settings, tmp_path):
    """What a kernel is given of the files beside a notebook in a folder of the work folder."""
    root = tmp_path / "root"
    (root / "mine").mkdir(parents=True)
    tree = Tree(root)
    try:
        yield Beside(settings, tree, "mine/a.ipynb", tmp_path / "place")
    finally:
        tree.close()


def names(beside):
    beside.refresh()
    return sorted(path.name for path in beside.place.iterdir())


def test_data_files_alone_are_given_and_followed(beside, tmp_path):
    folder = tmp_path / "root" / "mine"
    for name in ("a.csv", "a.ipynb", "notes.txt", ".b.csv", "C.XLSX"):
        (folder / name).write_text(name)
    (folder / "link.csv").symlink_to("/etc/passwd")
    (folder / "d.csv").mkdir()
    assert names(beside) == ["C.XLSX", "a.csv"]
    (folder / "new.csv").write_text("x")
    (folder / "new.csv").replace(folder / "a.csv")
    assert names(beside) == ["C.XLSX", "a.csv"]
    assert (beside.place / "a.csv").read_text() == "x"
    (folder / "a.csv").unlink()
    assert names(beside) == ["C.XLSX"]


def test_what_a_kernel_of_root_could_not_read_is_copied(beside, tmp_path):
    path = tmp_path / "root" / "mine" / "a.csv"
    path.write_text("x")
    path.chmod(0o600)
    assert names(beside) == ["a.csv"]
    assert (beside.place / "a.csv").read_text() == "x"
    if os.geteuid() == 0:
        assert (beside.place / "a.csv").stat().st_mode & 0o004


def test_where_links_cannot_be_copies_are_made_up_to_a_limit(tmp_path, monkeypatch):
    root = tmp_path / "root"
    root.mkdir()
    (root / "a.csv").write_bytes(bytes(600_000))
    (root / "b.csv").write_bytes(bytes(600_000))

    def refuse(self, path, target):
        raise OSError("another file system")

    monkeypatch.setattr(Tree, "link", refuse)
    tree = Tree(root)
    settings = Settings(home=tmp_path / "home", attachments_mib=1)
    assert names(Beside(settings, tree, "n.ipynb", tmp_path / "place")) == ["a.csv"]
    tree.close()


@pytest.mark.slow
def test_a_kernel_reads_what_lies_beside_its_notebook(bubblewrap, tmp_path):
    with working(tmp_path / "home", tmp_path / "root") as workspace:
        client = workspace.client()
        client.save("mine.ipynb", notebooks.content("1"))
        foreign.csv(workspace.root)
        with client.kernel("mine.ipynb") as kernel:
            assert kernel.run(LIST) == "['customers.csv']\n"
            read = (
                "from sandbox import lab\nprint(len(open(lab.attachment('customers.csv')).read()))"
            )
            assert kernel.run(read) == f"{len(foreign.CSV)}\n"
            foreign.parquet(workspace.root, "later.parquet")
            there = "not os.path.exists('/sandbox/attached/later.parquet')"
            assert kernel.run(UNTIL.format(condition=there)) == "so\n"
            sql = "print(lab.connect().sql('SELECT sum(so) FROM attached.later').fetchall())"
            assert kernel.run(sql) == "[(3,)]\n"
            (workspace.root / "later.parquet").unlink()
            gone = "os.path.exists('/sandbox/attached/later.parquet')"
            assert kernel.run(UNTIL.format(condition=gone)) == "so\n"
            write = "try:\n    open('/sandbox/attached/x', 'w')\nexcept OSError:\n    print('no')"
            assert kernel.run(write) == "no\n"


def test_a_folder_is_listed_whole_by_two_at_once(tmp_path):
    for number in range(300):
        (tmp_path / f"{number}.csv").touch()
    tree = Tree(tmp_path)
    with ThreadPoolExecutor(4) as threads:
        counts = set(threads.map(lambda _: len(tree.names("")), range(60)))
    tree.close()
    assert counts == {300}
