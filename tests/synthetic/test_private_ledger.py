"""The ledger never lends, never forgets, and never gives back."""

from __future__ import annotations

import math
import signal
import sqlite3
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from synthetic.errors import BudgetError, StorageError
from synthetic.private.accounting import rho_of
from synthetic.private.ledger import Account, Ledger
from synthetic.private.plan import Release
from synthetic.private.spec import Limit

from .private_tables import SPEC, records, write

LIMIT = Limit(epsilon=2, delta=1e-6)
RHO = rho_of(2, 1e-6)
ACCOUNT = Account(source="survey", limit=LIMIT, place="/data/survey.parquet")


def release_of(rho, name="pairs"):
    return Release(name=name, rho=rho, n_tables=1, n_cells=2, unit_rows=1)


@settings(max_examples=5)
@given(st.lists(st.floats(0.001, 1), max_size=8))
def test_a_ledger_never_lends(shares):
    with TemporaryDirectory() as folder:
        ledger = Ledger(Path(folder) / "ledger.sqlite")
        paid = []
        for share in shares:
            with suppress(BudgetError):
                ledger.spend(ACCOUNT, [release_of(share * RHO)])
                paid.append(share * RHO)
        assert sum(map(Fraction, paid)) <= Fraction(RHO)
        assert ledger.spent("survey") == pytest.approx(math.fsum(paid))


def test_a_limit_can_be_used_up_to_the_last_unit_and_not_beyond(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    half = RHO / 2
    ledger.spend(ACCOUNT, [release_of(half)])
    ledger.spend(ACCOUNT, [release_of(RHO - half)])
    with pytest.raises(BudgetError, match="epsilon 2 of it is spent; this fit does not fit"):
        ledger.spend(ACCOUNT, [release_of(5e-324)])


def test_releases_are_paid_together_or_not_at_all(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    with pytest.raises(BudgetError):
        ledger.spend(ACCOUNT, [release_of(RHO * 0.9), release_of(RHO * 0.9, "again")])
    assert ledger.spent("survey") == 0
    receipt = ledger.spend(ACCOUNT, [release_of(RHO / 4), release_of(RHO / 4, "again")])
    assert len(receipt.left) == 2


def test_a_limit_cannot_be_raised_later_and_can_be_lowered(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.spend(ACCOUNT, [release_of(RHO / 2)])
    more = Account(source="survey", limit=Limit(epsilon=9, delta=1e-6), place=ACCOUNT.place)
    with pytest.raises(BudgetError, match="a limit is never raised"):
        ledger.spend(more, [release_of(RHO / 100)])
    less = Account(source="survey", limit=Limit(epsilon=1, delta=1e-6), place=ACCOUNT.place)
    with pytest.raises(BudgetError, match="epsilon 1 at delta 1e-06 is the limit"):
        ledger.check(less, [release_of(RHO / 100)])


def test_the_same_records_under_another_name_are_refused(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")
    ledger.spend(ACCOUNT, [release_of(RHO / 2)])
    other = Account(source="second", limit=LIMIT, place=ACCOUNT.place)
    with pytest.raises(BudgetError, match="were fitted as source 'survey'"):
        ledger.check(other, [release_of(RHO / 2)])


def test_of_many_at_once_only_as_many_are_paid_as_the_limit_allows(tmp_path):
    ledger = Ledger(tmp_path / "ledger.sqlite")

    def spend(number):
        with suppress(BudgetError):
            return ledger.spend(ACCOUNT, [release_of(RHO / 4)])

    with ThreadPoolExecutor(8) as threads:
        receipts = list(threads.map(spend, range(8)))
    assert sum(receipt is not None for receipt in receipts) == 4


def test_a_ledger_that_is_no_ledger_stops_everything(tmp_path):
    path = tmp_path / "ledger.sqlite"
    path.write_text("not a database, and longer than its header would be" * 20)
    with pytest.raises(StorageError, match="nothing is released without it"):
        Ledger(path).spend(ACCOUNT, [release_of(RHO / 4)])


DIES = """
import os, signal, sys
from pathlib import Path
from synthetic.private import Order, fit, spec

class Dies:
    is_releasable = True
    def added(self, counts, release):
        os.kill(os.getpid(), signal.SIGKILL)

data, text, ledger = map(Path, sys.argv[1:])
fit(Order.of(str(data), spec.load(text), file="s", epsilon=1, delta=1e-7, mode="fast",
             ledger=ledger), Dies())
"""


@pytest.mark.slow
def test_a_fit_that_is_killed_between_payment_and_noise_stays_paid(tmp_path):
    data = write(records(), tmp_path / "records.parquet")
    (tmp_path / "survey.toml").write_text(SPEC, "utf-8")
    ledger = tmp_path / "ledger.sqlite"
    done = subprocess.run(
        [sys.executable, "-c", DIES, data, tmp_path / "survey.toml", ledger], check=False
    )
    assert done.returncode == -signal.SIGKILL
    assert Ledger(ledger).spent("survey") == pytest.approx(rho_of(1, 1e-7))
    left = {path.name for path in tmp_path.iterdir()}
    assert left == {"records.parquet", "survey.toml", "ledger.sqlite"}
    with sqlite3.connect(ledger) as connection:
        assert connection.execute("SELECT count(*) FROM spent").fetchone() == (2,)
    connection.close()
