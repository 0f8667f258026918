"""The report as one HTML file that asks nothing of anywhere: SVG figures that answer a pointer if scripts may run."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources
from typing import Any

import jinja2
from markupsafe import Markup

from riskset.report.drawing import Drawn
from riskset.report.tablemodel import Bullets, Document, Figure, Paragraph, Section, Table, printable


@cache
def _resource(name: str) -> str:
    return (resources.files("riskset.report") / "templates" / name).read_text(encoding="utf-8")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.FunctionLoader(_resource),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.tests.update(
        table=lambda block: isinstance(block, Table),
        figure=lambda block: isinstance(block, Figure),
        paragraph=lambda block: isinstance(block, Paragraph),
        bullets=lambda block: isinstance(block, Bullets),
    )
    return environment


def _hash(script: str) -> str:
    """Give a script's hash as a content security policy names it: no other script runs on the page."""
    return "'sha256-" + b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii") + "'"


def _inline_svg(drawn: Drawn) -> Markup:
    """Give the SVG for the page: sized by its box, hidden from readers that hear the figure's description instead."""
    svg = re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', drawn.svg, count=1)
    return Markup(svg)


def page(document: Document, drawn: Mapping[str, Drawn]) -> str:
    """Give the whole page."""
    script = _resource("report.js")
    policy = (
        f"default-src 'none'; style-src 'unsafe-inline'; script-src {_hash(script)}; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    text = _environment().get_template("report.html.j2").render(
        document=document,
        policy=policy,
        script=Markup(script),
        live={name: _live(d.figure) for name, d in drawn.items()},
        **_looks(drawn),
    )  # fmt: skip
    return printable(text)


def fragment(sections: Sequence[Section], drawn: Mapping[str, Drawn]) -> str:
    """Give sections alone, with their style, for a notebook: no script, nothing to load."""
    text = _environment().get_template("fragment.html.j2").render(
        sections=sections,
        live=dict.fromkeys(drawn),
        **_looks(drawn),
    )  # fmt: skip
    return printable(text)


def _live(figure: Figure) -> Markup | None:
    """Give what a figure answers with as JSON for a script element, whose end no quoting hides."""
    if figure.live is None:
        return None
    text = json.dumps(figure.live, ensure_ascii=False, separators=(",", ":"))
    return Markup(text.replace("<", "\\u003c"))


def _looks(drawn: Mapping[str, Drawn]) -> dict[str, Any]:
    return {
        "css": Markup(_resource("report.css")),
        "svgs": {name: _inline_svg(d) for name, d in drawn.items()},
        "widths": {name: round(d.width) for name, d in drawn.items()},
    }
