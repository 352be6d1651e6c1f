"""Parameters: what may be declared, what may be given, and that nothing else gets through."""

from __future__ import annotations

import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import ParameterError
from sandbox.runs.parameters import as_code, chosen, declared

SOURCE = """
# Who is looked for
sex: str = "female"  # male or female
min_age: int = 60  # years
share: float = 0.5
urban: bool = True  # đô thị
regions: list[str] = ["01", "48"]  # province codes
weights: dict[str, float] = {"a": 1.5}
kind: Literal["rural", "urban"] = "urban"
limit: int | None = None  # rows
anything: list = []
plain = 3
"""


@pytest.fixture
def parameters():
    return declared([SOURCE])


def test_declarations_are_read_with_type_default_and_comment(parameters):
    told = {one.name: (str(one.type), one.default, one.comment) for one in parameters}
    assert told == {
        "sex": ("str", "female", "male or female"),
        "min_age": ("int", 60, "years"),
        "share": ("float", 0.5, ""),
        "urban": ("bool", True, "đô thị"),
        "regions": ("list[str]", ["01", "48"], "province codes"),
        "weights": ("dict[str, float]", {"a": 1.5}, ""),
        "kind": ("Literal['rural', 'urban']", "urban", ""),
        "limit": ("int | None", None, "rows"),
        "anything": ("list", [], ""),
        "plain": ("int", 3, ""),
    }


FITTING = [
    ("sex", "male", "male"),
    ("sex", '"); import os #', '"); import os #'),
    ("sex", "", ""),
    ("sex", "Hà Nội\n\t", "Hà Nội\n\t"),
    ("min_age", "0", 0),
    ("min_age", " -7 ", -7),
    ("min_age", "10_000", 10_000),
    ("min_age", 7, 7),
    ("share", "1", 1.0),
    ("share", "1e-3", 0.001),
    ("share", 2, 2.0),
    ("urban", "FALSE", False),
    ("urban", True, True),
    ("regions", "['79']", ["79"]),
    ("regions", ["79"], ["79"]),
    ("regions", '["79", "48"]', ["79", "48"]),
    ("weights", "{'x': 1}", {"x": 1.0}),
    ("kind", "rural", "rural"),
    ("limit", "none", None),
    ("limit", "5", 5),
    ("anything", "[1, 'a', [None]]", [1, "a", [None]]),
]


@pytest.mark.parametrize(("name", "given_value", "expected"), FITTING)
def test_a_fitting_value_is_taken_as_its_type(parameters, name, given_value, expected):
    (value,) = chosen(parameters, {name: given_value}).values()
    assert value == expected
    assert type(value) is type(expected)


MISFITS = [
    ("min_age", "sixty"),
    ("min_age", "6.5"),
    ("min_age", "True"),
    ("min_age", True),
    ("min_age", 6.0),
    ("min_age", None),
    ("min_age", "9" * 5000),
    ("min_age", "1 + 1"),
    ("min_age", "__import__('os')"),
    ("share", "nan"),
    ("share", "inf"),
    ("share", math.inf),
    ("share", "half"),
    ("urban", "1"),
    ("urban", "yes"),
    ("urban", 1),
    ("sex", 5),
    ("sex", "\0"),
    ("sex", "\ud800"),
    ("sex", "x" * 70_000),
    ("regions", "48"),
    ("regions", "[48]"),
    ("regions", "('48', 49)"),
    ("regions", "[" * 100_000),
    ("weights", "{1: 2.0}"),
    ("weights", "{'x': 'y'}"),
    ("weights", "{'x': 1e999}"),
    ("kind", "suburban"),
    ("limit", "many"),
    ("anything", "[{1, 2}]"),
    ("anything", "[b'x']"),
]


@pytest.mark.parametrize(("name", "value"), MISFITS)
def test_a_value_of_another_type_is_refused(parameters, name, value):
    with pytest.raises(
        ParameterError,
        match=rf"parameter '{name}' is declared as .*: the value must .* does not fit",
    ) as caught:
        chosen(parameters, {name: value})
    assert caught.value.parameter == name
    assert "-p " not in str(caught.value)  # a form shows it as well as the command line
    assert chosen(parameters, {name: caught.value.example}).keys() == {name}


