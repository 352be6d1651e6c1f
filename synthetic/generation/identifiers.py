"""Identifiers with their true structure and a mark that makes them unassignable.

| kind | structure | mark | common validators | residual risk |
| --- | --- | --- | --- | --- |
| personal_number | province (3), century and sex (1), year (2), serial (6) | the first digit is 9, 8, 7 or 6, where a real number has 0 (provinces 001-096) or the code of a country | format accepted, province refused | a state that gave such codes to countries later |
| tax_code | province (2), serial (7), check digit (1) | the check digit is the right one + 5 modulo 10 | refused by every check-digit test (stdnum.vn.mst) | none while the rule stands |
| mobile_number | 0, prefix (2), serial (7) | the prefix belongs to no carrier | refused by prefix lists, accepted by length tests | a prefix given to a carrier later |
| enterprise_name | words, then the mark | ends in "(mô phỏng)" | – | none: no register admits the suffix as part of a name it did not approve |

Sources: published.identifier_formats, published.codes_cccd_and_plates_63,
published.codes_mobile_prefixes; the tax code's rule is that of python-stdnum's stdnum.vn.mst.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from synthetic.errors import BuildError, nearest
from synthetic.generation.draws import Stream, below, words
from synthetic.generation.permutation import permute, unpermute
from synthetic.generation.values import Values
from synthetic.spec import kinds
from synthetic.spec.expressions import Type
from synthetic.tables import arrow

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PERSONAL_LEADS = (9, 8, 7, 6)
MOBILE_PREFIXES = (30, 31, 50, 51, 53, 54, 57, 71, 72, 73, 74, 75)
_MOBILE = "0(?:" + "|".join(str(prefix) for prefix in MOBILE_PREFIXES) + ")[0-9]{7}"
NAME_MARK = " (mô phỏng)"
_MST_WEIGHTS = (31, 29, 23, 19, 17, 13, 7, 5, 3)
_SERIAL = 1_000_000
_MILLION = 10**6
_TAX_SERIALS = 9_999_999  # from 0000001


@dataclass(frozen=True, eq=False)
class Rows:
    """What an identifier may depend on."""

    key: Ints  # one number a row, different for every row
    rank_in_area: Ints | None  # of the row's group or unit within its area, from 0
    parts: Mapping[str, Values]


@dataclass(frozen=True)
class Kind:
    """How one kind is made, which parts it needs, and how to recognise it."""

    make: Callable[[Stream, Rows], Values]
    parts: Mapping[str, Type]
    ranked: bool
    is_marked: Callable[[pa.Array], Flags]


# The text of 0000 to 9999, four characters in one word.
_FOUR = (
    (np.arange(10_000)[:, None] // np.array([1000, 100, 10, 1]) % 10 + 48)
    .astype(np.uint8)
    .view(np.uint32)
    .reshape(-1)
)


def digits(numbers: Ints, width: int) -> pa.Array:
    """Write whole numbers with leading zeros, all of one width."""
    groups = -(-width // 4)
    out = np.empty((len(numbers), groups), dtype=np.uint32)
    left = numbers
    for column in range(groups - 1, 0, -1):
        quotient = left // 10_000
        out[:, column] = _FOUR[left - quotient * 10_000]
        left = quotient
    out[:, 0] = _FOUR[left]
    return fixed_width(out.view(np.uint8).reshape(len(numbers), groups * 4)[:, -width:])


def fixed_width(characters: npt.NDArray[np.uint8]) -> pa.Array:
    """Turn a matrix of ASCII characters into an Arrow array of strings."""
    n, width = characters.shape
    offsets = np.arange(0, (n + 1) * width, max(width, 1), dtype=np.int32)[: n + 1]
    return pa.StringArray.from_buffers(
        n, pa.py_buffer(offsets), pa.py_buffer(np.ascontiguousarray(characters))
    )


def _used(values: Values) -> tuple[tuple[str, ...], Ints]:
    """The texts of a part that some row holds, and the place of each row's text among them."""
    coded = values.coded()
    assert coded.domain is not None
    counts = np.bincount(coded.ints, minlength=len(coded.domain)) > 0
    texts = tuple(text for text, used in zip(coded.domain, counts, strict=True) if used)
    return texts, (np.cumsum(counts) - 1)[coded.ints]


def _area_numbers(values: Values, what: str) -> Ints:
    """The whole numbers that the codes of areas write (province "01" is 1)."""
    texts, at = _used(values)
    odd = [text for text in texts if not re.fullmatch(kinds.AREA_CODE, text)]
    if odd:
        raise BuildError(f"{what} needs areas with codes of two digits; found {odd[:3]}")
    return np.array([int(text) for text in texts], dtype=np.int64)[at]


def _is_female(values: Values, what: str) -> Ints:
    """1 for every woman, 0 for every man."""
    texts, at = _used(values)
    odd = [text for text in texts if text not in kinds.SEXES]
    if odd:
        raise BuildError(f"{what} needs a sex that is {' or '.join(kinds.SEXES)}; found {odd[:3]}")
    return np.array([int(text == "female") for text in texts], dtype=np.int64)[at]


