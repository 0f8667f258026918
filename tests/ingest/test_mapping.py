"""Specs of the mapping contract: a small file, a mapping, the expected rows."""

from __future__ import annotations

from datetime import date, datetime

import polars as pl
import pyreadstat
import pytest
from tests.ingest.conftest import write_csv, write_xlsx

from riskset.errors import DataRefusedError


def rows(tables, table, *columns):
    return tables[table].select(columns).rows()


def queries(tables, *columns):
    return tables["queries"].select(columns).rows()


def test_patients_with_codes_dates_and_a_further_column(ingest, tmp_path):
    write_xlsx(
        tmp_path / "raw/a.xlsx",
        {
            "Hastalar": [
                ["Klinik listesi"],
                ["Hasta No", "Doğum", "Cinsiyet", "Menopoz", "ECOG", "Ad Soyad", "Not"],
                ["b-2", datetime(1960, 5, 3), "KADIN", 1, 0, "gizli", None],
                ["b-1", "4.5.1961", "Erkek", 2, "1", "gizli", None],
            ]
        },
    )
    tables = ingest("""
mapping: 1
defaults: {dates: dmy}
ignore: [Ad Soyad]
blocks:
  - file: raw/a.xlsx
    header_row: 2
    table: patients
    fields:
      patient: {column: Hasta No}
      birth: {column: Doğum}
      sex: {column: Cinsiyet, codes: {kadın: female, erkek: male}}
      menopause: {column: Menopoz, type: text, codes: {"1": pre, "2": post}}
      ecog: {column: ECOG, type: integer}
""")
    assert rows(tables, "patients", "centre", "patient", "birth", "sex", "menopause", "ecog", "source", "row") == [
        ("ankara", "b-1", date(1961, 5, 4), "male", "post", 1, 1, 4),
        ("ankara", "b-2", date(1960, 5, 3), "female", "pre", 0, 1, 3),
    ]
    assert tables["patients"].schema["ecog"] == pl.Int32
    assert tables["queries"].is_empty()
    (source,) = tables["sources"].rows(named=True)
    assert (source["source"], source["file"], source["sheet"], source["rows"]) == (1, "raw/a.xlsx", "Hastalar", 2)
    assert source["unmapped"] == "Not"
    assert "gizli" not in tables["sheets"]["text"].to_list(), "an ignored column is not kept"


