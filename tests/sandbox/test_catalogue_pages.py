"""The catalogue's pages, asked of the real process, and looked at in a real browser."""

from __future__ import annotations

import html
import json
import re
import shutil
from itertools import pairwise
from urllib.parse import quote

import pytest
from axe_playwright_python.sync_playwright import Axe

from sandbox import catalog, lab
from sandbox.pages.catalogue import snippets, themes, unknown
from sandbox.pages.catalogue.links import address
from sandbox.pages.rendering import environment
from synthetic import statistics
from synthetic.evaluation.sql import connect
from synthetic.spec.load import load, packaged
from synthetic.tables.manifest import find
from tests.sandbox.browsing import chromium
from tests.sandbox.serving import TOKEN, serving
from tests.sandbox.tiny import replica

ALL = [
    "/data",
    "/data/population",
    "/data/population/how-true",
    "/data/enterprise",
    "/data/population/persons",
    "/data/population/households",
    "/data/enterprise/enterprises",
    "/data/enterprise/employees",
    "/data/published",
    "/data/published/population_province_34",
    "/data/search",
    "/data/search?q=da+nang",
    "/data/search?q=zzzz",
    "/data/population/person",
]


@pytest.fixture(scope="module")
def pages(replicas):
    with serving(replicas, language="en") as served:
        yield served


@pytest.fixture(scope="module")
def changing(tmp_path_factory):
    """A home that tests change under the feet of the pages."""
    home = tmp_path_factory.mktemp("changing")
    with serving(home, language="en") as served:
        yield home, served


def words(answer):
    """The text of a page, without its markup."""
    content = answer.text.partition("<main")[2].partition("</main>")[0]
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", content)).split())


def ids(answer):
    return re.findall(r'\bid="([^"]+)"', answer.text)


def links(answer):
    found = re.findall(r'href="(/data[^"]*)"', answer.text)
    return {html.unescape(link) for link in found}


# ---------------------------------------------------------------- what pages say


def test_the_first_page_shows_each_dataset_with_state_version_rows_and_day(pages, replicas):
    answer = pages.ask("/data")
    assert answer.status == 200
    text = words(answer)
    for manifest in replicas.glob("replicas/*/*/manifest.json"):
        facts = json.loads(manifest.read_bytes())
        assert facts["version"] in text
        assert facts["title"]["en"] in text
        for table in facts["tables"]:
            assert f"{table['title']['en']} {table['rows']:,} rows" in text
    built = {path.parent.parent.name for path in replicas.glob("replicas/*/*/manifest.json")}
    assert text.count("✓ Ready") == len(built)
    assert "Figures up to 31 December 2024 · whole country" in text
    for name in statistics.names():
        assert f'href="/data/published/{name}"' in answer.text


def test_how_true_a_replica_is_stands_one_click_from_its_dataset(pages, replicas):
    assert "/data/population/how-true" in links(pages.ask("/data/population"))
    answer = pages.ask("/data/population/how-true")
    assert answer.status == 200
    text = words(answer)
    for part in ("How true is the replica", "Exact to the last unit", "Hoàng Sa", "Trường Sa"):
        assert part in text
    assert "← Population" in text
    policy = answer.headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "script-src" not in policy  # nothing is allowed but the page's own style sheet
    assert pages.ask("/data/nowhere/how-true").status == 404
    (version,) = (path.name for path in replicas.glob("replicas/population/*"))
    assert pages.ask(f"/data/population/how-true?version={version}").text == answer.text
    assert pages.ask("/data/population/how-true?version=s9-all-seed1-exact-0").status == 404


def test_every_column_leads_to_how_true_it_is(pages, replicas):
    answer = pages.ask("/data/population/persons")
    places = ids(pages.ask("/data/population/how-true"))
    (path,) = replicas.glob("replicas/population/*/manifest.json")
    (table,) = [t for t in json.loads(path.read_bytes())["tables"] if t["name"] == "persons"]
    for column in table["columns"]:
        place = f"population.persons.{column['name']}"
        assert f"/data/population/how-true#{place}" in links(answer)
        assert place in places


def test_a_dataset_says_what_it_is_and_how_to_build_others(pages):
    text = words(pages.ask("/data/enterprise"))
    for part in (
        "A synthetic replica of the enterprise register",
        "CC-BY-4.0",
        "No real record was read",
        "Who works where is not published: jobs fall at random",  # of the rows
        "No table of legal forms is packaged; the shares are assumed.",  # of a column
        "s0.001-all-seed1-exact-",
        "the one that a run reads by default",
        "synthetic build enterprise --area 48 --scale 1",
        "Enterprises: indicators",
    ):
        assert part in text