def _personal_number(stream: Stream, rows: Rows) -> Values:
    """A bijection of the household's rank, keyed by area, sex and birth year.

    Two persons of one area, sex and year come from two households, so no number meets another.
    """
    assert rows.rank_in_area is not None
    area = _area_numbers(rows.parts["area"], "personal_number")
    female = _is_female(rows.parts["sex"], "personal_number")
    year = rows.parts["year"].ints
    first, last = kinds.YEARS
    if len(year) and (year.min() < first or year.max() > last):
        raise BuildError(
            f"personal_number needs years from {first} to {last}; found {year.min()} to {year.max()}"
        )
    lead, rank = np.divmod(rows.rank_in_area, _SERIAL)
    if len(lead) and lead.max() >= len(PERSONAL_LEADS):
        raise BuildError("an area has more than 4 million households; personal numbers run out")
    key = ((area * 10_000 + year) * 2 + female) * len(PERSONAL_LEADS) + lead
    serial = permute(stream, key, rank, _SERIAL)
    century = (year // 100 - 19) * 2 + female
    number = ((PERSONAL_LEADS[0] - lead) * 100 + area) * 10 + century
    return Values(text=digits((number * 100 + year % 100) * _MILLION + serial, 12))


def _check_digit(number: Ints) -> Ints:
    """The tax code's check digit before the mark; 10 stands for serials that are never given."""
    total = np.zeros_like(number)
    left = number
    for weight in reversed(_MST_WEIGHTS):
        left, digit = np.divmod(left, 10)
        total += weight * digit
    return 10 - total % 11


def _tax_code(stream: Stream, rows: Rows) -> Values:
    assert rows.rank_in_area is not None
    area = _area_numbers(rows.parts["area"], "tax_code")
    if len(area) and rows.rank_in_area.max() >= _TAX_SERIALS:
        raise BuildError("an area has more than 9,999,999 units; tax codes run out")
    serial = permute(stream, area, rows.rank_in_area, _TAX_SERIALS) + 1
    number = area * 10_000_000 + serial
    return Values(text=digits(number * 10 + (_check_digit(number) + 5) % 10, 10))


def _mobile_number(stream: Stream, rows: Rows) -> Values:
    """Numbers may repeat, as shared telephones do; there is none to dial behind them."""
    word = words(stream, rows.key)
    prefix = np.array(MOBILE_PREFIXES)[below(word, len(MOBILE_PREFIXES))]
    serial = (word & np.uint64(0xFFFFFFFF)) * np.uint64(10_000_000) >> np.uint64(32)
    return Values(text=digits(prefix * 10_000_000 + serial.astype(np.int64), 10))


def _enterprise_name(stream: Stream, rows: Rows) -> Values:
    del stream
    return Values(text=arrow.joined(rows.parts["name"].strings(), arrow.strings([NAME_MARK])[0]))


def _matches(pattern: str) -> Callable[[pa.Array], Flags]:
    def marked(texts: pa.Array) -> Flags:
        return arrow.to_numpy(pc.match_substring_regex(texts, f"^(?:{pattern})$")).astype(np.bool_)

    return marked


def _is_tax_code(texts: pa.Array) -> Flags:
    shaped = _matches(r"[0-9]{10}")(texts)
    numbers = np.zeros(len(texts), dtype=np.int64)
    numbers[shaped] = arrow.to_numpy(texts.filter(arrow.flags(shaped)).cast(pa.int64()))
    return shaped & (numbers % 10 == (_check_digit(numbers // 10) + 5) % 10)


KINDS: Mapping[str, Kind] = {
    "personal_number": Kind(
        _personal_number, kinds.PARTS["personal_number"], True, _matches("[6-9][0-9]{11}")
    ),
    "tax_code": Kind(_tax_code, kinds.PARTS["tax_code"], True, _is_tax_code),
    "mobile_number": Kind(_mobile_number, kinds.PARTS["mobile_number"], False, _matches(_MOBILE)),
    "enterprise_name": Kind(
        _enterprise_name,
        kinds.PARTS["enterprise_name"],
        False,
        _matches(".* \\(mô phỏng\\)"),
    ),
}


def kind(name: str) -> Kind:
    """Return a kind of identifier, or raise naming the nearest."""
    if name not in KINDS:
        raise BuildError(f"unknown kind of identifier {name!r}; {nearest(name, KINDS)}")
    return KINDS[name]


def is_synthetic(kind_name: str, text: str) -> bool:
    """Tell whether an identifier carries the mark that no real one can carry."""
    return bool(kind(kind_name).is_marked(arrow.strings([text]))[0])


def household_rank(stream: Stream, personal_number: str) -> int:
    """Lead a synthetic personal number back to the rank of its household in its area."""
    lead = PERSONAL_LEADS[0] - int(personal_number[0])
    area, century = int(personal_number[1:3]), int(personal_number[3])
    year, female = 1900 + century // 2 * 100 + int(personal_number[4:6]), century % 2
    key = ((area * 10_000 + year) * 2 + female) * len(PERSONAL_LEADS) + lead
    rank = unpermute(stream, key, np.array([int(personal_number[6:])]), _SERIAL)
    return int(lead * _SERIAL + rank[0])
