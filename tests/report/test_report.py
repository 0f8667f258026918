"""The written report: one file that loads nothing, every number traced, nothing that a hospital wrote is markup."""

from __future__ import annotations

import hashlib
import json
import re
import zipfile
from base64 import b64encode
from html.parser import HTMLParser
from pathlib import Path

import pytest
from lxml import etree

from riskset import report
from riskset.report import format as fmt
from riskset.report.tablemodel import Bullets, Figure, Paragraph, Table
from riskset.results import DAYS_PER_MONTH, Results

from .conftest import Written, write
from .synthetic import make_protocol, make_results, make_rows, make_verdicts

W = "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}"
NAMESPACES = {"http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"}


class _Page(HTMLParser):
    """Collects what a page would load, the rows it names and its scripts."""

    def __init__(self) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.rows: list[str] = []
        self.ids: list[str] = []
        self.links: list[str] = []
        self.policy = ""
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        self.tags.append(tag)
        self.loads += [found[name] for name in ("src", "srcset", "data", "action", "poster") if name in found]
        if tag in ("link", "iframe", "object", "embed", "base", "form"):
            self.loads.append(tag)
        if tag == "a":
            self.links.append(found.get("href", ""))
        if "data-row" in found:
            self.rows.append(found["data-row"])
        if "id" in found:
            self.ids.append(found["id"])
        if found.get("http-equiv") == "Content-Security-Policy":
            self.policy = found["content"]


def _page(text: str) -> _Page:
    page = _Page()
    page.feed(text)
    return page


def _scripts(text: str) -> list[tuple[str, str]]:
    """Give the type and the content of each script element."""
    return re.findall(r'<script(?: type="([^"]+)"[^>]*)?>(.*?)</script>', text, re.S)


