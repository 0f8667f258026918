"""A whole study on one small CSV, written where a test wants it, and the command line as a user meets it."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from riskset.cli import main
from riskset.study import Study

DEMO = Path(__file__).parent.parent / "src" / "riskset" / "examples" / "her2_cdk46"

STUDY = """\
riskset: 1
study: {id: small, title: A small study}
centres:
  rome: {label: Rome, mapping: rome.yaml}
biomarkers:
  her2: {rules: asco_cap_2018, scheme: zero_low, prefer: supplied}
covariates:
  age: {rule: supplied, name: age, type: number, unit: years}
  visceral: {rule: supplied, name: visceral, type: boolean}
  menopause: {rule: column, column: menopause, levels: [pre, post]}
endpoints:
  pfs: {kind: pfs, prefer: supplied}
eligibility:
  - {id: adult, where: age >= 18}
populations: {visceral_disease: visceral}
comparison: {by: her2, reference: zero}
analyses:
  pfs_her2: {kind: survival, plan: primary, endpoint: pfs, populations: [all, visceral_disease]}
  pfs_cox: {kind: cox, endpoint: pfs, exposure: her2, adjust: [visceral], univariable: [her2, visceral]}
  baseline: {kind: baseline, variables: [age, menopause, visceral]}
"""

MAPPING = """\
mapping: 1
blocks:
  - file: rome.csv
    table: patients
    fields:
      patient: {column: ID}
      birth: {column: Born}
      menopause: {column: Menopause, type: text, codes: {"1": pre, "2": post}}
  - file: rome.csv
    table: supplied
    fields:
      patient: {column: ID}
      age: {column: Age, unit: years}
      her2: {column: HER2, codes: {"0": zero, "1": low}}
      visceral: {column: Visceral, codes: {"0": false, "1": true}}
      pfs: {column: PFS, unit: months}
      pfs_event: {column: PD}
"""

HEADER = ("ID", "Born", "Menopause", "Age", "HER2", "Visceral", "PFS", "PD")


def patients(n: int = 40) -> list[dict[str, str]]:
    """Give invented patients whose values differ in a fixed pattern; every fifth has no menopausal status."""
    return [
        {
            "ID": f"RM-{k:03d}",
            "Born": f"{(k * 7) % 28 + 1:02d}.{k % 12 + 1:02d}.{1940 + k % 40}",
            "Menopause": "" if k % 5 == 0 else str(k % 2 + 1),
            "Age": str(45 + (k * 13) % 40),
            "HER2": str(k % 2),
            "Visceral": str(k // 2 % 2),
            "PFS": f"{(k * 37) % 50 + 0.5}",
            "PD": str(int(k % 3 != 0)),
        }
        for k in range(1, n + 1)
    ]


def csv_text(rows: Iterable[dict[str, str]], header: Iterable[str] = HEADER) -> str:
    """Write rows as CSV."""
    names = list(header)
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n", extrasaction="ignore", restval="")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


@dataclass
class SmallStudy:
    """A study folder with its three files, and what the command line says of it."""

    folder: Path
    study: str = STUDY
    mapping: str = MAPPING
    rows: list[dict[str, str]] = field(default_factory=patients)

    @property
    def path(self) -> Path:
        """The study file."""
        return self.folder / "study.yaml"

    @property
    def out(self) -> Path:
        """The default output folder."""
        return self.folder / "out"

    def write(self) -> SmallStudy:
        """Write the three files."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "study.yaml").write_text(self.study, encoding="utf-8", newline="\n")
        (self.folder / "rome.yaml").write_text(self.mapping, encoding="utf-8", newline="\n")
        (self.folder / "rome.csv").write_text(csv_text(self.rows), encoding="utf-8", newline="\n")
        return self

    def manifest(self) -> Any:
        """Give the manifest of the default output folder."""
        return json.loads((self.out / "manifest.json").read_text(encoding="utf-8"))


def replaced(text: str, old: str, new: str) -> str:
    """Replace a part of a text that must be there, so that a test cannot pass because nothing was changed."""
    assert old in text
    return text.replace(old, new)


@dataclass(frozen=True)
class Said:
    """How a command ended and what it printed."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The last line of the error output: what the user has to read, after the lines of progress."""
        return self.err.strip().splitlines()[-1] if self.err.strip() else ""


_demo: list[Path] = []


def demo_folder(factory: pytest.TempPathFactory) -> Path:
    """Run the bundled study once a process, for all rooms' tests."""
    if not _demo:
        _demo.append(Study.load(DEMO / "study.yaml").write(factory.mktemp("demo") / "out"))
    return _demo[0]


Riskset = Callable[..., Said]


def riskset_command(capsys: pytest.CaptureFixture[str]) -> Riskset:
    """Give a function that runs the command line in this process."""

    def run(*words: object) -> Said:
        capsys.readouterr()
        code = 0
        try:
            main([str(word) for word in words])
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
        printed = capsys.readouterr()
        assert "Traceback" not in printed.err
        return Said(code, printed.out, printed.err)

    return run
