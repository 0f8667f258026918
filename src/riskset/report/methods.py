"""The Methods text: what was done, with the parameters in force read from the rows of `definitions`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from riskset.protocol import Protocol
from riskset.report import format as fmt
from riskset.report import rules
from riskset.report.labels import lower_first
from riskset.report.parameters import Parameters, in_words, joined
from riskset.report.reader import Reader
from riskset.report.tablemodel import Block, Bullets, Inline, Paragraph, Part, inline
from riskset.results import DAYS_PER_MONTH


def methods(reader: Reader, protocol: Protocol, manifest: Mapping[str, Any]) -> list[Block]:
    """Write the Methods: patients, biomarkers, endpoints, statistics, software."""
    parameters = Parameters(reader)
    parts = (
        ("Patients", _patients(reader, protocol, parameters)),
        ("Biomarkers", _biomarkers(reader, protocol, parameters)),
        ("Covariates", _covariates(reader, protocol, parameters)),
        ("Endpoints", _endpoints(reader, protocol, parameters)),
        ("Statistical analysis", _statistics(reader, protocol, parameters)),
        ("Software", _software(manifest)),
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
        blocks.append(Paragraph(_index(reader, parameters)))
    if protocol.eligibility:
        items = tuple(_criterion(reader, parameters, c) for c in protocol.eligibility)
        text = (
            "Patients were eligible if they met these criteria, applied in this order; a patient of whom a criterion "
            "could not be judged was left out and counted apart."
        )
        blocks += [Paragraph(inline(text)), Bullets(items)]
    return blocks


def _index(reader: Reader, parameters: Parameters) -> Inline:
    """Say what set time zero; a condition that cannot be put into words is left to the table of parameters."""
    table = parameters.get("index.table") or "index"
    of = parameters.said("index.table", f"{table.removesuffix('s')} record")
    which = parameters.part("index.pick", "first")
    date = parameters.part("index.date", "date")
    where = parameters.get("index.where")
    condition: Inline = ()
    if where:
        words = in_words(reader.labels, where)
        # "drug record with drug palbociclib" says the same thing twice.
        met = "" if words is None else f" of {words[5:]}" if words.startswith("drug ") else f" with {words}"
        said = met or " that met the condition given in the table of parameters"
        condition = inline(parameters.said("index.where", said))
    return inline("Time zero (index date) was the ", date, " date of the ", which, " ", of, condition, ".")


def _criterion(reader: Reader, parameters: Parameters, criterion: Any) -> Inline:
    path = f"eligibility.{criterion.id}.where"
    if criterion.label:
        return inline(parameters.said(f"eligibility.{criterion.id}.label", criterion.label))
    label = reader.labels.criterion(criterion.id)
    return inline(label, " (", parameters.part(path, criterion.where.text), ")")


def _biomarkers(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    return [Paragraph(rules.biomarker(reader, parameters, name)) for name in protocol.biomarkers]


def _covariates(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    items = tuple(said for name in protocol.covariates if (said := rules.covariate(reader, parameters, name)))
    if not items:
        return []
    text = "Covariates describe the patient at the index date; what was unknown stayed unknown and is shown as missing."
    supplied = rules.stands_in(reader, parameters, protocol.covariates)
    return [Paragraph(inline(text, supplied)), Bullets(items)]


def _endpoints(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    items = tuple(said for name in protocol.endpoints if (said := rules.endpoint(reader, parameters, name)))
    if not items:
        return []
    plus_one = parameters.get("study.plus_one") == "true" or protocol.study.plus_one
    added = "one day is added to each duration" if plus_one else "no day is added to a duration"
    text = f"Durations are whole days from the index date; a month is {DAYS_PER_MONTH} days; {added}."
    cutoff = parameters.get("study.data_cutoff")
    cut: Inline = ()
    if cutoff is not None:
        cut = inline(
            " Nothing after the data cut-off (", parameters.part("study.data_cutoff"), ") counted; patients without an "
            "event by then were censored."
        )  # fmt: skip
    return [Paragraph(inline(text, cut)), Bullets(items)]


def _software(manifest: Mapping[str, Any]) -> list[Block]:
    """Name the program and the packages that its numbers come from, with their versions."""
    if not manifest.get("riskset"):
        return []
    packages = manifest.get("packages", {})
    named = [f"{name} {packages[name]}" for name in _NUMERIC if name in packages] if packages else []
    within = ", ".join([f"Python {manifest['python']}"] * ("python" in manifest) + named)
    text = f"All results were computed with riskset {manifest['riskset']}" + (f" ({within})" if within else "")
    return [Paragraph(inline(f"{text}. All versions and the hashes of the inputs are listed in the supplement."))]


# The packages that numbers go through; the rest reads files or draws.
_NUMERIC = ("numpy", "scipy", "polars", "numba")


def _statistics(reader: Reader, protocol: Protocol, parameters: Parameters) -> list[Block]:
    kinds = {getattr(spec, "kind", ""): name for name, spec in protocol.analyses.items()}
    level = inline(Part(reader.conf_percent, parameters.part("study.conf_level").row), "%")
    text: list[Inline | str] = []
    for kind, sentence in _SENTENCES.items():
        if kind in kinds:
            text.append(sentence + " ")
    blocks: list[Block] = [Paragraph(inline(*text))] if text else []
    primary = [n for n, spec in protocol.analyses.items() if getattr(spec, "plan", "") == "primary"]
    titles = [_title(reader, name) for name in primary]
    named = f"Primary: {'; '.join(titles)}. " if primary else "No analysis was declared primary. "
    blocks.append(
        Paragraph(
            inline(
                named, "Intervals are ", level,
                " confidence intervals, P values two-sided and not adjusted for their number; missing values are not "
                "imputed, and each model says how many patients it left out. Associations are described, not effects; "
                "where an interval includes 1, the range of hazard ratios that the data are compatible with is given, "
                "and neither a lower nor a higher hazard is excluded. "
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


def _title(reader: Reader, name: str) -> str:
    """Name an analysis by its label, else by its endpoint and kind; its id follows, as tables and rows carry it."""
    declared = reader.labels.declared(name)
    if declared:
        return declared
    row = next((row for row in reader.rows(name) if row.endpoint is not None), None)
    if row is None:
        return reader.labels.of(name)
    kinds = {"survival": "by group", "cox": "in Cox models", "response": "by group", "subgroups": "by subgroup"}
    kind = str(getattr(reader.protocol.analyses.get(name), "kind", "")) if reader.protocol is not None else ""
    return f"{lower_first(reader.labels.of(row.endpoint))} {kinds.get(kind, '')}".strip()


def _models(reader: Reader, protocol: Protocol) -> Iterator[Inline]:
    for spec in protocol.analyses.values():
        if getattr(spec, "kind", "") != "cox":
            continue
        adjust: list[Any] = list(getattr(spec, "adjust", []))
        strata = getattr(spec, "strata", None)
        endpoint = lower_first(reader.labels.of(getattr(spec, "endpoint", None)))
        words = f"The Cox model of {endpoint} estimated the association with {reader.labels.of(spec.exposure)}"
        words += f", adjusted for {joined([lower_first(reader.labels.of(v)) for v in adjust])}" if adjust else ""
        yield inline(words + (f" and stratified by {lower_first(reader.labels.of(strata))}." if strata else "."))
