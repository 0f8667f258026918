"""What a hospital already classified itself, read from the table `supplied`."""

from __future__ import annotations

from collections.abc import Sequence

import polars as pl

from riskset.tables import KEY

# The reason of a value that was supplied.
SUPPLIED = "supplied"


def supplied_values(supplied: pl.DataFrame, name: str, levels: Sequence[str]) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Give one supplied level a patient, and the rows whose value is none of the levels.

    Returns
    -------
    values
        `centre, patient, stated, stated_source, stated_row`; of several rows the first by source and row.
    unknown
        Rows of `supplied`, for a query.
    """
    rows = supplied.filter(pl.col("name") == name, pl.col("value").is_not_null())
    rows = rows.with_columns(stated=pl.col("value").str.strip_chars().str.to_lowercase()).sort(*KEY, "source", "row")
    known = pl.col("stated").is_in(list(levels))
    values = rows.filter(known).unique(KEY, keep="first", maintain_order=True)
    named = values.select(*KEY, "stated", stated_source="source", stated_row="row")
    return named, rows.filter(~known)
