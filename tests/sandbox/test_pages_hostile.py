"""Whatever stands in a run, no page runs it and none fetches anything, in a real browser.

The runs here are worse than any that the supervisor writes: every text of a real run is replaced
by a payload after the fact, and the reports are the payloads themselves, as if the sanitiser had
let everything through.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlsplit

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_output

from sandbox import runs
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from tests.sandbox import notebooks
from tests.sandbox.browsing import chromium
from tests.sandbox.serving import TOKEN, serving

# The fixture too: a web server that hears whatever a page asks for.
from tests.sandbox.test_report_hostile import MARK, PAYLOADS, listener  # noqa: F401

PWNED = "() => document.documentElement.hasAttribute('data-pwned')"
HIDDEN = re.compile("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x00\x07\x1b\x9b]")
MORE = {
    "alert": "<script>alert(1)</script><img src=x onerror=alert(1)>",
    "own script": "<script src='/runs/ID/record.json'></script><script src='/static/progress.js'>",
    "preload": "<link rel=preload as=image href='URL'><link rel=icon href='URL'>",
    "top": "<a href='URL' target=_top id=a>x</a><script>top.location='URL'</script>",
    "frame of ours": "<iframe src='/runs'></iframe><object data='/'></object>",
    "json": '</script><!--<script>{"a": "</title></textarea><img src=\'URL\'>"}',
    "percent": "%(n)s %s {n} {{ n }} {% raw %}",
}


def payloads(url):
    return {
        name: text.replace("MARK", MARK).replace("URL", url)
        for name, text in (PAYLOADS | MORE).items()
    }


def infest(run, text):
    """Put a text wherever a run's files can hold one, and let its report be that text."""
    first = run / "executions" / "first"
    both = {"vi": text, "en": text}
    submission = json.loads((run / "submission" / "submission.json").read_text())
    submission |= {"title": both, "question": both, "author": text, "team": text, "why": text}
    submission |= {"id": text, "notebook_name": text, "notebook_sha256": text}
    submission["template"] = {"name": text, "unchanged": False}
    submission["parameters"] = [
        {"name": text, "type": text, "default": 1, "value": text, "comment": text}
    ]
    submission["inputs"] = [
        {
            "dataset": text,
            "version": text,
            "recipe": {"scale": text, "area": text, "seed": text, "margins": text},
            "manifest_sha256": text,
            "as_of": text,
            "tables": [{"name": text, "rows": text, "content_hash": text, "columns": [text]}],
        }
    ]
    record = json.loads((first / "record.json").read_text())
    record |= {
        "inputs": submission["inputs"],
        "status": "failed",
        "reason": {"kind": text, "message": text, "cell": 0},
        "results": [{"name": both, "value": text, "unit": text, "n": text, "cell": 0}],
        "conclusions": [{"statement": both, "holds": False, "cell": 0}] * 4,
        "runner": {"kind": text, "host_os": text},
        "environment": {"python": text, "platform": text, "packages": {text: text}},
        "limits": {text: text},
        "isolation": {"mechanism": text, "version": text, "note": text, "policy": {text: [text]}},
    }
    step = {"at": text, "from": text, "to": text, "by": text}
    notebook = nbformat.v4.new_notebook(
        cells=[new_code_cell(text, outputs=[new_output("error", ename=text, evalue=text)])],
        metadata={"sandbox": {"limits": both, "reads": {f"published.{text}": []}}},
    )
    for path, value in (
        (run / "submission" / "submission.json", submission),
        (first / "record.json", record),
        (run / "run.json", {"id": text, "status": "failed", "history": [step]}),
        (first / "executed.ipynb", notebook),
    ):
        path.unlink()
        path.write_text(json.dumps(value), encoding="utf-8")
    document = f"<!DOCTYPE html><html><head><title>x</title></head><body><p>hier</p>{text}"
    (run / "report.html").write_text(document, encoding="utf-8", errors="replace")


@dataclass
class Watched:
    """A page that everything is heard of."""

    page: object
    asked: list = field(default_factory=list)
    dialogs: list = field(default_factory=list)

    def __post_init__(self):
        context = self.page.context
        # What a policy refuses is announced too, but never answered; the listener hears the rest.
        context.on("response", lambda response: self.asked.append(response.url))
        context.on("dialog", self._dismiss)

    def _dismiss(self, dialog):
        self.dialogs.append(dialog.message)
        dialog.dismiss()

    def check(self, pages):
        """Nothing ran in any frame, nobody was asked, and only we answered."""
        assert self.dialogs == []
        assert len(self.page.context.pages) == 1
        for frame in self.page.frames:
            assert not frame.evaluate(PWNED), frame.url
        hosts = {urlsplit(url).netloc for url in self.asked if url.startswith("http")}
        assert hosts <= {f"127.0.0.1:{pages.port}", f"localhost:{pages.port}"}
        for url in self.asked:
            parts = urlsplit(url)
            if parts.hostname == "localhost":
                assert parts.path.startswith("/report/"), url


