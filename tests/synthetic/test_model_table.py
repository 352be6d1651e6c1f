"""A fitted model as a table of a dataset: linked to persons, keyed, its price told wherever it goes."""

from __future__ import annotations

import json
import shutil
import tomllib
from pathlib import Path

import duckdb
import jsonschema
import numpy as np
import pyarrow as pa
import pytest
from click.testing import CliRunner
from scipy import stats

from synthetic.build import Order, build, make_recipe, shard_table
from synthetic.cli import main
from synthetic.errors import SpecError, SyntheticError
from synthetic.evaluation.fitted import open_models
from synthetic.evaluation.verify import verify_folder
from synthetic.generation.values import Domain, Values
from synthetic.generation.world import World
from synthetic.private import InsecureNoise, fit
from synthetic.private import Order as FitOrder
from synthetic.private import model as models
from synthetic.private.aliases import ONE
from synthetic.private.keyed import Given, KeyedSampler
from synthetic.private.linked import Linked
from synthetic.private.spec import PrivateSpec
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all, parse, parse_as
from synthetic.spec.schema import schema
from synthetic.tables.content import of_table

from .private_tables import TWO, model_by_hand, move_by_hand, write

CLINIC = """
source = "clinic_records"
limit = {epsilon = 20, delta = 1e-6}
[columns.age_group]
type = "category"
values = ["young", "middle", "old"]
ordered = true
[columns.sex]
type = "category"
values = ["female", "male"]
[columns.province]
type = "category"
values = ["01", "48", "79", "other"]
[columns.diagnosis]
type = "category"
values = ["heart", "injury", "pregnancy"]
[columns.visits]
type = "integer"
low = 1
high = 12
missing = true
[columns.cost]
type = "decimal"
places = 2
low = 0
high = 999.99
edges = [100]
[columns.since]
type = "date"
low = 2020-01-01
high = 2024-12-31
bins = 5
[columns.insured]
type = "boolean"
[[rules]]
holds = 'not (sex == "male" and diagnosis == "pregnancy")'
"""

SPEC = """
spec = 1
dataset = "clinic"
title = { vi = "Phòng khám", en = "Clinic" }
description = { vi = "Để thử", en = "For tests" }
as_of = 2024-12-31
licence = "CC-BY-4.0"
uses = ["population"]

[tables.patients]
title = { vi = "Người bệnh", en = "Patients" }
description = { vi = "Mỗi dòng một người", en = "One row per person" }
key = ["person_id"]
area = "province_code"
rows.children = { of = "population.persons", where = "age >= 15", count = 1, because = { vi = "thử", en = "test" } }

[tables.patients.model]
file = "clinic.model"
given = { age_group = "age_group", sex = "sex", province = "province" }
not_releasable = true

[tables.patients.columns]
person_id = { title = { vi = "Người", en = "Person" }, type = "text", references = "population.persons.person_id", take = "parent.person_id" }
province_code = { title = { vi = "Tỉnh", en = "Province" }, type = "code", codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name" }, take = "parent.province_code" }
age = { title = { vi = "Tuổi", en = "Age" }, type = "integer", take = "parent.age", hidden = true }
age_group = { title = { vi = "Nhóm tuổi", en = "Age group" }, type = "text", derive = 'if(age < 30, "young", if(age < 60, "middle", "old"))' }
sex = { title = { vi = "Giới", en = "Sex" }, type = "code", codes = { male = { vi = "Nam", en = "Male" }, female = { vi = "Nữ", en = "Female" } }, take = "parent.sex" }
province = { title = { vi = "Tỉnh lớn", en = "Large province" }, type = "text", derive = 'if(province_code in ("01", "48", "79"), province_code, "other")', hidden = true }
diagnosis = { title = { vi = "Bệnh", en = "Diagnosis" }, type = "code", codes = { heart = { vi = "Tim", en = "Heart" }, injury = { vi = "Chấn thương", en = "Injury" }, pregnancy = { vi = "Thai sản", en = "Pregnancy" } }, model = "diagnosis" }
visits = { title = { vi = "Lượt", en = "Visits" }, type = "integer", model = "visits" }
cost = { title = { vi = "Chi phí", en = "Cost" }, type = "decimal", places = 2, model = "cost" }
since = { title = { vi = "Từ ngày", en = "Since" }, type = "date", model = "since" }
insured = { title = { vi = "Bảo hiểm", en = "Insured" }, type = "boolean", model = "insured" }
often = { title = { vi = "Hay đến", en = "Comes often" }, type = "boolean", derive = "coalesce(visits, 0) >= 6" }

[[tables.patients.rules]]
title = { vi = "Nam không có thai", en = "No man is pregnant" }
holds = 'not (sex == "male" and diagnosis == "pregnancy")'
"""
HEART = {"young": 0.05, "middle": 0.3, "old": 0.7}  # of diagnoses; others by sex


