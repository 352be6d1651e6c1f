"""Links: who meets whom, by weight, match, place, area, group; and what is missing."""

from __future__ import annotations

import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.errors import BuildError, SpecError
from synthetic.evaluation.sql import connect
from synthetic.evaluation.verify import verify
from synthetic.generation.world import World
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all, parse

from .specs import LINKED

SCALE = "0.0005"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("specs")
    (folder / "linked.toml").write_text(LINKED, "utf-8")
    return folder


def built(folder, out, area=None):
    order = Order(
        datasets=("linked",), recipe=make_recipe(SCALE, area, 1, "exact"), out=out, specs=(folder,)
    )
    return {manifest.dataset: manifest for manifest in build(order)}


@pytest.fixture(scope="module")
def replicas(folder, tmp_path_factory):
    return built(folder, tmp_path_factory.mktemp("out"))


@pytest.fixture(scope="module")
def rows(replicas):
    with connect(replicas) as connection:
        yield connection


def one(rows, query):
    return rows.execute(query).fetchall()


def test_a_replica_with_links_of_every_kind_verifies(replicas, folder):
    checks = verify(replicas["linked"], load_all(["linked"], [folder]))
    assert [check for check in checks if not check.ok] == []
    assert sum("->" in check.what for check in checks) == 13


def test_keys_that_leave_an_area_are_counted_apart_and_no_others(folder, tmp_path):
    part = built(folder, tmp_path, "48")["linked"]
    checks = verify(part, load_all(["linked"], [folder]))
    assert [check for check in checks if not check.ok] == []
    apart = {check.what.partition(" ")[0] for check in checks if "other areas" in check.detail}
    assert {"to_id", "school_id"} >= apart >= {"to_id"}


def test_a_margin_by_the_areas_of_something_else_is_not_cut_to_the_rows_own(tmp_path):
    """Payments of Đà Nẵng go to every province."""
    spec = LINKED.replace(
        "[margins.kinds]",
        '[margins.people]\ntable = "population_province_34"\nwhere = { year = "2024" }\n'
        'axes = { area = "province_code" }\nvalue = "population_thousand"\n\n[margins.kinds]',
    ).replace('assume = { shares = { "48" = 1, "01" = 3 } }', 'follows = "people"')
    (tmp_path / "linked.toml").write_text(spec, "utf-8")
    part = built(tmp_path, tmp_path / "out", "48")["linked"]
    checks = verify(part, load_all(["linked"], [tmp_path]))
    assert [check for check in checks if not check.ok] == []
    assert any(check.what == "to_area against population_province_34" for check in checks)


def test_a_key_that_leads_nowhere_is_found_over_all_its_columns(folder, tmp_path):
    """The owner is there and the account is there, but not this owner's account."""
    broken = LINKED.replace('take = "parent.position"', 'derive = "3 + 0 * position"')
    (tmp_path / "linked.toml").write_text(broken, "utf-8")
    found = built(tmp_path, tmp_path / "out", "11")["linked"]
    checks = verify(found, load_all(["linked"], [tmp_path]))
    (check,) = [c for c in checks if c.table == "payments" and c.what.startswith("owner_id ->")]
    assert not check.ok
    assert "lead nowhere" in check.detail


def test_units_are_eligible_and_match(rows):
    wrong = one(
        rows,
        """SELECT count(*) FROM linked.pupils p JOIN linked.schools s USING (school_id)
           WHERE s.room < 5 OR s.kind <> p.kind""",
    )
    assert wrong == [(0,)]


def test_the_own_place_goes_before_the_area_and_the_area_before_the_country(rows):
    wrong = one(
        rows,
        """
        WITH there AS (
            SELECT kind, commune_code, province_code FROM linked.schools WHERE room >= 5
        )
        SELECT count(*) FROM linked.pupils p JOIN linked.schools s USING (school_id)
        WHERE (s.commune_code <> p.commune_code AND EXISTS (
                 FROM there t WHERE t.kind = p.kind AND t.commune_code = p.commune_code))
           OR (s.province_code <> p.province_code AND EXISTS (
                 FROM there t WHERE t.kind = p.kind AND t.province_code = p.province_code))
        """,
    )
    assert wrong == [(0,)]


