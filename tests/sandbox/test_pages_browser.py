"""The pages in a real browser: what a person sees and does, with and without a script."""

from __future__ import annotations

import http.server
import re
import threading
from contextlib import ExitStack, contextmanager
from types import SimpleNamespace

import pytest
from axe_playwright_python.sync_playwright import Axe

from sandbox import runs
from sandbox.runs import evidenced, workers
from sandbox.runs.folder import RunFolder
from sandbox.runs.verdicts import Verdict
from sandbox.settings import Settings
from tests.processes import until
from tests.sandbox import notebooks
from tests.sandbox.browsing import WAIT_MS, Heard, chromium
from tests.sandbox.serving import TOKEN, serving

CLAIMS = """from sandbox import lab
lab.result("Số hộ cần vay vốn trong sáu tháng tới", 125000, unit="hộ", n=12)
lab.conclude("Hộ nghèo sống ở nông thôn nhiều hơn thành thị", holds=True)
lab.conclude("Giá thuê ở Huế cao hơn Hà Nội", holds=False)
"""
SLOW = ["import time\ntime.sleep(2)", "time.sleep(2)", "time.sleep(2)"]
SERIOUS = {"serious", "critical"}
# The report's frame is another document without scripts; what is in it has tests of its own.
AXE = {"resultTypes": ["violations"], "iframes": False}


@pytest.fixture(scope="module")
def made(tmp_path_factory, bubblewrap, replicas):
    """A home with replicas and runs in three states."""
    folder = tmp_path_factory.mktemp("browsed")
    settings = Settings(home=folder / "home")
    settings.home.mkdir()
    settings.replicas.symlink_to(replicas / "replicas")
    title = {"vi": "Ai ở Đà Nẵng cần vay vốn nhỏ?", "en": "Who in Da Nang needs a small loan?"}

    def submit(name, *sources, **options):
        path = notebooks.write(folder / f"{name}.ipynb", *sources, title=title, **options)
        team = "Vườn ươm Cần Thơ và những người bạn ở đồng bằng sông Cửu Long"
        return runs.submit(settings, path, team=team, author="Nguyễn Thị Ánh", why="thử")

    claims = submit(
        "claims",
        CLAIMS,
        parameters="tuoi: int = 25  # tuổi nhỏ nhất\n",
        reads={"population.persons": ["age", "province_code"]},
    )
    runs.execute(settings, claims)
    evident = submit("evident", CLAIMS)
    runs.execute(settings, evident)
    fails = submit("fails", "gia = {}\ngia['Huế']")
    runs.execute(settings, fails)
    waits = submit("waits", "1")
    return SimpleNamespace(
        settings=settings,
        submit=submit,
        claims=claims,
        evident=evident,
        fails=fails,
        waits=waits,
    )


@pytest.fixture(scope="module")
def pages(made):
    with serving(made.settings.home, language="vi") as pages:
        yield pages


@pytest.fixture(scope="module")
def browser(made):
    """A browser, begun after the runs: it keeps a loop of events that they cannot share."""
    with chromium() as browser:
        yield browser


@contextmanager
def opened(browser, pages, path="/", **options):
    """Open a page as a person does first: with the token's address."""
    context = browser.new_context(**options)
    heard = Heard()
    heard.listen(context)
    try:
        page = context.new_page()
        page.goto(f"{pages.origin}/?token={TOKEN}&next={path}", wait_until="load")
        yield page
        assert heard.outside == []
        # Browsers report a page that is not here as an error too; what it says has tests.
        assert [one for one in heard.errors if "the server responded with" not in one] == []
    finally:
        context.close()


def addresses(made):
    """Every kind of page that there is."""
    return [
        *("/", "/runs", "/runs?text=khong+co+gi", "/runs/20200101-000000-abcdef", "/none"),
        *(f"/runs/{made.claims}", f"/runs/{made.fails}", f"/runs/{made.waits}"),
        *("/data", "/data/population", "/data/population/persons", "/data/published"),
        *("/data/published/admin_provinces_34", "/data/search?q=da+nang", "/data/none"),
    ]


def test_from_the_token_to_a_report_in_its_frame(browser, pages, made):
    with opened(browser, pages) as page:
        assert page.url == f"{pages.origin}/"
        link = page.locator(f"a[href='/runs/{made.claims}']")
        assert link.first.inner_text() == "Ai ở Đà Nẵng cần vay vốn nhỏ?"
        link.first.click()
        assert page.url == f"{pages.origin}/runs/{made.claims}"
        frame = page.frame_locator("iframe.report")
        assert frame.locator("h1").inner_text() == "Ai ở Đà Nẵng cần vay vốn nhỏ?"
        assert page.locator("iframe.report").get_attribute("sandbox") == ""
        cookies = {cookie["name"]: cookie for cookie in page.context.cookies()}
        (session,) = [one for name, one in cookies.items() if name.startswith("sandbox-session")]
        assert session["httpOnly"]
        assert session["sameSite"] == "Strict"
        assert session["domain"] == "127.0.0.1"
        with page.expect_popup() as popup:
            page.locator(f"a[href='/runs/{made.claims}/report']").click()
        popup.value.wait_for_load_state()
        assert popup.value.url.startswith(f"http://localhost:{pages.port}/report/{made.claims}/")
        assert popup.value.locator("h1").inner_text() == "Ai ở Đà Nẵng cần vay vốn nhỏ?"
        assert popup.value.evaluate("window.opener") is None


