"""What can be wrong with a cell, and the rows of the query list that say so."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from riskset.tables import PROVENANCE, empty, fit

QUERIES = PROVENANCE["queries"]

# The questions that reading itself can ask. Check ids of the field's list where it has one, words where it has none.
CHECKS: dict[str, str] = {
    "V01": "patient id missing, or in more than one row",
    "V03": "date that is impossible, unreadable or only a year, or two date orders in a column",
    "V38": "rows of one patient that give different values",
    "V44": "number that cannot be read, or read from a range or a bound",
    "unmapped_code": "text that the mapping's codes do not list",
    "partial_date": "date without its day",
    "unknown_patient": "row of a patient whom the list of patients lacks",
    "repeated_row": "patient on several rows that say the same",
    "formula_unstored": "formula whose value the workbook does not store",
    "encoding_assumed": "text file whose encoding was not stated",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One kind of trouble: its check, how bad it is, what was done, and the sentence for the data manager."""

    check: str
    severity: str
    action: str
    sentence: str


# States of a cell that are no trouble: it is empty, or its text means missing.
EMPTY, MISSING = "empty", "missing"

PROBLEMS: dict[str, Problem] = {
    "date_unreadable": Problem(
        "V03", "error", "set_missing", "the date is impossible or cannot be read; please give day, month and year"
    ),
    "date_against_order": Problem(
        "V03", "error", "set_missing", "the date is written in another order than the rest of its column"
    ),
    "date_order_open": Problem(
        "V03",
        "error",
        "set_missing",
        "the date can be read day first or month first, and its column holds both; please write the month as a word",
    ),
    "date_no_day": Problem("partial_date", "info", "reported", "the day is missing; the 15th of the month is used"),
    "date_no_day_unused": Problem("partial_date", "warning", "set_missing", "the day is missing; please complete it"),
    "date_year_only": Problem("V03", "warning", "set_missing", "only a year is given; please give day, month and year"),
    "number_unreadable": Problem("V44", "warning", "set_missing", "the number cannot be read; please correct it"),
    "number_not_whole": Problem("V44", "warning", "set_missing", "a whole number is expected; please correct it"),
    "number_range": Problem("V44", "warning", "reported", "a range is given; its midpoint is used"),
    "number_bound": Problem(
        "V44", "warning", "reported", "only a bound is given; half of an upper bound, or a lower bound itself, is used"
    ),
    "number_approximate": Problem("V44", "info", "reported", "the number is approximate; it is used as it stands"),
    "formula_unstored": Problem(
        "formula_unstored",
        "error",
        "set_missing",
        "formula without a stored value; open and save the file in a spreadsheet program",
    ),
    "unmapped_code": Problem(
        "unmapped_code",
        "error",
        "set_missing",
        "the text is not among the mapping's codes; please correct or explain it",
    ),
}


def cell_queries(
    cells: pl.DataFrame, column: str, *, centre: str, table: str, field: str, source: int
) -> pl.DataFrame | None:
    """Give one query a troubled cell.

    Parameters
    ----------
    cells
        Columns `patient`, `row`, `state` and `text`, one row a cell.
    """
    troubled = cells.filter(pl.col("state").is_in(list(PROBLEMS)))
    if troubled.is_empty():
        return None
    by_state = pl.DataFrame(
        {
            "state": list(PROBLEMS),
            "check": [problem.check for problem in PROBLEMS.values()],
            "severity": [problem.severity for problem in PROBLEMS.values()],
            "action": [problem.action for problem in PROBLEMS.values()],
            "message": [f"Column '{column}': {problem.sentence}." for problem in PROBLEMS.values()],
        }
    )
    found = troubled.join(by_state, on="state", how="left", maintain_order="left").rename({"text": "value"})
    found = found.with_columns(centre=pl.lit(centre), table=pl.lit(table), field=pl.lit(field), source=pl.lit(source))
    return fit(found.drop("state"), QUERIES)


def query(
    problem: Problem, message: str, *, centre: str, source: int, table: str | None = None, field: str | None = None
) -> pl.DataFrame:
    """Give one query about a whole sheet or column."""
    row = {
        "centre": centre, "check": problem.check, "severity": problem.severity, "action": problem.action,
        "table": table, "field": field, "source": source, "message": message,
    }  # fmt: skip
    return fit(pl.DataFrame([row]), QUERIES)


def row_queries(
    rows: pl.DataFrame, problem: Problem, *, centre: str, table: str, field: str | None = None
) -> pl.DataFrame:
    """Give one query a row; `rows` has `patient` (may be null), `source` and `row`."""
    found = rows.select("patient", "source", "row").with_columns(
        centre=pl.lit(centre), check=pl.lit(problem.check), severity=pl.lit(problem.severity),
        action=pl.lit(problem.action), table=pl.lit(table), field=pl.lit(field, dtype=pl.String),
        message=pl.lit(problem.sentence),
    )  # fmt: skip
    return fit(found, QUERIES)


def gather(frames: list[pl.DataFrame | None], policies: Mapping[str, str]) -> pl.DataFrame:
    """Put queries together, sorted and each once; a check whose policy is `stop` says that it stopped the run."""
    present = [frame for frame in frames if frame is not None]
    if not present:
        return empty(QUERIES)
    stops = [check for check, policy in policies.items() if policy == "stop"]
    stopped = pl.when(pl.col("check").is_in(stops)).then(pl.lit("stopped")).otherwise(pl.col("action"))
    together = pl.concat(present).with_columns(action=stopped).unique(maintain_order=True)
    # A row without a patient id (a footer, say) is one question, however many blocks read its sheet.
    again = ~pl.struct("check", "source", "row", "patient").is_first_distinct()
    together = together.filter(~((pl.col("check") == "V01") & pl.col("patient").is_null() & again))
    return together.sort("centre", "source", "row", "check", "table", "field", "message", "value", nulls_last=False)
