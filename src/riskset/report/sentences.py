"""Sentences of the results, bound to rows: each number in them is a part that names its row.

The wording claims no more than a retrospective comparison can: associations, never effects; a P value above .05 is
answered with the interval, never with "no difference".
"""

from __future__ import annotations

from riskset.report import format as fmt
from riskset.report.labels import lower_first
from riskset.report.reader import Reader, p_words, printed
from riskset.report.tablemodel import Inline, Part, inline
from riskset.report.tables.models import interaction_of
from riskset.report.tables.patients import criteria_of, total
from riskset.report.tables.survival import endpoint_of, groups_of, populations_of
from riskset.results import ResultRow


def listed(pieces: list[Inline]) -> Inline:
    """Join pieces as a sentence does: `a, b and c`."""
    joined: list[Inline | str] = []
    for position, piece in enumerate(pieces):
        if position:
            joined.append(" and " if position == len(pieces) - 1 else ", ")
        joined.append(piece)
    return inline(*joined)


def _crosses_one(reader: Reader, ratio: ResultRow) -> bool:
    low, high = reader.ends(ratio)
    return low is not None and high is not None and (low.value or 0) < 1 < (high.value or 0)


def _compatible(reader: Reader, ratio: ResultRow) -> Inline:
    """Say what an interval that crosses 1 leaves open."""
    if not _crosses_one(reader, ratio):
        return ()
    low, high = reader.ends(ratio)
    assert low is not None
    assert high is not None
    return inline(
        " The data are compatible with hazard ratios from ", printed(low), " to ", printed(high),
        ".",
    )  # fmt: skip


def hazard(reader: Reader, ratio: ResultRow | None) -> Inline:
    """Print `hazard ratio 0.87 (95% CI 0.63–1.20)`."""
    if ratio is None or ratio.value is None:
        empty = _empty_level(reader, ratio)
        if empty is not None:
            return inline(f"hazard ratio not estimable (no patient in {empty})")
        reason = "" if ratio is None or not ratio.warning else f" ({ratio.warning.rstrip('.')})"
        return inline("hazard ratio not estimable", reason)
    ends = reader.range(*reader.ends(ratio))
    return inline("hazard ratio ", printed(ratio), f" ({reader.conf_percent}% CI ", ends, ")")


def _empty_level(reader: Reader, ratio: ResultRow | None) -> str | None:
    """Name the level of a contrast in which nobody is, by the rows that count its patients."""
    if ratio is None or ratio.variable is None or ratio.value is not None:
        return None
    for level in (ratio.level, ratio.reference):
        key = {"population": ratio.population, "endpoint": ratio.endpoint, "scheme": ratio.scheme}
        groups = {"group": ratio.variable, "group_level": level, "variable": None}
        inner = {"group": ratio.group, "group_level": ratio.group_level, "variable": ratio.variable, "level": level}
        size = reader.find(ratio.analysis, "n", **key, **groups) or reader.find(ratio.analysis, "n", **key, **inner)
        if level is not None and (size is None or size.value == 0) and (ratio.warning or "").startswith(_NOBODY):
            return reader.labels.level(ratio.variable, level)
    return None


# How the analyses begin the warning of a contrast with a group in which nobody is.
_NOBODY = "A group has no patient"


def _months(row: ResultRow | None, reader: Reader) -> Inline:
    if row is None:
        return inline("not given")
    if row.status == "not_reached":
        return inline(Part("not reached", row.row))
    low, high = reader.ends(row)
    interval = inline(f" ({reader.conf_percent}% CI ", reader.range(low, high), ")") if low or high else ()
    return inline(printed(row), " months", interval)


def survival(reader: Reader, name: str) -> list[Inline]:
    """Describe each population: events, medians, hazard ratio, log-rank P, what the interval leaves open."""
    return [_survival(reader, name, population) for population in populations_of(reader, name)]


