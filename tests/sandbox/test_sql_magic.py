"""`%%sql`: pages that tile a result, frames by name, errors in plain words, and completion."""

from __future__ import annotations

import asyncio
import datetime as dt
import json
import os
import shutil
import signal
import sys
import threading
import time
from pathlib import Path

import pandas as pd
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jupyter_client.manager import AsyncKernelManager
from traitlets.config import Config

from sandbox import lab
from sandbox.lab import answers, asked, completion, magic, tokens
from sandbox.lab.faults import SqlError
from sandbox.lab.names import Names, names
from sandbox.runs.folder import RunFolder
from tests.processes import PATIENCE_S, until
from tests.sandbox.test_provisioner import specs
from tests.sandbox.tiny import replica

CELL = """%%sql --page 1 kept <<
-- đếm người; 'không' phải "bảng"
WITH older AS (SELECT age, 'a;b' AS x FROM population.persons p WHERE p.age > $least)
SELECT p.sex, o.age, (SELECT max(age) FROM population.persons)
FROM population.persons AS p, older o JOIN published.admin_provinces_34 pr USING (province_code)
WHERE "tên lạ" IS NULL /* hết */ ;
SELECT * FROM frame f WHERE f.x = 1"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    home = tmp_path_factory.mktemp("built")
    replica(home, "population", version="p1")
    replica(home, "enterprise", version="e1", depends={"population": "p1"})
    return home


@pytest.fixture(autouse=True)
def speaks_english(built, monkeypatch):
    """An interactive kernel of somebody who reads English."""
    monkeypatch.setenv("SANDBOX_HOME", str(built))
    monkeypatch.setenv("SANDBOX_LANG", "en")
    monkeypatch.delenv("SANDBOX_CATALOG", raising=False)


def sql(text, line="", **namespace):
    return magic.sql(line, f"{text}\n", namespace)


def lines(text, line="", **namespace):
    return sql(text, line, **namespace).text.splitlines()


def test_a_small_result_is_one_page():
    header, *rows, caption = lines(
        "SELECT province_code, count(*) AS n FROM population.persons GROUP BY 1 ORDER BY 1"
    )
    assert header.split() == ["province_code", "n"]
    assert [row.split() for row in rows] == [["01", "2"], ["79", "2"]]
    assert caption.startswith("2 rows (")
    assert caption.endswith(" s)")


def test_a_long_result_says_how_to_go_on():
    first = lines("SELECT * FROM range(12345)")
    assert first[1].strip() == "0"
    assert first[-1].startswith("rows 1–20 of 12,345 (")
    assert first[-1].endswith("; next page: %%sql --page 2")
    last = lines("SELECT * FROM range(12345)", "--page 247 --rows 50")
    assert last[1].strip() == "12,300"
    assert last[-1].startswith("rows 12,301–12,345 of 12,345 (")
    assert "next page" not in last[-1]
    assert magic.sql("--rows 5 SELECT * FROM range(6)", None, {}).text.endswith(
        "next page: %sql --page 2 --rows 5"
    )


@given(
    n_rows=st.integers(0, 60),
    rows=st.integers(1, 25),
    n_values=st.integers(1, 4),
    order=st.sampled_from(["", "ORDER BY k", "ORDER BY k DESC, i", "ORDER BY random()"]),
)
def test_pages_tile_the_result(n_rows, rows, n_values, order):
    """Also where ORDER BY leaves ties: each page reads the same statement, from its beginning."""
    con = lab.connect()
    text = f"SELECT i, i % {n_values} AS k FROM range({n_rows}) t(i) {order}"
    (statement,) = answers.statements(con, text)
    seen = []
    for page in range(1, max(1, -(-n_rows // rows)) + 1):
        wanted = asked.Asked(sql=text, is_cell=True, page=page, rows=rows)
        answers.carry_out(con, statement, {})
        answer = answers.page(con, statement, wanted, {})
        assert answer.total == n_rows
        assert answer.first == (page - 1) * rows + 1
        seen += answer.rows
    if "random" not in order:
        assert seen == con.execute(text).fetchall()
    assert len(seen) == n_rows


def test_a_page_never_holds_the_whole_result():
    """A thousand million rows are counted, not fetched."""
    start = time.process_time()
    caption = lines("SELECT i, i AS j FROM range(1000000000) t(i)", "--page 3")[-1]
    assert caption.startswith("rows 41–60 of 1,000,000,000 (")
    assert time.process_time() - start < 5


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--page 0", "--page must be a whole number from 1 to 1000000, not '0'"),
        ("--page -1", "not '-1'"),
        ("--page x", "not 'x'"),
        ("--page", "not ''"),
        ("--page=1.5", "not '1.5'"),
        ("--rows 201", "--rows must be a whole number from 1 to 200, not '201'"),
        ("--pages 2", "no option --pages"),
        ("--page 2", "there is no page 2 of this result; the last one is 1"),
        ("1x <<", "'1x' cannot name a result"),
        ("class <<", "'class' cannot name a result"),
        ("a.b <<", "'a.b' cannot name a result"),
    ],
)
def test_what_is_asked_is_checked(line, message):
    with pytest.raises(SqlError) as caught:
        sql("SELECT 1", line)
    assert message in str(caught.value)


@pytest.mark.parametrize("text", ["", "  \n", "-- chỉ là ghi chú"])
def test_a_cell_without_sql_is_told_what_to_write(text):
    with pytest.raises(SqlError, match=r"as in: SELECT count"):
        sql(text)


def test_a_result_is_kept_as_a_frame():
    namespace = {}
    text = "SELECT province_code, age FROM population.persons ORDER BY age"
    told = magic.sql("tuổi <<", text, namespace)
    assert told.text == "tuổi: 4 rows × 2 columns"
    assert namespace["tuổi"]["age"].tolist() == [3, 25, 34, 80]
    assert magic.sql("một << SELECT 1 AS x", None, namespace).text == "một: 1 row × 1 column"
    assert list(namespace) == ["tuổi", "một"]


def test_bits_are_shifted_as_ever():
    assert lines("SELECT 1 << 2 AS x")[1].strip() == "4"
    assert magic.sql("SELECT 1 << 2 AS x", None, {}).text.splitlines()[1].strip() == "4"


def test_frames_of_the_notebook_are_tables_while_sql_is_answered():
    frame = pd.DataFrame({"x": [1, 2], "Số người": ["a", None]})
    told = lines('SELECT "Số người", x FROM frame ORDER BY x', frame=frame)
    assert [line.split() for line in told[1:3]] == [["a", "1"], ["NULL", "2"]]
    # Afterwards it is no table any more, so no later SQL reads it as it was.
    assert "1 row " in lines("SELECT * FROM frame", frame=frame.head(1))[-1]
    with pytest.raises(SqlError, match='there is no table "frame"'):
        sql("SELECT * FROM frame")


def test_a_table_comes_before_a_frame_of_its_name():
    sql("CREATE OR REPLACE TEMP TABLE twice AS SELECT 7 AS x")
    assert lines("FROM twice", twice=pd.DataFrame({"x": [1]}))[1].strip() == "7"
    told = lines("WITH w AS (SELECT 8 AS x) FROM w", w=pd.DataFrame({"x": [1]}))
    assert told[1].strip() == "8"
    sql("DROP TABLE twice")


def test_of_several_statements_the_last_one_answers():
    told = lines("CREATE OR REPLACE TEMP TABLE t AS SELECT 1 AS x;\n\nSELECT x + 1 AS y FROM t;\n")
    assert [line.strip() for line in told[:2]] == ["y", "2"]


@pytest.mark.parametrize(
    "text",
    [
        "FROM range(20001); -- hết; thật đấy",
        "FROM range(20001) -- hết",
        "-- đầu\nFROM range(20001) /* ; */ ;\n/* hết */",
        ";;FROM range(20001);;",
        "\u00a0SELECT\u00a0*\u00a0FROM range(20001)\u3000; ",
        "SELECT 1;\u00a0FROM range(20001)",
        "SELECT ';' AS x, * FROM range(20001)",
        "SELECT $$;$$ AS x, * FROM range(20001);",
    ],
)
def test_ends_comments_and_spaces_of_every_kind_do_no_harm(text):
    assert " of 20,001 (" in lines(text)[-1]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("CREATE OR REPLACE TEMP TABLE t AS SELECT * FROM range(1234)", "CREATE: done, 1,234 rows"),
        ("CREATE OR REPLACE TEMP TABLE t (x INT)", "CREATE: done; there is nothing to show"),
        ("INSERT INTO t VALUES (1)", "INSERT: done, 1 row"),
        ("DROP TABLE t", "DROP: done; there is nothing to show"),
    ],
)
def test_a_statement_without_rows_says_what_it_did(text, told):
    sql("CREATE OR REPLACE TEMP TABLE t (x INT)")
    assert sql(text).text == told
    with pytest.raises(SqlError, match="gives no rows to keep as x"):
        sql("CREATE OR REPLACE TEMP TABLE t AS SELECT 1", "x <<")


@pytest.mark.parametrize(
    "text", ["EXPLAIN SELECT 1", "SUMMARIZE population.persons", "DESCRIBE population.persons",
             "PIVOT (SELECT sex FROM population.persons) ON sex USING count(*)", "VALUES (1)",
             "FROM range(3)", "PRAGMA version", "SHOW TABLES"]
)  # fmt: skip
def test_every_kind_of_question_is_answered(text):
    assert sql(text).text
    assert sql(text).html.startswith(("<table>", "<pre "))


def test_variables_are_bound_not_pasted():
    least, sex = 30, "female' OR true --"
    counted = "SELECT count(*) AS n FROM population.persons WHERE age >= $least"
    assert lines(counted, least=least)[1].strip() == "2"
    assert lines(f"{counted} AND sex = $sex", least=least, sex=sex)[1].strip() == "0"
    codes = ["01", "79"]
    told = lines("SELECT count(*) FROM population.persons WHERE list_contains($codes, "
                 "province_code)", codes=codes)  # fmt: skip
    assert told[1].strip() == "4"
    day = dt.date(2024, 12, 31)
    assert lines("SELECT $day AS d, $none AS n", day=day, none=None)[1].split() == [
        "2024-12-31",
        "NULL",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "SELECT $age_form",
            'there is no variable age_form for $age_form; did you mean "age_from"',
        ),
        ("SELECT $frame", "$frame is a DataFrame; SQL takes a number"),
        ("SELECT $f", "$f is a builtin_function_or_method"),
        ("SELECT ?", "write $name for a variable"),
    ],
)
def test_a_variable_that_cannot_be_bound_is_told(text, message):
    with pytest.raises(SqlError) as caught:
        sql(text, age_from=25, frame=pd.DataFrame(), f=len)
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message", "pointed"),
    [
        (
            "SELECT sexx\nFROM population.persons",
            'there is no column "sexx"; did you mean "sex"?',
            "line 2: SELECT sexx\n               ^",
        ),
        (
            "SELECT 1;\n\n  SELECT\n    p.agee FROM population.persons p",
            'there is no column "agee"; did you mean "age"?',
            "line 5:     p.agee FROM population.persons p\n            ^",
        ),
        (
            "SELECT *\nFROM population.person",
            'there is no table "population.person"; did you mean "population.persons"?',
            "line 3: FROM population.person\n             ^",
        ),
        ("FROM persons", 'no table "persons"; did you mean "population.persons"?', "line 2:"),
        ("FROM populatio.persons", 'did you mean "population.persons"?', "line 2:"),
        ("SELECT 1;\nSELEC 2", 'near "SELEC"; did you mean "SELECT"?', "line 3: SELEC 2\n"),
        ("SELECT 1 FROM", "the SQL", ""),
        ("SELECT summ(age) FROM population.persons", 'no function "summ"; did you mean', "line 2"),
        ("SELECT sex, sum(age) FROM population.persons", 'column "sex" must stand in GROUP BY', ""),
        (
            "SELECT sex FROM population.persons a, population.persons b",
            "more than one table has a column \"sex\": write 'a.sex', 'b.sex'",
            "line 2: SELECT sex",
        ),
        ("SELECT * FROM read_text('/etc/passwd')", "files, the internet and settings", "line 2"),
        ("SET threads = 4", "files, the internet and settings are closed", ""),
        ("COPY (SELECT 1) TO '/tmp/taken.csv'", "files, the internet and settings", ""),
        ("SELECT 'a'::INT", "Could not convert string 'a'", "line 2: SELECT 'a'::INT"),
    ],
)
def test_errors_are_in_plain_words(text, message, pointed):
    with pytest.raises(SqlError) as caught:
        sql(text)
    told = str(caught.value)
    assert message in told
    assert pointed in told
    assert "Error" not in told
    assert caught.value._render_traceback_() == [f"SqlError: {told}"]


def test_a_text_from_the_data_is_harmless_and_a_missing_one_is_seen():
    shown = sql(
        "SELECT '<script>alert(1)</script>' AS \"<b>\", NULL AS n, 1234.5 AS x, true AS t, "
        "2024 AS year, 1.50::DECIMAL(9,2) AS d, repeat('a', 1000) AS long"
    )
    assert "<script>" not in shown.html
    assert "<b>" not in shown.html
    assert "&lt;script&gt;" in shown.html
    assert '<td style="text-align: left">true</td>' in shown.html
    for number in ("1,234.5", "2024", "1.50"):
        assert f'<td style="text-align: right">{number}</td>' in shown.html
    assert ">NULL<" in shown.html
    assert "a" * 299 + "…" in shown.html
    assert "a" * 300 not in shown.html


def test_numbers_are_written_as_their_readers_do(monkeypatch):
    monkeypatch.setenv("SANDBOX_LANG", "vi")
    told = lines("SELECT 1234567 AS n, 0.5 AS x, DATE '2024-12-31' AS d, false AS f")
    assert told[1].split() == ["1.234.567", "0,5", "31/12/2024", "sai"]


def test_numbers_of_a_column_get_equally_many_digits():
    told = lines("SELECT x FROM (VALUES (9.0::DOUBLE), (13.25), (NULL), ('nan')) t(x)")
    assert [line.strip() for line in told[1:-1]] == ["9.00", "13.25", "NULL", "nan"]
    told = lines("SELECT x FROM (VALUES (9.0::DOUBLE), (1e-9)) t(x)")
    assert [line.strip() for line in told[1:-1]] == ["9", "1e-09"]
    told = lines("SELECT year FROM (VALUES (2024), (NULL)) t(year)")
    assert [line.strip() for line in told[1:-1]] == ["2024", "NULL"]


def under_way():
    """Whether the main thread carries out SQL: it has waited in one place for a moment."""
    frames = []
    for _ in range(2):
        frames.append(sys._current_frames()[threading.main_thread().ident])
        time.sleep(0.2)
    first, last = frames
    return first is last and Path(last.f_code.co_filename) == Path(answers.__file__)


def test_a_long_answer_can_be_interrupted():
    def interrupt():
        until(under_way)
        os.kill(os.getpid(), signal.SIGINT)

    interrupting = threading.Thread(target=interrupt)
    interrupting.start()
    with pytest.raises(KeyboardInterrupt):
        sql("SELECT count(*) FROM range(1000000000000)")
    interrupting.join()
    assert lines("SELECT 1")[1].strip() == "1"


def test_a_result_that_python_reads_is_not_disturbed_by_completion():
    con = lab.connect()
    reading = con.execute("SELECT * FROM range(3)")
    assert reading.fetchone() == (0,)
    assert offered("SELECT * FROM popul|")
    assert reading.fetchall() == [(1,), (2,)]


def offered(text, **namespace):
    """Complete at the bar."""
    code = f"%%sql\n{text}"
    cursor = code.index("|")
    found = completion.complete(code.replace("|", ""), cursor, namespace)
    return [offer.text for offer in found.offers]


PERSONS = ["person_id", "province_code", "sex", "age"]


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("SELECT | FROM population.persons", PERSONS),
        ("SELECT a| FROM population.persons", ["age"]),
        ("SELECT A| FROM population.persons", ["age"]),
        ("SELECT * FROM |", ["enterprise.enterprises", "population.persons"]),
        ("SELECT * FROM population.persons JOIN |", ["enterprise.enterprises"]),
        ("SELECT * FROM population.persons p, |", ["enterprise.enterprises"]),
        ("SELECT * FROM pers|", ["population.persons"]),
        ("SELECT * FROM population.|", ["persons"]),
        ("SELECT * FROM population.per|", ["persons"]),
        ("SELECT p.| FROM population.persons AS p, enterprise.enterprises e", PERSONS),
        ("SELECT e.| FROM population.persons p, enterprise.enterprises e", ["tax_code"]),
        ("SELECT population.persons.s| FROM population.persons", ["sex"]),
        ("SELECT persons.s| FROM population.persons", ["sex"]),
        ("FROM population.persons WHERE s|", ["sex"]),
        ("WITH older AS (FROM population.persons) SELECT * FROM o|", ["older"]),
        ("SELECT * FROM (SELECT | FROM enterprise.enterprises)", ["tax_code"]),
        ("SELECT age FROM population.persons; SELECT t| FROM enterprise.enterprises", ["tax_code"]),
        ("sel|", ["select"]),
        ("SEL|", ["SELECT"]),
        ("SELECT * FROM fra|", ["frame"]),
        ("SELECT f.| FROM frame f", ["x", '"Số người"']),
        ("SELECT * FROM population.persons gro|", ["group"]),
    ],
)
def test_completion_knows_where_it_stands(text, first):
    sql("DROP TABLE IF EXISTS t")
    own = {"frame": pd.DataFrame({"x": [1], "Số người": [2]})} if "f" in text else {}
    assert offered(text, **own)[: len(first)] == first


@pytest.mark.parametrize(
    "text", ["SELECT 'pop|", "SELECT 'pop|'", "-- pop|", "/* pop| */", "SELECT 1|", "SELECT $pop|"]
)
def test_nothing_is_completed_in_texts_and_comments(text):
    assert offered(text) == []


@pytest.mark.parametrize(
    ("code", "first"),
    [
        ("lab.table('popul", ["population.persons"]),
        ('rows = lab.table("population.', ["population.persons"]),
        ('lab.describe("enter', ["enterprise.enterprises"]),
        ("%sql SELECT * FROM pers", ["population.persons"]),
        ("x = 1\ny = %sql FROM enter", ["enterprise.enterprises"]),
        ("%%sql --rows 5 kept << sel", ["select"]),
    ],
)
def test_completion_works_in_lines_and_strings(code, first):
    found = completion.complete(code, len(code), {})
    assert [offer.text for offer in found.offers][: len(first)] == first


@pytest.mark.parametrize(
    "code", ["popul", "x = 'FROM popul", "con.sql('FROM popul", "%%sql", "%sq"]
)
def test_python_is_left_alone(code):
    assert completion.complete(code, len(code), {}) is None


def test_temporary_tables_are_completed():
    sql("CREATE OR REPLACE TEMP TABLE chosen_ones AS SELECT 1 AS only_one")
    assert offered("SELECT * FROM chos|") == ["chosen_ones"]
    assert offered("SELECT | FROM chosen_ones")[0] == "only_one"
    sql("DROP TABLE chosen_ones")
    assert offered("SELECT * FROM chos|") == []


def check_offers(code, cursor):
    """Whatever is offered is there, and continues what is written."""
    known = names(lab.connect(), {"frame": pd.DataFrame({"x": [1]})})
    found = completion.complete(code, cursor, {"frame": pd.DataFrame({"x": [1]})})
    real = {*known.tables(), *known.columns(known.tables()), *tokens.KEYWORDS, "SELECT", "VALUES"}
    real |= {table.partition(".")[2] for table in known.tables()}
    real |= {"older"} if "older" in code else set()
    for offer in found.offers if found else ():
        assert offer.text in real or offer.text.upper() in real
        assert code[:cursor].endswith(found.fragment)


@pytest.mark.parametrize("cursor", range(0, len(CELL) + 1, 3))
def test_completion_never_fails_and_offers_real_names_only(cursor):
    check_offers(CELL[:cursor], cursor)
    check_offers(CELL, cursor)


@given(
    parts=st.lists(
        st.sampled_from(["SELECT ", "FROM ", "(", ")", ",", ".", "p", '"', "'", "--", "/*", "*/",
                         "population.persons", "older", "WITH ", " AS ", "$x", ";", "\n", "1", "đ"]),
        max_size=14,
    ),
    place=st.floats(0, 1),
)  # fmt: skip
def test_completion_never_fails_on_any_beginning(parts, place):
    code = "%%sql\n" + "".join(parts)
    check_offers(code, round(place * len(code)))


def test_completion_takes_less_than_fifty_milliseconds():
    offered("SELECT * FROM |")
    start = time.process_time()
    for _ in range(10):
        offered("SELECT | FROM population.persons p JOIN enterprise.enterprises e USING (x)")
    assert (time.process_time() - start) / 10 < 0.05


def test_without_replicas_completion_offers_what_there_is(tmp_path, monkeypatch):
    monkeypatch.setenv("SANDBOX_HOME", str(tmp_path))
    assert offered("SELECT * FROM admin_r|") == ["published.admin_regions"]
    monkeypatch.setenv("SANDBOX_CATALOG", str(tmp_path / "gone.json"))
    assert offered("SELECT * FROM x WH|") == ["WHERE", "WHEN"]


def test_names_know_columns_whatever_the_case():
    known = Names({"a.b": ("x", "y"), "c": ("y", "z")})
    assert known.columns(["A.B", "c", "gone"]) == ["x", "y", "z"]


def test_the_extension_brings_the_magic_and_takes_it_away():
    """In a shell of somebody else's: `%load_ext sandbox.lab`."""
    from IPython.core.completer import provisionalcompleter
    from IPython.core.interactiveshell import InteractiveShell

    shell = InteractiveShell(config=Config(HistoryManager={"enabled": False}))
    shell.run_line_magic("load_ext", "sandbox.lab")
    shell.user_ns["least"] = 30
    shown = shell.run_line_magic("sql", "SELECT count(*) AS n FROM range(40) WHERE range > $least")
    assert shown.text.splitlines()[1].strip() == "9"
    shell.run_cell_magic("sql", "kept <<", "SELECT 1 AS x\n")
    assert shell.user_ns["kept"]["x"].tolist() == [1]
    assert "--page 2" in shell.find_line_magic("sql").__doc__
    line = "%sql SELECT * FROM pers"
    with provisionalcompleter():
        found = [each.text for each in shell.Completer.completions(line, len(line))]
    assert found == ["population.persons"]
    shell.run_line_magic("unload_ext", "sandbox.lab")
    assert shell.find_line_magic("sql") is None
    assert shell.Completer.custom_matchers == []


