"""From the text of a HER2 result to its parts: an IHC score and an ISH result, by the tables of `her2_text`."""

from __future__ import annotations

import re
from dataclasses import dataclass

from riskset.biomarkers.her2_text import (
    ANTIGEN_NAME,
    BARE_RATIO,
    COPIES,
    IHC_BEGINS,
    IHC_LEXICON,
    IHC_RULES,
    IHC_WHOLE_TEXT,
    ISH_BEGINS,
    ISH_LEXICON,
    ISH_RULES,
    RATIO,
    WHOLE_TEXT,
)
from riskset.biomarkers.reading import UNKNOWN, first_match, fold

_ISH_BEGINS = re.compile(ISH_BEGINS)
_IHC_BEGINS = re.compile(IHC_BEGINS)
_ANTIGEN_NAME = re.compile(ANTIGEN_NAME)
_RATIO = re.compile(RATIO)
_COPIES = re.compile(COPIES)
_BARE_RATIO = re.compile(BARE_RATIO)
_PLUS_SCALE = re.compile(r"\+\s*\+")


@dataclass(frozen=True, slots=True)
class IhcReading:
    """What an IHC text says: score, id of the rule, the ISH part if it holds one, and whether it is written `++`."""

    score: str
    rule: str
    ish: str | None = None
    counts_plus: bool = False


@dataclass(frozen=True, slots=True)
class IshReading:
    """What an ISH text says: a word (NEG, POS, EQUIVOCAL, NOT_DONE, FAILED, MISSING, UNKNOWN) and numbers if stated."""

    word: str
    rule: str
    ratio: float | None = None
    copies: float | None = None


def read_ihc(text: str | None) -> IhcReading:
    """Read an IHC text; an ISH result in the same text is split off and handed on.

    Returns
    -------
    IhcReading
        The score is one of `her2_rules.SCORES`, or AMBIG_PLUS (a lone plus) or AMBIG_0PLUS, which the hospital's
        mapping decides. A text that no rule knows is UNKNOWN.
    """
    folded = fold(text or "")
    whole = first_match(IHC_WHOLE_TEXT, folded)
    if whole is not None:
        return IhcReading(whole.result, whole.id)
    ihc, ish = split_ish(folded)
    if not ihc:
        return IhcReading("MISSING", "2b.empty", ish)
    rule = first_match(IHC_WHOLE_TEXT, ihc) or first_match(IHC_RULES, IHC_LEXICON.symbols(ihc))
    counts_plus = bool(_PLUS_SCALE.search(ihc))
    if rule is None:
        return IhcReading(UNKNOWN, "2b.unknown", ish, counts_plus)
    return IhcReading(rule.result, rule.id, ish, counts_plus)


def split_ish(folded: str) -> tuple[str, str | None]:
    """Divide a folded text into its IHC part and its ISH part (null where it holds none)."""
    starts = [(m.start(), "ish") for m in _ISH_BEGINS.finditer(folded)]
    if not starts:
        return folded, None
    marks = sorted([(0, "ihc"), *starts, *((m.start(), "ihc") for m in _IHC_BEGINS.finditer(folded))])
    parts: dict[str, list[str]] = {"ihc": [], "ish": []}
    for (start, kind), (end, _) in zip(marks, [*marks[1:], (len(folded), "")], strict=True):
        parts[kind].append(folded[start:end])
    # What joined the two parts ("2+ / FISH", "2+ (FISH") says nothing; a closing bracket is noise to the lexicon.
    ihc = re.sub(r"(?:(?<=[+\s])-|[\s/,;:(&])+$", "", "".join(parts["ihc"]).strip())
    return ihc.strip(), "".join(parts["ish"]).strip(" /,;:()&")


def read_ish(text: str | None) -> IshReading:
    """Read an ISH text: numbers first (ratio, copies a cell), then the words that are left.

    A text that no rule knows has the word UNKNOWN, whether or not it holds numbers; numbers alone have MISSING.
    """
    folded = fold(text or "")
    whole = first_match(WHOLE_TEXT, folded)
    if whole is not None:
        return IshReading(UNKNOWN if whole.result == "INVALID" else whole.result, whole.id)
    left, ratio = _number(_RATIO, _ANTIGEN_NAME.sub(" ", folded))
    left, copies = _number(_COPIES, left)
    if ratio is None:
        left, ratio = _number(_BARE_RATIO, left.strip())
    symbols = ISH_LEXICON.symbols(left.strip())
    if not symbols and (ratio is not None or copies is not None):
        return IshReading("MISSING", "2b.ish_numbers", ratio, copies)
    rule = first_match(ISH_RULES, symbols)
    word, rule_id = (rule.result, rule.id) if rule else (UNKNOWN, "2b.ish_unknown")
    return IshReading(word, rule_id, ratio, copies)


def _number(pattern: re.Pattern[str], text: str) -> tuple[str, float | None]:
    """Give the text without the stated number, and the number (decimal comma or point); null where there is none."""
    match = pattern.search(text)
    if match is None:
        return text, None
    groups = match.groupdict()
    written = groups.get("value") or groups.get("before") or ""
    return text[: match.start()] + " " + text[match.end() :], float(written.replace(",", "."))
