"""`synthetic import`: a draft that checks, copies little, says what it is, and fears no odd file."""

from __future__ import annotations

import subprocess
import sys
import tomllib

import pytest
from click.testing import CliRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from synthetic.cli import main
from synthetic.drafts import sample as samples
from synthetic.drafts.draft import CODES, draft
from synthetic.drafts.names import identifiers
from synthetic.errors import SpecError
from synthetic.spec.check import check_specs
from synthetic.spec.load import load_all, parse

HEADER = (
    "Mã hồ sơ,Họ và tên,Số định danh,Tỉnh,Mã xã,Ngày sinh,Thời điểm nộp,Loại hồ sơ,Số tiền,Tuổi,"
    "Trực tuyến,Ghi chú,Tỉnh\n"
)
ROWS = """\
K01,Nguyễn Bí Mật,048099000001,48,20194,01/02/1999,2024-01-02 10:20:00,mới,12.50,25,có,riêng,01
K02,Trần Kín Đáo,048099000002,48,20200,11/12/1989,2024-01-03 11:20:00,đổi,7.25,35,không,,48
K03,Lê Giấu Tên,001099000003,01,00004,21/02/1979,2024-01-04 12:20:00,mới,8,45,có,"hai
dòng",01
K04,Phạm Vô Danh,001099000004,01,00008,28/02/1969,2024-01-05 13:20:00,đổi,-100,55,có,x,79
"""


def run(*arguments):
    return CliRunner().invoke(main, [str(a) for a in arguments])


def imported(tmp_path, content, name="dossiers"):
    path = tmp_path / "sample.csv"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    result = run("import", path, "--name", name, "--out", tmp_path / "specs")
    return result, tmp_path / "specs" / f"{name}.toml"


def columns(path):
    return tomllib.loads(path.read_text("utf-8"))["tables"]["records"]["columns"]


@pytest.fixture
def drafted(tmp_path):
    result, path = imported(tmp_path, HEADER + ROWS)
    assert result.exit_code == 0, result.stderr
    return result, path


def test_a_draft_checks_and_builds(drafted, tmp_path):
    _, path = drafted
    assert "no fault found in 1 tables" in run("check", path).stdout
    options = ("--specs", path.parent, "--scale", "0.0005", "--area", "48", "--out", tmp_path / "o")
    built = run("build", "dossiers", *options)
    assert built.exit_code == 0, built.stderr
    verified = run("verify", tmp_path / "o", "--specs", path.parent)
    assert verified.exit_code == 0, verified.output


def test_a_draft_says_what_it_is_at_its_top_and_on_stderr(drafted):
    result, path = drafted
    top = "\n".join(path.read_text("utf-8").splitlines()[:6])
    for text in (top, result.stderr):
        assert "BẢN NHÁP" in text
        assert "chép từ tệp mẫu" in text
        assert "DRAFT" in text
        assert "values copied from the sample" in text
        assert "A person must read every line" in text
    assert "headers stand twice: Tỉnh" in result.stderr


def test_types_keys_and_code_lists_are_drafted(drafted):
    _, path = drafted
    found = columns(path)
    assert {name: column["type"] for name, column in found.items()} == {
        "ma_ho_so": "text",
        "ho_va_ten": "text",
        "so_dinh_danh": "text",
        "tinh": "code",
        "ma_xa": "code",
        "ngay_sinh": "date",
        "thoi_diem_nop_day": "date",
        "thoi_diem_nop": "timestamp",
        "loai_ho_so": "code",
        "so_tien": "decimal",
        "tuoi": "integer",
        "truc_tuyen": "boolean",
        "ghi_chu": "text",
        "tinh_2": "code",
    }
    assert found["so_tien"]["places"] == 2
    assert set(found["loai_ho_so"]["codes"]) == {"mới", "đổi"}
    assert found["ghi_chu"]["missing"]["share"] == "0.25"
    text = path.read_text("utf-8")
    assert "candidate keys: ma_ho_so, so_dinh_danh" in text
    assert tomllib.loads(text)["tables"]["records"]["key"] == ["so_dinh_danh"]


def test_references_are_found_by_name_and_values(drafted):
    _, path = drafted
    found = columns(path)
    assert found["so_dinh_danh"]["references"] == "population.persons.person_id"
    assert found["tinh"]["codes_from"]["table"] == "admin_provinces_34"
    assert found["tinh"]["take"] == "area"
    assert found["tinh_2"]["follows"] == "provinces"
    assert found["ma_xa"]["codes_from"]["table"] == "admin_communes"
    assert found["ngay_sinh"]["take"] == "parent.birth_date"
    assert tomllib.loads(path.read_text("utf-8"))["uses"] == ["population"]


