"""Tables about patients: characteristics, attrition, ascertainment, reasons, data quality."""

from __future__ import annotations

from typing import Any

from riskset.report import format as fmt
from riskset.report.reader import Reader, printed
from riskset.report.tablemodel import Heading, Inline, Part, Table, TableBuilder, headings, inline
from riskset.results import ResultRow

_SCREENED, _INCLUDED = "screened", "included"


def _groups(reader: Reader, name: str, population: str | None) -> list[tuple[str | None, str | None]]:
    rows = reader.rows(name, "n", population=population, variable=None)
    return list(dict.fromkeys((row.group, row.group_level) for row in rows))


def baseline(reader: Reader, name: str, title: str) -> Table:
    """Characteristics by group: counts with their denominators, means, medians, missing values, SMD."""
    population = next((row.population for row in reader.rows(name)), None)
    groups = _groups(reader, name, population)
    sizes = {
        g: reader.find(name, "n", population=population, group=g[0], group_level=g[1], variable=None) for g in groups
    }
    tests = {row.variable: row for row in reader.rows(name, "p_value", population=population)}
    differences = {row.variable: row for row in reader.rows(name, "smd", population=population)}
    columns: list[Inline] = [inline("Characteristic")]
    for group in groups:
        label = "All" if group[0] is None else reader.labels.level(*group)
        columns.append(inline(f"{label} (n = ", printed(sizes[group]), ")"))
    extra = [word for word, found in (("SMD", differences), ("P", tests)) if found]
    table = TableBuilder(f"{name}-table", title, [headings(*columns, *extra)])
    for variable in reader.values(name, "variable"):
        last = [found.get(variable) for found in (differences, tests) if found]
        _variable_lines(table, reader, _Variable(name, population, variable, groups, sizes, last))
    table.notes += [
        "Values are n (%) unless said otherwise; percentages are of those with a value, given as n/N where a value "
        "is missing." + (" SMD: standardised mean difference." if differences else "")
    ]
    return table.finish()


class _Variable:
    """One variable of Table 1 with all that its lines need."""

    def __init__(
        self,
        name: str,
        population: str | None,
        variable: str,
        groups: list[tuple[str | None, str | None]],
        sizes: dict[tuple[str | None, str | None], ResultRow | None],
        last: list[ResultRow | None],
    ) -> None:
        self.name, self.population, self.variable = name, population, variable
        self.groups, self.sizes = groups, sizes
        self.last: list[Inline] = [inline(printed(row)) for row in last]

    def cells(self, reader: Reader, statistic: str, level: str | None) -> list[ResultRow | None]:
        """Give the rows of one statistic and level, a group each."""
        key: dict[str, Any] = {"population": self.population, "variable": self.variable, "level": level}
        return [reader.find(self.name, statistic, group=g, group_level=at, **key) for g, at in self.groups]


def _variable_lines(table: TableBuilder, reader: Reader, v: _Variable) -> None:
    levels = reader.values(v.name, "level", "n", population=v.population, variable=v.variable)
    label, blank = reader.labels.of(v.variable), [""] * len(v.last)
    row = reader.find(v.name, "median", variable=v.variable) or reader.find(v.name, "mean", variable=v.variable)
    unit = reader.labels.unit(v.variable, row.unit if row is not None else None)
    if not levels:
        table.line(label + (f", {unit}" if unit else ""), *([""] * len(v.groups)), *v.last)
        _number_lines(table, reader, v)
    elif set(levels) <= {"true", "false"}:
        # A yes-or-no variable needs one line: its yes.
        table.line(label, *_shares(reader, v, "true"), *v.last)
    else:
        table.line(label, *([""] * len(v.groups)), *v.last)
        for level in levels:
            table.line(reader.labels.level(v.variable, level), *_shares(reader, v, level), *blank, indent=1)
    missing = v.cells(reader, "missing", None)
    if any(row is not None and row.value for row in missing):
        table.line("Missing", *(printed(row) for row in missing), *blank, indent=1)


