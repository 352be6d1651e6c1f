"""`synthetic fidelity`, as a user calls it, on built replicas."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from html.parser import HTMLParser

import pytest

from synthetic import statistics
from synthetic.build import Order, build, make_recipe
from synthetic.errors import SpecError
from synthetic.evaluation.reasons import reason
from synthetic.evaluation.verify import verify
from synthetic.fidelity.facts import facts, measure_folder
from synthetic.fidelity.page import page
from synthetic.fidelity.tiles import ISLANDS, PLACES
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all
from synthetic.tables.manifest import find
from tests.synthetic.specs import SMALL


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


def test_a_manifest_states_the_very_figures(told, replicas):
    """There is one measure: what a manifest says of a pair is what the command says."""
    for manifest in find(replicas / "replicas"):
        published = {tuple(p["columns"]): p for p in told[manifest.dataset]["published"]}
        for pair in manifest.data["pairs"]:
            one, stated = published[tuple(pair["columns"])], pair["fidelity"]
            assert stated["distance"] == pytest.approx(one["total_variation"], abs=1e-6)
            assert stated["sampling"] == pytest.approx(one["sampling"], abs=1e-6)
            assert (stated["status"] == "calibrated") is one["holds"]


def test_contradicting_tables_are_named_with_both_distances(told):
    bent = {odd["bent"]: odd for odd in told["population"]["contradictions"]}
    ages = bent["population_age_sex_province_63_projection"]
    assert ages["kept"] == "population_province_34"
    assert 0.001 < ages["between"] < 0.2
    # Total variation is a distance: the replica lies no further from either than it must.
    assert 0 < ages["to_kept"] < ages["to_bent"]
    assert abs(ages["to_bent"] - ages["between"]) <= ages["to_kept"] + 1e-9


def test_what_is_assumed_says_why(told):
    for replica in told.values():
        for column in replica["columns"]:
            if column["status"] == "assumed":
                assert column["because"]["vi"], column
                assert column["because"]["en"], column


# Shops by province: few enough for floors, beside a table that says something else.
COMPARED = (
    SMALL.replace('places = "places", because', 'places = "places", floor = 1, because')
    .replace(
        "[[tables.shops.rules]]",
        """
[[tables.shops.compare]]
margin = "density"
by = { area = "province_code" }
contradicts = "per_area"
because = { vi = "Theo số dân.", en = "The number of people is followed." }

[[tables.shops.compare]]
margin = "per_area"
by = { area = "province_code" }

[[tables.shops.compare]]
margin = "sexes"
by = { area = "province_code", sex = '"male"' }

[[tables.shops.rules]]""",
    )
    .replace(
        "[margins.places]",
        """
[margins.density]
table = "population_province_34"
where = { year = "2024" }
axes = { area = "province_code" }
value = "density_per_km2"

[margins.sexes]
table = "population_province_34"
where = { year = "2024" }
axes = { area = "province_code" }
wide = { axis = "sex", columns = { male = "male_thousand", female = "female_thousand" } }

[margins.places]""",
    )
)


def shops(folder, scale):
    (folder / "shops.toml").write_text(COMPARED, "utf-8")
    recipe = make_recipe(scale, None, 1, "exact")
    order = Order(datasets=("shops",), recipe=recipe, out=folder / "out", specs=(folder,))
    return build(order)[0]


@pytest.fixture(scope="module")
def compared(tmp_path_factory):
    """A replica that lies far from what it is held against, and says why."""
    folder = tmp_path_factory.mktemp("compared")
    return shops(folder, "0.01"), folder


def test_what_lies_far_says_why_beside_the_figure(compared):
    manifest, folder = compared
    (measured,) = measure_folder(manifest.folder, [folder])
    by_margin = {far.margin.name: far for _, far in measured.distances}
    assert not by_margin["density"].holds
    assert reason(by_margin["density"]).en == "The number of people is followed."
    assert by_margin["per_area"].holds
    assert reason(by_margin["per_area"]) is None
    (odd,) = facts(measured)["contradictions"]
    assert odd["to_kept"] < 0.1 * odd["between"]
    assert odd["between"] == pytest.approx(odd["to_bent"], rel=0.1)
    assert odd["because"]["vi"] == "Theo số dân."
    # A literal keeps the cells of its category: men alone, in every province.
    men = sum(float(r["male_thousand"]) for r in rows_of_2024())
    (hanoi,) = (float(r["male_thousand"]) for r in rows_of_2024() if r["province_code"] == "01")
    assert by_margin["sexes"].published[("01",)] == pytest.approx(hanoi / men)
    assert [c for c in verify(manifest, load_all(["shops"], [folder])) if not c.ok] == []


def test_units_that_are_kept_where_less_than_one_is_due_are_told(tmp_path):
    """Of 20 shops for 34 provinces, each keeps one."""
    (measured,) = measure_folder(shops(tmp_path, "0.0002").folder, [tmp_path])
    (quota,) = (p for p in facts(measured)["published"] if p["quota"])
    assert quota["holds"]
    assert not quota["exact"]
    assert quota["because"]["en"].startswith("The published number times the scale, but for ")
    assert "Exact, but for cells that keep one unit" in page([measured], "en")


def rows_of_2024():
    return [r for r in statistics.rows("population_province_34") if r["year"] == "2024"]


def test_a_column_is_calibrated_only_if_it_is_near(compared):
    manifest, _ = compared
    (table,) = manifest.tables
    fidelity = {column["name"]: column["fidelity"] for column in table["columns"]}
    near = fidelity["size"]
    assert near["status"] == "calibrated"
    assert near["because"] is None
    far = fidelity["province_code"]
    assert far["status"] == "assumed"
    assert far["because"]["en"] == "The number of people is followed."


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("'\"male\"'", "'\"mal\"'", "unknown category of sex 'mal'; did you mean 'male'"),
        (
            'contradicts = "per_area"',
            'contradicts = "sizes"',
            "unknown margin of another 'compare'",
        ),
        (
            'because = { vi = "Theo số dân.", en = "The number of people is followed." }',
            "",
            "'contradicts' needs 'because'",
        ),
    ],
)
def test_a_comparison_that_cannot_be_is_refused(tmp_path, old, new, message):
    assert old in COMPARED
    (tmp_path / "shops.toml").write_text(COMPARED.replace(old, new), "utf-8")
    with pytest.raises(SpecError, match=message):
        check_specs(load_all(["shops"], [tmp_path]))


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
    shown = Page(done.stdout)
    assert not shown.tags & {"script", "iframe", "object", "embed", "link", "img", "form"}
    assert not [name for name, _ in shown.attributes if name.startswith("on")]
    assert not [v for n, v in shown.attributes if n in ("href", "src") and not v.startswith("#")]
    maps = re.findall(r'<figure class="map">.*?</figure>', done.stdout, re.DOTALL)
    assert maps
    for drawn in maps:
        assert all(name in drawn for name in ISLANDS)
    assert 'class="pyramid"' in done.stdout
    ids = {value for name, value in shown.attributes if name == "id"}
    for manifest in find(replicas / "replicas"):
        for table in manifest.tables:
            for column in table["columns"]:
                assert f"{manifest.dataset}.{table['name']}.{column['name']}" in ids
    assert {v[1:] for n, v in shown.attributes if n == "href"} <= ids


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
