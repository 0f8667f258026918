"""The output folder: whole or absent, never over what is not ours, the same bytes each time."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import pytest

from riskset import report
from riskset.errors import UsageError
from riskset.study import Study, require_replaceable
from small_studies import STUDY, SmallStudy, replaced


def contents(folder: Path) -> dict[str, str]:
    """Give the hash of every file of a folder."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_the_folder_holds_what_the_design_lists(small: SmallStudy) -> None:
    out = Study.load(small.path).write(small.out)
    names = contents(out)
    for name in ("report.html", "report.docx", "results.parquet", "results.json", "attrition.json", "review.json"):
        assert name in names
    for name in ("patients.parquet", "outcomes.parquet", "candidates.parquet", "cleaning_log.parquet", "check.R"):
        assert f"private/{name}" in names
    assert "private/queries/rome.xlsx" in names
    manifest = json.loads((out / "manifest.json").read_text(encoding="utf-8"))
    assert manifest["status"] == "complete"
    told = {name: digest for name, digest in names.items() if name not in ("manifest.json", "private/timings.json")}
    assert manifest["outputs"] == told
    rome = hashlib.sha256((small.folder / "rome.csv").read_bytes()).hexdigest()
    assert manifest["inputs"]["data"] == {"rome.csv": rome}
    assert set(manifest["inputs"]["study"]) == {"study.yaml", "rome.yaml"}
    assert str(small.folder) not in json.dumps(manifest)
    timings = json.loads((out / "private" / "timings.json").read_text(encoding="utf-8"))
    assert {"ingest", "analyses", "write_report", "write_check_r", "write_queries"} <= set(timings)


def test_two_runs_of_the_bundled_study_give_the_same_bytes(demo_out: Path, tmp_path: Path) -> None:
    """The second one in a process of its own, where sets and dictionaries of texts have another order."""
    subprocess.run(
        [sys.executable, "-c", "from riskset.cli import main; main()", "demo", "--out", str(tmp_path / "demo")],
        check=True,
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "271828"},
    )
    one, other = contents(demo_out), contents(tmp_path / "demo")
    assert one.pop("private/timings.json") != ""
    assert other.pop("private/timings.json") != ""
    assert [name for name in one if one[name] != other.get(name)] == []
    assert set(one) == set(other)


@pytest.mark.usefixtures("short_report")
def test_a_failure_while_writing_leaves_the_old_output(small: SmallStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    out = Study.load(small.path).write(small.out)
    before = contents(out)

    def fail(_: report.Draft, folder: Path) -> list[Path]:
        (folder / "report.html").write_text("half", encoding="utf-8")
        raise RuntimeError("in the middle of it")

    monkeypatch.setattr(report.Draft, "write", fail)
    with pytest.raises(RuntimeError):
        Study.load(small.path).write(small.out)
    assert contents(out) == before
    assert [path.name for path in small.folder.iterdir() if path.name.startswith(".")] == []


@pytest.mark.usefixtures("short_report")
def test_a_full_disk_leaves_the_old_output_and_says_one_sentence(
    small: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Study.load(small.path).write(small.out)
    before = contents(out)

    def fail(_: report.Draft, folder: Path) -> list[Path]:
        raise OSError(28, "No space left on device", str(folder))

    monkeypatch.setattr(report.Draft, "write", fail)
    with pytest.raises(UsageError, match=r"cannot be written \(No space left on device\); nothing there has changed"):
        Study.load(small.path).write(small.out)
    assert contents(out) == before


@pytest.mark.usefixtures("short_report")
def test_where_the_new_folder_cannot_take_its_place_the_old_one_returns(
    small: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = Study.load(small.path).write(small.out)
    before = contents(out)
    rename = Path.rename

    def fail(self: Path, target: Path) -> Path:
        if self.name == "new":
            raise PermissionError(13, "Permission denied")
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", fail)
    with pytest.raises(UsageError, match="Permission denied"):
        Study.load(small.path).write(small.out)
    assert contents(out) == before


@pytest.mark.usefixtures("short_report")
def test_a_new_run_replaces_the_output_of_an_older_one(small: SmallStudy) -> None:
    Study.load(small.path).write(small.out)
    small.rows = small.rows[:30]
    small.write()
    out = Study.load(small.path).write(small.out)
    assert '"value": 30.0' in (out / "results.json").read_text(encoding="utf-8")


@pytest.mark.usefixtures("short_report")
@pytest.mark.parametrize("name", ["thesis.docx", "private/answers.xlsx", "figures/mine.png"])
def test_a_file_that_is_not_ours_is_never_destroyed(small: SmallStudy, name: str) -> None:
    out = Study.load(small.path).write(small.out)
    (out / name).write_text("mine", encoding="utf-8")
    with pytest.raises(UsageError, match=Path(name).name):
        Study.load(small.path).write(small.out)
    assert (out / name).read_text(encoding="utf-8") == "mine"


@pytest.mark.usefixtures("short_report")
@pytest.mark.parametrize("name", ["report.docx", "private/queries/rome.xlsx"])
def test_a_file_that_somebody_changed_is_never_destroyed(small: SmallStudy, name: str) -> None:
    out = Study.load(small.path).write(small.out)
    (out / name).write_bytes(b"edited")
    with pytest.raises(UsageError, match="changed since"):
        Study.load(small.path).write(small.out)
    assert (out / name).read_bytes() == b"edited"


def test_a_folder_of_somebody_else_is_refused_even_with_a_manifest(tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text('{"name": "a web page", "outputs": {}}', encoding="utf-8")
    with pytest.raises(UsageError, match=r"'manifest\.json'"):
        require_replaceable(tmp_path)


def test_an_empty_folder_and_a_new_one_are_taken(tmp_path: Path) -> None:
    require_replaceable(tmp_path)
    require_replaceable(tmp_path / "new")
    (tmp_path / ".DS_Store").write_bytes(b"")
    require_replaceable(tmp_path)


def test_an_output_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="is a file"):
        require_replaceable(tmp_path / "out")


@pytest.mark.usefixtures("short_report")
def test_parents_are_made_and_where_they_cannot_be_it_is_said(small: SmallStudy, tmp_path: Path) -> None:
    study = Study.load(small.path)
    assert (study.write(tmp_path / "a" / "b" / "out") / "report.html").is_file()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    with pytest.raises(UsageError, match="cannot be written") as told:
        study.write(tmp_path / "file" / "out")
    assert "\n" not in str(told.value)


@pytest.mark.usefixtures("short_report")
def test_an_output_behind_a_symbolic_link_is_written_where_it_points(small: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    Study.load(small.path).write(tmp_path / "link")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "elsewhere" / "results.json").is_file()


def test_text_of_the_study_file_cannot_become_markup(small: SmallStudy) -> None:
    small.study = replaced(STUDY, "title: A small study", 'title: "A <script>alert(1)</script> study"')
    small.write()
    out = Study.load(small.path).write(small.out)
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page


@pytest.mark.usefixtures("short_report")
def test_a_formula_in_a_cell_reaches_the_query_list_as_text(small: SmallStudy) -> None:
    small.rows[0]["Menopause"] = "=HYPERLINK(1)"
    small.write()
    out = Study.load(small.path).write(small.out)
    sheet = openpyxl.load_workbook(out / "private" / "queries" / "rome.xlsx").active
    cells = [cell for row in sheet.iter_rows() for cell in row if "HYPERLINK" in str(cell.value)]
    assert cells
    assert all(cell.data_type == "s" for cell in cells)
