"""Forest plot of subgroups: names and sizes, hazard ratios on a log scale, their text, the interaction P values."""

from __future__ import annotations

from typing import Any

from riskset.report import format as fmt
from riskset.report.figures.style import COLOURS, CONFIG, FAINT, GREY, INK, words
from riskset.report.reader import Reader, printed
from riskset.report.tablemodel import Figure, plain
from riskset.report.tables.models import interaction_of, size_of, subgroup_ratios
from riskset.report.tables.survival import endpoint_of, populations_of
from riskset.results import ResultRow

_WIDTH, _STEP = 270, 21
_NAME, _SIZE, _RATIO, _P = -250, -14, _WIDTH + 14, _WIDTH + 142
# Half-widths of the axis that read well; an interval beyond the last becomes an arrow.
_BOUNDS = (2.0, 4.0, 8.0)


def forest_plots(reader: Reader, name: str) -> list[Figure]:
    """Give a forest plot for each population of a subgroup analysis."""
    found = [_plot(reader, name, population) for population in populations_of(reader, name)]
    return [figure for figure in found if figure is not None]


def _bound(reader: Reader, ratios: list[ResultRow]) -> float:
    """Choose the axis so that most intervals fit: the third-widest decides, the rest end in arrows."""
    reach = []
    for row in ratios:
        low, high = reader.ends(row)
        ends = [e.value for e in (low, high) if e is not None and e.value is not None and e.value > 0]
        reach += [max(value, 1 / value) for value in ends]
    needed = sorted(reach)[-3] if len(reach) > 2 else max(reach, default=2.0)
    return next((b for b in _BOUNDS if needed <= b), _BOUNDS[-1])


def _plot(reader: Reader, name: str, population: str | None) -> Figure | None:
    ratios = subgroup_ratios(reader, name, population)
    if not ratios:
        return None
    bound = _bound(reader, ratios)
    lines, texts = _lines(reader, name, population, ratios, bound)
    height = _STEP * (max(line["y"] for line in lines) + 1)
    contrast = reader.labels.contrast(ratios[0].variable, ratios[0].level, ratios[0].reference)
    title = f"{endpoint_of(reader, name)} by subgroup: hazard ratio, {contrast}."
    level = reader.labels.level(ratios[0].variable, ratios[0].level)
    layers = [*_frame(reader, height, bound, level), *texts, *_intervals(lines, bound, height)]
    spec = {"width": _WIDTH, "height": height, "padding": 8, "config": CONFIG, "layer": layers}
    spoken = [f"{line['name']}: {line['text']}" for line in lines]
    return Figure(
        id=f"{name}-forest" + ("" if population is None else f"-{population}"),
        title=title,
        alternative=f"Forest plot. {title} " + "; ".join(spoken) + ".",
        spec=spec,
        live=_live(reader, name, population, ratios),
        notes=(
            "Unadjusted hazard ratios; the P value is that of the interaction. Arrows: the interval leaves the axis.",
        ),
    )


