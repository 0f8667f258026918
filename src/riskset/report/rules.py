"""Covariates, biomarkers and endpoints in words: one plain sentence for each rule, bound to its parameters.

A rule that is not listed here gets a generic sentence, so that a new one prints before anybody has worded it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from riskset.report.labels import humanise, lower_first
from riskset.report.parameters import Parameters, generic, in_words, joined
from riskset.report.reader import Reader
from riskset.report.tablemodel import Inline, Part, inline

_ORGANS = {"cns": "central nervous system", "gastrointestinal": "gastrointestinal tract", "adrenal": "adrenal gland"}
_BEFORE = "; a value supplied by the centre took precedence"


class _Thing:
    """One declared thing: its name, its path among the parameters, and the words for what it names."""

    def __init__(self, reader: Reader, parameters: Parameters, section: str, name: str) -> None:
        self.reader, self.labels, self.parameters = reader, reader.labels, parameters
        self.name, self.path = name, f"{section}.{name}"

    def part(self, key: str, otherwise: str = "not stated") -> Part:
        return self.parameters.part(f"{self.path}.{key}", otherwise)

    def said(self, key: str, words: str) -> Part:
        return self.parameters.said(f"{self.path}.{key}", words)

    def get(self, key: str) -> str | None:
        return self.parameters.get(f"{self.path}.{key}")

    def levels(self, last: str) -> Part | None:
        found = self.parameters.listed(f"{self.path}.levels")
        words = [lower_first(self.labels.level(self.name, level)) for level in found]
        return self.said("levels", joined(words, last)) if words else None

    def supplied(self) -> Part | str:
        """Say where what the centre supplied goes before what its records give; the usual way round is said once."""
        return self.said("prefer", _BEFORE) if self.get("prefer") == "supplied" else ""

    def at_index(self) -> Inline:
        """Say up to when a finding counts."""
        if self.get("grace_days") in (None, "0"):
            return inline(self.said("grace_days", "up to the index date"))
        return inline("up to ", self.part("grace_days"), " days after the index date")


def _recorded(c: _Thing) -> Inline:
    levels = c.levels("or")
    return inline("as recorded by the centres", inline(" (", levels, ")") if levels else "")


def _sample_value(c: _Thing) -> Inline:
    biomarker = c.said("biomarker", c.labels.of(c.get("biomarker") or "her2"))
    return inline("as recorded by the centres for the specimen that determined ", biomarker)


def _age(c: _Thing) -> Inline:
    return inline("completed years from birth to the index date", c.supplied())


def _setting(c: _Thing) -> Inline:
    return inline(
        "de novo if metastases were found within ", c.part("de_novo_days"), " days of the diagnosis and no neoadjuvant "
        "or adjuvant systemic therapy had been completed before, otherwise recurrent", c.supplied(),
    )  # fmt: skip


def _visceral(c: _Thing) -> Inline:
    organs = [_ORGANS.get(organ, organ) for organ in c.parameters.listed(f"{c.path}.organs")]
    named = c.said("organs", joined(organs, "or")) if organs else c.part("definition")
    return inline(
        "present if a metastasis was recorded ", c.at_index(), " in ", named, "; absent only if all of these were "
        "known to be free of metastases", c.supplied(),
    )  # fmt: skip


def _n_organs(c: _Thing) -> Inline:
    merged = c.get("merge_pleura") == "true"
    pleura = c.said("merge_pleura", "lung and pleura as one" if merged else "lung and pleura as two")
    return inline(
        "organs with a metastasis recorded ", c.at_index(), ", bone and bone marrow counted as one organ, ", pleura,
        "; unknown where the state of any organ that could add to the number was unknown", c.supplied(),
    )  # fmt: skip


def _bone_only(c: _Thing) -> Inline:
    return inline(
        "metastases in bone or bone marrow and in no other organ ", c.at_index(), "; unknown unless each organ's state "
        "settled it", c.supplied(),
    )  # fmt: skip


def _line(c: _Thing) -> Inline:
    return inline(c.said("prefer", "line of the index treatment as counted by the treating physician"))


def _classes(c: _Thing) -> Inline:
    pieces: list[Inline] = []
    for name, part in c.parameters.under(f"{c.path}.levels"):
        words = in_words(c.labels, part.text) or part.text
        pieces.append(inline(f"{lower_first(c.labels.level(c.name, name))} (", Part(words, part.row), ")"))
    found: list[str | Inline] = []
    for position, piece in enumerate(pieces):
        found += ["" if not position else " or " if position == len(pieces) - 1 else ", ", piece]
    return inline("grouped as ", *found)


def _partner(c: _Thing) -> Inline:
    levels = c.levels("or")
    return inline(
        "the endocrine drug", inline(" (", levels, ")") if levels else "", " that started within ",
        c.part("window_days"), " days of the index date, the nearest of several, or else one that was still given",
        c.supplied(),
    )  # fmt: skip


def _prior(c: _Thing) -> Inline:
    classes = c.said("classes", joined([humanise(x).lower() for x in c.parameters.listed(f"{c.path}.classes")], "or"))
    intents = c.parameters.listed(f"{c.path}.intents")
    intent = inline(" with ", c.said("intents", joined(intents, "or")), " intent") if intents else ""
    absence = "no record counted as none" if c.get("absence") == "no" else "no record counted as unknown"
    return inline("a drug of the class ", classes, intent, " before the index date; ", c.said("absence", absence))


def _index_drug(c: _Thing) -> Inline:
    levels = c.levels("or")
    return inline("the drug that set the index date", inline(" (", levels, ")") if levels else "")


_COVARIATES: Mapping[str, Callable[[_Thing], Inline]] = {
    "age_at_index": _age,
    "setting": _setting,
    "visceral": _visceral,
    "n_organs": _n_organs,
    "bone_only": _bone_only,
    "line": _line,
    "classes": _classes,
    "index_year": lambda c: inline(c.said("rule", "calendar year of the index date")),
    "index_drug": _index_drug,
    "recorded": lambda c: inline(c.said("rule", "whether the centre recorded a value that can be read")),
    "endocrine_partner": _partner,
    "prior_therapy": _prior,
    "sample_value": _sample_value,
    "column": _recorded,
    "supplied": _recorded,
}


def covariate(reader: Reader, parameters: Parameters, name: str) -> Inline:
    """Say in a sentence how a covariate was defined; nothing where its parameters are not among the rows."""
    c = _Thing(reader, parameters, "covariates", name)
    pairs = [(key, part) for key, part in parameters.under(c.path) if key not in ("label", "rule", "unit")]
    worded = _COVARIATES.get(c.get("rule") or "")
    if worded is None and not pairs:
        return ()
    said = worded(c) if worded is not None else inline("defined by ", generic(pairs))
    return inline(Part(f"{c.labels.of(name)}: ", strong=True), said, ".")


def stands_in(reader: Reader, parameters: Parameters, names: Iterable[str]) -> Inline:
    """Say of which covariates a value supplied by the centre stands in where its records do not settle them."""
    found = [n for n in names if parameters.get(f"covariates.{n}.prefer") == "derived"]
    if not found:
        return ()
    parts = [parameters.said(f"covariates.{n}.prefer", lower_first(reader.labels.of(n))) for n in found]
    return inline(" Where the records did not settle ", *_either(parts), ", the value supplied by the centre was used.")


_SPECIMEN = {
    "latest_before_index": "the latest specimen dated up to {until}",
    "metastasis_first": "the latest metastatic specimen dated up to {until}, else the primary tumour",
    "primary_only": "the first specimen of the primary tumour",
    "highest": "the specimen with the highest class dated up to {until}",
}
_HER2_SCHEMES = {
    "zero_low": "HER2-zero was IHC 0, HER2-low IHC 1+ or IHC 2+ with negative in situ hybridisation (ISH)",
    "null_ultralow_low": (
        "IHC 0 was divided into no staining and ultralow; HER2-low was IHC 1+ or IHC 2+ with negative in situ "
        "hybridisation (ISH)"
    ),
    "0_1_2": "IHC 0, 1+ and 2+ with negative in situ hybridisation (ISH) were kept apart",
    "low_incl_ultralow": (
        "HER2-zero was IHC 0 without staining; HER2-low was ultralow staining, IHC 1+, or IHC 2+ with negative in situ "
        "hybridisation (ISH)"
    ),
}


def biomarker(reader: Reader, parameters: Parameters, name: str) -> Inline:
    """Say in a few sentences how a biomarker was read and which specimen speaks for a patient."""
    b = _Thing(reader, parameters, "biomarkers", name)
    label = b.labels.of(name)
    if name == "her2":
        said = _her2(b)
    elif name == "hormone_receptors":
        said = inline(
            "Tumours were hormone receptor positive if at least ", b.part("cut", "1"), "% of tumour cells stained for "
            "the oestrogen or the progesterone receptor",
            inline(" (H-score: at least ", b.part("h_score_cut"), ")") if b.get("h_score_cut") else "", ".",
        )  # fmt: skip
    else:
        shown = ("specimen", "grace_days", "prefer")
        pairs = [(key, part) for key, part in parameters.under(b.path) if key not in shown]
        said = inline(f"{label} was read by: ", generic(pairs), ".") if pairs else ()
    return inline(said, _specimen(b, label))


def _her2(b: _Thing) -> Inline:
    scheme = b.get("scheme") or ""
    groups = b.said("scheme", _HER2_SCHEMES.get(scheme, f"classes were grouped as {humanise(scheme)}"))
    rules = b.said("rules", "ASCO/CAP 2018 guideline" if b.get("rules") == "asco_cap_2018" else b.get("rules") or "")
    positive: Inline = ()
    if b.get("exclude_ever_positive") == "true":
        text = " A patient with any HER2-positive specimen before the index date counted as positive."
        positive = inline(b.said("exclude_ever_positive", text))
    undecided = b.said(
        "indeterminate", "IHC 2+ without an ISH result was indeterminate and counted as unknown, not as low"
    )
    return inline(
        "HER2 was classified by the ", rules, " from immunohistochemistry (IHC) and ISH: ", groups, "; ", undecided,
        ".", positive,
    )  # fmt: skip


def _specimen(b: _Thing, label: str) -> Inline:
    policy = b.get("specimen")
    if policy is None:
        return ()
    grace = b.get("grace_days")
    until = "the index date" if grace in (None, "0") else f"{grace} days after the index date"
    words = _SPECIMEN.get(policy, f"the specimen chosen by the rule {humanise(policy).lower()}").format(until=until)
    supplied = b.said("prefer", _BEFORE) if b.get("prefer") == "supplied" else ""
    verb = "were" if label.endswith("s") else "was"
    return inline(f" {label} {verb} read from ", b.said("specimen", words), supplied, ".")


# What a censoring scheme of PFS does beside counting progression and death.
_SCHEMES = {
    "ema": "every progression or death counted at its own date, whatever happened before (EMA-like)",
    "fda_a": (
        "patients were censored at the last adequate assessment before a new anticancer therapy, the end of treatment "
        "for another reason than progression, or two or more missed visits (FDA-like A)"
    ),
    "fda_c_claims": (
        "as FDA-like A, but the end of treatment for progression counted as an event although no scan documented it "
        "(FDA-like C)"
    ),
    "new_therapy_event": "the start of a new anticancer therapy counted as an event",
}
_MISSED = ("fda_a", "fda_c_claims")


def endpoint(reader: Reader, parameters: Parameters, name: str) -> Inline:
    """Say in a few sentences what an endpoint counts as event, where it censors, and under which schemes."""
    e = _Thing(reader, parameters, "endpoints", name)
    pairs = [(key, part) for key, part in parameters.under(e.path) if key not in ("label", "kind")]
    kind = e.get("kind") or name
    worded = _ENDPOINTS.get(kind)
    if worded is None and not pairs:
        return ()
    said = worded(e) if worded is not None else _own(pairs)
    return inline(Part(f"{e.labels.of(name)}: ", strong=True), said, ".")


def _derived(e: _Thing) -> Part | str:
    prefer = e.get("prefer")
    if prefer is None:
        return ""
    first = "the duration supplied by the centre was used, the dates where it was missing"
    second = "the dates were used, the duration supplied by the centre where they were missing"
    return e.said("prefer", f"; {first if prefer == 'supplied' else second}")


def _pfs(e: _Thing) -> Inline:
    scheme, also = e.get("scheme"), e.parameters.listed(f"{e.path}.also")
    said: list[str | Part | Inline] = [
        e.said("kind", "time from the index date to progression or death of any cause, censored at the last adequate "
               "assessment"), _derived(e),
    ]  # fmt: skip
    if scheme:
        said += [". In the primary analysis ", e.said("scheme", _SCHEMES.get(scheme, humanise(scheme)))]
    if also:
        words = [f"({position}) {_SCHEMES.get(s, humanise(s))}" for position, s in enumerate(also, 1)]
        said += [". In sensitivity analyses ", e.said("also", "; ".join(words))]
    if e.get("max_gap_days") and any(s in _MISSED for s in (scheme, *also)):
        said += [". Visits counted as missed after a gap of more than ", e.part("max_gap_days"), " days"]
    return inline(*said)


def _os(e: _Thing) -> Inline:
    words = "time from the index date to death of any cause, censored at the last contact"
    return inline(e.said("kind", words), _derived(e))


def _response(e: _Thing) -> Inline:
    success = e.said("success", joined(e.parameters.listed(f"{e.path}.success"), "or").replace("_", " "))
    stable: Inline = ()
    if any(word in ("SD", "NON_CR_NON_PD") for word in e.parameters.listed(f"{e.path}.success")):
        at_once = e.get("sd_min") in (None, "0")
        stable = (
            inline(e.said("sd_min", "; stable disease counted whenever it was seen"))
            if at_once
            else inline("; stable disease counted from ", e.part("sd_min"), " days after the index date")
        )
    confirm = e.get("confirm")
    confirmed: Inline = ()
    if confirm is not None:
        confirmed = (
            inline(e.said("confirm", "; responses did not need to be confirmed"))
            if confirm == "none"
            else inline("; a response had to be confirmed after ", e.part("confirm"), " days")
        )
    start = "share of patients whose best response was "
    return inline(start, success, stable, confirmed, "; patients who were not evaluable counted as failures")


def _own(pairs: list[tuple[str, Part]]) -> Inline:
    """Word an endpoint of the study's own by the reasons of its events and censorings."""

    def reasons(key: str) -> list[Part]:
        found = [part for path, part in pairs if path.startswith(f"{key}.") and path.endswith(".reason")]
        return [Part(part.text.replace("_", " "), part.row) for part in found]

    events, censors = reasons("events"), reasons("censors")
    if not events:
        return inline("defined by ", generic(pairs))
    return inline(
        "time from the index date to ", *_either(events),
        *([", censored at ", *_either(censors)] if censors else []),
    )  # fmt: skip


def _either(parts: list[Part]) -> list[str | Part]:
    pieces: list[str | Part] = []
    for position, part in enumerate(parts):
        pieces += ["" if not position else " or " if position == len(parts) - 1 else ", ", part]
    return pieces


_ENDPOINTS: Mapping[str, Callable[[_Thing], Inline]] = {
    "pfs": _pfs,
    "os": _os,
    "ttp": lambda e: inline(
        e.said(
            "kind",
            "time from the index date to progression; deaths without it and patients without either were "
            "censored at the last adequate assessment",
        )
    ),
    "ttnt": lambda e: inline(
        e.said("kind", "time from the index date to the next systemic therapy or death, censored at the last contact")
    ),
    "response": _response,
}