def _survival(reader: Reader, name: str, population: str | None) -> Inline:
    everyone = {"population": population, "group": None, "variable": None}
    n, events = (reader.find(name, word, **everyone) for word in ("n", "events"))
    who = reader.labels.of(population) if population else "All patients"
    parts: list[Inline] = [
        inline(Part(f"{who}. ", strong=True), printed(events), " events in ", printed(n), " patients; median "),
        _months(reader.find(name, "median", **everyone), reader),
    ]
    groups = [g for g in groups_of(reader, name, population=population) if g[0] is not None]
    for group, level in groups:
        median = reader.find(name, "median", population=population, group=group, group_level=level, variable=None)
        parts.append(inline("; ", reader.labels.level(group, level), " ", _months(median, reader)))
    parts.append(inline("."))
    for ratio in reader.rows(name, "hazard_ratio", method="cox", population=population):
        parts.append(_contrast(reader, name, ratio))
    return inline(*parts)


def _contrast(reader: Reader, name: str, ratio: ResultRow) -> Inline:
    against = reader.labels.level(ratio.variable, ratio.level), reader.labels.level(ratio.variable, ratio.reference)
    logrank = reader.find(
        name, "p_value", method="logrank", population=ratio.population, variable=ratio.variable, group=None
    )
    # Where one of the two groups is empty the test compares others: its P does not belong beside this contrast.
    test = () if _empty_level(reader, ratio) is not None else inline(", log-rank ", p_words(logrank))
    return inline(f" {against[0]} against {against[1]}: ", hazard(reader, ratio), test, ".", _compatible(reader, ratio))


def headline_ratio(reader: Reader, name: str, exposure: str | None) -> ResultRow | None:
    """Give the exposure's adjusted hazard ratio: stratified where there are strata, else unstratified."""
    for method in ("cox_multivariable_stratified", "cox_multivariable", "cox_univariable"):
        row = reader.find(name, "hazard_ratio", method=method, variable=exposure, population=None)
        if row is not None:
            return row
    return None


def cox(reader: Reader, name: str, exposure: str | None, adjust: list[str], strata: str | None) -> list[Inline]:
    """Describe the headline model."""
    ratio = headline_ratio(reader, name, exposure)
    if ratio is None:
        return []
    means = (
        [inline("adjusted for ", listed([inline(lower_first(reader.labels.of(v))) for v in adjust]))] if adjust else []
    )
    if strata is not None and ratio.method == "cox_multivariable_stratified":
        means.append(inline(f"stratified by {lower_first(reader.labels.of(strata))}"))
    missing = reader.find(name, "missing", method=ratio.method, population=None, variable=None)
    dropped = missing is not None and bool(missing.value)
    left_out = inline("; ", printed(missing), " patients left out for a missing value") if dropped else ()
    size = inline(Part(str(ratio.events), ratio.row), " events in ", Part(str(ratio.n), ratio.row), " patients")
    first = inline(
        f"{endpoint_of(reader, name)}, {reader.labels.contrast(exposure, ratio.level, ratio.reference)}: ",
        hazard(reader, ratio), ", ", p_words(reader.p_of(ratio)), ", ", listed(means) if means else "unadjusted",
        " (", size, left_out, ").", _compatible(reader, ratio),
    )  # fmt: skip
    return [first]


def response(reader: Reader, name: str) -> list[Inline]:
    """Describe each response endpoint among all patients."""
    found = []
    for endpoint in reader.values(name, "endpoint", "rate"):
        key = {"endpoint": endpoint, "population": None}
        rates = [r for r in reader.rows(name, "rate", method="wilson", **key) if r.group is not None]
        difference = next(iter(reader.rows(name, "rate_difference", **key)), None)
        p = next((r for r in reader.rows(name, "p_value", **key) if r.of == "rate_difference"), None)
        each = [inline(printed(r), f"% in {reader.labels.level(r.group, r.group_level)}") for r in rates]
        if not each:
            continue
        gap: Inline = ()
        if difference is not None and difference.value is not None:
            ends = reader.range(*reader.ends(difference))
            gap = inline(
                "; difference ", printed(difference), f" percentage points ({reader.conf_percent}% CI ", ends, "), ",
                p_words(p),
            )  # fmt: skip
        found.append(inline(f"{reader.labels.of(endpoint)}: ", listed(each), gap, "."))
    return found


