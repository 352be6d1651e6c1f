"""The pages' real process over plain HTTP: who comes in, what is served, how it ends."""

from __future__ import annotations

import http.client
import json
import re
import shutil
import signal
import socket
import sqlite3
import time
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from itsdangerous import TimestampSigner, URLSafeTimedSerializer

from sandbox import runs
from sandbox.errors import ServerError
from sandbox.pages import addresses
from sandbox.pages.configuration import Configuration
from sandbox.pages.local import is_local
from sandbox.runs.folder import RunFolder
from sandbox.settings import Settings
from tests.processes import PATIENCE_S, until
from tests.sandbox import notebooks
from tests.sandbox.serving import KEY, TOKEN, ended, serving, started

CLAIMS = """from sandbox import lab
lab.result("Số hộ", 125000, unit="hộ", n=12)
lab.conclude("Hộ nghèo ở nông thôn nhiều hơn", holds=True)
lab.conclude("Giá thuê ở Huế cao hơn Hà Nội", holds=False)
"""
TITLES = {
    "claims": {"vi": "Ai ở Đà Nẵng cần vay vốn?", "en": "Who in Da Nang needs a loan?"},
    "fails": {"vi": "Phường nào thiếu nhà trẻ?", "en": "Which ward lacks nurseries?"},
}
SOURCES = {"claims": [CLAIMS], "fails": ["1", "gia = {}\ngia['Huế']"]}
TEAMS = {"claims": "Nhóm Sông Hàn", "fails": "Vườn ươm Cần Thơ"}


def submitted(settings, folder, name, *sources, **options):
    path = notebooks.write(folder / f"{name}.ipynb", *sources, **options)
    return runs.submit(settings, path, team=TEAMS.get(name), author="Nguyễn Thị Ánh")


@pytest.fixture(scope="module")
def made(tmp_path_factory, bubblewrap):
    """A home with a run that succeeded and one whose cell failed."""
    folder = tmp_path_factory.mktemp("pages")
    settings = Settings(home=folder / "home")
    ids = {}
    for name, sources in SOURCES.items():
        ids[name] = submitted(settings, folder, name, *sources, title=TITLES[name])
        runs.execute(settings, ids[name])
    return SimpleNamespace(settings=settings, folder=folder, **ids)


@pytest.fixture(scope="module")
def pages(made):
    """The pages of that home, in English, beside a workspace that is not there."""
    with serving(made.settings.home, language="en", workspace="http://127.0.0.1:1") as pages:
        yield pages


@pytest.fixture
def copied(made, tmp_path):
    """A home of its own with the same runs, for tests that break something."""
    home = tmp_path / "home"
    shutil.copytree(made.settings.home, home)
    with serving(home, language="en") as pages:
        yield SimpleNamespace(pages=pages, settings=Settings(home=home))


def test_who_has_no_token_is_told_where_to_find_it(pages):
    for path in ("/", "/runs", "/data", "/no/such/page", f"/runs/{'x' * 5000}"):
        answer = pages.ask(path, cookie="none=1")
        assert answer.status == 403
        assert "These pages need a token" in answer.text
        assert "<code>sandbox up</code>" in answer.text
        assert 'name="token"' in answer.text
        assert "Runs</a>" not in answer.text


@pytest.mark.parametrize("given", ["wrong", "", TOKEN[:-1], TOKEN + "x", "%00", "%FF%FE", "%C4%91"])
def test_a_wrong_token_is_refused_and_says_so(pages, given):
    answer = pages.ask(f"/?token={given}", cookie="none=1")
    assert answer.status == 403
    assert "The token is wrong" in answer.text
    assert answer.headers["Set-Cookie"] is None


