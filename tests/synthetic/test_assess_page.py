"""The page of an assessment: whole in both languages, without scripts, marked everywhere."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

from synthetic.assess.assessment import assess
from synthetic.assess.page import number, page, share, whole
from synthetic.assess.tables import read_tables
from synthetic.assess.words import NAMES, NOTES, SUMMARY, WHY, WORDS, variant_text
from tests.needing import needed
from tests.synthetic.assess_tables import records, write

CHROMIUM = Path("/usr/bin/chromium")
VOID = {"meta", "br", "img", "link"}


class Page(HTMLParser):
    """The open tags must close; what is shown is kept."""

    def __init__(self, text):
        super().__init__()
        self.open, self.tags, self.shown = [], [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if "style" not in self.open:
            self.shown.append(data)


@pytest.fixture(scope="module")
def found(tmp_path_factory):
    folder = tmp_path_factory.mktemp("page")
    for seed, name in enumerate(("train", "holdout", "synthetic"), 1):
        write(records(200, seed), folder / f"{name}.parquet")
    tables = read_tables(
        folder / "train.parquet",
        folder / "synthetic.parquet",
        holdout=folder / "holdout.parquet",
    )
    return assess(tables, targets=["poor"])


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_is_whole_and_has_no_script(found, language):
    text = page(found, language)
    read = Page(text)
    assert read.open == []
    names = {tag for tag, _ in read.tags}
    assert not names & {"script", "iframe", "object", "link", "img", "form"}
    assert not any(key.startswith("on") for _, attrs in read.tags for key in attrs)
    assert "http" not in text
    assert read.tags[0] == ("html", {"lang": language})
    assert "None" not in "".join(read.shown)
    assert "nan" not in re.findall(r"[a-z]+", " ".join(read.shown))


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_banner_and_every_section_say_that_it_must_stay_inside(found, language):
    text = page(found, language)
    assert WORDS["banner"][language] in text
    for section in ("fidelity", "utility", "privacy"):
        start = text.index(f'<section id="{section}">')
        assert WORDS["section_banner"][language] in text[start : start + 300]
        assert WHY[section][language] in text[start : start + 400]


def test_both_languages_show_the_same_figures(found):
    pages = [Page(page(found, language)) for language in ("vi", "en")]
    assert [tag for tag, _ in pages[0].tags] == [tag for tag, _ in pages[1].tags]
    digits = [
        re.findall(r"\d+", " ".join(data for data in one.shown if re.fullmatch(r"[\d\s.,%–−\xa0]+", data)))
        for one in pages
    ]  # fmt: skip
    assert digits[0] == digits[1]
    assert len(digits[0]) > 200


def test_every_sentence_is_there_in_both_languages():
    for words in (WORDS, WHY, NOTES, SUMMARY, NAMES):
        for both in words.values():
            assert set(both) == {"vi", "en"}
            assert all(both.values())
            holes = [sorted(re.findall(r"\{\w+\}", text)) for text in both.values()]
            assert holes[0] == holes[1]


def test_no_category_of_the_records_is_shown(found):
    for language in ("vi", "en"):
        assert not {"north", "south", "west"} & set(re.findall(r"\w+", page(found, language)))


def test_numbers_are_written_as_the_language_does():
    assert number(-0.5, language="vi") == "−0,500"
    assert number(-0.0001, language="en") == "0.000"
    assert share(0.0042, language="vi") == "0,42\u00a0%"
    assert share(0.105, language="en") == "10.5\u00a0%"
    assert (whole(39074, language="vi"), whole(39074, language="en")) == ("39.074", "39,074")
    assert variant_text("3 columns", "vi") == "3 cột"
    assert variant_text("household size", "vi") == "household size"


@pytest.mark.slow
@pytest.mark.parametrize("width", [400, 1200])
def test_the_page_fits_its_window(found, width, tmp_path):
    from playwright.sync_api import sync_playwright

    needed(CHROMIUM.exists(), "apt install chromium")
    path = tmp_path / "page.html"
    path.write_text(page(found, "vi"), encoding="utf-8")
    with sync_playwright() as player:
        browser = player.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox"])
        shown = browser.new_page(viewport={"width": width, "height": 900})
        shown.goto(path.as_uri())
        assert shown.evaluate("document.documentElement.scrollWidth") == width
        browser.close()
