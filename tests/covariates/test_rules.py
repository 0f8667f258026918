"""What is known of a patient at the index date, rule by rule; unknown stays unknown."""

from __future__ import annotations

from itertools import product

import polars as pl
import pytest

from riskset.covariates import add_covariates, columns, problems
from riskset.errors import ConditionError, StudyFileError, UsageError
from riskset.tables import CANONICAL, ORGANS, PROVENANCE, fit
from small_tables import by_patient, study, tables

INDEX = "patient | index_date:date\np | 2020-03-01\n"


def derive(rule: str, **texts: str) -> dict[str, object]:
    made = add_covariates(study(f"covariates: {{x: {{{rule}}}}}"), tables(**texts))
    assert made["patients"].schema["x"] == columns(study(f"covariates: {{x: {{{rule}}}}}"))["x"]
    return by_patient(made["patients"], "x")


def test_age_is_in_completed_years_at_the_index_date():
    given = """
        patient   | birth      | index_date:date
        day_after | 1970-03-02 | 2020-03-01
        birthday  | 1970-03-01 | 2020-03-01
        leap      | 1972-02-29 | 2021-02-28
        leap_done | 1972-02-29 | 2021-03-01
        supplied  |            | 2020-03-01
        unknown   |            | 2020-03-01
    """
    supplied = "patient | name | number\nsupplied | age | 61.9\nbirthday | age | 49\n"
    assert derive("rule: age_at_index", patients=given, supplied=supplied) == {
        "day_after": 49,
        "birthday": 50,
        "leap": 48,
        "leap_done": 49,
        "supplied": 61,
        "unknown": None,
    }
    assert derive("rule: age_at_index, prefer: supplied", patients=given, supplied=supplied)["birthday"] == 49


def test_setting():
    given = """
        patient    | diagnosis  | metastatic
        same_day   | 2020-01-01 | 2020-01-01
        day_90     | 2020-01-01 | 2020-03-31
        day_91     | 2020-01-01 | 2020-04-01
        metastasis_first | 2020-01-10 | 2020-01-01
        treated    | 2020-01-01 | 2020-03-01
        ongoing    | 2020-01-01 | 2020-03-01
        treated_no_date |       | 2020-03-01
        no_date    |            | 2020-03-01
        supplied   | 2020-01-01 |
    """
    drugs = """
        patient | name      | drug_class:text | intent   | start      | stop
        treated | docetaxel | chemotherapy    | adjuvant | 2020-01-10 | 2020-02-10
        ongoing | letrozole | aromatase_inhibitor | adjuvant | 2020-01-10 |
        treated_no_date | tamoxifen | serm    | adjuvant | 2012-01-10 | 2017-02-10
        day_90  | zoledronate | supportive    | adjuvant | 2020-01-10 | 2020-02-10
    """
    supplied = "patient | name | value\nsupplied | setting | recurrent\nday_91 | setting | de_novo\n"
    texts = {"patients": given, "drugs": drugs, "supplied": supplied}
    expected = {
        "same_day": "de_novo",
        "day_90": "de_novo",
        "day_91": "recurrent",
        "metastasis_first": "de_novo",
        "treated": "recurrent",
        "ongoing": "de_novo",
        "treated_no_date": "recurrent",
        "no_date": None,
        "supplied": "recurrent",
    }
    assert derive("rule: setting", **texts) == expected
    assert derive("rule: setting, de_novo_days: 120", **texts)["day_91"] == "de_novo"
    assert derive("rule: setting, prefer: supplied", **texts)["day_91"] == "de_novo"


def test_recorded_tells_an_empty_cell_from_one_that_cannot_be_read():
    given = tables(patients="patient | metastatic\nwell | 2020-01-01\nempty |\nunread |\nother |\n")
    asked = [
        ("unread", "metastatic", "patients", "set_missing"),
        ("well", "metastatic", "patients", "reported"),
        ("empty", "metastatic", "patients", "reported"),
        ("empty", "diagnosis", "patients", "set_missing"),
        ("other", "metastatic", "samples", "set_missing"),
    ]
    words = {"centre": "a", "check": "V03", "severity": "error", "message": "The date cannot be read."}
    rows = [words | dict(zip(("patient", "field", "table", "action"), row, strict=True)) for row in asked]
    given["queries"] = fit(pl.DataFrame(rows), PROVENANCE["queries"])
    made = add_covariates(study("covariates: {x: {rule: recorded, column: metastatic}}"), given)
    assert by_patient(made["patients"], "x") == {"well": True, "empty": False, "unread": None, "other": False}
    assert made["queries"].height == len(rows)


