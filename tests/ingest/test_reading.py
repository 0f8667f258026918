"""A whole study: numbering of sources, provenance back to cells, the data folder's walls, progress, cancelling."""

from __future__ import annotations

import hashlib
import os
import threading

import polars as pl
import pytest
from tests.ingest.conftest import protocol_of, write_csv, write_xlsx

from riskset.errors import CancelledError, DataRefusedError, UsageError
from riskset.ingest import CHECKS, Cell, cell, cells_of, read_study
from riskset.ingest.problems import PROBLEMS
from riskset.protocol import load_mapping
from riskset.tables import CANONICAL, PROVENANCE, fit

ONE = """
mapping: 1
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: id}, sex: {column: sex}}}
"""
TWO = """
mapping: 1
blocks:
  - {file: b.xlsx, sheet: Q, table: drugs, fields: {patient: {column: id}, name: {column: drug}}}
  - {file: b.xlsx, sheet: P, table: patients, fields: {patient: {column: id}}}
  - {file: b.xlsx, sheet: Q, table: contacts, fields: {patient: {column: id}, cause: {column: cause}}}
"""


@pytest.fixture
def folder(tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex\n2;female\n1;male\n")
    write_xlsx(tmp_path / "b.xlsx", {"P": [["id"], ["x"]], "Q": [["id", "drug", "cause"], ["x", "Ibrance", "cancer"]]})
    return tmp_path


def study(folder, texts, **arguments):
    mappings = {centre: load_mapping(text) for centre, text in texts.items()}
    return read_study(protocol_of(mappings), mappings, folder, **arguments)


def test_sources_are_numbered_by_study_and_mapping(folder):
    tables = study(folder, {"izmir": TWO, "ankara": ONE})
    assert tables["sources"].select("source", "centre", "file", "sheet", "rows").rows() == [
        (1, "izmir", "b.xlsx", "Q", 1),
        (2, "izmir", "b.xlsx", "P", 1),
        (3, "ankara", "a.csv", None, 2),
    ]
    assert tables["sources"]["sha256"][2] == hashlib.sha256((folder / "a.csv").read_bytes()).hexdigest()
    assert tables["patients"].select("centre", "patient").rows() == [("ankara", "1"), ("ankara", "2"), ("izmir", "x")]


def test_every_table_fits_its_schema_and_two_runs_are_equal(folder):
    first, second = (study(folder, {"izmir": TWO, "ankara": ONE}) for _ in range(2))
    assert set(first) == {*CANONICAL, *PROVENANCE}
    for name, frame in first.items():
        assert fit(frame, {**CANONICAL, **PROVENANCE}[name]).equals(frame)
        assert frame.equals(second[name])


def test_a_value_is_followed_to_its_cell(folder):
    tables = study(folder, {"izmir": TWO, "ankara": ONE})
    drug = tables["drugs"].row(0, named=True)
    assert cells_of(tables, "drugs", drug["source"], drug["row"], "name") == [
        Cell("izmir", "b.xlsx", "Q", 2, "drug", "Ibrance")
    ]
    assert [found.column for found in cells_of(tables, "drugs", drug["source"], drug["row"])] == ["drug", "id"]
    assert cell(tables, 3, 2, "sex").text == "female"
    with pytest.raises(UsageError, match="no source 9"):
        cell(tables, 9, 1, "sex")
    with pytest.raises(UsageError, match="keeps no column 'age'"):
        cell(tables, 3, 2, "age")


def test_progress_comes_once_a_file(folder):
    seen = []
    study(folder, {"izmir": TWO, "ankara": ONE}, on_progress=seen.append)
    assert [(p.step, p.message, p.done, p.total) for p in seen] == [
        ("ingest", "Reading b.xlsx", 0, 2),
        ("ingest", "Reading a.csv", 1, 2),
    ]


def test_cancelling_before_a_file(folder):
    event = threading.Event()
    event.set()
    with pytest.raises(CancelledError):
        study(folder, {"ankara": ONE}, cancel=event)


def test_a_centre_without_mapping(folder):
    mappings = {"ankara": load_mapping(ONE)}
    with pytest.raises(UsageError, match="Centre 'ankara' has no mapping"):
        read_study(protocol_of(mappings), {}, folder)


def test_a_missing_file_with_the_nearest(folder):
    with pytest.raises(DataRefusedError, match=r"aa\.csv does not exist .*\(did you mean 'a\.csv'\?\).* with --data\."):
        study(folder, {"ankara": ONE.replace("a.csv", "aa.csv")})


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
@pytest.mark.parametrize("target", ["file", "folder"])
def test_a_link_does_not_lead_out_of_the_data_folder(tmp_path, target):
    outside, inside = tmp_path / "outside", tmp_path / "inside"
    inside.mkdir()
    write_csv(outside / "a.csv", "id;sex\n1;female\n")
    if target == "file":
        (inside / "a.csv").symlink_to(outside / "a.csv")
        text = ONE
    else:
        (inside / "link").symlink_to(outside)
        text = ONE.replace("a.csv", "link/a.csv")
    with pytest.raises(DataRefusedError, match="leads out of the data folder"):
        study(inside, {"ankara": text})


def test_no_message_holds_a_value(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex;d;n\nSECRET1;SECRET2;SECRET3;SECRET4\n;SECRET5;;\nSECRET1;;;\n")
    tables = ingest("""
mapping: 1
defaults: {dates: dmy}
blocks:
  - file: a.csv
    table: patients
    fields: {patient: {column: id}, sex: {column: sex}, birth: {column: d}, n: {column: n, type: number}}
""")
    assert tables["queries"].height == 5
    assert not tables["queries"]["message"].str.contains("SECRET").any()


def test_every_problem_belongs_to_a_listed_check():
    assert {problem.check for problem in PROBLEMS.values()} <= set(CHECKS)


def test_assumed_encoding_is_told_once(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex\n1;female\nş;male\n", "cp1254")
    tables = ingest(ONE + "  - {file: a.csv, table: drugs, fields: {patient: {column: id}, name: {column: sex}}}\n")
    assert tables["queries"].select("check", "severity", "source").rows() == [("encoding_assumed", "info", 1)]


@pytest.mark.slow
def test_many_rows_stay_fast(ingest, tmp_path):
    n = 100_000
    text = "id;sex;d;ki67\n" + "".join(
        f"p{i};{'KE'[i % 2]};{i % 28 + 1}.{i % 12 + 1}.2020;{i / 7:.4f}\n" for i in range(n)
    )
    write_csv(tmp_path / "a.csv", text)
    tables = ingest("""
mapping: 1
defaults: {dates: dmy, decimal: "."}
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: id}, sex: {column: sex, codes: {K: female, E: male}},
     birth: {column: d}}}
  - {file: a.csv, table: samples, fields: {patient: {column: id}, ki67: {column: ki67}}}
""")
    assert tables["patients"].height == n
    assert tables["patients"].null_count().select("sex", "birth").row(0) == (0, 0)
    joined = tables["samples"].with_columns(i=pl.col("patient").str.slice(1).cast(pl.Int64))
    assert joined.filter((pl.col("ki67") - pl.col("i") / 7).abs() > 1e-4).is_empty()


def test_the_rome_workbook(shared_data):
    """Real patients: one row each, no id of their own."""
    mapping = """
mapping: 1
blocks:
  - file: cdk46-rome/validation_dataset.xlsx
    table: patients
    fields:
      patient: {row_number: true}
      menopause: {column: Menopausal, type: text, codes: {"0": pre, "1": post}}
  - file: cdk46-rome/validation_dataset.xlsx
    table: supplied
    fields:
      patient: {row_number: true}
      pfs: {column: PFS, unit: months}
      pfs_event: {column: PD}
      her2: {column: HER2, codes: {"0": zero, "1": low}}
  - file: cdk46-rome/validation_dataset.xlsx
    table: samples
    fields: {patient: {row_number: true}, er: {column: ER}, pr: {column: PgR}, ki67: {column: Ki67}}
  - file: cdk46-rome/validation_dataset.xlsx
    table: organs
    fields: {patient: {row_number: true}}
    repeat:
      - {organ: bone, present: {column: M_Bone, codes: {"1": true, "0": false}}}
      - {organ: liver, present: {column: M_Liver, codes: {"1": true, "0": false}}}
"""
    tables = study(shared_data, {"rome": mapping})
    assert tables["patients"].height == 138
    assert tables["patients"]["patient"].n_unique() == 138
    assert tables["patients"]["menopause"].null_count() == 1
    supplied = tables["supplied"]
    assert supplied.filter(name="pfs").height == 138
    assert supplied.filter(name="pfs_event")["number"].sum() == 78
    assert supplied.filter(name="her2")["value"].unique().sort().to_list() == ["low", "zero"]
    assert tables["samples"]["ki67"].drop_nulls().len() == 138 - 9
    assert tables["samples"]["pr"].drop_nulls().len() == 138 - 8
    assert tables["organs"].height == 2 * 138
    assert tables["queries"].is_empty()
