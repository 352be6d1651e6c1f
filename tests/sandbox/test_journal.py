"""The log of an installation: what is in it, that attacks on it show, and that it stops no run."""

from __future__ import annotations

import base64
import hashlib
import json
import shutil
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import journal, runs
from sandbox.errors import SigningError
from sandbox.journal import keys, line, locking
from sandbox.journal.line import Line, Place
from sandbox.runs import logged
from sandbox.runs.folder import RunFolder
from sandbox.runs.states import Status
from sandbox.settings import Settings
from tests.needing import needed
from tests.processes import until
from tests.sandbox.commands import REPOSITORY, sandbox

N = 6
RUN = "20261123-080000-0a1b2c"


@pytest.fixture
def home(tmp_path):
    """A home whose log has some lines."""
    for number in range(N):
        assert journal.append(tmp_path, "state", RUN, to=f"state {number}") == number + 1
    return tmp_path


def log_of(home):
    return home / "journal" / "log.jsonl"


def told(home):
    """Give every finding as one text."""
    return [f"{one.line}: {one.message}" for one in journal.check(home).findings]


def faults(home):
    return [f"{one.line}: {one.message}" for one in journal.check(home).findings if one.is_fault]


def rewrite(home, change):
    """Change the list of the log's lines."""
    texts = log_of(home).read_bytes().splitlines(keepends=True)
    log_of(home).write_bytes(b"".join(change(texts)))


def test_a_log_that_nobody_touched_is_right(home):
    checked = journal.check(home)
    assert [line.facts["seq"] for line in checked.lines] == list(range(1, N + 1))
    assert checked.findings == ()
    assert {key for line in checked.lines for key in line.facts} == {
        *("at", "before", "event", "format", "hash", "run", "seq", "signature", "to"),
    }


def test_an_installation_without_a_log_has_nothing_wrong(tmp_path):
    assert journal.check(tmp_path) == journal.Checked((), ())
    assert not (tmp_path / "keys").exists()


ATTACKS = {
    "edited": (lambda t: [t[0], t[1].replace(b"state 1", b"state 9"), *t[2:]], "2: it was edited"),
    "removed": (
        lambda t: [*t[:2], *t[3:]],
        "3: lines that are missing, or not right, between line 2 and this",
    ),
    "first removed": (
        lambda t: t[1:],
        "1: lines that are missing, or not right, between line 0 and this",
    ),
    "swapped": (lambda t: [t[0], t[2], t[1], *t[3:]], "3: it says that it is line 2, after line 3"),
    "repeated": (lambda t: [*t[:3], t[2], *t[3:]], "4: it says that it is line 3, after line 3"),
    "blank line": (lambda t: [*t[:3], b"\n", *t[3:]], "4: it is no line of the log"),
    "other spacing": (
        lambda t: [t[0].replace(b'":', b'": '), *t[1:]],
        "1: it is no line of the log",
    ),
    "key twice": (lambda t: [b'{"at":"x",' + t[0][1:], *t[1:]], "1: it is no line of the log"),
    "cut off": (lambda t: t[:-1], f"None: the log ends at line {N - 1}, but line {N} was signed"),
    "cut to nothing": (lambda t: [], "None: the log ends at line 0"),
    "cut in a line": (lambda t: [*t[:-1], t[-1][:40]], f"None: the log ends at line {N - 1}"),
}


@pytest.mark.parametrize("name", ATTACKS)
def test_what_is_done_to_the_log_is_found_and_named(home, name):
    change, words = ATTACKS[name]
    rewrite(home, change)
    assert any(one.startswith(words) for one in faults(home)), told(home)


@pytest.mark.parametrize("name", ATTACKS)
def test_it_is_found_also_after_the_log_went_on(home, name):
    change, _ = ATTACKS[name]
    rewrite(home, change)
    assert journal.append(home, "state", RUN, to="more") is not None
    assert faults(home)