def test_weights_are_respected_within_what_chance_allows(rows):
    """Pupils whose commune has no school choose among their area's by weight."""
    found = one(
        rows,
        """
        WITH there AS (SELECT * FROM linked.schools WHERE room >= 5),
        chosen AS (
            SELECT p.province_code AS area, p.kind AS kind, s.school_id AS id
            FROM linked.pupils p JOIN linked.schools s USING (school_id)
            WHERE s.province_code = p.province_code AND NOT EXISTS (
                FROM there t WHERE t.kind = p.kind AND t.commune_code = p.commune_code)
        ),
        n AS (SELECT area, kind, count(*) AS n FROM chosen GROUP BY ALL),
        w AS (SELECT province_code, kind, sum(room) AS w FROM there GROUP BY ALL)
        SELECT n, t.room / w.w AS p, (SELECT count(*) FROM chosen c WHERE c.id = t.school_id)
        FROM n JOIN there t ON t.province_code = area AND t.kind = n.kind
        JOIN w ON w.province_code = area AND w.kind = n.kind
        """,
    )
    assert len(found) > 20
    for n, p, seen in found:
        # Five standard deviations of a binomial; one more for the smallest counts.
        assert abs(seen - n * p) <= 5 * (n * p * (1 - p)) ** 0.5 + 1


def test_a_row_within_another_keys_rows_belongs_to_it(rows):
    assert one(rows, "SELECT count(*) FROM linked.pupils WHERE NOT class_fits") == [(0,)]
    spread = one(
        rows,
        """SELECT c.position, count(*) FROM linked.pupils p JOIN linked.classes c USING (class_id)
           GROUP BY 1 ORDER BY 1""",
    )
    n = sum(count for _, count in spread)
    # Three classes, each as likely: five standard deviations of a binomial.
    assert all(abs(count - n / 3) < 5 * (n * 2 / 9) ** 0.5 for _, count in spread)


def test_a_member_within_the_group_is_there_exactly_where_somebody_fits(rows):
    wrong = one(
        rows,
        """
        WITH fit AS (
            SELECT household_id, person_id, age FROM population.persons
            WHERE sex = 'female' AND age >= 30 AND relation <> 'parent'
        )
        SELECT
            count(*) FILTER (p.mother_id IS NULL AND EXISTS (
                FROM fit f WHERE f.household_id = c.household_id)),
            count(*) FILTER (p.mother_id IS NOT NULL AND NOT EXISTS (
                FROM fit f WHERE f.household_id = c.household_id AND f.person_id = p.mother_id
                AND f.age = p.mother_age)),
            count(*) FILTER (p.mother_id IS NULL), count(*)
        FROM linked.pupils p JOIN population.persons c ON c.person_id = p.pupil_id
        """,
    )
    ((not_found, wrong_one, missing, n),) = wrong
    assert (not_found, wrong_one) == (0, 0)
    assert 0 < missing < n


def test_earlier_rows_are_earlier_and_no_key_leads_in_a_circle(rows):
    wrong = one(
        rows,
        """
        SELECT count(*) FILTER (q.payment_id >= p.payment_id OR q.account <> p.account
                                OR q.owner_id <> p.owner_id),
               count(*) FILTER ((p.previous_id IS NULL) <> (p.position = 0))
        FROM linked.payments p LEFT JOIN linked.payments q ON q.payment_id = p.previous_id
        """,
    )
    assert wrong == [(0, 0)]
    wrong = one(
        rows,
        """
        SELECT count(*) FILTER (h.school_id >= s.school_id OR h.province_code <> s.province_code),
               count(*) FILTER (s.head_school IS NULL)
        FROM linked.schools s LEFT JOIN linked.schools h ON h.school_id = s.head_school
        """,
    )
    assert wrong == [(0, 34)]