@pytest.mark.slow
@pytest.mark.usefixtures("bubblewrap")
def test_every_kernel_of_ours_has_it(tmp_path):
    """A live kernel as runs and the workspace start it: answer, error and completion."""
    asyncio.run(live(tmp_path))


async def live(folder):
    manager = AsyncKernelManager(kernel_name="any", kernel_spec_manager=specs(folder))
    await manager.start_kernel()
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=PATIENCE_S)
        (answer,) = await outputs(client, "%%sql\nSELECT * FROM published.admin_regions")
        assert answer["msg_type"] == "execute_result"
        assert set(answer["content"]["data"]) == {"text/plain", "text/html"}
        (error,) = await outputs(client, "%%sql\nSELECT nam FROM published.admin_regions")
        assert error["msg_type"] == "error"
        assert error["content"]["ename"] == "SqlError"
        assert len(error["content"]["traceback"]) == 1
        assert "admin_regions" in error["content"]["traceback"][0]
        await check_live_completion(client)
    finally:
        client.stop_channels()
        await manager.shutdown_kernel(now=True)


async def check_live_completion(client):
    async def matches(code):
        reply = await client.complete(code, len(code), reply=True, timeout=PATIENCE_S)
        return reply["content"]

    found = await matches("%%sql\nSELECT * FROM published.admin_r")
    assert found["matches"] == ["admin_regions"]
    assert found["cursor_start"] == len("%%sql\nSELECT * FROM published.")
    kinds = found["metadata"]["_jupyter_types_experimental"]
    assert [kind["type"] for kind in kinds] == ["table"]
    assert (await matches("%%sql\nSELECT pri"))["matches"] == []  # not Python's print
    assert "print" in (await matches("pri"))["matches"]
    start = time.perf_counter()
    await matches("%%sql\nSELECT ")
    assert time.perf_counter() - start < 15