def follow_up(reader: Reader, name: str) -> Inline:
    """Describe the follow-up and name the endpoint it stands on."""
    row = reader.find(name, "follow_up_median", group=None, population=None)
    if row is None:
        return ()
    endpoint = lower_first(endpoint_of(reader, name))
    return inline("Median follow-up (reverse Kaplan-Meier on ", endpoint, ") was ", _months(row, reader), ".")


def attrition(reader: Reader, name: str) -> Inline:
    """Say how many were screened and remain."""
    screened, included = total(reader, name, "screened", None), total(reader, name, "included", None)
    if screened is None or included is None:
        return ()
    unknown = [reader.find(name, "unknown", variable=c, group=None) for c in criteria_of(reader, name)]
    judged = any(row is not None and row.value for row in unknown)
    more = "; those of whom a criterion could not be judged are counted apart" if judged else ""
    return inline(printed(screened), " patients were screened and ", printed(included), f" included{more}.")


def agreement(reader: Reader, name: str, biomarker: str) -> Inline:
    """Say how far the first and the last specimen of a patient agree."""
    kappa = reader.find(name, "kappa")
    if kappa is None:
        return ()
    label = reader.labels.of(biomarker)
    return inline(
        "In the ", Part(str(kappa.n), kappa.row), " screened patients with several classified specimens, of any date, "
        f"the first and the last agreed in their {label} class with kappa ", reader.estimate(kappa), ".",
    )  # fmt: skip


def subgroups(reader: Reader, name: str) -> list[Inline]:
    """Give each interaction test and say how many there were."""
    variables = reader.values(name, "group", "hazard_ratio")
    tests = []
    for variable in variables:
        row = interaction_of(reader, name, None, variable, adjusted=False)
        if row is not None:
            tests.append(inline(lower_first(reader.labels.of(variable)), " ", p_words(row)))
    if not tests:
        return []
    count = Part(str(len(tests)))
    return [
        inline("Tests of interaction, unadjusted: ", listed(tests), ". These are ", count,
               " exploratory tests, not adjusted for their number.")
    ]  # fmt: skip


def contrasts(reader: Reader, name: str) -> list[Inline]:
    """Put the contrasts inside each group side by side with their interaction."""
    variables = [v for v in reader.values(name, "variable", "hazard_ratio") if ":" not in v]
    found = []
    for variable in variables:
        for level in dict.fromkeys(
            r.level for r in reader.rows(name, "hazard_ratio", population=None, variable=variable)
        ):
            ratios = reader.rows(name, "hazard_ratio", population=None, variable=variable, level=level)
            found.append(_side_by_side(reader, name, variable, ratios, len(variables)))
    return found


def _side_by_side(reader: Reader, name: str, variable: str, ratios: list[ResultRow], tests: int) -> Inline:
    each = [inline(f"{reader.labels.level(r.group, r.group_level)}: ", hazard(reader, r)) for r in ratios]
    contrast = reader.labels.contrast(variable, ratios[0].level, ratios[0].reference)
    label = "" if contrast.startswith(reader.labels.of(variable)) else f"{reader.labels.of(variable)}, "
    interaction = interaction_of(reader, name, None, variable, adjusted=False)
    plan = ", exploratory" if ratios[0].plan == "exploratory" else ""
    order = f", one of {tests} such tests" if tests > 1 else ""
    test = inline("; ", p_words_interaction(interaction), plan, order)
    return inline(f"{label}{contrast}, ", listed(each), test, ".")


def p_words_interaction(row: ResultRow | None) -> Inline:
    """Print `P for interaction = .16`."""
    if row is None or row.value is None:
        return inline("P for interaction not available")
    return inline(f"P for interaction{fmt.NO_BREAK}", Part(fmt.p_phrase(fmt.p_value(row.value)), row.row))