def test_unnamed_columns_are_listed_or_refused(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex;x;y\n1;female;1;2\n")
    mapping = """
mapping: 1
unmapped_columns: {policy}
blocks:
  - {{file: a.csv, table: patients, fields: {{patient: {{column: id}}, sex: {{column: sex}}}}}}
"""
    tables = ingest(mapping.format(policy="list"))
    assert tables["sources"]["unmapped"].to_list() == ["x\ty"]
    with pytest.raises(DataRefusedError, match=r"a\.csv has columns .*\('x', 'y'\)"):
        ingest(mapping.format(policy="refuse"))


def test_an_absent_column_is_refused_with_the_nearest(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;Cinsiyet\n1;K\n")
    with pytest.raises(DataRefusedError, match=r"a\.csv has no column 'Cinsyet' \(did you mean 'Cinsiyet'\?\)"):
        ingest("""
mapping: 1
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: id}, sex: {column: Cinsyet}}}
""")


def test_absent_columns_of_all_blocks_and_centres_are_told_together(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;gender;start\n1;female;2020-05-03\n")
    write_csv(tmp_path / "b.csv", "id;sex;phone\n1;female;0\n")
    with pytest.raises(DataRefusedError) as refused:
        ingest(
            {
                "ankara": """
mapping: 1
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: idd}, sex: {column: gendre}}}
  - {file: a.csv, table: drugs, fields: {patient: {column: idd}, start: {column: started}},
     constants: {name: ribociclib}}
""",
                "rome": """
mapping: 1
unmapped_columns: refuse
blocks: [{file: b.csv, table: patients, fields: {patient: {column: id}, sex: {column: sexx}}}]
""",
            }
        )
    assert str(refused.value).splitlines() == [
        "a.csv has no column 'gendre' (did you mean 'gender'?); correct the mapping.",
        "a.csv has no column 'idd' (did you mean 'id'?); correct the mapping.",
        "a.csv has no column 'started' (did you mean 'start'?); correct the mapping.",
        "b.csv has no column 'sexx' (did you mean 'sex'?); correct the mapping.",
        (
            "b.csv has columns that the mapping neither uses nor ignores ('sex', 'phone'); map them, or list them "
            "under `ignore`."
        ),
    ]


def test_texts_that_the_codes_lack(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex;tissue\n1;K;primer\n2;E;metastaz\n3;x;\n4;bilinmiyor;NA\n")
    tables = ingest("""
mapping: 1
defaults: {missing: [Bilinmiyor]}
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: id}, sex: {column: sex, codes: {k: female, e: male}}}}
  - {file: a.csv, table: samples, fields: {patient: {column: id}, ihc: {column: sex}, tissue: {column: tissue}}}
""")
    assert tables["patients"]["sex"].to_list() == ["female", "male", None, None]
    assert queries(tables, "patient", "check", "severity", "action", "table", "field", "source", "row", "value") == [
        ("1", "unmapped_code", "error", "set_missing", "samples", "tissue", 1, 2, "primer"),
        ("2", "unmapped_code", "error", "set_missing", "samples", "tissue", 1, 3, "metastaz"),
        ("3", "unmapped_code", "error", "set_missing", "patients", "sex", 1, 4, "x"),
    ]
    assert all("Column 'sex'" in m for m in tables["queries"].filter(field="sex")["message"])
    assert tables["samples"]["ihc"].to_list() == ["K", "E", "x", "bilinmiyor"], "IHC stays as it was written"


def test_codes_win_over_words_for_missing(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;x;y\n1;yok;-\n2;var;+\n")
    tables = ingest("""
mapping: 1
defaults: {missing: [yok]}
blocks:
  - file: a.csv
    table: patients
    fields:
      patient: {column: id}
      a: {column: x, type: boolean, codes: {yok: false, var: true}}
      b: {column: x, type: text}
      c: {column: y, type: text, codes: {"-": negative, "+": positive}}
      d: {column: y, type: text}
""")
    assert rows(tables, "patients", "a", "b", "c", "d") == [
        (False, None, "negative", None),
        (True, "var", "positive", "+"),
    ]


def test_booleans_without_and_with_codes(ingest, tmp_path):
    write_xlsx(tmp_path / "a.xlsx", {"S": [["id", "x"], [1, True], [2, 0], [3, "FALSE"], [4, "evet"]]})
    tables = ingest("""
mapping: 1
blocks:
  - file: a.xlsx
    table: patients
    fields:
      patient: {column: id}
      a: {column: x, type: boolean}
      b: {column: x, type: boolean, codes: {evet: true, "0": false}}
""")
    assert rows(tables, "patients", "a", "b") == [(True, None), (False, False), (False, None), (None, True)]
    assert queries(tables, "patient", "field") == [("1", "b"), ("3", "b"), ("4", "a")]


def test_numbers_units_and_what_cannot_be_read(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;ki67;sum\n1;%12,5;0,7\n2;20-30;12\n3;yirmi;<1\n4;1.234,5;\n5;-9;~3\n")
    tables = ingest("""
mapping: 1
defaults: {decimal: ",", missing: [-9]}
blocks:
  - {file: a.csv, table: samples, fields: {patient: {column: id}, ki67: {column: ki67}}}
  - {file: a.csv, table: assessments, fields: {patient: {column: id}, target_sum: {column: sum, unit: cm}}}
""")
    assert tables["samples"]["ki67"].to_list() == [12.5, 25.0, 1234.5], "rows without any value are left out"
    assert rows(tables, "assessments", "patient", "target_sum") == [("1", 7.0), ("2", 120.0), ("3", 5.0), ("5", 30.0)]
    assert queries(tables, "patient", "check", "action", "field", "value") == [
        ("2", "V44", "reported", "ki67", "20-30"),
        ("3", "V44", "reported", "target_sum", "<1"),
        ("3", "V44", "set_missing", "ki67", "yirmi"),
        ("5", "V44", "reported", "target_sum", "~3"),
    ]


def test_an_unknown_unit_is_refused(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;x\n1;2\n")
    with pytest.raises(DataRefusedError, match=r"assessments\.target_sum the unit 'inch'.*one of mm, cm, m"):
        ingest("""
mapping: 1
blocks:
  - {file: a.csv, table: assessments, fields: {patient: {column: id}, target_sum: {column: x, unit: inch}}}
""")


DATES = """
mapping: 1
defaults: {{{defaults}}}
blocks:
  - {{file: a.csv, table: patients, fields: {{patient: {{column: id}}, metastatic: {{column: x}}}}}}
"""


def test_a_declared_order_wins_over_a_few_cells_against_it(ingest, tmp_path):
    write_csv(
        tmp_path / "a.csv",
        "id;x\n1;25.03.2020\n2;03/25/2020\n3;03.04.2020\n4;2020-06-01\n5;1 Mayıs 2020\n6;26.03.2020\n",
    )
    tables = ingest(DATES.format(defaults="dates: dmy"))
    assert tables["patients"]["metastatic"].to_list() == [
        date(2020, 3, 25), None, date(2020, 4, 3), date(2020, 6, 1), date(2020, 5, 1), date(2020, 3, 26),
    ]  # fmt: skip
    assert queries(tables, "patient", "check", "severity", "action", "row", "value") == [
        (None, "V03", "warning", "reported", None, None),
        ("2", "V03", "error", "set_missing", 3, "03/25/2020"),
    ]
    message = tables["queries"]["message"][0]
    assert "two date orders in a column" in message
    assert "1 date that fits both orders was read by the declared order" in message
    stopped = ingest(DATES.format(defaults="dates: dmy"), V03="stop")
    assert set(stopped["queries"]["action"]) == {"stopped"}


def test_a_declared_order_that_as_many_cells_contradict_is_doubted(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;x\n1;25.03.2020\n2;03/25/2020\n3;03.04.2020\n4;2020-06-01\n5;03.04.2020\n")
    tables = ingest(DATES.format(defaults="dates: dmy"))
    assert tables["patients"]["metastatic"].to_list() == [date(2020, 3, 25), None, None, date(2020, 6, 1), None]
    assert queries(tables, "patient", "check", "action", "value") == [
        (None, "V03", "set_missing", None),
        ("2", "V03", "set_missing", "03/25/2020"),
        ("3", "V03", "set_missing", "03.04.2020"),
        ("5", "V03", "set_missing", "03.04.2020"),
    ]
    assert "2 dates that fit both orders were set missing" in tables["queries"]["message"][0]


def test_without_a_declared_order_every_date_of_two_orders_is_asked_about(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;x\n1;25.03.2020\n2;03/25/2020\n3;03.04.2020\n4;26.03.2020\n5;05.05.2020\n")
    tables = ingest(DATES.format(defaults=""))
    assert tables["patients"]["metastatic"].to_list() == [None, None, None, None, date(2020, 5, 5)]
    asked = queries(tables, "patient", "check", "action")
    assert asked == [(patient, "V03", "set_missing") for patient in (None, "1", "2", "3", "4")]


def test_a_policy_that_stops(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;x\n1;31.02.2020\n")
    tables = ingest(DATES.format(defaults="dates: dmy"), V03="stop")
    assert queries(tables, "check", "action", "value") == [("V03", "stopped", "31.02.2020")]


def test_an_open_date_order_is_refused_and_a_shown_one_is_used(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;x\n1;03.04.2020\n2;05.06.2020\n")
    with pytest.raises(DataRefusedError, match=r"a\.csv, column 'x', .* state `dates: dmy`"):
        ingest(DATES.format(defaults=""))
    write_csv(tmp_path / "a.csv", "id;x\n1;03.04.2020\n2;25.06.2020\n3;31.02.2020\n")
    tables = ingest(DATES.format(defaults=""))
    assert tables["patients"]["metastatic"].to_list() == [date(2020, 4, 3), date(2020, 6, 25), None]


def test_partial_dates_are_asked_about(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;x\n1;05.2020\n2;2020\n")
    tables = ingest("""
mapping: 1
blocks:
  - {file: a.csv, table: drugs, fields: {patient: {column: id}, start: {column: x}}, constants: {name: ribociclib}}
  - {file: a.csv, table: contacts, fields: {patient: {column: id}, date: {column: x}}, constants: {status: alive}}
""")
    assert rows(tables, "drugs", "patient", "name", "start") == [
        ("1", "ribociclib", date(2020, 5, 15)),
        ("2", "ribociclib", None),
    ]
    assert tables["contacts"]["date"].to_list() == [None, None], "a shifted contact would move an endpoint"
    assert queries(tables, "patient", "check", "severity", "action", "table") == [
        ("1", "partial_date", "warning", "set_missing", "contacts"),
        ("1", "partial_date", "info", "reported", "drugs"),
        ("2", "V03", "warning", "set_missing", "contacts"),
        ("2", "V03", "warning", "set_missing", "drugs"),
    ]


def test_repeat_makes_rows_and_drops_empty_ones(ingest, tmp_path):
    write_csv(
        tmp_path / "a.csv",
        "id;drug1;start1;drug2;start2;intent\n1;ribociclib;2020-01-01;letrozole;;m\n2;;;fulvestrant;2020-02-01;m\n",
    )
    tables = ingest("""
mapping: 1
blocks:
  - file: a.csv
    table: drugs
    fields: {patient: {column: id}, intent: {column: intent, codes: {m: metastatic}}}
    repeat:
      - {name: {column: drug1}, start: {column: start1}, line: 1}
      - {name: {column: drug2}, start: {column: start2}, line: 2}
""")
    assert rows(tables, "drugs", "patient", "name", "start", "line", "intent") == [
        ("1", "letrozole", None, 2, "metastatic"),
        ("1", "ribociclib", date(2020, 1, 1), 1, "metastatic"),
        ("2", "fulvestrant", date(2020, 2, 1), 2, "metastatic"),
    ]
    assert tables["fields"].filter(field="start")["column"].to_list() == ["start1", "start2"]


def test_split_makes_rows_of_one_cell(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", 'id;x\n1;"Kemik, KARACİĞER,kemik"\n2;\n3;kemik,\n4;dalak\n')
    tables = ingest("""
mapping: 1
blocks:
  - file: a.csv
    table: organs
    fields: {patient: {column: id}, organ: {column: x, split: ",", codes: {kemik: bone, karaciğer: liver}}}
    constants: {present: true}
""")
    assert rows(tables, "organs", "patient", "organ", "present") == [
        ("1", "bone", True),
        ("1", "liver", True),
        ("3", "bone", True),
    ]
    assert queries(tables, "patient", "check", "value") == [("4", "unmapped_code", "dalak")]


def test_a_complete_list_says_what_is_absent_where_it_could_be_read(ingest, tmp_path):
    write_csv(tmp_path / "p.csv", "id\n1\n2\n3\n4\n")
    write_csv(tmp_path / "o.csv", "id;organ\n1;kemik\n1;karaciğer\n2;dalak\n3;bilinmiyor\n")
    tables = ingest("""
mapping: 1
defaults: {missing: [bilinmiyor]}
blocks:
  - {file: p.csv, table: patients, fields: {patient: {column: id}}}
  - file: o.csv
    table: organs
    complete: true
    fields: {patient: {column: id}, organ: {column: organ, codes: {kemik: bone, karaciğer: liver}}}
    constants: {present: true}
""")
    organs = tables["organs"]
    one = organs.filter(patient="1")
    assert one.filter("present")["organ"].to_list() == ["bone", "liver"]
    assert one.filter(~pl.col("present")).height == 14
    assert organs.filter(patient="2").is_empty(), "an organ that cannot be read leaves the others open"
    assert organs.filter(patient="3").is_empty(), "so does a list that says unknown"
    four = organs.filter(patient="4")
    assert four["present"].to_list() == [False] * 16
    assert set(four.select("source", "row").rows()) == {(1, 5)}, "absence is told by the patient's own row"


def test_where_chooses_rows_by_their_text(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;Test;Sonuç\n1;HER2;2+\n1;ER;%90\n2;HER2 ;0\n;ER;x\n")
    tables = ingest("""
mapping: 1
blocks:
  - file: a.csv
    table: samples
    where: "\\"Test\\" = 'HER2'"
    fields: {patient: {column: id}, ihc: {column: Sonuç}}
""")
    assert rows(tables, "samples", "patient", "ihc", "row") == [("1", "2+", 2), ("2", "0", 4)]
    assert tables["queries"].is_empty(), "rows that the block does not take are not asked about"


def test_exact_texts_keep_everything_but_emptiness(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;her2;er;not\n1; +1 ;NA;' x '\n2;-;.;-\n3;;;\n")
    tables = ingest("""
mapping: 1
blocks:
  - file: a.csv
    table: samples
    fields: {patient: {column: id}, ihc: {column: her2}, er: {column: er}, note: {column: not, type: text}}
""")
    assert rows(tables, "samples", "patient", "ihc", "er", "note") == [
        ("1", " +1 ", "NA", "' x '"),
        ("2", "-", ".", None),
    ]


def test_supplied_values_become_rows(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;pfs;pd;her2;age;v;d\n1;13,1;1;0;54;var;03.05.2020\n2;;0;x;61;yok;\n")
    tables = ingest("""
mapping: 1
defaults: {decimal: ",", dates: dmy}
blocks:
  - file: a.csv
    table: supplied
    fields:
      patient: {column: id}
      pfs: {column: pfs, unit: months}
      pfs_event: {column: pd}
      her2: {column: her2, codes: {"0": zero, "1": low}}
      age: {column: age, type: integer}
      visceral: {column: v, codes: {var: true, yok: false}}
      index_date: {column: d, type: date}
""")
    assert rows(tables, "supplied", "patient", "name", "value", "number", "unit") == [
        ("1", "pfs", "13.1", 13.1, "months"),
        ("1", "pfs_event", "1", 1.0, None),
        ("1", "her2", "zero", None, None),
        ("1", "age", "54", 54.0, None),
        ("1", "visceral", "true", 1.0, None),
        ("1", "index_date", "2020-05-03", None, None),
        ("2", "pfs_event", "0", 0.0, None),
        ("2", "age", "61", 61.0, None),
        ("2", "visceral", "false", 0.0, None),
    ]
    assert queries(tables, "patient", "check", "table", "field", "value") == [
        ("2", "unmapped_code", "supplied", "her2", "x")
    ]
    assert tables["patients"].select("patient", "row").rows() == [("1", 2), ("2", 3)], "no list of patients is needed"


def test_rows_of_nobody_and_rows_twice(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex;drug;v\n1;female;a;x\n;;;z\n1;male;a;y\n2;female;b;x\nToplam 3;;;\n")
    write_csv(tmp_path / "b.csv", "id;date\n1;2020-01-01\n9;2020-01-02\n")
    tables = ingest("""
mapping: 1
blocks:
  - {file: a.csv, table: patients, where: "id IS NULL OR NOT id LIKE 'Toplam%'",
     fields: {patient: {column: id}, sex: {column: sex}}}
  - {file: a.csv, table: drugs, fields: {patient: {column: id}, name: {column: drug}}}
  - {file: a.csv, table: supplied, fields: {patient: {column: id}, v: {column: v}}}
  - {file: b.csv, table: contacts, fields: {patient: {column: id}, date: {column: date}}, constants: {status: alive}}
""")
    assert rows(tables, "patients", "patient", "sex", "row") == [("1", "female", 2), ("2", "female", 5)]
    assert rows(tables, "drugs", "patient", "name") == [("1", "a"), ("2", "b")], "the same fact twice counts once"
    assert rows(tables, "supplied", "patient", "value") == [("1", "x"), ("2", "x")]
    assert queries(tables, "patient", "check", "action", "table", "source", "row") == [
        (None, "V01", "excluded", "patients", 1, 3),
        ("1", "V01", "excluded", "patients", 1, 4),
        ("1", "V38", "excluded", "supplied", 1, 4),
        ("9", "unknown_patient", "reported", "contacts", 2, 3),
    ]


def test_rows_of_a_patient_that_agree_in_every_mapped_value_are_only_reported(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex;v;note\n1;female;x;one\n1;female;x;two\n2;female;x;\n2;female;y;\n")
    tables = ingest("""
mapping: 1
ignore: [note]
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: id}, sex: {column: sex}}}
  - {file: a.csv, table: drugs, fields: {patient: {column: id}, name: {column: v}}}
""")
    assert queries(tables, "patient", "check", "severity", "action", "row") == [
        ("1", "repeated_row", "info", "reported", 3),
        ("2", "V01", "error", "excluded", 5),
    ]
    assert rows(tables, "drugs", "patient", "name") == [("1", "x"), ("2", "x"), ("2", "y")]


def test_formulas_without_a_stored_value(ingest, tmp_path):
    sheet = [["id", "x", "unused"], [1, "=1+1", "=2"], ["=1+1", 4, 5], [3, 6, None]]
    write_xlsx(tmp_path / "a.xlsx", {"S": sheet})
    fields = "fields: {patient: {column: id}, x: {column: x, type: number}}"
    tables = ingest(f"mapping: 1\nblocks: [{{file: a.xlsx, table: patients, {fields}}}]")
    assert rows(tables, "patients", "patient", "x") == [("1", None), ("3", 6.0)]
    assert queries(tables, "patient", "check", "action", "row") == [
        ("1", "formula_unstored", "set_missing", 2),
        (None, "V01", "excluded", 3),
    ]
    with pytest.raises(DataRefusedError, match="column 'unused', which a `where` of the mapping reads"):
        ingest(f"mapping: 1\nblocks: [{{file: a.xlsx, table: patients, where: unused = '2', {fields}}}]")


def test_two_lists_of_patients_fill_each_other(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;sex\n1;female\n2;\n")
    write_csv(tmp_path / "b.csv", "id;sex;ecog\n2;male;1\n1;male;0\n3;female;2\n")
    tables = ingest("""
mapping: 1
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: id}, sex: {column: sex}}}
  - file: b.csv
    table: patients
    fields: {patient: {column: id}, sex: {column: sex}, ecog: {column: ecog, type: integer}}
""")
    assert rows(tables, "patients", "patient", "sex", "ecog", "source", "row") == [
        ("1", "female", 0, 1, 2),
        ("2", "male", 1, 1, 3),
        ("3", "female", 2, 2, 4),
    ]


def test_spss_codes_by_code_or_label(ingest, tmp_path):
    frame = pl.DataFrame({"id": [1.0, 2.0, 3.0], "sex": [1.0, 2.0, 9.0], "stat": [1.0, 2.0, 2.0]})
    labels = {"sex": {1.0: "Kadın", 2.0: "Erkek"}, "stat": {1.0: "Alive", 2.0: "Dead"}}
    pyreadstat.write_sav(frame, str(tmp_path / "a.sav"), variable_value_labels=labels, missing_ranges={"sex": [9]})
    tables = ingest("""
mapping: 1
blocks:
  - file: a.sav
    table: patients
    fields: {patient: {column: id}, sex: {column: sex, codes: {KADIN: female, "2": male}}}
  - {file: a.sav, table: contacts, fields: {patient: {column: id}, status: {column: stat}}}
""")
    assert rows(tables, "patients", "patient", "sex") == [("1", "female"), ("2", "male"), ("3", None)]
    assert tables["contacts"]["status"].to_list() == ["alive", "dead", "dead"]
    assert tables["queries"].is_empty()


def test_serial_numbers_of_a_workbook(ingest, tmp_path):
    write_xlsx(tmp_path / "a.xlsx", {"S": [["id", "x"], [1, 43954], [2, datetime(2020, 5, 4)], [3, "05.05.2020"]]})
    tables = ingest("""
mapping: 1
defaults: {dates: dmy}
blocks:
  - {file: a.xlsx, table: patients, fields: {patient: {column: id}, diagnosis: {column: x}}}
""")
    assert tables["patients"]["diagnosis"].to_list() == [date(2020, 5, 3), date(2020, 5, 4), date(2020, 5, 5)]


def test_a_field_of_one_value(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "x\n2020-05-03\n2020-06-01\n")
    tables = ingest("""
mapping: 1
blocks:
  - file: a.csv
    table: samples
    fields: {patient: {row_number: true}, date: {column: x}, tissue: {constant: primary}}
    constants: {er_scale: allred}
""")
    assert rows(tables, "samples", "patient", "date", "tissue", "er_scale") == [
        ("row-2", date(2020, 5, 3), "primary", "allred"),
        ("row-3", date(2020, 6, 1), "primary", "allred"),
    ]


def test_a_progression_whose_date_cannot_be_read_is_still_a_row(ingest, tmp_path):
    write_csv(tmp_path / "a.csv", "id;pd;site\n1;31.02.2020;x\n2;;x\n3;05.03.2020;x\n")
    tables = ingest("""
mapping: 1
defaults: {dates: dmy, delimiter: ";"}
ignore: [site]
blocks:
  - {file: a.csv, table: patients, fields: {patient: {column: id}}}
  - {file: a.csv, table: assessments, fields: {patient: {column: id}, date: {column: pd}}, constants: {response: PD}}
  - {file: a.csv, table: samples, fields: {patient: {column: id}, date: {column: pd}}, constants: {tissue: primary}}
""")
    assert rows(tables, "assessments", "patient", "date", "response") == [
        ("1", None, "PD"),
        ("3", date(2020, 3, 5), "PD"),
    ]
    assert rows(tables, "samples", "patient") == [("3",)]
