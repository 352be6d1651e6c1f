"""The privacy statement, tried: nothing real can be read, and no identifier can be a real one."""

from __future__ import annotations

import json
import re
import shutil
import socket
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

import synthetic
from sandbox.kernels.bubblewrap import TOP, top
from sandbox.kernels.interpreter import folders, hops
from synthetic import statistics
from synthetic.evaluation.sql import connect, view
from synthetic.spec.load import packaged
from synthetic.tables.forms import quote
from synthetic.tables.manifest import find
from tests.needing import needed
from tests.processes import PATIENCE_S

PINNED = Path(__file__).parent.parent / "golden" / "content.json"  # built outside, in one process
PACKAGE = Path(next(iter(synthetic.__path__)))


def alone(out, *command):
    """Run a command with the interpreter, the package and one empty folder, and nothing else."""
    program = needed(shutil.which("bwrap"), "apt-get install -y bubblewrap")
    world = ["--unshare-all", "--die-with-parent", "--new-session", "--clearenv"]
    world += ["--ro-bind", "/usr", "/usr", "--proc", "/proc", "--dev", "/dev", "--tmpfs", "/tmp"]
    for name in TOP:
        world += top(Path("/", name))
    ours = {str(PACKAGE), str(PACKAGE.parent / "sandbox")}
    for folder in (*(f for f in folders() if str(f) not in ours), PACKAGE):
        world += ["--ro-bind", str(folder), str(folder)]
    for link, to in hops():
        world += ["--symlink", str(to), str(link)]
    world += ["--bind", str(out), "/out", "--remount-ro", "/", "--chdir", "/out"]
    return subprocess.run(
        [program, *world, "--setenv", "HOME", "/out", sys.executable, *command],
        capture_output=True,
        text=True,
        timeout=10 * PATIENCE_S,
        check=False,
    )


def built_alone(out, *datasets):
    done = alone(
        out, "-m", "synthetic.cli", "build", *datasets, "--scale", "0.001", "--out", "/out"
    )
    assert done.returncode == 0, done.stderr
    return list(find(out))


def contents(manifests):
    return {m.dataset: {t["name"]: t["content_hash"] for t in m.tables} for m in manifests}


def pinned(*datasets):
    kept = json.loads(PINNED.read_text("utf-8"))
    return {dataset: kept[dataset]["exact"] for dataset in datasets}


def test_there_is_nothing_to_read_and_nobody_to_ask(bubblewrap, tmp_path):
    """What the other tests rest on: files beside the package and a listening port are out of reach."""
    secret = tmp_path / "microdata.csv"
    secret.write_text("079099123456,Nguyễn Văn A\n", "utf-8")
    out = tmp_path / "out"
    out.mkdir()
    with socket.create_server(("127.0.0.1", 0)) as server:
        tried = (
            "import os, pathlib, socket, sys\n"
            f"for path in ({str(secret)!r}, {str(PACKAGE.parent / 'tests')!r}, '/home', '/etc/passwd'):\n"
            "    print(pathlib.Path(path).exists())\n"
            f"print(socket.socket().connect_ex(('127.0.0.1', {server.getsockname()[1]})) == 0)\n"
            "print(os.listdir('/out'))\n"
        )
        done = alone(out, "-c", tried)
    assert done.stdout.split("\n") == ["False"] * 5 + ["[]", ""], done.stderr


@pytest.fixture(scope="module")
def everything(bubblewrap, tmp_path_factory):
    """Every packaged dataset, built with nothing but the package."""
    return built_alone(tmp_path_factory.mktemp("everything"))


@pytest.mark.slow
def test_builds_that_can_read_nothing_real_have_the_same_content(everything):
    assert contents(everything) == pinned(*packaged())


def right_tax_code(text):
    """The rule of published.identifier_formats; a remainder of 0 gives no digit."""
    weights = (31, 29, 23, 19, 17, 13, 7, 5, 3)
    return 10 - sum(w * int(d) for w, d in zip(weights, text, strict=False)) % 11 == int(text[9])


def right_card(text):
    """ISO/IEC 7812-1."""
    doubled = (int(d) * (1 + i % 2) for i, d in enumerate(reversed(text)))
    return sum(n - 9 if n > 9 else n for n in doubled) % 10 == 0


