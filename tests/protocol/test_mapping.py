"""The mapping file: what it says, and what it may not say."""

from __future__ import annotations

import pytest

from riskset.errors import Problem, StudyFileError
from riskset.protocol import Condition, MappingFile, fold_text, load_mapping
from riskset.protocol.codes import CODED
from riskset.tables import CANONICAL

MAPPING = """\
mapping: 1
defaults: {dates: dmy, decimal: ",", missing: [-9, bilinmiyor], encoding: cp1254, delimiter: ";"}
ignore: [Not, 2019]
unmapped_columns: refuse
drugs: {Ibrance: palbociclib}
her2: {plus_scale: ordinal, zero_plus: ultralow}
blocks:
  - file: raw/ankara.xlsx
    sheet: Hastalar
    header_row: 4
    table: patients
    where: "\\"Test\\" = 'HER2'"
    fields:
      patient: {column: Hasta No}
      birth: {column: Doğum tarihi, dates: mdy}
      sex: {column: Cinsiyet, codes: {K: female, E: male, 9: null}}
      menopause: {column: Menopoz, type: text, codes: {1: pre, 2: post}}
  - file: raw/ankara.xlsx
    table: organs
    complete: true
    fields:
      patient: {row_number: true}
    repeat:
      - {organ: bone, present: {column: Kemik, codes: {1: true, 0: false}}}
      - {organ: liver, present: {column: Karaciğer, codes: {1: true, 0: false}}}
  - file: raw/organs.csv
    table: organs
    fields:
      patient: {column: ID}
      organ: {column: Met yerleri, split: ",", codes: {kemik: bone}}
    constants: {present: true, date: 2020-01-31}
  - table: supplied
    file: raw/flat.csv
    fields: {patient: {column: ID}, pfs: {column: PFS, unit: months}, her2: {column: HER2, codes: {0: zero, 1: low}}}
"""


def problems(text: str) -> tuple[Problem, ...]:
    with pytest.raises(StudyFileError) as caught:
        load_mapping(text, file="ankara.yaml")
    return caught.value.problems


def test_every_key_of_the_format() -> None:
    mapping = load_mapping(MAPPING)
    assert mapping.defaults.missing == ["-9", "bilinmiyor"]
    assert mapping.defaults.decimal == ","
    assert mapping.ignore == ["Not", "2019"]
    assert (mapping.her2.plus_scale, mapping.her2.zero_plus) == ("ordinal", "ultralow")
    patients, flat, long, supplied = mapping.blocks
    assert (patients.header_row, patients.where) == (4, Condition("\"Test\" = 'HER2'"))
    assert patients.fields["birth"].dates == "mdy"
    assert patients.fields["sex"].codes == {"K": "female", "E": "male", "9": None}
    assert patients.fields["menopause"].codes == {"1": "pre", "2": "post"}
    assert patients.columns == {"Hasta No", "Doğum tarihi", "Cinsiyet", "Menopoz", "Test"}
    assert flat.complete
    assert long.fields["organ"].split == ","
    assert long.constants == {"present": True, "date": "2020-01-31"}
    assert supplied.fields["pfs"].unit == "months"


def test_a_repeat_entry_is_one_more_row_of_the_same_sheet_row() -> None:
    bone, liver = load_mapping(MAPPING).blocks[1].rows()
    fields, constants = bone
    assert (list(fields), constants) == (["patient", "present"], {"organ": "bone"})
    assert fields["present"].codes == {"1": True, "0": False}
    assert liver[1] == {"organ": "liver"}
    assert liver[0]["present"].column == "Karaciğer"


def test_a_block_without_repeat_makes_one_row() -> None:
    rows = list(load_mapping(MAPPING).blocks[2].rows())
    assert len(rows) == 1
    assert rows[0][1] == {"present": True, "date": "2020-01-31"}


def test_a_mapping_knows_its_lines() -> None:
    problem = load_mapping(MAPPING, file="ankara.yaml").locations.problem(
        ("blocks", 0, "fields", "birth", "column"), "The sheet has no such column."
    )
    assert str(problem) == "ankara.yaml:15:23: blocks[0].fields.birth.column: The sheet has no such column."


@pytest.mark.parametrize(
    ("a", "b"),
    [
        ("KISMİ YANIT", "kısmi yanıt"),
        ("Ihc", "ihc"),
        ("İHC", "ihc"),
        ("  Kadın\u00a0 hasta ", "kadin hasta"),
        ("STRASSE", "straße"),
        ("ﬁsh", "FISH"),
    ],
)
def test_texts_that_are_one_code(a: str, b: str) -> None:
    assert fold_text(a) == fold_text(b)


