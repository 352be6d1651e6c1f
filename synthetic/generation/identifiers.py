"""Identifiers with their true structure and a mark that makes them unassignable.

| kind | structure | mark | common validators | residual risk |
| --- | --- | --- | --- | --- |
| personal_number | province (3), century and sex (1), year (2), serial (6) | the first digit is 9, 8, 7 or 6, where a real number has 0 (provinces 001-096) or the code of a country | format accepted, province refused | a state that gave such codes to countries later |
| deceased_number | as personal_number | the first digit is 5, so that it meets no personal_number either | format accepted, province refused | as personal_number |
| tax_code | province (2), serial (7), check digit (1) | the check digit is the right one + 5 modulo 10 | refused by every check-digit test (stdnum.vn.mst) | none while the rule stands |
| new_tax_code | as tax_code | the check digit is the right one + 3 modulo 10, so that it meets no tax_code either | refused by every check-digit test (stdnum.vn.mst) | none while the rule stands |
| mobile_number | 0, prefix (2), serial (7) | the prefix belongs to no carrier | refused by prefix lists, accepted by length tests | a prefix given to a carrier later |
| enterprise_name | words, then the mark | ends in "(mô phỏng)" | – | none: no register admits the suffix as part of a name it did not approve |
| land_certificate | letters (2), number (8) | both letters are of F, J, W and Z, which the Vietnamese alphabet lacks and series are written with | accepted by length tests, refused by lists of series | a series in other letters later |
| health_card | group (2 letters), benefit level (1), province (2), number (10) | the group is ZZ, and no group is written with a letter that the Vietnamese alphabet lacks | accepted by length tests, refused by lists of groups | a group in such letters later |
| account_number | bank (6), number (14) | the bank begins 000, where a bank of the country has 970 | accepted by length tests, refused by lists of banks | banks set their own lengths; a bank with such a code later |
| card_number | issuer (3), number (12), check digit (1) | the issuer begins 000 (no payment scheme), and the check digit is the right one + 5 modulo 10 | refused by every Luhn test (stdnum.luhn) | none while the rule stands |
| vehicle_plate | province (2), series (2 letters), serial (5) | the province is 01 to 09, where real codes are 11 to 99 | format accepted, province refused | a province given such a code later |

Sources: published.identifier_formats, published.codes_cccd_and_plates_63,
published.codes_mobile_prefixes; the tax code's rule is that of python-stdnum's stdnum.vn.mst; the card's check
digit that of ISO/IEC 7812-1 (Luhn); codes of banks that begin 970 are those of NAPAS.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

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
from synthetic.tables.digits import digits, fixed_width

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

PERSONAL_LEADS = (9, 8, 7, 6)
DECEASED_LEAD = 5
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


def _numbers(values: Values, pattern: str, number: Callable[[str], int], needs: str) -> Ints:
    """What the text of each row stands for, or an error where one does not have its form."""
    coded = values.coded()
    assert coded.domain is not None
    found = _meanings(coded.domain, pattern, number).take(coded.ints)
    if len(found) and found.min() < 0:
        texts = dict.fromkeys(coded.domain[i] for i in coded.ints[found < 0])
        raise BuildError(f"{needs}; found {list(texts)[:3]}")
    return found


@lru_cache(maxsize=64)
def _meanings(domain: tuple[str, ...], pattern: str, number: Callable[[str], int]) -> Ints:
    """The numbers of these texts; -1 for those that do not have the form."""
    fits = re.compile(pattern).fullmatch
    return np.array([number(text) if fits(text) else -1 for text in domain], dtype=np.int64)


def _area_numbers(values: Values, what: str) -> Ints:
    """The whole numbers that the codes of areas write (province "01" is 1)."""
    needs = f"{what} needs areas with codes of two digits"
    return _numbers(values, kinds.AREA_CODE, int, needs)


def _is_female(values: Values, what: str) -> Ints:
    """1 for every woman, 0 for every man."""
    needs = f"{what} needs a sex that is {' or '.join(kinds.SEXES)}"
    return _numbers(values, "|".join(kinds.SEXES), kinds.SEXES.index, needs)


def _personal_number(stream: Stream, rows: Rows) -> Values:
    """A bijection of the household's rank, keyed by area, sex and birth year.

    Two persons of one area, sex and year come from two households, so no number meets another.
    """
    return _person_number(stream, rows, "personal_number", PERSONAL_LEADS)


def _deceased_number(stream: Stream, rows: Rows) -> Values:
    """The same of rows that hang on no household."""
    return _person_number(stream, rows, "deceased_number", (DECEASED_LEAD,))


def _person_number(stream: Stream, rows: Rows, what: str, leads: tuple[int, ...]) -> Values:
    assert rows.rank_in_area is not None
    area = _area_numbers(rows.parts["area"], what)
    female = _is_female(rows.parts["sex"], what)
    year = rows.parts["year"].ints
    first, last = kinds.YEARS
    if len(year) and (year.min() < first or year.max() > last):
        raise BuildError(
            f"{what} needs years from {first} to {last}; found {year.min()} to {year.max()}"
        )
    lead = rows.rank_in_area // _SERIAL  # NumPy's own rest is many times as dear
    rank = rows.rank_in_area - lead * _SERIAL
    if len(lead) and lead.max() >= len(leads):
        raise BuildError(
            f"an area has more than {len(leads)} million ranks; numbers of kind {what} run out"
        )
    key = ((area * 10_000 + year) * 2 + female) * len(leads) + lead
    serial = permute(stream, key, rank, _SERIAL)
    century = year // 100
    number = ((leads[0] - lead) * 100 + area) * 10 + (century - 19) * 2 + female
    number = (number * 100 + (year - century * 100)) * _MILLION + serial
    return Values(number, width=kinds.DIGITS[what])


def _check_digit(number: Ints) -> Ints:
    """The tax code's check digit before the mark; 10 stands for serials that are never given."""
    total = np.zeros_like(number)
    left = number
    for weight in reversed(_MST_WEIGHTS):
        left, digit = np.divmod(left, 10)
        total += weight * digit
    return 10 - total % 11


