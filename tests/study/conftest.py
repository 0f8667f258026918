"""What the tests of this room share: a small study, the command line, one run of the bundled study."""

from __future__ import annotations

from pathlib import Path

import pytest

from riskset import report
from small_studies import Riskset, SmallStudy, demo_folder, riskset_command


@pytest.fixture
def small(tmp_path: Path) -> SmallStudy:
    """Give a small study that has been written; tests change its texts and write it again."""
    return SmallStudy(tmp_path / "study").write()


@pytest.fixture
def riskset(capsys: pytest.CaptureFixture[str]) -> Riskset:
    """Give the command line."""
    return riskset_command(capsys)


@pytest.fixture(scope="session")
def demo_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the output folder of the bundled study, run once."""
    return demo_folder(tmp_path_factory)


@pytest.fixture
def short_report(monkeypatch: pytest.MonkeyPatch) -> None:
    """Write a report of one line: drawing it takes seconds, and these tests ask about the folder around it."""

    def write(_: report.Draft, out: Path) -> list[Path]:
        (out / "figures").mkdir()
        for name in ("report.html", "report.docx"):
            (out / name).write_text("short", encoding="utf-8")
        return []

    monkeypatch.setattr(report, "figures_of", lambda _: [])
    monkeypatch.setattr(report.Draft, "write", write)
