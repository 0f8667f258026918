"""Cross-references inside a study file: ids that are named have to be declared, once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, TypeAlias

import polars as pl

from riskset.errors import ConditionError, Problem, did_you_mean
from riskset.protocol.conditions import Condition
from riskset.protocol.document import Path_
from riskset.protocol.model import Protocol

WHOLE = "all"  # the population that every study has: the whole analysis set
RESERVED_COLUMNS = ("centre", "patient", "source", "row")


class Reference(NamedTuple):
    """What a field of an analysis may name: how a message calls it, and the ids that a study declares of it."""

    called: str
    declared: Callable[[Protocol], list[str]]


def _variables(protocol: Protocol) -> list[str]:
    return [*protocol.biomarkers, *protocol.covariates, "centre"]


ENDPOINT = Reference("endpoint", lambda protocol: list(protocol.endpoints))
POPULATION = Reference("population", lambda protocol: [WHOLE, *protocol.populations])
VARIABLE = Reference("biomarker or covariate", _variables)
BIOMARKER = Reference("biomarker", lambda protocol: list(protocol.biomarkers))

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

_Found: TypeAlias = Iterator[tuple[Path_, str]]


def reference_problems(protocol: Protocol, reserved: frozenset[str]) -> _Found:
    """Give what is wrong between the parts of a study file, each with its path."""
    yield from _comparison(protocol)
    yield from _analyses(protocol, reserved)
    yield from _ids(protocol)
    for number, amendment in enumerate(protocol.amendments):
        for i, name in enumerate(amendment.analyses):
            if name not in protocol.analyses:
                yield ("amendments", number, "analyses", i), _undeclared("analysis", name, list(protocol.analyses))


def _undeclared(called: str, name: str, declared: list[str]) -> str:
    hint = did_you_mean(name, declared)
    remedy = "" if hint else f"; declared are {', '.join(declared)}" if declared else "; none is declared"
    return f"There is no {called} '{name}'{hint}{remedy}."


def _comparison(protocol: Protocol) -> _Found:
    comparison = protocol.comparison
    if comparison is None:
        return
    declared = [*protocol.biomarkers, *protocol.covariates]
    if comparison.by not in declared:
        yield ("comparison", "by"), _undeclared("biomarker or covariate", comparison.by, declared)
        return
    levels = [str(level) for level in getattr(protocol.covariates.get(comparison.by), "levels", None) or ()]
    if levels and comparison.reference not in levels:
        yield ("comparison", "reference"), _undeclared(f"level of '{comparison.by}'", comparison.reference, levels)


def _analyses(protocol: Protocol, reserved: frozenset[str]) -> _Found:
    for name, spec in protocol.analyses.items():
        if name in reserved:
            yield ("analyses", name), f"The id '{name}' belongs to an analysis of the program; take another."
        for field, value in spec:
            reference = REFERENCES.get(field)
            if reference is None or value is None:
                continue
            declared = reference.declared(protocol)
            at: Path_ = ("analyses", name, field)
            ids = [(at, value)] if isinstance(value, str) else [((*at, i), v) for i, v in enumerate(value)]
            for path, one in ids:
                if one not in declared:
                    yield path, _undeclared(reference.called, one, declared)


def _ids(protocol: Protocol) -> _Found:
    seen: dict[str, int] = {}
    for number, criterion in enumerate(protocol.eligibility):
        first = seen.setdefault(criterion.id, number)
        if first != number:
            yield ("eligibility", number, "id"), f"The criterion '{criterion.id}' is given twice; rename one."
    for name in protocol.covariates:
        if name in protocol.biomarkers:
            yield ("covariates", name), f"'{name}' is a biomarker already; give the covariate another id."
        if name in RESERVED_COLUMNS:
            yield ("covariates", name), f"'{name}' is a column of every table; give the covariate another id."
    if WHOLE in protocol.populations:
        yield ("populations", WHOLE), f"The population '{WHOLE}' is the whole analysis set; take another id."


def patient_conditions(protocol: Protocol) -> Iterator[tuple[Path_, Condition]]:
    """Give every condition over the patients' columns: criteria, populations, and classes of covariates.

    A covariate's classes are its `levels`, where these are a mapping of level to condition.
    """
    for number, criterion in enumerate(protocol.eligibility):
        yield ("eligibility", number, "where"), criterion.where
    for name, condition in protocol.populations.items():
        yield ("populations", name), condition
    for name, spec in protocol.covariates.items():
        levels: Any = getattr(spec, "levels", None)
        if isinstance(levels, Mapping):
            for level, condition in levels.items():
                if isinstance(condition, Condition):
                    yield ("covariates", name, "levels", level), condition


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
