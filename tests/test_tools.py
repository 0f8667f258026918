"""The programs under tools/: what they refuse, and that the lock's guard sees what it is there for."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parent.parent

PYPROJECT = """
[project]
name = "riskset"
dependencies = ["numpy>=2.0,<3", "ruamel.yaml>=0.18"]

[dependency-groups]
dev = ["ruff>=0.8"]
"""

LOCK = r"""
numpy==2.1.0 ; python_full_version < '3.12' \
    --hash=sha256:00
    # via riskset (pyproject.toml)
numpy==2.2.0 ; python_full_version >= '3.12' \
    --hash=sha256:01
    # via riskset (pyproject.toml)
ruamel-yaml==0.18.6 \
    --hash=sha256:02
    # via riskset (pyproject.toml)
ruff==0.9.0 \
    --hash=sha256:03
    # via
    #   riskset (pyproject.toml:dev)
    #   other
other==1.0 \
    --hash=sha256:04
    # via ruff
"""


def load(name: str) -> ModuleType:
    """Import a program that lies outside any package."""
    spec = importlib.util.spec_from_file_location(f"tools_{name}", ROOT / "tools" / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def lock_guard() -> ModuleType:
    return load("lock_in_step")


@pytest.fixture
def dev() -> ModuleType:
    return load("dev")


def test_the_lock_is_in_step_with_the_declared_requirements(lock_guard):
    declared = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    locked = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert lock_guard.problems(declared, locked) == []


def test_a_lock_in_step_passes(lock_guard):
    assert lock_guard.problems(PYPROJECT, LOCK) == []


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("numpy==2.2.0", "numpy==3.0.0", "numpy is locked to 3.0.0, but numpy<3,>=2.0 is declared"),
        ("ruamel-yaml==0.18.6", "ruamel-xaml==0.18.6", "ruamel-yaml is declared but not locked"),
        (
            "# via ruff",
            "# via riskset (pyproject.toml)",
            "other is locked for the project but no longer declared",
        ),
        ("    --hash=sha256:04\n", "", "other 1.0 is locked without a hash"),
        ("numpy==2.1.0", "--index-url https://host\nnumpy==2.1.0", "the lock names a server or a folder"),
    ],
)
def test_a_lock_out_of_step_is_told(lock_guard, old, new, said):
    assert old in LOCK
    assert said in lock_guard.problems(PYPROJECT, LOCK.replace(old, new))


def test_a_python_outside_the_range_is_refused_in_one_sentence(dev, monkeypatch):
    monkeypatch.setattr(dev, "probe", lambda python: ((3, 14), True))
    with pytest.raises(dev.RefusalError, match=r"needs Python 3\.11 to 3\.13 .* install Python 3\.13"):
        dev.base_python()


def test_a_python_without_venv_is_refused_with_the_package_to_install(dev, monkeypatch):
    monkeypatch.setattr(dev, "probe", lambda python: ((3, 12), False))
    with pytest.raises(dev.RefusalError, match=r"lacks the modules venv and ensurepip: .*python3-venv"):
        dev.base_python()


def test_another_python_of_the_machine_is_used_where_this_one_does_not_fit(dev, monkeypatch):
    versions = {sys.executable: ((3, 14), True), "found/python3.12": ((3, 12), True)}
    where = {sys.executable: sys.executable, "python3.12": "found/python3.12"}
    monkeypatch.setattr(dev, "probe", versions.get)
    monkeypatch.setattr(dev.shutil, "which", where.get)
    assert dev.base_python() == "found/python3.12"


def test_lock_says_how_to_get_uv(dev, monkeypatch):
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(dev.RefusalError, match="uv is missing: install it"):
        dev.lock([])


def test_reference_says_how_to_get_r(dev, monkeypatch):
    monkeypatch.setattr(dev.shutil, "which", lambda name: None)
    with pytest.raises(dev.RefusalError, match=r"survival, cmprsk, .* is missing: install it"):
        dev.reference([])
