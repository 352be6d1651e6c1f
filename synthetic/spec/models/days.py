"""Days by season and times by hour."""

from __future__ import annotations

import datetime as dt
from typing import Annotated

from pydantic import Field, StringConstraints, model_validator

from synthetic.spec.models.base import (
    Expression,
    Identifier,
    Model,
    Weight,
    Weights,
    check_weights,
)


class Tet(Model):
    """What Tết makes of the days around it, in percent of what they would be: 100 changes nothing.

    Both in the order of the calendar: the last of `before` is the eve, the first of `after` is the
    first day of the year.
    """

    before: tuple[Weight, ...] = Field(default=(), max_length=60)
    after: tuple[Weight, ...] = Field(default=(), max_length=60)


class Day(Model):
    """A day from one date to another, both included, by weight; without weights, any as likely.

    A day's weight is the product of those of its month, weekday (Monday first) and year, each in
    any unit, and of Tết and holidays ("MM-DD"), in percent. A year that `years` does not name has
    none. Months and weekdays may depend on the codes in the column's `given`.
    """

    from_: Expression = Field(alias="from")
    to: Expression
    months: Weights | dict[str, Weights] | None = None
    weekdays: Weights | dict[str, Weights] | None = None
    years: dict[Annotated[str, StringConstraints(pattern=r"^\d{4}$")], Weight] = Field(default={})
    tet: Tet | None = None
    holidays: dict[Annotated[str, StringConstraints(pattern=r"^\d\d-\d\d$")], Weight] = Field(
        default={}
    )

    @model_validator(mode="after")
    def _has_its_lengths(self) -> Day:
        check_weights("months", self.months, 12)
        check_weights("weekdays", self.weekdays, 7)
        for day in self.holidays:
            try:
                dt.date.fromisoformat(f"2000-{day}")
            except ValueError:
                raise ValueError(f"holidays: {day!r} is no day of a year (MM-DD)") from None
        if self.years and not any(self.years.values()):
            raise ValueError("years must not all be zero")
        return self


class Hour(Model):
    """A time of the day in `at`, a date column: the hour by weight, minute and second any."""

    at: Identifier
    hours: Weights | dict[str, Weights]

    @model_validator(mode="after")
    def _has_its_length(self) -> Hour:
        check_weights("hours", self.hours, 24)
        return self
