"""Founders' own files travel with a submission: taken within limits, frozen, mounted, in SQL."""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import replace
from functools import partial

import pytest

from sandbox import preflight, runs
from sandbox.errors import AttachmentError, RunError, SettingsError
from sandbox.kernels.policy import MIB
from sandbox.runs import attachments
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from tests.sandbox import foreign, notebooks
from tests.sandbox.commands import sandbox

READS = (
    "from sandbox import lab\nimport pandas as pd\n"
    "lab.result('rows', len(pd.read_csv(lab.attachment('customers.csv'))))"
)


def take(settings, *paths, folder=None):
    """Take files as a submission does."""
    return attachments.take(settings, paths, folder or settings.home / "taken")


def test_a_file_is_copied_hashed_and_closed(settings, tmp_path):
    path = foreign.csv(tmp_path)
    (one,) = take(settings, path)
    assert one.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    assert (one.name, one.size_bytes) == ("customers.csv", path.stat().st_size)
    assert one.path.read_bytes() == path.read_bytes()
    assert one.path.stat().st_mode & 0o777 == 0o444


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("link", "is a link; give the file itself"),
        ("folder", "is a folder or a device"),
        ("pipe", "is a folder or a device"),
        ("empty", "is empty"),
        ("gone", "cannot attach the file 'a.csv': No such file"),
    ],
)
def test_what_is_no_file_is_refused(settings, tmp_path, kind, words):
    path = tmp_path / "a.csv"
    make = {
        "link": lambda: path.symlink_to("/etc/passwd"),
        "folder": path.mkdir,
        "pipe": lambda: os.mkfifo(path),
        "empty": path.touch,
        "gone": lambda: None,
    }
    make[kind]()
    with pytest.raises(AttachmentError, match=words):
        take(settings, path)


@pytest.mark.parametrize("over", [-1, 0, 1])
def test_the_size_of_a_file_is_limited(settings, tmp_path, over):
    settings = replace(settings, attachment_mib=1)
    path = foreign.csv(tmp_path, text="a" * (MIB + over))
    if over <= 0:
        assert take(settings, path)[0].size_bytes == MIB + over
        return
    with pytest.raises(AttachmentError, match="has 2 MiB, more than 1 MiB"):
        take(settings, path)