def test_a_destination_lies_where_the_row_says(rows):
    ((wrong, unlike, n),) = one(
        rows,
        """
        SELECT count(*) FILTER (a.province_code <> p.to_area OR a.weight <= 3),
               count(*) FILTER (a.weight <> p.to_weight), count(*)
        FROM linked.payments p JOIN linked.accounts a
          ON a.owner_id = p.to_id AND a.position = p.to_account
        """,
    )
    ((rows_there,),) = one(rows, "SELECT count(*) FROM linked.payments")
    assert (wrong, unlike, n) == (0, 0, rows_there)


def test_children_of_one_parent_with_one_number_meet_the_same_row_and_others_another(rows):
    pairs = """
        SELECT owner_id, account, turn, count(DISTINCT (usual_id, usual_account)) AS met,
               min(usual_id || '/' || usual_account) AS whom, count(*) AS n
        FROM linked.payments GROUP BY owner_id, account, turn"""
    ((most, several),) = one(rows, f"SELECT max(met), count(*) FILTER (n > 1) FROM ({pairs})")
    assert most == 1
    assert several > 100
    # Another number of the same parent, and the same number of another, meet somebody else.
    ((alike, n),) = one(
        rows,
        f"""WITH pairs AS ({pairs})
        SELECT count(*) FILTER (a.whom = b.whom), count(*) FROM pairs a JOIN pairs b
        ON a.owner_id = b.owner_id AND a.account = b.account AND a.turn < b.turn""",
    )
    assert n > 100
    assert alike < n / 50
    ((different, n),) = one(
        rows, f"SELECT count(DISTINCT whom), count(*) FROM ({pairs}) WHERE turn = -7"
    )
    assert different > n / 4
    ((wrong,),) = one(
        rows,
        """SELECT count(*) FROM linked.payments p LEFT JOIN linked.accounts a
        ON a.owner_id = p.usual_id AND a.position = p.usual_account
        WHERE a.weight IS NULL OR a.weight <= 3 OR a.province_code <> p.province_code""",
    )
    assert wrong == 0


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('by = "turn"', 'by = "to_id"', "by = 'to_id' must be of type 'integer'"),
        (
            'type = "integer"\nreferences = "linked.schools.school_id"\nlink = { own = true }',
            'type = "text"\nreferences = "population.persons.person_id"\n'
            'link = { members = "population.persons", by = "room" }',
            "'by' is for rows of children alone",
        ),
        ('by = "turn"', 'by = "turns"', "unknown column 'turns'"),
        ('by = "turn"', 'by = "turn", area = "to_area"', "'by' takes no 'area' beside"),
        ("leaves_area = true\nlink = { units", "link = { units", "say so: leaves_area = true"),
        ('weight = "room"', 'weight = "kind"', "weight = 'kind' must be of type 'integer'"),
        ('weight = "room"', 'weight = "rooms"', "unknown column 'rooms'"),
        ('match = { kind = "kind" }', 'match = { kind = "age" }', "'age' is integer; text"),
        ("own = true", 'own = true, where = "1 == 1"', "a link to own takes no 'where'"),
        ('within = "school_id"', 'within = "mother_id"', "not below population.pool homes"),
        ('within = "school_id"', 'within = "nobody"', "unknown key or parent for 'within'"),
        (
            'units = "linked.schools", elsewhere',
            'units = "linked.classes", elsewhere',
            "the link leads to, linked.classes",
        ),
        ('{ position = "account" }', '{ position = "owner_id" }', "type 'text' refers to"),
        ('references_with = { position = "account" }\n', "", "is not the key of its table"),
        ('hidden = true\ntake = "class_id.school_id"', 'take = "class_id.school"', "unknown field"),
        ("own = true", "own = false", "exactly one of 'members', 'units' and own"),
        (
            'hidden = true\ntake = "class_id.school_id"',
            'references = "linked.schools.school_id"\ntake = "class_id.school_id"',
            "the key that is taken may lead to another area",
        ),
    ],
)
def test_a_faulty_link_is_told(old, new, message):
    assert old in LINKED
    specs = load_all(["population"])
    with pytest.raises(SpecError, match=message):
        check_specs(specs | {"linked": parse(LINKED.replace(old, new, 1), "linked.toml")})


