"""Layout of one component; the proof of a number stands elsewhere."""

from __future__ import annotations

from syrupy.assertion import SnapshotAssertion

from riskset.report import html, word
from riskset.report.tablemodel import Heading, Part, Section, TableBuilder, headings, inline


def _table():
    spans = (Heading(inline("")), Heading(inline("Group"), 2))
    builder = TableBuilder("small", "A small table.", [spans, headings("Term", "HR (95% CI)", "P")])
    builder.section("First part")
    number = inline(Part("0.87", "a/hazard_ratio"), " (", Part("0.63", "a/low"), "–", Part("1.20", "a/high"), ")")
    builder.line("HER2-low", number, Part(".40", "a/p"), indent=1)
    builder.line("Bone", Part("n/a", "b/hazard_ratio", "It separates."), "", kind="total")
    builder.notes.append("HR: hazard ratio.")
    return builder.finish()


def test_layout_of_a_table_in_html(snapshot: SnapshotAssertion) -> None:
    text = html.fragment([Section("s", "", (_table(),))], {})
    assert text[text.index('<div class="table-box"') :] == snapshot


def test_layout_of_a_table_in_word(snapshot: SnapshotAssertion) -> None:
    assert word._block(_table()).replace("</w:tr>", "</w:tr>\n") == snapshot
