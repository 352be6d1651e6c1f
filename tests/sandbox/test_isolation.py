"""A notebook that tries to break out: as a kernel started by root, and by an ordinary user."""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack

import pytest

from tests.sandbox import notebooks
from tests.sandbox.commands import REPOSITORY, performed
from tests.sandbox.conftest import TIGHT, user_folder

CANARY = "canary-8d1f"

# Every attempt prints what came of it; the expected end of the line stands beside it.
HELPERS = """
import ctypes, errno, glob, json, os, pathlib, signal, socket, stat, subprocess, sys, time
libc = ctypes.CDLL(None, use_errno=True)

def attempt(action):
    try:
        answer = action()
    except BaseException as error:
        name = errno.errorcode.get(getattr(error, "errno", None) or 0, "")
        print("refused", type(error).__name__, name)
    else:
        print("DONE", str(answer)[:300])

def connect(family, address, kind=socket.SOCK_STREAM):
    with socket.socket(family, kind) as one:
        one.settimeout(3)
        one.connect(address)

def call(name, *arguments):
    if getattr(libc, name)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), name)

def write(path):
    pathlib.Path(path).write_text("x")

def read_all(pattern):
    found = b""
    for path in glob.glob(pattern):
        try:
            found += open(path, "rb").read()
        except OSError:
            pass
    return found
"""

ATTEMPTS = {
    "loopback of the machine": "attempt(lambda: connect(socket.AF_INET, ('127.0.0.1', PORT)))",
    "the internet": "attempt(lambda: connect(socket.AF_INET, ('1.1.1.1', 53)))",
    "the internet by IPv6": "attempt(lambda: connect(socket.AF_INET6, ('2606:4700::1', 53)))",
    "a name on the network": "attempt(lambda: socket.getaddrinfo('example.org', 80))",
    "an abstract socket": "attempt(lambda: connect(socket.AF_UNIX, ABSTRACT))",
    "a socket of the machine": "attempt(lambda: connect(socket.AF_UNIX, SOCKET))",
    "the virtual machine's host": "attempt(lambda: connect(socket.AF_VSOCK, (2, 1024)))",
    "raw network packets": "attempt(lambda: socket.socket(socket.AF_PACKET, socket.SOCK_RAW))",
    "the kernel's ciphers": "attempt(lambda: socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET))",
    "memory without a process": "attempt(lambda: os.memfd_create('x'))",
    "another process's memory": "attempt(lambda: call('ptrace', 16, os.getppid(), 0, 0))",
    "the kernel's log": "attempt(lambda: call('klogctl', 3, ctypes.create_string_buffer(9), 9))",
    "a file of the machine": "attempt(lambda: open(SECRET).read())",
    "the other run's folder": "attempt(lambda: os.listdir(os.path.dirname(SECRET)))",
    "password hashes": "attempt(lambda: open('/etc/shadow').read())",
    "the machine's users": "attempt(lambda: open('/etc/passwd').read().index('daemon'))",
    "the repository": "attempt(lambda: os.listdir(REPOSITORY + '/.git'))",
    "the machine's memory": "attempt(lambda: open('/proc/kcore', 'rb').read(10))",
    "the kernel's settings": "attempt(lambda: write('/proc/sys/kernel/hostname'))",
    "the system": "attempt(lambda: write('/usr/x'))",
    "the root folder": "attempt(lambda: write('/x'))",
    "the devices": "attempt(lambda: write('/dev/x'))",
    "the packages": "attempt(lambda: write(os.path.dirname(json.__file__) + '/x.py'))",
    "our own package": "import sandbox; attempt(lambda: write(sandbox.__path__[0] + '/x.py'))",
    "the connection file": "attempt(lambda: write('/sandbox/connection.json'))",
    "the data, written": "attempt(lambda: write('/sandbox/data/population/persons/part.parquet'))",
    "the data, removed": "attempt(lambda: os.unlink('/sandbox/data/population/persons/part.parquet'))",
    "the data, opened up": "attempt(lambda: os.chmod('/sandbox/data/population/persons', 0o777))",
    "the data, remounted": (
        "attempt(lambda: call('mount', None, b'/sandbox/data/population/persons', None, 32 | 4096,"
        " None))"
    ),
    "a new mount": "attempt(lambda: call('mount', b't', b'/tmp', b'tmpfs', 0, None))",
    "a nested user namespace": "attempt(lambda: call('unshare', 0x10000000))",
    "a new mount namespace": "attempt(lambda: call('unshare', 0x00020000))",
    "root": "attempt(lambda: os.setuid(0))",
    "the machine's root folder": "attempt(lambda: os.chroot('/proc/1/root'))",
    "the first process's files": "attempt(lambda: open('/proc/1/root' + SECRET).read())",
    "the supervisor": "attempt(lambda: os.kill(SUPERVISOR, 0))",
    "a device": "attempt(lambda: os.mknod('/sandbox/work/disk', 0o660 | stat.S_IFBLK, 0x800))",
    "a large /tmp": "attempt(lambda: open('/tmp/x', 'wb').write(b'x' * (17 << 20)))",
    "a large /dev/shm": "attempt(lambda: open('/dev/shm/x', 'wb').write(b'x' * (9 << 20)))",
    "a large file": "attempt(lambda: open('/sandbox/work/x', 'wb').write(b'x' * (31 << 20)))",
    "a key of the machine": "attempt(lambda: open('/proc/keys').read().index('_uid.0'))",
}