def _tax_code(stream: Stream, rows: Rows, shift: int = 5) -> Values:
    assert rows.rank_in_area is not None
    area = _area_numbers(rows.parts["area"], "tax_code")
    if len(area) and rows.rank_in_area.max() >= _TAX_SERIALS:
        raise BuildError("an area has more than 9,999,999 units; tax codes run out")
    serial = permute(stream, area, rows.rank_in_area, _TAX_SERIALS) + 1
    number = area * 10_000_000 + serial
    number = number * 10 + (_check_digit(number) + shift) % 10
    return Values(number, width=kinds.DIGITS["tax_code"])


def _new_tax_code(stream: Stream, rows: Rows) -> Values:
    return _tax_code(stream, rows, 3)


def _mobile_number(stream: Stream, rows: Rows) -> Values:
    """Numbers may repeat, as shared telephones do; there is none to dial behind them."""
    word = words(stream, rows.key)
    prefix = np.array(MOBILE_PREFIXES)[below(word, len(MOBILE_PREFIXES))]
    serial = (word & np.uint64(0xFFFFFFFF)) * np.uint64(10_000_000) >> np.uint64(32)
    number = prefix * 10_000_000 + serial.astype(np.int64)
    return Values(number, width=kinds.DIGITS["mobile_number"])


def _enterprise_name(stream: Stream, rows: Rows) -> Values:
    del stream
    return Values(text=arrow.joined(rows.parts["name"].strings(), arrow.strings([NAME_MARK])[0]))


_SERIES = tuple(first + second for first in "FJWZ" for second in "FJWZ")
_IN_SERIES = 10**8


