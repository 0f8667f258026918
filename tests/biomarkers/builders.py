"""Small studies with biomarkers, for the tests of this folder."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from riskset.biomarkers import SPECS, add_biomarkers
from riskset.protocol import MappingFile, Protocol, Vocabulary, load
from riskset.tables import KEY
from small_tables import tables

INDEX = "index: {table: drugs, date: start}\n"


def study(biomarkers: str, *, index: bool = True) -> Protocol:
    """Load a study with these biomarkers, such as `her2: {scheme: zero_low}`; further ones on further lines."""
    head = "riskset: 1\nstudy: {id: tiny, title: Tiny}\ncentres: {a: {mapping: a.yaml}}\n"
    lines = "".join(f"  {line.strip()}\n" for line in biomarkers.splitlines() if line.strip())
    return load(f"{head}{INDEX if index else ''}biomarkers:\n{lines}", Vocabulary(biomarkers=SPECS))


def mapping(**her2: str) -> MappingFile:
    """Give a mapping with these HER2 declarations."""
    block = {"file": "a.csv", "table": "patients", "fields": {"patient": {"column": "id"}}}
    return MappingFile.model_validate({"mapping": 1, "her2": her2, "blocks": [block]})


def with_index(patients: Mapping[str, str | None], **texts: str) -> dict[str, pl.DataFrame]:
    """Give tables with patients of centre a and their index dates (ISO text, or null)."""
    made = tables(patients="patient\n" + "\n".join(patients), **texts)
    dates = pl.DataFrame(
        [("a", patient, index) for patient, index in patients.items()],
        schema={"centre": pl.String, "patient": pl.String, "index_date": pl.String},
        orient="row",
    ).with_columns(pl.col("index_date").str.to_date("%Y-%m-%d"))
    return made | {"patients": made["patients"].join(dates, on=KEY, how="left")}


def classify(samples: str, spec: str = "her2: {}", **her2: str) -> dict[str, pl.DataFrame]:
    """Classify samples of one patient without looking at time."""
    made = with_index({"p1": "2020-01-01"}, samples=samples)
    return add_biomarkers(study(spec), {"a": mapping(**her2)}, made)


def checks(done: Mapping[str, pl.DataFrame]) -> list[str]:
    """Give the checks that raised a query, sorted, without the notes on missing dates and split cells."""
    quiet = ("her2_undated", "her2_split", "hr_undated")
    return sorted(check for check in done["queries"]["check"].to_list() if check not in quiet)
