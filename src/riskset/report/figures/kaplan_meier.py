"""Kaplan-Meier curves with intervals, censor marks and aligned numbers at risk, in one specification."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from riskset.report import format as fmt
from riskset.report.figures.style import COLOURS, CONFIG, DASHES, FAINT, GREY, words
from riskset.report.labels import lower_first
from riskset.report.reader import Reader, printed
from riskset.report.sentences import hazard
from riskset.report.tablemodel import Figure, inline, plain
from riskset.report.tables.survival import endpoint_of, group_label, groups_of, populations_of
from riskset.results import DAYS_PER_MONTH, ResultRow

WIDTH, HEIGHT = 540, 300
_RISK_TOP, _RISK_STEP = 58, 19
_FEW_AT_RISK = 10
# Where the names of the groups end, left of the number at time zero.
_NAMES = -24


@dataclass(frozen=True, slots=True)
class _Curve:
    """One group's curve as the rows give it."""

    label: str
    steps: tuple[dict[str, Any], ...]
    censored: tuple[dict[str, Any], ...]
    at_risk: tuple[ResultRow, ...]
    # Where fewer than ten remain at risk, on the axis of months; None where that never happens.
    few: float | None = None

    @property
    def firm(self) -> list[dict[str, Any]]:
        """Give the steps until few remain, the last of them drawn on to where that begins."""
        if self.few is None:
            return list(self.steps)
        before = [step for step in self.steps if step["t"] < self.few]
        return [*before, {**before[-1], "t": self.few}] if before else []

    @property
    def thin(self) -> list[dict[str, Any]]:
        """Give the steps from where few remain."""
        return [] if self.few is None else [*self.firm[-1:], *(step for step in self.steps if step["t"] >= self.few)]


def _x(days: float) -> float:
    """Place a time on the axis of months; a drawing needs no more than four decimals."""
    return round(days / DAYS_PER_MONTH, 4)


def kaplan_meier_plots(reader: Reader, name: str) -> list[Figure]:
    """Give a figure for each population of an analysis that has curves."""
    found = [_plot(reader, name, population) for population in populations_of(reader, name)]
    return [figure for figure in found if figure is not None]


def _plot(reader: Reader, name: str, population: str | None) -> Figure | None:
    everyone = groups_of(reader, name, population=population)
    chosen = [g for g in everyone if g[0] is not None] or everyone
    curves = [c for g in chosen if (c := _curve(reader, name, population, *g)) is not None]
    if not curves:
        return None
    endpoint = endpoint_of(reader, name)
    notes = _annotation(reader, name, population)
    end = _end(curves)
    layers = _layers(curves, endpoint, notes, end)
    where = f", {lower_first(reader.labels.of(population))}" if population is not None else ""
    return Figure(
        id=f"{name}-{population or 'all'}",
        title=f"{endpoint}{where}.",
        alternative=_alternative(reader, name, population, endpoint + where),
        spec={"width": WIDTH, "height": HEIGHT, "padding": 8, "config": CONFIG, "layer": layers},
        live=_live(curves, end),
        notes=(_caption(reader, curves),),
    )


def _caption(reader: Reader, curves: Sequence[_Curve]) -> str:
    few = "; thin lines without a band from the first printed number at risk below 10 on"
    thin = few if any(curve.thin for curve in curves) else ""
    return f"Kaplan-Meier estimates, {reader.conf_percent}% confidence bands; ticks mark censored patients{thin}."


def _curve(reader: Reader, name: str, population: str | None, group: str | None, level: str | None) -> _Curve | None:
    rows = reader.curve(name, population=population, group=group, group_level=level)
    by_time: dict[float, dict[str, ResultRow]] = {}
    for row in rows:
        if row.time is not None and row.value is not None:
            by_time.setdefault(row.time, {})[row.statistic] = row
    if not by_time:
        return None
    label = group_label(reader, group, level)
    at_risk = tuple(
        reader.rows(
            name, "at_risk", method="risk_table", population=population, group=group, group_level=level, variable=None
        )
    )
    steps, censored, height = [], [], 1.0
    for time in sorted(by_time):
        here = by_time[time]
        if "survival" in here:
            height = here["survival"].value or 0.0
            steps.append(_step(label, time, here))
        if "censored" in here:
            censored.append({"g": label, "t": _x(time), "s": round(height, 5)})
    # The printed numbers at risk tell: the line turns thin under the first of them that is below ten.
    few = next((_x(r.time) for r in at_risk if r.time is not None and (r.value or 0) < _FEW_AT_RISK), None)
    return _Curve(label, tuple(steps), tuple(censored), at_risk, few)


