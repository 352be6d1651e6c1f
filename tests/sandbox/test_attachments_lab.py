"""A founder's own files in the Lab: read beside the notebook, shown in the window, sent along.

`PICTURES=folder` keeps pictures of what the tests see.
"""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from sandbox import runs
from sandbox.settings import Settings
from tests.sandbox import browsing, foreign, notebooks
from tests.sandbox.test_workspace_browser import opened, picture, send, served, texts

pytestmark = pytest.mark.slow
EMAILS = "ma,email\n01,an@gmail.com\n79,binh@gmail.com\n"
READS = "from sandbox import lab\nopen(lab.attachment('customers.csv')).read().count('\\n')"
LATER = "con = lab.connect()\nprint(con.sql('SELECT sum(so) FROM attached.later').fetchall())"


@pytest.fixture(scope="module")
def browser(bubblewrap):
    """One Chromium for all tests of this file."""
    with browsing.chromium() as browser:
        yield browser


@pytest.fixture(scope="module", params=["en", "vi"])
def site(request, replicas, tmp_path_factory):
    """The workspace with the report pages, in each language."""
    with served(replicas, tmp_path_factory.mktemp("site"), request.param) as workspace:
        yield workspace


def test_a_file_beside_the_notebook_is_read_in_a_cell(browser, site):
    foreign.csv(site.root, text=EMAILS)
    notebooks.write(site.root / "scratch.ipynb", "1")
    with opened(browser, site) as lab:
        lab.open("scratch.ipynb")
        seen = lab.run_cell(
            f"{READS}\nprint(lab.table('attached.customers').count('ma').fetchall())"
        )
        expect(seen).to_contain_text("[(2,)]")


def test_files_beside_the_notebook_are_shown_in_the_window_and_sent(browser, site, replicas):
    said = texts(site)
    foreign.csv(site.root, text=EMAILS)
    foreign.csv(site.root, "later.csv")
    notebooks.write(site.root / "mine.ipynb", READS, LATER)
    with opened(browser, site) as lab:
        lab.open("mine.ipynb")
        lab.submit.click()
        expect(lab.window.locator(".vds-attachments li")).to_have_count(2)
        expect(lab.window.locator(".vds-attachments")).to_contain_text("customers.csv (1 KiB; ")
        expect(lab.window.locator(".vds-warnings")).to_contain_text("'email'")
        expect(lab.window).not_to_contain_text("gmail")
        picture(lab, site, "submit-attachments")
        send(lab, said)
        expect(lab.window.get_by_role("status")).to_have_text(said["succeeded"], timeout=120_000)
        picture(lab, site, "submit-attachments-done")
    settings = Settings(home=replicas)
    facts = runs.show(settings, runs.listed(settings)[0]["id"])
    assert [one["name"] for one in facts["attachments"]] == ["customers.csv", "later.csv"]


def test_what_is_wrong_with_a_file_stands_in_the_window(browser, site):
    (site.root / "book.xlsx").write_text("a,b\n1,2\n")
    notebooks.write(site.root / "book.ipynb", READS.replace("customers.csv", "book.xlsx"))
    with opened(browser, site) as lab:
        lab.open("book.ipynb")
        lab.submit.click()
        expect(lab.window.locator(".vds-errors")).to_contain_text("book.xlsx")
        picture(lab, site, "submit-broken-file")