def test_an_unknown_name_is_refused_with_the_nearest_and_the_list(parameters):
    with pytest.raises(ParameterError) as caught:
        chosen(parameters, {"min_ages": "60"})
    assert "unknown parameter 'min_ages'; did you mean 'min_age'?" in str(caught.value)
    assert "min_age (int)" in str(caught.value)
    assert caught.value.parameter == "min_ages"
    with pytest.raises(ParameterError, match="declared: none"):
        chosen((), {"x": "1"})


@pytest.mark.parametrize("name", ["1x", "a b", "x; import os", "", "class", "x.y", "x=1\ny", "é-"])
def test_a_name_that_is_no_identifier_is_refused(parameters, name):
    with pytest.raises(ParameterError, match="cannot be the name of a parameter"):
        chosen(parameters, {name: "1"})


BAD_CELLS = {
    "x: int = 1 + 1": "not a literal",
    "x: int = len('a')": "not a literal",
    "x: int = 'a'": r"the default must be a whole number, as in 25; 'a' does not fit",
    "x: int": "declares nothing",
    "import os": "declares nothing",
    "x: int = 1\nprint(x)": "declares nothing",
    "x = y = 1": "declares nothing",
    "x, y = 1, 2": "declares nothing",
    "x.y: int = 1": "declares nothing",
    "x: date = '2024-01-01'": "has the type 'date'",
    "x: list[date] = []": "has the type",
    "x: Literal[1.5] = 1.5": "has the type",
    "x = None": "needs a type",
    "x = (1, 2)": "needs a type",
    "x: float = 1e999": "does not fit",
    "x: int = 1\nx: int = 2": "declared twice",
    "%matplotlib inline": "not plain Python",
    "x: str = '''": "not plain Python",
}


@pytest.mark.parametrize("source", BAD_CELLS)
def test_a_cell_that_does_more_than_declare_is_refused(source):
    with pytest.raises(ParameterError, match=BAD_CELLS[source]):
        declared([source])


def test_two_parameter_cells_are_refused():
    with pytest.raises(ParameterError, match="2 cells are tagged"):
        declared(["x: int = 1", "y: int = 2"])


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(codec="utf-8", exclude_characters="\0")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text("abc"), inner, max_size=4),
    max_leaves=10,
)


@given(st.lists(VALUES, max_size=4))
def test_what_is_given_is_what_the_notebook_gets(values):
    (parameter,) = declared(["x: list = []"])
    code = as_code(chosen([parameter], {"x": values}))
    (assignment,) = ast.parse(code).body
    assert ast.literal_eval(assignment.value) == values


@given(st.text())
def test_any_text_for_a_text_parameter_stays_text(text):
    (parameter,) = declared(["x: str = ''"])
    try:
        value = chosen([parameter], {"x": text})
    except ParameterError:
        return
    (assignment,) = ast.parse(as_code(value)).body
    assert ast.literal_eval(assignment.value) == text


@pytest.mark.parametrize(
    "default",
    ["-" * 100_000 + "1", "a" + ".a" * 50_000, "1+" * 5_000 + "1", "0x" + "f" * 20_000],
)
def test_a_default_that_is_too_much_for_python_is_refused(default):
    with pytest.raises(ParameterError):
        declared([f"x: int = {default}"])


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("int", "0x" + "f" * 1_025),
        ("list", "[0x" + "f" * 5_000 + "]"),
        ("list", "[" * 22 + "]" * 22),
    ],
)
def test_a_value_that_could_not_be_written_down_is_refused(kind, text):
    default = "1" if kind == "int" else "[]"
    with pytest.raises(ParameterError, match="does not fit"):
        chosen(declared([f"x: {kind} = {default}"]), {"x": text})


def test_the_largest_values_pass():
    parameters = declared(
        [
            "x: int = 1",
        ][:1]
    )
    assert chosen(parameters, {"x": "0x" + "f" * 1_024}) == {"x": 2**4096 - 1}
    deep = chosen(declared(["x: list = []"]), {"x": "[" * 21 + "]" * 21})["x"]
    assert repr(deep) == "[" * 21 + "]" * 21
