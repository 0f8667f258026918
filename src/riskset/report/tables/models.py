"""Tables of Cox models, proportional hazards, subgroups and contrasts within levels."""

from __future__ import annotations

from riskset.report import format as fmt
from riskset.report.labels import lower_first
from riskset.report.reader import Reader, printed
from riskset.report.tablemodel import Heading, Inline, Part, Table, TableBuilder, headings, inline
from riskset.report.tables.survival import endpoint_of, group_label, populations_of
from riskset.results import ResultRow

# Method word -> heading; the order is that of the columns, the headline model first.
_MODELS = {
    "cox_multivariable_stratified": "Adjusted, stratified",
    "cox_multivariable": "Adjusted, unstratified",
    "cox_univariable": "Univariable",
}
_SIZES = {"n": "Patients in the model", "events": "Events in the model", "missing": "Left out for a missing value"}
_EMPTY = inline("")


def size_of(row: ResultRow | None) -> Inline:
    """Print events/patients that an estimate was computed from: fields of its own row."""
    if row is None or row.n is None or row.events is None:
        return _EMPTY
    return inline(Part(fmt.count(row.events), row.row), "/", Part(fmt.count(row.n), row.row))


def _terms(reader: Reader, name: str, population: str | None, exposure: str | None) -> list[str]:
    found: list[str] = []
    for method in _MODELS:
        rows = reader.rows(name, "hazard_ratio", method=method, population=population)
        found += [row.variable for row in rows if row.variable is not None]
    ordered = list(dict.fromkeys(found))
    return [t for t in ordered if t == exposure] + [t for t in ordered if t != exposure]


def _model_cells(reader: Reader, name: str, methods: list[str], key: dict[str, str | None]) -> list[Inline]:
    cells: list[Inline] = []
    for method in methods:
        row = reader.find(name, "hazard_ratio", method=method, **key)
        if row is None:
            # The term is not in this model: nothing is missing, so nothing is printed.
            cells += [_EMPTY, _EMPTY]
        else:
            cells += [reader.estimate(row), inline(printed(reader.p_of(row)))]
    return cells


def cox(reader: Reader, name: str, exposure: str | None) -> list[Table]:
    """Univariable and multivariable models in one table a population, the exposure's adjusted ratio on top."""
    return [_cox(reader, name, p, exposure) for p in populations_of(reader, name)]


def _cox(reader: Reader, name: str, population: str | None, exposure: str | None) -> Table:
    rows = reader.rows(name, "hazard_ratio", population=population)
    methods = [m for m in _MODELS if any(row.method == m for row in rows)]
    interval = f"HR ({reader.conf_percent}% CI)"
    spans = [Heading(inline("")), *(Heading(inline(_MODELS[m]), 2) for m in methods)]
    columns = ["Term", *(c for _ in methods for c in (interval, "P"))]
    univariable = "cox_univariable" in methods
    if univariable:
        spans[-1] = Heading(spans[-1].text, 3)
        columns.append("Events/n")
    where = "" if population is None else f", {lower_first(reader.labels.of(population))}"
    title = f"Cox models of {lower_first(endpoint_of(reader, name))}{where}."
    table = TableBuilder(_id(f"{name}-models", population), title, [tuple(spans), headings(*columns)])
    for term in _terms(reader, name, population, exposure):
        _term_lines(table, reader, name, methods, population, term, univariable)
    _size_lines(table, reader, name, methods, population, univariable)
    table.notes.append(
        "HR: hazard ratio. The model was built for the exposure: the coefficients of the other covariates are not "
        "adjusted for confounders of their own and should not be read as their effects (Table 2 fallacy)."
    )
    return table.finish()


def _id(name: str, population: str | None) -> str:
    return name if population is None else f"{name}-{population}"


def _term_lines(
    table: TableBuilder,
    reader: Reader,
    name: str,
    methods: list[str],
    population: str | None,
    term: str,
    univariable: bool,
) -> None:
    rows = reader.rows(name, "hazard_ratio", population=population, variable=term)
    contrasts = list(dict.fromkeys((row.level, row.reference) for row in rows))
    indent = 0
    if len(contrasts) > 1:
        # A factor of several levels has a test of its own, on the line of its name.
        joint = [_joint(reader, name, m, population, term) for m in methods]
        table.line(reader.labels.of(term), *(c for j in joint for c in (_EMPTY, j)), *([_EMPTY] * univariable))
        indent = 1
    for level, reference in contrasts:
        key = {"population": population, "variable": term, "level": level, "reference": reference}
        cells = _model_cells(reader, name, methods, key)
        if univariable:
            cells.append(size_of(reader.find(name, "hazard_ratio", method="cox_univariable", **key)))
        table.line(_term_label(reader, term, level, reference, indent), *cells, indent=indent)