def test_texts_that_are_two_codes() -> None:
    assert len({fold_text(t) for t in ("+", "++", "", "0", "1+", "o", "ö", "-")}) == 8


def test_codes_are_found_by_folded_text() -> None:
    sex = load_mapping(MAPPING).blocks[0].fields["sex"]
    assert sex.folded_codes == {"k": "female", "e": "male", "9": None}


def test_coded_columns_are_columns_of_the_canonical_tables() -> None:
    for (table, name), codes in CODED.items():
        column = CANONICAL[table].column(name)
        assert column is not None
        assert all(code in column.meaning for code in codes), (table, name)


def block(body: str) -> str:
    return f"mapping: 1\nblocks:\n  - {{file: a.csv, {body}}}\n"


def fields(body: str, table: str = "patients") -> str:
    return block(f"table: {table}, fields: {{patient: {{column: ID}}, {body}}}")


@pytest.mark.parametrize(
    "path",
    [
        "/etc/passwd",
        "../other/a.csv",
        "raw/../../a.csv",
        "raw/..",
        "C:/data/a.csv",
        "C:a.csv",
        "raw\\\\a.csv",
        "//server/share/a.csv",
        "~/a.csv",
        " ",
        "",
    ],
)
def test_a_path_cannot_leave_the_data_folder(path: str) -> None:
    text = f'mapping: 1\nblocks:\n  - {{file: "{path}", table: patients, fields: {{patient: {{column: ID}}}}}}\n'
    (found,) = problems(text)
    assert (found.path, found.line) == ("blocks[0].file", 3)
    assert found.message.startswith("A path")


@pytest.mark.parametrize("path", ["a.csv", "raw/a b.csv", "raw/Şişli/a..b.csv", "./a.csv"])
def test_paths_inside_the_data_folder(path: str) -> None:
    text = f'mapping: 1\nblocks:\n  - {{file: "{path}", table: patients, fields: {{patient: {{column: ID}}}}}}\n'
    assert load_mapping(text).blocks[0].file == path


