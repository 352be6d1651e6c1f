"""The workspace in a real browser: start page, cards, Submit, reports, and nothing from outside.

`PICTURES=folder` keeps pictures of what the tests see.
"""

from __future__ import annotations

import os
import re
import uuid
from contextlib import contextmanager

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from sandbox import runs
from sandbox.settings import Settings
from tests.processes import free_port
from tests.sandbox import browsing, notebooks, serving
from tests.sandbox.working import TOKEN, begin, working

TEMPLATE = "market_sizing"
QUICK = "number: int = 3  # a number\nprecise: bool = True  # exactly"
ENDLESS = "import time\nwhile True:\n    time.sleep(0.1)"


@pytest.fixture(scope="module")
def browser(bubblewrap):
    """One Chromium for all tests of this file."""
    with browsing.chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=["en", "vi"])
def both(request, replicas, tmp_path_factory):
    """The workspace with the report pages, in each language."""
    with served(replicas, tmp_path_factory.mktemp("both"), request.param) as workspace:
        yield workspace


@pytest.fixture(scope="module")
def site(replicas, tmp_path_factory):
    """The workspace with the report pages, in English."""
    with served(replicas, tmp_path_factory.mktemp("site"), "en") as workspace:
        yield workspace


@pytest.fixture
def alone(tmp_path):
    """A workspace of its own, without report pages."""
    with working(tmp_path / "home", tmp_path / "work") as workspace:
        yield workspace


@contextmanager
def served(home, folder, lang):
    """Serve workspace and report pages, each knowing the other."""
    port = free_port()
    with serving.serving(home, language=lang, workspace=f"http://127.0.0.1:{port}") as pages:
        told = {"url": pages.origin, "token": serving.TOKEN}
        log = folder / "workspace.log"
        with working(home, folder / "work", lang=lang, port=port, pages=told, log=log) as workspace:
            yield workspace


@contextmanager
def opened(browser, workspace, path=None, **options):
    """Open a workspace in the browser; nothing may leave the machine, nothing may go wrong."""
    # A layout of its own, so that no test finds the tabs of another one.
    path = path or f"/lab/workspaces/{uuid.uuid4().hex}"
    with browsing.lab(browser, f"{workspace.url}{path}?token={TOKEN}", **options) as lab:
        yield lab
        assert lab.heard.outside == []
        assert lab.heard.errors == []


def texts(workspace):
    """Give what the extension says in the workspace's language."""
    return workspace.client().get("/sandbox/api/texts").json()


def begins(text):
    """Match what begins with a text up to its first place for a value."""
    return re.compile("^" + re.escape(text.partition("{")[0]))


def picture(lab, workspace, name):
    """Keep a picture where that is wanted."""
    if folder := os.environ.get("PICTURES"):
        lab.picture(folder, f"{name}-{texts(workspace)['start']}")


def write(workspace, name, *cells, parameters=QUICK):
    """Put a notebook into the work folder."""
    notebooks.write(workspace.root / f"{name}.ipynb", *cells, parameters=parameters)
    return f"{name}.ipynb"


def fill(lab, label, value):
    """Type into a field of the form."""
    lab.window.get_by_label(label, exact=True).fill(value)


def send(lab, said):
    """Press the form's button."""
    lab.window.get_by_role("button", name=said["send"], exact=True).click()


def test_the_start_page_is_the_first_tab_and_can_be_opened_again(browser, alone):
    said = texts(alone)
    with opened(browser, alone, "/lab") as lab:
        expect(lab.tabs).to_have_count(1)
        expect(lab.tabs.first).to_contain_text(said["start"])
        expect(lab.start.get_by_role("heading", level=1)).to_be_visible()
        launcher = lab.launcher()
        launcher.get_by_role("button", name=said["start"]).click()
        expect(lab.current_tab).to_contain_text(said["start"])
        expect(lab.tab(said["start"])).to_have_count(1)


@pytest.mark.slow
def test_a_template_is_copied_and_opened_and_never_overwritten(browser, both):
    said = texts(both)
    button = f"form:has(input[name=name][value={TEMPLATE}]) button"
    with opened(browser, both) as lab:
        expect(lab.start.locator(button).first).to_be_visible()
        picture(lab, both, "start")
        lab.start.locator(button).first.click()
        expect(lab.current_tab).to_contain_text(f"{TEMPLATE}.ipynb")
        lab.wait_for_kernel()
        picture(lab, both, "notebook")
        mine = both.root / f"{TEMPLATE}.ipynb"
        mine.write_text(mine.read_text().replace("market", "my own market"))
        kept = mine.read_bytes()
        lab.tab(said["start"]).click()
        lab.start.locator(button).first.click()
        expect(lab.current_tab).to_contain_text(f"{TEMPLATE}-2.ipynb")
        assert mine.read_bytes() == kept


