"""Cork: English CSV files coded 0/1 with ISO dates, a codebook beside them, and a long file of scans."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from her2_cdk46_raw.files import write_csv
from her2_cdk46_raw.people import Person

IHC = {"0": "0", "1+": "+", "2+": "++", "3+": "+++", None: ""}
ISH = {"negative": "0", "positive": "1", "not_done": "9", None: "9"}
CDK = {"palbociclib": "1", "ribociclib": "2", "abemaciclib": "3"}
PARTNER = {"letrozole": "1", "anastrozole": "2", "exemestane": "3", "fulvestrant": "4"}
HISTOLOGY = {"IDC": "1", "ILC": "2", "other": "3", "": "9"}
RESISTANCE = {"naive": "0", "primary": "1", "secondary": "2", "sensitive": "3"}
RESPONSE = {"CR": "1", "PR": "2", "SD": "3", "PD": "4", "NE": "8"}
STOP = {"ongoing": "0", "progression": "1", "toxicity": "2", "choice": "3"}
SITES = {
    "bone": "bone",
    "liver": "liver",
    "lung": "lung",
    "pleura": "pleura",
    "brain": "CNS",
    "node": "distant nodes",
    "skin": "skin",
}

CODEBOOK = [
    ("variable", "meaning", "codes"),
    ("", "SIMULATED DATA: every patient in these files is invented", ""),
    ("id", "study number", ""),
    ("dob", "date of birth", "YYYY-MM-DD"),
    ("female", "sex", "1 = female; 0 = male"),
    ("postmen", "menopausal status at start of CDK4/6 inhibitor", "0 = pre; 1 = post; 9 = not known"),
    ("ecog", "ECOG performance status", "0-4; 9 = not known"),
    ("dx_date", "date of first diagnosis", "YYYY-MM-DD"),
    ("histology", "histological type", "1 = ductal; 2 = lobular; 3 = other; 9 = not known"),
    ("grade", "tumour grade", "1-3; 9 = not known"),
    ("met_date", "date of metastatic disease", "YYYY-MM-DD"),
    ("sites", "distant sites at start of CDK4/6 inhibitor, all of them", "text, separated by ;"),
    ("path_date", "date of the most recent specimen", "YYYY-MM-DD"),
    ("path_met", "specimen from a metastasis", "0 = primary; 1 = metastasis"),
    ("er_pct", "oestrogen receptor", "per cent of cells; blank = not known"),
    ("pr_pct", "progesterone receptor", "per cent of cells; blank = not known"),
    ("ki67", "Ki-67", "per cent of cells; blank = not known"),
    ("her2_ihc", "HER2 immunohistochemistry", "0; + = 1+; ++ = 2+; +++ = 3+; blank = not known"),
    ("her2_ish", "HER2 in situ hybridisation", "0 = not amplified; 1 = amplified; 9 = not done"),
    ("measurable", "measurable disease (RECIST 1.1)", "0 = no; 1 = yes"),
    ("adj_et", "adjuvant endocrine therapy", "0 = no; 1 = yes"),
    ("et_resist", "endocrine resistance (ABC)", "0 = naive; 1 = primary; 2 = secondary; 3 = sensitive"),
    ("prior_cdk", "any CDK4/6 inhibitor before this one", "0 = no; 1 = yes"),
    ("cdk", "CDK4/6 inhibitor", "1 = palbociclib; 2 = ribociclib; 3 = abemaciclib"),
    ("cdk_start", "first dose", "YYYY-MM-DD"),
    ("cdk_stop", "last dose; blank = ongoing", "YYYY-MM-DD"),
    ("stop_why", "reason stopped", "0 = ongoing; 1 = progression; 2 = toxicity; 3 = patient's choice"),
    ("line", "line of therapy for metastatic disease", "number; 99 = not known"),
    ("et", "endocrine partner", "1 = letrozole; 2 = anastrozole; 3 = exemestane; 4 = fulvestrant"),
    ("et_start", "first dose of the endocrine partner", "YYYY-MM-DD"),
    ("best_resp", "best response as judged in clinic", "1 = CR; 2 = PR; 3 = SD; 4 = PD; 8 = not evaluable"),
    ("next_drug", "next line of therapy, first drug", "text; blank = none or not known"),
    ("next_start", "first dose of the next line", "YYYY-MM-DD"),
    ("dead", "died", "0 = no; 1 = yes"),
    ("last_date", "date last known alive, or of death", "YYYY-MM-DD"),
    ("scan_no (scans file)", "number of the scan", ""),
    ("scan_date (scans file)", "date of the scan", "YYYY-MM-DD"),
    ("pd (scans file)", "progression on this scan", "0 = no; 1 = yes"),
]

Writer = Callable[[Person], str]


def day(value: date | None) -> str:
    return value.isoformat() if value else ""


def percent(value: int | None) -> str:
    return "" if value is None else str(value)


def flag(value: bool) -> str:
    return "1" if value else "0"


def columns() -> dict[str, Writer]:
    """Give variable -> how a patient's cell is written; the order is that of the file and of its codebook."""
    return {
        "id": lambda p: p.id,
        "dob": lambda p: day(p.birth),
        "female": lambda p: flag(p.sex == "female"),
        "postmen": lambda p: {"pre": "0", "post": "1", "": "9"}[p.row["menopause"]],
        "ecog": lambda p: p.row["ecog"] or "9",
        "dx_date": lambda p: day(p.diagnosis),
        "histology": lambda p: HISTOLOGY[p.row["histology"]],
        "grade": lambda p: p.row["grade"] or "9",
        "met_date": lambda p: day(p.metastatic),
        "sites": lambda p: "; ".join(word for organ, word in SITES.items() if p.organ(organ)),
        "path_date": lambda p: day(p.samples[-1].day),
        "path_met": lambda p: flag(p.samples[-1].tissue == "metastasis"),
        "er_pct": lambda p: percent(p.samples[-1].er),
        "pr_pct": lambda p: percent(p.samples[-1].pr),
        "ki67": lambda p: percent(p.samples[-1].ki67),
        "her2_ihc": lambda p: IHC[p.samples[-1].ihc],
        "her2_ish": lambda p: ISH[p.samples[-1].ish],
        "measurable": lambda p: p.row["measurable"],
        "adj_et": lambda p: p.row["prior_adjuvant_et"],
        "et_resist": lambda p: RESISTANCE[p.row["endocrine_resistance"]],
        "prior_cdk": lambda p: flag(p.prior_cdk is not None),
        "cdk": lambda p: CDK[p.cdk.inn],
        "cdk_start": lambda p: day(p.cdk.start),
        "cdk_stop": lambda p: day(p.cdk.stop),
        "stop_why": lambda p: STOP[p.cdk.reason or "ongoing"],
        "line": lambda p: "99" if p.cdk.line is None else str(p.cdk.line),
        "et": lambda p: PARTNER[p.partner.inn],
        "et_start": lambda p: day(p.partner.start),
        "best_resp": lambda p: RESPONSE[p.row["bor"]],
        "next_drug": lambda p: p.following[0].inn if p.following else "",
        "next_start": lambda p: day(p.following[0].start) if p.following else "",
        "dead": lambda p: flag(p.death is not None),
        "last_date": lambda p: "2032-03-10" if p.slipped("late_year") else day(p.last_contact),
    }


def write(folder: Path, people: list[Person]) -> None:
    """Write `cork_patients.csv`, `cork_scans.csv` and `cork_codebook.csv`."""
    writers = columns()
    patients = [list(writers), *([writer(person) for writer in writers.values()] for person in people)]
    scans = [["id", "scan_no", "scan_date", "pd"]]
    for person in people:
        scans += [
            [person.id, str(number), day(scan.day), flag(scan.response == "PD")]
            for number, scan in enumerate(person.scans, 1)
        ]
    for name, rows in (("patients", patients), ("scans", scans), ("codebook", CODEBOOK)):
        write_csv(folder / f"cork_{name}.csv", rows, delimiter=",", encoding="utf-8", line_end="\n")