@pytest.mark.parametrize(
    ("text", "path", "says"),
    [
        ("mapping: 2\nblocks: []\n", "mapping", "one of 1"),
        ("mapping: 1\n", "blocks", "'blocks' is missing"),
        ("mapping: 1\nblocks: []\n", "blocks", "at least 1"),
        ("mapping: 1\nblock: []\nblocks: []\n", "block", "did you mean 'blocks'"),
        (block("table: patient, fields: {patient: {column: ID}}"), "blocks[0].table", "did you mean 'patients'"),
        (block("table: patients, field: {patient: {column: ID}}"), "blocks[0].field", "did you mean 'fields'"),
        (block("table: patients, fields: {}"), "blocks[0].fields", "at least 1"),
        (block("table: patients, fields: {sex: {column: S}}"), "blocks[0].fields", "'patient' is missing"),
        (block("table: patients, header_row: 0, fields: {patient: {column: ID}}"), "blocks[0].header_row", "at least"),
        (block("table: patients, where: count(a), fields: {patient: {column: ID}}"), "blocks[0].where", "'count'"),
        (
            block("table: patients, fields: {patient: {column: ID}}, constants: {patient: x}"),
            "blocks[0].constants.patient",
            "cannot be constant",
        ),
        (fields("brith: {column: B}"), "blocks[0].fields.brith", "did you mean 'birth'"),
        (fields("ecog: {column: E}"), "blocks[0].fields.ecog", "give it a 'type'"),
        (fields("ecog: {column: E, type: int}"), "blocks[0].fields.ecog.type", "did you mean 'integer'"),
        (fields("birth: {column: E, type: text}"), "blocks[0].fields.birth", "leave out 'type'"),
        (fields("centre: {column: C}"), "blocks[0].fields.centre", "set by the program"),
        (fields("row: {column: C}"), "blocks[0].fields.row", "set by the program"),
        (fields("Age: {column: C, type: number}"), "blocks[0].fields.Age", "no field name"),
        (fields("site: {column: C, type: text}, organ: {column: O}", "organs"), "blocks[0].fields.site", "no field"),
        (fields("present: {column: C}", "organs"), "blocks[0].fields", "'organ' is missing"),
        (fields("start: {column: C}", "drugs"), "blocks[0].fields", "'name' is missing"),
        (fields("sex: {}"), "blocks[0].fields.sex", "from one place"),
        (fields("sex: {column: S, constant: female}"), "blocks[0].fields.sex", "from one place"),
        (fields("sex: {column: S, row_number: true}"), "blocks[0].fields.sex", "from one place"),
        (fields("sex: {constant: female, split: ','}"), "blocks[0].fields.sex", "'split' divides"),
        (fields("sex: {column: S, colum: T}"), "blocks[0].fields.sex.colum", "did you mean 'column'"),
        (fields("sex: {column: S, codes: {}}"), "blocks[0].fields.sex.codes", "at least 1"),
        (fields("sex: {column: S, codes: {f: Female}}"), "blocks[0].fields.sex.codes.f", "did you mean 'female'"),
        (fields("sex: {column: S, codes: {f: female, F : male}}"), "blocks[0].fields.sex.codes", "same text"),
        (fields("sex: {column: S, codes: {f: female, f: male}}"), "blocks[0].fields.sex.codes.f", "given twice"),
        (fields("sex: {constant: woman}"), "blocks[0].fields.sex.constant", "one of female, male"),
        (fields("birth: {column: B, dates: ydm}"), "blocks[0].fields.birth.dates", "did you mean"),
        (fields("birth: {column: B, codes: {x: 2020}}"), "blocks[0].fields.birth.codes.x", "a date as YYYY-MM-DD"),
        (fields("ecog: {column: E, type: integer, codes: {a: 1.5}}"), "blocks[0].fields.ecog.codes.a", "whole number"),
        (
            fields("organ: {column: O, codes: {kemik: bones}}", "organs"),
            "blocks[0].fields.organ.codes.kemik",
            "did you mean 'bone'",
        ),
        (
            fields("organ: {column: O}, present: {column: P, codes: {1: 1}}", "organs"),
            "blocks[0].fields.present.codes.1",
            "true or false",
        ),
        (
            fields("response: {column: R, codes: {remission: cr}}", "assessments"),
            "blocks[0].fields.response.codes.remission",
            "it is one of CR, PR",
        ),
        (
            fields("a: {column: A, type: text, split: ','}, b: {column: B, type: text, split: ','}"),
            "blocks[0]",
            "Only one field",
        ),
        (
            block("table: organs, fields: {patient: {column: ID}}, repeat: [{organ: bones}]"),
            "blocks[0].repeat[0].organ",
            "did you mean 'bone'",
        ),
        (
            block("table: organs, fields: {patient: {column: ID}}, repeat: [{organ: bone, patient: {column: P}}]"),
            "blocks[0].repeat[0].patient",
            "in the block too",
        ),
        (
            block("table: organs, fields: {patient: {column: ID}}, repeat: [{organ: bone, present: {colum: K}}]"),
            "blocks[0].repeat[0].present.colum",
            "did you mean 'column'",
        ),
        (
            block("table: organs, fields: {patient: {column: ID}}, repeat: [{organ: bone, present: {codes: {a: 1}}}]"),
            "blocks[0].repeat[0].present",
            "from one place",
        ),
        (
            block("table: drugs, fields: {patient: {column: ID}, name: {column: N}}, constants: {name: x}"),
            "blocks[0].constants.name",
            "given twice",
        ),
        (
            block("table: samples, fields: {patient: {column: ID}}, constants: {tissue: liver}"),
            "blocks[0].constants.tissue",
            "one of primary, metastasis",
        ),
        ("mapping: 1\ndefaults: {encoding: cp12345}\nblocks: []\n", "defaults.encoding", "no text encoding 'cp12345'"),
        ("mapping: 1\ndefaults: {encoding: rot13}\nblocks: []\n", "defaults.encoding", "no text encoding 'rot13'"),
        ("mapping: 1\ndefaults: {delimiter: tab}\nblocks: []\n", "defaults.delimiter", "at most 1 character"),
        ("mapping: 1\ndefaults: {decimal: ';'}\nblocks: []\n", "defaults.decimal", "it is one of"),
        ("mapping: 1\nher2: {plus_scale: yes}\nblocks: []\n", "her2.plus_scale", "one of ordinal"),
    ],
)
def test_refusals(text: str, path: str, says: str) -> None:
    found = problems(text)
    told = [p for p in found if p.path == path and says in p.message]
    assert told, [str(p) for p in found]
    assert told[0].line is not None
    assert told[0].message.endswith(".")


def test_problems_of_one_block_do_not_hide_those_of_another() -> None:
    text = MAPPING.replace("header_row: 4", "header_row: x").replace("kemik: bone", "kemik: bones")
    assert [p.path for p in problems(text)] == ["blocks[0].header_row", "blocks[2].fields.organ.codes.kemik"]


def test_a_mapping_is_a_value() -> None:
    mapping = load_mapping(MAPPING)
    assert MappingFile.model_validate(mapping.model_dump(mode="json")) == mapping
