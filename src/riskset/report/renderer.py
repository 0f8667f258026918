"""Renderers of figures: processes of their own, or this process where none can be started."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, Protocol

from riskset.errors import ReportRefusedError
from riskset.report import _drawing_process, _heavy


class Renderer(Protocol):
    """Draws one request after the other."""

    def draw(self, request: dict[str, Any]) -> bytes:
        """Draw one thing, as `_drawing_process.carry_out` says."""

    def end(self) -> None:
        """Give back what it holds."""


class Here:
    """Draws in this process."""

    def draw(self, request: dict[str, Any]) -> bytes:
        """Draw one thing; the program waits for it."""
        return _drawing_process.carry_out(_heavy.vl_convert(), request)

    def end(self) -> None:
        """Hold nothing."""


class Elsewhere:
    """Draws in a process of its own, started at once; a caller that waits for it leaves Python's lock to others."""

    def __init__(self, *options: str) -> None:
        # -P: the folder of the program holds modules that have names of the standard library.
        command = [sys.executable, "-P", str(Path(_drawing_process.__file__)), *options]
        self._process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        self._instead: Here | None = None
        self._greeted = False

    def draw(self, request: dict[str, Any]) -> bytes:
        """Draw one thing.

        Raises
        ------
        ReportRefusedError
            The renderer cannot draw it, or its process ended.
        """
        if not self._greeted:
            self._greeted = True
            greeting = self._process.stdout.readline() if self._process.stdout is not None else b""
            # A Python that cannot be started a second time (embedded in another program) draws here.
            self._instead = None if greeting.strip() == _drawing_process.READY.strip() else Here()
        return self._instead.draw(request) if self._instead is not None else self._ask(request)

    def _ask(self, request: dict[str, Any]) -> bytes:
        asked, answers = self._process.stdin, self._process.stdout
        assert asked is not None
        assert answers is not None
        try:
            asked.write(json.dumps(request).encode("ascii") + b"\n")
            asked.flush()
            word, _, size = answers.readline().partition(b" ")
            reply = answers.read(int(size))
        except (OSError, ValueError) as error:
            raise ReportRefusedError("The renderer of figures ended while it drew; run the study again.") from error
        if word != b"drawn":
            reason = reply.decode("utf-8", errors="replace").strip().splitlines()
            raise ReportRefusedError(f"A figure cannot be drawn ({reason[0] if reason else 'no reason given'}).")
        return reply

    def end(self) -> None:
        """End the process, whatever it draws."""
        self._process.kill()
        self._process.communicate()


class Renderers:
    """The renderers of a report, started in `with` and ended after it: begun early, they are ready when needed.

    `first` draws specifications as SVG, which takes a start of most of a second; `others` only turn SVG into PNG.
    """

    # More would only share the memory's bandwidth, and each holds a picture of 75 MB.
    NUMBER = 2

    def __init__(self) -> None:
        self._started: list[Renderer] = []

    def __enter__(self) -> Renderers:
        self._started = [_start(_drawing_process.WARM), *(_start() for _ in range(self.NUMBER - 1))]
        return self

    def __exit__(self, *_: object) -> None:
        for renderer in self._started:
            renderer.end()

    @property
    def first(self) -> Renderer:
        """The renderer that draws specifications."""
        return self._started[0]

    @property
    def others(self) -> list[Renderer]:
        """The other renderers."""
        return self._started[1:]


def _start(*options: str) -> Renderer:
    """Start a renderer: in a process of its own where one can be started."""
    if not sys.executable:
        return Here()
    try:
        return Elsewhere(*options)
    except OSError:
        return Here()
