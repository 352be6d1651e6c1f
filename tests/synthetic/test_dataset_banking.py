"""Banking makes sense across datasets, read with SQL over the Parquet files alone."""

from __future__ import annotations

import math
import tomllib

import pytest

from synthetic import statistics
from synthetic.generation.identifiers import is_synthetic
from synthetic.spec.load import packaged
from tests.synthetic.dataset_views import only_row, views

pytestmark = pytest.mark.slow

SCALE = "0.001"


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return views("banking", tmp_path_factory.mktemp("banking"), scale=SCALE)


def published(indicator, period):
    (value,) = (
        float(row["value"])
        for row in statistics.rows("economy_finance_indicators")
        if row["indicator"] == indicator and row["period"] == period
    )
    return value


def test_everybody_of_fifteen_is_an_adult_and_nobody_else(con):
    assert only_row(con, "SELECT count(*) FROM persons WHERE age >= 15") == only_row(
        con, "SELECT count(*) FROM adults JOIN persons USING (person_id) WHERE age >= 15"
    )
    assert only_row(con, "SELECT count(*) FROM adults") == only_row(
        con, "SELECT count(*) FROM persons WHERE age >= 15"
    )


def test_the_share_with_an_account_is_the_published_one(con):
    (share,) = only_row(con, "SELECT 100 * avg(has_account::INT) FROM adults")
    assert share == pytest.approx(published("adults_15plus_with_bank_account", "2024-12"), abs=0.5)


def test_accounts_and_people_agree(con):
    assert only_row(
        con,
        """SELECT count(*) FROM
        (SELECT person_id, count(*) AS n FROM accounts GROUP BY 1) FULL JOIN
        (SELECT person_id, n_accounts FROM adults WHERE has_account) USING (person_id)
        WHERE n IS DISTINCT FROM n_accounts""",
    ) == (0,)


def test_incomes_differ_as_published(con):
    means = dict(
        con.execute(
            """SELECT sex, avg(monthly_income) FROM adults JOIN persons USING (person_id)
            WHERE livelihood <> 'none' GROUP BY sex"""
        ).fetchall()
    )
    rows = {
        row["category"]: float(row["value"])
        for row in statistics.rows("labour_indicators")
        if row["indicator"] == "monthly_income_of_workers" and row["period"] == "2025-Q4"
    }
    assert means["male"] / means["female"] == pytest.approx(rows["male"] / rows["female"], rel=0.03)
    for sex in ("male", "female"):
        assert means[sex] / 1000 == pytest.approx(rows[sex], rel=0.05)


def test_identifiers_are_marked_and_never_repeated(con):
    for table, column, kind in (
        ("accounts", "account_number", "account_number"),
        ("cards", "card_number", "card_number"),
    ):
        assert only_row(con, f"SELECT count(*) - count(DISTINCT {column}) FROM {table}") == (0,)
        found = con.execute(f"SELECT {column} FROM {table} LIMIT 500").fetchall()
        assert all(is_synthetic(kind, text) for (text,) in found)


def test_transactions_follow_the_opening_and_keep_their_account(con):
    assert only_row(
        con,
        """SELECT count(*) FROM transactions JOIN accounts USING (account_id)
        WHERE made_at::DATE < opened_on OR NOT sampled OR status <> 'active'""",
    ) == (0,)
    assert only_row(
        con,
        """SELECT count(*) FROM transactions t LEFT JOIN accounts a ON a.account_id =
        t.counterparty_id WHERE t.counterparty_id IS NOT NULL
        AND (a.account_id IS NULL OR a.province_code <> t.province_code)""",
    ) == (0,)


def test_an_account_deals_with_six_others_and_its_fraud_with_strangers(con):
    (most, few) = only_row(
        con,
        """SELECT max(n), count(*) FILTER (n < rows) FROM (
        SELECT account_id, count(DISTINCT counterparty_id) AS n, count(*) AS rows FROM transactions
        WHERE counterparty_id IS NOT NULL AND fraud_pattern = 'none' GROUP BY 1)""",
    )
    assert most == 6
    assert few > 1000
    (new, n) = only_row(
        con,
        """WITH usual AS (SELECT DISTINCT account_id, counterparty_id FROM transactions
        WHERE fraud_pattern = 'none')
        SELECT count(*) FILTER (u.account_id IS NULL), count(*) FROM transactions t
        LEFT JOIN usual u ON u.account_id = t.account_id AND u.counterparty_id = t.counterparty_id
        WHERE t.fraud_pattern IN ('account_takeover', 'mule')""",
    )
    assert n > 20
    assert new > 0.98 * n


def test_amounts_come_in_steps_that_people_use(con):
    for kind, step in (("cash_withdrawal", 50_000), ("transfer_out", 10_000), ("purchase", 500)):
        assert only_row(
            con,
            f"""SELECT count(*) FILTER (amount % {step} > 0), min(amount) >= {step}
            FROM transactions WHERE kind = '{kind}' AND fraud_pattern = 'none'""",
        ) == (0, True)


