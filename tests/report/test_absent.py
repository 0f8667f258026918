"""Rows that are missing never end a report: the section says what is absent."""

from __future__ import annotations

import pytest

from riskset.report.sections import document
from riskset.report.tablemodel import Document, Paragraph, Table, plain
from riskset.results import ResultRow, Results, RowWriter

from .synthetic import MANIFEST, make_protocol, make_rows

# Curves are most of the rows; a few steps of each will do here.
ROWS = [row for row in make_rows() if row.method != "curve" or (row.time or 0) < 60]
ANALYSES = sorted({row.analysis for row in ROWS})


def _document(rows: list[ResultRow]) -> Document:
    return document(make_protocol(), Results(rows), [], [], MANIFEST)


def _texts(made: Document) -> list[str]:
    return [plain(b.text) for s in made.sections for b in s.blocks if isinstance(b, Paragraph) and b.style == "absent"]


def test_a_report_of_no_rows_at_all_says_what_is_missing() -> None:
    texts = _texts(_document([]))
    assert any("analysis pfs_her2" in text for text in texts)
    assert any("No analysis was declared primary" in text for text in texts)
    assert any("parameters in force were not given" in text for text in texts)
    assert any("No claims file" in text for text in texts)


@pytest.mark.parametrize("analysis", ANALYSES)
def test_any_analysis_may_be_absent(analysis: str) -> None:
    made = _document([row for row in ROWS if row.analysis != analysis])
    if analysis not in ("data_quality", "definitions"):
        assert any(f"analysis {analysis}" in text for text in _texts(made))


@pytest.mark.parametrize("analysis", ANALYSES)
def test_any_statistic_of_any_analysis_may_be_absent(analysis: str) -> None:
    for statistic in sorted({row.statistic for row in ROWS if row.analysis == analysis}):
        made = _document([row for row in ROWS if (row.analysis, row.statistic) != (analysis, statistic)])
        assert not any(word in ("None", "nan") for text in _texts(made) for word in text.split())


@pytest.mark.parametrize("status", ["not_estimable", "beyond_follow_up", "withheld", "suppressed", "not_reached"])
def test_any_number_may_be_without_a_value(status: str) -> None:
    fields = ROWS[0].__dataclass_fields__
    emptied = [
        ResultRow(**{**{f: getattr(row, f) for f in fields}, "value": None, "status": status, "row": ""})
        if row.value is not None
        else row
        for row in ROWS
    ]
    assert not any(word in ("None", "nan") for text in _texts(_document(emptied)) for word in text.split())


def test_an_analysis_of_an_unknown_kind_gets_a_plain_table() -> None:
    made = _document(ROWS)
    table = next(b for s in made.sections for b in s.blocks if isinstance(b, Table) and b.id == "unheard_of-rows-table")
    assert "12.3 (8.0–18.0)" in [plain(cell) for cell in table.lines[0].cells]


def test_what_was_withheld_says_why() -> None:
    w = RowWriter(analysis="pfs_her2", endpoint="pfs", plan="primary")
    w.add("hazard_ratio", None, status="withheld", variable="her2", warning="The diagnostic follow_up failed.")
    made = _document([*(row for row in ROWS if row.analysis != "pfs_her2"), *w.rows])
    warnings = [
        plain(b.text) for s in made.sections for b in s.blocks if isinstance(b, Paragraph) and b.style == "warning"
    ]
    assert "Withheld: The diagnostic follow_up failed." in warnings


def test_the_order_is_a_journals_whatever_the_ids() -> None:
    made = _document(ROWS)
    names = [section.id for section in made.sections]
    assert names == ["summary", "methods", "patients", "survival", "models", "response", "subgroups", "sensitivity",
                     "further", "review", "quality", "reproduction", "claims"]  # fmt: skip
    tables = [b for s in made.sections for b in s.blocks if isinstance(b, Table)]
    first = next(table for table in tables if table.number == "Table 1")
    assert first.id == "baseline-table"