def _step(label: str, time: float, here: dict[str, ResultRow]) -> dict[str, Any]:
    survival = here["survival"]
    assert survival.value is not None
    low, high = here.get("conf_low"), here.get("conf_high")
    point = {"g": label, "t": _x(time), "s": round(survival.value, 5)}
    text = f"{fmt.percent(survival.value)}%"
    if low is not None and high is not None and low.value is not None and high.value is not None:
        point |= {"lo": round(low.value, 5), "hi": round(high.value, 5)}
        text += f" ({fmt.percent(low.value)}–{fmt.percent(high.value)})"
    elif time == 0:
        point |= {"lo": 1, "hi": 1}
    return {**point, "p": text}


def _annotation(reader: Reader, name: str, population: str | None) -> list[str]:
    """Give the lines written into the plot: the hazard ratio of each contrast and the log-rank P."""
    lines = []
    ratios = reader.rows(name, "hazard_ratio", method="cox", population=population)
    for ratio in ratios:
        text = plain(hazard(reader, ratio))
        label = f"{reader.labels.contrast(ratio.variable, ratio.level, ratio.reference)}: " if len(ratios) > 1 else ""
        lines.append(label + text[:1].upper() + text[1:])
    logrank = reader.find(name, "p_value", method="logrank", population=population, group=None)
    if logrank is not None and logrank.value is not None:
        lines.append(f"Log-rank P {fmt.p_phrase(fmt.p_value(logrank.value))}")
    return lines


def _grid(curves: Sequence[_Curve]) -> list[float]:
    return sorted({_x(row.time) for curve in curves for row in curve.at_risk if row.time is not None})


def _end(curves: Sequence[_Curve]) -> float:
    """Give where the axis ends: with the longest follow-up or the last number at risk."""
    times: list[float] = [point["t"] for curve in curves for point in (*curve.steps, *curve.censored)]
    return max(times + _grid(curves))


def _layers(curves: Sequence[_Curve], endpoint: str, notes: Sequence[str], end: float) -> list[dict[str, Any]]:
    labels, grid = [curve.label for curve in curves], _grid(curves)
    x = {
        "field": "t",
        "type": "quantitative",
        "scale": {"domain": [0, end], "nice": False},
        "axis": {"title": "Months from the index date", "values": grid, "titlePadding": 8} if grid else {},
    }
    y = {
        "field": "s",
        "type": "quantitative",
        "scale": {"domain": [0, 1], "nice": False},
        "axis": {
            "title": f"{endpoint}, %",
            "values": [0, 0.2, 0.4, 0.6, 0.8, 1],
            "labelExpr": "format(datum.value * 100, '.0f')",
        },
    }
    colour = {
        "field": "g",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": labels, "range": _cycled(COLOURS, len(labels))},
    }
    dash = {
        "field": "g",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": labels, "range": _cycled(DASHES, len(labels))},
    }
    steps = [step for curve in curves for step in curve.firm]
    thin = [step for curve in curves for step in curve.thin]
    band = {
        "data": {"values": [{k: s[k] for k in ("g", "t", "lo", "hi")} for s in steps if "lo" in s]},
        "mark": {"type": "area", "interpolate": "step-after", "opacity": 1, "fillOpacity": 0.13},
        "encoding": {
            "x": x,
            "y": {**y, "field": "lo"},
            "y2": {"field": "hi"},
            "color": colour,
        },
    }
    line = {
        "data": {"values": [{k: s[k] for k in "gts"} for s in steps]},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 1.8},
        "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash},
    }
    tail = {
        "data": {"values": [{k: s[k] for k in "gts"} for s in thin]},
        "mark": {"type": "line", "interpolate": "step-after", "strokeWidth": 0.9, "strokeOpacity": 0.6},
        "encoding": {"x": x, "y": y, "color": colour, "strokeDash": dash},
    }
    marks = {
        "data": {"values": [point for curve in curves for point in curve.censored]},
        "mark": {"type": "tick", "orient": "vertical", "size": 8, "thickness": 1.1, "opacity": 1},
        "encoding": {"x": x, "y": y, "color": colour},
    }
    texts = [words(text, 10, HEIGHT - 14 - 17 * k, fontSize=12) for k, text in enumerate(reversed(notes))]
    tails = [tail] if thin else []
    return [band, line, *tails, marks, *_key(labels), *texts, *_risk_table(curves, x)]