def records(n=40_000, seed=3):
    """Records whose truth is known: what a diagnosis hangs on, and what hangs on it."""
    rng = np.random.default_rng(seed)
    age = rng.choice(list(HEART), n, p=[0.3, 0.4, 0.3])
    sex = rng.choice(["female", "male"], n)
    share = np.array([HEART[group] for group in age])
    other = np.where(sex == "female", rng.choice(["injury", "pregnancy"], n), "injury")
    diagnosis = np.where(rng.random(n) < share, "heart", other)
    visits = rng.binomial(11, np.where(diagnosis == "heart", 0.6, 0.1)) + 1
    return pa.table(
        {
            "age_group": age,
            "sex": sex,
            "province": rng.choice(["01", "48", "79", "other"], n),
            "diagnosis": diagnosis,
            "visits": pa.array(visits, mask=rng.random(n) < 0.1),
            "cost": np.round(rng.uniform(0, 999, n), 2),
            "since": pa.array(rng.integers(18262, 20088, n), pa.int32()).cast(pa.date32()),
            "insured": rng.random(n) < 0.8,
        }
    )


@pytest.fixture(scope="module")
def clinic(tmp_path_factory):
    """A founder's folder: the spec, and beside it a model fitted to invented records."""
    folder = tmp_path_factory.mktemp("clinic")
    data = write(records(), folder / "records.parquet")
    order = FitOrder.of(
        str(data),
        parse_as(PrivateSpec, CLINIC, "clinic.fit.toml"),
        file="clinic.fit.toml",
        epsilon=10.0,
        delta=1e-9,
        mode="fast",
        ledger=folder / "ledger.sqlite",
    )
    (folder / "specs").mkdir()
    fit(order, InsecureNoise(1)).save(folder / "specs" / "clinic.model")
    (folder / "specs" / "clinic.toml").write_text(SPEC, "utf-8")
    return folder / "specs"


def changed(clinic, folder, *changes):
    """The same folder with another spec."""
    shutil.copy(clinic / "clinic.model", folder)
    text = SPEC
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    (folder / "clinic.toml").write_text(text, "utf-8")
    return folder


def world_of(specs_folder, scale="0.0005", margins="exact", area=None):
    specs = load_all(["clinic"], [specs_folder])
    models = open_models(specs, [specs_folder])
    return World(specs, make_recipe(scale, area, 1, margins), Path("unused"), fitted=models)


def table_of(world):
    return pa.concat_tables(shard_table(world, s) for s in world.shards("clinic.patients"))


@pytest.fixture(scope="module")
def world(clinic):
    return world_of(clinic)


@pytest.fixture(scope="module")
def patients(world):
    return table_of(world)


