"""The report as one HTML file that asks nothing of anywhere: figures as SVG, interactive where there is JavaScript."""

from __future__ import annotations

import hashlib
import re
from base64 import b64encode
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import resources

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


def _inside_script(text: str) -> str:
    """Make text safe inside a script element, whose end no quoting hides."""
    return text.replace("<", "\\u003c")


def _library(text: str) -> str:
    # In a program `<` may be an operator: only what would end or open the element is written differently.
    return re.sub(r"<(?=/script|!--)", r"\\x3c", text, flags=re.IGNORECASE)


def _inline_svg(drawn: Drawn) -> Markup:
    """Give the SVG for the page: sized by its box, hidden from readers that hear the figure's description instead."""
    svg = re.sub(r"<svg ", '<svg aria-hidden="true" focusable="false" ', drawn.svg, count=1)
    return Markup(svg)


def page(document: Document, drawn: Mapping[str, Drawn], library: str) -> str:
    """Give the whole page; `library` is the JavaScript of interactive figures, empty for none."""
    scripts = [_library(library), _resource("report.js")] if library else [_resource("report.js")]
    specs = {name: Markup(_inside_script(d.vega)) for name, d in drawn.items() if d.vega} if library else {}
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
        # Vega compiles the expressions of its specifications.
        f"script-src {' '.join(_hash(s) for s in scripts)}" + (" 'unsafe-eval'" if library else "")
    )
    text = _environment().get_template("report.html.j2").render(
        document=document,
        policy=policy,
        css=Markup(_resource("report.css")),
        scripts=[Markup(s) for s in scripts],
        svgs={name: _inline_svg(d) for name, d in drawn.items()},
        widths={name: round(d.width) for name, d in drawn.items()},
        specs=specs,
    )  # fmt: skip
    return printable(text)


def fragment(sections: Sequence[Section], drawn: Mapping[str, Drawn]) -> str:
    """Give sections alone, with their style, for a notebook: no script, nothing to load."""
    text = _environment().get_template("fragment.html.j2").render(
        sections=sections,
        css=Markup(_resource("report.css")),
        svgs={name: _inline_svg(d) for name, d in drawn.items()},
        widths={name: round(d.width) for name, d in drawn.items()},
        specs={},
    )  # fmt: skip
    return printable(text)
