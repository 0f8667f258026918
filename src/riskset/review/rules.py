"""The rules, one small class each; the ids are those of the field's list, so gaps are rules still to come."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from riskset.claims import Verdict
from riskset.inference import percentage_reachable
from riskset.protocol import Protocol
from riskset.results import ResultRow, Results
from riskset.review.finding import Finding, Rule

ALPHA = 0.05

# Methods whose P values test the exposure against an outcome.
_COMPARISONS = ("logrank", "cox", "chi_square", "fisher_exact", "fisher_exact_monte_carlo")


def _value(row: ResultRow | None) -> float | None:
    return None if row is None else row.value


class DifferenceInSignificance(Rule):
    """P below .05 inside one group and not inside another, where the interaction does not bear it out."""

    id = "L01"
    severity = "warning"
    message = "A P value below .05 inside one group and above it in another is no evidence that the groups differ."
    remedy = "Report the interaction P value and the ratio of the hazard ratios beside both groups."
    reference = "Altman DG, Bland JM. BMJ 2003; 326: 219."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at the contrasts inside groups."""
        tests = [
            r
            for r in results.select(method="logrank", statistic="p_value")
            if r.group_level is not None and r.variable is not None and r.value is not None
        ]
        for key in dict.fromkeys((r.analysis, r.population, r.group, r.variable) for r in tests):
            mine = [r for r in tests if (r.analysis, r.population, r.group, r.variable) == key]
            below = [r for r in mine if r.value is not None and r.value < ALPHA]
            if not below or len(below) == len(mine):
                continue
            analysis, population, group, variable = key
            interaction = results.select(
                analysis=analysis,
                population=population,
                variable=f"{group}:{variable}",
                statistic="p_interaction",
                method="unadjusted",
            )
            about = [r.row for r in (*mine, *interaction)]
            if not interaction:
                yield self.finding(*about, severity="error")
                continue
            p = interaction[0].value
            # An interaction that cannot be estimated bears nothing out either.
            if p is None or p >= ALPHA:
                yield self.finding(*about)


class ManyTests(Rule):
    """More than four tests of the exposure against outcomes, and none of them named as primary."""

    id = "L03"
    severity = "warning"
    message = "The exposure is tested against outcomes more than four times and no analysis is primary."
    remedy = "Name one analysis `plan: primary`, or adjust for multiplicity."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Count the exposure's tests."""
        if protocol.comparison is None:
            return
        by = protocol.comparison.by
        tests = [
            r
            for r in results.select(statistic="p_value", variable=by, method=_COMPARISONS)
            if r.endpoint is not None and r.value is not None
        ]
        # The log-rank P and the P of the hazard ratio of the same patients are tests of one question.
        questions = {(r.analysis, r.endpoint, r.scheme, r.population, r.group, r.group_level) for r in tests}
        if len(questions) > 4 and not any(r.plan == "primary" for r in tests):
            yield self.finding(*(r.row for r in tests))


class EventsPerCoefficient(Rule):
    """Fewer than ten (five) events for each coefficient of a model."""

    id = "L04"
    severity = "info"
    message = "A model has fewer than ten events for each of its coefficients."
    remedy = "Drop covariates on clinical grounds, or penalise."
    reference = "Peduzzi P et al. J Clin Epidemiol 1995; 48: 1503; Riley RD et al. Stat Med 2019; 38: 1276."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at the multivariable models."""
        for method in ("cox_multivariable", "cox_multivariable_stratified"):
            for size in results.select(method=method, statistic="events", variable=None):
                key = {"analysis": size.analysis, "method": method, "population": size.population}
                terms = results.select(**key, statistic="coefficient")
                if not terms or size.value is None:
                    continue
                share = size.value / len(terms)
                if share < 5:
                    yield self.finding(
                        size.row, severity="error", message="A model has fewer than five events for each coefficient."
                    )
                elif share < 10:
                    yield self.finding(size.row)


class UnreliableTail(Rule):
    """A median of the primary comparison that lies beyond the median follow-up."""

    id = "L13"
    severity = "warning"
    message = "A median lies beyond the median follow-up (reverse Kaplan-Meier) of the same patients."
    remedy = "Say so beside the median, and give survival at an earlier time."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Hold each group's median against its follow-up."""
        for median in results.select(statistic="median", method="kaplan_meier", plan="primary"):
            follow = results.select(
                statistic="follow_up_median",
                population=median.population,
                group=median.group,
                group_level=median.group_level,
            )
            for row in follow:
                if median.value is not None and row.value is not None and median.value > row.value:
                    yield self.finding(median.row, row.row)


