"""Files that a notebook names, before a run: do they travel, and do they hold real people's data?"""

from __future__ import annotations

import json

import pyarrow as pa
import pytest
from nbformat import v4, writes

from sandbox.language import speaking
from sandbox.preflight import Given, checked, gather, inspect, personal
from sandbox.runs import attachments
from sandbox.runs import notebook as notebook_files
from synthetic.generation.identifiers import MOBILE_PREFIXES
from tests.sandbox import foreign, notebooks

LAB = "from sandbox import lab\nimport pandas as pd\n"


def parsed(*cells):
    """Give a notebook of these cells."""
    made = v4.new_notebook(cells=[v4.new_code_cell(cell) for cell in cells])
    return notebook_files.parse("small", writes(made).encode())


def found(*cells, beside=(), taken=None):
    """Check a notebook; give severity, code, cell, line."""
    looked = checked(parsed(*cells), Given(beside=beside, attachments=taken))
    return [(str(one.severity), one.code, one.cell, one.line) for one in looked.findings]


@pytest.mark.parametrize(
    "cell",
    [
        "pd.read_csv(lab.attachment('a.csv'))",
        "NAME = 'a.csv'\npd.read_csv(lab.attachment(NAME))",
        "path = lab.attachment(name='a.csv')\npath.read_text()\nopen(path).read()",
        "lab.connect().sql('SELECT * FROM attached.a ORDER BY ALL')",
        "lab.table('attached.a')",
    ],
)
def test_a_file_beside_the_notebook_is_found(cell):
    assert found(LAB + cell, beside=["a.csv"]) == []


def test_names_of_other_systems_are_the_same_names():
    assert found(LAB + "lab.attachment('khách.csv')", beside=["kha\u0301ch.csv"]) == []


@pytest.mark.parametrize(
    ("cell", "severity"),
    [
        ("lab.attachment('b.csv')", "error"),
        ("if pd:\n    lab.attachment('b.csv')", "warning"),
        ("try:\n    lab.attachment('b.csv')\nexcept Exception:\n    pass", "warning"),
        ("lab.attachment('../a.csv')", "error"),
        ("lab.attachment('a.docx')", "error"),
        ("for name in ['a.csv']:\n    lab.attachment(name)", "warning"),
        ("lab.attachment(f'{pd}.csv')", "warning"),
    ],
)
def test_a_file_that_will_not_be_there_is_told(cell, severity):
    assert [(one, code) for one, code, *_ in found(LAB + cell, beside=["a.csv"])] == [
        (severity, "attachment")
    ]


def test_a_plain_read_of_a_file_beside_says_what_to_write():
    looked = checked(parsed("import pandas as pd\npd.read_csv('a.csv')"), Given(beside=["a.csv"]))
    assert 'write lab.attachment("a.csv") in place of "a.csv"' in str(looked.findings[0].remedy)


def test_files_are_gathered_from_what_is_given_and_what_is_named(tmp_path):
    for name in ("a.csv", "b.csv", "c.xlsx", "d.csv"):
        foreign.csv(tmp_path, name)
    (tmp_path / "far").mkdir()
    far = foreign.csv(tmp_path / "far", "a.csv")
    cells = [LAB + "lab.attachment('a.csv')", "%%sql\nFROM attached.c", "x = 'b.csv'"]
    path = notebooks.write(tmp_path / "n.ipynb", *cells)
    notebook = notebook_files.read(path)
    assert gather(path, notebook) == [tmp_path / "a.csv", tmp_path / "c.xlsx"]
    assert gather(path, notebook, [far]) == [far, tmp_path / "c.xlsx"]
    assert gather("market_sizing", notebook) == []


def looked(settings, tmp_path, *paths, cells=(LAB,)):
    """Look at files that travel with a notebook of these cells."""
    taken = attachments.take(settings, paths, tmp_path / "taken")
    return checked(parsed(*cells), Given(attachments=taken))


def test_a_file_that_no_cell_reads_is_told(settings, tmp_path):
    seen = looked(settings, tmp_path, foreign.csv(tmp_path), foreign.parquet(tmp_path, "b.parquet"))
    assert [str(one.why) for one in seen.findings] == [
        "the attached file 'b.parquet' is read by no cell",
        "the attached file 'customers.csv' is read by no cell",
    ]


