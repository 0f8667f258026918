"""Every public function shows an example that runs, and the example gives what it says."""

from __future__ import annotations

import doctest
import importlib
import inspect
import pkgutil

import pytest

from riskset import survival

MODULES = sorted(name for _, name, _ in pkgutil.walk_packages(survival.__path__, "riskset.survival."))
FUNCTIONS = sorted(name for name in survival.__all__ if inspect.isfunction(getattr(survival, name)))


@pytest.mark.parametrize("name", MODULES)
def test_examples_give_what_they_say(name: str) -> None:
    module = importlib.import_module(name)
    outcome = doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert outcome.failed == 0


@pytest.mark.parametrize("name", [*FUNCTIONS, "Surv"])
def test_every_public_function_shows_an_example(name: str) -> None:
    text = inspect.getdoc(getattr(survival, name)) or ""
    assert ">>>" in text, f"{name} has no example"
    assert "Parameters" in text, f"{name} does not list its parameters"