def test_the_page_is_one_file_that_loads_nothing(written: Written) -> None:
    page = _page(written.html)
    assert page.loads == []
    assert all(link.startswith("#") and link[1:] in page.ids for link in page.links)
    assert set(re.findall(r"https?://[^\s\"'<>)]+", written.html)) <= NAMESPACES
    assert "default-src 'none'" in page.policy
    scripts = page.policy.split("script-src")[1].split(";")[0].split()
    found = [text for kind, text in _scripts(written.html) if not kind]
    assert scripts == [f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'" for text in found]
    assert "eval" not in page.policy
    assert not re.search(r"url\((?!#)|@import", written.html.split("</style>")[0])


def test_ids_are_unique_though_many_figures_share_a_page(written: Written) -> None:
    page = _page(written.html)
    assert len(page.ids) == len(set(page.ids))


def test_every_row_that_the_page_names_exists(written: Written) -> None:
    page = _page(written.html)
    assert len(page.rows) > 500
    assert set(page.rows) <= set(written.results.by_name)


# Tables whose numbers are not results: what others printed, what the software is.
NOT_RESULTS = {"provenance-table": (1,), "claims-table": (1,), "findings-table": (1, 2, 3, 4)}


def test_every_number_in_a_table_cell_names_its_row(written: Written) -> None:
    tables = [b for s in written.document.sections for b in s.blocks if isinstance(b, Table)]
    assert len(tables) > 15
    untraced = []
    for table in tables:
        for line in table.lines:
            for k, cell in enumerate(line.cells[1:], start=1):
                if k in NOT_RESULTS.get(table.id, ()) or (table.alignment[k] == "l" and k < 3):
                    continue
                for part in cell:
                    if any(c.isdigit() for c in part.text) and part.text != "1 (reference)":
                        untraced += [(table.id, part.text)] if part.row not in written.results.by_name else []
    assert untraced == []


def test_every_number_in_a_sentence_of_the_results_names_its_row(written: Written) -> None:
    chapters = [s for s in written.document.sections if s.id in ("survival", "models", "response")]
    texts = [b.text for s in chapters for b in s.blocks if isinstance(b, Paragraph) and b.style == "normal"]
    texts += [i for s in chapters for b in s.blocks if isinstance(b, Bullets) for i in b.items]
    assert texts
    for text in texts:
        for part in text:
            words = re.sub(r"HER2|CDK4/6|95% CI", "", part.text)
            assert part.row is not None or not any(c.isdigit() for c in words), part.text


def test_figures_have_a_description_with_their_numbers_and_lie_beside_the_report(written: Written) -> None:
    figures = [b for s in written.document.sections for b in s.blocks if isinstance(b, Figure)]
    assert [f.number for f in figures] == [f"Figure {k + 1}" for k in range(len(figures))]
    for figure in figures:
        assert any(c.isdigit() for c in figure.alternative)
        assert (written.folder / "figures" / f"{figure.id}.svg").read_text(encoding="utf-8").startswith("<svg")
        picture = (written.folder / "figures" / f"{figure.id}.png").read_bytes()
        assert int.from_bytes(picture[16:20], "big") >= 3000  # 600 dpi of at least five inches
        assert b"pHYs" + (23622).to_bytes(4, "big") in picture  # 600 dots an inch in dots a metre
    curve = next(f for f in figures if f.id == "pfs_her2-all")
    assert "HER2-low: 112 patients, 74 events, median 16.0 (12.9–20.4) months" in curve.alternative
    assert "Log-rank P = .40" in curve.alternative.replace("\xa0", " ")


def test_numbers_at_risk_stand_under_the_ticks_of_the_axis(written: Written) -> None:
    figure = next(b for s in written.document.sections for b in s.blocks if getattr(b, "id", "") == "pfs_her2-all")
    layers = figure.spec["layer"]
    axis = next(y["encoding"]["x"]["axis"]["values"] for y in layers if "axis" in y["encoding"].get("x", {}))
    numbers = [layer for layer in layers if layer["encoding"].get("text", {}).get("field") == "n"]
    assert len(numbers) == 2
    for layer in numbers:
        assert [v["t"] for v in layer["data"]["values"]] == axis == [6.0 * k for k in range(9)]
        assert layer["encoding"]["x"]["scale"]["domain"][0] == 0


def _figure(written: Written, name: str) -> Figure:
    return next(b for s in written.document.sections for b in s.blocks if isinstance(b, Figure) and b.id == name)


def test_a_curve_answers_with_the_rows_of_each_group(written: Written) -> None:
    live = _figure(written, "pfs_her2-all").live
    assert [group["name"] for group in live["groups"]] == ["HER2-zero", "HER2-low"]
    for level, group in zip(("zero", "low"), live["groups"], strict=True):
        key = {"analysis": "pfs_her2", "population": None, "group_level": level, "of": None}
        rows = written.results.select(**key, method="curve", statistic="survival")
        assert [step[0] for step in group["steps"]] == [round(r.time / DAYS_PER_MONTH, 4) for r in rows]
        for step, row in zip(group["steps"][1:], rows[1:], strict=True):
            low, high = written.results.interval(row)
            assert step[2] == f"{fmt.percent(row.value)}% ({fmt.percent(low.value)}–{fmt.percent(high.value)})"
        risk = written.results.select(**key, method="risk_table", statistic="at_risk")
        assert [text for _, text in group["risk"]] == [
            f"{row.value:.0f} at {row.time / DAYS_PER_MONTH:g} months" for row in risk
        ]


def test_a_forest_answers_for_each_of_its_lines(written: Written) -> None:
    figure = _figure(written, "pfs_subgroups-forest")
    assert len(figure.live["lines"]) * figure.live["step"] == figure.spec["height"]
    everyone, heading, first, *_ = figure.live["lines"]
    assert everyone[:3] == ["All patients", "141 events, n 212", "HR 0.87 (95% CI 0.63–1.20)"]
    assert heading == ["Metastatic setting", "P interaction .16"]
    assert first[0] == "Metastatic setting: Recurrent"
    assert first[3] == "P interaction .16"
    assert {line[-1] for line in figure.live["lines"] if len(line) > 2} <= set(written.results.by_name)


def test_what_a_figure_answers_lies_beside_it(written: Written) -> None:
    blocks = [json.loads(text) for kind, text in _scripts(written.html) if kind == "application/json"]
    figures = [b for s in written.document.sections for b in s.blocks if isinstance(b, Figure) and b.live is not None]
    assert len(figures) == 4
    assert blocks == [figure.live for figure in figures]
    for figure in figures:
        inside = written.html.split(f'<figure id="{figure.id}">')[1].split("</figure>")[0]
        assert inside.count("<script") == 1
        assert "role-frame" in inside


def test_the_word_file_has_native_tables_and_described_figures(written: Written) -> None:
    tables = [b for s in written.document.sections for b in s.blocks if isinstance(b, Table)]
    root = _document_xml(written.folder / "report.docx")
    found = root.findall(f".//{W}tbl")
    assert len(found) == len(tables)
    for table, xml in zip(tables, found, strict=True):
        rows = xml.findall(f"{W}tr")
        assert len(rows) == len(table.headings) + len(table.lines)
        assert all(row.find(f"{W}trPr/{W}cantSplit") is not None for row in rows)
        assert all(row.find(f"{W}trPr/{W}tblHeader") is not None for row in rows[: len(table.headings)])
    described = [
        e.get("descr")
        for e in root.iter("{http://schemas.openxmlformats.org/drawingml/2006/wordprocessingDrawing}docPr")
    ]
    assert described == [b.alternative for s in written.document.sections for b in s.blocks if isinstance(b, Figure)]


def _document_xml(path: Path) -> etree._Element:
    with zipfile.ZipFile(path) as package:
        return etree.fromstring(package.read("word/document.xml"))


def test_simulated_patients_are_named_in_title_page_and_word(written: Written) -> None:
    assert re.search(r"<title>[^<]*\(simulated patients\)</title>", written.html)
    assert 'class="banner"' in written.html
    claims = written.html.split('id="claims"')[1]
    assert claims.index("it is no evidence about the paper") < claims.index("<table")
    with zipfile.ZipFile(written.folder / "report.docx") as package:
        text = b" ".join(package.read(n) for n in package.namelist() if n.endswith(".xml")).decode()
    assert "SIMULATED PATIENTS" in text
    assert "it is no evidence about the paper" in text


def test_a_study_of_real_patients_has_no_banner() -> None:
    protocol = make_protocol(study={"id": "real", "title": "Real", "simulated": False})
    from_sections = report.sections.document(protocol, make_results(), [], [], {})
    assert from_sections.banner == ""
    assert from_sections.title == "Real"


def test_two_runs_give_the_same_bytes(written: Written, tmp_path: Path) -> None:
    paths = write(tmp_path, make_protocol(), make_results())
    assert {p.relative_to(tmp_path).as_posix() for p in paths} >= {"report.html", "report.docx", "figures/flow.png"}
    for path in paths:
        assert path.read_bytes() == (written.folder / path.relative_to(tmp_path)).read_bytes(), path.name


HOSTILE = '<script>alert("1")</script>'
FORMULA = '=HYPERLINK("x")&{=1+1}\x07'


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    protocol = make_protocol(
        centres={"ankara": {"label": HOSTILE, "mapping": "a"}, "leeds": {"label": FORMULA, "mapping": "b"}},
        report={"labels": {"her2.low": HOSTILE, "setting": FORMULA, "pfs": "</script><b>"}, "note": HOSTILE},
    )
    rows = [r for r in make_rows() if r.variable != "unmapped_column"]
    extra = [r for r in make_rows() if r.variable == "unmapped_column"][:1]
    changed = [
        type(r)(**{**{f: getattr(r, f) for f in r.__dataclass_fields__}, "level": HOSTILE, "row": ""}) for r in extra
    ]
    folder = tmp_path_factory.mktemp("hostile")
    write(folder, protocol, Results([*rows, *changed]))
    return folder


def test_what_a_hospital_wrote_is_text_in_html(hostile: Path) -> None:
    text = (hostile / "report.html").read_text(encoding="utf-8")
    assert "&lt;script&gt;alert" in text
    assert "<script>alert" not in text
    assert _page(text).tags.count("script") == text.count("<script")
    for block in re.findall(r'<script type="application/json"[^>]*>(.*?)</script>', text, re.S):
        json.loads(block)
    for path in sorted((hostile / "figures").glob("*.svg")):
        tags = {element.tag.rpartition("}")[2] for element in etree.fromstring(path.read_bytes()).iter()}
        assert tags <= {"svg", "g", "path", "rect", "text", "tspan", "line", "defs", "clipPath"}


def test_what_a_hospital_wrote_is_text_in_word(hostile: Path) -> None:
    root = _document_xml(hostile / "report.docx")
    texts = [element.text or "" for element in root.iter(f"{W}t")]
    assert any(HOSTILE in text for text in texts)
    assert any('=HYPERLINK("x")&{=1+1}' in text for text in texts)
    assert not any("\x07" in text for text in texts)
    with zipfile.ZipFile(hostile / "report.docx") as package:
        footer = etree.fromstring(package.read("word/footer1.xml"))
    assert {e.text.strip() for e in [*root.iter(f"{W}instrText"), *footer.iter(f"{W}instrText")]} == {
        "PAGE",
        "NUMPAGES",
    }


def test_the_headline_says_the_primary_results(written: Written) -> None:
    lines = report.headline(written.protocol, written.results)
    assert "  HER2-low   n  112  events   74  16.0 (12.9–20.4)" in lines
    assert any("hazard ratio 0.87 (95% CI 0.63–1.20), log-rank P = .40" in line for line in lines)
    assert any(line.startswith("  Adjusted, stratified, HER2-low v HER2-zero: hazard ratio 0.83") for line in lines)


def test_claims_lines_print_ours_as_the_paper_printed_its(written: Written) -> None:
    lines = report.claims_lines(None, make_verdicts(written.results))
    assert lines[0] == ("Median PFS, HER2-low", "16.0 months", "16.0 months", "yes")
    assert lines[1][1:] == ("0.40", ".40", "yes")
    assert lines[2] == ("P of the model below .05", "< 0.05", ".40", "no: Our value does not meet the statement.")
    assert lines[3][2] == "not found"


def test_a_fragment_for_a_notebook_has_no_script(written: Written) -> None:
    text = report.fragment(written.protocol, written.results, "pfs_her2")
    assert "<svg" in text
    assert "<script" not in text
    assert "16.0" in text