@pytest.mark.slow
def test_the_launcher_offers_guided_notebooks_then_templates_by_domain(browser, both):
    said = texts(both)
    offered = both.client().get("/sandbox/api/templates").json()
    guided = [said["guided"]] if offered["notebooks"] else []
    titles = guided + [domain["title"] for domain in offered["domains"]]
    with opened(browser, both) as lab:
        launcher = lab.launcher()
        for domain in offered["domains"]:
            for template in domain["templates"]:
                card = launcher.locator(f'[data-category="{domain["title"]}"]')
                expect(card.filter(has_text=template["title"])).to_be_visible()
        picture(lab, both, "launcher")
        headings = launcher.locator(".jp-Launcher-sectionTitle").all_inner_texts()
        assert headings[: len(titles)] == titles
        first = offered["domains"][0]["templates"][0]
        launcher.get_by_role("button", name=first["title"]).first.click()
        expect(lab.current_tab).to_contain_text(first["name"])


@pytest.mark.slow
def test_the_palette_opens_a_template(browser, site):
    said = texts(site)
    first = site.client().get("/sandbox/api/templates").json()["domains"][0]["templates"][0]
    with opened(browser, site) as lab:
        expect(lab.start.get_by_role("heading", level=1)).to_be_visible()
        title = said["open_template"].format(title=first["title"])
        lab.command(title, lab.tab(first["name"]))
        expect(lab.current_tab).to_contain_text(first["name"])


@pytest.mark.slow
def test_from_submit_with_a_wrong_and_a_right_value_to_the_report(browser, both):
    said = texts(both)
    client = both.client()
    path = client.post("/sandbox/api/copies", {"kind": "template", "name": TEMPLATE}).json()["path"]
    with opened(browser, both) as lab:
        lab.open(path)
        expect(lab.submit).to_contain_text(said["submit"])
        lab.submit.click()
        fill(lab, "age_from", "hai mươi")
        fill(lab, said["team"], "Nhóm Xanh")
        fill(lab, said["why"], "Tìm nơi mở cửa hàng đầu tiên")
        send(lab, said)
        field = lab.window.get_by_label("age_from", exact=True)
        expect(field).to_have_attribute("aria-invalid", "true")
        expect(field).to_be_focused()
        error, _help = field.get_attribute("aria-describedby").split()
        expect(lab.window.locator(f"#{error}[role=alert]")).to_contain_text("hai mươi")
        picture(lab, both, "form")
        assert field.input_value() == "hai mươi"
        fill(lab, "age_from", "20")
        send(lab, said)
        expect(lab.window.get_by_role("status")).to_have_text(begins(said["cell_of"]))
        bar = lab.window.get_by_role("progressbar")
        expect(bar).to_have_attribute("aria-valuemax", re.compile(r"^[1-9]"))
        picture(lab, both, "progress")
        link = lab.window.get_by_role("link", name=said["open_report"])
        expect(link).to_be_visible()
        expect(link).to_be_focused()
        picture(lab, both, "finished")
        link.click()
        expect(lab.window).to_have_count(0)
        expect(lab.current_tab).to_contain_text(said["reports"])
        expect(lab.pages.get_by_role("heading", level=1)).to_be_visible()
        expect(lab.pages.locator("body")).to_contain_text("Nhóm Xanh")
        report = lab.pages.frame_locator("iframe").get_by_role("heading", level=1)
        expect(report).to_be_visible()
        picture(lab, both, "report")


@pytest.mark.slow
def test_reports_and_data_share_one_tab_that_comes_back_without_its_token(browser, site):
    said = texts(site)
    with opened(browser, site) as lab:
        lab.launcher().get_by_role("button", name=said["reports"]).click()
        expect(lab.pages.get_by_role("heading", level=1)).to_be_visible()
        lab.command(said["data"], lab.tab(said["data"]))
        expect(lab.tab(said["data"])).to_have_count(1)
        expect(lab.tab(said["reports"])).to_have_count(0)
        expect(lab.pages.get_by_role("heading", level=1)).to_be_visible()
        with lab.page.expect_response(
            lambda answer: "/lab/api/workspaces/" in answer.url and answer.request.method == "PUT"
        ) as saved:
            lab.tab(said["start"]).click()
        assert "sandbox-pages" in saved.value.request.post_data
        assert "token=" not in saved.value.request.post_data
        lab.reload()
        expect(lab.tab(said["data"])).to_have_count(1)
        expect(lab.tab(said["start"])).to_have_count(1)


