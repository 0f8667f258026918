"""From one row of the simulated cohort to a dated history, as a chart would hold it.

The row says what must come out (age, setting, HER2 class, organs, line, PFS and OS in days, best response). Here only
the dates and drugs around it are invented, such that the row follows from them by the study's definitions.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from her2_cdk46_raw.dice import Dice, after, years_before

ORGANS = ("bone", "liver", "lung", "pleura", "brain", "node", "skin")
DATA_CUTOFF = date(2023, 3, 31)
YEAR = 365.25

AROMATASE = ("letrozole", "anastrozole", "exemestane")
CHEMOTHERAPY = ("capecitabine", "paclitaxel", "vinorelbine", "gemcitabine", "docetaxel")

Row = Mapping[str, str]


@dataclass
class Sample:
    """One specimen. `ihc` is 0, 1+, 2+, 3+, or a word for what is wrong with it; None where nothing was written."""

    day: date | None
    tissue: str
    ihc: str | None
    ish: str | None
    er: int | None
    pr: int | None
    ki67: int | None


@dataclass
class Drug:
    inn: str
    start: date | None
    stop: date | None
    reason: str | None
    intent: str
    line: int | None


@dataclass
class Scan:
    day: date
    response: str | None


@dataclass
class Person:
    """One patient as the chart has her. `cdk`, `partner` and `following` are the drugs that flat sheets name."""

    row: dict[str, str]
    centre: str
    birth: date | None
    diagnosis: date | None
    metastatic: date | None
    surgery: date | None
    cdk: Drug
    partner: Drug
    death: date | None
    last_contact: date
    cause: str | None
    sex: str = "female"
    id: str = ""
    samples: list[Sample] = field(default_factory=list)
    earlier: list[Drug] = field(default_factory=list)
    following: list[Drug] = field(default_factory=list)
    gnrh: Drug | None = None
    prior_cdk: Drug | None = None
    prior_cdk_known: bool = True
    progression: date | None = None
    scans: list[Scan] = field(default_factory=list)
    note: str = ""

    @property
    def dice(self) -> Dice:
        """Give a fresh stream for how this patient's row is written down."""
        return Dice("writing", self.row["pid"])

    def slipped(self, what: str) -> bool:
        """Say whether that slip of the pen stands in this patient's row."""
        return what in self.row.get("slips", "").split()

    def organ(self, name: str) -> bool:
        return self.row[name] == "1"

    @property
    def adjuvant(self) -> Drug | None:
        """Give the adjuvant endocrine drug, if she had one."""
        return next((drug for drug in self.earlier if drug.intent == "adjuvant"), None)

    def sample(self, tissue: str) -> Sample | None:
        """Give the first specimen of that tissue that was taken before the index drug or has no date."""
        return next((s for s in self.samples if s.tissue == tissue), None)


def person_from(row: Row, centre: str) -> Person:
    """Invent the dated history behind one row."""
    dice = Dice("history", row["pid"])
    index = date.fromisoformat(row["index_date"])
    lines, first_start = _earlier_lines(row, index, dice)
    gap = dice.between(12, 45)
    metastatic = after(first_start, -gap)
    diagnosis, adjuvant = _primary_disease(row, index, metastatic, dice)
    death = after(index, int(row["os_days"])) if row["os_event"] == "1" else None
    person = Person(
        row=dict(row),
        centre=centre,
        birth=after(years_before(index, int(row["age"])), -dice.between(0, 364)),
        diagnosis=diagnosis,
        metastatic=metastatic,
        surgery=after(diagnosis, dice.between(10, 60)) if row["setting"] == "recurrent" else None,
        cdk=_index_drug(row, index),
        partner=_partner(row, index, dice),
        death=death,
        last_contact=after(index, int(row["os_days"])),
        cause=_cause(dice) if death else None,
        earlier=[*adjuvant, *lines],
    )
    person.samples = _samples(row, person, gap, dice)
    person.following = _following(row, dice)
    if row["menopause"] == "pre":
        drug = dice.pick(("goserelin", "leuprorelin"))
        start = after(index, -dice.between(0, 30))
        person.gnrh = Drug(drug, start, person.cdk.stop, person.cdk.reason, "metastatic", int(row["line"]))
    _outcome(row, person, index, dice)
    return person


