"""The one place where the heavy packages of the report are loaded: the figure renderer and the Word writer.

`riskset --help` and a notebook that draws nothing need neither; each costs a good part of a second.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import Any


@cache
def vl_convert() -> Any:
    """Load the renderer of Vega-Lite figures."""
    return import_module("vl_convert")


@cache
def docx() -> Any:
    """Load python-docx."""
    return import_module("docx")


def load(name: str) -> Any:
    """Load a module of one of these packages."""
    return import_module(name)
