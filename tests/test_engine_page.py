"""The page about the engine names what there is, all of it and nothing else."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

from riskset import survival

PAGE = Path(__file__).resolve().parent.parent / "docs" / "engine.md"


def test_every_public_function_stands_on_the_page() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    named = {name for line in rows for name in re.findall(r"`(\w+)`", line.split("|")[1])}
    functions = {name for name in survival.__all__ if inspect.isfunction(getattr(survival, name))}
    assert named == functions | {"Surv", "IntervalSurv", "EventTable"}


def test_the_example_of_the_page_runs() -> None:
    code = re.search(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert code
    names: dict[str, object] = {}
    exec(code[1], names)
    assert "fit" in names
