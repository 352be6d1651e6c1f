"""Specs for tests: a small one of its own, and the packaged ones with every name changed."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from synthetic.spec.load import packaged

SMALL = """
spec = 1
dataset = "shops"
title = { vi = "Cửa hàng", en = "Shops" }
description = { vi = "Để thử", en = "For tests" }
as_of = 2024-12-31
licence = "CC-BY-4.0"

[margins.per_area]
table = "population_province_34"
where = { year = "2024" }
axes = { area = "province_code" }
value = "population_thousand"

[margins.places]
table = "admin_communes"
axes = { area = "province_code", place = "commune_code" }
value = "population_admin_2025"

[margins.sizes]
table = "enterprise_indicators"
where = { indicator = "enterprises_by_size", period = "2017-01-01" }
axes = { size = "category" }
keep = { size = ["micro", "small"] }
value = "value"

[tables.shops]
title = { vi = "Cửa hàng", en = "Shops" }
description = { vi = "Mỗi dòng một cửa hàng", en = "One row per shop" }
key = ["shop_id"]
area = "province_code"
rows.units = { per = "per_area", places = "places", because = { vi = "thử", en = "test" } }

[[tables.shops.rules]]
title = { vi = "Có chỗ", en = "Has room" }
holds = "room >= 1"

[tables.shops.columns.shop_id]
title = { vi = "Mã", en = "Number" }
type = "integer"
take = "number"

[tables.shops.columns.province_code]
title = { vi = "Tỉnh", en = "Province" }
type = "code"
codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name" }
take = "area"

[tables.shops.columns.size]
title = { vi = "Cỡ", en = "Size" }
type = "code"
codes.micro = { vi = "Siêu nhỏ", en = "Micro" }
codes.small = { vi = "Nhỏ", en = "Small" }
follows = "sizes"

