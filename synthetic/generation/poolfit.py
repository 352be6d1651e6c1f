"""From a pool's margins to its frozen fit: which numbers go in, which whole numbers come out."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from synthetic.errors import SpecError
from synthetic.generation import models
from synthetic.generation.compositions import (
    SEXES,
    features,
    graduate,
    reweight,
    simulate,
    single_years,
    spread_over_places,
    whole_weights,
)
from synthetic.spec.margins import Margin
from synthetic.spec.models import PoolSpec

AXES = {
    "strata": ("area", "residence"),
    "sex": ("area", "sex"),
    "ages": ("area", "sex", "age_band"),
    "places": ("area", "place"),
    "place_area": ("area", "place"),
    "persons_total": (),
    "groups_total": (),
    "without_spouse": ("residence",),
    "never_married": (),
    "married": (),
    "divorced": ("residence",),
}
VERSION = "3"  # of the simulation and the fit; a change makes new models
_OLDEST = 95  # the last single year that is smoothed


def inputs(pool: PoolSpec, margins: Mapping[str, Margin]) -> dict[str, Margin]:
    """Return the pool's margins by role, each with its axes in the order that a fit expects."""
    found = {}
    for role, axes in AXES.items():
        margin = margins[getattr(pool, role)]
        if set(margin.axes) != set(axes):
            raise SpecError(
                f"{role} = {margin.name!r} must have the axes {axes or 'none'}; it has {margin.axes}"
            )
        found[role] = margin.over(*axes)
    if set(found["sex"].categories["sex"]) != set(SEXES):
        raise SpecError(f"sex = {found['sex'].name!r} must have the categories {', '.join(SEXES)}")
    if len(found["strata"].categories["residence"]) != 2:
        raise SpecError(f"strata = {found['strata'].name!r} must have two residences, urban first")
    return found


def key(pool: PoolSpec, inputs: Mapping[str, Margin]) -> str:
    """Name the fit by all that it depends on."""
    parts = [VERSION, str(pool.templates), *(inputs[role].digest for role in AXES)]
    return models.key(pool.kind, parts)


def fit(pool: PoolSpec, inputs: Mapping[str, Margin]) -> models.Arrays:
    """Simulate and reweight.

    Returns
    -------
    mapping of arrays
        `size` (templates,), `age`, `sex`, `relation`, `marital`, `line` (templates, 8);
        `weights` (areas x residences, templates); `place_weights` (places, residences), places in
        the order of the margin.
    """
    templates = simulate(pool.templates)
    bands = inputs["ages"].categories["age_band"]
    x = features(templates, [int(band.rstrip("+").split("-")[0]) for band in bands])
    base = reweight(single_years(templates, _OLDEST), _smooth_ages(inputs))
    weights = np.stack([whole_weights(reweight(x, t, base)) for t in _targets(inputs)])
    return {
        "size": templates.size,
        "age": templates.age,
        "sex": templates.sex,
        "relation": templates.relation,
        "marital": templates.marital,
        "line": templates.line,
        "weights": weights.astype(np.uint32),
        "place_weights": _place_weights(inputs).astype(np.uint32),
    }


def _smooth_ages(inputs: Mapping[str, Margin]) -> npt.NDArray[np.float64]:
    """Mean persons a household by sex and single year in the country, smooth within the bands.

    The strata's weights stay near to weights that meet this, so that single years are smooth
    within each stratum too.
    """
    ages = inputs["ages"].over("sex", "age_band")
    bands = ages.categories["age_band"]
    starts = [_starts(band) for band in bands]
    mean_size = float(inputs["persons_total"].scalar() / inputs["groups_total"].scalar())
    years = np.concatenate(
        [
            graduate(np.array([float(ages.cells[sex, band]) for band in bands]), starts, _OLDEST)
            for sex in SEXES
        ]
    )
    return mean_size * years / years.sum()


def _targets(inputs: Mapping[str, Margin]) -> list[npt.NDArray[np.float64]]:
    """Mean persons a household by sex and band, and by marital status; one array a stratum."""
    ages, strata = inputs["ages"], inputs["strata"]
    bands = ages.categories["age_band"]
    mean_size = inputs["persons_total"].scalar() / inputs["groups_total"].scalar()
    alone = 100 - inputs["married"].scalar()
    found = []
    for area in strata.categories["area"]:
        people = [ages.cells[area, sex, band] for sex in SEXES for band in bands]
        shares = [n / sum(people) for n in people]
        adults = sum(
            share for share, band in zip(shares, bands * 2, strict=True) if _starts(band) >= 15
        )
        for residence in strata.categories["residence"]:
            without = inputs["without_spouse"].cells[residence,]
            never = inputs["never_married"].scalar() * without / alone
            divorced = inputs["divorced"].cells[residence,]
            states = [adults * share / 100 for share in (100 - without, never, divorced)]
            found.append(np.array([float(mean_size * value) for value in (*shares, *states)]))
    return found


def _starts(band: str) -> int:
    return int(band.rstrip("+").split("-")[0])


def _place_weights(inputs: Mapping[str, Margin]) -> npt.NDArray[np.int64]:
    places, strata = inputs["places"], inputs["strata"]
    residences = strata.categories["residence"]
    rows = np.zeros((len(places.cells), len(residences)), dtype=np.int64)
    cells = list(places.cells)
    for area in strata.categories["area"]:
        at = [i for i, (a, _) in enumerate(cells) if a == area]
        persons = np.array([float(places.cells[cells[i]]) for i in at])
        square_km = np.array([float(inputs["place_area"].cells[cells[i]]) for i in at])
        total = np.array([float(strata.cells[area, r]) for r in residences])
        rows[at] = spread_over_places(persons, persons / np.maximum(square_km, 0.01), total)
    return rows
