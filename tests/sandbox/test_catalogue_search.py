"""The search over the catalogue: marks and case do not matter, nothing raises, HTML stays text."""

from __future__ import annotations

import json
import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from sandbox import catalog
from sandbox.catalog.folding import around, fold, marked, words
from sandbox.catalog.search import KINDS, WHERE, index
from sandbox.language import speaking
from sandbox.settings import Settings
from tests.sandbox.tiny import replica

VIETNAMESE = (
    "aàảãáạăằẳẵắặâầẩẫấậbcdđeèẻẽéẹêềểễếệghiìỉĩíịklmnoòỏõóọôồổỗốộơờởỡớợpqrstuùủũúụưừửữứựvxyỳỷỹýỵ"
)
texts = st.one_of(st.text(), st.text(VIETNAMESE + VIETNAMESE.upper() + " _.'<>&-0189"))
few = hypothesis_settings(max_examples=6)  # each walks the whole index
PLACES = ["Đà Nẵng", "Phường Ba Đình", "thừa thiên", "Số Người", "doanh nghiệp", "TUỔI", "Quan hệ"]


@pytest.fixture(scope="module")
def settings(replicas):
    return Settings(home=replicas)


def find(settings, query, *, limit=50, language="vi"):
    with speaking(language):
        return catalog.search(settings, query, limit=limit)


def without_marks(text):
    """An obvious way to take marks off, to compare with."""
    parted = unicodedata.normalize("NFD", text.replace("đ", "d").replace("Đ", "D"))
    return "".join(c for c in parted if unicodedata.category(c) != "Mn")


def names(found):
    return [(hit.kind, hit.name) for hit in found.hits]


# ---------------------------------------------------------------- folding


@given(texts)
def test_marks_do_not_matter(text):
    assert fold(without_marks(text)) == fold(text)
    assert fold(unicodedata.normalize("NFD", text)) == fold(unicodedata.normalize("NFC", text))


@given(texts)
def test_folding_leaves_small_letters_and_digits_between_single_blanks(text):
    folded = fold(text)
    assert fold(folded) == folded
    assert all(word and word.isalnum() for word in folded.split(" ")) or folded == ""


@given(texts, texts)
def test_marking_changes_nothing_but_marks(text, query):
    html = str(marked(text, words(query)))
    assert re.sub(r"</?mark>", "", html) == str(marked(text, ()))
    assert "<" not in re.sub(r"</?mark>", "", html)


@given(st.text(VIETNAMESE, min_size=1), st.integers(1, 9))
def test_the_beginning_of_a_word_is_marked_with_its_marks(word, n):
    n = min(n, len(word))
    html = str(marked(f"({word}).", (fold(word[:n]),)))
    assert html.startswith(f"(<mark>{word[:n]}</mark>")
    parted = unicodedata.normalize("NFD", word)  # marks as characters of their own stay with theirs
    html = str(marked(parted, (fold(word[:n]),)))
    assert html.startswith(f"<mark>{unicodedata.normalize('NFD', word[:n])}</mark>")


def test_a_word_that_stands_alone_is_marked_alone():
    assert marked("Đà Nẵng, dẫn đầu", ("da",)) == "<mark>Đà</mark> Nẵng, dẫn đầu"
    assert marked("dẫn đầu", ("da",)) == "<mark>dẫ</mark>n <mark>đầ</mark>u"


@given(texts, texts, st.integers(1, 200))
def test_a_piece_of_a_long_text_is_a_piece_of_it(text, query, width):
    piece = around(text, words(query), width)
    assert piece.removeprefix("… ").removesuffix(" …") in text


def test_a_piece_of_a_long_text_holds_what_was_found():
    text = "một hai ba " * 100 + "Đà Nẵng" + " bốn năm" * 100
    assert "Đà Nẵng" in around(text, ("nang",))


# ---------------------------------------------------------------- finding


def test_a_province_is_found_without_marks_and_says_where_it_occurs(settings):
    first = find(settings, "da nang").hits[0]
    assert (first.kind, first.name, first.where) == ("label", "Đà Nẵng", "label")
    assert first.matched == "<mark>Đà</mark> <mark>Nẵng</mark>"
    assert first.title == {"vi": "Đà Nẵng", "en": "Da Nang"}
    assert first.places["population.persons.province_code"] == ("48",)
    assert first.places["enterprise.enterprises.province_code"] == ("48",)
    assert "published.population_province_34.province_name" in first.places


