"""Packages of runs: what is in them, that the same run gives the same bytes, and what nobody can
change in one without being found."""

from __future__ import annotations

import hashlib
import json
import platform
import random
import shutil
import struct
import subprocess
import warnings
import zipfile
import zlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import settings as laws
from hypothesis import strategies as st

from sandbox import evidence, exports, journal, runs
from sandbox.errors import PackageError, SigningError
from sandbox.exports import archive, contents, manifest, packing
from sandbox.exports.checking import Trust
from sandbox.exports.masks import Masks
from sandbox.journal import keys
from sandbox.runs.states import Status
from sandbox.settings import Settings
from tests.needing import needed
from tests.sandbox import notebooks
from tests.sandbox.ending import ended

AUTHOR, TEAM = "Chị Lan", "đội Sông Hồng"


@pytest.fixture(scope="module")
def place(bubblewrap, tmp_path_factory):
    """A home with a run that has ended."""
    folder = tmp_path_factory.mktemp("máy của Lan")
    settings = Settings(home=folder / "home")
    path = notebooks.write(folder / "thử.ipynb", "1 + 1", parameters="n: int = 3  # số")
    run = ended(
        settings,
        path,
        parameters={"n": 5},
        author=AUTHOR,
        team=TEAM,
        printed=f"File {settings.home}/x.py & {Path.home()}/y.py\n",
    )
    return settings, run


@pytest.fixture(scope="module")
def package(place, tmp_path_factory):
    """Its package."""
    settings, run = place
    out = tmp_path_factory.mktemp("out") / "run.zip"
    exports.export(settings, run.id, out)
    return out


@pytest.fixture
def elsewhere(tmp_path):
    """Another home, which knows no key."""
    return Settings(home=tmp_path / "elsewhere")


@pytest.fixture
def small(tmp_path):
    """A small package, without what only real runs have: files, and what signed them."""
    files = {"report.html": b"<p>1</p>", "dữ liệu.csv": b"a,b\n1,2\n", "empty.txt": b""}
    return manifest.signed("run", files, {}, keys.signer(tmp_path / "signing"))


def whole(path, settings, **options):
    return exports.verify(settings, path, **options)


def changed(path, tmp_path, change):
    """Change the files of a package, and pack them again as we do."""
    files = archive.unpacked(path.read_bytes())
    change(files)
    out = tmp_path / "changed.zip"
    out.write_bytes(archive.packed(files))
    return out


def told(found):
    return [f"{one.file}: {one.message}" for one in found.problems]


# What is in a package.


def test_a_package_holds_the_whole_run(package, place):
    _, run = place
    files = archive.unpacked(package.read_bytes())
    assert sorted(files) == [
        "README.txt",
        "environment/uv.lock",
        "executions/first/executed.ipynb",
        "executions/first/record.json",
        "journal.jsonl",
        "manifest.json",
        "manifest.json.sig",
        "replicas.json",
        "report.html",
        "ro-crate-metadata.json",
        "signer.pem",
        "submission/notebook.ipynb",
        "submission/submission.json",
    ]
    assert files["submission/notebook.ipynb"] == run.notebook.read_bytes()
    assert files["executions/first/record.json"] == run.record_file.read_bytes()
    assert len(files["journal.jsonl"].splitlines()) == 3
    assert b"<script" not in files["report.html"]


def test_the_same_run_gives_the_same_bytes(package, place, tmp_path):
    settings, run = place
    again = exports.export(settings, run.id, tmp_path / "again.zip")
    assert again.path.read_bytes() == package.read_bytes()


ZIP = "4e2e1c023ad41c4deadf58a208f96cfb6c6c5a08afea50bd42d75a3a047b588a"


def test_a_zip_has_the_same_bytes_on_every_machine():
    data = archive.packed({"b": b"1", "a/ă.txt": b"22"})
    assert hashlib.sha256(data).hexdigest() == ZIP
    assert archive.unpacked(data) == {"a/ă.txt": b"22", "b": b"1"}


def test_the_report_is_the_one_of_the_run_without_the_machines_folders(package, place):
    _, run = place
    packed = archive.unpacked(package.read_bytes())["report.html"].decode()
    for line, ours in zip(
        packed.splitlines(), run.report.read_text("utf-8").splitlines(), strict=True
    ):
        assert line == ours or "[sandbox home]" in line
    assert packed.count("[sandbox home]") == 1