PROVINCES = {row["cccd_province_code"] for row in statistics.rows("codes_cccd_and_plates_63")}
PLATES = {
    code
    for row in statistics.rows("codes_cccd_and_plates_63")
    for code in row["plate_codes"].split(";")
}
CARRIERS = {row["prefix"] for row in statistics.rows("codes_mobile_prefixes")}
FOREIGN = set("FJWZ")  # letters that the Vietnamese alphabet lacks

# Kind -> whether the real issuer could give this text to somebody; written apart from the generator.
REAL = {
    "personal_number": lambda text: text[:3] in PROVINCES or text[0] == "0",
    "deceased_number": lambda text: text[:3] in PROVINCES or text[0] == "0",
    "tax_code": right_tax_code,
    "new_tax_code": right_tax_code,
    "mobile_number": lambda text: text[:3] in CARRIERS,
    "enterprise_name": lambda text: not text.endswith("(mô phỏng)"),
    "land_certificate": lambda text: not set(text[:2]) <= FOREIGN,
    "health_card": lambda text: not set(text[:2]) <= FOREIGN,
    "account_number": lambda text: text.startswith("970"),
    "card_number": right_card,
    "vehicle_plate": lambda text: text[:2] in PLATES,
}
# Identifiers that are no kind of their own: a branch's number begins with its enterprise's.
WRITTEN_FROM = {"business_events.establishments.unit_code": "tax_code"}
NAMES = {
    "population.persons.full_name"
}  # may coincide with a living person's: stated, not promised


def columns(manifests):
    return {
        f"{m.dataset}.{table['name']}.{column['name']}": column
        for m in manifests
        for table in m.tables
        for column in table["columns"]
    }


def kind_of(name, described):
    """The kind of an identifier, or of the one that it leads to in the end."""
    while described[name]["identifier"] is None and described[name]["references"]:
        name = described[name]["references"]
    return described[name]["identifier"] or WRITTEN_FROM.get(name)


@pytest.mark.slow
def test_no_issuer_could_have_given_any_identifier_of_any_dataset(everything):
    described = columns(everything)
    looked_at = 0
    with connect({m.dataset: m for m in everything}) as connection:
        for name, column in described.items():
            if column["sensitivity"] != "identifier" or name in NAMES:
                continue
            kind = kind_of(name, described)
            assert kind in REAL, f"{name}: nothing says what makes it unassignable"
            values = distinct(connection, name)
            assert [text for text in values if REAL[kind](text)] == [], name
            looked_at += len(values)
    assert looked_at > 500_000


@pytest.mark.slow
def test_no_text_at_all_looks_like_a_number_of_a_real_person(everything):
    """Of any column, whatever it is called: twelve digits of a province, or a carrier's number."""
    looked_at = 0
    with connect({m.dataset: m for m in everything}) as connection:
        for name, column in columns(everything).items():
            if column["type"] not in ("text", "code"):
                continue
            looked_at += 1
            for text in distinct(connection, name, r"[0-9]{12}|0[0-9]{9}"):
                if len(text) == 12:
                    assert text[:3] not in PROVINCES, name
                elif column["sensitivity"] != "identifier":  # a tax code may begin as a number does
                    assert text[:3] not in CARRIERS, name
    assert looked_at > 150


def distinct(connection: duckdb.DuckDBPyConnection, name, pattern=r"[\s\S]*"):
    dataset, table, column = name.split(".")
    rows = connection.execute(
        f"SELECT DISTINCT CAST({quote(column)} AS VARCHAR) AS value FROM {view(dataset, table)} "
        "WHERE value IS NOT NULL AND regexp_full_match(value, ?)",
        [pattern],
    ).fetchall()
    return [value for (value,) in rows]


def test_the_statement_says_what_holds_and_what_is_not_promised(replicas):
    for manifest in find(replicas / "replicas"):
        told = manifest.data["privacy"]
        for words in ("Không có bản ghi thật nào được đọc", "số định danh", "lần ra", "tình cờ"):
            assert words in told["vi"]
        for words in ("No real record was read", "identifier", "traced", "by chance coincide"):
            assert words in told["en"]
        assert re.search(r"không hứa.*đang sống", told["vi"])
        assert re.search(r"not promised.*living person", told["en"])
