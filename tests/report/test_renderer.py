"""Renderers: the same bytes in a process of its own as here, and one sentence where it cannot draw or has ended."""

from __future__ import annotations

import sys

import pytest

from riskset.errors import ReportRefusedError
from riskset.report import renderer
from riskset.report.renderer import Elsewhere, Here, Renderers

SVG = {"svg": '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "scale": 1.0, "ppi": 72}
SPEC = {"spec": {"data": {"values": [{"a": 1}]}, "mark": "point", "encoding": {"x": {"field": "a"}}}}


@pytest.mark.parametrize("request_", [SVG, SPEC], ids=["png", "svg"])
def test_a_process_of_its_own_draws_the_same_bytes(request_: dict) -> None:
    with Renderers() as renderers:
        assert isinstance(renderers.first, Elsewhere)
        drawn = renderers.first.draw(request_)
    assert drawn == Here().draw(request_)


def test_what_cannot_be_drawn_is_refused_and_the_next_is_drawn() -> None:
    with Renderers() as renderers:
        with pytest.raises(ReportRefusedError, match="cannot be drawn"):
            renderers.first.draw({"spec": {"mark": "nothing"}})
        assert renderers.first.draw(SVG).startswith(b"\x89PNG")


def test_a_renderer_that_aborts_takes_only_its_own_process_along() -> None:
    with Renderers() as renderers:
        for request in ({**SVG, "svg": "<no"}, SVG):
            with pytest.raises(ReportRefusedError, match="run the study again"):
                renderers.first.draw(request)


@pytest.mark.parametrize("python", ["", "/nowhere/python", sys.executable + "-absent"])
def test_without_a_python_to_start_it_draws_here(python: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer.sys, "executable", python)
    with Renderers() as renderers:
        assert isinstance(renderers.first, Here)
        assert renderers.first.draw(SVG).startswith(b"\x89PNG")


def test_a_python_without_the_renderer_draws_here(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(renderer._drawing_process, "__file__", "/nowhere/_drawing_process.py")
    with Renderers() as renderers:
        assert isinstance(renderers.first, Elsewhere)
        assert renderers.first.draw(SVG) == Here().draw(SVG)
