"""What a review says, and what a rule is."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, ClassVar, Literal

from riskset.claims import Verdict
from riskset.protocol import Protocol
from riskset.results import Results

Severity = Literal["error", "warning", "info"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One remark. It never alters a row; `about` names the rows (or study paths) that it speaks of.

    `answer` is what the investigators wrote under `review` in the study file, empty if nothing.
    """

    rule: str
    severity: Severity
    message: str
    remedy: str
    reference: str = ""
    about: tuple[str, ...] = ()
    answer: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Give the finding as plain values, for JSON."""
        return {**asdict(self), "about": list(self.about)}

    def answered(self, answers: dict[str, str]) -> Finding:
        """Give the finding with the investigators' answer to its rule."""
        return replace(self, answer=answers.get(self.rule, ""))


class Rule:
    """One rule. A subclass states `id`, `severity`, `message`, `remedy`, and says in `look` which rows break it."""

    id: ClassVar[str]
    severity: ClassVar[Severity]
    message: ClassVar[str]
    remedy: ClassVar[str]
    reference: ClassVar[str] = ""

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Give the findings of this rule."""
        raise TypeError(f"{type(self).__name__} does not say what it looks at.")

    def finding(self, *about: str, severity: Severity | None = None, message: str | None = None) -> Finding:
        """Give a finding of this rule about some rows."""
        return Finding(
            self.id, severity or self.severity, message or self.message, self.remedy, self.reference, tuple(about)
        )
