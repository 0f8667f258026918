"""`Study` as Python code uses it: steps, progress, reuse of what has not changed, cancelling."""

from __future__ import annotations

import os
from pathlib import Path
from threading import Event

import polars as pl
import pytest

import riskset
from riskset.errors import CancelledError, DataRefusedError, StudyFileError, UsageError
from riskset.progress import Progress
from riskset.study import STEPS, Study
from small_studies import STUDY, SmallStudy, csv_text, replaced


def test_the_steps_are_those_of_the_design_in_their_order(small: SmallStudy) -> None:
    steps = riskset.Study.load(small.path).steps()
    assert steps == tuple(step.name for step in STEPS)
    rooms = [step for step in steps if not step.startswith("quality")]
    assert rooms == [
        "ingest", "timeline", "biomarkers", "covariates", "endpoints", "cohort", "analyses", "claims", "review"
    ]  # fmt: skip


def test_a_run_stops_after_the_step_that_was_named(small: SmallStudy) -> None:
    state = Study.load(small.path).run(until="endpoints")
    assert "outcomes" in state.tables
    assert "attrition" not in state.tables
    assert state.results is None


def test_an_unknown_step_is_suggested(small: SmallStudy) -> None:
    with pytest.raises(UsageError, match="did you mean 'endpoints'"):
        Study.load(small.path).run(until="endpoint")


def seen(study: Study, until: str | None = None) -> list[str]:
    told: list[Progress] = []
    study.run(until, on_progress=told.append)
    return [p.step for p in told if p.done is not None and p.total == len(STEPS)]


def test_steps_done_are_reused_and_the_rest_follows(small: SmallStudy) -> None:
    study = Study.load(small.path)
    names = list(study.steps())
    assert seen(study, "covariates") == names[: names.index("covariates") + 1]
    assert seen(study, "covariates") == []
    assert seen(study) == names[names.index("covariates") + 1 :]
    assert seen(study) == []


def test_a_changed_file_is_read_anew(small: SmallStudy) -> None:
    study = Study.load(small.path)
    assert study.run().tables["patients"].height == 40
    path = small.folder / "rome.csv"
    path.write_text(csv_text(small.rows[:20]), encoding="utf-8")
    assert study.run().tables["patients"].height == 20
    stat = path.stat()
    path.write_text(csv_text(small.rows[:20]).replace("RM-001", "RM-991"), encoding="utf-8")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1_000_000))
    assert "RM-991" in study.run().tables["patients"]["patient"]


def test_a_file_that_comes_after_a_refusal_is_read(small: SmallStudy) -> None:
    path = small.folder / "rome.csv"
    text = path.read_text(encoding="utf-8")
    path.unlink()
    study = Study.load(small.path)
    with pytest.raises(DataRefusedError):
        study.run()
    path.write_text(text, encoding="utf-8")
    assert study.run().results is not None


def test_cancelling_ends_between_steps_and_can_be_taken_up_again(small: SmallStudy) -> None:
    cancel = Event()

    def stop(progress: Progress) -> None:
        if progress.step == "covariates":
            cancel.set()

    study = Study.load(small.path)
    with pytest.raises(CancelledError):
        study.run(on_progress=stop, cancel=cancel)
    assert study.state.results is None
    assert seen(study)[0] == "endpoints"
    assert study.state.results is not None


def test_a_cancel_that_is_set_before_does_nothing(small: SmallStudy) -> None:
    cancel = Event()
    cancel.set()
    study = Study.load(small.path)
    with pytest.raises(CancelledError):
        study.run(cancel=cancel)
    assert study.state.tables == {}


def test_writing_runs_what_has_not_been_run(small: SmallStudy) -> None:
    out = Study.load(small.path).write(small.out)
    assert (out / "results.json").is_file()


def test_the_bytes_of_results_do_not_depend_on_the_order_of_rows(small: SmallStudy) -> None:
    first = Study.load(small.path).run().results
    small.rows = small.rows[::-1]
    small.write()
    second = Study.load(small.path).run().results
    assert first is not None
    assert second is not None
    assert first.to_json() == second.to_json()