def _cause(dice: Dice) -> str:
    return "breast cancer" if dice.chance(0.9) else dice.pick(("infection", "cardiovascular", "unknown"))


def _index_drug(row: Row, index: date) -> Drug:
    stop = date.fromisoformat(row["cdk_stop"]) if row["cdk_stop"] else None
    return Drug(row["cdk"], index, stop, row["stop_reason"], "metastatic", int(row["line"]))


def _partner(row: Row, index: date, dice: Dice) -> Drug:
    """Give the endocrine partner, begun on the same day or a few days to either side."""
    shift = 0 if dice.chance(0.6) else dice.between(-7, 5)
    drug = _index_drug(row, index)
    return Drug(row["partner"], after(index, shift), drug.stop, drug.reason, "metastatic", drug.line)


def _earlier_lines(row: Row, index: date, dice: Dice) -> tuple[list[Drug], date]:
    """Go back from the index drug through the earlier lines; give them and the start of the first."""
    drugs: list[Drug] = []
    start = index
    resistance = row["endocrine_resistance"]
    for line in range(int(row["line"]) - 1, 0, -1):
        stop = after(start, -dice.between(10, 28))
        endocrine = line == 1 and resistance in ("primary", "secondary")
        if endocrine:
            name = dice.pick([d for d in (*AROMATASE, "tamoxifen") if d != row["partner"]])
            days = dice.between(70, 165) if resistance == "primary" else dice.between(210, 560)
        else:
            name = CHEMOTHERAPY[(line + dice.between(0, 1)) % len(CHEMOTHERAPY)]
            days = dice.between(80, 190)
        start = after(stop, -days)
        drugs.append(Drug(name, start, stop, "progression", "metastatic", line))
    return drugs[::-1], start


def _primary_disease(row: Row, index: date, metastatic: date, dice: Dice) -> tuple[date, list[Drug]]:
    """Give the first diagnosis and the adjuvant endocrine drug that fit setting and endocrine resistance."""
    if row["setting"] == "de_novo":
        return after(metastatic, -dice.between(0, 40)), []
    if row["prior_adjuvant_et"] != "1":
        return after(metastatic, -dice.between(260, 2400)), []
    on_therapy, off_therapy = _adjuvant_days(row, dice)
    youngest = 21
    most = int((int(row["age"]) - youngest) * YEAR) - (index - metastatic).days
    lead = dice.between(150, 270)
    off_therapy = min(off_therapy, max(most - on_therapy - lead, 400 if off_therapy > 365 else 0))
    stop = after(metastatic, -off_therapy)
    start = after(stop, -on_therapy)
    name = "tamoxifen" if row["menopause"] == "pre" else dice.pick(("letrozole", "anastrozole", "tamoxifen"))
    reason = "completed" if off_therapy else "progression"
    return after(start, -lead), [Drug(name, start, stop, reason, "adjuvant", None)]


def _adjuvant_days(row: Row, dice: Dice) -> tuple[int, int]:
    """Give days on adjuvant endocrine therapy, and days from its end to the relapse (0 = relapse under it)."""
    resistance = row["endocrine_resistance"]
    if resistance == "primary" and row["line"] == "1":
        return dice.between(250, 690), 0
    if resistance == "secondary" and row["line"] == "1":
        return (dice.between(780, 1750), 0) if dice.chance(0.7) else (1826, dice.between(40, 340))
    return 1826 + dice.between(-20, 40), dice.between(400, 2200)


