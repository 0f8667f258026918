"""Drawing figures: each one once as SVG, and from that once as PNG at the resolution that journals ask for."""

from __future__ import annotations

import re
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from riskset.report import _heavy
from riskset.report.tablemodel import Figure, printable

# Printed width of the widest figure, and dots an inch of what goes into Word.
WIDTH_INCHES, DOTS_PER_INCH = 6.5, 600
_SIZE = re.compile(r'<svg[^>]*? width="([\d.]+)"[^>]*? height="([\d.]+)"')


@dataclass(frozen=True, slots=True)
class Drawn:
    """A drawn figure: SVG text and its size in CSS pixels."""

    figure: Figure
    svg: str
    width: float
    height: float

    @property
    def inches(self) -> float:
        """Width on paper: the widest figure fills the line, a narrower one keeps its letters as large."""
        return min(WIDTH_INCHES, self.width / 96)

    def png(self) -> bytes:
        """Draw it as PNG at 600 dots an inch of its printed width."""
        scale = self.inches * DOTS_PER_INCH / self.width
        # `ppi` both scales and is written into the file; the scale makes up for the former.
        image: bytes = _heavy.vl_convert().svg_to_png(self.svg, scale=scale * 72 / DOTS_PER_INCH, ppi=DOTS_PER_INCH)
        return image


def draw(figure: Figure) -> Drawn:
    """Draw a figure."""
    svg = printable(figure.svg) if figure.svg is not None else _from_spec(figure)
    size = _SIZE.search(svg)
    assert size is not None, "every SVG states its size"
    return Drawn(figure, svg, float(size.group(1)), float(size.group(2)))


def _printable(spec: Any) -> Any:
    """Clean every text of a specification: the renderer aborts the program at a control character."""
    if isinstance(spec, str):
        return printable(spec)
    if isinstance(spec, dict):
        return {key: _printable(value) for key, value in spec.items()}
    return [_printable(value) for value in spec] if isinstance(spec, list | tuple) else spec


def _from_spec(figure: Figure) -> str:
    svg: str = _heavy.vl_convert().vegalite_to_svg(_printable(figure.spec))
    # Several figures share one page: ids of clips and gradients must not meet.
    for name in sorted(set(re.findall(r' id="([^"]+)"', svg))):
        svg = svg.replace(f' id="{name}"', f' id="{figure.id}-{name}"').replace(
            f"url(#{name})", f"url(#{figure.id}-{name})"
        )
    return svg


def draw_all(figures: Sequence[Figure]) -> dict[str, Drawn]:
    """Draw figures, each once."""
    return {figure.id: draw(figure) for figure in figures}


class Studio:
    """Draws the figures of a report while the report is written: SVG at once, PNG beside.

    The renderer works without holding Python's lock, so a second core draws while the first writes.
    """

    def __init__(self, figures: Sequence[Figure]) -> None:
        self._figures = figures
        self._pool = ThreadPoolExecutor(max_workers=2)
        self._pictures: dict[str, Future[bytes]] = {}
        self.drawn: dict[str, Drawn] = {}

    def __enter__(self) -> Studio:
        self.drawn = draw_all(self._figures)
        # The largest first, so that no core is left waiting for it at the end.
        for drawn in sorted(self.drawn.values(), key=lambda d: -d.height / d.width):
            self._pictures[drawn.figure.id] = self._pool.submit(drawn.png)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=True)

    def pictures(self) -> dict[str, bytes]:
        """Give each figure as PNG."""
        return {name: self._pictures[name].result() for name in self.drawn}