[tables.shops.columns.room]
title = { vi = "Chỗ", en = "Room" }
type = "integer"
unit = "m2"
given = { size = "size" }
assume = { quantiles = { micro = [1, 10, 30], small = [20, 100] } }
because = { vi = "giả định", en = "assumed" }
"""


def renamed(folder: Path) -> dict[str, str]:
    """Write the packaged specs with every dataset, table and column renamed; say which became which."""
    specs = {name: tomllib.loads(path.read_text("utf-8")) for name, path in packaged().items()}
    datasets = {name: f"d{i}_{name[::-1]}" for i, name in enumerate(specs)}
    tables = {t: f"t_{t[::-1]}" for spec in specs.values() for t in spec["tables"]}
    columns = {
        c: f"c_{c[::-1]}"
        for spec in specs.values()
        for table in spec["tables"].values()
        for c in table["columns"]
    }
    rename = _Renaming(datasets, tables, columns)
    for name, spec in specs.items():
        (folder / f"{datasets[name]}.toml").write_text(_toml(rename.spec(spec)), "utf-8")
    return datasets


class _Renaming:
    def __init__(
        self, datasets: dict[str, str], tables: dict[str, str], columns: dict[str, str]
    ) -> None:
        self.datasets, self.tables, self.columns = datasets, tables, columns

    def spec(self, spec: dict[str, Any]) -> dict[str, Any]:
        spec["dataset"] = self.datasets[spec["dataset"]]
        spec["uses"] = [self.datasets[name] for name in spec.get("uses", [])]
        spec["tables"] = {self.tables[n]: self.table(t) for n, t in spec["tables"].items()}
        return spec

    def table(self, table: dict[str, Any]) -> dict[str, Any]:
        table["key"] = [self.columns[c] for c in table["key"]]
        if "area" in table:
            table["area"] = self.columns[table["area"]]
        for rule in table.get("rules", []):
            rule["holds"] = self.expression(rule["holds"])
        for entry in table.get("compare", []):
            entry["by"] = {axis: self.expression(text) for axis, text in entry["by"].items()}
        rows = table["rows"]
        if "matching" in rows:
            self.asked(rows["matching"], columns=("capacity",))
        if "children" in rows:
            self.asked(rows["children"])
            count = rows["children"]["count"]
            if isinstance(count, str):
                rows["children"]["count"] = self.expression(count)
            elif isinstance(count, dict):
                self.column(count)
        table["columns"] = {self.columns[n]: self.column(c) for n, c in table["columns"].items()}
        return table

    def asked(self, asked: dict[str, Any], columns: tuple[str, ...] = ()) -> None:
        """What rows or a link ask for: other tables, conditions over them, columns of them."""
        for key in ("of", "members", "units"):
            if key in asked:
                asked[key] = self.path(asked[key])
        for key in ("where", "area"):
            if key in asked:
                asked[key] = self.expression(asked[key])
        for key in columns:
            if key in asked:
                asked[key] = self.columns.get(asked[key], asked[key])
        if "match" in asked:
            asked["match"] = self.pairs(asked["match"])

    def pairs(self, columns: dict[str, str]) -> dict[str, str]:
        """Columns of another table, and those of this one that stand for them."""
        return {self.columns[theirs]: self.columns[ours] for theirs, ours in columns.items()}

    def named(self, given: Any) -> Any:
        if isinstance(given, list):
            return [self.columns[name] for name in given]
        return {axis: self.columns[name] for axis, name in given.items()}

    def column(self, column: dict[str, Any]) -> dict[str, Any]:
        if "." in column.get("take", ""):
            parent, name = column["take"].split(".")
            column["take"] = f"{self.columns.get(parent, parent)}.{self.columns[name]}"
        if "references" in column:
            column["references"] = self.path(column["references"])
        for held in (column, column.get("missing", {})):
            if "given" in held:
                held["given"] = self.named(held["given"])
        if "references_with" in column:
            column["references_with"] = self.pairs(column["references_with"])
        for key in ("derive", "only_if"):
            if key in column:
                column[key] = self.expression(column[key])
        self.assume(column.get("assume", {}))
        if "link" in column:
            self.asked(column["link"], columns=("weight", "within", "by"))
        parts = column.get("identifier", {}).get("parts", {})
        for name, text in parts.items():
            parts[name] = self.expression(text)
        return column

    def assume(self, assume: dict[str, Any]) -> None:
        if "date_in_year" in assume:
            assume["date_in_year"] = self.expression(assume["date_in_year"])
        for key in ("from", "to"):
            if "day" in assume:
                assume["day"][key] = self.expression(assume["day"][key])
        if "hour" in assume:
            assume["hour"]["at"] = self.columns[assume["hour"]["at"]]
        if "grammar" in assume:
            filled = assume["grammar"].get("vocabularies", {})
            assume["grammar"]["text"] = self.slots(assume["grammar"]["text"], filled)

    def slots(self, text: Any, filled: dict[str, Any]) -> Any:
        """A grammar's texts, with the slots renamed that are columns."""
        if isinstance(text, dict):
            return {key: self.slots(value, filled) for key, value in text.items()}
        if isinstance(text, list):
            return [self.slots(value, filled) for value in text]
        return re.sub(
            r"\{(\w+)\}", lambda m: m[0] if m[1] in filled else f"{{{self.columns[m[1]]}}}", text
        )

    def path(self, path: str) -> str:
        dataset, table, *column = path.split(".")
        return ".".join(
            [self.datasets[dataset], self.tables[table], *(self.columns[c] for c in column)]
        )

    def expression(self, text: str) -> str:
        pieces = re.split(r'("(?:[^"\\]|\\.)*")', text)  # texts in quotes stay as they are
        return "".join(
            piece if piece.startswith('"') else re.sub(r"\b[a-z_]\w*\b(?!\()", self.word, piece)
            for piece in pieces
        )

    def word(self, match: re.Match[str]) -> str:
        return self.columns.get(match[0], match[0])