def _shares(reader: Reader, v: _Variable, level: str) -> list[Inline]:
    counts, shares = v.cells(reader, "n", level), v.cells(reader, "proportion", level)
    return [share_cell(n, p, v.sizes[g]) for n, p, g in zip(counts, shares, v.groups, strict=True)]


def share_cell(number: ResultRow | None, share: ResultRow | None, size: ResultRow | None) -> Inline:
    """Print `45 (40.2)`, or `45/98 (45.9)` where the denominator is not the whole group."""
    if number is None:
        return inline(Part(fmt.ABSENT))
    if share is None:
        return inline(printed(number))
    whole = None if size is None or size.value is None else int(size.value)
    over: Inline = ()
    if share.n is not None and share.n != whole:
        over = inline("/", Part(fmt.count(share.n), share.row))
    return inline(printed(number), over, " (", printed(share), ")")


def _number_lines(table: TableBuilder, reader: Reader, v: _Variable) -> None:
    blank = [""] * len(v.last)
    means, sds = v.cells(reader, "mean", None), v.cells(reader, "sd", None)
    if any(means):
        cells = [inline(printed(m), " (", printed(s), ")") for m, s in zip(means, sds, strict=True)]
        table.line("Mean (SD)", *cells, *blank, indent=1)
    medians = v.cells(reader, "median", None)
    ends = zip(v.cells(reader, "quartile_low", None), v.cells(reader, "quartile_high", None), strict=True)
    if any(medians):
        cells = [inline(printed(m), " (", reader.range(*e), ")") for m, e in zip(medians, ends, strict=True)]
        table.line("Median (quartiles)", *cells, *blank, indent=1)
    lows, highs = v.cells(reader, "minimum", None), v.cells(reader, "maximum", None)
    if any(lows):
        cells = [reader.range(a, b) for a, b in zip(lows, highs, strict=True)]
        table.line("Range", *cells, *blank, indent=1)


def criteria_of(reader: Reader, name: str) -> list[str]:
    """Give the eligibility criteria in their order."""
    return [v for v in reader.values(name, "variable", "entered") if v not in (_SCREENED, _INCLUDED)]


def total(reader: Reader, name: str, word: str, centre: str | None) -> ResultRow | None:
    """Give the number screened or included, of one centre or of all."""
    key: dict[str, Any] = {"group": None} if centre is None else {"group_level": centre}
    return reader.find(name, "n", variable=word, **key)


def attrition(reader: Reader, name: str) -> Table:
    """Who was lost at which criterion, by centre, known not to meet it and unknown apart."""
    centres: list[str | None] = [*reader.values(name, "group_level", group="centre")]
    columns = headings("Criterion", *(reader.labels.centre(c) for c in centres), "All")
    table = TableBuilder(
        f"{name}-table", "Attrition by criterion and centre.", [columns], supplementary=True, wide=True
    )
    places: list[str | None] = [*centres, None]
    table.line("Screened", *(printed(total(reader, name, _SCREENED, c)) for c in places), kind="total")
    for criterion in criteria_of(reader, name):
        cells = []
        for centre in places:
            key: dict[str, Any] = {"group": None} if centre is None else {"group_level": centre}
            found = [reader.find(name, word, variable=criterion, **key) for word in ("fails", "unknown")]
            cells.append(inline(printed(found[0]), " + ", printed(found[1])))
        table.line(reader.labels.criterion(criterion), *cells, indent=1)
    table.line("Included", *(printed(total(reader, name, _INCLUDED, c)) for c in places), kind="total")
    table.notes.append("Lost at each criterion: known not to meet it + cannot be judged.")
    return table.finish()


