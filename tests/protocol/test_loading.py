"""Loading a study file: what a good one gives, and where a bad one is told to be bad."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import polars as pl
import pytest
from pydantic import ValidationError
from tests.protocol.small_study import STUDY, VOCABULARY, Survival

import riskset
from riskset.errors import Problem, StudyFileError
from riskset.protocol import (
    Condition,
    MappingFile,
    Protocol,
    Spec,
    Vocabulary,
    check_conditions,
    load,
    patient_conditions,
    read_text,
)
from riskset.protocol.document import parse_document

BUNDLED = Path(riskset.__file__).parent / "examples" / "her2_cdk46" / "study.yaml"


def problems(text: str, vocabulary: Vocabulary = VOCABULARY) -> tuple[Problem, ...]:
    with pytest.raises(StudyFileError) as caught:
        load(text, vocabulary, file="study.yaml")
    return caught.value.problems


def replaced(old: str, new: str) -> str:
    assert old in STUDY
    return STUDY.replace(old, new, 1)


def test_a_study_becomes_a_frozen_value() -> None:
    protocol = load(STUDY, VOCABULARY)
    assert isinstance(protocol, Protocol)
    analysis = protocol.analyses["pfs_her2"]
    assert isinstance(analysis, Survival)
    assert (analysis.plan, analysis.by, analysis.populations) == ("primary", None, ["all", "younger"])
    assert protocol.eligibility[0].where == Condition("age >= 18")
    assert protocol.biomarkers["her2"].scheme == "zero_low"
    assert list(protocol.covariates) == ["age", "group"]
    with pytest.raises(ValidationError):
        protocol.study.seed = 2  # type: ignore[misc]


def test_one_clean_csv_needs_at_most_fifteen_lines() -> None:
    lines = [line for line in STUDY.splitlines() if not line.startswith("#")]
    needless = ("covariates", "  age", "  group", "eligibility", "populations")
    kept = [line.replace(", younger", "") for line in lines if not line.startswith(needless)]
    assert len(kept) <= 15
    mapping = load("\n".join(kept), VOCABULARY).centres["rome"].mapping
    assert isinstance(mapping, MappingFile)
    assert mapping.blocks[0].file == "rome.csv"


def test_layout_is_no_part_of_the_value() -> None:
    assert load(STUDY, VOCABULARY) == load("\n\n" + STUDY, VOCABULARY)
    assert load(STUDY, VOCABULARY) != load(replaced("title: HER2", "title: ER"), VOCABULARY)


def test_a_value_written_out_and_loaded_again_is_the_same() -> None:
    protocol = load(STUDY, VOCABULARY)
    written = protocol.model_dump(mode="json", exclude_unset=True)
    for section, key in (("analyses", "kind"), ("endpoints", "kind"), ("covariates", "rule")):
        for name, spec in getattr(protocol, section).items():
            written[section][name] = {key: getattr(spec, key), **spec.model_dump(mode="json")}
    assert VOCABULARY.model.model_validate(written) == protocol


def test_words_such_as_no_stay_text() -> None:
    text = replaced("{young: age < 50, old: age >= 50}", "{NO: age < 50, yes: age >= 50}")
    protocol = load(text.replace("'young'", "'NO'"), VOCABULARY)
    assert list(protocol.covariates["group"].levels) == ["NO", "yes"]


@pytest.mark.parametrize(
    ("text", "line", "path", "says"),
    [
        # unknown and missing keys, at each depth
        (STUDY + "analysis: {}\n", 19, "analysis", "did you mean 'analyses'"),
        (STUDY + "zzz: {}\n", 19, "zzz", "the keys are riskset, study,"),
        (replaced("title:", "titel: x, title:"), 3, "study.titel", "did you mean 'title'"),
        (replaced("{her2: {}}", "{her2: {grace: 1}}"), 9, "biomarkers.her2.grace", "did you mean 'grace_days'"),
        (replaced("{her2: {}}", "{her3: {}, her2: {}}"), 9, "biomarkers.her3", "did you mean 'her2'"),
        (replaced("plan: primary", "plann: primary"), 18, "analyses.pfs_her2.plann", "did you mean 'plan'"),
        (replaced("unit: months", "units: m"), 8, "centres.rome.mapping.blocks[0].fields.pfs.units", "did you mean"),
        (replaced("study: {id: small, ", "study: {"), 3, "study.id", "'id' is missing"),
        (replaced("riskset: 1\n", ""), 2, "riskset", "'riskset' is missing"),
        (replaced(", endpoint: pfs", ""), 18, "analyses.pfs_her2.endpoint", "'endpoint' is missing"),
        # kinds that nobody registered
        (replaced("kind: survival", "kind: survivl"), 18, "analyses.pfs_her2", "did you mean 'survival'"),
        (replaced("kind: survival, ", ""), 18, "analyses.pfs_her2", "no 'kind'"),
        (replaced("rule: age_at_index", "rule: age_at_indx"), 11, "covariates.age", "did you mean 'age_at_index'"),
        (replaced("{kind: pfs}", "{kind: pfss}"), 13, "endpoints.pfs", "did you mean 'pfs'"),
        (STUDY + "quality: {V4: stop}\n", 19, "quality.V4", "did you mean 'V04'"),
        (STUDY + "quality: {V04: stopp}\n", 19, "quality.V04", "did you mean 'stop'"),
        # values
        (replaced("riskset: 1", "riskset: 2"), 2, "riskset", "one of 1"),
        (replaced("id: small", "id: Small"), 3, "study.id", "small letters"),
        (replaced("pfs_her2:", "PFS:"), 18, "analyses.PFS", "small letters"),
        (replaced("id: small", "id: small, seed: x"), 3, "study.seed", "a whole number"),
        (replaced("id: small", "id: small, seed: 1.5"), 3, "study.seed", "a whole number"),
        (replaced("id: small", "id: small, simulated: maybe"), 3, "study.simulated", "true or false"),
        (replaced("id: small", "id: small, conf_level: 2"), 3, "study.conf_level", "less than 1"),
        (replaced("id: small", "id: small, data_cutoff: 31.03.2023"), 3, "study.data_cutoff", "YYYY-MM-DD"),
        (replaced("id: small", "id: small, data_cutoff: 2023-02-30"), 3, "study.data_cutoff", "YYYY-MM-DD"),
        (replaced("title: HER2-low against HER2-zero", "title: 2019"), 3, "study.title", "put it in quotes"),
        (replaced("plan: primary", "plan: first"), 18, "analyses.pfs_her2.plan", "primary, planned, exploratory"),
        (replaced("plan: primary", "conf_type: loglog"), 18, "analyses.pfs_her2.conf_type", "did you mean 'log-log'"),
        (
            replaced("plan: primary", "times_months: [6, 0]"),
            18,
            "analyses.pfs_her2.times_months[1]",
            "greater than 0",
        ),
        (replaced("plan: primary", "times_months: 6"), 18, "analyses.pfs_her2.times_months", "a list"),
        (replaced("analyses:\n  pfs_her2:", "analyses:\n  - "), 18, "analyses", "a mapping of"),
        (replaced("{her2: {}}", "{her2: {grace_days: -1}}"), 9, "biomarkers.her2.grace_days", "at least 0"),
        (replaced("{her2: {}}", "{her2: zero_low}"), 9, "biomarkers.her2", "a mapping of"),
        (
            replaced("kind: survival", "kind: cox, exposure: her2, strata: 3"),
            18,
            "analyses.pfs_her2.strata",
            "text (put it in quotes) or a list",
        ),
        (
            replaced("kind: survival", "kind: cox, exposure: her2, strata: [A]"),
            18,
            "analyses.pfs_her2.strata[0]",
            "no id",
        ),
        # conditions
        (replaced("where: age >= 18", "where: count(age) > 1"), 14, "eligibility[0].where", "'count'"),
        (replaced("where: age >= 18", "where: 18"), 14, "eligibility[0].where", "put it in quotes"),
        (replaced("young: age < 50", "young: age <"), 12, "covariates.group.levels.young", "cannot be read"),
        # cross-references
        (replaced("by: her2", "by: her3"), 16, "comparison.by", "did you mean 'her2'"),
        (replaced("by: her2", "by: group"), 16, "comparison.reference", "no level of 'group' 'zero'"),
        (replaced("endpoint: pfs", "endpoint: pfss"), 18, "analyses.pfs_her2.endpoint", "did you mean 'pfs'"),
        (replaced("all, younger", "all, youngr"), 18, "analyses.pfs_her2.populations[1]", "did you mean 'younger'"),
        (replaced("plan: primary", "by: agee"), 18, "analyses.pfs_her2.by", "did you mean 'age'"),
        (
            replaced("kind: survival", "kind: cox, exposure: her2, adjust: [centre, x]"),
            18,
            "analyses.pfs_her2.adjust[1]",
            "declared are her2, age, group, centre",
        ),
        (replaced("pfs_her2:", "attrition:"), 18, "analyses.attrition", "belongs to an analysis of the program"),
        (
            replaced("[{id: adult, where: age >= 18}]", "[{id: adult, where: age > 1}, {id: adult, where: age > 2}]"),
            14,
            "eligibility[1].id",
            "given twice",
        ),
        (replaced("  age: {", "  her2: {"), 11, "covariates.her2", "a biomarker already"),
        (replaced("  age: {", "  patient: {"), 11, "covariates.patient", "a column of every table"),
        (replaced("younger: ", "all: "), 15, "populations.all", "take another id"),
        (
            STUDY + "amendments: [{date: 2024-01-01, reason: more, analyses: [pfs_her]}]\n",
            19,
            "amendments[0].analyses[0]",
            "did you mean 'pfs_her2'",
        ),
        # centres
        (
            replaced("rome:\n    mapping:\n      blocks:", "rome:\n    x:\n      blocks:"),
            6,
            "centres.rome.x",
            "keys are",
        ),
        (replaced("{patient: {column: ID}, ", "{"), 8, "centres.rome.mapping.blocks[0].fields", "'patient' is missing"),
        # YAML
        (STUDY + "study: {}\n", 19, "study", "given twice, first on line 3"),
        (STUDY + "claims: !!python/object:os.system x\n", 19, "claims", "tag"),
        (STUDY + "claims: !secret x\n", 19, "claims", "tag"),
        (STUDY + "report: !!omap {}\n", 19, "report", "tag"),
        (STUDY + "? [a, b]\n: 1\n", 2, "", "plain text"),
        (STUDY + "report: {<<: {note: x}}\n", 19, "report.<<", "Merge keys"),
        (STUDY + "report: [\n", 20, "", "no valid YAML"),
        (STUDY + "\tx: 1\n", 19, "", "spaces, not tabs"),
        (STUDY + "claims: *nothing\n", 19, "", "begins with *"),
        (STUDY + "claims: a: b\n", 19, "", "holds ': ' in quotes"),
        (STUDY + "---\na: 1\n", 19, "", "another document"),
        ("", 1, "", "empty"),
        ("# nothing\n", 1, "", "empty"),
        ("- a\n", 1, "", "key: value"),
        ("text", 1, "", "key: value"),
    ],
)
def test_a_problem_names_line_path_and_remedy(text: str, line: int, path: str, says: str) -> None:
    found = problems(text)
    told = [p for p in found if says in p.message]
    assert told, [str(p) for p in found]
    assert (told[0].line, told[0].path, told[0].file) == (line, path, "study.yaml")
    assert told[0].column is not None
    assert told[0].message.endswith(".")
    assert "\n" not in told[0].message


def test_all_problems_are_told_at_once_in_the_order_of_lines() -> None:
    text = replaced("titl", "titel: x, titl").replace("grace", "x").replace("endpoint: pfs", "endpoint: os")
    text = text.replace("age >= 18", "age >>= 18") + "study: {}\nquality: {V4: stop}\n"
    found = problems(text)
    assert [p.path for p in found] == [
        "study.titel",
        "eligibility[0].where",
        "analyses.pfs_her2.endpoint",
        "study",
        "quality.V4",
    ]
    assert str(found[0]) == "study.yaml:3:20: study.titel: There is no key 'titel' here (did you mean 'title'?)."


@pytest.mark.parametrize(
    "text",
    [
        "a: &a [*a]\n",
        "a: &a {b: *a}\n",
        "a: &a [x, x, x, x, x, x, x, x, x, x]\n"
        + "".join(f"{n}: &{n} [{', '.join([f'*{m}'] * 10)}]\n" for m, n in zip("abcdefg", "bcdefgh", strict=True)),
        "a: " + "[" * 3000,
        "a: " + "[" * 100 + "]" * 100,
    ],
    ids=["itself in a list", "itself in a mapping", "ten to the eighth", "unclosed", "deep"],
)
def test_bombs_are_refused(text: str) -> None:
    assert len(problems(text)) == 1


def test_an_alias_is_read_as_what_it_names() -> None:
    text = replaced("[all, younger]", "&both [all, younger]") + (
        "  again: {kind: survival, endpoint: pfs, populations: *both}\n"
    )
    assert load(text, VOCABULARY).analyses["again"].populations == ["all", "younger"]


def test_a_yaml_1_1_directive_does_not_turn_no_into_false() -> None:
    protocol = load("%YAML 1.1\n---\n" + STUDY + "review: {a: NO, b: on}\n", VOCABULARY)
    assert protocol.review == {"a": "NO", "b": "on"}


def test_an_empty_vocabulary_has_nothing_to_choose() -> None:
    found = problems(STUDY, Vocabulary())
    assert "There is no kind to choose from here; leave it out." in [p.message for p in found]


@pytest.mark.parametrize("encoding", ["utf-16", "cp1254"])
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes("study: {title: Şişli}\n".encode(encoding))
    with pytest.raises(StudyFileError, match="save it as UTF-8"):
        read_text(path)


def test_reading_a_file(tmp_path: Path) -> None:
    path = tmp_path / "study.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + STUDY.encode())
    assert load(read_text(path), VOCABULARY).study.id == "small"
    assert load("\ufeff" + STUDY, VOCABULARY).study.id == "small"
    with pytest.raises(StudyFileError, match="no such file"):
        read_text(tmp_path / "absent.yaml")
    with pytest.raises(StudyFileError, match="cannot be read"):
        read_text(tmp_path)


def test_control_characters_are_refused() -> None:
    assert "no YAML text" in problems("a: \x00\n")[0].message


# --- conditions against the columns that a study will have ------------------------------------------------------

COLUMNS: dict[str, pl.DataType] = {"age": pl.Int32(), "group": pl.Enum(["young", "old"])}


def test_conditions_that_fit_the_columns() -> None:
    protocol = load(STUDY, VOCABULARY)
    assert check_conditions(protocol, COLUMNS) == []
    assert [path for path, _ in patient_conditions(protocol)] == [
        ("eligibility", 0, "where"),
        ("populations", "younger"),
        ("covariates", "group", "levels", "young"),
        ("covariates", "group", "levels", "old"),
    ]


def test_conditions_that_do_not_fit_are_told_with_their_lines() -> None:
    text = (
        replaced("where: age >= 18", "where: aeg >= 18").replace("'young'", "'yung'").replace("age < 50", "age < 'x'")
    )
    found = check_conditions(load(text, VOCABULARY, file="study.yaml"), COLUMNS)
    assert [(p.line, p.path) for p in found] == [
        (14, "eligibility[0].where"),
        (15, "populations.younger"),
        (12, "covariates.group.levels.young"),
    ]
    assert "did you mean 'age'" in found[0].message
    assert "did you mean 'young'" in found[1].message


def test_a_where_over_another_table_is_left_to_its_room() -> None:
    text = replaced("{rule: age_at_index}", "{rule: sample_value, where: tissue = 'primary'}")
    assert check_conditions(load(text, VOCABULARY), COLUMNS) == []
    text = replaced("{rule: classes, ", "{rule: classes, where: tissue = 'primary', ")
    assert [p.path for p in check_conditions(load(text, VOCABULARY), COLUMNS)] == ["covariates.group.where"]


# --- the study file that travels with the package ---------------------------------------------------------------


class _Anything(Spec):
    model_config = {**Spec.model_config, "extra": "allow"}


def _kinds(section: dict[str, Any], key: str) -> dict[str, type[Spec]]:
    return {entry[key]: _Anything for entry in section.values()}


def test_the_bundled_study_loads_with_a_permissive_vocabulary() -> None:
    text = read_text(BUNDLED)
    data = parse_document(text).data
    permissive = Vocabulary(
        analyses=_kinds(data["analyses"], "kind"),
        biomarkers=dict.fromkeys(data["biomarkers"], _Anything),
        covariates=_kinds(data["covariates"], "rule"),
        endpoints=_kinds(data["endpoints"], "kind"),
        checks=dict.fromkeys(data["quality"], ""),
    )
    protocol = load(text, permissive)
    assert len(protocol.centres) == 6
    assert [criterion.id for criterion in protocol.eligibility][:2] == ["treated", "hr_positive"]
    assert protocol.comparison is not None
    assert protocol.comparison.by in protocol.biomarkers


def test_an_added_day_is_refused_as_nothing_would_add_it() -> None:
    [found] = problems(replaced("study: {", "study: {plus_one: true, "))
    assert found.path == "study.plus_one"
    assert "plus_one: true is not available in this version" in found.message
    assert not load(replaced("study: {", "study: {plus_one: false, "), VOCABULARY).study.plus_one