def test_nothing_that_speaks_of_somebody_is_copied(drafted):
    _, path = drafted
    text = path.read_text("utf-8")
    for secret in ("Bí Mật", "Trần", "048099", "K01", "riêng", "1999", "12.50", "725"):
        assert secret not in text


def test_names_that_repeat_are_no_code_list(tmp_path):
    content = "Họ tên,Loại\n" + "Nguyễn Bí Mật,a\n" * 5 + "Trần Kín,b\n" * 5
    _, path = imported(tmp_path, content)
    assert columns(path)["ho_ten"]["type"] == "text"
    assert set(columns(path)["loai"]["codes"]) == {"a", "b"}
    assert "Bí Mật" not in path.read_text("utf-8")


@pytest.mark.parametrize(("n", "is_list"), [(30, True), (31, False)])
def test_a_code_list_has_at_most_30_values(tmp_path, n, is_list):
    _, path = imported(tmp_path, "k\n" + "".join(f"c{i}\n" for i in range(n)) * 2)
    assert ("codes" in columns(path)["k"]) is is_list
    assert run("check", path).exit_code == 0


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (["1", "-20"], "integer"),
        (["007", "012"], "text"),
        (["1.5", "2"], "decimal"),
        (["1,5", "2,25"], "decimal"),
        (["2024-01-31", "1999-12-01"], "date"),
        (["31/01/2024", "01/12/1999"], "date"),
        (["31/02/2024", "01/12/1999"], "text"),
        (["0001-01-01", "2024-01-01"], "text"),
        (["2024-01-31T10:00:00", "2024-01-31T10:00:01"], "timestamp"),
        (["31/01/2024 10:00", "01/12/1999 23:59"], "timestamp"),
        (["true", "FALSE"], "boolean"),
        (["Có", "không"], "boolean"),
        (["yes", "có"], "text"),
        (["999999999999", "1"], "integer"),
        (["9" * 30, "1"], "text"),
        (["nan", "inf"], "text"),
        (["", ""], "text"),
    ],
)
def test_a_type_is_the_narrowest_that_holds_every_value(tmp_path, values, kind):
    content = "v;w\n" + "".join(f"{value};x\n" for value in values)
    result, path = imported(tmp_path, content)
    assert result.exit_code == 0, result.stderr
    assert columns(path)["v"]["type"] == kind
    assert run("check", path).exit_code == 0


@pytest.mark.parametrize(
    ("headers", "names"),
    [
        (["Mã số", "Mã số", "ma_so_2"], ["ma_so", "ma_so_2", "ma_so_2_2"]),
        (["Đường Ước Ơ", "Đơn giá (VNĐ)"], ["duong_uoc_o", "don_gia_vnd"]),
        (["", "  ", "#"], ["column_1", "column_2", "column_3"]),
        (["2024", "and", "Ａ"], ["column_2024", "column_and", "a"]),
        (["x" * 90, "mới"], ["x" * 40, "moi"]),
    ],
)
def test_headers_become_names_without_diacritics(headers, names):
    assert identifiers(headers) == names


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "empty"),
        (b"\n\n  \n", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"a,b\n", "a line of headers and no row"),
        (b"PK\x03\x04\0\0", "looks like a workbook"),
        (bytes(range(256)) * 8, "is not a text file"),
        ("a,b\n1,2\n".encode("utf-16"), "is UTF-16"),
        ("tên,b\n1,2\n".encode("cp1252"), "not UTF-8 at byte 1"),
        (b"a,b\n" + b"x" * 3_000_000 + b",1\n", "a line of more than 2,000,000 bytes"),
        (",".join("c" * 301).encode() + b"\n" + b",".join([b"x"] * 301), "301 columns; at most"),
    ],
)
def test_an_odd_file_is_refused_in_plain_words(tmp_path, content, message):
    result, path = imported(tmp_path, content)
    assert (result.exit_code, message in result.stderr) == (2, True), result.output
    assert "Traceback" not in result.output
    assert not path.exists()


