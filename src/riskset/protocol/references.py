"""Cross-references inside a study file: ids that are named have to be declared, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from riskset.errors import ConditionError, Problem, did_you_mean
from riskset.protocol.conditions import Condition
from riskset.protocol.document import Path_
from riskset.protocol.model import Protocol

Data: TypeAlias = Mapping[str, Any]
_Found: TypeAlias = Iterator[tuple[Path_, str]]

WHOLE = "all"  # the population that every study has: the whole analysis set
RESERVED_COLUMNS = ("centre", "patient", "source", "row")


class Reference(NamedTuple):
    """What a field of an analysis may name: how a message calls it, and the ids that a study declares of it."""

    called: str
    declared: Callable[[Data], list[str]]


def _section(data: Data, name: str) -> dict[str, Any]:
    """Give a part of the file that has to be a mapping; an empty one where it is something else."""
    found = data.get(name)
    return found if isinstance(found, dict) else {}


def _entries(data: Data, name: str) -> list[dict[str, Any]]:
    """Give a part of the file that has to be a list of mappings, with its positions kept."""
    found = data.get(name)
    return [entry if isinstance(entry, dict) else {} for entry in found] if isinstance(found, list) else []


def _groups(data: Data) -> list[str]:
    return [*_section(data, "biomarkers"), *_section(data, "covariates")]


ENDPOINT = Reference("endpoint", lambda data: list(_section(data, "endpoints")))
POPULATION = Reference("population", lambda data: [WHOLE, *_section(data, "populations")])
VARIABLE = Reference("biomarker or covariate", lambda data: [*_groups(data), "centre"])
BIOMARKER = Reference("biomarker", lambda data: list(_section(data, "biomarkers")))

# Fields of analysis specs that hold one id, or a list of ids, whatever the kind of the analysis.
REFERENCES: dict[str, Reference] = {
    "endpoint": ENDPOINT,
    "endpoints": ENDPOINT,
    "population": POPULATION,
    "populations": POPULATION,
    "by": VARIABLE,
    "exposure": VARIABLE,
    "within": VARIABLE,
    "adjust": VARIABLE,
    "univariable": VARIABLE,
    "variables": VARIABLE,
    "subgroups": VARIABLE,
    "contrasts": VARIABLE,
    "strata": VARIABLE,
    "biomarker": BIOMARKER,
}


def reference_problems(data: Data, reserved: frozenset[str]) -> _Found:
    """Give what is wrong between the parts of a study file, each with its path.

    `data` are the plain values of the file, of which some may be badly formed: so these problems are told together
    with those of the form.
    """
    yield from _comparison(data)
    yield from _analyses(data, reserved)
    yield from _ids(data)
    for number, amendment in enumerate(_entries(data, "amendments")):
        analyses = list(_section(data, "analyses"))
        for path, name in _named(amendment.get("analyses"), ("amendments", number, "analyses")):
            if name not in analyses:
                yield path, _undeclared("analysis", name, analyses)


def _named(value: Any, at: Path_) -> Iterator[tuple[Path_, str]]:
    """Give the ids of a field that holds one id or a list of ids."""
    if isinstance(value, str):
        yield at, value
    elif isinstance(value, list):
        yield from (((*at, i), name) for i, name in enumerate(value) if isinstance(name, str))


def _undeclared(called: str, name: str, declared: list[str]) -> str:
    hint = did_you_mean(name, declared)
    remedy = "" if hint else f"; declared are {', '.join(declared)}" if declared else "; none is declared"
    return f"There is no {called} '{name}'{hint}{remedy}."


def _comparison(data: Data) -> _Found:
    comparison, declared = _section(data, "comparison"), _groups(data)
    by, reference = comparison.get("by"), comparison.get("reference")
    if not isinstance(by, str) or not isinstance(reference, str):
        return
    if by not in declared:
        yield ("comparison", "by"), _undeclared("biomarker or covariate", by, declared)
        return
    covariate = _section(data, "covariates").get(by)
    levels = covariate.get("levels") if isinstance(covariate, dict) else None
    known = [str(level) for level in levels or ()] if isinstance(levels, list | dict) else []
    if known and reference not in known:
        yield ("comparison", "reference"), _undeclared(f"level of '{by}'", reference, known)


def _analyses(data: Data, reserved: frozenset[str]) -> _Found:
    for name, spec in _section(data, "analyses").items():
        if name in reserved:
            yield ("analyses", name), f"The id '{name}' belongs to an analysis of the program; take another."
        for field, value in spec.items() if isinstance(spec, dict) else ():
            if field not in REFERENCES:
                continue
            reference = REFERENCES[field]
            declared = reference.declared(data)
            for path, one in _named(value, ("analyses", name, field)):
                if one not in declared:
                    yield path, _undeclared(reference.called, one, declared)


def _ids(data: Data) -> _Found:
    seen: set[str] = set()
    for number, criterion in enumerate(_entries(data, "eligibility")):
        name = str(criterion.get("id", number))
        if name in seen:
            yield ("eligibility", number, "id"), f"The criterion '{name}' is given twice; rename one."
        seen.add(name)
    for name in _section(data, "covariates"):
        if name in _section(data, "biomarkers"):
            yield ("covariates", name), f"'{name}' is a biomarker already; give the covariate another id."
        if name in RESERVED_COLUMNS:
            yield ("covariates", name), f"'{name}' is a column of every table; give the covariate another id."
    if WHOLE in _section(data, "populations"):
        yield ("populations", WHOLE), f"The population '{WHOLE}' is the whole analysis set; take another id."


def patient_conditions(protocol: Protocol) -> Iterator[tuple[Path_, Condition]]:
    """Give every condition over the patients' columns: criteria, populations, and classes of covariates.

    A covariate's classes are its `levels`, where these are a mapping of level to condition; beside such levels, its
    `where` is about the patient too. In other covariates a `where` is about the rows of another table.
    """
    for number, criterion in enumerate(protocol.eligibility):
        yield ("eligibility", number, "where"), criterion.where
    for name, condition in protocol.populations.items():
        yield ("populations", name), condition
    for name, spec in protocol.covariates.items():
        levels: Any = getattr(spec, "levels", None)
        if not isinstance(levels, Mapping):
            continue
        for level, condition in levels.items():
            if isinstance(condition, Condition):
                yield ("covariates", name, "levels", level), condition
        where = getattr(spec, "where", None)
        if isinstance(where, Condition):
            yield ("covariates", name, "where"), where


def check_conditions(protocol: Protocol, columns: Mapping[str, pl.DataType]) -> list[Problem]:
    """Check the conditions over the patients' columns against the columns that the study will have.

    Parameters
    ----------
    protocol
        A loaded study.
    columns
        Patient column -> Polars type: canonical columns, and those that the steps add.

    Returns
    -------
    list of Problem
        One for each condition with an unknown column, an unknown level or types that do not fit; empty if all is well.
    """
    problems = []
    for path, condition in patient_conditions(protocol):
        try:
            condition.check(columns)
        except ConditionError as error:
            problems.append(protocol.locations.problem(path, str(error)))
    return problems
