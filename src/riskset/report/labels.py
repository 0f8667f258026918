"""Words for ids: those of the study file first, then the field's usual ones, else the id made readable."""

from __future__ import annotations

import re
from typing import Any

from riskset.protocol import Protocol

# Ids that a study is likely to use and whose plain spelling would look odd.
_USUAL = {
    "pfs": "Progression-free survival",
    "os": "Overall survival",
    "ttnt": "Time to next treatment",
    "ttd": "Time to treatment discontinuation",
    "orr": "Objective response rate",
    "dcr": "Disease control rate",
    "cbr": "Clinical benefit rate",
    "age": "Age",
    "ecog": "ECOG performance status",
    "ki67": "Ki-67",
    "her2": "HER2",
    "hr": "Hormone receptors",
    "er_percent": "Oestrogen receptor",
    "pr_percent": "Progesterone receptor",
    "her2_class": "HER2 class",
    "her2_score": "IHC score",
    "her2.zero": "HER2-zero",
    "her2.low": "HER2-low",
    "her2.positive": "HER2-positive",
    "her2.null": "HER2-null",
    "her2.ultralow": "HER2-ultralow",
    "her2.ihc_0": "IHC 0",
    "her2.ihc_1": "IHC 1+",
    "her2.ihc_2": "IHC 2+, ISH negative",
    "her2.unknown": "Unknown",
    "ihc": "Immunohistochemistry",
    "ihc_score": "IHC score",
    "tissue": "Tissue",
    "her2_ish": "ISH",
    "her2_ish.NEG": "ISH negative",
    "her2_ish.POS": "ISH positive",
    "her2_ish.EQUIV": "ISH equivocal",
    "her2_ish.UNRESOLVED": "ISH unresolved",
    "her2_ish.NOT_DONE": "Not done",
    "her2_ish.MISSING": "No result",
    "her2_score.0_NOS": "IHC 0, not further specified",
    "her2_score.0_null": "IHC 0, no staining",
    "her2_score.0_ultralow": "IHC 0, ultralow",
    "her2_score.1+": "IHC 1+",
    "her2_score.2+": "IHC 2+",
    "her2_score.3+": "IHC 3+",
    "her2_score.AMBIG_0_1": "IHC 0 to 1+",
    "her2_score.AMBIG_1_2": "IHC 1+ to 2+",
    "her2_score.AMBIG_2_3": "IHC 2+ to 3+",
    "her2_score.AMBIG_PLUS": "Lone plus",
    "her2_score.NEG_NOS": "Negative, no score",
    "her2_score.POS_NOS": "Positive, no score",
    "her2_score.INVALID": "Unreadable",
    "data_quality": "Excluded by a data-quality check",
    "her2_tissue": "Tissue",
    "her2_sample_year": "Year of specimen",
    "hr_positive": "Hormone receptor positive",
    "n_organs": "Number of metastatic organs",
    "bone_only": "Bone-only disease",
    "visceral": "Visceral disease",
    "cdk": "CDK4/6 inhibitor",
    "first_cdk46": "No earlier CDK4/6 inhibitor",
    "partner": "Endocrine partner",
    "line": "Line of therapy",
    "setting": "Metastatic setting",
    "index_year": "Year of index date",
    "menopause": "Menopausal status",
    "menopause.pre": "Premenopausal",
    "menopause.post": "Postmenopausal",
    "resistance": "Endocrine resistance",
    "prior_adjuvant_et": "Earlier adjuvant endocrine therapy",
    "measurable": "Measurable disease",
    "evaluable": "Evaluable for response",
    "best_response": "Best response",
    "all": "All patients",
    "true": "Yes",
    "false": "No",
    "ema": "EMA-like: every progression or death counts",
    "fda_a": "FDA-like A: censored at a new therapy, a stop of treatment or two missed visits",
    "fda_c_claims": "FDA-like C: progression claimed without documentation counts",
    "new_therapy_event": "New anticancer therapy counts as an event",
    "supplied": "As supplied",
    "adult": "Aged 18 or over",
    "data_cutoff": "Data cut-off",
}
_CAPITALS = {
    "asco": "ASCO",
    "cap": "CAP",
    "cdk46": "CDK4/6",
    "ci": "CI",
    "cr": "CR",
    "ecog": "ECOG",
    "er": "ER",
    "fda": "FDA",
    "ema": "EMA",
    "her2": "HER2",
    "hr": "HR",
    "ihc": "IHC",
    "ish": "ISH",
    "ki67": "Ki-67",
    "ne": "NE",
    "os": "OS",
    "pd": "PD",
    "pfs": "PFS",
    "pr": "PR",
    "sd": "SD",
    "tnm": "TNM",
}
# A period of years, as an id has it.
_YEARS = re.compile(r"\d{4}-\d{4}")
# Classes and responses are written in capitals already.
_AS_WRITTEN = frozenset({"CR", "PR", "SD", "PD", "NE"})


