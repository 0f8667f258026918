"""`check.R` agrees with every row of a study with awkward data, and says so when one stored number is changed."""

from __future__ import annotations

import csv
import re
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest

from riskset import analyses, covariates, endpoints
from riskset.cohort import AnalysisSet
from riskset.protocol import Protocol, Vocabulary, load
from riskset.results import Results
from riskset.study.check_r import write_check_r
from riskset.tables import DERIVED, empty

STUDY = """\
riskset: 1
study: {id: small, title: Invented patients, conf_level: 0.9}
centres: {a: {mapping: a.yaml}, b: {mapping: b.yaml}, c: {mapping: c.yaml}}
covariates:
  her2: {rule: column, column: her2, levels: [low, zero, ultralow]}
  visceral: {rule: column, column: visceral, type: boolean}
  setting: {rule: column, column: setting, levels: [recurrent, de_novo, "yeni tanı"]}
  grade: {rule: column, column: grade, levels: [one, two, three, four]}
  age: {rule: column, column: age, type: number}
  spared: {rule: column, column: spared, type: boolean}    # no event among them: no limit to its coefficient
endpoints:
  pfs: {kind: pfs, also: [fda_a]}
  os: {kind: os}
  orr: {kind: response, success: [CR, PR]}
  dcr: {kind: response, success: [CR, PR, SD]}
populations: {older: age >= 60, nobody: age > 200}
comparison: {by: her2, reference: zero}
analyses:
  pfs_her2: {kind: survival, endpoint: pfs, populations: [all, older, nobody], times_months: [6, 12, 24, 600]}
  os_plain: {kind: survival, endpoint: os, conf_type: plain, by: visceral, rmst_months: 12}
  os_log: {kind: survival, endpoint: os, conf_type: log, by: setting, rmst_months: null}
  models: {kind: cox, endpoint: pfs, exposure: her2, adjust: [visceral, age, grade], strata: centre,
           populations: [all, older], univariable: [her2, visceral, age, grade, setting]}
  forest: {kind: subgroups, endpoint: pfs, exposure: visceral, subgroups: [setting, grade, her2], adjust: [her2, age],
           strata: centre}
  inside: {kind: contrasts, endpoint: os, within: her2, contrasts: [setting, visceral], adjust: [age], strata: centre}
  separated: {kind: cox, endpoint: pfs, exposure: spared, adjust: [her2, age]}
  schemes: {kind: schemes, endpoint: pfs, exposure: her2, adjust: [age], strata: centre}
  follow: {kind: follow_up, endpoint: os}
  why: {kind: reasons, endpoints: [pfs]}
  response: {kind: response, endpoints: [orr, dcr]}
  table_1: {kind: baseline, variables: [age, grade, visceral, setting], p_values: true, populations: [all, older]}
  table_2: {kind: baseline, variables: [age, grade], p_values: true, by: visceral}
"""
PEOPLE = 160
TABLES = ("analyses", "levels", "outcomes", "patients", "responses", "rows")


def _protocol() -> Protocol:
    vocabulary = Vocabulary(analyses=analyses.SPECS, covariates=covariates.SPECS, endpoints=endpoints.SPECS)
    return load(STUDY, vocabulary)


def _some_missing(rng: np.random.Generator, values: list[Any], share: float) -> list[Any]:
    gone = rng.random(len(values)) < share
    return [None if g else v for g, v in zip(gone, values, strict=True)]


