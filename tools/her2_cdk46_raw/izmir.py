"""Izmir: one semicolon CSV in Windows-1254 with decimal commas, as a hospital program exports it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

from her2_cdk46_raw.dice import Dice
from her2_cdk46_raw.files import write_csv
from her2_cdk46_raw.people import Person, Sample

UNKNOWN = "bilinmiyor"
ABSENT = "-"

IHC_WORDS: dict[str | None, tuple[str, ...]] = {
    "0": ("0", "skor 0", "negatif (0)"),
    "1+": ("1+", "1", "+1", "1 pozitif"),
    "2+": ("2+", "2", "+2"),
    "3+": ("3+", "3"),
    "negative": ("negatif",),
    "0-1+": ("0-1",),
    "damaged": ("02.Oca",),
    None: (UNKNOWN,),
}
ISH_WORDS: dict[str | None, tuple[str, ...]] = {
    "negative": ("negatif", "amplifikasyon yok", "amplifiye değil"),
    "positive": ("amplifiye", "pozitif"),
    "not_done": ("yapılmadı", "yapılmadı", ABSENT),
    None: (UNKNOWN,),
}
CDK = {
    "palbociclib": ("PALBOSİKLİB", "IBRANCE", "palbosiklib"),
    "ribociclib": ("RİBOSİKLİB", "KISQALI", "ribosiklib"),
    "abemaciclib": ("ABEMASİKLİB",),
}
DRUGS = {
    "letrozole": "LETROZOL",
    "anastrozole": "ANASTROZOL",
    "exemestane": "EKSEMESTAN",
    "fulvestrant": "FULVESTRANT",
    "tamoxifen": "TAMOKSİFEN",
    "everolimus": "AFINITOR",
    "alpelisib": "PIQRAY",
    "capecitabine": "KAPESİTABİN",
    "paclitaxel": "PAKLİTAKSEL",
    "vinorelbine": "VİNORELBİN",
    "gemcitabine": "GEMSİTABİN",
    "docetaxel": "DOSETAKSEL",
    "trastuzumab deruxtecan": "ENHERTU",
}
HISTOLOGY = {"IDC": "İDK", "ILC": "İLK", "other": "Diğer", "": UNKNOWN}
RESISTANCE = {"naive": "Naif", "primary": "Primer", "secondary": "Sekonder", "sensitive": "Duyarlı"}
STOP = {"progression": "Progresyon", "toxicity": "Yan etki", "choice": "Hasta tercihi", "ongoing": "Devam ediyor"}
RESPONSE = {"CR": "Tam yanıt", "PR": "Kısmi yanıt", "SD": "Stabil", "PD": "Progresyon", "NE": UNKNOWN}

Writer = Callable[[Person, Dice], str]


def day(value: date | None, missing: str = "") -> str:
    return value.strftime("%d.%m.%Y") if value else missing


def yes(value: bool) -> str:
    return "Evet" if value else "Hayır"


def receptor(value: int | None, dice: Dice, fraction: bool = False) -> str:
    """Write a percentage as laboratories do; a slip gives it as a fraction with a comma."""
    if value is None:
        return UNKNOWN
    if fraction:
        return "0,9"
    if value >= 50 and dice.chance(0.06):
        return "pozitif"
    return dice.pick((f"%{value}", f"%{value}", f"%{value}", f"{value}", f"{value},0"))


def _sample_columns(tissue: str, word: str) -> dict[str, Writer]:
    def of(p: Person) -> Sample | None:
        return p.sample(tissue)

    return {
        f"{word}_PATOLOJI_TARIHI": lambda p, _: day(s.day) if (s := of(p)) else "",
        f"{word}_HER2_IHK": lambda p, d: d.pick(IHC_WORDS[s.ihc]) if (s := of(p)) else "",
        f"{word}_FISH": lambda p, d: _fish(s, d) if (s := of(p)) else "",
        f"{word}_ER": lambda p, d: receptor(s.er, d, p.slipped("er_fraction")) if (s := of(p)) else "",
        f"{word}_PR": lambda p, d: receptor(s.pr, d) if (s := of(p)) else "",
        f"{word}_KI67": lambda p, d: _ki67(s, d) if (s := of(p)) else "",
    }


def _fish(sample: Sample, dice: Dice) -> str:
    """Write the in situ result; where a 2+ has none there stands a dash, which elsewhere could be read as negative."""
    if (sample.ihc, sample.ish) == ("2+", "not_done"):
        return ABSENT
    return dice.pick(ISH_WORDS[sample.ish])


def _ki67(sample: Sample, dice: Dice) -> str:
    return UNKNOWN if sample.ki67 is None else f"{sample.ki67},{dice.pick((0, 0, 5))}"


def columns() -> dict[str, Writer]:
    """Give heading -> how a patient's cell is written; the order is that of the file."""
    return {
        "HASTA_KODU": lambda p, _: p.id,
        "DOĞUM_TARİHİ": lambda p, _: day(p.birth, UNKNOWN),
        "CİNSİYET": lambda p, _: "Kadın" if p.sex == "female" else "Erkek",
        "MENOPOZ": lambda p, _: {"pre": "Pre", "post": "Post", "": UNKNOWN}[p.row["menopause"]],
        "ECOG_PS": lambda p, _: p.row["ecog"] or ABSENT,
        "TANI_TARİHİ": lambda p, _: day(p.diagnosis),
        "HİSTOLOJİ": lambda p, _: "Tübüler" if p.slipped("histology") else HISTOLOGY[p.row["histology"]],
        "GRAD": lambda p, _: p.row["grade"] or ABSENT,
        **_sample_columns("primary", "PRİMER"),
        "METASTAZ_TARİHİ": lambda p, _: day(p.metastatic, UNKNOWN),
        **_sample_columns("metastasis", "METASTAZ"),
        "KEMİK": lambda p, _: yes(p.organ("bone")),
        "KARACİĞER": lambda p, _: yes(p.organ("liver")),
        "AKCİĞER": lambda p, _: yes(p.organ("lung")),
        "PLEVRA": lambda p, _: yes(p.organ("pleura")),
        "BEYİN": lambda p, _: yes(p.organ("brain")),
        "UZAK_LENF": lambda p, _: yes(p.organ("node")),
        "CİLT": lambda p, _: yes(p.organ("skin")),
        "METASTAZ_SAYISI": lambda p, _: str(int(p.row["n_organs"]) + (p.slipped("organs"))),
        "ÖLÇÜLEBİLİR": lambda p, _: yes(p.row["measurable"] == "1"),
        "ADJUVAN_ET": lambda p, _: yes(p.row["prior_adjuvant_et"] == "1"),
        "ENDOKRİN_DİRENÇ": lambda p, _: RESISTANCE[p.row["endocrine_resistance"]],
        "ÖNCEKİ_CDK46": lambda p, _: yes(p.prior_cdk is not None),
        "ÖNCEKİ_CDK46_İLAÇ": lambda p, d: d.pick(CDK[p.prior_cdk.inn]) if p.prior_cdk else "",
        "ÖNCEKİ_CDK46_BAŞLAMA": lambda p, _: day(p.prior_cdk.start) if p.prior_cdk else "",
        "ÖNCEKİ_CDK46_BİTİŞ": lambda p, _: day(p.prior_cdk.stop) if p.prior_cdk else "",
        "CDK_İLAÇ": lambda p, d: d.pick(CDK[p.cdk.inn]),
        "CDK_BAŞLAMA": lambda p, _: day(p.cdk.start),
        "CDK_BİTİŞ": lambda p, _: day(p.cdk.stop),
        "BİTİŞ_NEDENİ": lambda p, _: STOP[p.cdk.reason or "ongoing"],
        "BASAMAK": lambda p, _: UNKNOWN if p.cdk.line is None else f"{p.cdk.line}. basamak",
        "ENDOKRİN_İLAÇ": lambda p, _: DRUGS[p.partner.inn],
        "ENDOKRİN_BAŞLAMA": lambda p, _: day(p.partner.start),
        "KONTROL_TARİHLERİ": lambda p, _: " / ".join(day(scan.day) for scan in p.scans if scan.response != "PD"),
        "YANIT": lambda p, _: RESPONSE[p.row["bor"]],
        "PROGRESYON_TARİHİ": lambda p, _: day(p.progression, ABSENT),
        "SONRAKİ_TEDAVİ": lambda p, _: _following(p),
        "SONRAKİ_BAŞLAMA": lambda p, _: day(p.following[0].start) if p.following else "",
        "SON_KONTROL": lambda p, _: day(p.last_contact),
        "EXİTUS_TARİHİ": lambda p, _: day(p.death, ABSENT),
        "ÖLÜM_NEDENİ": lambda p, _: CAUSES[p.cause] if p.cause else "",
    }


CAUSES = {
    "breast cancer": "meme kanseri",
    "infection": "enfeksiyon",
    "cardiovascular": "kardiyovasküler",
    "unknown": UNKNOWN,
}


def _following(p: Person) -> str:
    if not p.following:
        return UNKNOWN if p.row["next_therapy"] == "unknown" else ABSENT
    return "+".join(DRUGS[drug.inn] for drug in p.following)


def write(folder: Path, people: list[Person]) -> None:
    """Write `izmir.csv`; one patient who is not eligible stands in it twice."""
    writers = columns()
    rows = [list(writers)]
    for person in people:
        dice = person.dice
        row = [writer(person, dice) for writer in writers.values()]
        rows.append(row)
        if person.slipped("twice"):
            again = list(row)
            again[list(writers).index("ECOG_PS")] = "2"
            rows.append(again)
    write_csv(folder / "izmir.csv", rows, delimiter=";", encoding="cp1254", line_end="\r\n")
