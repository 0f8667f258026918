"""`study.lock`: what the study file planned at its first run on real data, so that later analyses are named as later.

Analyses that the lock knows keep their plan. One that came later is `amended` where an amendment of the study file
lists it, else `exploratory`. A simulated study has no lock.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from riskset.errors import UsageError
from riskset.protocol import Protocol
from riskset.results import Plan

LOCK_NAME = "study.lock"


def _digest(spec: Any) -> str:
    return hashlib.sha256(json.dumps(spec.model_dump(mode="json"), sort_keys=True).encode()).hexdigest()


def read_lock(folder: Path) -> dict[str, Any] | None:
    """Give the lock beside the study file, or None where there was no run on real data yet."""
    path = folder / LOCK_NAME
    if not path.is_file():
        return None
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
        assert isinstance(lock["analyses"], dict)
    except (ValueError, KeyError, TypeError, AssertionError) as error:
        raise UsageError(f"{path.name} cannot be read; restore it from your records or remove it knowingly.") from error
    return dict(lock)


def plans(protocol: Protocol, lock: Mapping[str, Any] | None) -> dict[str, Plan]:
    """Give each analysis its plan: as declared if the lock knows it unchanged, else amended or exploratory."""
    listed = {name for amendment in protocol.amendments for name in amendment.analyses}
    given: dict[str, Plan] = {}
    for name, spec in protocol.analyses.items():
        known = lock is None or lock["analyses"].get(name) == _digest(spec)
        given[name] = spec.plan if known else ("amended" if name in listed else "exploratory")
    return given


def write_lock(folder: Path, protocol: Protocol, study_sha256: str) -> None:
    """Write the lock at the first run on real data; an existing lock is never changed."""
    path = folder / LOCK_NAME
    if protocol.study.simulated or path.exists():
        return
    lock = {
        "riskset_lock": 1,
        "study_sha256": study_sha256,
        "analyses": {name: _digest(spec) for name, spec in protocol.analyses.items()},
    }
    path.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
