"""Land makes sense across datasets, read with SQL over the Parquet files alone."""

from __future__ import annotations

from collections import defaultdict

import pytest

from synthetic import statistics
from synthetic.errors import SpecError
from synthetic.generation.identifiers import is_synthetic
from synthetic.spec.load import parse
from synthetic.spec.margins import resolve
from tests.synthetic.dataset_views import none, views

pytestmark = pytest.mark.slow

SCALE = "0.001"
GROUPS = {
    "agricultural production land": "farm",
    "forestry land": "forest",
    "specially used land": "special",
    "homestead land": "home",
}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    return views("land", tmp_path_factory.mktemp("land"), scale=SCALE)


def hectares(con, where):
    (found,) = con.execute(f"SELECT sum(area_m2) / 10000 FROM parcels WHERE {where}").fetchone()
    return float(found) / float(SCALE)


def published(category):
    (value,) = (
        float(row["value"])
        for row in statistics.rows("land_indicators")
        if row["category"] == category and row["period"] == "2024-12-31"
    )
    return value


def test_there_are_as_many_parcels_as_verified(con):
    assert con.execute("SELECT count(*) FROM parcels").fetchone() == (42_000,)


@pytest.mark.parametrize(
    ("types", "category", "within"),
    [
        (("LUC", "LUK", "HNK"), "agricultural|annual_crops", 0.03),
        (("CLN",), "agricultural|perennial_crops", 0.12),
        (("NTS",), "agricultural|aquaculture", 0.15),
        (("RSX", "RPH", "RDD"), "agricultural|forestry", 0.3),
        (("ODT",), "non_agricultural|residential_urban", 0.03),
        (("ONT",), "non_agricultural|residential_rural", 0.03),
    ],
)
def test_areas_add_up_to_the_inventory(con, types, category, within):
    """At a thousandth forests are few and large; they come nearer with the scale."""
    found = hectares(con, f"land_type IN {(*types, '')}")
    assert found == pytest.approx(published(category), rel=within)


def test_provinces_share_parcels_as_the_table_of_2015(con):
    lead = {
        r["former_code"]: r["new_province_code"]
        for r in statistics.rows("admin_provinces_63_former")
    }
    shape, totals = defaultdict(float), defaultdict(float)
    for row in statistics.rows("land_use_province_2015"):
        if (
            row["indicator"] == "land_area"
            and row["area_level"] == "province"
            and row["category"] in GROUPS
        ):
            group = GROUPS[row["category"]]
            shape[lead[row["area_code"]], group] += float(row["value"])
            totals[group] += float(row["value"])
    found = con.execute("SELECT province_code, land_group, count(*) FROM parcels GROUP BY ALL")
    counts = {(area, group): n for area, group, n in found.fetchall()}
    for group, total in totals.items():
        n = sum(count for cell, count in counts.items() if cell[1] == group)
        for (area, _), value in ((c, v) for c, v in shape.items() if c[1] == group):
            assert abs(counts.get((area, group), 0) - n * value / total) < 1.5


def test_a_parcel_is_found_by_commune_sheet_and_number(con):
    none(
        con,
        """(SELECT 1 FROM parcels GROUP BY commune_code, map_sheet, parcel_number
            HAVING count(*) > 1)""",
    )
    none(con, "parcels WHERE map_sheet < 9001")
    none(
        con,
        "parcels JOIN price_zones z USING (commune_code) WHERE z.province_code <> parcels.province_code",
    )


def test_every_parcel_has_one_right_of_its_kind_of_holder(con):
    none(
        con,
        "parcels FULL JOIN rights USING (parcel_id) WHERE right_id IS NULL OR map_sheet IS NULL",
    )
    none(con, "parcels p JOIN rights r USING (parcel_id) WHERE p.user_kind <> r.user_kind")
    none(con, "(SELECT 1 FROM rights GROUP BY parcel_id HAVING count(*) > 1)")


def test_spouses_who_share_a_right_are_married_and_of_one_household(con):
    none(
        con,
        """rights r JOIN persons a USING (person_id) JOIN persons b ON r.spouse_id = b.person_id
        WHERE a.household_id <> b.household_id OR a.person_id = b.person_id
        OR a.marital_status <> 'married' OR b.marital_status <> 'married'""",
    )
    (joint,) = con.execute(
        "SELECT avg((spouse_id IS NOT NULL)::INT) FROM rights WHERE user_kind = 'person'"
    ).fetchone()
    assert 0.5 < joint < 0.8


