from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pyreadstat
import pytest

from riskset.errors import DataRefusedError
from riskset.ingest import Kind, ReadOptions, SheetRequest
from riskset.ingest.readers import read


@pytest.fixture
def path(tmp_path):
    frame = pl.DataFrame(
        {
            "hasta": [1.0, 2.0, 3.0],
            "cinsiyet": [1.0, 2.0, 9.0],
            "ki67": [13.1, 99.0, None],
            "tani": [date(2020, 5, 3), None, date(2021, 1, 2)],
            "goruntu": [datetime(2020, 5, 3, 13, 45), None, None],
            "her2": ["skor 1", "yok", "İĞÜŞ  "],
        }
    )
    pyreadstat.write_sav(
        frame,
        str(tmp_path / "a.sav"),
        variable_value_labels={"cinsiyet": {1.0: "Kadın", 2.0: "Erkek"}},
        missing_ranges={"cinsiyet": [9], "ki67": [{"lo": 90, "hi": 99}], "her2": ["yok"]},
    )
    return tmp_path / "a.sav"


def test_codes_labels_dates_and_declared_missing(path):
    (sheet,) = read(path, ReadOptions("a.sav"))
    assert sheet.cells.to_dict(as_series=False) == {
        "hasta": ["1", "2", "3"],
        "cinsiyet": ["1", "2", None],
        "ki67": ["13.1", None, None],
        "tani": ["2020-05-03", None, "2021-01-02"],
        "goruntu": ["2020-05-03 13:45:00", None, None],
        "her2": ["skor 1", None, "İĞÜŞ"],
    }
    assert sheet.row_numbers.to_list() == [1, 2, 3], "case numbers"
    assert sheet.kinds.row(0) == (Kind.NUMBER, Kind.NUMBER, Kind.NUMBER, Kind.DATE, Kind.DATE, Kind.TEXT)
    assert sheet.labels == {"cinsiyet": {"1": "Kadın", "2": "Erkek"}}
    assert sheet.date_origin is None, "a number variable is no serial day"


@pytest.mark.parametrize("request_", [SheetRequest("Sayfa"), SheetRequest(None, 2)])
def test_no_sheet_and_no_header_row(path, request_):
    with pytest.raises(DataRefusedError, match=r"a\.sav is an SPSS file"):
        list(read(path, ReadOptions("a.sav", (request_,))))


@pytest.mark.parametrize("cut", [10, 200])
def test_a_damaged_file(path, cut):
    path.write_bytes(path.read_bytes()[:cut])
    with pytest.raises(DataRefusedError, match=r"a\.sav cannot be read as an SPSS file"):
        list(read(path, ReadOptions("a.sav")))


def test_a_file_without_cases(tmp_path):
    frame = pl.DataFrame({"x": [1.0]}).head(0)
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"))
    with pytest.raises(DataRefusedError, match=r"no row of data"):
        list(read(tmp_path / "a.sav", ReadOptions("a.sav")))