def _term_label(reader: Reader, term: str, level: str | None, reference: str | None, indent: int) -> str:
    contrast = reader.labels.contrast(term, level, reference)
    if indent or level is None:
        unit = reader.labels.unit(term) if level is None else ""
        return contrast + (f", per {unit.removesuffix('s')}" if unit else "")
    if level == "true":
        return contrast
    variable = reader.labels.of(term)
    return contrast if contrast.lower().startswith(variable.lower()) else f"{variable}: {contrast}"


def _joint(reader: Reader, name: str, method: str, population: str | None, term: str) -> Inline:
    row = reader.find(name, "p_value", method=method, population=population, variable=term, level=None, reference=None)
    return _EMPTY if row is None else inline(printed(row))


def _size_lines(
    table: TableBuilder, reader: Reader, name: str, methods: list[str], population: str | None, univariable: bool
) -> None:
    for word, title in _SIZES.items():
        cells: list[Inline] = []
        for method in methods:
            row = None
            if method != "cox_univariable":
                row = reader.find(name, word, method=method, population=population, variable=None)
            cells += [_EMPTY if row is None else inline(printed(row)), _EMPTY]
        table.line(title, *cells, *([_EMPTY] * univariable), kind="total")


def proportional_hazards(reader: Reader, name: str) -> Table | None:
    """Tests of proportional hazards by term and for the whole model."""
    found = reader.rows(name, "p_value", of="proportional_hazards")
    found = [row for row in found if row.method != "cox_univariable_ph"]
    if not found:
        return None
    methods = list(dict.fromkeys(row.method for row in found))
    titles = [_MODELS.get((m or "").removesuffix("_ph"), "Model") for m in methods]
    title = f"Tests of proportional hazards, {lower_first(endpoint_of(reader, name))}."
    columns = headings("Term", *(f"{t}: P" for t in titles))
    table = TableBuilder(f"{name}-ph", title, [columns], supplementary=True)
    for population in list(dict.fromkeys(row.population for row in found)):
        here = [row for row in found if row.population == population]
        for term in list(dict.fromkeys(row.variable for row in here)):
            rows = [next((r for r in here if r.variable == term and r.method == m), None) for m in methods]
            label = "Whole model" if term is None else reader.labels.of(term)
            table.line(label, *(printed(r) for r in rows), kind="total" if term is None else "row")
    table.notes.append("Score tests on scaled Schoenfeld residuals against Kaplan-Meier time (Grambsch and Therneau).")
    return table.finish()


def subgroups(reader: Reader, name: str) -> list[Table]:
    """The exposure's hazard ratio by subgroup, with the interaction test of each subgroup variable."""
    return [_subgroups(reader, name, p) for p in populations_of(reader, name)]


def subgroup_ratios(reader: Reader, name: str, population: str | None) -> list[ResultRow]:
    """Give the hazard ratios of a subgroup analysis in its order: unadjusted where both were computed."""
    rows = reader.rows(name, "hazard_ratio", population=population)
    plain = [row for row in rows if row.method is None or "unadjusted" in row.method or row.method == "cox"]
    return plain or rows


def interaction_of(
    reader: Reader, name: str, population: str | None, variable: str, adjusted: bool
) -> ResultRow | None:
    """Give the interaction P value of a subgroup variable with the exposure."""
    for row in reader.rows(name, "p_interaction", population=population):
        is_adjusted = row.method is not None and "adjusted" in row.method and "unadjusted" not in row.method
        if is_adjusted == adjusted and row.variable is not None and variable in row.variable.split(":")[1:]:
            return row
    return None