def test_a_table_says_everything_of_each_column(pages, replicas):
    answer = pages.ask("/data/population/persons")
    text = words(answer)
    (path,) = replicas.glob("replicas/population/*/manifest.json")
    (table,) = [t for t in json.loads(path.read_bytes())["tables"] if t["name"] == "persons"]
    for column in table["columns"]:
        assert f"{column['name']} " in text
        assert column["title"]["en"] in text
        assert f"column-{column['name']}" in ids(answer)
        assert (column["fidelity"]["because"] or {"en": ""})["en"] in text
    assert "whole number, years" in text
    assert "quasi-identifier" in text
    assert "Population of the 34 provinces" in text
    assert "from the published table; sampling alone would give" in text
    assert "48 Da Nang" in text  # a code list, folded away
    assert "3,321 codes, in their published table" in text
    assert "province_code × sex" in text
    assert {
        "/data/population/households#column-household_id",
        "/data/published/admin_communes",
    } <= (links(answer))


def test_a_table_shows_its_first_rows_as_a_notebook_reads_them(pages, replicas):
    answer = pages.ask("/data/population/persons")
    body = answer.text.partition('id="rows"')[2].partition("</table>")[0].partition("<tbody>")[2]
    rows = re.findall(r"<tr>(.*?)</tr>", body, re.S)
    assert len(rows) == 10
    first = [
        html.unescape(re.sub("<[^>]+>", "", cell)) for cell in re.findall("<td.*?</td>", rows[0])
    ]
    assert re.fullmatch("9[0-9]{11}", first[0])
    assert first[3] == "01"  # a code keeps its zero
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", first[8])
    population = {one.dataset: one for one in find(replicas / "replicas")}
    with connect(population) as connection:
        expected = connection.execute("FROM population.persons LIMIT 10").fetchall()
    assert body.count(">NULL<") == sum(value is None for row in expected for value in row)


def test_a_value_that_is_missing_is_shown_apart_from_a_text():
    columns = [{"name": "phone", "is_number": False}]
    asked = (
        '{% import "catalogue_parts.html.j2" as pieces %}{{ pieces.sample("t", columns, rows) }}'
    )
    shown = environment().from_string(asked).render(columns=columns, rows=[[None], ["NULL"]])
    assert '<span class="none">NULL</span>' in shown
    assert "<bdi>NULL</bdi>" in shown


def test_a_table_shows_questions_with_sql_to_copy(pages, replicas, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(replicas))
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)
    for dataset, table in (("population", "persons"), ("enterprise", "employees")):
        answer = pages.ask(f"/data/{dataset}/{table}")
        section = answer.text.partition('id="questions"')[2].partition("</section>")[0]
        asked = load(packaged()[dataset]).tables[table].questions
        told = [html.unescape(text) for text in re.findall("<h3><bdi>(.*?)</bdi></h3>", section)]
        assert told == [question.en for question in asked]
        copied = [
            html.unescape(text)
            for text in re.findall('<pre class="copy".*?><code>(.*?)</code></pre>', section, re.S)
        ]
        for text, question in zip(copied, asked, strict=True):
            magic, _line, sql = text.partition("\n")
            assert (magic, sql) == ("%%sql", question.sql)
            assert lab.connect().execute(sql).fetchall()


def test_a_table_without_questions_shows_no_place_for_them(changing):
    home, pages = changing
    folder = replica(home, "population", version="bare", time_s=10)
    assert 'id="questions"' not in pages.ask("/data/population/persons").text
    shutil.rmtree(folder)


def test_every_snippet_runs(replicas, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(replicas))
    for code in (
        snippets.frame("population.persons"),
        snippets.frame("published.population_province_34"),
        snippets.grouped("enterprise.enterprises", "sector"),
    ):
        *lines, last = code.split("\n\n")
        scope = {}
        exec("\n\n".join(lines), scope)
        assert len(eval(last, scope)) > 1


def test_a_published_table_says_where_it_comes_from(pages):
    answer = pages.ask("/data/published/population_province_34")
    text = words(answer)
    source = statistics.source("population_province_34")
    for part in (source.title, source.publisher, source.year, source.note, source.terms):
        assert part in text
    assert statistics.sha256("population_province_34") in text
    assert "official" in text
    assert "170" in text
    assert "thousand persons" in text
    assert "/data/population/persons#column-sex" in links(answer)


def test_every_published_table_has_a_theme():
    found = themes.themes(catalog.published())
    assert sum(len(theme.tables) for theme in found) == len(statistics.names())
    assert themes.OTHER not in [theme.title for theme in found]


