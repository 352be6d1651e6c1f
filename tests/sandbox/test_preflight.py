"""What is found before a run: a table of small notebooks, and the doors through which it comes."""

from __future__ import annotations

import json
import time

import nbformat
import pytest
from nbformat import v4

from sandbox import preflight, runs
from sandbox.errors import NotebookError
from sandbox.language import speaking
from sandbox.runs import notebook as notebook_files
from sandbox.settings import notebooks_folder, templates_folder
from tests.sandbox import notebooks
from tests.sandbox.commands import sandbox

E, W = "error", "warning"
# Of shapes that services use, and of nobody; in two parts, so that no scanner stops at this file.
AWS = "AKIA" + "Z7QJ2M4XW5TPLK3R"
GITHUB = "ghp" + "_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
JWT = "eyJhbGciOiJIUzI1NiJ9." + "eyJzdWIiOiIxMjM0NTY3ODkwIn0." + "dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"
KEY = "-----BEGIN " + "RSA PRIVATE KEY-----"


def found(*cells, parameters=None, beside=(), metadata=None):
    """Check a notebook of these cells, and give what was found: severity, code, cell, line."""
    made = v4.new_notebook(metadata=metadata or {})
    if parameters is not None:
        made.cells.append(v4.new_code_cell(parameters, metadata={"tags": ["parameters"]}))
    for cell in cells:
        made.cells.append(v4.new_code_cell(cell) if isinstance(cell, str) else cell)
    parsed = notebook_files.parse("small", nbformat.writes(made).encode())
    return preflight.check(parsed, beside=beside)


def short(findings):
    """Give what a table of expectations holds."""
    return [(str(one.severity), one.code, one.cell, one.line) for one in findings]


