"""Pools that groups and their members are drawn from."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from synthetic.spec.models.base import Bilingual, Identifier, Model


class PoolSpec(Model):
    """A pool of household compositions, reweighted for each stratum to published margins.

    `strata` gives persons by (area, residence), urban first, and `sex` by (area, sex): both are
    quotas. `ages` gives persons by (area, sex, five-year band) and `places` by (area, place);
    `place_area` square kilometres by (area, place). The mean size is `persons_total` divided by
    `groups_total`. The rest are percent of persons of 15 and over: `without_spouse` and
    `divorced` by residence, `never_married` and `married` for the country.
    """

    kind: Literal["household_compositions"]
    strata: Identifier
    sex: Identifier
    ages: Identifier
    places: Identifier
    place_area: Identifier
    persons_total: Identifier
    groups_total: Identifier
    without_spouse: Identifier
    never_married: Identifier
    married: Identifier
    divorced: Identifier
    templates: int = Field(default=8192, ge=64, le=65535)
    because: Bilingual
