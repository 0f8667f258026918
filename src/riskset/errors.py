"""One tree of errors. Each class carries the exit code that the command line ends with.

A message is one sentence that names the place and the remedy. It never holds a patient's value: at most the
cell reference (file, sheet, row, column).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class RisksetError(Exception):
    """Any error that riskset raises on purpose."""

    exit_code = 1


class UsageError(RisksetError):
    """The command line or an argument is wrong."""

    exit_code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with a study file or a mapping file; `line` and `column` count from 1."""

    path: str
    message: str
    line: int | None = None
    column: int | None = None
    file: str | None = None

    def __str__(self) -> str:
        where = self.file or ""
        if self.line is not None:
            place = f"{self.line}:{self.column or 1}"
            where = f"{where}:{place}" if where else f"line {place}"
        inside = f"{self.path}: " if self.path else ""
        return f"{where}: {inside}{self.message}" if where else f"{inside}{self.message}"


class StudyFileError(UsageError):
    """A study file or mapping file breaks the rules; carries all its problems, not the first alone."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(str(p) for p in self.problems))


class ConditionError(UsageError):
    """A condition (`where`) cannot be read, or uses what the condition language does not hold."""


class DataRefusedError(RisksetError):
    """The data's structure does not fit: a file, sheet, header or column is missing or unreadable."""

    exit_code = 3


class ReportRefusedError(RisksetError):
    """A report was asked for something that the rows do not hold."""


class EngineError(RisksetError, ValueError):
    """An estimator was given numbers that it cannot use (negative time, unequal lengths, no rows, ...)."""

    exit_code = 3


class PrimaryNotEstimatedError(RisksetError):
    """A primary analysis gave no estimate."""

    exit_code = 4


class CancelledError(RisksetError):
    """The caller set the cancel event while a study was running."""


def did_you_mean(name: str, known: Iterable[str]) -> str:
    """Give ` (did you mean 'x'?)` for the nearest known name, or an empty string.

    Examples
    --------
    >>> did_you_mean("endpoint", ["endpoints", "index"])
    " (did you mean 'endpoints'?)"
    """
    near = get_close_matches(str(name), [str(k) for k in known], n=1, cutoff=0.6)
    return f" (did you mean '{near[0]}'?)" if near else ""
