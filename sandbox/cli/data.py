"""`sandbox data`: the replicas and published tables of this machine."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import click

from sandbox import catalog
from sandbox.lab.wording import number, written
from sandbox.settings import Settings

STATUS = {"calibrated": "Hiệu chỉnh", "derived": "Suy ra", "assumed": "Giả định"}
SENSITIVITY = {
    "identifier": "định danh",
    "quasi-identifier": "gần định danh",
    "sensitive": "nhạy cảm",
    "none": "không",
}
QUALITY = {
    "official": "chính thức",
    "secondary": "trích lại",
    "estimate": "ước tính",
    "mixed": "nhiều loại",
}
UNITS = {"years": "năm", "persons": "người", "VND": "đồng"}
TYPES = {
    "integer": "số nguyên",
    "decimal": "số thập phân",
    "code": "mã",
    "text": "chữ",
    "date": "ngày",
    "timestamp": "ngày giờ",
    "boolean": "đúng/sai",
}


@click.group("data")
def data() -> None:
    """Show the replicas and published tables of this machine."""


@data.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def list_(as_json: bool) -> None:
    """List every dataset with its replicas, and the published tables.

    (*) marks the replica that a run takes by default: one of the whole country before one of a
    single province, then the newest. `sandbox data show` describes that same one.
    """
    _print(catalog.listing(Settings.from_environ(os.environ)), as_json, _listing)


@data.command("show")
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def show(name: str, as_json: bool) -> None:
    """Show NAME: a dataset, a table as in population.persons, or published.TABLE.

    A table is shown with its rows and, for each column, type, unit, sensitivity and fidelity: the
    share of rows (in percent) that lie elsewhere than in the published table.
    """
    facts = catalog.describe(Settings.from_environ(os.environ), name)
    text = {"dataset": _dataset, "table": _table, "published": _published}
    _print(facts, as_json, text[facts["kind"]])


def _print(
    facts: Mapping[str, Any], as_json: bool, text: Callable[[Mapping[str, Any]], Iterator[str]]
) -> None:
    if as_json:
        click.echo(json.dumps(facts, ensure_ascii=False, indent=2))
        return
    for line in text(facts):
        click.echo(line.rstrip())


def _listing(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"Bản sao tổng hợp (trong {facts['home']})"
    for dataset in facts["datasets"]:
        yield ""
        yield f"  {dataset['dataset']}: {dataset['title']['vi']}"
        for version in dataset["versions"]:
            mark = "(*)" if version["default"] else "   "
            yield f"    {mark} {version['version']}, {_drawn(version)}"
        yield from _grid(
            [
                [f"{dataset['dataset']}.{table['name']}", _rows(table), table["title"]["vi"]]
                for table in dataset["tables"]
            ]
        )
    if facts["datasets"]:
        yield ""
        yield "  (*) bản mà lượt chạy đọc nếu không nói gì thêm; chọn bản khác bằng:"
        yield "      sandbox run submit NOTEBOOK --scale F --area CODE --seed N"
    else:
        yield "  chưa có; tạo bằng: synthetic build population enterprise --scale 0.01"
    yield ""
    yield "Bảng thống kê đã công bố"
    yield from _grid(
        [[table["name"], _rows(table), table["title"]["vi"]] for table in facts["published"]]
    )


def _dataset(facts: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(facts)
    yield from _origin(facts)
    yield ""
    yield "Các bảng"
    yield from _grid(
        [
            [f"{facts['name']}.{table['name']}", _rows(table), table["description"]["vi"]]
            for table in facts["tables"]
        ]
    )
    yield from _sources(facts)


def _table(facts: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(facts)
    yield from _origin(facts)
    yield f"Số dòng: {number(facts['rows'])}. Khóa: {', '.join(facts['key'])}"
    yield ""
    titles = ["Cột", "Kiểu", "Đơn vị", "Nhạy cảm", "Nội dung", "Độ trung thực"]
    yield from _grid([titles, *(_column(column) for column in facts["columns"])])
    if facts["pairs"]:
        yield ""
        yield "Các cột xét cùng nhau"
        yield from _grid(
            [[" × ".join(pair["columns"]), _fidelity(pair["fidelity"])] for pair in facts["pairs"]]
        )
    yield from _sources(facts)


def _published(facts: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(facts)
    yield f"Số dòng: {number(facts['rows'])}"
    yield ""
    yield from _grid(
        [
            ["Cột", "Kiểu", "Đơn vị", "Mô tả"],
            *(
                [c["name"], TYPES[c["type"]], c["unit_vi"] or "", c["description"]["vi"]]
                for c in facts["columns"]
            ),
        ]
    )
    source = facts["source"]
    yield ""
    yield f"Nguồn: {'; '.join(filter(None, (source['title'], source['publisher'])))}"
    yield f"Năm: {source['year']}. Chất lượng: {QUALITY[source['quality']]}"
    if source["note"]:
        yield f"Ghi chú: {source['note']}"
    yield f"Điều kiện dùng lại: {source['terms']}"


def _head(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"{facts['name']}: {facts['title']['vi']} / {facts['title']['en']}"
    yield facts["description"]["vi"]


def _origin(facts: Mapping[str, Any]) -> Iterator[str]:
    yield f"Phiên bản: {facts['version']}. Số liệu đến {written(facts['as_of'])}"
    yield f"Giấy phép: {facts['licence']}"
    yield facts["privacy"]["vi"]


def _column(column: Mapping[str, Any]) -> list[str]:
    return [
        column["name"],
        TYPES[column["type"]],
        UNITS.get(column["unit"], column["unit"] or ""),
        SENSITIVITY[column["sensitivity"]],
        column["title"]["vi"],
        _fidelity(column["fidelity"]),
    ]


def _fidelity(fidelity: Mapping[str, Any]) -> str:
    """Write a fidelity as its badge, its figure and its reason."""
    words = STATUS[fidelity["status"]]
    if fidelity["against"] is not None:
        words += f" theo {fidelity['against']}"
    if fidelity["distance"] is not None:
        words += f", lệch {number(round(fidelity['distance'] * 100, 4))}%"
    if fidelity["sampling"] is not None:
        words += f" (riêng lấy mẫu: {number(round(fidelity['sampling'] * 100, 4))}%)"
    if fidelity["because"] is not None:
        words += f": {fidelity['because']['vi']}"
    return words


def _sources(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["sources"]:
        yield ""
        yield "Nguồn"
    for source in facts["sources"]:
        told = "; ".join(filter(None, (source["title"], source["publisher"], source["year"])))
        yield f"  published.{source['table']}: {told}"


def _drawn(version: Mapping[str, Any]) -> str:
    """Write what a replica holds and up to when."""
    area = version["recipe"]["area"]
    held = "cả nước" if area is None else f"chỉ tỉnh, thành phố mã {area}"
    return f"{held}, số liệu đến {written(version['as_of'])}"


def _rows(table: Mapping[str, Any]) -> str:
    """Write how many rows a table has."""
    return f"{number(table['rows'])} dòng"


def _grid(lines: Sequence[Sequence[str]]) -> Iterator[str]:
    """Align all cells but the last of each line, which may be long."""
    widths = [max(map(len, cells)) for cells in zip(*lines, strict=True)][:-1]
    for line in lines:
        cells = [cell.ljust(width) for cell, width in zip(line, widths, strict=False)]
        yield "    " + "  ".join([*cells, line[-1]])