def test_what_hangs_on_the_given_columns_in_the_records_does_so_in_the_table(patients):
    frame = patients.to_pandas()
    women = frame[frame.sex == "female"]
    for group, share in HEART.items():
        own = women[women.age_group == group]
        # Four standard deviations of the sample, and 0.02 for the fit.
        allowed = 4 * np.sqrt(share * (1 - share) / len(own)) + 0.02
        assert abs((own.diagnosis == "heart").mean() - share) < allowed
    assert not ((frame.sex == "male") & (frame.diagnosis == "pregnancy")).any()
    by = frame.groupby(frame.diagnosis == "heart", observed=True).visits.mean()
    assert by[True] == pytest.approx(7.6, abs=0.4)
    assert by[False] == pytest.approx(2.1, abs=0.4)
    assert frame.visits.isna().mean() == pytest.approx(0.1, abs=0.02)
    assert (frame.often == (frame.visits.fillna(0) >= 6)).all()


def test_a_row_is_the_same_alone_in_another_cut_and_in_its_province(clinic, world, patients):
    shards = world.shards("clinic.patients", 3000)
    assert len(shards) > 3
    cut = pa.concat_tables(shard_table(world, shard) for shard in shards)
    assert of_table(cut).hexdigest() == of_table(patients).hexdigest()
    table = world.tables["clinic.patients"]
    whole = table.frame(0, 500)
    some = np.array([17, 3, 250])
    alone = table.at(whole.key[some])
    for name in ("diagnosis", "visits", "cost", "since"):
        np.testing.assert_array_equal(whole.column(name).ints[some], alone.column(name).ints)
    part = table_of(world_of(clinic, area="48"))
    known = patients.filter(pa.compute.equal(patients["province_code"], "48"))
    assert of_table(part).hexdigest() == of_table(known).hexdigest()


def test_another_draw_gives_other_rows_that_keep_the_rules(clinic, patients):
    drawn = table_of(world_of(clinic, margins="sampled"))
    assert of_table(drawn).hexdigest() != of_table(patients).hexdigest()
    frame = drawn.to_pandas()
    assert not ((frame.sex == "male") & (frame.diagnosis == "pregnancy")).any()


def test_a_column_that_some_rows_lack_is_drawn_with_the_others(tmp_path, clinic):
    told = 'title = { vi = "Lượt", en = "Visits" }, type = "integer", model = "visits"'
    hers = f"hers = {{ {told}, only_if = 'sex == \"female\"' }}\n"
    folder = changed(clinic, tmp_path, ("often = {", f"{hers}often = {{"))
    for before in ((), ("visits",)):  # drawn for some rows alone, and taken from all
        frame = world_of(folder).tables["clinic.patients"].frame(0, 500)
        for name in before:
            frame.column(name)
        hers_only, visits = frame.column("hers"), frame.column("visits")
        female = frame.column("sex").strings().to_numpy(zero_copy_only=False) == "female"
        there = female & ~visits.missing
        np.testing.assert_array_equal(~hers_only.missing, there)
        np.testing.assert_array_equal(hers_only.ints[there], visits.ints[there])


def probabilities(model):
    """The joint table of a model of two columns, moves included, by brute force."""
    weights = model.class_weights / ONE
    joint = np.einsum("c,ca,cb->ab", weights, model.block(0) / ONE, model.block(1) / ONE)
    for move in model.moves:
        stay, to = move.stay / ONE, move.to / ONE
        joint = joint * stay + (joint * (1 - stay)).sum(axis=1, keepdims=True) * to
    return joint


@pytest.mark.parametrize("moves", [(), (move_by_hand(0, 1, [[0.2] * 4] * 3, [[0, 0, 1, 3]] * 3),)])
def test_rows_given_a_level_have_exact_probabilities(moves):
    model = model_by_hand(moves=moves)
    sampler = KeyedSampler(model, [0], 7, ("d", "t"))
    n = 30_000
    levels = np.arange(n) % 3
    held = Values(levels, Domain(("a0", "a1", "a2")))
    drawn = sampler.rows(np.arange(n) * 8, {0: Given(levels, held)})["b"].ints
    joint = probabilities(model)
    given = joint / joint.sum(axis=1, keepdims=True)
    for level in range(3):
        counts = np.bincount(drawn[levels == level], minlength=4)
        wanted = given[level] * counts.sum()
        seen = wanted > 0
        assert counts[~seen].sum() == 0
        assert stats.chisquare(counts[seen], wanted[seen]).pvalue > 1e-4