@pytest.fixture(scope="module")
def two_lines(tmp_path_factory):
    """A home whose log has two lines, and the bytes of them."""
    home = tmp_path_factory.mktemp("flip")
    journal.append(home, "state", RUN, to="queued")
    journal.append(home, "state", RUN, to="running")
    return home, log_of(home).read_bytes()


@given(position=st.integers(0, 10_000), bit=st.integers(0, 7))
def test_no_flipped_bit_stays_unseen(two_lines, position, bit):
    home, whole = two_lines
    data = bytearray(whole)
    data[position % len(data)] ^= 1 << bit
    log_of(home).write_bytes(data)
    assert faults(home)


def test_a_line_of_another_key_is_no_line_of_ours(home, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    last = journal.check(home).lines[-1].place
    forged = Line.make(keys.signer(other), last, {"event": "state", "run": RUN, "at": "now"})
    with log_of(home).open("ab") as file:
        file.write(forged.to_bytes())
    assert faults(home) == [f"{N + 1}: it is not signed with this installation's key"]


def test_a_log_that_another_key_wrote_whole_is_not_ours(home, tmp_path_factory):
    other = tmp_path_factory.mktemp("other")
    for _ in range(N):
        journal.append(other, "state", RUN, to="forged")
    shutil.copytree(other / "journal", home / "journal", dirs_exist_ok=True)
    assert len(faults(home)) == N + 1  # each line, and the head


def test_a_head_that_is_gone_or_forged_is_told(home):
    head = home / "journal" / "head.json"
    signed = head.read_text()
    for text in ("", "{}", "[]", signed.replace(f'"seq":{N}', f'"seq":{N - 1}')):
        head.write_text(text)
        assert faults(home) == ["None: the log's head is not as it was signed"]
    head.unlink()
    assert faults(home) == ["None: the log's signed head is gone"]


def test_a_log_without_its_key_is_told(home):
    shutil.rmtree(home / "keys")
    assert faults(home) == ["None: there is a log, but no key that signed it"]


def test_a_torn_line_is_told_and_the_log_goes_on(home):
    whole = log_of(home).read_bytes()
    log_of(home).write_bytes(whole + b'{"at":"2026-11-2')  # killed in the middle of a line
    assert faults(home) == []
    assert len(told(home)) == 1
    assert journal.append(home, "state", RUN, to="more") == N + 2  # one line tells of the tear
    assert log_of(home).read_bytes().startswith(whole)
    assert faults(home) == []
    assert told(home) == [
        f"{N + 1}: torn after 16 bytes, as by a process that died; line {N + 1} tells of it"
    ]


def test_a_line_that_lacks_its_end_only_is_kept(home):
    whole = log_of(home).read_bytes()
    log_of(home).write_bytes(whole[:-1])
    journal.append(home, "state", RUN, to="more")
    assert log_of(home).read_bytes().startswith(whole)
    assert told(home) == []


def test_a_tear_that_nothing_tells_of_is_an_edit(home):
    rewrite(home, lambda texts: [*texts[:3], b'{"at":\n', *texts[3:]])
    assert faults(home) == ["4: it is no line of the log: damaged, or edited"]


WRITER = """
import os, sys
from pathlib import Path
from sandbox import journal
for number in range(int(sys.argv[2])):
    journal.append(Path(sys.argv[1]), "state", "run", to=str(number), by=str(os.getpid()))
"""


def writer(home, n):
    """Start a process that writes so many lines."""
    return subprocess.Popen([sys.executable, "-c", WRITER, str(home), str(n)], cwd=REPOSITORY)


@pytest.mark.slow
def test_many_processes_write_one_chain_with_one_key(tmp_path):
    writers = [writer(tmp_path, 25) for _ in range(6)]
    assert [one.wait() for one in writers] == [0] * 6
    checked = journal.check(tmp_path)
    assert len(checked.lines) == 150
    assert checked.findings == ()
    assert sorted(path.name for path in (tmp_path / "keys").iterdir()) == [".lock", "signing.pem"]


@pytest.mark.slow
def test_a_writer_that_is_killed_leaves_a_log_that_goes_on(tmp_path):
    for _ in range(5):
        before = len(journal.check(tmp_path).lines)
        with writer(tmp_path, 10**6) as process:
            until(lambda before=before: len(journal.check(tmp_path).lines) > before + 3)
            process.kill()
    assert journal.append(tmp_path, "state", RUN, to="more") is not None
    assert faults(tmp_path) == []


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path, caplog):
    (tmp_path / "journal").write_text("a file where the folder should be")
    assert journal.append(tmp_path, "state", RUN, to="queued") is None
    assert "the log has no line of run" in caplog.text


