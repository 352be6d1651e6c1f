"""Credit scoring: the model finds the planted formula, and fairness has its known answer."""

from __future__ import annotations

import copy
import re

import duckdb
import nbformat
import numpy as np
import pytest

from sandbox.settings import templates_folder
from synthetic.build import Order, build, make_recipe
from tests.sandbox.executing import execute
from tests.sandbox.test_template_market_sizing import run

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def template():
    return nbformat.read(templates_folder() / "credit_scoring.ipynb", as_version=4)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    home = tmp_path_factory.mktemp("home")
    recipe = make_recipe("0.003", None, 1, "exact")
    build(Order(datasets=("banking",), recipe=recipe, out=home / "replicas"))
    return home


@pytest.fixture(scope="module")
def environ(tmp_path_factory):
    return {
        "PYTHONDONTWRITEBYTECODE": "",
        "PYTHONPYCACHEPREFIX": str(tmp_path_factory.mktemp("compiled")),
    }


@pytest.fixture(scope="module")
def default(template, home, environ, tmp_path_factory):
    timed = copy.deepcopy(template)
    last = nbformat.v4.new_code_cell("import time\n\nprint(time.process_time())", id="seconds")
    timed.cells.append(last)
    return run(timed, tmp_path_factory.mktemp("work"), SANDBOX_HOME=str(home), **environ)


@pytest.fixture(scope="module")
def loans(home):
    """All loans with the planted probability, read without any of our own code."""
    con = duckdb.connect()
    return con.sql(
        f"""
        SELECT sex, ethnic_group = 'Kinh' AS kinh, residence, defaulted,
            1 / (1 + exp(5.00 - 0.05 * payment_to_income - 0.90 * past_late_payments
            + 0.02 * least(months_with_bank, 60) - CASE livelihood WHEN 'casual' THEN 0.6
            WHEN 'business' THEN 0.3 WHEN 'farm' THEN 0.45 WHEN 'none' THEN 0.7 ELSE 0 END)) AS p
        FROM '{home}/replicas/banking/*/loans/*.parquet'
        JOIN '{home}/replicas/population/*/persons/*.parquet' USING (person_id)
        """
    ).df()


def value(executed, start):
    (found,) = [r["value"] for name, r in executed.results.items() if name.startswith(start)]
    return found


def number(text):
    return float(text.replace(".", "").replace(",", "."))


def test_the_coefficients_are_the_planted_ones(default):
    for name, found, planted in default.table("method"):
        assert abs(number(found) - number(planted)) < 0.3, name
    gap = max(abs(number(f) - number(p)) for _, f, p in default.table("method"))
    assert value(default, "Lệch lớn nhất giữa hệ số") == pytest.approx(gap, abs=0.011)


def test_it_discriminates_as_well_as_the_planted_probability(default, loans):
    """The area under the curve by ranks, of the planted probability over all loans."""
    rank = loans["p"].rank().to_numpy()
    bad = loans["defaulted"].to_numpy().astype(bool)
    n_bad, n_good = bad.sum(), (~bad).sum()
    auc = (rank[bad].sum() - n_bad * (n_bad + 1) / 2) / (n_bad * n_good)
    assert value(default, "Khả năng phân biệt") == pytest.approx(auc, abs=0.03)


def test_approval_of_women_and_men_is_that_of_the_planted_risk(default, loans):
    approved = loans["p"] <= loans["p"].quantile(0.8)
    rates = approved.groupby(loans["sex"]).mean()
    assert value(default, "Nữ được duyệt ít hơn nam") == pytest.approx(
        100 * (rates["male"] - rates["female"]), abs=1.5
    )
    assert value(default, "Tỷ lệ duyệt thấp nhất chia cao nhất, theo giới tính") == pytest.approx(
        rates["female"] / rates["male"], abs=0.02
    )


def test_ethnic_group_has_no_effect_and_sex_no_direct_one(default, loans):
    # With the same file the odds are the same: the coefficient is zero but for chance.
    for start, members in (
        ("Tác động trực tiếp của giới tính", loans["sex"] == "female"),
        ("Tác động trực tiếp của dân tộc", ~loans["kinh"]),
    ):
        information = (loans["p"] * (1 - loans["p"]))[members].sum()
        error = 1 / np.sqrt(information * (~members).mean())
        assert abs(value(default, start)) < 4 * error
    assert value(default, "Tỷ lệ duyệt thấp nhất chia cao nhất, theo dân tộc") > 0.97
    (holds,) = [h for s, h in default.conclusions.items() if s.startswith("Với cùng hồ sơ")]
    assert holds is True


def test_the_groups_add_up(default):
    rows = default.table("fairness")
    counts = [int(re.sub(r"\D", "", row[-1])) for row in rows]
    sexes, regions, ethnicities = sum(counts[:2]), sum(counts[2:-2]), sum(counts[-2:])
    assert sexes == regions == ethnicities
    assert len(rows) == 2 + 6 + 2


def test_every_group_is_calibrated(default):
    """The score tells the risk of every large group truly: no group has a direct effect."""
    for *_, ratio, n in default.table("fairness"):
        if int(re.sub(r"\D", "", n)) > 5000:
            assert 0.8 < number(ratio) < 1.25


def test_assumed_figures_are_marked(template):
    cells = {cell.id: cell.source for cell in template.cells}
    assert "> **Giả định.**" in cells["data-title"]
    assert "nhắc lại giả định" in cells["claims-title"]


def test_the_chart_is_a_picture(default):
    (figure,) = default.cells["chart"].outputs
    assert figure.data["image/png"]


def test_it_takes_less_than_thirty_seconds_of_processor(default):
    """A machine that others load does not fail it: the kernel's own seconds count."""
    assert float(default.cells["seconds"].outputs[0].text) < 30


def test_a_model_that_knows_sex_gains_nothing(template, home, environ, tmp_path, default):
    given = {"approve": 60, "group": "region", "use_protected": True}
    executed = run(template, tmp_path, given, SANDBOX_HOME=str(home), **environ)
    assert value(executed, "Khả năng phân biệt") == pytest.approx(
        value(default, "Khả năng phân biệt"), abs=0.005
    )
    (holds,) = [h for s, h in executed.conclusions.items() if s.startswith("Nữ được duyệt")]
    assert holds is False


def test_wrong_values_are_told(template, home, environ, tmp_path):
    wrong = {
        "approve = 4: cần từ 5 đến 95": {"approve": 4},
        "approve = 96": {"approve": 96},
        "group = 'tuổi': chọn một trong / choose one of sex, region, ethnicity": {"group": "tuổi"},
    }
    cells = {cell.id: cell.source for cell in template.cells}
    trial = nbformat.v4.new_notebook()
    for given in wrong.values():
        lines = [cells["parameters"], *(f"{k} = {v!r}" for k, v in given.items()), cells["setup"]]
        trial.cells.append(
            nbformat.v4.new_code_cell("\n".join(lines), metadata={"tags": ["raises-exception"]})
        )
    executed = execute(trial, tmp_path, SANDBOX_HOME=str(home), **environ)
    for cell, message in zip(executed.cells, wrong, strict=True):
        assert cell.outputs[-1].ename == "ValueError"
        assert message in cell.outputs[-1].evalue
