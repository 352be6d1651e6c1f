"""A first spec from the columns of a sample: names, types, keys and code lists, for a person to read.

A draft takes over as little as it can: headers, lists of at most 30 repeated values, whether values
are missing, and bounds rounded to one digit. No distribution is taken over, no free text, nothing
from a column whose name speaks of a person. What it does take over may still be confidential: it
says so in its first lines.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass

from synthetic import statistics
from synthetic.drafts import names
from synthetic.drafts.sample import CODES as MOST_CODES
from synthetic.drafts.sample import Column, Sample
from synthetic.errors import SpecError
from synthetic.spec.load import MAX_BYTES, MAX_KEYS
from synthetic.spec.models import Bilingual
from synthetic.spec.schema import FILE_NAME

WARNING = Bilingual(
    vi="BẢN NHÁP do máy viết: có thể chứa giá trị chép từ tệp mẫu (tiêu đề, bảng mã, cận của số). "
    "Một người phải đọc từng dòng trước khi đưa tệp này cho người khác.",
    en="DRAFT, written by a machine: it may hold values copied from the sample (headers, code "
    "lists, bounds of numbers). A person must read every line before this file is passed on.",
)


def _listed(table: str, *columns: str) -> tuple[str, ...]:
    return tuple(row[column] for row in statistics.rows(table) for column in columns)


CODES = {
    "province": _listed("admin_provinces_34", "province_code"),
    "former province": _listed("admin_provinces_63_former", "former_code"),
    "province name": _listed("admin_provinces_34", "name", "full_name", "name_en"),
    "commune": _listed("admin_communes", "commune_code"),
}
_KNOT = 2**31
_MOST = 50  # rows of a person in a draft
_LONGEST_CODE = 60
_BECAUSE = (
    'because = { vi = "Bản nháp từ tệp mẫu: chưa có nguồn.", '
    'en = "A draft from a sample: no source yet." }'
)
_PROVINCE = (
    'type = "code"',
    'codes_from = { table = "admin_provinces_34", code = "province_code", vi = "name", '
    'en = "name_en" }',
)
_COMMUNE = (
    'type = "code"',
    'codes_from = { table = "admin_communes", code = "commune_code", vi = "full_name", '
    'en = "name_en" }',
)
_MARGINS = {
    "per_area": (
        "# Giả định: một dòng cho một nghìn dân. / Assumed: one row per thousand residents.",
        'table = "population_province_34"',
        'where = { year = "2024" }',
        'axes = { area = "province_code" }',
        'value = "population_thousand"',
        'unit = "thousand persons"',
    ),
    "provinces": (
        "# Giả định: theo số dân. / Assumed: by population.",
        'table = "population_province_34"',
        'where = { year = "2024" }',
        'axes = { province = "province_code" }',
        'value = "population_thousand"',
        'unit = "thousand persons"',
    ),
    "places": (
        'table = "admin_communes"',
        'axes = { area = "province_code", place = "commune_code" }',
        'value = "population_admin_2025"',
    ),
}
_HOURS = [0, 0, 0, 0, 0, 1, 2, 5, 8, 8, 8, 7, 5, 7, 8, 8, 8, 6, 4, 3, 3, 2, 1, 0]


def quoted(text: str) -> str:
    """A text as TOML writes it; half characters of a file's name become question marks."""
    whole = text.encode("utf-8", "replace").decode()
    if whole.count(".") >= MAX_KEYS - 1:  # a reader would take them for keys joined by dots
        whole = whole.replace(".", ",")
    return json.dumps(whole, ensure_ascii=False).replace("\x7f", "\\u007f")


def draft(name: str, sample: Sample) -> str:
    """Return the text of a spec drafted from a sample."""
    text = "\n".join(_Draft.of(name, sample).lines()) + "\n"
    if len(text.encode()) > MAX_BYTES:
        raise SpecError(
            f"{sample.file}: its draft would be larger than {MAX_BYTES} bytes, the most that a "
            "spec may have; leave columns out of the sample"
        )
    return text


