"""Running every rule over the rows of a study."""

from __future__ import annotations

from collections.abc import Sequence

from riskset.claims import Verdict
from riskset.protocol import Protocol
from riskset.results import Results
from riskset.review import rules
from riskset.review.finding import Finding, Rule

_RANK = {"error": 0, "warning": 1, "info": 2}


def _discover() -> dict[str, Rule]:
    found = [c() for c in vars(rules).values() if isinstance(c, type) and issubclass(c, Rule) and c is not Rule]
    return {rule.id: rule for rule in sorted(found, key=lambda rule: rule.id)}


RULES: dict[str, Rule] = _discover()


def review(results: Results, protocol: Protocol, verdicts: Sequence[Verdict] = ()) -> list[Finding]:
    """Give the findings of all rules, errors first, each with the investigators' answer from the study file."""
    findings = [f for rule in RULES.values() for f in rule.look(results, protocol, verdicts)]
    answered = [finding.answered(protocol.review) for finding in findings]
    return sorted(answered, key=lambda f: (_RANK[f.severity], f.rule, f.about))
