"""What the machine is that a benchmark ran on: processor, cores, memory, system, versions. No names."""

from __future__ import annotations

import datetime
import os
import platform
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path


def machine() -> dict[str, str]:
    """Describe this machine and this Python in words for a table."""
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "load average before": _load(),
        "Python": platform.python_version(),
        **{name: _version(name) for name in ("numpy", "scipy", "numba")},
    }


def _processor() -> str:
    words = dict[str, str]()
    listing = Path("/proc/cpuinfo")
    if listing.is_file():
        for line in listing.read_text(encoding="utf-8").splitlines():
            name, _, value = line.partition(":")
            words.setdefault(name.strip(), value.strip())
    kind = words.get("model name") or platform.processor() or "unknown"
    numbers = [f"{name} {words[name]}" for name in ("cpu family", "model") if name in words]
    return f"{kind} ({', '.join(numbers)})" if numbers else kind


def _memory() -> str:
    try:
        return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB"
    except (AttributeError, ValueError, OSError):
        return "unknown"


def _load() -> str:
    try:
        return f"{os.getloadavg()[0]:.1f}"
    except (AttributeError, OSError):
        return "unknown"


def _version(name: str) -> str:
    try:
        return version(name)
    except PackageNotFoundError:
        return "not installed"
