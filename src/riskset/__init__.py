"""riskset carries out a whole retrospective oncology outcomes study, from hospital files to a report."""

from __future__ import annotations

from importlib import import_module
from typing import Any

__version__ = "0.1.0"

# Loaded at first use, so that `import riskset.survival` and `riskset --help` stay light (PEP 562).
_LAZY = {"Study": "riskset.study", "quick": "riskset.study"}

__all__ = ["Study", "__version__", "quick"]


def __getattr__(name: str) -> Any:
    if name in _LAZY:
        return getattr(import_module(_LAZY[name]), name)
    raise AttributeError(f"module 'riskset' has no attribute {name!r}")