@dataclass(frozen=True, kw_only=True)
class _Draft:
    name: str
    sample: Sample
    columns: dict[str, Column]  # by the name that it gets
    person: str | None  # the column that leads to population.persons
    province: str | None  # the column of the row's own province
    commune: str | None
    keys: tuple[str, ...]  # columns that could be the key, the likeliest first

    @classmethod
    def of(cls, name: str, sample: Sample) -> _Draft:
        given = names.identifiers(column.header for column in sample.columns)
        columns = dict(zip(given, sample.columns, strict=True))
        unique = [n for n, c in columns.items() if c.is_unique and c.type in ("integer", "text")]
        return cls(
            name=name,
            sample=sample,
            columns=columns,
            person=next((n for n, c in columns.items() if _is_person(n, c)), None),
            province=next((n for n, c in columns.items() if _is_province(n, c)), None),
            commune=next((n for n, c in columns.items() if _is_commune(n, c)), None),
            keys=tuple(sorted(unique, key=lambda n: not names.is_key(n))),
        )

    @property
    def key(self) -> str | None:
        """The column that is the draft's key; None where one must be added."""
        if self.person in self.keys:
            return self.person
        return next((n for n in self.keys if n != self.person), None)

    # ------------------------------------------------------------ the file

    def lines(self) -> Iterator[str]:
        taken = set(self.columns)
        province = self.province or names.unused("province_code", taken)
        key = self.key or names.unused("row_id", taken)
        columns = list(self._columns(province, key, taken))
        yield from self._head()
        for margin, text in _MARGINS.items():
            rows = self.person is None and margin in ("per_area", "places")
            if rows or f'follows = "{margin}"' in columns:
                yield from ("", f"[margins.{margin}]", *text)
        yield from self._table(province, key)
        yield from columns

    def _head(self) -> Iterator[str]:
        yield f"#:schema ./{FILE_NAME}"
        yield "# " + "=" * 70
        yield f"# {WARNING.vi}"
        yield f"# {WARNING.en}"
        yield "# " + "=" * 70
        whole = "" if self.sample.is_whole else " đầu / first rows"
        yield f"# Tệp mẫu / sample: {quoted(self.sample.file)}, {self.sample.n_rows} dòng{whole}"
        for note in self.sample.notes:
            yield f"# Lưu ý / note: {quoted(note)}"
        found = ", ".join(self.keys[:10]) or "không / none"
        yield f"# Cột có thể là khóa / candidate keys: {found}"
        yield "# Mọi phân bố dưới đây là giả định trống: hãy thay bằng nguồn đã công bố."
        yield "# Every distribution below is an empty assumption: put published sources in its place."
        yield "spec = 1"
        yield f"dataset = {quoted(self.name)}"
        yield f'title = {{ vi = "Bản nháp: {self.name}", en = "Draft: {self.name}" }}'
        yield (
            'description = { vi = "Bản nháp từ một tệp mẫu; chưa ai đọc lại.", '
            'en = "A draft from a sample file; nobody has read it yet." }'
        )
        yield "as_of = 2024-12-31"
        yield 'licence = "chưa rõ / not stated"'
        if self.person is not None:
            yield 'uses = ["population"]'

    def _table(self, province: str, key: str) -> Iterator[str]:
        yield ""
        yield "[tables.records]"
        yield 'title = { vi = "Bản ghi", en = "Records" }'
        yield 'description = { vi = "Mỗi dòng là … (hãy viết).", en = "One row per … (write it)." }'
        yield f'key = ["{key}"]'
        yield f'area = "{province}"'
        yield ""
        if self.person is None:
            yield "# Không thấy số định danh: mỗi dòng là một đơn vị, chia theo dân số của tỉnh và xã."
            yield "# No personal number was found: a row is a unit, shared by population."
            yield "[tables.records.rows.units]"
            yield 'per = "per_area"'
            yield 'places = "places"'
        else:
            column = self.columns[self.person]
            each = min(max(math.ceil(column.n_there / max(column.n_distinct, 1)), 1), _MOST)
            yield "# Mỗi dòng thuộc một người của bản sao dân cư. / A row belongs to a person."
            yield "[tables.records.rows.children]"
            yield 'of = "population.persons"'
            yield f"most = {each}"
            yield f"count.assume.shares = {{ 0 = 9, {each} = 1 }}"
        yield _BECAUSE

    def _columns(self, province: str, key: str, taken: set[str]) -> Iterator[str]:
        if key not in self.columns:
            yield from _begin(key, "Số thứ tự dòng (thêm vào)", "Row number (added)")
            yield from ('type = "integer"', 'take = "number"')
        if province not in self.columns:
            yield from _begin(province, "Mã tỉnh, thành phố (thêm vào)", "Province code (added)")
            yield from (*_PROVINCE, 'take = "area"', _BECAUSE)
        for i, (name, column) in enumerate(self.columns.items(), 1):
            title = column.header or f"Cột {i}"
            body = list(self._source(name, column, province, key, taken))
            if name == key and name != self.person and column.type == "text":
                hidden = names.unused(f"{name}_number", taken)
                yield from _begin(hidden, f"Số của {title}", f"Number of {title}")
                yield from ('type = "integer"', "hidden = true", 'take = "number"')
                body = ['type = "text"', f"derive = 'concat(\"M\", text_of({hidden}))'"]
            if column.type == "timestamp":
                hidden = names.unused(f"{name}_day", taken)
                yield from _begin(hidden, f"Ngày của {title}", f"Day of {title}")
                yield from (*_DAY, "hidden = true", _BECAUSE)
                hours = ", ".join(map(str, _HOURS))
                body = [
                    'type = "timestamp"',
                    f'assume.hour = {{ at = "{hidden}", hours = [{hours}] }}',
                    *_missing(column),
                    _BECAUSE,
                ]
            yield from _begin(name, title, column.header or f"Column {i}")
            found = "identifier" if name == key else names.sensitivity(name)
            yield f'sensitivity = "{found}" # hãy xét lại / judge it again'
            yield from body

    # ------------------------------------------------------------ one column

    def _source(
        self, name: str, column: Column, province: str, key: str, taken: set[str]
    ) -> Iterator[str]:
        if name == self.person:
            yield 'type = "text"'
            yield 'references = "population.persons.person_id"'
            yield 'take = "parent.person_id"'
        elif name == key and column.type == "integer":
            yield from ('type = "integer"', 'take = "number"')
        elif _is_province(name, column):
            yield from _PROVINCE
            yield 'take = "area"' if name == province else 'follows = "provinces"'
            yield _BECAUSE
        elif _is_commune(name, column):
            yield from _COMMUNE
            if name == self.commune:
                yield 'take = "place"'
            else:
                yield 'follows = "places"'
                yield f'given = {{ area = "{province}" }}'
            yield _BECAUSE
        elif self.person is not None and names.is_birth(name) and column.type == "date":
            yield from ('type = "date"', 'take = "parent.birth_date"')
        elif self.person is not None and names.is_age(name) and column.type == "integer":
            yield from ('type = "integer"', 'take = "parent.age"')
        else:
            yield from _assumed(name, column)
            yield from _missing(column)
            yield _BECAUSE


