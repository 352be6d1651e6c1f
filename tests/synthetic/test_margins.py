"""Margins read published tables exactly, and combine them as a spec asks."""

from __future__ import annotations

import csv
from fractions import Fraction

import pytest

from synthetic import statistics
from synthetic.spec.load import load, packaged
from synthetic.spec.margins import resolve


@pytest.fixture(scope="module")
def population():
    return resolve(load(packaged()["population"]))


@pytest.fixture(scope="module")
def enterprise():
    return resolve(load(packaged()["enterprise"]))


def published(name):
    with (statistics.folder() / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_persons_by_province_are_the_published_ones(population):
    for row in published("population_province_34"):
        if row["year"] == "2024":
            urban = population["residents"].cells[row["province_code"], "urban"]
            assert urban == Fraction(row["urban_thousand"]) * 1000


def test_ages_are_raked_to_the_newer_totals_and_keep_their_shape(population):
    ages, sexes = population["ages"], population["sexes"]
    assert ages.over("area", "sex").cells == sexes.over("area", "sex").cells
    old: dict[tuple[str, str], int] = {}
    for row in published("population_age_sex_province_63_projection"):
        if row["year"] == "2024" and row["new_province_code"] == "48" and row["sex"] == "male":
            key = (row["age_group"], "male")
            old[key] = old.get(key, 0) + int(row["population"])
    share = Fraction(old["0-4", "male"], sum(old.values()))
    assert ages.cells["48", "male", "0-4"] / sexes.cells["48", "male"] == share


def test_communes_share_their_province_by_registered_residents(population):
    places = population["places"]
    assert len(places.cells) == 3321
    assert places.over("area").cells == population["residents"].over("area").cells


def test_provinces_without_a_published_density_share_the_rest(enterprise):
    by_province = enterprise["by_province"]
    assert by_province.total == 940_078
    density = {
        row["category"]: Fraction(row["value"])
        for row in published("enterprise_indicators")
        if row["indicator"].startswith("active_enterprises_per_1000") and row["period"] == "2024"
    }
    # The three former provinces of Hồ Chí Minh are all published, so nothing is assumed there.
    known = sum(
        density[row["former_name"]] * Fraction(row["population_thousand"])
        for row in published("population_province_63")
        if row["year"] == "2024" and row["new_province_code"] == "79"
    )
    assert by_province.cells["79",] == known
    assert not by_province.published
    assert enterprise["urban_63"].published
    assert len(by_province.cells) == 34