def test_pages_speak_the_language_that_was_chosen(pages):
    cookie = f"{pages.cookie}; sandbox-language=vi"
    text = words(pages.ask("/data/population/persons", cookie=cookie))
    assert "Số định danh cá nhân (tổng hợp)" in text
    assert "số nguyên" in text
    assert "1.0" not in words(pages.ask("/data", cookie=cookie)).partition("Dân cư")[0]
    text = words(pages.ask("/data/published/population_province_34", cookie=cookie))
    assert "nghìn người" in text
    assert "số liệu thống kê chính thức đã công bố" in text


@pytest.mark.slow
def test_no_link_and_no_anchor_leads_nowhere(pages):
    known = {}
    for path in ALL:
        for link in links(pages.ask(path)):
            place, _hash, part = link.partition("#")
            if place not in known:
                answer = pages.ask(place)
                assert answer.status == 200, f"{path} leads to {link}"
                known[place] = set(ids(answer))
            assert not part or part in known[place], f"{path} leads to {link}"


def test_pages_hold_no_script_no_style_and_no_id_twice(pages):
    for path in ALL:
        answer = pages.ask(path)
        assert not re.search(r"<script|\bstyle=|\bon[a-z]+=|javascript:", answer.text)
        assert len(ids(answer)) == len(set(ids(answer)))
        levels = [int(level) for level in re.findall(r"<h([1-6])", answer.text)]
        assert levels[0] == 1
        assert levels.count(1) == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))


# ---------------------------------------------------------------- search


def test_the_search_page_marks_what_was_found_and_says_where(pages):
    answer = pages.ask("/data/search?q=da+nang")
    first = answer.text.partition("<li>\n<h3>")[2].partition("</h3>")[0]
    assert first == "<bdi><mark>Da</mark> <mark>Nang</mark></bdi>"
    assert "population.persons.province_code as code 48" in words(answer)
    assert "/data/population/persons#column-province_code" in links(answer)
    assert 'value="da nang"' in answer.text


@pytest.mark.parametrize(
    "query",
    [
        *(
            "",
            "...",
            "\0",
            "%",
            "a" * 10_000,
            "<script>alert(1)</script>",
            '"><img src=x onerror=1>',
        ),
        *(
            "'; DROP TABLE x; --",
            "(a+)+$",
            "{{ 7919*7927 }}",
            "%(n)s",
            "\u202eabc",
            "😀",
            "Đà  Nẵng\r\n\t",
        ),
    ],
)
def test_an_odd_query_gives_a_page(pages, query):
    answer = pages.ask(f"/data/search?q={quote(query)}")
    assert answer.status == 200
    assert not re.search(r"<script|<img|62773913", answer.text)


def test_broken_bytes_in_a_query_give_a_page(pages):
    assert pages.ask("/data/search?q=%ff%fe%c3").status == 200
    assert pages.ask("/data/search?q=a&q=b&x=%00").status == 200


# ---------------------------------------------------------------- names that are not there


@pytest.mark.parametrize(
    ("path", "near"),
    [
        ("/data/populatoin", "/data/population"),
        ("/data/POPULATION", "/data/population"),
        ("/data/population/person", "/data/population/persons"),
        ("/data/enterprise/enterprise", "/data/enterprise/enterprises"),
        ("/data/published/admin_commune", "/data/published/admin_communes"),
    ],
)
def test_an_unknown_name_gives_the_nearest(pages, path, near):
    answer = pages.ask(path)
    assert answer.status == 404
    assert near in links(answer)


@pytest.mark.parametrize(
    "name", ["%3Cscript%3E", "..", "%2e%2e%2f", "a" * 5000, "%00", "%F0%9F%98%80", "x%0d%0ay"]
)
def test_an_odd_name_is_not_found_and_does_no_harm(pages, name):
    for path in (f"/data/{name}", f"/data/population/{name}", f"/data/published/{name}"):
        answer = pages.ask(path)
        if answer.status == 307:  # without the slash at its end
            answer = pages.ask(answer.headers["Location"].removeprefix(pages.origin))
        assert answer.status == 404
        assert "<script" not in answer.text


def test_nothing_near_is_no_guess():
    assert unknown.nearest("qqqq", ["population", "enterprise"]) == []
    assert unknown.nearest("Dân cư", ["dan cu", "khác"]) == ["dan cu"]


def test_addresses_hold_no_name_as_it_is():
    assert address("population") == "/data/population"
    assert address("population.persons.age") == "/data/population/persons#column-age"
    assert (
        address("published.admin_regions.scheme") == "/data/published/admin_regions#column-scheme"
    )
    assert address("published") == "/data/published"
    assert address('a/b"?.<c>') == "/data/a%2Fb%22%3F/%3Cc%3E"