def test_a_file_that_is_no_table_stops_a_submission(settings, tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_text("a,b\n")
    seen = looked(settings, tmp_path, path, cells=[LAB + "lab.attachment('a.xlsx')"])
    (one,) = seen.findings
    assert (one.is_error, one.cell, one.line) == (True, 1, 3)
    assert seen.records[0]["rows"] is None


def test_a_file_with_remarks_above_its_table_may_travel(settings, tmp_path):
    text = "a,b\n" + "1,2\n" * 25_000 + "0912345678,2,3\n"
    path = foreign.csv(tmp_path, "a.csv", text)
    seen = looked(settings, tmp_path, path, cells=[LAB + "lab.attachment('a.csv')"])
    codes = {one.code for one in seen.findings if not one.is_error}
    assert codes == {"no_table", "personal_data"}
    assert not any(one.is_error for one in seen.findings)


def test_another_encoding_is_told(settings, tmp_path):
    path = foreign.csv(tmp_path, encoding="utf-16")
    seen = looked(settings, tmp_path, path, cells=[LAB + "lab.attachment('customers.csv')"])
    assert [one.code for one in seen.findings] == ["encoding"]
    assert seen.records[0]["rows"] == 2


PERSONAL = {
    "cccd": ("079190012345", "identity numbers"),
    "số CCCD cách quãng": ("079 190 012 345", "identity numbers"),
    "CMND": ("024123456", "identity numbers"),
    "cccd mất số 0": ("79190012345", "identity numbers"),
    "ghi chú": ("gọi 0912.345.678 sau 17h", "telephone numbers"),
    "SĐT": ("912345678", "telephone numbers"),
    "điện thoại bàn": ("024 3825 1234", "telephone numbers"),
    "liên hệ": ("+84 912 345 678", "telephone numbers"),
    "email": ("an.nguyen@gmail.com", "e-mail addresses"),
    "thẻ BHYT": ("HC4790123456789", "health insurance numbers"),
}


@pytest.mark.parametrize("name", PERSONAL)
def test_data_of_real_people_are_counted_by_column(name):
    value, kind = PERSONAL[name]
    seen = personal.look(pa.table({name: [value, None, "x", value]}))
    assert [str(one) for one in personal.found(seen)] == [
        f"column {name!r}: 2 of 4 rows look like {kind}"
    ]


SOUND = {
    "personal_number": [f"9790{n:02d}123456" for n in range(90)],
    "deceased": [f"5790{n:02d}123456" for n in range(90)],
    "phone": [f"0{prefix}1234567" for prefix in MOBILE_PREFIXES],
    "email": ["a@example.com", "b@mail.example.org", "c@nobody.invalid", "không có"],
    "health_card": ["ZZ4790123456789"],
    "doanh thu": ["350000000", "912345678", "84912345678"],
    "mst": ["0312345676", "0301234567", "0309999998"],
    "mã đơn": ["079190012345678", "1079190012345"],
    "ngày": ["01/02/2026"],
    "tên đường": ["Nguyễn Huệ", "Lê Lợi", "Trần Hưng Đạo"],
    "toạ độ": ["10.762622", "106.660172"],
    "thời điểm": ["2026-03-01 08:09:10.123456"],
    "uuid": ["6fa459ea-ee8a-3ca4-894e-db77e160355e"],
}


@pytest.mark.parametrize("name", SOUND)
def test_marked_identifiers_and_plain_figures_are_nobodys(name):
    seen = personal.look(pa.table({name: SOUND[name]}))
    assert [str(one) for one in personal.found(seen)] == []


def test_tax_codes_that_begin_as_telephone_numbers_are_none():
    real = [f"03{n:07d}" for n in range(0, 5_000_000, 271)]
    codes = [code + str(personal._tax_check_digit(code) % 10) for code in real]
    seen = personal.look(pa.table({"mst": codes}))
    assert list(personal.found(seen)) == []


@pytest.mark.parametrize(
    ("birth", "is_told"), [("Ngày sinh", True), ("dob", True), ("ngày ký", False)]
)
def test_names_with_dates_of_birth_are_told(birth, is_told):
    table = pa.table({"Họ tên": ["Nguyễn Văn An", "Trần Thị Bình"], birth: ["01/02/1990", None]})
    told = [str(one) for one in personal.found(personal.look(table))]
    assert bool(told) is is_told
    marked = table.append_column("số", pa.array(["979190012345", "979190012346"]))
    assert list(personal.found(personal.look(marked))) == []


def test_a_warning_never_repeats_a_value(settings, tmp_path):
    text = "0912345678,an@gmail.com\n0987654321,binh@gmail.com\n0987654322,chi@gmail.com\n"
    path = foreign.csv(tmp_path, text=text)
    seen = looked(settings, tmp_path, path, cells=[LAB + "lab.attachment('customers.csv')"])
    (warning,) = seen.findings
    assert (warning.code, warning.is_error) == ("personal_data", False)
    told = json.dumps([warning.to_record(), seen.records], ensure_ascii=False)
    assert "gmail" not in told
    assert "091234" not in told
    assert "098765" not in told
    with speaking("vi"):
        assert "customers.csv" in str(warning.why)


@pytest.mark.slow
def test_no_replica_holds_data_of_real_people(replicas):
    for path in sorted((replicas / "replicas").rglob("*.parquet")):
        from sandbox.lab import files

        seen = personal.look(files.table(path, as_text=True))
        assert [str(one) for one in personal.found(seen)] == [], path


def test_a_file_that_cannot_be_taken_is_found_before_a_submission(settings, tmp_path):
    path = tmp_path / "a.csv"
    path.touch()
    notebook = parsed(LAB + "lab.attachment('a.csv')")
    seen = inspect(settings, notebook, beside=["a.csv"], given=[path])
    assert "the file 'a.csv' is empty" in [str(one.why) for one in seen.findings]
