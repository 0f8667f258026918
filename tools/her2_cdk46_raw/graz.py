"""Graz: a German workbook, text dates in the first sheet, receptors as immunoreactive score, scans in a second."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from her2_cdk46_raw.dice import Dice
from her2_cdk46_raw.files import Cell, write_xlsx
from her2_cdk46_raw.people import Person

UNKNOWN = "k.A."
IHC_WORDS: dict[str | None, tuple[str, ...]] = {
    "0": ("0", "Score 0", "negativ (0)"),
    "1+": ("1+", "Score 1+", "1+"),
    "2+": ("2+", "Score 2+"),
    "3+": ("3+",),
    "+": ("+",),
    "negative": ("negativ",),
    None: (UNKNOWN,),
}
ISH_WORDS = {
    "negative": "nicht amplifiziert",
    "positive": "amplifiziert",
    "not_done": "nicht durchgeführt",
    None: UNKNOWN,
}
CDK = {
    "palbociclib": ("Palbociclib", "Ibrance 125 mg", "Ibrance"),
    "ribociclib": ("Ribociclib", "Kisqali 600 mg", "Kisqali"),
    "abemaciclib": ("Abemaciclib", "Verzenios"),
}
DRUGS = {
    "letrozole": "Letrozol",
    "anastrozole": "Anastrozol",
    "exemestane": "Exemestan",
    "fulvestrant": "Fulvestrant",
    "tamoxifen": "Tamoxifen",
    "everolimus": "Everolimus",
    "alpelisib": "Alpelisib",
    "capecitabine": "Capecitabin",
    "paclitaxel": "Paclitaxel",
    "vinorelbine": "Vinorelbin",
    "gemcitabine": "Gemcitabin",
    "docetaxel": "Docetaxel",
    "trastuzumab deruxtecan": "Enhertu",
}
ORGANS = {
    "bone": "Knochen",
    "liver": "Leber",
    "lung": "Lunge",
    "pleura": "Pleura",
    "brain": "ZNS",
    "node": "Lymphknoten (fern)",
    "skin": "Haut/Weichteile",
}
HISTOLOGY = {"IDC": "duktal (NST)", "ILC": "lobulär", "other": "sonstige", "": UNKNOWN}
RESISTANCE = {"naive": "naiv", "primary": "primär", "secondary": "sekundär", "sensitive": "sensitiv"}
STOP = {"progression": "Progress", "toxicity": "Toxizität", "choice": "Patientenwunsch", "ongoing": "laufend"}
RESPONSE = {"CR": "CR", "PR": "PR", "SD": "SD", "PD": "PD", "NE": "nicht beurteilbar"}
MENOPAUSE = {"pre": "prämenopausal", "post": "postmenopausal", "": UNKNOWN}

Writer = Callable[[Person, Dice], Cell]


def day(value: date | None) -> str:
    return value.strftime("%d.%m.%Y") if value else UNKNOWN


def yes(value: bool) -> str:
    return "ja" if value else "nein"


def irs(percent: int | None, dice: Dice) -> Cell:
    """Give an immunoreactive score: class of the percentage (0-4) times intensity (1-3)."""
    if percent is None:
        return UNKNOWN
    if percent < 1:
        return 0
    proportion = 1 + sum(percent >= cut for cut in (10, 51, 81))
    return proportion * dice.pick((2, 3))


def columns() -> dict[str, Writer]:
    """Give heading -> how a patient's cell is written; the order is that of the sheet."""
    return {
        "Pat.-Nr.": lambda p, _: p.id,
        "Geburtsdatum": lambda p, _: day(p.birth),
        "Geschlecht": lambda p, _: "w" if p.sex == "female" else "m",
        "Menopausenstatus": lambda p, _: MENOPAUSE[p.row["menopause"]],
        "ECOG": lambda p, _: int(p.row["ecog"]) if p.row["ecog"] else UNKNOWN,
        "Datum Erstdiagnose": _diagnosis,
        "Histologie": lambda p, _: HISTOLOGY[p.row["histology"]],
        "Grading": lambda p, _: f"G{p.row['grade']}" if p.row["grade"] else UNKNOWN,
        "Datum Metastasierung": lambda p, _: day(p.metastatic),
        "Datum Histologie": lambda p, _: day(p.samples[-1].day),
        "Gewebe": lambda p, _: {"primary": "Primärtumor", "metastasis": "Metastase"}[p.samples[-1].tissue],
        "Östrogenrezeptor (IRS)": lambda p, d: irs(p.samples[-1].er, d),
        "Progesteronrezeptor (IRS)": lambda p, d: irs(p.samples[-1].pr, d),
        "Ki-67 (%)": lambda p, _: UNKNOWN if p.samples[-1].ki67 is None else p.samples[-1].ki67,
        "HER2 IHC": lambda p, d: d.pick(IHC_WORDS[p.samples[-1].ihc]),
        "HER2 ISH": lambda p, _: ISH_WORDS[p.samples[-1].ish],
        **{word: (lambda p, _, organ=organ: yes(p.organ(organ))) for organ, word in ORGANS.items()},
        "viszeral": lambda p, _: yes((p.row["visceral"] == "1") != (p.slipped("visceral"))),
        "messbar": lambda p, _: yes(p.row["measurable"] == "1"),
        **_treatment_columns(),
    }


