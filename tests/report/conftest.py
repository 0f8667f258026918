"""One invented study, reported once for all tests that only look."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from riskset import report
from riskset.protocol import Protocol
from riskset.report.sections import document
from riskset.report.tablemodel import Document
from riskset.results import Results

from .synthetic import MANIFEST, make_findings, make_protocol, make_results, make_verdicts


@dataclass(frozen=True)
class Written:
    folder: Path
    protocol: Protocol
    results: Results
    document: Document

    @property
    def html(self) -> str:
        return (self.folder / "report.html").read_text(encoding="utf-8")


def write(folder: Path, protocol: Protocol, results: Results) -> list[Path]:
    return report.write(
        folder,
        protocol=protocol,
        results=results,
        findings=make_findings(results),
        verdicts=make_verdicts(results),
        manifest=MANIFEST,
    )


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Written:
    protocol, results = make_protocol(), make_results()
    folder = tmp_path_factory.mktemp("report")
    write(folder, protocol, results)
    made = document(protocol, results, make_findings(results), make_verdicts(results), MANIFEST)
    return Written(folder, protocol, results, made)