def test_a_row_that_breaks_a_rule_is_drawn_again_and_no_other():
    ruled = TWO + '[[rules]]\nholds = \'not (a == "a0" and b == "b1")\'\n'
    keys, levels = np.arange(4000), np.arange(4000) % 3
    given = {0: Given(levels, Values(levels, Domain(("a0", "a1", "a2"))))}
    free, kept = (
        KeyedSampler(model_by_hand(text=text), [0], 7, ("d", "t")).rows(keys, given)["b"].ints
        for text in (TWO, ruled)
    )
    wrong = (levels == 0) & (free == 1)
    assert wrong.any()
    assert not ((levels == 0) & (kept == 1)).any()
    np.testing.assert_array_equal(free[~wrong], kept[~wrong])


def test_no_column_need_be_given():
    model = model_by_hand()
    rows = KeyedSampler(model, [], 7, ("d", "t")).rows(np.arange(20_000), {})
    counts = np.bincount(rows["a"].ints * 4 + rows["b"].ints, minlength=12)
    wanted = probabilities(model).ravel() * 20_000
    assert stats.chisquare(counts[wanted > 0], wanted[wanted > 0]).pvalue > 1e-4


def test_of_no_rows_none_are_drawn():
    nothing = np.zeros(0, dtype=np.int64)
    for given in ({}, {0: Given(nothing, Values(nothing, Domain(("a0", "a1", "a2"))))}):
        rows = KeyedSampler(model_by_hand(), given, 7, ("d", "t")).rows(nothing, given)
        assert len(rows["b"]) == 0


def test_what_a_model_never_gives_is_told(tmp_path, clinic):
    model = model_by_hand()
    model.shares[:, 0] = 0
    sampler = KeyedSampler(model, [0], 7, ("d", "t"))
    with pytest.raises(SpecError, match="the model never gives a = 'a0'; leave such rows out"):
        sampler.rows(np.arange(2), {0: Given(np.zeros(2, int), Values(np.zeros(2, int)))})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('file = "clinic.model"', 'file = "other.model"', "file = 'other.model': no such file in"),
        ('file = "clinic.model"', 'file = "../clinic.model"', "String should match pattern"),
        (
            'file = "clinic.model"',
            f'file = "clinic.model"\nsha256 = "{"0" * 64}"',
            "is not the hash of",
        ),
        ("not_releasable = true", "", "must not be released: its noise comes from --insecure-seed"),
        (
            "given = { age_group",
            "given = { age_grp",
            "given: the model has no column 'age_grp'; did you mean 'age_group'?",
        ),
        ('model = "visits"', 'model = "visit"', "column 'visits': the model has no column 'visit'"),
        ('model = "visits"', 'model = "insured"', "column 'visits' is integer and the model's"),
        ("places = 2, model", "places = 1, model", "'cost' is decimal of 1 places and the model's"),
        (
            'injury = { vi = "Chấn thương", en = "Injury" }, ',
            "",
            "model gives ['injury'], no codes",
        ),
        ('province = "province" }', 'province = "sex" }', "no code that the model's 'province'"),
        ('model = "visits"', 'model = "sex"', "'sex' is given by column 'sex'; take that one"),
        ('sex = "sex", ', 'sex = "sexes", ', "unknown column 'sexes'"),
        ('sex = "sex", ', 'sex = "diagnosis", ', "columns need each other in a circle"),
        ('key = ["person_id"]', 'key = ["diagnosis"]', "column 'diagnosis' may be missing"),
    ],
)
def test_a_spec_that_does_not_fit_its_model_is_told(tmp_path, clinic, old, new, message):
    folder = changed(clinic, tmp_path, (old, new))
    result = CliRunner().invoke(main, ["check", str(folder / "clinic.toml")])
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert "Traceback" not in result.stderr


