"""What a check is."""

from __future__ import annotations

from typing import ClassVar, Literal

import polars as pl

from riskset.protocol import Policy, Protocol
from riskset.tables import PROVENANCE, Tables

Stage = Literal["tables", "derived", "cohort"]
Severity = Literal["error", "warning", "info"]

# What `find` gives: one row a problem. Columns that a check leaves out are null; with a column `severity` besides, a
# problem may be graver or lighter than its check.
FOUND = ("centre", "patient", "table", "field", "source", "row", "message", "value")


class Check:
    """One check. A subclass states its id, stage, severity and default policy, and finds problems.

    Only checks of stage `tables` may have the policy `set_missing`: later, a value has been used already.

    Attributes
    ----------
    raised_by_step : the step that reads or classifies raises these queries itself; the check only applies its policy.
    """

    id: ClassVar[str]
    meaning: ClassVar[str]
    stage: ClassVar[Stage]
    severity: ClassVar[Severity] = "error"
    policy: ClassVar[Policy] = "report"
    raised_by_step: ClassVar[bool] = False

    def find(self, protocol: Protocol, tables: Tables) -> pl.DataFrame:
        """Give the problems as a frame with columns among `FOUND`, and `severity` where it varies."""
        raise TypeError(f"{type(self).__name__} does not say how it finds problems.")


def located(frame: pl.DataFrame, table: str, field: str | None, message: str) -> pl.DataFrame:
    """Give problems that stand in rows of one table: its key and provenance, the field's text as `value`."""
    value = pl.col(field).cast(pl.String) if field is not None and field in frame.columns else pl.lit(None, pl.String)
    return frame.select(
        "centre",
        "patient",
        pl.lit(table).alias("table"),
        pl.lit(field, pl.String).alias("field"),
        pl.col("source").cast(pl.Int32),
        pl.col("row").cast(pl.Int32),
        pl.lit(message).alias("message"),
        value.alias("value"),
    )


def nothing() -> pl.DataFrame:
    """Give no problem."""
    types = PROVENANCE["queries"].types
    return pl.DataFrame(schema={name: types[name] for name in FOUND})