def test_a_commune_is_found_by_name_and_by_code(settings):
    for query in ("phuong ba dinh", "00004"):
        first = find(settings, query).hits[0]
        assert first.name == "Phường Ba Đình"
        assert first.places["population.persons.commune_code"] == ("00004",)


def test_a_name_comes_before_a_title_before_a_description_before_labels(settings):
    found = find(settings, "population", limit=1000)
    assert names(found)[0] == ("dataset", "population")
    alike = [hit.where for hit in find(settings, "nguoi", limit=1000).hits]
    assert alike[0] == "title"
    assert find(settings, "persons").hits[0].name == "population.persons"
    assert find(settings, "tuoi tron").hits[0].name == "population.persons.age"
    assert find(settings, "population.persons.age").hits[0].name == "population.persons.age"


@pytest.mark.parametrize("query", ["completed age", "Tuổi tròn", "age persons", "nam tuoi"])
def test_columns_are_found_in_both_languages(settings, query):
    assert "population.persons.age" in [hit.name for hit in find(settings, query).hits]


def test_the_name_of_a_table_does_not_find_all_its_columns(settings):
    found = [hit.name for hit in find(settings, "households", limit=1000).hits]
    assert "population.households" in found
    assert "population.households.residence" not in found


@few
@given(query=st.sampled_from(PLACES), cut=st.integers(0, 2), upper=st.booleans())
def test_a_query_without_marks_finds_whatever_it_finds_with_them(settings, query, cut, upper):
    query = query[: len(query) - cut]
    plain = without_marks(query)
    plain = plain.upper() if upper else plain.lower()
    with_marks = find(settings, query, limit=100_000)
    assert with_marks.n_hits == len(with_marks.hits) > 0
    assert set(names(with_marks)) == set(names(find(settings, plain, limit=100_000)))


@few
@given(query=st.lists(st.sampled_from(["phuong", "tan", "an", "xa", "48", "b"]), max_size=3))
def test_every_word_of_a_query_narrows_what_is_found(settings, query):
    def labels(words):
        found = find(settings, " ".join(words), limit=100_000)
        return {hit.name for hit in found.hits if hit.kind == "label"}

    found = labels(query)
    for place in range(len(query) if len(query) > 1 else 0):
        assert found <= labels(query[:place] + query[place + 1 :])


@few
@given(query=texts, limit=st.integers(-1, 5))
def test_a_search_never_raises_and_escapes_everything(settings, query, limit):
    found = find(settings, query, limit=limit)
    assert len(found.hits) == min(max(0, limit), found.n_hits)
    for hit in found.hits:
        assert hit.kind in KINDS
        assert hit.where in WHERE
        assert set(re.findall(r"<[^>]*>", str(hit.matched))) <= {"<mark>", "</mark>"}


@pytest.mark.parametrize(
    "query",
    [
        *("", " ", "\0", "...", "!?*", "%", "\ud800", "\u202e", "\x1b[31m"),
        "x" * 10_000,
        "a " * 5_000,
        "đ" * 10_000,
        "\u0301" * 10_000,
        "'; DROP TABLE persons; --",
        "<script>alert(1)</script>",
        ".*(a+)+$[",
        "{{ 7 * 7 }} %(n)s {0}",
    ],
)
def test_an_odd_query_behaves(settings, query):
    found = find(settings, query)
    assert len(found.hits) <= 50
    if not words(query):
        assert found == catalog.Found(hits=(), n_hits=0)


# ---------------------------------------------------------------- the index


def test_the_index_follows_the_replicas(tmp_path):
    settings = Settings(home=tmp_path)
    hit = find(settings, "population").hits[0]
    assert (hit.kind, hit.name) == ("dataset", "population")
    assert not hit.is_built
    assert not find(settings, "cột person_id").hits
    folder = replica(tmp_path, "population", version="v1")
    assert find(settings, "cột person_id").hits[0].name == "population.persons.person_id"
    path = folder / "manifest.json"
    manifest = json.loads(path.read_bytes())
    manifest["tables"][0]["columns"][0]["title"] = {"vi": "<b>Lạ</b>", "en": "Strange"}
    path.write_text(json.dumps(manifest), encoding="utf-8")
    (hit,) = [hit for hit in find(settings, "la b strange").hits if hit.kind == "column"]
    assert hit.matched == "&lt;<mark>b</mark>&gt;<mark>Lạ</mark>&lt;/<mark>b</mark>&gt;"
    path.write_bytes(b"{")
    assert not find(settings, "strange").hits


def test_a_second_search_makes_no_second_index(settings):
    assert index(settings) is index(settings)