def test_results_stand_on_the_rows_that_the_file_holds(small: SmallStudy) -> None:
    state = Study.load(small.path).run()
    assert state.results is not None
    n = state.results.one(analysis="pfs_her2", statistic="n", method=None, population=None, group=None)
    events = state.results.one(analysis="pfs_her2", statistic="events", method=None, population=None, group=None)
    assert (n.value, events.value) == (40, sum(row["PD"] == "1" for row in small.rows))
    visceral = state.results.one(
        analysis="pfs_her2", statistic="n", method=None, population="visceral_disease", group=None
    )
    assert visceral.value == sum(row["Visceral"] == "1" for row in small.rows)
    assert state.tables["patients"]["menopause"].null_count() == 8


def test_data_may_lie_elsewhere(small: SmallStudy, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (small.folder / "rome.csv").rename(tmp_path / "data" / "rome.csv")
    study = Study.load(small.path, data=tmp_path / "data")
    assert study.run(until="ingest").tables["patients"].height == 40


def test_a_mapping_may_stand_in_the_study_file(small: SmallStudy) -> None:
    inline = "    mapping:\n" + "".join(
        f"      {line}\n" for line in small.mapping.splitlines() if line != "mapping: 1"
    )
    small.study = replaced(STUDY, "  rome: {label: Rome, mapping: rome.yaml}\n", "  rome:\n    label: Rome\n" + inline)
    small.write()
    (small.folder / "rome.yaml").unlink()
    assert Study.load(small.path).run(until="ingest").tables["patients"].height == 40


def test_problems_of_several_files_are_one_error(small: SmallStudy) -> None:
    small.study = STUDY + "claims: claims.yaml\n"
    small.mapping = replaced(small.mapping, "table: patients", "table: patiens")
    small.write()
    (small.folder / "claims.yaml").write_text("claims: 1\n", encoding="utf-8")
    with pytest.raises(StudyFileError) as told:
        Study.load(small.path)
    assert {problem.file for problem in told.value.problems} == {"rome.yaml", "claims.yaml"}
    assert all(problem.line for problem in told.value.problems)


def test_an_answer_to_no_rule_is_refused_with_its_line(small: SmallStudy) -> None:
    small.study = STUDY + "review:\n  L41: Their tissue was lost.\n  L4l: Their tissue was lost.\n"
    small.write()
    with pytest.raises(StudyFileError) as told:
        Study.load(small.path)
    [problem] = told.value.problems
    assert (problem.path, problem.line, problem.column) == ("review.L4l", STUDY.count("\n") + 3, 3)
    assert "There is no review rule 'L4l' (did you mean 'L41'?)" in problem.message


def test_a_supplied_name_that_no_mapping_has_is_refused_with_its_line(small: SmallStudy) -> None:
    small.study = replaced(STUDY, "name: visceral", "name: viscerel")
    small.write()
    with pytest.raises(StudyFileError) as told:
        Study.load(small.path)
    [problem] = told.value.problems
    assert (problem.path, problem.line) == ("covariates.visceral", STUDY[: STUDY.index("  visceral:")].count("\n") + 1)
    assert "no mapping supplies 'viscerel' (did you mean 'visceral'?)" in problem.message


def test_a_supplied_name_of_one_centre_among_several_is_enough(small: SmallStudy) -> None:
    small.study = replaced(
        STUDY,
        "  rome: {label: Rome, mapping: rome.yaml}\n",
        ("  rome: {label: Rome, mapping: rome.yaml}\n  oslo: {label: Oslo, mapping: oslo.yaml}\n"),
    )
    small.write()
    without = "".join(line for line in small.mapping.splitlines(keepends=True) if "Visceral" not in line)
    (small.folder / "oslo.yaml").write_text(replaced(without, "rome.csv", "oslo.csv"), encoding="utf-8", newline="\n")
    (small.folder / "oslo.csv").write_text(csv_text(small.rows).replace("RM-", "OS-"), encoding="utf-8", newline="\n")
    patients = Study.load(small.path).run(until="covariates").tables["patients"]
    known = patients.group_by("centre").agg(pl.col("visceral").count()).sort("centre")
    assert known.rows() == [("oslo", 0), ("rome", 40)]


def test_queries_of_every_step_reach_the_state(small: SmallStudy) -> None:
    small.rows[2]["Visceral"] = "perhaps"
    small.write()
    state = Study.load(small.path).run(until="quality_cohort")
    assert state.tables["queries"].filter(pl.col("patient") == "RM-003").height >= 1
