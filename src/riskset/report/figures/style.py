"""What all figures share: colours that colour-blind readers can tell apart, lines, letters."""

from __future__ import annotations

from typing import Any

# Okabe and Ito's palette; each group also has a line style of its own, so that colour is never alone.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#000000")
DASHES: tuple[tuple[int, int], ...] = ((1, 0), (6, 3), (2, 2), (10, 4), (4, 1), (1, 3))
INK, GREY, FAINT = "#1a1a1a", "#555555", "#c8c8c8"
# The renderer ships Liberation Sans, so that a figure looks alike on every machine; browsers take the next.
FONT = "Liberation Sans, Arial, Helvetica, sans-serif"

CONFIG: dict[str, Any] = {
    "aria": False,
    "background": "white",
    "font": FONT,
    "view": {"stroke": None},
    "text": {"color": INK, "fontSize": 12},
    "axis": {
        "domainColor": INK,
        "tickColor": INK,
        "labelColor": INK,
        "titleColor": INK,
        "labelFontSize": 12,
        "titleFontSize": 12.5,
        "titleFontWeight": "normal",
        "grid": False,
        "tickSize": 5,
        "labelFlush": False,
        "labelBound": False,
    },
    "legend": {"labelFontSize": 12, "labelColor": INK, "symbolStrokeWidth": 2, "symbolSize": 400},
}


def words(text: str, x: float, y: float, **mark: Any) -> dict[str, Any]:
    """Give a layer with one text at a place in pixels."""
    return {
        "data": {"values": [{}]},
        "mark": {"type": "text", "align": "left", "baseline": "middle", **mark},
        "encoding": {"text": {"value": text}, "x": {"value": x}, "y": {"value": y}},
    }
