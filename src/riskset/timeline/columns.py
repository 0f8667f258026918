"""The columns that this room adds, known before any data are read, so that conditions can be typed."""

from __future__ import annotations

import polars as pl

from riskset.protocol import Protocol


def columns(protocol: Protocol) -> dict[str, pl.DataType]:  # noqa: ARG001  every room gives its columns by this form
    """Give the columns that `add_timeline` adds to `patients`, whatever the study declares.

    `index_date` is time zero; `index_drug` an international nonproprietary name; `index_source` and `index_row` lead
    back to the sheet; `physician_line` is the line that the index row states; `prior_cdk46` is null where unknown.
    `treated` is true with an index date, null where a row meets or may meet the index condition but has no date that
    can be read, and false otherwise.
    """
    return {
        "index_date": pl.Date(),
        "index_drug": pl.String(),
        "index_source": pl.Int32(),
        "index_row": pl.Int32(),
        "physician_line": pl.Int32(),
        "prior_cdk46": pl.Boolean(),
        "treated": pl.Boolean(),
    }


def drug_columns() -> dict[str, pl.DataType]:
    """Give the columns that `add_timeline` adds to `drugs`, which the study's `index.where` may read."""
    return {"inn": pl.String(), "atc": pl.String(), "drug_class": pl.String()}
