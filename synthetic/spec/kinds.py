"""The kinds of identifier that a spec may ask for, and the parts that each is made from.

How a kind is made from its parts is told by `synthetic.generation.identifiers`.
"""

from __future__ import annotations

from collections.abc import Mapping

from synthetic.spec.expressions import Type

PARTS: Mapping[str, Mapping[str, Type]] = {
    "personal_number": {"area": Type.TEXT, "sex": Type.TEXT, "year": Type.INTEGER},
    "deceased_number": {"area": Type.TEXT, "sex": Type.TEXT, "year": Type.INTEGER},
    "tax_code": {"area": Type.TEXT},
    "new_tax_code": {"area": Type.TEXT},
    "mobile_number": {},
    "land_certificate": {},
    "enterprise_name": {"name": Type.TEXT},
    "health_card": {"area": Type.TEXT, "level": Type.INTEGER},
    "account_number": {"bank": Type.TEXT},
    "card_number": {},
    "vehicle_plate": {"owner": Type.TEXT},
}
# Kinds that are written with digits alone, and how many: a number of 64 bits says as much.
DIGITS: Mapping[str, int] = {
    "personal_number": 12,
    "deceased_number": 12,
    "tax_code": 10,
    "new_tax_code": 10,
    "mobile_number": 10,
    "card_number": 16,
}
PLATE_OWNERS = ("household", "enterprise")  # what `owner` may hold
SEXES = ("male", "female")  # what `sex` may hold
YEARS = (1900, 2399)  # the centuries that a personal number can tell
AREA_CODE = "[0-9]{2}"  # what `area` may hold
