"""A user's own spec folder builds exactly like a shipped one, and its faults are told as well."""

from __future__ import annotations

import json
import shutil

import duckdb
import pytest
from click.testing import CliRunner

from sandbox import catalog, lab
from sandbox.errors import CatalogError
from sandbox.settings import Settings
from synthetic.cli import main
from synthetic.spec.load import MAX_BYTES, known

from .specs import SMALL

TWELFTH = """
spec = 1
dataset = "libraries"
title = { vi = "Thư viện", en = "Libraries" }
description = { vi = "Để thử", en = "For tests" }
as_of = 2024-12-31
licence = "CC-BY-4.0"
uses = ["population"]

[tables.readers]
title = { vi = "Bạn đọc", en = "Readers" }
description = { vi = "Mỗi dòng một bạn đọc", en = "One row per reader" }
key = ["card"]
area = "province_code"
rows.children = { of = "population.persons", where = "age >= 6", most = 1, count = { assume = { shares = { 0 = 4, 1 = 1 } } }, because = { vi = "thử", en = "test" } }

[[tables.readers.rules]]
title = { vi = "Từ 6 tuổi", en = "From 6 years" }
holds = 'person_id.age >= 6 and fine >= 0 and kind in ("child", "adult")'

[tables.readers.columns.card]
title = { vi = "Thẻ", en = "Card" }
type = "integer"
take = "number"

[tables.readers.columns.person_id]
title = { vi = "Người", en = "Person" }
type = "text"
sensitivity = "identifier"
references = "population.persons.person_id"
take = "parent.person_id"

[tables.readers.columns.province_code]
title = { vi = "Tỉnh", en = "Province" }
type = "code"
codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name" }
take = "area"

[tables.readers.columns.age]
title = { vi = "Tuổi", en = "Age" }
type = "integer"
take = "parent.age"

[tables.readers.columns.kind]
title = { vi = "Loại thẻ", en = "Kind" }
type = "code"
codes.child = { vi = "Thiếu nhi", en = "Child" }
codes.adult = { vi = "Người lớn", en = "Adult" }
derive = 'if(age < 16, "child", "adult")'

[tables.readers.columns.fine]
title = { vi = "Tiền phạt", en = "Fine" }
type = "decimal"
places = 2
unit = "thousand VND"
assume = { quantiles = [0, 0, 0, 2500] }
because = { vi = "thử", en = "test" }
"""


def run(*arguments, home=None):
    environ = {} if home is None else {"SANDBOX_HOME": str(home)}
    return CliRunner().invoke(main, [str(a) for a in arguments], env=environ)


def folder_of(path, **specs):
    path.mkdir()
    for name, text in specs.items():
        (path / f"{name}.toml").write_text(text, "utf-8")
    return path


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """The twelfth dataset, built for the country and for one province."""
    home = tmp_path_factory.mktemp("home")
    specs = folder_of(home / "specs", libraries=TWELFTH)
    for area in ((), ("--area", "48")):
        options = ("--specs", specs, "--scale", "0.0005", *area)
        built = run("build", "libraries", *options, home=home)
        assert built.exit_code == 0, built.stderr
    return home


def test_every_verb_knows_it(home):
    specs = ("--specs", home / "specs")
    assert "libraries" in [
        d["dataset"] for d in json.loads(run("list", *specs, "--json").stdout)["datasets"]
    ]
    assert "libraries" not in run("list").stdout
    assert "Fine [thousand VND] <- assume" in run("show", "libraries", *specs).stdout
    assert "no fault found in 1 tables" in run("check", home / "specs" / "libraries.toml").stdout
    assert "Fine" in run("show", "libraries", *specs).stdout


def test_it_verifies(home):
    verified = run("verify", home / "replicas", "--specs", home / "specs")
    assert verified.exit_code == 0, verified.output
    assert verified.stdout.count("From 6 years") == 2


