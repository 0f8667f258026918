"""What the sentences say, and what they never say."""

from __future__ import annotations

import re

import pytest

from riskset.report.sections import document
from riskset.report.tablemodel import Bullets, Paragraph, Table, plain
from riskset.results import Results, RowWriter

from .conftest import Written
from .synthetic import make_protocol, make_rows


def _all_texts(written: Written) -> list[str]:
    texts = []
    for section in written.document.sections:
        for block in section.blocks:
            if isinstance(block, Paragraph):
                texts.append(plain(block.text))
            elif isinstance(block, Bullets):
                texts += [plain(item) for item in block.items]
            elif isinstance(block, Table):
                texts += [block.title, *block.notes]
    return [text.replace("\xa0", " ") for text in texts]


@pytest.mark.parametrize(
    "word", [r"\bNS\b", "no difference", "no impact", "not significant", "equivalent", r"\bcauses?\b", "predictive"]
)
def test_words_that_claim_too_much_are_never_written(written: Written, word: str) -> None:
    assert [text for text in _all_texts(written) if re.search(word, text)] == []


def test_an_interval_across_one_says_what_it_leaves_open(written: Written) -> None:
    sentence = next(text for text in _all_texts(written) if text.startswith("All patients. 141 events"))
    assert "log-rank P = .40. The data are compatible with hazard ratios from 0.63 to 1.20" in sentence


def test_an_interval_on_one_side_leaves_nothing_open() -> None:
    w = RowWriter(analysis="pfs_her2", endpoint="pfs", plan="primary")
    for group in (None, "zero", "low"):
        key = {} if group is None else {"group": "her2", "group_level": group}
        w.add("n", 50, **key)
        w.add("events", 30, **key)
    pair = w.within(method="cox", variable="her2", level="low", reference="zero")
    pair.estimate("hazard_ratio", 0.5, 0.3, 0.8)
    rows = [row for row in make_rows() if row.analysis != "pfs_her2"]
    made = document(make_protocol(), Results([*rows, *w.rows]), [], [], {})
    survival = next(s for s in made.sections if s.id == "survival")
    sentence = next(plain(b.text) for b in survival.blocks if isinstance(b, Paragraph) and "30 events" in plain(b.text))
    assert "hazard ratio 0.50 (95% CI 0.30–0.80)" in sentence
    assert "compatible" not in sentence


def test_subgroups_are_told_with_their_interaction_and_their_number(written: Written) -> None:
    sentence = next(text for text in _all_texts(written) if text.startswith("Metastatic setting, De novo v Recurrent"))
    assert sentence.endswith("P for interaction = .16, exploratory.")
    assert "HER2-zero: hazard ratio 1.60 (95% CI 1.02–2.50) and HER2-low: hazard ratio 1.60" in sentence


def test_methods_name_the_parameters_in_force(written: Written) -> None:
    methods = next(s for s in written.document.sections if s.id == "methods")
    text = " ".join(
        plain(b.text) if isinstance(b, Paragraph) else " ".join(plain(i) for i in b.items)
        for b in methods.blocks
        if isinstance(b, Paragraph | Bullets)
    )
    assert "a month is 30.4375 days; no day is added" in text
    assert "HER2: adjusted" not in text
    assert "cut off on 2023-03-31" in text
    parameters = next(
        b for s in written.document.sections for b in s.blocks if getattr(b, "id", "") == "definitions-table"
    )
    values = " ".join(plain(cell) for line in parameters.lines for cell in line.cells)
    assert "sd_min: 0" in values
    assert "de_novo_days: 90" in values
