"""Bad input, as a user makes it: one sentence with place and remedy, the right exit code, no patient's value."""

from __future__ import annotations

import json
from pathlib import Path

import openpyxl
import polars as pl
import pytest

from small_studies import MAPPING, STUDY, Riskset, Said, SmallStudy, csv_text, patients, replaced

# A value that stands in a patient's cell, so that a message which holds it gives itself away.
SECRET = "Zebra4711"


def refused(said: Said, small: SmallStudy, code: int, *words: str) -> None:
    """Hold a refusal against what a user needs: exit code, one sentence with these words, no value."""
    assert said.code == code
    for word in words:
        assert word in said.sentence
    assert SECRET not in said.err + said.out
    if code == 3:
        manifest = small.manifest()
        assert manifest["status"] == "refused"
        assert manifest["reason"] == said.sentence
        assert manifest["inputs"]["study"]["study.yaml"]
        assert not (small.out / "results.json").exists()
        assert not (small.out / "report.html").exists()


# ── the study file and its mappings: exit 2, nothing written ──────────────────


def test_missing_study_file(riskset: Riskset, tmp_path: Path) -> None:
    said = riskset("run", tmp_path / "absent.yaml")
    assert (said.code, said.sentence) == (2, f"There is no study file at '{tmp_path / 'absent.yaml'}'; check the path.")


def test_study_file_that_is_a_folder(riskset: Riskset, tmp_path: Path) -> None:
    said = riskset("check", tmp_path)
    assert said.code == 2
    assert "is a folder" in said.sentence