OBSERVED = {
    "environments": (
        f"print(b'{CANARY}' in read_all('/proc/[0-9]*/environ'), '{CANARY}' in str(os.environ))",
        "False False",
    ),
    "command lines": (f"print(b'{CANARY}' in read_all('/proc/[0-9]*/cmdline'))", "False"),
    "privileges": (
        "print(os.getuid() != 0, [line.split()[1] for line in open('/proc/self/status')"
        " if line.startswith(('CapEff', 'CapPrm', 'CapBnd', 'NoNewPrivs'))])",
        "True ['0000000000000000', '0000000000000000', '0000000000000000', '1']",
    ),
    "processes": ("print(len(glob.glob('/proc/[0-9]*')) < 10)", "True"),
    "host name": ("print(socket.gethostname())", "sandbox"),
    "network devices": ("print([name for _, name in socket.if_nameindex()])", "['lo']"),
    "open files": (
        "print(sorted({os.readlink(path).split(':')[0] for path in glob.glob('/proc/self/fd/*')"
        " if os.path.lexists(path)} - {'socket', 'anon_inode', 'pipe', '/dev/null'}))",
        "[]",
    ),
    "data": (
        "print(open('/sandbox/data/population/persons/part.parquet').read())",
        "rows",
    ),
    "work": ("open('fine.txt', 'w').write('x'); print(os.getcwd())", "/sandbox/work"),
    "limits": (
        "import resource; print(resource.getrlimit(resource.RLIMIT_CORE)[1],"
        " resource.getrlimit(resource.RLIMIT_FSIZE)[1])",
        f"0 {TIGHT.file_bytes}",
    ),
}

KINDS = ["as root", "as a user"] if os.geteuid() == 0 else ["as a user"]


@pytest.fixture(scope="module", params=KINDS)
def attempts(request, bubblewrap):
    """One run of all attempts, on a machine with something to find."""
    with ExitStack() as stack:
        folder, words = stack.enter_context(user_folder(request.param))
        data = folder / "persons"
        data.mkdir()
        (data / "part.parquet").write_text("rows")
        other = folder / f"other-run-{CANARY}"
        other.mkdir(mode=0o777)
        (other / "secret").write_text(CANARY)
        tcp = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0{CANARY}")
        abstract.listen()
        named = stack.enter_context(socket.socket(socket.AF_UNIX))
        named.bind(str(folder / "socket"))
        named.listen()
        names = {
            "PORT": tcp.getsockname()[1],
            "ABSTRACT": f"\0{CANARY}",
            "SOCKET": str(folder / "socket"),
            "SECRET": str(other / "secret"),
            "REPOSITORY": str(REPOSITORY),
            "SUPERVISOR": os.getpid(),
        }
        sources = [HELPERS + "\n".join(f"{name} = {value!r}" for name, value in names.items())]
        sources += [*ATTEMPTS.values(), *(source for source, _ in OBSERVED.values())]
        path = notebooks.write(folder / "hostile.ipynb", *sources)
        told = {
            "work": str(folder / f"work-{CANARY}"),
            "data": str(data),
            "limits": TIGHT.to_record(),
            "notebook": str(path),
        }
        seen = performed(told, before=words, SECRET=CANARY, HOME=folder)
        assert seen["reason"]["kind"] == "completed", seen["reason"]
        assert (data / "part.parquet").read_text() == "rows"
        names = [*ATTEMPTS, *OBSERVED]
        yield {
            name: notebooks.text_of(seen["notebook"], place + 1).strip()
            for place, name in enumerate(names)
        }


@pytest.mark.parametrize("name", ATTEMPTS)
def test_an_attempt_to_break_out_is_refused(attempts, name):
    assert attempts[name].startswith("refused"), attempts[name]


@pytest.mark.parametrize("name", OBSERVED)
def test_what_a_notebook_sees_is_its_own_small_world(attempts, name):
    assert attempts[name] == OBSERVED[name][1]
