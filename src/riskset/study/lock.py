"""`study.lock`: what the study file planned at its first run on real data, so that later analyses are named as later.

Analyses that the lock knows keep their plan, as long as what all analyses stand on (criteria, endpoints, comparison,
biomarkers, index, covariates, populations) is what it was. One that came later, or every one where that changed, is
`amended` where an amendment made since lists it, else `exploratory`. A simulated study has no lock.
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

# What every analysis stands on. Of the first ones the whole counts; of the others each entry that the lock knows, as
# an entry that is added alters no analysis that was planned without it.
_WHOLE = ("index", "eligibility", "comparison")
_ENTRIES = ("biomarkers", "covariates", "endpoints", "populations")


def _hash(said: Any) -> str:
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _said(spec: Any) -> Any:
    """Give what a study file says in a spec, as plain values.

    Defaults are left out, so that a parameter that a later version adds changes nothing; the word that chooses between
    specs (`kind`, `rule`) is such a default, and is kept.
    """
    if spec is None or not hasattr(spec, "model_dump"):
        return None if spec is None else str(spec)
    chosen = {word: getattr(spec, word) for word in ("kind", "rule") if hasattr(spec, word)}
    return {**chosen, **spec.model_dump(mode="json", exclude_defaults=True)}


def _digest(spec: Any) -> str:
    """Give the hash of what a study file says of an analysis."""
    return _hash(_said(spec))


def _without_label(spec: Any) -> Any:
    said = _said(spec)
    return {k: v for k, v in said.items() if k != "label"} if isinstance(said, dict) else said


def _sections(protocol: Protocol) -> dict[str, dict[str, str]]:
    """Give the hashes of what every analysis stands on, by section and entry; a whole section is one entry `all`."""
    found: dict[str, dict[str, str]] = {}
    for name in _WHOLE:
        value = getattr(protocol, name)
        said = [_without_label(one) for one in value] if isinstance(value, list) else _without_label(value)
        found[name] = {"all": _hash(said)}
    for name in _ENTRIES:
        found[name] = {entry: _hash(_without_label(spec)) for entry, spec in getattr(protocol, name).items()}
    return found


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
    if not isinstance(lock, dict) or lock.get("riskset_lock") != 1 or not _digests(lock.get("analyses")):
        raise _unreadable()
    # Locks of the first version know no sections and no amendments: nothing is said about them then.
    sections, amendments = lock.get("sections", {}), lock.get("amendments", [])
    if not isinstance(sections, dict) or not all(_digests(entries) for entries in sections.values()):
        raise _unreadable()
    if not isinstance(amendments, list):
        raise _unreadable()
    return dict(lock)


def _digests(found: Any) -> bool:
    return isinstance(found, dict) and all(isinstance(digest, str) for digest in found.values())


def _unreadable() -> UsageError:
    return UsageError(
        f"{LOCK_NAME} beside the study file cannot be read; restore it from your records, or remove it knowingly: "
        "it says which analyses were planned before the data were seen."
    )


def changed_sections(protocol: Protocol, lock: Mapping[str, Any] | None) -> list[str]:
    """Name the sections, with their entries, that differ from the lock or are gone since; added entries do not count.

    A lock written before sections were kept tells nothing.
    """
    if lock is None:
        return []
    now = _sections(protocol)
    changed = []
    for name in (*_WHOLE, *_ENTRIES):
        entries = [e for e, digest in lock.get("sections", {}).get(name, {}).items() if now[name].get(e) != digest]
        if entries:
            changed.append(name if name in _WHOLE else f"{name} ({', '.join(sorted(entries))})")
    return changed


def change_note(protocol: Protocol, lock: Mapping[str, Any] | None) -> str | None:
    """Say in one sentence what changed since the lock and what follows from it; None where nothing did."""
    changed = changed_sections(protocol, lock)
    if not changed:
        return None
    return (
        f"The study file differs from {LOCK_NAME} in {', '.join(changed)}: every analysis counts as exploratory, or as "
        "amended where a new entry of `amendments` lists it."
    )


def plans(protocol: Protocol, lock: Mapping[str, Any] | None) -> dict[str, Plan]:
    """Give each analysis its plan: as declared if the lock knows it and all it stands on unchanged, else a later one.

    Later ones are `amended` where an amendment that the lock does not hold lists them, else `exploratory`.
    """
    if lock is None:
        return {name: spec.plan for name, spec in protocol.analyses.items()}
    old = lock.get("amendments", [])
    listed = {name for amendment in protocol.amendments if _digest(amendment) not in old for name in amendment.analyses}
    stands = not changed_sections(protocol, lock)
    given: dict[str, Plan] = {}
    for name, spec in protocol.analyses.items():
        known = stands and lock["analyses"].get(name) == _digest(spec)
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
        "sections": _sections(protocol),
        "amendments": [_digest(amendment) for amendment in protocol.amendments],
    }
    try:
        path.write_text(json.dumps(lock, indent=2, sort_keys=True) + "\n", encoding="utf-8", newline="\n")
    except OSError as error:
        return (
            f"{LOCK_NAME} could not be written beside the study file ({error.strerror}): keep a dated copy of the "
            "study file, for later analyses will not be told from planned ones."
        )
    return None
