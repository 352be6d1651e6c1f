"""Founders' own files read as tables: sound ones the same way everywhere, others refused in words."""

from __future__ import annotations

import datetime as dt

import pytest

from sandbox.errors import AttachmentError
from sandbox.lab import csvs, excel, files
from sandbox.language import speaking
from sandbox.retold import retold
from tests.sandbox import foreign

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
ROWS = [{"ma": "01", "so": 1}, {"ma": "79", "so": 2}]


@pytest.mark.parametrize("make", [foreign.parquet, foreign.excel], ids=["parquet", "excel"])
def test_a_table_is_read_with_its_types(tmp_path, make):
    assert files.table(make(tmp_path)).to_pylist() == ROWS


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1258"])
def test_csv_is_read_in_the_encoding_that_it_has(tmp_path, encoding):
    names = {"cp1258": "Đồng Nai"}.get(encoding, "Nguyễn Văn An")
    # Windows-1258 writes a vowel and its tone apart.
    written = names.replace("ồ", "ô\u0300") if encoding == "cp1258" else names
    path = foreign.csv(tmp_path, text=f"ma,ten\n01,{written}\n79,B\n", encoding=encoding)
    assert files.table(path).to_pylist() == [{"ma": "01", "ten": names}, {"ma": "79", "ten": "B"}]


def test_a_zero_in_front_makes_a_column_of_texts_wherever_it_comes(tmp_path):
    lines = "".join(f"{n}\n" for n in range(10, 30_000))
    path = foreign.csv(tmp_path, text=f"ma,x\n{lines.replace(chr(10), ',1' + chr(10))}07,1\n")
    assert files.table(path).column("ma").to_pylist()[-1] == "07"


def test_types_hold_for_every_row(tmp_path):
    numbers = "".join(f"{n},1\n" for n in range(30_000))
    path = foreign.csv(tmp_path, text=f"so,x\n{numbers}không rõ,1\n")
    assert files.table(path).column("so").to_pylist()[-1] == "không rõ"


def test_as_text_nothing_is_changed(tmp_path):
    assert files.table(foreign.csv(tmp_path), as_text=True).column("so").to_pylist() == ["1", "2"]
    path = foreign.parquet(tmp_path, day=[dt.date(2026, 1, 2)], parts=[[1]])
    assert files.table(path, as_text=True).to_pylist() == [{"day": "2026-01-02", "parts": None}]
    assert files.table(foreign.excel(tmp_path), as_text=True).column("so").to_pylist() == ["1", "2"]


def test_a_sheet_may_have_a_title_gaps_dates_and_mixed_columns(tmp_path):
    day = dt.datetime.fromisoformat("2026-03-01")
    rows = [
        ("BÁO CÁO THÁNG",),
        (),
        ("Mã", "Ngày", "Số", None),
        ("01", day, 1, "a"),
        ("02", day, 2.5),
    ]
    table = files.table(foreign.excel(tmp_path, rows=rows))
    assert table.to_pylist() == [
        {"Mã": "01", "Ngày": day.date(), "Số": 1.0, "column4": "a"},
        {"Mã": "02", "Ngày": day.date(), "Số": 2.5, "column4": None},
    ]


def test_of_a_large_sheet_the_first_rows_are_looked_at(tmp_path):
    path = foreign.excel(tmp_path, rows=[("a",), *((n,) for n in range(50))])
    table, is_whole = excel.first_rows(path, 20)
    assert (table.num_rows, is_whole) == (19, False)


def test_two_columns_of_one_name_stay_two(tmp_path):
    table = files.table(foreign.excel(tmp_path, rows=[("a", "A", ""), (1, 2, 3)]))
    assert table.column_names == ["a", "A_2", "column3"]


def broken(folder):
    """Files that are not what they call themselves, with a word of what is said of them."""
    old = folder / "old.xlsx"
    old.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(600))
    text = folder / "text.xlsx"
    text.write_text("a,b\n1,2\n")
    cut = foreign.excel(folder, "cut.xlsx")
    cut.write_bytes(cut.read_bytes()[:-200])
    macros = foreign.with_part(foreign.excel(folder, "m.xlsx"), "xl/vbaProject.bin", b"x")
    bomb = foreign.with_part(foreign.excel(folder, "bomb.xlsx"), "xl/media/a.bin", bytes(300 << 20))
    renamed = folder / "renamed.csv"
    renamed.write_bytes(foreign.excel(folder).read_bytes())
    no_parquet = folder / "no.parquet"
    no_parquet.write_text(foreign.CSV)
    return {
        old: "password",
        text: "not an Excel workbook",
        cut: "not an Excel workbook",
        macros: "macros",
        bomb: "too large when unpacked",
        renamed: "not text, so not CSV",
        no_parquet: "not Parquet",
        foreign.csv(folder, "long.csv", "a,b\n1," + "x" * 3_000_000 + "\n"): "longer than 2 MB",
    }


@pytest.mark.slow
def test_what_is_no_table_is_refused_in_words(tmp_path):
    for path, words in broken(tmp_path).items():
        with pytest.raises(AttachmentError, match=words) as told:
            files.table(path)
        assert "xxxx" not in str(told.value)  # never what stands in the file
        with speaking("vi"):
            assert retold(str(told.value))


def test_an_xml_bomb_in_a_workbook_is_not_unfolded(tmp_path):
    layers = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10 if n else "lol"}">' for n in range(9))
    cell = '<c r="A1" t="inlineStr"><is><t>&e8;</t></is></c>'
    sheet = f'<worksheet xmlns="{MAIN}"><sheetData><row r="1">{cell}</row></sheetData></worksheet>'
    xml = f'<?xml version="1.0"?><!DOCTYPE s [{layers}]>{sheet}'
    path = foreign.with_part(foreign.excel(tmp_path), "xl/worksheets/sheet1.xml", xml)
    with pytest.raises(AttachmentError, match="not an Excel workbook"):
        files.table(path)


def test_a_row_at_the_end_of_the_sheet_takes_no_time(tmp_path):
    row = '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    xml = f'<worksheet xmlns="{MAIN}"><sheetData>{row}</sheetData></worksheet>'
    path = foreign.with_part(foreign.excel(tmp_path), "xl/worksheets/sheet1.xml", xml)
    with pytest.raises(AttachmentError, match="more than 500,000 cells"):
        files.table(path)


def test_csv_that_uses_no_encoding_that_is_known_is_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"ten\n\xd2\xe3\xff\x8a\x8d\n")
    assert csvs.encoding(path) == csvs.WINDOWS
    with pytest.raises(AttachmentError, match="cannot be read; save it as CSV"):
        files.table(path)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("../a.csv", "not the plain name"),
        ("/etc/a.csv", "not the plain name"),
        ("a\\b.csv", "not the plain name"),
        (".a.csv", "not the plain name"),
        ("a*.csv", "not the plain name"),
        ("a\n.csv", "not the plain name"),
        ("a\u202ecsv.exe.csv", "not the plain name"),
        ("", "not a CSV"),
        ("a.xlsm", "not a CSV, Parquet or Excel"),
        ("a.csv.gz", "not a CSV, Parquet or Excel"),
        ("a" * 120 + ".csv", "longer than"),
    ],
)
def test_only_a_plain_name_of_a_known_kind_is_a_name(name, words):
    with pytest.raises(AttachmentError, match=words):
        files.check_name(name)


@pytest.mark.parametrize("name", ["khách hàng.csv", "Q1 (2026).XLSX", "a.b.parquet"])
def test_names_as_people_give_them_are_names(name):
    files.check_name(name)
