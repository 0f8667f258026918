"""Every command, as a user types it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import openpyxl
import polars as pl
import pytest

import riskset as package
from riskset.cli import _Drawn
from riskset.progress import Progress
from riskset.protocol import load_mapping
from riskset.study import Study, study_vocabulary
from small_studies import DEMO, Riskset, SmallStudy, csv_text, replaced


def in_a_process(*words: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", "from riskset.cli import main; main()", *map(str, words)],
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )


# ── usage ─────────────────────────────────────────────────────────────────────


def test_help_names_every_command(riskset: Riskset) -> None:
    said = riskset("--help")
    assert said.code == 0
    for name in ("run", "check", "claims", "new", "demo", "schema", "trace", "patient"):
        assert f" {name} " in said.out


def test_help_loads_nothing_but_the_command_line() -> None:
    code = (
        "import sys, riskset.cli\n"
        "heavy = {'polars', 'numpy', 'scipy', 'pydantic', 'sqlglot', 'docx', 'openpyxl', 'jinja2', 'vl_convert'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_version(riskset: Riskset) -> None:
    assert riskset("--version").out == f"riskset {package.__version__}\n"


@pytest.mark.parametrize(
    "words",
    [("rum",), ("run",), ("run", "a.yaml", "--dat", "x"), ("trace", "out"), ("trace", "o", "r", "--limit", "many"), ()],
)
def test_usage_errors_exit_2(riskset: Riskset, words: tuple[str, ...]) -> None:
    assert riskset(*words).code == 2


def test_a_process_ends_with_the_exit_code_and_one_sentence(small: SmallStudy) -> None:
    (small.folder / "rome.csv").unlink()
    ended = in_a_process("run", small.path)
    assert ended.returncode == 3
    assert ended.stderr.strip().splitlines()[-1].startswith("rome.csv does not exist")
    assert "Traceback" not in ended.stderr
    assert in_a_process("rum").returncode == 2


def test_a_fault_of_ours_tells_its_place_and_no_value(
    riskset: Riskset, small: SmallStudy, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise ZeroDivisionError("the patient Zebra4711")

    monkeypatch.setattr("riskset.study.study.Study.run", fail)
    said = riskset("run", small.path)
    assert said.code == 1
    assert said.sentence.startswith("riskset failed at riskset.")
    assert "ZeroDivisionError" in said.sentence
    assert "Zebra" not in said.err


def test_a_closed_pipe_is_no_fault() -> None:
    command = f'"{sys.executable}" -c "from riskset.cli import main; main()" schema | head -c 10'
    ended = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert len(ended.stdout) == 10
    assert ended.stderr == ""


# ── run, check ────────────────────────────────────────────────────────────────


def test_run_prints_the_headline_and_where_the_report_lies(riskset: Riskset, small: SmallStudy, tmp_path: Path) -> None:
    said = riskset("run", small.path, "--out", tmp_path / "elsewhere")
    assert said.code == 0
    assert "hazard ratio" in said.out
    assert said.out.splitlines()[-1] == f"Report: {tmp_path / 'elsewhere' / 'report.html'}"
    assert (tmp_path / "elsewhere" / "report.html").is_file()


def test_run_refuses_a_strange_folder_before_it_computes(riskset: Riskset, small: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("mine", encoding="utf-8")
    said = riskset("run", small.path, "--out", tmp_path / "thesis")
    assert said.code == 2
    assert said.err.strip().count("\n") == 0
    assert "chapter.txt" in said.sentence


def test_a_refusal_that_cannot_be_written_is_still_told(riskset: Riskset, small: SmallStudy, tmp_path: Path) -> None:
    (small.folder / "rome.csv").unlink()
    (tmp_path / "file").write_text("x", encoding="utf-8")
    said = riskset("run", small.path, "--out", tmp_path / "file" / "out")
    assert said.code == 3
    assert "rome.csv does not exist" in said.sentence


def test_a_refused_run_takes_the_place_of_an_old_output(riskset: Riskset, small: SmallStudy) -> None:
    assert riskset("run", small.path).code == 0
    text = (small.folder / "rome.csv").read_text(encoding="utf-8")
    (small.folder / "rome.csv").write_text("", encoding="utf-8")
    assert riskset("run", small.path).code == 3
    assert small.manifest()["status"] == "refused"
    assert not (small.out / "report.html").exists()
    (small.folder / "rome.csv").write_text(text, encoding="utf-8")
    assert riskset("run", small.path).code == 0
    assert small.manifest()["status"] == "complete"


def test_check_counts_and_writes_nothing(riskset: Riskset, small: SmallStudy) -> None:
    small.rows[3]["Menopause"] = "unheard of"
    small.write()
    before = sorted(small.folder.iterdir())
    said = riskset("check", small.path)
    assert said.code == 0
    assert "unmapped_code" in said.out
    assert said.out.splitlines()[-1] == "40 screened, 40 included."
    assert sorted(small.folder.iterdir()) == before


def test_check_says_what_each_check_asks(riskset: Riskset, small: SmallStudy) -> None:
    small.rows[3]["Menopause"] = "unheard of"
    said = riskset("check", small.write().path)
    [line] = [line for line in said.out.splitlines() if "unmapped_code" in line]
    assert study_vocabulary().checks["unmapped_code"] in " ".join(line.split())


def test_check_warns_of_groups_and_populations_without_anybody(riskset: Riskset, small: SmallStudy) -> None:
    assert "Warning" not in riskset("check", small.path).err
    for row in small.rows:
        row["HER2"], row["Visceral"] = "0", "0"
    small.mapping = replaced(small.mapping, '"2": post', '"2": pre')
    said = riskset("check", small.write().path)
    assert said.code == 0
    warnings = [line for line in said.err.splitlines() if line.startswith("Warning")]
    assert [line.split(";")[0] for line in warnings] == [
        "Warning: no included patient has her2 'low'",
        "Warning: no included patient has menopause 'post'",
        "Warning: population 'visceral_disease' of pfs_her2 is empty",
    ]


def test_check_says_that_nobody_is_left(riskset: Riskset, small: SmallStudy) -> None:
    small.study = replaced(small.study, "age >= 18", "age >= 180")
    said = riskset("check", small.write().path)
    assert said.sentence.startswith("No patient is included")
    assert said.out.splitlines()[-1] == "40 screened, 0 included."


def test_square_brackets_in_names_are_no_markup(riskset: Riskset, small: SmallStudy) -> None:
    (small.folder / "rome.csv").rename(small.folder / "a[bold]b.csv")
    small.mapping = small.mapping.replace("file: rome.csv", 'file: "a[bold]b.csv"')
    (small.folder / "rome.yaml").write_text(small.mapping, encoding="utf-8")
    said = riskset("check", small.path)
    assert said.code == 0
    assert "Reading a[bold]b.csv" in said.err


def test_progress_is_a_bar_on_a_terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm-256color")
    drawn = _Drawn()
    assert drawn.bar is not None
    drawn(Progress("ingest", "Reading a[/bold]b.csv", 1, 12))
    drawn(Progress("ingest", "Reading on"))
    drawn.close()
    capsys.readouterr()


# ── claims ────────────────────────────────────────────────────────────────────


def test_claims_of_the_bundled_study_agree(riskset: Riskset, demo_out: Path) -> None:
    said = riskset("claims", demo_out, DEMO / "claims.yaml")
    assert said.code == 0
    agreed, total = said.out.splitlines()[-1].split(" claims")[0].split(" of ")
    assert agreed == total
    assert int(total) > 25


def test_a_moved_digit_turns_a_claim(riskset: Riskset, demo_out: Path, tmp_path: Path) -> None:
    text = (DEMO / "claims.yaml").read_text(encoding="utf-8")
    (tmp_path / "claims.yaml").write_text(replaced(text, "16.0", "16.1"), encoding="utf-8")
    said = riskset("claims", demo_out, tmp_path / "claims.yaml")
    assert said.code == 0
    assert "no:" in said.out
    agreed, total = said.out.splitlines()[-1].split(" claims")[0].split(" of ")
    assert int(agreed) == int(total) - 1


def test_claims_need_an_output_folder_and_a_file(riskset: Riskset, demo_out: Path, tmp_path: Path) -> None:
    said = riskset("claims", tmp_path, DEMO / "claims.yaml")
    assert (said.code, "no output folder of riskset" in said.sentence) == (2, True)
    said = riskset("claims", demo_out, tmp_path / "absent.yaml")
    assert (said.code, "There is no claims file" in said.sentence) == (2, True)


# ── trace, patient ────────────────────────────────────────────────────────────


def test_trace_prints_the_row_the_patients_and_their_cells(riskset: Riskset, demo_out: Path) -> None:
    said = riskset("trace", demo_out, "pfs_her2/median[in her2=low|first_line]", "--limit", 2)
    assert said.code == 0
    lines = said.out.splitlines()
    assert lines[0] == "pfs_her2/median[in her2=low|first_line]"
    assert lines[2].startswith("  patients computed from: 71 (")
    assert "raw/ankara.xlsx [Hastalar] row " in said.out
    assert lines[-1] == "  ... and 69 more; --limit 0 shows all."
    assert any(line.endswith("  <- decided") for line in lines)
    assert not any("-> patients.patient" in line and "<- decided" in line for line in lines)


def test_trace_of_all(riskset: Riskset, demo_out: Path) -> None:
    said = riskset("trace", demo_out, "pfs_her2/events[in her2=zero]", "--limit", 0)
    assert "  patients counted: 63 (" in said.out
    assert (
        sum(line.startswith("  ") and "/" in line.split(":")[0] and line[2] != " " for line in said.out.splitlines())
        == 63
    )
    assert "more; --limit" not in said.out


def test_trace_of_an_unknown_row(riskset: Riskset, demo_out: Path) -> None:
    said = riskset("trace", demo_out, "pfs_her2/medain")
    assert said.code == 2
    assert "did you mean 'pfs_her2/median'" in said.sentence
    assert riskset("trace", demo_out, "'; rm -rf $(pwd) | `x` \"").code == 2


def test_patient(riskset: Riskset, demo_out: Path) -> None:
    said = riskset("patient", demo_out, "ANK-011")
    assert said.code == 0
    assert said.out.splitlines()[0] == "ankara/ANK-011"
    assert "kept   pfs/ema 2021-03-10 day 426 event progression" in said.out
    assert "column 'HER2 (metastaz)' -> samples.ihc: negatif (0)" in said.out
    assert riskset("patient", demo_out, "ANK-011", "--centre", "ankara").code == 0
    assert riskset("patient", demo_out, "ANK-011", "--centre", "graz").code == 2
    assert riskset("patient", demo_out, "nobody").code == 2


# ── new, schema ───────────────────────────────────────────────────────────────


def data_file(path: Path) -> Path:
    rows = [
        {"ID": f"P{k}", "PFS": f"{k % 30 + 1}", "PD": str(k % 3 and 1), "marker": str(k % 2), "Şehir": "x"}
        for k in range(60)
    ]
    path.write_text(csv_text(rows, list(rows[0])), encoding="utf-8")
    return path


def test_a_new_study_loads_and_runs_on_a_file_with_those_columns(riskset: Riskset, tmp_path: Path) -> None:
    data_file(tmp_path / "data.csv")
    said = riskset("new", tmp_path / "study", "--from", tmp_path / "data.csv")
    assert said.code == 0
    assert said.out.splitlines()[-1].endswith(f"--data {tmp_path}")
    mapping = (tmp_path / "study" / "centre_a.yaml").read_text(encoding="utf-8")
    load_mapping(mapping)
    assert '#   "Şehir"' in mapping
    said = riskset("run", tmp_path / "study" / "study.yaml", "--data", tmp_path)
    assert said.code == 0
    assert "hazard ratio" in said.out


def test_a_new_study_around_a_file_inside_it(riskset: Riskset, tmp_path: Path) -> None:
    (tmp_path / "study" / "raw").mkdir(parents=True)
    data_file(tmp_path / "study" / "raw" / "data.csv")
    said = riskset("new", tmp_path / "study", "--from", tmp_path / "study" / "raw" / "data.csv")
    assert said.code == 0
    assert "--data" not in said.out
    assert riskset("check", tmp_path / "study" / "study.yaml").code == 0


def test_a_new_study_of_a_workbook_names_sheet_and_header_row(riskset: Riskset, tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    book.active.title = "Notes"
    sheet = book.create_sheet("It's data #1")
    for row in ([], ["Title"], ["ID", "pfs", "pd", "marker"], *[[f"P{k}", k + 1, k % 2, k % 2] for k in range(20)]):
        sheet.append(row)
    book.save(tmp_path / "data.xlsx")
    command = ("new", tmp_path / "study", "--from", tmp_path / "data.xlsx")
    refused = riskset(*command)
    assert refused.code == 3
    assert not (tmp_path / "study").exists()
    assert riskset(*command, "--sheet", "It's data #1", "--header-row", 3).code == 0
    assert riskset("check", tmp_path / "study" / "study.yaml", "--data", tmp_path).code == 0


def test_a_new_study_without_a_file_loads(riskset: Riskset, tmp_path: Path) -> None:
    assert riskset("new", tmp_path / "study").code == 0
    said = riskset("check", tmp_path / "study" / "study.yaml")
    assert said.code == 3
    assert "data.csv does not exist" in said.sentence


def loaded(folder: Path) -> Study:
    return Study.load(folder / "study.yaml", data=folder)


@pytest.mark.parametrize("words", [(), ("--template", "dates")])
def test_a_dated_study_holds_every_part_and_loads(riskset: Riskset, tmp_path: Path, words: tuple[str, ...]) -> None:
    assert riskset("new", tmp_path / "study", *words).code == 0
    study = loaded(tmp_path / "study")
    assert set(study.protocol.biomarkers) == {"her2", "hormone_receptors"}
    assert set(study.protocol.endpoints) == {"pfs", "os", "orr"}
    assert study.protocol.index is not None
    tables = [block.table for block in study.inputs.mappings["centre_a"].blocks]
    assert tables == ["patients", "samples", "drugs", "assessments", "organs", "contacts"]


def test_a_dated_study_runs_on_a_flat_sheet_with_its_columns(riskset: Riskset, tmp_path: Path) -> None:
    names = ["ID", "birth", "sex", "diagnosis", "metastatic", "sample date", "tissue", "HER2 IHC", "HER2 ISH", "ER",
             "PR", "Ki67", "drug", "start", "stop", "stop reason", "line", "assessment date", "response", "bone",
             "liver", "lung", "last contact", "status"]  # fmt: skip
    rows = [
        dict(zip(names, [
            f"P{k}", "01.02.1960", "F", "03.03.2015", "04.04.2020", "05.04.2020", "M", "1+" if k % 2 else "0", "",
            "90", "50", "20", "palbociclib", "01.05.2020", "", "", "1", f"{k % 28 + 1:02d}.{k % 12 + 1:02d}.2021",
            "PD" if k % 3 else "SD", "1", str(k // 2 % 2), "0", "01.06.2022", str(int(k % 4 == 0)),
        ], strict=True))
        for k in range(60)
    ]  # fmt: skip
    (tmp_path / "flat.csv").write_text(csv_text(rows, names), encoding="utf-8")
    said = riskset("new", tmp_path / "study", "--from", tmp_path / "flat.csv", "--template", "dates")
    assert said.code == 0
    assert '#   "HER2 IHC"' in (tmp_path / "study" / "centre_a.yaml").read_text(encoding="utf-8")
    said = riskset("check", tmp_path / "study" / "study.yaml", "--data", tmp_path)
    assert (said.code, said.out.splitlines()[-1]) == (0, "60 screened, 60 included.")


def test_an_unknown_template_is_refused(riskset: Riskset, tmp_path: Path) -> None:
    assert "take dates or supplied" in riskset("new", tmp_path / "study", "--template", "date").sentence
    assert not (tmp_path / "study").exists()


@pytest.mark.parametrize("title", [["Patients of the clinic"], []], ids=["a title", "an empty row"])
def test_a_title_above_the_column_names_is_told_with_the_row_to_take(
    riskset: Riskset, tmp_path: Path, title: list[str]
) -> None:
    book = openpyxl.Workbook()
    for row in (title, [], ["ID", "pfs", "pd", "marker"], *[[f"P{k}", k + 1, k % 2, k % 2] for k in range(20)]):
        book.active.append(row)
    book.save(tmp_path / "data.xlsx")
    command = ("new", tmp_path / "study", "--from", tmp_path / "data.xlsx")
    said = riskset(*command)
    assert said.code == 2
    assert "add --header-row 3" in said.sentence
    assert not (tmp_path / "study").exists()
    assert riskset(*command, "--header-row", 3).code == 0


def test_a_title_above_a_delimited_file_is_told(riskset: Riskset, tmp_path: Path) -> None:
    (tmp_path / "data.csv").write_text("Our patients\nID;pfs;pd;marker\n1;2;1;0\n", encoding="utf-8")
    assert "add --header-row 2" in riskset("new", tmp_path / "study", "--from", tmp_path / "data.csv").sentence


def test_new_never_overwrites(riskset: Riskset, small: SmallStudy) -> None:
    said = riskset("new", small.folder)
    assert said.code == 2
    assert "exists already" in said.sentence
    assert (small.path).read_text(encoding="utf-8") == small.study


def test_new_from_an_absent_file(riskset: Riskset, tmp_path: Path) -> None:
    assert riskset("new", tmp_path / "study", "--from", tmp_path / "absent.csv").code == 3


def test_new_where_nothing_can_be_made(riskset: Riskset, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x", encoding="utf-8")
    said = riskset("new", tmp_path / "file" / "study")
    assert said.code == 2
    assert said.err.strip().count("\n") == 0


def test_schema_is_json_with_the_top_level_keys(riskset: Riskset) -> None:
    said = riskset("schema")
    assert said.code == 0
    schema = json.loads(said.out)
    assert {"riskset", "study", "centres", "analyses", "endpoints"} <= set(schema["properties"])


# ── what a run writes where ───────────────────────────────────────────────────


def test_text_is_written_as_utf_8_whatever_the_machine_prefers(small: SmallStudy) -> None:
    small.study = replaced(small.study, "title: A small study", "title: Meme kanseri çalışması")
    small.write()
    ended = subprocess.run(
        [
            sys.executable,
            "-X",
            "warn_default_encoding",
            "-c",
            "from riskset.cli import main; main()",
            "run",
            small.path,
        ],
        capture_output=True,
        check=False,
        env={**os.environ, "LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"},
    )
    assert ended.returncode == 0
    assert "çalışması" in (small.out / "private" / "study.yaml").read_text(encoding="utf-8")
    for name in ("results.json", "manifest.json", "report.html", "private/check.R"):
        assert b"\r\n" not in (small.out / name).read_bytes()


def test_results_as_parquet_and_as_json_are_the_same_rows(riskset: Riskset, small: SmallStudy) -> None:
    assert riskset("run", small.path).code == 0
    frame = pl.read_parquet(small.out / "results.parquet")
    rows = json.loads((small.out / "results.json").read_text(encoding="utf-8"))
    assert frame["row"].to_list() == [row["row"] for row in rows]
    assert frame["value"].to_list() == [row.get("value") for row in rows]