def test_columns_that_need_each_other_through_a_key_are_refused():
    circle = LINKED.replace(
        "[tables.payments.columns.position]",
        '[tables.payments.columns.sum]\ntitle = { vi = "a", en = "a" }\ntype = "integer"\n'
        'derive = "before + 1"\n[tables.payments.columns.before]\n'
        'title = { vi = "a", en = "a" }\ntype = "integer"\ntake = "previous_id.sum"\n'
        "[tables.payments.columns.position]",
    )
    with pytest.raises(SpecError, match=r"in a circle: .*sum"):
        check_specs(load_all(["population"]) | {"linked": parse(circle, "linked.toml")})


def test_an_area_without_a_unit_is_told(tmp_path):
    alone = LINKED.replace('room >= 5"', 'room >= 99"').replace(
        "same_place = true, elsewhere = true", "same_place = true"
    )
    specs = load_all(["population"]) | {"linked": parse(alone, "linked.toml")}
    world = World(specs, make_recipe("0.0002", None, 1, "exact"), tmp_path)
    table = world.tables["linked.pupils"]
    with pytest.raises(BuildError, match=r"no row for which 'room >= 99' holds .* in area .*floor"):
        table.frame(0, table.cells.n).column("school_id")


EMPLOYMENT = """
[tables.pupils.columns.job_id]
title = { vi = "thử", en = "test" }
because = { vi = "thử", en = "test" }
type = "text"
references = "enterprise.employees.person_id"
link = { members = "enterprise.employees", same = true }

[tables.pupils.columns.employer]
title = { vi = "thử", en = "test" }
because = { vi = "thử", en = "test" }
type = "text"
references = "enterprise.enterprises.tax_code"
take = "job_id.tax_code"
"""


def employed():
    """The linked spec, its pupils as old as employees are, each with the employment of its own."""
    return (
        LINKED.replace('uses = ["population"]', 'uses = ["population", "enterprise"]')
        .replace("age >= 6 and age <= 17", "age >= 16 and age <= 62")
        .replace("\n[tables.accounts]", EMPLOYMENT + "\n[tables.accounts]")
    )


@pytest.mark.slow
def test_the_same_member_is_found_exactly_where_there_is_one(tmp_path):
    (tmp_path / "linked.toml").write_text(employed(), "utf-8")
    with connect(built(tmp_path, tmp_path / "out")) as rows:
        assert one(rows, "SELECT count(*) FROM linked.pupils WHERE job_id <> pupil_id") == [(0,)]
        found = one(rows, "SELECT pupil_id, employer FROM linked.pupils WHERE job_id NOT NULL")
        jobs = one(
            rows,
            """SELECT person_id, tax_code FROM enterprise.employees
               JOIN population.persons USING (person_id) WHERE age BETWEEN 16 AND 62""",
        )
    assert sorted(found) == sorted(jobs) != []


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            'members = "enterprise.employees", same',
            'members = "population.persons", same',
            "matches",
        ),
        ("same = true }", 'same = true, where = "since_year > 2000" }', "takes no 'where' beside"),
    ],
)
def test_a_faulty_link_to_the_same_member_is_told(old, new, message):
    text = employed().replace(old, new)
    if "population.persons" in new:
        text = text.replace("enterprise.employees.person_id", "population.persons.person_id")
    with pytest.raises(SpecError, match=message):
        check_specs(load_all(["enterprise"]) | {"linked": parse(text, "linked.toml")})
