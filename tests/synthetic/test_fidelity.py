"""`synthetic fidelity`, as a user calls it, on built replicas."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from synthetic import statistics
from synthetic.fidelity.tiles import ISLANDS, PLACES


def fidelity(*words):
    return subprocess.run(
        [sys.executable, "-m", "synthetic.cli", "fidelity", *map(str, words)],
        capture_output=True,
        text=True,
        timeout=120,
    )


@pytest.fixture(scope="module")
def told(replicas):
    done = fidelity(replicas, "--json")
    assert done.returncode == 0, done.stderr
    return {one["dataset"]: one for one in json.loads(done.stdout)["replicas"]}


def test_quotas_are_exact_and_all_else_lies_as_near_as_a_sample(told):
    published = told["population"]["published"]
    assert {one["against"] for one in published} >= {"population_province_34", "admin_communes"}
    for one in published:
        assert one["exact"] if one["quota"] else one["holds"], one
        assert 0 <= one["total_variation"] <= one["sampling_99"] or one["exact"]


def test_households_make_samples_of_persons_err_more(told):
    by_residence = next(
        one for one in told["population"]["published"] if "residence" in one["columns"]
    )
    assert by_residence["sampled"] == "population.households"
    assert 1.7 < by_residence["design_effect"] < 2.4  # the root of about 4.4 who live together


def test_contradicting_tables_are_named_with_both_distances(told):
    bent = {odd["bent"]: odd for odd in told["population"]["contradictions"]}
    ages = bent["population_age_sex_province_63_projection"]
    assert ages["kept"] == "population_province_34"
    assert 0.001 < ages["between"] < 0.2
    assert ages["to_bent"] == pytest.approx(ages["between"], rel=0.5)


def test_what_is_assumed_says_why(told):
    for replica in told.values():
        for column in replica["columns"]:
            if column["status"] == "assumed":
                assert column["because"]["vi"], column
                assert column["because"]["en"], column


class Page(HTMLParser):
    """Tags of a page, and the text of its drawings."""

    def __init__(self, html):
        super().__init__()
        self.tags, self.attributes = set(), []
        self.feed(html)

    def handle_starttag(self, tag, attrs):
        self.tags.add(tag)
        self.attributes += attrs


@pytest.mark.parametrize("language", ["vi", "en"])
def test_the_page_shows_the_whole_country_and_runs_nothing(replicas, language):
    done = fidelity(replicas, "--html", "--lang", language)
    assert done.returncode == 0, done.stderr
    page = Page(done.stdout)
    assert not page.tags & {"script", "iframe", "object", "embed", "link", "img", "form"}
    assert not [name for name, _ in page.attributes if name.startswith("on")]
    assert not [v for n, v in page.attributes if n in ("href", "src") and not v.startswith("#")]
    maps = re.findall(r'<figure class="map">.*?</figure>', done.stdout, re.DOTALL)
    assert maps
    for drawn in maps:
        assert all(name in drawn for name in ISLANDS)
    assert 'class="pyramid"' in done.stdout


def test_every_province_has_a_tile_of_its_own():
    codes = {row["province_code"] for row in statistics.rows("admin_provinces_34")}
    assert set(PLACES) == codes
    places = [*PLACES.values(), *(at for _, at in ISLANDS.values())]
    assert len(set(places)) == len(places) == 36


@pytest.mark.parametrize(
    ("words", "message"),
    [(["--json", "--html"], "give one of them"), ([], "no replica here")],
)
def test_a_mistake_is_told(tmp_path, words, message):
    done = fidelity(tmp_path, *words)
    assert done.returncode != 0
    assert message in done.stderr
    assert "Traceback" not in done.stderr