def _lines(
    reader: Reader, name: str, population: str | None, ratios: list[ResultRow], bound: float
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Place each ratio on a line and give the texts beside it."""
    lines: list[dict[str, Any]] = []
    texts: list[dict[str, Any]] = []
    y = 0
    for variable in list(dict.fromkeys(row.group for row in ratios)):
        if variable is not None:
            test = interaction_of(reader, name, population, variable, adjusted=False)
            texts.append(_word(reader.labels.of(variable), _NAME, y, fontWeight="bold"))
            texts.append(_word(printed(test).text, _P, y))
            y += 1
        for row in (r for r in ratios if r.group == variable):
            label = "All patients" if variable is None else reader.labels.level(variable, row.group_level)
            text = plain(reader.estimate(row))
            texts += [
                _word(
                    label, _NAME + (0 if variable is None else 12), y, fontWeight="bold" if variable is None else 400
                ),
                _word(plain(size_of(row)), _SIZE, y, align="right"),
                _word(text, _RATIO, y),
            ]
            lines.append({"y": y, "name": label, "text": text, **_drawn(reader, row, bound)})
            y += 1
    return lines, texts


def _live(reader: Reader, name: str, population: str | None, ratios: list[ResultRow]) -> dict[str, Any]:
    """Give what each line of the figure answers: the same order as `_lines` places them in."""
    lines: list[list[str]] = []
    for variable in list(dict.fromkeys(row.group for row in ratios)):
        interaction = []
        if variable is not None:
            test = interaction_of(reader, name, population, variable, adjusted=False)
            interaction = [f"P interaction {printed(test).text}"]
            lines.append([reader.labels.of(variable), *interaction])
        for row in (r for r in ratios if r.group == variable):
            label = "All patients" if variable is None else reader.labels.level(variable, row.group_level)
            within = "" if variable is None else f"{reader.labels.of(variable)}: "
            lines.append([within + label, *_sizes(row), f"HR {_estimate(reader, row)}", *interaction, row.row])
    sides = {"left": _NAME - 6, "right": _P + 84}
    return {"kind": "lines", "step": _STEP, "width": _WIDTH, **sides, "lines": lines}


def _sizes(row: ResultRow) -> list[str]:
    return [] if row.n is None or row.events is None else [f"{fmt.count(row.events)} events, n {fmt.count(row.n)}"]


def _estimate(reader: Reader, row: ResultRow) -> str:
    return plain(reader.estimate(row)).replace("(", f"({reader.conf_percent}% CI ", 1)


def _word(text: str, x: float, line: int, **mark: Any) -> dict[str, Any]:
    return words(text, x, (line + 0.5) * _STEP, **mark)


def _drawn(reader: Reader, row: ResultRow, bound: float) -> dict[str, Any]:
    """Give what is drawn of a ratio: its point and the part of its interval that lies on the axis."""
    low, high = reader.ends(row)
    if row.value is None or low is None or high is None or low.value is None or high.value is None:
        return {}
    found: dict[str, Any] = {"lo": max(low.value, 1 / bound), "hi": min(high.value, bound), "n": row.events or 1}
    if low.value < 1 / bound:
        found["left"] = 1 / bound
    if high.value > bound:
        found["right"] = bound
    if 1 / bound <= row.value <= bound:
        found["hr"] = row.value
    return found


def _frame(reader: Reader, height: float, bound: float, level: str) -> list[dict[str, Any]]:
    """Give the headings of the columns, the line at 1 and what each side of it means."""
    top, below = -14, height + 50
    rule = {
        "data": {"values": [{"x": 1}]},
        "mark": {"type": "rule", "color": GREY, "strokeDash": [3, 3]},
        "encoding": {"x": {**_axis(bound), "field": "x"}, "y": {"value": 0}, "y2": {"value": height}},
    }
    line = {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": FAINT},
        "encoding": {"x": {"value": _NAME}, "x2": {"value": _P + 80}, "y": {"value": -3}},
    }
    heads = [
        words("Subgroup", _NAME, top, fontWeight="bold"),
        words("Events/n", _SIZE, top, fontWeight="bold", align="right"),
        words(f"HR ({reader.conf_percent}% CI)", _RATIO, top, fontWeight="bold"),
        words("P interaction", _P, top, fontWeight="bold"),
        words(f"← lower in {level}", _WIDTH / 2 - 8, below, align="right", color=GREY, fontSize=11.5),
        words(f"higher in {level} →", _WIDTH / 2 + 8, below, color=GREY, fontSize=11.5),
    ]
    return [rule, line, *heads]


def _axis(bound: float) -> dict[str, Any]:
    ticks = [t for t in (0.125, 0.25, 0.5, 1, 2, 4, 8) if 1 / bound <= t <= bound]
    return {
        "type": "quantitative",
        "scale": {"type": "log", "domain": [1 / bound, bound], "nice": False},
        "axis": {"title": "Hazard ratio (log scale)", "values": ticks, "format": "~g", "titlePadding": 4},
    }


def _intervals(lines: list[dict[str, Any]], bound: float, height: float) -> list[dict[str, Any]]:
    x = _axis(bound)
    y = {
        "field": "at",
        "type": "quantitative",
        "scale": {"domain": [0, height], "range": [0, height], "nice": False},
        "axis": None,
    }
    values = [{**line, "at": (line["y"] + 0.5) * _STEP} for line in lines if "lo" in line]
    data = {"values": values}
    whisker = {
        "data": data,
        "mark": {"type": "rule", "color": INK, "strokeWidth": 1.3},
        "encoding": {"x": {**x, "field": "lo"}, "x2": {"field": "hi"}, "y": y},
    }
    square = {
        "data": {"values": [v for v in values if "hr" in v]},
        "mark": {"type": "point", "shape": "square", "filled": True, "color": COLOURS[0], "opacity": 1},
        "encoding": {
            "x": {**x, "field": "hr"},
            "y": y,
            "size": {"field": "n", "type": "quantitative", "scale": {"range": [30, 110], "zero": True}, "legend": None},
        },
    }
    arrows = [
        {
            "data": {"values": [v for v in values if side in v]},
            "mark": {
                "type": "point",
                "shape": f"triangle-{side}",
                "filled": True,
                "color": INK,
                "size": 45,
                "opacity": 1,
            },
            "encoding": {"x": {**x, "field": side}, "y": y},
        }
        for side in ("left", "right")
    ]
    return [whisker, square, *arrows]
