"""`synthetic fit` as a custodian meets it: what it reads, refuses, remembers, and never says."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import zipfile

import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from synthetic.cli import main
from synthetic.private import model as models
from synthetic.private.accounting import epsilon_of, rho_of

from .private_tables import SPEC, records, write

SECRET = "Nguyễn Bí Mật 4711"  # stands in the records and may stand nowhere else


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


@pytest.fixture
def survey(tmp_path):
    write(records(), tmp_path / "records.parquet")
    (tmp_path / "survey.toml").write_text(SPEC, "utf-8")
    return tmp_path


def asked(folder, data="records.parquet", out="model.zip", epsilon=1, seed=1, mode="fast"):
    query = str(data).split()[0].lower() in ("select", "from", "with")
    return (
        *("fit", data if query else folder / data, "--spec", folder / "survey.toml"),
        *("--epsilon", epsilon, "--delta", "1e-7", "--ledger", folder / "ledger.sqlite"),
        *("--mode", mode, "--out", folder / out),
        *(() if seed is None else ("--insecure-seed", seed)),
    )


def spent(folder):
    with sqlite3.connect(folder / "ledger.sqlite") as connection:
        found = connection.execute("SELECT count(DISTINCT rowid), sum(rho) FROM spent").fetchone()
    connection.close()
    return found


def fitted(folder, **asks):
    result = run(*asked(folder, **asks))
    assert result.exit_code == 0, result.output
    return models.load(folder / asks.get("out", "model.zip"))


def same(one, other):
    return all((a == b).all() for a, b in zip(one.noisy, other.noisy, strict=True))


@pytest.mark.slow
def test_every_form_of_the_same_records_gives_the_same_counts(survey):
    table = records()
    first = fitted(survey)
    pa.csv.write_csv(table, survey / "records.csv")
    (survey / "parts").mkdir()
    for number in range(2):
        write(table.slice(200 * number, 200), survey / "parts" / f"{number}.parquet")
    here = f"'{survey}/records.parquet'"
    forms = {
        "csv": "records.csv",
        "folder": "parts",
        "select": f"SELECT * FROM {here};",
        "from": f"FROM {here}",
        "with": f"WITH r AS (FROM {here}) SELECT age, * EXCLUDE (age, unit) FROM r",
    }
    for name, data in forms.items():
        (survey / "ledger.sqlite").unlink()  # another form of them is another place
        assert same(first, fitted(survey, data=data, out=f"{name}.zip")), name


def test_a_file_may_be_named_as_a_query_begins(survey):
    (survey / "records.parquet").rename(survey / "from.parquet")
    fitted(survey, data="from.parquet")
    arguments = ["from.parquet" if str(a).endswith("from.parquet") else a for a in asked(survey)]
    absent = run(*arguments, "--out", survey / "other.zip")
    assert "no such file" in absent.stderr


def test_a_query_gives_what_it_selects(survey):
    model = fitted(survey, data=f"SELECT * FROM '{survey}/records.parquet' WHERE age > 200")
    whole = fitted(survey, out="whole.zip")
    assert abs(model.noisy[0].sum()) < whole.noisy[0].sum() / 2


@pytest.mark.parametrize(
    "mode", ["fast", *(pytest.param(m, marks=pytest.mark.slow) for m in ("default", "best"))]
)
def test_a_mode_costs_the_same_and_is_remembered(survey, mode):
    model = fitted(survey, mode=mode)
    assert model.facts["mode"] == mode
    assert spent(survey)[1] == pytest.approx(rho_of(1, 1e-7))


WEIGHTS = """
[[pairs]]
columns = ["born"]
weight = 0
[[pairs]]
columns = ["income", "age"]
weight = 4
"""


def weighed(folder, text=WEIGHTS):
    (folder / "weights.toml").write_text(text, "utf-8")
    return "--weights", folder / "weights.toml"


def test_weights_share_the_budget_of_pairs(survey):
    planned = run(*asked(survey), *weighed(survey), "--plan", "--json")
    releases = {one["name"]: one for one in json.loads(planned.stdout)["releases"]}
    assert {name: one["tables"] for name, one in releases.items()} == {
        "one-way": 6,
        "pairs": 9,
        "pairs x4": 1,
    }
    assert releases["pairs"]["sigma"] / releases["pairs x4"]["sigma"] == pytest.approx(2, rel=0.01)
    assert releases["pairs x4"]["share"] / releases["pairs"]["share"] == pytest.approx(4 / 9)
    assert sum(one["rho"] for one in releases.values()) <= rho_of(1, 1e-7)
    fitted = run(*asked(survey), *weighed(survey))
    assert fitted.exit_code == 0, fitted.output
    assert "5 pairs have too many cells, or weight 0, and are not measured" in fitted.stdout
    told = models.load(survey / "model.zip").facts["releases"]
    assert [(one["name"], one["tables"]) for one in told][2] == ("pairs x4", [["age", "income"]])
    assert spent(survey) == (3, pytest.approx(rho_of(1, 1e-7)))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "weights.toml: pairs: missing; add it"),
        (WEIGHTS.replace("income", "incme"), "pairs.1.columns: unknown column 'incme'"),
        (WEIGHTS.replace('"income", "age"', '"age", "age"'), "name two different columns"),
        (WEIGHTS.replace("= 4", "= -1"), "a weight is 0, or from 0.01 to 100"),
        (WEIGHTS.replace("= 4", "= nan"), "a weight is 0, or from 0.01 to 100"),
        (WEIGHTS.replace("= 4", "= 1e-9"), "a weight is 0, or from 0.01 to 100"),
        (WEIGHTS.replace("weight = 4", "wieght = 4"), "did you mean 'weight'?"),
        ("[[pairs", "not valid TOML"),
    ],
)
def test_weights_that_cannot_be_are_told(survey, text, message):
    result = run(*asked(survey), *weighed(survey, text))
    assert (result.exit_code, message in result.stderr) == (2, True), result.stderr
    assert "Traceback" not in result.output
    absent = run(*asked(survey), "--weights", survey / "absent.toml")
    assert (absent.exit_code, "no such file of weights" in absent.stderr) == (2, True)
    assert not (survey / "ledger.sqlite").exists()


def test_without_any_pair_columns_alone_are_measured(survey):
    names = ", ".join(f'["{name}"]' for name in ("age", "sex", "job", "income", "born"))
    text = "".join(f"[[pairs]]\ncolumns = {name}\nweight = 0\n" for name in names.split(", "))
    result = run(*asked(survey), *weighed(survey, text), "--json")
    assert result.exit_code == 0, result.output
    assert [one["name"] for one in json.loads(result.stdout)["releases"]] == ["one-way"]


def test_a_plan_opens_nothing_and_writes_nothing(survey):
    (survey / "records.parquet").unlink()
    arguments = [a for a in asked(survey) if a not in ("--out", survey / "model.zip")]
    planned = run(*arguments, "--plan", "--json")
    assert planned.exit_code == 0, planned.output
    told = json.loads(planned.stdout)
    assert told["model"] is None
    assert sum(release["share"] for release in told["releases"]) == pytest.approx(1)
    assert sum(release["rho"] for release in told["releases"]) <= rho_of(1, 1e-7)
    assert told["ledger"]["spent"]["epsilon"] == 0
    assert {path.name for path in survey.iterdir()} == {"survey.toml"}


def test_a_plan_tells_what_is_spent_already(survey):
    fitted(survey)
    told = json.loads(run(*asked(survey), "--plan", "--json").stdout)
    assert told["ledger"]["spent"]["epsilon"] == pytest.approx(
        epsilon_of(rho_of(1, 1e-7), 1e-6), rel=1e-6
    )


def test_the_limit_holds_and_the_last_fit_may_use_it_up(survey):
    first = run(*asked(survey, epsilon=2))
    assert first.exit_code == 0, first.output
    refused = run(*asked(survey, epsilon=3, out="second.zip"))
    assert refused.exit_code == 5
    assert "ask for a smaller epsilon" in refused.stderr
    assert not (survey / "second.zip").exists()
    assert spent(survey)[0] == 2
    assert run(*asked(survey, epsilon=0.5, out="third.zip")).exit_code == 0


def test_a_model_from_a_seed_says_so_wherever_it_goes(survey):
    result = run(*asked(survey), "--json")
    assert json.loads(result.stdout)["releasable"] is False
    assert "not releasable" in result.stderr
    with zipfile.ZipFile(survey / "model.zip") as archive:
        assert json.loads(archive.read("model.json"))["facts"]["releasable"] is False
    drawn = run("sample", survey / "model.zip", "--rows", 5, "--out", survey / "rows.parquet")
    assert "not releasable" in drawn.stderr
    said = json.loads(pq.read_schema(survey / "rows.parquet").metadata[b"synthetic"])
    assert (said["releasable"], said["source"], said["epsilon"]) == (False, "survey", 1)


@pytest.mark.slow
def test_noise_of_a_secure_source_is_releasable_and_says_so(survey):
    result = run(*asked(survey, seed=None), "--json")
    assert json.loads(result.stdout)["releasable"] is True
    drawn = run("sample", survey / "model.zip", "--rows", 5, "--out", survey / "rows.parquet")
    assert "not releasable" not in result.stderr + drawn.stderr
    said = json.loads(pq.read_schema(survey / "rows.parquet").metadata[b"synthetic"])
    assert said["releasable"] is True


def secrets(n=300):
    """Records in which every column holds what the spec does not know."""
    table = records(n)
    for name in ("age", "sex", "job", "income", "born", "married"):
        place = table.schema.get_field_index(name)
        table = table.set_column(place, name, pa.array([SECRET] * n))
    return table


def test_categories_and_values_that_the_spec_does_not_know_are_never_told(survey):
    write(secrets(), survey / "secret.parquet")
    result = run("-v", *asked(survey, data="secret.parquet"), "--json")
    assert result.exit_code == 0, result.output
    held = (survey / "model.zip").read_bytes()
    with zipfile.ZipFile(survey / "model.zip") as archive:
        held += archive.read("model.json")
    assert "Bí Mật" not in result.output
    assert "Bí Mật".encode() not in held
    # Every row lacks an age, which may not be missing: none is left.
    assert abs(models.load(survey / "model.zip").noisy[0].sum()) < 6 * 200


def hurt(folder, name):
    """A file of records that cannot be read, with a secret in it."""
    path = folder / name
    if name == "text.parquet":
        path.write_text(SECRET * 99, "utf-8")
    elif name == "half.parquet":
        write(secrets(), path)
        path.write_bytes(path.read_bytes()[:-100])
    elif name == "flipped.parquet":
        pq.write_table(secrets(20_000), path, compression="none", use_dictionary=False)
        data = bytearray(path.read_bytes())
        data[10:60] = b"\xff" * 50
        path.write_bytes(data)
    elif name == "quote.csv":
        head = ",".join(records(1).column_names)
        path.write_text(f'{head}\n"{SECRET},,,,,,\n' * 3, "utf-8")
    elif name == "short.csv":
        head = ",".join(records(1).column_names)
        path.write_text(f"{head}\n{SECRET}\n", "utf-8")
    elif name == "latin.csv":
        head = ",".join(records(1).column_names)
        path.write_bytes(f"{head}\n{SECRET},,,,,,\n".encode("utf-16-le"))
    elif name == "headless.csv":
        path.write_text(f"{SECRET},1,2,3,4,5,6\n", "utf-8")
    elif name == "empty.csv":
        path.write_text("", "utf-8")
    elif name == "records.xlsx":
        path.write_text(SECRET, "utf-8")
    elif name == "folder":
        path.mkdir()
        (path / f"{SECRET}.txt").write_text(SECRET, "utf-8")
    return path


HURT = {
    "text.parquet": "text.parquet cannot be read",
    "half.parquet": "half.parquet cannot be read",
    "flipped.parquet": "flipped.parquet cannot be read",
    "quote.csv": "quote.csv cannot be read",
    "short.csv": "short.csv cannot be read",
    "latin.csv": "not UTF-8 CSV",
    "headless.csv": "the records have no column 'age'",
    "empty.csv": "must name every column",
    "records.xlsx": "neither .parquet, .csv nor .tsv",
    "folder": "folder cannot be read",
    "absent.csv": "no such file",
}


@pytest.mark.parametrize("name", HURT)
def test_records_that_cannot_be_read_cost_nothing_and_are_never_shown(survey, name):
    hurt(survey, name)
    result = run("-v", *asked(survey, data=name))
    assert result.exit_code == 2, result.output
    assert HURT[name] in result.stderr
    assert "Bí Mật" not in result.output
    assert "Traceback" not in result.output
    assert not (survey / "model.zip").exists()
    assert not (survey / "ledger.sqlite").exists() or spent(survey)[0] == 0


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * REPLACE (error(job) AS age) FROM {}",
        "SELECT CAST(job AS INTEGER) AS age, * EXCLUDE (age) FROM {}",
        "SELECT job::DATE AS born, * EXCLUDE (born) FROM {}",
        "SELECT * FROM nowhere",
        "SELECT * FROM {} WHERE",
        "SELECT 1; DROP TABLE x",
    ],
)
def test_a_query_that_fails_never_shows_what_it_met(survey, query):
    write(secrets(), survey / "secret.parquet")
    data = query.format(f"'{survey}/secret.parquet'")
    result = run("-v", *asked(survey, data=data))
    assert result.exit_code == 2, result.output
    assert "the query cannot be read" in result.stderr
    assert "Bí Mật" not in result.output
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("out", "code", "message"),
    [
        ("none/model.zip", 2, "no such folder; make it first"),
        ("survey.toml/model.zip", 2, "no such folder; make it first"),
        ("survey.toml", 2, "is there already; name a new file"),
        (".", 2, "is there already; name a new file"),
        ("/proc/model.zip", 3, "cannot write '/proc/model.zip'"),
    ],
)
def test_a_place_that_cannot_be_written_costs_nothing(survey, out, code, message):
    result = run(*asked(survey, out=out))
    assert (result.exit_code, message in result.stderr) == (code, True), result.output
    assert "Traceback" not in result.output
    assert not (survey / "ledger.sqlite").exists() or spent(survey)[0] == 0


PROGRAM = """
import os, signal, sys
from synthetic.cli import main
from synthetic.private import fit, model, noise, reading