def _key(labels: Sequence[str]) -> list[dict[str, Any]]:
    """Name the lines at the top right, where curves that fall leave room."""
    if len(labels) == 1:
        return []
    layers: list[dict[str, Any]] = []
    left = WIDTH - 8 - 7 * max(len(label) for label in labels)
    for k, label in enumerate(labels):
        y = 10 + 18 * k
        look = {"color": COLOURS[k % len(COLOURS)], "strokeDash": DASHES[k % len(DASHES)], "strokeWidth": 2}
        stroke = {
            "data": {"values": [{}]},
            "mark": {"type": "rule", **look},
            "encoding": {"x": {"value": left - 36}, "x2": {"value": left - 8}, "y": {"value": y}},
        }
        layers += [stroke, words(label, left, y)]
    return layers


def _cycled(values: Sequence[Any], number: int) -> list[Any]:
    return [values[k % len(values)] for k in range(number)]


def _risk_table(curves: Sequence[_Curve], x: dict[str, Any]) -> list[dict[str, Any]]:
    """Numbers at risk below the axis of the same view, so that they stand exactly under their ticks."""
    if not any(curve.at_risk for curve in curves):
        return []
    layers = [words("Number at risk", _NAMES, HEIGHT + _RISK_TOP - 4, align="right", fontWeight="bold", fontSize=11.5)]
    rule = {
        "data": {"values": [{}]},
        "mark": {"type": "rule", "color": FAINT},
        "encoding": {
            "x": {"value": _NAMES},
            "x2": {"value": WIDTH},
            "y": {"value": HEIGHT + _RISK_TOP + 6},
        },
    }
    layers.append(rule)
    for k, curve in enumerate(curves):
        place = HEIGHT + _RISK_TOP + 19 + _RISK_STEP * k
        shade = COLOURS[k % len(COLOURS)] if len(curves) > 1 else GREY
        layers.append(words(curve.label, _NAMES, place, align="right", color=shade, fontWeight="bold"))
        numbers = [
            {"t": _x(row.time), "n": printed(row).text, "g": curve.label}
            for row in curve.at_risk
            if row.time is not None
        ]
        layers.append(
            {
                "data": {"values": numbers},
                "mark": {"type": "text", "align": "center", "baseline": "middle"},
                "encoding": {"x": x, "y": {"value": place}, "text": {"field": "n"}},
            }
        )
    return layers


def _live(curves: Sequence[_Curve], end: float) -> dict[str, Any]:
    """Give what the figure answers at a time: each group's estimate and number at risk, printed, by their times."""
    groups = [
        {
            "name": curve.label,
            "colour": COLOURS[k % len(COLOURS)],
            "end": max(point["t"] for point in (*curve.steps, *curve.censored)),
            "steps": [[s["t"], s["s"], s["p"]] for s in curve.steps],
            "risk": [
                [_x(row.time), f"{printed(row).text} at {fmt.whole_months(row.time)} months"]
                for row in curve.at_risk
                if row.time is not None
            ],
        }
        for k, curve in enumerate(curves)
    ]
    return {"kind": "curves", "width": WIDTH, "height": HEIGHT, "end": end, "groups": groups}


def _alternative(reader: Reader, name: str, population: str | None, title: str) -> str:
    """Describe a figure in words, with its numbers."""
    parts = [f"Kaplan-Meier curves of {title}."]
    for group, level in groups_of(reader, name, population=population):
        key = {"population": population, "group": group, "group_level": level, "variable": None}
        n, events = (printed(reader.find(name, word, **key)).text for word in ("n", "events"))
        median = plain(inline(reader.estimate(reader.find(name, "median", **key))))
        parts.append(f"{group_label(reader, group, level)}: {n} patients, {events} events, median {median} months.")
    parts += [f"{line}." for line in _annotation(reader, name, population)]
    return " ".join(parts)