@pytest.mark.parametrize(
    "content",
    [
        "a\n1\n2\n",  # one column
        "a\n",  # one column, one line: a value or a header
        "1,2\n3,4\n",  # no headers
        "a,b,c\n1,2\n1,2,3,4\n5,6,7\n",  # ragged
        'a,b\n"x,1\n',  # a quote that never ends
        "a,a,a\n1,2,3\n",
        "\ufeffTên,Tuổi\nx,1\n",
        ",,\n,,\n",
        "a\tb\n1\t2\n",
        "a|b\r\n1|2\r\n",
        'a,b\n\'; DROP TABLE lines; --,"""\n',
        'a"b,c]\n1,2\n',
        "a.b.c.d.e.f.g.h.i.j.k.l.m.n.o.p.q.r.s,b\n" + "t.u.v.w.x.y.z.a.b.c.d.e.f.g.h.i.j.k,1\n" * 4,
        "a,b\n" + "\u00a0,\x7f\n" * 4,
        "a,b\n*,|\n*,|\n",
        "person_id,b\nx,1\nx,2\n",
        "province_code,row_id\n99,a\n98,a\n",
    ],
)
def test_an_odd_sample_still_gives_a_draft_that_checks_or_a_plain_word(tmp_path, content):
    result, path = imported(tmp_path, content)
    assert "Traceback" not in result.output
    assert result.exit_code in (0, 2)
    if result.exit_code == 0:
        checked = run("check", path)
        assert checked.exit_code == 0, checked.stderr


def test_files_that_are_not_there_or_would_be_overwritten_are_told(tmp_path):
    result = run("import", tmp_path / "no.csv", "--name", "dossiers")
    assert (result.exit_code, "no such file" in result.stderr) == (2, True)
    assert "no such file" in run("import", tmp_path, "--name", "dossiers").stderr
    _, path = imported(tmp_path, "a\nx\n")
    path.write_text("mine", "utf-8")
    result, path = imported(tmp_path, "a\nx\n")
    assert (result.exit_code, "exists, and is left as it is" in result.stderr) == (2, True)
    assert path.read_text("utf-8") == "mine"


def test_a_path_with_stars_is_one_file(tmp_path):
    for name in ("a*[1].csv", "a2[1].csv"):
        (tmp_path / name).write_text(f"{name[1]}x,b\n1,2\n", "utf-8")
    found = samples.read(tmp_path / "a*[1].csv", CODES)
    assert [c.header for c in found.columns] == ["*x", "b"]


def test_no_more_rows_are_read_than_are_said(tmp_path, monkeypatch):
    monkeypatch.setattr(samples, "ROWS", 100)
    path = tmp_path / "s.csv"
    for n, is_whole in ((99, True), (100, True), (101, False), (5000, False)):
        path.write_text("a,b\n" + "".join(f"{i},x\n" for i in range(n)), "utf-8")
        found = samples.read(path, CODES)
        assert (found.n_rows, found.is_whole) == (min(n, 100), is_whole)
        assert (found.columns[0].low, found.columns[0].high) == (0, min(n, 100) - 1)
        assert found.columns[0].is_unique


def test_a_large_file_is_not_loaded_whole(tmp_path):
    """80 MB beyond the rows that are read: memory stays below what the file alone would take."""
    path = tmp_path / "s.csv"
    line = b"some words that fill a line of this file up to about a hundred characters, no more,"
    with path.open("wb") as file:
        file.write(b"a,b\n")
        for _ in range(400):
            file.write((line + b"1\n") * 10_000)
    code = (
        "import resource, sys; from pathlib import Path; from synthetic.drafts import sample;"
        "sample.ROWS = 10_000\n"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
        "found = sample.read(Path(sys.argv[1]), {})\n"
        "print(found.n_rows, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True
    )
    n_rows, kilobytes = map(int, done.stdout.split())
    assert n_rows == 10_000
    assert kilobytes * 1024 < path.stat().st_size / 2


cells = st.text(
    st.characters(codec="utf-8", exclude_characters="\0"), max_size=12
) | st.sampled_from(["48", "01", "2024-01-01", "1.5", "-3", "true", "048099000001", "20194", ""])


@settings(max_examples=15, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(cells, min_size=3, max_size=3), min_size=2, max_size=8))
def test_whatever_the_cells_the_draft_checks(tmp_path_factory, rows):
    path = tmp_path_factory.mktemp("cells") / "s.csv"
    quoted = (",".join('"' + cell.replace('"', '""') + '"' for cell in row) for row in rows)
    path.write_bytes(("\n".join(quoted) + "\n").encode())
    try:
        text = draft("drafted", samples.read(path, CODES))
    except SpecError:
        return  # refused in plain words
    spec = parse(text, "drafted.toml")
    check_specs({**load_all(spec.uses), "drafted": spec})