def test_a_verify_that_is_not_given_its_folder_says_so(home):
    (replica,) = (home / "replicas" / "libraries").glob("*-all-*")
    result = run("verify", replica)
    assert result.exit_code == 4
    assert "no spec of 'libraries' is known; give its folder: --specs DIR" in result.stderr


def test_the_province_is_those_rows_of_the_country(home):
    root = home / "replicas" / "libraries"
    country, area = (f"{next(root.glob(f'*-{a}-*'))}/readers/*.parquet" for a in ("all", "48"))
    counted = duckdb.sql(
        f"SELECT count(*), (SELECT count(*) FROM '{area}') FROM (SELECT * FROM '{country}' "
        f"WHERE province_code = '48' INTERSECT SELECT * FROM '{area}')"
    ).fetchall()
    assert counted[0][0] == counted[0][1] > 0


def test_the_sandbox_finds_it_because_a_replica_describes_itself(home, monkeypatch, tmp_path):
    settings = Settings(home=home)
    listed = {d["dataset"]: d for d in catalog.listing(settings)["datasets"]}
    assert listed["libraries"]["title"] == {"vi": "Thư viện", "en": "Libraries"}
    assert [t["name"] for t in listed["libraries"]["tables"]] == ["readers"]
    told = catalog.describe(settings, "libraries.readers")
    types = {c["name"]: c["type"] for c in told["columns"]}
    assert types["fine"] == "decimal"
    reads = {"libraries.readers": (), "population.persons": ("person_id", "age")}
    inputs = catalog.select(settings, reads)
    path = tmp_path / "catalog.json"
    path.write_text(json.dumps(inputs.lab_catalog(None)), encoding="utf-8")
    monkeypatch.setenv("SANDBOX_CATALOG", str(path))
    joined = lab.connect().sql(
        "SELECT count(*), count(p.person_id), count(*) FILTER (r.age = p.age) "
        "FROM libraries.readers r LEFT JOIN population.persons p USING (person_id)"
    )
    n, found, agree = joined.fetchall()[0]
    assert n == found == agree > 0


def test_a_build_names_every_dataset_when_none_is_asked_for(tmp_path):
    specs = folder_of(tmp_path / "specs", libraries=TWELFTH)
    assert "libraries" in known([specs])
    assert "libraries" not in known()


@pytest.mark.parametrize("verb", [("build", "shops"), ("list",), ("show", "shops")])
@pytest.mark.parametrize("fault", ["missing", "file", "shipped", "twice", "unreadable", "latin"])
def test_a_folder_that_cannot_be_used_is_told(tmp_path, verb, fault):
    folder = tmp_path / "specs"
    more = []
    if fault == "file":
        folder.write_text("", "utf-8")
    elif fault == "shipped":
        folder_of(folder, shops=SMALL, enterprise=SMALL)
    elif fault == "twice":
        folder_of(folder, shops=SMALL)
        more = ["--specs", folder_of(tmp_path / "more", shops=SMALL)]
    elif fault == "unreadable":
        (folder_of(folder) / "shops.toml").mkdir()
    elif fault == "latin":
        (folder_of(folder) / "shops.toml").write_bytes(SMALL.encode("cp1258", "replace"))
    out = ["--out", tmp_path / "out"] if verb[0] == "build" else []
    result = run(*verb, "--specs", folder, *more, *out)
    message = {
        "missing": f"{folder}: not a folder of specs",
        "file": f"{folder}: not a folder of specs",
        "shipped": f"{folder}/enterprise.toml: dataset = 'enterprise' has the name of a packaged "
        "dataset; give the file and its dataset another name",
        "twice": f"{tmp_path}/more/shops.toml: dataset = 'shops' has the name of {folder}/shops",
        "unreadable": "shops.toml: cannot be read: Is a directory",
        "latin": "shops.toml: not UTF-8 at byte",
    }[fault]
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert result.stdout == ""
    assert not (tmp_path / "out").exists()


