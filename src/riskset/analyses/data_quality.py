"""Data quality by centre: rows read, patients, and questions by check."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import polars as pl

from riskset import biomarkers, covariates, endpoints, ingest, quality, timeline
from riskset.cohort import AnalysisSet
from riskset.results import ResultRow, RowWriter

# What each check asks, in words. Where two rooms use one id, the sentence of `quality` holds, as in the study file.
MEANINGS: dict[str, str] = {
    **ingest.CHECKS,
    **timeline.CHECKS,
    **biomarkers.CHECKS,
    **covariates.CHECKS,
    **endpoints.CHECKS,
    **quality.CHECKS,
}


def run(name: str, analysis_set: AnalysisSet) -> list[ResultRow]:
    """Give counts only; what was asked about whom stays in the centre's own query list."""
    writer = RowWriter(analysis=name)
    for centre in analysis_set.protocol.centres:
        w = writer.within(group="centre", group_level=centre)
        mine = pl.col("centre").cast(pl.String) == centre
        w.add("n", analysis_set.screened.filter(mine).height)
        for place, source in _places(analysis_set.sources.filter(mine)):
            w.add("rows", source["rows"], variable="source", level=place)
            for column in (source["unmapped"] or "").split("\t") if source["unmapped"] else []:
                w.word("definition", "not read", variable="unmapped_column", level=f"{place}: {column}")
        queries = analysis_set.queries.filter(mine)
        w.add("queries", int(queries["n"].sum()))
        for q in queries.iter_rows(named=True):
            level = f"{q['severity']}/{q['action']}"
            w.add("queries", q["n"], variable=q["check"], level=level, text=meaning_of(q["check"]))
    return writer.rows


def meaning_of(check: str) -> str | None:
    """Say what a check asks; what follows a semicolon tells the data manager what to do and stays in the query list."""
    sentence = MEANINGS.get(check)
    return None if sentence is None else sentence.split(";")[0].rstrip(".")


def _places(sources: pl.DataFrame) -> Iterator[tuple[str, dict[str, Any]]]:
    """Give each sheet with its name; one that was read twice, from two headers, is numbered."""
    seen: dict[str, int] = {}
    for source in sources.sort("source").iter_rows(named=True):
        place = source["file"] + (f" [{source['sheet']}]" if source["sheet"] else "")
        seen[place] = seen.get(place, 0) + 1
        yield place + (f" ({seen[place]})" if seen[place] > 1 else ""), source
