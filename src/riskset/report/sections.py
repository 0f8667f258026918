"""What a report holds and in which order: sections built from rows, one builder a kind of analysis.

A section whose rows are absent says so; none of them ends the report.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from riskset.protocol import Protocol
from riskset.report import format as fmt
from riskset.report import sentences
from riskset.report.figures import flow_diagram, forest_plots, kaplan_meier_plots
from riskset.report.labels import lower_first
from riskset.report.methods import methods
from riskset.report.parameters import joined
from riskset.report.reader import Reader, p_words, printed
from riskset.report.tablemodel import (
    Block,
    Bullets,
    Document,
    Inline,
    Paragraph,
    Part,
    Section,
    Table,
    inline,
    numbered,
)
from riskset.report.tables import models, other, patients, response, survival
from riskset.results import Results

SIMULATED = (
    "Simulated patients. Nobody described here exists, and nothing here is evidence about any treatment or marker."
)
CLAIMS_CAUTION = "Agreement tests the program; it is no evidence about the paper."

# Chapters in the order of a journal; the kinds in each in the order in which they are read.
_CHAPTERS: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    ("patients", "Patients", ("attrition", "baseline", "ascertainment", "follow_up", "reasons")),
    ("survival", "Survival", ("survival",)),
    ("models", "Models", ("cox",)),
    ("response", "Response", ("response",)),
    ("subgroups", "Subgroups and interactions", ("subgroups", "contrasts")),
    ("sensitivity", "Sensitivity", ("schemes",)),
)
# A caption names so many variables and no more.
_NAMED = 3
_BUILT_IN = ("attrition", "data_quality", "definitions")


def kind_of(reader: Reader, name: str) -> str:
    """Give the kind of an analysis: from the study file, by its name if built in, else by what its rows look like."""
    spec = reader.protocol.analyses.get(name) if reader.protocol is not None else None
    kind = getattr(spec, "kind", None)
    if kind is not None:
        return str(kind)
    if name in _BUILT_IN:
        return name
    return "survival" if reader.curve(name) else "other"


def _analyses(reader: Reader) -> dict[str, str]:
    """Give each analysis and its kind: the declared ones, then those that only have rows."""
    declared = list(reader.protocol.analyses) if reader.protocol is not None else []
    found = dict.fromkeys([*declared, *_BUILT_IN[:1], *(row.analysis for row in reader.results)])
    return {name: kind_of(reader, name) for name in found}


def _attribute(reader: Reader, name: str, attribute: str, otherwise: Any) -> Any:
    spec = reader.protocol.analyses.get(name) if reader.protocol is not None else None
    return getattr(spec, attribute, otherwise)


def _title(reader: Reader, name: str, otherwise: str) -> str:
    return str(_attribute(reader, name, "label", "") or reader.labels.declared(name) or otherwise)


def _compared(reader: Reader) -> str | None:
    """Name the survival analysis whose groups the flow diagram ends in: the primary one, else the first."""
    found = [name for name, kind in _analyses(reader).items() if kind == "survival"]
    primary = [name for name in found if _attribute(reader, name, "plan", "") == "primary"]
    return next(iter(primary + found), None)


def _tables(*tables: Table | None) -> list[Block]:
    return [table for table in tables if table is not None and table.lines]


def _paragraphs(found: Sequence[Inline]) -> list[Block]:
    return [Paragraph(text) for text in found if text]


def _attrition(reader: Reader, name: str) -> list[Block]:
    figure = flow_diagram(reader, name, _compared(reader))
    text = _paragraphs([sentences.attrition(reader, name)])
    return [*text, *([figure] if figure is not None else []), patients.attrition(reader, name)]


def _baseline(reader: Reader, name: str) -> list[Block]:
    first = next((n for n, kind in _analyses(reader).items() if kind == "baseline" and reader.has(n)), name)
    usual = "Characteristics of the patients" if name == first else _further_characteristics(reader, name)
    return [patients.baseline(reader, name, f"{_title(reader, name, usual)}.")]


def _further_characteristics(reader: Reader, name: str) -> str:
    """Name a further table of characteristics by what is in it: an id such as `t1b` tells a reader nothing."""
    variables = [lower_first(reader.labels.of(v)) for v in reader.values(name, "variable")]
    if len(variables) > _NAMED:
        return "Further characteristics of the patients"
    return f"Characteristics of the patients: {joined(variables)}"


def _ascertainment(reader: Reader, name: str) -> list[Block]:
    biomarker = _attribute(reader, name, "biomarker", None)
    if biomarker is None:
        biomarker = next(iter(reader.values(name, "variable", "n")), "biomarker")
    agreement = sentences.agreement(reader, name, biomarker)
    return [*patients.ascertainment(reader, name, biomarker), *_paragraphs([agreement])]


def _follow_up(reader: Reader, name: str) -> list[Block]:
    return [*_paragraphs([sentences.follow_up(reader, name)]), survival.follow_up(reader, name)]


def _survival(reader: Reader, name: str) -> list[Block]:
    heading = Paragraph(inline(_title(reader, name, survival.endpoint_of(reader, name))), "heading")
    text = _paragraphs(sentences.survival(reader, name))
    tables = _tables(
        survival.description(reader, name), survival.contrasts(reader, name), survival.numbers_at_risk(reader, name)
    )
    return [heading, *text, *kaplan_meier_plots(reader, name), *tables]


def _cox(reader: Reader, name: str) -> list[Block]:
    exposure = _attribute(reader, name, "exposure", None)
    adjust, strata = list(_attribute(reader, name, "adjust", [])), _attribute(reader, name, "strata", None)
    text = _paragraphs(sentences.cox(reader, name, exposure, adjust, strata))
    return [*text, *models.cox(reader, name, exposure), *_tables(models.proportional_hazards(reader, name))]


def _response(reader: Reader, name: str) -> list[Block]:
    text = _paragraphs(sentences.response(reader, name))
    return [*text, *_tables(response.rates(reader, name), response.best_response(reader, name))]


def _subgroups(reader: Reader, name: str) -> list[Block]:
    text = _paragraphs(sentences.subgroups(reader, name))
    return [*text, *forest_plots(reader, name), *models.subgroups(reader, name)]


def _contrasts(reader: Reader, name: str) -> list[Block]:
    found = sentences.contrasts(reader, name)
    caution = "A difference in significance between two groups is not evidence of a difference; the interaction is."
    text: list[Block] = [Bullets(tuple(found)), Paragraph(inline(caution))] if found else []
    return [*text, *models.within(reader, name)]


_BUILDERS: Mapping[str, Callable[[Reader, str], list[Block]]] = {
    "attrition": _attrition,
    "baseline": _baseline,
    "ascertainment": _ascertainment,
    "follow_up": _follow_up,
    "reasons": lambda reader, name: _tables(patients.reasons(reader, name)),
    "survival": _survival,
    "cox": _cox,
    "response": _response,
    "subgroups": _subgroups,
    "contrasts": _contrasts,
    "schemes": lambda reader, name: _tables(survival.schemes(reader, name)),
}


def blocks_of(reader: Reader, name: str, kind: str) -> list[Block]:
    """Give what a report shows of one analysis, whatever its kind; of one without rows, that it has none."""
    if not reader.has(name):
        return [
            Paragraph(
                inline(f"{_title(reader, name, reader.labels.of(name))}: no results (analysis {name})."), "absent"
            )
        ]
    builder = _BUILDERS.get(kind)
    if builder is None:
        return [other.generic(reader, name, f"{_title(reader, name, reader.labels.of(name))}.")]
    return _dropping_empty(builder(reader, name))


def _dropping_empty(blocks: list[Block]) -> list[Block]:
    return [block for block in blocks if not (isinstance(block, Table) and not block.lines)]


def _withheld(reader: Reader, name: str) -> list[Block]:
    rows = [row for row in reader.rows(name) if row.status == "withheld"]
    return [
        Paragraph(inline(Part(f"Withheld: {row.warning or 'no reason given'}", row.row)), "warning") for row in rows[:1]
    ]


def _chapters(reader: Reader) -> list[Section]:
    analyses = _analyses(reader)
    sections = []
    for identity, title, kinds in _CHAPTERS:
        blocks: list[Block] = []
        for kind in kinds:
            for name in (n for n, k in analyses.items() if k == kind):
                blocks += [*_withheld(reader, name), *blocks_of(reader, name, kind)]
        if blocks:
            sections.append(Section(identity, title, tuple(blocks)))
    known = {kind for _, _, kinds in _CHAPTERS for kind in kinds}
    rest = [n for n, k in analyses.items() if k not in known and n not in _BUILT_IN]
    blocks = [block for name in rest for block in blocks_of(reader, name, analyses[name])]
    return [*sections, Section("further", "Further analyses", tuple(blocks))] if blocks else sections


def _summary(reader: Reader) -> Section:
    """The primary results first: what a reader who reads one page needs."""
    analyses = _analyses(reader)
    items: list[Inline] = [
        sentences.attrition(reader, name) for name, kind in analyses.items() if kind == "attrition" and reader.has(name)
    ]
    for name, kind in analyses.items():
        if _attribute(reader, name, "plan", "") != "primary" or not reader.has(name):
            continue
        if kind == "survival":
            endpoint = Part(f"{survival.endpoint_of(reader, name)}. ", strong=True)
            items += [inline(endpoint, text) for text in sentences.survival(reader, name)[:1]]
        elif kind == "cox":
            exposure = _attribute(reader, name, "exposure", None)
            adjust, strata = list(_attribute(reader, name, "adjust", [])), _attribute(reader, name, "strata", None)
            items += sentences.cox(reader, name, exposure, adjust, strata)
    items = [item for item in items if item]
    blocks: list[Block] = []
    question = reader.protocol.study.question if reader.protocol is not None else ""
    if question:
        blocks.append(Paragraph(inline(Part("Question. ", strong=True), question), "lead"))
    if items:
        blocks.append(Bullets(tuple(items)))
    else:
        blocks.append(Paragraph(inline("No analysis was declared primary, or none of them gave rows."), "absent"))
    return Section("summary", "Summary", tuple(blocks))


def _review(reader: Reader, findings: Sequence[other.FindingLike]) -> Section:
    text = "An automatic reviewer read the same rows. Its findings never alter a result."
    blocks: list[Block] = [Paragraph(inline(text))]
    blocks += [other.findings(reader, findings)] if findings else [Paragraph(inline("It has nothing to say."))]
    return Section("review", "Statistical review", tuple(blocks))


def _quality(reader: Reader) -> Section:
    tables = patients.quality(reader, "data_quality")
    blocks: list[Block] = list(tables) or [Paragraph(inline("No rows on data quality were given."), "absent")]
    return Section("quality", "Data quality by centre", tuple(blocks))


def _claims(reader: Reader, verdicts: Sequence[other.VerdictLike], simulated: bool) -> Section:
    caution = CLAIMS_CAUTION if simulated else "Published numbers beside those of this study."
    if not verdicts:
        return Section("claims", "Claims", (Paragraph(inline("No claims file was given."), "absent"),))
    agreed = sum(verdict.agrees for verdict in verdicts)
    text = f"{agreed} of {len(verdicts)} published numbers agree with those of this study."
    blocks = (Paragraph(inline(caution), "warning"), Paragraph(inline(text)), other.claims(reader, verdicts))
    return Section("claims", "Claims: published and this study", blocks)


def _reproduction(reader: Reader, manifest: Mapping[str, Any]) -> Section:
    blocks: list[Block] = []
    if reader.has("definitions"):
        blocks.append(other.parameters(reader, "definitions"))
    else:
        blocks.append(Paragraph(inline("The parameters in force were not given as rows."), "absent"))
    return Section("reproduction", "Parameters, versions and hashes", (*blocks, other.provenance(manifest)))


def document(
    protocol: Protocol,
    results: Results,
    findings: Sequence[other.FindingLike],
    verdicts: Sequence[other.VerdictLike],
    manifest: Mapping[str, Any],
) -> Document:
    """Put a whole report together."""
    reader = Reader(protocol, results)
    study = protocol.study
    sections = [
        _summary(reader),
        Section("methods", "Methods", tuple(methods(reader, protocol, manifest))),
        *_chapters(reader),
        _review(reader, findings),
        _quality(reader),
        _reproduction(reader, manifest),
        _claims(reader, verdicts, study.simulated),
    ]
    version = str(manifest.get("riskset", ""))
    return Document(
        title=study.title + (" (simulated patients)" if study.simulated else ""),
        subtitle=f"Report of the study {study.id}",
        banner=SIMULATED if study.simulated else "",
        authors=", ".join(protocol.report.authors),
        note=protocol.report.note,
        sections=numbered(sections),
        footer=f"{study.id} · riskset {version}".strip() + (" · simulated patients" if study.simulated else ""),
    )


def fragment_sections(protocol: Protocol, results: Results, name: str) -> tuple[Section, ...]:
    """Give one analysis alone, for a notebook."""
    reader = Reader(protocol, results)
    return numbered([Section(name, "", tuple(blocks_of(reader, name, kind_of(reader, name))))])


def headline(protocol: Protocol, results: Results) -> list[str]:
    """Give the lines that the command line prints: the primary survival analysis by group, and the adjusted ratio."""
    reader = Reader(protocol, results)
    lines: list[str] = []
    for name, kind in _analyses(reader).items():
        if not reader.has(name) or _attribute(reader, name, "plan", "") != "primary":
            continue
        if kind == "survival":
            lines += _survival_lines(reader, name)
        elif kind == "cox":
            exposure = _attribute(reader, name, "exposure", None)
            ratio = sentences.headline_ratio(reader, name, exposure)
            label = "" if ratio is None else reader.labels.contrast(exposure, ratio.level, ratio.reference)
            adjusted = "Adjusted" + (", stratified" if ratio and ratio.method == "cox_multivariable_stratified" else "")
            p = None if ratio is None else reader.p_of(ratio)
            text = _plain(sentences.hazard(reader, ratio))
            lines.append(f"  {adjusted}, {label}: {text}, {_plain(p_words(p))}")
    return lines or ["No primary analysis gave a result."]


def _plain(parts: Inline) -> str:
    return "".join(part.text for part in parts).replace(fmt.NO_BREAK, " ")


def _survival_lines(reader: Reader, name: str) -> list[str]:
    lines = [f"{survival.endpoint_of(reader, name)}, median months ({reader.conf_percent}% CI)"]
    groups = survival.groups_of(reader, name, population=None)
    width = max((len(survival.group_label(reader, *group)) for group in groups), default=0)
    for group, level in groups:
        key = {"population": None, "group": group, "group_level": level, "variable": None}
        n, events = (printed(reader.find(name, word, **key)).text for word in ("n", "events"))
        median = _plain(reader.estimate(reader.find(name, "median", **key)))
        label = survival.group_label(reader, group, level)
        lines.append(f"  {label:<{width}}  n {n:>4}  events {events:>4}  {median}")
    for ratio in reader.rows(name, "hazard_ratio", method="cox", population=None):
        logrank = reader.find(name, "p_value", method="logrank", population=None, group=None)
        label = reader.labels.contrast(ratio.variable, ratio.level, ratio.reference)
        lines.append(f"  {label}: {_plain(sentences.hazard(reader, ratio))}, log-rank {_plain(p_words(logrank))}")
    return lines