@pytest.fixture(scope="module")
def infested(tmp_path_factory, bubblewrap, listener):  # noqa: F811
    """A home where each payload has a run of its own; gives it with the runs' names."""
    folder = tmp_path_factory.mktemp("hostile")
    settings = Settings(home=folder / "home")
    first = runs.submit(settings, notebooks.write(folder / "real.ipynb", "1/0"))
    runs.execute(settings, first)
    made = {}
    for place, (name, text) in enumerate(payloads(f"{listener[0]}/page").items()):
        made[name] = f"20260101-{place:06d}-abcdef"
        run = Path(shutil.copytree(settings.runs / first, settings.runs / made[name]))
        infest(run, text.replace("ID", made[name]))
    return settings, made


@pytest.fixture(scope="module")
def pages(infested):
    with serving(infested[0].home, language="en") as pages:
        yield pages


@pytest.fixture(scope="module")
def browser(infested):
    """A browser, begun after the runs: it keeps a loop of events that they cannot share."""
    with chromium() as browser:
        yield browser


@pytest.fixture
def watched(browser, pages):
    context = browser.new_context()
    watched = Watched(context.new_page())
    watched.page.goto(f"{pages.origin}/?token={TOKEN}")
    yield watched
    context.close()


@pytest.mark.slow
def test_the_listener_would_hear_a_page_that_is_not_protected(browser, listener, tmp_path):  # noqa: F811
    url, asked = listener
    control = tmp_path / "control.html"
    known = payloads(f"{url}/control")
    control.write_text(f"<!DOCTYPE html><body>{known['onerror']}{known['image']}")
    context = browser.new_context()
    page = context.new_page()
    page.goto(control.as_uri(), wait_until="networkidle")
    assert page.evaluate(PWNED)
    assert "/control" in asked
    asked.clear()
    context.close()


def test_a_report_that_no_sanitiser_saw_runs_nothing(infested, watched, pages, listener):  # noqa: F811
    """Frame, policy and the other host name hold by themselves."""
    _settings, made = infested
    for name in ("script", "onerror", "refresh", "top", "alert"):
        watched.page.goto(f"{pages.origin}/runs/{made[name]}", wait_until="networkidle")
        (frame,) = watched.page.frames[1:]
        assert frame.url.startswith(f"http://localhost:{pages.port}/report/{made[name]}/")
        assert "hier" in frame.content()
        watched.check(pages)
    assert listener[1] == []


@pytest.mark.slow
@pytest.mark.parametrize("name", PAYLOADS | MORE)
def test_no_page_of_a_hostile_run_runs_or_fetches(name, infested, watched, pages, listener):  # noqa: F811
    run_id = infested[1][name]
    address = f"{pages.origin}/runs/{run_id}"
    answer = watched.page.goto(address, wait_until="networkidle")
    assert answer.status == 200
    assert not HIDDEN.search(watched.page.content())
    assert watched.page.locator("h2#downloads").count() == 1  # the page is whole to its end
    assert watched.page.locator("main > section").count() >= 8
    for text in ("details", "summary"):
        for part in watched.page.locator(text).all():
            part.dispatch_event("click")
    watched.check(pages)
    assert watched.page.url == address
    watched.page.goto(f"{address}/report", wait_until="networkidle")  # in a tab of its own
    assert watched.page.url.startswith(f"http://localhost:{pages.port}/report/{run_id}/")
    watched.check(pages)
    assert listener[1] == []


@pytest.mark.slow
def test_lists_of_hostile_runs_run_and_fetch_nothing(infested, watched, pages, listener):  # noqa: F811
    for path in ("/", "/runs", "/runs?page=2", "/runs?state=failed"):
        answer = watched.page.goto(f"{pages.origin}{path}", wait_until="networkidle")
        assert answer.status == 200
        assert watched.page.locator("footer.foot").count() == 1
        assert not HIDDEN.search(watched.page.content())
        watched.check(pages)
    assert watched.page.locator("table tbody tr").count() >= 40
    assert listener[1] == []


@pytest.mark.slow
def test_hostile_words_in_addresses_run_and_fetch_nothing(watched, pages, listener):  # noqa: F811
    # One in six; a test over plain HTTP would not tell what a browser makes of them.
    for text in list(payloads(f"{listener[0]}/address").values())[::6]:
        word = quote(text[:200], errors="replace", safe="")
        for path in (
            *(f"/runs?text={word}&team={word}&state={word}&page={word}", f"/runs/{word}"),
            *(f"/data/search?q={word}", f"/data/{word}", f"/data/population/{word}"),
            *(f"/data/published/{word}", f"/{word}", f"/?token={word}&next={word}"),
        ):
            answer = watched.page.goto(f"{pages.origin}{path}")
            assert answer.status in (200, 303, 404), path
            assert "Traceback" not in watched.page.content()
            watched.check(pages)
    assert listener[1] == []


@pytest.mark.slow
def test_damaged_files_that_hold_payloads_run_nothing(infested, watched, pages, listener):  # noqa: F811
    settings, made = infested
    for name in ("script", "closing", "bidi", "svg script"):
        folder = RunFolder.find(settings, made[name])
        sound = folder.record_file.read_text()
        for broken in (json.dumps({"status": PAYLOADS[name]}), f"{{{PAYLOADS[name]}"):
            folder.record_file.write_text(broken)
            answer = watched.page.goto(f"{pages.origin}/runs/{made[name]}")
            assert answer.status == 410
            watched.check(pages)
        folder.record_file.write_text(sound)
    assert listener[1] == []
