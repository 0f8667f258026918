from __future__ import annotations

import zipfile
from datetime import date, datetime, time

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from tests.ingest.conftest import write_csv, write_xlsx

from riskset.errors import DataRefusedError
from riskset.ingest import Kind, ReadOptions, SheetRequest
from riskset.ingest.readers import read, xlsx


def one(path, name=None, header_row=1):
    (sheet,) = read(path, ReadOptions(path.name, (SheetRequest(name, header_row),)))
    return sheet


def test_a_column_may_mix_dates_numbers_and_texts(tmp_path):
    column = [datetime(2020, 5, 3), date(2020, 5, 4), "05.05.2020", 43954, 13.100000000000001, 7.0, True, "#N/A",
              datetime(2020, 5, 3, 13, 45), time(3, 4), "'=1+1"]  # fmt: skip
    sheet = one(write_xlsx(tmp_path / "a.xlsx", {"S": [["x"], *[[cell] for cell in column]]}))
    assert sheet.cells["x"].to_list() == [
        "2020-05-03", "2020-05-04", "05.05.2020", "43954", "13.1", "7", "TRUE", "#N/A", "2020-05-03 13:45:00",
        "03:04:00", "'=1+1",
    ]  # fmt: skip
    assert sheet.kinds["x"].to_list() == [
        Kind.DATE, Kind.DATE, Kind.TEXT, Kind.NUMBER, Kind.NUMBER, Kind.NUMBER, Kind.BOOLEAN, Kind.ERROR, Kind.DATE,
        Kind.DATE, Kind.TEXT,
    ]  # fmt: skip
    assert sheet.date_origin == date(1899, 12, 30)


def test_title_block_empty_rows_and_numbers_of_rows(tmp_path):
    rows = [["Klinik"], [], ["Hasta No ", "Doğum\ntarihi", None], [1, "a"], [None, " "], [2, None, "x"]]
    sheet = one(write_xlsx(tmp_path / "a.xlsx", {"S": rows}), header_row=3)
    assert sheet.columns == ("Hasta No", "Doğum tarihi", "(column C)")
    assert sheet.cells.rows() == [("1", "a", None), ("2", None, "x")]
    assert sheet.row_numbers.to_list() == [4, 6]


def test_the_1904_system_is_honoured(tmp_path):
    book = openpyxl.Workbook()
    book.epoch = CALENDAR_MAC_1904
    book.active.append(["x"])
    book.active.append([datetime(2020, 5, 3)])
    book.active.append([42492])
    book.save(tmp_path / "a.xlsx")
    sheet = one(tmp_path / "a.xlsx")
    assert sheet.cells["x"].to_list() == ["2020-05-03", "42492"]
    assert sheet.date_origin == date(1904, 1, 1)


def test_hidden_rows_are_read_and_merged_cells_are_not_filled(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", {"S": [["id", "x"], [1, "a"], [2, None], [3, "b"]]})
    book = openpyxl.load_workbook(path)
    book["S"].row_dimensions[4].hidden = True
    book["S"].merge_cells("B2:B3")
    book.save(path)
    assert one(path).cells["x"].to_list() == ["a", None, "b"]


def test_sheets_come_in_the_order_asked_for(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", {"A": [["x"], [1]], "B": [["y"], [2]]})
    sheets = list(read(path, ReadOptions("a.xlsx", (SheetRequest("B"), SheetRequest("A")))))
    assert [sheet.name for sheet in sheets] == ["B", "A"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("Hastlar", r"a\.xlsx has no sheet 'Hastlar' \(did you mean 'Hastalar'\?\)"),
        ("xyz", r"a\.xlsx has no sheet 'xyz'; it has 'Hastalar', 'Boş'"),
        (None, r"a\.xlsx has 2 sheets \('Hastalar', 'Boş'\); name one"),
        ("Boş", r"Row 1 of a\.xlsx, sheet 'Boş', holds no column names"),
    ],
)
def test_a_sheet_that_is_not_there(tmp_path, name, message):
    path = write_xlsx(tmp_path / "a.xlsx", {"Hastalar": [["x"], [1]], "Boş": []})
    with pytest.raises(DataRefusedError, match=message):
        one(path, name)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([["id", "x", "id "], [1, 2, 3]], r"names two columns 'id' \(A and C\)"),
        ([["id", "x"]], r"no row of data"),
        ([[], ["id"], [1]], r"Row 1 .* holds no column names; set `header_row`"),
    ],
)
def test_headers_that_do_not_fit(tmp_path, rows, message):
    with pytest.raises(DataRefusedError, match=message):
        one(write_xlsx(tmp_path / "a.xlsx", {"S": rows}))


