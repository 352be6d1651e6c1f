"""Tables that are drawn from a fitted model: the models open_models, and what is said of them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from synthetic.errors import SyntheticError
from synthetic.evaluation.checks import Check
from synthetic.spec.models import Bilingual, Spec
from synthetic.tables.manifest import Manifest

if TYPE_CHECKING:
    from synthetic.private.linked import Linked

Facts = Mapping[str, Any]


def open_models(specs: Mapping[str, Spec], folders: Iterable[Path] = ()) -> dict[str, Linked]:
    """The models behind tables of these specs, by dataset.table; specs of one's own are in `folders`.

    Raises SpecError where a model's file is not there or does not fit the spec.
    """
    if not any(table.model for spec in specs.values() for table in spec.tables.values()):
        return {}
    from synthetic.private.linked import linked  # a room that no other replica needs

    return linked(specs, folders)


def measured(facts: Facts) -> Bilingual:
    """Under what the columns of a model were measured."""
    return Bilingual(
        vi=f"Đo trên bản ghi thật của nguồn {facts['source']} dưới riêng tư vi phân "
        f"({_price(facts)}), bảo vệ {_unit(facts).vi}.{_warning(facts)['vi']}",
        en=f"Measured on real records of the source {facts['source']} under differential privacy "
        f"({_price(facts)}), which protects {_unit(facts).en}.{_warning(facts)['en']}",
    )


def check_fitted(
    manifest: Manifest, specs: Mapping[str, Spec], folders: Iterable[Path]
) -> Iterator[Check]:
    """The models that the manifest speaks of are the files beside the spec, at the stated price."""
    try:
        found = open_models(specs, folders)
    except SyntheticError as error:
        yield Check("", "fitted models", False, str(error))
        return
    for table in manifest.tables:
        model = found.get(f"{manifest.dataset}.{table['name']}")
        told, true = table.get("model"), None if model is None else model.facts
        if told is not None or true is not None:
            detail = "" if told == true else "the manifest tells of another model, or another price"
            yield Check(str(table["name"]), "fitted model", not detail, detail)


def _price(facts: Facts) -> str:
    return f"ε = {facts['epsilon']:g}, δ = {facts['delta']:g}"


def _unit(facts: Facts) -> Bilingual:
    unit = facts["unit"]
    if unit is None:
        return Bilingual(vi="từng dòng", en="each row")
    return Bilingual(
        vi=f"mọi dòng của từng {unit['column']}, giữ nhiều nhất {unit['rows']} dòng",
        en=f"all rows of each {unit['column']}, of which {unit['rows']} are kept at most",
    )


def _warning(facts: Facts) -> dict[str, str]:
    if facts["releasable"]:
        return {"vi": "", "en": ""}
    return {
        "vi": " KHÔNG ĐƯỢC CÔNG BỐ: nhiễu lấy từ hạt giống ai cũng gieo lại được, nên không bảo vệ ai.",
        "en": " NOT TO BE RELEASED: the noise comes from a seed that anybody can draw again, and "
        "protects nobody.",
    }