def die(*arguments, **named):
    os.kill(os.getpid(), signal.SIGKILL)

at = sys.argv.pop(1)
if at == "noise":
    noise.InsecureNoise.added = die
elif at == "write":
    model.Model.save = die
elif at == "rename":
    model.write_atomically.__globals__["os"].fsync = die
elif at == "reading":
    kept = reading._coded
    def coded(*arguments):
        kept(*arguments)
        die()
    reading._coded = coded
main(sys.argv[1:])
"""


def started(folder, at, *arguments):
    """The real command in a process of its own, which kills itself at this point."""
    (folder / "temporary").mkdir(exist_ok=True)
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, at, *map(str, arguments)],
        env={**os.environ, "TMPDIR": str(folder / "temporary"), "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
@pytest.mark.parametrize(
    ("at", "n_paid"), [("reading", 0), ("noise", 2), ("write", 2), ("rename", 2)]
)
def test_a_fit_that_is_killed_has_paid_from_the_noise_on_and_leaves_no_copy(survey, at, n_paid):
    write(records(100_000), survey / "records.parquet")
    with started(survey, at, *asked(survey)) as process:
        _, told = process.communicate(timeout=120)
    assert process.returncode == -signal.SIGKILL, told
    assert list((survey / "temporary").iterdir()) == []
    assert not (survey / "model.zip").exists()
    if n_paid:
        assert spent(survey) == (n_paid, pytest.approx(rho_of(1, 1e-7)))
        # What is left of the limit is known to the next fit, which pays again.
        assert run(*asked(survey, epsilon=3.1)).exit_code == 5
        assert run(*asked(survey)).exit_code == 0
        assert spent(survey) == (2 * n_paid, pytest.approx(2 * rho_of(1, 1e-7)))
    else:
        assert not (survey / "ledger.sqlite").exists() or spent(survey)[0] == 0
    unknown = {p.name for p in survey.iterdir() if not p.name.startswith((".model.zip", "ledger"))}
    assert unknown <= {"records.parquet", "survey.toml", "temporary", "model.zip"}


@pytest.mark.slow
def test_of_two_fits_at_once_one_pays_when_there_is_budget_for_one(survey):
    write(records(50_000), survey / "records.parquet")
    running = [
        started(survey, "never", *asked(survey, epsilon=2.5, out=f"{i}.zip")) for i in range(2)
    ]
    told = [process.communicate(timeout=120) for process in running]
    assert sorted(process.returncode for process in running) == [0, 5], told
    assert spent(survey) == (2, pytest.approx(rho_of(2.5, 1e-7)))
    assert sum((survey / f"{i}.zip").exists() for i in range(2)) == 1


@pytest.mark.slow
def test_interrupted_it_says_so_and_leaves_nothing(survey):
    write(records(200_000), survey / "records.parquet")
    program = PROGRAM.replace("die()\n", "os.kill(os.getpid(), signal.SIGINT)\n")
    (survey / "temporary").mkdir()
    done = subprocess.run(
        [sys.executable, "-c", program, "reading", *map(str, asked(survey))],
        env={**os.environ, "TMPDIR": str(survey / "temporary")},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.returncode, "Traceback" in done.stderr) == (130, False), done.stderr
    assert list((survey / "temporary").iterdir()) == []
    assert not (survey / "model.zip").exists()
