"""Whatever a notebook writes, the report runs nothing, asks nothing and fetches nothing.

First by reading the page's elements and attributes one by one, then in a real browser with a
listener on this machine that must stay silent, and a control page that proves it would hear.
"""

from __future__ import annotations

import base64
import http.server
import re
import shutil
import subprocess
import threading
import time
import zlib
from html.parser import HTMLParser

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

from sandbox.runs.report import sanitise
from sandbox.runs.report.characters import plain
from sandbox.runs.report.drawings import drawing
from sandbox.runs.report.pictures import PictureError, picture
from tests.golden.runs import CONCLUSION, RESULT, RUN, Run, encoded, figure, shown
from tests.golden.text import VOID, as_text
from tests.needing import needed

MARK = "document.documentElement.setAttribute('data-pwned','1')"
PAYLOADS = {
    "script": "<script>MARK;new Image().src='URL'</script>",
    "script in parts": "<scr<script>ipt>MARK</scr</script>ipt>",
    "script source": "<script src='URL'></script>",
    "module": "<script type=module>import 'URL'</script>",
    "image": "<img src='URL'>",
    "image set": "<img srcset='URL 1x' src=x onerror=\"MARK\">",
    "onerror": "<img src=x onerror=\"MARK;fetch('URL')\">",
    "onload": "<svg onload=\"MARK\"><image href='URL'/></svg>",
    "svg script": "<svg><script>MARK</script><use href='URL#x'/></svg>",
    "svg style": "<svg><style>@import 'URL';</style></svg>",
    "math": "<math><mtext><table><mglyph><style><!--</style><img src=x onerror=MARK>",
    "mutation": "<noscript><p title='</noscript><img src=x onerror=MARK>'>",
    "template": "<template><img src=x onerror=MARK></template>",
    "iframe": "<iframe src='URL'></iframe>",
    "srcdoc": "<iframe srcdoc=\"<script>parent.MARK</script><img src='URL'>\"></iframe>",
    "object": "<object data='URL'></object><embed src='URL'>",
    "form": "<form action='URL'><input name=q autofocus onfocus=MARK><button>Gửi</button></form>",
    "refresh": "<meta http-equiv=refresh content='0;url=URL'>",
    "policy": '<meta http-equiv=Content-Security-Policy content="default-src *">',
    "base": "<base href='URL'><a href='x'>x</a>",
    "link": "<link rel=stylesheet href='URL'><link rel=prefetch href='URL'>",
    "style": "<style>@import 'URL';body{background:url(URL)}</style>",
    "style attribute": "<p style=\"background:url('URL');position:fixed;inset:0;z-index:9\">x</p>",
    "expression": "<p style='width:expression(MARK)'>x</p>",
    "overlay": "<div style='position:fixed;top:0;left:0;width:100vw;height:100vh'>đè</div>",
    "our classes": "<div class='outcome good' id='outcome'>✓ Chạy thành công</div>",
    "javascript link": "<a href='javascript:MARK'>x</a>",
    "javascript with tab": "<a href='java\tscript:MARK'>x</a>",
    "data link": "<a href='data:text/html,<script>MARK</script>'>x</a>",
    "ping": "<a href='http://x.example' ping='URL' target=_top>x</a>",
    "data image of html": "<img src='data:text/html;base64,PHNjcmlwdD4='>",
    "data image of svg": "<img src='data:image/svg+xml,<svg onload=MARK>'>",
    "video": "<video src='URL' autoplay poster='URL'><track src='URL'></video><audio src='URL'>",
    "table background": "<table background='URL'><tr><td background='URL'>x</td></tr></table>",
    "input image": "<input type=image src='URL'>",
    "marquee": "<marquee onstart=MARK>x</marquee><details open ontoggle=MARK>x</details>",
    "closing": "</div></section></main></body></html><script>MARK</script><img src='URL'>",
    "closing style": "</style></title></textarea></script><script>MARK</script>",
    "closing pre": "</pre></code></td></tr></table></bdi></p><script>MARK</script>",
    "comment": "<!-- --!><script>MARK</script> --><!--><img src=x onerror=MARK>",
    "cdata": "<![CDATA[<script>MARK</script>]]><?php x ?><!DOCTYPE html>",
    "entities": "&lt;script&gt;MARK&lt;/script&gt;&#x202E;&#60;img src=x onerror=MARK&#62;",
    "attribute quote": "\" onmouseover=\"MARK\" x=\"' onfocus='MARK' autofocus tabindex=1 '",
    "unclosed": "<b><i><table><tr><td><a href='x'><div><p><h1>",
    "unfinished tag": "<img src='URL' onerror=",
    "nul": "<scr\0ipt>MARK</scr\0ipt><img src='URL\0'>",
    "select": "<select><option><img src=x onerror=MARK></select><xmp><script>MARK</script></xmp>",
    "markdown link": "[x](javascript:MARK) [y](URL) ![z](URL) <URL>",
    "markdown data": "![z](data:text/html,<script>MARK</script>) [r]: URL\n\n![r]",
    "template engine": "{{ 7*7 }}{% include 'x' %}{{ ''.__class__ }}",
    "bidi": "nộp\u202egnp.exe\u2066\u200b\ufeff\x1b[31m\x07\x9b",
    "tower": "e" + "\u0301" * 500,
}
OURS = {
    *("html", "head", "meta", "title", "style", "body", "header", "main", "section"),
    *("details", "summary", "bdi", "span", "data"),
}
OUR_ATTRIBUTES = {
    *("lang", "class", "id", "alt", "src", "width", "height", "scope", "colspan", "rowspan"),
    *("tabindex", "role", "aria-label", "aria-labelledby", "aria-hidden", "start", "value"),
}
POLICY = re.compile(
    r"default-src 'none'; img-src data:; style-src 'sha256-[A-Za-z0-9+/]{43}='; "
    r"base-uri 'none'; form-action 'none'"
)