def reasons(reader: Reader, name: str) -> Table:
    """Why patients have an event or are censored, by group."""
    groups = list(dict.fromkeys((r.group, r.group_level) for r in reader.rows(name, "n") if r.variable == "reason"))
    labels = ["All" if g is None else reader.labels.level(g, level) for g, level in groups]
    table = TableBuilder(f"{name}-table", "Events and censorings by reason.", [headings("Reason", *labels)])
    for endpoint in reader.values(name, "endpoint"):
        for method, word in (("event", "events"), ("censored", "censored")):
            rows = reader.rows(name, "n", endpoint=endpoint, method=method, variable="reason")
            if not rows:
                continue
            table.section(f"{reader.labels.of(endpoint)}: {word}")
            for level in list(dict.fromkeys(row.level for row in rows)):
                cells = [
                    next((r for r in rows if (r.group, r.group_level) == g and r.level == level), None) for g in groups
                ]
                table.line(reader.labels.level("reason", level), *(printed(c) for c in cells), indent=1)
    return table.finish()


def cross_tables(reader: Reader, name: str, title: str) -> list[Table]:
    """One table for each pair of variables that counts were made of: one as lines, the other as columns."""
    rows = [r for r in reader.rows(name, "n") if r.variable is not None]
    found = [_cross(reader, name, title, rows, pair) for pair in dict.fromkeys((r.group, r.variable) for r in rows)]
    return [table for table in found if table is not None]


def _cross(
    reader: Reader, name: str, title: str, rows: list[ResultRow], pair: tuple[str | None, str | None]
) -> Table | None:
    group, variable = pair
    here = [r for r in rows if (r.group, r.variable) == pair]
    lines = list(dict.fromkeys(r.group_level for r in here))
    levels = list(dict.fromkeys(r.level for r in here))
    columns = [reader.labels.level(variable, level) for level in levels]
    what = reader.labels.of(variable) + ("" if group is None else f" by {_small(reader.labels.of(group))}")
    head = [headings(reader.labels.of(group) if group else "", *columns)]
    if len(levels) > 1:
        head.insert(0, (Heading(inline("")), Heading(inline(reader.labels.of(variable)), len(levels))))
    table = TableBuilder(f"{name}-{group or 'all'}-{variable}", f"{title}: {what}.", head, supplementary=True)
    cells = {(r.group_level, r.level): r for r in here}
    for line in lines:
        label = "All" if group is None else reader.labels.level(group, line)
        # A pair that no row counts has no patient: shown as a dot, so that it is not read as missing.
        found = [cells.get((line, level)) for level in levels]
        table.line(label, *("·" if row is None else printed(row) for row in found))
    return table.finish()


def _small(text: str) -> str:
    return text if text[:2].isupper() else text[:1].lower() + text[1:]


def quality(reader: Reader, name: str) -> list[Table]:
    """Rows read and queries raised, by centre."""
    found = []
    centres = reader.values(name, "group_level", group="centre")
    for statistic, heading, title in (
        ("queries", "Check", "Queries by check and centre."),
        ("rows", "Source", "Rows read by source and centre."),
    ):
        rows = reader.rows(name, statistic)
        if not rows:
            continue
        if statistic == "rows":
            found.append(_sources(reader, name, rows))
            continue
        columns = headings(heading, "Severity", *(reader.labels.centre(c) for c in centres))
        table = TableBuilder(f"{name}-{statistic}", title, [columns], align="ll" + "c" * len(centres), wide=True)
        for variable, level in list(dict.fromkeys((r.variable, r.level) for r in rows)):
            cells = {r.group_level: r for r in rows if (r.variable, r.level) == (variable, level)}
            numbers = [cells.get(c) for c in centres]
            name_of = variable or "All"
            table.line(name_of, level or "", *("·" if n is None else printed(n) for n in numbers))
        found.append(table.finish())
    return found


def _sources(reader: Reader, name: str, rows: list[ResultRow]) -> Table:
    columns = headings("Centre", "Source", "Rows")
    table = TableBuilder(f"{name}-rows", "Rows read by source.", [columns], align="llc", supplementary=True)
    last = None
    for row in rows:
        label = reader.labels.centre(row.group_level) if row.group_level != last else ""
        last = row.group_level
        source = row.text or row.level or row.variable or ""
        number = Part(fmt.count(row.value), row.row) if row.value is not None else printed(row)
        table.line(label, source, number)
    return table.finish()
