"""What a custodian asks for: which records, at what price, and who remembers it."""

from __future__ import annotations

import math
import tempfile
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from synthetic.errors import PrivateError
from synthetic.private.accounting import rho_of
from synthetic.private.ledger import Account, Ledger
from synthetic.private.plan import Mode, Plan, planned
from synthetic.private.published import Published, published
from synthetic.private.reading import Records
from synthetic.private.schema import Schema, compiled
from synthetic.private.spec import PrivateSpec
from synthetic.private.weights import read
from synthetic.tables.files import storage_error

_MOST_EPSILON = 100  # more protects nobody
_MODEL_BYTES = 1 << 22  # more than most models need


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be fitted."""

    records: Records
    spec: PrivateSpec
    file: str  # the spec's name, for messages
    epsilon: float
    delta: float
    mode: Mode
    ledger: Ledger
    weights: Path | None = None  # a file of what pairs matter how much

    @classmethod
    def of(
        cls,
        data: str,
        spec: PrivateSpec,
        *,
        file: str,
        epsilon: float,
        delta: float,
        mode: str,
        ledger: Path,
        weights: Path | None = None,
    ) -> Order:
        """Check what a person typed and make an order of it."""
        if not 0 < epsilon <= _MOST_EPSILON or math.isnan(epsilon):
            raise PrivateError(f"epsilon {epsilon} must be above 0 and at most {_MOST_EPSILON}")
        if not 0 < delta < 0.001:
            raise PrivateError(
                f"delta {delta} must be above 0 and below 0.001; take less than one in the number "
                "of records, such as 1e-9"
            )
        return cls(
            records=Records(data),
            spec=spec,
            file=file,
            epsilon=epsilon,
            delta=delta,
            mode=Mode(mode),
            ledger=Ledger(ledger),
            weights=weights,
        )

    @cached_property
    def schema(self) -> Schema:
        """The columns."""
        return compiled(self.spec, self.file)

    @cached_property
    def published(self) -> tuple[Published, ...]:
        """The published tables that enter for free."""
        return published(self.spec, self.schema, self.file)

    @property
    def account(self) -> Account:
        """Whose budget is spent."""
        place = self.records.place
        return Account(source=self.spec.source, limit=self.spec.limit, place=place)

    @cached_property
    def plan(self) -> Plan:
        """The releases, known before the records are opened."""
        return planned(
            self.schema,
            epsilon=self.epsilon,
            delta=self.delta,
            rho=rho_of(self.epsilon, self.delta),
            mode=self.mode,
            unit_rows=1 if self.spec.unit is None else self.spec.unit.rows,
            weights=None if self.weights is None else read(self.weights, self.schema),
        )

    @property
    def neighbours(self) -> str:
        """What the guarantee is about."""
        if self.spec.unit is None:
            return "one row added or removed"
        return f"all rows of one {self.spec.unit.column} added or removed, " + (
            f"of which {self.spec.unit.rows} are kept at most"
        )

    def check_out(self, out: Path | None) -> None:
        """Refuse a place for the model that would fail after the budget is spent."""
        if out is None:
            raise PrivateError("--out is missing: name the model's file, or ask for --plan only")
        if out.exists():
            raise PrivateError(f"{out}: is there already; name a new file")
        if not out.parent.is_dir():
            raise PrivateError(f"{out.parent}: no such folder; make it first")
        try:  # permissions alone do not tell of a full disk or a read-only one
            with tempfile.TemporaryFile(dir=out.parent) as file:
                file.write(bytes(_MODEL_BYTES))
        except OSError as error:
            raise storage_error("write", out, error) from error
