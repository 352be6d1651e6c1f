"""Use of the network, which no kernel has."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from sandbox.language import N_, Later
from sandbox.preflight.calls import Call, Code
from sandbox.preflight.cells import SYSTEM, Magic
from sandbox.preflight.files import shown
from sandbox.preflight.finding import Finding, error, warning
from sandbox.preflight.places import is_address, reads

CODE = "network"
# Modules of which nearly everything goes out to other machines.
CLIENTS = (
    *("requests", "httpx", "aiohttp", "urllib.request", "urllib3", "http.client", "ftplib"),
    *("smtplib", "imaplib", "poplib", "telnetlib", "xmlrpc.client", "websocket", "websockets"),
    *("boto3", "botocore", "s3fs", "gcsfs", "paramiko", "gspread", "huggingface_hub", "kaggle"),
    *("yfinance", "wbgapi", "wbdata", "pandas_datareader", "selenium", "playwright", "openai"),
    *("psycopg", "psycopg2", "pymysql", "pymongo", "redis", "anthropic", "googleapiclient"),
)
CALLS = re.compile(
    r"socket\.(?:socket|create_connection|create_server|getaddrinfo|gethostbyname\w*)"
    r"|asyncio\.(?:open_connection|start_server)|sklearn\.datasets\.fetch_\w+"
    r"|seaborn\.load_dataset|nltk\.download|torch\.hub\.load\w*"
)
RUNS = {"os.system", "os.popen"} | {
    f"subprocess.{name}"
    for name in ("run", "call", "check_call", "check_output", "Popen", "getoutput")
}
INSTALLS = re.compile(
    r"(?:^|[;&|\s])(?:uv\s+)?(?:pip3?|conda|mamba|uv|apt|apt-get|npm)\s+(?:install|add)\b"
)
GOES_OUT = re.compile(
    r"(?:^|[;&|]\s*)(?:sudo\s+)?(?:curl|wget|ssh|scp|rsync|ftp|gsutil|gcloud|kaggle|nc"
    r"|aws\s+s3|git\s+(?:clone|pull|fetch|push))\s"
)
DATA = Later(
    N_("use a table of the sandbox through lab, or write a small table into a cell; take this out")
)
NO_PACKAGES = Later(N_("packages cannot be installed: a run has no network"))
PRESENT = Later(
    N_("take this line out and use what is installed; ask whoever runs the sandbox for a package")
)


def check(code: Code) -> Iterator[Finding]:
    """Find what goes out to other machines."""
    called: set[str] = set()
    for call in code.calls:
        client = _client(call.name)
        if client:
            called.add(client)
        if client or CALLS.fullmatch(call.name):
            yield _found(call, call.name)
        elif (target := reads(call)) is not None and is_address(text := code.text(target) or ""):
            yield _found(call, shown(text))
        elif call.name in RUNS and call.node.args:
            yield from _command(_words(call.node.args[0], code), *call.place)
    for cell in code.cells:
        for magic in cell.magics:
            yield from _magic(magic, cell.number)
        tried = cell.tried
        for node in cell.nodes:
            for name in imported(node) if getattr(node, "lineno", 0) not in tried else ():
                if (client := _client(f"{name}.")) and client not in called:
                    called.add(client)
                    why = Later(
                        N_("the package {name!r} is for the network, which a run has not"),
                        {"name": name},
                    )
                    remedy = Later(N_("take this import out"))
                    yield warning(CODE, why, remedy, cell.number, cell.line(node))


def imported(node: ast.AST) -> list[str]:
    """Name the modules that a statement imports."""
    if isinstance(node, ast.Import):
        return [one.name for one in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        inner = [f"{node.module}.{one.name}" for one in node.names]
        return [one for one in inner if one in CLIENTS] or [node.module]
    return []


def is_client(module: str) -> bool:
    """Whether a module is for the network only."""
    return _client(f"{module}.") is not None


def install(place: tuple[int, int | None]) -> Finding:
    """Tell that SQL installs an extension."""
    return error(CODE, NO_PACKAGES, PRESENT, *place)


def address(text: str, place: tuple[int, int | None]) -> Finding:
    """Tell that SQL reads an address."""
    return error(CODE, _needs(shown(text)), DATA, *place)


def _found(call: Call, what: str) -> Finding:
    return (warning if call.is_tried else error)(CODE, _needs(what), DATA, *call.place)


def _needs(what: str) -> Later:
    words = N_("this needs the network ({what}); a run has none, and neither has the Lab")
    return Later(words, {"what": what})


def _client(name: str) -> str | None:
    return next((one for one in CLIENTS if name.startswith(f"{one}.")), None)


def _magic(magic: Magic, number: int) -> Iterator[Finding]:
    if magic.name in {"pip", "conda", "mamba", "uv"}:
        yield from _command(f"{magic.name} {magic.line}", number, magic.at)
    elif magic.name in {SYSTEM, "sx", "system"}:
        yield from _command(magic.line, number, magic.at)
    elif magic.name in {"bash", "sh", "script"}:
        for place, line in enumerate((magic.body or "").splitlines(), start=1):
            yield from _command(line.strip(), number, magic.at + place)


def _command(command: str, number: int, line: int) -> Iterator[Finding]:
    if INSTALLS.search(command):
        yield error(CODE, NO_PACKAGES, PRESENT, number, line)
    elif found := GOES_OUT.search(f"{command} "):
        yield error(CODE, _needs(found[0].strip(" ;|&")), DATA, number, line)


def _words(node: ast.expr, code: Code) -> str:
    parts = node.elts if isinstance(node, ast.List | ast.Tuple) else [node]
    return " ".join(code.text(part) or "" for part in parts)
