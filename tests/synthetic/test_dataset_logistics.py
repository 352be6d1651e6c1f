"""Logistics makes sense across tables and datasets, seen from Parquet and SQL alone."""

from __future__ import annotations

import math

import pytest

from synthetic import statistics
from tests.synthetic.dataset_views import one, views

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def sql(tmp_path_factory):
    return views("logistics", tmp_path_factory.mktemp("logistics"))


def test_shippers_and_consignees_are_where_the_shipment_is(sql):
    wrong = """
        SELECT count(*) FROM logistics.shipments s
        LEFT JOIN enterprise.enterprises a ON a.tax_code = s.shipper_tax_code
        LEFT JOIN enterprise.enterprises b ON b.tax_code = s.consignee_tax_code
        LEFT JOIN population.households h ON h.household_id = s.consignee_household
        WHERE a.commune_code IS DISTINCT FROM s.from_commune
           OR a.province_code IS DISTINCT FROM s.province_code
           OR coalesce(b.commune_code, h.commune_code) IS DISTINCT FROM s.to_commune
           OR coalesce(b.province_code, h.province_code) IS DISTINCT FROM s.to_province
    """
    assert one(sql, wrong) == 0


def test_carriers_are_in_transport_and_carry_in_their_own_vehicles(sql):
    wrong = """
        SELECT count(*) FROM logistics.shipments s
        JOIN enterprise.enterprises c ON c.tax_code = s.carrier_tax_code
        LEFT JOIN logistics.fleet f USING (fleet_id)
        WHERE c.sector <> 'H' OR (s.fleet_id IS NOT NULL AND (
            f.tax_code <> s.carrier_tax_code OR f.payload_kg IS NULL
            OR s.mode <> 'road' OR s.trips * f.payload_kg < s.weight_kg))
    """
    assert one(sql, wrong) == 0
    assert one(sql, "SELECT count(*) FROM logistics.shipments WHERE fleet_id IS NOT NULL") > 1000


def test_waterways_stay_within_their_rivers(sql):
    assert (
        one(
            sql,
            "SELECT count(*) FROM logistics.shipments WHERE mode = 'inland_waterway' "
            "AND province_code < '38' AND to_province > '37'",
        )
        == 0
    )


def test_the_shares_of_modes_are_the_published_ones(sql):
    published = {
        row["category"]: float(row["value"])
        for row in statistics.rows("logistics_indicators")
        if (row["indicator"], row["dimension"]) == ("freight_carried", "mode")
    }
    road = one(sql, "SELECT avg((mode = 'road')::INT) FROM logistics.shipments")
    both = published["road"] + published["inland_waterway"]
    assert road == pytest.approx(published["road"] / both, abs=0.0005)


def test_delay_is_the_planted_one(sql):
    """Counted by every combination of causes, against the sum that the spec states."""
    cells = sql.execute("""
        SELECT
            CASE distance_class WHEN 'local' THEN 40 WHEN 'near' THEN 70
                WHEN 'middle' THEN 120 ELSE 180 END
            + CASE to_kind WHEN 'special_zone' THEN 200 WHEN 'commune' THEN 30 ELSE 0 END
            + if(to_wet, 50, 0) + if(tet_rush, 150, 0) + if(service = 'express', 40, 0)
            + if(mode = 'inland_waterway', 30, 0) AS permille,
            count(*), count(*) FILTER (is_late)
        FROM logistics.shipments WHERE picked_up_at < TIMESTAMP '2024-12-01' GROUP BY 1
    """).fetchall()
    assert len(cells) > 20
    for permille, n, late in cells:
        chance = permille / 1000
        assert abs(late - n * chance) < 5 * math.sqrt(n * chance * (1 - chance)) + 1


def test_vehicles_of_two_kinds_of_owner_share_no_plate(sql):
    assert (
        one(
            sql,
            "SELECT count(*) - count(DISTINCT plate) FROM (SELECT plate FROM logistics.vehicles "
            "UNION ALL SELECT plate FROM logistics.fleet)",
        )
        == 0
    )
    assert one(sql, "SELECT bool_and(plate[1] = '0') FROM logistics.vehicles")


def test_ships_call_at_ports_of_their_province_in_order(sql):
    assert one(sql, "SELECT count(DISTINCT port) FROM logistics.port_calls") == 8
    assert (
        one(
            sql,
            "SELECT max(n) FROM (SELECT count(DISTINCT province_code) n FROM logistics.port_calls "
            "GROUP BY port)",
        )
        == 1
    )
    assert one(
        sql,
        "SELECT bool_and(arrived_at < berthed_at AND berthed_at < departed_at) "
        "FROM logistics.port_calls",
    )
    mean = one(sql, "SELECT avg(cargo_tonnes) FROM logistics.port_calls")
    assert 1800 < mean < 3200  # 2,500 tonnes a call, as the level assumes
