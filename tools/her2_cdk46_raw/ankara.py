"""Ankara: one flat workbook sheet, three title lines above the header, Turkish words, text dates beside date cells."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from her2_cdk46_raw.dice import Dice
from her2_cdk46_raw.files import Cell, Damaged, write_xlsx
from her2_cdk46_raw.people import Drug, Person, Sample

TITLE = (
    "Tıbbi Onkoloji Kliniği - CDK4/6 inhibitörü alan meme kanseri hastaları",
    "Veri kesim tarihi: 31.03.2023",
    "BENZETİM VERİSİ: gerçek hasta içermez",
)

HER2_WORDS: dict[tuple[str | None, str | None], tuple[str, ...]] = {
    ("0", "not_done"): ("0", "skor 0", "negatif (0)", "Skor 0", "(0)"),
    ("1+", "not_done"): ("1+", "skor 1", "HER2 1(+)", "cerbB2 +1", "+1", "1 pozitif"),
    ("2+", "negative"): ("IHC 2+/FISH -", "2+ SISH neg", "2+ (DDISH amplifiye değil)"),
    ("2+", "positive"): ("2+ (DDISH amplifiye)",),
    ("2+", "not_done"): ("2+ (FISH yapılmadı)", "2+"),
    ("3+", "not_done"): ("3+", "skor 3"),
    ("+", "not_done"): ("+",),
    ("negative", "not_done"): ("negatif",),
    (None, None): ("bilinmiyor",),
}
CDK = {
    "palbociclib": ("Ibrance", "palbosiklib", "palbosiklib 125 mg", "IBRANCE 125 mg", "Palbociclib"),
    "ribociclib": ("Kisqali", "ribosiklib", "Kisqali 600 mg", "ribosiklib 600 mg", "Ribociclib"),
    "abemaciclib": ("Verzenio", "abemasiklib"),
}
DRUGS = {
    "letrozole": "letrozol",
    "anastrozole": "anastrozol",
    "exemestane": "eksemestan",
    "fulvestrant": "Faslodex",
    "tamoxifen": "tamoksifen",
    "everolimus": "Afinitor",
    "alpelisib": "Piqray",
    "capecitabine": "kapesitabin",
    "paclitaxel": "paklitaksel",
    "vinorelbine": "vinorelbin",
    "gemcitabine": "gemsitabin",
    "docetaxel": "dosetaksel",
    "trastuzumab deruxtecan": "Enhertu",
}
HISTOLOGY = {"IDC": "duktal", "ILC": "lobüler", "other": "diğer", "": None}
MENOPAUSE = {"pre": "premenopoz", "post": "postmenopoz", "": None}
RESISTANCE = {"naive": "naif", "primary": "primer", "secondary": "sekonder", "sensitive": "duyarlı"}
STOP = {"progression": "progresyon", "toxicity": "toksisite", "choice": "hasta isteği", "ongoing": "devam ediyor"}
RESPONSE = {"CR": "TY", "PR": "KY", "SD": "SH", "PD": "PH", "NE": "değerlendirilemedi"}
NOTES = (
    "", "", "", "", "",
    "=> 3 ay sonra kontrol", "- doz azaltıldı", "dış merkezde başlanmış", "+ zoledronik asit", "nötropeni",
)  # fmt: skip

Writer = Callable[[Person, Dice], Cell]


def yes(value: bool | None) -> str | None:
    return None if value is None else ("evet" if value else "hayır")


def present(value: bool) -> str:
    return "var" if value else "yok"


def day(value: date | None, dice: Dice) -> Cell:
    """Give a date cell, or for some the same day typed as text, the day first."""
    if value is None:
        return None
    typed = dice.share()
    if typed < 0.18:
        return f"{value.day:02d}.{value.month:02d}.{value.year}"
    if typed < 0.28:
        return f"{value.day}/{value.month}/{value.year}"
    return value


def her2(sample: Sample | None, dice: Dice) -> Cell:
    if sample is None:
        return None
    if sample.ihc == "damaged":
        return Damaged(1, 2, "[$-41F]dd.mmm")
    return dice.pick(HER2_WORDS[(sample.ihc, sample.ish)])


def percent(value: int | None, dice: Dice) -> Cell:
    if value is None:
        return None
    return f"%{value}" if dice.chance(0.4) else value


def following(drugs: list[Drug]) -> str | None:
    return " + ".join(DRUGS[drug.inn] for drug in drugs) or None


def columns() -> dict[str, Writer]:
    """Give heading -> how a patient's cell is written; the order is that of the sheet."""
    result: dict[str, Writer] = {
        "Hasta No": lambda p, _: p.id,
        "Doğum tarihi": lambda p, d: day(p.birth, d),
        "Cinsiyet": lambda p, _: "K" if p.sex == "female" else "E",
        "Menopoz": lambda p, _: MENOPAUSE[p.row["menopause"]],
        "ECOG": lambda p, _: int(p.row["ecog"]) if p.row["ecog"] else None,
        "Tanı tarihi": lambda p, d: day(p.diagnosis, d),
        "Histoloji": lambda p, _: HISTOLOGY[p.row["histology"]],
        "Grad": lambda p, _: int(p.row["grade"]) if p.row["grade"] else None,
        "Ameliyat tarihi": lambda p, d: "31.02.2020" if p.slipped("surgery") else day(p.surgery, d),
    }
    for tissue, word in (("primary", "primer"), ("metastasis", "metastaz")):
        result.update(_sample_columns(tissue, word))
    result["Metastaz tarihi"] = lambda p, d: day(p.metastatic, d)
    for organ, word in ORGAN_WORDS.items():
        result[word] = lambda p, _, organ=organ: present(p.organ(organ))
    result["Viseral"] = lambda p, _: present((p.row["visceral"] == "1") != (p.slipped("visceral")))
    return {**result, **_treatment_columns(), **_outcome_columns()}


