"""The JSON Schema of a spec file: what an editor completes and underlines while somebody writes.

It is made from the models of `synthetic.spec.models`, so that both refuse the same keys. What the
models check by code (two keys that exclude each other, names that must be known) is left to
`synthetic check`: an editor that is silent has not found a spec right.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from synthetic import statistics
from synthetic.spec.kinds import PARTS
from synthetic.spec.models import Spec

DIALECT = "https://json-schema.org/draft/2020-12/schema"
FILE_NAME = "dataset.schema.json"

# What a key means, by its name, or by `Model.name` where models differ.
DESCRIPTIONS = {
    "title": "A short title for people, in Vietnamese and English.",
    "description": "One or two sentences for people, in Vietnamese and English.",
    "because": "Why this is assumed, in Vietnamese and English; no guess passes for a fact.",
    "unit": 'The unit of the numbers, such as "persons" or "VND".',
    "table": "A published table of the package; `published.<table>` in notebooks.",
    "where": "Only the rows for which this expression over the other table's columns holds.",
    "given": "The columns that this depends on: a list, or { axis = 'column' } for a margin.",
    "follows": "The margin (with an axis left over by `given`) whose shares the values follow.",
    "assume": "A distribution that no published table gives; needs `because`.",
    "area": "The area: a column, an axis, or an expression that gives its code.",
    "spread": "A margin with the axis `area` alone, that shares the cells among areas.",
    "members": "The table of members, as dataset.table.",
    "units": "The table of units, as dataset.table.",
    "places": "A margin with the axes area and place, in this order.",
    "tables": "The tables by name; used ones stand before those that use them.",
    "axis": "The name of the axis.",
    "vi": "In Vietnamese.",
    "en": "In English.",
    "Bilingual.vi": "The text in Vietnamese.",
    "Bilingual.en": "The text in English.",
    "CodesFrom.table": "The published table that is the code list, one row per code.",
    "CodesFrom.code": "Its column of codes.",
    "CodesFrom.vi": "Its column of Vietnamese titles.",
    "CodesFrom.en": "Its column of English titles.",
    "CodesFrom.where": "Only the rows with these values: { column = 'value' }.",
    "Wide.columns": "Category -> column of the published table.",
    "Rescale.to": "The margin whose totals are taken.",
    "Rescale.over": "The axes whose totals are met; none: the grand total alone.",
    "Complete.total": "A written number, or a margin: what all cells add up to.",
    "Complete.share_by": "The margin by which what is left is shared.",
    "Complete.rest": "The category that takes all that is left.",
    "Weigh.by": "The axes that the weights depend on.",
    "Weigh.weights": "Codes joined by '|' -> whole number; '*' stands for any code.",
    "Rake.to": "The margins to be met; the first one gives the total.",
    "Rake.start": "A margin that says how the axes hang together.",
    "Rake.tolerance": 'The part of the total by which margins may disagree, such as "0.001".',
    "MarginSpec.where": "Only the rows with these values: { column = 'value' or ['a', 'b'] }.",
    "MarginSpec.axes": "Axis -> column of the published table.",
    "MarginSpec.wide": "An axis whose categories stand as columns of the published table.",
    "MarginSpec.value": "The column of the numbers.",
    "MarginSpec.rename": "Axis -> category as published -> our code.",
    "MarginSpec.keep": "Axis -> the only categories kept, in this order.",
    "MarginSpec.through": "Axis -> [table, from column, to column]: codes looked up in a table.",
    "MarginSpec.add_up": "Several rows may meet in a cell and are added.",
    "MarginSpec.multiply": "A whole number that the values are multiplied by.",
    "MarginSpec.times": "Another margin with the same axes, multiplied cell by cell.",
    "MarginSpec.weigh": "Multiplied by assumed whole numbers.",
    "MarginSpec.complete": "Fill the cells that are not published from a total.",
    "MarginSpec.sum_over": "Axes that are summed away.",
    "MarginSpec.rescale": "Bring totals to those of another margin.",
    "MarginSpec.rake": "A margin over several axes that agrees with several others.",
    "PoolSpec.kind": "The kind of pool.",
    "PoolSpec.strata": "Margin: persons by (area, residence), urban first.",
    "PoolSpec.sex": "Margin: persons by (area, sex).",
    "PoolSpec.ages": "Margin: persons by (area, sex, five-year band).",
    "PoolSpec.places": "Margin: persons by (area, place).",
    "PoolSpec.place_area": "Margin: square kilometres by (area, place).",
    "PoolSpec.persons_total": "Margin: persons of the country.",
    "PoolSpec.groups_total": "Margin: households of the country.",
    "PoolSpec.without_spouse": "Margin: percent without a spouse, by residence.",
    "PoolSpec.never_married": "Margin: percent never married.",
    "PoolSpec.married": "Margin: percent married.",
    "PoolSpec.divorced": "Margin: percent divorced, by residence.",
    "PoolSpec.templates": "How many household compositions the pool holds.",
    "UnitRows.per": "The margin that tells how many units each area (and further axis) has.",
    "UnitRows.floor": "1 keeps a unit in every cell published above zero, at any scale.",
    "Count.given": "Axis -> the parent's column, or a list of the parent's columns.",
    "ChildRows.of": "The parents' table, as dataset.table.",
    "ChildRows.count": "A whole number, an expression over the parent's columns, or drawn.",
    "ChildRows.most": "The largest count; needed unless the count is a written number.",
    "CellRows.of": "The margin; each of its cells is a row.",
    "CellRows.scaled": "The numbers are multiplied by the scale.",
    "MatchingRows.per_group": "At most so many members of one group.",
    "MatchingRows.capacity": "The units' column that tells how many members each takes.",
    "Rows.groups_of": "The groups of a pool, such as households.",
    "Rows.members_of": "The members of a pool's groups, such as persons.",
    "Rows.units": "Units such as enterprises: a published number per area.",
    "Rows.matching": "Members who are given a place in a unit.",
    "Rows.children": "So many rows for each row of another table.",
    "Rows.cells": "One row for each cell of a margin.",
    "Grammar.text": "A text with {slots}, a list of such texts, or such by code.",
    "Grammar.vocabularies": "Slot -> its words, or words by code.",
    "Tet.before": "Percent for the days before Tết; the last is the eve.",
    "Tet.after": "Percent for the days from the first day of the year on.",
    "Day.from": "The first day that may be: an expression that gives a date.",
    "Day.to": "The last day that may be: an expression that gives a date.",
    "Day.months": "12 weights, January first, or such by code.",
    "Day.weekdays": "7 weights, Monday first, or such by code.",
    "Day.years": "Year -> weight; a year that is not named has none.",
    "Day.tet": "What Tết makes of the days around it, in percent.",
    "Day.holidays": "MM-DD -> percent of what the day would have.",
    "Hour.at": "The date column whose day this is.",
    "Hour.hours": "24 weights, midnight first, or such by code.",
    "Assume.shares": "Code -> weight, whole numbers in any unit, or such by code.",
    "Assume.quantiles": "Rising whole numbers; each stretch between two is equally likely.",
    "Assume.date_in_year": "Any day of the year that this expression names.",
    "Assume.words": "One of these texts, each as often as another.",
    "Assume.grammar": "Texts put together from vocabularies.",
    "Assume.day": "A day between two dates, by season.",
    "Assume.hour": "A time of a given day.",
    "Missing.share": 'The part that is missing, such as "0.03", or such by code.',
    "Missing.given": "The columns whose codes the share depends on.",
    "Identifying.kind": "The kind of identifier; none can be given to a real person or firm.",
    "Identifying.parts": "Part -> expression that gives it.",
    "Link.own": "An earlier row of the same table.",
    "Link.weight": "A whole-number column of the units: the chance is in proportion to it.",
    "Link.match": "Column of the units -> column of the row: both must be equal.",
    "Link.same_place": "Units of the row's own place come first.",
    "Link.elsewhere": "Where the area has none, one of the whole country.",
    "Link.once": "A unit that no other row meets, as long as they last.",
    "Link.same": "The row of `members` that stands for the same member as this row.",
    "Link.area": "An expression that gives the area to choose in.",
    "Link.within": "'group', or another key of the row: below whom to choose.",
    "Link.by": "A whole-number column: children of one parent with the same number meet the same row.",
    "ColumnSpec.type": "The type of the values.",
    "ColumnSpec.places": "Decimal places of a decimal, 1 to 6.",
    "ColumnSpec.sensitivity": "How far the column could identify or hurt somebody, were it real.",
    "ColumnSpec.codes": "The code list: code -> { vi, en }.",
    "ColumnSpec.codes_from": "A code list that is a published table.",
    "ColumnSpec.references": "The key that this column refers to, as dataset.table.column.",
    "ColumnSpec.references_with": "The key's other columns -> ours.",
    "ColumnSpec.leaves_area": "The key may lead to a row of another area.",
    "ColumnSpec.hidden": "Computed for other columns and not written.",
    "ColumnSpec.stored": "False: not in the files, but worked out from others when they are read.",
    "ColumnSpec.take": "A field of the row's structure, or 'parent.column'.",
    "ColumnSpec.derive": "An expression over other columns of the row.",
    "ColumnSpec.identifier": "An identifier of true structure with a mark.",
    "ColumnSpec.link": "A key to a row that is chosen; needs `references` and `because`.",
    "ColumnSpec.model": "A column of the table's fitted model.",
    "ColumnSpec.per": "Drawn once per value of this field within a group.",
    "ColumnSpec.only_if": "Missing where this expression does not hold.",
    "ColumnSpec.missing": "Missing by chance.",
    "RuleSpec.holds": "An expression that is true in every row.",
    "CompareSpec.margin": "The margin that the replica is held against.",
    "CompareSpec.by": "Axis -> column, expression of one column, or a literal: its cells alone.",
    "CompareSpec.quota": "With exact margins every cell is published x scale, to the last unit.",
    "CompareSpec.contradicts": "The margin of another entry, which the rows follow instead.",
    "CompareSpec.because": "Why the rows may lie further from it than a sample would.",
    "ModelSpec.file": "A model that `synthetic fit` made; it lies beside the spec.",
    "ModelSpec.sha256": "The hash that the file must have.",
    "ModelSpec.given": "Column of the model -> the table's column whose values it has.",
    "ModelSpec.not_releasable": "Accept a model that --insecure-seed made; replicas say so.",
    "TableSpec.model": "A fitted model that columns are drawn from, under differential privacy.",
    "TableSpec.rows": "What the rows are: exactly one kind.",
    "TableSpec.key": "The columns that tell rows apart.",
    "TableSpec.area": "The column that `--area` selects by.",
    "TableSpec.columns": "The columns by name.",
    "TableSpec.rules": "Sentences that hold in every row.",
    "TableSpec.compare": "Where the table is held against published ones.",
    "TableSpec.questions": "Questions that a reader may ask, each with the SQL that answers it.",
    "QuestionSpec.vi": "The question in Vietnamese.",
    "QuestionSpec.en": "The question in English.",
    "QuestionSpec.sql": "One SELECT over dataset.table; every column of its answer has a name.",
    "Spec.spec": "The version of the language: 1.",
    "Spec.dataset": "The dataset's name, which is the file's: <dataset>.toml.",
    "Spec.as_of": "The date that the data speak of.",
    "Spec.licence": "Under which the replica may be used.",
    "Spec.uses": "The datasets that keys lead to.",
    "Spec.margins": "Numbers read from published tables, by name.",
    "Spec.pools": "Pools of household compositions, by name.",
}
_PUBLISHED = ("MarginSpec.table", "CodesFrom.table")
_ONE_KIND = ("Rows", "Assume")  # exactly one key


def schema() -> dict[str, Any]:
    """The JSON Schema of a spec file, as a value."""
    made = Spec.model_json_schema(by_alias=True)
    models = made["$defs"] | {"Spec": made}
    for name, model in models.items():
        for key, told in model.get("properties", {}).items():
            _describe(f"{name}.{key}", told)
    _widen(models)
    for name in _ONE_KIND:
        models[name] |= {"minProperties": 1, "maxProperties": 1}
    shown: dict[str, Any] = _without_null(made)
    return {"$schema": DIALECT, **shown, "title": "Spec of a synthetic dataset"}


def text() -> str:
    """The JSON Schema of a spec file, as the text of a file."""
    return json.dumps(schema(), ensure_ascii=False, indent=1) + "\n"


def _describe(path: str, told: dict[str, Any]) -> None:
    known = DESCRIPTIONS.get(path) or DESCRIPTIONS.get(path.rpartition(".")[2])
    if known is not None:
        told["description"] = known
    if path in _PUBLISHED:
        told["enum"] = list(statistics.names())
    if path == "Identifying.kind":
        told["enum"] = list(PARTS)


def _widen(models: Mapping[str, Any]) -> None:
    """Allow what the models accept and bring into one form: the schema knows only that form."""
    names = {"type": "array", "items": {"type": "string"}}
    for name in ("ColumnSpec", "Count"):
        given = models[name]["properties"]["given"]
        table = {key: given.pop(key) for key in ("type", "patternProperties") if key in given}
        given["anyOf"] = [table] if name == "Count" else [table, names]
    models["Grammar"]["properties"]["text"]["anyOf"].insert(0, {"type": "string"})
    number = {"type": "number", "minimum": 0, "maximum": 1}
    models["Missing"]["properties"]["share"]["anyOf"].insert(0, number)
    tolerance = models["Rake"]["properties"]["tolerance"]
    tolerance["anyOf"] = [{"type": tolerance.pop("type")}, number]


def _without_null(value: Any) -> Any:
    """The same without what TOML cannot write; keys that fit no pattern are refused."""
    if isinstance(value, list):
        return [_without_null(item) for item in value if item != {"type": "null"}]
    if not isinstance(value, dict):
        return value
    shown = {
        key: _without_null(item)
        for key, item in value.items()
        if not (key == "default" and item is None)
    }
    if "patternProperties" in shown:
        shown.setdefault("additionalProperties", False)
    options = shown.get("anyOf")
    if isinstance(options, list) and len(options) == 1:
        del shown["anyOf"]
        shown = {**options[0], **shown}
    return shown
