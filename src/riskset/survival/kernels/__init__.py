"""Compiled kernels (Numba), each beside a plain NumPy twin of the same signature: when they run, and how they load.

Whether a kernel runs depends on the size of the work and on Numba being installed (the extra `fast`), never on what ran
before, so that the same input gives the same bytes. Kernels release the interpreter's lock; work is cut into a number
of parts that depends on its size alone, and the parts go to a pool of threads.
"""

from __future__ import annotations

import importlib
import importlib.util
import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from typing import Any, Literal, TypeVar

Mode = Literal["auto", "never", "always"]
Part = TypeVar("Part")
Answer = TypeVar("Answer")

# Loading Numba and a cached kernel takes about half a second: below this many elementary steps NumPy is done earlier.
WORTHWHILE = 1e7

_mode: ContextVar[Mode] = ContextVar("mode", default="auto")


@cache
def _installed() -> bool:
    return importlib.util.find_spec("numba") is not None


def use_kernels(steps: float) -> bool:
    """Tell whether work of about `steps` multiplications, comparisons or moves is given to a compiled kernel."""
    mode = _mode.get()
    if mode == "never" or not _installed():
        return False
    return mode == "always" or steps >= WORTHWHILE


def load(name: str) -> Any:
    """Import the module of kernels `name`: Numba loads here, at the first work that pays for it."""
    return importlib.import_module(f"riskset.survival.kernels.{name}")


@contextmanager
def kernel_mode(mode: Mode) -> Iterator[None]:
    """Choose kernels always or never within a `with` block, for comparing them with NumPy."""
    token = _mode.set(mode)
    try:
        yield
    finally:
        _mode.reset(token)


def on_all_cores(function: Callable[[Part], Answer], parts: Iterable[Part]) -> list[Answer]:
    """Give `function(part)` for each part in order; kernels without the interpreter's lock run side by side."""
    work, cores = list(parts), os.cpu_count() or 1
    if len(work) <= 1 or cores == 1:
        return [function(part) for part in work]
    return list(_pool(cores).map(function, work))


@cache
def _pool(workers: int) -> ThreadPoolExecutor:
    """Give the pool that all kernels share: to start threads for every call costs more than many a call."""
    return ThreadPoolExecutor(workers, thread_name_prefix="riskset")


if hasattr(os, "register_at_fork"):
    # Threads do not survive a fork: the child makes a pool of its own.
    os.register_at_fork(after_in_child=_pool.cache_clear)
