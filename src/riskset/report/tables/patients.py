"""Tables about patients: characteristics, attrition, ascertainment, reasons, data quality."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from riskset.report import format as fmt
from riskset.report.labels import humanise, upper_first
from riskset.report.reader import Reader, printed
from riskset.report.tablemodel import Heading, Inline, Part, Table, TableBuilder, headings, inline
from riskset.results import ResultRow

_SCREENED, _INCLUDED = "screened", "included"
SEVERITIES = {"E": "Error", "W": "Warning", "I": "Information"}


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
        "is missing." + (" SMD: standardised mean difference, absolute value." if differences else "")
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
        self.last: list[Inline] = [inline(_without_sign(printed(row))) for row in last]

    def cells(self, reader: Reader, statistic: str, level: str | None) -> list[ResultRow | None]:
        """Give the rows of one statistic and level, a group each."""
        key: dict[str, Any] = {"population": self.population, "variable": self.variable, "level": level}
        return [reader.find(self.name, statistic, group=g, group_level=at, **key) for g, at in self.groups]


def _without_sign(part: Part) -> Part:
    """Print the size of a standardised difference: its sign only says which group was named first."""
    return replace(part, text=part.text.removeprefix(fmt.MINUS))


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
        table.line(_known_only(reader, v, label), *_shares(reader, v, "true"), *v.last)
    else:
        table.line(label, *([""] * len(v.groups)), *v.last)
        for level in levels:
            table.line(reader.labels.level(v.variable, level), *_shares(reader, v, level), *blank, indent=1)
    missing = v.cells(reader, "missing", None)
    if any(row is not None and row.value for row in missing):
        table.line("Missing", *(printed(row) for row in missing), *blank, indent=1)


def _known_only(reader: Reader, v: _Variable, label: str) -> Part:
    """Warn where everybody of whom a yes-or-no variable is known has the same value and others are missing."""
    if not any(row is not None and row.value for row in v.cells(reader, "missing", None)):
        return Part(label)
    held = {level for level in ("true", "false") if any(r is not None and r.value for r in v.cells(reader, "n", level))}
    words = {"true": "present", "false": "absent"}
    note = f"Known only where {words[held.pop()]}." if len(held) == 1 else None
    return Part(label, note=note)


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
        # A variable of whole numbers (a count, a year) has a range of whole numbers.
        whole = all(row is None or row.value is None or row.value.is_integer() for row in (*lows, *highs))
        digits = 0 if whole else 1
        cells = [
            inline(printed(a, digits=digits), "–", printed(b, digits=digits)) for a, b in zip(lows, highs, strict=True)
        ]
        table.line("Range", *cells, *blank, indent=1)


def criteria_of(reader: Reader, name: str) -> list[str]:
    """Give the eligibility criteria in their order."""
    return reader.values(name, "variable", "entered")


def total(reader: Reader, name: str, word: str, centre: str | None) -> ResultRow | None:
    """Give the number screened or included, of one centre or of all."""
    key: dict[str, Any] = {"group": None} if centre is None else {"group_level": centre}
    return reader.find(name, "n", variable=None, population=word, **key)


def attrition(reader: Reader, name: str) -> Table:
    """Who was lost at which criterion, by centre, known not to meet it and unknown apart."""
    centres: list[str | None] = [*reader.values(name, "group_level", group="centre")]
    columns = headings("Criterion", *(reader.labels.centre(c) for c in centres), "All")
    title = "Attrition by criterion and centre: not met / unknown."
    table = TableBuilder(f"{name}-table", title, [columns], supplementary=True)
    places: list[str | None] = [*centres, None]
    table.line("Screened", *(printed(total(reader, name, _SCREENED, c)) for c in places), kind="total")
    for criterion in criteria_of(reader, name):
        cells = []
        for centre in places:
            key: dict[str, Any] = {"group": None} if centre is None else {"group_level": centre}
            found = [reader.find(name, word, variable=criterion, **key) for word in ("fails", "unknown")]
            cells.append(inline(printed(found[0]), " / ", printed(found[1])))
        table.line(reader.labels.criterion(criterion), *cells, indent=1)
    table.line("Included", *(printed(total(reader, name, _INCLUDED, c)) for c in places), kind="total")
    table.notes.append("Patients lost at each criterion: not met / unknown (the criterion could not be judged).")
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


def ascertainment(reader: Reader, name: str, biomarker: str) -> list[Table]:
    """The classes by specimen, year, score, centre and reason, of those screened and those included; score by ISH."""
    tables = []
    for population, who in ((_SCREENED, "screened"), (None, "included")):
        table = _classes(reader, name, biomarker, population, who)
        if table is not None:
            tables.append(table)
    crossed = _score_by_ish(reader, name, biomarker)
    return [*tables, *([crossed] if crossed is not None else [])]


def _classes(reader: Reader, name: str, biomarker: str, population: str | None, who: str) -> Table | None:
    rows = [r for r in reader.rows(name, "n", population=population, variable=biomarker) if r.method is None]
    if not rows:
        return None
    classes = _in_use(reader, biomarker, rows)
    shares = {(r.group, r.group_level, r.level): r for r in reader.rows(name, "proportion", population=population)}
    label = reader.labels.of(biomarker)
    columns = headings("", *(reader.labels.level(biomarker, level) for level in classes))
    title = f"{label} class of the patients {who}, n (%)."
    table = TableBuilder(f"{name}-{who}", title, [columns], supplementary=True)
    counts = {(r.group, r.group_level, r.level): r for r in rows}
    for group in dict.fromkeys(row.group for row in rows):
        if group is not None:
            table.section(upper_first(reader.labels.of(group).removeprefix(f"{label} ")))
        for at in _levels_in_use(reader, group, rows):
            name_of = f"All {who}" if group is None else reader.labels.level(group, at)
            keys = [(group, at, level) for level in classes]
            cells = [_with_share(counts.get(key), shares.get(key)) for key in keys]
            table.line(name_of, *cells, indent=int(group is not None))
    table.notes.append("Percentages of each line.")
    return table.finish()


def _in_use(reader: Reader, biomarker: str, rows: list[ResultRow]) -> list[str | None]:
    """Give the classes that anybody has, the reference of the comparison first."""
    found = list(dict.fromkeys(row.level for row in rows if row.value))
    comparison = reader.protocol.comparison if reader.protocol is not None else None
    reference = comparison.reference if comparison is not None and comparison.by == biomarker else None
    return [c for c in found if c == reference] + [c for c in found if c != reference]


def _levels_in_use(reader: Reader, group: str | None, rows: list[ResultRow]) -> list[str | None]:
    """Give the levels of a group that anybody has; centres in the order of the study file."""
    found = list(dict.fromkeys(row.group_level for row in rows if row.group == group and row.value))
    if group == "centre" and reader.protocol is not None:
        order = {centre: position for position, centre in enumerate(reader.protocol.centres)}
        found.sort(key=lambda centre: order.get(centre or "", len(order)))
    return found


def _with_share(number: ResultRow | None, share: ResultRow | None) -> Inline:
    if number is None or share is None or number.value == 0:
        return inline(printed(number))
    return inline(printed(number), " (", printed(share), ")")


def _score_by_ish(reader: Reader, name: str, biomarker: str) -> Table | None:
    rows = reader.rows(name, "n", population=_SCREENED, variable=f"{biomarker}_ish")
    if not rows:
        return None
    levels = list(dict.fromkeys(row.level for row in rows))
    spans = (Heading(inline("")), Heading(inline("In situ hybridisation"), len(levels)))
    columns = headings("Immunohistochemistry", *(reader.labels.level(f"{biomarker}_ish", level) for level in levels))
    title = f"{reader.labels.of(biomarker)}: immunohistochemistry by in situ hybridisation, patients screened."
    table = TableBuilder(f"{name}-score-ish", title, [spans, columns], supplementary=True)
    for score in dict.fromkeys(row.group_level for row in rows):
        cells = [next((r for r in rows if r.group_level == score and r.level == level), None) for level in levels]
        table.line(reader.labels.level(f"{biomarker}_score", score), *(printed(cell) for cell in cells))
    return table.finish()


def quality(reader: Reader, name: str) -> list[Table]:
    """Queries by check and centre; the rows read of each source."""
    tables = [_queries(reader, name), _sources(reader, name), _unread(reader, name)]
    return [table for table in tables if table is not None]


def _queries(reader: Reader, name: str) -> Table | None:
    rows = reader.rows(name, "queries")
    if not rows:
        return None
    centres = list(dict.fromkeys(row.group_level for row in rows))
    columns = headings("Check", "Severity", "Action", *(reader.labels.centre(c) for c in centres))
    align = "lll" + "c" * len(centres)
    table = TableBuilder(f"{name}-queries", "Queries by check and centre.", [columns], align=align)
    table.line("Patients", "", "", *(printed(reader.find(name, "n", group_level=c)) for c in centres), kind="total")
    checks = sorted({(row.variable, row.level or "") for row in rows if row.variable is not None})
    for check, level in checks:
        severity, _, action = level.partition("/")
        cells = {row.group_level: row for row in rows if row.variable == check and (row.level or "") == level}
        numbers = (cells.get(centre) for centre in centres)
        # A check that raised no query at a centre has no row there.
        found = ("·" if number is None else printed(number) for number in numbers)
        meaning = next((row.text for row in cells.values() if row.text), None)
        table.line(
            f"{upper_first(meaning)} ({check})" if meaning else check,
            SEVERITIES.get(severity, humanise(severity)),
            humanise(action),
            *found,
            indent=1,
        )
    totals = (reader.find(name, "queries", variable=None, group_level=centre) for centre in centres)
    table.line("All queries", "", "", *(printed(row) for row in totals), kind="total")
    return table.finish()


def _sources(reader: Reader, name: str) -> Table | None:
    rows = reader.rows(name, "rows")
    if not rows:
        return None
    columns = headings("Centre", "File and sheet", "Rows")
    table = TableBuilder(f"{name}-rows", "Rows read from each source.", [columns], align="llc", supplementary=True)
    last = None
    for row in rows:
        table.line(
            reader.labels.centre(row.group_level) if row.group_level != last else "", row.level or "", printed(row)
        )
        last = row.group_level
    return table.finish()


def _unread(reader: Reader, name: str) -> Table | None:
    rows = reader.rows(name, "definition", variable="unmapped_column")
    if not rows:
        return None
    title = "Columns that no mapping names and that were not read."
    columns = headings("Centre", "Columns")
    table = TableBuilder(f"{name}-unread", title, [columns], align="ll", supplementary=True)
    for centre in dict.fromkeys(row.group_level for row in rows):
        found = [Part(row.level or "", row.row) for row in rows if row.group_level == centre]
        pieces = [piece for part in found for piece in (Part("; "), part)][1:]
        table.line(reader.labels.centre(centre), inline(*pieces))
    return table.finish()
