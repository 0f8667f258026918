"""Tables of response: rates by denominator and group, best response."""

from __future__ import annotations

from typing import Any

from riskset.report import format as fmt
from riskset.report.reader import Reader, printed
from riskset.report.tablemodel import Inline, Part, Table, TableBuilder, headings, inline
from riskset.results import ResultRow

_TESTS = {"chi_square": "chi-square", "fisher": "Fisher's exact test"}


def _groups(reader: Reader, name: str) -> list[tuple[str | None, str | None]]:
    return list(dict.fromkeys((r.group, r.group_level) for r in reader.rows(name, "rate", method="wilson")))


def rates(reader: Reader, name: str) -> Table:
    """Response rates by group for each endpoint and denominator, with difference, odds ratio and test."""
    groups = _groups(reader, name)
    interval = f"({reader.conf_percent}% CI)"
    labels = ["All" if g is None else reader.labels.level(g, level) for g, level in groups]
    columns = ["Denominator", *labels, f"Difference, points\n{interval}", f"Odds ratio\n{interval}", "P"]
    title = "Response: responders/patients, and % with its confidence interval."
    table = TableBuilder(f"{name}-rates", title, [headings(*columns)])
    tests = set()
    for endpoint in reader.values(name, "endpoint", "rate"):
        table.section(reader.labels.of(endpoint))
        populations = dict.fromkeys(r.population for r in reader.rows(name, "rate", endpoint=endpoint))
        for population in populations:
            key = {"endpoint": endpoint, "population": population}
            p = next((r for r in reader.rows(name, "p_value", **key) if r.method in _TESTS), None)
            if p is not None:
                tests.add(p.method)
            cells = [_rate_cell(reader, name, {**key, "group": g, "group_level": level}) for g, level in groups]
            table.line(reader.labels.of(population), *cells, *_contrast(reader, name, key), printed(p), indent=1)
    named = " or ".join(word for method, word in _TESTS.items() if method in tests)
    table.notes.append(
        "Intervals of rates after Wilson, of differences after Newcombe"
        + (f"; P: {named}, by the expected counts." if named else ".")
        + " Not evaluable counts as no response."
    )
    return table.finish()


def _rate_cell(reader: Reader, name: str, key: dict[str, Any]) -> Inline:
    rate = reader.find(name, "rate", method="wilson", **key)
    if rate is None:
        return inline(fmt.ABSENT)
    events = next((r for r in reader.rows(name, "events", **key) if r.variable is None), None)
    size = next((r for r in reader.rows(name, "n", **key) if r.variable is None), None)
    counts = inline(_of(events, rate, rate.events), "/", _of(size, rate, rate.n))
    return inline(counts, "\n", reader.estimate(rate))


def _of(row: ResultRow | None, rate: ResultRow, number: int | None) -> Part:
    """Print a count from its own row, or from the field of the rate's row."""
    if row is not None:
        return printed(row)
    return Part(fmt.ABSENT if number is None else fmt.count(number), rate.row)


def _contrast(reader: Reader, name: str, key: dict[str, Any]) -> list[Inline]:
    difference = next(iter(reader.rows(name, "rate_difference", **key)), None)
    odds = next(iter(reader.rows(name, "odds_ratio", **key)), None)
    return [reader.estimate(difference), reader.estimate(odds)]


def best_response(reader: Reader, name: str) -> Table | None:
    """Best response by group, those not evaluable shown."""
    rows = [r for r in reader.rows(name, "n") if r.variable == "best_response"]
    if not rows:
        return None
    first = (rows[0].endpoint, rows[0].population)
    rows = [r for r in rows if (r.endpoint, r.population) == first]
    groups = list(dict.fromkeys((r.group, r.group_level) for r in rows))
    labels = ["All" if g is None else reader.labels.level(g, level) for g, level in groups]
    table = TableBuilder(f"{name}-best", "Best response, n (%).", [headings("Best response", *labels)])
    for level in dict.fromkeys(r.level for r in rows):
        cells = []
        for group, at in groups:
            number = next((r for r in rows if (r.group, r.group_level, r.level) == (group, at, level)), None)
            key = {"variable": "best_response", "level": level, "group": group, "group_level": at}
            share = reader.find(name, "proportion", endpoint=first[0], population=first[1], **key)
            cells.append(inline(printed(number), " (", printed(share), ")") if share else inline(printed(number)))
        table.line(reader.labels.level("best_response", level), *cells)
    missing = reader.rows(name, "missing", variable="best_response", endpoint=first[0], population=first[1])
    if any(row.value for row in missing):
        by_group = {(row.group, row.group_level): row for row in missing}
        table.line("Not recorded", *(printed(by_group.get(group)) for group in groups))
    table.notes.append(
        "CR: complete response; PR: partial response; SD: stable disease; PD: progressive disease; NE: not evaluable."
    )
    return table.finish()