def test_a_formula_without_a_stored_value_is_a_kind_of_its_own(tmp_path):
    sheet = one(write_xlsx(tmp_path / "a.xlsx", {"S": [["id", "x", "y"], [1, "=A2+1", 3], [None, None, "=1"]]}))
    assert sheet.cells.rows() == [("1", None, "3"), (None, None, None)]
    assert sheet.kinds.rows() == [(Kind.NUMBER, Kind.UNSTORED, Kind.NUMBER), (Kind.EMPTY, Kind.EMPTY, Kind.UNSTORED)]


def test_a_formula_gives_its_stored_value(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", {"S": [["id", "x", "y"], [1, "=A2+1", '=""']]})
    edited = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(edited, "w") as new:
        for part in old.namelist():
            content = old.read(part).decode()
            if part.endswith("sheet1.xml"):
                assert content.count("<v></v>") + content.count("<v />") + content.count("<v/>") == 2
                for empty in ("<v></v>", "<v />", "<v/>"):
                    content = content.replace(f"<f>A2+1</f>{empty}", "<f>A2+1</f><v>2</v>")
                content = content.replace('<c r="C2">', '<c r="C2" t="str">')
            new.writestr(part, content)
    assert one(edited).cells.row(0) == ("1", "2", None)


def test_text_under_the_name_of_a_workbook(tmp_path):
    path = write_csv(tmp_path / "a.xlsx", "id,x\n1,2\n")
    with pytest.raises(DataRefusedError, match=r"a\.xlsx is no \.xlsx file: its content reads as \.csv"):
        one(path)


def test_an_old_or_protected_workbook(tmp_path):
    path = tmp_path / "a.xlsx"
    path.write_bytes(b"\xd0\xcf\x11\xe0" + bytes(100))
    with pytest.raises(DataRefusedError, match=r"protected by a password"):
        one(path)


@pytest.mark.parametrize("cut", [30, 500, 3000])
def test_a_truncated_workbook(tmp_path, cut):
    path = write_xlsx(tmp_path / "a.xlsx", {"S": [["x"], [1]]})
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataRefusedError, match=r"a\.xlsx is a damaged workbook"):
        one(path)


def test_a_zip_that_is_no_workbook(tmp_path):
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("hello.txt", "hello")
    with pytest.raises(DataRefusedError, match=r"a\.xlsx is no Excel workbook"):
        one(tmp_path / "a.xlsx")


@pytest.mark.parametrize("broken", [b"<worksheet><sheetData><row", b"not xml at all", b""])
def test_a_sheet_that_is_no_xml(tmp_path, broken):
    path = write_xlsx(tmp_path / "a.xlsx", {"S": [["x"], [1]]})
    edited = tmp_path / "b.xlsx"
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(edited, "w") as new:
        for part in old.namelist():
            new.writestr(part, broken if part.endswith("sheet1.xml") else old.read(part))
    with pytest.raises(DataRefusedError, match=r"b\.xlsx"):
        one(edited)


def test_a_zip_bomb_is_not_unpacked(tmp_path):
    path = write_xlsx(tmp_path / "a.xlsx", {"S": [["x"], [1]]})
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/bomb.xml", bytes(xlsx._RATIO_COUNTS_FROM + 1))
        archive.writestr("xl/bomb2.xml", bytes(xlsx._RATIO_COUNTS_FROM * 2))
    with pytest.raises(DataRefusedError, match=r"a\.xlsx unpacks to \d+ MiB"):
        one(path)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("a.docx", b"hello", r"a\.docx ends in '\.docx' but reads as \.csv"),
        ("a.xlsx", b"", r"a\.xlsx is empty"),
        ("a.pdf", b"%PDF-1.7\x00", r"a\.pdf is of no format that can be read; save it as one of \.csv"),
    ],
)
def test_formats_that_cannot_be_read(tmp_path, name, content, message):
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(DataRefusedError, match=message):
        one(path)