def test_a_column_of_a_model_needs_a_model():
    text = (
        SPEC[: SPEC.index("[tables.patients.model]")] + SPEC[SPEC.index("[tables.patients.col") :]
    )
    with pytest.raises(SpecError, match=r"the table has no model; add \[tables.patients.model\]"):
        check_specs(load_all(["population"]) | {"clinic": parse(text, "clinic.toml")})


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (', "old"))', ', "oldest"))', "the model does not know age_group = 'oldest'"),
    ],
)
def test_a_parent_that_the_model_does_not_know_is_told(tmp_path, clinic, old, new, message):
    world = world_of(changed(clinic, tmp_path, (old, new)))
    with pytest.raises(SyntheticError, match=f"clinic.patients.diagnosis: {message}") as caught:
        table_of(world)
    assert "derive a column that has only these" in str(caught.value)


NUMBERS = """
source = "numbers"
limit = {epsilon = 1, delta = 1e-6}
[columns.n]
type = "integer"
low = 10
high = 19
edges = [15]
[columns.yes]
type = "boolean"
[[rules]]
holds = "not (n == 12)"
"""


@pytest.mark.parametrize(
    ("value", "missing", "message"),
    [
        (9, False, "the model does not know n = 9: its bounds are 10 and 19"),
        (20, False, "the model does not know n = 20"),
        (12, False, "no row of the model that keeps its rules has n from 10 to 14"),
        (15, True, "given 'n' is missing in some row, never in the model"),
    ],
)
def test_a_number_that_the_model_does_not_know_is_told(value, missing, message):
    numbers = Values(np.array([10, value, 19]), missing=np.array([False, missing, False]))
    model = Linked(model_by_hand(text=NUMBERS), "", {})
    with pytest.raises(SpecError, match=message):
        model.draw(1, ("d", "t"), np.arange(3), {"n": numbers})


def test_the_schema_knows_a_model():
    validator = jsonschema.Draft202012Validator(schema())
    right, wrong = (
        json.loads(json.dumps(tomllib.loads(text), default=str))
        for text in (SPEC, SPEC.replace("not_releasable", "releasable"))
    )
    assert list(validator.iter_errors(right)) == []
    (fault,) = validator.iter_errors(wrong)
    assert "'releasable' was unexpected" in fault.message


def test_show_tells_the_price(clinic):
    told = CliRunner().invoke(main, ["show", "clinic", "--specs", str(clinic)]).stdout
    assert "under differential privacy (ε = 10, δ = 1e-09), which protects each row." in told
    assert "NOT TO BE RELEASED" in told
    assert "Visits <- model visits" in told
    told = CliRunner().invoke(main, ["show", "clinic", "--specs", str(clinic), "--json"]).stdout
    assert json.loads(told)["fitted"]["clinic.patients"]["delta"] == 1e-9


@pytest.fixture(scope="module")
def built(clinic, tmp_path_factory):
    out = tmp_path_factory.mktemp("out")
    told = []
    order = Order(
        datasets=("clinic",),
        recipe=make_recipe("0.001", None, 1, "exact"),
        out=out,
        workers=1,
        specs=(clinic,),
    )
    return build(order, told.append), told


