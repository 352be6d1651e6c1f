"""What the columns of several tables hold, where all tables must agree."""

from __future__ import annotations

from collections.abc import Sequence

from synthetic.assess.sources import Form, Source
from synthetic.errors import AssessError
from synthetic.private.schema import Schema

_OF_TYPE = {"category": Form.TEXT, "boolean": Form.FLAG, "date": Form.DAY}


def forms_of(sources: Sequence[Source], schema: Schema | None, unit: str | None) -> dict[str, Form]:
    """The columns to compare, those of the schema or all but `unit`, and how to read each.

    Raises
    ------
    AssessError
        If a table lacks a column, or tables hold different things in one.
    """
    declared = [source.forms() for source in sources]
    for source, there in zip(sources[:-1], declared, strict=False):
        if unit is not None and unit not in there:
            raise AssessError(f"--unit: the {source.called} table has no column {unit!r}")
    if schema is not None:
        forms = {
            a.name: _OF_TYPE.get(a.type, Form.NUMBER) for a in schema.attributes if a.name != unit
        }
        for source, there in zip(sources, declared, strict=True):
            _check_has(source, there, forms)
        return forms
    declared = [{name: f for name, f in there.items() if name != unit} for there in declared]
    for source, there in zip(sources[:-1], declared, strict=False):
        _check_has(source, there, declared[-1])
        _check_has(sources[-1], declared[-1], there)
    return _agreed(sources, declared)


def _check_has(source: Source, there: dict[str, Form], wanted: dict[str, Form]) -> None:
    lacking = [name for name in wanted if name not in there]
    if not lacking:
        return
    if len(lacking) == len(wanted):
        # Without a line of headers, the names in a CSV file are values of a record.
        raise AssessError(
            f"the {source.called} table has none of the columns to compare; give CSV files a first "
            "line that names their columns"
        )
    raise AssessError(
        f"the {source.called} table has no column {lacking[0]!r}; give all tables the same "
        "columns, or a --spec that names those to compare"
    )


def _agreed(sources: Sequence[Source], declared: Sequence[dict[str, Form]]) -> dict[str, Form]:
    """One form for each column: what tables declare, else what all their texts can be read as."""
    forms = {name: _declared(name, declared) for name in declared[0]}
    free = [name for name, form in forms.items() if form is Form.FREE]
    could = [source.could_be(free) for source in sources]
    for name in free:
        common = set.intersection(*(one[name] for one in could))
        # A column without any value can be read as everything: texts serve.
        forms[name] = common.pop() if len(common) == 1 else Form.TEXT
    return forms


def _declared(name: str, declared: Sequence[dict[str, Form]]) -> Form:
    told = {there[name] for there in declared} - {Form.FREE}
    if len(told) > 1:
        what = " here and ".join(sorted(told))
        raise AssessError(
            f"column {name!r} holds {what} there; make all tables hold the same in it"
        )
    return told.pop() if told else Form.FREE
