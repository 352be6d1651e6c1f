"""Published tables in a fit: free, nearer to the truth, and refused where they do not fit."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from synthetic.errors import SpecError
from synthetic.private import InsecureNoise, Order, fit, told
from synthetic.private.published import _shares
from synthetic.private.sampling import Sampler
from synthetic.private.schema import compiled
from synthetic.private.spec import PrivateSpec
from synthetic.spec.load import parse_as
from synthetic.spec.margin import Margin
from synthetic.statistics import rows

TABLE = "population_age_sex_national_projection"
EDGES = ", ".join(str(age) for age in range(5, 85, 5))
PLAIN = (
    'source = "clinic"\n[limit]\nepsilon = 9\ndelta = 1e-6\n'
    f'[columns.age_group]\ntype = "integer"\nlow = 0\nhigh = 99\nedges = [{EDGES}]\n'
    '[columns.sex]\ntype = "category"\nvalues = ["female", "male"]\nmissing = true\n'
    '[columns.smokes]\ntype = "boolean"\n'
)
MARGIN = (
    f'[margins.ages]\ntable = "{TABLE}"\nwhere = {{year = "2024"}}\nstrays = 0.02\n'
    'axes = {sex = "sex", age_group = "age_group"}\nvalue = "population"\n'
)
SHAPE = (17, 2)


def truth():
    """The published shares: five years of age by sex."""
    found = np.zeros(SHAPE)
    for row in rows(TABLE):
        if row["year"] == "2024":
            age = int(row["age_group"].rstrip("+").split("-")[0]) // 5
            found[age, ["female", "male"].index(row["sex"])] += float(row["population"])
    return found / found.sum()


def records(folder, n=3000):
    """Draws from the published shares, a tenth without a sex, and who smokes by both."""
    rng = np.random.default_rng(1)
    age, sex = np.divmod(rng.choice(34, n, p=truth().ravel()), 2)
    table = pa.table(
        {
            "age_group": age * 5,
            "sex": pa.array(np.array(["female", "male"])[sex], mask=rng.random(n) < 0.1),
            "smokes": rng.random(n) < np.where(age < 3, 0.0, 0.1 + 0.4 * sex),
        }
    )
    path = folder / "clinic.parquet"
    pq.write_table(table, path)
    return path


def order_of(data, folder, text, name="ledger"):
    spec = parse_as(PrivateSpec, text, "spec.toml")
    return Order.of(
        str(data),
        spec,
        file="spec.toml",
        epsilon=0.3,
        delta=1e-7,
        mode="fast",
        ledger=folder / f"{name}.sqlite",
    )


def drawn(model, n=20_000):
    age, sex, _ = Sampler(model, n, 1).levels(np.arange(n))
    found = np.bincount(age * 3 + sex, minlength=51).reshape(17, 3)
    return found[:, :2] / found[:, :2].sum(), found[:, 2].sum() / n


def test_a_published_table_brings_the_model_nearer_to_the_truth_and_costs_nothing(tmp_path):
    data, away, spent = records(tmp_path), {}, {}
    for name, text in {"plain": PLAIN, "sharp": PLAIN + MARGIN}.items():
        order = order_of(data, tmp_path, text, name)
        found, missing = drawn(fit(order, InsecureNoise(2)))
        away[name] = np.abs(found - truth()).sum() / 2
        assert missing == pytest.approx(0.1, abs=0.05)  # the table tells nothing of it
        with closing(sqlite3.connect(tmp_path / f"{name}.sqlite")) as connection:
            spent[name] = connection.execute("SELECT release, rho FROM spent").fetchall()
    # 20,000 rows drawn over 34 cells stray by about 0.015 by themselves.
    assert away["sharp"] < 0.7 * away["plain"]
    assert away["sharp"] < 0.04
    assert spent["sharp"] == spent["plain"]


def test_the_plan_and_the_model_list_it_as_free_with_its_source(tmp_path):
    order = order_of(records(tmp_path), tmp_path, PLAIN + MARGIN)
    (line,) = (line for line in told(order, None, True) if line.startswith("ages"))
    assert "free" in line
    assert TABLE in line
    assert order.published[0].source in line
    assert fit(order, InsecureNoise(1)).facts["published"] == [
        {"name": "ages", "table": TABLE, "source": order.published[0].source}
    ]


def test_a_published_table_that_adds_up_to_nothing_is_refused():
    schema = compiled(parse_as(PrivateSpec, PLAIN, "spec.toml"), "spec.toml")
    nothing = {("female",): Fraction(0), ("male",): Fraction(0)}
    margin = Margin("ages", TABLE, "persons", ("sex",), nothing)
    with pytest.raises(SpecError, match="adds up to nothing"):
        _shares(margin, [schema.attributes[1]])


def test_a_published_table_of_one_column_is_enough(tmp_path):
    own = MARGIN.replace("sex = ", "gone = ").replace("axes = {gone", "axes = {sex")
    text = PLAIN + own + 'sum_over = ["age_group"]\n'
    (one,) = order_of(records(tmp_path), tmp_path, text).published
    assert one.clique == (1,)
    np.testing.assert_allclose(one.shares, truth().sum(axis=0))


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('sex = "sex"', 'gender = "sex"', "axis 'gender' is no column"),
        ('axes = {sex = "sex", ', "add_up = true\naxes = {", None),
        ('"female", "male"', '"F", "M"', "'sex' has no value 'male'; rename it"),
        ('"female", "male"', '"female", "male", "x"', "tells nothing of 1 levels of 'sex'"),
        ("high = 99\nedges", "high = 99\nbins = 10 #", "'0-4' is no bin of 'age_group'"),
        ('value = "population"', 'value = "status"', "not a number"),
        ('year = "2024"', 'year = "1999"', "no row of"),
        (TABLE, "atlantis", "there is no published table 'atlantis'"),
        ("strays = 0.02", "strays = 0", "strays"),
        ("strays = 0.02", 'times = "ages"', "a published table is used as printed"),
    ],
    ids=lambda value: None if value is None else value[:20],
)
def test_a_table_that_does_not_fit_is_refused_before_anything_is_spent(tmp_path, old, new, message):
    text = (PLAIN + MARGIN).replace(old, new)
    if message is None:
        assert order_of("none.parquet", tmp_path, text).published[0].clique == (0,)
        return
    with pytest.raises(SpecError, match=message):
        fit(order_of("none.parquet", tmp_path, text), InsecureNoise(1))
    assert not (tmp_path / "ledger.sqlite").exists()
