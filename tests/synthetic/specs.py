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
        table["area"] = self.columns[table["area"]]
        for rule in table.get("rules", []):
            rule["holds"] = self.expression(rule["holds"])
        for entry in table.get("compare", []):
            entry["by"] = {axis: self.expression(text) for axis, text in entry["by"].items()}
        matching = table["rows"].get("matching")
        if matching:
            matching["capacity"] = self.columns[matching["capacity"]]
            matching["units"] = self.path(matching["units"])
            self.members(matching)
        table["columns"] = {self.columns[n]: self.column(c) for n, c in table["columns"].items()}
        return table

    def members(self, asked: dict[str, Any]) -> None:
        asked["members"] = self.path(asked["members"])
        asked["where"] = self.expression(asked["where"])

    def column(self, column: dict[str, Any]) -> dict[str, Any]:
        if "." in column.get("take", ""):
            parent, name = column["take"].split(".")
            column["take"] = f"{self.columns.get(parent, parent)}.{self.columns[name]}"
        if "references" in column:
            column["references"] = self.path(column["references"])
        if "given" in column:
            column["given"] = {axis: self.columns[c] for axis, c in column["given"].items()}
        for key in ("derive", "only_if"):
            if key in column:
                column[key] = self.expression(column[key])
        if "date_in_year" in column.get("assume", {}):
            column["assume"]["date_in_year"] = self.expression(column["assume"]["date_in_year"])
        if "link" in column:
            self.members(column["link"])
        parts = column.get("identifier", {}).get("parts", {})
        for name, text in parts.items():
            parts[name] = self.expression(text)
        return column

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