class NonProportional(Rule):
    """The test of proportional hazards of the exposure or of the whole model below .05."""

    id = "L14"
    severity = "warning"
    message = "Hazards are not proportional by the test of the exposure or of the whole model."
    remedy = "Put the difference in restricted mean survival time, or a time-varying effect, beside the hazard ratio."
    reference = "Grambsch PM, Therneau TM. Biometrika 1994; 81: 515."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at the tests of proportional hazards."""
        by = protocol.comparison.by if protocol.comparison else None
        broken = [
            row
            for row in results.select(statistic="p_value", of="proportional_hazards")
            if row.variable in (None, by) and row.value is not None and row.value < ALPHA
        ]
        # One finding a model: in a model of the exposure alone both tests are the same.
        for model in dict.fromkeys((r.analysis, r.method, r.population) for r in broken):
            yield self.finding(*(r.row for r in broken if (r.analysis, r.method, r.population) == model))


class CompleteCaseLoss(Rule):
    """A model that drops more than a tenth of its patients for missing values."""

    id = "L17"
    severity = "warning"
    message = "A model leaves out more than 10 % of the patients because a covariate is missing."
    remedy = "Show who is left out, and add a multiple-imputation analysis."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at the sizes of the multivariable models."""
        for method in ("cox_multivariable", "cox_multivariable_stratified"):
            for row in results.select(method=method, statistic="missing", variable=None):
                key = {"analysis": row.analysis, "method": method, "population": row.population, "variable": None}
                used = results.find(**key, statistic="n")
                total = (row.value or 0) + (_value(used) or 0)
                if total and (row.value or 0) / total > 0.10:
                    yield self.finding(row.row)


class UnreachablePercentage(Rule):
    """A published percentage that no whole number of the stated patients gives."""

    id = "L22"
    severity = "warning"
    message = "A published percentage is not reachable with this number of patients."
    remedy = "Ask whether the denominator is the evaluable patients."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at the claims in percent."""
        for verdict in verdicts:
            if verdict.unit != "percent" or verdict.ours is None or not verdict.ours.n or verdict.decimals is None:
                continue
            # Only a share of patients is a whole number over n: Kaplan-Meier estimates and differences are not.
            if verdict.ours.statistic not in ("rate", "proportion"):
                continue
            printed = float(verdict.published)
            possible = 0 <= printed <= 100
            if not possible or not percentage_reachable(printed, verdict.ours.n, verdict.decimals).reachable:
                yield self.finding(f"claims/{verdict.id}", verdict.ours.row)


class ImmatureSurvival(Rule):
    """Overall survival with fewer than 30 % of the patients dead."""

    id = "L34"
    severity = "warning"
    message = "Fewer than 30 % of the patients have died: overall survival is immature."
    remedy = "Draw no conclusion from overall survival; state the share of deaths."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at endpoints of kind `os`."""
        for endpoint, spec in protocol.endpoints.items():
            if getattr(spec, "kind", None) != "os":
                continue
            everyone = {"endpoint": endpoint, "method": None, "group": None, "population": None, "variable": None}
            about = []
            for events in results.select(statistic="events", **everyone):
                n = results.find(analysis=events.analysis, statistic="n", scheme=events.scheme, **everyone)
                if n is not None and n.value and events.value is not None and events.value / n.value < 0.30:
                    about += [events.row, n.row]
            if about:
                yield self.finding(*about)


class Unclassified(Rule):
    """More than a tenth of the patients lost because a criterion could not be told."""

    id = "L41"
    severity = "warning"
    message = "More than 10 % of the patients who met the criteria before are lost because this one cannot be told."
    remedy = "Compare them with the others by centre, year and outcome: who is tested may not be a chance sample."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at the flow of patients."""
        for unknown in results.select(analysis="attrition", statistic="unknown", group=None):
            entered = results.find(analysis="attrition", statistic="entered", group=None, variable=unknown.variable)
            total = _value(entered)
            if total and unknown.value is not None and unknown.value / total > 0.10:
                yield self.finding(unknown.row)


class FollowUpDiffers(Rule):
    """Groups followed for different times."""

    id = "L57"
    severity = "warning"
    message = "The groups were followed for different times (reverse Kaplan-Meier)."
    remedy = "Show follow-up by group, and repeat the comparison with equal potential follow-up."

    def look(self, results: Results, protocol: Protocol, verdicts: Sequence[Verdict]) -> Iterator[Finding]:
        """Look at the test of the reversed curves."""
        for row in results.select(statistic="p_value", method="logrank_reversed"):
            if row.value is not None and row.value < ALPHA:
                yield self.finding(row.row)
