"""The published JSON Schema: every shipped spec fits it, a wrong key does not."""

from __future__ import annotations

import datetime as dt
import json
import tomllib

import jsonschema
import pytest
from click.testing import CliRunner

from synthetic.cli import main
from synthetic.spec.load import packaged, parse
from synthetic.spec.schema import DESCRIPTIONS, schema

from .specs import LINKED, SMALL


@pytest.fixture(scope="module")
def validator():
    made = schema()
    jsonschema.Draft202012Validator.check_schema(made)
    return jsonschema.Draft202012Validator(made)


def as_an_editor_sees(value):
    """A TOML date is a text to a JSON Schema."""
    if isinstance(value, dict):
        return {key: as_an_editor_sees(item) for key, item in value.items()}
    if isinstance(value, list):
        return [as_an_editor_sees(item) for item in value]
    return value.isoformat() if isinstance(value, dt.date) else value


def faults(validator, text):
    found = validator.iter_errors(as_an_editor_sees(tomllib.loads(text)))
    return [f"{'.'.join(map(str, fault.absolute_path))}: {fault.message}" for fault in found]


@pytest.mark.parametrize("dataset", list(packaged()))
def test_every_shipped_spec_fits(validator, dataset):
    assert faults(validator, packaged()[dataset].read_text("utf-8")) == []


@pytest.mark.parametrize("text", [SMALL, LINKED])
def test_the_specs_of_tests_fit(validator, text):
    assert faults(validator, text) == []


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('unit = "m2"', 'unti = "m2"', "'unti' was unexpected"),
        ('licence = "CC-BY-4.0"', 'licence = "CC-BY-4.0"\nlicnce = "x"', "'licnce' was unexpected"),
        ("rows.units", "rows.unit", "'unit' was unexpected"),
        ('type = "integer"', 'type = "int"', "shop_id.type: 'int' is not one of"),
        ('licence = "CC-BY-4.0"\n', "", "'licence' is a required property"),
        ("spec = 1", "spec = 2", "spec: 1 was expected"),
        (
            'table = "admin_communes"',
            'table = "admin_comunes"',
            "places.table: 'admin_comunes' is not one",
        ),
        ("[tables.shops.columns.room]", '[tables.shops.columns."The room"]', "'The room' do"),
        ("assume = { quant", 'assume = { words = ["a"], quant', "room.assume: .* has too many"),
    ],
)
def test_a_wrong_key_does_not(validator, old, new, place):
    assert old in SMALL
    found = faults(validator, SMALL.replace(old, new, 1))
    assert found
    assert any(part in "\n".join(found) for part in place.split(".* ")), found


@pytest.mark.parametrize(
    "text",
    [
        'given = ["size"]',
        "given = { size = 'size' }\nmissing = { share = 0.03, because = { vi = 'a', en = 'a' } }",
        "given = ['size']\nmissing = { share = { micro = '0.5', '*' = '0' }, given = ['size'], "
        "because = { vi = 'a', en = 'a' } }",
    ],
)
def test_every_way_of_writing_a_key_fits(validator, text):
    changed = SMALL.replace('given = { size = "size" }', text)
    assert faults(validator, changed) == []
    parse(changed, "shops.toml")


def test_every_model_and_every_key_is_described():
    made = schema()
    models = made["$defs"] | {"Spec": made}
    bare = [
        f"{name}.{key}"
        for name, model in models.items()
        for key, told in model["properties"].items()
        if not told.get("description")
    ]
    assert bare == []
    assert [name for name, model in models.items() if not model.get("description")] == []
    keys = {f"{name}.{key}" for name, model in models.items() for key in model["properties"]}
    known = keys | {key.rpartition(".")[2] for key in keys}
    assert [key for key in DESCRIPTIONS if key not in known] == []


def test_no_key_may_be_null():
    assert "null" not in json.dumps(schema())


def test_the_command_prints_it_or_writes_a_file(tmp_path):
    printed = CliRunner().invoke(main, ["schema"])
    assert printed.exit_code == 0
    assert json.loads(printed.stdout) == schema()
    path = tmp_path / "dataset.schema.json"
    path.write_text("an older one", "utf-8")
    written = CliRunner().invoke(main, ["schema", "--out", str(path)])
    assert (written.exit_code, written.stdout.strip()) == (0, str(path))
    assert path.read_text("utf-8") == printed.stdout
    lost = CliRunner().invoke(main, ["schema", "--out", str(tmp_path / "no" / "s.json")])
    assert lost.exit_code == 3
    assert "make the folder first" in lost.stderr