def _samples(row: Row, person: Person, gap: int, dice: Dice) -> list[Sample]:
    """Give the specimen that decides HER2, and for some an earlier primary with another, never positive, score."""
    assert person.diagnosis is not None
    assert person.metastatic is not None
    deciding = {
        "ihc": row["ihc"],
        "ish": row["ish"],
        "er": int(row["er_pct"]),
        "pr": int(row["pr_pct"]),
        "ki67": int(row["ki67"]) if row["ki67"] else None,
    }
    if row["her2_sample"] == "primary":
        return [Sample(after(person.diagnosis, dice.between(0, 6)), "primary", **deciding)]
    taken = after(person.metastatic, dice.between(0, min(gap - 2, 21)))
    samples = [Sample(taken, "metastasis", **deciding)]
    if row["setting"] == "recurrent" and dice.chance(0.6):
        ihc, ish = dice.pick((("0", "not_done"), ("1+", "not_done"), ("1+", "not_done"), ("2+", "negative")))
        er = min(100, max(5, int(row["er_pct"]) + dice.between(-15, 15)))
        pr = min(100, max(0, int(row["pr_pct"]) + dice.between(-15, 25)))
        primary = Sample(after(person.diagnosis, dice.between(0, 6)), "primary", ihc, ish, er, pr, dice.between(6, 45))
        samples.insert(0, primary)
    return samples


def _following(row: Row, dice: Dice) -> list[Drug]:
    """Give the drugs of the next line of therapy; none where it is unknown or there was none."""
    if not row["next_therapy_date"]:
        return []
    start = date.fromisoformat(row["next_therapy_date"])
    endocrine = "exemestane" if row["partner"] == "fulvestrant" else "fulvestrant"
    names = {
        "endocrine": [endocrine],
        "targeted": ["alpelisib", "fulvestrant"] if endocrine == "fulvestrant" else ["everolimus", "exemestane"],
        "chemotherapy": [dice.pick(CHEMOTHERAPY)],
        "tdxd": ["trastuzumab deruxtecan"],
    }[row["next_therapy"]]
    return [Drug(name, start, None, None, "metastatic", int(row["line"]) + 1) for name in names]


def _outcome(row: Row, person: Person, index: date, dice: Dice) -> None:
    """Set the progression and the scans: the last scan lies exactly where the row puts progression or censoring."""
    end = after(index, int(row["pfs_days"]))
    if row["pfs_type"] == "PD":
        person.progression = end
        last = None
    elif row["pfs_type"] == "death":
        last = date.fromisoformat(row["last_assessment"]) if row["last_assessment"] else None
    else:
        last = end
    horizon = end if row["pfs_type"] != "death" else last
    days = _scan_days((horizon - index).days, row["bor"], dice) if horizon else []
    person.scans = [Scan(after(index, day), None) for day in days]
    if last:
        person.scans.append(Scan(last, None))
    _respond(person.scans, row["bor"], dice)
    if person.progression:
        person.scans.append(Scan(person.progression, "PD"))


def _scan_days(horizon: int, best: str, dice: Dice) -> list[int]:
    """Give the days of the scans before the last one: about every 12 weeks in the first year, then every 5 months."""
    if best in ("PD", "NE"):
        return []
    days: list[int] = []
    day = dice.between(60, 92)
    while day < horizon - 25:
        days.append(day)
        day += dice.between(75, 98) if day < 365 else dice.between(130, 185)
    return days or [horizon // 2]


def _respond(scans: list[Scan], best: str, dice: Dice) -> None:
    """State a response at each scan such that the best of them is the stated best response."""
    if best in ("PD", "NE") or not scans:
        return
    if best == "SD":
        for scan in scans:
            scan.response = "SD"
        return
    reached = 1 if len(scans) > 2 and dice.chance(0.35) else 0
    for place, scan in enumerate(scans):
        if place < reached:
            scan.response = "SD"
        elif best == "CR" and place == reached and len(scans) > reached + 1:
            scan.response = "PR"
        else:
            scan.response = best
