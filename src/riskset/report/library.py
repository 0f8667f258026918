"""The JavaScript that makes figures interactive, kept between runs because bundling it costs a second and a half."""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from pathlib import Path

from riskset.report import _heavy

# The bundle exports Vega itself as null (vl-convert 1.9), so that its embedder is what is used.
_SNIPPET = "window.vegaEmbed = vegaEmbed;"


def cache_folder() -> Path:
    """Give the folder in which this user's programs keep what can be made again."""
    if sys.platform == "win32":
        base = os.environ.get("LOCALAPPDATA")
    else:
        base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "riskset"


def browser_library() -> str:
    """Give Vega's embedder as one script: from this user's cache, else bundled now and kept there.

    The file holds the hash of what follows it: one that was cut short or changed is made again. A home that cannot be
    written only costs the time.
    """
    version = _heavy.vl_convert().__version__
    path = cache_folder() / f"vega-embed-{version}.js"
    kept = _read(path)
    if kept is not None:
        return kept
    bundle: str = _heavy.vl_convert().javascript_bundle(_SNIPPET)
    _keep(path, bundle)
    return bundle


def _digest(text: str) -> str:
    return hashlib.sha256(f"{_SNIPPET}\n{text}".encode()).hexdigest()


def _read(path: Path) -> str | None:
    try:
        digest, _, text = path.read_text(encoding="utf-8").partition("\n")
    except (OSError, UnicodeDecodeError):
        return None
    return text if digest == _digest(text) else None


def _keep(path: Path, text: str) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        # Whole or not at all: another run may read at this moment.
        with tempfile.NamedTemporaryFile("w", encoding="utf-8", newline="\n", dir=path.parent, delete=False) as beside:
            beside.write(f"{_digest(text)}\n{text}")
        Path(beside.name).replace(path)
    except OSError:
        return