def payload(name, url="http://127.0.0.1:9/x"):
    return PAYLOADS[name].replace("MARK", MARK).replace("URL", url)


class Harmless(HTMLParser):
    """Fails on any element or attribute that could run, ask or fetch."""

    def __init__(self):
        super().__init__(convert_charrefs=True)
        self.ids = []
        self.counts = {}

    def handle_starttag(self, tag, attrs):
        self.counts[tag] = self.counts.get(tag, 0) + 1
        assert tag in OURS | sanitise.ALLOWED - {"a"}, tag
        if tag == "meta":
            return
        for name, value in attrs:
            assert name in OUR_ATTRIBUTES, (tag, name)
            if name == "src":
                assert re.fullmatch(
                    r"data:image/(png|jpeg|svg\+xml);base64,[A-Za-z0-9+/]+=*", value
                )
            if name == "id":
                self.ids.append(value)

    def handle_decl(self, decl):
        assert decl == "DOCTYPE html"

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_pi(self, data):
        raise AssertionError(data)


def check_harmless(page):
    reader = Harmless()
    reader.feed(page)
    reader.close()
    assert reader.counts["meta"] == 5
    assert reader.counts["style"] == reader.counts["main"] == reader.counts["h1"] == 1
    assert len(reader.ids) == len(set(reader.ids)) <= 10
    found = re.search(r'http-equiv="Content-Security-Policy" content="([^"]*)"', page)
    assert found
    assert POLICY.fullmatch(found[1])
    assert page.index(found[0]) < page.index("<style>")