def _begin(name: str, vi: str, en: str) -> Iterator[str]:
    yield ""
    yield f"[tables.records.columns.{name}]"
    yield f"title = {{ vi = {quoted(vi)}, en = {quoted(en)} }}"


def _assumed(name: str, column: Column) -> Iterator[str]:
    if column.type in ("integer", "decimal"):
        yield f'type = "{column.type}"'
        if column.type == "decimal":
            yield f"places = {column.places} # số nguyên của chữ số cuối / whole last places"
        if max(-column.low, column.high) > _KNOT:
            yield '# Số lớn hơn 2^31: rút theo nghìn ở cột ẩn rồi derive = "nghin * 1000".'
            yield "# Above 2^31: draw thousands in a hidden column, then multiply in 'derive'."
        low, high = _rounded(column.low, up=False), _rounded(column.high, up=True)
        yield f"assume.quantiles = [{low}, {high}] # cận làm tròn / rounded bounds"
    elif column.type == "date":
        yield from _DAY
    elif column.type == "boolean":
        yield from ('type = "boolean"', "assume.shares = { true = 1, false = 1 }")
    elif _is_code_list(name, column):
        yield 'type = "code"'
        yield "# Chép từ tệp mẫu / copied from the sample:"
        for value in column.values:
            yield f"codes.{quoted(value)} = {{ vi = {quoted(value)}, en = {quoted(value)} }}"
        shares = ", ".join(f"{quoted(value)} = 1" for value in column.values)
        yield f"assume.shares = {{ {shares} }}"
    else:
        yield 'type = "text"'
        yield 'assume.words = ["(chữ mẫu 1)", "(chữ mẫu 2)"] # không chép / not copied'


_DAY = ('type = "date"', 'assume.day = { from = "date(2020, 1, 1)", to = "as_of()" }')


def _missing(column: Column) -> Iterator[str]:
    if column.n_there < column.n_rows:
        share = max(round(1 - column.n_there / column.n_rows, 2), 0.01)
        yield f'missing = {{ share = "{share:.2f}", {_BECAUSE} }}'


def _rounded(number: int, *, up: bool) -> int:
    """A number brought outwards to its first digit, and within what a draw can span."""
    step = 10 ** (len(str(abs(number))) - 1)
    found = -(-number // step) * step if up else number // step * step
    return min(max(found, -_KNOT), _KNOT)


def _is_person(name: str, column: Column) -> bool:
    return name == "person_id" or (names.is_person(name) and column.digits == 12)


def _is_province(name: str, column: Column) -> bool:
    share = column.in_codes
    if share.get("province name", 0) >= 0.9:
        return True
    coded = column.digits == 2 and max(share.get("province", 0), share.get("former province", 0))
    return coded >= (0.5 if names.is_province(name) else 0.95) and (
        names.is_province(name) or column.n_distinct >= 5
    )


def _is_commune(name: str, column: Column) -> bool:
    enough = 0.5 if names.is_commune(name) else 0.8
    return column.digits == 5 and column.in_codes.get("commune", 0) >= enough


def _is_code_list(name: str, column: Column) -> bool:
    """Short values that repeat, of a column whose name does not speak of a person."""
    return (
        0 < len(column.values) <= MOST_CODES
        and column.n_there >= 2 * column.n_distinct
        and names.sensitivity(name) != "identifier"
        and all(_is_short(value) for value in column.values)
    )


def _is_short(value: str) -> bool:
    return (
        bool(value.strip())
        and len(value) <= _LONGEST_CODE
        and quoted(value).count(".") == value.count(".")
    )
