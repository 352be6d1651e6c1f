"""What a derived column was computed from, as its dataset's spec says."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from synthetic.errors import SyntheticError
from synthetic.spec.expressions import names, parse
from synthetic.spec.load import digest, load_all, packaged
from synthetic.spec.models import Spec
from synthetic.spec.scope import Scope

MOST = 12  # columns named


@dataclass(frozen=True, eq=False)
class Lineage:
    """The specs of some datasets; of one that was built from another spec nothing is known."""

    specs: dict[str, Spec] = field(default_factory=dict)

    @classmethod
    def of(cls, manifests: Iterator[Mapping[str, Any]]) -> Lineage:
        """Read the packaged specs that these replicas were built from."""
        built = {str(one["dataset"]): one["hashes"]["spec"] for one in manifests}
        known = [dataset for dataset in built if dataset in packaged()]
        try:
            specs = load_all(known)
        except SyntheticError:
            return cls()
        return cls({d: s for d, s in specs.items() if built.get(d, digest(s)) == digest(s)})

    def computed_from(self, dataset: str, table: str, column: str) -> list[str]:
        """Name the seen columns that a column was computed from, as dataset.table.column."""
        found = dict.fromkeys(self._behind(dataset, table, column, frozenset()))
        return list(found)[:MOST]

    def _behind(
        self, dataset: str, table: str, column: str, above: frozenset[str]
    ) -> Iterator[str]:
        for owner, name, other in self._one_step(dataset, table, column):
            qualified = f"{owner}.{name}.{other}"
            if qualified in above:
                continue
            if self.specs[owner].tables[name].columns[other].hidden:
                yield from self._behind(owner, name, other, above | {qualified})
            else:
                yield qualified

    def _one_step(self, dataset: str, table: str, column: str) -> Iterator[tuple[str, str, str]]:
        spec = self.specs.get(dataset)
        told = spec and table in spec.tables and spec.tables[table].columns.get(column)
        if not told:
            return
        texts = [told.derive, *(told.identifier.parts.values() if told.identifier else ())]
        for text in texts:
            for path in names(parse(text)) if text is not None else ():
                yield dataset, table, path[0]
        parent, dot, behind = (told.take or "").partition(".")
        scope = Scope(self.specs, {d: {} for d in self.specs}, dataset, table)
        if dot and (found := scope.parents().get(parent)) is not None:
            yield found.dataset, found.name, behind
