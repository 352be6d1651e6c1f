"""`sandbox up`: opened, opened twice, its servers killed, stopped, and what is left (nothing)."""

from __future__ import annotations

import http.cookiejar
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import psutil
import pytest

from sandbox import runs
from sandbox.errors import ServerError, SettingsError
from sandbox.settings import Settings
from sandbox.up import ports
from sandbox.up.conduct import work_folder
from synthetic.tables.manifest import find
from synthetic.tables.staging import is_held
from tests.processes import PATIENCE_S, free_port, until
from tests.sandbox import notebooks
from tests.sandbox.upping import Up, gone, status

SLOW_CELL = "import time\ntime.sleep(600)"


@pytest.fixture
def places(tmp_path):
    """A home and a work folder."""
    return tmp_path / "home", tmp_path / "work"


class Client:
    """Somebody who speaks to the workspace's server with its token."""

    def __init__(self, address):
        parts = urlsplit(address)
        self.base = f"{parts.scheme}://{parts.netloc}"
        self.token = parse_qs(parts.query)["token"][0]
        self.opener = urllib.request.build_opener(
            urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        )

    def __call__(self, path, body=None):
        request = urllib.request.Request(
            self.base + path,
            data=None if body is None else json.dumps(body).encode(),
            headers={"Authorization": f"token {self.token}", "Content-Type": "application/json"},
        )
        try:
            with self.opener.open(request, timeout=PATIENCE_S) as answer:
                return answer.status, json.loads(answer.read() or b"null")
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())


def test_the_workspace_opens_and_ctrl_c_leaves_no_process(bubblewrap, places):
    home, work = places
    with Up(home, work, door="workspace") as door:
        facts = door.ready()
        assert status(facts["workspace"]) == 200
        assert status(facts["pages"]) == 200
        client = Client(facts["workspace"])
        code, kernel = client("/api/kernels", {})
        assert code == 201, kernel
        family = door.family()
        assert any("bwrap" in process.name() for process in family)
        second = subprocess.run(
            [sys.executable, "-m", "sandbox.cli", "up", "--no-browser", "--work", str(work)],
            env={**os.environ, "SANDBOX_HOME": str(home), "SANDBOX_LANG": "en"},
            capture_output=True,
            text=True,
            check=False,
        )
        assert second.returncode == 2
        assert "already running" in second.stderr
        assert facts["workspace"] in second.stderr
        assert status(facts["workspace"]) == 200  # the first one goes on
        assert door.stop() == 0
        assert until(lambda: gone(family)), [p for p in family if p.is_running()]
    assert "stopped; your notebooks are in" in door.words
    assert not (home / "up" / "doors.json").exists()


def test_addresses_are_for_their_owner_only(places):
    home, work = places
    with Up(home, work, door="workspace") as door:
        facts = door.ready()
        for process in (psutil.Process(door.process.pid), *door.family()):
            command = " ".join(process.cmdline())
            for address in facts["workspace"], facts["pages"]:
                assert parse_qs(urlsplit(address).query)["token"][0] not in command
        doors = home / "up" / "doors.json"
        assert doors.stat().st_mode & 0o777 == 0o600
        assert (home / "up").stat().st_mode & 0o777 == 0o700
        bare = facts["workspace"].partition("?")[0]
        assert status(f"{bare}api/contents") == 403
        assert status(facts["pages"].partition("?")[0]) == 403


@pytest.mark.slow
def test_a_server_that_is_killed_answers_again_at_the_same_address(bubblewrap, places):
    home, work = places
    with Up(home, work, door="workspace") as door:
        facts = door.ready()
        code, kernel = Client(facts["workspace"])("/api/kernels", {})
        assert code == 201, kernel
        for module, address in (("sandbox.pages", "pages"), ("sandbox.workspace", "workspace")):
            server = door.servers()[module]
            below = server.children(recursive=True)
            server.kill()
            assert door.told("killed by signal 9")
            assert until(lambda a=address: status(facts[a]) == 200)
            assert until(lambda below=below: gone(below)), "kernels of the dead server are left"
            door.said.clear()
        assert door.stop() == 0


@pytest.mark.slow
def test_a_server_that_keeps_dying_ends_it_all_with_words(places):
    home, work = places
    with Up(home, work, door="workspace") as door:
        door.ready()
        family = door.family()
        for n in range(1, 5):
            assert until(lambda: "sandbox.pages" in door.servers())
            door.servers()["sandbox.pages"].kill()
            until(
                lambda n=n: (
                    door.words.count("answers again") == n or door.process.poll() is not None
                )
            )
            if door.process.poll() is not None:
                break
        assert door.process.wait(PATIENCE_S) == 2
        assert until(lambda: gone(family))
    assert "its log is" in door.words


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGHUP, signal.SIGTERM])
def test_nothing_outlives_it_whatever_ends_it(bubblewrap, places, number):
    home, work = places
    # Another `up` on this machine may take the usual ports, or let go of them, at any moment.
    options = ("--port", free_port(), "--pages-port", free_port())
    with Up(home, work, *options, door="workspace") as door:
        facts = door.ready()
        assert Client(facts["workspace"])("/api/kernels", {})[0] == 201
        family = door.family()
        door.stop(number)
        assert until(lambda: gone(family)), [p.cmdline() for p in family if p.is_running()]
    with Up(
        home, work, *options, door="workspace"
    ) as again:  # no lock or port is left behind either
        assert again.ready()["workspace"].partition("?")[0] == facts["workspace"].partition("?")[0]


