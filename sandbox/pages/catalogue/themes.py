"""The published tables by theme, in the order in which a reader looks for them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.language import N_, _
from synthetic import statistics

THEMES = (  # title, and how the names of its tables begin
    (N_("Provinces, communes, regions"), ("admin_",)),
    (N_("Population"), ("population_", "vital_rates_")),
    (N_("Names of people"), ("name_",)),
    (N_("Codes and identifiers"), ("codes_", "identifier_")),
    (N_("Enterprises"), ("enterprise_",)),
    (N_("Labour"), ("labour_",)),
    (N_("Economy and finance"), ("economy_",)),
    (N_("Education"), ("education_",)),
    (N_("Health"), ("health_",)),
    (N_("Land"), ("land_",)),
    (N_("Transport"), ("logistics_",)),
    (N_("Tourism"), ("tourism_",)),
    (N_("Society and administration"), ("social_", "public_administration_", "gso_national_")),
)
OTHER = N_("Other")


@dataclass(frozen=True)
class Theme:
    """Published tables that belong together."""

    title: str
    tables: tuple[statistics.Table, ...]


def themes(tables: Iterable[statistics.Table]) -> list[Theme]:
    """Sort tables into their themes; a table of none comes last."""
    found: dict[str, list[statistics.Table]] = {title: [] for title, _begins in THEMES}
    found[OTHER] = []
    for table in tables:
        found[_theme(table.name)].append(table)
    return [Theme(_(title), tuple(inside)) for title, inside in found.items() if inside]


def _theme(name: str) -> str:
    return next((title for title, begins in THEMES if name.startswith(begins)), OTHER)
