from __future__ import annotations

import zipfile

import openpyxl
import polars as pl
import pytest

from riskset.ingest import write_query_list
from riskset.tables import PROVENANCE, fit


def tables(values):
    n = len(values)
    queries = fit(
        pl.DataFrame(
            {
                "centre": ["ankara"] * n,
                "patient": [f"p{i}" for i in range(n)],
                "check": ["V03"] * n,
                "severity": ["error"] * n,
                "action": ["set_missing"] * n,
                "table": ["drugs"] * n,
                "field": ["start"] * n,
                "source": [1] * n,
                "row": list(range(2, n + 2)),
                "message": ["Column 'start2': the date cannot be read."] * n,
                "value": values,
            },
            schema_overrides={"value": pl.String},
        ),
        PROVENANCE["queries"],
    )
    sources = fit(
        pl.DataFrame(
            {"source": [1], "centre": ["ankara"], "file": ["a.xlsx"], "sheet": ["S"], "sha256": ["0"], "rows": [9]}
        ),
        PROVENANCE["sources"],
    )
    fields = fit(
        pl.DataFrame(
            {"source": [1, 1], "table": ["drugs"] * 2, "field": ["start"] * 2, "column": ["start1", "start2"]}
        ),
        PROVENANCE["fields"],
    )
    return queries, sources, fields


def written(path):
    return openpyxl.load_workbook(path)["Queries"]


def test_a_row_says_where_and_what(tmp_path):
    write_query_list(tmp_path / "q.xlsx", *tables(["31.02.2020"]), centre="Centre A")
    sheet = written(tmp_path / "q.xlsx")
    assert [cell.value for cell in sheet[1]] == [
        "No.", "Patient", "File", "Sheet", "Row", "Column", "Found", "Question", "Severity", "Check", "Reply",
    ]  # fmt: skip
    assert [cell.value for cell in sheet[2]] == [
        1, "p0", "a.xlsx", "S", 2, "start2", "31.02.2020", "Column 'start2': the date cannot be read.", "error", "V03",
        None,
    ]  # fmt: skip
    assert sheet.freeze_panes == "A2"
    assert sheet["H2"].alignment.wrap_text
    assert sheet["A1"].font.bold
    assert sheet.column_dimensions["H"].width > 40
    assert sheet.row_dimensions[2].height >= 15
    assert sheet.print_title_rows == "$1:$1"


@pytest.mark.parametrize("value", ["=1+1", "+1", "-5", "@SUM(A1)", '=HYPERLINK("x")', "\t=1", "#N/A", "x\x07y"])
def test_nothing_is_run_as_a_formula(tmp_path, value):
    write_query_list(tmp_path / "q.xlsx", *tables([value]), centre="Centre A")
    cell = written(tmp_path / "q.xlsx")["G2"]
    assert cell.data_type == "s"
    assert cell.value == value.replace("\x07", "\ufffd")
    if value[0] in "=+-@\t":
        assert cell.quotePrefix


def test_errors_come_first(tmp_path):
    queries, sources, fields = tables(["a", "b", "c"])
    queries = queries.with_columns(severity=pl.Series(["info", "warning", "error"]))
    write_query_list(tmp_path / "q.xlsx", queries, sources, fields, centre="Centre A")
    assert [row[6].value for row in written(tmp_path / "q.xlsx").iter_rows(min_row=2)] == ["c", "b", "a"]


def test_no_queries_give_an_empty_list(tmp_path):
    queries, sources, fields = tables(["a"])
    write_query_list(tmp_path / "q.xlsx", queries.clear(), sources, fields, centre="Centre A")
    assert written(tmp_path / "q.xlsx").max_row == 1


def test_the_same_queries_give_the_same_bytes(tmp_path, monkeypatch):
    for name in ("one.xlsx", "two.xlsx"):
        write_query_list(tmp_path / name, *tables(["ş", None, "x" * 40_000]), centre="Centre A")
    assert (tmp_path / "one.xlsx").read_bytes() == (tmp_path / "two.xlsx").read_bytes()
    with zipfile.ZipFile(tmp_path / "one.xlsx") as archive:
        assert {part.date_time for part in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
        assert b"1980-01-01T00:00:00Z" in archive.read("docProps/core.xml")


def test_the_column_is_the_one_that_holds_the_found_text(tmp_path):
    queries, sources, fields = tables(["b"])
    queries = queries.with_columns(message=pl.lit("The date lies before birth."))
    cells = {"source": [1, 1, 1], "row": [2, 2, 3], "column": ["start1", "start2", "start1"], "text": ["a", " b", "b"]}
    sheets = fit(pl.DataFrame(cells), PROVENANCE["sheets"])
    write_query_list(tmp_path / "q.xlsx", queries, sources, fields, centre="Centre A", sheets=sheets)
    assert written(tmp_path / "q.xlsx")["F2"].value == "start2"


def test_the_same_query_is_told_once(tmp_path):
    queries, sources, fields = tables(["b"])
    write_query_list(tmp_path / "q.xlsx", pl.concat([queries, queries]), sources, fields, centre="Centre A")
    assert written(tmp_path / "q.xlsx").max_row == 2


def test_a_sentence_of_many_patients_is_one_row_and_its_patients_are_listed(tmp_path):
    queries, sources, fields = tables([None] * 12 + ["c", "d"])
    write_query_list(tmp_path / "q.xlsx", queries, sources, fields, centre="Centre A")
    book = openpyxl.load_workbook(tmp_path / "q.xlsx")
    main = [[cell.value for cell in row] for row in book["Queries"].iter_rows(min_row=2)]
    assert [(row[0], row[1], row[4], row[6]) for row in main] == [
        (1, "(12 patients)", None, None),
        (2, "p12", 14, "c"),
        (3, "p13", 15, "d"),
    ]
    listed = [[cell.value for cell in row] for row in book["Patients"].iter_rows(min_row=2)]
    assert len(listed) == 12
    assert listed[0] == [1, "p0", 2]


def test_a_long_question_has_a_row_that_holds_it(tmp_path):
    queries, sources, fields = tables(["a"])
    queries = queries.with_columns(message=pl.lit("word " * 60))
    write_query_list(tmp_path / "q.xlsx", queries, sources, fields, centre="Centre A")
    assert written(tmp_path / "q.xlsx").row_dimensions[2].height >= 15 * (300 // 44)
