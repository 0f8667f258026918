"""Leeds: a workbook of long sheets, one row a specimen, a drug, an assessment, a metastatic site, a contact."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from her2_cdk46_raw.dice import Dice, after
from her2_cdk46_raw.files import Cell, Damaged, write_xlsx
from her2_cdk46_raw.people import Drug, Person, Sample

IHC_WORDS: dict[str | None, tuple[Cell, ...]] = {
    "0": (0, "0", "score 0"),
    "1+": ("1+", "1+", "1+", "+1"),
    "2+": ("2+",),
    "3+": ("3+",),
    "0-1+": ("0-1+",),
    None: (None,),
}
ISH_WORDS = {"negative": "non-amplified", "positive": "amplified", "not_done": None, None: None}
DRUGS: dict[str, tuple[str, ...]] = {
    "palbociclib": ("Palbociclib", "Ibrance", "palbociclib 125mg"),
    "ribociclib": ("Ribociclib", "Kisqali", "ribociclib 600mg"),
    "abemaciclib": ("Abemaciclib", "Verzenios"),
    "letrozole": ("Letrozole", "Femara"),
    "anastrozole": ("Anastrozole", "Arimidex"),
    "exemestane": ("Exemestane", "Aromasin"),
    "fulvestrant": ("Fulvestrant", "Faslodex"),
    "tamoxifen": ("Tamoxifen",),
    "goserelin": ("Goserelin", "Zoladex"),
    "leuprorelin": ("Leuprorelin",),
    "everolimus": ("Everolimus", "Afinitor"),
    "alpelisib": ("Alpelisib", "Piqray"),
    "capecitabine": ("Capecitabine",),
    "paclitaxel": ("Paclitaxel",),
    "vinorelbine": ("Vinorelbine",),
    "gemcitabine": ("Gemcitabine",),
    "docetaxel": ("Docetaxel",),
    "trastuzumab deruxtecan": ("Enhertu", "Trastuzumab deruxtecan"),
}
SITES = {
    "bone": "Bone",
    "liver": "Liver",
    "lung": "Lung",
    "pleura": "Pleura",
    "brain": "Brain",
    "node": "Distant lymph nodes",
    "skin": "Skin / soft tissue",
}
RESPONSE = {"CR": "Complete response", "PR": "Partial response", "SD": "Stable disease", "PD": "Progressive disease"}
REASONS = {
    "progression": "Progression",
    "toxicity": "Toxicity",
    "choice": "Patient choice",
    "completed": "Completed",
    "ongoing": "Ongoing",
}
HISTOLOGY = {"IDC": "Ductal (NST)", "ILC": "Lobular", "other": "Other", "": "Not known"}
RESISTANCE = {
    "naive": "Endocrine naive",
    "primary": "Primary resistance",
    "secondary": "Secondary resistance",
    "sensitive": "Endocrine sensitive",
}
MENOPAUSE = {"pre": "Pre", "post": "Post", "": "Not known"}


def allred(percent: int | None, dice: Dice) -> int | None:
    """Give an Allred score, 0 or 2 to 8: the class of the percentage plus an intensity of 1 to 3."""
    if percent is None:
        return None
    if percent < 1:
        return 0
    proportion = 2 + sum(percent > cut for cut in (10, 33, 66))
    return proportion + dice.pick((2, 2, 3) if proportion > 3 else (1, 2))


def _patient(p: Person) -> list[Cell]:
    return [
        p.id,
        p.birth,
        "F" if p.sex == "female" else "M",
        MENOPAUSE[p.row["menopause"]],
        int(p.row["ecog"]) if p.row["ecog"] else "Not known",
        p.diagnosis,
        HISTOLOGY[p.row["histology"]],
        int(p.row["grade"]) if p.row["grade"] else None,
        p.metastatic,
        "Y" if p.row["measurable"] == "1" else "N",
        RESISTANCE[p.row["endocrine_resistance"]],
    ]


def _specimens(p: Person, dice: Dice) -> list[list[Cell]]:
    return [_specimen(p.id, sample, dice) for sample in [*p.samples, *_rebiopsy(p, dice)]]


def _rebiopsy(p: Person, dice: Dice) -> list[Sample]:
    """Give some of those who progressed a biopsy at progression: it lies after time zero and decides nothing."""
    if p.progression is None or not dice.chance(0.2) or "why" in p.row:
        return []
    ihc, ish = ("1+", "not_done") if p.row["ihc"] == "0" else ("0", "not_done")
    day = min(after(p.progression, dice.between(3, 20)), p.last_contact)
    return [Sample(day, "metastasis", ihc, ish, 80, 20, None)]


def _specimen(patient: str, sample: Sample, dice: Dice) -> list[Cell]:
    ihc = Damaged(1, 2, "[$-809]d-mmm") if sample.ihc == "damaged" else dice.pick(IHC_WORDS[sample.ihc])
    return [
        patient,
        sample.day,
        {"primary": "Primary", "metastasis": "Metastasis"}[sample.tissue],
        allred(sample.er, dice),
        allred(sample.pr, dice),
        ihc,
        ISH_WORDS[sample.ish],
        sample.ki67,
    ]


def _drugs(p: Person, dice: Dice) -> list[list[Cell]]:
    given = [*p.earlier, p.prior_cdk, p.gnrh, p.partner, p.cdk, *p.following]
    drugs = sorted((drug for drug in given if drug), key=lambda drug: (drug.start or date.min, drug.inn))
    return [_drug(p.id, drug, dice) for drug in drugs]


def _drug(patient: str, drug: Drug, dice: Dice) -> list[Cell]:
    intent = {"adjuvant": "Adjuvant", "metastatic": "Metastatic"}[drug.intent]
    reason = REASONS[drug.reason] if drug.reason else None
    return [patient, dice.pick(DRUGS[drug.inn]), intent, drug.line, drug.start, drug.stop, reason]


def _contacts(p: Person, dice: Dice) -> list[list[Cell]]:
    """Give one clinic visit on the way for most, and the last contact or the death."""
    rows: list[list[Cell]] = []
    first = p.cdk.start
    if first and (p.last_contact - first).days > 120 and dice.chance(0.7):
        visit = after(first, dice.between(60, (p.last_contact - first).days - 30))
        rows.append([p.id, visit, "Alive", None])
    status: list[Cell] = ["Dead", (p.cause or "unknown").capitalize()] if p.death else ["Alive", None]
    rows.append([p.id, p.last_contact, *status])
    return rows


def write(folder: Path, people: list[Person]) -> None:
    """Write `leeds.xlsx` with six sheets."""
    sheets: dict[str, list[list[Cell]]] = {
        "Patients": [PATIENT_COLUMNS],
        "Specimens": [SPECIMEN_COLUMNS],
        "Drugs": [DRUG_COLUMNS],
        "Assessments": [["Study ID", "Scan date", "Outcome"]],
        "Sites": [["Study ID", "Site"]],
        "Contacts": [["Study ID", "Contact date", "Status", "Cause of death"]],
    }
    for person in people:
        dice = person.dice
        sheets["Patients"].append(_patient(person))
        sheets["Specimens"] += _specimens(person, dice)
        sheets["Drugs"] += _drugs(person, dice)
        sheets["Assessments"] += [[person.id, s.day, RESPONSE[s.response]] for s in person.scans if s.response]
        sheets["Sites"] += [[person.id, word] for organ, word in SITES.items() if person.organ(organ)]
        sheets["Contacts"] += _contacts(person, dice)
    write_xlsx(folder / "leeds.xlsx", sheets, date_format="[$-809]dd/mm/yyyy")


PATIENT_COLUMNS: list[Cell] = [
    "Study ID",
    "Date of birth",
    "Sex",
    "Menopausal status",
    "ECOG PS",
    "Date of diagnosis",
    "Histology",
    "Grade",
    "Date of metastatic disease",
    "Measurable disease",
    "Endocrine sensitivity",
]
SPECIMEN_COLUMNS: list[Cell] = [
    "Study ID",
    "Date taken",
    "Tissue",
    "ER Allred",
    "PR Allred",
    "HER2 IHC",
    "HER2 ISH",
    "Ki67 %",
]
DRUG_COLUMNS: list[Cell] = ["Study ID", "Drug", "Intent", "Line", "Start", "Stop", "Reason stopped"]
