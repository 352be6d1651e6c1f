"""Distributions that no published table gives, and values that are missing."""

from __future__ import annotations

from typing import Any

from pydantic import model_validator

from synthetic.spec.models.base import (
    Bilingual,
    Choices,
    Expression,
    Identifier,
    Knot,
    Model,
    Share,
    Shares,
    check_any,
)
from synthetic.spec.models.days import Day, Hour
from synthetic.spec.models.keys import by_code
from synthetic.spec.models.texts import Grammar


class Assume(Model):
    """A distribution that no published table gives. Exactly one of these, and a reason beside it.

    shares: code -> weight. quantiles: equally likely stretches between whole numbers.
    words: one of these texts, each as often as another. grammar: texts put together from words.
    day: a date of an interval by season. hour: a time of a given day. date_in_year: any day of the
    year that the expression names.

    All but date_in_year may depend on the columns in `given`: a table with a key for each
    combination, their codes joined by "|" in the order of `given`, "*" standing for any code (the
    most specific key counts, from the left), and nothing for a missing value. A number is its
    digits, a boolean true or false.

    A stretch holds its lower end and not its upper one, which begins the next; only the last
    stretch holds both. So every stretch is as likely as another, and a knot drawn in one alone.
    """

    shares: Shares | dict[str, Shares] | None = None
    quantiles: tuple[Knot, ...] | dict[str, tuple[Knot, ...]] | None = None
    date_in_year: Expression | None = None
    words: Choices | None = None
    grammar: Grammar | None = None
    day: Day | None = None
    hour: Hour | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> Assume:
        if len(self.model_fields_set) != 1:
            *most, last = (repr(name) for name in type(self).model_fields)
            raise ValueError(f"give exactly one of {', '.join(most)} and {last}")
        for shares in self.weights().values():
            if min(shares.values(), default=0) < 0 or not sum(shares.values()):
                raise ValueError("shares must be zero or more, and not all zero")
        for knots in self.knots().values():
            if len(knots) < 2 or list(knots) != sorted(knots):
                raise ValueError(f"quantiles {list(knots)} must rise, and be two or more")
        for words in () if self.words is None else by_code(self.words).values():
            check_any("words", words)
            repeated = sorted({word for word in words if words.count(word) > 1})
            if repeated:
                raise ValueError(f"words repeats {repeated[0]!r}; use 'shares' for unequal weights")
        return self

    def knots(self) -> dict[str, tuple[int, ...]]:
        """Return the quantiles by code; the empty code where they do not depend on one."""
        return {} if self.quantiles is None else by_code(self.quantiles)

    def weights(self) -> dict[str, Shares]:
        """Return the shares by code; the empty code where they do not depend on one."""
        if self.shares is None:
            return {}
        nested = {key: value for key, value in self.shares.items() if isinstance(value, dict)}
        flat = {key: value for key, value in self.shares.items() if isinstance(value, int)}
        return nested or {"": flat}

    def tables(self) -> list[dict[str, Any]]:
        """Everything here that depends on codes, by its keys."""
        if self.shares is not None:
            weights = self.weights()
            return [] if set(weights) == {""} and "" not in self.shares else [weights]
        found: list[object] = [self.quantiles, self.words]
        if self.grammar is not None:
            found += [self.grammar.text, *self.grammar.vocabularies.values()]
        if self.day is not None:
            found += [self.day.months, self.day.weekdays]
        if self.hour is not None:
            found.append(self.hour.hours)
        return [table for table in found if isinstance(table, dict)]


class Missing(Model):
    """Values that are not there: of how many rows, at random or given the codes of some columns."""

    share: Share | dict[str, Share]
    given: tuple[Identifier, ...] = ()
    because: Bilingual

    @model_validator(mode="after")
    def _depends_or_not(self) -> Missing:
        if isinstance(self.share, dict) != bool(self.given):
            raise ValueError("a share by code, and no other, needs columns in 'given'")
        return self
