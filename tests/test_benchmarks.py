"""The benchmarks run, on a hundredth of the work: whole numbers come out, tasks agree, tables say what was measured.

No time is judged here: what a shared machine takes says nothing.
"""

from __future__ import annotations

import importlib
import json
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

# Some twenty processes, each with its own start.
pytestmark = pytest.mark.slow

ROOT = Path(__file__).resolve().parent.parent
BENCHMARKS = ROOT / "benchmarks"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("bench")


@pytest.fixture(scope="module")
def run(folder: Path) -> tuple[str, dict[str, Any]]:
    """Measure our engine alone in the quick mode; give what was printed and the kept numbers."""
    command = [
        sys.executable,
        str(BENCHMARKS / "bench_engine.py"),
        "--quick",
        "--only",
        "engine",
        "--data",
        str(folder),
    ]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stdout, json.loads((folder / "quick" / "measured.json").read_text(encoding="utf-8"))


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    return module("_programs", monkeypatch)


def module(name: str, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Import a part of the benchmarks, which import each other by their bare names."""
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    return importlib.import_module(name)


def result(run: tuple[str, dict[str, Any]], task: str, number: str) -> list[list[float]]:
    """Give one kind of number from every way of a task."""
    return [one["result"][number] for one in run[1]["measured"] if one["task"] == task]


def test_every_task_of_the_engine_is_measured(run):
    failures = {f"{one['task']}, {one['route']}": one["failure"] for one in run[1]["measured"] if one["failure"]}
    assert failures == {}
    assert {one["task"] for one in run[1]["measured"]} >= {
        "cox_20_days",
        "bootstrap",
        "permutation",
        "registry",
        "growth",
    }


def test_every_measurement_is_whole(run):
    for one in run[1]["measured"]:
        assert len(one["seconds"]) == len(one["processor"]) >= 1, one["task"]
        assert min(one["seconds"]) > 0
        assert one["units"] >= 1
        for values in one["result"].values():
            assert np.isfinite(np.array(values, dtype=float)).all(), one["task"]


def test_rounding_times_up_to_days_moves_the_results_little(run):
    for size in ("cox_20", "cox_5"):
        days, continuous = (result(run, f"{size}_{kind}", "coefficient")[0] for kind in ("days", "continuous"))
        np.testing.assert_allclose(days, continuous, atol=1e-4)
    # Rounded up, a censoring comes after an event of the same day.
    days, continuous = (result(run, f"km_{kind}", "survival")[0] for kind in ("days", "continuous"))
    np.testing.assert_allclose(days, continuous, atol=5e-4)


@pytest.mark.parametrize(("task", "number"), [("km_days", "survival"), ("logrank_days", "chi_square")])
def test_rows_and_their_counts_give_the_same(run, task, number):
    of_rows, of_counts = result(run, task, number)
    np.testing.assert_allclose(of_counts, of_rows, rtol=1e-10)


def test_reading_and_counting_see_everybody(run):
    alone, counted = result(run, "registry", "people")
    assert alone == counted == [1e6]


def test_the_tables_name_every_task_and_warn_of_the_quick_mode(run, monkeypatch):
    text, _ = run
    assert text.startswith("**Quick mode: a hundredth of the work, so no time here means anything.**")
    for task in module("_tasks", monkeypatch).TASKS:
        assert f"## {task.title}" in text
    assert "not measured: coxstream" in text


def test_another_program_is_given_the_same_data_and_agrees(folder, run, programs):
    """The Rust package is among the developers' packages: it stands for all peers."""
    there, absent = programs.find(["survival"])
    assert absent == {}
    for task, number in (("cox_5_days", "coefficient"), ("km_continuous", "survival")):
        measured = programs.run(there[0], task, there[0].routes[task][0], folder / "quick", 60.0, 0.01)
        assert measured.failure == ""
        np.testing.assert_allclose(measured.result[number], result(run, task, number)[0], rtol=1e-6)


def test_a_program_that_is_not_there_is_named_with_its_remedy(programs, monkeypatch):
    monkeypatch.setattr(programs.shutil, "which", lambda name: None)
    there, absent = programs.find(["r"])
    assert there == []
    assert absent["r"].startswith("not installed: R with the packages survival and jsonlite")


def test_work_that_takes_too_long_is_broken_off(folder, run, programs):
    there, _ = programs.find(["engine"])
    measured = programs.run(there[0], "bootstrap", "bootstrap_cox", folder / "quick", 0.001, 1.0)
    assert measured.failure == "more than 0 s"


def one(program: str, route: str, seconds: float, coefficient: float, **more: Any) -> dict[str, Any]:
    numbers = {"seconds": [seconds], "processor": [seconds], "result": {"coefficient": [coefficient]}}
    return {"program": program, "task": "cox_20_days", "route": route, **numbers, **more}


def test_the_tables_compare_with_what_a_target_names_and_mark_wrong_numbers(monkeypatch):
    report = module("_report", monkeypatch)
    measured = [
        one("engine", "fit_cox", 0.5, 1.0, peak_bytes=400e6),
        one("r", "coxph", 8.0, 1.0),
        one("r", "coxph.fit", 2.0, 1.0),
        one("coxstream", "CoxStream.fit", 1.0, 1.1),
    ]
    record = {
        "measured": measured,
        "quick": False,
        "programs": {},
        "absent": {"greenwood": "not installed"},
        "machine": {},
    }
    text = report.tables(record)
    rows = [[cell.strip() for cell in line.split("|")] for line in text.splitlines()]
    reached = {row[2]: row[5:7] for row in rows if len(row) == 8}
    assert reached["1/3 of coxstream"] == ["0.500", "no: 1.50 times too much"]
    assert reached["1/20 of R coxph"] == ["0.062", "no: 1.25 times too much"]
    assert reached["2 copies of X"] == ["2.50", "no: 1.25 times too much"]
    assert "**off by 1e-01**" in text
    assert "greenwood" in text