@pytest.mark.slow
@pytest.mark.parametrize(("scheme", "width"), [("light", 1200), ("dark", 360)])
def test_axe_finds_nothing_serious_on_any_page(browser, pages, made, scheme, width):
    found = {}
    size = {"width": width, "height": 800}
    # Axe is injected; the policy of the pages would rightly stop it.
    context = browser.new_context(color_scheme=scheme, viewport=size, bypass_csp=True)
    page = context.new_page()
    page.goto(f"{pages.origin}/none")
    paths = [*addresses(made)]
    _look_with_axe(page, found, "refused")
    page.goto(f"{pages.origin}/?token={TOKEN}")
    for path in paths:
        page.goto(f"{pages.origin}{path}")
        _look_with_axe(page, found, path)
    context.close()
    assert found == {}


def _look_with_axe(page, found, path):
    result = Axe().run(page, options=AXE)
    serious = [one for one in result.response["violations"] if one["impact"] in SERIOUS]
    if serious:
        found[path] = [(one["id"], [node["html"] for node in one["nodes"]]) for one in serious]


@pytest.mark.slow
@pytest.mark.parametrize("language", ["vi", "en"])
def test_no_page_scrolls_sideways_on_a_phone(browser, pages, made, language):
    with opened(browser, pages, viewport={"width": 360, "height": 740}, is_mobile=True) as page:
        page.context.add_cookies(
            [{"name": "sandbox-language", "value": language, "url": pages.origin}]
        )
        for path in (*addresses(made), "/?token=wrong"):
            page.goto(f"{pages.origin}{path}")
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, path
            assert page.locator("html").get_attribute("lang") == language


@pytest.mark.slow
def test_progress_is_followed_by_the_script_to_the_end(browser, pages, made):
    run_id = made.submit("slow", *SLOW)
    with opened(browser, pages, f"/runs/{run_id}") as page:
        text = page.locator("[data-part=text]")
        waiting = text.inner_text()
        seen = [waiting]
        runs.start(made.settings, run_id)

        def ended():
            if page.locator(".outcome.good").count():
                return True
            # Not waited for: at the end of the run the text gives way to the outcome.
            seen.extend(text.all_inner_texts())
            return False

        page.evaluate("window.stays = true")
        until(ended)
        assert len(set(seen)) > 2
        assert any(re.search(r"2/3|2 of 3", one) for one in seen), seen
        assert not page.evaluate("window.stays === true")  # reloaded once, at the end
        assert page.frame_locator("iframe.report").locator("h1").count() == 1


@pytest.mark.slow
def test_without_a_script_the_page_reloads_itself_to_the_end(browser, pages, made):
    run_id = made.submit("slow", *SLOW)
    with opened(browser, pages, f"/runs/{run_id}", java_script_enabled=False) as page:
        assert page.locator("noscript p").is_visible()
        runs.start(made.settings, run_id)
        page.locator(".outcome.good").wait_for(timeout=WAIT_MS)
        assert page.locator("meta[http-equiv=refresh]").count() == 0
        page.locator(".language button").click()
        assert page.url == f"{pages.origin}/runs/{run_id}"
        assert page.locator("html").get_attribute("lang") == "en"


@pytest.fixture
def evident(made):
    """A run held as by its supervisor, so that no worker of another test brings its evidence."""
    with ExitStack() as held:
        folder = RunFolder.find(made.settings, made.evident)
        until(lambda: held.enter_context(folder.locked()))
        yield made.evident


def arrive(made, run_id, **verdicts):
    """Let evidence arrive as its supervisor writes it, and the report with it."""
    folder = RunFolder.find(made.settings, run_id)
    known = evidenced.written(folder)
    known |= {part: evidenced.told(part, verdict) for part, verdict in verdicts.items()}
    evidenced.write(folder, known)
    evidenced.draw_report(made.settings, folder)