def test_the_token_becomes_a_cookie_and_leaves_the_address(pages, made):
    answer = pages.ask(f"/runs?token={TOKEN}&state=failed", cookie="none=1")
    assert (answer.status, answer.headers["Location"]) == (303, "/runs?state=failed")
    cookie = answer.headers["Set-Cookie"]
    assert cookie.startswith(f"sandbox-session-{pages.port}=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert TOKEN not in cookie
    assert pages.ask("/runs", cookie=cookie.partition(";")[0]).status == 200
    wanted = f"/runs/{made.claims}"
    answer = pages.ask(f"/?token={TOKEN}&next={wanted}", cookie="none=1")
    assert answer.headers["Location"] == wanted
    assert pages.ask("/?token=old").headers["Location"] == "/"  # let in already


def test_a_token_can_be_written_into_the_form(pages):
    sent = {"token": f" {TOKEN} ", "next": "/data"}
    answer = pages.ask(
        "/enter", method="POST", cookie="none=1", body=sent, Sec_Fetch_Site="same-origin"
    )
    assert (answer.status, answer.headers["Location"]) == (303, "/data")
    assert answer.headers["Set-Cookie"].startswith("sandbox-session-")
    sent = {"token": "wrong", "next": "//elsewhere.example/"}
    answer = pages.ask("/enter", method="POST", body=sent, Sec_Fetch_Site="same-origin")
    assert answer.status == 403
    assert "elsewhere" not in answer.text


@pytest.mark.parametrize(
    "address",
    ["//x.example", "/\\x.example", "http://x.example", "javascript:1", "x", "", "/a\nb", "/đ"],
)
def test_only_addresses_of_these_pages_are_gone_on_to(pages, address):
    assert not is_local(address)
    answer = pages.ask(f"/?token={TOKEN}&next={quote(address)}", cookie="none=1")
    assert (answer.status, answer.headers["Location"]) == (303, "/")


def test_a_foreign_session_is_none(pages):
    for cookie in ("sandbox-session=1", f"sandbox-session-{pages.port}={TOKEN}", '"', "a=b;;=;"):
        assert pages.ask("/", cookie=cookie).status == 403


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1", "localhost", "127.0.0.1:1", "[::1]"])
def test_other_host_names_are_refused(pages, host):
    answer = pages.ask("/healthy", host=host)
    assert answer.status == 400
    assert pages.origin in answer.text


def test_two_host_names_are_refused(pages):
    connection = http.client.HTTPConnection("127.0.0.1", pages.port, timeout=PATIENCE_S)
    connection.putrequest("GET", "/healthy", skip_host=True)
    connection.putheader("Host", f"127.0.0.1:{pages.port}")
    connection.putheader("Host", "evil.example")
    connection.endheaders()
    assert connection.getresponse().status == 400
    connection.close()


def test_health_needs_no_token_and_tells_nothing(pages):
    answer = pages.ask("/healthy", cookie="none=1")
    assert (answer.status, answer.text) == (200, "ok")


def report_address(pages, run_id):
    answer = pages.ask(f"/runs/{run_id}/report")
    assert answer.status == 303
    found = re.fullmatch(
        rf"http://localhost:{pages.port}(/report/{run_id}/([^/]+)/report\.html)",
        answer.headers["Location"],
    )
    return found[1], found[2]


def test_a_report_is_served_on_its_own_host_only(pages, made):
    path, _signed = report_address(pages, made.claims)
    there = f"localhost:{pages.port}"
    answer = pages.ask(path, host=there, cookie="none=1")
    assert answer.status == 200
    assert answer.text == RunFolder.find(made.settings, made.claims).report.read_text()
    assert pages.ask(path).status == 404
    for other in ("/", "/runs", f"/runs/{made.claims}", "/healthy", "/static/sandbox.css", "/data"):
        assert pages.ask(other, host=there).status == 404
    assert pages.ask(path, method="POST", host=there).status == 404


class Earlier(TimestampSigner):
    """Signs as it would have done some minutes ago."""

    def get_timestamp(self):
        return int(time.time()) - addresses.LIVES_S - 1


def test_an_address_is_of_one_run_unaltered_and_short_lived(pages, made):
    there = f"localhost:{pages.port}"
    _path, signed = report_address(pages, made.claims)
    old = URLSafeTimedSerializer(bytes.fromhex(KEY), salt=addresses.SALT, signer=Earlier).dumps(
        made.claims
    )
    foreign = URLSafeTimedSerializer(b"another key", salt=addresses.SALT).dumps(made.claims)
    altered = signed[:-2] + ("AA" if signed[-2:] != "AA" else "BB")
    for run_id, tried, status in (
        (made.claims, old, 410),
        (made.fails, signed, 403),
        (made.claims, altered, 403),
        (made.claims, foreign, 403),
        (made.claims, "x", 403),
    ):
        answer = pages.ask(f"/report/{run_id}/{tried}/report.html", host=there)
        assert answer.status == status
        assert "Đà Nẵng" not in answer.text
        assert answer.headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")


def test_every_answer_carries_the_headers(pages, made):
    path, _signed = report_address(pages, made.claims)
    run = f"/runs/{made.claims}"
    for asked in ("/", "/runs", run, f"{run}/record.json", "/static/sandbox.css", "/none", "/data"):
        headers = pages.ask(asked).headers
        policy = headers["Content-Security-Policy"]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "no-referrer"
        assert "default-src 'none'; style-src 'self'; script-src http://127.0.0.1" in policy
        assert f"frame-ancestors {pages.origin} http://127.0.0.1:1" in policy
        assert "unsafe" not in policy
        assert headers["Server"] is None
    assert pages.ask("/").headers["Cache-Control"] == "no-store"
    policy = pages.ask(path, host=f"localhost:{pages.port}").headers["Content-Security-Policy"]
    assert policy == (
        "sandbox; default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
        "form-action 'none'; base-uri 'none'; "
        f"frame-ancestors {pages.origin} http://127.0.0.1:1"
    )


def test_downloads_have_neutral_types_and_the_bytes_of_the_run(pages, made):
    folder = RunFolder.find(made.settings, made.claims)
    for name, path in (
        ("submitted.ipynb", folder.notebook),
        ("executed.ipynb", folder.executed),
        ("record.json", folder.record_file),
    ):
        answer = pages.ask(f"/runs/{made.claims}/{name}")
        assert answer.status == 200
        assert answer.body == path.read_bytes()
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        wanted = f'attachment; filename="{made.claims}-{name}"'
        assert answer.headers["Content-Disposition"] == wanted
    for name in ("run.json", "..%2f..%2fregistry.sqlite", "log.txt", "submission.json"):
        assert pages.ask(f"/runs/{made.claims}/{name}").status == 404


def test_a_run_tells_what_was_asked_and_what_came_of_it(pages, made):
    page = pages.ask(f"/runs/{made.claims}").text
    for said in (
        *("Who in Da Nang needs a loan?", "Nguyễn Thị Ánh", "Nhóm Sông Hàn", "Succeeded"),
        *("Every code cell ran to its end", "Số hộ", "125,000", "Does not hold in this run"),
        *("The notebook declares no parameters", "bubblewrap", "the supervisor (process"),
        *("memory", f"/runs/{made.claims}/submitted.ipynb"),
    ):
        assert said in page, said
    assert '<iframe class="report" sandbox src="http://localhost:' in page
    assert "<script" not in page
    failed = pages.ask(f"/runs/{made.fails}").text
    assert "The notebook stopped at cell 2: KeyError." in failed
    assert "KeyError: &#39;Huế&#39;" in failed


def test_the_list_shows_states_conclusions_teams_and_filters(pages, made):
    page = pages.ask("/runs").text
    assert page.index(TITLES["fails"]["en"]) < page.index(TITLES["claims"]["en"])
    for said in (*TEAMS.values(), "Hộ nghèo ở nông thôn nhiều hơn", "does not hold", "2 runs"):
        assert said in page, said
    for query, shown in (
        ("text=da+nang+loan", "claims"),
        ("text=%C4%90%C3%80+N%E1%BA%B4NG,+LOAN", "claims"),
        ("text=NURSERIES", "fails"),
        ("text=phuong", "fails"),
        ("state=succeeded", "claims"),
        ("team=V%C6%B0%E1%BB%9Dn+%C6%B0%C6%A1m+C%E1%BA%A7n+Th%C6%A1", "fails"),
    ):
        page = pages.ask(f"/runs?{query}").text
        assert "1 of 2 runs" in page, query
        assert TITLES[shown]["en"] in page
    assert "No run fits" in pages.ask("/runs?text=zzz").text
    for odd in (
        "page=99999",
        "page=-1",
        "page=x",
        "state=none",
        "text=%00&team=%FF",
        "page=%C2%B2",
    ):
        assert pages.ask(f"/runs?{odd}").status == 200


def test_the_language_is_chosen_on_the_page_and_kept(pages, made):
    assert '<html lang="en">' in pages.ask("/runs").text
    sent = {"language": "vi", "next": f"/runs/{made.claims}"}
    answer = pages.ask("/language", method="POST", body=sent, Sec_Fetch_Site="same-origin")
    assert (answer.status, answer.headers["Location"]) == (303, f"/runs/{made.claims}")
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    page = pages.ask(f"/runs/{made.claims}", cookie=f"{pages.cookie}; {cookie}").text
    assert '<html lang="vi">' in page
    assert "Chạy thành công" in page
    assert "125.000" in page
    odd = pages.ask("/language", method="POST", body={"language": "fr"}, Origin=pages.origin)
    assert odd.headers["Set-Cookie"] is None


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site", "Origin": "http://127.0.0.1:1"},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {},
    ],
)
def test_a_form_from_elsewhere_is_refused(pages, made, headers):
    for path in ("/language", "/enter", f"/runs/{made.claims}/report"):
        answer = pages.ask(path, method="POST", body={"language": "vi"}, **headers)
        assert answer.status == 403
        assert answer.headers["Set-Cookie"] is None