def _land_certificate(stream: Stream, rows: Rows) -> Values:
    serial = _serial_of_key(stream, rows, len(_SERIES) * _IN_SERIES, "land_certificate")
    letters = Values(serial // _IN_SERIES, _SERIES).strings()
    return Values(text=arrow.joined(letters, digits(serial % _IN_SERIES, 8)))


_HEALTH_CARDS = 10**10
_BENEFIT_LEVELS = (1, 5)


def _health_card(stream: Stream, rows: Rows) -> Values:
    level = rows.parts["level"].ints
    first, last = _BENEFIT_LEVELS
    if len(level) and (level.min() < first or level.max() > last):
        raise BuildError(
            f"health_card needs levels from {first} to {last}; found {level.min()} to {level.max()}"
        )
    number = level * 100 + _area_numbers(rows.parts["area"], "health_card")
    number = number * _HEALTH_CARDS + _serial_of_key(stream, rows, _HEALTH_CARDS, "health_card")
    return Values(text=arrow.joined(arrow.strings(["ZZ"])[0], digits(number, 13)))


_ACCOUNTS, _CARDS = 10**14, 10**12


def _serial_of_key(stream: Stream, rows: Rows, n: int, what: str) -> Ints:
    """A bijection of the row's key, so that no two rows of a table have one number."""
    if len(rows.key) and rows.key.max() >= n:
        raise BuildError(f"{what}: the table's keys reach {n}; numbers run out")
    return permute(stream, 0, rows.key, n)


def _account_number(stream: Stream, rows: Rows) -> Values:
    needs = "account_number needs banks with codes of six digits, 000…"
    bank = _numbers(rows.parts["bank"], "000[0-9]{3}", int, needs)
    serial = _serial_of_key(stream, rows, _ACCOUNTS, "account_number")
    return Values(text=digits(bank * _ACCOUNTS + serial, 20))


def _luhn(number: Ints) -> Ints:
    """The check digit that makes a number right."""
    total, left, double = np.zeros_like(number), number, True
    while left.any():
        left, digit = np.divmod(left, 10)
        twice = digit * 2
        total += np.where(twice > 9, twice - 9, twice) if double else digit
        double = not double
    return -total % 10


def _card_number(stream: Stream, rows: Rows) -> Values:
    serial = _serial_of_key(stream, rows, _CARDS, "card_number")
    number = serial * 10 + (_luhn(serial) + 5) % 10
    return Values(number, width=kinds.DIGITS["card_number"])


def _is_card_number(texts: pa.Array) -> Flags:
    shaped = _matches(r"000[0-9]{13}")(texts)
    numbers = np.zeros(len(texts), dtype=np.int64)
    numbers[shaped] = arrow.to_numpy(texts.filter(arrow.flags(shaped)).cast(pa.int64()))
    return shaped & (numbers % 10 == (_luhn(numbers // 10) + 5) % 10)


_PLATE_LETTERS = np.frombuffer(b"ABCDEFGHKLMNPSTUVXYZ", dtype=np.uint8)
_PLATE_PROVINCES = ((1, 6), (7, 3))  # of each kind of owner: the first code, and how many
_PLATES_OF_A_PROVINCE = len(_PLATE_LETTERS) ** 2 * 100_000


def _vehicle_plate(stream: Stream, rows: Rows) -> Values:
    """A bijection of the row's key, in codes of provinces that differ between kinds of owner."""
    needs = f"vehicle_plate needs an owner that is {' or '.join(kinds.PLATE_OWNERS)}"
    pattern = "|".join(kinds.PLATE_OWNERS)
    owner = _numbers(rows.parts["owner"], pattern, kinds.PLATE_OWNERS.index, needs)
    serial = np.zeros(len(rows.key), dtype=np.int64)
    for i, (first, n) in enumerate(_PLATE_PROVINCES):
        here = np.flatnonzero(owner == i)
        own = Rows(rows.key[here], None, {})
        last = n * _PLATES_OF_A_PROVINCE
        serial[here] = _serial_of_key(stream, own, last, "vehicle_plate")
        serial[here] += first * _PLATES_OF_A_PROVINCE
    province, serial = np.divmod(serial, _PLATES_OF_A_PROVINCE)
    series, number = np.divmod(serial, 100_000)
    out = np.empty((len(serial), 11), dtype=np.uint8)
    out[:, 0], out[:, 1] = ord("0"), ord("0") + province
    out[:, 2] = _PLATE_LETTERS[series // len(_PLATE_LETTERS)]
    out[:, 3] = _PLATE_LETTERS[series % len(_PLATE_LETTERS)]
    out[:, 4], out[:, 8] = ord("-"), ord(".")
    for column, power in ((5, 10_000), (6, 1000), (7, 100), (9, 10), (10, 1)):
        out[:, column] = ord("0") + number // power % 10
    return Values(text=fixed_width(out))


def _matches(pattern: str) -> Callable[[pa.Array], Flags]:
    def marked(texts: pa.Array) -> Flags:
        return arrow.to_numpy(pc.match_substring_regex(texts, f"^(?:{pattern})$")).astype(np.bool_)

    return marked


def _is_tax_code(texts: pa.Array, shift: int = 5) -> Flags:
    shaped = _matches(r"[0-9]{10}")(texts)
    numbers = np.zeros(len(texts), dtype=np.int64)
    numbers[shaped] = arrow.to_numpy(texts.filter(arrow.flags(shaped)).cast(pa.int64()))
    return shaped & (numbers % 10 == (_check_digit(numbers // 10) + shift) % 10)


KINDS: Mapping[str, Kind] = {
    "personal_number": Kind(
        _personal_number, kinds.PARTS["personal_number"], True, _matches("[6-9][0-9]{11}")
    ),
    "deceased_number": Kind(
        _deceased_number, kinds.PARTS["deceased_number"], True, _matches("5[0-9]{11}")
    ),
    "tax_code": Kind(_tax_code, kinds.PARTS["tax_code"], True, _is_tax_code),
    "new_tax_code": Kind(
        _new_tax_code,
        kinds.PARTS["new_tax_code"],
        True,
        lambda texts: _is_tax_code(texts, 3),
    ),
    "land_certificate": Kind(
        _land_certificate, kinds.PARTS["land_certificate"], False, _matches("[FJWZ]{2}[0-9]{8}")
    ),
    "mobile_number": Kind(_mobile_number, kinds.PARTS["mobile_number"], False, _matches(_MOBILE)),
    "enterprise_name": Kind(
        _enterprise_name,
        kinds.PARTS["enterprise_name"],
        False,
        _matches(".* \\(mô phỏng\\)"),
    ),
    "health_card": Kind(
        _health_card, kinds.PARTS["health_card"], False, _matches("ZZ[1-5][0-9]{12}")
    ),
    "account_number": Kind(
        _account_number, kinds.PARTS["account_number"], False, _matches("000[0-9]{17}")
    ),
    "vehicle_plate": Kind(
        _vehicle_plate,
        kinds.PARTS["vehicle_plate"],
        False,
        _matches(r"0[1-9][A-Z]{2}-[0-9]{3}\.[0-9]{2}"),
    ),
    "card_number": Kind(_card_number, kinds.PARTS["card_number"], False, _is_card_number),
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