CLEAN = {
    "plain": ("x = 1\nprint(x)",),
    "magics": (
        "%matplotlib inline\nimport numpy as np\n!ls\nx = np.arange(3)",
        "x?",
        "%%time\nx.sum()",
    ),
    "sql cells": (
        "%load_ext sandbox.lab",
        "%%sql kept <<\nSELECT 1 AS a ORDER BY a",
        "kept.head()",
    ),
    "await": ("import asyncio\nawait asyncio.sleep(0)",),
    "late function": ("def f():\n    return later", "later = 1", "f()"),
    "comprehension": ("xs = [1]\n[y for x in xs for y in [x] if (z := x)]\nprint(z)",),
    "class": ("class A:\n    n = 1\n    def f(self):\n        return A, self.n\nA().f()",),
    "try import": ("try:\n    import polars\nexcept ImportError:\n    polars = None",),
    "try name": ("try:\n    x\nexcept NameError:\n    x = 1",),
    "star": ("from math import *\nprint(sqrt(2))",),
    "global": ("def f():\n    global n\n    n = 1\nf()\nprint(n)",),
    "with and for": (
        "import io\nwith io.StringIO() as file:\n    file.write('a')\nfor i in [1]:\n    j = i\nprint(i, j)",
    ),
    "except": ("try:\n    1 / 0\nexcept ZeroDivisionError as error:\n    print(error)",),
    "match": ("match 1:\n    case int(n):\n        print(n)",),
    "links in words": ('print("https://example.org/a.csv")', 'note = "see https://example.org"'),
    "slashes": ('unit = "/ year"\nprint("a/b".split("/"), "/")', 'x = dict(sep="/")'),
    "socket names": ("import socket\nprint(socket.gethostname())",),
    "name of two": ("from sklearn.utils import shuffle", "shuffle = len\nshuffle([])"),
    "urllib.parse": ("from urllib.parse import quote\nquote('a')",),
    "own file": ('open("a.txt", "w").write("x")\nopen("a.txt").read()',),
    "own frame": (
        "import pandas as pd\npd.DataFrame({'a': [1]}).to_csv('out/a.csv')",
        "pd.read_csv('out/a.csv')",
    ),
    "own copy": (
        "from sandbox import lab\ncon = lab.connect()",
        "con.execute(\"COPY (SELECT 1) TO 'a.csv'\")",
        "con.sql(\"FROM 'a.csv'\")\ncon.sql(\"ATTACH 'new.duckdb' AS n\")",
    ),
    "own module": ("%%writefile helper.py\nx = 1", "import helper"),
    "own folder": (
        "import glob, os, shutil, sqlite3, zipfile\nfrom pathlib import Path",
        "Path('out').mkdir()\nopen('out2/a.csv', 'w')\nshutil.copy('out2/a.csv', 'b.csv')",
        "open('b.csv')\nglob.glob('out2/*.csv')\nos.listdir('out2')\nos.listdir('.')",
        "sqlite3.connect('a.db')\nwith zipfile.ZipFile('a.zip', 'w') as z:\n    z.write('b.csv')",
        "(Path('out') / 'c.csv').read_text()\nopen('/dev/null', 'w')",
    ),
    "scratch": ("with open('/tmp/a', 'w') as file:\n    file.write('a')\nopen('/tmp/a').read()",),
    "text as file": ("import io\nimport pandas as pd\npd.read_csv(io.StringIO('a\\n1'))",),
    "seeded": (
        "import numpy as np, random\nfrom sklearn.model_selection import KFold, train_test_split",
        "rng = np.random.default_rng(seed)\nrng.normal(size=3)\nrandom.seed(1)\nrandom.random()",
        "train_test_split([1, 2], random_state=seed)\nKFold(3)\nrandom.Random(seed).sample([1], 1)",
    ),
    "seeded globally": ("import numpy as np\nnp.random.seed(1)\nnp.random.rand(3)",),
    "ordered": (
        "con = print",
        "con.sql('SELECT a FROM s.t ORDER BY a LIMIT 5')",
        "con.sql('SELECT count(*) FROM s.t LIMIT 1')",
        "con.sql('SELECT * FROM (SELECT a FROM s.t ORDER BY a) LIMIT 5')",
        "con.sql('FROM s.t LIMIT 0')\ncon.sql('SELECT * FROM s.t USING SAMPLE reservoir(9 ROWS) REPEATABLE (7)')",
        "con.sql(\"SELECT string_agg(a, ',' ORDER BY a), row_number() OVER (ORDER BY a) FROM s.t\")",
    ),
    "a frame's query": (
        "import pandas as pd\nframe = pd.DataFrame({'a': [1]})\nframe.query('a > 1')",
    ),
    "no secrets": (
        "password = None\ntoken_count = 'abcdefgh'\napi_key = '<your key>'\nsecret = ''",
    ),
}


@pytest.mark.parametrize("name", CLEAN)
def test_nothing_is_found_where_nothing_is_wrong(name):
    assert short(found(*CLEAN[name], parameters="seed: int = 7  # same seed, same draw")) == []


