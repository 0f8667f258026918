"""What all tests share: the data that stay outside the repository, and examples that are the same at each run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import settings

ROOT = Path(__file__).resolve().parent.parent

# The same examples each time, however slow the machine: a red test means that the code changed, not the dice.
settings.register_profile("riskset", derandomize=True, deadline=None)
settings.load_profile("riskset")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark what uses the fixture, so that `-m "not shared_data"` needs no mark by hand."""
    for item in items:
        if "shared_data" in getattr(item, "fixturenames", ()):
            item.add_marker("shared_data")


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Give the folder of data that are not ours to publish; the environment variable says where it lies."""
    named = os.environ.get("RISKSET_SHARED_DATA")
    folder = Path(named) if named else ROOT.parent / "shared" / "data"
    if not folder.is_dir():
        pytest.skip("the shared data are absent: set RISKSET_SHARED_DATA to their folder")
    return folder