def _people(rng: np.random.Generator) -> pl.DataFrame:
    """Give patients with ties, missing values, ids that look like formulas, and a level (`four`) that nobody has."""
    setting = rng.choice(["recurrent", "de_novo", "yeni tanı"], PEOPLE, p=[0.5, 0.35, 0.15]).tolist()
    frame = pl.DataFrame(
        {
            "centre": rng.choice(["a", "b", "c"], PEOPLE).tolist(),
            "patient": [f"=P{k:03d}" for k in range(PEOPLE)],
            "her2": rng.choice(["low", "zero", "ultralow"], PEOPLE, p=[0.5, 0.35, 0.15]).tolist(),
            "visceral": _some_missing(rng, [bool(v) for v in rng.random(PEOPLE) < 0.4], 0.05),
            "setting": _some_missing(rng, setting, 0.05),
            "grade": _some_missing(rng, rng.choice(["one", "two", "three"], PEOPLE).tolist(), 0.1),
            "age": _some_missing(rng, np.round(rng.normal(60, 10, PEOPLE), 1).tolist(), 0.04),
            "spared": [k % 10 == 0 for k in range(PEOPLE)],
        },
        schema_overrides={
            "centre": pl.Enum(["a", "b", "c"]),
            "her2": pl.Enum(["low", "zero", "ultralow"]),
            "setting": pl.Enum(["recurrent", "de_novo", "yeni tanı"]),
            "grade": pl.Enum(["one", "two", "three", "four"]),
        },
    )
    older, nobody = pl.col("age") >= 60, pl.col("age") > 200
    return frame.with_columns(older.alias("population_older"), nobody.alias("population_nobody")).sort(
        "centre", "patient"
    )


