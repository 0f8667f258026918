"""Progress as frozen values. A step reports what it does; only the command line and the app draw it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class Progress:
    """One report: which step, what it is doing now, and how far it is (`done` of `total`, if countable)."""

    step: str
    message: str
    done: int | None = None
    total: int | None = None


OnProgress: TypeAlias = Callable[[Progress], None]


def silent(_: Progress) -> None:
    """Ignore progress; the default of every function that reports it."""
