"""The Methods text: what was done, with the parameters in force read from the rows of `definitions`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from riskset.protocol import Protocol
from riskset.report import format as fmt
from riskset.report.labels import lower_first
from riskset.report.reader import Reader
from riskset.report.tablemodel import Block, Bullets, Inline, Paragraph, Part, inline
from riskset.results import DAYS_PER_MONTH

_SPECIMEN = {
    "latest_before_index": "the latest specimen dated on or before the index date (with a grace of {grace} days)",
    "metastasis_first": "the latest metastatic specimen before the index date, else the primary",
    "primary_only": "the first diagnostic primary",
    "highest": "the highest class of any specimen before the index date",
    "any_low": "the highest class of any specimen before the index date",
}
_SCHEMES = {
    "ema": "progression or death at its own date counts, whatever happened between: EMA-like, a treatment policy",
    "fda_a": "progression or death counts unless a new anticancer therapy began or two assessments were missed before",
}


class Parameters:
    """The parameters in force, as text, each with the row that holds it."""

    def __init__(self, reader: Reader) -> None:
        rows = reader.rows("definitions", "definition")
        self._rows = {row.variable: row for row in rows if row.variable is not None}

    def part(self, path: str, otherwise: str = "not stated") -> Part:
        """Give a parameter's value, traced to its row."""
        row = self._rows.get(path)
        return Part(otherwise) if row is None else Part(row.text or otherwise, row.row)

    def get(self, path: str) -> str | None:
        """Give a parameter's text or None."""
        row = self._rows.get(path)
        return None if row is None else row.text

    def under(self, path: str) -> Iterator[tuple[str, Part]]:
        """Give the parameters below a path with the rest of their paths."""
        for name, row in self._rows.items():
            if name.startswith(path + "."):
                yield name.removeprefix(path + "."), Part(row.text or "", row.row)


def methods(reader: Reader, protocol: Protocol) -> list[Block]:
    """Write the Methods: patients, biomarkers, endpoints, statistics, software."""
    parameters = Parameters(reader)
    parts = (
        ("Patients", _patients(reader, protocol, parameters)),
        ("Biomarkers", _biomarkers(reader, protocol, parameters)),
        ("Covariates", _covariates(reader, protocol, parameters)),
        ("Endpoints", _endpoints(reader, protocol, parameters)),
        ("Statistical analysis", _statistics(reader, protocol, parameters)),
    )
    blocks: list[Block] = []
    for title, found in parts:
        if found:
            blocks += [Paragraph(inline(title), "heading"), *found]
    return blocks


