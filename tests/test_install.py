"""What a newcomer installs: the wheel in an empty place, the README's commands, every Python."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tests.needing import needed
from tests.processes import PATIENCE_S, until
from tests.sandbox.upping import status

ROOT = Path(__file__).parent.parent
PYTHONS = ("3.11", "3.12", "3.13")


@pytest.fixture(scope="session")
def uv():
    return needed(shutil.which("uv"), "pip install uv")


def run(*command, **options):
    result = subprocess.run(
        [str(c) for c in command], capture_output=True, text=True, check=False, **options
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result


@pytest.fixture(scope="session")
def wheel(uv, tmp_path_factory):
    folder = tmp_path_factory.mktemp("wheel")
    run(uv, "build", "--wheel", "--out-dir", folder, ROOT)
    (path,) = folder.glob("*.whl")
    return path


def clean(home, **more):
    """An environment of nobody's: no home, no virtual environment."""
    kept = {k: v for k, v in os.environ.items() if k.startswith(("PATH", "LANG", "PIP", "SSL"))}
    kept |= {k: v for k, v in os.environ.items() if k.startswith(("UV_", "PYENV"))}
    kept |= {"UV_CACHE_DIR": os.environ.get("UV_CACHE_DIR", str(Path.home() / ".cache" / "uv"))}
    return {**kept, "HOME": str(home), **more}


@pytest.mark.slow
def test_the_wheel_holds_specs_models_statistics_templates_and_notebooks(wheel):
    names = zipfile.ZipFile(wheel).namelist()
    for wanted in (
        "sandbox/_templates/market_sizing.ipynb",
        "sandbox/_notebooks/images/workspace.png",
        "sandbox/runs/report/report.html.j2",
        "sandbox/locale/vi/LC_MESSAGES/sandbox.mo",
        "sandbox/workspace/labextension/@vietnam-data-sandbox/workspace/static/remoteEntry.js",
        "synthetic/specs/population.toml",
        "synthetic/statistics/data/sources.csv",
    ):
        assert wanted in names
    assert any(re.fullmatch(r"synthetic/models/\w+\.npz", name) for name in names)
    assert any(re.fullmatch(r"synthetic/models/margins-\w+\.json\.gz", name) for name in names)
    assert not any(name.startswith("tests") for name in names)


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.usefixtures("bubblewrap")
def test_the_wheel_runs_from_an_empty_folder(uv, wheel, tmp_path):
    environment, empty = tmp_path / "env", tmp_path / "empty"
    empty.mkdir()
    environ = clean(empty)
    run(uv, "venv", "--python", sys.executable, environment, env=environ)
    run(uv, "pip", "install", "--python", environment / "bin" / "python", wheel, env=environ)
    result = run(environment / "bin" / "sandbox", "demo", "--json", cwd=empty, env=environ)
    facts = json.loads(result.stdout)
    assert facts["status"] == "succeeded"
    assert facts["isolation"]["mechanism"] == "bubblewrap"
    assert Path(facts["report"]).is_relative_to(empty / ".local" / "share" / "sandbox")
    opened_and_closed([environment / "bin" / "sandbox", "up"], cwd=empty, env=environ)
    assert (empty / "sandbox-work").is_dir()


def opened_and_closed(command, **options):
    """Keep the doors open until the showcase is done, then stop them as a person does."""
    process = subprocess.Popen(
        [*map(str, command), "--no-browser", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )
    try:
        facts = json.loads(process.stdout.readline() or "{}")
        answers = [status(facts[name]) for name in ("workspace", "pages")] if facts else []
        home = Path(options["env"]["HOME"]) / ".local" / "share" / "sandbox"
        reports = until(lambda: list(home.glob("runs/*/report.html")), 2 * PATIENCE_S)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=PATIENCE_S)[1]
    finally:
        process.kill()
    assert answers == [200, 200], said
    assert reports, said
    assert process.returncode == 0, said


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_every_python_makes_the_same_content(uv, tmp_path):
    found = {}
    for version in PYTHONS:
        looked = subprocess.run(
            [uv, "python", "find", version], capture_output=True, text=True, check=False
        )
        needed(looked.returncode == 0, f"uv python install {version}")
        command = ["run", "--isolated", "--no-dev", "--python", version, "synthetic", "build"]
        options = ["--scale", "0.0005", "--out", tmp_path / version, "--json"]
        result = run(uv, *command, *options, cwd=ROOT)
        found[version] = [r["tables"] for r in json.loads(result.stdout)["replicas"]]
    assert found["3.11"] == found["3.12"] == found["3.13"]


def readme_commands():
    """Every command of the README that a shell is to run, one a line."""
    text = (ROOT / "README.md").read_text("utf-8")
    for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL):
        for line in block.splitlines():
            command = line.partition(" #")[0].strip()
            if command:
                yield command


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.usefixtures("bubblewrap")
def test_every_command_of_the_readme_runs(tmp_path):
    commands = list(readme_commands())
    assert commands[0] == "uv run sandbox up"
    assert "uv run pytest" in commands
    home = {**os.environ, "HOME": str(tmp_path), "SANDBOX_HOME": ""}
    home.pop("SANDBOX_HOME")
    installed = Path(sys.executable).parent
    for command in commands:
        words = command.removeprefix("uv run ").split()
        assert command.startswith("uv run ")
        if words == ["pytest"]:
            continue  # this is it
        if "ID" in words:  # of a run, as `sandbox run list` names it
            listed = run(installed / "sandbox", "run", "list", "--json", cwd=ROOT, env=home).stdout
            words[words.index("ID")] = json.loads(listed)["runs"][0]["id"]
        program = installed / words[0]
        arguments = [word.replace("~", str(tmp_path)) for word in words[1:]]
        if arguments == ["up"]:
            opened_and_closed([program, "up"], cwd=ROOT, env=home)
            continue
        run(program, *arguments, cwd=ROOT, env=home)


def test_the_readme_stays_honest_about_its_picture():
    text = (ROOT / "README.md").read_text("utf-8")
    for picture in re.findall(r'src="([^"]+)"', text):
        assert (ROOT / picture).is_file()


def test_the_lock_is_up_to_date(uv):
    run(uv, "lock", "--check", "--offline", cwd=ROOT)
