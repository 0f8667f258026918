"""Reading a drug name: exact after tidying, or not at all.

The text is tried whole, then without dose, form and salt, then part by part where it joins drugs ("palbociclib +
letrozole"). A name within an edit distance of two of a known one is never accepted: it only names the nearest drug,
so that the query to the hospital can.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field

from riskset.errors import Problem, StudyFileError, did_you_mean
from riskset.timeline.dictionary import COMBINATIONS, DICTIONARY, Drug

FUZZY_DISTANCE = 2
# A short name lies within two letters of too many others for "nearest" to mean anything.
FUZZY_SHORTEST = 5

_DOSE = re.compile(
    r"\d+(?:[.,]\d+)?\s*(?:milligram\w*|mikrogram\w*|mg|mcg|ug|gr?|ml|iu|ie|mio)\b(?:\s*/\s*(?:m2|kg|day|gun|tag|d|ml))?"
)
_SCHEDULE = re.compile(r"\b\d+\s*x\s*\d+(?:[.,]\d+)?\b|\bq\s*\d+\s*(?:d|w|h)?\b|\bd\d+(?:\s*-\s*\d+)?\b")
_NUMBER = re.compile(r"(?<![\w-])\d+(?:[.,]\d+)?(?![\w-])")
_FORM = re.compile(
    r"\b(?:tablet\w*|tablett\w*|tabl|tab|tb|capsul\w*|kapsul\w*|kapsel\w*|caps|kaps|cap|film|fct|ftb|ampul\w*|amp|flakon|"
    r"vial|inj|injection\w*|enjeksiyon\w*|iv|im|sc|po|oral|depot|depo|retard|la|implant|solution|daily|weekly|bid|qd|od)\b"
)
_SALT = re.compile(
    r"\b(?:di|mono)?(?:hydrochlorid[e]?|hidroklorur|hcl|succinat[e]?|suksinat|citrat[e]?|sitrat|acetat[e]?|asetat|"
    r"mesylat[e]?|mesilat|tosylat[e]?|tosilat|phosphat[e]?|fosfat|tartrat[e]?|tartarat|sulfat[e]?|sulphate|sodium|"
    r"sodyum|disodium)\b"
)
_CDK46 = re.compile(r"\bcdk\s*4\s*/\s*6")
# "-" joins parts of one name (nab-paclitaxel) and is no separator.
_JOINED = re.compile(r"\s*[+/&;,]\s*|\s+(?:ve|and|und|et|y|ile|with|mit|plus)\s+")


@dataclass(frozen=True, slots=True)
class Reading:
    """What one part of a drug name was read as: a drug, or none with the nearest known one (or null)."""

    drug: Drug | None
    nearest: Drug | None = None


@dataclass(frozen=True, slots=True)
class Names:
    """The dictionary turned round: key -> the drugs that it names. Build by `names`."""

    by_key: Mapping[str, tuple[Drug, ...]]
    spellings: tuple[str, ...] = field(default=())


def fold(text: str) -> str:
    """Give the text in lower case without accents; Turkish dotted and dotless i become i, whatever the case."""
    plain = unicodedata.normalize("NFKC", text).replace("İ", "i").replace("I", "i").replace("ı", "i").casefold()
    apart = unicodedata.normalize("NFKD", plain)
    return " ".join("".join(c for c in apart if not unicodedata.combining(c)).split())


def key(text: str) -> str:
    """Give what names are compared by: letters and digits of the folded text."""
    return re.sub(r"[^a-z0-9]", "", fold(text))


def names(synonyms: Mapping[str, str] | None = None, *, file: str | None = None) -> Names:
    """Turn the dictionary round, with a mapping's own synonyms added.

    Parameters
    ----------
    synonyms
        The mapping's `drugs`: a name as the hospital writes it -> INN (or any known name; several joined by `+`). An
        INN that the dictionary lacks is taken as it stands, without class and ATC code.
    file
        The mapping's path, for messages.

    Raises
    ------
    StudyFileError
        A synonym stands for something that is nearly, but not quite, a known drug.
    """
    by_key: dict[str, tuple[Drug, ...]] = {}
    by_inn = {drug.inn: drug for drug in DICTIONARY if drug.inn}
    for drug in DICTIONARY:
        codes = (drug.atc, *drug.former_atc)
        for name in (drug.inn, *drug.names, *codes):
            if name:
                by_key[key(name)] = (drug,)
    for combination in COMBINATIONS:
        for name in combination.names:
            by_key[key(name)] = tuple(by_inn[inn] for inn in combination.inns)
    known = Names(dict(by_key), _spellings(by_key))
    for name, meant in sorted((synonyms or {}).items()):
        by_key[key(name)] = tuple(_declared(name, part, file) for part in read(meant, known))
    return Names(by_key, _spellings(by_key))


def read(text: str, known: Names) -> tuple[tuple[str, Reading], ...]:
    """Read a drug name: one (part, reading) for each drug that the text names, at least one.

    A text that joins drugs of which one is unknown gives a reading for each part, so that the known are kept.
    """
    for candidate in (text, tidy(text)):
        found = known.by_key.get(key(candidate))
        if found:
            return tuple((text, Reading(drug)) for drug in found)
    parts = [part for part in _JOINED.split(tidy(text)) if key(part)]
    if len(parts) > 1:
        return tuple(reading for part in parts for reading in read(part, known))
    return ((text, Reading(None, nearest(tidy(text), known))),)


def tidy(text: str) -> str:
    """Take dose, schedule, pharmaceutical form and salt away."""
    bare = _CDK46.sub("cdk46", fold(text))  # its slash joins no two drugs
    for pattern in (_DOSE, _SCHEDULE, _FORM, _SALT, _NUMBER):
        bare = pattern.sub(" ", bare)
    return " ".join(bare.split())


def nearest(text: str, known: Names) -> Drug | None:
    """Give the known drug whose name lies nearest, within an edit distance of two; null where there is none.

    Of several as near, the first by spelling; a name that stands for several drugs gives the first of them.
    """
    asked = key(text)
    if len(asked) < FUZZY_SHORTEST:
        return None
    best: tuple[int, str] | None = None
    for spelling in known.spellings:
        distance = edit_distance(asked, spelling, FUZZY_DISTANCE)
        if distance is not None and (best is None or (distance, spelling) < best):
            best = (distance, spelling)
    return known.by_key[best[1]][0] if best else None


def edit_distance(a: str, b: str, at_most: int) -> int | None:
    """Give the Levenshtein distance of two texts, or null where it exceeds `at_most`."""
    if abs(len(a) - len(b)) > at_most:
        return None
    row = list(range(len(b) + 1))
    for i, left in enumerate(a, 1):
        above, row = row, [i]
        for j, right in enumerate(b, 1):
            row.append(min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (left != right)))
        if min(row) > at_most:
            return None
    return row[-1] if row[-1] <= at_most else None


def _spellings(by_key: Mapping[str, tuple[Drug, ...]]) -> tuple[str, ...]:
    return tuple(sorted(spelling for spelling in by_key if len(spelling) >= FUZZY_SHORTEST))


def _declared(name: str, part: tuple[str, Reading], file: str | None) -> Drug:
    text, reading = part
    if reading.drug is not None:
        return reading.drug
    if reading.nearest is not None:
        inns = [drug.inn for drug in DICTIONARY if drug.inn]
        hint = did_you_mean(fold(text), inns) or f" (did you mean '{reading.nearest.inn}'?)"
        message = f"'{text}' is no known drug{hint}; give its international nonproprietary name."
        raise StudyFileError([Problem(f"drugs.{name}", message, file=file)])
    return Drug(fold(text), None, None)
