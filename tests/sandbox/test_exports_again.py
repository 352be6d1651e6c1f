"""Real runs packed here and executed again in another home, whose replicas are built from recipes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess

import pytest

from sandbox import evidence, exports, runs
from sandbox.errors import PackageError
from sandbox.exports import archive, contents, manifest
from sandbox.journal import keys
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings
from tests.sandbox import notebooks
from tests.sandbox.commands import sandbox

pytestmark = pytest.mark.slow

READS = {"population.persons": ["sex", "age"]}
COUNT = """
from sandbox import lab
db = lab.connect()
n = db.sql("SELECT count(*) FROM population.persons WHERE age >= 60").fetchall()[0][0]
lab.result("Người từ 60 tuổi", n, unit="người", n=n)
print(n, grown, lab.__file__)
"""
CHANCE = "import random\nrandom.random()"


@pytest.fixture(scope="module")
def here(bubblewrap, replicas, tmp_path_factory):
    """A home that has replicas."""
    home = tmp_path_factory.mktemp("here")
    shutil.copytree(replicas / "replicas", home / "replicas")
    return Settings(home=home)


@pytest.fixture(scope="module")
def there(tmp_path_factory):
    """A home that has nothing yet; what is built in it stays for the next test."""
    return Settings(home=tmp_path_factory.mktemp("there"))


@pytest.fixture(scope="module")
def packed(here, tmp_path_factory):
    """Execute a notebook of these cells and pack its run."""

    def do(*sources, given=None, attached=(), **options):
        folder = tmp_path_factory.mktemp("packed")
        path = notebooks.write(folder / "thử nghiệm.ipynb", *sources, **options)
        run_id = runs.submit(here, path, given or {}, attached=attached, author="Chị Lan")
        runs.execute(here, run_id)
        return exports.export(here, run_id, folder / f"{run_id}.zip").path

    return do


@pytest.fixture(scope="module")
def printed(packed):
    """The package of a run that printed something, and rests on chance."""
    return packed("print(1)", CHANCE, reads=READS)


def rerun(settings, package):
    found = exports.verify(settings, package)
    assert found.is_whole, found.problems
    return exports.rerun(settings, found)


def test_a_run_gives_the_same_where_its_replicas_are_built_again(packed, there):
    parameters = "grown: int = 18  # tuổi"
    package = packed(COUNT, reads=READS, parameters=parameters, given={"grown": 20})
    done = rerun(there, package)
    assert (done.reason.kind, done.verdict, done.notes) == ("completed", Verdict.IDENTICAL, ())
    assert {one["verdict"] for one in done.cells} == {"identical"}
    assert not list(there.home.glob(".verify-*"))
    assert not there.runs.exists()


def test_a_cell_that_rests_on_chance_differs_and_is_named(printed, there):
    done = rerun(there, printed)
    assert done.verdict is Verdict.DIFFERS
    assert [one["verdict"] for one in done.cells] == ["identical", "differs"]
    assert done.cells[1]["cause"] == "unseeded random"


def test_what_a_killed_check_left_is_removed(printed, there):
    child = subprocess.Popen(["true"])
    child.wait()
    left, going = (there.home / f".verify-{pid}-x" for pid in (child.pid, os.getppid()))
    for folder in (left, going):
        (folder / "runs").mkdir(parents=True)
    rerun(there, printed)
    assert not left.exists()
    assert going.exists()
    shutil.rmtree(going)


def test_a_failed_run_fails_the_same_way(packed, there):
    done = rerun(there, packed("1 + 1", "import json\njson.loads('x')", "never"))
    assert done.verdict is Verdict.IDENTICAL
    assert [one["index"] for one in done.cells] == [0, 1]
    assert done.reason.cell == 1


def test_a_traceback_names_no_folder_of_the_machine(packed, here):
    package = packed("import pandas as pd\npd.DataFrame({'a': [1]})['b']")
    files = archive.unpacked(package.read_bytes())
    assert b"pandas/" in files[contents.EXECUTED]
    for name, data in files.items():
        assert str(here.home).encode() not in data, name
        assert shutil.__file__.rpartition("/")[0].encode() not in data, name
        assert pytest.__file__.rpartition("/pytest")[0].encode() not in data, name


def test_a_run_that_ends_otherwise_differs(packed, here, there, tmp_path):
    def forge(told):
        told["status"] = "succeeded"
        told["reason"] = {"kind": "completed", "message": "all is well", "cell": None}

    package = signed_again(here, packed("1 / 0"), tmp_path, **{contents.RECORD: forge})
    done = rerun(there, package)
    assert done.verdict is Verdict.DIFFERS
    assert done.notes[0].startswith(
        "it ended otherwise: there completed: all is well, here cell er"
    )


def test_attached_files_travel_and_are_read_again(packed, there, tmp_path):
    own = tmp_path / "doanh thu.csv"
    own.write_text("tinh,doanh_thu\nHà Nội,12\n")
    read = "from sandbox import lab\nprint(lab.attachment('doanh thu.csv').read_text())"
    done = rerun(there, packed(read, attached=[own]))
    assert done.verdict is Verdict.IDENTICAL
    assert done.reason.kind == "completed"


def test_a_run_with_all_its_evidence_is_packed_whole(here, there, tmp_path):
    path = notebooks.write(tmp_path / "x.ipynb", COUNT.replace("grown", "1"), reads=READS)
    run_id = runs.submit(here, path)
    evidence.ask(here, run_id, evidence.Asked(draws=1))
    runs.execute(here, run_id)
    evidence.complete(here, run_id)
    package = exports.export(here, run_id, tmp_path / "evidence.zip").path
    found = exports.verify(there, package)
    assert found.is_whole, found.problems
    assert found.summary()["verdicts"]["reproduced"] == "identical"
    assert {name for name in found.files if name.endswith("/record.json")} == {
        f"executions/{name}/record.json" for name in ("first", "repeat", "null", "draw-1")
    }
    assert rerun(there, package).verdict is Verdict.IDENTICAL


def signed_again(here, package, tmp_path, **changed):
    """Change JSON files of a package as its own signer could, log and hashes included."""
    files = archive.unpacked(package.read_bytes())
    run = json.loads(files[manifest.NAME])["run"]
    rest = {name: data for name, data in files.items() if name not in manifest.OWN}
    for name, change in changed.items():
        told = json.loads(rest[name])
        change(told)
        rest[name] = json.dumps(told).encode()
    rest[contents.JOURNAL] = b""
    out = tmp_path / "again.zip"
    out.write_bytes(archive.packed(manifest.signed(run, rest, {}, keys.signer(here.home))))
    return out


def test_a_signer_who_claims_another_result_is_found_by_executing_again(
    printed, here, there, tmp_path
):
    def forge(told):
        (output,) = told["cells"][0]["outputs"]
        output["text"] = "99\n"

    package = signed_again(here, printed, tmp_path, **{contents.EXECUTED: forge})
    done = rerun(there, package)
    assert done.verdict is Verdict.DIFFERS
    assert done.cells[0]["differences"][0]["first"] == "99"


def test_a_signer_who_shows_other_code_is_found(printed, here, there, tmp_path):
    def forge(told):
        told["cells"][0]["source"] = "print(2)"

    package = signed_again(here, printed, tmp_path, **{contents.EXECUTED: forge})
    done = rerun(there, package)
    assert done.verdict is Verdict.DIFFERS
    assert "has other cells than the submitted one" in done.notes[0]


@pytest.mark.parametrize("nonsense", [{"cells": []}, {"cells": [{"cell_type": "code"}]}], ids=str)
def test_an_executed_notebook_that_is_none_differs(printed, here, there, tmp_path, nonsense):
    def forge(told):
        told.clear()
        told.update(nonsense)

    package = signed_again(here, printed, tmp_path, **{contents.EXECUTED: forge})
    assert rerun(there, package).verdict is Verdict.DIFFERS


def test_rows_that_cannot_be_built_again_are_told(printed, here, there, tmp_path):
    def forge(told):
        told["replicas"][0]["tables"][0]["content_hash"] = "ab" * 24

    forged = signed_again(here, printed, tmp_path, **{"replicas.json": forge})
    with pytest.raises(PackageError, match=r"population.persons is not the same when it is built"):
        rerun(there, forged)


def test_another_version_and_other_packages_are_told(printed, here, there, tmp_path):
    def version(told):
        told["replicas"][0]["version"] = "s0.001-all-seed1-exact-000000000000"

    def package_versions(told):
        told["environment"]["python"] = "3.10.0"
        told["environment"]["packages"]["numpy"] = "1.0"

    changes = {"replicas.json": version, contents.RECORD: package_versions}
    package = signed_again(here, printed, tmp_path, **changes)
    done = rerun(there, package)
    assert [note.split(":")[0] for note in done.notes] == ["population", "Python", "numpy"]


def test_a_package_that_was_changed_is_not_executed(printed, there, tmp_path):
    package = tmp_path / "changed.zip"
    data = bytearray(printed.read_bytes())
    data[-30] ^= 1
    package.write_bytes(data)
    with pytest.raises(PackageError, match="only a whole package"):
        exports.rerun(there, exports.verify(there, package))


def test_the_commands_export_and_verify(here, there, printed, tmp_path):
    out = tmp_path / "command.zip"
    run_id = printed.stem
    done = sandbox(here.home, "run", "export", run_id, "--out", out)
    assert (done.returncode, done.stdout) == (0, f"{out}\n"), done.stderr
    done = sandbox(here.home, "run", "export", run_id, "--out", out)
    assert (done.returncode, done.stdout) == (2, "")
    assert "is there already" in done.stderr
    done = sandbox(there.home, "run", "verify", out)
    assert done.returncode == 0
    assert keys.spaced(keys.signer(here.home).verifier.fingerprint) in done.stdout
    assert "a key that is not known here" in done.stdout
    done = sandbox(there.home, "run", "verify", out, "--rerun", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["whole"], told["trust"]) == (1, True, "unknown")
    assert (told["run"], told["rerun"]["verdict"]) == (run_id, "differs")
    out.write_bytes(out.read_bytes()[:-1] + b"x")
    done = sandbox(there.home, "run", "verify", out, "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["whole"]) == (1, False)
    assert told["problems"]
    assert "Traceback" not in done.stderr
