"""The canonical tables: the form that every hospital's files are brought to."""

from __future__ import annotations

import polars as pl

from riskset.tables.schema import Column, TableSchema

TEXT = pl.String()
DATE = pl.Date()
NUMBER = pl.Float64()
WHOLE = pl.Int32()
TRUTH = pl.Boolean()

# Codes that `organs.organ` may hold. "other" is a distant organ that has no code of its own.
ORGANS = (
    "bone",
    "bone_marrow",
    "liver",
    "lung",
    "pleura",
    "cns",
    "distant_node",
    "skin",
    "peritoneum",
    "adrenal",
    "ovary",
    "kidney",
    "pericardium",
    "gastrointestinal",
    "contralateral_breast",
    "other",
)

# Organs that make disease visceral, by definition. Nodes, skin and bone are visceral in none of them; the
# contralateral breast and organs without a code neither.
VISCERAL: dict[str, tuple[str, ...]] = {
    "default": (
        "lung",
        "pleura",
        "liver",
        "peritoneum",
        "cns",
        "adrenal",
        "pericardium",
        "gastrointestinal",
        "kidney",
        "ovary",
    ),
    "strict": ("liver", "lung"),
    "trial": ("liver", "lung", "pleura"),
}
BONE = ("bone", "bone_marrow")

# Codes that `assessments.response` may hold: RECIST words, and NE for not evaluable.
ASSESSMENT_RESPONSES = ("CR", "PR", "SD", "NON_CR_NON_PD", "PD", "NE")

_KEY = (
    Column("centre", TEXT, "id of the centre in the study file", nullable=False),
    Column("patient", TEXT, "the centre's own (pseudonymous) patient id", nullable=False),
)
_ROW = (
    Column("source", WHOLE, "which sheet the row came from: `sources.source`", nullable=False),
    Column("row", WHOLE, "row of that sheet, counted from 1 as a spreadsheet does", nullable=False),
)


def _table(name: str, meaning: str, *columns: Column, open: bool = False) -> TableSchema:
    return TableSchema(name, meaning, (*_KEY, *columns, *_ROW), open)


PATIENTS = _table(
    "patients",
    "one row a patient",
    Column("birth", DATE, "date of birth"),
    Column("sex", TEXT, "female | male"),
    Column("diagnosis", DATE, "first diagnosis of the primary cancer"),
    Column("metastatic", DATE, "first proof of distant disease"),
    open=True,
)
SAMPLES = _table(
    "samples",
    "one row a pathology specimen",
    Column("date", DATE, "date of the specimen (or of its report, see the mapping)"),
    Column("tissue", TEXT, "primary | metastasis"),
    Column("ihc", TEXT, "HER2 immunohistochemistry exactly as written"),
    Column("ihc_percent", NUMBER, "stained invasive cells where the report states them", "%"),
    Column("ish", TEXT, "HER2 in situ hybridisation exactly as written"),
    Column("ish_ratio", NUMBER, "HER2 / CEP17 ratio"),
    Column("ish_copies", NUMBER, "HER2 copies a cell"),
    Column("er", TEXT, "oestrogen receptor exactly as written"),
    Column("er_scale", TEXT, "percent | allred | h_score | irs; percent where null"),
    Column("pr", TEXT, "progesterone receptor exactly as written"),
    Column("pr_scale", TEXT, "percent | allred | h_score | irs; percent where null"),
    Column("ki67", NUMBER, "Ki-67 labelling index", "%"),
    Column("decalcification", TEXT, "none | edta | acid | unknown; bone specimens"),
    open=True,
)
DRUGS = _table(
    "drugs",
    "one row a drug given over one period",
    Column("name", TEXT, "drug as written"),
    Column("start", DATE, "first dose"),
    Column("stop", DATE, "last dose; null while ongoing or unknown"),
    Column("stop_reason", TEXT, "progression | toxicity | choice | completed | ongoing | other"),
    Column("intent", TEXT, "neoadjuvant | adjuvant | metastatic; null where the chart is silent"),
    Column("line", WHOLE, "line of therapy in the metastatic setting, as the physician counts it"),
    open=True,
)
ASSESSMENTS = _table(
    "assessments",
    "one row a tumour assessment",
    Column("date", DATE, "date of the assessment; null for a stated best response without a date"),
    Column("target_sum", NUMBER, "sum of target lesion diameters", "mm"),
    Column("non_target", TEXT, "CR | NON_CR_NON_PD | PD | NE"),
    Column("new_lesion", TRUTH, "a new lesion was seen"),
    Column("response", TEXT, "response as the chart states it: " + " | ".join(ASSESSMENT_RESPONSES)),
    open=True,
)
ORGAN_TABLE = _table(
    "organs",
    "one row an organ with, or known to be without, metastasis",
    Column("organ", TEXT, "organ code: " + " | ".join(ORGANS)),
    Column("present", TRUTH, "TRUE, FALSE, or null where nobody looked"),
    Column("date", DATE, "when it was found"),
)
CONTACTS = _table(
    "contacts",
    "one row a date on which the patient was known to be alive or dead",
    Column("date", DATE, "date of contact, or of death"),
    Column("status", TEXT, "alive | dead"),
    Column("cause", TEXT, "cause of death"),
)
SUPPLIED = _table(
    "supplied",
    "what a centre derived itself: one row a named value (pfs, pfs_event, line, visceral, her2, age, ...)",
    Column("name", TEXT, "name of the value"),
    Column("value", TEXT, "value after the mapping's codes"),
    Column("number", NUMBER, "the same as a number where it is one"),
    Column("unit", TEXT, "unit that the mapping states: days | months | years | %"),
)

CANONICAL: dict[str, TableSchema] = {
    t.name: t for t in (PATIENTS, SAMPLES, DRUGS, ASSESSMENTS, ORGAN_TABLE, CONTACTS, SUPPLIED)
}