def test_study_file_that_is_no_text(riskset: Riskset, tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_bytes(b"\xff\xfe\x00\xd8")
    said = riskset("run", tmp_path / "study.yaml")
    assert said.code == 2
    assert "UTF-8" in said.sentence


def test_missing_data_folder(riskset: Riskset, small: SmallStudy) -> None:
    said = riskset("run", small.path, "--data", small.folder / "absent")
    assert said.code == 2
    assert "check --data" in said.sentence


def test_unknown_key_is_placed_and_suggested(riskset: Riskset, small: SmallStudy) -> None:
    small.study = replaced(STUDY, "endpoints:\n", "endpoint:\n")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 2
    line = STUDY.splitlines().index("endpoints:") + 1
    [named] = [text for text in said.err.splitlines() if text.startswith(f"study.yaml:{line}:1: ")]
    assert "did you mean 'endpoints'" in named
    assert not small.out.exists()


def test_all_problems_are_told_at_once_one_a_line(riskset: Riskset, small: SmallStudy) -> None:
    small.study = replaced(replaced(STUDY, "reference: zero", "refrence: zero"), "scheme: zero_low", "scheme: zero_lo")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 2
    places = [line.split(": ")[0] for line in said.err.strip().splitlines()]
    assert len(places) >= 2
    assert all(place.startswith("study.yaml:") for place in places)


def test_missing_mapping_is_placed_in_the_study_file(riskset: Riskset, small: SmallStudy) -> None:
    (small.folder / "rome.yaml").unlink()
    said = riskset("run", small.path)
    assert said.code == 2
    assert said.sentence.startswith("study.yaml:4:")
    assert "There is no mapping of centre 'rome'" in said.sentence


def test_missing_mapping_and_missing_claims_are_told_together(riskset: Riskset, small: SmallStudy) -> None:
    small.study += "claims: absent.yaml\n"
    small.write()
    (small.folder / "rome.yaml").unlink()
    said = riskset("run", small.path)
    assert said.code == 2
    assert "centres.rome.mapping" in said.err
    assert "claims: There is no claims file" in said.err


def test_unknown_key_in_a_mapping(riskset: Riskset, small: SmallStudy) -> None:
    small.mapping = replaced(MAPPING, "    table: patients", "    tabel: patients")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 2
    assert "rome.yaml:4:5" in said.err
    assert "did you mean 'table'" in said.err


def test_a_condition_naming_an_unknown_column(riskset: Riskset, small: SmallStudy) -> None:
    small.study = replaced(STUDY, "where: age >= 18", "where: aeg >= 18")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 2
    assert said.sentence.startswith("study.yaml:")
    assert "did you mean 'age'" in said.sentence


def test_a_covariate_over_an_unknown_column_is_placed(riskset: Riskset, small: SmallStudy) -> None:
    small.study = replaced(STUDY, "column: menopause,", "column: menopaus,")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 2
    line = next(k for k, text in enumerate(STUDY.splitlines(), 1) if "rule: column" in text)
    assert said.sentence.startswith(f"study.yaml:{line}:3: covariates.menopause")


@pytest.mark.parametrize(
    "condition",
    [
        "count(age) > 1",
        "sum(age) > 10",
        "row_number() OVER () = 1",
        "age > (SELECT 1)",
        "read_csv('/etc/passwd') IS NOT NULL",
        "age IN (SELECT age FROM read_text('/etc/passwd'))",
        "sqrt(age) > 1",
        "getenv('HOME') = 'x'",
        "age >= 18; DROP TABLE patients",
    ],
)
def test_a_condition_computes_from_its_row_alone(riskset: Riskset, small: SmallStudy, condition: str) -> None:
    small.study = replaced(STUDY, "where: age >= 18", f"where: {json.dumps(condition)}")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 2
    assert said.sentence.startswith("study.yaml:")
    assert "eligibility[0].where" in said.sentence
    assert not small.out.exists()


@pytest.mark.parametrize("path", ["../rome.csv", "/etc/passwd", "a/../../rome.csv", "~/rome.csv", "C:/rome.csv"])
def test_a_mapping_path_cannot_leave_the_data_folder(riskset: Riskset, small: SmallStudy, path: str) -> None:
    (small.folder.parent / "rome.csv").write_text(csv_text(small.rows), encoding="utf-8")
    small.mapping = MAPPING.replace("file: rome.csv", f"file: {json.dumps(path)}")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 2
    assert "rome.yaml:3:" in said.err
    assert not small.out.exists()


def test_nor_can_a_symbolic_link(riskset: Riskset, small: SmallStudy) -> None:
    outside = small.folder.parent / "outside.csv"
    outside.write_text(csv_text(small.rows), encoding="utf-8")
    (small.folder / "rome.csv").unlink()
    (small.folder / "rome.csv").symlink_to(outside)
    refused(riskset("run", small.path), small, 3, "leads out of the data folder")


# ── the data's structure: exit 3, a folder that says why ──────────────────────


def test_missing_data_file(riskset: Riskset, small: SmallStudy) -> None:
    (small.folder / "rome.csv").rename(small.folder / "rom.csv")
    refused(riskset("run", small.path), small, 3, "rome.csv does not exist", "did you mean 'rom.csv'")


def test_a_column_that_the_sheet_lacks(riskset: Riskset, small: SmallStudy) -> None:
    small.mapping = replaced(MAPPING, "column: Menopause,", "column: Menopausal,")
    small.write()
    refused(riskset("run", small.path), small, 3, "rome.csv", "'Menopausal'", "did you mean 'Menopause'")


def test_a_workbook_that_is_no_workbook(riskset: Riskset, small: SmallStudy) -> None:
    small.mapping = MAPPING.replace("file: rome.csv", "file: rome.xlsx")
    small.write()
    (small.folder / "rome.xlsx").write_text(f"ID,Age\n{SECRET},3\n", encoding="utf-8")
    refused(riskset("run", small.path), small, 3, "rome.xlsx is no .xlsx file")


def test_a_damaged_workbook(riskset: Riskset, small: SmallStudy) -> None:
    small.mapping = MAPPING.replace("file: rome.csv", "file: rome.xlsx")
    small.write()
    (small.folder / "rome.xlsx").write_bytes(b"PK\x03\x04" + SECRET.encode() * 20)
    refused(riskset("run", small.path), small, 3, "rome.xlsx")


def test_an_empty_file(riskset: Riskset, small: SmallStudy) -> None:
    (small.folder / "rome.csv").write_bytes(b"")
    refused(riskset("run", small.path), small, 3, "rome.csv is empty")


def test_an_empty_sheet(riskset: Riskset, small: SmallStudy) -> None:
    book = openpyxl.Workbook()
    book.save(small.folder / "rome.xlsx")
    small.mapping = MAPPING.replace("file: rome.csv", "file: rome.xlsx")
    small.write()
    refused(riskset("run", small.path), small, 3, "rome.xlsx", "no column names")


def test_a_header_without_rows(riskset: Riskset, small: SmallStudy) -> None:
    small.rows = []
    small.write()
    refused(riskset("run", small.path), small, 3, "rome.csv has no row of data")


def test_unmapped_columns_are_listed_or_refused(riskset: Riskset, small: SmallStudy) -> None:
    rows = [{**row, "Telephone": SECRET} for row in small.rows]
    text = csv_text(rows, [*rows[0]])
    (small.folder / "rome.csv").write_text(text, encoding="utf-8")
    assert riskset("run", small.path).code == 0
    sources = pl.read_parquet(small.out / "private" / "sources.parquet")
    assert sources["unmapped"].to_list() == ["Telephone"]
    assert "Telephone" in (small.out / "results.json").read_text(encoding="utf-8")
    small.mapping = replaced(MAPPING, "mapping: 1\n", "mapping: 1\nunmapped_columns: refuse\n")
    small.write()
    (small.folder / "rome.csv").write_text(text, encoding="utf-8")
    refused(riskset("run", small.path), small, 3, "'Telephone'", "ignore")


# ── cells: null and a query; the policy may stop ──────────────────────────────


def queries(small: SmallStudy) -> pl.DataFrame:
    return pl.read_parquet(small.out / "private" / "cleaning_log.parquet")


def test_an_unmapped_code_becomes_null_and_a_query(riskset: Riskset, small: SmallStudy) -> None:
    small.rows[3]["Menopause"] = SECRET
    small.write()
    said = riskset("run", small.path)
    assert said.code == 0
    assert SECRET not in said.out + said.err
    [asked] = queries(small).filter(pl.col("check") == "unmapped_code").to_dicts()
    assert (asked["patient"], asked["row"], asked["value"], asked["action"]) == ("RM-004", 5, SECRET, "set_missing")
    assert SECRET not in asked["message"]
    patient = pl.read_parquet(small.out / "private" / "patients.parquet").filter(pl.col("patient") == "RM-004")
    assert patient["menopause"].to_list() == [None]
    listed = openpyxl.load_workbook(small.out / "private" / "queries" / "rome.xlsx").active
    assert any(SECRET in [cell.value for cell in row] for row in listed.iter_rows())


def test_two_date_orders_in_a_column_are_asked_about(riskset: Riskset, small: SmallStudy) -> None:
    small.rows[0]["Born"], small.rows[1]["Born"] = "25.03.1960", "03.25.1961"
    small.write()
    assert riskset("run", small.path).code == 0
    asked = queries(small).filter(pl.col("check") == "V03")
    assert asked.height
    assert set(asked["field"]) == {"birth"}
    assert set(asked["action"]) == {"set_missing"}


def test_a_policy_that_stops_leaves_the_queries(riskset: Riskset, small: SmallStudy) -> None:
    small.rows[3]["Menopause"] = SECRET
    small.study = STUDY + "quality: {unmapped_code: stop}\n"
    small.write()
    refused(riskset("run", small.path), small, 3, "unmapped_code", "private/queries")
    listed = openpyxl.load_workbook(small.out / "private" / "queries" / "rome.xlsx").active
    assert any(SECRET in [cell.value for cell in row] for row in listed.iter_rows())
    assert SECRET not in (small.out / "manifest.json").read_text(encoding="utf-8")


def test_check_shows_the_queries_of_a_refused_study_and_writes_nothing(riskset: Riskset, small: SmallStudy) -> None:
    small.rows[3]["Menopause"] = SECRET
    small.study = STUDY + "quality: {unmapped_code: stop}\n"
    small.write()
    said = riskset("check", small.path)
    assert said.code == 3
    assert "unmapped_code" in said.out
    assert SECRET not in said.out + said.err
    assert not small.out.exists()


# ── degenerate groups: rows with a status, exit 4 only without the primary estimate ──


def rows_of(small: SmallStudy, analysis: str, statistic: str) -> list[dict[str, object]]:
    rows = json.loads((small.out / "results.json").read_text(encoding="utf-8"))
    return [r for r in rows if r["analysis"] == analysis and r["statistic"] == statistic]


def test_a_group_without_a_patient(riskset: Riskset, small: SmallStudy) -> None:
    for row in small.rows:
        row["HER2"] = "0"
    small.write()
    said = riskset("run", small.path)
    assert said.code == 4
    assert "'pfs_her2' gave no estimate" in said.sentence
    assert small.manifest()["status"] == "complete"
    assert (small.out / "report.html").is_file()
    tests = [r for r in rows_of(small, "pfs_her2", "p_value") if r.get("method") == "logrank"]
    assert tests
    assert all(row["status"] == "not_estimable" and row["warning"] for row in tests)


def test_a_group_without_an_event(riskset: Riskset, small: SmallStudy) -> None:
    for row in small.rows:
        row["PD"] = "0" if row["HER2"] == "1" else row["PD"]
    small.write()
    said = riskset("run", small.path)
    assert said.code == 4
    main = [r for r in rows_of(small, "pfs_her2", "hazard_ratio") if "population" not in r]
    assert [row["status"] for row in main] == ["not_estimable"]
    assert "her2" in str(main[0]["warning"])
    medians = [r for r in rows_of(small, "pfs_her2", "median") if r.get("group_level") == "low"]
    assert {row["status"] for row in medians} == {"not_reached"}


def test_no_event_at_all(riskset: Riskset, small: SmallStudy) -> None:
    for row in small.rows:
        row["PD"] = "0"
    small.write()
    assert riskset("run", small.path).code == 4
    assert small.manifest()["status"] == "complete"


def test_nobody_is_eligible(riskset: Riskset, small: SmallStudy) -> None:
    small.study = replaced(STUDY, "age >= 18", "age >= 180")
    small.write()
    said = riskset("run", small.path)
    assert said.code == 4
    assert small.manifest()["status"] == "complete"


def test_a_covariate_that_separates_is_a_warning_beside_the_primary_estimate(
    riskset: Riskset, small: SmallStudy
) -> None:
    for row in small.rows:
        row["PD"] = "0" if row["Visceral"] == "1" else row["PD"]
    small.study = replaced(STUDY, "pfs_cox: {kind: cox,", "pfs_cox: {kind: cox, plan: primary,")
    small.write()
    assert riskset("run", small.path).code == 0
    found = [r for r in rows_of(small, "pfs_cox", "hazard_ratio") if r["variable"] == "visceral"]
    assert found
    assert all(row["status"] == "not_estimable" and "visceral" in str(row["warning"]) for row in found)


# ── people mail folders ───────────────────────────────────────────────────────


def test_nothing_outside_private_holds_a_patient(riskset: Riskset, small: SmallStudy) -> None:
    assert riskset("run", small.path).code == 0
    public = [p for p in small.out.rglob("*") if p.is_file() and "private" not in p.relative_to(small.out).parts]
    assert len(public) >= 7
    for path in public:
        content = path.read_bytes()
        for row in patients():
            assert row["ID"].encode() not in content, path.name
            assert row["Born"].encode() not in content, path.name
