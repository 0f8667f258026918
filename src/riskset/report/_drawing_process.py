"""The program of a drawing process: one request a line on its input, the drawn bytes on its output.

The renderer keeps Python's lock while it draws, so that threads gain nothing and a process of its own is needed. It is
started as a file, not as a module of riskset, and loads the renderer alone: it is ready within a tenth of a second.
"""

from __future__ import annotations

import json
import signal
import sys
from importlib import import_module
from typing import Any

READY = b"ready\n"
# Asks for the part that knows Vega-Lite to be started at once: it takes most of a second.
WARM = "--warm"
_NOTHING = {"spec": {"mark": "point", "data": {"values": []}}}


def carry_out(renderer: Any, request: dict[str, Any]) -> bytes:
    """Draw one thing: a Vega-Lite specification as SVG (UTF-8), or an SVG as PNG."""
    if "spec" in request:
        svg: str = renderer.vegalite_to_svg(request["spec"])
        return svg.encode("utf-8")
    png: bytes = renderer.svg_to_png(request["svg"], scale=request["scale"], ppi=request["ppi"])
    return png


def main() -> None:
    """Answer requests until the input ends: `drawn` or `failed`, the number of bytes, the bytes."""
    # An interrupt is for the program that asks; it ends this one.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    renderer = import_module("vl_convert")
    replies = sys.stdout.buffer
    replies.write(READY)
    replies.flush()
    if WARM in sys.argv:
        carry_out(renderer, _NOTHING)
    for line in sys.stdin.buffer:
        try:
            word, reply = "drawn", carry_out(renderer, json.loads(line))
        except ValueError as error:
            word, reply = "failed", str(error).encode("utf-8", errors="replace")
        replies.write(f"{word} {len(reply)}\n".encode("ascii"))
        replies.write(reply)
        replies.flush()


if __name__ == "__main__":
    main()