def _outcomes(rng: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    frames = []
    for endpoint, scheme, mean in (("pfs", "ema", 500), ("pfs", "fda_a", 420), ("os", "standard", 1100)):
        days = (np.ceil(rng.exponential(mean, PEOPLE) / 7) * 7).astype(int)
        stop = rng.integers(200, 1500, PEOPLE)
        event = ((days <= stop) & ~people["spared"].to_numpy()).astype(int).tolist()
        own = people.select("centre", "patient").with_columns(
            pl.lit(endpoint).alias("endpoint"),
            pl.lit(scheme).alias("scheme"),
            pl.Series("days", np.minimum(days, stop).tolist(), dtype=pl.Int32),
            pl.Series("event", _some_missing(rng, event, 0.02), dtype=pl.Int32),
        )
        frames.append(own.with_columns(cause=pl.lit(None, pl.String), reason=pl.lit("told")))
    return pl.concat(frames)


def _responses(rng: np.random.Generator, people: pl.DataFrame) -> pl.DataFrame:
    best = _some_missing(rng, rng.choice(["CR", "PR", "SD", "PD", "NE"], PEOPLE).tolist(), 0.05)
    known = people.select("centre", "patient").with_columns(
        pl.Series("best_response", best, dtype=pl.String),
        pl.Series("measurable", _some_missing(rng, [bool(v) for v in rng.random(PEOPLE) < 0.8], 0.05)),
    )
    known = known.with_columns((pl.col("best_response") != "NE").alias("evaluable"))
    success = {"orr": ["CR", "PR"], "dcr": ["CR", "PR", "SD"]}
    return pl.concat(
        known.with_columns(pl.lit(name).alias("endpoint"), pl.col("best_response").is_in(codes).alias("responder"))
        for name, codes in success.items()
    )


@cache
def _study() -> tuple[Protocol, AnalysisSet, Results]:
    rng = np.random.default_rng(20250627)
    protocol = _protocol()
    people = _people(rng)
    analysis_set = AnalysisSet(
        protocol=protocol,
        patients=people,
        outcomes=_outcomes(rng, people),
        responses=_responses(rng, people),
        screened=people.with_columns(included=pl.lit(True)),
        samples=pl.DataFrame(),
        attrition=empty(DERIVED["attrition"]),
        queries=pl.DataFrame(schema={"centre": pl.String, "n": pl.Int64}),
        sources=pl.DataFrame(schema={"centre": pl.String}),
    )
    rows = [row for name, spec in protocol.analyses.items() for row in analyses.run_one(name, spec, analysis_set)]
    return protocol, analysis_set, Results(rows)


def _write(folder: Path) -> Path:
    folder.mkdir()
    write_check_r(folder, *_study())
    return folder


def _run(folder: Path) -> subprocess.CompletedProcess[str]:
    program = shutil.which("Rscript")
    if program is None:
        pytest.skip("Rscript is absent: install R with its package survival")
    probe = subprocess.run([program, "-e", "library(survival)"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("R has no package survival: install it")
    return subprocess.run(
        [program, "check.R"], cwd=folder, capture_output=True, text=True, encoding="utf-8", check=False
    )


def _tally(output: str) -> tuple[int, int, int]:
    last = output.splitlines()[-1]
    found = re.fullmatch(r"(\d+) rows checked, (\d+) differ by more than 1e-6 \(relative\), (\d+) not checked", last)
    assert found, last
    return int(found[1]), int(found[2]), int(found[3])


def _rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "check_data" / "rows.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def unchanged(tmp_path_factory: pytest.TempPathFactory) -> subprocess.CompletedProcess[str]:
    return _run(_write(tmp_path_factory.mktemp("study") / "private"))


def test_r_agrees_with_every_row(unchanged: subprocess.CompletedProcess[str]) -> None:
    checked, different, left = _tally(unchanged.stdout)
    assert different == 0, unchanged.stdout[unchanged.stdout.index("Different:") :]
    assert unchanged.returncode == 0
    assert unchanged.stderr == ""
    assert checked + left == sum(row.text is None for row in _study()[2])


def test_what_r_was_not_asked_is_listed(unchanged: subprocess.CompletedProcess[str]) -> None:
    listed = unchanged.stdout.split("Not checked:\n")[1].split("\n\n")[0]
    kinds = {line.split(None, 1)[1]: int(line.split(None, 1)[0]) for line in listed.splitlines()}
    assert set(kinds) == {
        "baseline: smd",
        "cox: test of a model in which a coefficient runs to infinity",
        "reasons: n (event)",
        "reasons: n (censored)",
    }
    assert sum(kinds.values()) == _tally(unchanged.stdout)[2]


def _change(rows: list[dict[str, str]], value: str | None, **key: str) -> str:
    """Change the first row with these fields, by default in its sixth digit or so; give the row's name."""
    row = next(r for r in rows if r["value"] and all(r[name] == wanted for name, wanted in key.items()))
    row["value"] = f"{float(row['value']) * (1 + 3e-6):.17g}" if value is None else value
    return row["row"]


def test_each_changed_number_is_reported_and_no_other(tmp_path: Path) -> None:
    folder = _write(tmp_path / "private")
    rows = [row for row in _rows(folder) if row["method"] != "curve"]
    names = [
        _change(rows, None, analysis="pfs_her2", statistic="median"),
        _change(rows, None, analysis="pfs_her2", statistic="survival_difference"),
        _change(rows, None, analysis="models", statistic="conf_high", method="cox_multivariable_stratified"),
        _change(rows, None, analysis="forest", statistic="p_interaction", method="adjusted"),
        _change(rows, None, analysis="inside", statistic="p_value", method="logrank"),
        _change(rows, None, analysis="follow", statistic="quartile_high"),
        _change(rows, None, analysis="response", statistic="conf_low", of="rate", method="wilson"),
        _change(rows, None, analysis="os_plain", statistic="p_value", of="proportional_hazards"),
        _change(rows, "", analysis="os_plain", statistic="median"),
    ]
    with (folder / "check_data" / "rows.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)
    done = _run(folder)
    assert done.returncode == 1
    different = done.stdout.split("Different:\n")[1].split("\n\n")[0].splitlines()[1:]
    assert [line.split("  ")[0] for line in different] == sorted(names, key=[row["row"] for row in rows].index)
    assert _tally(done.stdout)[1] == len(names)


def test_two_writings_are_equal_and_name_no_patient(tmp_path: Path) -> None:
    one, other = _write(tmp_path / "one"), _write(tmp_path / "other")
    names = sorted(p.relative_to(one).as_posix() for p in one.rglob("*") if p.is_file())
    assert names == sorted(["check.R", *(f"check_data/{n}.csv" for n in TABLES)])
    for name in names:
        text = (one / name).read_bytes()
        assert text == (other / name).read_bytes()
        assert b"=P0" not in text
        assert str(tmp_path).encode() not in text
        assert b"\r" not in text


def test_a_number_is_written_so_that_it_comes_back(tmp_path: Path) -> None:
    folder = _write(tmp_path / "private")
    stored = {row.row: row.value for row in _study()[2]}
    for row in _rows(folder):
        if row["value"]:
            assert float(row["value"]) == stored[row["row"]]