def _subgroups(reader: Reader, name: str, population: str | None) -> Table:
    ratios = subgroup_ratios(reader, name, population)
    interval = f"HR ({reader.conf_percent}% CI)"
    spans = (Heading(inline(""), 2), Heading(inline("Unadjusted"), 2), Heading(inline("Adjusted"), 2))
    columns = headings("Subgroup", "Events/n", interval, "P interaction", interval, "P interaction")
    contrast = next((reader.labels.contrast(r.variable, r.level, r.reference) for r in ratios), "")
    title = f"{endpoint_of(reader, name)} by subgroup: {contrast}."
    table = TableBuilder(_id(f"{name}-table", population), title, [spans, columns])
    for variable in list(dict.fromkeys(row.group for row in ratios)):
        here = [row for row in ratios if row.group == variable]
        if variable is not None:
            tests = [interaction_of(reader, name, population, variable, adjusted) for adjusted in (False, True)]
            table.line(reader.labels.of(variable), "", "", printed(tests[0]), "", printed(tests[1]))
        for row in here:
            label = "All patients" if variable is None else reader.labels.level(variable, row.group_level)
            adjusted = reader.find(
                name, "hazard_ratio", method="adjusted", population=population, group=row.group,
                group_level=row.group_level, level=row.level,
            )  # fmt: skip
            cells = (size_of(row), reader.estimate(row), "", reader.estimate(adjusted), "")
            table.line(label, *cells, indent=int(variable is not None))
    table.notes.append(
        "HR: hazard ratio. P interaction: likelihood-ratio test of one model with the product term against one "
        "without it. A difference in significance between subgroups is not evidence of a difference."
    )
    return table.finish()


def within(reader: Reader, name: str) -> list[Table]:
    """Contrasts inside each level of a variable, side by side with the interaction."""
    return [_within(reader, name, p) for p in populations_of(reader, name)]


def _within(reader: Reader, name: str, population: str | None) -> Table:
    interval = f"({reader.conf_percent}% CI)"
    columns = headings("Group", "Level", "Events/n", f"Median, months\n{interval}", f"HR {interval}", "Log-rank P")
    title = f"{endpoint_of(reader, name)}: contrasts within groups and their interaction."
    table = TableBuilder(_id(f"{name}-table", population), title, [columns], align="llcccc")
    medians = [row for row in reader.rows(name, "median", population=population) if row.variable is not None]
    for variable in list(dict.fromkeys(row.variable for row in medians)):
        table.section(reader.labels.of(variable))
        here = [row for row in medians if row.variable == variable]
        for group, level in list(dict.fromkeys((row.group, row.group_level) for row in here)):
            lines = [row for row in here if (row.group, row.group_level) == (group, level)]
            for position, row in enumerate(lines):
                _within_line(table, reader, name, row, first=position == 0)
        _interaction_lines(table, reader, name, population, variable)
    table.notes.append("Interaction: ratio of the two hazard ratios and likelihood-ratio P value.")
    return table.finish()


def _within_line(table: TableBuilder, reader: Reader, name: str, row: ResultRow, *, first: bool) -> None:
    place = {"population": row.population, "group": row.group, "group_level": row.group_level, "variable": row.variable}
    ratio = reader.find(name, "hazard_ratio", level=row.level, **place)
    test = reader.find(name, "p_value", method="logrank", **place) if first else None
    size = [reader.find(name, word, level=row.level, **place) for word in ("events", "n")]
    counts = inline(printed(size[0]), "/", printed(size[1])) if all(size) else size_of(row)
    table.line(
        group_label(reader, row.group, row.group_level) if first else "",
        reader.labels.level(row.variable, row.level),
        counts,
        reader.estimate(row),
        "1 (reference)" if ratio is None else reader.estimate(ratio),
        "" if test is None else printed(test),
        indent=1,
    )


def _interaction_lines(
    table: TableBuilder, reader: Reader, name: str, population: str | None, variable: str | None
) -> None:
    for row in reader.rows(name, "p_interaction", population=population):
        if row.variable is None or variable not in row.variable.split(":")[1:]:
            continue
        ratios = [
            r
            for r in reader.rows(name, "hazard_ratio_ratio", population=population, variable=row.variable)
            if r.method == row.method
        ]
        ratio = reader.estimate(ratios[0]) if len(ratios) == 1 else _EMPTY
        how = "adjusted" if row.method and "unadjusted" not in row.method and "adjusted" in row.method else "unadjusted"
        table.line(f"Interaction, {how}", "", size_of(row), "", ratio, printed(row), indent=1, kind="total")
