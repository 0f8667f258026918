"""Every parameter in force, defaults included, as rows: Methods prints them, so no choice is silent."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from riskset.cohort import AnalysisSet
from riskset.protocol import Protocol
from riskset.results import ResultRow, RowWriter
from riskset.tables import VISCERAL

_SECTIONS = (
    "study",
    "index",
    "biomarkers",
    "covariates",
    "endpoints",
    "eligibility",
    "populations",
    "comparison",
    "analyses",
    "quality",
)


def run(name: str, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give one row a parameter: its path in the study file and its value as text."""
    writer = RowWriter(analysis=name)
    for path, value in parameters(analysis_set.protocol):
        writer.word("definition", value, variable=path)
    return writer.rows


def parameters(protocol: Protocol) -> Iterator[tuple[str, str]]:
    """Give the path and value of every parameter of a study file, defaults too, in the file's order."""
    dumped = protocol.model_dump(mode="json")
    for section in _SECTIONS:
        yield from _walk(section, dumped.get(section))
        if section == "covariates":
            # A definition of visceral disease is a word for a list of organs: the list is what readers need.
            for name, spec in protocol.covariates.items():
                if getattr(spec, "rule", None) == "visceral":
                    yield f"covariates.{name}.organs", _text(list(VISCERAL[spec.definition]))
        if section == "study":
            # Of a centre only what changes numbers: its label and its mapping are no parameters.
            for centre, spec in dumped["centres"].items():
                yield from _walk(f"centres.{centre}.data_cutoff", spec.get("data_cutoff"))


def _walk(path: str, value: Any) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _walk(f"{path}.{key}", inner)
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        for position, item in enumerate(value):
            name = item.get("id", position) if isinstance(item, dict) else position
            yield from _walk(f"{path}.{name}", item)
    elif value is not None and value not in ({}, [], ""):
        yield path, _text(value)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return ", ".join(_text(item) for item in value)
    return str(value)