def _toml(value: dict[str, Any]) -> str:
    return "\n".join(f"{json.dumps(key)} = {_inline(item)}" for key, item in value.items())


def _inline(value: Any) -> str:
    if isinstance(value, dict):
        inside = (f"{json.dumps(k)} = {_inline(v)}" for k, v in value.items())
        return "{ " + ", ".join(inside) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


_PROVINCE = """
type = "code"
codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name" }
"""
_COMMUNE = """
type = "code"
codes_from = { table = "admin_communes", code = "commune_code", vi = "full_name" }
"""
_KIND = """
type = "code"
codes.town = { vi = "Thị", en = "Town" }
codes.village = { vi = "Thôn", en = "Village" }
"""
_BECAUSE = 'because = { vi = "thử", en = "test" }'
_TITLES = 'title = { vi = "thử", en = "test" }\n'


def _table(name: str, rows: str, key: str, columns: dict[str, str], more: str = "") -> str:
    """One table of a spec: every column gets a title and a reason."""
    head = f"""
[tables.{name}]
{_TITLES}description = {{ vi = "thử", en = "test" }}
key = [{key}]
{more}
[tables.{name}.rows.{rows}
{_BECAUSE}
"""
    return head + "".join(
        f"\n[tables.{name}.columns.{column}]\n{_TITLES}{_BECAUSE}\n{source}\n"
        for column, source in columns.items()
    )


_AREA = 'area = "province_code"'
_PLACED = {
    "province_code": _PROVINCE + 'take = "area"',
    "commune_code": _COMMUNE + 'take = "place"',
}
_BELOW = {
    "position": 'type = "integer"\ntake = "position"',
    "province_code": _PROVINCE + 'take = "area"',
}
_INTEGER = 'type = "integer"\n'

