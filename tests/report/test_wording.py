"""What the sentences say, and what they never say."""

from __future__ import annotations

import re

import pytest

from riskset.report import rules, sentences
from riskset.report.labels import Labels
from riskset.report.parameters import Parameters, in_words
from riskset.report.reader import Reader
from riskset.report.sections import document
from riskset.report.tablemodel import Bullets, Paragraph, Table, figures_of, plain
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
    "word",
    [
        r"\bNS\b",
        "no difference",
        "no impact",
        "not significant",
        "equivalent",
        r"(?<!death of any )\bcauses?\b",
        "predictive",
    ],
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


def test_methods_are_prose_and_fall_back_to_a_readable_sentence() -> None:
    w = RowWriter(analysis="definitions")
    for path, text in (
        ("covariates.setting.rule", "setting"),
        ("covariates.setting.de_novo_days", "120"),
        ("covariates.several.rule", "classes"),
        ("covariates.several.levels.one", "n_organs = 1"),
        ("covariates.several.levels.more", "n_organs >= 2"),
        ("covariates.age.rule", "unheard_of"),
        ("covariates.age.window_days", "30"),
        ("endpoints.pfs.kind", "pfs"),
        ("endpoints.pfs.scheme", "fda_a"),
        ("endpoints.pfs.max_gap_days", "180"),
    ):
        w.word("definition", text, variable=path)
    found = Reader(make_protocol(), Results(w.rows))
    parameters = Parameters(found)
    setting = rules.covariate(found, parameters, "setting")
    assert "found within 120 days of the diagnosis" in plain(setting)
    assert (
        next(part.row for part in setting if part.text == "120")
        == "definitions/definition[covariates.setting.de_novo_days]"
    )
    assert plain(rules.covariate(found, parameters, "several")) == (
        "Several: grouped as one (number of metastatic organs = 1) or more (number of metastatic organs ≥ 2)."
    )
    assert plain(rules.covariate(found, parameters, "age")) == "Age: defined by window days 30."
    pfs = plain(rules.endpoint(found, parameters, "pfs"))
    assert "censored at the last adequate assessment before a new anticancer therapy" in pfs
    assert "gap of more than 180 days" in pfs


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("inn IN ('a', 'b') AND coalesce(intent, 'x') = 'x'", "drug a or b and treatment intent x (or not recorded)"),
        ("index_date BETWEEN '2018-01-01' AND '2022-12-31'", "index date from 2018-01-01 to 2022-12-31"),
        ("CASE WHEN a THEN b END", None),
        ("substring(a, 1) = 'b'", None),
    ],
)
def test_simple_conditions_are_put_into_words_and_others_left_alone(condition: str, words: str | None) -> None:
    assert in_words(Labels(make_protocol()), condition) == words


def test_an_empty_group_is_named_and_gets_no_p_value_of_other_groups() -> None:
    w = RowWriter(analysis="pfs_her2", endpoint="pfs", plan="primary")
    for group, number in ((None, 90), ("zero", 50), ("low", 40), ("ultralow", 0)):
        key = {} if group is None else {"group": "her2", "group_level": group}
        w.add("n", number, **key)
        w.add("events", number, **key)
    w.add("p_value", 0.94, method="logrank", variable="her2")
    pair = w.within(method="cox", variable="her2", reference="zero")
    pair.estimate("hazard_ratio", 0.9, 0.6, 1.3, level="low")
    pair.estimate("hazard_ratio", None, None, None, level="ultralow", warning="A group has no patient.")
    text = plain(sentences.survival(Reader(make_protocol(), Results(w.rows)), "pfs_her2")[0]).replace("\xa0", " ")
    assert "HER2-ultralow against HER2-zero: hazard ratio not estimable (no patient in HER2-ultralow)." in text
    assert text.count("P = .94") == 1


def test_a_rate_without_an_interval_is_no_duration_that_was_not_reached() -> None:
    w = RowWriter(analysis="pfs_her2", endpoint="pfs")
    w.estimate("survival", 1.0, None, None, time=180.0)
    found = Reader(None, Results(w.rows))
    parts = found.estimate(found.find("pfs_her2", "survival"))
    assert plain(parts) == "100.0 (–)"
    assert [part.note for part in parts if part.note] == ["Confidence interval not estimable."]


def test_a_curve_is_thin_and_without_a_band_where_few_remain_at_risk(written: Written) -> None:
    figure = next(f for f in figures_of(written.document.sections) if f.id == "pfs_her2-all")
    assert figure.spec is not None
    band, line, tail = figure.spec["layer"][:3]
    for group in ("HER2-zero", "HER2-low"):
        ends = [max(v["t"] for v in layer["data"]["values"] if v["g"] == group) for layer in (band, line)]
        begins = min(v["t"] for v in tail["data"]["values"] if v["g"] == group)
        assert ends == [begins, begins]
    assert "number at risk below 10" in figure.notes[0]


def test_statements_among_the_claims_say_what_they_expect(written: Written) -> None:
    table = next(b for s in written.document.sections for b in s.blocks if getattr(b, "id", "") == "claims-table")
    cells = next([plain(c) for c in line.cells] for line in table.lines if plain(line.cells[0]).startswith("P of the"))
    assert cells[1:3] == ["expected: P below .05", ".40"]


def test_schemes_with_the_same_numbers_say_so(written: Written) -> None:
    table = next(b for s in written.document.sections for b in s.blocks if getattr(b, "id", "") == "pfs_schemes-table")
    assert [note for _, note in table.footnotes] == [
        "Same numbers as under EMA-like: every progression or death counts."
    ]