@pytest.mark.slow
def test_without_report_pages_the_tab_says_what_to_do(browser, alone):
    said = texts(alone)
    with opened(browser, alone) as lab:
        lab.launcher().get_by_role("button", name=said["reports"]).click()
        expect(lab.page.get_by_role("alert")).to_contain_text(said["pages_missing"])


@pytest.mark.slow
def test_whoever_arrives_at_a_document_sees_it_and_not_the_start_page(browser, alone):
    path = write(alone, "mine", "print(number)")
    with opened(browser, alone, f"/lab/tree/{path}") as lab:
        expect(lab.current_tab).to_contain_text(path)
        lab.wait_for_kernel()
        expect(lab.tabs).to_have_count(1)


@pytest.mark.slow
def test_a_cell_runs_isolated_and_its_kernel_can_be_interrupted_and_restarted(browser, alone):
    path = write(alone, "mine", "print(number)")
    with opened(browser, alone) as lab:
        lab.open(path)
        expect(lab.run_cell("kept = 6 * 7; print(kept)")).to_contain_text("42")
        expect(lab.run_cell("print(open('its own', 'w').write('kept'))")).to_contain_text("4")
        assert (alone.root / "files" / "mine" / "its own").is_file()
        reach = f"import socket\nsocket.create_connection({alone.url[7:].split(':')!r}, 3)"
        expect(lab.run_cell(reach)).to_contain_text(re.compile("unreachable|refused"))
        output = lab.run_cell(ENDLESS)
        busy = lab.notebook.locator('.jp-Notebook-ExecutionIndicator[data-status="busy"]')
        expect(busy).to_be_visible()
        lab.notebook.locator('[data-command="notebook:interrupt-kernel"]').click()
        expect(output).to_contain_text("KeyboardInterrupt")
        lab.notebook.locator('[data-command="notebook:restart-kernel"]').click()
        lab.page.locator(".jp-Dialog .jp-mod-accept").click()
        expect(lab.page.locator(".jp-Dialog")).to_have_count(0)
        lab.wait_for_kernel()
        expect(lab.run_cell("print(kept)")).to_contain_text("NameError")


@pytest.mark.slow
def test_a_failed_run_says_why_and_the_form_comes_back_as_it_was(browser, alone):
    said = texts(alone)
    path = write(alone, "failing", 'raise ValueError(f"cannot go on with {number}")')
    with opened(browser, alone) as lab:
        lab.open(path)
        lab.submit.click()
        fill(lab, "number", "11")
        lab.window.get_by_label("precise", exact=True).uncheck()
        send(lab, said)
        expect(lab.window.get_by_role("status")).to_have_text(said["failed"])
        expect(lab.window.locator(".vds-reason")).to_contain_text("cannot go on with 11")
        expect(lab.window).to_contain_text("sandbox run show")
        lab.window.get_by_role("button", name=said["again"]).click()
        expect(lab.window.get_by_label("number", exact=True)).to_have_value("11")
        expect(lab.window.get_by_label("precise", exact=True)).not_to_be_checked()


@pytest.mark.slow
def test_a_run_is_cancelled_and_a_double_click_submits_once(browser, alone):
    said = texts(alone)
    path = write(alone, "endless", ENDLESS)
    with opened(browser, alone) as lab:
        lab.open(path)
        lab.submit.dblclick()
        expect(lab.window).to_have_count(1)
        lab.window.get_by_role("button", name=said["send"], exact=True).dblclick()
        expect(lab.window.get_by_role("status")).to_have_text(begins(said["cell_of"]))
        sent = [url for url in lab.heard.urls if re.search(r"/sandbox/api/runs(\?|$)", url)]
        assert len(sent) == 1
        lab.window.get_by_role("button", name=said["cancel_run"]).click()
        expect(lab.window.get_by_role("status")).to_have_text(said["cancelled"])


@pytest.mark.slow
def test_a_closed_window_leaves_the_run_going_and_its_end_is_told(browser, alone):
    said = texts(alone)
    path = write(alone, "short", "import time; time.sleep(4)", "print(number)")
    with opened(browser, alone) as lab:
        lab.open(path)
        lab.submit.click()
        send(lab, said)
        expect(lab.window.get_by_role("status")).to_have_text(begins(said["cell_of"]))
        lab.page.keyboard.press("Escape")
        expect(lab.window).to_have_count(0)
        told = lab.page.locator(".Toastify__toast")
        expect(told).to_contain_text(said["succeeded"])