def infested(home, texts):
    """A run that says the same hostile texts everywhere that a text can stand."""
    run = Run(home)
    text = " ".join(texts)
    for name in ("title", "question"):
        run.submission[name] = {"vi": text, "en": text}
    run.described |= {"limits": {"vi": text, "en": text}, "purpose": text}
    run.submission |= {"author": text, "team": text, "why": text, "notebook_name": text}
    run.submission["template"] = {"name": text, "unchanged": False}
    run.submission["parameters"] = [
        {"name": text, "type": text, "default": 1, "value": text, "comment": text}
    ]
    run.record |= {
        "status": "failed",
        "reason": {"kind": "cell error", "message": text, "cell": len(run.cells)},
        "results": [{"name": text, "value": text, "unit": text, "n": text}],
        "conclusions": [{"statement": text, "holds": text}],
        "runner": {"kind": text, "host_os": text},
        "environment": {"python": text, "packages": {text: text}},
        "limits": {text: text},
        "isolation": {"mechanism": text, "version": text, "note": text, "policy": {text: [text]}},
    }
    run.cells.append(
        new_code_cell(
            text, outputs=[new_output("error", ename=text, evalue=text, traceback=[text])]
        )
    )
    for one in texts:
        run.cells += [
            new_markdown_cell(one),
            new_markdown_cell(f"# {one}\n\n| {one} |\n| --- |\n| {one} |\n\n- {one}\n\n`{one}`"),
            new_code_cell(
                one,
                outputs=[
                    new_output("stream", name="stdout", text=one),
                    new_output("stream", name="stderr", text=one),
                    shown({"text/html": one, "text/plain": one}),
                    shown({"text/html": f"<table><tr><td>{one}</td></tr></table>"}),
                    shown({"text/markdown": one}),
                    shown({"text/latex": one}),
                    shown({"image/svg+xml": one, "text/plain": one}),
                    shown({"image/png": one}),
                    shown({"text/plain": one, "application/javascript": one}),
                    shown({one: one}),
                    shown({RESULT: {"name": one}, CONCLUSION: one}),
                ],
            ),
        ]
    return run


@pytest.mark.parametrize("name", PAYLOADS)
def test_nothing_that_runs_or_fetches_survives(tmp_path, name):
    page = infested(tmp_path, [payload(name)]).page()
    check_harmless(page)
    assert '<h2 id="cannot">' in page


def test_hidden_characters_are_shown_as_their_codes(tmp_path):
    page = infested(tmp_path, [payload("bidi"), payload("tower"), payload("entities")]).page()
    assert not re.search("[\u202a-\u202e\u2066-\u2069\u200b\ufeff\x00\x07\x1b\x9b]", page)
    assert "nộp[U+202E]gnp.exe" in page
    assert "\u0301" * 5 not in page
    assert plain("Đặng Thị Ngọc Ánh, ấp Mỹ Lễ") == "Đặng Thị Ngọc Ánh, ấp Mỹ Lễ"


def test_a_lone_surrogate_does_not_stop_the_report(tmp_path):
    run = Run(tmp_path)
    run.submission["author"] = "A\ud800B"
    run.write()
    notebook = run.path / "executions" / "first" / "executed.ipynb"
    notebook.write_text(notebook.read_text().replace("Có 2 tỉnh", "\\ud800<b>"))
    assert "A[U+D800]B" in run.page()


TOKENS = st.sampled_from(
    [*("<", ">", "</", "/>", '"', "'", "=", " ", "\n", "&", ";", "-->", "<!--", "`", "|", "\0")]
    + [f"<{tag}>" for tag in ("div", "p", "table", "tr", "td", "svg", "style", "a", "b", "pre")]
    + [f"</{tag}>" for tag in ("div", "p", "table", "tr", "td", "svg", "style", "main", "bdi")]
    + list(PAYLOADS.values())
)


@settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(TOKENS | st.text(max_size=8), max_size=30).map("".join))
@example("<table><tr><td><table>" * 40)
@example("<h1><h2><table><th><h3></th></h1>")
def test_a_fragment_closes_all_that_it_opens_and_no_more(source):
    for clean in (
        sanitise.fragment(source, sanitise.Headings()),
        sanitise.markdown(source, sanitise.Headings()),
    ):
        reader = Balance()
        reader.feed(str(clean.html))
        reader.close()
        assert reader.open == []


