"""Tables of Kaplan-Meier analyses: description by group, contrasts, numbers at risk, follow-up, schemes."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from riskset.report import format as fmt
from riskset.report.labels import lower_first
from riskset.report.reader import Reader, p_words, printed
from riskset.report.tablemodel import Heading, Inline, Part, Table, TableBuilder, headings, inline
from riskset.results import ResultRow


def populations_of(reader: Reader, name: str) -> list[str | None]:
    """Give the populations of an analysis in the order of its rows; None is everybody."""
    return list(dict.fromkeys(row.population for row in reader.rows(name)))


def groups_of(reader: Reader, name: str, **key: Any) -> list[tuple[str | None, str | None]]:
    """Give the groups that an analysis describes, everybody first."""
    return list(dict.fromkeys((row.group, row.group_level) for row in reader.rows(name, "n", variable=None, **key)))


def group_label(reader: Reader, group: str | None, level: str | None) -> str:
    """Name a group."""
    return "All" if group is None else reader.labels.level(group, level)


def events_of_n(reader: Reader, name: str, **key: Any) -> Inline:
    """Print `68/100`: events of patients."""
    return inline(printed(reader.find(name, "events", **key)), "/", printed(reader.find(name, "n", **key)))


def times_of(reader: Reader, name: str, statistic: str) -> list[float]:
    """Give the times at which a statistic was asked for."""
    return sorted(reader.values(name, "time", statistic, method="kaplan_meier"))


def _interval(reader: Reader) -> str:
    return f"({reader.conf_percent}% CI)"


def endpoint_of(reader: Reader, name: str) -> str:
    """Name the endpoint that an analysis stands on."""
    found = next((row.endpoint for row in reader.rows(name) if row.endpoint is not None), None)
    return reader.labels.of(found) if found is not None else reader.labels.of(name)


def description(reader: Reader, name: str) -> Table:
    """Medians, rates at times and restricted means by population and group."""
    times = times_of(reader, name, "survival")
    rmst = next(iter(reader.rows(name, "rmst")), None)
    columns = ["Group", "Events/n", f"Median, months\n{_interval(reader)}"]
    columns += [f"{fmt.whole_months(t)} months, %\n{_interval(reader)}" for t in times]
    if rmst is not None and rmst.time is not None:
        columns.append(f"RMST, {fmt.whole_months(rmst.time)} months\n{_interval(reader)}")
    endpoint = endpoint_of(reader, name)
    table = TableBuilder(f"{name}-description", f"{endpoint} by group.", [headings(*columns)])
    populations = populations_of(reader, name)
    for population in populations:
        if len(populations) > 1:
            table.section(reader.labels.of(population) if population else "All patients")
        for group, level in groups_of(reader, name, population=population):
            key = {"population": population, "group": group, "group_level": level, "variable": None}
            cells: list[Inline] = [
                events_of_n(reader, name, **key),
                reader.estimate(reader.find(name, "median", **key)),
                *(reader.estimate(reader.find(name, "survival", time=t, **key)) for t in times),
            ]
            if rmst is not None:
                cells.append(reader.estimate(reader.find(name, "rmst", **key)))
            table.line(group_label(reader, group, level), *cells, indent=int(len(populations) > 1))
    table.notes += _description_notes(rmst is not None)
    return table.finish()


def _description_notes(restricted: bool) -> list[str]:
    notes = ["Kaplan-Meier estimates. NR: not reached. CI: confidence interval."]
    if restricted:
        notes.append("RMST: restricted mean survival time, in months.")
    return notes


def contrasts(reader: Reader, name: str) -> Table | None:
    """Differences between groups: hazard ratio, log-rank P, differences of rates and restricted means."""
    ratios = reader.rows(name, "hazard_ratio", method="cox")
    if not ratios:
        return None
    times = times_of(reader, name, "survival_difference")
    restricted = bool(reader.rows(name, "rmst_difference"))
    tests = ["HR " + _interval(reader), "Log-rank P"]
    spans = [Heading(inline("")), Heading(inline("Hazard"), len(tests))]
    columns = ["Contrast", *tests]
    if times:
        spans.append(Heading(inline(f"Difference, percentage points {_interval(reader)}"), len(times)))
        columns += [f"{fmt.whole_months(t)} months" for t in times]
    if restricted:
        spans.append(Heading(inline("Difference of RMST")))
        columns.append(f"months {_interval(reader)}")
    title = f"{endpoint_of(reader, name)}: differences between groups."
    table = TableBuilder(f"{name}-contrasts", title, [tuple(spans), headings(*columns)])
    populations = list(dict.fromkeys(row.population for row in ratios))
    for population in populations:
        if len(populations) > 1:
            table.section(reader.labels.of(population) if population else "All patients")
        for ratio in (row for row in ratios if row.population == population):
            table.line(*_contrast_cells(reader, name, ratio, times, restricted), indent=int(len(populations) > 1))
    table.notes.append("HR: hazard ratio of a Cox model with the group alone. Log-rank P: all groups together.")
    return table.finish()


def _contrast_cells(
    reader: Reader, name: str, ratio: ResultRow, times: list[float], restricted: bool
) -> list[str | Part | Inline]:
    pair = {
        "population": ratio.population,
        "variable": ratio.variable,
        "level": ratio.level,
        "reference": ratio.reference,
    }
    logrank = reader.find(
        name, "p_value", population=ratio.population, method="logrank", variable=ratio.variable, group=None
    )
    cells: list[str | Part | Inline] = [
        reader.labels.contrast(ratio.variable, ratio.level, ratio.reference),
        reader.estimate(ratio),
        printed(logrank),
        *(reader.estimate(reader.find(name, "survival_difference", time=t, **pair)) for t in times),
    ]
    if restricted:
        cells.append(reader.estimate(reader.find(name, "rmst_difference", **pair)))
    return cells


def numbers_at_risk(reader: Reader, name: str) -> Table | None:
    """Numbers at risk on the grid of the figures."""
    found = reader.rows(name, "at_risk", method="risk_table")
    if not found:
        return None
    times = sorted({row.time for row in found if row.time is not None})
    columns = ["Group", *(fmt.whole_months(t) for t in times)]
    spans = (Heading(inline("")), Heading(inline("Months from the index date"), len(times)))
    title = f"{endpoint_of(reader, name)}: numbers at risk."
    table = TableBuilder(f"{name}-at-risk", title, [spans, headings(*columns)], supplementary=True)
    cells = {(r.population, r.group, r.group_level, r.time): r for r in found}
    populations = list(dict.fromkeys(row.population for row in found))
    for population in populations:
        if len(populations) > 1:
            table.section(reader.labels.of(population) if population else "All patients")
        groups = list(dict.fromkeys((r.group, r.group_level) for r in found if r.population == population))
        for group, level in groups:
            numbers = [cells.get((population, group, level, t)) for t in times]
            # Beyond the longest follow-up of a population nobody counts: an empty cell, not a missing number.
            table.line(
                group_label(reader, group, level),
                *("" if n is None else printed(n) for n in numbers),
                indent=int(len(populations) > 1),
            )
    return table.finish()


def follow_up(reader: Reader, name: str) -> Table:
    """Follow-up by reverse Kaplan-Meier, overall and by group."""
    endpoint = endpoint_of(reader, name)
    title = f"Follow-up by reverse Kaplan-Meier, from {lower_first(endpoint)}."
    columns = headings("Group", "n", f"Median, months {_interval(reader)}", "Quartiles, months")
    table = TableBuilder(f"{name}-table", title, [columns])
    for row in reader.rows(name, "follow_up_median"):
        key = {"population": row.population, "group": row.group, "group_level": row.group_level}
        low = reader.find(name, "quartile_low", **key)
        high = reader.find(name, "quartile_high", **key)
        size = reader.find(name, "n", **key)
        n: Inline | Part = printed(size) if size is not None else Part(str(row.n or fmt.ABSENT), row.row)
        table.line(group_label(reader, row.group, row.group_level), n, reader.estimate(row), reader.range(low, high))
    logrank = next((r for r in reader.rows(name, "p_value") if r.method and "logrank" in r.method), None)
    if logrank is not None:
        table.line("Reversed curves, log-rank", "", "", inline(p_words(logrank)))
    return table.finish()


def schemes(reader: Reader, name: str) -> Table:
    """The primary contrast under each censoring scheme."""
    groups = list(dict.fromkeys((r.group, r.group_level) for r in reader.rows(name, "median") if r.group is not None))
    columns = ["Censoring scheme", "Events/n"]
    columns += [f"Median, {reader.labels.level(g, level)}" for g, level in groups]
    columns += [f"HR {_interval(reader)}", "P"]
    title = f"{endpoint_of(reader, name)} under each censoring scheme."
    table = TableBuilder(f"{name}-table", title, [headings(*columns)])
    for scheme in reader.values(name, "scheme"):
        for ratio in reader.rows(name, "hazard_ratio", scheme=scheme):
            medians = [
                reader.estimate(reader.find(name, "median", scheme=scheme, group=g, group_level=level))
                for g, level in groups
            ]
            adjusted = ratio.method == "cox_adjusted"
            label = "adjusted" if adjusted else Part(reader.labels.of(scheme), note=_same_as(reader, name, scheme))
            cells = [inline("")] * len(medians) if adjusted else medians
            p = printed(reader.p_of(ratio))
            table.line(label, _size(ratio), *cells, reader.estimate(ratio), p, indent=int(adjusted))
    table.notes.append("Medians in months with their confidence intervals; HR: hazard ratio.")
    return table.finish()


def _same_as(reader: Reader, name: str, scheme: str) -> str | None:
    """Say which earlier scheme gave the same numbers throughout: a reader would suspect a mistake."""
    mine = _numbers(reader, name, scheme)
    for earlier in reader.values(name, "scheme"):
        if earlier == scheme:
            return None
        if _numbers(reader, name, earlier) == mine:
            return f"Same numbers as under {reader.labels.of(earlier)}."
    return None


def _numbers(reader: Reader, name: str, scheme: str) -> list[tuple[object, ...]]:
    return [tuple(v for k, v in asdict(r).items() if k not in _OF_SCHEME) for r in reader.rows(name, scheme=scheme)]


_OF_SCHEME = ("row", "scheme")


def _size(ratio: ResultRow) -> Inline:
    """Print events and patients of the model that a hazard ratio came from; they are fields of its row."""
    if ratio.n is None or ratio.events is None:
        return inline(fmt.ABSENT)
    return inline(Part(fmt.count(ratio.events), ratio.row), "/", Part(fmt.count(ratio.n), ratio.row))