def humanise(name: str) -> str:
    """Make an id readable: underscores to spaces, known abbreviations in capitals, a capital first.

    Examples
    --------
    >>> humanise("prior_cdk46"), humanise("NON_CR_NON_PD"), humanise("palbociclib")
    ('Prior CDK4/6', 'Non CR non PD', 'Palbociclib')
    """
    words = [
        w if w in _AS_WRITTEN else _CAPITALS.get(w.lower(), w.lower() if w.isupper() else w)
        for w in name.replace("_", " ").split()
    ]
    text = " ".join(words)
    return text[:1].upper() + text[1:]


def lower_first(text: str) -> str:
    """Write a label inside a sentence: its first letter small, unless it begins with an abbreviation."""
    return text if text[:2].isupper() or text[1:2].isdigit() else text[:1].lower() + text[1:]


def upper_first(text: str) -> str:
    """Begin a heading with a capital."""
    return text[:1].upper() + text[1:]


def _label_of(spec: Any) -> str:
    """Read a spec's own `label`; a frame in a notebook has plain dictionaries."""
    found = spec.get("label", "") if isinstance(spec, dict) else getattr(spec, "label", "")
    return str(found or "")


class Labels:
    """Labels of one study."""

    def __init__(self, protocol: Protocol | None) -> None:
        self._declared = dict(protocol.report.labels) if protocol is not None else {}
        self._centres = {c: _label_of(s) for c, s in protocol.centres.items()} if protocol is not None else {}
        criteria = protocol.eligibility if protocol is not None else []
        self._criteria = {c.id: c.label for c in criteria}
        covariates = protocol.covariates if protocol is not None else {}
        self._units = {name: str(getattr(spec, "unit", "") or "") for name, spec in covariates.items()}

    def of(self, name: str | None) -> str:
        """Give the label of a variable, endpoint, population, scheme or any other id."""
        if name is None:
            return "All patients"
        if ":" in name:
            return " × ".join(self.of(part) for part in name.split(":"))
        return self._declared.get(name) or self._centres.get(name) or _USUAL.get(name) or humanise(name)

    def declared(self, name: str) -> str:
        """Give the label that the study file gives an id, or an empty string."""
        return self._declared.get(name, "")

    def level(self, variable: str | None, level: str | None) -> str:
        """Give the label of one level of a variable."""
        if level is None:
            return self.of(variable)
        declared = self._declared.get(f"{variable}.{level}") or _USUAL.get(f"{variable}.{level}")
        if declared:
            return declared
        if variable == "centre":
            return self.centre(level)
        if _YEARS.fullmatch(level):
            return level.replace("-", "–")
        return self._declared.get(level) or {"true": "Yes", "false": "No"}.get(level) or humanise(level)

    def contrast(self, variable: str | None, level: str | None, reference: str | None) -> str:
        """Say what is held against what: `HER2-low v HER2-zero`; a number has no levels and stands alone."""
        if level is None:
            return self.of(variable)
        against = "" if reference is None else f" v {self.level(variable, reference)}"
        if level == "true" and reference == "false":
            return f"{self.of(variable)}: yes v no"
        return f"{self.level(variable, level)}{against}"

    def centre(self, name: str | None) -> str:
        """Give a centre's label."""
        return "All centres" if name is None else self._centres.get(name) or self._declared.get(name) or humanise(name)

    def criterion(self, name: str) -> str:
        """Give the label of an eligibility criterion."""
        return self._criteria.get(name) or self._declared.get(f"eligibility.{name}") or self.of(name)

    def unit(self, variable: str, given: str | None = None) -> str:
        """Give the unit to print beside a variable's name, or an empty string."""
        unit = given or self._units.get(variable) or ("years" if variable == "age" else "")
        return "" if unit in ("1", "patients") else unit