def test_odd_requests_get_plain_words(pages, made):
    for method, path, status in (
        ("GET", "/nothing", 404),
        ("GET", "/static/../../etc/passwd", 404),
        ("GET", "/static/%2e%2e/%2e%2e/environment.py", 404),
        ("PUT", "/runs", 405),
        ("DELETE", f"/runs/{made.claims}", 405),
    ):
        answer = pages.ask(path, method=method, Sec_Fetch_Site="same-origin")
        assert answer.status == status, path
        assert "Traceback" not in answer.text
    long = pages.ask("/language", method="POST", body={"a": "x" * 20_000}, Origin=pages.origin)
    assert long.status == 413


def test_a_run_that_is_not_here_says_what_to_do(pages):
    for run_id in ("20200101-000000-abcdef", "no-run", "..%2f..%2fkeys", "%3Cscript%3E"):
        for rest in ("", "/report", "/record.json"):
            answer = pages.ask(f"/runs/{run_id}{rest}")
            assert answer.status == 404
            assert "What to do:" in answer.text
            assert "<script>" not in answer.text


def test_the_stream_of_a_run_that_is_not_here_ends_at_once(pages):
    assert "event: gone" in pages.ask("/runs/20200101-000000-abcdef/events").text


def test_a_report_that_vanished_is_made_again(copied, made):
    pages, run = copied.pages, f"/runs/{made.claims}"
    path, _signed = report_address(pages, made.claims)
    folder = RunFolder.find(copied.settings, made.claims)
    before = folder.report.read_text()
    folder.report.unlink()
    there = f"localhost:{pages.port}"
    assert pages.ask(path, host=there).status == 404
    answer = pages.ask(f"{run}/report")
    assert answer.status == 410
    assert "There is no report of this run" in answer.text
    page = pages.ask(run)
    assert page.status == 200
    assert "Make the report again" in page.text
    assert "<iframe" not in page.text
    answer = pages.ask(f"{run}/report", method="POST", Sec_Fetch_Site="same-origin")
    assert answer.status == 303
    assert folder.report.read_text() == before
    assert "<iframe" in pages.ask(run).text