@pytest.mark.slow
@pytest.mark.parametrize("height", [600, 3000])
def test_evidence_is_followed_without_a_reload(browser, pages, made, evident, height):
    run_id = evident
    arrive(made, run_id, reproduced=Verdict.PENDING, fidelity=Verdict.PENDING)
    with opened(
        browser, pages, f"/runs/{run_id}", viewport={"width": 1200, "height": height}
    ) as page:
        line = page.locator("nav.verdicts")
        assert "Đang chạy lại" in line.inner_text()
        assert page.locator("iframe.report").get_attribute("sandbox") == ""
        page.evaluate("window.stays = true")
        report = page.frame_locator("iframe.report").locator("nav.verdicts")
        if height == 3000:
            until(lambda: "Đang chạy lại" in report.inner_text())  # it is there to be read
        arrive(made, run_id, reproduced=Verdict.IDENTICAL)
        until(lambda: "Chạy hai lần cho kết quả giống hệt" in line.inner_text())
        newer = page.locator("[data-part=newer] button")
        if height == 3000:  # the report is in sight, so its reader says when
            newer.wait_for(timeout=WAIT_MS)
            assert "Đang chạy lại" in report.inner_text()
            newer.click()
        until(lambda: "Chạy hai lần cho kết quả giống hệt" in report.inner_text())
        assert not newer.is_visible()
        arrive(made, run_id, fidelity=Verdict.NO_DATA)
        until(lambda: line.get_attribute("data-events") is None)
        assert "Không đọc cột nào" in line.inner_text()
        assert page.evaluate("window.stays") is True
        with page.expect_popup() as popup:
            line.get_by_role("link").first.click()
        popup.value.wait_for_url("**/report.html#reproduced")


@pytest.mark.slow
def test_without_a_script_the_page_says_when_it_looks_for_evidence(browser, pages, made, evident):
    arrive(made, evident, reproduced=Verdict.PENDING, fidelity=Verdict.NO_DATA)
    with opened(browser, pages, f"/runs/{evident}", java_script_enabled=False) as page:
        assert page.locator("noscript p").is_visible()
        assert page.locator("meta[http-equiv=refresh]").get_attribute("content") == "30"
    arrive(made, evident, reproduced=Verdict.IDENTICAL)
    with opened(browser, pages, f"/runs/{evident}", java_script_enabled=False) as page:
        assert page.locator("meta[http-equiv=refresh]").count() == 0


@pytest.mark.slow
def test_words_appear_when_the_pages_are_gone(browser, made):
    # A worker that another test left takes whatever waits.
    until(lambda: not workers.living(made.settings))
    waits = made.submit("waits", "1")
    with serving(made.settings.home) as pages:
        context = browser.new_context()
        page = context.new_page()
        page.goto(f"{pages.origin}/?token={TOKEN}&next=/runs/{waits}")
        trouble = page.locator("[data-part=trouble]")
        assert not trouble.is_visible()
        pages.process.kill()
        trouble.wait_for(state="visible", timeout=WAIT_MS)
        pages.process.wait()
        context.close()


@pytest.mark.slow
def test_all_can_be_done_by_keyboard(browser, pages, made):
    with opened(browser, pages, "/runs") as page:
        page.keyboard.press("Tab")
        focused = page.locator(":focus")
        assert focused.get_attribute("class") == "skip"
        assert focused.bounding_box()["x"] >= 0
        page.keyboard.press("Enter")
        assert page.evaluate("document.activeElement.id") == "content"
        page.locator("#text").focus()
        page.keyboard.type("da nang vay von")
        page.keyboard.press("Enter")
        page.wait_for_url("**/runs?text=da+nang*")
        assert page.locator("tbody tr").count() >= 3
        page.locator("tbody a").first.focus()
        assert page.locator("tbody a").first.evaluate("e => getComputedStyle(e).outlineStyle") == (
            "solid"
        )


@pytest.mark.slow
def test_paper_holds_the_facts_and_no_buttons(browser, pages, made):
    with opened(browser, pages, f"/runs/{made.claims}") as page:
        page.emulate_media(media="print", color_scheme="dark")
        assert not page.locator(".top nav").is_visible()
        assert not page.locator("iframe.report").is_visible()
        assert not page.locator("form.language").is_visible()
        assert page.locator(".on-paper").is_visible()
        assert page.locator("h1").is_visible()
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
            "rgb(255, 255, 255)"
        )
        assert page.pdf().startswith(b"%PDF")


@contextmanager
def framing(address):
    """A page of another origin that shows an address in a frame."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(f"<iframe src='{address[0]}'></iframe>".encode())

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.slow
def test_the_workspace_may_frame_the_pages_and_nobody_else_may(browser, made):
    address = [""]
    with (
        framing(address) as workspace,
        framing(address) as other,
        serving(made.settings.home, workspace=workspace) as pages,
    ):
        address[0] = f"{pages.origin}/?token={TOKEN}&next=/runs/{made.claims}"
        for origin, is_shown in ((workspace, True), (other, False)):
            context = browser.new_context()
            page = context.new_page()
            page.goto(f"{origin}/", wait_until="networkidle")
            inner = page.frame_locator("iframe")
            assert inner.locator("main#content h1").count() == is_shown
            report = inner.frame_locator("iframe.report")
            assert report.locator("main .outcome").count() == is_shown
            context.close()