def test_recorded_wants_a_column_that_exists():
    with pytest.raises(UsageError, match="did you mean 'metastatic'"):
        derive("rule: recorded, column: metastatics", patients="patient\np\n")


def organ_rows(patient: str, **known: bool) -> str:
    return "".join(f"{patient} | {organ} | {str(present).lower()} |\n" for organ, present in known.items())


ORGAN_HEAD = "patient | organ | present | date\n"
NOWHERE = dict.fromkeys(ORGANS, False)


def test_visceral_disease_by_definition():
    patients = "patient\nliver\ncns\nbone\nnode_only_known\nfree\n"
    organs = ORGAN_HEAD + (
        organ_rows("liver", liver=True)
        + organ_rows("cns", **(NOWHERE | {"cns": True}))
        + organ_rows("bone", **(NOWHERE | {"bone": True, "skin": True, "distant_node": True}))
        + organ_rows("node_only_known", distant_node=True, liver=False)
        + organ_rows("free", liver=False, lung=False)
    )
    expected = {
        "default": {"liver": True, "cns": True, "bone": False, "node_only_known": None, "free": None},
        "strict": {"liver": True, "cns": False, "bone": False, "node_only_known": None, "free": False},
        "trial": {"liver": True, "cns": False, "bone": False, "node_only_known": None, "free": None},
    }
    for definition, of_patients in expected.items():
        assert derive(f"rule: visceral, definition: {definition}", patients=patients, organs=organs) == of_patients


@pytest.mark.parametrize(("liver", "lung"), list(product([True, False, None], repeat=2)))
def test_visceral_is_three_valued(liver, lung):
    """True if any is; false only if all are known to be; otherwise unknown."""
    known = {o: v for o, v in (("liver", liver), ("lung", lung)) if v is not None}
    expected = True if liver or lung else False if liver is False and lung is False else None
    organs = ORGAN_HEAD + organ_rows("p", **known)
    assert derive("rule: visceral, definition: strict", patients=INDEX, organs=organs) == {"p": expected}


def test_number_of_organs():
    patients = "patient\nlung_and_pleura\nmarrow\nunknown_liver\nunknown_pleura\nnone\n"
    organs = ORGAN_HEAD + (
        organ_rows("lung_and_pleura", **(NOWHERE | {"lung": True, "pleura": True}))
        + organ_rows("marrow", **(NOWHERE | {"bone": True, "bone_marrow": True, "liver": True}))
        + organ_rows("unknown_liver", **{o: o == "bone" for o in ORGANS if o != "liver"})
        + organ_rows("unknown_pleura", **{o: o == "lung" for o in ORGANS if o != "pleura"})
        + organ_rows("none", **NOWHERE)
    )
    supplied = "patient | name | number\nunknown_liver | n_organs | 3\n"
    texts = {"patients": patients, "organs": organs, "supplied": supplied}
    assert derive("rule: n_organs", **texts) == {
        "lung_and_pleura": 1,
        "marrow": 2,
        "unknown_liver": 3,
        "unknown_pleura": 1,  # could add nothing to the lung
        "none": 0,
    }
    apart = derive("rule: n_organs, merge_pleura: false", **texts)
    assert (apart["lung_and_pleura"], apart["unknown_pleura"]) == (2, None)


def test_bone_only():
    patients = "patient\nbone\nmarrow\nboth_unknown_rest\nwith_liver\nno_bone\nliver_bone_unknown\n"
    organs = ORGAN_HEAD + (
        organ_rows("bone", **(NOWHERE | {"bone": True}))
        + organ_rows("marrow", **(NOWHERE | {"bone_marrow": True}))
        + organ_rows("both_unknown_rest", bone=True)
        + organ_rows("with_liver", bone=True, liver=True)
        + organ_rows("no_bone", bone=False, bone_marrow=False)
        + organ_rows("liver_bone_unknown", liver=True)
    )
    assert derive("rule: bone_only", patients=patients, organs=organs) == {
        "bone": True,
        "marrow": True,
        "both_unknown_rest": None,
        "with_liver": False,
        "no_bone": False,
        "liver_bone_unknown": False,
    }


def test_organs_found_after_the_index_date_do_not_describe_it():
    organs = ORGAN_HEAD + "p | liver | false | 2020-02-01\np | liver | true | 2020-03-20\np | lung | false |\n"
    assert derive("rule: visceral, definition: strict", patients=INDEX, organs=organs) == {"p": False}
    late = derive("rule: visceral, definition: strict, grace_days: 28", patients=INDEX, organs=organs)
    assert late == {"p": True}


def test_an_organ_without_a_code_counts_as_other():
    organs = ORGAN_HEAD + organ_rows("p", **(NOWHERE | {"bone": True, "spleen": True}))
    assert derive("rule: n_organs", patients=INDEX, organs=organs) == {"p": 2}


