"""Tell whether requirements.lock is in step with pyproject.toml, without asking a server.

Compared are the requirements that the project itself declares: each must be locked to a version that it allows, and
what the lock holds on the project's own behalf must still be declared. What those packages need in turn is guarded by
pip: with `--require-hashes` it refuses to install anything that the lock does not name.
"""

from __future__ import annotations

import re
import sys
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import NormalizedName, canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
ADDRESS = re.compile(r"://|--(?:extra-)?index-url|--find-links|^-e |@ *file:", re.MULTILINE)


@dataclass
class Pin:
    """One locked version of a package; a package has several where Python versions need different ones."""

    name: NormalizedName
    version: str
    hashes: int = 0
    asked_by: list[str] = field(default_factory=list)


def pins(lock: str) -> list[Pin]:
    """Read the lock: a line `name==version` begins a pin, indented lines carry its hashes and who asked for it."""
    found: list[Pin] = []
    for line in lock.splitlines():
        start = re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)", line)
        if start:
            found.append(Pin(canonicalize_name(start[1]), start[2]))
        elif found and "--hash=" in line:
            found[-1].hashes += 1
        elif found and line.lstrip().startswith("#"):
            found[-1].asked_by.append(line.strip(" #").removeprefix("via").strip())
    return found


def declared(project: dict[str, Any]) -> list[Requirement]:
    """List what pyproject.toml asks for: to run, to develop, and by its extras."""
    extras = project["project"].get("optional-dependencies", {})
    lines = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    lines += [line for extra in sorted(extras) for line in extras[extra]]
    return [Requirement(line) for line in lines]


def problems(pyproject: str, lock: str) -> list[str]:
    """Say all that is wrong with the lock, one sentence each."""
    project = tomllib.loads(pyproject)
    own = f"{project['project']['name']} (pyproject.toml"
    wanted = {canonicalize_name(r.name): r for r in declared(project)}
    locked = pins(lock)
    names = {pin.name for pin in locked}
    said = [f"{name} is declared but not locked" for name in sorted(wanted.keys() - names)]
    for pin in locked:
        rule = wanted.get(pin.name)
        if rule is not None and not rule.specifier.contains(pin.version, prereleases=True):
            said.append(f"{pin.name} is locked to {pin.version}, but {rule} is declared")
        if rule is None and any(who.startswith(own) for who in pin.asked_by):
            said.append(f"{pin.name} is locked for the project but no longer declared")
        if not pin.hashes:
            said.append(f"{pin.name} {pin.version} is locked without a hash")
    if ADDRESS.search(lock):
        said.append("the lock names a server or a folder")
    return said


def main() -> int:
    said = problems(
        (ROOT / "pyproject.toml").read_text(encoding="utf-8"), (ROOT / "requirements.lock").read_text(encoding="utf-8")
    )
    for sentence in said:
        print(f"requirements.lock: {sentence}; run `python3 tools/dev.py lock`")
    return 1 if said else 0


if __name__ == "__main__":
    sys.exit(main())
