"""Drawing figures: each one once as SVG, and from that once as PNG at the resolution that journals ask for."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from queue import SimpleQueue
from typing import Any

from riskset.report.renderer import Here, Renderer, Renderers
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

    def png(self, renderer: Renderer) -> bytes:
        """Draw it as PNG at 600 dots an inch of its printed width."""
        scale = self.inches * DOTS_PER_INCH / self.width
        # `ppi` both scales and is written into the file; the scale makes up for the former.
        return renderer.draw({"svg": self.svg, "scale": scale * 72 / DOTS_PER_INCH, "ppi": DOTS_PER_INCH})


def draw(figure: Figure, renderer: Renderer) -> Drawn:
    """Draw a figure."""
    svg = printable(figure.svg) if figure.svg is not None else _from_spec(figure, renderer)
    size = _SIZE.search(svg)
    assert size is not None, "every SVG states its size"
    return Drawn(figure, svg, float(size.group(1)), float(size.group(2)))


def _printable(spec: Any) -> Any:
    """Clean every text of a specification: the renderer aborts its process at a control character."""
    if isinstance(spec, str):
        return printable(spec)
    if isinstance(spec, dict):
        return {key: _printable(value) for key, value in spec.items()}
    return [_printable(value) for value in spec] if isinstance(spec, list | tuple) else spec


def _from_spec(figure: Figure, renderer: Renderer) -> str:
    svg = renderer.draw({"spec": _printable(figure.spec)}).decode("utf-8")
    # Several figures share one page: ids of clips and gradients must not meet.
    for name in sorted(set(re.findall(r' id="([^"]+)"', svg))):
        svg = svg.replace(f' id="{name}"', f' id="{figure.id}-{name}"').replace(
            f"url(#{name})", f"url(#{figure.id}-{name})"
        )
    return svg


def draw_all(figures: Sequence[Figure]) -> dict[str, Drawn]:
    """Draw figures in this process, each once."""
    here = Here()
    return {figure.id: draw(figure, here) for figure in figures}


class Studio:
    """Draws the figures of a report while the report is written.

    The first renderer draws every SVG; the others make PNGs of what is drawn already, and all do when all are.
    """

    def __init__(self, figures: Sequence[Figure], renderers: Renderers) -> None:
        self._figures = figures
        self._renderers = renderers
        self._idle: SimpleQueue[Renderer] = SimpleQueue()
        self._pool = ThreadPoolExecutor(max_workers=Renderers.NUMBER)
        self._pictures: dict[str, Future[bytes]] = {}
        self._drawn: Future[dict[str, Drawn]] | None = None

    def __enter__(self) -> Studio:
        if self._figures:
            for renderer in self._renderers.others:
                self._idle.put(renderer)
            self._drawn = self._pool.submit(self._draw_all, self._renderers.first)
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def _draw_all(self, renderer: Renderer) -> dict[str, Drawn]:
        found: dict[str, Drawn] = {}
        for figure in self._figures:
            found[figure.id] = draw(figure, renderer)
            self._pictures[figure.id] = self._pool.submit(self._picture, found[figure.id])
        self._idle.put(renderer)
        return found

    def _picture(self, drawn: Drawn) -> bytes:
        renderer = self._idle.get()
        try:
            return drawn.png(renderer)
        finally:
            self._idle.put(renderer)

    @property
    def drawn(self) -> Mapping[str, Drawn]:
        """Each figure as SVG; waits until all are drawn."""
        return {} if self._drawn is None else self._drawn.result()

    def pictures(self) -> dict[str, bytes]:
        """Give each figure as PNG; waits until all are made."""
        return {name: self._pictures[name].result() for name in self.drawn}