@pytest.mark.slow
def test_a_replica_is_verified_and_tells_the_price(clinic, built):
    (_, manifest), told = built
    checks = verify_folder(manifest.folder, [clinic])
    assert [c for c in checks if not c.ok] == []
    assert "fitted model" in {c.what for c in checks}
    assert any("clinic.patients: NOT TO BE RELEASED" in line for line in told)
    model = manifest.tables[0]["model"]
    assert (model["source"], model["epsilon"], model["delta"]) == ("clinic_records", 10, 1e-9)
    assert model["sha256"] in manifest.data["hashes"]["model"]
    assert "NOT TO BE RELEASED" in manifest.data["privacy"]["en"]
    assert "No real record was read: " not in manifest.data["privacy"]["en"]
    status = {c["name"]: c["fidelity"]["status"] for c in manifest.tables[0]["columns"]}
    assert (status["visits"], status["often"]) == ("measured", "derived")


@pytest.mark.slow
def test_it_joins_with_persons(clinic, built):
    (population, manifest), _ = built
    with duckdb.connect() as connection:
        found = connection.execute(
            "SELECT count(*), count(p.person_id), "
            "bool_and(p.sex = c.sex AND p.province_code = c.province_code AND p.age >= 15) "
            "FROM read_parquet($1) c LEFT JOIN read_parquet($2) p USING (person_id)",
            [
                [str(f) for f in files]
                for files in (manifest.files("patients"), population.files("persons"))
            ],
        ).fetchone()
        adults = connection.execute(
            "SELECT count(*) FROM read_parquet($1) WHERE age >= 15",
            [[str(f) for f in population.files("persons")]],
        ).fetchone()
    assert found == (adults[0], adults[0], True)


@pytest.mark.slow
def test_two_workers_give_the_same_rows_and_another_model_another_version(clinic, built, tmp_path):
    (_, manifest), _ = built
    ask = ["--scale", "0.001", "--json", "--specs"]
    two = CliRunner().invoke(
        main, ["build", "clinic", *ask, str(clinic), "--workers", "2", "--out", str(tmp_path / "o")]
    )
    assert two.exit_code == 0, two.output
    again = json.loads(two.stdout)["replicas"][1]
    assert again["version"] == manifest.version
    assert again["tables"][0]["content_hash"] == manifest.tables[0]["content_hash"]
    other = tmp_path / "specs"
    other.mkdir()
    changed(clinic, other)
    model = models.load(other / "clinic.model")
    model.class_weights[:2] += np.array([1, -1], dtype=np.int64).astype(np.uint32)
    model.save(other / "clinic.model")
    drawn = CliRunner().invoke(
        main, ["build", "clinic", *ask, str(other), "--out", str(tmp_path / "o")]
    )
    assert json.loads(drawn.stdout)["replicas"][1]["version"] != manifest.version
    (failed,) = (c for c in verify_folder(manifest.folder, [other]) if not c.ok)
    assert failed.what == "fitted model"


@pytest.mark.slow
def test_fidelity_copies_and_controls_go_on_telling(clinic, tmp_path):
    ask = ["clinic", "--scale", "0.001", "--specs", str(clinic), "--out", str(tmp_path)]
    made = CliRunner().invoke(main, ["build", *ask, "--null", "--dirt", "0.02", "--json"])
    assert made.exit_code == 0, made.output
    verified = CliRunner().invoke(main, ["verify", str(tmp_path), "--specs", str(clinic)])
    assert verified.exit_code == 0, verified.stderr
    told = CliRunner().invoke(main, ["fidelity", str(tmp_path), "--specs", str(clinic)])
    assert "measured under differential privacy: patients.diagnosis, patients.visits" in told.stdout
    for lang, words in (("vi", "đo có nhiễu (riêng tư vi phân)"), ("en", "NOT TO BE RELEASED")):
        page = CliRunner().invoke(
            main,
            ["fidelity", str(tmp_path), "--specs", str(clinic), "--html", "--lang", lang],
        )
        assert words in page.stdout
    for replica in json.loads(made.stdout)["replicas"]:
        manifest = json.loads((Path(replica["folder"]) / "manifest.json").read_text())
        if replica["dataset"] == "clinic":
            assert manifest["tables"][0]["model"]["releasable"] is False
            assert "NOT TO BE RELEASED" in manifest["privacy"]["en"]