@pytest.mark.slow
def test_runs_that_go_on_at_the_end_are_queued_again_and_say_so(bubblewrap, places):
    home, work = places
    with Up(home, work, door="workspace") as door:
        facts = door.ready()
        notebooks.write(work / "long.ipynb", SLOW_CELL)
        client = Client(facts["workspace"])
        code, run = client("/sandbox/api/runs", {"path": "long.ipynb", "parameters": {}})
        assert code == 201, run
        assert until(lambda: client(f"/sandbox/api/runs/{run['id']}")[1]["status"] == "running")
        family = door.family()
        assert door.stop() == 0
        assert until(lambda: gone(family))
    assert f"run {run['id']} waits" in door.words
    shown = runs.show(Settings(home=home), run["id"])
    assert (shown["status"], shown["reason"], shown["cells"]) == ("queued", None, [])
    assert (work / "long.ipynb").is_file()


@pytest.mark.slow
def test_the_first_call_builds_and_the_workspace_opens_before_the_showcase_is_done(
    bubblewrap, places
):
    home, work = places
    with Up(home, work) as door:
        facts = door.ready()
        assert not any(run["status"] == "succeeded" for run in runs.listed(Settings(home=home)))
        assert status(facts["workspace"]) == status(facts["pages"]) == 200
        assert until(
            lambda: [r["status"] for r in runs.listed(Settings(home=home))] == ["succeeded"]
        )
        assert "population: 1,295,545 rows" in door.words
        assert door.stop() == 0
    with Up(home, work) as again:
        assert again.ready()["seconds"] < 60
        assert "showcase" not in again.words
        assert len(runs.listed(Settings(home=home))) == 1


@pytest.mark.slow
def test_ctrl_c_during_the_first_build_publishes_nothing(places):
    home, work = places
    with Up(home, work) as door:
        assert until(lambda: door.told("model ready"))
        family = door.family()
        assert door.stop() == 0
        assert until(lambda: gone(family))
    # Finished shards wait for the next build; no list shows them and nobody holds them.
    assert list(find(home / "replicas")) == []
    assert not any(is_held(left) for left in (home / "replicas" / ".staging").glob("*"))


@pytest.mark.slow
def test_without_bubblewrap_it_opens_and_kernels_refuse_with_the_remedy(places, tmp_path):
    home, work = places
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("prlimit", "setpriv"):
        if found := shutil.which(name):
            (programs / name).symlink_to(found)
    with Up(home, work, door="workspace", PATH=str(programs)) as door:
        facts = door.ready()
        assert "bubblewrap" in door.words
        code, answer = Client(facts["workspace"])("/api/kernels", {})
        assert code >= 400
        assert "apt-get install bubblewrap" in answer["message"]
        assert door.stop() == 0


def called(home, work, *options, **environ):
    """Call `up` where it must refuse."""
    return subprocess.run(
        [
            *(sys.executable, "-m", "sandbox.cli", "up", "--no-browser"),
            *("--work", str(work), *map(str, options)),
        ],
        env={**os.environ, "SANDBOX_HOME": str(home), "SANDBOX_LANG": "en", **environ},
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )


@pytest.mark.parametrize("option", ["--port", "--pages-port"])
def test_a_taken_port_is_named_with_the_option_that_chooses_another(places, option):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        done = called(*places, option, port)
    assert done.returncode == 2
    assert f"port {port} cannot be used" in done.stderr
    assert option in done.stderr
    assert "Traceback" not in done.stderr


def test_a_home_that_cannot_be_written_is_told(places, tmp_path):
    (tmp_path / "file").write_text("")
    done = called(tmp_path / "file" / "home", places[1])
    assert done.returncode != 0
    assert str(tmp_path / "file") in done.stderr
    assert "Traceback" not in done.stderr


def test_an_unknown_language_is_refused(places):
    done = called(*places, SANDBOX_LANG="fr")
    assert done.returncode == 2
    assert "'fr'" in done.stderr


@pytest.mark.parametrize(("home", "work"), [("h", "h/work"), ("w/home", "w"), ("same", "same")])
def test_notebooks_and_records_never_lie_in_one_another(tmp_path, home, work):
    with pytest.raises(SettingsError, match="--work"):
        work_folder(Settings(home=tmp_path / home), tmp_path / work)
    assert not (tmp_path / work).exists()


def test_a_link_to_the_home_is_no_way_around(tmp_path):
    (tmp_path / "home").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "home")
    with pytest.raises(SettingsError, match="lie in one another"):
        work_folder(Settings(home=tmp_path / "home"), tmp_path / "link" / "work")


def test_the_next_free_port_is_taken_and_both_differ():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        found = ports.choose(None, port, option="--port")
        assert port < found < port + ports.TRIED
        assert ports.choose(None, found, option="--port", taken={found}) != found
        with pytest.raises(ServerError, match="the other server's port"):
            ports.choose(found, port, option="--port", taken={found})


def test_the_usual_work_folder_lies_in_the_persons_own(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    made = work_folder(Settings(home=tmp_path / ".local/share/sandbox"), None)
    assert made == Path(os.path.realpath(tmp_path)) / "sandbox-work"
    assert made.is_dir()