TABLE = {
    # --- Parameters
    "type": (("1",), {"parameters": "a: int = 1\n\nb: integer = 2"}, [(E, "parameters", 1, 3)]),
    "default": (("1",), {"parameters": "a: int = 'x'"}, [(E, "parameters", 1, 1)]),
    "no literal": (
        ("1",),
        {"parameters": "a = len([])\nimport os"},
        [(E, "parameters", 1, 1), (E, "parameters", 1, 2)],
    ),
    "twice": (("1",), {"parameters": "a = 1\na = 2"}, [(E, "parameters", 1, None)]),
    "two cells": (
        (v4.new_code_cell("b = 1", metadata={"tags": ["parameters"]}),),
        {"parameters": "a = 1"},
        [(E, "parameters", 2, None)],
    ),
    "reset": (("a = 5",), {"parameters": "a: int = 1"}, [(W, "parameter_reset", 2, 1)]),
    "kept": (("a = max(a, 0)",), {"parameters": "a: int = 1"}, []),
    "reads": (
        ("1",),
        {"metadata": {"sandbox": {"reads": ["population.persons"]}}},
        [(E, "reads", None, None)],
    ),
    # --- Order
    "syntax": (("x = 1", "\n\nfor i in x\n    print(i)"), {}, [(E, "syntax", 2, 3)]),
    "return": (("return 1",), {}, [(E, "syntax", 1, 1)]),
    "below": (("print(1)\nprint(later)", "later = 1"), {}, [(E, "order", 1, 2)]),
    "left over": (("total = total + 1",), {}, [(E, "order", 1, 1)]),
    "added to": (("total += 1",), {}, [(E, "order", 1, 1)]),
    "nowhere": (("x = 1", "print(gone)"), {}, [(E, "undefined_name", 2, 1)]),
    "perhaps": (("if True:\n    print(gone)",), {}, [(W, "undefined_name", 1, 2)]),
    "in a function": (("def f():\n    return gone",), {}, [(W, "undefined_name", 1, 2)]),
    "called too early": (
        ("def f():\n    return later\nf()", "later = 1"),
        {},
        [(E, "order", 1, 3)],
    ),
    "deleted": (("x = 1\ndel x\nprint(x)",), {}, [(E, "order", 1, 3)]),
    "unseen": (("%run other.py\nprint(gone)",), {}, []),
    "counts": (
        (v4.new_code_cell("1", execution_count=3), v4.new_code_cell("2", execution_count=2)),
        {},
        [(W, "run_order", 2, None)],
    ),
    "counts in order": (
        (v4.new_code_cell("1", execution_count=3), v4.new_code_cell("2", execution_count=5)),
        {},
        [],
    ),
    # --- Files
    "home": (("open('/home/an/a.csv')",), {}, [(E, "absolute_path", 1, 1)]),
    "windows": (
        ("import pandas as pd\npd.read_excel(r'C:\\Users\\an\\a.xlsx')",),
        {},
        [(E, "absolute_path", 1, 2)],
    ),
    "tilde": (
        ("from pathlib import Path\n(Path('~') / 'a.txt').read_text()",),
        {},
        [(E, "absolute_path", 1, 2)],
    ),
    "written home": (
        ("import matplotlib.pyplot as plt\nplt.savefig('/home/an/a.png')",),
        {},
        [(E, "absolute_path", 1, 2)],
    ),
    "variable": (
        ("FOLDER = '/mnt/data'\nopen(f'{FOLDER}/a.csv')",),
        {},
        [(E, "absolute_path", 1, 2)],
    ),
    "machine": (("open('/etc/hostname')",), {}, [(W, "absolute_path", 1, 1)]),
    "other call": (
        ("import sys\nsys.path.append('/home/an/code')",),
        {},
        [(W, "absolute_path", 1, 2)],
    ),
    "undeclared": (
        ("import pandas as pd\npd.read_csv('data.csv')",),
        {},
        [(E, "undeclared_file", 1, 2)],
    ),
    "parameter's file": (
        ("open(name)",),
        {"parameters": "name: str = 'a.csv'"},
        [(E, "undeclared_file", 2, 1)],
    ),
    "path": (
        ("from pathlib import Path\nPath('data', 'a.json').read_text()",),
        {},
        [(E, "undeclared_file", 1, 2)],
    ),
    "duckdb": (("import duckdb\nduckdb.read_csv('a.csv')",), {}, [(E, "undeclared_file", 1, 2)]),
    "sql file": (
        ("con = print", 'con.sql("""\nSELECT *\nFROM read_csv(\'a.csv\')""")'),
        {},
        [(E, "undeclared_file", 2, 3)],
    ),
    "sql table": (("%%sql\nSELECT *\nFROM 'a.parquet'",), {}, [(E, "undeclared_file", 1, 3)]),
    "sql home": (("%%sql\nSELECT * FROM '/home/an/a.parquet'",), {}, [(E, "absolute_path", 1, 2)]),
    "perhaps written": (
        ("name = input\nopen(name(), 'w')", "open('a.txt')"),
        {},
        [(W, "undeclared_file", 2, 1)],
    ),
    # --- Network
    "requests": (("import requests\nrequests.get('https://a.vn')",), {}, [(E, "network", 1, 2)]),
    "from": (
        ("from urllib.request import urlopen\nurlopen('https://a.vn')",),
        {},
        [(E, "network", 1, 2)],
    ),
    "imported only": (("import httpx",), {}, [(W, "network", 1, 1)]),
    "socket": (
        ("import socket\nsocket.create_connection(('a.vn', 80))",),
        {},
        [(E, "network", 1, 2)],
    ),
    "address": (
        ("import pandas as pd\npd.read_csv('https://a.vn/a.csv')",),
        {},
        [(E, "network", 1, 2)],
    ),
    "curl": (("x = 1\n!curl -O https://a.vn/a.csv",), {}, [(E, "network", 1, 2)]),
    "pip": (("%pip install seaborn",), {}, [(E, "network", 1, 1)]),
    "bash": (("%%bash\necho\ngit clone https://a.vn/a",), {}, [(E, "network", 1, 3)]),
    "process": (
        ("import subprocess\nsubprocess.run(['wget', 'a.vn'])",),
        {},
        [(E, "network", 1, 2)],
    ),
    "data sets": (
        ("from sklearn.datasets import fetch_openml\nfetch_openml('a')",),
        {},
        [(E, "network", 1, 2)],
    ),
    "tried": (
        ("import requests\ntry:\n    requests.get('https://a.vn')\nexcept Exception:\n    pass",),
        {},
        [(W, "network", 1, 3)],
    ),
    "sql address": (("%%sql\nFROM 'https://a.vn/a.parquet'",), {}, [(E, "network", 1, 2)]),
    "sql install": (("%%sql\nINSTALL httpfs",), {}, [(E, "network", 1, 2)]),
    "if": (
        (
            "import sys\nif 'google.colab' in sys.modules:\n    %pip install polars\n    import polars",
        ),
        {},
        [(W, "network", 1, 3), (W, "import", 1, 4)],
    ),
    # --- Packages
    "package": (("import polars as pl",), {}, [(E, "import", 1, 1)]),
    "part": (("import sklearn.ensembles",), {}, [(W, "import", 1, 1)]),
    "relative": (("from . import a",), {}, [(E, "import", 1, 1)]),
    "local": (("import helper",), {"beside": ["helper.py"]}, [(E, "local_module", 1, 1)]),
    # --- Secrets
    "aws": ((f"key = '{AWS}'",), {}, [(E, "secret", 1, 1)]),
    "github": ((f"# {GITHUB}\n1",), {}, [(E, "secret", 1, 1)]),
    "jwt": ((f"x = 1\ny = '{JWT}'",), {}, [(E, "secret", 1, 2)]),
    "private key": ((v4.new_markdown_cell(KEY), "1"), {}, [(E, "secret", 1, 1)]),
    "password": (
        ("connect = print\nconnect(password='hunter2hunter2')",),
        {},
        [(E, "secret", 1, 2)],
    ),
    "parameter": (("1",), {"parameters": "api_key: str = 'k3jh5k2j3h5'"}, [(E, "secret", 1, 1)]),
    "output": (
        (v4.new_code_cell("1", outputs=[v4.new_output("stream", text=GITHUB)]),),
        {},
        [(E, "secret", 1, None)],
    ),
    # --- Chance and order of rows
    "numpy": (("import numpy as np\nnp.random.rand(3)",), {}, [(W, "no_seed", 1, 2)]),
    "generator": (("import numpy as np\nnp.random.default_rng()",), {}, [(W, "no_seed", 1, 2)]),
    "random": (("from random import shuffle\nshuffle([1])",), {}, [(W, "no_seed", 1, 2)]),
    "frame": (("import pandas as pd\npd.DataFrame().sample(n=3)",), {}, [(W, "no_seed", 1, 2)]),
    "split": (
        ("from sklearn.model_selection import train_test_split\ntrain_test_split([1])",),
        {},
        [(W, "no_seed", 1, 2)],
    ),
    "forest": (
        ("from sklearn import ensemble\nensemble.RandomForestClassifier(random_state=None)",),
        {},
        [(W, "no_seed", 1, 2)],
    ),
    "folds": (
        ("from sklearn.model_selection import KFold\nKFold(3, shuffle=True)",),
        {},
        [(W, "no_seed", 1, 2)],
    ),
    "sql sample": (("%%sql\nSELECT * FROM s.t USING SAMPLE 10",), {}, [(W, "no_seed", 1, 2)]),
    "sql random": (
        ("con = print\ncon.execute('SELECT a FROM s.t ORDER BY random()')",),
        {},
        [(W, "no_seed", 1, 2)],
    ),
    "limit": (
        ('con = print\ncon.sql("""\n  SELECT \'ệ\'\n  FROM s.t\n  LIMIT 5\n""")',),
        {},
        [(W, "no_order", 1, 5)],
    ),
    "limit in a table": (
        ("%%sql\nCREATE TABLE a AS\nSELECT * FROM s.t\nLIMIT 5",),
        {},
        [(W, "no_order", 1, 4)],
    ),
    "limit in a copy": (
        ("%%sql\nCOPY (SELECT * FROM s.t LIMIT 5) TO 'a.csv'",),
        {},
        [(W, "no_order", 1, 2)],
    ),
    "limit and a hole": (
        ("con = print\nn = 3\ncon.sql(f'SELECT * FROM s.t LIMIT {n}')",),
        {},
        [(W, "no_order", 1, 3)],
    ),
    "row numbers": (("%%sql\nSELECT row_number() OVER () FROM s.t",), {}, [(W, "no_order", 1, 2)]),
    "joined texts": (("%%sql\nSELECT string_agg(a, ',') FROM s.t",), {}, [(W, "no_order", 1, 2)]),
    "wrong sql": (("%%sql\nSELECT FROM WHERE",), {}, [(W, "sql", 1, 1)]),
}


