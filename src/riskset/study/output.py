"""Reading an output folder back: its rows, its private tables and the study file that gave them."""

from __future__ import annotations

import json
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl

from riskset.errors import RisksetError, UsageError, did_you_mean
from riskset.protocol import Protocol, load
from riskset.results import ResultRow, Results
from riskset.study.vocabulary import study_vocabulary

MANIFEST = "manifest.json"
PRIVATE = "private"
STUDY_COPY = "study.yaml"


class OutputFolder:
    """Reads what `Study.write` wrote.

    Raises
    ------
    UsageError
        It is no output folder, a part of it is missing or damaged, or its run was refused.
    """

    def __init__(self, folder: str | Path) -> None:
        self.folder = Path(folder)
        if not (self.folder / MANIFEST).is_file():
            raise UsageError(f"'{folder}' is no output folder of riskset; give the folder that `riskset run` wrote.")
        manifest = self._json(MANIFEST)
        if isinstance(manifest, dict) and manifest.get("status") == "refused":
            raise UsageError(f"The run that wrote '{folder}' was refused, so it has no results: {manifest['reason']}")

    def _json(self, name: str) -> Any:
        try:
            return json.loads((self.folder / name).read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise UsageError(f"'{name}' of the output folder cannot be read; run the study again.") from error

    @cached_property
    def results(self) -> Results:
        """Give the result rows."""
        try:
            return Results(ResultRow(**item) for item in self._json("results.json"))
        except (TypeError, RisksetError) as error:
            raise UsageError(
                "'results.json' of the output folder is damaged or of another version; run the study again."
            ) from error

    @cached_property
    def criteria(self) -> list[str]:
        """Give the eligibility criteria in their order."""
        rows = sorted(self._json("attrition.json"), key=lambda row: row["position"])
        return list(dict.fromkeys(row["criterion"] for row in rows))

    @cached_property
    def protocol(self) -> Protocol:
        """Give the study file of the run, from the copy that `private/` keeps."""
        path = self.folder / PRIVATE / STUDY_COPY
        if not path.is_file():
            raise self._without_private(STUDY_COPY)
        return load(path.read_text(encoding="utf-8"), study_vocabulary(), file=STUDY_COPY)

    @property
    def has_private(self) -> bool:
        """Tell whether the folder still has its private part: a folder that was passed on has none."""
        return (self.folder / PRIVATE / STUDY_COPY).is_file()

    def table(self, name: str) -> pl.DataFrame:
        """Give a table of `private/`."""
        path = self.folder / PRIVATE / f"{name}.parquet"
        if not path.is_file():
            raise self._without_private(path.name)
        try:
            return pl.read_parquet(path)
        except pl.exceptions.PolarsError as error:
            raise UsageError(f"'{path.name}' of the output folder cannot be read; run the study again.") from error

    def row(self, name: str) -> ResultRow:
        """Give the result row of that readable name."""
        found = self.results.by_name.get(name)
        if found is None:
            hint = did_you_mean(name, self.results.by_name)
            raise UsageError(f"There is no result row '{name}'{hint}; results.json names them all.")
        return found

    @staticmethod
    def _without_private(name: str) -> UsageError:
        return UsageError(f"'{name}' is missing in the folder's private part, which is needed to see patients.")