def test_holders_live_near_and_could_hold_it(con):
    none(
        con,
        """rights r JOIN persons USING (person_id)
        WHERE began_on < birth_date + INTERVAL 18 YEAR OR r.province_code <> persons.province_code""",
    )
    none(con, "rights JOIN enterprises USING (tax_code) WHERE began_on < registered_on")
    none(con, "rights WHERE term_ends_on <= DATE '2024-12-31' OR certificate_issued_on < began_on")
    (near,) = con.execute(
        """SELECT avg((p.commune_code = r.commune_code)::INT)
        FROM rights r JOIN persons p USING (person_id)"""
    ).fetchone()
    assert near > 0.95


def test_certificates_cannot_be_real_and_never_repeat(con):
    numbers = [
        n
        for (n,) in con.execute(
            "SELECT certificate_number FROM rights WHERE certificate_number IS NOT NULL"
        ).fetchall()
    ]
    assert len(set(numbers)) == len(numbers) > 40_000
    assert all(is_synthetic("land_certificate", number) for number in numbers[:500])
    assert not is_synthetic("land_certificate", "AA12345678")
    assert not is_synthetic("land_certificate", "FW123456")


def test_transfers_stand_in_order_and_lead_to_the_right_in_force(con):
    none(con, "transfers WHERE registered_on <= former_right_on")
    none(
        con,
        """transfers b JOIN transfers a ON b.previous_id = a.transfer_id
        WHERE a.parcel_id <> b.parcel_id OR a.sequence + 1 <> b.sequence
        OR a.registered_on >= b.registered_on OR a.to_person_id <> b.from_person_id""",
    )
    none(
        con,
        """(SELECT *, row_number() OVER (PARTITION BY parcel_id ORDER BY sequence DESC) AS last
        FROM transfers) t JOIN rights r USING (parcel_id) WHERE last = 1 AND
        (r.began_on <> registered_on OR r.person_id IS DISTINCT FROM to_person_id
        OR r.tax_code IS DISTINCT FROM to_tax_code OR r.origin <> 'NCQ')""",
    )
    none(
        con,
        """parcels FULL JOIN (SELECT parcel_id, count(*) AS n FROM transfers GROUP BY 1)
        USING (parcel_id) WHERE coalesce(n, 0) <> n_transfers""",
    )
    none(con, "rights JOIN parcels USING (parcel_id) WHERE (origin = 'NCQ') <> (n_transfers > 0)")
    none(con, "transfers WHERE from_person_id = to_person_id")


def test_values_follow_the_price_of_commune_type_and_year(con):
    none(
        con,
        """transfers t LEFT JOIN prices p USING (commune_code, land_type, year)
        WHERE p.price_vnd_m2 IS DISTINCT FROM t.state_price_vnd_m2""",
    )
    none(
        con,
        """transfers WHERE kind = 'sale' AND
        (declared_value_vnd < area_m2 * state_price_vnd_m2 * 0.999
        OR abs(income_tax_vnd - declared_value_vnd * 0.02) > 1)""",
    )


def test_an_area_alone_has_the_same_rows(con, tmp_path):
    alone = views("land", tmp_path, scale=SCALE, area="48")
    for table in ("price_zones", "prices", "parcels", "rights", "transfers"):
        wanted = con.execute(f"SELECT * FROM {table} WHERE province_code = '48' ORDER BY ALL")
        found = alone.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
        assert found == wanted.fetchall()
        assert found


WEIGHED = """
spec = 1
dataset = "weighed"
title = { vi = "thử", en = "test" }
description = { vi = "thử", en = "test" }
as_of = 2024-12-31
licence = "CC-BY-4.0"
tables.t.title = { vi = "thử", en = "test" }
tables.t.description = { vi = "thử", en = "test" }
tables.t.key = ["kind"]
tables.t.rows.cells = { of = "kinds", because = { vi = "thử", en = "test" } }
tables.t.columns.kind = { title = { vi = "thử", en = "test" }, type = "text", take = "kind" }
[margins.kinds]
table = "admin_communes"
axes = { kind = "unit_type" }
add_up = true
value = "area_km2"
weigh = { by = ["kind"], weights = { "xã" = 3, "*" = 1 }, because = { vi = "thử", en = "test" } }
"""


def test_a_weighed_margin_is_multiplied_and_no_longer_published():
    weighed = resolve(parse(WEIGHED, "weighed.toml"))["kinds"]
    plain = resolve(parse(WEIGHED.split("weigh =")[0].rstrip(), "plain.toml"))["kinds"]
    assert plain.published
    assert not weighed.published
    for cell, value in plain.cells.items():
        assert weighed.cells[cell] == value * (3 if cell == ("xã",) else 1)
    with pytest.raises(SpecError, match="weigh gives nothing for 'phường'"):
        resolve(parse(WEIGHED.replace('"*" = 1', '"đặc khu" = 1'), "weighed.toml"))
