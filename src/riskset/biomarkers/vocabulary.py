"""Words that pathology reports share, whichever marker they speak of, in six languages, without accents. Data alone."""

from __future__ import annotations

from riskset.biomarkers.reading import words

NUMBER = r"\d+(?:[.,]\d+)?"
MONTH = (
    r"(?:jan|oca|ene|janv|feb|sub|fev|fevr|mar|marz|mars|mrz|mae?r|apr|nis|abr|avr|may|mai|mayis|jun|haz|juin|jul|tem|"
    r"juil|aug|agu|ago|aou?t|sep|sept|eyl|oct|okt|eki|nov|kas|dec|dez|ara|dic)[a-z]*"
)
MISSING_WORDS = words(
    "bos",
    "yok",
    "bilinmiyor",
    "bilinmeyen",
    "belirtilmemis",
    "eksik",
    r"k ?\. ?a ?\.?",
    "ka",
    "keine angaben?",
    "unbekannt",
    "inconnue?",
    "non precise",
    "desconocid[oa]",
    "sconosciuto",
    "missing",
    "unknown",
    r"unk(?: ?/ ?nd)?",
    r"n ?[./] ?a ?\.?",
    "na",
    r"n ?[./] ?d ?\.?",
    "nd",
    "nan",
    "none",
    "not (?:available|known|reported|stated)",
)
NOT_DONE_WORDS = words(
    "yapilmad[iu]",
    "yapilmamis",
    "bakilmad[iu]",
    "calisilmad[iu]",
    "calisilmamis",
    "not (?:done|performed|tested|assessed)",
    "nicht (?:durchgefue?hrt|gemacht|getestet|bestimmt)",
    "non (?:fait|realise|effectue)e?",
    "no (?:realizad[oa]|hech[oa])",
    "non eseguit[oa]",
)

NEGATIVE_WORDS = words(r"neg(?:ati[fv][a-z]*)?")
POSITIVE_WORDS = words(r"po[sz](?:iti[fv][a-z]*)?")

# What Excel makes of "1-2" or of a formula: the text itself is lost.
DAMAGED_BY_EXCEL = (
    r"#.*",
    rf"\d{{1,4}}[-./ ]{{1,2}}{MONTH}(?:[-./ ]{{1,2}}\d{{2,4}})?",
    rf"{MONTH}[-./ ]{{1,2}}\d{{1,4}}",
    r"\d{1,2}[-./]\d{1,2}[-./]\d{2,4}(?: .*)?",
    r"\d{4}[-./]\d{1,2}[-./]\d{1,2}(?:[ t].*)?",
)
