"""The measures that limits stand on, each against something whose size is known."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path, PurePosixPath

import pytest

from sandbox.errors import IsolationError, SettingsError
from sandbox.kernels import Limits, Mount, Policy, seccomp
from sandbox.kernels.doorway import PORTS, Doorway, owner, sweep
from sandbox.kernels.folders import DEEPEST, LONGEST, contents, remove, tidy
from sandbox.kernels.interpreter import folders
from sandbox.kernels.policy import MIB
from sandbox.kernels.processes import hidden, memory_bytes, started, tree
from tests.sandbox.commands import REPOSITORY


def test_memory_shared_by_forks_is_counted_once():
    script = (
        "import os, sys, time\n"
        "x = bytearray(b'x' * 80_000_000)\n"
        "for _ in range(4):\n"
        "    if os.fork() == 0: time.sleep(60)\n"
        "print('ready', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"ready\n"
        pids = [one.pid for one in tree(process.pid)]
        assert len(pids) == 5
        assert 80e6 < sum(map(memory_bytes, pids)) < 160e6
        for pid in pids[1:]:
            os.kill(pid, 9)
        process.kill()


def test_files_without_a_name_are_found(tmp_path):
    device = tmp_path.stat().st_dev
    before = hidden([os.getpid()], device=device)
    memory = os.memfd_create("x")
    os.write(memory, b"x" * MIB)
    with (tmp_path / "x").open("wb") as file:
        file.write(b"x" * 3 * MIB)
        file.flush()
        os.fsync(file.fileno())
        (tmp_path / "x").unlink()
        found = hidden([os.getpid()], device=device)
    os.close(memory)
    assert found.memory_bytes - before.memory_bytes == MIB
    assert found.disk_bytes - before.disk_bytes >= 3 * MIB


def test_a_folder_is_measured_without_following_links(tmp_path):
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "file").write_bytes(b"x" * 10_000)
    (tmp_path / "link").symlink_to("/usr")
    found = contents(tmp_path, stop_at=100)
    assert found.n_files == 3
    assert 10_000 <= found.size_bytes < 40_000
    assert contents(tmp_path, stop_at=2).n_files == 3
    assert contents(tmp_path, stop_at=3).problem is None


@pytest.mark.parametrize(("surplus", "is_problem"), [(0, False), (1, True)])
def test_a_path_too_long_to_watch_is_a_problem(tmp_path, surplus, is_problem):
    folder = tmp_path
    while (left := LONGEST + surplus - len(str(folder))) > 0:
        folder = folder / ("d" * (200 if left > 203 else left - 1))
    folder.mkdir(parents=True)
    assert len(str(folder)) == LONGEST + surplus
    assert (contents(tmp_path, stop_at=1000).problem is not None) is is_problem


@pytest.mark.parametrize(("levels", "is_problem"), [(DEEPEST, False), (DEEPEST + 1, True)])
def test_a_folder_too_deep_to_watch_is_a_problem(tmp_path, levels, is_problem):
    (tmp_path / "/".join("d" * levels)).mkdir(parents=True)
    assert (contents(tmp_path, stop_at=1000).problem is not None) is is_problem


def test_tidying_leaves_files_and_folders_only(tmp_path):
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "file").write_text("x")
    (tmp_path / "d" / "file").chmod(0o6755)
    (tmp_path / "d" / "link").symlink_to("/etc")
    os.mkfifo(tmp_path / "pipe")
    assert sorted(tidy(tmp_path)) == ["d/link", "pipe"]
    assert (tmp_path / "d" / "file").stat().st_mode & 0o7777 == 0o755


def test_a_folder_of_any_depth_is_removed(tmp_path):
    script = "import os\nfor _ in range(1500): os.mkdir('d'); os.chdir('d')"
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, check=True)
    assert len(tidy(tmp_path)) == 1
    folder = tmp_path / "folder"
    (folder / "closed").mkdir(parents=True)
    subprocess.run([sys.executable, "-c", script], cwd=folder / "closed", check=True)
    (folder / "closed").chmod(0)
    remove(folder)
    assert not folder.exists()


def test_the_interpreter_is_bound_without_the_repository():
    bound = folders()
    assert all(path.is_dir() for path in bound)
    assert REPOSITORY not in bound
    assert not any(REPOSITORY.is_relative_to(path) for path in bound)
    assert any((REPOSITORY / "sandbox").is_relative_to(path) for path in bound)


def test_a_link_to_the_interpreter_does_not_open_its_folder(bubblewrap, tmp_path):
    programs = tmp_path / "person" / ".local" / "bin"
    programs.mkdir(parents=True)
    (programs / "python3").symlink_to(Path(sys.base_prefix) / "bin" / "python3")
    environment = tmp_path / "environment"
    (environment / "bin").mkdir(parents=True)
    (environment / "bin" / "python").symlink_to(programs / "python3")
    (environment / "pyvenv.cfg").write_text(f"home = {programs}\n")
    script = (
        "from sandbox.kernels import interpreter, isolation\n"
        "print(isolation.probe().message, [str(link) for link, _ in interpreter.hops()])\n"
        f"print(interpreter.holding(interpreter.Path({str(programs)!r})))"
    )
    packages = [path for path in sys.path if path.endswith("-packages")]
    done = subprocess.run(
        [environment / "bin" / "python", "-c", script],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(REPOSITORY), *packages])},
        check=False,
    )
    assert done.stdout == f"bubblewrap works ['{programs / 'python3'}']\nNone\n", done.stderr


def test_a_link_in_a_sockets_place_is_refused():
    doorway = Doorway.open(as_root=False)
    kept = [socket.socket(socket.AF_UNIX) for _ in PORTS]
    try:
        assert not doorway.pin()
        for port, one in enumerate(kept, start=1):
            one.bind(str(doorway.sockets / f"k-{port}"))
        last = doorway.sockets / "k-5"
        last.rename(doorway.sockets / "other")
        last.symlink_to(doorway.sockets / "other")
        with pytest.raises(IsolationError, match=r"something else in the place of .*k-5"):
            doorway.pin()
        last.unlink()
        (doorway.sockets / "other").rename(last)
        assert doorway.pin()
    finally:
        for one in kept:
            one.close()
        doorway.close()
    assert not doorway.folder.exists()


def test_a_killed_supervisors_meeting_place_is_swept_away():
    script = (
        "import os, sys\nfrom sandbox.kernels.doorway import Doorway\n"
        "print(Doorway.open(as_root=False).folder, flush=True)\nos.kill(os.getpid(), 9)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=False
    )
    left = Path(done.stdout.strip())
    assert left.is_dir()
    one, two = Doorway.open(as_root=False), Doorway.open(as_root=False)
    assert not left.exists()
    assert one.folder.is_dir()
    one.close()
    two.close()


def test_a_process_is_named_by_its_start():
    assert started(os.getpid()) == started(os.getpid())
    assert started(2**22 + 1) is None


@pytest.mark.parametrize("machine", seccomp.CALLS)
def test_the_filter_is_whole(machine):
    program = seccomp.program(machine)
    assert len(program) % 8 == 0
    assert len(program) // 8 < 4096
    assert set(seccomp.CALLS["x86_64"]) == set(seccomp.CALLS["aarch64"])


def test_an_unknown_machine_has_no_filter():
    assert seccomp.program("riscv64") is None


@pytest.mark.parametrize("value", [0, -1, 1.5, True, None])
def test_a_limit_is_a_whole_number_above_zero(value):
    with pytest.raises(SettingsError, match="limit wall_s must be a whole number above 0"):
        Limits(wall_s=value)


def test_limits_travel_through_a_record():
    limits = Limits(wall_s=7, files=3)
    assert Limits.from_record(limits.to_record()) == limits


def test_data_are_mounted_below_our_own_folder_only(tmp_path):
    with pytest.raises(SettingsError, match="below /sandbox"):
        Policy(work=tmp_path, data=(Mount(source=tmp_path, target=PurePosixPath("/etc")),))
    with pytest.raises(SettingsError, match="absolute"):
        Mount(source=tmp_path, target=PurePosixPath("x"))


def test_a_process_with_a_strange_name_is_read():
    script = (
        "import ctypes, time; ctypes.CDLL(None).prctl(15, b') R 1 (x', 0, 0, 0)\n"
        "print('ready', flush=True); time.sleep(60)"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as process:
        process.stdout.readline()
        (one,) = tree(process.pid)
        process.kill()
    assert (one.pid, one.parent) == (process.pid, os.getpid())


@pytest.mark.parametrize("number", ["\u00b2", "\u0663", "x", "", "1"])
def test_a_strange_name_among_left_folders_stops_nothing(tmp_path, number):
    here = owner(os.getpid()).split("-")[1]
    (tmp_path / f"sandbox-{here}-{number}-1-x").mkdir()
    sweep(tmp_path)
    assert list(tmp_path.iterdir()) == []