def test_line_of_the_index_record_then_the_supplied_one():
    patients = "patient | physician_line:integer\np | 2\nq |\nr |\n"
    supplied = "patient | name | number\np | line | 3\nq | line | 1\n"
    assert derive("rule: line", patients=patients, supplied=supplied) == {"p": 2, "q": 1, "r": None}


def test_classes_take_the_first_true_level_and_stay_unknown_behind_an_unknown_one():
    text = """
    covariates:
      line: {rule: column, column: lot, type: integer}
      group:
        rule: classes
        levels: {first: line = 1, later: line >= 2 AND ecog < 3, rest: "line >= 2"}
        where: line < 9
    """
    given = tables(
        patients="""
            patient | lot:integer | ecog:integer
            a       | 1           |
            b       | 2           | 1
            c       | 2           | 3
            d       | 2           |
            e       |             | 1
            f       | 0           | 1
            g       | 9           | 1
        """
    )
    made = add_covariates(study(text), given)["patients"]
    assert by_patient(made, "group") == {
        "a": "first", "b": "later", "c": "rest", "d": None, "e": None, "f": None, "g": None
    }  # fmt: skip
    assert made.schema["group"] == pl.Enum(["first", "later", "rest"])


def test_index_year_and_drug():
    patients = """
        patient | index_date:date | index_drug:text
        p       | 2020-12-31      | palbociclib
        q       |                 | abemaciclib
    """
    assert derive("rule: index_year", patients=patients) == {"p": 2020, "q": None}
    text = "covariates: {cdk: {rule: index_drug, levels: [palbociclib, ribociclib]}}"
    made = add_covariates(study(text), tables(patients=patients))
    assert by_patient(made["patients"], "cdk") == {"p": "palbociclib", "q": None}
    assert made["queries"].select("patient", "check", "value").rows() == [("q", "unknown_level", "abemaciclib")]


@pytest.mark.parametrize(
    ("records", "partner"),
    [
        ("p | letrozole | aromatase_inhibitor | 2020-02-20 | |", "aromatase_inhibitor"),
        ("p | fulvestrant | serd | 2020-04-30 | |", "fulvestrant"),
        ("p | fulvestrant | serd | 2020-05-01 | |", None),  # day 61
        (
            "p | letrozole | aromatase_inhibitor | 2020-02-01 | |\np | fulvestrant | serd | 2020-03-02 | |",
            "fulvestrant",
        ),
        ("p | letrozole | aromatase_inhibitor | 2019-06-01 | | metastatic", "aromatase_inhibitor"),
        ("p | letrozole | aromatase_inhibitor | 2019-06-01 | 2020-04-01 |", "aromatase_inhibitor"),
        ("p | letrozole | aromatase_inhibitor | 2019-06-01 | 2019-12-01 |", None),
        ("p | letrozole | aromatase_inhibitor | 2015-06-01 | | adjuvant", None),
        ("p | goserelin | gnrh | 2020-03-01 | |", None),
        ("p | elacestrant | serd | 2020-03-01 | |", None),  # not a declared level
    ],
)
def test_endocrine_partner(records, partner):
    drugs = "patient | inn:text | drug_class:text | start | stop | intent\n" + records
    rule = "rule: endocrine_partner, levels: [aromatase_inhibitor, fulvestrant]"
    assert derive(rule, patients=INDEX, drugs=drugs) == {"p": partner}


@pytest.mark.parametrize(("absence", "without"), [("unknown", None), ("no", False)])
def test_prior_therapy(absence, without):
    patients = "patient | index_date:date\np | 2020-03-01\nq | 2020-03-01\nr |\n"
    drugs = """
        patient | drug_class:text | start      | intent
        p       | chemotherapy    | 2015-01-01 | adjuvant
        q       | chemotherapy    | 2020-06-01 | metastatic
    """
    rule = f"rule: prior_therapy, classes: [chemotherapy], absence: '{absence}'"
    assert derive(rule, patients=patients, drugs=drugs) == {"p": True, "q": without, "r": None}


def test_sample_value_comes_from_the_specimen_that_classified_the_patient():
    """Row 2 of the sheet holds two specimens: tissue and date tell which was chosen."""
    patients = """
        patient | her2_source:integer | her2_row:integer | her2_tissue:text | her2_sample_date:date
        p       | 0                   | 1                | primary          | 2019-01-01
        q       | 0                   | 2                | metastasis       | 2020-01-01
        r       |                     |                  |                  |
    """
    samples = """
        patient | source | row | date       | tissue     | ki67
        p       | 0      | 1   | 2019-01-01 | primary    | 20
        p       | 0      | 9   | 2020-01-01 | metastasis | 90
        q       | 0      | 2   | 2019-01-01 | primary    | 15
        q       | 0      | 2   | 2020-01-01 | metastasis | 40
    """
    rule = "rule: sample_value, field: ki67, type: number, unit: '%'"
    assert derive(rule, patients=patients, samples=samples) == {"p": 20.0, "q": 40.0, "r": None}