def test_a_log_that_somebody_keeps_locked_stops_nothing(home, monkeypatch, caplog):
    monkeypatch.setattr(locking.locked.__wrapped__, "__defaults__", (0.01,))
    with locking.locked(log_of(home)):
        assert journal.append(home, "state", RUN, to="queued") is None
    assert "is locked by another process" in caplog.text


def test_the_key_is_its_owners_alone_and_stays_the_same(tmp_path):
    made = keys.signer(tmp_path).verifier
    path = tmp_path / "keys" / "signing.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    assert keys.signer(tmp_path).verifier.fingerprint == made.fingerprint
    assert keys.existing(tmp_path).verifier.pem == made.pem


def test_a_key_that_is_none_is_told_and_not_replaced(tmp_path):
    path = tmp_path / "keys" / "signing.pem"
    path.parent.mkdir()
    path.write_text("not a key")
    with pytest.raises(SigningError, match="is not an Ed25519 key"):
        keys.signer(tmp_path)
    assert path.read_text() == "not a key"


def test_our_keys_are_those_of_the_standard(tmp_path):
    from cryptography.hazmat.primitives.serialization import (
        Encoding,
        PublicFormat,
        load_pem_private_key,
        load_pem_public_key,
    )

    signer = keys.signer(tmp_path)
    private = load_pem_private_key((tmp_path / "keys" / "signing.pem").read_bytes(), None)
    public = load_pem_public_key(signer.verifier.pem)
    assert private.private_bytes_raw() == signer.key.private_bytes_raw()
    assert public.public_bytes_raw() == signer.key.public_key().public_bytes_raw()
    assert public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo) == (
        signer.verifier.pem
    )


def test_a_signature_has_one_form(tmp_path):
    signer = keys.signer(tmp_path)
    signature = base64.b64encode(signer.sign(b"data")).decode()
    assert line.signed(signer.verifier, signature, b"data")
    for other in (signature + "\n", signature.rstrip("="), "", "é", None, 3):
        assert not line.signed(signer.verifier, other, b"data")
    assert not line.signed(signer.verifier, signature, b"date")


@given(st.binary(max_size=60))
def test_what_is_no_line_and_no_head_reads_as_none(data):
    assert Line.read(data) is None
    assert Place.read(data) is None


@pytest.mark.parametrize(
    "text",
    [
        b"[" * 100_000,
        b'{"seq":NaN}',
        b'{"seq":' + b"9" * 5000 + b"}",
        b'{"at":"","before":"","event":"","hash":"","run":"","seq":true,"signature":""}',
    ],
    ids=["deep", "no number", "a long number", "a truth for a number"],
)
def test_a_hostile_line_reads_as_none(text):
    assert Line.read(text) is None


# What runs write into the log, and what is told where they do not agree with it.


@pytest.fixture
def queued(bubblewrap, settings, write):
    """A run that is queued."""
    return RunFolder.find(settings, runs.submit(settings, write("1 + 1"), author="Chị Lan"))


def ended(folder):
    """Move a run to its end as a supervisor does."""
    folder.move(Status.RUNNING, by="supervisor 17")
    folder.first.make()
    folder.record_file.write_text(json.dumps({"status": "succeeded"}))
    folder.move(Status.SUCCEEDED, by="supervisor 17")


def disagreements(settings):
    found = logged.disagreements(settings, journal.check(settings.home))
    return [str(one.message) for one in found if one.is_fault]