ORGAN_WORDS = {
    "bone": "Kemik",
    "liver": "Karaciğer",
    "lung": "Akciğer",
    "pleura": "Plevra",
    "brain": "Beyin",
    "node": "Uzak lenf nodu",
    "skin": "Cilt",
}


def _sample_columns(tissue: str, word: str) -> dict[str, Writer]:
    def of(p: Person) -> Sample | None:
        return p.sample(tissue)

    return {
        f"Patoloji tarihi ({word})": lambda p, d: day(s.day, d) if (s := of(p)) else None,
        f"HER2 ({word})": lambda p, d: her2(of(p), d),
        f"ER ({word})": lambda p, d: percent(s.er, d) if (s := of(p)) else None,
        f"PR ({word})": lambda p, d: percent(s.pr, d) if (s := of(p)) else None,
        f"Ki67 ({word})": lambda p, d: percent(s.ki67, d) if (s := of(p)) else None,
    }


def _treatment_columns() -> dict[str, Writer]:
    return {
        "Ölçülebilir lezyon": lambda p, _: yes(p.row["measurable"] == "1"),
        "Adjuvan ET": lambda p, _: yes(p.row["prior_adjuvant_et"] == "1"),
        "Adjuvan ET ilacı": lambda p, _: DRUGS[a.inn] if (a := p.adjuvant) else None,
        "Adjuvan ET başlama": lambda p, d: day(a.start, d) if (a := p.adjuvant) else None,
        "Adjuvan ET bitiş": lambda p, d: day(a.stop, d) if (a := p.adjuvant) else None,
        "Endokrin direnç": lambda p, _: RESISTANCE[p.row["endocrine_resistance"]],
        "Önceki CDK4/6": lambda p, _: present(p.prior_cdk is not None) if p.prior_cdk_known else "bilinmiyor",
        "Önceki CDK4/6 ilacı": lambda p, d: d.pick(CDK[p.prior_cdk.inn]) if p.prior_cdk else None,
        "Önceki CDK4/6 başlama": lambda p, d: day(p.prior_cdk.start, d) if p.prior_cdk else None,
        "Önceki CDK4/6 dönemi": lambda p, _: (
            {"adjuvant": "adjuvan", "metastatic": "metastatik"}[p.prior_cdk.intent] if p.prior_cdk else None
        ),
        "CDK4/6 inhibitörü": lambda p, d: d.pick(CDK[p.cdk.inn]),
        "Tedavi dönemi": lambda p, _: {"adjuvant": "adjuvan", "metastatic": "metastatik"}[p.cdk.intent],
        "CDK başlama": lambda p, d: day(p.cdk.start, d),
        "CDK kesilme": lambda p, d: day(p.cdk.stop, d),
        "Kesilme nedeni": lambda p, _: STOP[p.cdk.reason or "ongoing"],
        "Kaçıncı basamak": lambda p, _: p.cdk.line,
        "ET partneri": lambda p, _: DRUGS[p.partner.inn],
        "LHRH analoğu": lambda p, _: present(p.gnrh is not None),
        "Sonraki tedavi": lambda p, _: following(p.following) or ("bilinmiyor" if _next_unknown(p) else None),
        "Sonraki tedavi başlama": lambda p, d: day(p.following[0].start, d) if p.following else None,
    }


def _next_unknown(p: Person) -> bool:
    return p.row["next_therapy"] == "unknown"


def _outcome_columns() -> dict[str, Writer]:
    return {
        "Görüntüleme tarihleri": lambda p, _: "; ".join(
            f"{scan.day:%d.%m.%Y}" for scan in p.scans if scan.response != "PD"
        ),
        "En iyi yanıt": lambda p, _: RESPONSE[p.row["bor"]],
        "Progresyon": lambda p, _: present(p.progression is not None),
        "Progresyon tarihi": lambda p, d: day(p.progression, d),
        "PFS (ay)": lambda p, _: _months(p),
        "Son durum": lambda p, _: "ex" if p.death or p.slipped("dead_without_date") else "sağ",
        "Son durum tarihi": lambda p, d: None if p.slipped("dead_without_date") else day(p.last_contact, d),
        "Açıklama": lambda _, d: d.pick(NOTES),
    }


def _months(p: Person) -> float | None:
    if p.cdk.intent == "adjuvant":
        return None
    months = round(int(p.row["pfs_days"]) / 30.4375, 2)
    return round(months + 1.8, 2) if p.slipped("pfs_months") else months


def write(folder: Path, people: list[Person]) -> None:
    """Write `ankara.xlsx`; its last line is a remark without a patient."""
    writers = columns()
    header = ["Sıra", *writers]
    rows: list[list[Cell]] = [[line] for line in TITLE]
    rows.append(list(header))
    for number, person in enumerate(people, 1):
        dice = person.dice
        rows.append([number, *(writer(person, dice) for writer in writers.values())])
    rows.append(
        [f"Toplam {len(people)} hasta. K: kadın, E: erkek; ex: ölmüş; TY/KY/SH/PH: tam/kısmi yanıt, stabil, progresif"]
    )
    write_xlsx(folder / "ankara.xlsx", {"Hastalar": rows}, header_row=len(TITLE) + 1, date_format="[$-41F]dd.mm.yyyy")
