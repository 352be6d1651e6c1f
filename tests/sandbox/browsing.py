"""A real browser on the workspace: what a person sees and does, and what leaves the machine."""

from __future__ import annotations

import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from playwright.sync_api import TimeoutError, expect, sync_playwright

from tests.needing import needed

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HERE = {"127.0.0.1", "localhost"}
WAIT_MS = 120_000  # machines are slow; a wait ends as soon as what it waits for is there
TRIES = 40  # of what a Lab that is not quite awake can miss

expect.set_options(timeout=WAIT_MS)


@contextmanager
def chromium():
    """Give the system's Chromium, closed afterwards."""
    needed(CHROMIUM, "apt-get install -y chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"]
        )
        yield browser
        browser.close()


@dataclass
class Heard:
    """What a browser did behind the screen."""

    urls: list[str] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    @property
    def outside(self):
        """The addresses on other machines that were asked for."""
        parts = [urlsplit(url) for url in self.urls]
        named = [part for part in parts if part.scheme in {"http", "https", "ws", "wss"}]
        return [part.geturl() for part in named if part.hostname not in HERE]

    def listen(self, context):
        """Hear every page of a context."""
        context.on("request", lambda request: self.urls.append(request.url))
        context.on("page", self._listen_to_page)
        context.on("console", self._keep_error)
        context.on("weberror", lambda error: self._keep(str(error.error)))

    def _listen_to_page(self, page):
        page.on("websocket", lambda socket: self.urls.append(socket.url))

    def _keep_error(self, message):
        if message.type == "error":
            self._keep(f"{message.text} {message.location['url']}")

    def _keep(self, words):
        # A refused form is an answer with status 422, which browsers report as an error.
        if "status of 422" not in words:
            self.errors.append(words)


@contextmanager
def lab(browser, address, *, size=(1440, 900), **options):
    """Open the Lab at an address in a browser of its own and wait until it can be used."""
    width, height = size
    context = browser.new_context(viewport={"width": width, "height": height}, **options)
    context.set_default_timeout(WAIT_MS)
    heard = Heard()
    heard.listen(context)
    page = context.new_page()
    try:
        page.goto(address)
        view = Lab(page, heard)
        view.wait()
        yield view
    finally:
        context.close()


@dataclass
class Lab:
    """The Lab in a browser, by what a person calls things."""

    page: object
    heard: Heard

    def wait(self):
        """Wait until the Lab has started."""
        expect(self.page.locator(".jp-LabShell")).to_be_visible()
        expect(self.page.locator("#jupyterlab-splash")).to_have_count(0)

    def reload(self):
        """Load the page again."""
        self.page.reload()
        self.wait()

    @property
    def tabs(self):
        """The tabs of the main area, left to right."""
        return self.page.locator("#jp-main-dock-panel .lm-DockPanel-tabBar .lm-TabBar-tab")

    @property
    def current_tab(self):
        """The tab that is looked at."""
        return self.page.locator("#jp-main-dock-panel .lm-TabBar-tab.jp-mod-current")

    def tab(self, title):
        """The tab of a title."""
        return self.tabs.filter(has_text=title)

    @property
    def start(self):
        """The start page."""
        return self.page.frame_locator("#sandbox-start iframe")

    @property
    def pages(self):
        """The report pages in their tab."""
        return self.page.frame_locator("#sandbox-pages iframe")

    @property
    def notebook(self):
        """The notebook that is looked at."""
        return self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")

    @property
    def window(self):
        """The window of a submission."""
        return self.page.locator("dialog.vds-Dialog")

    @property
    def submit(self):
        """The Submit button of the notebook that is looked at."""
        return self.notebook.locator(".vds-Submit")

    def launcher(self):
        """Open a new launcher and give it."""
        self.page.locator("#jp-main-dock-panel .lm-TabBar-addButton").first.click()
        launcher = self.page.locator(".jp-Launcher:not(.lm-mod-hidden)")
        expect(launcher).to_be_visible()
        return launcher

    def command(self, label, seen):
        """Choose a command in the command palette, by keyboard, until what it opens is seen.

        A Lab that has just come misses a shortcut, and a tab that takes the focus closes the
        palette: a person presses again.
        """
        box = self.page.locator("#modal-command-palette input")
        found = self.page.locator("#modal-command-palette .lm-mod-active")
        for _ in range(TRIES):
            self.page.keyboard.press("Control+Shift+C")
            with suppress(AssertionError, TimeoutError):
                box.fill(label, timeout=WAIT_MS / TRIES)
                expect(found).to_contain_text(label, timeout=WAIT_MS / TRIES)
                self.page.keyboard.press("Enter")
                expect(seen).to_be_visible(timeout=WAIT_MS / TRIES)
                return
        raise AssertionError(f"the palette did not open {label!r}")

    def open(self, path):
        """Open a document from the list of files and wait until its kernel is idle."""
        item = self.page.locator(".jp-DirListing-item", has_text=path).first
        item.dblclick()
        expect(self.current_tab).to_contain_text(path)
        self.wait_for_kernel()

    def wait_for_kernel(self):
        """Wait until the kernel of the notebook is idle."""
        # The mark beside the kernel's name says `idle` before there is a kernel.
        expect(self.page.locator("#jp-main-statusbar")).to_contain_text("| Idle")

    def run_cell(self, code):
        """Run code in a new cell at the end; gives its output area."""
        cells = self.notebook.locator(".jp-CodeCell")
        count = cells.count()
        self.notebook.locator(".jp-Notebook").focus()
        self.page.keyboard.press("Escape")
        self.page.keyboard.press("b")
        expect(cells).to_have_count(count + 1)
        self.page.keyboard.press("Enter")
        self.page.keyboard.insert_text(code)
        self.page.keyboard.press("Control+Enter")
        return self.notebook.locator(".jp-CodeCell.jp-mod-selected .jp-OutputArea")

    def picture(self, folder, name):
        """Keep a picture of what is seen."""
        Path(folder).mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=Path(folder) / f"{name}.png")