def _patients(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    centres = len(protocol.centres)
    cutoff = protocol.study.data_cutoff
    first = f"This is a retrospective study of {'one centre' if centres == 1 else f'{centres} centres'}."
    if cutoff is not None:
        first += f" Data were cut off on {cutoff.isoformat()}; later events do not count."
    blocks: list[Block] = [Paragraph(inline(first))]
    if protocol.index is not None:
        where = parameters.get("index.where")
        condition = inline(" fulfilling ", Part(where, parameters.part("index.where").row)) if where else ()
        blocks.append(
            Paragraph(
                inline(
                    "Time zero (index date) is the ", parameters.part("index.date", protocol.index.date), " of the ",
                    parameters.part("index.pick", protocol.index.pick), " record of the table ",
                    parameters.part("index.table", protocol.index.table), condition, ".",
                )
            )
        )  # fmt: skip
    if protocol.eligibility:
        items = tuple(
            inline(reader.labels.criterion(c.id), ": ", parameters.part(f"eligibility.{c.id}.where", c.where.text))
            for c in protocol.eligibility
        )
        text = "Criteria were applied in this order; a criterion that cannot be judged excludes and is counted apart."
        blocks += [Paragraph(inline(text)), Bullets(items)]
    return blocks


def _biomarkers(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    blocks: list[Block] = []
    for name in protocol.biomarkers:
        path = f"biomarkers.{name}"
        specimen = parameters.get(f"{path}.specimen")
        words = _SPECIMEN.get(specimen or "", specimen or "not stated")
        policy = Part(words.format(grace=parameters.get(f"{path}.grace_days") or "0"),
                      parameters.part(f"{path}.specimen").row)  # fmt: skip
        rest = [(k, v) for k, v in parameters.under(path) if k not in ("specimen", "grace_days")]
        blocks.append(Paragraph(inline(f"{reader.labels.of(name)}: read from ", policy, "; ", _pairs(rest), ".")))
    return blocks


def _pairs(pairs: list[tuple[str, Part]]) -> Inline:
    """Print parameters as `name: value`, semicolons between."""
    pieces: list[str | Part] = []
    for name, part in pairs:
        pieces += [", " if pieces else "", f"{name.replace('_', ' ').replace('.', ' ')}: ", part]
    return inline(*pieces)


def _covariates(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    items = []
    for name in protocol.covariates:
        pairs = [(k, v) for k, v in parameters.under(f"covariates.{name}") if k != "label"]
        if pairs:
            items.append(inline(f"{reader.labels.of(name)}: ", _pairs(pairs)))
    if not items:
        return []
    text = "Covariates are measured at or before the index date; what is unknown stays unknown and is shown as missing."
    return [Paragraph(inline(text)), Bullets(tuple(items))]


def _endpoints(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    items = []
    for name in protocol.endpoints:
        path = f"endpoints.{name}"
        scheme = parameters.get(f"{path}.scheme")
        means = _SCHEMES.get(scheme or "")
        said = inline(" (", Part(means, parameters.part(f"{path}.scheme").row), ")") if means else ()
        pairs = [(k, v) for k, v in parameters.under(path) if k not in ("label", "kind")]
        items.append(inline(reader.labels.of(name), said, inline(": ", _pairs(pairs)) if pairs else ""))
    if not items:
        return []
    plus_one = parameters.get("study.plus_one") == "true" or protocol.study.plus_one
    added = "one day is added to each duration" if plus_one else "no day is added to a duration"
    text = f"Durations are whole days from the index date; a month is {DAYS_PER_MONTH} days; {added}."
    return [Paragraph(inline(text)), Bullets(tuple(items))]


def _statistics(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    kinds = {getattr(spec, "kind", ""): name for name, spec in protocol.analyses.items()}
    level = inline(Part(reader.conf_percent, parameters.part("study.conf_level").row), "%")
    text: list[Inline | str] = []
    for kind, sentence in _SENTENCES.items():
        if kind in kinds:
            text.append(sentence + " ")
    blocks: list[Block] = [Paragraph(inline(*text))] if text else []
    primary = [n for n, spec in protocol.analyses.items() if getattr(spec, "plan", "") == "primary"]
    named = f"Primary analyses: {', '.join(primary)}. " if primary else "No analysis was declared primary. "
    blocks.append(
        Paragraph(
            inline(
                named, "Intervals are ", level,
                " confidence intervals, P values two-sided and not adjusted for their number; missing values are not "
                "imputed, and each model says how many patients it left out. Associations are described, not effects. "
                f"Rounding happens once, when a number is printed; {fmt.NOT_REACHED} means not reached.",
            )
        )
    )  # fmt: skip
    blocks += [Paragraph(said) for said in _models(reader, protocol)]
    return blocks


_SENTENCES = {
    "survival": (
        "Survival was estimated by Kaplan-Meier with intervals on the log-minus-log scale, medians with intervals "
        "after Brookmeyer and Crowley; groups were compared by the log-rank test, by differences of survival at fixed "
        "times and of restricted means, and by a Cox model (ties after Efron)."
    ),
    "follow_up": "Follow-up was estimated by reverse Kaplan-Meier (Schemper and Smith).",
    "cox": (
        "Covariates of the Cox models were declared, not selected by their P values; proportional hazards were tested "
        "on scaled Schoenfeld residuals (Grambsch and Therneau)."
    ),
    "subgroups": "Interactions were tested by likelihood ratio, one model with and one without the product term.",
    "response": (
        "Proportions have Wilson intervals, their differences Newcombe's hybrid score intervals; they were compared by "
        "chi-square without correction, or by Fisher's exact test where an expected count was below 5."
    ),
    "baseline": "Groups are described by standardised mean differences, not compared by P values for balance.",
}


def _models(reader: Reader, protocol: Protocol) -> Iterator[Inline]:
    for name, spec in protocol.analyses.items():
        if getattr(spec, "kind", "") != "cox":
            continue
        adjust: list[Any] = list(getattr(spec, "adjust", []))
        strata = getattr(spec, "strata", None)
        words = f"Model {name}: {reader.labels.of(getattr(spec, 'exposure', None))}"
        words += (
            f", adjusted for {', '.join(lower_first(reader.labels.of(v)) for v in adjust)}"
            if adjust
            else ", unadjusted"
        )
        yield inline(words + (f", stratified by {reader.labels.of(strata).lower()}." if strata else "."))