# ---------------------------------------------------------------- what is not whole


def test_what_is_not_built_says_how_to_build_it(changing):
    _home, pages = changing
    for path, status in (("/data", 200), ("/data/enterprise", 200), ("/data/enterprise/x", 404)):
        answer = pages.ask(path)
        assert answer.status == status
        assert "synthetic build enterprise --scale 0.01" in words(answer)
    assert "employed by an enterprise" in words(pages.ask("/data/enterprise"))


def test_a_replica_that_comes_and_is_damaged_is_told_at_once(changing):
    home, pages = changing
    folder = replica(home, "population", version="v1")
    assert "✓ Ready" in words(pages.ask("/data/population"))
    assert pages.ask("/data/population/persons").status == 200
    file = folder / "persons" / "part-00000.parquet"
    file.write_bytes(b"PAR1" + b"\0" * 100)
    for path in ("/data", "/data/population", "/data/population/persons"):
        answer = pages.ask(path)
        assert answer.status == 200
        assert "has 104 bytes instead of" in words(answer)
        assert f"rm -r -- {folder} && synthetic build population" in words(answer)
    assert "The rows cannot be read" in words(pages.ask("/data/population/persons"))
    file.unlink()
    assert "The rows cannot be read" in words(pages.ask("/data/population/persons"))
    (folder / "manifest.json").write_bytes(b"{}")
    assert "not as it was written" in words(pages.ask("/data/population"))
    assert pages.ask("/data/population/persons").status == 404


HOSTILE = "<img src=x onerror=alert(1)>\"'&{{ 7919*7927 }}\u202e"


def hostile(value):
    """Put markup into every text of a manifest that a page may show."""
    if isinstance(value, dict):
        return {
            key: part
            if key
            in {"name", "path", "recipe", "hashes", "depends", "version", "dataset", "status"}
            or (key == "key" or (key == "columns" and part and isinstance(part[0], str)))
            else hostile(part)
            for key, part in value.items()
        }
    if isinstance(value, list):
        return [hostile(part) for part in value]
    return HOSTILE if isinstance(value, str) and value != "persons" else value


def test_no_text_of_a_manifest_becomes_markup(changing):
    home, pages = changing
    folder = replica(home, "enterprise", version="hostile")
    path = folder / "manifest.json"
    manifest = hostile(json.loads(path.read_bytes())) | {
        "assumptions": [{"vi": HOSTILE, "en": HOSTILE}]
    }
    column = manifest["tables"][0]["columns"][1]
    column |= {"codes": {HOSTILE: {"vi": HOSTILE, "en": HOSTILE}}, "references": f"{HOSTILE}.b.c"}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    for place in (
        "/data",
        "/data/enterprise",
        "/data/enterprise/enterprises",
        "/data/search?q=img",
    ):
        answer = pages.ask(place)
        assert answer.status == 200
        assert "&lt;img src=x" in answer.text or "<mark>img</mark>" in answer.text
        assert not re.search(r"<img|62773913|\u202e|<[^>]*onerror=alert\(1\)>", answer.text)


def test_a_home_that_cannot_be_listed_is_told(changing):
    home, pages = changing
    aside = home / "replicas"
    aside.rename(home / "aside")
    try:
        aside.write_text("a file")
        answer = pages.ask("/data")
        assert answer.status == 409
        assert "cannot list the replicas in" in words(answer)
    finally:
        aside.unlink()
        (home / "aside").rename(aside)


# ---------------------------------------------------------------- in a browser


@pytest.mark.slow
@pytest.mark.parametrize(
    ("language", "width", "scheme"),
    [("vi", 1280, "light"), ("en", 390, "dark"), ("vi", 390, "light")],
)
def test_axe_finds_nothing_and_nothing_sticks_out(pages, language, width, scheme):
    with chromium() as browser:
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        context.add_cookies([{"name": "sandbox-language", "value": language, "url": pages.origin}])
        page = context.new_page()
        page.goto(f"{pages.origin}/?token={TOKEN}")
        for path in ALL:
            page.goto(pages.origin + path)
            page.evaluate("document.querySelectorAll('details').forEach(d => d.open = true)")
            found = Axe().run(page).response["violations"]
            assert [(v["id"], v["nodes"][0]["html"]) for v in found] == [], path
            room = page.evaluate(
                "document.documentElement.scrollWidth - document.documentElement.clientWidth"
            )
            assert room <= 0, f"{path} is {room} px too wide at {width} px"
