"""What looks like data of real people in a founder's own file: counted by column, never repeated.

Identifiers of the sandbox's replicas carry marks that no real one has, and are passed over.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

import duckdb
import pyarrow as pa
from duckdb import DuckDBPyConnection

from sandbox.language import N_, Later
from sandbox.runs.texts import fit
from synthetic import statistics
from synthetic.tables.forms import quote

MOST_COLUMNS = 300  # that are looked at
MOST_VALUES = 2_000_000  # about 2 s
SHOWN = 40  # characters of a column's name
SPACED = 24  # characters of a value that is one number, with spaces or dots in it
ROWS = "rows_of_the_file"
EMAIL = r"[A-Za-z0-9._%+-]{1,64}@(?:[A-Za-z0-9-]{1,63}\.){1,4}[A-Za-z]{2,24}"
# Domains that nobody can have (RFC 2606).
RESERVED = (
    r"(?i)[@.](?:example\.(?:com|net|org)|(?:[a-z0-9-]+\.)*(?:example|test|invalid|localhost))$"
)
# Groups of two letters, of which ours has two that the Vietnamese alphabet lacks.
HEALTH_CARD = r"\b[A-EGHIK-VXY]{2}[1-5][0-9]{12}\b"
DATE = r"^(?:\d{1,2}[/.-]\d{1,2}[/.-]\d{4}|\d{4}-\d{2}-\d{2})"
PHONE_NAMES = re.compile(
    r"(?:^|_)(?:sdt|so_dt|dt|dtdd|dien_thoai|phone|mobile|tel|zalo|hotline)(?:_|$)"
)
IDENTITY_NAMES = re.compile(r"cccd|cmnd|can_cuoc|chung_minh|dinh_danh|citizen_id|identity|id_card")
BIRTH_NAMES = re.compile(r"(?:ngay|nam|thang)_?sinh|birth|(?:^|_)dob(?:_|$)")
# At least so much of a column, where single values say little.
MOSTLY = 0.5
NEARLY_ALL = 0.9
TAX_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)  # as python-stdnum's stdnum.vn.mst has them
LOOKED_AT = 2000  # values of a column whose check digits are computed
KINDS = {
    "identity": N_("identity numbers"),
    "phone": N_("telephone numbers"),
    "email": N_("e-mail addresses"),
    "health_card": N_("health insurance numbers"),
}


@dataclass(frozen=True, kw_only=True)
class Column:
    """One column of a file: its name as it may be told, and what was counted in it."""

    name: str
    place: int  # from 1
    n_filled: int
    counted: dict[str, int]

    @property
    def plain_name(self) -> str:
        """Write the name without marks, in small letters, with _ between words."""
        return plain(self.name)

    @property
    def told(self) -> object:
        """Give the name for a message; a file without names has values in their place."""
        if _is_personal(self.name):
            return Later(N_("column {n}"), {"n": self.place})
        return repr(fit(self.name, longest=SHOWN))


@dataclass(frozen=True, kw_only=True)
class Look:
    """What was seen of one file."""

    columns: tuple[Column, ...]
    n_rows: int  # that were looked at
    is_whole: bool


def look(table: pa.Table, *, is_whole: bool = True) -> Look:
    """Count in each column of a file, whose values are texts, what looks like real people's data."""
    names = table.column_names[:MOST_COLUMNS]
    part = table.slice(0, MOST_VALUES // max(1, len(names)))
    # Names of our own: a file may have twice the same, or what no SQL can name.
    own = [f"c{place}" for place in range(len(names))]
    with duckdb.connect(":memory:") as connection:
        connection.register(ROWS, part.select(list(range(len(names)))).rename_columns(own))
        counted = [
            _counts(connection, one, plain(name)) for one, name in zip(own, names, strict=True)
        ]
    columns = [
        Column(name=name, place=place, n_filled=n_filled, counted=counts)
        for place, (name, (n_filled, counts)) in enumerate(
            zip(names, counted, strict=True), start=1
        )
    ]
    is_whole = is_whole and part.num_rows == table.num_rows
    return Look(columns=tuple(columns), n_rows=part.num_rows, is_whole=is_whole)


def found(seen: Look) -> Iterator[Later]:
    """Say of each column what is found in it."""
    told = N_("column {column}: {n} of the first {rows} rows look like {kind}")
    if seen.is_whole:
        told = N_("column {column}: {n} of {rows} rows look like {kind}")
    for one in seen.columns:
        for kind, words in KINDS.items():
            if n := one.counted[kind]:
                values = {"column": one.told, "n": n, "rows": seen.n_rows, "kind": Later(words)}
                yield Later(told, values)
    if not any(_is_mostly(one, "marked", NEARLY_ALL) for one in seen.columns):
        yield from _named_persons(seen.columns)


def safe_names(seen: Look) -> list[str]:
    """Give the names of columns that may be written into a report."""
    return [f"column {one.place}" if _is_personal(one.name) else one.name for one in seen.columns]


def plain(name: str) -> str:
    """Write a name without Vietnamese marks, in small letters, with _ between words."""
    bare = unicodedata.normalize("NFD", name.lower().replace("đ", "d"))
    return re.sub(r"[^a-z0-9]+", "_", "".join(c for c in bare if not unicodedata.combining(c)))


def _named_persons(looked_at: Sequence[Column]) -> Iterator[Later]:
    """Names of persons beside their dates of birth: together they point at one person."""
    names = [one for one in looked_at if _is_mostly(one, "person", MOSTLY)]
    births = [
        one
        for one in looked_at
        if BIRTH_NAMES.search(one.plain_name) and _is_mostly(one, "date", MOSTLY)
    ]
    for name, birth in zip(names[:1], births[:1], strict=False):
        told = N_("columns {name} and {birth}: names of persons with their dates of birth")
        yield Later(told, {"name": name.told, "birth": birth.told})


def _counts(connection: DuckDBPyConnection, column: str, name: str) -> tuple[int, dict[str, int]]:
    """Count a column's values that are filled, and those of each shape."""
    shapes = _shapes(name)
    counts = ", ".join(
        f"count(*) FILTER ({OF[kind]} IS NOT NULL AND regexp_matches({OF[kind]}, ${kind}))"
        for kind in shapes
    )
    n_filled, n_reserved, *found = connection.execute(
        f"SELECT count(v), count(*) FILTER (regexp_matches(regexp_extract(mail, $email), "
        f"$reserved)), {counts} FROM ({PARTED.format(value=quote(column))})",
        {**shapes, "reserved": RESERVED},
    ).fetchall()[0]
    counted = dict(zip(shapes, found, strict=True))
    counted["email"] -= n_reserved
    if counted["phone"] and _are_tax_codes(connection, quote(column)):
        counted["phone"] = 0
    return n_filled, counted


# What can hold a shape is told apart cheaply, since a file may have millions of values.
PARTED = f"""
    SELECT
        {{value}} AS v,
        CASE WHEN length({{value}}) < 9 THEN NULL
            WHEN NOT regexp_matches({{value}}, '[0-9](?:[ .-]?[0-9]){{{{8}}}}') THEN NULL
            WHEN length({{value}}) <= {SPACED} THEN regexp_replace({{value}}, '[ .-]', '', 'g')
            ELSE {{value}} END AS number,
        CASE WHEN contains({{value}}, '@') THEN {{value}} END AS mail,
        CASE WHEN contains({{value}}, ' ') THEN {{value}} END AS words
    FROM {ROWS}
"""
OF = {
    **dict.fromkeys(("identity", "phone", "marked", "health_card"), "number"),
    **{"email": "mail", "person": "words", "date": "v"},
}


def _shapes(name: str) -> dict[str, str]:
    """Give the shapes to look for in a column; its name tells numbers that lost their first 0."""
    provinces, prefixes, surnames = _published()
    phone = rf"(?:\+84|0)(?:(?:{prefixes})[0-9]{{7}}|2[0-9]{{9}})"
    if PHONE_NAMES.search(name):
        phone = rf"(?:\+?84|0?)(?:(?:{prefixes})[0-9]{{7}}|2[0-9]{{9}})"
    identity = rf"(?:{provinces})[0-3][0-9]{{8}}"
    if IDENTITY_NAMES.search(name):
        identity = rf"(?:{identity}|[1-9][0-9]{{10}}|[0-9]{{9}})"  # also the old ones, of nine
    return {
        "identity": rf"(?:^|[^0-9])(?:{identity})(?:[^0-9]|$)",
        "phone": rf"(?:^|[^0-9+])(?:{phone})(?:[^0-9]|$)",
        "email": EMAIL,
        "health_card": HEALTH_CARD,
        "person": rf"^(?i:{surnames})(?: \p{{L}}+){{1,5}}$",
        "date": DATE,
        "marked": r"^[5-9][0-9]{11}$",
    }


@cache
def _published() -> tuple[str, str, str]:
    """Give provinces of identity numbers, carriers' prefixes and surnames, from published tables."""
    provinces = {one["cccd_province_code"] for one in statistics.rows("codes_cccd_and_plates_63")}
    prefixes = {one["prefix"][1:] for one in statistics.rows("codes_mobile_prefixes")}
    surnames = {one["surname"] for one in statistics.rows("name_surname_share")}
    joined = (sorted(filter(None, some)) for some in (provinces, prefixes, surnames))
    first, second, third = ("|".join(map(re.escape, some)) for some in joined)
    return first, second, third


def _are_tax_codes(connection: DuckDBPyConnection, value: str) -> bool:
    """Whether numbers of ten digits are tax codes, real or marked: those of Ho Chi Minh City begin
    as telephone numbers do.
    """
    rows = connection.execute(
        f"SELECT DISTINCT {value} FROM {ROWS} WHERE regexp_matches({value}, '^[0-9]{{10}}$') "
        f"ORDER BY ALL LIMIT {LOOKED_AT}"
    ).fetchall()
    right = sum((int(code[9]) - _tax_check_digit(code)) % 10 in {0, 3, 5} for (code,) in rows)
    return bool(rows) and right >= NEARLY_ALL * len(rows)


def _tax_check_digit(code: str) -> int:
    return 10 - sum(w * int(d) for w, d in zip(TAX_WEIGHTS, code, strict=False)) % 11


def _is_mostly(column: Column, kind: str, share: float) -> bool:
    return column.n_filled > 0 and column.counted[kind] >= share * column.n_filled


def _is_personal(name: str) -> bool:
    return bool(re.search(EMAIL, name) or re.search(r"\d{6}", re.sub(r"[ .-]", "", name)))