@pytest.mark.parametrize("name", TABLE)
def test_each_fault_is_found_at_its_place_and_nothing_else(name):
    cells, options, expected = TABLE[name]
    assert short(found(*cells, **options)) == expected


@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem)
        for folder in (templates_folder(), notebooks_folder())
        for path in sorted(folder.glob("*.ipynb"))
    ],
)
def test_nothing_is_found_in_what_ships(path):
    began = time.monotonic()
    assert preflight.check(notebook_files.read(path)) == []
    assert time.monotonic() - began < 5


def test_every_finding_is_told_in_both_languages_and_repeats_no_secret():
    cells = (f"x = '{AWS}'\npassword = 'hunter2hunter2'", "open('a.csv')\nprint(gone)")
    for one in found(*cells, parameters="a: integer = 1"):
        record = one.to_record()
        assert set(record["why"]) == set(record["remedy"]) == {"vi", "en"}
        assert AWS not in json.dumps(record)
        assert "hunter2" not in json.dumps(record)
        with speaking("en"):
            assert one.to_text() == (
                f"error, {one.place}: {record['why']['en']}\n  → {record['remedy']['en']}"
            )


def test_a_file_of_the_folder_is_told_as_one_that_does_not_travel():
    (there,) = found("open('data/a.csv')", beside=["data"])
    (gone,) = found("open('data/a.csv')")
    assert "lies in your folder" in str(there.why)
    assert "a run does not have the file" in str(gone.why)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (b"{", "it is not JSON"),
        (b"[]", "no `nbformat`"),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": 1}', "no list of cells"),
    ],
)
def test_what_is_no_notebook_is_refused_in_words(tmp_path, change, words):
    (tmp_path / "a.ipynb").write_bytes(change)
    done = sandbox(tmp_path, "run", "check", tmp_path / "a.ipynb", SANDBOX_LANG="en")
    assert done.returncode == 2
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_a_notebook_of_another_language_is_refused():
    made = v4.new_notebook(
        metadata={"kernelspec": {"name": "ir", "display_name": "R", "language": "R"}}
    )
    made.cells.append(v4.new_code_cell("x <- 1"))
    with pytest.raises(NotebookError, match="only Python notebooks"):
        notebook_files.parse("r", nbformat.writes(made).encode())


