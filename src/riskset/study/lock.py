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
    """Give the hash of what a study file says of an analysis.

    Defaults are left out, so that a parameter that a later version adds changes nothing.
    """
    said = {"kind": spec.kind, **spec.model_dump(mode="json", exclude_defaults=True)}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def read_lock(folder: Path) -> dict[str, Any] | None:
    """Give the lock beside the study file, or None where there was no run on real data yet.

    Raises
    ------
    UsageError
        There is one that cannot be read: it is never guessed what was planned.
    """
    path = folder / LOCK_NAME
    if not path.exists():
        return None
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise _unreadable() from error
    known = lock.get("analyses") if isinstance(lock, dict) and lock.get("riskset_lock") == 1 else None
    if not isinstance(known, dict) or not all(isinstance(digest, str) for digest in known.values()):
        raise _unreadable()
    return dict(lock)


def _unreadable() -> UsageError:
    return UsageError(
        f"{LOCK_NAME} beside the study file cannot be read; restore it from your records, or remove it knowingly: "
        "it says which analyses were planned before the data were seen."
    )


def plans(protocol: Protocol, lock: Mapping[str, Any] | None) -> dict[str, Plan]:
    """Give each analysis its plan: as declared if the lock knows it unchanged, else amended or exploratory."""
    listed = {name for amendment in protocol.amendments for name in amendment.analyses}
    given: dict[str, Plan] = {}
    for name, spec in protocol.analyses.items():
        known = lock is None or lock["analyses"].get(name) == _digest(spec)
        given[name] = spec.plan if known else ("amended" if name in listed else "exploratory")
    return given


def write_lock(folder: Path, protocol: Protocol, study_sha256: str) -> str | None:
    """Write the lock at the first run on real data; an existing lock is never changed.

    Returns
    -------
    str or None
        One sentence where it could not be written. The results stand all the same: they say what they were.
    """
    path = folder / LOCK_NAME
    if protocol.study.simulated or path.exists():
        return None
    lock = {
        "riskset_lock": 1,
        "study_sha256": study_sha256,
        "analyses": {name: _digest(spec) for name, spec in protocol.analyses.items()},
    }
    try:
        path.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        return (
            f"{LOCK_NAME} could not be written beside the study file ({error.strerror}): keep a dated copy of the "
            "study file, for later analyses will not be told from planned ones."
        )
    return None