def test_nothing_in_a_package_tells_of_the_machine(package, place):
    settings, _ = place
    files = archive.unpacked(package.read_bytes())
    for name, data in files.items():
        for secret in (settings.home, Path.home(), Path(shutil.__file__).parent):
            assert str(secret).encode() not in data, name
        assert f'"{platform.node()}"'.encode() not in data
    executed = files[contents.EXECUTED].decode()
    assert "File [sandbox home]/x.py & [user home]/y.py" in executed


def test_what_was_taken_out_is_told_with_the_hash_of_before(package, place):
    _, run = place
    files = archive.unpacked(package.read_bytes())
    entries = {one["path"]: one for one in json.loads(files[manifest.NAME])["files"]}
    before = entries[contents.EXECUTED]["sha256_before_folders_were_taken_out"]
    assert before == hashlib.sha256(run.executed.read_bytes()).hexdigest()
    assert len(entries[contents.RECORD]) == 3


def test_the_authors_own_notebook_goes_as_it_is_and_that_is_told(bubblewrap, settings, tmp_path):
    path = notebooks.write(tmp_path / "own.ipynb", f"open('{settings.home}/x.csv')")
    run = ended(settings, path)
    done = exports.export(settings, run.id, tmp_path / "own.zip")
    assert done.notes == (
        "submission/notebook.ipynb names folders of this machine; it goes as its author submitted "
        "it",
    )
    assert archive.unpacked(done.path.read_bytes())[contents.NOTEBOOK] == path.read_bytes()
    assert whole(done.path, settings).is_whole


def test_folders_are_found_in_every_form_that_files_have(tmp_path):
    settings = Settings(home=tmp_path / "Lan & Huệ's")
    masks = Masks(settings)
    assert masks(f"{settings.home}/a".encode()) == b"[sandbox home]/a"
    assert masks(json.dumps(f"{settings.home}").encode()) == b'"[sandbox home]"'
    html = f"<p>{settings.home}".replace("&", "&amp;").replace("'", "&#x27;")
    assert masks(html.encode()) == b"<p>[sandbox home]"
    assert masks(f"{settings.home}2".encode()) != b"[sandbox home]2"
    assert masks(b"/usr/lib/x /") == b"/usr/lib/x /"


def test_a_run_that_goes_on_is_not_exported(bubblewrap, settings, write, tmp_path):
    run_id = runs.submit(settings, write("1 + 1"))
    with pytest.raises(PackageError, match="is queued; wait for its end"):
        exports.export(settings, run_id, tmp_path / "early.zip")
    assert not (tmp_path / "early.zip").exists()


def test_a_run_that_was_never_executed_has_nothing_to_export(bubblewrap, settings, write, tmp_path):
    run_id = runs.submit(settings, write("1 + 1"))
    runs.cancel(settings, run_id)
    with pytest.raises(PackageError, match="was never executed, so there is nothing to export"):
        exports.export(settings, run_id, tmp_path / "never.zip")


def test_a_run_that_is_not_the_logged_one_is_not_exported(
    bubblewrap, settings, write, tmp_path, monkeypatch
):
    monkeypatch.setattr(packing, "AT_REST_S", 0.0)
    run = ended(settings, write("1 + 1"))
    record = json.loads(run.record_file.read_text())
    run.record_file.write_text(json.dumps(record | {"results": ["forged"]}))
    with pytest.raises(PackageError, match=r"has another executions/first/record\.json of run"):
        exports.export(settings, run.id, tmp_path / "forged.zip")


def test_evidence_that_is_still_to_come_is_told(bubblewrap, settings, write, tmp_path):
    run = ended(settings, write("1 + 1"))
    evidence.ask(settings, run.id)
    done = exports.export(settings, run.id, tmp_path / "early.zip")
    assert done.notes == ("evidence is still to come; export again when it has arrived",)
    assert whole(done.path, settings).summary()["verdicts"]["reproduced"] == "pending"


def test_an_execution_that_goes_on_stays_out(bubblewrap, settings, write, tmp_path):
    run = ended(settings, write("1 + 1"))
    run.repeat.make()
    shutil.copy(run.record_file, run.repeat.record_file)
    going = json.loads(run.record_file.read_text()) | {"status": "running", "reason": None}
    (run.execution("null")).make()
    run.execution("null").record_file.write_text(json.dumps(going))
    done = exports.export(settings, run.id, tmp_path / "going.zip")
    names = [name for name in archive.unpacked(done.path.read_bytes()) if "record" in name]
    assert names == ["executions/first/record.json", "executions/repeat/record.json"]
    actions = crate_of(done.path, tmp_path).get_by_type("CreateAction")
    assert [one.id for one in actions] == ["#execution-first", "#execution-repeat"]