HOSTILE = {
    "attributes": "a" + ".b" * 900,
    "sum": "x = " + " + ".join(["'a'"] * 900) + "\nopen(x)",
    "brackets": "(" * 500 + ")" * 500,
    "doubled": "a0 = 'ab'\n" + "\n".join(f"a{n + 1} = a{n} + a{n}" for n in range(40)),
    "circle": "a = b + 'x'\nb = a\nopen(a)",
    "null": "x\0 = 1",
    "sql brackets": f"con = 1\ncon.sql('SELECT {'(' * 900}1{')' * 900}')",
    "sql sum": f"con = 1\ncon.sql('SELECT {' + '.join(['a'] * 300)} FROM s.t')",
    "magics": "\n".join(["!ls"] * 1000),
    "long": f"x = {list(range(80_000))}",
    "surrogate": "con = 1\ncon.sql('SELECT \\udc80')\nopen('\\udc80')",
    "sql of nothing": "%%sql\n--rows x",
    "empty magic": "%%",
    "only spaces": "   \n  ",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_makes_the_check_fail_or_last(name):
    began = time.monotonic()
    findings = found(HOSTILE[name], "1")
    assert "\n".join(one.to_text() for one in findings).encode() is not None
    assert time.monotonic() - began < 5


def test_the_command_tells_cell_line_why_and_remedy(tmp_path):
    path = notebooks.write(tmp_path / "mine.ipynb", "x = 1\nimport helper", "print(gone)")
    (tmp_path / "helper.py").touch()
    done = sandbox(tmp_path, "run", "check", path, "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert (told["errors"], told["warnings"]) == (2, 0)
    assert [(one["code"], one["cell"], one["line"]) for one in told["findings"]] == [
        ("local_module", 1, 2),
        ("undefined_name", 2, 1),
    ]
    done = sandbox(tmp_path, "run", "check", path, "--lang", "en")
    assert "error, cell 2, line 1: no cell makes the name 'gone'" in done.stdout
    assert "2 errors, 0 warnings" in done.stderr


def test_errors_stop_a_submission_and_warnings_travel_with_it(tmp_path, settings, bubblewrap):
    wrong = notebooks.write(tmp_path / "wrong.ipynb", "print(gone)")
    done = sandbox(settings.home, "run", "submit", wrong, SANDBOX_LANG="en")
    assert done.returncode == 1
    assert "was not submitted" in done.stderr
    assert "cell 1, line 1: no cell makes the name 'gone'" in done.stderr
    assert runs.listed(settings) == []
    path = notebooks.write(tmp_path / "mine.ipynb", "import numpy as np\nnp.random.rand()")
    run_id = runs.submit(settings, path, check=preflight.passed)
    (kept,) = runs.show(settings, run_id)["findings"]
    assert (kept["code"], kept["severity"], kept["cell"], kept["line"]) == (
        "no_seed",
        "warning",
        1,
        2,
    )
    assert set(kept["why"]) == {"vi", "en"}
    done = sandbox(settings.home, "run", "show", run_id, SANDBOX_LANG="en")
    assert "warning, cell 1, line 2: drawn by chance without a seed (rand)" in done.stdout