def test_a_dataset_that_is_used_and_not_known_is_told_with_the_file_that_uses_it(tmp_path):
    specs = folder_of(
        tmp_path / "specs", libraries=TWELFTH.replace('["population"]', '["popullation"]')
    )
    for verb in (("build", "libraries", "--specs", specs), ("check", specs / "libraries.toml")):
        result = run(*verb, home=tmp_path)
        assert result.exit_code == 2
        assert (
            "libraries.toml: uses: unknown dataset 'popullation'; did you mean 'population'?; "
            "put its spec into a folder and name it by --specs" in result.stderr
        )
    assert not (tmp_path / "replicas").exists()


def test_a_dependency_that_is_not_built_is_told(home, tmp_path):
    shutil.copytree(home / "replicas" / "libraries", tmp_path / "replicas" / "libraries")
    result = run("verify", tmp_path / "replicas", "--specs", home / "specs")
    assert result.exit_code == 4
    assert "build both again: synthetic build libraries --scale" in result.stderr
    with pytest.raises(CatalogError, match=r"population.*synthetic build population"):
        catalog.select(Settings(home=tmp_path), {"libraries.readers": (), "population.persons": ()})


def test_a_file_must_be_named_as_its_dataset_and_end_in_toml(tmp_path):
    specs = folder_of(tmp_path / "specs", stores=SMALL)
    assert "name the file shops.toml" in run("check", specs / "stores.toml").stderr
    (specs / "shops.txt").write_text(SMALL, "utf-8")
    assert "its name must end in .toml" in run("check", specs / "shops.txt").stderr


SHOPS = "shops.toml: tables.shops"
RULE = f"{SHOPS}.rules.0: "
SELF = """
[tables.shops.columns.head]
title = { vi = "x", en = "x" }
type = "integer"
references = "shops.yards.yard_id"
link = { units = "shops.yards" }
because = { vi = "x", en = "x" }
"""
YARDS = (
    SMALL[SMALL.index("[tables.shops]") :]
    .replace("tables.shops", "tables.yards")
    .replace("shop_id", "yard_id")
)
CLOSED = YARDS + SELF.replace("tables.shops", "tables.yards").replace(
    "shops.yards.yard_id", "shops.shops.shop_id"
).replace("shops.yards", "shops.shops")
MORE_THAN_ALL = """
[margins.total]
table = "enterprise_indicators"
where = { indicator = "enterprises_by_size", period = "2017-01-01" }
axes = { size = "category" }
keep = { size = ["micro", "small"] }
value = "value"
complete = { total = 10, rest = "other" }
"""
APART = """
[margins.other]
table = "population_province_34"
where = { year = "2024" }
axes = { area = "province_code" }
value = "urban_thousand"

[margins.both]
rake = { to = ["per_area", "other"] }
"""