def test_attached_files_travel_and_that_is_told(bubblewrap, settings, write, tmp_path):
    own = tmp_path / "doanh thu.csv"
    own.write_text("tinh,doanh_thu\nHà Nội,12\n")
    run = ended(settings, write("1 + 1"), attached=[own])
    done = exports.export(settings, run.id, tmp_path / "own.zip")
    assert done.notes == ("1 attached file travels in the package",)
    files = archive.unpacked(done.path.read_bytes())
    assert files[contents.ATTACHED + own.name] == own.read_bytes()
    assert whole(done.path, settings).is_whole


def test_a_file_that_is_there_is_replaced_only_when_asked(place, tmp_path):
    settings, run = place
    out = tmp_path / "there.zip"
    out.write_text("mine")
    with pytest.raises(PackageError, match="is there already; give another name, or --force"):
        exports.export(settings, run.id, out)
    assert out.read_text() == "mine"
    exports.export(settings, run.id, out, force=True)
    assert whole(out, settings).is_whole
    with pytest.raises(PackageError, match="is a folder; name the package's file"):
        exports.export(settings, run.id, tmp_path)


def test_a_place_that_cannot_be_written_leaves_nothing(place, tmp_path):
    settings, run = place
    with pytest.raises(Exception, match="make the folder first"):
        exports.export(settings, run.id, tmp_path / "none" / "run.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_run_is_exported_too(bubblewrap, settings, write, tmp_path):
    run = ended(settings, write("1 / 0"), error="ZeroDivisionError")
    done = exports.export(settings, run.id, tmp_path / "failed.zip")
    found = whole(done.path, settings)
    assert found.is_whole
    assert found.summary()["status"] == "failed"
    actions = crate_of(done.path, tmp_path).get_by_type("CreateAction")
    assert [one["error"] for one in actions] == ["ZeroDivisionError"]


# The description as a Process Run Crate.


def crate_of(package, tmp_path):
    """Read a package with the library, as others do."""
    from rocrate.rocrate import ROCrate

    folder = tmp_path / "crate"
    with zipfile.ZipFile(package) as opened:
        opened.extractall(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return ROCrate(folder)


def test_the_crate_is_a_process_run_crate(package, place, tmp_path):
    _, run = place
    crate = crate_of(package, tmp_path)
    root = crate.root_dataset
    assert root["conformsTo"].id == "https://w3id.org/ro/wfrun/process/0.5"
    assert root["conformsTo"].type == "CreativeWork"
    assert run.id in root["name"]
    assert root["datePublished"] == "2026-11-23T08:00:01.000+00:00"
    assert crate.metadata["conformsTo"] == "https://w3id.org/ro/crate/1.1"
    assert root["mentions"].type == "CreateAction"


def test_the_execution_says_what_was_done_by_whom_with_what(package, tmp_path):
    (action,) = crate_of(package, tmp_path).get_by_type("CreateAction")
    assert action["instrument"].id == "submission/notebook.ipynb"
    assert "SoftwareSourceCode" in action["instrument"].type
    assert action["instrument"]["runtimePlatform"].type == "SoftwareApplication"
    assert (action["agent"].type, action["agent"]["name"]) == ("Person", AUTHOR)
    assert action["agent"]["affiliation"]["name"] == TEAM
    assert {one.id: one.type for one in action["object"]} == {
        "replicas.json": "File",
        "#parameter-n": "PropertyValue",
    }
    assert [one["value"] for one in action["object"][1:]] == ["5"]
    assert {one.id for one in action["result"]} == {
        "executions/first/executed.ipynb",
        "executions/first/record.json",
        "report.html",
    }
    assert action["actionStatus"] == "http://schema.org/CompletedActionStatus"
    assert (action["startTime"], action["endTime"]) == (
        "2026-11-23T08:00:00.000+00:00",
        "2026-11-23T08:00:01.000+00:00",
    )
    assert "error" not in action


def test_the_crate_names_every_file_and_only_what_is_there(package, tmp_path):
    crate = crate_of(package, tmp_path)
    named = {one.id for one in crate.data_entities} | {"ro-crate-metadata.json"}
    assert named == set(archive.unpacked(package.read_bytes()))


# Who signed.


def test_the_signer_is_named_and_how_far_it_is_known(package, place, elsewhere):
    settings, _ = place
    own = keys.signer(settings.home).verifier
    assert whole(package, settings).trust is Trust.OWN
    found = whole(package, elsewhere)
    assert (found.is_whole, found.trust) == (True, Trust.UNKNOWN)
    assert found.signer.fingerprint == own.fingerprint
    assert found.summary()["author"] == AUTHOR
    named = whole(package, elsewhere, key=keys.spaced(own.fingerprint).upper())
    assert (named.is_whole, named.trust) == (True, Trust.NAMED)
    assert not (elsewhere.home / "keys").exists()


def test_a_key_is_named_by_its_file_as_well(package, place, elsewhere, tmp_path):
    settings, _ = place
    file = tmp_path / "lan.pem"
    file.write_bytes(keys.signer(settings.home).verifier.pem.replace(b"\n", b"\r\n"))
    assert whole(package, elsewhere, key=str(file)).trust is Trust.NAMED


def test_another_key_than_the_named_one_is_a_problem(package, elsewhere):
    found = whole(package, elsewhere, key="0" * 64)
    assert told(found)[0].startswith("signer.pem: another key signed it: ")


@pytest.mark.parametrize("given", ["", "12ab", "no/such/file", "\0", "g" * 64])
def test_what_is_no_key_is_told(package, elsewhere, given):
    with pytest.raises(SigningError, match="neither a fingerprint of 64 digits nor a file"):
        whole(package, elsewhere, key=given)


def test_openssl_finds_the_signature_good(package, tmp_path):
    openssl = needed(shutil.which("openssl"), "install openssl")
    with zipfile.ZipFile(package) as opened:
        opened.extractall(tmp_path)
    done = subprocess.run(
        [
            *(openssl, "pkeyutl", "-verify", "-pubin", "-inkey", "signer.pem", "-rawin"),
            *("-in", "manifest.json", "-sigfile", "manifest.json.sig"),
        ],
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


# What is done to a package.


def test_no_flipped_byte_of_a_package_stays_unseen(small, elsewhere):
    data = archive.packed(small)
    assert list(problems(data)) == []
    for at in range(len(data)):
        flipped = bytearray(data)
        flipped[at] ^= 0xFF
        assert problems(bytes(flipped)), f"byte {at} of {len(data)}"


@laws(max_examples=40)
@given(at=st.integers(0, 10**9), bit=st.integers(0, 7))
def test_no_flipped_bit_of_a_real_package_stays_unseen(package, at, bit):
    data = bytearray(package.read_bytes())
    data[at % len(data)] ^= 1 << bit
    assert problems(bytes(data))


def problems(data):
    """Look at a package's bytes as `verify` does."""
    try:
        files = archive.unpacked(data)
    except PackageError as error:
        return [str(error)]
    found = [one.message for one in manifest.problems(files)]
    return found + [message for message in [archive.difference(data, files)] if message]


def test_a_flipped_byte_is_named_by_its_file(package, elsewhere, tmp_path):
    data = package.read_bytes()
    with zipfile.ZipFile(package) as opened:
        entries = {one.filename: one.header_offset for one in opened.infolist()}
    for name, offset in entries.items():
        flipped = bytearray(data)
        flipped[offset + 30 + len(name) + 5] ^= 1  # the sixth byte of its content
        out = tmp_path / "flipped.zip"
        out.write_bytes(flipped)
        assert any(name in one for one in told(whole(out, elsewhere))), name


def test_bytes_added_or_cut_off_are_found(package, elsewhere, tmp_path):
    data = package.read_bytes()
    for other in (data + b"\0", b"\0" + data, data[:-1], data[:100], data[: len(data) // 2], b""):
        out = tmp_path / "other.zip"
        out.write_bytes(other)
        assert not whole(out, elsewhere).is_whole


CHANGES = {
    "a file changed": (
        lambda files: files.update({"report.html": b"<p>forged</p>"}),
        "report.html: it was changed: its hash is not the one in the manifest",
    ),
    "a file removed": (lambda files: files.pop("report.html"), "report.html: it is missing"),
    "a file added": (
        lambda files: files.update({"extra.txt": b""}),
        "extra.txt: it was added: the manifest does not name it",
    ),
    "no manifest": (lambda files: files.pop(manifest.NAME), "manifest.json: it is missing"),
    "no signature": (
        lambda files: files.pop(manifest.SIGNATURE),
        "manifest.json.sig: it is missing",
    ),
    "no key": (lambda files: files.pop(manifest.KEY), "signer.pem: it is missing"),
    "an empty signature": (
        lambda files: files.update({manifest.SIGNATURE: b""}),
        "manifest.json.sig: it does not fit: manifest, signature or key was changed",
    ),
    "another manifest": (
        lambda files: files.update({manifest.NAME: files[manifest.NAME] + b"\n"}),
        "manifest.json.sig: it does not fit: manifest, signature or key was changed",
    ),
    "a key in another form": (
        lambda files: files.update({manifest.KEY: files[manifest.KEY] + b"\n"}),
        "signer.pem: it is not a public key of Ed25519",
    ),
}


@pytest.mark.parametrize("name", CHANGES)
def test_what_is_changed_is_named(package, elsewhere, tmp_path, name):
    change, words = CHANGES[name]
    assert words in told(whole(changed(package, tmp_path, change), elsewhere))


def test_who_signs_it_again_is_another_signer(package, place, elsewhere, tmp_path):
    settings, run = place
    forger = keys.signer(tmp_path / "forger")

    def sign_again(files):
        files[contents.REPORT] = b"<p>forged</p>"
        rest = {name: data for name, data in files.items() if name not in manifest.OWN}
        files.update(manifest.signed(run.id, rest, {}, forger))

    forged = changed(package, tmp_path, sign_again)
    own = keys.signer(settings.home).verifier.fingerprint
    assert "signer.pem: another key signed it" in "".join(told(whole(forged, elsewhere, key=own)))
    # Without a name for the key it still is not the log of the installation that signed.
    assert "journal.jsonl: line 1 is not as the installation wrote it" in told(
        whole(forged, elsewhere)
    )


def resigned(settings, run, files, **more):
    rest = {name: data for name, data in files.items() if name not in manifest.OWN} | more
    return archive.packed(manifest.signed(run.id, rest, {}, keys.signer(settings.home)))


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        (contents.RECORD, b"{}", "has not what such a file has"),
        (contents.RECORD, b"[" * 100_000, "has not what such a file has"),
        (contents.SUBMISSION, b"[]", "has not what such a file has"),
        ("replicas.json", b'{"generator": {}}', "has not what such a file has"),
        (contents.EXECUTED, b"{}", "it is not the one whose hash is in the"),
        (contents.JOURNAL, b"{}\n", "line 1 is not as the installation wrote it"),
        (contents.NOTEBOOK, b"{}", "it is not the notebook that was submitted"),
    ],
    ids=[
        "no record",
        "a deep record",
        "no submission",
        "no recipes",
        "no outputs",
        "no log",
        "other notebook",
    ],
)
def test_a_signer_who_packs_nonsense_is_told_so(package, place, tmp_path, name, data, words):
    settings, run = place
    out = tmp_path / "nonsense.zip"
    files = archive.unpacked(package.read_bytes())
    out.write_bytes(resigned(settings, run, files, **{name: data}))
    assert any(one.startswith(name) and words in one for one in told(whole(out, settings)))


def test_a_record_that_is_not_the_logged_one_is_named(package, place, tmp_path):
    settings, run = place
    files = archive.unpacked(package.read_bytes())
    record = json.loads(files[contents.RECORD]) | {"results": [{"name": "forged"}]}
    out = tmp_path / "forged.zip"
    out.write_bytes(
        resigned(settings, run, files, **{contents.RECORD: json.dumps(record).encode()})
    )
    words = (
        "executions/first/record.json: it is not the one whose hash is in the installation's log"
    )
    assert words in told(whole(out, settings))


# Zips that are no package.


def zipped(tmp_path, *entries, **options):
    """Write a zip of (name or entry, content)."""
    out = tmp_path / "hostile.zip"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of names that are there twice
        with zipfile.ZipFile(out, "w", **options) as opened:
            for name, data in entries:
                opened.writestr(name, data)
    return out


def entry(name, mode=0o100644):
    made = zipfile.ZipInfo(name, archive.MOMENT)
    made.create_system, made.external_attr = 3, mode << 16
    return made


@pytest.mark.parametrize(
    "name",
    [
        *("../evil", "/etc/passwd", "a/../../b", "a//b", "a/", ".", "a/./b", "C:evil", "a\\b"),
        *("a\nb", "a" * 300),
    ],
    ids=lambda name: repr(name[:20]),
)
def test_names_that_leave_the_folder_are_refused(tmp_path, elsewhere, name):
    out = zipped(tmp_path, (entry(name), b"x"))
    assert "is not the name of a plain file" in told(whole(out, elsewhere))[0]


def test_links_programs_and_folders_are_refused(tmp_path, elsewhere):
    for mode in (0o120777, 0o100755, 0o040755, 0o060644):
        out = zipped(tmp_path, (entry("a", mode), b"/etc/passwd"))
        assert "is a link, a folder or a program" in told(whole(out, elsewhere))[0]


def test_bombs_are_refused_before_they_are_unpacked(tmp_path, elsewhere):
    out = zipped(tmp_path, ("a", b"\0" * 10**7), compression=zipfile.ZIP_DEFLATED)
    assert "more than its own size: a zip bomb" in told(whole(out, elsewhere))[0]
    out = zipped(tmp_path, (entry("a"), random.Random(1).randbytes(10)))
    data = out.read_bytes()
    start = struct.unpack("<L", data[-6:-2])[0]
    many = data[:start] + data[start:-22] * 50 + data[-22:-14]  # fifty names for one content
    end = struct.pack("<HHLLH", 50, 50, (len(data) - 22 - start) * 50, start, 0)
    out.write_bytes(many[: len(many)] + end)
    assert not whole(out, elsewhere).is_whole


def test_names_that_are_there_twice_are_refused(tmp_path, elsewhere):
    for other in ("a.txt", "A.TXT"):
        out = zipped(tmp_path, (entry("a.txt"), b"1"), (entry(other), b"2"))
        assert "is there twice" in told(whole(out, elsewhere))[0]


def test_compressed_files_are_refused(tmp_path, elsewhere):
    data = random.Random(1).randbytes(400)
    out = zipped(tmp_path, ("a", data), compression=zipfile.ZIP_DEFLATED)
    assert "is compressed or encrypted" in told(whole(out, elsewhere))[0]


def test_too_many_files_are_refused(tmp_path, elsewhere, monkeypatch):
    monkeypatch.setattr(archive, "MOST_FILES", 3)
    out = zipped(tmp_path, *((entry(str(n)), b"x") for n in range(4)))
    assert told(whole(out, elsewhere)) == ["None: it holds 4 files; no package has more than 3"]


def test_a_file_that_is_too_large_is_refused(tmp_path, elsewhere, monkeypatch):
    monkeypatch.setattr(archive, "LARGEST_BYTES", 1024**2)
    out = tmp_path / "large.zip"
    out.write_bytes(b"\0" * (1024**2 + 1))
    with pytest.raises(PackageError, match="has more than 1 MiB, which no package may have"):
        whole(out, elsewhere)


def test_what_is_no_file_is_told(tmp_path, elsewhere):
    for path, words in ((tmp_path, "is a folder"), (tmp_path / "none.zip", "No such file")):
        with pytest.raises(PackageError, match=words):
            whole(path, elsewhere)


@given(st.binary(max_size=200))
def test_bytes_that_are_no_zip_are_told(data):
    for given_bytes in (data, b"PK\x03\x04" + data, data + b"PK\x05\x06" + bytes(18)):
        assert problems(given_bytes)


def test_a_content_whose_checksum_was_mended_is_still_found(package, elsewhere, tmp_path):
    files = archive.unpacked(package.read_bytes())
    files[contents.RECORD] = files[contents.RECORD].replace(b"succeeded", b"succeedeD", 1)
    out = tmp_path / "mended.zip"
    out.write_bytes(archive.packed(files))
    assert zlib.crc32(files[contents.RECORD])
    assert told(whole(out, elsewhere)) == [
        "executions/first/record.json: it was changed: its hash is not the one in the manifest"
    ]


def test_the_log_says_nothing_of_what_a_run_is_about(place):
    settings, run = place
    lines = journal.lines(settings.home, run.id)
    assert [one["to"] for one in lines] == ["queued", "running", str(Status.SUCCEEDED)]
    assert not any(AUTHOR in str(one) or TEAM in str(one) for one in lines)