@pytest.mark.slow
def test_the_form_is_used_by_keyboard_alone_and_axe_finds_nothing_serious(browser, alone):
    said = texts(alone)
    path = write(alone, "mine", "print(number)")
    with opened(browser, alone) as lab:
        lab.open(path)
        lab.command(said["submit"], lab.window)
        expect(lab.window.get_by_label("number", exact=True)).to_be_focused()
        found = Axe().run(lab.page, context="dialog.vds-Dialog").response["violations"]
        assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
        lab.page.keyboard.press("Control+A")
        lab.page.keyboard.type("many")
        lab.page.keyboard.press("Enter")
        expect(lab.window.get_by_label("number", exact=True)).to_have_attribute(
            "aria-invalid", "true"
        )
        lab.page.keyboard.press("Escape")
        expect(lab.window).to_have_count(0)
        lab.command(said["submit"], lab.window)
        expect(lab.window.get_by_label("number", exact=True)).to_have_value("many")


@pytest.mark.slow
def test_a_notebook_that_cannot_be_submitted_says_why(browser, alone):
    said = texts(alone)
    path = write(alone, "wrong", "print(1)", parameters="number: int = len([])")
    with opened(browser, alone) as lab:
        lab.open(path)
        lab.submit.click()
        heading = lab.window.get_by_role("heading", level=2)
        expect(heading).to_have_text(said["not_ready"])
        expect(lab.window.get_by_role("alert")).to_contain_text("number")
        lab.window.get_by_role("button", name=said["close"]).click()
        expect(lab.window).to_have_count(0)


@pytest.mark.slow
def test_the_window_shows_what_the_check_finds_before_anything_is_submitted(browser, both):
    said = texts(both)
    name = f"checked-{said['start']}"
    path = write(both, name, "1", *["1"] * 30, "import numpy as np\nprint(np.random.rand(), later)")
    with opened(browser, both) as lab:
        lab.open(path)
        lab.submit.click()
        heading = lab.window.get_by_role("heading", level=2)
        expect(heading).to_have_text(said["not_ready"])
        for severity in ("error", "warning"):
            part = lab.window.locator(f".vds-{severity}s")
            expect(part.get_by_role("heading")).to_have_text(said[f"checked_{severity}s"])
            expect(part.get_by_role("listitem")).to_have_count(1)
            expect(part.get_by_role("button")).to_have_text(re.compile("33.*2"))
        expect(lab.window.locator(".vds-errors .vds-reason")).to_contain_text("later")
        expect(lab.window.get_by_role("button", name=said["send"], exact=True)).to_have_count(0)
        found = Axe().run(lab.page, context="dialog.vds-Dialog").response["violations"]
        assert [one["id"] for one in found if one["impact"] in {"serious", "critical"}] == []
        picture(lab, both, "stopped")
        lab.window.locator(".vds-errors").get_by_role("button").click()
        expect(lab.window).to_have_count(0)
        chosen = lab.notebook.locator(".jp-CodeCell.jp-mod-selected")
        expect(chosen).to_contain_text("later")
        expect(chosen).to_be_in_viewport()
        picture(lab, both, "shown")


@pytest.mark.slow
def test_warnings_stand_above_the_form_and_go_with_the_run(browser, both):
    said = texts(both)
    path = write(both, f"warned-{said['start']}", "import numpy as np\nprint(np.random.rand())")
    with opened(browser, both) as lab:
        lab.open(path)
        lab.submit.click()
        expect(lab.window.get_by_label("number", exact=True)).to_be_focused()
        expect(lab.window.locator(".vds-warnings .vds-reason")).to_contain_text("rand")
        picture(lab, both, "warned")
        send(lab, said)
        link = lab.window.get_by_role("link", name=said["open_report"])
        expect(link).to_be_visible()
        link.click()
        expect(lab.pages.locator("section[aria-labelledby=findings] li")).to_contain_text("rand")
        lab.pages.locator("#findings").scroll_into_view_if_needed()
        picture(lab, both, "remarks")


@pytest.mark.slow
def test_a_workspace_that_goes_away_and_comes_back_loses_nothing(browser, tmp_path):
    home, root = tmp_path / "home", tmp_path / "work"
    with working(home, root) as first:
        said = texts(first)
        path = write(first, "mine", "print(number)")
        with browsing.lab(browser, f"{first.url}/lab?token={TOKEN}") as lab:
            lab.open(path)
            lab.submit.click()
            fill(lab, "number", "12")
            first.process.kill()
            first.process.wait()
            send(lab, said)
            expect(lab.window.get_by_role("alert").last).to_have_text(said["server_gone"])
            second = begin(home, root, port=int(first.url.rpartition(":")[2]))
            try:
                expect(lab.window.get_by_role("status")).to_have_text(said["succeeded"])
            finally:
                second.stop()
                second.process.stdout.close()
        assert len(runs.listed(Settings(home=home))) == 1