def test_each_change_of_state_is_a_line_without_content(queued, settings):
    ended(queued)
    found = journal.lines(settings.home, queued.id)
    assert [(one.get("from"), one["to"], one["by"]) for one in found] == [
        (None, "queued", "author"),
        ("queued", "running", "supervisor"),
        ("running", "succeeded", "supervisor"),
    ]
    assert {"notebook", "submission", "record"} <= found[-1].keys()
    assert "Lan" not in log_of(settings.home).read_text()
    assert disagreements(settings) == []


def test_a_step_that_is_refused_is_not_logged(queued, settings):
    with pytest.raises(Exception, match="cannot become"):
        queued.move(Status.SUCCEEDED, by="supervisor 17")
    assert len(journal.lines(settings.home, queued.id)) == 1


def test_a_record_that_was_changed_is_named(queued, settings):
    ended(queued)
    queued.record_file.write_text(json.dumps({"status": "succeeded", "results": ["forged"]}))
    assert disagreements(settings) == [
        "record.json is not the one whose hash is in line 3 of the log"
    ]
    queued.record_file.unlink()
    assert disagreements(settings) == ["record.json is gone; line 3 of the log has its hash"]


def test_a_state_that_was_changed_is_named(queued, settings):
    ended(queued)
    queued.state_file.write_text(queued.state_file.read_text().replace("succeeded", "failed"))
    assert disagreements(settings) == [
        "its folder says failed; the log's last word, in line 3, is succeeded"
    ]


def test_a_log_that_was_thrown_away_is_told_by_the_runs(queued, settings):
    shutil.rmtree(settings.home / "journal")
    assert disagreements(settings) == [
        "its folder says that it was logged, and the log has no line of it"
    ]


def test_a_run_older_than_the_log_is_no_fault(queued, settings):
    shutil.rmtree(settings.home / "journal")
    state = json.loads(queued.state_file.read_text())
    del state["history"][0]["log"]
    queued.state_file.write_text(json.dumps(state))
    assert disagreements(settings) == []
    (told,) = logged.disagreements(settings, journal.check(settings.home))
    assert "older than the log" in str(told.message)


def test_a_run_without_a_log_ends_all_the_same(queued, settings):
    shutil.rmtree(settings.home / "journal")
    (settings.home / "journal").write_text("in the way")
    ended(queued)
    assert queued.status() is Status.SUCCEEDED


def test_the_command_tells_what_is_wrong(home):
    rewrite(home, lambda texts: [*texts[:2], *texts[3:]])
    done = sandbox(home, "log", "verify")
    assert done.returncode == 1
    assert (
        done.stdout
        == "line 3: lines that are missing, or not right, between line 2 and this one: 1\n"
    )


@pytest.mark.slow
def test_the_commands_give_json_and_the_key(home):
    done = sandbox(home, "log", "verify")
    assert (done.returncode, done.stdout) == (0, f"{N} lines of the log are right\n")
    facts = json.loads(sandbox(home, "log", "verify", "--json").stdout)
    assert (facts["whole"], facts["lines"], facts["findings"]) == (True, N, [])
    facts = json.loads(sandbox(home, "log", "key", "--json").stdout)
    assert facts["fingerprint"] == keys.signer(home).verifier.fingerprint
    assert facts["public_key"].startswith("-----BEGIN PUBLIC KEY-----")


def test_openssl_gives_the_same_fingerprint(home, tmp_path):
    openssl = needed(shutil.which("openssl"), "install openssl")
    public = tmp_path / "public.pem"
    public.write_bytes(keys.signer(home).verifier.pem)
    told = [openssl, "pkey", "-pubin", "-in", public, "-outform", "DER"]
    der = subprocess.run(told, capture_output=True, check=True).stdout
    assert hashlib.sha256(der).hexdigest() == keys.signer(home).verifier.fingerprint


def test_the_settings_name_the_home_of_keys_and_log(tmp_path):
    assert Settings(home=tmp_path).keys == tmp_path / keys.FOLDER
