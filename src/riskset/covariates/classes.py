"""A covariate made of conditions: `{first: line = 1, later: line >= 2}`."""

from __future__ import annotations

from typing import Literal

import polars as pl
from pydantic import Field

from riskset.covariates.spec import CovariateSpec, Facts, Types, Values, values_of
from riskset.errors import ConditionError
from riskset.protocol import Condition


class Classes(CovariateSpec):
    """The first level whose condition is true, in the order of the file.

    Unknown as soon as an earlier condition is unknown (it might have been the one), where no condition is true, and,
    with `where`, for patients for whom that is not true.
    """

    rule: Literal["classes"] = "classes"
    levels: dict[str, Condition] = Field(min_length=1)
    where: Condition | None = None

    def dtype(self) -> pl.DataType:
        """One of the levels, in the order of the file."""
        return pl.Enum(list(self.levels))

    def reads(self) -> frozenset[str]:
        """Columns of all conditions."""
        conditions = [*self.levels.values(), *([self.where] if self.where else [])]
        return frozenset().union(*(condition.columns for condition in conditions))

    def check(self, types: Types) -> None:
        """Check each condition against the columns known so far."""
        for level, condition in self.levels.items():
            try:
                condition.check(types)
            except ConditionError as error:
                raise ConditionError(f"levels.{level}: {error}") from error
        if self.where:
            self.where.check(types)

    def derive(self, facts: Facts) -> Values | None:
        """Walk the levels."""
        types = dict(facts.patients.schema)
        level = pl.lit(None, pl.String)
        for name, condition in reversed(self.levels.items()):
            truth = condition.expression(types)
            # null is neither branch: the class stays unknown
            level = pl.when(truth).then(pl.lit(name)).when(~truth).then(level)
        if self.where:
            level = pl.when(self.where.expression(types)).then(level)
        return values_of(facts.patients, level, "levels")