def test_the_number_of_transactions_comes_near_the_published_one(con):
    year = published("non_cash_payment_transactions", "2025")
    growth = next(
        float(row["value"])
        for row in statistics.rows("economy_finance_indicators")
        if row["indicator"] == "noncash_payment_growth" and row["category"] == "all|number"
    )
    year_before = year / (1 + growth / 100)
    (n,) = only_row(con, "SELECT count(*) FROM transactions")
    assert n * 32 / float(SCALE) == pytest.approx(year_before, rel=0.08)


def test_wages_are_the_owners_income_once_a_month(con):
    assert only_row(
        con,
        """SELECT count(*) FROM transactions JOIN accounts USING (account_id)
        JOIN adults USING (person_id) WHERE transactions.kind = 'salary'
        AND (amount <> monthly_income * 1000 OR NOT is_salary_account OR day(made_at) <> 5)""",
    ) == (0,)
    assert only_row(
        con,
        """SELECT max(n) FROM (SELECT count(*) AS n FROM transactions WHERE kind = 'salary'
        GROUP BY account_id, month(made_at))""",
    ) == (1,)


def test_days_have_a_tet(con):
    days = dict(
        con.execute(
            "SELECT made_at::DATE::TEXT, count(*) FROM transactions WHERE kind <> 'salary' GROUP BY 1"
        ).fetchall()
    )
    before = sum(days[f"2024-02-{d:02d}"] for d in range(1, 8)) / 7
    during = sum(days[f"2024-02-{d:02d}"] for d in range(10, 14)) / 4
    after = sum(days[f"2024-03-{d:02d}"] for d in range(4, 18)) / 14
    assert before > 1.2 * after > 1.5 * during


def test_fraud_is_what_its_definition_says(con):
    shapes = con.execute(
        """SELECT account_id, fraud_pattern, count(*) AS n, min(amount), max(amount),
        epoch(max(made_at) - min(made_at)) AS seconds, min(hour(made_at)), max(hour(made_at)),
        count(*) FILTER (kind = 'transfer_in'), bool_and(new_device),
        sum(CASE kind WHEN 'transfer_in' THEN amount WHEN 'transfer_out' THEN -amount END)
        FROM transactions WHERE fraud_pattern <> 'none' GROUP BY 1, 2"""
    ).fetchall()
    assert {row[1] for row in shapes} == {"card_testing", "account_takeover", "mule"}
    for _, pattern, n, low, high, seconds, first, last, n_in, new, left in shapes:
        if pattern == "card_testing":
            assert 9 <= n <= 19
            assert low <= 19_000
            assert 5_000_000 <= high <= 20_000_000
            assert seconds <= 18 * 64 + 60
        elif pattern == "account_takeover":
            assert 3 <= n <= 6
            assert 1 <= first <= last <= 4
            assert new
        else:
            assert 6 <= n <= 16
            assert n_in * 2 == n
            assert left > 0  # money comes in before it leaves, and 3 % stays


def test_default_follows_its_documented_score_and_nothing_else(con):
    """The rate within each band of the written formula is the formula's probability."""
    z = """(-5.00 + 0.05 * payment_to_income + 0.90 * past_late_payments
        - 0.02 * least(months_with_bank, 60) + CASE livelihood WHEN 'casual' THEN 0.6
        WHEN 'business' THEN 0.3 WHEN 'farm' THEN 0.45 WHEN 'none' THEN 0.7 ELSE 0 END)"""
    con.execute(
        f"""CREATE OR REPLACE TEMP TABLE scored AS SELECT loans.*, sex, ethnic_group, residence,
        1 / (1 + exp(-{z})) AS p FROM loans JOIN persons USING (person_id)"""
    )
    for by in ("round(p, 1)", "sex", "residence", "ethnic_group = 'Kinh'", "livelihood"):
        for _, n, bad, expected, variance in con.execute(
            f"""SELECT {by}, count(*), sum(defaulted::INT), sum(p), sum(p * (1 - p))
            FROM scored GROUP BY 1"""
        ).fetchall():
            # Steps of 0.25 in z blur the probability by up to an eighth.
            assert abs(bad - expected) < 4 * math.sqrt(variance) + 0.04 * expected, (by, n)


def test_women_and_farmers_default_more_through_income_and_livelihood_alone(con):
    rates = dict(
        con.execute(
            """SELECT sex, avg(defaulted::INT) FROM loans JOIN persons USING (person_id) GROUP BY 1"""
        ).fetchall()
    )
    assert rates["female"] > rates["male"]


def test_the_spec_says_its_formula_where_the_answer_stands():
    spec = tomllib.loads(packaged()["banking"].read_text("utf-8"))
    told = spec["tables"]["loans"]["columns"]["defaulted"]["description"]
    assert "−5.00 + 0.05 × payment_to_income" in told["en"]
    risk = spec["tables"]["loans"]["columns"]["risk"]["derive"]
    assert not any(word in risk for word in ("sex", "province", "ethnic", "residence"))


def test_loans_can_be_paid_and_fit_their_first_instalment(con):
    assert only_row(
        con,
        """SELECT count(*) FROM loans WHERE abs(amount / term_months + amount * annual_rate / 1200
        - greatest(100, floor(monthly_income * payment_to_income / 100))) > 25
        AND amount > 100""",
    ) == (0,)
