"""Bursa: one SPSS file, numbers with value labels, 9, 99 and 999 declared as missing, SPSS dates."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

from her2_cdk46_raw.dice import Dice
from her2_cdk46_raw.files import write_sav
from her2_cdk46_raw.people import Person, Sample

SCANS = 14
NO_YES = {0: "Hayır", 1: "Evet", 9: "Bilinmiyor"}
ABSENT_PRESENT = {0: "Yok", 1: "Var", 9: "Bilinmiyor"}
CDK = {1: "palbosiklib", 2: "ribosiklib", 3: "abemasiklib"}
CDK_CODE = {"palbociclib": 1, "ribociclib": 2, "abemaciclib": 3}
PARTNER = {1: "letrozol", 2: "anastrozol", 3: "eksemestan", 4: "fulvestrant"}
PARTNER_CODE = {"letrozole": 1, "anastrozole": 2, "exemestane": 3, "fulvestrant": 4}
FOLLOWING = {
    "fulvestrant": "fulvestrant",
    "exemestane": "eksemestan",
    "alpelisib": "Piqray",
    "everolimus": "everolimus",
    "capecitabine": "kapesitabin",
    "paclitaxel": "paklitaksel",
    "vinorelbine": "vinorelbin",
    "gemcitabine": "gemsitabin",
    "docetaxel": "dosetaksel",
    "trastuzumab deruxtecan": "T-DXd",
}
IHC = {0: "skor 0", 1: "skor 1+", 2: "skor 2+", 3: "skor 3+", 9: "Bilinmiyor"}
IHC_CODE = {"0": 0, "1+": 1, "2+": 2, "3+": 3, "damaged": 12, None: 9}
ISH = {0: "negatif", 1: "pozitif", 2: "yapılmadı", 9: "Bilinmiyor"}
ISH_CODE = {"negative": 0, "positive": 1, "not_done": 2, None: 9}
RESISTANCE_CODE = {"naive": 0, "primary": 1, "secondary": 2, "sensitive": 3}
RESPONSE_CODE = {"CR": 1, "PR": 2, "SD": 3, "PD": 4, "NE": 5}
STOP_CODE = {"ongoing": 0, "progression": 1, "toxicity": 2, "choice": 3}

LABELS: dict[str, dict[int, str]] = {
    "CINS": {1: "Kadın", 2: "Erkek"},
    "MENOPOZ": {1: "Premenopozal", 2: "Postmenopozal", 9: "Bilinmiyor"},
    "HISTO": {1: "Duktal", 2: "Lobüler", 3: "Diğer", 9: "Bilinmiyor"},
    "DOKU": {1: "Primer", 2: "Metastaz"},
    "HER2IHK": IHC,
    "HER2ISH": ISH,
    **dict.fromkeys(("KEMIK", "KARACIG", "AKCIG", "PLEVRA", "BEYIN", "LENF", "CILT"), ABSENT_PRESENT),
    "SADKEMIK": NO_YES,
    "OLCULEB": NO_YES,
    "ADJET": NO_YES,
    "DIRENC": {0: "Naif", 1: "Primer direnç", 2: "Sekonder direnç", 3: "Duyarlı", 9: "Bilinmiyor"},
    "ONCCDK": ABSENT_PRESENT,
    "ONCCDKAD": CDK,
    "CDK": CDK,
    "BITNEDEN": {0: "Devam ediyor", 1: "Progresyon", 2: "Toksisite", 3: "Hasta isteği", 9: "Bilinmiyor"},
    "BASAMAK": {99: "Bilinmiyor"},
    "PARTNER": PARTNER,
    "YANIT": {1: "Tam yanıt", 2: "Kısmi yanıt", 3: "Stabil hastalık", 4: "Progresif hastalık", 5: "Değerlendirilemez"},
    "DURUM": {0: "Yaşıyor", 1: "Ex"},
}
MISSING = {
    **{name: [9] for name, codes in LABELS.items() if 9 in codes},
    "ECOG": [9],
    "GRAD": [9],
    "BASAMAK": [99],
    "ER": [999],
    "PR": [999],
    "KI67": [999],
}

Writer = Callable[[Person, Dice], Any]
Column = tuple[str, str, Writer]


def number(text: str, missing: int) -> int:
    return int(text) if text else missing


def percent(value: int | None) -> int:
    return 999 if value is None else value


def deciding(p: Person) -> Sample:
    return p.samples[-1]


def _scan(place: int) -> Writer:
    def write_scan(p: Person, _: Dice) -> date | None:
        days = [scan.day for scan in p.scans if scan.response != "PD"]
        return days[place] if place < len(days) else None

    return write_scan


def columns() -> dict[str, Column]:
    """Give variable -> (label, kind, how it is filled), in the order of the file."""
    return {
        "HASTANO": ("Hasta numarası", "number", lambda p, _: int(p.id)),
        "DOGTAR": ("Doğum tarihi", "date", lambda p, _: p.birth),
        "CINS": ("Cinsiyet", "number", lambda p, _: 1 if p.sex == "female" else 2),
        "MENOPOZ": ("Menopoz durumu", "number", lambda p, _: {"pre": 1, "post": 2, "": 9}[p.row["menopause"]]),
        "ECOG": ("ECOG performans", "number", lambda p, _: number(p.row["ecog"], 9)),
        "TANITAR": ("İlk tanı tarihi", "date", lambda p, _: p.diagnosis),
        "HISTO": ("Histoloji", "number", lambda p, _: {"IDC": 1, "ILC": 2, "other": 3, "": 9}[p.row["histology"]]),
        "GRAD": ("Grad", "number", lambda p, _: number(p.row["grade"], 9)),
        "METTAR": ("Metastaz tarihi", "date", lambda p, _: p.metastatic),
        "PATTAR": ("Patoloji tarihi", "date", lambda p, _: deciding(p).day),
        "DOKU": ("Patoloji dokusu", "number", lambda p, _: {"primary": 1, "metastasis": 2}[deciding(p).tissue]),
        "HER2IHK": ("HER2 IHK skoru", "number", lambda p, _: IHC_CODE[deciding(p).ihc]),
        "HER2ISH": ("HER2 FISH/SISH", "number", lambda p, _: ISH_CODE[deciding(p).ish]),
        "ER": ("Östrojen reseptörü (%)", "number", lambda p, _: percent(deciding(p).er)),
        "PR": ("Progesteron reseptörü (%)", "number", lambda p, _: percent(deciding(p).pr)),
        "KI67": ("Ki-67 (%)", "number", lambda p, _: percent(deciding(p).ki67)),
        **_organ_columns(),
        **_treatment_columns(),
        **_outcome_columns(),
    }


def _organ_columns() -> dict[str, Column]:
    named = {
        "KEMIK": ("Kemik metastazı", "bone"),
        "KARACIG": ("Karaciğer metastazı", "liver"),
        "AKCIG": ("Akciğer metastazı", "lung"),
        "PLEVRA": ("Plevra metastazı", "pleura"),
        "BEYIN": ("Beyin metastazı", "brain"),
        "LENF": ("Uzak lenf nodu metastazı", "node"),
        "CILT": ("Cilt metastazı", "skin"),
    }
    result: dict[str, Column] = {
        name: (label, "number", lambda p, _, organ=organ: int(p.organ(organ))) for name, (label, organ) in named.items()
    }
    result["NORGAN"] = ("Metastatik organ sayısı", "number", lambda p, _: int(p.row["n_organs"]))
    result["SADKEMIK"] = ("Sadece kemik metastazı", "number", _bone_only)
    return result


def _bone_only(p: Person, _: Dice) -> int:
    return 1 - int(p.row["bone_only"]) if p.slipped("bone_only") else int(p.row["bone_only"])


def _treatment_columns() -> dict[str, Column]:
    return {
        "OLCULEB": ("Ölçülebilir hastalık", "number", lambda p, _: int(p.row["measurable"])),
        "ADJET": ("Adjuvan endokrin tedavi", "number", lambda p, _: int(p.row["prior_adjuvant_et"])),
        "DIRENC": ("Endokrin direnç", "number", lambda p, _: RESISTANCE_CODE[p.row["endocrine_resistance"]]),
        "ONCCDK": ("Önceki CDK4/6 inhibitörü", "number", lambda p, _: int(p.prior_cdk is not None)),
        "ONCCDKAD": ("Önceki CDK4/6 adı", "number", lambda p, _: CDK_CODE[p.prior_cdk.inn] if p.prior_cdk else None),
        "ONCCDKBA": ("Önceki CDK4/6 başlama", "date", lambda p, _: p.prior_cdk.start if p.prior_cdk else None),
        "CDK": ("CDK4/6 inhibitörü", "number", lambda p, _: CDK_CODE[p.cdk.inn]),
        "CDKBAS": ("CDK4/6 başlama tarihi", "date", lambda p, _: p.cdk.start),
        "CDKBIT": ("CDK4/6 bitiş tarihi", "date", lambda p, _: p.cdk.stop),
        "BITNEDEN": ("CDK4/6 kesilme nedeni", "number", lambda p, _: STOP_CODE[p.cdk.reason or "ongoing"]),
        "BASAMAK": ("Tedavi basamağı", "number", lambda p, _: 99 if p.cdk.line is None else p.cdk.line),
        "PARTNER": ("Endokrin partner", "number", lambda p, _: PARTNER_CODE[p.partner.inn]),
        "PARTBAS": ("Endokrin partner başlama", "date", lambda p, _: p.partner.start),
        "SONTED": ("Sonraki tedavi", "text", lambda p, _: FOLLOWING[p.following[0].inn] if p.following else ""),
        "SONTEDBA": ("Sonraki tedavi başlama", "date", lambda p, _: p.following[0].start if p.following else None),
    }


def _outcome_columns() -> dict[str, Column]:
    scans: dict[str, Column] = {
        f"BT{place + 1}": (f"Görüntüleme {place + 1} (progresyon yok)", "date", _scan(place)) for place in range(SCANS)
    }
    return {
        **scans,
        "YANIT": ("En iyi yanıt", "number", lambda p, _: RESPONSE_CODE[p.row["bor"]]),
        "PDTAR": ("Progresyon tarihi", "date", lambda p, _: p.progression),
        "DURUM": ("Son durum", "number", lambda p, _: 1 if p.death else 0),
        "DURUMTAR": ("Son durum tarihi", "date", _last_contact),
    }


def _last_contact(p: Person, _: Dice) -> date:
    """Give the last contact; a slip puts it before the end of the drug."""
    if p.slipped("contact_early") and p.cdk.stop:
        return date.fromordinal(p.cdk.stop.toordinal() - 45)
    return p.last_contact


def write(folder: Path, people: list[Person]) -> None:
    """Write `bursa.sav`."""
    specified = columns()
    rows = [(person, person.dice) for person in people]
    filled = {
        name: (label, kind, [writer(person, dice) for person, dice in rows])
        for name, (label, kind, writer) in specified.items()
    }
    write_sav(folder / "bursa.sav", filled, LABELS, MISSING)