DAMAGES = [
    ("submission/submission.json", b"{"),
    ("submission/submission.json", b"{}"),
    ("executions/first/record.json", b'{"status": "succ'),
    ("executions/first/record.json", b"[]"),
    ("executions/first/record.json", b'{"cells": 3, "conclusions": 5}'),
    ("run.json", b'{"status": "flying", "history": []}'),
    ("run.json", b"\xff\xfe"),
]


def test_a_damaged_run_is_told_and_stops_nothing_else(copied, made):
    pages, run = copied.pages, copied.settings.runs / made.claims
    for name, content in DAMAGES:
        path = run / name
        sound = path.read_bytes()
        path.chmod(0o644)
        path.write_bytes(content)
        copied.settings.registry.unlink()  # which still knows the run as it was
        answer = pages.ask(f"/runs/{made.claims}")
        assert answer.status == 410, (name, content)
        for said in ("This run is damaged", str(run), "submitted.ipynb"):
            assert said in answer.text
        assert "Traceback" not in answer.text
        listed = pages.ask("/runs")
        assert listed.status == 200
        assert TITLES["fails"]["en"] in listed.text
        assert "1 run cannot be listed" in listed.text
        assert made.claims in listed.text
        path.write_bytes(sound)
        assert pages.ask(f"/runs/{made.claims}").status == 200


def test_an_index_of_an_older_version_is_read_again(copied, made):
    with sqlite3.connect(copied.settings.registry) as index:
        (facts,) = index.execute("SELECT facts FROM runs WHERE id = ?", (made.claims,)).fetchone()
        old = {k: v for k, v in json.loads(facts).items() if "conclusions" not in k}
        index.execute("UPDATE runs SET facts = ? WHERE id = ?", (json.dumps(old), made.claims))
    index.close()
    (found,) = [one for one in runs.listed(copied.settings) if one["id"] == made.claims]
    assert (found["n_conclusions"], found["n_holding"]) == (2, 1)
    assert found["conclusions"][1] == {
        "statement": "Giá thuê ở Huế cao hơn Hà Nội",
        "holds": False,
    }
    assert found["template"] is None


