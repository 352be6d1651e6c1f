"""Verify counts what is missing against the spec, and finds values that went or came by hand."""

from __future__ import annotations

import pyarrow as pa
import pytest

from synthetic.build import Order, build, make_recipe
from synthetic.evaluation.verify import verify_folder
from tests.synthetic.specs import SMALL
from tests.synthetic.test_verify import rewrite

MISSING = (
    SMALL
    + """
[tables.shops.columns.stars]
title = { vi = "Sao", en = "Stars" }
type = "integer"
assume.shares = { "1" = 1, "2" = 1, "3" = 1 }
because = { vi = "giả định", en = "assumed" }
missing = { share = "0.03", because = { vi = "m", en = "m" } }

[tables.shops.columns.shelves]
title = { vi = "Kệ", en = "Shelves" }
type = "integer"
only_if = "room > 5"
derive = "room // 2"
missing = { share = { micro = "0.4", "*" = "0.1" }, given = ["size"], because = { vi = "m", en = "m" } }

[tables.shops.columns.owner_age]
title = { vi = "Tuổi", en = "Age of the owner" }
type = "integer"
assume.shares = { "40" = 1, "50" = 1 }
because = { vi = "giả định", en = "assumed" }
missing = { share = { "1" = "0.2", "*" = "0" }, given = ["shelf"], because = { vi = "m", en = "m" } }

[tables.shops.columns.shelf]
title = { vi = "Kệ", en = "Shelf" }
type = "integer"
hidden = true
assume.shares = { "1" = 1, "2" = 1 }
because = { vi = "giả định", en = "assumed" }
"""
)
STATED = "is missing as often as stated"


def shops(folder, seed=1, scale="0.1"):
    (folder / "shops.toml").write_text(MISSING, "utf-8")
    recipe = make_recipe(scale, None, seed, "exact")
    order = Order(
        datasets=("shops",), recipe=recipe, out=folder / "out", specs=(folder,), workers=1
    )
    (manifest,) = build(order)
    return manifest


def shares(manifest, folder):
    """What verify says of the missing values, by column."""
    checks = verify_folder(manifest.folder, [folder])
    return {c.what.split()[0]: c for c in checks if c.kind == "missing"}


@pytest.fixture
def built(tmp_path):
    return shops(tmp_path)


def test_honest_draws_pass_and_tell_their_counts(tmp_path):
    for seed in range(1, 6):
        manifest = shops(tmp_path, seed=seed)
        checks = verify_folder(manifest.folder, [tmp_path])
        assert [c for c in checks if not c.ok] == []
        found = shares(manifest, tmp_path)
        assert set(found) == {"stars", "shelves", "owner_age"}
        assert "stated 3 %" in found["stars"].detail
        assert "rows with micro, stated 40 %" in found["shelves"].detail
        assert "stated 0 to 20 %" in found["owner_age"].detail


def blanked(column, where):
    """A change that takes the value of a column away in some rows."""

    def change(rows):
        frame = rows.to_pandas()
        values = frame[column].astype("object").where(frame[column].notna(), None)
        values[where(frame)] = None
        return with_values(rows, column, values)

    return change


def filled(column):
    """A change that writes a value of the column wherever one is missing."""

    def change(rows):
        values = rows[column].to_pandas()
        return with_values(rows, column, values.fillna(values.dropna().iloc[0]))

    return change


def with_values(rows, column, values):
    at = rows.column_names.index(column)
    made = pa.array([None if v is None else int(v) for v in values], rows.schema.field(at).type)
    return rows.set_column(at, rows.schema.field(at), made)


@pytest.mark.parametrize(
    ("column", "change"),
    [
        ("stars", blanked("stars", lambda frame: frame.index % 20 == 0)),
        ("stars", filled("stars")),
        ("owner_age", blanked("owner_age", lambda frame: frame.index % 7 == 0)),
        ("shelves", filled("shelves")),
    ],
)
def test_values_that_went_or_came_by_hand_are_found(built, tmp_path, column, change):
    manifest = rewrite(built, "shops", change)
    checks = [c for c in verify_folder(manifest.folder, [tmp_path]) if not c.ok]
    assert any(c.kind == "missing" and c.what.startswith(column) for c in checks), checks


def test_nulls_moved_from_one_code_to_another_are_found(built, tmp_path):
    """As many are missing as before, but not of the shops that the spec says."""

    def change(rows):
        frame = rows.to_pandas()
        could = frame.index[frame["room"] > 5]
        n = int(frame.loc[could, "shelves"].isna().sum())
        small = frame.index[(frame["room"] > 5) & (frame["size"] == "small")][:n]
        rest = frame.index[(frame["room"] > 5) & (frame["size"] == "micro")][: n - len(small)]
        values = (frame["room"] // 2).astype("object").where(frame["room"] > 5, None)
        values[[*small, *rest]] = None
        return with_values(rows, "shelves", values)

    manifest = rewrite(built, "shops", change)
    check = shares(manifest, tmp_path)["shelves"]
    assert not check.ok
    assert "stated 10 %" in check.detail


def test_one_null_among_many_is_chance_and_a_formula_that_is_broken_is_not(built, tmp_path):
    def change(rows):
        frame = rows.to_pandas()
        values = frame["shelves"].astype("object").where(frame["shelves"].notna(), None)
        first = values.first_valid_index()
        values[first] += 1
        return with_values(rows, "shelves", values)

    manifest = rewrite(built, "shops", change)
    failed = [c.what for c in verify_folder(manifest.folder, [tmp_path]) if not c.ok]
    assert failed == ["shelves is what its formula gives"]