class Balance(HTMLParser):
    def __init__(self):
        super().__init__()
        self.open = []

    def handle_starttag(self, tag, attrs):
        assert tag in sanitise.ALLOWED | {"span"}
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


LARGE = {
    "deep": "<div>" * 100_000 + "x",
    "deep tables": "<table><tr><td>" * 50_000,
    "deep quotes": ">" * 100_000 + "x",
    "attributes": "<p " + " ".join(f"a{i}=1" for i in range(100_000)) + ">x",
    "rows": "<table>" + "<tr><td>1</td><td>hai</td></tr>" * 100_000 + "</table>",
    "columns": "<table><tr>" + "<td>1</td>" * 100_000 + "</tr></table>",
    "spans": "<table><tr><td colspan=999999 rowspan=999999>1</td></tr></table>",
    "brackets": "[" * 100_000,
    "images": "![" * 100_000,
    "emphasis": "*a **b " * 100_000,
    "one line": "x" * 10_000_000,
    "lines": "\n" * 1_000_000,
}


@pytest.mark.parametrize("name", LARGE)
def test_large_outputs_end_soon_and_small(tmp_path, name):
    text = LARGE[name]
    run = Run(tmp_path)
    run.cells += [
        new_markdown_cell(text),
        new_code_cell(
            text,
            outputs=[
                new_output("stream", name="stdout", text=text),
                shown({"text/html": text, "text/plain": "y"}),
            ],
        ),
    ]
    run.write()
    began = time.process_time()  # whatever else is at work
    page = run.page()
    assert time.process_time() - began < 8
    assert len(page) < 3_000_000
    check_harmless(page)


def test_a_hundred_thousand_rows_are_cut_and_it_says_so(tmp_path):
    run = Run(tmp_path)
    run.cells.append(new_code_cell("x", outputs=[shown({"text/html": LARGE["rows"]})]))
    page = run.page()
    assert "nhiều nhất 200 dòng mỗi bảng" in page
    assert page.count("<td>hai</td>") == sanitise.MOST_ROWS


def test_very_many_outputs_are_cut_and_it_says_so(tmp_path):
    run = Run(tmp_path)
    run.cells += [new_code_cell("x", outputs=[shown({"text/html": "<p>x"})]) for _ in range(1000)]
    page = run.page()
    assert "Báo cáo đã đầy" in page
    assert page.count("<p>x</p>") <= 500