async def outputs(client, code):
    told = []
    kinds = {"execute_result", "display_data", "stream", "error"}
    await client.execute_interactive(
        code,
        timeout=PATIENCE_S,
        output_hook=lambda message: message["msg_type"] in kinds and told.append(message),
    )
    return told


def test_in_a_run_it_answers_without_times_and_fails_the_cell(run, settings, replicas):
    shutil.copytree(replicas / "replicas", settings.home / "replicas")
    facts = run(
        "%%sql\nSELECT age FROM population.persons ORDER BY age, age + 1",
        "%%sql kept <<\nSELECT age FROM population.persons WHERE age > 30",
        "from sandbox import lab\nlab.result('n', len(kept))",
        "%%sql\nSELECT sex FROM population.persons",
        "print('never')",
        reads={"population.persons": ["age"]},
    )
    assert facts["status"] == "failed"
    assert facts["reason"]["kind"] == "cell error"
    assert "metadata.sandbox.reads" in facts["reason"]["message"]
    ((claim,), cells) = facts["results"], executed(settings, facts["id"])
    told = cells[0]["outputs"][0]["data"]["text/plain"]
    assert "%%sql --page 2" in "".join(told)
    assert " s)" not in "".join(told)  # else no two executions would say the same
    (error,) = cells[3]["outputs"]
    assert error["ename"] == "SqlError"
    assert len(error["traceback"]) == 1
    persons = pq.read_table(next((replicas / "replicas/population").glob("*/persons")))
    assert claim["value"] == sum(age > 30 for age in persons["age"].to_pylist())


def executed(settings, run_id):
    return json.loads(RunFolder.find(settings, run_id).executed.read_text())["cells"]