def test_supplied_and_column_values_keep_to_their_levels_and_types():
    text = """
    covariates:
      menopause: {rule: column, column: menopause, levels: [pre, post]}
      ecog: {rule: column, column: ecog, type: integer}
      measurable: {rule: supplied, name: measurable, type: boolean}
      grade: {rule: supplied, name: grade, levels: ["1", "2", "3"]}
      ki: {rule: supplied, name: ki, type: number, unit: "%"}
    """
    given = tables(
        patients="patient | menopause:text | ecog:number\np | post | 1\nq | peri | 1.5\nr |  | \n",
        supplied="""
            patient | name       | value | number
            p       | measurable | true  |
            q       | measurable | 0     | 0
            r       | measurable | maybe |
            p       | grade      | 2     | 2
            q       | grade      |       | 3
            r       | grade      | 4     | 4
            p       | ki         | 1,5   | 1.5
            q       | ki         | 20    | 20
            q       | ki         | 25    | 25
        """,
    )
    made = add_covariates(study(text), given)
    assert by_patient(made["patients"], "menopause", "ecog", "measurable", "grade", "ki") == {
        "p": ("post", 1, True, "2", 1.5),
        "q": (None, None, False, "3", None),
        "r": (None, None, None, None, None),
    }
    assert sorted(made["queries"].select("patient", "check", "field", "value").rows()) == [
        ("q", "conflicting_values", "ki", "20"),
        ("q", "conflicting_values", "ki", "25"),
        ("q", "unknown_level", "ecog", "1.5"),
        ("q", "unknown_level", "menopause", "peri"),
        ("r", "unknown_level", "grade", "4"),
        ("r", "unknown_level", "measurable", "maybe"),
    ]


@pytest.mark.parametrize(
    ("covariates", "message"),
    [
        ("{g: {rule: classes, levels: {a: lne = 1}}, line: {rule: line}}", "covariates.g: levels.a.*no column 'lne'"),
        ("{g: {rule: classes, levels: {a: line = 1}}, line: {rule: line}}", "move 'line' above it"),
        ("{g: {rule: column, column: menopaus}}", "no column 'menopaus'.*did you mean 'menopause'"),
        ("{g: {rule: supplied, name: measurabel}}", "no mapping supplies 'measurabel'.*did you mean 'measurable'"),
        ("{g: {rule: sample_value, field: ki67}}", "no specimen is chosen by 'her2'"),
        ("{birth: {rule: age_at_index}}", "already have a column 'birth'"),
        ("{menopause: {rule: visceral}}", "already have a column 'menopause'"),
    ],
)
def test_what_is_not_there_is_refused_by_name(covariates, message):
    given = tables(patients="patient | menopause:text\np | pre\n", supplied="patient | name\np | measurable\n")
    with pytest.raises((UsageError, ConditionError), match=message):
        add_covariates(study(f"covariates: {covariates}"), given)


def test_problems_are_told_before_data_are_read():
    protocol = study("covariates: {line: {rule: line}, g: {rule: classes, levels: {a: line = 1, b: lin = 2}}}")
    found = problems(protocol, CANONICAL["patients"].types, [])
    assert [p.path for p in found] == ["covariates.g"]
    assert "did you mean 'line'" in found[0].message


def test_a_name_that_no_mapping_supplies_is_told_before_data_are_read():
    protocol = study("covariates: {g: {rule: supplied, name: grade}, m: {rule: supplied, name: measurabel}}")
    found = problems(protocol, CANONICAL["patients"].types, ["grade", "measurable"])
    assert [p.path for p in found] == ["covariates.m"]
    assert "no mapping supplies 'measurabel' (did you mean 'measurable'?)" in found[0].message


@pytest.mark.parametrize(
    "rule",
    [
        "{rule: setting, levels: [recurrent]}",
        "{rule: index_drug}",
        "{rule: line, prefer: derived}",
        "{rule: column, column: x, levels: [a], type: number}",
        "{rule: column, column: x, levels: [a, a]}",
        "{rule: column, column: x, unit: kg}",
        "{rule: visceral, definition: loose}",
    ],
)
def test_rules_that_make_no_sense_are_refused(rule):
    with pytest.raises(StudyFileError):
        study(f"covariates: {{x: {rule}}}")