def test_a_picture_is_rebuilt_without_what_it_carries():
    png = figure()
    text = b"tEXtComment\0<script>"
    chunk = (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")
    carrying = png[:33] + chunk + png[33:] + b"<script>alert(1)</script>"
    made = picture("image/png", encoded(carrying))
    assert (made.width, made.height) == (400, 250)
    assert b"script" not in made.data
    assert b"IDAT" in made.data


def test_a_jpeg_is_rebuilt_without_its_metadata():
    jpeg = figure("jpg")
    exif = b"\xff\xe1\x00\x10Exif\0\0secret!!"
    made = picture("image/jpeg", encoded(jpeg[:2] + exif + jpeg[2:] + b"<script>"))
    assert (made.width, made.height) == (400, 250)
    assert b"secret" not in made.data
    assert b"script" not in made.data


def header(width, height):
    body = b"IHDR" + width.to_bytes(4, "big") + height.to_bytes(4, "big") + b"\x08\x02\0\0\0"
    return figure()[:8] + b"\0\0\0\x0d" + body + zlib.crc32(body).to_bytes(4, "big")


@pytest.mark.parametrize(
    ("mime", "data"),
    [
        ("image/png", b"<svg onload=alert(1)>"),
        ("image/png", figure("jpg")),
        ("image/jpeg", figure()),
        ("image/png", figure()[:-30]),
        ("image/png", figure()[:60] + b"\0\0\0\0" + figure()[64:]),
        ("image/png", header(60_000, 60_000) + figure()[33:]),
        ("image/png", header(0, 5) + figure()[33:]),
        ("image/png", b""),
        ("image/jpeg", b"\xff\xd8\xff\xe0"),
        ("image/jpeg", b"\xff\xd8\xff" * 1000),
        ("image/gif", b"GIF89a"),
        ("image/png", figure() + b"x" * 9_000_000),
    ],
    ids=range(12),
)
def test_a_broken_or_huge_picture_is_refused(mime, data):
    with pytest.raises(PictureError):
        picture(mime, base64.b64encode(data).decode())


def test_a_drawing_keeps_its_shapes_and_loses_the_rest():
    source = """<?xml version="1.0"?><!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://x/">
    <svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"
         viewBox="0 0 40 20" onload="alert(1)">
    <style>@import 'http://x/';</style><script>alert(1)</script>
    <defs><path id="p" d="M 0 0 L 1 1"/><g id="loop"><use xlink:href="#loop"/></g></defs>
    <use xlink:href="#p" x="3"/><use xlink:href="http://x/#p"/><use href="#loop"/>
    <image href="http://x/a.png"/><foreignObject><p>x</p></foreignObject>
    <a href="javascript:alert(1)"><text>mất</text></a><set attributeName="x"/>
    <rect width="5" style="fill: #ff0000; background: url(http://x/); stroke: url(#p)"
          fill="url(http://x/)" filter="url(#f)" clip-path="url(http://x/#c)"/>
    <text x="1">Đà Nẵng</text></svg>"""
    made = drawing(source).data.decode()
    assert (drawing(source).width, drawing(source).height) == (40, 20)
    for gone in ("http://x", "script", "onload", "import", "foreign", "image", "set", "filter"):
        assert gone not in made, gone
    for kept in ('d="M 0 0 L 1 1"', 'fill="#ff0000"', 'stroke="url(#p)"', 'href="#p"'):
        assert kept in made, kept
    assert made.count('href="#loop"') == 0
    assert "&#272;&#224; N&#7861;ng" in made or "Đà Nẵng" in made


@pytest.mark.parametrize(
    "source",
    [
        '<!DOCTYPE s [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;">]><svg>&b;</svg>',
        '<!DOCTYPE s [<!ENTITY a SYSTEM "file:///etc/passwd">]><svg>&a;</svg>',
        "<html><body>x</body></html>",
        '<script xmlns="http://www.w3.org/2000/svg">alert(1)</script>',
        "<svg",
        "",
        '<svg xmlns="http://www.w3.org/2000/svg">' + "<g>" * 50_000,
        '<svg xmlns="http://www.w3.org/2000/svg">' + "<g/>" * 50_000 + "</svg>",
        '<svg xmlns="http://www.w3.org/2000/svg"><g id="a">'
        + "<g/>" * 999
        + "</g>"
        + '<use href="#a"/>' * 999
        + "</svg>",
    ],
    ids=range(9),
)
def test_a_drawing_that_is_none_or_grows_is_refused(source):
    with pytest.raises(PictureError):
        drawing(source)


@pytest.fixture(scope="module")
def listener():
    """A web server on this machine that remembers what it was asked for."""
    asked = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        do_POST = do_GET

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def program(name, package):
    return needed(shutil.which(name), f"apt-get install -y {package}")


def browse(folder, *arguments):
    """Open a page in a real browser, as root or not, and give what it prints."""
    profile = folder / "profile"
    command = [program("chromium", "chromium"), "--headless", "--no-sandbox", "--disable-gpu"]
    command += ["--disable-quic", "--no-first-run", "--disable-background-networking"]
    command += ["--disable-component-update", "--disable-sync", f"--user-data-dir={profile}"]
    command += ["--virtual-time-budget=4000", *arguments]
    done = subprocess.run(command, capture_output=True, timeout=120, check=True)
    shutil.rmtree(profile, ignore_errors=True)
    return done.stdout.decode()


class Places(HTMLParser):
    """Where each part of the page stands once a browser has read it."""

    def __init__(self):
        super().__init__()
        self.path = []
        self.parts = {}

    def handle_starttag(self, tag, attrs):
        if tag == "section":
            self.parts[dict(attrs).get("aria-labelledby")] = list(self.path)
        if tag not in VOID:
            self.path.append(tag)

    def handle_endtag(self, tag):
        assert self.path.pop() == tag


def test_the_control_page_is_heard(tmp_path, listener):
    url, asked = listener
    page = tmp_path / "control.html"
    written = [payload(name, f"{url}/control") for name in ("script", "image", "onload")]
    page.write_text("<!DOCTYPE html><body>" + "".join(written), encoding="utf-8")
    dom = browse(tmp_path, "--dump-dom", page.as_uri())
    assert 'data-pwned="1"' in dom.partition("<head")[0]
    assert "/control" in asked


# In thirds, since a report ends after a number of outputs and each payload makes a dozen.
@pytest.mark.parametrize("third", [0, 1, 2])
def test_in_a_browser_nothing_runs_and_nothing_is_fetched(tmp_path, listener, third):
    url, asked = listener
    asked.clear()
    run = infested(tmp_path, [payload(name, f"{url}/report") for name in list(PAYLOADS)[third::3]])
    run.cells.append(
        new_code_cell("ve()", outputs=[shown({"image/svg+xml": figure("svg").decode()})])
    )
    assert "Báo cáo đã đầy" not in run.page()
    dom = browse(tmp_path, "--dump-dom", (run.path / "report.html").as_uri())
    assert "data-pwned" not in dom.partition("<head")[0]
    assert asked == []
    assert "Hình 2" in dom  # the drawing, which stands after all the payloads
    places = Places()
    places.feed(dom)
    assert set(places.parts) == {
        *("outcome", "question", "parameters", "results", "narrative"),
        *("data", "sources", "record", "code", "cannot"),
    }
    assert all(path == ["html", "body", "main"] for path in places.parts.values())


def test_the_style_sheet_is_accepted_by_its_own_policy(tmp_path):
    run = Run(tmp_path)
    run.page()
    wide = browse(tmp_path, "--dump-dom", (run.path / "report.html").as_uri())
    assert "sha256-" in wide
    shot = tmp_path / "shot.png"
    page = run.path / "report.html"
    browse(tmp_path, f"--screenshot={shot}", "--window-size=900,700", page.as_uri())
    styled = shot.read_bytes()
    page.write_text(page.read_text().replace("sha256-", "sha256-A"), encoding="utf-8")
    browse(tmp_path, f"--screenshot={shot}", "--window-size=900,700", page.as_uri())
    assert shot.read_bytes() != styled


def test_every_printed_page_names_the_run_and_the_record(tmp_path):
    run = Run(tmp_path)
    text = as_text(run.page())
    assert "…" in text
    paper = tmp_path / "report.pdf"
    page = (run.path / "report.html").as_uri()
    browse(tmp_path, f"--print-to-pdf={paper}", "--no-pdf-header-footer", page)
    reader = program("pdftotext", "poppler-utils")
    done = subprocess.run([reader, "-layout", paper, "-"], capture_output=True, check=True)
    pages = done.stdout.decode().rstrip("\f").split("\f")
    record = re.search(r"SHA-256 của biên bản: ([0-9a-f]{64})", run.page())
    assert len(pages) > 2
    for number, printed in enumerate(pages, start=1):
        assert f"Lượt chạy {RUN}" in printed
        assert record[1] in printed
        assert f"Trang {number}/{len(pages)}" in printed
    assert "Mã không in ra giấy" in done.stdout.decode()
    assert "ve(bang)" not in done.stdout.decode()
