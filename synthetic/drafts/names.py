"""Names for columns from the headers of a sample, and what such a name tells of its column."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable

# Words of the expressions, and what `take` calls the rows above.
_RESERVED = ("and", "or", "not", "in", "is", "if", "missing", "group", "member", "unit", "parent")
_LETTERS = str.maketrans({"đ": "d", "Đ": "D"})  # the letters that do not decompose

_PERSON = ("person_id", "dinh_danh", "cccd", "can_cuoc", "citizen")
_PROVINCE = ("province", "tinh", "thanh_pho", "tp")
_COMMUNE = ("commune", "ward", "xa", "phuong", "phuong_xa", "xa_phuong")
_PERSONAL = (
    *_PERSON,
    "ten",
    "name",
    "surname",
    "cmnd",
    "dien_thoai",
    "sdt",
    "phone",
    "mobile",
    "email",
    "mail",
    "dia_chi",
    "address",
    "passport",
    "ho_chieu",
    "tai_khoan",
    "account",
    "bien_so",
    "tax_code",
    "ma_so_thue",
    "mst",
)
_NEAR = ("sinh", "birth", "dob", "tuoi", "age", "gioi_tinh", "sex", "gender", "dan_toc", "ethnic")
_BIRTH = ("ngay_sinh", "birth_date", "date_of_birth", "dob")
_AGE = ("tuoi", "age")
_KEY = ("id", "ma", "so", "code", "key", "no", "number")


def identifiers(headers: Iterable[str]) -> list[str]:
    """Make a name of each header, without diacritics, no two alike."""
    taken: set[str] = set()
    return [unused(_identifier(header, i), taken) for i, header in enumerate(headers, 1)]


def unused(name: str, taken: set[str]) -> str:
    """Return the name, or with a number behind it where it is taken; note it as taken."""
    found, n = name, 1
    while found in taken:
        n += 1
        found = f"{name}_{n}"
    taken.add(found)
    return found


def _identifier(header: str, place: int) -> str:
    plain = unicodedata.normalize("NFKD", header.translate(_LETTERS))
    letters = "".join(sign for sign in plain if not unicodedata.combining(sign)).lower()
    name = re.sub(r"[^a-z0-9]+", "_", letters).strip("_")[:40].strip("_")
    if not name:
        return f"column_{place}"
    if name in _RESERVED or not name[0].isalpha():
        return f"column_{name}"
    return name


def _says(name: str, words: Iterable[str]) -> bool:
    """Whether one of these stands in a name as whole words."""
    return any(f"_{word}_" in f"_{name}_" for word in words)


def is_person(name: str) -> bool:
    """Whether a name speaks of a personal number."""
    return _says(name, _PERSON)


def is_province(name: str) -> bool:
    """Whether a name speaks of a province."""
    return _says(name, _PROVINCE)


def is_commune(name: str) -> bool:
    """Whether a name speaks of a commune."""
    return _says(name, _COMMUNE)


def is_birth(name: str) -> bool:
    """Whether a name speaks of a date of birth."""
    return _says(name, _BIRTH)


def is_age(name: str) -> bool:
    """Whether a name is that of an age."""
    return name in _AGE


def is_key(name: str) -> bool:
    """Whether a name speaks of a number that tells rows apart."""
    return _says(name, _KEY)


def sensitivity(name: str) -> str:
    """How far a column of this name could tell who somebody is; a person must judge it again."""
    if _says(name, _PERSONAL):
        return "identifier"
    return "quasi-identifier" if _says(name, _NEAR) or is_province(name) else "none"