@pytest.mark.parametrize(
    ("old", "new", "parts"),
    [
        # a circle of keys: table, key, value, remedy
        (
            "",
            SELF + CLOSED,
            (f"{SHOPS}.columns.head: table 'yards' must stand before 'shops'; ", "leave one"),
        ),
        ("", SELF, (f"{SHOPS}.columns.head", "unknown table 'yards'; ")),
        (
            'unit = "m2"',
            'references = "shops.shop.shop_id"',
            (f"{SHOPS}.columns.room: unknown table 'shop'; did you mean 'shops'?",),
        ),
        # shares
        (
            "quantiles = { micro = [1, 10, 30], small = [20, 100] }",
            "shares = { micro = { 1 = 0 }, small = { 1 = 1 } }",
            (f"{SHOPS}.columns.room.assume", "shares must be zero or more, and not all zero"),
        ),
        (
            'unit = "m2"',
            "missing = { share = 1.2, because = { vi = 'a', en = 'a' } }",
            (f"{SHOPS}.columns.room.missing.share = 1.2: a share is a decimal from 0 to 1",),
        ),
        (
            "[tables.shops]\n",
            MORE_THAN_ALL + "[tables.shops]\n",
            ("shops.toml: margins.total: ", "more than the total 10 by "),
        ),
        # margins that disagree, with the gap
        (
            "[tables.shops]\n",
            APART + "[tables.shops]\n",
            (
                "shops.toml: margins.both: margins 'per_area' and 'other' disagree on their totals",
                "a gap of -",
                "mend one with 'rescale' or allow it by 'tolerance'",
            ),
        ),
        # rules that no row can meet
        ("room >= 1", "room > 5 and room < 3", (RULE, "true in no row")),
        ("room >= 1", "room > 100", (RULE, "true in no row", "outside of what the column holds")),
        ("room >= 1", "1 == 2", (RULE, "true in no row")),
        ("room >= 1", "not (room >= 1 and room <= 100)", (RULE, "true in no row")),
        ("room >= 1", "room in (200, 300) or room < 1", (RULE, "true in no row")),
        (
            '"room >= 1"',
            "'size == \"tiny\"'",
            (RULE, "'tiny' is no code of 'size'", "its codes: micro, small"),
        ),
        (
            '"room >= 1"',
            '\'size == "micro" and size in ("small")\'',
            (RULE, "true in no row"),
        ),
        # not in the language
        ("room >= 1", "import os", (RULE, "at character 8 of 'import os'")),
        ("room >= 1", "rooms(room) >= 1", (RULE, "rooms")),
        ("room >= 1", "room >= 1.5", (RULE, "is not part of the language")),
        ("room >= 1", "(" * 60 + "room" + ")" * 60, (RULE, "nested deeper than 40")),
        # too large, too deep
        ("spec = 1", "# " + "x" * MAX_BYTES + "\nspec = 1", (f"larger than {MAX_BYTES} bytes",)),
        ("spec = 1", "x = " + "[" * 5000 + "]" * 5000, ("shops.toml: ", "nested too deeply")),
        ("spec = 1", ".".join("a" * 400) + " = 1", ("line 2: more than 16 keys joined by dots",)),
    ],
)
def test_a_fault_is_told_and_nothing_is_published(tmp_path, old, new, parts):
    assert old in SMALL
    text = SMALL.replace(old, new, 1) if old else SMALL + new
    specs = folder_of(tmp_path / "specs", shops=text)
    for verb in (("check", specs / "shops.toml"), ("build", "shops", "--specs", specs)):
        result = run(*verb, home=tmp_path / "home")
        assert result.exit_code == 2, result.output
        assert [part for part in parts if part not in result.stderr] == [], result.stderr
        assert "Traceback" not in result.stderr
    assert [path for path in (tmp_path / "home").rglob("*") if path.name != "replicas"] == []


def test_a_spec_of_50_mb_is_refused_without_being_read(tmp_path):
    path = folder_of(tmp_path / "specs") / "shops.toml"
    with path.open("wb") as file:
        file.truncate(50_000_000)
    result = run("check", path)
    assert result.exit_code == 2
    assert f"larger than {MAX_BYTES} bytes; a spec is written by hand" in result.stderr


def test_an_unknown_area_is_told_and_nothing_is_published(tmp_path):
    specs = folder_of(tmp_path / "specs", shops=SMALL)
    result = run("build", "shops", "--specs", specs, "--area", "99", home=tmp_path / "home")
    assert result.exit_code == 2
    assert "unknown area '99'; areas are 01, 04, " in result.stderr
    assert not list((tmp_path / "home").rglob("manifest.json"))


@pytest.mark.parametrize(
    "holds",
    [
        "room >= 1 or room < 0",
        "room == 100",
        "room != 5",
        'size != "micro" or room <= 30',
        'not (size == "micro" and room > 30)',
        'size in ("micro", "small") and room < 101',
        "room is missing or room > 0",
        "1 < room",
    ],
)
def test_a_rule_that_some_row_can_meet_is_no_fault(tmp_path, holds):
    specs = folder_of(tmp_path / "specs", shops=SMALL.replace('"room >= 1"', f"'{holds}'"))
    result = run("check", specs / "shops.toml")
    assert result.exit_code == 0, result.stderr
