"""Every number of a whole study of 180 simulated patients, against R (`tests/reference/analyses/analyses.R`)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from analyses.builders import run
from riskset.results import KEY_FIELDS, ResultRow, Results

FILE = Path(__file__).resolve().parent.parent / "reference" / "analyses" / "analyses.json"
TOLERANCE = 1e-8

DECLARED = """
pfs_her2: {kind: survival, endpoint: pfs, populations: [all, first_line], times_months: [6, 12, 24, 60]}
os_her2: {kind: survival, endpoint: os}
pfs_cox:
  kind: cox
  endpoint: pfs
  exposure: her2
  adjust: [visceral, line_group, ecog]
  strata: centre
  univariable: [her2, visceral, line_group, ecog, age, setting]
pfs_subgroups:
  kind: subgroups
  endpoint: pfs
  exposure: her2
  subgroups: [setting, visceral, ecog]
  adjust: [visceral, line_group]
  strata: centre
pfs_contrasts:
  kind: contrasts
  endpoint: pfs
  within: her2
  contrasts: [setting, ecog]
  adjust: [visceral, setting]
  strata: centre
pfs_schemes: {kind: schemes, endpoint: pfs, exposure: her2, adjust: [visceral, ecog], strata: centre}
follow_up: {kind: follow_up, endpoint: os}
reasons: {kind: reasons, endpoints: [pfs]}
response: {kind: response, endpoints: [orr]}
baseline: {kind: baseline, variables: [age, setting, ecog, visceral], populations: [all, first_line], p_values: true}
"""
ANALYSES = [line.split(":")[0] for line in DECLARED.splitlines() if line and not line.startswith(" ")]

Key = tuple[Any, ...]


@pytest.fixture(scope="module")
def reference() -> dict[str, Any]:
    return json.loads(FILE.read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def ours(reference: dict[str, Any]) -> Results:
    return run(DECLARED, reference["patients"])


def _key(row: dict[str, Any]) -> Key:
    # Times are sums of months: the same number by another path.
    return tuple(round(row["time"], 6) if f == "time" and row.get(f) is not None else row.get(f) for f in KEY_FIELDS)


def _ours(results: Results, analysis: str) -> dict[Key, ResultRow]:
    return {_key({f: getattr(r, f) for f in KEY_FIELDS}): r for r in results.select(analysis=analysis)}


@pytest.mark.parametrize("analysis", ANALYSES)
def test_the_same_rows_and_no_others(reference: dict[str, Any], ours: Results, analysis: str) -> None:
    theirs = [_key(row) for row in reference["rows"] if row["analysis"] == analysis]
    assert len(theirs) == len(set(theirs))
    found = _ours(ours, analysis)
    assert set(theirs) - set(found) == set()
    assert set(found) - set(theirs) == set()


@pytest.mark.parametrize("analysis", ANALYSES)
def test_every_number_is_r_s(reference: dict[str, Any], ours: Results, analysis: str) -> None:
    found = _ours(ours, analysis)
    compared = 0
    for row in reference["rows"]:
        if row["analysis"] != analysis or _key(row) not in found:
            continue
        mine, value = found[_key(row)], row["value"]
        if value is None:
            assert mine.value is None, mine.row
            assert mine.status != "ok", mine.row
        else:
            assert mine.status == "ok", mine.row
            assert mine.value == pytest.approx(value, rel=TOLERANCE, abs=1e-12), mine.row
            compared += 1
    assert compared >= 15
