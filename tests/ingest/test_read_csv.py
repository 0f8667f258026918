from __future__ import annotations

import pytest
from tests.ingest.conftest import write_csv

from riskset.errors import DataRefusedError
from riskset.ingest import Kind, ReadOptions, SheetRequest
from riskset.ingest.readers import read


def one(path, **options):
    header_row = options.pop("header_row", 1)
    (sheet,) = read(path, ReadOptions(path.name, (SheetRequest(None, header_row),), **options))
    return sheet


def test_cells_rows_and_kinds(tmp_path):
    sheet = one(write_csv(tmp_path / "a.csv", "id,x\n1,a\n\n , \n2,\n"))
    assert sheet.name is None
    assert sheet.cells.to_dict(as_series=False) == {"id": ["1", "2"], "x": ["a", None]}
    assert sheet.row_numbers.to_list() == [2, 5], "blank records count, but are no rows"
    assert sheet.kinds.to_dict(as_series=False) == {"id": [Kind.TEXT] * 2, "x": [Kind.TEXT, Kind.EMPTY]}


def test_a_line_end_inside_quotes_does_not_count(tmp_path):
    sheet = one(write_csv(tmp_path / "a.csv", 'id,x\n1,"two\nlines, ""quoted"""\n2,b\n'))
    assert sheet.cells["x"].to_list() == ['two\nlines, "quoted"', "b"]
    assert sheet.row_numbers.to_list() == [2, 3]


@pytest.mark.parametrize("delimiter", [";", ",", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    rows = [["id", "yaş", "er"], ["1", "54", "x"], ["2", "61", "y"]]
    sheet = one(write_csv(tmp_path / "a.csv", "\n".join(delimiter.join(row) for row in rows)))
    assert sheet.columns == ("id", "yaş", "er")


def test_decimal_commas_do_not_hide_the_semicolon(tmp_path):
    sheet = one(write_csv(tmp_path / "a.csv", "id;ki67;er\n1;12,5;90,0\n2;14,5;80,0\n"))
    assert sheet.cells["ki67"].to_list() == ["12,5", "14,5"]


def test_a_declared_delimiter_wins(tmp_path):
    assert one(write_csv(tmp_path / "a.csv", "a;b,c;d\n1;2,3;4\n"), delimiter=",").columns == ("a;b", "c;d")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1254"])
def test_turkish_letters_in_every_encoding(tmp_path, encoding):
    path = write_csv(tmp_path / "a.csv", "Hasta;Şehir\nİĞÜŞÖÇ ıi;ğüşöç\n", encoding)
    sheet = one(path)
    assert sheet.columns == ("Hasta", "Şehir")
    assert sheet.cells.row(0) == ("İĞÜŞÖÇ ıi", "ğüşöç")
    assert bool(sheet.notes) == (encoding == "cp1254"), "an assumed encoding is told"
    assert one(path, encoding=encoding).notes == ()


def test_bytes_of_no_encoding_are_refused(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes(b"id;x\n1;\x81\x8d\n")
    with pytest.raises(DataRefusedError, match=r"a\.csv is in none of the encodings .* `encoding`"):
        one(path)


def test_a_wrong_declared_encoding_is_refused_with_its_line(tmp_path):
    path = write_csv(tmp_path / "a.csv", "id;x\n1;ş\n", "cp1254")
    with pytest.raises(DataRefusedError, match=r"a\.csv, line 2, cannot be read as utf-8"):
        one(path, encoding="utf-8")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("id,x\n1,a,b\n", r"record 2, has more cells than the header"),
        ('id,x\n1,"a\n', r"record 2, cannot be read"),
        ('id,x\n1,"a"b\n', r"record 2, cannot be read"),
        ("id,x,id\n1,a,b\n", r"names two columns 'id' \(A and C\)"),
        ("id,x\n", r"no row of data"),
        (",,\n1,2,3\n", r"holds no column names"),
    ],
)
def test_structure_that_does_not_fit_is_refused(tmp_path, text, message):
    with pytest.raises(DataRefusedError, match=message) as caught:
        one(write_csv(tmp_path / "a.csv", text), delimiter=",")
    assert "a.csv" in str(caught.value)


def test_no_sheets_in_a_text_file(tmp_path):
    path = write_csv(tmp_path / "a.csv", "id,x\n1,a\n")
    with pytest.raises(DataRefusedError, match="remove `sheet`"):
        list(read(path, ReadOptions("a.csv", (SheetRequest("Hastalar", 1),))))


def test_header_further_down(tmp_path):
    sheet = one(write_csv(tmp_path / "a.csv", "Liste\n\nid;x\n1;a\n"), header_row=3)
    assert sheet.columns == ("id", "x")
    assert sheet.row_numbers.to_list() == [4]


def test_many_rows_cross_the_chunks(tmp_path):
    text = "id,x\n" + "".join(f"{i},{i % 7 or ''}\n" for i in range(45_000))
    sheet = one(write_csv(tmp_path / "a.csv", text))
    assert sheet.cells["id"].to_list() == [str(i) for i in range(45_000)]
    assert sheet.row_numbers.to_list() == list(range(2, 45_002))
    assert sheet.cells["x"].null_count() == len(range(0, 45_000, 7))


@pytest.mark.parametrize("head", [b"PK\x03\x04rest", b"$FL2rest", b"\x00\x01\x02", b"\xd0\xcf\x11\xe0rest"])
def test_another_format_under_the_name_of_text(tmp_path, head):
    path = tmp_path / "a.csv"
    path.write_bytes(head)
    with pytest.raises(DataRefusedError, match=r"a\.csv is "):
        one(path)