LINKED = (
    """
spec = 1
dataset = "linked"
title = { vi = "Nối", en = "Linked" }
description = { vi = "Để thử", en = "For tests" }
as_of = 2024-12-31
licence = "CC-BY-4.0"
uses = ["population"]

[margins.kinds]
table = "population_province_34"
where = { year = "2024" }
axes = { area = "province_code" }
wide = { axis = "kind", columns = { town = "urban_thousand", village = "rural_thousand" } }
value_unit = ""

[margins.places]
table = "admin_communes"
axes = { area = "province_code", place = "commune_code" }
value = "population_admin_2025"

[margins.months]
table = "tourism_indicators"
where = { indicator = "international_arrivals", dimension = "month" }
axes = { month = "category" }
value = "value"

[margins.counts]
table = "name_word_count_share"
where = { words_in_full_name = ["3", "4"] }
axes = { sex = "sex", count = "words_in_full_name" }
value = "share_pct"
""".replace('value_unit = ""\n', "")
    + _table(
        "schools",
        'units]\nper = "kinds"\nplaces = "places"\nfloor = 1',
        '"school_id"',
        {
            "school_id": _INTEGER + 'take = "number"',
            **_PLACED,
            "kind": _KIND + 'take = "kind"',
            "room": _INTEGER + "assume = { quantiles = [0, 10, 100] }",
            "head_school": _INTEGER
            + 'references = "linked.schools.school_id"\nlink = { own = true }',
        },
        _AREA,
    )
    + _table(
        "classes",
        'children]\nof = "linked.schools"\ncount = 3',
        '"class_id"',
        {
            "class_id": _INTEGER + 'take = "number"',
            **_BELOW,
            "school_id": _INTEGER
            + 'references = "linked.schools.school_id"\ntake = "parent.school_id"',
        },
        _AREA,
    )
    + _table(
        "pupils",
        'children]\nof = "population.persons"\ncount = 1\nwhere = "age >= 6 and age <= 17"',
        '"pupil_id"',
        {
            "pupil_id": 'type = "text"\ntake = "parent.person_id"\n'
            'references = "population.persons.person_id"',
            **_PLACED,
            "kind": _KIND + 'derive = \'if(age % 2 == 0, "town", "village")\'',
            "age": _INTEGER + 'take = "parent.age"',
            "school_id": _INTEGER
            + 'references = "linked.schools.school_id"\nleaves_area = true\nlink = { units = '
            '"linked.schools", where = "room >= 5", weight = "room", match = { kind = "kind" }, '
            "same_place = true, elsewhere = true }",
            "class_id": _INTEGER
            + 'references = "linked.classes.class_id"\nleaves_area = true\nlink = { members = '
            '"linked.classes", within = "school_id" }',
            "class_school": _INTEGER + 'hidden = true\ntake = "class_id.school_id"',
            "class_fits": 'type = "boolean"\nderive = "class_school == school_id"',
            "mother_id": 'type = "text"\nreferences = "population.persons.person_id"\n'
            'link = { members = "population.persons", within = "group", where = \'sex == '
            '"female" and age >= 30 and relation != "parent"\' }',
            "mother_age": _INTEGER + 'take = "mother_id.age"',
        },
        _AREA,
    )
    + _table(
        "accounts",
        'children]\nof = "population.persons"\nwhere = "age >= 15"\nmost = 4\n'
        'count = { follows = "counts", given = { sex = "sex" } }',
        '"owner_id", "position"',
        {
            "owner_id": 'type = "text"\ntake = "parent.person_id"\n'
            'references = "population.persons.person_id"',
            **_BELOW,
            "count": _INTEGER + 'take = "count"',
            "weight": _INTEGER + "assume = { quantiles = [0, 3, 9] }",
        },
        _AREA,
    )
    + _table(
        "payments",
        'children]\nof = "linked.accounts"\ncount = "weight * 2"\nmost = 12',
        '"payment_id"',
        {
            "payment_id": _INTEGER + 'take = "number"',
            **_BELOW,
            "owner_id": 'type = "text"\nreferences = "linked.accounts.owner_id"\n'
            'references_with = { position = "account" }\ntake = "parent.owner_id"',
            "account": _INTEGER + 'take = "parent.position"',
            "previous_id": _INTEGER
            + 'references = "linked.payments.payment_id"\nlink = { own = true }',
            "to_area": _PROVINCE + 'assume = { shares = { "48" = 1, "01" = 3 } }',
            "to_id": 'type = "text"\nreferences = "linked.accounts.owner_id"\n'
            'references_with = { position = "to_account" }\nleaves_area = true\n'
            'link = { members = "linked.accounts", area = "to_area", where = "weight > 3" }',
            "to_account": _INTEGER + 'take = "to_id.position"',
            "to_weight": _INTEGER + 'take = "to_id.weight"',
            "turn": _INTEGER + "assume = { shares = { 0 = 2, 1 = 1, -7 = 1 } }",
            "usual_id": 'type = "text"\nreferences = "linked.accounts.owner_id"\n'
            'references_with = { position = "usual_account" }\n'
            'link = { members = "linked.accounts", by = "turn", where = "weight > 3" }',
            "usual_account": _INTEGER + 'take = "usual_id.position"',
        },
        _AREA,
    )
    + _table(
        "arrivals",
        'cells]\nof = "months"\nscaled = true',
        '"month"',
        {
            "month": 'type = "text"\ntake = "month"',
            "visitors": _INTEGER + 'take = "value"',
        },
    )
    + _table(
        "guides",
        'children]\nof = "linked.arrivals"\ncount = "visitors // 100"\nmost = 100',
        '"guide_id"',
        {
            "guide_id": _INTEGER + 'take = "number"',
            "month": 'type = "text"\nreferences = "linked.arrivals.month"\ntake = "parent.month"',
            "school_id": _INTEGER + 'references = "linked.schools.school_id"\nleaves_area = true\n'
            'link = { units = "linked.schools", elsewhere = true }',
        },
    )
)