def test_the_events_of_a_run_that_ended_end_at_once(pages, made):
    answer = pages.ask(f"/runs/{made.fails}/events")
    assert answer.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    (event,) = re.findall(r"event: progress\ndata: (.*)\n\n", answer.text)
    told = json.loads(event)
    assert (told["status"], told["cell"], told["n_cells"]) == ("failed", 2, 2)


@pytest.mark.slow
def test_a_run_is_followed_cell_by_cell_until_it_ends(made, bubblewrap):
    settings = made.settings
    sources = ["import time", "time.sleep(1)", "time.sleep(1)"]
    run_id = submitted(settings, made.folder, "slow", *sources, title={"en": "Slow"})
    with serving(settings.home, language="en") as pages:
        waiting = pages.ask(f"/runs/{run_id}").text
        assert "Waiting for its turn: number 1 of 1." in waiting
        assert "number 1 in the queue" in pages.ask("/runs").text
        assert '<noscript><meta http-equiv="refresh"' in waiting
        assert waiting.count("<script") == 1
        runs.start(settings, run_id)
        answer = pages.ask(f"/runs/{run_id}/events")  # read to its end
        told = [json.loads(event) for event in re.findall(r"data: (\{.+\})", answer.text)]
        cells = [(one["cell"], one["n_cells"]) for one in told if one["status"] == "running"]
        assert {(2, 3), (3, 3)} <= set(cells)
        assert told[-1]["status"] == "succeeded"
        assert any(one["text"].startswith("Cell 2 of 3 · ") for one in told)
        page = pages.ask(f"/runs/{run_id}").text
        assert "Succeeded" in page
        assert "<script" not in page
    shutil.rmtree(settings.runs / run_id)


def test_a_port_that_is_taken_is_a_plain_fault(tmp_path):
    with socket.socket() as door:
        door.bind(("127.0.0.1", 0))
        door.listen()
        port = door.getsockname()[1]
        process, _port = started(tmp_path, language="en", port=port)
        told = json.loads(process.stdout.readline())
        code, logged = ended(process)
    assert (code, told["ready"]) == (2, False)
    assert f"port {port} cannot be used" in told["message"]
    assert "--pages-port" in told["message"]
    assert logged == ""


@pytest.mark.parametrize(
    "order",
    [{"token": "short"}, {"key": "zz"}, {"port": 0}, {"workspace": "http://evil"}, {"more": 1}],
)
def test_an_order_that_makes_no_sense_is_told_without_its_secrets(order):
    line = json.dumps({"port": 1, "token": TOKEN, "key": KEY, "workspace": None} | order)
    with pytest.raises(ServerError, match=next(iter(order))) as told:
        Configuration.read(line.encode())
    assert KEY not in str(told.value)
    assert TOKEN not in str(told.value)


def test_a_fault_at_the_start_is_one_line_and_code_2(tmp_path):
    process, _port = started(tmp_path, language="en", order={"key": "zz"}, port=1)
    told = json.loads(process.stdout.readline())
    code, logged = ended(process)
    assert (code, told["ready"], logged) == (2, False, "")
    assert "key" in told["message"]


def test_the_end_of_the_lifeline_is_the_end_also_of_open_streams(made):
    folder = made.folder / "forever"
    shutil.copytree(made.settings.home, folder)
    settings = Settings(home=folder)
    run_id = submitted(settings, made.folder, "waiting", "1")
    with serving(folder) as pages:
        connection = http.client.HTTPConnection("127.0.0.1", pages.port, timeout=PATIENCE_S)
        connection.request("GET", f"/runs/{run_id}/events", headers={"Cookie": pages.cookie})
        answer = connection.getresponse()
        assert b"retry" in answer.readline()
        pages.process.send_signal(signal.SIGINT)  # a terminal's Ctrl-C is for `up`
        time.sleep(0.3)
        assert pages.ask("/healthy").status == 200
        code, logged = ended(pages.process)
        answer.read()  # to its end
        connection.close()
    assert (code, logged) == (0, "")


def test_sigterm_is_a_clean_end_too_and_the_log_holds_no_token(made):
    with serving(made.settings.home) as pages:
        pages.ask(f"/runs?token={TOKEN}")
        pages.process.send_signal(signal.SIGTERM)
        until(lambda: pages.process.poll() is not None)
        code, logged = ended(pages.process)
    assert code == 0
    assert TOKEN not in logged