def _diagnosis(p: Person, _: Dice) -> str:
    """Give the first diagnosis; a slip types a later year than that of the metastasis."""
    if p.slipped("diagnosis_year") and p.metastatic and p.diagnosis:
        return day(p.diagnosis.replace(year=p.metastatic.year + 1, day=min(p.diagnosis.day, 28)))
    return day(p.diagnosis)


def _treatment_columns() -> dict[str, Writer]:
    return {
        "adjuvante ET": lambda p, _: yes(p.row["prior_adjuvant_et"] == "1"),
        "endokrine Resistenz": lambda p, _: RESISTANCE[p.row["endocrine_resistance"]],
        "CDK4/6 zuvor": lambda p, d: d.pick(CDK[p.prior_cdk.inn]) if p.prior_cdk else "nein",
        "CDK4/6 zuvor Beginn": lambda p, _: day(p.prior_cdk.start) if p.prior_cdk else None,
        "CDK4/6 zuvor Ende": lambda p, _: day(p.prior_cdk.stop) if p.prior_cdk else None,
        "CDK4/6-Inhibitor": lambda p, d: d.pick(CDK[p.cdk.inn]),
        "Beginn": lambda p, _: day(p.cdk.start),
        "Ende": lambda p, _: day(p.cdk.stop) if p.cdk.stop else None,
        "Grund Ende": lambda p, _: STOP[p.cdk.reason or "ongoing"],
        "Therapielinie": lambda p, _: UNKNOWN if p.cdk.line is None else p.cdk.line,
        "endokriner Partner": lambda p, _: DRUGS[p.partner.inn],
        "Folgetherapie": lambda p, _: DRUGS[p.following[0].inn] if p.following else _none_or_unknown(p),
        "Folgetherapie Beginn": lambda p, _: day(p.following[0].start) if p.following else None,
        "bestes Ansprechen": lambda p, _: RESPONSE[p.row["bor"]],
        "PFS (Monate)": _months,
        "verstorben": lambda p, _: yes(p.death is not None),
        "letzter Kontakt / Todesdatum": lambda p, _: day(p.last_contact),
    }


def _none_or_unknown(p: Person) -> str | None:
    return UNKNOWN if p.row["next_therapy"] == "unknown" else None


def _months(p: Person, _: Dice) -> str:
    months = int(p.row["pfs_days"]) / 30.4375 + (2.3 if p.slipped("pfs_months") else 0)
    return f"{months:.2f}".replace(".", ",")


def write(folder: Path, people: list[Person]) -> None:
    """Write `graz.xlsx`: patients, and their scans with real date cells."""
    writers = columns()
    patients: list[list[Cell]] = [list(writers)]
    scans: list[list[Cell]] = [["Pat.-Nr.", "Datum", "Befund"]]
    for person in people:
        dice = person.dice
        patients.append([writer(person, dice) for writer in writers.values()])
        scans += [[person.id, s.day, "Progress" if s.response == "PD" else "kein Progress"] for s in person.scans]
    write_xlsx(folder / "graz.xlsx", {"Patientinnen": patients, "Staging": scans}, date_format="[$-C07]dd.mm.yyyy")
