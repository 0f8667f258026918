"""The flow of patients as a CONSORT diagram, drawn by hand: a chart grammar has no boxes and arrows."""

from __future__ import annotations

from dataclasses import dataclass, field
from textwrap import wrap
from xml.sax.saxutils import escape, quoteattr

from riskset.report.figures.style import FONT, GREY, INK
from riskset.report.labels import lower_first
from riskset.report.reader import Reader, printed
from riskset.report.tablemodel import Figure, Inline, Part, inline, plain
from riskset.report.tables.patients import criteria_of, total
from riskset.report.tables.survival import endpoint_of

_WIDTH, _SPINE, _BOX = 680, 170, 250
_SIDE_X, _SIDE_W = 350, 320
_LINE, _PAD = 17, 11


@dataclass(slots=True)
class _Canvas:
    """Collects shapes and knows how far down the drawing has come."""

    shapes: list[str] = field(default_factory=list)
    y: float = 4.0

    def box(self, x: float, y: float, width: float, lines: list[tuple[Inline, str]], *, left: bool = False) -> float:
        """Draw a box with lines of text and give its height."""
        height = len(lines) * _LINE + 2 * _PAD - 5
        self.shapes.append(
            f'<rect x="{x:g}" y="{y:g}" width="{width:g}" height="{height:g}" fill="white" stroke="{INK}"/>'
        )
        anchor, at = ("start", x + 12) if left else ("middle", x + width / 2)
        for k, (text, weight) in enumerate(lines):
            self.text(at, y + _PAD + 10 + k * _LINE, text, anchor, weight)
        return height

    def text(self, x: float, y: float, parts: Inline, anchor: str = "middle", weight: str = "normal") -> None:
        spans = "".join(_span(part) for part in parts)
        self.shapes.append(
            f'<text x="{x:g}" y="{y:g}" text-anchor="{anchor}" font-weight="{weight}" fill="{INK}">{spans}</text>'
        )

    def line(self, x1: float, y1: float, x2: float, y2: float, *, arrow: bool = False) -> None:
        self.shapes.append(f'<path d="M{x1:g},{y1:g}L{x2:g},{y2:g}" stroke="{INK}" fill="none"/>')
        if arrow and x1 == x2:
            self.shapes.append(f'<path d="M{x2 - 4:g},{y2 - 8:g}h8l-4,8z" fill="{INK}"/>')
        elif arrow:
            self.shapes.append(f'<path d="M{x2 - 8:g},{y2 - 4:g}v8l8,-4z" fill="{INK}"/>')

    def svg(self) -> str:
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{_WIDTH}" height="{self.y:g}" '
            f'viewBox="0 0 {_WIDTH} {self.y:g}" font-family={quoteattr(FONT)} font-size="13">'
        )
        return f'{head}<rect width="{_WIDTH}" height="{self.y:g}" fill="white"/>{"".join(self.shapes)}</svg>'


def _span(part: Part) -> str:
    if part.row is None:
        return escape(part.text)
    return f"<tspan data-row={quoteattr(part.row)}>{escape(part.text)}</tspan>"


def flow_diagram(reader: Reader, name: str, compared: str | None) -> Figure | None:
    """Draw who was screened, lost at each criterion and included; the groups of the analysis `compared` below."""
    screened = total(reader, name, "screened", None)
    if screened is None:
        return None
    canvas = _Canvas()
    spoken = [f"Screened: {printed(screened).text}."]
    top = _SPINE - _BOX / 2
    canvas.y += canvas.box(
        top, canvas.y, _BOX, [(inline("Screened"), "bold"), (inline("n = ", printed(screened)), "normal")]
    )
    for criterion in criteria_of(reader, name):
        spoken.append(_criterion(canvas, reader, name, criterion))
    canvas.line(_SPINE, canvas.y, _SPINE, canvas.y + 26, arrow=True)
    canvas.y += 26
    included = total(reader, name, "included", None)
    spoken.append(f"Included: {printed(included).text}.")
    canvas.y += canvas.box(
        top, canvas.y, _BOX, [(inline("Included"), "bold"), (inline("n = ", printed(included)), "normal")]
    )
    if compared is not None:
        spoken += _groups(canvas, reader, compared)
    canvas.y += 4
    ends = f" Events: {lower_first(endpoint_of(reader, compared))}." if compared is not None else ""
    return Figure(
        id="flow",
        title="Flow of patients.",
        alternative="Flow diagram. " + " ".join(spoken),
        svg=canvas.svg(),
        notes=("Not met: known not to meet the criterion. Cannot be judged: a value it needs is missing." + ends,),
    )


def _criterion(canvas: _Canvas, reader: Reader, name: str, criterion: str) -> str:
    """Draw the side box of one criterion and give it in words."""
    fails, unknown, entered = (
        reader.find(name, word, variable=criterion, group=None) for word in ("fails", "unknown", "kept")
    )
    label = wrap(reader.labels.criterion(criterion), 44) or [criterion]
    counts = inline("not met: ", printed(fails), "; cannot be judged: ", printed(unknown))
    lines = [(inline(text), "bold") for text in label] + [(counts, "normal")]
    height = len(lines) * _LINE + 2 * _PAD - 5
    start, middle = canvas.y, canvas.y + 12 + height / 2
    canvas.box(_SIDE_X, start + 12, _SIDE_W, lines, left=True)
    canvas.line(_SPINE, start, _SPINE, start + height + 14)
    canvas.line(_SPINE, middle, _SIDE_X, middle, arrow=True)
    canvas.y = start + height + 14
    if entered is not None:
        canvas.shapes.append(f'<g fill="{GREY}" font-size="12">')
        canvas.text(_SPINE - 10, canvas.y - 2, inline("n = ", printed(entered)), "end")
        canvas.shapes.append("</g>")
    return f"{reader.labels.criterion(criterion)}: {plain(counts)}."


def _groups(canvas: _Canvas, reader: Reader, compared: str) -> list[str]:
    """Draw the groups that are compared, side by side below those included."""
    sizes = [r for r in reader.rows(compared, "n", population=None, variable=None) if r.group is not None]
    if not sizes:
        return []
    gap, width = 16.0, min(190.0, (_WIDTH - 20) / len(sizes) - 16)
    whole = len(sizes) * width + (len(sizes) - 1) * gap
    left = max(4.0, min(_SPINE - whole / 2, _WIDTH - whole - 4))
    start, branch = canvas.y, canvas.y + 16
    canvas.line(_SPINE, start, _SPINE, branch)
    centres = [left + k * (width + gap) + width / 2 for k in range(len(sizes))]
    canvas.line(min(centres[0], _SPINE), branch, max(centres[-1], _SPINE), branch)
    spoken, tallest = [], 0.0
    for x, size in zip(centres, sizes, strict=True):
        label = reader.labels.level(size.group, size.group_level)
        events = reader.find(
            compared, "events", population=None, group=size.group, group_level=size.group_level, variable=None
        )
        lines = [(inline(label), "bold"), (inline("n = ", printed(size)), "normal")]
        if events is not None and events.endpoint is not None:
            lines.append((inline(printed(events), " events"), "normal"))
        canvas.line(x, branch, x, branch + 16, arrow=True)
        tallest = max(tallest, canvas.box(x - width / 2, branch + 16, width, lines))
        spoken.append(f"{label}: {printed(size).text}.")
    canvas.y = branch + 16 + tallest
    return spoken