@pytest.mark.parametrize("over", [0, 1])
def test_the_sizes_together_are_limited(settings, tmp_path, over):
    settings = replace(settings, attachments_mib=1)
    sizes = {"a.csv": MIB // 2, "b.csv": MIB // 2 + over}
    paths = [foreign.csv(tmp_path, name, "a" * size) for name, size in sizes.items()]
    if not over:
        assert len(take(settings, *paths)) == 2
        return
    with pytest.raises(AttachmentError, match="together have more than 1 MiB"):
        take(settings, *paths)


def test_the_number_of_files_is_limited(settings, tmp_path):
    paths = [foreign.csv(tmp_path, f"a{n}.csv") for n in range(3)]
    with pytest.raises(AttachmentError, match="3 files are attached, more than 2"):
        take(replace(settings, attachments=2), *paths)
    assert len(take(replace(settings, attachments=3), *paths)) == 3


def test_two_files_of_one_table_are_refused(settings, tmp_path):
    paths = foreign.csv(tmp_path, "KHách.csv"), foreign.parquet(tmp_path, "khách.parquet")
    with pytest.raises(AttachmentError, match=r"would both be attached\.khách in SQL"):
        take(settings, *paths)


@pytest.mark.parametrize("value", ["-1", "a", "99999", "1.5"])
def test_the_limits_are_settings_that_are_checked(value):
    with pytest.raises(SettingsError, match="SANDBOX_ATTACHMENT_MIB must be a whole number"):
        Settings.from_environ({"SANDBOX_HOME": "/h", "SANDBOX_ATTACHMENT_MIB": value})
    assert Settings.from_environ({"SANDBOX_ATTACHMENTS_MIB": "7"}).attachments_mib == 7


@pytest.fixture
def submit(bubblewrap, settings, tmp_path):
    """Submit a notebook beside which these files lie, as the command does."""

    def do(*cells, given=(), **options):
        path = notebooks.write(tmp_path / "mine.ipynb", *cells, **options)
        found = runs.submission.notebooks.find(path)
        return runs.submit(
            settings,
            path,
            attached=preflight.gather(path, found, given),
            check=partial(preflight.passed, beside=preflight.beside(path)),
        )

    return do


def test_a_file_beside_the_notebook_travels_by_itself(submit, settings, tmp_path):
    path = foreign.csv(tmp_path)
    foreign.csv(tmp_path, "not named.csv")
    run_id = submit(READS)
    folder = RunFolder.find(settings, run_id)
    (one,) = runs.show(settings, run_id)["attachments"]
    assert one == {
        "name": "customers.csv",
        "bytes": path.stat().st_size,
        "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
        "table": "attached.customers",
        "rows": 2,
        "columns": ["ma", "ten", "so"],
    }
    frozen = attachments.folder_of(folder.submission_file)
    assert [path.name for path in frozen.iterdir()] == ["customers.csv"]


def test_a_file_that_sql_names_travels_too(submit, settings, tmp_path):
    foreign.parquet(tmp_path, "Sales 2026.parquet")
    run_id = submit('%%sql\nSELECT count(*) FROM attached."sales 2026"')
    assert [one["name"] for one in runs.show(settings, run_id)["attachments"]] == [
        "Sales 2026.parquet"
    ]


def test_a_file_that_is_given_comes_before_the_one_beside(submit, settings, tmp_path):
    foreign.csv(tmp_path)
    (tmp_path / "other").mkdir()
    given = foreign.csv(tmp_path / "other", text="a,b\n1,2\n")
    run_id = submit(READS, given=[given])
    assert [one["bytes"] for one in runs.show(settings, run_id)["attachments"]] == [8]


def test_a_link_beside_the_notebook_does_not_travel(submit, settings, tmp_path):
    (tmp_path / "customers.csv").symlink_to("/etc/passwd")
    with pytest.raises(AttachmentError, match="is a link; give the file itself with --attach"):
        submit(READS)
    assert not settings.runs.exists() or list(settings.runs.iterdir()) == []


def test_nothing_is_left_of_a_submission_that_is_refused(submit, settings, tmp_path):
    foreign.csv(tmp_path)
    with pytest.raises(preflight.PreflightError, match="nowhere"):
        submit(READS, "nowhere")
    assert list(settings.runs.iterdir()) == []


@pytest.mark.slow
def test_every_execution_reads_the_same_files(submit, settings, tmp_path):
    foreign.csv(tmp_path)
    foreign.excel(tmp_path, "khách hàng.xlsx")
    foreign.parquet(tmp_path, "p.parquet")
    run_id = submit(
        READS,
        "path = lab.attachment('khách hàng.xlsx')\nlab.attachment('p.parquet')\n"
        "print(sorted(one.name for one in path.parent.iterdir()), pd.read_excel(path).shape)",
        '%%sql\nSELECT count(*) FROM attached.customers JOIN attached."khách hàng" USING (ma)',
        "con = lab.connect()\n"
        "print(con.sql('SELECT sum(so) FROM attached.p').fetchall(),"
        " con.sql(f\"FROM '{lab.attachment('customers.csv')}'\").fetchall(),"
        " lab.table('attached.customers').fetchall())",
        "try:\n    open(lab.attachment('customers.csv'), 'a')\nexcept OSError as error:\n"
        "    print(type(error).__name__)",
        "try:\n    lab.attachment('custmers.csv')\nexcept Exception as error:\n    print(error)",
    )
    outcome = runs.execute(settings, run_id)
    facts = runs.show(settings, run_id)
    assert outcome.succeeded, facts["reason"]
    assert facts["results"][0]["value"] == 2
    cells = json.loads((RunFolder.find(settings, run_id).executed).read_bytes())
    said = [notebooks.text_of(cells, index) for index in range(len(cells["cells"]))]
    assert said[1] == "['customers.csv', 'khách hàng.xlsx', 'p.parquet'] (2, 2)\n"
    assert "2" in str(cells["cells"][2]["outputs"][0]["data"]["text/plain"])
    assert said[3].startswith("[(3,)] [('01', 'Nguyễn Văn An', 1),")
    assert said[4] in {"OSError\n", "PermissionError\n"}
    assert "customers.csv" in said[5]


def test_a_frozen_file_that_was_changed_is_not_executed(submit, settings, tmp_path):
    foreign.csv(tmp_path)
    folder = RunFolder.find(settings, submit(READS))
    frozen = attachments.folder_of(folder.submission_file) / "customers.csv"
    attachments.check_frozen(folder.submission_file, folder.submission())
    frozen.chmod(0o644)
    frozen.write_bytes(frozen.read_bytes().replace(b"01", b"02"))
    with pytest.raises(RunError, match=r"'customers.csv' is not the one that was submitted"):
        attachments.check_frozen(folder.submission_file, folder.submission())


def test_a_submission_without_files_mounts_none(submit, settings):
    folder = RunFolder.find(settings, submit("1 + 1"))
    assert attachments.mounts(folder.submission_file, folder.submission()) == ()
    assert attachments.facts({}) == []  # as of submissions from before there were any


@pytest.mark.slow
def test_the_command_attaches_and_tells(bubblewrap, tmp_path):
    (tmp_path / "data").mkdir()
    file = foreign.csv(tmp_path / "data", text="ma,email\n01,an@gmail.com\n")
    path = notebooks.write(tmp_path / "mine.ipynb", READS)
    home, lang = tmp_path / "home", {"SANDBOX_LANG": "en"}
    done = sandbox(home, "run", "submit", path, "--wait", **lang)
    assert done.returncode == 1
    assert "put the file beside the notebook, or give it with --attach FILE" in done.stderr
    done = sandbox(home, "run", "submit", path, "--attach", file, "--wait", **lang)
    assert done.returncode == 0, done.stderr
    assert "attached: customers.csv (1 KiB; rows: 1; columns: 2)" in done.stdout
    assert "column 'email': 1 of 1 rows look like e-mail addresses" in done.stdout
    assert "an@gmail.com" not in done.stdout
    done = sandbox(home, "run", "check", path, "--attach", file, "--json", **lang)
    assert json.loads(done.stdout)["attachments"][0]["columns"] == ["ma", "email"]
