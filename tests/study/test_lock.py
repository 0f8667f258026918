"""`study.lock`: what was planned before the data were seen stays told from what came later."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from riskset.errors import UsageError
from riskset.study import Study
from riskset.study.lock import LOCK_NAME
from small_studies import STUDY, Riskset, SmallStudy, replaced

pytestmark = pytest.mark.usefixtures("short_report")

LATER = STUDY + "  pfs_visceral: {kind: survival, endpoint: pfs, by: visceral}\n"


def plans_of(small: SmallStudy) -> dict[str, str]:
    study = Study.load(small.path)
    study.run()
    assert study.state.results is not None
    return {row.analysis: row.plan for row in study.state.results if row.analysis in study.protocol.analyses}


def test_the_first_run_on_real_data_leaves_the_lock(small: SmallStudy) -> None:
    assert not (small.folder / LOCK_NAME).exists()
    Study.load(small.path).write(small.out)
    first = (small.folder / LOCK_NAME).read_bytes()
    lock = json.loads(first)
    assert set(lock["analyses"]) == {"pfs_her2", "pfs_cox", "baseline"}
    small.study = LATER
    small.write()
    Study.load(small.path).write(small.out)
    assert (small.folder / LOCK_NAME).read_bytes() == first


def test_running_without_writing_locks_nothing(small: SmallStudy) -> None:
    Study.load(small.path).run()
    assert not (small.folder / LOCK_NAME).exists()


def test_a_later_analysis_is_exploratory(small: SmallStudy) -> None:
    Study.load(small.path).write(small.out)
    small.study = LATER
    small.write()
    found = plans_of(small)
    assert found == {
        "pfs_her2": "primary",
        "pfs_cox": "planned",
        "baseline": "planned",
        "pfs_visceral": "exploratory",
    }


def test_a_later_analysis_that_an_amendment_lists_is_amended(small: SmallStudy) -> None:
    Study.load(small.path).write(small.out)
    small.study = LATER + "amendments: [{date: 2024-05-01, reason: Asked for, analyses: [pfs_visceral]}]\n"
    small.write()
    assert plans_of(small)["pfs_visceral"] == "amended"


def test_a_changed_analysis_is_a_later_one(small: SmallStudy) -> None:
    Study.load(small.path).write(small.out)
    small.study = replaced(STUDY, "pfs_cox: {kind: cox,", "pfs_cox: {kind: cox, plan: primary,")
    small.write()
    assert plans_of(small)["pfs_cox"] == "exploratory"


def test_stating_a_default_changes_nothing(small: SmallStudy) -> None:
    Study.load(small.path).write(small.out)
    small.study = replaced(STUDY, "pfs_cox: {kind: cox,", "pfs_cox: {kind: cox, plan: planned,")
    small.write()
    assert plans_of(small)["pfs_cox"] == "planned"


def test_a_simulated_study_has_no_lock(small: SmallStudy) -> None:
    small.study = replaced(STUDY, "title: A small study}", "title: A small study, simulated: true}")
    small.write()
    Study.load(small.path).write(small.out)
    assert not (small.folder / LOCK_NAME).exists()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"riskset_lock": 2, "analyses": {}}',
        '{"riskset_lock": 1, "analyses": 3}',
        '{"riskset_lock": 1, "analyses": {}, "sections": 3}',
        '{"riskset_lock": 1, "analyses": {}, "sections": {"index": []}}',
        '{"riskset_lock": 1, "analyses": {}, "amendments": 3}',
    ],
)
def test_a_corrupt_lock_is_refused(small: SmallStudy, riskset: Riskset, text: str) -> None:
    (small.folder / LOCK_NAME).write_text(text, encoding="utf-8")
    said = riskset("run", small.path)
    assert said.code == 2
    assert said.err.strip().count("\n") == 0
    assert "study.lock" in said.sentence
    assert not small.out.exists()
    with pytest.raises(UsageError):
        Study.load(small.path)


def test_a_lock_that_cannot_be_written_is_told_and_the_results_stand(
    small: SmallStudy, riskset: Riskset, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_text

    def refuse(self: Path, *words: object, **more: object) -> int:
        if self.name == LOCK_NAME:
            raise PermissionError(13, "Permission denied")
        return write(self, *words, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "write_text", refuse)
    said = riskset("run", small.path)
    assert said.code == 0
    assert "study.lock could not be written" in said.sentence
    assert (small.out / "results.json").is_file()


# ── what all analyses stand on ────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("where: age >= 18", "where: age >= 50", "eligibility"),
        ("{kind: pfs, prefer: supplied}", "{kind: pfs, prefer: derived}", "endpoints (pfs)"),
        ("reference: zero", "reference: low", "comparison"),
        ("scheme: zero_low", "scheme: low_incl_ultralow", "biomarkers (her2)"),
        ("name: visceral, type: boolean", "name: age, type: boolean", "covariates (visceral)"),
        ("visceral_disease: visceral", "visceral_disease: NOT visceral", "populations (visceral_disease)"),
        ("eligibility:", "index: {pick: last}\neligibility:", "index"),
    ],
)
def test_a_change_of_what_analyses_stand_on_is_told_and_makes_them_exploratory(
    small: SmallStudy, old: str, new: str, named: str
) -> None:
    Study.load(small.path).write(small.out)
    small.study = replaced(STUDY, old, new)
    small.write()
    study = Study.load(small.path)
    assert set(study.inputs.plans.values()) == {"exploratory"}
    [note] = study.notes
    assert f"differs from study.lock in {named}:" in note


def test_an_amendment_made_since_lists_what_is_amended(small: SmallStudy, riskset: Riskset) -> None:
    Study.load(small.path).write(small.out)
    small.study = replaced(STUDY, "where: age >= 18", "where: age >= 50") + (
        "amendments: [{date: 2024-05-01, reason: Asked for, analyses: [pfs_her2]}]\n"
    )
    small.write()
    assert plans_of(small) == {"pfs_her2": "amended", "pfs_cox": "exploratory", "baseline": "exploratory"}
    assert "differs from study.lock in eligibility" in riskset("check", small.path).err


def test_an_amendment_that_the_lock_holds_covers_no_later_change(small: SmallStudy) -> None:
    amendment = "amendments: [{date: 2024-05-01, reason: Asked for, analyses: [pfs_her2]}]\n"
    small.study = STUDY + amendment
    Study.load(small.write().path).write(small.out)
    small.study = replaced(STUDY, "where: age >= 18", "where: age >= 50") + amendment
    assert Study.load(small.write().path).inputs.plans["pfs_her2"] == "exploratory"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("  - {id: adult, where: age >= 18}", "  - {id: adult, label: Adults, where: age >= 18}"),
        ("endpoints:\n", "endpoints:\n  os: {kind: os}\n"),
        ("covariates:\n", "covariates:\n  extra: {rule: supplied, name: visceral, type: boolean}\n"),
        ("{kind: pfs, prefer: supplied}", "{kind: pfs, prefer: supplied, scheme: ema}"),
    ],
    ids=["a label", "an endpoint more", "a covariate more", "a default stated"],
)
def test_what_alters_no_planned_analysis_changes_no_plan(small: SmallStudy, old: str, new: str) -> None:
    before = Study.load(small.path)
    before.write(small.out)
    small.study = replaced(STUDY, old, new)
    after = Study.load(small.write().path)
    assert after.inputs.plans == before.inputs.plans
    assert after.notes == []


def test_a_lock_of_before_sections_were_kept_is_still_read(small: SmallStudy) -> None:
    Study.load(small.path).write(small.out)
    path = small.folder / LOCK_NAME
    lock = json.loads(path.read_text(encoding="utf-8"))
    old = {key: lock[key] for key in ("riskset_lock", "study_sha256", "analyses")}
    path.write_text(json.dumps(old), encoding="utf-8", newline="\n")
    small.study = replaced(STUDY, "where: age >= 18", "where: age >= 50")
    study = Study.load(small.write().path)
    assert study.notes == []
    assert study.inputs.plans["pfs_her2"] == "primary"
