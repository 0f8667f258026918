"""Running the checks of a stage and applying their policies."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import polars as pl

from riskset.errors import UsageError
from riskset.protocol import Policy, Protocol
from riskset.quality.check import Check, Stage
from riskset.tables import PROVENANCE, Tables, fit

_ACTION: dict[Policy, str] = {
    "report": "reported",
    "set_missing": "set_missing",
    "exclude": "excluded",
    "stop": "stopped",
}


def _discover() -> dict[str, Check]:
    found: dict[str, Check] = {}
    for info in iter_modules([str(Path(__file__).parent)]):
        if info.name in ("check", "runner"):
            continue
        module = import_module(f"riskset.quality.{info.name}")
        for thing in vars(module).values():
            if isinstance(thing, type) and issubclass(thing, Check) and thing.__module__ == module.__name__:
                found[thing.id] = thing()
    return dict(sorted(found.items()))


ALL: dict[str, Check] = _discover()
CHECKS: dict[str, str] = {name: check.meaning for name, check in ALL.items()}


def policy_of(check: Check, protocol: Protocol) -> Policy:
    """Give a check's policy: the study file's, else the check's own.

    Raises
    ------
    UsageError
        The study file asks a later check to set values missing, or one on the finished cohort to exclude from it.
    """
    policy = protocol.quality.get(check.id, check.policy)
    if policy == "set_missing" and check.stage != "tables":
        raise UsageError(f"quality.{check.id}: this check runs after values were used; choose report, exclude or stop.")
    if policy == "exclude" and check.stage == "cohort":
        raise UsageError(
            f"quality.{check.id}: this check looks at the finished cohort; choose report or stop, or add a criterion "
            "to `eligibility`."
        )
    return policy


def run_checks(stage: Stage, protocol: Protocol, tables: Tables) -> Tables:
    """Run the checks of a stage; give the tables with their queries added and their policies applied.

    `report` only asks. `set_missing` (stage `tables`) makes the named cell null. `exclude` marks the patient, whom
    the cohort then leaves out under the criterion `data_quality`. `stop` marks the query, and the run ends.
    """
    for check in ALL.values():
        if check.stage != stage:
            continue
        policy = policy_of(check, protocol)
        if check.raised_by_step:
            tables = _escalate(check.id, protocol, tables)
            continue
        found = _as_queries(check, policy, check.find(protocol, tables))
        if policy == "set_missing":
            tables = _set_missing(found, tables)
        tables = {**tables, "queries": pl.concat([tables["queries"], found])}
    # Readers and rules raise questions of their own that have no class here; a declared policy holds for them too.
    for name in protocol.quality:
        if name not in ALL:
            tables = _escalate(name, protocol, tables)
    return tables


def _as_queries(check: Check, policy: Policy, found: pl.DataFrame) -> pl.DataFrame:
    # A question about a sheet or a column excludes nobody.
    action = pl.lit(_ACTION[policy])
    if policy == "exclude":
        action = pl.when(pl.col("patient").is_null()).then(pl.lit(_ACTION["report"])).otherwise(action)
    own = [pl.col("severity")] if "severity" in found.columns else []
    severity = pl.coalesce(*own, pl.lit(check.severity))
    stated = found.with_columns(check=pl.lit(check.id), severity=severity, action=action)
    order = ["centre", "patient", "source", "row", "table", "field", "message", "value"]
    return fit(stated, PROVENANCE["queries"]).sort(order, nulls_last=True)


def _escalate(name: str, protocol: Protocol, tables: Tables) -> Tables:
    """Apply a declared policy to queries that an earlier step raised under this id; a null cell stays null.

    Nobody is excluded by a query that names no patient, whoever raised it.
    """
    policy = protocol.quality.get(name, "set_missing")
    mine = pl.col("check") == name
    nobody = pl.col("patient").is_null()
    excluded = pl.col("action") == _ACTION["exclude"]
    action = pl.when(mine & nobody & excluded).then(pl.lit(_ACTION["report"])).otherwise(pl.col("action"))
    if policy != "set_missing":
        meant = mine & {"report": excluded, "exclude": ~nobody}.get(policy, pl.lit(True))
        action = pl.when(meant).then(pl.lit(_ACTION[policy])).otherwise(action)
    return {**tables, "queries": tables["queries"].with_columns(action=action)}


def _set_missing(found: pl.DataFrame, tables: Tables) -> Tables:
    """Make the cells that queries name null.

    A sheet row may have given several rows of a table (`drug1`, `drug2`): the text tells which cell is meant.
    """
    changed = dict(tables)
    for (table, field), cells in found.group_by("table", "field", maintain_order=True):
        if table is None or field is None:
            continue
        frame = changed[str(table)]
        if field not in frame.columns:
            continue
        place = ["centre", "patient", "source", "row", "_text"]
        places = cells.rename({"value": "_text"}).select(place).unique().with_columns(_found=pl.lit(True))
        texts = frame.with_columns(_text=pl.col(str(field)).cast(pl.String))
        marked = texts.join(places, on=place, how="left", maintain_order="left")
        kept = pl.when(pl.col("_found").is_null()).then(pl.col(str(field)))
        changed[str(table)] = marked.with_columns(kept.alias(str(field))).drop("_found", "_text")
    return changed
