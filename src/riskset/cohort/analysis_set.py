"""The analysis set: the only way in which an analysis sees patients."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import polars as pl

from riskset.errors import ConditionError, UsageError, did_you_mean
from riskset.protocol import Protocol
from riskset.tables import DERIVED, KEY, Tables, empty

ALL = "all"
_POPULATION = "population_"
_BOOLEAN_LEVELS = ["false", "true"]


@dataclass(frozen=True, slots=True, eq=False)
class AnalysisSet:
    """The included patients with covariates and outcomes, and what the flow chart needs of the others.

    Attributes
    ----------
    patients
        Included patients, sorted by centre (in the study file's order) and patient. Factors are Polars Enum in the
        declared order, `centre` too. `population_<id>` is Boolean, null where membership cannot be told.
    outcomes, responses
        Rows of the included patients.
    screened
        All patients, with `included`, `lost_at`, `lost_as`.
    samples
        Specimens of all screened patients.
    attrition
        Counts by centre and criterion.
    queries
        Counts only: `centre, check, severity, action, n`.
    sources
        One row a sheet that was read.
    """

    protocol: Protocol
    patients: pl.DataFrame
    outcomes: pl.DataFrame
    responses: pl.DataFrame
    screened: pl.DataFrame
    samples: pl.DataFrame
    attrition: pl.DataFrame
    queries: pl.DataFrame
    sources: pl.DataFrame

    def primary_scheme(self, endpoint: str) -> str:
        """Give the censoring scheme that an endpoint's numbers stand on unless an analysis asks for another.

        Raises
        ------
        UsageError
            The study has no such endpoint, or it is no time-to-event endpoint.
        """
        spec = self.protocol.endpoints.get(endpoint)
        if spec is None:
            raise UsageError(
                f"The study has no endpoint '{endpoint}'{did_you_mean(endpoint, self.protocol.endpoints)}; "
                "name one of `endpoints`."
            )
        scheme = getattr(spec, "primary_scheme", None)
        if scheme is None:
            raise UsageError(f"Endpoint '{endpoint}' has no times; name a time-to-event endpoint.")
        return str(scheme)

    def schemes(self, endpoint: str) -> list[str]:
        """Give the schemes of which there are outcomes, the primary one first, then as the study file lists them."""
        primary = self.primary_scheme(endpoint)
        declared = [primary, *getattr(self.protocol.endpoints[endpoint], "also", ())]
        present = set(self.outcomes.filter(pl.col("endpoint") == endpoint)["scheme"].to_list())
        return [scheme for scheme in dict.fromkeys(declared) if scheme in present]

    def levels(self, column: str) -> list[str]:
        """Give the levels of a factor in declared order; a Boolean column has `false`, `true`.

        A text column without declared levels gives those that occur, sorted.

        Raises
        ------
        UsageError
            There is no such column, or it holds numbers or dates.
        """
        self._require([column], self.patients)
        dtype = self.patients.schema[column]
        if isinstance(dtype, pl.Enum):
            return [str(level) for level in dtype.categories]
        if dtype == pl.Boolean:
            return list(_BOOLEAN_LEVELS)
        if dtype == pl.String:
            return sorted(self.patients[column].drop_nulls().unique().to_list())
        raise UsageError(f"Column '{column}' has no levels; declare a covariate of rule `classes` over it.")

    def unit(self, column: str) -> str | None:
        """Give the unit of a covariate that is a number with a unit, otherwise None."""
        return getattr(self.protocol.covariates.get(column), "measured_in", None)

    def members(self, population: str | None = None) -> pl.DataFrame:
        """Give the rows of `patients` that belong to a population; None and `all` mean everyone.

        Raises
        ------
        UsageError
            The study has no such population.
        """
        if population is None or population == ALL:
            return self.patients
        if population not in self.protocol.populations:
            raise UsageError(
                f"The study has no population '{population}'{did_you_mean(population, self.protocol.populations)}; "
                "name one of `populations`, or `all`."
            )
        return self.patients.filter(pl.col(_POPULATION + population))

    def counts(self, by: Sequence[str], population: str | None = None) -> pl.DataFrame:
        """Count patients by the columns `by`: columns `by` and `n`, sorted in level order, nulls last.

        Only combinations that occur have a row; a missing value is a combination of its own.
        """
        self._require(by, self.patients)
        members = self.members(population)
        if not by:
            return pl.DataFrame({"n": [members.height]}, schema={"n": pl.Int64})
        grouped = members.group_by(list(by)).agg(pl.len().cast(pl.Int64).alias("n"))
        return grouped.sort(list(by), nulls_last=True)

    def frame(
        self,
        columns: Sequence[str],
        population: str | None = None,
        endpoint: str | None = None,
        scheme: str | None = None,
    ) -> pl.DataFrame:
        """Give `centre`, `patient` and the columns, one row a patient of the population, sorted.

        With an endpoint, `days` (whole days), `event` (0 or 1), `cause` and `reason` are joined; a patient without an
        outcome under the scheme keeps the row, with nulls. Nothing is dropped for a missing value: callers drop and
        count. `scheme=None` is the endpoint's primary scheme.
        """
        self._require(columns, self.patients)
        chosen = self.members(population).select(list(dict.fromkeys([*KEY, *columns])))
        if endpoint is None:
            return chosen
        outcome = self._outcome(endpoint, scheme).select(*KEY, "days", "event", "cause", "reason")
        return chosen.join(outcome, on=KEY, how="left", maintain_order="left")

    def event_table(
        self,
        endpoint: str,
        by: Sequence[str] = (),
        population: str | None = None,
        scheme: str | None = None,
    ) -> pl.DataFrame:
        """Count events and censorings by the columns `by` and day: columns `by`, `days`, `events`, `censored`.

        Rows are sorted; a missing value in `by` is a pattern of its own. Patients without days or event are not in
        it: the counts of `counts(by)` less the sums of this table are those without an outcome.
        """
        told = self.frame(by, population, endpoint, scheme).filter(
            pl.col("days").is_not_null(), pl.col("event").is_not_null()
        )
        return (
            told.group_by([*by, "days"])
            .agg(
                (pl.col("event") > 0).sum().cast(pl.Int64).alias("events"),
                (pl.col("event") == 0).sum().cast(pl.Int64).alias("censored"),
            )
            .sort([*by, "days"], nulls_last=True)
        )

    def _outcome(self, endpoint: str, scheme: str | None) -> pl.DataFrame:
        chosen = self.primary_scheme(endpoint) if scheme is None else scheme
        return self.outcomes.filter(pl.col("endpoint") == endpoint, pl.col("scheme") == chosen)

    @staticmethod
    def _require(columns: Iterable[str], frame: pl.DataFrame) -> None:
        for column in columns:
            if column not in frame.columns:
                raise UsageError(
                    f"Patients have no column '{column}'{did_you_mean(column, frame.columns)}; "
                    "name a covariate or a biomarker of the study."
                )


def analysis_set(protocol: Protocol, tables: Tables) -> AnalysisSet:
    """Build the analysis set from the tables that `select` has marked.

    Biomarker classes keep the levels that the included patients have, in declared order, and the reference of the
    study's comparison even where nobody has it.
    """
    screened = tables["patients"].sort(KEY)
    patients = _populations(protocol, screened.filter(pl.col("included")))
    patients = _own_levels(protocol, patients)
    keys = patients.select(KEY)
    frames = {
        "patients": patients,
        "outcomes": _of(tables, "outcomes").join(keys, on=KEY, how="semi"),
        "responses": _of(tables, "responses").join(keys, on=KEY, how="semi"),
        "screened": screened,
        "samples": tables["samples"],
        "attrition": _of(tables, "attrition"),
        "queries": _query_counts(tables),
        "sources": tables["sources"] if "sources" in tables else pl.DataFrame({"centre": []}, {"centre": pl.String}),
    }
    order = pl.Enum(list(protocol.centres))
    ordered = {name: _in_order(frame, order) for name, frame in frames.items()}
    return AnalysisSet(protocol=protocol, **ordered)


def _of(tables: Tables, name: str) -> pl.DataFrame:
    return tables[name] if name in tables else empty(DERIVED[name])


def _in_order(frame: pl.DataFrame, centres: pl.Enum) -> pl.DataFrame:
    keys = [name for name in (*KEY, "endpoint", "scheme", "position", "check") if name in frame.columns]
    return frame.with_columns(pl.col("centre").cast(centres)).sort(keys, nulls_last=True, maintain_order=True)


def _populations(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    types = dict(patients.schema)
    columns = []
    for name, where in protocol.populations.items():
        try:
            where.check(types)
        except ConditionError as error:
            raise ConditionError(f"populations, '{name}': {error}") from error
        columns.append(where.expression(types).cast(pl.Boolean).alias(_POPULATION + name))
    return patients.with_columns(columns)


def _own_levels(protocol: Protocol, patients: pl.DataFrame) -> pl.DataFrame:
    """Narrow each Enum that no covariate declares, and the column compared by, to the levels in use."""
    comparison = protocol.comparison
    by = comparison.by if comparison else None
    columns = []
    for name, dtype in patients.schema.items():
        if name in protocol.covariates or not (isinstance(dtype, pl.Enum) or (dtype == pl.String and name == by)):
            continue
        used = set(patients[name].drop_nulls().cast(pl.String).to_list())
        if comparison and name == by:
            used.add(comparison.reference)
        order = dtype.categories.to_list() if isinstance(dtype, pl.Enum) else sorted(used)
        order = [level for level in order if level in used]
        columns.append(pl.col(name).cast(pl.String).cast(pl.Enum(order + sorted(used.difference(order)))))
    return patients.with_columns(columns)


def _query_counts(tables: Tables) -> pl.DataFrame:
    """Count the queries: patients' texts and ids stay behind."""
    by = ["centre", "check", "severity", "action"]
    if "queries" not in tables:
        return pl.DataFrame(schema={**dict.fromkeys(by, pl.String), "n": pl.Int64})
    return tables["queries"].group_by(by).agg(pl.len().cast(pl.Int64).alias("n")).sort(by)
